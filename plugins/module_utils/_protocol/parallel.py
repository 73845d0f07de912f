# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many operations in one task, on a few threads, each with its own connection.

At 50 ms a request, one connection makes 20 requests a second.
"""

from __future__ import annotations

import typing as t
from multiprocessing.pool import ThreadPool

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud

THREADS = 16
Row = t.Mapping[str, t.Any]
T = t.TypeVar("T")


def spread(work: t.Callable[[int], T], count: int, threads: int) -> list[T]:
    """Return work(0), work(1), ... work(count - 1), done on so many threads, THREADS at most."""
    threads = min(threads, count, THREADS)
    if threads <= 1:
        return list(map(work, range(count)))
    with ThreadPool(threads) as pool:
        return pool.map(work, range(count), 1)


def clouds_for(cloud: Cloud, rows: t.Sequence[Row]) -> list[Cloud]:
    """Return a Cloud for each row: the caller of its `profile` in its `region`.

    Rows with the same two share one caller, signed in once.
    """
    profiles: dict[t.Any, Cloud] = {}
    regions: dict[tuple[t.Any, t.Any], Cloud] = {}
    for row in rows:
        profile, region = row.get("profile") or None, row.get("region") or None
        if profile not in profiles:
            profiles[profile] = cloud.for_profile(profile)
        if (profile, region) not in regions:
            regions[profile, region] = profiles[profile].for_region(region)
    return [regions[row.get("profile") or None, row.get("region") or None].clone() for row in rows]
