# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong. Every error becomes a task result through details().

    CloudError                effect    kind
    |-- InvalidArgument       none      invalid_argument    the input cannot be right; no request was sent
    |   `-- RefutedArgument   none      invalid_argument    what was read shows so; nothing was started
    |-- NotRestorable         none      not_restorable      the backup, time or target cannot be used
    |-- NotFound              none      not_found           no such object in this project and region
    |-- Busy                  none      busy                another operation holds the instance
    |-- NotStarted            none      not_started         the request that starts it was never sent
    |-- TransportError        none *    transport_error     no usable HTTP response
    |   `-- TlsError          none *    tls_error           the server's certificate was not accepted
    |-- ProtocolError         none *    protocol_error      a response that the API does not document
    |-- ApiError              none *    by status and code  an HTTP error status
    |-- OperationFailed       started   operation_failed    the cloud ran the operation, and it failed
    |-- WaitTimeout           started   wait_timeout        the time to wait is over
    `-- OutcomeUnknown        unknown   outcome_unknown     sent, and its effect cannot be seen

`effect` is what the call that failed may have caused: none, started or unknown. A starred class is raised by
reads and by the POST that starts an operation; Session.post_once() says `unknown` where the POST may have
been carried out.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable

NONE, STARTED, UNKNOWN = "none", "started", "unknown"  # the effects
E = t.TypeVar("E", bound="CloudError")


class CloudError(Exception):
    """A failure with a stable `kind`.

    `facts` are further keys of the task result (IDs, codes, last status), null ones left out.

    `note` ends every message of the class and says what was not done. When it is None, the runner says so.
    """

    kind = "error"
    effect = NONE
    note: str | None = None
    transient = False  # whether the same *read* may succeed when it is repeated
    definite = False  # whether it is proved that the request was not carried out

    def __init__(self, message: str, **facts: t.Any) -> None:
        super().__init__(printable(f"{message} {self.note}" if self.note else message))
        self.facts = facts

    @property
    def changed(self) -> bool:
        """Whether the task counts as one that changed something."""
        return self.effect != NONE

    def details(self) -> dict[str, t.Any]:
        """Return the keys of the failed task besides msg."""
        known = {key: value for key, value in self.facts.items() if value is not None}
        return {"error_kind": self.kind, "changed": self.changed, **known}

    def with_context(
        self: E,
        message: str | None = None,
        *,
        kind: str | None = None,
        effect: str | None = None,
        note: str | None = None,
        **facts: t.Any,
    ) -> E:
        """Return a copy with another message, kind or effect, and further facts, which override its own.

        `note` names the sentence of the new message that says what was not done.
        """
        copy = type(self).__new__(type(self), *(self.args if message is None else (printable(message),)))
        given = {"kind": kind, "effect": effect, "note": note}
        vars(copy).update(vars(self), **{name: value for name, value in given.items() if value is not None})
        copy.facts = {**self.facts, **facts}
        return copy


class InvalidArgument(CloudError):
    """The input cannot be right; no request was sent, and the message says so."""

    kind = "invalid_argument"
    note = "No request was sent."


class RefutedArgument(InvalidArgument):
    """What was read shows that the input cannot be right; nothing was started, and the message says so."""

    note = "Nothing was started."


class NotRestorable(CloudError):
    """The backup, time or target cannot be used; nothing was started, and the message says so."""

    kind = "not_restorable"
    note = "Nothing was started."


class NotFound(CloudError):
    """The object does not exist in this project and region.

    `by_service`: the service itself says so, with a code of its own.
    """

    kind = "not_found"

    def __init__(self, message: str, by_service: bool = False, **facts: t.Any) -> None:
        super().__init__(message, **facts)
        self.by_service = by_service


class Busy(CloudError):
    """Another operation holds the instance; nothing was started, and the message says so."""

    kind = "busy"
    note = "Nothing was started."


class NotStarted(CloudError):
    """The request that starts the operation was provably never sent, or was throttled to the last try."""

    kind = "not_started"


class TransportError(CloudError):
    """No usable HTTP response. `sent` is False only if it is proved that no byte of the request was sent."""

    kind = "transport_error"

    def __init__(self, message: str, sent: bool = True, transient: bool = True, **facts: t.Any) -> None:
        super().__init__(message, **facts)
        self.sent, self.definite, self.transient = sent, not sent, transient


class TlsError(TransportError):
    """The server's certificate was not accepted; another try cannot help."""

    kind = "tls_error"

    def __init__(self, message: str, sent: bool = True, **facts: t.Any) -> None:
        super().__init__(message, sent, transient=False, **facts)


class ProtocolError(CloudError):
    """A response that is not as the API documents it: garbage, HTML, a missing field, a wrong type."""

    kind = "protocol_error"

    def __init__(self, message: str, transient: bool = True, **facts: t.Any) -> None:
        super().__init__(message, **facts)
        self.transient = transient


class ApiError(CloudError):
    """An HTTP error status.

    `definite`: the service itself refused, with a 4xx, a JSON object and one of its codes.

    `kind` is what the status and the code mean (codes.kind_of), `retry_after` in seconds.
    """

    def __init__(
        self,
        message: str,
        status: int,
        code: str | None,
        kind: str,
        definite: bool = False,
        retry_after: float | None = None,
        **facts: t.Any,
    ) -> None:
        super().__init__(message, http_status=status, error_code=code, **facts)
        self.status, self.kind, self.definite, self.retry_after = status, kind, definite, retry_after
        self.transient = status in (408, 429) or status >= 500 or kind == "throttled"


class OperationFailed(CloudError):
    """The cloud ran the operation and it failed."""

    kind = "operation_failed"
    effect = STARTED


class WaitTimeout(CloudError):
    """The operation still runs, or could not be seen; the time to wait for it is over."""

    kind = "wait_timeout"
    effect = STARTED


class OutcomeUnknown(CloudError):
    """A request was sent, and its effect cannot be seen. Nothing was repeated."""

    kind = "outcome_unknown"
    effect = UNKNOWN
