# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that starts servers for another one, and ends them with it.

Run as a script, it reads requests from stdin and answers each on stdout, one JSON object a line: {"start":
["redis-server", ...], "executable": "/usr/bin/...", "log": "/path"} -> {"pid": 7} {"code": 7} -> {"code":
null} while it runs, else its exit code {"kill": 7} -> {"code": -9}, once it is gone The first line that it
writes names the folder that the servers may use. When stdin ends, for whatever reason, it kills all servers
and removes the folder. It has one thread, so that its servers can die with it (PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable
from typing import Any

ROOM = 1 << 30  # bytes: what a folder in memory must have free
PR_SET_PDEATHSIG = 1


def new_folder() -> str:
    """A folder whose path is short enough for a socket's, in memory where there is room."""
    memory = "/dev/shm"
    with contextlib.suppress(OSError):
        if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM:
            return tempfile.mkdtemp(prefix="cloud-", dir=memory)
    return tempfile.mkdtemp(prefix="cloud-", dir="/tmp")


def die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Servers:
    """The servers that have been started, by their process IDs."""

    def __init__(self) -> None:
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: list[str], executable: str | None, log: str) -> int:
        with open(log, "ab") as output:
            process = subprocess.Popen(
                command,
                executable=executable,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        self._processes[process.pid] = process
        return process.pid

    def code(self, pid: int) -> int | None:
        return self._processes[pid].poll()

    def kill(self, pid: int) -> int:
        self._processes[pid].kill()
        return self._processes[pid].wait()

    def kill_all(self) -> None:
        for pid in self._processes:
            self.kill(pid)


def answer(servers: Servers, request: dict[str, Any]) -> dict[str, Any]:
    try:
        if "start" in request:
            return {"pid": servers.start(request["start"], request.get("executable"), request["log"])}
        if "kill" in request:
            return {"code": servers.kill(request["kill"])}
        return {"code": servers.code(request["code"])}
    except (OSError, KeyError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def serve(lines: Iterable[str]) -> Generator[dict[str, Any]]:
    servers = Servers()
    folder = new_folder()
    try:
        yield {"folder": folder}
        for line in lines:
            yield answer(servers, json.loads(line))
    finally:
        servers.kill_all()
        shutil.rmtree(folder, ignore_errors=True)


def terminated(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    signal.signal(signal.SIGTERM, terminated)
    with contextlib.closing(serve(sys.stdin)) as answers:
        for line in answers:
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
