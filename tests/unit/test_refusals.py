# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which failures of a task keep the later tasks of a run from sending one more refused signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible import constants

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _refusals

REFUSED = {"error_kind": "auth_failed", "http_status": 401, "error_code": "APIGW.0301"}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"error_code": None}, True),
        ({"error_code": "401"}, True),
        ({"error_code": "EPS.0003"}, False),  # a policy
        ({"error_kind": "denied"}, False),
        ({"http_status": 404}, False),  # no such agency, yet
        ({"http_status": 403}, False),  # no agency is attached to the server, yet
        ({"http_status": None}, False),
    ],
)
def test_only_refused_keys_are_remembered(
    changes: dict[str, Any], counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that is repeated until an agency exists must send its request each time."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    _refusals.note(lambda: "caller", {**REFUSED, **changes})
    assert bool(_refusals.known(lambda: "caller")) is counts
    assert _refusals.known(lambda: "another caller") is None
