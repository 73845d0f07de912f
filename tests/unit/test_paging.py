# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list is read completely, whatever the server says about its length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ProtocolError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.paging import (
    MOST_PAGES,
    SAYS_NOTHING,
    Listing,
    Page,
    collect,
    page_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import api as dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import api as ddm

from .fakes import cloud, response

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
    total=st.none() | st.integers(-5, 150),
)
def test_every_item_is_found_once_unless_there_are_to_be_more(
    count: int, limit: int, cap: int, total: int | None
) -> None:
    if total is not None and total > count:
        with pytest.raises(
            ProtocolError, match=f"it reports a total of {total} items, but only {count} came"
        ):
            collect(honest(count, total, cap), limit, "id", "rows")
    else:
        assert collect(honest(count, total, cap), limit, "id", "rows") == rows(*range(count))


@given(
    count=st.integers(0, 60),
    limit=st.integers(6, 20),
    overlap=st.integers(0, 3),
    total=st.none() | st.integers(0, 100),
)
def test_duplicates_across_pages_are_dropped(count: int, limit: int, overlap: int, total: int | None) -> None:
    """Items inserted at the top while pages are read push known ones onto the next page."""

    def fetch(offset: int, limit: int) -> Page:
        start = max(0, offset - min(overlap, limit - 1, offset))
        return rows(*range(count))[start : start + limit], total and min(total, count)

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
        (3, 3, 1000, 1),  # short, below the default page, total agrees: the one shortcut
        (9, 9, 1000, 1),
        (3, None, 1000, 2),
        (3, 2, 1000, 2),  # total promises less
        (10, 10, 1000, 2),  # the API's default page: a server that ignores the limit stops here, too
        (128, 128, 128, 2),
        (129, 129, 128, 2),  # the second page has two rows, and total agrees
        (138, 138, 128, 3),
        (138, None, 128, 3),
    ],
)
def test_how_many_pages_are_requested(count: int, total: int | None, limit: int, requests: int) -> None:
    asked: list[int] = []
    assert len(collect(honest(count, total, asked=asked), limit, "id", "rows")) == count
    assert len(asked) == requests
    assert asked[0] == 0


def test_the_offset_advances_by_what_came_not_by_what_was_requested() -> None:
    asked: list[int] = []
    assert len(collect(honest(250, 250, cap=100, asked=asked), 1000, "id", "rows")) == 250
    assert asked == [0, 99, 198, 249], "each page begins with the last item of the one before"


@pytest.mark.parametrize(
    ("count", "total", "limit", "believed"),
    [
        (10, 500, 10, False),
        (10, None, 10, False),  # full: there may be more
        (12, 20, 1000, False),  # total promises more, and the API could have capped the page
        (10, 20, 1000, False),
        (12, 12, 1000, True),  # the offset is ignored, but all of the list was in the first page
        (12, None, 1000, True),
        (9, 20, 1000, False),
        (3, None, 10, True),
    ],
)
def test_a_page_that_repeats(count: int, total: int | None, limit: int, believed: bool) -> None:
    if believed:
        assert collect(lambda offset, limit: (rows(*range(count)), total), limit, "id", "backups") == rows(
            *range(count)
        )
    else:
        with pytest.raises(ProtocolError, match="list of backups cannot be read to its end: it "):
            collect(lambda offset, limit: (rows(*range(count)), total), limit, "id", "backups")


@pytest.mark.parametrize("total", [35, None])
def test_an_offset_taken_for_a_page_number_is_noticed(total: int | None) -> None:
    """Page number 9 of pages with ten items is far beyond the end."""
    everything = rows(*range(35))

    def fetch(offset: int, limit: int) -> Page:
        return everything[offset * limit : offset * limit + limit], total

    with pytest.raises(ProtocolError, match="cannot be read to its end") as caught:
        collect(fetch, 10, "id", "rows")
    assert ("as a page number" in str(caught.value)) is (total is not None)
    assert caught.value.transient


def test_a_page_number_does_no_harm_to_a_list_of_one_page() -> None:
    everything = rows(*range(60))

    def fetch(offset: int, limit: int) -> Page:
        return everything[offset * limit : offset * limit + limit], 60

    assert collect(fetch, 128, "id", "rows") == everything


@pytest.mark.parametrize("cut", [0, 128, 200])
def test_a_list_that_breaks_off_is_read_once_more(cut: int) -> None:
    asked: list[int] = []

    def fetch(offset: int, limit: int) -> Page:
        asked.append(offset)
        readings = asked.count(0)
        return rows(*range(cut if readings == 1 else 300))[offset : offset + limit], 300

    assert collect(fetch, 128, "id", "rows") == rows(*range(300))
    assert asked.count(0) == 2


@pytest.mark.parametrize("times", [1, 9])
def test_items_that_are_removed_meanwhile_are_noticed(times: int) -> None:
    """An item that moves up to a page that was read already would be missed silently."""
    numbers = list(range(60))
    removed: list[int] = []

    def fetch(offset: int, limit: int) -> Page:
        page = rows(*numbers)[offset : offset + limit]
        if offset == 0 and len(removed) < times:
            removed.append(numbers.pop(0))
        return page, None

    if times == 1:
        assert collect(fetch, 20, "id", "rows") == rows(*range(1, 60))
    else:
        with pytest.raises(ProtocolError, match="items were removed while it was read"):
            collect(fetch, 20, "id", "rows")


def test_items_that_are_added_meanwhile_do_no_harm() -> None:
    numbers = list(range(60))

    def fetch(offset: int, limit: int) -> Page:
        page = rows(*numbers)[offset : offset + limit]
        numbers.insert(0, 1000 + len(numbers))
        return page, len(numbers) - 1

    found = [row["id"] for row in collect(fetch, 20, "id", "rows")]
    assert {f"r{number}" for number in range(60)} <= set(found) and len(set(found)) == len(found)


# One page


ROWS = Listing("rows", "rows", "id", lambda item: row(item, ("id",)))


@pytest.mark.parametrize(
    "body",
    [
        {"rows": None, "total": 0},
        {"rows": {}, "total": "0"},
        {"total": 0},
        {"total_record": 0.0},
        {"rows": [], "total": 5},
        {"rows": []},
    ],
)
def test_a_list_is_empty_when_two_witnesses_agree(body: Any) -> None:
    found, dummy = page_of(Reply(200, body, {}, None), ROWS, ("total", "total_record"))
    assert found == []


@pytest.mark.parametrize(
    "body", [{}, {"rows": None}, {"rows": None, "total": 3}, {"rows": "x", "total": 0}, [], {"total": None}]
)
def test_a_missing_list_alone_is_not_an_empty_one(body: Any) -> None:
    with pytest.raises(ProtocolError, match="without the list 'rows'"):
        page_of(Reply(200, body, {}, None), ROWS, ("total", "total_record"))


def test_null_with_a_length_is_content_without_a_list() -> None:
    with pytest.raises(ProtocolError, match="without the list 'rows'"):
        page_of(Reply(200, None, {"content-length": "4"}, None), ROWS, ["total"])


@pytest.mark.parametrize(
    ("totals", "known"),
    [({}, None), ({"total": 7}, 7), ({"total_record": 8}, 8), ({"total": 7, "total_record": 8}, 7)],
)
def test_the_first_total_that_is_there_counts(totals: dict[str, int], known: int | None) -> None:
    reply = Reply(200, {"rows": [], **totals}, {}, None)
    assert page_of(reply, ROWS, ("total", "total_record")) == ([], known)


def test_204_is_an_empty_list_and_200_without_content_when_it_comes_twice() -> None:
    replies = [
        Reply(204, None, {}, None),
        Reply(200, None, {"content-length": "0"}, None),
        Reply(200, {"rows": [{"id": "a"}], "total": 1}, {}, None),
    ]

    def read(*order: int) -> list[dict[str, Any]]:
        queue = [replies[number] for number in order]
        return collect(lambda offset, limit: page_of(queue.pop(0), ROWS, ["total"]), 100, "id", "rows")

    assert read(0) == []
    assert read(1, 1) == []
    assert read(1, 2) == [{"id": "a"}]
    assert read(1, 0) == []


def test_a_response_without_content_says_so() -> None:
    made, dummy = cloud([response(200, b"", content_length="0")], max_retries=0)
    assert made.get("dcs", "v2", "instances").body is None
    made, dummy = cloud([response(200, b"")], max_retries=0)  # so arrive headers that broke off
    with pytest.raises(ProtocolError):
        made.get("dcs", "v2", "instances")


def test_an_odd_item_spoils_a_list_unless_it_may_be_left_out() -> None:
    reply = Reply(200, {"rows": [{"id": "a"}, {"id": None}, "b", {"id": "c"}], "total": 4}, {}, None)
    with pytest.raises(ProtocolError):
        page_of(reply, ROWS, ["total"])
    odd: list[ProtocolError] = []
    found, total = page_of(reply, ROWS._replace(on_malformed=odd.append), ["total"])
    assert ([one and one["id"] for one in found], total, len(odd)) == (["a", None, None, "c"], 4, 2)
    assert collect(lambda offset, limit: (found[offset:], total), 100, "id", "rows") == [
        {"id": "a"},
        {"id": "c"},
    ]


def test_an_endless_list_is_given_up() -> None:
    asked: list[int] = []

    def fetch(offset: int, limit: int) -> Page:
        asked.append(offset)
        return rows(*range(offset, offset + 10)), None

    with pytest.raises(ProtocolError) as caught:
        collect(fetch, 10, "id", "rows")
    assert str(caught.value) == (
        "The list of rows has more than 200 pages, which is too long to read. The task does not use it."
    )
    assert len(asked) == MOST_PAGES
    assert not caught.value.transient


@pytest.mark.parametrize("limit", [dcs.LIMIT, ddm.LIMIT])
def test_20_000_items_are_read_within_the_pages_that_are_allowed(limit: int) -> None:
    everything, asked = rows(*range(20_000)), list[int]()

    def fetch(offset: int, limit: int) -> Page:
        asked.append(offset)
        return everything[offset : offset + limit], len(everything)

    assert collect(fetch, limit, "id", "rows") == everything
    assert len(asked) < MOST_PAGES


def test_reading_ends_with_the_page_of_the_item_that_is_wanted() -> None:
    asked: list[int] = []
    assert len(collect(honest(150, 150, cap=50, asked=asked), 50, "id", "things", until="r70")) == 99
    assert asked == [0, 49]


@pytest.mark.parametrize("total", [None, 2])
def test_nothing_is_concluded_from_items_that_are_all_odd(total: int | None) -> None:
    with pytest.raises(ProtocolError, match="none of its 2 items is what the API documents"):
        collect(lambda offset, limit: ([None, None] if offset == 0 else [], total), 128, "id", "instances")


@pytest.mark.parametrize(("first", "total"), [(128, 300), (128, None), (12, None)])
def test_rows_are_not_forgotten_when_a_later_page_says_nothing(first: int, total: int | None) -> None:
    def fetch(offset: int, limit: int) -> Page:
        return (rows(*range(first)), total) if offset == 0 else (SAYS_NOTHING, None)

    with pytest.raises(ProtocolError, match="the response with a later page has no content"):
        collect(fetch, 128, "id", "rows")


UNREAD = "The list of rows cannot be read to its end: {}. The task does not use it."


def pages(*given: Page) -> Fetch:
    """Serve the same pages in every reading."""
    queue: list[Page] = []

    def fetch(offset: int, limit: int) -> Page:
        if offset == 0:
            queue[:] = given
        return queue.pop(0)

    return fetch


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            [(rows(*range(12)), None), (rows(20, 21), None)],
            "items were removed while it was read, so some may have been missed",
        ),
        ([(rows(*range(12)), None), (SAYS_NOTHING, None)], "the response with a later page has no content"),
        ([([None] * 12, None), (SAYS_NOTHING, None)], "the response with a later page has no content"),
        ([(rows(*range(12)), 30), (rows(11), 30)], "it reports a total of 30 items, but only 12 came"),
        (
            [(rows(*range(12)), 30), ([], 30)],
            "it reports a total of 30 items, but only 12 came; the server may treat the offset as a page "
            "number",
        ),
        ([(rows(*range(20)), None), (rows(*range(20)), None)], "it repeats its pages"),
        ([(rows(*range(12)), None), ([], None)], "it now ends before an item that it had a moment ago"),
        # three of fourteen items were removed, and two moved up to the page that was read already
        ([(rows(*range(12)), 14), ([], 11)], "it now ends before an item that it had a moment ago"),
        ([(rows(*range(12)), 14), ([], 1)], "it now ends before an item that it had a moment ago"),
        # the odd one at the end of one page is the same as at the beginning of the next
        (
            [([*rows(*range(11)), None], 14), ([None, *rows(12)], 14), (rows(12), 14)],
            "it reports a total of 14 items, but only 13 came",
        ),
    ],
)
def test_the_message_says_why_a_list_is_not_read_to_its_end(given: list[Page], why: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        collect(pages(*given), 20, "id", "rows")
    assert str(caught.value) == UNREAD.format(why)


def test_an_empty_page_that_counts_nothing_says_nothing_of_the_others() -> None:
    assert collect(pages((rows(*range(12)), 12), ([], 0)), 20, "id", "rows") == rows(*range(12))


def test_each_odd_item_counts_once() -> None:
    first: Page = ([*rows(*range(11)), None], 14)
    found = collect(pages(first, ([None, None, *rows(13)], 14), (rows(13), 14)), 20, "id", "rows")
    assert found == rows(*range(11), 13)
    assert collect(pages(([*rows(1), None], None), ([None], None)), 20, "id", "rows") == rows(1)


def test_pages_of_two_items_overlap_as_well() -> None:
    asked: list[int] = []
    assert len(collect(honest(4, None, cap=2, asked=asked), 2, "id", "rows")) == 4
    assert asked == [0, 1, 2, 3]
