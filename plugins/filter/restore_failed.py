# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_failed
short_description: List the hosts of a fleet that failed, and why
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Returns the hosts that failed in the playbook C(huaweicloud.recovery.fleet), or V(localhost) when none
    has.
  - When the whole run was refused, or a region could not be read, one of the hosts fails for that reason.
positional: hostvars, host
options:
  _input:
    description: The hosts of the inventory.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  host:
    description: Return why this host failed, blank when it has not.
    type: str
seealso:
  - plugin: huaweicloud.recovery.restore_fleet
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Fail the hosts that failed
  hosts: "{{ groups['all'] | huaweicloud.recovery.restore_failed(hostvars) }}"
  tasks: []
"""

RETURN = r"""
_value:
  description: The hosts, or a reason.
  type: raw
"""

import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import from_cloud


def restore_failed(
    hosts: t.Sequence[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]], host: str | None = None
) -> t.Any:
    """Return the hosts that failed, or why one has failed."""
    found = reasons(hosts, hostvars)
    if host is not None:
        return from_cloud(found.get(host, ""))
    return from_cloud([pattern(name) for name in found] or ["localhost"])


def pattern(host: str) -> str:
    """Return a pattern that matches only this host, whose name can hold characters of patterns."""
    if re.fullmatch(r"[\w.-]+", host):
        return host
    escaped = "".join(one if one.isalnum() else f"\\U{ord(one):08x}" for one in host)
    return f"~{escaped}\\Z"


def reasons(hosts: t.Sequence[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, str]:
    """Return why each host failed. The last batch of a fleet has all reasons of its run; a play before this
    one may have been a fleet of its own.
    """
    runs: dict[str, tuple[str, dict[str, t.Any]]] = {}
    found: dict[str, str] = {}
    for host in reversed(hosts):
        state = hostvars[host].get("_restore_state")
        if not isinstance(state, dict):
            continue
        if "run" not in state:  # a run of the role that has ended, or a task without a result
            if state.get("failed"):
                found[host] = str(state.get("msg"))
            continue
        run = str(state["run"].get("id"))
        if run not in runs or (state["run"].get("last") and not runs[run][1]["run"].get("last")):
            runs[run] = (host, state)
    for host, state in runs.values():
        found.update(reasons_of(host, state))
    return found


def reasons_of(host: str, state: dict[str, t.Any]) -> dict[str, str]:
    """Return why each host of a state failed; `host` gets the reasons of the whole run."""
    found = {str(row["label"]): str(row["msg"]) for row in state["restores"] if row.get("error_kind")}
    whole = state["run"].get("refused")
    return found or ({host: str(whole)} if whole else {})


class FilterModule:
    """The class that ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_failed": restore_failed}
