# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second door: the module's own main(), run in the controller's worker process. Private to this collection.

No payload is built and no second Python starts, which is where a module task spends its time. It is Ansible's own AnsibleModule that
validates, masks and prints here too, so both doors give the same result. Whatever is not local and plain goes through the first door.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import typing as t

from ansible import constants as C
from ansible.module_utils import basic
from ansible.module_utils.common import json as common_json
from ansible.module_utils.common import warnings as module_warnings
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.vars.clean import remove_internal_keys

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.deps import IMPORT_ERROR
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.http import tls_context
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._progress import Progress

if IMPORT_ERROR is None:
    tls_context()  # once, in the parent: the workers are forked from it

IN_PROCESS, PROGRESS = "huaweicloud_recovery_in_process", "huaweicloud_recovery_progress"
MACHINE_READABLE = {"json", "jsonl", "oneline", "tree", "junit", "null"}  # callbacks whose stdout a program reads


class Door(ActionBase):
    """The action of every module of this collection; `module` is the Python module whose main() it runs."""

    _supports_check_mode = True
    _supports_async = True
    module: t.Any

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task here when it is local and plain, else as Ansible runs any module."""
        task_vars = task_vars or {}
        if not self.fits(task_vars):
            names = ("task", "connection", "play_context", "loader", "templar", "shared_loader_obj")
            given = {name: getattr(self, f"_{name}") for name in names}
            return self._shared_loader_obj.action_loader.get("ansible.legacy.normal", **given).run(task_vars=task_vars)
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        result.update(self.run_here(task_vars))
        return result

    def fits(self, task_vars: dict[str, t.Any]) -> bool:
        """Whether the module would run on this machine, as this user, in this Python, and need not outlive the task."""
        if IMPORT_ERROR is not None or self._task.async_val or getattr(self._connection, "become", None) is not None:
            return False
        if type(self._connection).__module__ != "ansible.plugins.connection.local" or not self.switch(task_vars, IN_PROCESS):
            return False
        where = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to, task_vars) if self._task.delegate_to else task_vars
        wanted = self._templar.template(where.get("ansible_python_interpreter") or C.config.get_config_value("INTERPRETER_PYTHON", variables=where))
        return not wanted or str(wanted).startswith("auto") or os.path.realpath(wanted) == os.path.realpath(sys.executable)

    def switch(self, task_vars: dict[str, t.Any], name: str) -> bool:
        """Return a boolean variable of the host; true unless set."""
        return bool(boolean(self._templar.template(task_vars.get(name, True)), strict=False))

    def run_here(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run main() with the arguments and environment that the module would get, and read its JSON as Ansible does."""
        arguments = dict(self._task.args)
        self._update_module_args(self._task.action, arguments, task_vars)
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        progress = Progress(self.say, quiet=not self.switch(task_vars, PROGRESS))
        stdout = io.StringIO()
        with module_arguments(arguments), environ(environment), progressing(progress), contextlib.redirect_stdout(stdout), contextlib.suppress(SystemExit):
            self.module.main()
        return self.parsed({"stdout": stdout.getvalue(), "stderr": "", "rc": 0})

    def say(self, line: str) -> None:
        """Show a line at once: on stdout for people, on stderr where a program reads stdout."""
        callback = str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
        Display().display(line, stderr=callback in MACHINE_READABLE or os.environ.get("ANSIBLE_STDOUT_CALLBACK", "").rpartition(".")[2] in MACHINE_READABLE)

    def parsed(self, output: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the result in the form of this ansible-core: the parser's signature and type have changed over time."""
        if not hasattr(common_json, "get_module_encoder"):  # before 2.19
            from ansible.utils.unsafe_proxy import wrap_var

            data = self._parse_returned_data(output)
            remove_internal_keys(data)
            return wrap_var(data)
        data = self._parse_returned_data(output, "legacy")
        if hasattr(data, "as_result_dict"):  # from 2.21 on
            data.remove_internal_keys()
            return data.as_result_dict(for_round_trip=True)
        remove_internal_keys(data)
        return data


@contextlib.contextmanager
def module_arguments(arguments: dict[str, t.Any]) -> t.Iterator[None]:
    """Have the next AnsibleModule find these arguments, and no warnings of an earlier loop item."""
    if hasattr(common_json, "get_module_encoder"):
        encoder = common_json.get_module_encoder("legacy", common_json.Direction.CONTROLLER_TO_MODULE)
        encoded = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder)
        basic._ANSIBLE_PROFILE = "legacy"
    else:
        encoded = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=common_json.AnsibleJSONEncoder, vault_to_text=True)
    basic._ANSIBLE_ARGS = encoded.encode()
    for name in ("_global_warnings", "_global_deprecations"):
        getattr(module_warnings, name).clear()
    try:
        yield
    finally:
        basic._ANSIBLE_ARGS = None


@contextlib.contextmanager
def environ(values: dict[str, str]) -> t.Iterator[None]:
    """Apply the task's `environment:` and restore what was there: the items of a loop share this process."""
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in values.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def progressing(progress: Progress) -> t.Iterator[None]:
    """Have waits report to progress."""
    _module.CONTEXT["progress"] = progress
    try:
        yield
    finally:
        del _module.CONTEXT["progress"]
