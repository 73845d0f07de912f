#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_restore
short_description: Restore a DCS instance from one of its backups, once
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Restores a Distributed Cache Service (DCS) instance in place from one of its own backups.
  - B(All data of the instance are overwritten). What was written after the backup is lost.
  - The instance is unavailable while it is restored, which takes 1 to 30 minutes.
  - Before it starts anything, the module checks that the instance is running and idle and can be restored,
    and that the backup is complete and restorable.
  - The module never sends an accepted restore again. When a response is lost, it searches for the
    restore that it may have started.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._timezone
  - huaweicloud.recovery._wait
  - huaweicloud.recovery._attributes
attributes:
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: full
    details:
      - One operation is the combination of project, instance, backup and O(operation_id). A marker made from
        it is written into the remark of the restore.
      - When a restore of the same backup is waiting or running, the task attaches to it instead of starting
        another one.
      - When the newest restore of the instance carries the marker of this operation and has succeeded, the
        task does nothing, but fails if the instance is in the state ERROR, CREATEFAILED or FROZEN.
      - Otherwise the task starts a restore, even when the newest restore with this marker has failed.
      - With O(restore_point) the operation changes with the backup that is chosen, so that V(latest) restores
        again as soon as there is a newer backup.
      - A waiting or running record that is older than a day although the instance is RUNNING and idle is
        stuck. The task does not attach to it. It fails with the age of the record, unless O(ignore_stuck) is
        true.
options:
  instance_id:
    description: ID of the DCS instance to restore. Its data are overwritten. Exactly one of O(instance_id)
      and O(instance_name) is needed.
    type: str
  instance_name:
    description:
      - Exact name of the DCS instance to restore. Unless exactly one instance has it, the task fails and
        lists the candidates with ID, status and VPC.
    type: str
  backup_id:
    description:
      - ID of the backup to restore, one of the instance itself. Exactly one of O(backup_id), O(backup_name)
        and O(restore_point) is needed.
    type: str
  backup_name:
    description: Exact name of the backup to restore. Unless exactly one backup of the instance has it, the
      task fails and lists the candidates.
    type: str
  restore_point:
    description:
      - Restore the newest usable backup whose data are not newer than this. RV(data_time) is the time of the
        data.
      - V(latest) restores the newest usable backup of all, except for the safety backups that were made
        before a restore.
      - ISO 8601, milliseconds since the epoch, or C(yyyyMMddHHmmss) in UTC. A time in ISO 8601 without a zone
        needs O(timezone). The task refuses a time in seconds, and a time in the future by the clock of the
        cloud. The clock of this machine has no influence on the choice of the backup.
      - DCS restores only whole backups, so the restored data may be older than this time.
        RV(newer_backup) is the next backup.
    type: str
  remark:
    description: Text for the remark of the restore, at most 94 characters. The marker of the operation is
      added after it.
    type: str
  operation_id:
    description:
      - Distinguishes this restore from earlier ones of the same backup, for example the number of a change
        ticket or a date.
      - To restore the same backup again on purpose, give a new one. The same value means the same operation,
        which is not repeated once it has succeeded.
      - Any text. The task writes only a hash of it to the cloud. The text itself is in the arguments of the
        task, and in the report of the role.
    type: str
  ignore_stuck:
    description:
      - Ignore restore records that never end. A record counts as stuck when it is waiting or restoring and
        older than a day, although the instance is RUNNING and idle. The task neither attaches to it nor waits
        for it. Check the instance before you use this.
      - The service may still refuse the request, because it has its own rules for such records.
    type: bool
    default: false
seealso:
  - module: huaweicloud.recovery.dcs_backup_info
  - module: huaweicloud.recovery.dcs_backup
  - module: huaweicloud.recovery.dcs_restore_info
  - module: huaweicloud.recovery.restore_wait
"""

EXAMPLES = r"""
- name: Show what would be overwritten, and start nothing
  huaweicloud.recovery.dcs_restore:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    restore_point: latest
  check_mode: true
  diff: true

- name: Restore an instance by its name to its state at noon in Singapore
  huaweicloud.recovery.dcs_restore:
    instance_name: orders-cache
    restore_point: "2025-05-20T12:00:00"
    timezone: Asia/Singapore

- name: Restore one backup, and do nothing when this task runs again
  huaweicloud.recovery.dcs_restore:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    backup_id: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029
    remark: drill
    operation_id: CHG-1042

- name: Start the restore of the newest backup once more, to wait for it later with restore_wait
  huaweicloud.recovery.dcs_restore:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    restore_point: latest
    operation_id: CHG-1043
    wait: false
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
restore_id:
  description: ID of the restore that the task started, attached to, or found finished. Null in check mode
    when a restore would be started.
  returned: success
  type: str
  sample: a6155972-800c-4170-a479-3231e907d2f6
restore:
  description: The record of the restore as the task saw it last. Null when the task starts one without
    waiting for it, or would start one in check mode.
  returned: success
  type: dict
  contains:
    restore_id: {description: ID of the restore., type: str, sample: a6155972-800c-4170-a479-3231e907d2f6}
    restore_name: {description: Name of the restore., type: str, sample: restore_20250520094512}
    backup_id:
      description: ID of the backup that is restored.
      type: str
      sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029
    backup_name: {description: Name of the backup., type: str, sample: backup_20250520173125}
    status: {description: "V(waiting), V(restoring) or V(succeed).", type: str, sample: succeed}
    progress: {description: "Progress in percent, as the service gives it.", type: str, sample: "100.00"}
    created_at: {description: When the restore was created., type: str, sample: "2025-05-20T09:45:12.720Z"}
    updated_at: {description: When the restore was completed., type: str, sample: "2025-05-20T09:51:40.101Z"}
    restore_remark:
      description: O(remark) and the marker of the operation.
      type: str
      sample: "drill [rst1:MFRGGZDFMZTWQ2LKNNWG23TPOA]"
    backup_remark: {description: Remark of the backup., type: str, sample: before the release}
    error_code: {description: Why the restore failed., type: str, sample: dcs.08.0007}
backup:
  description: The backup that O(backup_id), O(backup_name) or O(restore_point) stands for. Null when the
    backup of O(backup_id) is no longer listed.
  returned: success
  type: dict
  contains:
    backup_id: {description: ID of the backup., type: str, sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029}
    backup_name: {description: Name of the backup., type: str, sample: backup_20250520173125}
    instance_id: {description: ID of the instance., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    backup_type: {description: V(manual) or V(auto)., type: str, sample: manual}
    backup_format: {description: V(rdb) or V(aof)., type: str, sample: rdb}
    status: {description: Status of the backup., type: str, sample: succeed}
    is_support_restore: {description: Whether the service can restore it., type: bool, sample: true}
    size: {description: Size in bytes., type: int, sample: 1048576}
    period: {description: When automatic backups are taken., type: str, sample: 00:00-01:00}
    progress:
      description: "Progress of the backup in percent, as the service gives it."
      type: str
      sample: "100.00"
    error_code: {description: Why the backup failed., type: str, sample: dcs.08.0007}
    remark: {description: Remark of the backup., type: str, sample: before the release}
    created_at: {description: When the backup was created., type: str, sample: "2025-05-20T09:31:25.720Z"}
    updated_at: {description: When the backup was completed., type: str, sample: "2025-05-20T09:42:10.124Z"}
    execution_at:
      description: "When its data were read. RV(data_time) is derived from it."
      type: str
      sample: "2025-05-20T09:31:26.503Z"
target:
  description: The instance that is overwritten.
  returned: success
  type: dict
  contains:
    instance_id: {description: ID of the instance., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    instance_name: {description: Name of the instance in the cloud., type: str, sample: orders-cache}
    status: {description: Status of the instance., type: str, sample: RUNNING}
    engine: {description: Engine of the instance., type: str, sample: Redis}
    engine_version: {description: Version of the engine., type: str, sample: "6.0"}
    used_memory: {description: "Memory in use, in MB.", type: int, sample: 42}
    max_memory: {description: "Memory for data, in MB.", type: int, sample: 2048}
    vpc_name: {description: Name of the VPC., type: str, sample: vpc-production}
    address: {description: Address to connect to., type: str, sample: 192.168.0.21}
    port: {description: Port to connect to., type: int, sample: 6379}
source:
  description: Where the data come from, the instance itself.
  returned: success
  type: dict
  contains:
    instance_id: {description: ID of the instance., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    instance_name: {description: Name of the instance in the cloud., type: str, sample: orders-cache}
data_time:
  description: Time of the data that are restored, in UTC - when the backup began, or when it was completed if
    its beginning is not known. Null when neither is known.
  returned: success
  type: str
  sample: "2025-05-20T09:31:26.503Z"
newer_backup:
  description: The usable backup with the oldest data after O(restore_point), or after the chosen backup. Null
    when there is none, and for V(latest).
  returned: success
  type: dict
  contains:
    backup_id: {description: ID of the backup., type: str, sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029}
    backup_name: {description: Name of the backup., type: str, sample: backup_20250520173125}
    instance_id: {description: ID of the instance., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    backup_type: {description: V(manual) or V(auto)., type: str, sample: manual}
    backup_format: {description: V(rdb) or V(aof)., type: str, sample: rdb}
    status: {description: Status of the backup., type: str, sample: succeed}
    is_support_restore: {description: Whether the service can restore it., type: bool, sample: true}
    size: {description: Size in bytes., type: int, sample: 1048576}
    period: {description: When automatic backups are taken., type: str, sample: 00:00-01:00}
    progress:
      description: "Progress of the backup in percent, as the service gives it."
      type: str
      sample: "100.00"
    error_code: {description: Why the backup failed., type: str, sample: dcs.08.0007}
    remark: {description: Remark of the backup., type: str, sample: before the release}
    created_at: {description: When the backup was created., type: str, sample: "2025-05-20T09:31:25.720Z"}
    updated_at: {description: When the backup was completed., type: str, sample: "2025-05-20T09:42:10.124Z"}
    execution_at: {description: When its data were read., type: str, sample: "2025-05-20T09:31:26.503Z"}
newest_restore:
  description: The newest restore of the instance that the cloud listed before this task started one. Null
    when there was none.
  returned: success
  type: dict
  contains:
    restore_id: {description: ID of the restore., type: str, sample: 8e1c5c8a-4d1f-4a53-9b2f-9a3f3c0c7d11}
    created_at: {description: When it was created., type: str, sample: "2025-05-20T09:31:25.720Z"}
last_seconds:
  description: Seconds that the newest finished restore of the instance took. Null when there is none.
  returned: success
  type: int
  sample: 388
planned_at:
  description: When the task made its plan, in UTC, by the cloud's clock.
  returned: success
  type: str
  sample: "2025-05-21T02:10:07.000Z"
adopted:
  description: Whether the task attached to a restore that was already running, or that it found after a lost
    response, instead of starting another.
  returned: success
  type: bool
  sample: false
outcome:
  description:
    - V(unchanged) when an earlier run had finished this operation, V(succeeded) when it has succeeded in this
      run, V(started) when it is running and the task does not wait for it.
    - In check mode V(unchanged) or V(planned).
  returned: success
  type: str
  sample: succeeded
marker_echoed:
  description: V(false) when the cloud did not keep the marker in the remark, so that a later run cannot
    recognise this operation. The task also warns.
  returned: when the marker is missing in the record
  type: bool
  sample: false
diff:
  description: Which data are overwritten by which backup, C(before) and C(after), each with C(instance),
    C(name) and C(data).
  returned: when something changes
  type: dict
  sample:
    before: {instance: 5560df16-cebf-4473-95c4-d1b573c16e79, name: orders-cache, data: what is in it now}
    after:
      instance: 5560df16-cebf-4473-95c4-d1b573c16e79
      name: orders-cache
      data: backup 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029
"""

from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.restore import (
    OPTIONS,
    RULES,
    plan,
)


def main() -> None:
    run_module(plan, OPTIONS, wait=True, **RULES)


if __name__ == "__main__":
    main()
