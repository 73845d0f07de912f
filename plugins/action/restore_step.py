# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import os
import secrets
import string
import sys
import typing as t

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError, AnsiblePromptInterrupt
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import (
    ENVIRONMENT,
    IDENTITY,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import connections
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import ladder
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import (
    _command_line,
    _entries,
    _hooks,
    _inprocess,
    _options,
    _report_files,
    _settings,
    _state,
    _step_table,
    _steps,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import facts_among, names_hosts
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_command import repeating_command
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import (
    evaluated,
    from_cloud,
    handed_on,
    our_template,
)

COLLECTION = "huaweicloud.recovery"
REPORTED = "restore_reported"  # the statistic with the report
HANDED_ON = "handed_on"  # the step of the next node of a workflow, which reads that report
REACHED = "reached"  # the step that fails if the tags of a run select the role and none of its tasks
RESULT = "restore_result"  # the variable that the step report registers, for the play around the role
PASSWORD = "password_variable"  # of a connection: the name of a variable
# Tags that start nothing in a run with the tag plan
ALONE = {"plan", "report", "tagged", "always"}
LETTERS = string.ascii_lowercase + string.digits
SLOW = 5.0  # seconds, at least, between two lines about one restore: a run of two fits on a screen
# These modules show their progress; the steps report on the others.
LONG = ("restore_wait", "restore_verify")
UNLIMITED = "Name the hosts to restore with --limit or fleet_hosts; fleet_hosts=all means all of them."
JOBS = ("awx_job_id", "tower_job_id")
Request = t.Tuple[_options.Options, _entries.Found, t.List[str]]  # the last item: problems


class ActionModule(ActionBase):
    """Runs steps of the role, one after another, in the controller's worker process."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the steps that the task names.

        The result is the state. The task fails only at the end of a run that has failed, or, with `reached`,
        if the tags of the run select no task of the role.
        """
        result = super().run(tmp, task_vars)
        given = task_vars or {}
        if self._task.args.get("steps") == [HANDED_ON]:
            report = self.variables(given, [REPORTED])[0].get(REPORTED)
            return {**result, "report": report if isinstance(report, dict) else None}
        if self._task.args.get("steps") == [REACHED]:
            why = _command_line.unreached(self._task, given.get("ansible_run_tags") or ())
            return {**result, "failed": True, "msg": why} if why else {**result, "skipped": True}
        # another user has none of the variables with the keys, and nothing here needs its rights
        self._connection.set_become_plugin(None)
        state, steps = self.previous_state(given), list(self._task.args.get("steps") or [])
        world = AnsibleWorld(self, given)
        before = dict(state)
        try:
            job = self.job(given, world, first="run" not in state)
        except Exception as error:  # The text may hold anything.
            job = self.unreadable_job(type(error).__name__, given)
            state = _state.crashed(state, steps[0], type(error).__name__, job, world) if before else state
        extra = {"failure": self._task.args["failure"]} if self._task.args.get("failure") else {}
        state = _steps.run(state, steps, job, world, **extra)
        result.update(self.reported(state, before, job, steps, given))
        warnings = self.variable_warnings(job, given) if not before else []
        return {**result, "warnings": [*result.get("warnings", []), *warnings]} if warnings else result

    def variable_warnings(self, job: _state.Job, task_vars: dict[str, t.Any]) -> list[str]:
        """Return warnings about variables that this run does not read."""
        found = [*_options.mistyped(task_vars), *_options.unused(job.kind, task_vars)]
        if job.kind not in ("fleet", "undo"):
            found += _entries.left_out(self.variables(task_vars)[0])
        return found

    def previous_state(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the state that the previous step has registered, or an empty one: a plan begins a run, even
        if a run of the same play has ended before.

        A later batch of a fleet gets it as an argument.
        """
        if "plan" in (self._task.args.get("steps") or ()):
            return {}
        registered = {} if facts_among([_options.STATE], task_vars, "") else task_vars.get(_options.STATE)
        found = self._task.args.get("state") or registered
        if not isinstance(found, dict) or "run" not in found:
            return {}
        return {name: found[name] for name in ("restores", "run", "changed", "hooks") if name in found}

    def job(self, task_vars: dict[str, t.Any], world: AnsibleWorld, first: bool) -> _state.Job:
        """Return the job that the variables describe.

        An unreadable variable is one of its problems. The first step, which plans, reads the tasks files.
        """
        args = self._task.args
        variables, unreadable = self.variables(task_vars)
        kind = str(args.get("kind") or "restore")
        variables = _options.of_kind(kind, variables, self.environment().get(ENVIRONMENT["timezone"][0]))
        asked = self.of_hosts if kind == "fleet" else self.of_entries
        options, found, problems = asked(kind, variables, task_vars, world)
        hooks: dict[str, str] = {}
        if first and kind != "fleet":  # which runs none, and has one task for all hosts
            hooks, wrong = _hooks.read_hooks(variables, self._task, self._loader)
            problems += [*wrong, *self.left_behind(variables, task_vars)]
        if first:
            problems += facts_among(
                {*_options.VARIABLES, *_options.BEHIND}, task_vars, str(task_vars.get("inventory_hostname"))
            )
            found, missing = self.with_passwords(kind, found, task_vars)
            problems += missing
        command, complete = repeating_command(context.CLIARGS, C.DEFAULT_HOST_LIST, os.environ)
        return _state.Job(
            kind=kind,
            options=options,
            found=found,
            problems=[*unreadable, *problems],
            plan_only=self.plan_only(task_vars),
            context={
                "command": command,
                "command_complete": complete,
                "host": str(task_vars.get("inventory_hostname")),
            },
            verify=bool(args.get("verify", True)),
            read_only=kind == "readiness",
            only=set(args["only"]) if args.get("only") else None,
            last=bool(args.get("last", True)),
            hooks=hooks,
            unread=args.get("unread") or [],
        )

    def environment(self) -> dict[str, t.Any]:
        """Return the environment of this task: that of the controller, and the play's own on top."""
        own: dict[str, t.Any] = {}
        self._compute_environment_string(own)
        return {**os.environ, **own}

    def unreadable_job(self, name: str, task_vars: dict[str, t.Any]) -> _state.Job:
        """Return the job of a run whose variables made this code fail: it is refused."""
        return _state.Job(
            kind=str(self._task.args.get("kind") or "restore"),
            options=_options.Options(),
            found=_entries.Found([], [], []),
            problems=[f"Unexpected {name} while the variables were read. {_state.BUG}"],
            plan_only=self.plan_only(task_vars),
            context={},
        )

    def of_entries(
        self, kind: str, variables: dict[str, t.Any], task_vars: dict[str, t.Any], world: AnsibleWorld
    ) -> Request:
        """Return the rows that the variables of the role describe."""
        options, problems = _options.options(variables, world.now_ms(), world.random(), kind)
        defaults = _options.defaults(variables, options, world.now_ms(), kind)
        return options, requested_entries(kind, variables, options, defaults), problems

    def left_behind(self, variables: dict[str, t.Any], task_vars: dict[str, t.Any]) -> list[str]:
        """Return a problem if run_once leaves out hosts that name other instances than this host does. Lists
        that the play or the task gives may hold those of all hosts.
        """
        hosts = task_vars.get("ansible_play_batch") or () if _command_line.runs_once(self._task) else ()

        def named_by(host: str) -> dict[str, t.Any] | None:
            given = task_vars["hostvars"][host]
            try:
                return {name: evaluated(given.__getitem__, name) for name in _entries.LISTS if name in given}
            except Exception:  # a template that fails, or may need what only the play knows
                return None

        here, mine = str(task_vars.get("inventory_hostname")), {*_entries.LISTS} & {*variables}
        own = {name: variables[name] for name in mine}
        if not hosts or not mine or mine & {*self._task.get_vars()} or named_by(here) != own:
            return []
        others = [host for host in hosts if named_by(host) not in (own, {})]
        return others and [
            f"With run_once, only the instances of {here} would be restored, not those of "
            f"{', '.join(others)}. Leave run_once out of the play."
        ]

    def of_hosts(
        self, kind: str, variables: dict[str, t.Any], task_vars: dict[str, t.Any], world: AnsibleWorld
    ) -> Request:
        """Return the rows for the hosts of a fleet: each has its own point in time, or that of all."""
        hosts, failed = self.hosts(task_vars)
        points = [host.get(_entries.POINT) for host in hosts.values()]
        point = variables.get(_entries.POINT) if points and points.count(points[0]) == len(points) else None
        variables = {**variables, _entries.POINT: point}
        options, problems = _options.options(variables, world.now_ms(), world.random(), kind)
        problems += _options.differing(hosts)
        if not any(names_hosts(pattern) for pattern in self._task.args.get("limited") or ()):
            problems.append(UNLIMITED)
        defaults = _options.defaults(variables, options, world.now_ms(), kind)
        found = fleet(hosts, failed, defaults)
        profiles = {row.get("profile") for row in found.rows if not row.get("error_kind")}
        world.profile = profiles.pop() if len(profiles) == 1 else None
        return options, found, problems

    def variables(
        self, task_vars: dict[str, t.Any], names: t.Sequence[str] = _options.VARIABLES
    ) -> tuple[dict[str, t.Any], list[str]]:
        """Return variables, by default those of the role, and a problem for each that cannot be read."""
        found: dict[str, t.Any] = {}
        unreadable = []
        given = {**task_vars, **handed_on(task_vars)}
        templar = self._templar.copy_with_new_env(available_variables=given)
        for name in names:
            if name in given:
                try:
                    found[name] = evaluated(templar.template, given[name])
                except Exception as error:
                    found[name] = _settings.UNREAD
                    unreadable.append(f"{name} cannot be read: {reason(error)}.")
        return found, unreadable

    def with_passwords(
        self, kind: str, found: _entries.Found, task_vars: dict[str, t.Any]
    ) -> tuple[_entries.Found, list[str]]:
        """Return what is to be restored, and a problem for each variable with a password of checks that
        cannot be read: it would be missed after the restore. In a fleet it fails only the hosts that name it.
        """
        of_rows = [{str(given.get(PASSWORD) or "") for given in connections(row)} for row in found.rows]
        wrong = {
            name: self.no_password(name, task_vars) for name in sorted(set[str]().union(*of_rows) - {""})
        }
        missing = [[wrong[name] for name in sorted(names) if wrong.get(name)] for names in of_rows]
        if kind != "fleet":
            return found, [problem for problem in wrong.values() if problem]
        rows = [
            _entries.failed_entry(row["label"], row["service"], " ".join(problems))
            if problems and not row.get("error_kind")
            else row
            for row, problems in zip(found.rows, missing)
        ]
        return found._replace(rows=rows), []

    def no_password(self, name: str, task_vars: dict[str, t.Any]) -> str:
        """Return why a variable with a password cannot be read, or a blank."""
        where = f"{PASSWORD} names {quoted(name)}, but"
        if name not in task_vars:
            return f"{where} there is no such variable."
        if ladder.VARIABLE.fullmatch(name):  # else the checks are refused
            try:
                self._templar.template(our_template("{{ " + name + " }}"))
            except AnsibleError:  # its text may hold the password
                return f"{where} it cannot be read: a vault without a password, or a template that fails."
        return ""

    def hosts(
        self, task_vars: dict[str, t.Any]
    ) -> tuple[dict[str, dict[str, t.Any]], list[dict[str, t.Any]]]:
        """Return the variables of each host of a fleet, and a failed row for each
        whose variables cannot be read.
        """
        found, failed = {}, []
        for host in self._task.args.get("hosts") or ():
            try:
                given = task_vars["hostvars"][host]
                facts = facts_among({*_entries.OF_A_HOST, *_options.OF_THE_RUN}, given, str(host))
                if facts:
                    failed.append(_entries.failed_entry(str(host), "", *facts))
                    continue
                found[str(host)] = {
                    name: evaluated(given.__getitem__, name) for name in _entries.OF_A_HOST if name in given
                }
                for name in _options.OF_THE_RUN:
                    with contextlib.suppress(AnsibleError):  # its template may need what only a play knows
                        found[str(host)][name] = evaluated(given.__getitem__, name) if name in given else None
            except Exception as error:
                why = f"The variables of {host} cannot be read: {reason(error)}."
                failed.append(_entries.failed_entry(str(host), "", why))
        return found, failed

    def plan_only(self, task_vars: dict[str, t.Any]) -> bool:
        """Whether nothing may start: in check mode, or if the tags name the plan and no later step."""
        tags = set(task_vars.get("ansible_run_tags") or ())
        later = {"all", *self._task.tags} - ALONE
        return bool(self._task.check_mode) or ("plan" in tags and not tags & later)

    def parts(self, hooks: t.Collection[str], task_vars: dict[str, t.Any]) -> list[str]:
        """Return the tasks files that follow the plan: one for all steps where no tasks of the user lie
        between them, and no tags leave one out.
        """
        around = set(self._task.tags) - set(_step_table.NAMES)
        steps = _step_table.selected(task_vars.get("ansible_run_tags") or (), around)
        return steps if hooks or steps != list(_step_table.BETWEEN) else [_step_table.TOGETHER]

    def reported(
        self,
        state: dict[str, t.Any],
        before: dict[str, t.Any],
        job: _state.Job,
        steps: t.Sequence[str],
        task_vars: dict[str, t.Any],
    ) -> dict[str, t.Any]:
        """Return the result of the task."""
        report = state.pop("report", None)
        diff, warnings = state.pop("diff", None), state.pop("warnings", None)
        found = from_cloud({**state, "changed": self.changed(state, before, job, steps)})
        if diff and self._task.diff:
            found["diff"] = diff
        if warnings:
            found["warnings"] = warnings
        if "plan" in steps:
            found["parts"] = self.parts(state.get("hooks") or (), task_vars)
        if not {"report", "end"} & set(steps):
            return found
        if report is None:  # A fault in this code has ended this step.
            return {"failed": True, "msg": state["run"]["refused"]}
        if "end" in steps:  # only the message, because a failed task shows everything that it has
            return {"failed": report["failed"], "msg": summary(report)}
        found.update(self.published(from_cloud(report), job, task_vars))
        if report["failed"] and not self.end_follows({**task_vars, RESULT: found}):
            found["failed"] = True
        return found

    def end_follows(self, task_vars: dict[str, t.Any]) -> bool:
        """Whether the task that fails a failed run follows: Ansible asks a `when` around the role again
        before each task, so what this task registers may end the role.
        """
        templar = self._templar.copy_with_new_env(available_variables=task_vars)
        with contextlib.suppress(AnsibleError):  # then that task fails as well
            return all(
                str(templar.template(our_template(f"{{{{ ({condition}) | bool }}}}"))) == "True"
                for condition in self._task.when
            )
        return True

    def changed(
        self, state: dict[str, t.Any], before: dict[str, t.Any], job: _state.Job, steps: t.Sequence[str]
    ) -> bool:
        """Whether these steps have changed something, or would have."""
        if job.plan_only:
            return "plan" in steps and bool(self._task.check_mode) and bool(_state.overwriting(state))
        return bool(state.get("changed")) and not before.get("changed")

    def published(
        self, report: dict[str, t.Any], job: _state.Job, task_vars: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """Return the report, and the statistics for the next node of a workflow: always the same keys."""
        data: dict[str, t.Any] = {REPORTED: report}
        if job.plan_only:
            data["restore_planned"] = {"digest": report["plan_digest"], "plan": report}
        number = next((str(task_vars[name]) for name in JOBS if task_vars.get(name)), None)
        if number is not None:
            data.update({f"{name}_{number}": value for name, value in list(data.items())})
        stats = {"data": data, "per_host": False, "aggregate": True}
        return {"report": report, "msg": summary(report), "ansible_stats": stats}


class AnsibleWorld:
    """What the steps need from Ansible and from the machine."""

    latest: dict[str, t.Any] | None = None
    profile: str | None = None  # of every host of a fleet: then the run needs no other keys

    def __init__(self, action: ActionModule, task_vars: dict[str, t.Any]) -> None:
        self._action, self._task_vars = action, task_vars

    def call(self, module: str, options: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
        """Return the result of a module of this collection, with this task's connection options."""
        action = self._action
        task = action._task.copy()
        task.action = f"{COLLECTION}.{module}"
        task.check_mode = check
        task.args = {**self.connection_for(options), **options}
        names = ("connection", "play_context", "loader", "templar", "shared_loader_obj")
        given = {name: getattr(action, f"_{name}") for name in names}
        found = action._shared_loader_obj.action_loader.get(task.action, task=task, **given)
        quiet = {_inprocess.PACE: SLOW} if module in LONG else {_inprocess.PROGRESS: False}
        variables = {**self._task_vars, **quiet}
        if _inprocess.on_this_machine(action._connection):  # Ansible's own Python has `requests`.
            variables[_inprocess.PYTHON] = sys.executable
        try:
            result: dict[str, t.Any] = found.run(task_vars=variables)
        except AnsibleError as error:
            return {
                "failed": True,
                "error_kind": "internal_error",
                "msg": f"{module} could not be run: {error}",
            }
        # From core 2.19 on they are objects.
        texts = [getattr(getattr(one, "event", None), "msg", one) for one in result.get("warnings") or ()]
        return {**result, "warnings": list(map(str, texts))}

    def connection_for(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return this task's connection options for a module. Its keys and its project are not those of
        another profile, and its project is not that of another region, which has one of its own name.
        """
        given = {_inprocess.ALIASES.get(name, name): value for name, value in self._action._task.args.items()}
        shared = {name: value for name, value in given.items() if name in CONNECTION}
        home = shared.get("region") or self._action.environment().get(ENVIRONMENT["region"][0])
        if options.get("profile") or self.profile:
            apart = {*IDENTITY, "region"} - {_options.PROFILES}
            kept = {name: value for name, value in shared.items() if name not in apart}
            return kept if options.get("profile") else {**kept, "profile": self.profile}
        if home and options.get("region") not in (None, home):
            return {**shared, "project_id": "", "project_name": options["region"]}
        return shared

    def say(self, lines: t.Sequence[str]) -> None:
        """Show lines at once: on stdout for people, on stderr if stdout is for a program."""
        for line in lines:
            _inprocess.show(line)

    def ask(self, question: str) -> str | None:
        """Return what a person types; None without a terminal."""
        try:
            typed = Display().prompt_until(question)
        except AnsiblePromptInterrupt:
            return ""
        except AnsibleError:
            return None
        return (
            bytes(typed).decode("utf-8", "replace") if isinstance(typed, (bytes, bytearray)) else str(typed)
        )

    def now_ms(self) -> int:
        """Return the time in epoch milliseconds."""
        return int(Clock().now() * 1000)

    def random(self) -> str:
        """Return six characters of a-z and 0-9."""
        return "".join(secrets.choice(LETTERS) for dummy in range(6))


def fleet(
    hosts: t.Mapping[str, dict[str, t.Any]], failed: list[dict[str, t.Any]], defaults: _entries.Defaults
) -> _entries.Found:
    """Return the hosts of a fleet as rows: one without a point of its own gets its newest data."""
    defaults = defaults._replace(point="latest")
    rows = [row_of_host(host, variables, defaults) for host, variables in hosts.items()]
    return _entries.Found([*rows, *failed], [], [])  # hosts of one instance fail as rows


def row_of_host(host: str, variables: dict[str, t.Any], defaults: _entries.Defaults) -> dict[str, t.Any]:
    """Return the row of a host, which has failed if its variables make this code fail."""
    try:
        return _entries.of_host(host, variables, defaults)
    except Exception as error:  # The text may hold anything.
        why = f"Unexpected {type(error).__name__} while the variables of {host} were read. {_state.BUG}"
        return _entries.failed_entry(host, "", why)


def requested_entries(
    kind: str, variables: dict[str, t.Any], options: _options.Options, defaults: _entries.Defaults
) -> _entries.Found:
    """Return what a run of this kind restores."""
    found = _entries.read_entries(variables, defaults)
    if kind == "undo":
        before = _report_files.report_from(options.report)
        if before is None and _settings.given(variables).get("restore_report"):
            return _entries.Found([], [], [])  # Why it cannot be read is reported already.
        rows, problems = _entries.of_undo(before, options.operation_id)
        return _entries.Found(rows, [], [*problems, *_entries.undone_but_not_named(found, rows)])
    return found


def reason(error: Exception) -> str:
    """Return the first line of what Ansible says; the text of another error may hold anything."""
    lines = str(error).splitlines() if isinstance(error, AnsibleError) else []
    return lines[0].rstrip(".") if lines else f"unexpected {type(error).__name__}"


def summary(report: t.Mapping[str, t.Any]) -> str:
    """Return a sentence about how a run ended, with the place of the report if it was written."""
    path = (report.get("files") or {}).get("json")
    return f"{report['msg']}{f' Report: {path}' if path and os.path.isfile(path) else ''}"
