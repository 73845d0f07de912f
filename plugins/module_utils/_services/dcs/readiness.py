# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a DCS restore or backup has really ended."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotFound
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import require_id, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import (
    BROKEN,
    plain,
    unknown_warning,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Status, Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    STATUSES,
    end,
    obstacle,
    unusable,
)

REASONS = {  # the DCS API reference, "Restoration Records", error codes
    "dcs.08.0001": "the backup or restore tool did not start",
    "dcs.08.0002": "the execution timed out",
    "dcs.08.0003": "the storage bucket could not be deleted",
    "dcs.08.0004": "the access keys for the storage bucket could not be obtained",
    "dcs.08.0005": "the storage bucket could not be created",
    "dcs.08.0006": "the size of the backup could not be queried",
    "dcs.08.0007": "the data could not be synchronised during the restore",
    "dcs.08.0008": "the instance was running other tasks",
}


def warn_of_unusable(dcs: Dcs, name: str, record: Row) -> None:
    """Warn when a record is that of a backup which was made but cannot be restored."""
    why = unusable(record) if "is_support_restore" in record else None
    if why:
        dcs.warn(f"{name}: backup {record['backup_id']} was made, but cannot be restored: {why}.")


def watch_record(
    dcs: Dcs,
    instance_id: str,
    name: str,
    id_name: str,
    record_id: str,
    records: t.Callable[[], list[Row]],
    backup_id: str | None = None,
) -> Watch:
    """Return how to wait for a restore or backup record, which must be of `backup_id` where that is known.

    It has ended only when the record is final and the instance is RUNNING without a task.
    """

    def observe() -> Status:
        record = next((row for row in records() if same_id(row[id_name], record_id)), None)
        if record is None:
            raise NotFound(f"{id_name} {record_id} is not among the records of {instance_id}.")
        if backup_id and record["backup_id"]:
            require_id(record, "backup_id", backup_id)
        state, reason = end(record) or "running", None
        warning = unknown_warning(record["status"], STATUSES)
        if warning:
            dcs.warn(f"{name}: {warning}.")
        if state == "succeeded":
            warn_of_unusable(dcs, name, record)
            instance = dcs.instance(instance_id)
            if plain(instance["status"]) in BROKEN:
                state = "failed"
                reason = f"its record says {record['status']}, but the instance is {instance['status']}"
            elif obstacle(instance):
                state, reason = "running", dcs.redactor.printable(str(obstacle(instance)), 128)
        elif state == "failed":
            reason = REASONS.get(record["error_code"] or "")
        return Status(
            state,
            dcs.redactor.printable(record["status"], 64),
            record["progress"],
            record,
            record["error_code"] if state == "failed" else None,
            reason,
        )

    return Watch(name, {id_name: record_id, "instance_id": instance_id}, observe)
