# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error bodies in every real shape, codes in one spelling, and what each means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import errors
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    TransportError,
    classify,
    normal_code,
    parse_error,
)

from .fakes import NOW, Time, answer, cloud

RESTORE_DENIED = "policy doesn't allow dcs:instance:restoreData"
SHAPES: list[tuple[str, int, Any, str | None, str, str | None]] = [
    # facts 4.13: which, status, body, code, a piece of the message, request id in the body
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
    ("9a empty", 502, b"", None, "the answer is not from the API", None),
    (
        "9b HTML",
        503,
        b"<html><head><title>Proxy &amp; co</title></head></html>",
        None,
        "(a page titled 'Proxy &amp; co')",
        None,
    ),
    ("9c text", 504, b"upstream timed out", None, "the answer is not from the API", None),
]


@pytest.mark.parametrize(
    ("status", "body", "code", "message", "request_id"),
    [shape[1:] for shape in SHAPES],
    ids=[shape[0] for shape in SHAPES],
)
def test_every_shape(status: int, body: Any, code: str | None, message: str, request_id: str | None) -> None:
    made, dummy = cloud([answer(status, body)], max_retries=0)
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
    made, dummy = cloud([answer(400, {"error_code": "x" * 100, "error_msg": "x"})], max_retries=0)
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances")
    assert caught.value.details()["error_code"] == "x" * 64 + "..."


def test_the_request_id_of_the_header_wins() -> None:
    made, dummy = cloud(
        [
            answer(
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
    assert parse_error(body) == expected


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
    ],
)
def test_kinds(status: int, code: str | None, kind: str) -> None:
    assert classify(status, code) == kind


@pytest.mark.parametrize(
    ("status", "body", "definite"),
    [
        (400, {"error_code": "DCS.4087", "error_msg": "x"}, True),
        (400, {"errCode": "DBS.300101", "externalMessage": "x"}, True),
        (429, {"error_code": "APIGW.0308", "error_msg": "x"}, True),
        (400, {"error_code": "111400017", "error_msg": "x"}, True),  # the legacy number of DCS.4017
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
    made, dummy = cloud([answer(status, body)])
    with pytest.raises(ApiError) as caught:
        made.post_once("dcs", "v2", "instances", body={})
    assert caught.value.definite is definite


@pytest.mark.parametrize(("minutes", "told"), [(20, -1200), (-20, 1200), (14, None), (-14, None)])
def test_a_wrong_clock_is_told(minutes: int, told: int | None) -> None:
    from email.utils import formatdate

    reply = answer(
        401, {"error_code": "APIGW.0301", "error_msg": "x"}, date=formatdate(NOW + minutes * 60, usegmt=True)
    )
    made, dummy = cloud([reply], Time())
    with pytest.raises(ApiError) as caught:
        made.get("dcs", "v2", "instances")
    assert caught.value.details().get("clock_skew_seconds") == told
    assert ("clock_skew" in str(caught.value)) is (told is not None)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Thu, 99 Foo 2026 00:00:00 GMT", "0", "Thu, 01 Jan 99999 00:00:00 GMT"]
)
def test_a_date_that_is_none_is_ignored(date: str) -> None:
    made, dummy = cloud([answer(401, {"error_code": "APIGW.0301", "error_msg": "x"}, date=date)])
    with pytest.raises(ApiError, match=r"APIGW\.0301"):
        made.get("dcs", "v2", "instances")


def test_a_redirect_says_that_it_is_not_followed() -> None:
    made, dummy = cloud([answer(307, b"", location="https://elsewhere.example.com/")])
    with pytest.raises(ApiError, match="redirect is never followed") as caught:
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
def test_which_answers_may_be_asked_for_again(status: int, code: str | None, transient: bool) -> None:
    assert ApiError("x", status, code, True).transient is transient


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
            " Check the keys or token, that they belong to this region and project, and this machine's clock.",
        ),
        (403, None, " The user needs a permission for this call in this project."),
        (429, None, " The gateway refuses more requests for now."),
        (404, "APIGW.0101", " Check region, cloud or the endpoint option."),
        (400, None, ""),
        (404, None, ""),
    ],
)
def test_an_error_says_what_to_look_at(status: int, code: str | None, hint: str) -> None:
    assert str(ApiError("It failed.", status, code, True)) == f"It failed.{hint}"


def test_a_copy_says_the_same_and_takes_what_is_added_for_itself() -> None:
    error = ApiError("Too many.", 429, "APIGW.0308", False, retry_after=3.0, request_id="r")
    twin = error.again()
    assert (type(twin), str(twin), twin.args, vars(twin)) == (ApiError, str(error), error.args, vars(error))
    twin.facts["job_id"], twin.args = "j", ("Other words.",)
    assert "job_id" not in error.facts and str(error).startswith("Too many.")
