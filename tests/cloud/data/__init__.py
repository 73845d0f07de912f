# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data of the instances of the local cloud: none, unless it is given real servers.

with RealData.start() as data, Simulator("story", data=data) as sim:  # see tests.cloud.data.real
    data.caches[DCS_INSTANCE].client().set("key", "value")
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..state import CloudState, Item

__all__ = ["Data", "DataError"]


class DataError(Exception):
    """Why data could not be backed up or brought back: the reason that the record or job then shows."""


class Data:
    """No data at all: an operation ends when its time is over."""

    def attach(self, cloud: CloudState) -> None:
        """Give the instances of a new cloud their addresses. Called before the first request."""

    def begin(self, item: Item) -> Future[None] | None:
        """Begin to move the data of an operation, in the background: the caller holds the cloud's lock.

        The record runs at least until the future is done, and fails with its exception. None: nothing to
        move.
        """
