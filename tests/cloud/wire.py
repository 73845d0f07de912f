# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a handler receives, and what it returns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .state import CloudState

_ENCODER = json.JSONEncoder(separators=(",", ":"))


@dataclass
class Call:
    """One request that the gateway has admitted."""

    method: str
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]  # lower-case names
    body: bytes = b""
    hints: dict[str, Any] = field(default_factory=dict)  # the end of the operation that a fault demands
    target: str = ""  # path and query as they came over the wire
    route: Route | None = None  # None: no service knows the path
    request_id: str = ""
    access: str = ""  # how it signed in, once it was admitted


@dataclass
class Response:
    """``data`` is JSON material; ``None`` means no body. ``raw`` wins over it."""

    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.data is None else _ENCODER.encode(self.data).encode()


class Refusal(Exception):
    """The API refuses the request."""

    def __init__(self, status: int, data: Any) -> None:
        super().__init__(status, data)
        self.response = Response(status, data)


Handler = Callable[[CloudState, Call], Response]


@dataclass(frozen=True)
class Route:
    operation: str
    method: str
    template: str
    handler: Handler

    @property
    def service(self) -> str:
        return self.operation.partition(".")[0]


@dataclass(frozen=True)
class Part:
    """One service of the cloud: what the gateway, the faults and the scenarios need to know of it.

    - `refuse(status, code, message)`: the refusal of the service, in the form of its own errors.
    - `codes`: its codes for those of DCS, so that one fault serves all services.
    - `stranger`: status and code with which it refuses a project that is not the caller's, and one whose ID
      is malformed.
    - `busy`: the status with which it refuses an operation while another one runs.
    - `failure`: the code or the reason with which an operation fails.
    - `totals`: what its lists call the number of all items.
    - `error(call, body)`: the body of an error in the form of the version of the API that was called.
    - `prefix`: of its paths, if another service has the same ones; it ends its endpoint.
    """

    name: str
    routes: list[Route]
    refuse: Callable[[int, str, str], Refusal]
    codes: Mapping[str, str] = field(default_factory=dict)
    stranger: tuple[tuple[int, str, str], ...] = ()
    busy: int = 400
    failure: str = ""
    totals: tuple[str, ...] = ()
    error: Callable[[Call, Any], Any] = lambda call, body: body
    prefix: str = ""


def whole_number(text: str) -> int | None:
    """An int from a query value; None when it is not one. ``int()`` alone would let ' 1_0 ' through."""
    digits = text[1:] if text.startswith("-") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
