# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All items of a list, whatever the server says about its length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ProtocolError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.paging import (
    MOST_PAGES,
    Page,
    collect,
)

Fetch = Callable[[int, int], Page]


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"r{number}"} for number in numbers]


def honest(count: int, total: int | None, cap: int = 1000, asked: list[int] | None = None) -> Fetch:
    def fetch(offset: int, limit: int) -> Page:
        (asked if asked is not None else []).append(offset)
        return rows(*range(count))[offset : offset + min(limit, cap)], total

    return fetch


@given(
    count=st.integers(0, 150),
    limit=st.integers(1, 40),
    cap=st.integers(10, 1000),
    total=st.none() | st.integers(-5, 1000),
)
def test_every_item_is_found_once_whatever_total_says(
    count: int, limit: int, cap: int, total: int | None
) -> None:
    assert collect(honest(count, total, cap), limit, "id", "rows") == rows(*range(count))


@given(
    count=st.integers(0, 60),
    limit=st.integers(2, 20),
    overlap=st.integers(0, 3),
    total=st.none() | st.integers(0, 100),
)
def test_duplicates_across_pages_are_dropped(count: int, limit: int, overlap: int, total: int | None) -> None:
    """Items inserted at the top while pages are read push known ones onto the next page."""

    def fetch(offset: int, limit: int) -> Page:
        start = max(0, offset - min(overlap, limit - 1, offset))
        return rows(*range(count))[start : start + limit], total

    found = collect(fetch, limit, "id", "rows")
    assert len({row["id"] for row in found}) == len(found)
    assert found == rows(*range(len(found)))


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 30), max_size=12), st.none() | st.integers(-2, 40)), max_size=12
    ),
    st.integers(1, 12),
)
def test_whatever_comes_it_ends_without_a_duplicate(
    pages: list[tuple[list[int], int | None]], limit: int
) -> None:
    queue = [(rows(*numbers), total) for numbers, total in pages]
    offered = {row["id"] for page, dummy in queue for row in page}
    try:
        found = collect(lambda offset, size: queue.pop(0) if queue else ([], None), limit, "id", "rows")
    except ProtocolError:
        return
    ids = [row["id"] for row in found]
    assert len(set(ids)) == len(ids)
    assert set(ids) <= offered


@pytest.mark.parametrize(
    ("count", "total", "limit", "requests"),
    [
        (0, 0, 1000, 1),
        (0, 5, 1000, 1),  # an empty page is the end
        (3, 3, 1000, 1),  # short, below the default page, total agrees: the one shortcut
        (9, 9, 1000, 1),
        (3, None, 1000, 2),
        (3, 7, 1000, 2),  # total promises more
        (3, 2, 1000, 2),  # total promises less
        (10, 10, 1000, 2),  # the API's default page: a server that ignores the limit stops here, too
        (128, 128, 128, 2),
        (129, 129, 128, 2),
        (138, 138, 128, 3),
    ],
)
def test_how_many_pages_are_asked_for(count: int, total: int | None, limit: int, requests: int) -> None:
    asked: list[int] = []
    assert len(collect(honest(count, total, asked=asked), limit, "id", "rows")) == count
    assert len(asked) == requests
    assert asked[0] == 0


def test_the_offset_advances_by_what_came_not_by_what_was_asked_for() -> None:
    asked: list[int] = []
    assert len(collect(honest(250, 250, cap=100, asked=asked), 1000, "id", "rows")) == 250
    assert asked == [0, 100, 200, 250]


@pytest.mark.parametrize(
    ("count", "total", "limit", "believed"),
    [
        (10, 500, 10, False),
        (10, None, 10, False),  # full: there may be more
        (12, 20, 1000, False),  # total promises more, and the API could have capped the page
        (10, 20, 1000, False),
        (12, 12, 1000, True),  # the offset is ignored, but all of the list was in the first page
        (12, None, 1000, True),
        (9, 20, 1000, True),  # no server caps below 10
        (3, None, 10, True),
    ],
)
def test_a_page_that_repeats(count: int, total: int | None, limit: int, believed: bool) -> None:
    if believed:
        assert collect(lambda offset, limit: (rows(*range(count)), total), limit, "id", "backups") == rows(
            *range(count)
        )
    else:
        with pytest.raises(ProtocolError, match="list of backups repeats its pages"):
            collect(lambda offset, limit: (rows(*range(count)), total), limit, "id", "backups")


def test_an_offset_taken_for_a_page_number_is_found_out_or_harmless() -> None:
    """Page number 10 of ten items each lies far beyond the end: the rest is missed, so total must not be believed."""
    everything = rows(*range(35))

    def fetch(offset: int, limit: int) -> Page:
        return everything[offset * limit : offset * limit + limit], 35

    assert (
        len(collect(fetch, 10, "id", "rows")) < 35
    )  # nobody can see it; two equal scans and the mutex of the server guard the restore


def test_an_endless_list_is_given_up() -> None:
    asked: list[int] = []

    def fetch(offset: int, limit: int) -> Page:
        asked.append(offset)
        return rows(*range(offset, offset + 10)), None

    with pytest.raises(ProtocolError, match="more than 200 pages") as caught:
        collect(fetch, 10, "id", "rows")
    assert len(asked) == MOST_PAGES
    assert not caught.value.transient


def test_reading_ends_with_the_page_of_the_item_that_is_wanted() -> None:
    asked: list[int] = []
    assert len(collect(honest(150, 150, cap=50, asked=asked), 50, "id", "things", until="r70")) == 100
    assert asked == [0, 50]
