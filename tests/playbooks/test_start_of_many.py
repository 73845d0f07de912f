# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many restores in one task, which runs twice, twice at once, or is killed midway: each starts once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

CACHES, DATABASES = 20, 2
MANY, FEW = 40, 14  # of which some are still to come when 16 are under way, or one
TASK = {
    "name": "start",
    "huaweicloud.recovery.restore_start": {"restores": "{{ restores }}", "http_timeout": 5},
}
PLAYBOOK = json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [TASK]}], indent=1)
ENDS: dict[str, Callable[[int], None]] = {
    "Ctrl-C": lambda pid: os.killpg(pid, signal.SIGINT),
    "TERM": lambda pid: os.kill(pid, signal.SIGTERM),
    "KILL": lambda pid: os.kill(pid, signal.SIGKILL),
    "KILL to the group": lambda pid: os.killpg(pid, signal.SIGKILL),
}


def variables(in_process: bool = True, caches: int = CACHES, databases: int = DATABASES) -> list[str]:
    restores = [
        {"service": "dcs", "instance_id": ids.fleet_dcs_instance(number), "restore_point": "latest"}
        for number in range(caches)
    ]
    restores += [
        {
            "service": "ddm",
            "instance_id": ids.fleet_ddm_source(number),
            "target_instance_id": ids.fleet_ddm_target(number),
            "restore_time": "latest",
        }
        for number in range(databases)
    ]
    given = {
        "restores": restores,
        "huaweicloud_recovery_in_process": in_process,
        "ansible_python_interpreter": sys.executable,
    }
    return ["-e", json.dumps(given)]


def per_instance(sim: Simulator) -> dict[str, int]:
    """How many restores each cache has had."""
    return dict(Counter(record.instance_id for record in sim.state.dcs_restores.values()))


def once(caches: int) -> dict[str, int]:
    return {ids.fleet_dcs_instance(number): 1 for number in range(caches)}


def rows(done: invoke.Completed) -> list[dict[str, Any]]:
    return list(done.of("start")[-1]["restores"])


def test_two_at_once_and_once_more() -> None:
    """Both observe before either sends. The cloud lets one in, and the other finds its restore.

    A job has no marker, so nobody can tell whose it is.
    """
    with Simulator(f"fleet-{CACHES}-{DATABASES}", restore_seconds=600) as sim:
        sim.fault("delay", "dcs.restore", times=None, seconds=0.3)
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(lambda dummy: invoke.playbook(PLAYBOOK, sim.env, *variables()), range(2)))
        again = invoke.playbook(PLAYBOOK, sim.env, *variables())
        assert per_instance(sim) == once(CACHES) and sim.started("ddm.recovery") == DATABASES
        assert sim.errors == []
    found = [rows(done)[:CACHES] for done in (*runs, again)]
    assert len({tuple(row["restore_id"] for row in one) for one in found}) == 1
    assert {row["outcome"] for one in found for row in one} == {"started"}
    jobs = [{row["job_id"] for row in rows(done)[CACHES:] if row["outcome"]} for done in runs]
    assert len(set().union(*jobs)) == DATABASES
    assert {row["error_kind"] for row in rows(again)[CACHES:]} == {"busy"} and again.rc == 2


@pytest.mark.parametrize(
    "in_process", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["in process", "as modules"]
)
def test_a_relaunch_after_it_was_killed_in_the_middle(in_process: bool, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        wrong = [
            found
            for found in pool.map(lambda how: killed(how, in_process, tmp_path / how.replace(" ", "-")), ENDS)
            if found
        ]
    assert wrong == []


def killed(how: str, in_process: bool, home: Path) -> str | None:
    """End ansible-playbook midway and launch it again.

    By then some restores are started, some responses are awaited, and some restores are yet to come.
    """
    home.mkdir()
    (home / "playbook.yml").write_text(PLAYBOOK, encoding="utf-8")
    caches = MANY if in_process else FEW
    given = variables(in_process, caches, 0)
    command = [
        sys.executable,
        str(Path(sys.executable).with_name("ansible-playbook")),
        str(home / "playbook.yml"),
        *given,
    ]
    with Simulator(f"fleet-{caches}", restore_seconds=600) as sim:
        sim.fault("delay", "dcs.restore", times=None, after=6, seconds=2.0)
        process = subprocess.Popen(
            command,
            env={**invoke.environment(str(home)), **sim.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 120
            while len(sim.posts()) < 8 and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.02)
            before = len(sim.posts())
            ENDS[how](process.pid)
            process.wait(30)
        finally:
            process.kill()
            process.wait()
        deadline = time.monotonic() + 30
        while (
            left := subprocess.run(["pgrep", "-s", str(process.pid)], capture_output=True, check=False).stdout
        ) and time.monotonic() < deadline:
            time.sleep(0.1)
        if left:
            return f"{how}: processes are left: {left.decode().split()}"
        sim.clear_faults()
        done = invoke.playbook(PLAYBOOK, sim.env, *given)
        time.sleep(3)  # a module that outlived ansible-playbook may still send
        good = (
            done.rc == 0
            and per_instance(sim) == once(caches)
            and {row["outcome"] for row in rows(done)} == {"started"}
            and 8 <= before < caches
        )
        return (
            None
            if good and not sim.errors
            else f"{how}: {before} POSTs, then {len(sim.posts())}; {per_instance(sim)}; {done.output[-2000:]}"
        )


@pytest.mark.parametrize("in_process", ["true", "false"])
def test_a_row_for_another_project_than_that_of_the_keys_fails(in_process: str) -> None:
    row = f"service: dcs, instance_id: {ids.DCS_INSTANCE}, backup_id: {ids.DCS_BACKUP}"
    play = f"""
- hosts: localhost
  gather_facts: false
  vars:
    huaweicloud_recovery_in_process: {in_process}
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
  tasks:
    - huaweicloud.recovery.restore_start:
        restores: [{{{row}, project_id: {ids.PROJECT_ID}}}]
        allowed_project_ids: []
      ignore_errors: true
    - huaweicloud.recovery.restore_start:
        restores: [{{{row}, project_id: {ids.OTHER_PROJECT_ID}}}]
"""
    with Simulator(restore_seconds=1) as sim:
        done = invoke.playbook(play, sim.env)
        assert (done.rc, sim.posts()) == (2, [])
    empty, result = (done.results[number]["result"] for number in (0, 1))
    assert empty["error_kind"] == "invalid_argument" and "allowed_project_ids" in empty["msg"]
    assert result["error_kind"] == "denied" and "allowed_project_ids" not in result["msg"]
    assert f"belongs to project '{ids.OTHER_PROJECT_ID}'" in result["msg"]
