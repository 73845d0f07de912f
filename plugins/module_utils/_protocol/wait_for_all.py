# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for many restores in one task."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.parallel import (
    THREADS,
    Row,
    clouds_for,
    spread,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch, wait_until

FEW = 8  # restores that one connection observes
PACE = 0.5  # seconds between two lines of progress, if there are more than FEW restores


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
