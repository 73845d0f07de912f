# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line per change of a wait, and at least one a minute: instance, what is awaited, percentage, elapsed, and an estimate. Private."""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.waiter import Watch

SILENCE, FLEET_PACE = 60.0, 2.0  # seconds: at most between two lines; at least between two of a fleet


class Progress:
    """Called by the waiter after every round with all watches; `say` shows a line."""

    def __init__(self, say: t.Callable[[str], None], quiet: bool = False, monotonic: t.Callable[[], float] = time.monotonic) -> None:
        self._say, self._quiet, self._monotonic = say, quiet, monotonic
        self._last: dict[int, tuple[str, float]] = {}  # what was last said of a watch (or of the fleet: -1), and when
        self._first: dict[int, tuple[float, float]] = {}  # first percentage seen of a watch, and when

    def __call__(self, watches: t.Sequence[Watch]) -> None:
        """Say what is new."""
        if self._quiet or not watches:
            return
        if len(watches) == 1:
            self._tell(0, *self.one(watches[0]))
            return
        for number, watch in enumerate(watches):
            if watch.error is not None and number not in self._last:
                self._tell(number, f"{watch.name}: {watch.error.kind}", "")
        self._tell(-1, *self.fleet(watches), pace=0.0 if all(watch.done for watch in watches) else FLEET_PACE)

    def _tell(self, key: int, what: str, also: str, pace: float = 0.0) -> None:
        before, when = self._last.get(key, ("", -SILENCE))
        since = self._monotonic() - when
        if (what != before and since >= pace) or since >= SILENCE:
            self._last[key] = (what, self._monotonic())
            self._say(f"huaweicloud.recovery: {what}{also}")

    def one(self, watch: Watch) -> tuple[str, str]:
        """Return (what a change is judged by, the rest of the line) for one wait."""
        running = ", ".join(f"{name} {value}" for name, value in watch.ids.items() if name != "instance_id")
        if watch.last is None:
            return f"{watch.name}: {running}", " is accepted, waiting for it"
        state = printable(watch.last.status or "unknown", 40)
        if watch.last.state == "running" and percent(watch.last.progress) == 100:
            state += ", waiting for the instance"
        done = percent(watch.last.progress)
        what = f"{watch.name}: {running} {state}" + (f", {done:g} %" if done is not None else "")
        return what, f", {span(watch.elapsed)} elapsed{self.estimate(0, watch)}"

    def fleet(self, watches: t.Sequence[Watch]) -> tuple[str, str]:
        """Return the same for many waits."""
        ended, failed = sum(watch.done for watch in watches), sum(watch.error is not None for watch in watches)
        running = [percent(watch.last.progress) or 0.0 for watch in watches if not watch.done and watch.last]
        what = f"{ended} of {len(watches)} restores ended ({failed} failed)" + (f", the slowest at {min(running):g} %" if running else "")
        return what, f", {span(max(watch.elapsed for watch in watches))} elapsed"

    def estimate(self, key: int, watch: Watch) -> str:
        """Return ', about 2m10s left' from the speed so far, once there is one."""
        done = percent(watch.last.progress if watch.last else None)
        if done is None or watch.done:
            return ""
        first, when = self._first.setdefault(key, (done, watch.elapsed))
        if done <= first or done >= 100:
            return ""
        return f", about {span((100 - done) * (watch.elapsed - when) / (done - first))} left"


def percent(value: str | None) -> float | None:
    """Return the number in '45.00' or '60%'; null for all that is no percentage."""
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%?", value or "", re.ASCII)
    return float(match[1]) if match and float(match[1]) <= 100 else None


def span(seconds: float) -> str:
    """Return 45s, 2m10s or 1h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60:02d}s" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02d}m"
