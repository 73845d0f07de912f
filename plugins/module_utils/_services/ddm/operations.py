# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol looks at for DDM: the target's availability and the jobs around it. The API has no marker to write."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    ENDED,
    recent_jobs,
    watch_job,
)

RESTORE_JOB = "RestoreInstance"


@dataclass(frozen=True)
class Pair:
    """The source whose data are restored and the target that is overwritten, as the API shows them."""

    ddm: Ddm
    clock: Clock
    source: str
    target: str

    def target_row(self) -> Row:
        """Return the target among the instances that the source could be restored to. Raises NotRestorable when it is not among them."""
        found = next(
            (row for row in self.ddm.restorable_instances(self.source) if row["instance_id"] == self.target),
            None,
        )
        if found is None:
            raise NotRestorable(
                f"{self.target} is not among the instances that {self.source} can be restored to."
            )
        return found

    def observe(self) -> PairObservation:
        """Read the target's availability and every restore job of the pair."""
        target = self.target_row()
        jobs = [
            job
            for job in recent_jobs(self.ddm, self.clock)
            if job["name"] == RESTORE_JOB and job["instance_id"] in (self.source, self.target)
        ]
        # a job of the source alone may be for another target
        mine = [job for job in jobs if job["instance_id"] == self.target or not target["available"]]
        on_target = [job for job in jobs if job["instance_id"] == self.target and job["status"] != "Failed"]
        newest = on_target[0] if on_target and not target["available"] else None
        restoring = "RESTOR" in (target["status"] or "").upper()
        state = (target["available"], target["status"], frozenset((job["id"], job["status"]) for job in jobs))
        return PairObservation(
            blocked=None if target["available"] else self.reason(target, newest, restoring),
            explained=False,
            own=frozenset(job["id"] for job in mine),
            records={job["id"]: job for job in jobs},
            state=state,
            job_id=newest["id"] if newest else None,
            at_work=restoring or (newest is not None and newest["status"] not in ENDED),
            target=target,
        )

    def reason(self, target: Row, job: Row | None, restoring: bool) -> str:
        """Return why the target is not available, and which job is to be seen on it."""
        reason = self.ddm.redactor.printable(
            target["unavailable_reason"] or f"no reason given, status {target['status']}", 200
        )
        hint = ""
        if job:
            hint = (
                f"; {RESTORE_JOB} job {job['id']} on it is {job['status']}, job_id={job['id']} attaches to it"
            )
        elif restoring:
            hint = "; it is being restored, but no restore job on it can be seen yet"
        return f"target {self.target} is not available ({reason}){hint}"


@dataclass(frozen=True)
class PairObservation(Observation):
    """An observation of a pair, with the newest restore job on a target that is not available."""

    job_id: str | None = None
    at_work: bool = False  # whether the target is being restored now
    target: Row | None = None


@dataclass(frozen=True)
class DdmRecovery(Operation):
    """Restore the source of a pair to a point in time (epoch ms) on its target, data node by data node."""

    pair: Pair
    restore_time: int
    relations: tuple[Row, ...] = ()
    id_key, record_key = "job_id", "job"

    def observe(self) -> PairObservation:
        """Read the target's availability and every restore job of the pair."""
        return self.pair.observe()

    def refusal(self, observed: Observation, cause: CloudError | None = None) -> CloudError:
        """Return Busy with the job while the target is being restored, else NotRestorable."""
        if not isinstance(observed, PairObservation) or not observed.blocked or cause:
            return super().refusal(observed, cause)
        error: CloudError = NotRestorable(f"{self.name} was not started: {observed.blocked}.")
        if observed.at_work:
            error = super().refusal(observed)
        return error.with_context(job_id=observed.job_id)

    def post(self) -> Reply:
        """Send the recovery."""
        return self.pair.ddm.recover(
            self.pair.source, self.pair.target, self.restore_time, list(self.relations)
        )

    def watch(self, found: str) -> Watch:
        """Return how to wait for the job."""
        return watch_job(self.pair.ddm, self.pair.clock, found, self.pair.target, self.name)
