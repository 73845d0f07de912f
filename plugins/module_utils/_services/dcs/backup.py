# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of dcs_backup, for the module and for a backup before a restore."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import (
    marker,
    marker_of_run,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import decide
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    DcsBackup,
    check_texts,
    remark_with,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import created

OPTIONS: Spec = {
    **named.OPTIONS,
    "remark": {"type": "str"},
    "backup_format": {"type": "str", "choices": ["rdb", "aof"]},
    "operation_id": {"type": "str"},
    "ignore_stuck": {"type": "bool", "default": False},
    "keep_backup_id": {"type": "str"},
}
RULES = named.RULES
KEPT = 24  # manual backups of an instance, at most: a further one replaces the oldest


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
        name=f"Backup of DCS instance {instance['name'] or 'without a name'} ({instance_id})",
        dcs=dcs,
        instance=instance,
        marker=own,
        remark=remark_with(params["remark"], own),
        ignore_stuck=bool(params["ignore_stuck"]),
        repeatable=not params["operation_id"],
        backup_format=params["backup_format"],
    )
    before = {"instance": instance_id, "name": instance["name"], "new_backup": None}
    after = {**before, "new_backup": operation.remark}
    observed = operation.first_observation()
    lost = replaced(observed.records.values()) if decide(observed) == "send" else []
    if params["keep_backup_id"] in lost:
        raise NotRestorable(
            f"{operation.name} would replace backup {params['keep_backup_id']}, which is to be kept: it is "
            f"the oldest of {KEPT} manual ones, and the service keeps no more. Delete another one first."
        )
    if lost:
        dcs.warn(f"The service keeps {KEPT} manual backups of an instance. This one replaces {lost[0]}.")
    return run.plan(operation, observed, cloud, params, before, after)


def replaced(backups: t.Iterable[Row]) -> list[str]:
    """Return the IDs of the backups that one more manual backup replaces, if the service keeps no more.

    One without a readable time may be the oldest.
    """
    whole = [row for row in backups if ending(row["status"]) == "succeeded"]
    manual = [row for row in whole if row["backup_type"] == "manual"]
    oldest = sorted(manual, key=lambda row: created(row) or 0)[: max(0, len(manual) - KEPT + 1)]
    return [row["backup_id"] for row in oldest]
