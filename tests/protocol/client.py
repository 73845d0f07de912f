# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks, by the modules' own plan() and the one runner."""

from __future__ import annotations

import contextlib
import functools
import typing as t
from unittest import mock

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import (
    auth,
    cloud,
    credentials,
    endpoints,
    session,
    values,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION, WAIT, Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import api as dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import backup, restore
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import api as ddm
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
BY_PASSWORD = {
    "username": "operator",
    "password": "never-printed",
    "domain_name": "account",
    "project_id": PROJECT,
}


def parameters(kind: str, password: bool, **given: t.Any) -> dict[str, t.Any]:
    """Return the task's parameters, as AnsibleModule would hand them over."""
    return {
        **BLANK[kind],
        "region": "ap-southeast-3",
        **(BY_PASSWORD if password else BY_TOKEN),
        **OWN[kind],
        **given,
    }


def perform(kind: str, lane: Lane, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Run the task once over a lane's transport and clock, and return its result."""
    return _runner.perform(
        MODULES[kind].plan,
        dict(params),
        SPECS[kind],
        {},
        False,
        Redactor(),
        environ={},
        clock=lane.clock,
        http=lane.http,
    )


PURE: list[tuple[t.Any, str]] = [
    (session, "decode"),
    (values, "moment"),
    (cloud, "quote"),
    (endpoints, "_checked"),
]
PURE += [(auth, "_encode"), (dcs, "whole"), (ddm, "whole"), (restore, "marker"), (backup, "marker")]
OF_OPTIONS: list[tuple[t.Any, str]] = [
    (credentials, "resolve"),
    (credentials, "secret_values"),
    (_runner, "check"),
]  # each task has the same
OF_ITEMS: list[tuple[t.Any, str]] = [
    (dcs, "_instance"),
    (dcs, "_backup"),
    (dcs, "_restore"),
    (ddm, "_instance"),
    (ddm, "_target"),
    (ddm, "_job"),
]


@contextlib.contextmanager
def remembered() -> t.Iterator[None]:
    """Remember what the client's pure functions returned: most schedules ask them the same. Only the masking of secrets is left out."""
    with contextlib.ExitStack() as stack:
        for module, name in PURE:
            stack.enter_context(
                mock.patch.object(module, name, functools.lru_cache(4096)(getattr(module, name)))
            )
        stack.enter_context(mock.patch.object(Redactor, "add", lambda self, secret: None))
        for module, name in OF_OPTIONS:
            stack.enter_context(
                mock.patch.object(
                    module, name, _remembering(getattr(module, name), lambda options: tuple(options.items()))
                )
            )
        for module, name in OF_ITEMS:  # each item comes out of the remembered decode(), so it is its own key
            stack.enter_context(mock.patch.object(module, name, _remembering(getattr(module, name), id)))
        yield


def _remembering(function: t.Callable[..., t.Any], key: t.Callable[[t.Any], t.Any]) -> t.Callable[..., t.Any]:
    """Return function with a memory by key(first argument), which is kept so that its id is not given to another. Callers get copies."""
    known: dict[t.Any, tuple[t.Any, t.Any]] = {}

    def remember(first: t.Any, *more: t.Any) -> t.Any:
        found = known.get(key(first))
        if found is None:
            if len(known) >= 4096:
                known.clear()
            found = known[key(first)] = (first, function(first, *more))
        return found[1] and found[1].copy()

    return remember
