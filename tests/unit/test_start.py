# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many restores in one task: each is started at most once and fails alone, whatever the others do.

All of it runs against the local cloud.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.action import restore_start
from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import cloud as cloud_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import parallel
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _rows
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.unit.fakes import Time, cache, database

Entry = dict[str, Any]
CLOUD = {"scenario": "fleet-40-3", "restore_seconds": 600}  # the local cloud of the fixture `sim`
REGION = "eu-west-101"  # another one than that of the task
RELATIONS = [
    {"source_instance_id": f"f1ee7{'0' * 19}{0:08x}in01", "target_instance_id": f"f1ee7{'1' * 19}{0:08x}in01"}
]


@pytest.fixture
def start(sim: Simulator, server: tuple[Simulator, Time]) -> Any:
    """Run restore_start in the time of the cloud."""

    def start(
        *restores: Entry, check: bool = False, env: dict[str, str] | None = None, **options: Any
    ) -> invoke.Result:
        return invoke.module(
            "restore_start",
            env or sim.env,
            check=check,
            diff=True,
            clock=server[1].clock,
            restores=list(restores),
            **options,
        )

    return start


def about(sim: Simulator, entry: Entry) -> list[str]:
    """The requests that name an instance of an entry."""
    return [
        request.path
        for request in sim.ledger
        if any(value in request.path for name, value in entry.items() if name.endswith("instance_id"))
    ]


def kinds(result: invoke.Result) -> list[str | None]:
    return [row["error_kind"] for row in result["restores"]]


def test_a_plan_costs_few_requests(sim: Simulator, start: Any) -> None:
    """The API names a database's possible targets for one data node at a time; these databases have one.

    All share the list of jobs. The last request of each reads the name of its source.
    """
    start(*(cache(number) for number in range(10)), *(database(number) for number in range(3)), check=True)
    counted = Counter(request.operation.partition(".")[0] for request in sim.ledger)
    assert counted["dcs"] == 3 * 10
    assert counted["ddm"] == (3 + 1 + 1) * 3 + 1
    assert counted["iam"] <= 2


def test_a_list_that_all_share_fails_for_all_at_once(sim: Simulator, start: Any) -> None:
    """Otherwise each plan would repeat the request five times in turn."""
    sim.fault("forbidden", "ddm.jobs", times=None)
    result = start(*(database(number) for number in range(3)), cache(0), check=True)
    assert kinds(result) == ["denied"] * 3 + [None]
    assert sum(request.operation == "ddm.jobs" for request in sim.ledger) == 1


# What is not started


@pytest.mark.parametrize("check", [True, False])
def test_an_instance_that_several_entries_name(sim: Simulator, start: Any, check: bool) -> None:
    """It is unclear which entry is meant, even if they are equal, so no request is sent for them."""
    twice, thrice = cache(1), database(1)
    capitals = {**thrice, "target_instance_id": thrice["target_instance_id"].upper()}
    restores = [
        cache(0),
        twice,
        database(0),
        thrice,
        {**twice, "restore_point": None, "backup_id": ids.fleet_dcs_backup(1)},
        thrice,
        capitals,
    ]
    result = start(*restores, check=check)
    assert kinds(result) == [None, "invalid_argument", None, *["invalid_argument"] * 4]
    begun = "planned" if check else "started"
    assert [row["outcome"] for row in result["restores"]] == [begun, None, begun, None, None, None, None]
    msg = f"{ids.fleet_dcs_instance(1)} would be overwritten more than once: name each instance once."
    assert msg in result["restores"][1]["msg"]
    assert (
        about(sim, {"instance_id": ids.fleet_dcs_instance(1)}),
        about(sim, {"instance_id": ids.fleet_ddm_source(1)}),
    ) == ([], [])
    assert len(sim.posts()) == (0 if check else 2)
    assert (result["failed"], result["changed"], len(result["diff"])) == (True, True, 2)


@pytest.mark.parametrize(
    "second",
    [
        {"instance_id": ids.fleet_ddm_target(0).upper(), "target_instance_id": ids.fleet_ddm_source(0)},
        {"instance_id": ids.fleet_ddm_target(0), "target_instance_id": ids.fleet_ddm_target(2)},
        {"instance_id": ids.fleet_ddm_source(2), "target_instance_id": ids.fleet_ddm_source(0)},
    ],
    ids=["swap", "chain", "source is overwritten"],
)
def test_a_database_that_one_row_reads_and_another_overwrites(
    sim: Simulator, start: Any, second: Entry
) -> None:
    """Which restore the service does first would decide whose data the other one reads."""
    result = start(database(0), database(1), {**database(0), **second})
    assert kinds(result) == ["invalid_argument", None, "invalid_argument"]
    assert "and another overwrites it, so the order would decide" in result["restores"][0]["msg"]
    assert len(sim.posts()) == 1 and about(sim, second) == []


def test_latest_may_be_pasted(start: Any) -> None:
    """A line end after the word, or a capital letter, does not change its meaning."""
    result = start(cache(0, restore_point=" latest\n"), database(0, restore_time="Latest\r\n"), check=True)
    assert [(row["outcome"], row["msg"]) for row in result["restores"]] == [("planned", None)] * 2


def test_a_job_that_two_entries_name(sim: Simulator, start: Any) -> None:
    job_id = start(database(0))["restores"][0]["job_id"]
    result = start({"service": "ddm", "job_id": job_id}, {"service": "ddm", "job_id": job_id}, cache(0))
    assert kinds(result) == ["invalid_argument", "invalid_argument", None]


@pytest.mark.parametrize("check", [True, False])
def test_a_data_node_that_two_entries_would_take(sim: Simulator, start: Any, check: bool) -> None:
    """Both plans are good when they are made; the second one is refused before any is carried out."""
    with sim.state.lock:
        for number in range(2):
            for instance_id in (ids.fleet_ddm_source(number), ids.fleet_ddm_target(number)):
                sim.state.ddm_instances[instance_id].vpc_name = "vpc"
        for data_node in sim.state.data_nodes.values():
            data_node.vpc_name = "vpc"
    node = RELATIONS[0]["target_instance_id"]
    second = [{"source_instance_id": f"f1ee7{'0' * 19}{1:08x}in01", "target_instance_id": node}]
    result = start(
        database(0, data_node_relations=RELATIONS),
        database(1, data_node_relations=second),
        cache(0),
        check=check,
    )
    assert kinds(result) == [None, "not_restorable", None]
    assert result["restores"][1]["msg"].startswith(
        f"The row for {ids.fleet_ddm_target(0)} overwrites data node {node}, too. "
    )
    assert [post.operation for post in sim.posts("ddm.recovery")] == ([] if check else ["ddm.recovery"])
    assert len(result["diff"]) == 2


@pytest.mark.parametrize("check", [True, False])
def test_an_instance_of_another_project_is_left_alone(sim: Simulator, start: Any, check: bool) -> None:
    """Its host was listed with other credentials. The same ID or name may be another instance here."""
    rows = [cache(number, project_id=ids.OTHER_PROJECT_ID) for number in range(2)]
    rows[1]["project_id"] = ids.PROJECT_ID
    result = start(*rows, check=check)
    assert kinds(result) == ["denied", None]
    assert f"belongs to project '{ids.OTHER_PROJECT_ID}'" in result["restores"][0]["msg"]
    assert about(sim, rows[0]) == []


@pytest.mark.parametrize(
    ("entry", "texts"),
    [
        (cache(1, job_id="x"), ["job_id cannot be used with service dcs"]),
        (
            cache(1, target_instance_id="x", data_node_relations=RELATIONS),
            ["data_node_relations", "target_instance_id", "cannot be used with service dcs"],
        ),
        (database(1, backup_id="x"), ["backup_id cannot be used with service ddm"]),
        (
            database(1, remark="x", operation_id="y"),
            ["remark", "operation_id", "cannot be used with service ddm"],
        ),
        (
            {"service": "dcs", "restore_point": "latest"},
            ["one of the following is required: instance_id, instance_name"],
        ),
        (cache(1, instance_id="  "), ["one of the following is required: instance_id, instance_name"]),
        (
            cache(1, restore_point=None),
            ["one of the following is required: backup_id, backup_name, restore_point"],
        ),
        (cache(1, backup_id="x"), ["mutually exclusive: backup_id|backup_name|restore_point"]),
        ({"service": "ddm"}, ["one of the following is required: instance_id, instance_name, job_id"]),
        (
            database(1, restore_time=None),
            ["Give restore_time, unless job_id or adopt attaches to a job"],
        ),
        (
            database(1, target_instance_id=ids.fleet_ddm_source(1)),
            ["The target is the source itself"],
        ),
        (cache(1, remark="x" * 95), ["remark has 95 characters"]),
        (cache(1, restore_point="soon"), ["restore_point"]),
    ],
)
def test_an_entry_that_cannot_be_right(sim: Simulator, start: Any, entry: Entry, texts: list[str]) -> None:
    result = start(cache(0), entry)
    row = result["restores"][1]
    assert (row["error_kind"], row["changed"], result["restores"][0]["outcome"]) == (
        "invalid_argument",
        False,
        "started",
    )
    assert all(text in row["msg"] for text in [*texts, "No request was sent."])
    assert about(sim, entry) == []
    assert result["msg"].startswith("1 of 2 restores failed. restores[1]: ")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"restores": [cache(0), cache(1, instance_id="../x")]},
            "restores[1].instance_id '../x' is not an ID",
        ),
        (
            {"restores": [database(0, data_node_relations=[{**RELATIONS[0], "target_instance_id": " "}])]},
            "data_node_relations must be a list of dictionaries, "
            "each with source_instance_id and target_instance_id",
        ),
        ({"restores": [cache(0)], "start_timeout": -1}, "start_timeout must be from 0 to 604800, not -1"),
        (
            {"restores": [cache(0)], "start_timeout": 604801},
            "start_timeout must be from 0 to 604800, not 604801",
        ),
    ],
)
def test_what_is_refused_as_a_whole(sim: Simulator, options: dict[str, Any], text: str) -> None:
    result = invoke.module("restore_start", sim.env, **options)
    assert (result["error_kind"], result["changed"], sim.ledger) == ("invalid_argument", False, [])
    assert text in result["msg"] and "No request was sent." in result["msg"]


def test_blank_options_are_unset(sim: Simulator, start: Any) -> None:
    names = _rows.OWN.union(*(service.options for service in SERVICES.values())) - {"service"}
    blank = dict.fromkeys(names, " ")
    result = start({**blank, **cache(0)}, {**blank, **database(0)}, {**blank, "service": "dcs"})
    assert kinds(result) == [None, None, "invalid_argument"]
    assert len(sim.posts()) == 2


# What fails alone


def test_the_message_has_five_reasons_at_most(sim: Simulator, start: Any) -> None:
    for number in (1, 3, 4, 5, 6, 7, 8):
        sim.fault(
            "refusal",
            "dcs.restore",
            on=ids.fleet_dcs_instance(number),
            code="DCS.4107",
            message="The order of the instance is unpaid.",
        )
    result = start(*map(cache, range(10)))
    assert (result["failed"], result["changed"], result["error_kind"]) == (True, True, "rejected")
    reasons = result["msg"].split("restores[")
    assert reasons[0] == "7 of 10 restores failed. " and [
        reason.partition("]")[0] for reason in reasons[1:]
    ] == ["1", "3", "4", "5", "6"]
    assert result["msg"].endswith(" 2 more, see restores.")
    assert [row["outcome"] for row in result["restores"]] == [
        "started",
        None,
        "started",
        *[None] * 6,
        "started",
    ]
    assert all(
        "The order of the instance is unpaid. Nothing was changed." in row["msg"]
        for row in result["restores"]
        if row["error_kind"]
    )
    assert len(result["diff"]) == 3


def test_all_fail(sim: Simulator, start: Any) -> None:
    """If no restore was started, the result has no diff of the plans."""
    sim.fault("refusal", "dcs.restore", times=None, code="DCS.4107")
    assert len(start(cache(0), cache(1), check=True)["diff"]) == 2
    result = start(cache(0), cache(1))
    assert (result["failed"], result["changed"], result["diff"], kinds(result)) == (
        True,
        False,
        [],
        ["rejected"] * 2,
    )
    assert [row["changed"] for row in result["restores"]] == [False, False]


@pytest.mark.parametrize("check", [True, False])
def test_none_can_be_planned(sim: Simulator, start: Any, check: bool) -> None:
    sim.fault("forbidden", "*", times=None)
    result = start(cache(0), database(0), check=check)
    assert (result["failed"], result["changed"], kinds(result), sim.posts()) == (
        True,
        False,
        ["denied"] * 2,
        [],
    )
    assert all("Nothing was started." in row["msg"] for row in result["restores"])


@pytest.mark.parametrize("late", [False, True], ids=["before the POST", "after it"])
def test_a_bug_is_one_row(sim: Simulator, start: Any, monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
    """Its text may hold anything, so only its type is reported.

    Whether something was sent is said of this row alone.
    """
    name, bad = ("post_once", ids.fleet_dcs_instance(1)) if late else ("get", ids.fleet_dcs_instance(1))
    true = vars(cloud_module.Cloud)[name]

    def broken(self: Any, *args: Any, **options: Any) -> Any:
        answer = true(self, *args, **options) if late else None
        if bad in args:
            raise RuntimeError(f"oops {self._identity.keys['secret_key']}")
        return answer or true(self, *args, **options)

    monkeypatch.setattr(cloud_module.Cloud, name, broken)
    result = start(cache(0), cache(1), cache(2))
    row = result["restores"][1]
    assert kinds(result) == [None, "internal_error", None]
    assert (
        row["changed"] is late
        and ("A request had been sent" if late else "No request that changes anything was sent") in row["msg"]
    )
    assert "Unexpected RuntimeError at test_start.py:" in row["msg"]
    assert "oops" not in json.dumps(result) and ids.SECRET_KEY not in json.dumps(result)
    assert len(sim.posts()) == (3 if late else 2)


def test_a_bug_after_the_requests_does_not_hide_them(
    sim: Simulator, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(_rows, "started", broken)
    result = start(cache(0))
    assert (result["error_kind"], result["changed"], len(sim.posts())) == ("internal_error", True, 1)
    assert "A request had been sent" in result["msg"]


def test_the_effects_of_lost_responses_are_found_and_adopted(sim: Simulator, start: Any) -> None:
    """Every second response is lost: no request is repeated, and each restore is found."""
    for number in range(0, 40, 2):
        sim.fault(
            ("reset", "close", "truncated_body", "invalid_json")[number // 2 % 4],
            "dcs.restore",
            on=ids.fleet_dcs_instance(number),
        )
    result = start(*map(cache, range(40)))
    assert result["failed"] is False, result["msg"]
    assert [row["adopted"] for row in result["restores"]] == [number % 2 == 0 for number in range(40)]
    assert (
        set(Counter(post.path for post in sim.posts()).values()) == {1} and sim.started("dcs.restore") == 40
    )
    again = start(*map(cache, range(40)))
    assert [row["restore_id"] for row in again["restores"]] == [
        row["restore_id"] for row in result["restores"]
    ]
    assert len(sim.posts()) == 40


def test_the_outcome_of_one_is_unknown(sim: Simulator, start: Any) -> None:
    """The restore may run: the task fails, but does not say that nothing was started."""
    sim.fault("reset", "dcs.restore", when="before", on=ids.fleet_dcs_instance(1))
    result = start(cache(0), cache(1), start_timeout=60)
    assert kinds(result) == [None, "outcome_unknown"]
    assert (result["restores"][1]["changed"], result["restores"][1]["outcome"]) == (True, None)
    assert "not started" not in result["msg"] and "Nothing was repeated." in result["msg"]
    details = result["restores"][1]["details"]
    assert details["sent_at"] and details["trail"][0]["status"] == "RUNNING" and not details["trail_left_out"]


def neighbours(sim: Simulator) -> list[Entry]:
    """Two restores from one source, to two targets, where a job names its source."""
    with sim.state.lock:
        sim.state.settings.job_instance = "source"
        for instance in sim.state.ddm_instances.values():
            instance.vpc_name = "vpc"
        for node in sim.state.data_nodes.values():
            node.vpc_name = "vpc"
    source = RELATIONS[0]["source_instance_id"]
    pairs = [
        [{"source_instance_id": source, "target_instance_id": f"f1ee7{'1' * 19}{number:08x}in01"}]
        for number in range(2)
    ]
    return [
        database(0, target_instance_id=ids.fleet_ddm_target(number), data_node_relations=pair)
        for number, pair in enumerate(pairs)
    ]


def test_a_neighbour_from_the_same_source_is_not_taken_for_it(sim: Simulator, start: Any) -> None:
    """The response for the first target is lost, and its job appears a minute later than the second's."""
    sim.fault("reset", "ddm.recovery", hints={"visibility": 60, "fail": "The disk broke."})
    result = start(*neighbours(sim))
    first, second = result["restores"]
    assert (first["error_kind"], second["outcome"], second["adopted"]) == (
        "outcome_unknown",
        "started",
        False,
    )
    target = {job.id: job.target_id for job in sim.state.jobs.values()}
    assert [target[found] for found in first["details"]["found"]] == [ids.fleet_ddm_target(0)]
    assert target[second["job_id"]] == ids.fleet_ddm_target(1)
    assert len(sim.posts()) == 2


def test_before_post_can_stop_a_task_before_it_changes_anything(
    sim: Simulator, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose controller was killed: nothing more is started."""

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_runner, "CONTEXT", {"before_post": stop})
    result = start(cache(0), database(0))
    assert (kinds(result), result["changed"], sim.posts()) == (["interrupted"] * 2, False, [])


def test_each_has_the_whole_time_to_start(
    sim: Simulator, start: Any, server: tuple[Simulator, Time], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the last one of many, long after the time of the first is over."""
    monkeypatch.setattr(parallel, "THREADS", 1)
    for number in range(3):
        sim.fault("throttle", "dcs.instance", on=ids.fleet_dcs_instance(number), retry_after=8)
    result = start(*map(cache, range(3)), start_timeout=10)
    assert result["failed"] is False, result["msg"]
    assert server[1].passed > 20


# Many at a time


def test_an_empty_list_sends_no_request(sim: Simulator, start: Any) -> None:
    assert {name: start()[name] for name in ("changed", "failed", "restores", "diff")} == {
        "changed": False,
        "failed": False,
        "restores": [],
        "diff": [],
    }
    assert sim.ledger == []


def test_one_that_is_slow_holds_up_no_other() -> None:
    """While one response takes long, all other requests are sent."""
    with Simulator("fleet-40") as sim:
        sim.fault("delay", "dcs.restore", on=ids.fleet_dcs_instance(0), seconds=4.0)
        before, begun = set(threading.enumerate()), time.monotonic()
        result = invoke.module("restore_start", sim.env, restores=list(map(cache, range(40))))
        assert result["failed"] is False, result["msg"]
        took = time.monotonic() - begun
        times = [post.time for post in sim.posts()]
        assert len({post.path for post in sim.posts()}) == len(times) == 40
        assert max(times) - min(times) < 4.0 < took < 30
        assert sim.errors == []
        pool = [thread for thread in set(threading.enumerate()) - before if "worker" in thread.name]
        for thread in pool:
            thread.join(10)
        assert [thread.name for thread in pool if thread.is_alive()] == []


def password(sim: Simulator) -> dict[str, str]:
    return sim.env_for("password")


def test_a_region_without_one_of_the_task(sim: Simulator, server: tuple[Simulator, Time], start: Any) -> None:
    env = {**sim.env, "HW_REGION_NAME": ""}
    result = start(cache(0, region=ids.REGION), database(0, region=ids.REGION), env=env)
    assert (kinds(result), len(sim.posts())) == ([None, None], 2)
    waited = invoke.module(
        "restore_wait", env, clock=server[1].clock, restores=result["restores"], wait=False
    )
    assert [row["outcome"] for row in waited["restores"]] == ["started", "started"]


def test_a_sign_in_that_does_not_answer_is_tried_for_one_of_many(
    sim: Simulator, start: Any, server: tuple[Simulator, Time]
) -> None:
    sim.fault("unavailable", "iam.token", times=None)
    result = start(*map(cache, range(30)), env=password(sim), max_retries=3)
    assert (kinds(result), len(sim.requests("iam.token"))) == (["server_error"] * 30, 4)
    messages = [row["msg"] for row in result["restores"]]
    assert max(map(len, messages)) < 300 and server[1].passed < 30


def test_all_sign_in_once(sim: Simulator, start: Any) -> None:
    assert start(*map(cache, range(20)), *map(database, range(3)), env=password(sim))["failed"] is False
    assert len(sim.requests("iam.token")) == 1
    assert len(sim.posts()) == 23


@pytest.mark.parametrize("when", [0, 30])
def test_a_token_that_expires_is_renewed_once_for_all(sim: Simulator, start: Any, when: int) -> None:
    """In the middle of the plans, and in the middle of the POSTs, which were not executed then."""
    seen = 0
    true = cloud_module.Cloud.post_once if when == 0 else cloud_module.Cloud.get
    lock = threading.Lock()

    def expiring(self: Any, *args: Any, **options: Any) -> Any:
        nonlocal seen
        with lock:
            seen += 1
            if seen == (10 if when == 0 else when):
                with sim.state.lock:
                    for token in sim.state.tokens.values():
                        token.expires_at = 0
        return true(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloud_module.Cloud, true.__name__, expiring)
        result = start(*map(cache, range(30)), env=password(sim))
    assert result["failed"] is False, result["msg"]
    assert len(sim.requests("iam.token")) == 2
    assert sim.started("dcs.restore") == 30
    assert max(Counter(post.path for post in sim.posts() if post.status == 200).values()) == 1


def test_a_wrong_password_is_tried_once(sim: Simulator, start: Any) -> None:
    """The cloud locks an account after a few refused passwords."""
    result = start(*map(cache, range(20)), env={**password(sim), "HW_USER_PASSWORD": "wrong-password-1"})
    assert set(kinds(result)) == {"auth_failed"} and "wrong-password-1" not in json.dumps(result)
    assert len(sim.requests("iam.token")) == 1


def test_two_regions_are_two_callers(sim: Simulator, start: Any) -> None:
    """Each region has a project and a token, whatever the order of the entries and wherever it is given."""
    sim.state.projects[ids.OTHER_PROJECT_ID] = REGION
    restores = [
        cache(number, **({}, {"region": REGION}, {"region": ids.REGION}, {"region": ""})[number % 4])
        for number in range(20)
    ]
    result = start(*restores, database(0, region=REGION), database(1), env=password(sim))
    assert result["failed"] is False, result["msg"]
    assert len(sim.requests("iam.token")) == 2
    projects = {
        post.path.split("/")[2]
        for post in sim.posts()
        if any(f"/{ids.fleet_dcs_instance(number)}/" in post.path for number in range(1, 20, 4))
    }
    assert projects == {ids.OTHER_PROJECT_ID}
    assert Counter(post.path.split("/")[2] for post in sim.posts()) == {
        ids.PROJECT_ID: 16,
        ids.OTHER_PROJECT_ID: 6,
    }


def test_the_account_of_another_region_is_in_its_row(sim: Simulator, start: Any) -> None:
    """It is read once: what was planned before has it already."""
    sim.state.projects[ids.OTHER_PROJECT_ID] = REGION
    planned = start(cache(0), cache(1, region=REGION), cache(2, region=ids.REGION), check=True)
    accounts = [(row["details"] or {}).get("account") for row in planned["restores"]]
    assert (accounts[0], accounts[2]) == (None, None)
    assert accounts[1] is not None
    assert (accounts[1]["project_id"], accounts[1]["region"]) == (ids.OTHER_PROJECT_ID, REGION)
    asked = len(sim.requests("iam.domains"))
    started = start(*planned["restores"])
    assert kinds(started) == [None] * 3 and len(sim.requests("iam.domains")) == asked
    assert started["restores"][1]["details"]["account"] == accounts[1]


def test_the_account_of_another_region_is_in_its_row_when_modules_run() -> None:
    """The account of the task comes before all others."""
    accounts: list[dict[str, str]] = []
    found = []
    for region, profile, action in (
        (REGION, None, None),
        (ids.REGION, None, None),
        (ids.REGION, "other", None),
        (ids.REGION, None, "restore"),
    ):
        row = {**cache(0), "profile": profile, "action": action}
        result = {"outcome": "planned", "account": {"region": region, "source": str(profile)}}
        found.append(restore_start.with_own_account(result, row, ids.REGION, accounts))
    assert [(one.get("details") or {}).get("account", {}).get("region") for one in found] == [
        REGION,
        None,
        ids.REGION,
        None,
    ]
    assert [one["region"] for one in accounts] == [ids.REGION, REGION, ids.REGION]
    assert not any("account" in one for one in found)


def test_an_invalid_region_fails_alone(sim: Simulator, start: Any) -> None:
    result = start(cache(0), cache(1, region="atlantis-1"), cache(2, region="nowhere"))
    assert result["restores"][0]["outcome"] == "started"
    assert all(kind is not None for kind in kinds(result)[1:])
    assert len(sim.posts()) == 1
