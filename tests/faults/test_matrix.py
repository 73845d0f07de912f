# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault matrix: whatever breaks, at most one restore starts, and the task reports what happened.

A line of TABLE has what goes wrong, how to cause it, and what is expected. Each line
runs for the restore of a cache, the recoveries of a database and of its metadata, and the backup of a cache,
over real sockets.
post() breaks the request that must not be repeated, read() the list on which the decision rests, poll() the
reading during the wait. A request meets one fault: the first of those that fit it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tests import leaks
from tests.cloud import scenario as names
from tests.cloud.state import DcsRestore
from tests.cloud.tls import ELSEWHERE
from tests.cloud.wire import Response
from tests.faults import invocations, routes
from tests.faults.bench import (
    DCS_BACKUP,
    DCS_RESTORE,
    DDM_METADATA,
    DDM_RECOVERY,
    IMPATIENCE,
    OPERATIONS,
    Bench,
    Operation,
    Outcome,
    Wire,
)
from tests.faults.conftest import World
from tests.unit.fakes import redacting

Arrange = Callable[["Case"], None]
Check = Callable[["Case", Outcome], None]
NEVER_ENDS = ("hang", "late", "drip_headers", "drip_body")
BOUND = 5.0  # seconds after wait_timeout at which every task has ended


@dataclass
class Case:
    """What an arrangement may change."""

    world: World
    bench: Bench
    operation: Operation
    patch: pytest.MonkeyPatch


@dataclass(frozen=True)
class Expect:
    """What is expected of a case.

    `kind` is the error_kind, empty for success; `received` and `effects` count in the cloud; `says` are
    patterns in the message.
    """

    kind: str = ""
    changed: bool = True
    adopted: bool | None = None
    received: int | None = 1
    effects: int = 1
    says: tuple[str, ...] = ()
    after: float = 0.0  # seconds that it takes at least

    def but(self, **other: Any) -> Expect:
        return Expect(**{**self.__dict__, **other})

    def saying(self, *patterns: str) -> Expect:
        return self.but(says=(*self.says, *patterns))


DONE = Expect(adopted=False)
ADOPTED = Expect(adopted=True)
NOT_STARTED = Expect(
    "not_started", changed=False, received=0, effects=0, says=("was not started", "could not be sent")
)
UNKNOWN = Expect(
    "outcome_unknown",
    effects=0,
    says=("was sent at 20", "Nothing was repeated", "Safe next steps", "in [0-9]+ checks"),
)
WAIT_TIMEOUT = Expect("wait_timeout", says=("still running", "nothing was repeated", "attach"))
GONE = Expect("outcome_unknown", after=60, says=("can no longer be found", "Nothing was repeated"))
NEVER_SEEN = Expect(
    "outcome_unknown", after=180, says=("was accepted, but cannot be seen yet", "Nothing was repeated")
)


def refused(kind: str, *says: str) -> Expect:
    """The cloud received the request and refused it."""
    return Expect(kind, changed=False, effects=0, says=("was not started", *says))


def unread(kind: str, *says: str) -> Expect:
    """Nothing was sent, because the state could not be read."""
    return Expect(kind, changed=False, received=0, effects=0, says=says)


def fails_later(kind: str, *says: str) -> Expect:
    """The operation was started, and the task fails afterwards."""
    return Expect(kind, says=says)


# Arrangements


def both(*arrangements: Arrange) -> Arrange:
    def arrange(case: Case) -> None:
        for arrangement in arrangements:
            arrangement(case)

    return arrange


def _queue(case: Case, name: str, operation: str, times: int | None, params: dict[str, Any]) -> None:
    if name in NEVER_ENDS:
        case.bench.wire.patience = IMPATIENCE
    case.bench.sim.fault(
        name,
        operation,
        times,
        **{
            key: value(case) if callable(value) and key != "function" else value
            for key, value in params.items()
        },
    )


def post(name: str, times: int | None = 1, **params: Any) -> Arrange:
    return lambda case: _queue(case, name, case.operation.post, times, params)


def read(name: str, times: int | None = 1, of: str = "", **params: Any) -> Arrange:
    return lambda case: _queue(case, name, of or case.operation.start.listed, times, params)


def poll(name: str, times: int | None = 1, of: str = "", **params: Any) -> Arrange:
    return lambda case: case.bench.wire.after_post.append(
        lambda: _queue(case, name, of or case.operation.start.poll, times, params)
    )


def lead(place: str, *ways: str, forever: bool = False) -> Arrange:
    """Send the next requests ('POST', 'read' or 'poll') over another route. '' is the right one."""

    def arrange(case: Case) -> None:
        urls = [case.world.route(way) if way else None for way in ways]
        stream = itertools.cycle(urls) if forever else iter(urls)
        wire = case.bench.wire
        if "black hole" in ways:
            wire.patience = IMPATIENCE
        if place == "POST":
            wire.post_ways = stream
        elif place == "read":
            wire.read_ways = stream
        else:
            wire.after_post.append(lambda: setattr(wire, "read_ways", stream))

    return arrange


def option(**params: Any) -> Arrange:
    return lambda case: case.bench.params.update(params)


def outcome(**params: Any) -> Arrange:
    """How the operation goes, without a fault."""
    return post("outcome", **params)


def sleeps(seconds: float) -> Callable[[Case], Any]:
    def change(case: Case) -> None:
        case.bench.time.ahead += seconds

    return change


def before_post(change: Callable[[Case], Any]) -> Arrange:
    return lambda case: case.bench.wire.before_post.append(lambda: change(case))


def by_password(case: Case) -> None:
    case.bench.sign_in_by_password()


def by_token(case: Case) -> None:
    case.bench.sign_in_by_token()


def tls(mode: str, place: str = "read", trusted: bool = True) -> Arrange:
    """A cloud behind TLS of this kind, for every request or for the POST alone."""

    def arrange(case: Case) -> None:
        sim = case.world.cloud(mode)
        ca = str(sim.ca_file) if trusted else None
        if place == "POST":
            case.bench.wire = Wire(case.bench.time, ca_path=ca)
            case.bench.wire.post_ways = itertools.repeat(sim.url)
            return
        bench = Bench(sim, case.bench.time)
        bench.params.update(case.bench.params)
        case.bench = bench
        bench.wire = Wire(bench.time, ca_path=ca, redactor=redacting(bench.secrets))

    return arrange


def proxied(*script: str | None, port: Callable[[World], str] | None = None) -> Arrange:
    """A cloud behind TLS and a proxy, which answers the tunnels in turn as the script says.

    After the script it opens them.
    """

    def arrange(case: Case) -> None:
        tls("ca")(case)
        for name, value in case.bench.env.items():
            if name.endswith("_ENDPOINT"):
                case.bench.env[name] = re.sub("//[^:/]+", f"//{ELSEWHERE}", value)
        proxy = routes.Proxy(list(script))
        number = case.world.listen(proxy.serve) if port is None else int(port(case.world).rpartition(":")[2])
        case.patch.setenv("HTTPS_PROXY", f"http://operator:{PROXY_PASSWORD}@127.0.0.1:{number}")

    return arrange


def proxy_leaves(case: Case) -> None:
    """From the POST on, nothing listens at the proxy's port."""
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(routes.listener(routes.Proxy().serve))
        case.patch.setenv("HTTPS_PROXY", f"http://operator:{PROXY_PASSWORD}@127.0.0.1:{port}")
        case.bench.wire.before_post.append(stack.pop_all().close)


PROXY_PASSWORD = "proxy-Passw0rd-that-no-output-may-hold"
DENIED = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic"
BAD_TUNNEL = "HTTP/1.1 502 Bad Gateway"


def many_records(count: int) -> Arrange:
    """A history: records that ended long ago."""

    def arrange(case: Case) -> None:
        cloud = case.bench.sim.state
        with cloud.lock:
            for number in range(count):
                kind, new_id = cloud.kind_of(case.operation.post), cloud.new_uuid()
                ended = cloud.clock() - 86400.0 - number
                past = kind.past(new_id, case.operation.params["instance_id"], ended)
                cloud.made_by(case.operation.post)[new_id] = past

    return arrange


def list_of(response: Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(value for value in response.data.values() if isinstance(value, list))
    return found


def endless_history(case: Case) -> None:
    """Every page is full and new."""
    serial, pattern = itertools.count(), dict[str, Any]()

    def grow(response: Response) -> None:
        rows = list_of(response)
        pattern.update(rows[0] if rows else {})
        rows[:] = [
            {**pattern, record_id(case): f"00000000-0000-4000-8000-{next(serial):012d}"}
            for dummy in range(10)
        ]

    read("mutate", times=None, function=grow)(case)


def first_page_again(case: Case) -> None:
    """The first twelve records come, whatever was requested."""
    first = list[Any]()

    def again(response: Response) -> None:
        first[:] = first or list_of(response)[:12]
        list_of(response)[:] = first

    read("mutate", None, function=again)(case)


def jump(seconds: float) -> Arrange:
    """Only the client's calendar jumps, once the request is sent."""
    return lambda case: case.bench.wire.after_post.append(lambda: setattr(case.bench.time, "jump", seconds))


def pace(value: float) -> Arrange:
    """How many real seconds an imagined one takes: for faults that the cloud times by the real clock."""
    return lambda case: setattr(case.bench.time, "pace", value)


def id_of(case: Case) -> str:
    return case.operation.id_name


def record_id(case: Case) -> str:
    return "id" if case.operation.by_job else case.operation.id_name


def progress(case: Case) -> str:
    return "process" if case.operation.by_job else "progress"


def plain_elsewhere(case: Case) -> str:
    return case.world.evil.url + "/stolen"


def nothing_stolen(case: Case, outcome: Outcome) -> None:
    assert case.world.evil.ledger == []


def tries(count: int) -> Check:
    def check(case: Case, outcome: Outcome) -> None:
        assert case.bench.wire.tried == count

    return check


def hides_proxy(case: Case, outcome: Outcome) -> None:
    assert PROXY_PASSWORD in outcome.secrets
    assert PROXY_PASSWORD not in json.dumps(outcome.result)


def carries_ids(case: Case, outcome: Outcome) -> None:
    """Check that the result has the ID, with which a rescue block can go on."""
    assert outcome.result[case.operation.id_name] in case.bench.sim.state.made_by(case.operation.post)


def running(case: Case, outcome: Outcome) -> None:
    carries_ids(case, outcome)
    assert outcome.result["elapsed"] >= 0


def no_marker(case: Case, outcome: Outcome) -> None:
    assert outcome.result["marker_echoed"] is False
    assert "cannot recognise" in outcome.result["warnings"][0]


def marked(case: Case, outcome: Outcome) -> None:
    assert "marker_echoed" not in outcome.result
    assert re.search(r"\[rst1:[A-Z2-7]{26}\]$", case.bench.sim.posts(case.operation.post)[0].json["remark"])


def clean(case: Case, outcome: Outcome) -> None:
    assert str(outcome.result["msg"]).isprintable()


def duplicates(case: Case) -> None:
    """The response is lost, and the cloud shows two new records of this operation."""

    def split(response: Response) -> Response:
        cloud = case.bench.sim.state
        records = cloud.made_by(case.operation.post)
        first = next(record for record in records.values() if record.operation is not None)
        second = type(first)(
            **{
                **first.__dict__,
                "id": cloud.new_hex() if case.operation.by_job else cloud.new_uuid(),
                "operation": None,
            }
        )
        records[second.id] = second
        return Response(502, raw=b"<html>")

    post("mutate", function=split)(case)


def vanish(times: int | None) -> Arrange:
    """The record is seen once; then it is gone, a job from its own call and from the list."""

    def arrange(case: Case) -> None:
        if not case.operation.by_job:
            poll("vanish", times, after=1)(case)
        else:
            start = case.operation.start
            poll("not_found", times, start.poll, after=1)(case)
            poll("vanish", times, start.listed)(case)

    return arrange


def flap(case: Case) -> None:
    of_record = ["succeed", "restoring" if case.operation is DCS_RESTORE else "backuping"]
    values = ["Completed", "Running"] if case.operation.by_job else of_record
    poll("rewrite", 6, key="status", values=values, newest=True)(case)
    # The instance serves in the meantime, so that only the record can tell.
    if case.operation is DCS_RESTORE or case.operation.by_job:
        poll(
            "rewrite",
            6,
            f"{case.operation.service}.instance",
            key="status",
            value="RUNNING",
        )(case)
        poll("rewrite", 6, "dcs.instance", key="task", value=None)(case)


def delete_backup(status: str) -> Callable[[Case], None]:
    return lambda case: setattr(case.bench.sim.state.dcs_backups[names.DCS_BACKUP], "status", status)


def take_target(case: Case) -> None:
    case.bench.sim.state.ddm_instances[names.DDM_TARGET].accounts = 1


def move_backup(case: Case) -> None:
    case.bench.sim.state.dcs_backups[names.DCS_BACKUP].instance_id = names.DCS_OTHER


def restore_another(case: Case) -> None:
    """Somebody at the console restores another backup."""
    cloud = case.bench.sim.state
    with cloud.lock:
        now, instance = cloud.clock(), cloud.dcs_instances[names.DCS_INSTANCE]
        record = DcsRestore(
            cloud.new_uuid(), instance.id, names.DCS_BACKUP_OLD, "other", now, now, "restoring", "10.00"
        )
        cloud.dcs_restores[record.id] = record
        instance.status = instance.task = "RESTORING"


def occupy(case: Case) -> None:
    case.bench.sim.state.ddm_instances[names.DDM_TARGET].status = "GROWING"


ALL, DCS, DDM = OPERATIONS, (DCS_RESTORE, DCS_BACKUP), (DDM_RECOVERY, DDM_METADATA)
ONCE = (*DCS, DDM_METADATA)  # refused parameters are not sent again in another form
RETRY_AFTER = (
    "soon",
    "-5",
    "1e9",
    "999999999",
    "",
    "5.5",
    "Thu, 99 Foo 2026 25:61:61 GMT",
    "9" * 400,
    "\u0663",
)
ODD_STATUS = ("", "paused", "RESTORING2", "NOT SUCCEED", "\x1b[2J\u202egone\r\n", "x" * 10_000)
ODD_IDS: tuple[Any, ...] = (5, None, {}, "", [], True, "x" * 10_240, " spaced out ", "../../etc", "a\r\nb")
ODD_PROGRESS: tuple[Any, ...] = ("100,00", None, -5, 250, "NaN", [], "")
NO_REASON: tuple[Any, ...] = ({}, None, "")
NOT_TRUE: tuple[Any, ...] = (1, None, "yes", [True])
ESCAPES = "\x1b[2J\u202e\r\nAll went well\x00"
Line = tuple[str, Arrange, Expect, Any]


def line(
    words: str,
    arrange: Arrange,
    expect: Expect,
    only: Iterable[Operation] = ALL,
    check: Check | None = None,
) -> Line:
    return words, arrange, expect, (tuple(only), check)


TABLE: list[Line] = [
    # The request cannot have been sent
    line("POST refused twice", lead("POST", "closed", "closed"), DONE, check=tries(3)),
    line("POST refused for good", lead("POST", "closed", forever=True), NOT_STARTED, check=tries(6)),
    line("read refused twice", lead("read", "closed", "closed"), DONE),
    line(
        "read refused for good",
        lead("read", "closed", forever=True),
        unread("transport_error", "No connection to 127.0.0.1"),
    ),
    line("poll refused five times", lead("poll", *["closed"] * 5), DONE),
    line(
        "POST: name unknown",
        lead("POST", "nameless", forever=True),
        NOT_STARTED.saying("dcs.nowhere.invalid cannot be resolved"),
    ),
    line(
        "read: name unknown",
        lead("read", "nameless", forever=True),
        unread("transport_error", r"dcs\.nowhere\.invalid cannot be resolved", "^[^?]*$"),
    ),
    line("poll: name unknown once", lead("poll", "nameless"), DONE),
    line("POST: no connection in time, once", lead("POST", "black hole"), DONE),
    line(
        "POST: no connection in time",
        both(option(max_retries=1), lead("POST", "black hole", forever=True)),
        NOT_STARTED.saying("No connection to"),
    ),
    # Sent only at the second try, after another observation: a name took 90 s, or the machine slept
    line(
        "POST: connecting outlasts the time, once",
        before_post(sleeps(90)),
        DONE.but(after=90),
        check=tries(2),
    ),
    line(
        "POST: connecting outlasts what allowed it, once",
        both(option(http_timeout=300), before_post(sleeps(90))),
        DONE.but(after=90),
        check=tries(2),
    ),
    line("read: no connection in time, once", lead("read", "black hole"), DONE),
    line(
        "POST: self-signed",
        tls("self-signed", "POST"),
        refused("tls_error", "self.signed", "ca_path").but(received=0),
        check=tries(1),
    ),
    line(
        "read: self-signed",
        tls("self-signed"),
        unread("tls_error", "self.signed", "ca_path", "^(?!.*validate_certs)"),
    ),
    line(
        "POST: unknown authority",
        tls("ca", "POST", trusted=False),
        refused("tls_error", "issuer certificate|self.signed", "ca_path").but(received=0),
    ),
    line(
        "read: unknown authority",
        tls("ca", trusted=False),
        unread("tls_error", "issuer certificate|self.signed", "ca_path"),
    ),
    line(
        "POST: expired",
        tls("expired", "POST"),
        refused("tls_error", "expired").but(received=0),
        check=tries(1),
    ),
    line("read: expired", tls("expired"), unread("tls_error", "expired")),
    line(
        "POST: for another host",
        tls("wrong-host", "POST"),
        refused("tls_error", "mismatch|not valid for").but(received=0),
        check=tries(1),
    ),
    line(
        "read: for another host",
        tls("wrong-host"),
        unread("tls_error", "mismatch|not valid for", r"^(?!.*\.\.)"),
    ),
    line("POST: TLS reset in the handshake, once", lead("POST", "handshake"), DONE),
    line("POST: TLS reset in the handshake", lead("POST", "handshake", forever=True), NOT_STARTED),
    line("read: TLS reset in the handshake, once", lead("read", "handshake"), DONE),
    line("TLS reset after the request, processed", both(tls("ca"), post("reset")), ADOPTED),
    line(
        "TLS reset after the request, not processed",
        both(tls("ca"), post("reset", when="before")),
        UNKNOWN,
    ),
    line("read: TLS reset after the request", both(tls("ca"), read("reset")), DONE),
    line("proxy opens all tunnels", proxied(), DONE, check=hides_proxy),
    line(
        "proxy refused",
        proxied(port=lambda world: world.route("closed")),
        unread("transport_error", "proxy"),
        check=hides_proxy,
    ),
    line(
        "POST: proxy says 407",
        proxied(*[None, DENIED] * 6),
        unread(
            "transport_error",
            "was not started: The proxy 127.0.0.1:[0-9]+",
            "requires another user and password",
        ),
        check=hides_proxy,
    ),
    line(
        "POST: proxy gone",
        both(proxied(), proxy_leaves),
        unread("transport_error", "proxy"),
        check=hides_proxy,
    ),
    line("POST: tunnel 502, once", proxied(None, BAD_TUNNEL), DONE, check=hides_proxy),
    line(
        "read: proxy says 407",
        proxied(*[DENIED] * 6),
        unread("transport_error", "proxy"),
        check=hides_proxy,
    ),
    line("read: tunnel 502, once", proxied(BAD_TUNNEL), DONE, check=hides_proxy),
    # The response is lost
    line("POST: reset before it was read", post("reset", when="before"), UNKNOWN),
    line("read: reset", read("reset", when="before"), DONE),
    line("poll: reset", poll("reset", when="before"), DONE),
    line("POST: reset after processing", post("reset"), ADOPTED),
    line("read: reset after processing", read("reset", 3), DONE),
    line("POST: closed before processing", post("close", when="before"), UNKNOWN),
    line("POST: closed after processing", post("close"), ADOPTED),
    line("read: closed", read("close"), DONE),
    line("poll: closed", poll("close", 3), DONE),
    line("POST: no response, processed", post("hang"), ADOPTED.but(after=60)),
    line("POST: no response, not processed", post("hang", when="before"), UNKNOWN),
    line("read: no response", read("hang"), DONE.but(after=60)),
    line("poll: no response", poll("hang"), DONE.but(after=60)),
    line("POST: delivered 60 s late", both(pace(1 / 200), post("late", seconds=60 / 200)), ADOPTED),
    line("POST: delivered 400 s late", both(pace(1 / 2000), post("late", seconds=20)), UNKNOWN),
    line("POST: headers by the drop, processed", post("drip_headers"), ADOPTED.but(after=60)),
    line("POST: headers by the drop, not processed", post("drip_headers", when="before"), UNKNOWN),
    line("read: headers by the drop", read("drip_headers"), DONE.but(after=60)),
    line("POST: body by the drop, processed", post("drip_body"), ADOPTED.but(after=60)),
    line("POST: body by the drop, not processed", post("drip_body", when="before", interval=0.2), UNKNOWN),
    line("read: body by the drop", read("drip_body"), DONE.but(after=60)),
    line("POST: headers cut, processed", post("truncated_headers"), ADOPTED),
    line("POST: headers cut, not processed", post("truncated_headers", when="before"), UNKNOWN),
    line("read: headers cut", read("truncated_headers", 2), DONE),
    line("poll: headers cut", poll("truncated_headers"), DONE),
    *(
        line(f"POST: body cut ({style})", post("truncated_body", style=style), ADOPTED)
        for style in ("length", "chunked", "reset")
    ),
    *(
        line(f"read: body cut ({style})", read("truncated_body", style=style), DONE)
        for style in ("length", "chunked", "reset")
    ),
    line(
        "read: body cut for good",
        read("truncated_body", None),
        unread("transport_error", "broke before the response was complete"),
    ),
    # Garbage
    *(
        line(f"POST: {name}", post(name), ADOPTED)
        for name in ("garbage_status", "http09", "many_headers", "big_header")
    ),
    line("POST: garbage, not processed", post("garbage_status", when="before"), UNKNOWN),
    *(
        line(f"read: {name}", read(name), DONE)
        for name in ("garbage_status", "http09", "many_headers", "big_header")
    ),
    line("read: garbage for good", read("garbage_status", None), unread("transport_error")),
    *(line(f"POST: {name}", post(name), ADOPTED) for name in ("invalid_json", "empty_body")),
    *(
        line(
            f"POST: {name}, not processed",
            post("body", content=text, status=200, processed=False),
            UNKNOWN,
        )
        for name, text in (("empty", ""), ("cut", "{"))
    ),
    *(line(f"read: {name} once", read(name), DONE) for name in ("invalid_json", "empty_body")),
    line("read: invalid_json for good", read("invalid_json", None), unread("protocol_error", "JSON")),
    # 200 without content, and saying so, at every reading: an empty list
    line("read: empty_body for good", read("empty_body", None), NEVER_SEEN, DCS, running),
    line("read: empty_body for good", read("empty_body", None), DONE, DDM),
    *(
        line(f"POST: {name}", post(name), ADOPTED)
        for name in ("json_null", "json_list", "json_string", "json_number")
    ),
    *(
        line(f"read: {name}", read(name, None), unread("protocol_error"))
        for name in ("json_null", "json_list", "json_string", "json_number")
    ),
    line("poll: a null for the job", poll("rewrite", None, "ddm.job", key="job", value=None), DONE, DDM),
    # One such response ends neither a wait nor the search after a lost response.
    *(
        line(f"{what}: an instance with an error under 200, once", arrange, expect, operations)
        for operations, of in ((DCS, "dcs.instance"), (DDM, "ddm.instance"))
        for error in [poll("answer", 1, of, status=200, body={"error_code": "DCS.5000", "error_msg": "Oops"})]
        for what, arrange, expect in (
            ("poll", error, DONE),
            ("search", both(post("invalid_json"), error), ADOPTED),
        )
    ),
    line("POST: a page under 200", post("html_page"), ADOPTED),
    *(
        line(
            f"POST: a page under {status}, not processed",
            post("body", content=PAGE, status=status, processed=False),
            UNKNOWN.saying("Proxy says no"),
        )
        for PAGE in ["<html><head><title>Proxy says no &amp; goodbye\x1b[2J</title></head></html>"]
        for status in (200, 403, 404, 502)
    ),
    line("read: a page under 502, once", read("bad_gateway"), DONE),
    line(
        "read: a page under 403",
        read("body", None, content="<title>Blocked</title>", status=403),
        unread("protocol_error", "not from the API", "Blocked"),
    ),
    line("read: a page under 200", read("html_page", None), unread("protocol_error", "Proxy says no")),
    line("POST: wrong content type", post("content_type"), DONE),
    line("read: wrong content type", read("content_type", 2), DONE),
    # Throttled
    line("POST: throttled for 7 s", post("throttle", retry_after=7), DONE.but(received=2, after=37)),
    line("POST: throttled for an hour", post("throttle", retry_after=3600), DONE.but(received=2, after=90)),
    line(
        "POST: throttled for good",
        post("throttle", None, retry_after=1),
        refused("throttled", "APIGW.0308").but(received=6),
    ),
    line("read: throttled for 7 s", read("throttle", retry_after=7), DONE.but(after=37)),
    line("poll: throttled for 7 s", poll("throttle", 2, retry_after=7), DONE),
    line("POST: throttled, no Retry-After", post("throttle", 2), DONE.but(received=3)),
    line("read: throttled, no Retry-After", read("throttle", 4), DONE),
    line("read: throttled for good", read("throttle", None), unread("throttled", "APIGW.0308")),
    line("POST: throttled by a page, processed", post("throttle", as_html=True, processed=True), ADOPTED),
    line("POST: throttled by a page", post("throttle", as_html=True), UNKNOWN),
    line("read: throttled by a page", read("throttle", as_html=True), DONE),
    *(
        line(f"POST: Retry-After {value[:12]!r}", post("throttle", retry_after=value), DONE.but(received=2))
        for value in RETRY_AFTER
    ),
    *(
        line(f"read: Retry-After {value[:12]!r}", read("throttle", retry_after=value), DONE)
        for value in RETRY_AFTER
    ),
    line("POST: Retry-After as a date", post("throttle", retry_date=20), DONE.but(received=2, after=45)),
    line("POST: Retry-After as a past date", post("throttle", retry_date=-9e8), DONE.but(received=2)),
    line("read: Retry-After as a far date", read("throttle", retry_date=9e8), DONE.but(after=90)),
    # The server fails
    line("POST: 500, processed", post("server_error", processed=True), ADOPTED),
    line("POST: 500, not processed", post("server_error"), UNKNOWN.saying("DCS.5000|DBS.200412")),
    line("read: 500 four times", read("server_error", 4), DONE),
    line(
        "read: 500 for good",
        read("server_error", None),
        unread("server_error", "HTTP 500", "DCS.5000|DBS.200412"),
    ),
    line("poll: 500 nine times", poll("server_error", 9), DONE),
    *(
        line(f"POST: {name}, processed", post(name, processed=True), ADOPTED)
        for name in ("bad_gateway", "unavailable", "gateway_timeout")
    ),
    *(
        line(f"POST: {name}, not processed", post(name), UNKNOWN)
        for name in ("bad_gateway", "unavailable", "gateway_timeout")
    ),
    *(
        line(f"read: {name}", read(name, 3), DONE)
        for name in ("bad_gateway", "unavailable", "gateway_timeout")
    ),
    line("POST: 408, processed", post("refusal", status=408, processed=True), ADOPTED),
    # Refused credentials
    line("POST: token expired once", both(by_password, post("token_expired")), DONE.but(received=2)),
    line(
        "POST: token refused twice",
        both(by_password, post("token_expired", 2)),
        refused("auth_failed", "APIGW.0307").but(received=2),
    ),
    line("POST: keys refused", post("unauthorized"), refused("auth_failed", "APIGW.0301")),
    line("read: token expired once", both(by_password, read("token_expired")), DONE),
    line("read: keys refused", read("unauthorized"), unread("auth_failed", "APIGW.0301")),
    line("poll: token expired", both(by_password, poll("token_expired")), DONE),
    line(
        "poll: the user's token expired",
        both(by_token, poll("token_expired", None)),
        fails_later("auth_failed", "It was not stopped", "attach"),
        check=running,
    ),
    *(
        line(
            f"{place}: 401, the clocks differ by {skew} s",
            how("unauthorized", date_skew=skew),
            expect.saying("clock_skew", f"{'-' if skew > 0 else ''}12[0-9][0-9] s"),
        )
        for skew in (1250, -1250)
        for place, how, expect in (
            ("POST", post, refused("auth_failed")),
            ("read", read, unread("auth_failed")),
        )
    ),
    line("POST: forbidden", post("forbidden"), refused("denied", "dcs:instance:restoreData")),
    line("read: forbidden", read("forbidden"), unread("denied", "dcs:instance:restoreData")),
    line("POST: instance not found", post("not_found"), refused("not_found", "DCS.3022|DBS.200002")),
    line("read: instance not found", read("not_found"), unread("not_found", "does not exist")),
    line("instance vanishes while waiting", poll("not_found", None, "*", after=1), GONE, check=running),
    line(
        "instance vanishes before the record was seen",
        poll("not_found", None, "*"),
        NEVER_SEEN,
        check=running,
    ),
    line("record seen 20 s late", outcome(visibility=20), DONE),
    line("record seen 150 s late", outcome(visibility=150), DONE.but(after=150)),
    line(
        "the job's own call never knows it, the list does",
        poll("refusal", None, "ddm.job", status=400, code="DBS.300400"),
        DONE,
        DDM,
    ),
    line("record never seen", outcome(visibility=1e6), NEVER_SEEN, check=running),
    # Refused
    *(
        line(f"POST: busy {code}", post("busy", code=code), refused("busy", "Nothing was started"), only)
        for code, only in (
            *((code, DCS) for code in ("DCS.4097", "DCS.4096", "DCS.4049", "DCS.4026", "111400017")),
            ("DBS.200019", DDM),
            ("DBS.212033", DDM),
        )
    ),
    line("POST: busy with our own", post("busy", processed=True), ADOPTED),
    line(
        "POST: busy with another's",
        before_post(restore_another),
        refused("busy", "of another backup", "DCS.4097"),
        [DCS_RESTORE],
    ),
    # DDM has no marker, so nobody can tell whose job holds the target
    line(
        "POST: busy with another's",
        both(before_post(occupy), post("busy")),
        UNKNOWN.saying("DBS.200019"),
        DDM,
    ),
    line("POST: parameter error", post("refusal"), refused("invalid_argument"), ONCE),
    # It is sent once more with the source's ID in the body, which some regions require.
    line("POST: parameter error once", post("refusal"), DONE.but(received=2), [DDM_RECOVERY]),
    line(
        "POST: parameter error",
        post("refusal", 2),
        refused("invalid_argument").but(received=2),
        [DDM_RECOVERY],
    ),
    line("read: parameter error", read("refusal"), unread("invalid_argument")),
    # Lists
    line("read: 204 for an empty list", read("answer", 2, status=204), DONE, DCS),
    line(
        "read: 204 where it is not documented",
        read("answer", None, status=204),
        DONE,
        DDM,
    ),
    line("poll: 204 twice", poll("answer", 2, status=204), DONE, DCS),
    *(
        line(f"POST: {status}, processed", post("answer", status=status, processed=True), ADOPTED)
        for status in (204, 205)
    ),
    *(
        line(f"POST: {status}, not processed", post("answer", status=status), UNKNOWN)
        for status in (204, 205)
    ),
    *(
        line(
            f"read: {name} for good",
            read(name, None),
            unread("protocol_error", "List of .*without the list"),
        )
        for name in ("null_list", "missing_list")
    ),
    line(
        "read: the list is an object",
        read("records", None, value={}),
        unread("protocol_error", "without the list"),
    ),
    line("read: an empty list although the total says more, once", read("records", value=[]), DONE),
    line(
        "read: an empty list although the total says more",
        both(many_records(20), read("records", None, value=[])),
        unread(
            "protocol_error", "cannot be read to its end: it reports a total of [0-9]+ items, but only 0 came"
        ),
    ),
    line("poll: null list", poll("records", 2, of="*"), DONE),
    # Statuses
    *(
        line(f"status {value!r}", poll("rewrite", None, key="status", value=value, newest=True), DONE)
        for value in ("SUCCEED", " succeed ", "COMPLETED", "success")
    ),
    *(
        line(
            f"status {value[:12]!r}",
            both(option(wait_timeout=90), poll("rewrite", None, key="status", value=value, newest=True)),
            WAIT_TIMEOUT,
            check=running,
        )
        for value in ODD_STATUS
    ),
    line(
        "never ends",
        both(option(wait_timeout=90), outcome(stuck=True)),
        WAIT_TIMEOUT.but(after=90),
        check=running,
    ),
    *(
        line(f"progress {value!r}", poll("rewrite", None, key=progress, value=value), DONE)
        for value in ODD_PROGRESS
    ),
    line(
        "progress goes back",
        poll("rewrite", None, key=progress, values=["90.00", "10.00", "100.00"]),
        DONE,
    ),
    line(
        "fails with a code",
        outcome(fail="dcs.08.0007"),
        fails_later("operation_failed", "dcs.08.0007", "could not be synchronised"),
        DCS,
        running,
    ),
    line(
        "fails with a reason",
        outcome(fail="The node\x1b[2J is broken."),
        fails_later("operation_failed", "The node"),
        DDM,
        running,
    ),
    *(
        line(
            f"fails with {value!r}",
            both(outcome(fail="dcs.08.0001"), poll("rewrite", None, key="error_code", value=value)),
            fails_later("operation_failed", "gives no reason"),
            DCS,
            running,
        )
        for value in NO_REASON
    ),
    line("succeeds, the instance is not ready for 60 s", outcome(settle=60), DONE.but(after=90)),
    line(
        "succeeds, the instance is broken",
        outcome(leave="ERROR"),
        fails_later("operation_failed", "ERROR"),
        (DCS_RESTORE, *DDM),
        running,
    ),
    line("flaps", flap, DONE.but(after=30)),
    line("record disappears twice", vanish(2), DONE),
    line("record disappears", vanish(None), GONE, check=running),
    line(
        "two records with our marker",
        duplicates,
        Expect("duplicate_detected", says=("2 operations", "Nothing was repeated")),
        DCS,
    ),
    line(
        "two new jobs",
        duplicates,
        Expect("outcome_unknown", says=("2 operations", "Nothing was repeated")),
        DDM,
    ),
    # Too much, too odd
    *(line(f"POST: {name}", post(name), ADOPTED) for name in ("gzip_bomb", "big_body", "endless")),
    *(
        line(
            f"read: {name}",
            both(option(max_retries=1), read(name, None)),
            unread("transport_error", "larger than 8 MiB"),
        )
        for name in ("gzip_bomb", "big_body", "endless")
    ),
    line("POST: deep JSON", post("deep_json"), ADOPTED),
    line("read: deep JSON", read("deep_json", None), unread("protocol_error")),
    *(
        line(f"POST: {name}", post(name), ADOPTED)
        for name in ("huge_integer", "nan", "overflow", "invalid_utf8")
    ),
    line("POST: an ID twice", post("duplicate_key"), ADOPTED),
    *(line(f"POST: {name}", post(name), DONE) for name in ("byte_order_mark", "lone_surrogate")),
    *(
        line(f"read: {name}", read(name, None), unread("protocol_error"))
        for name in ("huge_integer", "nan", "overflow", "invalid_utf8")
    ),
    *(line(f"read: {name} once", read(name), DONE) for name in ("byte_order_mark", "lone_surrogate", "nan")),
    line("read: an ID twice", read("inject", None, member='"id":"a","id":"b"'), unread("protocol_error")),
    # Redirected
    *(
        line(
            f"POST: {status} on this host",
            post("redirect", status=status),
            UNKNOWN.saying("follows no redirect"),
        )
        for status in (301, 302, 303, 307, 308)
    ),
    *(
        line(
            f"read: {status} on this host",
            read("redirect", status=status),
            unread("unexpected_redirect", "follows no redirect"),
        )
        for status in (301, 302, 307)
    ),
    *(
        line(
            f"POST: {status} to another host",
            post("redirect", status=status, location=plain_elsewhere),
            UNKNOWN,
            check=nothing_stolen,
        )
        for status in (301, 302, 303, 307, 308)
    ),
    line(
        "POST: 307 to another host, processed",
        post("redirect", status=307, location=plain_elsewhere, processed=True),
        ADOPTED,
        check=nothing_stolen,
    ),
    line(
        "POST: 307 from https to http",
        both(tls("ca"), post("redirect", status=307, location=plain_elsewhere)),
        UNKNOWN,
        check=nothing_stolen,
    ),
    line(
        "read: 302 from https to http",
        both(tls("ca"), read("redirect", status=302, location=plain_elsewhere)),
        unread("unexpected_redirect"),
        check=nothing_stolen,
    ),
    *(
        line(
            f"read: {status} to another host",
            read("redirect", status=status, location=plain_elsewhere),
            unread("unexpected_redirect"),
            check=nothing_stolen,
        )
        for status in (302, 303, 308)
    ),
    # Paging
    line("offset ignored, all on one page", both(many_records(90), read("offset_ignored", None)), DONE),
    line(
        "offset ignored, full pages",
        both(many_records(1100), read("offset_ignored", None)),
        unread("protocol_error", "cannot be read to its end"),
    ),
    line(
        "offset ignored, limit capped",
        both(many_records(60), first_page_again),
        unread("protocol_error", "cannot be read to its end"),
    ),
    *(
        line(f"total {words}", both(many_records(150), read("total", None, **how)), DONE)
        for words, how in (
            ("too small", {"add": -100}),
            ("negative", {"value": -1}),
            ("a string", {"value": "many"}),
            ("missing", {"missing": True}),
        )
    ),
    line(
        "total too large",
        both(many_records(150), read("total", None, add=7)),
        unread("protocol_error", "cannot be read to its end: it reports a total of [0-9]+ items, but only"),
    ),
    line("total too large once", both(many_records(150), read("total", 1, add=7)), DONE),
    line("pages overlap", both(many_records(1100), read("pages_shifted", None)), DONE),
    line("pages overlap, limit capped", both(many_records(250), read("limit_capped", None)), DONE),
    line("pages leave one out once", both(many_records(1100), read("pages_shifted", 2, by=-1)), DONE),
    line(
        "pages leave one out",
        both(many_records(1100), read("pages_shifted", None, by=-1)),
        unread("protocol_error", "items were removed while it was read"),
    ),
    line("a record is missing once", both(many_records(30), read("vanish")), DONE),
    line("limit capped", both(many_records(250), read("limit_capped", None, limit=50)), DONE),
    line(
        "offset taken for a page number",
        both(many_records(250), read("offset_as_page_number", None)),
        unread("protocol_error", "the server may treat the offset as a page number"),
        DDM,
    ),
    line("endless history", endless_history, unread("protocol_error", "cannot be read to its end")),
    # Texts
    line(
        "remark from everywhere",
        option(remark="drill \U0001f9ef \u202eright to left\u202c \x00 <b>&amp;</b>"),
        DONE,
        DCS,
        marked,
    ),
    line(
        "POST: refused with escapes",
        post("refusal", message=ESCAPES),
        refused("invalid_argument"),
        ONCE,
        clean,
    ),
    line(
        "POST: refused with escapes",
        post("refusal", 2, message=ESCAPES),
        refused("invalid_argument").but(received=2),
        [DDM_RECOVERY],
        clean,
    ),
    line(
        "read: refused with escapes",
        read("refusal", message=ESCAPES),
        unread("invalid_argument"),
        check=clean,
    ),
    line(
        "instance status with escapes",
        read("rewrite", None, "dcs.instance", key="status", value=ESCAPES),
        unread("busy", "not RUNNING"),
        DCS,
        clean,
    ),
    line(
        "reason with escapes",
        read("rewrite", None, "ddm.restorable_instances", key="unavailable_reason", value=ESCAPES),
        DONE,
        DDM,
    ),
    line(
        "reason with escapes, refused for it",
        both(
            take_target,
            read("rewrite", None, "ddm.restorable_instances", key="unavailable_reason", value=ESCAPES),
        ),
        unread("not_restorable", "All went well"),
        DDM,
        clean,
    ),
    # Values
    *(
        line(
            f"POST: ID {str(value)[:12]!r} ({type(value).__name__})",
            post("rewrite", key=id_of, value=value),
            ADOPTED,
        )
        for value in ODD_IDS
    ),
    *(
        line(
            f"read: ID {str(value)[:12]!r} ({type(value).__name__})",
            read("rewrite", None, key=record_id, value=value),
            unread("protocol_error"),
        )
        for value in ODD_IDS
    ),
    *(
        line(
            f"{what} available {value!r}",
            read("rewrite", None, of, key="available", value=value),
            unread("not_restorable"),
            only,
        )
        for what, of, only in (
            ("target", "ddm.restorable_instances", DDM),
            ("data node", "ddm.restorable_data_node", [DDM_RECOVERY]),
        )
        for value in ("true", *NOT_TRUE)
    ),
    *(
        line(
            f"backup restorable {value!r}",
            read("rewrite", None, "dcs.backups", key="is_support_restore", value=value),
            unread("not_restorable"),
            [DCS_RESTORE],
        )
        for value in (*NOT_TRUE, "FALSE")
    ),
    line("POST: more fields", post("inject", member='"future":{"deep":[1,{"id":"x"}]}'), DONE),
    line("read: more fields", read("inject", None, of="*", member='"future":{"deep":[1,{"id":"x"}]}'), DONE),
    line("POST: ID renamed", post("rewrite", key=id_of, rename="theId"), ADOPTED),
    line(
        "read: ID renamed",
        read("rewrite", None, key=record_id, rename="theId"),
        unread("protocol_error", "without"),
    ),
    line(
        "read: status renamed",
        read("rewrite", None, key="status", rename="Status"),
        unread("protocol_error", "without"),
    ),
    # Clocks, crossings
    line("calendar jumps an hour ahead", both(by_token, jump(3600)), DONE),
    line("calendar jumps an hour back", both(by_token, jump(-3600)), DONE),
    line(
        "calendar jumps, keys sign",
        jump(3600),
        fails_later("auth_failed", "It was not stopped", "clock_skew"),
        DCS,
        running,
    ),
    line(
        "backup deleted before the POST",
        before_post(delete_backup("deleted")),
        refused("not_restorable", "DCS.4087"),
        [DCS_RESTORE],
    ),
    line(
        "backup expired before the POST",
        before_post(delete_backup("expired")),
        refused("not_restorable", "DCS.4087"),
        [DCS_RESTORE],
    ),
    line(
        "backup of another instance before the POST",
        before_post(move_backup),
        refused("invalid_argument", "DCS.4062"),
        [DCS_RESTORE],
    ),
    line(
        "target taken before the POST",
        before_post(take_target),
        refused("not_restorable", "DBS.300372"),
        DDM,
    ),
    line("target at work before the POST", before_post(occupy), UNKNOWN.saying("DBS.200019"), DDM),
    line("marker stripped", post("remark", style="strip"), DONE, DCS, no_marker),
    line("marker in capitals", post("remark", style="upper"), DONE, DCS, no_marker),
    line("marker cut off", both(option(remark="d" * 60), post("remark", style="cut")), DONE, DCS, no_marker),
    line("remark escaped", both(option(remark="a < b"), post("remark", style="html")), DONE, DCS, marked),
    # Odd but valid
    line("POST: 100 first", post("informational", status=100), DONE),
    line("POST: 103 first", post("informational", status=103), DONE),
    *(line(f"POST: {name}", post(name), DONE) for name in ("http10", "trailers")),
    *(line(f"read: {name}", read(name), DONE) for name in ("http10", "trailers", "informational")),
]
# A backup takes the same path as a restore, and a recovery of metadata the same as one of data: where a row
# has both, that of the former is marked slow.
SAME_PATH = ((DCS_BACKUP, DCS_RESTORE), (DDM_METADATA, DDM_RECOVERY))


def takes_the_same_path(operation: Operation, only: tuple[Operation, ...]) -> bool:
    return any(operation is one and other in only for one, other in SAME_PATH)


CASES = [
    pytest.param(
        arrange,
        expect,
        operation,
        check,
        id=f"{words}-{operation.name}",
        marks=[pytest.mark.slow] if takes_the_same_path(operation, only) else [],
    )
    for words, arrange, expect, (only, check) in TABLE
    for operation in only
]


@pytest.mark.parametrize(("arrange", "expect", "operation", "check"), CASES)
def test_row(
    arrange: Arrange,
    expect: Expect,
    operation: Operation,
    check: Check | None,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case(world, Bench(world.cloud(), world.time), operation, monkeypatch)
    arrange(case)
    outcome = case.bench.run(operation)
    compare(outcome, expect, case)
    if check is not None:
        check(case, outcome)


ONE_OF_EACH_KIND = {
    expect.kind or f"adopted={expect.adopted}": (arrange, expect, only[0])
    for words, arrange, expect, (only, check) in reversed(TABLE)
}


@pytest.mark.parametrize("through", [invocations.through_module, invocations.through_action])
@pytest.mark.parametrize("kind", ONE_OF_EACH_KIND)
def test_each_kind_through_the_module_and_the_action(
    kind: str, through: Callable[..., dict[str, Any]], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows call what a module and its action call; this shows that neither loses anything."""
    arrange, expect, operation = ONE_OF_EACH_KIND[kind]
    case = Case(world, Bench(world.cloud(), world.time), operation, monkeypatch)
    arrange(case)
    case.bench.through = through
    compare(case.bench.run(operation), expect, case)


def subjects(operation: Operation) -> list[str]:
    """What a message may name the operation by."""
    return [
        value
        for name, value in operation.params.items()
        if name.endswith("instance_id") or name == "backup_id"
    ]


def compare(outcome: Outcome, expect: Expect, case: Case) -> None:
    result = outcome.result
    said = result.get("msg", "")
    assert result.get("error_kind", "") == expect.kind, said
    assert outcome.executed <= 1
    assert (outcome.received, outcome.effects) == (expect.received, expect.effects), said
    assert result["changed"] is expect.changed, said
    assert case.bench.sim.errors == []
    assert expect.after <= outcome.elapsed
    assert outcome.elapsed - outcome.real <= (case.bench.params.get("wait_timeout") or 1800) + BOUND
    assert outcome.real < 30
    leaks.check(json.dumps(result, ensure_ascii=False, default=str))
    if not expect.kind:
        assert result["adopted"] is expect.adopted
        assert result["outcome"] == "succeeded"
        carries_ids(case, outcome)
        return
    assert result["failed"] is True
    assert any(
        subject in said
        for subject in (*subjects(case.operation), "127.0.0.1", "dcs.nowhere.invalid", "ist of jobs")
    ), said
    assert re.search(r"[Nn]othing was|No request|was not started|repeats nothing", said), said
    assert said.isprintable()
    assert len(said) < 4100
    for pattern in expect.says:
        assert re.search(pattern, said), (pattern, said)
