# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular values from the API, whatever it sends instead, and the IDs and time zones of options."""

from __future__ import annotations

import contextlib
import email.utils
import re
import typing as t
from datetime import datetime, timedelta, timezone

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import error_in
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    ProtocolError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import one_spelling, quoted

with contextlib.suppress(ImportError):  # Python 3.8, which run_module() refuses
    import zoneinfo

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):\d\d)(:\d\d)?(\.\d{1,9})? ?(Z|z|[+-]\d\d(?::?[0-5]\d)?)?",
    re.ASCII,
)
NUMBER = re.compile(r"-?(?=.{1,40}$)[0-9]{1,18}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
LARGEST = 2**53
# The API's yyyyMMddHHmmss
COMPACT = re.compile(r"\A((?:19|20)\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\Z", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY = 86_400_000  # ms
OF_THE_MACHINE = ("localtime", "posixrules", "factory")  # names that mean another zone on another machine


def is_id(value: t.Any) -> bool:
    """Whether value can be an ID of the API: 1 to 128 letters, digits, '-' and '_', one path segment."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def is_id_option(name: str) -> bool:
    """Whether an option holds an ID. operation_id is free text: it is only hashed."""
    return name.endswith("_id") and name != "operation_id"


def check_ids(values: t.Mapping[str, t.Any], within: str = "") -> None:
    """Refuse every option *_id that cannot be an ID, before it becomes part of a URL."""
    for name, value in values.items():
        if is_id_option(name) and value is not None and not is_id(value):
            by_name = f"{name[:-3]}_name"
            hint = f" A name goes into {by_name}." if by_name in values else ""
            raise InvalidArgument(
                f"{within}{name} {quoted(value)} is not an ID: letters, digits, '-' and '_', 1 to 128 "
                f"characters.{hint}"
            )
        for place, inner in enumerate(value if isinstance(value, list) else ()):
            if isinstance(inner, dict):
                check_ids(inner, f"{name}[{place}].")


def text(value: t.Any) -> str | None:
    """Return a string, or None for the forms in which the API writes null: {}, [], '', null and '{}'.

    DCS's examples have `"error_code": {}`, and the official SDK makes '{}' of it.
    """
    if value in (None, "", "{}") or isinstance(value, (dict, list)):
        return None
    return one_spelling(str(value).encode("utf-8", "replace").decode("utf-8"))


def flag(value: t.Any) -> bool | None:
    """Return a bool for true/"TRUE"/"true" and false/"FALSE"/"false"; None for all else."""
    return {"true": True, "false": False}.get(str(value).lower())


def whole(value: t.Any) -> int | None:
    """Return an int for a whole number, also for one such as 4.0E10 or "4096.0"; None for all else."""
    found = number(value)
    return found if isinstance(found, int) else None


def number(value: t.Any) -> int | float | None:
    """Return a number, as an int if it is whole; None for all else.

    Services write numbers as 4096, "4096", 4.0E10 and 0.5.
    """
    if isinstance(value, bool) or not re.fullmatch(NUMBER, str(value)):
        return None
    text = str(value)
    if re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    found = float(text)
    if abs(found) >= LARGEST:
        return None  # a float of that size does not say which number is meant
    return int(found) if found == int(found) else found


def row(
    item: t.Any, required: t.Iterable[str], optional: t.Iterable[str] = (), nullable: t.Iterable[str] = ()
) -> dict[str, t.Any]:
    """Return the named fields of an API object as text.

    Raises ProtocolError when a required field is missing or an ID is not valid. Those in `nullable` must be
    there but may be null, and so may a status, which is `unknown` then: one null must not spoil a list.
    """
    if not isinstance(item, dict):
        raise ProtocolError(f"The API sent a {type(item).__name__} where an object is documented.")
    fields = {name: text(item.get(name)) for name in (*required, *nullable, *optional)}
    if "status" in fields and item.get("status", 0) in (None, "", {}, "{}"):
        fields["status"] = "unknown"
    missing = [
        name for name in required if fields[name] is None or (name.endswith("id") and not is_id(item[name]))
    ]
    missing += [name for name in nullable if name not in item]
    if missing:
        # Names are shown whole: half a name could be half a secret.
        has = [name for name in item if len(name) <= 40][:20]
        raise ProtocolError(
            f"The API sent an object without a valid {', '.join(missing)} (it has: {', '.join(has)})"
            f"{error_in(item)}."
        )
    return fields


def bare(ident: t.Any) -> str:
    """Return an ID as it is compared: without capitals and dashes."""
    return str(ident).lower().replace("-", "")


def same_id(*ids: str | None) -> bool:
    """Whether IDs are the same one."""
    return len(set(map(bare, ids))) == 1


def require_id(found: dict[str, t.Any], key: str, wanted: str) -> dict[str, t.Any]:
    """Return what a call has read about one object. Raises ProtocolError when it is about another one."""
    if not same_id(found[key], wanted):
        raise ProtocolError(f"The task requested {wanted}, but the response is about {found[key]}.")
    return found


def items(body: t.Any, key: str, total: int | None = None, who: str = "The API") -> list[t.Any]:
    """Return the list under `key`.

    A null or missing list counts as empty only when a total of 0 agrees.
    """
    found = body.get(key) if isinstance(body, dict) else None
    if isinstance(body, dict) and found in (None, {}, "") and total == 0:
        return []
    if not isinstance(found, list):
        raise ProtocolError(f"{who} sent a response without the list {key!r}{error_in(body)}.")
    return found


def moment(value: t.Any) -> int | None:
    """Return the epoch milliseconds of a time as the API writes it, or None.

    2026-01-31T03:00:00 with Z, +0000 or +00:00, in UTC without a zone; 20260131030000 in UTC; or 13 digits,
    which are epoch ms.
    """
    written = value.strip() if isinstance(value, str) else ""
    if re.fullmatch("[0-9]{13}", written):
        return int(written)
    match = ISO.fullmatch(COMPACT.sub(r"\1-\2-\3T\4:\5:\6Z", written))
    if not match:
        return None
    day, minute, second, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else f"{zone[:3]}:{zone[3:].strip(':') or '00'}"
    try:
        # strptime would take 20 times as long.
        parsed = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}{zone}")
    except ValueError:
        return None
    if not 1 < parsed.year < 9999:  # at either end of the calendar, another zone may have no such time
        return None
    return (parsed - EPOCH) // timedelta(milliseconds=1) + int((fraction or ".0")[1:].ljust(3, "0")[:3])


def http_date(value: str | None) -> float | None:
    """Return the epoch seconds of a time as HTTP writes it, or None when it is absent or malformed.

    It is in UTC, also where it names no zone, as in the form of asctime().
    """
    try:
        found = email.utils.parsedate_to_datetime(t.cast(str, value))
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None


def iso(ms: int) -> str:
    """Return 2026-01-31T03:00:00.000Z for epoch milliseconds."""
    return (EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def newest_first(rows: t.Iterable[dict[str, t.Any]], field: str) -> list[dict[str, t.Any]]:
    """Return rows by the time in `field`, newest first; the lists' own order is not documented.

    Rows without a time come last.
    """
    return sorted(rows, key=lambda row: moment(row[field]) or 0, reverse=True)


def zone_named(name: str, option: str = "timezone (or HW_TIMEZONE)") -> zoneinfo.ZoneInfo:
    """Return the zone with an IANA name. Raises InvalidArgument."""
    try:
        if name.lower() in OF_THE_MACHINE:
            raise ValueError(name)
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if not zoneinfo.available_timezones():
            raise InvalidArgument(
                f"The Python that runs this task has no data about time zones, which {option} needs: install "
                "tzdata (the system's package, or pip install tzdata), or write times with their zone "
                "(2026-01-31T11:00:00+08:00)."
            ) from None
        raise InvalidArgument(
            f"{option} {quoted(name)} is not a known time zone: give an IANA name, such as Europe/Berlin or "
            "Asia/Singapore."
        ) from None
