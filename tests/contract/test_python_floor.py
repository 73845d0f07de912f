# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On a Python that is too old, a module says in one sentence what to set, instead of a traceback."""

from __future__ import annotations

import json
import shutil

import pytest
from ansible.release import __version__ as core

from tests import invoke
from tests.cases import GOOD

OLD = shutil.which("python3.8")
MODULES = [name for name in invoke.NAMES if name not in invoke.ACTIONS]
OPTIONS = {"region": "eu-west-101"}
SOME = ["dcs_instance_info", "ddm_recovery"]


@pytest.mark.skipif(OLD is None, reason="there is no python3.8 on PATH")
@pytest.mark.skipif(
    tuple(map(int, core.split(".")[:2])) > (2, 19),
    reason="ansible-core 2.20 and later refuse Python 3.8 themselves",
)
@pytest.mark.parametrize(
    "modules", [SOME, pytest.param(MODULES, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_a_module_on_python_3_8_names_the_interpreter_and_the_variable_to_set(modules: list[str]) -> None:
    calls = [
        {"name": name, f"huaweicloud.recovery.{name}": {**GOOD[name], **OPTIONS}, "ignore_errors": True}
        for name in modules
    ]
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": calls}]
    done = invoke.playbook(json.dumps(play, indent=1), {}, "-e", f"ansible_python_interpreter={OLD}")
    assert {entry["status"] for entry in done.results} == {"ignored"}
    for name in modules:
        [result] = done.of(name)
        assert (result["error_kind"], result["changed"]) == ("unsupported_python", False), name
        assert result["msg"].startswith("This module needs Python 3.9 or later, and /"), name
        assert "is Python 3.8." in result["msg"], name
        assert result["msg"].endswith(
            ": set ansible_python_interpreter of this host to a newer Python; no request was sent."
        ), name
    assert "Traceback" not in done.output
