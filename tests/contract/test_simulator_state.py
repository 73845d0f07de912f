# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud by itself: states, paging, gateway, signing, ledger, control paths, TLS, command line."""

from __future__ import annotations

import calendar
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis

from tests.cloud import Simulator, auth, variables_at
from tests.cloud import scenario as names
from tests.cloud.data import Data, DataError
from tests.cloud.parts import contract
from tests.cloud.state import CloudState, Item
from tests.cloud.wire import Call, Refusal

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((Path(__file__).parent / "signing_vectors.json").read_text(encoding="utf-8"))
CONTRACT = schemathesis.openapi.from_dict(contract())
START = 1_795_000_000.25


class Clock:
    """Time that passes only on demand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Api:
    """One signed-in caller. Each response must be as the contract in tests/cloud/openapi says."""

    def __init__(self, sim: Simulator, token: str = names.TOKEN) -> None:
        self.url = sim.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-Auth-Token"] = token

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        path = path.replace("{p}", names.PROJECT_ID)
        response = self.session.request(method, self.url + path, timeout=10, **options)
        if operation := CONTRACT.find_operation_by_path(method, path):
            operation.validate_response(response)
        return response

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call("GET", path, params=query)

    def dcs(self, path: str = "", instance: str = names.DCS_INSTANCE, **query: Any) -> requests.Response:
        return self.get(f"/v2/{{p}}/instances/{instance}{path}", **query)

    def restore(
        self, instance: str = names.DCS_INSTANCE, backup: str = names.DCS_BACKUP, **body: Any
    ) -> requests.Response:
        return self.call(
            "POST", f"/v2/{{p}}/instances/{instance}/restores", json={"backup_id": backup, **body}
        )

    def backup(self, instance: str = names.DCS_INSTANCE) -> requests.Response:
        return self.call("POST", f"/v2/{{p}}/instances/{instance}/backups", json={})

    def newest_restore(self) -> Any:
        rows = self.dcs("/restores").json()["restore_record_response"]
        return max(rows, key=lambda row: str(row["created_at"]))

    def ddm(self, path: str, **query: Any) -> requests.Response:
        return self.get(f"/v3/{{p}}/instances/{names.DDM_SOURCE}/backups{path}", **query)

    def recover(
        self, point: Any, target: str = names.DDM_TARGET, nodes: Any = None, **source: Any
    ) -> requests.Response:
        nodes = nodes or {names.DN_SOURCE_1: names.DN_TARGET_2, names.DN_SOURCE_2: names.DN_TARGET_1}
        body = {
            "source": {"restore_time": point, **source},
            "target": {"instance_id": target},
            "data_node_relations": [
                {"source_instance_id": s, "target_instance_id": t} for s, t in nodes.items()
            ],
        }
        return self.call("POST", f"/v3/{{p}}/instances/{names.DDM_SOURCE}/backups/recovery", json=body)


def code(response: requests.Response) -> tuple[int, Any]:
    body = response.json()
    return response.status_code, body.get("error_code") or body["error"]["code"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sim(clock: Clock) -> Iterator[Simulator]:
    with Simulator(clock=clock, restore_seconds=100, backup_seconds=100) as simulator:
        yield simulator
        assert simulator.errors == []


@pytest.fixture
def api(sim: Simulator) -> Iterator[Api]:
    caller = Api(sim)
    yield caller
    caller.session.close()  # else a test that runs alone leaves its connection open


POINT = int((START - 3600) * 1000)


# Signing


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda v: v["name"])
def test_signing_vectors(vector: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    headers.update({"host": vector["host"], "x-sdk-date": VECTORS["x_sdk_date"]})
    signed = sorted(headers)
    canonical = auth.canonical_request(
        vector["method"], vector["sent_uri"], headers, signed, vector["body"].encode()
    )
    assert canonical == vector["canonical_request"]
    assert auth.signature(VECTORS["secret_key"], VECTORS["x_sdk_date"], canonical) == vector["signature"]


def signed_call(cloud: CloudState, **changes: Any) -> Call:
    """A correctly signed request, then changed."""
    headers = {
        "host": "127.0.0.1:1",
        "x-sdk-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(cloud.clock() + changes.pop("skew", 0))),
    }
    headers.update(changes.pop("signed", {}))
    unsigned = changes.pop("unsigned", ())
    signed = [name for name in sorted(headers) if name not in unsigned]
    canonical = auth.canonical_request("GET", "/v3/projects?name=x", headers, signed, b"")
    value = auth.signature(changes.pop("secret", names.SECRET_KEY), headers["x-sdk-date"], canonical)
    access = changes.pop("access", names.ACCESS_KEY)
    headers["authorization"] = (
        f"SDK-HMAC-SHA256 Access={access}, SignedHeaders={';'.join(signed)}, Signature={value}"
    )
    headers.update(changes.pop("extra", {}))
    return Call("GET", {}, {}, headers, changes.pop("body", b""))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, None),
        ({"extra": {"x-project-id": "unsigned extras are let through"}}, None),
        ({"signed": {"x-project-id": "p"}}, None),
        ({"skew": 14 * 60}, None),
        (
            {
                "access": names.TEMP_ACCESS_KEY,
                "secret": names.TEMP_SECRET_KEY,
                "extra": {"x-security-token": names.SECURITY_TOKEN},
            },
            None,
        ),
        ({"skew": 16 * 60}, "signature expired"),
        ({"skew": -16 * 60}, "signature expired"),
        ({"secret": "another"}, "verify aksk signature fail"),
        ({"access": "NOBODY"}, "ak NOBODY not exist"),
        ({"body": b"added later"}, "verify aksk signature fail"),
        ({"extra": {"host": "elsewhere"}}, "verify aksk signature fail"),
        ({"unsigned": ("host",)}, "signed headers"),
        ({"unsigned": ("x-sdk-date",)}, "signed headers"),
        ({"extra": {"x-sdk-date": "tomorrow"}}, "invalid x-sdk-date"),
        ({"extra": {"authorization": "Basic dTpw"}}, "no usable credentials"),
        ({"access": names.TEMP_ACCESS_KEY, "secret": names.TEMP_SECRET_KEY}, "security token"),
    ],
)
def test_who_may_call(changes: dict[str, Any], text: str | None, clock: Clock) -> None:
    cloud = CloudState(clock=clock)
    names.load(cloud, "empty")
    call = signed_call(cloud, **changes)
    if text is None:
        assert auth.check(cloud, call, "/v3/projects?name=x", "id") == "aksk"
        return
    with pytest.raises(Refusal) as refused:
        auth.check(cloud, call, "/v3/projects?name=x", "id")
    assert refused.value.response.status == 401
    assert refused.value.response.data["error_code"] == "APIGW.0301"
    assert text in refused.value.response.data["error_msg"]


def test_a_key_is_locked_after_too_many_bad_signatures(clock: Clock) -> None:
    cloud = CloudState(clock=clock)
    cloud.settings.lock_after = 5
    names.load(cloud, "empty")
    for dummy in range(5):
        with pytest.raises(Refusal):
            auth.check(cloud, signed_call(cloud, secret="wrong"), "/v3/projects?name=x", "id")
    with pytest.raises(Refusal, match="reach the limit"):
        auth.check(cloud, signed_call(cloud), "/v3/projects?name=x", "id")
    clock.pass_by(301)
    assert auth.check(cloud, signed_call(cloud), "/v3/projects?name=x", "id") == "aksk"


# The gateway


def test_gateway(sim: Simulator, api: Api) -> None:
    assert code(requests.get(sim.url + "/v2/nowhere", timeout=5)) == (404, "APIGW.0101")
    assert code(api.call("PUT", "/v2/{p}/instances")) == (404, "APIGW.0101")
    assert code(requests.get(f"{sim.url}/v3/{names.PROJECT_ID}/backups", timeout=5)) == (401, "APIGW.0301")
    assert code(Api(sim, "MIIunknown").get("/v3/{p}/backups")) == (401, "APIGW.0301")
    assert code(Api(sim, names.EXPIRED_TOKEN).get("/v3/{p}/backups")) == (401, "APIGW.0307")
    assert code(api.get(f"/v2/{names.OTHER_PROJECT_ID}/instances")) == (401, "APIGW.0307")
    ids = {entry.request_id for entry in sim.ledger}
    assert len(ids) == len(sim.ledger) == 6
    assert api.get("/v3/{p}/backups").headers["X-Request-Id"] == sim.ledger[-1].request_id


def sign_in(sim: Simulator, password: str = names.PASSWORD, project: Any = None) -> requests.Response:
    user = {"name": names.USER, "password": password, "domain": {"name": names.DOMAIN}}
    scope = {"project": project or {"name": names.REGION}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return requests.post(sim.url + "/v3/auth/tokens?nocatalog=true", json=body, timeout=5)


def test_iam(clock: Clock) -> None:
    with Simulator(clock=clock, token_seconds=60) as sim:
        response = sign_in(sim)
        assert response.status_code == 201
        assert response.json()["token"]["expires_at"].endswith("Z")
        token = response.headers["X-Subject-Token"]
        assert Api(sim, token).get("/v3/{p}/backups").status_code == 200
        clock.pass_by(61)
        assert code(Api(sim, token).get("/v3/{p}/backups")) == (401, "APIGW.0307")
        assert code(sign_in(sim, "wrong")) == (401, 401)
        headers = sign_in(sim, "wrong").headers
        assert "X-IAM-Trace-Id" in headers and "X-Request-Id" not in headers
        assert code(sign_in(sim, project={"name": "nowhere"})) == (404, 404)
        assert code(requests.get(sim.url + "/v3/projects", timeout=5)) == (401, 401)
        api = Api(sim)
        assert [p["id"] for p in api.get("/v3/projects", name=names.REGION).json()["projects"]] == [
            names.PROJECT_ID
        ]
        assert api.get("/v3/projects", name="nowhere").json()["projects"] == []
        projects = api.get("/v3/projects").json()["projects"]
        assert {p["id"] for p in projects if p["enabled"] and not p["is_domain"]} == {
            names.PROJECT_ID,
            names.OTHER_PROJECT_ID,
        }
        assert len(projects) == 4
        assert names.PASSWORD not in str(sim.ledger)
        assert names.TOKEN not in str(sim.ledger)


# DCS


def test_dcs_restore_runs_through_its_states(sim: Simulator, api: Api, clock: Clock) -> None:
    restore_id = api.restore(remark="now").json()["restore_id"]
    seen = []
    for dummy in range(6):
        record, instance = api.newest_restore(), api.dcs().json()
        assert record["restore_id"] == restore_id
        seen.append((record["status"], record["progress"], instance["status"], instance["task"]))
        clock.pass_by(25)
    assert seen == [
        ("waiting", "0.00", "RESTORING", "RESTORING"),
        ("restoring", "25.00", "RESTORING", "RESTORING"),
        ("restoring", "50.00", "RESTORING", "RESTORING"),
        ("restoring", "75.00", "RESTORING", "RESTORING"),
        ("succeed", "100.00", "RUNNING", None),
        ("succeed", "100.00", "RUNNING", None),
    ]
    assert sim.state.dcs_instances[names.DCS_INSTANCE].restored_from == names.DCS_BACKUP
    assert api.restore().status_code == 200


def test_dcs_an_instance_may_stay_busy_after_its_restore(api: Api, sim: Simulator, clock: Clock) -> None:
    sim.fault("outcome", "dcs.restore", settle=10)
    api.restore()
    clock.pass_by(105)
    assert (api.newest_restore()["status"], api.dcs().json()["status"]) == ("succeed", "RESTORING")
    clock.pass_by(10)
    assert api.dcs().json()["status"] == "RUNNING"


def test_dcs_restore_fails(sim: Simulator, api: Api, clock: Clock) -> None:
    sim.fault("operation_fails", "dcs.restore", leave="ERROR")
    assert api.restore().status_code == 200
    clock.pass_by(100)
    record = api.newest_restore()
    assert (record["status"], record["error_code"]) == ("failed", "dcs.08.0007")
    assert api.dcs().json()["status"] == "ERROR"
    assert sim.state.dcs_instances[names.DCS_INSTANCE].restored_from is None


def test_dcs_busy_codes(sim: Simulator, api: Api, clock: Clock) -> None:
    api.restore()
    assert code(api.restore()) == (400, "DCS.4097")
    assert code(api.backup()) == (400, "DCS.4097")
    clock.pass_by(100)
    api.backup()
    assert api.dcs().json()["task"] == "BACKUPING"
    assert api.dcs().json()["status"] == "RUNNING"
    assert code(api.restore()) == (400, "DCS.4096")
    clock.pass_by(100)
    sim.state.dcs_instances[names.DCS_INSTANCE].task = "EXTENDING"
    assert code(api.restore()) == (400, "DCS.4026")
    assert (len(sim.posts("dcs.restore")), sim.started("dcs.restore")) == (4, 1)
    assert (len(sim.posts("dcs.backup")), sim.started("dcs.backup")) == (2, 1)


@pytest.mark.parametrize(
    ("instance", "body", "expected"),
    [
        (names.DCS_INSTANCE, {"backup_id": names.DCS_BACKUP_EXPIRED}, "DCS.4087"),
        (names.DCS_INSTANCE, {"backup_id": names.DCS_BACKUP_DELETED}, "DCS.4087"),
        (names.DCS_INSTANCE, {"backup_id": names.DCS_BACKUP_UNSUPPORTED}, "DCS.4087"),
        (names.DCS_INSTANCE, {"backup_id": "8ba256cb-e5ac-44f6-a3da-000000000000"}, "DCS.4062"),
        (names.DCS_INSTANCE, {"backup_id": 7}, "DCS.4062"),
        (names.DCS_INSTANCE, {}, "DCS.4062"),
        (names.DCS_INSTANCE, {"backup_id": names.DCS_BACKUP, "remark": 7}, "DCS.4098"),
        (names.DCS_INSTANCE, [], "DCS.4005"),
        (names.DCS_SINGLE, {"backup_id": names.DCS_BACKUP}, "DCS.4086"),
    ],
)
def test_dcs_restore_refusals(api: Api, instance: str, body: Any, expected: str) -> None:
    assert code(api.call("POST", f"/v2/{{p}}/instances/{instance}/restores", json=body)) == (400, expected)


def test_dcs_paging_and_period(api: Api) -> None:
    listed = api.dcs("/backups", limit=2, offset=1).json()
    assert (len(listed["backup_record_response"]), listed["total_num"]) == (2, 6)
    assert api.dcs("/backups", offset=6).json() == {"backup_record_response": [], "total_num": 6}
    for query in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"offset": -1}, {"offset": "1.5"}):
        assert code(api.dcs("/backups", **query)) == (400, "DCS.4800")
    assert code(api.dcs("/backups", begin_time="2026-11-01")) == (400, "DCS.4063")
    now = time.strftime("%Y%m%d%H%M%S", time.gmtime(START))
    week_ago = time.strftime("%Y%m%d%H%M%S", time.gmtime(START - 7 * 86400))
    assert api.dcs("/backups", begin_time=week_ago).json()["total_num"] == 5
    assert api.dcs("/backups", begin_time=now).status_code == 204
    assert api.dcs("/backups", beginTime=now).json()["total_num"] == 6  # an unknown name is ignored
    assert (
        api.get("/v2/{p}/instances", limit=1, offset=4).json()["instances"][0]["instance_id"]
        == names.DCS_FROZEN
    )
    (listed,) = api.get("/v2/{p}/instances", name="orders-cache", name_equal="true").json()["instances"]
    bare = {name: listed[name] for name in ("enterprise_project_id", "no_password_access")}
    assert bare == {"enterprise_project_id": 0, "no_password_access": False}, "texts in the detail"
    assert api.get("/v2/{p}/instances", name="sessions").json()["instance_num"] == 2
    assert api.get("/v2/{p}/instances", name="sessions", name_equal="true").json()["instance_num"] == 0


class SlowData(Data):
    """Data that move only when the test says so."""

    def __init__(self) -> None:
        self.moving: dict[str, Future[None]] = {}

    def attach(self, cloud: CloudState) -> None:
        cloud.dcs_instances[names.DCS_INSTANCE].port = 7001
        cloud.ddm_instances[names.DDM_TARGET].access_port = 7002

    def begin(self, item: Item) -> Future[None]:
        return self.moving.setdefault(item.id, Future())


@pytest.mark.parametrize("error", [None, DataError("the file is cut off")], ids=["moved", "lost"])
def test_a_record_runs_until_its_data_are_moved(error: DataError | None, clock: Clock) -> None:
    data = SlowData()
    with Simulator(clock=clock, data=data, restore_seconds=10) as sim:
        api = Api(sim)
        restore_id = api.restore().json()["restore_id"]
        job_id = api.recover(int(START - 3600) * 1000).json()["job_id"]
        clock.pass_by(60)
        assert api.newest_restore()["status"] == "restoring"
        assert api.newest_restore()["progress"] == "99.00"
        assert api.dcs().json()["status"] == "RESTORING"
        assert sim.state.jobs[job_id].status == "Running"
        for moving in (data.moving[restore_id], data.moving[job_id]):
            moving.set_exception(error) if error else moving.set_result(None)
        clock.pass_by(1)
        restored, job = api.newest_restore(), sim.state.jobs[job_id]
        expected = (
            ("failed", str(error), "Failed", str(error)) if error else ("succeed", {}, "Completed", None)
        )
        assert (restored["status"], restored["error_code"], job.status, job.fail_reason) == expected
        assert api.dcs().json()["status"] == ("ERROR" if error else "RUNNING")
        assert sim.state.ddm_instances[names.DDM_TARGET].status == ("ERROR" if error else "RUNNING")


def test_data_give_the_instances_their_addresses_and_outlive_a_reset(clock: Clock) -> None:
    data = SlowData()
    with Simulator(clock=clock, data=data, restore_seconds=10) as sim:
        api = Api(sim)
        for dummy in range(2):
            target = api.get(f"/v1/{{p}}/instances/{names.DDM_TARGET}").json()
            assert (api.dcs().json()["port"], target["access_port"]) == (7001, "7002")
            sim.reset()


def test_a_restore_that_is_told_to_fail_moves_no_data(clock: Clock) -> None:
    data = SlowData()
    with Simulator(clock=clock, data=data) as sim:
        sim.fault("operation_fails", "dcs.restore")
        Api(sim).restore()
        assert not data.moving


def test_dcs_two_styles_of_null_and_of_an_empty_list(clock: Clock) -> None:
    with Simulator(clock=clock) as sim:
        api = Api(sim)
        empty = api.dcs("/restores", instance=names.DCS_EMPTY)
        assert (empty.status_code, empty.content) == (204, b"")
        assert api.newest_restore()["error_code"] == {}
    with Simulator(clock=clock, null_style="null", empty_style="200") as sim:
        api = Api(sim)
        assert api.dcs("/restores", instance=names.DCS_EMPTY).json() == {
            "restore_record_response": [],
            "total_num": 0,
        }
        assert api.newest_restore()["error_code"] is None


def test_dcs_the_25th_manual_backup_evicts_the_oldest(sim: Simulator, api: Api, clock: Clock) -> None:
    for dummy in range(24):
        assert api.backup().status_code == 200
        clock.pass_by(100)
    statuses = {
        b["backup_id"]: b["status"] for b in api.dcs("/backups", limit=1000).json()["backup_record_response"]
    }
    assert statuses.pop(names.DCS_BACKUP) == "deleted"  # it was the 24th, counted from the newest
    assert statuses.pop(names.DCS_BACKUP_OLD) == "succeed"  # automatic ones do not count
    # 24 manual ones and the one that cannot be restored
    assert list(statuses.values()).count("succeed") == 25


def test_dcs_delete_backup(api: Api) -> None:
    path = f"/v2/{{p}}/instances/{names.DCS_INSTANCE}/backups/{names.DCS_BACKUP}"
    assert api.call("DELETE", path).status_code == 204
    assert code(api.call("DELETE", path)) == (400, "DCS.4031")
    assert code(api.restore()) == (400, "DCS.4087")


@pytest.mark.parametrize("after", [0, 30])
def test_a_record_may_be_seen_late(clock: Clock, after: int) -> None:
    with Simulator(clock=clock, restore_seconds=100, visibility_seconds=20) as sim:
        api = Api(sim)
        restore_id = api.restore().json()["restore_id"]
        job_id = api.recover(POINT).json()["job_id"]
        clock.pass_by(after)
        assert (api.newest_restore()["restore_id"] == restore_id) == bool(after)
        assert (api.get(f"/v3/{{p}}/jobs/{job_id}").status_code == 200) == bool(after)
        jobs = api.get("/v3/{p}/jobs", start_time=POINT, end_time=POINT + 86_400_000).json()["jobs"]
        assert [job["id"] for job in jobs] == ([job_id] if after else [])
        assert sim.restores_started() == 2  # the effect is there, seen or not


# DDM


def test_ddm_recovery_runs_through_its_states(sim: Simulator, api: Api, clock: Clock) -> None:
    response = api.recover(POINT)
    assert response.status_code == 202
    seen = []
    for dummy in range(4):
        job = api.get(f"/v3/{{p}}/jobs/{response.json()['job_id']}").json()["job"]
        target = api.get(f"/v1/{{p}}/instances/{names.DDM_TARGET}").json()
        seen.append((job["status"], job["process"], target["status"], job["end_time"] == job["created_time"]))
        assert "fail_reason" not in job
        clock.pass_by(40)
    assert seen == [
        ("Running", "0%", "RESTORE", True),
        ("Running", "40%", "RESTORE", True),
        ("Running", "80%", "RESTORE", True),
        ("Completed", "", "RUNNING", False),
    ]
    target = next(
        t
        for t in api.ddm("/restorable-instances").json()["instances"]
        if t["instance_id"] == names.DDM_TARGET
    )
    assert (target["available"], target["unavailable_reason"]) == (
        False,
        "The instance has been associated with another data node.",
    )
    assert sim.state.ddm_instances[names.DDM_TARGET].restored_to == POINT
    assert code(api.recover(POINT)) == (400, "DBS.300372")


def test_ddm_recovery_fails(sim: Simulator, api: Api, clock: Clock) -> None:
    sim.fault("operation_fails", "ddm.recovery", code="The disk is full.")
    job_id = api.recover(POINT).json()["job_id"]
    clock.pass_by(100)
    assert api.get(f"/v3/{{p}}/jobs/{job_id}").json()["job"]["status"] == "Failed"
    listed = api.get("/v3/{p}/jobs", start_time=POINT, end_time=POINT + 86_400_000).json()["jobs"]
    assert [(job["id"], job["fail_reason"]) for job in listed] == [(job_id, "The disk is full.")]
    assert sim.state.ddm_instances[names.DDM_TARGET].data_nodes == []
    assert api.recover(POINT).status_code == 202  # the target is as it was


def test_ddm_recovery_refusals(sim: Simulator, api: Api) -> None:
    assert code(api.recover(str(POINT))) == (400, "DBS.280001")
    assert code(api.recover(True)) == (400, "DBS.280001")
    assert code(api.recover(POINT, instance_id=names.DDM_TARGET)) == (400, "DBS.280001")
    assert code(api.recover(POINT + 10**9)) == (400, "DBS.300377")
    assert code(api.recover(POINT - 40 * 3_600_000)) == (400, "DBS.300377")  # between the two intervals
    assert code(api.recover(POINT, target=names.DDM_TARGET_ACCOUNTS)) == (400, "DBS.300372")
    assert code(api.recover(POINT, target=names.DDM_TARGET_FROZEN)) == (400, "DBS.300372")
    assert code(api.recover(POINT, target=names.DDM_SOURCE)) == (400, "DBS.300372")
    assert code(api.recover(POINT, target=names.DDM_TARGET_BUSY)) == (409, "DBS.200019")
    both = {names.DN_SOURCE_1: names.DN_TARGET_1, names.DN_SOURCE_2: names.DN_TARGET_1}
    assert code(api.recover(POINT, nodes=both)) == (400, "DBS.300363")
    assert code(api.recover(POINT, nodes={names.DN_SOURCE_1: names.DN_TARGET_1})) == (400, "DBS.300363")
    too_old = {names.DN_SOURCE_1: names.DN_TARGET_1, names.DN_SOURCE_2: names.DN_TARGET_2}
    assert code(api.recover(POINT, nodes=too_old)) == (400, "DBS.300363")
    assert (
        api.call("POST", f"/v3/{{p}}/instances/{names.DDM_SOURCE}/backups/recovery", data="x").status_code
        == 415
    )
    assert sim.restores_started() == 0
    assert api.recover(POINT, instance_id=names.DDM_SOURCE).status_code == 202  # optional, but accepted
    assert code(api.recover(POINT)) == (409, "DBS.200019")


def test_ddm_metadata_recovery(sim: Simulator, api: Api, clock: Clock) -> None:
    path = f"/v3/{{p}}/instances/{names.DDM_SOURCE}/backups/metadata-recovery"
    target = {"instance_id": names.DDM_TARGET, "data_nodes": [names.DN_TARGET_1]}
    assert code(api.call("POST", path, json={"source": {}, "target": target})) == (400, "DBS.280001")
    assert (
        api.call("POST", path, json={"source": {"backup_id": names.DDM_BACKUP}, "target": target}).status_code
        == 202
    )
    assert "restore" not in sim.state.jobs[sim.state.begun[-1].id].name.lower()  # nobody documents its name
    clock.pass_by(100)
    assert sim.state.ddm_instances[names.DDM_TARGET].data_nodes == [names.DN_TARGET_1]


@pytest.mark.parametrize(
    ("backup", "node", "expected"),
    [
        (names.DDM_BACKUP_CREATING, names.DN_TARGET_1, "DBS.280214"),
        (names.DDM_BACKUP_FAILED, names.DN_TARGET_1, "DBS.280214"),
        (names.DDM_BACKUP, names.DN_OTHER_VPC, "DBS.300103"),
        (names.DDM_BACKUP, names.DN_ASSOCIATED, "DBS.300323"),
        (names.DDM_BACKUP, names.DN_ABNORMAL, "DBS.300323"),
    ],
)
def test_ddm_metadata_recovery_is_refused(api: Api, backup: str, node: str, expected: str) -> None:
    path = f"/v3/{{p}}/instances/{names.DDM_SOURCE}/backups/metadata-recovery"
    target = {"instance_id": names.DDM_TARGET, "data_nodes": [node]}
    sent = api.call("POST", path, json={"source": {"backup_id": backup}, "target": target})
    assert code(sent) == (400, expected)


def test_no_list_of_records_is_in_the_order_of_time(api: Api) -> None:
    """None is documented, so a client that takes the first one as the newest is wrong."""
    now = int(START * 1000)
    window = {"start_time": now - 29 * 86_400_000, "end_time": now}
    lists = [
        (api.dcs("/backups").json()["backup_record_response"], "created_at"),
        (api.dcs("/restores").json()["restore_record_response"], "created_at"),
        (api.get("/v3/{p}/backups", limit=128).json()["backups"], "created"),
        (api.get("/v3/{p}/jobs", **window).json()["jobs"], "created_time"),
    ]
    for rows, field in lists:
        times = [row[field] for row in rows]
        assert len(times) > 2 and times not in (sorted(times), sorted(times, reverse=True)), times


def test_ddm_reasons(api: Api) -> None:
    targets = {t["instance_id"]: t for t in api.ddm("/restorable-instances", limit=128).json()["instances"]}
    assert names.DDM_SOURCE not in targets
    assert [key for key, t in targets.items() if t["available"]] == [names.DDM_TARGET]
    assert len({t["unavailable_reason"] for t in targets.values()}) == 5
    query = {"target_instance_id": names.DDM_TARGET, "restore_time": POINT, "limit": 128}
    nodes = api.ddm("/restorable-data-node", source_dn_instance_id=names.DN_SOURCE_2, **query).json()[
        "target_data_nodes"
    ]
    assert [n["instance_id"] for n in nodes if n["available"]] == [names.DN_TARGET_1]
    assert len({n["unavailable_reason"] for n in nodes if not n["available"]}) == 6
    assert code(api.ddm("/restorable-data-node", source_dn_instance_id=names.DN_TARGET_1, **query)) == (
        400,
        "DBS.280001",
    )
    query["target_instance_id"] = names.DDM_TARGET_ACCOUNTS
    assert code(api.ddm("/restorable-data-node", source_dn_instance_id=names.DN_SOURCE_2, **query)) == (
        400,
        "DBS.300372",
    )


def test_ddm_paging_and_jobs(api: Api, clock: Clock) -> None:
    page = api.get("/v3/{p}/backups", offset=10).json()
    assert (len(page["backups"]), page["offset"], page["limit"], page["total"]) == (4, 10, 10, 14)
    for query in ({"limit": 0}, {"limit": 129}, {"offset": -1}):
        assert code(api.get("/v3/{p}/backups", **query)) == (400, "DBS.280001")
    now = int(START * 1000)
    assert api.get("/v3/{p}/jobs", start_time=now - 29 * 86_400_000, end_time=now).json()["total"] == 7
    assert code(api.get("/v3/{p}/jobs", end_time=now)) == (400, "DBS.280001")
    assert code(api.get("/v3/{p}/jobs", start_time=now - 31 * 86_400_000, end_time=now)) == (
        400,
        "DBS.300377",
    )
    assert code(api.get("/v3/{p}/jobs/nothing")) == (400, "DBS.300400")
    v1, v3 = api.get("/v1/{p}/instances", limit=4).json(), api.get("/v3/{p}/instances", limit=4).json()
    assert (v1["total_record"], v1["total_page"], v3["total"], len(v3["instances"])) == (6, 2, 6, 4)
    gone = api.get("/v1/{p}/instances/nothing")
    assert (gone.status_code, gone.json().keys()) == (404, {"errCode", "externalMessage"})
    detail = api.ddm(f"/{names.DDM_BACKUP}").json()
    assert [n["instance_id"] for n in detail["related_data_nodes"]] == [names.DN_SOURCE_1, names.DN_SOURCE_2]
    assert code(api.ddm("/nothing")) == (404, "DBS.201010")


def test_ddm_restorable_range(api: Api) -> None:
    intervals = api.ddm("/restorable-time-interval").json()["restorable_time_intervals"]
    ends = [calendar.timegm(time.strptime(i["end_time"], "%Y-%m-%dT%H:%M:%S+0000")) for i in intervals]
    assert ends[-1] == int(START) - 300
    assert api.ddm("/related-dn", restore_time=ends[-1] * 1000).status_code == 200
    assert code(api.ddm("/related-dn", restore_time=ends[-1] * 1000 + 1)) == (400, "DBS.300377")
    assert code(api.ddm("/related-dn")) == (400, "DBS.280001")


# Scenarios, ledger, control paths, life


def test_scenarios(clock: Clock) -> None:
    with Simulator("fleet-30-3", clock=clock) as sim:
        api = Api(sim)
        assert api.get("/v2/{p}/instances", limit=1000).json()["instance_num"] == 30
        assert api.restore(names.fleet_dcs_instance(29), names.fleet_dcs_backup(29)).status_code == 200
        path = f"/v3/{{p}}/instances/{names.fleet_ddm_source(2)}/backups/restorable-instances"
        targets = api.get(path, limit=128).json()["instances"]
        assert names.fleet_ddm_target(2) in [t["instance_id"] for t in targets if t["available"]]
    with Simulator("empty") as sim:
        assert Api(sim).get("/v3/{p}/backups").json()["total"] == 0
    with Simulator("demo") as sim:
        assert all(t["available"] for t in Api(sim).ddm("/restorable-instances").json()["instances"])
    with pytest.raises(ValueError, match="unknown scenario"):
        Simulator("nonsense").start()


def test_ledger_and_reset(sim: Simulator, api: Api) -> None:
    api.restore(remark="for the ledger")
    api.dcs("/restores", limit=5)
    post, get = sim.ledger
    assert (post.service, post.operation, post.method, post.status, post.handled, post.access) == (
        "dcs",
        "dcs.restore",
        "POST",
        200,
        200,
        "token",
    )
    assert post.json == {"backup_id": names.DCS_BACKUP, "remark": "for the ledger"}
    assert (get.operation, get.query, get.connection) == ("dcs.restores", {"limit": "5"}, post.connection)
    assert get.headers["x-auth-token"] == "***"
    assert post.time == START
    sim.reset()
    assert (sim.ledger, sim.restores_started()) == ([], 0)
    assert api.dcs().json()["status"] == "RUNNING"


def test_every_way_in(clock: Clock) -> None:
    with Simulator(clock=clock) as sim:
        common = {"HW_REGION_NAME", *variables_at("")}
        assert set(sim.env) - common == {"HW_PROJECT_ID", "HW_ACCESS_KEY", "HW_SECRET_KEY"}
        assert set(sim.env_for("temporary")) - set(sim.env) == {"HW_SECURITY_TOKEN"}
        assert set(sim.env_for("token")) - common == {"HW_PROJECT_ID", "HW_AUTH_TOKEN"}
        assert set(sim.env_for("password")) - common == {"HW_USER_NAME", "HW_USER_PASSWORD", "HW_DOMAIN_NAME"}


def test_it_stops_while_a_request_hangs() -> None:
    with Simulator() as sim:  # for ever, if it waited for a request
        sim.fault("hang", seconds=1e6)
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(sim.url + "/v3/projects", timeout=0.1)
        sim.fault("hang", seconds=1e6)
        sock = socket.create_connection(("127.0.0.1", sim.port))
        sock.sendall(b"GET /v3/projects HTTP/1.1\r\nHost: x\r\n\r\n")
        while len(sim.ledger) < 2:
            time.sleep(0.01)
    sock.close()


def test_the_same_seed_gives_the_same_ids(clock: Clock) -> None:
    def new_id(seed: int) -> str:
        with Simulator(seed=seed, clock=clock) as sim:
            return str(Api(sim).restore().json()["restore_id"])

    assert new_id(1) == new_id(1) != new_id(2)


def test_control_paths(sim: Simulator, api: Api) -> None:
    def control(method: str, path: str, body: Any = None) -> Any:
        return requests.request(method, f"{sim.url}/_simulator/{path}", json=body, timeout=5)

    assert control("POST", "faults", {"name": "unavailable", "operation": "dcs.*", "times": 2}).json() == {
        "queued": 1
    }
    assert api.dcs().status_code == 503
    control("DELETE", "faults")
    assert api.dcs().status_code == 200
    assert (
        control("POST", "state", {"id": names.DCS_INSTANCE, "set": {"status": "FROZEN"}}).json()["status"]
        == "FROZEN"
    )
    assert api.dcs().json()["status"] == "FROZEN"
    assert control("GET", "state").json()["dcs_instances"][names.DCS_INSTANCE]["status"] == "FROZEN"
    assert [entry["operation"] for entry in control("GET", "ledger").json()] == ["dcs.instance"] * 3
    assert control("GET", "openapi.json").json()["openapi"].startswith("3.1")
    assert control("GET", "errors").json() == []
    assert control("POST", "reset").status_code == 200
    assert (sim.ledger, api.dcs().json()["status"]) == ([], "RUNNING")
    for path, body in (
        ("faults", {"name": "nonsense"}),
        ("faults", {"name": "reset", "nonsense": 1}),
        ("state", {"id": "x", "set": {"a": 1}}),
    ):
        assert control("POST", path, body).status_code == 400
    assert control("GET", "nothing").status_code == 404


@pytest.mark.parametrize("mode", ["ca", "self-signed", "expired", "wrong-host"])
def test_tls(mode: str) -> None:
    with Simulator(tls=mode) as sim:
        assert sim.ca_file is not None
        url = f"{sim.url}/v3/{names.PROJECT_ID}/backups"
        if mode == "ca":
            assert sim.env["HW_CA_PATH"] == str(sim.ca_file)
            assert (
                requests.get(
                    url, headers={"X-Auth-Token": names.TOKEN}, verify=str(sim.ca_file), timeout=5
                ).status_code
                == 200
            )
        else:
            with pytest.raises(requests.exceptions.SSLError) as refused:
                requests.get(url, verify=str(sim.ca_file), timeout=5)
            texts = {
                "self-signed": "self.signed",
                "expired": "expired",
                "wrong-host": "mismatch|doesn't match",
            }
            assert re.search(texts[mode], str(refused.value))
        assert ssl.get_server_certificate(("127.0.0.1", sim.port)).startswith("-----BEGIN")
    assert not sim.ca_file.exists()


def test_command_line(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.cloud",
        "--scenario",
        "demo",
        "--port-file",
        "port",
        "--env-file",
        "env",
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert (tmp_path / "port").read_text(encoding="utf-8").strip() == url.rpartition(":")[2]
        assert f"export HW_DCS_ENDPOINT={url}\n" in (tmp_path / "env").read_text(encoding="utf-8")
        assert requests.get(f"{url}/_simulator/ledger", timeout=5).json() == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_command_line_mistake(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cloud", "--scenario", "nonsense"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("simulator: unknown scenario")
