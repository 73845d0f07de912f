# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DDM as one of the services."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Row, Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import recovery
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, identified
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.reading import READING


def restore_points(cloud: Cloud, instance_id: str) -> list[Row]:
    """Return the ranges in which a point in time can lie, the latest first."""
    points = []
    for span in Ddm(cloud).restorable_time_intervals(instance_id):
        first, last = moment(span["start_time"]), moment(span["end_time"])
        if first is not None and last is not None:
            points.append(
                {"point": iso(last), "first": iso(first), "backup": None, "usable": True, "reason": None}
            )
    return sorted(points, key=lambda point: str(point["point"]), reverse=True)


def pinned(row: Row, result: Row) -> Row:
    """Return the options with the job that is attached to, or with the time
    and the data nodes that were planned.
    """
    if result.get("adopted") and result.get("job_id"):
        return {**row, "job_id": result["job_id"], "adopt": None}
    if not result.get("data_node_relations"):
        return row
    return {
        **row,
        "restore_time": str(result["restore_time"]),
        "data_node_relations": result["data_node_relations"],
    }


DDM = Service(
    **vars(READING),
    module="ddm_recovery",
    options=recovery.OPTIONS,
    rules=recovery.RULES,
    plan=recovery.plan,
    instances=lambda cloud, odd: [identified(row) for row in Ddm(cloud).instances(odd=odd)],
    restore_points=restore_points,
    backup=None,
    pinned=pinned,
    turn=lambda row: row.get("instance_id") or row.get("instance_name"),
)
