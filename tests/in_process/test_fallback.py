# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module runs where the action cannot do the same, without a message."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.cloud import Simulator
from tests.in_process import runs

PLAY = runs.HERE / "plays" / "fallback.yml"
THROUGH_THE_MODULE = {  # and the reason, shown from verbosity 3 on
    "Polled": "async",
    "In the background": "async",
    "As somebody else": "become",
    "Over another connection": "the connection is not ansible.builtin.local",
    "Delegated over another connection": "the connection is not ansible.builtin.local",
    "With another Python": "ansible_python_interpreter is another Python",
    "Delegated to where Python is another": "ansible_python_interpreter is another Python",
    "Switched off": "huaweicloud_recovery_in_process is off",
}


def packages(python: Path) -> Path:
    command = [str(python), "-c", "import requests; print(requests.__path__[0])"]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()).parent


def environment(folder: Path, of: Path, without: str = "") -> Path:
    """Copy a virtual environment without the packages whose names begin with `without`; return its Python."""
    base = subprocess.run(
        [str(of / "bin" / "python"), "-c", "import sys; print(sys._base_executable)"],
        check=True,
        capture_output=True,
        text=True,
    )
    subprocess.run([base.stdout.strip(), "-m", "venv", "--without-pip", str(folder)], check=True)
    source = packages(of / "bin" / "python")
    target = folder / "lib" / source.parent.name / "site-packages"
    for path in source.iterdir():
        if not (without and path.name.startswith(without)):
            (target / path.name).symlink_to(path)
    return folder / "bin" / "python"


def test_the_module_does_what_the_action_cannot(sim: Simulator, tmp_path: Path) -> None:
    other = environment(tmp_path / "other", runs.VENV)
    far = f"far ansible_connection=elsewhere ansible_python_interpreter={runs.VENV}/bin/python\n"
    near = f"near ansible_connection=local ansible_python_interpreter={other}\n"
    (tmp_path / "hosts.ini").write_text(far + near, encoding="utf-8")
    done = runs.play(
        PLAY, tmp_path, sim, "-vvv", "-i", str(tmp_path / "hosts.ini"), variables={"other_python": str(other)}
    )
    assert done.rc == 0, done.output
    assert done.modules == list(THROUGH_THE_MODULE)
    ways = re.findall("huaweicloud.recovery: run (.*)", done.stdout)
    assert ways == [*(f"as a module: {why}" for why in THROUGH_THE_MODULE.values()), *["in this process"] * 5]
    registered = {
        name: dict(runs.flat(result))
        for name, result in done.registered["localhost"].items()
        if name != "background"
    }
    assert len(registered) == len(THROUGH_THE_MODULE) + 5
    plain = registered.pop("plain")
    assert plain[".instances[0].name"] == "orders-cache"
    assert {
        name: plain.items() - result.items()
        for name, result in registered.items()
        if not plain.items() <= result.items()
    } == {}
    assert "WARNING" not in done.output


def test_requests_is_missing_on_the_controller(sim: Simulator, tmp_path: Path) -> None:
    controller = environment(tmp_path / "bare", runs.VENV, without="requests")
    assert subprocess.run([str(controller), "-c", "import ansible"], check=False).returncode == 0
    assert (
        subprocess.run(
            [str(controller), "-c", "import requests"], check=False, capture_output=True
        ).returncode
        == 1
    )
    content = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: With a Python that has it
      huaweicloud.recovery.dcs_instance_info:
      vars:
        ansible_python_interpreter: "{{ whole }}"
      register: found
    - name: With one that has not
      huaweicloud.recovery.dcs_instance_info:
      register: missing
      ignore_errors: true
"""
    (tmp_path / "play.yml").write_text(content, encoding="utf-8")
    command = [
        str(controller),
        "-m",
        "ansible",
        "playbook",
        str(tmp_path / "play.yml"),
        "-e",
        f"whole={runs.VENV}/bin/python",
    ]
    done = runs.run(command, tmp_path, sim)
    assert done.rc == 0, done.output
    assert done.modules == ["With a Python that has it", "With one that has not"]
    assert done.of("found")["instances"]
    assert done.of("missing")["error_kind"] == "missing_library"


def test_an_ansible_core_that_is_not_known(sim: Simulator, tmp_path: Path) -> None:
    """An unexpected parser is found before anything is started, not after."""
    done = runs.play(
        runs.HERE / "plays" / "wait.yml", tmp_path, sim, env={**sim.env, "WITNESS_UNKNOWN_CORE": "1"}
    )
    assert done.rc == 0, done.output
    assert done.modules == ["A restore"]
    assert done.posts == ["dcs.restore"]
    assert done.of("restored")["outcome"] == "succeeded"
    assert done.progress == []
