# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plugin for pytest by which suites that enter through the module enter through the action.

Use it as `pytest -p tests.in_process.through_action tests/contract`. invoke.module() then runs the action
with a task and a connection of Ansible's own, and tests that call perform() themselves get the action's
progress.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

from ansible import constants as C
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins import loader as plugins
from ansible.template import Templar
from ansible.utils.display import Display

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import cloud as cloud_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._progress import Progress
from tests import invoke
from tests.in_process import runs

perform = _runner.perform


def module(
    name: str,
    env: Mapping[str, str],
    /,
    check: bool = False,
    diff: bool = False,
    clock: Clock | None = None,
    **params: Any,
) -> invoke.Result:
    """Do what invoke.module() does, through the action."""
    task = Task.load({"name": "A task", "action": f"{invoke.COLLECTION.partition('.')[2]}.{name}"})
    task.args, task.check_mode, task.diff, task.environment = dict(params), check, diff, []
    context, loader = PlayContext(), DataLoader()
    given = {
        "play_context": context,
        "loader": loader,
        "templar": Templar(loader=loader, variables={}),
        "shared_loader_obj": plugins,
    }
    connection = plugins.connection_loader.get("local", context)
    action = importlib.import_module(f"{invoke.COLLECTION}.plugins.action.{name}").ActionModule(
        task=task, connection=connection, **given
    )
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(invoke._home())
        stack.enter_context(
            mock.patch.dict(
                os.environ, {"HOME": home, "PATH": os.environ.get("PATH", os.defpath), **env}, clear=True
            )
        )
        stack.enter_context(heard(action, "say"))
        # Each call is a run of its own
        stack.enter_context(mock.patch.object(C, "DEFAULT_LOCAL_TMP", home))
        verbose = stack.enter_context(mock.patch.object(Display(), "vvv"))
        if clock is not None:
            stack.enter_context(mock.patch.object(cloud_module, "Clock", lambda: clock))
        result: invoke.Result = json.loads(
            json.dumps(action.run(task_vars={"inventory_hostname": "localhost"}), default=invoke._message)
        )
    # restore_verify may refuse its rows before it runs.
    if not (name == "restore_verify" and result.get("error_kind") == "invalid_argument"):
        verbose.assert_called_once_with("huaweicloud.recovery: run in this process")
    return {
        "failed": False,
        **result,
        "warnings": [invoke._message(warning) for warning in result.get("warnings", [])],
    }


def perform_with_progress(*args: Any, **context: Any) -> Any:
    said: list[str] = []
    with contextlib.closing(Progress(said.append, "localhost", redactor=args[5])) as progress:
        result = perform(*args, **{"progress": progress, **context})
    check(said)
    return result


@contextlib.contextmanager
def heard(place: object, name: str) -> Iterator[None]:
    said: list[str] = []
    with mock.patch.object(place, name, said.append):
        yield
    check(said)


def check(said: list[str]) -> None:
    """Checked here, because an error about a line does not end a wait."""
    assert [line for line in said if "\n" in line or any(secret in line for secret in runs.SECRETS)] == []


for place, name, instead in ((invoke, "module", module), (_runner, "perform", perform_with_progress)):
    setattr(place, name, instead)
