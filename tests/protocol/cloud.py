# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual cloud: one DCS instance or one pair of DDM instances, as a function of virtual time.

Much smaller than tests.cloud, because a million schedules have to pass through it: states are computed from times, bodies are kept.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso

EPOCH = 1_790_000_000.0  # the calendar at virtual time 0
PROJECT, TOKEN = "0f6c2a1b9d8e4f70a1b2c3d4e5f60718", "token-of-a-virtual-cloud"
INSTANCE, BACKUP, OTHER_BACKUP = "5560df16-cebf-4473-95c4-d1b573c16e79", "backup-wanted", "backup-other"
SOURCE, TARGET, OTHER_TARGET, NODE, NODE_TARGET = (
    "sourcein09",
    "targetin09",
    "othertargetin09",
    "node-source",
    "node-target",
)
RESTORE_TIME, OTHER_TIME = int(EPOCH - 3600) * 1000, int(EPOCH - 7200) * 1000
DCS = f"https://dcs.ap-southeast-3.myhuaweicloud.com/v2/{PROJECT}/instances/{INSTANCE}"
DDM = "https://ddm.ap-southeast-3.myhuaweicloud.com"
OF_SOURCE = f"{DDM}/v3/{PROJECT}/instances/{SOURCE}/backups"
SIGN_IN = "https://iam.ap-southeast-3.myhuaweicloud.com/v3/auth/tokens"
NO_TASK = "null"


@dataclass
class Work:
    """One accepted restore, recovery or backup: what the history is made of."""

    id: str
    kind: str  # restore, backup, recovery
    what: tuple[t.Any, ...]  # (backup,), () or (source, target, restore time)
    owner: t.Any  # the run whose request it was; None for somebody else's
    accepted: float
    seconds: float
    settle: float  # the instance stays busy for so long after the end
    fails: bool
    visible: float  # when its record can be seen
    remark: str | None = None
    looked: float = 0.0  # seconds since what the asking run was told of the instance was true
    texts: dict[str, str] = field(default_factory=dict)  # status -> its JSON

    @property
    def ends(self) -> float:
        """When its record says that it has ended."""
        return self.accepted + self.seconds

    @property
    def free(self) -> float:
        """When the instance serves again."""
        return self.accepted + self.seconds + self.settle

    def phase(self, now: float) -> str:
        """waiting, active, failed or done."""
        if now < self.accepted + self.seconds * 0.1:
            return "waiting"
        return "active" if now < self.ends else "failed" if self.fails else "done"


@dataclass
class Rules:
    """How this cloud behaves."""

    kind: str = "restore"
    seconds: t.Sequence[float] = (60.0,)  # restores take one of these
    settle: float = 0.0
    lag: float = 0.0  # share of a restore during which its record cannot be seen
    stale: float = 0.0  # seconds by which the status in a record is old
    blind: float = 0.0  # seconds by which the status of the instance is old
    by_task: bool = False  # the instance stays RUNNING and shows a task
    stripped: bool = False  # remarks are not kept
    fails: float = 0.0  # share of restores that fail
    job_of_source: bool = False  # a DDM job names the source instead of the target


DCS_STATUS = {
    "restore": ("waiting", "restoring", "failed", "succeed"),
    "backup": ("waiting", "backuping", "failed", "succeed"),
}
PHASES = ("waiting", "active", "failed", "done")
Response = tuple[int, bytes, dict[str, str]]
NOTHING: dict[str, str] = {}


def _instance(status: str, task: str) -> Response:
    body = f'{{"instance_id":"{INSTANCE}","name":"orders","status":"{status}","task":{task},"cache_mode":"ha","port":6379}}'
    return 200, body.encode(), NOTHING


INSTANCES = {
    key: _instance(*key)
    for key in (
        ("RUNNING", NO_TASK),
        ("RESTORING", NO_TASK),
        ("RUNNING", '"RESTORING"'),
        ("RUNNING", '"BACKUPING"'),
    )
}
DDM_INSTANCES = {
    status: (200, f'{{"id":"{TARGET}","name":"target","status":"{status}","nodes":[]}}'.encode(), NOTHING)
    for status in ("RUNNING", "RESTORE")
}
BUSY_WITH = {"restore": (400, "DCS.4097"), "backup": (400, "DCS.4096"), "recovery": (409, "DBS.200019")}
INTERVALS = json.dumps(
    {
        "restorable_time_intervals": [
            {"start_time": iso(int(EPOCH - 86400) * 1000), "end_time": iso(int(EPOCH - 60) * 1000)}
        ],
        "total": 1,
    }
)
NODES = json.dumps(
    {"related_data_nodes": [{"instance_id": NODE}], "latest_restorable_time": None, "total": 1}
)
NODE_TARGETS = json.dumps(
    {
        "target_data_nodes": [{"instance_id": NODE_TARGET, "available": True, "unavailable_reason": ""}],
        "total": 1,
    }
)
FIXED: dict[str, Response] = {
    f"{OF_SOURCE}/restorable-time-interval": (200, INTERVALS.encode(), NOTHING),
    f"{OF_SOURCE}/related-dn": (200, NODES.encode(), NOTHING),
    f"{OF_SOURCE}/restorable-data-node": (200, NODE_TARGETS.encode(), NOTHING),
    SIGN_IN: (201, json.dumps({"token": {"project": {"id": PROJECT}}}).encode(), {"x-subject-token": TOKEN}),
}


def error(status: int, code: str, message: str = "no") -> Response:
    """Return an error answer of a service."""
    return status, f'{{"error_code":"{code}","error_msg":"{message}"}}'.encode(), NOTHING


class VirtualCloud:
    """Answers requests at a virtual time, and keeps the history."""

    def __init__(self, rules: Rules, random: t.Callable[[], float]) -> None:
        self.rules, self._random = rules, random
        self.history: list[Work] = []
        self._lists: dict[t.Any, Response] = {}
        self._old_backups = [
            Work(name, "backup", (), None, -9000.0 - place, 60.0, 0.0, False, -9000.0)
            for place, name in enumerate((BACKUP, OTHER_BACKUP))
        ]

    # What is true

    def holder(self, now: float, target: str = TARGET) -> Work | None:
        """Return what holds the instance (of DDM: the target) now."""
        return next(
            (
                work
                for work in self.history
                if work.accepted <= now < work.free and (work.kind != "recovery" or work.what[1] == target)
            ),
            None,
        )

    def taken(self, now: float, target: str) -> bool:
        """Whether a DDM target has data nodes, so that nothing can be restored onto it any more."""
        return any(work.phase(now) == "done" and work.what[1] == target for work in self.history)

    # What is told

    def answer(self, method: str, url: str, body: bytes | None, now: float, owner: t.Any) -> Response:
        """Return the answer to one request that arrives now."""
        path = url.partition("?")[0]
        fixed = FIXED.get(path)
        if fixed:
            return fixed
        if method == "POST":
            return self.accept(json.loads(body or b"{}"), now, owner)
        if self.rules.kind == "recovery":
            return self._ddm(path, now)
        if path == DCS:
            shown = now - self.rules.blind
            holder = self.holder(shown) if shown > 0 else None
            if holder is None:
                return INSTANCES["RUNNING", NO_TASK]
            if holder.kind == "restore" and not self.rules.by_task:
                return INSTANCES["RESTORING", NO_TASK]
            return INSTANCES["RUNNING", '"RESTORING"' if holder.kind == "restore" else '"BACKUPING"']
        return self._records("restore" if path.endswith("/restores") else "backup", now)

    def accept(self, wanted: dict[str, t.Any], now: float, owner: t.Any, kind: str | None = None) -> Response:
        """Start what a request asks for, or refuse it. `kind` is what somebody else does who does not ask through here."""
        rules = self.rules
        kind = kind or rules.kind
        target = wanted["target"]["instance_id"] if kind == "recovery" else TARGET
        holder = self.holder(now, target)
        if holder is not None:
            return error(*BUSY_WITH[holder.kind], "Another operation is being performed on the instance.")
        if kind == "recovery" and self.taken(now, target):
            return error(400, "DBS.300372", "Invalid destination DDM instance.")
        what = (
            (wanted.get("backup_id"),)
            if kind == "restore"
            else ()
            if kind == "backup"
            else (SOURCE, target, wanted["source"]["restore_time"])
        )
        seconds = rules.seconds[int(self._random() * len(rules.seconds))]
        remark = None if rules.stripped else wanted.get("remark")
        work = Work(
            id=f"{kind}-{len(self.history)}",
            kind=kind,
            what=what,
            owner=owner,
            accepted=now,
            seconds=seconds,
            settle=rules.settle,
            fails=self._random() < rules.fails,
            visible=now + seconds * rules.lag,
            remark=remark,
        )
        self.history.append(work)
        name = {"restore": "restore_id", "backup": "backup_id", "recovery": "job_id"}[kind]
        return (202 if kind == "recovery" else 200), f'{{"{name}":"{work.id}"}}'.encode(), NOTHING

    def listed(self, kind: str, now: float) -> list[Work]:
        """Return what a list shows now."""
        return [work for work in self.history if work.kind == kind and work.visible <= now]

    def _records(self, kind: str, now: float) -> Response:
        shown = now - self.rules.stale
        phases = [(work, work.phase(max(shown, work.accepted))) for work in self.listed(kind, now)]
        if kind == "backup":
            phases += [(work, "done") for work in self._old_backups]
        key = (kind, tuple((work.id, phase) for work, phase in phases))
        if key not in self._lists:
            rows = [work.texts.get(phase) or self._record(work, phase) for work, phase in phases]
            body = f'{{"total_num":{len(rows)},"{kind}_record_response":[{",".join(rows)}]}}'
            self._lists[key] = (200, body.encode(), NOTHING) if rows else (204, b"", NOTHING)
        return self._lists[key]

    def _record(self, work: Work, phase: str) -> str:
        status = DCS_STATUS[work.kind][PHASES.index(phase)]
        row: dict[str, t.Any] = {
            "status": status,
            "created_at": iso(int((EPOCH + work.accepted) * 1000)),
            "progress": "50.00",
        }
        row["error_code"] = "dcs.08.0007" if phase == "failed" else {}
        if work.kind == "restore":
            row.update(restore_id=work.id, backup_id=work.what[0], restore_remark=work.remark or {})
        else:
            row.update(
                backup_id=work.id, remark=work.remark or {}, is_support_restore="TRUE", instance_id=INSTANCE
            )
        work.texts[phase] = json.dumps(row)
        return work.texts[phase]

    def _ddm(self, path: str, now: float) -> Response:
        if path == f"{OF_SOURCE}/restorable-instances":
            return self._targets(now)
        if path.endswith("/jobs"):
            jobs = [self._job(work, now) for work in self.listed("recovery", now)]
            return 200, json.dumps({"jobs": jobs, "total": len(jobs)}).encode(), NOTHING
        if "/jobs/" in path:
            found = next(
                (work for work in self.listed("recovery", now) if path.endswith("/" + work.id)), None
            )
            if found is None:
                return error(400, "DBS.300400", "The task does not exist.")
            job = self._job(found, now)
            return (
                200,
                json.dumps({"job": {**job, "instance": {"id": job["instance_id"], "name": "x"}}}).encode(),
                NOTHING,
            )
        return DDM_INSTANCES[
            "RESTORE" if path.endswith(TARGET) and self.holder(now - self.rules.blind) else "RUNNING"
        ]

    def _job(self, work: Work, now: float) -> dict[str, t.Any]:
        phase = work.phase(max(now - self.rules.stale, work.accepted))
        return {
            "id": work.id,
            "name": "RestoreInstance",
            "status": {"failed": "Failed", "done": "Completed"}.get(phase, "Running"),
            "created_time": iso(int(EPOCH + work.accepted) * 1000),
            "instance_id": SOURCE if self.rules.job_of_source else work.what[1],
            "fail_reason": "no" if phase == "failed" else "",
        }

    def _targets(self, now: float) -> Response:
        shown, rows = now - self.rules.blind, []
        for target in (OTHER_TARGET, TARGET):
            holder = self.holder(shown, target)
            reason = (
                "Another operation is being performed on the instance."
                if holder
                else "associated"
                if self.taken(shown, target)
                else ""
            )
            status = "RESTORE" if holder else "normal"
            rows.append(
                {
                    "instance_id": target,
                    "status": status,
                    "available": not reason,
                    "unavailable_reason": reason,
                }
            )
        return 200, json.dumps({"instances": rows, "total": len(rows)}).encode(), NOTHING
