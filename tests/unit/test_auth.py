# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures: against the vendor's vectors and signer, and as part of a whole request."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import auth
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor

from .fakes import NOW, PROJECT, cloud, response

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "contract" / "signing_vectors.json").read_text(encoding="utf-8")
)
STAMP = datetime.strptime(VECTORS["x_sdk_date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
AK, SK = VECTORS["access_key"], VECTORS["secret_key"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_eight_vectors(vector: dict[str, Any]) -> None:
    query = auth.query_string(list(map(tuple, vector["query"])))
    uri = vector["path"] + ("?" + query if query else "")
    added = auth.signed(
        vector["method"],
        f"https://{vector['host']}{uri}",
        vector["headers"],
        vector["body"].encode(),
        AK,
        SK,
        STAMP,
    )
    names = ";".join(sorted(name.lower() for name in [*vector["headers"], "Host", "X-Sdk-Date"]))
    assert uri == vector["sent_uri"]
    assert added == {
        "Host": vector["host"],
        "X-Sdk-Date": VECTORS["x_sdk_date"],
        "Authorization": f"SDK-HMAC-SHA256 Access={AK}, SignedHeaders={names}, "
        f"Signature={vector['signature']}",
    }


odd = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "aZ09-_.~ /%+&=?#é中*()", max_size=12
)
segments = st.text(st.sampled_from("aZ09-_.~%+()é中 :@"), max_size=10).map(
    lambda text: text.replace("%", "%25").replace(" ", "%20")
)


@given(
    method=st.sampled_from(["GET", "POST"]),
    host=st.sampled_from(["dcs.ap-southeast-3.myhuaweicloud.com", "127.0.0.1:37081", "[::1]:8443"]),
    path=st.lists(segments, min_size=1, max_size=5).map(lambda parts: "/v2/" + "/".join(parts)),
    query=st.lists(st.tuples(st.text("abcXYZ_09é &=", min_size=1, max_size=8), odd), max_size=5),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "X-Project-Id", "X-Security-Token", "x_left_out"]),
        st.text("abc /+=;", max_size=20),
    ),
    body=st.binary(max_size=50),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=40),
    now=st.integers(0, 4_000_000_000),
)
def test_the_vendors_signer_agrees(
    method: str,
    host: str,
    path: str,
    query: list[tuple[str, str]],
    headers: dict[str, str],
    body: bytes,
    secret: str,
    now: int,
) -> None:
    headers = {**headers, **({"Content-Type": "application/json"} if "Content-Type" in headers else {})}
    text = auth.query_string(query)
    added = auth.signed(
        method, f"https://{host}{path}" + ("?" + text if text else ""), headers, body, AK, secret, now
    )
    stamp = datetime.fromtimestamp(now, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    request = SdkRequest(
        method, "https", host, path, None, list(query), {**headers, "X-Sdk-Date": stamp}, body
    )
    signed = Signer(BasicCredentials(AK, secret, PROJECT)).sign(request)
    assert signed.uri == path + ("?" + text if text else "")
    assert added["Authorization"] == signed.header_params["Authorization"]


@given(st.lists(st.tuples(odd.filter(bool), odd), max_size=6))
def test_what_is_signed_is_what_is_sent(pairs: list[tuple[str, str]]) -> None:
    """The URL has the query as it was signed, so parsing and sorting it again must not change it."""
    from urllib.parse import parse_qsl

    text = auth.query_string(pairs)
    assert auth.query_string(parse_qsl(text, keep_blank_values=True)) == text
    assert text.isascii()


def test_userinfo_never_becomes_the_host() -> None:
    assert (
        auth.signed("GET", "https://user:secret@host.example/x", {}, b"", AK, SK, NOW)["Host"]
        == "host.example"
    )


# As part of a request


def test_keys_sign_every_request_and_hide_a_signature_that_comes_back() -> None:
    redactor = Redactor()
    made, wire = cloud(
        [lambda sent: response(200, {"echo": sent.headers["Authorization"]})],
        redactor=redactor,
        security_token="temporary/token+of==the+test",
    )
    made.get("dcs", "v2", "instances", query={"limit": 10, "name": "a b", "status": None})
    (sent,) = wire.sent
    assert (
        sent.url == f"https://dcs.ap-southeast-3.myhuaweicloud.com/v2/{PROJECT}/instances?limit=10&name=a%20b"
    )
    headers = {
        "Content-Type": "application/json",
        "X-Project-Id": PROJECT,
        "X-Security-Token": "temporary/token+of==the+test",
    }
    assert headers.items() <= sent.headers.items()
    expected = auth.signed(
        "GET", sent.url, headers, b"", "AKUNITTEST0000000001", "sk-unit-test-0123456789abcdefghijklmnop", NOW
    )
    assert expected.items() <= sent.headers.items()
    assert {
        "sk-unit-test-0123456789abcdefghijklmnop",
        "temporary/token+of==the+test",
        expected["Authorization"].rpartition("=")[2],
    } <= redactor.forms
    assert "X-Auth-Token" not in sent.headers


def test_the_body_that_is_sent_is_the_body_that_is_signed() -> None:
    made, wire = cloud([response(200, {"restore_id": "x"})])
    made.post_once("dcs", "v2", "instances", "i", "restores", body={"remark": "é中", "backup_id": "b"})
    (sent,) = wire.sent
    assert sent.body == '{"remark": "é中", "backup_id": "b"}'.encode()
    signed = {name: sent.headers[name] for name in ("Content-Type", "X-Project-Id")}
    made_again = auth.signed(
        "POST",
        sent.url,
        signed,
        sent.body or b"",
        "AKUNITTEST0000000001",
        "sk-unit-test-0123456789abcdefghijklmnop",
        NOW,
    )
    assert sent.headers["Authorization"] == made_again["Authorization"]
    assert sent.fresh and made.may_have_changed


def test_a_token_goes_into_its_own_header() -> None:
    made, wire = cloud(
        [response(200, {})], auth_token="given-token-of-the-user", project_id=PROJECT, region="ap-southeast-3"
    )
    made.get("ddm", "v3", "backups")
    assert wire.sent[0].headers["X-Auth-Token"] == "given-token-of-the-user"
    assert "Authorization" not in wire.sent[0].headers
    assert made.renew() is False


LOGIN: dict[str, Any] = {
    "username": "operator",
    "password": "pa ss\u00e9",
    "domain_name": "account",
    "region": "ap-southeast-3",
}


def token_response(value: str, project: Any = PROJECT) -> Any:
    return response(201, {"token": {"project": {"id": project}}}, x_subject_token=value)


def test_a_password_is_exchanged_for_a_token_once() -> None:
    redactor = Redactor()
    made, wire = cloud([token_response("token-one"), response(200, {})], redactor=redactor, **LOGIN)
    made.get("dcs", "v2", "instances")
    made.get("dcs", "v2", "instances")
    assert [(sent.method, sent.url.partition("?")[0]) for sent in wire.sent] == [
        ("POST", "https://iam.ap-southeast-3.myhuaweicloud.com/v3/auth/tokens"),
        *[("GET", f"https://dcs.ap-southeast-3.myhuaweicloud.com/v2/{PROJECT}/instances")] * 2,
    ]
    body = json.loads(wire.sent[0].body or b"")
    assert body["auth"]["identity"]["password"]["user"] == {
        "name": "operator",
        "password": "pa ss\u00e9",
        "domain": {"name": "account"},
    }
    assert body["auth"]["scope"] == {"project": {"name": "ap-southeast-3"}}
    assert wire.sent[2].headers["X-Auth-Token"] == "token-one"
    assert {"token-one", "pa ss\u00e9"} <= redactor.forms
    assert not made.may_have_changed


def test_an_expired_token_is_renewed_once_and_no_more() -> None:
    expired = response(401, {"error_code": "APIGW.0307", "error_msg": "The token must be updated."})
    made, wire = cloud(
        [token_response("token-one"), expired, token_response("token-two"), response(200, {})], **LOGIN
    )
    assert made.get("dcs", "v2", "instances").status == 200
    assert wire.sent[-1].headers["X-Auth-Token"] == "token-two"

    made, wire = cloud([token_response("token-one"), expired, token_response("token-two"), expired], **LOGIN)
    with pytest.raises(Exception, match=r"APIGW\.0307"):
        made.get("dcs", "v2", "instances")
    assert len(wire.sent) == 4


@pytest.mark.parametrize(
    "reply",
    [
        token_response(""),
        token_response("abc"),
        token_response("token-one", None),
        response(201, {}, x_subject_token="token-one"),
        response(201, []),
    ],
)
def test_a_response_of_iam_without_a_token_is_refused(reply: Any) -> None:
    made, dummy = cloud([reply], **LOGIN)
    with pytest.raises(Exception, match="has no token"):
        made.get("dcs", "v2", "instances")


def test_the_project_is_looked_up_by_its_exact_name() -> None:
    projects = [{"id": "p1", "name": "ap-southeast-3_staging"}, {"id": "p2", "name": "ap-southeast-3"}]
    made, wire = cloud([response(200, {"projects": projects}), response(200, {})], project_id=None)
    made.get("dcs", "v2", "instances")
    assert wire.sent[0].url == "https://iam.ap-southeast-3.myhuaweicloud.com/v3/projects?name=ap-southeast-3"
    assert "/v2/p2/instances" in wire.sent[1].url
    assert "X-Project-Id" not in wire.sent[0].headers


@pytest.mark.parametrize(
    "projects",
    [
        [],
        [{"id": "p1", "name": "other"}],
        [{"id": "p1", "name": "n"}, {"id": "p2", "name": "n"}],
        [{"id": "../x", "name": "n"}],
    ],
)
def test_no_project_or_several_are_an_error(projects: list[Any]) -> None:
    made, dummy = cloud([response(200, {"projects": projects})], project_id=None, project_name="n")
    with pytest.raises(Exception, match="one is needed") as caught:
        made.get("dcs", "v2", "instances")
    assert getattr(caught.value, "kind", None) == "not_found"
