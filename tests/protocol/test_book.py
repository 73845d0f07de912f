# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The book changes nothing: a schedule from the book is the schedule that the client alone plays."""

from __future__ import annotations

import typing as t

import pytest

from tests.protocol import client, explore
from tests.protocol.book import Book
from tests.protocol.explore import JUMPS, SETTINGS, Known


@pytest.mark.parametrize("number", (7, 12))
def test_the_exploration_is_the_same_with_and_without_the_book(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_book = explore.explore(SETTINGS[number], 1, 0)
    monkeypatch.setattr(explore, "Book", lambda jumps: None)
    alone = explore.explore(SETTINGS[number], 1, 0)
    by_book.seconds = alone.seconds
    assert by_book == alone and by_book.schedules > 30 and by_book.joined > 20


# A jump of the calendar right before the POST decides in may_leave(), which the book asks for each jump
@pytest.mark.parametrize("script", ((), ((5, "calendar +2 h"),), ((5, "reset"), (9, "500"))))
def test_a_schedule_that_is_in_the_book_runs_no_client(
    script: explore.Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, clients, perform = Book(JUMPS.values()), [], client.perform

    def counted(*run: t.Any) -> dict[str, t.Any]:
        clients.append(1)
        return perform(*run)

    monkeypatch.setattr(client, "perform", counted)
    plays = [explore.play(SETTINGS[0], script, 2, 1, Known(), which) for which in (None, book, book)]
    assert plays[0] == plays[1] == plays[2] and plays[0][2]
    runs = sum(plays[0][0].outcomes.values())
    assert len(clients) == 2 * runs
