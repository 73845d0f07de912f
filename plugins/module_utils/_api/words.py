# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words in which a service says how something is or has ended, in every known spelling."""

from __future__ import annotations

import typing as t

SUCCEEDED = ("succeed", "succeeded", "success", "successful", "completed", "complete", "finished")
FAILED = ("failed", "fail", "failure", "error")
BROKEN = ("error", "createfailed", "frozen")  # an instance that does not come back by itself


def plain(word: object) -> str:
    """Return a status word in small letters, without blanks around it."""
    return str(word).strip().lower()


def ending(word: object) -> str | None:
    """Return how something has ended: succeeded, failed, or None if its status word is another."""
    found = plain(word)
    if found in SUCCEEDED:
        return "succeeded"
    return "failed" if found in FAILED else None


def unknown_warning(word: object, known: t.Sequence[str]) -> str | None:
    """Return a warning about a status word of an operation that is not a known one, None for all others."""
    if ending(word) or plain(word) in map(plain, known):
        return None
    return (
        f"the status {word!r} is not one of the known ones ({', '.join(known)}): the task treats it as "
        "unfinished"
    )
