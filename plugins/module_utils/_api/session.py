# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to the API: signed, sent, decoded within limits. Reads are repeated here; a POST never is."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import codes, retry
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock, Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    UNKNOWN,
    ApiError,
    CloudError,
    ProtocolError,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Request,
    Response,
    Transport,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import http_date

# Bytes of one page, of all pages of a list, and of the response to a POST
READ_CAP, LIST_CAP, POST_CAP = 8 << 20, 32 << 20, 1 << 20
# Seconds for which what was observed allows a POST, from the beginning of the first observation
STALE = 60.0
WARN_SKEW = 60  # seconds that this machine's clock may be off without a warning
# Seconds that the gateway allows (apig-faq-0003)
SIGNING_SKEW = 15 * 60
# Fields that must not occur twice in one object
IDENTITY_FIELDS = {"id", "restore_id", "backup_id", "job_id", "instance_id", "status"}


class Signer(t.Protocol):
    """Signs the requests of a caller."""

    def sign(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request.

        It may fetch a token or keys first. It raises if these are known to be refused.
        """

    def passage(self) -> t.ContextManager[None]:
        """Surround the exchange of the request signed last. It may wait, raise, and add to an error."""

    def renew(self) -> bool:
        """Replace a credential that was refused; False if that is not possible."""


class Reply(t.NamedTuple):
    """A decoded 2xx response. Headers have lower-case names.

    `body` is None for 204, and for a response that says itself that it is empty.
    """

    status: int
    body: t.Any
    headers: dict[str, str]
    request_id: str | None


class Session:
    """Exchanges over one Transport.

    `deadline` (monotonic seconds), once set, bounds every read and its repeats. `not_after` bounds every
    POST: it is how long the observations that allow the POST may be believed, at first those of the plan,
    from the first read on.

    `redactor` redacts every text of a response that an error quotes.
    """

    def __init__(
        self,
        http: Transport,
        clock: Clock,
        http_timeout: float,
        max_retries: int,
        redactor: Redactor,
        warn: t.Callable[[str], None] = lambda text: None,
    ) -> None:
        self._http, self._clock, self._timeout, self._max_retries = http, clock, http_timeout, max_retries
        self._redactor, self._warn = redactor, warn
        self.deadline: float | None = None
        self.not_after: Limit | None = None
        self._listed = 0  # bytes of the list that is being read
        # Seconds by which the server's clock is ahead of this machine's, by its last response
        self._ahead = 0.0

    def server_now(self) -> float:
        """Return the server's time in epoch seconds; this machine's until the server has sent its own."""
        return self._clock.now() + self._ahead

    def read(
        self,
        method: str,
        url: str,
        signer: Signer,
        body: bytes = b"",
        further_page: bool = False,
        known: codes.Codes = codes.GATEWAY,
    ) -> Reply:
        """Send a request that is safe to repeat, and repeat it as retry.delay() and max_retries allow.

        After a 401 it renews the token once. `known` are the codes of the service.
        """
        attempt, renewed = 0, False
        self._listed = self._listed if further_page else 0
        self.not_after = self.not_after or Limit(self._clock, STALE)
        while True:
            try:
                headers = signer.sign(method, url, body)
                request = Request(method, url, headers, body or None, self._left(), READ_CAP)
                return self._exchange(request, signer, known)
            except CloudError as error:
                refused = isinstance(error, ApiError) and error.kind == "auth_failed"
                if refused and not renewed and signer.renew():
                    renewed = True
                    continue
                pause = retry.delay(error, attempt, self._clock.random())
                if pause is None or attempt >= self._max_retries:
                    raise
                if self.deadline is not None and self._clock.monotonic() + pause >= self.deadline:
                    raise
            attempt += 1
            self._clock.sleep(pause)

    def post_once(
        self,
        url: str,
        signer: Signer,
        body: bytes,
        known: codes.Codes = codes.GATEWAY,
    ) -> Reply:
        """Send a request that must not be repeated: once, on a fresh connection, within one deadline.

        It sends nothing once `not_after` is over. The effect of its errors is unknown, unless it is proved
        that the request was not carried out.
        """
        try:
            headers = signer.sign("POST", url, body)
        except CloudError as error:  # a token or keys could not be fetched, or are known to be refused
            raise TransportError(str(error), sent=False, **error.facts).with_context(
                kind=error.kind
            ) from None
        try:
            request = Request("POST", url, headers, body or None, self._timeout, POST_CAP, fresh=True)
            return self._exchange(request, signer, known, self.not_after)
        except CloudError as error:
            raise error.with_context(effect=None if error.definite else UNKNOWN) from None

    def _left(self) -> float:
        left = self._timeout if self.deadline is None else self.deadline - self._clock.monotonic()
        return max(1.0, min(self._timeout, left))

    def _exchange(
        self, request: Request, signer: Signer, known: codes.Codes, not_after: Limit | None = None
    ) -> Reply:
        with signer.passage():
            began, limit = self._clock.monotonic(), Limit(self._clock, request.timeout)

            def may_leave() -> bool:
                return not limit.over() and not (not_after is not None and not_after.over())

            response = self._http(request._replace(may_leave=may_leave))
            return self._reply(request, response, known, self._clock.monotonic() - began)

    def _reply(self, request: Request, response: Response, known: codes.Codes, took: float) -> Reply:
        headers = response.headers
        request_id = self._safe(headers.get("x-request-id") or headers.get("x-iam-trace-id"))
        where = f"{request.method} {request.url.partition('?')[0]}"
        if not 200 <= response.status < 300:
            raise self._error(response, where, request_id, known)
        self._learn_time(response, "X-Sdk-Date" in request.headers, took)
        self._listed += len(response.body)
        if self._listed > LIST_CAP:
            raise ProtocolError(
                f"{where}: the pages of this list are larger than {LIST_CAP >> 20} MiB together; reading "
                "was stopped.",
                transient=False,
                request_id=request_id,
            )
        # Headers that broke off also look like an empty body, but without Content-Length: 0.
        if response.status in (204, 205) or (not response.body and headers.get("content-length") == "0"):
            return Reply(response.status, None, headers, request_id)
        try:
            content = decode(response.body)
        except ProtocolError as error:
            raise ProtocolError(
                f"{where}: {error.args[0].rstrip('.')}{page_title(response.body, self._redactor)}.",
                http_status=response.status,
                request_id=request_id,
            ) from None
        return Reply(response.status, content, headers, request_id)

    def _error(self, response: Response, where: str, request_id: str | None, known: codes.Codes) -> ApiError:
        try:
            content = decode(response.body)
        except ProtocolError:
            content = None
        refusal = codes.parse_error(content)
        status, code = response.status, refusal.code and self._redactor.printable(refusal.code, 64)
        # An empty 401 may be about the keys, and more of those would lock them.
        by_api = isinstance(content, dict) or (status == 401 and not response.body.strip())
        kind = codes.kind_of(status, refusal.code, known, by_api)
        behind = self._behind(response) if status == 401 else None
        skew = round(behind) if behind is not None and abs(behind) > SIGNING_SKEW else None
        text = [f"{where} returned HTTP {status}{self._reason(response, content, refusal, known)}"]
        if 300 <= status < 400:
            text.append(
                "the task follows no redirect, because that would pass on the credentials. Check the endpoint"
            )
        if skew is not None:
            text.append(
                f"clock_skew: this machine's clock differs from the server's by {skew} s; the cloud "
                f"refuses more than {SIGNING_SKEW} s: set the clock"
            )
        advice = [codes.advice(kind, refusal.code, known)]
        if refusal.denial:
            advice.append(
                "An administrator can decode encoded_authorization_message, which the result holds."
            )
        return ApiError(
            " ".join(["; ".join(text) + ".", *filter(None, advice)]),
            status,
            code,
            kind,
            definite=400 <= status < 500 and status != 408 and codes.is_code(refusal.code),
            retry_after=retry.retry_after(response.headers.get("retry-after"), self._clock.now()),
            request_id=request_id or self._safe(refusal.request_id),
            clock_skew_seconds=skew,
            encoded_authorization_message=refusal.denial,
        )

    def _reason(self, response: Response, content: t.Any, refusal: codes.Refusal, known: codes.Codes) -> str:
        """Return what an error response says, for the message after its status."""
        code, message = refusal.code, refusal.message
        meant = codes.known_as(code, known)
        if not code and not message:
            if isinstance(content, dict):
                return " and no reason"
            return f"; the response is not from the API{page_title(response.body, self._redactor)}"
        reason = self._redactor.printable(message or "", 300).rstrip(". ")
        reason = reason or (meant.meaning if meant else "no reason given")
        shown = code and code != str(response.status)  # IAM repeats the status as its code
        return f"{' ' + self._redactor.printable(code, 64) if shown else ''}: {reason}"

    def _safe(self, value: str | None) -> str | None:
        return self._redactor.printable(value, 128) if value else None

    def _behind(self, response: Response) -> float | None:
        """Return how many seconds the server's clock is behind this machine's; None when it sends no time."""
        served = http_date(response.headers.get("date"))
        return None if served is None else self._clock.now() - served

    def _learn_time(self, response: Response, signed: bool, took: float) -> None:
        """Take the server's time from its response to an accepted request; warn if ours is far off.

        The server accepts signatures within 15 minutes of its clock, so a Date that is further away is not
        its own.
        """
        behind = self._behind(response)
        if behind is not None and not (signed and abs(behind) > SIGNING_SKEW):
            self._ahead = -behind
            # The Date may be `took` seconds old.
            off = behind if behind < 0 else max(0.0, behind - took)
            if abs(off) > WARN_SKEW:
                self._warn(
                    f"This machine's clock is {abs(off):.0f} s {'behind' if off < 0 else 'ahead of'} the "
                    "cloud's: set it. The task decides by the cloud's clock, but the cloud refuses requests "
                    f"that are signed with keys when the clocks differ by more than {SIGNING_SKEW} s."
                )


def decode(body: bytes) -> t.Any:
    """Return the JSON of a body.

    Raises ProtocolError for anything but plain JSON: NaN, repeated identity fields, endless nesting.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_refuse,
            parse_int=_int,
            parse_float=_float,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"The response is not usable JSON ({type(error).__name__}).") from None


def page_title(body: bytes, redactor: Redactor) -> str:
    """Return ' (a page titled ...)' when the body is HTML, to show which proxy responded."""
    text = redactor.redact(body.decode("utf-8", "replace"))[:20000]
    found = re.search("<title[^>]*>([^<]{1,200})", text, re.IGNORECASE)
    return f" (a page titled {redactor.printable(found[1].strip(), 80)!r})" if found else ""


def _refuse(constant: str) -> t.NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _int(digits: str) -> int:
    return int(digits) if len(digits) <= 40 else _refuse("a number of that length")


def _float(digits: str) -> float:
    value = float(digits)
    return value if abs(value) < 1e300 else _refuse(digits[:20])


def _object(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, dummy in pairs]
        if any(names.count(name) > 1 for name in IDENTITY_FIELDS.intersection(names)):
            raise ValueError("an identity field occurs twice")
    return found
