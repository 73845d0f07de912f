# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a row: what they expect, and the verdict on what was found. All functions are pure."""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass, field, replace
from datetime import date, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import near, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    EPOCH,
    ISO,
    iso,
    moment,
    zone_named,
)

Mapping = t.Mapping[str, t.Any]
REACHABLE, COUNTS, VALUES = "reachable", "counts", "values"
BOUNDS = ("equals", "at_least", "at_most")
OPTIONS = {  # kind of check -> the keys that it can have
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
SUBJECT = {"redis": "key", "mysql": "sql"}  # what newest_not_after reads
NEEDS = {"key": "name", "query": "sql"}  # a value that is no dict stands for this
FORMS = {  # kind of check -> how it is written
    "ping": "{ping: true}",
    "dbsize": "{dbsize: {at_least: 1}} or {dbsize: true}",
    "key": "{key: NAME} or {key: {name: NAME, type: string}}",
    "query": "{query: STATEMENT} or {query: {sql: STATEMENT, at_least: 1}}",
    "newest_not_after": "{newest_not_after: KEY} for a cache, {newest_not_after: STATEMENT} for a database",
}
CONDITIONS = (*BOUNDS, "exists", "ttl_at_least", "ttl_at_most", "type", "length", "rows")
COUNTED = ("ttl_at_least", "ttl_at_most", "length", "rows")  # whole numbers from 0
KEY_TYPES = ("string", "list", "set", "zset", "hash", "stream")  # what Redis calls the type of a key
DATE_ONLY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
READS = ("select", "show", "with", "desc", "describe", "explain", "table", "values", "checksum")
WRITES = re.compile(r"(?i)\b(into\s+(outfile|dumpfile|@)|for\s+(update|share)\b|lock\s+in\s+share\b)|/\*M?!")
CHANGES = re.compile(r"(?i)(?<![\w.@])((insert|replace)\s+into|delete|update)\b")
WORD = re.compile(r"[A-Za-z]+")
# Quotes and comments. A server takes \ for an escape in ' and ", in ' only or nowhere, but never in `.
QUOTES = [
    re.compile(
        rf"(?sm)({escaping})(?:\\.|(?!\1|\\).)*\1"
        r"|(['\"`])(?:(?!\2).)*\2|/\*(?!M?!).*?\*/|--(?=[\0- \x7f]).*?$|#.*?$"
    )
    for escaping in ("['\"]", "'", "(?!)")
]
INTEGER = re.compile(r"-?[0-9]{1,18}")
MOST_ROWS = 1000  # that a query may have
LONGEST_VALUE = 64 * 1024  # bytes of a value that is read
DIGITS = 1000  # of a number: Python fails at much longer ones
FIRST, LAST = -62135596800000, 253402300799999  # epoch milliseconds: the years 1 to 9999


@dataclass(frozen=True)
class Check:
    """One check.

    `options` are those of its kind (OPTIONS), `rung` is its rung of the ladder, `connection` how to connect
    for it alone.
    """

    name: str
    kind: str
    rung: str
    options: dict[str, t.Any] = field(default_factory=dict)
    connection: dict[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """What Redis says of one key.

    `type` is none if it does not exist; `ttl` is in seconds, None if it never expires.
    """

    type: str
    value: t.Any = None
    ttl: int | None = None
    length: int | None = None


class Unjudged(CloudError):
    """The value found cannot be compared with the expected one, so it says nothing about the data."""

    kind = "verification_failed"


class Verdict(t.NamedTuple):
    """Whether a check has passed, with the texts for people."""

    passed: bool
    expected: str | None
    found: str


# From the input


def parse(entries: t.Any, probe: str, where: str) -> list[Check]:
    """Return the checks of a row.

    Raises InvalidArgument for input that can never be right. `where` names the row in messages.
    """
    if not isinstance(entries, list):
        raise InvalidArgument(f"{where}.checks must be a list of dictionaries.")
    found: list[Check] = []
    for number, entry in enumerate(entries):
        check = parse_one(entry, probe, f"{where}.checks[{number}]")
        same = sum(other.name.partition(" #")[0] == check.name for other in found)
        found.append(replace(check, name=f"{check.name} #{same + 1}") if same else check)
    return found


def parse_one(entry: t.Any, probe: str, where: str) -> Check:
    """Return one check."""
    if not isinstance(entry, dict):
        raise InvalidArgument(f"{where} must be a dictionary such as {{ping: true}}.")
    kinds = [name for name in OPTIONS if name in entry]
    for name in entry:
        if name not in (*OPTIONS, "name", "connection"):
            raise InvalidArgument(f"{where} has an unknown key: {quoted(name)}.{near(name, OPTIONS)}")
    if len(kinds) != 1:
        raise InvalidArgument(f"{where} must have exactly one check: {', '.join(OF_PROBE[probe])}.")
    kind = kinds[0]
    if kind not in OF_PROBE[probe]:
        raise InvalidArgument(
            f"{where}: {kind} is not a check of this service; its checks are {', '.join(OF_PROBE[probe])}."
        )
    options = options_of(kind, entry[kind], probe, f"{where}.{kind}")
    subject = options.get("name") or options.get("key") or options.get("sql")
    name = str(entry.get("name") or (f"{kind} {' '.join(str(subject).split())[:60]}" if subject else kind))
    given = entry.get("connection") or {}
    if not isinstance(given, dict):
        raise InvalidArgument(f"{where}.connection must be a dictionary.")
    return Check(name, kind, rung_of(kind, options), options, dict(given))


def options_of(kind: str, value: t.Any, probe: str, where: str) -> dict[str, t.Any]:
    """Return the options of a check. A text stands for its main key, true for no condition at all."""
    main = SUBJECT[probe] if kind == "newest_not_after" else NEEDS.get(kind)
    if not isinstance(value, dict):
        value = from_shorthand(kind, value, main, where)
    known = [name for name in OPTIONS[kind] if name not in SUBJECT.values() or name == main]
    for name in value:
        if name not in known:
            raise InvalidArgument(f"{where} has an unknown key: {quoted(name)}.{near(name, known)}")
        if value[name] is None and name in CONDITIONS:
            raise InvalidArgument(f"{where}.{name} is null: leave it out, or give what is expected.")
    options = {name: inner for name, inner in value.items() if inner is not None}
    if main:
        if options.get(main, "") == "":
            raise InvalidArgument(f"{where} must have {main}.")
        if isinstance(options[main], (dict, list, bool)):
            raise InvalidArgument(f"{where}.{main} must be text, not {quoted(options[main])}.")
    if "exists" in options:
        options["exists"] = truth(options["exists"], f"{where}.exists")
    for name, inner in options.items():
        refuse_value(kind, name, inner, f"{where}.{name}")
    refuse_contradiction(options, where)
    if "sql" in options:
        refuse_writing(str(options["sql"]), f"{where}.sql")
    return zoned(options, where)


def from_shorthand(kind: str, value: t.Any, main: str | None, where: str) -> dict[str, t.Any]:
    """Return the options that a value other than a dict stands for."""
    if value is None or value is True:
        return {}
    if main and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {main: value}
    if kind == "ping" and truth(value, where):  # true as a text, from an extra variable
        return {}
    hint = " Leave it out where nothing is to be checked." if value is False else ""
    raise InvalidArgument(f"{where} must be written as {FORMS[kind]}, not as {quoted(value)}.{hint}")


def truth(value: t.Any, where: str) -> bool:
    """Return a boolean, also of a text that Ansible takes for one."""
    try:
        return bool(boolean(value))
    except TypeError:
        raise InvalidArgument(f"{where} must be true or false, not {quoted(value)}.") from None


def refuse_value(kind: str, name: str, value: t.Any, where: str) -> None:
    """Raise InvalidArgument for a value with which a check can only fail, or always passes."""
    if name == "rows" and isinstance(value, list):
        if len(value) > MOST_ROWS:
            raise InvalidArgument(f"{where} has more than the {MOST_ROWS} rows that a query may have.")
        cells = [cell for row in value for cell in (row if isinstance(row, list) else [row])]
        if any(isinstance(cell, (dict, list)) for cell in cells):
            raise InvalidArgument(f"{where} must be a number, or a list of rows, each a list of values.")
    elif name in COUNTED or kind == "dbsize":
        found = decimal_of(value)
        if found is None or found < 0 or found != found.to_integral_value():
            what = "a number" if found is None else "a whole number and not below 0"
            raise InvalidArgument(f"{where} must be {what}, not {quoted(value)}.")
        if name == "rows" and found > MOST_ROWS:
            raise InvalidArgument(f"{where} is more than the {MOST_ROWS} rows that a query may have.")
    elif name in ("at_least", "at_most") and decimal_of(value) is None:
        raise InvalidArgument(f"{where} must be a number, not {quoted(value)}.")
    elif name == "equals" and (isinstance(value, (dict, list)) or not str(value).strip()):
        raise InvalidArgument(f"{where} must be one value, not {quoted(value)}.")
    elif name == "equals" and kind == "key" and len(str(value).encode("utf-8", "replace")) > LONGEST_VALUE:
        raise InvalidArgument(f"{where} is longer than {LONGEST_VALUE} bytes, the most that a check reads.")
    elif name == "type" and value not in KEY_TYPES:
        raise InvalidArgument(f"{where} {quoted(value)} is not a type of key.{near(value, KEY_TYPES)}")


def refuse_contradiction(options: Mapping, where: str) -> None:
    """Raise InvalidArgument for conditions that exclude each other, or of which one would be ignored."""
    for low, high in (("at_least", "at_most"), ("ttl_at_least", "ttl_at_most")):
        if low in options and high in options and bound(options[low]) > bound(options[high]):
            raise InvalidArgument(f"{where}: {low} is more than {high}, so no value can pass.")
    bounds = {name: options[name] for name in ("at_least", "at_most") if name in options}
    if "equals" in options and not within(bounds, options["equals"]):
        raise InvalidArgument(f"{where}: equals is outside the bounds, so no value can pass.")
    if "rows" in options and {*BOUNDS} & set(options):
        raise InvalidArgument(f"{where}: rows compares all rows, so it cannot be combined with a bound.")
    if options.get("exists") is False and len(options) > 2:
        raise InvalidArgument(f"{where}: a key that must not exist has nothing else to check.")
    if "equals" in options and options.get("type", "string") != "string":
        raise InvalidArgument(f"{where}: equals needs a key of type string, but type names another type.")


def zoned(options: dict[str, t.Any], where: str) -> dict[str, t.Any]:
    """Return the options of a check, with `time` in epoch ms. Raises InvalidArgument."""
    if "timezone" in options:
        zone(options["timezone"], f"{where}.timezone")
    if "time" in options:
        point = milliseconds(options["time"], zone(options.get("timezone"), where))
        if point is None:
            raise InvalidArgument(f"{where}.time {quoted(options['time'])} is not a valid time.")
        return {**options, "time": point}
    return options


def refuse_writing(sql: str, where: str) -> None:
    """Raise InvalidArgument for a statement that may do more than read."""
    bare = [quotes.sub(lambda found: "''" if found.lastindex else " ", sql) for quotes in QUOTES]
    faults = [more_than_a_read(one.strip(" \t\r\n(;")) for one in bare]
    for fault in filter(None, faults):
        if None in faults:
            fault += " Servers differ on a backslash in a text: write '' for a quote, CHAR(92) for a \\."
        raise InvalidArgument(f"{where} {fault}")


def more_than_a_read(bare: str) -> str | None:
    """Return why a statement without its texts is refused, or None."""
    first = WORD.match(bare)
    if not first or first[0].lower() not in READS or WRITES.search(bare):
        return "must only read: one statement that begins with SELECT, SHOW or the like."
    if CHANGES.search(bare):
        return "must only read, but a part of it changes rows."
    return "must be one statement." if ";" in bare else None


def rung_of(kind: str, options: Mapping) -> str:
    """Return the rung of the ladder that a check belongs to."""
    if kind == "ping":
        return REACHABLE
    counts = kind == "dbsize" or (kind == "query" and not {"equals", "rows"} & set(options))
    return COUNTS if counts else VALUES


# What was found


def judge(check: Check, found: t.Any, point: int | None, count: int | None, tolerance: float) -> Verdict:
    """Return the verdict on what was found.

    `found`: True for ping, an int for dbsize, a Key, or rows. `point`: the time of the data in epoch ms.
    `count`: the count of this check in an earlier report. A count without its own bound may differ from it by
    `tolerance` percent. Raises Unjudged.
    """
    if check.kind == "ping":
        return Verdict(True, "a response", "a response")
    if check.kind == "key":
        return judge_key(check.options, found)
    if check.kind == "newest_not_after":
        return judge_newest(check.options, found, point)
    if check.kind == "query" and "rows" in check.options:
        return judge_rows(check.options["rows"], found)
    value = found if check.kind == "dbsize" else single(found)
    bounds = {name: check.options[name] for name in BOUNDS if name in check.options}
    if bounds:
        if {"at_least", "at_most"} & set(bounds) and value is not None and decimal_of(value) is None:
            raise Unjudged(f"The value found is not a number, so no bound applies: {as_text(value)}.")
        return Verdict(within(bounds, value), bounds_text(bounds), as_text(value))
    if count is None:
        return Verdict(True, None, as_text(value))
    low, high = math.floor(count * (1 - tolerance / 100)), math.ceil(count * (1 + tolerance / 100))
    expected = f"{low} to {high} (it was {count}, {tolerance:g} % tolerance)"
    return Verdict(within({"at_least": low, "at_most": high}, value), expected, as_text(value))


def judge_key(options: Mapping, key: Key) -> Verdict:
    """Return the verdict on a key."""
    there = key.type != "none"
    wanted = options.get("exists", True)
    if wanted is False:
        return Verdict(not there, "no such key", f"a {key.type}" if there else "no such key")
    for name, actual in (("equals", key.value), ("length", key.length)):
        if there and name in options and actual is None and "type" not in options:
            raise Unjudged(f"The key is a {key.type}, and {name} does not apply to that type.")
    expected, found, good = [], [], [there]
    if not there:
        found.append("no such key")
    for name, value in options.items():
        if name == "equals":
            expected.append(f"value {as_text(value)}")
            if there:
                found.append(f"a {key.type}" if key.value is None else f"value {as_text(key.value)}")
            good.append(equal(value, key.value))
        elif name in ("ttl_at_least", "ttl_at_most"):
            least = name == "ttl_at_least"
            expected.append(f"expires in {'at least' if least else 'at most'} {as_text(value)} s")
            if there:
                found.append("never expires" if key.ttl is None else f"expires in {key.ttl} s")
            left = Decimal("Infinity" if key.ttl is None else key.ttl)
            good.append(left >= bound(value) if least else left <= bound(value))
        elif name in ("type", "length"):
            actual = vars(key)[name]
            expected.append(f"{name} {as_text(value)}")
            if there:
                found.append(f"{name} {as_text(actual)}")
            good.append(equal(value, actual))
    return Verdict(
        all(good), ", ".join(expected) or "a key", ", ".join(dict.fromkeys(found)) or f"a {key.type}"
    )


def judge_rows(wanted: t.Any, rows: t.Sequence[t.Sequence[t.Any]]) -> Verdict:
    """Return the verdict on rows: on their number, or on every value."""
    if not isinstance(wanted, list):
        return Verdict(equal(wanted, len(rows)), f"{as_text(wanted)} rows", f"{len(rows)} rows")
    wanted = [row if isinstance(row, list) else [row] for row in wanted]
    good = len(wanted) == len(rows) and all(
        len(one) == len(other) and all(map(equal, one, other)) for one, other in zip(wanted, rows)
    )
    return Verdict(good, table(wanted), table(rows))


def judge_newest(options: Mapping, found: t.Any, point: int | None) -> Verdict:
    """Return the verdict on a time that must not lie after the time of the data.

    No time at all is a failure, because there are no data.
    """
    limit = options.get("time", point)
    if limit is None:
        raise Unjudged("The time of the data is not known, so nothing can be compared with it: give time.")
    if isinstance(found, Key) and found.type not in ("none", "string"):
        raise Unjudged(f"The key is a {found.type}, which holds no time.")
    value = found.value if isinstance(found, Key) else single(found)
    newest = milliseconds(value, zone(options.get("timezone"), "timezone"))
    if newest is None and value is not None:
        raise Unjudged(f"The value found is not a time: {as_text(value)}.")
    expected = f"not after {iso(limit)}"
    if newest is None:
        return Verdict(False, expected, "nothing")
    return Verdict(newest <= limit, expected, iso(newest))


def single(rows: t.Sequence[t.Sequence[t.Any]]) -> t.Any:
    """Return the first value of the first row."""
    return rows[0][0] if rows and rows[0] else None


def within(bounds: Mapping, value: t.Any) -> bool:
    """Whether a value is within its bounds."""
    actual = decimal_of(value)
    for name, wanted in bounds.items():
        if name == "equals":
            good = equal(wanted, value)
        elif name == "at_least":
            good = actual is not None and actual >= bound(wanted)
        else:
            good = actual is not None and actual <= bound(wanted)
        if not good:
            return False
    return True


def bounds_text(bounds: Mapping) -> str:
    """Return bounds in words."""
    return " and ".join(
        as_text(wanted) if name == "equals" else f"{name.replace('_', ' ')} {as_text(wanted)}"
        for name, wanted in bounds.items()
    )


def equal(one: t.Any, other: t.Any) -> bool:
    """Whether two values are the same: numbers by their value, whatever their type, and true as 1, as MySQL
    has it; all else as text.
    """
    left, right = (decimal_of(value) for value in (one, other))
    if isinstance(one, bool) and right is not None:
        left = Decimal(one)
    return left == right if left is not None and right is not None else as_text(one) == as_text(other)


def decimal_of(value: t.Any) -> Decimal | None:
    """Return a number, also from a text; None for all else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(value.decode() if isinstance(value, bytes) else str(value).strip())
    except (InvalidOperation, UnicodeDecodeError):
        return None
    return found if found.is_finite() and abs(found.adjusted()) < DIGITS else None


def bound(value: t.Any) -> Decimal:
    """Return a number that options_of() has accepted."""
    return decimal_of(value) or Decimal(0)


def as_text(value: t.Any) -> str:
    """Return a value as text."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value).lower() if isinstance(value, bool) else str(value)


def table(rows: t.Sequence[t.Sequence[t.Any]]) -> str:
    """Return rows on one line."""
    return "; ".join(", ".join(map(as_text, row)) for row in rows) or "no rows"


# Times


def zone(name: t.Any, where: str) -> tzinfo:
    """Return a time zone, UTC without a name. Raises InvalidArgument for one that is not known."""
    return zone_named(str(name), where) if name else timezone.utc


def milliseconds(value: t.Any, local: tzinfo) -> int | None:
    """Return the epoch milliseconds of a time in whatever form data hold it; None for what is not one.

    A time without a zone is one of `local`, a day alone its midnight. A number below 10**11 counts seconds.
    """
    found = unbounded(value, local)
    return found if found is not None and FIRST <= found <= LAST else None


def unbounded(value: t.Any, local: tzinfo) -> int | None:
    """Return the epoch milliseconds of a time in any year."""
    exact = decimal_of(value)
    if exact is not None:
        exact = exact if abs(exact) >= 10**11 else exact * 1000
        return int(exact) if abs(exact) <= LAST else None  # one of a million digits would take long
    written = value.isoformat() if isinstance(value, date) else as_text(value).strip()
    match = ISO.fullmatch(f"{written}T00:00" if DATE_ONLY.fullmatch(written) else written)
    if not match:
        return None
    found = moment(match[0])
    if found is None or match[5]:
        return found
    naive = (EPOCH + timedelta(milliseconds=found)).replace(tzinfo=local)
    return (naive - EPOCH) // timedelta(milliseconds=1)
