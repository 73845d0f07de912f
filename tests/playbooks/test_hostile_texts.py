# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No text of the cloud is run as a template: by the role, its hooks, its report, the fleet, a later play."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from tests import invoke
from tests.cloud import Simulator, wire
from tests.cloud import scenario as ids
from tests.hostile import HEADER, HOSTILE, RAN

# The cloud compares the VPC and the version of data nodes, so they stay.
FIELDS = {
    "dcs_instances": ("name", "vpc_name", "engine_version"),
    "dcs_backups": ("name", "remark"),
    "ddm_instances": ("name",),
    "ddm_backups": ("name",),
    "data_nodes": ("name",),
}
CONTROL = "\x1b]0;x\x07"  # would give the window of a terminal another title
ROLE = "huaweicloud.recovery.restore"
SHOWN = {"ansible.builtin.debug": {"msg": "{{ restore_result }}{{ restore_result | to_json }}"}}


def poison(sim: Simulator) -> None:
    """Put hostile texts into every field that is only shown."""
    texts = itertools.cycle(HOSTILE)
    for kind, names in FIELDS.items():
        for thing in getattr(sim.state, kind).values():
            vars(thing).update({name: next(texts) for name in names})
    for instance in sim.state.dcs_instances.values():
        instance.tags = {next(texts): next(texts)}


def hostile(done: invoke.Completed) -> set[str]:
    """Which of the texts a run has shown or returned as they are."""
    seen = done.output + json.dumps(done.results)
    return {text for text in HOSTILE if json.dumps(text)[1:-1] in seen or text in seen}


def harmless(folder: Path, *runs: invoke.Completed, rc: int = 0) -> None:
    """The texts were shown, so they were tried, and none was run."""
    for done in runs:
        assert done.rc == rc and hostile(done), done.output
        assert RAN not in done.output + json.dumps(done.results)
        assert CONTROL[0] not in done.output
    assert not [*folder.rglob("injected"), *(invoke.ROOT / "playbooks").glob("injected")]


def test_the_role_runs_no_text_of_the_cloud(tmp_path: Path) -> None:
    hook = tmp_path / "after.yml"
    task = {"ansible.builtin.debug": {"msg": "{{ _restore_state }}"}}
    hook.write_text(yaml.safe_dump([task]), encoding="utf-8")
    variables = {
        "restore_dcs": [{"instance_id": ids.DCS_INSTANCE, "backup_id": ids.DCS_BACKUP}],
        "restore_ddm": [{"source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET}],
        "restore_point": "latest",
        "restore_after_tasks": str(hook),
        "restore_operation_id": "CHG-1",
        "restore_poll_interval": 1,
    }
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": variables,
            "tasks": [
                {"ansible.builtin.include_role": {"name": "huaweicloud.recovery.restore"}},
                SHOWN,
                {"ansible.builtin.set_fact": {"kept": "{{ restore_result.report.restores }}"}},
                {"ansible.builtin.debug": {"msg": "{{ kept }}{{ kept | map(attribute='target') | list }}"}},
                {"ansible.builtin.set_stats": {"data": {"again": "{{ kept }}"}, "per_host": False}},
            ],
        }
    ]
    with Simulator(restore_seconds=1, backup_seconds=1) as sim:
        poison(sim)
        done = invoke.playbook(yaml.safe_dump(play), sim.env, cwd=tmp_path)
        assert sim.started("dcs.restore") == sim.started("ddm.recovery") == 1
    harmless(tmp_path, done)


def statistic(done: invoke.Completed, name: str) -> Any:
    """A statistic of a run, as a job controller hands it on."""
    return done.of("huaweicloud.recovery.restore : Report")[-1]["ansible_stats"]["data"][name]


def test_a_plan_and_a_report_that_are_handed_on_as_data_are_no_templates(tmp_path: Path) -> None:
    """What comes from -e is a template to Ansible, unless a controller marks it."""

    def run(playbook: str, *args: str, **variables: Any) -> invoke.Completed:
        given = json.dumps({"restore_poll_interval": 1, **variables})
        return invoke.playbook(f"huaweicloud.recovery.{playbook}", sim.env, "-e", given, *args, cwd=tmp_path)

    entries = {"restore_dcs": [{"instance_id": ids.DCS_INSTANCE, "backup_id": ids.DCS_BACKUP}]}
    with Simulator(restore_seconds=1, backup_seconds=1) as sim:
        poison(sim)
        planned = run("restore", "--check", **entries)
        plan = statistic(planned, "restore_planned")
        done = run("restore", **entries, restore_planned=plan, restore_plan="{{ restore_planned }}")
        report = statistic(done, "restore_reported")
        undone = run("undo", restore_report=json.dumps(report))
        assert sim.started("dcs.restore") == 2, done.output + undone.output
        shown = run("report", restore_reported=report)
        for none in ("{{ nope }}", "no report"):
            refused = run("report", restore_reported=none)
            assert (refused.rc, "has published no report" in refused.stdout) == (2, True), refused.output
    harmless(tmp_path, planned, done, undone, shown)


def test_the_fleet_runs_no_text_of_the_cloud(tmp_path: Path) -> None:
    path = tmp_path / "fleet.huaweicloud.yml"
    options: dict[str, Any] = {
        "plugin": "huaweicloud.recovery.instances",
        "services": ["dcs"],
        "compose": {"label": "name", "restore_remark": "vpc_name"},
    }
    path.write_text(yaml.safe_dump(options), encoding="utf-8")
    with Simulator("fleet-5-0", restore_seconds=1) as sim:
        poison(sim)
        given = {
            "fleet_poll_interval": 1,
            "fleet_hosts": "all",
            "fleet_report_dir": str(tmp_path / "reports"),
        }
        done = invoke.playbook(
            "huaweicloud.recovery.fleet", sim.env, "-i", str(path), "-e", json.dumps(given), cwd=tmp_path
        )
        assert sim.started("dcs.restore") == 5, done.output
    harmless(tmp_path, done)


# Texts in errors

CACHE = {"instance_id": ids.DCS_INSTANCE, "backup_id": ids.DCS_BACKUP}
TARGET = {"target_instance_id": ids.DDM_TARGET, "restore_time": "latest"}
RESTORE: dict[str, Any] = {**CACHE, "poll_interval": 1}
RECOVERY: dict[str, Any] = {"instance_id": ids.DDM_SOURCE, **TARGET, "poll_interval": 1}
# a fault, what it meets, a module, its options
CALLS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("refusal", "dcs.instances", "dcs_instance_info", {}),
    ("refusal", "dcs.backup", "dcs_backup", {"instance_id": ids.DCS_INSTANCE}),
    ("refusal", "dcs.restore", "dcs_restore", RESTORE),
    ("mutate", "ddm.restorable_instances", "ddm_recovery", RECOVERY),
    ("refusal", "ddm.recovery", "ddm_recovery", RECOVERY),
    ("outcome", "dcs.restore", "dcs_restore", RESTORE),
    ("outcome", "ddm.recovery", "ddm_recovery", RECOVERY),
]
AGAIN = {
    "ansible.builtin.debug": {
        "msg": "{{ found }}{{ found.msg }}{{ found | to_json }}{{ ansible_failed_result.msg }}{{ kept }}"
    }
}


def break_with(sim: Simulator, name: str, operation: str, text: str, **more: Any) -> None:
    """Queue a fault that says a text: of a refusal, of what is not available, or of what has failed."""

    def change(true: wire.Response) -> None:
        for row in next(value for value in true.data.values() if isinstance(value, list)):
            row.update(available=False, unavailable_reason=text)

    given: dict[str, dict[str, Any]] = {
        "refusal": {"message": text, "status": 403, "code": "DCS.2003"},
        "outcome": {"fail": text},
        "mutate": {"function": change},
    }
    sim.fault(name, operation, **given[name], **more)


def test_a_failed_task_and_what_is_made_of_it_run_no_text_of_the_cloud(tmp_path: Path) -> None:
    """Also the text of a job, and what somebody has remarked on a restore and on its backup."""
    texts = itertools.cycle(HOSTILE)
    tasks, expected = list[Any](), list[str]()
    with Simulator(restore_seconds=1, backup_seconds=1) as sim:
        poison(sim)
        for restore in sim.state.dcs_restores.values():
            restore.remark, restore.backup_remark = next(texts), next(texts)
        for job in sim.state.jobs.values():
            job.name, job.fail_reason = next(texts), next(texts)
        for name, operation, module, options in CALLS:
            expected.append(next(texts) + CONTROL)
            break_with(sim, name, operation, expected[-1])
            kept = {"ansible.builtin.set_fact": {"kept": "{{ found.msg }}"}}
            failing = {"name": "Fail", f"huaweicloud.recovery.{module}": options, "register": "found"}
            tasks.append({"block": [failing], "rescue": [kept, AGAIN]})
        for module, options in (
            ("ddm_job_info", {}),
            ("dcs_restore_info", {"instance_id": ids.DCS_INSTANCE}),
        ):
            tasks += [{f"huaweicloud.recovery.{module}": options, "register": "restore_result"}, SHOWN]
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
        done = invoke.playbook(yaml.safe_dump(play), sim.env, cwd=tmp_path)
    harmless(tmp_path, done)
    failed = done.of("Fail")
    for text, result in zip(expected, failed, strict=True):
        assert printable(text) in result["msg"], [one["msg"] for one in failed]
    assert hostile(done) == {*HOSTILE}


def test_a_role_that_fails_runs_no_text_of_the_cloud(tmp_path: Path) -> None:
    role = {"ansible.builtin.include_role": {"name": "huaweicloud.recovery.restore"}}
    again = {"ansible.builtin.debug": {"msg": "{{ ansible_failed_result }}{{ ansible_failed_result.msg }}"}}
    variables = {
        "restore_dcs": [{**CACHE, "group": 1}],
        "restore_ddm": [{"source_instance_id": ids.DDM_SOURCE, **TARGET}],
        "restore_safety_backup": False,
        "restore_poll_interval": 1,
        "restore_report_dir": str(tmp_path / "reports"),
    }
    runs = [{"block": [role], "rescue": [again, SHOWN]} for dummy in range(2)]
    play = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": runs}]
    with Simulator(restore_seconds=1) as sim:
        poison(sim)
        break_with(sim, "mutate", "ddm.restorable_instances", HOSTILE[0])
        break_with(sim, "refusal", "dcs.restore", HEADER)
        break_with(sim, "outcome", "ddm.recovery", HOSTILE[-1])
        done = invoke.playbook(yaml.safe_dump(play), sim.env, cwd=tmp_path)
    harmless(tmp_path, done)
    first, second = (
        {row["service"]: row["msg"] for row in one["report"]["restores"]}
        for one in done.of(f"{ROLE} : Report")
    )
    assert HOSTILE[0] in first["ddm"] and printable(HEADER) in first["dcs"], first
    assert HOSTILE[-1] in second["ddm"], second


def test_a_fleet_whose_hosts_fail_runs_no_text_of_the_cloud(tmp_path: Path) -> None:
    """A last task fails each of these hosts, and shows why."""
    path = tmp_path / "fleet.huaweicloud.yml"
    options: dict[str, Any] = {
        "plugin": "huaweicloud.recovery.instances",
        "compose": {"target_instance_id": "'f1ee7' ~ '1' * 19 ~ instance_id[24:]"},
        "keyed_groups": [{"key": "service", "separator": ""}],
    }
    path.write_text(yaml.safe_dump(options), encoding="utf-8")
    databases = [ids.fleet_ddm_source(number) for number in range(2)]
    faults: list[tuple[str, str, str, dict[str, Any]]] = [
        ("refusal", "dcs.restore", HOSTILE[0] + CONTROL, {}),
        ("refusal", "dcs.restore", HEADER + CONTROL, {}),
        (
            "mutate",
            "ddm.restorable_instances",
            HOSTILE[3] + CONTROL,
            {"on": databases[0], "times": None},
        ),
        ("outcome", "ddm.recovery", HOSTILE[5] + CONTROL, {"on": databases[1]}),
    ]
    with Simulator("fleet-3-2", restore_seconds=1) as sim:
        for name, operation, text, where in faults:
            break_with(sim, name, operation, text, **where)
        args = ("-i", str(path), "--limit", "dcs:db-0000:db-0001", "-e", "fleet_poll_interval=1")
        done = invoke.playbook("huaweicloud.recovery.fleet", sim.env, *args, cwd=tmp_path)
        assert sim.started("dcs.restore") == sim.started("ddm.recovery") == 1, done.output
    harmless(tmp_path, done, rc=2)
    reasons = [result["msg"] for result in done.of("Report why")]
    for text in (fault[2] for fault in faults):
        assert [printable(text) in reason for reason in reasons].count(True) == 1, (text, reasons)
    assert len(reasons) == len(faults)


@pytest.mark.parametrize(
    "name",
    [
        "cache 👩\u200d🚒",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("tab\tname", "trailing ", "back\\u200dslash")
        ),
    ],
)
def test_a_name_with_signs_that_nobody_sees_is_planned_restored_and_undone(tmp_path: Path, name: str) -> None:
    """A plan and a report hold such a name with escapes, or without its blanks. JSON halves an emoji."""
    wanted: dict[str, Any] = {"restore_instances": json.dumps([name]), "restore_point": "latest"}
    if "\t" in name:  # which no variable may hold
        wanted = {"restore_dcs": [{"instance_id": ids.DCS_INSTANCE, "restore_point": "latest"}]}
    with Simulator(restore_seconds=1, backup_seconds=1) as sim:
        sim.state.dcs_instances[ids.DCS_INSTANCE].name = name

        def run(playbook: str, *args: str, **given: Any) -> dict[str, Any]:
            given = {"restore_poll_interval": 1, "restore_report_dir": str(tmp_path / "reports"), **given}
            done = invoke.playbook(
                f"huaweicloud.recovery.{playbook}", sim.env, "-e", json.dumps(given), *args
            )
            assert done.rc == 0, (playbook, done.output)
            return dict(done.of("huaweicloud.recovery.restore : Report")[-1]["report"])

        run("restore", "--check", restore_plan_file=str(tmp_path / "plan.json"), **wanted)
        report = run("restore", restore_plan_file=str(tmp_path / "plan.json"), **wanted)
        run("undo", restore_report=report["files"]["json"])
        assert sim.started("dcs.restore") == 2
