# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for many restores on a few threads, each with a connection of its own: at 50 ms a request one connection sees 20 of them a second."""

from __future__ import annotations

import typing as t
from multiprocessing.pool import ThreadPool

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.waiter import Watch, wait_until

THREADS = 16
FEW = 8  # as many restores are looked at on one connection
PACE = 0.5  # seconds between two looks at what all of more than these say: there are as many occasions as polls
Row = t.Mapping[str, t.Any]


def wait_for_all(cloud: Cloud, rows: t.Sequence[Row], watch: t.Callable[[Cloud, Row], Watch], timeout: float, interval: float) -> list[Watch]:
    """Return watch(cloud, row) of each row, waited for `timeout` seconds at most, with one look at each per `interval`."""
    clouds = [cloud, *(cloud.twin() for dummy in range(min(len(rows) // FEW + 1, THREADS) - 1))]
    watches = [watch(clouds[number % len(clouds)], row) for number, row in enumerate(rows)]
    told = -PACE

    def tell(dummy: t.Any) -> None:
        nonlocal told
        now = cloud.clock.monotonic()
        if len(watches) <= FEW or now >= told + PACE or all(watch.done for watch in watches):
            told = now
            cloud.progress(watches)

    def wait(number: int, own: Cloud) -> None:
        own.session.deadline = own.clock.monotonic() + timeout
        wait_until(watches[number :: len(clouds)], timeout, interval, own.clock, tell)

    if len(clouds) == 1:
        wait(0, cloud)
        return watches
    with ThreadPool(len(clouds)) as pool:
        pool.starmap(wait, enumerate(clouds), 1)
    return watches
