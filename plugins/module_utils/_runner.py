# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge between Ansible and the client: only this file knows AnsibleModule, and only it catches
everything.
"""

from __future__ import annotations

import atexit
import gc
import json
import platform
import sys
import traceback
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common import validation
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud, cloud_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.deps import IMPORT_ERROR
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    NONE,
    STARTED,
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import (
    Redactor,
    one_spelling,
    quoted,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import check_ids
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import (
    CONNECTION,
    RANGES,
    WAIT,
    Spec,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan, Result, execute

Decide = t.Callable[[Cloud, t.Dict[str, t.Any]], Plan]
# What the action adds: a `redactor`, and for Cloud `progress`, `before_post` and `alone`
CONTEXT: t.Mapping[str, t.Any] = {}
LONGEST = 4000  # characters of a message
T = t.TypeVar("T")
OLDEST = (3, 9)  # The oldest Python for modules. An older one must get as far as run_module(), which says so.


class Module(AnsibleModule):
    """An AnsibleModule in which a blank option is unset, and whose own refusals have an error_kind."""

    params: dict[str, t.Any]
    input_error: str | None = None  # why an option was refused

    def _load_params(self) -> None:
        super()._load_params()
        self.params = without_blanks(self.params)
        try:
            self.params = normalized(self.params, self.argument_spec)
        except InvalidArgument as error:
            self.input_error = str(error)
        self.no_log_values.update(nested_passwords(self.params))

    def fail_json(self, msg: str, **result: t.Any) -> None:
        """Fail. Without an error_kind, Ansible refuses an option before anything was done."""
        if "error_kind" not in result:
            msg = self.input_error or f"{msg.rstrip('.')}. No request was sent."
        super().fail_json(msg=msg, **{"changed": False, "error_kind": "invalid_argument", **result})


def run_module(plan: Decide, options: Spec, wait: bool = False, **rules: t.Any) -> None:
    """Build the module, let plan() decide, apply it unless in check mode, and exit.

    `rules` are AnsibleModule's (mutually_exclusive, ...). They are checked here, because a blank option
    counts as unset.
    """
    spec = {**CONNECTION, **(WAIT if wait else {}), **options}
    module = Module(argument_spec=spec, supports_check_mode=True)
    if module.input_error:
        module.fail_json(module.input_error)
    if sys.version_info < OLDEST:
        module.fail_json(msg=old_python(), error_kind="unsupported_python")
    if IMPORT_ERROR:
        module.fail_json(
            msg=missing_required_lib("requests"), exception=IMPORT_ERROR, error_kind="missing_library"
        )
    if not CONTEXT:
        atexit.register(gc.freeze)  # The process ends here: garbage collection would take 18 ms.
    context = dict(CONTEXT)
    redactor = context.pop("redactor", None) or Redactor()
    redactor.share(module.no_log_values)
    outcome = perform(plan, dict(module.params), spec, rules, module.check_mode, redactor, **context)
    for warning in outcome.pop("warnings", ()):
        # From core 2.19 on, warn() itself redacts nothing.
        module.warn(remove_values(warning, redactor.forms))
    if outcome.pop("failed", False):
        module.fail_json(**outcome)
    module.exit_json(**outcome)


def old_python() -> str:
    """Return the refusal of the Python that runs this module."""
    return (
        f"This module needs Python 3.9 or later, and {sys.executable} is Python {platform.python_version()}: "
        "set ansible_python_interpreter of this host to a newer Python; no request was sent."
    )


def perform(
    plan: Decide,
    params: dict[str, t.Any],
    spec: Spec,
    rules: t.Mapping[str, t.Any],
    dry_run: bool,
    redactor: Redactor,
    **context: t.Any,
) -> Result:
    """Return the whole task result, also of a failure: only Ansible's task timeout escapes.

    `redactor` gets every secret of this task; `context` goes to Cloud (clock, progress, environ).
    """
    clouds: list[Cloud] = []

    def work() -> Result:
        check(params, spec, rules)
        cloud = cloud_for(params, redactor=redactor, **context)
        clouds.append(cloud)
        # The time also limits the decision: a task that cannot read the cloud must not take longer.
        if "wait_timeout" in spec:
            cloud.session.deadline = cloud.clock.monotonic() + params["wait_timeout"]
        made = plan(cloud, params)
        # This module starts something, so a person wants to know in which account.
        if "wait" in spec and "restores" not in spec:
            made = replace(made, beside=lambda: {"account": cloud.identity()})
        return execute(made, dry_run)

    starts = bool({"wait", "start_timeout"} & set(spec))
    result = result_of(work, lambda: any(cloud.may_have_changed for cloud in clouds), starts, redactor)
    warnings = [warning for cloud in clouds for warning in cloud.warnings]
    return {**result, "warnings": [*result.get("warnings", ()), *warnings]} if warnings else result


def result_of(
    work: t.Callable[[], Result], may_have_changed: t.Callable[[], bool], starts: bool, redactor: Redactor
) -> Result:
    """Return the result of work(), also when it fails.

    `may_have_changed` says whether a POST may have had an effect, `starts` whether a failure reports that.
    """
    try:
        try:
            return with_cloud_errors(work, may_have_changed)
        except KeyboardInterrupt as error:
            raise unexpected(error, may_have_changed()) from None
    except CloudError as error:
        unsaid = starts and error.effect == NONE and error.note is None and not may_have_changed()
        return {
            "failed": True,
            "msg": redactor.printable(f"{error}{' Nothing was started.' if unsaid else ''}", LONGEST),
            **error.details(),
        }


class Unexpected(CloudError):
    """An error that is not ours. Its text has only the name of that error, whose text may hold anything."""

    note = ""  # the text says what was done


def with_cloud_errors(work: t.Callable[[], T], may_have_changed: t.Callable[[], bool] = lambda: False) -> T:
    """Return the result of work(). Every error is a CloudError, but for an interrupt and a task timeout."""
    try:
        return work()
    except CloudError:
        raise
    except Exception as error:
        raise unexpected(error, may_have_changed()) from None


def unexpected(error: BaseException, may_have_changed: bool) -> Unexpected:
    """Return the error for one that is not ours; `may_have_changed`: whether a POST may have an effect."""
    done = (
        "A request had been sent: run the same task again. It repeats nothing: it attaches to what runs, or "
        "names the job to attach to."
        if may_have_changed
        else "No request that changes anything was sent."
    )
    if isinstance(error, KeyboardInterrupt):
        kind, text = "interrupted", f"The task was interrupted. {done}"
    elif isinstance(error, MemoryError):
        kind = "out_of_memory"
        text = f"The task ran out of memory on this machine (ulimit -v, or the limit of a container). {done}"
    else:
        kind = "internal_error"
        text = (
            f"Unexpected {type(error).__name__} at {_place(error)}. {done} Please report this as a bug of "
            "huaweicloud.recovery."
        )
    return Unexpected(text).with_context(kind=kind, effect=STARTED if may_have_changed else NONE)


def check(params: dict[str, t.Any], spec: Spec, rules: t.Mapping[str, t.Any]) -> None:
    """Raise InvalidArgument for mistakes found without a request."""
    given = {name: value for name, value in params.items() if value is not None}
    missing = [name for name, option in spec.items() if option.get("required") and name not in given]
    if missing:
        raise InvalidArgument(f"{', '.join(missing)} must be given.")
    for rule, terms in rules.items():
        try:
            getattr(validation, f"check_{rule}")(terms, given)
        except TypeError as error:
            raise InvalidArgument(f"{error}.") from None
    for name, (low, high) in RANGES.items():
        if not low <= given.get(name, low) <= high:
            raise InvalidArgument(f"{name} must be from {low} to {high}, not {given[name]}.")
    check_ids(params)


def normalized(params: dict[str, t.Any], spec: Spec) -> dict[str, t.Any]:
    """Return options without nulls, in which a text with a JSON list has become that list.

    Ansible refuses a null where there is a default, and a survey knows only texts. Raises InvalidArgument
    for another text that is written like a list or a dict, which Ansible would split at its commas, and for
    an alias with another value than its option: Ansible would take the alias, also from module_defaults.
    """
    found = {name: value for name, value in params.items() if value is not None or name.startswith("_")}
    for name, option in spec.items():
        given = [called for called in (name, *option.get("aliases", ())) if called in found]
        if len({str(found[called]) for called in given}) > 1:
            raise InvalidArgument(
                f"{' and '.join(given)} name one option, and have two values. Use one of these names in "
                "module_defaults and in the task."
            )
    for name, value in params.items():
        text = value.strip() if isinstance(value, str) and spec.get(name, {}).get("type") == "list" else ""
        if text[:1] in ("[", "{") or text.startswith(("- ", "-\n")):
            try:
                found[name] = without_blanks(json.loads(text))
            except (ValueError, RecursionError):
                found[name] = None
            if not isinstance(found[name], list):
                raise InvalidArgument(f"{name} must be a list, in YAML or as JSON text, not {quoted(text)}.")
    return found


def nested_passwords(value: t.Any) -> t.Iterator[str]:
    """Yield every `password` within lists of dicts, which no argument spec describes."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)):
            yield from nested_passwords(inner)
        elif name == "password" and inner not in (None, ""):
            yield str(inner)


def without_blanks(value: t.Any) -> t.Any:
    """Return options without blank strings, and IDs and names without blanks around them, at any depth.

    Job controllers fill in '' for an empty field, and a pasted ID often ends with a line end.
    """
    if isinstance(value, dict):
        return {
            name: stripped(name, inner) if isinstance(inner, str) else without_blanks(inner)
            for name, inner in value.items()
            if name.startswith("_ansible") or not isinstance(inner, str) or inner.strip()
        }
    return [without_blanks(inner) for inner in value] if isinstance(value, list) else value


def stripped(option: str, value: str) -> str:
    """Return a value without blanks around it where none are intended, and then in one spelling."""
    kind = option.split("_")[-1]
    return one_spelling(value.strip()) if kind in ("id", "name", "status", "timezone", "format") else value


def _place(error: BaseException) -> str:
    """Return the file and the line of an exception, without its text."""
    *_outer, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}"
