# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.caller import NOT_SENT
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import NOT_REPORTED
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import resolve
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import execute
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import Result, Row, failure
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import (
    check,
    normalized,
    without_blanks,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _refusals, _rows, _start
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import InProcess, encoded
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import from_cloud

# Keys that Ansible adds to a module's result
OF_ANSIBLE = {"invocation", "ansible_facts", "deprecations", "exception"}


class ActionModule(InProcess):
    """Starts many restores in the controller's own process or, if that is impossible, module by module."""

    _supports_async = False
    module = _start

    def as_module(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module of each row: first all in check mode to plan, then those that could be planned."""
        super(InProcess, self).run(None, task_vars)  # refuses keywords that an action cannot support
        try:
            result = self.one_by_one(self.options(), task_vars)
        except CloudError as error:  # as a result, so that `failed_when` applies
            result = failure(error)
        return t.cast("dict[str, t.Any]", from_cloud(result))

    def options(self) -> dict[str, t.Any]:
        """Return the arguments as a module would receive them.

        Raises InvalidArgument if they cannot be right.
        """
        plain = json.loads(encoded(self._task.args))["ANSIBLE_MODULE_ARGS"]
        spec = {**CONNECTION, **_start.OPTIONS}
        given = {name: value for name, value in plain.items() if not name.startswith("_ansible")}
        self._task.args = normalized(without_blanks(given), spec)
        try:
            options: dict[str, t.Any] = self.validate_argument_spec(spec)[1]
        except AnsibleActionFail as error:
            raise InvalidArgument(f"{str(error).rstrip('.')}.") from None
        check(options, spec, {})
        return options

    def one_by_one(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> Result:
        """Plan and start the rows, each by its own module."""
        rows, dry_run = _rows.from_input(options["restores"]), self._task.check_mode
        repeated, conflicting, region = _rows.repeated(rows), _rows.conflicts(rows), self.region(options)
        common = {name: value for name, value in self._task.args.items() if name not in _start.OPTIONS}
        caller = self.caller()
        results: dict[int, _rows.RowResult] = {}
        refused: dict[str | None, Result] = {}
        account: list[dict[str, str]] = []

        def run(row: Row, check_mode: bool) -> _rows.RowResult:
            self.end_if_orphaned()
            at = time.time()
            self._task.check_mode = check_mode  # core passes it on to the module
            keys = row["profile"]
            try:
                if keys in refused:  # A few more refused signatures would lock these keys.
                    return _rows.RowResult(refused[keys], at, 0.0)
                given = {**common, **_rows.request(row, repeated, conflicting), **_start.waiting(options)}
                result = _refusals.alone_as_module(
                    f"{caller}{keys or ''}", lambda: self.run_module(row, given, task_vars)
                )
            except CloudError as error:
                result = failure(error)
            except AnsibleError as error:  # It is not known whether the module has begun.
                result = unclear(f"The module could not be run: {error}", changed=not check_mode)
            finally:
                self._task.check_mode = dry_run
            if result.get("error_kind") == "auth_failed":
                refused[keys] = {**result, "msg": f"{result.get('msg')} {NOT_SENT}"}
            return _rows.RowResult(with_own_account(result, row, region, account), at, time.time() - at)

        def runner(check_mode: bool) -> t.Callable[[_start.Groups], dict[int, _rows.RowResult]]:
            def run_groups(groups: _start.Groups) -> dict[int, _rows.RowResult]:
                numbers = [number for group in groups for number in group]
                for number in numbers:
                    made = results.get(number)
                    row = _rows.planned(rows[number], made) if made else rows[number]
                    results[number] = run(row, check_mode)
                return {number: results[number] for number in numbers}

            return run_groups

        return execute(_start.combined(rows, runner(True), runner(False), time.time, account), dry_run)

    def region(self, options: dict[str, t.Any]) -> str:
        """Return the region of the task, as far as that is known here."""
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        given = {name: options.get(name) for name in CONNECTION}
        with contextlib.suppress(InvalidArgument):  # which the modules report
            found = resolve(given, {**os.environ, **environment}, Redactor()).settings
            return str(found.get("region") or NOT_REPORTED)
        return NOT_REPORTED

    def run_module(self, row: Row, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> Result:
        """Return the result of the module of a row.

        It does not catch an interrupt, because no other restore must start then.
        """
        here = {name: row[name] for name in ("region", "profile") if row[name]}
        given = {name: value for name, value in {**options, **here}.items() if value is not None}
        project = row.get("project_id")
        if project:  # the project in which the instance was listed: it is restored in no other
            if project not in given.get("allowed_project_ids", [project]):
                raise InvalidArgument(f"The project_id {quoted(project)} is not in allowed_project_ids.")
            given["allowed_project_ids"] = [project]
        module, given = SERVICES[row["service"]].module(given)
        result = self._execute_module(
            module_name=f"huaweicloud.recovery.{module}", module_args=given, task_vars=task_vars
        )
        refused = result.get("error_kind") == "denied" and not result.get("http_status")  # before any request
        if project and refused and not given.get("allowed_domain_ids"):
            # The reader of the message has not set the option that it names.
            raise _start.of_another_project(project)
        if not result.keys() & {"outcome", "error_kind"}:  # It was killed: nobody knows what it has done.
            result = {**result, **unclear(result.get("msg"), changed=not self._task.check_mode)}
        return {
            name: value
            for name, value in result.items()
            if name not in OF_ANSIBLE and not name.startswith("_ansible")
        }


def with_own_account(result: Result, row: Row, region: str, accounts: list[dict[str, str]]) -> Result:
    """Return the result of a module, with its account in `details` if that may differ from the account of the
    task, which is in `region`. `accounts` gets it, that of the task before all others.
    """
    found = result.pop("account", None)
    if not found or row["action"]:
        return result
    if row["profile"] or found["region"] != region:
        accounts.append(found)
        return _start.with_account(result, found)
    accounts.insert(0, found)
    return result


def unclear(msg: str | None, changed: bool) -> Result:
    """Return the result for a module that ended without one."""
    line = msg and " ".join(msg.split())
    return {"failed": True, "changed": changed, "error_kind": "internal_error", "msg": line}
