# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has been restored and backed up, in the same words for every service: for code that reports events."""

from __future__ import annotations

import typing as t


class Record(t.NamedTuple):
    """A restore or a backup. Times are in epoch ms, None if they cannot be read."""

    kind: str  # restore or backup
    id: str
    status: str  # the service's word
    end: str | None  # succeeded or failed; None as long as it has not ended
    begun: int | None
    ended: int | None
    backup_id: str | None  # of the backup that was made or restored, as options take it
    reason: str | None  # why it failed


class History(t.NamedTuple):
    """What the cloud lists of one instance.

    `data_times` has the times of the data in its usable backups, in epoch ms. It is None if the service does
    not report them.
    """

    records: list[Record]
    data_times: list[int] | None


ReadHistory = t.Callable[[str], History]  # takes the ID of an instance
