# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud keeps its own contract, whatever requests it receives."""

from __future__ import annotations

import copy
import json
import re
import time
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

from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.gateway import ROUTES
from tests.cloud.parts import contract

DOCUMENT = contract()
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 20261121,
        "generation": {
            "deterministic": True,
            "database": "none",
            "with-security-parameters": False,
            "allow-extra-parameters": False,
        },
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
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_contract(case: Any, sim: Simulator) -> None:
    """Send anything at all, mostly to things that exist.

    Each request meets the same state, so that a failure can be repeated.
    """
    sim.reset()
    path = case.path_parameters
    if path and len(str(path)) % 4:
        path.update({"project_id": names.PROJECT_ID} if "project_id" in path else {})
        if "instance_id" in path and len(str(path)) % 2:
            path["instance_id"] = names.DCS_INSTANCE if case.path.startswith("/v2") else names.DDM_SOURCE
    case.call_and_validate(base_url=sim.url, headers={"X-Auth-Token": names.TOKEN}, checks=CHECKS)


_BACKUPS = "/v3/{project_id}/instances/{instance_id}/backups"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v3/{project_id}/jobs", ("start_time", "end_time")),
        (_BACKUPS + "/related-dn", ("restore_time",)),
        (_BACKUPS + "/restorable-data-node", ("restore_time", "target_instance_id", "source_dn_instance_id")),
    ],
)
def test_contract_of_what_needs_a_recent_time(path: str, query: tuple[str, ...], sim: Simulator) -> None:
    """No generator guesses such times."""
    sim.reset()
    now = int(time.time() * 1000)
    known = {
        "start_time": now - 20 * 86_400_000,
        "end_time": now,
        "restore_time": now - 3_600_000,
        "target_instance_id": names.DDM_TARGET,
        "source_dn_instance_id": names.DN_SOURCE_1,
    }
    parameters = {"project_id": names.PROJECT_ID} | (
        {"instance_id": names.DDM_SOURCE} if "{instance_id}" in path else {}
    )
    case = schema[path]["GET"].Case(path_parameters=parameters, query={name: known[name] for name in query})
    response = case.call_and_validate(
        base_url=sim.url, headers={"X-Auth-Token": names.TOKEN}, checks=CHECKS[:5]
    )
    assert response.status_code == 200
    assert response.json()["total"] >= 2


def test_contract_of_a_recovery(sim: Simulator) -> None:
    sim.reset()
    body = copy.deepcopy(
        DOCUMENT["paths"][_BACKUPS + "/recovery"]["post"]["requestBody"]["content"]["application/json"][
            "example"
        ]
    )
    body["source"]["restore_time"] = int((time.time() - 3600) * 1000)
    parameters = {"project_id": names.PROJECT_ID, "instance_id": names.DDM_SOURCE}
    operation = schema[_BACKUPS + "/recovery"]["POST"]
    for status in (202, 409):
        case = operation.Case(path_parameters=parameters, body=body, media_type="application/json")
        response = case.call_and_validate(
            base_url=sim.url, headers={"X-Auth-Token": names.TOKEN}, checks=CHECKS[:5]
        )
        assert response.status_code == status


def test_every_route_is_in_the_contract_and_the_other_way_round() -> None:
    documented = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert {(route.method, route.template) for route in ROUTES} == documented
    operations = {
        re.sub(r"_v1$|_of_user$", "", operation["operationId"])
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
    }
    assert {route.operation for route in ROUTES} == operations


def test_every_name_in_the_contract_is_defined() -> None:
    """A schema that is not defined would refuse nothing."""
    used = set(re.findall(r'"\$ref": "#/components/(\w+/\w+)"', json.dumps(DOCUMENT)))
    defined = {f"{kind}/{name}" for kind, items in DOCUMENT["components"].items() for name in items}
    assert used - defined == set(), "tests/cloud/openapi uses these and does not define them"
