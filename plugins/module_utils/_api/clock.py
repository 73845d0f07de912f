# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time and chance as a parameter, so that no test sleeps and every schedule can be replayed."""

from __future__ import annotations

import random
import time
import typing as t


class Clock(t.NamedTuple):
    """now() is the calendar (epoch seconds), monotonic() measures deadlines, random() is in [0, 1)."""

    now: t.Callable[[], float] = time.time
    monotonic: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep
    random: t.Callable[[], float] = random.random


class Limit:
    """A limit so many seconds from now.

    The clock that says that more time has passed counts: the monotonic clock stands still while the machine
    is suspended, and the calendar may be set back.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._monotonic, self._now = clock.monotonic(), clock.now()

    def left(self) -> float:
        """Return the seconds that are left, negative ones when the limit is over."""
        return self._seconds - max(self._clock.monotonic() - self._monotonic, self._clock.now() - self._now)

    def over(self) -> bool:
        """Whether more than that time has passed."""
        return self.left() < 0
