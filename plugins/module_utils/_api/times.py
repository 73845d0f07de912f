# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points in time: ISO 8601 with a zone or epoch milliseconds from people, several spellings from the API, ISO 8601 UTC to people."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timedelta, timezone

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument, printable

ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ]((?:[01]\d|2[0-3]):\d\d)(:\d\d)?(\.\d{1,9})? ?(Z|z|[+-]\d\d:?[0-5]\d)?", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(value: t.Any) -> int | None:
    """Return the epoch milliseconds of a time as the API writes it (Z, +0000, +00:00; UTC where it names no zone), or None."""
    match = ISO.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        return None
    day, minute, second, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else f"{zone[:3]}:{zone[-2:]}"
    try:
        parsed = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}{zone}")  # strptime takes 20 times as long
    except ValueError:
        return None
    return (parsed - EPOCH) // timedelta(milliseconds=1) + int((fraction or ".0")[1:].ljust(3, "0")[:3])


def epoch_ms(value: t.Any, option: str, now_ms: int) -> int:
    """Return the epoch milliseconds of an option. Raises InvalidArgument for a naive time, one in seconds, in the future, or no time at all."""
    written = str(value).strip()
    match = ISO.fullmatch(written)
    if re.fullmatch(r"[0-9]{1,16}(\.0+)?", written, re.ASCII):
        found: int | None = int(written.partition(".")[0])
        if t.cast(int, found) < 10**11:
            raise InvalidArgument(f"{option} {written} looks like seconds: epoch times are given in milliseconds (13 digits).")
    elif match and not match[5]:
        raise InvalidArgument(f"{option} {written} names no time zone: write 2026-01-31T03:00:00Z or 2026-01-31T11:00:00+08:00.")
    else:
        found = moment(written)
    if found is None or found < 0:
        raise InvalidArgument(f"{option} {printable(written, 80)!r} is not a time: give ISO 8601 with a zone (2026-01-31T03:00:00Z) or epoch milliseconds.")
    if found > now_ms:
        raise InvalidArgument(f"{option} {written} lies in the future.")
    return found


def iso(ms: int) -> str:
    """Return 2026-01-31T03:00:00.000Z for epoch milliseconds."""
    return (EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def newest_first(rows: t.Iterable[dict[str, t.Any]], field: str) -> list[dict[str, t.Any]]:
    """Return rows by the time in `field`, newest first; the lists' own order is not documented. Rows without a time come last."""
    return sorted(rows, key=lambda row: moment(row[field]) or 0, reverse=True)
