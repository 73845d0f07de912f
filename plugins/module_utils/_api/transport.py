# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange on requests: raw bytes in and out. It never repeats, redirects or reads netrc, and says whether a request may have left."""

from __future__ import annotations

import contextlib
import ssl
import threading
import typing as t
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import deps
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    TlsError,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor

_contexts: dict[tuple[bool, t.Any], ssl.SSLContext] = {}


class Answer(t.NamedTuple):
    """What came back: status, headers with lower-case names, and the decoded body."""

    status: int
    headers: dict[str, str]
    body: bytes


def tls_context(verify: bool = True, ca_path: str | None = None) -> ssl.SSLContext:
    """Return a context for TLS >= 1.2 against ca_path or requests' own bundle, made once per process: loading a bundle costs 20 ms."""
    if (verify, ca_path) not in _contexts:
        try:
            context = ssl.create_default_context(cafile=ca_path or deps.requests.utils.DEFAULT_CA_BUNDLE_PATH)
        except (OSError, ValueError) as error:
            raise InvalidArgument(
                f"ca_path {ca_path} is not a readable PEM bundle ({type(error).__name__})."
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname, context.verify_mode = verify, ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        _contexts[verify, ca_path] = context
    return _contexts[verify, ca_path]


class Http:
    """A keep-alive connection pool for one thread. Proxies come from HTTPS_PROXY and NO_PROXY; `redactor` gets their passwords."""

    timer: t.Any = threading.Timer

    def __init__(
        self,
        verify: bool = True,
        ca_path: str | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self._verify, self._ca_path, self._redactor = verify, ca_path, redactor or Redactor()
        self._connection: t.Any = None  # the one in use, for the watchdog
        self._refused = (
            False  # connecting (TCP, a proxy's tunnel, TLS) failed: proof that no byte of the request left
        )
        self._known_proxies: dict[str, dict[str, str]] = {}
        self._pools = (
            self._adapter()
        )  # a Session of requests would only add what is not wanted: cookies, redirects, netrc

    def __call__(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        timeout: float,
        cap: int,
        fresh: bool = False,
    ) -> Answer:
        """Send once; read at most `cap` decoded bytes within `timeout` seconds. Raises TransportError (with `sent`) or TlsError.

        `fresh` opens a new connection: a reset on a stale kept-alive one could not be told from a reset after the server acted.
        """
        if fresh:
            self._pools.close()
        self._refused = False
        proxies = self._proxies(url)
        for proxy in proxies.values():
            self._redact_keys(proxy)
        prepared = deps.requests.Request(
            method, url, headers=headers, data=body, auth=lambda request: request
        ).prepare()
        expired = threading.Event()
        watchdog = self.timer(timeout, self._cut, [expired])
        watchdog.daemon = True
        watchdog.start()
        try:
            response = self._pools.send(
                prepared,
                stream=True,
                timeout=(min(timeout, 15), timeout),
                verify=self._verify,
                proxies=proxies,
            )
            with response:
                content = self._read(response, cap)
        except (deps.requests.RequestException, OSError, ValueError) as error:
            raise self._failure(error, url, bool(proxies), expired.is_set(), timeout) from None
        except (
            Exception
        ) as error:  # urllib3's own errors while the body is read; their texts can hold the request
            if type(error).__module__.partition(".")[0] not in ("urllib3", "http", "zlib"):
                raise
            raise self._failure(error, url, bool(proxies), expired.is_set(), timeout) from None
        finally:
            watchdog.cancel()
        if (
            expired.is_set() or response.status_code < 200
        ):  # after an interim answer the true one would be taken for that of the next request
            raise self._failure(TimeoutError(), url, bool(proxies), expired.is_set(), timeout)
        return Answer(
            response.status_code, {name.lower(): value for name, value in response.headers.items()}, content
        )

    def _redact_keys(self, proxy: str) -> None:
        """Redact the password in a proxy's URL, as it stands there, as it is meant, and as it goes into a header."""
        parts = urlsplit(proxy)
        for password in {parts.password or "", unquote(parts.password or "")} - {""}:
            self._redactor.add(password)
            self._redactor.add(f"{unquote(parts.username or '')}:{password}")

    def _proxies(self, url: str) -> dict[str, str]:
        """Return the proxies for a URL, looked up once for its host: going through the environment costs a tenth of an exchange."""
        place = "/".join(url.split("/", 3)[:3])
        if place not in self._known_proxies:
            # asking macOS itself crashes a forked process
            self._known_proxies[place] = (
                deps.requests.utils.get_environ_proxies(url) if getproxies_environment() else {}
            )
        return self._known_proxies[place]

    def _adapter(self) -> t.Any:
        transport = self

        class Adapter(deps.requests.adapters.HTTPAdapter):
            """Hooks into the one method that requests calls with every pool before it is used."""

            def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
                """Give the pool our TLS context and watch its connections being made."""
                if url.lower().startswith("https"):
                    conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"
                    conn.conn_kw["ssl_context"] = tls_context(bool(verify), transport._ca_path)
                if "ConnectionCls" not in vars(conn):
                    conn.ConnectionCls = transport._watched(conn.ConnectionCls)

        return Adapter(max_retries=0)

    def _watched(self, connection_class: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def build(*args: t.Any, **kwargs: t.Any) -> t.Any:
            connection = self._connection = connection_class(*args, **kwargs)
            connect = connection.connect

            def watch() -> None:
                self._refused = True
                connect()
                self._refused = False
                connection.wire = (
                    connection.sock
                )  # http.client forgets it at an answer's `Connection: close`, before the body is read

            send = connection.request

            def note(*args: t.Any, **kwargs: t.Any) -> t.Any:
                self._connection = (
                    connection  # a kept-alive one can be in use although a younger one to another host exists
                )
                return send(*args, **kwargs)

            connection.connect, connection.request = watch, note
            return connection

        return build

    def _cut(self, expired: threading.Event) -> None:
        """At the deadline, end a socket that drips: per-read timeouts alone would let it drip for ever."""
        expired.set()
        with contextlib.suppress(
            AttributeError, OSError, ValueError
        ):  # nothing was open, or it is closed already
            (getattr(self._connection, "wire", None) or self._connection.sock).shutdown(2)

    def _read(self, response: t.Any, cap: int) -> bytes:
        content = bytearray()
        for chunk in response.raw.stream(16384, decode_content=True):
            content += chunk
            if len(content) > cap:
                self._pools.close()
                raise TransportError(
                    f"The answer of {response.url.split('/')[2]} is larger than {cap >> 20} MiB; reading was stopped."
                )
        return bytes(content)

    def _failure(
        self, error: Exception, url: str, proxied: bool, expired: bool, timeout: float
    ) -> TransportError:
        """Return our error for theirs. Their texts are dropped: they can print a header or a query."""
        if isinstance(error, TransportError):
            return error
        self._pools.close()
        host = url.split("/")[2]
        chain = list(_chain(error))
        local = (
            isinstance(error, ValueError) and self._connection is None
        )  # refused before a connection was even tried
        names = {type(link).__name__ for link in chain}
        certificate = next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None)
        if certificate is not None and self._refused:
            why = certificate.verify_message or "verification failed"
            return TlsError(
                f"The certificate of {host} was not accepted: {why}. If a private authority signed it, give its PEM bundle in ca_path.",
                sent=False,
            )
        sent = not (self._refused or local)
        if expired or names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError", "ConnectTimeoutError"}:
            what = (
                f"{host} did not answer completely within {timeout:g} s"
                if sent
                else f"No connection to {host} within {min(timeout, 15):g} s"
            )
        elif names & {"NameResolutionError", "gaierror"}:
            what = f"The name {host} cannot be resolved; check region, cloud or the endpoint option"
        elif proxied and not sent:
            what = f"The proxy on the way to {host} did not open a connection"
        else:
            what = (
                f"The connection to {host} broke before the answer was complete"
                if sent
                else f"No connection to {host} could be made"
            )
        return TransportError(f"{what} ({type(chain[-1]).__name__}).", sent=sent)


class PerThread(threading.local):
    """Sends with an Http of the calling thread: threading.local calls __init__ in each."""

    def __init__(self, make: t.Callable[[], Http]) -> None:
        self._http = make()

    def __call__(self, *args: t.Any) -> Answer:
        return self._http(*args)


def _chain(error: BaseException | None) -> t.Iterator[BaseException]:
    """Yield an exception and what it wraps: causes, contexts, urllib3's reason and exceptions among the arguments."""
    seen: list[BaseException] = []
    queue: list[t.Any] = [error]
    while queue:
        link = queue.pop(0)
        if isinstance(link, BaseException) and not any(link is other for other in seen):
            seen.append(link)
            yield link
            queue += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]
