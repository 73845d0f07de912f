# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: surveys blank and full, a workflow with approval, slices, a broken inventory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.awx import jobs
from tests.awx.conftest import Configured
from tests.cloud import Simulator
from tests.cloud import scenario as ids

Row = dict[str, Any]
CONFIRMED = {"confirm_overwrite": "overwrite"}
SECRETS = (ids.SECRET_KEY, ids.ACCESS_KEY, "Signature=")


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A cloud over TLS, so that the bundle of the credential is needed."""
    with Simulator("demo", tls="ca", restore_seconds=1, backup_seconds=1) as simulator:
        yield simulator
        assert simulator.errors == []


def sign_in(awx: Configured, sim: Simulator, **inputs: Any) -> None:
    """Fill in the credential: what belongs to this cloud, and the rest blank."""
    number = awx.controller.named("credentials", "Recovery account")["id"]
    kind = awx.controller.named("credential_types", "Huawei Cloud recovery")
    blank = {
        field["id"]: False if field.get("type") == "boolean" else "" for field in kind["inputs"]["fields"]
    }
    assert sim.ca_file
    awx.controller.secrets[number] = {
        **blank,
        "region": ids.REGION,
        "project_id": ids.PROJECT_ID,
        "access_key": ids.ACCESS_KEY,
        "secret_key": ids.SECRET_KEY,
        "ca_bundle": sim.ca_file.read_text(encoding="utf-8"),
        **{f"{service}_endpoint": sim.url for service in ("iam", "ddm", "dcs")},
        **inputs,
    }


def launch(awx: Configured, name: str, given: Row, folder: Path, **more: Any) -> jobs.Job:
    """Run a job; nothing that AWX keeps of it holds a secret."""
    job = jobs.launch(awx.controller, name, given, folder, **more)
    for secret in SECRETS:
        assert secret not in job.text + json.dumps(job.artifacts)
    return job


def blank(awx: Configured, name: str) -> Row:
    """Return a survey's blank texts without its choices, and with the answers that AWX demands."""
    spec = awx.controller.survey("job_templates", name)["spec"]
    texts = {one["variable"]: "" for one in spec if one["type"] in ("text", "textarea")}
    needed = {one["variable"]: "CHG-1" for one in spec if one.get("min")}
    return {
        **texts,
        **needed,
        **(CONFIRMED if any(one["variable"] == "confirm_overwrite" for one in spec) else {}),
    }


def test_full_answers_restore(awx: Configured, sim: Simulator, tmp_path: Path) -> None:
    """One name per line, a list as text, a duration, a choice. Braces in an answer stay plain text."""
    sign_in(awx, sim)
    given = {
        "restore_instances": "orders-cache\n",
        "restore_point": " latest ",
        "restore_dcs": "",
        "restore_ddm": json.dumps(
            [{"source_instance_name": "orders-db", "target_instance_name": "orders-db-restored"}]
        ),
        "restore_operation_id": "CHG-{{ 40 + 2 }}",
        "restore_timezone": "Asia/Singapore",
        "restore_max_gap": "26h",
        "restore_plan_digest": "",
        "restore_safety_backup": "false",
        "restore_rto_target": "30m",
        "restore_rpo_target": "26h",
        "restore_wait_timeout": "10m",
        **CONFIRMED,
    }
    job = launch(awx, "Recovery restore", given, tmp_path / "job")
    assert job.rc == 0, job.stdout
    report = job.artifacts["restore_reported"]
    assert (report["verdict"], report["operation_id"]) in (
        ("restored", "CHG-{{ 40 + 2 }}"),
        ("verified", "CHG-{{ 40 + 2 }}"),
    )
    assert job.artifacts["restore_reported_17"] == report
    assert {row["target"]["instance_name"] for row in report["restores"]} == {
        "orders-cache",
        "orders-db-restored",
    }
    assert len(sim.posts("dcs.restore")) == len(sim.posts("ddm.recovery")) == 1
    assert len(sim.posts("dcs.backup")) == 0
    assert "OVERWRITE" in job.stdout.upper()


@pytest.mark.parametrize(
    "name", ["Recovery restore", "Recovery drill", "Recovery readiness", "Recovery plan"]
)
def test_blank_answers_are_refused_in_one_sentence(
    awx: Configured, sim: Simulator, tmp_path: Path, name: str
) -> None:
    """With all fields blank the run has no targets. Its report says so, and has all of its keys."""
    sign_in(awx, sim)
    job = launch(awx, name, blank(awx, name), tmp_path / "job")
    assert job.rc == 2
    report = job.artifacts["restore_reported"]
    assert report["verdict"] == "refused"
    assert "There is nothing to restore" in report["msg"]
    assert sim.posts() == []


def test_awx_starts_nothing_unconfirmed(awx: Configured, tmp_path: Path) -> None:
    given = {**blank(awx, "Recovery restore"), "confirm_overwrite": ""}
    with pytest.raises(jobs.NotStarted, match="confirm_overwrite"):
        launch(awx, "Recovery restore", given, tmp_path / "job")


def test_a_plan_never_restores_however_it_is_launched(
    awx: Configured, sim: Simulator, tmp_path: Path
) -> None:
    sign_in(awx, sim)
    row = awx.controller.named("job_templates", "Recovery plan")
    row["job_type"] = "run"
    try:
        job = launch(
            awx,
            "Recovery plan",
            {"restore_instances": "orders-cache", "restore_point": "latest"},
            tmp_path / "job",
        )
    finally:
        row["job_type"] = "check"
    assert job.rc == 0, job.stdout
    assert sim.posts() == []
    assert (
        job.artifacts["restore_planned"]["digest"] == job.artifacts["restore_planned"]["plan"]["plan_digest"]
    )


def test_what_was_approved_is_what_is_restored(awx: Configured, sim: Simulator, tmp_path: Path) -> None:
    """The run ignores a backup made between plan and approval, although the answer is "latest"."""
    sign_in(awx, sim)
    answers = {
        "restore_instances": "orders-cache",
        "restore_point": "latest",
        "restore_operation_id": "1042",
        "restore_safety_backup": "false",
    }
    plan = launch(awx, "Recovery plan", {}, tmp_path / "plan", workflow=answers)
    assert plan.rc == 0, plan.stdout
    sim.state.dcs_backups["newer"] = sim.state.dcs_backups[ids.DCS_BACKUP].__class__(
        "8ba256cb-e5ac-44f6-a3da-c03d8f0e5999",
        ids.DCS_INSTANCE,
        sim.state.clock() - 60,
        sim.state.clock() - 50,
    )
    more: Row = {"workflow": answers, "artifacts": plan.artifacts}
    restore = launch(awx, "Recovery restore an approved plan", {}, tmp_path / "restore", **more)
    assert restore.rc == 0, restore.stdout
    assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == ids.DCS_BACKUP
    reported = {"workflow": answers, "artifacts": {**plan.artifacts, **restore.artifacts}}
    report = launch(awx, "Recovery report", {}, tmp_path / "report", **reported)
    assert report.rc == 0, report.stdout
    assert "orders-cache" in report.stdout and "1042" in report.stdout


def test_a_plan_that_no_longer_holds_is_refused(awx: Configured, sim: Simulator, tmp_path: Path) -> None:
    """The plan's backup is gone: nothing starts, the reason names it, and the workflow fails."""
    sign_in(awx, sim)
    answers = {
        "restore_instances": "orders-cache",
        "restore_point": "latest",
        "restore_operation_id": "CHG-1042",
    }
    plan = launch(awx, "Recovery plan", {}, tmp_path / "plan", workflow=answers)
    assert plan.rc == 0, plan.stdout
    sim.state.dcs_backups[ids.DCS_BACKUP].status = "deleted"
    more: Row = {"workflow": answers, "artifacts": plan.artifacts}
    restore = launch(awx, "Recovery restore an approved plan", {}, tmp_path / "restore", **more)
    assert restore.rc == 2
    assert restore.artifacts["restore_reported"]["verdict"] == "refused"
    assert "out of date" in restore.artifacts["restore_reported"]["msg"]
    assert sim.posts() == []
    reported = {"workflow": answers, "artifacts": {**plan.artifacts, **restore.artifacts}}
    assert launch(awx, "Recovery report", {}, tmp_path / "report", **reported).rc == 2
    # The pod of the restore died and left no report. The job must not take the report of the plan for it.
    died = launch(awx, "Recovery report", {}, tmp_path / "died", **more)
    assert died.rc == 2
    assert "has published no report" in died.stdout


def test_the_approved_plan_alone_restores_nothing(awx: Configured, sim: Simulator, tmp_path: Path) -> None:
    sign_in(awx, sim)
    job = launch(awx, "Recovery restore an approved plan", {}, tmp_path / "job")
    assert job.rc == 2
    assert "restore_plan" in job.artifacts["restore_reported"]["msg"]
    assert sim.posts() == []


def test_a_fleet_in_two_slices(awx: Configured, tmp_path: Path) -> None:
    """Hosts come from the inventory source. Each slice keeps its report under its own number."""
    with Simulator("fleet-4", tls="ca", restore_seconds=1) as sim:
        sign_in(awx, sim)
        rc, text, errors = jobs.inventory(awx.controller, "Recovery instances", tmp_path / "source")
        assert rc == 0, errors
        hosts = json.loads(text)["_meta"]["hostvars"]
        assert len(hosts) == 4
        assert not {"access_key", "secret_key"} & {key for row in hosts.values() for key in row}
        merged: Row = {}
        given = {**blank(awx, "Recovery fleet"), "fleet_serial": "50%"}
        for number in (1, 2):
            own = dict(list(hosts.items())[number - 1 :: 2])
            more: Row = {"hosts": own, "limit": "all", "number": number}
            job = launch(awx, "Recovery fleet", given, tmp_path / f"slice-{number}", **more)
            assert job.rc == 0, job.stdout
            merged.update(job.artifacts)
        for number in (1, 2):
            assert len(merged[f"restore_reported_{number}"]["restores"]) == 2
        assert len(sim.posts("dcs.restore")) == 4
        unlimited = launch(awx, "Recovery fleet", given, tmp_path / "all", hosts=hosts, number=3)
        assert unlimited.rc == 2
        assert len(sim.posts("dcs.restore")) == 4
        assert sim.errors == []


def test_an_inventory_that_cannot_be_read_fails_its_update(
    awx: Configured, sim: Simulator, tmp_path: Path
) -> None:
    sign_in(awx, sim, secret_key="wrong-key-that-is-long-enough")
    rc, text, errors = jobs.inventory(awx.controller, "Recovery instances", tmp_path / "source")
    assert rc != 0
    assert "wrong-key-that-is-long-enough" not in text + errors


def test_a_drill_a_readiness_check_and_an_undo(awx: Configured, sim: Simulator, tmp_path: Path) -> None:
    """With every survey question answered: what the jobs report, overwrite, and undo."""
    sign_in(awx, sim)
    targets: Row = {
        "restore_instances": "orders-cache\n",
        "restore_point": "latest",
        "restore_dcs": "",
        "restore_ddm": "",
        "restore_timezone": "Asia/Singapore",
        "restore_max_gap": "26h",
        "restore_rpo_target": "26h",
    }
    ready = launch(awx, "Recovery readiness", targets, tmp_path / "readiness")
    assert ready.rc == 0, ready.stdout
    assert sim.posts() == []
    measured = {
        "restore_operation_id": "drill-7",
        "drill_window_days": "7",
        "drill_seed": "42",
        "restore_rto_target": "30m",
        "restore_wait_timeout": "10m",
    }
    # The cache is not among this controller's scratch instances, so the drill must not overwrite it.
    refused = launch(awx, "Recovery drill", {**targets, **measured, **CONFIRMED}, tmp_path / "refused")
    assert refused.rc == 2
    assert sim.posts() == []
    template = awx.controller.named("job_templates", "Recovery drill")
    before = template["extra_vars"]
    template["extra_vars"] = json.dumps({**json.loads(before), "drill_scratch": ["orders-*"]})
    try:
        drill = launch(awx, "Recovery drill", {**targets, **measured, **CONFIRMED}, tmp_path / "drill")
    finally:
        template["extra_vars"] = before
    assert drill.rc == 0, drill.stdout
    assert len(sim.posts("dcs.restore")) == 1
    restored = {
        "restore_instances": "orders-cache",
        "restore_point": "latest",
        "restore_operation_id": "CHG-9",
    }
    restore = launch(awx, "Recovery restore", {**restored, **CONFIRMED}, tmp_path / "restore")
    assert restore.rc == 0, restore.stdout
    report = json.dumps(restore.artifacts["restore_reported"])
    back = {"restore_report": report, "restore_operation_id": "CHG-9-undo", "restore_wait_timeout": "10m"}
    undo = launch(awx, "Recovery undo", {**back, **CONFIRMED}, tmp_path / "undo")
    assert undo.rc == 0, undo.stdout
    safe = restore.artifacts["restore_reported"]["restores"][0]["safety_backup"]["backup_id"]
    assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == safe


def test_an_undo_without_a_report_is_not_started(awx: Configured, tmp_path: Path) -> None:
    with pytest.raises(jobs.NotStarted, match="restore_report"):
        launch(awx, "Recovery undo", {**CONFIRMED, "restore_report": ""}, tmp_path / "job")
