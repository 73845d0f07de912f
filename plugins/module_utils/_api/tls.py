# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS: the context of a connection, and why a certificate was not accepted."""

from __future__ import annotations

import os
import re
import socket
import ssl
import typing as t
from datetime import datetime, timezone
from urllib.parse import urlsplit

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import deps, sources
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.proxies import Proxy, Route
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable

LARGEST_BUNDLE, BLANK_BUNDLE = 16 << 20, 64  # bytes of a bundle, and of a field left empty
OUT_OF_DATE, WRONG_NAME = (9, 10), (62, 64)  # OpenSSL: not yet valid, expired; another host name or address
NO_ISSUER = (2, 18, 19, 20, 21)  # OpenSSL: no trusted authority has signed it
HANDSHAKE_TIMEOUT = 5.0  # seconds to read the dates of a refused certificate, at most
SEQUENCE, UTC_TIME, GENERALIZED_TIME = 0x30, 0x17, 0x18  # DER's tags

_contexts: dict[tuple[bool, t.Any], ssl.SSLContext] = {}


def tls_context(verify: bool = True, ca_path: str | None = None) -> ssl.SSLContext:
    """Return a context for TLS >= 1.2 with ca_path or requests' own bundle.

    It is made once per process: it takes 20 ms.

    An authority that the user names is trusted as it is: Python 3.13's strict checks refuse many private
    ones. An empty file counts as none.
    """
    if not verify:
        return _contexts.setdefault((False, None), _unverified())
    named = ca_path or None
    if (True, named) not in _contexts:
        held = _bundle(named) if named else b"-"
        if len(held) <= BLANK_BUNDLE and not held.strip():
            return tls_context(True)
        try:
            context = ssl.create_default_context(
                cafile=os.path.expanduser(named) if named else deps.requests.utils.DEFAULT_CA_BUNDLE_PATH
            )
        except (OSError, ValueError) as error:
            raise _no_bundle(named, type(error).__name__) from None
        if named:
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0)  # Python 3.10 on
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _contexts[True, named] = context
    return _contexts[True, named]


class HostContext:
    """A context for one host, which urllib3 1.26 does not name to ssl if its name is an address."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._context, self._host = context, host

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._context, name)

    def wrap_socket(self, sock: socket.socket, server_hostname: str | None = None) -> ssl.SSLSocket:
        """Make a TLS connection to the server."""
        return self._context.wrap_socket(sock, server_hostname=server_hostname or self._host)


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _bundle(path: str) -> bytes:
    """Return the content of a file of certificates."""
    try:
        return sources.read_file(path, LARGEST_BUNDLE)[0]
    except OSError as error:
        raise _no_bundle(path, type(error).__name__) from None
    except ValueError as error:  # a pipe, a directory, a huge file
        raise _no_bundle(path, str(error)) from None


def _no_bundle(path: str | None, why: str) -> InvalidArgument:
    return InvalidArgument(f"ca_path {printable(path)} is not a readable PEM bundle ({why}).")


def untrusted(
    error: ssl.SSLCertVerificationError, route: Route, ca_path: str | None, proxy: Proxy | None
) -> str:
    """Return why the certificate of a server, or of this proxy, was not accepted, and what to do."""
    whose = f"the {proxy}" if proxy else route.host
    why = f"The certificate of {whose} was not accepted: {error.verify_message or 'verification failed'}"
    code, named = error.verify_code, f"the bundle in ca_path ({printable(ca_path)})"
    if code in OUT_OF_DATE:
        return f"{why}{out_of_date(route, named if ca_path else None)}"
    if code in WRONG_NAME:
        place = proxy.variable if proxy else "the endpoint option (or the proxy)"
        advice = f"Check {place}: it names another host than the certificate."
    elif code not in NO_ISSUER:
        advice = (
            "The certificate, or that of the authority that signed it, breaks this rule and must be "
            "replaced. Another bundle in ca_path does not help."
        )
    elif ca_path:
        advice = (
            f"T{named[1:]} does not hold the authority that signed it, or holds one that may not "
            "sign (its keyUsage lacks keyCertSign). Ask its owner for the right bundle."
        )
    else:
        both = " together with those of the cloud" if proxy else ""
        advice = f"If a private authority signed it, give its PEM bundle in ca_path{both}."
    return f"{why.rstrip('.')}. {advice}"


def out_of_date(route: Route, named: str | None) -> str:
    """Return what to say about a certificate that is out of date, the server's or an authority's."""
    now = f"{datetime.fromtimestamp(Clock().now(), timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    span = validity(route) if route.proxy is None else None
    if span and span[0] <= now <= span[1]:
        where = f"{named}, or what the server sends," if named else "the server"
        return (
            ". The server's own certificate is valid now, but not that of an authority that signed it. Check "
            f"this machine's clock; if it is right, {where} needs a new certificate of that authority."
        )
    dates = f", it is valid from {span[0]} to {span[1]}" if span else ""
    return f"{dates}. Check this machine's clock; if it is right, the certificate must be renewed."


def validity(route: Route) -> tuple[str, str] | None:
    """Return the dates of a server's certificate, from a handshake that checks nothing, or None."""
    parts = urlsplit(route.url)
    place, name = (parts.hostname or "", parts.port or 443), parts.hostname
    try:
        wire = socket.create_connection(place, min(route.timeout, HANDSHAKE_TIMEOUT))
        with wire, tls_context(False).wrap_socket(wire, server_hostname=name) as secure:
            return valid_between(secure.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        return None


# The dates of a certificate in DER: Python shows them only for one that it accepts.


def valid_between(certificate: bytes) -> tuple[str, str] | None:
    """Return (not before, not after) of a certificate in DER in ISO 8601, UTC; None if they are unreadable.

    RFC 5280: Validity is the first sequence of two times in TBSCertificate, which is in Certificate.
    """
    try:
        ((dummy, signed),) = _parts(certificate)
        tag, inner = next(_parts(signed))
        for tag, content in _parts(inner):
            times = list(_parts(content)) if tag == SEQUENCE else []
            if len(times) == 2 and all(kind in (UTC_TIME, GENERALIZED_TIME) for kind, dummy in times):
                return _iso(*times[0]), _iso(*times[1])
    except (IndexError, ValueError, StopIteration):
        pass
    return None


def _parts(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    """Yield (tag, content) of each value in a sequence of DER."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            end = at + count
            size, at = int.from_bytes(data[at:end], "big"), end
        end = at + size
        if end > len(data):
            raise ValueError("a value is longer than what holds it")
        yield tag, data[at:end]
        at = end


def _iso(tag: int, content: bytes) -> str:
    text = content.decode("ascii")
    if tag == UTC_TIME:  # RFC 5280: the years from 50 on are of 1900
        text = ("19" if text[:2] >= "50" else "20") + text
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", text, re.ASCII)
    if found is None:
        raise ValueError("no time")
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"
