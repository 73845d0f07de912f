# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of DCS that waits for the restore of a row."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import called
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import watch_record
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.waiting import Waiting


def watch_restore(
    dcs: Dcs, instance_id: str, restore_id: str, backup_id: str | None = None, where: str | None = None
) -> Watch:
    """Return how to wait for a restore that is already running; `where` names its instance for people."""
    return watch_record(
        dcs,
        instance_id,
        f"DCS restore {restore_id} of {where or instance_id}",
        "restore_id",
        restore_id,
        lambda: dcs.restores(instance_id, restore_id),
        backup_id,
    )


def watch(cloud: Cloud, row: t.Mapping[str, t.Any]) -> Watch:
    """Return how to wait for the restore of a row."""
    instance_id = row["instance_id"]
    backup_id = row.get("backup_id") or (row.get("backup") or {}).get("backup_id")
    where = called(instance_id, (row.get("target") or {}).get("instance_name"))
    return watch_restore(Dcs(cloud), instance_id, row["restore_id"], backup_id, where)


WAITING = Waiting(
    name="dcs",
    id_key="restore_id",
    record_key="restore",
    watch=watch,
    watch_needs=("instance_id", "restore_id"),
    remark_key="restore_remark",
    not_again=(),
)
