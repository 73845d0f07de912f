# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of the API, made regular."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ProtocolError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    check_ids,
    flag,
    is_id,
    items,
    number,
    require_id,
    row,
    text,
    whole,
)
from tests.cloud import scenario


@pytest.mark.parametrize(
    "value", [scenario.DCS_INSTANCE, scenario.DDM_SOURCE, scenario.PROJECT_ID, "a", "0", "A_-9", "x" * 128]
)
def test_ids(value: str) -> None:
    assert is_id(value)


NO_IDS = [
    "",
    " ",
    "..",
    ".",
    "../..",
    "%2e%2e",
    "a/b",
    "a\\b",
    "a?x",
    "a#",
    "a;b",
    "a b",
    " a",
    "a ",
    "a\n",
    "-a",
    "_a",
    "x" * 129,
    "x" * 1000,
    "\u00e9",
    "\u0661",
    "a\0",
    "{}",
]


@pytest.mark.parametrize("value", [*NO_IDS, None, 5, 5.0, True, {}, [], b"a"])
def test_invalid_ids(value: Any) -> None:
    assert not is_id(value)


@given(st.text(max_size=10))
def test_an_id_is_one_harmless_path_segment(value: str) -> None:
    from urllib.parse import quote

    if is_id(value):
        assert quote(value, safe="") == value and value not in (".", "..")


def test_ids_inside_of_lists_are_named() -> None:
    with pytest.raises(Exception, match=r"restores\[1\]\.restore_id 'a/b' is not an ID"):
        check_ids({"restores": [{"restore_id": "ok"}, {"restore_id": "a/b", "instance_id": None}]})
    check_ids({"operation_id": "CHG 1042/b", "name": "a/b", "ids": ["a/b"]})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "x"),
        (" x ", " x "),
        ("", None),
        (None, None),
        ({}, None),
        ([], None),
        ("{}", None),
        ({"a": 1}, None),
        (7, "7"),
        (1.5, "1.5"),
        ("\ud800", "?"),
        ("é🙂", "é🙂"),
    ],
)
def test_text(value: Any, expected: str | None) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("TRUE", True),
        ("true", True),
        ("True", True),
        (False, False),
        ("FALSE", False),
        (None, None),
        ("", None),
        (1, None),
        ("yes", None),
        ({}, None),
    ],
)
def test_flag(value: Any, expected: bool | None) -> None:
    assert flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("7", 7),
        ("-7", -7),
        (0, 0),
        (True, None),
        ("7.0", 7),
        (7.5, None),
        ("", None),
        (None, None),
        ({}, None),
        ("9" * 19, None),
        ("x", None),
    ],
)
def test_whole(value: Any, expected: int | None) -> None:
    assert whole(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4.0e10, 40_000_000_000),
        ("4.0E10", 40_000_000_000),
        ("4096.0", 4096),
        (64, 64),
        ("-1", -1),
        (0.5, 0.5),
        ("0.125", 0.125),
        (-0.0, 0),
        (2.0**53, None),
        ("1e99", None),
        ("1e400", None),
        (10**18 - 1, 10**18 - 1),
        (10**18, None),
        (True, None),
        ("", None),
        ("0x10", None),
        ("1_000", None),
        ("NaN", None),
        ("1.", None),
        (".5", None),
        ("1" * 50, None),
        ("\u0661", None),
        (None, None),
        ({}, None),
    ],
)
def test_a_number(value: Any, expected: int | float | None) -> None:
    assert number(value) == expected
    assert type(number(value)) is type(expected)
    assert whole(value) == (expected if isinstance(expected, int) else None)


def test_a_row_has_every_key_and_no_other() -> None:
    found = row({"id": "a", "status": "ok", "name": {}, "more": 1}, ("id", "status"), ("name", "remark"))
    assert found == {"id": "a", "status": "ok", "name": None, "remark": None}


@pytest.mark.parametrize("status", ["", None, {}, "{}"])
def test_a_status_without_a_word_is_unknown(status: Any) -> None:
    assert row({"id": "a", "status": status, "name": ""}, ("id", "status"), ("name",)) == {
        "id": "a",
        "status": "unknown",
        "name": None,
    }


@pytest.mark.parametrize("item", [{"id": "a"}, {"id": "a", "status": []}, {"Id": "a", "Status": "x"}])
def test_a_missing_field_is_never_guessed(item: Any) -> None:
    with pytest.raises(ProtocolError, match=r"without .*status"):
        row(item, ("id", "status"))


@pytest.mark.parametrize("shown", ["7b59051b-0000", "7B59051B0000", "7b59051b0000"])
def test_a_job_may_be_shown_with_dashes_or_without(shown: str) -> None:
    """The vendor's pages have both."""
    assert require_id({"id": shown}, "id", "7b59051b0000")["id"] == shown
    with pytest.raises(ProtocolError, match="is about 7b59051b0001"):
        require_id({"id": "7b59051b0001"}, "id", "7b59051b0000")


@pytest.mark.parametrize("item", [None, [], "x", 7])
def test_a_value_that_is_not_an_object(item: Any) -> None:
    with pytest.raises(ProtocolError, match="where an object is documented"):
        row(item, ("id",))


def test_a_missing_list_never_counts_as_an_empty_one() -> None:
    assert items({"rows": []}, "rows") == []
    bodies: list[Any] = [{}, {"rows": None}, {"rows": {}}, {"Rows": []}, None, [], "rows"]
    for body in bodies:
        with pytest.raises(ProtocolError, match="without the list 'rows'"):
            items(body, "rows")
