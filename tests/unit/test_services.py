# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two services: their calls, and the oddities of the responses, which they hide from other code."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    NotFound,
    NotRestorable,
    ProtocolError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all_waitings import WAITINGS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import named as dcs_named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, tags_of
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.backup import DcsBackup
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.restore import DcsRestore
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.service import (
    DCS as DCS_SERVICE,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import (
    facts,
    metadata,
    service,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import (
    Ddm,
    with_instance_id,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.metadata import DdmMetadata
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.named import Named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    Pair,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.recovery import DdmRecovery
from ansible_collections.huaweicloud.recovery.plugins.modules import restore_wait

from .fakes import PROJECT, Wire, cloud, response

DCS, DDM = "https://dcs.ap-southeast-3.myhuaweicloud.com", "https://ddm.ap-southeast-3.myhuaweicloud.com"
RESTORE = {
    "restore_id": "r1",
    "backup_id": "b1",
    "status": "succeed",
    "created_at": "2025-05-20T09:40:40.000Z",
}
BACKUP = {"backup_id": "b1", "status": "succeed", "created_at": "2025-05-20T09:40:40.000Z"}
JOB = {
    "id": "j1",
    "name": "RestoreInstance",
    "status": "Running",
    "created_time": "2025-05-20T09:40:40+0000",
    "process": "10%",
}


def dcs(*replies: Any) -> tuple[Dcs, Wire]:
    made, wire = cloud(replies, max_retries=0)
    return Dcs(made), wire


def ddm(*replies: Any) -> tuple[Ddm, Wire]:
    made, wire = cloud(replies, max_retries=0)
    return Ddm(made), wire


# DCS


def test_restores() -> None:
    older = {
        **RESTORE,
        "restore_id": "r0",
        "created_at": "2025-05-19T09:40:40Z",
        "restore_remark": {},
        "error_code": "",
        "extra": 1,
    }
    service, wire = dcs(response(200, {"restore_record_response": [older, RESTORE], "total_num": 2}))
    rows = service.restores("i")
    assert [row["restore_id"] for row in rows] == ["r1", "r0"]
    assert rows[0].keys() == rows[1].keys()
    assert rows[1]["restore_remark"] is None and rows[1]["error_code"] is None and "extra" not in rows[1]
    assert [sent.url for sent in wire.sent] == [
        f"{DCS}/v2/{PROJECT}/instances/i/restores?limit=1000&offset=0"
    ]


def test_no_content_is_no_record() -> None:
    service, wire = dcs(response(204))
    assert service.restores("i") == [] == service.backups("i")
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"restore_record_response": None},
        {"restoreRecordResponse": []},
        [],
        None,
        "x",
        {"restore_record_response": [7]},
    ],
)
def test_a_response_without_its_list_is_an_error(body: Any) -> None:
    service, dummy = dcs(response(200, body))
    with pytest.raises(ProtocolError, match=r"restore records of i|instances/i/restores: "):
        service.restores("i")


@pytest.mark.parametrize("value", ["", None, {}])
@pytest.mark.parametrize(
    ("field", "read"), [("restore_id", ()), ("backup_id", None), ("created_at", None), ("status", "unknown")]
)
def test_a_null_in_a_record_spoils_a_list_only_if_it_is_the_id(field: str, read: Any, value: Any) -> None:
    service, dummy = dcs(
        response(200, {"restore_record_response": [{**RESTORE, field: value}], "total_num": 1})
    )
    if read == ():
        with pytest.raises(ProtocolError, match=f"without a valid {field}"):
            service.restores("i")
    else:
        assert service.restores("i")[0][field] == read


@pytest.mark.parametrize("field", ["restore_id", "backup_id", "created_at", "status"])
def test_a_record_without_a_field_that_counts_is_an_error(field: str) -> None:
    record = {name: value for name, value in RESTORE.items() if name != field}
    service, dummy = dcs(response(200, {"restore_record_response": [record], "total_num": 1}))
    with pytest.raises(ProtocolError, match=f"without a valid {field}"):
        service.restores("i")


@pytest.mark.parametrize(
    ("value", "flag"),
    [("TRUE", True), ("FALSE", False), (True, True), ("true", True), (None, None), ({}, None)],
)
def test_backups(value: Any, flag: bool | None) -> None:
    service, dummy = dcs(
        response(
            200,
            {
                "backup_record_response": [
                    {**BACKUP, "is_support_restore": value, "size": "1024", "remark": {}}
                ],
                "total_num": 1,
            },
        )
    )
    (row,) = service.backups("i")
    assert row["is_support_restore"] is flag
    assert row["size"] == 1024 and row["remark"] is None and row["period"] is None


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        (None, None),
        ("", None),
        ("{}", None),  # as the SDK writes an empty object
        ({}, None),
        ("RESTORING", "RESTORING"),
        ({"name": "restore"}, "restore"),
        ({"status": "running"}, "running"),
        ({"x": 1}, "unnamed"),
        ([], None),
        (["RESTORING"], "unnamed"),
    ],
)
def test_an_instance_and_its_task(task: Any, shown: str | None) -> None:
    service, wire = dcs(
        response(
            200,
            {
                "instance_id": "i",
                "status": "RUNNING",
                "update_at": "2025-05-20T09:40:40.000Z",
                "task": task,
                "enable_ssl": "false",
            },
        )
    )
    found = service.instance("i")
    assert found["task"] == shown
    assert found["updated_at"] == "2025-05-20T09:40:40.000Z" and found["enable_ssl"] is False
    assert wire.sent[0].url == f"{DCS}/v2/{PROJECT}/instances/i"


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ({"spec_code": "redis.single.xu1.large.1"}, {"cache_mode": "single"}),
        ({"spec_code": "redis.ha.xu1.large.r2.2"}, {"cache_mode": "ha"}),
        ({"spec_code": "redis.ha.2", "cache_mode": "cluster"}, {"cache_mode": "cluster"}),  # in the detail
        ({"spec_code": "redis.other.2"}, {"cache_mode": None}),
        ({"spec_code": "redis"}, {"cache_mode": None}),
        ({}, {"cache_mode": None}),
        ({"security_group_id": "securityGroupId"}, {"security_group_id": None}),  # a placeholder
        ({"security_group_id": "sg-1"}, {"security_group_id": "sg-1"}),
        ({"updated_at": "2025-05-20T09:40:40Z"}, {"updated_at": "2025-05-20T09:40:40Z"}),
    ],
)
def test_what_the_list_shows_in_another_way(listed: dict[str, str], shown: dict[str, str | None]) -> None:
    """The list (ListInstances) has no mode, and a placeholder in place of the security group."""
    row = {"instance_id": "i", "status": "RUNNING", **listed}
    service, dummy = dcs(response(200, {"instances": [row], "instance_num": 1}))
    (found,) = service.instances()
    assert {name: found[name] for name in shown} == shown


def test_an_instance_that_is_not_there() -> None:
    service, dummy = dcs(
        response(404, {"error_code": "DCS.3022", "error_msg": "This DCS instance does not exist."})
    )
    with pytest.raises(NotFound, match=r"i does not exist in this project and region.*DCS\.3022") as caught:
        service.instance("i")
    assert caught.value.details()["error_code"] == "DCS.3022"


def test_instances_are_filtered_here_too() -> None:
    rows = [
        {"instance_id": f"i{number}", "name": name, "status": "RUNNING"}
        for number, name in enumerate(["cache", "cache-2"])
    ]
    service, wire = dcs(response(200, {"instances": rows, "instance_num": 2}))
    assert [row["instance_id"] for row in service.instances(name="cache")] == ["i0"]
    assert "name=cache&name_equal=true" in wire.sent[0].url
    stopped, dummy = dcs(response(200, {"instances": rows, "instance_num": 2}))
    assert stopped.instances(status="FROZEN") == []


@pytest.mark.parametrize("with_failed", [False, True])
def test_instances_whose_creation_failed_are_read_only_on_request(with_failed: bool) -> None:
    """One of them can have the name of the instance that is to be restored."""
    service, wire = dcs(response(200, {"instances": [], "instance_num": 0}))
    assert service.instances(with_failed=with_failed) == []
    assert ("include_failure=true" in wire.sent[0].url) is with_failed


def test_other_instances_are_read_only_when_none_has_the_name() -> None:
    rows = [{"instance_id": "i0", "name": "cache", "status": "RUNNING"}]
    service, wire = dcs(response(200, {"instances": rows, "instance_num": 1}))
    assert dcs_named.instance_id(service, {"instance_id": None, "instance_name": "cache"}) == "i0"
    assert ["name=cache" in sent.url for sent in wire.sent] == [True]


def test_an_instance_of_ddm_has_its_id_where_others_have_it() -> None:
    assert with_instance_id({"id": "i0", "name": "db"}) == {"instance_id": "i0", "name": "db"}


def named(service: Dcs | Ddm, name: str) -> list[dict[str, Any]]:
    """What a task reads of the instances to find the one with a name."""
    return service.instances(name) if isinstance(service, Dcs) else service.instances([name])


def odd_one(service: str, name: Any) -> dict[str, Any]:
    """An instance whose ID is not what the API documents."""
    return {"instance_id" if service == "dcs" else "id": "a b", "name": name, "status": "RUNNING"}


def listed(service: str, name: Any, wanted: str = "cache") -> tuple[Any, Any]:
    """A service with an instance named `wanted` and an odd one named `name`, and its cloud."""
    key, total = ("instance_id", "instance_num") if service == "dcs" else ("id", "total")
    rows = [{key: "i0", "name": wanted, "status": "RUNNING"}, odd_one(service, name)]
    made, dummy = cloud([response(200, {"instances": rows, total: 2})], max_retries=0)
    return (Dcs(made) if service == "dcs" else Ddm(made)), made


@pytest.mark.parametrize("service", ["dcs", "ddm"])
def test_one_odd_instance_does_not_hide_the_others(service: str) -> None:
    found, made = listed(service, "other")
    assert [row["name"] for row in found.instances()] == ["cache"]
    assert [text for text in made.warnings if "instances is left out" in text and "id" in text]
    reported: list[Exception] = []
    found, made = listed(service, "other")
    assert len(found.instances(on_malformed=reported.append)) == len(reported) == 1 and not made.warnings


@pytest.mark.parametrize("service", ["dcs", "ddm"])
@pytest.mark.parametrize(
    ("name", "refused"),
    [("caf\u00e9", True), ("cafe\u0301", True), (None, True), ("other", False), (7, False)],
)
def test_an_odd_instance_that_could_be_the_wanted_one(service: str, name: Any, refused: bool) -> None:
    """If it had the same name, in any spelling, the name would be ambiguous, so neither instance is taken."""
    found, made = listed(service, name, wanted="caf\u00e9")
    if refused:
        with pytest.raises(ProtocolError, match=r"List of instances: .*valid (instance_)?id .*give an ID"):
            named(found, "caf\u00e9")
    else:
        assert [row["name"] for row in named(found, "caf\u00e9")] == ["caf\u00e9"]
        assert [text for text in made.warnings if "instances is left out" in text]


def test_the_posts_of_dcs() -> None:
    service, wire = dcs(response(200, {"restore_id": "r9"}))
    own = ("", service, {"instance_id": "i"}, "[rst1:X]")
    DcsRestore(*own, "CHG é [rst1:X]", False, "b1", ()).post()
    DcsBackup(*own, "m", False, False, None, None).post()
    DcsBackup(*own, "m", False, False, "aof", None).post()
    assert [(sent.method, sent.url, json.loads(sent.body or b"")) for sent in wire.sent] == [
        ("POST", f"{DCS}/v2/{PROJECT}/instances/i/restores", {"backup_id": "b1", "remark": "CHG é [rst1:X]"}),
        ("POST", f"{DCS}/v2/{PROJECT}/instances/i/backups", {"remark": "m"}),
        ("POST", f"{DCS}/v2/{PROJECT}/instances/i/backups", {"remark": "m", "backup_format": "aof"}),
    ]
    assert all(sent.fresh for sent in wire.sent)


# DDM


@pytest.mark.parametrize(
    ("value", "available"), [(True, True), (False, False), ("true", False), (1, False), (None, False)]
)
def test_only_true_is_available(value: Any, available: bool) -> None:
    row = {"instance_id": "t", "available": value, "unavailable_reason": ""}
    service, dummy = ddm(response(200, {"instances": [row], "total": 1, "target_data_nodes": [row]}))
    assert service.restorable_instances("s")[0]["available"] is available
    assert service.restorable_data_nodes("s", "t", "n", 1)[0]["available"] is available


def test_an_odd_target_does_not_hide_the_wanted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"instance_id": "t", "available": True}, {"instance_id": None, "available": True}]
    service, dummy = ddm(response(200, {"instances": rows, "total": 2, "target_data_nodes": rows}))
    warned: list[str] = []
    monkeypatch.setattr(service, "warn", warned.append)
    assert [row["instance_id"] for row in service.restorable_instances("s", "T")] == ["t"]
    assert [row["instance_id"] for row in service.restorable_data_nodes("s", "t", "n", 1)] == ["t"]
    assert [row["instance_id"] for row in service.restorable_instances("s")] == ["t"], "none is wanted"
    assert [text.partition(" is left out")[0] for text in warned] == [
        "One of the restorable instances",
        "One of the target data nodes",
        "One of the restorable instances",
    ]
    with pytest.raises(ProtocolError, match=r"without a valid instance_id"):
        service.restorable_instances("s", "other")


@pytest.mark.parametrize(
    ("written", "nodes"),
    [(None, []), ({}, []), ("", []), ([], []), ([{"instance_id": "n"}], ["n"]), ("x", None), (0, None)],
)
def test_a_backup_may_have_no_data_nodes(written: Any, nodes: list[str] | None) -> None:
    service, dummy = ddm(response(200, {"id": "b1", "related_data_nodes": written}))
    if nodes is None:
        with pytest.raises(ProtocolError, match="without the list 'related_data_nodes'"):
            service.backup("i", "b1")
    else:
        assert [row["instance_id"] for row in service.backup("i", "b1")["related_data_nodes"]] == nodes
    service, dummy = ddm(response(200, {"id": "b1"}))
    with pytest.raises(ProtocolError, match="without the list 'related_data_nodes'"):
        service.backup("i", "b1")


NOW_MS = moment("2026-05-28T20:00:00Z") or 0


@pytest.mark.parametrize("order", [1, -1])
def test_the_metadata_backup_of_a_time_is_the_nearest_one(order: int) -> None:
    def made(backup_id: str, created: str | None, status: str = "Normal") -> dict[str, Any]:
        return {"id": backup_id, "status": status, "created": created}

    backups = [
        made("undated", None),
        made("failed", "2026-05-28T17:00:00Z", "createfail"),
        made("after", "2026-05-28T17:20:00Z"),
        made("before", "2026-05-28T16:00:00Z"),
    ]
    service: Any = SimpleNamespace(now=lambda: NOW_MS, backups=lambda source: backups[::order])
    for time, nearest in (("17:00", "after"), ("16:39", "before"), ("10:00", "before"), ("20:00", "after")):
        point = moment(f"2026-05-28T{time}:00Z")
        assert metadata.backup_of(service, "s", None, point)["id"] == nearest
    with pytest.raises(InvalidArgument, match="lies in the future: by the cloud's clock it is"):
        metadata.backup_of(service, "s", None, NOW_MS + 1)
    assert metadata.backup_of(service, "s", None, NOW_MS)
    assert metadata.backup_of(service, "s", "UNDATED", None)["id"] == "undated"
    with pytest.raises(
        NotFound, match=r"Backup x is not .*\. The newest ones: (\w+ of [^;]+; ){2}\w+ of [^;]+\."
    ):
        metadata.backup_of(service, "s", "x", None)
    del backups[2:]
    with pytest.raises(NotRestorable, match="DDM instance s has no usable metadata backup"):
        metadata.backup_of(service, "s", None, NOW_MS)
    backups.clear()
    with pytest.raises(NotFound, match=r"The newest ones: none\."):
        metadata.backup_of(service, "s", "x", None)


def test_jobs_have_one_form() -> None:
    """The detail call nests fields that are flat in the list, and only the list has a reason."""
    nested = {**JOB, "instance": {"id": "i", "name": "n"}}
    flat = {
        **JOB,
        "instance_id": "i",
        "instance_name": "n",
        "fail_reason": "",
        "operations": [],
        "database_name": "",
    }
    service, wire = ddm(response(200, {"job": nested}), response(200, {"jobs": [flat], "total": 1}))
    one, (listed,) = service.job("j1"), service.jobs(1, 2)
    assert one.keys() == listed.keys()
    assert {**one, "operations": []} == listed
    assert [sent.url for sent in wire.sent] == [
        f"{DDM}/v3/{PROJECT}/jobs/j1",
        f"{DDM}/v3/{PROJECT}/jobs?end_time=2&limit=128&offset=0&start_time=1",
    ]


def test_a_job_that_is_not_known_comes_as_400() -> None:
    service, dummy = ddm(response(400, {"error_code": "DBS.300400", "error_msg": "The task does not exist."}))
    with pytest.raises(NotFound):
        service.job("j1")


@pytest.mark.parametrize("body", [{}, {"job": None}, {"job": {}}])
def test_a_response_without_a_job_means_that_it_is_not_known(body: Any) -> None:
    service, dummy = ddm(response(200, body))
    with pytest.raises(NotFound):
        service.job("j1")


@pytest.mark.parametrize("body", [[], {"job": [1]}, {"job": {"id": "j1"}}])
def test_an_invalid_job(body: Any) -> None:
    service, dummy = ddm(response(200, body))
    with pytest.raises(ProtocolError):
        service.job("j1")


def test_data_nodes_at_a_point_and_the_latest_one() -> None:
    node = {"instance_id": "n", "instance_name": "rds", "data_volume_size": 40, "version": "8.0.28"}
    service, wire = ddm(
        response(
            200,
            {"related_data_nodes": [node], "total": 1, "latest_restorable_time": "2025-05-20T09:40:40+0000"},
        )
    )
    rows, latest = service.related_data_nodes("s", 1747732352076)
    assert latest == "2025-05-20T09:40:40+0000"
    assert rows == [
        {
            "instance_id": "n",
            "instance_name": "rds",
            "instance_status": None,
            "engine_name": None,
            "version": "8.0.28",
            "data_volume_size": 40,
        }
    ]
    assert "restore_time=1747732352076" in wire.sent[0].url
    none, dummy = ddm(response(204))
    assert none.related_data_nodes("s", 1) == ([], None)


def test_backups_of_one_instance_are_filtered_here_too() -> None:
    rows = [
        {"id": "b1", "status": "normal", "instance_id": "i", "file_size": 5.4},
        {"id": "b2", "status": "normal", "instance_id": "other", "file_size": True},
    ]
    service, wire = ddm(response(200, {"backups": rows, "total": 2}))
    (row,) = service.backups("i")
    assert row["id"] == "b1" and row["file_size"] == 5.4 and row["related_data_nodes"] is None
    assert "instance_id=i" in wire.sent[0].url
    assert [row["file_size"] for row in service.backups()] == [5.4, None]


def test_the_posts_of_ddm() -> None:
    service, wire = ddm(response(202, {"job_id": "j"}))
    pair, nodes = Pair(service, "s", "t"), ({"source_instance_id": "a", "target_instance_id": "b"},)
    DdmRecovery("", pair, 1747732352076, nodes).post()
    DdmRecovery("", pair, 1747732352076, nodes, with_source=True).post()
    DdmMetadata("", pair, {"backup_id": "b1"}, ("b",)).post()
    assert [sent.url for sent in wire.sent] == [
        f"{DDM}/v3/{PROJECT}/instances/s/backups/{call}"
        for call in ("recovery", "recovery", "metadata-recovery")
    ]
    recovery, with_source, metadata = (json.loads(sent.body or b"") for sent in wire.sent)
    assert recovery == {
        "source": {"restore_time": 1747732352076},
        "target": {"instance_id": "t"},
        "data_node_relations": [*nodes],
    }
    assert with_source == {**recovery, "source": {"restore_time": 1747732352076, "instance_id": "s"}}
    target = {"instance_id": "t", "data_nodes": ["b"]}
    assert metadata == {"source": {"backup_id": "b1"}, "target": target}


def test_metadata_of_a_row_are_recovered_by_their_own_module() -> None:
    given = {"instance_id": "s", "metadata": False, "data_node_relations": None}
    assert service.DDM.module(given) == ("ddm_recovery", {"instance_id": "s", "data_node_relations": None})
    nodes = [{"source_instance_id": "n1", "target_instance_id": "n2"}]
    row = {"instance_id": "s", "restore_time": "latest", "metadata": True, "data_node_relations": nodes}
    wanted = {"instance_id": "s", "restore_time": "latest", "data_nodes": ["n2"]}
    assert service.DDM.module(row) == ("ddm_metadata_recovery", wanted)
    assert service.DDM.turn(row) == "s"
    assert service.DDM.turn({"instance_name": "orders-db"}) == "orders-db", "its jobs follow each other, too"
    attached = {"job_id": "j", "metadata": True, "data_node_relations": None}
    assert service.DDM.module(attached) == ("ddm_metadata_recovery", {"job_id": "j", "data_nodes": []})


def test_no_tag_is_a_key_that_ansible_obeys() -> None:
    """With __ansible_type in a result, the whole task fails; anybody may be able to tag an instance."""
    keys = ["stage", "__ansible_type", "__ansible_vault", "__ansible_unsafe", "_ansible_no_log", "ansible"]
    tags = [{"key": key, "value": "v"} for key in keys] + [{"key": "bare"}, {"key": ""}, {}]
    assert tags_of(tags) == {"stage": "v", "ansible": "v", "bare": ""}


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (None, {}),
        ([], {}),
        ({}, {}),
        ("", {}),
        ({"stage": "production"}, {"stage": "production"}),
        (["stage=production"], None),
        ("stage=production", None),
        (5, None),
    ],
)
def test_tags_in_another_form_are_not_taken_for_none(value: Any, tags: Any) -> None:
    """The one that protects the instance may be among them."""
    assert tags_of(value) == tags


@pytest.mark.parametrize(
    ("service", "ids", "name"),
    [
        ("dcs", {"instance_id": "i-1", "restore_id": "r-1"}, "DCS restore r-1 of orders (i-1)"),
        ("ddm", {"job_id": "j-1", "target_instance_id": "i-1"}, "DDM job j-1 of orders (i-1)"),
    ],
)
def test_a_wait_names_the_instance_as_the_cloud_does(service: str, ids: dict[str, str], name: str) -> None:
    one, dummy = cloud([])
    target = {"instance_id": "i-1", "instance_name": "orders"}
    assert WAITINGS[service].watch(one, {**ids, "target": target}).name == name
    assert WAITINGS[service].watch(one, ids).name == name.replace("orders (i-1)", "i-1")


@pytest.mark.parametrize("outcome", [None, "started"])
def test_only_a_job_that_nobody_has_checked_must_be_of_the_pair(outcome: str | None) -> None:
    """A job that a task has started or attached to is the right one, whatever instance it names."""
    job = {**JOB, "instance": {"id": "other"}}
    one, dummy = cloud([response(200, {"job": job})], max_retries=0)
    row = {"job_id": "j1", "instance_id": "s", "target_instance_id": "t", "outcome": outcome}
    watch = WAITINGS["ddm"].watch(one, row)
    if outcome:
        assert watch.observe().state == "running"
    else:
        with pytest.raises(ProtocolError, match="Job j1 works on other"):
            watch.observe()
    alone = WAITINGS["ddm"].watch(one, {"job_id": "j1", "instance_id": "s"})
    assert (alone.name, alone.observe().state) == ("DDM job j1", "running"), "of a target nobody named"


def test_a_restore_is_that_of_the_planned_backup() -> None:
    """A row that named a point in time has its backup only in the plan."""
    listed = response(200, {"restore_record_response": [{**RESTORE, "backup_id": "b2"}], "total_num": 1})
    row = {"instance_id": "i", "restore_id": "r1", "restore_point": "latest", "backup": {"backup_id": "b1"}}
    for given in (row, {**row, "backup": None, "backup_id": "b1"}):
        one, dummy = cloud([listed], max_retries=0)
        with pytest.raises(ProtocolError, match="requested b1, but the response is about b2"):
            WAITINGS["dcs"].watch(one, given).observe()
    unsaid = {"restore_record_response": [{**RESTORE, "status": "restoring", "backup_id": None}]}
    one, dummy = cloud([response(200, {**unsaid, "total_num": 1})])
    assert WAITINGS["dcs"].watch(one, row).observe().state == "running", "a record may not name its backup"


def ended(instance_id: str | None, seconds: int, **changes: Any) -> dict[str, Any]:
    """A restore job that began at noon and took so many seconds, up to 59."""
    times = {"created_time": "2026-05-20T12:00:00+0000", "end_time": f"2026-05-20T12:00:{seconds:02}+0000"}
    return {
        **JOB,
        "status": "Completed",
        "instance_id": instance_id,
        "instance_name": None,
        **times,
        **changes,
    }


def test_the_duration_of_a_recovery_is_that_of_the_pair_or_of_any_other() -> None:
    last, pair = facts.last_seconds, ("s", "t")
    earlier = {"created_time": "2026-05-19T12:00:00+0000"}
    assert last([ended("x", 30), ended("t", 20, **earlier, end_time="2026-05-19T12:00:20+0000")], pair) == 20
    assert last([ended("s", 10, status="Failed"), ended("x", 30)], pair) == 30
    assert last([ended("t", 10, end_time=None), ended("x", 30)], pair) == 30
    assert last([ended("t", 10, status="Running")], pair) is None


def test_a_job_of_an_earlier_run_shows_the_instances_that_are_known() -> None:
    job = ended("t", 10, instance_name="orders-db-restored")
    rows = {"t": {"instance_id": "t", "name": "by-name", "access_port": "5066"}, "s": {"name": "orders-db"}}

    def shown(
        source: str | None, target: str | None, rows: dict[str, Any], **changes: Any
    ) -> tuple[Any, ...]:
        found = facts.of_job(Named(source, target, rows), {**job, **changes})
        return tuple(found[end][f"instance_{key}"] for end in ("target", "source") for key in ("id", "name"))

    assert shown(None, None, {}) == ("t", "orders-db-restored", None, None)
    assert shown("s", "t", {}) == ("t", "orders-db-restored", "s", None)
    assert shown("s", "t", {}, instance_id="s") == ("t", None, "s", None), "it names its source"
    assert shown("s", "t", rows) == ("t", "by-name", "s", "orders-db")
    with_jobs: Any = SimpleNamespace(history=[{**job, "instance_id": "s", "instance_name": "of-a-job"}])
    assert facts.source_name(Named("s", "t", rows), with_jobs) == "orders-db"
    assert facts.source_name(Named("s", "t", {}), with_jobs) == "of-a-job"
    assert facts.source_name(Named("x", "t", {}), with_jobs) is None
    assert facts.source_name(Named(None, "t", {}), with_jobs) is None


def test_exactly_what_was_planned_is_started() -> None:
    nodes = [{"source_instance_id": "n1", "target_instance_id": "n2"}]
    row = {"instance_id": "s", "restore_time": "latest", "adopt": True, "job_id": None}
    found = {"job_id": None, "adopted": False, "restore_time": 5, "data_node_relations": nodes}
    planned = {**row, "restore_time": "5", "data_node_relations": nodes}
    assert service.pinned(row, found) == planned
    assert service.pinned(row, {**found, "job_id": "of-its-run"}) == planned, "a report has it, too"
    attached = {"job_id": "j", "adopted": True, "restore_time": None, "data_node_relations": None}
    assert service.pinned(row, attached) == {**row, "job_id": "j", "adopt": None}
    assert service.pinned(row, {"job_id": None}) == row
    cache = {"restore_point": "latest", "backup_name": None, "backup_id": None}
    pinned = DCS_SERVICE.pinned(cache, {"backup": {"backup_id": "b1"}})
    assert pinned == {"restore_point": None, "backup_name": None, "backup_id": "b1"}
    assert DCS_SERVICE.pinned({"backup_id": "gone"}, {"backup": None}) == {"backup_id": "gone"}


def test_only_what_is_restored_in_place_is_down_meanwhile() -> None:
    assert {service.name: bool(service.downtime) for service in SERVICES.values()} == {
        service.name: service.in_place for service in SERVICES.values()
    }


def test_after_a_failed_restore_no_lost_marker_forbids_a_new_one() -> None:
    row = {"service": "dcs", "adopted": False, "error_kind": None, "restore": {"restore_remark": "cut"}}
    assert restore_wait.has_lost_its_marker(row)
    assert not restore_wait.has_lost_its_marker({**row, "error_kind": "operation_failed"})
