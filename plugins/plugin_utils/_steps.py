# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of the role: plan, approve, fence, safeguard, restore, verify, release, report.

Private to this collection.

    state = STEPS[step](state, job, world)

A state is {restores: rows, run: what the report is made of besides them}; each step returns the next one. A
target that failed a step is skipped by later ones. No step raises, so that the report is always written; what
stops a whole run is run["refused"]. `world` does what reaches beyond this module, so that tests need neither
Ansible nor a cloud.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import (
    _entries,
    _lines,
    _plans,
    _report,
    _report_files,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._options import Options
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._plans import Row
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import span

State = dict[str, t.Any]
Result = t.Mapping[str, t.Any]
PRIVATE = ("checks", "connection")  # of an entry: they may hold passwords, so only the verification gets them
SAFETY = "before a restore [safety]"  # the remark of such a backup: `latest` never means one
GOOD = ("succeeded", "unchanged")
FACTS = ("status", "engine", "engine_version", "used_memory", "max_memory", "vpc_name", "port")
QUIET = ("plan", "report", "result")  # steps that do not plan first where nothing is planned yet
NOT_AGAIN = ("operation_failed", "not_found")  # what a job ended with that a rerun does not attach to
NOTHING = "Nothing was started."


class World(t.Protocol):
    """What a step needs of Ansible and of the machine.

    `latest` is the state of which a report was written last.
    """

    latest: State | None

    def call(self, module: str, options: dict[str, t.Any], check: bool) -> Result:
        """Return the result of a module of this collection."""

    def say(self, lines: t.Sequence[str]) -> None:
        """Show lines."""

    def ask(self, question: str) -> str | None:
        """Return what a person types; null without a terminal."""

    def now_ms(self) -> int:
        """Return the time in epoch milliseconds."""

    def random(self) -> str:
        """Return six characters of a-z and 0-9."""


class Job(t.NamedTuple):
    """What a run is to do."""

    kind: str  # restore, undo, drill, readiness or fleet
    options: Options
    found: _entries.Found
    problems: t.Sequence[str]  # of the options
    plan_only: bool  # check mode, or --tags plan
    context: Row  # of the report: command, timezone
    verify: bool = True  # also rows without checks
    read_only: bool = False  # readiness: plan, and try the verification on the source
    only: t.Collection[str] | None = (
        None  # labels of the rows that this batch of a fleet carries out; null for all
    )
    last: bool = True  # whether no batch follows


# Steps


def plan(state: State, job: Job, world: World) -> State:
    """Find out what would overwrite what, refuse what must not be, and show it."""
    run = _report_files.begin(context(job), world.now_ms(), world.random())
    state = {"restores": [], "run": run}
    problems = [*job.problems, *([] if planned_before(job) else job.found.problems)]
    if run["problem"]:
        problems.append(run["problem"])
    if problems:
        return refused(state, world, problems)
    rows, problems = wanted(job, run, world)
    if problems:
        return refused(state, world, problems)
    asked = [row for row in rows if not row.get("error_kind")]
    given = {"restores": [public(row) for row in asked], "start_timeout": job.options.wait_timeout}
    answer = world.call("restore_start", given, check=True) if asked else {"restores": []}
    if "restores" not in answer:
        return refused(state, world, [str(answer.get("msg") or "The plan could not be made.")])
    run["account"] = answer.get("account")
    if job.kind == "undo":
        elsewhere = _plans.elsewhere(job.options.report, run["account"])
        if elsewhere:
            return refused(state, world, elsewhere)
    known = instances(job, answer["restores"], world)
    found = iter([identified(row, known) for row in answer["restores"]])
    rows = [row if row.get("error_kind") else looked_at(next(found), job, world, known) for row in rows]
    rows = [{**row, "changed": False} for row in rows]  # not yet: what is planned says `action`
    run["plan_digest"] = _plans.digest(rows, run["account"], job.options.safety_backup)
    state = {"restores": rows, "run": run, "diff": answer.get("diff"), "warnings": answer.get("warnings")}
    if planned_before(job):
        old = t.cast(Row, plan_of(job))
        state = drifted(state, job, world, _plans.differences(old, rows, run["account"]))
    if state["run"].get("refused"):
        return state
    world.say(_lines.plan(rows, run, world.now_ms(), job.options.timezone, job.options.safety_backup))
    return state


def approve(state: State, job: Job, world: World) -> State:
    """Ask, or compare the digest; nothing is asked where nothing would be overwritten."""
    todo = overwriting(state)
    options, run = job.options, state["run"]
    if stopped(state, job) or not todo or not (options.confirm or options.plan_digest):
        return state
    digest = str(run["plan_digest"])
    if options.plan_digest:
        if digest.startswith(options.plan_digest):
            return approved(state, "the digest of the plan", world)
        return unapproved(state, world, other_plan(job, state, digest))
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
        return unapproved(state, world, f"It was not approved: {word} was not typed.")
    return approved(state, "typed in the terminal", world)


def fence(state: State, job: Job, world: World, failure: str | None = None) -> State:
    """Note what became of restore_before_tasks; its failure stops everything."""
    if failure is None:
        return recorded(state, "fence", world)
    why = f"restore_before_tasks failed: {printable(failure)} {NOTHING}"
    return {**failing(state, "fence", "fence_failed", why, world), "run": {**state["run"], "refused": why}}


def safeguard(state: State, job: Job, world: World) -> State:
    """Make a backup of each cache that is to be overwritten; without one it is left alone."""
    numbers = [number for number, row in todo_of(state, job) if row["service"] == "dcs"]
    if stopped(state, job) or not job.options.safety_backup or not numbers or missing_approval(state, job):
        return state
    state = written(state, world)  # a run that is killed from now on goes on with its own backups
    rows, begun = list(state["restores"]), world.now_ms()
    # All are started before one is waited for: with its marker the second call attaches.
    for wait in (False, True):
        for number in numbers:
            if not rows[number].get("error_kind"):
                rows[number] = kept(rows[number], state["run"], job, world, wait, begun)
    made = [
        f"{_plans.called(row)} {row['safety_backup']['backup_id']}"
        for row in rows
        if row.get("safety_backup")
    ]
    world.say([f"SAVED {' | '.join(made[:12])}   safety backups, for an undo"] if made else [])
    unclear = any(row.get("error_kind") == "outcome_unknown" for row in rows)
    return written({**state, "restores": rows, "changed": bool(made) or unclear}, world)


def restore(state: State, job: Job, world: World) -> State:
    """Start and wait for the groups in order; the report is written before the first and after each step."""
    if stopped(state, job):
        return state
    if missing_approval(state, job) and overwriting(state):
        return unapproved(state, world, "The step approve was left out, and this run asks for it.")
    for group in sorted({row.get("group") or 0 for number, row in ready_of(state, job)}):
        numbers = [number for number, row in ready_of(state, job) if (row.get("group") or 0) == group]
        state = written(state, world)
        state = started(state, numbers, job, world)
        state = written(state, world)
        world.say(_lines.running([state["restores"][number] for number in numbers]))
        state = written(waited(state, numbers, job, world), world)
    return held(state, world) if job.kind == "drill" else state


def verify(state: State, job: Job, world: World) -> State:
    """Ask whether the instances run, and try the checks that an entry has."""
    numbers = [
        number
        for number, row in enumerate(state["restores"])
        if not row.get("error_kind") and row.get("outcome") in GOOD and (job.verify or private(row, job))
    ]
    if job.read_only:
        return signed_in(state, job, world)
    if stopped(state, job) or not numbers:
        return state
    rows = list(state["restores"])
    begun = world.now_ms()
    options = job.options
    given: dict[str, t.Any] = {
        "restores": [{**public(rows[number]), **private(rows[number], job)} for number in numbers],
        "verify_timeout": options.verify_timeout,
        "baseline": baseline(options),
        "baseline_tolerance": options.baseline_tolerance,
        "poll_interval": options.poll_interval,
    }
    given = {name: value for name, value in given.items() if value is not None}
    answer = world.call("restore_verify", given, check=False)
    before = [rows[number] for number in numbers]
    after = answered(answer, before, "verify", begun)
    for number, row in zip(numbers, after):
        rows[number] = row
    return written({**state, "restores": rows}, world)


def checked(state: State, job: Job, world: World, failure: str | None = None) -> State:
    """Note what became of restore_verify_tasks: its failure is one of every target that was restored."""
    if failure is None:
        return recorded(state, "verify", world)
    why = f"restore_verify_tasks failed: {printable(failure)}"
    return written(failing(state, "verify", "verification_failed", why, world), world)


def release(state: State, job: Job, world: World, failure: str | None = None) -> State:
    """Note what became of restore_after_tasks."""
    if failure is None:
        return recorded(state, "release", world)
    why = f"The data are there, and restore_after_tasks failed: {printable(failure)}"
    return written(failing(state, "release", "release_failed", why, world), world)


def report(state: State, job: Job, world: World) -> State:
    """Write the report for good and show how it ended; its path is the last line."""
    state = written(state, world, finished=job.last)
    found = state["report"]
    if not job.last:
        return state
    if job.plan_only and job.options.plan_file and not found["failed"]:
        problem = saved(found, job.options.plan_file)
        found = {**found, "problem": problem or found.get("problem")}
    lines = [] if job.plan_only and not found["failed"] else _lines.ended(found)
    if found.get("problem"):
        lines.append(printable(found["problem"]))
    world.say([*lines, *digest_line(found, job), _lines.place(found)])
    return state


def run(state: State, steps: t.Sequence[str], job: Job, world: World, **more: str) -> State:
    """Return the state after some steps. What nobody thought of fails the targets, not the report."""
    for step in steps:
        try:
            if "run" not in state and step not in QUIET:
                state = plan(state, job, world)
            if "run" not in state and step != "plan":
                state = lost(job, world)
            state = STEPS[step](state, job, world, **more)
        except Exception as error:  # its text may hold anything
            state = crashed(world.latest or state, step, type(error).__name__, job, world)
    return state


def lost(job: Job, world: World) -> State:
    """Return the state of a run of which nothing is known any more."""
    begun = _report_files.begin(context(job), world.now_ms(), world.random())
    why = "The run ended before its end was known: look at the newest report, then run it again."
    return {"restores": [], "run": {**begun, "refused": why}}


def crashed(state: State, step: str, name: str, job: Job, world: World) -> State:
    """Return the state after a fault of ours."""
    state = state if "run" in state else lost(job, world)
    why = f"Unexpected {name} in the step {step}. Please report this as a bug of huaweicloud.recovery."
    state = failing(state, step, "internal_error", why, world)
    return {**state, "run": {**state["run"], "refused": state["run"].get("refused") or why}}


def result(state: State, job: Job, world: World) -> State:
    """Return the report once more, for the playbook around the role."""
    return written(state, world, finished=True)


STEPS: dict[str, t.Callable[..., State]] = {
    "plan": plan,
    "approve": approve,
    "fence": fence,
    "safeguard": safeguard,
    "restore": restore,
    "verify": verify,
    "checked": checked,
    "release": release,
    "report": report,
    "result": result,
}


# Parts of the plan


def context(job: Job) -> Row:
    """Return what the report says of the run itself."""
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
        "notes": chosen(options),
        **job.context,
    }


def chosen(options: Options) -> list[str]:
    """Return how the point of a drill was chosen, so that it can be chosen again."""
    if options.seed is None:
        return []
    return [
        (
            f"The point {options.point} was chosen at random within {options.window_days} days, with the "
            f"seed {options.seed}."
        )
    ]


def planned_before(job: Job) -> bool:
    """Whether this run carries out a plan that was made before."""
    return (job.options.plan is not None or job.options.plan_file is not None) and not job.plan_only


def plan_of(job: Job) -> Row | None:
    """Return the plan that this run carries out; null when there is none, or it cannot be read."""
    if job.options.plan is not None:
        return dict(job.options.plan)
    return _report_files.read(str(job.options.plan_file))


def wanted(job: Job, run: Row, world: World) -> tuple[list[Row], list[str]]:
    """Return the rows to plan: those of a plan that was made before, else those of the entries."""
    if planned_before(job):
        return from_plan(job, run)
    rows, problems = list(job.found.rows), list[str]()
    if job.found.names:
        named, problems = by_name(job, world)
        rows += named
        problems += _entries.twice([row for row in rows if not row.get("error_kind")], [])
    return [attached(row, run, job) for row in rows], problems


def from_plan(job: Job, run: Row) -> tuple[list[Row], list[str]]:
    """Return the rows that carry out a plan, or why it cannot be carried out."""
    old, where = (
        plan_of(job),
        "restore_plan" if job.options.plan is not None else f"The plan {job.options.plan_file}",
    )
    if old is None:
        return [], [f"{where} cannot be used: it cannot be read, or is not a plan of this collection."]
    why = _plans.unusable(old, run["collection_version"], job.options.safety_backup)
    if why:
        return [], [f"{where} cannot be used: {why}."]
    drift = _plans.others(old, job.found.rows)
    if drift:
        return [], [f"{where} is not for what this run names: {line}." for line in drift]
    return [attached(row, run, job) for row in _plans.requests(old)], []


def by_name(job: Job, world: World) -> tuple[list[Row], list[str]]:
    """Return the rows for names of caches, which are looked up in both services."""
    lists: dict[str, t.Any] = {}
    for service in ("dcs", "ddm"):
        answer = world.call(f"{service}_instance_info", {}, check=False)
        if "instances" not in answer:
            return [], [f"The names in restore_instances cannot be looked up: {answer.get('msg')}"]
        lists[service] = answer["instances"]
    options = job.options
    defaults = _entries.Defaults(options.point, options.operation_id, options.timezone, world.now_ms())
    return _entries.by_name(job.found.names, lists, defaults)


def attached(row: Row, run: Row, job: Job) -> Row:
    """Return a row with the job that an earlier run of the same operation has started:
    DDM has no marker of its own.
    """
    if row["service"] != "ddm" or row.get("job_id") or row.get("error_kind"):
        return row
    for earlier in earlier_rows(run, job):
        known = earlier.get("job_id") and earlier.get("error_kind") not in NOT_AGAIN
        if known and _plans.same(row, earlier) and same_time(row, earlier):
            said = ("restore_time", "data_node_relations", "adopt")  # by the job
            return {
                **{name: value for name, value in row.items() if name not in said},
                "job_id": earlier["job_id"],
            }
    return row


def earlier_rows(run: Row, job: Job) -> t.Iterator[Row]:
    """Yield the rows of earlier reports of this operation; without an operation id only
    of those that did not end.
    """
    yield from run.get("previous") or []
    if not run.get("directory"):
        return
    for one in _report_files.reports(run["directory"]):
        same = one.get("operation_id") == job.options.operation_id and not one.get("check_mode")
        if same and (job.options.operation_id or one["verdict"] in _report_files.OPEN):
            yield from one["restores"]


def same_time(row: Row, earlier: Row) -> bool:
    """Whether two rows are about one point in time; `latest` goes on with what it meant
    when it was started.
    """
    return row.get("restore_time") in (None, "latest") or _plans.time_ms(row) == _plans.time_ms(earlier)


def instances(job: Job, rows: t.Sequence[Row], world: World) -> dict[str, Row]:
    """Return instances by id where their names are not known, or restore_protected asks for tags:
    one list for each place.
    """
    tags = any(pattern.lower().startswith(_plans.TAG) for pattern in job.options.protected)
    wanted = [row for row in rows if nameless(row) or (tags and row["service"] == "dcs")]
    found: dict[str, Row] = {}
    for service, region, profile in sorted({(row["service"], *place_of(row)) for row in wanted}):
        where = {name: value for name, value in (("region", region), ("profile", profile)) if value}
        answer = world.call(f"{service}_instance_info", where, check=False)
        found.update(
            {str(one.get("instance_id") or one.get("id")): one for one in answer.get("instances") or []}
        )
    return found


def nameless(row: Row) -> bool:
    """Whether the cloud's name of an instance that is overwritten is not known."""
    return not row.get("error_kind") and not (row.get("target") or {}).get("instance_name")


def place_of(row: Row) -> tuple[str, str]:
    """Return region and profile of a row, blank where they are those of the task."""
    return str(row.get("region") or ""), str(row.get("profile") or "")


def identified(row: Row, known: t.Mapping[str, Row]) -> Row:
    """Return a row with the cloud's names of its instances, as far as a list has them."""
    found = dict(row)
    for end, ident in (("target", _plans.target_id(row)), ("source", _plans.source_id(row))):
        one, before = known.get(str(ident)), dict(row.get(end) or {})
        if one and not before.get("instance_name"):
            more = {
                name: one[name] for name in FACTS if one.get(name) is not None and before.get(name) is None
            }
            found[end] = {
                **before,
                **(more if end == "target" else {}),
                "instance_id": ident,
                "instance_name": one.get("name"),
            }
    return found


def looked_at(row: Row, job: Job, world: World, known: t.Mapping[str, Row]) -> Row:
    """Return a planned row, failed where it must not be overwritten."""
    if row.get("error_kind"):
        return row
    now, options = world.now_ms(), job.options
    misnamed = _plans.misnamed(row)
    if misnamed:
        return _plans.failed(row, "plan", "name_mismatch", f"{misnamed} {NOTHING}", now)
    tags = {ident: one.get("tags") for ident, one in known.items()}
    protection = None if job.read_only else _plans.protection(row, options.protected, tags)
    if protection:
        return _plans.failed(row, "plan", "protected", f"It is protected: {protection} {NOTHING}", now)
    outside = out_of_bounds(row, options)
    if outside:
        return _plans.failed(row, "plan", "protected", f"{outside} {NOTHING}", now)
    old = too_old(row, options, now) if job.read_only else None
    if old:
        return _plans.failed(row, "plan", "too_old", old, now)
    far = _plans.too_far(row, options.max_gap, now, options.timezone)
    return _plans.failed(row, "plan", "too_far", f"{far} {NOTHING}", now) if far else row


def too_old(row: Row, options: Options, now_ms: int) -> str | None:
    """Return why the newest data of an instance are too old to go back to, or null."""
    data = moment(row.get("data_time"))
    if data is None or options.rpo_target is None or (now_ms - data) / 1000 <= options.rpo_target:
        return None
    age, most = span((now_ms - data) / 1000), span(options.rpo_target)
    return (
        f"The newest data that {_plans.called(row)} can be restored to are {age} old, restore_rpo_target "
        f"is {most}."
    )


def out_of_bounds(row: Row, options: Options) -> str | None:
    """Return why a drill must not overwrite an instance, or null."""
    words = [word for word in (_plans.target_name(row), _plans.target_id(row)) if word]
    if any(_plans.like(word, pattern) for word in words for pattern in options.production):
        return "A drill never overwrites production, and drill_production names this instance."
    drill = options.window_days is not None
    if drill and not any(_plans.like(word, pattern) for word in words for pattern in options.scratch):
        return "A drill overwrites scratch instances only, and this one is not in drill_scratch."
    return None


def drifted(state: State, job: Job, world: World, lines: t.Sequence[str]) -> State:
    """Return the state, refused where a plan no longer holds."""
    if not lines:
        return state
    why = ["The plan no longer holds, so nothing of it was carried out:", *lines]
    return refused(state, world, why, joined=" ")


# Parts of the others


def started(state: State, numbers: t.Sequence[int], job: Job, world: World) -> State:
    """Start the rows with these numbers."""
    rows = list(state["restores"])
    begun = world.now_ms()
    given = {
        "restores": [public(rows[number]) for number in numbers],
        "start_timeout": job.options.wait_timeout,
    }
    answer = world.call("restore_start", given, check=False)
    for number, row in zip(numbers, answered(answer, [rows[number] for number in numbers], "restore", begun)):
        rows[number] = row
    changed = bool(state.get("changed")) or bool(answer.get("changed"))
    return {**state, "restores": rows, "changed": changed}


def waited(state: State, numbers: t.Sequence[int], job: Job, world: World) -> State:
    """Wait for those of the rows with these numbers that were started."""
    rows = list(state["restores"])
    left = [
        number
        for number in numbers
        if not rows[number].get("error_kind") and rows[number].get("outcome") == "started"
    ]
    if not left:
        return state
    begun = world.now_ms()
    answer = world.call(
        "restore_wait", {"restores": [public(rows[number]) for number in left], **waiting(job)}, check=False
    )
    for number, row in zip(left, answered(answer, [rows[number] for number in left], "wait", begun)):
        rows[number] = row
    return {**state, "restores": rows}


def answered(answer: Result, rows: t.Sequence[Row], step: str, begun_ms: int) -> list[Row]:
    """Return the rows that a module gave back; where it gave none, the rows failed for its reason."""
    found = answer.get("restores")
    if isinstance(found, list) and len(found) == len(rows):
        return [{name: value for name, value in row.items() if name not in PRIVATE} for row in found]
    kind = str(answer.get("error_kind") or "internal_error")
    msg = str(answer.get("msg") or f"{step} ended without a result.")
    return [_plans.failed(row, step, kind, msg, begun_ms) for row in rows]


def waiting(job: Job) -> dict[str, t.Any]:
    """Return the options of whatever waits."""
    return {"wait_timeout": job.options.wait_timeout, "poll_interval": job.options.poll_interval}


def public(row: Row) -> Row:
    """Return a row without what may hold passwords."""
    return {name: value for name, value in row.items() if name not in PRIVATE}


def private(row: Row, job: Job) -> Row:
    """Return the checks of a row and how to connect for them, out of its entry: they are
    in no state and in no report.
    """
    entry = next((one for one in job.found.rows if _plans.same(one, row)), {})
    return {name: entry[name] for name in PRIVATE if entry.get(name)}


def baseline(options: Options) -> t.Any:
    """Return the rows of the earlier report that results are compared with, or null."""
    found = options.baseline
    if isinstance(found, str):
        found = _report_files.read(found)
    return found.get("restores") if isinstance(found, t.Mapping) else None


def kept(row: Row, run: Row, job: Job, world: World, wait: bool, begun_ms: int) -> Row:
    """Return a row with its safety backup; one that cannot be made fails the row,
    and nothing is overwritten.
    """
    here = {name: row[name] for name in ("region", "profile") if row.get(name)}
    given = {"instance_id": _plans.target_id(row), "operation_id": run["id"], "remark": SAFETY, "wait": wait}
    answer = world.call("dcs_backup", {**given, **here, **waiting(job)}, check=False)
    now = world.now_ms()
    if answer.get("failed") or not answer.get("backup_id"):
        why = (
            f"No safety backup of {_plans.called(row)} could be made, so it was left alone: "
            f"{printable(answer.get('msg'))} To go on without one: restore_safety_backup=false."
        )
        return _plans.failed(row, "safeguard", str(answer.get("error_kind") or "internal_error"), why, now)
    backup = answer.get("backup") or {}
    found = {name: backup.get(name) for name in ("backup_id", "backup_name", "created_at")}
    row = {**row, "safety_backup": {**found, "backup_id": answer["backup_id"]}}
    return _plans.done(row, "safeguard", "ok", begun_ms, (now - begun_ms) / 1000) if wait else row


def held(state: State, world: World) -> State:
    """Return the state of a drill with the note that its targets hold production data from now on."""
    names = [_plans.called(row) for row in state["restores"] if row.get("restore_id") or row.get("job_id")]
    if not names:
        return state
    note = f"Scratch targets hold production data since {iso(world.now_ms())[:19]}Z: {', '.join(names)}."
    world.say([note])
    return {**state, "run": {**state["run"], "notes": [*(state["run"].get("notes") or []), note]}}


# Who goes on


def stopped(state: State, job: Job) -> bool:
    """Whether nothing more may be sent."""
    return bool(state["run"].get("refused")) or job.plan_only or job.read_only


def ready_of(state: State, job: Job | None = None) -> list[tuple[int, Row]]:
    """Return the rows that are to be started, with their numbers; of a job with batches those of this one."""
    only = job.only if job else None
    return [
        (number, row)
        for number, row in enumerate(state["restores"])
        if not row.get("error_kind")
        and row.get("outcome") == "planned"
        and (only is None or row.get("label") in only)
    ]


def todo_of(state: State, job: Job | None = None) -> list[tuple[int, Row]]:
    """Return the rows that overwrite something that nothing overwrites yet, with their numbers."""
    return [(number, row) for number, row in ready_of(state, job) if row.get("action") == "restore"]


def overwriting(state: State) -> list[Row]:
    """Return the rows that overwrite something."""
    return [row for number, row in todo_of(state)]


def missing_approval(state: State, job: Job) -> bool:
    """Whether this run asks for an approval, and there is none."""
    return bool(job.options.confirm or job.options.plan_digest) and not state["run"].get("approval")


def approved(state: State, how: str, world: World) -> State:
    """Return the state with the approval, for the report."""
    now = world.now_ms()
    rows = [
        row if row.get("error_kind") else _plans.done(row, "approve", "ok", now) for row in state["restores"]
    ]
    run = {**state["run"], "approval": {"how": how, "at": iso(now)}}
    return {**state, "restores": rows, "run": run}


def unapproved(state: State, world: World, why: str) -> State:
    """Return the state of a run that is not approved."""
    text = f"{why} {NOTHING}" if why.endswith((".", "!")) else f"{why}. {NOTHING}"
    state = failing(state, "approve", "not_approved", text, world)
    return {**state, "run": {**state["run"], "refused": text}}


def other_plan(job: Job, state: State, digest: str) -> str:
    """Return what a digest that fits no longer means: what changed, where the plan that it belongs
    to is among the reports.
    """
    wanted_digest = str(job.options.plan_digest)
    why = f"restore_plan_digest {wanted_digest[:16]} is not the digest of this plan, which is {digest}."
    folder = state["run"].get("directory")
    for old in _report_files.reports(folder) if folder else []:
        if str(old.get("plan_digest")).startswith(wanted_digest):
            lines = _plans.differences(old, state["restores"], state["run"].get("account"))
            return f"{why} What changed since: {'; '.join(lines) or 'the safety backup'}."
    return why


def failing(state: State, step: str, kind: str, msg: str, world: World) -> State:
    """Return the state with every row failed that has not failed before."""
    now = world.now_ms()
    rows = [
        row if row.get("error_kind") else _plans.failed(row, step, kind, msg, now)
        for row in state["restores"]
    ]
    return {**state, "restores": rows}


def recorded(state: State, step: str, world: World) -> State:
    """Return the state with a step of the user's that went well."""
    now = world.now_ms()
    rows = [
        _plans.done(row, step, "skipped" if row.get("error_kind") else "ok", now) for row in state["restores"]
    ]
    return {**state, "restores": rows}


def refused(state: State, world: World, problems: t.Sequence[str], joined: str | None = None) -> State:
    """Return the state of a run that cannot be: all problems at once, and that nothing was started."""
    count = f"{len(problems)} problems: " if len(problems) > 1 and joined is None else ""
    text = (joined or " ").join(
        problem if problem.endswith((".", ":")) else f"{problem}." for problem in problems
    )
    why = f"{count}{printable(text)}" + ("" if NOTHING in text else f" {NOTHING}")
    world.say(["REFUSED  " + NOTHING, *(f"  {printable(problem)}" for problem in problems)])
    return {**state, "run": {**state["run"], "refused": why}}


def signed_in(state: State, job: Job, world: World) -> State:
    """Try the sign-in of the checks on the instances that the data come from; nothing is written there."""
    rows, begun = list(state["restores"]), world.now_ms()
    numbers = [number for number, row in enumerate(rows) if not row.get("error_kind") and private(row, job)]
    if state["run"].get("refused") or not numbers:
        return state
    asked = [on_source(rows[number], private(rows[number], job)) for number in numbers]
    answer = world.call(
        "restore_verify", {"restores": asked, "verify_timeout": job.options.verify_timeout}, check=False
    )
    for number, tried in zip(numbers, answered(answer, asked, "verify", begun)):
        row = {**rows[number], "verification": tried.get("verification")}
        if tried.get("error_kind"):
            row = _plans.failed(row, "verify", tried["error_kind"], str(tried.get("msg")), begun)
        rows[number] = row
    return {**state, "restores": rows}


def on_source(row: Row, how: Row) -> Row:
    """Return what restore_verify needs to sign in to the instance that the data come from,
    and to ask it nothing.
    """
    here = {name: row[name] for name in ("service", "region", "profile") if row.get(name)}
    ident = _plans.source_id(row)
    if row["service"] == "dcs":
        asked: Row = {"instance_id": ident, "checks": [{"ping": True}]}
    else:
        asked = {"target_instance_id": ident, "checks": [{"query": {"sql": "SELECT 1", "equals": 1}}]}
    return {**here, **asked, "outcome": "succeeded", "connection": how.get("connection") or {}}


# The report


def written(state: State, world: World, finished: bool = False) -> State:
    """Return the state with its report, which is written; a run of a plan writes the plan."""
    found = _report.report(state["restores"], state["run"], world.now_ms(), finished)
    world.latest = {**state, "report": _report_files.write(found, state["run"])}
    return world.latest


def saved(found: Row, path: str) -> str | None:
    """Write a plan where restore_plan_file says; return why that was not possible, or null."""
    try:
        _report_files.replace(path, json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        return f"The plan could not be written to {path}: {error.strerror}."
    return None


def digest_line(found: Row, job: Job) -> list[str]:
    """Return how a plan is approved: what a person needs who is to approve it elsewhere."""
    if not job.plan_only or found["failed"] or not found.get("plan_digest"):
        return []
    return [f"To run exactly this plan: restore_plan_digest={found['plan_digest']}"]
