# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances by their names: exactly one, or what there is."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
    NotFound,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.names import (
    SHOWN,
    by_id,
    one_named,
)

from .fakes import api_error


def row(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"instance_id": f"i{number}", "name": name, "status": "RUNNING", "vpc_name": "vpc-prod", **more}


ORDERS = row(1, "orders")
ORDERS_OLD = row(2, "orders-old", vpc_name=None, vpc_id="v-2")
USERS = row(3, "users")


def test_the_exact_name() -> None:
    assert one_named([ORDERS, ORDERS_OLD, USERS], "orders", "instance_name", "DCS") == ORDERS


@pytest.mark.parametrize(
    ("rows", "name", "words"),
    [
        (
            [ORDERS, {**ORDERS_OLD, "name": "orders"}],
            "orders",
            "2 DCS instances are named orders: "
            "orders (i1, RUNNING, VPC vpc-prod); orders (i2, RUNNING, VPC v-2). "
            "Give target_instance_id instead of target_instance_name.",
        ),
        (
            [ORDERS, ORDERS_OLD, USERS],
            "Order",
            "No DCS instance is named Order in this project and region "
            "(target_instance_name takes the exact name). "
            "There are: orders (i1, RUNNING, VPC vpc-prod); orders-old (i2, RUNNING, VPC v-2).",
        ),
        ([USERS], "orders", "There are: users (i3, RUNNING, VPC vpc-prod)."),
        ([], "orders", "There are: none."),
        (
            [row(number, "a\u202e") for number in range(SHOWN + 2)],
            "x",
            "a\\u202e (i9, RUNNING, VPC vpc-prod); 2 more.",
        ),
    ],
)
def test_none_or_several_list_the_candidates(rows: list[dict[str, Any]], name: str, words: str) -> None:
    with pytest.raises(NotFound) as caught:
        one_named(rows, name, "target_instance_name", "DCS")
    assert words in str(caught.value)
    # So the runner adds that nothing was started.
    assert (caught.value.effect, caught.value.note) == ("none", None)


def test_an_id_that_is_not_there_may_be_a_name() -> None:
    def missing() -> None:
        raise NotFound("DCS instance orders does not exist.", error_code="DCS.3022")

    with pytest.raises(
        NotFound, match=r"give it as instance_name; huaweicloud\.recovery\.dcs_instance_info lists"
    ) as caught:
        by_id(missing, "orders", "dcs_instance_info")
    assert caught.value.facts == {"error_code": "DCS.3022"}

    def denied() -> None:
        raise api_error(403, "DCS.2003")

    with pytest.raises(CloudError) as other:
        by_id(denied, "orders", "dcs_instance_info")
    assert "instance_name" not in str(other.value)
    for error in (
        InvalidArgument("Region nowhere is not known."),
        NotFound("There is no project for this region."),
        api_error(404).with_context(kind="not_found"),  # of IAM, for the project
    ):

        def not_asked(error: CloudError = error) -> None:
            raise error

        with pytest.raises(CloudError) as before:
            by_id(not_asked, "orders", "dcs_instance_info")
        assert "instance_name" not in str(before.value)

    def malformed() -> None:
        raise api_error(400, "DCS.4922").with_context(kind="invalid_argument")

    with pytest.raises(CloudError, match="give it as instance_name"):
        by_id(malformed, "orders", "dcs_instance_info")
    assert by_id(lambda: 1, "i", "dcs_instance_info") == 1
