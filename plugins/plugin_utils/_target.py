# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row: its service, what it overwrites with what, and its outcome.

Private to this collection.

The role, its plan, its lines and its report call these functions, so that none of them asks for the name of a
service. All functions are pure: the time is a parameter.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import one_spelling, printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment, same_id, whole
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service

Row = dict[str, t.Any]
Known = t.Mapping[str, t.Any]
DICTS = (*_row.DICTS, "next", "restore", "safety_backup", "verification")
LISTS = (*_row.LISTS, "checks")
SAME_TIME = 60_000  # ms by which clocks may differ and still count as equal
NAMED_BY = ("instance_id", "instance_name")  # the keys that name an instance
PAIR = ("source_instance_id", "target_instance_id")  # of data nodes


# Of a file


def is_row(row: t.Any) -> bool:
    """Whether a value can be a row of a report: every key that is read holds what a run writes there."""
    if not isinstance(row, dict):
        return False
    checks = (row.get("verification") or {}).get("checks") if is_kind(row.get("verification"), dict) else 0
    values = {**row, "steps": row.get("steps"), "checks": checks}
    return all(fits(name, value) for name, value in values.items())


def fits(name: str, value: t.Any) -> bool:
    """Whether a key of a row can have a value."""
    if name in DICTS:
        return is_kind(value, dict)
    if name in LISTS:
        return is_rows(value)
    return not isinstance(value, (dict, list, tuple))  # AWX makes a time of a text that looks like one


def is_kind(value: t.Any, kind: t.Any) -> bool:
    """Whether a value is null or of a kind."""
    return value is None or isinstance(value, kind)


def is_rows(value: t.Any) -> bool:
    """Whether a value is null or a list of dicts."""
    return is_kind(value, list) and all(isinstance(one, dict) for one in value or ())


# Its service


def service_of(row: Known) -> Service | None:
    """Return the service of a row; None for a host that is not an instance."""
    return SERVICES.get(str(row.get("service")))


def from_elsewhere(row: Known) -> bool:
    """Whether the data come from another instance, which is not changed."""
    service = service_of(row)
    return service is not None and not service.in_place


def backup_module(row: Known) -> str | None:
    """Return the module that backs up the instance before it is overwritten; None if there is none."""
    service = service_of(row)
    return service.backup_module if service else None


def attaches(row: Known) -> bool:
    """Whether a run finds an earlier one only by an ID in its entry, because the service has no marker."""
    service = service_of(row)
    return service is not None and service.id_key in service.options


# What it overwrites


def id_or_name(row: Known, end: str, kind: int) -> str | None:
    """Return the ID (kind 0) or the name (1) of the target or the source of a row, if it is known."""
    found: str | None = (row.get(end) or {}).get(NAMED_BY[kind])
    if found:
        return found
    if end == "source":
        return row.get(NAMED_BY[kind])
    service = service_of(row)
    return row.get(service.names[kind]) if service else None


def target_id(row: Known) -> str | None:
    """Return the ID of the instance that a row overwrites, as far as it is known."""
    return id_or_name(row, "target", 0)


def target_name(row: Known) -> str | None:
    """Return the cloud's name of the instance that a row overwrites, as far as it is known."""
    return id_or_name(row, "target", 1)


def same_name(one: t.Any, other: t.Any) -> bool:
    """Whether two texts are one name: a plan and a report have it with escapes, and without blanks around."""
    known = one is not None and other is not None
    return known and one_spelling(printable(one)).strip() == one_spelling(printable(other)).strip()


def answers_to(name: str, ident: str | None, its_name: t.Any) -> bool:
    """Whether a text that may be a name or an ID means an instance. Only an ID may be in capitals."""
    return same_name(name, its_name) or (ident is not None and same_id(name, ident))


def called(row: Known) -> str:
    """Return the name of the instance that a row overwrites, else its ID, else its label."""
    return printable(target_name(row) or target_id(row) or row.get("job_id") or row.get("label") or "?")


def same(entry: Known, row: Known) -> bool:
    """Whether an entry and a planned row are about one target."""
    if entry["service"] != row["service"]:
        return False
    if entry.get("job_id") and same_id(entry["job_id"], row.get("job_id")):
        return True
    if target_id(entry):
        return same_id(target_id(entry), target_id(row))
    if any((entry.get(name) or None) != (row.get(name) or None) for name in ("region", "profile")):
        return False  # Other instances can have this name elsewhere.
    return same_name(target_name(entry), target_name(row))


def undoable(row: Known) -> bool:
    """Whether an undo restores a row: it has overwritten data, or may have, and a safety backup of them."""
    return bool(row.get("safety_backup")) and row.get("data_state") != "untouched"


def overwrote(earlier: Known, row: Known) -> bool:
    """Whether an earlier run has overwritten the target of a row, or may have."""
    return same(row, earlier) and earlier.get("data_state") != "untouched"


def same_source(entry: Known, row: Known) -> bool:
    """Whether the data of an entry and of a planned row come from one instance. An entry may not say it."""
    for kind in (0, 1):
        wanted, found = id_or_name(entry, "source", kind), id_or_name(row, "source", kind)
        if wanted and found:
            return same_id(wanted, found) if kind == 0 else same_name(wanted, found)
    return not (id_or_name(entry, "source", 0) or id_or_name(entry, "source", 1))


def account_of(row: Known) -> Known:
    """Return the account of a row if it differs from that of the run; empty otherwise."""
    found: Known = (row.get("details") or {}).get("account") or {}
    return found


# With what


def source_id(row: Known) -> str | None:
    """Return the ID of the instance whose data a row restores."""
    return id_or_name(row, "source", 0)


def backup_id(row: Known) -> t.Any:
    """Return the ID of the backup that a row restores."""
    return (row.get("backup") or {}).get("backup_id") or row.get("backup_id")


def safety_backups(row: Known) -> list[str]:
    """Return the IDs of the safety backups of a row, the newest first."""
    found = row.get("safety_backup") or {}
    earlier = found.get("earlier_ids")
    ids = [found.get("backup_id"), *(earlier if isinstance(earlier, list) else [])]
    return [str(ident) for ident in ids if ident]


def newest_restore(row: Known) -> Known:
    """Return ID and creation time of the newest restore that the plan found on the instance; {} for none."""
    found: Known = (row.get("details") or {}).get("newest_restore") or {}
    return found


def point_of(row: Known) -> t.Any:
    """Return the point that an entry requests, None if it names a backup or a job instead."""
    service = service_of(row)
    return row.get(service.point) if service else None


def time_ms(row: Known) -> int | None:
    """Return the point in time that a row is restored to, in epoch milliseconds; null for a backup."""
    service = service_of(row)
    return milliseconds(row.get(service.point)) if service and not service.in_place else None


def requested_ms(row: Known, now_ms: int) -> int:
    """Return the requested point of a row in epoch milliseconds; `latest` and none mean now."""
    found = milliseconds(row.get("restore_point") or row.get("restore_time"))
    return now_ms if found is None else found


def milliseconds(value: t.Any) -> int | None:
    """Return the epoch milliseconds of a time in ISO 8601 or epoch milliseconds; None for all else."""
    found = moment(value)
    return whole(value) if found is None else found


def cloud_ahead(rows: t.Iterable[Known], begun_ms: int, now_ms: int) -> int:
    """Return by how many milliseconds the cloud's clock is ahead of this machine's, as the last plan shows.

    It was made between the two times of this machine. A row that failed may have the time of an older plan.
    Less than a minute counts as 0.
    """
    made = [row.get("details") or {} for row in rows if not row.get("error_kind")]
    planned = [moment(details.get("planned_at")) for details in made]
    last = max((one for one in planned if one is not None), default=now_ms)
    ahead = max(last - now_ms, 0) + min(last - begun_ms, 0)
    return ahead if abs(ahead) > SAME_TIME else 0


# Its outcome


def failed(row: Row, step: str, kind: str, msg: str, at_ms: int) -> Row:
    """Return a row that failed in a step of the role."""
    found = {"outcome": None, "failed_step": step, "error_kind": kind, "msg": msg}
    return with_step({**row, **found}, step, "failed", at_ms, 0.0, kind, msg)


def done(row: Row, step: str, outcome: str, at_ms: int, seconds: float = 0.0) -> Row:
    """Return a row with a step that succeeded (ok) or did not concern it (skipped)."""
    return with_step(row, step, outcome, at_ms, max(0.0, seconds))


def with_step(row: Row, step: str, outcome: str, at_ms: int, *of_step: t.Any) -> Row:
    """Return a row with one more step. An entry may have no steps yet."""
    return _row.with_step({**row, "steps": row.get("steps") or []}, step, outcome, at_ms / 1000, *of_step)
