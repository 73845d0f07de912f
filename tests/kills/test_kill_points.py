# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process is killed at each step of the protocol by TERM, INT, HUP or KILL; then the same task runs again.

A fault of the local cloud holds the step: the request hangs before or after it was executed, or arrives
when its process has gone.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cases import CASES, STARTS
from tests.cloud import Simulator
from tests.kills.process import OLD, PATIENCE, Process, nursery, run_stopped

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL]
AT_ONCE = 32  # cases side by side: they mostly wait


@dataclass(frozen=True)
class Point:
    """Where a process ends: at the request of an operation, after `after` others of it."""

    operation: str
    after: int = 0
    fault: str = "hang"
    params: dict[str, Any] = field(default_factory=dict)
    # Whether the response to the POST was lost before, so that the process is looking for its effect
    lost: bool = False
    started: bool = True  # whether the first run's POST was executed when the next run begins
    arrives: bool = False  # the next run begins when the POST has arrived

    def __str__(self) -> str:
        lost = " while reconciling" if self.lost else ""
        return f"{self.operation} {self.after} {self.fault} {self.params}{lost}"


def before(operation: str, after: int = 0) -> Point:
    """The request is never executed."""
    return Point(operation, after, params={"when": "before"}, started=False)


def executed(operation: str, after: int = 0, lost: bool = False) -> Point:
    """The request is executed, and its response is lost."""
    return Point(operation, after, params={"when": "after"}, lost=lost)


def post(operation: str) -> tuple[Point, ...]:
    """The points at the POST itself: unread, executed, half answered, arriving after the process has gone."""
    return (
        before(operation),
        executed(operation),
        Point(operation, fault="drip_body", params={"interval": 0.2}),
        Point(operation, fault="late", params={"seconds": 0.05}, arrives=True),
    )


POINTS: dict[str, tuple[Point, ...]] = {
    "dcs_restore": (
        before("dcs.instance"),
        before("dcs.backups"),
        before("dcs.restores"),
        before("dcs.instance", 1),
        before("dcs.restores", 1),
        *post("dcs.restore"),
        # While the next run observes
        Point("dcs.restore", fault="late", params={"seconds": 0.05}, started=False),
        executed("dcs.instance", 2, lost=True),
        executed("dcs.restores", 2, lost=True),
        executed("dcs.restores", 2),  # the first observation of the wait
        executed("dcs.restores", 3),  # and a later one
        executed("dcs.instance", 2),  # the record says succeed, the instance is asked
        executed("dcs.instance", 3),  # and once more
    ),
    "dcs_backup": (
        before("dcs.instance"),
        before("dcs.backups", 1),
        *post("dcs.backup"),
        executed("dcs.backups", 2, lost=True),
        executed("dcs.instance", 2),
    ),
    "ddm_recovery": (
        before("ddm.restorable_time_interval"),
        before("ddm.restorable_data_node"),
        before("ddm.jobs", 1),
        *post("ddm.recovery"),
        executed("ddm.restorable_instances", 2, lost=True),
        executed("ddm.jobs", 2, lost=True),
        executed("ddm.job"),
        executed("ddm.instance"),
        executed("ddm.instance", 1),
    ),
    "ddm_metadata_recovery": (
        before("ddm.backups"),
        before("ddm.jobs", 1),
        *post("ddm.metadata_recovery"),
        executed("ddm.jobs", 2, lost=True),
        executed("ddm.job"),
        executed("ddm.instance"),
    ),
}


@pytest.fixture(scope="module", autouse=True)
def processes() -> Iterator[None]:
    with nursery():
        yield


@pytest.mark.parametrize("module", STARTS)
def test_a_process_is_killed_anywhere_and_the_next_one_succeeds(module: str, tmp_path: Path) -> None:
    assert module in POINTS, f"POINTS has no points for {module}: on its way, at its POST and while it waits"
    cases = itertools.product(POINTS[module], SIGNALS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [
            found
            for found in pool.map(lambda drawn: case(module, drawn[0], drawn[1], tmp_path), cases)
            if found
        ]
    assert not wrong, "\n".join(wrong)


def case(module: str, point: Point, number: signal.Signals, folder: Path) -> str | None:
    """Play one case; return the fault, or None."""
    operation = STARTS[module].post
    params = {**own(module), "poll_interval": 1, "wait_timeout": 30, "http_timeout": 20}
    with Simulator(restore_seconds=0.5, backup_seconds=0.5) as sim:
        if point.lost:
            sim.fault("reset", operation, when="after")
        fault = sim.fault(point.fault, point.operation, after=point.after, **point.params)
        first = Process.start(folder, module, sim.env, params)
        wait_for(lambda: fault.used > 0 or first.exitcode is not None, f"{point} is not reached")
        if not fault.used:
            return f"{number.name} at {point}: was not reached; the run ended with {first.result()}"
        time.sleep(0.05)  # let the fault do its work
        first.kill(number)
        said = first.result()
        posts = len(sim.posts(operation))
        faults = [] if posts <= 1 else [f"the first run sent {posts} POSTs"]
        if number is signal.SIGINT:  # Python's own handler: the module reports
            if said is None or said.get("error_kind") != "interrupted" or said["changed"] is not (posts > 0):
                faults.append(f"the first run says {said}")
        elif said is not None or first.exitcode != -int(number):
            faults.append(f"the first run exits with {first.exitcode} and says {said}")
        sim.clear_faults()
        if point.arrives:
            wait_for(lambda: sim.posts(operation)[0].handled is not None, "the POST does not arrive")
        faults += again(
            module,
            point,
            sim,
            Process.start(folder, module, sim.env, params).result() or {},
            folder,
            params,
        )
        wait_for(
            lambda: all(entry.handled is not None or entry.fault == "hang" for entry in sim.posts(operation)),
            "a POST is not handled",
        )
        if sim.started(operation) != 1:
            faults.append(f"{sim.started(operation)} were started")
        faults += sim.errors
    return f"{number.name} at {point}: {'; '.join(faults)}" if faults else None


# It takes the same path as a recovery of data.
SAME_PATH = "ddm_metadata_recovery"


@pytest.mark.parametrize("meanwhile", ["nothing happens", "another run starts it"])
@pytest.mark.parametrize(
    "module", [pytest.param(one, marks=pytest.mark.slow) if one == SAME_PATH else one for one in STARTS]
)
def test_a_process_that_was_stopped_right_before_its_post_observes_again(
    module: str, meanwhile: str, tmp_path: Path
) -> None:
    """As after ^Z, SIGSTOP or a suspended machine: its observation is too old when it goes on."""
    operation = STARTS[module].post
    params = {**own(module), "poll_interval": 1, "wait_timeout": 30}
    with Simulator(restore_seconds=3.0, backup_seconds=3.0) as sim:
        first = Process.start(tmp_path, module, sim.env, params, run_stopped)
        first.wait_until_stopped()
        assert sim.posts(operation) == []
        if meanwhile != "nothing happens":
            other = Process.start(tmp_path, module, sim.env, {**params, "wait": False}).result() or {}
            assert other["outcome"] == "started"
        time.sleep(OLD + 0.1)
        read = len(sim.ledger)
        os.kill(first.child.pid or 0, signal.SIGCONT)
        said = first.result() or {}
        looked = [entry.operation for entry in sim.ledger[read:]]
        assert len(sim.posts(operation)) == sim.started(operation) == 1
    assert STARTS[module].listed in looked[: looked.index(operation) if operation in looked else None]
    if meanwhile == "nothing happens":
        assert (said["outcome"], said["adopted"]) == ("succeeded", False)
    elif STARTS[module].marker:
        assert (said["outcome"], said["adopted"]) == ("succeeded", True)
    else:  # nothing is guessed across runs
        assert said["changed"] is False and other["job_id"] in said["msg"], said


def own(module: str) -> dict[str, Any]:
    """The options of a module besides those of waiting."""
    return {**CASES[module].good, **STARTS[module].marker}


def again(
    module: str, point: Point, sim: Simulator, result: dict[str, Any], folder: Path, params: dict[str, Any]
) -> list[str]:
    """Run the same task again: it must succeed without a second start."""
    # Nothing is guessed across runs: it names the job, and job_id attaches to it
    if not STARTS[module].marker and point.started:
        job = result.get("job_id")
        if (
            not result["failed"]
            or result["changed"]
            or result["error_kind"] not in ("busy", "not_restorable")
            or not job
            or f"job_id={job}" not in result["msg"]
        ):
            return [f"the second run says {result}"]
        options = {name: value for name, value in params.items() if name not in own(module)}
        result = Process.start(folder, module, sim.env, {**options, "job_id": job}).result() or {}
    ended = "unchanged" if result.get("changed") is False else "succeeded"
    if (
        result.get("failed") is not False
        or result["outcome"] != ended
        or (result["changed"] and point.started and not result["adopted"])
    ):
        return [f"the next run says {result}"]
    return []


def wait_for(condition: Any, what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)
