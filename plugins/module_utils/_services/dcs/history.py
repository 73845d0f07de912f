# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The restores and backups of a DCS instance, in the words of every service."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    created,
    earliest_data_time,
    usable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.history import (
    History,
    ReadHistory,
    Record,
)


def history(cloud: Cloud) -> ReadHistory:
    """Return how to read an instance, which takes two requests."""
    dcs = Dcs(cloud)

    def of_instance(instance_id: str) -> History:
        backups, restores = dcs.backups(instance_id), dcs.restores(instance_id)
        records = [record("backup", row) for row in backups] + [record("restore", row) for row in restores]
        times = [earliest_data_time(row) for row in backups if usable(row)]
        return History(records, [time for time in times if time is not None])

    return of_instance


def record(kind: str, row: Row) -> Record:
    """Return a restore or a backup."""
    return Record(
        kind,
        row[f"{kind}_id"],
        row["status"],
        ending(row["status"]),
        created(row),
        moment(row["updated_at"]),
        row["backup_id"],
        row["error_code"],
    )
