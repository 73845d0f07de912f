# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every placement of a few faults and one kill, instead of random ones.

    python -m tests.protocol.explore                       up to three faults, one kill; all settings
    python -m tests.protocol.explore --faults 1            fewer faults
    python -m tests.protocol.explore --wrong no_reconcile  a client that is wrong on purpose
    python -m tests.protocol.explore --setting 0 --script "5:kill sent,8:500" --verbose  one, step by step

A *setting* is fixed: a cache, a pair of databases or their metadata, an empty or an old history, two runs one
after the other or two at once, a restore that succeeds or one that fails. A *schedule* is a setting and a
script: which request meets which fault. Nothing else is random: requests take a known time, and a schedule is
replayed from its beginning each time.

A state is a hash of what both sides can still know: for the client, all responses to its present run and
their times; for the cloud, what was started, how long ago, and what is under way. A run that
begins knows nothing, so what came before it counts only by what it left in the cloud. From a state that was
met before with as many faults left, nothing is played again. A read that fails and is repeated leaves
nothing in the client but the time that it took.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import math
import multiprocessing
import os
import sys
import time
import typing as t
from collections import Counter, deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Response

from .book import Answered, Book
from .kinds import KINDS, Kind
from .many import seldom_collected
from .scene import Rules, Scene
from .schedule import Faults, Report, Story, execute, judge, named_job
from .world import STATE, Lane, Run, World
from .wrong import WRONG, real

DURATION, SETTLE = 45.0, 8.0  # seconds: a restore, and until its instance serves again
TIMEOUT, LATE = 10.0, 8.0  # seconds: http_timeout, how late a request can arrive
# A task is run again when this many seconds, or a multiple, have passed since something was started
GRID = 15.0
KILL = "kill"
KILLS = tuple(f"{KILL} {when}" for when in ("before", "sent", "answered"))
LISTS = ("row repeated", "newest left out", "oldest left out", "stale")
POSTS = ("reset:never", "reset", "500:never", "500", "timeout:late")
JUMPS = {"calendar +2 h": 7200.0, "calendar -2 h": -7200.0}
SHOWN = 10
COLLECT = 1000  # plays between two collections of garbage


@dataclass(frozen=True)
class Setting:
    """What is fixed in a family of schedules."""

    kind: str
    past: bool
    at_once: bool
    fails: bool

    def __str__(self) -> str:
        return (
            f"{self.kind}, {'old' if self.past else 'empty'} history, two runs "
            f"{'at once' if self.at_once else 'one after the other'}, "
            f"the restore {'fails' if self.fails else 'succeeds'}"
        )


SETTINGS = [
    Setting(*choice)
    for choice in itertools.product(("restore", "recovery"), (False, True), (False, True), (False, True))
] + [Setting("metadata", past=True, at_once=at_once, fails=True) for at_once in (False, True)]


class Visited(BaseException):
    """All schedules from here on have been played before."""


Script = tuple[tuple[int, str], ...]  # the number of a request, counted over all runs -> its fault


class Explorer:
    """A Director that follows a script, and records at each request what else could have happened."""

    timeout, slow, held = TIMEOUT, LATE, 0.0

    def __init__(self, setting: Setting, script: Script, faults: int, kills: int, known: Known) -> None:
        self.setting, self.script, self.known = setting, dict(script), known
        self.last = script[-1][0] if script else -1
        self.left, self.kills_left = faults, kills
        self.count = 0  # requests so far
        self.choices: list[
            tuple[int, list[str]]
        ] = []  # what could have happened at requests after the script
        self.now: str | None = None  # what happens at this request
        self.world: World
        self.old_replica: set[str] = set()  # runs whose next list comes from the same replica as the last one
        self.incomplete: set[str] = set()  # runs in which a list has left its newest row out
        self.received: dict[int, t.Hashable] = {}  # lane -> the responses to its present run

    def random(self) -> float:
        """Nothing is random here."""
        return 0.0

    def latency(self, run: Run, now: float) -> float:
        """Let requests arrive at whole seconds, exact in binary, so that pasts can be equal.

        A read that fails, fails at once.
        """
        return 0.25 if self.now == "500" else math.floor(now) + 1.0 - now

    def kill(self, lane: Lane, url: str, post: bool) -> str | None:
        """The first question about a request: which choices it has, and which one the script takes."""
        run = lane.run
        if run.calm:
            self.now = None
            return None
        number, self.count = self.count, self.count + 1
        self.now = self.script.get(number)
        if self.now is not None:
            kill = self.now.startswith(KILL)
            self.left, self.kills_left = self.left - (not kill), self.kills_left - kill
            if self.now == "newest left out":
                self.incomplete.add(run.name)
            if self.now == "oldest left out":
                self.old_replica.add(run.name)
        elif number > self.last:
            self.known.enter(self.state(), self.left, self.kills_left)
            self.choices.append((number, self._choices(lane, url, post)))
        return self.now.partition(" ")[2] if self.now and self.now.startswith(KILL) else None

    def _choices(self, lane: Lane, url: str, post: bool) -> list[str]:
        found = list(KILLS if post else KILLS[:1]) if self.kills_left else []
        if self.left:
            # between two readings of the calendar it does not matter when it jumps
            found += JUMPS if lane.asked and lane.skew == 0.0 else ()
            found += POSTS if post else ("500", *self._of_reads(lane.run, url))
        return found

    def _of_reads(self, run: Run, url: str) -> t.Iterator[str]:
        """Yield what can be wrong with the response to a read.

        A list leaves out the newest of its rows once in a run, and the oldest one as often as may be, twice
        each time: see assumption 8.
        """
        scene, kind = self.world.scene, KINDS[self.setting.kind]
        rows = len(scene.cloud.made_by(kind.start.post)) if kind.listed in url else 0
        if rows:
            yield "row repeated"
        if rows and run.name not in self.incomplete:
            yield "newest left out"
        if rows > 1:
            yield "oldest left out"
        if scene.history and fits("stale", kind, url):
            yield "stale"

    def read(self, run: Run, url: str) -> str | None:
        """Return the script's fault, if it fits. One that leaves out the oldest row does so in two lists."""
        if self.now is None or self.now in JUMPS:
            if run.name in self.old_replica and KINDS[self.setting.kind].listed in url:
                self.old_replica.discard(run.name)
                return "oldest left out"
            return None
        if not fits(self.now, KINDS[self.setting.kind], url):
            raise Visited  # no choice: a person wrote this script
        return self.now

    def post(self, run: Run) -> str | None:
        """What the script says."""
        return self.now if self.now in POSTS else None

    def jump(self, run: Run) -> float:
        """What the script says."""
        return JUMPS.get(self.now or "", 0.0)

    # What both sides can still know

    def begin(self, lane: Lane) -> None:
        """A run begins. Its client knows nothing yet."""
        self.received[lane.number] = ()

    def hear(self, lane: Lane, response: Response) -> None:
        """A client receives a response. After a 500 it sends the request again."""
        if response.status != 500 or self.now in POSTS:
            body = response.body if lane.run.calm else hash(response.body)
            self.received[lane.number] = hash(
                (self.received[lane.number], response.status, body, lane.time - lane.run.began)
            )

    def state(self) -> int:
        """Return a hash of everything that can matter from here on."""
        world, scene = self.world, self.world.scene
        now = max(lane.wake for lane in world.lanes if lane.wake < math.inf)
        started = tuple(
            (
                work.owner.name if self.setting.at_once and work.owner else "",
                work.owner is not None and work.owner.dead,
                min(now - work.accepted, work.free - work.accepted),
            )
            for work in scene.history
        )
        lanes = tuple(
            (
                len(lane.runs),
                self.received.get(lane.number),
                lane.time - now,
                lane.skew,
                lane.run.dead,
                tuple(lane.run.posts),
                (lane.run.name in self.incomplete, lane.run.name in self.old_replica),
            )
            if lane.wake < math.inf
            else len(lane.runs)  # its responses no longer matter
            for lane in world.lanes
        )
        under_way = tuple(sorted(when - now for when, dummy, what in world.events))
        return hash((self.setting, started, lanes, under_way))


def fits(fault: str, kind: Kind, url: str) -> bool:
    """Whether a fault can happen to the response to a read."""
    return (
        fault == "500"
        or (fault in LISTS and kind.listed in url)
        or (fault == "stale" and STATE.search(url) is not None)
    )


Left = tuple[tuple[int, int], ...]


@dataclass
class Known:
    """The states so far, each with the largest numbers of faults and kills that were left there."""

    states: dict[int, Left] = field(default_factory=dict)
    same: dict[Left, Left] = field(default_factory=dict)  # each value of `states` once: it saves memory

    def enter(self, state: int, faults: int, kills: int) -> None:
        """Enter a state. Raises Visited if it was entered before with as many faults and kills left."""
        met = self.states.get(state, ())
        if any(faults <= other and kills <= more for other, more in met):
            raise Visited
        left = *(pair for pair in met if not (pair[0] <= faults and pair[1] <= kills)), (faults, kills)
        self.states[state] = self.same.setdefault(left, left)


class Watched(World):
    """A world that reports the responses to its Explorer."""

    def answered(self, lane: Lane, response: Response) -> None:
        """Tell the Explorer."""
        t.cast(Explorer, self.director).hear(lane, response)


@dataclass
class Found:
    """The result of an exploration."""

    schedules: int = 0  # played to their ends
    joined: int = 0  # that ended in a known state
    states: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: Found) -> None:
        """Add the numbers of another one."""
        self.schedules, self.joined = self.schedules + other.schedules, self.joined + other.joined
        self.states += other.states
        self.outcomes.update(other.outcomes)
        self.problems += other.problems


def story_of(setting: Setting) -> Story:
    """Return the setting as schedule.py describes it."""
    rules = Rules(
        kind=setting.kind, seconds=(DURATION,), settle=SETTLE, fails=float(setting.fails), past=setting.past
    )
    lanes: list[tuple[float, str | None]] = [(0.0, None)] * (2 if setting.at_once else 1)
    params: dict[str, t.Any] = {
        **{"http_timeout": int(TIMEOUT), "wait_timeout": 600, "poll_interval": 46, "max_retries": 3},
        **({"backup_id": None, "restore_point": "latest"} if setting.kind == "restore" else {}),
    }
    return Story(rules, Faults(timeout=TIMEOUT, slow=LATE), False, lanes, params)


def play(
    setting: Setting,
    script: Script,
    faults: int,
    kills: int,
    known: Known,
    book: Book | None = None,
    trace: list[str] | None = None,
) -> tuple[Report, list[tuple[int, list[str]]], bool]:
    """Play one schedule. Return its faults, the other choices, and whether it was played to its end."""
    story = story_of(setting)
    scene = Answered(story.rules, lambda: 0.5, book.answers) if book else Scene(story.rules, lambda: 0.5)
    explorer = Explorer(setting, script, faults, kills, known)
    world = explorer.world = Watched(scene, explorer, trace)
    world.perform = book.perform if book else None
    world.lanes = [Lane(world, number, begins) for number, (begins, dummy) in enumerate(story.lanes)]
    report, to_its_end = Report(0, setting.kind), True
    try:
        world.race(lambda lane: operator(world, lane, story, 1 if setting.at_once else 2))
        calm(world, story)
    except Visited:
        to_its_end = False
    runs = [run for lane in world.lanes for run in lane.runs if run.dead or run.result is not None]
    judge(world, story, runs, report)
    for run in runs if to_its_end else ():
        result = run.result or {}
        report.outcomes["killed" if run.dead else result.get("error_kind") or result["outcome"]] += 1
    return report, explorer.choices, to_its_end


def operator(world: World, lane: Lane, story: Story, times: int) -> None:
    """Run the task, and again until it ends well."""
    for number in range(times):
        again(world, lane)
        run = Run(f"lane {lane.number} run {number}", None)
        t.cast(Explorer, world.director).begin(lane)
        execute(world, lane, run, story.rules.kind, story, None)
        if run.result is not None and not run.result.get("failed"):
            return


def again(world: World, lane: Lane) -> None:
    """Run the task again some GRIDs after the last start, so that pasts can be equal."""
    if not lane.runs:
        return
    times = [work.accepted for work in world.scene.history] + [when for when, dummy, what in world.events]
    origin = max(times, default=lane.time)
    lane.time = (
        origin + GRID * max(1, math.ceil((lane.time - origin) / GRID))
        if origin <= lane.time
        else lane.time + 0.25
    )
    lane.wake = lane.time


def calm(world: World, story: Story) -> None:
    """No more faults occur: the task must succeed."""
    world.happen(math.inf)
    lane = world.lanes[0]
    if len(world.lanes) > 1:
        lane.time = max(other.time for other in world.lanes)
    world.lanes = [lane]
    story.rules.fails = 0.0
    job = None
    for number in range(4):
        again(world, lane)
        lane.time += DURATION + GRID
        run = Run(f"last run {number}", None, calm=True)
        t.cast(Explorer, world.director).begin(lane)
        execute(world, lane, run, story.rules.kind, story, job)
        result = run.result or {}
        if not result.get("failed"):
            return
        job = named_job(world, result) if job is None else None
    raise Stuck(f"the last run ends with {run.result}")


class Stuck(Exception):
    """The task does not succeed although no more faults occur."""


def explore(
    setting: Setting, faults: int, kills: int, wrong: str | None = None, until_found: bool = False
) -> Found:
    """Play every schedule of a setting."""
    found, known, began = Found(), Known(), time.perf_counter()
    book = None if wrong else Book(JUMPS.values())  # a wrong client may do something else each time
    todo: deque[Script] = deque([()])  # the fewest faults first: states are met with the most left
    with WRONG[wrong]() if wrong else real(), seldom_collected():
        while todo and not (until_found and found.problems):
            script = todo.popleft()
            if (found.schedules + found.joined) % COLLECT == 0:
                gc.collect()
            try:
                report, choices, to_its_end = play(setting, script, faults, kills, known, book)
            except Stuck as problem:
                found.problems.append(f"{_command(setting, script, wrong)}: stuck: {problem}")
                continue
            found.schedules, found.joined = found.schedules + to_its_end, found.joined + (not to_its_end)
            found.outcomes.update(report.outcomes)
            found.problems += [
                f"{_command(setting, script, wrong)}: {name}: {text}" for name, text in report.problems[:1]
            ]
            todo.extend((*script, (number, name)) for number, names in choices for name in names)
    found.states, found.seconds = len(known.states), time.perf_counter() - began
    return found


def _command(setting: Setting, script: Script, wrong: str | None) -> str:
    written = ",".join(f"{number}:{name}" for number, name in script)
    client = f" --wrong {wrong}" if wrong else ""
    number = SETTINGS.index(setting)
    return f"python -m tests.protocol.explore --setting {number}{client} --verbose --script '{written}'"


def _script(text: str) -> Script:
    pairs = [part.partition(":") for part in text.split(",") if part]
    names = (*KILLS, *LISTS, *POSTS, *JUMPS)
    for number, dummy, name in pairs:
        if not number.isdigit() or name not in names:
            raise argparse.ArgumentTypeError(f"{number}:{name} is not NUMBER:NAME with one of {names}")
    return tuple((int(number), name) for number, dummy, name in pairs)


def main() -> int:
    """Return the exit code: 1 when something was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.protocol.explore", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--faults", type=int, default=3)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--setting", type=int, action="append", choices=range(len(SETTINGS)))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--wrong", choices=sorted(WRONG), help="a client that is wrong on purpose")
    parser.add_argument("--script", type=_script, help="play this one of one --setting")
    parser.add_argument("--verbose", action="store_true", help="with --script: print what happens")
    options = parser.parse_args()
    settings = [SETTINGS[number] for number in options.setting or range(len(SETTINGS))]
    if options.script is not None:
        return _one(settings[0], options.script, options.wrong, options.verbose)
    total, began = Found(), time.perf_counter()
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = [
            pool.submit(explore, setting, options.faults, options.kills, options.wrong, bool(options.wrong))
            for setting in settings
        ]
        for setting, part in zip(settings, parts, strict=True):
            found = part.result()
            print(
                f"{SETTINGS.index(setting):2} {setting}: {found.schedules} schedules to the end, "
                f"{found.joined} joined others, {found.states} states, {found.seconds:.0f} s, "
                f"wrong {len(found.problems)}",
                flush=True,
            )
            total.add(found)
    print(", ".join(f"{name} {number}" for name, number in total.outcomes.most_common()))
    print(
        f"{total.schedules} schedules played to the end, {total.joined} joined others, "
        f"{total.states} states, {time.perf_counter() - began:.0f} s; wrong: {len(total.problems)}"
    )
    print("\n".join(total.problems[:SHOWN]))
    return bool(total.problems)


def _one(setting: Setting, script: Script, wrong: str | None, verbose: bool) -> int:
    trace: list[str] = []
    to_its_end = True
    with WRONG[wrong]() if wrong else real():
        try:
            report, _choices, to_its_end = play(
                setting, script, len(script), len(script), Known(), trace=trace
            )
            problems = report.problems
        except Stuck as problem:
            problems = [("stuck", str(problem))]
    lines = [*(trace if verbose else []), *(f"{name}: {text}" for name, text in problems)]
    if not to_its_end:
        lines.append("it ends here: the fault of the script does not fit this request")
    print("\n".join(lines if problems or not to_its_end else [*lines, "nothing is wrong"]))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
