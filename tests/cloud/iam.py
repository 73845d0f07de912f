# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM: a token for a user, the projects of an account."""

from __future__ import annotations

import base64
import json
from typing import Any

from .state import Cloud, Token, iso_micro
from .wire import Answer, Call, Refusal, Route

TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


def refuse(status: int, message: str) -> Refusal:
    """Keystone's own shape: the code is a number."""
    return Refusal(status, {"error": {"message": message, "code": status, "title": TITLES[status]}})


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def create_token(cloud: Cloud, call: Call) -> Answer:
    try:
        body = json.loads(call.body)
    except ValueError:
        raise refuse(400, "The request body is not valid JSON.") from None
    user = _dig(body, "auth", "identity", "password", "user")
    if _dig(body, "auth", "identity", "methods") != ["password"] or not isinstance(user, dict):
        raise refuse(400, "auth.identity must use the method password.")
    known = any(
        (u.name, u.password, u.domain)
        == (user.get("name"), user.get("password"), _dig(user, "domain", "name"))
        for u in cloud.users
    )
    if not known:
        raise refuse(401, "The username or password is wrong.")
    project_id = _project_of(cloud, body["auth"])
    now = cloud.clock()
    value = "MII" + base64.b64encode(cloud.random.randbytes(900)).decode()
    cloud.tokens[value] = Token(value, project_id, now + cloud.settings.token_seconds)
    domain = {"id": cloud.domain_id, "name": user["domain"]["name"]}
    token: dict[str, Any] = {
        "expires_at": iso_micro(now + cloud.settings.token_seconds),
        "issued_at": iso_micro(now),
        "methods": ["password"],
        "user": {
            "id": "7116d09f88fa41908676fdd4b039e95b",
            "name": user["name"],
            "password_expires_at": "",
            "domain": domain,
        },
        "roles": [{"id": "0", "name": "te_admin"}],
        "catalog": [],
    }
    if project_id is not None:
        token["project"] = {"id": project_id, "name": cloud.projects[project_id], "domain": domain}
    return Answer(201, {"token": token}, {"X-Subject-Token": value})


def _project_of(cloud: Cloud, identity: dict[str, Any]) -> str | None:
    """The project that a sign-in asks for; None for a domain or no scope at all."""
    scope = identity.get("scope", {"domain": {}})
    project = _dig(scope, "project")
    if project is None and isinstance(_dig(scope, "domain"), dict):
        return None
    if not isinstance(project, dict):
        raise refuse(400, "auth.scope must name a project or a domain.")
    for project_id, name in cloud.projects.items():
        # an id, where there is one, wins over the name: also a wrong one
        if project["id"] == project_id if "id" in project else project.get("name") == name:
            return project_id
    raise refuse(404, "Could not find the project.")


def validate_token(cloud: Cloud, call: Call) -> Answer:
    token = cloud.tokens.get(call.headers.get("x-subject-token", ""))
    if token is None or token.expires_at <= cloud.clock():
        raise refuse(404, "Could not find the token.")
    return Answer(200, {"token": {"expires_at": iso_micro(token.expires_at), "methods": ["password"]}})


def list_projects(cloud: Cloud, call: Call) -> Answer:
    name = call.query.get("name")
    projects = [
        {
            "id": project_id,
            "name": project,
            "domain_id": cloud.domain_id,
            "parent_id": cloud.domain_id,
            "enabled": True,
            "is_domain": False,
            "description": "",
            "links": {"self": f"https://iam/v3/projects/{project_id}"},
        }
        for project_id, project in cloud.projects.items()
        if name is None or name == project
    ]
    return Answer(
        200,
        {"projects": projects, "links": {"self": "https://iam/v3/projects", "previous": None, "next": None}},
    )


ROUTES = [
    Route("iam.token", "POST", "/v3/auth/tokens", create_token),
    Route("iam.validate", "GET", "/v3/auth/tokens", validate_token),
    Route("iam.projects", "GET", "/v3/projects", list_projects),
    Route("iam.projects", "GET", "/v3/auth/projects", list_projects),
]
