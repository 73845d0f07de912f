# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All items of a list, from a server that may lie about its length."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ProtocolError

MOST_PAGES, DEFAULT_LIMIT = 200, 10
Page = tuple[list[dict[str, t.Any]], t.Optional[int]]


def collect(
    fetch: t.Callable[[int, int], Page], limit: int, identity: str, what: str, until: str | None = None
) -> list[dict[str, t.Any]]:
    """Return every item once, in the order met, over fetch(offset, limit) -> (items, total or None). The page with the item `until` is the last one read.

    The offset advances by what was received and reading goes on to an empty page or one with nothing new, whatever `total` says. One page
    is enough only when it is shorter than asked *and* than the API's default page of 10 (no server caps below that) *and* total agrees.
    Raises ProtocolError when pages repeat that are full or short of the total (the offset is ignored, so the rest cannot be seen), and after 200 pages.
    """
    found: dict[str, dict[str, t.Any]] = {}
    offset = 0
    for _dummy in range(MOST_PAGES):
        try:
            page, total = fetch(offset, limit)
        except ProtocolError as error:
            raise error.with_context(f"List of {what}: {error}") from None
        known = len(found)
        for item in page:
            found.setdefault(item[identity], item)
        offset += len(page)
        if len(found) == known:
            if len(page) >= limit or (total or 0) > len(found) <= len(page) >= DEFAULT_LIMIT:
                raise ProtocolError(
                    f"The list of {what} repeats its pages; it cannot be read to its end, so nothing is concluded from it."
                )
            return list(found.values())
        if until in found or (len(page) < min(limit, DEFAULT_LIMIT) and total == len(found)):
            return list(found.values())
    raise ProtocolError(
        f"The list of {what} has more than {MOST_PAGES} pages: too long to read, so nothing is concluded from it."
    )
