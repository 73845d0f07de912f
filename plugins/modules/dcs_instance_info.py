#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_instance_info
short_description: List DCS instances
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Lists the Distributed Cache Service (DCS) instances of the project, newest first.
  - The filters are exact and are combined with "and".
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._attributes.info
options:
  instance_id:
    description: Return this instance only, with its current task in RV(instances[].task).
    type: str
  name:
    description: Return the instances of this name only.
    type: str
  status:
    description: Return the instances in this status only, for example V(RUNNING), V(RESTORING),
      V(RESTARTING), V(ERROR) or V(FROZEN).
    type: str
seealso:
  - module: huaweicloud.recovery.dcs_backup_info
  - module: huaweicloud.recovery.dcs_restore
"""

EXAMPLES = r"""
- name: List the running instances
  huaweicloud.recovery.dcs_instance_info:
    status: RUNNING
  register: dcs

- name: Wait until an instance is running and idle
  huaweicloud.recovery.dcs_instance_info:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
  register: cache
  until: cache.instances[0].status == "RUNNING" and not cache.instances[0].task
  retries: 60
  delay: 10
"""

RETURN = r"""
instances:
  description: The instances that match, newest first. Empty when none does. A key that the service does not
    fill is null.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id: {description: ID of the instance., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    name: {description: Name of the instance., type: str, sample: orders-cache}
    status:
      description: Status of the instance. Clients can use it only when it is V(RUNNING). V(RESTORING) means
        that a restore is running.
      type: str
      sample: RUNNING
    task:
      description: The task that is running on the instance, possibly while its status is V(RUNNING). Null
        when there is none, and unless O(instance_id) is given.
      type: str
      sample: BACKUPING
    engine: {description: Cache engine., type: str, sample: Redis}
    engine_version: {description: Version of the cache engine., type: str, sample: "5.0"}
    cache_mode:
      description:
        - V(single), V(ha), V(cluster), V(proxy) or V(ha_rw_split). A V(single) instance can neither be backed
          up nor restored.
        - Unless O(instance_id) is given, the service does not report it, and the module takes it from
          RV(instances[].spec_code).
      type: str
      sample: ha
    capacity:
      description: "Memory of the instance in GB. For an instance below one GB, some responses have 0 here,
        and the size in capacity_minor."
      type: float
      sample: 2
    capacity_minor: {description: "The part of the memory below one GB, in GB.", type: str, sample: ".125"}
    spec_code: {description: Code of the specification., type: str, sample: redis.ha.xu1.large.r2.2}
    ip: {description: Address to connect to., type: str, sample: 192.168.0.21}
    port: {description: Port to connect to., type: int, sample: 6379}
    domain_name: {description: Name to connect to., type: str, sample: redis-5560df16.dcs.huaweicloud.com}
    vpc_id: {description: ID of the VPC., type: str, sample: 5d1b2c60-6c1f-4d3f-9a0e-0f6d1b7f1c11}
    vpc_name: {description: Name of the VPC., type: str, sample: vpc-prod}
    subnet_id: {description: ID of the subnet., type: str, sample: 9f2b1c8e-0d55-4b6e-8d0f-2f7a3a1d9c22}
    security_group_id:
      description: ID of the security group.
      type: str
      sample: 2c9d7b52-3a41-4b52-9b60-7e1f5c4d8a33
    max_memory: {description: "Memory for data, in MB.", type: int, sample: 2048}
    used_memory: {description: "Memory in use, in MB.", type: int, sample: 173}
    created_at: {description: When the instance was created., type: str, sample: "2025-01-10T03:30:01.721Z"}
    updated_at:
      description: When the instance was last changed.
      type: str
      sample: "2025-05-20T09:40:40.120Z"
    enterprise_project_id: {description: ID of the enterprise project., type: str, sample: "0"}
    tags:
      description: "The tags of the instance, each with its value. Null if they cannot be read."
      type: dict
      sample: {stage: production}
    no_password_access:
      description: Whether clients may connect without a password.
      type: bool
      sample: false
    enable_ssl: {description: Whether clients must use TLS., type: bool, sample: false}
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import newest_first
from ansible_collections.huaweicloud.recovery.plugins.module_utils._filters import existing, matching
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs

OPTIONS: dict[str, t.Any] = {
    "instance_id": {"type": "str"},
    "name": {"type": "str"},
    "status": {"type": "str"},
}
FILTERS = {name: name for name in OPTIONS}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    dcs = Dcs(cloud)
    instance_id = params["instance_id"]  # only the details of one instance have its task
    rows = (
        existing(lambda: dcs.instance(instance_id))
        if instance_id
        else dcs.instances(params["name"], params["status"], with_failed=True)
    )
    return Plan(result={"instances": newest_first(matching(rows, params, FILTERS), "created_at")})


def main() -> None:
    run_module(plan, OPTIONS)


if __name__ == "__main__":
    main()
