# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a row: what they ask for, and whether what was found is that. All functions are pure."""

from __future__ import annotations

import contextlib
import difflib
import math
import re
import typing as t
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import ISO, iso, moment

with contextlib.suppress(ImportError):  # Python 3.8, which run_module() refuses
    from zoneinfo import ZoneInfo

Mapping = t.Mapping[str, t.Any]
REACHABLE, COUNTS, VALUES = "reachable", "counts", "values"
BOUNDS = ("equals", "at_least", "at_most")
ASKS = {  # kind of check -> what it can ask for
    "ping": (),
    "dbsize": BOUNDS,
    "key": ("name", "equals", "exists", "ttl_at_least", "ttl_at_most", "type", "length"),
    "query": ("sql", *BOUNDS, "rows"),
    "newest_not_after": ("key", "sql", "time", "timezone"),
}
OF_PROBE = {
    "redis": ("ping", "dbsize", "key", "newest_not_after"),
    "mysql": ("ping", "query", "newest_not_after"),
}
SHORT = {"dbsize": None, "key": "name", "query": "sql"}  # what a value that is no dict stands for
NEEDS = {"key": "name", "query": "sql"}
READS = ("select", "show", "with", "desc", "describe", "explain", "table", "values", "checksum")
WRITES = re.compile(r"(?i)\binto\s+(outfile|dumpfile|@)|\bfor\s+(update|share)\b|\block\s+in\s+share\b|/\*!")
WORD = re.compile(r"[A-Za-z]+")
INTEGER = re.compile(r"-?[0-9]{1,18}")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Check:
    """One check.

    `asks` is what it asks for, `rung` its rung of the ladder, `connection` how to connect for this check alone.
    """

    name: str
    kind: str
    rung: str
    asks: dict[str, t.Any] = field(default_factory=dict)
    connection: dict[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """What Redis says of one key.

    `type` is none when it is not there, `ttl` in seconds, None when it never expires.
    """

    type: str
    value: t.Any = None
    ttl: int | None = None
    length: int | None = None


class Verdict(t.NamedTuple):
    """Whether a check has passed, and the texts for people."""

    passed: bool
    expected: str | None
    found: str


# From the input


def parse(entries: t.Any, probe: str, where: str) -> list[Check]:
    """Return the checks of a row.

    Raises InvalidArgument for what cannot be right. `where` names the row in messages.
    """
    if not isinstance(entries, list):
        raise InvalidArgument(f"{where}.checks must be a list of dicts.")
    found: list[Check] = []
    for number, entry in enumerate(entries):
        check = one(entry, probe, f"{where}.checks[{number}]")
        same = sum(other.name.partition(" #")[0] == check.name for other in found)
        found.append(Check(f"{check.name} #{same + 1}", *list(vars(check).values())[1:]) if same else check)
    return found


def one(entry: t.Any, probe: str, where: str) -> Check:
    """Return one check."""
    if not isinstance(entry, dict):
        raise InvalidArgument(f"{where} must be a dict such as {{ping: true}}.")
    kinds = [name for name in entry if name in ASKS]
    for name in entry:
        if name not in (*ASKS, "name", "connection"):
            raise InvalidArgument(f"{where} has an unknown key: {quoted(name)}.{near(name, ASKS)}")
    if len(kinds) != 1:
        raise InvalidArgument(f"{where} must ask for one thing: {', '.join(OF_PROBE[probe])}.")
    kind = kinds[0]
    if kind not in OF_PROBE[probe]:
        raise InvalidArgument(
            f"{where}: {kind} is not a check of this service; its checks are {', '.join(OF_PROBE[probe])}."
        )
    asks = asked(kind, entry[kind], probe, where)
    subject = asks.get("name") or asks.get("key") or asks.get("sql")
    name = str(entry.get("name") or (f"{kind} {' '.join(str(subject).split())[:60]}" if subject else kind))
    return Check(name, kind, rung(kind, asks), asks, dict(entry.get("connection") or {}))


def asked(kind: str, value: t.Any, probe: str, where: str) -> dict[str, t.Any]:
    """Return what a check asks for. A text stands for its main part, true for no condition at all."""
    if not isinstance(value, dict):
        main = SHORT.get(kind) or {"redis": "key", "mysql": "sql"}[probe]
        value = {} if value is True or value is None else {main: value}
    asks = {name: inner for name, inner in value.items() if inner is not None}
    for name in asks:
        if name not in ASKS[kind]:
            raise InvalidArgument(
                f"{where}.{kind} has an unknown key: {quoted(name)}.{near(name, ASKS[kind])}"
            )
    needed = NEEDS.get(kind) or (
        {"redis": "key", "mysql": "sql"}[probe] if kind == "newest_not_after" else None
    )
    if needed and not asks.get(needed):
        raise InvalidArgument(f"{where}.{kind} must have {needed}.")
    for name in ("at_least", "at_most", "ttl_at_least", "ttl_at_most", "length"):
        if name in asks and number(asks[name]) is None:
            raise InvalidArgument(f"{where}.{kind}.{name} must be a number, not {quoted(asks[name])}.")
    if "sql" in asks:
        refuse_writing(str(asks["sql"]), f"{where}.{kind}.sql")
    return zoned(asks, f"{where}.{kind}")


def zoned(asks: dict[str, t.Any], where: str) -> dict[str, t.Any]:
    """Return what a check asks for, its `time` as milliseconds.

    Raises InvalidArgument for a zone or time that is not valid.
    """
    if "timezone" in asks:
        zone(asks["timezone"], f"{where}.timezone")
    if "time" in asks:
        point = milliseconds(asks["time"], zone(asks.get("timezone"), where))
        if point is None:
            raise InvalidArgument(f"{where}.time {quoted(asks['time'])} is not a valid time.")
        return {**asks, "time": point}
    return asks


def refuse_writing(sql: str, where: str) -> None:
    """Raise InvalidArgument for a statement that could do more than read."""
    bare = (
        re.sub(r"/\*(?!!).*?\*/|--[ \t].*?$|#.*?$", " ", sql, flags=re.S | re.M).strip().lstrip("(").strip()
    )
    first = WORD.match(bare)
    if not first or first[0].lower() not in READS or WRITES.search(bare):
        raise InvalidArgument(
            f"{where} must only read: one statement that begins with SELECT, SHOW or the like."
        )
    if ";" in re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "", bare).rstrip().rstrip(";"):
        raise InvalidArgument(f"{where} must be one statement.")


def near(name: t.Any, known: t.Iterable[str]) -> str:
    """Return a hint at a key that looks alike."""
    found = difflib.get_close_matches(str(name), list(known), 1)
    return f" Did you mean {found[0]}?" if found else f" Known: {', '.join(known)}."


def rung(kind: str, asks: Mapping) -> str:
    """Return the rung of the ladder that a check belongs to."""
    if kind == "ping":
        return REACHABLE
    counts = kind == "dbsize" or (kind == "query" and not {"equals", "rows"} & set(asks))
    return COUNTS if counts else VALUES


# What was found


def judge(check: Check, found: t.Any, point: int | None, count: int | None, tolerance: float) -> Verdict:
    """Return the verdict on what was found.

    `found`: True for ping, an int for dbsize, a Key, or rows. `point`: the time of the data, epoch ms.
    `count`: what an earlier report says of this check, which a count without a bound of its own may differ
    from by `tolerance` percent.
    """
    if check.kind == "ping":
        return Verdict(True, "an answer", "an answer")
    if check.kind == "key":
        return judge_key(check.asks, found)
    if check.kind == "newest_not_after":
        return judge_newest(check.asks, found, point)
    if check.kind == "query" and "rows" in check.asks:
        return judge_rows(check.asks["rows"], found)
    value = found if check.kind == "dbsize" else single(found)
    bounds = {name: check.asks[name] for name in BOUNDS if name in check.asks}
    if bounds:
        return Verdict(within(bounds, value), words(bounds), text(value))
    if count is None or check.rung != COUNTS:
        return Verdict(True, None, text(value))
    low, high = math.floor(count * (1 - tolerance / 100)), math.ceil(count * (1 + tolerance / 100))
    expected = f"{low} to {high} (it was {count}, {tolerance:g} % tolerance)"
    return Verdict(within({"at_least": low, "at_most": high}, value), expected, text(value))


def judge_key(asks: Mapping, key: Key) -> Verdict:
    """Return the verdict on a key."""
    there = key.type != "none"
    wanted = asks.get("exists", True)
    if wanted is False:
        return Verdict(not there, "no such key", f"a {key.type}" if there else "no such key")
    expected, found, good = [], [], [there]
    if not there:
        found.append("no such key")
    for name, value in asks.items():
        if name == "equals":
            expected.append(f"value {text(value)}")
            found += (
                [f"value {text(key.value)}" if key.value is not None else f"a {key.type}"] if there else []
            )
            good.append(equal(value, key.value))
        elif name in ("ttl_at_least", "ttl_at_most"):
            expected.append(
                f"expires in {'at least' if name == 'ttl_at_least' else 'at most'} {text(value)} s"
            )
            found += [f"expires in {key.ttl} s" if key.ttl is not None else "never expires"] if there else []
            left = Decimal("Infinity" if key.ttl is None else key.ttl)
            good.append(left >= bound(value) if name == "ttl_at_least" else left <= bound(value))
        elif name in ("type", "length"):
            actual = vars(key)[name]
            expected.append(f"{name} {text(value)}")
            found += [f"{name} {text(actual)}"] if there else []
            good.append(equal(value, actual))
    return Verdict(
        all(good), ", ".join(expected) or "a key", ", ".join(dict.fromkeys(found)) or f"a {key.type}"
    )


def judge_rows(wanted: t.Any, rows: t.Sequence[t.Sequence[t.Any]]) -> Verdict:
    """Return the verdict on rows: on their number, or on every value."""
    if not isinstance(wanted, list):
        return Verdict(equal(wanted, len(rows)), f"{text(wanted)} rows", f"{len(rows)} rows")
    wanted = [row if isinstance(row, list) else [row] for row in wanted]
    good = len(wanted) == len(rows) and all(
        len(one) == len(other) and all(map(equal, one, other)) for one, other in zip(wanted, rows)
    )
    return Verdict(good, table(wanted), table(rows))


def judge_newest(asks: Mapping, found: t.Any, point: int | None) -> Verdict:
    """Return the verdict on a time that must not lie after the time of the data.

    No time at all is not good: nothing is there.
    """
    limit = asks.get("time", point)
    if limit is None:
        return Verdict(
            False, "a time of the data to compare with, which is not known: give `time`", text(found)
        )
    value = found.value if isinstance(found, Key) else single(found)
    newest = milliseconds(value, zone(asks.get("timezone"), "timezone"))
    expected = f"not after {iso(limit)}"
    if newest is None:
        return Verdict(False, expected, "nothing" if value is None else f"not a time: {text(value)}")
    return Verdict(newest <= limit, expected, iso(newest))


def single(rows: t.Sequence[t.Sequence[t.Any]]) -> t.Any:
    """Return the first value of the first row."""
    return rows[0][0] if rows and rows[0] else None


def within(bounds: Mapping, value: t.Any) -> bool:
    """Whether a value keeps to its bounds."""
    actual = number(value)
    for name, wanted in bounds.items():
        if name == "equals":
            if not equal(wanted, value):
                return False
        elif actual is None or (actual < bound(wanted) if name == "at_least" else actual > bound(wanted)):
            return False
    return True


def words(bounds: Mapping) -> str:
    """Return bounds as people say them."""
    return " and ".join(
        text(wanted) if name == "equals" else f"{name.replace('_', ' ')} {text(wanted)}"
        for name, wanted in bounds.items()
    )


def equal(one: t.Any, other: t.Any) -> bool:
    """Whether two values are the same: numbers by their value, whatever their type; all else as text."""
    left, right = number(one), number(other)
    return left == right if left is not None and right is not None else text(one) == text(other)


def number(value: t.Any) -> Decimal | None:
    """Return a number, or a text that is one; None for all else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(value.decode() if isinstance(value, bytes) else str(value).strip())
    except (InvalidOperation, UnicodeDecodeError):
        return None
    return found if found.is_finite() else None


def bound(value: t.Any) -> Decimal:
    """Return a number that asked() has let through."""
    return number(value) or Decimal(0)


def text(value: t.Any) -> str:
    """Return a value as text."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def table(rows: t.Sequence[t.Sequence[t.Any]]) -> str:
    """Return rows on one line."""
    return "; ".join(", ".join(map(text, row)) for row in rows) or "no rows"


def counted(found: t.Any) -> int | None:
    """Return the number that an earlier report shows as found."""
    return int(found) if INTEGER.fullmatch(str(found)) else None


# Times


def zone(name: t.Any, where: str) -> tzinfo:
    """Return a time zone. Raises InvalidArgument for one that is not known."""
    if not name:
        return timezone.utc
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        raise InvalidArgument(
            f"{where} {quoted(name)} is not a known time zone, such as Europe/Berlin."
        ) from None


def milliseconds(value: t.Any, local: tzinfo) -> int | None:
    """Return the epoch milliseconds of a time in whatever form data hold it; None for what is not one.

    A time without a zone is one of `local`. A number below 10**11 counts seconds.
    """
    if isinstance(value, datetime):
        moved = value if value.tzinfo else value.replace(tzinfo=local)
        return (moved - EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, date):
        return milliseconds(datetime(value.year, value.month, value.day), local)
    exact = number(value)
    if exact is not None:
        return int(exact if abs(exact) >= 10**11 else exact * 1000)
    written = text(value).strip()
    match = ISO.fullmatch(written)
    if not match:
        return None
    found = moment(written)
    if found is None or match[5]:
        return found
    naive = (EPOCH + timedelta(milliseconds=found)).replace(tzinfo=local)
    return (naive - EPOCH) // timedelta(milliseconds=1)
