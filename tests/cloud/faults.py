# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults: one per request, in the order in which they were queued.

A fault has a name and parameters. The name stands for a behaviour. It may carry out the operation
(``process``) before, after or not at all, and returns the response to send, or None if it dealt with the
connection itself. This file has the behaviours that change a response; breakage.py has those that break the
connection. Every fault also takes ``hints`` (how the operation will end, see ``outcome``) and ``date_skew``
(seconds by which the response's Date header is wrong).
"""

from __future__ import annotations

import fnmatch
import html
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from . import breakage
from .breakage import Exchange, Turn
from .parts import PARTS
from .wire import Call, Response, whole_number

TOTALS = tuple({name: 0 for part in PARTS.values() for name in part.totals})
PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Proxy says no &amp; goodbye</title></head>"
    "<body><h1>It is not the API that speaks</h1></body></html>"
)
NOT_SET: Any = "<not set>"


def in_words_of(service: str, code: str) -> str:
    """The code of a service for one of DCS, or the code itself if the service has no other."""
    return PARTS[service].codes.get(code, code)


@dataclass
class Fault:
    name: str
    operation: str = "*"
    times: int | None = 1
    after: int = 0
    params: dict[str, Any] = field(default_factory=dict)
    used: int = 0
    on: str = ""

    async def run(self, exchange: Turn) -> Response | None:
        """Carry it out. Only breakage.py needs an Exchange, and only breakage.py waits."""
        name, defaults = PRESETS.get(self.name, (self.name, {}))
        params = {**defaults, **self.params}
        exchange.call.hints.update(params.pop("hints", {}))
        skew = params.pop("date_skew", None)
        response = await BEHAVIOURS[name](exchange, **params)
        if response is not None and skew is not None:
            response.headers["Date"] = formatdate(exchange.now() + float(skew), usegmt=True)
        return response


class Faults:
    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def __len__(self) -> int:
        return sum(fault.times is None or fault.used < fault.times for fault in self._queue)

    def clear(self) -> None:
        self._queue.clear()

    def add(
        self,
        name: str,
        operation: str = "*",
        times: int | None = 1,
        after: int = 0,
        on: str = "",
        **params: Any,
    ) -> Fault:
        """Queue a fault. An unknown name or parameter is refused now, not in the middle of a test."""
        behaviour, defaults = PRESETS.get(name, (name, {}))
        if behaviour not in BEHAVIOURS:
            raise ValueError(f"unknown fault {name!r}")
        own = {key: value for key, value in params.items() if key not in ("hints", "date_skew")}
        inspect.signature(BEHAVIOURS[behaviour]).bind(None, **{**defaults, **own})
        fault = Fault(name, operation, times, after, params, on=on)
        self._queue.append(fault)
        return fault

    def take(self, operation: str, path: str) -> Fault | None:
        for fault in self._queue:
            if (
                not fnmatch.fnmatchcase(operation, fault.operation)
                or fault.on not in path
                or (fault.times is not None and fault.used >= fault.times)
            ):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.used += 1
            return fault
        return None


# Another response


async def answer(
    exchange: Turn,
    *,
    status: int = 500,
    headers: dict[str, str] | None = None,
    body: Any = None,
    processed: bool = False,
) -> Response:
    """Any response at all: text is sent as it is, anything else as JSON.

    ``processed``: the operation happens anyway.
    """
    if processed:
        exchange.process()
    if isinstance(body, str):
        return Response(status, headers=dict(headers or {}), raw=body.encode())
    return Response(status, body, dict(headers or {}))


async def refusal(
    exchange: Turn,
    *,
    status: int = 400,
    code: str | None = None,
    message: str = "The request was refused.",
    shape: int | None = None,
    headers: dict[str, str] | None = None,
    processed: bool = False,
) -> Response:
    """An error in one of the eight shapes of real responses; by default in that of the service."""
    code = in_words_of(exchange.service, code or "DCS.4062")
    shapes: dict[int, Any] = {
        1: {"error_code": code, "error_msg": message, "error_ext_msg": None},
        2: {"error_msg": message, "error_code": code},
        3: {"errCode": code, "externalMessage": message},
        4: {"error": {"code": code, "message": message, "ext_message": None}},
        5: {"error_msg": message, "error_code": code, "request_id": "0" * 32},
        6: {"error": {"message": message, "code": status, "title": "Refused"}},
        7: {"error": {"code": code, "message": message}},
        8: {"errorCode": code, "errorMsg": message},
    }
    if shape is None and not code.startswith("APIG"):
        part = PARTS[exchange.service]
        body = part.error(exchange.call, part.refuse(status, code, message).response.data)
    else:
        body = shapes[shape or 5]
    return await answer(exchange, status=status, headers=headers, body=body, processed=processed)


async def busy(
    exchange: Turn, *, code: str | None = None, status: int | None = None, processed: bool = False
) -> Response:
    """The operation is refused because another one runs, in the words of the service."""
    message = "Another operation is being performed on the instance."
    status = status or PARTS[exchange.service].busy
    return await refusal(
        exchange, status=status, code=code or "DCS.4097", message=message, processed=processed
    )


async def throttle(
    exchange: Turn,
    *,
    retry_after: str | float | None = None,
    retry_date: float | None = None,
    as_html: bool = False,
    processed: bool = False,
) -> Response:
    """429 from the gateway.

    ``retry_after`` is sent as it is; ``retry_date`` is a date that many seconds from now.
    """
    headers = {}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if retry_date is not None:
        headers["Retry-After"] = formatdate(exchange.now() + retry_date, usegmt=True)
    if as_html:
        return await answer(
            exchange,
            status=429,
            headers={**headers, "Content-Type": "text/html"},
            body=PAGE,
            processed=processed,
        )
    message = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute"
    return await refusal(
        exchange, status=429, code="APIGW.0308", message=message, headers=headers, processed=processed
    )


async def redirect(
    exchange: Exchange, *, status: int = 302, location: str | None = None, processed: bool = False
) -> Response:
    """To another path of this host, or wherever ``location`` says."""
    target = location or str(exchange.request.url.with_path("/moved"))
    return await answer(exchange, status=status, headers={"Location": target}, body="", processed=processed)


async def body(
    exchange: Turn,
    *,
    content: str = "",
    status: int | None = None,
    content_type: str = "application/json",
    processed: bool = True,
) -> Response:
    """Another body with the true status (or ``status``); the operation has happened."""
    true = exchange.process() if processed else Response()
    return Response(
        status or true.status,
        headers={**true.headers, "Content-Type": content_type},
        raw=content.encode("utf-8", "surrogatepass"),
    )


# The true response, changed


async def mutate(exchange: Turn, *, function: Callable[[Response], Response | None]) -> Response:
    """The true response as a Python function changes it, also in place (only within this process)."""
    true = exchange.process()
    return function(true) or true


async def content_type(exchange: Turn, *, value: str = "text/html; charset=utf-8") -> Response:
    """The true body with another Content-Type."""
    true = exchange.process()
    true.headers["Content-Type"] = value
    return true


async def headers(
    exchange: Turn, *, extra: dict[str, str] | None = None, count: int = 0, size: int = 0
) -> Response:
    """The true response with more headers: named, ``count`` small ones, or one of ``size`` characters."""
    true = exchange.process()
    true.headers.update(extra or {})
    true.headers.update({f"X-Padding-{number}": "x" for number in range(count)})
    if size:
        true.headers["X-Padding"] = "x" * size
    return true


async def inject(exchange: Turn, *, member: str = "", padding: int = 0, prefix: str = "") -> Response:
    """Add one member to the true JSON object, written as the text says.

    ``padding``: a string of that many bytes.
    """
    true = exchange.process()
    text = true.body()
    member = f'"padding":"{"x" * padding}"' if padding else member
    if member and text.startswith(b"{"):
        comma = b"" if text == b"{}" else b","
        # latin-1 and not UTF-8: the only way to say a byte that is no character
        text = b"{" + member.encode("latin-1") + comma + text[1:]
    true.raw = prefix.encode() + text
    return true


async def duplicate_key(
    exchange: Turn, *, key: str | None = None, value: Any = "00000000-0000-4000-8000-000000000000"
) -> Response:
    """The object names a key twice: first with another value, then with the true one."""
    true = exchange.process()
    if isinstance(true.data, dict) and true.data:
        name = key or next(iter(true.data))
        true.raw = f"{{{json.dumps(name)}:{json.dumps(value)},".encode() + true.body()[1:]
    return true


async def rewrite(
    exchange: Turn,
    *,
    key: str,
    value: Any = NOT_SET,
    values: list[Any] | None = None,
    missing: bool = False,
    rename: str | None = None,
    newest: bool = False,
) -> Response:
    """A key at any depth: another value, one of ``values`` in turn, none at all, or another name.

    ``newest`` touches only the newest element of each list.
    """
    true = exchange.process()
    if values is not None:
        value = values[(exchange.fault.used - 1) % len(values)]

    def visit(node: Any) -> None:
        if isinstance(node, list):
            for item in _newest_first(node)[: 1 if newest else None]:
                visit(item)
        elif isinstance(node, dict):
            if key in node:
                old = node.pop(key)
                if not missing:
                    node[rename or key] = old if value is NOT_SET else value
            for item in node.values():
                visit(item)

    visit(true.data)
    return true


async def total(exchange: Turn, *, value: Any = NOT_SET, add: int = 0, missing: bool = False) -> Response:
    """The total number of records is wrong."""
    true = exchange.process()
    if isinstance(true.data, dict):
        for name in TOTALS:
            if name in true.data:
                number = true.data.pop(name)
                if not missing:
                    true.data[name] = number + add if value is NOT_SET else value
    return true


def _records(true: Response) -> str | None:
    data = true.data if isinstance(true.data, dict) else {}
    return next((name for name, value in data.items() if isinstance(value, list)), None)


def _newest_first(rows: list[Any]) -> list[Any]:
    """The items of a list by the time at which they were created; those without one as they are."""
    times = ("created_at", "created_time", "created")

    def created(row: Any) -> str:
        return next((str(row[name]) for name in times if name in row), "") if isinstance(row, dict) else ""

    return sorted(rows, key=created, reverse=True)


async def records(exchange: Turn, *, value: Any = None, missing: bool = False) -> Response:
    """The list of records is null, something else, or missing."""
    true = exchange.process()
    name = _records(true)
    if name is not None:
        true.data.pop(name)
        if not missing:
            true.data[name] = value
    return true


async def vanish(
    exchange: Turn, *, object_id: str | None = None, place: int = 0, keep_total: bool = False
) -> Response:
    """Leave one record out of the list: the one at a place (0 the newest, -1 the oldest) or with this ID.

    ``keep_total``: the total still counts it, as one does that another replica has made.
    """
    true = exchange.process()
    name = _records(true)
    if name is not None and true.data[name]:
        rows = true.data[name]
        gone = (
            [row for row in rows if object_id in row.values()]
            if object_id
            else [_newest_first(rows)[place % len(rows)]]
        )
        true.data[name] = [row for row in rows if row not in gone]
        for key in TOTALS:
            if isinstance(true.data.get(key), int) and not keep_total:
                true.data[key] -= len(gone)
    return true


async def repeat(exchange: Turn, *, place: int = 0, keep_total: bool = False) -> Response:
    """One record is in the list twice; the total counts it twice, too, unless ``keep_total``."""
    true = exchange.process()
    name = _records(true)
    if name is not None and true.data[name]:
        rows = true.data[name]
        true.data[name] = [*rows, _newest_first(rows)[place % len(rows)]]
        for key in TOTALS:
            if isinstance(true.data.get(key), int) and not keep_total:
                true.data[key] += 1
    return true


SPELLINGS = {
    "succeed": "success",
    "failed": "FAIL",
    "Completed": "COMPLETED",
    "Failed": "FAILED",
    "RUNNING": "Running",
    "normal": "NORMAL",
}


async def spelling(exchange: Turn, *, words: dict[str, str] | None = None) -> Response:
    """Every status in another spelling, as other clouds with this software write it."""
    true = exchange.process()
    words = SPELLINGS if words is None else words

    def visit(node: Any) -> None:
        for item in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
            visit(item)
        if isinstance(node, dict) and isinstance(node.get("status"), str):
            node["status"] = words.get(node["status"], node["status"])

    visit(true.data)
    return true


FLOATS = ("size", "data_volume_size", "capacity", "max_memory", "used_memory", "port", *TOTALS)


async def floats(exchange: Turn, *, keys: tuple[str, ...] | list[str] = FLOATS) -> Response:
    """Whole numbers as floats, large ones with an exponent: 40000000000 is written 4.0E10."""
    true = exchange.process()
    names = "|".join(map(re.escape, keys))

    def write(match: re.Match[str]) -> str:
        digits = match[2]
        if len(digits) <= 6:
            return f"{match[1]}{digits}.0"
        return f"{match[1]}{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 1}"

    true.raw = re.sub(rf'("(?:{names})":)(\d+)(?=[,}}])', write, true.body().decode()).encode()
    return true


async def stale(exchange: Turn, *, seconds: float = 10.0) -> Response:
    """An old status: what this one response says of records and instances was true that many seconds ago."""
    exchange.call.hints["lag"] = seconds
    return exchange.process()


async def error_in_body(
    exchange: Turn, *, code: str = "DCS.5000", message: str = "Internal service error.", when: str = "before"
) -> Response:
    """200 with the body of an error; the operation has happened only with ``when="after"``."""
    if when == "after":
        exchange.process()
    return Response(200, {"error_code": in_words_of(exchange.service, code), "error_msg": message})


async def clock(exchange: Turn, *, seconds: float = 1200.0) -> Response:
    """The server's clock is off by that much, as its Date header says."""
    true = exchange.process()
    true.headers["Date"] = formatdate(exchange.now() + seconds, usegmt=True)
    return true


# The request, changed on its way


async def paging(exchange: Turn, *, mode: str, limit: int = 100, by: int = 1) -> Response:
    """Page in the server's own way, by ``mode``.

    ``ignored``: offset is ignored; ``page_number``: offset is a page number; ``capped``: limit is at most
    ``limit``; ``shifted``: each page is shifted by ``by``. Shifted by 1, a page repeats the last record of
    the page before it (a record was inserted); shifted by -1, it leaves one out (a record was removed).
    """

    def tweak(call: Call) -> None:
        offset = whole_number(call.query.get("offset", "0")) or 0
        size = whole_number(call.query.get("limit", "10")) or 10
        if mode == "ignored":
            offset = 0
        elif mode == "page_number":
            offset *= size
        elif mode == "shifted" and offset:
            offset = max(0, offset - by)
        elif mode == "capped":
            size = min(size, limit)
        call.query.update(offset=str(offset), limit=str(size))

    return exchange.process(tweak)


async def remark(exchange: Turn, *, style: str = "strip") -> Response:
    """Store the remark in another form: ``strip``, ``upper``, ``cut`` (64 characters), ``html``."""
    styles: dict[str, Callable[[str], str | None]] = {
        "strip": lambda dummy: None,
        "upper": str.upper,
        "cut": lambda text: text[:64],
        "html": html.escape,
    }

    def tweak(call: Call) -> None:
        sent = json.loads(call.body)
        sent["remark"] = styles[style](sent.get("remark") or "")
        call.body = json.dumps(sent).encode()

    return exchange.process(tweak)


async def outcome(
    exchange: Turn,
    *,
    fail: str | None = None,
    leave: str | None = None,
    stuck: bool | None = None,
    seconds: float | None = None,
    settle: float | None = None,
    visibility: float | None = None,
) -> Response:
    """How the operation that starts now will end.

    ``fail``: with this error code or reason; ``leave``: the instance status afterwards; ``stuck``: never;
    ``seconds``: after that long; ``settle``: the instance stays busy for that long; ``visibility``: its
    record cannot be seen for that long.
    """
    wanted = {
        "fail": fail,
        "leave": leave,
        "stuck": stuck,
        "seconds": seconds,
        "settle": settle,
        "visibility": visibility,
    }
    exchange.call.hints.update({name: value for name, value in wanted.items() if value is not None})
    return exchange.process()


async def operation_fails(exchange: Turn, *, code: str | None = None, leave: str = "RUNNING") -> Response:
    """The operation is accepted and fails later, with a code or a reason, as its service says it."""
    return await outcome(exchange, fail=code or PARTS[exchange.service].failure, leave=leave)


BEHAVIOURS = {**breakage.BEHAVIOURS, **breakage.faults_of(globals())}

_HTML = {"Content-Type": "text/html"}
PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    # name: (behaviour, its parameters); a fault's own parameters win over these
    "server_error": ("refusal", {"status": 500, "code": "DCS.5000", "message": "Internal service error."}),
    "bad_gateway": ("answer", {"status": 502, "headers": _HTML, "body": PAGE}),
    "unavailable": ("answer", {"status": 503, "headers": _HTML, "body": PAGE}),
    "gateway_timeout": ("answer", {"status": 504, "headers": _HTML, "body": PAGE}),
    "unauthorized": (
        "refusal",
        {
            "status": 401,
            "code": "APIGW.0301",
            "message": "Incorrect IAM authentication information: verify aksk signature fail",
        },
    ),
    "token_expired": (
        "refusal",
        {"status": 401, "code": "APIGW.0307", "message": "The token must be updated."},
    ),
    "forbidden": (
        "refusal",
        {
            "status": 403,
            "code": "DCS.2003",
            "message": "You do not have the permission dcs:instance:restoreData.",
        },
    ),
    "not_found": ("refusal", {"status": 404, "code": "DCS.3022", "message": "This instance does not exist."}),
    "no_content": ("answer", {"status": 204, "processed": True}),
    "invalid_json": ("body", {"content": '{"restore_id": '}),
    "empty_body": ("body", {"content": ""}),
    "json_null": ("body", {"content": "null"}),
    "json_list": ("body", {"content": '["restore_id"]'}),
    "json_string": ("body", {"content": '"restore_id"'}),
    "json_number": ("body", {"content": "42"}),
    "deep_json": ("body", {"content": "[" * 100_000}),
    "html_page": ("body", {"content": PAGE, "content_type": "text/html"}),
    "huge_integer": ("inject", {"member": '"huge":' + "9" * 5000}),
    "nan": ("inject", {"member": '"odd":NaN'}),
    "overflow": ("inject", {"member": '"odd":1e400'}),
    "lone_surrogate": ("inject", {"member": '"odd":"\\ud800"'}),
    "invalid_utf8": ("inject", {"member": '"odd":"\xff\xfe"'}),
    "byte_order_mark": ("inject", {"prefix": "\ufeff"}),
    "big_body": ("inject", {"padding": 8 * 1024 * 1024}),
    "many_headers": ("headers", {"count": 150}),
    "big_header": ("headers", {"size": 70_000}),
    "offset_ignored": ("paging", {"mode": "ignored"}),
    "offset_as_page_number": ("paging", {"mode": "page_number"}),
    "limit_capped": ("paging", {"mode": "capped"}),
    "pages_shifted": ("paging", {"mode": "shifted"}),
    "total_too_large": ("total", {"add": 500}),
    "null_list": ("records", {"value": None}),
    "missing_list": ("records", {"missing": True}),
    "stuck": ("outcome", {"stuck": True}),
}
