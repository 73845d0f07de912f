#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ddm_job_info
short_description: List DDM jobs
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Lists the jobs (tasks) of Distributed Database Middleware (DDM) in the project, newest first, with the
    reason for a failure.
  - A restore is a job named V(RestoreInstance). The service keeps jobs for about a month.
  - The filters are exact and are combined with "and".
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._timezone
  - huaweicloud.recovery._attributes.info
options:
  job_id:
    description: Return this job only. Cannot be combined with any other filter.
    type: str
  begin_time:
    description:
      - Return the jobs created at or after this time, at most 30 days ago.
      - ISO 8601, milliseconds since the epoch, or C(yyyyMMddHHmmss) in UTC. A time in ISO 8601 without a zone
        needs O(timezone). When absent, 29 days ago.
    type: str
  end_time:
    description: Return the jobs created at or before this time, in a form that O(begin_time) accepts. By
      default there is no end.
    type: str
  instance_id:
    description: Return the jobs of this DDM instance only.
    type: str
  instance_name:
    description: Return the jobs of the DDM instance of this exact name only.
    type: str
  name:
    description: Return the jobs of this name only, for example V(RestoreInstance), V(CreateInstance) or
      V(deleteConsistentBackup).
    type: str
  status:
    description: Return the jobs in this status only, for example V(Running), V(Completed) or V(Failed).
    type: str
seealso:
  - module: huaweicloud.recovery.ddm_recovery
  - module: huaweicloud.recovery.restore_wait
"""

EXAMPLES = r"""
- name: List the restores that failed in the last weeks
  huaweicloud.recovery.ddm_job_info:
    name: RestoreInstance
    status: Failed

- name: Find the restore that runs on an instance
  huaweicloud.recovery.ddm_job_info:
    instance_id: 2f0324a93859487eb5566d75951fcd2din09
    name: RestoreInstance
    status: Running
  register: running
"""

RETURN = r"""
jobs:
  description: The jobs that match, newest first. Empty when none does.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: ID of the job., type: str, sample: 09902ee7866649b8908ec209bfee2747}
    name: {description: "Name of the job, which says what it does.", type: str, sample: RestoreInstance}
    status: {description: Status of the job., type: str, sample: Failed}
    created_time: {description: When the job was created., type: str, sample: 2025-05-20T09:45:12+0000}
    end_time:
      description: When the job ended. It has no meaning while the job runs.
      type: str
      sample: 2025-05-20T09:58:40+0000
    process: {description: "Progress of the job, while it runs.", type: str, sample: 60%}
    instance_id:
      description: ID of the DDM instance that the job works on.
      type: str
      sample: 2f0324a93859487eb5566d75951fcd2din09
    instance_name: {description: Name of the DDM instance., type: str, sample: orders-db-restored}
    fail_reason: {description: Why the job failed., type: str, sample: The data node is abnormal.}
    database_name:
      description: "The schema that the job works on, for the jobs that have one."
      type: str
      sample: orders
    operations:
      description: "The operations that the service offers for the job, if any."
      type: list
      elements: str
      sample: []
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import DAY
from ansible_collections.huaweicloud.recovery.plugins.module_utils._filters import existing, matching, window
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm

OPTIONS: dict[str, t.Any] = {
    "job_id": {"type": "str"},
    "begin_time": {"type": "str"},
    "end_time": {"type": "str"},
    "instance_id": {"type": "str"},
    "instance_name": {"type": "str"},
    "timezone": {"type": "str"},
    "name": {"type": "str"},
    "status": {"type": "str"},
}
FILTERS = {
    "job_id": "id",
    "instance_id": "instance_id",
    "instance_name": "instance_name",
    "name": "name",
    "status": "status",
}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    now = cloud.now_ms()
    # To a day beyond now, because the service's clock, not ours, dates the jobs.
    begin, end = window(params, cloud, now - 29 * DAY, now + DAY)
    # The list also for one job: only there the service tells why a job failed. An older one has only its own
    # call.
    ddm, job_id = Ddm(cloud), params["job_id"]
    jobs = matching(ddm.jobs(begin, end), params, FILTERS)
    return Plan(result={"jobs": existing(lambda: ddm.job(job_id)) if job_id and not jobs else jobs})


def main() -> None:
    run_module(
        plan,
        OPTIONS,
        mutually_exclusive=[("job_id", option) for option in OPTIONS if option not in ("job_id", "timezone")],
    )


if __name__ == "__main__":
    main()
