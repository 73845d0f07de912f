# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be overwritten, the digest of a plan, and whether a plan still holds."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _guards, _options, _plans, _target

NOW = 1795600000000  # 2026-11-25T09:46:40Z
ACCOUNT = {"domain_id": "d", "project_id": "p", "region": "r"}


def cache(**values: Any) -> _target.Row:
    return {
        "service": "dcs",
        "group": 2,
        "instance_id": "c1",
        "target": {"instance_id": "c1", "instance_name": "orders-cache"},
        "backup": {"backup_id": "b1", "backup_name": "backup_1"},
        "data_time": "2026-11-25T08:46:40.000Z",
        "operation_id": "CHG-1042",
        "action": "restore",
        "outcome": "planned",
        **values,
    }


def database(**values: Any) -> _target.Row:
    return {
        "service": "ddm",
        "group": 1,
        "target": {"instance_id": "t1", "instance_name": "orders-db-restored"},
        "source": {"instance_id": "s1", "instance_name": "orders-db"},
        "restore_time": NOW,
        "data_node_relations": [{"source_instance_id": "n1", "target_instance_id": "n2"}],
        "action": "restore",
        "outcome": "planned",
        **values,
    }


def test_a_target_is_called_by_the_name_that_the_cloud_has() -> None:
    """Production that somebody has labelled scratch must not look harmless."""
    row = cache(label="scratch", job_id="j")
    assert _target.called(row) == "orders-cache"
    assert _target.called({**row, "target": None, "instance_name": "orders-cache"}) == "orders-cache"
    assert _target.called({**row, "target": {"instance_id": "c1", "instance_name": None}}) == "c1"
    assert _target.called({**row, "target": None, "instance_id": None}) == "j"
    assert _target.called({"label": "a host that is none"}) == "a host that is none"


def document(*rows: _target.Row, **values: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "collection_version": "1.0.0",
        "kind": "plan",
        "check_mode": True,
        "account": ACCOUNT,
        "plan_digest": _plans.digest(rows, ACCOUNT, True),
        "restores": list(rows),
        **values,
    }


@pytest.mark.parametrize(
    "pattern",
    ["orders-cache", "ORDERS-*", "c1", "*", " orders-cach? ", "tag:env=prod", "TAG:ENV", "tag:e*=pr*"],
)
def test_protected(pattern: str) -> None:
    why = _guards.protection(cache(), ["no-match", pattern], {"c1": {"env": "prod"}})
    assert why is not None
    assert pattern in why


@pytest.mark.parametrize(("name", "pattern"), [("café", "cafe\u0301"), ("cafe\u0301", "CAFÉ")])
def test_a_letter_that_is_written_in_two_ways_is_protected_in_both(name: str, pattern: str) -> None:
    row = cache(target={"instance_id": "c1", "instance_name": name})
    assert _guards.protection(row, [pattern], {}) is not None


@pytest.mark.parametrize(
    "pattern", ["orders", "cache", "tag:env=test", "tag:env=", "tag:prod", "c", "n2", "[!c]1"]
)
def test_not_protected(pattern: str) -> None:
    assert _guards.protection(cache(), [pattern], {"c1": {"env": "prod"}}) is None


def test_protection_covers_data_nodes_and_tags_that_cannot_be_read() -> None:
    assert "n2" in str(_guards.protection(database(), ["n2"], {}))
    assert _guards.protection(database(), ["n1", "s1", "orders-db"], {}) is None  # the source of the data
    assert "could not be read" in str(_guards.protection(cache(), ["tag:env=prod"], {}))
    assert _guards.protection(database(), ["tag:env=prod"], {}) is None  # DDM's API has no tags


def test_an_instance_whose_name_cannot_be_read_may_be_a_protected_one() -> None:
    row = cache(target={"instance_id": "c1", "instance_name": None})
    assert "its name could not be read" in str(_guards.protection(row, ["no-match"], {}))
    assert _guards.protection(row, [], {}) is None


def test_an_entry_is_protected_by_its_own_name_too() -> None:
    """The host of a fleet can have another name than its instance in the cloud."""
    assert _guards.protection(cache(name="crown-jewels"), ["crown-*"], {}) is not None


def test_a_name_with_the_signs_of_a_pattern_protects_itself() -> None:
    row = cache(target={"instance_id": "c1", "instance_name": "orders[1]"})
    assert _guards.protection(row, ["orders[1]"], {}) is not None


def test_a_drill_overwrites_no_data_node_of_production() -> None:
    options = _options.Options(scratch=("*restored",), production=("n2",), window_days=7)
    assert "drill_production names this instance" in str(_guards.out_of_bounds(database(), options))
    assert _guards.out_of_bounds(database(), options._replace(production=("n3",))) is None


def test_a_drill_overwrites_scratch_instances_alone() -> None:
    drill = _options.Options(scratch=("t1",), window_days=7)
    assert _guards.out_of_bounds(database(), drill) is None
    for row in (cache(), database(target={"instance_id": "t2", "instance_name": None})):
        assert "is not in drill_scratch" in str(_guards.out_of_bounds(row, drill))
    nodes = drill._replace(scratch=("n2",))
    assert "is not in drill_scratch" in str(_guards.out_of_bounds(database(), nodes)), "a data node is none"
    unknown = database(target=None, data_node_relations=None)
    assert "is not in drill_scratch" in str(_guards.out_of_bounds(unknown, drill._replace(production=("x",))))
    assert _guards.out_of_bounds(cache(), _options.Options()) is None
    found = _guards.obstacle(cache(), None, drill, False, NOW, {})
    assert found and found[1].endswith(f"is not in drill_scratch. {_guards.NOTHING}")


def test_a_name_that_contradicts_the_cloud() -> None:
    assert _guards.misnamed(cache(name="orders-cache")) is None
    assert "is called 'orders-cache' in the cloud, but the entry has the name 'scratch'" in str(
        _guards.misnamed(cache(name="scratch"))
    )
    unknown = cache(name="orders-cache", target={"instance_id": "c1", "instance_name": None})
    assert _guards.misnamed(unknown) is None


def test_a_row_whose_plan_has_failed_keeps_its_reason() -> None:
    row = cache(error_kind="not_found", msg="The backup is gone.", steps=[])
    options = _options.Options(protected=("*",))
    assert _guards.guarded(row, None, options, False, NOW, {}) == row


def test_how_far_data_may_lie_from_the_point() -> None:
    newer = {"backup_id": "b2", "backup_name": "backup_2", "created_at": "2026-11-25T09:40:00Z"}
    point, row = "2026-11-25T09:16:40.000Z", cache(newer_backup=newer)
    assert _guards.too_far(row, point, 1800, NOW, None) is None
    why = str(_guards.too_far(row, point, 1799, NOW, None))
    assert "1800 s older than the requested point, but restore_max_gap is 1799 s." in why
    wide = str(_guards.too_far(row, point, 1740, NOW, None))
    assert "30 min older than the requested point, but restore_max_gap is 29 min." in wide
    assert "backup_1 of 25 Nov 2026" in why
    assert "(backup_id b1)" in why
    assert "backup_2" in why
    assert "(backup_id b2)" in why
    assert _guards.too_far(cache(), "latest", 3599, NOW, None) is not None  # one hour old now
    assert _guards.too_far(cache(), "latest", 3600, NOW, None) is None
    assert _guards.too_far(cache(), None, 1, NOW, None) is None, "a backup was named, and no point"
    assert _guards.too_far(cache(action="nothing"), "latest", 1, NOW, None) is None
    found = _guards.obstacle(cache(), "latest", _options.Options(max_gap=3599), False, NOW, {})
    assert found and found[1].endswith(f"(backup_id b1). {_guards.NOTHING}")
    older = database(data_time="2026-11-25T08:46:40.000Z")
    words = "3600 s older than the requested point, but restore_max_gap is 3599 s."
    assert str(_guards.too_far(older, "latest", 3599, NOW, None)).endswith(words), "both are 1 h"
    old = str(_guards.too_old(older, _options.Options(rpo_target=3599), NOW))
    assert old.endswith("are 3600 s old, but restore_rpo_target is 3599 s.")


def test_data_of_an_unknown_time_are_not_taken_for_new_ones() -> None:
    row, options = cache(data_time=None), _options.Options(rpo_target=93600)
    assert "the time of the data cannot be read" in str(_guards.too_far(row, "latest", 3600, NOW, None))
    assert "can be restored to cannot be read" in str(_guards.too_old(row, options, NOW))
    done = cache(data_time=None, action="nothing")
    assert _guards.too_far(done, "latest", 3600, NOW, None) is None
    assert _guards.too_old(done, options, NOW) is None


def test_only_a_readiness_run_refuses_data_that_are_too_old() -> None:
    """In an incident, old data are better than none."""
    options = _options.Options(rpo_target=60)
    found = _guards.obstacle(cache(), None, options, True, NOW, {})
    assert found and found[0] == "too_old"
    assert _guards.obstacle(cache(), None, options, False, NOW, {}) is None


def test_the_digest_covers_what_is_done_alone() -> None:
    rows = [cache(), database()]
    digest = _plans.digest(rows, ACCOUNT, True)
    same: list[dict[str, Any]] = [{"action": "adopt"}, {"action": "nothing", "outcome": "unchanged"}]
    same += [{"last_seconds": 5}, {"label": "shop"}, {"steps": [1]}, {"what": "x"}]
    for change in same:
        assert _plans.digest([cache(**change), database()], ACCOUNT, True) == digest, change
    for place in ({"profile": ""}, {"details": {"account": {"project_id": "unknown"}}}):
        assert _plans.digest([cache(**place), database()], ACCOUNT, True) == digest, place
    running = database(action="adopt", job_id="j")  # its data nodes say what it restores
    assert _plans.digest([cache(), running], ACCOUNT, True) == digest
    assert _plans.digest(rows[::-1], ACCOUNT, True) == digest
    others: list[dict[str, Any]] = [{"backup": {"backup_id": "b2"}}, {"operation_id": "x"}, {"group": 3}]
    others += [{"target": {"instance_id": "c2"}}, {"region": "eu"}, {"error_kind": "busy"}]
    for change in others:
        assert _plans.digest([cache(**change), database()], ACCOUNT, True) != digest, change
    for change in (
        {"restore_time": NOW + 1000},
        {"source": {"instance_id": "s2"}},
        {"data_node_relations": []},
        {"metadata": True},
    ):
        assert _plans.digest([cache(), database(**change)], ACCOUNT, True) != digest, change
    assert _plans.digest(rows, {**ACCOUNT, "project_id": "other"}, True) != digest
    assert _plans.digest(rows, ACCOUNT, False) != digest
    assert _plans.digest(rows, {"project_id": "unknown"}, True) == _plans.digest(rows, None, True)
    assert _plans.digest([database()], ACCOUNT, True) == _plans.digest([database()], ACCOUNT, False)
    jobs = [database(action="adopt", data_node_relations=None, job_id=job) for job in ("j1", "j2")]
    assert len({_plans.digest([row], ACCOUNT, True) for row in jobs}) == 2, "the job is all that is known"


def test_a_plan_that_cannot_be_used() -> None:
    good = document(cache(), database())
    assert _plans.unusable(good, "1.0.0", True, "restore") is None
    assert "version 1.0.0 of the collection made it, but this is version 1.1.0" in str(
        _plans.unusable(good, "1.1.0", True, "restore")
    )
    edited = {**good, "restores": [cache(backup={"backup_id": "b2"}), database()]}
    assert "was edited" in str(_plans.unusable(edited, "1.0.0", True, "restore"))
    sealed = {**good, "checksum": _plans.checksum({**good, "elapsed": 2.0})}
    whole = {**sealed, "elapsed": 2, "files": {"json": "/elsewhere"}, "problem": "a full disk"}
    assert _plans.unusable(whole, "1.0.0", True, "restore") is None
    for change in ({"restore_point": "latest"}, {"restores": [cache(remark="x"), database()]}):
        assert "was edited" in str(_plans.unusable({**whole, **change}, "1.0.0", True, "restore"))
    assert "restore_safety_backup had another value" in str(_plans.unusable(good, "1.0.0", False, "restore"))
    assert "report of a run" in str(_plans.unusable({**good, "check_mode": False}, "1.0.0", True, "restore"))
    assert "could not be planned (orders-cache)" in str(
        _plans.unusable(document(cache(error_kind="busy")), "1.0.0", True, "restore")
    )
    dated = document(cache(created_at=datetime(2026, 11, 25, tzinfo=timezone.utc)))  # by AWX
    assert _plans.unusable(dated, "1.0.0", True, "restore") is None
    labelled = document(cache(label=["x"]))  # which no digest covers
    assert "was edited" in str(_plans.unusable(labelled, "1.0.0", True, "restore"))
    for kind in ("undo", "drill", "fleet"):
        why = str(_plans.unusable(good, "1.0.0", True, kind))
        assert why == f"it is the plan of the playbook restore, but this is {kind}: make it with {kind}"
        assert _plans.unusable({**good, "kind": kind}, "1.0.0", True, kind) is None
        assert f"of the playbook {kind}" in str(
            _plans.unusable({**good, "kind": kind}, "1.0.0", True, "restore")
        )
    for value in (None, "text", {"restores": 5}, {"restores": [1]}):
        assert "is not a plan" in str(_plans.unusable(value, "1.0.0", True, "restore"))


def test_a_plan_of_another_ticket_is_not_carried_out() -> None:
    """What it asks for may be done, so that the run would end well without any restore."""
    assert _plans.another_ticket(document(cache()), None) is None
    why = str(_plans.another_ticket(document(cache(), operation_id="CHG-1041"), "CHG-1042"))
    assert why == "it was made with restore_operation_id CHG-1041, but this run has CHG-1042: make it again"
    assert "made without restore_operation_id" in str(_plans.another_ticket(document(cache()), "CHG-1042"))


def test_a_plan_asks_for_exactly_what_it_says() -> None:
    first, second, job = _plans.requests(
        document(cache(label="shop"), database(), database(action="adopt", job_id="j"))
    )
    assert first == {
        "service": "dcs",
        "group": 2,
        "label": "shop",
        "name": "orders-cache",
        "instance_id": "c1",
        "backup_id": "b1",
        "operation_id": "CHG-1042",
    }
    assert second == {
        "service": "ddm",
        "group": 1,
        "name": "orders-db-restored",
        "instance_id": "s1",
        "target_instance_id": "t1",
        "restore_time": str(NOW),
        "data_node_relations": [{"source_instance_id": "n1", "target_instance_id": "n2"}],
    }
    assert job == {**second, "job_id": "j"}


def test_a_plan_of_a_run_that_was_refused_says_why() -> None:
    refused = document(verdict="refused", msg="restore_confirm must be true or false.", plan_digest=None)
    why = str(_plans.unusable(refused, "1.0.0", True, "restore"))
    assert why == "the run that was to make it was refused: restore_confirm must be true or false"

    failed = document(cache(error_kind="busy"), verdict="refused")
    assert "could not be planned (orders-cache)" in str(_plans.unusable(failed, "1.0.0", True, "restore"))
    for version in ({"schema_version": 2}, {"collection_version": "0.9.0"}):
        why = str(_plans.unusable({**document(cache()), **version}, "1.0.0", True, "restore"))
        assert "of the collection made it, but this is version 1.0.0" in why


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ({}, {"target": {"instance_id": "c1", "instance_name": "sessions"}}, "is called sessions now"),
        ({}, {"target": {"instance_id": "c1", "instance_name": None}}, None),  # it could not be read
        ({"error_kind": "busy"}, {}, "could not be planned, but can be now"),
        ({"action": "nothing"}, {}, "needed nothing when it was planned, but would be overwritten now"),
        ({"action": "nothing"}, {"action": "adopt"}, None),
        ({"action": "adopt"}, {}, None),
    ],
)
def test_what_has_changed_since_a_plan(old: Any, new: Any, change: str | None) -> None:
    found = _plans.differences(document(cache(**old)), [cache(**new)], ACCOUNT)
    assert found == ([f"orders-cache: {change}"] if change else [])


def test_an_entry_may_spell_what_is_planned_in_another_way() -> None:
    entry = {"service": "ddm", "target_instance_id": "T1", "restore_time": "2026-11-25T10:46:40+01:00"}
    for profile in (None, ""):
        assert _plans.others(document(database()), [{**entry, "profile": profile}]) == []
    later = {**entry, "restore_time": "2026-11-25T10:46:41+01:00"}
    assert "the entry has restore_time 2026-11-25T10:46:41" in _plans.others(document(database()), [later])[0]


def test_the_digest_covers_whose_instance_it_is() -> None:
    other = {"profile": "other", "details": {"account": {"project_id": "p2"}}}
    moved = {**other, "details": {"account": {"project_id": "p3"}}}
    rows = [[cache()], [cache(profile="other")], [cache(**other)], [cache(**moved)]]
    assert len({_plans.digest(one, ACCOUNT, True) for one in rows}) == 4
    edited = document(cache(), restores=[cache(profile="other")])
    assert "it was edited" in str(_plans.unusable(edited, "1.0.0", True, "restore"))
    assert _plans.differences(document(cache(**other)), [cache(**moved)], ACCOUNT) == [
        "orders-cache: project p3 instead of p2"
    ]
    entry = {"service": "dcs", "instance_id": "c1", "profile": "other"}
    assert _plans.others(document(cache()), [entry]) == ["c1: is in the plan with another profile"]
    assert _plans.others(document(cache(**other)), [entry]) == []


def test_drift_is_named_line_by_line() -> None:
    old = document(
        cache(action="nothing"), database(), cache(target={"instance_id": "c9", "instance_name": "gone"})
    )
    assert _plans.differences(document(cache()), [cache(action="adopt")], ACCOUNT) == []
    assert _plans.differences(document(cache(operation_id=None)), [cache()], ACCOUNT) == [
        "orders-cache: operation_id CHG-1042 instead of None"
    ]
    lines = _plans.differences(
        old,
        [
            cache(backup={"backup_id": "b2"}),
            database(error_kind="not_found", msg="It is gone."),
            cache(target={"instance_id": "c8", "instance_name": "new"}),
        ],
        {**ACCOUNT, "project_id": "p2", "domain_id": "unknown"},
    )
    assert lines == [
        "project_id: p in the earlier run, but p2 in this one",
        "new (c8): is not in the plan",
        "gone (c9): is only in the plan",
        "orders-cache: needed nothing when it was planned, but would be overwritten now",
        "orders-cache: backup b2 instead of b1",
        "orders-db-restored: can no longer be restored, not_found: It is gone.",
    ]


@pytest.mark.parametrize("odd", [["d"], {"d": 1}])
def test_an_edited_account_is_another_account(odd: Any) -> None:
    old = {**document(cache()), "account": {**ACCOUNT, "domain_id": odd}}
    assert [line.partition(":")[0] for line in _plans.account_changes(old, ACCOUNT)] == ["domain_id"]


def test_entries_beside_a_plan_must_be_those_of_the_plan() -> None:
    plan = document(cache(), database())
    assert _plans.others(plan, []) == []
    entries = [
        {"service": "dcs", "instance_name": "orders-cache"},
        {"service": "ddm", "target_instance_id": "t1"},
    ]
    assert _plans.others(plan, entries) == []
    elsewhere = {"service": "dcs", "instance_id": "c1", "profile": "other"}
    assert _plans.others(document(cache(profile="other"), database()), [elsewhere, *entries[1:]]) == []
    assert _plans.others(plan, [elsewhere, *entries[1:]]) == ["c1: is in the plan with another profile"]
    assert _plans.others(plan, [*entries[1:], {"service": "dcs", "instance_id": "c2"}]) == [
        "c2: is not in the plan",
        "orders-cache: is only in the plan",
    ]
    capitals: list[dict[str, Any]] = [
        {"service": "dcs", "instance_id": "C1", "backup_id": "B1"},
        {
            "service": "ddm",
            "instance_id": "S1",
            "target_instance_id": "T1",
            "data_node_relations": [{"source_instance_id": "N1", "target_instance_id": "N2"}],
        },
    ]
    assert _plans.others(plan, capitals) == []
    capitals[0]["backup_id"], capitals[1]["instance_id"] = "B2", "S2"
    assert _plans.others(plan, capitals) == [
        "orders-cache: the entry has backup_id B2, but the plan b1",
        "orders-db-restored: the entry has source S2, but the plan s1",
    ]


def test_what_an_entry_beside_a_plan_leaves_open() -> None:
    """A job decides what it restores, and a drill at a random point chooses another one in each run."""
    other = str(NOW + 86_400_000)
    entry = {"service": "ddm", "target_instance_id": "t1", "restore_time": other}
    plan = document(database(job_id="j1"))
    assert len(_plans.others(plan, [entry])) == 1
    assert _plans.others(plan, [entry], random=True) == []
    assert _plans.others(plan, [{**entry, "job_id": "j1"}]) == []
