# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of ddm_recovery, for the module and for all that restores several instances."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    NONE,
    InvalidArgument,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import epoch_ms, iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import failed
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.data_nodes import (
    check_time,
    choose,
    latest,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    RESTORE_JOB,
    DdmRecovery,
    Pair,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import watch_job

RELATION: Spec = {
    "source_instance_id": {"type": "str", "required": True},
    "target_instance_id": {"type": "str", "required": True},
}
NEW = ("instance_id", "target_instance_id", "restore_time")
OPTIONS: Spec = {
    "instance_id": {"type": "str"},
    "target_instance_id": {"type": "str"},
    "restore_time": {"type": "str"},
    "data_node_relations": {"type": "list", "elements": "dict", "options": RELATION},
    "job_id": {"type": "str"},
}
RULES: dict[str, t.Any] = {
    "required_one_of": [(option, "job_id") for option in NEW],
    "mutually_exclusive": [
        ("job_id", option) for option in ("restore_time", "data_node_relations")
    ],  # which of them a job has is not told
}


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Decide from the restorable ranges, the target's availability, the data nodes and the restore jobs of the pair."""
    if params["job_id"]:
        return attach(cloud, params)
    ddm, source, target = Ddm(cloud), params["instance_id"], params["target_instance_id"]
    asked = None
    if params["restore_time"] != "latest":
        asked = epoch_ms(params["restore_time"], "restore_time", int(cloud.clock.now() * 1000))
    if source == target:
        raise InvalidArgument(
            "target_instance_id is the source itself: a DDM instance can only be restored onto another one."
        )
    intervals = ddm.restorable_time_intervals(source)
    restore_time = latest(intervals) if asked is None else asked
    check_time(intervals, restore_time)
    operation = DdmRecovery(
        name=f"Recovery of DDM instance {source} to {target}",
        pair=Pair(ddm, cloud.clock, source, target),
        restore_time=restore_time,
    )
    observed = operation.observe()
    if observed.blocked:
        raise operation.refusal(observed)
    relations = choose(ddm, source, target, restore_time, params["data_node_relations"])
    operation = replace(operation, relations=tuple(relations))
    before = {"target": target, "data": "what is in it and in its data nodes now"}
    after = {
        "target": target,
        "data": f"{source} as of {iso(restore_time)}",
        "data_nodes": {row["target_instance_id"]: row["source_instance_id"] for row in relations},
    }
    known = {"data_node_relations": relations, "restore_time": restore_time}
    return run.plan(operation, observed, cloud, params, before, after, **known)


def attach(cloud: Cloud, params: t.Mapping[str, t.Any]) -> Plan:
    """Return the plan to wait for a job that an earlier run started; a completed one is left as it is."""
    ddm, job_id = Ddm(cloud), params["job_id"]
    watch = watch_job(ddm, cloud.clock, job_id, None)
    status = watch.last = watch.observe()
    job = status.record
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
    if status.state == "failed":
        raise failed(watch).with_context(effect=NONE, note="Nothing was repeated.")
    known = {"job_id": job_id, "job": job, "data_node_relations": None, "restore_time": None, "adopted": True}
    if status.state == "succeeded":  # a completed job whose instance does not serve yet is waited for
        return Plan({**known, "outcome": "unchanged"})

    def apply() -> Row:
        if not params["wait"]:
            return {}
        return {"job": run.wait_for(watch_job(ddm, cloud.clock, job_id, None), cloud, params).record}

    after = {"job": job_id, "status": "Completed"}
    return Plan(
        {**known, "outcome": "succeeded" if params["wait"] else "started"},
        {**after, "status": job["status"]},
        after,
        apply,
    )
