# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In process: the module's own main() runs in the controller's worker process.

Private to this collection.

A module task spends its time on building a payload and starting a second Python. Here neither happens.
Ansible's own AnsibleModule validates, redacts and prints here, too, so the result is the same. A task that is
not local and plain runs as a module.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import sys
import types
import typing as t

from ansible import constants as C
from ansible import context, module_utils
from ansible.module_utils import basic
from ansible.module_utils.common import json as common_json
from ansible.module_utils.common import warnings as module_warnings
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.vars import clean

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import resolve
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.deps import IMPORT_ERROR
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _refusals, _secrets
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._preload import preload
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._progress import Progress
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import unset, without_omitted
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import evaluated

IN_PROCESS, PROGRESS = "huaweicloud_recovery_in_process", "huaweicloud_recovery_progress"
PYTHON = "ansible_python_interpreter"
PACE = "_huaweicloud_recovery_pace"  # of the role: seconds, at least, between two lines about one restore
ALIASES = {str(alias): name for name, option in CONNECTION.items() for alias in option.get("aliases", ())}
MACHINE_READABLE = {"json", "jsonl", "null", "oneline"}  # callbacks whose stdout is for programs


INTERNAL = getattr(module_utils, "_internal", types.SimpleNamespace())  # from 2.19 on
TAGS = hasattr(common_json, "get_module_encoder")  # from 2.19 on
SERIALIZATION = "legacy"  # the form of arguments and results: core's name for the default


class Prepared(t.NamedTuple):
    """What main() needs: the task's `environment:`, and fresh state in some Python modules."""

    environment: dict[str, t.Any]
    state: list[tuple[t.Any, dict[str, t.Any]]]
    progress: Progress


class InProcess(ActionBase):
    """The action of every module of this collection; `module` is the Python module whose main() it runs."""

    _supports_check_mode = True
    _supports_async = True
    module: t.Any

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task here when it is local and plain, else as Ansible runs any module."""
        task_vars = task_vars or {}
        self._task.args = without_omitted(self._task.args)
        secrets = set(_secrets.within(self._task.args))
        return _secrets.without(self.result(tmp, task_vars), secrets)

    def result(self, tmp: t.Any, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the task here or as a module."""
        prepared = self.prepare(task_vars)
        if prepared is not None:
            return self.here(prepared, tmp, task_vars)
        # A row can have keys of its own, and its failure stays its own.
        caller = None if "restores" in self._task.args else self.caller()
        if caller is None or self._task.async_val:  # The result of an async task says nothing about the keys.
            result = self.as_module(task_vars)
        else:
            result = _refusals.alone_as_module(caller, lambda: self.as_module(task_vars))
        self.end_if_orphaned()
        return result

    def caller(self) -> str:
        """Return what names the caller: the connection options, and the keys if they are known here."""
        given = {
            ALIASES.get(name, name): value for name, value in self._task.args.items() if not unset(value)
        }
        options = {name: given.get(name) for name in CONNECTION}
        # On another machine, the same task may find other keys.
        here = on_this_machine(self._connection)
        place = None if here else self._play_context.remote_addr
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        keys = None
        with contextlib.suppress(Exception):  # The module reports what is wrong with them.
            keys = resolve(options, {**os.environ, **environment}, Redactor())[:2]
        return repr((options, environment, keys, place))

    def here(self, prepared: Prepared, tmp: t.Any, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the task in this process."""
        result = super().run(tmp, task_vars)
        with contextlib.ExitStack() as stack:
            stack.enter_context(surroundings(prepared.environment, self._loader.get_basedir()))
            for place, values in prepared.state:
                stack.enter_context(swapped(place, values))
            stack.callback(prepared.progress.close)
            printed = output(self.module.main)
        self.end_if_orphaned()
        result.update(self.parsed(printed))
        return result

    def end_if_orphaned(self) -> None:
        """End this process if its controller was killed.

        Nothing more may start then, and a write to the full pipe, which nobody reads, would block forever.
        """
        controller = multiprocessing.parent_process()
        if controller is not None and os.getppid() != controller.pid:
            os._exit(1)

    def as_module(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the task as Ansible runs any module."""
        names = ("task", "connection", "play_context", "loader", "templar", "shared_loader_obj")
        given = {name: getattr(self, f"_{name}") for name in names}
        result: dict[str, t.Any] = self._shared_loader_obj.action_loader.get(
            "ansible.legacy.normal", **given
        ).run(task_vars=task_vars)
        return result

    def prepare(self, task_vars: dict[str, t.Any]) -> Prepared | None:
        """Return what main() needs, or None if the task must run as a module.

        Everything that can fail without a request happens before the first one.
        """
        try:
            obstacle = self.obstacle(task_vars)
            if obstacle is not None:
                Display().vvv(f"huaweicloud.recovery: run as a module: {obstacle}")
                return None
            # Not a copy: core, too, adds its own arguments where callbacks and rescues can see them.
            self._update_module_args(self._task.action, self._task.args, task_vars)
            environment: dict[str, t.Any] = {}
            self._compute_environment_string(environment)
            # If this ansible-core parses results differently, fail now and not with the result of a restore.
            self.parsed({"stdout": "{}", "stderr": "", "rc": 0})
            # A task that runs once for all hosts concerns none of them in particular.
            host = "" if self._task.run_once else str(task_vars.get("inventory_hostname"))
            redactor = Redactor()
            quiet = bool(self._task.no_log) or not self.switch(task_vars, PROGRESS)
            pace = float(task_vars.get(PACE) or 0)
            progress = Progress(self.say, host, redactor, quiet, pace=pace)
            state = self.fresh_state(redactor, progress)
            Display().vvv("huaweicloud.recovery: run in this process")
            return Prepared(environment, state, progress)
        except Exception as error:
            # An unknown ansible-core, or a template that fails: the module reports it best.
            Display().vvv(f"huaweicloud.recovery: run as a module: {type(error).__name__}")
            return None

    def fresh_state(self, redactor: Redactor, progress: Progress) -> list[tuple[t.Any, dict[str, t.Any]]]:
        """Return the Python modules that a task changes, with the values of their names at its start."""
        names = ("_global_warnings", "_global_deprecations")
        given = {"before_post": self.end_if_orphaned, "alone": _refusals.alone}
        return [
            (basic, module_arguments(self._task.args)),
            (module_warnings, {name: type(getattr(module_warnings, name))() for name in names}),
            (INTERNAL, {"is_controller": False}),  # or warnings would bypass the result
            (_runner, {"CONTEXT": {**given, "redactor": redactor, "progress": progress}}),
        ]

    def obstacle(self, task_vars: dict[str, t.Any]) -> str | None:
        """Return why the task cannot run here, or None.

        The module would run on another machine, as another user, in another Python, or outlive the task.
        """
        if IMPORT_ERROR is not None:
            return "requests is missing here"
        if not self.switch(task_vars, IN_PROCESS):
            return f"{IN_PROCESS} is off"
        if self._task.async_val:
            return "async"
        if getattr(self._connection, "become", None) is not None:
            return "become"
        if not on_this_machine(self._connection):
            return "the connection is not ansible.builtin.local"
        where = task_vars
        if self._task.delegate_to:
            where = task_vars["ansible_delegated_vars"][self._task.delegate_to]
        python = C.config.get_config_value("INTERPRETER_PYTHON", variables=where)
        wanted = str(self._templar.template(python or "auto") or "auto")
        if wanted.startswith("auto") or same_python(wanted, sys.executable):
            return None
        return "ansible_python_interpreter is another Python"

    def switch(self, task_vars: dict[str, t.Any], name: str) -> bool:
        """Return a boolean variable of the host; true unless set, and a blank counts as unset."""
        value = evaluated(self._templar.template, task_vars.get(name))
        return value in (None, "") or bool(boolean(value, strict=False))

    def say(self, line: str) -> None:
        """Show a line at once: on stdout for people, on stderr if stdout is for a program."""
        self.end_if_orphaned()
        show(line)

    def parsed(self, printed: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the result in the form of this ansible-core. The parser has changed over time."""
        if not TAGS:
            from ansible.utils.unsafe_proxy import wrap_var

            data = self._parse_returned_data(printed)
            clean.remove_internal_keys(data)
            return wrap_var(data)
        data = self._parse_returned_data(printed, SERIALIZATION)
        if hasattr(data, "as_result_dict"):  # from 2.21 on
            data.remove_internal_keys()
            return data.as_result_dict(for_round_trip=True)
        clean.remove_internal_keys(data)
        return data


def show(line: str) -> None:
    """Show a line: on stdout for people, on stderr if stdout is for a program."""
    callback = (
        "oneline" if context.CLIARGS.get("one_line") else str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    )
    Display().display(line, stderr=callback in MACHINE_READABLE)


def output(main: t.Callable[[], None]) -> dict[str, t.Any]:
    """Return what main() prints.

    Its stderr has only Python's own warnings, which nobody sees from a module either.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        contextlib.suppress(SystemExit),
    ):
        main()
    return {"stdout": stdout.getvalue(), "stderr": stderr.getvalue(), "rc": 0}


def encoded(arguments: dict[str, t.Any]) -> bytes:
    """Return the arguments as the module would receive them."""
    if TAGS:
        how = {
            "cls": common_json.get_module_encoder(SERIALIZATION, common_json.Direction.CONTROLLER_TO_MODULE)
        }
    else:
        how = {"cls": common_json.AnsibleJSONEncoder, "vault_to_text": True}
    return json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, **how).encode()


def module_arguments(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what AnsibleModule reads its arguments from, and where it leaves them from core 2.19 on."""
    return {
        "_ANSIBLE_ARGS": encoded(arguments),
        "_ANSIBLE_PROFILE": SERIALIZATION,
        "_PARSED_MODULE_ARGS": None,
    }


@contextlib.contextmanager
def swapped(place: t.Any, values: dict[str, t.Any]) -> t.Iterator[None]:
    """Give names in a Python module other values for a while: the items of a loop share this process."""
    before = {name: vars(place)[name] for name in values if name in vars(place)}
    vars(place).update(values)
    try:
        yield
    finally:
        for name in values.keys() - before.keys():
            del vars(place)[name]
        vars(place).update(before)


@contextlib.contextmanager
def surroundings(environment: dict[str, t.Any], directory: str) -> t.Iterator[None]:
    """Apply the task's `environment:` and the working directory of modules for a while."""
    before, here = dict(os.environ), os.getcwd()
    os.environ.update({name: str(value) for name, value in environment.items()})
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(here)
        if dict(os.environ) != before:
            os.environ.clear()
            os.environ.update(before)


def on_this_machine(connection: t.Any) -> bool:
    """Whether a task runs on the controller."""
    return type(connection).__module__ == "ansible.plugins.connection.local"


def same_python(one: str, other: str) -> bool:
    """Whether two paths are one interpreter with one set of packages.

    Links within a directory are the same one; a virtual environment links to another directory.
    """
    return all(
        os.path.realpath(part(one)) == os.path.realpath(part(other)) for part in (os.path.dirname, str)
    )


def rehearsed(main: t.Callable[[], None], arguments: dict[str, t.Any], given: dict[str, t.Any]) -> None:
    """Run a main() in the parent process.

    Only its own output is dropped, because other threads may print at the same time.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            swapped(basic, {**module_arguments(arguments), "print": lambda *args, **kwargs: None})
        )
        stack.enter_context(swapped(_runner, {"CONTEXT": given}))
        stack.enter_context(contextlib.suppress(SystemExit))
        main()


if IMPORT_ERROR is None:
    with contextlib.suppress(Exception):  # only for speed
        preload(rehearsed)  # once, in the parent from which the workers are forked
