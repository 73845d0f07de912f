# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a restore reads names and local times, and which restores it adopts or ignores."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.choice import SAFETY_TAG
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.state import DcsBackup, DcsRestore, Job
from tests.unit.fakes import NOW, NOW_MS, Time

HOUR, DAY = 3600.0, 86400.0
CACHE = {"instance_id": names.DCS_INSTANCE}
PAIR = {"instance_id": names.DDM_SOURCE, "target_instance_id": names.DDM_TARGET}
DATA_NODES = [names.DN_TARGET_1, names.DN_TARGET_2]
each_recovery = pytest.mark.parametrize(
    ("name", "params"),
    [
        ("ddm_recovery", {"restore_time": "latest"}),
        ("ddm_metadata_recovery", {"backup_id": names.DDM_BACKUP, "data_nodes": DATA_NODES}),
    ],
)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Simulator, Time]]:
    time = Time()
    with Simulator(restore_seconds=300, backup_seconds=300, clock=time.clock.now) as sim:
        yield sim, time


@pytest.fixture
def sim(server: tuple[Simulator, Time]) -> Iterator[Simulator]:
    sim, time = server
    time.passed = time.chance = 0.0
    sim.reset()
    yield sim
    assert sim.errors == []


@pytest.fixture
def run(sim: Simulator, server: tuple[Simulator, Time]) -> Any:
    """Run a module in the time of the cloud.

    `skew` is by how many seconds this machine's clock is wrong; `env` adds to the environment.
    """

    def run(
        name: str, /, check: bool = False, skew: float = 0.0, env: dict[str, str] | None = None, **params: Any
    ) -> invoke.Result:
        time = server[1].clock
        clock = Clock(lambda: time.now() + skew, time.monotonic, time.sleep, time.random)
        return invoke.module(name, {**sim.env, **(env or {})}, check=check, diff=True, clock=clock, **params)

    return run


def backup(sim: Simulator, backup_id: str, age: float, **changes: Any) -> None:
    """Add a usable backup of the cache whose record is so many seconds old."""
    made = NOW - age
    with sim.state.lock:
        sim.state.dcs_backups[backup_id] = dataclasses.replace(
            DcsBackup(backup_id, names.DCS_INSTANCE, made, made + 60), **changes
        )


Spelling = Literal["NFC", "NFD"]
YOUNGEST = "8ba256cb-e5ac-44f6-a3da-0000000000aa"


# Names


def test_a_cache_and_a_backup_by_their_names(sim: Simulator, run: Any) -> None:
    for more in ({"restore_point": "latest"}, {"backup_id": names.DCS_BACKUP}):
        found = run("dcs_restore", check=True, instance_name="orders-cache", **more)
        assert (found["failed"], found["outcome"]) == (False, "planned")
        assert found["target"]["instance_id"] == names.DCS_INSTANCE
        assert found["target"]["instance_name"] == "orders-cache"
    name = found["backup"]["backup_name"]
    by_name = run("dcs_restore", instance_name="orders-cache", backup_name=name)
    assert (by_name["outcome"], by_name["backup"]["backup_id"]) == ("succeeded", names.DCS_BACKUP)
    same = run("dcs_restore", **CACHE, backup_id=names.DCS_BACKUP)
    assert same["outcome"] == "unchanged", "a name and an ID are the same operation"
    made = run("dcs_backup", instance_name="orders-cache", operation_id="CHG-1")
    assert run("dcs_backup", **CACHE, operation_id="CHG-1")["backup_id"] == made["backup_id"]


@pytest.mark.parametrize("typed, kept", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_with_an_accent_is_found_in_either_spelling(
    sim: Simulator, run: Any, typed: Spelling, kept: Spelling
) -> None:
    """A Mac and a browser write the same letter as other characters."""
    with sim.state.lock:
        for ident in (names.DDM_SOURCE, names.DDM_TARGET):
            sim.state.ddm_instances[ident].name = unicodedata.normalize(kept, f"übung-{ident[:2]}")
        sim.state.dcs_instances[names.DCS_INSTANCE].name = unicodedata.normalize(kept, "café")
    cache = unicodedata.normalize(typed, "café")
    source, target = (
        unicodedata.normalize(typed, f"übung-{ident[:2]}") for ident in (names.DDM_SOURCE, names.DDM_TARGET)
    )
    assert len(run("dcs_instance_info", name=cache)["instances"]) == 1
    assert len(run("ddm_instance_info", name=source)["instances"]) == 1
    found = run("dcs_restore", check=True, instance_name=cache, restore_point="latest")
    assert (found["target"]["instance_id"], found["outcome"]) == (names.DCS_INSTANCE, "planned")
    pair = {"instance_name": source, "target_instance_name": target, "restore_time": "latest"}
    assert run("ddm_recovery", check=True, **pair)["outcome"] == "planned"


def test_databases_by_their_names(sim: Simulator, run: Any) -> None:
    by_name = {"instance_name": "orders-db", "target_instance_name": "orders-db-restored"}
    found = run("ddm_recovery", check=True, **by_name, restore_time="latest")
    assert (found["failed"], found["outcome"]) == (False, "planned")
    assert found["source"] == {"instance_id": names.DDM_SOURCE, "instance_name": "orders-db"}
    assert found["target"]["instance_id"] == names.DDM_TARGET
    assert found["target"]["address"] and found["target"]["port"] == 5066
    started = run("ddm_recovery", **by_name, restore_time="latest", wait=False)
    again = run("ddm_recovery", **by_name, restore_time="latest", job_id=started["job_id"])
    assert (again["outcome"], again["adopted"]) == ("succeeded", True)


def test_names_in_what_only_reads(run: Any) -> None:
    cache, database = {"instance_name": "orders-cache"}, {"instance_name": "orders-db"}
    pair = {**database, "target_instance_name": "orders-db-restored", "restore_time": "latest"}
    assert run("dcs_backup_info", **cache)["backups"] == run("dcs_backup_info", **CACHE)["backups"] != []
    assert run("dcs_restore_info", **cache)["restores"] == run("dcs_restore_info", **CACHE)["restores"] != []
    assert (
        run("ddm_backup_info", **database)["backups"]
        == run("ddm_backup_info", instance_id=names.DDM_SOURCE)["backups"]
        != []
    )
    (one,) = run("ddm_backup_info", **database, backup_id=names.DDM_BACKUP)["backups"]
    assert one["related_data_nodes"]
    by_id = run("ddm_restorable_info", **PAIR, restore_time="latest")
    assert run("ddm_restorable_info", **pair)["data_node_relations"] == by_id["data_node_relations"] != []
    jobs = run("ddm_job_info", instance_name="orders-db-restored")["jobs"]
    assert {job["instance_id"] for job in jobs} == {names.DDM_TARGET}


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        (
            "dcs_restore",
            {"instance_name": "orders", "restore_point": "latest"},
            ["No DCS instance is named orders", f"orders-cache ({names.DCS_INSTANCE}, RUNNING, VPC "],
        ),
        (
            "dcs_restore",
            {"instance_name": "orders-cache", "backup_name": "backup_x"},
            ["No backup of DCS instance orders-cache", "is named backup_x. The newest ones: backup_"],
        ),
        (
            "ddm_recovery",
            {
                "instance_name": "orders-db",
                "target_instance_name": "Orders-db-restored",
                "restore_time": "latest",
            },
            [
                "No DDM instance is named Orders-db-restored",
                f"orders-db-restored ({names.DDM_TARGET}, RUNNING",
            ],
        ),
        (
            "dcs_restore",
            {"instance_id": "orders-cache", "restore_point": "latest"},
            ["give it as instance_name", "huaweicloud.recovery.dcs_instance_info lists the names and IDs"],
        ),
        (
            "ddm_recovery",
            {**PAIR, "instance_id": "orders-db", "restore_time": "latest"},
            ["give it as instance_name", "huaweicloud.recovery.ddm_instance_info lists the names and IDs"],
        ),
    ],
)
def test_a_name_that_is_not_there_shows_what_is(
    sim: Simulator, run: Any, name: str, params: dict[str, Any], words: list[str]
) -> None:
    result = run(name, **params)
    assert result["failed"] and result["error_kind"] in ("not_found", "invalid_argument")
    for word in words:
        assert word in result["msg"]
    assert sim.posts() == []


def test_a_name_that_two_instances_have_is_refused(sim: Simulator, run: Any) -> None:
    with sim.state.lock:
        sim.state.dcs_instances[names.DCS_OTHER].name = "orders-cache"
    result = run("dcs_restore", instance_name="orders-cache", restore_point="latest")
    assert result["error_kind"] == "not_found"
    assert "2 DCS instances are named orders-cache" in result["msg"]
    assert names.DCS_OTHER in result["msg"] and names.DCS_INSTANCE in result["msg"]


def test_the_name_of_a_backup_as_its_id(sim: Simulator, run: Any) -> None:
    name = run("dcs_restore", check=True, **CACHE, backup_id=names.DCS_BACKUP)["backup"]["backup_name"]
    result = run("dcs_restore", **CACHE, backup_id=name)
    assert f"it is the name of {names.DCS_BACKUP}: give it as backup_name" in result["msg"]
    assert sim.posts() == []


# Times


@pytest.mark.parametrize("source", ["option", "environment"])
def test_a_local_time(run: Any, source: str) -> None:
    """22:00 in Berlin is 20:00 UTC; the newest backup is of 19:26:40 UTC."""
    given = {"timezone": "Europe/Berlin"} if source == "option" else {}
    env = {"HW_TIMEZONE": "Europe/Berlin"} if source == "environment" else {}
    found = run("dcs_restore", check=True, **CACHE, env=env, **given, restore_point="2026-05-28T22:00:00")
    assert (found["backup"]["backup_id"], found["data_time"]) == (names.DCS_BACKUP, iso(NOW_MS - 3_600_000))
    early = run("dcs_restore", check=True, **CACHE, env=env, **given, restore_point="2026-05-28T21:00:00")
    assert early["backup"]["backup_id"] == names.DCS_BACKUP_OLD
    assert early["newer_backup"]["backup_id"] == names.DCS_BACKUP


@pytest.mark.parametrize("skew", [-840.0, 0.0, 840.0])
def test_the_clock_of_this_machine_does_not_choose_the_backup(sim: Simulator, run: Any, skew: float) -> None:
    """Signing allows 15 minutes: a slow clock must not bring back older data."""
    backup(sim, YOUNGEST, age=300)
    found = run("dcs_restore", **CACHE, skew=skew, restore_point="latest")
    assert (found["outcome"], found["backup"]["backup_id"]) == ("succeeded", YOUNGEST)


@pytest.mark.parametrize("ahead", [-600.0, 600.0])
def test_a_gateway_whose_clock_is_wrong_does_not_choose_the_backup(
    sim: Simulator, run: Any, ahead: float
) -> None:
    """By its Date, a backup of a moment ago is one of the future."""
    backup(sim, YOUNGEST, age=300)
    sim.fault("clock", times=None, seconds=ahead)
    found = run("dcs_restore", check=True, **CACHE, restore_point="latest")
    assert found["backup"]["backup_id"] == YOUNGEST


@pytest.mark.parametrize("skew", [-DAY + 60, DAY - 60])
def test_a_clock_that_is_a_day_off_does_not_choose_it_either(sim: Simulator, run: Any, skew: float) -> None:
    """With a token no signature notices it."""
    backup(sim, YOUNGEST, age=300)
    token = {"auth_token": names.TOKEN}
    env = {"HW_ACCESS_KEY": "", "HW_SECRET_KEY": ""}
    point = iso(NOW_MS - 60_000)
    for when in ("latest", point):
        found = run("dcs_restore", check=True, **CACHE, **token, env=env, skew=skew, restore_point=when)
        assert found["backup"]["backup_id"] == YOUNGEST, found
    future = run("dcs_restore", **CACHE, **token, env=env, skew=skew, restore_point=iso(NOW_MS + 3_600_000))
    assert future["error_kind"] == "invalid_argument"
    assert "lies in the future" in future["msg"]
    if skew > 0:  # this machine would have let it pass
        assert "by the cloud's clock it is 2026-05-28T20:26:" in future["msg"]
    assert sim.posts() == []


def test_the_clock_of_this_machine_lets_no_database_go_to_the_future(sim: Simulator, run: Any) -> None:
    """The range says that its time can be restored, and this machine calls it past."""
    sim.fault("rewrite", "ddm.restorable_time_interval", times=None, key="end_time", value=OF_2099)
    token = {"auth_token": names.TOKEN, "env": {"HW_ACCESS_KEY": "", "HW_SECRET_KEY": ""}, "skew": DAY - 60}
    for hours, kind in ((-1, None), (1, "invalid_argument")):
        point = {"restore_time": iso(NOW_MS + hours * 3_600_000)}
        found = run("ddm_recovery", check=True, **PAIR, **point, **token)
        assert found.get("error_kind") == kind, found
    assert "lies in the future: by the cloud's clock it is 2026-05-28T20:26:" in found["msg"]


def test_back_up_and_restore_the_latest_in_one_play(run: Any) -> None:
    made = run("dcs_backup", **CACHE)["backup_id"]
    assert run("dcs_restore", **CACHE, restore_point="latest")["backup"]["backup_id"] == made


def test_each_backup_without_an_operation_id_has_a_marker_of_its_own(
    sim: Simulator, run: Any, server: tuple[Simulator, Time]
) -> None:
    """Of two runs at the same time, neither may treat the backup of the other as its own."""
    for server[1].chance in (0.25, 0.5):
        run("dcs_backup", **CACHE)
        run("dcs_backup", **CACHE, operation_id="CHG-1")
    remarks = [post.json["remark"] for post in sim.posts()]
    assert len(set(remarks)) == len(remarks) == 3, "with an operation_id, the second run finds the first"


def test_a_backup_whose_record_appears_late_is_waited_for_by_its_id(sim: Simulator, run: Any) -> None:
    sim.fault("outcome", "dcs.backup", visibility=90)
    own = {**CACHE, "operation_id": "CHG-1"}
    made = run("dcs_backup", **own, wait=False)["backup_id"]
    result = run("dcs_backup", **own, backup_id=made)
    assert (result["outcome"], result["adopted"], len(sim.posts())) == ("succeeded", True, 1)
    assert result["backup"]["backup_id"] == result["backup_id"] == made
    again = run("dcs_backup", **own, backup_id=made.upper())
    assert (again["outcome"], again["changed"], again["backup_id"]) == ("unchanged", False, made)


def test_a_backup_that_failed_or_never_existed_is_not_made_again_by_its_id(sim: Simulator, run: Any) -> None:
    backup(sim, YOUNGEST, age=60, status="failed")
    failed = run("dcs_backup", **CACHE, backup_id=YOUNGEST)
    lost = run("dcs_backup", **CACHE, backup_id="8ba256cb-e5ac-44f6-a3da-0000000000bb")
    assert [failed["error_kind"], lost["error_kind"]] == ["operation_failed", "outcome_unknown"]
    assert run("dcs_backup", **CACHE, backup_id="a/b")["error_kind"] == "invalid_argument"
    assert sim.posts() == []


def test_the_advice_on_a_failed_restore_of_a_cache_names_no_job(sim: Simulator, run: Any) -> None:
    sim.fault("outcome", "dcs.restore", fail="dcs.08.0001")
    started = run("dcs_restore", **CACHE, backup_id=names.DCS_BACKUP, wait=False)
    row = {"service": "dcs", **CACHE, "restore_id": started["restore_id"]}
    assert run("restore_wait", restores=[row])["restores"][0]["msg"].endswith("then start a new restore.")


def test_the_latest_is_never_a_safety_backup(sim: Simulator, run: Any) -> None:
    backup(sim, YOUNGEST, age=300, remark=f"before CHG-1 {SAFETY_TAG} [rst1:x]")
    assert (
        run("dcs_restore", check=True, **CACHE, restore_point="latest")["backup"]["backup_id"]
        == names.DCS_BACKUP
    )
    assert run("dcs_restore", check=True, **CACHE, backup_id=YOUNGEST)["outcome"] == "planned"


# Responses that cannot be true

OTHER = "f1ee7000-0000-4000-8000-000000000001"
OF_2099 = "2099-01-01T00:00:00+0000"


@pytest.mark.parametrize(
    ("module", "options", "operation", "key"),
    [
        ("dcs_restore", {**CACHE, "restore_point": "latest"}, "dcs.instance", "instance_id"),
        (
            "dcs_restore",
            {"instance_name": "orders-cache", "restore_point": "latest"},
            "dcs.instance",
            "instance_id",
        ),
        ("dcs_backup", CACHE, "dcs.instance", "instance_id"),
        ("dcs_instance_info", CACHE, "dcs.instance", "instance_id"),
        ("ddm_instance_info", {"instance_id": names.DDM_SOURCE}, "ddm.instance", "id"),
        (
            "ddm_backup_info",
            {"backup_id": names.DDM_BACKUP, "instance_id": names.DDM_SOURCE},
            "ddm.backup",
            "id",
        ),
        ("ddm_recovery", {**PAIR, "job_id": names.DDM_JOB_DONE}, "ddm.job", "id"),
    ],
)
def test_a_response_about_another_object_is_an_error(
    sim: Simulator, run: Any, module: str, options: dict[str, str], operation: str, key: str
) -> None:
    """Nothing may be restored to what the response names."""
    sim.fault("rewrite", operation, times=None, key=key, value=OTHER)
    result = run(module, **options)
    assert result["error_kind"] == "protocol_error", result
    assert f"but the response is about {OTHER}" in result["msg"]
    assert sim.posts() == []


def test_a_backup_of_another_instance_in_the_list_is_left_out(sim: Simulator, run: Any) -> None:
    def spoil(response: Any) -> Any:
        for item in response.data["backup_record_response"]:
            if item["backup_id"] == names.DCS_BACKUP:
                item["instance_id"] = OTHER
        return response

    sim.fault("mutate", "dcs.backups", times=None, function=spoil)
    taken = run("dcs_restore", check=True, **CACHE, restore_point="latest")
    assert taken["backup"]["backup_id"] == names.DCS_BACKUP_OLD
    assert [f"but is one of {OTHER}: it is left out" in text for text in taken["warnings"]] == [True]
    refused = run("dcs_restore", **CACHE, backup_id=names.DCS_BACKUP)
    assert refused["error_kind"] == "not_found" and sim.posts() == []


def test_a_record_of_another_backup_is_not_what_was_started(sim: Simulator, run: Any) -> None:
    """The cloud says itself that other data came back: green would be wrong."""

    def spoil(response: Any) -> Any:
        for item in response.data["restore_record_response"]:
            item["backup_id"] = names.DCS_BACKUP_OLD
        return response

    sim.fault("mutate", "dcs.restores", times=None, after=3, function=spoil)
    late = run("dcs_restore", **CACHE, backup_id=names.DCS_BACKUP, wait_timeout=60)
    assert (late["error_kind"], len(sim.posts())) == ("wait_timeout", 1)
    about = f"The task requested {names.DCS_BACKUP}, but the response is about {names.DCS_BACKUP_OLD}"
    assert about in late["msg"]
    row = {"service": "dcs", **CACHE, "restore_id": late["restore_id"], "backup_id": names.DCS_BACKUP}
    waited = run("restore_wait", restores=[row], wait_timeout=60)
    assert waited["failed"] and about in waited["restores"][0]["msg"]


def test_a_backup_of_the_future_is_not_the_latest(sim: Simulator, run: Any) -> None:
    backup(sim, YOUNGEST, age=-365 * DAY)
    taken = run("dcs_restore", check=True, **CACHE, restore_point="latest")
    assert taken["backup"]["backup_id"] == names.DCS_BACKUP
    assert f"The time of the data in {YOUNGEST} is in the future" in taken["warnings"][0]


@pytest.mark.parametrize("end", ["2026/05/28 14:13:20", OF_2099])
def test_a_range_with_an_implausible_end_is_not_the_latest(sim: Simulator, run: Any, end: str) -> None:
    older = run("ddm_restorable_info", instance_id=names.DDM_SOURCE)["restorable_time_intervals"][-1]

    def spoil(response: Any) -> Any:
        max(response.data["restorable_time_intervals"], key=lambda span: span["end_time"])["end_time"] = end
        return response

    sim.fault("mutate", "ddm.restorable_time_interval", times=None, function=spoil)
    taken = run("ddm_recovery", check=True, **PAIR, restore_time="latest")
    assert taken["restore_time"] == moment(older["end_time"])
    assert f"ends at {end}, which cannot be read or is in the future" in taken["warnings"][0]


@each_recovery
def test_a_target_that_is_still_listed_as_available_although_its_restore_runs(
    sim: Simulator, run: Any, name: str, params: dict[str, Any]
) -> None:
    """The two lists are not of the same moment. Only the cloud would stop a second request."""
    first = run("ddm_recovery", **PAIR, restore_time="latest", wait=False)
    sim.fault("rewrite", "ddm.restorable_instances", times=None, key="available", value=True)
    result = run(name, **PAIR, **params)
    assert (result["error_kind"], result["job_id"]) == ("busy", first["job_id"]), result["msg"]
    assert "is not available (a restore of it runs)" in result["msg"] and len(sim.posts()) == 1


# Old records


def test_an_old_job_that_the_list_left_out_is_not_taken_for_the_new_one(sim: Simulator, run: Any) -> None:
    """The response is lost, the new job fails, and an old job that succeeded on the same target appears."""
    old = "5f2c1e8000000000000000000000aaaa"
    with sim.state.lock:
        sim.state.jobs[old] = Job(
            old, "RestoreInstance", names.DDM_TARGET, NOW - 20 * DAY, NOW - 20 * DAY + 60, "Completed", ""
        )
    sim.fault("vanish", "ddm.jobs", times=2, object_id=old)  # the plan and the observation before the request
    sim.fault("reset", "ddm.recovery", hints={"fail": "The disk broke."})
    result = run("ddm_recovery", **PAIR, restore_time="latest")
    assert result["error_kind"] == "operation_failed", result["msg"]
    assert result["job_id"] != old
    assert len(sim.posts()) == 1


@pytest.mark.parametrize("status", ["waiting", "restoring"])
@pytest.mark.parametrize("of", [names.DCS_BACKUP, names.DCS_BACKUP_OLD])
def test_a_restore_that_is_stuck_for_weeks(sim: Simulator, run: Any, status: str, of: str) -> None:
    with sim.state.lock:
        sim.state.dcs_restores["stuck"] = DcsRestore(
            "stuck", names.DCS_INSTANCE, of, "backup_x", NOW - 20 * DAY, NOW - 20 * DAY, status
        )
    wanted = {**CACHE, "backup_id": names.DCS_BACKUP}
    result = run("dcs_restore", **wanted)
    assert (result["error_kind"], sim.posts()) == ("busy", [])
    assert (
        f"restore stuck has been {status} for 20 days, although the instance is RUNNING and idle"
        in result["msg"]
    )
    assert "ignore_stuck=true ignores it" in result["msg"] and "when that has ended" not in result["msg"]
    past = run("dcs_restore", **wanted, ignore_stuck=True)
    assert (past["outcome"], past["adopted"]) == ("succeeded", False)
    assert past["restore_id"] != "stuck"


def test_a_backup_that_is_stuck_for_weeks(sim: Simulator, run: Any) -> None:
    backup(sim, YOUNGEST, age=20 * DAY, status="backuping")
    result = run("dcs_backup", **CACHE)
    assert (result["error_kind"], sim.posts()) == ("busy", [])
    assert "has been backuping for 20 days" in result["msg"]
    assert run("dcs_backup", **CACHE, ignore_stuck=True)["outcome"] == "succeeded"


# Attaching to a recovery


def test_the_newest_restore_job_on_the_target_is_adopted(sim: Simulator, run: Any) -> None:
    wanted = {**PAIR, "restore_time": "latest"}
    late = run("ddm_recovery", **wanted, wait_timeout=5)
    assert late["error_kind"] == "wait_timeout"
    assert f"run the task again with job_id={late['job_id']} to attach to the job" in late["msg"]
    refused = run("ddm_recovery", **wanted)
    assert (
        refused["error_kind"] == "busy"
        and "run the task again with job_id or with adopt=true" in refused["msg"]
    )
    planned = run("ddm_recovery", check=True, **wanted, adopt=True)
    assert (planned["outcome"], planned["adopted"], planned["job_id"]) == ("planned", True, late["job_id"])
    found = run("ddm_recovery", **wanted, adopt=True)
    assert (found["outcome"], found["adopted"], found["job_id"]) == ("succeeded", True, late["job_id"])
    assert any("which point in time a job restores" in warning for warning in found["warnings"])
    again = run("ddm_recovery", **wanted, adopt=True)
    assert (again["outcome"], again["changed"]) == ("unchanged", False)
    assert len(sim.posts()) == 1


@pytest.mark.parametrize("status", ["Running", "Completed"])
def test_a_restore_job_with_an_unknown_name_is_found_after_a_lost_response(
    sim: Simulator, run: Any, status: str
) -> None:
    """A job with an unknown name that was there before is not ours, nor is one that has a known name."""
    with sim.state.lock:
        sim.state.settings.job_name = "PitrToExisting"
        for number, (name, age) in enumerate([("syncSchema", 3600), ("RestartInstance", 0)]):
            job_id, made = f"5f2c1e8000000000000000000000aaa{number}", NOW + 2 - age
            sim.state.jobs[job_id] = Job(job_id, name, names.DDM_TARGET, made, made, status, "")
    sim.fault("reset", "ddm.recovery")
    found = run("ddm_recovery", **PAIR, restore_time="latest")
    assert (found["outcome"], found["adopted"]) == ("succeeded", True), found.get("msg")
    assert (found["job"]["name"], len(sim.posts())) == ("PitrToExisting", 1)


def test_what_a_refusal_says_of_a_restore_job_with_an_unknown_name_works(sim: Simulator, run: Any) -> None:
    sim.state.settings.job_name = "PitrToExisting"
    wanted = {**PAIR, "restore_time": "latest"}
    job_id = run("ddm_recovery", **wanted, wait=False)["job_id"]
    refused = run("ddm_recovery", **wanted)
    assert (refused["error_kind"], refused["job_id"]) == ("busy", job_id)
    assert "with job_id or with adopt=true" in refused["msg"]
    found = run("ddm_recovery", **wanted, adopt=True)
    assert (found["outcome"], found["job_id"]) == ("succeeded", job_id), found.get("msg")
    assert any("PitrToExisting is not a known name of a restore job" in text for text in found["warnings"])
    assert run("ddm_recovery", **wanted, job_id=job_id)["outcome"] == "unchanged"
    assert len(sim.posts()) == 1


def test_nothing_to_adopt(sim: Simulator, run: Any) -> None:
    with sim.state.lock:
        sim.state.jobs.clear()
    result = run("ddm_recovery", **PAIR, restore_time="latest", adopt=True)
    assert result["error_kind"] == "not_found"
    assert f"{names.DDM_TARGET} has had no restore job in the last 29 days" in result["msg"]
    assert sim.posts() == []


def test_other_options_may_stay_beside_job_id_and_are_checked(sim: Simulator, run: Any) -> None:
    wanted = {**PAIR, "restore_time": "latest"}
    job_id = run("ddm_recovery", **wanted, wait=False)["job_id"]
    sim.state.jobs[job_id].name = "RestoreNewInstanceInOtherRegion"
    assert run("ddm_recovery", check=True, **wanted, job_id=job_id)["outcome"] == "planned"
    sim.state.jobs[job_id].name = "Whatever"
    found = run("ddm_recovery", check=True, **wanted, job_id=job_id)
    assert any("but Whatever is not a known name" in warning for warning in found["warnings"])
    sim.state.jobs[job_id].created -= 7200
    result = run("ddm_recovery", **{**wanted, "restore_time": iso(NOW_MS - 3_600_000)}, job_id=job_id)
    assert "before restore_time 2026-05-28T19:26:40.000Z, so it cannot restore that time" in result["msg"]


def test_a_job_that_names_its_source_is_done_when_the_target_serves(sim: Simulator, run: Any) -> None:
    """The source serves all the time."""
    with sim.state.lock:
        sim.state.settings.job_instance, sim.state.settings.settle_seconds = "source", 900
    wanted = {**PAIR, "restore_time": "latest"}
    job_id = run("ddm_recovery", **wanted, wait=False)["job_id"]
    late = run("ddm_recovery", **wanted, job_id=job_id, wait_timeout=400)
    assert (late["error_kind"], late["job_id"]) == ("wait_timeout", job_id)
    row = {"service": "ddm", **PAIR, "job_id": job_id}
    for named in (row, {"service": "ddm", "job_id": job_id, "target": {"instance_id": names.DDM_TARGET}}):
        waited = run("restore_wait", restores=[named], wait_timeout=100)
        assert (waited["error_kind"], waited["restores"][0]["outcome"]) == ("wait_timeout", None)
    assert run("restore_wait", restores=[row])["restores"][0]["outcome"] == "succeeded"
    assert run("ddm_recovery", **wanted, job_id=job_id)["outcome"] == "unchanged"


def test_a_server_that_demands_the_source_gets_it(sim: Simulator, run: Any) -> None:
    refusal: dict[str, Any] = {"status": 400, "code": "DBS.280001", "message": "Parameter error."}
    sim.fault("refusal", "ddm.recovery", **refusal)
    found = run("ddm_recovery", **PAIR, restore_time="latest")
    assert found["outcome"] == "succeeded"
    first, second = (post.json["source"] for post in sim.posts())
    assert first == {"restore_time": found["restore_time"]}
    assert second == {"restore_time": found["restore_time"], "instance_id": names.DDM_SOURCE}

    sim.reset()
    sim.fault("refusal", "ddm.recovery", times=None, **refusal)
    result = run("ddm_recovery", **PAIR, restore_time="latest")
    assert (result["error_kind"], result["changed"], len(sim.posts())) == ("invalid_argument", False, 2)

    sim.reset()
    sim.fault("refusal", "ddm.recovery", **{**refusal, "status": 500})
    result = run("ddm_recovery", **PAIR, restore_time="latest", wait_timeout=60)
    assert (result["error_kind"], len(sim.posts())) == ("outcome_unknown", 1), "500 proves nothing"


# Metadata


@pytest.mark.parametrize(
    "point",
    [
        {"backup_id": names.DDM_BACKUP},
        {"backup_id": names.DDM_BACKUP.upper()},
        {"restore_time": str(NOW_MS - 3_600_000)},
    ],
)
def test_metadata_are_restored_once(sim: Simulator, run: Any, point: dict[str, Any]) -> None:
    wanted = {**PAIR, **point, "data_nodes": DATA_NODES}
    planned = run("ddm_metadata_recovery", check=True, **wanted)
    assert (planned["outcome"], planned["job_id"], sim.posts()) == ("planned", None, [])
    assert (planned["backup"]["id"], planned["backup"]["status"]) == (names.DDM_BACKUP, "normal")
    time, made = point.get("restore_time"), moment(planned["backup"]["created"])
    assert planned["data_time"] == iso(int(time) if time else made or 0)
    what = iso(int(time)) if time else f"backup {names.DDM_BACKUP}"
    assert f"as of {what}" in planned["diff"]["after"]["metadata"]
    found = run("ddm_metadata_recovery", **wanted)
    assert (found["outcome"], found["adopted"], found["data_nodes"]) == ("succeeded", False, DATA_NODES)
    (post,) = sim.posts()
    source = {"restore_time": int(time)} if time else {"backup_id": names.DDM_BACKUP}
    target = {"instance_id": names.DDM_TARGET, "data_nodes": DATA_NODES}
    assert post.json == {"source": source, "target": target}
    again = run("ddm_metadata_recovery", **wanted)
    assert again["error_kind"] == "not_restorable" and found["job_id"] in again["msg"]
    job = {"job_id": found["job_id"]}
    for given in ({**wanted, **job}, {**PAIR, **job}, job, {**PAIR, "adopt": True}):
        attached = run("ddm_metadata_recovery", **given)
        assert (attached["outcome"], attached["adopted"]) == ("unchanged", True)
        assert attached["job_id"] == found["job_id"]
        assert attached["target"]["instance_id"] == names.DDM_TARGET
    assert len(sim.posts()) == 1


def test_metadata_of_a_backup_without_a_readable_time(sim: Simulator, run: Any) -> None:
    sim.fault("rewrite", "ddm.backups", times=None, key="created", value=None)
    found = run(
        "ddm_metadata_recovery", **PAIR, backup_id=names.DDM_BACKUP, data_nodes=DATA_NODES, check=True
    )
    assert (found["outcome"], found["data_time"]) == ("planned", None)


def test_the_effect_of_a_metadata_recovery_is_searched_for(sim: Simulator, run: Any) -> None:
    sim.fault("reset", "ddm.metadata_recovery")
    found = run("ddm_metadata_recovery", **PAIR, backup_id=names.DDM_BACKUP, data_nodes=DATA_NODES)
    assert (found["outcome"], found["adopted"]) == ("succeeded", True)
    assert len(sim.posts()) == 1


def test_other_work_is_not_taken_for_a_recovery_of_metadata(sim: Simulator, run: Any) -> None:
    """Nobody documents the name of such a job, so it may be any. But other work restores no target."""
    with sim.state.lock:
        other = Job("5f2c1e8000000000000000000000bbb0", "refreshSchema", names.DDM_TARGET, NOW + 1, NOW + 1)
        other.status, other.visible_at = "Completed", NOW + 2
        sim.state.jobs[other.id] = other
    sim.fault("reset", "ddm.metadata_recovery", when="before")
    found = run("ddm_metadata_recovery", **PAIR, backup_id=names.DDM_BACKUP, data_nodes=DATA_NODES)
    assert (found["error_kind"], found["changed"]) == ("outcome_unknown", True)
    assert (found["found"], found["backup_id"]) == ([other.id], names.DDM_BACKUP)
    assert found["instance_id"] == names.DDM_SOURCE and found["target_instance_id"] == names.DDM_TARGET


@each_recovery
def test_other_work_that_a_list_has_left_out_is_not_taken_for_a_recovery(
    sim: Simulator, run: Any, name: str, params: dict[str, Any]
) -> None:
    """It ended a minute ago, and the last list before the request lacks it. The own job is not listed yet."""
    settings = sim.state.settings
    settings.job_name = settings.metadata_job_name = "PitrStep2"
    settings.visibility_seconds = 60.0
    with sim.state.lock:
        other = Job("5f2c1e8000000000000000000000bbb0", "refreshSchema", names.DDM_TARGET, NOW - 90, NOW - 60)
        other.status = "Completed"
        sim.state.jobs[other.id] = other
    sim.fault("vanish", "ddm.jobs", after=1, object_id=other.id)
    sim.fault("reset", f"ddm.{name.removeprefix('ddm_')}")
    found = run(name, **PAIR, **params)
    (begun,) = sim.state.begun
    assert (found["outcome"], found["adopted"], found["job_id"]) == ("succeeded", True, begun.id)


@pytest.mark.parametrize("name", ["PitrStep2", "RestoreMetaData", "loadMetadata"])
def test_a_recovery_of_metadata_is_found_whatever_its_job_is_called(
    sim: Simulator, run: Any, name: str
) -> None:
    sim.state.settings.metadata_job_name = name
    wanted = {**PAIR, "backup_id": names.DDM_BACKUP, "data_nodes": DATA_NODES}
    sim.fault("reset", "ddm.metadata_recovery")
    found = run("ddm_metadata_recovery", **wanted)
    assert (found["outcome"], found["adopted"], found["job"]["name"]) == ("succeeded", True, name)
    refused = run("ddm_metadata_recovery", **wanted)
    assert refused["job_id"] == found["job_id"], refused["msg"]
    for attach in ({"job_id": found["job_id"]}, {"adopt": True}):
        again = run("ddm_metadata_recovery", **wanted, **attach)
        assert (again["outcome"], again["job_id"]) == ("unchanged", found["job_id"]), again.get("msg")
    assert len(sim.posts()) == 1


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"backup_id": names.DDM_BACKUP_FAILED}, "not_restorable", "its status is createfail"),
        ({"backup_id": "0" * 32 + "br09"}, "not_found", "is not among the metadata backups of DDM instance"),
        (
            {"target_instance_id": names.DDM_TARGET_ACCOUNTS},
            "not_restorable",
            "The instance has ordinary accounts",
        ),
        ({"target_instance_id": names.DDM_SOURCE}, "invalid_argument", "itself: a DDM instance can only"),
        # By their names it shows only after requests, and the message must not deny these.
        (
            {"target_instance_id": None, "target_instance_name": "orders-db"},
            "invalid_argument",
            "restored onto another one. Nothing was started.",
        ),
    ],
)
def test_what_metadata_cannot_be_restored(
    sim: Simulator, run: Any, changes: dict[str, Any], kind: str, words: str
) -> None:
    given = {**PAIR, "backup_id": names.DDM_BACKUP, "data_nodes": DATA_NODES, **changes}
    result = run("ddm_metadata_recovery", **given)
    assert (result["error_kind"], sim.posts()) == (kind, [])
    assert words in result["msg"]


# What a plan costs


def test_a_plan_reads_little(sim: Simulator, run: Any) -> None:
    for name, params, requests in (
        ("dcs_restore", {**CACHE, "restore_point": "latest"}, 3),
        ("dcs_restore", {"instance_name": "orders-cache", "restore_point": "latest"}, 4),
        ("ddm_recovery", {**PAIR, "restore_time": "latest"}, 4 + 2),  # one for each data node
    ):
        before = len(sim.ledger)
        run(name, check=True, **params)
        # In check mode the account is read as well, once a run, from IAM.
        assert sum(entry.service != "iam" for entry in sim.ledger[before:]) == requests


# A restore that takes longer than the keys live that its requests are signed with

LIFE = 900  # seconds
AGENCY = {
    "assume_role_agency_name": names.AGENCY,
    "assume_role_domain_name": names.PARTNER_DOMAIN,
    "assume_role_duration": LIFE,
}
NO_PROJECT = {"HW_PROJECT_ID": ""}
RESTORES = {
    "dcs_restore": {**CACHE, "restore_point": "latest"},
    "ddm_recovery": {**PAIR, "restore_time": "latest"},
}
each_restore = pytest.mark.parametrize("module", RESTORES)


@pytest.fixture
def long(sim: Simulator, run: Any) -> Any:
    """Run a restore that takes four lives of the keys."""
    with sim.state.lock:
        sim.state.settings.restore_seconds = 4 * LIFE

    def long(module: str, **params: Any) -> invoke.Result:
        given = {"wait_timeout": 10 * LIFE, "poll_interval": 60, **RESTORES[module], **params}
        result: invoke.Result = run(module, **given)
        return result

    return long


@each_restore
def test_the_keys_of_an_agency_are_renewed_in_a_wait(sim: Simulator, long: Any, module: str) -> None:
    done = long(module, env=NO_PROJECT, **AGENCY)
    assert done["failed"] is False, done["msg"]
    assert done["outcome"] == "succeeded"
    assert len(sim.requests("iam.securitytokens")) >= 4
    assert len(sim.posts()) == 1


@each_restore
def test_an_agency_that_is_deleted_in_a_wait_does_not_lose_the_restore(
    sim: Simulator, long: Any, module: str
) -> None:
    """The task ends with the ID of what runs; another identity waits for it, and nothing is started again."""
    sim.fault("not_found", "iam.securitytokens", times=None, after=1)
    lost = long(module, env=NO_PROJECT, **AGENCY)
    key = "restore_id" if module == "dcs_restore" else "job_id"
    (begun,) = sim.state.begun
    assert lost["failed"] and lost["changed"] is True, lost
    assert (lost[key], lost["error_kind"]) == (begun.id, "auth_failed")
    assert "It was not stopped, and nothing was repeated" in lost["msg"]
    assert "The task could not assume the agency" in lost["msg"]
    sim.clear_faults()
    attach = {} if module == "dcs_restore" else {"job_id": lost[key]}
    found = long(module, project_id=names.PARTNER_PROJECT_ID, env=NO_PROJECT, **AGENCY, **attach)
    assert found["outcome"] in ("succeeded", "unchanged") and found[key] == lost[key], found["msg"]
    assert len(sim.posts()) == 1
