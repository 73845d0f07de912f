# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points in time: what people may write, what the API writes, and what is refused."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import (
    check_not_future,
    epoch_ms,
    read_time,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    iso,
    moment,
    newest_first,
    zone_named,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import in_words
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._lines import local_text

MS = 1_747_732_352_000  # 2025-05-20T09:12:32Z
NOW = 1_780_000_000_000

ACCEPTED = [
    (MS, MS),
    (str(MS), MS),
    (f" {MS} ", MS),
    (MS + 76, MS + 76),
    (f"{MS}.0", MS),
    (float(MS), MS),
    ("2025-05-20T09:12:32Z", MS),
    ("2025-05-20t09:12:32z".upper().replace("T", " "), MS),
    ("2025-05-20 09:12:32Z", MS),
    ("2025-05-20T09:12:32z", MS),
    ("2025-05-20T09:12:32+00:00", MS),
    ("2025-05-20T09:12:32+0000", MS),
    ("2025-05-20T17:12:32+08:00", MS),
    ("2025-05-20T17:12:32 +0800", MS),
    ("2025-05-20 17:12:32+08", MS),  # as PostgreSQL writes it
    ("2025-05-20T05:12:32-04", MS),
    ("2025-05-20t09:12:32z", MS),  # RFC 3339 allows small letters
    ("2025-05-20T04:42:32-04:30", MS),
    ("2025-05-20T09:12Z", MS - 32_000),
    ("2025-05-20T09:12:32.5Z", MS + 500),
    ("2025-05-20T09:12:32.076Z", MS + 76),
    ("2025-05-20T09:12:32.076999999Z", MS + 76),
    (str(NOW), NOW),
]


@pytest.mark.parametrize(("value", "expected"), ACCEPTED)
def test_accepted(value: Any, expected: int) -> None:
    assert epoch_ms(value, "restore_time", NOW) == expected


REFUSED = [
    ("2025-05-20T09:12:32", "names no time zone"),
    ("2025-05-20 09:12", "names no time zone"),
    ("1747732352", "looks like seconds"),
    (1747732352, "looks like seconds"),
    ("0", "looks like seconds"),
    (str(NOW + 1), "lies in the future"),
    ("2099-01-01T00:00:00Z", "lies in the future"),
    ("9" * 16, "lies in the future"),
    ("9" * 17, "is not a time"),
    ("17477323520760000000", "is not a time"),
    (f"{MS}.5", "is not a time"),
    (f"-{MS}", "is not a time"),
    (True, "is not a time"),
    ("True", "is not a time"),
    ("", "is not a time"),
    ("yesterday", "is not a time"),
    ("latest", "is not a time"),
    ("2025-05-20", "is not a time"),
    ("20990520091232", "lies in the future"),
    ("2025-02-30T00:00:00Z", "is not a time"),
    ("2025-05-20T24:00:00Z", "is not a time"),
    ("2025-05-20T09:12:60Z", "is not a time"),
    ("2025-05-20T09:12:32+25:00", "is not a time"),
    ("2025-05-20T09:12:32+25", "is not a time"),
    ("2025-05-20T09:12:32+8", "is not a time"),
    ("2025-05-20T09:12:32 UTC", "is not a time"),
    ("2025-05-20T09:12:32Z\nX: 1", "is not a time"),
    ("\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660\u0661\u0662\u0663", "is not a time"),
    ("1969-12-31T23:59:59Z", "is not a time"),
    ("0000-01-01T00:00:00Z", "is not a time"),
    ("nan", "is not a time"),
    ("1e12", "is not a time"),
    ("0x19700000000", "is not a time"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED)
def test_refused(value: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        epoch_ms(value, "restore_time", NOW)
    assert str(caught.value).startswith("restore_time ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-07-18T21:41:20.721Z", 1500414080721),
        ("2025-05-20T09:40:40+0000", 1747734040000),
        ("2025-05-20T09:40:40+00:00", 1747734040000),
        ("2025-05-20T17:40:40+08", 1747734040000),
        ("2025-05-20 09:40:40", 1747734040000),  # no zone: the API means UTC
        ("2015-11-09T01:42:57.527363Z", 1447033377527),
        ("", None),
        (None, None),
        ({}, None),
        (1747734040000, None),
        ("1747734040000", 1747734040000),  # epoch ms as text, as in the jobs of DCS
        ("1747734040", None),
        ("now", None),
        ("2025-13-20T09:40:40Z", None),
        ("9999-12-31T23:59:59-12:00", None),  # a year 10000 in UTC, which no date can be
        ("9999-12-31T23:59:59Z", None),  # one in Asia
        ("0001-01-01T00:00:00Z", None),
        ("9998-12-31T23:59:59-12:00", 253370807999000),
    ],
)
def test_times_of_the_api(text: Any, expected: int | None) -> None:
    assert moment(text) == expected


# up to the end of the year 9998, except for what can be a yyyyMMddHHmmss
milliseconds = st.integers(10**11, 18_999_999_999_999) | st.integers(21_000_000_000_000, 253_370_764_799_999)


@given(milliseconds)
def test_round_trip(ms: int) -> None:
    assert moment(iso(ms)) == ms
    assert epoch_ms(iso(ms), "t", ms) == ms
    assert epoch_ms(ms, "t", ms) == ms
    assert epoch_ms(str(ms), "t", ms) == ms


@given(st.datetimes(datetime(1975, 1, 1), datetime(2090, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_every_zone_means_the_same_moment(naive: datetime, minutes: int) -> None:
    there = naive.replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(minutes=minutes)))
    expected = (naive.replace(tzinfo=timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(
        milliseconds=1
    )
    assert epoch_ms(there.isoformat(), "t", 2**53) == expected
    assert epoch_ms(there.strftime("%Y-%m-%dT%H:%M:%S.%f%z"), "t", 2**53) == expected


@given(st.text(max_size=40) | st.integers() | st.floats() | st.booleans())
def test_there_is_a_time_or_a_refusal(value: Any) -> None:
    try:
        assert 10**11 <= epoch_ms(value, "t", NOW) <= NOW or isinstance(value, str)
    except InvalidArgument as error:
        assert str(error).isprintable()


def test_newest_first() -> None:
    rows: list[dict[str, Any]] = [
        {"id": "old", "at": "2025-01-01T00:00:00Z"},
        {"id": "none", "at": None},
        {"id": "new", "at": "2025-01-01T00:30:00+0000"},
    ]
    assert [row["id"] for row in newest_first(rows, "at")] == ["new", "old", "none"]


# Times in the zone of a person


@pytest.mark.parametrize(
    ("written", "zone", "utc"),
    [
        ("2026-01-31T11:00:00", "Asia/Singapore", "2026-01-31T03:00:00.000Z"),
        ("2026-01-31 11:00", "Asia/Singapore", "2026-01-31T03:00:00.000Z"),
        ("2026-01-31T11:00:00.25", "Asia/Kolkata", "2026-01-31T05:30:00.250Z"),
        ("2026-01-31T11:00:00Z", "Asia/Singapore", "2026-01-31T11:00:00.000Z"),  # its own zone counts
        ("2026-01-31T11:00:00+01:00", "Asia/Singapore", "2026-01-31T10:00:00.000Z"),
        ("1769857200000", "Asia/Singapore", "2026-01-31T11:00:00.000Z"),
        ("2026-03-29T01:59:59", "Europe/Berlin", "2026-03-29T00:59:59.000Z"),
        ("2026-03-29T03:00:00", "Europe/Berlin", "2026-03-29T01:00:00.000Z"),
        ("2025-10-26T01:59:59", "Europe/Berlin", "2025-10-25T23:59:59.000Z"),
        ("2025-10-26T03:00:00", "Europe/Berlin", "2025-10-26T02:00:00.000Z"),
        ("2026-01-31T11:00:00", "UTC", "2026-01-31T11:00:00.000Z"),
    ],
)
def test_a_time_without_a_zone_is_one_of_the_named_zone(written: str, zone: str, utc: str) -> None:
    assert iso(read_time(written, "restore_point", zone, NOW / 1000)) == utc


@pytest.mark.parametrize(
    ("written", "zone", "words"),
    [
        (
            "2026-03-29T02:30:00",
            "Europe/Berlin",
            "restore_point 2026-03-29T02:30:00 does not exist in Europe/Berlin on that day: "
            "write 2026-03-29T00:30:00.000Z or 2026-03-29T01:30:00.000Z.",
        ),
        (
            "2025-10-26T02:30:00",
            "Europe/Berlin",
            "restore_point 2025-10-26T02:30:00 exists twice in Europe/Berlin on that day: "
            "write 2025-10-26T00:30:00.000Z or 2025-10-26T01:30:00.000Z.",
        ),
        ("2026-01-31T11:00:00", "Berlin", "timezone (or HW_TIMEZONE) 'Berlin' is not a known time zone"),
        ("2026-01-31T11:00:00", "../etc/passwd", "is not a known time zone"),
        ("2026-01-31T11:00:00", None, "names no time zone"),
        ("2026-02-30T11:00:00", "Europe/Berlin", "is not a time"),
        ("1200000000", "Europe/Berlin", "looks like seconds"),
        ("yesterday", "Europe/Berlin", "is not a time"),
        ("1969-12-31T00:00:00", "Europe/Berlin", "is not a time"),
        ("2126-01-31T11:00:00", "Europe/Berlin", "lies in the future"),
        ("0001-01-01T00:00:00", "Europe/Berlin", "is not a time"),
        ("9999-12-31T23:59:59", "America/New_York", "is not a time"),
    ],
)
def test_an_invalid_time_is_refused(written: str, zone: str | None, words: str) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(words)):
        read_time(written, "restore_point", zone, NOW / 1000)


def test_this_machines_clock_may_be_a_day_slow() -> None:
    """The clock of the cloud decides what lies in the future."""
    assert read_time(str(NOW + 86_400_000), "restore_point", None, NOW / 1000) == NOW + 86_400_000
    with pytest.raises(InvalidArgument, match=r"in the future\. No request was sent"):
        read_time(str(NOW + 86_400_001), "restore_point", None, NOW / 1000)
    check_not_future(NOW, "restore_point", NOW)
    with pytest.raises(InvalidArgument) as caught:
        check_not_future(NOW + 1, "restore_point", NOW)
    assert str(caught.value) == (
        f"restore_point {iso(NOW + 1)} lies in the future: by the cloud's clock it is {iso(NOW)}. "
        "Nothing was started."
    )


# As the API itself writes them


@pytest.mark.parametrize("written", ["20170718235959", " 20170718235959 ", 20170718235959])
def test_the_compact_form_is_in_utc(written: Any) -> None:
    expected = 1_500_422_399_000
    assert epoch_ms(written, "begin_time", 2**50) == expected == moment("2017-07-18T23:59:59Z")
    assert moment(str(written)) == expected
    assert read_time(written, "begin_time", "Asia/Singapore", 1.78e9) == expected, "it has a zone of its own"


@pytest.mark.parametrize("written", ["20171318235959", "20170732000000", "20170718245959", "20170718235960"])
def test_the_compact_form_of_a_time_that_does_not_exist(written: str) -> None:
    with pytest.raises(InvalidArgument, match="is not a time"):
        epoch_ms(written, "begin_time", 2**50)
    assert moment(written) is None


@pytest.mark.parametrize("written", ["2017071823595", "201707182359590", "30170718235959"])
def test_other_digits_are_milliseconds(written: str) -> None:
    with pytest.raises(InvalidArgument, match="lies in the future"):
        epoch_ms(written, "begin_time", 1_780_000_000_000)


def test_the_compact_form_may_lie_in_the_future_no_more_than_others() -> None:
    with pytest.raises(InvalidArgument, match="lies in the future"):
        epoch_ms("20991231235959", "begin_time", 1_780_000_000_000)


# Zones


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "localtime", "Factory", "a\x00b"]
)
def test_an_invalid_zone(name: str) -> None:
    with pytest.raises(InvalidArgument, match="give an IANA name"):
        zone_named(name)


def test_a_python_without_data_about_zones_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a minimal container Python knows no zone, so another spelling would not help."""
    monkeypatch.setattr(zoneinfo, "ZoneInfo", mock.Mock(side_effect=zoneinfo.ZoneInfoNotFoundError("none")))
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    with pytest.raises(InvalidArgument, match="install tzdata"):
        zone_named("Europe/Berlin")


# For people


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.2, "1 s"),
        (119, "119 s"),
        (119.5, "2 min"),
        (1080, "18 min"),
        (1081, "19 min"),
        (3541, "1 h"),
        (7200, "2 h"),
        (10140, "2 h 49 min"),  # as an age, not "2 hours"
        (37200, "10 h 20 min"),
        (172741, "2 days"),
        (2 * 86400 + 20 * 3600, "2 days 20 h"),
        (12 * 86400, "12 days"),
        (12 * 86400 + 1, "12 days 1 h"),
    ],
)
def test_a_time_span_never_looks_shorter_than_it_is(seconds: float, text: str) -> None:
    """A person decides by it which data are lost, and whether an old job is the one that is meant."""
    assert in_words(seconds) == text


def test_a_time_is_shown_in_its_zone() -> None:
    assert local_text(1795518000000, zoneinfo.ZoneInfo("Europe/Berlin")) == "24 Nov 2026 12:00 +01:00"
