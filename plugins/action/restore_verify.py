# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import failure
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import normalized
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify.ladder import VARIABLE
from ansible_collections.huaweicloud.recovery.plugins.modules import restore_verify
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import InProcess
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import our_template


class ActionModule(InProcess):
    """Runs restore_verify in the controller's own process where it can, with the passwords of its rows."""

    module = restore_verify

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Add the value of each password variable that a connection names, then run the module."""
        given = self._task.args
        try:
            self._task.args = self.with_passwords(normalized(given, restore_verify.OPTIONS), task_vars or {})
            return super().run(tmp, task_vars)
        except InvalidArgument as error:  # as a result, so that `failed_when` applies
            return failure(error)
        finally:
            self._task.args = given  # callbacks see the arguments of a task

    def with_passwords(self, value: t.Any, task_vars: dict[str, t.Any]) -> t.Any:
        """Return a value in which every dict that names a password variable also has the password.

        Raises InvalidArgument if there is no such variable. A row that has failed is not checked.
        """
        if isinstance(value, list):
            return [self.with_passwords(inner, task_vars) for inner in value]
        if not isinstance(value, dict) or value.get("error_kind"):
            return value
        found = {name: self.with_passwords(inner, task_vars) for name, inner in value.items()}
        named = found.get("password_variable")
        match = VARIABLE.fullmatch(named) if isinstance(named, str) else None
        if match and not found.get("password"):
            if named not in task_vars:
                raise InvalidArgument(
                    f"password_variable names {quoted(named)}, but there is no such variable."
                )
            # In a registered row the name is marked as unsafe before ansible-core 2.19, and a template made
            # of it would be taken for the password itself.
            found["password"] = self._templar.template(our_template("{{ " + match.group() + " }}"))
        return found
