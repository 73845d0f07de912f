# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and its playbook, through ansible-playbook against the local cloud. Starting it is what takes time, so each run answers many questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import door
from tests.simulator import Simulator
from tests.simulator import scenario as ids

PLAYBOOK = "huaweicloud.recovery.restore"
Variables = dict[str, Any]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator
        assert simulator.errors == []


def run(sim: Simulator, variables: Variables, *args: str, playbook: str = PLAYBOOK) -> door.Completed:
    done = door.playbook(playbook, sim.env, "-e", json.dumps({"restore_poll_interval": 1, **variables}), *args)
    for secret in (ids.SECRET_KEY, "Signature="):
        assert secret not in done.output + json.dumps(done.results)
    return done


def task(done: door.Completed, name: str) -> Variables:
    """The result of a task of the role."""
    (found,) = done.of(f"huaweicloud.recovery.restore : {name}")
    return found


def lines(done: door.Completed, name: str) -> list[str]:
    """What a task that shows something has shown."""
    return list(task(done, name)["msg"])


def result(done: door.Completed) -> Variables:
    """`restore_result`, as the playbook around the role sees it."""
    return dict(task(done, "Hand the result to the playbook")["ansible_facts"]["restore_result"])


def targets(done: door.Completed) -> dict[str, Variables]:
    return {target["name"]: target for target in result(done)["targets"]}


def recap(done: door.Completed) -> dict[str, int]:
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", done.stdout.rpartition("PLAY RECAP")[2])}


def database(**options: Any) -> Variables:
    return {"name": "orders-db", "source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET, **options}


def cache(**options: Any) -> Variables:
    return {"name": "orders-cache", "instance_id": ids.DCS_INSTANCE, **options}


def fleet(**options: Any) -> Variables:
    return {
        "restore_ddm": [
            {"source_instance_id": ids.fleet_ddm_source(n), "target_instance_id": ids.fleet_ddm_target(n), "restore_time": "latest"} for n in range(2)
        ],
        "restore_dcs": [{"name": f"cache-{n}", "instance_id": ids.fleet_dcs_instance(n), "backup_id": ids.fleet_dcs_backup(n)} for n in range(3)],
        **options,
    }


def test_plan_restore_and_run_again(tmp_path: Path) -> None:
    with Simulator(scenario="fleet-3-2", restore_seconds=2) as sim:
        wanted = fleet(restore_operation_id="CHG-1042", restore_report_dir=str(tmp_path / "reports"))
        check_mode(sim, wanted, tmp_path / "reports")
        real_run(sim, wanted, tmp_path / "reports")
        second_run(sim, wanted)
        assert sim.errors == []


def check_mode(sim: Simulator, wanted: Variables, reports: Path) -> None:
    """Shows what would overwrite what, as plan and as diff, writes the plan, and sends nothing."""
    planned = run(sim, wanted, "--check", "--diff")
    assert planned.rc == 0, planned.output
    assert sim.posts() == []
    plan = "\n".join(lines(planned, "Show the plan"))
    assert plan.count("will be OVERWRITTEN with") == 5
    assert f"dcs cache-0 ({ids.fleet_dcs_instance(0)}) will be OVERWRITTEN with backup_" in plan
    assert f"({ids.fleet_dcs_backup(0)}, 100.00 MB, made " in plan
    assert "60 minutes old)" in plan
    assert re.search(rf"ddm {ids.fleet_ddm_target(1)} \(\S+\) will be OVERWRITTEN with {ids.fleet_ddm_source(1)} as of \S+Z \(5 minutes old\)", plan)
    assert plan.count("    data node ") == 2
    assert planned.stdout.count("+++ after") == 5
    assert recap(planned)["changed"] == 2
    (report,) = reports.glob("*.json")
    content = json.loads(report.read_text(encoding="utf-8"))
    assert (content["check_mode"], content["failed"], content["changed"]) == (True, False, True)
    assert {target["outcome"] for target in content["targets"]} == {"planned"}
    assert report.with_suffix(".md").read_text(encoding="utf-8").startswith("# Restore plan\n\n- Result: **planned, nothing was started**\n")
    for file in (report, report.with_suffix(".md")):
        file.unlink()


def real_run(sim: Simulator, wanted: Variables, reports: Path) -> None:
    """Starts everything, then waits for everything; what was shown is what was sent; the report says it all."""
    done = run(sim, wanted)
    assert done.rc == 0, done.output
    assert recap(done)["failed"] == 0
    assert (len(sim.posts("ddm.recovery")), len(sim.posts("dcs.restore"))) == (2, 3)
    last_start = max(entry.number for entry in sim.posts())
    assert last_start < min(entry.number for entry in sim.requests("ddm.job"))
    assert all(sim.state.dcs_instances[ids.fleet_dcs_instance(n)].restored_from == ids.fleet_dcs_backup(n) for n in range(3))
    assert all(sim.state.ddm_instances[ids.fleet_ddm_target(n)].restored_to for n in range(2))
    assert [line.partition(": ")[2].partition(",")[0] for line in lines(done, "Show what was started")] == ["started"] * 5

    outcome = result(done)
    assert (outcome["check_mode"], outcome["failed"], outcome["changed"]) == (False, False, True)
    for target in outcome["targets"]:
        assert (target["action"], target["outcome"], target["instance_status"], target["error_kind"]) == ("restore", "succeeded", "RUNNING", None)
        assert target["elapsed"] < 30
        assert target["started"] < target["finished"]
    pinned = {target["request"]["target_instance_id"]: target["request"]["restore_time"] for target in outcome["targets"] if target["service"] == "ddm"}
    assert pinned == {instance_id: sim.state.ddm_instances[instance_id].restored_to for instance_id in pinned}

    assert outcome["report_json"] == str(next(reports.glob("*.json")))
    assert json.loads(Path(outcome["report_json"]).read_text(encoding="utf-8")) == outcome
    markdown = Path(outcome["report_markdown"]).read_text(encoding="utf-8")
    assert markdown.startswith("# Restore report\n\n- Result: **succeeded**\n")
    for target in outcome["targets"]:
        assert f"\n## {target['name']}\n" in markdown
        assert f"| {target['restore_id'] or target['job_id']} |" in markdown


def second_run(sim: Simulator, wanted: Variables) -> None:
    """Leaves the caches as they are, and names the jobs of the databases, to which a third run attaches."""
    before = len(sim.posts())
    again = run(sim, wanted)
    assert again.rc == 2
    assert len(sim.posts()) == before
    assert recap(again)["changed"] == 0
    for name, target in targets(again).items():
        if target["service"] == "dcs":
            assert (target["action"], target["outcome"], target["changed"]) == ("nothing", "unchanged", False)
            assert (target["started"] < target["finished"], target["instance_status"]) == (True, "RUNNING")
        else:
            assert (target["outcome"], target["failed_step"], target["error_kind"]) == ("failed", "plan", "not_restorable")
            assert target["job_id"] in target["msg"]
            assert f"ddm {name} ({name}) cannot be restored, not_restorable: " in "\n".join(lines(again, "Show the plan"))

    jobs = {target["instance_id"]: target["job_id"] for target in targets(again).values()}
    attached = [{**entry, "job_id": jobs[entry["target_instance_id"]]} for entry in wanted["restore_ddm"]]
    third = run(sim, {**wanted, "restore_ddm": attached})
    assert third.rc == 0, third.output
    assert (recap(third)["changed"], len(sim.posts())) == (0, before)
    assert {target["outcome"] for target in targets(third).values()} == {"unchanged"}


def test_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    with Simulator(scenario="fleet-6-2") as sim:
        sim.fault("operation_fails", "ddm.recovery", after=1)
        sim.fault("operation_fails", "dcs.restore", after=1)
        sim.fault("outcome", "dcs.restore", leave="ERROR")  # taken by the third: the second has its own
        sim.fault("stuck", "dcs.restore")
        sim.fault("refusal", "dcs.restore", code="DCS.4107", message="The order of the instance is unpaid.")
        caches = [{"name": f"cache-{n}", "instance_id": ids.fleet_dcs_instance(n), "backup_id": ids.fleet_dcs_backup(n)} for n in range(6)]
        missing = {"name": "missing", "instance_id": ids.DCS_OTHER, "restore_point": "latest"}
        naive = {"name": "naive", "instance_id": ids.DCS_SINGLE, "restore_point": "2026-01-31T03:00:00"}
        both = {"name": "both", "instance_id": ids.DCS_EMPTY, "restore_point": "latest", "backup_id": ids.DCS_BACKUP}
        wanted = fleet(restore_dcs=[missing, *caches, naive, both], restore_wait_timeout=6, restore_report_dir=str(tmp_path))
        done = run(sim, wanted)
        assert done.rc == 2
        assert recap(done)["failed"] == 1
        found = {name: (target["outcome"], target["failed_step"], target["error_kind"]) for name, target in targets(done).items()}
        assert found == {
            ids.fleet_ddm_target(0): ("succeeded", None, None),
            ids.fleet_ddm_target(1): ("failed", "wait", "operation_failed"),
            "missing": ("failed", "plan", "not_found"),
            "cache-0": ("failed", "wait", "operation_failed"),
            "cache-1": ("failed", "wait", "operation_failed"),
            "cache-2": ("failed", "wait", "wait_timeout"),
            "cache-3": ("failed", "restore", "denied"),
            "cache-4": ("succeeded", None, None),
            "cache-5": ("succeeded", None, None),
            "naive": ("failed", "plan", "invalid_argument"),
            "both": ("failed", "plan", "invalid_argument"),
        }
