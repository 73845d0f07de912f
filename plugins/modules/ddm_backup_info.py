#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ddm_backup_info
short_description: List the metadata backups of DDM instances
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Lists the backups of Distributed Database Middleware (DDM) instances, newest first.
  - These are backups of the metadata (schemas, accounts, sharding). DDM makes them daily and at some events;
    you cannot make one yourself. M(huaweicloud.recovery.ddm_restorable_info) returns the points in time to
    which the data can be restored.
  - All filters are exact and are combined with "and".
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._attributes.info
options:
  instance_id:
    description: List the backups of this DDM instance only.
    type: str
  instance_name:
    description: Exact name of this instance, instead of O(instance_id). Unless exactly one instance has it,
      the task fails and lists the candidates.
    type: str
  backup_id:
    description:
      - Return this backup only, with its data nodes in RV(backups[].related_data_nodes).
      - Needs O(instance_id) or O(instance_name).
    type: str
  backup_name:
    description: Return the backups of this name only.
    type: str
  status:
    description: Return the backups in this status only. The API knows V(creating), V(normal), V(deleted) and
      V(createfail).
    type: str
seealso:
  - module: huaweicloud.recovery.ddm_restorable_info
  - module: huaweicloud.recovery.ddm_recovery
"""

EXAMPLES = r"""
- name: List all usable backups of the project
  huaweicloud.recovery.ddm_backup_info:
    status: normal
  register: ddm

- name: Show which data nodes belonged to the newest backup
  huaweicloud.recovery.ddm_backup_info:
    instance_id: "{{ ddm.backups[0].instance_id }}"
    backup_id: "{{ ddm.backups[0].id }}"
"""

RETURN = r"""
backups:
  description: The backups that match, newest first. Empty when none does.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: ID of the backup., type: str, sample: 09902ee7866649b8908ec209bfee2747br09}
    name: {description: Name of the backup., type: str, sample: Backup-orders-db-00}
    description: {description: Description of the backup., type: str, sample: auto metadata backup}
    status: {description: Status of the backup. Only V(normal) ones can be used., type: str, sample: normal}
    instance_id:
      description: ID of the DDM instance.
      type: str
      sample: 1f5c9fd6cd984056ba89c8c87cc03278in09
    instance_name: {description: Name of the DDM instance., type: str, sample: orders-db}
    instance_status:
      description: Status of the DDM instance. The backup API uses V(normal) where other APIs use V(RUNNING).
      type: str
      sample: normal
    file_size: {description: Size of the backup in kB., type: float, sample: 5.419922}
    created: {description: When the backup was created., type: str, sample: 2025-05-20T05:40:00+0000}
    updated: {description: When the backup was last changed., type: str, sample: 2025-05-20T05:40:12+0000}
    backup_type:
      description: "V(auto_metadata) for a daily backup, V(metadata) for one that an event caused."
      type: str
      sample: auto_metadata
    related_data_nodes:
      description: The data nodes (RDS for MySQL instances) that belonged to the instance. Null unless
        O(backup_id) is given.
      type: list
      elements: dict
      contains:
        instance_id:
          description: ID of the data node.
          type: str
          sample: 7edae0250ebc464897bd92b8d3e8b769in01
        instance_name: {description: Name of the data node., type: str, sample: orders-rds-1}
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._filters import matching
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.named import (
    SOURCE_OPTIONS,
    ids_of,
)

OPTIONS: dict[str, t.Any] = {
    "instance_id": {"type": "str"},
    "instance_name": {"type": "str"},
    "backup_id": {"type": "str"},
    "backup_name": {"type": "str"},
    "status": {"type": "str"},
}
FILTERS = {"backup_id": "id", "backup_name": "name", "status": "status"}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    if params["backup_id"] and not any(params[name] for name in SOURCE_OPTIONS):
        raise InvalidArgument("backup_id needs instance_id or instance_name.")
    ddm = Ddm(cloud)
    rows = matching(ddm.backups(ids_of(ddm, params).source), params, FILTERS)
    if params["backup_id"]:  # the data nodes cost one more request
        rows = [
            {**row, "related_data_nodes": ddm.backup(row["instance_id"], row["id"])["related_data_nodes"]}
            for row in rows
        ]
    return Plan(result={"backups": rows})


def main() -> None:
    run_module(plan, OPTIONS, mutually_exclusive=[SOURCE_OPTIONS])


if __name__ == "__main__":
    main()
