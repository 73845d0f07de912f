# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of the role and of the fleet playbook: what is to be restored, and step by step what became of it. Private to this collection.

Behind the filters restore_targets, restore_hosts, restore_noted and restore_lines. All functions are pure: the time is a parameter.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible.module_utils.common.text.formatters import bytes_to_human

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import check_ids

Answer = t.Mapping[str, t.Any]  # what a task has registered, or one of its rows
RUNNING = ("RUNNING", "normal")  # DDM knows both words
PAIR = {"source_instance_id", "target_instance_id"}
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
    region: str
    request: dict[str, t.Any]  # its entry for restore_start
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


Targets = t.Sequence[Target]


# What is to be restored


def ddm_target(entry: t.Mapping[str, t.Any]) -> Target:
    """Return the target for an entry of `restore_ddm`."""
    source = entry["source_instance_id"]
    target = entry["target_instance_id"] or source
    what = given(entry, "job_id") or given(entry, "restore_time", "data_node_relations")
    request = {"instance_id": source, **given(entry, "target_instance_id"), **what}
    return Target("ddm", entry.get("name") or target, target, source, "", {"service": "ddm", **request})


def dcs_target(entry: t.Mapping[str, t.Any], operation_id: t.Any) -> Target:
    """Return the target for an entry of `restore_dcs`."""
    instance_id = entry["instance_id"]
    request = given(
        {"operation_id": operation_id, **given(entry, *entry)},
        "instance_id",
        "backup_id",
        "restore_point",
        "remark",
        "operation_id",
    )
    return Target(
        "dcs", entry.get("name") or instance_id, instance_id, instance_id, "", {"service": "dcs", **request}
    )


def given(entry: t.Mapping[str, t.Any], *names: str) -> dict[str, t.Any]:
    """Return the options that are set, as text where they are no lists: YAML may have made a time or a number of them."""
    return {
        name: entry[name] if isinstance(entry[name], list) else str(entry[name])
        for name in names
        if entry.get(name) not in (None, "", [])
    }


def host_target(name: str, variables: t.Mapping[str, t.Any]) -> Target:
    """Return the target that a host of a fleet is. For DDM the host is the source, another instance is overwritten."""
    service, source, region, overwritten = (
        str(variables.get(key) or "") for key in ("service", "instance_id", "region", "target_instance_id")
    )
    entry = {
        "name": name,
        "source_instance_id": source,
        "target_instance_id": overwritten,
        "instance_id": source,
    }
    if service == "ddm":
        target = ddm_target(
            {
                **entry,
                "restore_time": "latest",
                **given(variables, "restore_time", "data_node_relations", "job_id"),
            }
        )
    else:
        backup = given(variables, "backup_id") or {
            "restore_point": "latest",
            **given(variables, "restore_point"),
        }
        target = dcs_target({**entry, **backup, **given(variables, "remark", "operation_id")}, None)
    target = replace(
        target,
        service=service,
        region=region,
        request={**target.request, **({"region": region} if region else {})},
    )
    needed = {
        "service dcs or ddm": service in ("dcs", "ddm"),
        "instance_id": source,
        "target_instance_id": service != "ddm" or overwritten or "job_id" in target.request,
        "data_node_relations with two ids each": all(
            isinstance(row, t.Mapping) and row.keys() == PAIR for row in relations(target.request)
        ),
    }
    missing = [word for word, known in needed.items() if not known]
    try:  # restore_start refuses as a whole what is of the wrong form, and the other hosts can be restored
        if missing:
            raise InvalidArgument(f"{name} cannot be restored: it has no {' and no '.join(missing)}.")
        check_ids(target.request)
    except InvalidArgument as error:
        return unusable(target, str(error))
    return target


def unusable(target: Target, msg: str) -> Target:
    """Return a target of which nothing is asked of the cloud."""
    return replace(failed(target, "plan", {"error_kind": InvalidArgument.kind, "msg": msg}), changed=False)


def relations(request: t.Mapping[str, t.Any]) -> t.Sequence[t.Any]:
    """Return the data nodes of a request, also when they are no list."""
    found = request.get("data_node_relations", [])
    return found if isinstance(found, list) else [found]


# What became of it: each function notes the answer of one task.


def each(
    targets: Targets, outcome: str | None, answer: Answer, note: t.Callable[[Target, Answer], Target]
) -> list[Target]:
    """Return the targets, those with this outcome with the next row of the answer noted. Where there is none, the task says for all why."""
    left, why = iter(answer.get("restores") or []), {name: answer.get(name) for name in ("error_kind", "msg")}
    return [note(target, next(left, why)) if target.outcome == outcome else target for target in targets]


def planned(targets: Targets, answer: Answer, now_ms: int) -> list[Target]:
    """Pin what restore_start says in check mode."""

    def note(target: Target, row: Answer) -> Target:
        return (
            pinned(target, row, now_ms)
            if row.get("outcome")
            else replace(failed(target, "plan", row), changed=False)
        )

    return each(targets, None, answer, note)


def pinned(target: Target, row: Answer, now_ms: int) -> Target:
    """Return the target with its plan: the backup, the time and the data nodes that are shown are those that will be sent."""
    request, record = target.request, recorded(row)
    if "job_id" in request:
        what = f"{target.source_instance_id} by job {request['job_id']}"
    elif target.service == "ddm":
        point = row["restore_time"]
        request = {**request, "restore_time": point, "data_node_relations": row["data_node_relations"]}
        what = f"{target.source_instance_id} as of {iso(point)[:19]}Z ({age(now_ms - point)})"
    elif (
        row["backup"] is None
    ):  # it is gone, and so is the need for it: what it was restored to is known by its mark
        what = f"backup {request['backup_id']}"
    else:
        backup = row["backup"]
        request = {
            **{name: value for name, value in request.items() if name != "restore_point"},
            "backup_id": backup["backup_id"],
        }
        made = moment(backup["created_at"])
        old = f", {age(now_ms - made)}" if made is not None else ""
        what = f"{backup['backup_name']} ({backup['backup_id']}, {bytes_to_human(backup['size'] or 0)}, made {backup['created_at']}{old})"
    done = row["outcome"] == "unchanged"
    return replace(
        underway(target, row),
        request=request,
        what=what,
        backup=row.get("backup"),
        action="nothing" if done else "adopt" if row["adopted"] else "restore",
        outcome="unchanged" if done else "planned",
        started=record.get("created_at") or record.get("created_time"),
        finished=record.get("updated_at") or record.get("end_time") if done else None,
    )


def started(targets: Targets, answer: Answer, now_ms: int) -> list[Target]:
    """Note what restore_start says of what was planned, or was not planned in a task of its own."""

    def note(target: Target, row: Answer) -> Target:
        if not row.get("outcome"):
            return replace(failed(target, "restore", row), changed=bool(row.get("changed")))
        target = underway(target if target.action else pinned(target, row, now_ms), row)
        only_planned = row["outcome"] == "started" and not (
            target.restore_id or target.job_id
        )  # the task was told to check
        return replace(target, outcome="planned" if only_planned else row["outcome"])

    return each(targets, "planned" if any(target.action for target in targets) else None, answer, note)


def waited(targets: Targets, answer: Answer) -> list[Target]:
    """Note what restore_wait says of what was started."""

    def note(target: Target, row: Answer) -> Target:
        record, outcome = recorded(row), row.get("outcome") or "failed"
        target = replace(
            target,
            outcome=outcome,
            started=record.get("created_at") or record.get("created_time") or target.started,
            finished=record.get("updated_at") or record.get("end_time")
            if row.get("error_kind") != "wait_timeout"
            else None,
            elapsed=row.get("elapsed"),
        )
        return target if outcome == "succeeded" else failed(target, "wait", row)

    return each(targets, "started", answer, note)


def verified(targets: Targets, service: str, answer: Answer) -> list[Target]:
    """Note what ddm_instance_info or dcs_instance_info says of the instances: a restore counts only when its instance runs."""
    statuses = {
        row.get("instance_id") or row.get("id"): row["status"] for row in answer.get("instances") or []
    }

    def note(target: Target) -> Target:
        if target.service != service:
            return target
        status = statuses.get(target.instance_id)
        target = replace(target, instance_status=status)
        if target.outcome not in ("succeeded", "unchanged") or status in RUNNING:
            return target
        unread = answer if "instances" not in answer else None
        return failed(
            target,
            "verify",
            unread
            or {
                "error_kind": "not_running",
                "msg": f"It was restored, but the instance is {status} instead of RUNNING.",
            },
        )

    return [note(target) for target in targets]


def underway(target: Target, row: Answer) -> Target:
    """Return the target with what an answer says of the restore behind it."""
    return replace(
        target,
        changed=row["changed"],
        adopted=row["adopted"],
        restore_id=row.get("restore_id"),
        job_id=row.get("job_id"),
    )


def recorded(row: Answer) -> Answer:
    """Return the record of the DCS restore, or the DDM job, in an answer."""
    return row.get("restore") or row.get("job") or {}


def failed(target: Target, step: str, row: Answer) -> Target:
    """Return the target as failed in a step, for the reason that an answer gives."""
    return replace(
        target,
        outcome="failed",
        failed_step=step,
        restore_id=row.get("restore_id") or target.restore_id,
        job_id=row.get("job_id") or target.job_id,
        error_kind=row.get("error_kind") or "internal_error",
        msg=row.get("msg") or "The module gave no reason.",
    )


# For people


def plan_lines(targets: Targets) -> list[str]:
    """Return what would overwrite what: a line for each target, and one for each data node."""
    lines = []
    for target in targets:
        plan = (
            f"{PLANNED[target.action]} {target.what}"
            if target.action
            else f"cannot be restored, {target.error_kind}: {target.msg}"
        )
        lines.append(f"{target.label()} {plan}")
        for relation in target.request.get("data_node_relations", []) if target.action else []:
            lines.append(
                f"    data node {relation['target_instance_id']} with {relation['source_instance_id']}"
            )
    return lines


def result_lines(targets: Targets) -> list[str]:
    """Return what became of each target so far, a line each: why it failed, or how long it took and by which restore or job."""
    lines = []
    for target in targets:
        how = (
            f" in {target.elapsed:.0f} s"
            if target.outcome == "succeeded" and target.elapsed is not None
            else ""
        )
        how += (
            f", job {target.job_id}"
            if target.job_id
            else f", restore {target.restore_id}"
            if target.restore_id
            else ""
        )
        if target.outcome == "failed":
            how = f" at {target.failed_step}, {target.error_kind}: {target.msg}"
        lines.append(f"{target.label()}: {target.outcome}{' (adopted)' if target.adopted else ''}{how}")
    return lines


def age(milliseconds: float) -> str:
    """Return '5 minutes old', '3 hours old' or '12 days old'."""
    seconds = milliseconds / 1000
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes old"
    return f"{seconds / 3600:.0f} hours old" if seconds < 172800 else f"{seconds / 86400:.0f} days old"
