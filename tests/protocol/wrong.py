# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients that are wrong on purpose: the real one without one part, or with a common mistake.

The schedules must catch each of them, and so must the exploration within its bound.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import typing as t
from unittest import mock

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    NotStarted,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply, Session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import protocol, run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import Observation
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import (
    backup as dcs_backup,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import choice
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import (
    readiness as dcs_readiness,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import (
    restore as dcs_restore,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import (
    metadata as ddm_metadata,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import (
    may_be_metadata,
)
from ansible_collections.huaweicloud.recovery.plugins.modules import dcs_restore as dcs_restore_module

Client = t.Callable[[], t.ContextManager[t.Any]]
post_once, decide, fate = Session.post_once, protocol.decide, protocol.fate


@contextlib.contextmanager
def real() -> t.Iterator[None]:
    """The real client."""
    yield


def repeating(again: t.Callable[[CloudError], bool], pause: float, times: int) -> Client:
    """A client that sends the POST again after the errors that again() names."""

    def post(self: Session, *request: t.Any) -> Reply:
        for left in reversed(range(times)):
            try:
                return post_once(self, *request)
            except CloudError as error:
                if not left or not again(error):
                    raise
                self._clock.sleep(pause)
        raise AssertionError

    return lambda: mock.patch.object(Session, "post_once", post)


def _broken(error: CloudError) -> bool:
    return isinstance(error, TransportError)


def _server_error(error: CloudError) -> bool:
    return isinstance(error, ApiError) and error.status >= 500


def _busy(error: CloudError) -> bool:
    return isinstance(error, ApiError) and error.kind == "busy"


@contextlib.contextmanager
def without_marker() -> t.Iterator[None]:
    """It writes no marker that a later run can find."""
    count = itertools.count()

    def marker(**operation: str | None) -> str:
        return f"[rst1:{next(count):026}]"

    with contextlib.ExitStack() as stack:
        for module in (dcs_restore, dcs_backup):
            stack.enter_context(mock.patch.object(module, "marker", marker))
        yield


def without_reconcile() -> t.ContextManager[t.Any]:
    """It treats every error as a failure, and does not search."""

    def give_up(*whatever: t.Any) -> t.NoReturn:
        raise NotStarted("The response was an error.")

    return mock.patch.object(protocol, "reconcile", give_up)


@contextlib.contextmanager
def adopting_nothing() -> t.Iterator[None]:
    """It ignores what is running."""

    def blind(observed: Observation) -> str:
        return "send" if decide(observed) == "adopt" else decide(observed)

    with contextlib.ExitStack() as stack:
        for module in (protocol, run):
            stack.enter_context(mock.patch.object(module, "decide", blind))
        stack.enter_context(mock.patch.object(protocol, "find_effects", lambda *observations: ()))
        yield


def taking_breaks_for_refusals() -> t.ContextManager[t.Any]:
    """It observes again before it sends again, but it does send again."""
    return mock.patch.object(protocol, "fate", lambda error: "not_sent" if _broken(error) else fate(error))


def done_by_the_record() -> t.ContextManager[t.Any]:
    """It believes the record, and never checks whether the instance serves."""
    return mock.patch.object(dcs_readiness, "obstacle", lambda instance: None)


def taking_old_for_new() -> t.ContextManager[t.Any]:
    """It takes a record that a list had left out for new, and for its own."""

    def new(before: Observation, _dummy: Observation, now: Observation, sent_at: float) -> tuple[str, ...]:
        return tuple(sorted(now.own - before.records.keys())) or now.running

    return mock.patch.object(protocol, "find_effects", new)


@contextlib.contextmanager
def by_the_controllers_clock() -> t.Iterator[None]:
    """It takes the newest backup that is not in the future by the calendar of its own machine."""
    known, plan, latest = threading.local(), dcs_restore.plan, choice.latest_backup

    def planned(cloud: t.Any, params: dict[str, t.Any]) -> t.Any:
        known.now = cloud.clock.now
        return plan(cloud, params)

    def newest(backups: t.Sequence[dict[str, t.Any]], now: int, about: str) -> choice.Choice:
        past = [row for row in backups if (moment(row["created_at"]) or 0) <= known.now() * 1000]
        return latest(past, now, about)

    with (
        mock.patch.object(dcs_restore_module, "plan", planned),
        mock.patch.object(choice, "latest_backup", newest),
    ):
        yield


def taking_any_job() -> t.ContextManager[t.Any]:
    """It takes every new job whose name nobody documents for its recovery of metadata."""
    return mock.patch.object(ddm_metadata, "is_metadata", may_be_metadata)


def sending_late() -> t.ContextManager[t.Any]:
    """It is delayed between its last observation and the request."""

    def post(self: Session, url: str, signer: t.Any, body: bytes, *more: t.Any) -> Reply:
        self._clock.sleep(200.0)
        return post_once(self, url, signer, body)

    return mock.patch.object(Session, "post_once", post)


def observing_once() -> t.ContextManager[t.Any]:
    """It sends when the plan found nothing, and does not observe again."""
    return mock.patch.object(protocol, "preflight", lambda operation, previous, cloud: previous)


WRONG: dict[str, Client] = {
    "post_again_on_5xx": repeating(_server_error, 1.0, 4),
    "busy_then_post": repeating(_busy, 10.0, 60),
    "no_marker": without_marker,
    "no_reconcile": without_reconcile,
    "transport_retries": repeating(_broken, 0.5, 4),
    "adopt_nothing": adopting_nothing,
    "observe_then_post_again": taking_breaks_for_refusals,
    "done_by_the_record": done_by_the_record,
    "old_job_is_mine": taking_old_for_new,
    "any_job_is_mine": taking_any_job,
    "controllers_clock_decides": by_the_controllers_clock,
    "send_after_the_deadline": sending_late,
    "one_observation": observing_once,
    # what ordinary retry code does
    "ordinary": repeating(lambda error: _broken(error) or _server_error(error) or _busy(error), 10.0, 60),
}
