# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns an operation into a task's result, in the same way for every restore, recovery and backup."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
    Row,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import (
    decide,
    only,
    start,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import (
    UNMARKED,
    wait_until,
)

Params = t.Mapping[str, t.Any]


def plan(
    operation: Operation,
    observed: Observation,
    cloud: Cloud,
    params: Params,
    before: Row,
    after: Row,
    **known: t.Any,
) -> Plan:
    """Return the plan that follows from an observation.

    `known` are further keys of the result, `before` and `after` its diff.

    Raises the operation's refusal when something else holds the instance. When a request would be sent, it
    raises what check() raises.
    """
    observed = confirmed(operation, observed)
    step = decide(observed)
    found = observed.running[0] if observed.running else observed.done
    result = {
        operation.id_key: found,
        operation.record_key: observed.record(found),
        "adopted": step == "adopt",
        "planned_at": iso(cloud.now_ms()),
        **known,
    }
    if step == "unchanged":
        return Plan({**result, "outcome": "unchanged"})
    if step == "refuse":
        raise operation.refusal(observed)
    if step == "adopt":
        only(operation, observed.running)
    if step == "send":
        operation.check()
    warnings = known.get("warnings", [])
    return Plan(
        {**result, "outcome": "planned"},
        before,
        after,
        lambda: run(operation, observed, cloud, params, warnings),
    )


def confirmed(operation: Operation, observed: Observation) -> Observation:
    """Return a second observation when this one says that all is done.

    A status can be old, and a list can leave out a newer record once.
    """
    return operation.observe() if decide(observed) == "unchanged" else observed


def run(
    operation: Operation, planned: Observation, cloud: Cloud, params: Params, warnings: t.Sequence[str] = ()
) -> Row:
    """Start or adopt the operation, wait for it if the task wants that, and return the result's keys.

    `warnings` are those of the plan. Every error after the start carries the ID of the operation.
    """
    clock = cloud.clock
    deadline = cloud.session.deadline or clock.monotonic() + params["wait_timeout"]  # since the task began
    started = start(operation, planned, cloud, deadline - clock.monotonic())
    watch = replace(operation.watch(started.id), adopted=started.adopted)
    cloud.progress([watch])
    if params["wait"]:
        left = deadline - clock.monotonic()
        wait_until([watch], left, params["poll_interval"], clock, cloud.progress)
    cloud.session.deadline = None
    if watch.error is not None:
        raise watch.error
    status = watch.last
    result: Row = {
        operation.id_key: started.id,
        operation.record_key: status.record if status else started.record,
        "adopted": started.adopted,
        "outcome": "succeeded" if status else "started",
    }
    if status and not started.adopted and not operation.echoed(status.record):
        result.update(marker_echoed=False, warnings=[*warnings, f"{operation.name}: {UNMARKED}"])
    return result
