# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One schedule from one seed: what is drawn, how it is played, and what its history must show."""

from __future__ import annotations

import random
import typing as t
from collections import Counter
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import STALE
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import FRESH
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import UNSEEN
from tests.cloud.state import Settings

from . import client
from .kinds import KINDS
from .scene import Rules, Scene, Work
from .world import LOST_RESPONSES, NOT_EXECUTED, READS, Killed, Lane, Run, World, shown

# seconds that restores take: the shorter, the more can go wrong
DURATIONS: list[tuple[float, ...]] = [(1.0, 3.0), (4.0, 9.0), (10.0, 40.0), (60.0, 90.0), (120.0, 600.0)]
MINUTE, HOUR = 60.0, 3600.0
# What goes wrong with reads, the temporary faults more often: the last two end most runs
READ_FAULTS = [name for name in READS if name not in ("expired", "denied")] * 2 + ["expired", "denied"]
READ_FAULTS += ["slow", "slow", "reset", "500", "502"] * 2
POST_FAULTS = (
    [f"{name}:{when}" for name in LOST_RESPONSES for when in ("", "", "never", "slow", "late")]
    + [*NOT_EXECUTED, *NOT_EXECUTED]
    + ["ok:slow"] * 5
    + ["ok:held", "reset:held"] * 3
)


@dataclass
class Faults:
    """How much goes wrong, and within which limits."""

    read: float = 0.0  # probability of a fault at a read
    post: float = 0.0
    timeout: float = 60.0  # http_timeout
    slow: float = 0.0  # seconds that a request or a response may be under way, at most
    held: float = 0.0  # seconds for which the client may be stopped right before its request, at most
    brisk: bool = True  # whether other runs may begin while a request is under way
    # Whether a gateway may send a request twice and return the second response: "busy" with its own restore
    repeats: bool = True
    jumps: float = 0.0  # probability that the calendar jumps at a request


@dataclass
class Report:
    """The result of one schedule."""

    seed: int
    kind: str
    problems: list[tuple[str, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


@dataclass
class Story:
    """Everything that is drawn before anything happens."""

    rules: Rules
    faults: Faults
    password: bool
    lanes: list[tuple[float, str | None]]  # when each operator begins, and the operation_id
    params: dict[str, t.Any]
    kill: float = 0.0  # probability that a run is killed
    foreign: list[float] = field(default_factory=list)  # when somebody else does something
    skew: list[float] = field(default_factory=list)  # by how much each operator's calendar is wrong


class Dice:
    """A Director that draws. In each run at most one list leaves a row out, and one status is old."""

    def __init__(self, story: Story, rng: random.Random) -> None:
        self.story, self.random, self.choice = story, rng.random, rng.choice
        self.timeout, self.slow, self.held = story.faults.timeout, story.faults.slow, story.faults.held
        self.after: dict[str, tuple[int, str]] = {}  # run -> the request before which it dies, and as what
        self.incomplete: set[str] = set()  # runs that have met such a list
        self.outdated: set[str] = set()  # runs that have met such a status

    def latency(self, run: Run, now: float) -> float:
        """Most requests take 10 to 50 ms."""
        return 0.01 + self.random() * 0.04

    def doom(self, run: Run) -> None:
        """Decide whether and where a run will be killed."""
        if self.random() < self.story.kill:
            if self.random() < 0.6:
                self.after[run.name] = (0, self.choice(("before", "sent", "sent", "answered")))
            else:
                self.after[run.name] = (self.choice((1, 2, 3, 4, 5, 6, 7, 8, 10, 12)), "before")

    def kill(self, lane: Lane, url: str, post: bool) -> str | None:
        """At its POST, or before a request of some number."""
        run = lane.run
        number, where = self.after.get(run.name, (-1, ""))
        return where if (number == 0 and post) or run.calls == number else None

    def read(self, run: Run, url: str) -> str | None:
        """One of READ_FAULTS."""
        if run.calm or self.random() >= self.story.faults.read:
            return None
        fault = self.choice(READ_FAULTS)
        if "left out" in fault:
            if run.name in self.incomplete or KINDS[self.story.rules.kind].listed not in url:
                return None
            self.incomplete.add(run.name)
        if fault == "stale":
            if run.name in self.outdated:
                return None
            self.outdated.add(run.name)
        return fault

    def post(self, run: Run) -> str | None:
        """One of POST_FAULTS."""
        if run.calm or self.random() >= self.story.faults.post:
            return None
        fault = self.choice(POST_FAULTS)
        name, dummy, when = fault.partition(":")
        return "busy:never" if name == "busy" and (when == "late" or not self.story.faults.repeats) else fault

    def jump(self, run: Run) -> float:
        """An hour forth or back."""
        if run.calm or self.random() >= self.story.faults.jumps:
            return 0.0
        return self.choice((-HOUR, HOUR))


METADATA_SHARE = 0.4  # of the recoveries
UNNAMED = "PitrStep2"  # does not say what it is
METADATA_NAMES = (Settings.metadata_job_name, "RestoreMetaData", UNNAMED, "loadMetadata")


def draw(rng: random.Random) -> Story:
    """Draw a story within the assumptions."""
    chance = rng.random
    kind = "restore" if chance() < 0.6 else "recovery" if chance() < 0.5 else "backup"
    seconds = rng.choice(DURATIONS)
    shortest = seconds[0]
    two = chance() < 0.3
    brisk = two or chance() < 0.5
    timeout = rng.choice((10, 60))
    past = chance() < 0.5
    rules = Rules(
        kind=kind,
        seconds=seconds,
        settle=rng.choice((0.0, 0.0, 0.5, 10.0)),
        lag=rng.choice((0.0, 0.0, 0.1, 0.5, 0.9)),
        stale=shortest * 0.3 if chance() < 0.2 else 0.0,
        blind=shortest * 0.5 if brisk and chance() < 0.3 else 0.0,
        by_task=chance() < 0.2,
        stripped=KINDS[kind].marked and chance() < 0.05,
        fails=rng.choice((0.0, 0.0, 0.2, 0.6)),
        job_of_source=chance() < 0.3,
        unnamed=kind == "recovery" and chance() < 0.3,
        past=past,
        hidden=rng.choice((0.0, 0.0, 0.3, 1.0, 10.0, 100.0)) if past else 0.0,
    )
    wait_timeout = rng.choice((5, 45, 1800, 1800, 1800))
    # Assumption 4: if other runs go on, an observation and a request together take less time than a
    # restore that can be seen
    visible = shortest - rules.blind
    slow = min(0.45 * visible, timeout) if brisk else float(timeout)
    held = 0.45 * visible if brisk and shortest < STALE + timeout else 2.0 * timeout
    # assumption 7
    repeats = not rules.stripped and rules.blind == 0 and not rules.job_of_source
    faults = Faults(
        rng.choice((0.0, 0.0, 0.03, 0.1, 0.3)),
        rng.choice((0.0, 0.3, 0.7, 1.0)),
        timeout,
        slow,
        held,
        brisk,
        repeats,
        rng.choice((0.0, 0.0, 0.0, 0.05)),
    )
    first = rng.choice((None, "CHG-1")) if KINDS[kind].marked else None
    lanes = [(0.0, first)]
    if two:
        lanes.append(
            (
                rng.choice((0.0, 0.05, shortest * 0.5, shortest * chance() * 2)),
                "CHG-2" if KINDS[kind].marked and chance() < 0.2 else first,
            )
        )
    wait = chance() < 0.9
    params: dict[str, t.Any] = {
        "http_timeout": timeout,
        "wait": wait,
        "wait_timeout": wait_timeout,
        "poll_interval": max(1, round(min(seconds[-1] / 4, 120))),
        "max_retries": rng.choice((0, 2, 5)),
    }
    # assumptions 4 and 6
    foreign = [chance() * 3 * shortest] if chance() < 0.2 and brisk else []
    if kind == "restore" and not foreign and chance() < 0.3:
        params.update(backup_id=None, restore_point="latest")
    return Story(
        rules,
        faults,
        chance() < 0.15,
        lanes,
        params,
        rng.choice((0.0, 0.0, 0.5, 0.9)),
        foreign,
        [rng.choice(SKEWS) for dummy in lanes],
    )


# Seconds: most machines are right, some are minutes off. With a token nothing refuses one that is hours
# off.
SKEWS = (0.0, 0.0, 0.0, -14 * MINUTE, 14 * MINUTE, -20 * HOUR, 20 * HOUR)


def drawn(seed: int) -> tuple[Story, random.Random]:
    """Return the story of a seed, and the generator that draws what happens.

    Some recoveries are of metadata. A generator of its own decides that, so that no other story changes.
    """
    rng, own = random.Random(seed), random.Random(f"metadata {seed}")
    story = draw(rng)
    rules = story.rules
    if rules.kind == "recovery" and own.random() < METADATA_SHARE:
        rules.kind, rules.metadata_name = "metadata", own.choice(METADATA_NAMES)
        rules.unnamed = rules.metadata_name == UNNAMED
        rules.other_work = own.random() < 0.5
    return story, rng


def play(seed: int, verbose: bool = False) -> Report:
    """Play one schedule."""
    story, rng = drawn(seed)
    scene, dice = Scene(story.rules, rng.random), Dice(story, rng)
    report = Report(seed, story.rules.kind)
    world = World(scene, dice, report.trace if verbose else None)
    world.say(0.0, str(story))
    world.lanes = [
        Lane(world, number, begins, story.skew[number]) for number, (begins, dummy) in enumerate(story.lanes)
    ]
    for when in story.foreign:
        world.later(when, lambda now: _somebody_else(world, now))
    world.race(lambda lane: operator(world, lane, story, rng))
    jumped = [lane.skew for lane in world.lanes] != story.skew
    runs = [run for lane in world.lanes for run in lane.runs]
    if not story.rules.stripped and len({operation for dummy, operation in story.lanes}) == 1:
        runs += afterwards(world, story, report)
    judge(world, story, runs, report)
    for run in runs:
        result = run.result or {}
        report.outcomes["killed" if run.dead else result.get("error_kind") or result["outcome"]] += 1
        report.outcomes["adopted"] += result.get("adopted") is True
    report.outcomes["schedules"] += 1
    report.outcomes["two runs at once"] += len(story.lanes) > 1
    report.outcomes["with a past"] += story.rules.past
    report.outcomes["with a wrong calendar"] += any(story.skew)
    report.outcomes["with a calendar that jumps"] += jumped
    report.outcomes["started"] += len(scene.history)
    return report


def _somebody_else(world: World, now: float) -> None:
    """Another user at the console: another restore, the same restore, or an automatic backup."""
    kind, dice = world.scene.rules.kind, world.director.random()
    if kind in ("recovery", "metadata"):
        response = world.scene.console(kind, now, other=True)
        if dice < 0.5:
            lasts = 3 * world.scene.rules.seconds[0]
            world.scene.enlarge(now, lasts)
            world.later(now + lasts, world.scene.enlarged)
    elif kind == "backup" or dice < 0.3:
        response = world.scene.console("backup", now)
    else:
        response = world.scene.console("restore", now, other=dice >= 0.5)
    world.say(now, f"cloud: somebody else asks for something: {response.body().decode()}")


def operator(world: World, lane: Lane, story: Story, rng: random.Random) -> None:
    """Run the task until it succeeds, three times at most."""
    kind, operation = story.rules.kind, story.lanes[lane.number][1]
    job = None
    for attempt in range(3):
        run = Run(f"lane {lane.number} run {attempt}", operation)
        t.cast(Dice, world.director).doom(run)
        execute(world, lane, run, kind, story, job)
        result = run.result
        if result is not None and not result.get("failed"):
            return
        named = named_job(world, result or {})
        job = named if job is None and named and rng.random() < 0.7 else None
        lane.time += rng.choice((0.0, 0.5, 5.0, 30.0, 300.0))
        if not story.faults.brisk:  # assumption 4
            lane.time = max(lane.time, world.in_flight)


def named_job(world: World, result: dict[str, t.Any]) -> str | None:
    """Return the job that a result names, unless it is one of the past, as its stated age shows."""
    job: str | None = result.get("job_id")
    return job if any(work.id == job for work in world.scene.history) else None


def execute(
    world: World, lane: Lane, run: Run, kind: str, story: Story, job: str | None, **given: t.Any
) -> None:
    """Run the task once."""
    lane.run, run.began = run, lane.time
    lane.runs.append(run)
    own: dict[str, t.Any] = {"operation_id": run.operation} if KINDS[kind].marked else {}
    if job is not None:
        own = {**dict.fromkeys(KINDS[kind].own), "job_id": job}
    if world.trace is not None:
        world.say(lane.time, f"{run.name} begins" + (f" with job_id {job}" if job else ""))
    try:
        result = (world.perform or client.perform)(
            kind, lane, client.parameters(kind, story.password, **{**story.params, **own, **given})
        )
    except Killed:
        result = {}
    run.ended = lane.time
    run.result = None if run.dead else result
    if world.trace is not None:
        world.say(lane.time, f"{run.name} ends: {shown(run.result or {})}")


def afterwards(world: World, story: Story, report: Report) -> list[Run]:
    """No more faults occur: the operator runs the task once more, and it must succeed."""
    history, kind = world.scene.history, story.rules.kind
    world.happen(float("inf"))
    settled = max(
        [
            *(work.free + story.rules.blind + story.rules.stale for work in history),
            story.rules.hidden,
            *(lane.time for lane in world.lanes),
        ]
    )
    lane = Lane(world, 0, settled + 1.0)
    world.lanes = [lane]
    story.rules.fails = 0.0
    story.rules.lag = min(story.rules.lag, 0.9 * UNSEEN / story.rules.seconds[-1])  # assumption 1
    result: dict[str, t.Any] = {}
    job = None
    while len(lane.runs) < 9:
        run = Run(f"last run {len(lane.runs)}", story.lanes[0][1], calm=True)
        execute(world, lane, run, kind, story, job, wait=True, wait_timeout=3600)
        result = run.result or {}
        job = named_job(world, result) if job is None else None
        if not result.get("failed") or not (
            job or result["error_kind"] in ("busy", "outcome_unknown", "operation_failed", "not_found")
        ):
            break
        lane.time += 100.0  # the record of what runs cannot be seen yet
    done = not KINDS[kind].marked and any(
        work.item.held == KINDS[kind].instance and work.done(lane.time) for work in history
    )
    # Then another job may be the one that the refusal names.
    unclear = story.rules.job_of_source or story.rules.other_work
    if result.get("failed") and not (done and unclear and result["error_kind"] == "not_restorable"):
        report.problems.append(("stuck", f"the last run ends with {result}"))
    return lane.runs


def same(work: Work, operation: str | None) -> bool:
    """Whether work belongs to the operation of runs with this operation_id."""
    return work.owner is not None and work.owner.operation == operation


def stands_for_own(work: Work, run: Run) -> bool:
    """Whether a result may name this work for what the run started: that itself or, if it has failed, a later
    one of the same operation.
    """
    own = run.accepted[0]
    return work is own or (own.fails and same(work, run.operation) and work.accepted > own.accepted)


def judge(world: World, story: Story, runs: list[Run], report: Report) -> None:
    """Compare what the cloud did with what the runs said."""
    history, kind, stripped = world.scene.history, story.rules.kind, story.rules.stripped

    def problem(name: str, text: str) -> None:
        report.problems.append((name, text))

    own = [work for work in history if work.kind == kind and work.item.held == KINDS[kind].instance]
    beyond: set[str] = set()  # work of runs that could not see another: assumption 4 did not hold
    for place, work in enumerate(own):
        earlier = own[:place]
        if kind != "backup":
            earlier = earlier[-1:]  # after another restore, the same one again is a new change
        elif work.owner and work.owner.operation is None:
            earlier = []  # without operation_id each run makes a backup
        late = story.faults.timeout + story.rules.blind
        if work.observation_age > FRESH + late or work.confirmed > STALE + late:
            problem(
                "stale",
                f"{work.id} (of {work.owner.name}) observed {work.observation_age:.1f} s before it started",
            )
        again = [
            old
            for old in earlier
            if old.owner and work.owner and same(old, work.owner.operation) and not old.fails
        ]
        observed = work.accepted - work.confirmed
        if any(old.accepted > observed for old in own[:place]):
            report.outcomes["outside of assumption 4"] += 1
            beyond.add(work.id)
        if again and not stripped and again[0].accepted <= observed:
            problem(
                "duplicate",
                f"{work.id} (of {work.owner.name}) repeats {again[0].id} (of {again[0].owner.name})",
            )
    for run in runs:
        if len(run.accepted) > 1:
            problem("duplicate", f"{run.name} started {', '.join(work.id for work in run.accepted)}")
        unproved = [place for place, fate in enumerate(run.posts) if fate != "not executed"]
        if unproved and unproved[0] < len(run.posts) - 1:
            problem("repeated", f"{run.name} sent POSTs that {run.posts}")
        if run.result is not None and not any(work.id in beyond for work in run.accepted):
            judge_result(world, story, run, run.result, problem)


def judge_result(
    world: World, story: Story, run: Run, result: dict[str, t.Any], problem: t.Callable[[str, str], None]
) -> None:
    """Compare one result with the history."""
    kind, history = story.rules.kind, world.scene.history
    identity = result.get(KINDS[kind].key)
    work = next((work for work in history if work.id == identity), None)
    # A backup that is done is done. A restore can begin and end between two observations. A job that names
    # only its source does not tell which instance to wait for.
    serves = not story.rules.job_of_source and not (
        result.get("outcome") == "unchanged"
        and (kind == "backup" or (work and work.accepted > run.began - story.rules.blind))
    )
    facts = {
        name: value for name, value in result.items() if name not in ("restore", "backup", "job", "diff")
    }
    words = f"{run.name} says {facts}"
    if result.get("failed"):
        error = result["error_kind"]
        if error == "internal_error":
            problem("bug", words)
        if run.accepted and not result["changed"]:
            problem("lost", f"{words} but {run.accepted[0].id} is its own")
        # Without a marker, nothing is guessed when jobs name their source or somebody else's is new as well.
        recognised = not story.rules.stripped and (
            KINDS[kind].marked or not (story.rules.job_of_source or story.rules.unnamed or story.lanes[1:])
        )
        if error == "outcome_unknown" and run.shown and recognised and not identity:
            problem("lost", f"{words} but it was shown {run.shown}")
        if error == "not_started" and "executed, perhaps" in run.posts:
            problem("untrue", f"{words} but a request may have been executed")
        if error == "operation_failed" and (work is None or not work.fails or work.ends > run.ended):
            problem("untrue", f"{words} but {work}")
        if error == "wait_timeout" and work is None:
            problem("untrue", f"{words} and names nothing that runs")
        return
    if run.accepted and not result["changed"]:
        problem("lost", f"{words} but {run.accepted[0].id} is its own")
    if work is None or not right(work, kind):
        problem("untrue", f"{words} but its ID stands for {work}")
    elif run.accepted and not stands_for_own(work, run) and not story.rules.stripped:  # assumption 3
        problem("lost", f"{words} but {run.accepted[0].id} is its own")
    elif result["outcome"] != "started" and (
        not work.done(run.last_read) or (work.free > run.last_read and serves)
    ):
        problem("untrue", f"{words} at {run.ended:.2f} but {work}")
    elif result["outcome"] == "unchanged" and KINDS[kind].marked and not same(work, run.operation):
        problem("untrue", f"{words} but that is another operation")


def right(work: Work, kind: str) -> bool:
    """Whether this work is what the task requests."""
    return work.kind == kind and work.item.what == KINDS[kind].what
