# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the simulated cloud holds, and how it changes while time passes.

Nothing here runs on its own: :meth:`Cloud.tick` brings every running operation up to the clock's time, and
is called before each request. So a test with its own clock can step through a restore without
sleeping.
"""

from __future__ import annotations

import copy
import random
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, ClassVar, Protocol, TypeVar

from .data import Data

WAITING_SHARE = 0.1  # the first part of an operation in which it is accepted but has not begun
MOVING_SHARE = 0.99  # as far as an operation gets while its data are on the way
MANUAL_BACKUPS_KEPT = 24
T = TypeVar("T")
R = TypeVar("R", bound="Item")
Held = TypeVar("Held", bound="Instance")


@dataclass
class Settings:
    """What a test can change. None of it is part of the cloud's contract."""

    restore_seconds: float = 0.3
    backup_seconds: float = 0.3
    settle_seconds: float = 0.0  # how long an instance stays busy after its operation has ended
    visibility_seconds: float = 0.0  # how long a new record or job cannot be seen
    token_seconds: float = 86400.0
    server_key_seconds: float = 86400.0  # of the keys that a cloud server reads from its metadata
    null_style: str = "braces"  # DCS: a null string as {} ("braces") or as null ("null")
    # An empty list: 204 without a body (DCS alone), else 200 with [] ("200"), null, or no list ("absent")
    empty_style: str = "204"
    job_instance: str = "target"  # which instance a restore job names: "target" or "source"
    # Only the Open Telekom Cloud documents it ("Status Description"); sister services use other names
    job_name: str = "RestoreInstance"
    metadata_job_name: str = "MetadataRecovery"  # documented nowhere, so nothing may rely on one
    # What a DCS instance shows meanwhile: its "status" RESTORING, a "task", or "both"
    restoring_shows: str = "both"
    keep_remarks: bool = True
    record_lag: float = 0.0  # seconds by which the status in a record or job is old
    instance_lag: float = 0.0  # seconds by which the status of an instance is old
    lock_after: int = (
        5  # the number of refused signatures in a row that locks an access key for five minutes; 0: none does
    )


@dataclass
class Operation:
    """Anything that takes time, and how it will end."""

    started: float
    seconds: float
    settle: float = 0.0
    fail: str | None = None  # the error code or reason it ends with
    stuck: bool = False  # never gets further than half
    leave: str = "RUNNING"  # the instance status afterwards

    def share(self, now: float) -> float:
        done = 1.0 if self.seconds <= 0 else (now - self.started) / self.seconds
        return min(max(done, 0.0), 0.5 if self.stuck else 1.0)

    def settled(self, now: float) -> bool:
        return not self.stuck and now >= self.started + self.seconds + self.settle


class Instance(Protocol):
    """What an operation keeps busy."""

    id: str


class Item:
    """What a request starts: a record or a job, which changes until its operation is over.

    - `post`: the operation in the ledger that makes one; `overwrites`: whether it overwrites an instance.
    - `beginning`: its fields when it begins.
    - `idle`: the fields of the instance before it; `busy`: those while it runs.
    - `held`: the instance that it keeps busy; `what`: what it brings there, for the tests to compare.
    """

    post: ClassVar[str]
    overwrites: ClassVar[bool] = True
    beginning: ClassVar[dict[str, Any]]
    idle: ClassVar[dict[str, Any]]
    id: str
    operation: Operation | None

    @property
    def held(self) -> str:
        raise NotImplementedError

    def busy(self, settings: Settings) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def what(self) -> tuple[Any, ...]:
        return ()

    @classmethod
    def past(cls, new_id: str, instance_id: str, ended: float) -> Item:
        """One that has ended in the past, as the history of an instance has many."""
        raise NotImplementedError(f"{cls.__name__}.past() makes a record of the history of an instance")

    def advance(self, operation: Operation, now: float) -> None:
        """Bring it up to a moment."""
        raise NotImplementedError

    def release(self, cloud: CloudState, operation: Operation) -> None:
        """The operation is over: free the instance that it kept busy."""
        raise NotImplementedError


class DcsRecord(Item):
    """What the records of a backup and of a restore have in common."""

    beginning: ClassVar[dict[str, Any]] = {"status": "waiting", "progress": "0.00", "error_code": None}
    idle: ClassVar[dict[str, Any]] = {"status": "RUNNING", "task": None}
    active: ClassVar[str]  # its status while it runs
    instance_id: str
    status: str
    progress: str
    error_code: str | None
    updated_at: float

    @property
    def held(self) -> str:
        return self.instance_id

    def advance(self, operation: Operation, now: float) -> None:
        share = operation.share(now)
        if self.status not in ("waiting", self.active):
            return
        if share >= 1.0:
            self.status = "failed" if operation.fail else "succeed"
            self.error_code = operation.fail
            self.updated_at = operation.started + operation.seconds
        elif share >= WAITING_SHARE:
            self.status = self.active
            self.updated_at = now
        self.progress = f"{100 * share:.2f}"

    def release(self, cloud: CloudState, operation: Operation) -> None:
        instance = cloud.dcs_instances.get(self.instance_id)
        if instance is not None:
            self.leave(instance, cloud, operation)
            instance.task = None
            instance.updated_at = operation.started + operation.seconds

    def leave(self, instance: DcsInstance, cloud: CloudState, operation: Operation) -> None:
        """Leave the instance as it is afterwards."""
        raise NotImplementedError


@dataclass
class DcsInstance:
    id: str
    name: str
    cache_mode: str = "ha"
    status: str = "RUNNING"
    task: str | None = None
    engine: str = "Redis"
    engine_version: str = "6.0"
    capacity: int = 2
    created_at: float = 0.0
    updated_at: float = 0.0
    ip: str = "192.168.1.20"
    port: int = 6379
    enable_ssl: bool = False
    restored_from: str | None = None  # the backup whose data it holds now, for tests
    tags: dict[str, str] = field(default_factory=dict)
    enterprise_project_id: str = "0"


@dataclass
class DcsBackup(DcsRecord):
    post, active, overwrites = "dcs.backup", "backuping", False
    id: str
    instance_id: str
    created_at: float
    updated_at: float
    backup_type: str = "manual"
    status: str = "succeed"
    support_restore: bool = True
    backup_format: str = "rdb"
    size: int = 104_857_600
    remark: str | None = None
    error_code: str | None = None
    progress: str = "100.00"
    visible_at: float = 0.0
    operation: Operation | None = None

    def busy(self, settings: Settings) -> dict[str, Any]:
        return {"status": "RUNNING", "task": "BACKUPING"}  # a backup does not stop the service

    @classmethod
    def past(cls, new_id: str, instance_id: str, ended: float) -> DcsBackup:
        return cls(new_id, instance_id, ended, ended, "auto")

    def leave(self, instance: DcsInstance, cloud: CloudState, operation: Operation) -> None:
        if operation.fail:
            return
        manual = [
            b
            for b in cloud.dcs_backups.values()
            if b.instance_id == self.instance_id and b.backup_type == "manual" and b.status == "succeed"
        ]
        for old in sorted(manual, key=lambda b: b.created_at)[:-MANUAL_BACKUPS_KEPT]:
            old.status = "deleted"


@dataclass
class DcsRestore(DcsRecord):
    post, active = "dcs.restore", "restoring"
    id: str
    instance_id: str
    backup_id: str
    backup_name: str
    created_at: float
    updated_at: float
    status: str = "waiting"
    progress: str = "0.00"
    remark: str | None = None
    backup_remark: str | None = None
    error_code: str | None = None
    visible_at: float = 0.0
    operation: Operation | None = None

    def busy(self, settings: Settings) -> dict[str, Any]:
        shows = settings.restoring_shows
        return {
            "status": "RUNNING" if shows == "task" else "RESTORING",
            "task": None if shows == "status" else "RESTORING",
        }

    @property
    def what(self) -> tuple[Any, ...]:
        return (self.backup_id,)

    @classmethod
    def past(cls, new_id: str, instance_id: str, ended: float) -> DcsRestore:
        return cls(new_id, instance_id, new_id, "old", ended, ended, "succeed", "100.00")

    def leave(self, instance: DcsInstance, cloud: CloudState, operation: Operation) -> None:
        if {"status": instance.status, "task": instance.task} == self.busy(cloud.settings):
            instance.status = operation.leave
            if not operation.fail:
                instance.restored_from = self.backup_id


@dataclass
class DdmInstance:
    id: str
    name: str
    status: str = "RUNNING"
    engine_version: str = "3.1.4"
    vpc_name: str = "vpc-production"
    data_nodes: list[str] = field(default_factory=list)
    accounts: int = 0
    created: float = 0.0
    updated: float = 0.0
    access_ip: str = "192.168.0.5"
    access_port: int = 5066
    restored_to: int | None = None  # the point in time (ms) whose data it holds now
    enterprise_project_id: str = "0"


@dataclass
class DataNode:
    id: str
    name: str
    status: str = "normal"
    engine_name: str = "mysql"
    version: str = "8.0.28"
    volume_size: int = 40_000_000_000
    vpc_name: str = "vpc-production"
    private_ip: str = "192.168.0.10"
    read_only: bool = False


@dataclass
class DdmBackup:
    id: str
    name: str
    instance_id: str
    created: float
    updated: float
    description: str = "auto metadata backup"
    status: str = "normal"
    backup_type: str = "auto_metadata"
    file_size: float = 5.419922
    data_nodes: list[str] = field(default_factory=list)


@dataclass
class Job(Item):
    post = "ddm.recovery"
    beginning: ClassVar[dict[str, Any]] = {
        "status": "Running",
        "process": "0%",
        "fail_reason": None,
        "ended": None,
    }
    idle: ClassVar[dict[str, Any]] = {"status": "RUNNING", "data_nodes": []}
    id: str
    name: str
    instance_id: str
    created: float
    ended: float | None = None
    status: str = "Running"
    process: str = "0%"
    fail_reason: str | None = None
    visible_at: float = 0.0
    operation: Operation | None = None
    source_id: str = ""
    target_id: str = ""
    restore_time: int | None = None
    data_nodes: list[str] = field(default_factory=list)
    relations: dict[str, str] = field(default_factory=dict)  # source data node -> target data node

    def busy(self, settings: Settings) -> dict[str, Any]:
        return {"status": "RESTORE", "data_nodes": []}  # it gets its data nodes at the end

    @property
    def held(self) -> str:
        return self.target_id

    @property
    def what(self) -> tuple[Any, ...]:
        return self.source_id, self.target_id, self.restore_time

    @classmethod
    def past(cls, new_id: str, instance_id: str, ended: float) -> Job:
        return cls(new_id, "CreateInstance", instance_id, ended, ended, "Completed", "")

    def advance(self, operation: Operation, now: float) -> None:
        share = operation.share(now)
        if self.status != "Running":
            return
        if share >= 1.0:
            self.status = "Failed" if operation.fail else "Completed"
            self.fail_reason = operation.fail
            self.process = ""
            self.ended = operation.started + operation.seconds
        else:
            self.process = f"{int(100 * share)}%"

    def release(self, cloud: CloudState, operation: Operation) -> None:
        for node in self.data_nodes:
            cloud.data_nodes[node].status = "normal"
        target = cloud.ddm_instances.get(self.target_id)
        if target is not None and target.status == "RESTORE":
            target.status = operation.leave
            target.updated = operation.started + operation.seconds
            if not operation.fail:
                target.data_nodes = list(self.data_nodes)
                target.restored_to = self.restore_time


@dataclass
class MetadataJob(Job):
    """A recovery of metadata alone, one of the jobs."""

    post = "ddm.metadata_recovery"
    backup_id: str | None = None

    @property
    def what(self) -> tuple[Any, ...]:
        return *super().what, self.backup_id, *self.data_nodes


@dataclass
class Token:
    value: str
    project_id: str | None
    expires_at: float


@dataclass
class Key:
    """An access key; ``security_token`` and ``expires_at`` are set for a temporary one."""

    access: str
    secret: str
    security_token: str | None = None
    failures: int = 0
    locked_until: float = 0.0
    domain_id: str = ""  # the account it acts in; "" is the cloud's own
    expires_at: float | None = None


@dataclass
class Agency:
    """A permission of an account for another account, or for its cloud servers, to act in its name."""

    name: str
    domain_id: str  # the account that it acts in
    trusted_domain_id: str  # the account whose users may assume it


@dataclass
class User:
    name: str
    password: str
    domain: str


class CloudState:
    """The whole state. Change it under ``lock`` while the server runs."""

    def __init__(
        self,
        settings: Settings | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        data: Data | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.data = data or Data()
        self.clock = clock
        self.random = random.Random(seed)
        self.lock = threading.RLock()
        self.region = ""
        self.projects: dict[str, str] = {}  # ID -> name
        self.disabled_projects: dict[str, str] = {}  # ID -> name
        self.domain_id = ""  # the account that owns every project but those in `project_domains`
        self.domains: dict[str, str] = {}  # account ID -> name
        self.project_domains: dict[str, str] = {}  # project ID -> account ID
        self.agencies: list[Agency] = []
        self.instance_agency: Agency | None = None  # of the cloud server that asks for its metadata
        self.users: list[User] = []
        self.keys: dict[str, Key] = {}
        self.tokens: dict[str, Token] = {}
        self._objects: dict[type, dict[str, Any]] = {}
        self.dcs_instances = self.of(DcsInstance)
        self.dcs_backups = self.of(DcsBackup)
        self.dcs_restores = self.of(DcsRestore)
        self.ddm_instances = self.of(DdmInstance)
        self.ddm_backups = self.of(DdmBackup)
        self.data_nodes = self.of(DataNode)
        self.jobs = self.of(Job)
        self.intervals: dict[
            str, list[tuple[float, float]]
        ] = {}  # DDM instance -> (start, end) in seconds before now
        self.begun: list[Item] = []  # everything that a request has started, in order
        self._running: list[Item] = []
        self._moving: dict[str, Future[None]] = {}  # record or job -> its data on the way

    # Names for new things. They come from the seed, so that two runs of a test see the same ones.

    def new_uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_hex(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    # Accounts

    def domain_of(self, project_id: str) -> str:
        return self.project_domains.get(project_id, self.domain_id)

    def domain_of_key(self, key: Key) -> str:
        return key.domain_id or self.domain_id

    # Looking around

    def find(self, object_id: str) -> Any:
        """Any object by its ID, or None."""
        for collection in self._objects.values():
            if object_id in collection:
                return collection[object_id]
        return None

    def of(self, kind: type[T]) -> dict[str, T]:
        """All objects of a class, by their IDs."""
        return self._objects.setdefault(kind, {})

    def kind_of(self, post: str) -> type[Item]:
        """The class of which an operation makes an object."""
        found = [kind for kind in self._objects if issubclass(kind, Item)]
        kinds = [*found, *(one for kind in found for one in kind.__subclasses__())]
        return next(kind for kind in kinds if kind.post == post)

    def made_by(self, post: str) -> dict[str, Any]:
        """All objects of that class, or of the one that it is a part of."""
        made = self.kind_of(post)
        return next(found for kind, found in self._objects.items() if issubclass(made, kind))

    def collections(self) -> dict[str, dict[str, Any]]:
        """All objects, by the names of their classes: those of DcsInstance are dcs_instances."""
        return {
            re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() + "s": found
            for kind, found in self._objects.items()
        }

    def owner(self, data_node_id: str) -> DdmInstance | None:
        return next((i for i in self.ddm_instances.values() if data_node_id in i.data_nodes), None)

    def intervals_of(self, instance_id: str) -> Iterator[tuple[float, float]]:
        """Restorable intervals as epoch seconds; whole seconds, because that is all the API can say."""
        now = self.clock()
        for start, end in self.intervals.get(instance_id, []):
            yield float(int(now - start)), float(int(now - end))

    # Time

    def operation(self, seconds: float, hints: dict[str, Any]) -> Operation:
        """An operation that starts now; ``hints`` is what a fault demands of it."""
        return Operation(
            started=self.clock(),
            seconds=hints.get("seconds", seconds),
            settle=hints.get("settle", self.settings.settle_seconds),
            fail=hints.get("fail"),
            stuck=hints.get("stuck", False),
            leave=hints.get("leave", "RUNNING"),
        )

    def visible_from(self, hints: dict[str, Any]) -> float:
        return self.clock() + float(hints.get("visibility", self.settings.visibility_seconds))

    def begin(self, item: Item) -> None:
        self.begun.append(item)
        self._running.append(item)
        operation = item.operation
        if operation is None or operation.fail or operation.stuck:
            return
        moving = self.data.begin(item)
        if moving is not None:
            self._moving[item.id] = moving

    def tick(self) -> None:
        """Bring every running operation up to now."""
        now = self.clock()
        self._running = [item for item in self._running if not self._advance(item, now)]

    def _advance(self, item: Item, now: float) -> bool:
        operation = item.operation
        if operation is None:
            return True
        self._follow_data(item.id, operation, now)
        item.advance(operation, now)
        if not operation.settled(now):
            return False
        item.release(self, operation)
        return True

    # Older states

    def record_as_of(self, item: R, moment: float) -> R:
        """A record or job as it was then, at the earliest as it began (``visible_at`` hides one)."""
        operation = item.operation
        if operation is None or moment >= operation.started + operation.seconds:
            return item
        past = copy.copy(item)
        vars(past).update(item.beginning)
        past.advance(operation, max(moment, operation.started))
        return past

    def as_of(self, instance: Held, moment: float) -> Held:
        """An instance as it was then, as far as what was requested changed it."""
        last = next((item for item in reversed(self.begun) if item.held == instance.id), None)
        if last is None or last.operation is None or last.operation.settled(moment):
            return instance
        held = self.holder(instance.id, moment)
        then = copy.copy(instance)
        vars(then).update(last.idle if held is None else held.busy(self.settings))
        return then

    def holder(self, instance_id: str, moment: float) -> Item | None:
        """What keeps an instance busy at a moment, or None."""
        for item in reversed(self.begun):
            operation = item.operation
            if item.held == instance_id and operation and operation.started <= moment:
                return None if operation.settled(moment) else item
        return None

    def _follow_data(self, item_id: str, operation: Operation, now: float) -> None:
        """An operation takes as long as its data need, and fails with them."""
        moving = self._moving.get(item_id)
        if moving is None:
            return
        if not moving.done():
            operation.seconds = max(operation.seconds, (now - operation.started) / MOVING_SHARE)
            return
        del self._moving[item_id]
        error = moving.exception()
        if error is not None:
            operation.fail, operation.leave = str(error), "ERROR"


# Times, as each service writes them


def iso_ms(moment: float) -> str:
    """DCS: 2017-07-18T21:41:20.721Z"""
    return (
        datetime.fromtimestamp(moment, timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds")
        + "Z"
    )


def iso_offset(moment: float) -> str:
    """DDM: 2025-05-20T09:40:40+0000"""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")


def iso_micro(moment: float) -> str:
    """IAM: 2015-11-09T01:42:57.527363Z"""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stamp(moment: float) -> str:
    """DCS queries and names: 20170718214120"""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y%m%d%H%M%S")
