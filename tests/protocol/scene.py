# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated cloud of one schedule: its rules, its past, and the history of what it started."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Request
from tests.cloud import gateway
from tests.cloud import scenario as ids
from tests.cloud.breakage import Turn
from tests.cloud.faults import Fault
from tests.cloud.parts import PARTS
from tests.cloud.state import CloudState, DcsRestore, Item, Job, Operation, Settings
from tests.cloud.wire import Call, Response

from .kinds import BACKUP, BY_POST, EPOCH, KINDS, TARGET

ADDRESS = re.compile(r"https?://(\w+)[^/]*(/.*)")  # the host of an endpoint begins with its service
HEADERS = {"x-auth-token": ids.TOKEN, "content-type": "application/json"}
OTHER_WORK = "refreshSchema"  # a name that nobody documents


@dataclass
class Rules:
    """How this cloud behaves."""

    kind: str = "restore"  # the task: restore, backup, recovery or metadata
    seconds: t.Sequence[float] = (60.0,)  # operations take one of these
    settle: float = 0.0  # seconds for which the instance stays busy after that
    lag: float = 0.0  # share of an operation during which its record cannot be seen
    stale: float = 0.0  # seconds by which the status in a record is old
    blind: float = 0.0  # seconds by which the status of the instance is old
    by_task: bool = False  # the instance stays RUNNING and shows a task
    stripped: bool = False  # remarks are not kept
    fails: float = 0.0  # share of operations that fail
    job_of_source: bool = False  # a DDM job names the source instead of the target
    unnamed: bool = False  # the name of a DDM job does not say what it restores
    metadata_name: str = Settings.metadata_job_name  # that of a recovery of metadata, which nobody documents
    other_work: bool = False  # a job of other work has ended on the target, or comes with what holds it
    past: bool = False  # whether there are old records and jobs of the same backup and the same pair
    hidden: float = 0.0  # seconds for which the lists leave one of the old ones out


@dataclass
class Work:
    """One accepted restore, recovery or backup, an entry of the history. Times are virtual."""

    kind: str
    item: Item
    owner: t.Any  # the run whose request it was; None for somebody else's
    accepted: float
    seconds: float
    settle: float
    fails: bool
    observation_age: float = 0.0  # age in seconds of what the run knows about the instance
    confirmed: float = 0.0  # age in seconds of the observation before, with which it agrees

    @property
    def id(self) -> str:
        """The ID in the API."""
        return self.item.id

    @property
    def ends(self) -> float:
        """When its record becomes final."""
        return self.accepted + self.seconds

    @property
    def free(self) -> float:
        """When the instance serves again."""
        return self.accepted + self.seconds + self.settle

    def done(self, now: float) -> bool:
        """Whether it has succeeded by then."""
        return now >= self.ends and not self.fails

    def __str__(self) -> str:
        whose = self.owner.name if self.owner else "somebody else"
        return (
            f"{self.kind} {self.id} {self.item.what} of {whose}, "
            f"{self.accepted:.2f} to {self.ends:.2f}, free {self.free:.2f}{', fails' if self.fails else ''}"
        )


class Scene:
    """The simulated cloud in virtual time. `moment` is now; every request says when it arrives."""

    def __init__(self, rules: Rules, random: t.Callable[[], float]) -> None:
        self.rules, self._random, self.moment = rules, random, 0.0
        shows = "task" if rules.by_task else "status"
        settings = Settings(
            restoring_shows=shows,
            keep_remarks=not rules.stripped,
            record_lag=rules.stale,
            instance_lag=rules.blind,
            job_instance="source" if rules.job_of_source else "target",
            job_name="PitrToExisting" if rules.unnamed else Settings.job_name,
            metadata_job_name=rules.metadata_name,
        )
        self.cloud = CloudState(settings, clock=lambda: EPOCH + self.moment)
        ids.load(self.cloud, "small")
        if rules.past:
            _age(self.cloud, rules)
        self.history: list[Work] = []

    def read(self, request: Request, now: float) -> Response:
        """Respond to a request that starts nothing and arrives now."""
        self.moment = now
        return gateway.answer(self.cloud, self._call(request))

    def faulty(self, fault: Fault, request: Request, now: float) -> Response:
        """Respond with a fault of tests/cloud/faults.py, which also decides if the operation happens."""
        self.moment = now
        call = self._call(request)
        turn = Turn(call, fault, self.cloud.clock, lambda tweak: gateway.answer(self.cloud, call, tweak))
        fault.used += 1
        return at_once(fault.run(turn))

    def post(self, request: Request, now: float, owner: t.Any) -> Response:
        """Carry out a POST that arrives now, and enter what it starts in the history."""
        self.moment = now
        rules = self.rules
        call = self._call(request)
        seconds = rules.seconds[int(self._random() * len(rules.seconds))]
        call.hints.update(seconds=seconds, settle=rules.settle, visibility=seconds * rules.lag)
        if self._random() < rules.fails:
            call.hints["fail"] = "dcs.08.0007"
        known = len(self.cloud.begun)
        response = gateway.answer(self.cloud, call)
        for item in self.cloud.begun[known:]:
            kind = BY_POST[item.post]
            self.history.append(Work(kind, item, owner, now, seconds, rules.settle, "fail" in call.hints))
        return response

    def console(self, kind: str, now: float, other: bool = False) -> Response:
        """Somebody else restores, backs up or recovers; `other`: another backup, or to another target."""
        service = KINDS[kind].start.post.partition(".")[0]
        url, body = f"https://{service}.console{KINDS[kind].path}", json.dumps(KINDS[kind].console(other))
        return self.post(Request("POST", url, HEADERS, body.encode(), 1.0, 1), now, None)

    def enlarge(self, now: float, seconds: float) -> None:
        """Somebody else begins to enlarge the target, if nothing holds it, or other work with a job."""
        self.moment = now
        cloud, target = self.cloud, self.cloud.ddm_instances[TARGET]
        on_target = (work for work in self.history if work.item.held == TARGET)
        shown_free = all(now >= work.free + self.rules.blind for work in on_target)
        if target.status != "RUNNING" or (self.rules.other_work and not shown_free):
            return
        target.status = "GROWING"
        if self.rules.other_work:
            job = Job(f"{len(cloud.jobs):032x}", OTHER_WORK, TARGET, cloud.clock(), **Job.beginning)
            job.operation = Operation(job.created, seconds)
            cloud.jobs[job.id] = job
            cloud.begin(job)

    def enlarged(self, now: float) -> None:
        """The target serves again."""
        target = self.cloud.ddm_instances[TARGET]
        if target.status == "GROWING":
            target.status = "RUNNING"

    @staticmethod
    def _call(request: Request) -> Call:
        service, target = t.cast("re.Match[str]", ADDRESS.fullmatch(request.url)).groups()
        target = (PARTS[service].prefix if service in PARTS else "") + target
        headers = {name.lower(): value for name, value in request.headers.items()}
        return gateway.read(request.method, target, headers, request.body or b"")


def at_once(behaviour: t.Coroutine[t.Any, t.Any, Response | None]) -> Response:
    """Return what a fault gives back, which in virtual time must neither wait nor break a connection."""
    try:
        behaviour.send(None)
    except StopIteration as stop:
        return t.cast(Response, stop.value)
    behaviour.close()
    raise AssertionError("this fault waits: it is one of a connection")


def _age(cloud: CloudState, rules: Rules) -> None:
    """Give the cloud a past: old restores of the same backup and jobs of the same pair, one of them stuck.

    One that succeeded 20 days ago cannot be seen for the first `hidden` seconds.
    """
    now, day, hidden = cloud.clock(), ids.DAY, rules.hidden
    name = rules.metadata_name if rules.kind == "metadata" else "RestoreInstance"
    for number, (backup, age, status) in enumerate(
        ((BACKUP, 1800.0, "succeed"), (BACKUP, 2400.0, "failed"), (ids.GONE_BACKUP, 20 * day, "succeed"))
    ):
        made = now - age
        record = DcsRestore(
            f"a6155972-800c-4170-a479-0000000000{number:02d}",
            ids.DCS_INSTANCE,
            backup,
            "old",
            made,
            made + 240,
            status,
            "100.00",
            visible_at=now + hidden if status == "succeed" else 0.0,
        )
        cloud.dcs_restores[record.id] = record
    for number, (age, status) in enumerate(
        ((20 * day, "Completed"), (4 * day, "Failed"), (19 * day, "Running"))
    ):
        made = now - age
        job = Job(f"{number:032x}", name, TARGET, made, made + 170, status, "")
        if status == "Completed":
            job.visible_at = now + hidden
        cloud.jobs[job.id] = job
    if rules.other_work:
        job = Job(f"{len(cloud.jobs):032x}", OTHER_WORK, TARGET, now - 90, now - 30, "Completed", "")
        cloud.jobs[job.id] = job
