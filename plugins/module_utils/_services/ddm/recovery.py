# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DDM recovery, and the plan of ddm_recovery, for the module and for code that restores several."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import (
    check_not_future,
    point_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import run
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import Operation
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm import attach, facts, named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.data_nodes import (
    check_time,
    latest_time,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.mapping import (
    choose_relations,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    Pair,
    PairOperation,
    check_pair,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import (
    jobs_for_plans,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import is_restore

RELATION: Spec = {
    "source_instance_id": {"type": "str", "required": True},
    "target_instance_id": {"type": "str", "required": True},
}
OPTIONS: Spec = {
    **named.OPTIONS,
    "restore_time": {"type": "str"},
    "timezone": {"type": "str"},
    "data_node_relations": {"type": "list", "elements": "dict", "options": RELATION},
    **attach.OPTIONS,
}
RULES = attach.RULES
PARAMETER_ERROR = "DBS.280001"
OF_EARLIER_JOB: Row = {"data_node_relations": None, "restore_time": None}  # for the job of an earlier run


@dataclass(frozen=True)
class DdmRecovery(PairOperation):
    """Restore the source of a pair to a point in time (epoch ms) on its target, data node by data node.

    `with_source`: name the source in the body, too. Some servers require that (docs.otc.t-systems.com,
    "Restoring Data to an Existing Instance"), others document no such field.
    """

    restore_time: int
    relations: tuple[Row, ...] = ()
    with_source: bool = False

    @property
    def about(self) -> Row:
        """The same, and the point in time."""
        return {**super().about, "restore_time": self.restore_time}

    def post(self) -> Reply:
        """Send the recovery (Restore2Exist)."""
        source: Row = {"restore_time": self.restore_time}
        if self.with_source:
            source["instance_id"] = self.pair.source
        body = {
            "source": source,
            "target": {"instance_id": self.pair.target},
            "data_node_relations": list(self.relations),
        }
        return self.pair.ddm.send(self.pair.source, "recovery", body)

    def amended(self, error: CloudError) -> Operation | None:
        """Return the recovery with its source in the body, for a server that refused it without."""
        if self.with_source or not isinstance(error, ApiError) or error.status != 400:
            return None
        return replace(self, with_source=True) if error.facts["error_code"] == PARAMETER_ERROR else None


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Decide from the restorable intervals, the target's availability, and the pair's data nodes and jobs."""
    attach.check_options(params)
    attached = params["job_id"] or params["adopt"]
    if params["restore_time"] is None and not attached:
        raise InvalidArgument("Give restore_time, unless job_id or adopt attaches to a job.")
    requested, ddm = point_of(params, "restore_time", cloud), Ddm(cloud)
    names = named.ids_of(ddm, params)
    if attached:
        return attach.attach(cloud, params, names, (is_restore,), requested, **OF_EARLIER_JOB)
    source, target = t.cast(str, names.source), t.cast(str, names.target)
    check_pair(names)
    intervals = named.of_source(source, ddm.restorable_time_intervals)
    if requested is not None:
        check_not_future(requested, "restore_time", ddm.now())
    restore_time = latest_time(ddm, intervals) if requested is None else requested
    check_time(intervals, restore_time)
    pair = Pair(ddm, source, target)
    observed = pair.observe(jobs_for_plans)
    pair = replace(pair, target=observed.target["instance_id"])  # as the service spells it
    operation = DdmRecovery(facts.operation_name("Recovery", names, observed), pair, restore_time)
    if observed.blocked:
        raise operation.refusal(observed)
    relations = choose_relations(ddm, source, pair.target, restore_time, params["data_node_relations"])
    operation = replace(operation, relations=tuple(relations))
    known = {
        **facts.of_plan(ddm, names, observed, restore_time),
        "data_node_relations": relations,
        "restore_time": restore_time,
    }
    overwritten, restored = facts.difference(known, iso(restore_time))
    before = {**overwritten, "data": "what is in it and in its data nodes now"}
    nodes = {row["target_instance_id"]: row["source_instance_id"] for row in relations}
    after = {**overwritten, "data": restored, "data_nodes": nodes}
    return run.plan(operation, observed, cloud, params, before, after, **known)
