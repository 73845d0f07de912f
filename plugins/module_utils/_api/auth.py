# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing with SDK-HMAC-SHA256 and X-Auth-Token: pure functions from a request to the headers it needs.

The algorithm is that of the "API Request Signing Guide" (devg-apisign) on support.huaweicloud.com.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import typing as t
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ALGORITHM = "SDK-HMAC-SHA256"
Query = t.Sequence[t.Tuple[str, str]]


def query_string(pairs: Query) -> str:
    """Return the canonical query: its pairs are sorted raw, then encoded.

    The request sends the same text, so that the signature matches it.
    """
    return "&".join(f"{_encode(key)}={_encode(value)}" for key, value in sorted(pairs))


def signed(
    method: str,
    url: str,
    headers: t.Mapping[str, str],
    body: bytes,
    access_key: str,
    secret_key: str,
    now: float,
) -> dict[str, str]:
    """Return the headers that sign this request at `now` (epoch seconds): Host, X-Sdk-Date, Authorization."""
    parts = urlsplit(url)
    added = {
        "Host": parts.netloc.rpartition("@")[2],
        "X-Sdk-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)),
    }
    lowered = {name.lower(): value.strip() for name, value in {**headers, **added}.items() if "_" not in name}
    names = ";".join(sorted(lowered))
    path = "/".join(_encode(segment) for segment in unquote(parts.path).split("/"))
    canonical = "\n".join(
        [
            method.upper(),
            path if path.endswith("/") else path + "/",
            query_string(parse_qsl(parts.query, keep_blank_values=True)),
            *(f"{name}:{lowered[name]}" for name in sorted(lowered)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    to_sign = "\n".join([ALGORITHM, added["X-Sdk-Date"], hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return {
        **added,
        "Authorization": f"{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}",
    }


def _encode(value: str) -> str:
    return quote(value, safe="-_.~")
