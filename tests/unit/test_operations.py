# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the protocol concludes from records, jobs and instances, as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast
from unittest import mock

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    Busy,
    CloudError,
    InvalidArgument,
    NotFound,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import (
    marker,
    marker_of_run,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import decide
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.backup import (
    DcsBackup,
    replaced,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.operations import (
    remark_with,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.restore import DcsRestore
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.waiting import watch_restore
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.attach import (
    check_job,
    newest_job,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.metadata import DdmMetadata
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.named import Named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    Pair,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    recent_jobs,
    watch_job,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import (
    is_metadata,
    is_restore,
    may_be_metadata,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.recovery import DdmRecovery

from .fakes import NOW_MS, api_error

MARK = marker(instance="i")
OTHER_MARK = marker(instance="other")
RUNNING = {"instance_id": "i", "status": "RUNNING", "task": None, "cache_mode": "ha"}


def instance(status: str = "RUNNING", task: str | None = None) -> dict[str, Any]:
    return {**RUNNING, "status": status, "task": task}


def record(number: int, status: str, backup: str | None = "b", remark: str | None = None) -> dict[str, Any]:
    """A restore of the number-th of May."""
    return {
        "created_at": f"2026-05-{number:02}T00:00:00.000Z",
        "updated_at": f"2026-05-{number:02}T00:01:30.000Z",
        "restore_id": f"r{number}",
        "backup_id": backup,
        "status": status,
        "restore_remark": remark,
        "progress": None,
        "error_code": None,
    }


def undated(number: int, status: str, remark: str | None = None) -> dict[str, Any]:
    return {**record(number, status, remark=remark), "created_at": "some day"}


class FakeDcs:
    """Newest record first, as the service gives them."""

    redactor = Redactor()
    warn = mock.Mock()

    def __init__(self, records: list[dict[str, Any]], now: dict[str, Any]) -> None:
        self.records, self.shown = records, now

    def now(self) -> int:
        return NOW_MS

    def instance(self, instance_id: str) -> dict[str, Any]:
        return self.shown

    def restores(self, instance_id: str, until: str | None = None) -> list[dict[str, Any]]:
        return self.records

    backups = restores


def restore(records: list[dict[str, Any]], now: dict[str, Any], ignore_stuck: bool = False) -> DcsRestore:
    dcs: Any = FakeDcs(records, now)
    return DcsRestore("Restore", dcs, now, MARK, "remark", ignore_stuck, backup_id="b", backups=())


OURS = f"CHG-1 {MARK}"


def ended_now(status: str) -> dict[str, Any]:
    return {**record(1, status, remark=OURS), "updated_at": "2026-05-28T20:26:00.000Z"}


@pytest.mark.parametrize(
    ("records", "now", "step", "found"),
    [
        ([], instance(), "send", None),
        ([record(1, "succeed")], instance(), "send", None),
        ([record(1, "succeed", remark=OURS)], instance(), "unchanged", "r1"),
        ([record(1, "succeed", remark=MARK)], instance(), "unchanged", "r1"),
        ([record(1, "failed", remark=OURS)], instance(), "send", None),  # a failed one may be tried again
        # Another came after it
        ([record(2, "succeed"), record(1, "succeed", remark=OURS)], instance(), "send", None),
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
        ([record(28, "waiting")], instance("RESTORING"), "adopt", "r28"),
        ([record(28, "restoring")], instance("RESTORING"), "adopt", "r28"),
        ([record(28, "restoring", backup="B")], instance("RESTORING"), "adopt", "r28"),  # in capitals
        # The same backup to the same instance
        ([record(28, "restoring", remark=OTHER_MARK)], instance("RESTORING"), "adopt", "r28"),
        ([record(28, "RESTORING2")], instance(), "adopt", "r28"),  # not a documented end
        ([record(28, "restoring", "other")], instance("RESTORING"), "refuse", None),
        ([], instance("RESTORING"), "refuse", None),
        ([], instance("FROZEN"), "refuse", None),
        ([], instance(task="BACKUPING"), "refuse", None),
        ([record(1, "success", remark=OURS)], instance(), "unchanged", "r1"),  # other spellings
        ([record(1, "SUCCEED", remark=OURS)], instance(), "unchanged", "r1"),
        ([record(1, " Completed ", remark=OURS)], instance(), "unchanged", "r1"),
        # It was done, and is kept no longer
        ([record(1, "expired", remark=OURS)], instance(), "unchanged", "r1"),
        ([record(1, "deleted", remark=OURS)], instance(), "send", None),
        ([undated(1, "succeed", remark=OURS)], instance(), "unchanged", "r1"),
        ([record(2, "succeed"), undated(1, "succeed", remark=OURS)], instance(), "unchanged", "r1"),
        ([undated(2, "succeed"), record(1, "succeed", remark=OURS)], instance(), "unchanged", "r1"),
        ([record(1, "succeed", remark=OURS), record(2, "succeed")], instance(), "send", None),  # in any order
        (
            [record(2, "succeed", remark=OURS), record(1, "succeed", remark=OURS)],
            instance(),
            "unchanged",
            "r2",
        ),
        (
            [undated(1, "succeed", remark=OURS), record(28, "restoring", "other")],
            instance("RESTORING"),
            "refuse",
            None,
        ),
        # The list of instances may be older than that of restores
        ([record(28, "restoring", "other"), record(1, "succeed", remark=OURS)], instance(), "refuse", None),
        (
            [record(28, "restoring", "other"), undated(1, "succeed", remark=OURS)],
            instance(),
            "refuse",
            None,
        ),
        # Ours is one of two, of which the other does not end
        (
            [record(28, "restoring", "other"), record(27, "restoring")],
            instance("RESTORING"),
            "adopt",
            "r27",
        ),
        # The one that runs, although the newest one has ended just now
        ([ended_now("succeed"), undated(28, "restoring")], instance("RESTORING"), "adopt", "r28"),
        ([record(1, "waiting")], instance(), "refuse", None),  # stuck for weeks, and the instance is idle
        ([record(1, "restoring", "other")], instance(), "refuse", None),
        ([record(1, "waiting")], instance("RESTORING"), "adopt", "r1"),  # not idle
        ([undated(1, "waiting")], instance(), "adopt", "r1"),  # nobody knows its age
        ([ended_now("succeed")], instance("RESTORING"), "adopt", "r1"),  # its instance does not serve yet
        (
            [{**ended_now("succeed"), "updated_at": "?"}],
            instance("RESTORING"),
            "adopt",
            "r1",
        ),  # it may be recent
        ([ended_now("succeed")], instance(task="RESTORING"), "adopt", "r1"),
        # what restores the instance now is not listed yet
        ([record(1, "succeed", remark=OURS)], instance("RESTORING"), "refuse", None),
        ([record(1, "succeed", remark=OURS)], instance(task="RESTORING"), "refuse", None),
        ([ended_now("succeed")], instance("RESTARTING"), "adopt", "r1"),
        ([ended_now("succeed")], instance("ERROR"), "adopt", "r1"),  # the wait for it says that it failed
        ([record(1, "succeed", remark=OURS)], instance("ERROR"), "refuse", None),  # it serves nobody
        ([record(1, "succeed", remark=OURS)], instance("RESTARTING"), "unchanged", "r1"),
        ([record(28, "unknown", None)], instance(), "refuse", None),  # a status and a backup of null
        ([record(28, "unknown", None, remark=OURS)], instance(), "adopt", "r28"),
        ([record(1, "unknown")], instance(), "refuse", None),
    ],
)
def test_dcs_restore(
    records: list[dict[str, Any]], now: dict[str, Any], step: str, found: str | None
) -> None:
    seen = restore(records, now).observe()
    assert decide(seen) == step
    if found:
        assert found in (seen.running[0] if seen.running else None, seen.done)


def test_an_obstacle_is_reported() -> None:
    assert restore([], instance("FROZEN")).observe().blocked == "the instance is FROZEN, not RUNNING"
    assert restore([], instance(task="BACKUPING")).observe().blocked == "the instance is busy with BACKUPING"
    others = restore([record(28, "restoring", "other")], instance("RESTORING")).observe()
    assert others.blocked == "restore r28 has been restoring for 20 h 27 min, of another backup (other)"
    assert others.explained
    own = restore([record(28, "restoring")], instance()).observe()
    assert own.blocked is None, "what it attaches to is not in its way"
    two = [record(28, "restoring", "other"), record(27, "restoring", "third")]
    assert (restore(two, instance("RESTORING")).observe().blocked or "").startswith("restore r28 ")
    undated_other = {**undated(28, "restoring"), "backup_id": "other"}
    assert restore([undated_other], instance("RESTORING")).observe().blocked == (
        "restore r28 has been restoring, of another backup (other)"
    )
    unread = restore([record(28, "unknown", None)], instance()).observe()
    assert unread.blocked == "restore r28 has been unknown for 20 h 27 min, of an unknown backup"
    assert not restore([], instance("RESTORING")).observe().explained, (
        "it may be our own, whose record cannot be seen yet"
    )
    assert restore([], instance("FROZEN")).observe().explained


@pytest.mark.parametrize("status", ["waiting", "restoring"])
@pytest.mark.parametrize("backup", ["b", "other"])
def test_a_stuck_restore_is_reported_with_its_age_and_the_remedy(status: str, backup: str) -> None:
    seen = restore([record(1, status, backup)], instance()).observe()
    assert seen.blocked == (
        f"restore r1 has been {status} for 27 days 21 h, although the instance is RUNNING and idle. It is "
        "stuck; ignore_stuck=true ignores it"
    )
    assert seen.explained
    two = restore([record(2, status, backup), record(1, status, backup)], instance()).observe()
    assert two.blocked is not None and two.blocked.startswith("restore r2 has been")
    past = restore([record(1, status, backup)], instance(), ignore_stuck=True).observe()
    assert decide(past) == "send" and "r1" in past.records
    for now in (instance("RESTORING"), instance(task="RESTORING")):
        assert decide(restore([record(1, status, "other")], now, ignore_stuck=True).observe()) == "refuse"
    young = record(28, status, "other")
    assert decide(restore([young], instance(), ignore_stuck=True).observe()) == "refuse"
    both = restore([young, record(1, status, backup)], instance()).observe()
    assert both.blocked is not None and both.blocked.startswith("restore r28 has been")
    assert (seen.stuck, both.stuck) == (True, False), "the one that runs ends by itself"


def test_a_stuck_restore_that_is_listed_only_after_the_refusal_has_its_remedy() -> None:
    """What never ends must not be waited for, however the task came to know of it."""
    operation = restore([record(1, "restoring", "other")], instance())
    error = operation.refusal(operation.observe(), api_error(409, "DCS.4026", message="It is busy."))
    assert error.details()["stuck"] is True and error.facts["error_code"] == "DCS.4026"
    assert "ignore_stuck=true ignores it. The cloud's response: It is busy." in str(error)
    assert "when that has ended" not in str(error)


def test_a_stuck_backup_is_reported_with_its_age_and_the_remedy() -> None:
    stuck = {"backup_id": "b1", "status": "backuping", "remark": None, "created_at": "2026-05-08T00:00:00Z"}
    seen = backup([stuck], True).observe()
    assert seen.blocked is not None and seen.blocked.startswith(
        "backup b1 has been backuping for 20 days 21 h, although"
    )
    assert decide(backup([{**stuck, "remark": MARK}], True).observe()) == "refuse", "not adopted"
    assert decide(backup([stuck], True, ignore_stuck=True).observe()) == "send"
    young = {**stuck, "backup_id": "b2", "created_at": "2026-05-28T20:00:00Z"}
    both = backup([young, stuck], True).observe()
    assert both.blocked is not None and both.blocked.startswith("backup b2 has been")
    assert (seen.stuck, both.stuck) == (True, False), "the one that runs ends by itself"


def backup(records: list[dict[str, Any]], repeatable: bool, ignore_stuck: bool = False) -> DcsBackup:
    dcs: Any = FakeDcs(records, instance())
    return DcsBackup(
        "Backup", dcs, instance(), MARK, "remark", ignore_stuck, repeatable, backup_format=None, attached=None
    )


def test_two_observations_agree_only_on_the_same_evidence() -> None:
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
        (False, [{"backup_id": "b1", "status": "expired", "remark": MARK}], "send"),  # it is there no longer
        (False, [{"backup_id": "b1", "status": "success", "remark": MARK}], "unchanged"),
        (False, [{"backup_id": "b1", "status": "succeed", "remark": MARK, "created_at": "?"}], "unchanged"),
        (True, [{"backup_id": "b1", "status": "backuping", "remark": MARK}], "adopt"),
        (True, [{"backup_id": "b1", "status": "backuping", "remark": None}], "refuse"),
    ],
)
def test_dcs_backup(repeatable: bool, records: list[dict[str, Any]], step: str) -> None:
    made = [{"created_at": "2026-05-28T20:00:00.000Z", **row} for row in records]
    assert decide(backup(made, repeatable).observe()) == step


def test_a_repeatable_backup_takes_the_record_of_its_own_run_and_waits_for_another_run() -> None:
    """With two runs at once, the backup of the other run is new, too, and must not be taken for our own."""
    records = [
        {"backup_id": name, "status": "succeed", "remark": mark, "created_at": "2026-05-28T20:00:00.000Z"}
        for name, mark in (("other", marker_of_run(MARK, 0.5)), ("ours", marker_of_run(MARK, 0.25)))
    ]
    ours = replace(backup(records, repeatable=True), marker=marker_of_run(MARK, 0.25))
    assert ours.observe().own == {"ours"}
    records[0]["status"] = "backuping"
    assert ours.observe().running == ("other",)


def test_the_newest_backup_of_the_operation_is_the_one_that_was_made() -> None:
    made = [
        {
            "backup_id": f"b{day}",
            "status": "succeed",
            "remark": MARK,
            "created_at": f"2026-05-{day:02}T00:00:00Z",
        }
        for day in (3, 2)
    ]
    assert backup(made, repeatable=False).observe().done == "b3"


def test_what_is_in_the_way_of_a_backup() -> None:
    young = {"backup_id": "b2", "status": "backuping", "remark": None, "created_at": "2026-05-28T20:00:00Z"}
    own = backup([{**young, "remark": MARK}], True).observe()
    assert own.blocked is None, "what it attaches to is not in its way"
    two = backup([young, {**young, "backup_id": "b1"}], True).observe()
    assert (two.blocked or "").startswith("backup b2 has been backuping") and two.explained
    working: Any = FakeDcs([young], instance(task="BACKUPING"))
    assert replace(backup([], True), dcs=working).observe().explained, "the task is that of b2"
    for task, explained in (("RESTORING", False), (None, True)):
        now = instance("RESTORING" if task is None else "RUNNING", task)
        service: Any = FakeDcs([], now)
        seen = replace(backup([], True), dcs=service).observe()
        assert (seen.blocked is None, seen.explained) == (False, explained), (
            "its record may not be listed yet"
        )


def test_what_one_more_backup_may_replace() -> None:
    made = [
        {
            "backup_id": f"b{day}",
            "status": "succeed",
            "backup_type": "manual",
            "created_at": f"2026-05-{day:02}T00:00:00Z",
        }
        for day in range(24, 0, -1)
    ]
    others = [{**made[-1], "backup_type": "auto"}, {**made[-1], "status": "failed"}]
    assert replaced([*made[1:], *others]) == []
    assert replaced([*made, *others]) == ["b1"]
    undated = {**made[0], "created_at": "some day"}
    assert replaced([undated, *made[2:]]) == []
    assert replaced([undated, *made[1:]]) == ["b24", "b1"], "either may be the oldest"


def test_remarks() -> None:
    assert remark_with(None, MARK) == MARK
    assert remark_with("  CHG-1  ", MARK) == f"CHG-1 {MARK}"
    assert len(remark_with("x" * 94, MARK)) == 128
    with pytest.raises(InvalidArgument, match="remark has 95 characters; 94 fit"):
        remark_with("x" * 95, MARK)


# When has a restore ended?


@pytest.mark.parametrize(
    ("status", "now", "state"),
    [
        ("waiting", instance("RESTORING"), "running"),
        ("restoring", instance(), "running"),
        ("paused", instance(), "running"),
        ("SUCCEED", instance(), "succeeded"),
        ("success", instance(), "succeeded"),
        ("Completed", instance("RESTORING"), "running"),
        ("error", instance(), "failed"),
        ("succeed", instance("RESTORING"), "running"),
        ("succeed", instance(task="RESTORING"), "running"),
        ("succeed", instance("RESTARTING"), "running"),
        ("succeed", instance(), "succeeded"),
        ("succeed", instance("Running"), "succeeded"),
        ("succeed", instance("ERROR"), "failed"),
        ("succeed", instance("Error"), "failed"),
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


def test_a_wait_for_the_instance_says_so() -> None:
    dcs: Any = FakeDcs([record(1, "succeed")], instance("RESTARTING"))
    assert watch_restore(dcs, "i", "r1").observe().reason == "the instance is RESTARTING, not RUNNING"
    ddm: Any = FakeDdm(jobs=[job(1, "Completed")], status="RESTORE")
    assert watch_job(ddm, "j1", "t").observe().reason == "the instance is RESTORE, not RUNNING"


def test_a_record_that_is_not_in_the_list() -> None:
    dcs: Any = FakeDcs([record(1, "succeed")], instance())
    with pytest.raises(NotFound, match="r2 is not among the records of i"):
        watch_restore(dcs, "i", "r2").observe()


# DDM


def job(
    number: int, status: str, instance_id: str | None = "t", name: str = "RestoreInstance"
) -> dict[str, Any]:
    return {
        "id": f"j{number}",
        "name": name,
        "status": status,
        "instance_id": instance_id,
        "process": "",
        "fail_reason": None,
        "created_time": f"2026-05-{number:02}T00:00:00+0000",
        "end_time": None,
        "instance_name": None,
    }


class FakeDdm:
    redactor = Redactor()
    warn = mock.Mock()

    def __init__(
        self,
        available: bool = True,
        jobs: list[dict[str, Any]] | None = None,
        status: str = "RUNNING",
        detail: bool = True,
        others: str = "RUNNING",
    ) -> None:
        self.available, self.list, self.status, self.detail = available, jobs or [], status, detail
        self.others = others  # status of the other instance that the source can be restored to
        self.asked: list[tuple[int, int]] = []

    def now(self) -> int:
        return NOW_MS

    def restorable_instances(self, source: str, wanted: str) -> list[dict[str, Any]]:
        return [
            {
                "instance_id": "t",
                "status": self.status,
                "available": self.available,
                "unavailable_reason": None if self.available else "It is busy.",
            },
            {"instance_id": "o", "status": self.others, "available": True, "unavailable_reason": None},
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


EPOCH_OF_MAY = 1_777_593_600_000  # 2026-05-01T00:00:00Z, ms


def recovery(ddm: FakeDdm) -> DdmRecovery:
    service: Any = ddm
    return DdmRecovery("Recovery of DDM instance s to t", Pair(service, "s", "t"), 1)


def refusal(operation: DdmRecovery) -> CloudError:
    observed = operation.observe()
    assert observed.blocked
    return operation.refusal(observed)


def test_a_target_that_is_called_available_while_it_is_restored_is_refused() -> None:
    error = refusal(recovery(FakeDdm(status="RESTORING")))
    assert isinstance(error, Busy)
    assert "it is being restored, but no restore job on it can be seen yet" in str(error)


def test_an_available_target() -> None:
    seen = recovery(
        FakeDdm(
            jobs=[
                job(1, "Completed"),
                job(2, "Completed", "s"),
                job(3, "Running", "x"),
                job(4, "Running", "t", "RestartInstance"),
                job(5, "RollbackSuccess"),
            ]
        )
    ).observe()
    assert decide(seen) == "send"
    assert seen.records.keys() == {"j1", "j2", "j3", "j4", "j5"}, "none of them can be what is started now"
    assert seen.own == {"j1", "j5"}, "a job of the source alone may be for another target"
    assert seen.possible == {"j2"}, "a job on another pair is neither"


@pytest.mark.parametrize("of_kind", [is_restore, is_metadata])
def test_a_list_that_leaves_out_a_job_of_unknown_kind_is_not_believed(
    of_kind: Callable[[dict[str, Any]], bool],
) -> None:
    """Otherwise it would be new after the request, and taken for the operation while the target restores."""
    whole, lacking = (
        Pair(cast(Any, FakeDdm(jobs=jobs)), "s", "t", of_kind).observe().state
        for jobs in ([job(28, "Completed", name="Sync")], [])
    )
    assert whole != lacking


@pytest.mark.parametrize(
    ("name", "free"), [("refreshSchema", True), ("RestoreInstance", False), ("MetadataRecovery", False)]
)
def test_a_job_of_unknown_kind_does_not_hold_a_target_that_the_cloud_calls_available(
    name: str, free: bool
) -> None:
    """The name of a metadata recovery is undocumented, so such a job may be one or anything else."""
    service: Any = FakeDdm(jobs=[job(28, "Running", name=name)])
    seen = Pair(service, "s", "t", is_metadata).observe()
    assert (seen.blocked is None) is free


def test_a_job_that_names_the_target_in_capitals_is_one_on_it() -> None:
    assert decide(recovery(FakeDdm(jobs=[job(29, "Running", "T")])).observe()) == "refuse"


def test_a_target_that_is_not_available_is_refused_and_its_job_named() -> None:
    operation = recovery(FakeDdm(False, [job(28, "Running"), job(1, "Completed")]))
    seen = operation.observe()
    assert decide(seen) == "refuse" and not seen.explained
    assert seen.own == seen.records.keys() == {"j1", "j28"}
    attach = "RestoreInstance job j28 on it is Running, 20 h 27 min old, job_id=j28 attaches to it"
    with pytest.raises(Busy, match=rf"not available \(It is busy.\); {attach}") as caught:
        raise refusal(operation)
    assert caught.value.details()["job_id"] == "j28"
    with pytest.raises(NotRestorable, match=r"not available \(It is busy.\)"):
        raise refusal(recovery(FakeDdm(False)))


def test_a_target_that_only_the_cloud_calls_busy_is_busy() -> None:
    """Its refusal is all that shows the other operation, so it must not read as a fault of the target."""
    operation = recovery(FakeDdm())
    error = operation.refusal(operation.observe(), api_error(409, "DBS.200019", message="It is busy."))
    assert isinstance(error, Busy) and error.facts["error_code"] == "DBS.200019"
    assert str(error) == (
        f"{operation.name} was not started: the cloud reports another operation. The cloud's response: It is "
        "busy. Run the task again when that has ended. Nothing was started."
    )


LATE = (
    "Run the task again in a few minutes, "
    "with adopt=true if an earlier run of this recovery may have started it."
)
THERE = (
    "If an earlier run of this recovery started it, attach to it: "
    "run the task again with job_id or with adopt=true."
)


@pytest.mark.parametrize(
    ("jobs", "status", "words", "job_id"),
    [
        ([], "RESTORE", "it is being restored, but no restore job on it can be seen yet", None),
        ([], "restoring\n", "it is being restored, but no restore job on it can be seen yet", None),
        (
            [job(1, "Failed")],
            "RESTORE",
            "it is being restored, but no restore job on it can be seen yet",
            None,
        ),
        (
            [job(28, "Running", "s")],
            "RESTORE",
            "it is being restored, but no restore job on it can be seen yet",
            None,
        ),
        (
            [job(28, "Completed")],
            "RESTORE",
            "RestoreInstance job j28 on it is Completed, 20 h 27 min old, job_id=j28 only reports its end",
            "j28",
        ),
        *(
            (
                [job(1, status), job(2, status)],
                "RESTORE",
                "it is being restored, but no restore job on it can be seen yet",
                None,
            )
            for status in ("Completed", "Running")  # Both are weeks old, so neither restores it now.
        ),
        (
            [job(28, "Pending")],
            "RUNNING",
            "RestoreInstance job j28 on it is Pending, 20 h 27 min old, job_id=j28 attaches to it",
            "j28",
        ),
        (
            [{**job(28, "Running", name="restoreNewInstance"), "created_time": "?"}],
            "RUNNING",
            "restoreNewInstance job j28 on it is Running, job_id=j28 attaches to it",
            "j28",
        ),
    ],
)
def test_a_target_that_is_being_restored_is_busy_whether_its_job_shows_or_not(
    jobs: list[dict[str, Any]], status: str, words: str, job_id: str | None
) -> None:
    """A playbook that retries while the target is busy must not give up if the job is listed late."""
    operation = recovery(FakeDdm(False, jobs, status))
    with pytest.raises(Busy) as caught:
        raise refusal(operation)
    text = f"{operation.name} was not started: the target is not available (It is busy.); {words}."
    assert str(caught.value) == f"{text} {THERE if job_id else LATE} Nothing was started."
    assert caught.value.details() == {
        "error_kind": "busy",
        "changed": False,
        **({"job_id": job_id} if job_id else {}),
    }


@pytest.mark.parametrize(
    ("jobs", "status", "job_id"),
    [
        ([job(1, "Completed")], "normal", "j1"),
        ([job(1, "Failed")], "normal", None),
        ([job(1, "Running")], "normal", None),  # stuck for weeks: nothing to wait for
        ([], "FROZEN", None),
    ],
)
def test_an_unavailable_target_that_is_not_being_restored_is_not_restorable(
    jobs: list[dict[str, Any]], status: str, job_id: str | None
) -> None:
    with pytest.raises(NotRestorable) as caught:
        raise refusal(recovery(FakeDdm(False, jobs, status)))
    assert caught.value.details().get("job_id") == job_id
    assert "it is being restored" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("RestoreInstance", True),
        ("RestoreNewInstance", True),
        ("restore_instance", True),
        ("RestartInstance", False),
        ("CreateInstance", False),
        (None, False),
    ],
)
def test_restore_jobs_are_found_by_the_stem_of_their_name(name: str, counts: bool) -> None:
    seen = recovery(FakeDdm(jobs=[job(1, "Completed", name=name)])).observe()
    assert bool(seen.own) is counts


@pytest.mark.parametrize(
    ("changes", "target", "likely", "named"),
    [
        ({}, "RESTORE", True, True),
        ({"name": None}, "RESTORE", True, True),
        ({}, "RUNNING", False, False),
        ({}, "GROWING", False, False),  # somebody else's work, to which nobody gave a documented name
        ({"status": "Completed"}, "RUNNING", False, True),  # a refusal says its age
        ({"status": "Completed", "name": "EnlargeNode"}, "RUNNING", False, False),
        ({"name": "loadMetadata"}, "RESTORE", False, False),
        ({"name": "EnlargeNode"}, "RESTORE", False, False),
        ({"instance_id": "s"}, "RESTORE", False, False),
        ({"instance_id": None}, "RESTORE", False, False),
        ({"created_time": None}, "RESTORE", True, True),
    ],
)
def test_a_job_of_unknown_kind_is_likely_to_be_the_restore_while_its_target_is_restored(
    changes: dict[str, Any], target: str, likely: bool, named: bool
) -> None:
    """A restore is known by its name, else by its target, which no other work shows as being restored."""
    jobs = [{**job(28, "Running", name="Whatever"), **changes}]
    seen = recovery(FakeDdm(False, jobs, target)).observe()
    assert (seen.likely, seen.own) == (frozenset({"j28"}) if likely else frozenset(), frozenset())
    assert (seen.job is not None) is named and "j28" in seen.created


def beside(name: str, status: str) -> dict[str, Any]:
    return {**job(28, status, name=name), "id": name}


@pytest.mark.parametrize(
    ("jobs", "named"),
    [
        # Other work with an unknown name, which the cloud does beside a restore or did before it
        ([beside("Sync", "Running"), beside("RestoreInstance", "Running")], "RestoreInstance"),
        ([beside("Sync", "Completed"), beside("RestoreInstance", "Completed")], "RestoreInstance"),
        ([beside("Sync", "Completed"), beside("Pitr", "Running")], "Pitr"),
        ([beside("Pitr", "Running"), beside("RestoreInstance", "Completed")], "Pitr"),
        ([beside("Sync", "Completed")], None),
        ([beside("Sync", "Failed")], None),
    ],
)
def test_a_refusal_and_adopt_mean_the_same_job_on_a_target_that_is_being_restored(
    jobs: list[dict[str, Any]], named: str | None
) -> None:
    """A task that waits for the wrong job would be green after a failed restore."""
    restoring: Any = FakeDdm(False, jobs, "RESTORE")
    assert refusal(recovery(restoring)).details().get("job_id") == named
    if named is None:
        with pytest.raises(Busy, match="no restore job on it can be seen yet"):
            newest_job(restoring, "t", is_restore)
    else:
        assert newest_job(restoring, "t", is_restore)["id"] == named


@pytest.mark.parametrize(
    ("status", "target"), [("Running", "RESTORE"), ("Running", "RUNNING"), ("Completed", "RUNNING")]
)
def test_the_job_of_a_metadata_recovery_may_have_a_name_that_restores_no_data(
    status: str, target: str
) -> None:
    """loadMetadata is other work for a recovery of data. A recovery of metadata may be called so."""
    service: Any = FakeDdm(False, [job(28, status, name="loadMetadata")], target)
    seen = Pair(service, "s", "t", is_metadata).observe()
    assert seen.job and seen.job["id"] == newest_job(service, "t", is_metadata)["id"] == "j28"
    assert Pair(service, "s", "t").observe().job is None


@pytest.mark.parametrize(
    ("changes", "unclear"), [({}, True), ({"name": "EnlargeNode"}, False), ({"instance_id": "s"}, False)]
)
def test_a_job_of_unknown_kind_on_the_target_may_be_the_restore_when_that_has_ended(
    changes: dict[str, Any], unclear: bool
) -> None:
    jobs = [{**job(28, "Failed", name="Whatever"), **changes}]
    seen = recovery(FakeDdm(jobs=jobs)).observe()
    assert (seen.blocked, seen.likely, bool(seen.unclear)) == (None, frozenset(), unclear)


def test_a_recovery_whose_parameters_are_refused_names_its_source_once() -> None:
    operation = recovery(FakeDdm())
    refused = api_error(400, "DBS.280001")
    other = operation.amended(refused)
    assert isinstance(other, DdmRecovery)
    assert other == replace(operation, with_source=True)
    assert other.amended(refused) is None
    for status, code in ((400, "DBS.300372"), (500, "DBS.280001"), (409, "DBS.200019")):
        assert operation.amended(api_error(status, code)) is None
    assert operation.amended(CloudError("refused")) is None


@pytest.mark.parametrize(
    ("changes", "point", "match"),
    [
        ({}, None, None),
        ({}, EPOCH_OF_MAY, None),
        ({"name": "RestoreNewInstance"}, None, None),
        ({"name": "Whatever"}, None, None),  # the user's word
        ({"name": None}, None, None),
        ({"name": "RestartInstance"}, None, "is a RestartInstance, which is not a restore"),
        ({"name": "createinstance"}, None, "is a createinstance, which is not a restore"),
        ({"instance_id": "s"}, None, None),  # a job may name its source
        ({"instance_id": None}, None, None),
        ({"instance_id": "x"}, None, "works on instance x, not on t"),
        (
            {},
            EPOCH_OF_MAY + 86_400_000,
            "before restore_time 2026-05-02T00:00:00.000Z, so it cannot restore that time",
        ),
        ({"created_time": None}, EPOCH_OF_MAY + 86_400_000, None),
    ],
)
def test_what_can_be_checked_of_a_job_is_checked(
    changes: dict[str, Any], point: int | None, match: str | None
) -> None:
    given = {**job(1, "Running"), **changes}
    if match is None:
        check_job(given, Named("s", "t", {}), point, is_restore)
        return
    with pytest.raises(NotRestorable, match=match) as caught:
        check_job(given, Named("s", "t", {}), point, is_restore)
    assert caught.value.facts["job_id"] == "j1"


def test_a_task_attaches_to_the_name_of_a_job_that_it_takes_for_its_own() -> None:
    """The API documents no name for a recovery of metadata, and loadMetadata for nothing in particular."""
    given = job(1, "Running", name="loadMetadata")
    check_job(given, Named("s", "t", {}), None, is_metadata)
    with pytest.raises(NotRestorable, match="is a loadMetadata, which is not a restore"):
        check_job(given, Named("s", "t", {}), None, is_restore)


def test_the_newest_restore_job_on_the_target_is_adopted() -> None:
    jobs = [
        job(28, "Running", "s"),
        job(28, "Running", name="RestartInstance"),
        {**job(28, "Failed"), "id": "failed"},
        job(27, "Completed"),
    ]
    service: Any = FakeDdm(jobs=jobs)
    assert newest_job(service, "t", is_restore)["id"] == "failed"
    with pytest.raises(NotFound, match="x has had no restore job in the last 29 days"):
        newest_job(service, "x", is_restore)


def test_the_newest_job_that_may_be_a_recovery_of_metadata_is_adopted() -> None:
    """While the target is restored, one that runs with a name that says so comes first."""
    jobs = [job(28, "Running", name=name) for name in ("EnlargeNode", "Sync", "RestoreMetaData")]
    for number, one in enumerate(jobs):
        one["id"] = f"j{number}"
    for status, found in (("GROWING", "j1"), ("RESTORE", "j2")):
        service: Any = FakeDdm(jobs=jobs, status=status)
        assert newest_job(service, "t", is_metadata, may_be_metadata)["id"] == found


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_a_job_that_ended_long_ago_is_not_adopted(status: str) -> None:
    """The request of the earlier run was never carried out: the task would be green with nothing restored."""
    past: Any = FakeDdm(jobs=[job(1, status)])
    with pytest.raises(
        NotFound, match=f"newest one, j1, ended more than a day ago .{status}.. Leave adopt out"
    ):
        newest_job(past, "t", is_restore)
    long: Any = FakeDdm(jobs=[{**job(1, status), "end_time": job(28, status)["created_time"]}])
    assert newest_job(long, "t", is_restore)["id"] == "j1", "a restore of days has just ended"


def test_a_job_that_is_plainly_stuck_is_not_adopted() -> None:
    service: Any = FakeDdm(jobs=[job(1, "Running")])
    with pytest.raises(
        NotRestorable,
        match=r"j1, has been Running for 27 days 21 h, although .* stuck, so the task does not attach",
    ):
        newest_job(service, "t", is_restore)
    held: Any = FakeDdm(jobs=[job(1, "Running")], status="FROZEN")
    assert newest_job(held, "t", is_restore)["id"] == "j1", "it may go on when its target serves again"


@pytest.mark.parametrize("status", ["Running", "Completed", "Failed"])
def test_a_job_of_last_week_is_not_what_restores_the_target_now(status: str) -> None:
    """The job that restores it is not listed yet. The old one must not be reported as this task's."""
    restoring: Any = FakeDdm(jobs=[job(1, status)], status="RESTORE")
    with pytest.raises(Busy, match="t is being restored, but no restore job on it can be seen yet"):
        newest_job(restoring, "t", is_restore)
    with pytest.raises(Busy, match=r"can be seen yet. Run the task again in a few minutes"):
        newest_job(restoring, "t", lambda job: False)
    recent: Any = FakeDdm(jobs=[job(28, status), job(1, "Completed")], status="RESTORE")
    assert newest_job(recent, "t", is_restore)["id"] == "j28"


@pytest.mark.parametrize("status", ["Running", "Completed", "Failed"])
@pytest.mark.parametrize("target", ["RESTORE", "GROWING", "RUNNING"])
@pytest.mark.parametrize("other", ["RESTORE", "RUNNING"])
@pytest.mark.parametrize("named", ["s", None])
def test_a_job_that_does_not_name_its_target_may_be_for_another_one(
    status: str, target: str, other: str, named: str | None
) -> None:
    """The statuses of job and targets prove nothing, because each can be old."""
    jobs = [job(28, status, instance_id=named)]
    seen = recovery(FakeDdm(target == "RUNNING", jobs, target, others=other)).observe()
    assert (seen.own, seen.possible) == (frozenset(), frozenset({"j28"}))


def test_a_result_without_an_id_has_what_the_request_named() -> None:
    cache = restore([], RUNNING)
    assert cache.about == {"instance_id": "i", "marker": MARK, "backup_id": "b"}
    again = "run the same task with backup_id=b, in place of restore_point or backup_name, again in 5 minutes"
    assert again in cache.resume, "latest may be another backup by then, and an option beside it is refused"
    database = recovery(FakeDdm())
    assert database.about == {"instance_id": "s", "target_instance_id": "t", "restore_time": 1}
    for point in ({"restore_time": 1}, {"backup_id": "b"}):
        metadata = DdmMetadata("", database.pair, point, ("n",))
        assert metadata.about == {"instance_id": "s", "target_instance_id": "t", **point}


def test_an_instance_that_is_not_a_possible_target() -> None:
    service: Any = FakeDdm()
    with pytest.raises(NotRestorable, match="x is not among the instances that s can be restored to"):
        Pair(service, "s", "x").observe()


def test_a_target_in_capitals_is_the_one_of_the_list() -> None:
    service: Any = FakeDdm()
    assert Pair(service, "s", "T").observe().target["instance_id"] == "t"
    with pytest.raises(NotRestorable, match="X is not among the instances"):
        Pair(service, "s", "X").observe()


def test_jobs_are_listed_from_29_days_ago_to_tomorrow() -> None:
    ddm = FakeDdm()
    service: Any = ddm
    recent_jobs(service)
    assert ddm.asked == [(NOW_MS - 29 * 86_400_000, NOW_MS + 86_400_000)]


@pytest.mark.parametrize(
    ("status", "target", "state"),
    [
        ("Running", "RESTORE", "running"),
        ("Pending", "RUNNING", "running"),
        ("Completed", "RESTORE", "running"),
        ("Completed", "RUNNING", "succeeded"),
        ("Completed", "normal", "succeeded"),
        ("Completed", "NORMAL", "succeeded"),
        ("Completed", "Running", "succeeded"),
        ("Completed", "Error", "failed"),
        ("Completed", "ERROR", "failed"),
        ("Failed", "RUNNING", "failed"),
        ("Rollbacking", "RUNNING", "running"),
        ("RollbackSuccess", "RUNNING", "failed"),
        ("CancelSuccess", "RUNNING", "failed"),
    ],
)
@pytest.mark.parametrize("detail", [True, False])
def test_the_end_of_a_ddm_job(status: str, target: str, state: str, detail: bool) -> None:
    rows = [{**job(1, status), "fail_reason": "The node is \x1b[2J gone." if status == "Failed" else None}]
    service: Any = FakeDdm(jobs=rows, status=target, detail=detail)
    seen = watch_job(service, "j1", "t").observe()
    assert (seen.state, seen.status) == (state, status)
    assert ("\\x1b[2J" in (seen.reason or "")) is (status == "Failed")


def test_a_wait_reports_the_target_that_it_knows() -> None:
    service: Any = FakeDdm()
    assert watch_job(service, "j1", "t").ids == {"job_id": "j1", "instance_id": "t"}
    assert watch_job(service, "j1", None).ids == {"job_id": "j1"}


def test_a_job_that_is_nowhere() -> None:
    service: Any = FakeDdm()
    with pytest.raises(NotFound):
        watch_job(service, "j1", None).observe()
