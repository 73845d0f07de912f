# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which proxy leads to a URL: HTTPS_PROXY or else ALL_PROXY, unless NO_PROXY names the host.

A plain http:// URL is one of this machine or of its cloud's metadata: it goes through no proxy.
"""

from __future__ import annotations

import importlib.util
import os
import re
import typing as t
from urllib.parse import unquote, urlsplit

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import deps
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument

VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")  # the first one that is set counts
SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")
EXAMPLE = "a URL such as http://user:password@proxy.example.com:3128"


class Proxy(t.NamedTuple):
    """A proxy: its URL, with user and password; its address without them; the variable that names it."""

    url: str
    address: str
    variable: str
    user: str
    passwords: tuple[str, ...]  # as in the URL, and decoded

    def __str__(self) -> str:
        return f"proxy {self.address} ({self.variable})"


class Route(t.NamedTuple):
    """Where an exchange leads, and the seconds it may take."""

    url: str
    proxy: Proxy | None
    timeout: float

    @property
    def host(self) -> str:
        """The server's host and port, as in the URL."""
        return self.url.split("/")[2]


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy on the way to a URL, or None.

    Raises InvalidArgument for a variable that does not hold a proxy.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or LOOPBACK.fullmatch(parts.hostname or ""):
        return None
    variable = next((name for name in VARIABLES if os.environ.get(name, "").strip()), None)
    # Without a variable, requests would ask macOS itself, which crashes a forked process.
    if variable is None or deps.requests.utils.should_bypass_proxies(url, None):
        return None
    return parsed(os.environ[variable].strip(), variable)


def parsed(value: str, variable: str) -> Proxy:
    """Return the proxy that a variable names. Its value is not shown: it may hold a password."""
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidArgument(f"{variable} is not a valid proxy: give {EXAMPLE}.") from None
    if parts.scheme not in SCHEMES or not host or port == 0 or re.search(r"[\s\\<>]", host):
        raise InvalidArgument(f"{variable} is not a valid proxy: give {EXAMPLE}.")
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socks") is None:
        raise InvalidArgument(
            f"{variable} names a SOCKS proxy, for which Python needs PySocks: install it (pip install "
            "pysocks) for the Python that runs this task, or name an http:// proxy."
        )
    address = f"[{host}]" if ":" in host else host
    password = parts.password or ""
    passwords = tuple({password, unquote(password)} - {""})
    return Proxy(
        url, f"{address}:{port}" if port else address, variable, unquote(parts.username or ""), passwords
    )
