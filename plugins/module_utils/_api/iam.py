# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM and a cloud server's metadata: tokens, temporary keys, account and projects.

`read(method, path, body)` sends one signed request to IAM.
"""

from __future__ import annotations

import json
import re
import typing as t
from urllib.parse import urlencode

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    ProtocolError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    flag,
    http_date,
    is_id,
    items,
    moment,
    text,
)

Read = t.Callable[[str, str, bytes], Reply]
METADATA_URL = "http://169.254.169.254/openstack/latest/securitykey"
METADATA_TIMEOUT = 3.0  # seconds
SHORTEST_LIFE = 900.0  # seconds that temporary keys last when nothing else is known
FIND_PROJECT = (
    "Give project_id, in the task or beside the keys (HW_PROJECT_ID): the console shows it under My "
    "Credentials > API Credentials, in the row of the region."
)


class IssuedToken(t.NamedTuple):
    """A token, and the project and account that it is for."""

    value: str
    project_id: str | None
    project_name: str | None
    domain_id: str | None
    domain_name: str | None


class TemporaryKeys(t.NamedTuple):
    """Keys for `life` seconds from the moment of the request."""

    access_key: str
    secret_key: str
    security_token: str
    life: float


class NoProject(CloudError):
    """No project has the name. It is not NotFound: a wait tolerates a record that is not listed yet."""

    kind = "not_found"


class Project(t.NamedTuple):
    """A project and the account that owns it."""

    id: str
    name: str | None
    domain_id: str | None


def token(read: Read, keys: t.Mapping[str, str], scope: dict[str, t.Any]) -> IssuedToken:
    """Return a token for username, password and domain_name, for `scope`."""
    user = {"name": keys["username"], "password": keys["password"], "domain": {"name": keys["domain_name"]}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()
    reply = read("POST", "/v3/auth/tokens?nocatalog=true", body)
    value, found = reply.headers.get("x-subject-token", ""), _inner(reply.body, "token")
    project = _inner(found, "project")
    if len(value) < 4 or ("project" in scope and not is_id(project.get("id"))):
        raise ProtocolError(
            "The response of IAM has no token, or does not name its project.", request_id=reply.request_id
        )
    for name, requested in scope.get("project", {}).items():
        if text(project.get(name, requested)) != requested:
            raise ProtocolError(
                f"The task requested a token for the project {quoted(requested)}, but the response is about "
                f"{quoted(project[name])}.",
                request_id=reply.request_id,
            )
    domain = _inner(project, "domain") or _inner(_inner(found, "user"), "domain")
    return IssuedToken(
        value,
        text(project.get("id")),
        text(project.get("name")),
        text(domain.get("id")),
        text(domain.get("name")),
    )


def assume_role(read: Read, agency: t.Mapping[str, t.Any]) -> TemporaryKeys:
    """Return keys of an agency: agency_name, domain_name or domain_id, maybe duration_seconds."""
    body = json.dumps(
        {"auth": {"identity": {"methods": ["assume_role"], "assume_role": dict(agency)}}}
    ).encode()
    account = quoted(agency.get("domain_name") or agency.get("domain_id"))
    whose = f"the agency {quoted(agency['agency_name'])} of the account {account}"
    try:
        reply = read("POST", "/v3.0/OS-CREDENTIAL/securitytokens", body)
    except CloudError as error:
        if error.transient or error.kind == "auth_failed":
            raise
        raise error.with_context(
            f"{error} The task could not assume {whose}. Check both names, and that this user has the "
            "permission Agent Operator."
        ) from None
    return _temporary(reply, whose, agency.get("duration_seconds", SHORTEST_LIFE))


def of_instance(read: Read) -> TemporaryKeys:
    """Return the keys of this cloud server's agency, from its metadata."""
    try:
        return _temporary(read("GET", METADATA_URL, b""), "this server's agency", SHORTEST_LIFE)
    except CloudError as error:
        # This server knows no permissions of a user.
        refusal = isinstance(error, ApiError) and f"GET {METADATA_URL} returned HTTP {error.status}."
        raise error.with_context(
            f"{refusal or error} use_instance_metadata works only on a cloud server (ECS) to which an "
            "agency is attached, and whose metadata ask for no token. Give keys or a profile instead.",
            kind="not_found" if refusal and not error.transient else None,
        ) from None


def _temporary(reply: Reply, whose: str, seconds: float) -> TemporaryKeys:
    found = _inner(reply.body, "credential")
    values = [found.get(name) for name in ("access", "secret", "securitytoken")]
    if not all(isinstance(value, str) and re.fullmatch("[!-~]{4,}", value) for value in values):
        raise ProtocolError(f"The response has no usable keys of {whose}.", request_id=reply.request_id)
    access_key, secret_key, security_token = t.cast("list[str]", values)
    return TemporaryKeys(
        access_key, secret_key, security_token, _life(found.get("expires_at"), reply, seconds)
    )


def _life(expires: t.Any, reply: Reply, seconds: float) -> float:
    """Return how many seconds keys last: from the server's own two times, if both are known, else `seconds`.

    This machine's clock may be wrong.
    """
    ends, served = moment(expires), http_date(reply.headers.get("date"))
    if ends is None or served is None or ends / 1000 <= served:
        return seconds
    return ends / 1000 - served


def project_named(read: Read, name: str) -> Project:
    """Return the one project with exactly this name. Raises NoProject for none and for several."""
    try:
        reply = read("GET", f"/v3/projects?{urlencode({'name': name})}", b"")
    except CloudError as error:
        if error.kind != "denied":
            raise
        raise error.with_context(f"{error} IAM forbids this user to list projects. {FIND_PROJECT}") from None
    found = [project for project in _projects(reply) if project.name == name]
    if len(found) != 1:
        raise NoProject(
            f"IAM lists {len(found)} projects named {quoted(name)} that are enabled and not the account's; "
            f"exactly one is needed. {FIND_PROJECT}",
            request_id=reply.request_id,
        )
    return found[0]


def project_with_id(read: Read, project_id: str) -> Project | None:
    """Return the project with this ID, None when the caller cannot use it."""
    reply = read("GET", "/v3/auth/projects", b"")
    return next((project for project in _projects(reply) if project.id == project_id), None)


def account(read: Read) -> list[tuple[str | None, str | None]]:
    """Return ID and name of the caller's accounts: one, as a rule."""
    rows = items(read("GET", "/v3/auth/domains", b"").body, "domains")
    return [(text(row.get("id")), text(row.get("name"))) for row in rows if isinstance(row, dict)]


def _projects(reply: Reply) -> list[Project]:
    return [
        Project(row["id"], text(row.get("name")), text(row.get("domain_id")))
        for row in items(reply.body, "projects", who="IAM")
        if isinstance(row, dict) and is_id(row.get("id"))
        if flag(row.get("enabled")) is not False and not flag(row.get("is_domain"))
    ]


def _inner(value: t.Any, name: str) -> dict[str, t.Any]:
    """Return the object under `name`; {} when there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
