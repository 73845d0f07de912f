# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""restore_verify on a real Redis Cluster of two nodes: the address of the instance leads to one of them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.data.caches import NEVER
from tests.cloud.data.servers import HOST, Binary, Server, Supervisor, free_port

SLOTS = ((0, 8191), (8192, 16383))
READY_SECONDS = 30.0
KEYS = [f"order:{number}" for number in range(100)]


class Node:
    """One node, which serves half of the slots."""

    def __init__(self, supervisor: Supervisor, binary: Binary, password: str) -> None:
        self.folder, self.password, self.bus = supervisor.new_folder("c"), password, free_port()
        self.server = Server(supervisor, binary, self.folder, self._arguments, self._answers)
        self.server.start()

    def client(self) -> redis.Redis:
        return redis.Redis(HOST, self.server.port, password=self.password, retry=NEVER, socket_timeout=5)

    def _arguments(self, port: int) -> list[str]:
        settings = {
            "bind": HOST,
            "port": port,
            "dir": self.folder,
            "requirepass": self.password,
            "save": '""',
            "cluster-enabled": "yes",
            "cluster-port": self.bus,
        }
        config = Path(self.folder) / "server.conf"
        config.touch(mode=0o600)
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
        return [str(config)]

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@pytest.fixture(scope="module")
def nodes(redis_binary: Binary) -> Iterator[list[Node]]:
    with Supervisor() as supervisor:
        password = secrets.token_urlsafe(24)
        nodes = [Node(supervisor, redis_binary, password) for dummy in SLOTS]
        for node, (first, last) in zip(nodes, SLOTS, strict=True):
            with node.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        with nodes[0].client() as client:
            client.execute_command("CLUSTER", "MEET", HOST, nodes[1].server.port, nodes[1].bus)
        deadline = time.monotonic() + READY_SECONDS
        while not all(joined(node) for node in nodes):
            assert time.monotonic() < deadline, "the nodes did not find each other"
            time.sleep(0.05)
        with redis.RedisCluster(HOST, nodes[0].server.port, password=password) as cluster:
            for key in KEYS:
                cluster.set(key, "paid")
        yield nodes


def joined(node: Node) -> bool:
    with node.client() as client:
        state: bytes = client.execute_command("CLUSTER", "INFO")
        return b"cluster_state:ok" in state and f"cluster_known_nodes:{len(SLOTS)}".encode() in state


def verify(node: Node, *checks: dict[str, Any], mode: str = "cluster") -> dict[str, Any]:
    with Simulator("demo") as sim:
        sim.state.dcs_instances[names.DCS_INSTANCE].cache_mode = mode
        connection = {"host": HOST, "port": node.server.port, "password": node.password, "tls": False}
        row = {
            "service": "dcs",
            "instance_id": names.DCS_INSTANCE,
            "connection": connection,
            "checks": list(checks),
        }
        result = invoke.module("restore_verify", sim.env, restores=[row], verify_timeout=2, poll_interval=1)
        verification: dict[str, Any] = result["restores"][0]["verification"]
        return verification


@pytest.mark.parametrize("number", range(len(SLOTS)))
def test_keys_are_counted_and_read_on_every_node(nodes: list[Node], number: int) -> None:
    every = [{"key": {"name": key, "equals": "paid"}} for key in KEYS[:10]]
    found = verify(nodes[number], {"ping": True}, {"dbsize": {"equals": len(KEYS)}}, *every)
    assert (found["end"], found["ladder"]) == ("passed", "values"), found


def test_a_proxy_counts_by_itself(nodes: list[Node]) -> None:
    """Only an instance that the cloud calls a Redis Cluster is asked on every node."""
    found = verify(nodes[0], {"dbsize": {"equals": len(KEYS)}}, mode="proxy")
    with nodes[0].client() as client:
        assert [(one["outcome"], one["found"]) for one in found["checks"]] == [
            ("failed", str(client.dbsize()))
        ]


def test_a_node_that_cannot_be_reached_is_said(nodes: list[Node]) -> None:
    """A count of the others would look like lost keys."""
    with nodes[0].client() as client:
        client.config_set("cluster-announce-port", free_port())  # nobody listens there
        try:
            found = verify(nodes[0], {"dbsize": {"equals": len(KEYS)}})
        finally:
            client.config_set("cluster-announce-port", 0)
    (check,) = found["checks"]
    assert (found["end"], check["outcome"], check["found"]) == ("unreachable", "unreachable", None), check
    assert check["msg"].startswith("A node of the Redis Cluster: "), check
