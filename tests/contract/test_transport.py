# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange over real loopback sockets.

What may have been sent, what is not followed, what has no effect, and which limits end an exchange.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import importlib.util
import ipaddress
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock, Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    TlsError,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.proxies import proxy_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.tls import tls_context
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Http,
    Request,
    Response,
    always,
)
from tests.cloud import tls
from tests.cloud.peers import blackhole, refused_port

CAP = 1 << 20
Handler = Callable[[socket.socket, bytes], bool]  # answers one request; whether the connection stays open
VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NETRC",
)


def reply(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(data: bytes, stay: bool = True) -> Handler:
    def handler(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(data)
        return stay

    return handler


class Server:
    """Accept connections, read one request after another, and let the handler answer.

    It counts the connections and keeps the requests.
    """

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self.handler, self.context = handler, context
        self.accepted, self.requests = 0, list[bytes]()
        self.closing = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, dummy = self.socket.accept()
                self.accepted += 1
                self.open.append(connection)
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, raw: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            contextlib.closing(
                self.context.wrap_socket(raw, server_side=True) if self.context else raw
            ) as connection,
        ):
            while request := self.read(connection):
                self.requests.append(request)
                if not self.handler(connection, request):
                    return

    @staticmethod
    def read(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return b""
            data += piece
        head, dummy, body = data.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            0,
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def listen_on(self, host: str) -> None:
        """Listen on another address of this machine, too."""
        if host not in ("127.0.0.1", "localhost"):
            self.socket.shutdown(socket.SHUT_RDWR)  # else its thread would wait for ever
            self.socket.close()
            self.socket = socket.create_server((host, self.port))
            threading.Thread(target=self.accept, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        for one in (self.socket, *self.open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(handler: Handler | bytes, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(says(handler) if isinstance(handler, bytes) else handler, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def get(
    http: Http,
    url: str,
    timeout: float = 5.0,
    cap: int = CAP,
    fresh: bool = False,
    body: bytes | None = None,
    may_leave: Callable[[], bool] = always,
    **headers: str,
) -> Response:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Authorization": "SDK-HMAC-SHA256 signed", **more}
    method, address = "POST" if body else "GET", url + "/v2/x?secret=query"
    return http(Request(method, address, sent, body, timeout, cap, fresh, may_leave))


def failure(http: Http, url: str, **more: Any) -> TransportError:
    with pytest.raises(TransportError) as caught:
        get(http, url, **more)
    assert "secret" not in str(caught.value) and "HMAC" not in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


# The exchange


def test_a_response(serve: Callable[..., Server]) -> None:
    server = serve(reply(b'{"a": 1}', "201 Created", X_Request_Id="r1"))
    found = get(Http(), server.url, body=b'{"b": 2}', X_Project_Id="p")
    assert (found.status, found.body, found.headers["x-request-id"]) == (201, b'{"a": 1}', "r1")
    (request,) = server.requests
    assert request.startswith(b"POST /v2/x?secret=query HTTP/1.1\r\n")
    assert request.endswith(b'\r\n\r\n{"b": 2}')
    assert b"\r\nX-Project-Id: p\r\n" in request


def test_a_kept_alive_connection_serves_reads_but_not_a_post(serve: Callable[..., Server]) -> None:
    server = serve(reply())
    http = Http()
    for dummy in range(3):
        get(http, server.url)
    assert server.accepted == 1
    get(http, server.url, fresh=True, body=b"{}")
    assert server.accepted == 2


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_a_redirect_is_a_response(serve: Callable[..., Server], status: str) -> None:
    evil = serve(reply())
    server = serve(reply(b"", status, Location=f"{evil.url}/stolen"))
    assert get(Http(), server.url, X_Auth_Token="t").status == int(status[:3])
    assert evil.accepted == 0


def test_an_interim_response_is_not_the_response(serve: Callable[..., Server]) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style>; rel=preload\r\n\r\n"
    for interim in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n", hints, hints * 3):
        server = serve(interim + reply(b"[1]", "201 Created"))
        http = Http()
        for fresh in (False, False, True):
            found = get(http, server.url, fresh=fresh)
            assert (found.status, found.body, "link" in found.headers) == (201, b"[1]", False)


def test_a_response_is_never_taken_for_that_of_the_next_request(serve: Callable[..., Server]) -> None:
    responses = [b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + reply(b'"first"'), reply(b'"second"')]

    def next_response(connection: socket.socket, request: bytes) -> bool:
        return says(responses.pop(0))(connection, request)

    server = serve(next_response)
    http = Http()
    error = failure(http, server.url)
    assert error.sent is True and "broke before the response was complete" in str(error)
    assert get(http, server.url).body == b'"second"'


def test_a_netrc_file_has_no_effect(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text(
        "machine 127.0.0.1 login user password pass-word\ndefault login user password pass-word\n"
    )
    (tmp_path / ".netrc").chmod(0o600)
    server = serve(reply())
    for netrc in (None, str(tmp_path / ".netrc")):
        if netrc:
            monkeypatch.setenv("NETRC", netrc)
        get(Http(), server.url)
        assert b"\r\nAuthorization: SDK-HMAC-SHA256 signed\r\n" in server.requests[-1]
        assert b"Basic" not in server.requests[-1]
    with contextlib.suppress(TransportError):
        Http()(Request("GET", server.url, {}, None, 5.0, CAP))
    assert b"authorization" not in server.requests[-1].lower()


# Proxies

SECURE = "https://dcs.ap-southeast-3.myhuaweicloud.com"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_from_the_environment_is_used(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    proxy, redactor = serve(reply(b"", "502 Bad Gateway")), Redactor()
    monkeypatch.setenv(variable, proxy.url.replace("://", "://user:prox%79-password@"))
    failure(Http(redactor=redactor), SECURE)
    assert proxy.requests[0].startswith(b"CONNECT dcs.ap-southeast-3.myhuaweicloud.com:443 ")
    assert {"prox%79-password", "proxy-password"} <= redactor.forms
    basic = base64.b64encode(b"user:proxy-password").decode()
    assert f"Basic {basic}".encode() in proxy.requests[0] and basic in redactor.forms
    monkeypatch.setenv("NO_PROXY", ".myhuaweicloud.com")
    monkeypatch.setattr(socket, "getaddrinfo", mock.Mock(side_effect=socket.gaierror(-2, "unknown")))
    assert "The name dcs.ap-southeast-3.myhuaweicloud.com cannot" in str(failure(Http(), SECURE))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_credentials_for_this_machine_go_through_no_proxy(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    proxy, server = serve(reply(b"[2]")), serve(reply(b"[1]"))
    monkeypatch.setenv(variable, proxy.url)
    server.listen_on(host)
    assert get(Http(), server.url.replace("127.0.0.1", host)).body == b"[1]"
    assert proxy.requests == []


def test_plain_http_goes_through_no_proxy(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Server]
) -> None:
    """Such a request reads the metadata of a cloud server, which hold its keys."""
    monkeypatch.setenv("HTTP_PROXY", serve(reply()).url)
    monkeypatch.setenv("ALL_PROXY", serve(reply()).url)
    assert proxy_for("http://169.254.169.254/openstack/latest/securitykey") is None
    assert proxy_for("https://127.0.0.1:8443/v2") is None and proxy_for("https://[::1]/v2") is None


REFUSALS = {
    "407 Proxy Authentication Required": (
        r"^The proxy 127.0.0.1:\d+ \(HTTPS_PROXY\) on the way to "
        r"dcs.ap-southeast-3.myhuaweicloud.com requires another user "
        r"and password \(407\)\. Give them in HTTPS_PROXY",
        False,
    ),
    "502 Bad Gateway": (
        r"refused the connection: it returned 502\. Check HTTPS_PROXY, or name dcs\.",
        True,
    ),
    "403 Forbidden": (r"refused the connection: it returned 403\. Check HTTPS_PROXY", True),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_proxy_that_opens_no_tunnel_has_sent_nothing(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    proxy = serve(reply(b"", status))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://user:proxy-password@"))
    error = failure(Http(), SECURE, body=b"{}")
    assert re.search(REFUSALS[status][0], str(error)), error
    assert (error.sent, error.transient) == (False, REFUSALS[status][1])
    assert "proxy-password" not in str(error)
    assert base64.b64encode(b"user:proxy-password") in proxy.requests[0]
    assert b"HMAC" not in proxy.requests[0]


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    port = refused_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    error = failure(Http(), SECURE)
    assert error.sent is False
    assert f"The proxy 127.0.0.1:{port} (HTTPS_PROXY) on the way to dcs." in str(error)
    assert "cannot be reached" in str(error)


def test_a_proxy_whose_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://user:secret@proxy.invalid:3128")
    monkeypatch.setattr(socket, "getaddrinfo", mock.Mock(side_effect=socket.gaierror(-2, "unknown")))
    error = failure(Http(), SECURE)
    assert error.sent is False
    assert str(error).startswith("The name of the proxy proxy.invalid:3128 (ALL_PROXY) on the way to dcs.")
    assert "region" not in str(error) and "secret" not in str(error)


@pytest.mark.parametrize("connects", [False, True])
def test_a_proxy_that_does_not_answer(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, connects: bool
) -> None:
    with contextlib.ExitStack() as stack:
        port = serve(silent).port if connects else stack.enter_context(blackhole())
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        error = failure(Http(), SECURE, timeout=0.3, body=b"{}")
    assert error.sent is False
    assert f"The proxy 127.0.0.1:{port} (HTTPS_PROXY)" in str(error) and "within 0.3 s" in str(error)


@pytest.mark.parametrize(
    "value",
    [
        "http://",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://host:port",
        "ftp://proxy:21",
        "http://a b:1",
        ":3128",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_variable_that_no_proxy_can_be_read_from_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(
        InvalidArgument, match=f"^{variable} is not a valid proxy: give a URL such as"
    ) as caught:
        get(Http(), SECURE)
    assert "No request was sent." in str(caught.value)


def test_a_socks_proxy_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:1080")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        InvalidArgument, match="HTTPS_PROXY names a SOCKS proxy, for which Python needs PySocks"
    ):
        get(Http(), SECURE)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("proxy.example.com:3128", "proxy.example.com:3128"),
        ("http://u:p@[2001:db8::1]:3128/", "[2001:db8::1]:3128"),
        (" http://proxy.example.com ", "proxy.example.com"),
    ],
)
def test_the_address_of_a_proxy(monkeypatch: pytest.MonkeyPatch, value: str, address: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    found = proxy_for(SECURE)
    assert found is not None and found.address == address and str(found) == f"proxy {address} (HTTPS_PROXY)"


# What may have been sent


def test_a_refused_connection_has_sent_nothing() -> None:
    error = failure(Http(), f"http://127.0.0.1:{refused_port()}", body=b"{}")
    assert error.sent is False
    assert "No connection to 127.0.0.1" in str(error)


def test_a_name_that_cannot_be_resolved_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(Http(), "https://dcs.atlantis-1.myhuaweicloud.com", body=b"{}")
    assert error.sent is False
    assert "The name dcs.atlantis-1.myhuaweicloud.com cannot be resolved" in str(error)


def test_a_connection_that_is_not_answered_has_sent_nothing() -> None:
    with blackhole() as port:
        error = failure(Http(), f"http://127.0.0.1:{port}", timeout=0.3, body=b"{}")
    assert error.sent is False
    assert "No connection to 127.0.0.1" in str(error)


# Until when a request may be sent


def test_nothing_is_sent_when_may_leave_refuses(serve: Callable[..., Server]) -> None:
    server = serve(reply())
    http = Http()
    for fresh in (True, False):
        error = failure(http, server.url, body=b"{}", fresh=fresh, may_leave=lambda: False)
        assert error.sent is False and error.transient
        assert str(error).startswith("The request was not sent: its time ran out first")
    assert server.requests == []
    assert get(http, server.url, may_leave=lambda: True).body == b"{}"
    error = failure(http, server.url, may_leave=lambda: False)  # on the connection that was kept alive
    assert error.sent is False and len(server.requests) == 1


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_may_leave_is_called_after_the_connection_was_made(
    serve: Callable[..., Server], tmp_path: Path, secure: bool
) -> None:
    """Name resolution, dead addresses and TLS can take long before the first byte."""
    context = tls.server_context("ca", tmp_path / "ca.pem") if secure else None
    server = serve(reply(), context)
    http = Http(ca_path=str(tmp_path / "ca.pem") if secure else None)
    asked: list[bool] = []

    def may_leave() -> bool:
        asked.append(http._connection.sock is not None)
        return True

    get(http, server.url, body=b"{}", may_leave=may_leave)
    assert asked == [True]


@pytest.mark.parametrize("who", ["the exchange", "the observation"])
def test_a_name_that_takes_longer_than_the_deadline(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    server, resolve = serve(reply()), socket.getaddrinfo

    def slow(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.3)
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    limit = Limit(Clock(), 0.1)
    limits: dict[str, Any] = {
        "the exchange": {"timeout": 0.1},
        "the observation": {"timeout": 30.0, "may_leave": lambda: not limit.over()},
    }
    error = failure(Http(), server.url, body=b"{}", **limits[who])
    assert error.sent is False
    assert server.requests == []


def test_addresses_that_do_not_answer_use_up_the_time_of_the_one_that_does(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(reply())
    with blackhole() as port:
        found = [("127.0.0.1", port)] * 3 + [("127.0.0.1", server.port)]
        addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: addresses)
        error = failure(Http(), server.url, body=b"{}", timeout=0.1)
    assert error.sent is False
    assert server.requests == []


def test_a_process_that_was_stopped_meanwhile(serve: Callable[..., Server], tmp_path: Path) -> None:
    """As after ^Z, SIGSTOP or a suspended machine: a request that was due before it must not follow."""
    server = serve(reply())
    code = f"""
import os, signal, socket, sys
sys.path[:0] = {sys.path!r}
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock, Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import TransportError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Http, Request
connect = socket.create_connection
import urllib3.util.connection as made
before = made.create_connection
def stopped(*args, **kwargs):
    wire = before(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGSTOP)
    return wire
made.create_connection = stopped
limit = Limit(Clock(), 0.2)
try:
    url = {server.url!r} + "/v2"
    Http()(Request("POST", url, {{}}, b"{{}}", 5.0, 1 << 20, True, lambda: not limit.over()))
except TransportError as error:
    print(error.sent)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        try:
            os.waitpid(child.pid, os.WUNTRACED)
            time.sleep(0.3)
            child.send_signal(signal.SIGCONT)
            assert child.communicate(timeout=30)[0] == "False\n"
        finally:
            child.kill()  # A failure would else wait for a process that is still stopped.
    assert server.requests == []


def reset(connection: socket.socket, request: bytes) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def silent(connection: socket.socket, request: bytes) -> bool:
    connection.recv(1)  # until the client hangs up
    return False


WHOLE = reply(b'{"restore_id": "0123456789"}')
AMBIGUOUS: dict[str, Handler] = {
    "reset": reset,
    "closed": lambda connection, request: False,
    "silence": silent,
    "half the headers": says(WHOLE[:30], stay=False),
    "half the body": says(WHOLE[:-5], stay=False),
    "half a chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{}", stay=False),
    "no chunk at all": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", stay=False),
    "garbage": says(b"BANANA/9.9 tasty\r\n\r\n{}", stay=False),
    "too many headers": says(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 150 + b"\r\n", stay=False),
    "a header too long": says(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", stay=False),
    "not a valid gzip": says(reply(b"\x1f\x8bnot gzip", Content_Encoding="gzip"), stay=False),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_after_the_request_everything_is_ambiguous(serve: Callable[..., Server], name: str) -> None:
    server = serve(AMBIGUOUS[name])
    http = Http()
    try:
        # Only silence has to take all of its time.
        found = get(http, server.url, timeout=0.4 if name == "silence" else 30.0, body=b"{}", fresh=True)
    except TransportError as error:
        assert error.sent is True
        assert not isinstance(error, TlsError)
    else:
        # http.client takes headers that break off for a 200 with an empty body, which is no JSON
        assert name == "half the headers" and found.body == b""
    assert len(server.requests) == 1, "a POST is never repeated"


def test_a_reset_of_a_kept_alive_connection_is_ambiguous_too(serve: Callable[..., Server]) -> None:
    first = [True]

    def once(connection: socket.socket, request: bytes) -> bool:
        if first.pop() if first else False:
            connection.sendall(reply())
            return True
        return reset(connection, request)

    server = serve(once)
    http = Http()
    get(http, server.url)
    assert failure(http, server.url).sent is True


# Limits of time and size


def drip(data: bytes) -> Handler:
    """Send a whole response in seconds: only a client that gives up in between fails."""

    def handler(connection: socket.socket, request: bytes) -> bool:
        for number in range(len(data)):
            connection.sendall(data[number : number + 1])
            time.sleep(0.02)
        return False

    return handler


def drip_body(connection: socket.socket, request: bytes) -> bool:
    connection.sendall(reply(b" " * 200)[:-200])
    return drip(b" " * 200)(connection, request)


SLOW: dict[str, Handler] = {"headers": drip(reply(b"x" * 200)), "body": drip_body}


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("part", SLOW)
def test_a_response_that_drips_ends_at_the_wall_clock(
    serve: Callable[..., Server], tmp_path: Path, part: str, secure: bool
) -> None:
    context = tls.server_context("ca", tmp_path / "ca.pem") if secure else None
    server = serve(SLOW[part], context)
    http = Http(ca_path=str(tmp_path / "ca.pem") if secure else None)
    error = failure(http, server.url, timeout=0.4, body=b"{}")
    assert error.sent is True
    assert "did not respond completely within 0.4 s" in str(error)


def test_the_wall_clock_also_ends_a_connection_that_was_kept_alive_meanwhile(
    serve: Callable[..., Server],
) -> None:
    calls = [0]

    def quick_then_slow(connection: socket.socket, request: bytes) -> bool:
        calls[0] += 1
        if calls[0] == 1:
            connection.sendall(reply())
            return True
        return drip_body(connection, request)

    slow, other = serve(quick_then_slow), serve(reply())
    http = Http()
    get(http, slow.url)
    get(http, other.url)  # a newer connection to another host
    assert "did not respond completely" in str(failure(http, slow.url, timeout=0.4))
    assert slow.accepted == 1


def test_a_handshake_that_never_ends_has_sent_nothing(serve: Callable[..., Server], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        error = failure(Http(), f"https://127.0.0.1:{server.getsockname()[1]}", timeout=0.3, body=b"{}")
    assert error.sent is False


@pytest.mark.parametrize(
    "data",
    [
        reply(b" " * (CAP + 1)),
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (CAP + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 20,
        reply(gzip.compress(b" " * (1 << 20)) * 64, Content_Encoding="gzip"),
        reply(gzip.compress(b" " * (1 << 20)) * 64, "500 x", Content_Encoding="gzip"),
    ],
    ids=["length", "to the end", "chunks", "gzip bomb", "gzip bomb in an error"],
)
def test_a_response_that_is_too_large(serve: Callable[..., Server], data: bytes) -> None:
    error = failure(Http(), serve(says(data, stay=False)).url)
    assert error.sent is True
    assert "larger than 1 MiB" in str(error)


def test_a_response_as_large_as_allowed(serve: Callable[..., Server]) -> None:
    assert len(get(Http(), serve(reply(b" " * CAP)).url).body) == CAP
    assert get(Http(), serve(reply(gzip.compress(b"[1]"), Content_Encoding="gzip")).url).body == b"[1]"


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    return tls.server_context("ca", path), str(path)


def test_a_ca_path_makes_a_private_authority_known(
    serve: Callable[..., Server], authority: tuple[ssl.SSLContext, str]
) -> None:
    context, ca_path = authority
    server = serve(reply(b"[1]"), context)
    http = Http(ca_path=ca_path)
    assert get(http, server.url).body == b"[1]"
    assert get(http, server.url).body == b"[1]"
    assert server.accepted == 1
    assert get(http, server.url.replace("127.0.0.1", "localhost")).body == b"[1]"


def test_the_certificate_of_a_proxy_is_checked_and_named_like_that_of_a_server(
    serve: Callable[..., Server], authority: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy to which TLS leads (https://), of the same private authority."""
    proxy = serve(reply(b"", "502 Bad Gateway"), authority[0])
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    error = failure(Http(), SECURE)
    who, advice = f"the proxy 127.0.0.1:{proxy.port} (HTTPS_PROXY)", "together with those of the cloud."
    if version("urllib3").startswith("1."):  # it does not say whose certificate it was
        who, advice = "dcs.ap-southeast-3.myhuaweicloud.com", "its PEM bundle in ca_path."
    assert isinstance(error, TlsError) and advice in str(error)
    assert str(error).startswith(f"The certificate of {who} was not accepted: ")
    assert proxy.requests == []
    assert "it returned 502" in str(failure(Http(ca_path=authority[1]), SECURE))


def test_a_proxy_with_another_name_than_its_certificate_is_named_by_its_variable(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.pem"
    monkeypatch.setenv("HTTPS_PROXY", serve(reply(), tls.server_context("wrong-host", bundle)).url)
    variable = "the endpoint option (or the proxy)" if version("urllib3").startswith("1.") else "HTTPS_PROXY"
    error = failure(Http(ca_path=str(bundle)), SECURE)
    assert isinstance(error, TlsError) and f"Check {variable}: it names another host" in str(error)


def test_an_unknown_authority_is_refused(
    serve: Callable[..., Server], authority: tuple[ssl.SSLContext, str]
) -> None:
    server = serve(reply(), authority[0])
    error = failure(Http(), server.url, body=b"{}")
    assert isinstance(error, TlsError)
    assert error.sent is False and error.transient is False
    assert "give its PEM bundle in ca_path" in str(error)
    assert "validate_certs" not in str(error)
    assert server.requests == []


@pytest.mark.parametrize(
    ("mode", "text"), [("self-signed", "self.signed"), ("expired", "expired"), ("wrong-host", "127.0.0.1")]
)
def test_a_bad_certificate_is_refused_with_its_flaw(
    serve: Callable[..., Server], tmp_path: Path, mode: str, text: str
) -> None:
    server = serve(reply(), tls.server_context(mode, tmp_path / "ca.pem"))
    error = failure(Http(ca_path=str(tmp_path / "ca.pem")), server.url, body=b"{}")
    assert isinstance(error, TlsError) and error.sent is False
    assert re.search(text, str(error))
    assert server.requests == []


@pytest.mark.parametrize(("mode", "span"), [("expired", (-60, -1)), ("not yet valid", (1, 30))])
def test_a_certificate_out_of_date_is_refused_with_its_dates(
    serve: Callable[..., Server], tmp_path: Path, mode: str, span: tuple[int, int]
) -> None:
    now, authority = datetime.now(timezone.utc), trustme.CA()
    first, last = (now + timedelta(days=days) for days in span)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_before=first, not_after=last).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = serve(reply(), context)
    error = failure(Http(ca_path=str(tmp_path / "ca.pem")), server.url, body=b"{}")
    assert f"valid from {first:%Y-%m-%dT%H:%M:%SZ} to {last:%Y-%m-%dT%H:%M:%SZ}" in str(error)
    assert "ca_path" not in str(error) and "this machine's clock" in str(error)
    assert isinstance(error, TlsError) and server.requests == []


def signed(folder: Path, flaw: str) -> Path:
    """Make a certificate for this machine and its authority, one of them with a flaw.

    Returns the authority's file.
    """
    now, day = datetime.now(timezone.utc), timedelta(days=1)
    keys = [
        rsa.generate_private_key(65537, 1024 if flaw == name else 2048) for name in ("authority", "server")
    ]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("ca", "server")]
    ends = now - day if flaw == "expired" else now + 30 * day
    usage = x509.KeyUsage(True, False, False, False, False, flaw != "no keyCertSign", True, False, False)
    purpose = (
        x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH
        if flaw == "purpose"
        else x509.oid.ExtendedKeyUsageOID.SERVER_AUTH
    )
    authority, server = (
        x509.CertificateBuilder()
        .subject_name(names[number])
        .issuer_name(names[0])
        .public_key(keys[number].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 60 * day)
        .not_valid_after([ends, now + 30 * day][number])
        for number in (0, 1)
    )
    authority = authority.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = server.add_extension(address, False).add_extension(x509.ExtendedKeyUsage([purpose]), False)
    pem = [
        one.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        for one in (authority, server)
    ]
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(keys[1].private_bytes(*form) + pem[1])
    (folder / "ca.pem").write_bytes(pem[0])
    return folder / "ca.pem"


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("expired", "own certificate is valid now, but not that of an authority"),
        ("authority", "breaks this rule"),
        ("purpose", "breaks this rule"),
        ("no keyCertSign", "keyUsage lacks keyCertSign|breaks this rule"),
    ],
)
def test_the_advice_fits_the_rule_that_a_certificate_breaks(
    serve: Callable[..., Server], tmp_path: Path, flaw: str, said: str
) -> None:
    file = signed(tmp_path, flaw)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    error = failure(Http(ca_path=str(file)), serve(reply(), context).url)
    assert isinstance(error, TlsError) and re.search(said, str(error)), error
    assert "give its PEM bundle" not in str(error) and "valid from" not in str(error)


def test_with_another_authority_in_ca_path_the_advice_differs(
    serve: Callable[..., Server], tmp_path: Path, authority: tuple[ssl.SSLContext, str]
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    error = failure(Http(ca_path=str(other)), serve(reply(), authority[0]).url)
    assert f"The bundle in ca_path ({other}) does not hold the authority" in str(error)
    assert "give its PEM bundle" not in str(error)


@pytest.mark.parametrize(("kind", "why"), [("pipe", "not a regular file"), ("huge", "larger than 16 MiB")])
def test_a_ca_path_that_cannot_be_read_whole_is_refused_at_once(tmp_path: Path, kind: str, why: str) -> None:
    path = tmp_path / "ca.pem"
    if kind == "pipe":
        os.mkfifo(path)  # nobody writes to it
    else:
        path.touch()
        os.truncate(path, (16 << 20) + 1)
    with pytest.raises(InvalidArgument, match=f"ca_path .* is not a readable PEM bundle .*{why}"):
        tls_context(True, str(path))


def test_a_wrong_host_name_is_not_blamed_on_the_authority(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve(reply(), tls.server_context("wrong-host", tmp_path / "ca.pem"))
    error = failure(Http(ca_path=str(tmp_path / "ca.pem")), server.url)
    assert "Check the endpoint option" in str(error) and "ca_path" not in str(error)


@pytest.mark.parametrize("kind", ["authority", "intermediate", "the server's own"])
def test_a_certificate_that_the_user_named_is_trusted_as_it_is(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Python 3.13 requires a critical CA flag and key identifiers. Many private authorities have neither."""
    create = ssl.create_default_context

    def strict(**options: Any) -> ssl.SSLContext:
        context = create(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    pems = plain_chain(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = serve(reply(b"[1]"), context)
    assert get(Http(ca_path=str(pems[kind])), server.url).body == b"[1]"
    assert isinstance(failure(Http(ca_path=str(tmp_path / "other.pem")), server.url), TlsError)
    assert tls_context(True).verify_flags & ssl.VERIFY_X509_STRICT or sys.version_info < (3, 13)


def plain_chain(folder: Path) -> dict[str, Path]:
    """Write an authority, an intermediate one and a server's certificate, each into a file.

    All lack what strict checks ask for.
    """
    now, keys = datetime.now(timezone.utc), [ec.generate_private_key(ec.SECP256R1()) for dummy in range(4)]
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        for name in ("root", "middle", "server", "other")
    ]

    def certificate(number: int, issuer: int) -> bytes:
        builder = x509.CertificateBuilder(names[issuer], names[number], keys[number].public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        builder = builder.not_valid_after(now + timedelta(days=1))
        extension: x509.ExtensionType = x509.BasicConstraints(ca=True, path_length=None)
        if number == 2:
            extension = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(extension, critical=False)
        return builder.sign(keys[issuer], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    pems = [certificate(0, 0), certificate(1, 0), certificate(2, 1), certificate(3, 3)]
    private = keys[2].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, content in (
        ("root.pem", pems[0]),
        ("middle.pem", pems[1]),
        ("own.pem", pems[2]),
        ("other.pem", pems[3]),
        ("server.pem", private + pems[2] + pems[1]),
    ):
        (folder / name).write_bytes(content)
    return {
        "authority": folder / "root.pem",
        "intermediate": folder / "middle.pem",
        "the server's own": folder / "own.pem",
    }


@pytest.mark.parametrize("content", ["", "\n", "  \r\n"])
def test_an_empty_ca_file_counts_as_none(tmp_path: Path, content: str) -> None:
    """A job controller writes such a file for a field that was left empty."""
    (tmp_path / "ca.pem").write_text(content)
    assert tls_context(True, str(tmp_path / "ca.pem")) is tls_context(True)


def test_no_bundle_is_read_where_nothing_is_verified() -> None:
    assert tls_context(False, "/nonexistent.pem").verify_mode == ssl.CERT_NONE


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_certificates_can_be_left_unchecked(serve: Callable[..., Server], tmp_path: Path) -> None:
    for mode in ("self-signed", "expired", "wrong-host"):
        server = serve(reply(b"[1]"), tls.server_context(mode, tmp_path / "ca.pem"))
        assert get(Http(verify=False), server.url).body == b"[1]"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_variables_that_name_certificates_have_no_effect(
    serve: Callable[..., Server], authority: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, ca_path = authority
    server = serve(reply(b"[1]"), context)
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    for name in names:
        monkeypatch.setenv(name, ca_path)
    assert isinstance(failure(Http(), server.url), TlsError)
    for name in names:
        monkeypatch.setenv(name, "/nonexistent.pem")
    assert get(Http(ca_path=ca_path), server.url).body == b"[1]"
    assert get(Http(verify=False), server.url).body == b"[1]"


def test_old_tls_is_refused(serve: Callable[..., Server], authority: tuple[ssl.SSLContext, str]) -> None:
    for arguments in ((True, authority[1]), (False, None), (True, None)):
        assert tls_context(*arguments).minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls_context(True).verify_mode == ssl.CERT_REQUIRED
    assert tls_context(True).check_hostname


@pytest.mark.parametrize("content", [None, "no certificate", " " * 100])
def test_a_ca_path_without_certificates(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidArgument, match=f"ca_path {path} is not a readable PEM bundle"):
        get(Http(ca_path=str(path)), "https://127.0.0.1:1")


def test_what_tls_says_is_shown_with_the_remedy(serve: Callable[..., Server], tmp_path: Path) -> None:
    """A server that demands a client certificate."""
    bundle = tmp_path / "ca.pem"
    context = tls.server_context("ca", bundle)
    context.maximum_version, context.verify_mode = ssl.TLSVersion.TLSv1_2, ssl.CERT_REQUIRED
    error = failure(Http(ca_path=str(bundle)), serve(reply(), context).url, body=b"{}")
    assert error.sent is False
    assert "alert handshake failure). Check the endpoint option: its server must offer TLS" in str(error)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
    ],
    ids=["status", "headers", "body", "chunk", "between chunks", "until the close"],
)
def test_tls_that_fails_within_a_response_has_the_same_advice(
    begun: bytes, serve: Callable[..., Server], authority: tuple[ssl.SSLContext, str]
) -> None:
    def break_off(connection: socket.socket, dummy: bytes) -> None:
        connection.sendall(begun)
        with socket.socket(fileno=os.dup(connection.fileno())) as below:
            below.sendall(b"HTTP/1.0 500 a proxy's words in the middle of TLS\r\n" * 3)

    context, bundle = authority
    error = failure(Http(ca_path=bundle), serve(break_off, context).url, body=b"{}")
    assert error.sent is True and error.kind == "transport_error"
    assert "before the response was complete (TLS: wrong version number). Check the endpoint" in str(error)


def test_a_server_without_tls_is_not_blamed_on_the_proxy(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tunnel(connection: socket.socket, dummy: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    proxy = serve(tunnel)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    error = failure(Http(), SECURE, body=b"{}")
    assert error.sent is False
    through = f"through the proxy 127.0.0.1:{proxy.port} (HTTPS_PROXY) (TLS: "
    assert str(error).startswith(
        "No connection to dcs.ap-southeast-3.myhuaweicloud.com could be made, " + through
    )


@pytest.mark.parametrize("error", [ssl.SSLError, ssl.SSLEOFError])
def test_a_failure_of_tls_without_a_reason(error: type[OSError], monkeypatch: pytest.MonkeyPatch) -> None:
    """Python raises some itself, such as `Underlying socket has been closed.`"""
    handshake = mock.Mock(side_effect=error("Underlying socket has been closed."))
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", handshake)
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = failure(Http(), f"https://127.0.0.1:{server.getsockname()[1]}", body=b"{}")
    assert (found.sent, handshake.called) == (False, True)
    assert str(found).endswith(f"could be made ({error.__name__}).")


def test_a_request_that_python_refuses_was_not_sent(serve: Callable[..., Server]) -> None:
    """Also after another one on the same connection."""
    server, http = serve(reply()), Http()
    get(http, server.url)
    assert failure(http, server.url, body=b"{}", X_Security_Token="a\nb").sent is False
    assert len(server.requests) == 1


def test_a_handshake_that_breaks_has_sent_nothing(serve: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, dummy = server.accept()
            connection.recv(10)
            reset(connection, b"")

        threading.Thread(target=refuse, daemon=True).start()
        error = failure(Http(), f"https://127.0.0.1:{server.getsockname()[1]}", body=b"{}")
    assert error.sent is False
    assert not isinstance(error, TlsError)
