# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol looks at for DCS: restores and backups, their markers, and when one has really ended."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    NotFound,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import epoch_ms, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import MARKER_LENGTH
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row, usable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import (
    ENDED,
    obstacle,
    watch_record,
)

REMARK_LENGTH = 128  # characters (error DCS.4098)


def remark_with(user_text: str | None, marker: str) -> str:
    """Return the remark to send: the user's text and the marker, at most 128 characters together. Raises InvalidArgument."""
    user_text = (user_text or "").strip()
    if len(user_text) > REMARK_LENGTH - MARKER_LENGTH:
        raise InvalidArgument(
            f"remark has {len(user_text)} characters; {REMARK_LENGTH - MARKER_LENGTH} are possible beside "
            "the marker of the operation."
        )
    return f"{user_text} {marker}".strip()


def unfinished(rows: t.Iterable[Row]) -> list[Row]:
    """Return the records that are not in a documented final state."""
    return [row for row in rows if row["status"] not in ENDED]


def restoring(instance: Row) -> bool:
    """Whether an instance shows that it restores: by its status, or by its task while the status stays RUNNING."""
    return "RESTOR" in f"{instance['status']} {instance['task']}".upper()


@dataclass(frozen=True)
class DcsOperation(Operation):
    """Common to the restore and the backup of an instance. `instance` is what the plan has read of it."""

    dcs: Dcs
    instance: Row
    marker: str
    remark: str
    remark_key: t.ClassVar[str]

    @property
    def instance_id(self) -> str:
        """The id of the instance."""
        return t.cast(str, self.instance["instance_id"])

    def read(self, until: str | None = None) -> list[Row]:
        """Return all records of this kind, newest first, or those read until this one was met."""
        raise NotImplementedError

    def judge(self, records: list[Row], instance: Row) -> Observation:
        """Return what the records mean to this operation."""
        raise NotImplementedError

    def observe(self) -> Observation:
        """Read the instance and all its records."""
        instance = self.dcs.instance(self.instance_id)
        return self.judge(self.read(), instance)

    def first(self) -> Observation:
        """Read all records; the instance is as the plan has read it a moment ago."""
        return self.judge(self.read(), self.instance)

    def check(self) -> None:
        """Raise for an instance that can neither be backed up nor restored."""
        if self.instance["cache_mode"] == "single":
            raise NotRestorable(
                f"DCS instance {self.instance_id} is single-node: it can neither be backed up nor restored."
            )

    def echoed(self, record: Row) -> bool:
        """Whether a record was started by this same operation: by its remark's exact end."""
        return (record[self.remark_key] or "").endswith(self.marker)

    def watch(self, found: str) -> Watch:
        """Return how to wait for one record of this kind."""
        return watch_record(
            self.dcs, self.instance_id, self.name, self.id_key, found, lambda: self.read(found)
        )

    def observation(
        self,
        records: list[Row],
        instance: Row,
        running: t.Sequence[Row],
        done: Row | None,
        blocked: str | None,
        explained: bool,
    ) -> Observation:
        """Return the observation in the protocol's terms."""
        status = frozenset((row[self.id_key], row["status"]) for row in records)
        return Observation(
            running=tuple(row[self.id_key] for row in running),
            done=done[self.id_key] if done else None,
            blocked=blocked,
            explained=explained,
            own=frozenset(row[self.id_key] for row in records if self.echoed(row)),
            records={row[self.id_key]: row for row in records},
            state=(instance["status"], instance["task"], status),
        )


@dataclass(frozen=True)
class DcsRestore(DcsOperation):
    """Restore one backup to the instance it was made of. `backup` is its record, None when it is not in the list."""

    backup_id: str
    backup: Row | None
    id_key, record_key, remark_key = "restore_id", "restore", "restore_remark"

    def read(self, until: str | None = None) -> list[Row]:
        """Return all restore records."""
        return self.dcs.restores(self.instance_id, until)

    def check(self) -> None:
        """Raise unless the instance can be restored, and the backup is its own and usable."""
        super().check()
        check_backup(self.backup, self.backup_id, self.instance_id)

    def post(self) -> Reply:
        """Send the restore."""
        return self.dcs.restore(self.instance_id, self.backup_id, self.remark)

    def judge(self, records: list[Row], instance: Row) -> Observation:
        """Adopt an unfinished restore of the same backup; the newest one with our marker that succeeded is what this run wants."""
        active = unfinished(records)
        running = [row for row in active if row["backup_id"] == self.backup_id]
        others = [row for row in active if row["backup_id"] != self.backup_id]
        newest = records[0] if records else None
        done = newest if newest and newest["status"] == "succeed" and self.echoed(newest) else None
        blocked = obstacle(instance)
        if done and restoring(instance) and not running:
            running = [done]  # its record says succeed, its instance does not serve yet
        if others:
            other = others[0]
            blocked = (
                f"restore {other['restore_id']} of another backup ({other['backup_id']}) is {other['status']}"
            )
        explained = bool(others) or not restoring(instance)
        return self.observation(records, instance, running, done, blocked, explained)


@dataclass(frozen=True)
class DcsBackup(DcsOperation):
    """Make a backup. `repeatable` (no operation_id was given): a finished backup with the marker is not enough, each run makes one."""

    repeatable: bool
    backup_format: str | None
    id_key, record_key, remark_key = "backup_id", "backup", "remark"

    def read(self, until: str | None = None) -> list[Row]:
        """Return all backup records."""
        return self.dcs.backups(self.instance_id, until)

    def post(self) -> Reply:
        """Send the backup."""
        return self.dcs.back_up(self.instance_id, self.remark, self.backup_format)

    def judge(self, records: list[Row], instance: Row) -> Observation:
        """Adopt an unfinished backup with our marker; with an operation_id, one that succeeded is what this run wants."""
        active = unfinished(records)
        running = [row for row in active if self.echoed(row)]
        others = [row for row in active if not self.echoed(row)]
        ready = [row for row in records if row["status"] == "succeed" and self.echoed(row)]
        done = ready[0] if ready and not self.repeatable else None
        blocked = obstacle(instance)
        if others:
            blocked = f"backup {others[0]['backup_id']} is {others[0]['status']}"
        explained = bool(others) or not instance["task"]
        return self.observation(records, instance, running, done, blocked, explained)


def choose_backup(backups: list[Row], params: dict[str, t.Any], now_ms: int) -> Row | None:
    """Return the backup asked for by its ID, or the newest usable one made at or before restore_point."""
    if params["backup_id"]:
        return next((row for row in backups if row["backup_id"] == params["backup_id"]), None)
    point = (
        now_ms
        if params["restore_point"] == "latest"
        else epoch_ms(params["restore_point"], "restore_point", now_ms)
    )
    found = next(
        (row for row in backups if usable(row) and (moment(row["created_at"]) or now_ms + 1) <= point), None
    )
    if found is None:
        raise NotRestorable(
            f"DCS instance {params['instance_id']} has no usable backup at or before {params['restore_point']}."
        )
    return found


def unusable(backup: Row) -> str | None:
    """Return why a backup cannot be restored, or None."""
    if usable(backup):
        return None
    if backup["status"] != "succeed":
        return f"its status is {backup['status']}"
    return "it does not support restoring"


def data_time(backup: Row) -> int | None:
    """Return the time of a backup's data, epoch ms, or None when it cannot be read."""
    return moment(backup["created_at"])


def check_backup(backup: Row | None, backup_id: str, instance_id: str) -> None:
    """Raise unless the backup is the instance's own and can be restored."""
    if backup is None:
        raise NotFound(
            f"Backup {backup_id} is not among the backups of DCS instance {instance_id}: "
            "it was deleted, or belongs to another instance. Nothing was started."
        )
    reason = unusable(backup)
    if reason:
        raise NotRestorable(f"Backup {backup_id} cannot be restored: {reason}.", status=backup["status"])
