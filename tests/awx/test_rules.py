# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Surveys: each type of questions without an answer, blank and full, and what AWX refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import invoke
from tests.awx import jobs, rules
from tests.cloud import Simulator

Row = dict[str, Any]
ABSENT = object()


def question(kind: str, **more: Any) -> Row:
    choices = {"choices": ["a", "b"]} if kind in rules.CHOICES else {}
    return {
        "type": kind,
        "question_name": "Q",
        "variable": "v",
        "required": False,
        "default": "",
        **choices,
        **more,
    }


@pytest.mark.parametrize(
    ("kind", "absent", "blank", "full"),
    [
        ("text", "", "", "x"),
        ("textarea", "", "", "x\ny"),
        ("password", "", "", "x"),
        ("integer", ABSENT, None, 5),
        ("float", ABSENT, None, 5.5),
        ("multiplechoice", ABSENT, None, "a"),
        ("multiselect", ABSENT, [], ["a", "b"]),
    ],
)
def test_each_type_of_questions(kind: str, absent: Any, blank: Any, full: Any) -> None:
    """AWX takes a blank text as an answer. A number or a choice cannot be blank, but may be left out."""
    spec = [question(kind)]
    assert list(rules.survey({"name": "", "description": "", "spec": spec})) == []
    assert rules.variables(spec, {}).get("v", ABSENT) is absent
    assert bool(list(rules.answers(spec, {"v": blank}))) == (blank is None)
    assert list(rules.answers(spec, {"v": full})) == []
    assert rules.variables(spec, {"v": full, "unknown": 1}) == {"v": full}
    assert list(rules.answers(spec, {"v": {"of": "another type"}})) != []


def test_required_takes_a_blank_text_unless_it_has_a_least_length() -> None:
    assert list(rules.answers([question("text", required=True)], {"v": ""})) == []
    assert list(rules.answers([question("text", required=True, min=1)], {"v": ""})) != []
    assert list(rules.answers([question("integer", required=True)], {"v": "5"})) != []
    assert list(rules.answers([question("integer", min=1, max=3)], {"v": 4})) != []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": "number"}, "not a type"),
        ({"default": None}, "default must be"),
        ({"type": "integer", "default": "5"}, "default must be"),
        ({"type": "multiplechoice", "choices": [], "default": ""}, "choices are required"),
        ({"type": "multiplechoice", "choices": ["a"], "default": "b"}, "one of the choices"),
        ({"min": "1"}, "must be an integer"),
    ],
)
def test_a_broken_survey_is_refused(change: Row, why: str) -> None:
    spec = [{**question("text"), **change}]
    assert any(why in problem for problem in rules.survey({"name": "", "description": "", "spec": spec}))


def test_two_questions_with_one_variable_and_an_empty_survey() -> None:
    twice = {"name": "", "description": "", "spec": [question("text"), question("text")]}
    assert any("duplicated" in problem for problem in rules.survey(twice))
    assert len(list(rules.survey({"spec": []}))) == 3


@pytest.mark.parametrize(
    ("kind", "value", "ends"),
    [
        ("text", "", "planned"),
        ("textarea", "", "planned"),
        ("password", "", "planned"),
        ("text", "26h", "planned"),
        ("integer", 93600, "planned"),
        ("float", 93600.0, "planned"),
        ("multiplechoice", "26h", "planned"),
        ("multiselect", ["26h"], "refused"),
        ("text", "{{ 26 }}h", "refused"),
    ],
)
@pytest.mark.slow
def test_the_role_takes_every_type(kind: str, value: Any, ends: str, tmp_path: Path) -> None:
    """A team may ask for restore_max_gap with any type of question; AWX marks the answer as unsafe."""
    variables = {"restore_instances": "orders-cache", "restore_point": "latest", "restore_max_gap": value}
    answers = tmp_path / "answers.yml"
    answers.write_text(yaml.dump(jobs.unsafe(variables), Dumper=jobs.Dumper), encoding="utf-8")
    assert list(rules.answers([question(kind, variable="restore_max_gap", choices=["26h"])], variables)) == []
    with Simulator("demo") as sim:
        done = invoke.playbook("huaweicloud.recovery.plan", sim.env, "-e", f"@{answers}")
    assert done.rc == {"planned": 0, "refused": 2}[ends], done.output
    assert ("restore_max_gap" in done.output) == (ends == "refused")
