# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_targets
short_description: List what is to be restored
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Turns the variables of the role P(huaweicloud.recovery.restore#role) into targets, one dict with the same keys from the plan to the report.
  - The other filters of this collection note in them what became of the restores.
positional: dcs, operation_id
options:
  _input:
    description: C(restore_ddm) of the role, DDM instances to restore.
    type: list
    elements: dict
    required: true
  dcs:
    description: C(restore_dcs) of the role, DCS instances to restore.
    type: list
    elements: dict
    required: true
  operation_id:
    description: C(operation_id) of the DCS instances that have none of their own.
    type: str
seealso:
  - plugin: huaweicloud.recovery.restore_noted
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what would be restored
  ansible.builtin.debug:
    msg: "{{ [] | huaweicloud.recovery.restore_targets([{'instance_id': cache_id, 'restore_point': 'latest'}], 'CHG-1042') }}"
  vars:
    cache_id: 5560df16-cebf-4473-95c4-d1b573c16e79
"""

RETURN = r"""
_value:
  description:
    - The targets, those of DDM first, with the keys that the README of the role lists. C(request) has the options for the restore module.
      All that is not known yet is null.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import dcs_target, ddm_target


def restore_targets(
    ddm: t.Sequence[t.Mapping[str, t.Any]], dcs: t.Sequence[t.Mapping[str, t.Any]], operation_id: t.Any = None
) -> t.Any:
    """Return the targets for restore_ddm and restore_dcs."""
    return from_cloud(
        [
            vars(target)
            for target in [*map(ddm_target, ddm), *(dcs_target(entry, operation_id) for entry in dcs)]
        ]
    )


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_targets": restore_targets}
