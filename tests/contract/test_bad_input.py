# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input and plain refusals, through Ansible: the kind and the message.

No request is sent if this machine can see that the task cannot work.
"""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import ENVIRONMENT
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from tests import invoke
from tests.cases import GOOD
from tests.cloud import Simulator, variables_at
from tests.cloud import scenario as names
from tests.contract import documents
from tests.unit.fakes import ANY_SERVICE, Time

MODULES = documents.MODULES
each_module = pytest.mark.parametrize("name", MODULES)


# What each module can be called with
@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Simulator, Time]]:
    time = Time()
    with Simulator(restore_seconds=600, backup_seconds=600, clock=time.clock.now) as sim:
        yield sim, time


@pytest.fixture
def sim(server: tuple[Simulator, Time]) -> Iterator[Simulator]:
    sim, time = server
    time.passed, time.slept = 0.0, []
    sim.reset()
    yield sim
    assert sim.errors == []


@pytest.fixture
def run(sim: Simulator, server: tuple[Simulator, Time]) -> Any:
    """Run a module against the local cloud in virtual time, which the cloud shares."""

    def run(
        name: str, env: dict[str, str | None] | None = None, /, check: bool = False, **params: Any
    ) -> invoke.Result:
        given = {key: value for key, value in {**sim.env, **(env or {})}.items() if value is not None}
        return invoke.module(name, given, check=check, diff=True, clock=server[1].clock, **params)

    return run


def refused(result: invoke.Result, kind: str, *texts: str) -> None:
    """The task failed with this kind and one line with these texts, and changed nothing."""
    assert result["failed"] is True
    assert result["error_kind"] == kind, result["msg"]
    assert result["changed"] is False
    assert result["msg"].isprintable()
    for text in texts:
        assert text in result["msg"]


def refused_here(sim: Simulator, result: invoke.Result, *texts: str, kind: str = "invalid_argument") -> None:
    refused(result, kind, *texts)
    assert sim.ledger == []
    assert "No request was sent." in result["msg"]


def without(*names: str) -> dict[str, str | None]:
    return dict.fromkeys(names)


NO_KEYS = without("HW_ACCESS_KEY", "HW_SECRET_KEY")
ENDPOINTS = tuple(variables_at(""))


@each_module
def test_the_good_calls_are_good(run: Any, name: str) -> None:
    """Otherwise the rest of this file would prove nothing."""
    assert run(name, **GOOD[name])["failed"] is False


# Region and endpoint


@each_module
def test_neither_region_nor_endpoint(sim: Simulator, run: Any, name: str) -> None:
    result = run(name, without("HW_REGION_NAME", *ENDPOINTS), **GOOD[name])
    refused_here(sim, result, "region (HW_REGION_NAME) is needed", "_endpoint (HW_")


@pytest.mark.parametrize("region", ["atlantis", "ap-southeast-3.evil.example.com", "AP-SOUTHEAST-3", "../x"])
def test_an_invalid_region(sim: Simulator, run: Any, region: str) -> None:
    for env, params in (({"HW_REGION_NAME": region}, {}), ({}, {"region": region})):
        refused_here(
            sim,
            run("dcs_instance_info", {**without(*ENDPOINTS), **env}, **params),
            f"region {region!r} is not a region name",
        )


def test_a_region_that_does_not_exist(sim: Simulator, run: Any) -> None:
    def unknown(host: str, *args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(-2, f"unknown {host}")

    with mock.patch.object(socket, "getaddrinfo", unknown):
        result = run(
            "dcs_restore", without(*ENDPOINTS), region="atlantis-1", max_retries=1, **GOOD["dcs_restore"]
        )
    refused(
        result,
        "transport_error",
        "dcs.atlantis-1.myhuaweicloud.com cannot be resolved",
        "Nothing was started.",
    )


@pytest.mark.parametrize("option", ["dcs_endpoint", "ddm_endpoint", "iam_endpoint"])
@pytest.mark.parametrize(
    "url", ["http://dcs.example.com", "http://10.1.2.3:8080", "http://127.0.0.1.example.com"]
)
def test_plain_http_is_for_loopback_only(sim: Simulator, run: Any, option: str, url: str) -> None:
    name = {
        "dcs_endpoint": "dcs_restore",
        "ddm_endpoint": "ddm_recovery",
        "iam_endpoint": "dcs_instance_info",
    }[option]
    env: dict[str, str | None] = {"HW_PROJECT_ID": None} if option == "iam_endpoint" else {}
    refused_here(sim, run(name, env, **{**GOOD[name], option: url}), f"{option} must")
    refused_here(sim, run(name, {**env, f"HW_{option.upper()}": url}, **GOOD[name]), f"{option} must")


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pass-word@dcs.example.com",
        "https://dcs.example.com/../x",
        "https://169.254.169.254",
        "https://dcs.example.com?x=y",
        "dcs",
    ],
)
def test_an_invalid_endpoint(sim: Simulator, run: Any, url: str) -> None:
    result = run("dcs_instance_info", dcs_endpoint=url)
    refused_here(sim, result, "dcs_endpoint must be a URL such as https://")
    assert "pass-word" not in result["msg"]


# Credentials


@each_module
def test_no_credentials(sim: Simulator, run: Any, name: str) -> None:
    result = run(name, NO_KEYS, **GOOD[name])
    refused_here(
        sim,
        result,
        "No complete credentials were found",
        "HW_AUTH_TOKEN",
        "HW_ACCESS_KEY, HW_SECRET_KEY",
        "HUAWEICLOUD_SDK_AK",
        "HW_USER_PASSWORD",
    )
    refused_here(sim, result, "HW_SECURITY_TOKEN", "HW_PROFILE")


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"access_key": "AKONLY"}, "secret_key is missing"),
        ({"username": names.USER, "password": names.PASSWORD}, "domain_name is missing"),
    ],
)
def test_an_incomplete_way_to_sign_in(
    sim: Simulator, run: Any, options: dict[str, str], missing: str
) -> None:
    refused_here(sim, run("dcs_instance_info", NO_KEYS, **options), missing)


TOKEN = {"auth_token": names.TOKEN}
LOGIN = {"username": names.USER, "password": names.PASSWORD, "domain_name": names.DOMAIN}
KEYS = {"access_key": names.ACCESS_KEY, "secret_key": names.SECRET_KEY}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({**TOKEN, **KEYS}, "auth_token and access_key/secret_key"),
        ({**KEYS, **LOGIN}, "access_key/secret_key and username/password/domain_name"),
        ({**TOKEN, **LOGIN}, "auth_token and username/password/domain_name"),
    ],
)
def test_two_ways_to_sign_in_at_once(sim: Simulator, run: Any, options: dict[str, str], named: str) -> None:
    result = run("dcs_instance_info", **options)
    refused_here(sim, result, f"Two ways to sign in were given at once: {named}. Give exactly one.")
    refused_here(
        sim,
        run(
            "dcs_instance_info",
            {**NO_KEYS, **{ENVIRONMENT[name][0]: value for name, value in options.items()}},
        ),
        named,
    )
    for secret in (names.TOKEN, names.SECRET_KEY, names.PASSWORD):
        assert secret not in json.dumps(result)


ROLE = {"assume_role_agency_name": names.AGENCY}
DOMAIN = {"assume_role_domain_name": names.PARTNER_DOMAIN}
DOMAIN_ID = {"assume_role_domain_id": names.PARTNER_DOMAIN_ID}
PROJECT, PROJECT_ID = {"project_name": names.REGION}, {"project_id": names.PROJECT_ID}


@each_module
@pytest.mark.parametrize(
    ("both", "words"),
    [
        ({**KEYS, **ROLE, **DOMAIN, **DOMAIN_ID}, "assume_role_domain_name or assume_role_domain_id"),
        ({**PROJECT, **PROJECT_ID}, "project_id or project_name"),
    ],
)
def test_an_id_and_a_name_in_one_task(
    sim: Simulator, run: Any, name: str, both: dict[str, str], words: str
) -> None:
    """One of them may be that of module_defaults, and mean another account or project."""
    refused_here(sim, run(name, **GOOD[name], **both), f"Give {words}, not both")


@pytest.mark.parametrize("blank", ["assume_role_domain_name", "assume_role_domain_id"])
@pytest.mark.parametrize("other", ["project_name", "project_id"])
def test_a_blank_unsets_either_the_id_or_the_name(run: Any, blank: str, other: str) -> None:
    agency = {**KEYS, **ROLE, **DOMAIN, **DOMAIN_ID, blank: ""}
    assert run("dcs_instance_info", **agency)["failed"] is False
    assert run("dcs_instance_info", **{**PROJECT, **PROJECT_ID, other: ""})["failed"] is False


def test_a_variable_with_an_id_beats_the_one_with_the_name(run: Any) -> None:
    given = {**ROLE, "assume_role_domain_name": "wrong", **DOMAIN_ID, "project_name": "wrong"}
    env = {ENVIRONMENT[name][0]: value for name, value in given.items()}
    assert run("dcs_instance_info", {**env, "HW_PROJECT_ID": names.PARTNER_PROJECT_ID})["failed"] is False
    named = {**ROLE, **DOMAIN, "project_id": names.PARTNER_PROJECT_ID}  # the other is of another source
    assert run("dcs_instance_info", env, **KEYS, **named)["failed"] is False


def test_wrong_password(sim: Simulator, run: Any) -> None:
    result = run("dcs_restore", NO_KEYS, **{**LOGIN, "password": "wrong-password-1"}, **GOOD["dcs_restore"])
    refused(result, "auth_failed", "/v3/auth/tokens returned HTTP 401", "Nothing was started.")
    assert (result["http_status"], result["keys_refused"]) == (401, True)
    assert len(sim.ledger) == 1
    assert "wrong-password-1" not in json.dumps(result)


def test_wrong_secret_key(sim: Simulator, run: Any) -> None:
    result = run(
        "dcs_restore",
        secret_key="wrong-secret-key-1",
        access_key=names.ACCESS_KEY,
        project_id=names.PROJECT_ID,
        **GOOD["dcs_restore"],
    )
    refused(result, "auth_failed", "APIGW.0301", "verify aksk signature fail")
    assert result["error_code"] == "APIGW.0301" and result["request_id"] and result["keys_refused"]
    assert len(sim.ledger) == 1, "more bad signatures would lock the key"
    assert "wrong-secret-key-1" not in json.dumps(result)


@pytest.mark.parametrize(
    "options",
    [
        {"assume_role_agency_name": names.AGENCY, "assume_role_domain_name": names.PARTNER_DOMAIN},
        {**LOGIN, "access_key": None, "secret_key": None},
    ],
)
def test_what_was_issued_for_the_keys_is_refused_instead_of_them(
    sim: Simulator, run: Any, options: dict[str, Any]
) -> None:
    """The next task gets other temporary keys or another token, so nothing may hold it up."""
    body = {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information"}
    sim.fault("answer", "dcs.instances", status=401, body=body, times=None)
    keys = NO_KEYS if "username" in options else {"HW_PROJECT_ID": ""}
    result = run("dcs_instance_info", keys, **options)
    refused(result, "auth_failed", "APIGW.0301")
    assert result["http_status"] == 401 and "keys_refused" not in result


def test_unknown_access_key(sim: Simulator, run: Any) -> None:
    refused(run("dcs_instance_info", {"HW_ACCESS_KEY": "AKUNKNOWN"}), "auth_failed", "ak AKUNKNOWN not exist")
    assert len(sim.ledger) == 1


def test_temporary_keys_without_their_token(sim: Simulator, run: Any) -> None:
    keys = {"HW_ACCESS_KEY": names.TEMP_ACCESS_KEY, "HW_SECRET_KEY": names.TEMP_SECRET_KEY}
    refused(run("dcs_instance_info", keys), "auth_failed", "security token")
    assert run("dcs_instance_info", {**keys, "HW_SECURITY_TOKEN": names.SECURITY_TOKEN})["failed"] is False


@pytest.mark.parametrize(
    ("token", "text"), [(names.EXPIRED_TOKEN, "APIGW.0307"), ("MII-never-heard-of", "decrypt token fail")]
)
def test_an_expired_or_unknown_token(sim: Simulator, run: Any, token: str, text: str) -> None:
    result = run(
        "ddm_recovery", NO_KEYS, auth_token=token, project_id=names.PROJECT_ID, **GOOD["ddm_recovery"]
    )
    refused(result, "auth_failed", text)
    assert len(sim.ledger) == 1
    assert token not in json.dumps(result)


@pytest.mark.parametrize("value", ["abcd\nef", "abc\r\nX-Injected: 1", "abcd\u00e9", "abc\tdef"])
def test_a_secret_that_no_header_can_hold(sim: Simulator, run: Any, value: str) -> None:
    for options in ({"secret_key": value, "access_key": "AK"}, {"auth_token": value}):
        result = run(
            "dcs_instance_info", {**NO_KEYS, **{ENVIRONMENT[name][0]: text for name, text in options.items()}}
        )
        refused_here(sim, result, "cannot be sent in a header")
        assert value.strip() not in json.dumps(result, ensure_ascii=False)


def test_profiles(sim: Simulator, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    refused_here(
        sim,
        run("dcs_instance_info", shared_config_file=str(path)),
        "config.json is not a readable KooCLI configuration (FileNotFoundError)",
    )
    path.write_text('{"current": "one", "profiles": [{"name": "one"}]}')
    refused_here(
        sim,
        run("dcs_instance_info", shared_config_file=str(path), profile="two"),
        "profile 'two' is not in",
        "(it has: one)",
    )


def test_an_invalid_bundle(sim: Simulator, run: Any, tmp_path: Path) -> None:
    result = run(
        "dcs_instance_info", dcs_endpoint="https://127.0.0.1:1", ca_path=str(tmp_path / "missing.pem")
    )
    refused_here(sim, result, "missing.pem is not a readable PEM bundle")


# Blank is unset


@each_module
@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_variables_are_unset(sim: Simulator, run: Any, name: str, blank: str) -> None:
    variables = {
        variable: blank
        for variables in ENVIRONMENT.values()
        for variable in variables
        if variable not in sim.env
    }
    assert run(name, variables, **GOOD[name])["failed"] is False


@each_module
def test_blank_options_are_unset(run: Any, name: str) -> None:
    options = documents.options(name)
    blank = {option: "" for option, about in options.items() if option not in GOOD[name]}
    assert run(name, **{**GOOD[name], **blank})["failed"] is False


@each_module
def test_a_blank_does_not_stand_for_what_is_required(sim: Simulator, run: Any, name: str) -> None:
    for option, about in documents.options(name).items():
        if about.get("required") and about["type"] == "str":
            for value in ("", " "):
                refused_here(
                    sim, run(name, **{**GOOD[name], option: value}), f"missing required arguments: {option}"
                )


def test_a_blank_in_a_list_does_not_stand_for_what_is_required(sim: Simulator, run: Any) -> None:
    relations = [
        {"source_instance_id": names.DN_SOURCE_1, "target_instance_id": names.DN_TARGET_1},
        {"source_instance_id": "x", "target_instance_id": " "},
    ]
    result = run("ddm_recovery", **GOOD["ddm_recovery"], data_node_relations=relations)
    refused_here(sim, result, "missing required arguments: target_instance_id found in data_node_relations")


def test_a_blank_in_what_is_waited_for(sim: Simulator, run: Any) -> None:
    for row, text in (
        ({"service": "dcs", "instance_id": names.DCS_INSTANCE, "restore_id": " "}, "restore_id"),
        ({"service": "ddm", "job_id": ""}, "job_id"),
    ):
        refused_here(
            sim, run("restore_wait", restores=[row]), "restores[0] cannot be waited for: it has no ", text
        )


# What Ansible itself refuses


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "one of the following is required: instance_id, instance_name"),
        ({"instance": "x"}, "Unsupported parameters for"),
        ({"wait": "perhaps"}, "'wait' is of type"),
        ({"poll_interval": "soon"}, "'poll_interval' is of type"),
    ],
)
def test_what_ansible_refuses_has_its_kind(
    sim: Simulator, run: Any, options: dict[str, Any], text: str
) -> None:
    refused_here(sim, run("dcs_backup", **{**(GOOD["dcs_backup"] if options else {}), **options}), text)
    refused_here(
        sim, run("restore_wait", restores=[{"service": "obs"}]), f"restores[0].service must be {ANY_SERVICE}"
    )


# Ids

NO_IDS = [
    "..",
    "../..",
    "%2e%2e",
    "a/b",
    "a?x",
    "a#x",
    "a;b",
    "a b",
    "a\nb",
    "\u00e9",
    "-x",
    "x" * 129,
    "x" * 1000,
]


NEEDED = {"target_instance_id": {"restore_time": "latest"}, "backup_id": {"instance_id": names.DCS_INSTANCE}}


def id_options(name: str) -> list[str]:
    return [
        option for option in documents.options(name) if option.endswith("_id") and option != "operation_id"
    ]


@each_module
def test_malformed_ids(sim: Simulator, run: Any, name: str) -> None:
    """In every option that is an ID, also the project's, before any request."""
    for option in id_options(name):
        needed = {} if name == "ddm_metadata_recovery" else NEEDED.get(option, {})
        base = {} if option == "job_id" else {**GOOD[name], **needed}
        for value in NO_IDS:
            result = run(name, **{**base, option: value})
            assert result["failed"] is True, (option, value)
            refused_here(sim, result, option, "is not an ID")
            assert len(result["msg"]) < 300


@pytest.mark.parametrize("value", NO_IDS)
def test_malformed_ids_in_lists(sim: Simulator, run: Any, value: str) -> None:
    relations = [{"source_instance_id": names.DN_SOURCE_1, "target_instance_id": value}]
    refused_here(
        sim,
        run("ddm_recovery", **GOOD["ddm_recovery"], data_node_relations=relations),
        "data_node_relations[0].target_instance_id",
    )
    waits = [*GOOD["restore_wait"]["restores"], {"service": "ddm", "job_id": value}]
    refused_here(sim, run("restore_wait", restores=waits), "restores[1].job_id")


@pytest.mark.parametrize("invisible", ["\u200b", "\ufeff", "\u00ad", "\u202e", "\n", "\x7f"])
def test_an_operation_id_with_an_invisible_character_is_not_another_operation(
    sim: Simulator, run: Any, invisible: str
) -> None:
    for name in ("dcs_restore", "dcs_backup"):
        result = run(name, **GOOD[name], operation_id=f"CHG-1{invisible}2")
        refused_here(sim, result, "operation_id", "holds an invisible or control character")
    rows = [{**row, "operation_id": f"CHG-1{invisible}2"} for row in GOOD["restore_start"]["restores"]]
    refused(run("restore_start", restores=rows), "invalid_argument", "operation_id", "an invisible or")
    assert sim.ledger == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"remark": "x" * 129},
        {"restore_point": "2026-01-31T03:00:00"},
        {"restore_point": "2026-01-31T03:00:00", "timezone": "Mars/Olympus"},
        {"restore_point": "1735689600"},
        {"restore_time": "latest"},
    ],
)
def test_rows_that_cannot_be_right_are_refused_before_anyone_is_asked_who_calls(
    sim: Simulator, run: Any, wrong: dict[str, str]
) -> None:
    row = {"service": "dcs", "instance_id": names.DCS_INSTANCE, "restore_point": "latest", **wrong}
    result = run("restore_start", restores=[row, {**row, "instance_id": names.DCS_OTHER}])
    assert [row["error_kind"] for row in result["restores"]] == ["invalid_argument"] * 2, result["msg"]
    assert sim.ledger == [] and result["account"] is None
    good = {"service": "dcs", "instance_id": names.DCS_OTHER, "restore_point": "latest"}
    beside = run("restore_start", check=True, restores=[row, good])
    assert beside["account"]["project_id"] == names.PROJECT_ID


def test_rows_that_the_cloud_refutes_are_refused_with_the_account(
    sim: Simulator, run: Any, server: tuple[Simulator, Time]
) -> None:
    """What is still in the future is known by the cloud's clock alone."""
    point = iso(int(server[1].clock.now() + 3600) * 1000)
    row = {"service": "dcs", "instance_id": names.DCS_INSTANCE, "restore_point": point}
    result = run("restore_start", restores=[row])
    assert result["restores"][0]["error_kind"] == "invalid_argument" and sim.posts() == []
    assert result["account"]["project_id"] == names.PROJECT_ID


@pytest.mark.parametrize("around", [" {}", "{} ", "{}\n", "\t{}\r\n", "\u00a0{}"])
def test_what_comes_with_pasting_is_not_part_of_an_id_or_key(sim: Simulator, run: Any, around: str) -> None:
    pasted = {name: around.format(value) for name, value in KEYS.items()}
    place = {
        name: around.format(value)
        for name, value in (("region", names.REGION), ("project_id", names.PROJECT_ID))
    }
    instance_id = around.format(names.DCS_INSTANCE)
    result = run("dcs_instance_info", NO_KEYS, **pasted, **place, instance_id=instance_id)
    assert [row["instance_id"] for row in result["instances"]] == [names.DCS_INSTANCE]
    variables = {ENVIRONMENT[name][0]: value for name, value in {**pasted, **place}.items()}
    assert run("dcs_instance_info", variables)["failed"] is False
    sim.reset()
    relations = [{"source_instance_id": "x", "target_instance_id": around.format("a/b")}]
    result = run("ddm_recovery", **GOOD["ddm_recovery"], data_node_relations=relations)
    refused_here(sim, result, "data_node_relations[0].target_instance_id 'a/b' is not an ID")


def test_a_malformed_project_id_in_the_environment(sim: Simulator, run: Any) -> None:
    refused_here(sim, run("dcs_instance_info", {"HW_PROJECT_ID": "../x"}), "project_id is not an ID")


# Numbers and times


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("http_timeout", 0, "http_timeout must be from 1 to 3600, not 0"),
        ("http_timeout", 3601, "http_timeout must be from 1 to 3600"),
        ("max_retries", -1, "max_retries must be from 0 to 999"),
        ("max_retries", 1000, "max_retries must be from 0 to 999"),
        ("wait_timeout", -1, "wait_timeout must be from 0 to 604800"),
        ("wait_timeout", 604801, "wait_timeout must be from 0 to 604800"),
        ("poll_interval", 0, "poll_interval must be from 1 to 3600"),
        ("wait_sleep", 3601, "poll_interval must be from 1 to 3600"),
    ],
)
def test_numbers_out_of_range(sim: Simulator, run: Any, option: str, value: int, text: str) -> None:
    refused_here(sim, run("dcs_restore", **GOOD["dcs_restore"], **{option: value}), text)


@pytest.mark.parametrize("value", ["nan", "inf", -5, 1000.5])
def test_a_tolerance_that_is_no_percentage(sim: Simulator, run: Any, value: Any) -> None:
    row = {"service": "dcs", "instance_id": names.DCS_INSTANCE}
    result = run("restore_verify", restores=[row], baseline_tolerance=value)
    refused_here(sim, result, f"baseline_tolerance must be from 0 to 1000, not {float(value)}.")


@pytest.mark.parametrize("option", ["http_timeout", "max_retries", "wait_timeout", "poll_interval"])
@pytest.mark.parametrize("value", ["ten", "1.5", [1]])
def test_values_that_are_not_numbers_are_refused_by_ansible(
    sim: Simulator, run: Any, option: str, value: Any
) -> None:
    result = run("dcs_restore", **GOOD["dcs_restore"], **{option: value})
    assert result["failed"] is True
    assert option in result["msg"] and "int" in result["msg"]
    assert sim.ledger == []


TIMES: dict[tuple[str, str], dict[str, Any]] = {
    ("dcs_backup_info", "begin_time"): {"instance_id": names.DCS_INSTANCE},
    ("dcs_backup_info", "end_time"): {"instance_id": names.DCS_INSTANCE},
    ("dcs_restore_info", "begin_time"): {"instance_id": names.DCS_INSTANCE},
    ("dcs_restore_info", "end_time"): {"instance_id": names.DCS_INSTANCE},
    ("ddm_job_info", "begin_time"): {},
    ("ddm_job_info", "end_time"): {},
    ("ddm_restorable_info", "restore_time"): {"instance_id": names.DDM_SOURCE},
    ("ddm_recovery", "restore_time"): {
        "instance_id": names.DDM_SOURCE,
        "target_instance_id": names.DDM_TARGET,
    },
    ("dcs_restore", "restore_point"): {"instance_id": names.DCS_INSTANCE},
    ("ddm_metadata_recovery", "restore_time"): {
        "instance_id": names.DDM_SOURCE,
        "target_instance_id": names.DDM_TARGET,
        "data_nodes": [names.DN_TARGET_1, names.DN_TARGET_2],
    },
}


def test_every_option_that_is_a_time_is_tried() -> None:
    found = {
        (name, option)
        for name in MODULES
        for option in documents.options(name)
        if option.endswith("_time") or option == "restore_point"
    }
    assert found == set(TIMES)


@pytest.mark.parametrize(("name", "option"), TIMES)
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-05-01T03:00:00", "names no time zone"),
        ("2026-05-01 03:00", "names no time zone"),
        ("1747732352", "looks like seconds"),
        (1747732352, "looks like seconds"),
        ("2099-01-01T00:00:00Z", "lies in the future"),
        (4102444800000, "lies in the future"),
        ("2026-02-30T00:00:00Z", "is not a time"),
        ("yesterday", "is not a time"),
        ("now\x1b[2J", "is not a time"),
    ],
)
def test_times(sim: Simulator, run: Any, name: str, option: str, value: Any, text: str) -> None:
    refused_here(sim, run(name, **TIMES[name, option], **{option: value}), option, text)


def test_a_window_the_wrong_way_round(sim: Simulator, run: Any) -> None:
    result = run(
        "dcs_restore_info",
        **GOOD["dcs_restore_info"],
        begin_time="2026-05-02T00:00:00Z",
        end_time="2026-05-01T00:00:00Z",
    )
    refused_here(sim, result, "begin_time", "lies after end_time")


# Options that do not go together


@pytest.mark.parametrize(
    ("name", "params", "text"),
    [
        (
            "dcs_restore",
            {"instance_id": names.DCS_INSTANCE},
            "one of the following is required: backup_id, backup_name, restore_point",
        ),
        (
            "dcs_restore",
            {**GOOD["dcs_restore"], "restore_point": "latest"},
            "mutually exclusive: backup_id|backup_name|restore_point",
        ),
        (
            "dcs_restore",
            {**GOOD["dcs_restore"], "remark": "x" * 95},
            "remark has 95 characters; 94 fit",
        ),
        (
            "dcs_backup",
            {**GOOD["dcs_backup"], "remark": "x" * 95},
            "remark has 95 characters; 94 fit",
        ),
        (
            "dcs_backup",
            {**GOOD["dcs_backup"], "backup_format": "zip"},
            "backup_format must be one of: rdb, aof",
        ),
        ("ddm_recovery", {}, "one of the following is required: instance_id, instance_name, job_id"),
        (
            "ddm_recovery",
            {"instance_id": names.DDM_SOURCE},
            "one of the following is required: target_instance_id, target_instance_name, job_id",
        ),
        (
            "ddm_recovery",
            {**GOOD["ddm_recovery"], "job_id": names.DDM_JOB_OLD, "adopt": True},
            "job_id names the job to attach to: leave adopt out",
        ),
        (
            "ddm_recovery",
            {"instance_id": names.DDM_SOURCE, "target_instance_id": names.DDM_TARGET},
            "Give restore_time, unless job_id or adopt attaches to a job",
        ),
        (
            "ddm_recovery",
            {**GOOD["ddm_recovery"], "instance_name": "orders-db"},
            "mutually exclusive: instance_id|instance_name",
        ),
        (
            "dcs_restore",
            {**GOOD["dcs_restore"], "instance_name": "orders-cache"},
            "mutually exclusive: instance_id|instance_name",
        ),
        ("dcs_backup", {}, "one of the following is required: instance_id, instance_name"),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "restore_time": "latest"},
            "mutually exclusive: restore_time|backup_id",
        ),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "backup_id": None, "restore_time": "latest"},
            "restore_time cannot be latest here",
        ),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "data_nodes": None},
            "Give restore_time or backup_id, and data_nodes",
        ),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "backup_id": None},
            "Give restore_time or backup_id, and data_nodes",
        ),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "job_id": names.DDM_JOB_OLD, "adopt": True},
            "job_id names the job to attach to: leave adopt out",
        ),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "data_nodes": ["a/b"]},
            "data_nodes has 'a/b', which is not an ID",
        ),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "data_nodes": ["a", "b", "A"]},
            "Data node a is given more than once",
        ),
        (
            "ddm_restorable_info",
            {**GOOD["ddm_restorable_info"], "target_instance_id": names.DDM_TARGET},
            "restore_time",
        ),
        ("ddm_backup_info", {"backup_id": names.DDM_BACKUP}, "instance_id"),
        (
            "ddm_job_info",
            {"job_id": names.DDM_JOB_OLD, "status": "Failed"},
            "mutually exclusive: job_id|status",
        ),
    ],
)
def test_options_that_do_not_go_together(
    sim: Simulator, run: Any, name: str, params: dict[str, Any], text: str
) -> None:
    refused_here(sim, run(name, **params), text)


@pytest.mark.parametrize(
    "restores",
    [
        None,
        [{"service": "dcs"}],
        [{"service": "ddm"}],
        [{"service": "dcs", "instance_id": names.DCS_INSTANCE}],
        [{"service": "ddm", "restore_id": "x"}],
    ],
)
def test_waits_that_lack_something(sim: Simulator, run: Any, restores: list[Any]) -> None:
    result = run("restore_wait", restores=restores)
    assert result["failed"] is True, result
    assert sim.ledger == []


def ddm_tasks(ends: dict[str, Any], nodes: list[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Return the options of each module that could recover these ends and data nodes."""
    relations = [{"source_instance_id": source, "target_instance_id": target} for source, target in nodes]
    recovery = {**ends, "restore_time": "latest", "data_node_relations": relations}
    metadata = {
        **ends,
        "restore_time": "2026-01-31T03:00:00Z",
        "data_nodes": [target for _source, target in nodes],
    }
    return {"ddm_recovery": recovery, "ddm_metadata_recovery": metadata}


@pytest.mark.parametrize("name", ddm_tasks({}, []))
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ({"instance_id": names.DDM_SOURCE}, {"target_instance_id": names.DDM_SOURCE}),
        ({"instance_id": names.DDM_SOURCE}, {"target_instance_id": names.DDM_SOURCE.upper()}),
        ({"instance_name": "orders-db"}, {"target_instance_name": " orders-db "}),
    ],
)
def test_an_instance_onto_itself(
    sim: Simulator, run: Any, name: str, source: dict[str, str], target: dict[str, str]
) -> None:
    options = ddm_tasks({**source, **target}, [(names.DN_SOURCE_1, names.DN_TARGET_1)])[name]
    for attach in ({}, {"adopt": True}, {"job_id": names.DDM_JOB_OLD}):
        refused_here(sim, run(name, **options, **attach), "The target is the source itself")


def test_an_instance_onto_itself_by_its_name_and_its_id(sim: Simulator, run: Any) -> None:
    ends = {"instance_name": "orders-db", "target_instance_id": names.DDM_SOURCE}
    for name, options in ddm_tasks(ends, [(names.DN_SOURCE_1, names.DN_TARGET_1)]).items():
        nothing_posted(sim, run(name, **options), "invalid_argument", "The target is the source itself")
        assert "No request was sent." not in run(name, **options)["msg"]
    other = {"instance_name": "orders-db", "target_instance_name": "ordersdb", "restore_time": "latest"}
    nothing_posted(sim, run("ddm_recovery", **other), "not_found", "is named ordersdb")


@pytest.mark.parametrize(
    ("nodes", "twice"),
    [
        ([(names.DN_SOURCE_1, names.DN_TARGET_1), (names.DN_SOURCE_2, names.DN_TARGET_1)], names.DN_TARGET_1),
        (
            [(names.DN_SOURCE_1, names.DN_TARGET_1), (names.DN_SOURCE_2, names.DN_TARGET_1.upper())],
            names.DN_TARGET_1,
        ),
        ([(names.DN_SOURCE_1, names.DN_TARGET_1), (names.DN_SOURCE_1, names.DN_TARGET_2)], names.DN_SOURCE_1),
        ([(names.DN_SOURCE_1, names.DN_SOURCE_1)], names.DN_SOURCE_1),
        ([(names.DN_SOURCE_1, names.DN_TARGET_1), (names.DN_TARGET_1, names.DN_TARGET_2)], names.DN_TARGET_1),
    ],
)
def test_a_data_node_that_occurs_twice(
    sim: Simulator, run: Any, nodes: list[tuple[str, str]], twice: str
) -> None:
    options = ddm_tasks(GOOD["ddm_recovery"], nodes)["ddm_recovery"]
    for attach in ({}, {"job_id": names.DDM_JOB_OLD}):
        result = run("ddm_recovery", **options, **attach)
        refused_here(sim, result, f"Data node {twice} is given more than once")


# What the cloud does not have, or cannot restore


def nothing_posted(sim: Simulator, result: invoke.Result, kind: str, *texts: str) -> None:
    refused(result, kind, *texts)
    assert "Nothing was" in result["msg"] and result["msg"].count("Nothing was started.") <= 1
    assert sim.posts() == []


NOWHERE = "00000000-0000-4000-8000-000000000000"


def test_a_dcs_instance_that_does_not_exist(sim: Simulator, run: Any) -> None:
    for name in ("dcs_restore", "dcs_backup"):
        result = run(name, **{**GOOD[name], "instance_id": NOWHERE})
        nothing_posted(
            sim,
            result,
            "not_found",
            f"DCS instance {NOWHERE} does not exist in this project and region",
            "DCS.3022",
        )
        assert result["http_status"] == 404 and result["error_code"] == "DCS.3022"
    for name in ("dcs_restore_info", "dcs_backup_info"):
        refused(run(name, instance_id=NOWHERE), "not_found", "DCS.3022")


def test_a_ddm_instance_that_does_not_exist(sim: Simulator, run: Any) -> None:
    nowhere = "0" * 32 + "in09"
    nothing_posted(
        sim, run("ddm_recovery", **{**GOOD["ddm_recovery"], "instance_id": nowhere}), "not_found", nowhere
    )
    nothing_posted(
        sim,
        run("ddm_recovery", **{**GOOD["ddm_recovery"], "target_instance_id": nowhere}),
        "not_restorable",
        f"{nowhere} is not among the instances",
    )
    refused(run("ddm_restorable_info", instance_id=nowhere), "not_found", nowhere)


@pytest.mark.parametrize(
    ("backup", "kind", "texts"),
    [
        (
            NOWHERE,
            "not_found",
            [
                f"is not among the backups of DCS instance orders-cache ({names.DCS_INSTANCE})",
                "it was deleted, or belongs to another instance",
            ],
        ),
        (names.DCS_BACKUP_OTHER, "not_found", ["is not among the backups of DCS instance"]),
        (names.DCS_BACKUP_FAILED, "not_restorable", ["cannot be restored: its status is failed"]),
        (names.DCS_BACKUP_EXPIRED, "not_restorable", ["cannot be restored: its status is expired"]),
        (names.DCS_BACKUP_DELETED, "not_restorable", ["cannot be restored: its status is deleted"]),
        (
            names.DCS_BACKUP_UNSUPPORTED,
            "not_restorable",
            ["cannot be restored: it does not support restoring"],
        ),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_backups_that_cannot_be_restored(
    sim: Simulator, run: Any, backup: str, kind: str, texts: list[str], check: bool
) -> None:
    nothing_posted(
        sim,
        run("dcs_restore", check=check, instance_id=names.DCS_INSTANCE, backup_id=backup),
        kind,
        backup,
        *texts,
    )


def test_no_backup_at_a_point(sim: Simulator, run: Any) -> None:
    result = run("dcs_restore", instance_id=names.DCS_INSTANCE, restore_point="2020-01-01T00:00:00Z")
    nothing_posted(
        sim,
        result,
        "not_restorable",
        f"DCS instance orders-cache ({names.DCS_INSTANCE}) "
        "has no usable backup with data of 2020-01-01T00:00:00Z or before",
        "The nearest usable ones after it: backup_",
    )
    nothing_posted(
        sim,
        run("dcs_restore", instance_id=names.DCS_EMPTY, restore_point="latest"),
        "not_restorable",
        "no usable backup",
    )


def test_a_single_node_cache(sim: Simulator, run: Any) -> None:
    nothing_posted(
        sim,
        run("dcs_backup", instance_id=names.DCS_SINGLE),
        "not_restorable",
        f"DCS instance sessions-single ({names.DCS_SINGLE}) is single-node",
        "it can be neither backed up nor restored",
    )
    result = run("dcs_restore", instance_id=names.DCS_SINGLE, backup_id=names.DCS_BACKUP)
    nothing_posted(sim, result, "not_restorable", "is single-node")


def test_a_cache_that_is_not_running(sim: Simulator, run: Any) -> None:
    nothing_posted(
        sim,
        run("dcs_restore", instance_id=names.DCS_FROZEN, backup_id=names.DCS_BACKUP),
        "busy",
        "FROZEN, not RUNNING",
    )


def test_another_restore_is_running(sim: Simulator, run: Any) -> None:
    assert (
        run("dcs_restore", instance_id=names.DCS_INSTANCE, backup_id=names.DCS_BACKUP_OLD, wait=False)[
            "outcome"
        ]
        == "started"
    )
    result = run("dcs_restore", **GOOD["dcs_restore"])
    refused(
        result,
        "busy",
        "of another backup",
        names.DCS_BACKUP_OLD,
        "Run the task again when that has ended",
        "Nothing was started.",
    )
    assert len(sim.posts()) == 1


def test_a_backup_that_cannot_be_restored_is_warned_of(sim: Simulator, run: Any) -> None:
    sim.fault("rewrite", "dcs.backups", times=None, key="is_support_restore", value="FALSE")
    for outcome in ("succeeded", "unchanged"):
        result = run("dcs_backup", **GOOD["dcs_backup"], operation_id="CHG-1")
        assert result["outcome"] == outcome
        (warning,) = result["warnings"]
        assert f"backup {result['backup_id']} was made, but cannot be restored: it does not" in warning


def test_a_backup_does_not_replace_the_one_that_is_to_be_kept(sim: Simulator, run: Any) -> None:
    """The service keeps 24 manual backups. The role would lose the one that it restores next."""
    with sim.state.lock:
        backups = sim.state.dcs_backups
        oldest = backups[names.DCS_BACKUP]
        for number in range(23):
            newer = f"{number:08}{NOWHERE[8:]}"
            backups[newer] = dataclasses.replace(oldest, id=newer, created_at=oldest.created_at + 1 + number)
    for check, kept in ((True, oldest.id), (False, oldest.id), (False, oldest.id.upper())):
        result = run("dcs_backup", **GOOD["dcs_backup"], keep_backup_id=kept, check=check)
        nothing_posted(sim, result, "not_restorable", f"would replace backup {kept}")
    assert run("dcs_backup", **GOOD["dcs_backup"], keep_backup_id=oldest.id, operation_id="x")["failed"]
    result = run("dcs_backup", **GOOD["dcs_backup"], keep_backup_id=names.DCS_BACKUP_OLD)
    assert result["outcome"] == "succeeded" and oldest.status == "deleted"
    assert result["warnings"][0].endswith(f"This one replaces {oldest.id}.")
    run("dcs_backup", **GOOD["dcs_backup"], operation_id="once")
    oldest.status = "succeed"
    again = run("dcs_backup", **GOOD["dcs_backup"], operation_id="once", keep_backup_id=oldest.id)
    assert (again["outcome"], again["warnings"]) == ("unchanged", []), "it makes none"


def test_a_job_of_another_instance_is_not_waited_for(sim: Simulator, run: Any) -> None:
    """It has ended, so the row was green although its instance was never restored."""
    row = {"service": "ddm", "job_id": names.DDM_JOB_OLD, "instance_id": names.DDM_SOURCE}
    result = run("restore_wait", restores=[{**row, "target_instance_id": names.DDM_TARGET}])
    assert result["error_kind"] == "protocol_error"
    assert f"of {names.DDM_TARGET} stopped: Job {names.DDM_JOB_OLD} works on " in result["msg"]
    own = sim.state.jobs[names.DDM_JOB_OLD].instance_id
    either = {"target_instance_id": names.DDM_TARGET, "instance_id": own}
    in_capitals = {**either, "instance_id": own.upper(), "job_id": names.DDM_JOB_OLD.upper()}
    for right in ({"target_instance_id": own}, either, in_capitals):
        assert run("restore_wait", restores=[{**row, **right}])["restores"][0]["outcome"] == "succeeded"


def test_a_restore_is_waited_for_by_its_id_in_capitals(sim: Simulator, run: Any) -> None:
    started = run("dcs_restore", **GOOD["dcs_restore"], wait=False)
    row = {"service": "dcs", "instance_id": names.DCS_INSTANCE, "restore_id": started["restore_id"].upper()}
    assert run("restore_wait", restores=[row])["restores"][0]["outcome"] == "succeeded"


def test_an_odd_node_does_not_spoil_an_instance(sim: Simulator, run: Any) -> None:
    sim.fault("rewrite", "ddm.instance*", times=None, key="nodes", value=[None, {"status": "normal"}])
    for options in ({}, {"instance_id": names.DDM_SOURCE}):
        result = run("ddm_instance_info", **options)
        assert [node["status"] for node in result["instances"][0]["nodes"]] == ["normal"]
        assert result["warnings"] == []


@pytest.mark.parametrize("check", [True, False])
def test_of_two_restores_that_run_check_mode_adopts_none_either(
    sim: Simulator, run: Any, check: bool
) -> None:
    first = run("dcs_restore", **GOOD["dcs_restore"], wait=False)["restore_id"]
    with sim.state.lock:
        restores = sim.state.dcs_restores
        restores[NOWHERE] = dataclasses.replace(restores[first], id=NOWHERE)
    result = run("dcs_restore", **GOOD["dcs_restore"], check=check)
    refused(result, "duplicate_detected", first, NOWHERE, "Nothing was started.")
    assert len(sim.posts()) == 1


@pytest.mark.parametrize(
    ("operation", "key", "adopted"),
    [
        ("dcs.restores", "created_at", False),
        ("dcs.restores", "backup_id", False),
        ("dcs.backups", "created_at", False),
        ("dcs.restores", "status", True),  # It may be a restore of this backup that runs.
        ("dcs.backups", "status", False),
        ("ddm.jobs", "status", False),
    ],
)
def test_one_record_with_a_null_does_not_spoil_its_list(
    sim: Simulator, run: Any, operation: str, key: str, adopted: bool
) -> None:
    sim.fault("rewrite", operation, times=None, key=key, value=None, newest=True)
    module = {"dcs.backups": "dcs_backup_info", "ddm.jobs": "ddm_job_info"}.get(operation, "dcs_restore_info")
    (rows,) = (value for value in run(module, **GOOD[module]).values() if isinstance(value, list) and value)
    assert [row[key] for row in rows].count("unknown" if key == "status" else None) == 1
    change = "ddm_recovery" if operation == "ddm.jobs" else "dcs_restore"
    result = run(change, **GOOD[change], check=True)
    assert (result["outcome"], result["adopted"]) == ("planned", adopted)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (names.DDM_TARGET_ACCOUNTS, "account"),
        (names.DDM_TARGET_BUSY, ""),
        (names.DDM_TARGET_ASSOCIATED, ""),
        (names.DDM_TARGET_FROZEN, ""),
    ],
)
def test_a_target_that_is_not_available_with_the_servers_reason(
    sim: Simulator, run: Any, target: str, reason: str
) -> None:
    rows = run("ddm_restorable_info", instance_id=names.DDM_SOURCE)["instances"]
    (row,) = [row for row in rows if row["instance_id"] == target]
    assert row["available"] is False and row["unavailable_reason"] and reason in row["unavailable_reason"]
    result = run("ddm_recovery", **{**GOOD["ddm_recovery"], "target_instance_id": target})
    nothing_posted(
        sim,
        result,
        "not_restorable",
        f"({target}) was not started: the target is not available",
        row["unavailable_reason"],
    )
    shown = run(
        "ddm_restorable_info", instance_id=names.DDM_SOURCE, target_instance_id=target, restore_time="latest"
    )
    assert (shown["failed"], shown["restorable_data_nodes"], shown["data_node_relations"]) == (
        False,
        None,
        None,
    )
    assert (
        shown["data_node_relations_reason"]
        == f"Target {target} is not available: {row['unavailable_reason']}"
    )
    assert shown["related_data_nodes"] and shown["restorable_time_intervals"]


def test_a_target_that_the_service_does_not_offer(run: Any) -> None:
    target = "2f0324a93859487eb5566d7599999999in09"
    shown = run(
        "ddm_restorable_info", instance_id=names.DDM_SOURCE, target_instance_id=target, restore_time="latest"
    )
    assert (shown["failed"], shown["data_node_relations"]) == (False, None)
    assert (
        shown["data_node_relations_reason"]
        == f"Target {target} is not available: it is not among the instances"
    )


def test_what_was_never_seen_is_not_said_to_run(sim: Simulator, run: Any) -> None:
    restores = [
        {"service": "dcs", "instance_id": names.DCS_OTHER, "restore_id": names.DCS_RESTORE_OLD},
        {"service": "ddm", "job_id": "5f2c1e8000000000000000000000ffff"},
    ]
    for options, kind in (
        ({"wait": False}, "not_found"),
        ({"wait_timeout": 1}, "not_found"),
        ({"wait_timeout": 900}, "outcome_unknown"),
    ):
        result = run("restore_wait", restores=restores, **options)
        assert (result["failed"], [(row["outcome"], row["error_kind"]) for row in result["restores"]]) == (
            True,
            [(None, kind)] * 2,
        )
        for row, lists in zip(result["restores"], ("dcs_restore_info", "ddm_job_info"), strict=True):
            assert "was not found within" in row["msg"]
            assert "is not among the records" in row["msg"] or "does not exist in this project" in row["msg"]
            assert f"compare it with the IDs that {lists} lists" in row["msg"]
            assert not any(word in row["msg"] for word in ("running", "accepted", "attach"))


def test_a_job_of_something_else_is_not_attached_to(sim: Simulator, run: Any) -> None:
    pair = {"instance_id": names.DDM_SOURCE, "target_instance_id": names.DDM_TARGET}
    with sim.state.lock:
        sim.state.jobs["restart"] = dataclasses.replace(
            sim.state.jobs[names.DDM_JOB_OLD], id="restart", name="RestartInstance"
        )
    nothing = ["Nothing was started."]
    refused(
        run("ddm_recovery", job_id="restart"),
        "not_restorable",
        "Job restart is a RestartInstance, which is not a restore.",
        *nothing,
    )
    result = run("ddm_recovery", job_id=names.DDM_JOB_OLD, **pair)
    refused(
        result,
        "not_restorable",
        f"works on instance {names.DDM_TARGET_ASSOCIATED}, not on {names.DDM_TARGET}",
        *nothing,
    )
    for fitting in (
        {"target_instance_id": names.DDM_TARGET_ASSOCIATED},
        {**pair, "instance_id": names.DDM_TARGET_ASSOCIATED},
        {},
    ):
        assert run("ddm_recovery", job_id=names.DDM_JOB_OLD, **fitting)["outcome"] == "unchanged"
    assert sim.posts() == []


@pytest.mark.parametrize(
    ("name", "option", "text"),
    [
        ("dcs_instance_info", "allowed_project_ids", "[a, b]"),
        ("dcs_instance_info", "allowed_domain_ids", "- a\n- b"),
        ("dcs_instance_info", "allowed_project_ids", '{"a": 1}'),
        ("ddm_recovery", "data_node_relations", "[{source_instance_id: a, target_instance_id: b}]"),
        ("ddm_recovery", "data_node_relations", "- source_instance_id: a\n  target_instance_id: b"),
        ("ddm_metadata_recovery", "data_nodes", "[a, b"),
        ("restore_start", "restores", "[{service: dcs}]"),
        ("restore_wait", "restores", "- {service: dcs}"),
        ("restore_verify", "restores", "{service: dcs}"),
    ],
)
def test_a_list_in_yaml_text_is_not_split_at_its_commas(
    sim: Simulator, run: Any, name: str, option: str, text: str
) -> None:
    result = run(name, **{**GOOD[name], option: text})
    refused_here(sim, result, f"{option} must be a list, in YAML or as JSON text, not ")


def test_the_refusal_of_a_name_as_an_id_names_the_right_option(sim: Simulator, run: Any) -> None:
    for module, option in (("ddm_recovery", "target_instance_id"), ("dcs_restore", "instance_id")):
        result = run(module, **{**GOOD[module], option: "orders of the shop"})
        refused_here(sim, result, f"A name goes into {option[:-3]}_name.")
    result = run("ddm_recovery", **{**GOOD["ddm_recovery"], "target_instance_id": "orders-db-restored"})
    refused(result, "not_restorable", "give it as target_instance_name")


def test_a_target_in_capitals_is_the_one_that_the_service_offers(sim: Simulator, run: Any) -> None:
    pair = {**GOOD["ddm_recovery"], "target_instance_id": names.DDM_TARGET.upper()}
    planned = run("ddm_recovery", check=True, **pair)
    assert (planned["outcome"], planned["target"]["instance_id"]) == ("planned", names.DDM_TARGET)
    shown = run("ddm_restorable_info", **pair)
    assert shown["data_node_relations"] == planned["data_node_relations"]


def test_a_job_that_has_failed_cannot_be_attached_to(sim: Simulator, run: Any) -> None:
    for options in ({}, {"wait": False}, {"check": True}):
        result = run("ddm_recovery", job_id=names.DDM_JOB_FAILED, **options)
        refused(result, "operation_failed", f"DDM job {names.DDM_JOB_FAILED} failed: {names.DDM_FAIL_REASON}")
        assert (result["job_id"], result["status"]) == (names.DDM_JOB_FAILED, "Failed")
        assert "run the task again without job_id and adopt to start it once more" in result["msg"]
    row = {"service": "ddm", "job_id": names.DDM_JOB_FAILED, "outcome": "started", "adopted": True}
    waited = run("restore_wait", restores=[row])  # It fails in every run.
    assert "then start a new restore, without job_id and adopt" in waited["msg"]
    assert sim.posts() == []


def test_a_busy_target_names_the_job_to_attach_to(sim: Simulator, run: Any) -> None:
    job_id = run("ddm_recovery", **GOOD["ddm_recovery"], wait=False)["job_id"]
    result = run("ddm_recovery", **GOOD["ddm_recovery"])
    refused(
        result, "busy", f"RestoreInstance job {job_id} on it is Running", f"job_id={job_id} attaches to it"
    )
    assert result["job_id"] == job_id
    assert len(sim.posts()) == 1


def test_a_target_that_is_being_restored_is_busy_while_its_job_cannot_be_seen(
    sim: Simulator, run: Any
) -> None:
    sim.state.settings.visibility_seconds = 3600
    for old in (names.DDM_JOB_DONE, names.DDM_JOB_STUCK):
        del sim.state.jobs[old]
    run("ddm_recovery", **GOOD["ddm_recovery"], wait=False)
    result = run("ddm_recovery", **GOOD["ddm_recovery"])
    refused(
        result,
        "busy",
        "it is being restored, but no restore job on it can be seen yet",
        "Run the task again in a few minutes, with adopt=true if an earlier run of this recovery",
    )
    assert "job_id" not in result
    assert len(sim.posts()) == 1


def test_a_time_outside_of_the_ranges_shows_the_ranges(sim: Simulator, run: Any) -> None:
    ranges = run("ddm_restorable_info", instance_id=names.DDM_SOURCE)["restorable_time_intervals"]
    assert len(ranges) == 2
    for name, more in (
        ("ddm_recovery", {"target_instance_id": names.DDM_TARGET}),
        ("ddm_restorable_info", {}),
    ):
        result = run(name, instance_id=names.DDM_SOURCE, restore_time="2026-05-01T00:00:00Z", **more)
        nothing_posted(sim, result, "not_restorable", "2026-05-01T00:00:00.000Z", "in no restorable interval")
        for span in ranges:
            assert f"{span['start_time']} to {span['end_time']}" in result["msg"]


def test_no_mapping_of_data_nodes_names_each_node_and_reason(sim: Simulator, run: Any) -> None:
    state = sim.state
    with state.lock:
        state.data_nodes[names.DN_TARGET_1].status = "abnormal"
    result = run("ddm_recovery", **GOOD["ddm_recovery"])
    nothing_posted(
        sim,
        result,
        "not_restorable",
        f"data node {names.DN_SOURCE_2} has no target of its own",
        names.DN_TARGET_1,
        names.DN_OLD_VERSION,
    )
    rows = run(
        "ddm_restorable_info",
        instance_id=names.DDM_SOURCE,
        target_instance_id=names.DDM_TARGET,
        restore_time="latest",
    )
    assert rows["data_node_relations"] is None
    assert rows["data_node_relations_reason"] in result["msg"]


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        (
            [(names.DN_SOURCE_1, names.DN_TARGET_1)],
            f"data node {names.DN_SOURCE_2} of the source is not mapped",
        ),
        (
            [(names.DN_SOURCE_1, names.DN_TARGET_1), (names.DN_SOURCE_2, names.DN_TARGET_2)],
            f"{names.DN_TARGET_2} cannot take {names.DN_SOURCE_2}",
        ),
    ],
)
def test_an_impossible_mapping(sim: Simulator, run: Any, pairs: list[tuple[str, str]], text: str) -> None:
    relations = [{"source_instance_id": source, "target_instance_id": target} for source, target in pairs]
    nothing_posted(
        sim,
        run("ddm_recovery", **GOOD["ddm_recovery"], data_node_relations=relations),
        "not_restorable",
        "data_node_relations cannot be used",
        text,
    )


def test_a_job_that_does_not_exist(sim: Simulator, run: Any) -> None:
    step = "ddm_job_info lists the jobs. Nothing was started."
    for name in ("ddm_recovery", "ddm_metadata_recovery"):
        for options in ({}, GOOD[name]):
            result = run(name, **options, job_id="0" * 32)
            nothing_posted(sim, result, "not_found", f"DDM job {'0' * 32} does not exist", step)
    result = run("ddm_recovery", job_id=names.DDM_JOB_OLD)
    assert result["outcome"] == "unchanged"
    del sim.state.ddm_instances[result["job"]["instance_id"]]
    result = run("ddm_recovery", job_id=names.DDM_JOB_OLD)
    nothing_posted(sim, result, "not_found", "DDM instance", step)
    row = {"service": "ddm", "job_id": "0" * 32}
    nothing_posted(sim, run("restore_start", restores=[row]), "not_found", step)
    assert run("ddm_job_info", job_id="0" * 32)["jobs"] == []


# What goes wrong later


def test_a_job_that_fails_shows_its_reason(sim: Simulator, run: Any) -> None:
    sim.fault("operation_fails", "ddm.recovery", code=names.DDM_FAIL_REASON)
    result = run("ddm_recovery", **GOOD["ddm_recovery"])
    assert (result["failed"], result["changed"], result["error_kind"]) == (True, True, "operation_failed")
    assert names.DDM_FAIL_REASON in result["msg"] and "Nothing was repeated" in result["msg"]
    assert result["job_id"] in sim.state.jobs and result["status"] == "Failed"

    result = run("ddm_recovery", job_id=names.DDM_JOB_FAILED)
    assert (result["failed"], result["error_kind"]) == (True, "operation_failed")
    assert names.DDM_FAIL_REASON in result["msg"]


def test_a_restore_that_fails_shows_code_and_meaning(sim: Simulator, run: Any) -> None:
    sim.fault("operation_fails", "dcs.restore", code="dcs.08.0007")
    result = run("dcs_restore", **GOOD["dcs_restore"])
    assert (result["failed"], result["changed"], result["error_kind"], result["error_code"]) == (
        True,
        True,
        "operation_failed",
        "dcs.08.0007",
    )
    assert "failed (dcs.08.0007): the data could not be synchronised during the restore" in result["msg"]
    assert result["restore_id"] in sim.state.dcs_restores


@pytest.mark.parametrize(
    ("name", "id_name", "status"),
    [
        ("dcs_restore", "restore_id", "restoring"),
        ("dcs_backup", "backup_id", "backuping"),
        ("ddm_recovery", "job_id", "Running"),
    ],
)
def test_a_wait_that_is_over_returns_id_and_last_status(
    sim: Simulator, run: Any, name: str, id_name: str, status: str
) -> None:
    result = run(name, **GOOD[name], wait_timeout=120)
    assert (result["failed"], result["changed"], result["error_kind"], result["status"]) == (
        True,
        True,
        "wait_timeout",
        status,
    )
    assert "is still running after 1" in result["msg"] and f"(last status: {status})" in result["msg"]
    way = f"with job_id={result[id_name]} to attach to the job" if id_name == "job_id" else "to attach to it"
    assert f"run the task again {way}" in result["msg"]
    assert sim.state.find(result[id_name]) is not None
    assert 100 < result["elapsed"] <= 121
    assert len(sim.posts()) == 1


def test_waiting_for_many_reports_all(sim: Simulator, run: Any) -> None:
    sim.fault("operation_fails", "ddm.recovery", code=names.DDM_FAIL_REASON)
    job_id = run("ddm_recovery", **GOOD["ddm_recovery"], wait=False)["job_id"]
    restores = [{"service": "ddm", "job_id": job_id}, *GOOD["restore_wait"]["restores"]]
    result = run("restore_wait", restores=restores)
    assert (result["failed"], result["error_kind"]) == (True, "operation_failed")
    assert names.DDM_FAIL_REASON in result["msg"]
    assert [entry["service"] for entry in result["restores"]] == ["ddm", "dcs"]
    assert [entry["outcome"] for entry in result["restores"]] != ["succeeded", "succeeded"]


# A library is missing


@each_module
def test_without_requests_it_is_ansibles_own_message(sim: Simulator, run: Any, name: str) -> None:
    with mock.patch.object(_runner, "IMPORT_ERROR", "Traceback ... ImportError"):
        result = run(name, **GOOD[name])
    assert result["failed"] is True and result["error_kind"] == "missing_library"
    assert "Failed to import the required Python library (requests)" in result["msg"]
    assert sim.ledger == []


# The same through a whole Ansible

PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/huaweicloud.recovery.all:
      http_timeout: 30
  tasks:
    - name: Malformed id
      huaweicloud.recovery.dcs_restore:
        instance_id: ../..
        backup_id: x
      ignore_errors: true
    - name: Two ways in
      huaweicloud.recovery.dcs_instance_info:
        auth_token: "{auth_token}"
        access_key: "{access_key}"
        secret_key: "{secret_key}"
      ignore_errors: true
    - name: Blank
      huaweicloud.recovery.dcs_instance_info:
        name: ""
        region: ""
      environment:
        HW_SECURITY_TOKEN: ""
        HW_PROFILE: ""
    - name: Backup of another instance
      huaweicloud.recovery.dcs_restore:
        instance_id: {instance}
        backup_id: {backup}
      ignore_errors: true
    - name: Wrong key
      huaweicloud.recovery.dcs_instance_info:
        secret_key: wrong-secret-key-1
        access_key: "{access_key}"
      ignore_errors: true
"""


def test_a_playbook_gets_the_same_refusals(sim: Simulator) -> None:
    play = PLAY.format(
        auth_token=names.TOKEN,
        access_key=names.ACCESS_KEY,
        secret_key=names.SECRET_KEY,
        instance=names.DCS_INSTANCE,
        backup=names.DCS_BACKUP_OTHER,
    )
    # The virtual clock of this file stands still, so this cloud has the time of the other process.
    with Simulator() as local:
        done = invoke.playbook(play, local.env, "-vvv")
        assert done.rc == 0, done.output
        assert [entry["status"] for entry in done.results] == [
            "ignored",
            "ignored",
            "ok",
            "ignored",
            "ignored",
        ]
        kinds = [entry["result"].get("error_kind") for entry in done.results]
        assert kinds == ["invalid_argument", "invalid_argument", None, "not_found", "auth_failed"]
        assert local.posts() == []
    for secret in (names.TOKEN, names.SECRET_KEY, "wrong-secret-key-1"):
        assert secret not in done.output


def test_a_python_without_requests(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "requests.py").write_text('raise ImportError("hidden by a test")\n')
    done = invoke.adhoc("dcs_instance_info", {**sim.env, "PYTHONPATH": str(tmp_path)})
    (entry,) = done.results
    assert done.rc != 0
    assert entry["result"]["error_kind"] == "missing_library"
    assert "Failed to import the required Python library (requests)" in entry["result"]["msg"]
    assert sim.ledger == []


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("dcs_restore", {"instance_name": "nobody", "restore_point": "latest"}),
        ("dcs_restore", {"instance_id": names.DCS_INSTANCE, "backup_id": NOWHERE}),
        ("dcs_restore", {"instance_id": names.DCS_INSTANCE, "backup_name": "nothing"}),
        ("ddm_recovery", {**GOOD["ddm_recovery"], "adopt": True}),
        (
            "ddm_metadata_recovery",
            {**GOOD["ddm_metadata_recovery"], "restore_time": None, "backup_id": NOWHERE},
        ),
    ],
)
def test_that_nothing_was_started_is_said_once(
    sim: Simulator, run: Any, module: str, options: dict[str, Any]
) -> None:
    """The runner adds it, by the effect of the error. No error adds it itself."""
    with sim.state.lock:
        sim.state.jobs.clear()
    result = run(module, **options)
    assert result["failed"] and result["msg"].count("Nothing was started.") == 1, result["msg"]
    assert result["msg"].endswith("Nothing was started.") and sim.posts() == []
