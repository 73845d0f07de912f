# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local cloud: IAM, DDM and DCS behind one HTTP port. It keeps a ledger and has faults on demand.

with Simulator(restore_seconds=0.3) as sim:
    run_something(env=sim.env)
    assert len(sim.posts("dcs.restore")) == 1
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from . import scenario as names
from . import server
from .data import Data
from .faults import Fault
from .ledger import Entry
from .parts import PARTS
from .state import CloudState, Settings
from .tls import server_context

__all__ = ["Simulator", "endpoints_at", "variables_at"]


def endpoints_at(url: str) -> dict[str, str]:
    """The options with the endpoints of a cloud that is at this URL."""
    return {f"{name}_endpoint": url + part.prefix for name, part in PARTS.items()}


def variables_at(url: str) -> dict[str, str]:
    """The same as environment variables."""
    return {f"HW_{option.upper()}": value for option, value in endpoints_at(url).items()}


class Simulator:
    """The server in a background thread. Settings of :class:`tests.cloud.state.Settings` are keywords too."""

    def __init__(
        self,
        scenario: str = "default",
        seed: int = 0,
        tls: str | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        clock: Callable[[], float] = time.time,
        data: Data | None = None,
        **settings: Any,
    ) -> None:
        self.settings = Settings(**settings)
        self._scenario, self._seed, self._clock = scenario, seed, clock
        self._data = data or Data()
        self._tls, self._host, self._port = tls, host, port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._server = server.Server(self._new_cloud)
        self.ca_file: Path | None = None
        self.port = 0

    def _new_cloud(self) -> CloudState:
        cloud = CloudState(dataclasses.replace(self.settings), self._seed, self._clock, self._data)
        names.load(cloud, self._scenario)
        self._data.attach(cloud)
        return cloud

    # Life

    def start(self) -> Simulator:
        sock = socket.create_server(
            (self._host, self._port),
            family=socket.AF_INET6 if ":" in self._host else socket.AF_INET,
            backlog=1024,
        )
        self.port = sock.getsockname()[1]
        context = None
        if self._tls is not None:
            self._folder = tempfile.TemporaryDirectory(prefix="simulator-")
            self.ca_file = Path(self._folder.name) / "ca.pem"
            context = server_context(self._tls, self.ca_file)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(
            server.start(self._server, sock, context), self._loop
        ).result(10)
        return self

    def stop(self) -> None:
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(server.stop(self._runner, self._server), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._loop = self._thread = None
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """Return to the beginning of the scenario: no faults, an empty ledger."""
        self._server.reset()

    # Its address

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'http' if self._tls is None else 'https'}://{host}:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """What a user would export to reach this cloud with AK/SK."""
        return self.env_for("aksk")

    def env_for(self, way: str) -> dict[str, str]:
        """What a user would export to sign in by aksk, temporary, token or password.

        With a password the project is looked up.
        """
        ways = {
            "aksk": {
                "HW_PROJECT_ID": names.PROJECT_ID,
                "HW_ACCESS_KEY": names.ACCESS_KEY,
                "HW_SECRET_KEY": names.SECRET_KEY,
            },
            "temporary": {
                "HW_PROJECT_ID": names.PROJECT_ID,
                "HW_ACCESS_KEY": names.TEMP_ACCESS_KEY,
                "HW_SECRET_KEY": names.TEMP_SECRET_KEY,
                "HW_SECURITY_TOKEN": names.SECURITY_TOKEN,
            },
            "token": {"HW_PROJECT_ID": names.PROJECT_ID, "HW_AUTH_TOKEN": names.TOKEN},
            "password": {
                "HW_USER_NAME": names.USER,
                "HW_USER_PASSWORD": names.PASSWORD,
                "HW_DOMAIN_NAME": names.DOMAIN,
            },
        }
        authority = {} if self.ca_file is None else {"HW_CA_PATH": str(self.ca_file)}
        return {"HW_REGION_NAME": names.REGION, **ways[way], **variables_at(self.url), **authority}

    # What happened

    @property
    def state(self) -> CloudState:
        """The present state of the cloud. Hold ``state.lock`` to make several changes at once."""
        cloud = self._server.cloud
        with cloud.lock:
            cloud.tick()
        return cloud

    @property
    def ledger(self) -> list[Entry]:
        return list(self._server.ledger)

    @property
    def errors(self) -> list[str]:
        return self._server.errors

    def requests(self, operation: str) -> list[Entry]:
        return [entry for entry in self.ledger if entry.operation == operation]

    def posts(self, operation: str | None = None) -> list[Entry]:
        """The complete POSTs that arrived, whatever happened to their responses; sign-ins only if named."""
        posts = [entry for entry in self.ledger if entry.method == "POST"]
        return [
            entry
            for entry in posts
            if (entry.operation == operation if operation else entry.service != "iam")
        ]

    def started(self, operation: str) -> int:
        """How many records or jobs the operation has created. A POST may have had no effect."""
        return sum(item.post == operation for item in self.state.begun)

    def restores_started(self) -> int:
        return sum(item.overwrites for item in self.state.begun)

    # Faults

    def fault(
        self,
        name: str,
        operation: str = "*",
        times: int | None = 1,
        after: int = 0,
        on: str = "",
        **params: Any,
    ) -> Fault:
        """Queue a fault for the next ``times`` requests (None: all) of an operation.

        Only requests with ``on`` in their path count, and the first ``after`` of these succeed.
        """
        return self._server.faults.add(name, operation, times, after, on, **params)

    def clear_faults(self) -> None:
        self._server.faults.clear()
