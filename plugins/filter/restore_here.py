# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_here
short_description: Refuse options that leave out the controller, and runs that did not reach their end
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Returns a host, as C(hosts) of a play that runs on the controller.
  - Fails when C(--limit) leaves the host out, or C(--start-at-task) would leave out steps of a playbook of
    this collection. Ansible itself would then run nothing, and report success.
  - With O(hostvars), in a play after that of the role, it also fails when a task of the user has ended the
    play of the role before its last step. For Ansible, such a play has succeeded.
positional: groups, hostvars
options:
  _input:
    description: The host, such as V(localhost).
    type: str
    required: true
  groups:
    description: The groups of the inventory with their hosts, C(groups).
    type: dict
    required: true
  hostvars:
    description: The variables of all hosts, C(hostvars), in a play after that of the role.
    type: dict
seealso:
  - plugin: huaweicloud.recovery.restore_fleet
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Restore
  hosts: "{{ 'localhost' | huaweicloud.recovery.restore_here(groups) }}"
  tasks: []
"""

RETURN = r"""
_value:
  description: The host.
  type: str
"""

import typing as t

from ansible import context
from ansible.errors import AnsibleError

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._command_line import (
    check_start,
    matched,
    of_groups,
)

EARLY = (
    "The run has not reached its end, and wrote no last report: a task of yours ended its play early, for "
    "example with meta: end_play. The steps after that task have not run. To stop a run, let the task fail. "
    "Correct the task, then run the same command again, which resumes the run."
)


def restore_here(
    host: str,
    groups: t.Mapping[str, t.Sequence[str]],
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
) -> str:
    """Return the host. Raises AnsibleError if the command leaves it out, or the run before has not ended."""
    limit = context.CLIARGS.get("subset")
    if context.CLIARGS.get("syntax"):
        return host
    check_start()
    if limit:
        inventory = of_groups(groups)
        inventory.subset(limit)
        if not matched(inventory, host):
            raise AnsibleError(
                f"Nothing was started: --limit {limit!r} leaves out {host}, on which this playbook runs. "
                "Leave --limit out: the variables of the role name the instances."
            )
    # Compared with None: without an inventory hostvars has the length 0, and yet has the host.
    variables = None if hostvars is None else hostvars.get(host)
    state = None if variables is None else variables.get("_restore_state")
    if isinstance(state, dict) and "run" in state:  # The last step registers only how the run ended.
        raise AnsibleError(EARLY)
    return host


class FilterModule:
    """The class that ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_here": restore_here}
