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
  - Does for many instances what M(huaweicloud.recovery.dcs_restore) and M(huaweicloud.recovery.ddm_recovery) do for one with C(wait=false).
  - First it plans every restore, then it starts those whose plan could be made, up to 16 at a time. Each one is started once at most, as if it had a task of
    its own. One that cannot be planned or started fails alone; the task fails at its end and tells of all. Options that cannot be right whatever the cloud
    says, for example an ID that is none, fail the task before anything starts, as those of any module do.
  - M(huaweicloud.recovery.restore_wait) waits for them.
  - Entries that would overwrite the same instance all fail. Of entries that would overwrite the same data node only the first one is started.
notes:
  - This is an action and runs on the controller. Where it cannot (see C(huaweicloud_recovery_in_process)) it runs the modules, one after the other, first
    all of them in check mode.
  - No restore is started before every one is planned. Where a region does not answer, O(start_timeout) and O(http_timeout) say for how long that holds up
    the others; a task for each region holds up none.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._attributes
attributes:
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: partial
    details: As M(huaweicloud.recovery.dcs_restore) and M(huaweicloud.recovery.ddm_recovery) do.
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
options:
  restores:
    description: What to restore, in any order. With an empty list nothing happens.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description:
          - Service of the instance.
          - V(dcs) takes the options of M(huaweicloud.recovery.dcs_restore), V(ddm) those of M(huaweicloud.recovery.ddm_recovery).
        type: str
        choices: [dcs, ddm]
        required: true
      region:
        description: Region of the instance, when it is another one than that of the task.
        type: str
      instance_id:
        description: ID of the DCS instance that is overwritten, or of the DDM instance whose data are restored.
        type: str
      backup_id:
        description: With V(dcs), the backup to restore. Exactly one of this and O(restores[].restore_point) is needed.
        type: str
      restore_point:
        description: With V(dcs), restore the newest usable backup that was created at or before this time, or V(latest).
        type: str
      remark:
        description: With V(dcs), text for the remark of the restore, at most 94 characters.
        type: str
      operation_id:
        description: With V(dcs), distinguishes this restore from earlier ones of the same backup.
        type: str
      target_instance_id:
        description: With V(ddm), ID of the instance that is overwritten.
        type: str
      restore_time:
        description: With V(ddm), the point in time to restore, or V(latest).
        type: str
      data_node_relations:
        description: With V(ddm), which data node is restored onto which. When absent suitable ones are found.
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
  start_timeout:
    description:
      - Longest time that planning one restore may take, and then again starting it, in seconds, from 0 to 604800 (a week). An answer that got lost is looked
        for in it, too.
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
    restores: "{{ started.running }}"
    wait_timeout: 3600
"""

RETURN = r"""
results:
  description:
    - What became of each entry, in the order of O(restores). A key that is the other service's is null.
    - A row of an entry that failed also has the further keys of a failed task, for example C(error_code) and C(request_id).
  returned: success, and when a restore could not be started
  type: list
  elements: dict
  contains:
    service: {description: The service of the entry., type: str, sample: dcs}
    changed: {description: "Whether a restore was started or adopted, or would be in check mode.", type: bool, sample: true}
    outcome:
      description:
        - V(started) when the restore runs (or would, in check mode), V(unchanged) when nothing had to be done.
        - Null when it could not be started, or when it is not known whether it runs; RV(results[].error_kind) says which.
      type: str
      sample: started
    adopted: {description: "Whether it was found running, instead of being started.", type: bool, sample: false}
    restore_id: {description: "ID of the DCS restore, null in check mode when one would be started.", type: str, sample: a6155972-800c-4170-a479-3231e907d2f6}
    restore:
      description: As RV(huaweicloud.recovery.dcs_restore#module:restore).
      type: dict
      sample: {restore_id: a6155972-800c-4170-a479-3231e907d2f6, status: restoring}
    backup:
      description: As RV(huaweicloud.recovery.dcs_restore#module:backup).
      type: dict
      sample: {backup_id: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029, backup_name: backup_20250520173125}
    job_id: {description: "ID of the DDM job, null in check mode when one would be started.", type: str, sample: 09902ee7866649b8908ec209bfee2747}
    job:
      description: As RV(huaweicloud.recovery.ddm_recovery#module:job).
      type: dict
      sample: {id: 09902ee7866649b8908ec209bfee2747, status: Running}
    data_node_relations:
      description: Which data node is restored onto which.
      type: list
      elements: dict
      contains:
        source_instance_id: {description: ID of the data node of the source., type: str, sample: 7edae0250ebc464897bd92b8d3e8b769in01}
        target_instance_id: {description: ID of the data node that is overwritten., type: str, sample: f4e2949e9b9b4d60b42c89ed39bfe34cin01}
    restore_time: {description: "The point in time, in milliseconds since the epoch.", type: int, sample: 1747732352076}
    error_kind: {description: "Null, or why it failed, for example V(busy), V(not_restorable) or V(outcome_unknown).", type: str, sample: busy}
    msg: {description: "Null, or why it failed, in a sentence.", type: str, sample: The instance is RESTARTING.}
running:
  description: The restores that run, as M(huaweicloud.recovery.restore_wait) takes them, in the order of O(restores).
  returned: success, and when a restore could not be started
  type: list
  elements: dict
  contains:
    service: {description: V(dcs) or V(ddm)., type: str, sample: dcs}
    region: {description: "Region of the instance, null where the entry has none.", type: str, sample: ap-southeast-3}
    instance_id: {description: ID of the DCS instance. Null for V(ddm)., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    restore_id: {description: ID of the DCS restore. Null for V(ddm)., type: str, sample: a6155972-800c-4170-a479-3231e907d2f6}
    job_id: {description: ID of the DDM job. Null for V(dcs)., type: str, sample: 09902ee7866649b8908ec209bfee2747}
diff:
  description: Whose data are overwritten by what, one for each restore that is started or adopted.
  returned: success, and when a restore could not be started
  type: list
  elements: dict
  sample:
    - before: {instance: 5560df16-cebf-4473-95c4-d1b573c16e79, name: orders-cache, data: what is in it now}
      after: {instance: 5560df16-cebf-4473-95c4-d1b573c16e79, name: orders-cache, data: backup 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029}
"""
