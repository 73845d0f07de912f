# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS over real Redis servers: what a client of the cache sees of a backup and of a restore."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
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


READ: dict[
    bytes, Callable[[Any, bytes], Any]
] = {  # the value of a key by its type, without an order of its own
    b"string": lambda client, key: client.get(key),
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: client.smembers(key),
    b"hash": lambda client, key: client.hgetall(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    b"stream": lambda client, key: client.xrange(key),
}


def contents(cache: Cache) -> dict[tuple[int, bytes], tuple[Any, Any]]:
    """Return every key of every database with its value, and when it expires (ms; -1: never)."""
    clients: dict[int, Any] = {number: cache.client(db=number, decode_responses=False) for number in (0, 3)}
    return {
        (number, key): (READ[client.type(key)](client, key), client.pexpiretime(key))
        for number, client in clients.items()
        for key in client.keys("*")
    }


def test_undo_brings_the_overwritten_cache_back_key_by_key(
    redis_cloud: Simulator, cache: Cache, tmp_path: Path
) -> None:
    """Strings of any bytes, every other type, times to live, two databases; and none of the old data."""
    client = cache.client(decode_responses=False)
    client.set("order:1", "of the backup")
    client.set("order:0", "only in the backup")
    backup = back_up(redis_cloud)
    client.flushall()
    client.set(b"\xff\x00 \n", bytes(range(256)))
    client.set("order:1", "paid")
    client.set("session:1", "alice", px=3_600_000)
    client.set("empty", "")
    client.rpush("queue", *(f"job {number}" for number in range(500)))
    client.sadd("tags", "a", "b")
    client.hset("order:2", mapping={"state": "new", "naïve": "日本"})
    client.zadd("ranks", {"a": 1.5, "b": -2})
    client.xadd("events", {"kind": "order"}, id="1-1")
    client.setbit("bits", 1000, 1)
    cache.client(db=3).set("elsewhere", "too")
    before = contents(cache)
    assert len(before) == 11

    def play(name: str, **variables: Any) -> invoke.Completed:
        given = {"restore_poll_interval": 1, "restore_report_dir": str(tmp_path), **variables}
        return invoke.playbook(f"huaweicloud.recovery.{name}", redis_cloud.env, "-e", json.dumps(given))

    entry = {"instance_id": names.DCS_INSTANCE, "backup_id": backup["backup_id"]}
    first = play("restore", restore_dcs=[entry])
    assert first.rc == 0, first.output
    assert {key for dummy, key in contents(cache)} == {b"order:0", b"order:1"}
    (path,) = tmp_path.glob("*.json")
    undone = play("undo", restore_report=str(path))
    assert undone.rc == 0, undone.output
    assert contents(cache) == before


def test_a_drill_to_a_random_point_is_verified_and_misses_its_target(
    redis_cloud: Simulator, cache: Cache
) -> None:
    client = cache.client()
    client.set("order:1", "paid")
    saved = back_up(redis_cloud)["backup_id"]
    backups = redis_cloud.state.dcs_backups
    for backup in backups.values():
        backup.created_at -= 2 * 86400  # before every point of the drill; the one just made stays the newest
    client.flushall()
    entry = {
        "instance_id": names.DCS_INSTANCE,
        "connection": {"password": cache.password},
        "checks": [{"key": {"name": "order:1", "equals": "paid"}}],
    }
    given = {
        "restore_dcs": [entry],
        "restore_point": "random",
        "drill_window_days": 1,
        "drill_scratch": [names.DCS_INSTANCE],
        "restore_rto_target": "1s",
        "restore_poll_interval": 2,
    }
    done = invoke.playbook("huaweicloud.recovery.drill", redis_cloud.env, "-e", json.dumps(given))
    report = done.of("huaweicloud.recovery.restore : Report")[-1]["report"]
    assert (done.rc, report["verdict"], report["rto"]["met"]) == (0, "verified_target_missed", False), (
        done.output
    )
    assert report["restores"][0]["backup"]["backup_id"] == saved
    assert any(" with the seed " in note for note in report["notes"])
    assert client.get("order:1") == "paid"


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
    """The requirements name the wheel for every platform that has it, so most people test real caches."""
    monkeypatch.setattr(caches, "which", lambda name: None)
    monkeypatch.setattr(caches, "_wheel", lambda: which("true"))
    assert caches.find() is None, "what tells no version is no server"
    monkeypatch.undo()
    monkeypatch.setattr(caches, "which", lambda name: None)
    binary = caches.find()
    assert binary is None or binary.path.endswith("valkey-server")
