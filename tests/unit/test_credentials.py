# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where settings come from, and what is refused before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import credentials
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import (
    ENVIRONMENT,
    resolve,
    secret_values,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument

Write = Callable[..., str]
AKSK: dict[str, Any] = {"access_key": "AKOPTION", "secret_key": "secret-of-option"}
LOGIN: dict[str, Any] = {"username": "u", "password": "pass-word", "domain_name": "d"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def config(tmp_path: Path) -> Write:
    """Write a KooCLI configuration, by default where KooCLI keeps it."""

    def write(
        *profiles: dict[str, Any],
        current: str | None = "default",
        path: str = ".hcloud/config.json",
        **more: Any,
    ) -> str:
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        content = {
            "language": "en",
            "profiles": list(profiles),
            **({"current": current} if current else {}),
            **more,
        }
        file.write_text(json.dumps(content), encoding="utf-8")
        return str(file)

    return write


def profile(name: str = "default", **fields: str) -> dict[str, Any]:
    """As KooCLI writes it, with its empty fields."""
    blank = {
        "mode": "AKSK",
        "accessKeyId": "",
        "secretAccessKey": "",
        "securityToken": "",
        "region": "",
        "projectId": "",
        "domainId": "",
        "agencyName": "",
    }
    return {"name": name, **blank, **fields}


# Precedence


def test_option_then_hw_then_sdk_then_profile(config: Write) -> None:
    config(
        profile(
            region="profile-region-1",
            projectId="profile",
            accessKeyId="AKPROFILE",
            secretAccessKey="secret-of-profile",
        )
    )
    hw = {
        "HW_REGION_NAME": "hw-region-1",
        "HW_PROJECT_ID": "hw",
        "HW_ACCESS_KEY": "AKHW",
        "HW_SECRET_KEY": "secret-of-hw",
    }
    sdk = {
        "HUAWEICLOUD_SDK_PROJECT_ID": "sdk",
        "HUAWEICLOUD_SDK_AK": "AKSDK",
        "HUAWEICLOUD_SDK_SK": "secret-of-sdk",
    }
    option = {"region": "option-region-1", "project_id": "option", **AKSK}

    def short(options: dict[str, Any], environ: dict[str, str]) -> tuple[Any, ...]:
        found = resolve(options, environ)
        return found["region"], found["project_id"], found["access_key"], found["secret_key"]

    assert short(option, {**hw, **sdk}) == ("option-region-1", "option", "AKOPTION", "secret-of-option")
    assert short({}, {**hw, **sdk}) == ("hw-region-1", "hw", "AKHW", "secret-of-hw")
    assert short({}, sdk) == ("profile-region-1", "sdk", "AKSDK", "secret-of-sdk")
    assert short({}, {}) == ("profile-region-1", "profile", "AKPROFILE", "secret-of-profile")


@pytest.mark.parametrize(
    ("option", "variables"),
    [
        item
        for item in ENVIRONMENT.items()
        if item[0] not in ("validate_certs", "max_retries", "shared_config_file", "profile")
    ],
)
def test_every_variable_is_read_and_loses_to_its_option(option: str, variables: tuple[str, ...]) -> None:
    others = (
        LOGIN
        if option in ("username", "password", "domain_name")
        else {"auth_token": "token-of-option"}
        if option == "auth_token"
        else AKSK
    )
    others = {name: value for name, value in others.items() if name != option}
    if option == "security_token":  # counts only beside the secret key
        environ = {variables[0]: "from-environment", "HW_ACCESS_KEY": "AKHW", "HW_SECRET_KEY": "secret-of-hw"}
        assert resolve({}, environ)[option] == "from-environment"
        return
    for variable in variables:
        assert resolve(others, {variable: "from-environment"})[option] == "from-environment"
        assert (
            resolve({**others, option: "from-option"}, {variable: "from-environment"})[option]
            == "from-option"
        )
    if len(variables) > 1:
        assert resolve(others, {variables[0]: "first-one", variables[1]: "second-one"})[option] == "first-one"


@pytest.mark.parametrize("blank", ["", " ", "\t", " \n "])
def test_a_blank_is_unset_everywhere(blank: str, config: Write) -> None:
    config(
        profile(accessKeyId="AKPROFILE", secretAccessKey="secret-of-profile", region=blank, projectId=blank)
    )
    environ = {variable: blank for variables in ENVIRONMENT.values() for variable in variables}
    options = dict.fromkeys((*ENVIRONMENT, "http_timeout"), blank)
    assert resolve(options, environ) == {
        "access_key": "AKPROFILE",
        "secret_key": "secret-of-profile",
        "way": "access_key/secret_key",
    }
    assert resolve({**options, **AKSK}, environ)["access_key"] == "AKOPTION"
    config(profile(accessKeyId=blank, secretAccessKey=blank))
    with pytest.raises(InvalidArgument, match="No complete credentials"):
        resolve(options, environ)


@pytest.mark.parametrize(
    ("value", "verified"),
    [
        ("1", False),
        ("true", False),
        ("TRUE", False),
        (" yes ", False),
        ("on", False),
        ("0", True),
        ("false", True),
        ("no", True),
        ("maybe", True),
    ],
)
def test_insecure_is_the_opposite_of_validate_certs(value: str, verified: bool) -> None:
    assert resolve(AKSK, {"HW_INSECURE": value})["validate_certs"] is verified
    assert resolve({**AKSK, "validate_certs": True}, {"HW_INSECURE": value})["validate_certs"] is True
    assert resolve({**AKSK, "validate_certs": False}, {"HW_INSECURE": value})["validate_certs"] is False


@pytest.mark.parametrize(("value", "number"), [("0", 0), ("7", 7), ("999", 999)])
def test_the_number_of_retries(value: str, number: int) -> None:
    assert resolve(AKSK, {"HW_MAX_RETRIES": value})["max_retries"] == number


@pytest.mark.parametrize("value", ["-1", "1.5", "many", "1000", "0x1"])
def test_a_wrong_number_of_retries(value: str) -> None:
    with pytest.raises(InvalidArgument, match="HW_MAX_RETRIES"):
        resolve(AKSK, {"HW_MAX_RETRIES": value})


# Ways of signing in


def test_nothing_at_all_names_every_way_with_its_variables() -> None:
    with pytest.raises(InvalidArgument) as caught:
        resolve({}, {})
    for name in [
        name for needs in credentials.WAYS.values() for name in (*needs, *ENVIRONMENT[needs[-1]])
    ] + ["HW_SECURITY_TOKEN", "HW_PROFILE"]:
        assert name in str(caught.value)
    assert str(caught.value).endswith("No request was sent.")


@pytest.mark.parametrize(
    ("options", "environ", "missing"),
    [
        ({"access_key": "AK"}, {}, ["secret_key is missing for access_key/secret_key"]),
        ({"secret_key": "secret"}, {}, ["access_key is missing for access_key/secret_key"]),
        (
            {"username": "u", "password": "pass-word"},
            {},
            ["domain_name is missing for username/password/domain_name"],
        ),
        ({}, {"HW_USER_NAME": "u"}, ["domain_name is missing", "password is missing"]),
        ({"access_key": "AK", "secret_key": " "}, {}, ["secret_key is missing"]),
    ],
)
def test_half_a_way_says_what_is_missing(
    options: dict[str, Any], environ: dict[str, str], missing: list[str]
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        resolve(options, environ)
    for text in missing:
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("options", "environ", "named"),
    [
        ({"auth_token": "token-one", **AKSK}, {}, ("auth_token", "access_key/secret_key")),
        ({**LOGIN, **AKSK}, {}, ("access_key/secret_key", "username/password/domain_name")),
        ({"auth_token": "token-one", **LOGIN}, {}, ("auth_token", "username/password/domain_name")),
        (
            {},
            {"HW_AUTH_TOKEN": "token-one", "HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"},
            ("auth_token", "access_key/secret_key"),
        ),
    ],
)
def test_two_ways_from_one_source_are_an_error_that_names_both(
    options: dict[str, Any], environ: dict[str, str], named: tuple[str, str]
) -> None:
    with pytest.raises(InvalidArgument, match=f"{named[0]} and {named[1]}"):
        resolve(options, environ)


@pytest.mark.parametrize(
    ("options", "environ", "way"),
    [
        (AKSK, {"HW_AUTH_TOKEN": "token-one"}, "access_key/secret_key"),
        ({"auth_token": "token-one"}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "auth_token"),
        (LOGIN, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "username/password/domain_name"),
        (
            {},
            {"HW_AUTH_TOKEN": "token-one", "HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "secret"},
            "auth_token",
        ),
        # a secret decides, what is not secret may come from further down
        (
            {"password": "pass-word"},
            {
                "HW_USER_NAME": "u",
                "HW_DOMAIN_NAME": "d",
                "HUAWEICLOUD_SDK_AK": "A",
                "HUAWEICLOUD_SDK_SK": "secret",
            },
            "username/password/domain_name",
        ),
        ({"secret_key": "secret"}, {"HW_ACCESS_KEY": "AK"}, "access_key/secret_key"),
        # half a way further up does not hide a whole one further down
        ({"username": "u"}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "access_key/secret_key"),
        ({"auth_token": " "}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "access_key/secret_key"),
    ],
)
def test_the_nearest_source_with_a_whole_way_wins(
    options: dict[str, Any], environ: dict[str, str], way: str
) -> None:
    found = resolve(options, environ)
    assert found["way"] == way
    secrets = {name for name in ("auth_token", "secret_key", "password") if name in found}
    assert secrets == {credentials.WAYS[way][-1]}


def test_the_keys_of_one_way_are_all_that_is_kept() -> None:
    environ = {"HW_USER_NAME": "u", "HW_DOMAIN_NAME": "d", "HW_SECURITY_TOKEN": "stale-token"}
    assert resolve(AKSK, environ) == {**AKSK, "way": "access_key/secret_key"}


@pytest.mark.parametrize(
    ("options", "environ", "token"),
    [
        ({**AKSK, "security_token": "sts-option"}, {}, "sts-option"),
        (AKSK, {"HW_SECURITY_TOKEN": "sts-stale"}, None),
        ({}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret", "HW_SECURITY_TOKEN": "sts-hw"}, "sts-hw"),
        (
            {},
            {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret", "HUAWEICLOUD_SDK_SECURITY_TOKEN": "sts-sdk"},
            None,
        ),
        ({"security_token": "sts-option"}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "sts-option"),
        ({**AKSK, "security_token": ""}, {"HW_SECURITY_TOKEN": "sts-stale"}, None),
    ],
)
def test_a_security_token_counts_as_an_option_or_from_where_the_secret_key_came(
    options: dict[str, Any], environ: dict[str, str], token: str | None
) -> None:
    assert resolve(options, environ).get("security_token") == token


@pytest.mark.parametrize(
    ("options", "environ", "project"),
    [
        ({"project_name": "two"}, {"HW_PROJECT_ID": "1"}, {"project_name": "two"}),
        ({"project_id": "2"}, {"HW_PROJECT_NAME": "one"}, {"project_id": "2"}),
        ({}, {"HW_PROJECT_ID": "1", "HW_PROJECT_NAME": "one"}, {"project_id": "1", "project_name": "one"}),
        ({}, {"HW_PROJECT_NAME": "one", "HUAWEICLOUD_SDK_PROJECT_ID": "1"}, {"project_name": "one"}),
    ],
)
def test_the_project_is_that_of_the_nearest_source(
    options: dict[str, Any], environ: dict[str, str], project: dict[str, str]
) -> None:
    found = resolve({**AKSK, **options}, environ)
    assert {name: found[name] for name in ("project_id", "project_name") if name in found} == project


# Profile files


def test_a_profile_of_koocli(config: Write) -> None:
    config(
        profile(accessKeyId="AKDEFAULT", secretAccessKey="secret-default"),
        profile(
            "other",
            accessKeyId="AKOTHER",
            secretAccessKey="secret-other",
            securityToken="sts-other",
            region="ap-southeast-3",
            projectId="p",
        ),
        current="other",
    )
    expected = {
        "access_key": "AKOTHER",
        "secret_key": "secret-other",
        "security_token": "sts-other",
        "region": "ap-southeast-3",
        "project_id": "p",
    }
    assert resolve({}, {}) == {**expected, "way": "access_key/secret_key"}
    assert resolve({"profile": "default"}, {})["access_key"] == "AKDEFAULT"
    assert resolve({}, {"HW_PROFILE": "default"})["access_key"] == "AKDEFAULT"


def test_another_file(config: Write) -> None:
    path = config(
        profile(accessKeyId="AKELSEWHERE", secretAccessKey="secret-elsewhere"),
        current=None,
        path="elsewhere.json",
    )
    assert resolve({"shared_config_file": path}, {})["access_key"] == "AKELSEWHERE"
    assert resolve({}, {"HW_SHARED_CONFIG_FILE": "~/elsewhere.json"})["access_key"] == "AKELSEWHERE"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"profiles": null}',
        '{"profiles": [{}]}',
        '{"profiles": [7]}',
        "\x00\xff",
        '{"current": 5}',
    ],
)
def test_an_unreadable_file_matters_only_when_it_is_asked_for(content: str, home: Path) -> None:
    (home / ".hcloud").mkdir()
    (home / ".hcloud" / "config.json").write_text(content, encoding="latin-1")
    assert resolve(AKSK, {})["access_key"] == "AKOPTION"
    for asked in ({"profile": "default"}, {"shared_config_file": str(home / ".hcloud" / "config.json")}):
        with pytest.raises(InvalidArgument, match="is not a readable KooCLI configuration"):
            resolve({**AKSK, **asked}, {})


def test_a_file_or_profile_that_is_not_there(config: Write, home: Path) -> None:
    with pytest.raises(
        InvalidArgument, match=r"missing\.json is not a readable KooCLI configuration \(FileNotFoundError\)"
    ):
        resolve({**AKSK, "shared_config_file": str(home / "missing.json")}, {})
    config(profile("one"), profile("two"))
    with pytest.raises(
        InvalidArgument, match=r"profile 'three' is not in .*config.json \(it has: one, two\)"
    ):
        resolve({**AKSK, "profile": "three"}, {})
    assert (
        resolve(AKSK, {})["way"] == "access_key/secret_key"
    )  # the current profile does not exist, and nobody asked for it


# Values that must not reach a header

SENT = ["access_key", "secret_key", "security_token", "auth_token"]


@pytest.mark.parametrize(
    "value",
    [
        "zq7key\n",
        "\nzq7key",
        " zq7key",
        "zq7key ",
        "zq7\nkey",
        "zq7\rkey",
        "zq7\x00key",
        "zq7\x7fkey",
        "zq7k\u00e9y",
        "zq7\tkey",
        "\ufeffzq7key",
    ],
)
@pytest.mark.parametrize("name", SENT)
def test_what_a_header_cannot_hold_is_refused_without_being_shown(name: str, value: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        resolve({**({} if name == "auth_token" else AKSK), name: value}, {})
    assert name in str(caught.value)
    assert value.strip() not in str(caught.value)


@pytest.mark.parametrize("name", ["secret_key", "security_token", "auth_token", "password"])
def test_a_secret_of_three_characters_is_refused(name: str) -> None:
    others = {} if name == "auth_token" else LOGIN if name == "password" else AKSK
    with pytest.raises(InvalidArgument, match=f"{name} has fewer than 4 characters"):
        resolve({**others, name: "abc"}, {})


@pytest.mark.parametrize("password", ["with blank ", "\u00fcml\u00e4ut", "line\nbreak", "tab\tbed"])
def test_a_password_travels_in_a_body_and_may_hold_anything(password: str) -> None:
    assert resolve({**LOGIN, "password": password}, {})["password"] == password


def test_every_secret_is_known_for_masking_used_or_not(config: Write) -> None:
    config(profile(secretAccessKey="secret-of-profile", securityToken="sts-of-profile"))
    environ = {
        "HW_SECRET_KEY": "secret-of-hw",
        "HUAWEICLOUD_SDK_SK": "secret-of-sdk",
        "HW_AUTH_TOKEN": "token-of-hw",
        "HW_USER_PASSWORD": "password-of-hw",
    }
    found = secret_values({**AKSK, "password": "password-of-option"}, environ)
    assert set(found) == {
        "secret-of-option",
        "password-of-option",
        *environ.values(),
        "secret-of-profile",
        "sts-of-profile",
    }
    assert secret_values({"shared_config_file": "/nonexistent", **AKSK}, {}) == ["secret-of-option"]


names = st.sampled_from(sorted(ENVIRONMENT))
values = (
    st.none()
    | st.sampled_from(["", " ", "5"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)


@given(
    st.dictionaries(names, values),
    st.dictionaries(
        st.sampled_from(sorted({v for vs in ENVIRONMENT.values() for v in vs})), st.text(max_size=8)
    ),
)
def test_whatever_is_given_there_is_one_way_or_one_refusal(
    options: dict[str, Any], environ: dict[str, str]
) -> None:
    options = {
        name: f"~zq7~{value}" if value and name in credentials.SECRETS else value
        for name, value in options.items()
    }
    try:
        found = resolve(options, environ)
    except InvalidArgument as error:
        assert "~zq7~" not in str(error)
    else:
        assert all(name in found for name in credentials.WAYS[found["way"]])


# What Cloud adds


@pytest.mark.parametrize("value", ["..", "a/b", "a b", "x" * 129, "\u00e9", "a?b"])
def test_a_project_id_that_is_none(value: str) -> None:
    for options, environ in (({**AKSK, "project_id": value}, {}), (AKSK, {"HW_PROJECT_ID": value})):
        with pytest.raises(InvalidArgument, match="project_id is not an id"):
            Cloud(options, environ)


def test_a_project_must_be_known_somehow() -> None:
    with pytest.raises(InvalidArgument, match=r"project_id \(HW_PROJECT_ID\), project_name or region"):
        Cloud({**AKSK, "dcs_endpoint": "https://dcs.example.com"}, {}).get("dcs", "v2", "instances")
