# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud for each test, and another one that is reached by TLS with a certificate nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud import Simulator


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator
        assert simulator.errors == []


@pytest.fixture
def tls() -> Iterator[Simulator]:
    with Simulator(tls="self-signed") as simulator:
        yield simulator
