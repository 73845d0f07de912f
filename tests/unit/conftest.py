# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same examples in every run: a failure can be reproduced, and a busy machine causes none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.cloud import Simulator
from tests.unit.fakes import Time

settings.register_profile("unit", derandomize=True, deadline=None, database=None)
settings.load_profile("unit")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Simulator, Time]]:
    """The local cloud that the module's CLOUD describes, and its time."""
    clock = Time()
    with Simulator(**request.module.CLOUD, clock=clock.clock.now) as sim:
        yield sim, clock


@pytest.fixture
def sim(server: tuple[Simulator, Time]) -> Iterator[Simulator]:
    """This cloud in its first state. Its own errors fail the test."""
    sim, clock = server
    clock.passed, clock.slept = 0.0, []
    sim.reset()
    yield sim
    assert sim.errors == []
