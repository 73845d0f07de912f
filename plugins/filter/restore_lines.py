# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_lines
short_description: Tell people what becomes of the targets
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Writes a line for each target - what became of it so far, or with O(plan) what it would be overwritten with, and which data nodes.
positional: plan
options:
  _input:
    description: Targets, as P(huaweicloud.recovery.restore_noted#filter) gave them.
    type: list
    elements: dict
    required: true
  plan:
    description: Write the plan instead of the result.
    type: bool
    default: false
seealso:
  - plugin: huaweicloud.recovery.restore_noted
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ targets | huaweicloud.recovery.restore_lines(plan=true) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import (
    Target,
    plan_lines,
    result_lines,
)


def restore_lines(rows: t.Sequence[t.Mapping[str, t.Any]], plan: bool = False) -> t.Any:
    """Return the lines for people."""
    return from_cloud((plan_lines if plan else result_lines)([Target(**row) for row in rows]))


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_lines": restore_lines}
