# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol looks at for DCS: restores and backups, their marks, and when one has really ended."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    NotFound,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import epoch_ms, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import (
    MARK_LENGTH,
    REMARK_LENGTH,
    Seen,
    busy,
    carry_out,
    decide,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row, usable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import (
    ENDED,
    obstacle,
    watch_record,
)


def remark_with(user_text: str | None, mark: str) -> str:
    """Return the remark to send: the user's text and the mark, at most 128 characters together. Raises InvalidArgument."""
    user_text = (user_text or "").strip()
    if len(user_text) > REMARK_LENGTH - MARK_LENGTH:
        raise InvalidArgument(
            f"remark has {len(user_text)} characters; {REMARK_LENGTH - MARK_LENGTH} are possible beside the mark of the operation."
        )
    return f"{user_text} {mark}".strip()


def unfinished(rows: t.Iterable[Row]) -> list[Row]:
    """Return the records that are not in a documented final state."""
    return [row for row in rows if row["status"] not in ENDED]


def restoring(instance: Row) -> bool:
    """Whether an instance shows that it restores: by its status, or by its task while the status stays RUNNING."""
    return "RESTOR" in f"{instance['status']} {instance['task']}".upper()


class DcsOperation:
    """Common to the restore and the backup of an instance: `records` reads its records, each with id_name, status and remark_name."""

    id_name = remark_name = record_name = ""

    def __init__(self, dcs: Dcs, instance: Row, name: str, mark: str, remark: str) -> None:
        self.dcs, self.instance_id, self.name, self.mark, self.remark = (
            dcs,
            instance["instance_id"],
            name,
            mark,
            remark,
        )
        self.single_node = instance["cache_mode"] == "single"
        self._first: Row | None = instance  # the plan has read it a moment ago
        self.last_records: list[Row] = []

    def records(self, until: str | None = None) -> list[Row]:
        """Return all records of this kind, newest first, or those read until this one was met."""
        raise NotImplementedError

    def judge(self, records: list[Row], instance: Row) -> Seen:
        """Return what the records mean to this operation."""
        raise NotImplementedError

    def look(self) -> Seen:
        """Read the instance and all its records. The first look uses the instance that the plan read."""
        instance, self._first = self._first or self.dcs.instance(self.instance_id), None
        self.last_records = self.records()
        return self.judge(self.last_records, instance)

    def carries_mark(self, record: Row) -> bool:
        """Whether a record was started by this same operation: by its remark's exact end."""
        return (record[self.remark_name] or "").endswith(self.mark)

    def watch(self, record_id: str) -> Watch:
        """Return how to wait for one record of this kind."""
        return watch_record(
            self.dcs, self.instance_id, self.name, self.id_name, record_id, lambda: self.records(record_id)
        )

    def post(self) -> Reply:
        """Send the one POST."""
        raise NotImplementedError

    def plan(
        self,
        cloud: Cloud,
        params: t.Mapping[str, t.Any],
        before: Row,
        after: Row,
        check: t.Callable[[], None] | None = None,
        **extra: t.Any,
    ) -> Plan:
        """Return what a first look calls for; check() raises when nothing may be sent. Raises Busy when something else holds the instance."""
        seen = self.look()
        step = decide(seen)
        found = seen.running[0] if seen.running else seen.done
        record = next((row for row in self.last_records if row[self.id_name] == found), None)
        known = {self.id_name: found, self.record_name: record, "adopted": step == "adopt", **extra}
        if step == "unchanged":
            return Plan({**known, "outcome": "unchanged"})
        if step == "refuse":
            raise busy(self, seen)
        if step == "send" and self.single_node:
            raise NotRestorable(
                f"DCS instance {self.instance_id} is single-node: it can neither be backed up nor restored."
            )
        if step == "send" and check is not None:
            check()
        outcome = "succeeded" if params["wait"] else "started"
        return Plan(
            {**known, "outcome": outcome}, before, after, lambda: self.carry_out(seen, cloud, params, record)
        )

    def carry_out(self, seen: Seen, cloud: Cloud, params: t.Mapping[str, t.Any], record: Row | None) -> Row:
        """Start or adopt, wait, and return the result keys, with a warning when the cloud did not keep our mark."""
        started, status = carry_out(self, seen, cloud, params)
        result: Row = {
            self.id_name: started.id,
            self.record_name: status.record if status else record,
            "adopted": started.adopted,
        }
        result["outcome"] = "succeeded" if status else "started"
        if status and not started.adopted and not self.carries_mark(status.record):
            warning = f"{self.name}: the cloud did not keep the mark in the remark, so a later run cannot recognise this operation."
            result.update(marker_echoed=False, warnings=[warning])
        return result

    def seen(
        self,
        records: list[Row],
        instance: Row,
        running: t.Sequence[Row],
        done: Row | None,
        blocked: str | None,
        explained: bool,
    ) -> Seen:
        """Return the look in the protocol's terms."""
        return Seen(
            running=tuple(row[self.id_name] for row in running),
            done=done[self.id_name] if done else None,
            blocked=blocked,
            explained=explained,
            own=frozenset(row[self.id_name] for row in records if self.carries_mark(row)),
            known=frozenset(row[self.id_name] for row in records),
            state=(
                instance["status"],
                instance["task"],
                frozenset((row[self.id_name], row["status"]) for row in records),
            ),
        )


class DcsRestore(DcsOperation):
    """Restore one backup to the instance it was made of."""

    id_name, remark_name, record_name = "restore_id", "restore_remark", "restore"
    backup_id = ""

    def records(self, until: str | None = None) -> list[Row]:
        """Return all restore records."""
        return self.dcs.restores(self.instance_id, until)

    def post(self) -> Reply:
        """Send the restore."""
        return self.dcs.restore(self.instance_id, self.backup_id, self.remark)

    def judge(self, records: list[Row], instance: Row) -> Seen:
        """Adopt an unfinished restore of the same backup; the newest one with our mark that succeeded is what this run wants."""
        active = unfinished(records)
        running = [row for row in active if row["backup_id"] == self.backup_id]
        others = [row for row in active if row["backup_id"] != self.backup_id]
        newest = records[0] if records else None
        done = newest if newest and newest["status"] == "succeed" and self.carries_mark(newest) else None
        blocked = obstacle(instance)
        if done and restoring(instance) and not running:
            running = [done]  # its record says succeed, its instance does not serve yet
        if others:
            blocked = f"restore {others[0]['restore_id']} of another backup ({others[0]['backup_id']}) is {others[0]['status']}"
        return self.seen(records, instance, running, done, blocked, bool(others) or not restoring(instance))


class DcsBackup(DcsOperation):
    """Make a backup. `repeatable` (no operation_id was given): a finished backup with the mark is not enough, each run makes one."""

    id_name, remark_name, record_name = "backup_id", "remark", "backup"
    repeatable = True
    backup_format: str | None = None

    def records(self, until: str | None = None) -> list[Row]:
        """Return all backup records."""
        return self.dcs.backups(self.instance_id, until)

    def post(self) -> Reply:
        """Send the backup."""
        return self.dcs.back_up(self.instance_id, self.remark, self.backup_format)

    def judge(self, records: list[Row], instance: Row) -> Seen:
        """Adopt an unfinished backup with our mark; with an operation_id, one that succeeded is what this run wants."""
        active = unfinished(records)
        running = [row for row in active if self.carries_mark(row)]
        others = [row for row in active if not self.carries_mark(row)]
        done = (
            None
            if self.repeatable
            else next((row for row in records if row["status"] == "succeed" and self.carries_mark(row)), None)
        )
        blocked = (
            f"backup {others[0]['backup_id']} is {others[0]['status']}" if others else obstacle(instance)
        )
        return self.seen(records, instance, running, done, blocked, bool(others) or not instance["task"])


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


def check_backup(backup: Row | None, params: dict[str, t.Any]) -> None:
    """Raise unless the backup is the instance's own and can be restored."""
    if backup is None:
        raise NotFound(
            f"Backup {params['backup_id']} is not among the backups of DCS instance {params['instance_id']}: "
            "it was deleted, or belongs to another instance. Nothing was started."
        )
    if not usable(backup):
        why = (
            f"its status is {backup['status']}"
            if backup["status"] != "succeed"
            else "it does not support restoring"
        )
        raise NotRestorable(
            f"Backup {backup['backup_id']} cannot be restored: {why}.", status=backup["status"]
        )
