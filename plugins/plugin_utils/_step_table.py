# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the steps of the role, in their order: what the run, the report and its page know of each.

Private to this collection.

_steps.py has a function of the same name for each. The table stands apart from them, because the report,
which they write, reads it too.
"""

from __future__ import annotations

import typing as t

# What a run has done in this phase: it has sent nothing, it has made safety backups, it has sent a restore,
# it has restored the data, or it has run the tasks after that.
PLAN, SAFE, RESTORE, VERIFY, DONE = "plan", "safe", "rest", "veri", "done"


class Step(t.NamedTuple):
    """A step of the role."""

    name: str
    phase: str = ""  # what a failure says about the data, and how the page draws it; blank: no row shows it
    advice: str = ""  # what to do when it failed; {name} is the instance. Blank: that of the step restore
    tasks: str = ""  # the variable with the user's tasks file whose outcome it records
    part: bool = False  # of the step before it: it has no tag and no tasks file of its own


TABLE = (
    Step(
        "plan", PLAN, "Correct what the message names, then run the same command again. Nothing was started."
    ),
    Step(
        "approve",
        PLAN,
        "Read the plan, then approve it: type the word that the role asks for, or give the digest of this "
        "plan in restore_plan_digest.",
    ),
    Step(
        "fence",
        PLAN,
        "Correct what failed in restore_before_tasks, then run the same command again. Nothing was sent.",
        tasks="restore_before_tasks",
    ),
    Step(
        "safeguard",
        SAFE,
        "Find out why {name} cannot be backed up. To go on without safety backups, for all caches, set "
        "restore_safety_backup to false.",
    ),
    Step(
        "restore",
        RESTORE,
        "Correct what the message names, then run the same command again. It repeats nothing that is done.",
    ),
    Step(
        "wait",
        RESTORE,
        "Run the same command again: it attaches to what was started, and starts nothing twice.",
        part=True,
    ),
    Step(
        "verify",
        VERIFY,
        "Read what the failed checks found. Remove the cause, then run the same command again: only the "
        "checks are repeated.",
    ),
    Step("checked", tasks="restore_verify_tasks", part=True),
    Step(
        "release",
        DONE,
        "The data are restored. Correct what failed in restore_after_tasks, then run the same command again.",
        tasks="restore_after_tasks",
    ),
    Step("report"),
    Step("end", part=True),
)
NAMES = tuple(step.name for step in TABLE if not step.part)  # which are tags and tasks files as well
BETWEEN = NAMES[1:-1]  # the plan comes before every other one, the report is always written
# The tasks file that runs in one task those of BETWEEN which need no tasks of the user
TOGETHER = "together"
OF_THE_USER = tuple(step.tasks for step in TABLE if step.tasks)
PHASES = {step.name: step.phase for step in TABLE if step.phase}
ADVICE = {step.name: step.advice for step in TABLE if step.advice}


def expanded(names: t.Iterable[str]) -> list[str]:
    """Return the names of steps, with those that `together` stands for."""
    alone = [step.name for step in TABLE if step.name in BETWEEN and not step.tasks]
    return [step for name in names for step in (alone if name == TOGETHER else [name])]


def selected(tags: t.Collection[str], around: t.Collection[str]) -> list[str]:
    """Return the steps between plan and report that the tags of a run ask for.

    No restore runs without the steps around it. The tag of a step up to the restore also selects the steps
    before that step; the tag of the restore also selects all later steps. All steps run if the tags name no
    step, or if they also name something in `around`: the tags of the play around the role.
    """
    named = set(tags) & set(NAMES)
    if not named or "always" in around or set(tags) & {*around, "all", "tagged"}:
        return list(BETWEEN)
    end = BETWEEN.index("restore") + 1
    return [
        name
        for number, name in enumerate(BETWEEN)
        if named & {name, *(BETWEEN[number:end] if number < end else ("restore",))}
    ]
