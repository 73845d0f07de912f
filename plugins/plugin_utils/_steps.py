# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each step of the role does.

Private to this collection.

    state = STEPS[name](state, job, world)

Each step is a function of this file, and has a row in _step_table.py. It takes a state (_state.py) and
returns the next one. A row that failed is skipped by later steps. No step raises, so that the report is
always written. `world` does what reaches beyond the controller's memory, so that tests need neither Ansible
nor a cloud.

_planning.py makes the rows of the plan, _guards.py refuses rows that must not be overwritten, and _calls.py
calls the modules.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import (
    _calls,
    _guards,
    _lines,
    _plans,
    _report,
    _report_files,
    _target,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._guards import NOTHING
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._planning import (
    has_earlier_plan,
    instances_by_id,
    other_plan,
    plan_of,
    rows_to_plan,
    with_cloud_names,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._state import (
    Job,
    State,
    World,
    approved,
    context,
    crashed,
    failing,
    missing_approval,
    overwriting,
    ready_of,
    recorded,
    refused,
    requested,
    stopped,
    todo_of,
    unapproved,
    unknown_run,
    written,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import expanded
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import Row

NO_LONGER = "The plan is out of date, so none of it was carried out:"
# The role warns beforehand, because Ansible then runs no further task that could.
UNREACHABLE = (
    "If a host of your tasks cannot be reached, Ansible ends the run without its last report. The same "
    "command resumes the run, and writes that report."
)
QUIET = ("plan", "report", "end")  # steps that do not plan first if nothing is planned yet
STEPS: dict[str, t.Callable[..., State]] = {}


def step(function: t.Callable[..., State]) -> t.Callable[..., State]:
    """List a function as the step of its name."""
    STEPS[function.__name__] = function
    return function


@step
def plan(state: State, job: Job, world: World) -> State:
    """Find out what would overwrite what, refuse what must not be overwritten, and show the plan."""
    run = _report_files.begin(context(job), world.now_ms(), world.random())
    state = {"restores": [], "run": run, "hooks": dict(job.hooks)}
    old = plan_of(job)
    problems = problems_of(job, run)
    if problems:
        return refused(state, world, problems)
    rows, problems = rows_to_plan(job, old, run, world)
    if not problems:
        rows, problems = _calls.with_readable_bundles(rows, job, world)
    if problems:
        return refused(state, world, problems)
    begun = world.now_ms()
    planned = _calls.planned([row for row in rows if not row.get("error_kind")], run, job, world)
    if "restores" not in planned:
        return refused(state, world, [str(planned.get("msg") or "The plan could not be made.")])
    run["account"] = planned.get("account")
    run["cloud_ahead"] = _target.cloud_ahead(planned["restores"], begun, world.now_ms())
    if job.kind == "undo":
        changes = _plans.account_changes(_report_files.report_from(job.options.report), run["account"])
        if changes:
            return refused(state, world, changes)
    now = world.now_ms() + run["cloud_ahead"]
    rows = named_and_guarded(rows, planned["restores"], job, world, now)
    if job.options.safety_backup and job.read_only:  # A plan of many caches must stay quick.
        rows = [_calls.with_plan_of_backup(row, run, job, world) for row in rows]
    run = run_of(rows, run, job, world)
    more = {"diff": planned.get("diff"), "warnings": planned.get("warnings")}
    state = {**state, "restores": rows, "run": run, **more}
    drift = _plans.differences(old, rows, run["account"]) if old else []
    if drift:
        return refused(state, world, [NO_LONGER, *drift], counted=False)
    world.say(_lines.plan(rows, run, now, job.options.timezone, job.options.safety_backup))
    world.say([UNREACHABLE] if job.hooks and not stopped(state, job) else [])
    return state


def run_of(rows: t.Sequence[Row], run: Row, job: Job, world: World) -> Row:
    """Return the run of planned rows: what earlier runs knew of them, its promises, and its digest."""
    shown = len(run["notes"])
    run = _report_files.continuing(run, rows)
    notes = [*run["notes"], *_calls.note_on_uncompared(rows, job), *_calls.notes_on_undo(job)]
    world.say(notes[shown:])
    digest = _plans.digest(rows, run["account"], job.options.safety_backup)
    return {**run, "notes": notes, "promised": _calls.promised(rows, job), "plan_digest": digest}


def problems_of(job: Job, run: Row) -> list[str]:
    """Return what is wrong with a run, as far as that shows without a request."""
    path = to_keep(job)
    unsavable = _report_files.unsavable(path) if path else None
    return [
        *job.problems,
        *([] if has_earlier_plan(job) else job.found.problems),
        *(problem for problem in (run["problem"], unsavable) if problem),
        *_calls.report_problems(job.options),
    ]


def named_and_guarded(
    rows: t.Sequence[Row], planned: t.Sequence[Row], job: Job, world: World, now_ms: int
) -> list[Row]:
    """Return the rows with their plans and names. A row that must not be overwritten has failed.

    `now_ms` is the time by the cloud's clock, in epoch milliseconds.
    """
    known = instances_by_id(job, planned, world)
    tags = {ident: one.get("tags") for ident, one in known.items()}
    found = iter([with_cloud_names(row, known) for row in planned])
    rows = [
        row
        if row.get("error_kind")
        else _guards.guarded(next(found), _target.point_of(row), job.options, job.read_only, now_ms, tags)
        for row in rows
    ]
    return [{**row, "changed": False} for row in rows]  # nothing yet: `action` has what would be done


@step
def approve(state: State, job: Job, world: World) -> State:
    """Ask once per run, or compare the digest. Ask nothing if nothing would be overwritten."""
    todo = overwriting(state)
    options, run = job.options, state["run"]
    if stopped(state, job) or run.get("approval") or not todo or not (options.confirm or options.plan_digest):
        return state
    digest = str(run["plan_digest"])
    if options.plan_digest:
        why = other_plan(job, state, digest)
        return unapproved(state, world, why) if why else approved(state, "the digest of the plan", world)
    word = options.operation_id or "yes"
    count = f"{len(todo)} instance{'' if len(todo) == 1 else 's'}"
    answer = world.ask(f"Overwrite {count}? Type {word} to go on: ")
    if answer is None:
        why = (
            "restore_confirm asks before anything is overwritten, and there is no terminal to ask in. "
            f"To approve this plan, run it again with restore_plan_digest={digest}"
        )
        return unapproved(state, world, why)
    if answer.strip() not in (word, "yes"):
        return unapproved(state, world, f"The plan was not approved: {word} was not typed.")
    return approved(state, "typed in the terminal", world)


@step
def fence(state: State, job: Job, world: World, failure: str | None = None) -> State:
    """Record the outcome of restore_before_tasks. Its failure stops everything."""
    if failure is None:
        return recorded(state, "fence", world)
    why = f"restore_before_tasks failed: {_lines.sentence(failure)} {NOTHING}"
    return {**failing(state, "fence", "fence_failed", why, world), "run": {**state["run"], "refused": why}}


@step
def safeguard(state: State, job: Job, world: World) -> State:
    """Back up each instance first, if its service can. An instance without a backup is left alone."""
    numbers = [number for number, row in todo_of(state, job) if _target.backup_module(row)]
    if stopped(state, job) or not numbers or missing_approval(state, job):
        return state
    if not state["run"]["promised"]["safety_backup"]:
        return state
    # If this run is killed now, the next one waits for these backups.
    state = with_report(state, "safeguard", world)
    if stopped(state, job):
        return state
    rows, run, begun = list(state["restores"]), state["run"], world.now_ms()
    # All are started before one is waited for: the second call attaches by the ID.
    for wait in (False, True):
        for number in numbers:
            if not rows[number].get("error_kind"):
                rows[number] = _calls.with_safety_backup(rows[number], run, job, world, wait, begun)
    made = [
        f"{_target.called(row)} {row['safety_backup']['backup_id']}"
        for row in rows
        if row.get("safety_backup")
    ]
    world.say([f"SAVED {' | '.join(made[:12])}   safety backups, for an undo"] if made else [])
    unclear = any(row.get("error_kind") == "outcome_unknown" for row in rows)
    state = _calls.with_earlier_backups({**state, "restores": rows}, world)
    return written({**state, "changed": bool(made) or unclear}, world)


@step
def restore(state: State, job: Job, world: World) -> State:
    """Start and wait for the groups in order; the report is written before the first and after each step."""
    if stopped(state, job):
        return state
    if missing_approval(state, job) and overwriting(state):
        return unapproved(state, world, "The step approve was left out, but this run needs it.")
    state = with_report(state, "restore", world) if overwriting(state) else state
    if stopped(state, job):
        return state
    for group in sorted({row["group"] for number, row in ready_of(state, job)}):
        numbers = [number for number, row in ready_of(state, job) if row["group"] == group]
        written(requested(state, numbers), world)  # If this run is killed now, they may have been sent.
        state = _calls.without_late_backups(_calls.start(state, numbers, job, world))
        state = written(state, world)
        begun = [state["restores"][number] for number in numbers]
        kept = bool(state["run"].get("directory")) and not state["report"]["problem"]
        world.say(_lines.running(begun, kept))
        state = written(_calls.wait(state, numbers, job, world), world)
    return _calls.with_notes_on_drill(state, world) if job.kind == "drill" else state


def with_report(state: State, step: str, world: World) -> State:
    """Return the state with its report written. Without one, a run that has overwritten nothing yet stops,
    because nobody could find what it starts. Later it goes on, because half a stack is worse.
    """
    state = written(state, world)
    rows, problem = state["restores"], state["report"]["problem"]
    if not problem or any(row.get("changed") for row in rows):
        return state
    nothing = "Nothing was overwritten." if any(row.get("safety_backup") for row in rows) else NOTHING
    why = f"{problem} {nothing} Set restore_report_dir to a writable folder."
    return {**failing(state, step, "not_started", why, world), "run": {**state["run"], "refused": why}}


@step
def verify(state: State, job: Job, world: World) -> State:
    """Check whether the instances run, and run the checks of each entry."""
    if job.read_only:
        return _calls.try_sign_in(state, job, world)
    if stopped(state, job):
        return state
    state = _calls.with_promised_checks(state, job, world)
    numbers = [
        number
        for number, row in enumerate(state["restores"])
        if _calls.verifiable(row, job) and (job.verify or _calls.private(row, job))
    ]
    return written(_calls.verify(state, numbers, job, world), world) if numbers else state


@step
def checked(state: State, job: Job, world: World, failure: str | None = None) -> State:
    """Record the outcome of restore_verify_tasks. Its failure is a failure of every restored target."""
    if failure is None:
        return recorded(state, "verify", world)
    why = f"restore_verify_tasks failed: {_lines.sentence(failure)}"
    return written(failing(state, "verify", "verification_failed", why, world), world)


@step
def release(state: State, job: Job, world: World, failure: str | None = None) -> State:
    """Record the outcome of restore_after_tasks."""
    if failure is None:
        return recorded(state, "release", world)
    why = f"The data are restored, but restore_after_tasks failed: {_lines.sentence(failure)}"
    return written(failing(state, "release", "release_failed", why, world), world)


@step
def report(state: State, job: Job, world: World) -> State:
    """Write the final report and show how the run ended. The last line is the path of the report."""
    state = with_unread(_calls.with_note_on_release(state, world), job)
    state = written({**state, "run": {**state["run"], "last": job.last}}, world, finished=job.last)
    found = state["report"]
    if not job.last:
        return state
    path = to_keep(job)
    problem = _report_files.save_plan(found, path) if path and not found["failed"] else None
    if problem:  # A run with that file would carry out another plan, or none.
        state = written({**state, "run": {**state["run"], "refused": f"{problem} {NOTHING}"}}, world, True)
        found = state["report"]
    lines = [] if job.plan_only and not found["failed"] else _lines.outcome_lines(found)
    if found.get("problem"):
        lines.append(printable(found["problem"]))
    where = _lines.report_place(found, bool(state["run"].get("directory")))
    world.say([*lines, *_lines.how_to_approve(found, job.plan_only), where])
    return state


def with_unread(state: State, job: Job) -> State:
    """Return the state of a fleet that has failed if a part of it was not in the inventory: the next node of
    a workflow reads only the report.
    """
    if not (job.last and job.unread) or state["run"].get("refused"):
        return state
    why = " ".join(f"{fault.get('region')}: {fault.get('msg')}" for fault in job.unread)
    why = f"Not everything was restored, because the inventory could not read all instances. {why}"
    return {**state, "run": {**state["run"], "refused": why, "lost": not job.plan_only}}


def to_keep(job: Job) -> str | None:
    """Return the path in restore_plan_file if the plan is to be written there, or None."""
    return job.options.plan_file if job.plan_only else None


@step
def end(state: State, job: Job, world: World) -> State:
    """Report whether the run has failed, after its report has been published."""
    found, path = reported(state, world), to_keep(job)
    if path and not found["failed"] and (_report_files.read_report(path) or {}).get("id") != found["id"]:
        why = (
            f"The plan is not in {printable(path)}: the task Report, which writes it there, did not run or "
            f"failed. {NOTHING} Run the same command again, with all of its tasks."
        )
        found = reported({**state, "run": {**state["run"], "refused": why}}, world)
    return {**state, "report": found}


def reported(state: State, world: World) -> Row:
    """Return the report of a run that ends."""
    return _report.report(state["restores"], state["run"], world.now_ms(), finished=True)


def run(state: State, steps: t.Sequence[str], job: Job, world: World, **more: str) -> State:
    """Return the state after some steps. An unexpected error fails the targets, but not the report."""
    for name in expanded(steps):
        try:
            if "run" not in state and name not in QUIET:
                state = plan(state, job, world)
            if "run" not in state and name != "plan":
                state = unknown_run(job, world)
            state = STEPS[name](state, job, world, **more)
        except Exception as error:  # The text may hold anything.
            state = crashed(world.latest or state, name, type(error).__name__, job, world)
    return state
