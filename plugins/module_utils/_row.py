# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows: each is one instance that is to be overwritten, from the plan to the report, as a flat dict.

restore_start, restore_wait and restore_verify take rows and return the same rows in the same order. A row
keeps every key that it came with, and each task adds a step. The functions are pure: they return new rows,
and the time is a parameter. Only unusable_profiles() reads files, those of the profiles.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso

Row = t.Dict[str, t.Any]
Result = t.Dict[str, t.Any]
WHICH = ("service", "region", "profile", "label", "target", "source", "action", "what")
DATA = ("backup", "restore_time", "data_node_relations", "data_time", "newer_backup", "last_seconds")
RUNS = ("restore_id", "restore", "job_id", "job", "outcome", "changed", "adopted", "elapsed")
FAILS = ("failed_step", "error_kind", "msg", "error_code", "request_id", "details")
# Every row that a task returns has these keys, null where nothing is known.
KEYS = (*WHICH, *DATA, *RUNS, *FAILS, "safety_backup", "verification")
# Keys and values that are read in rows of other tasks
DICTS = ("target", "source", "backup", "details", "job", "newer_backup")
LISTS = ("data_node_relations", "steps")
PLACE = ("region", "profile")
OUTCOMES = (None, "planned", "unchanged", "started", "succeeded")
GOOD = ("succeeded", "unchanged")  # of rows with restored data
SHOWN = 5  # reasons in the message of a task; the rows have all of them


def complete(entry: t.Mapping[str, t.Any]) -> Row:
    """Return an entry as a row: with all KEYS and a list of steps."""
    row = {**dict.fromkeys(KEYS), **entry}
    if row.get("failed") is True and not row["outcome"]:  # as after a crash
        row["error_kind"] = row["error_kind"] or "internal_error"
    return {**row, "changed": bool(row["changed"]), "steps": list(row.get("steps") or [])}


def with_step(
    row: Row,
    step: str,
    outcome: str,
    at: float,
    seconds: float = 0.0,
    error_kind: str | None = None,
    msg: str | None = None,
) -> Row:
    """Return a row with one more step.

    `outcome` is ok, failed or skipped; `at` is when the step began, in epoch seconds.
    """
    entry = {
        "step": step,
        "outcome": outcome,
        "error_kind": error_kind,
        "msg": msg,
        "at": iso(round(at * 1000)),
        "seconds": round(seconds, 1),
    }
    return {**row, "steps": [*row["steps"], entry]}


def pass_through(row: Row, step: str, at: float) -> Row:
    """Return a row for which a step has nothing to do. A failed one records that the step was skipped."""
    return with_step(row, step, "skipped", at) if row["error_kind"] else row


def merged(row: Row, result: t.Mapping[str, t.Any]) -> Row:
    """Return a row with the result of a task.

    Other keys than those of a row go into `details`, so that all rows have the same keys.
    """
    known = {name: value for name, value in result.items() if name in KEYS and value is not None}
    apart = ("failed", "changed", "diff", "warnings", "outcome", "steps", "details")
    more = {name: value for name, value in result.items() if name not in row and name not in apart}
    details = {**(row["details"] or {}), **(result.get("details") or {}), **more}
    return {**row, **known, "details": details or None}


def failed(row: Row, step: str, result: t.Mapping[str, t.Any], at: float, seconds: float = 0.0) -> Row:
    """Return a row that failed in a step, for the reason that a task result gives."""
    kind = result.get("error_kind") or "internal_error"
    msg = result.get("msg") or "The module gave no reason."
    row = {
        **merged(row, result),
        "changed": bool(row["changed"] if result.get("changed") is None else result["changed"]),
        "outcome": None,
        "failed_step": step,
        "error_kind": kind,
        "msg": msg,
    }
    return with_step(row, step, "failed", at, seconds, kind, msg)


def failure(error: CloudError) -> Result:
    """Return the task result for an error."""
    return {"failed": True, "msg": str(error), **error.details()}


def rows_result(before: t.Sequence[Row], rows: t.Sequence[Row], changed: bool) -> Result:
    """Return the task result: the rows, and the reasons of those that failed in this task.

    `before` are the rows that the task was given.
    """
    result: Result = {"changed": changed, "restores": list(rows)}
    bad = [
        (number, row)
        for number, (old, row) in enumerate(zip(before, rows))
        if row["error_kind"] and not old["error_kind"]
    ]
    if bad:
        more = [f"{len(bad) - SHOWN} more, see restores."] if len(bad) > SHOWN else []
        reasons = [f"restores[{number}]: {row['msg']}" for number, row in bad[:SHOWN]]
        result.update(
            failed=True,
            error_kind=bad[0][1]["error_kind"],
            msg=" ".join([f"{len(bad)} of {len(rows)} restores failed.", *reasons, *more]),
        )
    return result


def unusable_profiles(cloud: Cloud, rows: t.Sequence[t.Mapping[str, t.Any]]) -> dict[int, CloudError]:
    """Return why the profiles of rows cannot be used, by the numbers of the rows. No request is sent."""
    found: dict[int, CloudError] = {}
    tried: dict[t.Any, CloudError | None] = {None: None}
    for number, row in enumerate(rows):
        profile = row.get("profile") or None
        if profile not in tried:
            tried[profile] = None
            try:
                cloud.for_profile(profile)
            except CloudError as error:
                tried[profile] = error
        wrong = tried[profile]
        if wrong:
            found[number] = wrong
    return found


def refuse_passwords(entry: t.Mapping[str, t.Any], number: int) -> None:
    """Raise InvalidArgument for a password in a row, because rows are registered, shown and reported."""
    if any(given.get("password") for given in connections(entry)):
        raise InvalidArgument(
            f"restores[{number}] holds a password, but rows are shown and stored. Put it into a "
            "variable, and name the variable in password_variable."
        )


def connections(row: t.Mapping[str, t.Any]) -> t.Iterator[Row]:
    """Yield what a row and each of its checks say of how to connect."""
    checks = row.get("checks") if isinstance(row.get("checks"), list) else []
    for place in (row, *(check for check in checks or [] if isinstance(check, dict))):
        given = place.get("connection")
        if isinstance(given, dict):
            yield given


def check_entry(entry: t.Mapping[str, t.Any], number: int, services: t.Collection[str]) -> None:
    """Raise InvalidArgument unless an entry names one of the services, and its keys hold what tasks write."""
    if entry.get("service") not in services:
        given = f"not {quoted(entry['service'])}" if entry.get("service") else "and it has none"
        raise InvalidArgument(f"restores[{number}].service must be {' or '.join(services)}, {given}.")
    if entry.get("outcome") not in OUTCOMES:
        raise InvalidArgument(
            f"restores[{number}].outcome must be null or {', '.join(OUTCOMES[1:])}, not "
            f"{quoted(entry['outcome'])}."
        )
    for name in (*DICTS, *LISTS, *PLACE):
        value, kind = entry.get(name), "text"
        good = isinstance(value, str)
        if name in DICTS:
            kind, good = "a dictionary", isinstance(value, dict)
        elif name in LISTS:
            kind = "a list of dictionaries"
            good = isinstance(value, list) and all(isinstance(one, dict) for one in value)
        if value is not None and not good:
            raise InvalidArgument(f"restores[{number}].{name} must be {kind}, not {quoted(value)}.")
