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
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch, wait_until

THREADS = 16
FEW = 8  # restores that one connection observes
PACE = 0.5  # seconds between two lines of progress, if there are more than FEW restores
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


def wait_for_all(
    cloud: Cloud,
    rows: t.Sequence[Row],
    watch: t.Callable[[Cloud, Row], Watch],
    timeout: float,
    interval: float,
) -> list[Watch]:
    """Wait for all rows, `timeout` seconds at most, and return their watches.

    watch(cloud, row) makes the watch of a row, which is observed once per `interval`.
    """
    clouds = clouds_for(cloud, rows)
    watches = [watch(own, row) for own, row in zip(clouds, rows)]
    threads = min(len(rows) // FEW + 1, THREADS)
    shown = -PACE
    for own in clouds:
        # Without a timeout, one observation may take as long as it needs.
        own.session.deadline = cloud.clock.monotonic() + timeout if timeout else None

    def show(dummy: t.Any) -> None:
        nonlocal shown
        now = cloud.clock.monotonic()
        if len(watches) <= FEW or now >= shown + PACE or all(watch.done for watch in watches):
            shown = now
            cloud.progress(watches)

    spread(
        lambda number: wait_until(watches[number::threads], timeout, interval, cloud.clock, show),
        threads,
        threads,
    )
    return watches
