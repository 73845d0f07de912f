# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan, Result, execute
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import check, without_blanks
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _start
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import Door

ANSIBLES = {
    "invocation",
    "ansible_facts",
    "deprecations",
    "exception",
}  # keys of a module's result that are no answer


class ActionModule(Door):
    """Starts many restores in the controller's own process, or where that is not possible one module after the other."""

    _supports_async = False
    module = _start

    def as_module(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module of each entry: all of them in check mode, which is the plan, then for good those whose plan could be made."""
        super(Door, self).run(None, task_vars)  # refuses what an action cannot do
        spec = {**CONNECTION, **_start.OPTIONS}
        given = {
            name: value for name, value in self._task.args.items() if not name.startswith("_ansible")
        }  # prepare() may have added some
        self._task.args = without_blanks(given)
        try:
            options = self.validate_argument_spec(spec)[1]
            check(options, spec, {})
        except AnsibleActionFail as error:  # as a result, so that `failed_when` is asked
            return _start.failure(InvalidArgument(f"{str(error).rstrip('.')}."))
        except CloudError as error:
            return _start.failure(error)
        entries, dry_run = options["restores"], self._task.check_mode
        repeated = _start.twice(entries)
        common = {name: value for name, value in self._task.args.items() if name not in _start.OPTIONS}
        common.update(wait=False, wait_timeout=options["start_timeout"])

        def run(entry: dict[str, t.Any], check_mode: bool) -> Result:
            self.end_if_orphaned()
            self._task.check_mode = check_mode  # core hands it on to the module
            try:
                return self.answer(
                    entry["service"],
                    {**common, **_start.request(entry, repeated)},
                    entry["region"],
                    task_vars,
                )
            except CloudError as error:
                return _start.failure(error)
            except AnsibleError as error:  # whether the module has begun is not known
                return {
                    "failed": True,
                    "changed": not check_mode,
                    "error_kind": "internal_error",
                    "msg": f"The module could not be run: {error}",
                }
            finally:
                self._task.check_mode = dry_run

        planned = [run(entry, check_mode=True) for entry in entries]
        for number, row in _start.clashes(entries, planned):
            planned[number] = row

        def apply() -> Result:
            rows = [
                run(_start.pinned(entry, row), check_mode=False) if row.get("changed") else row
                for entry, row in zip(entries, planned)
            ]
            return _start.summary(entries, rows)

        return execute(Plan(_start.summary(entries, planned), apply=apply), dry_run)

    def answer(
        self, service: str, options: dict[str, t.Any], region: str | None, task_vars: dict[str, t.Any]
    ) -> Result:
        """Return what the module of a service says. Whoever interrupts it is not stopped here: no other restore is to be started then."""
        options = {**options, **({"region": region} if region else {})}
        given = {name: value for name, value in options.items() if value is not None}
        answer = self._execute_module(
            module_name=f"huaweicloud.recovery.{SERVICES[service].module}",
            module_args=given,
            task_vars=task_vars,
        )
        if not answer.keys() & {"outcome", "error_kind"}:  # it was killed: what it has done is not known
            answer = {
                **answer,
                "failed": True,
                "changed": not self._task.check_mode,
                "error_kind": "internal_error",
            }
        return {
            name: value
            for name, value in answer.items()
            if name not in ANSIBLES and not name.startswith("_ansible")
        }
