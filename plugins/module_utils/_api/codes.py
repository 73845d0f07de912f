# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error responses: their shapes, the spellings of their codes, and what a code and an `error_kind` mean.

GATEWAY holds the codes of the API gateway and of IAM, which stand in front of every service. The codes of a
service are a table of the same form in the service's own folder; a service hands it over with each call.
Sources: the pages "Error Codes" of API Gateway (APIG) and of Identity and Access Management (IAM) on
support.huaweicloud.com.
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

_ENDPOINT = "Check region, cloud or the endpoint option."
_KEYS = (
    "Check the keys or the token, whether they belong to this region and project, and this machine's clock."
)

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
        "PAP5.0001": Code("denied", "an identity policy denies this call"),
        "PDP5.0001": Code("denied", "an identity policy denies this call"),
    }
)


class Kind(t.NamedTuple):
    """What an error_kind means, what was and was not done then, and what to do next."""

    meaning: str
    done: str
    advice: str


_NOTHING = "Nothing was started."
_NO_REQUEST = "No request was sent."
_RUNS_ON = "The operation was started, and nothing was repeated."
_BY_MESSAGE = "The message says whether something was started."
KINDS: dict[str, Kind] = {
    "auth_failed": Kind("the cloud does not accept the credentials", _BY_MESSAGE, _KEYS),
    "busy": Kind(
        "something else holds the instance", _NOTHING, "Wait for that to end, then run the task again."
    ),
    "denied": Kind(
        "the credentials are right, but a permission is missing",
        _BY_MESSAGE,
        "Give the user the permission for this call in this project.",
    ),
    "duplicate_detected": Kind(
        "two operations carry the same marker",
        "Nothing was repeated.",
        (
            "Somebody started one of them outside of this collection, with a copied remark. Wait until both "
            "have ended, then run the task again."
        ),
    ),
    "internal_error": Kind(
        "this collection has a bug", _BY_MESSAGE, "Report it with the place that the message names."
    ),
    "interrupted": Kind(
        "the task was interrupted",
        _BY_MESSAGE,
        "Run the same task again: it attaches to what runs, or names the job to give as job_id.",
    ),
    "invalid_argument": Kind(
        "an option has a value that cannot be right",
        _NO_REQUEST,
        "Correct the option that the message names.",
    ),
    "missing_library": Kind(
        "a Python package is missing",
        "Nothing was started. If only the check of a restore needs the package, the restore has succeeded.",
        "Install the package that the message names.",
    ),
    "not_found": Kind(
        "the object does not exist in this project and region",
        _NOTHING,
        "Check the ID, the project and the region.",
    ),
    "not_restorable": Kind(
        "the backup, the time or the target cannot be used for this restore",
        _NOTHING,
        "Read the reason in the message, then choose another backup, time or target.",
    ),
    "not_running": Kind(
        "the instance was restored, but is not running",
        "The restore succeeded.",
        "Look at the instance in the console.",
    ),
    "not_started": Kind(
        "the request that starts the operation was never sent",
        _NOTHING,
        "Run the task again when the cloud can be reached.",
    ),
    "operation_failed": Kind(
        "the cloud ran the operation, and it failed",
        "The operation was started, and it ended.",
        "Look at the instance, then run the task again: it starts the operation once more.",
    ),
    "out_of_memory": Kind(
        "the task ran out of memory",
        _BY_MESSAGE,
        "Give the task more memory (ulimit -v, or the limit of the container), then run the same task again.",
    ),
    "outcome_unknown": Kind(
        "the request was sent, and no conclusive response was received",
        "At most one operation was started. Nothing was repeated.",
        (
            "Run the same task again in a few minutes: it attaches to what it finds, or names the job to "
            "give as job_id."
        ),
    ),
    "protocol_error": Kind(
        "the response is not what the API documents",
        _BY_MESSAGE,
        "Check the endpoint, and any proxy or sign-in portal on the way to it.",
    ),
    "rejected": Kind("the service refused the request", _NOTHING, "Do what the service's own text says."),
    "server_error": Kind("the service failed", _BY_MESSAGE, "Run the task again in a few minutes."),
    "throttled": Kind(
        "too many requests were made",
        _BY_MESSAGE,
        "Run the task again later, or for fewer instances at a time.",
    ),
    "tls_error": Kind(
        "the server's certificate was not accepted",
        _BY_MESSAGE,
        "Give the bundle of your authority in ca_path.",
    ),
    "transport_error": Kind(
        "no usable HTTP response was received",
        _BY_MESSAGE,
        "Fix the network or the proxy, then run the task again.",
    ),
    "unexpected_redirect": Kind(
        "the server sent a redirect, which the task never follows",
        _BY_MESSAGE,
        "Check the endpoint option.",
    ),
    "unreachable": Kind(
        "the restored instance could not be reached for its checks",
        "The restore succeeded.",
        (
            "Check address, port, security group and TLS, then run the same task again: only the checks are "
            "repeated."
        ),
    ),
    "unsupported_python": Kind(
        "the Python that runs the module is older than 3.9",
        _NO_REQUEST,
        "Set ansible_python_interpreter of the host to a newer Python.",
    ),
    "verification_failed": Kind(
        "a check did not find the data that it expects",
        "The restore succeeded.",
        "Keep applications away from the instance. Correct the check, or restore to another point in time.",
    ),
    "verify_timeout": Kind(
        "the checks did not finish in time",
        "The restore succeeded.",
        "Give a larger verify_timeout, then run the same task again: only the checks are repeated.",
    ),
    "wait_timeout": Kind(
        "the operation was still running when wait_timeout was over",
        _RUNS_ON,
        "Wait for it with restore_wait, or run the task again (for DDM with job_id) to attach to it.",
    ),
    "wrong_endpoint": Kind("the endpoint does not know this API", _NOTHING, _ENDPOINT),
}
# For these kinds, a refusal of the API alone does not say what to do. For all others, the task's message
# does.
_NEEDS_ADVICE = ("auth_failed", "denied", "protocol_error", "throttled", "wrong_endpoint")
BY_STATUS = {401: "auth_failed", 403: "denied", 404: "not_found", 408: "server_error", 429: "throttled"}
# A code of a service or of the gateway, such as DCS.4097, PDP5.0001 or ModelArts.0203. A proxy sends no such
# code.
FORM = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,19}(?:\.[0-9]{2,8}){1,3}", re.ASCII)


class Refusal(t.NamedTuple):
    """What an error body says; None where it says nothing.

    `denial` is a text that an IAM administrator can decode.
    """

    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    denial: str | None = None


def kind_of(status: int, code: str | None, codes: Codes, by_api: bool = True) -> str:
    """Return the error_kind of an HTTP error.

    The code counts where it says more than the status. When a proxy responds, the status says nothing about a
    permission.
    """
    if not by_api and status in (401, 403, 404):
        return "protocol_error"
    known = codes.get(code or "") or GATEWAY.get(code or "")
    if known and not (status >= 500 and known.kind == "rejected"):
        return known.kind
    other = "server_error" if status >= 500 else "unexpected_redirect" if status < 400 else "rejected"
    return BY_STATUS.get(status, other)


def meaning_of(code: str | None, codes: Codes) -> str | None:
    """Return what a code means, in our words; None if it is not in the tables."""
    known = codes.get(code or "") or GATEWAY.get(code or "")
    return known.meaning if known else None


def advice(kind: str, code: str | None, codes: Codes) -> str:
    """Return what to do, a sentence or ''."""
    known = codes.get(code or "") or GATEWAY.get(code or "")
    return (known.advice if known else "") or (KINDS[kind].advice if kind in _NEEDS_ADVICE else "")


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


DENIAL = "encoded_authorization_message"


def _first(level: dict[str, t.Any], *names: str) -> str | None:
    found = (level[name] for name in names if isinstance(level.get(name), (str, int)) and level[name] != "")
    return next(map(str, found), None)


def normal_code(code: str | None) -> str | None:
    """Return one spelling of a code: no blanks, capitals, APIG. as APIGW., and the legacy numbers of DCS.

    111400017 is DCS.4017, 111404022 is DCS.3022.
    """
    if code is None or not re.fullmatch(r"[A-Za-z0-9._ -]*", code, re.ASCII):
        return code  # Anything else is not a code, and may be a secret with blanks.
    code = code.replace(" ", "")
    if re.fullmatch(r"[a-z][a-z0-9]*\.[0-9]+", code):
        code = code.upper()
    legacy = re.fullmatch(r"111(40[01345]|500)(\d{3})", code)
    if legacy:
        family = {"400": "4", "401": "1", "403": "3", "404": "3", "405": "5", "500": "5"}[legacy[1]]
        return "DCS.4001" if code == "111404001" else f"DCS.{family}{legacy[2]}"
    return re.sub(r"^APIG\.", "APIGW.", code)
