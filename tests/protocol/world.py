# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual time, and a transport in place of transport.Http that loses, delays, garbles, and kills the client.

A lane is one operator who runs the same task again until it ends well. Two lanes are two threads of which
one runs at a time: the one whose next request arrives first. Only a Director decides what happens:
schedule.py draws faults from a seed, explore.py places them.
"""

from __future__ import annotations

import functools
import heapq
import json
import re
import threading
import typing as t
from dataclasses import dataclass, field
from email.utils import formatdate

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import TransportError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Request, Response
from tests.cloud import wire
from tests.cloud.faults import PAGE, Fault

from .kinds import EPOCH, KINDS
from .scene import Scene, Work

NEVER = float("inf")
STATE = re.compile("|".join(kind.state for kind in KINDS.values()))
SIGN_IN = re.compile(r"https://iam\.")
FURTHER = re.compile(r"offset=[1-9]")  # a further page of a list
# What a trace shows of an object and of a result
SHOWN = (
    *("restore_id", "job_id", "id", "backup_id", "instance_id", "status", "task", "available"),
    *("restore_remark", "remark", "outcome", "adopted", "error_kind", "changed", "msg"),
)


class Killed(BaseException):
    """The client's process is gone."""


@dataclass
class Run:
    """One execution of the task."""

    name: str
    operation: str | None  # operation_id
    calm: bool = False  # no more faults occur
    calls: int = 0
    posts: list[str] = field(default_factory=list)  # the fate of each POST
    accepted: list[Work] = field(default_factory=list)
    shown: set[str] = field(
        default_factory=set
    )  # own work that a response has shown to this run after its POST
    wrong_page: bool = False  # whether a page of the list that it reads was wrong
    last_read: float = 0.0  # when the cloud made the last response to a read
    # When it made the last two usable ones about the state of the instance: with them observations begin
    last_states: tuple[float, ...] = ()
    dead: bool = False
    result: dict[str, t.Any] | None = None
    began: float = 0.0
    ended: float = 0.0


class Director(t.Protocol):
    """Decides what happens. Times are in seconds."""

    timeout: float  # http_timeout
    slow: float  # how long a request or a response may be under way, at most
    held: float  # how long the client may be stopped between its last observation and the request, at most

    def random(self) -> float:
        """A random number from 0 to 1."""

    def latency(self, run: Run, now: float) -> float:
        """How long a request that is sent now is under way."""

    def kill(self, lane: Lane, url: str, post: bool) -> str | None:
        """Where the client dies: before this request, or with its POST sent or answered. None: nowhere."""

    def read(self, run: Run, url: str) -> str | None:
        """The name of what goes wrong with a read, of READS."""

    def post(self, run: Run) -> str | None:
        """What goes wrong with a POST.

        A name of LOST_RESPONSES, ':' and when it arrives; or a name of NOT_EXECUTED.
        """

    def jump(self, run: Run) -> float:
        """Seconds by which the client's calendar jumps now."""


class Lane:
    """One operator with a clock of his own, whose calendar may be wrong by `skew` seconds."""

    def __init__(self, world: World, number: int, begins: float, skew: float = 0.0) -> None:
        self.world, self.number, self.time, self.wake, self.skew = world, number, begins, begins, skew
        self.turn = threading.Lock()  # held by a lane that may not go on
        self.turn.acquire()
        self.run = Run("", None)
        self.runs: list[Run] = []
        self.asked = True  # whether the client has looked at its calendar since its last request
        self.clock = Clock(
            now=self.now,
            monotonic=lambda: self.time,
            sleep=self.sleep,
            random=world.director.random,
        )

    def now(self) -> float:
        """The calendar."""
        self.asked = True
        return EPOCH + self.time + self.skew

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        if self.run.dead:
            raise Killed
        if self.world.trace is not None and seconds > 0:
            self.world.say(self.time, f"{self.run.name} sleeps {seconds:.2f} s")
        self.time += max(0.0, seconds)

    def http(self, request: Request) -> Response:
        """One exchange with its faults, as a Transport."""
        run, director = self.run, self.world.director
        if run.dead:
            raise Killed
        if self.world.over is not None:
            raise self.world.over
        run.calls += 1
        post = request.method == "POST" and not SIGN_IN.match(request.url)
        kill = director.kill(self, request.url, post)
        if kill == "before":
            self.world.die(self, "before it sends " + request.method)
        jump, self.asked = director.jump(run), False
        if jump:
            self.world.say(self.time, f"{run.name}: its calendar jumps by {jump:.0f} s")
            self.skew += jump
        if post:
            return self._post(request, director.post(run), kill)
        return self._read(request, director.read(run, request.url))

    def _read(self, request: Request, fault: str | None) -> Response:
        run, world = self.run, self.world
        what = f"{run.name} {request.method} {_tail(request.url)}"
        world.reach(self, self.time + world.director.latency(run, self.time))
        name, *given = READS[fault] if fault else ("true response",)
        after_wrong = run.wrong_page and FURTHER.search(request.url) is not None
        run.wrong_page = bool(fault) or after_wrong
        if fault:  # it can end the observation, and a list that is not whole shows nothing
            run.shown.clear()
        if name in ("unsent", "reset", "timeout"):
            self.time += request.timeout if name == "timeout" else 0.0
            world.say(self.time, f"{what} -> {fault}")
            raise TransportError("The connection broke.", sent=name != "unsent")
        if name not in ("true response", "slow"):
            params = given[0] if given else {}
            response = world.scene.faulty(Fault(name, params=params), request, self.time)
        else:
            response = world.scene.read(request, self.time)
        # under another fault the response says nothing of the state, but then it is not used either
        run.last_read = self.time
        if STATE.search(request.url) and response.status == 200 and response.body().startswith(b"{"):
            made = self.time - (params.get("seconds", 0.0) if name == "stale" else 0.0)
            run.last_states = (*run.last_states[-1:], made)
        seen = received(response, self.world.scene.cloud.clock())
        if world.trace is not None:
            world.say(self.time, f"{what} {fault or ''} -> {seen.status} {brief(seen.body.decode())}")
        slow = min(world.director.slow * world.director.random(), request.timeout) if name == "slow" else 0.01
        self.time += slow
        # A page after a wrong one may contradict it: then the client rightly uses neither.
        whole = fault not in NEVER_WHOLE and not after_wrong
        run.shown.update(work.id for work in run.accepted if whole and work.id.encode() in seen.body)
        world.answered(self, seen)
        return seen

    def _post(self, request: Request, fault: str | None, kill: str | None) -> Response:
        run, world = self.run, self.world
        name, dummy, when = (fault or "ok").partition(":")
        if when == "held":
            self.time += world.director.random() * world.director.held
        if not request.may_leave():
            run.posts.append("not executed")
            world.say(self.time, f"{run.name} POST: too late to leave")
            raise TransportError("Its time was over before it could leave.", sent=False)
        if name in NOT_EXECUTED:
            run.posts.append("not executed")
            world.reach(self, self.time + 0.02)
            world.say(self.time, f"{run.name} POST -> {fault}")
            if name == "unsent":
                raise TransportError("No connection could be made.", sent=False)
            return self._instead(NOT_EXECUTED[name], request)
        run.posts.append("executed, perhaps")
        reach = functools.partial(world.process, request, run=run, states=run.last_states)
        delay = world.director.latency(run, self.time)
        if when == "slow":
            delay += world.director.random() * min(world.director.slow, request.timeout)
        response: wire.Response | None = None
        if kill == "sent":
            self._launch(reach, request.timeout, delay, when)
            world.die(self, f"with its POST under way ({when or 'at once'})")
        if when == "late":  # the client sees its fault now, the cloud sees the request later
            self._launch(reach, request.timeout, delay, when)
        elif when != "never":
            world.reach(self, self.time + delay)
            response = reach(self.time)
        world.say(self.time, f"{run.name} POST {fault or 'ok'}")
        if kill == "answered":
            world.die(self, "before it reads the response to its POST")
        self.time += request.timeout if name == "timeout" else 0.02
        if name in ("reset", "timeout"):
            raise TransportError("The connection broke.")
        if response is not None and name in ("ok", "slow"):
            seen = received(response, world.scene.cloud.clock())
            world.answered(self, seen)
            return seen
        return self._instead(LOST_RESPONSES[name], request)

    def _instead(self, fault: FaultSpec, request: Request) -> Response:
        """What the client receives instead of the true response."""
        name, params = fault
        response = self.world.scene.faulty(Fault(name, params=params), request, self.time)
        seen = received(response, self.world.scene.cloud.clock())
        self.world.say(self.time, f"{self.run.name} receives {seen.status} {seen.body.decode()[:200]}")
        self.world.answered(self, seen)
        return seen

    def _launch(self, reach: t.Callable[[float], t.Any], timeout: float, delay: float, when: str) -> None:
        """Let the POST arrive without its client."""
        if when == "never":
            return
        world = self.world
        limit = world.director.slow if when in ("late", "slow") else 0.0
        arrival = self.time + min(delay + world.director.random() * limit, timeout)
        world.later(arrival, reach)
        world.in_flight = max(world.in_flight, arrival)


class World:
    """The lanes, the cloud, and what is under way between them."""

    def __init__(self, scene: Scene, director: Director, trace: list[str] | None = None) -> None:
        self.scene, self.director, self.trace = scene, director, trace
        self.lanes: list[Lane] = []
        self.in_flight = 0.0  # until when a request of a client that no longer listens may be under way
        self.events: list[tuple[float, int, t.Callable[[float], t.Any]]] = []
        self._count = 0
        self.over: BaseException | None = None  # why no lane goes on
        self.perform: t.Callable[..., dict[str, t.Any]] | None = None  # instead of client.perform()

    def say(self, now: float, what: str) -> None:
        """Record what happens, for people."""
        if self.trace is not None:
            self.trace.append(f"{now:10.2f}  {what}")

    def answered(self, lane: Lane, response: Response) -> None:
        """A lane has received a response. Subclasses observe this."""

    def later(self, when: float, what: t.Callable[[float], t.Any]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self.events, (when, self._count, what))
        self._count += 1

    def process(self, request: Request, now: float, run: Run, states: tuple[float, ...]) -> wire.Response:
        """A POST arrives that was sent after observations of these times."""
        history = self.scene.history
        known = len(history)
        response = self.scene.post(request, now, run)
        self.say(now, f"cloud: POST of {run.name} arrives: {response.status} {response.body().decode()}")
        for work in history[known:]:
            self.say(now, f"cloud: starts {work}")
            seen = [now - made + self.scene.rules.blind for made in states]
            work.confirmed, work.observation_age = seen[0], seen[-1]
            run.accepted.append(work)
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
        """Let requests under way arrive."""
        while self.events and self.events[0][0] <= until:
            when, dummy, what = heapq.heappop(self.events)
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

        def body(lane: Lane) -> None:
            lane.turn.acquire()
            try:
                work(lane)
            except BaseException as problem:
                self.over = self.over or problem
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
        if self.over is not None:
            raise self.over


def received(response: wire.Response, now: float) -> Response:
    """Return a response of the cloud as the client's transport would return it."""
    headers = {"date": date(int(now)), **{name.lower(): value for name, value in response.headers.items()}}
    return Response(response.status, headers, response.body())


@functools.lru_cache(4096)
def date(now: int) -> str:
    """Return the Date header of a response."""
    return formatdate(now, usegmt=True)


def brief(text: str) -> str:
    """Return a response in short: of each object its ID, status, task and remark."""
    try:
        data = json.loads(text)
    except ValueError:
        return text[:200]
    data = data.get("job", data) if isinstance(data, dict) else data
    if isinstance(data, dict) and "status" in data:
        return shown(data)
    lists = [value for value in data.values() if isinstance(value, list)] if isinstance(data, dict) else []
    return f"{len(lists[0])} rows: {'; '.join(map(shown, lists[0][:4]))}" if lists else text[:200]


def shown(row: t.Any) -> str:
    """Return what a trace shows of an object of the cloud, or of a result."""
    found = {name: row[name] for name in SHOWN if row.get(name)} if isinstance(row, dict) else {"": row}
    return " ".join(f"{name}={value}" for name, value in found.items())


def _tail(url: str) -> str:
    return url.split("/", 6)[-1]


# What can go wrong. A fault is one of tests/cloud/faults.py with its parameters, or one of the connection.

FaultSpec = tuple[str, dict[str, t.Any]]
READS: dict[str, tuple[t.Any, ...]] = {
    "slow": ("slow",),
    "unsent": ("unsent",),
    "reset": ("reset",),
    "timeout": ("timeout",),
    "truncated": ("invalid_json",),
    "page": ("html_page",),
    "null": ("json_null",),
    "throttled": ("throttle",),
    "throttled with a time": ("throttle", {"retry_after": 7}),
    "500": ("server_error",),
    "502": ("bad_gateway",),
    "error under 200": ("error_in_body",),
    "expired": ("token_expired",),
    "denied": ("forbidden",),
    # responses that are true in part
    "newest left out": ("vanish", {"place": 0}),
    "newest left out, but counted": ("vanish", {"place": 0, "keep_total": True}),
    "oldest left out": ("vanish", {"place": -1}),
    "row repeated": ("repeat",),
    "row repeated, counted once": ("repeat", {"keep_total": True}),
    "total too large": ("total", {"add": 1}),
    "stale": ("stale", {"seconds": 5.0}),
    "numbers as floats": ("floats",),
}
# Under these the pages of a list contradict each other, so the client must not use it.
NEVER_WHOLE = (
    "newest left out, but counted",
    "row repeated",
    "row repeated, counted once",
    "total too large",
)
# These prove that a POST was not executed ...
NOT_EXECUTED: dict[str, FaultSpec] = {
    "unsent": ("", {}),
    "throttled": ("throttle", {}),
    "expired": ("token_expired", {}),
    "refused": ("refusal", {"code": "DCS.4062"}),
    "denied": ("forbidden", {}),
}
# ... and these do not: what the client gets instead of the response, whatever the cloud did.
LOST_RESPONSES: dict[str, FaultSpec] = {
    "reset": ("", {}),
    "timeout": ("", {}),
    "cut": ("body", {"content": '{"restore_id": "5', "status": 200, "processed": False}),
    "empty": ("body", {"content": "", "status": 200, "processed": False}),
    "no ID": (
        "answer",
        {"status": 200, "body": {"restore_id": {}, "backup_id": None, "job_id": ""}},
    ),
    "204": ("answer", {"status": 204, "body": ""}),
    "page": ("body", {"content": PAGE, "status": 200, "processed": False}),
    "page 400": ("body", {"content": PAGE, "status": 400, "processed": False}),
    "page 429": ("throttle", {"as_html": True}),
    "500": ("server_error", {}),
    "502": ("bad_gateway", {}),
    "504": ("gateway_timeout", {}),
    "408": ("refusal", {"status": 408, "code": "DCS.4099"}),
    "302": ("answer", {"status": 302, "headers": {"Location": "https://elsewhere.example/"}, "body": ""}),
    "error under 200": ("error_in_body", {}),
    "busy": ("busy", {}),  # a gateway that asks twice and shows the second response
}
