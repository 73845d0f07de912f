# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_serial
short_description: Refuse an invalid batch size
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Returns the sizes of the batches of a fleet, V(100%) for a blank. Fails when one is neither a number from
    1 nor a percentage.
  - Ansible itself treats V(0) and negative numbers as all hosts at once.
options:
  _input:
    description: The number of hosts at a time, a percentage of them, or a list of such sizes.
    type: raw
    required: true
seealso:
  - plugin: huaweicloud.recovery.restore_fleet
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Restore
  hosts: all
  serial: "{{ fleet_serial | huaweicloud.recovery.restore_serial }}"
  tasks: []
"""

RETURN = r"""
_value:
  description: The sizes of the batches.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import Problem, number, unset

LARGEST = 10**9  # hosts


def restore_serial(value: t.Any) -> list[str]:
    """Return the sizes of the batches, each a number or a percentage."""
    sizes = value if isinstance(value, (list, tuple)) else [value]
    return [size(one) for one in sizes if not unset(one)] or ["100%"]


def size(value: t.Any) -> str:
    """Return the size of a batch. Raises AnsibleFilterError."""
    text, percent, rest = str(value).strip().partition("%")
    try:
        if not rest:
            return f"{number(text.strip(), 'fleet_serial', 1, 100 if percent else LARGEST)}{percent}"
    except Problem:
        pass
    sizes = "a number of hosts from 1, or from 1% to 100%"
    raise AnsibleFilterError(f"Nothing was restored: fleet_serial must be {sizes}, not {value!r}.")


class FilterModule:
    """The class that ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_serial": restore_serial}
