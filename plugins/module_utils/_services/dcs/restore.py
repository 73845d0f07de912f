# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of dcs_restore, for the module and for code that restores several instances."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import (
    check_not_future,
    point_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import marker
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import facts, named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.choice import (
    Choice,
    choose_backup,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    DcsRestore,
    check_texts,
    remark_with,
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


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Decide from the instance, its backups and all its restore records."""
    dcs, point = Dcs(cloud), point_of(params, "restore_point", cloud)
    check_texts(params)  # before any request
    instance = named.instance(dcs, params)
    about = f"DCS instance {instance['name'] or 'without a name'} ({instance['instance_id']})"
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
    known = facts.of_plan(instance, choice, observed.records.values())
    if choice.warnings:
        known["warnings"] = list(choice.warnings)
    return run.plan(operation, observed, cloud, params, *difference(instance, choice), **known)


def difference(instance: Row, choice: Choice) -> tuple[Row, Row]:
    """Return the diff (before and after) for people."""
    before = {"instance": instance["instance_id"], "name": instance["name"], "data": "what is in it now"}
    backup = choice.backup
    made = (
        f" ({backup['backup_name']}, made {backup['created_at'] or 'at an unknown time'})" if backup else ""
    )
    return before, {**before, "data": f"backup {choice.backup_id}{made}"}
