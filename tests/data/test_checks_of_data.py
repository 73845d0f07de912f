# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""restore_verify on real servers: it finds what a restore has brought back, and reports what is missing."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.data.caches import Cache
from tests.cloud.data.databases import Instance
from tests.cloud.data.real import RealData

Row = dict[str, Any]


def verify(sim: Simulator, row: Row, **options: Any) -> invoke.Result:
    given = {"verify_timeout": 5, "poll_interval": 1, **options}
    return invoke.module("restore_verify", sim.env, restores=[row], **given)


def cache_row(cache: Cache, *checks: Row, **more: Any) -> Row:
    connection = {"password": cache.password}
    return {
        "service": "dcs",
        "instance_id": names.DCS_INSTANCE,
        "connection": connection,
        "checks": list(checks),
        **more,
    }


def outcomes(result: invoke.Result) -> list[tuple[str, str | None]]:
    return [(one["outcome"], one["found"]) for one in result["restores"][0]["verification"]["checks"]]


@pytest.fixture
def cache(redis_cloud: Simulator, redis_data: RealData) -> Cache:
    cache = redis_data.caches[names.DCS_INSTANCE]
    client = cache.client()
    client.set("order:1", "paid")
    client.set("session:1", "alice", ex=3600)
    client.rpush("queue", "a", "b", "c")
    client.set("written", "2026-01-31T03:00:00Z")
    return cache


@pytest.fixture
def database(mariadb_cloud: Simulator, mariadb_data: RealData) -> Instance:
    target = mariadb_data.databases[names.DDM_TARGET]
    target.associate(["orders_rds_new_1", "orders_rds_new_2"])
    target.define("CREATE TABLE orders (id INT PRIMARY KEY, state VARCHAR(20), at DATETIME(3)) ENGINE=InnoDB")
    target.write(0, "INSERT INTO orders VALUES (1, 'paid', '2026-01-31 03:00:00.500')")
    target.write(1, "INSERT INTO orders VALUES (2, 'new', NULL)")
    return target


def database_row(instance: Instance, *checks: Row, **connection: Any) -> Row:
    place = {
        "username": instance.user,
        "password": instance.password,
        "database": instance.schema,
        **connection,
    }
    return {
        "service": "ddm",
        "target_instance_id": names.DDM_TARGET,
        "connection": place,
        "checks": list(checks),
    }


def test_a_cache_passes(redis_cloud: Simulator, cache: Cache) -> None:
    row = cache_row(
        cache,
        {"ping": True},
        {"dbsize": {"at_least": 4, "at_most": 4}},
        {"key": {"name": "order:1", "equals": "paid", "type": "string", "length": 4, "ttl_at_least": 1}},
        {"key": {"name": "session:1", "ttl_at_most": 3600, "ttl_at_least": 3000}},
        {"key": {"name": "queue", "type": "list", "length": 3}},
        {"key": {"name": "gone", "exists": False}},
        {"key": "order:1"},
        {"newest_not_after": {"key": "written", "time": "2026-01-31T03:00:00Z"}},
    )
    result = verify(redis_cloud, row)
    assert result["failed"] is False, result["msg"]
    (found,) = result["restores"]
    assert (found["verification"]["end"], found["verification"]["ladder"]) == ("passed", "values")
    assert outcomes(result)[:4] == [
        ("passed", "a response"),
        ("passed", "4"),
        ("passed", "value paid, type string, length 4, never expires"),
        ("passed", outcomes(result)[3][1]),
    ]
    assert found["steps"][-1]["step"] == "verify" and found["target"]["status"] == "RUNNING"
    assert cache.password not in json.dumps(result) and found["connection"] == {}


def test_what_a_cache_does_not_hold_is_found_out(redis_cloud: Simulator, cache: Cache) -> None:
    row = cache_row(
        cache,
        {"name": "enough keys", "dbsize": {"at_least": 5}},
        {"key": {"name": "order:1", "equals": "open"}},
        {"key": {"name": "queue", "equals": "a"}},
        {"key": {"name": "order:2"}},
        {"key": {"name": "order:1", "exists": False}},
        {"key": {"name": "session:1", "ttl_at_least": 3601}},
        {"newest_not_after": {"key": "written", "time": "2026-01-31T02:59:59Z"}},
        {"newest_not_after": {"key": "order:1", "time": "2026-01-31T02:59:59Z"}},
        {"ping": True},
    )
    result = verify(redis_cloud, row)
    (found,) = result["restores"]
    assert (result["failed"], result["error_kind"], found["failed_step"]) == (
        True,
        "verification_failed",
        "verify",
    )
    assert (found["verification"]["end"], found["verification"]["ladder"]) == ("failed", "reachable")
    assert [outcome for outcome, dummy in outcomes(result)] == ["failed"] * 8 + ["passed"]
    assert [text for dummy, text in outcomes(result)[:5]] == [
        "4",
        "value paid",
        None,  # a list has no value to compare
        "no such key",
        "a string",
    ]
    assert found["msg"].startswith("8 of 9 checks did not pass. enough keys: expected at least 5, found 4.")
    assert cache.client().dbsize() == 4


def test_an_empty_cache_fails_where_something_is_expected(redis_cloud: Simulator, cache: Cache) -> None:
    cache.clear()
    empty = verify(redis_cloud, cache_row(cache, {"dbsize": {"at_least": 1}}))
    assert (empty["failed"], outcomes(empty)) == (True, [("failed", "0")])


def test_numbers_of_an_earlier_report_are_expected_again(redis_cloud: Simulator, cache: Cache) -> None:
    before = verify(redis_cloud, cache_row(cache, {"dbsize": True}))
    assert (before["failed"], outcomes(before)) == (False, [("passed", "4")])
    assert before["restores"][0]["verification"]["checks"][0]["expected"] is None
    cache.client().delete("order:1")
    row = cache_row(cache, {"dbsize": True})
    strict = verify(redis_cloud, row, baseline=before["restores"])
    assert (strict["failed"], strict["restores"][0]["verification"]["checks"][0]["expected"]) == (
        True,
        "4 to 4 (it was 4, 0 % tolerance)",
    )
    assert verify(redis_cloud, row, baseline=before["restores"], baseline_tolerance=25)["failed"] is False


@pytest.mark.parametrize("connection", [{"password": "wrong-password-1"}, {}], ids=["wrong", "none"])
def test_a_wrong_password_of_a_cache_is_tried_once(
    redis_cloud: Simulator, cache: Cache, connection: dict[str, Any]
) -> None:
    row = {**cache_row(cache, {"ping": True}, {"dbsize": True}), "connection": connection}
    begun = time.monotonic()
    result = verify(redis_cloud, row, verify_timeout=60)
    assert time.monotonic() - begun < 20
    assert (result["error_kind"], outcomes(result)) == ("login_refused", [("failed", None)] * 2)
    assert "It was tried once. Check username and password" in result["msg"]
    assert "wrong-password-1" not in json.dumps(result)
    refused = [one for one in cache.client().info("commandstats").items() if one[0] == "cmdstat_auth"]
    assert connection == {} or refused


def test_tls_with_a_cache_that_has_none(redis_cloud: Simulator, cache: Cache) -> None:
    """A server without TLS silently waits for the rest of a command, so the client cannot see why."""
    row = cache_row(cache, {"ping": True})
    row["connection"]["tls"] = True
    result = verify(redis_cloud, row, verify_timeout=2)
    assert (result["error_kind"], outcomes(result)) == ("unreachable", [("unreachable", None)])
    assert "tls: false" in result["msg"]


def test_a_connection_that_is_dropped_is_made_again(redis_cloud: Simulator, cache: Cache) -> None:
    """The server is down during its restore, and comes back."""
    cache._server.stop()
    timer = threading.Timer(1.5, cache._server.start)
    timer.start()
    try:
        result = verify(redis_cloud, cache_row(cache, {"ping": True}), verify_timeout=30)
    finally:
        timer.join()
    assert result["failed"] is False, result["msg"]
    assert result["restores"][0]["verification"]["checks"][0]["seconds"] >= 1


def test_a_cache_that_stays_away_is_unreachable(redis_cloud: Simulator, cache: Cache) -> None:
    cache._server.stop()
    try:
        result = verify(redis_cloud, cache_row(cache, {"ping": True}, {"dbsize": True}), verify_timeout=2)
    finally:
        cache._server.start()
    (found,) = result["restores"]
    assert (found["verification"]["end"], found["verification"]["ladder"]) == ("unreachable", "runs")
    assert outcomes(result) == [("unreachable", None)] * 2 and found["error_kind"] == "unreachable"
    assert found["verification"]["checks"][1]["seconds"] < 0.5


def test_a_database_passes(mariadb_cloud: Simulator, database: Instance) -> None:
    row = database_row(
        database,
        {"ping": True},
        {"query": {"sql": "SELECT COUNT(*) FROM orders", "at_least": 2}},
        {"query": {"sql": "SELECT state FROM orders WHERE id = 1", "equals": "paid"}},
        {"query": {"sql": "SELECT id, state FROM orders ORDER BY id", "rows": [[1, "paid"], [2, "new"]]}},
        {"query": {"sql": "SELECT id FROM orders", "rows": 2}},
        {"query": {"sql": "(SELECT 1.50)", "equals": 1.5}},
        {"query": {"sql": "SELECT TIME '26:00:00', DATE '2026-01-02'", "rows": [["26:00:00", "2026-01-02"]]}},
        {"query": {"sql": "SELECT TIMESTAMP '2026-01-02 03:04:05.5'", "equals": "2026-01-02 03:04:05.5"}},
        {"newest_not_after": {"sql": "SELECT MAX(at) FROM orders", "time": "2026-01-31T03:00:01Z"}},
        {
            "newest_not_after": {
                "sql": "SELECT MAX(at) FROM orders",
                "time": "2026-01-31T02:00:01Z",
                "timezone": "Europe/Berlin",
            }
        },
    )
    result = verify(mariadb_cloud, row)
    assert result["failed"] is False, result["msg"]
    (found,) = result["restores"]
    assert (found["verification"]["end"], found["verification"]["ladder"]) == ("passed", "values")
    assert database.password not in json.dumps(result)
    assert found["verification"]["checks"][3]["found"] == "1, paid; 2, new"


def test_what_a_database_does_not_hold_is_found_out(mariadb_cloud: Simulator, database: Instance) -> None:
    row = database_row(
        database,
        {"query": {"sql": "SELECT COUNT(*) FROM orders", "at_most": 1}},
        {"query": {"sql": "SELECT state FROM orders WHERE id = 3", "equals": "paid"}},
        {"query": {"sql": "SELECT id FROM orders", "rows": [[1]]}},
        {"query": {"sql": "SELECT * FROM customers"}},
        {"newest_not_after": {"sql": "SELECT MAX(at) FROM orders", "time": "2026-01-31T03:00:00Z"}},
        {
            "newest_not_after": {
                "sql": "SELECT MAX(at) FROM orders WHERE id = 2",
                "time": "2026-01-31T03:00:00Z",
            }
        },
        {"query": {"sql": "SELECT nonsense FROM"}},
    )
    result = verify(mariadb_cloud, row)
    (found,) = result["restores"]
    assert [one["outcome"] for one in found["verification"]["checks"]] == ["failed"] * 7
    assert [one["found"] for one in found["verification"]["checks"]] == [
        "2",
        "null",
        "1; 2",
        None,
        "2026-01-31T03:00:00.500Z",
        "nothing",
        None,
    ]
    assert "doesn't exist (1146)" in found["verification"]["checks"][3]["msg"]


@pytest.mark.parametrize(
    ("connection", "kind", "text"),
    [
        ({"password": "wrong-password-1"}, "login_refused", "It was tried once."),
        ({"username": "nobody-known"}, "login_refused", "It was tried once."),
        ({"database": "no_such_schema"}, "login_refused", "lacks the permission"),
        ({"tls": True}, "tls_error", "tls: false"),
    ],
)
def test_a_database_that_refuses_does_so_at_once(
    mariadb_cloud: Simulator, database: Instance, connection: dict[str, Any], kind: str, text: str
) -> None:
    begun = time.monotonic()
    result = verify(mariadb_cloud, database_row(database, {"ping": True}, **connection), verify_timeout=60)
    assert time.monotonic() - begun < 20
    assert result["error_kind"] == kind and text in result["msg"], result["msg"]
    assert result["restores"][0]["verification"]["end"] == "failed"


def test_queries_run_in_a_transaction_that_only_reads(mariadb_cloud: Simulator, database: Instance) -> None:
    """The user may write, but the server itself refuses a function that writes."""
    server = database.region.server
    server.sql(f"CREATE TABLE `{database.schema}`.notes (id INT) ENGINE=InnoDB")
    body = f"BEGIN INSERT INTO `{database.schema}`.notes VALUES (1); RETURN 1; END"
    server.sql(
        f"CREATE FUNCTION `{database.schema}`.writes() RETURNS INT DETERMINISTIC MODIFIES SQL DATA {body}"
    )
    server.sql(f"GRANT ALL ON `{database.schema}`.* TO '{database.user}'@'%'")
    result = verify(mariadb_cloud, database_row(database, {"query": {"sql": "SELECT writes()"}}))
    assert result["failed"] is True and "READ ONLY transaction" in result["msg"], result["msg"]
    assert server.sql(f"SELECT COUNT(*) FROM `{database.schema}`.notes") == ((0,),)


def test_a_query_that_takes_too_long_is_timed_out(mariadb_cloud: Simulator, database: Instance) -> None:
    row = database_row(database, {"query": {"sql": "SELECT SLEEP(30)"}}, {"ping": True})
    begun = time.monotonic()
    result = verify(mariadb_cloud, row, verify_timeout=2)
    assert time.monotonic() - begun < 20
    (found,) = result["restores"]
    assert (found["verification"]["end"], found["error_kind"]) == ("timed_out", "verify_timeout")
    assert found["verification"]["checks"][0]["outcome"] == "timed_out"


def test_too_many_rows_are_not_read(mariadb_cloud: Simulator, database: Instance) -> None:
    digits = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
    many = f"SELECT a.d FROM ({digits}) a, ({digits}) b, ({digits}) c, ({digits}) e"
    row = database_row(database, {"query": {"sql": many}}, {"query": {"sql": "SELECT 1", "equals": 1}})
    result = verify(mariadb_cloud, row)
    found = result["restores"][0]["verification"]["checks"]
    assert "more than 1000 rows" in found[0]["msg"] and found[1]["outcome"] == "passed", found
