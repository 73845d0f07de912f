# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in a process of its own, to be killed.

It is forked from a process that has imported everything, so that hundreds of them take only seconds.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Http, Request
from tests import invoke
from tests.cases import STARTS

CONTEXT = multiprocessing.get_context("forkserver")
OLD = 3.0  # seconds after which an observation is old when the process is stopped
PATIENCE = 60.0  # seconds until a test gives up; nothing takes that long
# A thread that starts a process also reads the exit codes of all others, and each can be read only once.
ONE_AT_A_TIME = threading.Lock()


def run_main(name: str, env: Mapping[str, str], params: dict[str, Any], result: str) -> None:
    """In the child: the module's real main(), with the signals as a fresh Python has them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    text = json.dumps(invoke.module(name, env, **params))
    part = Path(result + ".part")
    part.write_text(text, encoding="utf-8")
    part.rename(result)


def run_stopped(name: str, env: Mapping[str, str], params: dict[str, Any], result: str) -> None:
    """In the child: the same, but the process is stopped once, right before its POST is sent.

    An observation is old after OLD seconds, so that no test has to stop for a minute.
    """
    send, stops = Http.__call__, iter([signal.SIGSTOP])

    def stopped(http: Http, request: Request) -> Any:
        for number in stops if request.method == "POST" else ():
            os.kill(os.getpid(), number)
        return send(http, request)

    with mock.patch.object(Http, "__call__", stopped), mock.patch.object(session, "STALE", OLD):
        run_main(name, env, params, result)


@contextmanager
def nursery() -> Iterator[None]:
    """Start the process that the others are forked from. At the end, none of them is left."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    CONTEXT.set_forkserver_preload(
        ["tests.kills.process", *(f"{invoke.COLLECTION}.plugins.modules.{name}" for name in STARTS)]
    )
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    try:
        yield
    finally:  # Python would wait for ever for a process that a failed test has left stopped.
        for child in multiprocessing.active_children():
            child.kill()
            child.join()
            child.close()


@dataclass
class Process:
    """One run of a module."""

    child: ForkServerProcess
    path: Path

    @classmethod
    def start(
        cls,
        folder: Path,
        name: str,
        env: Mapping[str, str],
        params: dict[str, Any],
        target: Callable[..., None] = run_main,
    ) -> Process:
        path = folder / f"{time.monotonic_ns()}.json"
        child = CONTEXT.Process(target=target, args=(name, dict(env), params, str(path)))
        with ONE_AT_A_TIME:
            child.start()
        return cls(child, path)

    @property
    def exitcode(self) -> int | None:
        """None while it runs, the negative number of the signal that ended it, or its exit code."""
        with ONE_AT_A_TIME:
            return self.child.exitcode

    def join(self) -> None:
        """Wait until it has ended."""
        end = time.monotonic() + PATIENCE
        while self.exitcode is None:
            assert time.monotonic() < end, "the process did not end"
            time.sleep(0.01)
        with ONE_AT_A_TIME:
            self.child.join()  # multiprocessing keeps the pipes of a process that was not joined

    def wait_until_stopped(self) -> None:
        """Wait until it has stopped itself."""
        stat, end = Path(f"/proc/{self.child.pid}/stat"), time.monotonic() + PATIENCE
        while stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < end, "the process did not stop"
            time.sleep(0.01)

    def kill(self, number: signal.Signals) -> None:
        """Send a signal and wait until the process has gone."""
        assert self.child.pid is not None
        os.kill(self.child.pid, number)
        self.join()

    def result(self) -> dict[str, Any] | None:
        """What it printed, once it has ended; None if it was killed first."""
        self.join()
        found: dict[str, Any] | None = (
            json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else None
        )
        return found
