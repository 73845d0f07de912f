# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever in Ansible runs a task again, there is one restore. Each case has an instance of its own.

One playbook holds all cases and is launched twice, once in each way that a task can run in.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

RESTORE_SECONDS = 0.8  # A task then waits for 2 s: it checks once a second, and twice at the end.
ON_ONE_HOST = ("retries", "until", "rescue after a timeout", "async expires", "async until", "loop")
ON_MANY = ("run_once with free", "run_once with serial", "every host", "run_once with host_pinned")
CASES = ON_ONE_HOST + ON_MANY
# When two meet, both have observed before either of them sends: both send, the cloud lets one in, and the
# other finds it. A timeout of one second is over before a module on a busy machine has sent anything.
# Ansible leaves that module behind, so the rescue meets it, too. A request that is under way already is not
# sent again; the timeouts in test_what_is_under_way_is_not_sent_again are long enough to tell.
MEETING = (
    "rescue after a timeout",
    "async expires",
    "run_once with free",
    "every host",
    "run_once with host_pinned",
)
Task = dict[str, Any]
# As a module it is the same code in a process of its own, and takes three times as long.
BOTH_WAYS = pytest.mark.parametrize(
    "in_process", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["in process", "as a module"]
)


def restore(case: str, options: Task | None = None, **keywords: Any) -> Task:
    """The task of a case, for an instance of its own."""
    number = CASES.index(case)
    module = {
        "instance_id": ids.fleet_dcs_instance(number),
        "backup_id": ids.fleet_dcs_backup(number),
        "poll_interval": 1,
        **(options or {}),
    }
    return {"name": case, "huaweicloud.recovery.dcs_restore": module, **keywords}


def recovery(**options: Any) -> Task:
    return {"name": "recovery", "huaweicloud.recovery.ddm_recovery": {"poll_interval": 1, **options}}


def play(hosts: Iterable[str], *tasks: Task, **keywords: Any) -> Task:
    return {"hosts": ",".join(hosts), "gather_facts": False, "tasks": tasks, **keywords}


FIVE = ("h1", "h2", "h3", "h4", "h5")
START = {"wait": False}
UNCHANGED = {"register": "found", "until": "found.outcome | default('') == 'unchanged'", "delay": 1}
PAIR = {"instance_id": ids.fleet_ddm_source(0), "target_instance_id": ids.fleet_ddm_target(0)}
BACKUP = {"instance_id": ids.fleet_dcs_instance(len(CASES)), "operation_id": "CHG-1", "poll_interval": 1}
# each on a host of its own, or on three, side by side: they mostly wait
ALONE: dict[str, Task] = {
    "retries": restore("retries", {"wait_timeout": 0}, retries=9, delay=1),
    "until": restore("until", START, **UNCHANGED),  # three retries, unless they are given
    "timeout": {
        "block": [restore("rescue after a timeout", timeout=1)],
        "rescue": [restore("rescue after a timeout")],
    },
    "expires": {
        "block": [{**restore("async expires"), "async": 1, "poll": 1}],
        "rescue": [restore("async expires")],
    },
    "polls": {**restore("async until", START, **UNCHANGED), "retries": 20, "async": 30, "poll": 1},
    "loop": restore("loop", loop=[1, 2, 3]),
    "recovery": {
        "block": [{**recovery(**PAIR, restore_time="latest", wait_timeout=0), "retries": 2, "delay": 0}],
        "rescue": [recovery(job_id="{{ ansible_failed_result.job_id }}")],
    },
    **{f"free{number}": restore("run_once with free", run_once=True) for number in range(3)},
    **{
        f"backup{number}": {"name": "backup", "huaweicloud.recovery.dcs_backup": BACKUP}
        for number in range(3)
    },
}
PLAYBOOK = [
    play(ALONE, {"ansible.builtin.include_tasks": "{{ inventory_hostname }}.yml"}, strategy="free"),
    play(FIVE[:3], restore("run_once with serial", run_once=True), serial=1),
    play(FIVE[:3], restore("run_once with host_pinned", run_once=True), strategy="host_pinned"),
    play(FIVE, restore("every host", delegate_to="localhost")),
]


def launch(sim: Simulator, in_process: bool, *args: str) -> invoke.Completed:
    with tempfile.TemporaryDirectory() as folder:
        for host, task in ALONE.items():
            Path(folder, f"{host}.yml").write_text(json.dumps([task]), encoding="utf-8")
        Path(folder, "playbook.yml").write_text(json.dumps(PLAYBOOK), encoding="utf-8")
        inventory = (
            "-i",
            ",".join([*FIVE, *ALONE]),
            "-e",
            "ansible_connection=local",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            "--forks",
            "13",
        )
        ways = (
            "-e",
            f"huaweicloud_recovery_in_process={in_process}",
            "-e",
            f"ansible_async_dir={folder}/jobs",
        )
        done = invoke.playbook(Path(folder, "playbook.yml"), sim.env, *inventory, *ways, *args)
    assert done.rc == 0, done.output
    return done


@BOTH_WAYS
def test_one_start_whatever_ansible_repeats(in_process: bool) -> None:
    with Simulator(
        f"fleet-{len(CASES) + 1}-1", restore_seconds=RESTORE_SECONDS, backup_seconds=RESTORE_SECONDS
    ) as sim:
        launch(sim, in_process, "--check", "--limit", "recovery,backup0,h1")
        assert sim.posts() == []
        first = launch(sim, in_process)
        posts = [
            sum(f"/{ids.fleet_dcs_instance(number)}/" in post.path for post in sim.posts("dcs.restore"))
            for number in range(len(CASES))
        ]
        assert {
            case: count
            for case, count in zip(CASES, posts, strict=True)
            if count != 1 and case not in MEETING
        } == {}
        started = {"dcs.restore": len(CASES), "dcs.backup": 1, "ddm.recovery": 1}
        assert {name: sim.started(name) for name in started} == started
        attempts = {
            case: [result for result in first.of(case) if "results" not in result]
            for case in (*CASES, "backup", "recovery")
        }
        assert {results[-1]["outcome"] for case, results in attempts.items() if case != "loop"} <= {
            "succeeded",
            "unchanged",
        }
        assert [len(attempts[case]) for case in (*ON_MANY, "backup")] == [3, 3, 5, 3, 3]
        # The target of the recovery is taken now, and the message names the job that took it
        again = launch(sim, True)
        assert {name: sim.started(name) for name in started} == started
        assert len(sim.posts("ddm.recovery")) == 1
        assert {again.of(case)[-1].get("outcome", "unchanged") for case in attempts} == {"unchanged"}
        assert sim.errors == []


ONE = f"""
- hosts: localhost
  gather_facts: false
  gather_subset: ["!all", "!min"]  # --start-at-task gathers anyway, and the environment is a fact
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
    "KILL to the group": lambda pid: os.killpg(pid, signal.SIGKILL),  # ansible-runner's cancel
}
# How operators repeat a run. A job controller's relaunch is the same command.
AGAIN = {"Ctrl-C": ("--start-at-task", "restore"), "TERM": ("--limit", "localhost")}


@BOTH_WAYS
def test_a_relaunch_after_ansible_playbook_was_killed(in_process: bool, tmp_path: Path) -> None:
    with ThreadPoolExecutor(len(ENDS)) as pool:
        wrong = [
            found
            for found in pool.map(lambda how: killed(how, in_process, tmp_path / how.replace(" ", "-")), ENDS)
            if found
        ]
    assert wrong == []


def killed(how: str, in_process: bool, home: Path) -> str | None:
    """End ansible-playbook during the POST and launch it again. The module may outlive it."""
    home.mkdir()
    (home / "playbook.yml").write_text(ONE, encoding="utf-8")
    ways = (
        "-e",
        f"huaweicloud_recovery_in_process={in_process}",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    )
    command = [
        sys.executable,
        str(Path(sys.executable).with_name("ansible-playbook")),
        str(home / "playbook.yml"),
        *ways,
    ]
    with Simulator(restore_seconds=1) as sim:
        fault = sim.fault("hang", "dcs.restore", seconds=3)
        environment = {**invoke.environment(str(home)), **invoke.COMPILED, **sim.env}
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
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
        done = invoke.playbook(ONE, sim.env, *ways, *AGAIN.get(how, ()))
        result = done.of("restore")[-1]
        if (
            done.rc
            or sim.started("dcs.restore") != 1
            or len(sim.posts("dcs.restore")) != 1
            or result["outcome"] not in ("succeeded", "unchanged")
        ):
            counts = f"{len(sim.posts('dcs.restore'))} POSTs, {sim.started('dcs.restore')} restores"
            return f"{how}: {counts}, {result}"
        time.sleep(2)  # A module that outlived ansible-playbook now looks for its restore.
        return (
            f"{how}: {len(sim.posts('dcs.restore'))} POSTs afterwards"
            if len(sim.posts("dcs.restore")) != 1
            else None
        )


def test_step_by_step(tmp_path: Path) -> None:
    """With --step, Ansible asks in the terminal before each task."""
    (tmp_path / "playbook.yml").write_text(ONE, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "--step", f"{tmp_path}/playbook.yml"]
    with Simulator(restore_seconds=0.5) as sim:
        environment = {**os.environ, **invoke.environment(str(tmp_path)), **sim.env}
        for answer, posts, said in (("n", 0, "PLAY RECAP"), ("y", 1, "changed=1"), ("y", 1, "changed=0")):
            terminal = pexpect.spawn(
                sys.executable, command, env=environment, timeout=60, encoding="utf-8", use_poll=True
            )
            terminal.expect_exact("(c)ontinue")
            terminal.sendline(answer)
            terminal.expect_exact(said)
            terminal.expect(pexpect.EOF)
            terminal.close()
            assert (terminal.exitstatus, len(sim.posts("dcs.restore"))) == (0, posts)


def under_way(**keywords: Any) -> str:
    """The task of ONE that ends while it awaits its response, and then the same task again."""
    (one,) = yaml.safe_load(ONE)
    (task,) = one["tasks"]
    return yaml.safe_dump([{**one, "tasks": [{"block": [{**task, **keywords}], "rescue": [task]}]}])


def meeting(sim: Simulator) -> list[invoke.Completed]:
    """Two jobs of a job controller, started at the same time."""
    with ThreadPoolExecutor(2) as pool:
        return list(
            pool.map(
                lambda number: invoke.playbook(
                    ONE, sim.env, "-e", f"huaweicloud_recovery_in_process={number}"
                ),
                (0, 1),
            )
        )


PLUGINS = {"ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).parent / "plugins" / "connection")}
HERE: tuple[str, ...] = ("-e", f"ansible_python_interpreter={sys.executable}")
MODULE = (*HERE, "-e", "huaweicloud_recovery_in_process=False")
# (how the response to the POST comes, the POSTs that may arrive, what is launched). A task that has sent
# its POST ends while it awaits the response: one POST. The others meet before they have sent.
REPEATS: dict[str, tuple[dict[str, Any], int, Callable[[Simulator], list[invoke.Completed]]]] = {
    "rescue after a timeout": (
        {"seconds": 12},
        1,
        lambda sim: [invoke.playbook(under_way(timeout=6), sim.env, *HERE)],
    ),
    "rescue after a timeout, module": (
        {"seconds": 12},
        1,
        lambda sim: [invoke.playbook(under_way(timeout=8), sim.env, *MODULE)],
    ),
    "async expires": (
        {"seconds": 12},
        1,
        lambda sim: [invoke.playbook(under_way(**{"async": 8, "poll": 1}), sim.env, *HERE)],
    ),
    "two templates": ({"seconds": 1}, 2, meeting),
    "broken pipe": (
        {"seconds": 1},
        2,
        lambda sim: [
            invoke.playbook(ONE, {**sim.env, **PLUGINS}, *HERE, "-e", "ansible_connection=broken_pipe")
        ],
    ),
}


def test_what_is_under_way_is_not_sent_again() -> None:
    with ThreadPoolExecutor(len(REPEATS)) as pool:
        wrong = [found for found in pool.map(repeated, REPEATS) if found]
    assert wrong == []


def repeated(case: str) -> str | None:
    hang, most, launched = REPEATS[case]
    with Simulator(restore_seconds=2) as sim:
        sim.fault("hang", "dcs.restore", **hang)
        runs = launched(sim)
        results = [run.of("restore")[-1] for run in runs]
        posts, started = len(sim.posts("dcs.restore")), sim.started("dcs.restore")
        good = all(run.rc == 0 for run in runs) and {result["outcome"] for result in results} <= {
            "succeeded",
            "unchanged",
        }
        same = len({result["restore_id"] for result in results}) == 1
    return (
        None
        if good and same and started == 1 <= posts <= most
        else f"{case}: {posts} POSTs, {started} restores, {results}"
    )
