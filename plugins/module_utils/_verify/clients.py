# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients for restored instances in their own protocols: Redis by PyPI `redis`, MySQL by PyPI `PyMySQL`.

Nothing here writes data.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import ssl
import struct
import sys
import typing as t
from io import BufferedReader

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock, Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import CloudError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.sources import read_file
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.tls import (
    LARGEST_BUNDLE,
    OUT_OF_DATE,
    WRONG_NAME,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    DeadlineReader,
    causes,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify.checks import (
    LONGEST_VALUE,
    MOST_ROWS,
    Check,
    Key,
)

# Its keys are those of CHECK_CONNECTION in ladder.py, and cluster: whether it leads to a Redis Cluster
Connection = t.Mapping[str, t.Any]
ATTEMPT = 10.0  # seconds, at most, for one attempt to connect
PACKAGES = {"redis": "redis", "pymysql": "PyMySQL"}
LENGTHS = {
    "string": "strlen",
    "list": "llen",
    "hash": "hlen",
    "set": "scard",
    "zset": "zcard",
    "stream": "xlen",
}
# Numbers of MySQL's errors: no permission; another try may help; TLS
WRONG_PASSWORD = (1045, 1698)
DENIED_CODES = (1044, 1130, 1142, 1143, 1227, 1251, 3118, 4151)
RETRYABLE_CODES = (
    *(1040, 1053, 1129, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226),
    *(2002, 2003, 2005, 2006, 2013, 2055),
)
TLS_ERROR, TLS_WANTED = 2026, 3159
# Errors of redis-py after which another try may help; before redis-py 6 some are only words of a reply
RETRYABLE_ERRORS = {
    *("ConnectionError", "TimeoutError", "OSError"),
    *("MasterDownError", "ClusterDownError", "TryAgainError"),
    *("MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"),
}
# what Python raises for a reply that is not of the protocol
MALFORMED = (
    *(ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError),
    *(RuntimeError, struct.error),
)
SLOTS = 16384  # of a Redis Cluster
MOVED = re.compile(r"(?:MOVED )?[0-9]+ (?P<host>.*):(?P<port>[0-9]+)")  # the key is of another node


class Refused(CloudError):
    """Refused, or not possible to ask, so another try cannot help. `kind` says why."""

    kind = "verification_failed"

    def __init__(self, message: str, kind: str = kind) -> None:
        super().__init__(message)
        self.kind = kind


class Unreachable(CloudError):
    """No connection, or a dropped one. Another try may help."""

    kind = "unreachable"
    transient = True


class Slow(Unreachable):
    """A connection, but no response in time."""

    kind = "verify_timeout"


def library(name: str) -> t.Any:
    """Return a library. Raises Refused, which says what is missing and where."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Refused(
            f"The Python package {PACKAGES[name]} is missing: install it with "
            f"{sys.executable} -m pip install {PACKAGES[name]}, or add it to the execution environment.",
            "missing_library",
        ) from None


def verifies(connection: Connection) -> bool:
    """Whether the certificate is checked."""
    return bool(connection.get("validate_certs", True))


def compares_name(connection: Connection) -> bool:
    """Whether the name in it is checked, too."""
    return verifies(connection) and bool(connection.get("check_hostname", True))


def authority(connection: Connection) -> str | None:
    """Return the certificates in ca_path; null where none are named, or nothing is verified."""
    path = connection.get("ca_path")
    if not path or not verifies(connection):
        return None
    try:
        return read_file(path, LARGEST_BUNDLE)[0].decode("ascii", "ignore").strip() or None
    except (OSError, ValueError) as error:
        raise Refused(f"ca_path {path} cannot be read: {error}.", "tls_error") from None


def tls_context(connection: Connection) -> ssl.SSLContext:
    """Return the TLS settings of a connection. Raises Refused for a bundle that cannot be read."""
    bundle = authority(connection)
    try:
        context = ssl.create_default_context(cadata=bundle)
    except (OSError, ValueError) as error:
        raise Refused(f"ca_path {connection['ca_path']} cannot be read: {error}.", "tls_error") from None
    context.check_hostname = compares_name(connection)
    if not verifies(connection):
        context.verify_mode = ssl.CERT_NONE
    return context


def tls_refusal(error: BaseException) -> Refused | None:
    """Return the error if TLS was refused."""
    found = next((one for one in causes(error) if isinstance(one, ssl.SSLError)), None)
    if isinstance(found, ssl.SSLCertVerificationError):
        advice = "Name the bundle of its CA in ca_path."
        if found.verify_code in OUT_OF_DATE:
            advice = "Renew it, or set this machine's clock."
        if found.verify_code in WRONG_NAME:
            advice = "If this is the right server, set check_hostname: false."
        why = found.verify_message.rstrip(".")
        return Refused(f"The server's certificate was refused: {why}. {advice}", "tls_error")
    if found is None or isinstance(found, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return None
    return Refused(
        f"The TLS handshake with the server failed ({found.reason or found}). If the server has no TLS, set "
        "tls: false.",
        "tls_error",
    )


def hint(tls: bool, words: str) -> str:
    """Return a hint at TLS: a server without it may just stay silent, and one that needs it hangs up."""
    if tls:
        return " The connection uses TLS: if the server has none, set tls: false."
    return " If the server requires TLS, set tls: true." if re.search("clos|reset|lost", words, re.I) else ""


def login_refused(reply: t.Any) -> Refused:
    """Return the error for a login that was refused."""
    return Refused(
        f"The login was refused: {reply}. It was tried once. Check username and password of the connection: "
        "a restore may have brought back older ones.",
        "login_refused",
    )


def foreign(protocol: str, why: str) -> Unreachable:
    """Return the error for a server that is not the instance."""
    return Unreachable(f"The server at this address does not speak the {protocol} protocol: {why}.")


def unreadable_reply(error: Exception) -> Refused:
    """Return the error for a reply that its client cannot read."""
    return Refused(f"The server's reply cannot be read ({type(error).__name__}).")


class Redis:
    """A connection to a cache."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        """Connect. Each response may take `seconds`."""
        self._redis = library("redis")
        self._tls, self._connected = bool(connection.get("tls")), False
        retry = self._redis.retry.Retry(self._redis.backoff.NoBackoff(), 0)
        options: dict[str, t.Any] = {
            "host": connection["host"],
            "port": int(connection["port"]),
            "db": int(connection.get("database") or 0),
            "username": connection.get("username"),
            "password": connection.get("password"),
            "socket_connect_timeout": min(seconds, ATTEMPT),
            "socket_timeout": seconds,
            "retry": retry,
            "protocol": 2,
        }
        if self._tls:
            tls_context(connection)
            options.update(
                ssl=True,
                ssl_ca_data=authority(connection),
                ssl_cert_reqs="required" if verifies(connection) else "none",
                ssl_check_hostname=compares_name(connection),
            )
        self._options, self._cluster = options, bool(connection.get("cluster"))
        self._client = self._redis.Redis(**options)
        try:
            if not self._ask("ping"):
                raise foreign("Redis", "its reply to PING is not PONG")
        except CloudError:
            self.close()  # No one else can: there is no object of this class yet.
            raise
        self._connected = True

    def read(self, check: Check) -> t.Any:
        """Return True, the number of keys, or a Key."""
        if check.kind == "ping":
            return True
        try:
            if check.kind == "dbsize":
                return int(self._count() if self._cluster else self._ask("dbsize"))
            return self._key(str(check.options.get("name") or check.options["key"]))
        except MALFORMED as error:
            raise self._meaning(error) from None

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(self._redis.RedisError, OSError):
            self._client.close()

    def _key(self, name: str) -> Key:
        kind = self._ask("type", name).decode("utf-8", "replace")
        if kind == "none":
            return Key(kind)
        length = self._ask(LENGTHS[kind], name) if kind in LENGTHS else None
        value = self._ask("getrange", name, 0, LONGEST_VALUE - 1) if kind == "string" else None
        left = int(self._ask("ttl", name))
        if left == -2:  # It has expired meanwhile, maybe before its value was read.
            return Key("none")
        return Key(kind, value, left if left >= 0 else None, length)

    def _count(self) -> int:
        """Return the number of keys on all nodes of a Redis Cluster."""
        ranges = self._ask("execute_command", "CLUSTER SLOTS")
        try:  # [first slot, last slot, [host, port, ...] of the node, its replicas ...]
            served = sum(last - first + 1 for first, last, *_nodes in ranges)
            nodes = {(node[0].decode(), int(node[1])) for _first, _last, node, *_replicas in ranges}
        except MALFORMED:
            raise Refused("The server does not say which nodes its Redis Cluster has.") from None
        if served < SLOTS:
            raise Unreachable(f"The Redis Cluster serves {served} of its {SLOTS} slots.")
        return sum(int(self._ask_node(*node, "dbsize")) for node in sorted(nodes))

    def _ask(self, command: str, *args: t.Any) -> t.Any:
        """Ask the node that is connected, and in a Redis Cluster the one that has the key."""
        try:
            return getattr(self._client, command)(*args)
        except (self._redis.RedisError, OSError, *MALFORMED) as error:
            moved = MOVED.fullmatch(str(error))
            if not (moved and self._cluster):  # No other server may send the password to another host.
                raise self._meaning(error) from None
        return self._ask_node(moved["host"], int(moved["port"]), command, *args)

    def _ask_node(self, host: str, port: int, command: str, *args: t.Any) -> t.Any:
        """Ask one node of a Redis Cluster. One without a host has that of the connection."""
        place = {**self._options, "host": host or self._options["host"], "port": port}
        try:
            with self._redis.Redis(**place) as client:
                return getattr(client, command)(*args)
        except (self._redis.RedisError, OSError, *MALFORMED) as error:
            meaning = self._meaning(error)
            if isinstance(meaning, Unreachable):
                meaning = type(meaning)(f"A node of the Redis Cluster: {meaning}")
            raise meaning from None

    def _meaning(self, error: Exception) -> CloudError:
        words = str(error).rstrip(".")
        names = {words.partition(" ")[0], *(one.__name__ for one in type(error).__mro__)}
        refusal = tls_refusal(error)
        if refusal is not None:
            return refusal
        if names & {"AuthenticationError", "AuthorizationError", "AuthenticationWrongNumberOfArgsError"} or (
            words.upper().startswith(("NOAUTH", "WRONGPASS"))
        ):
            return login_refused(words)
        if "NoPermissionError" in names:
            return Refused(f"The user lacks the permission: {words}.", "login_refused")
        if "TimeoutError" in names and self._connected:
            return Slow(f"The server did not respond in time: {words}.")
        if not self._connected and ("InvalidResponse" in names or isinstance(error, MALFORMED)):
            return foreign("Redis", words)
        if names & RETRYABLE_ERRORS:
            return Unreachable(f"{words}.{'' if self._connected else hint(self._tls, words)}")
        if isinstance(error, MALFORMED):
            return unreadable_reply(error)
        if names & {"MovedError", "MOVED"}:
            return Refused(
                "The server is a node of a Redis Cluster, and another node has the key. The cloud does not "
                "report this cache as a cluster, so no other node was asked: it would get the password. In "
                "the connection of the checks, correct host and port."
            )
        return Refused(f"The server refused: {words}.")


def conversions() -> dict[t.Any, t.Any]:
    """Return how to read values: times as the server writes them, bits as a number."""
    known = library("pymysql").converters
    kinds = known.FIELD_TYPE
    times = dict.fromkeys((kinds.DATE, kinds.TIME, kinds.DATETIME, kinds.TIMESTAMP), str)
    return {**known.conversions, **times, kinds.BIT: lambda bits: int.from_bytes(bits, "big")}


def only_encrypted(connection: t.Any) -> None:
    """Refuse to send a password as it is without TLS."""
    if not connection._secure:
        raise RuntimeError("the server asks for the password in plain text")


class Mysql:
    """A connection to a database."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        """Connect. All must end within `seconds`."""
        self._mysql = library("pymysql")
        self._tls = bool(connection.get("tls"))
        tls = {"ssl": tls_context(connection)} if self._tls else {"ssl_disabled": True}
        self._connection: t.Any = None
        left = Limit(Clock(), seconds).left
        self._connection = self._ask(
            lambda: self._mysql.connect(
                host=connection["host"],
                port=int(connection["port"]),
                user=str(connection["username"]),
                password=str(connection.get("password") or "").encode(),  # PyMySQL knows Latin-1 only
                database=connection.get("database"),
                connect_timeout=min(seconds, ATTEMPT),
                read_timeout=seconds,
                write_timeout=seconds,
                charset="utf8mb4",
                local_infile=False,
                conv=conversions(),
                auth_plugin_map=dict.fromkeys(("mysql_clear_password", "dialog"), only_encrypted),
                **tls,
            )
        )
        wire = self._connection
        wire._rfile = BufferedReader(DeadlineReader(wire._sock, wire._rfile.detach(), left))
        if self._tls and not isinstance(wire._sock, ssl.SSLSocket):
            self.close()
            raise Refused(
                "The server offers no TLS, so no query was sent. If this is intended, set tls: false.",
                "tls_error",
            )
        self._set("SET SESSION time_zone = '+00:00'")

    def read(self, check: Check) -> t.Any:
        """Return True, or rows."""
        return check.kind == "ping" or self._rows(str(check.options["sql"]))

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(self._mysql.MySQLError, OSError):
            if self._connection is not None:
                self._connection.close()

    def _rows(self, sql: str) -> list[tuple[t.Any, ...]]:
        """Return the rows of a statement, which runs in a read-only transaction."""
        if not self._set("START TRANSACTION READ ONLY"):
            raise Refused("The server does not accept a read-only transaction, so the query was not sent.")

        def ask() -> list[tuple[t.Any, ...]]:
            cursor = self._connection.cursor(self._mysql.cursors.SSCursor)
            try:
                cursor.execute(sql)
                return list(cursor.fetchmany(MOST_ROWS + 1))
            finally:
                if cursor._result:  # or it reads the rest
                    cursor._result.unbuffered_active = False

        rows: list[tuple[t.Any, ...]] = self._ask(ask)
        if len(rows) > MOST_ROWS:
            raise Refused(f"The query returns more than {MOST_ROWS} rows: use count(*), or add a LIMIT.")
        return rows

    def _set(self, statement: str) -> bool:
        """Whether the server accepts a statement that sets something in this session."""

        def ask() -> bool:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
            return True

        try:
            return bool(self._ask(ask))
        except Refused:
            return False

    def _ask(self, question: t.Callable[[], t.Any]) -> t.Any:
        try:
            return question()
        except (self._mysql.MySQLError, OSError, *MALFORMED) as error:
            raise self._meaning(error) from None

    def _meaning(self, error: Exception) -> CloudError:
        refusal = tls_refusal(error)
        if refusal is not None:
            return refusal
        code = error.args[0] if error.args and isinstance(error.args[0], int) else None
        words = str(error.args[1] if code is not None and len(error.args) > 1 else error).rstrip(".")
        if code in (TLS_ERROR, TLS_WANTED):
            return Refused(
                f"TLS was refused: {words}. Set tls: true if the server requires it, or tls: false if it "
                "has none.",
                "tls_error",
            )
        if code in WRONG_PASSWORD:
            return login_refused(words)
        if code in DENIED_CODES:
            return Refused(f"The user lacks the permission: {words}.", "login_refused")
        if isinstance(error, RuntimeError) and self._connection is None:
            return Refused(f"The login cannot be sent: {words}. Use tls: true.", "login_refused")
        if "timed out" in words and self._connection is not None:
            return Slow(f"The server did not respond in time: {words}.")
        lost = isinstance(error, OSError) or "InterfaceError" in type(error).__name__
        if lost or code == 0 or code in RETRYABLE_CODES:
            return Unreachable(f"{words}.{hint(self._tls, words) if self._connection is None else ''}")
        if code is None and self._connection is None:
            return foreign("MySQL", words)
        if isinstance(error, MALFORMED):
            return unreadable_reply(error)
        if code == 1049:
            return Refused(f"{words}: the schema does not exist, or `database` of the connection is wrong.")
        return Refused(f"The server refused: {words}{f' ({code})' if code is not None else ''}.")


# Both read() what checks.judge() judges, and raise Refused, Unreachable or Slow
CLIENTS: dict[str, t.Callable[[Connection, float], Redis | Mysql]] = {"redis": Redis, "mysql": Mysql}
