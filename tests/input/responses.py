# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""True responses of the local cloud, and how to spoil them: other types, other shapes, no JSON."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Http,
    Request,
    Response,
)

ODD_TEXTS = (
    *(
        "",
        " ",
        "{}",
        "null",
        "true",
        "\x00",
        "\x1b[2J",
        "\u202e",
        "\r\nX: y",
        "\ud800",
        "\U0001f9ef",
        "x" * 5000,
        "../..",
        "a/b",
        "RESTORING2",
        "Succeed",
        "NaN",
    ),
    *(
        "succeed",
        "failed",
        "RUNNING",
        "ERROR",
        "Completed",
        "Failed",
        "waiting",
        "TRUE",
        "FALSE",
        "2025-05-20T09:40:40Z",
        "9999-99-99T99:99:99Z",
        "0" * 40,
        "[rst1:",
    ),
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    5,
    10**18,
    -(10**18),
    10**39,
    0.5,
    1e299,
    -0.0,
    [],
    {},
    [[]],
    [{}],
    {"": None},
    [None],
    {"id": 1},
    {"code": 5},
    ["x"] * 50,
)
GARBAGE = (
    *(
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"0",
        b'""',
        b"true",
        b"nan",
        b"NaN",
        b"[NaN]",
        b'{"a":1e400}',
        b'{"a":-Infinity}',
        b"{'a': 1}",
        b"{",
        b'{"a":',
        b"\xff\xfe{\x00}\x00",
    ),
    *(
        b"\xef\xbb\xbf{}",
        b"<html><title>Proxy \x1b[2J</title></html>",
        b"<title>" + b"x" * 400 + b"</title>",
        b"[" * 5000,
        b'{"a":' * 5000,
        b'{"a":' + b"9" * 5000 + b"}",
    ),
    *(
        b'{"id":"a","id":"b"}',
        b"\x00" * 50,
        b"\x80\x81\x82",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b'{"error_code": {"a": []}, "error_msg": 5}',
        b'{"error": {"code": "\\u001b[2J", "message": ["x"]}}',
    ),
)
STATUSES = (
    200,
    200,
    200,
    200,
    200,
    201,
    202,
    204,
    205,
    206,
    226,
    299,
    300,
    301,
    304,
    400,
    401,
    403,
    404,
    408,
    409,
    418,
    429,
    451,
    499,
    500,
    502,
    503,
    599,
    0,
    100,
    999,
    -1,
)
HEADERS: tuple[dict[str, str], ...] = (
    *(
        {},
        {"retry-after": "soon"},
        {"retry-after": "9" * 30},
        {"date": "Thu, 99 Foo"},
        {"date": "Wed, 21 Oct 1999 07:28:00 GMT"},
        {"x-request-id": "\x1b[2J" * 100},
    ),
    *(
        {"retry-after": "Wed, 21 Oct 9999 07:28:00 GMT"},
        {"date": "0"},
        {"x-subject-token": ""},
        {"x-subject-token": "\r\n"},
        {"content-type": "text/html"},
    ),
)


def key_of(method: str, url: str) -> str:
    """A call without host, and of its query the page alone: times differ from run to run."""
    parts = urlsplit(url)
    return f"{method} {parts.path} {parse_qs(parts.query).get('offset', ['0'])[0]}"


class Recorder:
    """The real transport, which records each exchange."""

    def __init__(self) -> None:
        self.http = Http()
        self.responses: dict[str, list[Response]] = {}

    def __call__(self, request: Request) -> Response:
        response = self.http(request)
        self.responses.setdefault(key_of(request.method, request.url), []).append(response)
        return response


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as the keys on the way to it."""
    found = [path]
    if isinstance(node, dict):
        for key in node:
            found += places(node[key], (*path, key))
    elif isinstance(node, list):
        for number in range(min(len(node), 3)):
            found += places(node[number], (*path, number))
    return found


def odd(chance: random.Random, old: Any = None) -> Any:
    """A value, now and then one that resembles the old one."""
    kind = chance.randrange(6)
    if kind == 0 and isinstance(old, str) and old:
        place = chance.randrange(len(old))
        return chance.choice(
            (
                old.upper(),
                f" {old} ",
                old[:place],
                old + old,
                old[:place] + chr(chance.randrange(0x3000)) + old[place:],
                [old],
                {"value": old},
            )
        )
    if kind == 1 and isinstance(old, (int, float)):
        return chance.choice((str(old), old * -1, old + 1, float(old), [old], old * 10**9))
    if kind <= 3:
        return chance.choice(ODD_TEXTS)
    value = copy.copy(chance.choice(ODD_VALUES))
    for dummy in range(chance.randrange(3) if kind == 5 else 0):
        value = {chance.choice(("id", "status", "job", "x")): value} if chance.random() < 0.5 else [value]
    return value


def changed(chance: random.Random, data: Any) -> Any:
    """A JSON value with one to three changes of type, shape or name."""
    data = copy.deepcopy(data)
    for dummy in range(chance.choice((1, 1, 1, 2, 3))):
        path = chance.choice(places(data))
        if not path:
            return odd(chance)
        parent = data
        for step in path[:-1]:
            parent = parent[step]
        key, action = path[-1], chance.randrange(8)
        if action == 0:
            del parent[key]
        elif action == 1 and isinstance(parent, dict):
            parent[
                chance.choice(
                    (str(key).upper(), re.sub("_(.)", lambda m: m[1].upper(), str(key)), f"{key} ", "x")
                )
            ] = parent.pop(key)
        elif action == 2 and isinstance(parent, list):
            parent.extend(copy.deepcopy(parent) * chance.choice((1, 1, 7)))
        elif action == 3 and isinstance(parent[key], list):
            parent[key] = []
        else:
            parent[key] = odd(chance, parent[key])
    return data


def spoiled(chance: random.Random, body: bytes) -> bytes:
    """A damaged response, or bytes that never were one."""
    kind = chance.randrange(6)
    if kind == 0 or not body:
        return chance.choice(GARBAGE)
    if kind == 1:
        return chance.randbytes(chance.randrange(200))
    if kind == 2:
        return body[: chance.randrange(len(body))]
    if kind == 3:
        return body + chance.choice((b"}", b"x", body, b"\x00", b" \n"))
    broken = bytearray(body)
    for dummy in range(chance.randrange(1, 6)):
        broken[chance.randrange(len(broken))] = (
            chance.randrange(256) if kind == 4 else chance.choice(b'"{}[],:0\\u')
        )
    return bytes(broken)


def mutate(chance: random.Random, response: Response) -> Response:
    """Make a true response hostile: mostly typed JSON with its status, else garbage or another status."""
    kind = chance.random()
    status, headers, body = response.status, dict(response.headers), response.body
    if kind < 0.75 and body:
        body = json.dumps(changed(chance, json.loads(body))).encode()
    elif kind < 0.9:
        body = spoiled(chance, body)
    else:
        status = chance.choice(STATUSES)
        headers.update(chance.choice(HEADERS))
        if chance.random() < 0.5:
            code: Any = chance.choice(
                (
                    "DCS.4097",
                    "DBS.200019",
                    "APIGW.0308",
                    "APIGW.0301",
                    "DCS.5000",
                    "111400017",
                    "\x1b[2J",
                    5,
                    None,
                    {},
                    "X" * 500,
                )
            )
            body = json.dumps(
                changed(
                    chance, {"error_code": code, "error_msg": chance.choice(ODD_TEXTS), "error_ext_msg": None}
                )
            ).encode()
    return Response(status, headers, body)


class Replay:
    """A cloud in memory that sends the recorded responses, and repeats the last one for ever.

    After the first `spare` responses a `share` of them is hostile, or only those to the POST.
    """

    def __init__(
        self,
        responses: dict[str, list[Response]],
        chance: random.Random,
        share: float = 1.0,
        spare: int = 0,
        post_alone: bool = False,
    ) -> None:
        self._responses, self._chance = responses, chance
        self._share, self._spare, self._post_alone = share, spare, post_alone
        self._used: dict[str, int] = {}
        self.posts = self.served = self.spoilt = 0

    def __call__(self, request: Request) -> Response:
        self.served += 1
        self.posts += request.fresh
        true = self._true(key_of(request.method, request.url))
        if (
            not request.fresh
            if self._post_alone
            else self.served <= self._spare or self._chance.random() >= self._share
        ):
            return true
        self.spoilt += 1
        return mutate(self._chance, true)

    def _true(self, key: str) -> Response:
        if key in self._responses:
            used = self._used[key] = self._used.get(key, -1) + 1
            return self._responses[key][min(used, len(self._responses[key]) - 1)]
        # a page beyond the end, or an ID that only a hostile response knows
        known = [name for name in self._responses if name.rpartition(" ")[0] == key.rpartition(" ")[0]]
        return (
            emptied(self._responses[known[0]][-1])
            if known
            else Response(404, {}, b'{"error_code":"DCS.3022","error_msg":"Not found"}')
        )


def emptied(response: Response) -> Response:
    """The same response with empty lists."""
    data = json.loads(response.body) if response.body else {}
    return Response(
        response.status,
        response.headers,
        json.dumps({name: [] if isinstance(value, list) else value for name, value in data.items()}).encode(),
    )
