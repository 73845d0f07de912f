# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of the role and of the fleet playbook: what is to be restored, and step by step what became of it. Private to this collection.

Behind the filters restore_targets, restore_hosts, restore_noted, restore_waits and restore_lines. All functions are pure.
An answer is what a task registered: the result of a module, or of one item of its loop.
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


# What became of it


def planned(targets: t.Sequence[Target], answers: Answers) -> list[Target]:
    """Pin what the restore modules say in check mode: the backup, the time and the data nodes that are shown are those that are sent."""
    taken: dict[str, str] = {}
    rows = []
    for target, answer in in_order(targets, answers, lambda target: True):
        nodes = [node["target_instance_id"] for node in answer.get("data_node_relations") or []]
        clash = next((node for node in nodes if node in taken), None)
        if clash is not None:
            why = f"The data node {clash} is planned to be overwritten for {taken[clash]} already."
            hint = "Say in data_node_relations of both targets which data nodes each one takes."
            rows.append(replace(failed(target, "plan", {"error_kind": "not_restorable", "msg": f"{why} {hint}"}), changed=False))
            continue
        taken.update(dict.fromkeys(nodes, target.name))
        rows.append(pinned(target, answer) if "outcome" in answer else replace(failed(target, "plan", answer), changed=False))
    return rows


def pinned(target: Target, answer: Answer) -> Target:
    """Return the target with the plan that a module has made for it."""
    request, record = target.request, answer.get("restore") or answer.get("job") or {}
    if "job_id" in request:
        what = f"{target.source_instance_id} by job {request['job_id']}"
    elif target.service == "ddm":
        when = answer["restore_time"]
        what = f"{target.source_instance_id} as of {iso(when)[:19]}Z ({age(when)})"
        request = {**request, "restore_time": when, "data_node_relations": answer["data_node_relations"]}
    else:
        backup = answer["backup"]
        made = moment(backup["created_at"])
        size = bytes_to_human(backup.get("size") or 0)
        old = f", {age(made)}" if made is not None else ""
        what = f"{backup['backup_name']} ({backup['backup_id']}, {size}, made {backup['created_at']}{old})"
        request = {**request, "backup_id": backup["backup_id"], "restore_point": ""}
    action = "nothing" if answer["outcome"] == "unchanged" else "adopt" if answer["adopted"] else "restore"
    return replace(
        target,
        request=request,
        what=what,
        backup=answer.get("backup"),
        action=action,
        outcome="unchanged" if action == "nothing" else "planned",
        changed=answer["changed"],
        adopted=answer["adopted"],
        restore_id=answer.get("restore_id"),
        job_id=answer.get("job_id"),
        started=begin(record),
        finished=end(record) if action == "nothing" else None,
    )


def started(targets: t.Sequence[Target], answers: Answers, check_mode: bool = False) -> list[Target]:
    """Note what the restore modules say with `wait: false` of what was planned. In check mode nothing has started."""
    rows = []
    for target, answer in in_order(targets, answers, lambda target: target.outcome == "planned"):
        if answer is NONE:
            rows.append(target)
        elif "outcome" not in answer:
            rows.append(replace(failed(target, "restore", answer), changed=bool(answer.get("changed"))))
        else:
            rows.append(
                replace(
                    target,
                    outcome="planned" if check_mode and answer["outcome"] == "started" else answer["outcome"],
                    changed=answer["changed"],
                    adopted=answer["adopted"],
                    restore_id=answer.get("restore_id"),
                    job_id=answer.get("job_id"),
                )
            )
    return rows
