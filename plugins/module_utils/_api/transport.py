# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange on requests: raw bytes in and out.

It never repeats, redirects or reads netrc, and says whether a request may have left.
"""

from __future__ import annotations

import functools
import http.client
import io
import re
import socket
import ssl
import threading
import typing as t
import weakref
from urllib.parse import urlsplit

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import deps
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock, Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import TlsError, TransportError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.proxies import (
    EXAMPLE,
    Proxy,
    Route,
    proxy_for,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.tls import (
    HostContext,
    tls_context,
    untrusted,
)

CONNECT = 15.0  # seconds to connect, at most
MOST_INTERIM = 100  # responses with status 1xx before the final one
# The words of http.client. Only the number is shown.
TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")
TLS = " (TLS: {}). Check the endpoint option: its server must offer TLS 1.2 and ask for no certificate."
LATE = (
    "The request was not sent: its time ran out first (slow name resolution, addresses that do not respond, "
    "or a machine that was suspended)."
)


class Response(t.NamedTuple):
    """What came back: status, headers with lower-case names, and the decoded body."""

    status: int
    headers: dict[str, str]
    body: bytes


def always() -> bool:
    """Allow a request at any time."""
    return True


class Request(t.NamedTuple):
    """What one exchange sends, and its bounds.

    `fresh` opens a new connection: a reset on a stale kept-alive one could not be told from a reset after the
    server acted. may_leave() is called right before the first byte is sent, after everything that can take
    long: names, dead addresses, TLS, a stop of this process. If it returns False, nothing is sent.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout: float  # wall-clock seconds until the response has been read
    cap: int  # how many decoded bytes a response may have
    fresh: bool = False
    may_leave: t.Callable[[], bool] = always


class Transport(t.Protocol):
    """One HTTP exchange: sends a request once and reads the response. It repeats and follows nothing."""

    def __call__(self, request: Request) -> Response:
        """Return the response.

        Raises TransportError (`sent` is False if certainly nothing was sent), TlsError, InvalidArgument.
        """


class Http:
    """The Transport of one thread: a pool of kept-alive connections.

    `redactor` gets the passwords of proxies.
    """

    def __init__(
        self,
        verify: bool = True,
        ca_path: str | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self._verify, self._ca_path, self._redactor = verify, ca_path, redactor or Redactor()
        self._connection: t.Any = None  # the one in use
        self._limit = Limit(Clock(), 0.0)  # of the exchange; it bounds each wait for the network
        # During TCP, a proxy's tunnel and TLS. If these fail, no byte of the request has been sent.
        self._connecting = False
        self._unsent = False  # whether the first byte of the request is yet to be sent
        self._may_leave: t.Callable[[], bool] = always
        # by scheme and host: to look it up costs a tenth of an exchange
        self._proxies: dict[str, Proxy | None] = {}
        # A Session of requests would add cookies, redirects, netrc.
        self._pools = self._adapter()

    def __call__(self, request: Request) -> Response:
        """Send once; see Transport."""
        if request.fresh:
            self._pools.close()
        self._connection, self._connecting, self._may_leave = None, False, request.may_leave
        route = Route(request.url, self._proxy(request.url), request.timeout)
        self._limit = Limit(Clock(), request.timeout)
        try:
            response = self._pools.send(
                prepared(request),
                stream=True,
                timeout=(min(request.timeout, CONNECT), request.timeout),
                verify=self._verify,
                proxies={"https": route.proxy.url} if route.proxy else {},
            )
            with response:
                content = self._read(response, request.cap)
        except (deps.requests.RequestException, OSError, ValueError) as error:
            raise self._failure(error, route) from None
        except Exception as error:
            # urllib3's own errors while the body is read. Their texts can hold the request.
            if type(error).__module__.partition(".")[0] not in ("urllib3", "http", "zlib"):
                raise
            raise self._failure(error, route) from None
        found = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, found, content)

    def _proxy(self, url: str) -> Proxy | None:
        """Return the proxy for a URL, looked up once for its host, and redact its password from then on."""
        place = "/".join(url.split("/", 3)[:3])
        if place not in self._proxies:
            self._proxies[place] = proxy = proxy_for(url)
            for password in proxy.passwords if proxy else ():
                self._redactor.add(password)
                self._redactor.add(f"{proxy.user}:{password}" if proxy else password)
        return self._proxies[place]

    def _context(self, host: str) -> t.Any:
        return HostContext(tls_context(self._verify, self._ca_path), host)

    def _adapter(self) -> t.Any:
        transport = self

        class Adapter(deps.requests.adapters.HTTPAdapter):
            """Hooks into what requests calls before it uses a pool."""

            def proxy_manager_for(self, proxy: str, **given: t.Any) -> t.Any:
                """Give an https:// proxy our TLS context, too."""
                if proxy.lower().startswith("https"):
                    given["proxy_ssl_context"] = transport._context(urlsplit(proxy).hostname or "")
                return super().proxy_manager_for(proxy, **given)

            def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
                """Give the pool our TLS context and watch its connections being made."""
                if url.lower().startswith("https"):
                    conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"
                    conn.conn_kw["ssl_context"] = transport._context(conn.host)
                if "ConnectionCls" not in vars(conn):
                    conn.ConnectionCls = transport._watched(conn.ConnectionCls)

        return Adapter(max_retries=0)

    def _watched(self, connection_class: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        # urllib3 keeps a pool's connections until the pool is deleted. A connection that refers to this
        # object would keep the pool forever.
        this: t.Any = weakref.proxy(self)

        def left() -> float:
            return float(this._limit.left())

        def build(*args: t.Any, **kwargs: t.Any) -> t.Any:
            connection = this._connection = connection_class(*args, **kwargs)
            connect, send, request = connection.connect, connection.send, connection.request
            connection.response_class = functools.partial(FinalResponse, left=left)

            def watched_connect() -> None:
                this._connecting = True
                connect()
                this._connecting = False

            def watched_request(*args: t.Any, **kwargs: t.Any) -> t.Any:
                # a kept-alive one can be in use although a younger one to another host exists
                this._connection, this._unsent = connection, True
                return request(*args, **kwargs)

            def watched_send(data: t.Any) -> t.Any:
                if this._unsent and not this._connecting:
                    if connection.sock is None:
                        connection.connect()
                    rest = left()
                    if rest <= 0 or not this._may_leave():
                        raise TransportError(LATE, sent=False)
                    this._unsent = False
                    connection.sock.settimeout(rest)
                return send(data)

            connection.connect = watched_connect
            connection.request = watched_request
            connection.send = watched_send
            return connection

        return build

    def _read(self, response: t.Any, cap: int) -> bytes:
        content = bytearray()
        response.raw.enforce_content_length = True  # urllib3 1.26 takes half a body for a whole one
        for chunk in response.raw.stream(16384, decode_content=True):
            content += chunk
            if len(content) > cap:
                self._pools.close()
                raise TransportError(
                    f"The response of {response.url.split('/')[2]} is larger than {cap >> 20} MiB; reading "
                    "was stopped."
                )
        return bytes(content)

    def _failure(self, error: Exception, route: Route) -> TransportError:
        """Return our error for one of urllib3's, without its text, which can hold a header or a query."""
        self._pools.close()
        if isinstance(error, TransportError):
            return error
        chain = list(causes(error))
        certificate = next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None)
        proxy = route.proxy if "ProxyError" in (type(link).__name__ for link in chain) else None
        if certificate is not None and self._connecting:
            return TlsError(untrusted(certificate, route, self._ca_path, proxy), sent=False)
        # Python refused the request.
        local = isinstance(error, ValueError) and self._connection is None
        sent, over = not (self._connecting or local), timed_out(chain)
        # Some have no reason.
        reasons = [getattr(link, "reason", None) for link in chain if isinstance(link, ssl.SSLError)]
        reason = next((one for one in reasons if one and not one.startswith("UNEXPECTED_EOF")), None)
        last = TLS.format(reason.replace("_", " ").lower()) if reason else f" ({type(chain[-1]).__name__})."
        last = f", through the {route.proxy}{last}" if route.proxy else last
        if sent:
            text = (
                f"{route.host} did not respond completely within {route.timeout:g} s"
                if over
                else f"The connection to {route.host} broke before the response was complete"
            )
            return TransportError(f"{text}{last}")
        if route.proxy and (proxy or not reason):
            return self._proxy_failure(chain, route, route.proxy)
        if over:
            text = f"No connection to {route.host} was made within {min(route.timeout, CONNECT):g} s"
        elif unresolved(chain):
            text = f"The name {route.host} cannot be resolved; check region, cloud or the endpoint option"
        else:
            text = f"No connection to {route.host} could be made"
        return TransportError(f"{text}{last}", sent=False)

    @staticmethod
    def _proxy_failure(chain: t.Sequence[BaseException], route: Route, proxy: Proxy) -> TransportError:
        """Return what the proxy, not the cloud, failed to do."""
        refused = [TUNNEL.search(str(link)) for link in chain if isinstance(link, OSError)]
        status = next((int(match[1]) for match in refused if match), None)
        to = f"on the way to {route.host}"
        unless = f"Check {proxy.variable}, or name {route.host} in NO_PROXY."
        if status == 407:
            text = (
                f"The {proxy} {to} requires another user and password (407). Give them in "
                f"{proxy.variable}, as {EXAMPLE}."
            )
        elif status:
            text = f"The {proxy} {to} refused the connection: it returned {status}. {unless}"
        elif unresolved(chain):
            text = f"The name of the {proxy} {to} cannot be resolved. {unless}"
        elif timed_out(chain):
            text = f"The {proxy} {to} did not respond within {min(route.timeout, CONNECT):g} s. {unless}"
        else:
            text = f"The {proxy} {to} cannot be reached ({type(chain[-1]).__name__}). {unless}"
        return TransportError(text, sent=False, transient=status != 407)


class DeadlineReader(io.RawIOBase):
    """What a socket receives in the time that is left for the whole exchange.

    A socket's own time limit is one for each piece, so that a server that drips would take forever.
    """

    def __init__(self, sock: socket.socket, received: io.RawIOBase, left: t.Callable[[], float]) -> None:
        super().__init__()
        self._sock, self._received, self._left = sock, received, left

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """Wait for the next piece, as long as there is time. Raises TimeoutError."""
        left = self._left()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._received.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._received.close()
        super().close()


class FinalResponse(http.client.HTTPResponse):
    """The final response, after the interim ones (100, 102, 103) that a server may send first.

    left() returns the seconds until it must have been read.
    """

    def __init__(
        self, sock: socket.socket, *args: t.Any, left: t.Callable[[], float], **kwargs: t.Any
    ) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(DeadlineReader(sock, self.fp.detach(), left))

    def _read_status(self) -> tuple[str, int, str]:
        base: t.Any = http.client.HTTPResponse
        for _dummy in range(MOST_INTERIM):
            version, status, reason = base._read_status(self)
            if not 100 <= status < 200:
                return version, status, reason
            if status == 101:  # what follows is another protocol
                break
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("no final response")


def timed_out(chain: t.Sequence[BaseException]) -> bool:
    """Whether a time-out caused an error."""
    kinds = {"ReadTimeout", "ReadTimeoutError", "TimeoutError", "timeout", "ConnectTimeoutError"}
    return not kinds.isdisjoint(type(link).__name__ for link in chain)


def unresolved(chain: t.Sequence[BaseException]) -> bool:
    """Whether a name without an address caused an error."""
    return not {"NameResolutionError", "gaierror"}.isdisjoint(type(link).__name__ for link in chain)


def prepared(request: Request) -> t.Any:
    """Return a request as `requests` sends it, without the credentials of a netrc file."""
    method, url, headers, body = request[:4]
    return deps.requests.Request(method, url, headers=headers, data=body, auth=lambda made: made).prepare()


class PerThread(threading.local):
    """The Transport of many threads, each with its own Http: threading.local calls __init__ in each."""

    def __init__(self, make: t.Callable[[], Http]) -> None:
        self._http = make()

    def __call__(self, request: Request) -> Response:
        return self._http(request)


def causes(error: BaseException | None) -> t.Iterator[BaseException]:
    """Yield an exception and those that it wraps: causes, contexts, urllib3's reason and arguments."""
    seen: list[BaseException] = []
    queue: list[t.Any] = [error]
    while queue:
        link = queue.pop(0)
        if isinstance(link, BaseException) and not any(link is other for other in seen):
            seen.append(link)
            yield link
            queue += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]
