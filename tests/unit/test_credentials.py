# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where settings come from, and what is refused before anything is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import credentials
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import cloud_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import ENVIRONMENT
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION

Write = Callable[..., str]
AKSK: dict[str, Any] = {"access_key": "AKOPTION", "secret_key": "secret-of-option"}
LOGIN: dict[str, Any] = {"username": "u", "password": "pass-word", "domain_name": "d"}


def whole(
    options: dict[str, Any], environ: dict[str, str], redactor: Redactor | None = None
) -> credentials.Resolved:
    return credentials.resolve(options, environ, redactor or Redactor())


def resolve(options: dict[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    """The settings and the identity in one."""
    found = whole(options, environ)
    return {**found.settings, **found.identity.keys, "way": found.identity.way}


def source(options: dict[str, Any], environ: dict[str, str]) -> str:
    return whole(options, environ).identity.source


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
        file.chmod(0o600)
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
    assert short({}, {**sdk, "HW_REGION_NAME": "hw-region-1"}) == (
        "hw-region-1",
        "sdk",
        "AKSDK",
        "secret-of-sdk",
    )
    assert short({}, {}) == ("profile-region-1", "profile", "AKPROFILE", "secret-of-profile")


OWN = {  # with which keys a variable is read, where it is part of an identity
    "auth_token": {},
    **dict.fromkeys(("username", "password", "domain_name"), LOGIN),
    **dict.fromkeys(credentials.IDENTITY - {"auth_token", "username", "password", "domain_name"}, AKSK),
}
TYPED = {
    "validate_certs",
    "max_retries",
    "assume_role_duration",
    "use_instance_metadata",
    "profile",
    "shared_config_file",
}


@pytest.mark.parametrize(
    ("option", "variables"),
    [item for item in ENVIRONMENT.items() if item[0] not in {*TYPED, *credentials.AGENCY}],
)
def test_every_variable_is_read_with_its_kind_and_loses_to_its_option(
    option: str, variables: tuple[str, ...]
) -> None:
    for level, variable in enumerate(variables):
        keys = OWN.get(option, AKSK)
        others = {ENVIRONMENT[name][level]: value for name, value in keys.items()}
        assert resolve({}, {**others, variable: "from-environment"})[option] == "from-environment"
        given = {**({} if option in ("auth_token", *keys) else keys), option: "from-option"}
        if option in ("access_key", "secret_key", "auth_token", *LOGIN):
            given = {**keys, option: "from-option"}
        assert resolve(given, {**others, variable: "from-environment"})[option] == "from-option"


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
        ("y", False),
    ],
)
def test_insecure_is_the_opposite_of_validate_certs(value: str, verified: bool) -> None:
    assert resolve(AKSK, {"HW_INSECURE": value})["validate_certs"] is verified
    assert resolve({**AKSK, "validate_certs": True}, {"HW_INSECURE": value})["validate_certs"] is True
    assert resolve({**AKSK, "validate_certs": False}, {"HW_INSECURE": value})["validate_certs"] is False


@pytest.mark.parametrize("variable", ["HW_INSECURE", "HW_USE_INSTANCE_METADATA"])
def test_a_switch_that_is_neither_on_nor_off_is_refused_by_name(variable: str) -> None:
    """A person who writes `ja` means yes, and must not get the opposite."""
    with pytest.raises(InvalidArgument, match=f"^{variable} must be true or false, not 'maybe'"):
        resolve(AKSK, {variable: "maybe"})


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
        # values that a farther source repeats are not an identity
        ({"access_key": "AK"}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "access_key/secret_key"),
        (
            {"secret_key": "secret"},
            {"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "secret"},
            "access_key/secret_key",
        ),
        # nor is a name alone, which Terraform's users often have in the environment
        ({"domain_name": "d"}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "access_key/secret_key"),
        (
            {},
            {"HW_USER_NAME": "u", "HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "secret"},
            "access_key/secret_key",
        ),
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


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        (
            {"access_key": "AK1"},
            {"HW_ACCESS_KEY": "AK2", "HW_SECRET_KEY": "secret"},
            "the task options: they hold access_key, but secret_key is missing",
        ),
        (
            {"secret_key": "other"},
            {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"},
            "access_key is missing",
        ),
        ({"secret_key": "secret"}, {"HW_ACCESS_KEY": "AK"}, "access_key is missing"),
        (
            {"access_key": "AK", "secret_key": ""},
            {"HW_ACCESS_KEY": "AK2", "HW_SECRET_KEY": "secret"},
            "secret_key is",
        ),
        ({"username": "u"}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"}, "password is missing"),
        ({"password": "pass-word"}, {"HW_USER_NAME": "u", "HW_DOMAIN_NAME": "d"}, "username is missing"),
        (
            {"security_token": "sts-option"},
            {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret"},
            "they hold security_token, but access_key is missing",
        ),
        (
            {},
            {"HW_ACCESS_KEY": "AK", "HUAWEICLOUD_SDK_AK": "AK2", "HUAWEICLOUD_SDK_SK": "secret"},
            "the HW_* variables: they hold access_key, but secret_key is missing",
        ),
        (
            {},
            {"HW_USER_PASSWORD": "pass-word", "HUAWEICLOUD_SDK_AK": "AK2", "HUAWEICLOUD_SDK_SK": "secret"},
            "the HW_* variables: they hold password",
        ),
        ({}, {"HUAWEICLOUD_SDK_SK": "secret"}, "the HUAWEICLOUD_SDK_* variables: they hold secret_key"),
    ],
)
def test_half_an_identity_is_refused_instead_of_acting_as_somebody_else(
    options: dict[str, Any], environ: dict[str, str], said: str, config: Write
) -> None:
    config(profile(accessKeyId="AKPROFILE", secretAccessKey="secret-of-profile"))
    with pytest.raises(InvalidArgument, match=re.escape(said)):
        resolve(options, environ)


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
        ({**AKSK, "security_token": ""}, {"HW_SECURITY_TOKEN": "sts-stale"}, None),
    ],
)
def test_a_security_token_counts_as_an_option_or_from_where_the_secret_key_came(
    options: dict[str, Any], environ: dict[str, str], token: str | None
) -> None:
    assert resolve(options, environ).get("security_token") == token


HW_KEYS = {"HW_ACCESS_KEY": "AKHW", "HW_SECRET_KEY": "secret-of-hw"}
SDK_KEYS = {"HUAWEICLOUD_SDK_AK": "AKSDK", "HUAWEICLOUD_SDK_SK": "secret-of-sdk"}


@pytest.mark.parametrize(
    ("options", "environ", "project"),
    [
        ({**AKSK, "project_name": "two"}, {"HW_PROJECT_ID": "1"}, {"project_name": "two"}),
        ({**AKSK, "project_id": "2"}, {"HW_PROJECT_NAME": "one"}, {"project_id": "2"}),
        (AKSK, {"HW_PROJECT_ID": "1", "HW_PROJECT_NAME": "one"}, {}),
        (AKSK, {"HUAWEICLOUD_SDK_PROJECT_ID": "1"}, {}),
        ({"auth_token": "token-one"}, {"HW_PROJECT_ID": "1"}, {}),
        (
            {},
            {**HW_KEYS, "HW_PROJECT_ID": "1", "HW_PROJECT_NAME": "one"},
            {"project_id": "1", "project_name": "one"},
        ),
        (
            {},
            {**HW_KEYS, "HW_PROJECT_NAME": "one", "HUAWEICLOUD_SDK_PROJECT_ID": "1"},
            {"project_name": "one"},
        ),
        ({}, {**HW_KEYS, "HUAWEICLOUD_SDK_PROJECT_ID": "1"}, {}),
        ({}, {**SDK_KEYS, "HUAWEICLOUD_SDK_PROJECT_ID": "1", "HW_PROJECT_ID": "2"}, {"project_id": "1"}),
        ({}, {**SDK_KEYS, "HW_PROJECT_ID": "2"}, {}),
        ({"project_name": "two"}, {**HW_KEYS, "HW_PROJECT_ID": "1"}, {"project_name": "two"}),
        # the same keys again, as they are read from the environment in a playbook
        (
            {"access_key": "AKHW", "secret_key": "secret-of-hw"},
            {**HW_KEYS, "HW_PROJECT_ID": "1"},
            {"project_id": "1"},
        ),
        ({"access_key": "AKHW", "secret_key": "another"}, {**HW_KEYS, "HW_PROJECT_ID": "1"}, {}),
        ({"project_id": "2"}, {**SDK_KEYS, "HUAWEICLOUD_SDK_PROJECT_ID": "1"}, {"project_id": "2"}),
    ],
)
def test_the_project_is_the_tasks_own_or_stands_beside_the_keys(
    options: dict[str, Any], environ: dict[str, str], project: dict[str, str]
) -> None:
    found = resolve(options, environ)
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


def test_an_empty_file_in_the_environment_is_unset(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    environ = {"HW_SHARED_CONFIG_FILE": str(tmp_path / "empty")}
    with pytest.raises(InvalidArgument, match="No complete credentials were found"):
        resolve({}, environ)
    assert resolve({}, {**HW_KEYS, **environ})["way"] == "access_key/secret_key"
    with pytest.raises(InvalidArgument, match="is not a readable KooCLI configuration"):
        resolve({}, {"HW_PROFILE": "prod", **environ})
    # nor does the task's profile mean one of that name in another file
    (tmp_path / ".hcloud").mkdir()
    default = {"profiles": [profile("prod", accessKeyId="AKDEFAULT", secretAccessKey="secret-of-profile")]}
    (tmp_path / ".hcloud" / "config.json").write_text(json.dumps(default))
    with pytest.raises(InvalidArgument, match="empty is not a readable KooCLI configuration"):
        resolve({"profile": "prod"}, environ)


def test_another_file(config: Write) -> None:
    path = config(
        profile(accessKeyId="AKELSEWHERE", secretAccessKey="secret-elsewhere"),
        current=None,
        path="elsewhere.json",
    )
    assert resolve({"shared_config_file": path}, {})["access_key"] == "AKELSEWHERE"
    assert resolve({}, {"HW_SHARED_CONFIG_FILE": "~/elsewhere.json"})["access_key"] == "AKELSEWHERE"


def test_file_and_profile_may_be_named_in_two_places(config: Write) -> None:
    """A profile that is named anywhere is meant: the current one of the file may be somebody else's."""
    keys = {"secretAccessKey": "secret-of-profile"}
    two = (profile("lab", accessKeyId="AKLAB", **keys), profile("prod", accessKeyId="AKPROD", **keys))
    path = config(*two, current="lab", path="two.json")
    for options, environ in (
        ({"shared_config_file": path}, {"HW_PROFILE": "prod"}),
        ({"profile": "prod"}, {"HW_SHARED_CONFIG_FILE": path}),
        ({"shared_config_file": path, "profile": "prod"}, {"HW_PROFILE": "lab"}),
    ):
        assert resolve(options, {**HW_KEYS, **environ})["access_key"] == "AKPROD"
    with pytest.raises(InvalidArgument, match=r"profile 'gone' is not in .*two\.json \(it has: lab, prod\)"):
        resolve({"shared_config_file": path}, {**HW_KEYS, "HW_PROFILE": "gone"})


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
    asked: list[Any] = [{"profile": "default"}, {"shared_config_file": str(home / ".hcloud" / "config.json")}]
    for options, environ in [*((one, HW_KEYS) for one in asked), ({}, {"HW_PROFILE": "default"})]:
        with pytest.raises(InvalidArgument, match="is not a readable KooCLI configuration"):
            resolve(options, environ)
    with pytest.raises(
        InvalidArgument, match=r"No complete credentials.*is not a readable KooCLI configuration"
    ):
        resolve({}, {})


def test_a_file_or_profile_that_is_not_there(config: Write, home: Path) -> None:
    with pytest.raises(
        InvalidArgument, match=r"missing\.json is not a readable KooCLI configuration \(FileNotFoundError\)"
    ):
        resolve({"shared_config_file": str(home / "missing.json")}, HW_KEYS)
    config(profile("one"), profile("two"))
    with pytest.raises(
        InvalidArgument, match=r"profile 'three' is not in .*config.json \(it has: one, two\)"
    ):
        resolve({"profile": "three"}, HW_KEYS)
    # the current profile does not exist, and the task did not name it
    assert resolve(AKSK, {})["way"] == "access_key/secret_key"
    with pytest.raises(InvalidArgument, match="profile 'one' occurs 2 times in"):
        config(profile("one"), profile("one"))
        resolve({"profile": "one"}, {})


# Values that must not reach a header

SENT = ["access_key", "secret_key", "security_token", "auth_token"]


@pytest.mark.parametrize(
    "value",
    [
        "zq7\nkey",
        "zq7\rkey",
        "zq7\x00key",
        "zq7\x7fkey",
        "zq7k\u00e9y",
        "zq7\tkey",
        "zq7 key",  # two of them, pasted together: the cloud counts a refused signature
        "\ufeffzq7key",
    ],
)
@pytest.mark.parametrize("name", SENT)
def test_what_a_header_cannot_hold_is_refused_without_being_shown(name: str, value: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        resolve({**({} if name == "auth_token" else AKSK), name: value}, {})
    assert name in str(caught.value)
    assert value.strip() not in str(caught.value)


@pytest.mark.parametrize("around", ["{}\n", "\n{}", " {}", "{} ", "\t{}\r\n", "\u00a0{}"])
@pytest.mark.parametrize("name", SENT)
def test_what_comes_with_pasting_is_not_part_of_a_key(name: str, around: str) -> None:
    keys = {"auth_token": "zq7token"} if name == "auth_token" else {**AKSK, name: "zq7token"}
    assert resolve({**keys, name: around.format("zq7token")}, {})[name] == "zq7token"


@pytest.mark.parametrize("name", SENT)
def test_a_value_that_is_masked_with_stars_is_refused(name: str) -> None:
    keys = {"auth_token": "HPU****AWB"} if name == "auth_token" else {**AKSK, name: "HPU****AWB"}
    with pytest.raises(InvalidArgument, match=f"{name} is masked with stars"):
        resolve(keys, {})


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_value_in_quotes_is_refused(name: str, quote: str) -> None:
    """It comes from a file of variables that no shell has read. A refused signature can lock the key."""
    value = f"{quote}HPUAXWB{quote}"
    keys = {"auth_token": value} if name == "auth_token" else {**AKSK, name: value}
    with pytest.raises(InvalidArgument, match=f"{name} has quotes around it"):
        resolve(keys, {})


@pytest.mark.parametrize("name", ["secret_key", "security_token", "auth_token", "password"])
def test_a_secret_of_three_characters_is_refused(name: str) -> None:
    others = {} if name == "auth_token" else LOGIN if name == "password" else AKSK
    with pytest.raises(InvalidArgument, match=f"{name} has fewer than 4 characters"):
        resolve({**others, name: "abc"}, {})


@pytest.mark.parametrize("password", ["with blank ", "\u00fcml\u00e4ut", "line\nbreak", "tab\tbed"])
def test_a_password_travels_in_a_body_and_may_hold_anything(password: str) -> None:
    assert resolve({**LOGIN, "password": password}, {})["password"] == password


def test_every_secret_that_is_met_is_redacted_used_or_not(config: Write, home: Path) -> None:
    written = profile(accessKeyId="AKP", secretAccessKey="secret-of-profile", securityToken="sts-of-profile")
    config(
        {
            **written,
            "ssoAuth": {"stsToken": {"secretAccessKey": "secret-of-sso"}},
            "xAuthToken": "token-of-profile",
        }
    )
    environ = {
        "HUAWEICLOUD_SDK_SK": "secret-of-sdk",
        "HW_AUTH_TOKEN": "token-of-hw",
        "HW_USER_PASSWORD": "password-of-hw",
    }
    redactor = Redactor()
    whole({**AKSK, "password": "password-of-option"}, environ, redactor)
    assert {"secret-of-option", "password-of-option", *environ.values()} <= redactor.forms
    assert not any("profile" in form for form in redactor.forms), (
        "the file was read although nobody needed it"
    )
    whole({"profile": "default"}, environ, redactor)
    assert {"secret-of-profile", "sts-of-profile", "secret-of-sso", "token-of-profile"} <= redactor.forms
    refused = Redactor()
    with pytest.raises(InvalidArgument):
        config({**written, "mode": "SSO"})
        whole({"profile": "default"}, {}, refused)
    assert "secret-of-profile" in refused.forms


# A module hands numbers and booleans over as such, and every text may be anything.
names = st.sampled_from(
    sorted(name for name in ENVIRONMENT if CONNECTION.get(name, {}).get("type") not in ("int", "bool"))
)
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
        assert all(name in found for name in credentials.WAYS.get(found["way"], ()))


# What Cloud adds


@pytest.mark.parametrize("value", ["..", "a/b", "a b", "x" * 129, "\u00e9", "a?b"])
def test_an_invalid_project_id(value: str) -> None:
    for options, environ in (({**AKSK, "project_id": value}, {}), ({}, {**HW_KEYS, "HW_PROJECT_ID": value})):
        with pytest.raises(InvalidArgument, match="project_id is not an ID"):
            cloud_for(options, environ)


def test_a_project_must_be_known_somehow() -> None:
    """Also when HW_PROJECT_ID is set, beside other keys than those in use: to advise it would not help."""
    text = "project_id, project_name or region .* from the source of its keys: task options"
    for environ in ({}, {"HW_PROJECT_ID": "p"}):
        with pytest.raises(InvalidArgument, match=text):
            cloud_for({**AKSK, "dcs_endpoint": "https://dcs.example.com"}, environ).get(
                "dcs", "v2", "instances"
            )
