# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual time, and the transport that replaces http.Http: it loses, delays and garbles, and it kills the client.

A lane is one operator who runs the same task again until it ends well. Two lanes are two threads of which one runs at a time: whoever's
next request arrives first. So what happens depends on the seed alone.
"""

from __future__ import annotations

import functools
import heapq
import re
import threading
import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import TransportError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Answer

from .cloud import EPOCH, NOTHING, SIGN_IN, Response, VirtualCloud, Work, error

NEVER = float("inf")
STATE = re.compile(r"/instances/[0-9a-f-]+$|/restorable-instances")
PAGE = b"<html><head><title>Proxy</title></head><body>It is not the API that speaks</body></html>"


class Killed(BaseException):
    """The client's process is gone."""


@dataclass
class Run:
    """One execution of the task."""

    name: str
    operation: str | None  # operation_id
    kill_after: int = -1  # the request (counted from 0) at which the client dies
    kill_at_post: str | None = None  # before, sent, answered
    calm: bool = False  # nothing goes wrong any more
    post_fault: str | None = None  # what becomes of its POST, instead of what is drawn
    calls: int = 0
    posts: list[str] = field(default_factory=list)  # what became of each POST
    accepted: list[Work] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)  # own work that a list told this run about after its POST
    last_read: float = 0.0  # when the cloud made the last answer to a read
    last_state: float = 0.0  # when it made the last one about the state of the instance
    dead: bool = False
    result: dict[str, t.Any] | None = None
    began: float = 0.0
    ended: float = 0.0


@dataclass
class Faults:
    """How much goes wrong, and within which limits."""

    read: float = 0.0  # probability of a fault at a read
    post: float = 0.0
    timeout: float = 60.0  # http_timeout
    slow: float = 0.0  # seconds that a request or an answer may be under way, at most
    brisk: bool = True  # whether other runs may begin while a request is under way
    repeats: bool = True  # whether a gateway may ask twice and show the second answer: "busy", with the restore that it has just started


class Lane:
    """One operator with a clock of his own."""

    def __init__(self, world: World, number: int, begins: float) -> None:
        self.world, self.number, self.time, self.wake = world, number, begins, begins
        self.turn = threading.Lock()  # taken by whoever may not go on
        self.turn.acquire()
        self.run = Run("", None)
        self.runs: list[Run] = []
        self.clock = Clock(
            now=lambda: EPOCH + self.time, monotonic=lambda: self.time, sleep=self.sleep, random=world.random
        )

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        if self.run.dead:
            raise Killed
        if self.world.trace is not None and seconds > 0:
            self.world.say(self.time, f"{self.run.name} sleeps {seconds:.2f} s")
        self.time += max(0.0, seconds)

    def http(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        timeout: float,
        cap: int,
        fresh: bool = False,
    ) -> Answer:
        """The transport's signature: one exchange, its faults drawn now."""
        run, world, random = self.run, self.world, self.world.random
        if run.dead:
            raise Killed
        call, run.calls = run.calls, run.calls + 1
        post = method == "POST" and not url.startswith(SIGN_IN)
        if run.kill_after == call or (post and run.kill_at_post == "before"):
            world.die(self, "before it sends " + method)
        faulty = not run.calm and random() < (world.faults.post if post else world.faults.read)
        fault = (
            POST_FAULTS[int(random() * len(POST_FAULTS))]
            if faulty and post
            else READ_FAULTS[int(random() * len(READ_FAULTS))]
            if faulty
            else None
        )
        return (
            self._post(url, body, timeout, run.post_fault or fault)
            if post
            else self._read(method, url, body, timeout, fault)
        )

    def _read(self, method: str, url: str, body: bytes | None, timeout: float, fault: str | None) -> Answer:
        run, world, random = self.run, self.world, self.world.random
        world.reach(self, self.time + 0.01 + random() * 0.04)
        if fault in FAILING_READS:
            if world.trace is not None:
                world.say(self.time, f"{run.name} {method} {_tail(url)} -> {fault}")
            if fault == "timeout":
                self.time += timeout
            return FAILING_READS[fault](world)
        run.last_read = self.time
        if STATE.search(url):
            run.last_state = self.time
        status, content, headers = world.cloud.answer(method, url, body, self.time, run)
        if world.trace is not None:
            world.say(self.time, f"{run.name} {method} {_tail(url)} -> {status} {content.decode()[:2000]}")
        self.time += 0.01 if fault != "slow" else min(world.faults.slow * random(), timeout)
        for work in run.accepted:
            if f'"{work.id}"'.encode() in content:
                run.shown.add(work.id)
        return Answer(status, headers, content)

    def _post(self, url: str, body: bytes | None, timeout: float, fault: str | None) -> Answer:
        run, world, random = self.run, self.world, self.world.random
        name, dummy, when = (fault or "ok").partition(":")
        if name == "busy" and (when == "late" or not world.faults.repeats):
            when = "never"
        if name in NOT_EXECUTED:
            run.posts.append("not executed")
            world.reach(self, self.time + 0.02)
            if world.trace is not None:
                world.say(self.time, f"{run.name} POST -> {fault}")
            return NOT_EXECUTED[name](world)
        run.posts.append("executed, perhaps")
        delay = 0.01 + random() * 0.04
        if when == "slow":
            delay += random() * min(world.faults.slow, timeout)
        response: Response = (0, b"", NOTHING)
        if run.kill_at_post == "sent":
            self._launch(url, body, delay, when, timeout)
            world.die(self, f"with its POST under way ({when or 'at once'})")
        if when == "late":  # the client sees its fault now, the cloud sees the request later
            self._launch(url, body, delay, when, timeout)
        elif when != "never":
            world.reach(self, self.time + delay)
            response = world.process(url, body, self.time, run)
        if world.trace is not None:
            world.say(self.time, f"{run.name} POST {fault or 'ok'} -> {response[0]} {response[1].decode()}")
        if run.kill_at_post == "answered":
            world.die(self, "before it reads the answer to its POST")
        if name == "timeout":
            self.time += timeout
        else:
            self.time += 0.02
        if name in ("ok", "slow"):
            return Answer(response[0], response[2], response[1])
        return LOST_ANSWERS[name](world, response)

    def _launch(self, url: str, body: bytes | None, delay: float, when: str, timeout: float) -> None:
        """Have the POST arrive without its client."""
        if when == "never":
            return
        limit = self.world.faults.slow if when in ("late", "slow") else 0.0
        arrival = self.time + min(delay + self.world.random() * limit, timeout)
        self.world.later(arrival, functools.partial(self.world.process, url, body, run=self.run))
        self.world.in_flight = max(self.world.in_flight, arrival)


class World:
    """The lanes, the cloud, and what is under way between them."""

    def __init__(
        self, cloud: VirtualCloud, faults: Faults, random: t.Callable[[], float], trace: list[str] | None
    ) -> None:
        self.cloud, self.faults, self.random, self.trace = cloud, faults, random, trace
        self.lanes: list[Lane] = []
        self.in_flight = 0.0  # until when a request of a client that no longer listens may be under way
        self._events: list[tuple[float, int, t.Callable[[float], t.Any]]] = []
        self._count = 0

    def say(self, now: float, what: str) -> None:
        """Note what happens, for people."""
        if self.trace is not None:
            self.trace.append(f"{now:10.2f}  {what}")

    def later(self, when: float, what: t.Callable[[float], t.Any]) -> None:
        """Have something happen at a time."""
        heapq.heappush(self._events, (when, self._count, what))
        self._count += 1

    def process(self, url: str, body: bytes | None, now: float, run: Run) -> Response:
        """A POST arrives."""
        before = len(self.cloud.history)
        response = self.cloud.answer("POST", url, body, now, run)
        for work in self.cloud.history[before:]:
            work.looked = now - run.last_state + self.cloud.rules.blind
            run.accepted.append(work)
        if self.trace is not None:
            self.say(now, f"cloud: POST of {run.name} arrives: {response[0]} {response[1].decode()}")
        return response

    def die(self, lane: Lane, where: str) -> t.NoReturn:
        """End the client of a lane here and now."""
        self.say(lane.time, f"{lane.run.name} is killed {where}")
        lane.run.dead = True
        raise Killed

    def reach(self, lane: Lane, when: float) -> None:
        """Let a lane's request arrive at a time: everything that comes before it happens first."""
        lane.time = lane.wake = when
        if len(self.lanes) > 1:
            self._yield(lane)
        self.happen(when)

    def happen(self, until: float) -> None:
        """Let what is under way arrive."""
        while self._events and self._events[0][0] <= until:
            when, dummy, what = heapq.heappop(self._events)
            what(when)

    def _yield(self, lane: Lane) -> None:
        first = min(self.lanes, key=lambda other: (other.wake, other.number))
        if first is not lane:
            first.turn.release()
            lane.turn.acquire()

    def race(self, work: t.Callable[[Lane], None]) -> None:
        """Run work(lane) for every lane, in the order of virtual time."""
        if len(self.lanes) == 1:
            work(self.lanes[0])
            return
        problems: list[BaseException] = []

        def body(lane: Lane) -> None:
            lane.turn.acquire()
            try:
                work(lane)
            except BaseException as problem:
                problems.append(problem)
            lane.wake = NEVER
            first = min(self.lanes, key=lambda other: (other.wake, other.number))
            if first.wake < NEVER:
                first.turn.release()

        threads = [threading.Thread(target=body, args=(lane,), daemon=True) for lane in self.lanes]
        for thread in threads:
            thread.start()
        min(self.lanes, key=lambda other: (other.wake, other.number)).turn.release()
        for thread in threads:
            thread.join()
        if problems:
            raise problems[0]


def _tail(url: str) -> str:
    return "/".join(url.partition("?")[0].split("/")[-2:])


# What can go wrong with a read


def _raise_unsent(world: World) -> Answer:
    raise TransportError("No connection could be made.", sent=False)


def _raise_reset(world: World) -> Answer:
    raise TransportError("The connection broke.")


def _told(response: Response) -> t.Callable[[World], Answer]:
    return lambda world: Answer(response[0], response[2], response[1])


THROTTLED = error(429, "APIGW.0308", "The throttling threshold has been reached")
EXPIRED = error(401, "APIGW.0307", "The token must be updated.")
FAILING_READS: dict[str, t.Callable[[World], Answer]] = {
    "unsent": _raise_unsent,
    "reset": _raise_reset,
    "timeout": _raise_reset,
    "truncated": _told((200, b'{"total_num": 1, "restore_record_response": [{"rest', NOTHING)),
    "page": _told((200, PAGE, NOTHING)),
    "null": _told((200, b"null", NOTHING)),
    "throttled": _told(THROTTLED),
    "throttled with a time": _told((*THROTTLED[:2], {"retry-after": "7"})),
    "500": _told(error(500, "DCS.5000")),
    "502": _told((502, PAGE, NOTHING)),
    "expired": _told(EXPIRED),
    "denied": _told(error(403, "DCS.2003")),
}
# the temporary ones more often: the last two end most runs
READ_FAULTS = [
    "slow",
    "slow",
    "unsent",
    "reset",
    "reset",
    "timeout",
    "truncated",
    "page",
    "null",
    "throttled",
    "throttled with a time",
]
READ_FAULTS += ["500", "500", "502", "502", "slow", "reset", "expired", "denied"]


# What can go wrong with a POST: these prove that it was not executed ...

NOT_EXECUTED: dict[str, t.Callable[[World], Answer]] = {
    "unsent": _raise_unsent,
    "throttled": _told(THROTTLED),
    "expired": _told(EXPIRED),
    "refused": _told(error(400, "DCS.4062")),
    "denied": _told(error(403, "DCS.2003")),
}

# ... and these do not: what the client gets instead of the answer, whatever the cloud did.


def _break(world: World, response: Response) -> Answer:
    raise TransportError("The connection broke.")


def _cut(world: World, response: Response) -> Answer:
    return Answer(200, NOTHING, response[1][: len(response[1]) // 2])


def _instead(told: Response) -> t.Callable[[World, Response], Answer]:
    return lambda world, response: Answer(told[0], told[2], told[1])


def _held(world: World, response: Response) -> Answer:
    status, body, dummy = error(
        *(409, "DBS.200019") if world.cloud.rules.kind == "recovery" else (400, "DCS.4097")
    )
    return Answer(status, NOTHING, body)


LOST_ANSWERS: dict[str, t.Callable[[World, Response], Answer]] = {
    "reset": _break,
    "timeout": _break,
    "cut": _cut,
    "empty": _instead((200, b"", NOTHING)),
    "no id": _instead((200, b'{"restore_id": {}, "backup_id": null, "job_id": ""}', NOTHING)),
    "204": _instead((204, b"", NOTHING)),
    "page": _instead((200, PAGE, NOTHING)),
    "page 400": _instead((400, PAGE, NOTHING)),
    "page 429": _instead((429, PAGE, NOTHING)),
    "500": _instead(error(500, "DCS.5000")),
    "502": _instead((502, PAGE, NOTHING)),
    "504": _instead((504, PAGE, NOTHING)),
    "408": _instead(error(408, "DCS.4099")),
    "302": _instead((302, b"", {"location": "https://elsewhere.example/"})),
    "busy": _held,  # a gateway that asks twice and shows the second answer
}
POST_FAULTS = (
    [f"{name}:{when}" for name in LOST_ANSWERS for when in ("", "", "never", "slow", "late")]
    + [*NOT_EXECUTED, *NOT_EXECUTED]
    + ["slow:slow"] * 5
)
