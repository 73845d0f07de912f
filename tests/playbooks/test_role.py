# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and its playbook, through ansible-playbook against the local cloud. Starting it is what takes time, so each run answers many questions."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import door
from tests.cloud import Simulator
from tests.cloud import scenario as ids

PLAYBOOK = "huaweicloud.recovery.restore"
Variables = dict[str, Any]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator
        assert simulator.errors == []


def run(sim: Simulator, variables: Variables, *args: str, cwd: Path | None = None) -> door.Completed:
    done = door.playbook(
        PLAYBOOK, sim.env, "-e", json.dumps({"restore_poll_interval": 1, **variables}), *args, cwd=cwd
    )
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
    return {
        key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", done.stdout.rpartition("PLAY RECAP")[2])
    }


def database(**options: Any) -> Variables:
    return {
        "name": "orders-db",
        "source_instance_id": ids.DDM_SOURCE,
        "target_instance_id": ids.DDM_TARGET,
        **options,
    }


def cache(**options: Any) -> Variables:
    return {"name": "orders-cache", "instance_id": ids.DCS_INSTANCE, **options}


def fleet(**options: Any) -> Variables:
    return {
        "restore_ddm": [
            {
                "source_instance_id": ids.fleet_ddm_source(n),
                "target_instance_id": ids.fleet_ddm_target(n),
                "restore_time": "latest",
            }
            for n in range(2)
        ],
        "restore_dcs": [
            {
                "name": f"cache-{n}",
                "instance_id": ids.fleet_dcs_instance(n),
                "backup_id": ids.fleet_dcs_backup(n),
            }
            for n in range(3)
        ],
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
    assert re.search(
        rf"ddm {ids.fleet_ddm_target(1)} \(\S+\) will be OVERWRITTEN with {ids.fleet_ddm_source(1)} as of \S+Z \(5 minutes old\)",
        plan,
    )
    assert plan.count("    data node ") == 2
    assert planned.stdout.count("+++ after") == 5
    assert recap(planned)["changed"] == 1
    (report,) = reports.glob("*.json")
    content = json.loads(report.read_text(encoding="utf-8"))
    assert (content["check_mode"], content["failed"], content["changed"]) == (True, False, True)
    assert {target["outcome"] for target in content["targets"]} == {"planned"}
    assert (
        report.with_suffix(".md")
        .read_text(encoding="utf-8")
        .startswith("# Restore plan\n\n- Result: **planned, nothing was started**\n")
    )
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
    assert all(
        sim.state.dcs_instances[ids.fleet_dcs_instance(n)].restored_from == ids.fleet_dcs_backup(n)
        for n in range(3)
    )
    assert all(sim.state.ddm_instances[ids.fleet_ddm_target(n)].restored_to for n in range(2))
    assert [line.partition(": ")[2].partition(",")[0] for line in lines(done, "Show what was started")] == [
        "started"
    ] * 5

    outcome = result(done)
    assert (outcome["check_mode"], outcome["failed"], outcome["changed"]) == (False, False, True)
    for target in outcome["targets"]:
        assert (target["action"], target["outcome"], target["instance_status"], target["error_kind"]) == (
            "restore",
            "succeeded",
            "RUNNING",
            None,
        )
        assert 0 <= target["elapsed"] < 120
        assert target["started"] < target["finished"]
    assert done.of("Publish the result")[0]["ansible_stats"]["data"] == {"restore_report": outcome}
    pinned = {
        target["request"]["target_instance_id"]: target["request"]["restore_time"]
        for target in outcome["targets"]
        if target["service"] == "ddm"
    }
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
            assert (target["outcome"], target["failed_step"], target["error_kind"]) == (
                "failed",
                "plan",
                "not_restorable",
            )
            assert target["job_id"] in target["msg"]
            assert f"ddm {name} ({name}) cannot be restored, not_restorable: " in "\n".join(
                lines(again, "Show the plan")
            )

    jobs = {target["instance_id"]: target["job_id"] for target in targets(again).values()}
    attached = [{**entry, "job_id": jobs[entry["target_instance_id"]]} for entry in wanted["restore_ddm"]]
    third = run(sim, {**wanted, "restore_ddm": attached})
    assert third.rc == 0, third.output
    assert (recap(third)["changed"], len(sim.posts())) == (0, before)
    assert {target["outcome"] for target in targets(third).values()} == {"unchanged"}


def test_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    with Simulator(scenario="fleet-5-2") as sim:
        sim.fault("operation_fails", "ddm.recovery", on=ids.fleet_ddm_source(1))
        sim.fault("outcome", "dcs.restore", on=ids.fleet_dcs_instance(0), leave="ERROR")
        sim.fault("operation_fails", "dcs.restore", on=ids.fleet_dcs_instance(1))
        sim.fault("stuck", "dcs.restore", on=ids.fleet_dcs_instance(2))
        sim.fault(
            "refusal",
            "dcs.restore",
            on=ids.fleet_dcs_instance(3),
            code="DCS.4107",
            message="The order of the instance is unpaid.",
        )
        caches = [
            {
                "name": f"cache-{n}",
                "instance_id": ids.fleet_dcs_instance(n),
                "backup_id": ids.fleet_dcs_backup(n),
            }
            for n in range(5)
        ]
        missing = {"name": "missing", "instance_id": ids.DCS_OTHER, "restore_point": "latest"}
        naive = {"name": "naive", "instance_id": ids.DCS_SINGLE, "restore_point": "2026-01-31T03:00:00"}
        both = {
            "name": "both",
            "instance_id": ids.DCS_EMPTY,
            "restore_point": "latest",
            "backup_id": ids.DCS_BACKUP,
        }
        done = run(
            sim,
            fleet(
                restore_dcs=[missing, *caches, naive, both],
                restore_wait_timeout=5,
                restore_report_dir="reports",
            ),
            cwd=tmp_path,
        )
        assert sim.errors == []
        posts = len(sim.posts())
    assert done.rc == 2
    assert recap(done)["failed"] == 1
    found = {
        name: (target["outcome"], target["failed_step"], target["error_kind"])
        for name, target in targets(done).items()
    }
    expected = {
        ids.fleet_ddm_target(0): ("succeeded", None, None),
        ids.fleet_ddm_target(1): ("failed", "wait", "operation_failed"),
        "missing": ("failed", "plan", "not_found"),
        "cache-0": ("failed", "wait", "operation_failed"),
        "cache-1": ("failed", "wait", "operation_failed"),
        "cache-2": ("failed", "wait", "wait_timeout"),
        "cache-3": ("failed", "restore", "rejected"),
        "cache-4": ("succeeded", None, None),
        "naive": ("failed", "plan", "invalid_argument"),
        "both": ("failed", "plan", "invalid_argument"),
    }
    assert found == expected
    assert posts == 2 + 5
    assert targets(done)["cache-2"]["restore_id"]
    assert targets(done)["cache-2"]["finished"] is None
    assert "unpaid" in targets(done)["cache-3"]["msg"]

    assert done.of("Publish the result")[0]["ansible_stats"]["data"]["restore_report"] == result(done)
    report = json.loads(next((tmp_path / "reports").glob("*.json")).read_text(encoding="utf-8"))
    assert report == result(done)
    markdown = next((tmp_path / "reports").glob("*.md")).read_text(encoding="utf-8")
    assert "- Result: **failed**\n" in markdown
    message = task(done, "Fail when a target has failed")["msg"]
    assert message.startswith("8 of 10 targets failed.")
    for name, (outcome, step, kind) in expected.items():
        assert re.search(
            rf"{name} \(\S+\): {outcome}" + (f" at {step}, {kind}: ." if step else " in "), message
        ), name
        assert not kind or kind in markdown.replace("\\", "")


def test_adopts_what_runs_and_takes_connection_from_module_defaults(tmp_path: Path) -> None:
    hostile = "{{ 'INJ' ~ 'ECTED' }} | <b>`x`\nnext"
    ahead = [0.0]

    def five_minutes_later(_answer: object) -> None:
        ahead[0] = 300.0

    with Simulator(restore_seconds=300, clock=lambda: time.time() + ahead[0]) as sim:
        sim.fault(
            "mutate", "ddm.job", after=2, function=five_minutes_later
        )  # plan and restore have looked once each: this is the wait
        sim.state.dcs_backups[ids.DCS_BACKUP].remark = hostile
        restore = door.module(
            "dcs_restore", sim.env, instance_id=ids.DCS_INSTANCE, backup_id=ids.DCS_BACKUP, wait=False
        )
        job = door.module(
            "ddm_recovery",
            sim.env,
            instance_id=ids.DDM_SOURCE,
            target_instance_id=ids.DDM_TARGET,
            restore_time="latest",
            wait=False,
        )
        wanted = {
            "restore_ddm": [database(job_id=job["job_id"])],
            "restore_dcs": [
                cache(
                    restore_point="latest",
                    backup_id="",
                    remark="",
                    operation_id="",
                    name="{{ 'orders' }} | cache",
                )
            ],
            "restore_operation_id": "",
            "restore_poll_interval": 1,
            "restore_report_dir": str(tmp_path),
        }
        connection = {
            name.removeprefix("HW_").lower().replace("region_name", "region"): value
            for name, value in sim.env.items()
        }
        play = [
            {
                "hosts": "localhost",
                "gather_facts": False,
                "module_defaults": {"group/huaweicloud.recovery.all": connection},
                "vars_files": [str(tmp_path / "vars.json")],
                "tasks": [{"ansible.builtin.include_role": {"name": "huaweicloud.recovery.restore"}}],
            }
        ]
        (tmp_path / "vars.json").write_text(
            json.dumps(wanted).replace("{{ 'orders' }}", "orders"), encoding="utf-8"
        )
        done = door.playbook(yaml.safe_dump(play), {})
        assert len(sim.posts()) == 2
        assert sim.errors == []
    assert done.rc == 0, done.output
    assert ids.SECRET_KEY not in done.output + json.dumps(done.results)
    found = targets(done)
    assert [(target["action"], target["adopted"], target["outcome"]) for target in found.values()] == [
        ("adopt", True, "succeeded")
    ] * 2
    assert found["orders | cache"]["restore_id"] == restore["restore_id"]
    assert found["orders-db"]["job_id"] == job["job_id"]
    assert found["orders | cache"]["backup"]["remark"] == hostile  # shown, not evaluated
    assert json.loads(Path(result(done)["report_json"]).read_text(encoding="utf-8")) == result(done)
    assert "| orders \\| cache | dcs |" in Path(result(done)["report_markdown"]).read_text(encoding="utf-8")


def test_verify_asks_again_and_fails_only_what_it_cannot_see() -> None:
    with Simulator(scenario="fleet-1-1") as sim:
        sim.fault("rewrite", "dcs.instances", key="status", value="RESTARTING")
        sim.fault("forbidden", "ddm.instances")
        done = run(sim, {name: entries[:1] for name, entries in fleet().items()})
        assert len(sim.requests("dcs.instances")) == 2
        assert sim.errors == []
    assert done.rc == 2
    found = [
        (target["service"], target["outcome"], target["failed_step"], target["error_kind"])
        for target in result(done)["targets"]
    ]
    assert found == [("ddm", "failed", "verify", "denied"), ("dcs", "succeeded", None, None)]


def test_the_tag_plan_starts_nothing_and_no_data_node_is_planned_twice(
    sim: Simulator, tmp_path: Path
) -> None:
    other = ids.DDM_TARGET.replace("2f03", "2f04")
    sim.state.ddm_instances[other] = dataclasses.replace(
        sim.state.ddm_instances[ids.DDM_TARGET], id=other, data_nodes=[]
    )
    crossed = [
        {"source_instance_id": ids.DN_SOURCE_1, "target_instance_id": ids.DN_TARGET_2},
        {"source_instance_id": ids.DN_SOURCE_2, "target_instance_id": ids.DN_TARGET_1},
    ]
    an_hour_ago = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(
        hours=1
    )  # YAML writes it as a time, not as a text
    databases = [
        database(restore_time=an_hour_ago, data_node_relations=crossed),
        database(name="twin", target_instance_id=other, restore_time="latest"),
    ]
    (tmp_path / "vars.yml").write_text(yaml.safe_dump({"restore_ddm": databases}), encoding="utf-8")
    done = run(sim, {}, "-e", f"@{tmp_path}/vars.yml", "--tags", "plan", "--limit", "localhost")
    assert done.rc == 2
    assert sim.posts() == []
    assert recap(done)["changed"] == 0
    first, second = result(done)["targets"]
    assert (first["action"], first["outcome"]) == ("restore", "planned")
    assert (first["request"]["restore_time"], first["request"]["data_node_relations"]) == (
        int(an_hour_ago.timestamp() * 1000),
        crossed,
    )
    assert (result(done)["check_mode"], result(done)["failed"]) == (True, True)
    assert (second["action"], second["outcome"], second["error_kind"]) == (None, "failed", "not_restorable")
    assert f"is planned to be overwritten for {ids.DDM_TARGET} already" in second["msg"]


REFUSED: dict[str, tuple[Variables, str]] = {
    "nothing to restore": ({}, "Name what to restore in restore_ddm and restore_dcs"),
    "a target twice": (
        {"restore_dcs": [cache(restore_point="latest"), cache(backup_id=ids.DCS_BACKUP)]},
        "each instance to overwrite only once",
    ),
    "no instance": (
        {"restore_dcs": [{"backup_id": ids.DCS_BACKUP}]},
        "missing required arguments: instance_id found in restore_dcs",
    ),
    "no target": (
        {"restore_ddm": [{"source_instance_id": ids.DDM_SOURCE, "restore_time": "latest"}]},
        "missing required arguments: target_instance_id",
    ),
    "a misspelt option": (
        {"restore_dcs": [cache(backup="latest")]},
        "restore_dcs.backup. Supported parameters include",
    ),
    "half a relation": (
        {"restore_ddm": [database(data_node_relations=[{"source_instance_id": "a"}])]},
        "missing required arguments: target_instance_id",
    ),
    "no list": ({"restore_ddm": 5}, "restore_ddm"),
    "no number": (
        {"restore_dcs": [cache(restore_point="latest")], "restore_wait_timeout": "soon"},
        "restore_wait_timeout",
    ),
    "no time to wait": (
        {"restore_dcs": [cache(restore_point="latest")], "restore_wait_timeout": 10**9},
        "wait_timeout must be from",
    ),
    "no place for the report": (
        {"restore_dcs": [cache(restore_point="latest")], "restore_report_dir": "/dev/null/reports"},
        "/dev/null",
    ),
}


def test_refuses_bad_input_before_any_request(sim: Simulator) -> None:
    tasks = [
        {
            "name": name,
            "block": [
                {"ansible.builtin.include_role": {"name": "huaweicloud.recovery.restore"}, "vars": variables}
            ],
            "rescue": [
                {
                    "name": f"Refused: {name}",
                    "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"},
                }
            ],
        }
        for name, (variables, dummy) in REFUSED.items()
    ]
    done = door.playbook(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), sim.env
    )
    assert recap(done)["rescued"] == len(REFUSED), done.output
    for name, (dummy, message) in REFUSED.items():
        (shown,) = done.of(f"Refused: {name}")
        assert message in str(shown["msg"]), name
    assert sim.ledger == []
