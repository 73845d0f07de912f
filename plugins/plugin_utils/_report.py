# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a run: one dict, made from its rows and from facts about the run. Private to this collection.

    run = begin(context, now_ms, random)               # _report_files.py: proves that the folder is writable
    run = continuing(run, rows)                        # _report_files.py: what earlier runs knew of the rows
    found = report(rows, run, now_ms, finished=False)  # here: pure, the time is a parameter
    found = write(found, run)                          # _report_files.py: the files, each replaced as a whole

report() and write() may be called after every step. A row is one instance that is to be overwritten, as
restore_start, restore_wait and restore_verify return it. A context, and so `run`, holds:

    kind            restore, plan, undo, drill, readiness or fleet; each other key may be left out or be null:
    operation_id    the change ticket                       check_mode    true when nothing may be started
    timezone        IANA name, for what people read         restore_point the requested time, or `latest`
    rto_target, rpo_target   seconds                        account       {domain_id, ... source}
    plan_digest     of what would be done                   approval      {how, at}
    refused         why nothing may be started              notes         sentences about this run alone
    command, command_complete   what repeats this run (null for a job controller), and whether it is complete
    host            the host of the play, which may be one of several
    directory, keep             where the files go, and how many reports of this kind stay (null or 0: all)

and begin() adds id, started, began, runs, previous, files, collection_version, and problem: why no report can
be written.

The schema of the dict is roles/restore/files/report.schema.json. Only the keys that it names get into a
report: options of checks may hold passwords.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import bare, iso, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import GOOD
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _plans, _target
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _report_advice as advice
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import (
    DONE,
    PHASES,
    PLAN,
    SAFE,
    VERIFY,
)

Row = dict[str, t.Any]
Report = dict[str, t.Any]

LONGEST_TEXT = 4000  # characters of one text; no message of a task is longer
PLANS = ("plan", "readiness")  # kinds of reports of runs that start nothing
ROW_KEYS = (
    *("service", "region", "profile", "label", "name", "group"),
    # What was requested: a report is also a plan, which is carried out exactly.
    *dict.fromkeys(name for service in SERVICES.values() for name in service.options if name != "job_id"),
    *("target", "source", "action", "what", "backup", "restore", "job"),
    *("restore_id", "job_id", "data_time", "newer_backup", "last_seconds", "outcome", "changed", "adopted"),
    *("failed_step", "error_kind", "msg", "error_code", "request_id", "elapsed"),
    *("details", "safety_backup", "verification", "steps"),
)
ACCOUNT_KEYS = ("domain_id", "domain_name", "project_id", "project_name", "region", "source")


def report(
    rows: t.Iterable[t.Mapping[str, t.Any]], run: t.Mapping[str, t.Any], now_ms: int, finished: bool
) -> Report:
    """Return the report of a run at now_ms (epoch milliseconds); `finished`: no further step follows."""
    run = clean(run)
    point, began = _target.milliseconds(run.get("restore_point")), moment(run["started"]) or now_ms
    done = [measured(row, run, point, began) for row in clean(list(rows))]
    rto = rto_of(done, run.get("rto_target"))
    rpo = rpo_of(done, run.get("rpo_target"))
    found: Report = {
        "schema_version": _plans.SCHEMA_VERSION,
        "collection_version": run["collection_version"],
        "kind": run["kind"],
        "operation_id": run.get("operation_id"),
        "id": run["id"],
        "check_mode": bool(run.get("check_mode")),
        "verdict": verdict(done, run, finished, missed=rto["met"] is False or rpo["met"] is False),
        "failed": False,
        "changed": any(
            row["changed"] and (planning(run) or row["data_state"] != "untouched") for row in done
        ),
        "msg": None,
        "notes": list(run.get("notes") or []),
        "started": run["started"],
        "finished": iso(now_ms) if finished else None,
        "elapsed": seconds(now_ms, began),
        "timezone": run.get("timezone") or "UTC",
        "account": account(run.get("account")),
        "restore_point": run.get("restore_point"),
        "plan_digest": run.get("plan_digest"),
        "checksum": None,
        "approval": run.get("approval"),
        "rto": rto,
        "rpo": rpo,
        "restores": done,
        "runs": [],
        "files": {"json": None, "markdown": None, "junit": None, "html": None, **(run.get("files") or {})},
        "problem": run.get("problem"),
        "undo": None,
    }
    return concluded(found, run)


def planning(run: t.Mapping[str, t.Any]) -> bool:
    """Whether a run starts nothing, also by its report."""
    return bool(run.get("check_mode")) or run["kind"] in PLANS


def concluded(found: Report, run: t.Mapping[str, t.Any]) -> Report:
    """Return a report with its conclusions: its sentence, and what to do next."""
    found["failed"] = found["verdict"] in ("failed", "incomplete", "refused")
    found["undo"] = advice.undo(found)
    found["msg"] = run.get("refused") or advice.sentence(found)
    this = {"started": run["began"], "finished": found["finished"], "verdict": found["verdict"]}
    found["runs"] = [*(run.get("runs") or []), this]
    for row in found["restores"]:
        row["next"] = advice.following(row, found, run)
    if found["check_mode"]:
        found["checksum"] = _plans.checksum(found)
    return found


# Texts from outside


def clean(value: t.Any) -> t.Any:
    """Return plain dicts, lists, numbers and texts, with every text fit to be shown.

    Characters that reorder, hide or break a line are escaped.
    """
    if isinstance(value, t.Mapping):
        return {shown(name): clean(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return float(value) if isinstance(value, float) else int(value)
    return shown(value)


def shown(value: t.Any) -> str:
    """Return a text fit to be shown, cut at LONGEST_TEXT. The task that made the row has redacted it."""
    text = printable(value)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "..."


# One instance


def measured(row: Row, run: t.Mapping[str, t.Any], point: int | None, began: int) -> Row:
    """Return a row of the report: the keys of a row, the state and age of the data, and the duration."""
    found: Row = {name: row.get(name) for name in ROW_KEYS}
    found.update(
        changed=bool(row.get("changed")), adopted=bool(row.get("adopted")), steps=list(row.get("steps") or [])
    )
    found["data_state"] = data_state(found)
    found = continued(found, run.get("previous") or [])
    data, own = _target.milliseconds(row.get("data_time")), row.get("restore_point")
    requested = point if own is None else _target.milliseconds(own)
    # A run of another report has begun this restore.
    elsewhere = found["action"] in ("adopt", "nothing") and not run.get("runs")
    found["rto_seconds"] = None if elsewhere else rto_seconds(found, began)
    found["point_seconds"] = seconds(requested, data)
    found["now_seconds"] = seconds(began + (run.get("cloud_ahead") or 0), data)
    found["next"] = None
    return found


def continued(row: Row, previous: t.Iterable[Row]) -> Row:
    """Return a row with what an earlier run of the same report knew about its instance.

    That is: steps, safety backup, IDs, and the state of the data. A restore of this run whose ID is unknown
    gets that of no earlier one: it came after.
    """
    earlier = next((one for one in previous if _target.same(row, one)), None)
    if earlier is None:
        return row
    before = [step for step in earlier.get("steps") or [] if step not in row["steps"]]
    row = {
        **row,
        "steps": [*before, *row["steps"]],
        "safety_backup": row["safety_backup"] or earlier.get("safety_backup"),
    }
    if restored_data(row) in (None, restored_data(earlier)):  # None if not even its plan could be made
        kept = ("job_id", "restore", *(["restore_id"] if row["data_state"] == "untouched" else []))
        row.update({name: row[name] or earlier.get(name) for name in kept})
    if row["data_state"] == "untouched" and earlier.get("data_state"):
        row["data_state"] = earlier["data_state"]
    return row


def restored_data(row: t.Mapping[str, t.Any]) -> t.Any:
    """Return what a row restores: the time of a database, the ID of a cache's backup as it is compared.

    None if only its plan finds it.
    """
    backup = _target.backup_id(row)
    return bare(backup) if backup else _target.milliseconds(row.get("restore_time"))


def data_state(row: t.Mapping[str, t.Any]) -> str:
    """Return the state of the data: untouched, overwritten_verified, overwritten_not_verified or unknown.

    A refused row may hold the ID of somebody else's restore, so IDs prove nothing here.
    """
    step, kind, outcome = row.get("failed_step"), row.get("error_kind"), row.get("outcome")
    phase = PHASES.get(str(step))
    if kind and phase in (PLAN, SAFE):
        return "untouched"
    if kind and phase not in (VERIFY, DONE):
        adopted = row.get("action") == "adopt"
        sent = row.get("changed") or adopted or kind == "outcome_unknown" or step == "wait"
        return "unknown" if sent else "untouched"
    if not kind and outcome not in GOOD:
        return "unknown" if outcome == "started" else "untouched"
    return "overwritten_verified" if passed(row) else "overwritten_not_verified"


def passed(row: t.Mapping[str, t.Any]) -> bool:
    """Whether an instance has passed its checks and those of restore_verify_tasks, which come after them."""
    return (row.get("verification") or {}).get("end") == "passed" and row.get("failed_step") != "verify"


def rto_seconds(row: t.Mapping[str, t.Any], began: int) -> float | None:
    """Return the seconds from the start of the run until the instance passed its last check, or None."""
    if not passed(row):
        return None
    ends = [
        span[1]
        for step in row["steps"]
        if step.get("step") == "verify" and step.get("outcome") == "ok"
        for span in spans(step)
    ]
    return seconds(max(ends), began) if ends else None


def spans(step: t.Mapping[str, t.Any]) -> list[tuple[int, int]]:
    """Return [(start, end)] of a step in epoch milliseconds, [] without a time.

    `at` is when the step began.
    """
    start = moment(step.get("at"))
    return [] if start is None else [(start, start + int(1000 * (step.get("seconds") or 0)))]


def seconds(later: int | None, earlier: int | None) -> float | None:
    """Return the seconds between two times, at least 0; None if one is unknown."""
    return None if later is None or earlier is None else max(0.0, round((later - earlier) / 1000, 1))


def account(given: t.Any) -> dict[str, t.Any]:
    """Return the account of the run with every key; "unknown" where it could not be read."""
    return {name: (given or {}).get(name) or "unknown" for name in ACCOUNT_KEYS}


# The whole


def verdict(rows: t.Sequence[Row], run: t.Mapping[str, t.Any], finished: bool, missed: bool) -> str:
    """Return the verdict, one word. `missed`: a target for the duration or the age of the data was missed."""
    failed = [row for row in rows if row["error_kind"]]
    sent = any(row["data_state"] != "untouched" for row in rows)
    if run.get("refused"):
        return "incomplete" if sent or run.get("lost") else "refused"
    if not finished:
        return "running"
    if run["kind"] == "readiness":
        return "failed" if failed or missed else "planned"
    if planning(run):
        return "refused" if failed or not rows else "planned"
    if not sent and all(row["error_kind"] is None or row["failed_step"] in advice.BEFORE for row in rows):
        return "refused"
    open_rows = [row for row in rows if row["error_kind"] or row["outcome"] not in (*GOOD, "started")]
    if open_rows:
        return "failed" if len(failed) == len(rows) else "incomplete"
    if any(row["outcome"] == "started" for row in rows):
        return "running"
    if all(row["data_state"] == "overwritten_verified" for row in rows):
        return "verified_target_missed" if missed else "verified"
    return "unchanged" if all(row["outcome"] == "unchanged" for row in rows) else "restored"


def rto_of(rows: t.Sequence[Row], target: t.Any) -> dict[str, t.Any]:
    """Return the recovery time: from the run's start until all instances passed; None until they have."""
    reached = [row["rto_seconds"] for row in rows]
    took = max(reached) if reached and None not in reached else None
    return {"target": target, "seconds": took, "met": met(took, target)}


def rpo_of(rows: t.Sequence[Row], target: t.Any) -> dict[str, t.Any]:
    """Return the age of the oldest data before the requested point, and before the start of the run.

    The target applies to the first if a point was requested for all caches, else to the second.
    """
    known = [row for row in rows if row["now_seconds"] is not None]
    oldest = {
        name: max((row[name] for row in known if row[name] is not None), default=None)
        for name in ("point_seconds", "now_seconds")
    }
    # A database has the data of its time. A cache without a point has those of some backup, as old as it is.
    pointless = [row for row in known if row["point_seconds"] is None and not _target.from_elsewhere(row)]
    against = "point" if oldest["point_seconds"] is not None and not pointless else "now"
    good = met(oldest[f"{against}_seconds"], target)
    # Unknown data may be older, and those that are not restored have no age.
    if len(known) < len(rows) or any(row["error_kind"] for row in rows):
        good = good and None
    return {"target": target, **oldest, "against": against, "met": good}


def met(value: float | None, target: float | None) -> bool | None:
    """Return whether a target was met; None without a target or a value."""
    return None if value is None or target is None else value <= target
