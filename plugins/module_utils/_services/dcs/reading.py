# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of DCS that is needed to wait for a restore or to verify it."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import called
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import (
    obstacle,
    watch_restore,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import (
    TARGET_KEYS,
    Reading,
    Row,
)


def watch(cloud: Cloud, row: t.Mapping[str, t.Any]) -> Watch:
    """Return how to wait for the restore of a row."""
    planned = (row.get("backup") or {}).get("backup_id")
    where = called(row["instance_id"], (row.get("target") or {}).get("instance_name"))
    found = (row["instance_id"], row["restore_id"], row.get("backup_id") or planned)
    return watch_restore(Dcs(cloud), *found, where)


def target(instance: t.Mapping[str, t.Any]) -> Row:
    """Return an instance as the target of a row, with the first of its addresses."""
    addresses = (instance.get("ip") or "").split(",")
    found = {**instance, "instance_name": instance.get("name"), "address": addresses[0].strip() or None}
    return {name: found.get(name) for name in TARGET_KEYS}


READING = Reading(
    name="dcs",
    id_key="restore_id",
    record_key="restore",
    watch=watch,
    watch_needs=("instance_id", "restore_id"),
    instance=lambda cloud, instance_id: Dcs(cloud).instance(instance_id),
    target=target,
    ready=lambda instance: obstacle(dict(instance)),
    overwritten=lambda row: row.get("instance_id") or row.get("instance_name"),
    probe="redis",
)
