# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM: tokens of users, temporary keys of agencies, accounts and projects, and a server's metadata.

docs/api.md has the addresses of most pages that the comments name.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from . import auth
from .state import Agency, CloudState, Key, Token, iso_micro
from .wire import Call, Part, Refusal, Response, Route

TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


def refuse(status: int, message: str) -> Refusal:
    """Keystone's own shape: the code is a number (a response in the issue otc-tools #36)."""
    return Refusal(
        status, {"error": {"message": message, "code": status, "title": TITLES.get(status, "Refused")}}
    )


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def create_token(cloud: CloudState, call: Call) -> Response:
    """As in "Obtaining a User Token Through Password Authentication"."""
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
    return Response(201, {"token": token}, {"X-Subject-Token": value})


def _project_of(cloud: CloudState, identity: dict[str, Any]) -> str | None:
    """The project that a sign-in requests; None for a domain, or without a scope (the same page)."""
    scope = identity.get("scope", {"domain": {}})
    project = _dig(scope, "project")
    if project is None and isinstance(_dig(scope, "domain"), dict):
        return None
    if not isinstance(project, dict):
        raise refuse(400, "auth.scope must name a project or a domain.")
    for project_id, name in cloud.projects.items():
        # an ID takes precedence over the name, even if it is wrong
        own = cloud.domain_of(project_id) == cloud.domain_id
        if own and (project["id"] == project_id if "id" in project else project.get("name") == name):
            return project_id
    raise refuse(404, "Could not find the project.")


def validate_token(cloud: CloudState, call: Call) -> Response:
    token = cloud.tokens.get(call.headers.get("x-subject-token", ""))
    if token is None or token.expires_at <= cloud.clock():
        raise refuse(404, "Could not find the token.")
    return Response(200, {"token": {"expires_at": iso_micro(token.expires_at), "methods": ["password"]}})


def list_projects(cloud: CloudState, call: Call) -> Response:
    name, domain_id = call.query.get("name"), auth.domain_of_caller(cloud, call)
    # The list has the account's own project, and those that were disabled (KeystoneListProjects).
    listed = {domain_id: cloud.domains[domain_id], **cloud.projects, **cloud.disabled_projects}
    projects = [
        {
            "id": project_id,
            "name": project,
            "domain_id": domain_id,
            "parent_id": domain_id,
            "enabled": project_id not in cloud.disabled_projects,
            "is_domain": project_id == domain_id,
            "description": "",
            "links": {"self": f"https://iam/v3/projects/{project_id}"},
        }
        for project_id, project in listed.items()
        if name in (None, project) and (project_id == domain_id or cloud.domain_of(project_id) == domain_id)
    ]
    return Response(
        200,
        {"projects": projects, "links": {"self": "https://iam/v3/projects", "previous": None, "next": None}},
    )


def list_domains(cloud: CloudState, call: Call) -> Response:
    """The SDK's KeystoneListAuthDomainsResponse."""
    domain_id = auth.domain_of_caller(cloud, call)
    domain = {
        "id": domain_id,
        "name": cloud.domains[domain_id],
        "enabled": True,
        "description": "",
        "links": {"self": f"https://iam/v3/domains/{domain_id}"},
    }
    links = {"self": "https://iam/v3/auth/domains", "previous": None, "next": None}
    return Response(200, {"domains": [domain], "links": links})


def assume_role(cloud: CloudState, call: Call) -> Response:
    """Temporary keys of an agency, signed with the keys of the account that it trusts.

    "Obtaining a Temporary Access Key and SecurityToken Through an Agency".
    """
    try:
        body = json.loads(call.body)
    except ValueError:
        raise refuse(400, "The request body is not valid JSON.") from None
    wanted = _dig(body, "auth", "identity", "assume_role")
    if _dig(body, "auth", "identity", "methods") != ["assume_role"] or not isinstance(wanted, dict):
        raise refuse(400, "auth.identity must use the method assume_role.")
    names = [wanted[name] for name in ("agency_name", "domain_id", "domain_name") if name in wanted]
    if not all(isinstance(name, str) for name in names):
        raise refuse(400, "auth.identity.assume_role must hold texts.")
    domain_id = wanted.get("domain_id")
    if domain_id is None:
        named = [found for found, name in cloud.domains.items() if name == wanted.get("domain_name")]
        domain_id = named[0] if named else None
    agency = next(
        (
            one
            for one in cloud.agencies
            if (one.name, one.domain_id) == (wanted.get("agency_name"), domain_id)
        ),
        None,
    )
    if agency is None:
        raise refuse(404, "Could not find the agency.")
    if agency.trusted_domain_id != auth.domain_of_caller(cloud, call):
        raise refuse(403, "You have no right to do this action.")
    seconds = wanted.get("duration_seconds", 900)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 900 <= seconds <= 86400:
        raise refuse(400, "duration_seconds must be from 900 to 86400.")
    return Response(201, {"credential": _temporary_key(cloud, agency, seconds)})


def instance_key(cloud: CloudState, call: Call) -> Response:
    """What a cloud server reads at http://169.254.169.254: the keys of the agency that is attached to it.

    The SDK's auth/credentials.py. With no agency its response is an assumption.
    """
    if cloud.instance_agency is None:
        raise refuse(404, "No agency is attached to this server.")
    return Response(
        200, {"credential": _temporary_key(cloud, cloud.instance_agency, cloud.settings.server_key_seconds)}
    )


def _temporary_key(cloud: CloudState, agency: Agency, seconds: float) -> dict[str, str]:
    number, ends = len(cloud.keys), cloud.clock() + seconds
    token = "gQpTemporary" + base64.b64encode(cloud.random.randbytes(120)).decode()
    key = Key(
        f"HWAKAGENCY{number:010d}", cloud.new_hex() + "sk", token, domain_id=agency.domain_id, expires_at=ends
    )
    cloud.keys[key.access] = key
    return {
        "access": key.access,
        "secret": key.secret,
        "securitytoken": token,
        "expires_at": iso_micro(ends),
    }


ROUTES = [
    Route("iam.token", "POST", "/v3/auth/tokens", create_token),
    Route("iam.validate", "GET", "/v3/auth/tokens", validate_token),
    Route("iam.projects", "GET", "/v3/projects", list_projects),
    Route("iam.projects", "GET", "/v3/auth/projects", list_projects),
    Route("iam.domains", "GET", "/v3/auth/domains", list_domains),
    Route("iam.securitytokens", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", assume_role),
    Route("metadata.securitykey", "GET", "/openstack/latest/securitykey", instance_key),
]
PART = Part("iam", ROUTES, lambda status, code, message: refuse(status, message))
