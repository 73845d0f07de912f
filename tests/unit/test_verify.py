# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ladder of restore_verify: what ends at once, what is tried again in time, what is never shown."""

from __future__ import annotations

import contextlib
import copy
import importlib
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymysql.constants import CLIENT, FIELD_TYPE

from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import checks, clients, ladder
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify.checks import Key
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.cloud.tls import server_context
from tests.unit.fakes import ANY_SERVICE, Time

Row = dict[str, Any]
CLOUD = {"scenario": "fleet-4-2", "restore_seconds": 60}  # the local cloud of the fixture `sim`
PLACE = {"host": "127.0.0.1", "port": 6379}


class Fake:
    """A client with given answers; it raises those that are errors."""

    def __init__(self, *answers: Any, connect: Any = ()) -> None:
        self.answers, self.connects = list(answers), list(connect)
        self.places: list[Any] = []
        self.closed = 0

    def __call__(self, place: Any, seconds: float) -> Fake:
        self.places.append(dict(place))
        error = self.connects.pop(0) if self.connects else None
        if error is not None:
            raise error
        return self

    def read(self, check: Any) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise copy.copy(answer)  # a raised error keeps its traceback, and so every object in it
        return answer

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def run(sim: Simulator, server: tuple[Simulator, Time]) -> Any:
    def run(name: str, restores: list[Row], **options: Any) -> invoke.Result:
        before = copy.deepcopy(restores)
        given = {"clock": server[1].clock, **options}
        result = invoke.module(name, sim.env, restores=restores, **given)
        assert restores == before and "results" not in result
        return result

    return run


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fake]:
    def speak(*answers: Any, connect: Any = ()) -> Fake:
        fake = Fake(*answers, connect=connect)
        monkeypatch.setitem(clients.CLIENTS, "redis", fake)
        monkeypatch.setitem(clients.CLIENTS, "mysql", fake)
        return fake

    return speak


def cache(number: int, *checks: Row, **options: Any) -> Row:
    row = {"service": "dcs", "instance_id": ids.fleet_dcs_instance(number), "checks": list(checks)}
    return {"connection": PLACE, **row, **options}


def database(*checks: Row, **options: Any) -> Row:
    row = {"service": "ddm", "target_instance_id": ids.fleet_ddm_target(0), "checks": list(checks)}
    return {**row, **options}


def verification(result: invoke.Result, number: int = 0) -> Row:
    found: Row = result["restores"][number]["verification"]
    return found


def outcomes(result: invoke.Result, number: int = 0) -> list[str]:
    return [check["outcome"] for check in verification(result, number)["checks"]]


# Rows


def test_rows_flow_from_start_to_verify_and_again(
    sim: Simulator, run: Any, speak: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a failure in the middle: its row says in which step, and no later task touches it."""
    monkeypatch.setattr(invoke.code("restore_verify"), "THREADS", 1)
    fake = speak(3, 3, 1)
    sim.fault("operation_fails", "dcs.restore", on=ids.fleet_dcs_instance(1))
    checks = {"checks": [{"dbsize": {"at_least": 2}}], "connection": PLACE}
    restores = [
        {"service": "dcs", "instance_id": ids.fleet_dcs_instance(number), "restore_point": "latest", **checks}
        for number in range(4)
    ]
    rows = run("restore_start", restores)["restores"]
    rows = run("restore_wait", rows)["restores"]
    verified = run("restore_verify", rows)
    assert (verified["failed"], verified["error_kind"]) == (True, "verification_failed")
    assert verified["msg"].startswith(
        "1 of 4 restores failed. restores[3]: 1 of 1 checks did not pass. dbsize: "
    )
    names = [[(step["step"], step["outcome"]) for step in row["steps"]][2:] for row in verified["restores"]]
    assert names == [
        [("wait", "ok"), ("verify", "ok")],
        [("wait", "failed"), ("verify", "skipped")],
        [("wait", "ok"), ("verify", "ok")],
        [("wait", "ok"), ("verify", "failed")],
    ]
    assert [row["failed_step"] for row in verified["restores"]] == [None, "wait", None, "verify"]
    assert [row["outcome"] for row in verified["restores"]] == ["succeeded", None, "succeeded", None]
    assert fake.closed == 3
    again = run("restore_start", verified["restores"])
    assert (again["failed"], again["changed"], len(sim.posts())) == (False, False, 4)


def test_what_was_not_restored_is_passed_through(sim: Simulator, run: Any, speak: Any) -> None:
    speak()
    planned = run("restore_start", [{**cache(0), "restore_point": "latest"}], check=True)["restores"]
    started = run("restore_start", [{**cache(1), "restore_point": "latest"}])["restores"]
    asked = len(sim.ledger)
    result = run("restore_verify", [*planned, *started])
    assert (result["failed"], result["restores"], len(sim.ledger)) == (False, [*planned, *started], asked)


@pytest.mark.parametrize("name", ["restore_wait", "restore_verify"])
def test_the_registered_result_of_a_crash_is_not_a_restore(sim: Simulator, run: Any, name: str) -> None:
    crashed = {**cache(0), "failed": True, "msg": "MODULE FAILURE", "rc": 1}
    [row] = run(name, [crashed])["restores"]
    assert (row["error_kind"], row["outcome"], row["msg"]) == ("internal_error", None, "MODULE FAILURE")
    assert ([step["outcome"] for step in row["steps"]], sim.ledger) == (["skipped"], [])


def test_without_checks_an_instance_has_to_run(run: Any) -> None:
    row = {"service": "dcs", "instance_id": ids.fleet_dcs_instance(0)}
    result = run("restore_verify", [row])
    assert verification(result) == {"end": "not_configured", "ladder": "runs", "checks": []}
    assert result["failed"] is False and result["restores"][0]["target"]["status"] == "RUNNING"
    database = run("restore_verify", [{"service": "ddm", "target_instance_id": ids.fleet_ddm_target(0)}])
    assert database["restores"][0]["target"]["instance_id"] == ids.fleet_ddm_target(0)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"service": "obs"}, f"restores[0].service must be {ANY_SERVICE}"),
        ({"service": "dcs"}, "restores[0] does not say which instance was overwritten"),
        ({**cache(0), "steps": 5}, "restores[0].steps must be a list of dictionaries, not '5'"),
        ({**cache(0), "outcome": "Succeeded"}, "restores[0].outcome must be null or planned, unchanged,"),
        ({**cache(0), "checks": 5}, "restores[0].checks must be a list of dictionaries"),
        ({"service": "ddm", "instance_id": "source"}, "does not say which instance"),
        ({"service": "ddm", "job_id": "job"}, "does not say which instance"),
        ({"service": "dcs", "instance_id": "../x"}, "restores[0].instance_id '../x' is not an ID"),
        ({**cache(0), "checks": "x"}, "restores[0].checks must be a list of dictionaries"),
        ({**cache(0), "checks": [{"pong": True}]}, "restores[0].checks[0] has an unknown key"),
        ({**cache(0), "connection": "x"}, "restores[0].connection must be a dictionary"),
        ({**cache(0), "connection": {"pasword": "x"}}, "unknown key: 'pasword'. Did you mean password"),
        ({**cache(0), "connection": {"port": 0}}, "restores[0].connection.port must be from 1 to 65535"),
        ({**cache(0), "connection": {"port": "1.5"}}, "restores[0].connection.port must be from 1 to 65535"),
        ({**cache(0), "connection": {"tls": "maybe"}}, "connection.tls must be true or false, not 'maybe'"),
        ({**cache(0), "connection": {"check_hostname": 7}}, "check_hostname must be true or false, not '7'"),
        ({**cache(0), "connection": {"host": "http://x"}}, "host must be a name or an address and nothing"),
        ({**cache(0), "connection": {"host": "x:6379"}}, "host must be a name or an address and nothing"),
        ({**cache(0), "connection": {"host": "a..b"}}, "host must be a name or an address and nothing"),
        ({**cache(0), "connection": {"host": "a" * 64}}, "host must be a name or an address and nothing"),
        ({**cache(0), "connection": {"host": "redis://:pw@x"}}, "and nothing else: a port goes into port"),
        ({**cache(0), "connection": {"host": ["x"]}}, "connection.host must be text"),
        ({**cache(0), "connection": {"database": "orders"}}, "database must be the number of a database"),
        (
            {**cache(0), "connection": {"database": -1}},
            "must be the number of a database of the cache, not '-1'",
        ),
        ({**cache(0), "connection": {"database": 1.5}}, "must be the number of a database of the cache"),
        ({**cache(0), "connection": {"password": ["x"]}}, "connection.password must be text."),
        (
            {**cache(0), "connection": {"password_variable": "a.b"}},
            "must be the name of a variable, not 'a.b'",
        ),
        (database(connection={"host": "h"}), "restores[0].checks need a username in connection"),
        (
            cache(0, {"ping": True, "connection": {"hots": "x"}}),
            "restores[0].checks[0].connection has an unknown key",
        ),
    ],
)
def test_what_is_refused_before_anything_is_asked(sim: Simulator, run: Any, row: Row, text: str) -> None:
    result = run("restore_verify", [cache(1), row] if row is None else [row])
    assert (result["error_kind"], sim.ledger) == ("invalid_argument", []), result["msg"]
    assert text in result["msg"]


def test_what_the_task_says_of_all_is_refused_for_the_rows_that_use_it(sim: Simulator, run: Any) -> None:
    rows = [cache(0, {"ping": True}), database(connection={"database": "orders"})]
    result = run("restore_verify", rows, connection={"database": "orders", "username": "app"})
    assert (result["error_kind"], sim.ledger) == ("invalid_argument", [])
    assert "connection.database must be the number of a database of the cache" in result["msg"]


@pytest.mark.parametrize(
    "host", ["cache.example.com", "kasse.münchen.example", "10.0.0.1", "::1", "fe80::1%eth0", "redis_1"]
)
def test_addresses_are_taken(run: Any, speak: Any, host: str) -> None:
    fake = speak(True)
    texts = {"host": host, "port": "6379", "tls": "no", "database": 2, "password": 12345, "username": ""}
    assert run("restore_verify", [cache(0, {"ping": True}, connection=texts)])["failed"] is False
    typed = {"host": host, "port": 6379, "tls": False, "cluster": False, "database": "2", "password": "12345"}
    assert fake.places == [typed]


def test_a_bundle_is_looked_for_where_nothing_was_overwritten_yet(
    sim: Simulator, run: Any, tmp_path: Path
) -> None:
    """The role does this before it starts. Afterwards the missing bundle would be a failed check."""
    rows = [
        {**cache(0, connection={"ca_path": odd_file(tmp_path, "pipe")}), "outcome": "planned"},
        {
            **cache(1, connection={"ca_path": odd_file(tmp_path, "folder"), "tls": False}),
            "outcome": "planned",
        },
    ]
    result = run("restore_verify", rows)
    assert [row["error_kind"] for row in result["restores"]] == ["tls_error", None] and sim.ledger == []
    assert "cannot be read: it is not a regular file" in result["restores"][0]["msg"]


# The ladder


def test_an_unexpected_error_fails_its_row_alone(run: Any, speak: Any) -> None:
    fake = speak(ValueError("its text"), True, True)
    result = run("restore_verify", [cache(number, {"ping": True}) for number in range(3)])
    rows = result["restores"]
    crashed = [row for row in rows if row["error_kind"]]
    assert [row["error_kind"] for row in crashed] == ["internal_error"] and len(rows) == 3
    assert (crashed[0]["failed_step"], crashed[0]["verification"]) == ("verify", None)
    assert "Unexpected ValueError at " in crashed[0]["msg"] and "its text" not in json.dumps(result)
    assert [verification(result, number)["end"] for number in range(3) if not rows[number]["error_kind"]] == [
        "passed",
        "passed",
    ]
    assert fake.closed == 3


@pytest.mark.parametrize(
    ("passed", "timeout", "earliest", "latest"),
    [(51, 900, 51, 80), (30, 30, 30, 31)],
    ids=["starts slowly", "at the last moment"],
)
def test_an_instance_that_runs_within_the_time_is_checked(
    sim: Simulator,
    server: Any,
    run: Any,
    speak: Any,
    passed: int,
    timeout: int,
    earliest: int,
    latest: int,
) -> None:
    """A read that begins when the time is over still gets a second."""
    speak(True)
    instance = sim.state.dcs_instances[ids.fleet_dcs_instance(0)]
    instance.status = "RESTORING"
    clock = server[1]

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        instance.status = "RUNNING" if clock.passed >= passed else instance.status

    given = clock.clock._replace(sleep=sleep)
    result = run("restore_verify", [cache(0, {"ping": True})], clock=given, verify_timeout=timeout)
    assert result["failed"] is False, result["msg"]
    assert earliest <= result["restores"][0]["steps"][0]["seconds"] < latest
    assert len(sim.requests("dcs.instance")) < 8


def test_an_instance_that_does_not_run_in_time(sim: Simulator, server: Any, run: Any, speak: Any) -> None:
    fake = speak(True)
    sim.state.dcs_instances[ids.fleet_dcs_instance(0)].status = "RESTARTING"
    result = run("restore_verify", [cache(0, {"ping": True}), cache(1, {"ping": True})], verify_timeout=30)
    assert verification(result) == {"end": "timed_out", "ladder": None, "checks": []}
    assert (result["error_kind"], result["restores"][0]["failed_step"]) == ("not_running", "verify")
    assert "RESTARTING" in result["msg"] and "Its data were not checked." in result["msg"]
    assert result["restores"][0]["msg"].startswith("The instance is not available yet: ")
    assert verification(result, 1)["end"] == "passed" and len(fake.places) == 1
    assert server[1].passed <= 32


def test_what_does_not_run_in_time_has_been_restored_if_its_row_says_so(
    sim: Simulator, run: Any, speak: Any
) -> None:
    speak(True)
    sim.state.dcs_instances[ids.fleet_dcs_instance(0)].status = "RESTARTING"
    row = cache(0, {"ping": True}, outcome="succeeded")
    msg = run("restore_verify", [row], verify_timeout=30)["restores"][0]["msg"]
    assert msg.startswith("The restore itself succeeded. The instance is not available yet: ")


def test_an_instance_whose_status_cannot_be_read_in_time(
    sim: Simulator, server: Any, run: Any, speak: Any
) -> None:
    speak()
    sim.fault("server_error", "dcs.instance", times=None)
    result = run("restore_verify", [cache(0, {"ping": True})], verify_timeout=30)
    assert result["error_kind"] == "not_running" and ".." not in result["restores"][0]["msg"]
    assert server[1].passed <= 32, "no read is repeated after that"


def test_an_instance_that_cannot_be_read(sim: Simulator, run: Any, speak: Any) -> None:
    speak()
    sim.fault("forbidden", "dcs.instance", times=None)
    result = run("restore_verify", [cache(0, {"ping": True})])
    assert (result["error_kind"], verification(result)["end"]) == ("denied", "unreachable")


def test_a_lost_connection_is_made_again_until_it_holds(server: Any, run: Any, speak: Any) -> None:
    lost = clients.Unreachable("Connection closed by server.")
    fake = speak(lost, True, 7, connect=[lost, lost, None, None])
    result = run("restore_verify", [cache(0, {"ping": True}, {"dbsize": True})])
    assert result["failed"] is False, result["msg"]
    assert (outcomes(result), len(fake.places), fake.closed) == (["passed"] * 2, 5, 3)
    assert 3 <= server[1].passed < 10


def test_what_stays_away_is_unreachable_and_tried_no_longer_than_the_time(
    server: Any, run: Any, speak: Any
) -> None:
    lost = [clients.Unreachable("No route to host.") for dummy in range(100)]
    fake = speak(connect=lost)
    result = run(
        "restore_verify", [cache(0, {"ping": True}, {"dbsize": True}, {"key": "a"})], verify_timeout=60
    )
    assert (verification(result)["end"], verification(result)["ladder"]) == ("unreachable", "runs")
    assert outcomes(result) == ["unreachable"] * 3 and result["error_kind"] == "unreachable"
    assert 55 <= server[1].passed <= 61 and 10 < len(fake.places) < 30
    assert "No route to host." in result["msg"]


def test_a_later_check_gets_the_time_that_is_left(
    server: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []

    class Sluggish(Fake):
        def __call__(self, place: Any, seconds: float) -> Fake:
            times.append(seconds)
            return super().__call__(place, seconds)

        def read(self, check: Any) -> Any:
            server[1].passed += 25
            return super().read(check)

    monkeypatch.setitem(clients.CLIENTS, "redis", Sluggish(True, 7))
    result = run("restore_verify", [cache(0, {"ping": True}, {"dbsize": True})], verify_timeout=60)
    assert outcomes(result) == ["passed"] * 2 and times == [60, 35]


def test_no_response_in_time(server: Any, run: Any, speak: Any) -> None:
    speak(*[clients.Slow("No answer in time.") for dummy in range(100)])
    result = run("restore_verify", [cache(0, {"dbsize": True})], verify_timeout=10)
    assert (verification(result)["end"], result["error_kind"]) == ("timed_out", "verify_timeout")
    assert verification(result)["ladder"] == "runs" and server[1].passed <= 11


@pytest.mark.parametrize("kind", ["login_refused", "tls_error", "verification_failed"])
def test_a_refusal_is_final(server: Any, run: Any, speak: Any, kind: str) -> None:
    """A wrong password is tried once, however many checks there are, because accounts get locked."""
    fake = speak(connect=[clients.Refused("No.", kind)])
    result = run("restore_verify", [cache(0, {"ping": True}, {"dbsize": True}, {"key": "a"})])
    assert (outcomes(result), result["error_kind"], len(fake.places)) == (["failed"] * 3, kind, 1)
    assert (verification(result)["end"], server[1].passed) == ("failed", 0.0)


def test_a_check_that_is_refused_stops_no_other(run: Any, speak: Any) -> None:
    fake = speak(clients.Refused("ERR unknown."), 5)
    result = run("restore_verify", [cache(0, {"key": "a"}, {"dbsize": True})])
    assert (outcomes(result), len(fake.places), fake.closed) == (["failed", "passed"], 2, 2)
    assert (verification(result)["end"], verification(result)["ladder"]) == ("failed", "counts")


@pytest.mark.parametrize("kind", ["missing_library", "not_configured"])
def test_checks_that_could_not_be_sent_are_not_configured(run: Any, speak: Any, kind: str) -> None:
    speak(connect=[clients.Refused("No library.", kind)])
    result = run("restore_verify", [cache(0, {"ping": True})])
    assert (verification(result)["end"], result["error_kind"], outcomes(result)) == (
        "not_configured",
        kind,
        ["failed"],
    )


@pytest.mark.parametrize(("outcome", "said"), [("succeeded", True), ("unchanged", True), (None, False)])
def test_without_a_library_the_restore_itself_succeeded(
    run: Any, speak: Any, outcome: str | None, said: bool
) -> None:
    """An execution environment without the package: the row says what is missing and what is certain."""
    speak(connect=[clients.Refused("The Python package redis is missing.", "missing_library")])
    result = run("restore_verify", [{**cache(0, {"ping": True}), "outcome": outcome}])
    row = result["restores"][0]
    assert row["error_kind"] == "missing_library" and "package redis is missing" in row["msg"]
    assert row["msg"].startswith("The restore itself succeeded. ") is said


def test_wrong_data_are_the_reason_beside_a_check_that_could_not_be_sent(run: Any, speak: Any) -> None:
    speak(3, connect=[clients.Refused("No address.", "not_configured")])
    elsewhere = {"dbsize": {"at_least": 5}, "connection": {"port": 7000}}
    result = run("restore_verify", [cache(0, {"ping": True}, elsewhere)])
    assert (verification(result)["end"], outcomes(result)) == ("failed", ["failed", "failed"])
    assert result["error_kind"] == "verification_failed"
    assert "2 of 2 checks did not pass. dbsize: expected at least 5, found 3" in result["msg"]


def test_values_of_a_database_are_compared_as_its_clients_show_them() -> None:
    """PyMySQL makes bytes of a bit, and a span of a time such as 26:00:00. No expected value equals these."""
    known = clients.conversions()
    bit, at = (known[getattr(FIELD_TYPE, name)] for name in ("BIT", "TIME"))
    assert checks.equal(True, bit(b"\x01")) and checks.equal(258, bit(b"\x01\x02"))
    assert checks.equal("26:00:00", at("26:00:00"))


@pytest.mark.parametrize("library", ["redis", "pymysql"])
def test_a_missing_library_is_named_with_the_python_it_is_for(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(clients.Refused) as caught:
        clients.library(library)
    assert caught.value.kind == "missing_library" and sys.executable in str(caught.value)
    assert f"-m pip install {clients.PACKAGES[library]}" in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "end", "rung"),
    [
        ((True, 5, Key("string")), "passed", "values"),
        ((True, 5, Key("none")), "failed", "counts"),
        ((True, 0, Key("string")), "failed", "reachable"),
        ((clients.Refused("No."), 5, Key("string")), "failed", "reachable"),
    ],
)
def test_the_highest_rung(run: Any, speak: Any, answers: Any, end: str, rung: str) -> None:
    speak(*answers)
    result = run("restore_verify", [cache(0, {"ping": True}, {"dbsize": {"at_least": 1}}, {"key": "a"})])
    assert (verification(result)["end"], verification(result)["ladder"]) == (end, rung)


def test_the_worst_end_is_that_of_the_row(run: Any, speak: Any) -> None:
    speak(0, *[clients.Slow("No answer.")] * 9)
    result = run("restore_verify", [cache(0, {"dbsize": {"at_least": 1}}, {"ping": True})], verify_timeout=1)
    assert (verification(result)["end"], result["error_kind"]) == ("failed", "verification_failed")


# How it connects


def test_the_cloud_gives_the_address_unless_the_connection_does(sim: Simulator, run: Any, speak: Any) -> None:
    fake = speak(True, True)
    instance = sim.state.dcs_instances[ids.fleet_dcs_instance(0)]
    own = {"port": 7000, "username": "own"}
    row = cache(0, {"ping": True}, {"name": "other", "ping": True, "connection": own})
    run(
        "restore_verify",
        [{**row, "connection": {"username": "app"}}],
        connection={"username": "x", "database": "1"},
    )
    known = {"host": instance.ip, "tls": False, "cluster": False, "username": "app", "database": "1"}
    assert fake.places == [{**known, "port": 6379}, {**known, **own}]


def test_a_cache_with_tls_is_asked_with_tls(sim: Simulator, run: Any, speak: Any) -> None:
    fake = speak(True, True)
    sim.state.dcs_instances[ids.fleet_dcs_instance(0)].enable_ssl = True
    run("restore_verify", [cache(0, {"ping": True})])
    run("restore_verify", [cache(0, {"ping": True}, connection={"tls": False})])
    assert [place["tls"] for place in fake.places] == [True, False]


def test_an_instance_without_address(sim: Simulator, run: Any, speak: Any) -> None:
    speak()
    sim.state.dcs_instances[ids.fleet_dcs_instance(0)].ip = ""
    result = run("restore_verify", [cache(0, {"ping": True}, connection={"username": "x"})])
    assert (verification(result)["end"], result["error_kind"]) == ("not_configured", "not_configured")
    assert "give host and port in its connection" in result["msg"]


def test_passwords_are_shown_nowhere(run: Any, speak: Any) -> None:
    """Neither in a result nor in a text that a server sends back, also if the whole task is refused."""
    secret, other = "Sup3r/secret-pass", "An0ther+secret"
    row = cache(
        0,
        {"ping": True},
        {"dbsize": {"equals": 1}, "connection": {"password": other}},
        {"key": {"name": "k", "equals": "x"}},
        connection={**PLACE, "password": secret, "password_variable": "vault"},
    )
    speak(clients.Refused(f"user with {secret} and {other}"), 2, Key("string", secret.encode()))
    result = run("restore_verify", [row])
    shown = json.dumps(result)
    assert result["failed"] is True and secret not in shown and other not in shown and "********" in shown
    kept = {name: value for name, value in result["restores"][0]["connection"].items() if name != "host"}
    assert kept == {"port": 6379, "password_variable": "vault"}
    assert "password" not in result["restores"][0]["checks"][1]["connection"]
    for options in ({"verify_timeout": "soon"}, {"verify_timeout": 0}, {"nonsense": "x"}):
        refused = run("restore_verify", [row], **options)
        assert (
            refused["failed"] is True
            and secret not in json.dumps(refused)
            and other not in json.dumps(refused)
        )
    given = run(
        "restore_verify", [{**row, "checks": [], "connection": None}], connection={"password": secret}
    )
    assert secret not in json.dumps(given)


@pytest.mark.parametrize("name", ["restore_start", "restore_wait"])
def test_a_row_with_a_password_is_refused_where_it_would_be_kept(sim: Simulator, run: Any, name: str) -> None:
    row = {**cache(0, connection={"password": "a-secret-1234"}), "restore_point": "latest", "restore_id": "x"}
    result = run(name, [row])
    assert (result["error_kind"], sim.ledger) == (
        "invalid_argument",
        [],
    ) and "a-secret-1234" not in json.dumps(result)
    assert "password_variable" in result["msg"]


# The baseline


def test_the_baseline_is_that_of_the_same_instance() -> None:
    checks = [
        {"name": "dbsize", "found": "12", "outcome": "passed"},
        {"name": "key k", "found": "a string", "outcome": "passed"},
        {"name": "average", "found": "12.5", "outcome": "passed"},
        {"name": "away", "found": None, "outcome": "unreachable"},
        {
            "name": "dbsize #2",
            "found": "0",
            "outcome": "failed",
        },  # an empty cache, which must not become right
    ]
    row: Row = {"label": None, "target": {"instance_id": "b", "instance_name": "cache"}}
    earlier: list[Row] = [
        {"target": {"instance_id": "a"}, "verification": {"checks": []}},
        {"target": {"instance_id": "b"}, "verification": {"checks": checks}},
    ]
    assert ladder.baseline_counts(row, earlier) == {"dbsize": 12}
    assert ladder.baseline_counts(
        row, [{"target": {"instance_name": "cache"}, "verification": {"checks": checks}}]
    ) == {"dbsize": 12}
    assert ladder.baseline_counts({"label": None, "target": {"instance_id": "c"}}, earlier) == {}
    assert ladder.baseline_counts(row, [{"target": {"instance_id": "b"}, "verification": None}]) == {}


@pytest.mark.parametrize(
    "odd",
    [
        {"target": "cache"},
        {"verification": ["passed"]},
        {"verification": {"checks": 7}},
        {"verification": {"checks": ["dbsize"]}},
    ],
)
def test_a_baseline_that_is_no_report_is_refused_at_once(sim: Simulator, run: Any, odd: Row) -> None:
    result = run("restore_verify", [cache(0, {"dbsize": True}, label=["odd"])], baseline=[{}, odd])
    assert result["error_kind"] == "invalid_argument" and "restores" not in result
    assert result["msg"].startswith("baseline must be a list of the rows of a report. No request was sent.")
    assert sim.ledger == []


# On the wire, with servers that misbehave


class Server:
    """Answers each connection by the next function of a list; the last one answers all that follow."""

    def __init__(self, *answers: Callable[[socket.socket], None]) -> None:
        self.answers, self.connections, self.left_open = list(answers), 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, dummy = self.listener.accept()
            except OSError:
                return
            answer = self.answers[min(self.connections, len(self.answers) - 1)]
            self.connections += 1
            with connection:
                connection.settimeout(5)
                try:
                    answer(connection)
                except TimeoutError:
                    self.left_open += 1
                except OSError:
                    continue

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


def drops(connection: socket.socket) -> None:
    connection.recv(1)


def says(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        while connection.recv(4096):
            connection.sendall(text)

    return answer


def redis(connection: socket.socket) -> None:
    """The part of a cache that a check needs: pipelined commands, one reply each."""
    while data := connection.recv(4096):
        for dummy in range(data.count(b"*")):
            connection.sendall(b":7\r\n" if b"DBSIZE" in data else b"+PONG\r\n")


def expires_after(questions: int) -> Callable[[socket.socket], None]:
    """A cache whose key answers so many questions, and then is gone."""
    alive = {b"TYPE": b"+string", b"STRLEN": b":1", b"GETRANGE": b"$1\r\nx", b"TTL": b":1"}
    gone = {b"TYPE": b"+none", b"STRLEN": b":0", b"GETRANGE": b"$0\r\n", b"TTL": b":-2"}

    def answer(connection: socket.socket) -> None:
        asked = 0
        while data := connection.recv(4096):
            for command in data.split(b"*")[1:]:
                name = command.split(b"\r\n")[2]
                replies = alive if asked < questions else gone
                asked += name in alive
                connection.sendall(replies.get(name, b"+PONG") + b"\r\n")

    return answer


@pytest.mark.parametrize("questions", [0, 1, 2, 3, 4])
def test_a_key_that_expires_between_two_questions_does_not_exist(questions: int) -> None:
    with Server(expires_after(questions)) as server:
        key = read(server.port, {"key": "session"})
    assert (key.type, key.value) == (("string", b"x") if questions == 4 else ("none", None))


def read(port: int, entry: Row, **connection: Any) -> Any:
    from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import checks

    (check,) = checks.parse([entry], "redis", "row")
    client = clients.CLIENTS["redis"]({"host": "127.0.0.1", "port": port, **connection}, 5.0)
    try:
        return client.read(check)
    finally:
        client.close()


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (drops, clients.Unreachable, "connection"),
        (says(b"-LOADING Redis is loading the dataset in memory\r\n"), clients.Unreachable, "loading"),
        (says(b"-MASTERDOWN Link with MASTER is down\r\n"), clients.Unreachable, "MASTER is down"),
        (says(b"-ERR max number of clients reached\r\n"), clients.Unreachable, "max number of clients"),
        (says(b"-NOAUTH Login is required.\r\n"), clients.Refused, "required. It was tried once"),
        (says(b"-WRONGPASS invalid username-password pair\r\n"), clients.Refused, "It was tried once"),
        (says(b"-NOPERM this user has no permissions\r\n"), clients.Refused, "lacks the permission"),
        (says(b"-ERR something else\r\n"), clients.Refused, "The server refused: something else"),
        # A server that is not the instance proves nothing about its data.
        (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), clients.Unreachable, "does not speak the Redis protocol"),
        (says(b":odd\r\n"), clients.Unreachable, "does not speak the Redis protocol"),
        (says(b"+OK\r\n"), clients.Unreachable, "does not speak the Redis protocol"),
    ],
    ids=[
        "drops",
        "loading",
        "masterdown",
        "full",
        "noauth",
        "wrongpass",
        "noperm",
        "other",
        "HTTP",
        "odd",
        "OK",
    ],
)
def test_what_a_cache_can_say(answer: Any, kind: type[Exception], text: str) -> None:
    with Server(answer) as server, pytest.raises(kind) as caught:
        read(server.port, {"ping": True})
    assert text.lower() in str(caught.value).lower()
    assert server.left_open == 0 and ".." not in str(caught.value)


def node(reply: bytes) -> Callable[[socket.socket], None]:
    """A node of a Redis Cluster, whose reply to CLUSTER and TYPE is given."""

    def answer(connection: socket.socket) -> None:
        while data := connection.recv(4096):
            for dummy in range(data.count(b"*")):
                asked = b"CLUSTER" in data or b"TYPE" in data
                connection.sendall(reply if asked else b"+PONG\r\n")

    return answer


@pytest.mark.parametrize(
    ("entry", "cluster", "reply", "kind", "text"),
    [
        ("dbsize", True, b"*0\r\n", clients.Unreachable, "serves 0 of its 16384 slots"),
        ("dbsize", True, b":7\r\n", clients.Refused, "does not say which nodes"),
        ("dbsize", True, b"*1\r\n*2\r\n:0\r\n:16383\r\n", clients.Refused, "does not say which nodes"),
        ("dbsize", True, b"-NOPERM no permissions\r\n", clients.Refused, "lacks the permission"),
        ("key", True, b"-MOVED 1 127.0.0.1:1\r\n", clients.Unreachable, "A node of the Redis Cluster: "),
        # The password is sent to no host that a server names, unless the cloud calls it a Redis Cluster.
        ("key", False, b"-MOVED 1 127.0.0.1:1\r\n", clients.Refused, "correct host and port"),
        ("key", False, b":7\r\n", clients.Refused, "reply cannot be read (AttributeError)"),
        ("key", True, b":odd\r\n", clients.Refused, "reply cannot be read (ValueError)"),
        ("key", False, b"*1\r\n" * 5000, clients.Refused, "reply cannot be read (RecursionError)"),
    ],
)
def test_what_a_node_of_a_cluster_can_say(
    entry: str, cluster: bool, reply: bytes, kind: type[Exception], text: str
) -> None:
    checks_by_name: dict[str, Row] = {"dbsize": {"dbsize": {"at_least": 1}}, "key": {"key": "order:1"}}
    check = checks_by_name[entry]
    with Server(node(reply)) as server, pytest.raises(kind) as caught:
        read(server.port, check, cluster=cluster)
    assert text in str(caught.value)


def test_a_server_that_comes_up_is_found(sim: Simulator, run: Any) -> None:
    """It drops connections, then loads its data, then serves."""
    loading = says(b"-LOADING Redis is loading the dataset in memory\r\n")
    with Server(drops, drops, loading, redis) as server:
        connection = {"host": "127.0.0.1", "port": server.port}
        result = run("restore_verify", [cache(0, {"dbsize": {"equals": 7}}, connection=connection)])
    assert result["failed"] is False, result["msg"]
    assert server.connections == 4


def test_a_certificate_that_is_not_trusted_is_refused_at_once_and_one_that_is_named_is_taken(
    tmp_path: Path,
) -> None:
    context = server_context("ca", tmp_path / "ca.pem")

    def secure(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            redis(wrapped)

    with Server(secure) as server:
        with pytest.raises(clients.Refused) as caught:
            read(server.port, {"ping": True}, tls=True)
        assert caught.value.kind == "tls_error" and "ca_path" in str(caught.value)
        assert read(server.port, {"dbsize": True}, tls=True, ca_path=str(tmp_path / "ca.pem")) == 7
        assert read(server.port, {"dbsize": True}, tls=True, validate_certs=False) == 7
        with pytest.raises(clients.Refused) as caught:
            read(server.port, {"ping": True}, tls=True, ca_path="/no/such/file")
        assert "ca_path /no/such/file cannot be read" in str(caught.value)
        for path in (odd_file(tmp_path, "pipe"), odd_file(tmp_path, "folder"), odd_file(tmp_path, "text")):
            with pytest.raises(clients.Refused, match="cannot be read") as caught:
                read(server.port, {"ping": True}, tls=True, ca_path=path)
            assert caught.value.kind == "tls_error"
            assert read(server.port, {"dbsize": True}, tls=True, validate_certs=False, ca_path=path) == 7


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("expired", "certificate has expired. Renew it, or set this machine's clock."),
        ("wrong-host", "not valid for '127.0.0.1'. If this is the right server, set check_hostname: false."),
    ],
)
def test_the_advice_fits_what_is_wrong_with_a_certificate(tmp_path: Path, kind: str, why: str) -> None:
    context = server_context(kind, tmp_path / "ca.pem")

    def secure(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            redis(wrapped)

    with Server(secure) as server, pytest.raises(clients.Refused) as caught:
        read(server.port, {"ping": True}, tls=True, ca_path=str(tmp_path / "ca.pem"))
    assert caught.value.kind == "tls_error" and str(caught.value).endswith(why)


def odd_file(folder: Path, kind: str) -> str:
    """A pipe that nobody writes to, a folder, or a file that holds no certificate."""
    path = folder / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("no certificate")
    return str(path)


def test_a_server_that_answers_tls_in_the_clear() -> None:
    with Server(says(b"-ERR unknown command\r\n")) as server, pytest.raises(clients.Refused) as caught:
        read(server.port, {"ping": True}, tls=True)
    assert caught.value.kind == "tls_error" and "tls: false" in str(caught.value)


def test_a_server_that_requires_tls_and_gets_none(tmp_path: Path) -> None:
    """It hangs up, and nothing in its response says why."""
    context = server_context("ca", tmp_path / "ca.pem")

    def secure(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            context.wrap_socket(connection, server_side=True)

    with Server(secure) as server, pytest.raises(clients.Unreachable) as caught:
        read(server.port, {"ping": True})
    assert str(caught.value).endswith("If the server requires TLS, set tls: true.")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(clients.Unreachable) as caught:
        read(port, {"ping": True})
    assert "refused" in str(caught.value)
    with pytest.raises(clients.Unreachable):
        clients.CLIENTS["mysql"]({"host": "127.0.0.1", "port": port, "username": "x"}, 5.0)


@pytest.mark.parametrize(
    "answer",
    [lambda connection: None, lambda connection: connection.sendall(b"\x00")],
    ids=["drops", "half"],
)
def test_a_database_that_drops_connections(answer: Any) -> None:
    with Server(answer) as server, pytest.raises(clients.Unreachable):
        clients.CLIENTS["mysql"]({"host": "127.0.0.1", "port": server.port, "username": "x"}, 5.0)


def test_a_database_is_sent_any_password() -> None:
    connection = {"host": "127.0.0.1", "port": 1, "username": "app", "password": "Łódź-日本-🔑"}
    with pytest.raises(clients.Unreachable):
        clients.CLIENTS["mysql"](connection, 5.0)


@pytest.mark.parametrize(
    "banner",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x05\x00\x00\x00\x0b\x08\x05\x1a\x00",  # port 33060, of MySQL's X protocol
        b"\x00\x00\x00\x00",
        b"\x06\x00\x00\x00\x0aodd\x00\x01",
    ],
    ids=["SSH", "X", "empty", "cut"],
)
def test_a_server_that_is_not_a_database(banner: bytes) -> None:
    """Another server proves nothing about the data, so the advice must not be to restore an older backup."""
    with (
        Server(lambda connection: connection.sendall(banner)) as server,
        pytest.raises(clients.Unreachable) as caught,
    ):
        clients.CLIENTS["mysql"]({"host": "127.0.0.1", "port": server.port, "username": "x"}, 5.0)
    assert "does not speak the MySQL protocol" in str(caught.value)


def packet(number: int, content: bytes) -> bytes:
    return struct.pack("<I", len(content))[:3] + bytes([number & 255]) + content


def greeting(plugin: bytes) -> bytes:
    """Of a server without TLS."""
    some = 0xFFFFFFFF & ~CLIENT.SSL
    low, high = struct.pack("<H", some & 0xFFFF), struct.pack("<H", some >> 16)
    salts = b"a" * 8 + b"\x00" + low + b"\x21\x02\x00" + high + b"\x15" + b"\x00" * 10 + b"b" * 12
    return packet(0, b"\x0a8.0.1\x00\x01\x00\x00\x00" + salts + b"\x00" + plugin + b"\x00")


GOOD_REPLY = b"\x00\x00\x00\x02\x00\x00\x00"
COLUMN = b"\x03def\x00\x00\x00\x01a\x00\x0c\x21\x00\xff\x00\x00\x00%c\x00\x00\x00\x00\x00"
END = b"\xfe\x00\x00\x02\x00"


def mysql(reply: Callable[[socket.socket], None], login: bytes = GOOD_REPLY, seen: Any = None) -> Any:
    """A database that replies to a login, to whatever follows, and to each SELECT in its own way."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(greeting(b"mysql_native_password"))
        sent = connection.recv(4096)
        connection.sendall(packet(sent[3] + 1, login))
        while sent := connection.recv(4096):
            if seen is not None:
                seen.append(sent)
            if b"SELECT" in sent:
                reply(connection)
            else:
                connection.sendall(packet(sent[3] + 1, GOOD_REPLY))

    return answer


def rows_of(kind: int, *values: bytes) -> Callable[[socket.socket], None]:
    def reply(connection: socket.socket) -> None:
        parts = [b"\x01", COLUMN % kind, END, *(bytes([len(value)]) + value for value in values)]
        for number, part in enumerate(parts, 1):
            connection.sendall(packet(number, part))

    return reply


def ask(answer: Any, seconds: float = 5.0) -> Any:
    (check,) = checks.parse([{"query": "SELECT a"}], "mysql", "row")
    with Server(answer) as server:
        place = {"host": "127.0.0.1", "port": server.port, "username": "app", "password": "never-in-clear"}
        client = clients.Mysql(place, seconds)
        try:
            return client.read(check)
        finally:
            client.close()


@pytest.mark.parametrize("plugin", [b"mysql_clear_password\x00", b"dialog\x00\x05Password: "])
def test_a_password_is_not_sent_as_it_is_without_tls(plugin: bytes) -> None:
    seen: list[bytes] = []
    with pytest.raises(clients.Refused, match=r"The login cannot be sent: .* Use tls: true\.$") as caught:
        ask(mysql(rows_of(FIELD_TYPE.VAR_STRING), login=b"\xfe" + plugin, seen=seen))
    assert caught.value.kind == "login_refused" and b"never-in-clear" not in b"".join(seen)


def test_rows_that_come_slowly_end_with_the_time() -> None:
    """Each piece comes soon after the one before it, so no time limit of a socket ends it."""
    stopped = threading.Event()

    def slowly(connection: socket.socket) -> None:
        rows_of(FIELD_TYPE.VAR_STRING)(connection)
        for number in range(4, 400):
            connection.sendall(packet(number, b"\x01x"))
            if stopped.wait(0.1):
                return

    begun = time.monotonic()
    with pytest.raises(clients.Slow, match="did not respond in time"):
        ask(mysql(slowly), seconds=0.5)
    stopped.set()
    assert time.monotonic() - begun < 20


def test_the_rest_of_too_many_rows_is_not_read() -> None:
    def endlessly(connection: socket.socket) -> None:
        rows_of(FIELD_TYPE.VAR_STRING)(connection)
        many = b"".join(packet(number, b"\x01x") for number in range(256))
        connection.sendall(many[4 * 6 :])
        while True:  # until the client hangs up
            connection.sendall(many)

    with pytest.raises(clients.Refused, match="The query returns more than 1000 rows"):
        ask(mysql(endlessly), seconds=600.0)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (rows_of(FIELD_TYPE.NEWDECIMAL, b"odd"), "InvalidOperation"),
        (lambda connection: connection.sendall(packet(1, b"\xfb/etc/passwd")), "RuntimeError"),
    ],
    ids=["no number", "wants a file"],
)
def test_an_odd_reply_of_a_database_fails_its_check_alone(reply: Any, error: str) -> None:
    with pytest.raises(clients.Refused) as caught:
        ask(mysql(reply))
    assert str(caught.value) == f"The server's reply cannot be read ({error})."
