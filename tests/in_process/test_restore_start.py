# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""restore_start in the controller's process and, where that is impossible, one module after another.

Both start the same restores and report them in the same words.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import without_omitted
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.in_process import runs
from tests.in_process.test_fallback import environment

PLAY = runs.HERE / "plays" / "start.yml"
KINDS = {  # of the tasks that fail; None where Ansible refuses the task before it begins
    "some": "invalid_argument",
    "clash": "not_restorable",
    "no_service": "invalid_argument",
    "no_id": "invalid_argument",
    "out_of_range": "invalid_argument",
    "unknown": "invalid_argument",
    "defaults": "auth_failed",
    "environment_of_task": "invalid_argument",
    "background": None,
}
WAYS = pytest.mark.parametrize(
    "mode", [{}, pytest.param(runs.OFF, marks=pytest.mark.slow)], ids=["in process", "as modules"]
)


def outcomes(result: dict[str, Any]) -> list[str]:
    return [row["outcome"] or row["error_kind"] for row in result["restores"]]


def answer(result: dict[str, Any]) -> dict[str, Any]:
    """A result without times, and what only a module's own main() adds.

    Nor the item of a loop: an omitted value is another text in each run. Modules that cannot plan any row do
    not report the account either.
    """
    planned = any(row["outcome"] for row in result.get("restores", []))
    return {
        name: [answer(row) for row in value] if name in ("results", "restores", "steps") else value
        for name, value in result.items()
        if name not in ("invocation", "exception", "at", "seconds", "item", "planned_at")
        and (planned or name != "account")
        # The cloud's clock stands still in these tests.
        and not (name == "warnings" and "clock" in str(value))
    }


def started(sim: Simulator) -> tuple[int, int, int]:
    return len(sim.posts()), sim.started("dcs.restore"), sim.started("ddm.recovery")


@pytest.mark.parametrize(
    "args", [["--skip-tags", "slow"], pytest.param([], marks=pytest.mark.slow)], ids=["most", "all"]
)
def test_both_ways_give_the_same(args: list[str], tmp_path: Path) -> None:
    """In process, every task. As modules, those that start restores, twice and in a loop, or are refused."""
    began = time.time()  # no time passes in this cloud, so both see the same percentage
    with Simulator(restore_seconds=600, clock=lambda: began) as sim:
        action = runs.play(PLAY, tmp_path, sim, "--diff")
        assert started(sim) == (3, 2, 1)
        module = runs.play(PLAY, tmp_path, sim, "--diff", *args, variables=runs.OFF)
        assert started(sim) == (3, 2, 1)
        assert sim.errors == []
    assert action.rc == module.rc == 0, action.output
    assert action.modules == [] and len(module.modules) == (14 if args else 26)
    check(action)
    if not args:
        check(module)
    for secret in (*runs.SECRETS, "the-secret-of-the-group-0001"):
        for done in (action, module):
            assert secret not in done.output + json.dumps([done.registered, done.shown])
    left, right = action.registered["localhost"], module.registered["localhost"]
    assert len(right) == len(left) - (5 if args else 0)
    own_words = ("no_service", "unknown", "excused")  # which Ansible's validator chooses
    for name, result in right.items():
        if name not in own_words and not name.startswith("ansible_"):
            assert dict(runs.flat(answer(left[name]))) == dict(runs.flat(answer(result))), name
    kinds = [
        {
            path: kind
            for path, kind in one.types["localhost"].items()
            if not re.search("invocation|account", path)
        }
        for one in (action, module)
    ]
    assert [
        (path, kind, kinds[1][path]) for path, kind in kinds[0].items() if kinds[1].get(path, kind) != kind
    ] == []
    assert action.stdout.count("+++ after") == module.stdout.count("+++ after") + (3 if args else 0) > 5


def check(done: runs.Run) -> None:
    """Check the results of the play's tasks, which are the same in both ways."""
    found = done.registered["localhost"]
    assert {name for name, result in found.items() if result.get("failed")} == {
        *KINDS,
        *(["told_to_nobody"] if found["told_to_nobody"]["failed"] else []),
    }
    assert {name: found[name].get("error_kind") for name in KINDS} == KINDS
    assert (outcomes(found["nothing"]), found["nothing"]["changed"]) == ([], False)
    assert (outcomes(found["planned"]), found["planned"]["changed"], len(found["planned"]["diff"])) == (
        ["planned"] * 3,
        True,
        3,
    )
    assert outcomes(found["clash"]) == ["planned", "not_restorable", "planned"]
    some = [
        "invalid_argument",
        "invalid_argument",
        "not_restorable",
        "not_restorable",
        "not_restorable",
        "invalid_argument",
        "not_found",
        "invalid_argument",
    ]
    assert outcomes(found["some"]) == some
    assert found["some"]["msg"].startswith("8 of 8 restores failed. restores[0]: ") and found["some"][
        "msg"
    ].endswith(" 3 more, see restores.")
    assert (
        "restores[0].instance_id '../x' is not an ID" in found["no_id"]["msg"]
        and "start_timeout must be from 0" in found["out_of_range"]["msg"]
    )
    assert "service" in found["no_service"]["msg"] and "wait" in found["unknown"]["msg"]
    assert (
        found["excused"]["failed"],
        found["excused"]["failed_when_result"],
        "unable to convert to int" in found["excused"]["msg"],
    ) == (False, False, True)
    assert [outcomes(item) for item in found["looped"]["results"]] == [["started"]] * 3
    assert [item["restores"][0]["adopted"] for item in found["looped"]["results"]] == [False, True, False]
    assert (outcomes(found["again"]), [row["adopted"] for row in found["again"]["restores"]]) == (
        ["started"] * 3,
        [True] * 3,
    )
    assert re.search("async", found["background"]["msg"])
    shown = json.dumps(done.shown["Told to nobody on localhost"])
    assert "censored" in shown and ids.DCS_OTHER not in shown
    assert re.search(r"does not support async|async is not supported", done.output)


START = """
- hosts: {hosts}
  gather_facts: false
  strategy: {strategy}
  connection: local
  tasks:
    - name: Start
      huaweicloud.recovery.restore_start:
        restores:
          - {{service: dcs, instance_id: "{{{{ dcs_instance }}}}", restore_point: latest}}
          - service: ddm
            instance_id: "{{{{ ddm_source }}}}"
            target_instance_id: "{{{{ ddm_target }}}}"
            restore_time: latest
      register: found
{more}
"""


def start(
    folder: Path,
    sim: Simulator,
    *args: str,
    hosts: str = "localhost",
    strategy: str = "linear",
    more: str = "",
    **options: Any,
) -> runs.Run:
    (folder / "start.yml").write_text(
        START.format(hosts=hosts, strategy=strategy, more=more), encoding="utf-8"
    )
    return runs.play(folder / "start.yml", folder, sim, *args, **options)


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"ansible_become": True, "ansible_become_method": "nobody"}, "become"),
        pytest.param(
            {"ansible_connection": "elsewhere"},
            "the connection is not ansible.builtin.local",
            marks=pytest.mark.slow,
        ),
        ({"ansible_python_interpreter": "other"}, "ansible_python_interpreter is another Python"),
    ],
    ids=["become", "connection", "Python"],
)
def test_it_runs_the_modules_where_it_cannot_run_in_process(
    variables: dict[str, Any], why: str, sim: Simulator, tmp_path: Path
) -> None:
    if "ansible_python_interpreter" in variables:
        variables = {"ansible_python_interpreter": str(environment(tmp_path / "other", runs.VENV))}
    done = start(tmp_path, sim, "-vvv", variables=variables)
    assert done.rc == 0, done.output
    assert f"huaweicloud.recovery: run as a module: {why}" in done.stdout
    assert done.modules == ["Start"] * 4  # each first in check mode, then for real
    assert (outcomes(done.of("found")), done.posts) == (["started"] * 2, ["dcs.restore", "ddm.recovery"])
    assert not done.of("found").get("warnings")
    assert [secret for secret in runs.SECRETS if secret in done.output] == []


@pytest.mark.slow
def test_requests_is_missing_on_the_controller(sim: Simulator, tmp_path: Path) -> None:
    controller = environment(tmp_path / "bare", runs.VENV, without="requests")
    (tmp_path / "start.yml").write_text(
        START.format(hosts="localhost", strategy="linear", more="      ignore_errors: true"), encoding="utf-8"
    )
    given = ["-e", json.dumps(runs.IDS)]
    command = [str(controller), "-m", "ansible", "playbook", str(tmp_path / "start.yml"), *given]
    whole = runs.run([*command, "-e", f"ansible_python_interpreter={runs.VENV}/bin/python"], tmp_path, sim)
    assert (outcomes(whole.of("found")), len(whole.posts)) == (["started"] * 2, 2), whole.output
    bare = runs.run(command, tmp_path, sim)
    found = bare.of("found")
    assert (outcomes(found), found["changed"], found["failed"]) == (["missing_library"] * 2, False, True)
    assert (
        "2 of 2 restores failed. restores[0]: Failed to import the required Python library (requests)"
        in found["msg"]
    )


@pytest.mark.slow
def test_an_ansible_core_that_is_not_known(sim: Simulator, tmp_path: Path) -> None:
    done = start(tmp_path, sim, env={**sim.env, "WITNESS_UNKNOWN_CORE": "1"})
    assert (done.rc, done.posts) == (0, ["dcs.restore", "ddm.recovery"]), done.output
    assert outcomes(done.of("found")) == ["started"] * 2


@WAYS
@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_every_host_starts_the_same(
    strategy: str, mode: dict[str, Any], sim: Simulator, tmp_path: Path
) -> None:
    """Side by side: one host takes the databases' target and the others find it busy.

    All adopt the cache's restore.
    """
    done = start(
        tmp_path,
        sim,
        "--forks",
        "2",
        hosts="one:two",
        strategy=strategy,
        more="      ignore_errors: true",
        variables=mode,
    )
    assert (done.rc, sim.started("dcs.restore"), sim.started("ddm.recovery")) == (0, 1, 1), done.output
    assert len({done.of("found", host)["restores"][0]["restore_id"] for host in ("one", "two")}) == 1


def test_run_once(sim: Simulator, tmp_path: Path) -> None:
    done = start(tmp_path, sim, hosts="one:two", more="      run_once: true")
    assert (done.rc, sorted(done.posts)) == (0, ["dcs.restore", "ddm.recovery"]), done.output
    assert done.of("found", "one") == done.of("found", "two")
    assert (
        all(line.startswith("huaweicloud.recovery: ") for line in done.progress) and len(done.progress) == 2
    )


@WAYS
def test_retries_and_a_rescue_after_a_timeout(mode: dict[str, Any], tmp_path: Path) -> None:
    """Another entry fails the first attempts. Each further attempt and the rescue adopt the one restore."""
    with Simulator("fleet-3", restore_seconds=600) as sim:
        sim.fault("delay", "dcs.restore", on=ids.fleet_dcs_instance(2), seconds=6.0)
        content = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Until
      huaweicloud.recovery.restore_start:
        restores:
          - {service: dcs, instance_id: "{{ ids[0] }}", restore_point: latest}
          - {service: dcs, instance_id: 1a2b3c4d-0009-4000-8000-00000000d509, restore_point: latest}
      register: attempts
      retries: 2
      delay: 0
      until: attempts is succeeded
      ignore_errors: true
    - name: Rescued
      block:
        - name: Not in time
          huaweicloud.recovery.restore_start:
            restores: "{{ restores }}"
          timeout: 4
      rescue:
        - name: Again
          huaweicloud.recovery.restore_start:
            restores: "{{ restores }}"
          register: again
      vars:
        restores:
          - {service: dcs, instance_id: "{{ ids[1] }}", restore_point: latest}
          - {service: dcs, instance_id: "{{ ids[2] }}", restore_point: latest}
"""
        (tmp_path / "again.yml").write_text(content, encoding="utf-8")
        given = json.dumps({"ids": [ids.fleet_dcs_instance(number) for number in range(3)], **mode})
        done = runs.run(
            [*runs.tool("ansible-playbook"), str(tmp_path / "again.yml"), "-e", given], tmp_path, sim
        )
        assert (done.rc, sim.started("dcs.restore")) == (0, 3), done.output
        assert len(sim.posts()) == 3
    assert (done.of("attempts")["attempts"], outcomes(done.of("attempts"))) == (2, ["started", "not_found"])
    assert done.of("attempts")["restores"][0]["adopted"] is True
    assert (outcomes(done.of("again")), [row["adopted"] for row in done.of("again")["restores"]]) == (
        ["started"] * 2,
        [True] * 2,
    )


def wrong_in(tmp_path: Path, sim: Simulator, variables: dict[str, Any], *tasks: dict[str, Any]) -> runs.Run:
    """Run tasks with a wrong secret key; none of them ends the play."""
    play = {"hosts": "localhost", "gather_facts": False, "ignore_errors": True, "tasks": list(tasks)}
    (tmp_path / "wrong.yml").write_text(json.dumps([play]), encoding="utf-8")
    command = [*runs.tool("ansible-playbook"), str(tmp_path / "wrong.yml"), "-e", json.dumps(variables)]
    return runs.run(command, tmp_path, sim, env={**sim.env, "HW_SECRET_KEY": "a-wrong-secret-key-0001"})


@pytest.mark.parametrize("variables", [{}, runs.OFF])
def test_one_wrong_key_is_tried_once(variables: dict[str, Any], tmp_path: Path) -> None:
    """The cloud locks an access key after a few refused signatures.

    So 200 rows, the items of a loop, and all tasks of a run send one between them. As a module, a task that
    waits for rows or verifies them sends one of its own, because rows can have other keys.
    """
    rows: list[dict[str, Any]] = [
        {"service": "dcs", "instance_id": ids.fleet_dcs_instance(number), "restore_point": "latest"}
        for number in range(200)
    ]
    begun = [{**row, "action": "restore", "restore_id": "r1", "backup_id": "b1"} for row in rows]
    role = {
        "restore_dcs": [{"instance_id": row["instance_id"]} for row in rows],
        "restore_point": "latest",
        "restore_confirm": False,
    }
    name = "huaweicloud.recovery."
    one = {"instance_id": "{{ item.instance_id }}", "restore_point": "latest"}
    with Simulator("fleet-200", lock_after=0) as sim:
        done = wrong_in(
            tmp_path,
            sim,
            variables,
            {f"{name}restore_start": {"restores": rows}, "register": "start"},
            {
                f"{name}restore_wait": {"restores": [{**row, "outcome": "started"} for row in begun]},
                "register": "wait",
            },
            {
                f"{name}restore_verify": {"restores": [{**row, "outcome": "succeeded"} for row in begun]},
                "register": "verify",
            },
            {f"{name}dcs_restore": one, "loop": rows[:8], "register": "looped"},
            {"ansible.builtin.include_role": {"name": f"{name}restore"}, "vars": role},
        )
        refused = [entry.operation for entry in sim.ledger if entry.status == 401]
        sent = 3 if variables else 1
        assert (len(refused), len(sim.ledger)) == (sent, sent), done.output
        assert invoke.module("dcs_instance_info", sim.env)["failed"] is False, (
            "the right key works right after"
        )
    assert outcomes(done.of("start")) == outcomes(done.of("wait")) == ["auth_failed"] * 200
    items = done.of("looped")["results"]
    assert [item["error_kind"] for item in items] == ["auth_failed"] * 8
    unsent = [item["msg"].startswith("No request was sent: ") for item in items]
    assert unsent == [True] * 8
    assert {(item["changed"], item["error_code"]) for item in items} == {(False, "APIGW.0301")}


@pytest.mark.parametrize("variables", [{}, runs.OFF])
def test_one_wrong_key_is_tried_once_however_many_hosts_there_are(
    variables: dict[str, Any], tmp_path: Path
) -> None:
    """Each host's task is a process of its own. A later task of the same run sends nothing either."""
    hosts = ",".join(f"host{number}" for number in range(12))
    row = {"service": "dcs", "instance_id": ids.fleet_dcs_instance(0), "restore_point": "latest"}
    start: dict[str, Any] = {"huaweicloud.recovery.restore_start": {"restores": [row]}}
    read: dict[str, Any] = {"huaweicloud.recovery.dcs_instance_info": {}}
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "ignore_errors": True}
    (tmp_path / "wrong.yml").write_text(json.dumps([{**play, "tasks": [start, read]}]), encoding="utf-8")
    command = [*runs.tool("ansible-playbook"), str(tmp_path / "wrong.yml"), "-i", f"{hosts},"]
    command += ["--forks", "12"]
    with Simulator("fleet-4", lock_after=0) as sim:
        env = {**sim.env, "HW_SECRET_KEY": "a-wrong-secret-key-0001"}
        given = json.dumps({**variables, "ansible_python_interpreter": sys.executable})
        done = runs.run([*command, "-e", given], tmp_path, sim, env=env)
        sent = [entry.status for entry in sim.ledger]
        assert sent == [401], done.output
    failures = [line for line in done.output.splitlines() if line.startswith("fatal: ")]
    unsent = [line for line in failures if "No request was sent: the cloud refused these keys" in line]
    assert (len(failures), len(unsent)) == (24, 23), done.output


def test_the_items_of_a_loop_with_other_keys_are_sent(tmp_path: Path) -> None:
    """The cloud refused the keys, not the task."""
    wrong, right = "a-wrong-secret-key-0001", ids.SECRET_KEY
    tasks = [
        {
            "huaweicloud.recovery.dcs_instance_info": {
                **{access_key: ids.ACCESS_KEY, secret_key: "{{ item }}", "project_id": ids.PROJECT_ID}
            },
            "loop": keys,
            "register": access_key,
        }
        # Each wrong key is sent once, so the second task has another.
        for access_key, secret_key, keys in (
            ("access_key", "secret_key", [wrong, right, wrong]),
            ("ak", "sk", [f"{wrong}2", right, f"{wrong}2"]),
        )
    ]
    with Simulator("fleet-4") as sim:
        for variables in ({}, runs.OFF):
            done = wrong_in(tmp_path, sim, variables, *tasks)
            for name in ("access_key", "ak"):
                items = done.of(name)["results"]
                assert [item.get("error_kind") for item in items] == ["auth_failed", None, "auth_failed"]
        assert [entry.status for entry in sim.ledger] == [401, 200] * 4


@pytest.mark.parametrize(
    "marker", ["__omit_place_holder__0123", type("OmitType", (), {})(), type("_OmitType", (), {})()]
)
def test_what_is_omitted_within_lists_counts_as_unset(marker: Any) -> None:
    given = {"restores": [{"a": 1, "b": marker, "c": [marker, "d"]}], "e": marker, "f": "omit"}
    assert without_omitted(given) == {"restores": [{"a": 1, "c": ["d"]}], "f": "omit"}
