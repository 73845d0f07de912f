# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol observes for DDM: the target's availability and the jobs around it.

The API has no place for a marker.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    NONE,
    Busy,
    CloudError,
    NotRestorable,
    RefutedArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import age, is_stuck
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch, failed
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.named import Named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    is_of,
    recent_jobs,
    watch_job,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import (
    created,
    end,
    is_other,
    is_restore,
)

# A task that attaches to a failed job fails again.
ANEW = "run the task again without job_id and adopt to start it once more"
ONTO_ITSELF = "The target is the source itself: a DDM instance can only be restored onto another one."


@dataclass(frozen=True)
class PairObservation(Observation):
    """An observation of a pair, with every job of this kind in the project."""

    target: Row = field(default_factory=dict)
    job: Row | None = None
    at_work: bool = False  # whether the target is being restored now
    history: tuple[Row, ...] = ()


def is_being_restored(target: Row) -> bool:
    """Whether an instance is being restored now, by its status."""
    return "RESTOR" in (target["status"] or "").upper()


def is_too_old(ddm: Ddm, job: Row) -> bool:
    """Whether a job is too old to restore its target now."""
    return is_stuck(created(job), ddm.now())


def job_on_target(
    ddm: Ddm, on_target: list[Row], of_kind: t.Callable[[Row], bool], restoring: bool
) -> Row | None:
    """Return which job restores a target now, or else has done so: the newest one that has not failed.

    Beside a restore, other work with an unknown name can run.
    """
    jobs = [
        job
        for job in on_target
        if end(job) != "failed" and not (is_too_old(ddm, job) and (restoring or end(job) is None))
    ]
    named = next(filter(of_kind, jobs), None)
    fitting = [job for job in jobs if job is named or not is_other(job)]
    running = [job for job in fitting if end(job) is None]
    if restoring:
        return next(filter(of_kind, running), None) or next(iter(running), named)
    return named if named in running else next((job for job in fitting if end(job)), None)


def ids(jobs: t.Iterable[Row]) -> frozenset[str]:
    """Return the IDs of jobs."""
    return frozenset(job["id"] for job in jobs)


def check_pair(names: Named) -> None:
    """Raise RefutedArgument if a name is found to be that of the other instance."""
    if same_id(names.source, names.target):
        raise RefutedArgument(ONTO_ITSELF)


@dataclass(frozen=True)
class Pair:
    """The source of the data and the target that is overwritten.

    of_kind() tells their jobs from others.
    """

    ddm: Ddm
    source: str
    target: str
    of_kind: t.Callable[[Row], bool] = is_restore

    def shown(self) -> Row:
        """Return the target as the service lists it for the source. Raises NotRestorable."""
        for row in self.ddm.restorable_instances(self.source, self.target):
            if same_id(row["instance_id"], self.target):
                return row
        raise NotRestorable(
            f"{self.target} is not among the instances that {self.source} can be restored to. If it is a "
            "name and not an ID, give it as target_instance_name."
        )

    def observe(self, jobs_of: t.Callable[[Ddm], list[Row]] = recent_jobs) -> PairObservation:
        """Read the target's availability and every job of this kind."""
        target = self.shown()
        restoring = is_being_restored(target)
        listed = jobs_of(self.ddm)
        history = [job for job in listed if self.of_kind(job)]
        # One without an instance may be theirs, too.
        of_pair = [job for job in history if is_of(job, self.source, self.target)]
        # A job that names the source may be for another target, whatever the statuses say: they can be old.
        on_target = [job for job in listed if same_id(job["instance_id"], self.target)]
        own = ids(filter(self.of_kind, on_target))
        # Any job but one that is known as other work may restore the target.
        unclear = ids(job for job in on_target if not is_other(job))
        job = job_on_target(self.ddm, on_target, self.of_kind, restoring)
        runs = job is not None and end(job) is None
        # The list of targets may be older than that of jobs, in which a restore has just begun.
        free = target["available"] and not restoring and not (job and runs and self.of_kind(job))
        statuses = frozenset((job["id"], job["status"]) for job in of_pair)
        return PairObservation(
            blocked=None if free else self.reason(target, job),
            explained=False,
            own=own,
            likely=unclear if restoring else frozenset(),
            unclear=unclear,
            possible=ids(of_pair) - own,
            records={job["id"]: job for job in listed},
            created={job["id"]: created(job) for job in listed},
            state=(target["available"], target["status"], statuses, unclear),
            status=target["status"],
            target=target,
            job=job,
            at_work=restoring or runs,
            history=tuple(history),
        )

    def reason(self, target: Row, job: Row | None) -> str:
        """Return why the target is not available, and which job is on it."""
        shown = self.ddm.redactor.printable
        why = target["unavailable_reason"] or f"no reason given, status {target['status']}"
        if target["available"]:
            why = "a restore of it runs"
        text = f"the target is not available ({shown(why, 200)})"
        if job:
            old = age(created(job), self.ddm.now())
            return (
                f"{text}; {shown(job['name'] or 'unnamed', 80)} job {job['id']} on it is "
                f"{shown(job['status'], 64)}{f', {old} old' if old else ''}, job_id={job['id']} "
                f"{'only reports its end' if end(job) else 'attaches to it'}"
            )
        if is_being_restored(target):
            return f"{text}; it is being restored, but no restore job on it can be seen yet"
        return text


@dataclass(frozen=True)
class PairOperation(Operation):
    """Common to the recoveries: the protocol observes a pair, and a later run attaches by the job's ID."""

    pair: Pair
    id_key, record_key = "job_id", "job"

    @property
    def about(self) -> Row:
        """Source and target."""
        return {"instance_id": self.pair.source, "target_instance_id": self.pair.target}

    @property
    def resume(self) -> str:
        """The same task: an unavailable target is never overwritten again."""
        return (
            "run the same task again in 5 minutes; if the target is not available then, it starts "
            "nothing and names the newest job there: attach with job_id only if its age fits this request"
        )

    def observe(self) -> PairObservation:
        """Read the target's availability and every job of this kind."""
        return self.pair.observe()

    def refusal(self, observed: Observation, cause: CloudError | None = None) -> CloudError:
        """Return Busy while the target is being restored, else NotRestorable."""
        if not isinstance(observed, PairObservation) or not observed.blocked:
            return super().refusal(observed, cause)
        job_id = observed.job["id"] if observed.job else None
        text = f"{self.name} was not started: {observed.blocked}."
        if not observed.at_work:
            return NotRestorable(text, job_id=job_id)
        advice = (
            "Run the task again in a few minutes, with adopt=true if an earlier run of this recovery may "
            "have started it."
        )
        if job_id:
            advice = (
                "If an earlier run of this recovery started it, attach to it: run the task again with "
                "job_id or with adopt=true."
            )
        return Busy(f"{text} {advice}", job_id=job_id)

    def watch(self, found: str) -> Watch:
        """Return how to wait for the job."""
        return watch_job(self.pair.ddm, found, self.pair.target, self.name)


@dataclass(frozen=True)
class DdmJob(Operation):
    """The job of an earlier run, to wait for. It never sends anything."""

    ddm: Ddm
    job_id: str
    target: str | None  # None: the job's own instance
    id_key, record_key = "job_id", "job"

    def observe(self) -> Observation:
        """Read the job.

        Raises OperationFailed when it has failed. If it has completed but its instance does not serve yet, it
        still runs.
        """
        watch = self.watch(self.job_id)
        status = watch.observe()
        records = {self.job_id: status.record}
        if status.state == "failed":
            raise failed(replace(watch, last=status)).with_context(effect=NONE, note="Nothing was repeated.")
        if status.state == "succeeded":
            return Observation(done=self.job_id, records=records)
        return Observation(running=(self.job_id,), records=records)

    def watch(self, found: str) -> Watch:
        """Return how to wait for the job."""
        return replace(watch_job(self.ddm, found, self.target), anew=ANEW)
