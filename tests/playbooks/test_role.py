# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and its playbook, through ansible-playbook against the local cloud.

Most of the time goes into its start, so each run checks many things.
"""

from __future__ import annotations

import json
import re
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

PLAYBOOK = "huaweicloud.recovery.restore"
Variables = dict[str, Any]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(restore_seconds=1) as simulator:
        yield simulator
        assert simulator.errors == []


def run(
    sim: Simulator, variables: Variables, *args: str, cwd: Path | None = None, **env: str
) -> invoke.Completed:
    given = json.dumps({"restore_poll_interval": 1, **variables})
    done = invoke.playbook(PLAYBOOK, {**sim.env, **env}, "-e", given, *args, cwd=cwd)
    for secret in (ids.SECRET_KEY, "Signature="):
        assert secret not in done.output + json.dumps(done.results)
    return done


def task(done: invoke.Completed, name: str) -> Variables:
    """The result of a task of the role, the last one of this name."""
    return dict(done.of(f"huaweicloud.recovery.restore : {name}")[-1])


def report(done: invoke.Completed) -> Variables:
    """`restore_result.report`, as the playbook around the role sees it."""
    return dict(task(done, "Report")["report"])


def rows(done: invoke.Completed) -> dict[str, Variables]:
    return {(row["target"] or row)["instance_id"]: row for row in report(done)["restores"]}


def outcomes(done: invoke.Completed) -> dict[str, tuple[Any, ...]]:
    return {name: (row["outcome"], row["failed_step"], row["error_kind"]) for name, row in rows(done).items()}


def recap(done: invoke.Completed) -> dict[str, int]:
    return {
        key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", done.stdout.rpartition("PLAY RECAP")[2])
    }


def database(**options: Any) -> Variables:
    return {"source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET, **options}


def cache(**options: Any) -> Variables:
    return {"instance_id": ids.DCS_INSTANCE, **options}


def stack(folder: Path, **options: Any) -> Variables:
    return {
        "restore_ddm": [database()],
        "restore_dcs": [cache(label="the cache of the shop", backup_id=ids.DCS_BACKUP)],
        "restore_point": "latest",
        "restore_operation_id": "CHG-1042",
        "restore_report_dir": str(folder),
        **options,
    }


def test_a_stack_is_planned_restored_and_restored_again(sim: Simulator, tmp_path: Path) -> None:
    planned = run(sim, stack(tmp_path), "--check", "--diff")
    assert (planned.rc, sim.posts(), recap(planned)["changed"]) == (0, [], 1), planned.output
    assert "PLAN  CHG-1042  " in planned.stdout
    assert "nothing has been sent" in planned.stdout
    assert "[the cache of the shop]" in planned.stdout
    assert f"{ids.DN_TARGET_1} <- {ids.DN_SOURCE_2}" in planned.stdout
    assert planned.stdout.count("+++ after") == 2
    assert (report(planned)["kind"], report(planned)["verdict"]) == ("plan", "planned")
    statistics = task(planned, "Report")["ansible_stats"]["data"]
    assert statistics["restore_planned"] == {
        "digest": report(planned)["plan_digest"],
        "plan": report(planned),
    }

    done = run(sim, stack(tmp_path))
    assert done.rc == 0, done.output
    assert [entry.operation for entry in sim.posts()] == ["dcs.backup", "ddm.recovery", "dcs.restore"]
    assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == ids.DCS_BACKUP
    assert {row["outcome"] for row in rows(done).values()} == {"succeeded"}
    saved = rows(done)[ids.DCS_INSTANCE]["safety_backup"]
    assert str(sim.state.dcs_backups[saved["backup_id"]].remark).startswith("before a restore [safety]")
    assert len(done.stdout.splitlines()) <= 40
    shown = [line for line in done.stdout.splitlines() if line.strip()]
    ended = next(number for number, line in enumerate(shown) if line.startswith("DONE  2 of 2 in "))
    assert shown[ended + 3] == f"Report: {report(done)['files']['html']}"
    assert {path.suffix for path in tmp_path.glob(report(done)["id"] + "*")} == {
        ".json",
        ".md",
        ".xml",
        ".html",
    }
    assert task(done, "Report")["ansible_stats"]["data"] == {"restore_reported": report(done)}

    again = run(sim, stack(tmp_path))
    assert (again.rc, len(sim.posts()), recap(again)["changed"]) == (0, 3, 0), again.output
    assert {row["outcome"] for row in rows(again).values()} <= {"unchanged", "succeeded"}
    assert rows(again)[ids.DDM_TARGET]["job_id"] == rows(done)[ids.DDM_TARGET]["job_id"]


def test_a_stuck_record_is_ignored_as_the_report_advises(sim: Simulator, tmp_path: Path) -> None:
    """Also by a plan that was kept."""
    entry = {"instance_id": ids.DCS_STUCK, "backup_id": ids.DCS_BACKUP_STUCK}
    first = run(sim, {"restore_dcs": [entry], "restore_safety_backup": False})
    assert outcomes(first) == {ids.DCS_STUCK: (None, "plan", "busy")}
    assert "ignore_stuck: true" in rows(first)[ids.DCS_STUCK]["next"]["do"]
    assert "that has ended" not in rows(first)[ids.DCS_STUCK]["msg"]
    plan = {"restore_plan_file": str(tmp_path / "plan.json")}
    assert run(sim, {"restore_dcs": [{**entry, "ignore_stuck": True}], **plan}, "--check").rc == 0
    again = run(sim, plan)
    assert outcomes(again) == {ids.DCS_STUCK: ("succeeded", None, None)}


def test_a_job_is_resumed_without_a_report_as_the_output_says() -> None:
    entry = {"source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET}
    passed = [0.0]  # seconds in the cloud: the job ends between the two runs
    with Simulator(restore_seconds=600, clock=lambda: time.time() + passed[0]) as sim:
        first = run(sim, {"restore_ddm": [{**entry, "restore_time": "latest"}], "restore_wait_timeout": 2})
        passed[0] = 600.0
        row = rows(first)[ids.DDM_TARGET]
        assert row["error_kind"] == "wait_timeout"
        assert "and a job if you also give its job_id" in first.stdout
        assert f"Give job_id {row['job_id']} for" in row["next"]["do"]
        again = run(sim, {"restore_ddm": [{**entry, "job_id": row["job_id"]}]})
        assert (again.rc, outcomes(again)) == (0, {ids.DDM_TARGET: ("unchanged", None, None)})
        assert len(sim.posts()) == 1


def test_a_cache_that_was_made_again_with_its_name_gets_a_backup_of_its_own(tmp_path: Path) -> None:
    """A rerun under the same ticket, whose first run has begun to restore the deleted one."""
    with Simulator(scenario="fleet-2-0", restore_seconds=1) as sim:
        first, second = (sim.state.dcs_instances[ids.fleet_dcs_instance(number)] for number in range(2))
        entry = {"instance_name": first.name, "restore_point": "latest"}
        asked = {"restore_dcs": [entry], "restore_operation_id": "CHG-1042"}
        options = {"restore_report_dir": str(tmp_path), "restore_safety_backup": False}
        sim.fault("stuck", "dcs.restore", on=ids.fleet_dcs_instance(0))
        begun = run(sim, {**asked, **options, "restore_wait_timeout": 2})
        assert outcomes(begun) == {ids.fleet_dcs_instance(0): (None, "wait", "wait_timeout")}
        first.name, second.name = "deleted", first.name
        sim.fault("refusal", "dcs.instances", code="DCS.4030", message="Forbidden.", status=403)
        unread = run(sim, {**asked, **options})
        (row,) = report(unread)["restores"]
        assert (row["failed_step"], len(sim.posts())) == ("plan", 1)
        assert "cannot look up whether the name still means the same instance: GET http" in row["msg"]
        done = run(sim, {**asked, **options})
        assert outcomes(done) == {ids.fleet_dcs_instance(1): ("succeeded", None, None)}, done.output
        assert second.restored_from == ids.fleet_dcs_backup(1)


@pytest.mark.parametrize(
    "skew",
    [
        "2099-01-01T00:00:00Z",
        *(pytest.param(skew, marks=pytest.mark.slow) for skew in ("2020-01-01T00:00:00Z", None)),
    ],
)
def test_a_job_that_was_resumed_is_over_whatever_the_clock_of_its_run(
    tmp_path: Path, skew: str | None
) -> None:
    """Another controller, whose clock is wrong, has started the job. A run after the one that resumed it
    restores again.
    """
    entry = {"source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET}
    asked = {"restore_ddm": [{**entry, "restore_time": "latest"}], "restore_report_dir": str(tmp_path)}
    passed = [0.0]  # seconds in the cloud
    with Simulator(restore_seconds=600, clock=lambda: time.time() + passed[0]) as sim:
        first = run(sim, {**asked, "restore_wait_timeout": 0})
        path = Path(report(first)["files"]["json"])
        if skew:
            path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "started": skew}), "utf-8")
        passed[0] = 600.0
        assert outcomes(run(sim, asked)) == {ids.DDM_TARGET: ("unchanged", None, None)}
        assert len(sim.posts()) == 1
        sim.state.ddm_instances[ids.DDM_TARGET].data_nodes.clear()  # somebody has emptied it
        run(sim, {**asked, "restore_wait_timeout": 0})
        assert len(sim.posts()) == 2


def test_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    with Simulator(scenario="fleet-5-2") as sim:
        sim.fault("operation_fails", "ddm.recovery", on=ids.fleet_ddm_source(1))
        sim.fault("operation_fails", "dcs.restore", on=ids.fleet_dcs_instance(1))
        sim.fault("stuck", "dcs.restore", on=ids.fleet_dcs_instance(2))
        unpaid = "The order of the instance is unpaid."
        sim.fault("refusal", "dcs.restore", on=ids.fleet_dcs_instance(3), code="DCS.4107", message=unpaid)
        caches = [
            {"instance_id": ids.fleet_dcs_instance(n), "backup_id": ids.fleet_dcs_backup(n)}
            for n in range(1, 5)
        ]
        databases = [
            {"source_instance_id": ids.fleet_ddm_source(n), "target_instance_id": ids.fleet_ddm_target(n)}
            for n in range(2)
        ]
        missing = {"instance_id": ids.DCS_OTHER}
        variables = {"restore_dcs": [missing, *caches], "restore_ddm": databases, "restore_point": "latest"}
        options = {"restore_wait_timeout": 5, "restore_report_dir": "reports", "restore_safety_backup": False}
        done = run(sim, {**variables, **options}, cwd=tmp_path)
        assert sim.errors == []
        assert len(sim.posts()) == 2 + 4
    assert (done.rc, recap(done)["failed"]) == (2, 1)
    assert outcomes(done) == {
        ids.fleet_ddm_target(0): ("succeeded", None, None),
        ids.fleet_ddm_target(1): (None, "wait", "operation_failed"),
        ids.DCS_OTHER: (None, "plan", "not_found"),
        ids.fleet_dcs_instance(1): (None, "wait", "operation_failed"),
        ids.fleet_dcs_instance(2): (None, "wait", "wait_timeout"),
        ids.fleet_dcs_instance(3): (None, "restore", "rejected"),
        ids.fleet_dcs_instance(4): ("succeeded", None, None),
    }
    assert "unpaid" in rows(done)[ids.fleet_dcs_instance(3)]["msg"]
    assert report(done)["verdict"] == "incomplete"
    (path,) = (tmp_path / "reports").glob("*.json")
    assert json.loads(path.read_text(encoding="utf-8"))["verdict"] == "incomplete"
    assert task(done, "End")["msg"].endswith(f"Report: {path}")
    assert "FAILED at wait, operation_failed: " in done.stdout


def test_the_output_says_once_why_a_restore_and_a_check_have_failed(sim: Simulator, tmp_path: Path) -> None:
    """The task that fails the run adds only how many need a person, and where the report is."""
    unreachable = {"checks": [{"ping": True}], "connection": {"host": "127.0.0.1", "port": 1}}
    caches = [cache(backup_id=ids.DCS_BACKUP, group=1, **unreachable)]
    sim.fault("operation_fails", "ddm.recovery")
    done = run(
        sim, stack(tmp_path, restore_dcs=caches, restore_safety_backup=False, restore_verify_timeout=1)
    )
    assert {name: step for name, (dummy, step, dummy) in outcomes(done).items()} == {
        ids.DDM_TARGET: "wait",
        ids.DCS_INSTANCE: "verify",
    }
    for row in rows(done).values():
        assert done.output.count(row["msg"]) == 1, row["msg"]
    end = task(done, "End")["msg"]
    assert end == f"{report(done)['msg']} Report: {report(done)['files']['json']}"
    ours = [line for line in done.output.splitlines() if not line.startswith(("fatal: ", "[ERROR]: "))]
    assert [report(done)["msg"] in line for line in ours].count(True) == 1, done.output


def test_the_approved_plan_is_what_runs(sim: Simulator, tmp_path: Path) -> None:
    """A newer backup, made between plan and run, is not restored: from a file or from a statistic."""
    variables = stack(tmp_path, restore_ddm=[])
    planned = run(sim, variables, "--tags", "plan", "-e", f"restore_plan_file={tmp_path}/plan.json")
    assert (planned.rc, sim.posts()) == (0, [])
    made = invoke.module("dcs_backup", sim.env, instance_id=ids.DCS_INSTANCE, operation_id="later")
    statistic = {"restore_plan": task(planned, "Report")["ansible_stats"]["data"]["restore_planned"]}
    done = run(sim, {"restore_safety_backup": True, "restore_report_dir": str(tmp_path), **statistic})
    assert done.rc == 0, done.output
    assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == ids.DCS_BACKUP
    assert made["backup_id"] != ids.DCS_BACKUP
    sim.state.dcs_backups[ids.DCS_BACKUP].status = "deleted"
    edited = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    wanted = json.loads(json.dumps(edited))
    edited["restores"][0]["backup"]["backup_id"] = made["backup_id"]
    wanted["restores"][0]["restore_point"] = "2026-01-31T03:00:00Z"  # which a plan no longer asks for
    for plan in (edited, wanted):
        (tmp_path / "edited.json").write_text(json.dumps(plan), encoding="utf-8")
        refused = run(sim, {"restore_plan_file": str(tmp_path / "edited.json")})
        assert "it was edited after it was made" in report(refused)["msg"]
    assert refused.rc == 2
    assert len([entry for entry in sim.posts() if entry.operation == "dcs.restore"]) == 1


def test_a_plan_is_not_that_of_variables_which_were_changed_since(sim: Simulator, tmp_path: Path) -> None:
    """It would restore what they no longer say."""
    plan = {"restore_plan_file": f"{tmp_path}/plan.json", "restore_point": "latest"}
    both = {**plan, "restore_dcs": [cache()], "restore_ddm": [database()], "restore_safety_backup": False}
    assert run(sim, both, "--check").rc == 0
    old, other = ids.DCS_BACKUP_OLD, ids.DDM_TARGET_BUSY
    entries = {
        "restore_dcs": [cache(backup_id=old, operation_id="B")],
        "restore_ddm": [database(source_instance_id=other)],
    }
    changed: list[tuple[Variables, list[str]]] = [
        (
            entries,
            [
                f"backup_id {old}, but the plan {ids.DCS_BACKUP}",
                "operation_id B, but the plan None",
                f"source {other}, but the plan {ids.DDM_SOURCE}",
            ],
        ),
        (
            {"restore_point": "2026-01-31T03:00:00Z"},
            ["restore_point 2026-01-31T03:00:00.000Z, but the plan latest"],
        ),
        ({"restore_dcs": [], "restore_instances": "reports-cache"}, ["reports-cache: is not in the plan"]),
    ]
    for more, words in changed:
        refused = run(sim, {**both, **more})
        assert (refused.rc, sim.posts()) == (2, []), refused.output
        assert [word for word in words if word not in report(refused)["msg"]] == []
    done = run(sim, {**both, "restore_dcs": [], "restore_instances": "orders-cache"})
    assert (done.rc, len(sim.posts())) == (0, 2), done.output


def test_confirmation_without_a_terminal(sim: Simulator) -> None:
    asked = run(sim, {"restore_dcs": [cache()], "restore_point": "latest", "restore_confirm": True})
    assert (asked.rc, sim.posts()) == (2, [])
    digest = report(asked)["plan_digest"]
    assert f"restore_plan_digest={digest}" in report(asked)["msg"]
    assert report(asked)["verdict"] == "refused"
    done = run(
        sim,
        {
            "restore_dcs": [cache()],
            "restore_point": "latest",
            "restore_confirm": "yes",
            "restore_plan_digest": digest,
        },
    )
    assert done.rc == 0, done.output
    assert report(done)["approval"]["how"] == "the digest of the plan"


HOOK = "- name: {0}\n  ansible.builtin.{1}:\n    msg: '{0} {{{{ restore_operation_id }}}}'\n"


def test_tasks_of_the_user_run_around_the_restore(sim: Simulator, tmp_path: Path) -> None:
    hooks = {}
    for name, action in (("before", "debug"), ("verify", "debug"), ("after", "fail")):
        (tmp_path / f"{name}.yml").write_text(HOOK.format(name, action), encoding="utf-8")
        hooks[f"restore_{name}_tasks"] = str(tmp_path / f"{name}.yml")
    variables = {"restore_dcs": [cache()], "restore_point": "latest", "restore_operation_id": "CHG-1042"}
    done = run(sim, {**variables, **hooks})
    assert done.rc == 2
    order = [entry["task"].rpartition(" : ")[2] for entry in done.results if entry["status"] != "skipped"]
    assert [
        name
        for name in order
        if name in ("before", "Safeguard", "Restore", "Verify", "verify", "after", "Report")
    ] == [*("before", "Safeguard", "Restore", "Verify", "verify", "after", "Report")]
    (row,) = rows(done).values()
    assert (row["failed_step"], row["error_kind"]) == ("release", "release_failed")
    assert "after CHG-1042" in row["msg"]
    good = [step["step"] for step in row["steps"] if step["outcome"] == "ok"]
    assert good.index("fence") < good.index("safeguard")

    posts = len(sim.posts())
    (tmp_path / "before.yml").write_text(HOOK.format("before", "fail"), encoding="utf-8")
    stopped = run(sim, {**variables, **hooks, "restore_operation_id": "CHG-1043"})
    assert (stopped.rc, len(sim.posts())) == (2, posts)
    assert report(stopped)["verdict"] == "refused"
    assert "restore_before_tasks failed: before: before CHG-1043" in report(stopped)["msg"]


def test_a_step_is_usable_alone(sim: Simulator) -> None:
    """By its tag, and by tasks_from. A step that runs first plans first."""
    done = run(sim, {"restore_dcs": [cache()], "restore_point": "latest"}, "--tags", "safeguard")
    assert [entry.operation for entry in sim.posts()] == ["dcs.backup"]
    assert rows(done)[ids.DCS_INSTANCE]["safety_backup"]["backup_id"]
    assert (done.rc, "This run left out the step restore, so it overwrote nothing." in done.stdout) == (
        2,
        True,
    )
    name = {"name": "huaweicloud.recovery.restore"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"restore_dcs": [cache(backup_id=ids.DCS_BACKUP)], "restore_poll_interval": 1},
        "tasks": [
            {"ansible.builtin.include_role": {**name, "tasks_from": "restore"}},
            {"ansible.builtin.include_role": {**name, "tasks_from": "report"}},
            {"ansible.builtin.debug": {"msg": "{{ restore_result.report.verdict }}"}},
        ],
    }
    alone = invoke.playbook(yaml.safe_dump([play]), sim.env)
    assert alone.rc == 0, alone.output
    assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == ids.DCS_BACKUP
    assert alone.of("debug")[-1]["msg"] == "restored"


def test_each_use_of_the_role_in_one_play_is_a_run_of_its_own(sim: Simulator, tmp_path: Path) -> None:
    """A later one runs its own tasks files, and a step that is used alone takes no rows of an earlier run."""
    (tmp_path / "stop.yml").write_text(HOOK.format("stop", "debug"), encoding="utf-8")
    name = {"name": "huaweicloud.recovery.restore"}
    other = {"instance_id": ids.DCS_OTHER, "backup_id": ids.DCS_BACKUP_OTHER}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"restore_poll_interval": 1, "restore_before_tasks": str(tmp_path / "stop.yml")},
        "tasks": [
            {
                "ansible.builtin.include_role": name,
                "vars": {"restore_dcs": ["{{ item }}"], "restore_operation_id": "CHG-{{ item.instance_id }}"},
                "loop": [cache(backup_id=ids.DCS_BACKUP), other],
            },
            {
                "ansible.builtin.include_role": {**name, "tasks_from": "restore"},
                "vars": {"restore_dcs": [{**other, "operation_id": "again"}]},
            },
        ],
    }
    done = invoke.playbook(yaml.safe_dump([play]), sim.env)
    assert done.rc == 0, done.output
    assert [one["msg"] for one in done.of("huaweicloud.recovery.restore : stop")] == [
        f"stop CHG-{instance}" for instance in (ids.DCS_INSTANCE, ids.DCS_OTHER)
    ]
    assert [entry.operation for entry in sim.posts()] == ["dcs.backup", "dcs.restore"] * 2 + ["dcs.restore"]


@pytest.mark.parametrize("step", ["verify", pytest.param("report", marks=pytest.mark.slow)])
def test_a_step_cannot_be_skipped(sim: Simulator, step: str) -> None:
    """Otherwise later steps would be skipped, too, and the run would succeed."""
    done = run(sim, {"restore_dcs": [cache()], "restore_point": "latest"}, "--skip-tags", step)
    assert (done.rc, sim.posts()) == (2, [])
    assert f"--skip-tags {step} would leave out more than that step" in done.output
    assert "restore_safety_backup=false" in done.output


def test_tags_beside_that_of_the_plan_start_nothing_by_themselves(sim: Simulator, tmp_path: Path) -> None:
    """A fleet has no other tag, so whatever stands beside that of the plan selects nothing."""
    variables = {"restore_dcs": [cache()], "restore_point": "latest", "restore_poll_interval": 1}
    role = {"import_role": {"name": "huaweicloud.recovery.restore"}, "vars": variables}
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [role]}]
    (tmp_path / "hosts").write_text(f"a service=dcs instance_id={ids.DCS_INSTANCE}\n")
    hosts = ("-i", str(tmp_path / "hosts"), "-e", "fleet_hosts=a")
    one = invoke.playbook(yaml.safe_dump(play), sim.env, "--tags", "plan,report,nightly")
    tags = "plan,report,nightly,restore"
    many = invoke.playbook("huaweicloud.recovery.fleet", sim.env, *hosts, "--tags", tags)
    for done in (one, many):
        assert (done.rc, sim.posts()) == (0, []), done.output
        assert "To run exactly this plan: " in done.stdout


def test_tags_that_select_no_step_are_refused(sim: Simulator) -> None:
    """Ansible itself would succeed. In a user's own play, such tags may select other tasks."""
    variables = {"restore_dcs": [cache()], "restore_point": "latest"}
    done = run(sim, variables, "--tags", "restor")
    assert (done.rc, sim.ledger) == (2, []), done.output
    assert "--tags restor selects no step, so nothing was started." in done.output
    role = {"import_role": {"name": "huaweicloud.recovery.restore"}, "vars": variables}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    other = {"debug": {"msg": "deployed"}, "tags": "deploy"}
    own = {**play, "tasks": [role, other]}
    done = invoke.playbook(yaml.safe_dump([own]), sim.env, "--tags", "deploy")
    assert (done.rc, len(done.of("debug")), sim.ledger) == (0, 1, []), done.output
    name, empty = "huaweicloud.recovery.restore", {"restore_dcs": ""}
    for how, words in (
        ({}, "include_role, but no task"),
        ({"apply": {"tags": "deploy"}}, "nothing to restore"),
    ):
        include = {"include_role": {"name": name, **how}, "vars": empty, "tags": "deploy"}
        done = invoke.playbook(yaml.safe_dump([{**play, "tasks": [include]}]), sim.env, "--tags", "deploy")
        assert (done.rc, sim.ledger, words in done.output) == (2, [], True), done.output


def test_the_role_runs_without_a_playbook(sim: Simulator) -> None:
    """`ansible -m` has no tags, and defines none of their variables."""
    given = json.dumps({"restore_dcs": [cache()], "restore_point": "latest"})
    include, role = "ansible.builtin.include_role", "huaweicloud.recovery.restore"
    done = invoke.adhoc(include, sim.env, "-e", given, "--check", name=role)
    assert (done.rc, sim.posts()) == (0, []), done.output
    assert "OVERWRITE with" in done.stdout


WRONG: dict[str, tuple[Variables, str]] = {
    "nothing to restore": ({}, "There is nothing to restore"),
    "blanks of a survey": (
        dict.fromkeys(
            ["restore_dcs", "restore_ddm", "restore_wait_timeout", "restore_plan", "restore_max_gap"], ""
        ),
        "There is nothing to restore",
    ),
    "a text that is no list": (
        {"restore_dcs": f"instance_id={ids.DCS_INSTANCE} restore_point=latest"},
        "restore_dcs must be a list, not the text",
    ),
    "a target twice": ({"restore_dcs": [cache(backup_id="b"), cache(backup_id="c")]}, "by 2 entries"),
    "source is target": (
        {"restore_ddm": [database(target_instance_id=ids.DDM_SOURCE, restore_time="latest")]},
        "as both source and target",
    ),
    "a naive time": ({"restore_dcs": [cache(restore_point="2026-01-31T03:00:00")]}, "names no time zone"),
    "no number": (
        {"restore_dcs": [cache(backup_id="b")], "restore_wait_timeout": "soon"},
        "restore_wait_timeout must",
    ),
    "too long": ({"restore_dcs": [cache(backup_id="b")], "restore_wait_timeout": "90d"}, "from 0 to 604800"),
    "no place for the report": (
        {"restore_dcs": [cache(backup_id="b")], "restore_report_dir": "/dev/null/reports"},
        "No report can be written to /dev/null/reports",
    ),
}


def test_refuses_bad_input_before_any_request_and_publishes_why(sim: Simulator) -> None:
    block = [
        {"ansible.builtin.include_role": {"name": "huaweicloud.recovery.restore"}, "vars": variables}
        for variables, dummy in WRONG.values()
    ]
    tasks = [
        {
            "name": name,
            "block": [included],
            "rescue": [
                {
                    "name": f"Refused: {name}",
                    "ansible.builtin.debug": {"msg": "{{ restore_result.report.msg }}"},
                }
            ],
        }
        for name, included in zip(WRONG, block, strict=True)
    ]
    done = invoke.playbook(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), sim.env
    )
    for name, (dummy, message) in WRONG.items():
        (shown,) = done.of(f"Refused: {name}")
        assert message in str(shown["msg"]), (name, shown)
        assert "Nothing was started." in str(shown["msg"]), name
    reports = [
        entry["ansible_stats"]["data"]["restore_reported"]
        for entry in done.of("huaweicloud.recovery.restore : Report")
    ]
    assert len(reports) == len(WRONG)
    assert {tuple(sorted(one)) for one in reports} == {tuple(sorted(reports[0]))}
    assert {one["verdict"] for one in reports} == {"refused"}
    assert sim.ledger == []


def test_names_of_a_survey_and_a_protected_instance(sim: Simulator) -> None:
    """The names are in scripts that are written from the right, that combine, or that fill two columns."""
    name = sim.state.dcs_instances[ids.DCS_INSTANCE].name = "ذاكرة-הזמנות-заказы"
    other = sim.state.dcs_instances[ids.DCS_OTHER].name = "कैश-แคช-缓存-キャッシュ-캐시-e\u0301"
    answers = {"restore_instances": f"{name}\n{other}\n", "restore_point": "latest", "restore_dcs": ""}
    protected = {"restore_protected": f"nobody, {other}", "restore_safety_backup": "false"}
    done = run(sim, {**answers, **protected})
    assert done.rc == 2
    assert outcomes(done) == {
        ids.DCS_INSTANCE: ("succeeded", None, None),
        ids.DCS_OTHER: (None, "plan", "protected"),
    }
    assert len(sim.posts()) == 1
    assert name in done.stdout and unicodedata.normalize("NFC", other) in done.stdout
    wrong = run(sim, {**answers, "restore_instances": "orders-cach"})
    assert "there is no instance 'orders-cach' in this project and region" in report(wrong)["msg"]
    undefined = run(sim, {"restore_dcs": [cache(backup_id="{{ nowhere }}")]})
    assert "restore_dcs cannot be read" in report(undefined)["msg"]


PYTHON = "ansible_python_interpreter"
ON_ANOTHER_HOST = """
- name: Stop
  ansible.builtin.setup: {gather_subset: ["!all", "!min", python]}
  delegate_to: app
  become: true
  become_user: nobody
"""
SUDO = '#!/bin/sh\ntouch {}/asked\nwhile [ $1 != /bin/sh ]; do shift; done\nexec "$@"\n'


def test_the_playbook_is_immune_to_become_and_takes_connection_from_module_defaults(tmp_path: Path) -> None:
    """And to another Python. None of this holds for tasks of the user, on other hosts as well."""
    with Simulator(restore_seconds=1) as sim:
        (tmp_path / "hosts.ini").write_text(
            "localhost ansible_connection=local ansible_become=true ansible_become_exe=/nowhere "
            f"{PYTHON}=/nowhere\napp ansible_connection=local ansible_become_exe={tmp_path}/sudo "
            f"{PYTHON}={tmp_path}/python\n"
        )
        (tmp_path / "python").symlink_to(sys.executable)
        (tmp_path / "sudo").write_text(SUDO.format(tmp_path))
        (tmp_path / "sudo").chmod(0o755)
        (tmp_path / "stop.yml").write_text(ON_ANOTHER_HOST)
        variables = {"restore_dcs": [cache()], "restore_point": "latest", "restore_safety_backup": False}
        hook = {"restore_before_tasks": str(tmp_path / "stop.yml")}
        done = run(sim, {**variables, **hook}, "-i", str(tmp_path / "hosts.ini"))
        assert done.rc == 0, done.output
        (stopped,) = done.of("huaweicloud.recovery.restore : Stop")
        assert stopped["ansible_facts"]["ansible_python"]["executable"] == f"{tmp_path}/python"
        assert (tmp_path / "asked").exists()
        connection = {
            name.removeprefix("HW_").lower().replace("region_name", "region"): value
            for name, value in sim.env.items()
        }
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/huaweicloud.recovery.all": connection},
            "vars": {**variables, "restore_operation_id": "second", "restore_poll_interval": 1},
            "tasks": [{"ansible.builtin.include_role": {"name": "huaweicloud.recovery.restore"}}],
        }
        second = invoke.playbook(yaml.safe_dump([play]), {})
        assert second.rc == 0, second.output
        assert ids.SECRET_KEY not in second.output + json.dumps(second.results)
        assert (len(sim.posts()), sim.errors) == (2, [])


@pytest.mark.parametrize("where", ["environment", "module_defaults"])
def test_each_request_for_a_row_goes_to_its_own_project(tmp_path: Path, where: str) -> None:
    """Those for its safety backup and for its name, too. A project belongs to one region."""
    elsewhere = "0" * 32
    projects = [elsewhere, ids.OTHER_PROJECT_ID, ids.PROJECT_ID]
    places = [{"region": "eu-west-101"}, {"profile": "staging"}, {"region": ids.REGION}]
    keys = {"accessKeyId": ids.ACCESS_KEY, "secretAccessKey": ids.SECRET_KEY, "region": ids.REGION}
    staging = {"name": "staging", "mode": "AKSK", **keys, "projectId": ids.OTHER_PROJECT_ID}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"current": "staging", "profiles": [staging]}))
    with Simulator(scenario="fleet-3-0", restore_seconds=1) as sim:
        sim.state.projects[elsewhere] = "eu-west-101"
        env = {**sim.env, "HW_SHARED_CONFIG_FILE": str(config)}
        options = {name.removeprefix("HW_").lower(): value for name, value in env.items()}
        options["region"] = options.pop("region_name")
        caches = [sim.state.dcs_instances[ids.fleet_dcs_instance(number)] for number in range(3)]
        asked = {
            "restore_dcs": [
                {"instance_name": one.name, **place} for one, place in zip(caches, places, strict=True)
            ],
            "restore_point": "latest",
            "restore_operation_id": "CHG-1042",
            "restore_report_dir": str(tmp_path),
            "restore_wait_timeout": 2,
            "restore_poll_interval": 1,
        }
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": asked,
            "roles": ["huaweicloud.recovery.restore"],
        }
        if where == "module_defaults":
            play["module_defaults"] = {"group/huaweicloud.recovery.all": options}
        sim.fault("stuck", "dcs.restore", on=ids.fleet_dcs_instance(0))
        for check in ([], ["--check"]):
            invoke.playbook(yaml.safe_dump([play]), env if where == "environment" else {}, *check)
        assert {post.path.split("/")[4] for post in sim.posts()} == {one.id for one in caches}
        found = {
            one.id: {entry.path.split("/")[2] for entry in sim.ledger if f"/{one.id}/" in entry.path}
            for one in caches
        }
        assert found == {one.id: {project} for one, project in zip(caches, projects, strict=True)}
        lists = [entry.path.split("/")[2] for entry in sim.requests("dcs.instances")]
        assert sorted(lists) == sorted(2 * projects)


@pytest.mark.parametrize(
    "in_process", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["in process", "as a module"]
)
def test_metadata_of_nodes_that_rds_has_restored(sim: Simulator, in_process: bool) -> None:
    pairs = ((ids.DN_SOURCE_1, ids.DN_TARGET_1), (ids.DN_SOURCE_2, ids.DN_TARGET_2))
    relations = [{"source_instance_id": one, "target_instance_id": other} for one, other in pairs]
    entry = database(metadata=True, data_node_relations=relations)
    hours_ago = int(time.time()) - 7200
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(hours_ago + 8 * 3600))
    given = {"restore_ddm": [entry], "restore_point": local, "restore_timezone": ""}
    done = run(sim, {**given, "huaweicloud_recovery_in_process": in_process}, HW_TIMEZONE="Asia/Singapore")
    assert done.rc == 0, done.output
    assert "OVERWRITE the metadata of the schemas with those of orders-db " in done.stdout
    assert [entry.operation for entry in sim.posts()] == ["ddm.metadata_recovery"]
    body = json.loads(sim.posts()[0].body)
    assert set(body["target"]["data_nodes"]) == {ids.DN_TARGET_1, ids.DN_TARGET_2}
    assert int(body["source"]["restore_time"]) == hours_ago * 1000
