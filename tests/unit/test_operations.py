# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the protocol concludes from records, jobs and instances, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    Busy,
    CloudError,
    InvalidArgument,
    NotFound,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import marker
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import decide
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    DcsBackup,
    DcsRestore,
    choose_backup,
    remark_with,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import (
    watch_restore,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    DdmRecovery,
    Pair,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    recent_jobs,
    watch_job,
)

from .fakes import NOW_MS, Time

MARK = marker(instance="i")
OTHER_MARK = marker(instance="other")
RUNNING = {"instance_id": "i", "status": "RUNNING", "task": None, "cache_mode": "ha"}


def instance(status: str = "RUNNING", task: str | None = None) -> dict[str, Any]:
    return {**RUNNING, "status": status, "task": task}


def record(number: int, status: str, backup: str = "b", remark: str | None = None) -> dict[str, Any]:
    return {
        "restore_id": f"r{number}",
        "backup_id": backup,
        "status": status,
        "restore_remark": remark,
        "progress": None,
        "error_code": None,
    }


class FakeDcs:
    """Newest record first, as the service gives them."""

    redactor = Redactor()

    def __init__(self, records: list[dict[str, Any]], now: dict[str, Any]) -> None:
        self.records, self.now = records, now

    def instance(self, instance_id: str) -> dict[str, Any]:
        return self.now

    def restores(self, instance_id: str, until: str | None = None) -> list[dict[str, Any]]:
        return self.records

    backups = restores


def restore(records: list[dict[str, Any]], now: dict[str, Any]) -> DcsRestore:
    dcs: Any = FakeDcs(records, now)
    return DcsRestore("Restore", dcs, now, MARK, "remark", backup_id="b", backup=None)


OURS = f"CHG-1 {MARK}"


@pytest.mark.parametrize(
    ("records", "now", "step", "found"),
    [
        ([], instance(), "send", None),
        ([record(1, "succeed")], instance(), "send", None),
        ([record(1, "succeed", remark=OURS)], instance(), "unchanged", "r1"),
        ([record(1, "succeed", remark=MARK)], instance(), "unchanged", "r1"),
        ([record(1, "failed", remark=OURS)], instance(), "send", None),  # a failed one may be tried again
        (
            [record(2, "succeed"), record(1, "succeed", remark=OURS)],
            instance(),
            "send",
            None,
        ),  # another came after it
        ([record(2, "failed"), record(1, "succeed", remark=OURS)], instance(), "send", None),
        (
            [record(1, "succeed", remark=OURS.upper())],
            instance(),
            "unchanged" if OURS.upper().endswith(MARK) else "send",
            None,
        ),
        ([record(1, "succeed", remark=OURS + " ")], instance(), "send", None),
        ([record(1, "succeed", remark=OURS[:-1])], instance(), "send", None),
        ([record(1, "succeed", remark=OTHER_MARK)], instance(), "send", None),
        ([record(1, "waiting")], instance("RESTORING"), "adopt", "r1"),
        ([record(1, "restoring")], instance("RESTORING"), "adopt", "r1"),
        (
            [record(1, "restoring", remark=OTHER_MARK)],
            instance("RESTORING"),
            "adopt",
            "r1",
        ),  # the same backup to the same instance
        ([record(1, "RESTORING2")], instance(), "adopt", "r1"),  # not a documented end
        ([record(1, "restoring", "other")], instance("RESTORING"), "refuse", None),
        ([], instance("RESTORING"), "refuse", None),
        ([], instance("FROZEN"), "refuse", None),
        ([], instance(task="BACKUPING"), "refuse", None),
        (
            [record(1, "succeed", remark=OURS)],
            instance("RESTORING"),
            "adopt",
            "r1",
        ),  # its instance does not serve yet
        ([record(1, "succeed", remark=OURS)], instance(task="RESTORING"), "adopt", "r1"),
        ([record(1, "succeed", remark=OURS)], instance("ERROR"), "unchanged", "r1"),
    ],
)
def test_dcs_restore(
    records: list[dict[str, Any]], now: dict[str, Any], step: str, found: str | None
) -> None:
    seen = restore(records, now).observe()
    assert decide(seen) == step
    if found:
        assert found in (seen.running[0] if seen.running else None, seen.done)


def test_what_blocks_is_told() -> None:
    assert restore([], instance("FROZEN")).observe().blocked == "the instance is FROZEN, not RUNNING"
    assert restore([], instance(task="BACKUPING")).observe().blocked == "the instance is at work on BACKUPING"
    others = restore([record(1, "restoring", "other")], instance("RESTORING")).observe()
    assert others.blocked == "restore r1 of another backup (other) is restoring" and others.explained
    assert not restore([], instance("RESTORING")).observe().explained, (
        "it may be our own, whose record cannot be seen yet"
    )
    assert restore([], instance("FROZEN")).observe().explained


def test_two_looks_agree_only_on_the_same_evidence() -> None:
    states = [
        restore(*case).observe().state
        for case in (
            ([], instance()),
            ([record(1, "failed")], instance()),
            ([record(1, "succeed")], instance()),
            ([], instance(task="x")),
        )
    ]
    assert len(set(states)) == 4
    assert restore([], instance()).observe().state == restore([], instance()).observe().state


@pytest.mark.parametrize(
    ("repeatable", "records", "step"),
    [
        (True, [], "send"),
        (True, [{"backup_id": "b1", "status": "succeed", "remark": MARK}], "send"),  # each run makes one
        (False, [{"backup_id": "b1", "status": "succeed", "remark": MARK}], "unchanged"),
        (
            False,
            [
                {"backup_id": "b2", "status": "succeed", "remark": None},
                {"backup_id": "b1", "status": "succeed", "remark": MARK},
            ],
            "unchanged",
        ),
        (False, [{"backup_id": "b1", "status": "failed", "remark": MARK}], "send"),
        (False, [{"backup_id": "b1", "status": "deleted", "remark": MARK}], "send"),
        (True, [{"backup_id": "b1", "status": "backuping", "remark": MARK}], "adopt"),
        (True, [{"backup_id": "b1", "status": "backuping", "remark": None}], "refuse"),
    ],
)
def test_dcs_backup(repeatable: bool, records: list[dict[str, Any]], step: str) -> None:
    dcs: Any = FakeDcs(records, instance())
    operation = DcsBackup(
        "Backup", dcs, instance(), MARK, "remark", repeatable=repeatable, backup_format=None
    )
    assert decide(operation.observe()) == step


def test_remarks() -> None:
    assert remark_with(None, MARK) == MARK
    assert remark_with("  CHG-1  ", MARK) == f"CHG-1 {MARK}"
    assert len(remark_with("x" * 94, MARK)) == 128
    with pytest.raises(InvalidArgument, match="remark has 95 characters; 94 are possible"):
        remark_with("x" * 95, MARK)


BACKUPS = [
    {
        "backup_id": "unusable",
        "status": "succeed",
        "is_support_restore": False,
        "created_at": "2026-05-28T20:00:00.000Z",
    },
    {
        "backup_id": "failed",
        "status": "failed",
        "is_support_restore": True,
        "created_at": "2026-05-28T19:00:00.000Z",
    },
    {
        "backup_id": "new",
        "status": "succeed",
        "is_support_restore": True,
        "created_at": "2026-05-28T18:00:00.000Z",
    },
    {
        "backup_id": "old",
        "status": "succeed",
        "is_support_restore": True,
        "created_at": "2026-05-27T18:00:00.000Z",
    },
    {"backup_id": "undated", "status": "succeed", "is_support_restore": True, "created_at": "some day"},
]


@pytest.mark.parametrize(
    ("point", "found"),
    [
        ("latest", "new"),
        ("2026-05-28T18:00:00Z", "new"),
        ("2026-05-28T17:59:59.999Z", "old"),
        ("2026-05-29T03:59:59+10:00", "old"),
        (None, None),
    ],
)
def test_a_restore_point_is_the_newest_usable_backup_at_or_before_it(
    point: str | None, found: str | None
) -> None:
    row = choose_backup(
        BACKUPS,
        {"backup_id": None if point else "missing", "restore_point": point, "instance_id": "i"},
        NOW_MS,
    )
    assert (row and row["backup_id"]) == found


def test_no_backup_before_a_point() -> None:
    with pytest.raises(NotRestorable, match="no usable backup at or before 2026-05-01T00:00:00Z"):
        choose_backup(
            BACKUPS, {"backup_id": None, "restore_point": "2026-05-01T00:00:00Z", "instance_id": "i"}, NOW_MS
        )


# When has a restore ended?


@pytest.mark.parametrize(
    ("status", "now", "state"),
    [
        ("waiting", instance("RESTORING"), "running"),
        ("restoring", instance(), "running"),
        ("paused", instance(), "running"),
        ("SUCCEED", instance(), "running"),
        ("succeed", instance("RESTORING"), "running"),
        ("succeed", instance(task="RESTORING"), "running"),
        ("succeed", instance("RESTARTING"), "running"),
        ("succeed", instance(), "succeeded"),
        ("succeed", instance("ERROR"), "failed"),
        ("succeed", instance("FROZEN"), "failed"),
        ("failed", instance("RESTORING"), "failed"),
        ("failed", instance(), "failed"),
    ],
)
def test_the_end_of_a_dcs_restore(status: str, now: dict[str, Any], state: str) -> None:
    dcs: Any = FakeDcs([record(1, status)], now)
    seen = watch_restore(dcs, "i", "r1").observe()
    assert (seen.state, seen.status) == (state, status)
    assert seen.record["restore_id"] == "r1"


def test_a_record_that_is_not_in_the_list() -> None:
    dcs: Any = FakeDcs([record(1, "succeed")], instance())
    with pytest.raises(NotFound, match="r2 is not among the records of i"):
        watch_restore(dcs, "i", "r2").observe()


# DDM


def job(number: int, status: str, instance_id: str = "t", name: str = "RestoreInstance") -> dict[str, Any]:
    return {
        "id": f"j{number}",
        "name": name,
        "status": status,
        "instance_id": instance_id,
        "process": "",
        "fail_reason": None,
        "created_time": None,
    }


class FakeDdm:
    redactor = Redactor()

    def __init__(
        self,
        available: bool = True,
        jobs: list[dict[str, Any]] | None = None,
        status: str = "RUNNING",
        detail: bool = True,
    ) -> None:
        self.available, self.list, self.status, self.detail = available, jobs or [], status, detail
        self.asked: list[tuple[int, int]] = []

    def restorable_instances(self, source: str) -> list[dict[str, Any]]:
        return [
            {
                "instance_id": "t",
                "status": self.status,
                "available": self.available,
                "unavailable_reason": None if self.available else "It is busy.",
            }
        ]

    def jobs(self, begin: int, end: int) -> list[dict[str, Any]]:
        self.asked.append((begin, end))
        return self.list

    def job(self, job_id: str) -> dict[str, Any]:
        found = next((row for row in self.list if row["id"] == job_id), None)
        if found is None or not self.detail:
            raise NotFound("The task does not exist.")
        return {**found, "fail_reason": None}

    def instance(self, instance_id: str) -> dict[str, Any]:
        return {"status": self.status}


def recovery(ddm: FakeDdm) -> DdmRecovery:
    service: Any = ddm
    return DdmRecovery("Recovery of DDM instance s to t", Pair(service, Time().clock, "s", "t"), 1)


def refusal(operation: DdmRecovery) -> CloudError:
    observed = operation.observe()
    assert observed.blocked
    return operation.refusal(observed)


def test_an_available_target() -> None:
    seen = recovery(
        FakeDdm(
            jobs=[
                job(1, "Completed"),
                job(2, "Completed", "s"),
                job(3, "Running", "x"),
                job(4, "Running", "t", "RestartInstance"),
            ]
        )
    ).observe()
    assert decide(seen) == "send"
    assert seen.records.keys() == {"j1", "j2"}
    assert seen.own == {"j1"}, "a job of the source alone may be for another target"


def test_a_target_that_is_not_available_is_refused_and_its_job_named() -> None:
    operation = recovery(FakeDdm(False, [job(2, "Running"), job(1, "Completed")]))
    seen = operation.observe()
    assert decide(seen) == "refuse" and not seen.explained
    assert seen.own == seen.records.keys() == {"j1", "j2"}
    with pytest.raises(
        Busy,
        match=r"not available \(It is busy.\); RestoreInstance job j2 on it is Running, job_id=j2 attaches to it",
    ) as caught:
        raise refusal(operation)
    assert caught.value.details()["job_id"] == "j2"
    with pytest.raises(NotRestorable, match=r"not available \(It is busy.\)"):
        raise refusal(recovery(FakeDdm(False)))


@pytest.mark.parametrize(
    ("jobs", "status", "words", "job_id"),
    [
        ([], "RESTORE", "; it is being restored, but no restore job on it can be seen yet", None),
        ([], "restoring\n", "; it is being restored, but no restore job on it can be seen yet", None),
        (
            [job(1, "Failed")],
            "RESTORE",
            "; it is being restored, but no restore job on it can be seen yet",
            None,
        ),
        (
            [job(1, "Running", "s")],
            "RESTORE",
            "; it is being restored, but no restore job on it can be seen yet",
            None,
        ),
        (
            [job(1, "Completed")],
            "RESTORE",
            "; RestoreInstance job j1 on it is Completed, job_id=j1 attaches to it",
            "j1",
        ),
        (
            [job(1, "Pending")],
            "RUNNING",
            "; RestoreInstance job j1 on it is Pending, job_id=j1 attaches to it",
            "j1",
        ),
    ],
)
def test_a_target_that_is_being_restored_is_busy_whether_its_job_shows_or_not(
    jobs: list[dict[str, Any]], status: str, words: str, job_id: str | None
) -> None:
    """A playbook that asks again until it is not busy must not give up while the job is late."""
    operation = recovery(FakeDdm(False, jobs, status))
    with pytest.raises(Busy) as caught:
        raise refusal(operation)
    said = f"{operation.name} was not started: target t is not available (It is busy.){words}. Run the task again when that has ended. Nothing was started."
    assert str(caught.value) == said
    assert caught.value.details() == {
        "error_kind": "busy",
        "changed": False,
        **({"job_id": job_id} if job_id else {}),
    }


@pytest.mark.parametrize(
    ("jobs", "status"), [([job(1, "Completed")], "normal"), ([job(1, "Failed")], "normal"), ([], "FROZEN")]
)
def test_a_target_that_is_not_being_restored_is_no_target(jobs: list[dict[str, Any]], status: str) -> None:
    with pytest.raises(NotRestorable) as caught:
        raise refusal(recovery(FakeDdm(False, jobs, status)))
    assert caught.value.details().get("job_id") == (
        "j1" if jobs and jobs[0]["status"] == "Completed" else None
    )


def test_a_target_that_is_no_target() -> None:
    service: Any = FakeDdm()
    with pytest.raises(NotRestorable, match="x is not among the instances that s can be restored to"):
        Pair(service, Time().clock, "s", "x").observe()


def test_jobs_are_asked_for_29_days_and_one_day_ahead() -> None:
    ddm = FakeDdm()
    service: Any = ddm
    recent_jobs(service, Time().clock)
    assert ddm.asked == [(NOW_MS - 29 * 86_400_000, NOW_MS + 86_400_000)]


@pytest.mark.parametrize(
    ("status", "target", "state"),
    [
        ("Running", "RESTORE", "running"),
        ("Pending", "RUNNING", "running"),
        ("Completed", "RESTORE", "running"),
        ("Completed", "RUNNING", "succeeded"),
        ("Completed", "normal", "succeeded"),
        ("Completed", "ERROR", "failed"),
        ("Failed", "RUNNING", "failed"),
    ],
)
@pytest.mark.parametrize("detail", [True, False])
def test_the_end_of_a_ddm_job(status: str, target: str, state: str, detail: bool) -> None:
    rows = [{**job(1, status), "fail_reason": "The node is \x1b[2J gone." if status == "Failed" else None}]
    service: Any = FakeDdm(jobs=rows, status=target, detail=detail)
    seen = watch_job(service, Time().clock, "j1", "t").observe()
    assert (seen.state, seen.status) == (state, status)
    assert ("\\x1b[2J" in (seen.reason or "")) is (status == "Failed")


def test_a_job_that_is_nowhere() -> None:
    service: Any = FakeDdm()
    with pytest.raises(NotFound):
        watch_job(service, Time().clock, "j1", None).observe()
