# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts many restores in one task: it makes and applies the plan of each row's module on a few threads.

Private.

First it makes every plan, then it applies those that succeeded. Each restore goes through the protocol on its
own, and fails alone.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import (
    Cloud,
    NotAllowed,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    RefutedArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.parallel import (
    THREADS,
    clouds_for,
    spread,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan, execute
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import Result, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import result_of, run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _rows
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._rows import RowResult

OPTIONS: dict[str, t.Any] = {
    "restores": {"type": "list", "elements": "dict", "required": True},
    "start_timeout": {"type": "int", "default": 1800},
}
Groups = t.Sequence[t.Sequence[int]]  # groups of row numbers: those of a group follow each other


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Plan each restore on a few threads; apply() starts those whose plan could be made."""
    rows = _rows.from_input(params["restores"])
    wrong = _row.unusable_profiles(cloud, rows)
    clouds = clouds_for(cloud, [{} if number in wrong else row for number, row in enumerate(rows)])
    plans: dict[int, Plan] = {}
    repeated, conflicting = _rows.repeated(rows), _rows.conflicts(rows)
    account: list[dict[str, str]] = []
    unasked: set[int] = set()  # rows that were refused before any request: for them, nobody asks who calls

    def decide(number: int) -> Result:
        try:
            options = {**_rows.request(rows[number], repeated, conflicting), **waiting(params)}
            if number in wrong:
                raise wrong[number]
            plans[number], result = planned(rows[number], clouds[number], cloud, options)
        except InvalidArgument as error:
            if not isinstance(error, RefutedArgument):
                unasked.add(number)
            raise
        return result

    def each(work: t.Callable[[int], Result], groups: Groups) -> dict[int, RowResult]:
        def one(number: int) -> RowResult:
            clouds[number].session.deadline = cloud.clock.monotonic() + params["start_timeout"]
            at, begun = cloud.clock.now(), cloud.clock.monotonic()
            result = result_of(
                lambda: work(number), lambda: clouds[number].may_have_changed, True, cloud.redactor
            )
            return RowResult(result, at, cloud.clock.monotonic() - begun)

        found = spread(lambda group: {number: one(number) for number in groups[group]}, len(groups), THREADS)
        return {number: made for group in found for number, made in group.items()}

    def decide_all(groups: Groups) -> dict[int, RowResult]:
        found = each(decide, groups)
        if any(not rows[number]["action"] for number in found.keys() - unasked):
            account.append(cloud.identity())
        return found

    def start_all(groups: Groups) -> dict[int, RowResult]:
        cloud.may_have_changed = True
        return each(lambda number: execute(plans[number], dry_run=False), groups)

    return combined(rows, decide_all, start_all, cloud.clock.now, account)


def planned(row: Row, own: Cloud, cloud: Cloud, options: dict[str, t.Any]) -> tuple[Plan, Result]:
    """Return the plan of a row and its result, with the account if it may differ from that of the task."""
    if row.get("project_id"):
        refuse_another(own, str(row["project_id"]))
    made = SERVICES[row["service"]].plan(own, options)
    result = execute(made, dry_run=True)
    if not row["action"] and (row.get("profile") or own.region != cloud.region):
        result = with_account(result, own.identity())
    return made, result


def with_account(result: Result, account: dict[str, str]) -> Result:
    """Return the plan of a row with its account."""
    return {**result, "details": {**(result.get("details") or {}), "account": account}}


def refuse_another(cloud: Cloud, listed_in: str) -> None:
    """Refuse a row if the credentials lead to another project than the one in which it was listed."""
    if cloud.project_id != listed_in:
        raise of_another_project(listed_in)


def of_another_project(listed_in: str) -> NotAllowed:
    """Return the refusal of a row for the project that it was listed in."""
    return NotAllowed(
        f"This instance belongs to project {quoted(listed_in)}, but the credentials lead to another project. "
        "Give the project of the instance as HW_PROJECT_ID with keys in HW_* variables, or use a profile "
        "that has it."
    )


def waiting(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options with which each module starts and does not wait."""
    return {"wait": False, "wait_timeout": params["start_timeout"]}


def combined(
    given: t.Sequence[Row],
    decide: t.Callable[[Groups], dict[int, RowResult]],
    start: t.Callable[[Groups], dict[int, RowResult]],
    now: t.Callable[[], float],
    account: t.Sequence[dict[str, str]],
) -> Plan:
    """Return one plan for all rows. decide() makes their plans, and start() carries out the given ones.

    `account` has the caller once the plans are made, or nothing.
    """
    wanted = [number for number, row in enumerate(given) if _rows.startable(row)]
    results = decide([[number] for number in wanted])
    rows = [
        _rows.planned(row, results[number]) if number in results else row for number, row in enumerate(given)
    ]
    for number, error in _rows.refusals(rows, given).items():
        results[number] = results[number]._replace(result=_row.failure(error))
        rows[number] = _rows.planned(given[number], results[number])
    ready = [number for number in wanted if rows[number]["outcome"] == "planned"]

    def summary(rows: t.Sequence[Row], step: str) -> Result:
        rows = [
            _row.pass_through(row, step, now()) if row is given[number] else row
            for number, row in enumerate(rows)
        ]
        changed = any(row["changed"] for number, row in enumerate(rows) if number in results)
        found = [results[number].result for number in sorted(results)]
        warnings = [text for one in found for text in one.get("warnings", [])]
        result = {
            **_row.rows_result(given, rows, changed),
            "account": account[0] if account else None,
            "diff": [one["diff"] for one in found if "diff" in one],
        }
        return {**result, "warnings": warnings} if warnings else result

    def apply() -> Result:
        results.update(start(_rows.in_turn(rows, ready)) if ready else {})
        after = [
            _rows.started(row, results[number]) if number in ready else row for number, row in enumerate(rows)
        ]
        return summary(_rows.taken_twice(after, now()), "restore")

    return Plan(summary(rows, "plan"), apply=apply)


def main() -> None:
    """Run the task; the action calls this as it calls the main() of a module."""
    run_module(plan, OPTIONS)
