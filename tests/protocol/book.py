# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a client does next, by everything that its run has met, and what the cloud responds.

A schedule is replayed from its beginning, and most of it has been played before. A client that meets the same
responses at the same times does the same again. So the book knows its next request without the client: the
real one runs only where the book ends, and first meets again what its run has met so far. In the same way, a
cloud that was asked the same, at the same time and after the same POSTs, gives the same response.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import TransportError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Request,
    Response,
    always,
)
from tests.cloud import wire

from . import client
from .scene import Rules, Scene
from .world import Lane

Result = dict[str, t.Any]


class Moment(t.NamedTuple):
    """The clock of a lane, and whether the client has looked at its calendar since its last request."""

    time: float
    skew: float
    asked: bool

    @classmethod
    def of(cls, lane: Lane) -> Moment:
        """Read the clock."""
        return cls(lane.time, lane.skew, lane.asked)

    def set(self, lane: Lane) -> None:
        """Set the clock."""
        lane.time, lane.skew, lane.asked = self


Met = tuple[Response | TransportError, Moment]  # a response or a break, and when


class Step(t.NamedTuple):
    """A request or the result, when, and with which errors of the calendar the request may leave."""

    what: Request | Result
    when: Moment
    leaves: tuple[float, ...] = ()


@dataclass
class Answers:
    """The responses to reads, by what has happened to the cloud before."""

    found: dict[int, wire.Response] = field(default_factory=dict)
    same: dict[t.Hashable, wire.Response] = field(default_factory=dict)  # each response once


@dataclass
class Book:
    """The next step of a client by a hash of what its run has met."""

    jumps: t.Collection[float]  # by how much the calendar can jump after the client has asked for a request
    steps: dict[int, Step] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    requests: dict[t.Hashable, Request] = field(default_factory=dict)  # each request once: it saves memory

    def perform(self, kind: str, lane: Lane, params: dict[str, t.Any]) -> Result:
        """Do what client.perform() does."""
        began, met = Moment.of(lane), list[Met]()
        past = hash((kind, str(params), began))
        while past in self.steps:
            step = self.steps[past]
            step.when.set(lane)
            if isinstance(step.what, dict):
                return step.what
            met.append(exchange(lane, step.what._replace(may_leave=_bound(lane, step.leaves))))
            past = _longer(past, met[-1])
        began.set(lane)
        return self._continue(kind, lane, params, past, met)

    def _continue(self, kind: str, lane: Lane, params: dict[str, t.Any], past: int, met: list[Met]) -> Result:
        """Run the real client, and write down what it does after it has met what it met before."""
        known = iter(met)

        def http(request: Request) -> Response:
            nonlocal past
            again = next(known, None)
            if again is None:
                self.steps[past] = self._request(lane, request)
                again = exchange(lane, request)
                past = _longer(past, again)
            outcome, when = again
            when.set(lane)
            if isinstance(outcome, TransportError):
                raise outcome
            return outcome

        result = client.perform(kind, lane, params, http)
        self.steps[past] = Step(result, Moment.of(lane))
        return result

    def _request(self, lane: Lane, request: Request) -> Step:
        """Return a step that knows nothing of this lane and its client."""
        now, leaves = Moment.of(lane), list[float]()
        for skew in (now.skew, *(now.skew + jump for jump in self.jumps)) if request.method == "POST" else ():
            lane.skew = skew
            leaves += [skew] * request.may_leave()
        now.set(lane)
        bare = request._replace(may_leave=always)
        name = *bare[:2], *request.headers.items(), *bare[3:]
        return Step(self.requests.setdefault(name, bare), now, tuple(leaves))


def _bound(lane: Lane, leaves: tuple[float, ...]) -> t.Callable[[], bool]:
    """Return a may_leave() that looks at the calendar of a lane, as that of the client does."""

    def may_leave() -> bool:
        lane.now()
        return lane.skew in leaves

    return may_leave


class Answered(Scene):
    """A cloud that works out each response to a read once."""

    def __init__(self, rules: Rules, random: t.Callable[[], float], answers: Answers) -> None:
        super().__init__(rules, random)
        self._answers, self._past = answers, 0

    def read(self, request: Request, now: float) -> wire.Response:
        """Respond to a request that starts nothing and arrives now."""
        self.moment = now
        key = hash((self._past, request.method, request.url, request.body, now))
        if key not in self._answers.found:
            made = super().read(request, now)
            plain = wire.Response(made.status, headers=made.headers, raw=made.body())
            name = made.status, plain.raw, *made.headers.items()
            self._answers.found[key] = self._answers.same.setdefault(name, plain)
        return self._answers.found[key]

    def post(self, request: Request, now: float, owner: t.Any) -> wire.Response:
        """Carry out a POST that arrives now."""
        self._past = hash((self._past, request.url, request.body, now, self.rules.fails))
        return super().post(request, now, owner)


def exchange(lane: Lane, request: Request) -> Met:
    """Send a request, and return what comes back. A kill ends it."""
    try:
        outcome: Response | TransportError = lane.http(request)
    except TransportError as error:
        outcome = error
    return outcome, Moment.of(lane)


def _longer(past: int, met: Met) -> int:
    """Return the hash of a past to which something is added."""
    outcome, when = met
    if isinstance(outcome, TransportError):
        return hash((past, str(outcome), outcome.sent, when))
    return hash((past, outcome.status, outcome.body, *outcome.headers.items(), when))
