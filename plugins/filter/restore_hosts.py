# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_hosts
short_description: Take hosts as what is to be restored
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Turns hosts that are instances, with C(service) and C(instance_id), into targets of the playbook C(huaweicloud.recovery.fleet).
  - A DDM host is the source. The instance that is overwritten is its C(target_instance_id).
positional: hostvars
options:
  _input:
    description: Names of hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
seealso:
  - plugin: huaweicloud.recovery.restore_noted
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: List what is to be restored
  ansible.builtin.set_fact:
    targets: "{{ ansible_play_batch | huaweicloud.recovery.restore_hosts(hostvars) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - The targets as P(huaweicloud.recovery.restore_noted#filter) gives them. A host that is no instance has failed.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleError

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import (
    Target,
    host_target,
    unusable,
)


def restore_hosts(names: t.Sequence[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]]) -> t.Any:
    """Return the targets that these hosts are."""
    return from_cloud([vars(target(name, hostvars)) for name in names])


def target(name: str, hostvars: t.Mapping[str, t.Mapping[str, t.Any]]) -> Target:
    """Return the target that a host is; one whose variables cannot be read has failed."""
    try:
        return host_target(name, hostvars[name])
    except AnsibleError as error:
        return unusable(
            Target("", name, "", "", "", {}),
            f"The variables of {name} cannot be read: {error} Nothing was started.",
        )


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_hosts": restore_hosts}
