# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers for this folder's tests, started once; every test gets a cloud with empty data."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cloud import Simulator
from tests.cloud.data import caches, databases
from tests.cloud.data.real import RealData
from tests.cloud.data.servers import Binary, Supervisor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs them all, if pytest distributes tests by group."""
    for item in items:
        if item.path.parent.name == "data":
            item.add_marker(pytest.mark.xdist_group("data"))


def required(binary: Binary | None, how: str) -> Binary:
    """Return the server, or skip the test; in CI as root, which could have installed it, fail the test."""
    if binary is None and os.environ.get("CI") and os.geteuid() == 0:
        pytest.fail(f"CI must test with real data: {how}")
    if binary is None:
        pytest.skip(f"needs a server: {how}")
    return binary


@pytest.fixture(scope="session")
def redis_binary() -> Binary:
    return required(caches.find(), "apt-get install --no-install-recommends redis-tools")


@pytest.fixture(scope="session")
def mariadb_binary() -> Binary:
    return required(databases.find(), f"apt-get install --no-install-recommends {databases.PACKAGES}")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as supervisor:
        yield supervisor


@pytest.fixture(scope="module")
def redis_data(redis_binary: Binary) -> Iterator[RealData]:
    with RealData(redis_binary, None) as data:
        yield data


@pytest.fixture(scope="module")
def mariadb_data(mariadb_binary: Binary) -> Iterator[RealData]:
    with RealData(None, mariadb_binary) as data:
        yield data


@pytest.fixture
def redis_cloud(redis_data: RealData) -> Iterator[Simulator]:
    with Simulator("demo", data=redis_data, restore_seconds=0, backup_seconds=0) as sim:
        yield sim
        assert not sim.errors


@pytest.fixture
def mariadb_cloud(mariadb_data: RealData) -> Iterator[Simulator]:
    with Simulator("demo", data=mariadb_data, restore_seconds=0) as sim:
        yield sim
        assert not sim.errors
