# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who calls: key files, agencies, a cloud server's metadata, and how often wrong keys are tried.

All of it runs against the local cloud.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import socket
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import caller as caller_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import credentials
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud, cloud_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    InvalidArgument,
    ProtocolError,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.proxies import proxy_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Http,
    Request,
    Response,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.parallel import clouds_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from tests.cloud import Simulator, wire
from tests.cloud import scenario as names
from tests.cloud.state import Agency, Key

from .fakes import NOW, Time, cloud, response

METADATA = "http://169.254.169.254/openstack/latest/securitykey"
KEYS = {"access_key": names.ACCESS_KEY, "secret_key": names.SECRET_KEY}
OTHER = {"HW_ACCESS_KEY": "AKOFSOMEBODYELSE", "HW_SECRET_KEY": "secret-of-somebody-else"}
LOGIN = {"username": names.USER, "password": names.PASSWORD, "domain_name": names.DOMAIN}
AGENCY = {"assume_role_agency_name": names.AGENCY, "assume_role_domain_name": names.PARTNER_DOMAIN}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sim(time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Simulator("fleet-40", clock=time.clock.now) as simulator:
        yield simulator
        assert simulator.errors == []


@pytest.fixture
def made(sim: Simulator, time: Time) -> Callable[..., Cloud]:
    """A Cloud for the local cloud, which is also behind the address of the metadata service."""

    def make(
        environ: dict[str, str] | None = None, redactor: Redactor | None = None, **options: Any
    ) -> Cloud:
        http = Http()

        def send(request: Request) -> Response:
            return http(request._replace(url=request.url.replace("http://169.254.169.254", sim.url)))

        places = {f"{service}_endpoint": sim.url for service in ("iam", "dcs", "ddm")}
        given = {"region": names.REGION, "max_retries": 0, **places, **options}
        return cloud_for(given, environ or {}, time.clock, redactor, send)

    return make


def read(one: Cloud) -> list[Any]:
    found: list[Any] = one.get("dcs", "v2", "instances", query={"limit": 1000}).body["instances"]
    return found


def write(path: Path, content: str, mode: int = 0o600) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def config(folder: Path, *profiles: dict[str, Any], path: str = ".hcloud/config.json", **more: Any) -> str:
    """Write a configuration of KooCLI, by default to its usual place."""
    content = {"current": profiles[0]["name"], "profiles": list(profiles), **more}
    return write(folder / path, json.dumps(content))


def prod(**fields: Any) -> dict[str, Any]:
    keys = {"accessKeyId": "AKPROD", "secretAccessKey": "secret-of-prod"}
    return {"name": "prod", "mode": "AKSK", **keys, **fields}


def resolve(options: dict[str, Any], environ: dict[str, str] | None = None) -> credentials.Resolved:
    return credentials.resolve(options, environ or {}, Redactor())


# Where an identity comes from


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_profile_that_the_task_names_beats_the_environment(home: Path) -> None:
    config(home, prod(region="eu-west-101", projectId="p1"))
    around = {
        **OTHER,
        "HW_PROJECT_ID": "p2",
        "HW_REGION_NAME": "ap-southeast-3",
        "HW_SECURITY_TOKEN": "stale-token",
    }
    found = resolve({"profile": "prod"}, around)
    assert found.identity.keys == {"access_key": "AKPROD", "secret_key": "secret-of-prod"}
    assert found.identity.source == "profile prod of ~/.hcloud/config.json"
    assert (found.settings["region"], found.settings["project_id"]) == ("eu-west-101", "p1")


def test_the_project_of_a_profile_is_not_taken_along_to_another_region(home: Path) -> None:
    config(home, prod(region="eu-west-101", projectId="p1"))
    found = resolve({"profile": "prod", "region": "ap-southeast-3"})
    assert found.settings["region"] == "ap-southeast-3" and "project_id" not in found.settings
    assert resolve({"profile": "prod", "region": "eu-west-101"}).settings["project_id"] == "p1"


def test_a_default_file_decides_nothing_beside_keys(home: Path) -> None:
    config(home, prod(region="eu-west-101", projectId="p1", agencyName="a", agencyDomainName="d"))
    write(
        home / ".huaweicloud" / "credentials",
        "[basic]\nak = A\nsk = secret\nproject_id = p3\niam_endpoint = https://x.example",
    )
    for options, environ in ((KEYS, {}), ({}, OTHER), ({"auth_token": "token-one"}, {"HW_PROFILE": "stale"})):
        found = resolve(options, environ)
        assert not {"region", "project_id", "iam_endpoint"} & found.settings.keys()
        assert found.identity.agency == {}


def test_a_stale_profile_beside_own_keys_is_not_read(home: Path) -> None:
    for environ in ({"HW_PROFILE": "gone"}, {"HW_SHARED_CONFIG_FILE": "/nonexistent/config.json"}):
        assert resolve(KEYS, environ).identity.source == "task options"
        assert resolve({}, {**OTHER, **environ}).identity.source == "HW_ACCESS_KEY"
        with pytest.raises(InvalidArgument):
            resolve({}, environ)


def test_the_order_of_the_files(home: Path) -> None:
    config(home, prod())
    sdk = write(home / ".huaweicloud" / "credentials", "[basic]\nak=AKSDKFILE\nsk = secret-of-sdk-file\n")
    named = write(
        home / "named", "[basic]\nak=AKNAMED\nsk=secret-of-named\nsecurity_token=sts-named\nproject_id=p9\n"
    )

    def source(environ: dict[str, str]) -> str:
        return resolve({}, environ).identity.source

    assert source({}) == "~/.huaweicloud/credentials"
    assert source({"HW_PROFILE": "prod"}) == "profile prod of ~/.hcloud/config.json"
    assert source({"HUAWEICLOUD_SDK_CREDENTIALS_FILE": named, "HW_PROFILE": "prod"}) == named
    found = resolve({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": named, "HW_PROJECT_ID": "p1"})
    assert found.identity.keys == {
        "access_key": "AKNAMED",
        "secret_key": "secret-of-named",
        "security_token": "sts-named",
    }
    assert found.settings["project_id"] == "p9"
    os.unlink(sdk)
    assert source({}) == "profile prod of ~/.hcloud/config.json"


def test_the_iam_endpoint_of_the_sdks_file(home: Path) -> None:
    write(
        home / ".huaweicloud" / "credentials",
        "[basic]\nak=A\nsk=secret\niam_endpoint=https://iam.example.com\n",
    )
    assert resolve({}).settings["iam_endpoint"] == "https://iam.example.com"
    given = {"HW_IAM_ENDPOINT": "https://other.example.com"}
    assert resolve({}, given).settings["iam_endpoint"] == "https://other.example.com"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[basic]\nak = A\n", "has no sk in its section [basic]"),
        ("[global]\nak = A\nsk = secret\n", "has no ak and no sk in its section [basic]"),
        ("", "has no ak and no sk"),
        ("ak = A\n", "is not a readable credentials file (MissingSectionHeaderError)"),
        ("[basic]\nak=A\nak=B\nsk=secret\n", "is not a readable credentials file (DuplicateOptionError)"),
    ],
)
def test_a_credentials_file_that_cannot_be_used(content: str, why: str, home: Path) -> None:
    path = write(home / ".huaweicloud" / "credentials", content)
    with pytest.raises(InvalidArgument, match=re.escape(why)):
        resolve({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": path})
    with pytest.raises(InvalidArgument, match="No complete credentials were found"):
        resolve({})
    config(home, prod())
    assert resolve({}).identity.source == "profile prod of ~/.hcloud/config.json"


MODES = [
    (prod(mode="SSO"), "the mode SSO", "security_token"),
    (prod(mode="sso", accessKeyId=""), "the mode sso", "security_token"),
    ({"name": "prod", "ssoAuth": {"stsToken": {"accessKeyId": "A"}}}, "the mode sso", "security_token"),
    (prod(mode="token", xAuthToken="MII"), "the mode token", "auth_token (HW_AUTH_TOKEN)"),
    (prod(mode="xAuthToken"), "the mode xAuthToken", "auth_token (HW_AUTH_TOKEN)"),
    ({"name": "prod", "xAuthToken": "MII"}, "the mode xauthtoken", "auth_token (HW_AUTH_TOKEN)"),
    (prod(mode="ecsAgency"), "the mode ecsAgency", "use_instance_metadata: true"),
    (prod(mode="OIDC"), "the mode OIDC, which this collection does not know", "AKSK"),
    (prod(authEncrypt="true"), "encrypted (authEncrypt)", "hcloud configure set --cli-auth-encrypt=false"),
    (prod(authEncrypt=True), "encrypted (authEncrypt)", "hcloud configure set --cli-auth-encrypt=false"),
    (prod(accessKeyId="HPU****AWB"), "accessKeyId is masked with stars", "real value"),
    (prod(secretAccessKey="abc****def"), "secretAccessKey is masked with stars", "real value"),
    (prod(mode="AssumeRole"), "the mode AssumeRole, but has no agencyName", ""),
    (prod(agencyName="a"), "no agencyDomainName or agencyDomainId", ""),
    (prod(accessKeyId=""), "has no accessKeyId", ""),
    (prod(secretAccessKey=" "), "has no secretAccessKey", ""),
    ({"name": "prod", "mode": "AKSK"}, "has no accessKeyId and no secretAccessKey", ""),
    # The base keys alone would act as somebody else.
    (prod(agencyUrn="iam::id:agency:a"), "this collection cannot read its agencyurn", "agencyName"),
    (prod(agency={"name": "a"}), "this collection cannot read its agency", "agencyName"),
    (prod(agencyName=["a"]), "this collection cannot read its agencyName", "agencyName"),
    (prod(securityToken=5), "this collection cannot read its securityToken", "in quotes"),
    (prod(projectId=5), "this collection cannot read its projectId", "in quotes"),
]


@pytest.mark.parametrize(("written", "why", "remedy"), MODES)
def test_a_profile_that_cannot_be_used_is_refused_with_the_remedy(
    written: dict[str, Any], why: str, remedy: str, home: Path
) -> None:
    """Also when there are keys in the environment, and when it is the default one that nobody named."""
    config(home, written)
    for options, environ in (({"profile": "prod"}, OTHER), ({}, {"HW_PROFILE": "prod"}), ({}, {})):
        with pytest.raises(InvalidArgument) as caught:
            resolve(options, environ)
        text = str(caught.value)
        assert "profile prod of ~/.hcloud/config.json" in text and why in text and remedy in text
        assert "secret-of-prod" not in text


def test_the_names_in_a_file_may_be_in_any_letters(home: Path) -> None:
    """As for KooCLI and Terraform: with an agency left unread, the task would act as the base user."""
    agency = prod(AgencyName="a", agencydomainname="d", AGENCYURN="", agencies=None)
    upper = {name[0].upper() + name[1:]: value for name, value in agency.items()}
    for written in (agency, upper):
        write(home / ".hcloud/config.json", json.dumps({"profiles": [written]}))
        found = resolve({"profile": "prod"}).identity
        assert found.keys["access_key"] == "AKPROD"
        assert found.agency == {"agency_name": "a", "domain_name": "d"}
    config(home, {"name": "prod", "SsoAuth": {}, "XAuthToken": "MII"})
    with pytest.raises(InvalidArgument, match="the mode xauthtoken"):
        resolve({"profile": "prod"})


def test_a_name_that_occurs_twice_in_a_profile_is_refused(home: Path) -> None:
    """Half a merge: the second of two access keys may be that of another account."""
    path = Path(config(home, prod(AccessKeyID="AKOFSOMEBODYELSE")))
    for text in (path.read_text(), path.read_text().replace("AccessKeyID", "accessKeyId")):
        path.write_text(text)
        with pytest.raises(InvalidArgument, match=r"config\.json is not a .* \(a name occurs twice in it\)"):
            resolve({"profile": "prod"})


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ('{"profiles": [PROD], "meta": {"a": 1, "A": 2}}', False),
        ('{"profiles": [PROD, {"name": "dev", "accessKeyId": "1", "accessKeyID": "2"}]}', False),
        ('{"profiles": [], "Profiles": [PROD]}', True),
        ('{"authEncrypt": "true", "authEncrypt": "false", "profiles": [PROD]}', True),
    ],
)
def test_a_name_that_occurs_twice_elsewhere_is_refused_if_it_decides_who_calls(
    text: str, refused: bool, home: Path
) -> None:
    """A file for many people and tools must not stop a task for what the task never reads."""
    write(home / ".hcloud/config.json", text.replace("PROD", json.dumps(prod())))
    with pytest.raises(InvalidArgument, match="occurs twice") if refused else contextlib.nullcontext():
        assert resolve({"profile": "prod"}).identity.keys["access_key"] == "AKPROD"


def test_the_name_of_a_profile_has_one_spelling(home: Path) -> None:
    spellings = [unicodedata.normalize(form, "pr\u00e9-prod") for form in ("NFC", "NFD")]
    for in_file, asked in itertools.product(spellings, repeat=2):
        config(home, prod(name=in_file))
        assert resolve({"profile": asked}).identity.keys["access_key"] == "AKPROD"
    config(home, *(prod(name=spelling) for spelling in spellings))
    with pytest.raises(InvalidArgument, match="occurs 2 times"):
        resolve({"profile": spellings[0]})


def test_a_configuration_whose_keys_are_all_encrypted(home: Path) -> None:
    """The default of KooCLI since 5.2.7: the flag is next to the profiles, not in them."""
    config(home, prod(), authEncrypt="true")
    with pytest.raises(InvalidArgument, match=r"profile prod .* encrypted"):
        resolve({"profile": "prod"})
    config(home, prod(), authEncrypt="false")
    assert resolve({"profile": "prod"}).identity.keys["access_key"] == "AKPROD"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_byte_order_mark_is_accepted(encoding: str, home: Path) -> None:
    path = home / "config.json"
    path.write_bytes(json.dumps({"current": "prod", "profiles": [prod()]}).encode(encoding))
    assert resolve({"shared_config_file": str(path)}).identity.keys["access_key"] == "AKPROD"
    sdk = home / "credentials"
    sdk.write_bytes("[basic]\nak=AKSDK\nsk=secret\n".encode(encoding))
    assert resolve({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(sdk)}).identity.keys["access_key"] == "AKSDK"


def test_a_pipe_a_directory_and_a_huge_file_are_refused_at_once(home: Path) -> None:
    os.mkfifo(home / "pipe")
    (home / "folder").mkdir()
    (home / "huge").write_bytes(b" " * (1 << 20) + b"{}")
    faults = {"pipe": "not a regular file", "folder": "not a regular file", "huge": "larger than 1 MiB"}
    for name, why in faults.items():
        with pytest.raises(InvalidArgument, match=why):
            resolve({"shared_config_file": str(home / name)})
        with pytest.raises(InvalidArgument, match=why):
            resolve({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(home / name)})
    (home / ".hcloud").mkdir()
    os.mkfifo(home / ".hcloud" / "config.json")
    with pytest.raises(InvalidArgument, match=r"No complete credentials were found.* not a regular file"):
        resolve({})


def test_a_file_that_may_not_be_read_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task does not act as somebody else instead: not as the profile of the default file either."""

    def refuse(path: str, *dummy: Any) -> int:
        raise PermissionError(13, "Permission denied", path)

    config(home, prod())
    own = write(home / "own", "")
    monkeypatch.setattr(os, "open", refuse)
    for options, environ, named in (
        ({"shared_config_file": own}, {}, f"shared_config_file {own}"),
        ({}, {"HW_SHARED_CONFIG_FILE": own}, f"shared_config_file {own}"),
        ({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": own}, f"HUAWEICLOUD_SDK_CREDENTIALS_FILE {own}"),
        ({}, {}, "No complete credentials were found. shared_config_file"),
    ):
        with pytest.raises(InvalidArgument, match=rf"^{named}.*\(PermissionError\)"):
            resolve(options, environ)


@pytest.mark.parametrize(
    ("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o666, True)]
)
def test_a_file_that_others_can_read_or_change_is_warned_of(mode: int, warned: bool, home: Path) -> None:
    path = config(home, prod())
    os.chmod(path, mode)
    warnings = resolve({"profile": "prod"}).warnings
    assert bool(warnings) is warned
    assert all(f"(mode {mode:04o}). Run chmod 600" in warning for warning in warnings)
    sdk = write(home / "credentials", "[basic]\nak=A\nsk=secret\n", mode)
    assert bool(resolve({}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": sdk}).warnings) is warned


def test_two_ways_of_signing_in_in_the_task_are_refused(home: Path) -> None:
    config(home, prod())
    for options, both in (
        ({**KEYS, "profile": "prod"}, "access_key/secret_key and profile"),
        ({**KEYS, "use_instance_metadata": True}, "access_key/secret_key and use_instance_metadata"),
        ({"profile": "prod", "use_instance_metadata": True}, "profile prod .* and use_instance_metadata"),
    ):
        with pytest.raises(InvalidArgument, match=f"Two ways to sign in.*{both}"):
            resolve(options)
    login = {"HW_USER_NAME": "u", "HW_USER_PASSWORD": "secret", "HW_DOMAIN_NAME": "d"}
    for more, both in (
        ({"HW_USE_INSTANCE_METADATA": "true"}, "access_key/secret_key and use_instance_metadata"),
        ({"HW_AUTH_TOKEN": "token"}, "auth_token and access_key/secret_key"),
        (login, "access_key/secret_key and username/password/domain_name"),
    ):
        with pytest.raises(InvalidArgument, match=rf"{both}\..* Both are in the HW_\* variables"):
            resolve({}, {**OTHER, **more})
    assert resolve({}, {**OTHER, "HW_USE_INSTANCE_METADATA": "False"}).identity.source == "HW_ACCESS_KEY"
    switched_off = resolve({**KEYS, "use_instance_metadata": False}, {"HW_USE_INSTANCE_METADATA": "1"})
    assert switched_off.identity.source == "task options"


def test_an_empty_bundle_counts_as_unset(home: Path) -> None:
    empty, blank, full = (home / name for name in ("empty", "blank", "full"))
    for path, content in ((empty, ""), (blank, " \n"), (full, "-----BEGIN")):
        path.write_text(content)
    assert "ca_path" not in resolve({**KEYS, "ca_path": str(empty)}).settings
    assert "ca_path" not in resolve(KEYS, {"HW_CA_PATH": str(blank)}).settings
    both = resolve({**KEYS, "ca_path": str(empty)}, {"HW_CA_PATH": str(full)})
    assert both.settings["ca_path"] == str(full)
    assert resolve({**KEYS, "ca_path": "/nonexistent"}).settings["ca_path"] == "/nonexistent"


def test_a_bundle_is_not_read_when_nothing_is_verified(sim: Simulator, home: Path) -> None:
    bad = write(home / "bad.pem", "no certificate")
    places = {f"{service}_endpoint": sim.url for service in ("iam", "dcs")}
    given = {**KEYS, **places, "region": names.REGION, "project_id": names.PROJECT_ID, "ca_path": bad}
    with Simulator("empty", tls="ca") as tls:
        given.update(dcs_endpoint=tls.url)
        assert cloud_for({**given, "validate_certs": False}, {}).get("dcs", "v2", "instances").status == 200
        with pytest.raises(InvalidArgument, match="ca_path"):
            cloud_for(given, {}).get("dcs", "v2", "instances")


# Agencies


def agency(options: dict[str, Any], environ: dict[str, str] | None = None) -> dict[str, Any]:
    return resolve(options, environ).identity.agency


HW_AGENCY = {
    "HW_ASSUME_ROLE_AGENCY_NAME": "hw-agency",
    "HW_ASSUME_ROLE_DOMAIN_NAME": "hw-domain",
    "HW_ASSUME_ROLE_DURATION": "3600",
}


def test_an_agency_comes_from_no_farther_than_the_keys(home: Path) -> None:
    config(home, prod(agencyName="file-agency", agencyDomainId="file-id", agencyDomainName="ignored"))
    hw = {"agency_name": "hw-agency", "domain_name": "hw-domain", "duration_seconds": 3600}
    assert agency({}, {**OTHER, **HW_AGENCY}) == hw
    assert agency({}, {"HUAWEICLOUD_SDK_AK": "A", "HUAWEICLOUD_SDK_SK": "secret", **HW_AGENCY}) == hw
    assert agency(KEYS, HW_AGENCY) == {}
    assert agency({"profile": "prod"}, HW_AGENCY) == {
        "agency_name": "file-agency",
        "domain_id": "file-id",
        "duration_seconds": 3600,
    }
    assert agency({}, HW_AGENCY) == hw
    assert agency({**AGENCY, "assume_role_duration": 900}, {**OTHER, **HW_AGENCY}) == {
        "agency_name": names.AGENCY,
        "domain_name": names.PARTNER_DOMAIN,
        "duration_seconds": 900,
    }


def test_the_project_belongs_to_the_agency(home: Path) -> None:
    around = {**OTHER, "HW_PROJECT_ID": "p1"}
    assert "project_id" not in resolve(AGENCY, around).settings
    assert resolve({**AGENCY, "project_id": "p2"}, around).settings["project_id"] == "p2"
    assert resolve({}, {**around, **HW_AGENCY}).settings["project_id"] == "p1"
    agency = {"agencyName": names.AGENCY, "agencyDomainName": names.PARTNER_DOMAIN}
    keys = {"HW_ACCESS_KEY": "AKPROD", "HW_SECRET_KEY": "secret-of-prod", "HW_PROJECT_ID": "p1"}
    config(home, prod(accessKeyId="AKPROD", secretAccessKey="secret-of-prod"))
    assert resolve({"profile": "prod"}, keys).settings["project_id"] == "p1"
    config(home, prod(accessKeyId="AKPROD", secretAccessKey="secret-of-prod", **agency))
    assert "project_id" not in resolve({"profile": "prod"}, keys).settings  # of the account of the keys
    config(home, prod(accessKeyId="AKPROD", secretAccessKey="secret-of-prod", projectId="p3", **agency))
    assert resolve({"profile": "prod"}, keys).settings["project_id"] == "p3"


@pytest.mark.parametrize(
    ("options", "environ", "why"),
    [
        ({"assume_role_agency_name": "a"}, OTHER, "needs assume_role_domain_name or assume_role_domain_id"),
        ({"assume_role_domain_name": "d"}, OTHER, "assume_role_agency_name is missing"),
        ({"assume_role_agency_name": "a"}, {**OTHER, **HW_AGENCY}, "in the task options needs"),
        ({}, {**OTHER, "HW_ASSUME_ROLE_AGENCY_NAME": "a"}, "in the HW_\\* variables needs"),
        ({**AGENCY, "assume_role_duration": 899}, OTHER, "from 900 to 86400 seconds, not 899"),
        ({**AGENCY, "assume_role_duration": 86401}, OTHER, "from 900 to 86400 seconds, not 86401"),
        (
            {},
            {**OTHER, **HW_AGENCY, "HW_ASSUME_ROLE_DURATION": "1h"},
            "HW_ASSUME_ROLE_DURATION must be a whole number",
        ),
    ],
)
def test_half_an_agency_is_refused(options: dict[str, Any], environ: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        resolve(options, environ)


def test_an_agency_acts_in_its_account(sim: Simulator, made: Callable[..., Cloud]) -> None:
    redactor = Redactor()
    one = made(redactor=redactor, **KEYS, **AGENCY)
    assert one.project_id == names.PARTNER_PROJECT_ID
    assert len(read(one)) == 40
    assert [entry.operation for entry in sim.ledger] == [
        "iam.securitytokens",
        "iam.projects",
        "dcs.instances",
    ]
    sent = json.loads(sim.ledger[0].body)["auth"]["identity"]
    assert sent == {
        "methods": ["assume_role"],
        "assume_role": {"agency_name": names.AGENCY, "domain_name": names.PARTNER_DOMAIN},
    }
    assert "x-project-id" not in sim.ledger[0].headers
    key = list(sim.state.keys.values())[-1]
    assert {key.secret, key.security_token} <= redactor.forms
    assert one.identity()["source"] == f"agency {names.AGENCY} with the keys of task options"


def test_an_agency_of_a_profile_and_of_a_password(
    sim: Simulator, made: Callable[..., Cloud], home: Path
) -> None:
    keys = {"accessKeyId": names.ACCESS_KEY, "secretAccessKey": names.SECRET_KEY}
    config(
        home, prod(**keys, mode="AssumeRole", agencyName=names.AGENCY, agencyDomainId=names.PARTNER_DOMAIN_ID)
    )
    assert made(profile="prod").project_id == names.PARTNER_PROJECT_ID
    assert made(**LOGIN, **AGENCY).project_id == names.PARTNER_PROJECT_ID
    assert len(sim.requests("iam.token")) == 1


def test_temporary_keys_are_renewed_before_they_end(
    sim: Simulator, made: Callable[..., Cloud], time: Time
) -> None:
    one = made(**KEYS, **AGENCY, assume_role_duration=900)
    for dummy in range(9):
        for clone in (one, one.clone(), one.for_region("eu-west-101")):
            clone.settings["project_id"] = clone._caller.project = names.PARTNER_PROJECT_ID
            read(clone)
        time.passed += 299
    # in 40 minutes, for all clones and regions
    assert len(sim.requests("iam.securitytokens")) == 3
    assert {entry.status for entry in sim.ledger} == {200, 201}


def test_the_keys_of_the_server_are_renewed_before_they_end(
    sim: Simulator, made: Callable[..., Cloud], time: Time
) -> None:
    sim.state.instance_agency = Agency("of-the-server", names.DOMAIN_ID, names.DOMAIN_ID)
    with sim.state.lock:
        sim.state.settings.server_key_seconds = 3600
    one = made(use_instance_metadata=True)
    for dummy in range(13):
        assert len(read(one)) == 40
        time.passed += 599
    assert len(sim.requests("metadata.securitykey")) == 3  # in more than two hours
    assert {entry.status for entry in sim.ledger} == {200}


@pytest.mark.parametrize("skew", [-3600.0, 86400.0])
def test_the_life_of_temporary_keys_is_measured_by_the_servers_own_clock(skew: float, time: Time) -> None:
    """With a clock that is an hour or a day off, keys are neither renewed all the time nor expire."""
    time.passed = skew
    issued: list[float] = []

    def reply(sent: Any) -> Response:
        if not sent.url.endswith("/securitytokens"):
            return response(200, {"instances": []})
        server = NOW + time.passed - skew
        issued.append(server)
        ends = datetime.fromtimestamp(server + 900, timezone.utc)
        credential = {
            "access": f"AKTEMP{len(issued)}",
            "secret": "secret-of-temp",
            "securitytoken": "token-of-temp",
            "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return response(201, {"credential": credential}, date=formatdate(server, usegmt=True))

    one, dummy = cloud([reply], time, redactor=None, **AGENCY)
    for _round in range(10):
        one.get("dcs", "v2", "instances")
        time.passed += 150
    assert [round(moment - issued[0]) for moment in issued] == [0, 600, 1200]


@pytest.mark.parametrize(
    ("operation", "options"),
    [("iam.securitytokens", {**KEYS, **AGENCY}), ("metadata.securitykey", {"use_instance_metadata": True})],
)
def test_keys_that_still_work_outlast_what_renews_them(
    operation: str, options: dict[str, Any], sim: Simulator, made: Callable[..., Cloud], time: Time
) -> None:
    """A fault of it, or an agency that is gone for a while, must not end a wait."""
    sim.state.instance_agency = Agency("of-the-server", names.DOMAIN_ID, names.DOMAIN_ID)
    with sim.state.lock:
        sim.state.settings.server_key_seconds = 900
    one = made(**options)
    for status, kind in ((503, "server_error"), (404, "auth_failed"), (400, None)):
        assert len(read(one)) == 40
        time.passed += 700
        sim.fault("answer", operation, times=None, status=status, body={"error": {"code": status}})
        assert len(read(one)) == 40
        time.passed += 300  # they have ended
        with pytest.raises(CloudError, match=str(status)) as caught:
            read(one)
        assert kind in (None, caught.value.kind)
        sim.clear_faults()
        time.passed += caller_module.FAILURE_SHARED


def test_an_agency_that_cannot_be_assumed(sim: Simulator, made: Callable[..., Cloud]) -> None:
    sim.state.agencies.append(Agency("of-others", names.PARTNER_DOMAIN_ID, "another"))
    for name, kind in (("unknown", "auth_failed"), ("of-others", "denied")):
        one = made(**KEYS, **{**AGENCY, "assume_role_agency_name": name})
        with pytest.raises(
            CloudError, match=f"could not assume the agency '{name}' of the account 'partner-account'"
        ) as caught:
            read(one)
        assert caught.value.kind == kind
    assert not sim.requests("dcs.instances")


@pytest.mark.parametrize("trusts", [True, False])
def test_an_agency_that_assumes_itself(trusts: bool, sim: Simulator, made: Callable[..., Cloud]) -> None:
    """The server's own agency is also the one to assume: one request, and the response of IAM counts."""
    trusted = names.DOMAIN_ID if trusts else names.PARTNER_DOMAIN_ID
    sim.state.instance_agency = Agency("of-the-server", names.DOMAIN_ID, trusted)
    sim.state.agencies.append(sim.state.instance_agency)
    itself = {"assume_role_agency_name": "of-the-server", "assume_role_domain_id": names.DOMAIN_ID}
    one = made(use_instance_metadata=True, project_id=names.PROJECT_ID, **itself)
    if trusts:
        assert len(read(one)) == 40 and one.identity()["source"].startswith("agency of-the-server with")
    else:
        with pytest.raises(CloudError, match="agency 'of-the-server' of the account") as caught:
            read(one)
        assert caught.value.kind == "denied"
    asked = [entry.operation for entry in sim.ledger]
    assert asked[:2] == ["metadata.securitykey", "iam.securitytokens"]
    assert asked.count("iam.securitytokens") == 1


# The metadata of a cloud server


def test_the_keys_of_the_server(sim: Simulator, made: Callable[..., Cloud], home: Path) -> None:
    sim.state.instance_agency = Agency("of-the-server", names.DOMAIN_ID, names.DOMAIN_ID)
    config(home, {"name": "server", "mode": "ecsAgency", "projectId": names.PROJECT_ID})
    redactor = Redactor()
    one = made(redactor=redactor, use_instance_metadata=True)
    assert len(read(one)) == 40 and one.identity()["source"] == "instance metadata"
    assert len(read(made({"HW_USE_INSTANCE_METADATA": "1"}))) == 40
    one = made(profile="server", use_instance_metadata=True)
    assert len(read(one)) == 40 and one.identity()["source"].startswith(
        "instance metadata (profile server of"
    )
    assert list(sim.state.keys.values())[-3].secret in redactor.forms


def test_the_metadata_are_asked_for_only_when_the_task_says_so(home: Path) -> None:
    with pytest.raises(InvalidArgument, match="use_instance_metadata"):
        cloud([AssertionError("nothing may be sent")], access_key=None, secret_key=None)


def test_the_metadata_have_three_seconds_and_no_credentials(time: Time) -> None:
    refused = response(404, {"error": {"message": "none", "code": 404}})
    one, wire = cloud([refused], time, access_key=None, secret_key=None, use_instance_metadata=True)
    with pytest.raises(CloudError, match=r"only on a cloud .* ask for no token\. Give keys or a profile"):
        one.get("dcs", "v2", "instances")
    (sent,) = wire.sent
    assert (sent.url, sent.timeout) == (METADATA, 3.0)
    assert not {"Authorization", "X-Auth-Token", "X-Project-Id"} & sent.headers.keys()


@pytest.mark.parametrize(
    ("silent", "why"),
    [
        (False, "No connection to {} could be made (ConnectionRefusedError)."),
        (True, "{} did not respond completely within 0.3 s (TimeoutError)."),
    ],
    ids=["refused", "black hole"],
)
def test_metadata_that_do_not_answer(silent: bool, why: str, sim: Simulator, time: Time) -> None:
    """As on a machine that is no cloud server: one more try, and nothing is sent to any service."""
    sent: list[Request] = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if silent:
            server.listen()
        where, http = f"127.0.0.1:{server.getsockname()[1]}", Http()

        def send(request: Request) -> Response:
            sent.append(request)
            url = request.url.replace("169.254.169.254", where)
            return http(request._replace(url=url, timeout=0.3 if silent else request.timeout))

        places = {f"{service}_endpoint": sim.url for service in ("iam", "dcs", "ddm")}
        given = {"region": names.REGION, "use_instance_metadata": True, **places}
        one = cloud_for(given, {}, time.clock, None, send)
        with pytest.raises(TransportError) as caught:
            read(one)
    assert str(caught.value) == (
        f"{why.format(where)} use_instance_metadata works only on a cloud server (ECS) to which an agency is "
        "attached, and whose metadata ask for no token. Give keys or a profile instead."
    )
    assert (caught.value.kind, [(each.url, each.timeout) for each in sent]) == (
        "transport_error",
        [(METADATA, 3.0)] * 2,
    )
    assert sim.ledger == []


def test_no_proxy_on_the_way_to_the_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert proxy_for(METADATA) is None


# Wrong keys are tried once

WRONG = {
    "access_key": names.ACCESS_KEY,
    "secret_key": "not-the-secret-of-anybody",
    "project_id": names.PROJECT_ID,
}


def kinds(clouds: list[Cloud]) -> set[str]:
    """The results of one read of each, all at the same time."""

    def one(made: Cloud) -> str:
        start.wait()
        try:
            read(made)
        except CloudError as error:
            return error.kind
        return "read"

    start = threading.Barrier(len(clouds))
    with ThreadPoolExecutor(len(clouds)) as pool:
        return set(pool.map(one, clouds))


@pytest.mark.parametrize("late", [0.0, 1200.0, -1200.0])
def test_of_many_threads_in_many_regions_one_refused_signature_is_sent(
    late: float, sim: Simulator, made: Callable[..., Cloud], time: Time
) -> None:
    """The secret is wrong, or the clock 20 minutes off. More than five tries would lock the key."""
    options: dict[str, Any] = {**WRONG, "secret_key": names.SECRET_KEY} if late else WRONG
    right = time.clock
    time.clock = right._replace(now=lambda: NOW + time.passed + late)
    one = made(**options)
    time.clock = right
    rows = [{"region": region} for region in (None, "eu-west-101", names.REGION) for dummy in range(10)]
    assert kinds(clouds_for(one, rows)) == {"auth_failed"}
    assert len(sim.ledger) == 1
    assert kinds(clouds_for(one, rows)) == {"auth_failed"}
    assert len(sim.ledger) == 1
    assert len(read(made(**KEYS))) == 40, "the right key works right after"


def test_the_refusal_says_whose_keys_these_are_and_that_nothing_was_sent(made: Callable[..., Cloud]) -> None:
    one = made(
        {
            "HW_ACCESS_KEY": names.ACCESS_KEY,
            "HW_SECRET_KEY": "wrong-secret",
            "HW_PROJECT_ID": names.PROJECT_ID,
        }
    )
    texts = []
    for clone in (one.clone(), one.clone()):
        with pytest.raises(ApiError, match="The credentials came from HW_ACCESS_KEY") as caught:
            read(clone)
        assert (caught.value.kind, caught.value.facts["error_code"]) == ("auth_failed", "APIGW.0301")
        texts.append(str(caught.value))
    assert "not sent" not in texts[0] and texts[1].endswith("the cloud has already refused these keys.")


def test_a_locked_key_is_said_to_be_locked(sim: Simulator, made: Callable[..., Cloud], time: Time) -> None:
    for dummy in range(5):
        with pytest.raises(ApiError, match="verify aksk signature fail"):
            read(made(**WRONG))
    with pytest.raises(ApiError, match=r"locked for about five minutes.* Do not retry earlier"):
        read(made(**KEYS, project_id=names.PROJECT_ID))
    time.passed += 301
    assert len(read(made(**KEYS, project_id=names.PROJECT_ID))) == 40


def test_right_keys_go_side_by_side_once_they_are_known_to_be_right(
    sim: Simulator, made: Callable[..., Cloud]
) -> None:
    one = made(**KEYS, project_id=names.PROJECT_ID)
    assert kinds([one.clone() for dummy in range(16)]) == {"read"}
    assert len(sim.ledger) == 16


class Crowd:
    """A lock that says when so many threads have wanted it."""

    def __init__(self, size: int) -> None:
        self.size, self.count = size, itertools.count(1)
        self.complete, self.lock = threading.Event(), threading.RLock()

    def __enter__(self) -> None:
        if next(self.count) == self.size:
            self.complete.set()
        self.lock.acquire()

    def __exit__(self, *dummy: object) -> None:
        self.lock.release()


def test_a_server_that_does_not_respond_is_waited_for_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait for its response fail with it: in turn, 200 rows would take 200 times as long."""
    gate, crowd, sent = caller_module.Gate("the keys"), Crowd(16), list[int]()
    monkeypatch.setattr(gate, "_lock", crowd)

    def one(number: int) -> TransportError | None:
        try:
            with gate.passage():
                sent.append(number)
                assert crowd.complete.wait(60), "the others do not wait for this one"
                raise TransportError("no response within 60 s")
        except TransportError as error:
            return error

    with ThreadPoolExecutor(16) as pool:
        errors = [error for error in pool.map(one, range(16)) if error is not None]
    assert len(sent) == 1
    assert [error.sent for error in errors].count(False) == 15 and all(error.transient for error in errors)
    assert {str(error).rpartition(": ")[2] for error in errors} == {"no response within 60 s"}
    with gate.passage():  # each may try again
        pass


def test_a_fault_before_the_first_response_proves_nothing(sim: Simulator, made: Callable[..., Cloud]) -> None:
    one = made(**WRONG)
    sim.fault("answer", "dcs.instances", status=503)
    for kind in ("server_error", "auth_failed", "auth_failed"):
        with pytest.raises(CloudError) as caught:
            read(one.clone())
        assert caught.value.kind == kind
    assert len(sim.ledger) == 2


def test_a_policy_that_denies_one_call_is_not_a_refusal_of_the_keys(
    sim: Simulator, made: Callable[..., Cloud]
) -> None:
    one = made(**KEYS, project_id=names.PROJECT_ID)
    sim.fault(
        "answer", "dcs.instances", status=401, body={"error": {"code": "EPS.0003", "message": "policy"}}
    )
    with pytest.raises(CloudError, match=r"EPS\.0003"):
        read(one.clone())
    assert len(read(one.clone())) == 40


def test_keys_that_stop_working_are_not_tried_again(sim: Simulator, made: Callable[..., Cloud]) -> None:
    one = made(**KEYS, project_id=names.PROJECT_ID)
    read(one)
    sim.state.keys[names.ACCESS_KEY] = Key(names.ACCESS_KEY, "another secret")
    assert kinds([one]) == {"auth_failed"}
    asked = len(sim.ledger)
    assert kinds([one.clone() for dummy in range(8)]) == {"auth_failed"}
    assert len(sim.ledger) == asked


def test_a_wrong_password_is_tried_once_in_all_regions(sim: Simulator, made: Callable[..., Cloud]) -> None:
    one = made(username=names.USER, password="wrong-password", domain_name=names.DOMAIN)
    rows = [{"region": region} for region in (None, "eu-west-101") for dummy in range(6)]
    assert kinds(clouds_for(one, rows)) == {"auth_failed"}
    assert len(sim.ledger) == 1


# Profiles of rows


def test_a_row_may_act_as_a_profile(sim: Simulator, made: Callable[..., Cloud], home: Path) -> None:
    keys = {"accessKeyId": names.ACCESS_KEY, "secretAccessKey": names.SECRET_KEY}
    config(home, {"name": "prod", "region": "eu-west-101", **keys, "projectId": names.PROJECT_ID})
    one = made(auth_token="a-token-of-another", region=names.REGION)
    rows = [
        {"profile": "prod"},
        {"profile": "prod"},
        {"profile": "prod", "region": names.REGION},
        {"profile": ""},
        {},
    ]
    clouds = clouds_for(one, rows)
    assert [made.region for made in clouds] == ["eu-west-101", "eu-west-101", *[names.REGION] * 3]
    assert len({id(made._caller) for made in clouds}) == 3
    assert [made.identity()["source"].partition(" of ")[0] for made in clouds] == [
        *["profile prod"] * 3,
        *["task options"] * 2,
    ]
    assert len(read(clouds[0])) == 40
    with pytest.raises(InvalidArgument, match="profile 'gone' is not in"):
        clouds_for(one, [{"profile": "gone"}])


def test_the_rows_of_a_profile_are_one_caller(sim: Simulator, made: Callable[..., Cloud], home: Path) -> None:
    """More than five refused signatures lock its key, and each row would look its project up."""
    config(home, prod(region=names.REGION))
    one = made(access_key=names.ACCESS_KEY, secret_key=names.SECRET_KEY)
    rows = [{"profile": "prod", "region": region} for region in (None, names.REGION, "eu-west-101")] * 10
    assert kinds(clouds_for(one, rows)) == {"auth_failed"}
    assert len(sim.ledger) == 1
    keys = {"accessKeyId": names.ACCESS_KEY, "secretAccessKey": names.SECRET_KEY}
    config(home, {"name": "prod", "region": "eu-west-101", **keys})
    assert kinds(clouds_for(one, [{"profile": "prod", "region": names.REGION}] * 10)) == {"read"}
    assert len(sim.requests("iam.projects")) == 2, "the refused one, and one for all rows"


# Account and project


def test_who_calls(sim: Simulator, made: Callable[..., Cloud]) -> None:
    whole = {
        "domain_id": names.DOMAIN_ID,
        "domain_name": names.DOMAIN,
        "project_id": names.PROJECT_ID,
        "project_name": names.REGION,
        "region": names.REGION,
        "source": "task options",
    }
    one = made(**KEYS)
    assert one.identity() == whole
    assert one.clone().identity() == whole
    assert [entry.operation for entry in sim.ledger] == ["iam.projects", "iam.domains"]
    assert made(**KEYS, project_id=names.PROJECT_ID).identity() == whole
    sim.reset()
    assert made(**LOGIN).identity() == whole
    assert [entry.operation for entry in sim.ledger] == ["iam.token"]


def test_what_iam_does_not_report_is_unknown(sim: Simulator, made: Callable[..., Cloud], time: Time) -> None:
    sim.fault("forbidden", "iam.projects", times=None)
    sim.fault("forbidden", "iam.domains", times=None)
    one = made(**KEYS, project_id=names.PROJECT_ID)
    assert one.identity() == {
        "domain_id": "unknown",
        "domain_name": "unknown",
        "project_id": names.PROJECT_ID,
        "project_name": "unknown",
        "region": names.REGION,
        "source": "task options",
    }
    assert len(read(one)) == 40
    sim.clear_faults()
    sim.fault("answer", "*", times=None, status=503)
    assert made(**KEYS).identity()["project_id"] == "unknown"
    assert time.slept == []
    unknown = cloud_for({**KEYS, "dcs_endpoint": sim.url}, {}, time.clock).identity()
    assert set(unknown.values()) == {"unknown", "task options"}


@pytest.mark.parametrize("known", [True, False])
def test_of_several_accounts_only_that_of_the_project_is_shown(
    known: bool, sim: Simulator, made: Callable[..., Cloud]
) -> None:
    """A caller may use several. A name that is not certain would vouch for the wrong account in a plan."""

    def add(true: wire.Response) -> wire.Response:
        true.data["domains"].insert(0, {"id": names.PARTNER_DOMAIN_ID, "name": names.PARTNER_DOMAIN})
        return true

    sim.fault("mutate", "iam.domains", times=None, function=add)
    if not known:
        sim.fault("rewrite", "iam.projects", times=None, key="domain_id", value=None)
    found = made(**KEYS).identity()
    shown = (names.DOMAIN_ID, names.DOMAIN) if known else ("unknown", "unknown")
    assert (found["domain_id"], found["domain_name"]) == shown


@pytest.mark.parametrize(("given", "key"), [({}, "name"), ({"project_id": names.PROJECT_ID}, "id")])
def test_a_token_for_another_project_is_not_used(
    given: dict[str, str], key: str, sim: Simulator, made: Callable[..., Cloud]
) -> None:
    """The task would go on in the project of the response."""
    sim.fault("rewrite", "iam.token", times=None, key=key, value=names.OTHER_PROJECT_ID)
    with pytest.raises(ProtocolError, match=f"the response is about '{names.OTHER_PROJECT_ID}'"):
        read(made(**LOGIN, **given))
    assert [entry.operation for entry in sim.ledger] == ["iam.token"]


def test_a_project_of_another_name_is_not_used(sim: Simulator, made: Callable[..., Cloud]) -> None:
    """A server may ignore the name in the query."""
    sim.fault("rewrite", "iam.projects", times=None, key="name", value=f"{names.REGION}_other")
    with pytest.raises(CloudError, match=f"IAM lists 0 projects named '{names.REGION}'"):
        read(made(**KEYS))
    assert not sim.requests("dcs.instances")


@pytest.mark.parametrize("name", [names.DISABLED_PROJECT_NAME, names.DOMAIN])
def test_a_project_that_cannot_be_used_is_not_taken(
    name: str, sim: Simulator, made: Callable[..., Cloud]
) -> None:
    why = f"IAM lists 0 projects named '{name}' that are enabled and not the account's; .*HW_PROJECT_ID"
    with pytest.raises(CloudError, match=why):
        read(made(**KEYS, project_name=name))
    assert not sim.requests("dcs.instances")


def test_names_in_variables_and_profiles_have_one_spelling(home: Path) -> None:
    """A file system or a keyboard may write one letter as two characters."""
    around = {"HW_ACCESS_KEY": "AKPROD", "HW_SECRET_KEY": "secret-of-prod"}
    given = {"HW_PROJECT_NAME": "eu_Zu\u0308rich", "HW_ASSUME_ROLE_AGENCY_NAME": "Bu\u0308ro"}
    found = resolve({}, {**around, **given, "HW_ASSUME_ROLE_DOMAIN_NAME": "Ko\u0308ln"})
    assert found.settings["project_name"] == "eu_Z\u00fcrich"
    assert found.identity.agency == {"agency_name": "B\u00fcro", "domain_name": "K\u00f6ln"}
    config(home, prod(agencyName="Bu\u0308ro", agencyDomainName="Ko\u0308ln"))
    assert resolve({"profile": "prod"}, {}).identity.agency == found.identity.agency


def test_iam_that_forbids_listing_projects(sim: Simulator, made: Callable[..., Cloud]) -> None:
    sim.fault("forbidden", "iam.projects", times=None)
    advice = r"Give project_id, in the task or beside the keys \(HW_PROJECT_ID\): .* My Credentials"
    with pytest.raises(CloudError, match=advice) as caught:
        read(made(**KEYS))
    assert caught.value.kind == "denied"


ELSEWHERE = "0" * 32


@pytest.mark.parametrize(
    ("allowed", "operations"),
    [
        ({"allowed_project_ids": [names.PROJECT_ID]}, ["dcs.instances"]),
        ({"allowed_project_ids": [ELSEWHERE, names.PROJECT_ID]}, ["dcs.instances"]),
        ({"allowed_domain_ids": [names.DOMAIN_ID]}, ["iam.projects", "dcs.instances"]),
        ({"allowed_project_ids": None, "allowed_domain_ids": None}, ["dcs.instances"]),
    ],
)
def test_what_is_allowed_goes_on(
    allowed: dict[str, Any], operations: list[str], sim: Simulator, made: Callable[..., Cloud]
) -> None:
    one = made(**KEYS, project_id=names.PROJECT_ID, **allowed)
    assert len(read(one)) == 40
    assert len(read(one.clone())) == 40
    assert [entry.operation for entry in sim.ledger] == [*operations, "dcs.instances"]


@pytest.mark.parametrize(
    ("allowed", "asked"),
    [
        ({"allowed_project_ids": [ELSEWHERE]}, 0),
        ({"allowed_domain_ids": [names.PARTNER_DOMAIN_ID]}, 1),
        ({"allowed_project_ids": [names.PROJECT_ID], "allowed_domain_ids": [ELSEWHERE]}, 1),
    ],
)
def test_everything_else_is_refused_before_any_other_request(
    allowed: dict[str, Any], asked: int, sim: Simulator, made: Callable[..., Cloud]
) -> None:
    one = made(**KEYS, project_id=names.PROJECT_ID, **allowed)
    assert one.identity()["project_id"] == names.PROJECT_ID  # as restore_start shows it first
    with pytest.raises(CloudError, match=r"lead to the .* which is not in allowed_") as caught:
        read(one)
    assert caught.value.kind == "denied" and "task options" in str(caught.value)
    assert str(caught.value).endswith("No other request was sent.")
    with pytest.raises(CloudError, match="not in allowed_"):
        one.clone().post_once("dcs", "v2", "instances", names.DCS_INSTANCE, "restores", body={})
    assert [entry.operation for entry in sim.ledger] == ["iam.projects"] * asked


@pytest.mark.parametrize(
    "other", [{"key": "domain_id", "value": None}, {"key": "id", "value": names.OTHER_PROJECT_ID}]
)
def test_an_account_that_iam_does_not_report_is_refused(
    other: dict[str, Any], sim: Simulator, made: Callable[..., Cloud]
) -> None:
    """The account of another project says nothing about this one."""
    sim.fault("rewrite", "iam.projects", times=None, **other)
    one = made(**KEYS, project_id=names.PROJECT_ID, allowed_domain_ids=[names.DOMAIN_ID])
    with pytest.raises(CloudError, match=r"an unknown account \(IAM does not report it\)"):
        read(one)
    assert not sim.requests("dcs.instances")


def test_an_account_that_cannot_be_checked_is_refused(sim: Simulator, made: Callable[..., Cloud]) -> None:
    sim.fault("forbidden", "iam.projects", times=None)
    one = made(**KEYS, project_id=names.PROJECT_ID, allowed_domain_ids=[names.DOMAIN_ID])
    with pytest.raises(
        CloudError, match=r"allowed_domain_ids could not be checked\. No other request was sent"
    ):
        read(one)
    assert not sim.requests("dcs.instances")


def test_a_list_of_allowed_ids_without_an_id_allows_nothing_by_accident(
    made: Callable[..., Cloud],
) -> None:
    for name in ("allowed_project_ids", "allowed_domain_ids"):
        with pytest.raises(InvalidArgument, match=f"{name} holds a blank entry"):
            made(**KEYS, **{name: [" "]})
        with pytest.raises(InvalidArgument, match=f"{name} is an empty list"):
            made(**KEYS, **{name: []})


@pytest.mark.parametrize(
    ("operation", "member", "options", "text"),
    [
        ("iam.projects", "projects", KEYS, "IAM sent a response without the list 'projects'"),
        (
            "iam.securitytokens",
            "credential",
            {**KEYS, **AGENCY},
            f"The response has no usable keys of the agency '{names.AGENCY}' of the account ",
        ),
        ("iam.token", "token", LOGIN, "The response of IAM has no token"),
    ],
)
def test_a_malformed_response_of_iam_is_not_one_about_the_list_that_is_read(
    operation: str,
    member: str,
    options: dict[str, Any],
    text: str,
    sim: Simulator,
    made: Callable[..., Cloud],
) -> None:
    sim.fault("rewrite", operation, times=None, key=member, missing=True)
    with pytest.raises(ProtocolError, match=f"^{text}"):
        Dcs(made(**options)).instances()
