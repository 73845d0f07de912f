#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ddm_instance_info
short_description: List DDM instances
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Lists the Distributed Database Middleware (DDM) instances of the project, newest first.
  - The filters are exact and are combined with "and".
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._attributes.info
options:
  instance_id:
    description: Return this instance only, with its nodes in RV(instances[].nodes).
    type: str
  name:
    description: Return the instances of this name only.
    type: str
seealso:
  - module: huaweicloud.recovery.ddm_restorable_info
"""

EXAMPLES = r"""
- name: List the DDM instances of the project
  huaweicloud.recovery.ddm_instance_info:
  register: ddm

- name: Wait until the target of a restore is running again
  huaweicloud.recovery.ddm_instance_info:
    instance_id: 2f0324a93859487eb5566d75951fcd2din09
  register: target
  until: target.instances[0].status == "RUNNING"
  retries: 60
  delay: 10
"""

RETURN = r"""
instances:
  description: The instances that match, newest first. Empty when none does.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: ID of the instance., type: str, sample: 2f0324a93859487eb5566d75951fcd2din09}
    name: {description: Name of the instance., type: str, sample: orders-db-restored}
    status:
      description: Status of the instance. Clients can use it only when it is V(RUNNING). V(RESTORE) means
        that a restore is running.
      type: str
      sample: RUNNING
    engine_version:
      description: Version of the DDM engine. A restore needs at least 2.3.2.11 at the source and 3.0.8 at the
        target.
      type: str
      sample: 3.0.8
    available_zone: {description: Availability zone., type: str, sample: ap-southeast-3a}
    vpc_id: {description: ID of the VPC., type: str, sample: 5d1b2c60-6c1f-4d3f-9a0e-0f6d1b7f1c11}
    subnet_id: {description: ID of the subnet., type: str, sample: 9f2b1c8e-0d55-4b6e-8d0f-2f7a3a1d9c22}
    security_group_id:
      description: ID of the security group.
      type: str
      sample: 2c9d7b52-3a41-4b52-9b60-7e1f5c4d8a33
    node_count: {description: Number of DDM nodes., type: int, sample: 2}
    access_ip: {description: Address to connect to., type: str, sample: 192.168.0.31}
    access_port: {description: Port to connect to., type: str, sample: "5066"}
    created: {description: When the instance was created., type: str, sample: 2025-01-10T03:30:01+0000}
    updated: {description: When the instance was last changed., type: str, sample: 2025-05-20T09:40:40+0000}
    error_msg: {description: What is wrong with the instance., type: str, sample: The creation has failed.}
    enterprise_project_id: {description: ID of the enterprise project., type: str, sample: "0"}
    nodes:
      description: The DDM nodes. Empty unless O(instance_id) is given.
      type: list
      elements: dict
      contains:
        node_id: {description: ID of the node., type: str, sample: 5a3c1e6d0b9f4f7f8f3e2d1c0b9a8f7ano09}
        group_id:
          description: ID of the group the node belongs to.
          type: str
          sample: 0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5fgr09
        status: {description: Status of the node., type: str, sample: normal}
        ip: {description: Address of the node., type: str, sample: 192.168.0.41}
        port: {description: Port of the node., type: str, sample: "5066"}
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import newest_first
from ansible_collections.huaweicloud.recovery.plugins.module_utils._filters import existing, matching
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm

OPTIONS: dict[str, t.Any] = {
    "instance_id": {"type": "str"},
    "name": {"type": "str"},
}
FILTERS = {"instance_id": "id", "name": "name"}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    ddm = Ddm(cloud)
    instance_id = params["instance_id"]  # only the details of one instance have its nodes
    names = [params["name"]] if params["name"] else []
    rows = existing(lambda: ddm.instance(instance_id)) if instance_id else ddm.instances(names)
    return Plan(result={"instances": newest_first(matching(rows, params, FILTERS), "created")})


def main() -> None:
    run_module(plan, OPTIONS)


if __name__ == "__main__":
    main()
