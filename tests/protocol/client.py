# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks: the modules' own plan() and the one runner. Only transport and clock are replaced."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION, WAIT, Spec
from ansible_collections.huaweicloud.recovery.plugins.modules import dcs_backup, dcs_restore, ddm_recovery
from tests.cloud import scenario as ids

from .scene import BACKUP, RESTORE_TIME, SOURCE, TARGET
from .world import Lane

MODULES: dict[str, t.Any] = {"restore": dcs_restore, "backup": dcs_backup, "recovery": ddm_recovery}
SPECS: dict[str, Spec] = {kind: {**CONNECTION, **WAIT, **module.OPTIONS} for kind, module in MODULES.items()}
BLANK = {kind: {name: option.get("default") for name, option in spec.items()} for kind, spec in SPECS.items()}
OWN: dict[str, dict[str, t.Any]] = {
    "restore": {"instance_id": ids.DCS_INSTANCE, "backup_id": BACKUP},
    "backup": {"instance_id": ids.DCS_INSTANCE},
    "recovery": {"instance_id": SOURCE, "target_instance_id": TARGET, "restore_time": str(RESTORE_TIME)},
}
BY_TOKEN = {"auth_token": ids.TOKEN, "project_id": ids.PROJECT_ID}
BY_PASSWORD = {
    "username": ids.USER,
    "password": ids.PASSWORD,
    "domain_name": ids.DOMAIN,
    "project_id": ids.PROJECT_ID,
}


def parameters(kind: str, password: bool, **given: t.Any) -> dict[str, t.Any]:
    """Return the task's parameters, as AnsibleModule would hand them over."""
    who = BY_PASSWORD if password else BY_TOKEN
    return {**BLANK[kind], "region": ids.REGION, **who, **OWN[kind], **given}


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
