# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's lists as rows, and every problem in them at once."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _entries, _report_files, _target
from tests.report import samples

NOW = 1795600000000  # 2026-11-25T09:46:40Z
ALL = _entries.Defaults("2026-11-24T13:00:00.000Z", "CHG-1042", ZoneInfo("Europe/Berlin"), NOW)
NONE = _entries.Defaults(None, None, None, NOW)


def found(defaults: _entries.Defaults = ALL, **variables: Any) -> _entries.Found:
    return _entries.read_entries(variables, defaults)


def test_a_cache_takes_what_holds_for_all() -> None:
    (row,), names, problems = found(restore_dcs=[{"instance_name": "orders-cache"}])
    assert (names, problems) == ([], [])
    assert row == {
        "service": "dcs",
        "group": 2,
        "instance_name": "orders-cache",
        "restore_point": "2026-11-24T13:00:00.000Z",
        "operation_id": "CHG-1042",
    }


def test_what_an_entry_has_of_its_own_beats_what_holds_for_all() -> None:
    entry = {
        "instance_id": "abc\n",
        "backup_id": "b-1",
        "operation_id": 7,
        "ignore_stuck": "yes",
        "group": "0",
        "label": "shop",
        "name": "orders-cache",
        "region": "eu-west-101 ",
        "profile": "prod",
        "checks": '[{"ping": true}]',
        "connection": {"password": "secret", "port": ""},
    }
    (row,), _names, problems = found(restore_dcs=[entry])
    assert problems == []
    assert row == {
        **entry,
        "service": "dcs",
        "instance_id": "abc",
        "operation_id": "7",
        "ignore_stuck": True,
        "group": 0,
        "region": "eu-west-101",
        "checks": [{"ping": True}],
        "connection": {"password": "secret"},
    }


def test_an_omitted_option_does_not_replace_that_of_the_role() -> None:
    """`operation_id: "{{ x

    default(omit) }}"` within an entry means unset: restore_operation_id counts.
    """
    (row,), _names, problems = found(
        restore_dcs=[
            {
                "instance_id": "a",
                "operation_id": "__omit_place_holder__1",
                "backup_id": "",
                "remark": None,
                "checks": [{"ping": "__omit_place_holder__1"}],
            }
        ]
    )
    assert problems == []
    assert (row["operation_id"], row["restore_point"]) == ("CHG-1042", ALL.point)
    assert row.keys() == {"service", "group", "instance_id", "restore_point", "operation_id", "checks"}
    assert row["checks"] == []


def test_a_database_names_its_source_as_the_module_does() -> None:
    pair = {"source_instance_id": "n1", "target_instance_id": "n2"}
    entry = {"source_instance_name": "orders-db", "target_instance_id": "t", "data_node_relations": [pair]}
    (row,), _names, problems = found(restore_ddm=[{**entry, "restore_time": "2026-11-24 14:00"}])
    assert problems == []
    assert row == {
        "service": "ddm",
        "group": 1,
        "instance_name": "orders-db",
        "target_instance_id": "t",
        "restore_time": "2026-11-24T13:00:00.000Z",
        "data_node_relations": [pair],
    }
    (job, other), _names, problems = found(restore_ddm=[{"job_id": "j"}, {**entry, "metadata": "yes"}])
    assert problems == []
    assert job == {"service": "ddm", "group": 1, "job_id": "j"}
    # The point of the stack holds for metadata, too
    assert other["restore_time"] == "2026-11-24T13:00:00.000Z"


def test_an_entry_has_a_zone_of_its_own() -> None:
    (row,), _names, problems = found(
        restore_dcs=[{"instance_id": "a", "restore_point": "2026-11-24 14:00", "timezone": "Asia/Bangkok"}]
    )
    assert problems == []
    assert row["restore_point"] == "2026-11-24T07:00:00.000Z"
    assert "timezone" not in row


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a pair in words": (
        {"restore_ddm": [{"source_instance_id": "a", "job_id": "b", "data_node_relations": "c"}]},
        "for example [{source_instance_id: ..., target_instance_id: ...}].",
    ),
    "a check in words": (
        {"restore_dcs": [{"instance_id": "a", "backup_id": "b", "checks": "ping"}]},
        "for example [{ping: true}].",
    ),
    "a name as an id": (
        {"restore_ddm": [{"source_instance_id": "an orders db", "job_id": "b"}]},
        "A name goes into source_instance_name.",
    ),
    "the source as the module calls it": (
        {"restore_ddm": [{"instance_name": "a", "source_instance_id": "c", "job_id": "b"}]},
        "has an unknown option 'instance_name'. Did you mean source_instance_name?",
    ),
    "nothing": ({}, "There is nothing to restore"),
    "no instance": (
        {"restore_dcs": [{"backup_id": "b"}]},
        "restore_dcs[0] needs instance_id or instance_name.",
    ),
    "two instances": (
        {"restore_dcs": [{"instance_id": "a", "instance_name": "b", "backup_id": "b"}]},
        "has instance_id and instance_name: give only one of them.",
    ),
    "two backups": (
        {"restore_dcs": [{"instance_id": "a", "backup_id": "b", "restore_point": "latest"}]},
        "restore_dcs[0] has backup_id and restore_point: give only one of them.",
    ),
    "no backup": ({"restore_dcs": [{"instance_id": "a"}]}, "needs backup_id, backup_name or restore_point"),
    "no time": (
        {"restore_ddm": [{"source_instance_id": "a", "target_instance_id": "b"}]},
        "restore_ddm[0] needs restore_time, job_id or adopt, or restore_point for all entries.",
    ),
    "no target": (
        {"restore_ddm": [{"source_instance_id": "a", "restore_time": "latest"}]},
        "needs target_instance_id, target_instance_name or job_id",
    ),
    "source is target": (
        {"restore_ddm": [{"source_instance_id": "a", "target_instance_id": "a", "restore_time": "latest"}]},
        "names one instance, 'a', as both source and target",
    ),
    "misspelt": (
        {"restore_dcs": [{"instance_idd": "a", "backup_id": "b", "instance_id": "c"}]},
        "unknown option 'instance_idd'. Did you mean instance_id?",
    ),
    "the other service's": (
        {"restore_dcs": [{"instance_id": "c", "restore_time": "latest", "backup_id": "b"}]},
        "a cache has restore_point",
    ),
    "no ID": (
        {"restore_dcs": [{"instance_id": "../a", "backup_id": "b"}]},
        "restore_dcs[0].instance_id '../a' is not an ID",
    ),
    "twice": (
        {
            "restore_dcs": [
                {"instance_id": "a", "backup_id": "b"},
                {"instance_id": "A", "restore_point": "latest"},
            ]
        },
        "'a' would be overwritten by 2 entries",
    ),
    "twice, once in capitals": (
        {"restore_dcs": [{"instance_id": one, "restore_point": "latest"} for one in ("a-1", "A-1")]},
        "'a-1' would be overwritten by 2 entries",
    ),
    "twice by name": (
        {"restore_dcs": [{"instance_name": "a", "restore_point": "latest"}], "restore_instances": "a"},
        "'a' would be overwritten by 2 entries",
    ),
    "half a pair": (
        {
            "restore_ddm": [
                {
                    "source_instance_id": "a",
                    "target_instance_id": "b",
                    "restore_time": "latest",
                    "data_node_relations": [{"source_instance_id": "n"}],
                }
            ]
        },
        "data_node_relations must be a list of dictionaries, "
        "each with source_instance_id and target_instance_id",
    ),
    "a node twice": (
        {
            "restore_ddm": [
                {
                    "source_instance_id": "a",
                    "target_instance_id": "b",
                    "restore_time": "latest",
                    "data_node_relations": [
                        {"source_instance_id": "n", "target_instance_id": "m-1"},
                        {"source_instance_id": "o", "target_instance_id": "M1"},
                    ],
                }
            ]
        },
        "restore_ddm[0].data_node_relations has m-1 more than once",
    ),
    "no list": ({"restore_ddm": 5}, "restore_ddm must be a list, not a number"),
    "text": (
        {"restore_dcs": "instance_id=a restore_point=latest"},
        "restore_dcs must be a list, not the text",
    ),
    "no point for names": ({"restore_instances": "a"}, "restore_instances needs restore_point"),
    "naive": (
        {"restore_dcs": [{"instance_id": "a", "restore_point": "2026-11-24 14:00"}]},
        "restore_dcs[0].restore_point 2026-11-24 14:00 names no time zone",
    ),
    "no group": (
        {"restore_dcs": [{"instance_id": "a", "backup_id": "b", "group": "first"}]},
        "group must be a whole",
    ),
    "no connection": (
        {"restore_dcs": [{"instance_id": "a", "backup_id": "b", "connection": "host"}]},
        "restore_dcs[0].connection must be a dictionary",
    ),
}


CHECKS: list[tuple[str, dict[str, Any], str]] = [
    ("restore_dcs", {"checks": [{"pingg": True}]}, "restore_dcs[0].checks[0] has an unknown key: 'pingg'"),
    ("restore_dcs", {"checks": [{"key": {}}]}, "restore_dcs[0].checks[0].key must have name"),
    ("restore_dcs", {"checks": [{"newest_not_after": ""}]}, "checks[0].newest_not_after must have key"),
    ("restore_dcs", {"checks": [{"ping": ""}]}, "ping must be true or false, not ''"),
    ("restore_dcs", {"checks": [{"query": "SELECT 1"}]}, "query is not a check of this service"),
    ("restore_dcs", {"checks": [{"dbsize": {"at_least": "many"}}]}, "at_least must be a number"),
    ("restore_ddm", {"checks": [{"query": "DELETE FROM orders"}]}, "restore_ddm[0].checks[0].query.sql"),
    ("restore_dcs", {"connection": {"pasword": "x"}}, "Did you mean password?"),
    ("restore_dcs", {"checks": [{"ping": True, "connection": {"port": 0}}]}, "port must be from 1 to 65535"),
]


@pytest.mark.parametrize(("variable", "options", "words"), CHECKS)
def test_what_cannot_be_verified_is_found_before_anything_is_overwritten(
    variable: str, options: dict[str, Any], words: str
) -> None:
    pair = {"source_instance_id": "s", "target_instance_id": "t"}
    entry = pair if variable == "restore_ddm" else {"instance_id": "a"}
    (problem,) = _entries.read_entries({variable: [{**entry, **options}]}, ALL).problems
    assert words in problem


@pytest.mark.parametrize("case", WRONG)
def test_wrong_entries(case: str) -> None:
    variables, words = WRONG[case]
    defaults = ALL if case == "twice by name" else NONE
    problems = found(defaults, **variables).problems
    assert len(problems) == 1, problems
    assert words in problems[0]


def test_all_problems_at_once() -> None:
    caches = [{"backup_id": "b"}, {"instance_id": "a", "restore_point": "tomorrow", "group": "x"}]
    problems = found(NONE, restore_dcs=caches, restore_ddm="nonsense", restore_instances=["c\nd"]).problems
    assert [problem.split()[0] for problem in problems] == [
        "restore_ddm",
        "restore_dcs[0]",
        "restore_dcs[1].restore_point",
        "restore_dcs[1].group",
        "restore_instances[0]",
    ]


@pytest.mark.parametrize("entry", [{}, {"instance_id": "", "backup_id": None}, None, ""])
def test_the_run_warns_of_a_blank_entry(entry: Any) -> None:
    warning = ["restore_dcs[1] is blank, so it was left out."]
    assert _entries.left_out({"restore_dcs": [{"instance_id": "c1"}, entry]}) == warning
    assert _entries.left_out({"restore_dcs": json.dumps([{"instance_id": "c1"}, entry])}) == warning


def test_no_entry_is_not_a_blank_one() -> None:
    values: list[Any] = [None, "", [], "c1", 5, {}, [{"instance_id": "c1"}], [5]]
    for value in values:
        assert _entries.left_out({"restore_dcs": value}) == []


def test_names_of_which_the_service_is_found() -> None:
    cache = {"instance_id": "c1", "name": "orders-cache", "status": "RUNNING", "vpc_name": "vpc-production"}
    instances = {
        "dcs": [
            cache,
            {**cache, "instance_id": "c2", "name": "twin"},
            {**cache, "instance_id": "c3", "name": "twin"},
        ],
        "ddm": [{"id": "d1", "name": "orders-db", "status": "RUNNING"}],
    }
    rows, problems = _entries.by_name(["orders-cache", "c2"], instances, ALL)
    assert problems == []
    assert [row["instance_id"] for row in rows] == ["c1", "c2"]
    assert [_target.called(row) for row in rows] == ["orders-cache", "twin"]
    assert {row["restore_point"] for row in rows} == {ALL.point}
    rows, problems = _entries.by_name(["C2", "D1"], instances, ALL)
    assert ([row["instance_id"] for row in rows], len(problems)) == (["c2"], 1)
    assert "'D1' is a DDM instance" in problems[0]
    assert "no instance 'Orders-Cache'" in _entries.by_name(["Orders-Cache"], instances, ALL)[1][0]
    rows, problems = _entries.by_name(["orders-cash", "twin", "orders-db"], instances, ALL)
    assert rows == []
    assert (
        "there is no instance 'orders-cash' in this project and region. Did you mean 'orders-cache'"
        in problems[0]
    )
    assert "is the name of 2 instances: DCS c2, RUNNING, vpc-production; DCS c3, RUNNING" in problems[1]
    assert "'orders-db' is a DDM instance. It is restored onto another instance" in problems[2]


def test_a_host_names_its_instance_by_id_or_by_name() -> None:
    host: dict[str, Any] = {"service": "dcs", "instance_name": "orders-cache"}
    row = _entries.of_host("a", host, ALL)
    assert (row["instance_name"], row["label"], row.get("error_kind")) == ("orders-cache", "a", None)
    row = _entries.of_host("a", {**host, "instance_id": "c1"}, ALL)  # as the inventory plugin gives both
    assert (row["instance_id"], row.get("instance_name")) == ("c1", None)
    row = _entries.of_host("a", {"service": "dcs"}, ALL)
    assert "a needs instance_id or instance_name." in row["msg"]
    source = {"service": "ddm", "instance_name": "orders-db", "target_instance_id": "t1"}
    assert _entries.of_host("b", source, ALL)["instance_name"] == "orders-db"
    entry = _entries.of_host("b", {**source, "restore_point": "2026-11-01T00:00:00Z"}, ALL)
    assert entry["restore_time"].startswith("2026-11-01T00:00:00")
    row = _entries.of_host("a", {**host, "project_id": ["p"]}, ALL)
    assert "a.project_id must be text, not a list." in row["msg"]


SAVED: dict[str, Any] = {"service": "dcs", "instance_id": "c", "safety_backup": {"backup_id": "b"}}


@pytest.mark.parametrize(
    "row",
    [
        "x",
        {**SAVED, "service": "s3"},
        {**SAVED, "service": ["dcs"]},
        {"safety_backup": {"backup_id": "b"}},
        {**SAVED, "safety_backup": "b"},
        {**SAVED, "safety_backup": {"x": 1}},
        {**SAVED, "target": "c"},
    ],
)
def test_an_invalid_row_of_a_report_is_not_undone(row: Any) -> None:
    report = {**samples.made([]), "restores": [SAVED]}
    assert [one["backup_id"] for one in _entries.of_undo(report, None)[0]] == ["b"]
    asked = {ticket: _entries.of_undo(report, ticket)[0][0]["operation_id"] for ticket in (None, "CHG-1")}
    assert asked == {None: f"undo {report['id']}", "CHG-1": "CHG-1"}
    stack = {**report, "restores": [{"service": "ddm", "safety_backup": None}, SAVED]}
    assert _entries.of_undo(stack, None) == _entries.of_undo(report, None), "only the cache has a backup"
    nameless = {**SAVED, "target": None, "instance_id": "c9", "region": "eu", "profile": "drill"}
    by_name = {**SAVED, "instance_id": None, "target": {"instance_id": "c8", "instance_name": "orders"}}
    (undone,), dummy = _entries.of_undo({**report, "restores": [by_name]}, None)
    assert (undone["instance_id"], undone["name"]) == ("c8", "orders"), "an entry may have named it"
    (undone,), dummy = _entries.of_undo({**report, "restores": [nameless]}, None)
    assert [undone[name] for name in ("instance_id", "region", "profile")] == ["c9", "eu", "drill"]
    rows, problems = _entries.of_undo(_report_files.report_from({**report, "restores": [SAVED, row]}), None)
    assert rows == [] and "restore_report must be a report of this collection" in problems[0]


def test_an_undo_is_as_wide_as_its_entries() -> None:
    rows = [{"service": "dcs", "name": name, "instance_id": name[0]} for name in ("c-cache", "d-cache")]
    for named, left in (("c\nd-cache", []), ("C\nD", []), ("C", ["d-cache"]), ("C-cache\nd", ["c-cache"])):
        entries = found(ALL, restore_instances=named)
        problems = _entries.undone_but_not_named(entries, rows)
        assert [name in "".join(problems) for name in ("c-cache", "d-cache")] == [
            row["name"] in left for row in rows
        ], named
        assert bool(problems) is bool(left), named
    database = {"source_instance_id": "s", "target_instance_id": "t", "restore_time": "latest"}
    assert _entries.undone_but_not_named(found(ALL, restore_ddm=[database]), rows) == [], "no cache is named"


def test_readiness_asks_for_a_new_restore_of_the_newest_data() -> None:
    """What an earlier run has restored would be unchanged, so green, although no restore would work now."""
    database, cache = found(
        ALL,
        restore_dcs=[{"instance_id": "c", "backup_id": "b"}],
        restore_ddm=[{"source_instance_id": "s", "target_instance_id": "t", "job_id": "j"}],
    ).rows
    newest = _entries.for_newest_data(cache)
    assert (newest["restore_point"], newest["operation_id"]) == ("latest", "readiness")
    assert "backup_id" not in newest
    newest = _entries.for_newest_data(database)
    assert (newest["restore_time"], "job_id" in newest) == ("latest", False)
    (job,) = found(ALL, restore_ddm=[{"job_id": "j"}]).rows
    assert "names only job j" in _entries.for_newest_data(job)["msg"]


def test_readiness_sends_an_entry_of_metadata_to_a_check_of_the_restore() -> None:
    """It was planned for the time `latest`, and refused with the advice to give the time that it has."""
    pair = {"source_instance_id": "a", "target_instance_id": "b"}
    entry = {"source_instance_id": "s", "target_instance_id": "t", "restore_time": "2026-11-27T10:00:00Z"}
    rows = found(ALL, restore_ddm=[{**entry, "metadata": True, "data_node_relations": [pair]}]).rows
    newest = _entries.for_newest_data(rows[0])
    assert newest["error_kind"] == "invalid_argument"
    assert "with the playbook restore and --check" in newest["msg"]


@pytest.mark.parametrize(
    ("rows", "planned", "why"),
    [
        ([SAVED], True, "that of a plan, which overwrites nothing"),
        ([], True, "that of a plan, which overwrites nothing"),
        ([], False, "no safety backup to go back to"),
        ([{**SAVED, "data_state": "untouched"}], False, "no safety backup to go back to"),
    ],
)
def test_a_report_without_a_way_back_says_why(rows: list[Any], planned: bool, why: str) -> None:
    report = {**samples.made([]), "restores": rows, "check_mode": planned}
    found, problems = _entries.of_undo(report, None)
    assert found == [] and len(problems) == 1 and why in problems[0]


def test_an_option_of_a_new_type_needs_a_reader() -> None:
    """Otherwise the role would send the text `5` where the module sends a number."""
    with pytest.raises(KeyError, match="int"):
        _entries.reader_of("speed_limit", {"type": "int"})


@pytest.mark.parametrize(
    ("entry", "row", "same"),
    [
        ({"job_id": "ABCDEF01"}, {"job_id": "abcdef01"}, True),
        ({"job_id": "ab-cd"}, {"job_id": "ABCD", "target": {"instance_id": "d1"}}, True),
        ({"job_id": "ABCDEF01"}, {"job_id": "abcdef02"}, False),
        ({"job_id": "ABCDEF01"}, {"job_id": None}, False),
        ({"job_id": None}, {"job_id": None}, False),
        ({"target_instance_id": "D1"}, {"target": {"instance_id": "d1"}}, True),
        ({"target_instance_id": "D1", "job_id": "j"}, {"target": {"instance_id": "d1"}}, True),
        ({"target_instance_id": "d1"}, {"target": {"instance_id": None, "instance_name": "d1"}}, False),
        ({"target_instance_name": "Db"}, {"target": {"instance_id": "d1", "instance_name": "Db"}}, True),
        ({"target_instance_name": "DB"}, {"target": {"instance_id": "d1", "instance_name": "Db"}}, False),
        ({"target_instance_name": "Db"}, {"target_instance_name": "Db", "region": "r"}, False),
        ({"target_instance_name": "Db", "profile": ""}, {"target_instance_name": "Db"}, True),
        ({"target_instance_name": "Db"}, {"target_instance_name": "Db", "profile": ""}, True),
    ],
)
def test_an_entry_and_a_row_are_about_one_target(
    entry: dict[str, Any], row: dict[str, Any], same: bool
) -> None:
    """Only an ID may be in capitals, that of a job as well as that of an instance."""
    assert _target.same({"service": "ddm", **entry}, {"service": "ddm", **row}) is same
    assert not _target.same({"service": "dcs", **entry}, {"service": "ddm", **row})
