# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud keeps its own contract, whatever it is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.simulator import Simulator
from tests.simulator import scenario as names
from tests.simulator.server import OPENAPI, ROUTES

DOCUMENT = json.loads(OPENAPI.read_text())
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 20261121,
        "generation": {"deterministic": True, "database": "none", "with-security-parameters": False, "allow-extra-parameters": False},
        "phases": {"stateful": {"enabled": False}},
    }
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]
schema = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_contract(case: Any, sim: Simulator) -> None:
    """Anything at all may be sent, mostly to things that exist. Each request meets the same state, so that a finding stays one."""
    sim.reset()
    path = case.path_parameters
    if path and len(str(path)) % 4:
        path.update({"project_id": names.PROJECT_ID} if "project_id" in path else {})
        if "instance_id" in path and len(str(path)) % 2:
            path["instance_id"] = names.DCS_INSTANCE if case.path.startswith("/v2") else names.DDM_SOURCE
    case.call_and_validate(base_url=sim.url, headers={"X-Auth-Token": names.TOKEN}, checks=CHECKS)


def test_every_route_is_in_the_contract_and_the_other_way_round() -> None:
    documented = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert {(route.method, route.template) for route in ROUTES} == documented
    operations = {re.sub(r"_v1$|_of_user$", "", operation["operationId"]) for item in DOCUMENT["paths"].values() for operation in item.values()}
    assert {route.operation for route in ROUTES} == operations
