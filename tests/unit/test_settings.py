# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values of the role's variables: blanks, lists in texts, durations, names, and times in a zone."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _options
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _settings as read

NOW = 1795600000000  # 2026-11-25T09:46:40Z
BERLIN = ZoneInfo("Europe/Berlin")


class Omit:
    """From ansible-core 2.19 on, `omit` is an object of a type with this name."""


@pytest.mark.parametrize("value", [None, "", "  \n", [], {}, "__omit_place_holder__8a1b", Omit()])
def test_unset(value: Any) -> None:
    assert read.unset(value)
    assert read.given({"a": value, "b": 0}) == {"b": 0}


@pytest.mark.parametrize("value", [0, False, "0", [None], "omit"])
def test_set(value: Any) -> None:
    assert not read.unset(value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("26h", 93600),
        ("7d", 604800),
        (45, 45),
        ("45", 45),
        (" 1.5H ", 5400),
        ("0", 0),
    ],
)
def test_durations(value: Any, seconds: int) -> None:
    assert read.duration(value, "restore_max_gap") == seconds


@pytest.mark.parametrize("value", ["soon", "-1h", "1w", "1h30m", True, "h", "9999d"])
def test_an_invalid_duration(value: Any) -> None:
    with pytest.raises(read.Problem, match=r"^restore_max_gap must be "):
        read.duration(value, "restore_max_gap")


@pytest.mark.parametrize(
    "value",
    [
        [{"instance_id": "010", "point": "2026-11-25 14:00:00", "on": True}],
        '[{"instance_id": "010", "point": "2026-11-25 14:00:00", "on": true}]',
        "- instance_id: 010\n  point: 2026-11-25 14:00:00\n  on: true\n",
    ],
)
def test_a_list_is_read_from_a_text(value: Any) -> None:
    (entry,) = read.entries(value, "restore_dcs")
    assert list(entry.values()) == ["010", "2026-11-25 14:00:00", True]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            "instance_id=a restore_point=latest",
            "must be a list, not the text 'instance_id=a restore_point=latest'",
        ),
        ("[{a: b", "not valid YAML or JSON"),
        ({"instance_id": "a"}, "must be a list, not a dictionary"),
        (5, "must be a list, not a number"),
        (["a"], r"restore_dcs\[0\] must be a dictionary of options, not 'a'"),
        ("[" * 5000, "not valid YAML or JSON"),
        ("- instance_id: a\n  remark: x\n  instance_id: b", "'instance_id' twice in one entry. Begin each"),
        ('[{"instance_id": "a", "instance_id": "a"}]', "'instance_id' twice in one entry"),
    ],
)
def test_an_invalid_list(value: Any, words: str) -> None:
    with pytest.raises(read.Problem, match=words):
        read.entries(value, "restore_dcs")


def test_a_ticket_and_a_name_are_the_same_in_either_spelling() -> None:
    """Otherwise the run of a colleague with a Mac would not find the job that the first run started."""
    values = {"operation_id": "Su\u0308d-1", "instances": "cafe\u0301, caf\u00e9"}
    options, problems = _options.options({f"restore_{name}": text for name, text in values.items()}, 0)
    assert (options.operation_id, problems) == ("S\u00fcd-1", [])
    assert read.names(values["instances"], "restore_instances") == ["caf\u00e9"]


def test_an_entry_may_be_merged_into_others() -> None:
    text = "- &a {remark: x, instance_id: a}\n- &b {<<: *a, instance_id: b}\n- {<<: *b, instance_id: c}"
    assert [entry["instance_id"] for entry in read.entries(text, "restore_dcs")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "value",
    [
        "orders-cache\n\nsession-cache\r\n",
        "orders-cache, session-cache",
        ["orders-cache", "session-cache", None],
        "- orders-cache\n- session-cache",
        '["orders-cache", "session-cache"]',
        "orders-cache,session-cache,orders-cache",
    ],
)
def test_names(value: Any) -> None:
    assert read.names(value, "restore_instances") == ["orders-cache", "session-cache"]


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("latest", "latest"),
        (" Latest\n", "latest"),
        ("2026-11-24T14:00:00+01:00", "2026-11-24T13:00:00.000Z"),
        ("2026-11-24 14:00", "2026-11-24T13:00:00.000Z"),
        ("2026-07-24T14:00:00.5", "2026-07-24T12:00:00.500Z"),
        ("20261124130000", "2026-11-24T13:00:00.000Z"),
        (1795518000000, "2026-11-24T11:00:00.000Z"),
    ],
)
def test_points_in_time(value: Any, utc: str) -> None:
    assert read.point(value, "restore_point", BERLIN, NOW) == utc


def test_a_clock_that_is_slow_decides_nothing() -> None:
    """A time in the future of this machine may be in the past of the cloud, whose clock decides."""
    assert read.point(NOW + 20 * 60_000, "restore_point", None, NOW) == iso(NOW + 20 * 60_000)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            "2026-10-25 02:30",
            "exists twice in Europe/Berlin on that day: "
            "write 2026-10-25T00:30:00.000Z or 2026-10-25T01:30:00.000Z",
        ),
        (
            "2026-03-29 02:30",
            "does not exist in Europe/Berlin on that day: "
            "write 2026-03-29T00:30:00.000Z or 2026-03-29T01:30:00.000Z",
        ),
        ("2026-11-27T23:00:00Z", "lies in the future"),
        ("2026-02-30 10:00", "is not a time"),
        ("20261324130000", "is not a time"),
        (1795518000, "looks like seconds"),
        ("yesterday", "is not a time"),
        (["latest"], "must be text, not a list"),
    ],
)
def test_an_invalid_point_in_time(value: Any, words: str) -> None:
    with pytest.raises(read.Problem, match=words):
        read.point(value, "restore_point", BERLIN, NOW)


def test_a_time_without_a_zone_asks_for_one() -> None:
    with pytest.raises(read.Problem, match=r"no time zone: write .* zone in restore_timezone\.$"):
        read.point("2026-11-24 14:00", "restore_point", None, NOW)
    for name in ("Mars/Olympus", "../etc/passwd", "/etc/passwd", "CE ST", "Europe"):
        with pytest.raises(read.Problem, match=r"is not a known time zone: .*Asia/Singapore\.$"):
            read.zone(name, "restore_timezone")


def test_a_zone_of_the_environment_is_refused_by_its_name() -> None:
    dummy, problems = _options.options(_options.of_kind("restore", {}, "Berlin"), NOW)
    assert len(problems) == 1 and problems[0].startswith("restore_timezone (or HW_TIMEZONE) 'Berlin' is not")


@pytest.mark.parametrize("value", ["maybe", "", 2, [True]])
def test_an_invalid_boolean(value: Any) -> None:
    assert [read.flag(good, "x") for good in (True, "yes", "False", 0, "on\n")] == [
        True,
        True,
        False,
        False,
        True,
    ]
    with pytest.raises(read.Problem, match="x must be true or false"):
        read.flag(value, "x")


@pytest.mark.parametrize("value", [True, "ten", "1e3", 101, "-1", 1.5])
def test_an_invalid_number(value: Any) -> None:
    assert [read.number(good, "x", 0, 100) for good in (7, "7", 7.0, " 7\n")] == [7] * 4
    with pytest.raises(read.Problem, match=r"^x must be "):
        read.number(value, "x", 0, 100)


def test_a_text_is_one_line_and_no_boolean() -> None:
    with pytest.raises(read.Problem, match="control character"):
        read.word("a\nb", "restore_operation_id")
    assert read.word(1042, "restore_operation_id") == "1042"
    with pytest.raises(read.Problem, match=r"restore_report_dir must be text, not a boolean\.$"):
        read.word(False, "restore_report_dir")


def test_a_variable_that_is_almost_one_of_the_role_is_reported() -> None:
    known = [*_options.VARIABLES, "drill_scratch", "restore_planned", "restore_reported", "restore_result"]
    assert _options.mistyped([*known, "restore_hosts", "ansible_host", "drill", "restored"]) == []
    typed = {
        "restore_protcted": "restore_protected?",
        "restor_protected": "restore_protected?",
        "retsore_protected": "restore_protected?",
        "restore_safty_backup": "restore_safety_backup?",
        "drill_scrach": "drill_scratch?",
        "restore_before_task": "restore_before_tasks?",
    }
    assert [line.rpartition(" ")[2] for line in _options.mistyped(typed)] == [*typed.values()]


def test_a_variable_that_a_playbook_ignores_is_reported() -> None:
    given = {"restore_before_tasks": "stop.yml", "restore_dcs": [], "restore_protected": "*prod*"}
    assert _options.unused("fleet", given) == ["The playbook fleet does not use restore_before_tasks."]
    assert _options.unused("restore", given) == []
    given = {"restore_report": "reports/CHG-1042.json"}
    assert _options.unused("readiness", given) == ["The playbook readiness does not use restore_report."]
    assert _options.unused("undo", given) == []
    given = {"restore_plan_file": "plans/CHG-1042.json"}
    assert _options.unused("readiness", given) == ["The playbook readiness does not use restore_plan_file."]
    assert _options.unused("restore", given) == []


@pytest.mark.parametrize(
    ("kind", "variable", "named"),
    [
        ("fleet", "restore_wait_timeout", "fleet_wait_timeout"),
        ("fleet", "restore_poll_interval", "fleet_poll_interval"),
        ("fleet", "restore_max_gap", "restore_max_gap"),
        ("restore", "restore_wait_timeout", "restore_wait_timeout"),
        ("drill", "restore_window_days", "drill_window_days"),
    ],
)
def test_a_message_names_the_variable_of_the_playbook(kind: str, variable: str, named: str) -> None:
    given = {"restore_scratch": "*", variable: "soon"}
    problems = _options.options(given, 0, kind=kind)[1]
    assert [problem.partition(" must be ")[0] for problem in problems] == [named]


def test_a_drill_takes_a_random_point_only_if_it_is_asked_for() -> None:
    asked = {"restore_scratch": "*", "restore_window_days": 7, "restore_point": " Random "}
    found, problems = _options.options(asked, NOW, "abc123", "drill")
    assert problems == [] and found.seed == f"abc123@{NOW // 1000}"
    assert iso(NOW - 7 * 86400 * 1000) < str(found.point) < iso(NOW)
    again, dummy = _options.options({**asked, "restore_seed": found.seed}, NOW + 86400000, "def456", "drill")
    assert (again.point, again.seed) == (found.point, found.seed)
    fixed, problems = _options.options({**asked, "restore_point": "latest"}, NOW, "abc123", "drill")
    assert (fixed.point, fixed.seed, problems) == ("latest", None, [])
    without, (problem,) = _options.options({"restore_point": "random"}, NOW, "abc123")
    assert without.point is None and problem.startswith("restore_point ")
    without, (problem,) = _options.options({**asked, "restore_window_days": "x"}, NOW, "abc123", "drill")
    assert without.point is None and problem.startswith("drill_window_days "), (
        "and not that random is no time"
    )


@pytest.mark.parametrize("scratch", [{}, {"restore_scratch": "[]"}, {"restore_scratch": [Omit()]}])
def test_a_drill_needs_patterns_of_what_it_may_overwrite(scratch: dict[str, Any]) -> None:
    assert _options.options(scratch, NOW, kind="drill")[1] == [_options.NO_SCRATCH]
    assert _options.options(scratch, NOW)[1] == []


def test_an_omitted_pattern_is_none_and_a_tuple_is_a_list() -> None:
    assert _options.patterns(["*prod*", Omit()], "restore_protected") == ("*prod*",)
    assert _options.patterns(("*prod*", "tag:a=b"), "restore_protected") == ("*prod*", "tag:a=b")


def test_a_plan_is_given_once() -> None:
    both: dict[str, Any] = {"restore_plan": {"restores": []}, "restore_plan_file": "plan.json"}
    assert [_options.options({name: both[name]}, NOW)[1] for name in both] == [[], []]
    assert _options.options(both, NOW)[1] == [
        "restore_plan and restore_plan_file are both given: give only one of them."
    ]


@pytest.mark.parametrize("digest", ["", "a" * 15, "a" * 65, "g" * 16, "*" * 16, "sha256:" + "a" * 15])
def test_a_digest_too_short_to_approve_one_plan_is_refused(digest: str) -> None:
    good = [_options.digits(text, "x") for text in ("A" * 16, f" sha256:{'a' * 64}\n")]
    assert good == ["a" * 16, "a" * 64]
    with pytest.raises(read.Problem, match=r"^x must be the digest that a plan shows"):
        _options.digits(digest, "x")


def test_a_drill_of_each_day_is_an_operation_of_its_own() -> None:
    asked = _options.Options()
    assert _options.operation_of(asked, NOW, "drill") == "drill 2026-11-25"
    assert _options.operation_of(asked, NOW, "restore") is None
    assert _options.operation_of(asked._replace(operation_id="CHG-1042"), NOW, "drill") == "CHG-1042"


def test_a_plan_as_data_is_no_path_and_keeps_its_texts() -> None:
    plan = {"operation_id": 1042, "restores": [{"label": 7, "size": 8, "job_id": None}]}
    kept = {"operation_id": "1042", "restores": [{"label": "7", "size": 8, "job_id": None}]}
    for given in (plan, {"digest": "d", "plan": plan}, json.dumps({"plan": plan})):
        assert _options.data(given, "x") == kept
    for wrong, words in (("plan.json", "a path belongs in"), ("{", "not valid JSON"), (["a"], "not a list")):
        with pytest.raises(read.Problem, match=words):
            _options.data(wrong, "x")
