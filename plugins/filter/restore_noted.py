# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_noted
short_description: Note in the targets what became of them in a step
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Gives the targets back with what the task of a step has registered.
  - A target that a step does not concern stays as it is. One that the task says nothing good about has failed in this step.
positional: step, answer
options:
  _input:
    description: Targets, as P(huaweicloud.recovery.restore_targets#filter) or P(huaweicloud.recovery.restore_hosts#filter) gave them.
    type: list
    elements: dict
    required: true
  step:
    description:
      - V(plan) pins the answer of M(huaweicloud.recovery.restore_start) in check mode.
      - V(start) takes its answer to what was planned, or to all where nothing was.
      - V(wait) takes the answer of M(huaweicloud.recovery.restore_wait) to the targets that were started, in their order.
      - V(verify_ddm) and V(verify_dcs) take the answers of M(huaweicloud.recovery.ddm_instance_info) and M(huaweicloud.recovery.dcs_instance_info).
    type: str
    choices: [plan, start, wait, verify_ddm, verify_dcs]
    required: true
  answer:
    description: What the task has registered.
    type: dict
    required: true
seealso:
  - plugin: huaweicloud.recovery.restore_targets
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_hosts
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Note what was started
  ansible.builtin.set_fact:
    targets: "{{ targets | huaweicloud.recovery.restore_noted('start', answer) }}"
"""

RETURN = r"""
_value:
  description: The targets.
  type: list
  elements: dict
"""

import time
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import (
    Target,
    planned,
    started,
    verified,
    waited,
)

STEPS: dict[str, t.Callable[[list[Target], t.Any], list[Target]]] = {
    "plan": lambda targets, answer: planned(targets, answer, int(time.time() * 1000)),
    "start": lambda targets, answer: started(targets, answer, int(time.time() * 1000)),
    "wait": waited,
    "verify_ddm": lambda targets, answer: verified(targets, "ddm", answer),
    "verify_dcs": lambda targets, answer: verified(targets, "dcs", answer),
}


def restore_noted(rows: t.Sequence[t.Mapping[str, t.Any]], step: str, answer: t.Any) -> t.Any:
    """Return the targets with what a step has brought."""
    targets = [Target(**row) for row in rows]
    return from_cloud([vars(target) for target in STEPS[step](targets, answer)])


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_noted": restore_noted}
