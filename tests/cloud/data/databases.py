# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DDM instances over MariaDB.

One server is the region, one schema a data node, and one schema a DDM instance, with a view for each table
of its data nodes (UNION ALL) and a user of its own. SELECT, COUNT, SHOW TABLES and lookups work through
such views as through DDM; INSERT, EXPLAIN and CHECKSUM do not, so a test's application writes to the data
nodes.

A restore to a point in time replays a base dump and the binary log into a scratch server, and copies each
data node's schema from there into its target. Nothing is ever replayed on the region itself: a statement
that names its schema would reach the source.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pymysql

from . import DataError
from .servers import HOST, Binary, Server, Supervisor, which

TOOLS = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump", "mariadb-binlog")
PACKAGES = "mariadb-server-core mariadb-client-core mariadb-client"
TOOL_SECONDS = 120
LOCK_SECONDS = 10  # how long to wait for a table that a client holds, after its connection was ended
SMALL = ["--innodb-log-file-size=4M", "--aria-log-file-size=8M", "--innodb-undo-tablespaces=0"]
LEAN = [
    *SMALL,
    "--innodb-buffer-pool-size=16M",
    "--innodb-doublewrite=0",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-use-native-aio=0",
    "--key-buffer-size=1M",
    "--performance-schema=off",
    "--skip-name-resolve",
    "--sync-binlog=0",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
]
CHANGE_MASTER = re.compile(rb"MASTER_LOG_FILE='([^']+)', MASTER_LOG_POS=(\d+)")


def find() -> Binary | None:
    """MariaDB's server, when all of its tools are there."""
    if not all(which(tool) for tool in TOOLS):
        return None
    path = _path("mariadbd")
    version = re.search(r"Ver ([\d.]+)", _run("mariadbd", ["--no-defaults", "--version"]).stdout.decode())
    return Binary(path, "mariadbd", f"mariadbd {version[1] if version else ''}".strip())


def _path(tool: str) -> str:
    found = which(tool)
    if found is None:
        raise DataError(f"{tool} is missing: apt-get install --no-install-recommends {PACKAGES}")
    return found


def _run(
    tool: str, arguments: Sequence[str], stdin: Path | None = None, stdout: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run one of the tools. Its times are UTC: mariadb-binlog reads them in the zone of its environment."""
    with (
        open(stdin or os.devnull, "rb") as source,
        open(stdout or os.devnull, "ab") as sink,
    ):
        done = subprocess.run(
            [_path(tool), *arguments],
            stdin=source,
            stdout=sink if stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"},
            timeout=TOOL_SECONDS,
            check=False,
        )
    if done.returncode:
        raise DataError(f"{tool} failed: {done.stderr.decode('utf-8', 'replace').strip()[-500:]}")
    return done


def _as_root() -> list[str]:
    """A server that runs as root needs an option for that, which no other user may give."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def schema_name(name: str) -> str:
    """orders-rds-1 -> orders_rds_1"""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


class Database:
    """One mariadbd with its own data directory. `network` puts it on a port and its binary log on disk."""

    def __init__(self, supervisor: Supervisor, binary: Binary, template: Path, network: bool) -> None:
        self.folder = supervisor.new_folder("m")
        self.data = self.folder / "d"
        self.temporary = self.folder / "t"
        self.temporary.mkdir()
        shutil.copytree(template, self.data)
        self.socket = str(self.folder / "s")
        self._network = network
        self._server = Server(supervisor, binary, self.folder, self._arguments, self._answers)
        self._server.start()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def pid(self) -> int | None:
        return self._server.pid

    def stop(self) -> None:
        self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _arguments(self, port: int) -> list[str]:
        network = [f"--bind-address={HOST}", f"--port={port}", "--log-bin=log", "--server-id=1"]
        return [
            "--no-defaults",
            *_as_root(),
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",  # a server that starts empties it: of another's tables, too
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            *LEAN,
            *(network if self._network else ["--skip-networking"]),
        ]

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except pymysql.Error:
            return False
        return True

    def connect(self, database: str | None = None) -> pymysql.connections.Connection[Any]:
        """As root, through the socket."""
        return pymysql.connect(
            unix_socket=self.socket, user="root", database=database, autocommit=True, charset="utf8mb4"
        )

    def sql(self, statement: str, arguments: Any = None, database: str | None = None) -> tuple[Any, ...]:
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return tuple(cursor.fetchall())

    def unlogged(self, statements: Iterable[str]) -> None:
        """Run statements about the region, not about its data: no restore repeats them."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_bin = 0")
            for statement in statements:
                cursor.execute(statement)

    def load(self, file: Path, database: str | None = None) -> None:
        _run(
            "mariadb",
            ["--no-defaults", f"--socket={self.socket}", "--user=root", "--binary-mode"]
            + ([database] if database else []),
            stdin=file,
        )

    def dump(self, file: Path, arguments: Sequence[str]) -> None:
        options = ["--single-transaction", "--routines", "--triggers", "--events", "--skip-comments"]
        _run(
            "mariadb-dump",
            ["--no-defaults", f"--socket={self.socket}", "--user=root", *options, *arguments],
            stdout=file,
        )

    def has(self, schema: str) -> bool:
        return bool(self.sql("SHOW DATABASES WHERE `Database` = %s", (schema,)))


class Region:
    """The server that all data nodes live on, and where a restore to a point in time takes place."""

    def __init__(self, supervisor: Supervisor, binary: Binary) -> None:
        self._supervisor, self._binary = supervisor, binary
        self._template = self._new_template()
        self.server = Database(supervisor, binary, self._template, network=True)
        self._close_to_strangers()

    def _new_template(self) -> Path:
        """A data directory with the tables of grants. Servers start on copies of it."""
        template = self._supervisor.folder / "template"
        _run(
            "mariadb-install-db",
            [
                "--no-defaults",
                *_as_root(),
                f"--datadir={template}",
                f"--tmpdir={self._supervisor.new_folder('t')}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                *SMALL,
            ],
        )
        return template

    def _close_to_strangers(self) -> None:
        """Root has no password, so it may sign in through the socket only. There is no anonymous user."""
        users = self.server.sql("SELECT user, host FROM mysql.global_priv")
        strangers = [
            user for user in users if user[0] == "" or (user[0] == "root" and user[1] != "localhost")
        ]
        self.server.unlogged(f"DROP USER '{user}'@'{host}'" for user, host in strangers)

    def new_nodes(self, schemas: Iterable[str]) -> None:
        """Make empty schemas for data nodes, even if clients still use schemas of these names."""
        self._end_connections()
        with self.server.connect() as connection, connection.cursor() as cursor:
            for schema in schemas:
                cursor.execute(f"CREATE OR REPLACE DATABASE {_quoted(schema)}")

    def base(self, nodes: Sequence[str]) -> Base:
        """Return the present state of at least one data node, from which later points can be reached."""
        file = self._supervisor.new_folder("b") / "base.sql"
        self.server.dump(file, ["--master-data=2", "--databases", *nodes])
        with open(file, "rb") as lines:
            place = CHANGE_MASTER.search(lines.read(4096))
        if place is None:
            raise DataError("The base dump names no place in the binary log.")
        return Base(file, place[1].decode(), int(place[2]))

    def rewind(self, base: Base, point: int, relations: Mapping[str, str], users: Iterable[str]) -> None:
        """Overwrite the target schemas with the data of their sources as of `point`, in epoch seconds.

        `relations` is {source: target}. What was written before that second is restored, and nothing of that
        second or later. The connections of the accounts in `users` are ended first. Raises DataError.
        """
        scratch = Database(self._supervisor, self._binary, self._template, network=False)
        try:
            self._replay(scratch, base, point)
            copies = {target: self._copy(scratch, source) for source, target in relations.items()}
        finally:
            scratch.stop()
        try:
            self._overwrite(copies, list(users))
        except pymysql.Error as error:
            raise DataError(f"The data node could not be overwritten: {error.args[-1]}") from error

    def _replay(self, scratch: Database, base: Base, point: int) -> None:
        scratch.load(base.file)
        files = [str(row[0]) for row in self.server.sql("SHOW BINARY LOGS")]
        later = [str(self.server.data / name) for name in files if name >= base.log]
        replayed = scratch.folder / "replayed.sql"
        # mariadb-binlog knows whole seconds alone
        stop = datetime.fromtimestamp(point, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        _run(
            "mariadb-binlog",
            ["--no-defaults", f"--start-position={base.position}", f"--stop-datetime={stop}", *later],
            stdout=replayed,
        )
        scratch.load(replayed)

    def _copy(self, scratch: Database, schema: str) -> Path | None:
        """A dump that does not name its schema, or None where there was no such schema at that time."""
        if not scratch.has(schema):
            return None
        file = self._supervisor.new_folder("c") / "copy.sql"
        scratch.dump(file, [schema])
        return file

    def _overwrite(self, copies: Mapping[str, Path | None], users: list[str]) -> None:
        self._end_connections("db IN %s OR user IN %s", ([*copies], users))
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}")
            for schema in copies:
                cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(schema)}")
                cursor.execute(f"CREATE DATABASE {_quoted(schema)}")
        for schema, file in copies.items():
            if file is not None:
                self.server.load(file, schema)

    def _end_connections(self, which: str = "TRUE", arguments: tuple[Any, ...] = ()) -> None:
        """A client that is idle inside a transaction would keep its tables locked for ever."""
        found = self.server.sql(
            f"SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND ({which})",
            arguments,
        )
        for (number,) in found:
            with contextlib.suppress(pymysql.Error):  # it has ended by itself in the meantime
                self.server.sql(f"KILL CONNECTION {int(number)}")


class Base:
    """A dump, and the position in the binary log at which it was taken."""

    def __init__(self, file: Path, log: str, position: int) -> None:
        self.file, self.log, self.position = file, log, position


class Instance:
    """A DDM instance: a schema for its clients, with views of the schemas of its data nodes."""

    def __init__(self, region: Region, name: str) -> None:
        self.region = region
        self.schema = self.user = schema_name(name)
        self.password = secrets.token_urlsafe(24)
        self.nodes: list[str] = []
        schema, user = _quoted(self.schema), f"'{self.user}'@'%'"
        region.server.unlogged(
            [
                f"CREATE OR REPLACE DATABASE {schema}",
                f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{self.password}'",
                f"GRANT SELECT, SHOW VIEW ON {schema}.* TO {user}",
            ]
        )

    def connect(self, **options: Any) -> pymysql.connections.Connection[Any]:
        """Connect as a client of the instance."""
        options = {"user": self.user, "password": self.password, "database": self.schema, **options}
        return pymysql.connect(host=HOST, port=self.region.server.port, autocommit=True, **options)

    def sql(self, statement: str, arguments: Any = None) -> tuple[Any, ...]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return tuple(cursor.fetchall())

    def associate(self, nodes: Iterable[str]) -> None:
        """Show the schemas of these data nodes, and no others."""
        self.nodes = list(nodes)
        self.refresh()

    def refresh(self) -> None:
        """Make a view of each table of the data nodes. Call this after a table was created or dropped."""
        tables: dict[str, list[str]] = {}
        for node in self.nodes:
            for (table,) in self.region.server.sql(f"SHOW TABLES IN {_quoted(node)}"):
                tables.setdefault(str(table), []).append(
                    f"SELECT * FROM {_quoted(node)}.{_quoted(str(table))}"
                )
        schema = _quoted(self.schema)
        views = [
            f"CREATE VIEW {schema}.{_quoted(table)} AS {' UNION ALL '.join(parts)}"
            for table, parts in tables.items()
        ]
        self.region.server.unlogged([f"CREATE OR REPLACE DATABASE {schema}", *views])

    def define(self, *statements: str) -> None:
        """DDL of an application: runs on each data node."""
        for node in self.nodes:
            for statement in statements:
                self.region.server.sql(statement, database=node)
        self.refresh()

    def write(self, key: int, statement: str, arguments: Any = None) -> None:
        """A statement of an application that concerns one row: runs on the data node of its key."""
        self.region.server.sql(statement, arguments, database=self.nodes[key % len(self.nodes)])

    def write_all(self, statement: str, arguments: Any = None) -> None:
        """A statement of an application that concerns all rows."""
        for node in self.nodes:
            self.region.server.sql(statement, arguments, database=node)


def next_second(clock: Any = time.time, sleep: Any = time.sleep) -> int:
    """Wait for the next whole second and return it: a point in time after all that was written before."""
    second = int(clock()) + 1
    sleep(second - clock() + 0.01)
    return second
