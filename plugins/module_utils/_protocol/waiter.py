# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for one or many operations in one loop: probe, confirm, deadline. Time is the Clock's."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    STARTED,
    CloudError,
    NotFound,
    OperationFailed,
    OutcomeUnknown,
    WaitTimeout,
)

CONFIRM = 2.0  # seconds, at most, until a final state is read again
# Seconds for which a record may be missing from its list after it was seen, and before
VANISHED, UNSEEN = 60.0, 180.0
UNMARKED = (
    "the cloud did not keep the marker in the remark, so a later run cannot recognise this operation after "
    "it has ended, and would start it again."
)
LEFT_ALONE = "It was not stopped, and nothing was repeated"


@dataclass(frozen=True)
class Status:
    """One reading: `state` is running, succeeded or failed.

    `status` and `progress` are the API's words, `record` its row, `reason` why it failed or has not ended.
    """

    state: str
    status: str | None
    progress: str | None = None
    record: dict[str, t.Any] = field(default_factory=dict)
    error_code: str | None = None
    reason: str | None = None


@dataclass
class Watch:
    """What to wait for: its `name` for people, and its `ids` for the result (restore_id or job_id).

    observe() reads its Status once.
    """

    name: str
    ids: dict[str, str]
    observe: t.Callable[[], Status]
    last: Status | None = None
    error: CloudError | None = None
    trouble: CloudError | None = None  # why the last observation failed
    done: bool = False
    adopted: bool = False  # whether it was running already, instead of being started now
    elapsed: float = 0.0  # seconds waited
    resume: str = "run the task again to attach to it"  # how a later task goes on waiting
    anew: str = "run the task again to start it once more"  # what to do after it has failed
    due: float = 0.0  # the monotonic time of the next observation
    _seen: float | None = None  # when it was last listed

    def take(self, now: float, started: float, interval: float, random: float) -> None:
        """Observe once and record the consequence.

        That is: done after two equal final readings, an error that ends the wait, or the time of the next
        observation.
        """
        # The members of a fleet must not poll in step, nor more often than asked.
        self.elapsed, gap = now - started, interval * (1 + random / 5)
        try:
            status = self.observe()
        except NotFound as error:
            self.trouble, self.error = error, self._missing(error, now, started)
        except CloudError as error:
            self.trouble = error
            if not error.transient:
                keys = "with working credentials " if error.kind in ("auth_failed", "denied") else ""
                seen = "When last seen it was" if self.last else "It was accepted and is probably"
                hint = f"{seen} still running. {LEFT_ALONE}: {keys}{self.resume}."
                text = f"Waiting for {self.name} stopped: {error} {hint}"
                self.error = error.with_context(text, effect=STARTED, **self.facts())
        else:
            before, self.last, self.trouble, self._seen = self.last, status, None, now
            if status.state != "running":
                gap = min(gap, CONFIRM)
                self.done = before is not None and before.state == status.state
                if self.done and status.state == "failed":
                    self.error = failed(self)
        self.done = self.done or self.error is not None
        self.due = now + gap

    def _missing(self, error: NotFound, now: float, started: float) -> OutcomeUnknown | None:
        """Return the error for a record that is missing for too long, or None."""
        if self._seen is None:
            since, patience, what = started, UNSEEN, "was accepted, but cannot be seen yet"
        else:
            since, patience, what = self._seen, VANISHED, "can no longer be found"
        if now - since < patience:
            return None
        return OutcomeUnknown(
            f"{self.name} {what}: {error} Nothing was repeated. Check the instance before you do "
            f"anything else. When its record is listed, {self.resume}.",
            **self.facts(),
        )

    def facts(self) -> dict[str, t.Any]:
        """Return the IDs, last status and elapsed seconds for a result."""
        last = self.last or Status("running", None)
        return {
            **self.ids,
            "status": last.status,
            "progress": last.progress,
            "elapsed": round(self.elapsed, 1),
        }


def wait_until(
    watches: t.Sequence[Watch],
    timeout: float,
    interval: float,
    clock: Clock,
    progress: t.Callable[[t.Sequence[Watch]], None],
) -> None:
    """Wait until every watch is done, at most `timeout` seconds, and observe each one every `interval`
    seconds.

    The errors are in the watches.
    """
    started = clock.monotonic()
    deadline = started + timeout
    while True:
        for watch in watches:
            # The last observation comes when the time is over.
            if not watch.done and min(watch.due, deadline) <= clock.monotonic():
                watch.take(clock.monotonic(), started, interval, clock.random())
        progress(watches)
        waiting = [watch for watch in watches if not watch.done]
        now = clock.monotonic()
        if not waiting:
            return
        if now >= deadline:
            for watch in waiting:
                # It has ended, but that is not confirmed yet.
                if watch.last is not None and watch.last.state != "running":
                    watch.take(now, started, interval, 0.0)
                if not watch.done:
                    watch.done, watch.elapsed = True, now - started
                    watch.error = timed_out(watch, timeout)
            return
        clock.sleep(max(0.0, min([deadline, *(watch.due for watch in waiting)]) - now))


def failed(watch: Watch) -> OperationFailed:
    """Return the error for an operation that the cloud reports as failed."""
    last = t.cast(Status, watch.last)
    why = f" ({last.error_code})" if last.error_code else ""
    reason = (last.reason or f"the cloud gives no reason, its status is {last.status}").rstrip(".")
    return OperationFailed(
        f"{watch.name} failed{why}: {reason}. Nothing was repeated; check the instance, then {watch.anew}.",
        **{**watch.facts(), "error_code": last.error_code},
    )


def timed_out(watch: Watch, timeout: float) -> WaitTimeout:
    """Return the error for an operation that still runs, or was never seen, when the time is over."""
    after = f"{max(0.0, timeout):.0f} s"
    state = f"could not be seen within {after} ({watch.trouble})"
    if watch.last and watch.trouble:
        state = (
            f"cannot be read any more after {after} ({watch.trouble}); its last known status is "
            f"{watch.last.status}"
        )
    elif watch.last:
        why = f", but {watch.last.reason}" if watch.last.reason else ""
        state = f"is still running after {after} (last status: {watch.last.status}{why})"
    return WaitTimeout(
        f"{watch.name} {state}. {LEFT_ALONE}: {watch.resume}; give a larger wait_timeout if needed.",
        **watch.facts(),
    )
