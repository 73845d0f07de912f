# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_start
short_description: Start many restores of DDM and DCS instances in one task
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Does for many instances what M(huaweicloud.recovery.dcs_restore) and M(huaweicloud.recovery.ddm_recovery)
    do for one with C(wait=false).
  - Takes rows and returns the same rows in the same order. A row is one instance that is to be overwritten,
    and keeps every key that it came with.
  - First the task plans every restore. Then it starts those that it could plan, up to 16 at a time. It starts
    each one at most once, as a task of its own would. When the task cannot plan or start a row, it goes on
    with the others; at its end it fails and returns all rows. Invalid input, for example an unknown key in a
    row, fails the task before anything starts.
  - M(huaweicloud.recovery.restore_wait) takes the rows and waits.
  - The task starts a row that check mode has planned exactly as it was planned, with the backup, the time and
    the data nodes that the row shows. A row that was planned to attach to a restore fails if the
    restore has ended since.
  - The task passes a row through unchanged when the row has failed, or was started before.
  - Rows that would overwrite the same instance all fail. If several rows would overwrite the same data node,
    the task starts only the first one. If one row reads what another overwrites, both fail.
notes:
  - This is an action. If it cannot run in the controller's process (see
    C(huaweicloud_recovery_in_process)), it runs the modules one after another, first all in check mode.
  - The task starts no restore before it has planned all of them. If a region does not respond,
    O(start_timeout) and O(http_timeout) limit the delay of the others. With a task for each region, no region
    delays another.
  - Rows are registered, shown and written to reports. Do not put a secret into one.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._attributes
attributes:
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: partial
    details: The same as for M(huaweicloud.recovery.dcs_restore) and M(huaweicloud.recovery.ddm_recovery).
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
options:
  restores:
    description: The rows, in any order - the restores to start, or the rows that another of the three tasks
      has returned. With an empty list nothing happens.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description:
          - Service of the instance.
          - V(dcs) takes the options of M(huaweicloud.recovery.dcs_restore), V(ddm) those of
            M(huaweicloud.recovery.ddm_recovery).
        type: str
        choices: [dcs, ddm]
        required: true
      region:
        description: Region of the instance, if it differs from that of the task.
        type: str
      project_id: {description: ID of the project. The row fails if the keys lead to another., type: str}
      label:
        description: Text of your choice, shown next to the name that the instance has in the cloud.
        type: str
      instance_id:
        description: ID of the DCS instance that is overwritten, or of the DDM instance that is the source.
        type: str
      instance_name:
        description: Exact name of this instance, instead of O(restores[].instance_id).
        type: str
      timezone:
        description: Zone for times without one, such as V(Europe/Berlin). When absent, E(HW_TIMEZONE).
        type: str
      backup_id:
        description: With V(dcs), the backup to restore. Exactly one of this, O(restores[].backup_name) and
          O(restores[].restore_point) is needed.
        type: str
      backup_name:
        description: With V(dcs), exact name of the backup to restore.
        type: str
      restore_point:
        description: With V(dcs), restore the newest usable backup with data up to this time, or V(latest).
        type: str
      ignore_stuck:
        description: With V(dcs), ignore restore records that never end.
        type: bool
      remark:
        description: With V(dcs), text for the remark of the restore, at most 94 characters.
        type: str
      operation_id:
        description: With V(dcs), distinguishes this restore from earlier ones of the same backup.
        type: str
      target_instance_id:
        description: With V(ddm), ID of the instance that is overwritten.
        type: str
      target_instance_name:
        description: With V(ddm), exact name of this instance, instead of O(restores[].target_instance_id).
        type: str
      restore_time:
        description: With V(ddm), the point in time to restore, or V(latest).
        type: str
      data_node_relations:
        description: With V(ddm), which data node is restored onto which. When absent, the task chooses.
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
        description: With V(ddm), attach to this job instead of starting one.
        type: str
      adopt:
        description: With V(ddm), attach to the newest restore job on the target instead of starting one.
          The task cannot check which time the job restores.
        type: bool
      metadata:
        description: With V(ddm), restore only the metadata of the schemas, as
          M(huaweicloud.recovery.ddm_metadata_recovery) does. The targets in O(restores[].data_node_relations)
          are the data nodes that RDS has already restored to O(restores[].restore_time).
        type: bool
  start_timeout:
    description:
      - Longest time to plan one restore, and then again to start it, in seconds, from 0 to 604800 (a week).
        The search after a lost response is part of this time.
    type: int
    default: 1800
seealso:
  - module: huaweicloud.recovery.dcs_restore
  - module: huaweicloud.recovery.ddm_recovery
  - module: huaweicloud.recovery.restore_wait
"""

EXAMPLES = r"""
- name: Start restoring a cache and a database
  huaweicloud.recovery.restore_start:
    restores:
      - service: dcs
        instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
        restore_point: latest
      - service: ddm
        instance_id: 1f5c9fd6cd984056ba89c8c87cc03278in09
        target_instance_id: 2f0324a93859487eb5566d75951fcd2din09
        restore_time: latest
  register: started

- name: Wait for both, up to an hour
  huaweicloud.recovery.restore_wait:
    restores: "{{ started.restores }}"
    wait_timeout: 3600
"""

RETURN = r"""
restores:
  description:
    - The rows of O(restores) in their order, with all keys that they came with. A key whose value is not
      known is null.
  returned: success, and when a restore could not be planned or started
  type: list
  elements: dict
  contains:
    service: {description: The service of the row., type: str, sample: dcs}
    region: {description: "Region of the row, or null.", type: str, sample: ap-southeast-3}
    profile: {description: "Profile of its credentials, or null.", type: str, sample: prod}
    label: {description: The label that the row came with., type: str, sample: the cache of the shop}
    target:
      description: The instance that is overwritten. Keys that no task has read are null.
      type: dict
      contains:
        instance_id:
          description: ID of the instance.
          type: str
          sample: 5560df16-cebf-4473-95c4-d1b573c16e79
        instance_name: {description: Its name in the cloud., type: str, sample: orders-cache}
        status: {description: Status of the instance., type: str, sample: RUNNING}
        engine: {description: Engine of the instance., type: str, sample: Redis}
        engine_version: {description: Version of the engine., type: str, sample: "6.0"}
        used_memory: {description: "Memory in use, in MB. Null for DDM.", type: int, sample: 42}
        max_memory: {description: "Memory for data, in MB. Null for DDM.", type: int, sample: 2048}
        vpc_name: {description: Name of the VPC., type: str, sample: vpc-production}
        address: {description: Its address for clients., type: str, sample: 192.168.0.5}
        port: {description: Its port for clients., type: int, sample: 6379}
    source:
      description: The instance that the data come from.
      type: dict
      contains:
        instance_id:
          description: ID of the instance.
          type: str
          sample: 5560df16-cebf-4473-95c4-d1b573c16e79
        instance_name: {description: Its name in the cloud., type: str, sample: orders-cache}
    action:
      description: V(restore), V(adopt) when the task attaches to a running restore, V(nothing) when the
        instance was restored before.
      type: str
      sample: restore
    what:
      description: What the instance is overwritten with.
      type: str
      sample: "backup backup_20250520173125 (8ba256cb, 1.00 MB)"
    backup:
      description: The backup, as RV(huaweicloud.recovery.dcs_restore#module:backup).
      type: dict
      sample: {backup_id: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029, backup_name: backup_20250520173125}
    restore:
      description: The DCS restore, as RV(huaweicloud.recovery.dcs_restore#module:restore).
      type: dict
      sample: {restore_id: a6155972-800c-4170-a479-3231e907d2f6, status: restoring}
    job:
      description: The DDM job, as RV(huaweicloud.recovery.ddm_recovery#module:job).
      type: dict
      sample: {id: 09902ee7866649b8908ec209bfee2747, status: Running}
    restore_id:
      description: "ID of the DCS restore, or null."
      type: str
      sample: a6155972-800c-4170-a479-3231e907d2f6
    job_id: {description: "ID of the DDM job, or null.", type: str, sample: 09902ee7866649b8908ec209bfee2747}
    data_node_relations:
      description: Which data node is restored onto which.
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
      description: "The point in time, in milliseconds since the epoch."
      type: int
      sample: 1747732352076
    data_time:
      description: "Time of the restored data, in ISO 8601, UTC."
      type: str
      sample: "2025-05-20T09:12:32.076Z"
    newer_backup:
      description: The next usable backup after the point in time.
      type: dict
      sample: {backup_id: 5c8e2c4d-1b4c-4c4f-9a52-6a6f5f3b7a10}
    last_seconds: {description: Seconds that its newest finished restore took., type: int, sample: 120}
    outcome:
      description:
        - V(planned) in check mode, V(started) when the restore runs, V(unchanged) when nothing had to be
          done, V(succeeded) after the wait.
        - Null when the restore has failed, or when nobody knows whether it runs. RV(restores[].error_kind)
          tells these apart.
      type: str
      sample: started
    changed:
      description: "Whether the task started a restore or attached to one, or would do so in check mode."
      type: bool
      sample: true
    adopted: {description: Whether the task found the restore running., type: bool, sample: false}
    failed_step:
      description: "The step in which it failed, for example V(plan)."
      type: str
      sample: restore
    error_kind: {description: "Why it failed, in a word, for example V(busy).", type: str, sample: busy}
    msg: {description: "Why it failed, in one sentence.", type: str, sample: The instance is RESTARTING.}
    error_code: {description: Error code of the service., type: str, sample: DCS.4026}
    request_id:
      description: ID of the request that failed.
      type: str
      sample: 0d6b45e6a2a84a9d8ed8f2e2a1f5c3aa
    elapsed: {description: Seconds that the task waited for the restore., type: float, sample: 388.2}
    details:
      description: Further keys of the result of the row's module, such as C(planned_at), and C(account) when
        it differs from that of the task.
      type: dict
      sample: {planned_at: "2025-05-21T02:10:07.000Z"}
    safety_backup:
      description: The backup that was made before the instance was overwritten. In the role, C(earlier_ids)
        has the IDs of those that earlier runs of the operation have made.
      type: dict
      sample: {backup_name: before}
    verification: {description: What the checks found., type: dict, sample: {end: passed}}
    steps:
      description: What was done with the row so far, the oldest first.
      type: list
      elements: dict
      contains:
        step: {description: "The name of the step, for example V(plan).", type: str, sample: plan}
        outcome: {description: "V(ok), V(failed) or V(skipped).", type: str, sample: ok}
        error_kind: {description: "Why it failed, or null.", type: str, sample: busy}
        msg: {description: "Why it failed, or null.", type: str, sample: The instance is RESTARTING.}
        at: {description: "When it began, in ISO 8601.", type: str, sample: "2025-05-20T09:45:12.720Z"}
        seconds: {description: Duration in seconds., type: float, sample: 0.4}
account:
  description:
    - The account and project in which the task acts. What IAM does not report is V(unknown).
    - Null when an earlier task has planned all rows, and when each row that this task plans is refused
      before any request. When the modules run one after another, this is the account of a row that could be
      planned, if possible of one without a region or profile of its own.
  returned: success, and when a restore could not be planned or started
  type: dict
  contains:
    domain_id: {description: ID of the account., type: str, sample: 0ae6b7f2d90025a60f5ec00b1d2a9c03}
    domain_name: {description: Name of the account., type: str, sample: example-account}
    project_id: {description: ID of the project., type: str, sample: 0f6c2a1b9d8e4f70a1b2c3d4e5f60718}
    project_name: {description: Name of the project., type: str, sample: ap-southeast-3}
    region: {description: The region., type: str, sample: ap-southeast-3}
    source: {description: Where the keys came from., type: str, sample: profile prod}
diff:
  description: Which data are overwritten by what, one item for each restore that is started or attached to.
  returned: success, and when a restore could not be started
  type: list
  elements: dict
  sample:
    - before: {instance: 5560df16-cebf-4473-95c4-d1b573c16e79, name: orders-cache, data: what is in it now}
      after:
        instance: 5560df16-cebf-4473-95c4-d1b573c16e79
        name: orders-cache
        data: backup 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029
"""
