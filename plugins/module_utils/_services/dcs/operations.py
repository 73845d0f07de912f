# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol observes for DCS: restores and backups, their markers and real ends."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    NotFound,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import BROKEN, ending, plain
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import (
    ended_recently,
    in_words,
    is_stuck,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import (
    MARKER_LENGTH,
    is_of_task,
    marker,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    AGAIN,
    Observation,
    Operation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import (
    warn_of_unusable,
    watch_record,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    created,
    end,
    obstacle,
    unusable,
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


def is_being_restored(instance: Row) -> bool:
    """Whether an instance shows a restore: in its status, or in its task while the status stays RUNNING."""
    return "RESTOR" in f"{instance['status']} {instance['task']}".upper()


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

    @property
    def instance_id(self) -> str:
        """The ID of the instance."""
        return t.cast(str, self.instance["instance_id"])

    def read(self, until: str | None = None) -> list[Row]:
        """Return all records of this kind, newest first, or only those down to the given one."""
        raise NotImplementedError

    def judge(self, records: list[Row], instance: Row, now: int) -> Observation:
        """Return what the records mean for this operation, at `now` (epoch ms by the cloud's clock)."""
        raise NotImplementedError

    def observe(self) -> Observation:
        """Read the instance and all its records."""
        instance = self.dcs.instance(self.instance_id)
        return self.judge(self.read(), instance, self.dcs.now())

    @property
    def about(self) -> Row:
        """The instance, and the marker at the end of the remark."""
        return {"instance_id": self.instance_id, "marker": self.marker}

    def first_observation(self) -> Observation:
        """Read all records; the instance is as the plan has read it a moment ago."""
        return self.judge(self.read(), self.instance, self.dcs.now())

    def check(self) -> None:
        """Raise for an instance that can be neither backed up nor restored."""
        if self.instance["cache_mode"] == "single":
            raise NotRestorable(
                f"DCS instance {self.instance_id} is single-node: it can be neither backed up nor restored."
            )

    def echoed(self, record: Row) -> bool:
        """Whether this same operation started a record: the exact end of its remark shows it."""
        return (record[self.remark_key] or "").endswith(self.marker)

    def watch(self, found: str) -> Watch:
        """Return how to wait for one record of this kind."""
        place = (self.dcs, self.instance_id, self.name, self.id_key, found)
        return watch_record(*place, lambda: self.read(found), self.about.get("backup_id"))

    def active(self, records: list[Row], instance: Row, now: int) -> tuple[list[Row], list[Row]]:
        """Return the unfinished records, and separately the stuck ones.

        Those are older than a day although the instance is idle.
        """
        unfinished = [row for row in records if end(row) is None]
        stuck = [row for row in unfinished if obstacle(instance) is None and is_stuck(created(row), now)]
        return [row for row in unfinished if row not in stuck], stuck

    def describe(self, record: Row, now: int) -> str:
        """Return what an unfinished record says, with its age."""
        made = created(record)
        since = "" if made is None else f" for {in_words(now - made)}"
        return f"{self.kind} {record[self.id_key]} has been {record['status']}{since}"

    def describe_stuck(self, record: Row, now: int) -> str:
        """Return why a record is stuck, and how to ignore it."""
        return (
            f"{self.describe(record, now)}, although the instance is RUNNING and idle. It is stuck; "
            "ignore_stuck=true ignores it"
        )

    def observation(
        self,
        records: list[Row],
        instance: Row,
        running: t.Sequence[Row],
        done: Row | None,
        blocked: str | None,
        explained: bool,
        stuck: bool,
    ) -> Observation:
        """Return the observation in the protocol's terms."""
        status = frozenset((row[self.id_key], row["status"]) for row in records)
        return Observation(
            running=tuple(row[self.id_key] for row in running),
            done=done[self.id_key] if done else None,
            blocked=blocked,
            explained=explained,
            stuck=stuck,
            own=frozenset(row[self.id_key] for row in records if self.echoed(row)),
            records={row[self.id_key]: row for row in records},
            created={row[self.id_key]: created(row) for row in records},
            state=(instance["status"], instance["task"], status),
            status=instance["status"],
            task=instance["task"],
        )


def newest_of(records: t.Iterable[Row], among: t.Sequence[Row]) -> Row | None:
    """Return the first of `records` after which nothing in `among` was certainly created.

    A record without a readable time does not count as created after another one. The list's own order means
    nothing.
    """

    def later(row: Row, than: Row) -> bool:
        one, other = created(row), created(than)
        return one is not None and other is not None and one > other

    return next((row for row in records if not any(later(other, row) for other in among)), None)


def check_backup(backup_id: str, backups: t.Sequence[Row], about: str) -> None:
    """Raise unless the backup is one of the instance's own and can be restored."""
    backup = next((row for row in backups if row["backup_id"] == backup_id), None)
    if backup is None:
        same = [row["backup_id"] for row in backups if row["backup_name"] == backup_id]
        hint = "it was deleted, or belongs to another instance."
        if same:
            hint = f"it is the name of {' and '.join(same)}: give it as backup_name."
        raise NotFound(f"Backup {backup_id} is not among the backups of {about}: {hint}")
    reason = unusable(backup)
    if reason:
        raise NotRestorable(f"Backup {backup_id} cannot be restored: {reason}.", status=backup["status"])


@dataclass(frozen=True)
class DcsRestore(DcsOperation):
    """Restore one backup to the instance from which it was made.

    `backups` is the list of the instance, in which the backup must be.
    """

    backup_id: str
    backups: tuple[Row, ...]
    id_key, record_key, remark_key, kind = "restore_id", "restore", "restore_remark", "restore"

    @property
    def about(self) -> Row:
        """The same, and the backup."""
        return {**super().about, "backup_id": self.backup_id}

    @property
    def resume(self) -> str:
        """The same restore; `latest` may be another backup by then."""
        return AGAIN.format(f"the same task with backup_id={self.backup_id}")

    def read(self, until: str | None = None) -> list[Row]:
        """Return all restore records."""
        return self.dcs.restores(self.instance_id, until)

    def check(self) -> None:
        """Raise unless the instance can be restored, and the backup is its own and usable."""
        super().check()
        check_backup(self.backup_id, self.backups, f"DCS instance {self.instance_id}")

    def post(self) -> Reply:
        """Send the restore."""
        body = {"backup_id": self.backup_id, "remark": self.remark}
        return self.dcs.send(self.instance_id, "restores", body)

    def judge(self, records: list[Row], instance: Row, now: int) -> Observation:
        """Adopt an unfinished restore of the same backup.

        If the newest restore has our marker and succeeded, the run has nothing to do.
        """
        active, stuck = self.active(records, instance, now)
        running = [row for row in active if row["backup_id"] == self.backup_id or self.echoed(row)]
        others = [row for row in active if row not in running]
        ours = [row for row in records if end(row) == "succeeded" and self.echoed(row)]
        done = None if others else newest_of(ours, records)
        blocked, in_the_way = obstacle(instance), bool(stuck) and not (self.ignore_stuck or others)
        if done and blocked and not running and ended_recently(moment(done["updated_at"]), now):
            running = [done]  # Its record says succeed, but its instance does not serve yet.
        elif done and not running and (is_being_restored(instance) or plain(instance["status"]) in BROKEN):
            done = None  # A newer one is not listed yet, or the instance has not survived it.
        if others:
            which = others[0]["backup_id"]
            of = f"another backup ({which})" if which else "an unknown backup"
            blocked = f"{self.describe(others[0], now)}, of {of}"
        elif in_the_way:
            blocked = self.describe_stuck(stuck[0], now)
        explained = bool(others or stuck) or not is_being_restored(instance)
        return self.observation(records, instance, running, done, blocked, explained, in_the_way)


@dataclass(frozen=True)
class DcsBackup(DcsOperation):
    """Make a backup.

    `repeatable` means that no operation_id was given: then each run makes a backup, with a marker of its own.
    """

    repeatable: bool
    backup_format: str | None
    id_key, record_key, remark_key, kind = "backup_id", "backup", "remark", "backup"

    def read(self, until: str | None = None) -> list[Row]:
        """Return all backup records."""
        return self.dcs.backups(self.instance_id, until)

    def post(self) -> Reply:
        """Send the backup."""
        body = {"remark": self.remark}
        if self.backup_format:
            body["backup_format"] = self.backup_format
        return self.dcs.send(self.instance_id, "backups", body)

    def judge(self, records: list[Row], instance: Row, now: int) -> Observation:
        """Adopt an unfinished backup of the same task. With an operation_id, a finished one is enough."""
        active, stuck = self.active(records, instance, now)
        running = [row for row in active if is_of_task(row[self.remark_key], self.marker)]
        others = [row for row in active if row not in running]
        ready = [row for row in records if ending(row["status"]) == "succeeded" and self.echoed(row)]
        done = ready[0] if ready and not self.repeatable else None
        if done:
            warn_of_unusable(self.dcs, self.name, done)
        blocked, in_the_way = obstacle(instance), bool(stuck) and not (self.ignore_stuck or others)
        if others:
            blocked = self.describe(others[0], now)
        elif in_the_way:
            blocked = self.describe_stuck(stuck[0], now)
        explained = bool(others or stuck) or not instance["task"]
        return self.observation(records, instance, running, done, blocked, explained, in_the_way)
