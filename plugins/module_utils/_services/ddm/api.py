# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DDM (Distributed Database Middleware), API v3 and v1: one method, one call that reads.

docs/api.md has the source of each fact.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import BRIEF, Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotFound, ProtocolError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.paging import (
    Listing,
    OnMalformed,
    Page,
    collect,
    page_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    items,
    newest_first,
    number,
    require_id,
    row,
    same_id,
    text,
    whole,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.codes import CODES

Row = t.Dict[str, t.Any]
LIMIT = 128  # documented: 1 to 128
TOTALS = ("total", "total_record", "instance_num")  # the names that the versions of the API give it
BACKUP_FIELDS = [
    "name",
    "description",
    "instance_id",
    "instance_name",
    "instance_status",
    "created",
    "updated",
    "backup_type",
]
NETWORK = ["vpc_id", "subnet_id", "security_group_id", "access_ip", "access_port"]
INSTANCE_FIELDS = ["name", "engine_version", "available_zone", *NETWORK, "created", "updated", "error_msg"]
JOB_FIELDS = [
    "name",
    "created_time",
    "end_time",
    "process",
    "instance_id",
    "instance_name",
    "database_name",
    "fail_reason",
]
TARGET_FIELDS = ["instance_name", "status", "unavailable_reason", "vpc_name"]


class Ddm:
    """The DDM service of one project.

    Methods return plain dicts with every key set; they raise CloudError.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self.redactor = cloud, cloud.redactor
        self.warn, self.now = cloud.warn, cloud.now_ms

    def brief(self) -> Ddm:
        """Return the same service for a read of names that are only shown."""
        return Ddm(self._cloud.clone(BRIEF))

    def memoized(self, what: str, read: t.Callable[[], list[Row]]) -> list[Row]:
        """Return the result of read(), which is called once for all plans of a task."""
        return self._cloud.memoized(f"DDM {what}", read)

    def backups(self, instance_id: str | None = None) -> list[Row]:
        """Return the metadata backups of the project or of one instance (ListBackups), newest first.

        Only the SDK has the filter, so both sides apply it.
        """
        listing = Listing("backups", "backups", "id", _backup)
        found = self._list(("backups",), listing, {"instance_id": instance_id})
        own = [item for item in found if same_id(instance_id or item["instance_id"], item["instance_id"])]
        return newest_first(own, "created")

    def backup(self, instance_id: str, backup_id: str) -> Row:
        """Return {id, name, instance_id, instance_name, related_data_nodes[]} of one backup (ShowBackup).

        It has no status; only the list has one.
        """
        about = f"DDM backup {backup_id} of instance {instance_id}"
        body = self._get("instances", instance_id, "backups", backup_id, about=about).body
        none = isinstance(body, dict) and "related_data_nodes" in body and not body["related_data_nodes"]
        listed = items(body, "related_data_nodes", 0 if none else None)
        nodes = [row(node, ("instance_id",), ("instance_name",)) for node in listed]
        found = require_id(row(body, ("id",), ("name", "instance_id", "instance_name")), "id", backup_id)
        return {**found, "related_data_nodes": nodes}

    def restorable_time_intervals(self, instance_id: str) -> list[Row]:
        """Return the intervals {start_time, end_time} to which one can restore (ShowAvalibleTime)."""
        listing = Listing(
            "restorable intervals",
            "restorable_time_intervals",
            "start_time",
            lambda item: row(item, ("start_time", "end_time")),
        )
        return self._list(self._of(instance_id, "restorable-time-interval"), listing)

    def related_data_nodes(self, instance_id: str, restore_time: int) -> tuple[list[Row], str | None]:
        """Return an instance's data nodes at a time (epoch ms), and the latest restorable time.

        The call is ShowRelatedDns.
        """
        latest: list[str | None] = [None]

        def node(item: t.Any) -> Row:
            return {
                **row(item, ("instance_id",), ("instance_name", "instance_status", "engine_name", "version")),
                "data_volume_size": whole(item.get("data_volume_size")),
            }

        def note(body: t.Any) -> None:
            latest[0] = text(body.get("latest_restorable_time"))

        listing = Listing("data nodes", "related_data_nodes", "instance_id", node)
        path = self._of(instance_id, "related-dn")
        return self._list(path, listing, {"restore_time": restore_time}, note), latest[0]

    def restorable_instances(self, instance_id: str, wanted: str | None = None) -> list[Row]:
        """Return the possible targets of a restore, unavailable ones with the reason (ShowAvalibleDdms).

        A malformed item is left out with a warning, but is an error when the `wanted` instance is not among
        the others: it could be that one.
        """
        malformed: list[ProtocolError] = []
        listing = Listing(
            "restorable instances",
            "instances",
            "instance_id",
            lambda item: _target(item, TARGET_FIELDS),
            malformed.append,
        )
        found = self._list(self._of(instance_id, "restorable-instances"), listing)
        if malformed and wanted is not None and not any(same_id(one["instance_id"], wanted) for one in found):
            raise malformed[0]
        for error in malformed:
            self._left_out("restorable instances")(error)
        return found

    def _left_out(self, what: str) -> OnMalformed:
        return lambda error: self.warn(f"One of the {what} is left out: {error}")

    def restorable_data_nodes(
        self, instance_id: str, target_instance_id: str, source_data_node: str, restore_time: int
    ) -> list[Row]:
        """Return the target's data nodes for one source data node, unusable ones with the reason.

        The call is ShowAvalibleRds.
        """
        query = {
            "target_instance_id": target_instance_id,
            "source_dn_instance_id": source_data_node,
            "restore_time": restore_time,
        }
        fields = ["engine_name", "private_ip", *TARGET_FIELDS]
        listing = Listing(
            "target data nodes",
            "target_data_nodes",
            "instance_id",
            lambda item: _target(item, fields),
            self._left_out("target data nodes"),
        )
        return self._list(self._of(instance_id, "restorable-data-node"), listing, query)

    def send(self, instance_id: str, call: str, body: Row) -> Reply:
        """Send a POST about the backups of an instance, once: 202 {job_id}."""
        return self._cloud.post_once("ddm", "v3", *self._of(instance_id, call), body=body, known=CODES)

    def job(self, job_id: str) -> Row:
        """Return one job (ShowDdmJobResult).

        It never has a fail_reason; only the list has one. Raises NotFound for 404 and DBS.300400.
        """
        body = self._get("jobs", job_id).body
        found = body.get("job") if isinstance(body, dict) else None
        if isinstance(body, dict) and not found:
            raise NotFound(f"The response has no job {job_id}.")
        return require_id(_job(found), "id", job_id)

    def jobs(self, begin: int, end: int) -> list[Row]:
        """Return the jobs created between two times (ListTasks; epoch ms, of 30 days), newest first."""
        between = {"start_time": begin, "end_time": end}
        found = self._list(("jobs",), Listing("jobs", "jobs", "id", _job), between)
        return newest_first(found, "created_time")

    def instance(self, instance_id: str) -> Row:
        """Return one instance (v1 ShowInstance: the fields that versions and waits rest on)."""
        return require_id(
            _instance(self._get("instances", instance_id, version="v1").body), "id", instance_id
        )

    def instances(self, names: t.Sequence[str] = (), on_malformed: OnMalformed | None = None) -> list[Row]:
        """Return all instances (v1 ListInstances). There is no name filter.

        A malformed item is left out, and reported to on_malformed(error) or in a warning. But one that could
        have one of the wanted `names` is an error.
        """
        left_out = on_malformed or self._left_out("instances")
        listing = Listing("instances", "instances", "id", _instance, left_out, names)
        return self._list(("instances",), listing, version="v1")

    def _of(self, instance_id: str, call: str) -> tuple[str, ...]:
        return "instances", instance_id, "backups", call

    def _get(
        self,
        *path: str,
        version: str = "v3",
        query: t.Mapping[str, t.Any] | None = None,
        about: str | None = None,
    ) -> Reply:
        return self._cloud.get("ddm", version, *path, query=query, known=CODES, about=about)

    def _list(
        self,
        path: tuple[str, ...],
        listing: Listing,
        query: t.Mapping[str, t.Any] | None = None,
        note: t.Callable[[t.Any], None] = lambda body: None,
        version: str = "v3",
    ) -> list[Row]:
        def fetch(offset: int, limit: int) -> Page:
            paged = {**(query or {}), "offset": offset, "limit": limit}
            reply = self._get(*path, version=version, query=paged)
            found = page_of(reply, listing, TOTALS)
            if isinstance(reply.body, dict):
                note(reply.body)
            return found

        return collect(fetch, LIMIT, listing.identity, listing.what)


def with_instance_id(instance: t.Mapping[str, t.Any]) -> Row:
    """Return an instance with its ID under instance_id, as everywhere else."""
    return {
        "instance_id": instance["id"],
        **{name: value for name, value in instance.items() if name != "id"},
    }


def _backup(item: t.Any) -> Row:
    found = row(item, ("id", "status"), BACKUP_FIELDS)
    return {
        **found,
        "file_size": number(item.get("file_size")),
        "related_data_nodes": None,
    }


def _target(item: t.Any, fields: t.Sequence[str]) -> Row:
    # Only a true boolean counts: "true" or 1 is no consent to overwrite.
    return {**row(item, ("instance_id",), fields), "available": item.get("available") is True}


def _job(item: t.Any) -> Row:
    found = row(item, ("id", "status"), JOB_FIELDS)
    instance = item.get("instance")
    if isinstance(instance, dict):  # The detail call nests fields that are flat in the list.
        found.update(instance_id=text(instance.get("id")), instance_name=text(instance.get("name")))
    operations = item.get("operations")
    return {
        **found,
        "operations": [str(name) for name in operations] if isinstance(operations, list) else None,
    }


def _instance(item: t.Any) -> Row:
    found = row(item, ("id", "status"), INSTANCE_FIELDS)
    nodes = item.get("nodes") if isinstance(item.get("nodes"), list) else []
    fields = ("node_id", "group_id", "status", "ip", "port")
    listed = [row(node, (), fields) for node in nodes if isinstance(node, dict)]
    return {
        **found,
        "node_count": whole(item.get("node_count")),
        "enterprise_project_id": text(item.get("enterprise_project_id")),
        "nodes": listed,
    }
