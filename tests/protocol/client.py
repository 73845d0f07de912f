# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks: the modules' own plan() and the one runner. Only transport and clock are replaced."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Request, Response
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION, WAIT, Spec
from tests.cloud import scenario as ids

from .kinds import KINDS
from .world import Lane

Http = t.Callable[[Request], Response]

SPECS: dict[str, Spec] = {name: {**CONNECTION, **WAIT, **kind.module.OPTIONS} for name, kind in KINDS.items()}
BLANK = {kind: {name: option.get("default") for name, option in spec.items()} for kind, spec in SPECS.items()}
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
    return {**BLANK[kind], "region": ids.REGION, **who, **KINDS[kind].own, **given}


class Unredacted(Redactor):
    """It knows no secret. To find all forms of a secret takes a tenth of the time of a run."""

    def add(self, secret: str) -> None:
        """Forget it."""


def perform(kind: str, lane: Lane, params: dict[str, t.Any], http: Http | None = None) -> dict[str, t.Any]:
    """Run the task once over a lane's clock and its transport, or another one, and return its result."""
    return _runner.perform(
        KINDS[kind].module.plan,
        dict(params),
        SPECS[kind],
        {},
        False,
        Unredacted(),
        environ={},
        clock=lane.clock,
        http=http or lane.http,
    )
