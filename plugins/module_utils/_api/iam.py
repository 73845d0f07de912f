# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM: a token for a user and password, and a project's id by its name (facts.md 1C)."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urlencode

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    NotFound,
    ProtocolError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply, Session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id, items


class AuthFailed(CloudError):
    """IAM did not accept the user, password or account."""

    kind = "auth_failed"


def token(session: Session, base: str, settings: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """Return (token, project id) for username/password/domain_name, scoped to project_id or else project_name. POST /v3/auth/tokens."""
    user = {
        "name": settings["username"],
        "password": settings["password"],
        "domain": {"name": settings["domain_name"]},
    }
    scope = (
        {"id": settings["project_id"]}
        if settings.get("project_id")
        else {"name": settings.get("project_name") or settings.get("region")}
    )
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": scope},
        }
    }
    reply = session.read("POST", f"{base}/v3/auth/tokens?nocatalog=true", _plain, json.dumps(body).encode())
    value = reply.headers.get("x-subject-token", "")
    found = reply.body.get("token") if isinstance(reply.body, dict) else None
    project = found.get("project") if isinstance(found, dict) else None
    project_id = project.get("id") if isinstance(project, dict) else None
    if len(value) < 4 or not is_id(project_id):
        raise ProtocolError(
            "IAM answered without a token or without the project it is for.", request_id=reply.request_id
        )
    return value, t.cast(str, project_id)


def project_id(read: t.Callable[[str], Reply], base: str, name: str) -> str:
    """Return the id of the one project with exactly this name. GET /v3/projects. Raises NotFound for none and for several."""
    reply = read(f"{base}/v3/projects?{urlencode({'name': name})}")
    found = [
        item.get("id")
        for item in items(reply.body, "projects")
        if isinstance(item, dict) and item.get("name") == name
    ]
    if len(found) != 1 or not is_id(found[0]):
        raise NotFound(
            f"IAM lists {len(found)} projects named {quoted(name)}, one is needed. Give project_id (HW_PROJECT_ID) or project_name.",
            request_id=reply.request_id,
        )
    return t.cast(str, found[0])


def _plain(method: str, url: str, body: bytes) -> dict[str, str]:
    return {"Content-Type": "application/json", "Accept": "application/json"}
