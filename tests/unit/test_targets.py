# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role and the fleet playbook note of their targets, step by step."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _targets as targets
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import Target

NOW = 1_747_734_040_000  # 2025-05-20T09:40:40Z
BACKUP = {
    "backup_id": "b1",
    "backup_name": "nightly",
    "size": 1048576,
    "created_at": "2025-05-20T06:40:40.000Z",
}
NODES = [{"source_instance_id": "n1", "target_instance_id": "n2"}]
DCS_PLAN = {
    "outcome": "started",
    "changed": True,
    "adopted": False,
    "restore_id": None,
    "restore": None,
    "backup": BACKUP,
}
DDM_PLAN = {
    "outcome": "started",
    "changed": True,
    "adopted": False,
    "job_id": None,
    "job": None,
    "restore_time": NOW - 300_000,
    "data_node_relations": NODES,
}


def cache(**options: Any) -> Target:
    return targets.dcs_target({"instance_id": "i1", "name": "cache", **options}, None)


def answer(*rows: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"restores": list(rows), **others}


def database(**options: Any) -> Target:
    return targets.ddm_target(
        {"source_instance_id": "s1", "target_instance_id": "t1", "name": "db", **options}
    )


def test_options_that_are_not_set_are_left_out_and_the_others_are_text() -> None:
    assert cache(backup_id="", restore_point=None, operation_id=1042).request == {
        "service": "dcs",
        "instance_id": "i1",
        "operation_id": "1042",
    }
    assert (
        targets.dcs_target({"instance_id": "i1", "operation_id": ""}, "CHG").request["operation_id"] == "CHG"
    )
    time = datetime.datetime(2025, 5, 20, tzinfo=datetime.UTC)
    assert database(restore_time=time).request["restore_time"] == "2025-05-20 00:00:00+00:00"
    pair = {"instance_id": "s1", "target_instance_id": "t1"}
    assert database(job_id="j1", restore_time="latest").request == {"service": "ddm", **pair, "job_id": "j1"}
    assert targets.dcs_target({"instance_id": "i1", "operation_id": 0}, None).request["operation_id"] == "0"


def test_the_plan_is_pinned() -> None:
    found = targets.planned(
        [database(restore_time="latest"), cache(restore_point="latest")], answer(DDM_PLAN, DCS_PLAN), NOW
    )
    assert found[0].request == {
        "service": "ddm",
        "instance_id": "s1",
        "target_instance_id": "t1",
        "restore_time": NOW - 300_000,
        "data_node_relations": NODES,
    }
    assert found[1].request == {"service": "dcs", "instance_id": "i1", "backup_id": "b1"}
    assert targets.plan_lines(found) == [
        "ddm db (t1) will be OVERWRITTEN with s1 as of 2025-05-20T09:35:40Z (5 minutes old)",
        "    data node n2 with n1",
        "dcs cache (i1) will be OVERWRITTEN with nightly (b1, 1.00 MB, made 2025-05-20T06:40:40.000Z, 3 hours old)",
    ]


@pytest.mark.parametrize(
    ("row", "action", "outcome"),
    [
        ({}, "restore", "planned"),
        ({"adopted": True}, "adopt", "planned"),
        ({"outcome": "unchanged", "changed": False}, "nothing", "unchanged"),
    ],
)
def test_what_is_planned(row: dict[str, Any], action: str, outcome: str) -> None:
    (found,) = targets.planned(
        [cache()], answer({**DCS_PLAN, "restore": {"created_at": "then", "updated_at": "later"}, **row}), NOW
    )
    assert (found.action, found.outcome, found.started, found.finished) == (
        action,
        outcome,
        "then",
        "later" if action == "nothing" else None,
    )


def test_what_cannot_be_planned_is_not_started_and_what_gives_no_answer_has_failed() -> None:
    refused = {"error_kind": "busy", "msg": "It is busy.", "changed": False}
    found = targets.planned(
        [cache(), cache(name="two"), cache(name="three")], answer(refused, DCS_PLAN, DCS_PLAN), NOW
    )
    found = targets.started(found, answer({**DCS_PLAN, "restore_id": "r2"}), NOW)
    assert [(one.outcome, one.failed_step, one.error_kind) for one in found] == [
        ("failed", "plan", "busy"),
        ("started", None, None),
        ("failed", "restore", "internal_error"),
    ]
    assert targets.result_lines(found) == [
        "dcs cache (i1): failed at plan, busy: It is busy.",
        "dcs two (i1): started, restore r2",
        "dcs three (i1): failed at restore, internal_error: The module gave no reason.",
    ]


def test_the_end_of_the_wait() -> None:
    begun = [{**DCS_PLAN, "restore_id": "r1"}, {**DCS_PLAN, "restore_id": "r2"}, {**DDM_PLAN, "job_id": "j1"}]
    running = targets.started([cache(), cache(), database()], answer(*begun), NOW)
    rows = [
        {"outcome": "succeeded", "elapsed": 4.6, "restore": {"created_at": "a", "updated_at": "b"}},
        {
            "outcome": "started",
            "elapsed": 9.0,
            "error_kind": "wait_timeout",
            "msg": "Too late.",
            "restore": {"created_at": "a", "updated_at": "b"},
        },
    ]
    found = targets.waited(running, answer(*rows, error_kind="auth_failed", msg="No."))
    assert [(one.outcome, one.error_kind, one.started, one.finished, one.elapsed) for one in found] == [
        ("succeeded", None, "a", "b", 4.6),
        ("failed", "wait_timeout", "a", None, 9.0),
        ("failed", "auth_failed", None, None, None),
    ]
    assert targets.result_lines(found[:1]) == ["dcs cache (i1): succeeded in 5 s, restore r1"]


def test_hosts() -> None:
    host = {
        "service": "ddm",
        "instance_id": "s1",
        "target_instance_id": "t1",
        "region": "west",
        "backup_id": "of a group",
    }
    found = targets.host_target("db", host)
    assert (found.instance_id, found.source_instance_id) == ("t1", "s1")
    assert found.request == {
        "service": "ddm",
        "region": "west",
        "instance_id": "s1",
        "target_instance_id": "t1",
        "restore_time": "latest",
    }
    attached = {
        "service": "ddm",
        "region": "west",
        "instance_id": "s1",
        "target_instance_id": "t1",
        "job_id": "j1",
    }
    assert targets.host_target("db", {**host, "job_id": "j1"}).request == attached
    attached.pop("target_instance_id")
    assert targets.host_target("db", {**host, "target_instance_id": "", "job_id": "j1"}).request == attached
    latest = {"service": "dcs", "instance_id": "i1", "restore_point": "latest"}
    assert (
        targets.host_target(
            "cache", {"service": "dcs", "instance_id": "i1", "restore_time": "of a group"}
        ).request
        == latest
    )
    assert targets.host_target("cache", {**latest, "backup_id": "b1"}).request["backup_id"] == "b1"
    (begun,) = targets.started([found], answer({**DDM_PLAN, "job_id": "j1"}), NOW)
    assert (begun.outcome, begun.action, begun.job_id) == ("started", "restore", "j1")
    assert begun.request["data_node_relations"] == NODES


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "no service dcs or ddm and no instance_id"),
        ({"service": "rds", "instance_id": "i1"}, "no service dcs or ddm. "),
        ({"service": "dcs"}, "no instance_id"),
    ],
)
def test_a_host_that_is_no_instance_has_failed(variables: dict[str, Any], words: str) -> None:
    found = targets.host_target("localhost", variables)
    assert (found.outcome, found.failed_step, found.error_kind, found.changed) == (
        "failed",
        "plan",
        "invalid_argument",
        False,
    )
    assert words in str(found.msg)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"service": "ddm", "instance_id": "s1"}, "no target_instance_id"),
        (
            {
                "service": "ddm",
                "instance_id": "s1",
                "target_instance_id": "t1",
                "data_node_relations": [{"source_instance_id": "n1"}],
            },
            "two ids each",
        ),
        (
            {
                "service": "ddm",
                "instance_id": "s1",
                "target_instance_id": "t1",
                "data_node_relations": {"n1": "n2"},
            },
            "two ids each",
        ),
        ({"service": "dcs", "instance_id": "../x"}, "instance_id '../x' is not an id"),
    ],
)
def test_a_host_that_cannot_be_restored_fails_alone(variables: dict[str, Any], words: str) -> None:
    found = targets.host_target("db", variables)
    assert (found.outcome, found.failed_step, found.error_kind, found.changed) == (
        "failed",
        "plan",
        "invalid_argument",
        False,
    )
    assert words in str(found.msg)


def test_what_was_restored_from_a_backup_that_is_gone() -> None:
    row = {**DCS_PLAN, "restore_id": "r1", "backup": None}
    for outcome, adopted, action in (("unchanged", False, "nothing"), ("started", True, "adopt")):
        (found,) = targets.planned(
            [cache(backup_id="b1")], answer({**row, "outcome": outcome, "adopted": adopted}), NOW
        )
        assert (found.action, found.what, found.request["backup_id"]) == (action, "backup b1", "b1")
        (found,) = targets.started(
            [cache(backup_id="b1")], answer({**row, "outcome": outcome, "adopted": adopted}), NOW
        )
        assert (found.outcome, found.restore_id) == (outcome, "r1")


def test_what_a_task_that_only_checks_has_not_started() -> None:
    (found,) = targets.started(targets.planned([cache()], answer(DCS_PLAN), NOW), answer(DCS_PLAN), NOW)
    assert (found.outcome, found.failed_step) == ("planned", None)


def test_a_restore_counts_when_its_instance_runs() -> None:
    done = [
        Target("dcs", name, name, name, "", {}, outcome=outcome)
        for name, outcome in (("a", "succeeded"), ("b", "unchanged"), ("c", "failed"))
    ]
    seen = {
        "instances": [{"instance_id": "a", "status": "RUNNING"}, {"instance_id": "b", "status": "RESTARTING"}]
    }
    found = targets.verified(done, "dcs", seen)
    assert [(one.outcome, one.instance_status, one.error_kind) for one in found] == [
        ("succeeded", "RUNNING", None),
        ("failed", "RESTARTING", "not_running"),
        ("failed", None, None),
    ]
    assert targets.verified(done, "ddm", {}) == done
    assert targets.verified(done, "dcs", {"error_kind": "denied"})[0].error_kind == "denied"


@pytest.mark.parametrize(
    ("minutes", "words"), [(5, "5 minutes old"), (180, "3 hours old"), (12 * 1440, "12 days old")]
)
def test_age(minutes: int, words: str) -> None:
    assert targets.age(minutes * 60_000) == words
