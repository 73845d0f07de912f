# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_here
short_description: Refuse options that leave out the controller
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Returns a host, as C(hosts) of a play that runs on the controller.
  - Fails when C(--limit) leaves the host out, or C(--start-at-task) would leave out steps of a playbook of
    this collection. Ansible itself would then run nothing, and end as if all were well.
positional: groups
options:
  _input:
    description: The host, such as V(localhost).
    type: str
    required: true
  groups:
    description: The groups of the inventory with their hosts, C(groups).
    type: dict
    required: true
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


def restore_here(host: str, groups: t.Mapping[str, t.Sequence[str]]) -> str:
    """Return the host. Raises AnsibleError if the command leaves it out."""
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
    return host


class FilterModule:
    """The class that ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_here": restore_here}
