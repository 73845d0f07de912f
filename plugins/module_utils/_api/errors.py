# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, in the words of the person on call. Every error becomes a task result through details()."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable

# Codes of facts.md 4.5, 4.11 and 4.12. Another operation holds the instance; the call itself was refused.
BUSY = {
    f"DCS.{n}"
    for n in (
        4017,
        4026,
        4049,
        4096,
        4097,
        4104,
        4108,
        4111,
        4113,
        4114,
        4115,
        4116,
        4117,
        4118,
        4120,
        4121,
        4231,
        4975,
    )
}
BUSY |= {f"DBS.{n}" for n in (200011, 200019, 200047, 200086, 201014, 201202, 201205, 212006, 212033)} | {
    "CBC.99003651"
}
KINDS = {
    "not_found": {"DCS.3022"}
    | {
        f"DBS.{n}"
        for n in (
            200002,
            200013,
            200045,
            200408,
            200602,
            201028,
            290005,
            290011,
            280110,
            300400,
            200543,
            201010,
            201203,
            280214,
        )
    },
    "not_restorable": {"DCS.4086", "DCS.4087", "DCS.4095", "DBS.300372", "DBS.300360"},
    "invalid_argument": {
        "DCS.4002",
        "DCS.4061",
        "DCS.4062",
        "DCS.4063",
        "DCS.4098",
        "DCS.4800",
        "DBS.280001",
        "DBS.300375",
        "DBS.300377",
    },
    "wrong_endpoint": {"APIGW.0101", "APIGW.0103", "DCS.4001"},
    "denied": {"DCS.1004"},
    "throttled": {"APIGW.0308"},
    "busy": BUSY,
}
HINTS = {
    "auth_failed": " Check the keys or token, that they belong to this region and project, and this machine's clock.",
    "denied": " The user needs a permission for this call in this project.",
    "throttled": " The gateway refuses more requests for now.",
    "wrong_endpoint": " Check region, cloud or the endpoint option.",
}
BY_STATUS = {401: "auth_failed", 403: "denied", 404: "not_found", 408: "server_error", 429: "throttled"}


class CloudError(Exception):
    """A failure with a stable `kind`; `facts` are further keys of the task result (ids, codes, last status), null ones left out."""

    kind = "error"
    changed = False
    transient = False  # whether the same *read* may succeed when repeated
    note = ""  # ends every message of the class

    def __init__(self, message: str, **facts: t.Any) -> None:
        super().__init__(
            printable(message + self.note)
        )  # one line fit for a terminal, whatever the server sent
        self.facts = facts

    def details(self) -> dict[str, t.Any]:
        """Return the keys of the failed task beside msg."""
        return {
            "error_kind": self.kind,
            "changed": self.changed,
            **{key: value for key, value in self.facts.items() if value is not None},
        }

    def again(self) -> CloudError:
        """Return a copy, to be raised for another operation: whoever catches an error may add to it."""
        twin = type(self).__new__(type(self), *self.args)
        vars(twin).update(vars(self), facts=dict(self.facts))
        return twin


class InvalidArgument(CloudError):
    """The input cannot be right; no request was sent, and the message says so."""

    kind = "invalid_argument"
    note = " No request was sent."


class NotRestorable(CloudError):
    """The backup, point in time or target cannot serve this restore; nothing was started, and the message says so."""

    kind = "not_restorable"
    note = " Nothing was started."


class NotFound(CloudError):
    """The object does not exist in this project and region."""

    kind = "not_found"


class Busy(CloudError):
    """Another operation holds the instance; nothing was started, and the message says so."""

    kind = "busy"
    note = " Nothing was started."


class TransportError(CloudError):
    """No usable HTTP answer. `sent` is False only when it is proved that no byte of the request left."""

    kind = "transport_error"
    transient = True

    def __init__(self, message: str, sent: bool = True, **facts: t.Any) -> None:
        super().__init__(message, **facts)
        self.sent = sent


class TlsError(TransportError):
    """The server's certificate was not accepted; asking again cannot help."""

    kind = "tls_error"
    transient = False


class ProtocolError(CloudError):
    """An answer that is not what the API documents: garbage, HTML, a missing field, a wrong type."""

    kind = "protocol_error"

    def __init__(self, message: str, transient: bool = False, **facts: t.Any) -> None:
        super().__init__(message, **facts)
        self.transient = transient


class NotStarted(CloudError):
    """The request that would have started the operation provably never left, or was throttled until tries ran out."""

    kind = "not_started"


class OperationFailed(CloudError):
    """The cloud ran the operation and it failed."""

    kind = "operation_failed"
    changed = True


class WaitTimeout(CloudError):
    """The operation still runs; the time to wait for it is over."""

    kind = "wait_timeout"
    changed = True


class OutcomeUnknown(CloudError):
    """A request was sent, its answer was lost, and no trace of its effect was found in time. Nothing was repeated."""

    kind = "outcome_unknown"
    changed = True


class ApiError(CloudError):
    """An HTTP error status. `definite` tells that the service itself refused: a 4xx with a JSON object and one of its codes."""

    def __init__(
        self,
        message: str,
        status: int,
        code: str | None,
        definite: bool,
        retry_after: float | None = None,
        **facts: t.Any,
    ) -> None:
        self.kind = classify(status, code)
        super().__init__(message + HINTS.get(self.kind, ""), http_status=status, error_code=code, **facts)
        self.status, self.definite, self.retry_after = status, definite, retry_after
        self.transient = status in (408, 429) or status >= 500 or self.kind == "throttled"


def classify(status: int, code: str | None) -> str:
    """Return the error_kind of an HTTP error: by its code where the code says more than the status."""
    for kind, codes in KINDS.items():
        if code in codes:
            return kind
    return BY_STATUS.get(status) or (
        "server_error" if status >= 500 else "unexpected_redirect" if status < 400 else "rejected"
    )


def parse_error(body: t.Any) -> tuple[str | None, str | None, str | None]:
    """Return (code, message, request id) of an error body in any of the shapes of facts.md 4.13; null where it has none."""
    for level in [body, *(body.values() if isinstance(body, dict) else ())]:
        if not isinstance(level, dict):
            continue
        code = _first(level, "error_code", "errCode", "errorCode", "code")
        message = _first(level, "error_msg", "externalMessage", "errorMsg", "message")
        if code or message:
            return normal_code(code), message, _first(level, "request_id") or _first(body, "request_id")
    return None, None, None


def _first(level: dict[str, t.Any], *names: str) -> str | None:
    return next(
        (str(level[name]) for name in names if isinstance(level.get(name), (str, int)) and level[name] != ""),
        None,
    )


def normal_code(code: str | None) -> str | None:
    """Return one spelling of a code: no blanks, APIG. as APIGW., the legacy 111400017 and 111404022 as DCS.4017 and DCS.3022."""
    if code is None:
        return None
    if re.fullmatch(r"[A-Za-z0-9. ]*", code):  # anything else is no code, and may be a secret with blanks
        code = re.sub(r"^APIG\.", "APIGW.", code.replace(" ", ""))
    legacy = re.fullmatch(r"111(40[01345]|500)(\d{3})", code)
    if legacy:
        family = {"400": "4", "401": "1", "403": "3", "404": "3", "405": "5", "500": "5"}[legacy[1]]
        return "DCS.4001" if code == "111404001" else f"DCS.{family}{legacy[2]}"
    return code
