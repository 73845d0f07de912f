# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same cloud and client as a state machine: Hypothesis chooses the steps, and shrinks what it finds to a few."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.protocol.cloud import BACKUP, OTHER_BACKUP, Rules, VirtualCloud
from tests.protocol.schedule import Report, Story, execute, judge
from tests.protocol.world import POST_FAULTS, Faults, Lane, Run, World
from tests.protocol.wrong import WRONG

QUICK = settings(
    max_examples=500,
    stateful_step_count=8,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Relaunching(RuleBasedStateMachine):
    """One operator, one instance, and everything that can happen to the POST or to the process."""

    @initialize(
        kind=st.sampled_from(["restore", "backup", "recovery"]),
        seconds=st.sampled_from([2.0, 70.0, 500.0]),
        lag=st.sampled_from([0.0, 0.5, 0.9]),
        fails=st.booleans(),
    )
    def begin(self, kind: str, seconds: float, lag: float, fails: bool) -> None:
        """Make a cloud in which at first every restore fails, or none."""
        dice = random.Random(1).random
        rules = Rules(kind=kind, seconds=(seconds,), lag=lag, fails=float(fails))
        self.story = Story(rules, Faults(slow=0.45 * seconds), False, [(0.0, None)], {}, 0.0, [])
        self.world = World(VirtualCloud(rules, dice), self.story.faults, dice, None)
        self.lane = Lane(self.world, 0, 0.0)
        self.world.lanes = [self.lane]

    @rule(
        fault=st.none() | st.sampled_from(POST_FAULTS),
        kill=st.sampled_from([None, None, "before", "sent", "answered"]),
        wait_timeout=st.sampled_from([5, 1800]),
        operation=st.sampled_from([None, None, None, "CHG-2"]),
    )
    def run_the_task(
        self, fault: str | None, kill: str | None, wait_timeout: int, operation: str | None
    ) -> None:
        """Run it; this is what becomes of its POST."""
        run = Run(
            f"run {len(self.lane.runs)}", operation, kill_at_post=kill, calm=fault is None, post_fault=fault
        )
        execute(
            self.world, self.lane, run, self.story.rules.kind, self.story, None, wait_timeout=wait_timeout
        )

    @rule(seconds=st.sampled_from([1.0, 30.0, 600.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.lane.time += seconds

    @rule()
    def heal(self) -> None:
        """From here on restores succeed."""
        self.story.rules.fails = 0.0

    @precondition(lambda self: self.story.rules.kind == "restore")
    @rule(backup=st.sampled_from([BACKUP, OTHER_BACKUP]))
    def somebody_else_restores(self, backup: str) -> None:
        """At the console."""
        self.world.happen(self.lane.time)
        self.world.cloud.accept({"backup_id": backup}, self.lane.time, None)

    def teardown(self) -> None:
        """Compare what the cloud did with what the runs said."""
        if not hasattr(self, "world"):
            return
        self.world.happen(float("inf"))
        report = Report(0, self.story.rules.kind)
        judge(self.world, self.story, self.lane.runs, report)
        assert not report.problems, report.problems


def test_no_sequence_of_relaunches_restores_twice() -> None:
    run_state_machine_as_test(Relaunching, settings=QUICK)


@pytest.mark.parametrize("name", ["no_marker", "transport_retries", "no_reconcile"])
def test_the_machine_sees_a_wrong_client(name: str) -> None:
    with WRONG[name](), pytest.raises(AssertionError):
        run_state_machine_as_test(Relaunching, settings=settings(QUICK, phases=[Phase.generate]))
