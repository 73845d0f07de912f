#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ddm_metadata_recovery
short_description: Restore the metadata of a DDM instance, for data nodes that RDS has restored
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - The vendor offers two ways to restore a Distributed Database Middleware (DDM) instance. This module is
    part of the second one. First RDS for MySQL restores the data nodes to a point in time. Then this module
    restores the metadata (schemas, sharding, accounts) of the DDM instance onto another one, and connects
    that instance with these data nodes.
  - B(It restores no data.) Restore the data nodes by RDS first, to the same point in time.
    M(huaweicloud.recovery.ddm_recovery) does both at once.
  - B(The metadata of the target instance are overwritten.) The source is not changed.
  - The target must exist, in the VPC of the data nodes, without schemas, accounts or data nodes of its own.
  - Before it starts anything, the module checks the metadata backup and that the target is available.
  - The module never sends an accepted recovery again. When a response is lost, it searches for the job
    that it may have started.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._timezone
  - huaweicloud.recovery._wait
  - huaweicloud.recovery._attributes
attributes:
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: partial
    details:
      - The API has no place for a marker, so a later run does not recognise its own recovery.
        A target that was restored is no longer available, so a second run fails and changes nothing.
      - When there is such a job on the target, the message names it. With O(job_id) or O(adopt) the task
        attaches to it.
options:
  instance_id:
    description:
      - ID of the source DDM instance, whose metadata are restored.
      - The task needs source, target, O(data_nodes) and one of O(restore_time) and O(backup_id), unless
        O(job_id) or O(adopt) is given.
    type: str
  instance_name:
    description: Exact name of the source. Unless exactly one instance has it, the task fails and lists the
      candidates with ID, status and VPC.
    type: str
  target_instance_id:
    description: ID of the target DDM instance. Its metadata are overwritten.
    type: str
  target_instance_name:
    description: Exact name of the target. Unless exactly one instance has it, the task fails and lists the
      candidates with ID, status and VPC.
    type: str
  restore_time:
    description:
      - The point in time to which RDS has restored the data nodes. The service restores the metadata backup
        that is nearest to it; see RV(backup).
      - ISO 8601, milliseconds since the epoch, or C(yyyyMMddHHmmss) in UTC. A time in ISO 8601 without a zone
        needs O(timezone).
    type: str
  backup_id:
    description: ID of a metadata backup of the source, instead of O(restore_time).
      M(huaweicloud.recovery.ddm_backup_info) lists them.
    type: str
  data_nodes:
    description: IDs of the RDS for MySQL instances that RDS has restored. Give all data nodes that the source
      had at that time.
    type: list
    elements: str
  job_id:
    description:
      - Attach to this job, which an earlier run has started, instead of starting one. The other options may
        stay in the task.
      - The task checks the job as far as it can, as M(huaweicloud.recovery.ddm_recovery) does. The service
        does not document the name of these jobs.
    type: str
  adopt:
    description:
      - Attach to the newest job on the target that may be a metadata recovery, instead of starting one. There
        must be one that runs, or that ended less than a day ago.
      - B(The task cannot check which point in time the job restores). It warns about that.
    type: bool
    default: false
seealso:
  - module: huaweicloud.recovery.ddm_recovery
  - module: huaweicloud.recovery.ddm_backup_info
  - module: huaweicloud.recovery.ddm_job_info
"""

EXAMPLES = r"""
- name: Restore the metadata of the time to which RDS has restored the data nodes
  huaweicloud.recovery.ddm_metadata_recovery:
    instance_name: orders-db
    target_instance_name: orders-db-restored
    restore_time: "2025-05-20T09:12:32Z"
    data_nodes:
      - f4e2949e9b9b4d60b42c89ed39bfe34cin01
      - f4e2949e9b9b4d60b42c89ed39bfe34din01

- name: Restore one metadata backup
  huaweicloud.recovery.ddm_metadata_recovery:
    instance_id: 1f5c9fd6cd984056ba89c8c87cc03278in09
    target_instance_id: 2f0324a93859487eb5566d75951fcd2din09
    backup_id: 09902ee7866649b8908ec209bfee2747br09
    data_nodes: [f4e2949e9b9b4d60b42c89ed39bfe34cin01]
"""

RETURN = r"""
account:
  description: The account and project in which the task acts. What IAM does not report is V(unknown).
  returned: in check mode
  type: dict
  contains:
    domain_id: {description: ID of the account., type: str, sample: 0ae6b7f2d90025a60f5ec00b1d2a9c03}
    domain_name: {description: Name of the account., type: str, sample: example-account}
    project_id: {description: ID of the project., type: str, sample: 0f6c2a1b9d8e4f70a1b2c3d4e5f60718}
    project_name: {description: Name of the project., type: str, sample: ap-southeast-3}
    region: {description: The region., type: str, sample: ap-southeast-3}
    source: {description: Where the keys came from., type: str, sample: profile prod}
job_id:
  description: ID of the job that was started or attached to. Null in check mode when one would be started.
  returned: success
  type: str
  sample: 09902ee7866649b8908ec209bfee2747
job:
  description: The job as the task saw it last. Null when the task starts one without waiting for it, or would
    start one in check mode.
  returned: success
  type: dict
  contains:
    id: {description: ID of the job., type: str, sample: 09902ee7866649b8908ec209bfee2747}
    name: {description: Name of the job., type: str, sample: RestoreInstance}
    status: {description: V(Running) or V(Completed)., type: str, sample: Completed}
    created_time: {description: When the job was created., type: str, sample: 2025-05-20T09:45:12+0000}
    end_time:
      description: When the job ended. It has no meaning while the job runs.
      type: str
      sample: 2025-05-20T09:58:40+0000
    process: {description: "Progress of the job, while it runs.", type: str, sample: 60%}
    fail_reason: {description: Why the job failed., type: str, sample: The data node is abnormal.}
    instance_id:
      description: ID of the DDM instance that the job works on.
      type: str
      sample: 2f0324a93859487eb5566d75951fcd2din09
    instance_name: {description: Name of the DDM instance., type: str, sample: orders-db-restored}
    database_name:
      description: "The schema that the job works on, for the jobs that have one."
      type: str
      sample: orders
    operations:
      description: "The operations that the service offers for the job, if any."
      type: list
      elements: str
      sample: []
data_nodes:
  description: O(data_nodes).
  returned: success
  type: list
  elements: str
  sample: [f4e2949e9b9b4d60b42c89ed39bfe34cin01]
restore_time:
  description: O(restore_time) in milliseconds since the epoch. Null with O(backup_id), or when the task
    attached to a job without it.
  returned: success
  type: int
  sample: 1747732352000
backup:
  description: The metadata backup that is restored - that of O(backup_id), or the usable one nearest to
    O(restore_time). Null with O(job_id) and O(adopt).
  returned: success
  type: dict
  contains:
    id: {description: ID of the backup., type: str, sample: 09902ee7866649b8908ec209bfee2747br09}
    name: {description: Name of the backup., type: str, sample: auto-backup}
    description: {description: Description of the backup., type: str, sample: auto metadata backup}
    status: {description: V(normal)., type: str, sample: normal}
    instance_id: {description: ID of the instance., type: str, sample: 1f5c9fd6cd984056ba89c8c87cc03278in09}
    instance_name: {description: Name of the instance., type: str, sample: orders-db}
    instance_status: {description: Status of the instance., type: str, sample: normal}
    file_size: {description: Size in kB., type: float, sample: 5.419922}
    created: {description: When the backup was created., type: str, sample: 2025-05-20T02:00:00+0000}
    updated: {description: When the backup was last changed., type: str, sample: 2025-05-20T02:00:10+0000}
    backup_type: {description: V(auto_metadata) or V(metadata)., type: str, sample: auto_metadata}
    related_data_nodes:
      description: "Always null here. M(huaweicloud.recovery.ddm_backup_info) reads them."
      type: list
      elements: dict
      sample: []
target:
  description: The instance that is overwritten. A key that the task has not read is null. The task reads
    address, port and version only when an instance was given by its name.
  returned: success
  type: dict
  contains:
    instance_id: {description: ID of the instance., type: str, sample: 2f0324a93859487eb5566d75951fcd2din09}
    instance_name: {description: Name of the instance in the cloud., type: str, sample: orders-db-restored}
    status: {description: Status of the instance., type: str, sample: RUNNING}
    engine: {description: Engine of the instance., type: str, sample: MySQL}
    engine_version: {description: Version of the engine., type: str, sample: "3.1.4"}
    used_memory: {description: "Always null: DDM does not report it.", type: int, sample: 42}
    max_memory: {description: "Always null: DDM does not report it.", type: int, sample: 2048}
    vpc_name: {description: Name of the VPC., type: str, sample: vpc-production}
    address: {description: Address to connect to., type: str, sample: 192.168.0.21}
    port: {description: Port to connect to., type: int, sample: 5066}
source:
  description: Where the data come from. The name is null when no response has it.
  returned: success
  type: dict
  contains:
    instance_id: {description: ID of the instance., type: str, sample: 1f5c9fd6cd984056ba89c8c87cc03278in09}
    instance_name: {description: Name of the instance in the cloud., type: str, sample: orders-db}
data_time:
  description: Time of the metadata that are restored, in UTC. Null with O(job_id) and O(adopt), because a job
    does not report it.
  returned: success
  type: str
  sample: "2025-05-20T09:31:26.503Z"
newer_backup:
  description: "Always null: a DDM instance can be restored to any point in time."
  returned: success
  type: dict
  sample: {}
last_seconds:
  description: Seconds that the newest completed restore of this source or target took, otherwise that of any
    instance in the project. Null when there is none.
  returned: success
  type: int
  sample: 388
planned_at:
  description: When the task made its plan, in UTC, by the cloud's clock.
  returned: success
  type: str
  sample: "2025-05-21T02:10:07.000Z"
adopted:
  description: Whether the task attached to a job that it has not started, or that it found after a lost
    response. V(true) with O(job_id) and O(adopt).
  returned: success
  type: bool
  sample: false
outcome:
  description:
    - V(succeeded) when the job has succeeded, V(started) when it runs and the task does not wait for it.
    - V(unchanged) when the job of O(job_id) or O(adopt) had succeeded before.
    - In check mode V(unchanged) or V(planned).
  returned: success
  type: str
  sample: succeeded
diff:
  description: Which metadata are overwritten by what, C(before) and C(after), or the job and its status for
    O(job_id) and O(adopt).
  returned: when something changes
  type: dict
  sample:
    before:
      target: 2f0324a93859487eb5566d75951fcd2din09
      name: orders-db-restored
      metadata: what is in it now
    after:
      target: 2f0324a93859487eb5566d75951fcd2din09
      name: orders-db-restored
      metadata: orders-db (1f5c9fd6cd984056ba89c8c87cc03278in09) as of 2025-05-20T09:12:32.000Z
      data_nodes: [f4e2949e9b9b4d60b42c89ed39bfe34cin01]
"""

from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.metadata import (
    OPTIONS,
    RULES,
    plan,
)


def main() -> None:
    run_module(plan, OPTIONS, wait=True, **RULES)


if __name__ == "__main__":
    main()
