#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_wait
short_description: Wait for many restores at once
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Waits until all given restores of DCS and DDM instances have ended, in one task and on few connections, however many they are.
  - Start them by M(huaweicloud.recovery.dcs_restore) and M(huaweicloud.recovery.ddm_recovery) with C(wait=false), then wait for all of them here.
  - The task fails, after all restores have ended, when one of them has failed, or when O(wait_timeout) is over. The results of all are returned in either case.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._wait
  - huaweicloud.recovery._attributes.info
options:
  restores:
    description: The restores to wait for, in any order. An empty list is waited for at once.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description:
          - Service of the instance.
          - V(dcs) needs O(restores[].instance_id) and O(restores[].restore_id), V(ddm) needs O(restores[].job_id).
        type: str
        choices: [dcs, ddm]
        required: true
      region:
        description: Region of the instance, when it is another one than that of the task.
        type: str
      instance_id:
        description: ID of the DCS instance that is restored.
        type: str
      restore_id:
        description: ID of the restore, as M(huaweicloud.recovery.dcs_restore) returns it.
        type: str
      job_id:
        description: ID of the job, as M(huaweicloud.recovery.ddm_recovery) returns it.
        type: str
seealso:
  - module: huaweicloud.recovery.dcs_restore
  - module: huaweicloud.recovery.ddm_recovery
"""

EXAMPLES = r"""
- name: Start restoring a cache
  huaweicloud.recovery.dcs_restore:
    instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
    restore_point: latest
    wait: false
  register: cache

- name: Start restoring a database
  huaweicloud.recovery.ddm_recovery:
    instance_id: 1f5c9fd6cd984056ba89c8c87cc03278in09
    target_instance_id: 2f0324a93859487eb5566d75951fcd2din09
    restore_time: latest
    wait: false
  register: database

- name: Wait for both, up to an hour
  huaweicloud.recovery.restore_wait:
    restores:
      - service: dcs
        instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
        restore_id: "{{ cache.restore_id }}"
      - service: ddm
        job_id: "{{ database.job_id }}"
    wait_timeout: 3600
"""

RETURN = r"""
results:
  description: What became of each restore, in the order of O(restores).
  returned: success, and when a restore has failed or O(wait_timeout) is over
  type: list
  elements: dict
  contains:
    service: {description: V(dcs) or V(ddm)., type: str, sample: dcs}
    instance_id: {description: ID of the DCS instance. Null for V(ddm)., type: str, sample: 5560df16-cebf-4473-95c4-d1b573c16e79}
    restore_id: {description: ID of the restore. Null for V(ddm)., type: str, sample: a6155972-800c-4170-a479-3231e907d2f6}
    job_id: {description: ID of the job. Null for V(dcs)., type: str, sample: 09902ee7866649b8908ec209bfee2747}
    restore:
      description:
        - The record of the restore as it was seen last, with the keys of RV(huaweicloud.recovery.dcs_restore_info#module:restores[]). Null for V(ddm).
      type: dict
      contains:
        restore_id: {description: ID of the restore., type: str, sample: a6155972-800c-4170-a479-3231e907d2f6}
        restore_name: {description: Name of the restore., type: str, sample: restore_20250520094512}
        backup_id: {description: ID of the backup that is restored., type: str, sample: 8ba256cb-e5ac-44f6-a3da-c03d8f0e5029}
        backup_name: {description: Name of the backup., type: str, sample: backup_20250520173125}
        status: {description: "V(waiting), V(restoring), V(succeed) or V(failed).", type: str, sample: succeed}
        progress: {description: "Progress in percent, as the service gives it.", type: str, sample: "100.00"}
        created_at: {description: When the restore was created., type: str, sample: "2025-05-20T09:45:12.720Z"}
        updated_at: {description: When the restore was completed., type: str, sample: "2025-05-20T09:51:40.101Z"}
        restore_remark: {description: Remark of the restore., type: str, sample: "drill [rst1:MFRGGZDFMZTWQ2LKNNWG23TPOA]"}
        backup_remark: {description: Remark of the backup., type: str, sample: before the release}
        error_code: {description: Why the restore failed., type: str, sample: dcs.08.0007}
    job:
      description: The job as it was seen last. Null for V(dcs).
      type: dict
      contains:
        id: {description: ID of the job., type: str, sample: 09902ee7866649b8908ec209bfee2747}
        name: {description: Name of the job., type: str, sample: RestoreInstance}
        status: {description: "V(Running), V(Completed) or V(Failed).", type: str, sample: Completed}
        created_time: {description: When the job was created., type: str, sample: 2025-05-20T09:45:12+0000}
        end_time: {description: When the job ended. Without meaning while it runs., type: str, sample: 2025-05-20T09:58:40+0000}
        process: {description: "Progress of the job, while it runs.", type: str, sample: 60%}
        fail_reason: {description: Why the job failed., type: str, sample: The data node is abnormal.}
        instance_id: {description: ID of the DDM instance that the job works on., type: str, sample: 2f0324a93859487eb5566d75951fcd2din09}
        instance_name: {description: Name of the DDM instance., type: str, sample: orders-db-restored}
        database_name: {description: "The schema that the job works on, for the jobs that have one.", type: str, sample: orders}
        operations: {description: "What the service lets you do with the job, for the jobs that have something.", type: list, elements: str, sample: []}
    outcome:
      description: V(succeeded), or V(started) for one that still runs (with O(wait=false) or after O(wait_timeout)). Null when it failed or could not be read.
      type: str
      sample: succeeded
    elapsed: {description: Seconds from the beginning of the task until the end of this restore was seen., type: float, sample: 388.2}
    error_kind:
      description: Null, or what went wrong, for example V(operation_failed), V(not_found) or V(wait_timeout).
      type: str
      sample: operation_failed
    msg:
      description: Null, or what went wrong in a sentence.
      type: str
      sample: The restore a6155972-800c-4170-a479-3231e907d2f6 has failed with dcs.08.0007.
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import CloudError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.parallel import wait_for_all
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES

RESTORE: dict[str, t.Any] = {
    "service": {"type": "str", "choices": list(SERVICES), "required": True},
    "region": {"type": "str"},
    "instance_id": {"type": "str"},
    "restore_id": {"type": "str"},
    "job_id": {"type": "str"},
}
NEEDS = [("service", service.name, service.watch_needs) for service in SERVICES.values()]
OPTIONS: dict[str, t.Any] = {
    "restores": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": RESTORE,
        "required_if": NEEDS,
    },
}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Wait; nothing is changed, so check mode waits as well."""
    rows, timeout = params["restores"], params["wait_timeout"] if params["wait"] else 0
    watches = wait_for_all(cloud, rows, watch, timeout, params["poll_interval"])
    results = [result(row, watched, params["wait"]) for row, watched in zip(rows, watches)]
    bad = [row for row in results if row["error_kind"]]
    if bad:
        error = CloudError(
            f"{len(bad)} of {len(results)} restores did not succeed. {' '.join(row['msg'] for row in bad)}",
            results=results,
        )
        error.kind = bad[0]["error_kind"]
        raise error
    return Plan({"results": results})


def watch(cloud: Cloud, row: t.Mapping[str, t.Any]) -> Watch:
    """Return how to wait for one of the restores."""
    return SERVICES[row["service"]].watch(cloud, row)


def result(given: dict[str, t.Any], watch: Watch, wait: bool) -> dict[str, t.Any]:
    """Return one row of the results."""
    record = watch.last.record if watch.last else None
    kind = watch.error.kind if watch.error else None
    running = kind == "wait_timeout" and record is not None
    if running and not wait:
        kind = None
    elif kind == "wait_timeout" and watch.trouble and not running:
        kind = watch.trouble.kind  # it was never seen
    service = SERVICES[given["service"]]
    return {
        "service": given["service"],
        **{
            name: given[name] if name in service.watch_needs else None
            for name in ("instance_id", "restore_id", "job_id")
        },
        **{one.record_key: record if one is service else None for one in SERVICES.values()},
        "outcome": "started" if running else None if kind else "succeeded",
        "elapsed": round(watch.elapsed, 1),
        "error_kind": kind,
        "msg": str(watch.error) if kind else None,
    }


def main() -> None:
    run_module(plan, OPTIONS, wait=True)


if __name__ == "__main__":
    main()
