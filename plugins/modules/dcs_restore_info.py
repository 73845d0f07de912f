#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_restore_info
short_description: List the restores of a DCS instance
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Lists the restores of a Distributed Cache Service (DCS) instance, newest first, running ones included.
  - The filters are exact and are combined with "and".
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._timezone
  - huaweicloud.recovery._attributes.info
options:
  instance_id:
    description: ID of the DCS instance that was restored. Exactly one of O(instance_id) and O(instance_name)
      is needed.
    type: str
  instance_name:
    description: Exact name of the DCS instance, instead of its ID. Unless exactly one instance has it, the
      task fails and lists the candidates.
    type: str
  restore_id:
    description: Return this restore only.
    type: str
  backup_id:
    description: Return the restores of this backup only.
    type: str
  begin_time:
    description:
      - Return the restores created at or after this time.
      - ISO 8601, milliseconds since the epoch, or C(yyyyMMddHHmmss) in UTC. A time in ISO 8601 without a zone
        needs O(timezone).
    type: str
  end_time:
    description: Return the restores created at or before this time, in a form that O(begin_time) accepts.
    type: str
  status:
    description: Return the restores in this status only. The API knows V(waiting), V(restoring), V(succeed)
      and V(failed).
    type: str
seealso:
  - module: huaweicloud.recovery.dcs_restore
  - module: huaweicloud.recovery.restore_wait
"""

EXAMPLES = r"""
- name: List the restores of an instance
  huaweicloud.recovery.dcs_restore_info:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
  register: cache

- name: List only the ones that failed in May
  huaweicloud.recovery.dcs_restore_info:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    begin_time: "2025-05-01T00:00:00Z"
    end_time: "2025-05-31T23:59:59Z"
    status: failed
"""

RETURN = r"""
restores:
  description: The restores that match, newest first. Empty when none does. A key that the service does not
    fill is null.
  returned: success
  type: list
  elements: dict
  contains:
    restore_id: {description: ID of the restore., type: str, sample: a6155972-800c-4170-a479-3231e907d2f6}
    restore_name: {description: Name of the restore., type: str, sample: restore_20250520094512}
    backup_id:
      description: ID of the backup that was restored.
      type: str
      sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029
    backup_name: {description: Name of the backup., type: str, sample: backup_20250520173125}
    status:
      description: Status of the restore. V(succeed) and V(failed) are final.
      type: str
      sample: succeed
    progress: {description: "Progress in percent, as the service gives it.", type: str, sample: "100.00"}
    created_at: {description: When the restore was created., type: str, sample: "2025-05-20T09:45:12.720Z"}
    updated_at: {description: When the restore was completed., type: str, sample: "2025-05-20T09:51:40.101Z"}
    restore_remark:
      description: Remark of the restore. That of M(huaweicloud.recovery.dcs_restore) ends with the marker of
        the operation.
      type: str
      sample: CHG-1042 [rst1:MFRGGZDFMZTWQ2LKNNWG23TPOA]
    backup_remark: {description: Remark of the backup., type: str, sample: before the release}
    error_code: {description: Why the restore failed., type: str, sample: dcs.08.0007}
total:
  description: Number of restores that match.
  returned: success
  type: int
  sample: 1
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._filters import matching, window, within
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs

OPTIONS: dict[str, t.Any] = {
    **named.OPTIONS,
    "restore_id": {"type": "str"},
    "backup_id": {"type": "str"},
    "begin_time": {"type": "str"},
    "end_time": {"type": "str"},
    "timezone": {"type": "str"},
    "status": {"type": "str"},
}
FILTERS = {"restore_id": "restore_id", "backup_id": "backup_id", "status": "status"}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    begin, end = window(params, cloud)
    dcs = Dcs(cloud)
    found = named.of_instance(dcs, params, dcs.restores)
    rows = within(matching(found, params, FILTERS), "created_at", begin, end)
    return Plan(result={"restores": rows, "total": len(rows)})


def main() -> None:
    run_module(plan, OPTIONS, **named.RULES)


if __name__ == "__main__":
    main()
