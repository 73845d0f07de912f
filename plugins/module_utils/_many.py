# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many instances in one task: a few threads, each with a connection of its own."""

from __future__ import annotations

import threading
import typing as t
from multiprocessing.pool import ThreadPool

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud

THREADS = 16
Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def team(cloud: Cloud, count: int) -> list[Cloud]:
    """Return `count` clouds, at most THREADS, for as many threads: the same caller, and progress that is told by one at a time."""
    tell, turn = cloud.progress, threading.Lock()

    def progress(watches: t.Any) -> None:
        with turn:
            tell(watches)

    cloud.progress = progress
    return [cloud, *(cloud.twin() for dummy in range(min(count, THREADS) - 1))]


def spread(clouds: t.Sequence[Cloud], act: t.Callable[[Cloud, Item], Result], items: t.Sequence[Item]) -> list[Result]:
    """Return act(cloud, item) of every item, in their order. Item after item is the same cloud's each time that this is called.

    An exception in this thread, such as Ansible's task timeout, keeps the other threads from taking further items.
    """
    found: dict[int, Result] = {}
    stopped = threading.Event()

    def share(place: int) -> None:
        for number in range(place, len(items), len(clouds)):
            if not stopped.is_set():
                found[number] = act(clouds[place], items[number])

    if len(clouds) == 1:
        share(0)
    else:
        with ThreadPool(len(clouds)) as pool:
            try:
                pool.map(share, range(len(clouds)), 1)
            finally:
                stopped.set()
    return [found[number] for number in range(len(items))]
