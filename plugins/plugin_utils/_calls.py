# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of modules by the steps of the role: start, wait, back up, verify. They take and return rows.

Private to this collection.

Values that may hold passwords go to the verification alone. No state and no report has them.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import GOOD, connections
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import ladder
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _report, _report_files, _target
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._guards import NOTHING
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._options import Options
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._state import (
    Job,
    Result,
    State,
    World,
    in_batch,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import Row

# Options of an entry that may hold passwords, so only the verification gets them
PRIVATE = ("checks", "connection")
SAFETY_REMARK = "before a restore [safety]"  # the remark of a safety backup: `latest` never means one
LOST = (  # what to do without the report for an undo
    " To undo without it, find the safety backup in the instance's list of backups, by its remark "
    f"{SAFETY_REMARK}, and restore it as backup_id."
)


def planned(rows: t.Sequence[Row], run: Row, job: Job, world: World) -> Result:
    """Return the plan of rows. A run waits for the safety backups of an earlier one that was interrupted:
    while they are made, their instances are busy.
    """
    given = {"restores": [public(row) for row in rows], "start_timeout": job.options.wait_timeout}
    found = world.call("restore_start", given, check=True) if rows else {"restores": []}
    if job.plan_only or job.read_only:
        return found
    busy = [row for row in found.get("restores") or [] if row.get("error_kind") == "busy"]
    waited = [waited_for_backup(row, run, job, world) for row in busy]  # a list, so that it waits for each
    return world.call("restore_start", given, check=True) if any(waited) else found


def start(state: State, numbers: t.Sequence[int], job: Job, world: World) -> State:
    """Start the rows with these numbers."""
    rows = [public(state["restores"][number]) for number in numbers]
    given = {"restores": rows, "start_timeout": job.options.wait_timeout}
    state, result = run_on("restore_start", "restore", state, numbers, given, world)
    return {**state, "changed": bool(state.get("changed")) or bool(result.get("changed"))}


def wait(state: State, numbers: t.Sequence[int], job: Job, world: World) -> State:
    """Wait for the rows with these numbers, as far as they were started."""
    rows = state["restores"]
    left = [number for number in numbers if rows[number].get("outcome") == "started"]
    if not left:
        return state
    given = {"restores": [public(rows[number]) for number in left], **waiting(job)}
    return run_on("restore_wait", "wait", state, left, given, world)[0]


def verify(state: State, numbers: t.Sequence[int], job: Job, world: World) -> State:
    """Check whether the instances of the rows with these numbers run, and run their checks."""
    options, rows = job.options, state["restores"]
    given: dict[str, t.Any] = {
        "restores": [{**public(rows[number]), **private(rows[number], job)} for number in numbers],
        "verify_timeout": options.verify_timeout,
        "baseline": baseline(options),
        "baseline_tolerance": options.baseline_tolerance,
        "poll_interval": options.poll_interval,
    }
    given = {name: value for name, value in given.items() if value is not None}
    return run_on("restore_verify", "verify", state, numbers, given, world)[0]


def run_on(
    module: str, step: str, state: State, numbers: t.Sequence[int], given: dict[str, t.Any], world: World
) -> tuple[State, Result]:
    """Return the state after a module has run on the rows with these numbers, and its result."""
    rows, begun = list(state["restores"]), world.now_ms()
    result = world.call(module, given, check=False)
    for number, row in zip(numbers, returned(result, [rows[number] for number in numbers], step, begun)):
        rows[number] = row
    warnings = [*(state.get("warnings") or []), *result.get("warnings", [])]
    return {**state, "restores": rows, "warnings": warnings}, result


def returned(result: Result, rows: t.Sequence[Row], step: str, begun_ms: int) -> list[Row]:
    """Return the rows that a module has returned. If it returned none, they have failed for its reason. A
    start that does not say what it has changed may have sent each of them.
    """
    found = result.get("restores")
    if isinstance(found, list) and len(found) == len(rows):
        return [public(row) for row in found]
    kind = str(result.get("error_kind") or "internal_error")
    msg = str(result.get("msg") or f"{step} ended without a result.")
    sent = {"changed": True} if result.get("changed", step == "restore") else {}
    return [_target.failed({**row, **sent}, step, kind, msg, begun_ms) for row in rows]


def waiting(job: Job) -> dict[str, t.Any]:
    """Return the options of a module that waits."""
    return {"wait_timeout": job.options.wait_timeout, "poll_interval": job.options.poll_interval}


def public(row: Row) -> Row:
    """Return a row without the values that may hold passwords."""
    return {name: value for name, value in row.items() if name not in PRIVATE}


# Before the restore


def with_safety_backup(row: Row, run: Row, job: Job, world: World, wait: bool, begun_ms: int) -> Row:
    """Return a row with its safety backup. If none can be made, the row fails, and nothing is overwritten.

    Data that an earlier run has restored are not backed up again: the backup from before is the undo. Where
    nothing shows that its restore succeeded, its backup may lack what was written since: both are kept.
    """
    before = earlier_backup(row, run)
    if before:
        row = {**row, "safety_backup": before}
        return _target.done(row, "safeguard", "ok", begun_ms) if wait else row
    module, given = str(_target.backup_module(row)), backup_of(row, run["id"], run["began"], job, wait)
    if wait:  # for the one that this run has started
        given["backup_id"] = row["safety_backup"]["backup_id"]
    result = world.call(module, given, check=False)
    if result.get("error_kind") == "busy" and waited_for_backup(row, run, job, world):
        result = world.call(module, given, check=False)
    return with_backup(row, result, world.now_ms(), wait, begun_ms)


def with_plan_of_backup(row: Row, run: Row, job: Job, world: World) -> Row:
    """Return a planned row, which has failed if the run could not back up its instance before it overwrites
    it. No backup is made.
    """
    module = _target.backup_module(row)
    if row.get("error_kind") or row.get("action") != "restore" or not module:
        return row
    result = world.call(module, backup_of(row, run["id"], run["began"], job, wait=False), check=True)
    if not result.get("error_kind"):
        return row
    why = f"{_target.called(row)} cannot be backed up first: {printable(result.get('msg'))}"
    return _target.failed(row, "plan", result["error_kind"], why, world.now_ms())


def backup_of(row: Row, report_id: str, began: str, job: Job, wait: bool) -> Row:
    """Return the options of the safety backup that a run makes, which began then and writes this report."""
    service = SERVICES[row["service"]]
    ids = [_target.target_id(row), _target.target_name(row)]
    one = next((name, ident) for name, ident in zip(service.names, ids) if ident)
    return {
        **dict([one]),
        **{name: row[name] for name in ("region", "profile", "ignore_stuck") if row.get(name)},
        "keep_backup_id": (row.get("backup") or {}).get("backup_id"),
        "operation_id": f"{report_id} {began}",
        "remark": SAFETY_REMARK,
        "wait": wait,
        **waiting(job),
    }


def without_late_backups(state: State) -> State:
    """Return the state without the safety backups that were made after a restore that the plan did not see:
    an undo would bring back what that has restored.
    """
    return {
        **state,
        "restores": [
            {**row, "safety_backup": None} if made_after_restore(row) else row for row in state["restores"]
        ],
    }


def made_after_restore(row: Row) -> bool:
    """Whether the safety backup of a row was made after the restore that the row has found."""
    made = moment((row.get("safety_backup") or {}).get("created_at"))
    begun = moment((row.get("restore") or {}).get("created_at"))
    return made is not None and begun is not None and made > begun


def waited_for_backup(row: Row, run: Row, job: Job, world: World) -> bool:
    """Whether a busy instance may be free by now, because this run has waited for the safety backup of
    another run, which was interrupted or goes on.
    """
    module, folder = _target.backup_module(row), run["directory"]
    earlier = _report_files.of_run(folder, run) if module and folder else []
    for report in _report_files.unfinished(earlier, run, [row]):
        for other in report["runs"]:
            began = str(other.get("started"))
            if (report["id"], began) == (run["id"], run["began"]):
                continue
            given = backup_of(row, report["id"], began, job, wait=True)
            found = world.call(str(module), given, check=True)
            if found.get("adopted"):
                world.say([f"WAIT  an earlier run is still backing up {_target.called(row)}"])
                world.call(str(module), given, check=False)
            if found.get("outcome"):
                return True
    return False


def with_backup(row: Row, result: Result, now: int, wait: bool, begun_ms: int) -> Row:
    """Return a row with the safety backup that a module has made, or failed because it has made none."""
    backup = result.get("backup") or {}
    if result.get("failed") or not result.get("backup_id"):
        return not_saved(row, str(result.get("error_kind") or "internal_error"), result.get("msg"), now)
    fault = useless(backup) if wait and backup else None
    if fault:
        return not_saved(row, "not_restorable", f"its backup {backup.get('backup_id')} {fault}.", now)
    found = {name: backup.get(name) for name in ("backup_name", "created_at")}
    row = {**row, "safety_backup": {"backup_id": result["backup_id"], **found, "earlier_ids": []}}
    return _target.done(row, "safeguard", "ok", begun_ms, (now - begun_ms) / 1000) if wait else row


def not_saved(row: Row, kind: str, msg: t.Any, now: int) -> Row:
    """Return a row that has failed because it could not be backed up."""
    why = f"{_target.called(row)} could not be backed up, so it was not overwritten: {printable(msg)}"
    return _target.failed(row, "safeguard", kind, why, now)


def useless(backup: Row) -> str | None:
    """Return why a backup that was made cannot bring the data back, or None."""
    supported = backup.get("is_support_restore")
    if supported is True:
        return None
    if supported is False:
        return "does not support restoring"
    return "may not be restorable: the cloud does not say that it is"


def earlier_backup(row: Row, run: Row) -> Row | None:
    """Return the safety backup that an earlier run made before it overwrote an instance, or None.

    It does not count if nothing shows that the restore of that run succeeded: its request may have been lost,
    or the cloud may have gone back to the data from before. It does not count if somebody has restored the
    data since, for example an undo. An application may have written to such data.
    """
    for earlier in run.get("previous") or []:
        if _target.overwrote(earlier, row):
            found: Row | None = earlier.get("safety_backup")
            known = earlier.get("data_state") != "unknown" and not restored_since(row, earlier)
            return found if known else None
    return None


def restored_since(row: Row, earlier: Row) -> bool:
    """Whether the newest restore that the cloud lists may be later than that of an earlier run."""
    newest, own = _target.newest_restore(row), earlier.get("restore") or {}
    if not newest or same_id(newest.get("restore_id"), earlier.get("restore_id")):
        return False
    last, before = moment(newest.get("created_at")), moment(own.get("created_at"))
    return last is None or before is None or last > before


def with_earlier_backups(state: State, world: World) -> State:
    """Return the state in which each new safety backup names those that earlier runs have made, with a note:
    only a person can find out which of them has the data that an undo is to bring back.
    """
    rows = list(state["restores"])
    for number, row in enumerate(rows):
        new = row.get("safety_backup") or {}
        if new.get("earlier_ids"):  # named before, for example by an earlier batch
            continue
        earlier = [one for one in state["run"].get("previous") or [] if _target.overwrote(one, row)]
        ids = list(dict.fromkeys(ident for one in earlier for ident in _target.safety_backups(one)))
        if new and ids and new["backup_id"] not in ids:
            rows[number] = {**row, "safety_backup": {**new, "earlier_ids": ids}}
            note = (
                f"Earlier runs may have overwritten {_target.called(row)}. They made these safety backups: "
                f"{printable(', '.join(ids))}. This run made {printable(new['backup_id'])} as well. Before "
                "an undo, find out which of them you need."
            )
            state = with_note(state, note, world)
    return {**state, "restores": rows}


# After the restore


def with_notes_on_drill(state: State, world: World) -> State:
    """Return the state of a drill with notes: which targets now hold production data, or may hold them, and
    which were not restored again.
    """
    rows = state["restores"]
    names = [_target.called(row) for row in rows if _report.data_state(row) != "untouched"]
    if names:
        since = f"{iso(world.now_ms())[:19]}Z"
        note = f"Scratch targets have held production data since {since}: {', '.join(names)}."
        state = with_note(state, note, world)
    done = [_target.called(row) for row in rows if row.get("outcome") == "unchanged"]
    if done:
        note = (
            f"An earlier run restored {', '.join(done)}, so this drill did not rehearse that. To restore "
            "again, give another restore_operation_id."
        )
        state = with_note(state, note, world)
    return state


def with_note_on_release(state: State, world: World) -> State:
    """Return the state of a run that ends, with a note if restore_before_tasks has run, but
    restore_after_tasks has not: what the first has stopped is still stopped.
    """
    steps = [step for row in state["restores"] for step in row.get("steps") or []]
    stopped = any(step["step"] == "fence" and step["outcome"] == "ok" for step in steps)
    released = any(step["step"] == "release" for step in steps)
    if not stopped or released or "restore_after_tasks" not in (state.get("hooks") or ()):
        return state
    note = (
        "restore_before_tasks has run, but restore_after_tasks has not. It runs once every instance is "
        "restored and has passed its checks."
    )
    return with_note(state, note, world)


def with_note(state: State, note: str, world: World) -> State:
    """Return the state with one more note, which is shown at once."""
    world.say([note])
    return {**state, "run": {**state["run"], "notes": [*(state["run"].get("notes") or []), note]}}


def promised(rows: t.Sequence[Row], job: Job) -> dict[str, t.Any]:
    """Return what the plan promises for later steps. They read the variables anew, and tasks of the user may
    have changed these.
    """
    return {
        "safety_backup": job.options.safety_backup,
        "baseline": baseline(job.options) is not None,
        "checks": [number_of_checks(row, job) for row in rows],
    }


def number_of_checks(row: Row, job: Job) -> int:
    """Return how many checks a row has; a connection alone means a ping."""
    how = private(row, job)
    return len(how.get("checks") or []) or int("connection" in how)


def with_promised_checks(state: State, job: Job, world: World) -> State:
    """Return the state in which a restored row has failed if the checks of its plan are no longer there."""
    given, now = state["run"]["promised"], world.now_ms()
    uncompared = given["baseline"] and baseline(job.options) is None
    why = " ".join(f"{printable(problem).rstrip('.')}." for problem in job.problems)
    rows = list(state["restores"])
    for number, (row, count) in enumerate(zip(rows, given["checks"])):
        if verifiable(row, job) and count and (uncompared or number_of_checks(row, job) < count):
            lost = "its baseline" if uncompared else "its checks"
            msg = (
                f"{_target.called(row)} was restored, but not checked: {lost} can no longer be read from the "
                f"variables as in the plan. {why}"
            ).rstrip()
            rows[number] = _target.failed(row, "verify", "invalid_argument", msg, now)
    return {**state, "restores": rows}


def verifiable(row: Row, job: Job) -> bool:
    """Whether this batch has restored a row, or found it restored."""
    return not row.get("error_kind") and row.get("outcome") in GOOD and in_batch(row, job)


def private(row: Row, job: Job) -> Row:
    """Return the checks of a row and how to connect for them, from its entry.

    No state and no report has them.
    """
    checked = (one for one in job.found.rows if one.get("checks") or one.get("connection"))
    entry = next((one for one in checked if _target.same(one, row)), {})
    return {name: entry[name] for name in PRIVATE if entry.get(name)}


def with_readable_bundles(rows: t.Sequence[Row], job: Job, world: World) -> tuple[list[Row], list[str]]:
    """Return the rows, and a problem for each bundle that their checks name and that cannot be read where the
    checks run. In a fleet it fails its host alone. No request is sent.
    """
    checked = {
        number: {**public(row), **how, "outcome": "planned"}
        for number, row in enumerate(rows)
        if not row.get("error_kind")
        for how in [private(row, job)]
        if any(given.get("ca_path") for given in connections(how))
    }
    if not checked:
        return list(rows), []
    now = world.now_ms()
    result = world.call("restore_verify", {"restores": [*checked.values()]}, check=True)
    tried = zip(checked, returned(result, [*checked.values()], "verify", now))
    wrong = {number: f"{_target.called(row)}: {row['msg']}" for number, row in tried if row.get("error_kind")}
    if job.kind != "fleet":
        return list(rows), [*wrong.values()]
    found = list(rows)
    for number, why in wrong.items():
        found[number] = _target.failed(rows[number], "plan", "invalid_argument", f"{why} {NOTHING}", now)
    return found, []


def baseline(options: Options) -> t.Any:
    """Return the rows of the earlier report with which results are compared, or None."""
    found = _report_files.report_from(options.baseline)
    return found["restores"] if found else None


def report_problems(options: Options) -> t.Iterator[str]:
    """Yield a problem for each variable that must name or hold a report and does not. Checks would pass
    without a baseline.
    """
    given = {"restore_baseline": options.baseline, "restore_report": options.report}
    for name, value in given.items():
        if value is None or _report_files.report_from(value):
            continue
        where = f" {printable(value)}" if isinstance(value, str) else ""
        why = (
            "does not exist."
            if where and not os.path.exists(value)
            else "must be a report of this collection, its path or its data, whole and of this version."
        )
        yield f"{name}{where} {why}{LOST if name == 'restore_report' else ''}"
    rows = baseline(options)
    if rows is not None and not any(has_counts(row, rows) for row in rows):
        yield (
            "restore_baseline holds no counts to compare with: it must be the report of a run whose checks "
            "have counted something."
        )


def has_counts(row: Row, rows: t.Sequence[Row]) -> bool:
    """Whether an earlier report, with these rows, holds counts of the instance of a row."""
    return bool(ladder.baseline_counts(row, rows))


def note_on_uncompared(rows: t.Sequence[Row], job: Job) -> list[str]:
    """Return a note with the instances whose checks cannot be compared with the baseline."""
    known = baseline(job.options)
    names = [
        _target.called(row)
        for row in rows
        if known is not None and private(row, job).get("checks") and not has_counts(row, known)
    ]
    return (
        [f"restore_baseline has no counts of {', '.join(names)}: theirs are not compared."] if names else []
    )


def notes_on_undo(job: Job) -> list[str]:
    """Return a note for each cache that an undo takes back to the newest of several safety backups: it may
    hold what a failed restore has left.
    """
    report = _report_files.report_from(job.options.report) if job.kind == "undo" else None
    notes = []
    for row in filter(_target.undoable, report["restores"] if report else ()):
        saved = list(map(printable, _target.safety_backups(row)))
        if len(saved) > 1:
            notes.append(
                f"The undo of {_target.called(row)} restores its newest safety backup, {saved[0]}, which may "
                f"hold what a failed restore has left. Earlier runs made {', '.join(saved[1:])}. If you need "
                "one of these, run the playbook restore with its ID as backup_id instead."
            )
    return notes


def try_sign_in(state: State, job: Job, world: World) -> State:
    """Try the sign-in of the checks on the source instances, and write nothing there."""
    rows, begun = list(state["restores"]), world.now_ms()
    numbers = [number for number, row in enumerate(rows) if not row.get("error_kind") and private(row, job)]
    if state["run"].get("refused") or not numbers:
        return state
    given = [on_source(rows[number], private(rows[number], job)) for number in numbers]
    result = world.call(
        "restore_verify", {"restores": given, "verify_timeout": job.options.verify_timeout}, check=False
    )
    for number, tried in zip(numbers, returned(result, given, "verify", begun)):
        row = {**rows[number], "verification": tried.get("verification")}
        if tried.get("error_kind"):
            row = _target.failed(row, "verify", tried["error_kind"], str(tried.get("msg")), begun)
        rows[number] = row
    return {**state, "restores": rows}


def on_source(row: Row, how: Row) -> Row:
    """Return what restore_verify needs only to sign in to the source instance."""
    here = {name: row[name] for name in ("service", "region", "profile") if row.get(name)}
    service = SERVICES[row["service"]]
    what = {service.names[0]: _target.source_id(row), "checks": [service.sign_in]}
    return {**here, **what, "connection": how.get("connection") or {}}
