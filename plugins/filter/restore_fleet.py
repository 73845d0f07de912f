# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_fleet
short_description: Refuse a fleet without hosts or without tasks
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Returns the host pattern that it is given. Fails when the inventory has no hosts, when the pattern
    matches none of them or names another host, or when the tags of the run select no task.
  - In Ansible, a play that matches no hosts succeeds. The playbook C(huaweicloud.recovery.fleet) must not
    succeed when nothing was restored.
positional: groups
options:
  _input:
    description: A host pattern.
    type: raw
    required: true
  groups:
    description: The groups of the inventory, C(groups).
    type: dict
    required: true
seealso:
  - plugin: huaweicloud.recovery.restore_failed
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Restore
  hosts: "{{ fleet_hosts | huaweicloud.recovery.restore_fleet(groups) }}"
  tasks: []
"""

RETURN = r"""
_value:
  description: The pattern.
  type: raw
"""

import typing as t

from ansible import context
from ansible.errors import AnsibleError

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._command_line import (
    check_start,
    matched,
    of_groups,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import names_hosts
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import unset

EMPTY = (
    "Nothing was restored: the inventory has no hosts. Check the -i of this command, and the warnings above "
    "if there are any: a source that cannot be read, for example because of a wrong key, adds no hosts."
)


def restore_fleet(pattern: t.Any, groups: t.Mapping[str, t.Sequence[str]]) -> t.Any:
    """Return the pattern, all hosts for a blank one.

    Raises AnsibleError if it matches nothing, except for --syntax-check, which restores nothing.
    """
    pattern = "all" if unset(pattern) else pattern
    if context.CLIARGS.get("syntax"):
        return pattern
    check_start()
    if not groups.get("all"):
        raise AnsibleError(EMPTY)
    left_out = tagged(context.CLIARGS.get("tags") or (), context.CLIARGS.get("skip_tags") or ())
    if left_out:
        raise AnsibleError(f"Nothing was restored: {left_out}")
    inventory = of_groups(groups)
    found = {host.name for host in matched(inventory, pattern)}
    if not found:
        raise AnsibleError(f"Nothing was restored: no host of the inventory matches fleet_hosts {pattern!r}.")
    if strangers := found - {*groups["all"]}:  # Ansible adds a localhost that only the pattern names.
        names = ", ".join(sorted(strangers))
        raise AnsibleError(
            f"Nothing was restored: the inventory has no host {names}, which fleet_hosts {pattern!r} names."
        )
    limit = context.CLIARGS.get("subset")
    if limit and names_hosts(limit):
        inventory.subset(limit)
        if not matched(inventory, pattern):
            raise AnsibleError(
                f"Nothing was restored: no host matches both fleet_hosts {pattern!r} and --limit {limit!r}."
            )
    return pattern


def tagged(tags: t.Collection[str], skipped: t.Collection[str]) -> str | None:
    """Return why the tags of a run leave out the tasks of the fleet, which have the tag plan, or None."""
    if tags and not {*tags} & {"plan", "tagged", "all"}:
        return f"--tags {','.join(tags)} selects nothing. The only tag is plan, which starts nothing."
    if {*skipped} & {"plan", "tagged", "all"}:
        return f"--skip-tags {','.join(skipped)} leaves everything out."
    return None


class FilterModule:
    """The class that ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_fleet": restore_fleet}
