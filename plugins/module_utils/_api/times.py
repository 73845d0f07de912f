# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times that people write, with their zone or in the zone of the `timezone` option."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    RefutedArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    COMPACT,
    DAY,
    ISO,
    iso,
    moment,
    zone_named,
)


def is_latest(value: t.Any) -> bool:
    """Whether an option asks for the newest data, however that was typed or pasted."""
    return str(value).strip().lower() == "latest"


def read_time(value: t.Any, option: str, zone: str | None, now: float) -> int:
    """Return the epoch milliseconds of a time option.

    A time without a zone is read in `zone`, an IANA name, if that is given.

    `now` is this machine's time in seconds since the epoch: a time more than a day ahead of it is in the
    future by any clock. Raises InvalidArgument, also for a local time that does not exist or exists twice on
    that day.
    """
    written, latest = str(value).strip(), int(now * 1000) + DAY
    match = ISO.fullmatch(written)
    if zone is None or not match or match[5]:
        return epoch_ms(written, option, latest)
    day, minute, second, fraction, dummy = match.groups()
    place = zone_named(zone)
    try:
        naive = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}")
        readings = sorted({int(naive.replace(tzinfo=place, fold=fold).timestamp()) for fold in (0, 1)})
        exists = [
            found for found in readings if datetime.fromtimestamp(found, place).replace(tzinfo=None) == naive
        ]
    except (ValueError, OverflowError):  # no such day, or at either end of the calendar
        return epoch_ms(f"{written}Z", option, latest)  # which says what is wrong with it
    if len(exists) != 1:
        how = "exists twice" if exists else "does not exist"
        both = " or ".join(iso(found * 1000) for found in readings)
        raise InvalidArgument(f"{option} {written} {how} in {zone} on that day: write {both}.")
    ms = exists[0] * 1000 + int((fraction or ".0")[1:].ljust(3, "0")[:3])
    return ms if 0 <= ms <= latest else epoch_ms(str(ms), option, latest)


def time_of(params: t.Mapping[str, t.Any], option: str, cloud: Cloud) -> int:
    """Return a time option as epoch milliseconds, read in the zone of `timezone` if it has none."""
    zone = params["timezone"] or cloud.settings.get("timezone")
    return read_time(params[option], option, zone, cloud.clock.now())


def point_of(params: t.Mapping[str, t.Any], option: str, cloud: Cloud) -> int | None:
    """Return a time option as epoch milliseconds; None for `latest`, and for an option that is not set."""
    return None if params[option] is None or is_latest(params[option]) else time_of(params, option, cloud)


def epoch_ms(value: t.Any, option: str, now_ms: int) -> int:
    """Return the epoch milliseconds of an option.

    Raises InvalidArgument for a naive time, one in seconds, in the future, or no time at all.
    """
    written = str(value).strip()
    match = ISO.fullmatch(written)
    found = moment(written)
    if re.fullmatch(r"[0-9]{1,16}(\.0+)?", written, re.ASCII) and not COMPACT.match(written):
        found = int(written.partition(".")[0])
        if found < 10**11:
            raise InvalidArgument(
                f"{option} {written} looks like seconds: give epoch times in milliseconds (13 digits)."
            )
    elif match and not match[5]:
        raise InvalidArgument(
            f"{option} {written} names no time zone: write 2026-01-31T03:00:00Z or "
            "2026-01-31T11:00:00+08:00, or give the zone in timezone."
        )
    if found is None or found < 0:
        raise InvalidArgument(
            f"{option} {quoted(written)} is not a time: give ISO 8601 with a zone (2026-01-31T03:00:00Z), "
            "epoch milliseconds, or yyyyMMddHHmmss in UTC."
        )
    if found > now_ms:
        raise InvalidArgument(f"{option} {written} lies in the future.")
    return found


def is_future(ms: int, server_now_ms: int) -> bool:
    """Whether a time from the cloud is ahead of its clock by more than a wrong clock or zone explains."""
    return ms > server_now_ms + DAY


def check_not_future(ms: int, option: str, server_now_ms: int) -> None:
    """Raise RefutedArgument when a time lies after the cloud's own."""
    if ms > server_now_ms:
        raise RefutedArgument(
            f"{option} {iso(ms)} lies in the future: by the cloud's clock it is {iso(server_now_ms)}."
        )
