# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every complete request the cloud received, in order. Assertions read this and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

SECRET_HEADERS = ("x-auth-token", "x-security-token", "x-subject-token")


@dataclass
class Entry:
    number: int
    time: float
    connection: int
    service: str
    operation: str  # e.g. dcs.restore; "" for a path that no service knows
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # lower-case names, secrets redacted
    body: str
    request_id: str
    access: str = ""  # how it signed in: token, aksk, or "" if it was refused
    fault: str | None = None
    handled: int | None = None  # the status with which the operation ended, even if the response was lost
    status: int | None = None  # the status that was sent; None if no response was

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def redacted(headers: dict[str, str]) -> dict[str, str]:
    shown = {name: "***" if name in SECRET_HEADERS else value for name, value in headers.items()}
    if "authorization" in shown:
        shown["authorization"] = shown["authorization"].partition("Signature=")[0] + "***"
    return shown


def redacted_body(operation: str, body: bytes) -> str:
    """A sign-in carries a password; every other body is kept as it came."""
    return '{"redacted": true}' if operation == "iam.token" else body.decode("utf-8", "replace")
