# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The age of a record by the cloud's own clock, whether it is certainly stuck, and how long others took."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import DAY, moment

CLOUD_SKEW = 120_000  # ms by which two clocks of the cloud may differ
STUCK = DAY  # backups and restores take minutes, 30 as documented, hours for the largest


def in_words(seconds: float) -> str:
    """Return 45 s, 18 min, 10 h 20 min or 12 days 3 h. It rounds up, so that no loss looks smaller."""
    whole = max(0, math.ceil(seconds))
    minutes, hours = math.ceil(whole / 60), math.ceil(whole / 3600)
    if whole < 120:
        return f"{whole} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{hours // 24} days" + (f" {hours % 24} h" if hours % 24 else "")


def age(created: int | None, now: int) -> str | None:
    """Return the age of a record in words, or None. Both times are in epoch ms."""
    return None if created is None else in_words((now - created) / 1000)


def is_stuck(created: int | None, now: int) -> bool:
    """Whether an unfinished record is too old to be running. Both times are in epoch ms.

    A record without a readable time does not count as stuck.
    """
    return created is not None and now - created > STUCK


def ended_recently(ended: int | None, now: int) -> bool:
    """Whether something ended so recently that its instance may still be busy with it.

    Both times are in epoch ms. If the time cannot be read, it may be recent.
    """
    return ended is None or now - ended <= CLOUD_SKEW


def seconds_of_newest(spans: t.Iterable[tuple[t.Any, t.Any]]) -> int | None:
    """Return how many seconds the newest of some operations took, or None if that cannot be read.

    A span has the times at which an operation began and ended, as the API writes them.
    """
    read = [(moment(begun), moment(ended)) for begun, ended in spans]
    known = [
        (begun, ended) for begun, ended in read if begun is not None and ended is not None and ended >= begun
    ]
    newest = max(known, key=lambda span: span[0], default=None)
    return None if newest is None else (newest[1] - newest[0]) // 1000
