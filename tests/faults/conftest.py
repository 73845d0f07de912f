# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cloud for all cases, reset before each; and the blocked routes to it, made when first needed."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cloud import Simulator, peers
from tests.faults import bench, routes


class World:
    """Clouds by their TLS mode, and routes."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.time = bench.Time()
        self._stack = stack
        self.clouds: dict[tuple[str | None, str], Simulator] = {}
        self._ports: dict[str, int] = {}

    def cloud(self, tls: str | None = None, host: str = "127.0.0.1") -> Simulator:
        if (tls, host) not in self.clouds:
            self.clouds[tls, host] = self._stack.enter_context(bench.cloud(self.time, tls=tls, host=host))
        return self.clouds[tls, host]

    @property
    def evil(self) -> Simulator:
        """Somebody else's server."""
        return self.cloud(host="127.0.0.2")

    def listen(self, serve: Callable[[socket.socket], None]) -> int:
        return self._stack.enter_context(routes.listener(serve))

    def route(self, name: str) -> str:
        """The base URL of a blocked route."""
        if name == "nameless":
            return "https://dcs.nowhere.invalid"
        if name not in self._ports:
            ways: dict[str, Callable[[], int]] = {
                "closed": peers.refused_port,
                "black hole": lambda: self._stack.enter_context(peers.blackhole()),
                "handshake": lambda: self.listen(routes.reset_in_handshake),
            }
            self._ports[name] = ways[name]()
        return f"{'https' if name == 'handshake' else 'http'}://127.0.0.1:{self._ports[name]}"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        world = World(stack)
        yield world
        for cloud in world.clouds.values():
            cloud.clear_faults()  # A fault may hold the last case, and that its connection.


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the machine's proxies, and let names below .invalid fail at once."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
