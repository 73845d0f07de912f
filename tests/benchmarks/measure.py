# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one command and return its cost: wall time, CPU time and memory of all its processes."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import environment

TICK = os.sysconf("SC_CLK_TCK")
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what detaches itself (async) becomes our child and is counted


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    `cpu`: seconds, user and system; `memory`: the most at one time in MB, shared pages counted once;
    `server`: CPU seconds of the server.
    """

    wall: float
    cpu: float
    memory: float = 0.0
    server: float = 0.0


@dataclass(frozen=True)
class Server:
    url: str
    env: dict[str, str]
    pid: int

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def control(self, method: str, command: str) -> Any:
        request = urllib.request.Request(f"{self.url}/_simulator/{command}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextlib.contextmanager
def server(kind: str, **options: Any) -> Iterator[Server]:
    command = [str(environment.tool("python")), "-m", "tests.benchmarks.server", kind, json.dumps(options)]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(environment.ROOT / ".work" / "dev"), str(environment.ROOT)]),
    }
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=environment.ROOT, env=env
    ) as process:
        assert process.stdout and process.stdin
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"The server {kind} did not start.")
        yield Server(**json.loads(line), pid=process.pid)
        process.stdin.close()


def run(
    command: list[str], env: Mapping[str, str], cwd: Path, watched: Server | None = None, memory: bool = False
) -> Cost:
    """Run a command to its end and return its cost. Its output goes to output.txt."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    others = set(children(os.getpid()))  # the servers
    before = watched.cpu() if watched else 0.0
    output = cwd / "output.txt"
    with output.open("w") as stream:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        peak = Peak(others) if memory else None
        dummy, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    for orphan in set(children(os.getpid())) - others:
        usage = os.wait4(orphan, 0)[2]
        cpu += usage.ru_utime + usage.ru_stime
    if process.returncode:
        raise SystemExit(f"{command} failed:\n{output.read_text()[-3000:]}")
    return Cost(wall, cpu, peak.stop() if peak else 0.0, watched.cpu() - before if watched else 0.0)


class Peak:
    """Adds up the memory of all our descendants but `others` four times a second."""

    def __init__(self, others: set[int]) -> None:
        self._others, self._most, self._stop = others, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._stop.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            self._most = max(
                self._most, sum(total(pid) for pid in children(os.getpid()) if pid not in self._others)
            )


def children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return found


def total(pid: int) -> float:
    """MB of a process and its descendants."""
    return proportional(pid) + sum(map(total, children(pid)))


def proportional(pid: int) -> float:
    """MB of a process; a page that several share counts in parts."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
    return 0.0
