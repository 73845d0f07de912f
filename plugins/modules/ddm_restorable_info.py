#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ddm_restorable_info
short_description: List the times, instances and data nodes to which a DDM instance can be restored
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Lists the points in time to which a Distributed Database Middleware (DDM) instance can be restored, and
    the possible targets.
  - With O(restore_time) it also lists the data nodes (RDS for MySQL instances) of that time, and with a
    target the data nodes onto which each of them can be restored.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._timezone
  - huaweicloud.recovery._attributes.info
options:
  instance_id:
    description: ID of the source. Exactly one of O(instance_id) and O(instance_name) is needed.
    type: str
  instance_name:
    description: Exact name of the source. The task fails unless exactly one instance has it.
    type: str
  restore_time:
    description:
      - A point in time to restore. It must lie in one of RV(restorable_time_intervals); V(latest) is the end
        of the last one.
      - ISO 8601, milliseconds since the epoch, or C(yyyyMMddHHmmss) in UTC. A time in ISO 8601 without a zone
        needs O(timezone).
    type: str
  target_instance_id:
    description: ID of the target. Needs O(restore_time).
    type: str
  target_instance_name:
    description: Exact name of the target. Needs O(restore_time).
    type: str
  available_only:
    description: Leave out of RV(instances) and RV(restorable_data_nodes) those that are not available.
    type: bool
    default: false
seealso:
  - module: huaweicloud.recovery.ddm_recovery
  - module: huaweicloud.recovery.ddm_backup_info
"""

EXAMPLES = r"""
- name: List the times and the instances to restore to
  huaweicloud.recovery.ddm_restorable_info:
    instance_id: 1f5c9fd6cd984056ba89c8c87cc03278in09
    available_only: true
  register: restorable

- name: Show which data node would be restored onto which
  huaweicloud.recovery.ddm_restorable_info:
    instance_id: 1f5c9fd6cd984056ba89c8c87cc03278in09
    restore_time: "{{ restorable.restorable_time_intervals[0].end_time }}"
    target_instance_id: "{{ restorable.instances[0].instance_id }}"
"""

RETURN = r"""
instances:
  description: The instances that could be the target of a restore, in the order of the service.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id: {description: ID of the instance., type: str, sample: 2f0324a93859487eb5566d75951fcd2din09}
    instance_name: {description: Name of the instance., type: str, sample: orders-db-restored}
    status: {description: Status of the instance. V(normal) means RUNNING., type: str, sample: normal}
    available: {description: Whether the service accepts it now., type: bool, sample: true}
    unavailable_reason: {description: Why it does not., type: str, sample: The instance has accounts.}
    vpc_name: {description: Name of the VPC., type: str, sample: vpc-production}
restorable_time_intervals:
  description: The intervals in which the point in time can lie, the latest first.
  returned: success
  type: list
  elements: dict
  contains:
    start_time: {description: The earliest point in time., type: str, sample: 2025-05-19T09:40:40+0000}
    end_time: {description: The latest point in time., type: str, sample: 2025-05-20T09:40:40+0000}
restore_time:
  description: O(restore_time) in milliseconds since the epoch. Null unless O(restore_time) is given.
  returned: success
  type: int
  sample: 1747734040000
related_data_nodes:
  description: The data nodes that belonged to the source at O(restore_time). Null unless it is given.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id: {description: ID of the data node., type: str, sample: 7edae0250ebc464897bd92b8d3e8b769in01}
    instance_name: {description: Name of the data node., type: str, sample: orders-rds-1}
    instance_status: {description: Status of the data node., type: str, sample: normal}
    engine_name: {description: Database engine., type: str, sample: mysql}
    data_volume_size: {description: Size of the volume in bytes., type: int, sample: 40000000000}
    version: {description: Version of the database engine., type: str, sample: 8.0.28}
latest_restorable_time:
  description: The latest time to which all of them can be restored. Null unless O(restore_time) is given.
  returned: success
  type: str
  sample: 2025-05-20T09:40:40+0000
restorable_data_nodes:
  description: Where the data of each of RV(related_data_nodes) can go. Null without an available target.
  returned: success
  type: list
  elements: dict
  contains:
    source_instance_id: {description: Its ID., type: str, sample: 7edae0250ebc464897bd92b8d3e8b769in01}
    source_instance_name: {description: Its name., type: str, sample: orders-rds-1}
    target_data_nodes:
      description: The data nodes that could take its data.
      type: list
      elements: dict
      contains:
        instance_id: {description: Its ID., type: str, sample: f4e2949e9b9b4d60b42c89ed39bfe34din01}
        instance_name: {description: Its name., type: str, sample: orders-rds-new-2}
        engine_name: {description: Database engine., type: str, sample: mysql}
        status: {description: Its status., type: str, sample: normal}
        available: {description: Whether the service accepts it now., type: bool, sample: true}
        unavailable_reason: {description: Why it does not., type: str, sample: The data node is read-only.}
        vpc_name: {description: Name of the VPC., type: str, sample: vpc-production}
        private_ip: {description: Its address., type: str, sample: 192.168.0.22}
data_node_relations:
  description: The mapping that M(huaweicloud.recovery.ddm_recovery) would use. Null when there is none, and
    without a target.
  returned: success
  type: list
  elements: dict
  contains:
    source_instance_id:
      description: ID of the data node of the source.
      type: str
      sample: 7edae0250ebc464897bd92b8d3e8b769in01
    target_instance_id:
      description: ID of the data node that would be overwritten.
      type: str
      sample: f4e2949e9b9b4d60b42c89ed39bfe34din01
data_node_relations_reason:
  description: Why there is no mapping. Null when there is one, or when none was requested.
  returned: success
  type: str
  sample: No target data node is left for orders-rds-2.
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import (
    check_not_future,
    point_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import newest_first, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.data_nodes import (
    candidates,
    check_time,
    latest_time,
    relations,
)

OPTIONS: dict[str, t.Any] = {
    **named.OPTIONS,
    "restore_time": {"type": "str"},
    "timezone": {"type": "str"},
    "available_only": {"type": "bool", "default": False},
}
RULES: dict[str, t.Any] = {
    "required_one_of": [named.SOURCE_OPTIONS],
    "mutually_exclusive": [named.SOURCE_OPTIONS, named.TARGET_OPTIONS],
    "required_by": {name: ["restore_time"] for name in named.TARGET_OPTIONS},
}
AT_TIME = ("restore_time", "related_data_nodes", "latest_restorable_time")
LATER_KEYS = (*AT_TIME, "restorable_data_nodes", "data_node_relations", "data_node_relations_reason")


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    ddm, requested = Ddm(cloud), point_of(params, "restore_time", cloud)
    names = named.ids_of(ddm, params)
    source = t.cast(str, names.source)
    intervals = newest_first(named.of_source(source, ddm.restorable_time_intervals), "end_time")
    if requested is not None:
        check_not_future(requested, "restore_time", ddm.now())
    instances = ddm.restorable_instances(source)
    result = {
        "instances": offered(instances, params),
        "restorable_time_intervals": intervals,
        **dict.fromkeys(LATER_KEYS),
    }
    if params["restore_time"]:
        restore_time = latest_time(ddm, intervals) if requested is None else requested
        check_time(intervals, restore_time)
        result.update(at_time(ddm, names, params, restore_time, instances))
    return Plan(result=result)


def at_time(
    ddm: Ddm,
    names: named.Named,
    params: dict[str, t.Any],
    restore_time: int,
    instances: list[dict[str, t.Any]],
) -> dict[str, t.Any]:
    """Return what depends on the point in time, and on the target where one is given."""
    source, target = t.cast(str, names.source), names.target
    nodes, until = ddm.related_data_nodes(source, restore_time)
    result = {"restore_time": restore_time, "related_data_nodes": nodes, "latest_restorable_time": until}
    if not target:
        return result
    row = next((row for row in instances if same_id(row["instance_id"], target)), None)
    if row is None or not row["available"]:  # the service refuses to say more of it
        reason = row and (row["unavailable_reason"] or "the service gives no reason")
        why = reason or "it is not among the instances"
        return {**result, "data_node_relations_reason": f"Target {target} is not available: {why}"}
    options = candidates(ddm, source, row["instance_id"], nodes, restore_time)
    called = {node["instance_id"]: node["instance_name"] for node in nodes}
    mapping, reason = relations(options)
    targets = [
        {
            "source_instance_id": node,
            "source_instance_name": called[node],
            "target_data_nodes": offered(rows, params),
        }
        for node, rows in options.items()
    ]
    return {
        **result,
        "restorable_data_nodes": targets,
        "data_node_relations": mapping or None,
        "data_node_relations_reason": reason,
    }


def offered(rows: list[dict[str, t.Any]], params: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the rows that the user wants to see."""
    return [row for row in rows if row["available"] or not params["available_only"]]


def main() -> None:
    run_module(plan, OPTIONS, **RULES)


if __name__ == "__main__":
    main()
