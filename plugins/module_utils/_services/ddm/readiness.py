# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a DDM job has really ended."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotFound, ProtocolError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import DAY, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import (
    BROKEN,
    plain,
    unknown_warning,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Status, Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import (
    STATUSES,
    end,
    obstacle,
)


def is_of(job: Row, *instances: str | None) -> bool:
    """Whether a job can be one of these instances. It may name none."""
    return job["instance_id"] is None or any(same_id(job["instance_id"], one) for one in instances)


def recent_jobs(ddm: Ddm) -> list[Row]:
    """Return the jobs of all instances from 29 days ago to tomorrow.

    The API refuses more than 30 days, and clocks differ.
    """
    now = ddm.now()
    return ddm.jobs(now - 29 * DAY, now + DAY)


def jobs_for_plans(ddm: Ddm) -> list[Row]:
    """Return recent_jobs, read once for all plans of a task. Right before it sends, each reads its own."""
    return ddm.memoized("jobs", lambda: recent_jobs(ddm))


def find_job(ddm: Ddm, job_id: str) -> Row:
    """Return a job from its own call, or from the list. For a while, either can lack a new job."""
    try:
        return ddm.job(job_id)
    except NotFound:
        listed = listed_job(ddm, job_id)
        if listed is None:
            raise
        return listed


def listed_job(ddm: Ddm, job_id: str) -> Row | None:
    """Return a job from the list, or None."""
    return next((job for job in recent_jobs(ddm) if same_id(job["id"], job_id)), None)


def watch_job(
    ddm: Ddm, job_id: str, target: str | None, name: str | None = None, source: str | None = None
) -> Watch:
    """Return how to wait for a job. With a `source`, it must be a job of the pair.

    It has ended only when the job is final and the target instance (or the job's own) is RUNNING.
    """

    def observe() -> Status:
        job = find_job(ddm, job_id)
        state, reason = end(job) or "running", None
        warning = unknown_warning(job["status"], STATUSES)
        if warning:
            ddm.warn(f"{name or f'DDM job {job_id}'}: {warning}.")
        if source and target and not is_of(job, source, target):
            raise ProtocolError(f"Job {job_id} works on {job['instance_id']}.", transient=False)
        instance_id = target or job["instance_id"]
        if state == "succeeded" and instance_id:
            instance = ddm.instance(instance_id)
            status = instance["status"]
            if plain(status) in BROKEN:
                state = "failed"
                reason = f"its job is {job['status']}, but instance {instance_id} is {status}"
            elif obstacle(instance):
                state, reason = "running", ddm.redactor.printable(str(obstacle(instance)), 128)
        elif state == "failed":
            # Only the list has the reason.
            job = {**job, "fail_reason": (listed_job(ddm, job_id) or job)["fail_reason"]}
            reason = job["fail_reason"] and ddm.redactor.printable(job["fail_reason"])
        return Status(state, ddm.redactor.printable(job["status"], 64), job["process"], job, None, reason)

    ids = {"job_id": job_id, **({"instance_id": target} if target else {})}
    resume = f"run the task again with job_id={job_id} to attach to the job"
    return Watch(name or f"DDM job {job_id}", ids, observe, resume=resume)
