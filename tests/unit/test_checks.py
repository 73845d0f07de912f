# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of restore_verify: what is refused before the first query, and each verdict."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import checks
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify.checks import Key

POINT = 1769828400000  # 2026-01-31T03:00:00Z
NEWEST = {"redis": "k", "mysql": "SELECT 1"}


def check(entry: dict[str, Any], probe: str = "redis") -> checks.Check:
    (found,) = checks.parse([entry], probe, "restores[0]")
    return found


def verdict(
    entry: dict[str, Any], found: Any, probe: str = "redis", **more: Any
) -> tuple[bool, str | None, str]:
    given = {"point": POINT, "count": None, "tolerance": 0.0, **more}
    passed, expected, shown = checks.judge(check(entry, probe), found, **given)
    return passed, expected, shown


@pytest.mark.parametrize(
    ("entry", "probe", "text"),
    [
        ("ping", "redis", "restores[0].checks[0] must be a dictionary such as {ping: true}"),
        ({"pong": True}, "redis", "has an unknown key: 'pong'. Did you mean ping?"),
        ({"name": "x"}, "redis", "must have exactly one check: ping, dbsize, key, newest_not_after"),
        ({"ping": True, "dbsize": {}}, "redis", "must have exactly one check"),
        ({"query": "SELECT 1"}, "redis", "query is not a check of this service"),
        (
            {"dbsize": {}},
            "mysql",
            "dbsize is not a check of this service; its checks are ping, query, newest_not_after",
        ),
        (
            {"dbsize": {"at_lest": 1}},
            "redis",
            "checks[0].dbsize has an unknown key: 'at_lest'. Did you mean at_least?",
        ),
        ({"dbsize": {"at_least": "many"}}, "redis", "checks[0].dbsize.at_least must be a number, not 'many'"),
        ({"dbsize": {"at_least": True}}, "redis", "must be a number"),
        ({"key": {"equals": "x"}}, "redis", "checks[0].key must have name"),
        ({"query": {"equals": "x"}}, "mysql", "checks[0].query must have sql"),
        ({"newest_not_after": True}, "redis", "newest_not_after must have key"),
        ({"newest_not_after": True}, "mysql", "newest_not_after must have sql"),
        ({"newest_not_after": {"sql": "SELECT 1"}}, "redis", "has an unknown key: 'sql'. Known: key, time"),
        ({"newest_not_after": {"key": "x"}}, "mysql", "has an unknown key: 'key'. Known: sql, time"),
        ({"newest_not_after": {"key": "x", "time": "soon"}}, "redis", "time 'soon' is not a valid time"),
        (
            {"newest_not_after": {"key": "x", "timezone": "Mars/Base"}},
            "redis",
            "'Mars/Base' is not a known time zone",
        ),
        (  # another zone on another machine
            {"newest_not_after": {"key": "x", "timezone": "localtime"}},
            "redis",
            "newest_not_after.timezone 'localtime' is not a known time zone: give an IANA name",
        ),
    ],
)
def test_what_is_refused(entry: Any, probe: str, text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        checks.parse([entry], probe, "restores[0]")
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"ping": False}, "checks[0].ping must be written as {ping: true}, not as 'false'. Leave it out"),
        ({"ping": "maybe"}, "checks[0].ping must be true or false, not 'maybe'"),
        ({"ping": {"at_least": 1}}, "checks[0].ping has an unknown key: 'at_least'"),
        ({"dbsize": 1000}, "checks[0].dbsize must be written as {dbsize: {at_least: 1}}"),
        ({"dbsize": "1000"}, "checks[0].dbsize must be written as {dbsize: {at_least: 1}}"),
        ({"dbsize": False}, "Leave it out where nothing is to be checked"),
        ({"dbsize": {"at_lest": None}}, "has an unknown key: 'at_lest'"),
        ({"dbsize": {"at_least": 5, "at_most": 1}}, "at_least is more than at_most"),
        ({"dbsize": {"at_least": -1}}, "at_least must be a whole number and not below 0, not '-1'"),
        ({"dbsize": {"at_most": 1.5}}, "at_most must be a whole number"),
        ({"dbsize": {"equals": "1e-9"}}, "equals must be a whole number"),
        ({"dbsize": {"equals": "many"}}, "equals must be a number"),
        ({"dbsize": {"equals": 5, "at_least": 6}}, "equals is outside the bounds"),
        ({"key": False}, "checks[0].key must be written as {key: NAME}"),
        ({"key": ["a"]}, "checks[0].key must be written as {key: NAME}"),
        ({"key": {"name": ["a"]}}, "checks[0].key.name must be text"),
        ({"key": {"name": "a", "type": "strng"}}, "type 'strng' is not a type of key. Did you mean string?"),
        ({"key": {"name": "a", "type": "none"}}, "is not a type of key"),
        ({"key": {"name": "a", "type": ["list"]}}, "is not a type of key"),
        ({"key": {"name": "a", "type": "list", "equals": "x"}}, "equals needs a key of type string"),
        ({"key": {"name": "a", "equals": {"x": 1}}}, "equals must be one value"),
        ({"key": {"name": "a", "equals": " "}}, "equals must be one value"),
        ({"key": {"name": "a", "exists": "perhaps"}}, "exists must be true or false, not 'perhaps'"),
        ({"key": {"name": "a", "exists": False, "length": 1}}, "that must not exist has nothing else"),
        (
            {"key": {"name": "a", "ttl_at_least": 9, "ttl_at_most": 1}},
            "ttl_at_least is more than ttl_at_most",
        ),
        ({"key": {"name": "a", "ttl_at_least": -2}}, "ttl_at_least must be a whole number"),
        ({"key": {"name": "a", "length": 0.5}}, "length must be a whole number"),
        ({"key": {"name": "a", "equals": "x" * 65537}}, "longer than 65536 bytes"),
        ({"key": {"name": "a", "equals": None}}, "equals is null: leave it out"),
        ({"dbsize": {"at_least": None}}, "at_least is null: leave it out"),
        ({"newest_not_after": {"key": "a", "time": "1e99"}}, "time '1e99' is not a valid time"),
        ({"ping": True, "connection": "abc"}, "checks[0].connection must be a dictionary"),
    ],
)
def test_what_could_only_fail_or_mislead_is_refused(entry: Any, text: str) -> None:
    """Before anything is overwritten. Otherwise such a check would fail only after the restore."""
    with pytest.raises(InvalidArgument) as caught:
        checks.parse([entry], "redis", "restores[0]")
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("asks", "text"),
    [
        ({"at_least": 5, "at_most": 1}, "at_least is more than at_most"),
        ({"equals": "paid", "at_least": 1}, "equals is outside the bounds"),
        ({"equals": [1]}, "equals must be one value"),
        ({"rows": -1}, "rows must be a whole number"),
        ({"rows": "many"}, "rows must be a number"),
        ({"rows": True}, "rows must be a number"),
        ({"rows": [{"id": 1}]}, "rows must be a number, or a list of rows"),
        ({"rows": 1, "equals": 1}, "rows compares all rows"),
        ({"rows": 1001}, "rows is more than the 1000 rows"),
        ({"rows": [1] * 1001}, "rows has more than the 1000 rows"),
        ({"rows": None}, "rows is null"),
        ({"sql": ["SELECT 1"]}, "sql must be text"),
    ],
)
def test_what_a_database_could_only_fail_is_refused(asks: Any, text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        checks.parse([{"query": {"sql": "SELECT 1", **asks}}], "mysql", "restores[0]")
    assert text in str(caught.value)


def test_texts_of_variables_are_taken_for_what_they_mean() -> None:
    """The value of an extra variable in the form name=value is a text."""
    assert check({"ping": "yes"}).options == {}
    assert check({"dbsize": {"at_least": "5", "at_most": "5"}}).options == {"at_least": "5", "at_most": "5"}
    assert check({"key": {"name": "a", "exists": "false"}}).options == {"name": "a", "exists": False}
    assert check({"newest_not_after": {"key": "a", "time": "2026-01-31"}}).options["time"] == POINT - 10800000
    assert check({"key": 0}).options == check({"key": {"name": 0}}).options == {"name": 0}  # as YAML reads 0


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        "  update orders set a = 1",
        "-- SELECT\nDROP TABLE orders",
        "# SELECT\nDROP TABLE orders",
        "/* SELECT */ TRUNCATE orders",
        "/*! DELETE FROM orders */",
        "SELECT 1 /*!, writes() */",
        "SELECT * FROM orders INTO OUTFILE '/tmp/x'",
        "SELECT 1 INTO @x",
        "WITH x AS (SELECT 1) DELETE FROM orders",
        "WITH x AS (SELECT 1) UPDATE `orders` SET a = 1",
        "WITH x AS (SELECT 1) DELETE o FROM orders o JOIN x",
        "WITH x AS (SELECT 1) UPDATE orders o JOIN x SET o.a = 1",
        "EXPLAIN ANALYZE DELETE LOW_PRIORITY FROM orders",
        "EXPLAIN ANALYZE INSERT INTO orders SELECT 1",
        "SELECT * FROM orders FOR UPDATE",
        "SELECT * FROM orders LOCK IN SHARE MODE",
        "SELECT 1; DELETE FROM orders",
        "SELECT 1; DROP TABLE orders",
        "SET GLOBAL x = 1",
        "SELECT '/*', 1 INTO OUTFILE '/tmp/x' -- */'",
        "SELECT '-- ' INTO OUTFILE '/tmp/x'",
        "SELECT '#' FROM orders FOR UPDATE",
        "SELECT '/*'; DROP TABLE orders; SELECT '*/'",
        "SELECT `/*` INTO/**/OUTFILE '/tmp/x' FROM orders -- */",
        "SELECT 'a\\' INTO OUTFILE '/tmp/x' -- '",  # where \ is no escape
        "SELECT 'a\\'' INTO OUTFILE '/tmp/x'",
        r"SELECT 1 `a\`, '\'' INTO OUTFILE '/tmp/x' -- `",  # where \ is an escape, but not in `
        r"""SELECT 1 "a\", '\'' INTO OUTFILE '/tmp/x' -- "x""",  # nor in "
        "SELECT 1 --\x01 '\nINTO OUTFILE '/tmp/x'",
        "SELECT 1 /*M! INTO OUTFILE '/tmp/x' */",
        "CALL writes()",
        "",
        "/* only a comment */",
    ],
)
def test_statements_that_could_write_are_refused(sql: str) -> None:
    for entry in ({"query": {"sql": sql}}, {"newest_not_after": {"sql": sql}}):
        with pytest.raises(InvalidArgument):
            checks.parse([entry], "mysql", "restores[0]")


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        (r"SELECT 'a\'b;'", "SELECT 'a''b;'"),
        (r"SELECT 'a\'b;c', 1", "SELECT 'a''b;c', 1"),
        (r"""SELECT "a\"b;" FROM x""", """SELECT "a""b;" FROM x"""),
        (r"SELECT 1 FROM x WHERE why = 'it\'s for update'", "SELECT 1 FROM x WHERE why = 'it''s for update'"),
        (r"SELECT 'c:\', 'x;y'", "SELECT CONCAT('c:', CHAR(92)), 'x;y'"),
    ],
)
def test_a_statement_that_servers_read_differently_is_refused_with_the_reason(sql: str, instead: str) -> None:
    words = r"Servers differ on a backslash in a text: write '' for a quote, CHAR\(92\) for a \\"
    for entry in ({"query": {"sql": sql}}, {"newest_not_after": {"sql": sql}}):
        with pytest.raises(InvalidArgument, match=words):
            checks.parse([entry], "mysql", "restores[0]")
    assert check({"query": instead}, "mysql").options == {"sql": instead}


@pytest.mark.parametrize(
    "sql", [r"SELECT 'a\\b'; DROP TABLE x", "SELECT 'a''b'; DROP TABLE x", "DELETE FROM x"]
)
def test_a_statement_that_all_servers_read_alike_is_refused_for_what_it_does(sql: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        checks.parse([{"query": {"sql": sql}}], "mysql", "restores[0]")
    assert "differ" not in str(refused.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM orders",
        "select 1;",
        "(SELECT 1) UNION (SELECT 2)",
        "-- how many\nSELECT COUNT(*) FROM orders",
        "SHOW TABLES",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "SELECT 'a;b', `c;d` FROM x",
        "SELECT COUNT(*) FROM orders WHERE note = '#1' AND why = ';'",
        "SELECT 'for update', \"it's -- into @x\" -- isn't it",
        "SELECT updated, deleted FROM inserts",
        "SELECT t.update, @delete, update_time FROM t",
        "SELECT COUNT(*) FROM log WHERE text = 'delete from x' AND update_set = 1",
    ],
)
def test_statements_that_read_are_taken(sql: str) -> None:
    assert check({"query": sql}, "mysql").options == {"sql": sql}


def test_names_tell_checks_apart() -> None:
    found = checks.parse(
        [{"ping": True}, {"ping": True}, {"key": "a"}, {"name": "own", "dbsize": True}], "redis", "r"
    )
    assert [one.name for one in found] == ["ping", "ping #2", "key a", "own"]
    assert [one.kind for one in found] == ["ping", "ping", "key", "dbsize"]


@pytest.mark.parametrize(
    ("entry", "probe", "rung"),
    [
        ({"ping": True}, "redis", "reachable"),
        ({"dbsize": {"equals": 1}}, "redis", "counts"),
        ({"query": {"sql": "SELECT 1"}}, "mysql", "counts"),
        ({"query": {"sql": "SELECT 1", "at_least": 1}}, "mysql", "counts"),
        ({"query": {"sql": "SELECT 1", "equals": 1}}, "mysql", "values"),
        ({"query": {"sql": "SELECT 1", "rows": 1}}, "mysql", "values"),
        ({"key": "a"}, "redis", "values"),
        ({"newest_not_after": "a"}, "redis", "values"),
    ],
)
def test_rungs(entry: dict[str, Any], probe: str, rung: str) -> None:
    assert check(entry, probe).rung == rung


@pytest.mark.parametrize(
    ("bounds", "found", "passed"),
    [
        ({"equals": 3}, 3, True),
        ({"equals": "3"}, 3, True),
        ({"equals": 4}, 3, False),
        ({"at_least": 3}, 3, True),
        ({"at_least": 4}, 3, False),
        ({"at_most": 3}, 3, True),
        ({"at_most": 2}, 3, False),
        ({"at_least": 1, "at_most": 5}, 3, True),
        ({"at_least": 0}, 0, True),
    ],
)
def test_bounds(bounds: dict[str, Any], found: int, passed: bool) -> None:
    assert verdict({"dbsize": bounds}, found)[0] is passed
    assert verdict({"query": {"sql": "SELECT 1", **bounds}}, [(Decimal(found),)], "mysql")[0] is passed


def test_bounds_are_shown() -> None:
    assert verdict({"dbsize": {"at_least": 1, "at_most": 5}}, 7) == (False, "at least 1 and at most 5", "7")
    assert verdict({"dbsize": True}, 7) == (True, None, "7")


@pytest.mark.parametrize(
    ("wanted", "found", "passed"),
    [
        ("paid", "paid", True),
        ("paid", b"paid", True),
        ("1.50", Decimal("1.5"), True),
        (1.5, Decimal("1.50"), True),
        ("01", "1", True),
        ("true", True, True),
        (True, True, True),
        (True, 1, True),
        (True, 0, False),
        (False, 0, True),
        ("null", None, True),
        ("paid", None, False),
        ("1", "one", False),
        ("2026-01-31 03:00:00", datetime(2026, 1, 31, 3), True),
    ],
)
def test_values(wanted: Any, found: Any, passed: bool) -> None:
    assert verdict({"query": {"sql": "SELECT 1", "equals": wanted}}, [(found, "other")], "mysql")[0] is passed


def test_no_row_is_null() -> None:
    assert verdict({"query": {"sql": "SELECT 1", "equals": 1}}, [], "mysql") == (False, "1", "null")
    assert verdict({"query": {"sql": "SELECT 1", "at_most": 1}}, [], "mysql") == (False, "at most 1", "null")


def test_rows() -> None:
    rows = [(1, "a"), (2, None)]
    sql = "SELECT a, b FROM c"
    assert verdict({"query": {"sql": sql, "rows": 2}}, rows, "mysql") == (True, "2 rows", "2 rows")
    assert verdict({"query": {"sql": sql, "rows": [[1, "a"], [2, None]]}}, rows, "mysql")[0] is True
    assert verdict({"query": {"sql": sql, "rows": [["2", None], ["1", "a"]]}}, rows, "mysql")[0] is False
    assert verdict({"query": {"sql": sql, "rows": [[1, "a"]]}}, rows, "mysql") == (
        False,
        "1, a",
        "1, a; 2, null",
    )
    assert verdict({"query": {"sql": sql, "rows": ["x"]}}, [("x",)], "mysql")[0] is True
    assert verdict({"query": {"sql": sql, "rows": [[1], [2]]}}, rows, "mysql")[0] is False
    assert verdict({"query": {"sql": sql, "rows": []}}, [], "mysql") == (True, "no rows", "no rows")


@pytest.mark.parametrize(
    ("asks", "key", "expected"),
    [
        ({}, Key("string", b"x", None, 1), (True, "a key", "a string")),
        ({}, Key("none"), (False, "a key", "no such key")),
        ({"exists": False}, Key("none"), (True, "no such key", "no such key")),
        ({"exists": False}, Key("list"), (False, "no such key", "a list")),
        ({"equals": "x"}, Key("string", b"x"), (True, "value x", "value x")),
        (
            {"type": "string", "equals": "x"},
            Key("hash"),
            (False, "type string, value x", "type hash, a hash"),
        ),
        ({"equals": "x"}, Key("none"), (False, "value x", "no such key")),
        (
            {"ttl_at_least": 10},
            Key("string", b"x", 10),
            (True, "expires in at least 10 s", "expires in 10 s"),
        ),
        (
            {"ttl_at_least": 11},
            Key("string", b"x", 10),
            (False, "expires in at least 11 s", "expires in 10 s"),
        ),
        (
            {"ttl_at_least": 10},
            Key("string", b"x", None),
            (True, "expires in at least 10 s", "never expires"),
        ),
        ({"ttl_at_most": 10}, Key("string", b"x", 10), (True, "expires in at most 10 s", "expires in 10 s")),
        ({"ttl_at_most": 10}, Key("string", b"x", None), (False, "expires in at most 10 s", "never expires")),
        (
            {"type": "list", "length": 3},
            Key("list", None, None, 3),
            (True, "type list, length 3", "type list, length 3"),
        ),
        ({"length": 2}, Key("list", None, None, 3), (False, "length 2", "length 3")),
    ],
)
def test_keys(asks: dict[str, Any], key: Key, expected: tuple[bool, str, str]) -> None:
    assert verdict({"key": {"name": "k", **asks}}, key) == expected


@pytest.mark.parametrize(
    ("value", "passed", "found"),
    [
        (datetime(2026, 1, 31, 3), True, "2026-01-31T03:00:00.000Z"),
        (datetime(2026, 1, 31, 3, 0, 0, 1000), False, "2026-01-31T03:00:00.001Z"),
        (datetime(2026, 1, 31, 3, tzinfo=timezone.utc), True, "2026-01-31T03:00:00.000Z"),
        (date(2026, 1, 31), True, "2026-01-31T00:00:00.000Z"),
        ("2026-01-31 03:00:00", True, "2026-01-31T03:00:00.000Z"),
        (b"2026-01-31T04:00:00+01:00", True, "2026-01-31T03:00:00.000Z"),
        ("2026-01-31T03:00:00+00:01", True, "2026-01-31T02:59:00.000Z"),
        (POINT // 1000, True, "2026-01-31T03:00:00.000Z"),
        (POINT + 1, False, "2026-01-31T03:00:00.001Z"),
        (str(POINT), True, "2026-01-31T03:00:00.000Z"),
        (Decimal(POINT) / 1000, True, "2026-01-31T03:00:00.000Z"),
        ("2026-01-31", True, "2026-01-31T00:00:00.000Z"),
        (b"2099-01-01", False, "2099-01-01T00:00:00.000Z"),
        (None, False, "nothing"),
    ],
)
def test_the_newest_is_not_after_the_point(value: Any, passed: bool, found: str) -> None:
    expected = (passed, "not after 2026-01-31T03:00:00.000Z", found)
    assert verdict({"newest_not_after": {"sql": "SELECT 1"}}, [(value,)], "mysql") == expected
    assert verdict({"newest_not_after": {"key": "k"}}, Key("string", value)) == expected


def test_a_time_without_zone_is_one_of_the_zone_that_is_named() -> None:
    asks = {"sql": "SELECT 1", "timezone": "Europe/Berlin", "time": "2026-01-31T03:00:00"}
    found = verdict({"newest_not_after": asks}, [(datetime(2026, 1, 31, 3),)], "mysql")
    assert found == (True, "not after 2026-01-31T02:00:00.000Z", "2026-01-31T02:00:00.000Z")


def test_without_a_point_nothing_can_be_compared() -> None:
    for found, probe in ((Key("string", b"0"), "redis"), ([("2020-01-01",)], "mysql")):
        with pytest.raises(checks.Unjudged, match="The time of the data is not known") as caught:
            verdict({"newest_not_after": NEWEST[probe]}, found, probe, point=None)
        assert "[(" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-13-01", "0000-00-00", 10**30, "1e999999999", True, b"\xff"]
)
def test_a_value_that_is_not_a_time_says_nothing_about_the_data(value: Any) -> None:
    with pytest.raises(checks.Unjudged, match="The value found is not a time: "):
        verdict({"newest_not_after": NEWEST["mysql"]}, [(value,)], "mysql")


@pytest.mark.parametrize(
    ("entry", "key", "text"),
    [
        (
            {"key": {"name": "k", "equals": "x"}},
            Key("hash", None, None, 1),
            "a hash, and equals does not apply",
        ),
        (
            {"key": {"name": "k", "length": 1}},
            Key("ReJSON-RL"),
            "a ReJSON-RL, and length does not apply",
        ),
        ({"newest_not_after": "k"}, Key("list", None, None, 1), "a list, which holds no time"),
    ],
)
def test_a_condition_that_does_not_fit_the_key_says_nothing_about_the_data(
    entry: Any, key: Key, text: str
) -> None:
    with pytest.raises(checks.Unjudged, match=text):
        verdict(entry, key)


def test_a_value_that_is_not_a_number_says_nothing_about_the_data() -> None:
    with pytest.raises(checks.Unjudged, match="The value found is not a number, so no bound applies: paid"):
        verdict({"query": {"sql": "SELECT 1", "at_least": 1}}, [("paid",)], "mysql")


@pytest.mark.parametrize(
    ("tolerance", "found", "passed"),
    [
        (0.0, 100, True),
        (0.0, 99, False),
        (5.0, 95, True),
        (5.0, 94, False),
        (5.0, 105, True),
        (5.0, 106, False),
    ],
)
def test_a_number_without_a_bound_is_compared_with_the_baseline(
    tolerance: float, found: int, passed: bool
) -> None:
    assert verdict({"dbsize": True}, found, count=100, tolerance=tolerance)[0] is passed
    counting = {"query": "SELECT COUNT(*) FROM orders"}
    assert verdict(counting, [(found,)], "mysql", count=100, tolerance=tolerance)[0] is passed
    assert verdict({"dbsize": {"at_least": 1}}, found, count=100, tolerance=tolerance)[0] is True


def test_a_tolerance_is_rounded_up() -> None:
    for found, passed in ((5, False), (6, True), (8, True), (9, False)):
        assert verdict({"dbsize": True}, found, count=7, tolerance=5.0)[:2] == (
            passed,
            "6 to 8 (it was 7, 5 % tolerance)",
        )
