# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile JSON, repeats of reads, and the limits of each exchange."""

from __future__ import annotations

import json
import os
import time
from email.utils import formatdate
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import retry, session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock, Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    ProtocolError,
    TlsError,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import decode
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Request, Response
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import http_date

from .fakes import NOW, PROJECT, Time, api_error, cloud, redacting, response


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b" null ", None),
        (b"9" * 40, int("9" * 40)),
        (b'{"id": "x", "inner": {"id": "y"}}', {"id": "x", "inner": {"id": "y"}}),
        (b"[" * 50 + b"]" * 50, json.loads("[" * 50 + "]" * 50)),
        (b"1.5", 1.5),
    ],
)
def test_json(body: bytes, value: Any) -> None:
    assert decode(body) == value


TRAPS = {
    "empty": b"",
    "half": b'{"restore_id": ',
    "two values": b"{} {}",
    "html": b"<html><title>Gateway</title>",
    "NaN": b'{"odd": NaN}',
    "Infinity": b'{"odd": -Infinity}',
    "1e400": b'{"odd": 1e400}',
    "5000 digits": b'{"odd": ' + b"9" * 5000 + b"}",
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "invalid UTF-8": b'{"odd": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NUL": b'{"a": 1}\0',
    **{
        f"{name} twice": f'{{"{name}": "one", "x": 1, "{name}": "two"}}'.encode()
        for name in sorted(session.IDENTITY_FIELDS)
    },
    "nested ID twice": b'{"records": [{"restore_id": "one", "restore_id": "one"}]}',
}


@pytest.mark.parametrize("body", TRAPS.values(), ids=TRAPS.keys())
def test_traps(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="not usable JSON") as caught:
        decode(body)
    assert caught.value.transient
    assert len(str(caught.value)) < 200


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(body: bytes) -> None:
    try:
        decode(body)
    except ProtocolError as error:
        assert str(error).isprintable()


def test_the_title_of_a_page_is_shown_harmlessly() -> None:
    def title(body: bytes, *secrets: str) -> str:
        return session.page_title(body, redacting(set(secrets)))

    assert title(
        b"<TITLE lang=en> Proxy\x1b[2J \xff</TITLE>"
    ) == r" (a page titled 'Proxy\\x1b[2J \ufffd')".replace(r"\ufffd", "\ufffd")
    assert title(b"<title>" + b"x" * 150 + b"</title>").endswith("x...')")
    assert title(b"{}") == ""
    assert title(b"<title>" + b"x" * 75 + b"top-secret</title>", "top-secret").endswith("x*****...')")


# What may be repeated, and when

TABLE: list[tuple[str | None, float | None]] = [
    (None, None),
    ("0", 0.0),
    ("7", 7.0),
    (" 7 ", 7.0),
    ("60", 60.0),
    ("61", 60.0),
    ("999999999", 60.0),
    ("9" * 18, 60.0),
    ("9" * 19, None),
    ("-1", None),
    ("1.5", None),
    ("1e9", None),
    ("", None),
    ("soon", None),
    ("\u0667", None),
    (formatdate(NOW + 20, usegmt=True), 20.0),
    (formatdate(NOW - 20, usegmt=True), 0.0),
    (formatdate(NOW + 7200, usegmt=True), 60.0),
    ("Thu, 28 May 2026 20:27:00 -0000", 20.0),
    ("Thu, 99 Foo 2026 20:27:00 GMT", None),
    ("Fri, 31 Dec 9999 23:59:59 GMT", 60.0),
    ("Thu, 01 Jan 99999 00:00:00 GMT", None),
]


@pytest.mark.parametrize(("header", "seconds"), TABLE)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry.retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "Thu, 28 May 2026 20:26:40 GMT",
        "Thu, 28 May 2026 20:26:40 -0000",
        "Thu, 28 May 2026 20:26:40",
        "Thursday, 28-May-26 20:26:40 GMT",
        "Thu May 28 20:26:40 2026",
    ],
)
def test_a_date_of_http_is_in_utc_on_every_machine(written: str) -> None:
    """A date without a zone would move the clock of the cloud, and with it the age of every record."""
    with mock.patch.dict(os.environ, {"TZ": "Asia/Shanghai"}):
        time.tzset()
        try:
            assert http_date(written) == NOW
        finally:
            os.environ.pop("TZ")
            time.tzset()


@given(st.text(max_size=30))
def test_retry_after_never_raises(header: str) -> None:
    seconds = retry.retry_after(header, NOW)
    assert seconds is None or 0 <= seconds <= 60


@pytest.mark.parametrize(
    ("failure", "attempt", "shortest", "longest"),
    [
        (TransportError("x"), 0, 0.25, 0.5),
        (TransportError("x"), 1, 0.5, 1.0),
        (TransportError("x"), 3, 2.0, 4.0),
        (TransportError("x"), 5, 8.0, 16.0),
        (TransportError("x"), 500, 8.0, 16.0),
        (TransportError("x", sent=False), 0, 0.25, 0.5),
        (api_error(500), 0, 0.25, 0.5),
        (api_error(503), 0, 0.25, 0.5),
        (api_error(408), 0, 0.25, 0.5),
        (api_error(429), 2, 1.0, 2.0),
        (api_error(429, retry_after=9.0), 2, 9.0, 9.0),
        (api_error(503, retry_after=0.0), 2, 1.0, 2.0),
        (api_error(400, "APIGW.0308"), 0, 0.25, 0.5),
        (ProtocolError("x"), 0, 0.25, 0.5),
        (ProtocolError("x", transient=False), 0, None, None),
        (TlsError("x"), 0, None, None),
        (api_error(400), 0, None, None),
        (api_error(401), 0, None, None),
        (api_error(403), 0, None, None),
        (api_error(404), 0, None, None),
        (api_error(409, "DBS.200019"), 0, None, None),
        (api_error(302), 0, None, None),
    ],
)
def test_delays(failure: CloudError, attempt: int, shortest: float | None, longest: float | None) -> None:
    assert retry.delay(failure, attempt, 0.0) == shortest
    assert retry.delay(failure, attempt, 1.0) == longest


# Reads

BROKEN = TransportError("The connection broke.")


def test_a_read_is_repeated_until_it_succeeds() -> None:
    time = Time()
    made, wire = cloud(
        [
            BROKEN,
            response(502, b""),
            response(429, {"error_code": "APIGW.0308"}, retry_after="7"),
            response(200, b"{"),
            response(200, {"ok": 1}),
        ],
        time,
    )
    assert made.get("dcs", "v2", "instances").body == {"ok": 1}
    assert time.slept == [0.25, 0.5, 7.0, 2.0]
    assert len(wire.sent) == 5
    assert all(sent.timeout == 60 and sent.cap == 8 << 20 and not sent.fresh for sent in wire.sent)


@pytest.mark.parametrize(("max_retries", "requests"), [(0, 1), (1, 2), (5, 6)])
def test_repeats_are_counted(max_retries: int, requests: int) -> None:
    made, wire = cloud([BROKEN], max_retries=max_retries)
    with pytest.raises(TransportError):
        made.get("dcs", "v2", "instances")
    assert len(wire.sent) == requests


def test_a_deadline_ends_the_repeats_and_shortens_the_exchange() -> None:
    time = Time()
    made, wire = cloud([BROKEN], time, max_retries=999)
    made.session.deadline = time.clock.monotonic() + 10
    with pytest.raises(TransportError):
        made.get("dcs", "v2", "instances")
    assert time.passed < 10
    assert [sent.timeout for sent in wire.sent] == [
        max(1.0, 10.0 - sum(time.slept[:count])) for count in range(len(wire.sent))
    ]


@pytest.mark.parametrize(
    "reply",
    [
        BROKEN,
        response(500, {"error_code": "DCS.5000"}),
        response(429, b"", retry_after="1"),
        response(200, b"{"),
    ],
)
def test_a_post_is_never_repeated(reply: Any) -> None:
    time = Time()
    made, wire = cloud([reply], time)
    with pytest.raises(CloudError):
        made.post_once("dcs", "v2", "instances", body={})
    assert len(wire.sent) == 1
    assert wire.sent[0].cap == 1 << 20
    assert time.slept == []


def test_no_content_is_no_body() -> None:
    for status in (204, 205):
        made, dummy = cloud([response(status, b"garbage")])
        assert made.get("dcs", "v2", "instances").body is None


def test_garbage_with_200_names_the_call_and_the_request() -> None:
    made, dummy = cloud(
        [response(200, b"<title>Login</title>", x_request_id="0123456789abcdef")], max_retries=1
    )
    with pytest.raises(
        ProtocolError, match=r"GET https://dcs\..*instances: The response is not usable JSON .*Login"
    ) as caught:
        made.get("dcs", "v2", "instances", query={"name": "not-told"})
    assert caught.value.details()["request_id"] == "0123456789abcdef"
    assert "not-told" not in str(caught.value)


def test_the_pages_of_a_list_have_a_cap_together() -> None:
    """8 MiB a page would be 1.6 GiB in 200 pages. Each list counts anew."""
    page = response(200, b'"' + b"x" * (7 << 20) + b'"')
    made, wire = cloud([page])
    for offset in (0, 1, 2, 3, 0, 1, 2, 3):
        made.get("dcs", "v2", "instances", query={"offset": offset})
    with pytest.raises(ProtocolError, match="larger than 32 MiB together"):
        made.get("dcs", "v2", "instances", query={"offset": 4})
    assert len(wire.sent) == 9, "it is not asked for again"


# Until when a request may leave


def test_a_read_may_leave_within_its_time() -> None:
    time = Time()
    made, wire = cloud([response(200, {})], time, http_timeout=20)
    made.get("dcs", "v2", "instances")
    assert wire.sent[0].may_leave()
    time.passed += 19.9
    assert wire.sent[0].may_leave()
    time.passed += 0.2
    assert not wire.sent[0].may_leave()


def test_a_post_may_not_leave_after_what_allowed_it() -> None:
    time = Time()
    made, wire = cloud([response(200, {})], time, http_timeout=60)
    seen = Limit(time.clock, 30.0)
    time.passed += 25.0
    made.session.not_after = seen
    made.post_once("dcs", "v2", "instances", body={})
    assert wire.sent[0].may_leave()
    time.passed += 5.1
    assert not wire.sent[0].may_leave()


def test_a_limit_is_over_by_either_clock() -> None:
    """The monotonic clock stands still while the machine sleeps; the calendar may be set back."""
    now, monotonic = [1000.0], [1000.0]
    limit = Limit(Clock(lambda: now[0], lambda: monotonic[0]), 10.0)
    assert limit.left() == 10.0
    now[0] += 9.0
    assert not limit.over()
    now[0] += 2.0
    assert limit.over()
    now[0] -= 5000.0
    assert not limit.over()
    monotonic[0] += 10.0
    assert not limit.over()
    monotonic[0] += 0.1
    assert limit.over()


# Whose clock


DAY = 86_400.0
TOKEN = {"auth_token": "t" * 40, "project_id": "0f6c2a1b9d8e4f70a1b2c3d4e5f60718", "region": "ap-southeast-3"}


@pytest.mark.parametrize(
    ("options", "dates", "ahead"),
    [
        ({}, [None], 0.0),
        ({}, [NOW + 840], 840.0),  # signing allows 15 minutes
        ({}, [NOW - 840], -840.0),
        ({}, [NOW + DAY], 0.0),  # the server would have refused the signature, so the date is not its own
        (TOKEN, [NOW + DAY], DAY),
        (TOKEN, [NOW - DAY], -DAY),
        (TOKEN, [NOW + 100, NOW + 200], 200.0),  # the last one counts
        (TOKEN, [NOW + 100, None], 100.0),
    ],
)
def test_the_time_is_that_of_the_server(
    options: dict[str, Any], dates: list[float | None], ahead: float
) -> None:
    headers = [{} if date is None else {"date": formatdate(date, usegmt=True)} for date in dates]
    client, dummy = cloud([response(200, {}, **each) for each in headers], Time(), **options)
    assert client.session.server_now() == NOW, "the server has not sent its own yet"
    for _each in headers:
        client.get("dcs", "v2", "instances")
    assert client.session.server_now() == pytest.approx(NOW + ahead)


def test_the_date_of_a_refusal_may_be_that_of_a_proxy() -> None:
    date = formatdate(NOW + 600, usegmt=True)
    client, dummy = cloud([response(403, {"error_code": "DCS.2003", "error_msg": "no"}, date=date)], Time())
    with pytest.raises(CloudError):
        client.get("dcs", "v2", "instances")
    assert client.session.server_now() == NOW


# The server's clock


@pytest.mark.parametrize(
    ("ahead", "took", "warned"),
    [
        (0, 0, None),
        (59, 0, None),
        (-59, 0, None),
        (840, 0, "840 s behind the cloud's"),
        (-61, 0, "61 s ahead of the cloud's"),
        (-86400, 0, "86400 s ahead of the cloud's"),
        (0, 100, None),  # dated at once, but under way for long
        (-100, 50, "100 s ahead of the cloud's"),
        (150, 50, "100 s behind the cloud's"),
    ],
)
def test_a_clock_that_is_far_off_is_warned_about_once(ahead: int, took: int, warned: str | None) -> None:
    time = Time()

    def reply(sent: Request) -> Response:
        date = formatdate(time.clock.now() + ahead, usegmt=True)
        time.passed += took
        return response(200, {}, date=date)

    made, dummy = cloud([reply], time, auth_token="a-token", project_id=PROJECT, region="ap-southeast-3")
    for one in (made, made.clone(), made.for_region("ap-southeast-3")):
        one.get("dcs", "v2", "instances", "i")
    assert len(made.warnings) == (warned is not None)
    assert warned is None or f"This machine's clock is {warned}" in made.warnings[0]
