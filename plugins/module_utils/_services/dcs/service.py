# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS as one of the services."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import restore
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.history import history
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.reading import READING
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.waiting import WAITING
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import Row


def pinned(row: Row, result: Row) -> Row:
    """Return the options with the backup that was planned."""
    backup_id = (result.get("backup") or {}).get("backup_id")
    return {**row, "restore_point": None, "backup_name": None, "backup_id": backup_id} if backup_id else row


DCS = Service(
    **{**vars(READING), **vars(WAITING)},
    module=lambda options: ("dcs_restore", options),
    options=restore.OPTIONS,
    rules=restore.RULES,
    plan=restore.plan,
    instances=lambda cloud, on_malformed: Dcs(cloud).instances(on_malformed=on_malformed),
    history=history,
    pinned=pinned,
    turn=lambda row: None,
    thing="cache",
    title="Caches (DCS)",
    group=2,  # after the databases from which caches are filled
    names=("instance_id", "instance_name"),
    point="restore_point",
    needs=restore.BACKUP_OPTIONS,
    instead=("backup_id", "backup_name"),
    entry_names={},
    backup_module="dcs_backup",
    downtime="1 to 30 min",  # the vendor's guide to DCS
    tagged=True,
    sign_in={"ping": True},
)
