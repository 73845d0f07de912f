# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All items of a list from a server that may lie about its length, and whose list may change meanwhile."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ProtocolError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import items, text, whole

MOST_PAGES, DEFAULT_LIMIT = 200, 10
ATTEMPTS = 2  # how often a list is read if its pages contradict each other
SILENT = "the response has no content"  # counts as an empty list when both readings say so
SAYS_NOTHING: list[t.Any] = []  # the page of a response without content whose status is not 204
Row = t.Dict[str, t.Any]
OnMalformed = t.Callable[[ProtocolError], t.Any]
# rows, None for a malformed one that is left out; the total if it is given
Page = t.Tuple[t.Sequence[t.Optional[Row]], t.Optional[int]]


class Listing(t.NamedTuple):
    """A list of the API. People call its items `what`.

    A response has them under `key`, and convert() makes a row of one, with its ID under `identity`. One that
    is not as the API documents it is left out and reported to on_malformed(error). Without that, or when it
    could have one of the wanted `names`, its error is raised.
    """

    what: str
    key: str
    identity: str
    convert: t.Callable[[t.Any], Row]
    on_malformed: OnMalformed | None = None
    names: t.Sequence[str] = ()


def collect(
    fetch: t.Callable[[int, int], Page], limit: int, identity: str, what: str, until: str | None = None
) -> list[Row]:
    """Return every item once, in the order met, over fetch(offset, limit).

    Reading ends with the page that has the item `until`.

    Each page begins with the last item of the page before it. This reveals what a total cannot: a list that
    moves up while it is read, and an offset that the server ignores or takes for the number of a page.
    Reading goes on until a page has nothing new. One page is enough only if it is shorter than requested
    *and* than the API's default page of 10 (no server caps below that) *and* the total agrees. Raises
    ProtocolError when two readings do not reach the end, or not as many items as the total says, and after
    200 pages.
    """
    doubt, before = "", ""
    for _dummy in range(ATTEMPTS):
        before = doubt
        found, doubt = _read(fetch, limit, identity, what, until)
        if not doubt or doubt == before == SILENT:
            return found
    raise ProtocolError(f"The list of {what} cannot be read to its end: {doubt}. The task does not use it.")


def _read(
    fetch: t.Callable[[int, int], Page], limit: int, identity: str, what: str, until: str | None
) -> tuple[list[Row], str]:
    """Return (items, '') or ([], why they cannot be all)."""
    found: dict[str, Row] = {}
    offset, malformed, overlap = 0, 0, False
    least: int | None = None
    shrunk = False  # whether a total was smaller than one before it
    for _dummy in range(MOST_PAGES):
        page, total = fetch(offset, limit)
        if overlap and page and not any(item is None or item[identity] in found for item in page):
            return [], "items were removed while it was read, so some may have been missed"
        # Items that are added meanwhile count, but come before the items that were read.
        if total is not None:
            shrunk = shrunk or (least is not None and 0 < total < least)
            least = total if least is None else min(least, total)
        if page is SAYS_NOTHING:
            return [], "the response with a later page has no content" if found or malformed else SILENT
        known = len(found) + malformed
        for item in page:
            if item is not None:
                found.setdefault(item[identity], item)
        begin = 1 if overlap else 0
        malformed += sum(item is None for item in page[begin:])
        count = len(found) + malformed
        if count == known:
            doubt = _doubt(page, least, limit, count, overlap and (least is None or shrunk))
            return list(found.values()), _unreadable(found, malformed) or doubt
        if until in found or (len(page) < min(limit, DEFAULT_LIMIT) and total == count):
            return list(found.values()), _unreadable(found, malformed)
        overlap = len(page) > 1
        offset += len(page) - 1 if overlap else len(page)
    raise ProtocolError(
        f"The list of {what} has more than {MOST_PAGES} pages, which is too long to read. The task does not "
        "use it.",
        transient=False,
    )


def _doubt(page: t.Sequence[Row | None], total: int | None, limit: int, count: int, overlap: bool) -> str:
    """Return why the items so far cannot be all, after a page with nothing new; '' when they can."""
    if total is not None and total > count:
        numbered = "" if page else "; the server may treat the offset as a page number"
        return f"it reports a total of {total} items, but only {count} came{numbered}"
    if len(page) >= limit:
        return "it repeats its pages"
    if overlap and not page:
        return "it now ends before an item that it had a moment ago"
    return ""


def _unreadable(found: Row, malformed: int) -> str:
    """Return why nothing can be concluded from items that are all left out; '' when one was read."""
    return f"none of its {malformed} items is what the API documents" if malformed and not found else ""


def page_of(reply: Reply, listing: Listing, totals: t.Sequence[str]) -> Page:
    """Return a reply as a page: its rows, and the first of `totals` that it has. 204 is an empty list."""
    if reply.status == 204:
        return [], 0
    if reply.body is None and reply.headers.get("content-length") == "0":
        return SAYS_NOTHING, None
    given = reply.body if isinstance(reply.body, dict) else {}
    total = next((whole(given[name]) for name in totals if name in given), None)

    def converted(item: t.Any) -> Row | None:
        try:
            return listing.convert(item)
        except ProtocolError as error:
            called = text(item.get("name")) if isinstance(item, dict) else None
            if listing.names and called in (None, *listing.names):
                raise error.with_context(f"{error} It may be the named one: give an ID.") from None
            if listing.on_malformed is None:
                raise
            listing.on_malformed(error)
            return None

    try:
        return [converted(item) for item in items(reply.body, listing.key, total)], total
    except ProtocolError as error:
        raise error.with_context(f"List of {listing.what}: {error}") from None
