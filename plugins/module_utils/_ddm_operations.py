# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol looks at for DDM: the target's availability and the jobs around it. The API has no mark to write."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.ddm import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import Busy, CloudError, NotFound, NotRestorable, printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.waiter import Status, Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._restore import Seen

DAY = 86_400_000  # ms
RESTORE_JOB = "RestoreInstance"
ENDED = {"Completed": "succeeded", "Failed": "failed"}  # all else, known or not, is unfinished
BROKEN = ("ERROR", "CREATEFAILED", "FROZEN")


def recent_jobs(ddm: Ddm, clock: Clock) -> list[Row]:
    """Return the jobs of all instances from 29 days ago to tomorrow: the API refuses more than 30 days, and clocks differ."""
    now = int(clock.now() * 1000)
    return ddm.jobs(now - 29 * DAY, now + DAY)


@dataclass
class DdmRecovery:
    """Restore `source` to a point in time on `target`."""

    ddm: Ddm
    clock: Clock
    source: str
    target: str
    restore_time: int
    relations: list[Row]
    target_job: str | None = None  # the newest restore job on the target
    id_name = "job_id"

    @property
    def name(self) -> str:
        """The operation, for people."""
        return f"Recovery of DDM instance {self.source} to {self.target}"

    def target_row(self) -> Row:
        """Return the target among the instances that the source could be restored to. Raises NotRestorable when it is not among them."""
        found = next((row for row in self.ddm.restorable_instances(self.source) if row["instance_id"] == self.target), None)
        if found is None:
            raise NotRestorable(f"{self.target} is not among the instances that {self.source} can be restored to.")
        return found

    def look(self) -> Seen:
        """Read the target's availability and every restore job of the pair."""
        target = self.target_row()
        jobs = [job for job in recent_jobs(self.ddm, self.clock) if job["name"] == RESTORE_JOB and job["instance_id"] in (self.source, self.target)]
        mine = [job for job in jobs if job["instance_id"] == self.target or not target["available"]]  # a job of the source alone may be for another target
        blocked = None
        if not target["available"]:
            reason = printable(target["unavailable_reason"] or f"no reason given, status {target['status']}", 200)
            on_target = next((job for job in jobs if job["instance_id"] == self.target), None)
            self.target_job = on_target["id"] if on_target else None
            hint = f"; {RESTORE_JOB} job {on_target['id']} on it is {on_target['status']}, job_id={on_target['id']} attaches to it" if on_target else ""
            blocked = f"target {self.target} is not available ({reason}){hint}"
        state = (target["available"], target["status"], frozenset((job["id"], job["status"]) for job in jobs))
        return Seen(blocked=blocked, explained=False, own=frozenset(job["id"] for job in mine), known=frozenset(job["id"] for job in jobs), state=state)

    def refusal(self, seen: Seen) -> CloudError:
        """Return why the plan ends here: busy while a restore job runs on the target, else not restorable."""
        kind = Busy if "is Running" in (seen.blocked or "") else NotRestorable
        return kind(f"{self.name} was not started: {seen.blocked}.", job_id=self.target_job)

    def post(self) -> Reply:
        """Send the recovery."""
        return self.ddm.recover(self.source, self.target, self.restore_time, self.relations)

    def accepted(self, reply: Reply) -> str | None:
        """Return the job id in a 2xx, or None. Its shape is not documented beyond a string (facts.md 1A)."""
        value = reply.body.get("job_id") if isinstance(reply.body, dict) else None
        return value if is_id(value) else None

    def watch(self, job_id: str) -> Watch:
        """Return how to wait for the job."""
        return watch_job(self.ddm, self.clock, job_id, self.target, self.name)


def find_job(ddm: Ddm, clock: Clock, job_id: str) -> Row:
    """Return a job from its own call, or from the list: a job just made can be missing from either for a while. Raises NotFound."""
    try:
        return ddm.job(job_id)
    except NotFound:
        listed = next((job for job in recent_jobs(ddm, clock) if job["id"] == job_id), None)
        if listed is None:
            raise
        return listed


def watch_job(ddm: Ddm, clock: Clock, job_id: str, target: str | None, name: str | None = None) -> Watch:
    """Return how to wait for a job: final only when the job is and the target instance (or the job's own) is RUNNING."""

    def look() -> Status:
        job = find_job(ddm, clock, job_id)
        state, reason = ENDED.get(job["status"], "running"), None
        instance_id = target or job["instance_id"]
        if state == "succeeded" and instance_id:
            status = ddm.instance(instance_id)["status"]
            if status in BROKEN:
                state, reason = "failed", f"its job says Completed, but instance {instance_id} is {status}"
            elif status not in ("RUNNING", "normal"):
                state = "running"
        elif state == "failed":
            listed = next((row for row in recent_jobs(ddm, clock) if row["id"] == job_id), job)  # only the list has the reason
            job = {**job, "fail_reason": listed["fail_reason"]}
            reason = job["fail_reason"] and printable(job["fail_reason"])
        return Status(state, job["status"], job["process"], job, None, reason)

    ids = {"job_id": job_id, **({"instance_id": target} if target else {})}
    return Watch(name or f"DDM job {job_id}", ids, look)
