# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DCS restore, and the plan of dcs_restore, for the module and for code that restores several."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import (
    check_not_future,
    point_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import BROKEN, plain
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import ended_recently
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import marker
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    AGAIN,
    Observation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import facts, named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.choice import (
    Choice,
    check_backup,
    choose_backup,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    DcsOperation,
    Records,
    check_texts,
    described,
    remark_with,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    created,
    end,
    obstacle,
)

OPTIONS: Spec = {
    **named.OPTIONS,
    "backup_id": {"type": "str"},
    "backup_name": {"type": "str"},
    "restore_point": {"type": "str"},
    "timezone": {"type": "str"},
    "remark": {"type": "str"},
    "operation_id": {"type": "str"},
    "ignore_stuck": {"type": "bool", "default": False},
}
BACKUP_OPTIONS = ("backup_id", "backup_name", "restore_point")
RULES: dict[str, t.Any] = {
    "required_one_of": [named.INSTANCE_OPTIONS, BACKUP_OPTIONS],
    "mutually_exclusive": [named.INSTANCE_OPTIONS, BACKUP_OPTIONS],
}


def is_being_restored(instance: Row) -> bool:
    """Whether an instance shows a restore: in its status, or in its task while the status stays RUNNING."""
    return "RESTOR" in f"{instance['status']} {instance['task']}".upper()


def newest_of(records: t.Iterable[Row], among: t.Sequence[Row]) -> Row | None:
    """Return the first of `records` after which nothing in `among` was certainly created.

    A record without a readable time does not count as created after another one. The list's own order means
    nothing.
    """

    def later(row: Row, than: Row) -> bool:
        one, other = created(row), created(than)
        return one is not None and other is not None and one > other

    return next((row for row in records if not any(later(other, row) for other in among)), None)


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
        chosen = f"backup_id={self.backup_id}, in place of restore_point or backup_name,"
        return AGAIN.format(f"the same task with {chosen}")

    def read(self, until: str | None = None) -> list[Row]:
        """Return all restore records."""
        return self.dcs.restores(self.instance_id, until)

    def check(self) -> None:
        """Raise unless the instance can be restored, and the backup is its own and usable."""
        super().check()
        check_backup(self.backup_id, self.backups, described(self.instance))

    def post(self) -> Reply:
        """Send the restore."""
        body = {"backup_id": self.backup_id, "remark": self.remark}
        return self.dcs.send(self.instance_id, "restores", body)

    def judge(self, records: Records) -> Observation:
        """Adopt an unfinished restore of the same backup.

        If the newest restore has our marker and succeeded, the run has nothing to do.
        """
        instance = records.instance
        running = [
            row for row in records.active if same_id(row["backup_id"], self.backup_id) or self.echoed(row)
        ]
        ours = [row for row in records.rows if end(row) == "succeeded" and self.echoed(row)]
        done = None if records.others(running) else newest_of(ours, records.rows)
        restoring = is_being_restored(instance)
        just_ended = done and ended_recently(moment(done["updated_at"]), records.now)
        if done and just_ended and obstacle(instance) and not running:
            running = [done]  # Its record says succeed, but its instance does not serve yet.
        elif restoring or plain(instance["status"]) in BROKEN:
            done = None  # A newer one is not listed yet, or the instance has not survived it.
        return self.observation(records, running, done, restoring)

    def describe_other(self, record: Row, now: int) -> str:
        """Return the same, and which backup it restores."""
        which = record["backup_id"]
        of = f"another backup ({which})" if which else "an unknown backup"
        return f"{self.describe(record, now)}, of {of}"


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Decide from the instance, its backups and all its restore records."""
    dcs, point = Dcs(cloud), point_of(params, "restore_point", cloud)
    check_texts(params)  # before any request
    instance = named.instance(dcs, params)
    about = described(instance)
    backups = dcs.backups(instance["instance_id"])
    if point is not None:
        check_not_future(point, "restore_point", dcs.now())
    choice = choose_backup(backups, params, point, dcs.now(), about)
    own = marker(
        service="dcs.restore",
        project=cloud.project_id,
        instance=instance["instance_id"],
        backup=choice.backup_id,
        operation_id=params["operation_id"],
    )
    operation = DcsRestore(
        name=f"Restore of backup {choice.backup_id} to {about}",
        dcs=dcs,
        instance=instance,
        marker=own,
        remark=remark_with(params["remark"], own),
        ignore_stuck=bool(params["ignore_stuck"]),
        backup_id=choice.backup_id,
        backups=tuple(backups),
    )
    observed = operation.first_observation()
    known = {
        **facts.of_plan(instance, choice, observed.records.values()),
        "warnings": list(choice.warnings),
    }
    return run.plan(operation, observed, cloud, params, *difference(instance, choice), **known)


def difference(instance: Row, choice: Choice) -> tuple[Row, Row]:
    """Return the diff (before and after) for people."""
    before = {"instance": instance["instance_id"], "name": instance["name"], "data": "what is in it now"}
    backup = choice.backup
    made = (
        f" ({backup['backup_name']}, made {backup['created_at'] or 'at an unknown time'})" if backup else ""
    )
    return before, {**before, "data": f"backup {choice.backup_id}{made}"}
