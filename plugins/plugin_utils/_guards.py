# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards against an overwrite: protected instances, wrong names, data too old or too far from the point.

Private to this collection.

All functions are pure: the time is a parameter.
"""

from __future__ import annotations

import fnmatch
import math
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import one_spelling, printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import in_words
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._lines import local_text
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._options import Options
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_advice import beyond
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import (
    Known,
    Row,
    called,
    failed,
    milliseconds,
    same_name,
    service_of,
    target_id,
    target_name,
)

TAG = "tag:"
NOTHING = "Nothing was started."


def guarded(row: Row, requested: t.Any, options: Options, read_only: bool, now_ms: int, tags: Known) -> Row:
    """Return a planned row, which has failed if it must not be overwritten.

    `requested` is the point that was requested for it, if any. `tags` has the tags of the instances by ID, if
    restore_protected needs them.
    """
    if row.get("error_kind"):
        return row
    why = obstacle(row, requested, options, read_only, now_ms, tags)
    return failed(row, "plan", *why, now_ms) if why else row


def obstacle(
    row: Known, requested: t.Any, options: Options, read_only: bool, now_ms: int, tags: Known
) -> tuple[str, str] | None:
    """Return the error_kind and the reason why a row must not be overwritten, or None."""
    wrong = misnamed(row)
    protected = protection(row, options.protected, tags)
    bounds = out_of_bounds(row, options)
    old = too_old(row, options, now_ms) if read_only else None
    far = too_far(row, requested, options.max_gap, now_ms, options.timezone)
    found = (
        ("name_mismatch", wrong and f"{wrong} {NOTHING}"),
        ("protected", protected and f"This instance is protected: {protected} {NOTHING}"),
        ("protected", bounds and f"{bounds} {NOTHING}"),
        ("too_old", old),
        ("too_far", far and f"{far} {NOTHING}"),
    )
    return next(((kind, msg) for kind, msg in found if msg), None)


def protection(row: Known, patterns: t.Sequence[str], tags: t.Mapping[str, t.Any]) -> str | None:
    """Return why restore_protected protects a row, or None.

    `tags` has the tags of the instances by ID, if a pattern needs them.
    """
    words = [word for word in (row.get("name"), *overwritten(row)) if word]
    if patterns and not target_name(row):
        return "its name could not be read, so it may be one that restore_protected names."
    for pattern in patterns:
        if pattern.lower().startswith(TAG):
            service = service_of(row)
            if service and service.tagged:
                why = tagged(pattern.partition(":")[2], tags.get(str(target_id(row))))
                if why:
                    return f"restore_protected has {printable(pattern)!r}, and {why}."
        else:
            found = next((word for word in words if like(word, pattern)), None)
            if found:
                return f"restore_protected has {printable(pattern)!r}, which matches {printable(found)}."
    return None


def overwritten(row: Known) -> list[t.Any]:
    """Return what a row overwrites: name and ID of the instance, and the IDs of its data nodes."""
    nodes = [relation.get("target_instance_id") for relation in row.get("data_node_relations") or []]
    return [target_name(row), target_id(row), *nodes]


def tagged(pattern: str, tags: t.Mapping[str, str] | None) -> str | None:
    """Return why tags match `key` or `key=value`, or None. Tags that could not be read may match."""
    if tags is None:
        return "the tags of this instance could not be read"
    key, with_value, value = pattern.partition("=")
    for found, content in tags.items():
        if like(found, key) and (not with_value or like(content, value)):
            return f"this instance has the tag {printable(found)}={printable(content)}"
    return None


def like(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern with * and ?, ignoring case: protection errs on the safe side.

    The same letter may be written as one character or as two, depending on who typed it.
    """
    text, pattern = (one_spelling(one.strip().lower()) for one in (text, pattern))
    return text == pattern or fnmatch.fnmatchcase(text, pattern)


def misnamed(row: Known) -> str | None:
    """Return why the `name` of an entry contradicts the cloud, or None."""
    wanted, found = row.get("name"), (row.get("target") or {}).get("instance_name")
    if not wanted or not found or same_name(wanted, found):
        return None
    return (
        f"The instance {target_id(row)} is called {printable(found)!r} in the cloud, but the entry has the "
        f"name {printable(wanted)!r}: either the ID or the name is wrong."
    )


def out_of_bounds(row: Known, options: Options) -> str | None:
    """Return why a drill must not overwrite an instance, or None."""
    words = [word for word in (target_name(row), target_id(row)) if word]
    if any(like(word, pattern) for word in overwritten(row) if word for pattern in options.production):
        return "A drill never overwrites production, and drill_production names this instance."
    drill = options.window_days is not None
    if drill and not any(like(word, pattern) for word in words for pattern in options.scratch):
        return "A drill overwrites scratch instances only, and this one is not in drill_scratch."
    return None


# Whether the data fit the request


def seconds_behind(row: Known, limit: int, until_ms: int) -> float | None:
    """Return how many seconds before a moment the data of a row end, if that is more than `limit`, or None.

    It is infinite if the time of data that would be restored cannot be read.
    """
    data = moment(row.get("data_time"))
    if data is None:
        return math.inf if row.get("action") == "restore" else None
    gap = (until_ms - data) / 1000
    return gap if gap > limit else None


def too_old(row: Known, options: Options, now_ms: int) -> str | None:
    """Return why the newest data of an instance are too old, or None."""
    most = options.rpo_target
    age = None if most is None else seconds_behind(row, most, now_ms)
    if most is None or age is None:
        return None
    if age == math.inf:
        return f"The time of the newest data that {called(row)} can be restored to cannot be read."
    old, limit = beyond(age, most)
    return (
        f"The newest data that {called(row)} can be restored to are {old} old, but restore_rpo_target is "
        f"{limit}."
    )


def too_far(row: Known, requested: t.Any, most: int | None, now_ms: int, tz: t.Any) -> str | None:
    """Return why the data of a row are too far from the requested point, or None.

    No point was requested where an entry, a plan or an undo names a backup. The reason names the nearest
    backups on both sides.
    """
    if most is None or not requested or row.get("action") == "nothing":
        return None
    point = milliseconds(requested)
    gap = seconds_behind(row, most, now_ms if point is None else point)
    if gap is None:
        return None
    if gap == math.inf:
        return f"restore_max_gap is {in_words(most)}, and the time of the data cannot be read."
    data = moment(row.get("data_time"))
    near = [f"before it {backup_words(row.get('backup'), data, tz)}"] if row.get("backup") else []
    newer = row.get("newer_backup")
    if newer:
        near.append(f"after it {backup_words(newer, moment(newer.get('created_at')), tz)}")
    listed = f" Nearest: {'; '.join(near)}." if near else ""
    older, limit = beyond(gap, most)
    return f"The data are {older} older than the requested point, but restore_max_gap is {limit}.{listed}"


def backup_words(backup: t.Any, ms: int | None, tz: t.Any) -> str:
    """Return a backup as a refusal lists it: when, which, and its ID."""
    when = local_text(ms, tz) if ms is not None else "at an unknown time"
    name = printable((backup or {}).get("backup_name") or "a backup")
    return f"{name} of {when} (backup_id {printable((backup or {}).get('backup_id'))})"
