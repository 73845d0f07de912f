# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of a command leave out of a playbook: for the role and the filters that refuse such a
command.

Private to this collection.
"""

from __future__ import annotations

import os
import typing as t

from ansible import context
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.role_include import IncludeRole

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import NAMES

OURS = "huaweicloud.recovery."
PLAYBOOKS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "playbooks"))


def check_start() -> None:
    """Raise AnsibleError if a playbook of this collection would start in its middle, or not at all."""
    start = context.CLIARGS.get("start_at_task")
    if start and any(is_ours(str(name)) for name in context.CLIARGS.get("args") or ()):
        raise AnsibleError(
            f"Nothing was started: --start-at-task {start!r} would leave out steps before that task. Leave "
            "it out: the same command repeats nothing that is done."
        )


def is_ours(playbook: str) -> bool:
    """Whether a playbook is one of this collection, by its name or its path, which AWX gives."""
    return playbook.startswith(OURS) or os.path.dirname(os.path.realpath(playbook)) == PLAYBOOKS


def unreached(task: t.Any, tags: t.Collection[str]) -> str | None:
    """Return why tags that select an include_role select none of the tasks of its role, or None.

    `task` is a task of the role that always runs. It also has the tags that the include hands on.
    """
    parent = task._parent
    while parent and not isinstance(parent, IncludeRole):
        parent = parent._parent
    selecting = {*task.tags, *NAMES, "all", "tagged"} - {"always"}
    if not parent or parent.statically_loaded or {*tags} & selecting:
        return None
    return (
        f"--tags {','.join(tags)} selects the include_role, but no task of the role, so nothing was started. "
        "Use import_role, or give the same tags in apply of the include_role as well."
    )


def runs_once(task: t.Any) -> bool:
    """Whether a task, or what includes it, runs for one host alone."""
    while task and getattr(task, "run_once", None) is not True:
        task = task._parent
    return task is not None


def of_groups(groups: t.Mapping[str, t.Sequence[str]]) -> InventoryManager:
    """Return an inventory with these groups and their hosts, to match patterns as Ansible does."""
    inventory = InventoryManager(loader=DataLoader(), parse=False)
    for group, hosts in groups.items():
        inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host, group=group)
    return inventory


def matched(inventory: InventoryManager, pattern: t.Any) -> list[t.Any]:
    """Return the hosts that a pattern matches within the limit; an invalid pattern matches none."""
    try:
        return list(inventory.get_hosts(pattern))
    except IndexError:  # "!"
        return []
