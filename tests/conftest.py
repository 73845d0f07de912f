# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests leave nothing open.

This file compares files, pipes, sockets, threads and processes before and after each file of tests.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

# Suites whose files take longest. They begin first, so that no worker of pytest has one left at the end.
LONGEST = (
    *("playbooks", "in_process", "inventory", "guides", "kills", "protocol", "data", "awx", "browser"),
    *("faults", "redaction", "input"),
)
PATIENCE = 100  # times 0.05 s: a thread or a server ends a moment after it was told to
# These two processes of Python live until the process that uses them ends. The pipes to them stay open.
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest suites first."""
    order = {suite: number for number, suite in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


def opened() -> set[str]:
    """Return what this process holds: files, pipes, sockets, threads, and processes that it has started."""
    held = {f"thread {thread.name}" for thread in threading.enumerate()}
    helped = set[str]()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text(encoding="utf-8").split():
                command = Path("/proc", child, "cmdline").read_text(encoding="utf-8").replace("\0", " ")
                if any(name in command for name in HELPERS):
                    helped |= set(files(child).values())
                else:
                    held.add(f"process {child}: {command[:80]}")
    return held | {f"{number} -> {name}" for number, name in files("self").items() if name not in helped}


def files(process: str) -> dict[str, str]:
    """Return what each number of an open file of a process stands for."""
    found = {}
    for entry in Path("/proc", process, "fd").iterdir():
        with contextlib.suppress(OSError):  # the handle that listed them is closed by now
            found[entry.name] = os.readlink(entry)
    return found


def expect_closed(before: set[str], shared: set[str]) -> None:
    """Fail when something is open that was not before, and is not shared."""
    left = set[str]()
    for _dummy in range(PATIENCE):
        left = opened() - before - shared
        if not left:
            return
        # What only a cycle refers to closes when it is collected, which takes a third of a second.
        gc.unfreeze()  # An action freezes all objects before Ansible forks workers.
        gc.collect()
        time.sleep(0.05)
    pytest.fail(f"left open: {sorted(left)}")


@pytest.fixture(scope="session", autouse=True)
def shared() -> Iterator[set[str]]:
    """What the fixtures hold that several files share. At the end of all tests, they have closed it."""
    before = opened()
    held = set[str]()
    yield held
    expect_closed(before, set())


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_open(shared: set[str]) -> Iterator[None]:
    """At the end of each file of tests, nothing is left but what is shared."""
    before = opened()
    yield
    expect_closed(before, shared)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Remember what a shared fixture opens."""
    if fixturedef.scope != "session" or fixturedef.argname == "shared":
        return (yield)
    before = opened()
    try:
        return (yield)
    finally:
        held: set[str] = request.getfixturevalue("shared")
        held |= opened() - before
