# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else a client may meet: closed ports, ports that do not respond, a proxy.

They run in threads and count what they saw.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


def refused_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def blackhole() -> Iterator[int]:
    """A port that answers no connection attempt: its queue is full, so that further SYNs are dropped."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for dummy in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(server.getsockname())
        yield int(server.getsockname()[1])


class Listener:
    """Accepts connections, counts them and resets each at once: for TLS a handshake that breaks off."""

    def __init__(self) -> None:
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() alone does not
        self._server.close()
        self._thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, dummy = self._server.accept()
                self.connections += 1
                self.handle(sock)

    def handle(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


class Proxy(Listener):
    """An HTTP proxy: CONNECT tunnels and plain forwarding, one request a connection.

    With a ``status`` other than 200 it refuses.
    """

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.status = status
        self.requests: list[str] = []  # first lines
        self.heads: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle(self, sock: socket.socket) -> None:
        threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(30)
            data = b""
            while b"\r\n\r\n" not in data:
                piece = sock.recv(65536)
                if not piece:
                    return
                data += piece
            head, dummy, rest = data.partition(b"\r\n\r\n")
            first, _line_end, headers = head.decode("latin-1").partition("\r\n")
            self.requests.append(first)
            self.heads.append(head.decode("latin-1"))
            if self.status != 200:
                challenge = 'Proxy-Authenticate: Basic realm="proxy"\r\n' if self.status == 407 else ""
                refusal = f"HTTP/1.1 {self.status} Refused\r\n{challenge}"
                sock.sendall(f"{refusal}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
                return
            self._forward(sock, first, headers, rest)

    @staticmethod
    def _forward(sock: socket.socket, first: str, headers: str, rest: bytes) -> None:
        method, target, version = first.split(" ")
        authority, dummy, path = target.removeprefix("http://").partition("/")
        host, dummy, port = authority.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=30) as upstream:
            if method == "CONNECT":
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                kept = [
                    line
                    for line in headers.split("\r\n")
                    if not line.lower().startswith(("proxy-", "connection:"))
                ]
                upstream.sendall(
                    "\r\n".join([f"{method} /{path} {version}", *kept, "Connection: close", "", ""]).encode(
                        "latin-1"
                    )
                )
            upstream.sendall(rest)
            back = threading.Thread(target=_copy, args=(upstream, sock), daemon=True)
            back.start()
            _copy(sock, upstream)
            back.join(30)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
