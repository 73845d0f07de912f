# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that the supervisor starts: how they start, become ready, and stop."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from . import DataError

HOST = "127.0.0.1"
START_SECONDS = 30.0
STEP_SECONDS = 0.01
ATTEMPTS = 10
RETRY_SECONDS = 0.1
# Where Debian puts the servers, which an ordinary user's PATH leaves out
SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/sbin"])


@dataclass(frozen=True)
class Binary:
    """A server program: the file, the name that it is called by, and what it is in words."""

    path: str
    name: str
    title: str


def which(name: str) -> str | None:
    return shutil.which(name, path=SEARCH)


def gone(pid: int) -> bool:
    """Whether a process no longer exists, or is a zombie."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] in ("", "Z")


class Supervisor:
    """The other end of supervisor.py. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(__file__).with_name("supervisor.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # A Ctrl-C must reach only this process, which then ends the supervisor.
        )
        self.folder = Path(self._answer()["folder"])
        self._numbers = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    def new_folder(self, name: str) -> Path:
        with self._lock:
            self._numbers += 1
            folder = self.folder / f"{name}{self._numbers}"
        folder.mkdir()
        return folder

    def start(self, binary: Binary, arguments: list[str], log: Path) -> int:
        request = {"start": [binary.name, *arguments], "executable": binary.path, "log": str(log)}
        return int(self._ask(request)["pid"])

    def code(self, pid: int) -> int | None:
        code: int | None = self._ask({"code": pid})["code"]
        return code

    def kill(self, pid: int) -> None:
        self._ask({"kill": pid})

    def close(self) -> None:
        """Returns when all servers are gone."""
        with self._lock:
            if self._process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):  # it was killed
                    self._process.stdin.close()
            self._process.wait(30)
            if self._process.stdout is not None:
                self._process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # it has done so itself, unless it was killed

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            stdin = self._process.stdin
            if stdin is None or stdin.closed:
                raise DataError("The supervisor has been closed.")
            with contextlib.suppress(BrokenPipeError):  # then there is no answer either
                stdin.write(json.dumps(request) + "\n")
                stdin.flush()
            return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise DataError("The supervisor has ended.")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise DataError(answer["error"])
        return answer


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One process: `arguments(port)` is its command line, `ready()` whether it answers yet.

    It keeps the port of its first start for good. Until then, a port that somebody else takes is given up.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        binary: Binary,
        folder: Path,
        arguments: Callable[[int], list[str]],
        ready: Callable[[], bool],
    ) -> None:
        self._supervisor, self._binary = supervisor, binary
        self._arguments, self._ready = arguments, ready
        self.log = folder / "log"
        self.port = 0
        self.pid: int | None = None

    def start(self) -> None:
        """Raises DataError, with the end of the server's log, when it does not get ready."""
        settled = self.port
        for attempt in range(ATTEMPTS):
            self.port = settled or free_port()
            if self._start_once():
                return
            if not self._clash():
                break
            time.sleep(attempt * RETRY_SECONDS)
        raise DataError(f"{self._binary.title} did not start: {self._last_lines()}")

    def stop(self) -> None:
        """Stop it as a power failure does: what is not on the disk is lost."""
        if self.pid is not None:
            self._supervisor.kill(self.pid)
            self.pid = None

    def _start_once(self) -> bool:
        self.log.write_bytes(b"")
        pid = self._supervisor.start(self._binary, self._arguments(self.port), self.log)
        deadline = time.monotonic() + START_SECONDS
        while self._supervisor.code(pid) is None:
            if self._ready():
                self.pid = pid
                return True
            if time.monotonic() > deadline:
                self._supervisor.kill(pid)
                break
            time.sleep(STEP_SECONDS)
        return False

    def _clash(self) -> bool:
        return "address already in use" in self.log.read_text("utf-8", "replace").lower()

    def _last_lines(self) -> str:
        return " | ".join(self.log.read_text("utf-8", "replace").splitlines()[-8:]) or "it said nothing"
