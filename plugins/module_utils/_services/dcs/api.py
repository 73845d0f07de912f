# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS (Distributed Cache Service, Redis), API v2: one method, one call that reads.

docs/api.md has the source of each fact.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.paging import (
    Listing,
    OnMalformed,
    Page,
    collect,
    page_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    flag,
    newest_first,
    number,
    require_id,
    row,
    same_id,
    text,
    whole,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.codes import CODES

Row = t.Dict[str, t.Any]
LIMIT = 1000  # documented: 1 to 1000
TOTALS = ("total_num", "instance_num")
NETWORK = ["ip", "domain_name", "vpc_id", "vpc_name", "subnet_id", "security_group_id"]
MODES = ("single", "ha", "cluster", "proxy")
INSTANCE_FIELDS = [
    "engine",
    "engine_version",
    "cache_mode",
    "capacity_minor",
    "spec_code",
    "enterprise_project_id",
    *NETWORK,
    "created_at",
    "updated_at",
]
BACKUP_FIELDS = [
    "period",
    "backup_type",
    "backup_format",
    "progress",
    "error_code",
    "remark",
    "updated_at",
    "execution_at",
]
RESTORE_FIELDS = [
    "restore_name",
    "backup_name",
    "progress",
    "updated_at",
    "restore_remark",
    "backup_remark",
    "error_code",
]


class Dcs:
    """The DCS service of one project.

    Methods return plain dicts with every key set; they raise CloudError.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self.redactor = cloud, cloud.redactor
        self.warn, self.now = cloud.warn, cloud.now_ms

    def instance(self, instance_id: str) -> Row:
        """Return one instance (ShowInstance).

        `task` is the operation under way, if any. The status can stay RUNNING during it.
        """
        return require_id(_instance(self._get("instances", instance_id).body), "instance_id", instance_id)

    def instances(
        self,
        name: str | None = None,
        status: str | None = None,
        with_failed: bool = False,
        on_malformed: OnMalformed | None = None,
    ) -> list[Row]:
        """Return all instances (ListInstances), of exactly this name and status where given.

        `with_failed`: also those whose creation failed. The list has no `task`, and shows the mode only in
        the code of the specification. A malformed item is left out, and reported to on_malformed(error) or in
        a warning. But one that could have the wanted `name` is an error.
        """
        query = {
            # The service may spell other letters otherwise.
            **({"name": name, "name_equal": "true"} if name and name.isascii() else {}),
            "status": status,
            "include_failure": "true" if with_failed else None,
        }
        left_out = on_malformed or (lambda error: self.warn(f"One of the instances is left out: {error}"))
        named = [name] if name else ()
        listing = Listing("instances", "instances", "instance_id", _instance, left_out, named)
        found = self._list(("instances",), listing, query)
        return [item for item in found if name in (None, item["name"]) and status in (None, item["status"])]

    def backups(self, instance_id: str, until: str | None = None) -> list[Row]:
        """Return all backup records of an instance (ListBackupRecords), newest first; [] for 204.

        `until` ends the reading with this record. One that names another instance is left out with a warning.
        """
        what = f"backups of {instance_id}"
        listing = Listing(what, "backup_record_response", "backup_id", _backup)
        found = self._list(("instances", instance_id, "backups"), listing, until=until)
        own = [item for item in found if same_id(item["instance_id"] or instance_id, instance_id)]
        for item in (item for item in found if item not in own):
            other = self.redactor.printable(item["instance_id"], 64)
            self.warn(
                f"Backup {item['backup_id']} is among the {what}, but is one of {other}: it is left out."
            )
        return newest_first(own, "created_at")

    def restores(self, instance_id: str, until: str | None = None) -> list[Row]:
        """Return the restore records of an instance (ListRestoreRecords) in the same way.

        There is no server-side filter: if the server reads a time in another zone, it would silently hide
        records.
        """
        what = f"restore records of {instance_id}"
        listing = Listing(what, "restore_record_response", "restore_id", _restore)
        found = self._list(("instances", instance_id, "restores"), listing, until=until)
        return newest_first(found, "created_at")

    def send(self, instance_id: str, call: str, body: Row) -> Reply:
        """Send a POST to an instance, once: 200 with the ID of the record means accepted, not done."""
        return self._cloud.post_once("dcs", "v2", "instances", instance_id, call, body=body, known=CODES)

    def _get(self, *path: str, query: t.Mapping[str, t.Any] | None = None) -> Reply:
        return self._cloud.get("dcs", "v2", *path, query=query, known=CODES)

    def _list(
        self,
        path: tuple[str, ...],
        listing: Listing,
        query: t.Mapping[str, t.Any] | None = None,
        until: str | None = None,
    ) -> list[Row]:
        def fetch(offset: int, limit: int) -> Page:
            reply = self._get(*path, query={**(query or {}), "offset": offset, "limit": limit})
            return page_of(reply, listing, TOTALS)

        return collect(fetch, LIMIT, listing.identity, listing.what, until)


def _instance(item: t.Any) -> Row:
    found = row(item, ("instance_id", "status"), ["name", *INSTANCE_FIELDS])
    found["updated_at"] = found["updated_at"] or text(item.get("update_at"))  # in the detail call
    task = item.get("task")
    name = (task.get("name") or task.get("status")) if isinstance(task, dict) else task
    found["task"] = text(name) or ("unnamed" if isinstance(task, (dict, list)) and task else None)
    found["cache_mode"] = found["cache_mode"] or mode_of(found["spec_code"])
    if found["security_group_id"] == "securityGroupId":  # a placeholder of the list
        found["security_group_id"] = None
    return {
        **found,
        **{name: whole(item.get(name)) for name in ("port", "max_memory", "used_memory")},
        "capacity": number(item.get("capacity")),  # GB: 0.125 for the smallest
        "no_password_access": flag(item.get("no_password_access")),
        "enable_ssl": flag(item.get("enable_ssl")),
        "tags": tags_of(item.get("tags")),
    }


def mode_of(spec_code: str | None) -> str | None:
    """Return the cache mode in a code such as redis.ha.xu1.large.r2.2, or None."""
    return next((part for part in (spec_code or "").split(".")[1:2] if part in MODES), None)


def tags_of(value: t.Any) -> dict[str, str] | None:
    """Return tags, a list of {key, value} in the API, as a dict; None if they cannot be read.

    A tag may have no value. Ansible obeys keys such as __ansible_type wherever they are: one such tag would
    spoil the whole result.
    """
    if isinstance(value, dict):
        value = [{"key": key, "value": inner} for key, inner in value.items()]
    listed = [] if value in (None, "") else value
    if not isinstance(listed, list) or not all(isinstance(tag, dict) for tag in listed):
        return None  # unknown: the instance may have the tag that protects it
    pairs = [(text(tag.get("key")), text(tag.get("value"))) for tag in listed]
    return {key: value or "" for key, value in pairs if key and not re.match("_+ansible", key)}


def _backup(item: t.Any) -> Row:
    found = row(item, ("backup_id", "status"), ["backup_name", "instance_id", *BACKUP_FIELDS], ["created_at"])
    return {
        **found,
        "size": whole(item.get("size")),
        "is_support_restore": flag(item.get("is_support_restore")),
    }


def _restore(item: t.Any) -> Row:
    return row(item, ("restore_id", "status"), RESTORE_FIELDS, ["backup_id", "created_at"])
