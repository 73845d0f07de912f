# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback for tests: it records which tasks ran as modules, and what callbacks and hosts received."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    CallbackBase = object  # Ansible has no type information
    ActionBase: Any
else:
    from ansible.plugins.action import ActionBase
    from ansible.plugins.callback import CallbackBase

try:
    from ansible.template import is_trusted_as_template
except ImportError:  # before ansible-core 2.19 the opposite is marked
    from ansible.utils.unsafe_proxy import AnsibleUnsafe

    def is_trusted_as_template(value: object) -> bool:
        return not isinstance(value, AnsibleUnsafe)


DOCUMENTATION = """
name: witness
type: notification
short_description: Write what callbacks see, what the hosts register, and which tasks run as modules
description: Writes JSON to the file that E(WITNESS_FILE) names.
author: the huaweicloud.recovery contributors
"""


def spy(execute: Any) -> Any:
    """Callbacks are loaded before the workers are forked, so these see the change as well."""

    def execute_module(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "huaweicloud.recovery" in (self._task.resolved_action or "") or self._task.action == "talkative":
            with open(os.environ["WITNESS_FILE"] + ".modules", "a", encoding="utf-8") as file:
                file.write(self._task.get_name() + "\n")
        return execute(self, *args, **kwargs)

    return execute_module


def unknown(*args: Any, **kwargs: Any) -> Any:
    raise TypeError("This ansible-core reads results differently.")


ActionBase._execute_module = spy(ActionBase._execute_module)
if os.environ.get("WITNESS_UNKNOWN_CORE"):
    from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import InProcess

    mock.patch.object(InProcess, "parsed", unknown).start()


def leaves(value: Any, path: str) -> dict[str, str]:
    """The type of everything, as a template would see it."""
    if isinstance(value, dict):
        found = [leaves(inner, f"{path}.{key}") for key, inner in value.items()]
    elif isinstance(value, (list, tuple)):
        found = [leaves(inner, f"{path}[{place}]") for place, inner in enumerate(value)]
    else:
        return {
            path: type(value).__name__
            + (", a template" if isinstance(value, str) and is_trusted_as_template(value) else "")
        }
    return {path: type(value).__name__, **{name: kind for one in found for name, kind in one.items()}}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "witness"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shown: dict[str, list[Any]] = {}

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self.variables = play.get_variable_manager()

    def note(self, event: str, result: Any) -> None:
        self.shown.setdefault(f"{result._task.get_name()} on {result._host.get_name()}", []).append(
            [event, result._result]
        )

    def v2_runner_on_ok(self, result: Any) -> None:
        self.note("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self.note("failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self.note("skipped", result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self.note("item ok", result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self.note("item failed", result)

    def v2_runner_retry(self, result: Any) -> None:
        self.note("retry", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        found = {host: dict(values) for host, values in self.variables._nonpersistent_fact_cache.items()}
        kinds = {host: leaves(values, "") for host, values in found.items()}
        with open(os.environ["WITNESS_FILE"], "w", encoding="utf-8") as file:
            json.dump({"registered": found, "types": kinds, "shown": self.shown}, file, default=repr)
