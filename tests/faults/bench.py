# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run an operation over real sockets, in time that is mostly virtual.

For client and cloud alike, a sleep of a minute costs a few milliseconds.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _arguments, _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import TransportError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Http,
    Request,
    Response,
)
from tests import invoke
from tests.cases import CASES, STARTS, Start
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.unit.fakes import redacting

# Real seconds that stand for a whole HTTP timeout: enough for a slow machine, or few, where no response comes
PATIENCE, IMPATIENCE = 10.0, 0.3


class Time:
    """A calendar and a stopwatch that advance during a sleep. `jump` moves only the client's calendar."""

    def __init__(self, pace: float = 1 / 4000) -> None:
        self.pace, self.ahead, self.jump = pace, 0.0, 0.0

    def reset(self) -> None:
        self.ahead, self.jump, self.pace = 0.0, 0.0, 1 / 4000

    def cloud(self) -> float:
        return time.time() + self.ahead

    def calendar(self) -> float:
        return self.cloud() + self.jump

    def stopwatch(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds
        time.sleep(seconds * self.pace)

    @property
    def clock(self) -> Clock:
        return Clock(self.calendar, self.stopwatch, self.sleep, random.Random(1).random)


class Wire:
    """The real transport with less patience.

    It can lead the POST elsewhere, and reports when it is sent and when its fate is known.
    """

    def __init__(
        self,
        clock: Time,
        verify: bool = True,
        ca_path: str | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.time, self.http = clock, Http(verify, ca_path, redactor)
        # Where the next POSTs go instead; None: to their own address
        self.post_ways: Iterator[str | None] = iter(())
        self.read_ways: Iterator[str | None] = iter(())  # the same for reads
        self.before_post: list[Callable[[], Any]] = []
        self.after_post: list[Callable[[], Any]] = []
        self.patience = PATIENCE
        self.tried = 0  # POSTs handed to the transport

    def __call__(self, request: Request) -> Response:
        fresh = request.fresh
        if fresh:
            self.tried += 1
            while self.before_post:
                self.before_post.pop(0)()
        way = next(self.post_ways if fresh else self.read_ways, None)
        if way:
            there = urlsplit(way)
            url = urlsplit(request.url)._replace(scheme=there.scheme, netloc=there.netloc).geturl()
            request = request._replace(url=url)
        try:
            return self._exchange(request)
        finally:
            while fresh and self.after_post:
                self.after_post.pop(0)()

    def _exchange(self, request: Request) -> Response:
        begun, patience = time.monotonic(), min(request.timeout, self.patience)
        try:
            return self.http(request._replace(timeout=patience))
        except TransportError:
            if time.monotonic() - begun >= patience:
                self.time.ahead += request.timeout - patience
            raise


@dataclass(frozen=True)
class Operation:
    """A request that must not be repeated, with the calls around it: a row of tests/cases.py."""

    name: str
    start: Start
    id_name: str
    params: Mapping[str, Any]

    @property
    def post(self) -> str:
        return self.start.post

    @property
    def service(self) -> str:
        return self.post.partition(".")[0]

    @property
    def by_job(self) -> bool:
        """Whether a job shows it, and not a record with a marker."""
        return self.id_name == "job_id"


BY_NAME = {
    name: Operation(name, start, CASES[name].key, {**CASES[name].good, **start.marker})
    for name, start in STARTS.items()
}
DCS_RESTORE, DDM_RECOVERY, DDM_METADATA, DCS_BACKUP = (
    BY_NAME[name] for name in ("dcs_restore", "ddm_recovery", "ddm_metadata_recovery", "dcs_backup")
)
# The restores come first: where one of them is enough, a test takes the first.
AFTER_THE_RESTORES = (DDM_METADATA, DCS_BACKUP)
OPERATIONS = tuple(sorted(BY_NAME.values(), key=lambda operation: operation in AFTER_THE_RESTORES))


@dataclass
class Outcome:
    """What the task reported, what the cloud received, and the duration in virtual and in real seconds."""

    result: dict[str, Any]
    received: int
    executed: int
    effects: int
    elapsed: float
    real: float
    secrets: set[str]


@dataclass
class Bench:
    """A cloud, a clock and a wire for one case."""

    sim: Simulator
    time: Time
    wire: Wire = field(init=False)
    env: dict[str, str] = field(init=False)
    params: dict[str, Any] = field(init=False)
    secrets: set[str] = field(default_factory=set)
    through: Callable[..., dict[str, Any]] = field(default_factory=lambda: perform)

    def __post_init__(self) -> None:
        self.time.reset()
        self.sim.reset()
        self.wire = Wire(
            self.time,
            ca_path=str(self.sim.ca_file) if self.sim.ca_file else None,
            redactor=redacting(self.secrets),
        )
        self.env = dict(self.sim.env)
        self.params = {}

    def run(self, operation: Operation, **params: Any) -> Outcome:
        """Run the module's own decision as the module does."""
        begun, real = self.time.stopwatch(), time.monotonic()
        result = self.through(
            operation.name,
            {**operation.params, **self.params, **params},
            self.env,
            self.secrets,
            clock=self.time.clock,
            http=self.wire,
        )
        elapsed, real = self.time.stopwatch() - begun, time.monotonic() - real
        posts = self.sim.posts(operation.post)
        executed = sum(entry.handled is not None and entry.handled < 300 for entry in posts)
        return Outcome(
            result, len(posts), executed, self.sim.started(operation.post), elapsed, real, self.secrets
        )

    def sign_in_by_password(self) -> None:
        """Use a user's password instead of access keys."""
        for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY"):
            del self.env[name]
        self.env.update(HW_USER_NAME=names.USER, HW_USER_PASSWORD=names.PASSWORD, HW_DOMAIN_NAME=names.DOMAIN)

    def sign_in_by_token(self) -> None:
        """Use a token that the user already has."""
        for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY"):
            del self.env[name]
        self.env["HW_AUTH_TOKEN"] = names.TOKEN


@functools.cache
def declared(name: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """What a module hands to the runner: its plan(), all its options and its rules."""
    module = invoke.code(name)
    with mock.patch.object(module, "run_module") as runner:
        module.main()
    plan, options = runner.call_args.args
    rules = dict(runner.call_args.kwargs)
    waits = rules.pop("wait", False)
    return plan, {**_arguments.CONNECTION, **(_arguments.WAIT if waits else {}), **options}, rules


def perform(
    name: str,
    params: Mapping[str, Any],
    env: Mapping[str, str],
    secrets: set[str],
    dry_run: bool = False,
    **context: Any,
) -> dict[str, Any]:
    """Return a module's result from its plan(), with every option that is not given at its default."""
    plan, spec, rules = declared(name)
    given = {**{option: terms.get("default") for option, terms in spec.items()}, **params}
    return _runner.perform(
        plan,
        given,
        spec,
        rules,
        dry_run,
        redacting(secrets),
        environ={"HOME": "/nonexistent", **env},
        **context,
    )


@contextmanager
def cloud(clock: Time, **settings: Any) -> Iterator[Simulator]:
    """A cloud in virtual time, in which an operation takes half a minute."""
    with Simulator(clock=clock.cloud, **{"restore_seconds": 30.0, "backup_seconds": 30.0, **settings}) as sim:
        yield sim
