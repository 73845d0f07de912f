# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of dcs_backup, for the module and for a backup before a restore."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import marker, of_run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    DcsBackup,
    check_texts,
    remark_with,
)

OPTIONS: Spec = {
    **named.OPTIONS,
    "remark": {"type": "str"},
    "backup_format": {"type": "str", "choices": ["rdb", "aof"]},
    "operation_id": {"type": "str"},
    "ignore_stuck": {"type": "bool", "default": False},
}
RULES = named.RULES


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
    own = task if params["operation_id"] else of_run(task, cloud.clock.random())
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
    before = {"instance": instance_id, "new_backup": None}
    after = {"instance": instance_id, "new_backup": operation.remark}
    return run.plan(operation, operation.first(), cloud, params, before, after)
