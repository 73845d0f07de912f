# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_waits
short_description: List what has to be waited for
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Turns the targets that have been started into the option C(restores) of M(huaweicloud.recovery.restore_wait).
options:
  _input:
    description: Targets, as a list or by host, as P(huaweicloud.recovery.restore_noted#filter) gave them.
    type: any
    required: true
seealso:
  - plugin: huaweicloud.recovery.restore_noted
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Wait for all restores
  huaweicloud.recovery.restore_wait:
    restores: "{{ targets | huaweicloud.recovery.restore_waits }}"
  when: targets | huaweicloud.recovery.restore_waits | length > 0
"""

RETURN = r"""
_value:
  description: A dict for each target whose restore runs.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import read, waits


def restore_waits(rows: t.Any) -> list[dict[str, t.Any]]:
    """Return the option restores of restore_wait."""
    return waits(read(rows))


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_waits": restore_waits}
