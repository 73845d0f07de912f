# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a task sends: the cloud limits them per account, and each one takes time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests import invoke
from tests.cases import ONE_REQUEST, RECOVERY
from tests.cloud import Simulator
from tests.cloud import scenario as names


@pytest.mark.parametrize(("module", "params"), ONE_REQUEST)
def test_an_info_task_makes_one(module: str, params: dict[str, Any]) -> None:
    """With fewer than ten rows. From ten on, the client requests another page, whatever the total says."""
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


def test_a_plan_of_a_database_makes_four_and_one_for_each_data_node() -> None:
    """The service lists the data nodes that could take one node of the source at a time."""
    with Simulator() as sim:
        assert invoke.module("ddm_recovery", sim.env, check=True, **RECOVERY)["outcome"] == "planned"
        asked = [entry.operation for entry in sim.ledger if entry.operation.startswith("ddm.")]
        assert Counter(asked) == {
            "ddm.restorable_time_interval": 1,
            "ddm.restorable_instances": 1,
            "ddm.jobs": 1,
            "ddm.related_dn": 1,
            "ddm.restorable_data_node": 2,
        }
