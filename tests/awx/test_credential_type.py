# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credential type: its injectors for every way to sign in, with every optional field blank."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import ENVIRONMENT
from tests import invoke
from tests.awx import jobs, rules
from tests.cloud import Simulator
from tests.cloud import scenario as ids


class Loader(yaml.SafeLoader):
    """Reads !unsafe as Ansible does."""


Loader.add_constructor("!unsafe", lambda loader, node: str(node.value))
VARIABLES = yaml.load((invoke.ROOT / "playbooks/vars/configure_awx.yml").read_text(encoding="utf-8"), Loader)
KIND: dict[str, Any] = VARIABLES["awx_credential_type"]
FIELDS: list[dict[str, Any]] = KIND["inputs"]["fields"]
BLANK: dict[str, Any] = {field["id"]: False if field.get("type") == "boolean" else "" for field in FIELDS}
PROFILES = json.dumps(
    {
        "current": "prod",
        "profiles": [
            {
                "name": "prod",
                "mode": "AKSK",
                "accessKeyId": ids.ACCESS_KEY,
                "secretAccessKey": ids.SECRET_KEY,
                "region": ids.REGION,
                "projectId": ids.PROJECT_ID,
            }
        ],
    }
)
# What a person types, with the line ends that come with pasting
WAYS = {
    "keys": {
        "access_key": ids.ACCESS_KEY + "\n",
        "secret_key": ids.SECRET_KEY,
        "project_id": f" {ids.PROJECT_ID}\n",
    },
    "temporary keys": {
        "access_key": ids.TEMP_ACCESS_KEY,
        "secret_key": ids.TEMP_SECRET_KEY,
        "security_token": ids.SECURITY_TOKEN + "\n",
        "project_id": ids.PROJECT_ID,
    },
    "token": {"auth_token": ids.TOKEN + "\n", "project_id": ids.PROJECT_ID},
    "user": {"username": ids.USER, "password": ids.PASSWORD, "domain_name": ids.DOMAIN},
    "profile": {"profile": "prod", "profile_file": PROFILES},
    "agency": {
        "access_key": ids.ACCESS_KEY,
        "secret_key": ids.SECRET_KEY,
        "assume_role_agency_name": ids.AGENCY,
        "assume_role_domain_name": ids.PARTNER_DOMAIN,
    },
}


def test_awx_accepts_the_type() -> None:
    assert list(rules.inputs(KIND["inputs"])) == []
    assert list(rules.injectors(KIND["injectors"], FIELDS)) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"dependencies": {}}, "dependencies is not allowed"),
        ({"id": "tower"}, "reserved"),
        ({"id": "two words"}, "letters, digits"),
        ({"type": "boolean", "secret": True}, "not allowed with boolean"),
        ({"ask_at_runtime": True}, "ask_at_runtime is not allowed"),
        ({"id": "access_key"}, "must be unique"),
        ({"default": 5}, "of the type"),
    ],
)
def test_a_broken_field_is_refused(change: dict[str, Any], why: str) -> None:
    fields = [{**FIELDS[0], **change}, *FIELDS[1:]]
    assert any(why in problem for problem in rules.inputs({"fields": fields}))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"env": {"ANSIBLE_CONFIG": "x"}}, "not allowed"),
        ({"env": {"PATH": "x"}}, "not allowed"),
        ({"env": {"HW_REGION_NAME": "{{ regoin }}"}}, "undefined"),
        ({"env": {"HW_REGION_NAME": "Zürich"}}, "ASCII"),
        ({"extra_vars": {"number": 5}}, "must be a text"),
        ({"file": {"template": "x", "template.ca": "y"}}, "one file without a name"),
    ],
)
def test_a_broken_injector_is_refused(change: dict[str, Any], why: str) -> None:
    assert any(why in problem for problem in rules.injectors({**KIND["injectors"], **change}, FIELDS))


def test_all_fields_are_there_from_the_first_release_on() -> None:
    """Every connection variable has a field already, because the inputs of a type in use never change."""
    env = KIND["injectors"]["env"]
    assert {names[0] for names in ENVIRONMENT.values()} <= set(env)
    used = " ".join([*env.values(), *KIND["injectors"]["file"].values()])
    assert [field["id"] for field in FIELDS if field["id"] not in used] == []
    assert not [name for name in env if "PROXY" in name], "blank, it would override AWX's own proxy"


def test_what_is_secret_is_redacted() -> None:
    secret = {field["id"] for field in FIELDS if field.get("secret")}
    assert secret == {"access_key", "secret_key", "security_token", "auth_token", "password", "profile_file"}


def test_blank_fields_set_nothing(tmp_path: Path) -> None:
    """AWX writes both files, which are empty, and no variable names them."""
    for inputs in (BLANK, {}):
        env = jobs.rendered(KIND, inputs, tmp_path / str(len(inputs)))
        assert {value for name, value in env.items()} == {"", "False"}
        assert [name for name, value in env.items() if value == "False"] == [
            "HW_USE_INSTANCE_METADATA",
            "HW_INSECURE",
        ]
        written = [path.read_bytes() for path in (tmp_path / str(len(inputs))).iterdir()]
        assert written == [b"", b""]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("authority", ["given", "none"])
def test_every_way_in(way: str, authority: str, tmp_path: Path) -> None:
    """With all other fields blank, over TLS with the bundle as a file, and without TLS and bundle."""
    with Simulator(tls="ca" if authority == "given" else None, scenario="demo") as sim:
        endpoints = {f"{service}_endpoint": sim.url for service in ("iam", "ddm", "dcs")}
        bundle = sim.ca_file.read_text() if sim.ca_file else ""
        inputs = {**BLANK, "region": ids.REGION, **endpoints, "ca_bundle": bundle, **WAYS[way]}
        assert list(rules.credential(inputs, FIELDS)) == []
        env = jobs.rendered(KIND, inputs, tmp_path)
        result = invoke.module("dcs_instance_info", env)
        assert not result["failed"], result
        assert [one["name"] for one in result["instances"]] == ["orders-cache"]
        assert bool(sim.requests("iam.securitytokens")) == (way == "agency")
        assert sim.errors == []
