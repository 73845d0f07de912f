# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore that takes longer than what the task signs its requests with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import invoke
from tests.cases import RECOVERY
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.unit.fakes import Time

LIFE = 900  # seconds
AGENCY = {
    "assume_role_agency_name": names.AGENCY,
    "assume_role_domain_name": names.PARTNER_DOMAIN,
    "assume_role_duration": LIFE,
}
RESTORES = {
    "dcs_restore": {"instance_id": names.DCS_INSTANCE, "restore_point": "latest"},
    "ddm_recovery": dict(RECOVERY),
}
each_restore = pytest.mark.parametrize("module", RESTORES)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Simulator, Time]]:
    time = Time()
    with Simulator(restore_seconds=4 * LIFE, clock=time.clock.now) as sim:
        yield sim, time


@pytest.fixture
def sim(server: tuple[Simulator, Time]) -> Iterator[Simulator]:
    sim, time = server
    time.passed = 0.0
    sim.reset()
    yield sim
    assert sim.errors == []


@pytest.fixture
def run(sim: Simulator, server: tuple[Simulator, Time]) -> Any:
    """Run a restore in the time of the cloud; `without` names variables of the environment to leave out."""

    def run(module: str, without: tuple[str, ...] = (), **params: Any) -> invoke.Result:
        env = {name: value for name, value in sim.env.items() if name not in without}
        given = {"wait_timeout": 10 * LIFE, "poll_interval": 60, **RESTORES[module], **params}
        return invoke.module(module, env, clock=server[1].clock, **given)

    return run


@each_restore
def test_the_keys_of_an_agency_are_renewed_in_a_wait(sim: Simulator, run: Any, module: str) -> None:
    done = run(module, without=("HW_PROJECT_ID",), **AGENCY)
    assert done["failed"] is False, done["msg"]
    assert done["outcome"] == "succeeded"
    assert len(sim.requests("iam.securitytokens")) >= 4
    assert len(sim.posts()) == 1


@each_restore
def test_an_agency_that_is_deleted_in_a_wait_does_not_lose_the_restore(
    sim: Simulator, run: Any, module: str
) -> None:
    """The task ends with the id of what runs; another identity waits for it, and nothing is started again."""
    sim.fault("not_found", "iam.securitytokens", times=None, after=1)
    lost = run(module, without=("HW_PROJECT_ID",), **AGENCY)
    key = "restore_id" if module == "dcs_restore" else "job_id"
    (begun,) = sim.state.begun
    assert lost["failed"] and lost["changed"] is True, lost
    assert (lost[key], lost["error_kind"]) == (begun.id, "auth_failed")
    assert "It was not stopped, nothing was repeated" in lost["msg"]
    assert "could not be assumed" in lost["msg"]
    sim.clear_faults()
    attach = {} if module == "dcs_restore" else {"job_id": lost[key]}
    found = run(module, project_id=names.PARTNER_PROJECT_ID, without=("HW_PROJECT_ID",), **AGENCY, **attach)
    assert found["outcome"] in ("succeeded", "unchanged") and found[key] == lost[key], found["msg"]
    assert len(sim.posts()) == 1
