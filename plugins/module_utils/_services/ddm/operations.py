# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol looks at for DDM: the target's availability and the jobs around it. The API has no mark to write."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import (
    Seen,
    busy,
    carry_out,
    wait_for,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch, failed
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    ENDED,
    recent_jobs,
    watch_job,
)

RESTORE_JOB = "RestoreInstance"


@dataclass
class DdmRecovery:
    """Restore `source` to a point in time on `target`."""

    ddm: Ddm
    clock: Clock
    source: str
    target: str
    restore_time: int
    relations: list[Row] = field(default_factory=list)
    target_job: str | None = None  # the newest restore job on the target
    at_work: bool = False  # whether the target is being restored now
    id_name = "job_id"

    @property
    def name(self) -> str:
        """The operation, for people."""
        return f"Recovery of DDM instance {self.source} to {self.target}"

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

    def look(self) -> Seen:
        """Read the target's availability and every restore job of the pair."""
        target = self.target_row()
        jobs = [
            job
            for job in recent_jobs(self.ddm, self.clock)
            if job["name"] == RESTORE_JOB and job["instance_id"] in (self.source, self.target)
        ]
        mine = [
            job for job in jobs if job["instance_id"] == self.target or not target["available"]
        ]  # a job of the source alone may be for another target
        blocked = None
        if not target["available"]:
            reason = self.ddm.redactor.printable(
                target["unavailable_reason"] or f"no reason given, status {target['status']}", 200
            )
            on_target = next(
                (job for job in jobs if job["instance_id"] == self.target and job["status"] != "Failed"), None
            )
            self.target_job = on_target["id"] if on_target else None
            restoring = "RESTOR" in (target["status"] or "").upper()
            self.at_work = restoring or (on_target is not None and on_target["status"] not in ENDED)
            hint = "; it is being restored, but no restore job on it can be seen yet" if restoring else ""
            hint = (
                f"; {RESTORE_JOB} job {on_target['id']} on it is {on_target['status']}, job_id={on_target['id']} attaches to it"
                if on_target
                else hint
            )
            blocked = f"target {self.target} is not available ({reason}){hint}"
        state = (target["available"], target["status"], frozenset((job["id"], job["status"]) for job in jobs))
        return Seen(
            blocked=blocked,
            explained=False,
            own=frozenset(job["id"] for job in mine),
            known=frozenset(job["id"] for job in jobs),
            state=state,
        )

    def first_look(self) -> Seen:
        """Look, and raise when the target cannot be restored to now: Busy while it is being restored, else NotRestorable."""
        seen = self.look()
        if not seen.blocked:
            return seen
        error = (
            busy(self, seen)
            if self.at_work
            else NotRestorable(f"{self.name} was not started: {seen.blocked}.")
        )
        error.facts["job_id"] = self.target_job
        raise error

    def plan(self, cloud: Cloud, params: t.Mapping[str, t.Any], seen: Seen) -> Plan:
        """Return the plan to send what was decided."""
        known = {
            "job_id": None,
            "job": None,
            "data_node_relations": self.relations,
            "restore_time": self.restore_time,
            "adopted": False,
        }
        before = {"target": self.target, "data": "what is in it and in its data nodes now"}
        nodes = {row["target_instance_id"]: row["source_instance_id"] for row in self.relations}
        after = {
            "target": self.target,
            "data": f"{self.source} as of {iso(self.restore_time)}",
            "data_nodes": nodes,
        }

        def apply() -> Row:
            started, status = carry_out(self, seen, cloud, params)
            outcome = "succeeded" if status else "started"
            return {
                "job_id": started.id,
                "job": status.record if status else None,
                "adopted": started.adopted,
                "outcome": outcome,
            }

        return Plan({**known, "outcome": "succeeded" if params["wait"] else "started"}, before, after, apply)

    def post(self) -> Reply:
        """Send the recovery."""
        return self.ddm.recover(self.source, self.target, self.restore_time, self.relations)

    def watch(self, job_id: str) -> Watch:
        """Return how to wait for the job."""
        return watch_job(self.ddm, self.clock, job_id, self.target, self.name)


def attach(cloud: Cloud, params: t.Mapping[str, t.Any]) -> Plan:
    """Return the plan to wait for a job that an earlier run started; a completed one is left as it is."""
    ddm, job_id = Ddm(cloud), params["job_id"]
    watch = watch_job(ddm, cloud.clock, job_id, None)
    seen = watch.last = watch.look()
    job = seen.record
    wanted = params["target_instance_id"]
    if job["name"] not in (None, RESTORE_JOB):
        raise NotRestorable(
            f"Job {job_id} is a {ddm.redactor.printable(job['name'], 80)}, not a {RESTORE_JOB}.",
            job_id=job_id,
        )
    if wanted and job["instance_id"] not in (
        None,
        wanted,
        params["instance_id"],
    ):  # a job may name its source
        raise NotRestorable(
            f"Job {job_id} is one of instance {job['instance_id']}, not of {wanted}.", job_id=job_id
        )
    if seen.state == "failed":
        error = failed(watch)
        error.facts["changed"] = False
        raise error
    known = {"job_id": job_id, "job": job, "data_node_relations": None, "restore_time": None, "adopted": True}
    if seen.state == "succeeded":  # a completed job whose instance does not serve yet is waited for
        return Plan({**known, "outcome": "unchanged"})

    def apply() -> Row:
        if not params["wait"]:
            return {}
        return {"job": wait_for(watch_job(ddm, cloud.clock, job_id, None), cloud, params).record}

    after = {"job": job_id, "status": "Completed"}
    return Plan(
        {**known, "outcome": "succeeded" if params["wait"] else "started"},
        {**after, "status": job["status"]},
        after,
        apply,
    )
