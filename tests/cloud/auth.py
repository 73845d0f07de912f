# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification of ``SDK-HMAC-SHA256``, written from the description and not from the client.

Only the headers in SignedHeaders count. It admits further unsigned headers, as the real gateway does.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from urllib.parse import parse_qsl, quote, unquote

from .state import CloudState, Key
from .wire import Call, Refusal

ALGORITHM = "SDK-HMAC-SHA256"
SKEW_SECONDS = 15 * 60
LOCK_SECONDS = 5 * 60  # both: "Common Errors Related to IAM Authentication Information" (docs/api.md)
_AUTHORIZATION = re.compile(ALGORITHM + r" Access=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")


def denied(code: str, text: str, request_id: str) -> Refusal:
    return Refusal(401, {"error_msg": text, "error_code": code, "request_id": request_id})


def wrong(detail: str, request_id: str) -> Refusal:
    return denied("APIGW.0301", f"Incorrect IAM authentication information: {detail}", request_id)


def canonical_request(
    method: str, target: str, headers: dict[str, str], signed: list[str], body: bytes
) -> str:
    """``target`` is path and query as they came over the wire; ``headers`` has lower-case names."""
    path, dummy, query = target.partition("?")
    segments = [quote(segment, safe="-_.~") for segment in unquote(path).split("/")]
    uri = "/".join(segments)
    if not uri.endswith("/"):
        uri += "/"
    # parse_qsl would read + as a blank, and a signer that sends + means a blank as well
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    text = "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in pairs)
    block = "".join(f"{name}:{headers[name].strip()}\n" for name in signed)
    digest = headers.get("x-sdk-content-sha256") or hashlib.sha256(body).hexdigest()
    return "\n".join([method, uri, text, block, ";".join(signed), digest])


def signature(secret: str, stamp: str, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(secret.encode(), f"{ALGORITHM}\n{stamp}\n{digest}".encode(), hashlib.sha256).hexdigest()


def check(cloud: CloudState, call: Call, target: str, request_id: str) -> str:
    """Admit the call or refuse it; return how it signed in: 'token' or 'aksk'."""
    token = call.headers.get("x-auth-token")
    if token:
        _check_token(cloud, token, request_id)
        return "token"
    match = _AUTHORIZATION.fullmatch(call.headers.get("authorization", ""))
    if match is None:
        raise wrong("no usable credentials in the request", request_id)
    _check_signature(cloud, call, target, match, request_id)
    return "aksk"


def _check_token(cloud: CloudState, value: str, request_id: str) -> None:
    token = cloud.tokens.get(value)
    if token is None:
        raise wrong("decrypt token fail", request_id)
    if token.expires_at <= cloud.clock():
        raise denied("APIGW.0307", "The token must be updated.", request_id)


def _check_signature(
    cloud: CloudState, call: Call, target: str, match: re.Match[str], request_id: str
) -> None:
    """Count every refused signature. After some in a row the key is locked, even for the right signature."""
    access, now = match[1], cloud.clock()
    key = cloud.keys.get(access)
    if key is None:
        raise wrong(f"ak {access} not exist", request_id)
    if key.locked_until > now:
        raise wrong("AK access failed to reach the limit,forbidden", request_id)
    try:
        _verify(key, call, target, match, now, request_id)
    except Refusal:
        key.failures += 1
        if cloud.settings.lock_after and key.failures >= cloud.settings.lock_after:
            key.locked_until = now + LOCK_SECONDS
            key.failures = 0
        raise
    key.failures = 0


def _verify(key: Key, call: Call, target: str, match: re.Match[str], now: float, request_id: str) -> None:
    signed, given = match[2].split(";"), match[3]
    if (
        signed != sorted(signed)
        or not {"host", "x-sdk-date"} <= set(signed)
        or not set(signed) <= set(call.headers)
    ):
        raise wrong("verify aksk signature fail, signed headers", request_id)
    stamp = call.headers["x-sdk-date"]
    try:
        moment = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise wrong("verify aksk signature fail, invalid x-sdk-date", request_id) from None
    if abs(now - moment) > SKEW_SECONDS:
        raise wrong("verify aksk signature fail, signature expired", request_id)
    expected = signature(
        key.secret, stamp, canonical_request(call.method, target, call.headers, signed, call.body)
    )
    if not hmac.compare_digest(expected, given):
        raise wrong("verify aksk signature fail", request_id)
    if key.security_token is not None and call.headers.get("x-security-token") != key.security_token:
        raise wrong("security token is missing or does not belong to the ak", request_id)
    if key.expires_at is not None and key.expires_at <= now:
        raise wrong("security token has expired", request_id)


def domain_of_caller(cloud: CloudState, call: Call) -> str:
    """The account in which an admitted request acts."""
    match = _AUTHORIZATION.fullmatch(call.headers.get("authorization", ""))
    key = cloud.keys.get(match[1]) if match and not call.headers.get("x-auth-token") else None
    return cloud.domain_id if key is None else cloud.domain_of_key(key)
