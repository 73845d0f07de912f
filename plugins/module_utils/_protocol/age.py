# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The age of a record by the cloud's own clock, and whether it is certainly stuck."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import SKEW

STUCK = 86_400_000  # ms: backups and restores take minutes, 30 as documented, hours for the largest


def in_words(milliseconds: int) -> str:
    """Return an age as '5 minutes', '3 hours' or '20 days'."""
    seconds = max(0, milliseconds) // 1000
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s"
    return f"{seconds} seconds"


def is_stuck(created: int | None, now: int) -> bool:
    """Whether an unfinished record is too old to be running. Both times are in epoch ms.

    A record without a readable time does not count as stuck.
    """
    return created is not None and now - created > STUCK


def just_now(ended: int | None, now: int) -> bool:
    """Whether something ended so recently that its instance may still be busy with it.

    Both times are in epoch ms. If the time cannot be read, it may be recent.
    """
    return ended is None or now - ended <= SKEW
