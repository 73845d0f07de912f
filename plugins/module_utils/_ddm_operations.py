# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol looks at for DDM: the target's availability and the jobs around it. The API has no mark to write."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.ddm import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import Busy, CloudError, NotRestorable, printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._ddm_watch import recent_jobs, watch_job
from ansible_collections.huaweicloud.recovery.plugins.module_utils._restore import Seen

RESTORE_JOB = "RestoreInstance"


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

    def watch(self, job_id: str) -> Watch:
        """Return how to wait for the job."""
        return watch_job(self.ddm, self.clock, job_id, self.target, self.name)
