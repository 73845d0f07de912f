# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on the way to the cloud that a test controls: a listener, and a proxy with a script."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@contextlib.contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose connections `serve` handles, each in its own thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client = server.accept()[0]
                    threading.Thread(target=guarded, args=[client], daemon=True).start()

        def guarded(client: socket.socket) -> None:
            with client, contextlib.suppress(OSError):
                serve(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def reset_in_handshake(client: socket.socket) -> None:
    """Read the first bytes of TLS and break off."""
    client.recv(4096)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass
class Proxy:
    """A proxy for CONNECT.

    It answers the tunnels in turn as `script` says: with a status line and headers, or None to open it.
    """

    script: list[str | None] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)  # the heads of the requests for tunnels

    def serve(self, client: socket.socket) -> None:
        head = client.recv(65536).decode("latin-1")
        self.heads.append(head)
        refusal = self.script.pop(0) if self.script else None
        if refusal is not None:
            client.sendall(refusal.encode() + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        port = head.split()[1].rpartition(":")[2]  # every name leads to a server of this test
        with socket.create_connection(("127.0.0.1", int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._relay(client, server)

    @staticmethod
    def _relay(client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, dummy in selector.select():
                    source, target = key.fileobj, key.data
                    data = source.recv(65536) if isinstance(source, socket.socket) else b""
                    if not data:
                        return
                    target.sendall(data)
