# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error responses: their shapes, the spellings of their codes, and what a code means.

GATEWAY holds the codes of the API gateway and of IAM, which are in front of every service. A service hands
over a table of its own with each call.
Sources: the pages "Error Codes" of API Gateway and IAM on support.huaweicloud.com.
"""

from __future__ import annotations

import re
import types
import typing as t


class Code(t.NamedTuple):
    """What a code means: its `error_kind`, its meaning in our words, and what to do.

    The last is a sentence, or '' when the advice of the kind is enough.
    """

    kind: str
    meaning: str
    advice: str = ""


Codes = t.Mapping[str, Code]

GATEWAY: Codes = types.MappingProxyType(
    {
        "APIGW.0101": Code("wrong_endpoint", "the gateway does not know this API"),
        "APIGW.0103": Code("wrong_endpoint", "the gateway finds no server behind this API"),
        "APIGW.0104": Code("rejected", "the gateway lacks the configuration of a plug-in"),
        "APIGW.0105": Code("rejected", "the gateway lacks the configuration of the server behind it"),
        "APIGW.0106": Code("rejected", "the gateway could not assemble the request"),
        "APIGW.0201": Code("rejected", "the gateway found the request malformed or too large"),
        "APIGW.0301": Code("auth_failed", "the signature or token was not accepted"),
        "APIGW.0302": Code("denied", "the IAM user may not call this API"),
        "APIGW.0303": Code("auth_failed", "the app's signature was not accepted"),
        "APIGW.0305": Code("auth_failed", "the credentials were not accepted"),
        "APIGW.0306": Code("denied", "access to this API is refused"),
        "APIGW.0307": Code("auth_failed", "the token has expired, or belongs to another region"),
        "APIGW.0308": Code("throttled", "more requests were made than the quota allows"),
        "APIGW.0310": Code("denied", "the project cannot be used"),
        "APIGW.0802": Code("denied", "the IAM user may not work in this region"),
        "EPS.0003": Code("denied", "a policy of the enterprise project denies this call"),
        "PAP5.0001": Code("denied", "an identity policy denies this call"),
        "PDP5.0001": Code("denied", "an identity policy denies this call"),
    }
)


# What to do about a refusal that does not say so itself
ADVICE = {
    "auth_failed": (
        "Check the credentials, whether they belong to this region and project, and this machine's clock."
    ),
    "denied": "Give the user the permission for this call in this project.",
    "protocol_error": "Check the endpoint, and any proxy or sign-in portal on the way to it.",
    "throttled": "Run the task again later, or for fewer instances at a time.",
    "wrong_endpoint": "Check region, cloud or the endpoint option.",
}
BY_STATUS = {401: "auth_failed", 403: "denied", 404: "not_found", 408: "server_error", 429: "throttled"}
# A code of a service or of the gateway, such as DCS.4097, PDP5.0001 or ModelArts.0203. No proxy sends one.
FORM = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,19}(?:\.[0-9]{2,8}){1,3}", re.ASCII)
LONGEST = 300  # characters of a text of the service
DENIAL = "encoded_authorization_message"


class Refusal(t.NamedTuple):
    """What an error body says; None where it says nothing.

    `denial` is a text that an IAM administrator can decode.
    """

    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    denial: str | None = None


def known_as(code: str | None, codes: Codes) -> Code | None:
    """Return what a code means, if it is in the tables."""
    return None if code is None else codes.get(code) or GATEWAY.get(code)


def kind_of(status: int, code: str | None, codes: Codes, by_api: bool = True) -> str:
    """Return the error_kind of an HTTP error.

    The code counts where it says more than the status. When a proxy responds, the status says nothing about
    the request to the service.
    """
    if not by_api and 400 <= status < 500 and status not in (408, 429):
        return "protocol_error"
    known = known_as(code, codes)
    if known and not (status >= 500 and known.kind == "rejected"):
        return known.kind
    if status >= 500:
        return "server_error"
    return BY_STATUS.get(status, "unexpected_redirect" if status < 400 else "rejected")


def advice(kind: str, code: str | None, codes: Codes) -> str:
    """Return what to do, a sentence or ''."""
    known = known_as(code, codes)
    return (known.advice if known else "") or ADVICE.get(kind, "")


def is_code(code: str | None) -> bool:
    """Whether this has the form of a code of the API. It shows that the refusal is the API's own."""
    return code is not None and FORM.fullmatch(code) is not None


def parse_error(body: t.Any) -> Refusal:
    """Return what an error body says, in any of the shapes that the services, the gateway and IAM use."""
    for level in [body, *(body.values() if isinstance(body, dict) else ())]:
        if not isinstance(level, dict):
            continue
        code = _first(level, "error_code", "errCode", "errorCode", "code")
        message = _first(level, "error_msg", "externalMessage", "errorMsg", "message")
        if code or message:
            request_id = _first(level, "request_id") or _first(body, "request_id")
            denial = _first(level, DENIAL) or _first(body, DENIAL)
            return Refusal(normal_code(code), message, request_id, denial)
    return Refusal(denial=_first(body, DENIAL) if isinstance(body, dict) else None)


def error_in(body: t.Any) -> str:
    """Return what a body with status 2xx says of an error, for people: ' (code: message)' or ''."""
    found = parse_error(body)
    words = [word for word in (found.code, found.message) if word and len(word) <= LONGEST]
    return f" ({': '.join(words)})" if words else ""


def _first(level: dict[str, t.Any], *names: str) -> str | None:
    found = (level[name] for name in names if isinstance(level.get(name), (str, int)) and level[name] != "")
    return next(map(str, found), None)


def normal_code(code: str | None) -> str | None:
    """Return one spelling of a code: no blanks, capitals, APIG. as APIGW., and the legacy numbers of DCS.

    111400017 is DCS.4017, 111404022 is DCS.3022.
    """
    if code is None or not re.fullmatch(r"[A-Za-z0-9._ -]*", code):
        return code  # Anything else is not a code, and may be a secret with blanks.
    code = code.replace(" ", "")
    if re.fullmatch(r"[a-z][a-z0-9]*\.[0-9]+", code):
        code = code.upper()
    legacy = re.fullmatch(r"111(40[01345]|500)(\d{3})", code)
    if legacy:
        family = {"400": "4", "401": "1", "403": "3", "404": "3", "405": "5", "500": "5"}[legacy[1]]
        return "DCS.4001" if code == "111404001" else f"DCS.{family}{legacy[2]}"
    return re.sub(r"^APIG\.", "APIGW.", code)
