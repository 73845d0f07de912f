# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller is killed in every step of the role, and the same command runs again.

Each restore was started once, and the stack is right in the end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pexpect
import pytest
import yaml

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

STACK: dict[str, Any] = {
    "restore_ddm": [{"source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET}],
    "restore_dcs": [{"instance_id": ids.DCS_INSTANCE}],
    "restore_point": "latest",
    "restore_operation_id": "CHG-1042",
    "restore_poll_interval": 1,
}
PLAYBOOK = "huaweicloud.recovery.restore"
HOOKS = ("before", "verify", "after")
Moment = Callable[[Simulator, Path], bool]


def arrived(operation: str, count: int = 1, after: str | None = None) -> Moment:
    """Whether so many requests of an operation have arrived, counted from the first one of `after`."""

    def reached(sim: Simulator, folder: Path) -> bool:
        first = [entry.number for entry in sim.requests(after)][:1] if after else [-1]
        return bool(first) and sum(entry.number > first[0] for entry in sim.requests(operation)) >= count

    return reached


def hooked(name: str) -> Moment:
    """Whether the tasks of the user have begun."""
    return lambda sim, folder: (folder / f"{name}.begun").exists()


def reported(path: str, *values: Any) -> Moment:
    """Whether every row of the report, or the report itself, has one of these values."""

    def reached(sim: Simulator, folder: Path) -> bool:
        for one in reports(folder):
            found = [one[path]] if path in one else [row[path] for row in one["restores"]]
            return all(value in values for value in found)
        return False

    return reached


class Point(NamedTuple):
    """Where the controller is killed, the request that hangs then, and the verdict that its report keeps."""

    moment: Moment
    hangs: str | None = None
    left: str | None = "running"
    naps: int = 0  # seconds that the tasks of the user take
    backups: int = 1  # how many safety backups there are in the end
    seconds: float = 2  # that a restore or a backup takes


# The second run makes a safety backup of its own: the first one lacks what was written since. With 4 s, the
# first one may still be in progress then.
POINTS = {
    "plan of the database": Point(arrived("ddm.related_dn"), left=None),
    "plan of the cache": Point(arrived("dcs.backups"), left=None),
    "fence, the user's tasks": Point(hooked("before"), left=None, naps=5),
    "safeguard, sent": Point(arrived("dcs.backup"), "dcs.backup", backups=2, seconds=4),
    "safeguard, accepted": Point(arrived("dcs.backup"), backups=2, seconds=4),
    "safeguard, waiting": Point(arrived("dcs.backups", 2, after="dcs.backup"), backups=2, seconds=4),
    "restore of the database, accepted": Point(arrived("ddm.recovery"), backups=2),
    "restore of the database, waiting": Point(arrived("ddm.job", 2), backups=2),
    "restore of the cache, sent": Point(arrived("dcs.restore"), "dcs.restore"),
    "restore of the cache, accepted": Point(arrived("dcs.restore")),
    "restore of the cache, waiting": Point(arrived("dcs.restores", 2, after="dcs.restore")),
    "verify": Point(reported("outcome", "succeeded")),
    "verify, the user's tasks": Point(hooked("verify"), naps=5),
    "release, the user's tasks": Point(hooked("after"), naps=5),
    "report": Point(reported("verdict", "restored", "verified"), left="restored"),
}


def reports(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def variables(folder: Path, seconds: int, **more: Any) -> str:
    """The variables of a run whose hooks take so many seconds each."""
    hooks = {}
    for name in HOOKS:
        path = folder / f"{name}.yml"
        # A lookup runs in the controller, which costs a tenth of the CPU of a module.
        begun = f"{{{{ lookup('ansible.builtin.pipe', 'touch {folder / name}.begun') }}}}"
        touch = {"ansible.builtin.debug": {"msg": begun}}
        tasks = [touch, *([{"ansible.builtin.wait_for": {"timeout": seconds}}] if seconds else [])]
        path.write_text(yaml.safe_dump(tasks), encoding="utf-8")
        hooks[f"restore_{name}_tasks"] = str(path)
    return json.dumps({**STACK, "restore_report_dir": str(folder), **hooks, **more})


def killed(sim: Simulator, folder: Path, point: Point) -> None:
    """Run the playbook, and kill its whole process group at this point."""
    if point.hangs:
        sim.fault("hang", point.hangs, seconds=2)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [invoke._tool("ansible-playbook"), PLAYBOOK, "-e", variables(folder, point.naps)]
        with subprocess.Popen(
            command,
            env={**invoke.environment(home), **invoke.COMPILED, **sim.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            while not point.moment(sim, folder):
                assert process.poll() is None, "it ended before this point"
                time.sleep(0.01)
            time.sleep(0 if point.hangs else 0.2)  # the response is on its way
            os.killpg(process.pid, signal.SIGKILL)


def right(sim: Simulator, backups: int = 1) -> bool:
    """Whether the stack is as requested, each restore was started once, and there are so many safety backups,
    all from before the cache was overwritten.
    """
    sent = [entry.operation for entry in sim.posts()]
    posts = Counter(sent)
    restored = sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == ids.DCS_BACKUP
    once = posts.pop("dcs.backup") == backups and posts == {"ddm.recovery": 1, "dcs.restore": 1}
    once = once and "dcs.backup" not in sent[sent.index("dcs.restore") :]
    return once and restored and bool(sim.state.ddm_instances[ids.DDM_TARGET].restored_to) and not sim.errors


# right after the request has left; the others are slow
FIRST = ("safeguard, sent", "restore of the cache, sent")


@pytest.mark.parametrize(
    "point", [*FIRST, *(pytest.param(one, marks=pytest.mark.slow) for one in POINTS if one not in FIRST)]
)
def test_killed_and_run_again(point: str, tmp_path: Path) -> None:
    where = POINTS[point]
    with Simulator(restore_seconds=where.seconds) as sim:
        killed(sim, tmp_path, where)
        left = [one["verdict"] for one in reports(tmp_path)]
        assert left == [where.left] or where.left is None
        again = invoke.playbook(PLAYBOOK, sim.env, "-e", variables(tmp_path, 0))
        assert again.rc == 0, again.output
        assert right(sim, where.backups), [entry.operation for entry in sim.posts()]
    last = reports(tmp_path)[-1]
    assert last["verdict"] in ("restored", "verified", "unchanged")
    # A worker may write before it sees that it is alone
    assert len(last["runs"]) == 2 or where.left != "running"
    assert all(row["error_kind"] is None for row in last["restores"])
    assert all((tmp_path / f"{name}.begun").exists() for name in HOOKS)


@pytest.mark.slow
def test_killed_before_the_database_has_answered(tmp_path: Path) -> None:
    """DDM has no marker: the second run fails and names the job, and a person adds `adopt`."""
    with Simulator(restore_seconds=2) as sim:
        killed(sim, tmp_path, Point(arrived("ddm.recovery"), "ddm.recovery"))
        again = invoke.playbook(PLAYBOOK, sim.env, "-e", variables(tmp_path, 0))
        assert again.rc == 2
        (bad,) = [row for row in reports(tmp_path)[-1]["restores"] if row["error_kind"]]
        assert "job_id" in bad["msg"]
        assert sim.started("ddm.recovery") == 1
        (entry,) = STACK["restore_ddm"]
        adopted = variables(tmp_path, 0, restore_ddm=[{**entry, "adopt": True}])
        third = invoke.playbook(PLAYBOOK, sim.env, "-e", adopted)
        assert third.rc == 0, third.output
        assert right(sim, 2)  # a safety backup of each run that began before the cache was overwritten


def test_killed_while_it_asks(tmp_path: Path) -> None:
    with Simulator(restore_seconds=1) as sim, tempfile.TemporaryDirectory() as home:
        given = variables(tmp_path, 0, restore_confirm=True)
        command = [invoke._tool("ansible-playbook"), PLAYBOOK, "-e", given]
        environment = {**invoke.environment(home), **invoke.COMPILED, **sim.env, "TERM": "xterm"}
        terminal = pexpect.spawn(command[0], command[1:], env=environment, timeout=120, use_poll=True)
        terminal.expect_exact(b"Overwrite 2 instances? Type CHG-1042 to go on:")
        assert terminal.pid
        # The worker that asks has a session of its own, and would wait for ever for its controller.
        workers = (
            Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text(encoding="utf-8").split()
        )
        os.killpg(terminal.pid, signal.SIGKILL)
        for worker in workers:
            os.kill(int(worker), signal.SIGKILL)
        terminal.close(force=True)
        assert (sim.posts(), reports(tmp_path)) == ([], [])
        again = invoke.playbook(PLAYBOOK, sim.env, "-e", variables(tmp_path, 0))
        assert again.rc == 0, again.output
        assert right(sim)


def test_two_runs_at_once_start_everything_once(tmp_path: Path) -> None:
    """The later run attaches, or reports what holds the instance. Run again, it finds everything done."""
    with Simulator(restore_seconds=2) as sim, tempfile.TemporaryDirectory() as home:
        command = [invoke._tool("ansible-playbook"), PLAYBOOK, "-e", variables(tmp_path, 0)]
        environment = {**invoke.environment(home), **invoke.COMPILED, **sim.env}
        runs = [
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            for _number in range(2)
        ]
        for process in runs:
            process.wait(120)
        started = {name: sim.started(name) for name in ("dcs.restore", "ddm.recovery")}
        assert started == {"dcs.restore": 1, "ddm.recovery": 1}
        again = invoke.playbook(PLAYBOOK, sim.env, "-e", variables(tmp_path, 0))
        assert again.rc == 0, again.output
        assert {name: sim.started(name) for name in started} == started
        assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == ids.DCS_BACKUP
        assert sim.errors == []
