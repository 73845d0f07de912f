# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module and its action in this process, with the bench's time and wire. Called as bench.perform().

The module runs as its own main(), the action as in the controller.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

from ansible import constants as C
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection
from ansible.template import Templar

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import cloud as cloud_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from tests import invoke
from tests.faults.bench import Wire


@contextlib.contextmanager
def imagined(clock: Clock, http: Wire) -> Iterator[None]:
    with mock.patch.multiple(cloud_module, Clock=lambda: clock, Http=lambda verify, ca_path, redactor: http):
        yield


def through_module(
    name: str, params: Mapping[str, Any], env: Mapping[str, str], secrets: set[str], clock: Clock, http: Wire
) -> dict[str, Any]:
    """Run the module's own main(), as in a process of its own."""
    with imagined(clock, http):
        return invoke.module(name, env, clock=clock, **params)


def through_action(
    name: str, params: Mapping[str, Any], env: Mapping[str, str], secrets: set[str], clock: Clock, http: Wire
) -> dict[str, Any]:
    """Run the action, as a worker of ansible-playbook does for localhost."""
    task, data, play = Task(), DataLoader(), PlayContext()
    task.action, task.args = f"huaweicloud.recovery.{name}", dict(params)
    where = {
        "connection": Connection(play, os.devnull),
        "play_context": play,
        "loader": data,
        "templar": Templar(data, {}),
        "shared_loader_obj": None,
    }
    action = importlib.import_module(f"{invoke.COLLECTION}.plugins.action.{name}").ActionModule(
        task=task, **where
    )
    variables = {"ansible_python_interpreter": sys.executable, "inventory_hostname": "localhost"}
    with (
        imagined(clock, http),
        mock.patch.dict(os.environ, env),
        mock.patch.object(action, "say"),
        tempfile.TemporaryDirectory() as own,  # each call is a run of its own
        mock.patch.object(C, "DEFAULT_LOCAL_TMP", own),
    ):
        result: dict[str, Any] = action.run(task_vars=variables)
    return {"failed": False, **result}
