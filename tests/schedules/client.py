# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks, by the modules' own plan() and the one runner."""

from __future__ import annotations

import contextlib
import functools
import typing as t
from unittest import mock

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import cloud, credentials, endpoints, session, times
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION, WAIT, Spec
from ansible_collections.huaweicloud.recovery.plugins.modules import dcs_backup, dcs_restore, ddm_recovery

from .cloud import BACKUP, INSTANCE, PROJECT, RESTORE_TIME, SOURCE, TARGET, TOKEN
from .world import Lane

MODULES: dict[str, t.Any] = {"restore": dcs_restore, "backup": dcs_backup, "recovery": ddm_recovery}
SPECS: dict[str, Spec] = {kind: {**CONNECTION, **WAIT, **module.OPTIONS} for kind, module in MODULES.items()}
BLANK = {kind: {name: option.get("default") for name, option in spec.items()} for kind, spec in SPECS.items()}
OWN: dict[str, dict[str, t.Any]] = {
    "restore": {"instance_id": INSTANCE, "backup_id": BACKUP},
    "backup": {"instance_id": INSTANCE},
    "recovery": {"instance_id": SOURCE, "target_instance_id": TARGET, "restore_time": str(RESTORE_TIME)},
}
BY_TOKEN = {"auth_token": TOKEN, "project_id": PROJECT}
BY_PASSWORD = {"username": "operator", "password": "never-printed", "domain_name": "account", "project_id": PROJECT}


def parameters(kind: str, password: bool, **given: t.Any) -> dict[str, t.Any]:
    """Return the task's parameters, as AnsibleModule would hand them over."""
    return {**BLANK[kind], "region": "ap-southeast-3", **(BY_PASSWORD if password else BY_TOKEN), **OWN[kind], **given}


def perform(kind: str, lane: Lane, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Run the task once over a lane's transport and clock, and return its result."""
    return _module.perform(MODULES[kind].plan, dict(params), SPECS[kind], {}, False, set(), environ={}, clock=lane.clock, http=lane.http)


PURE: list[tuple[t.Any, str]] = [(session, "decode"), (session, "printable"), (times, "moment"), (cloud, "quote"), (endpoints, "_checked")]
OF_OPTIONS = ("resolve", "secret_values")  # functions of (options, environ), which no schedule changes


@contextlib.contextmanager
def remembered() -> t.Iterator[None]:
    """Remember what the client's pure functions returned: most schedules ask them the same. Nothing else of the client is touched."""
    with contextlib.ExitStack() as stack:
        for module, name in PURE:
            stack.enter_context(mock.patch.object(module, name, functools.lru_cache(4096)(getattr(module, name))))
        for name in OF_OPTIONS:
            stack.enter_context(mock.patch.object(credentials, name, _of_options(getattr(credentials, name))))
        yield


def _of_options(function: t.Callable[[t.Any, t.Any], t.Any]) -> t.Callable[[t.Any, t.Any], t.Any]:
    known: dict[t.Any, t.Any] = {}

    def remember(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> t.Any:
        key = tuple(options.items())
        if key not in known:
            known[key] = function(options, environ)
        return known[key].copy()

    return remember
