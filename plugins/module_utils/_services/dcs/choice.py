# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which backup a restore takes: by its ID, its name, or the time of its data.

Pure: this machine's clock has no influence.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotFound, NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import is_future
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    data_time,
    earliest_data_time,
    unusable,
    usable,
)

SAFETY_TAG = "[safety]"  # in the remark of a safety backup, which `latest` never takes
NEAREST = 3  # backups that a refusal lists


@dataclass(frozen=True)
class Choice:
    """The backup to restore (None if its ID is not in the list), the next usable one, and the warnings."""

    backup_id: str
    backup: Row | None
    newer: Row | None = None
    warnings: tuple[str, ...] = ()


def choose_backup(
    backups: t.Sequence[Row], wanted: t.Mapping[str, t.Any], point: int | None, now: int, about: str
) -> Choice:
    """Return the backup for one of backup_id, backup_name and restore_point in `wanted`.

    `point` is restore_point in epoch ms, None for latest; `now` is the time by the cloud's clock. `about`
    names the instance for people. Raises NotFound for an unknown name, and NotRestorable when no backup can
    be used.
    """
    if wanted["restore_point"] and point is None:
        choice = latest_backup(backups, now, about)
    elif wanted["restore_point"]:
        choice = backup_until(backups, t.cast(int, point), wanted["restore_point"], about)
    else:
        backup_id = wanted["backup_id"] or backup_named(backups, wanted["backup_name"], about)["backup_id"]
        backup = next((row for row in backups if same_id(row["backup_id"], backup_id)), None)
        made = data_time(backup) if backup else None
        # The list's own spelling is in the marker, so that every spelling means the same operation.
        choice = Choice(backup["backup_id"] if backup else backup_id, backup, newer_than(backups, made))
    unclear = []
    if wanted["restore_point"] and choice.backup:
        unclear = unclear_warning(backups, choice.backup, point)
    return replace(choice, warnings=(*choice.warnings, *unclear, *empty_warning(choice.backup)))


def backup_named(backups: t.Sequence[Row], name: str, about: str) -> Row:
    """Return the one backup of this name. Raises NotFound, with the candidates."""
    found = [row for row in backups if row["backup_name"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(
            f"{len(found)} backups of {about} are named {name}: {describe_backups(found)}. Give backup_id."
        )
    shown = sorted(backups, key=sortable, reverse=True)[:NEAREST]
    raise NotFound(f"No backup of {about} is named {name}. The newest ones: {describe_backups(shown)}.")


def latest_backup(backups: t.Sequence[Row], now: int, about: str) -> Choice:
    """Return the newest usable backup, leaving out safety backups and those whose data have a time in the
    future.
    """
    ahead = [row for row in backups if is_future(sortable(row), now)]
    ready = [row for row in backups if usable(row) and row not in ahead]
    found = [row for row in ready if SAFETY_TAG not in (row["remark"] or "")]
    if not found:
        only = (
            f" backup_id can restore its safety backups: {describe_backups(ready[:NEAREST])}."
            if ready
            else ""
        )
        shown = sorted(backups, key=sortable, reverse=True)[:NEAREST]
        seen = f" Not usable: {describe_backups(shown)}." if shown and not ready else ""
        seen += " Backups dated in the future were left out: give backup_id to use one." if ahead else ""
        raise NotRestorable(f"{about} has no usable backup.{only}{seen}")
    newest = max(found, key=sortable)
    return Choice(newest["backup_id"], newest, None, tuple(undated_warnings(found, newest, ahead)))


def backup_until(backups: t.Sequence[Row], point: int, written: str, about: str) -> Choice:
    """Return the usable backup with the newest data that are not after a point.

    Raises NotRestorable, with the nearest ones.
    """
    ready = [row for row in backups if usable(row)]
    found = [row for row in ready if (data_time(row) or point + 1) <= point]
    if not found:
        after = sorted((row for row in ready if data_time(row) is not None), key=sortable)[:NEAREST]
        spoilt = [row for row in backups if (data_time(row) or point + 1) <= point]  # none of them is usable
        nearest = f" The nearest usable ones after it: {describe_backups(after)}." if after else ""
        before = sorted(spoilt, key=sortable, reverse=True)[:NEAREST]
        unfit = f" Not usable, before it: {describe_backups(before)}." if before else ""
        raise NotRestorable(f"{about} has no usable backup with data of {written} or before.{nearest}{unfit}")
    newest = max(found, key=sortable)
    return Choice(
        newest["backup_id"], newest, newer_than(backups, point), tuple(undated_warnings(ready, newest))
    )


def newer_than(backups: t.Sequence[Row], point: int | None) -> Row | None:
    """Return the usable backup with the oldest data after a time, or None."""
    later = [row for row in backups if usable(row) and point is not None and (data_time(row) or 0) > point]
    return min(later, key=sortable, default=None)


def undated_warnings(backups: t.Sequence[Row], chosen: Row, ahead: t.Sequence[Row] = ()) -> list[str]:
    """Return a warning when the time of a backup cannot be read or is in the future (`ahead`), so
    that it may be newer than the chosen one.
    """
    unread = [row["backup_id"] for row in backups if data_time(row) is None and row is not chosen]
    future = [row["backup_id"] for row in ahead if usable(row)]
    return [
        f"The time of the data in {', '.join(found)} {why}, so it was ignored. "
        f"Backup {chosen['backup_id']} was chosen; give backup_id to use another one."
        for found, why in ((unread, "cannot be read"), (future, "is in the future"))
        if found
    ]


def unclear_warning(backups: t.Sequence[Row], chosen: Row, point: int | None) -> list[str]:
    """Return a warning when there are newer data, up to a point, in backups that may be usable or not."""
    unclear = [
        row["backup_id"]
        for row in backups
        if ending(row["status"]) == "succeeded"
        and row["is_support_restore"] is None
        and SAFETY_TAG not in (row["remark"] or "")
        and sortable(chosen) < sortable(row)
        and (point is None or sortable(row) <= point)
    ]
    if not unclear:
        return []
    return [
        f"The data in {', '.join(unclear)} are newer, but the cloud does not say that it supports restoring "
        f"them, so they were ignored. Backup {chosen['backup_id']} was chosen. Check in the "
        "console whether a newer one can be restored."
    ]


def empty_warning(backup: Row | None) -> list[str]:
    """Return a warning when the cloud says that there is nothing in a backup."""
    if backup is None or backup["size"] != 0:
        return []
    return [
        f"Backup {backup['backup_id']} has 0 bytes in the list of the cloud. Make sure that it holds data."
    ]


def sortable(backup: Row) -> int:
    """Return the time of a backup's data for sorting; one that cannot be read comes first."""
    return earliest_data_time(backup) or -1


def describe_backups(backups: t.Sequence[Row]) -> str:
    """Return backups with their IDs and the times of their data, for people."""

    def one(row: Row) -> str:
        made, why = data_time(row), unusable(row)
        when = "at an unknown time" if made is None else iso(made)
        return (
            f"{row['backup_name'] or 'unnamed'} ({row['backup_id']}, data of "
            f"{when}{', ' + why if why else ''})"
        )

    return "; ".join(map(one, backups)) or "none"


def check_backup(backup_id: str, backups: t.Sequence[Row], about: str) -> None:
    """Raise unless the backup is one of the instance's own and can be restored."""
    backup = next((row for row in backups if row["backup_id"] == backup_id), None)
    if backup is None:
        same = [row["backup_id"] for row in backups if row["backup_name"] == backup_id]
        hint = "it was deleted, or belongs to another instance."
        if same:
            hint = f"it is the name of {' and '.join(same)}: give it as backup_name."
        raise NotFound(f"Backup {backup_id} is not among the backups of {about}: {hint}")
    reason = unusable(backup)
    if reason:
        raise NotRestorable(f"Backup {backup_id} cannot be restored: {reason}.", status=backup["status"])
