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
  - Turns hosts that are instances, with C(service) and C(instance_id), into targets of the playbook C(huaweicloud.recovery.fleet),
    with what the task that starts their restores has registered.
  - A DDM host is the source. The instance that is overwritten is its C(target_instance_id).
positional: hostvars, registered, plan_only
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
  registered:
    description: The variable that the task has registered its result in.
    type: str
    required: true
  plan_only:
    description: Whether the task ran in check mode, so that nothing has started.
    type: bool
    default: false
seealso:
  - plugin: huaweicloud.recovery.restore_noted
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Note what runs now
  ansible.builtin.set_fact:
    targets: "{{ ansible_play_batch | huaweicloud.recovery.restore_hosts(hostvars, 'started', ansible_check_mode) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - The targets as P(huaweicloud.recovery.restore_noted#filter) gives them. Where nothing has been registered the restore has failed.
  type: list
  elements: dict
"""

import time
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import host_target


def restore_hosts(names: t.Sequence[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]], registered: str, plan_only: bool = False) -> t.Any:
    """Return the targets that these hosts are."""
    now_ms, targets = int(time.time() * 1000), []
    for name in names:
        variables = hostvars[name]
        targets.append(host_target(name, variables, variables.get(registered, {}), plan_only, now_ms))
    return from_cloud([vars(target) for target in targets])


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_hosts": restore_hosts}
