# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same rows go through restore_start and restore_wait, keep their keys, and record every step.

They do so even when one fails.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import cloud as cloud_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _rows
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.unit.fakes import ANY_SERVICE, Time, cache, database

Entry = dict[str, Any]
CLOUD = {"scenario": "fleet-4-2", "restore_seconds": 60}  # the local cloud of the fixture `sim`
NOW = 1747732352.076


def row(**keys: Any) -> Entry:
    return _row.complete({**cache(0), **keys})


def steps(one: Entry) -> list[tuple[str, str]]:
    return [(step["step"], step["outcome"]) for step in one["steps"]]


@pytest.fixture
def run(sim: Simulator, server: tuple[Simulator, Time]) -> Any:
    def run(name: str, restores: list[Entry], **options: Any) -> invoke.Result:
        before = copy.deepcopy(restores)
        result = invoke.module(name, sim.env, clock=server[1].clock, restores=restores, **options)
        assert restores == before and "results" not in result
        return result

    return run


# From task to task


def test_they_flow_from_start_to_wait(run: Any) -> None:
    own = {"label": "the cache", "group": 2, "checks": [{"ping": True}]}
    begun = run("restore_start", [cache(0, **own), database(0)])
    assert [steps(one) for one in begun["restores"]] == [[("plan", "ok"), ("restore", "ok")]] * 2
    ended = run("restore_wait", begun["restores"])
    assert ended["failed"] is False and [one["outcome"] for one in ended["restores"]] == ["succeeded"] * 2
    assert [steps(one)[-1] for one in ended["restores"]] == [("wait", "ok")] * 2
    first, second = ended["restores"]
    assert {name: first[name] for name in own} == own and first["restore"]["status"] == "succeed"
    assert second["job"]["status"] == "Completed" and second["elapsed"] >= 60
    assert all(name in one for one in ended["restores"] for name in (*_row.KEYS, "steps"))
    assert first["target"]["instance_id"] == ids.fleet_dcs_instance(0)
    assert second["target"]["instance_id"] == ids.fleet_ddm_target(0)
    assert second["source"]["instance_id"] == ids.fleet_ddm_source(0)
    assert all(step["at"].endswith("Z") and step["seconds"] >= 0 for step in first["steps"])


def test_what_has_ended_is_passed_through_by_all(sim: Simulator, run: Any) -> None:
    ended = run("restore_wait", run("restore_start", [cache(0), database(0)])["restores"])["restores"]
    asked = len(sim.ledger)
    for name in ("restore_start", "restore_wait"):
        again = run(name, ended)
        assert (again["failed"], again["changed"], again["restores"]) == (False, False, ended)
    assert len(sim.ledger) == asked


@pytest.mark.parametrize("check", [True, False])
def test_one_that_failed_is_skipped_and_fails_no_further_task(sim: Simulator, run: Any, check: bool) -> None:
    sim.fault("refusal", "dcs.restore", on=ids.fleet_dcs_instance(1), code="DCS.4107", message="Unpaid.")
    begun = run("restore_start", [cache(0), cache(1), cache(2)])
    bad = begun["restores"][1]
    assert (begun["failed"], bad["failed_step"], bad["outcome"], bad["changed"]) == (
        True,
        "restore",
        None,
        False,
    )
    assert (bad["error_kind"], bad["error_code"], steps(bad)) == (
        "rejected",
        "DCS.4107",
        [("plan", "ok"), ("restore", "failed")],
    )
    waited = run("restore_wait", begun["restores"])
    assert (waited["failed"], [one["outcome"] for one in waited["restores"]]) == (
        False,
        ["succeeded", None, "succeeded"],
    )
    skipped = waited["restores"][1]
    assert skipped == {**bad, "steps": skipped["steps"]} and steps(skipped)[-1] == ("wait", "skipped")
    again = run("restore_start", waited["restores"], check=check)
    assert steps(again["restores"][1])[-1] == ("plan" if check else "restore", "skipped")
    assert again["failed"] is False and len(sim.posts()) == 3


def test_one_that_fails_in_the_wait_does_not_fail_the_others(sim: Simulator, run: Any) -> None:
    sim.fault("operation_fails", "dcs.restore", on=ids.fleet_dcs_instance(1))
    begun = run("restore_start", [cache(0), cache(1), database(0)])
    waited = run("restore_wait", begun["restores"])
    assert (waited["failed"], waited["error_kind"]) == (True, "operation_failed")
    assert waited["msg"].startswith("1 of 3 restores failed. restores[1]: ")
    assert [one["outcome"] for one in waited["restores"]] == ["succeeded", None, "succeeded"]
    bad = waited["restores"][1]
    assert (bad["failed_step"], bad["restore_id"]) == ("wait", begun["restores"][1]["restore_id"])
    assert bad["changed"] is True and bad["restore"]["status"] == "failed"


def test_a_bug_in_the_wait_is_one_row(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = run("restore_start", [cache(0), cache(1), database(0)])
    true = vars(cloud_module.Cloud)["get"]

    def broken(self: Any, *args: Any, **options: Any) -> Any:
        if ids.fleet_dcs_instance(1) in args:
            raise RuntimeError("oops")
        return true(self, *args, **options)

    monkeypatch.setattr(cloud_module.Cloud, "get", broken)
    waited = run("restore_wait", begun["restores"])
    bad = waited["restores"][1]
    assert [one["outcome"] for one in waited["restores"]] == ["succeeded", None, "succeeded"]
    assert (bad["error_kind"], bad["failed_step"], bad["changed"]) == ("internal_error", "wait", True)
    assert "Unexpected RuntimeError at test_rows.py:" in bad["msg"] and "It was not stopped" in bad["msg"]
    assert "oops" not in json.dumps(waited)


def test_an_unusable_profile_fails_alone(sim: Simulator, run: Any) -> None:
    """A profile may also disappear while a restore runs."""
    begun = run("restore_start", [cache(0), cache(1, profile="none"), cache(2)])
    assert [one["outcome"] for one in begun["restores"]] == ["started", None, "started"]
    bad = begun["restores"][1]
    assert (bad["error_kind"], bad["failed_step"], len(sim.posts())) == ("invalid_argument", "plan", 2)
    waited = run("restore_wait", [begun["restores"][0], {**begun["restores"][2], "profile": "none"}, bad])
    good, lost, skipped = waited["restores"]
    assert (good["outcome"], lost["failed_step"], lost["changed"]) == ("succeeded", "wait", True)
    assert "The restore was not stopped" in lost["msg"] and steps(skipped)[-1] == ("wait", "skipped")
    checked = run("restore_verify", [good, {**good, "profile": "none"}, skipped])
    assert [one["failed_step"] for one in checked["restores"]] == [None, "verify", "plan"]


def test_a_region_without_a_project_ends_the_wait_at_once(run: Any) -> None:
    """It is no record that is not listed yet."""
    begun = run("restore_start", [cache(0)])["restores"]
    waited = run("restore_wait", [{**begun[0], "region": "eu-west-101"}])
    (lost,) = waited["restores"]
    assert (waited["error_kind"], lost["elapsed"], lost["changed"]) == ("not_found", 0.0, True)
    assert "IAM lists 0 projects named 'eu-west-101'" in lost["msg"] and "probably still" in lost["msg"]


def test_one_that_still_runs_is_waited_for_again(run: Any) -> None:
    begun = run("restore_start", [cache(0)])["restores"]
    short = run("restore_wait", begun, wait_timeout=10)
    assert (short["error_kind"], short["restores"][0]["outcome"]) == ("wait_timeout", None)
    asked = run("restore_wait", begun, wait=False)
    assert asked["failed"] is False and asked["restores"][0]["outcome"] == "started"
    assert steps(asked["restores"][0]) == [("plan", "ok"), ("restore", "ok")]
    assert run("restore_wait", asked["restores"])["restores"][0]["outcome"] == "succeeded"


def test_a_plan_is_started_as_it_was_planned(
    sim: Simulator, run: Any, server: tuple[Simulator, Time]
) -> None:
    """There are newer data since the plan, but neither the backup nor the time is chosen again."""
    planned = run("restore_start", [cache(0), database(0)], check=True)
    assert [one["outcome"] for one in planned["restores"]] == ["planned"] * 2
    assert [one["action"] for one in planned["restores"]] == ["restore"] * 2
    backup = planned["restores"][0]["backup"]["backup_id"]
    made = invoke.module("dcs_backup", sim.env, clock=server[1].clock, instance_id=ids.fleet_dcs_instance(0))
    begun = run("restore_start", planned["restores"])["restores"]
    assert made["backup_id"] != backup == begun[0]["backup"]["backup_id"]
    assert [record.backup_id for record in sim.state.dcs_restores.values()] == [backup]
    assert begun[1]["restore_time"] == planned["restores"][1]["restore_time"]
    assert [steps(one) for one in begun] == [[("plan", "ok"), ("restore", "ok")]] * 2
    assert begun[0]["restore_point"] == "latest"


def test_a_row_that_a_task_has_returned_means_what_it_meant(sim: Simulator, run: Any) -> None:
    """Another backup, put into a planned row, would have been ignored, and that of a restored row not even
    tried.
    """
    planned = run("restore_start", [cache(0), database(0)], check=True)["restores"]
    begun = run("restore_start", planned)["restores"]
    sent = len(sim.ledger)
    for first, second in (planned, begun):
        for changed in (
            [{**first, "backup_id": ids.fleet_dcs_backup(1)}],
            [{**first, "instance_id": ids.fleet_dcs_instance(1)}],
            [second, {**second, "target_instance_id": ids.fleet_ddm_target(1)}],
        ):
            refused = run("restore_start", changed)
            assert (refused["error_kind"], len(sim.ledger)) == ("invalid_argument", sent)
            assert "but the task that returned this row has found" in refused["msg"]
    capitals = {name: begun[0][name].upper() for name in ("instance_id", "backup_id") if begun[0].get(name)}
    assert run("restore_start", [{**begun[0], **capitals}])["restores"][0]["outcome"] == "started"


def test_a_row_that_a_task_has_returned_keeps_its_names(sim: Simulator, run: Any) -> None:
    """The instance of another name would not have been used: the plan has found an ID for the first name."""
    found = run("restore_start", [cache(0), database(0)], check=True)["restores"]
    names = {end: [one[end]["instance_name"] for one in found] for end in ("target", "source")}
    entries = [
        {
            "service": "dcs",
            "instance_name": names["target"][0],
            "backup_name": found[0]["backup"]["backup_name"],
        },
        {
            "service": "ddm",
            "instance_name": names["source"][1],
            "target_instance_name": names["target"][1],
            "restore_time": database(0)["restore_time"],
        },
    ]
    planned = run("restore_start", entries, check=True)["restores"]
    assert [one["outcome"] for one in planned] == ["planned"] * 2
    sent = len(sim.ledger)
    for number, name in (
        (0, "instance_name"),
        (0, "backup_name"),
        (1, "target_instance_name"),
        (1, "instance_name"),
    ):
        refused = run("restore_start", [{**planned[number], name: planned[number][name].upper()}])
        assert refused["error_kind"] == "invalid_argument" and len(sim.ledger) == sent, name
        assert f"restores[0].{name} is" in refused["msg"]
    begun = run("restore_start", planned)["restores"]
    assert [one["outcome"] for one in begun] == ["started"] * 2


def test_a_plan_to_attach_starts_nothing_after_that_restore_has_ended(
    sim: Simulator, run: Any, server: tuple[Simulator, Time]
) -> None:
    """Another restore would overwrite what was written since."""
    (other,) = run("restore_start", [cache(0, operation_id="of a colleague")])["restores"]
    planned = run("restore_start", [cache(0, operation_id="own")], check=True)["restores"]
    assert (planned[0]["action"], planned[0]["restore_id"]) == ("adopt", other["restore_id"])
    attached = run("restore_start", planned)["restores"]
    assert (attached[0]["outcome"], attached[0]["restore_id"]) == ("started", other["restore_id"])
    server[1].passed += 3600
    (late,) = run("restore_start", planned)["restores"]
    assert (late["error_kind"], late["failed_step"]) == ("not_restorable", "restore")
    assert f"attach to restore {other['restore_id']}" in late["msg"] and "has ended since" in late["msg"]
    assert len(sim.posts()) == 1


def test_a_planned_row_that_cannot_be_started_failed_in_the_start(sim: Simulator, run: Any) -> None:
    planned = run("restore_start", [cache(0)], check=True)["restores"]
    with sim.state.lock:
        sim.state.dcs_instances[ids.fleet_dcs_instance(0)].status = "RESTARTING"
    (bad,) = run("restore_start", planned)["restores"]
    assert (bad["error_kind"], bad["failed_step"]) == ("busy", "restore")
    assert steps(bad) == [("plan", "ok"), ("restore", "failed")]


# What a task is given


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"instance_id": "x"}, f"restores[0].service must be {ANY_SERVICE}, and it has none"),
        ({"service": "obs"}, f"restores[0].service must be {ANY_SERVICE}, not 'obs'"),
        (
            {"service": {"password": "secret"}},
            f"restores[0].service must be {ANY_SERVICE}, not (a text of 22 characters)",
        ),
        (cache(0, region=["x"]), "restores[0].region must be text, not"),
        (cache(0, region=5), "restores[0].region must be text, not '5'"),
        (cache(0, profile={"a": "b"}), "restores[0].profile must be text, not"),
        (cache(0, target="orders"), "restores[0].target must be a dictionary, not 'orders'"),
        (cache(0, target={"instance_id": ["a"]}), "restores[0].target.instance_id"),
        (cache(0, outcome="running"), "restores[0].outcome must be null or planned, unchanged, started,"),
        (cache(0, outcome=["started"]), "restores[0].outcome must be null or planned, unchanged, started,"),
        (cache(0, steps=[1]), "restores[0].steps must be a list of dictionaries, not '[1]'"),
        (
            cache(0, restore_pont="x"),
            "restores[0] has an unknown key: 'restore_pont'. Did you mean restore_point?",
        ),
        (cache(0, instance_id=["x"]), "restores[0].instance_id must be text, not a list"),
        (cache(0, instance_id="a b"), "restores[0].instance_id 'a b' is not an ID"),
        (
            database(0, data_node_relations="x"),
            "restores[0].data_node_relations must be a list of dictionaries",
        ),
        (
            database(0, data_node_relations=["x"]),
            "restores[0].data_node_relations must be a list of dictionaries",
        ),
        (
            database(0, data_node_relations=[{"a": "b"}]),
            "restores[0].data_node_relations must be a list of dictionaries",
        ),
        (cache(0, connection={"password": "secret"}), "restores[0] holds a password, but rows are shown"),
        (cache(0, checks=[{"ping": True, "connection": {"password": "secret"}}]), "holds a password"),
    ],
)
def test_what_cannot_be_right_is_refused_as_a_whole(entry: Entry, text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        _rows.from_input([entry])
    assert text in str(caught.value) and "No request was sent." in str(caught.value)


STARTED: Entry = {"service": "dcs", "instance_id": "x", "restore_id": "y"}


def test_numbers_are_texts() -> None:
    (one,) = _rows.from_input([cache(0, operation_id=20261125)])
    assert _rows.request(one, (), {})["operation_id"] == "20261125"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"service": "dcs", "instance_id": "x"}, "it has no restore_id"),
        ({"service": "dcs", "restore_id": "x"}, "it has no instance_id"),
        ({"service": "ddm", "outcome": "started"}, "it has no job_id"),
        ({**STARTED, "connection": {"password": "secret"}}, "restores[0] holds a password"),
        ({**STARTED, "checks": [{"connection": {"password": "secret"}}]}, "restores[0] holds a password"),
    ],
)
def test_what_cannot_be_waited_for_is_refused(run: Any, sim: Simulator, entry: Entry, text: str) -> None:
    result = run("restore_wait", [entry])
    assert (result["error_kind"], sim.ledger) == ("invalid_argument", []) and text in result["msg"]


def test_the_instance_that_a_row_names_is_enough_for_the_wait(run: Any) -> None:
    """A row that found its instance by name has its ID in `target`."""
    (one,) = run("restore_start", [cache(0)])["restores"]
    del one["instance_id"]
    assert run("restore_wait", [one])["restores"][0]["outcome"] == "succeeded"


# Pure functions


def test_of_a_planned_row_the_plan_is_sent() -> None:
    one = row(action="restore", backup={"backup_id": "b"}, backup_name=None)
    asked = _rows.request(one, (), {})
    assert (asked["backup_id"], asked["restore_point"]) == ("b", None)
    assert _rows.request(row(), (), {})["restore_point"] == "latest"


def test_rows_of_one_source_start_one_after_the_other() -> None:
    entries = [
        database(0),
        cache(0),
        database(0, target_instance_id="t"),
        {"service": "ddm", "job_id": "j"},
        database(1),
        cache(1),
    ]
    rows = list(map(_row.complete, entries))
    assert _rows.in_turn(rows, range(6)) == [[0, 2], [1], [3], [4], [5]]
    assert _rows.in_turn(rows, [2, 4]) == [[2], [4]]


def test_one_job_cannot_belong_to_two_rows() -> None:
    rows = [
        _row.complete({**database(number), "outcome": "started", "job_id": "j", "adopted": number == 1})
        for number in range(2)
    ]
    first, second = _rows.taken_twice(rows, NOW)
    assert first == rows[0]
    assert (second["error_kind"], second["outcome"], second["changed"]) == ("outcome_unknown", None, True)
    assert "the job that was found, j, belongs to another of these restores" in second["msg"]
    apart = [{**rows[0], "outcome": None, "error_kind": "busy"}, rows[1]]
    assert _rows.taken_twice(apart, NOW) == apart, "the first was refused because of the second"
    passed = [_row.complete({**cache(number), "outcome": "started", "adopted": True}) for number in range(2)]
    assert _rows.taken_twice(passed, NOW) == passed, "a cache has no job"


def refusals(rows: list[_row.Row]) -> dict[int, CloudError]:
    return _rows.refusals(rows, given=rows)


def test_two_names_of_one_instance_clash() -> None:
    """Only the plan turns names into IDs."""
    target = {"target": {"instance_id": "t"}, "outcome": "planned"}
    rows = [_row.complete({"service": "dcs", **target}), _row.complete({"service": "dcs", **target})]
    assert [error.kind for error in refusals(rows).values()] == ["not_restorable"] * 2
    assert refusals([rows[0], {**rows[1], "outcome": None, "error_kind": "busy"}]) == {}


def test_what_one_row_reads_and_another_overwrites() -> None:
    """Names become IDs only in the plan. A cache reads its own backups."""
    nodes = [{"source_instance_id": "NODE", "target_instance_id": "n"}]
    other = [{"source_instance_id": "m", "target_instance_id": "node"}]
    by_name = {"service": "ddm", "instance_name": "a", "target_instance_name": "b", "outcome": "planned"}
    orders = {"instance_id": "b-1", "instance_name": "orders"}
    rows = [
        _row.complete({**by_name, "source": {"instance_id": "A"}, "target": orders}),
        _row.complete({**by_name, "source": {"instance_id": "B-1"}, "target": {"instance_id": "c"}}),
        _row.complete({**cache(0), "outcome": "planned"}),
        _row.complete({**database(0), "outcome": "planned", "data_node_relations": nodes}),
        _row.complete({**database(1), "outcome": "planned", "data_node_relations": other}),
    ]
    found = refusals(rows)
    assert list(found) == [0, 1, 3, 4] and {error.kind for error in found.values()} == {"not_restorable"}
    for number in (0, 1):
        assert "One row reads orders (b-1), and another overwrites it" in str(found[number])
    assert "One row reads node, and" in str(found[4])
    assert "In the second, name a time before the first one" in str(found[4])
    assert refusals([rows[0], {**rows[1], "outcome": None, "error_kind": "busy"}, rows[2]]) == {}
    assert refusals([rows[0], {**rows[0], "target": {"instance_id": "c"}}]) == {}
    ended = {**rows[1], "outcome": "succeeded"}
    assert _rows.conflicts([rows[0], ended]) == {}, "what it has read is not read again"
    jobs = [_row.complete({"service": "ddm", "job_id": one, "outcome": "planned"}) for one in ("j", "k")]
    named = _row.complete({**cache(0), "instance_id": None, "instance_name": "none", "outcome": "planned"})
    assert _rows.conflicts([*jobs, named]) == {}, "of the jobs no instance is known"


def test_a_data_node_is_taken_once() -> None:
    nodes = [{"source_instance_id": "s", "target_instance_id": "n"}]
    rows = [
        _row.complete({**database(number), "outcome": "planned", "data_node_relations": nodes})
        for number in range(3)
    ]
    found = refusals(rows)
    assert list(found) == [1, 2] and "overwrites data node n, too" in str(found[1])
    rows[1]["data_node_relations"] = [{"source_instance_id": "s", "target_instance_id": "N"}]
    assert list(refusals(rows)) == [1, 2], "the metadata module takes data nodes as they are given"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (
            {
                "backup": {
                    "backup_id": "b",
                    "backup_name": "n",
                    "size": 1048576,
                    "created_at": "2025-05-20T09:31:25Z",
                }
            },
            "backup n (b, 1.00 MB, made 2025-05-20T09:31:25Z)",
        ),
        (
            {"restore_time": 1747732352076, "source": {"instance_id": "s"}},
            "data of s as of 2025-05-20T09:12:32Z",
        ),
        ({"job_id": "j"}, "what job j restores"),
        ({"backup_id": "b"}, "backup b"),
        ({}, None),
    ],
)
def test_what_is_written_in_words(keys: Entry, text: str | None) -> None:
    assert _rows.what(row(**keys)) == text


def test_a_failure_keeps_all_that_is_known() -> None:
    """Keys of a row stand in the row, all else in details, so that every row has the same keys."""
    answer = {
        "failed": True,
        "changed": False,
        "error_kind": "busy",
        "msg": "The instance is busy.",
        "error_code": "DCS.4026",
        "request_id": "r",
        "http_status": 400,
        "job_id": "j",
        "instance_id": "other",
        "diff": [],
    }
    bad = _row.failed(row(), "restore", answer, NOW, 1.26)
    assert bad["details"] == {"http_status": 400} and bad["instance_id"] == cache(0)["instance_id"]
    assert {name: bad[name] for name in ("error_kind", "msg", "error_code", "request_id", "job_id")} == {
        name: answer[name] for name in ("error_kind", "msg", "error_code", "request_id", "job_id")
    }
    assert bad["steps"] == [
        {
            "step": "restore",
            "outcome": "failed",
            "error_kind": "busy",
            "msg": "The instance is busy.",
            "at": "2025-05-20T09:12:32.076Z",
            "seconds": 1.3,
        }
    ]
    assert set(bad) == set(row())


def test_a_module_that_was_killed_gave_no_reason() -> None:
    bad = _row.failed(row(), "plan", {"failed": True, "rc": 1}, NOW)
    assert (bad["error_kind"], bad["msg"]) == ("internal_error", "The module gave no reason.")


# Names, the account, and values as people write them


def test_the_name_of_a_row_is_that_of_the_cloud_or_the_row_is_refused(sim: Simulator, run: Any) -> None:
    name = sim.state.dcs_instances[ids.fleet_dcs_instance(0)].name
    result = run("restore_start", [cache(0, name=name), cache(1, name=name), database(0, name="nobody")])
    assert [one["outcome"] for one in result["restores"]] == ["started", None, None]
    assert [one["error_kind"] for one in result["restores"]] == [None, "name_mismatch", "name_mismatch"]
    assert (
        f"The row has the name {name!r}, but the instance {ids.fleet_dcs_instance(1)} is called"
        in result["msg"]
    )
    assert (len(sim.posts()), len(result["diff"])) == (1, 1)


def test_an_instance_may_be_named(sim: Simulator, run: Any) -> None:
    name = sim.state.dcs_instances[ids.fleet_dcs_instance(0)].name
    named = {"service": "dcs", "instance_name": name, "restore_point": "latest"}
    planned = run("restore_start", [named], check=True)["restores"]
    assert planned[0]["target"]["instance_id"] == ids.fleet_dcs_instance(0)
    with sim.state.lock:
        sim.state.dcs_instances[ids.fleet_dcs_instance(0)].name = "renamed-since"
    (begun,) = run("restore_start", planned)["restores"]
    assert (begun["outcome"], begun["instance_name"]) == ("started", name)
    clash = run("restore_start", [named, cache(1), {**named, "instance_name": "renamed-since"}], check=True)
    assert [one["error_kind"] for one in clash["restores"]] == ["not_found", None, None]


def test_an_id_and_a_name_of_one_instance_clash(sim: Simulator, run: Any) -> None:
    name = sim.state.dcs_instances[ids.fleet_dcs_instance(0)].name
    named = {"service": "dcs", "instance_name": name, "restore_point": "latest"}
    result = run("restore_start", [named, cache(0), cache(1)])
    assert [one["outcome"] for one in result["restores"]] == [None, None, "started"]
    assert f"{ids.fleet_dcs_instance(0)} would be overwritten more than once" in result["msg"]
    # The row by name does not start either, although both rows by ID are refused first.
    result = run("restore_start", [cache(0), named, cache(0), cache(2)])
    assert [one["outcome"] for one in result["restores"]] == [None, None, None, "started"]


def test_the_same_name_in_two_places_is_not_the_same() -> None:
    rows = [
        _row.complete({"service": "dcs", "instance_name": "cache", "region": region})
        for region in ("a", "b", "b")
    ]
    assert _rows.repeated(rows[:2]) == set()
    assert _rows.repeated(rows) == {("cache", ("b", None))}


def test_a_row_of_metadata_is_refused_in_its_own_words(sim: Simulator, run: Any) -> None:
    """It has neither the data_nodes nor the backup_id of the module, in process or as one."""
    nodes = [{"source_instance_id": ids.DN_SOURCE_1, "target_instance_id": ids.DN_TARGET_1}]
    for given in ({"restore_time": "latest"}, {"data_node_relations": nodes, "restore_time": None}):
        entry = database(0, metadata=True, **given)
        (refused,) = run("restore_start", [entry])["restores"]
        assert (refused["error_kind"], sim.posts()) == ("invalid_argument", [])
        assert refused["msg"].startswith("metadata needs restore_time, and data_node_relations whose targets")
        with pytest.raises(InvalidArgument, match=r"^metadata needs restore_time, and data_node_relations"):
            SERVICES["ddm"].module(entry)
    attached = {**database(0, metadata=True, adopt=True), "restore_time": None}
    assert SERVICES["ddm"].module(attached)[1]["data_nodes"] == []


def test_an_id_in_capitals_without_dashes_is_named_twice(sim: Simulator, run: Any) -> None:
    """The advice to restore one instance in two runs would overwrite it twice."""
    spelt = ids.fleet_dcs_instance(0).upper().replace("-", "")
    result = run("restore_start", [cache(0), cache(0, instance_id=spelt), cache(1)])
    first, second, other = result["restores"]
    for row in (first, second):
        assert row["error_kind"] == "invalid_argument" and "overwritten more than once" in row["msg"]
    assert (other["outcome"], len(sim.posts())) == ("started", 1)


def test_the_account_is_read_with_the_plan_only(sim: Simulator, run: Any) -> None:
    planned = run("restore_start", [cache(0)], check=True)
    assert planned["account"]["project_id"] == ids.PROJECT_ID and planned["account"]["source"]
    asked = len([request for request in sim.ledger if request.service == "iam"])
    begun = run("restore_start", planned["restores"])
    assert begun["account"] is None
    assert len([request for request in sim.ledger if request.service == "iam"]) == asked
    assert run("restore_start", [])["account"] is None


def test_a_text_with_a_list_counts_as_the_list(run: Any) -> None:
    result = run("restore_start", json.dumps([cache(0)]), check=True)
    assert [one["outcome"] for one in result["restores"]] == ["planned"]
    refused = run("restore_start", f"instance_id={ids.fleet_dcs_instance(0)} restore_point=latest")
    assert (
        refused["msg"] == f"restores[0].service must be {ANY_SERVICE}, and it has none. No request was sent."
    )


def test_words_for_true_and_false_count_as_booleans() -> None:
    (one,) = _rows.from_input([cache(0, ignore_stuck="yes")])
    assert _rows.request(one, (), {})["ignore_stuck"] is True
    with pytest.raises(InvalidArgument, match="ignore_stuck must be true or false"):
        _rows.from_input([cache(0, ignore_stuck="perhaps")])
