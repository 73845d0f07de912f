# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults below HTTP: the connection breaks, or the response is late, drips, is cut short or is garbage.

``when`` says whether the operation has happened before that: "after" processing (the default) or "before" it.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import inspect
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .wire import Call, Response

if TYPE_CHECKING:
    from .faults import Fault

CLIENT_PATIENCE = 600.0  # after this time even a client that never gives up counts as gone
Tweak = Callable[[Call], None]


class Turn:
    """One request that a fault will meet. It has no socket, so that tests/protocol can play faults, too."""

    def __init__(
        self,
        call: Call,
        fault: Fault,
        now: Callable[[], float],
        process: Callable[[Tweak | None], Response],
    ) -> None:
        self.call = call
        self.service = call.route.service if call.route else ""
        self.fault = fault
        self.now = now
        self._process = process

    def process(self, tweak: Tweak | None = None) -> Response:
        """Let the operation happen."""
        return self._process(tweak)

    def process_when(self, when: str) -> Response:
        return self.process() if when == "after" else Response(200, {})


class Exchange(Turn):
    """The same with a socket that can be broken."""

    def __init__(
        self,
        request: web.Request,
        call: Call,
        fault: Fault,
        now: Callable[[], float],
        process: Callable[[Tweak | None], Response],
    ) -> None:
        super().__init__(call, fault, now, process)
        self.request = request
        transport = request.transport
        if not isinstance(transport, asyncio.Transport):
            raise ConnectionResetError("the client has gone")
        self.transport = transport

    @property
    def client_left(self) -> bool:
        return self.transport.is_closing()

    async def wait(self, seconds: float) -> None:
        """Sleep, but not longer than the client stays."""
        end = time.monotonic() + seconds
        while not self.client_left and time.monotonic() < end:
            await asyncio.sleep(min(0.02, max(0.0, end - time.monotonic())))

    def send(self, data: bytes) -> None:
        if not self.client_left:
            self.transport.write(data)

    async def drip(self, data: bytes, interval: float) -> None:
        for position in range(len(data)):
            if self.client_left:
                return
            self.send(data[position : position + 1])
            await asyncio.sleep(interval)

    def close(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        """A true RST: with a linger time of zero the kernel forgets the connection instead of closing it."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


Behaviour = Callable[..., Awaitable["Response | None"]]


def faults_of(names: Mapping[str, Any]) -> dict[str, Behaviour]:
    """Every coroutine function of a file is a fault."""
    functions = {name: one for name, one in names.items() if inspect.isfunction(one)}
    # Python 3.12.1 takes the module inspect for a coroutine function, too.
    return {name: one for name, one in functions.items() if inspect.iscoroutinefunction(one)}


def head(response: Response, version: str = "HTTP/1.1", **more: str) -> bytes:
    headers = {
        "Content-Type": "application/json",
        "Connection": "close",
        **response.headers,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = [f"{version} {response.status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole(response: Response) -> tuple[bytes, bytes]:
    body = response.body()
    return head(response, Content_Length=str(len(body))), body


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


# No response


async def reset(exchange: Exchange, *, when: str = "after") -> None:
    exchange.process_when(when)
    exchange.reset()


async def close(exchange: Exchange, *, when: str = "after") -> None:
    exchange.process_when(when)
    exchange.close()


async def hang(exchange: Exchange, *, when: str = "after", seconds: float = CLIENT_PATIENCE) -> None:
    exchange.process_when(when)
    await exchange.wait(seconds)
    exchange.close()


async def late(exchange: Exchange, *, seconds: float = 1.0) -> None:
    """The request arrives so many seconds after the client has given up: it was under way until then."""
    await exchange.wait(CLIENT_PATIENCE)
    await asyncio.sleep(seconds)
    exchange.process()
    exchange.close()


# A slow response


async def delay(exchange: Exchange, *, seconds: float = 1.0, when: str = "after") -> Response:
    """The true response, late; ``when`` says whether the operation happens before or after the pause."""
    response = exchange.process() if when == "after" else None
    await exchange.wait(seconds)
    return response or exchange.process()


async def drip_headers(exchange: Exchange, *, interval: float = 0.05, when: str = "after") -> None:
    first, body = whole(exchange.process_when(when))
    await exchange.drip(first + body, interval)
    exchange.close()


async def drip_body(exchange: Exchange, *, interval: float = 0.05, when: str = "after") -> None:
    first, body = whole(exchange.process_when(when))
    exchange.send(first)
    await exchange.drip(body, interval)
    exchange.close()


# Half a response


async def truncated_headers(exchange: Exchange, *, when: str = "after") -> None:
    """Ends in the middle of a header line: some clients take it for a 200 with an empty body."""
    first, dummy = whole(exchange.process_when(when))
    exchange.send(first[: first.index(b"\r\n") + 20])
    exchange.close()


async def truncated_body(exchange: Exchange, *, style: str = "length", when: str = "after") -> None:
    """Cut the body short.

    ``length``: shorter than Content-Length says; ``chunked``: the last chunk is cut; ``reset``: RST in the
    middle.
    """
    response = exchange.process_when(when)
    first, body = whole(response)
    half = body[: len(body) // 2]
    if style == "chunked":
        exchange.send(head(response, Transfer_Encoding="chunked") + chunk(body)[: len(half) + 4])
    else:
        exchange.send(first + half)
    if style == "reset":
        await asyncio.sleep(0.05)  # let what was sent arrive: an RST would overtake it
        exchange.reset()
    else:
        exchange.close()


# Garbage, and odd but valid HTTP


async def raw(exchange: Exchange, *, text: str = "", when: str = "after") -> None:
    """These very bytes (latin-1), then the end of the connection."""
    exchange.process_when(when)
    exchange.send(text.encode("latin-1"))
    exchange.close()


async def garbage_status(exchange: Exchange, *, when: str = "after") -> None:
    await raw(exchange, text="BANANA/9.9 tasty OK\r\nContent-Length: 2\r\n\r\n{}", when=when)


async def http09(exchange: Exchange, *, when: str = "after") -> None:
    """A body and nothing else."""
    exchange.send(exchange.process_when(when).body())
    exchange.close()


async def http10(exchange: Exchange, *, when: str = "after") -> None:
    """HTTP/1.0 without a length: the body ends where the connection does."""
    response = exchange.process_when(when)
    exchange.send(head(response, "HTTP/1.0") + response.body())
    exchange.close()


async def informational(exchange: Exchange, *, status: int = 103) -> Response:
    """100 or 103 first, then the true response."""
    exchange.send(f"HTTP/1.1 {status} Wait\r\n\r\n".encode())
    return exchange.process()


async def trailers(exchange: Exchange) -> None:
    """Chunked, with a header after the last chunk."""
    response = exchange.process()
    body = response.body()
    start = head(response, Transfer_Encoding="chunked", Trailer="X-Checksum")
    exchange.send(start + (chunk(body) if body else b"") + b"0\r\nX-Checksum: 1\r\n\r\n")
    exchange.close()


# Too much of a response


async def endless(exchange: Exchange, *, mebibytes: int = 1024) -> None:
    """Chunks of blanks for as long as the client reads."""
    response = exchange.process()
    exchange.send(head(response, Transfer_Encoding="chunked"))
    piece = chunk(b" " * 65536)
    for dummy in range(mebibytes * 16):
        while exchange.transport.get_write_buffer_size() > 1 << 20 and not exchange.client_left:
            await asyncio.sleep(0.001)
        if exchange.client_left:
            return
        exchange.send(piece)
    exchange.close()


@functools.lru_cache(maxsize=2)
def _bomb(mebibytes: int) -> bytes:
    # members one after another are one gzip file: no need to compress all of it
    return gzip.compress(b" " * (1 << 20)) * mebibytes


async def gzip_bomb(exchange: Exchange, *, mebibytes: int = 300) -> Response:
    """Some hundred kilobytes that unpack to ``mebibytes``."""
    response = exchange.process()
    response.headers["Content-Encoding"] = "gzip"
    response.raw = _bomb(mebibytes)
    return response


BEHAVIOURS = faults_of(globals())
