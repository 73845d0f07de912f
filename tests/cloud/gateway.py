# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateway in front of the services, without a socket: a request and the state in, a response out.

The state's clock says when a request arrives, and nothing here waits. So the same code answers over HTTP
(server.py) and in virtual time (tests/protocol). Its codes: the API Request Signing Guide, "Error Codes"
(docs/api.md).
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from . import auth, iam
from .parts import PARTS
from .state import CloudState
from .wire import Call, Refusal, Response, Route

ROUTES: list[Route] = [route for part in PARTS.values() for route in part.routes]
PROJECT = re.compile(r"[0-9a-f]{32}")
Tweak = Callable[[Call], None]
_BY_SHAPE: dict[tuple[str, int], list[tuple[Route, list[str]]]] = defaultdict(list)
for _route in ROUTES:
    _wanted = _route.template.split("/")
    _BY_SHAPE[_route.method, len(_wanted)].append((_route, _wanted))


@functools.lru_cache(4096)
def match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request and its path parameters, or None.

    Segments are decoded one by one: %2F stays inside its segment.
    """
    segments = [unquote(segment) for segment in path.split("/")]
    for route, wanted in _BY_SHAPE.get((method, len(segments)), ()):
        pairs = list(zip(wanted, segments, strict=True))
        if all(have if want.startswith("{") else want == have for want, have in pairs):
            return route, {want[1:-1]: have for want, have in pairs if want.startswith("{")}
    return None


def read(method: str, target: str, headers: dict[str, str], body: bytes, request_id: str = "") -> Call:
    """Return a request as handlers take it.

    `target` is path and query as they came; `headers` has lower-case names.
    """
    path, dummy, query = target.partition("?")
    route, parameters = match(method, path) or (None, {})
    pairs = parse_qsl(query, keep_blank_values=True) if query else ()
    return Call(method, dict(parameters), dict(pairs), headers, body, {}, target, route, request_id)


def answer(cloud: CloudState, call: Call, tweak: Tweak | None = None) -> Response:
    """Admit the request and carry it out; `tweak` may change it in between.

    First, all that runs is brought up to the present time.
    """
    cloud.tick()
    try:
        if call.route is None:
            text = "The API does not exist or has not been published in the environment"
            raise Refusal(404, {"error_msg": text, "error_code": "APIGW.0101", "request_id": call.request_id})
        _admit(cloud, call.route, call)
        if tweak is not None:
            tweak(call)
        return call.route.handler(cloud, call)
    except Refusal as refusal:
        response = refusal.response
        if call.route is not None and call.route.service in PARTS:
            response.data = PARTS[call.route.service].error(call, response.data)
        return response


def _admit(cloud: CloudState, route: Route, call: Call) -> None:
    if route.operation in ("iam.token", "metadata.securitykey"):
        return
    try:
        call.access = auth.check(cloud, call, call.target, call.request_id)
    except Refusal as refusal:
        raise (
            iam.refuse(401, "The request you have made requires authentication.")
            if route.service == "iam"
            else refusal
        ) from None
    project = call.path.get("project_id")
    if project is None:
        return
    token = cloud.tokens.get(call.headers.get("x-auth-token", ""))
    # A token of another project or region: the same page
    if token is not None and token.project_id != project:
        raise Refusal(
            401,
            {
                "error_code": "APIGW.0307",
                "error_msg": "The token must be updated.",
                "request_id": call.request_id,
            },
        )
    if project not in cloud.projects or cloud.domain_of(project) != auth.domain_of_caller(cloud, call):
        # No page says which of the service's codes this is: an assumption.
        part = PARTS[route.service]
        raise part.refuse(*part.stranger[0 if PROJECT.fullmatch(project) else 1])
