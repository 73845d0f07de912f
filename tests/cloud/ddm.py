# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DDM: instances, metadata backups, restorable points, recovery, jobs.

docs/api.md has the addresses of most pages that the comments name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .state import CloudState, DataNode, DdmBackup, DdmInstance, Job, MetadataJob, iso_offset
from .wire import Call, Part, Refusal, Response, Route, whole_number

MAX_LIMIT, JOB_DAYS = 128, 30  # "Querying Tasks (a V3 API)"
# OTC's user guide, "Restoring Data to a New Instance"
OLDEST_SOURCE = (2, 3, 2, 11)
OLDEST_TARGET = (3, 0, 8)


def refuse(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, {"error_code": code, "error_msg": message})


def _error(call: Call, body: Any) -> Any:
    """Version 1 of the API has other names ("Abnormal Request Results" and the pages of its calls)."""
    if not call.target.startswith("/v1/") or set(body) != {"error_code", "error_msg"}:
        return body
    return {"errCode": body["error_code"], "externalMessage": body["error_msg"]}


def _bad_parameter() -> Refusal:
    """The example of "Restoring Data to a New Instance (a V3 API)"."""
    return refuse(400, "DBS.280001", "Parameter error.")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


# Reading the request


def _instance(cloud: CloudState, instance_id: str) -> DdmInstance:
    if instance_id not in cloud.ddm_instances:
        # 404: Terraform's pull request 3822; the code is that of RDS (OTC, "Error Codes").
        raise refuse(404, "DBS.200002", "The instance does not exist.")
    return cloud.ddm_instances[instance_id]


def _page(call: Call) -> tuple[int, int]:
    offset = whole_number(call.query.get("offset", "0"))
    limit = whole_number(call.query.get("limit", "10"))
    if offset is None or limit is None or offset < 0 or not 1 <= limit <= MAX_LIMIT:
        raise _bad_parameter()
    return offset, limit


def _milliseconds(call: Call, name: str) -> int:
    value = whole_number(call.query.get(name, ""))
    if value is None or value < 0:
        raise _bad_parameter()
    return value


def _restorable(cloud: CloudState, instance_id: str, milliseconds: float) -> bool:
    # An end of 10:00:00 covers only the beginning of that second, because the API has no smaller unit
    return any(start * 1000 <= milliseconds <= end * 1000 for start, end in cloud.intervals_of(instance_id))


def _restore_point(cloud: CloudState, call: Call, instance_id: str) -> int:
    point = _milliseconds(call, "restore_time")
    if not _restorable(cloud, instance_id, point):
        raise refuse(400, "DBS.300377", "The time range is invalid.")  # OTC, "Error Codes"
    return point


def _paged(cloud: CloudState, call: Call, name: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A page of a list. An empty one has the form that the settings say.

    No page has any form but []: the others are assumptions.
    """
    offset, limit = _page(call)
    page: dict[str, Any] = {name: list(items[offset : offset + limit])}
    if not items and cloud.settings.empty_style in ("null", "absent"):
        page = {name: None} if cloud.settings.empty_style == "null" else {}
    return {**page, "offset": offset, "limit": limit, "total": len(items)}


def _as_of(cloud: CloudState, call: Call, instance: DdmInstance) -> DdmInstance:
    """The instance as a request shows it, which may be an older state."""
    lag = call.hints.get("lag", cloud.settings.instance_lag)
    return cloud.as_of(instance, cloud.clock() - lag) if lag else instance


# Why an instance cannot be a target: OTC, "Querying Instances Available for Restoration (a V3 API)" and
# "Querying Data Nodes Available to Restore Data to a Point in Time (a V3 API)", and its user guide


def _instance_reason(target: DdmInstance) -> str:
    if target.status in ("FREEZING", "FROZEN"):
        return "The instance is frozen."
    if target.status != "RUNNING":
        return "Another operation is being performed on the instance."
    if target.accounts:
        return "The instance has ordinary accounts."
    if target.data_nodes:
        return "The instance has been associated with another data node."
    if _version(target.engine_version) < OLDEST_TARGET:
        return "The instance version is earlier than 3.0.8."
    return ""


def _node_reason(cloud: CloudState, node: DataNode, target: DdmInstance, source: DataNode) -> str:
    if node.engine_name != source.engine_name:
        return "The engine of the data node is different from that of the source data node."
    if node.status != "normal":
        return "The data node is abnormal."
    if node.vpc_name != target.vpc_name:
        return "The data node and the target instance are not in the same VPC."
    if cloud.owner(node.id) is not None:
        return "The data node has been associated with other instances."
    if node.read_only:
        return "The data node is read-only."
    if _version(node.version) < _version(source.version):
        return "The version of the data node is earlier than that of the source data node."
    return ""


# Writing the response


def _status_word(status: str) -> str:
    """These lists say 'normal' where the instance's own status is RUNNING (the examples of both pages)."""
    return "normal" if status == "RUNNING" else status


def _show_backup(cloud: CloudState, backup: DdmBackup) -> dict[str, Any]:
    instance = cloud.ddm_instances.get(backup.instance_id)
    return {
        "id": backup.id,
        "name": backup.name,
        "description": backup.description,
        "status": backup.status,
        "instance_id": backup.instance_id,
        "instance_name": instance.name if instance else "",
        "instance_status": _status_word(instance.status) if instance else "deleted",
        "file_size": backup.file_size,
        "created": iso_offset(backup.created),
        "updated": iso_offset(backup.updated),
        "backup_type": backup.backup_type,
    }


def _show_job(cloud: CloudState, call: Call, job: Job) -> dict[str, Any]:
    lag = call.hints.get("lag", cloud.settings.record_lag)
    if lag:
        job = cloud.record_as_of(job, cloud.clock() - lag)
    instance = cloud.ddm_instances.get(job.instance_id)
    return {
        "id": job.id,
        "name": job.name,
        "status": job.status,
        "created_time": iso_offset(job.created),
        # A job that still runs shows the time it was created: the example of "Querying Tasks (a V3 API)".
        "end_time": iso_offset(job.created if job.ended is None else job.ended),
        "process": job.process,
        "instance_id": job.instance_id,
        "instance_name": instance.name if instance else "",
    }


def _show_instance(cloud: CloudState, instance: DdmInstance) -> dict[str, Any]:
    """As GET /v1 .../instances/{id} shows it: OTC, "Querying Details of a DDM Instance (a V1 API)"."""
    return {
        "id": instance.id,
        "name": instance.name,
        "status": instance.status,
        "created": iso_offset(instance.created),
        "updated": iso_offset(instance.updated),
        "available_zone": "az1",
        "vpc_id": "8ac3e9c4-5d0a-4a63-9df2-8ff2a5e0e7a1",
        "subnet_id": "4e4b6f5a-91f3-41a4-9f22-5f1a3f8d3d2c",
        "security_group_id": "b2a7c1de-7f67-4f3e-9a55-6b2d9a1c0e0f",
        "node_count": 2,
        "access_ip": instance.access_ip,
        "access_port": str(instance.access_port),
        "node_status": "RUNNING",
        "core_count": "8",
        "ram_capacity": "16",
        "project_id": next(iter(cloud.projects), ""),
        "order_id": None,
        "enterprise_project_id": instance.enterprise_project_id,
        "engine_version": instance.engine_version,
        "nodes": [{"status": "RUNNING", "port": str(instance.access_port), "ip": instance.access_ip}],
        "admin_user_name": None,
        "enable_ssl": False,
    }


def _instance_page(cloud: CloudState, call: Call, total_name: str) -> dict[str, Any]:
    offset, limit = _page(call)
    found = list(cloud.ddm_instances.values())
    return {
        "instances": [_show_instance(cloud, _as_of(cloud, call, i)) for i in found[offset : offset + limit]],
        "instance_num": len(found),
        "page_no": offset // limit + 1,
        "page_size": limit,
        "total_page": -(-len(found) // limit),
        total_name: len(found),
    }


# The operations


def list_instances_v1(cloud: CloudState, call: Call) -> Response:
    """total_record: OTC, "Querying DDM Instances (a V1 API)"; version 3 has total in the SDK."""
    return Response(200, _instance_page(cloud, call, "total_record"))


def list_instances_v3(cloud: CloudState, call: Call) -> Response:
    return Response(200, _instance_page(cloud, call, "total"))


def show_instance_v1(cloud: CloudState, call: Call) -> Response:
    return Response(
        200, _show_instance(cloud, _as_of(cloud, call, _instance(cloud, call.path["instance_id"])))
    )


def show_instance_v3(cloud: CloudState, call: Call) -> Response:
    """v3 has other names for the same things, and a list even for one instance (the SDK's InstanceDetail)."""
    instance = _as_of(cloud, call, _instance(cloud, call.path["instance_id"]))
    detail = {
        "id": instance.id,
        "name": instance.name,
        "status": instance.status,
        "project_id": call.path["project_id"],
        "datastore_version": instance.engine_version,
        "datastore_type": "ddm",
        "create_at": iso_offset(instance.created),
        "update_at": iso_offset(instance.updated),
        "port": instance.access_port,
        "is_frozen": instance.status == "FROZEN",
        "actions": [{"action": "RESTORE"}] if instance.status == "RESTORE" else [],
        "enable_ssl": 0,
    }
    return Response(200, {"instances": [detail]})


def list_backups(cloud: CloudState, call: Call) -> Response:
    """The filters: the SDK's ListBackupsRequest."""
    query = call.query
    found = [
        b
        for b in cloud.ddm_backups.values()
        if query.get("instance_id") in (None, "", b.instance_id)
        and query.get("backup_name") in (None, "", b.name)
    ]
    found.sort(key=lambda b: b.id)  # no order is documented
    return Response(200, _paged(cloud, call, "backups", [_show_backup(cloud, b) for b in found]))


def show_backup(cloud: CloudState, call: Call) -> Response:
    """It has no status: OTC, "Querying Details About a Backup (a V3 API)"."""
    instance = _instance(cloud, call.path["instance_id"])
    backup = cloud.ddm_backups.get(call.path["backup_id"])
    if backup is None or backup.instance_id != instance.id:
        raise refuse(404, "DBS.201010", "The backup information does not exist.")
    nodes = [
        {"instance_id": node, "instance_name": cloud.data_nodes[node].name} for node in backup.data_nodes
    ]
    shown = {
        "id": backup.id,
        "name": backup.name,
        "instance_id": instance.id,
        "instance_name": instance.name,
        "related_data_nodes": nodes,
    }
    return Response(200, shown)


def restorable_intervals(cloud: CloudState, call: Call) -> Response:
    instance = _instance(cloud, call.path["instance_id"])
    found = [
        {"start_time": iso_offset(start), "end_time": iso_offset(end)}
        for start, end in cloud.intervals_of(instance.id)
    ]
    return Response(200, _paged(cloud, call, "restorable_time_intervals", found))


def related_data_nodes(cloud: CloudState, call: Call) -> Response:
    instance = _instance(cloud, call.path["instance_id"])
    _restore_point(cloud, call, instance.id)
    nodes = [cloud.data_nodes[node] for node in instance.data_nodes]
    found = [
        {
            "instance_id": node.id,
            "instance_name": node.name,
            "instance_status": node.status,
            "engine_name": node.engine_name,
            "data_volume_size": node.volume_size,
            "version": node.version,
        }
        for node in nodes
    ]
    latest = max(end for dummy, end in cloud.intervals_of(instance.id))
    return Response(
        200,
        {**_paged(cloud, call, "related_data_nodes", found), "latest_restorable_time": iso_offset(latest)},
    )


def restorable_instances(cloud: CloudState, call: Call) -> Response:
    source = _instance(cloud, call.path["instance_id"])
    found = []
    for target in cloud.ddm_instances.values():
        if target.id == source.id:
            continue
        shown = _as_of(cloud, call, target)
        reason = _instance_reason(shown)
        found.append(
            {
                "instance_id": target.id,
                "instance_name": target.name,
                "status": _status_word(shown.status),
                "available": not reason,
                "unavailable_reason": reason,
                "vpc_name": target.vpc_name,
            }
        )
    return Response(200, _paged(cloud, call, "instances", found))


def restorable_data_nodes(cloud: CloudState, call: Call) -> Response:
    source = _instance(cloud, call.path["instance_id"])
    target = _instance(cloud, call.query.get("target_instance_id", ""))
    source_node = cloud.data_nodes.get(call.query.get("source_dn_instance_id", ""))
    _restore_point(cloud, call, source.id)
    if source_node is None or source_node.id not in source.data_nodes:
        raise _bad_parameter()
    if _instance_reason(target):
        raise refuse(400, "DBS.300372", "Invalid destination DDM instance.")
    found = []
    for node in cloud.data_nodes.values():
        if node.id in source.data_nodes:
            continue
        reason = _node_reason(cloud, node, target, source_node)
        found.append(
            {
                "instance_id": node.id,
                "instance_name": node.name,
                "engine_name": node.engine_name,
                "status": node.status,
                "available": not reason,
                "unavailable_reason": reason,
                "vpc_name": node.vpc_name,
                "private_ip": node.private_ip,
            }
        )
    return Response(200, _paged(cloud, call, "target_data_nodes", found))


def _json_body(call: Call) -> dict[str, Any]:
    # OTC, "Restoring Data to a New Instance (a V3 API)" and "Status Codes"
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise refuse(415, "DBS.280001", "Unsupported media type.")
    try:
        body = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _bad_parameter()
    return body


def _member(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise _bad_parameter()
    return value


def _relations(body: dict[str, Any]) -> dict[str, str]:
    relations = body.get("data_node_relations")
    if not isinstance(relations, list):
        raise _bad_parameter()
    mapping: dict[str, str] = {}
    for relation in relations:
        if not isinstance(relation, dict):
            raise _bad_parameter()
        source, target = relation.get("source_instance_id"), relation.get("target_instance_id")
        if not isinstance(source, str) or not isinstance(target, str) or source in mapping:
            raise _bad_parameter()
        mapping[source] = target
    return mapping


def _start_job(
    cloud: CloudState,
    call: Call,
    source: DdmInstance,
    target: DdmInstance,
    nodes: list[str],
    kind: type[Job],
    **what: Any,
) -> Response:
    operation = cloud.operation(cloud.settings.restore_seconds, call.hints)
    job = kind(
        id=cloud.new_hex(),
        instance_id=(source if cloud.settings.job_instance == "source" else target).id,
        created=operation.started,
        visible_at=cloud.visible_from(call.hints),
        operation=operation,
        source_id=source.id,
        target_id=target.id,
        data_nodes=nodes,
        **what,
    )
    cloud.jobs[job.id] = job
    vars(target).update(job.busy(cloud.settings))
    for node in nodes:
        cloud.data_nodes[node].status = "Restoring"
    cloud.begin(job)
    return Response(202, {"job_id": job.id})


def _check_target(cloud: CloudState, source: DdmInstance, target_id: Any) -> DdmInstance:
    if not isinstance(target_id, str):
        raise _bad_parameter()
    target = cloud.ddm_instances.get(target_id)
    if target is None or target.id == source.id:
        raise refuse(400, "DBS.300372", "Invalid destination DDM instance.")
    for instance in (target, source):
        if instance.status not in ("RUNNING", "FROZEN", "FREEZING", "ERROR"):
            raise refuse(
                409,  # Terraform, services/ddm/common.go
                "DBS.200019",
                "Another operation is being performed on the instance or the instance is faulty.",
            )
    if _version(source.engine_version) < OLDEST_SOURCE or _instance_reason(target):
        raise refuse(400, "DBS.300372", "Invalid destination DDM instance.")
    return target


def recovery(cloud: CloudState, call: Call) -> Response:
    """The body: "Restoring Data to a New Instance (a V3 API)". Its source may be named, as OTC demands."""
    source = _instance(cloud, call.path["instance_id"])
    body = _json_body(call)
    origin = _member(body, "source")
    point = origin.get("restore_time")
    if (
        isinstance(point, bool)
        or not isinstance(point, (int, float))
        or origin.get("instance_id", source.id) != source.id
    ):
        raise _bad_parameter()
    mapping = _relations(body)
    target = _check_target(cloud, source, _member(body, "target").get("instance_id"))
    if not _restorable(cloud, source.id, point):
        raise refuse(400, "DBS.300377", "The time range is invalid.")
    if set(mapping) != set(source.data_nodes) or len(set(mapping.values())) != len(mapping):
        raise refuse(400, "DBS.300363", "The pre-check failed.")
    for source_id, target_id in mapping.items():
        node = cloud.data_nodes.get(target_id)
        if node is None or _node_reason(cloud, node, target, cloud.data_nodes[source_id]):
            raise refuse(400, "DBS.300363", "The pre-check failed.")
    what = {"name": cloud.settings.job_name, "restore_time": int(point), "relations": mapping}
    return _start_job(cloud, call, source, target, list(mapping.values()), Job, **what)


def metadata_recovery(cloud: CloudState, call: Call) -> Response:
    """The body: "Restoring Metadata (a V3 API)"."""
    source = _instance(cloud, call.path["instance_id"])
    body = _json_body(call)
    origin, destination = _member(body, "source"), _member(body, "target")
    point, backup_id = origin.get("restore_time"), origin.get("backup_id")
    nodes = destination.get("data_nodes")
    if (point is None) == (backup_id is None) or not isinstance(nodes, list) or not nodes:
        raise _bad_parameter()
    backup = cloud.ddm_backups.get(backup_id) if isinstance(backup_id, str) else None
    if backup_id is not None and (
        backup is None or (backup.instance_id, backup.status) != (source.id, "normal")
    ):
        raise refuse(400, "DBS.280214", "The backup does not exist.")
    if point is not None and (isinstance(point, bool) or not isinstance(point, (int, float))):
        raise _bad_parameter()
    target = _check_target(cloud, source, destination.get("instance_id"))
    found = [cloud.data_nodes.get(node) if isinstance(node, str) else None for node in nodes]
    if not all(node is not None and node.vpc_name == target.vpc_name for node in found):
        raise refuse(400, "DBS.300103", "The RDS instance does not exist or is in another VPC.")
    if any(node.status != "normal" or cloud.owner(node.id) is not None for node in found if node is not None):
        raise refuse(400, "DBS.300323", "The associated RDS instance is unavailable.")
    what = {"name": cloud.settings.metadata_job_name, "backup_id": backup_id}
    moment = None if point is None else int(point)
    return _start_job(cloud, call, source, target, nodes, MetadataJob, restore_time=moment, **what)


def show_job(cloud: CloudState, call: Call) -> Response:
    """OTC, "Obtaining Information About a Task with a Specified ID (a V3 API)", and "Error Codes"."""
    job = cloud.jobs.get(call.path["job_id"])
    if job is None or job.visible_at > cloud.clock():
        raise refuse(400, "DBS.300400", "The task does not exist.")
    shown = _show_job(cloud, call, job)
    instance = {"id": shown.pop("instance_id"), "name": shown.pop("instance_name")}
    return Response(200, {"job": {**shown, "instance": instance}})


def _reason(cloud: CloudState, call: Call, job: Job) -> str:
    lag = call.hints.get("lag", cloud.settings.record_lag)
    return (cloud.record_as_of(job, cloud.clock() - lag) if lag else job).fail_reason or ""


def list_jobs(cloud: CloudState, call: Call) -> Response:
    """The times, and fail_reason, which the detail lacks: "Querying Tasks (a V3 API)"."""
    start, end = _milliseconds(call, "start_time"), _milliseconds(call, "end_time")
    now = cloud.clock()
    if start > end or start < (now - JOB_DAYS * 86400) * 1000:
        raise refuse(400, "DBS.300377", "The time range is invalid.")
    found = [j for j in cloud.jobs.values() if j.visible_at <= now and start <= j.created * 1000 <= end]
    found.sort(key=lambda j: j.id)  # no order is documented
    extra = {"operations": [], "database_name": ""}
    return Response(
        200,
        _paged(
            cloud,
            call,
            "jobs",
            [{**_show_job(cloud, call, j), **extra, "fail_reason": _reason(cloud, call, j)} for j in found],
        ),
    )


_INSTANCES = "/{project_id}/instances"
_BACKUPS = "/v3" + _INSTANCES + "/{instance_id}/backups"
ROUTES = [
    Route("ddm.instances", "GET", "/v1" + _INSTANCES, list_instances_v1),
    Route("ddm.instances", "GET", "/v3" + _INSTANCES, list_instances_v3),
    Route("ddm.instance", "GET", "/v1" + _INSTANCES + "/{instance_id}", show_instance_v1),
    Route("ddm.instance", "GET", "/v3" + _INSTANCES + "/{instance_id}", show_instance_v3),
    Route("ddm.backups", "GET", "/v3/{project_id}/backups", list_backups),
    Route(
        "ddm.restorable_time_interval", "GET", _BACKUPS + "/restorable-time-interval", restorable_intervals
    ),
    Route("ddm.related_dn", "GET", _BACKUPS + "/related-dn", related_data_nodes),
    Route("ddm.restorable_instances", "GET", _BACKUPS + "/restorable-instances", restorable_instances),
    Route("ddm.restorable_data_node", "GET", _BACKUPS + "/restorable-data-node", restorable_data_nodes),
    Route("ddm.backup", "GET", _BACKUPS + "/{backup_id}", show_backup),
    Route("ddm.recovery", "POST", _BACKUPS + "/recovery", recovery),
    Route("ddm.metadata_recovery", "POST", _BACKUPS + "/metadata-recovery", metadata_recovery),
    Route("ddm.job", "GET", "/v3/{project_id}/jobs/{job_id}", show_job),
    Route("ddm.jobs", "GET", "/v3/{project_id}/jobs", list_jobs),
]
PART = Part(
    "ddm",
    ROUTES,
    refuse,
    codes={
        "DCS.5000": "DBS.200412",
        "DCS.2003": "DBS.200010",
        "DCS.3022": "DBS.200002",
        "DCS.4062": "DBS.280001",
        "DCS.4097": "DBS.200019",
    },
    stranger=(
        (403, "DBS.200010", "Resource not found or permission denied."),
        (400, "DBS.280001", "Parameter error."),
    ),
    busy=409,
    failure="The data node could not be restored.",
    totals=("total", "total_record", "instance_num"),
    error=_error,
)
