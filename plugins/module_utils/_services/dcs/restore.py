# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of dcs_restore, for the module and for all that restores several instances."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import epoch_ms
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import marker
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    DcsRestore,
    choose_backup,
    remark_with,
)

OPTIONS: Spec = {
    "instance_id": {"type": "str", "required": True},
    "backup_id": {"type": "str"},
    "restore_point": {"type": "str"},
    "remark": {"type": "str"},
    "operation_id": {"type": "str"},
}
RULES: dict[str, t.Any] = {
    "required_one_of": [("backup_id", "restore_point")],
    "mutually_exclusive": [("backup_id", "restore_point")],
}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Decide from the instance, its backups and all its restore records."""
    dcs, instance_id, now_ms = Dcs(cloud), params["instance_id"], int(cloud.clock.now() * 1000)
    if params["restore_point"] not in (None, "latest"):
        epoch_ms(params["restore_point"], "restore_point", now_ms)
    remark_with(params["remark"], marker())  # both before any request
    instance, backups = dcs.instance(instance_id), dcs.backups(instance_id)
    backup = choose_backup(backups, params, now_ms)
    backup_id = backup["backup_id"] if backup else params["backup_id"]
    own = marker(
        service="dcs.restore",
        project=cloud.project_id,
        instance=instance_id,
        backup=backup_id,
        operation_id=params["operation_id"],
    )
    operation = DcsRestore(
        name=f"Restore of backup {backup_id} to DCS instance {instance_id}",
        dcs=dcs,
        instance=instance,
        marker=own,
        remark=remark_with(params["remark"], own),
        backup_id=backup_id,
        backup=backup,
    )
    before = {"instance": instance_id, "name": instance["name"], "data": "what is in it now"}
    made = f" ({backup['backup_name']}, made {backup['created_at']})" if backup else ""
    after = {**before, "data": f"backup {backup_id}{made}"}
    return run.plan(operation, operation.first(), cloud, params, before, after, backup=backup)
