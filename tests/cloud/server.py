# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side of the cloud: sockets, the ledger, faults, and the control paths under /_simulator/."""

from __future__ import annotations

import asyncio
import contextlib
import json
import traceback
from collections.abc import Callable
from dataclasses import asdict
from email.utils import formatdate
from typing import Any

from aiohttp import web

from . import gateway
from .breakage import Exchange
from .faults import Faults
from .ledger import Entry, redacted, redacted_body
from .parts import contract
from .state import CloudState
from .wire import Call, Response

MAX_BODY = 12 * 1024 * 1024


class Server:
    """Everything between the socket and the gateway: the ledger, the faults, the control paths."""

    def __init__(self, new_cloud: Callable[[], CloudState]) -> None:
        self._new_cloud = new_cloud
        self._connections: dict[int, tuple[int, Any]] = {}
        self._connected = 0
        self.faults = Faults()
        self.ledger: list[Entry] = []
        self.errors: list[
            str
        ] = []  # tracebacks of the simulator's own mistakes, of which a test must find none
        self.cloud = new_cloud()

    def reset(self) -> None:
        self.cloud = self._new_cloud()
        self.faults.clear()
        self.ledger.clear()
        self.errors.clear()

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", r"/{path:[\s\S]*}", self.serve)
        return app

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        body = await request.read()
        if path.startswith("/_simulator/"):
            return _response(self._control(request.method, path, body))
        cloud = self.cloud  # a request that is handled late must not act on the state after a reset
        with cloud.lock:
            call = gateway.read(
                request.method, request.raw_path, _headers(request), body, request_id=cloud.new_hex()
            )
            entry = self._record(cloud, request, call, path)
            fault = self.faults.take(entry.operation, path)
        if fault is None:
            response: Response | None = self._process(cloud, call, entry, None)
        else:
            entry.fault = fault.name
            exchange = Exchange(
                request, call, fault, cloud.clock, lambda tweak: self._process(cloud, call, entry, tweak)
            )
            response = await fault.run(exchange)
        if response is None:  # the fault dealt with the connection itself
            return web.Response()
        entry.status = response.status
        # IAM has a name of its own for it (credentials.py of the vendor's SDK).
        name = "X-IAM-Trace-Id" if entry.service in ("iam", "metadata") else "X-Request-Id"
        response.headers.setdefault(name, entry.request_id)
        response.headers.setdefault("Date", formatdate(cloud.clock(), usegmt=True))
        return _response(response)

    def _record(self, cloud: CloudState, request: web.Request, call: Call, path: str) -> Entry:
        operation = call.route.operation if call.route else ""
        entry = Entry(
            number=len(self.ledger) + 1,
            time=cloud.clock(),
            connection=self._connection(request.transport),
            service=operation.partition(".")[0],
            operation=operation,
            method=call.method,
            path=path,
            query=dict(call.query),
            headers=redacted(call.headers),
            body=redacted_body(operation, call.body),
            request_id=call.request_id,
        )
        self.ledger.append(entry)
        return entry

    def disconnect(self) -> None:
        """Close what is left of all connections."""
        for _number, transport in self._connections.values():
            # Up to Python 3.11.2, a TLS transport that was closed twice cannot be aborted any more.
            with contextlib.suppress(AttributeError):
                transport.abort()

    def _connection(self, transport: Any) -> int:
        """Number a connection. Its transport is kept, or a new one could be taken for an old one."""
        known = self._connections.get(id(transport))
        if known is None:
            self._connections = {
                key: value for key, value in self._connections.items() if not value[1].is_closing()
            }
            self._connected += 1
            known = self._connections[id(transport)] = (self._connected, transport)
        return known[0]

    def _process(self, cloud: CloudState, call: Call, entry: Entry, tweak: gateway.Tweak | None) -> Response:
        """Carry out the request. A mistake of the simulator becomes a 500, which no test expects."""
        with cloud.lock:
            try:
                response = gateway.answer(cloud, call, tweak)
            except Exception:
                self.errors.append(traceback.format_exc())
                response = Response(
                    500,
                    {
                        "error_code": "DCS.5000",
                        "error_msg": "The simulator made a mistake.",
                        "error_ext_msg": None,
                    },
                )
        entry.handled, entry.access = response.status, call.access
        return response

    # Control paths, for users in another process

    def _control(self, method: str, path: str, body: bytes) -> Response:
        command = (method, path.removeprefix("/_simulator/"))
        try:
            with self.cloud.lock:
                return self._command(command, json.loads(body) if body else {})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return Response(400, {"error": f"{type(error).__name__}: {error}"})

    def _command(self, command: tuple[str, str], body: Any) -> Response:
        if command == ("GET", "ledger"):
            return Response(200, [entry.to_dict() for entry in self.ledger])
        if command == ("GET", "errors"):
            return Response(200, list(self.errors))
        if command == ("GET", "openapi.json"):
            return Response(200, contract())
        if command == ("GET", "state"):
            self.cloud.tick()
            return Response(
                200,
                {
                    name: {key: asdict(item) for key, item in items.items()}
                    for name, items in self.cloud.collections().items()
                },
            )
        if command == ("POST", "state"):
            item = self.cloud.find(body["id"])
            for name, value in body["set"].items():
                getattr(item, name)  # a typo must not add an attribute
                setattr(item, name, value)
            return Response(200, asdict(item))
        if command == ("POST", "faults"):
            self.faults.add(**body)
            return Response(200, {"queued": len(self.faults)})
        if command == ("DELETE", "faults"):
            self.faults.clear()
            return Response(200, {"queued": 0})
        if command == ("POST", "reset"):
            self.reset()
            return Response(200, {})
        return Response(404, {"error": "no such control path"})


def _headers(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _response(response: Response) -> web.Response:
    headers = dict(response.headers)
    body = response.body()
    if body or response.status not in (204, 304):
        headers.setdefault("Content-Type", "application/json")
    return web.Response(status=response.status, body=body, headers=headers)


async def start(server: Server, sock: Any, ssl_context: Any) -> web.AppRunner:
    # A token of the real service is longer than the 8 KiB that a header may have by default
    runner = web.AppRunner(
        server.application(),
        access_log=None,
        shutdown_timeout=0.1,
        max_line_size=65536,
        max_field_size=65536,
        handle_signals=False,
    )
    await runner.setup()
    await web.SockSite(runner, sock, ssl_context=ssl_context, backlog=1024).start()
    await asyncio.sleep(0)
    return runner


async def stop(runner: web.AppRunner, server: Server) -> None:
    """Stop, and close every connection: a TLS connection that broke would stay open for 30 s."""
    await runner.cleanup()
    server.disconnect()
    await asyncio.sleep(0)  # The transports close their sockets in the next round of the loop.
