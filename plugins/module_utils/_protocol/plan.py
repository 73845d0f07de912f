# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's decision, and the only reader of check mode.

Check mode prints the same plan that a run applies, so the two cannot differ.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Result = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Plan:
    """What the task would change (`before` and `after`, for people), and how.

    apply() makes the change; it is None when there is nothing to do. `result` holds the keys that are known
    before anything happens. apply() returns those that are known afterwards, and may set `changed` to false.
    beside() reads what only check mode reports.
    """

    result: Result = field(default_factory=dict)
    before: Result = field(default_factory=dict)
    after: Result = field(default_factory=dict)
    apply: t.Callable[[], Result] | None = None
    beside: t.Callable[[], Result] = dict


def execute(plan: Plan, dry_run: bool) -> Result:
    """Return the task result of a plan, applied unless dry_run."""
    outcome: Result = {"changed": plan.apply is not None, **plan.result}
    if plan.after:
        outcome["diff"] = {"before": plan.before, "after": plan.after}
    if dry_run:
        outcome.update(plan.beside())
    elif plan.apply is not None:
        outcome.update(plan.apply())
    return outcome
