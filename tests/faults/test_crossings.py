# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that need more than one run, host or address, and the time limit of a task that cannot read."""

from __future__ import annotations

import concurrent.futures
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import scenario as names
from tests.cloud import variables_at
from tests.faults.bench import (
    DCS_RESTORE,
    IMPATIENCE,
    OPERATIONS,
    Bench,
    Operation,
    Wire,
    perform,
)
from tests.faults.conftest import World

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@pytest.fixture
def bench(world: World) -> Iterator[Bench]:
    made = Bench(world.cloud(), world.time)
    yield made
    del made.wire  # pytest keeps the bench of its last test, and with it an open connection


@every_operation
def test_settings_of_other_programs_have_no_effect(
    operation: Operation, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """netrc would replace our signature by a password, and the bundles would replace our certificates."""
    bench = Bench(world.cloud("ca"), world.time)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login somebody password else\n")
    netrc.chmod(0o600)
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_bytes(netrc.read_bytes())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(empty))
    outcome = bench.run(operation)
    assert (outcome.result["changed"], outcome.received, outcome.effects) == (True, 1, 1)
    assert all(
        entry.headers["authorization"].startswith("SDK-HMAC-SHA256 Access=") for entry in bench.sim.ledger
    )


def test_a_bundle_of_the_environment_makes_nothing_trusted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(world.cloud("ca"), world.time)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bench.sim.ca_file))
    bench.wire = Wire(world.time)
    outcome = bench.run(DCS_RESTORE)
    assert (outcome.result["error_kind"], outcome.received) == ("tls_error", 0)


@pytest.mark.parametrize("name", ["x&limit=1", "a=b", "ä ö#?/", "%26", "x;y", "+", "'\"\\", "\U0001f9ef"])
def test_a_filter_is_a_value_and_nothing_else(bench: Bench, name: str) -> None:
    result = perform(
        "dcs_instance_info", {"name": name}, bench.env, set(), clock=bench.time.clock, http=bench.wire
    )
    assert result["instances"] == []
    # Other letters are compared by the task alone: the service may spell them otherwise.
    assert [entry.query.get("name") for entry in bench.sim.ledger] == [name if name.isascii() else None]


@every_operation
@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_a_wait_ends_in_time_whatever_the_calendar_says(
    bench: Bench, operation: Operation, seconds: float
) -> None:
    bench.sign_in_by_token()
    bench.sim.fault("stuck", operation.post)
    bench.wire.after_post.append(lambda: setattr(bench.time, "jump", seconds))
    outcome = bench.run(operation, wait_timeout=60)
    assert (outcome.result["error_kind"], outcome.received) == ("wait_timeout", 1)
    assert 60 <= outcome.elapsed <= 65 + outcome.real


@every_operation
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05])
def test_two_runs_at_once(world: World, operation: Operation, delay: float) -> None:
    """Both see an idle cloud and send. The cloud accepts one, and the other finds its restore."""
    bench = Bench(world.cloud(), world.time)
    bench.sim.fault("delay", operation.post, times=1, seconds=delay)
    wires = [Wire(bench.time), Wire(bench.time)]

    def run(wire: Wire) -> dict[str, Any]:
        return perform(operation.name, operation.params, bench.env, set(), clock=bench.time.clock, http=wire)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, wires))
    assert bench.sim.started(operation.post) == 1
    assert all(wire.tried <= 1 for wire in wires)
    if not operation.start.marker:  # The second one may be refused, or adopt if it has observed before.
        assert {result.get("error_kind") for result in results} <= {
            None,
            "busy",
            "not_restorable",
            "outcome_unknown",
        }
        assert any(not result.get("failed") for result in results)
    else:
        assert [result.get("error_kind") for result in results] == [None, None], results
        assert len({result[operation.id_name] for result in results}) == 1


def test_the_same_operation_id_with_another_backup_is_another_operation(bench: Bench) -> None:
    first = bench.run(DCS_RESTORE, wait=False)
    second = bench.run(DCS_RESTORE, backup_id=names.DCS_BACKUP_OLD)
    assert first.result["outcome"] == "started"
    assert (second.result["error_kind"], second.result["changed"], second.received) == ("busy", False, 1)
    assert names.DCS_BACKUP in second.result["msg"]


@every_operation
def test_ipv6_only(world: World, operation: Operation) -> None:
    outcome = Bench(world.cloud(host="::1"), world.time).run(operation)
    assert (outcome.result["changed"], outcome.received, outcome.effects) == (True, 1, 1)


@every_operation
def test_the_first_of_two_addresses_is_dead(
    bench: Bench, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = bench.sim.port

    def resolve(host: Any, number: Any, *args: Any, **kwargs: Any) -> list[Any]:
        assert (host, number) == ("localhost", port)
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    bench.env.update(variables_at(f"http://localhost:{port}"))
    outcome = bench.run(operation)
    assert (outcome.result["changed"], outcome.received, outcome.effects) == (True, 1, 1)


@every_operation
@pytest.mark.parametrize(
    ("fault", "params"), [("hang", {}), ("server_error", {}), ("throttle", {"retry_after": 60})]
)
def test_a_task_that_cannot_read_ends_in_time(
    bench: Bench, operation: Operation, fault: str, params: dict[str, Any]
) -> None:
    """Nothing was sent yet, so there is no reason to go on after wait_timeout."""
    bench.wire.patience = IMPATIENCE
    bench.sim.fault(fault, times=None, **params)
    outcome = bench.run(operation, wait_timeout=100)
    assert (outcome.result["failed"], outcome.result["changed"], outcome.received) == (True, False, 0)
    assert outcome.elapsed - outcome.real <= 105


@every_operation
@pytest.mark.parametrize("processed", [True, False])
def test_the_search_after_a_lost_response_ends_with_wait_timeout(
    bench: Bench, operation: Operation, processed: bool
) -> None:
    bench.sim.fault("reset", operation.post, when="after" if processed else "before")
    bench.sim.fault("server_error", "*", times=None, after=100_000)
    outcome = bench.run(operation, wait_timeout=20)
    assert outcome.result["error_kind"] == ("wait_timeout" if processed else "outcome_unknown")
    assert (outcome.received, outcome.effects) == (1, int(processed))
    assert outcome.elapsed - outcome.real <= 25
