# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a task makes: they are throttled per account, and each one is a wait."""

from __future__ import annotations

from typing import Any

import pytest

from tests import invoke
from tests.cases import ONE_REQUEST
from tests.cloud import Simulator
from tests.cloud import scenario as names


@pytest.mark.parametrize(("module", "params"), ONE_REQUEST)
def test_an_info_task_makes_one(module: str, params: dict[str, Any]) -> None:
    """With fewer than ten rows; from there on a further page is asked for, because a total is not believed."""
    with Simulator() as sim:
        assert invoke.module(module, sim.env, **params)["failed"] is False
        assert len(sim.ledger) == 1


def test_a_restore_makes_six_before_it_waits() -> None:
    with Simulator() as sim:
        done = invoke.module(
            "dcs_restore", sim.env, instance_id=names.DCS_INSTANCE, restore_point="latest", wait=False
        )
        assert done["outcome"] == "started"
        assert [entry.operation for entry in sim.ledger] == [
            "dcs.instance",
            "dcs.backups",
            "dcs.restores",
            "dcs.instance",
            "dcs.restores",
            "dcs.restore",
        ]
