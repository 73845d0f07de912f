# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything in Ansible that runs a task again, each against an instance of its own: one restore, whatever repeats.

One playbook holds all of them, and is launched twice; once in each way that a task can run in.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import door
from tests.simulator import Simulator
from tests.simulator import scenario as ids

FIVE = "h1,h2,h3,h4,h5"
DDM = "recovery, then rescue by job_id"
RESTORE_SECONDS = 0.8  # a task waits for 2 s then: it looks once a second, and twice at the end
IN_PROCESS = pytest.mark.parametrize("in_process", [True, False], ids=["in process", "as a module"])
CASES = ("retries", "until", "rescue after a timeout", "async expires", "async until", "loop", "run_once with free", "run_once with serial", "every host")


def restore(case: str, wait: bool = True, wait_timeout: int = 60, **keywords: object) -> dict[str, object]:
    """The task of a case, for an instance of its own."""
    number = CASES.index(case)
    options = {"instance_id": ids.fleet_dcs_instance(number), "backup_id": ids.fleet_dcs_backup(number), "poll_interval": 1}
    return {"name": case, "huaweicloud.recovery.dcs_restore": {**options, "wait": wait, "wait_timeout": wait_timeout}, **keywords}


def play(hosts: str, *tasks: dict[str, object], **keywords: object) -> dict[str, object]:
    return {"hosts": hosts, "gather_facts": False, "tasks": tasks, **keywords}


UNCHANGED = {"register": "found", "until": "found.outcome | default('') == 'unchanged'", "retries": 20, "delay": 1}
# each on a host of its own, side by side: they mostly wait
ALONE: dict[str, dict[str, object]] = {
    "retries": restore("retries", wait_timeout=0, retries=9, delay=1),
    "until": restore("until", wait=False, **UNCHANGED),
    "timeout": {"block": [restore("rescue after a timeout", timeout=1)], "rescue": [restore("rescue after a timeout")]},
    "expires": {"block": [restore("async expires", **{"async": 1, "poll": 1})], "rescue": [restore("async expires")]},
    "polls": restore("async until", wait=False, **UNCHANGED, **{"async": 30, "poll": 1}),
    "loop": restore("loop", loop=[1, 2, 3]),
}
PLAYBOOK = [
    play(",".join(ALONE), {"ansible.builtin.include_tasks": "{{ inventory_hostname }}.yml"}, strategy="free"),
    play("h1,h2,h3", restore("run_once with free", run_once=True), strategy="free"),
    play("h1,h2,h3", restore("run_once with serial", run_once=True), serial=1),
    play(FIVE, restore("every host", delegate_to="localhost")),
]
OTHERS = f"""
- hosts: h1
  gather_facts: false
  tasks:
    - block:
        - name: {DDM}
          huaweicloud.recovery.ddm_recovery: &recovery
            instance_id: {ids.DDM_SOURCE}
            target_instance_id: {ids.DDM_TARGET}
            restore_time: latest
            wait_timeout: 1
            poll_interval: 1
          retries: 2
          delay: 0
      rescue:
        - name: {DDM}
          huaweicloud.recovery.ddm_recovery:
            job_id: "{{{{ ansible_failed_result.job_id }}}}"
            poll_interval: 1

- hosts: all
  gather_facts: false
  tasks:
    - name: backup
      huaweicloud.recovery.dcs_backup:
        instance_id: {ids.DCS_INSTANCE}
        operation_id: CHG-1
        poll_interval: 1
"""


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(f"fleet-{len(CASES)}", restore_seconds=RESTORE_SECONDS) as simulator:
        yield simulator
        assert simulator.errors == []


def launch(content: str, sim: Simulator, in_process: bool, *args: str) -> door.Completed:
    with tempfile.TemporaryDirectory() as jobs:
        ways = ("-e", f"huaweicloud_recovery_in_process={in_process}", "-e", f"ansible_async_dir={jobs}")
        done = door.playbook(content, sim.env, *HOSTS, *PYTHON, *ways, *args)
    assert done.rc == 0, done.output
    return done


def starts(sim: Simulator) -> list[int]:
    """How many POSTs each instance has received."""
    return [sum(f"/{ids.fleet_dcs_instance(number)}/" in post.path for post in sim.posts("dcs.restore")) for number in range(len(CASES))]


@IN_PROCESS
def test_one_restore_whatever_ansible_repeats(sim: Simulator, in_process: bool) -> None:
    first = launch(PLAYBOOK, sim, in_process)
    # two that meet send two requests; the cloud lets one in, and the other finds it
    alone = [number for number, case in enumerate(CASES) if case not in ("run_once with free", "every host")]
    assert [starts(sim)[number] for number in alone] == [1] * len(alone), dict(zip(CASES, starts(sim), strict=True))
    assert sim.started("dcs.restore") == len(CASES)
    attempts = {case: [result for result in first.of(case) if not {"results", "skip_reason"} & set(result)] for case in CASES}
    assert {case: results[-1].get("outcome") in ("succeeded", "unchanged") for case, results in attempts.items() if case != "loop"} == {
        case: True for case in CASES if case != "loop"
    }
    assert len(attempts["every host"]) == 5
    assert len(attempts["run_once with serial"]) == 3
    again = launch(PLAYBOOK, sim, in_process)
    assert sim.started("dcs.restore") == len(CASES)
    outcomes = {result["outcome"] for case in CASES for result in again.of(case) if "outcome" in result}
    assert outcomes == {"unchanged"}, outcomes


@IN_PROCESS
def test_one_recovery_and_one_backup_whatever_ansible_repeats(in_process: bool) -> None:
    with Simulator(restore_seconds=RESTORE_SECONDS, backup_seconds=1) as sim:
        launch(OTHERS, sim, in_process, "--check")
        assert sim.posts() == []
        first = launch(OTHERS, sim, in_process)
        assert len(sim.posts("ddm.recovery")) == sim.started("ddm.recovery") == sim.started("dcs.backup") == 1
        assert first.of(DDM)[-1]["outcome"] in ("succeeded", "unchanged")  # it may end while the job is looked for
        again = launch(OTHERS, sim, in_process)  # the target is taken now, and the message names the job that took it
        assert len(sim.posts("ddm.recovery")) == sim.started("ddm.recovery") == sim.started("dcs.backup") == 1
        assert again.of(DDM)[-1]["outcome"] == "unchanged"
        assert {result["outcome"] for result in again.of("backup")} == {"unchanged"}
        assert sim.errors == []


ONE = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - name: restore
      huaweicloud.recovery.dcs_restore:
        instance_id: {ids.DCS_INSTANCE}
        backup_id: {ids.DCS_BACKUP}
        poll_interval: 1
        wait_timeout: 20
        http_timeout: 2
"""
ENDS: dict[str, Callable[[int], None]] = {
    "Ctrl-C": lambda pid: os.killpg(pid, signal.SIGINT),
    "TERM": lambda pid: os.kill(pid, signal.SIGTERM),
    "HUP": lambda pid: os.kill(pid, signal.SIGHUP),
    "KILL": lambda pid: os.kill(pid, signal.SIGKILL),
}


def test_a_relaunch_after_ansible_playbook_was_killed(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        cases = [(how, in_process) for how, in_process in zip(ENDS, (True, False, True, False), strict=True)]
        wrong = [found for found in pool.map(lambda case: killed(*case, tmp_path / case[0]), cases) if found]
    assert wrong == []


def killed(how: str, in_process: bool, home: Path) -> str | None:
    """End ansible-playbook while the answer to the POST is awaited, and launch the same again. The module may outlive it."""
    home.mkdir()
    (home / "playbook.yml").write_text(ONE, encoding="utf-8")
    ways = ("-e", f"huaweicloud_recovery_in_process={in_process}", "-e", f"ansible_python_interpreter={sys.executable}")
    command = [sys.executable, str(Path(sys.executable).with_name("ansible-playbook")), str(home / "playbook.yml"), *ways]
    with Simulator(restore_seconds=1) as sim:
        fault = sim.fault("hang", "dcs.restore", seconds=3)
        environment = {**door.environment(str(home)), **sim.env}
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 60
            while not fault.used and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.02)
            if not fault.used:
                return f"{how}: the POST was never sent"
            ENDS[how](process.pid)
            process.wait(30)
        finally:
            process.kill()
            process.wait()
        done = door.playbook(ONE, sim.env, *ways)
        result = done.of("restore")[-1]
        if done.rc or sim.started("dcs.restore") != 1 or len(sim.posts("dcs.restore")) != 1 or result["outcome"] not in ("succeeded", "unchanged"):
            return f"{how}: {len(sim.posts('dcs.restore'))} POSTs, {sim.started('dcs.restore')} restores, {result}"
        time.sleep(2)  # what outlived ansible-playbook looks for its restore now
        return f"{how}: {len(sim.posts('dcs.restore'))} POSTs afterwards" if len(sim.posts("dcs.restore")) != 1 else None
