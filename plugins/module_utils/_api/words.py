# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words by which a service says that something has ended, in every known spelling."""

from __future__ import annotations

SUCCEEDED = ("succeed", "succeeded", "success", "successful", "completed", "complete", "finished")
FAILED = ("failed", "fail", "failure", "error")


def plain(word: object) -> str:
    """Return a status word in small letters, without blanks around it."""
    return str(word).strip().lower()


def ending(word: object) -> str | None:
    """Return how something has ended: succeeded, failed, or None if its status word is another."""
    found = plain(word)
    return "succeeded" if found in SUCCEEDED else "failed" if found in FAILED else None
