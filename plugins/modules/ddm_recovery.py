#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ddm_recovery
short_description: Restore a DDM instance to a point in time, onto another instance
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Restores a Distributed Database Middleware (DDM) instance with its data nodes (RDS for MySQL instances) as
    they were at a point in time. It writes the data onto another DDM instance and other data nodes.
  - B(All data of the target instance and of the target data nodes are overwritten). The source is not
    changed.
  - The target must exist, in the same region, without schemas, accounts or data nodes of its own. For each
    data node of the source, the VPC of the target must have another RDS for MySQL instance that no DDM
    instance uses, of the same or a later version and at least as large.
  - Before it starts anything, the module checks the time against the restorable intervals, and that the
    target and the target data nodes are available. Otherwise the task fails with the reason of the service.
  - The module never sends an accepted recovery again. When a response is lost, it searches for the job
    that it may have started.
  - Some servers require the ID of the source. When the service refuses the parameters (C(DBS.280001)), the
    module sends the recovery once more, with this ID.
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
      - When there is a restore job on the target, the message names it. With O(job_id) or O(adopt) the task
        attaches to it.
options:
  instance_id:
    description:
      - ID of the source DDM instance, whose data are restored.
      - The task needs source, target and O(restore_time), unless O(job_id) or O(adopt) is given. Give the
        source as either O(instance_id) or O(instance_name).
    type: str
  instance_name:
    description: Exact name of the source. Unless exactly one instance has it, the task fails and lists the
      candidates with ID, status and VPC.
    type: str
  target_instance_id:
    description: ID of the target DDM instance. Its data are overwritten. Give the target as either
      O(target_instance_id) or O(target_instance_name).
    type: str
  target_instance_name:
    description: Exact name of the target. Unless exactly one instance has it, the task fails and lists the
      candidates with ID, status and VPC.
    type: str
  restore_time:
    description:
      - The point in time to restore. It must lie in a restorable interval of the source; V(latest) is the end
        of the last one.
      - ISO 8601, milliseconds since the epoch, or C(yyyyMMddHHmmss) in UTC. A time in ISO 8601 without a zone
        needs O(timezone). The task refuses a time in seconds, and one in the future by the cloud's clock.
    type: str
  data_node_relations:
    description:
      - Which data node is restored onto which. Give one relation for each data node that the source had at
        O(restore_time), all with different targets.
      - When absent, the module chooses an available data node for each of them, the same in every run. It
        fails when there are not enough. M(huaweicloud.recovery.ddm_restorable_info) and check mode show the
        choice.
    type: list
    elements: dict
    suboptions:
      source_instance_id:
        description: ID of the data node of the source.
        type: str
        required: true
      target_instance_id:
        description: ID of the data node that is overwritten.
        type: str
        required: true
  job_id:
    description:
      - Attach to this job of an earlier run instead of starting one. The other options may stay in the task.
      - The task refuses a job of another instance, one that is documented as something else than a restore,
        and one that began before O(restore_time). The service does not report which point in time and which
        data nodes a job restores.
      - The task attaches to a job whose name is not a known name of a restore job, and warns about it.
    type: str
  adopt:
    description:
      - Attach to the newest restore job on the target instead of starting one. There must be one that runs,
        or that ended less than a day ago.
      - B(The task cannot check which point in time the job restores), and warns about that.
    type: bool
    default: false
seealso:
  - module: huaweicloud.recovery.ddm_restorable_info
  - module: huaweicloud.recovery.ddm_job_info
  - module: huaweicloud.recovery.restore_wait
"""

EXAMPLES = r"""
- name: Show what would be restored onto what, and start nothing
  huaweicloud.recovery.ddm_recovery:
    instance_id: 1f5c9fd6cd984056ba89c8c87cc03278in09
    target_instance_id: 2f0324a93859487eb5566d75951fcd2din09
    restore_time: latest
  check_mode: true
  diff: true
  register: preview

- name: Start exactly that, with the data nodes spelled out
  huaweicloud.recovery.ddm_recovery:
    instance_id: 1f5c9fd6cd984056ba89c8c87cc03278in09
    target_instance_id: 2f0324a93859487eb5566d75951fcd2din09
    restore_time: "{{ preview.restore_time }}"
    data_node_relations: "{{ preview.data_node_relations }}"
    wait: false
  register: started

- name: Attach to a recovery whose job is unknown, after the loss of a controller
  huaweicloud.recovery.ddm_recovery:
    instance_name: orders-db
    target_instance_name: orders-db-restored
    adopt: true

- name: Attach to the job and wait for it, up to two hours
  huaweicloud.recovery.ddm_recovery:
    job_id: "{{ started.job_id }}"
    wait_timeout: 7200
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
data_node_relations:
  description: Which data node is restored onto which. Null with O(job_id) and O(adopt), because a job does
    not report it.
  returned: success
  type: list
  elements: dict
  contains:
    source_instance_id:
      description: ID of the data node of the source.
      type: str
      sample: 7edae0250ebc464897bd92b8d3e8b769in01
    target_instance_id:
      description: ID of the data node that is overwritten.
      type: str
      sample: f4e2949e9b9b4d60b42c89ed39bfe34cin01
restore_time:
  description: The point in time, in milliseconds since the epoch. Null with O(job_id) and O(adopt), because a
    job does not report it.
  returned: success
  type: int
  sample: 1747732352000
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
  description: Time of the data that are restored, in UTC. Null with O(job_id) and O(adopt), because a job
    does not report it.
  returned: success
  type: str
  sample: "2025-05-20T09:12:32.000Z"
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
  description: >-
    Which data are overwritten by what, C(before) and C(after), each with C(target), C(name) and C(data), or
    with C(job) and C(status) for O(job_id) and O(adopt).
  returned: when something changes
  type: dict
  sample:
    before:
      target: 2f0324a93859487eb5566d75951fcd2din09
      name: orders-db-restored
      data: what is in it and in its data nodes now
    after:
      target: 2f0324a93859487eb5566d75951fcd2din09
      name: orders-db-restored
      data: orders-db (1f5c9fd6cd984056ba89c8c87cc03278in09) as of 2025-05-20T09:12:32.000Z
      data_nodes: {f4e2949e9b9b4d60b42c89ed39bfe34cin01: 7edae0250ebc464897bd92b8d3e8b769in01}
"""

from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.recovery import (
    OPTIONS,
    RULES,
    plan,
)


def main() -> None:
    run_module(plan, OPTIONS, wait=True, **RULES)


if __name__ == "__main__":
    main()
