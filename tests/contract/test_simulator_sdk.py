# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's own SDKs drive the local cloud, and can read all its responses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdcs.v2 import (
    BackupInstanceBody,
    CopyInstanceRequest,
    DcsClient,
    DeleteBackupFileRequest,
    ListBackupRecordsRequest,
    ListInstancesRequest,
    ListRestoreRecordsRequest,
    RestoreInstanceBody,
    RestoreInstanceRequest,
    ShowInstanceRequest,
)
from huaweicloudsdkddm.v1 import (
    DataNodeRelation,
    DdmClient,
    ListBackupsRequest,
    ListDdmsRequest,
    ListTasksRequest,
    Restore2ExistRequest,
    RestoreInst2ExistReq,
    RestoreInstSource,
    RestoreInstTarget,
    ShowAvalibleDdmsRequest,
    ShowAvalibleRdsRequest,
    ShowAvalibleTimeRequest,
    ShowBackupRequest,
    ShowDdmDetailRequest,
    ShowDdmJobResultRequest,
    ShowRelatedDnsRequest,
)
from huaweicloudsdkddm.v1 import (
    ShowInstanceRequest as ShowDdmInstanceRequest,
)
from huaweicloudsdkiam.v3 import (
    AuthScope,
    AuthScopeProject,
    IamClient,
    KeystoneCreateUserTokenByPasswordRequest,
    KeystoneCreateUserTokenByPasswordRequestBody,
    KeystoneListProjectsRequest,
    PwdAuth,
    PwdIdentity,
    PwdPassword,
    PwdPasswordUser,
    PwdPasswordUserDomain,
)

from tests.cloud import Simulator
from tests.cloud import scenario as names


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(restore_seconds=0.8, backup_seconds=0.3) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    running.reset()
    yield running
    assert running.errors == []


def client(sim: Simulator, kind: Any, credentials: Any = None) -> Any:
    credentials = credentials or BasicCredentials(names.ACCESS_KEY, names.SECRET_KEY, names.PROJECT_ID)
    return kind.new_builder().with_credentials(credentials).with_endpoints([sim.url]).build()


def until(probe: Any, done: Any) -> Any:
    deadline = time.monotonic() + 10
    while not done(value := probe()):
        assert time.monotonic() < deadline, value
        time.sleep(0.02)
    return value


def test_dcs_restore(sim: Simulator) -> None:
    dcs = client(sim, DcsClient)
    listed = dcs.list_instances(ListInstancesRequest(name="orders-cache", name_equal="true"))
    assert [i.instance_id for i in listed.instances] == [names.DCS_INSTANCE]
    assert listed.instance_num == 1
    assert dcs.show_instance(ShowInstanceRequest(names.DCS_INSTANCE)).cache_mode == "ha"

    backups = dcs.list_backup_records(
        ListBackupRecordsRequest(names.DCS_INSTANCE, limit=1000)
    ).backup_record_response
    usable = [b for b in backups if b.status == "succeed" and b.is_support_restore == "TRUE"]
    assert {b.backup_id for b in usable} == {names.DCS_BACKUP, names.DCS_BACKUP_OLD}

    body = RestoreInstanceBody(backup_id=names.DCS_BACKUP, remark="from the SDK")
    restore_id = dcs.restore_instance(RestoreInstanceRequest(names.DCS_INSTANCE, body)).restore_id

    def record() -> Any:
        records = dcs.list_restore_records(
            ListRestoreRecordsRequest(names.DCS_INSTANCE, limit=1000)
        ).restore_record_response
        return next(r for r in records if r.restore_id == restore_id)

    assert record().status in ("waiting", "restoring")
    assert dcs.show_instance(ShowInstanceRequest(names.DCS_INSTANCE)).status == "RESTORING"
    with pytest.raises(ClientRequestException) as refused:
        dcs.restore_instance(RestoreInstanceRequest(names.DCS_INSTANCE, body))
    assert (refused.value.status_code, refused.value.error_code) == (400, "DCS.4097")
    assert len(refused.value.request_id) == 32

    ended = until(record, lambda r: r.status not in ("waiting", "restoring"))
    assert (ended.status, ended.progress, ended.restore_remark) == ("succeed", "100.00", "from the SDK")
    assert ended.error_code == "{}"  # how the SDK reads the object {}, which means null
    assert dcs.show_instance(ShowInstanceRequest(names.DCS_INSTANCE)).status == "RUNNING"
    assert sim.state.dcs_instances[names.DCS_INSTANCE].restored_from == names.DCS_BACKUP


def test_dcs_without_records(sim: Simulator) -> None:
    dcs = client(sim, DcsClient)
    response = dcs.list_restore_records(ListRestoreRecordsRequest(names.DCS_EMPTY))
    assert response.status_code == 204
    assert response.restore_record_response is None
    assert dcs.list_backup_records(ListBackupRecordsRequest(names.DCS_EMPTY)).status_code == 204


def test_dcs_backup(sim: Simulator) -> None:
    dcs = client(sim, DcsClient)
    backup_id = dcs.copy_instance(
        CopyInstanceRequest(names.DCS_EMPTY, BackupInstanceBody(remark="by hand", backup_format="aof"))
    ).backup_id

    def record() -> Any:
        return dcs.list_backup_records(ListBackupRecordsRequest(names.DCS_EMPTY)).backup_record_response[0]

    ended = until(record, lambda b: b.status not in ("waiting", "backuping"))
    assert (ended.backup_id, ended.status, ended.backup_type, ended.backup_format, ended.remark) == (
        backup_id,
        "succeed",
        "manual",
        "aof",
        "by hand",
    )
    assert (
        dcs.delete_backup_file(
            DeleteBackupFileRequest(instance_id=names.DCS_EMPTY, backup_id=backup_id)
        ).status_code
        == 204
    )
    assert record().status == "deleted"


def test_dcs_refusals(sim: Simulator) -> None:
    dcs = client(sim, DcsClient)
    body = RestoreInstanceBody(backup_id=names.DCS_BACKUP)
    cases = [
        (names.DCS_SINGLE, body, 400, "DCS.4086"),
        (names.DCS_FROZEN, body, 400, "DCS.4049"),
        (names.DCS_INSTANCE, RestoreInstanceBody(backup_id=names.DCS_BACKUP_FAILED), 400, "DCS.4087"),
        (names.DCS_INSTANCE, RestoreInstanceBody(backup_id=names.DCS_BACKUP_OTHER), 400, "DCS.4062"),
        (
            names.DCS_INSTANCE,
            RestoreInstanceBody(backup_id=names.DCS_BACKUP, remark="x" * 129),
            400,
            "DCS.4098",
        ),
        ("00000000-0000-4000-8000-000000000000", body, 404, "DCS.3022"),
        ("not-an-id", body, 400, "DCS.4061"),
    ]
    for instance_id, request_body, status, code in cases:
        with pytest.raises(ClientRequestException) as refused:
            dcs.restore_instance(RestoreInstanceRequest(instance_id, request_body))
        assert (refused.value.status_code, refused.value.error_code) == (status, code)
    assert sim.started("dcs.restore") == 0
    assert len(sim.posts("dcs.restore")) == len(cases)


def test_ddm_recovery(sim: Simulator) -> None:
    ddm = client(sim, DdmClient)
    source = names.DDM_SOURCE
    intervals = ddm.show_avalible_time(ShowAvalibleTimeRequest(source)).restorable_time_intervals
    assert len(intervals) == 2
    assert intervals[0].start_time.endswith("+0000")
    point = int((time.time() - 3600) * 1000)

    targets = ddm.show_avalible_ddms(ShowAvalibleDdmsRequest(source)).instances
    assert [t.instance_id for t in targets if t.available] == [names.DDM_TARGET]
    assert all(t.unavailable_reason for t in targets if not t.available)

    related = ddm.show_related_dns(ShowRelatedDnsRequest(source, restore_time=str(point)))
    assert [n.instance_id for n in related.related_data_nodes] == [names.DN_SOURCE_1, names.DN_SOURCE_2]
    assert related.latest_restorable_time >= intervals[1].end_time  # the end moves on with the clock

    candidates = {}
    for node in related.related_data_nodes:
        request = ShowAvalibleRdsRequest(source, names.DDM_TARGET, node.instance_id, str(point))
        nodes = ddm.show_avalible_rds(request).target_data_nodes
        candidates[node.instance_id] = [n.instance_id for n in nodes if n.available]
        assert all(n.unavailable_reason for n in nodes if not n.available)
    assert candidates == {
        names.DN_SOURCE_1: [names.DN_TARGET_1, names.DN_TARGET_2],
        names.DN_SOURCE_2: [names.DN_TARGET_1],
    }

    mapping = {names.DN_SOURCE_1: names.DN_TARGET_2, names.DN_SOURCE_2: names.DN_TARGET_1}
    body = RestoreInst2ExistReq(
        RestoreInstSource(point),
        RestoreInstTarget(names.DDM_TARGET),
        [DataNodeRelation(source_instance_id=s, target_instance_id=t) for s, t in mapping.items()],
    )
    response = ddm.restore2_exist(Restore2ExistRequest(source, body))
    assert response.status_code == 202

    def job() -> Any:
        return ddm.show_ddm_job_result(ShowDdmJobResultRequest(response.job_id)).job

    assert (job().status, job().name) == ("Running", "RestoreInstance")
    assert ddm.show_instance(ShowDdmInstanceRequest(names.DDM_TARGET)).status == "RESTORE"
    with pytest.raises(ClientRequestException) as refused:
        ddm.restore2_exist(Restore2ExistRequest(source, body))
    assert (refused.value.status_code, refused.value.error_code) == (409, "DBS.200019")
    assert until(job, lambda j: j.status != "Running").status == "Completed"
    assert ddm.show_instance(ShowDdmInstanceRequest(names.DDM_TARGET)).status == "RUNNING"
    targets = ddm.show_avalible_ddms(ShowAvalibleDdmsRequest(source)).instances
    assert not any(t.available for t in targets)

    now = int(time.time() * 1000)
    tasks = ddm.list_tasks(ListTasksRequest(start_time=now - 86_400_000, end_time=now + 1000))
    assert [(t.id, t.instance_id) for t in tasks.jobs] == [(response.job_id, names.DDM_TARGET)]


def test_ddm_lists(sim: Simulator) -> None:
    ddm = client(sim, DdmClient)
    page = ddm.list_backups(ListBackupsRequest())
    assert (len(page.backups), page.limit, page.total) == (10, 10, 14)
    assert len(ddm.list_backups(ListBackupsRequest(offset=10, limit=128)).backups) == 4
    detail = ddm.show_backup(ShowBackupRequest(names.DDM_SOURCE, names.DDM_BACKUP))
    assert [n.instance_id for n in detail.related_data_nodes] == [names.DN_SOURCE_1, names.DN_SOURCE_2]
    instances = ddm.list_ddms(ListDdmsRequest())
    assert instances.total == len(instances.instances) == 6
    assert (
        ddm.show_ddm_detail(ShowDdmDetailRequest(names.DDM_SOURCE)).instances[0].datastore_version == "3.1.4"
    )


def test_iam_project_lookup(sim: Simulator) -> None:
    iam = client(sim, IamClient, GlobalCredentials(names.ACCESS_KEY, names.SECRET_KEY, names.DOMAIN_ID))
    found = iam.keystone_list_projects(KeystoneListProjectsRequest(name=names.REGION)).projects
    assert [p.id for p in found] == [names.PROJECT_ID]
    # the SDK's own lookup, when it is given no project
    credentials = BasicCredentials(names.ACCESS_KEY, names.SECRET_KEY).with_iam_endpoint(sim.url)
    dcs = (
        DcsClient.new_builder()
        .with_credentials(credentials)
        .with_region(Region(names.REGION, sim.url))
        .build()
    )
    assert dcs.show_instance(ShowInstanceRequest(names.DCS_INSTANCE)).status == "RUNNING"


def token_request(password: str) -> Any:
    user = PwdPasswordUser(domain=PwdPasswordUserDomain(names.DOMAIN), name=names.USER, password=password)
    identity = PwdIdentity(methods=["password"], password=PwdPassword(user))
    body = KeystoneCreateUserTokenByPasswordRequestBody(
        PwdAuth(identity, AuthScope(project=AuthScopeProject(name=names.REGION)))
    )
    return KeystoneCreateUserTokenByPasswordRequest(nocatalog="true", body=body)


def test_iam_token(sim: Simulator) -> None:
    iam = client(sim, IamClient, GlobalCredentials(names.ACCESS_KEY, names.SECRET_KEY, names.DOMAIN_ID))
    response = iam.keystone_create_user_token_by_password(token_request(names.PASSWORD))
    assert response.x_subject_token.startswith("MII")
    assert response.token.project.id == names.PROJECT_ID
    with pytest.raises(ClientRequestException) as refused:
        iam.keystone_create_user_token_by_password(token_request("wrong"))
    assert refused.value.status_code == 401


def test_temporary_keys(sim: Simulator) -> None:
    credentials = BasicCredentials(
        names.TEMP_ACCESS_KEY, names.TEMP_SECRET_KEY, names.PROJECT_ID
    ).with_security_token(names.SECURITY_TOKEN)
    listed = client(sim, DcsClient, credentials).list_instances(ListInstancesRequest())
    assert listed.instance_num == len(sim.state.dcs_instances) - 1  # the one whose creation failed
    credentials = BasicCredentials(names.TEMP_ACCESS_KEY, names.TEMP_SECRET_KEY, names.PROJECT_ID)
    with pytest.raises(ClientRequestException) as refused:
        client(sim, DcsClient, credentials).list_instances(ListInstancesRequest())
    assert refused.value.error_code == "APIGW.0301"


def test_wrong_key(sim: Simulator) -> None:
    for credentials, text in (
        (
            BasicCredentials(names.ACCESS_KEY, "not the secret", names.PROJECT_ID),
            "verify aksk signature fail",
        ),
        (BasicCredentials("HWAKUNKNOWN", names.SECRET_KEY, names.PROJECT_ID), "ak HWAKUNKNOWN not exist"),
    ):
        with pytest.raises(ClientRequestException) as refused:
            client(sim, DcsClient, credentials).list_instances(ListInstancesRequest())
        assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")
        assert text in refused.value.error_msg
