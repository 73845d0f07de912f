#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_backup_info
short_description: List the backups of a DCS instance
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Lists the backups of a Distributed Cache Service (DCS) instance, newest first.
  - The filters are exact and are combined with "and".
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._timezone
  - huaweicloud.recovery._attributes.info
options:
  instance_id:
    description: ID of the DCS instance. Exactly one of O(instance_id) and O(instance_name) is needed.
    type: str
  instance_name:
    description: Exact name of the DCS instance, instead of its ID. Unless exactly one instance has it, the
      task fails and lists the candidates.
    type: str
  backup_id:
    description: Return this backup only.
    type: str
  begin_time:
    description:
      - Return the backups created at or after this time.
      - ISO 8601, milliseconds since the epoch, or C(yyyyMMddHHmmss) in UTC. A time in ISO 8601 without a zone
        needs O(timezone).
    type: str
  end_time:
    description: Return the backups created at or before this time, in a form that O(begin_time) accepts.
    type: str
  status:
    description:
      - Return the backups in this status only.
      - The API knows V(waiting), V(backuping), V(succeed), V(failed), V(expired) and V(deleted).
    type: str
  usable_only:
    description: Return only the backups that can be restored, which are those that have succeeded and for
      which the service reports that it supports a restore.
    type: bool
    default: false
seealso:
  - module: huaweicloud.recovery.dcs_backup
  - module: huaweicloud.recovery.dcs_restore
"""

EXAMPLES = r"""
- name: Find the newest backup that can be restored
  huaweicloud.recovery.dcs_backup_info:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    usable_only: true
  register: cache

- name: Require one that is younger than a day
  ansible.builtin.assert:
    that:
      - cache.backups | length > 0
      - (now(utc=true) - (cache.backups[0].created_at |
        ansible.builtin.to_datetime("%Y-%m-%dT%H:%M:%S.%fZ"))).days < 1
"""

RETURN = r"""
backups:
  description: The backups that match, newest first. Empty when none does. A key that the service does not
    fill is null.
  returned: success
  type: list
  elements: dict
  contains:
    backup_id: {description: ID of the backup., type: str, sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029}
    backup_name:
      description: Name of the backup. Do not read a time from it, because it holds the local time of the
        region.
      type: str
      sample: backup_20250520173125
    instance_id: {description: ID of the instance., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    backup_type: {description: V(manual) or V(auto)., type: str, sample: manual}
    backup_format: {description: V(rdb) or V(aof)., type: str, sample: rdb}
    status: {description: Status of the backup., type: str, sample: succeed}
    is_support_restore: {description: Whether the service can restore it., type: bool, sample: true}
    size: {description: Size in bytes., type: int, sample: 1048576}
    period: {description: When automatic backups are taken., type: str, sample: 00:00-01:00}
    progress: {description: "Progress in percent, as the service gives it.", type: str, sample: "100.00"}
    error_code: {description: Why the backup failed., type: str, sample: dcs.08.0008}
    remark:
      description: Remark of the backup. That of M(huaweicloud.recovery.dcs_backup) ends with the marker of
        the operation.
      type: str
      sample: before the release
    created_at: {description: When the backup was created., type: str, sample: "2025-05-20T09:31:25.720Z"}
    updated_at: {description: When the backup was completed., type: str, sample: "2025-05-20T09:42:10.124Z"}
    execution_at: {description: When its data were read., type: str, sample: "2025-05-20T09:31:26.503Z"}
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._filters import matching, window, within
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import usable

OPTIONS: dict[str, t.Any] = {
    **named.OPTIONS,
    "backup_id": {"type": "str"},
    "begin_time": {"type": "str"},
    "end_time": {"type": "str"},
    "timezone": {"type": "str"},
    "status": {"type": "str"},
    "usable_only": {"type": "bool", "default": False},
}
FILTERS = {"backup_id": "backup_id", "status": "status"}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    begin, end = window(params, cloud)
    dcs = Dcs(cloud)
    found = named.of_instance(dcs, params, dcs.backups)
    rows = within(matching(found, params, FILTERS), "created_at", begin, end)
    return Plan(result={"backups": [row for row in rows if usable(row) or not params["usable_only"]]})


def main() -> None:
    run_module(plan, OPTIONS, **named.RULES)


if __name__ == "__main__":
    main()
