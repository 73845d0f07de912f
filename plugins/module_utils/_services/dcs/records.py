# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DCS instance says: whether it is free. What a record of a backup or restore says: its end, whether
it can be used, the time of its data.

The documented words are those of the DCS API reference, "Querying Backup Records" and "Querying Restoration
Records": waiting, backuping, restoring, succeed, failed, expired, deleted. Responses have other spellings,
too.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending, plain

Record = t.Mapping[str, t.Any]
STATUSES = ("waiting", "backuping", "restoring", "succeed", "failed", "expired", "deleted")


def obstacle(instance: Record) -> str | None:
    """Return why an instance cannot take an operation now, or None."""
    if instance["task"]:
        return f"the instance is busy with {instance['task']}"
    serves = plain(instance["status"]) == "running"
    return None if serves else f"the instance is {instance['status']}, not RUNNING"


def end(record: Record) -> str | None:
    """Return how a restore or backup has ended, succeeded or failed.

    All other words, known or not, mean unfinished: None. An expired backup was made, but is no longer kept.
    """
    gone = {"expired": "succeeded", "deleted": "failed"}
    return gone.get(plain(record["status"])) or ending(record["status"])


def unusable(backup: Record) -> str | None:
    """Return why a backup cannot be restored, or None."""
    if ending(backup["status"]) != "succeeded":
        return f"its status is {backup['status']}"
    if backup["is_support_restore"] is None:
        return "the cloud does not say that it supports restoring"
    return None if backup["is_support_restore"] else "it does not support restoring"


def usable(backup: Record) -> bool:
    """Whether a backup can be restored."""
    return unusable(backup) is None


def data_time(backup: Record) -> int | None:
    """Return the time of a backup's data in epoch ms: when the backup began, else when it was completed.

    None when neither can be read. A backup is queued first: its record is created before its data are read,
    so `created_at` is too early. It does not hold what is written while it is made.
    """
    begun = moment(backup["execution_at"])
    found = moment(backup["updated_at"]) if begun is None else begun
    created = moment(backup["created_at"])
    return found if found is None or created is None else max(found, created)


def earliest_data_time(backup: Record) -> int | None:
    """Return the same, or when the record was created if only that is known: the data are not older."""
    return data_time(backup) or created(backup)


def created(record: Record) -> int | None:
    """Return when a record was created, epoch ms, or None when that cannot be read."""
    return moment(record["created_at"])
