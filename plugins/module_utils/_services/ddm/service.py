# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DDM as one of the services."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import (
    metadata,
    named,
    recovery,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import (
    Ddm,
    with_instance_id,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.history import history
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.reading import READING
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.waiting import WAITING
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import Row


def module(options: Row) -> tuple[str, Row]:
    """Return the module that recovers the data or the metadata, and its options."""
    given = {name: value for name, value in options.items() if name != "metadata"}
    if not options.get("metadata"):
        return "ddm_recovery", given
    nodes = data_nodes(given)
    given.pop("data_node_relations", None)
    return "ddm_metadata_recovery", {**given, "data_nodes": nodes}


def data_nodes(options: Row) -> list[str]:
    """Return the data nodes of the target, which RDS has restored. Raises InvalidArgument if a recovery of
    metadata needs some, in the words of a row: the module has other options.
    """
    nodes = [relation["target_instance_id"] for relation in options.get("data_node_relations") or ()]
    attached = options.get("job_id") or options.get("adopt")
    if not attached and not (nodes and options.get("restore_time")):
        raise InvalidArgument(
            "metadata needs restore_time, and data_node_relations whose targets are the data nodes that RDS "
            "has restored to that time, unless job_id or adopt attaches to a job."
        )
    return nodes


def plan(cloud: Cloud, params: Row) -> Plan:
    """Return the plan of a recovery of the data, or of the metadata if RDS has restored the data."""
    if not params["metadata"]:
        return recovery.plan(cloud, params)
    given = {**dict.fromkeys(metadata.OPTIONS), **params, "data_nodes": data_nodes(params)}
    return metadata.plan(cloud, given)


def pinned(row: Row, result: Row) -> Row:
    """Return the options with the job to attach to, or with the planned time and data nodes."""
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
    **{**vars(READING), **vars(WAITING)},
    module=module,
    options={**recovery.OPTIONS, "metadata": {"type": "bool", "default": False}},
    rules=recovery.RULES,
    plan=plan,
    instances=lambda cloud, on_malformed: [
        with_instance_id(row) for row in Ddm(cloud).instances(on_malformed=on_malformed)
    ],
    history=history,
    pinned=pinned,
    turn=lambda row: row.get("instance_id") or row.get("instance_name"),
    thing="database",
    title="Databases (DDM)",
    group=1,
    names=named.TARGET_OPTIONS,
    point="restore_time",
    needs=("restore_time", "job_id", "adopt"),
    instead=("job_id",),
    entry_names={name: f"source_{name}" for name in named.SOURCE_OPTIONS},
    backup_module=None,
    downtime="",
    tagged=False,
    sign_in={"query": {"sql": "SELECT 1", "equals": 1}},
)
