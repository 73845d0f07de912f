# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What DCS restores and backups have in common: their markers, and what the protocol observes of them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import called, printable, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import (
    age,
    is_stuck,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import (
    MARKER_LENGTH,
    marker,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import (
    watch_record,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    created,
    end,
    obstacle,
)

REMARK_LENGTH = 128  # characters (error DCS.4098)


def remark_with(user_text: str | None, marker: str) -> str:
    """Return the remark to send: the user's text and the marker, at most 128 characters together.

    Raises InvalidArgument.
    """
    user_text = (user_text or "").strip()
    if len(user_text) > REMARK_LENGTH - MARKER_LENGTH:
        raise InvalidArgument(
            f"remark has {len(user_text)} characters; {REMARK_LENGTH - MARKER_LENGTH} fit with the "
            "marker of the operation."
        )
    return f"{user_text} {marker}".strip()


def check_texts(params: t.Mapping[str, t.Any]) -> None:
    """Raise InvalidArgument for a remark that is too long, and for an operation_id that looks like another
    one: pasting brings invisible characters along.
    """
    remark_with(params["remark"], marker())
    given = params["operation_id"]
    if given is not None and printable(given) != given:
        raise InvalidArgument(
            f"operation_id {quoted(given)} holds an invisible or control character. Type it by hand."
        )


def described(instance: Row) -> str:
    """Return an instance for people: DCS instance orders-cache (its ID)."""
    return f"DCS instance {called(instance['instance_id'], instance['name'])}"


@dataclass(frozen=True)
class Records:
    """All records of one kind and their instance, as read at `now` (epoch ms by the cloud's clock).

    `active` are the unfinished ones, without the `stuck`: those are older than a day although the instance is
    idle.
    """

    rows: list[Row]
    instance: Row
    now: int
    active: list[Row]
    stuck: list[Row]

    @classmethod
    def of(cls, rows: list[Row], instance: Row, now: int) -> Records:
        """Return what was read, with the unfinished records sorted out."""
        unfinished = [row for row in rows if end(row) is None]
        stuck = [row for row in unfinished if obstacle(instance) is None and is_stuck(created(row), now)]
        return cls(rows, instance, now, [row for row in unfinished if row not in stuck], stuck)

    def others(self, running: t.Sequence[Row]) -> list[Row]:
        """Return the active records that are not among those of the operation."""
        return [row for row in self.active if row not in running]


@dataclass(frozen=True)
class DcsOperation(Operation):
    """Common to the restore and the backup of an instance. `instance` is what the plan has read."""

    dcs: Dcs
    instance: Row
    marker: str
    remark: str
    ignore_stuck: bool
    remark_key: t.ClassVar[str]
    kind: t.ClassVar[str]
    marked = True

    @property
    def instance_id(self) -> str:
        """The ID of the instance."""
        return t.cast(str, self.instance["instance_id"])

    def read(self, until: str | None = None) -> list[Row]:
        """Return all records of this kind, newest first, or only those down to the given one."""
        raise NotImplementedError

    def judge(self, records: Records) -> Observation:
        """Return what the records and the instance mean for this operation."""
        raise NotImplementedError

    def observe(self) -> Observation:
        """Read the instance and all its records."""
        instance = self.dcs.instance(self.instance_id)
        return self.judge(Records.of(self.read(), instance, self.dcs.now()))

    def first_observation(self) -> Observation:
        """Read all records; the instance is as the plan has read it a moment ago."""
        return self.judge(Records.of(self.read(), self.instance, self.dcs.now()))

    @property
    def about(self) -> Row:
        """The instance, and the marker at the end of the remark."""
        return {"instance_id": self.instance_id, "marker": self.marker}

    def check(self) -> None:
        """Raise for an instance that can be neither backed up nor restored."""
        if self.instance["cache_mode"] == "single":
            raise NotRestorable(
                f"{described(self.instance)} is single-node: it can be neither backed up nor restored."
            )

    def echoed(self, record: Row) -> bool:
        """Whether this same operation started a record: the exact end of its remark shows it."""
        return (record[self.remark_key] or "").endswith(self.marker)

    def watch(self, found: str) -> Watch:
        """Return how to wait for one record of this kind."""
        return watch_record(
            self.dcs,
            self.instance_id,
            self.name,
            self.id_key,
            found,
            lambda: self.read(found),
            self.about.get("backup_id"),
        )

    def describe(self, record: Row, now: int) -> str:
        """Return what an unfinished record says, with its age."""
        old = age(created(record), now)
        since = f" for {old}" if old else ""
        return f"{self.kind} {record[self.id_key]} has been {record['status']}{since}"

    def describe_other(self, record: Row, now: int) -> str:
        """Return why an unfinished record of another operation is in the way."""
        return self.describe(record, now)

    def describe_stuck(self, record: Row, now: int) -> str:
        """Return why a record is stuck, and how to ignore it."""
        return (
            f"{self.describe(record, now)}, although the instance is RUNNING and idle. It is stuck; "
            "ignore_stuck=true ignores it"
        )

    def observation(
        self, records: Records, running: t.Sequence[Row], done: Row | None, may_be_ours: bool
    ) -> Observation:
        """Return the observation in the protocol's terms.

        `may_be_ours`: what the instance does may be this operation, unless other records explain it.
        """
        rows, instance, others = records.rows, records.instance, records.others(running)
        blocked, in_the_way = obstacle(instance), bool(records.stuck) and not (self.ignore_stuck or others)
        if others:
            blocked = self.describe_other(others[0], records.now)
        elif in_the_way:
            blocked = self.describe_stuck(records.stuck[0], records.now)
        status = frozenset((row[self.id_key], row["status"]) for row in rows)
        return Observation(
            running=tuple(row[self.id_key] for row in running),
            done=done[self.id_key] if done else None,
            blocked=blocked,
            explained=bool(others) or not may_be_ours,
            stuck=in_the_way,
            own=frozenset(row[self.id_key] for row in rows if self.echoed(row)),
            records={row[self.id_key]: row for row in rows},
            created={row[self.id_key]: created(row) for row in rows},
            state=(instance["status"], instance["task"], status),
            status=instance["status"],
            task=instance["task"],
        )
