# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in the arguments of a task that nothing describes: where they stand, and that none is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _secrets

HIDDEN = "hunter2-secret"


@pytest.mark.parametrize(
    "row",
    [
        {"connection": {"password": HIDDEN}},
        {"connection": {"Password": HIDDEN}},
        {"connection": {"db_passwd": HIDDEN}},
        {"connection": {"pwd": [HIDDEN]}},
        {"connection": {"token": {"value": HIDDEN}}},
        {"connection": {"secretAccessKey": HIDDEN, "private-key": HIDDEN, "sk": HIDDEN}},
        {"connection": f"{{password: {HIDDEN}}}"},
        {"connection": f"{{'PASSWORD': '{HIDDEN}'}}"},
        {"connection": json.dumps({"password": HIDDEN})},
        {"connection": f"host=h password={HIDDEN}"},
        {"checks": json.dumps([{"connection": {"password": HIDDEN}}])},
        {"url": f"redis://user:{HIDDEN}@h:6379"},
        {"url": f"redis://:{HIDDEN}@h:6379"},
        {"connection": {f"password:{HIDDEN}": None}},  # what {password:hunter2-secret} means in YAML
        f"service=dcs password={HIDDEN}",
    ],
)
def test_a_secret_is_found_wherever_a_row_has_it(row: Any) -> None:
    for restores in ([row], json.dumps([row])):
        shown = {"restores": restores, "msg": f"{HIDDEN}!", "rows": [row]}
        assert HIDDEN not in json.dumps(_secrets.without(shown, _secrets.within({"restores": restores})))
    broken = {"restores": str([row])[:-1]}
    assert HIDDEN not in json.dumps(_secrets.without(broken, _secrets.within(broken)))


@pytest.mark.parametrize(
    "row",
    [
        {"instance_id": "i", "connection": {"password_variable": "db_password"}},
        {"checks": [{"key": "{user}:token:1", "sql": "SELECT 1 FROM t WHERE token='x' AND password=''"}]},
        {"connection": {"host": "h", "password": None, "pwd": ""}, "with_password": True, "token": False},
        {"url": "https://h:443/p?a=b@c"},
        {"access_key": "AKEXAMPLE", "marker": "secret: no"},
    ],
)
def test_what_is_no_secret_stays_as_it_is(row: dict[str, Any]) -> None:
    """Later tasks read the rows of a result: a name of a variable, or a check with stars, would be wrong."""
    result = {"restores": [row], "count": 4, "failed": False, "changed": True, "msg": "True or False"}
    assert _secrets.without(result, _secrets.within({"restores": [row]})) is result


def test_a_number_and_a_text_from_the_cloud_are_redacted() -> None:
    result = {"a": 12345678, "b": [f"{{{{ x }}}} {HIDDEN}", True, 1.5, None], "c": 9123456780}
    found = _secrets.without(result, _secrets.within({"password": 12345678, "token": HIDDEN}))
    assert found == {"a": "********", "b": ["{{ x }} ********", True, 1.5, None], "c": 9123456780}


def test_the_password_of_a_url_ends_at_its_last_at_sign() -> None:
    row = {"url": f"redis://user:p@{HIDDEN}@h:6379"}
    assert _secrets.without(row, _secrets.within(row)) == {"url": "redis://user:********@h:6379"}
