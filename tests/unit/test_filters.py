# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    InvalidArgument,
    NotFound,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._filters import (
    FOREVER,
    existing,
    matching,
    window,
    within,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm

from .fakes import KNOWN, Time, cloud, response

CLOUD = cloud([], Time())[0]  # 2026-05-28T20:26:40Z
ROWS: list[dict[str, Any]] = [
    {"id": "a", "status": "succeed", "made": "2026-05-02T00:00:00Z"},
    {"id": "b", "status": "failed", "made": "2026-05-01T00:00:00+0000"},
    {"id": "c", "status": "failed", "made": None},
]


def ids(rows: list[dict[str, Any]]) -> str:
    return "".join(row["id"] for row in rows)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"one": None, "state": None}, "abc"),
        ({"one": "", "state": ""}, "abc"),
        ({"one": None, "state": "failed"}, "bc"),
        ({"one": "b", "state": "failed"}, "b"),
        ({"one": "a", "state": "failed"}, ""),
    ],
)
def test_options_that_are_set_are_combined(given: dict[str, Any], expected: str) -> None:
    assert ids(matching(ROWS, given, {"one": "id", "state": "status"})) == expected


def test_an_id_in_capitals_is_the_same_id() -> None:
    """A service that accepts one returns its own spelling: an empty list would say that nothing is there."""
    assert ids(matching(ROWS, {"row_id": "B"}, {"row_id": "id"})) == "b"
    assert ids(matching(ROWS, {"state": "FAILED"}, {"state": "status"})) == ""
    of_cache = {"backup_id": "b", "instance_id": "abc", "status": "succeed", "created_at": None}
    one, dummy = cloud([response(200, {"backup_record_response": [of_cache], "total_num": 1})])
    assert len(Dcs(one).backups("ABC")) == 1 and one.warnings == []
    of_database = {"id": "b", "instance_id": "abc", "status": "normal"}
    assert len(Ddm(cloud([response(200, {"backups": [of_database], "total": 1})])[0]).backups("ABC")) == 1


def test_window_is_open_where_nothing_is_given() -> None:
    assert window({"begin_time": None, "end_time": "", "timezone": None}, CLOUD) == (0, FOREVER)
    assert window({"begin_time": None, "end_time": None, "timezone": None}, CLOUD, 5, 7) == (5, 7)


def test_window_takes_both_spellings() -> None:
    assert window(
        {"begin_time": "2026-05-01T00:00:00+02:00", "end_time": "1777680000000", "timezone": None}, CLOUD
    ) == (
        1_777_586_400_000,
        1_777_680_000_000,
    )


@pytest.mark.parametrize(
    ("begin", "end", "message"),
    [
        ("2026-05-02T00:00:00Z", "2026-05-01T00:00:00Z", "lies after end_time"),
        ("2026-05-01T00:00:00", None, "no time zone"),
        (None, "2026-06-01T00:00:00Z", "future"),
        ("1777593600", None, "seconds"),
    ],
)
def test_window_refuses(begin: str | None, end: str | None, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        window({"begin_time": begin, "end_time": end, "timezone": None}, CLOUD)


def test_the_ends_of_a_window_belong_to_it() -> None:
    begin, end = window(
        {"begin_time": "2026-05-01T00:00:00Z", "end_time": "2026-05-02T00:00:00Z", "timezone": None}, CLOUD
    )
    assert ids(within(ROWS, "made", begin, end)) == "abc", "a time that cannot be read excludes nothing"
    assert ids(within(ROWS, "made", begin + 1, end - 1)) == "c"
    assert ids(within(ROWS, "made", 0, FOREVER)) == "abc"


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("code", ["DCS.3022", "DBS.200002", "DBS.300400"])
def test_a_list_of_one_is_empty_when_the_service_says_so(status: int, code: str) -> None:
    made, dummy = cloud([response(status, {"error_code": code, "error_msg": "no"})])
    assert existing(lambda: {"id": "a"}) == [{"id": "a"}]
    assert existing(lambda: {"id": made.get("dcs", "v2", "instances", "i", known=KNOWN).body}) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        b"<title>404</title>",
        {"error_msg": "no"},
        {"error_code": "404", "error_msg": "no"},
        {"error_code": "APIGW.9999", "error_msg": "no"},
    ],
)
def test_a_404_from_elsewhere_is_not_an_empty_list(body: Any) -> None:
    made, dummy = cloud([response(404, body)])
    with pytest.raises(ApiError if isinstance(body, bytes) else NotFound):
        existing(lambda: {"id": made.get("dcs", "v2", "instances", "i", known=KNOWN).body})


def test_a_window_is_read_in_its_zone() -> None:
    given = {
        "begin_time": "2026-05-01T02:00:00",
        "end_time": "2026-05-01T02:00:00Z",
        "timezone": "Europe/Berlin",
    }
    assert window(given, CLOUD) == (1_777_593_600_000, 1_777_600_800_000)
    with pytest.raises(InvalidArgument, match="names no time zone"):
        window({**given, "timezone": None}, CLOUD)
    made, dummy = cloud([], Time(), timezone="Europe/Berlin")
    assert window({**given, "timezone": None}, made)[0] == 1_777_593_600_000, (
        "HW_TIMEZONE stands in the settings"
    )
