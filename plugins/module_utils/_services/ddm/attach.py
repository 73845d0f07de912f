# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attaching to the job of an earlier run: by its ID, or to the newest one on the target."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    Busy,
    InvalidArgument,
    NotFound,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import age, is_stuck
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import facts
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.named import (
    SOURCE_OPTIONS,
    TARGET_OPTIONS,
    Named,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    ONTO_ITSELF,
    DdmJob,
    is_being_restored,
    is_too_old,
    job_on_target,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    is_of,
    recent_jobs,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import (
    created,
    end,
    is_other,
    obstacle,
)

OPTIONS: Spec = {"job_id": {"type": "str"}, "adopt": {"type": "bool", "default": False}}
RULES: dict[str, t.Any] = {
    "required_one_of": [(*SOURCE_OPTIONS, "job_id"), (*TARGET_OPTIONS, "job_id")],
    "mutually_exclusive": [SOURCE_OPTIONS, TARGET_OPTIONS],
}
OfKind = t.Callable[[Row], bool]
UNCHECKED = "The service does not report which point in time a job restores, so the task cannot check it."


def check_options(params: t.Mapping[str, t.Any]) -> None:
    """Raise InvalidArgument for what no request needs to refute."""
    if params["job_id"] and params["adopt"]:
        raise InvalidArgument("job_id names the job to attach to: leave adopt out.")
    source, name, target, other = (params[end] for end in (*SOURCE_OPTIONS, *TARGET_OPTIONS))
    if (source and same_id(source, target)) or (name and name == other):
        raise InvalidArgument(ONTO_ITSELF)
    pairs = params.get("data_node_relations") or ()
    nodes = params.get("data_nodes") or [node for pair in pairs for node in pair.values()]
    for node in nodes:
        if sum(same_id(node, another) for another in nodes) > 1:
            raise InvalidArgument(f"Data node {node} is given more than once.")


def attach(
    cloud: Cloud,
    params: t.Mapping[str, t.Any],
    names: Named,
    kinds: t.Sequence[OfKind],
    point: int | None,
    **known: t.Any,
) -> Plan:
    """Return the plan to wait for the job of job_id, or for the newest one of this kind on the target.

    The first of `kinds` tells by its name whether a job is one, the last whether it may be one. `point` is
    restore_time (epoch ms), if it is known.
    """
    ddm = Ddm(cloud)
    job_id = params["job_id"] or newest_job(ddm, t.cast(str, names.target), *kinds)["id"]
    operation = DdmJob(f"DDM job {job_id}", ddm, job_id, names.target)
    try:
        observed = operation.observe()
    except NotFound as error:  # of the job, or of its instance
        raise error.with_context(f"{error} ddm_job_info lists the jobs.") from None
    job = observed.records[job_id]
    check_job(job, names, point, kinds[0])
    name = ddm.redactor.printable(job["name"] or "no name", 80)
    unknown = f"The task attaches to job {job_id}, but {name} is not a known name of a restore job."
    warnings = [] if kinds[0](job) else [unknown]
    warnings += [f"Job {job_id} was found on the target. {UNCHECKED}"] if params["adopt"] else []
    result = {
        **facts.of_job(names, job),
        **known,
        "adopted": True,
        "warnings": warnings,
    }
    after = {"job": job_id, "status": "Completed"}
    return run.plan(operation, observed, cloud, params, {**after, "status": job["status"]}, after, **result)


def check_job(job: Row, names: Named, point: int | None, of_kind: OfKind) -> None:
    """Raise NotRestorable for a job that is clearly another one, by its name, its instance, or its time."""
    job_id, instance_id, began = job["id"], job["instance_id"], created(job)
    if is_other(job) and not of_kind(job):
        raise NotRestorable(f"Job {job_id} is a {job['name']}, which is not a restore.", job_id=job_id)
    # A job may name its source.
    if names.target and not is_of(job, names.target, names.source):
        raise NotRestorable(
            f"Job {job_id} works on instance {instance_id}, not on {names.target}.", job_id=job_id
        )
    if point is not None and began is not None and point > began:
        raise NotRestorable(
            f"Job {job_id} was created at {iso(began)}, before restore_time {iso(point)}, so it cannot "
            "restore that time.",
            job_id=job_id,
        )


def newest_job(ddm: Ddm, target: str, *kinds: OfKind) -> Row:
    """Return the newest job on a target that may be of this kind. Raises NotFound, NotRestorable, Busy."""
    on_target = [job for job in recent_jobs(ddm) if same_id(job["instance_id"], target)]
    newest = next(filter(kinds[-1], on_target), None)
    instance = ddm.instance(target)
    if is_being_restored(instance):
        recent = newest if newest and not is_too_old(ddm, newest) else None
        found = job_on_target(ddm, on_target, kinds[0], True) or recent
        if found:
            return found
        raise Busy(
            f"{target} is being restored, but no restore job on it can be seen yet. Run the task again in a "
            "few minutes."
        )
    if newest is None:
        raise NotFound(
            f"{target} has had no restore job in the last 29 days. Leave adopt out to start a recovery."
        )
    check_age(ddm, newest, target, serves=obstacle(instance) is None)
    return newest


def check_age(ddm: Ddm, job: Row, target: str, serves: bool) -> None:
    """Raise for a job that ended long ago, and for a stuck one, whose target serves."""
    # With adopt, the earlier run has sent its request only a short time ago.
    if end(job) and is_stuck(moment(job["end_time"]) or created(job), ddm.now()):
        raise NotFound(
            f"There is no restore job on {target} to attach to: the newest one, {job['id']}, ended more "
            f"than a day ago ({job['status']}). Leave adopt out to start a recovery, or give job_id to "
            "report how it ended."
        )
    if end(job) is None and serves and is_too_old(ddm, job):
        raise NotRestorable(
            f"The newest restore job on {target}, {job['id']}, has been {job['status']} for "
            f"{age(created(job), ddm.now())}, although the instance is not being restored: it is stuck, "
            "so the task does not attach to it. Give job_id to wait for it anyway.",
            job_id=job["id"],
        )
