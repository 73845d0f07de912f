# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same cloud and client as a state machine. Hypothesis chooses the steps and shrinks its findings."""

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

from tests.protocol.scene import Rules, Scene
from tests.protocol.schedule import POST_FAULTS, Dice, Faults, Report, Story, execute, judge
from tests.protocol.world import Lane, Run, World
from tests.protocol.wrong import WRONG

QUICK = settings(
    max_examples=300,
    stateful_step_count=8,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Orders(Dice):
    """A Director with orders for the next POST and for the process."""

    fault: str | None = None
    death: str | None = None

    def kill(self, lane: Lane, url: str, post: bool) -> str | None:
        """At the POST."""
        return self.death if post else None

    def post(self, run: Run) -> str | None:
        """As ordered."""
        return self.fault


class Relaunching(RuleBasedStateMachine):
    """One operator, one instance, and everything that can happen to the POST or to the process."""

    @initialize(
        kind=st.sampled_from(["restore", "backup", "recovery", "metadata"]),
        seconds=st.sampled_from([2.0, 70.0, 500.0]),
        lag=st.sampled_from([0.0, 0.5, 0.9]),
        fails=st.booleans(),
        past=st.booleans(),
    )
    def begin(self, kind: str, seconds: float, lag: float, fails: bool, past: bool) -> None:
        """Make a cloud in which at first every restore fails, or none."""
        dice = random.Random(1)
        rules = Rules(kind=kind, seconds=(seconds,), lag=lag, fails=float(fails), past=past)
        self.story = Story(rules, Faults(slow=0.45 * seconds), False, [(0.0, None)], {})
        self.orders = Orders(self.story, dice)
        self.world = World(Scene(rules, dice.random), self.orders)
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
        """Run it; its POST meets this."""
        run = Run(f"run {len(self.lane.runs)}", operation)
        self.orders.fault, self.orders.death = fault, kill
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
    @rule(other=st.booleans())
    def somebody_else_restores(self, other: bool) -> None:
        """At the console, the same backup or another one."""
        self.world.happen(self.lane.time)
        self.world.scene.console("restore", self.lane.time, other)

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
