# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DCS backup, and the plan of dcs_backup: for the module and for a backup before a restore."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import (
    is_of_task,
    marker,
    marker_of_run,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import Observation
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import decide
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    DcsOperation,
    Records,
    check_texts,
    described,
    remark_with,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import (
    warn_of_unusable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    created,
)

OPTIONS: Spec = {
    **named.OPTIONS,
    "backup_id": {"type": "str"},
    "remark": {"type": "str"},
    "backup_format": {"type": "str", "choices": ["rdb", "aof"]},
    "operation_id": {"type": "str"},
    "ignore_stuck": {"type": "bool", "default": False},
    "keep_backup_id": {"type": "str"},
}
RULES = named.RULES
KEPT = 24  # manual backups of an instance, at most: a further one replaces the oldest


@dataclass(frozen=True)
class DcsBackup(DcsOperation):
    """Make a backup, or wait for the one in `attached`.

    `repeatable` means that no operation_id was given: then each run makes a backup, with a marker of its own.
    """

    repeatable: bool
    backup_format: str | None
    attached: str | None
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

    def judge(self, records: Records) -> Observation:
        """Adopt an unfinished backup of the same task. With an operation_id, a finished one is enough."""
        if self.attached:
            return attachment(self.attached, records.rows)
        running = [row for row in records.active if is_of_task(row[self.remark_key], self.marker)]
        ready = [row for row in records.rows if ending(row["status"]) == "succeeded" and self.echoed(row)]
        done = ready[0] if ready and not self.repeatable else None
        if done:
            warn_of_unusable(self.dcs, self.name, done)
        return self.observation(records, running, done, bool(records.instance["task"]))


def attachment(backup_id: str, records: list[Row]) -> Observation:
    """Return the observation of a backup that was started. It counts as running until it is listed."""
    rows = {row["backup_id"]: row for row in records}
    found = next((one for one in rows if same_id(one, backup_id)), backup_id)
    if found in rows and ending(rows[found]["status"]) == "succeeded":
        return Observation(done=found, records=rows)
    return Observation(running=(found,), records=rows)


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Decide from the instance and all its backup records."""
    dcs = Dcs(cloud)
    check_texts(params)  # before any request
    instance = named.instance(dcs, params)
    instance_id = instance["instance_id"]
    task = marker(
        service="dcs.backup",
        project=cloud.project_id,
        instance=instance_id,
        operation_id=params["operation_id"],
    )
    own = task if params["operation_id"] else marker_of_run(task, cloud.clock.random())
    operation = DcsBackup(
        name=f"Backup of {described(instance)}",
        dcs=dcs,
        instance=instance,
        marker=own,
        remark=remark_with(params["remark"], own),
        ignore_stuck=bool(params["ignore_stuck"]),
        repeatable=not params["operation_id"],
        backup_format=params["backup_format"],
        attached=params["backup_id"],
    )
    before = {"instance": instance_id, "name": instance["name"], "new_backup": None}
    after = {**before, "new_backup": params["backup_id"] or operation.remark}
    observed = operation.first_observation()
    lost = replaced(observed.records.values()) if decide(observed) == "send" else []
    if any(same_id(params["keep_backup_id"], one) for one in lost):
        raise NotRestorable(
            f"{operation.name} would replace backup {params['keep_backup_id']}, which is to be kept: it is "
            f"the oldest of {KEPT} manual ones, and the service keeps no more. Delete another one first."
        )
    if lost:
        which = " or ".join(lost)
        dcs.warn(f"The service keeps {KEPT} manual backups of an instance. This one replaces {which}.")
    return run.plan(operation, observed, cloud, params, before, after)


def replaced(backups: t.Iterable[Row]) -> list[str]:
    """Return the IDs of the backups that one more manual backup may replace, if the service keeps no more.

    One without a readable time may be the oldest, and may not be.
    """
    whole = [row for row in backups if ending(row["status"]) == "succeeded"]
    manual = [row for row in whole if row["backup_type"] == "manual"]
    over = len(manual) - KEPT + 1
    if over <= 0:
        return []
    undated = sum(created(row) is None for row in manual)
    oldest = sorted(manual, key=lambda row: created(row) or 0)
    return [row["backup_id"] for row in oldest[: over + undated]]
