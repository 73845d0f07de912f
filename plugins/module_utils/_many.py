# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for many restores on a few threads, each with a connection of its own: at 50 ms a request one connection sees 20 of them a second."""

from __future__ import annotations

import typing as t
from multiprocessing.pool import ThreadPool

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud

THREADS = 16


def team(cloud: Cloud, count: int) -> list[Cloud]:
    """Return `count` clouds, at most THREADS, for as many threads: the same caller, a connection each."""
    return [cloud, *(cloud.twin() for dummy in range(min(count, THREADS) - 1))]


def side_by_side(act: t.Callable[[int, Cloud], None], clouds: t.Sequence[Cloud]) -> None:
    """Call act(number, cloud) for every cloud, each on a thread of its own, and raise what the first of them raises."""
    if len(clouds) == 1:
        act(0, clouds[0])
        return
    with ThreadPool(len(clouds)) as pool:
        pool.starmap(act, enumerate(clouds), 1)
