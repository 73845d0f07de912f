# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time without waiting and HTTP without sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import codes
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud, cloud_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ApiError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Request, Response
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import codes as dcs_codes
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import codes as ddm_codes
from tests.cloud import scenario as ids

ANY_SERVICE = " or ".join(SERVICES)  # as messages list them
KNOWN = {**dcs_codes.CODES, **ddm_codes.CODES}
NOW = 1_780_000_000.0  # 2026-05-28T20:26:40Z
NOW_MS = int(NOW * 1000)
PROJECT = "0f6c2a1b9d8e4f70a1b2c3d4e5f60718"
KEYS: dict[str, Any] = {
    "access_key": "AKUNITTEST0000000001",
    "secret_key": "sk-unit-test-0123456789abcdefghijklmnop",
    "region": "ap-southeast-3",
    "project_id": PROJECT,
}


class Time:
    """A clock that only sleep() and the test move."""

    def __init__(self, random: float = 0.0) -> None:
        self.passed = 0.0
        self.slept: list[float] = []
        self.chance = random
        self.clock = Clock(
            now=lambda: NOW + self.passed,
            monotonic=lambda: 1000.0 + self.passed,
            sleep=self.sleep,
            random=lambda: self.chance,
        )

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.passed += seconds


@dataclass
class Wire:
    """A Transport without sockets.

    It gives the replies in turn, repeats the last one, and raises those that are exceptions.
    """

    replies: list[Any]
    sent: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        self.sent.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, BaseException):
            raise reply
        found = reply(request) if callable(reply) else reply
        assert isinstance(found, Response)
        return found


def response(status: int = 200, body: Any = None, **headers: str) -> Response:
    """A response; a body that is not bytes is sent as JSON, and header_names become header-names."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-").lower(): value for name, value in headers.items()}, raw)


def cloud(
    replies: Iterable[Any], time: Time | None = None, redactor: Redactor | None = None, **options: Any
) -> tuple[Cloud, Wire]:
    """A Cloud with AK/SK (or what the options say instead) over a Wire."""
    wire = Wire(list(replies))
    given = options if {"auth_token", "username"} & set(options) else {**KEYS, **options}
    environ = {"HOME": "/nonexistent"}
    return cloud_for(given, environ, (time or Time()).clock, redactor=redactor, http=wire), wire


def redacting(known: set[str]) -> Redactor:
    """Return a redactor that shares a set of secrets."""
    redactor = Redactor()
    redactor.share(known)
    return redactor


def api_error(
    status: int,
    code: str | None = None,
    definite: bool = True,
    retry_after: float | None = None,
    message: str = "x",
) -> ApiError:
    """The error that the client raises for an error response, with the kind for its status and code."""
    return ApiError(message, status, code, codes.kind_of(status, code, KNOWN), definite, retry_after)


def cache(number: int, **options: Any) -> dict[str, Any]:
    """A row of restore_start: restore a cache of the fleet from its newest backup."""
    return {
        "service": "dcs",
        "instance_id": ids.fleet_dcs_instance(number),
        "restore_point": "latest",
        **options,
    }


def database(number: int, **options: Any) -> dict[str, Any]:
    """A row of restore_start: restore a database of the fleet to its latest time."""
    pair = {"instance_id": ids.fleet_ddm_source(number), "target_instance_id": ids.fleet_ddm_target(number)}
    return {"service": "ddm", **pair, "restore_time": "latest", **options}
