# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A recovery of DDM metadata for data nodes that RDS has already restored, and the plan of
ddm_metadata_recovery.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    NotFound,
    NotRestorable,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import (
    check_not_future,
    is_latest,
    point_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    is_id,
    iso,
    moment,
    same_id,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import plain
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import attach, facts, named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    Pair,
    PairOperation,
    check_pair,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    jobs_for_plans,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import (
    is_metadata,
    may_be_metadata,
)

OPTIONS: Spec = {
    **named.OPTIONS,
    "restore_time": {"type": "str"},
    "backup_id": {"type": "str"},
    "timezone": {"type": "str"},
    "data_nodes": {"type": "list", "elements": "str"},
    **attach.OPTIONS,
}
POINT_OPTIONS = ("restore_time", "backup_id")
RULES = {**attach.RULES, "mutually_exclusive": [*attach.RULES["mutually_exclusive"], POINT_OPTIONS]}


@dataclass(frozen=True)
class DdmMetadata(PairOperation):
    """Restore the metadata of a pair's source on its target, for data nodes already restored by RDS.

    `point` is {restore_time} (epoch ms) or {backup_id}, `data_nodes` the IDs of those RDS instances.
    """

    point: Row
    data_nodes: tuple[str, ...]

    @property
    def about(self) -> Row:
        """The same, and the backup or the point in time."""
        return {**super().about, **self.point}

    def post(self) -> Reply:
        """Send the recovery (RestoreMetadata)."""
        target = {"instance_id": self.pair.target, "data_nodes": list(self.data_nodes)}
        return self.pair.ddm.send(
            self.pair.source, "metadata-recovery", {"source": self.point, "target": target}
        )


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Decide from the metadata backups of the source, the target's availability and the jobs of the pair."""
    check_data_nodes(params["data_nodes"] or ())
    attach.check_options(params)
    requested = point_of(params, "restore_time", cloud)
    attached = params["job_id"] or params["adopt"]
    if not attached and (not any(params[name] for name in POINT_OPTIONS) or not params["data_nodes"]):
        raise InvalidArgument(
            "Give restore_time or backup_id, and data_nodes, unless job_id or adopt attaches to a job."
        )
    if is_latest(params["restore_time"]):
        raise InvalidArgument(
            "restore_time cannot be latest here. Give the time to which RDS has restored the data nodes."
        )
    ddm = Ddm(cloud)
    names = named.ids_of(ddm, params)
    known = {"data_nodes": params["data_nodes"], "restore_time": requested, "backup": None}
    if attached:
        return attach.attach(cloud, params, names, (is_metadata, may_be_metadata), requested, **known)
    source, target = t.cast(str, names.source), t.cast(str, names.target)
    check_pair(names)
    backup = backup_of(ddm, source, params["backup_id"], requested)
    point: Row = {"restore_time": requested} if requested is not None else {"backup_id": backup["id"]}
    pair = Pair(ddm, source, target, is_metadata)
    observed = pair.observe(jobs_for_plans)
    pair = replace(pair, target=observed.target["instance_id"])  # as the service spells it
    title = facts.operation_name("Metadata recovery", names, observed)
    operation = DdmMetadata(title, pair, point, tuple(params["data_nodes"]))
    time = requested if requested is not None else moment(backup["created"])
    known = {**facts.of_plan(ddm, names, observed, time), **known, "backup": backup}
    what = f"backup {backup['id']}" if requested is None else iso(requested)
    overwritten, restored = facts.difference(known, what)
    before = {**overwritten, "metadata": "what is in it now"}
    after = {**overwritten, "metadata": restored, "data_nodes": params["data_nodes"]}
    return run.plan(operation, observed, cloud, params, before, after, **known)


def check_data_nodes(data_nodes: t.Sequence[str]) -> None:
    """Raise InvalidArgument for a data node that is not an ID."""
    for node in data_nodes:
        if not is_id(node):
            raise InvalidArgument(f"data_nodes has {quoted(node)}, which is not an ID.")


def backup_of(ddm: Ddm, source: str, backup_id: str | None, requested: int | None) -> Row:
    """Return the metadata backup with an ID, or the nearest to a time, which the service will restore.

    Raises NotFound, NotRestorable.
    """
    backups = named.of_source(source, ddm.backups)
    if requested is not None:
        check_not_future(requested, "restore_time", ddm.now())
        dated = [
            row for row in backups if plain(row["status"]) == "normal" and moment(row["created"]) is not None
        ]
        if not dated:
            raise NotRestorable(f"DDM instance {source} has no usable metadata backup.")
        return min(dated, key=lambda row: abs((moment(row["created"]) or 0) - requested))
    found = next((row for row in backups if same_id(row["id"], backup_id)), None)
    if found is None:
        newest = "; ".join(f"{row['id']} of {row['created']}" for row in backups[:3]) or "none"
        raise NotFound(
            f"Backup {backup_id} is not among the metadata backups of DDM instance {source}. The newest "
            f"ones: {newest}."
        )
    if plain(found["status"]) != "normal":
        raise NotRestorable(f"Backup {backup_id} cannot be restored: its status is {found['status']}.")
    return found
