# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error bodies in every real shape, codes in one spelling, and what each means."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import errors
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import (
    ADVICE,
    BY_STATUS,
    DENIAL,
    GATEWAY,
    LONGEST,
    Code,
    advice,
    error_in,
    is_code,
    kind_of,
    normal_code,
    parse_error,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    NotFound,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import codes as dcs_codes
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import codes as ddm_codes

from .fakes import KNOWN, NOW, Time, api_error, cloud, response

RESTORE_DENIED = "policy doesn't allow dcs:instance:restoreData"
SHAPES: list[tuple[str, int, Any, str | None, str, str | None]] = [
    # which, status, body, code, a piece of the message, request ID in the body
    (
        "1 DCS v2",
        400,
        {"error_code": "DCS.4800", "error_msg": "Invalid parameter.", "error_ext_msg": None},
        "DCS.4800",
        "Invalid parameter.",
        None,
    ),
    (
        "2 DDM v3",
        400,
        {"error_msg": "Parameter error.", "error_code": "DBS.280001"},
        "DBS.280001",
        "Parameter error.",
        None,
    ),
    (
        "3 DDM v1",
        400,
        {"errCode": "DBS.300101", "externalMessage": "No such schema."},
        "DBS.300101",
        "No such schema.",
        None,
    ),
    (
        "4 DCS v1",
        400,
        {"error": {"code": "DCS.4927", "message": "Not so.", "ext_message": None}},
        "DCS.4927",
        "Not so.",
        None,
    ),
    (
        "5 gateway",
        401,
        {
            "error_msg": "Incorrect IAM authentication information: x",
            "error_code": "APIGW.0301",
            "request_id": "a" * 32,
        },
        "APIGW.0301",
        "Incorrect IAM",
        "a" * 32,
    ),
    (
        "6 Keystone",
        401,
        {"error": {"message": "Unauthorized.", "code": 401, "title": "Unauthorized"}},
        "401",
        "Unauthorized.",
        None,
    ),
    (
        "7 policy as 401",
        401,
        {"error": {"code": "EPS.0003", "message": RESTORE_DENIED}},
        "EPS.0003",
        RESTORE_DENIED,
        None,
    ),
    ("8a SDK", 500, {"errorCode": "X.0001", "errorMsg": "Broken."}, "X.0001", "Broken.", None),
    ("8b SDK", 500, {"code": "X.0002", "message": "Broken too."}, "X.0002", "Broken too.", None),
    ("9a empty", 502, b"", None, "the response is not from the API", None),
    (
        "9b HTML",
        503,
        b"<html><head><title>Proxy &amp; co</title></head></html>",
        None,
        "(a page titled 'Proxy &amp; co')",
        None,
    ),
    ("9c text", 504, b"upstream timed out", None, "the response is not from the API", None),
]


@pytest.mark.parametrize(
    ("status", "body", "code", "message", "request_id"),
    [shape[1:] for shape in SHAPES],
    ids=[shape[0] for shape in SHAPES],
)
def test_every_shape(status: int, body: Any, code: str | None, message: str, request_id: str | None) -> None:
    made, dummy = cloud([response(status, body)], max_retries=0)
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances")
    details = caught.value.details()
    assert details.get("error_code") == code
    assert details.get("request_id") == request_id
    assert details["http_status"] == status
    assert details["changed"] is False
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("GET https://dcs.ap-southeast-3.myhuaweicloud.com/v2/")
    if code:
        assert code in str(caught.value)


def test_a_code_is_cut() -> None:
    made, dummy = cloud([response(400, {"error_code": "x" * 100, "error_msg": "x"})], max_retries=0)
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances")
    assert caught.value.details()["error_code"] == "x" * 64 + "..."


def test_the_request_id_of_the_header_wins() -> None:
    made, dummy = cloud(
        [
            response(
                400,
                {"error_code": "DCS.4002", "error_msg": "x", "request_id": "body"},
                X_Request_Id="header\x1b[2J",
            )
        ],
        max_retries=0,
    )
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances")
    assert caught.value.details()["request_id"] == "header\\x1b[2J"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"error_code": "", "error_msg": "", "error": {"code": "DCS.1001", "message": "m"}},
            ("DCS.1001", "m", None),
        ),
        ({"error": {"code": "DCS.1001", "message": "m"}, "request_id": "r"}, ("DCS.1001", "m", "r")),
        (
            {"error": {"code": "DCS.1001", "message": "m", "request_id": "inner"}, "request_id": "r"},
            ("DCS.1001", "m", "inner"),
        ),
        ({"error_code": "", "errCode": "DBS.1", "error_msg": "", "message": "m"}, ("DBS.1", "m", None)),
        ({"error": {"message": "only a message"}}, (None, "only a message", None)),
        ({"error_code": ["DCS.1"], "error_msg": {"a": 1}}, (None, None, None)),
        ({"a": {"b": {"error_code": "DCS.1001"}}}, (None, None, None)),
        ([{"error_code": "DCS.1001"}], (None, None, None)),
        (None, (None, None, None)),
        ("DCS.1001", (None, None, None)),
    ],
)
def test_odd_bodies(body: Any, expected: tuple[str | None, str | None, str | None]) -> None:
    assert parse_error(body)[:3] == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
names = st.sampled_from(["error_code", "errCode", "code", "error_msg", "message", "error", "request_id"])


@given(
    json_values
    | st.dictionaries(names, json_values | st.dictionaries(names, json_values, max_size=4), max_size=4)
)
def test_no_body_breaks_the_parser(body: Any) -> None:
    for part in parse_error(json.loads(json.dumps(body))):
        assert part is None or isinstance(part, str)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("DCS.4097", "DCS.4097"),
        ("DCS. 4855", "DCS.4855"),
        ("APIG.0308", "APIGW.0308"),
        ("APIGW.0308", "APIGW.0308"),
        ("111400017", "DCS.4017"),
        ("111400097", "DCS.4097"),
        ("111401001", "DCS.1001"),
        ("111403002", "DCS.3002"),
        ("111404022", "DCS.3022"),
        ("111404001", "DCS.4001"),
        ("111405003", "DCS.5003"),
        ("111500024", "DCS.5024"),
        ("111600024", "111600024"),
        ("1114000170", "1114000170"),
        ("401", "401"),
        ("dcs.4097", "DCS.4097"),
        ("apig.0308", "APIGW.0308"),
        ("pdp5.0001", "PDP5.0001"),
        ("Common.0011", "Common.0011"),
        ("a secret/of two", "a secret/of two"),
        ("dcs.08.0001", "dcs.08.0001"),
        (None, None),
    ],
)
def test_codes_have_one_spelling(written: str | None, normal: str | None) -> None:
    assert normal_code(written) == normal


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "APIGW.0301", "auth_failed"),
        (401, "APIGW.0307", "auth_failed"),
        (401, "DCS.1001", "auth_failed"),
        (401, "DCS.1004", "denied"),  # the token is for another project: signing in again cannot help
        (401, None, "auth_failed"),
        (403, "DCS.2003", "denied"),
        (404, "DCS.3022", "not_found"),
        (404, "APIGW.0101", "wrong_endpoint"),
        (404, "DCS.4001", "wrong_endpoint"),
        (404, "DBS.200602", "not_found"),
        (400, "DBS.300400", "not_found"),
        (400, "DBS.280110", "not_found"),
        (400, "DCS.4087", "not_restorable"),
        (400, "DBS.300372", "not_restorable"),
        (400, "DCS.4098", "invalid_argument"),
        (400, "DBS.280001", "invalid_argument"),
        *[
            (400, f"DCS.{number}", "busy")
            for number in (
                4017,
                4026,
                4049,
                4096,
                4097,
                4104,
                4111,
                4113,
                4114,
                4115,
                4116,
                4117,
                4118,
                4120,
                4121,
                4231,
                4975,
            )
        ],
        (409, "DBS.200019", "busy"),
        (409, "DBS.212033", "busy"),
        (400, "CBC.99003651", "busy"),
        (429, "APIGW.0308", "throttled"),
        (429, None, "throttled"),
        (408, None, "server_error"),
        (500, "DCS.5000", "server_error"),
        (503, None, "server_error"),
        (302, None, "unexpected_redirect"),
        (400, "DCS.9999", "rejected"),
        (418, None, "rejected"),
        (401, "EPS.0003", "denied"),
        (400, "DCS.4002", "rejected"),  # not the instance: to give its name would not help
    ],
)
def test_kinds(status: int, code: str | None, kind: str) -> None:
    assert kind_of(status, code, KNOWN) == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *(
            (status, "protocol_error")
            for status in (400, 401, 403, 404, 407, 413, 414, 418, 431, 451, 494, 499)
        ),
        (408, "server_error"),
        (429, "throttled"),
        (502, "server_error"),
        (302, "unexpected_redirect"),
    ],
)
def test_the_kind_of_a_page_that_is_not_from_the_api(status: int, kind: str) -> None:
    """The service has not refused anything: what the page of a proxy says of it is no advice."""
    assert kind_of(status, None, KNOWN, by_api=False) == kind


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error_code": "DCS.4097", "error_msg": "restoring"}, " (DCS.4097: restoring)"),
        ({"error": {"code": "DCS.5000", "message": "m" * 301}}, " (DCS.5000)"),
        ({"message": "busy"}, " (busy)"),
        ({"total_num": 3}, ""),
        (None, ""),
        ([1], ""),
    ],
)
def test_what_a_success_says_of_an_error(body: Any, text: str) -> None:
    assert error_in(body) == text


TABLES = {"GATEWAY": GATEWAY, "DCS": dcs_codes.CODES, "DDM": ddm_codes.CODES}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_codes(table: str) -> None:
    kinds = {*BY_STATUS.values(), "invalid_argument", "not_restorable", "wrong_endpoint", "busy", "rejected"}
    for code, known in TABLES[table].items():
        assert normal_code(code) == code and is_code(code)
        assert known.kind in kinds, code
        assert known.meaning[0].islower() and known.meaning[-1] != ".", code
        assert known.advice == "" or known.advice.endswith("."), code
    others = [codes for name, codes in TABLES.items() if name != table]
    assert not any(TABLES[table].keys() & codes.keys() for codes in others)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, {"error_msg": "Action Forbidden"}, "returned HTTP 403: Action Forbidden. Give the user"),
        (403, {}, "returned HTTP 403 and no reason. Give the user"),
        (403, {"error": {"code": 403, "message": "Forbidden"}}, "returned HTTP 403: Forbidden. Give"),
        (400, {"error_code": "DCS.4096"}, "returned HTTP 400 DCS.4096: the instance is being backed up."),
        (400, {"error_code": "DCS.4999"}, "returned HTTP 400 DCS.4999: no reason given."),
        (400, {"error_code": "dcs.4096", "error_msg": "Busy."}, "returned HTTP 400 DCS.4096: Busy."),
        (403, b"null", "returned HTTP 403; the response is not from the API."),
    ],
)
def test_an_error_without_a_code_or_a_message(status: int, body: Any, said: str) -> None:
    made, dummy = cloud([response(status, body)], max_retries=0)
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances", known=KNOWN)
    assert said in str(caught.value)
    assert "None" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("body", [b"<title>Zscaler</title>", b"null", b"[]", b"Blocked."])
def test_a_page_of_a_proxy_is_not_a_response_of_the_cloud(status: int, body: bytes) -> None:
    good = response(200, {"instances": []})
    made, dummy = cloud([response(status, body), good], max_retries=0)
    with pytest.raises(ApiError, match=r"not from the API.*Check the endpoint, and any proxy") as caught:
        made.get("dcs", "v2", "instances", known=KNOWN)
    assert caught.value.kind == "protocol_error"
    assert not re.search("permission|keys|does not exist", str(caught.value))
    made.get("dcs", "v2", "instances", known=KNOWN)  # the keys were not refused


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(401, b"", "auth_failed"), (401, {}, "auth_failed"), (403, {}, "denied"), (403, b"", "protocol_error")],
)
def test_an_empty_response_may_still_be_from_the_cloud(status: int, body: Any, kind: str) -> None:
    made, dummy = cloud([response(status, body)], max_retries=0)
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances", known=KNOWN)
    assert caught.value.kind == kind


@pytest.mark.parametrize("inner", [True, False])
def test_a_denial_that_an_administrator_can_decode(inner: bool) -> None:
    denial = {"encoded_authorization_message": "XYZ" * 700}
    body = {"error_code": "PDP5.0001", "error_msg": "Denied."}
    made, dummy = cloud([response(403, {"error": {**body, **denial}} if inner else {**body, **denial})])
    with pytest.raises(ApiError, match="An administrator can decode") as caught:
        made.get("dcs", "v2", "instances")
    assert caught.value.kind == "denied"
    assert caught.value.details()["encoded_authorization_message"] == "XYZ" * 700


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("instances", "i1"), "DDM instance i1"),
        (("instances", "i1", "backups", "related-dn"), "DDM instance i1"),
        (("jobs", "j1"), "DDM job j1"),
        (("instances",), "The list of DDM instances"),
    ],
)
def test_what_does_not_exist_is_named_for_people(path: tuple[str, ...], name: str) -> None:
    made, dummy = cloud([response(404, {"error_code": "DBS.200002", "error_msg": "x"})])
    with pytest.raises(NotFound, match=f"^{name} does not exist in this project and region") as caught:
        made.get("ddm", "v3", *path, known=KNOWN)
    assert caught.value.by_service


@pytest.mark.parametrize(
    ("status", "body", "definite"),
    [
        (400, {"error_code": "DCS.4087", "error_msg": "x"}, True),
        (400, {"errCode": "DBS.300101", "externalMessage": "x"}, True),
        (429, {"error_code": "APIGW.0308", "error_msg": "x"}, True),
        (400, {"error_code": "111400017", "error_msg": "x"}, True),  # the legacy number of DCS.4017
        (403, {"error_code": "PDP5.0001", "error_msg": "x"}, True),
        (400, {"error_code": "dcs.4087", "error_msg": "x"}, True),
        (400, {"error_code": "DCS. 4087", "error_msg": "x"}, True),
        (400, {"error_code": "ModelArts.0203", "error_msg": "x"}, True),
        (400, {"error_code": "CDM.01.0002", "error_msg": "x"}, True),
        (400, {"error_code": "DCS-4087", "error_msg": "x"}, False),
        (400, {"error_code": "403 Forbidden", "error_msg": "x"}, False),
        (400, {"error_code": "v1.1", "error_msg": "x"}, False),
        (400, {"error": {"code": 400, "message": "x"}}, False),
        (400, {"message": "no code"}, False),
        (400, b"<title>403</title>", False),
        (400, b"", False),
        (408, {"error_code": "DCS.4087", "error_msg": "x"}, False),
        (500, {"error_code": "DCS.5000", "error_msg": "x"}, False),
        (302, {"error_code": "DCS.4087", "error_msg": "x"}, False),
        (403, [{"error_code": "DCS.2003"}], False),
    ],
)
def test_only_the_services_own_refusal_is_definite(status: int, body: Any, definite: bool) -> None:
    made, dummy = cloud([response(status, body)])
    with pytest.raises(ApiError) as caught:
        made.post_once("dcs", "v2", "instances", body={})
    assert caught.value.definite is definite


@pytest.mark.parametrize(("minutes", "skew"), [(20, -1200), (-20, 1200), (14, None), (-14, None)])
def test_a_wrong_clock_is_reported(minutes: int, skew: int | None) -> None:
    from email.utils import formatdate

    reply = response(
        401, {"error_code": "APIGW.0301", "error_msg": "x"}, date=formatdate(NOW + minutes * 60, usegmt=True)
    )
    made, dummy = cloud([reply], Time())
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances")
    assert caught.value.details().get("clock_skew_seconds") == skew
    assert ("clock_skew" in str(caught.value)) is (skew is not None)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Thu, 99 Foo 2026 00:00:00 GMT", "0", "Thu, 01 Jan 99999 00:00:00 GMT"]
)
def test_an_invalid_date_is_ignored(date: str) -> None:
    made, dummy = cloud([response(401, {"error_code": "APIGW.0301", "error_msg": "x"}, date=date)])
    with pytest.raises(ApiError, match=r"APIGW\.0301"):
        made.get("dcs", "v2", "instances")


def test_a_redirect_says_that_it_is_not_followed() -> None:
    made, dummy = cloud([response(307, b"", location="https://elsewhere.example.com/")])
    with pytest.raises(ApiError, match="follows no redirect") as caught:
        made.get("dcs", "v2", "instances")
    assert caught.value.kind == "unexpected_redirect"
    assert "elsewhere" not in str(caught.value)


def test_classes_say_what_was_not_done() -> None:
    assert str(errors.InvalidArgument("x.")).endswith("No request was sent.")
    assert str(errors.NotRestorable("x.")).endswith("Nothing was started.")
    assert str(errors.Busy("x.")).endswith("Nothing was started.")
    assert errors.CloudError("x", error_code=None, http_status=400).details() == {
        "error_kind": "error",
        "changed": False,
        "http_status": 400,
    }
    for kind in (errors.OperationFailed, errors.WaitTimeout, errors.OutcomeUnknown):
        assert kind("x").details()["changed"] is True


@pytest.mark.parametrize(
    ("status", "code", "transient"),
    [
        (408, None, True),
        (429, None, True),
        (500, None, True),
        (503, None, True),
        (409, None, False),
        (430, None, False),
        (400, "APIGW.0308", True),
    ],
)
def test_which_responses_allow_another_try(status: int, code: str | None, transient: bool) -> None:
    assert api_error(status, code).transient is transient


def test_a_request_counts_as_sent_unless_the_opposite_is_proved() -> None:
    assert TransportError("x").sent is True
    assert TransportError("x", sent=False).sent is False
    assert TransportError("x", host="h").details() == {
        "error_kind": "transport_error",
        "changed": False,
        "host": "h",
    }


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (
            401,
            None,
            " Check the credentials, whether they belong to this region and project, "
            "and this machine's clock."
            " The credentials came from task options.",
        ),
        (403, None, " Give the user the permission for this call in this project."),
        (429, None, " Run the task again later, or for fewer instances at a time."),
        (404, "APIGW.0101", " Check region, cloud or the endpoint option."),
        (400, None, ""),
        (404, None, ""),
    ],
)
def test_an_error_says_what_to_look_at(status: int, code: str | None, hint: str) -> None:
    body = {"error_code": code, "error_msg": "It failed."} if code else {}
    made, dummy = cloud([response(status, body)], max_retries=0)
    with pytest.raises(CloudError) as caught:
        made.post_once("dcs", "v2", "instances", body={})
    reason = f" {code}: It failed." if code else " and no reason."
    assert str(caught.value).endswith(f"/instances returned HTTP {status}{reason}{hint}")


def test_added_context_makes_a_new_error() -> None:
    error = ApiError("Too many.", 429, "APIGW.0308", "throttled", False, retry_after=3.0, request_id="r")
    before = dict(vars(error), facts=dict(error.facts))
    copy = error.with_context()
    assert (type(copy), str(copy), vars(copy)) == (ApiError, "Too many.", before)
    other = error.with_context("Other\nwords.", kind="busy", effect="started", request_id="s", job_id="j")
    assert (type(other), str(other)) == (ApiError, "Other\\nwords.")
    assert (other.status, other.retry_after, other.transient, other.definite) == (429, 3.0, True, False)
    assert other.details() == {
        "error_kind": "busy",
        "changed": True,
        "http_status": 429,
        "error_code": "APIGW.0308",
        "request_id": "s",
        "job_id": "j",
    }
    assert (str(error), vars(error)) == ("Too many.", before)


def test_the_defaults_of_an_error_are_the_careful_ones() -> None:
    assert errors.InvalidArgument("x.").with_context("y.", note="z.").note == "z."
    assert NotFound("x").by_service is False
    assert ApiError("x", 400, None, "rejected").definite is False
    for error in (TransportError("x"), errors.TlsError("x")):
        assert error.sent is True
    refused = errors.TlsError("x", sent=False, host="dcs")
    assert (refused.sent, refused.transient, refused.facts) == (False, False, {"host": "dcs"})


def test_every_class_is_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    rows = dict(re.findall(r"-- (\w+) +(\w+)", tree))
    classes = {
        name: found
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, CloudError) and found is not CloudError
    }
    assert rows == {name: found.effect for name, found in classes.items()}


@pytest.mark.parametrize(
    ("reply", "effect"),
    [
        (TransportError("Not sent.", sent=False), "none"),
        (TransportError("Broken.", sent=True), "unknown"),
        (response(400, {"error_code": "DCS.4087", "error_msg": "x"}), "none"),
        (response(400, {"message": "no code"}), "unknown"),
        (response(403, b"<title>403</title>"), "unknown"),
        (response(500, {"error_code": "DCS.5000", "error_msg": "x"}), "unknown"),
        (response(200, b"no JSON"), "unknown"),
    ],
)
def test_what_a_post_that_failed_may_have_caused(reply: Any, effect: str) -> None:
    made, dummy = cloud([reply], max_retries=0)
    with pytest.raises(CloudError) as caught:
        made.post_once("dcs", "v2", "instances", body={})
    assert caught.value.effect == effect
    assert caught.value.changed is (effect == "unknown")
    with pytest.raises(CloudError) as read:
        made.get("dcs", "v2", "instances")
    assert read.value.effect == "none"


@pytest.mark.parametrize(
    ("status", "code", "by_api", "kind"),
    [
        (500, None, False, "server_error"),
        (400, None, False, "protocol_error"),
        (499, None, False, "protocol_error"),
        (404, "APIGW.0106", True, "rejected"),
        (499, "APIGW.0106", True, "rejected"),
        (500, "APIGW.0106", True, "server_error"),
        (500, "APIGW.0308", True, "throttled"),
        (400, "", True, "rejected"),
    ],
)
def test_a_code_counts_where_it_says_more_than_the_status(
    status: int, code: str | None, by_api: bool, kind: str
) -> None:
    assert kind_of(status, code, {}, by_api) == kind


def test_the_advice_is_that_of_the_code_then_that_of_the_kind() -> None:
    codes = {"DCS.1": Code("denied", "it means this", "Do this."), "DCS.2": Code("denied", "it means that")}
    told = [advice("denied", code, codes) for code in ("DCS.1", "DCS.2", None)]
    assert told == ["Do this.", ADVICE["denied"], ADVICE["denied"]]
    assert advice("busy", None, codes) == ""


@pytest.mark.parametrize(
    "body",
    [
        {DENIAL: "secret words", "error": {"code": "APIGW.0302", "message": "No."}},
        {DENIAL: "secret words"},
        {"error": {"code": "APIGW.0302", DENIAL: "secret words"}},
    ],
)
def test_a_text_for_the_administrator_is_found_where_it_stands(body: dict[str, Any]) -> None:
    assert parse_error(body).denial == "secret words"
    assert parse_error([body]).denial is None


@pytest.mark.parametrize(("length", "said"), [(LONGEST, True), (LONGEST + 1, False)])
def test_a_long_text_under_200_is_left_out(length: int, said: bool) -> None:
    assert bool(error_in({"error_msg": "x" * length})) is said
