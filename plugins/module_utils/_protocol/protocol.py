# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The at-most-once protocol of both restores and of the backup: preflight, send once, reconcile, adopt, refuse.

Decisions are pure functions of what was seen; start() is the one driver, and the only code that sends a POST that changes something.
docs/docsite/rst "What happens when..." says the same for people.
"""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import retry
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    Busy,
    CloudError,
    NotStarted,
    OutcomeUnknown,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id, iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import (
    Status,
    Watch,
    wait_until,
)

WINDOW, BUSY_WINDOW = (
    180.0,
    60.0,
)  # seconds in which the effect is looked for after a lost answer, and after a busy code
REMARK_LENGTH, MARK_LENGTH = 128, 34  # DCS.4098; " [rst1:" + 26 + "]"
FRESH = 30.0  # seconds that a look may take and still be believed when the request is sent
RESTLESS = 6  # looks that may differ from the one before until the send is given up


def mark(**operation: str | None) -> str:
    """Return the mark written into a remark: the same for the same operation on any controller, so that a later run finds it.

    Without the region: a project lies in one only, and a run need not be told which.
    """
    canonical = json.dumps(
        {"version": 1, **operation}, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return f"[rst1:{base64.b32encode(hashlib.sha256(canonical.encode()).digest()).decode()[:26]}]"


@dataclass(frozen=True)
class Seen:
    """One look at the cloud in the protocol's terms."""

    running: tuple[str, ...] = ()  # ids of unfinished operations that a run with these parameters attaches to
    done: str | None = None  # id of the finished operation that is already all that this run wants
    blocked: str | None = None  # why nothing can be started now, in words
    explained: bool = True  # whether what blocks is plainly somebody else's
    own: frozenset[str] = (
        frozenset()
    )  # ids that can only be this operation's, when new (DCS: they carry its mark; DDM: restore jobs of the pair)
    known: frozenset[str] = frozenset()  # every id of this kind
    state: t.Hashable = None  # what two looks must agree on before absence is believed


class Operation(t.Protocol):
    """What start() needs to know of one kind of operation."""

    @property
    def name(self) -> str:
        """The operation, for people."""

    @property
    def id_name(self) -> str:
        """The key of its id: restore_id, backup_id or job_id."""

    def look(self) -> Seen:
        """Read the evidence once."""

    def post(self) -> Reply:
        """Send the one POST."""

    def watch(self, found: str) -> Watch:
        """Return how to wait for the operation with this id."""


@dataclass(frozen=True)
class Started:
    """The operation that runs, and whether it was found rather than started by this run's own answer."""

    id: str
    adopted: bool


def decide(seen: Seen) -> str:
    """Return what a preflight look calls for: adopt, unchanged, refuse or send."""
    if seen.running:
        return "adopt"
    if seen.done is not None:
        return "unchanged"
    return "refuse" if seen.blocked else "send"


def fate(error: CloudError) -> str:
    """Return what a failed POST means: not_sent, later (the gateway refused it unread), refused, busy, or unknown - all that is not proved."""
    if isinstance(error, TransportError):
        return "not_sent" if not error.sent else "unknown"
    if not isinstance(error, ApiError) or not error.definite:
        return "unknown"
    if error.kind in ("throttled", "auth_failed"):
        return "later"
    return "busy" if error.kind == "busy" else "refused"


def effect(before: Seen, now: Seen) -> tuple[str, ...]:
    """Return the ids that this operation can have brought about since `before`: new ones of its own, else a running one to attach to."""
    return tuple(sorted(now.own - before.known)) or now.running


def start(operation: Operation, planned: Seen, cloud: Cloud, timeout: float) -> Started:
    """Run the protocol to an operation that is known to run; `planned` is the look that the plan was made from.

    Raises Busy, NotStarted and refusals (nothing was started), OutcomeUnknown (sent, answer lost, no trace in time). `timeout` in seconds.
    """
    clock, attempt, restless, renewed, previous = cloud.clock, 0, 0, False, planned
    deadline = cloud.session.deadline = clock.monotonic() + timeout
    while True:
        began, seen = clock.monotonic(), operation.look()
        step = decide(seen)
        if step in ("adopt", "unchanged"):
            return Started(only(operation, seen.running or (t.cast(str, seen.done),)), adopted=True)
        if step == "refuse":
            raise busy(operation, seen)
        if (
            seen.state != previous.state or clock.monotonic() - began > FRESH
        ):  # absence is believed only after two equal looks, the last one quick
            previous, restless = seen, restless + 1
            if restless >= RESTLESS:
                raise Busy(
                    f"{operation.name}: the records of the instance keep changing or are read too slowly. Run the task again when it is quiet."
                )
            continue
        sent_at = clock.now()
        try:
            reply = operation.post()
        except CloudError as error:
            meaning = fate(error)
            if meaning == "refused":
                raise refused(operation, error) from None
            if meaning in ("unknown", "busy"):
                return reconcile(operation, seen, error, sent_at, cloud, deadline)
            previous, cloud.posted = seen, False  # proved: it changed nothing
            if error.kind == "auth_failed" and not renewed and cloud.renew():
                renewed = True
                continue
            clock.sleep(later(operation, error, attempt, cloud, deadline))
            attempt += 1
            continue
        found = reply.body.get(operation.id_name) if isinstance(reply.body, dict) else None
        if is_id(found):
            return Started(t.cast(str, found), adopted=False)
        lost = CloudError(
            f"it answered HTTP {reply.status} without a valid {operation.id_name}",
            http_status=reply.status,
            request_id=reply.request_id,
        )
        return reconcile(operation, seen, lost, sent_at, cloud, deadline)


def later(operation: Operation, error: CloudError, attempt: int, cloud: Cloud, deadline: float) -> float:
    """Return the seconds until the preflight is repeated after a POST that had no effect for sure. Raises when tries or time are out."""
    pause = retry.delay(error, attempt, cloud.clock.random())
    if (
        pause is None
        or attempt >= cloud.settings.get("max_retries", 5)
        or cloud.clock.monotonic() + pause >= deadline
    ):
        if isinstance(error, ApiError) or not error.transient:
            raise refused(operation, error)
        raise NotStarted(
            f"{operation.name} was not started: {error} The request never left, in {attempt + 1} tries. Run the task again when the cloud can be reached.",
            **error.facts,
        )
    return pause


def reconcile(
    operation: Operation, before: Seen, cause: CloudError, sent_at: float, cloud: Cloud, deadline: float
) -> Started:
    """Look for the effect of a POST whose answer was lost or was a busy code. It never leads to a second POST."""
    clock, was_busy = cloud.clock, fate(cause) == "busy"
    window, pause, looks = clock.monotonic() + (BUSY_WINDOW if was_busy else WINDOW), 0.5, 0
    previous: Seen | None = None
    cloud.progress(
        [Watch(operation.name, {}, lambda: Status("running", None))]
    )  # minutes can go by; there is no id to name
    while True:
        seen = None
        try:
            seen, looks = operation.look(), looks + 1
            found = effect(before, seen)
            if found:
                return Started(only(operation, found), adopted=True)
            quiet = previous is not None and previous.state == seen.state
            if was_busy and ((seen.blocked and seen.explained) or (quiet and not seen.blocked)):
                raise busy(operation, seen, cause)
        except (Busy, OutcomeUnknown):  # our own conclusions
            raise
        except CloudError as error:
            if not error.transient:
                raise unknown(operation, cause, sent_at, looks, f" Looking for it failed: {error}") from None
        previous, now = seen or previous, clock.monotonic()
        waiting_helps = (
            seen is not None and seen.blocked is not None and not was_busy
        )  # the instance is at work: our record may still appear
        if now >= deadline or (now >= window and not waiting_helps):
            if was_busy and seen is not None and (seen.explained or not seen.blocked):
                raise busy(operation, seen, cause)
            raise unknown(operation, cause, sent_at, looks, "")
        clock.sleep(max(0.0, min(pause, deadline - now)))
        pause = min(pause * 1.5, 10.0)


def only(operation: Operation, found: t.Sequence[str]) -> str:
    """Return the one id found; several are nobody's to choose from."""
    if len(found) == 1:
        return found[0]
    error = OutcomeUnknown(
        f"{operation.name}: {len(found)} operations of this kind are there ({', '.join(found)}), one was expected. Nothing was repeated; look at the instance.",
        found=list(found),
    )
    error.kind = "duplicate_detected" if operation.id_name != "job_id" else error.kind
    raise error


def busy(operation: Operation, seen: Seen, cause: CloudError | None = None) -> Busy:
    """Return the refusal while something else holds the instance."""
    why = seen.blocked or "the cloud reports another operation"
    answer = f" The cloud's answer: {cause}" if cause else ""
    return Busy(
        f"{operation.name} was not started: {why}.{answer} Run the task again when that has ended.",
        **(cause.facts if cause else {}),
    )


def refused(operation: Operation, error: CloudError) -> CloudError:
    """Return the cloud's own refusal with what it was about."""
    error.args = (f"{operation.name} was not started: {error} Nothing was changed.",)
    return error


def unknown(operation: Operation, cause: CloudError, sent_at: float, looks: int, also: str) -> OutcomeUnknown:
    """Return the error that says what was sent, when, what was looked at, and the two safe next steps."""
    when = iso(int(sent_at * 1000))
    return OutcomeUnknown(
        f"{operation.name}: the request was sent at {when}, its answer was lost ({cause}) and no trace of it was found in {looks} looks.{also} "
        "Nothing was repeated. Safe next steps: run the same task again in a few minutes, it attaches to what it finds; "
        "or look at the instance's records in the console.",
        **{**cause.facts, "sent_at": when, "looks": looks},
    )


def carry_out(
    operation: Operation, planned: Seen, cloud: Cloud, params: t.Mapping[str, t.Any]
) -> tuple[Started, Status | None]:
    """Start or adopt, then wait when params['wait']; return both. Every error from here on carries the id of what runs."""
    now, timeout = cloud.clock.monotonic(), params["wait_timeout"]
    begun = (cloud.session.deadline or now + timeout) - timeout  # when the task began
    started = start(operation, planned, cloud, timeout - (now - begun))
    watched = operation.watch(started.id)
    cloud.progress([watched])
    if not params["wait"]:
        cloud.session.deadline = None
        return started, None
    return started, wait_for(watched, cloud, params, begun)


def wait_for(watch: Watch, cloud: Cloud, params: t.Mapping[str, t.Any], begun: float | None = None) -> Status:
    """Wait for one watch as wait_timeout (from `begun`) and poll_interval say; raise its error or return its last status."""
    clock = cloud.clock
    left = params["wait_timeout"] - (clock.monotonic() - begun if begun is not None else 0.0)
    cloud.session.deadline = clock.monotonic() + left
    wait_until([watch], left, params["poll_interval"], clock, cloud.progress)
    cloud.session.deadline = None
    if watch.error is not None:
        raise watch.error
    return t.cast(Status, watch.last)
