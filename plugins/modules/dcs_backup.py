#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_backup
short_description: Back up a DCS instance
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Makes a manual backup of a Distributed Cache Service (DCS) instance. The instance stays available, but the
    backup does not contain what is written while it is made.
  - The service keeps at most 24 manual backups of an instance. Another one replaces the oldest, and the
    task warns about that.
  - Before it starts anything, the module checks that the instance is running and idle, and that its type can
    be backed up.
  - The module never sends an accepted backup again. When a response is lost, it searches for the backup
    that it may have started.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._wait
  - huaweicloud.recovery._attributes
attributes:
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: partial
    details:
      - With O(operation_id) the task writes a marker made from project, instance and O(operation_id) into the
        remark of the backup. When a backup that carries the marker has succeeded, the task does nothing.
      - Without O(operation_id) the task makes a new backup in each run. The end of its marker differs from
        run to run.
      - In both cases the task attaches to a backup that an earlier run of the same task has started and that
        is still waiting or running, instead of making another one.
      - The marker is found only in a backup that the service lists. If a backup ends before it is listed, a
        second run makes another one. After a task with O(wait=false), give O(backup_id), which needs no list.
options:
  instance_id:
    description: ID of the DCS instance to back up. Exactly one of O(instance_id) and O(instance_name) is
      needed.
    type: str
  instance_name:
    description:
      - Exact name of the DCS instance to back up. Unless exactly one instance has it, the task fails and
        lists the candidates with ID, status and VPC.
    type: str
  backup_id:
    description: Attach to this backup, which an earlier task has started, instead of starting one. The task
      waits for it, also while the service does not list it yet. The other options may stay in the task.
    type: str
  remark:
    description: Text for the remark of the backup, at most 94 characters. The marker of the operation is
      added after it.
    type: str
  backup_format:
    description:
      - Format of the backup. When absent, the service decides, which means V(rdb).
      - Only Redis 4.0 and later support both.
    type: str
    choices: [rdb, aof]
  operation_id:
    description:
      - Names this backup, for example by the number of a change ticket or by a date, so that it is made once
        however often the task runs.
      - Any text. The task writes only a hash of it to the cloud. The text itself is in the arguments of the
        task, and in the report of the role.
    type: str
  ignore_stuck:
    description:
      - Ignore backup records that never end. A record counts as stuck when it is waiting or backuping and
        older than a day, although the instance is RUNNING and idle. The task neither attaches to it nor waits
        for it. Check the instance before you use this.
      - The service may still refuse the request, because it has its own rules for such records.
    type: bool
    default: false
  keep_backup_id:
    description: ID of a backup that the service must not replace by this one, for example because it is to be
      restored next. If it is the oldest of 24 manual backups, the task fails and makes no backup.
    type: str
seealso:
  - module: huaweicloud.recovery.dcs_backup_info
  - module: huaweicloud.recovery.dcs_restore
"""

EXAMPLES = r"""
- name: Back up an instance before a change, once
  huaweicloud.recovery.dcs_backup:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    remark: before the release
    operation_id: CHG-1042
  register: safeguard

- name: Make one more backup with every run
  huaweicloud.recovery.dcs_backup:
    instance_name: orders-cache
    backup_format: rdb

- name: Restore the first of the two
  huaweicloud.recovery.dcs_restore:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    backup_id: "{{ safeguard.backup_id }}"
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
backup_id:
  description: ID of the backup that the task started, attached to, or found finished. Null in check mode
    when a backup would be made.
  returned: success
  type: str
  sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029
backup:
  description: The backup as the task saw it last. Null when the task starts one without waiting for it, or
    would start one in check mode.
  returned: success
  type: dict
  contains:
    backup_id: {description: ID of the backup., type: str, sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029}
    backup_name: {description: Name of the backup., type: str, sample: backup_20250520173125}
    instance_id: {description: ID of the instance., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    backup_type: {description: V(manual)., type: str, sample: manual}
    backup_format: {description: V(rdb) or V(aof)., type: str, sample: rdb}
    status: {description: "V(waiting), V(backuping) or V(succeed).", type: str, sample: succeed}
    is_support_restore: {description: Whether the service can restore it., type: bool, sample: true}
    size: {description: Size in bytes., type: int, sample: 1048576}
    period: {description: "Time window of automatic backups. Null here.", type: str, sample: 00:00-01:00}
    progress: {description: "Progress in percent, as the service gives it.", type: str, sample: "100.00"}
    error_code: {description: Why the backup failed., type: str, sample: dcs.08.0001}
    remark:
      description: O(remark) and the marker of the operation.
      type: str
      sample: "before the release [rst1:MFRGGZDFMZTWQ2LKNNWG23TPOA]"
    created_at: {description: When the backup was created., type: str, sample: "2025-05-20T09:31:25.720Z"}
    updated_at: {description: When the backup was completed., type: str, sample: "2025-05-20T09:42:10.124Z"}
    execution_at: {description: When its data were read., type: str, sample: "2025-05-20T09:31:26.503Z"}
planned_at:
  description: When the task made its plan, in UTC, by the cloud's clock.
  returned: success
  type: str
  sample: "2025-05-21T02:10:07.000Z"
adopted:
  description: Whether the task attached to a backup that was already running, or that it found after a lost
    response, instead of starting another. V(true) with O(backup_id).
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
  description: The instance, and the remark of the backup that is made.
  returned: when something changes
  type: dict
  sample:
    before: {instance: 5560df16-cebf-4473-95c4-d1b573c16e79, name: orders-cache, new_backup: null}
    after:
      instance: 5560df16-cebf-4473-95c4-d1b573c16e79
      name: orders-cache
      new_backup: "before the release [rst1:MFRGGZDFMZTWQ2LKNNWG23TPOA]"
"""

from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.backup import (
    OPTIONS,
    RULES,
    plan,
)


def main() -> None:
    run_module(plan, OPTIONS, wait=True, **RULES)


if __name__ == "__main__":
    main()
