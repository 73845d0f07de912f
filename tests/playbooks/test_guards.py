# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must stop a run before it overwrites anything, and what must make it fail, in every spelling."""

from __future__ import annotations

import itertools
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.release import __version__

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _hooks
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

FLEET, ROLE = "huaweicloud.recovery.fleet", "huaweicloud.recovery.restore"
READINESS = "huaweicloud.recovery.readiness"
ENTRY = {"instance_id": ids.DCS_INSTANCE, "backup_id": ids.DCS_BACKUP}
ONE: dict[str, Any] = {
    "restore_dcs": [ENTRY],
    "restore_safety_backup": False,
}


def cache(number: int, **more: Any) -> dict[str, Any]:
    return {"service": "dcs", "instance_id": ids.fleet_dcs_instance(number), **more}


def fleet(sim: Simulator, folder: Path, hosts: dict[str, Any], *args: str) -> invoke.Completed:
    """Run the playbook with a script as inventory, which can have any host names."""
    path = folder / "hosts.sh"
    data = {"all": {"hosts": list(hosts)}, "_meta": {"hostvars": hosts}}
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(data)}\nEND\n")
    path.chmod(0o755)
    return invoke.playbook(FLEET, sim.env, "-i", str(path), "-e", "fleet_poll_interval=1", *args)


def run(sim: Simulator, variables: dict[str, Any], playbook: str = ROLE, **how: Any) -> invoke.Completed:
    given = json.dumps({"restore_poll_interval": 1, **variables})
    return invoke.playbook(playbook, sim.env, "-e", given, **how)


@pytest.mark.parametrize(  # unit/test_patterns.py has more
    "limit", [" ", pytest.param("!zz", marks=pytest.mark.slow), "@empty"]
)
def test_a_limit_that_names_no_host_counts_as_missing(tmp_path: Path, limit: str) -> None:
    """Ansible reads such a limit as all hosts, but a restore of all hosts must be explicit."""
    if limit == "@empty":
        (tmp_path / "failed.retry").write_text("")
        limit = f"@{tmp_path}/failed.retry"
    with Simulator("fleet-2-0", restore_seconds=1) as sim:
        done = fleet(sim, tmp_path, {"a": cache(0), "b": cache(1)}, "--limit", limit)
        assert (done.rc != 0, sim.posts()) == (True, [])
    assert "fleet_hosts=all means all of them" in done.stdout


def test_an_invalid_batch_size_fails_the_run(tmp_path: Path) -> None:
    with Simulator("fleet-2-0") as sim:
        done = fleet(sim, tmp_path, {"a": cache(0), "b": cache(1)}, "--limit", "a", "-e", "fleet_serial=0")
        assert (done.rc != 0, sim.ledger) == (True, [])
    assert "fleet_serial must be a number of hosts from 1, or from 1% to 100%, not '0'" in done.output


def test_a_limit_that_leaves_no_host_of_fleet_hosts_fails_the_run(tmp_path: Path) -> None:
    with Simulator("fleet-2-0") as sim:
        done = fleet(sim, tmp_path, {"a": cache(0), "b": cache(1)}, "--limit", "a", "-e", "fleet_hosts=b")
    assert done.rc != 0 and "no host matches both fleet_hosts 'b' and --limit 'a'" in done.output


@pytest.mark.parametrize("pattern", ["localhost", "127.0.0.1", "localhost:a", " LOCALHOST "])
def test_a_fleet_does_not_take_the_controller_for_one_of_its_hosts(tmp_path: Path, pattern: str) -> None:
    """Ansible adds such a host if only the pattern names it. Later plays do not find it in the inventory."""
    with Simulator("fleet-1-0") as sim:
        done = fleet(sim, tmp_path, {"a": cache(0)}, "-e", json.dumps({"fleet_hosts": pattern}))
        assert (done.rc != 0, sim.ledger) == (True, []), done.output
    assert "Nothing was restored: " in done.output and pattern.strip() in done.output


ELSEWHERE = {"--limit": "leaves out localhost", "--start-at-task": "would leave out steps before that task"}


EVERY = ["drill", "plan", "readiness", "report", "restore", "undo"]
OPTIONS = list(itertools.product(EVERY, ELSEWHERE))


@pytest.mark.parametrize(
    ("playbook", "option"),
    [  # each playbook with one of the options; make slow has both
        pytest.param(*both, marks=[pytest.mark.slow] if number % 4 in (1, 2) else [])
        for number, both in enumerate(OPTIONS)
    ],
)
def test_options_that_leave_everything_out_are_red(tmp_path: Path, playbook: str, option: str) -> None:
    (tmp_path / "hosts").write_text("web\n")
    done = invoke.playbook(
        f"huaweicloud.recovery.{playbook}", {}, "-i", str(tmp_path / "hosts"), option, "web"
    )
    assert done.rc != 0 and f"Nothing was started: {option} 'web' {ELSEWHERE[option]}" in done.output


def test_a_fleet_that_would_start_in_the_middle_is_red(tmp_path: Path) -> None:
    with Simulator("fleet-1-0") as sim:
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"hosts": {"a": cache(0)}}}))
        given = ("-i", str(inventory), "--limit", "a", "--start-at-task", "Report why")
        done = invoke.playbook(invoke.ROOT / "playbooks" / "fleet.yml", sim.env, *given)
        assert (done.rc != 0, sim.ledger) == (True, [])
    assert "--start-at-task 'Report why' would leave out steps before that task" in done.output


def test_a_limit_that_holds_the_controller_is_none_too_many(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("web\n[here]\nlocalhost\n")
    with Simulator(restore_seconds=1) as sim:
        given = json.dumps({"restore_poll_interval": 1, **ONE})
        done = invoke.playbook(
            "huaweicloud.recovery.restore", sim.env, "-e", given, "-i", str(tmp_path / "hosts"), "-l", "here"
        )
        assert (done.rc, len(sim.posts())) == (0, 1), done.output


def test_the_order_of_batches_hides_no_failure(tmp_path: Path) -> None:
    """The last batch has not the last host of the inventory."""
    with Simulator("fleet-2-0", restore_seconds=1) as sim:
        sim.fault("forbidden", "dcs.restore", on=ids.fleet_dcs_instance(0))
        hosts = {"a": cache(0), "b": cache(1)}
        assert fleet(sim, tmp_path, hosts, "-e", "fleet_hosts=b:a", "-e", "fleet_serial=1").rc == 2


def test_a_host_whose_name_is_not_a_pattern_fails(tmp_path: Path) -> None:
    with Simulator("fleet-1-0", restore_seconds=1) as sim:
        hosts = {"a,b c": {"service": "dcs", "instance_id": ids.DCS_OTHER}, "good": cache(0)}
        assert fleet(sim, tmp_path, hosts, "-e", "fleet_hosts=all").rc == 2


def test_the_name_of_a_host_must_be_that_of_the_cloud(tmp_path: Path) -> None:
    with Simulator("fleet-1-0", restore_seconds=1) as sim:
        done = fleet(sim, tmp_path, {"a": cache(0, name="orders-scratch")}, "--limit", "a")
        assert sim.posts() == [] and "is called 'cache-0000' in the cloud" in done.stdout


@pytest.mark.parametrize(
    ("given", "msg"), [("poll_interval", "from 1 to 3600 seconds, not 0"), ("wait_timeout", "")]
)
def test_a_zero_of_a_fleet_is_not_a_blank(tmp_path: Path, given: str, msg: str) -> None:
    with Simulator("fleet-1-0", restore_seconds=60) as sim:
        zero = json.dumps({f"fleet_{given}": 0})
        done = fleet(sim, tmp_path, {"a": cache(0)}, "--limit", "a", "-e", zero)
    assert (done.rc, len(sim.posts())) == (2, 0 if msg else 1), done.output
    assert (f"fleet_poll_interval must be {msg}" if msg else "wait_timeout") in done.output


@pytest.mark.parametrize("blank", [" ", '"*prod*"', False])
def test_a_drill_refuses_production_whatever_a_survey_leaves_blank(blank: Any) -> None:
    with Simulator(restore_seconds=1) as sim:
        sim.state.dcs_instances[ids.DCS_INSTANCE].name = "orders-prod"
        given = {**ONE, "drill_scratch": "*", "drill_production": blank, "drill_window_days": " "}
        done = run(sim, given, "huaweicloud.recovery.drill")
        assert done.rc != 0 and sim.posts() == []
    assert "A drill never overwrites production" in done.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        [
            (
                {"connection": {"database": "orders"}},
                "database must be the number of a database of the cache",
            ),
            (
                {"connection": {"tls": "maybe"}},
                "restore_dcs[1].connection.tls must be true or false, not 'maybe'",
            ),
            ({"connection": {"password_variable": "no_such"}}, "names 'no_such', but there is no such"),
            (
                {"connection": {"password_variable": "broken"}},
                "names 'broken', but it cannot be read: a vault",
            ),
            ({"checks": [{"ping": False}]}, "restore_dcs[4].checks[0].ping must be written as {ping: true}"),
        ],
        # files are read when everything else is right
        [({"connection": {"ca_path": "/nope.pem"}}, "ca_path /nope.pem cannot be read")],
        [({"checks": [{"ping": True, "connection": {"ca_path": "."}}]}, "ca_path . cannot be read")],
    ],
    ids=["values", "file", "file of a check"],
)
def test_checks_that_could_only_fail_start_nothing(wrong: list[tuple[dict[str, Any], str]]) -> None:
    """Otherwise they would fail only after the data were overwritten."""
    with Simulator(restore_seconds=1) as sim:
        entries = [{**ENTRY, **checked} for checked, dummy in wrong]
        given = {**ONE, "restore_dcs": entries, "broken": "hunter2 {{ no_such_variable }}"}
        done = run(sim, given)
        assert (done.rc != 0, sim.ledger) == (True, [])
    assert [text for dummy, text in wrong if text not in done.stdout] == []
    assert "REFUSED  Nothing was started." in done.stdout and "hunter2" not in done.output


HUGE = "{{ 10 ** 5000 }}"  # a number of which Python makes no text
makes_numbers = pytest.mark.skipif(
    tuple(map(int, __version__.split(".")[:2])) < (2, 19), reason="before core 2.19 a template makes a text"
)


@makes_numbers
def test_variables_that_make_our_code_fail_are_refused_and_reported() -> None:
    with Simulator(restore_seconds=1) as sim:
        done = run(sim, {**ONE, "restore_operation_id": HUGE})
        assert (done.rc, sim.ledger) == (2, []), done.output
    assert "REFUSED  Nothing was started." in done.stdout and "Traceback" not in done.output
    assert "Unexpected ValueError while the variables were read." in done.stdout


@makes_numbers
def test_variables_that_begin_to_make_our_code_fail_in_a_hook_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "stop.yml").write_text(f"- set_fact: {{restore_max_gap: '{HUGE}'}}\n")
    with Simulator(restore_seconds=1) as sim:
        given = {**ONE, "restore_before_tasks": "stop.yml", "restore_report_dir": str(tmp_path / "r")}
        done = run(sim, given, cwd=tmp_path)
        assert (done.rc, sim.posts()) == (2, []), done.output
    assert "Traceback" not in done.output
    (path,) = (tmp_path / "r").glob("*.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (written["verdict"], written["restores"][0]["error_kind"]) == ("refused", "internal_error")


def test_what_no_log_redacts_is_in_no_report(tmp_path: Path) -> None:
    """A play that ignores failures does not ignore that of the user's tasks: nothing is overwritten then."""
    (tmp_path / "stop.yml").write_text("- name: Stop\n  fail: {msg: 'pw=hunter2secret'}\n  no_log: true\n")
    given = {**ONE, "restore_before_tasks": "stop.yml", "restore_report_dir": str(tmp_path / "r")}
    play = {"hosts": "localhost", "ignore_errors": True, "gather_facts": False, "vars": given}
    play["tasks"] = [{"include_role": {"name": "huaweicloud.recovery.restore"}}]
    with Simulator(restore_seconds=1) as sim:
        done = invoke.playbook(yaml.safe_dump([play]), sim.env, cwd=tmp_path)
        assert sim.posts() == [], done.output
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "r").iterdir())
    assert "hunter2secret" not in written and "Stop: no_log hides its output." in written
    assert "failed: Stop: pw=hunter2secret" not in done.stdout


def test_blank_hooks_are_unset() -> None:
    hooks = dict.fromkeys(("restore_before_tasks", "restore_verify_tasks", "restore_after_tasks"), " ")
    with Simulator(restore_seconds=1) as sim:
        assert run(sim, {**ONE, **hooks}).rc == 0


HOOKS = ("restore_before_tasks", "restore_verify_tasks", "restore_after_tasks")
WRONG_HOOKS = {
    "there is no file 'nowhere.yml'": None,
    "cannot be run": "- name: a\n  debug: {msg: a\n",
    "must hold a list of tasks, not a dictionary": "debug: {msg: a}\n",
    "frobnicate": "- name: a\n  frobnicate: {}\n",
    "it is not a regular file": "folder",
    "has meta: end_play, after which": "- block:\n    - meta: end_play\n      when: closed is defined\n",
}


@pytest.mark.parametrize("numbers", [(0, 1, 2), (3, 4, 5)])
def test_a_tasks_file_that_cannot_run_is_found_before_any_request(
    tmp_path: Path, numbers: tuple[int, ...]
) -> None:
    given, words = {}, [list(WRONG_HOOKS)[number] for number in numbers]
    for name, word in zip(HOOKS, words, strict=False):
        text, path = WRONG_HOOKS[word], tmp_path / f"{name}.yml"
        if text == "folder":
            path.mkdir()
        elif text:
            path.write_text(text)
        given[name] = str(path) if text else "nowhere.yml"
    with Simulator(restore_seconds=1) as sim:
        done = run(sim, {**ONE, **given}, cwd=tmp_path)
        assert (done.rc, sim.ledger) == (2, [])
    for name, word in zip(given, words, strict=True):
        assert any(name in line and word in line for line in done.stdout.splitlines()), (word, done.output)
    assert "REFUSED  Nothing was started." in done.stdout


ENDS = {
    "stop.yml": "include_tasks: sub.yml",
    "sub.yml": "include_role: {name: shop}",
    "main": "include_role: {name: shop, tasks_from: halt}",
    "halt": "meta: end_play",
}


NOTIFIES = "- command: echo\n  notify: Start the shop\n"


def test_an_end_of_the_run_is_found_in_what_a_tasks_file_includes(tmp_path: Path) -> None:
    role = tmp_path / "roles" / "shop" / "tasks"
    paths = {"main": role / "main.yml", "halt": role / "halt.yml"}
    handlers = tmp_path / "roles" / "start" / "handlers" / "main.yml"
    for folder in (role, handlers.parent):
        folder.mkdir(parents=True)
    for name, task in ENDS.items():
        paths.get(name, tmp_path / name).write_text(f"- {task}\n- include_tasks: stop.yml\n  when: false\n")
    handlers.write_text("- name: Start it\n  listen: Start the shop\n  debug:\n")
    (tmp_path / "alone.yml").write_text(NOTIFIES)
    (tmp_path / "both.yml").write_text(f"- include_role: {{name: start}}\n{NOTIFIES}")
    hooks = dict(zip(HOOKS, ("stop.yml", "alone.yml", "both.yml"), strict=True))
    with Simulator() as sim:
        env = {**sim.env, "ANSIBLE_ROLES_PATH": str(tmp_path / "roles")}
        given = json.dumps({**ONE, **hooks})
        done = invoke.playbook("huaweicloud.recovery.restore", env, "-e", given, cwd=tmp_path)
        assert (done.rc, sim.ledger) == (2, [])
    assert "stop.yml has meta: end_play, after which the run would succeed" in done.output
    assert "alone.yml notifies the handler 'Start the shop', which the play does not have" in done.output
    assert "2 problems" in done.output, "the role in both.yml has the handler"


def test_only_a_play_of_the_collection_is_known_to_lack_a_handler() -> None:
    """In another play, a role that it has included before may have brought the handler along."""
    task, lists = SimpleNamespace(notify="Start the shop"), {"handlers": list[Any]()}
    for alone, missing in ((True, ["Start the shop"]), (False, [])):
        play = SimpleNamespace(**lists, vars={_hooks.ALONE: alone})
        assert _hooks.unhandled(task, play) == missing


@pytest.mark.parametrize("end", ["end_play", pytest.param("end_role", marks=pytest.mark.slow)])
def test_a_run_that_a_task_ends_early_is_red(tmp_path: Path, end: str) -> None:
    """Ansible succeeds then, and nothing was restored. No plan can read a file whose name is a template."""
    (tmp_path / "stop.yml").write_text('- include_tasks: "{{ which }}.yml"\n')
    (tmp_path / "which.yml").write_text(f"- meta: {end}\n")
    with Simulator(restore_seconds=1) as sim:
        given = {**ONE, "restore_before_tasks": str(tmp_path / "stop.yml"), "which": str(tmp_path / "which")}
        done = run(sim, given, "huaweicloud.recovery.restore")
        assert (done.rc != 0, sim.posts()) == (True, []), done.output
    assert "The run has not reached its end, and wrote no last report" in done.output
    assert "The same command resumes the run, and writes that report." in done.stdout


def test_a_tasks_file_cannot_run_the_role_within_a_run(tmp_path: Path) -> None:
    """Its run took the place of the one around it, which was planned again, after the hook."""
    role = {"name": ROLE}
    hooks: dict[str, Any] = {
        "before": {"ansible.builtin.include_role": role},
        "verify": {"block": [{"ansible.builtin.import_role": role}]},
        "after": {"ansible.builtin.include_role": {**role, "tasks_from": "plan"}},
    }
    given = {}
    for name, task in hooks.items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump([task]), encoding="utf-8")
        given[f"restore_{name}_tasks"] = str(tmp_path / f"{name}.yml")
    with Simulator(restore_seconds=1) as sim:
        done = run(sim, {**ONE, **given})
        assert (done.rc, sim.ledger) == (2, []), done.output
    for name, path in given.items():
        assert f"{name}: {path} runs the role restore, whose run would replace" in done.stdout


@pytest.mark.parametrize("how", ["import_role", "include_role"])
def test_a_condition_around_the_role_that_its_report_ends_hides_no_failure(how: str) -> None:
    """Ansible asks an inherited condition again before each task, so it skipped the task that fails."""
    given = {**ONE, "restore_max_gap": "soon"}
    task = {how: {"name": ROLE}, "vars": given, "when": ["true", "restore_result is not defined"]}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [task]}
    with Simulator() as sim:
        done = invoke.playbook(yaml.safe_dump([play]), sim.env)
        assert (done.rc, sim.ledger) == (2, []), done.output
    assert "restore_max_gap must be seconds or a duration" in done.stdout


def test_two_roles_that_depend_on_the_role_are_two_runs(tmp_path: Path) -> None:
    """Ansible skips a dependency that it has met before, unless the role allows that: all would be green."""
    for number in range(2):
        entry = {"instance_id": ids.fleet_dcs_instance(number), "restore_point": "latest"}
        for folder, content in (
            ("meta", {"dependencies": [{"role": ROLE}]}),
            ("vars", {**ONE, "restore_dcs": [entry], "restore_poll_interval": 1}),
        ):
            path = tmp_path / "roles" / f"stack{number}" / folder / "main.yml"
            path.parent.mkdir(parents=True)
            path.write_text(yaml.safe_dump(content), encoding="utf-8")
    play = [{"hosts": "localhost", "gather_facts": False, "roles": ["stack0", "stack1"]}]
    with Simulator("fleet-2-0", restore_seconds=1) as sim:
        env = {**sim.env, "ANSIBLE_ROLES_PATH": str(tmp_path / "roles")}
        done = invoke.playbook(yaml.safe_dump(play), env, cwd=tmp_path)
        assert (done.rc, len(sim.posts("dcs.restore"))) == (0, 2), done.output


def test_readiness_runs_no_tasks_of_the_user(tmp_path: Path) -> None:
    """They would stop the application, and readiness runs every morning."""
    (tmp_path / "stop.yml").write_text("- import_tasks: shop.yml\n")  # which lies beside it
    (tmp_path / "shop.yml").write_text("- name: Stop the shop\n  debug: {msg: stopped}\n")
    with Simulator(restore_seconds=1) as sim:
        done = run(sim, {**ONE, **dict.fromkeys(HOOKS, "stop.yml")}, READINESS, cwd=tmp_path)
    assert (done.rc, done.of("debug")) == (0, []), done.output


OMITTED = "{{ nowhere | default(omit) }}"


def omitting(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, OMITTED)


@pytest.mark.parametrize("playbook", ["restore", pytest.param("drill", marks=pytest.mark.slow), "readiness"])
def test_an_omitted_value_counts_as_unset(tmp_path: Path, playbook: str) -> None:
    entry = {"instance_id": ids.DCS_INSTANCE, **omitting("remark", "region", "connection", "checks")}
    given = {
        "restore_dcs": [OMITTED, entry],
        **omitting("restore_ddm", *HOOKS, "restore_plan_file", "restore_report", "restore_safety_backup"),
        **omitting("restore_timezone", "restore_rpo_target", "restore_report_dir"),
        **omitting("drill_production", "drill_window_days", "drill_seed"),
        **{"restore_point": "latest", "drill_scratch": ["*", OMITTED]},
    }
    (tmp_path / "vars.yml").write_text(json.dumps(given))
    with Simulator(restore_seconds=1) as sim:
        done = invoke.playbook(
            f"huaweicloud.recovery.{playbook}", sim.env, "-e", f"@{tmp_path}/vars.yml", "--check"
        )
    assert done.rc == 0, done.output


def inventory(folder: Path, hosts: dict[str, Any]) -> str:
    """An inventory file, whose texts are templates; those of a script are not."""
    path = folder / "hosts.yml"
    path.write_text(json.dumps({"all": {"hosts": hosts}}))
    return str(path)


def test_a_value_that_a_host_omits_counts_as_unset(tmp_path: Path) -> None:
    names = ("restore_point", "backup_id", "instance_name", "region", "project_id", "group", "checks")
    hosts = {"a": cache(0, **omitting(*names))}
    run_wide = json.dumps(
        {
            **omitting("fleet_hosts", "fleet_wait_timeout", "restore_report_dir"),
            "restore_operation_id": "{{ ansible_play_hosts_all | length }} hosts",  # of the play
        }
    )
    with Simulator("fleet-1-0", restore_seconds=1) as sim:
        args = ("-i", inventory(tmp_path, hosts), "--limit", "a", "--check", "-e", run_wide)
        done = invoke.playbook(FLEET, sim.env, *args)
    assert done.rc == 0, done.output


RUN_ONCE = """
- hosts: d:e
  gather_facts: false
  vars: {caches: "{{ hostvars.a.restore_dcs }}"}
  tasks:
    - ansible.builtin.include_role: {name: huaweicloud.recovery.restore}
      run_once: true
- hosts: a:b:c
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: huaweicloud.recovery.restore}
      run_once: true
      loop: [a, b]
      vars: {restore_dcs: "{{ hostvars[item].restore_dcs }}"}
    - ansible.builtin.include_role: {name: huaweicloud.recovery.restore}
      run_once: true
"""


def test_run_once_leaves_out_no_host_that_names_other_instances(tmp_path: Path) -> None:
    """The hosts that are left out would be green. A loop may hand on what each of them names, and a play
    may give all of them the same.
    """
    caches = [{"instance_id": ids.fleet_dcs_instance(number), "restore_point": "latest"} for number in (0, 1)]
    hosts = {
        name: {"restore_dcs": named, "ansible_connection": "local"}
        for name, named in zip(
            "abcde", [caches[:1], caches[1:], "{{ nowhere.x }}", *["{{ caches }}"] * 2], strict=True
        )
    }
    with Simulator("fleet-2-0", restore_seconds=1) as sim:
        done = invoke.playbook(RUN_ONCE, sim.env, "-i", inventory(tmp_path, hosts), "--check")
    reports = [one["report"] for one in done.of("huaweicloud.recovery.restore : Report")]
    assert [(one["verdict"], len(one["restores"])) for one in reports] == [
        *[("planned", 1)] * 3,
        ("refused", 0),
    ]
    why = "With run_once, only the instances of a would be restored, not those of b, c. Leave run_once out"
    assert done.rc == 2 and reports[3]["msg"].startswith(why)


def test_the_point_of_one_host_does_not_apply_to_others(tmp_path: Path) -> None:
    with Simulator("fleet-2-0", restore_seconds=1) as sim:
        hosts = {"a": cache(0, restore_point="2020-01-01T00:00:00Z"), "b": cache(1)}
        done = fleet(sim, tmp_path, hosts, "-e", "fleet_hosts=all", "--check")
    first, second = done.of("Restore all hosts")[-1]["report"]["restores"]
    assert (first["error_kind"], second["restore_point"]) == ("not_restorable", "latest")


def test_what_holds_for_the_run_is_not_taken_from_one_host(tmp_path: Path) -> None:
    with Simulator("fleet-2-0", restore_seconds=1) as sim:
        hosts = {"a": cache(0), "b": cache(1, restore_protected=["cache-*"])}
        done = fleet(sim, tmp_path, hosts, "-e", "fleet_hosts=all")
        assert (done.rc, sim.ledger) == (2, [])
    assert "restore_protected differs between hosts" in done.stdout


def remembered(folder: Path, host: str, facts: dict[str, Any]) -> dict[str, str]:
    """Let a host have facts in a cache of an earlier run, and return the environment that reads it."""
    env = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "cache")}
    tasks = [{"ansible.builtin.set_fact": {**facts, "cacheable": True}}]
    play = json.dumps([{"hosts": host, "gather_facts": False, "tasks": tasks}], indent=1)
    assert invoke.playbook(play, env, "-i", inventory(folder, {host: {}})).rc == 0
    return env


ON_A_HOST = """
- hosts: app
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: huaweicloud.recovery.restore}
"""
FACTS: list[tuple[str, dict[str, Any]]] = [
    (ON_A_HOST, {"restore_dcs": [{"instance_id": ids.DCS_OTHER, "restore_point": "latest"}]}),
    (ON_A_HOST, {"restore_protected": [], "restore_safety_backup": False}),
    (
        ON_A_HOST.replace("import_role: {", "import_role: {tasks_from: restore, ")
        + "    - ansible.builtin.import_role: {tasks_from: report, name: huaweicloud.recovery.restore}\n",
        {"_restore_state": {"run": {"refused": None}, "restores": []}},
    ),
    (FLEET, {"instance_id": ids.DCS_OTHER}),
    (FLEET, {"backup_id": ids.DCS_BACKUP_OLD}),  # which the inventory leaves open
    (FLEET, {"restore_report_dir": "elsewhere"}),
    (FLEET, {"shared_config_file": "/nowhere"}),
]


def test_no_fact_decides_a_part_of_a_dictionary(tmp_path: Path) -> None:
    """Ansible merges the two where it is told to, and the password of the checks would go elsewhere."""
    env = {
        **remembered(tmp_path, "app", {"connection": {"host": "elsewhere"}}),
        "ANSIBLE_HASH_BEHAVIOUR": "merge",
    }
    host = cache(0, instance_id=ids.DCS_INSTANCE, connection={"username": "u"}, checks=[{"ping": True}])
    with Simulator(restore_seconds=1) as sim:
        args = ("-i", inventory(tmp_path, {"app": host}), "-e", "fleet_hosts=app")
        done = invoke.playbook(FLEET, {**sim.env, **env}, *args)
        assert (done.rc, sim.ledger) == (2, []), done.output
    assert "The facts of app have connection. The host, or an earlier run" in done.stdout


@pytest.mark.parametrize(("play", "facts"), FACTS, ids=[", ".join(facts) for _play, facts in FACTS])
def test_no_fact_decides_a_restore(tmp_path: Path, play: str, facts: dict[str, Any]) -> None:
    """A host sets its own facts, and those of an earlier run live on in a cache. They outrank the inventory,
    and -e outranks them.
    """
    env = remembered(tmp_path, "app", facts)
    given = {"restore_dcs": [ENTRY], "restore_protected": ["reports*"], "restore_safety_backup": True}
    hosts: dict[str, Any] = {"app": given}
    more = ("-e", json.dumps({"restore_poll_interval": 1, "fleet_hosts": "app"}))
    if play == FLEET:
        hosts = {"app": cache(0, instance_id=ids.DCS_INSTANCE)}
    with Simulator(restore_seconds=1) as sim:
        args = ("-i", inventory(tmp_path, hosts), *more)
        done = invoke.playbook(play, {**sim.env, **env}, *args)
        assert (done.rc, sim.ledger) == (2, []), done.output
        assert f"The facts of app have {', '.join(sorted(facts))}. The host, or an earlier run" in done.stdout
        if set(facts) <= {"restore_protected", "restore_safety_backup"}:
            over = json.dumps({**given, "restore_safety_backup": "true"})
            done = invoke.playbook(play, {**sim.env, **env}, *args, "-e", over, "--check")
            assert done.rc == 0 and "Undo: none" not in done.stdout, done.output


SUDO = """#!/bin/bash
while [[ $1 == -* ]]; do [[ $1 == -u ]] && shift; shift; done
exec env -i PATH="$PATH" HOME="$HOME" SUDO_USER=somebody "$@"
"""  # as with sudo's defaults: none of the caller's variables
BECOME = {"become": True, "become_user": "nobody", "become_method": "ansible.builtin.sudo"}


def by_sudo(sim: Simulator, folder: Path, task: dict[str, Any], **variables: Any) -> invoke.Completed:
    (folder / "sudo").write_text(SUDO)
    (folder / "sudo").chmod(0o755)
    env = {**sim.env, "PATH": f"{folder}:{os.environ['PATH']}", "ANSIBLE_PIPELINING": "1"}
    play = json.dumps([{"hosts": "localhost", "gather_facts": False, **BECOME, "tasks": [task]}], indent=1)
    return invoke.playbook(play, env, "-e", json.dumps({"restore_poll_interval": 1, **ONE, **variables}))


@pytest.mark.parametrize("wanted", [None, True])
def test_the_role_needs_no_rights_of_another_user(tmp_path: Path, wanted: bool | None) -> None:
    role = {"ansible.builtin.import_role": {"name": ROLE}}
    more = {"ansible_become": True, "ansible_become_user": "nobody"} if wanted else {}
    with Simulator(restore_seconds=1) as sim:
        done = by_sudo(sim, tmp_path, role, **more)
        assert (done.rc, len(sim.posts())) == (0, 1), done.output


@pytest.mark.parametrize("name", ["start", "wait"])
def test_the_message_explains_keys_that_sudo_has_dropped(tmp_path: Path, name: str) -> None:
    row = {"service": "dcs", "instance_id": ids.DCS_INSTANCE, "outcome": "started", "restore_id": "r"}
    row = {"service": "dcs", **ONE["restore_dcs"][0]} if name == "start" else row
    with Simulator() as sim:
        done = by_sudo(sim, tmp_path, {f"huaweicloud.recovery.restore_{name}": {"restores": [row]}})
        assert (done.rc, sim.ledger) == (2, [])
    assert "The task runs under sudo, which drops the HW_* variables. Leave become out" in done.output


ONCE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "restore": (
        {"restore_point": "soon", "restore_instances": "a", "restore_dcs": [{"instance_id": "b"}]},
        ["restore_point 'soon'"],
    ),
    "drill": (
        {"restore_dcs": "{{ nowhere }}", "drill_scratch": "a b", "restore_timezone": "Mars"},
        ["restore_dcs cannot be read", "drill_scratch has 'a b'", "restore_timezone (or HW_TIMEZONE) 'Mars'"],
    ),
    "undo": ({"restore_report": "{"}, ["restore_report"]),
}


@pytest.mark.parametrize("playbook", ONCE)
def test_what_cannot_be_read_is_reported_once(tmp_path: Path, playbook: str) -> None:
    given, words = ONCE[playbook]
    (tmp_path / "vars.yml").write_text(json.dumps({**given, "restore_baseline": ["x"]}))
    with Simulator() as sim:
        done = invoke.playbook(f"huaweicloud.recovery.{playbook}", sim.env, "-e", f"@{tmp_path}/vars.yml")
        assert (done.rc, sim.ledger) == (2, [])
    lines = done.stdout.partition("REFUSED  Nothing was started.\n")[2].partition("ok: ")[0].splitlines()
    printed = [line.strip() for line in lines]
    assert len(printed) == len(words) + 1 and all(
        any(line.startswith(word) for line in printed) for word in words
    ), printed


def waiting_twice(folder: Path) -> bool:
    """Whether two runs have reported that their restore was accepted."""
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    steps = [[step["step"] for row in report["restores"] for step in row["steps"]] for report in reports]
    # The later report also has the steps of the earlier one, which started the restore.
    return sorted(names.count("restore") for names in steps) == [1, 2]


def test_two_runs_at_once_have_two_reports(tmp_path: Path) -> None:
    given = {**ONE, "restore_operation_id": "CHG-1", "restore_report_dir": str(tmp_path)}
    passed = [0.0]  # seconds in the cloud: the restore ends when both runs wait for it
    later = Simulator(restore_seconds=600, clock=lambda: time.time() + passed[0])
    with later as sim, ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, sim, given)
        while not sim.posts() and not first.done():
            time.sleep(0.1)
        second = pool.submit(run, sim, given)
        while not waiting_twice(tmp_path) and not second.done():
            time.sleep(0.1)
        passed[0] = 600.0
        assert (first.result().rc, second.result().rc, len(sim.posts())) == (0, 0, 1)
    assert "Another run is still writing CHG-1-" in second.result().stdout
    verdicts = [json.loads(path.read_text(encoding="utf-8"))["verdict"] for path in tmp_path.glob("*.json")]
    assert verdicts == ["restored"] * 2 and not [*tmp_path.glob(".*.run")]
