# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans and reports among variables: which they are, and that Ansible runs no text in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import (
    evaluated,
    handed_on,
    our_template,
)

ORDER = "{{ 6 * 7 }}"


def document(text: str) -> dict[str, Any]:
    return {"schema_version": 1, "restores": [{"target": {"instance_name": text, text: [text]}}]}


@pytest.mark.parametrize(
    "value",
    [
        document(ORDER),
        {"plan": document(ORDER), "digest": "0"},
        f'{{"schema_version": 1, "name": "{ORDER}"}}',
        f' \n{{ "name": "{ORDER}", "schema_version": 1}}',
    ],
)
def test_no_text_of_a_plan_or_a_report_is_a_template(value: Any) -> None:
    found = handed_on({"given": value, "other": ORDER})
    assert found == {"given": value}
    templar = Templar(DataLoader(), variables=found)
    for shown in (found["given"], templar.template(our_template("{{ given }}"))):
        made = templar.template(shown)  # up to ansible-core 2.18 a template makes data of JSON
        assert made == (json.loads(value) if isinstance(value, str) and isinstance(made, dict) else value)


def test_a_name_in_a_plan_is_no_template_either() -> None:
    """A tag or a parameter of an instance is a name here, and a loop over names uses them as text."""
    texts = our_template(ORDER)  # as everything from -e is
    (rows,) = handed_on({"given": {"schema_version": 1, "restores": [{texts: texts}]}}).values()
    templar = Templar(DataLoader(), variables={})
    assert [templar.template(name) for name in rows["restores"][0]] == [ORDER]
    assert str(templar.template(texts)) == "42", "in our own texts it is one"


@pytest.mark.parametrize(
    "value",
    [
        ORDER,
        "reports/schema_version.json",
        "{{ plan.schema_version }}",
        '{% if "schema_version" in plan %}{{ plan }}{% endif %}',
        '{# a "schema_version" #}',
        "{}",
        {"plan": ORDER},
        {"plan": {"a": 1}},
        [document(ORDER)],
        None,
        7,
    ],
)
def test_all_other_variables_stay_templates(value: Any) -> None:
    assert handed_on({"given": value}) == {}


def test_a_vault_within_a_list_is_opened_at_once() -> None:
    """Up to ansible-core 2.18 it is opened only when its text is used, outside of what reports a problem."""

    class Vault:
        __ENCRYPTED__ = True

        def __str__(self) -> str:
            raise AnsibleError("no vault secrets found")

    with pytest.raises(AnsibleError, match="no vault secrets found"):
        evaluated(lambda value: value, [{"instance_id": Vault()}])
