# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS: instances, backups, restores.

docs/api.md has the addresses of most pages that the comments name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from .state import CloudState, DcsBackup, DcsInstance, DcsRestore, iso_ms, stamp
from .wire import Call, Part, Refusal, Response, Route, whole_number

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STAMP = re.compile(r"\d{14}", re.ASCII)
MAX_LIMIT = 1000  # "Querying DCS Instance Restoration Records"
MAX_REMARK = 128  # characters: "Error Codes", DCS.4098
Record = TypeVar("Record", DcsBackup, DcsRestore)
SPEC_CODES = {
    "single": "redis.single.xu1.tiny.128",
    "ha": "redis.ha.xu1.large.r2.2",
    "cluster": "redis.cluster.xu1.large.r2.2",
    "proxy": "redis.proxy.xu1.large.2",
    "ha_rw_split": "redis.ha.xu1.large.p2.2",
}
# What real lists hold in place of the security group (Terraform, data_source_huaweicloud_dcs_instances.go)
PLACEHOLDER = "securityGroupId"


def refuse(status: int, code: str, message: str) -> Refusal:
    """The shape is that of "Restoring a DCS Instance", the codes are those of OTC, "Error Codes"."""
    return Refusal(status, {"error_code": code, "error_msg": message, "error_ext_msg": None})


# Reading the request


def _instance(cloud: CloudState, call: Call) -> DcsInstance:
    instance_id = call.path["instance_id"]
    if not UUID.fullmatch(instance_id):
        raise refuse(400, "DCS.4061", "Invalid instance ID format.")
    if instance_id not in cloud.dcs_instances:
        raise refuse(404, "DCS.3022", "This DCS instance does not exist.")
    return cloud.dcs_instances[instance_id]


def _page(call: Call) -> tuple[int, int]:
    # The refusal is the example of OTC, "Querying All DCS Instances".
    offset = whole_number(call.query.get("offset", "0"))
    limit = whole_number(call.query.get("limit", "10"))
    if offset is None or offset < 0:
        raise refuse(400, "DCS.4800", "Invalid offset in the request.")
    if limit is None or not 1 <= limit <= MAX_LIMIT:
        raise refuse(400, "DCS.4800", "Invalid limit in the request.")
    return offset, limit


def _period(call: Call) -> tuple[str, str]:
    # yyyyMMddHHmmss: "Querying DCS Instance Restoration Records"
    begin, end = call.query.get("begin_time", "0" * 14), call.query.get("end_time", "9" * 14)
    for name, value in (("begin_time", begin), ("end_time", end)):
        if not STAMP.fullmatch(value):
            raise refuse(400, "DCS.4063", f"Invalid {name} parameter in the request.")
    return begin, end


def _body(call: Call) -> dict[str, Any]:
    if not call.body:
        raise refuse(400, "DCS.4004", "The request body is empty.")
    try:
        body = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise refuse(
            400, "DCS.4005", "The request body contains invalid characters or is not in JSON format."
        )
    return body


def _remark(body: dict[str, Any]) -> str | None:
    remark = body.get("remark")
    if remark is not None and (not isinstance(remark, str) or len(remark) > MAX_REMARK):
        raise refuse(400, "DCS.4098", "The remark must be 0 to 128 characters.")
    return remark


# Writing the response


def _text(cloud: CloudState, value: str | None) -> Any:
    """A null string, in one of the two ways in which examples write it.

    `{}`: "Querying DCS Instance Restoration Records"; OTC, "Listing DCS Instance Backup Records".
    """
    if value is None and cloud.settings.null_style == "braces":
        return {}
    return value


def _listed(cloud: CloudState, call: Call, records: Sequence[Record]) -> list[Record]:
    """The requested records, by ID, because no order is documented."""
    begin, end = _period(call)
    now = cloud.clock()
    seen = [r for r in records if r.visible_at <= now and begin <= stamp(r.created_at) <= end]
    return sorted(seen, key=lambda r: r.id)


def _backup_name(backup: DcsBackup) -> str:
    # The service puts its own local time (UTC+8) into the name, so no code may read a time from it: the
    # example of OTC, "Listing DCS Instance Backup Records".
    return "backup_" + stamp(backup.created_at + 8 * 3600)


def _lag(cloud: CloudState, call: Call, name: str) -> float:
    """How many seconds old the shown state is: a fault sets this for one request, the settings for all."""
    lag = call.hints.get("lag")
    return float(getattr(cloud.settings, name) if lag is None else lag)


def _show_backup(cloud: CloudState, call: Call, backup: DcsBackup) -> dict[str, Any]:
    lag = _lag(cloud, call, "record_lag")
    if lag:
        backup = cloud.record_as_of(backup, cloud.clock() - lag)
    # A guess: the vendor's SDK has every field as optional, and before a backup has ended, nobody knows.
    known = backup.status not in ("waiting", "backuping")
    supported = {"is_support_restore": "TRUE" if backup.support_restore else "FALSE"} if known else {}
    return {
        "backup_id": backup.id,
        "backup_name": _backup_name(backup),
        "backup_type": backup.backup_type,
        "backup_format": backup.backup_format,
        "instance_id": backup.instance_id,
        "status": backup.status,
        **supported,
        "progress": backup.progress,
        "size": backup.size,
        "remark": _text(cloud, backup.remark),
        "error_code": _text(cloud, backup.error_code),
        "period": _text(cloud, None),
        "created_at": iso_ms(backup.created_at),
        "updated_at": iso_ms(backup.updated_at),
        "execution_at": iso_ms(backup.created_at),
    }


def _show_restore(cloud: CloudState, call: Call, restore: DcsRestore) -> dict[str, Any]:
    lag = _lag(cloud, call, "record_lag")
    if lag:
        restore = cloud.record_as_of(restore, cloud.clock() - lag)
    return {
        "restore_id": restore.id,
        "restore_name": "restore_" + stamp(restore.created_at),
        "restore_remark": _text(cloud, restore.remark),
        "backup_id": restore.backup_id,
        "backup_name": restore.backup_name,
        "backup_remark": _text(cloud, restore.backup_remark),
        "status": restore.status,
        "progress": restore.progress,
        "error_code": _text(cloud, restore.error_code),
        "created_at": iso_ms(restore.created_at),
        "updated_at": iso_ms(restore.updated_at),
    }


def _show_instance(cloud: CloudState, call: Call, instance: DcsInstance, detail: bool) -> dict[str, Any]:
    """An instance as the list or the detail shows it.

    The list has no cache_mode, task or security group: the SDK's InstanceListInfo; OTC, "Querying All DCS
    Instances".
    """
    lag = _lag(cloud, call, "instance_lag")
    if lag:
        instance = cloud.as_of(instance, cloud.clock() - lag)
    small = instance.cache_mode == "single"
    shown: dict[str, Any] = {
        "instance_id": instance.id,
        "name": instance.name,
        "status": instance.status,
        "sub_status": "normal",
        "engine": instance.engine,
        "engine_version": instance.engine_version,
        "capacity": 0 if small else instance.capacity,  # whole GB: 0 stands for less than one
        "capacity_minor": ".125" if small else "",
        "max_memory": 128 if small else instance.capacity * 1024,
        "used_memory": 42,
        "spec_code": SPEC_CODES.get(instance.cache_mode, f"redis.{instance.cache_mode}.2"),
        "ip": instance.ip,
        "port": instance.port,
        "domain_name": f"redis-{instance.id[:7]}.dcs.example.com",
        "vpc_id": "8ac3e9c4-5d0a-4a63-9df2-8ff2a5e0e7a1",
        "vpc_name": "vpc-production",
        "subnet_id": "4e4b6f5a-91f3-41a4-9f22-5f1a3f8d3d2c",
        "security_group_id": "b2a7c1de-7f67-4f3e-9a55-6b2d9a1c0e0f" if detail else PLACEHOLDER,
        "publicip_id": _text(cloud, None),
        "enterprise_project_id": instance.enterprise_project_id,
        "tags": [{"key": key, "value": value} for key, value in instance.tags.items()],
        "no_password_access": "false",
        "enable_ssl": instance.enable_ssl,
        "created_at": iso_ms(instance.created_at),
    }
    if detail:
        # The detail spells it update_at, and alone names the current task: OTC, "Querying a DCS Instance".
        return {
            **shown,
            "cache_mode": instance.cache_mode,
            "update_at": iso_ms(instance.updated_at),
            "task": instance.task,
            "instance_backup_policy": None,
        }
    # The example of the list writes these two without quotes (OTC, "Querying All DCS Instances").
    project = instance.enterprise_project_id
    bare = {"enterprise_project_id": 0 if project == "0" else project, "no_password_access": False}
    return {**shown, **bare, "updated_at": iso_ms(instance.updated_at)}


# The operations


def list_instances(cloud: CloudState, call: Call) -> Response:
    """The filters: "Querying All DCS Instances"."""
    offset, limit = _page(call)
    query = call.query
    exact = query.get("name_equal") == "true"
    found = [
        i
        for i in cloud.dcs_instances.values()
        if query.get("instance_id") in (None, "", i.id)
        and query.get("status") in (None, "", i.status)
        and (i.name == query["name"] if exact and "name" in query else query.get("name", "") in i.name)
        and (query.get("include_failure") == "true" or i.status != "CREATEFAILED")
    ]
    page = [_show_instance(cloud, call, i, detail=False) for i in found[offset : offset + limit]]
    return Response(200, {"instance_num": len(found), "instances": page})


def show_instance(cloud: CloudState, call: Call) -> Response:
    return Response(200, _show_instance(cloud, call, _instance(cloud, call), detail=True))


def list_backups(cloud: CloudState, call: Call) -> Response:
    instance = _instance(cloud, call)
    offset, limit = _page(call)
    found = _listed(cloud, call, [b for b in cloud.dcs_backups.values() if b.instance_id == instance.id])
    page = [_show_backup(cloud, call, b) for b in found[offset : offset + limit]]
    return _records(cloud, "backup_record_response", page, len(found))


def list_restores(cloud: CloudState, call: Call) -> Response:
    instance = _instance(cloud, call)
    offset, limit = _page(call)
    found = _listed(cloud, call, [r for r in cloud.dcs_restores.values() if r.instance_id == instance.id])
    page = [_show_restore(cloud, call, r) for r in found[offset : offset + limit]]
    return _records(cloud, "restore_record_response", page, len(found))


def _records(cloud: CloudState, name: str, page: list[dict[str, Any]], total: int) -> Response:
    """A list of records. An empty one has the form that the settings say.

    204: "Querying DCS Instance Restoration Records" (EU). No page has the other forms: they are assumptions.
    """
    if total:
        return Response(200, {name: page, "total_num": total})
    empty: dict[str, dict[str, Any]] = {"200": {name: []}, "null": {name: None}, "absent": {}}
    style = cloud.settings.empty_style
    return Response(204) if style == "204" else Response(200, {**empty[style], "total_num": 0})


def _refuse_when_busy(instance: DcsInstance) -> None:
    """The codes: OTC, "Error Codes". The first text: Terraform's issue 1092."""
    if instance.cache_mode == "single":
        raise refuse(400, "DCS.4086", "only master standby instance is support this action")
    if instance.task == "BACKUPING":
        raise refuse(400, "DCS.4096", "The instance is being backed up.")
    if instance.status == "RESTORING" or instance.task == "RESTORING":
        raise refuse(400, "DCS.4097", "The instance is being restored.")
    if instance.status != "RUNNING":
        raise refuse(400, "DCS.4049", "The instance status is not running.")
    if instance.task is not None:
        raise refuse(
            400, "DCS.4026", "The operation is not allowed when the instance is in the current state."
        )


def create_backup(cloud: CloudState, call: Call) -> Response:
    """The body and its default: "Backing Up a DCS Instance"."""
    instance = _instance(cloud, call)
    body = _body(call) if call.body else {}
    remark = _remark(body)
    backup_format = body.get("backup_format")
    if backup_format not in (None, "rdb", "aof"):
        raise refuse(400, "DCS.4062", "Invalid backup_format parameter in the request.")
    _refuse_when_busy(instance)
    operation = cloud.operation(cloud.settings.backup_seconds, call.hints)
    backup = DcsBackup(
        id=cloud.new_uuid(),
        instance_id=instance.id,
        created_at=operation.started,
        updated_at=operation.started,
        status="waiting",
        progress="0.00",
        backup_format=backup_format or "rdb",
        remark=remark if cloud.settings.keep_remarks else None,
        visible_at=cloud.visible_from(call.hints),
        operation=operation,
    )
    cloud.dcs_backups[backup.id] = backup
    vars(instance).update(backup.busy(cloud.settings))
    cloud.begin(backup)
    return Response(200, {"backup_id": backup.id})


def delete_backup(cloud: CloudState, call: Call) -> Response:
    """The refusal: Terraform, resource_huaweicloud_dcs_backup.go. The collection never deletes one."""
    instance = _instance(cloud, call)
    backup = cloud.dcs_backups.get(call.path["backup_id"])
    if backup is None or backup.instance_id != instance.id or backup.status == "deleted":
        raise refuse(400, "DCS.4031", "The backup does not exist.")
    backup.status = "deleted"
    return Response(204)


def restore(cloud: CloudState, call: Call) -> Response:
    instance = _instance(cloud, call)
    body = _body(call)
    remark = _remark(body)
    backup_id = body.get("backup_id")
    if not isinstance(backup_id, str) or not UUID.fullmatch(backup_id):
        raise refuse(400, "DCS.4062", "Invalid backup_id parameter in the request.")
    _refuse_when_busy(instance)
    backup = cloud.dcs_backups.get(backup_id)
    # No page has a code for an unknown backup, or for one of another instance: an assumption.
    if backup is None or backup.instance_id != instance.id:
        raise refuse(400, "DCS.4062", "Invalid backup_id parameter in the request.")
    if backup.status != "succeed" or not backup.support_restore:
        raise refuse(
            400, "DCS.4087", "The backup record status is not success. The instance cannot be restored."
        )
    operation = cloud.operation(cloud.settings.restore_seconds, call.hints)
    record = DcsRestore(
        id=cloud.new_uuid(),
        instance_id=instance.id,
        backup_id=backup.id,
        backup_name=_backup_name(backup),
        created_at=operation.started,
        updated_at=operation.started,
        remark=remark if cloud.settings.keep_remarks else None,
        backup_remark=backup.remark,
        visible_at=cloud.visible_from(call.hints),
        operation=operation,
    )
    cloud.dcs_restores[record.id] = record
    vars(instance).update(record.busy(cloud.settings))
    cloud.begin(record)
    return Response(200, {"restore_id": record.id})


_ROOT = "/v2/{project_id}/instances"
ROUTES = [
    Route("dcs.instances", "GET", _ROOT, list_instances),
    Route("dcs.instance", "GET", _ROOT + "/{instance_id}", show_instance),
    Route("dcs.backups", "GET", _ROOT + "/{instance_id}/backups", list_backups),
    Route("dcs.backup", "POST", _ROOT + "/{instance_id}/backups", create_backup),
    Route("dcs.delete_backup", "DELETE", _ROOT + "/{instance_id}/backups/{backup_id}", delete_backup),
    Route("dcs.restores", "GET", _ROOT + "/{instance_id}/restores", list_restores),
    Route("dcs.restore", "POST", _ROOT + "/{instance_id}/restores", restore),
]
PART = Part(
    "dcs",
    ROUTES,
    refuse,
    stranger=(
        (403, "DCS.2003", "You do not have the permission."),
        (400, "DCS.4002", "Invalid project ID format."),
    ),
    failure="dcs.08.0007",
    totals=("total_num", "instance_num"),
)
