# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of the role and of the fleet playbook: what is to be restored, and step by step what became of it. Private to this collection.

Behind the filters restore_targets, restore_hosts, restore_noted, restore_waits and restore_lines. All functions are pure: the time is a parameter.
An answer is the result of a module, for a task or for one item of its loop.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible.module_utils.common.text.formatters import bytes_to_human

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud

Answer = t.Mapping[str, t.Any]
Answers = t.Sequence[Answer]
RUNNING = ("RUNNING", "normal")  # DDM knows both words
RESTORED = ("succeeded", "unchanged")
PLANNED = {
    "restore": "will be OVERWRITTEN with",
    "adopt": "is being overwritten already, and will be waited for, with",
    "nothing": "needs nothing, it was restored before with",
}


@dataclass(frozen=True)
class Target:
    """One instance to overwrite, from the plan to the report. None where there is nothing to say (yet)."""

    service: str
    name: str
    instance_id: str
    source_instance_id: str
    request: dict[str, t.Any]  # options of the module
    what: str | None = None  # what it is overwritten with, in words
    backup: dict[str, t.Any] | None = None
    action: str | None = None  # restore, adopt or nothing
    outcome: str | None = None  # planned, started, unchanged, succeeded or failed
    changed: bool | None = None
    adopted: bool | None = None
    restore_id: str | None = None
    job_id: str | None = None
    instance_status: str | None = None
    failed_step: str | None = None  # plan, restore, wait or verify
    error_kind: str | None = None
    msg: str | None = None
    started: str | None = None
    finished: str | None = None
    elapsed: float | None = None

    def label(self) -> str:
        """Return how lines for people name it."""
        return f"{self.service} {self.name} ({self.instance_id})"


# Targets come from Ansible and go back to it as dicts, in a list or by host.


def read(rows: t.Any) -> list[Target]:
    """Return the targets that Ansible holds."""
    return [Target(**from_cloud(row)) for row in (rows.values() if isinstance(rows, t.Mapping) else rows)]


def written(targets: t.Iterable[Target]) -> list[dict[str, t.Any]]:
    """Return the targets for Ansible, with the texts of the cloud marked as no templates."""
    return [from_cloud(vars(target)) for target in targets]


# What is to be restored


def ddm_target(entry: t.Mapping[str, t.Any]) -> Target:
    """Return the target for an entry of `restore_ddm`."""
    request = {
        "instance_id": entry["source_instance_id"],
        "target_instance_id": entry["target_instance_id"],
        "restore_time": str(entry.get("restore_time") or ""),
        "data_node_relations": entry.get("data_node_relations") or [],
    }
    if entry.get("job_id"):
        request = {"job_id": entry["job_id"]}
    return Target("ddm", entry.get("name") or entry["target_instance_id"], entry["target_instance_id"], entry["source_instance_id"], request)


def dcs_target(entry: t.Mapping[str, t.Any], operation_id: t.Any) -> Target:
    """Return the target for an entry of `restore_dcs`."""
    request = {
        "instance_id": entry["instance_id"],
        "backup_id": entry.get("backup_id") or "",
        "restore_point": str(entry.get("restore_point") or ""),
        "remark": entry.get("remark") or "",
        "operation_id": str(entry.get("operation_id") or operation_id or ""),
    }
    return Target("dcs", entry.get("name") or entry["instance_id"], entry["instance_id"], entry["instance_id"], request)


def host_target(name: str, variables: t.Mapping[str, t.Any]) -> Target:
    """Return the target that a host of the fleet is. For DDM the host is the source."""
    service, instance_id = variables.get("service"), variables.get("instance_id")
    overwritten = variables.get("target_instance_id") if service == "ddm" else None
    return Target(t.cast(str, service), name, overwritten or instance_id, t.cast(str, instance_id), {}, outcome="planned")


# What became of it: each function notes the answers of one step, which come in the order of the targets that were asked about.


def each(targets: t.Iterable[Target], outcome: str | None, answers: Answers, note: t.Callable[[Target, Answer], Target]) -> list[Target]:
    """Return the targets, those with this outcome with the next answer noted. One without an answer gets an empty one, which says that it failed."""
    left = iter(answers)
    return [note(target, next(left, {})) if target.outcome == outcome else target for target in targets]


def planned(targets: t.Iterable[Target], answers: Answers, now_ms: int) -> list[Target]:
    """Pin what the restore modules say in check mode. A data node that two targets would overwrite is left to the first."""
    taken: dict[str, str] = {}

    def note(target: Target, answer: Answer) -> Target:
        nodes = [relation["target_instance_id"] for relation in answer.get("data_node_relations") or []]
        clashes = [node for node in nodes if node in taken]
        if clashes:
            why = f"The data node {clashes[0]} is planned to be overwritten for {taken[clashes[0]]} already."
            hint = "Say in data_node_relations of both targets which data nodes each one takes."
            answer = {"error_kind": "not_restorable", "msg": f"{why} {hint}"}
        taken.update(dict.fromkeys(nodes, target.name) if not clashes else {})
        return pinned(target, answer, now_ms) if "outcome" in answer else replace(failed(target, "plan", answer), changed=False)

    return each(targets, None, answers, note)


def pinned(target: Target, answer: Answer, now_ms: int) -> Target:
    """Return the target with its plan: the backup, the time and the data nodes that are shown are those that will be sent."""
    request, record = target.request, recorded(answer)
    if "job_id" in request:
        what = f"{target.source_instance_id} by job {request['job_id']}"
    elif target.service == "ddm":
        restore_time = answer["restore_time"]
        request = {**request, "restore_time": restore_time, "data_node_relations": answer["data_node_relations"]}
        what = f"{target.source_instance_id} as of {iso(restore_time)[:19]}Z ({age(now_ms - restore_time)})"
    else:
        backup = answer["backup"]
        request = {**request, "backup_id": backup["backup_id"], "restore_point": ""}
        made = moment(backup["created_at"])
        old = f", {age(now_ms - made)}" if made is not None else ""
        what = f"{backup['backup_name']} ({backup['backup_id']}, {bytes_to_human(backup.get('size') or 0)}, made {backup['created_at']}{old})"
    done = answer["outcome"] == "unchanged"
    return replace(
        underway(target, answer),
        request=request,
        what=what,
        backup=answer.get("backup"),
        action="nothing" if done else "adopt" if answer["adopted"] else "restore",
        outcome="unchanged" if done else "planned",
        started=record.get("created_at") or record.get("created_time"),
        finished=record.get("updated_at") or record.get("end_time") if done else None,
    )


def started(targets: t.Iterable[Target], answers: Answers, check_mode: bool) -> list[Target]:
    """Note what the restore modules say with `wait: false` of what was planned. In check mode nothing has started: it stays planned."""

    def note(target: Target, answer: Answer) -> Target:
        if "outcome" not in answer:
            return replace(failed(target, "restore", answer), changed=bool(answer.get("changed")))
        outcome = "planned" if check_mode and answer["outcome"] == "started" else answer["outcome"]
        return replace(underway(target, answer), outcome=outcome)

    return each(targets, "planned", answers, note)


def waited(targets: t.Iterable[Target], answer: Answer) -> list[Target]:
    """Note what restore_wait says of what was started. Where it says nothing of a target, it says for all of them why."""

    def note(target: Target, its: Answer) -> Target:
        record = recorded(its)
        target = replace(
            target,
            started=record.get("created_at") or record.get("created_time") or target.started,
            finished=None if its.get("outcome", "started") == "started" else record.get("updated_at") or record.get("end_time"),
            elapsed=its.get("elapsed"),
        )
        if its.get("outcome") == "succeeded":
            return replace(target, outcome="succeeded")
        return failed(target, "wait", {key: its.get(key) or answer.get(key) for key in ("error_kind", "msg")})

    return each(targets, "started", answer.get("results") or [], note)


def verified(targets: t.Iterable[Target], service: str, answer: Answer) -> list[Target]:
    """Note what ddm_instance_info or dcs_instance_info says of the instances: a restore counts only when its instance runs."""
    statuses = {row.get("instance_id") or row.get("id"): row["status"] for row in answer.get("instances") or []}

    def note(target: Target) -> Target:
        if target.service != service:
            return target
        status = statuses.get(target.instance_id)
        target = replace(target, instance_status=status)
        if target.outcome not in RESTORED or status in RUNNING:
            return target
        if "instances" not in answer:  # the list could not be read
            return failed(target, "verify", answer)
        return failed(target, "verify", {"error_kind": "not_running", "msg": f"It was restored, but the instance is {status} instead of RUNNING."})

    return [note(target) for target in targets]


def recorded(answer: Answer) -> Answer:
    """Return the record of the DCS restore, or the DDM job, in an answer."""
    return answer.get("restore") or answer.get("job") or {}


def underway(target: Target, answer: Answer) -> Target:
    """Return the target with what an answer says of the restore behind it."""
    return replace(target, changed=answer["changed"], adopted=answer["adopted"], restore_id=answer.get("restore_id"), job_id=answer.get("job_id"))


def failed(target: Target, step: str, answer: Answer) -> Target:
    """Return the target as failed in a step, for the reason that an answer gives."""
    return replace(
        target,
        outcome="failed",
        failed_step=step,
        restore_id=answer.get("restore_id") or target.restore_id,
        job_id=answer.get("job_id") or target.job_id,
        error_kind=answer.get("error_kind") or "internal_error",
        msg=answer.get("msg") or "The module gave no reason.",
    )


# For restore_wait, and for people


def waits(targets: t.Iterable[Target]) -> list[dict[str, t.Any]]:
    """Return what was started as `restores` of restore_wait."""
    return [
        {"service": "ddm", "job_id": target.job_id}
        if target.service == "ddm"
        else {"service": "dcs", "instance_id": target.instance_id, "restore_id": target.restore_id}
        for target in targets
        if target.outcome == "started"
    ]


def plan_lines(targets: t.Iterable[Target]) -> list[str]:
    """Return what would overwrite what: a line for each target, and one for each data node."""
    lines = []
    for target in targets:
        plan = f"{PLANNED[target.action]} {target.what}" if target.action else f"cannot be restored, {target.error_kind}: {target.msg}"
        lines.append(f"{target.label()} {plan}")
        for relation in target.request.get("data_node_relations", []) if target.action else []:
            lines.append(f"    data node {relation['target_instance_id']} with {relation['source_instance_id']}")
    return lines


def result_lines(targets: t.Iterable[Target]) -> list[str]:
    """Return what became of each target so far, a line each."""
    return [f"{target.label()}: {target.outcome}{' (adopted)' if target.adopted else ''}{how(target)}" for target in targets]


def how(target: Target) -> str:
    """Return the end of a result line: why it failed, or how long it took and by which restore or job."""
    if target.outcome == "failed":
        return f" at {target.failed_step}, {target.error_kind}: {target.msg}"
    took = f" in {target.elapsed:.0f} s" if target.outcome == "succeeded" and target.elapsed is not None else ""
    by = f", job {target.job_id}" if target.job_id else f", restore {target.restore_id}" if target.restore_id else ""
    return took + by


def age(milliseconds: float) -> str:
    """Return '5 minutes old', '3 hours old' or '12 days old'."""
    seconds = milliseconds / 1000
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes old"
    return f"{seconds / 3600:.0f} hours old" if seconds < 172800 else f"{seconds / 86400:.0f} days old"
