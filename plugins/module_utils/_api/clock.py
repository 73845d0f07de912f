# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time and chance as a parameter, so that no test sleeps and every schedule can be replayed."""

from __future__ import annotations

import random
import time
import typing as t


class Clock(t.NamedTuple):
    """now() is the calendar (seconds since the epoch), monotonic() measures deadlines, random() is in [0, 1)."""

    now: t.Callable[[], float] = time.time
    monotonic: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep
    random: t.Callable[[], float] = random.random
