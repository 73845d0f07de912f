# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules return what they document, check mode predicts the run, and a second run changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import invoke
from tests.cases import CASES, CHANGES, READS, RECOVERY, RELATIONS, RESTORE
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.contract import documents
from tests.unit.fakes import Time


def title(value: Any) -> str:
    return value if isinstance(value, str) else "-".join(value) or "all"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Simulator, Time]]:
    time = Time()
    with Simulator(restore_seconds=300, backup_seconds=300, clock=time.clock.now) as sim:
        yield sim, time


@pytest.fixture
def sim(server: tuple[Simulator, Time]) -> Iterator[Simulator]:
    sim, time = server
    time.passed = 0.0
    sim.settings.empty_style, sim.settings.null_style = "204", "braces"
    sim.reset()
    yield sim
    assert sim.errors == []


@pytest.fixture
def run(sim: Simulator, server: tuple[Simulator, Time]) -> Any:
    """Run a module and hold its result against its RETURN block."""

    def run(name: str, /, check: bool = False, **params: Any) -> invoke.Result:
        result = invoke.module(name, sim.env, check=check, diff=True, clock=server[1].clock, **params)
        assert_documented(name, result)
        return result

    return run


def assert_documented(name: str, result: invoke.Result) -> None:
    """Every returned key is documented with its type at any depth, and every "always" key is there."""
    assert documents.differences(name, result) == []


# Reading


@pytest.mark.parametrize(("name", "params"), READS, ids=title)
@pytest.mark.parametrize(("empty", "null"), [("204", "braces"), ("200", "null")])
def test_reading_changes_nothing(
    sim: Simulator, run: Any, name: str, params: dict[str, Any], empty: str, null: str
) -> None:
    sim.settings.empty_style, sim.settings.null_style = empty, null
    sim.reset()
    result = run(name, **params)
    assert result["failed"] is False, result["msg"]
    assert result["changed"] is False
    assert "diff" not in result
    assert sim.posts() == []
    dry = run(name, check=True, **params)
    assert {**dry, "invocation": None} == {**result, "invocation": None}


def test_reading_finds_what_is_there(run: Any) -> None:
    """With empty lists, the tests of the RETURN blocks would prove little."""
    found = {
        name: run(name, **params)
        for name, params in READS
        if params in ({}, {"instance_id": names.DCS_INSTANCE})
    }
    assert len(found["dcs_instance_info"]["instances"]) == 7, "one whose creation failed, too"
    assert len(found["dcs_backup_info"]["backups"]) == 6
    assert [row["restore_id"] for row in found["dcs_restore_info"]["restores"]] == [
        names.DCS_RESTORE_SAME,
        names.DCS_RESTORE_FAILED,
        names.DCS_RESTORE_OLD,
    ]
    assert len(found["ddm_instance_info"]["instances"]) == 6
    assert len(found["ddm_backup_info"]["backups"]) == 14
    assert {row["id"] for row in found["ddm_job_info"]["jobs"]} == {
        names.DDM_JOB_OLD,
        names.DDM_JOB_FAILED,
        names.DDM_JOB_DONE,
        names.DDM_JOB_STUCK,
        names.DDM_JOB_CANCELLED,
        names.DDM_JOB_ROLLED_BACK,
        names.DDM_JOB_SWITCHING,
    }
    detail = run("ddm_backup_info", instance_id=names.DDM_SOURCE, backup_id=names.DDM_BACKUP)["backups"]
    assert [node["instance_id"] for node in detail[0]["related_data_nodes"]] == [
        names.DN_SOURCE_1,
        names.DN_SOURCE_2,
    ]
    assert run("ddm_job_info", job_id=names.DDM_JOB_FAILED)["jobs"][0]["fail_reason"] == names.DDM_FAIL_REASON
    mapped = run(
        "ddm_restorable_info",
        instance_id=names.DDM_SOURCE,
        restore_time="latest",
        target_instance_id=names.DDM_TARGET,
    )
    assert mapped["data_node_relations"] == RELATIONS


@pytest.mark.parametrize(
    ("name", "wanted"), [("dcs_instance_info", names.DCS_SINGLE), ("ddm_instance_info", names.DDM_SOURCE)]
)
def test_one_instance_is_a_list_of_one_or_none(run: Any, name: str, wanted: str) -> None:
    found = run(name, instance_id=wanted)["instances"]
    assert [row.get("instance_id", row.get("id")) for row in found] == [wanted]
    assert run(name, instance_id=wanted, name=found[0]["name"])["instances"] == found
    assert run(name, instance_id=wanted, name="another")["instances"] == []
    assert run(name, instance_id="00000000-0000-4000-8000-000000000000")["instances"] == []


# Changing


@pytest.mark.parametrize("service", ["dcs", "ddm"])
def test_an_odd_instance_that_could_be_the_wanted_one_is_not_absent(
    sim: Simulator, run: Any, service: str
) -> None:
    """An empty list would say that there is none of this name."""
    key = "instance_id" if service == "dcs" else "id"
    name = next(iter(getattr(sim.state, f"{service}_instances").values())).name
    sim.fault("rewrite", f"{service}.instances", times=None, key=key, value="a b", newest=True)
    result = run(f"{service}_instance_info", name=name)
    assert (result["failed"], result.get("error_kind")) == (True, "protocol_error")


@pytest.mark.parametrize(("name", "params"), CHANGES, ids=title)
def test_check_mode_predicts_the_run(sim: Simulator, run: Any, name: str, params: dict[str, Any]) -> None:
    id_name, record = CASES[name].key, CASES[name].record
    dry = run(name, check=True, **params)
    assert (dry["failed"], dry["changed"], dry[id_name], dry[record], dry["adopted"]) == (
        False,
        True,
        None,
        None,
        False,
    )
    assert sim.posts() == []

    real = run(name, **params)
    assert (real["failed"], real["changed"], real["adopted"]) == (False, True, False)
    assert real["diff"] == dry["diff"]
    before, after = real["diff"]["before"], real["diff"]["after"]
    assert before != after and before["name"] == after["name"], "what is overwritten is shown by its name"
    assert dry["outcome"] == "planned"
    assert real["outcome"] == ("succeeded" if params.get("wait", True) else "started")
    assert len(sim.posts()) == 1
    made = sim.state.find(real[id_name])
    assert before["name"] == sim.state.find(made.held).name
    assert made is not None
    assert set(dry) - set(real) == {"account"}
    apart = (id_name, record, "invocation", "outcome", "account")
    said = {key: value for key, value in real.items() if key not in apart}
    assert said == {key: value for key, value in dry.items() if key not in apart}
    if params.get("wait", True):
        assert real[record]["status"] == made.status
        assert made.status in ("succeed", "Completed")
    else:
        assert real[record] is None


@pytest.mark.parametrize(
    ("name", "params"),
    [change for change in CHANGES if change[0] == "dcs_restore" or "operation_id" in change[1]],
    ids=title,
)
def test_the_same_again_changes_nothing(sim: Simulator, run: Any, name: str, params: dict[str, Any]) -> None:
    id_name, record = CASES[name].key, CASES[name].record
    first = run(name, **{**params, "wait": True})
    for check in (True, False):
        again = run(name, check=check, **params)
        assert (again["failed"], again["changed"], again["outcome"], again["adopted"]) == (
            False,
            False,
            "unchanged",
            False,
        )
        assert again[id_name] == first[id_name] and again[record] == first[record]
        assert "diff" not in again
    assert len(sim.posts()) == 1


@pytest.mark.parametrize(
    ("name", "params"),
    [("dcs_restore", RESTORE), ("dcs_backup", {"instance_id": names.DCS_INSTANCE})],
    ids=title,
)
def test_what_runs_already_is_waited_for(sim: Simulator, run: Any, name: str, params: dict[str, Any]) -> None:
    id_name, record = CASES[name].key, CASES[name].record
    first = run(name, **params, wait=False)
    dry = run(name, check=True, **params)
    assert (dry["changed"], dry["adopted"], dry[id_name], dry["outcome"]) == (
        True,
        True,
        first[id_name],
        "planned",
    )
    real = run(name, **params)
    assert (real["changed"], real["adopted"], real[id_name], real["outcome"]) == (
        True,
        True,
        first[id_name],
        "succeeded",
    )
    assert real["diff"] == dry["diff"]
    assert real[record]["status"] == "succeed"
    assert len(sim.posts()) == 1


def test_a_run_without_a_region_recognises_the_restore(
    sim: Simulator, server: tuple[Simulator, Time], run: Any
) -> None:
    assert run("dcs_restore", **RESTORE)["outcome"] == "succeeded"
    again = invoke.module(
        "dcs_restore", {**sim.env, "HW_REGION_NAME": ""}, False, False, server[1].clock, **RESTORE
    )
    assert sim.env["HW_REGION_NAME"] and again["outcome"] == "unchanged"
    assert len(sim.posts()) == 1


def test_a_job_that_is_too_old_for_the_list(sim: Simulator, run: Any) -> None:
    with sim.state.lock:
        sim.state.jobs[names.DDM_JOB_OLD].created -= 24 * names.DAY
    (job,) = run("ddm_job_info", job_id=names.DDM_JOB_OLD)["jobs"]
    assert (job["id"], job["status"]) == (names.DDM_JOB_OLD, "Completed")
    assert run("ddm_job_info", job_id="5f2c1e8000000000000000000000ffff")["jobs"] == []


def test_attaching_to_a_job(sim: Simulator, run: Any) -> None:
    job_id = run("ddm_recovery", **RECOVERY, wait=False)["job_id"]
    dry = run("ddm_recovery", check=True, job_id=job_id)
    assert (dry["changed"], dry["adopted"], dry["job"]["status"]) == (True, True, "Running")
    left = run("ddm_recovery", job_id=job_id, wait=False)
    assert (left["outcome"], left["job"]["status"]) == ("started", "Running")
    real = run("ddm_recovery", job_id=job_id)
    assert (real["changed"], real["adopted"], real["outcome"], real["job"]["status"]) == (
        True,
        True,
        "succeeded",
        "Completed",
    )
    assert real["diff"] == dry["diff"]
    again = run("ddm_recovery", job_id=job_id)
    assert (again["changed"], again["outcome"]) == (False, "unchanged")
    assert len(sim.posts()) == 1


def test_waiting_for_many(sim: Simulator, run: Any) -> None:
    restores = [
        {"service": "ddm", "job_id": run("ddm_recovery", **RECOVERY, wait=False)["job_id"]},
        {
            "service": "dcs",
            "instance_id": names.DCS_INSTANCE,
            "restore_id": run("dcs_restore", **RESTORE, wait=False)["restore_id"],
        },
        {"service": "dcs", "instance_id": names.DCS_INSTANCE, "restore_id": names.DCS_RESTORE_OLD},
    ]
    dry = run("restore_wait", check=True, restores=restores)
    assert dry["failed"] is False
    real = run("restore_wait", restores=restores)
    assert real["failed"] is False, real["msg"]
    assert [(entry["service"], entry["outcome"]) for entry in real["restores"]] == [
        ("ddm", "succeeded"),
        ("dcs", "succeeded"),
        ("dcs", "succeeded"),
    ]
    assert [entry["job_id"] or entry["restore_id"] for entry in real["restores"]] == [
        restore.get("job_id") or restore["restore_id"] for restore in restores
    ]
    assert all(isinstance(entry["elapsed"], (int, float)) for entry in real["restores"])
    assert len(sim.posts()) == 2


STARTS: list[dict[str, Any]] = [
    {"service": "dcs", **RESTORE},
    {"service": "ddm", **RECOVERY},
    {"service": "dcs", "instance_id": names.DCS_OTHER, "restore_point": "latest"},
]


def test_starting_many(sim: Simulator, run: Any) -> None:
    dry = run("restore_start", check=True, restores=STARTS)
    assert (dry["failed"], dry["changed"], [row["outcome"] for row in dry["restores"]]) == (
        False,
        True,
        ["planned"] * 3,
    )
    assert sim.posts() == []
    real = run("restore_start", restores=STARTS)
    assert (real["failed"], real["changed"], real["diff"], len(real["diff"])) == (False, True, dry["diff"], 3)
    for row, plan in zip(real["restores"], dry["restores"], strict=True):
        made = sim.state.find(row["restore_id"] or row["job_id"])
        assert made is not None and made.status in ("waiting", "restoring", "Running")
        assert [step["step"] for step in row["steps"]] == ["plan", "restore"]
        ids = {"restore_id": None, "job_id": None}
        assert {**row, **ids, "outcome": "planned", "steps": row["steps"][:1]} == plan
    again = run(
        "restore_start",
        restores=[STARTS[0], {"service": "ddm", "job_id": real["restores"][1]["job_id"]}, STARTS[2]],
    )
    assert [(row["outcome"], row["adopted"], row["changed"]) for row in again["restores"]] == [
        ("started", True, True)
    ] * 3
    assert len(sim.posts()) == 3


def test_starting_many_what_is_there_already(sim: Simulator, run: Any) -> None:
    for row in (STARTS[0], STARTS[2]):
        assert (
            run("dcs_restore", **{name: value for name, value in row.items() if name != "service"})["outcome"]
            == "succeeded"
        )
    again = run("restore_start", restores=[STARTS[0], STARTS[2]])
    assert (again["changed"], again["diff"], [row["outcome"] for row in again["restores"]]) == (
        False,
        [],
        ["unchanged"] * 2,
    )
    assert (
        run("restore_start", restores=[]).items()
        >= {"failed": False, "changed": False, "restores": [], "diff": []}.items()
    )
    assert len(sim.posts()) == 2


def test_starting_many_reports_each_failure(sim: Simulator, run: Any) -> None:
    sim.fault(
        "refusal",
        "dcs.restore",
        on=names.DCS_OTHER,
        code="DCS.4107",
        message="The order of the instance is unpaid.",
    )
    for check in (True, False):
        result = run(
            "restore_start",
            check=check,
            restores=[
                *STARTS,
                {"service": "dcs", "instance_id": names.DCS_SINGLE, "restore_point": "latest"},
            ],
        )
        kinds = [row["error_kind"] for row in result["restores"]]
        assert kinds == [None, None, None if check else "rejected", "not_restorable"]
        assert (result["failed"], result["changed"], len(result["diff"])) == (True, True, 3 if check else 2)
        assert len(sim.posts()) == (0 if check else 3)


@pytest.mark.parametrize(
    ("name", "params", "operation"),
    [
        ("dcs_restore", RESTORE, "dcs.restore"),
        ("dcs_backup", {"instance_id": names.DCS_INSTANCE}, "dcs.backup"),
        ("ddm_recovery", RECOVERY, "ddm.recovery"),
    ],
    ids=title,
)
def test_failures_carry_the_id(
    sim: Simulator, run: Any, name: str, params: dict[str, Any], operation: str
) -> None:
    late = run(name, **params, wait_timeout=10)
    assert late["error_kind"] == "wait_timeout"
    sim.reset()
    sim.fault("operation_fails", operation)
    failed = run(name, **params)
    assert failed["error_kind"] == "operation_failed"
    for result in (late, failed):
        assert result["changed"] is True
        assert result[CASES[name].key] and result["status"] and result["elapsed"] > 0


def test_waiting_for_many_reports_each_failure(run: Any) -> None:
    job_id = run("ddm_recovery", **RECOVERY, wait=False)["job_id"]
    restores = [
        {"service": "ddm", "job_id": job_id},
        {"service": "dcs", "instance_id": names.DCS_INSTANCE, "restore_id": names.DCS_RESTORE_OLD},
    ]
    result = run("restore_wait", restores=restores, wait_timeout=5)
    assert result["error_kind"] == "wait_timeout"
    assert [entry["outcome"] for entry in result["restores"]] == [None, "succeeded"]
    assert result["restores"][0]["failed_step"] == "wait"


def test_a_marker_that_is_not_kept_is_reported(sim: Simulator, run: Any) -> None:
    for name, params in (("dcs_restore", RESTORE), ("dcs_backup", {"instance_id": names.DCS_INSTANCE})):
        sim.reset()
        sim.fault("remark", "dcs.restore" if name == "dcs_restore" else "dcs.backup", style="strip")
        result = run(name, **params)
        assert (result["failed"], result["outcome"], result["marker_echoed"]) == (False, "succeeded", False)
        assert any("did not keep the mark" in warning for warning in result["warnings"])


def test_a_marker_that_is_not_kept_is_reported_where_another_task_waits(sim: Simulator, run: Any) -> None:
    for style in ("strip", "cut", "upper"):
        sim.reset()
        sim.fault("remark", "dcs.restore", style=style)
        started = run("restore_start", restores=[{**STARTS[0], "remark": "m" * 60}])["restores"]
        waited = run("restore_wait", restores=started)
        assert waited["restores"][0]["outcome"] == "succeeded"
        assert any("did not keep the mark" in warning for warning in waited["warnings"]), style
    sim.reset()
    waited = run("restore_wait", restores=run("restore_start", restores=STARTS)["restores"])
    assert {row["outcome"] for row in waited["restores"]} == {"succeeded"} and waited["warnings"] == []
