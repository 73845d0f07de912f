# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a run of the role: its rows, which of them go on, how it ends, and its report.

Private to this collection.

A state is {restores: rows, run: the other facts for the report}. A step takes one and returns the next. A row
that failed has an error_kind, and later steps leave it alone. run["refused"] stops a whole run.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import GOOD
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import (
    _entries,
    _report,
    _report_files,
    _target,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._guards import NOTHING
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._options import Options
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import DONE, PHASES, VERIFY
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import Row

State = dict[str, t.Any]
Result = t.Mapping[str, t.Any]
BUG = "Please report this as a bug of huaweicloud.recovery."


class World(t.Protocol):
    """What a step needs from Ansible and from the machine.

    `latest` is the state of the last written report.
    """

    latest: State | None

    def call(self, module: str, options: dict[str, t.Any], check: bool) -> Result:
        """Return the result of a module of this collection."""

    def say(self, lines: t.Sequence[str]) -> None:
        """Show lines."""

    def ask(self, question: str) -> str | None:
        """Return what a person types; None without a terminal."""

    def now_ms(self) -> int:
        """Return the time in epoch milliseconds."""

    def random(self) -> str:
        """Return six characters of a-z and 0-9."""


class Job(t.NamedTuple):
    """What a run is to do."""

    kind: str  # restore, undo, drill, readiness or fleet
    options: Options
    found: _entries.Found
    problems: t.Sequence[str]  # problems in the options
    plan_only: bool  # check mode, or --tags plan
    context: Row  # for the report: command, timezone
    verify: bool = True  # verify rows without checks, too
    read_only: bool = False  # readiness: plan, and try to sign in to the sources
    # Labels of the rows that this batch of a fleet carries out; None for all
    only: t.Collection[str] | None = None
    last: bool = True  # whether no batch follows
    hooks: t.Mapping[str, str] = {}  # paths of the tasks files of the user, by variable
    unread: t.Sequence[Row] = ()  # regions that the inventory of a fleet could not read: region, msg


# Who goes on


def stopped(state: State, job: Job) -> bool:
    """Whether nothing more may be sent."""
    return bool(state["run"].get("refused")) or job.plan_only or job.read_only


def ready_of(state: State, job: Job | None) -> list[tuple[int, Row]]:
    """Return the rows to start, with their numbers; in a job with batches those of this batch."""
    return [
        (number, row)
        for number, row in enumerate(state["restores"])
        if not row.get("error_kind") and row.get("outcome") == "planned" and in_batch(row, job)
    ]


def in_batch(row: Row, job: Job | None) -> bool:
    """Whether a row belongs to the batch of a job; without batches, every row does."""
    return job is None or job.only is None or row.get("label") in job.only


def todo_of(state: State, job: Job | None = None) -> list[tuple[int, Row]]:
    """Return the rows whose targets nothing overwrites yet, with their numbers."""
    return [(number, row) for number, row in ready_of(state, job) if row.get("action") == "restore"]


def overwriting(state: State) -> list[Row]:
    """Return the rows that overwrite something."""
    return [row for number, row in todo_of(state)]


def missing_approval(state: State, job: Job) -> bool:
    """Whether this run needs an approval and has none."""
    return bool(job.options.confirm or job.options.plan_digest) and not state["run"].get("approval")


# How a run ends


def refused(state: State, world: World, problems: t.Sequence[str], counted: bool = True) -> State:
    """Return the state of a refused run: all problems at once, and that nothing was started."""
    count = f"{len(problems)} problems: " if len(problems) > 1 and counted else ""
    text = " ".join(problem if problem.endswith((".", "?", ":")) else f"{problem}." for problem in problems)
    why = f"{count}{printable(text)}" + ("" if NOTHING in text else f" {NOTHING}")
    world.say(["REFUSED  " + NOTHING, *(f"  {printable(problem)}" for problem in problems)])
    return {**state, "run": {**state["run"], "refused": why}}


def unapproved(state: State, world: World, why: str) -> State:
    """Return the state of a run that is not approved."""
    text = f"{why} {NOTHING}" if why.endswith((".", "!")) else f"{why}. {NOTHING}"
    state = failing(state, "approve", "not_approved", text, world)
    return {**state, "run": {**state["run"], "refused": text}}


def approved(state: State, how: str, world: World) -> State:
    """Return the state with the approval, for the report."""
    now = world.now_ms()
    rows = [
        row if row.get("error_kind") else _target.done(row, "approve", "ok", now) for row in state["restores"]
    ]
    run = {**state["run"], "approval": {"how": how, "at": iso(now)}}
    return {**state, "restores": rows, "run": run}


def failing(state: State, step: str, kind: str, msg: str, world: World) -> State:
    """Return the state in which all rows have failed; after the restore, all that are restored."""
    now, late = world.now_ms(), PHASES.get(step) in (VERIFY, DONE)
    rows = [
        row
        if row.get("error_kind") or (late and row.get("outcome") not in GOOD)
        else _target.failed(row, step, kind, msg, now)
        for row in state["restores"]
    ]
    return {**state, "restores": rows}


def recorded(state: State, step: str, world: World) -> State:
    """Return the state after a step that has succeeded; a row that failed has skipped it."""
    now = world.now_ms()
    rows = [
        _target.done(row, step, "skipped" if row.get("error_kind") else "ok", now)
        for row in state["restores"]
    ]
    return {**state, "restores": rows}


def requested(state: State, numbers: t.Collection[int]) -> State:
    """Return the state in which these rows are being started: nothing shows whether they are yet."""
    rows = [
        {**row, "outcome": "started", "changed": True} if number in numbers else row
        for number, row in enumerate(state["restores"])
    ]
    return {**state, "restores": rows}


def unknown_run(job: Job, world: World) -> State:
    """Return the state of a run about which nothing is known any more. It writes no report, because the
    newest report in the folder is that of the run.
    """
    begun = _report_files.begin(context(job), world.now_ms(), world.random())
    why = (
        "The run stopped before its result was known, or --start-at-task has left out its first steps. What "
        "it may have started goes on in the cloud. "
        f"{'Read the newest report, then run' if begun['files'] else 'Run'} the same command again, without "
        "--start-at-task, which resumes it."
    )
    return {"restores": [], "run": {**begun, "files": {}, "refused": why, "lost": True}}


def crashed(state: State, step: str, name: str, job: Job, world: World) -> State:
    """Return the state after a fault in this code. An earlier report no longer holds."""
    why = f"Unexpected {name} in the step {step}. {BUG}"
    before = state.get("run", {}).get("refused")
    begun = {"restores": [], "run": _report_files.begin(context(job), world.now_ms(), world.random())}
    state = failing(state if "run" in state else begun, step, "internal_error", why, world)
    rest = {name: value for name, value in state.items() if name != "report"}
    return {**rest, "run": {**state["run"], "refused": before or why}}


# The report


def context(job: Job) -> Row:
    """Return the facts about the run itself, for the report."""
    options = job.options
    kind = "plan" if job.plan_only and job.kind == "restore" else job.kind
    return {
        "kind": kind,
        "operation_id": options.operation_id,
        "check_mode": job.plan_only,
        "timezone": options.timezone.key if options.timezone else None,
        "restore_point": options.point,
        "rto_target": options.rto_target,
        "rpo_target": options.rpo_target,
        "directory": options.report_dir,
        "keep": options.report_keep,
        "notes": notes_on_point(options),
        "digest_given": options.plan_digest,
        "plan_given": bool(options.plan_digest or options.plan_file or options.plan),
        **job.context,
    }


def notes_on_point(options: Options) -> list[str]:
    """Return how the point of a drill was chosen, so that a person can choose it again."""
    if options.seed is None:
        return []
    return [
        (
            f"The point {options.point} was chosen at random within {options.window_days} days, with the "
            f"seed {options.seed}."
        )
    ]


def written(state: State, world: World, finished: bool = False) -> State:
    """Write the report and return the state with it; a run that only plans writes the plan."""
    found = _report.report(state["restores"], state["run"], world.now_ms(), finished)
    world.latest = {**state, "report": _report_files.write(found, state["run"])}
    return world.latest
