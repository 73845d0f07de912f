# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS as one of the services."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Row, Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import backup, restore
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.choice import SAFETY
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.reading import READING
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    data_time,
    unusable,
)


def restore_points(cloud: Cloud, instance_id: str) -> list[Row]:
    """Return the backups of an instance as points to restore to."""
    points = []
    for one in Dcs(cloud).backups(instance_id):
        made, reason = data_time(one), unusable(one)
        point = iso(made) if made is not None else None
        points.append(
            {"point": point, "first": point, "backup": one, "usable": reason is None, "reason": reason}
        )
    return points


def safety_backup(cloud: Cloud, params: Row) -> Plan:
    """Return the plan of a backup before a restore: its remark says so, so that `latest` never takes it."""
    remark = f"{params.get('remark') or 'before a restore'} {SAFETY}"
    return backup.plan(cloud, {**dict.fromkeys(backup.OPTIONS), **params, "remark": remark})


def pinned(row: Row, result: Row) -> Row:
    """Return the options with the backup that was planned."""
    if not result.get("backup"):
        return row
    return {**row, "restore_point": None, "backup_name": None, "backup_id": result["backup"]["backup_id"]}


DCS = Service(
    **vars(READING),
    module="dcs_restore",
    options=restore.OPTIONS,
    rules=restore.RULES,
    plan=restore.plan,
    instances=lambda cloud, odd: Dcs(cloud).instances(odd=odd),
    restore_points=restore_points,
    backup=safety_backup,
    pinned=pinned,
    turn=lambda row: None,
)
