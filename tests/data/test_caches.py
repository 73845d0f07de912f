# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS over real Redis servers: what a client of the cache sees of a backup and of a restore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.data import DataError, caches
from tests.cloud.data.caches import Cache
from tests.cloud.data.real import RealData
from tests.cloud.data.servers import Supervisor, which
from tests.data.hurry import HURRY

BINARIES = [pytest.param(binary, id=binary.title) for binary in caches.found()]


def module(name: str, sim: Simulator, **params: Any) -> invoke.Result:
    return invoke.module(name, sim.env, clock=HURRY, instance_id=names.DCS_INSTANCE, **params)


def back_up(sim: Simulator) -> invoke.Result:
    return module("dcs_backup", sim, poll_interval=2)


def restore(sim: Simulator, **params: Any) -> invoke.Result:
    return module("dcs_restore", sim, poll_interval=2, **params)


@pytest.fixture
def cache(redis_cloud: Simulator, redis_data: RealData) -> Cache:
    return redis_data.caches[names.DCS_INSTANCE]


def test_a_restore_brings_back_what_was_lost(redis_cloud: Simulator, cache: Cache) -> None:
    client = cache.client()
    client.set("order:1", "paid")
    client.set("session:1", "alice", ex=3600)
    backup = back_up(redis_cloud)
    assert not backup["failed"], backup
    client.set("order:2", "written after the backup")
    client.set("order:1", "changed after the backup")
    client.flushall()
    restored = restore(redis_cloud, restore_point="latest")
    assert (restored["failed"], restored["backup"]) == (False, backup["backup"])
    assert client.mget("order:1", "order:2", "session:1") == ["paid", None, "alice"]
    assert (client.ttl("order:1"), 3500 < int(client.ttl("session:1")) <= 3600) == (-1, True)


def test_clients_are_dropped_by_a_restore_and_find_the_cache_at_its_old_address(
    redis_cloud: Simulator, cache: Cache
) -> None:
    shown = module("dcs_instance_info", redis_cloud)["instances"][0]
    assert (shown["ip"], shown["port"]) == ("127.0.0.1", cache.port)
    client = cache.client(single_connection_client=True, retry=caches.NEVER)
    client.set("order:1", "paid")
    assert not restore(redis_cloud, restore_point="latest")["failed"]
    with pytest.raises(redis.ConnectionError):
        client.get("order:1")
    assert client.get("order:1") is None
    after = module("dcs_instance_info", redis_cloud)["instances"][0]
    assert (after["ip"], after["port"]) == (shown["ip"], shown["port"])


def test_an_empty_backup_restores_an_empty_cache(redis_cloud: Simulator, cache: Cache) -> None:
    client = cache.client()
    client.set("order:1", "paid")
    restored = restore(redis_cloud, backup_id=names.DCS_BACKUP)
    assert (restored["failed"], client.dbsize()) == (False, 0)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda rdb: rdb[: len(rdb) // 2], id="half"),
        pytest.param(lambda rdb: rdb[:-1], id="without its last byte"),
        pytest.param(lambda rdb: rdb[:9], id="its first bytes"),
        pytest.param(lambda rdb: rdb[:-1] + bytes([rdb[-1] ^ 1]), id="with another checksum"),
        pytest.param(lambda rdb: b"<html>" + rdb, id="something else"),
    ],
)
def test_a_truncated_backup_fails_the_restore_and_stops_the_cache(
    redis_cloud: Simulator, redis_data: RealData, cache: Cache, broken: Callable[[bytes], bytes]
) -> None:
    client = cache.client(retry=caches.NEVER)
    client.set("order:1", "paid")
    file = redis_data.file(names.DCS_BACKUP)
    cache.back_up(file)
    file.write_bytes(broken(file.read_bytes()))
    restored = restore(redis_cloud, backup_id=names.DCS_BACKUP)
    assert (restored["failed"], restored["error_code"]) == (True, "dcs.08.0007"), restored
    assert redis_cloud.state.dcs_instances[names.DCS_INSTANCE].status == "ERROR"
    with pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_wrong_password_is_refused(cache: Cache) -> None:
    for password in ("wrong", None, cache.password + "x"):
        with pytest.raises(redis.AuthenticationError):
            cache.client(password=password).ping()


def test_a_reset_of_the_cloud_empties_the_cache(redis_cloud: Simulator, cache: Cache) -> None:
    client = cache.client()
    client.set("order:1", "paid")
    redis_cloud.reset()
    assert client.dbsize() == 0


@pytest.mark.parametrize("binary", BINARIES)
def test_every_server_on_this_machine_keeps_backups(supervisor: Supervisor, binary: Any) -> None:
    cache = Cache(supervisor, binary)
    client = cache.client()
    client.set("order:1", "paid", ex=100)
    cache.back_up(supervisor.folder / "backup")
    client.flushall()
    cache.restore(supervisor.folder / "backup")
    assert client.get("order:1") == "paid"
    assert 0 < int(client.ttl("order:1")) <= 100


def test_a_stopped_cache_cannot_be_backed_up(supervisor: Supervisor, redis_binary: Any) -> None:
    cache = Cache(supervisor, redis_binary)
    supervisor.kill(int(cache.pid or 0))
    with pytest.raises(DataError, match="The backup could not be written: "):
        cache.back_up(supervisor.folder / "backup")


def test_the_wheel_serves_where_path_has_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is among the requirements wherever it can be installed, so that everybody has real caches."""
    monkeypatch.setattr(caches, "which", lambda name: None)
    monkeypatch.setattr(caches, "_wheel", lambda: which("true"))
    assert caches.find() is None, "what tells no version is no server"
    monkeypatch.undo()
    monkeypatch.setattr(caches, "which", lambda name: None)
    binary = caches.find()
    assert binary is None or binary.path.endswith("valkey-server")
