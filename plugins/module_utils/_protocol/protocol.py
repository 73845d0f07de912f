# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The at-most-once protocol of every restore, recovery and backup: preflight, send once, reconcile, adopt,
refuse.

Decisions are pure functions of observations. start() is the only driver, and the only code that sends a POST
that changes something. The guide "What happens when..." explains the same to people.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import retry, session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import error_in
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    NONE,
    UNKNOWN,
    ApiError,
    Busy,
    CloudError,
    NotStarted,
    OutcomeUnknown,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
    Row,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.search import (
    Search,
    find_effects,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import (
    Status,
    Watch,
)

# Seconds of search for the effect after a lost response, and after a busy code
WINDOW, BUSY_WINDOW = 180.0, 60.0
FRESH = 30.0  # seconds that an observation may take to be believed
RESTLESS = 6  # how many observations may differ from the one before until start() gives up


@dataclass(frozen=True)
class Started:
    """The operation that runs, and whether this run found it or started it."""

    id: str
    adopted: bool
    record: Row | None = field(default=None, compare=False)  # its status in the observation that found it


@dataclass
class Attempts:
    """What was tried within one start."""

    failed: int = 0  # POSTs that certainly had no effect
    renewed: bool = False  # whether the token was renewed


def decide(observed: Observation) -> str:
    """Return the decision after a preflight: adopt, unchanged, refuse or send."""
    if observed.running:
        return "adopt"
    if observed.done is not None:
        return "unchanged"
    return "refuse" if observed.blocked else "send"


def fate(error: CloudError) -> str:
    """Return what a failed POST means: not_sent, later, refused, busy or unknown.

    later: the gateway refused it unread. unknown: everything that is not proved.
    """
    if not error.definite:
        return "unknown"
    if isinstance(error, TransportError):
        return "not_sent"
    if error.kind in ("throttled", "auth_failed"):
        return "later"
    return "busy" if error.kind == "busy" else "refused"


def start(operation: Operation, planned: Observation, cloud: Cloud, timeout: float) -> Started:
    """Run the protocol until an operation is known to run; `planned` is the observation behind the plan.

    Raises refusals and NotStarted (nothing was started), and OutcomeUnknown (sent, but no conclusive response
    and no record in time). `timeout` is in seconds.
    """
    deadline = cloud.session.deadline = cloud.clock.monotonic() + timeout
    previous, attempts = planned, Attempts()
    while True:
        observed = preflight(operation, previous, cloud)
        if decide(observed) != "send":
            return found_by(operation, observed, observed.running or (t.cast(str, observed.done),), NONE)
        sent_at = cloud.session.server_now()
        try:
            reply = operation.post()
        except CloudError as error:
            if fate(error) in ("unknown", "busy"):
                return reconcile(operation, observed, error, sent_at, cloud, deadline)
            cloud.may_have_changed = False  # It is proved that it changed nothing.
            previous, operation = observed, before_next(operation, error, attempts, cloud, deadline)
            continue
        found = reply.body.get(operation.id_key) if isinstance(reply.body, dict) else None
        if is_id(found) and found not in observed.records:  # What was there before is not what we started.
            return Started(t.cast(str, found), adopted=False)
        return reconcile(operation, observed, without_id(operation, reply), sent_at, cloud, deadline)


def preflight(operation: Operation, previous: Observation, cloud: Cloud) -> Observation:
    """Observe until two observations agree, both in time: only then is an absent record believed.

    A restore may begin and end after the first of them, so the time of both is the first one's:
    session.not_after. Raises the refusal.
    """
    for _dummy in range(RESTLESS):
        first, quick = cloud.session.not_after, Limit(cloud.clock, FRESH)
        begun = Limit(cloud.clock, session.STALE)
        observed = operation.observe()
        step = decide(observed)
        if step == "refuse":
            raise operation.refusal(observed)
        if step != "send":
            return observed
        if observed.state == previous.state and first and not (quick.over() or first.over()):
            return observed
        previous, cloud.session.not_after = observed, begun
    raise Busy(
        f"{operation.name}: the records of the instance keep changing, or the cloud returns them too slowly. "
        "Run the task again when nothing else works on the instance."
    )


def before_next(
    operation: Operation, error: CloudError, attempts: Attempts, cloud: Cloud, deadline: float
) -> Operation:
    """Return the operation to send after a POST that certainly had no effect, when it may be tried again.

    It renews the token once, else waits. Raises the refusal, or NotStarted when no tries or time are left.
    """
    if fate(error) == "refused":
        other = operation.amended(error)
        if other is None:
            raise refused(operation, error) from None
        return other
    if error.kind == "auth_failed" and not attempts.renewed and cloud.renew():
        attempts.renewed = True
        return operation
    pause = retry.delay(error, attempts.failed, cloud.clock.random())
    attempts.failed += 1
    if (
        pause is None
        or attempts.failed > cloud.settings.get("max_retries", 5)
        or cloud.clock.monotonic() + pause >= deadline
    ):
        if isinstance(error, ApiError) or not error.transient:
            raise refused(operation, error)
        raise NotStarted(
            f"{operation.name} was not started: {error} The request could not be sent in {attempts.failed} "
            "tries. Run the task again when the cloud can be reached.",
            **error.facts,
        )
    cloud.clock.sleep(pause)
    return operation


def without_id(operation: Operation, reply: Reply) -> CloudError:
    """Return the error for a success that names no new ID."""
    return CloudError(
        f"it returned HTTP {reply.status} without a new and valid {operation.id_key}{error_in(reply.body)}",
        http_status=reply.status,
        request_id=reply.request_id,
    )


def reconcile(
    operation: Operation,
    before: Observation,
    cause: CloudError,
    sent_at: float,
    cloud: Cloud,
    deadline: float,
) -> Started:
    """Search for the effect of a POST without a conclusive response, or with a busy code.

    It never leads to a second POST.
    """
    clock, was_busy = cloud.clock, fate(cause) == "busy"
    search = Search(operation, before, cause, sent_at, cloud.region)
    window, pause = clock.monotonic() + (BUSY_WINDOW if was_busy else WINDOW), 0.5
    # Minutes can go by, and there is no ID to name.
    cloud.progress([Watch(operation.name, {}, lambda: Status("running", None))])
    while True:
        previous, observed, idle = search.last, None, False
        try:
            observed = operation.observe()
            search.saw(observed, cloud.session.server_now())
        except CloudError as error:
            search.failed(error, cloud.session.server_now())
            if not error.transient:
                raise search.unknown(f" The search failed: {error}") from None
        if observed is not None:
            found = find_effects(before, previous or before, observed, sent_at)
            if found:
                return found_by(operation, observed, found, UNKNOWN)
            if was_busy and observed.blocked and observed.explained:
                raise operation.refusal(observed, cause)
            if was_busy and previous and not (previous.blocked or observed.blocked or search.began()):
                if previous.state == observed.state:  # twice in a row: one status can be old
                    raise operation.refusal(observed, cause)
                idle = True
        now = clock.monotonic()
        # While the instance is at work, our record may still appear.
        waiting_helps = observed and observed.blocked and not was_busy
        if now >= deadline or (now >= window and not waiting_helps):
            if observed and idle:
                raise operation.refusal(observed, cause)
            raise search.unknown()
        clock.sleep(max(0.0, min(pause, deadline - now)))
        pause = min(pause * 1.5, 10.0)


def found_by(operation: Operation, observed: Observation, found: t.Sequence[str], effect: str) -> Started:
    """Return the operation that an observation has found, to be adopted."""
    one = only(operation, found, effect)
    return Started(one, adopted=True, record=observed.record(one))


def only(operation: Operation, found: t.Sequence[str], effect: str = NONE) -> str:
    """Return the one ID that was found. Raises for several, because nothing tells which is ours.

    `effect` is what this run may have caused so far.
    """
    if len(found) == 1:
        return found[0]
    error = OutcomeUnknown(
        f"{operation.name}: the cloud lists {len(found)} operations that match it ({', '.join(found)}), but "
        "only one was expected. Nothing was repeated. Wait until they have ended, and check the instance in "
        "the console.",
        found=list(found),
    )
    kind = "duplicate_detected" if operation.marked else None
    raise error.with_context(kind=kind, effect=effect)


def refused(operation: Operation, error: CloudError) -> CloudError:
    """Return the cloud's own refusal, with the name of the operation."""
    note = "Nothing was changed."
    return error.with_context(f"{operation.name} was not started: {error} {note}", note=note)
