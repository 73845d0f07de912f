# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting many restores in one task: the plans of dcs_restore and ddm_recovery, made and applied on a few threads. Private to this collection.

First every plan is made, then those that can be are applied. Each restore goes through the protocol on its own, and fails alone.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
    NotRestorable,
    OutcomeUnknown,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.parallel import (
    THREADS,
    clouds_for,
    spread,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan, Result, execute
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import answered, check, run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import (
    SERVICES,
    entry_options,
)

Entry = dict[str, t.Any]
OPTIONS: dict[str, t.Any] = {
    "restores": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "service": {"type": "str", "choices": list(SERVICES), "required": True},
            "region": {"type": "str"},
            **entry_options(),
        },
    },
    "start_timeout": {"type": "int", "default": 1800},
}
ROW = (
    "outcome",
    "adopted",
    "restore_id",
    "restore",
    "backup",
    "job_id",
    "job",
    "data_node_relations",
    "restore_time",
    "error_kind",
    "msg",
)
SHOWN = 5  # reasons in the message; the results have all


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Plan each restore; apply() starts those whose plan could be made."""
    entries, clouds = params["restores"], clouds_for(cloud, params["restores"])
    plans: dict[int, Plan] = {}
    repeated = twice(entries)

    def decide(number: int) -> Result:
        service, options = SERVICES[entries[number]["service"]], request(entries[number], repeated)
        plans[number] = service.plan(
            clouds[number], {**options, "wait": False, "wait_timeout": params["start_timeout"]}
        )
        return execute(plans[number], dry_run=True)

    def each(work: t.Callable[[int], Result], groups: t.Sequence[t.Sequence[int]]) -> list[Result]:
        def one(number: int) -> Result:
            clouds[number].session.deadline = cloud.clock.monotonic() + params["start_timeout"]
            return answered(
                lambda: work(number), lambda: clouds[number].posted, starts=True, redactor=cloud.redactor
            )

        rows = spread(lambda group: {number: one(number) for number in groups[group]}, len(groups), THREADS)
        found = {number: row for group in rows for number, row in group.items()}
        return [found[number] for number in range(len(entries))]

    planned = each(decide, [[number] for number in range(len(entries))])
    for number, row in clashes(entries, planned):
        planned[number] = row
        del plans[number]

    def begin(number: int) -> Result:
        return execute(plans[number], dry_run=False) if number in plans else planned[number]

    def apply() -> Result:
        cloud.posted = True
        return summary(entries, each(begin, in_turn(entries)))

    return Plan(summary(entries, planned), apply=apply if any(one.apply for one in plans.values()) else None)


def request(entry: Entry, repeated: set[str]) -> Entry:
    """Return an entry as the options of its module. Raises InvalidArgument when they cannot be right, or when it is one of several."""
    service, target = SERVICES[entry["service"]], overwritten(entry)
    if target in repeated:
        raise InvalidArgument(
            f"{target} is named more than once in restores: which entry is meant cannot be known."
        )
    foreign = [
        name
        for name, value in entry.items()
        if value is not None and name not in ("service", "region", *service.options)
    ]
    if foreign:
        raise InvalidArgument(f"{', '.join(foreign)} cannot be used with service {entry['service']}.")
    options = {name: entry.get(name) for name in service.options}
    check(options, service.options, service.rules)
    return options


def overwritten(entry: Entry) -> str | None:
    """Return the id of the instance whose data an entry overwrites, or of the job that does it."""
    return SERVICES[entry["service"]].overwritten(entry)


def twice(entries: t.Sequence[Entry]) -> set[str]:
    """Return what more than one entry would overwrite."""
    return {found for found, count in Counter(map(overwritten, entries)).items() if found and count > 1}


def in_turn(entries: t.Sequence[Entry]) -> list[list[int]]:
    """Return the numbers of the entries, together those that start one after the other: the jobs of one DDM source can be taken for each other."""
    groups: dict[t.Any, list[int]] = {}
    for number, entry in enumerate(entries):
        turn = SERVICES[entry["service"]].turn(entry)
        groups.setdefault(number if turn is None else turn, []).append(number)
    return list(groups.values())


def taken_twice(answers: t.Sequence[Result]) -> list[Result]:
    """Return the answers; of those with one job between them, the adopted ones are not known to be what they were to be."""
    jobs = Counter(answer["job_id"] for answer in answers if answer.get("job_id"))
    text = "The answer was lost, and the job that was found, {}, is that of another of these restores. Look at the instance before anything else."
    return [
        failure(OutcomeUnknown(text.format(answer["job_id"])))
        if answer.get("adopted") and jobs[answer.get("job_id")] > 1
        else answer
        for answer in answers
    ]


def failure(error: CloudError) -> Result:
    """Return the answer for an error."""
    return {"failed": True, "msg": str(error), **error.details()}


def clashes(entries: t.Sequence[Entry], planned: t.Sequence[Result]) -> t.Iterator[tuple[int, Result]]:
    """Yield the refusals of plans that would overwrite a data node which a plan before them takes."""
    taken: dict[str, str] = {}
    for number, row in enumerate(planned):
        nodes = [relation["target_instance_id"] for relation in row.get("data_node_relations") or []]
        clash = next((node for node in nodes if node in taken), None)
        if clash is None:
            taken.update(dict.fromkeys(nodes, str(overwritten(entries[number]))))
            continue
        error = NotRestorable(
            f"The data node {clash} is planned to be overwritten for {taken[clash]} already. "
            "Say in data_node_relations of both which data nodes each one takes."
        )
        yield number, failure(error)


def pinned(entry: Entry, row: Result) -> Entry:
    """Return an entry with the backup, or the time and the data nodes, of its plan: what is started later is what was planned."""
    return SERVICES[entry["service"]].pinned(entry, row)


def summary(entries: t.Sequence[Entry], answers: t.Sequence[Result]) -> Result:
    """Return the task result: a row for each entry, null where it has nothing to say. `diff` is always there: an empty one takes the place of the plan's."""
    rows: list[Result] = []
    found: dict[str, list[t.Any]] = {"warnings": [], "diff": []}
    for entry, answer in zip(entries, taken_twice(answers)):
        service = next(
            name for name in SERVICES if name == entry["service"]
        )  # in the action the task's own string is one that Ansible takes for a template
        row = {"service": service, "changed": False, **dict.fromkeys(ROW), **answer}
        row.pop("failed", None)
        found["warnings"] += row.pop("warnings", [])
        found["diff"] += [row.pop("diff")] if "diff" in row else []
        rows.append(row)
    running = [
        waiting(entry, row)
        for entry, row in zip(entries, rows)
        if row["outcome"] == "started" and (row["restore_id"] or row["job_id"])
    ]
    result: Result = {
        "changed": any(row["changed"] for row in rows),
        "results": rows,
        "running": running,
        "diff": found["diff"],
    }
    result.update({"warnings": found["warnings"]} if found["warnings"] else {})
    bad = [f"restores[{number}]: {row['msg']}" for number, row in enumerate(rows) if not row["outcome"]]
    if bad:
        more = [f"{len(bad) - SHOWN} more, see results."] if len(bad) > SHOWN else []
        kind = next(row["error_kind"] for row in rows if not row["outcome"])
        result.update(
            failed=True,
            error_kind=kind,
            msg=" ".join([f"{len(bad)} of {len(rows)} restores failed.", *bad[:SHOWN], *more]),
        )
    return result


def waiting(entry: Entry, row: Result) -> Entry:
    """Return the entry with which restore_wait waits for what was started."""
    region, instance_id = (
        str(entry[name]) if entry.get(name) else None for name in ("region", "instance_id")
    )
    return {
        "service": row["service"],
        "region": region,
        "instance_id": instance_id if row["restore_id"] else None,
        "restore_id": row["restore_id"],
        "job_id": row["job_id"],
    }


def main() -> None:
    """Run the task; the action door calls this as it calls the main() of a module."""
    run_module(plan, OPTIONS)
