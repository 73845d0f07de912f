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
  - Waits until all given restores of DCS and DDM instances have ended, in one task and with few connections,
    however many restores there are.
  - Takes the rows that M(huaweicloud.recovery.restore_start) has returned, as they are, and returns the same
    rows in the same order. A row keeps every key that it came with. The task passes a row through when its
    restore is not running, because the restore has failed, was only planned, or has ended.
  - You can also start restores with M(huaweicloud.recovery.dcs_restore) and
    M(huaweicloud.recovery.ddm_recovery) and C(wait=false), and give their IDs.
  - The task fails after all restores have ended, if one of them has failed, or when O(wait_timeout) has
    passed.
    It returns all rows in either case.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._wait
  - huaweicloud.recovery._attributes.info
options:
  restores:
    description: The rows, in any order. With an empty list the task ends at once.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description:
          - Service of the instance.
          - V(dcs) needs O(restores[].instance_id) and O(restores[].restore_id), V(ddm) needs
            O(restores[].job_id).
        type: str
        choices: [dcs, ddm]
        required: true
      region:
        description: Region of the instance, if it differs from that of the task.
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

- name: Wait for both, up to an hour, by their IDs
  huaweicloud.recovery.restore_wait:
    restores:
      - service: dcs
        instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
        restore_id: "{{ cache.restore_id }}"
      - service: ddm
        job_id: "{{ database.job_id }}"
    wait_timeout: 3600

- name: Start many in one task
  huaweicloud.recovery.restore_start:
    restores:
      - service: dcs
        instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
        restore_point: latest
  register: started

- name: Wait for all of them
  huaweicloud.recovery.restore_wait:
    restores: "{{ started.restores }}"
"""

RETURN = r"""
restores:
  description:
    - The rows of O(restores) in their order, with the keys of
      RV(huaweicloud.recovery.restore_start#module:restores[]). This task sets the keys below.
  returned: success, and when a restore has failed or O(wait_timeout) has passed
  type: list
  elements: dict
  contains:
    restore:
      description: Record of the DCS restore as the task read it last, as
        RV(huaweicloud.recovery.dcs_restore_info#module:restores[]). Null for V(ddm).
      type: dict
      sample: {restore_id: a6155972-800c-4170-a479-3231e907d2f6, status: succeed}
    job:
      description: The DDM job as the task read it last, as RV(huaweicloud.recovery.ddm_recovery#module:job).
        Null for V(dcs).
      type: dict
      sample: {id: 09902ee7866649b8908ec209bfee2747, status: Completed}
    outcome:
      description: V(succeeded), or V(started) for one that still runs with O(wait=false). Null when it
        failed, or still runs after O(wait_timeout).
      type: str
      sample: succeeded
    elapsed:
      description: Seconds from the beginning of the task until the end of this restore was seen.
      type: float
      sample: 388.2
    failed_step:
      description: "The step in which the row failed, V(wait) or an earlier one, or null."
      type: str
      sample: wait
    error_kind:
      description: Null, or what went wrong, for example V(operation_failed), V(not_found) or V(wait_timeout).
      type: str
      sample: operation_failed
    msg:
      description: Null, or what went wrong, in one sentence.
      type: str
      sample: The restore a6155972-800c-4170-a479-3231e907d2f6 has failed with dcs.08.0007.
    steps:
      description: The steps so far, with V(wait) at the end, which is V(ok), V(failed), or V(skipped) for a
        row that failed before.
      type: list
      elements: dict
      sample: [{step: wait, outcome: ok, error_kind: null, msg: null, at: "2025-05-20T09:45:12.720Z", seconds:
      388.2}]
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import check_ids
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import is_marked
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.wait_for_all import wait_for_all
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import (
    UNMARKED,
    Watch,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import (
    Row,
    check_entry,
    complete,
    failed,
    failure,
    pass_through,
    refuse_passwords,
    rows_result,
    unusable_profiles,
    with_step,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import (
    run_module,
    with_cloud_errors,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all_waitings import WAITINGS

# to wait for a failed operation fails again, and so does a task that attaches to one
ANEW = "start a new restore"
OPTIONS: dict[str, t.Any] = {"restores": {"type": "list", "elements": "dict", "required": True}}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Wait; nothing is changed, so check mode waits as well."""
    given = [row_of(entry, number) for number, entry in enumerate(params["restores"])]
    timeout, at = params["wait_timeout"] if params["wait"] else 0, cloud.clock.now()
    wrong = {
        number: error
        for number, error in unusable_profiles(cloud, given).items()
        if waited_for(given[number])
    }
    running = [number for number, row in enumerate(given) if waited_for(row) and number not in wrong]
    watches = wait_for_all(
        cloud, [given[number] for number in running], watch, timeout, params["poll_interval"]
    )
    found = dict(zip(running, watches))
    rows = []
    for number, row in enumerate(given):
        if number in found:
            rows.append(ended(row, found[number], params["wait"], at))
        elif number in wrong:
            rows.append(unread(row, wrong[number], at))
        else:
            rows.append(pass_through(row, "wait", at))
    for number, one in found.items():
        if has_lost_its_marker(rows[number]):
            cloud.warn(f"{one.name}: {UNMARKED}")
    return Plan(rows_result(given, rows, changed=False))


def row_of(entry: t.Mapping[str, t.Any], number: int) -> Row:
    """Return an entry as a row.

    Raises InvalidArgument if it has no ID to wait for and no other task has returned it.
    """
    check_entry(entry, number, list(WAITINGS))
    refuse_passwords(entry, number)
    row = complete(entry)
    known = identified(row)
    check_ids(known, f"restores[{number}].")
    missing = [name for name, value in known.items() if not value]
    if missing and waited_for(row):
        raise InvalidArgument(
            f"restores[{number}] cannot be waited for: it has no {' and no '.join(missing)}. "
            "Give the rows that restore_start returned, or the IDs that the task of one restore returned."
        )
    return row


def identified(row: Row) -> Row:
    """Return the IDs by which a row's restore is found.

    A row that named its instance has its ID in `target`.
    """
    target = row["target"] or {}
    return {
        name: row.get(name) or (target.get(name) if name == "instance_id" else None)
        for name in WAITINGS[row["service"]].watch_needs
    }


def waited_for(row: Row) -> bool:
    """Whether a row is one of a restore that runs, as far as it is known."""
    return not row["error_kind"] and row["outcome"] in (None, "started")


def watch(cloud: Cloud, row: t.Mapping[str, t.Any]) -> Watch:
    """Return how to wait for one of the restores."""
    waiting = WAITINGS[row["service"]]
    found = waiting.watch(cloud, {**row, **identified(dict(row))})
    anew = f"{ANEW}, without {' and '.join(waiting.not_again)}" if waiting.not_again else ANEW
    return Watch(
        found.name, found.ids, lambda: with_cloud_errors(found.observe), resume=found.resume, anew=anew
    )


def unread(row: Row, error: CloudError, at: float) -> Row:
    """Return a row whose restore cannot be read with its own profile."""
    text = f"{error} The restore was not stopped, nothing was repeated."
    return failed(row, "wait", {**failure(error.with_context(text)), "changed": None}, at)


def ended(row: Row, watch: Watch, wait: bool, at: float) -> Row:
    """Return a row with the outcome of its restore. `at`: when the wait began, in seconds since the epoch."""
    seconds = round(watch.elapsed, 1)
    row = {**row, "elapsed": seconds}
    if watch.last:
        row[WAITINGS[row["service"]].record_key] = watch.last.record
    error, seen = watch.error, watch.last is not None
    if error and error.kind == "wait_timeout" and seen and not wait:
        return {**row, "outcome": "started"}
    if error is None:
        return with_step({**row, "outcome": "succeeded"}, "wait", "ok", at, seconds)
    result = {**failure(error), "changed": None}
    if watch.trouble and not seen:
        if error.kind == "wait_timeout":
            result["error_kind"] = watch.trouble.kind
        if watch.trouble.kind == "not_found" and not row["steps"]:  # restore_start has not returned it
            result["msg"] = unlisted(row, watch)
    return failed(row, "wait", result, at, seconds)


def unlisted(row: Row, watch: Watch) -> str:
    """Return what is wrong with an ID that was given to the task, and that the cloud has never listed."""
    lists = f"{row['service']}_{WAITINGS[row['service']].record_key}_info"
    return (
        f"{watch.name} was not found within {watch.elapsed:.0f} s: {watch.trouble} The ID may be mistyped, "
        f"or that of another instance, region or account: compare it with the IDs that {lists} lists. If a "
        "task has returned it a moment ago, run this task again. Nothing was started or stopped."
    )


def has_lost_its_marker(row: Row) -> bool:
    """Whether the record of a restore that restore_start has sent lacks the marker.

    After one that failed, a new restore is right.
    """
    if row["error_kind"] == "operation_failed":
        return False
    waiting = WAITINGS[row["service"]]
    record = row[waiting.record_key] or {}
    sent = row["adopted"] is False and waiting.remark_key in record
    return sent and not is_marked(record[waiting.remark_key])


def main() -> None:
    run_module(plan, OPTIONS, wait=True)


if __name__ == "__main__":
    main()
