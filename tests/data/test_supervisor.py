# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No server outlives the process that needed it, however that process ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.data import DataError, caches, servers
from tests.cloud.data.caches import Cache
from tests.cloud.data.databases import Region
from tests.cloud.data.servers import Binary, Supervisor, gone
from tests.data.conftest import required

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


def wait_until_gone(pids: list[int]) -> list[int]:
    """Return the processes that still exist after some seconds."""
    deadline = time.monotonic() + PATIENCE
    while left := [pid for pid in pids if not gone(pid)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return left


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """The local cloud in a process of its own, with the data that this machine has servers for."""
    required(caches.find(), "apt-get install --no-install-recommends redis-tools")
    data, env = tmp_path / "data.json", tmp_path / "env"
    command = [sys.executable, "-m", "tests.cloud", "--scenario", "demo"]
    command += ["--data-file", str(data), "--env-file", str(env)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None and process.stdout.readline().startswith(b"http://")
        yield process, json.loads(data.read_text(encoding="utf-8"))
        process.kill()


def pids(addresses: dict[str, Any]) -> list[int]:
    instances = [*addresses["caches"].values(), *addresses["databases"].values()]
    return [addresses["supervisor"], *(instance["pid"] for instance in instances)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_servers_end_with_the_cloud(cloud: Any, number: int) -> None:
    process, addresses = cloud
    assert not any(gone(pid) for pid in pids(addresses))
    os.killpg(process.pid, number)
    assert process.wait(PATIENCE) in (0, -number)
    assert wait_until_gone(pids(addresses)) == []


def test_the_servers_end_with_a_supervisor_that_is_killed(redis_binary: Binary) -> None:
    supervisor = Supervisor()
    pid = int(Cache(supervisor, redis_binary).pid or 0)
    os.kill(supervisor.pid, signal.SIGKILL)
    try:
        assert wait_until_gone([pid]) == []
        with pytest.raises(DataError, match="The supervisor has ended"):
            supervisor.code(pid)
    finally:
        supervisor.close()
    assert not supervisor.folder.exists()


def test_the_servers_and_their_folder_are_gone_when_it_is_closed(redis_binary: Binary) -> None:
    with Supervisor() as supervisor:
        pid = int(Cache(supervisor, redis_binary).pid or 0)
        assert (supervisor.folder.is_dir(), gone(pid)) == (True, False)
    assert (supervisor.folder.exists(), gone(pid)) == (False, True)
    with pytest.raises(DataError, match="has been closed"):
        supervisor.code(pid)


def test_a_zombie_counts_as_gone() -> None:
    with subprocess.Popen(["true"]) as process:
        assert wait_until_gone([process.pid]) == [], "nobody has waited for it yet"


def test_a_port_that_somebody_else_took_is_given_up(
    supervisor: Supervisor, redis_binary: Binary, mariadb_binary: Binary, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = iter([port, servers.free_port(), port, servers.free_port()])
        monkeypatch.setattr(servers, "free_port", lambda: next(ports))
        assert Cache(supervisor, redis_binary).port != port
        assert Region(supervisor, mariadb_binary).server.port != port


def test_a_cache_comes_back_to_its_port_when_that_is_free_again(
    supervisor: Supervisor, redis_binary: Binary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address must not change. Another process that took the port in the meantime may free it again."""
    cache = Cache(supervisor, redis_binary)
    port = cache.port
    supervisor.kill(int(cache.pid or 0))
    with socket.create_server(("127.0.0.1", port)) as taken:

        def sleep(seconds: float) -> None:
            if b"in use" in (cache.folder / "log").read_bytes():
                taken.close()

        monkeypatch.setattr("tests.cloud.data.servers.time.sleep", sleep)
        cache.restore(None)
    assert (cache.port, cache.client().ping()) == (port, True)


def test_a_server_that_does_not_start_says_why(supervisor: Supervisor) -> None:
    binary = Binary("/bin/sh", "sh", "the shell")
    server = servers.Server(
        supervisor,
        binary,
        supervisor.new_folder("x"),
        lambda port: ["-c", "echo no memory; exit 3"],
        lambda: False,
    )
    with pytest.raises(DataError, match="the shell did not start: no memory"):
        server.start()


def test_a_program_that_is_missing_is_named(supervisor: Supervisor) -> None:
    with pytest.raises(DataError, match="/no/such/server"):
        supervisor.start(Binary("/no/such/server", "server", "server"), [], supervisor.folder / "log")
