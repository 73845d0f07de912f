# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault does on the wire what its name says, and the ledger separates a POST from its effect."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cloud import Simulator, peers
from tests.cloud import scenario as names
from tests.cloud.faults import BEHAVIOURS, PRESETS
from tests.cloud.wire import Response

RESTORE = f"/v2/{names.PROJECT_ID}/instances/{names.DCS_INSTANCE}/restores"
BACKUPS = f"/v2/{names.PROJECT_ID}/instances/{names.DCS_INSTANCE}/backups"
INSTANCE = f"/v2/{names.PROJECT_ID}/instances/{names.DCS_INSTANCE}"
OLD = 3  # restore records of that instance in the scenario
RECOVERY = f"/v3/{names.PROJECT_ID}/instances/{names.DDM_SOURCE}/backups/recovery"
BODY = json.dumps(
    {
        "backup_id": names.DCS_BACKUP,
        "remark": "<a&b> [rst1:ABCDEFGHIJKLMNOPQRSTUVWXYZ] and some more, so that it is long",
    }
)


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(restore_seconds=30) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    running.reset()
    yield running
    assert running.errors == []


def send(
    sim: Simulator, method: str = "POST", path: str = RESTORE, body: str = BODY, version: str = "1.1"
) -> socket.socket:
    """Send the request over a bare socket, so that no client library tidies up the response."""
    sock = socket.create_connection(("127.0.0.1", sim.port), timeout=10)
    head = f"{method} {path} HTTP/{version}\r\nHost: x\r\nX-Auth-Token: {names.TOKEN}\r\n"
    head += f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    sock.sendall((head + body).encode())
    return sock


def everything(sock: socket.socket, limit: int = 1 << 26) -> bytes:
    with sock:
        data = b""
        while len(data) < limit and (piece := sock.recv(65536)):
            data += piece
        return data


def in_order(rows: list[Any]) -> list[Any]:
    """Records, the newest first. Their list has no order."""
    return sorted(rows, key=lambda row: str(row["created_at"]), reverse=True)


def newest(sim: Simulator) -> Any:
    return in_order(get(sim).json()["restore_record_response"])[0]


def get(sim: Simulator, path: str = RESTORE, **query: Any) -> requests.Response:
    return requests.get(
        sim.url + path, params=query, headers={"X-Auth-Token": names.TOKEN}, timeout=10, allow_redirects=False
    )


def post(sim: Simulator, path: str = RESTORE, body: str = BODY) -> requests.Response:
    headers = {"X-Auth-Token": names.TOKEN, "Content-Type": "application/json"}
    return requests.post(sim.url + path, data=body, headers=headers, timeout=10, allow_redirects=False)


def effects(sim: Simulator) -> tuple[int, int]:
    return len(sim.posts("dcs.restore")), sim.started("dcs.restore")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# No response, half a response


@pytest.mark.parametrize(("when", "started"), [("before", 0), ("after", 1)])
def test_reset(sim: Simulator, when: str, started: int) -> None:
    sim.fault("reset", "dcs.restore", when=when)
    with send(sim) as sock, pytest.raises(ConnectionResetError):
        sock.recv(1)
    assert effects(sim) == (1, started)
    entry = sim.posts("dcs.restore")[0]
    assert (entry.fault, entry.status, entry.handled) == ("reset", None, 200 if started else None)


@pytest.mark.parametrize(("when", "started"), [("before", 0), ("after", 1)])
def test_close(sim: Simulator, when: str, started: int) -> None:
    sim.fault("close", "dcs.restore", when=when)
    assert everything(send(sim)) == b""
    assert effects(sim) == (1, started)


@pytest.mark.parametrize(("when", "started"), [("before", 0), ("after", 1)])
def test_hang(sim: Simulator, when: str, started: int) -> None:
    sim.fault("hang", "dcs.restore", when=when, seconds=0.2)
    before = time.monotonic()
    assert everything(send(sim)) == b""
    assert time.monotonic() - before > 0.15
    assert effects(sim) == (1, started)


def test_late(sim: Simulator) -> None:
    """The operation happens although the client went away long before."""
    sim.fault("late", "dcs.restore", seconds=1.0)
    sock = send(sim)
    sock.settimeout(0.1)
    with sock, pytest.raises(TimeoutError):
        sock.recv(1)
    assert effects(sim) == (1, 0)
    wait_until(lambda: effects(sim) == (1, 1))


@pytest.mark.parametrize(("when", "started"), [("before", 0), ("after", 1)])
def test_delay(sim: Simulator, when: str, started: int) -> None:
    sim.fault("delay", "dcs.restore", when=when, seconds=1.0)
    sock = send(sim)
    wait_until(lambda: effects(sim) == (1, started))
    time.sleep(0.1)
    assert effects(sim) == (1, started)
    assert b"restore_id" in everything(sock)


@pytest.mark.parametrize("name", ["drip_headers", "drip_body"])
def test_drip(sim: Simulator, name: str) -> None:
    sim.fault(name, "dcs.restore", interval=0.001)
    with send(sim) as sock:
        pieces = []
        while piece := sock.recv(65536):
            pieces.append(piece)
    assert len(pieces) > 20
    assert b"".join(pieces).endswith(b'"}')
    assert (b"\r\n\r\n" in pieces[0]) == (name == "drip_body")


def test_truncated_headers(sim: Simulator) -> None:
    sim.fault("truncated_headers", "dcs.restore", times=2)
    data = everything(send(sim))
    assert data.startswith(b"HTTP/1.1 200 ")
    assert b"\r\n\r\n" not in data
    response = post(sim)  # So a client cannot rely on the status alone.
    assert (response.status_code, response.content) == (400, b"")


@pytest.mark.parametrize("style", ["length", "chunked", "reset"])
def test_truncated_body(sim: Simulator, style: str) -> None:
    sim.fault("truncated_body", "dcs.restore", style=style)
    try:
        response = post(sim)
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError):
        pass
    else:  # with urllib3 1.26
        assert style == "length" and len(response.content) < int(response.headers["Content-Length"])
    assert effects(sim) == (1, 1)


# Garbage


def test_rubbish(sim: Simulator) -> None:
    for name in ("garbage_status", "http09"):
        sim.fault(name, "dcs.restores")
        with pytest.raises(requests.exceptions.ConnectionError, match="BadStatusLine"):
            get(sim)
    sim.fault("raw", "dcs.restores", text="\xff\x00 anything")
    assert everything(send(sim, "GET", body="")) == b"\xff\x00 anything"
    for name in ("many_headers", "big_header"):
        sim.fault(name, "dcs.restores")
        with pytest.raises(requests.exceptions.ConnectionError):
            get(sim)


def test_lawful_but_rare(sim: Simulator) -> None:
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("http10", {}),
        ("informational", {"status": 100}),
        ("trailers", {}),
    )
    for name, params in cases:
        sim.fault(name, "dcs.restores", **params)
        assert get(sim).json()["total_num"] == OLD
    sim.fault("informational", "dcs.restores", status=103)
    early = get(sim)  # Python's http.client skips 100 and no other 1xx: it takes the hint for the response
    assert (early.status_code, early.content) == (103, b"")
    sim.fault("http10", "dcs.restores")
    assert everything(send(sim, "GET", body="")).startswith(b"HTTP/1.0 200 ")
    sim.fault("informational", "dcs.restores")
    assert everything(send(sim, "GET", body="")).startswith(b"HTTP/1.1 103 Wait\r\n\r\nHTTP/1.1 200 ")


def test_the_client_may_ask_before_it_sends(sim: Simulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
    headers = {"X-Auth-Token": names.TOKEN, "Content-Type": "application/json", "Expect": "100-continue"}
    connection.request("POST", RESTORE, BODY, headers)
    assert connection.getresponse().status == 200
    connection.close()


def test_too_much(sim: Simulator) -> None:
    sim.fault("gzip_bomb", "dcs.restores", mebibytes=30)
    with requests.get(
        sim.url + RESTORE, headers={"X-Auth-Token": names.TOKEN}, stream=True, timeout=10
    ) as response:
        packed = len(response.raw.read(decode_content=False))
    assert packed < 100_000
    sim.fault("gzip_bomb", "dcs.restores", mebibytes=3)
    assert len(get(sim).content) == 3 << 20
    sim.fault("big_body", "dcs.restores")
    assert len(get(sim).json()["padding"]) == 8 << 20
    sim.fault("endless", "dcs.restores")
    assert len(everything(send(sim, "GET", body=""), limit=3 << 20)) >= 3 << 20


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("invalid_json", ValueError),
        ("empty_body", ValueError),
        ("deep_json", RecursionError),
        ("html_page", ValueError),
        ("huge_integer", ValueError),
        ("byte_order_mark", ValueError),
        ("invalid_utf8", UnicodeDecodeError),
    ],
)
def test_bodies_that_cannot_be_read(sim: Simulator, name: str, error: type[Exception]) -> None:
    sim.fault(name, "dcs.restore")
    response = post(sim)
    assert response.status_code == 200
    with pytest.raises(error):
        json.loads(response.content.decode("utf-8"))
    assert effects(sim) == (1, 1)


def test_bodies_that_are_something_else(sim: Simulator) -> None:
    for name, value in (
        ("json_null", None),
        ("json_list", ["restore_id"]),
        ("json_string", "restore_id"),
        ("json_number", 42),
    ):
        sim.fault(name, "dcs.restores")
        assert get(sim).json() == value
    for name, text in (("nan", "NaN"), ("overflow", "1e400"), ("lone_surrogate", '"\\ud800"')):
        sim.fault(name, "dcs.restores")
        assert f'{{"odd":{text},"restore_record_response":' in get(sim).text
    sim.fault("duplicate_key", "dcs.restore", value="another")
    assert post(sim).text.startswith('{"restore_id":"another","restore_id":"')
    sim.fault("content_type", "dcs.restores", value="text/plain")
    response = get(sim)
    assert (response.headers["Content-Type"], response.json()["total_num"]) == ("text/plain", OLD + 1)
    sim.fault("html_page", "dcs.restores", status=403)
    response = get(sim)
    assert (response.status_code, response.headers["Content-Type"]) == (403, "text/html")


# Statuses


@pytest.mark.parametrize(
    ("name", "params", "status", "code"),
    [
        ("server_error", {}, 500, "DCS.5000"),
        ("unauthorized", {}, 401, "APIGW.0301"),
        ("token_expired", {}, 401, "APIGW.0307"),
        ("forbidden", {}, 403, "DCS.2003"),
        ("not_found", {}, 404, "DCS.3022"),
        ("busy", {}, 400, "DCS.4097"),
        ("busy", {"code": "111400017"}, 400, "111400017"),
        ("throttle", {}, 429, "APIGW.0308"),
        ("refusal", {"status": 409, "code": "DCS.1"}, 409, "DCS.1"),
    ],
)
def test_refusals(sim: Simulator, name: str, params: dict[str, Any], status: int, code: str) -> None:
    sim.fault(name, "dcs.restore", **params)
    response = post(sim)
    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert effects(sim) == (1, 0)
    assert post(sim).status_code == 200  # once is once


def test_refusals_that_lie(sim: Simulator) -> None:
    """The response refuses the request, but the operation happens."""
    sim.fault("server_error", "dcs.restore", processed=True)
    assert post(sim).status_code == 500
    assert effects(sim) == (1, 1)


def test_refusals_in_the_words_of_ddm(sim: Simulator) -> None:
    for name, expected in (
        ("busy", (409, "DBS.200019")),
        ("not_found", (404, "DBS.200002")),
        ("forbidden", (403, "DBS.200010")),
    ):
        sim.fault(name, "ddm.recovery")
        response = post(sim, RECOVERY, "{}")
        assert (response.status_code, response.json()["error_code"]) == expected


def test_error_shapes(sim: Simulator) -> None:
    for shape in range(1, 9):
        sim.fault("refusal", "dcs.restores", shape=shape, code="X.1", message="why")
        text = get(sim).text
        assert "why" in text
        assert ("X.1" in text) == (shape != 6)


@pytest.mark.parametrize(
    ("params", "value"),
    [
        ({"retry_after": 7}, "7"),
        ({}, None),
        ({"retry_after": -1}, "-1"),
        ({"retry_after": "soon"}, "soon"),
        ({"retry_after": "1e9"}, "1e9"),
    ],
)
def test_retry_after(sim: Simulator, params: dict[str, Any], value: str | None) -> None:
    for as_html in (False, True):
        sim.fault("throttle", "dcs.restores", as_html=as_html, **params)
        response = get(sim)
        assert (response.status_code, response.headers.get("Retry-After")) == (429, value)
        assert response.text.startswith("<!DOCTYPE html>") == as_html


def test_dates(sim: Simulator) -> None:
    sim.fault("throttle", "dcs.restores", retry_date=5)
    assert get(sim).headers["Retry-After"].endswith("GMT")
    sim.fault("unauthorized", "dcs.restores", date_skew=1200)
    skewed, true = get(sim).headers["Date"], get(sim).headers["Date"]
    moments = [time.mktime(time.strptime(text, "%a, %d %b %Y %H:%M:%S GMT")) for text in (skewed, true)]
    assert 1190 < moments[0] - moments[1] < 1210


def test_proxies(sim: Simulator) -> None:
    for name, status in (("bad_gateway", 502), ("unavailable", 503), ("gateway_timeout", 504)):
        sim.fault(name, "dcs.restores")
        response = get(sim)
        assert (response.status_code, response.text[:15]) == (status, "<!DOCTYPE html>")
        sim.fault(name, "dcs.restores", body="")
        assert get(sim).content == b""


@pytest.mark.parametrize("status", [204, 205])
def test_no_content(sim: Simulator, status: int) -> None:
    sim.fault("no_content", "dcs.restore", status=status)
    response = post(sim)
    assert (response.status_code, response.content) == (status, b"")
    assert effects(sim) == (1, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(sim: Simulator, status: int) -> None:
    sim.fault("redirect", "dcs.restores", status=status)
    response = get(sim)
    assert (response.status_code, response.headers["Location"]) == (status, sim.url + "/moved")
    with Simulator() as other:
        sim.fault("redirect", "dcs.restore", status=status, location=other.url + RESTORE)
        assert post(sim).headers["Location"] == other.url + RESTORE
        assert other.ledger == []


# What is in the body


def test_rewriting(sim: Simulator) -> None:
    def record(**params: Any) -> Any:
        sim.fault("rewrite", "dcs.restores", **params)
        return newest(sim)

    assert record(key="status", value="paused ")["status"] == "paused "
    assert "restore_id" not in record(key="restore_id", missing=True)
    assert "restoreId" in record(key="restore_id", rename="restoreId")
    odd: tuple[Any, ...] = (7, None, {}, "", "x" * 10_240, "a b")
    for value in odd:
        assert record(key="restore_id", value=value)["restore_id"] == value
    for value in ("100,00", None, "250.00", "NaN"):
        assert record(key="progress", value=value)["progress"] == value
    post(sim)
    sim.fault("rewrite", "dcs.restores", key="status", value="odd", newest=True)
    found = [r["status"] for r in in_order(get(sim).json()["restore_record_response"])]
    assert found == ["odd", "succeed", "failed", "succeed"]


def test_flapping(sim: Simulator) -> None:
    sim.fault("rewrite", "dcs.restores", times=None, key="status", values=["succeed", "restoring"])
    assert [newest(sim)["status"] for dummy in range(4)] == [
        "succeed",
        "restoring",
    ] * 2


def test_available_by_other_means(sim: Simulator) -> None:
    path = f"/v3/{names.PROJECT_ID}/instances/{names.DDM_SOURCE}/backups/restorable-instances"
    for value in ("true", 1, None):
        sim.fault("rewrite", "ddm.restorable_instances", key="available", value=value)
        assert {i["available"] for i in get(sim, path).json()["instances"]} == {value}


def test_lists(sim: Simulator) -> None:
    sim.fault("null_list", "dcs.*")
    assert get(sim).json() == {"restore_record_response": None, "total_num": OLD}
    sim.fault("missing_list", "dcs.*")
    assert get(sim).json() == {"total_num": OLD}
    rows = get(sim).json()["restore_record_response"]
    for place, keep in ((0, False), (1, True), (-1, False)):
        sim.fault("vanish", "dcs.*", place=place, keep_total=keep)
        chosen = in_order(rows)[place]
        left = [row for row in rows if row is not chosen]
        assert get(sim).json() == {"restore_record_response": left, "total_num": OLD if keep else OLD - 1}
        sim.fault("repeat", "dcs.*", place=place, keep_total=keep)
        again = {"restore_record_response": [*rows, chosen], "total_num": OLD if keep else OLD + 1}
        assert get(sim).json() == again
    sim.fault("total_too_large", "dcs.*")
    assert get(sim).json() == {"restore_record_response": rows, "total_num": OLD + 500}
    sim.fault("vanish", "dcs.*", object_id=names.DCS_BACKUP)
    backups = get(sim, BACKUPS).json()
    assert backups["total_num"] == len(backups["backup_record_response"]) == 5
    assert names.DCS_BACKUP not in str(backups)


def test_an_empty_list_has_many_shapes() -> None:
    jobs = f"/v3/{names.PROJECT_ID}/jobs?start_time=1790000000000&end_time=1790000001000"
    restores = f"/v2/{names.PROJECT_ID}/instances/{names.DCS_EMPTY}/restores"
    shapes: dict[str, tuple[Any, Any]] = {
        "204": (None, {"jobs": []}),
        "200": ({"restore_record_response": []}, {"jobs": []}),
        "null": ({"restore_record_response": None}, {"jobs": None}),
        "absent": ({}, {}),
    }
    for style, (dcs, ddm) in shapes.items():
        with Simulator(empty_style=style, clock=lambda: 1_790_000_002.0) as empty:
            response = get(empty, restores)
            assert (response.status_code, response.content and response.json()) == (
                (204, b"") if dcs is None else (200, {**dcs, "total_num": 0})
            )
            assert get(empty, jobs).json() == {**ddm, "offset": 0, "limit": 10, "total": 0}


def test_words_and_numbers_in_other_spellings(sim: Simulator) -> None:
    sim.fault("spelling", "dcs.*")
    rows = get(sim).json()["restore_record_response"]
    assert [row["status"] for row in in_order(rows)] == ["success", "FAIL", "success"]
    sim.fault("spelling", "dcs.*", words={"failed": "broken"})
    assert "broken" in [row["status"] for row in get(sim).json()["restore_record_response"]]
    sim.fault("floats", "dcs.*")
    text = get(sim, BACKUPS).text
    assert '"size":1.048576E8,' in text and '"total_num":6.0' in text


def test_what_is_shown_can_be_old() -> None:
    now = [1_790_000_000.0]
    with Simulator(restore_seconds=100, clock=lambda: now[0]) as sim:
        post(sim)
        for seconds, status, shown in (
            (50, "restoring", "RESTORING"),
            (95, "restoring", "RESTORING"),
            (101, "restoring", "RESTORING"),
            (140, "succeed", "RUNNING"),
        ):
            now[0] = 1_790_000_000.0 + seconds
            sim.fault("stale", "dcs.*", times=2, seconds=30)
            record = newest(sim)
            instance = get(sim, INSTANCE).json()
            assert (record["status"], instance["status"]) == (status, shown), seconds
        now[0] -= 70  # 70 s after the POST: 80 s before, nothing ran
        sim.fault("stale", "dcs.*", times=2, seconds=80)
        assert newest(sim)["status"] == "waiting"
        assert get(sim, INSTANCE).json()["status"] == "RUNNING"


def test_an_error_under_200(sim: Simulator) -> None:
    sim.fault("error_in_body", "dcs.restore")
    response = post(sim)
    assert (response.status_code, response.json()["error_code"], effects(sim)) == (200, "DCS.5000", (1, 0))
    sim.fault("error_in_body", "dcs.restore", when="after")
    assert (post(sim).status_code, effects(sim)) == (200, (2, 1))


def test_the_date_is_that_of_the_cloud(sim: Simulator) -> None:
    with Simulator(clock=lambda: 1_790_000_000.0) as odd:
        assert get(odd).headers["Date"] == "Mon, 21 Sep 2026 14:13:20 GMT"
        odd.fault("clock", "dcs.*", seconds=-3600)
        assert get(odd).headers["Date"] == "Mon, 21 Sep 2026 13:13:20 GMT"


def test_totals(sim: Simulator) -> None:
    cases: tuple[tuple[dict[str, Any], Any], ...] = (
        ({"value": "6"}, "6"),
        ({"value": -1}, -1),
        ({"add": 3}, 9),
        ({"value": None}, None),
    )
    for params, value in cases:
        sim.fault("total", "dcs.backups", **params)
        assert get(sim, BACKUPS).json()["total_num"] == value
    sim.fault("total", "dcs.backups", missing=True)
    assert "total_num" not in get(sim, BACKUPS).json()


def test_paging(sim: Simulator) -> None:
    def ids(**query: int) -> list[str]:
        return [b["backup_id"] for b in get(sim, BACKUPS, **query).json().get("backup_record_response", [])]

    every = ids(limit=1000)
    sim.fault("offset_ignored", "dcs.backups")
    assert ids(limit=2, offset=2) == every[:2]
    sim.fault("offset_as_page_number", "dcs.backups")
    assert ids(limit=2, offset=2) == every[4:6]
    sim.fault("limit_capped", "dcs.backups", limit=3)
    assert ids(limit=1000) == every[:3]
    sim.fault("pages_shifted", "dcs.backups", times=2)
    assert ids(limit=2) + ids(limit=2, offset=2) == [*every[:2], *every[1:3]]
    sim.fault("pages_shifted", "dcs.backups", by=-1)
    assert ids(limit=2, offset=2) == every[3:5]


@pytest.mark.parametrize("style", ["strip", "upper", "cut", "html"])
def test_remarks(sim: Simulator, style: str) -> None:
    sent = json.loads(BODY)["remark"]
    expected = {
        "strip": {},
        "upper": sent.upper(),
        "cut": sent[:64],
        "html": sent.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    }
    sim.fault("remark", "dcs.restore", style=style)
    assert post(sim).status_code == 200
    assert newest(sim)["restore_remark"] == expected[style]


def test_outcomes(sim: Simulator) -> None:
    sim.fault("stuck", "dcs.restore", hints={"seconds": 0.01})
    post(sim)
    time.sleep(0.05)
    record = newest(sim)
    assert (record["status"], record["progress"]) == ("restoring", "50.00")
    sim.reset()
    # Both at once: the response is lost, and the record cannot be seen yet.
    sim.fault("reset", "dcs.restore", hints={"visibility": 60})
    with pytest.raises(requests.exceptions.ConnectionError):
        post(sim)
    assert get(sim).json()["total_num"] == OLD
    assert effects(sim) == (1, 1)


def test_mutate_with_a_function(sim: Simulator) -> None:
    def change(response: Response) -> Response:
        assert isinstance(response.data, dict)
        return Response(418, {**response.data, "tea": True})

    sim.fault("mutate", "dcs.restores", function=change)
    response = get(sim)
    assert (response.status_code, response.json()["tea"], response.json()["total_num"]) == (418, True, OLD)


# Obstacles between client and cloud


def test_a_port_that_refuses() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", peers.refused_port()), timeout=5)


def test_a_port_that_does_not_answer() -> None:
    with peers.blackhole() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), timeout=0.3)


def test_a_handshake_that_breaks_off() -> None:
    with peers.Listener() as listener:
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"https://127.0.0.1:{listener.port}/", timeout=5)
        assert listener.connections == 1


@pytest.mark.parametrize("tls", [None, "ca"])
def test_proxy(tls: str | None) -> None:
    with Simulator(tls=tls) as target, peers.Proxy() as proxy:
        response = requests.get(
            target.url + RESTORE,
            headers={"X-Auth-Token": names.TOKEN, "Host": "dcs.example.com"},
            proxies={"http": proxy.url, "https": proxy.url},
            verify=str(target.ca_file),
            timeout=5,
        )
        assert response.json()["total_num"] == OLD
        expected = f"CONNECT 127.0.0.1:{target.port}" if tls else f"GET {target.url}{RESTORE}"
        assert [first.rpartition(" ")[0] for first in proxy.requests] == [expected]
        assert target.ledger[0].headers["host"] == "dcs.example.com"


def test_a_proxy_that_refuses(sim: Simulator) -> None:
    for status in (407, 502):
        with peers.Proxy(status) as proxy:
            assert requests.get(sim.url, proxies={"http": proxy.url}, timeout=5).status_code == status
            with pytest.raises(requests.exceptions.ProxyError):
                requests.get("https://127.0.0.1:1/", proxies={"https": proxy.url}, timeout=5)
    assert sim.ledger == []


def test_ipv6() -> None:
    with Simulator(host="::1") as six:
        assert six.url.startswith("http://[::1]:")
        assert get(six).status_code == 200


# The queue


def test_queue(sim: Simulator) -> None:
    sim.fault("unavailable", "dcs.restores", after=1)
    sim.fault("gateway_timeout", "dcs.*", after=2, times=2)
    statuses = [get(sim).status_code for dummy in range(6)]
    assert statuses == [200, 503, 200, 504, 504, 200]
    sim.fault("unavailable", times=None)
    assert [get(sim).status_code for dummy in range(3)] == [503] * 3
    sim.clear_faults()
    assert get(sim).status_code == 200


def test_mistakes_in_a_fault_are_found_at_once(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        sim.fault("nonsense")
    with pytest.raises(TypeError):
        sim.fault("reset", whenever="after")
    required: dict[str, dict[str, Any]] = {
        "mutate": {"function": None},
        "rewrite": {"key": "k"},
        "paging": {"mode": "ignored"},
    }
    for name in [*BEHAVIOURS, *PRESETS]:
        sim.fault(name, **required.get(name, {}))


def test_every_fault_has_a_test() -> None:
    """In this file, or for how an operation ends in test_simulator_state.py. A preset tests its behaviour."""
    tests = [Path(__file__), Path(__file__).with_name("test_simulator_state.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in tests)
    tested = {name for name in [*BEHAVIOURS, *PRESETS] if f'"{name}"' in text}
    tested |= {PRESETS[name][0] for name in tested & set(PRESETS)}
    missing = {*BEHAVIOURS, *PRESETS} - tested
    assert not missing, f"Add a test to test_simulator_faults.py of {', '.join(sorted(missing))}"
