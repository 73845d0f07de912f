# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a *read* may be repeated, and after how many seconds.

Pure: nothing here sends or sleeps, and no POST is ever considered.
"""

from __future__ import annotations

import re

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ApiError, CloudError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import http_date

BASE, CEILING, LONGEST_WAIT = 0.5, 16.0, 60.0  # seconds


def delay(error: CloudError, attempt: int, random: float) -> float | None:
    """Return the seconds to wait before the next try of a read; None when there must be none.

    `attempt` counts the tries from 0. A Retry-After counts, but not one of 0 or in the past, which would use
    up all tries at once. Otherwise it is between half and all of 0.5, 1, 2 ... 16 s, by `random` in [0, 1).
    """
    if not error.transient:
        return None
    if isinstance(error, ApiError) and error.retry_after:
        return error.retry_after
    return min(CEILING, BASE * 2.0 ** min(attempt, 30)) * (0.5 + random / 2)


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds of a Retry-After header, from 0 to 60; None when it is absent or malformed."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,18}", value.strip(), re.ASCII):
        return min(float(value), LONGEST_WAIT)
    until = http_date(value)
    return None if until is None else min(max(until - now, 0.0), LONGEST_WAIT)
