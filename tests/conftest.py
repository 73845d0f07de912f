# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests leave nothing open: files, sockets, threads and processes are compared before and after."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Suites whose files take longest. They begin first, so that no worker of pytest has one left at the end.
LONGEST = ("playbooks", "in_process", "inventory", "guides", "kills", "protocol", "data", "awx", "browser")
PATIENCE = 100  # times 0.05 s: a thread or a server ends a moment after it was told to
# These two processes of Python live until the process that uses them ends, and so do the pipes to them.
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest suites first."""
    order = {suite: number for number, suite in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


def opened() -> set[str]:
    """Return what this process holds: files, sockets, threads, and processes that it has started."""
    held = {f"thread {thread.name}" for thread in threading.enumerate()}
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the handle that listed them is closed by now
            held.add(f"{entry.name} -> {os.readlink(entry)}")
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text(encoding="utf-8").split():
                command = Path("/proc", child, "cmdline").read_text(encoding="utf-8").replace("\0", " ")
                held.add(f"process {child}: {command[:80]}")
    return {thing for thing in held if "-> pipe:" not in thing and not any(name in thing for name in HELPERS)}


@pytest.fixture(scope="session", autouse=True)
def nothing_stays_open() -> Iterator[dict[str, str]]:
    """Fail when anything is left at the end of all tests of this process; name the file that had it first."""
    first: dict[str, str] = {}
    before, left = opened(), set[str]()
    yield first
    gc.unfreeze()  # An action freezes all objects before Ansible forks workers, so they are never collected.
    for _dummy in range(PATIENCE):
        gc.collect()
        left = opened() - before
        if not left:
            return
        time.sleep(0.05)
    pytest.fail(f"left open: {sorted(f'{thing} ({first.get(thing)})' for thing in left)}")


@pytest.fixture(scope="module", autouse=True)
def what_stays_open(request: pytest.FixtureRequest, nothing_stays_open: dict[str, str]) -> Iterator[None]:
    """Remember which file of tests had what open at its end."""
    yield
    for thing in opened():
        nothing_stays_open.setdefault(thing, request.node.name)
