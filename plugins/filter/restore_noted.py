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
  - Gives the targets back with what the tasks of a step have registered, in the order in which they were asked about.
  - A target that a step does not concern stays as it is. A target without an answer, or with one that tells no outcome, has failed in this step.
positional: step
options:
  _input:
    description: Targets, as a list or by host, as P(huaweicloud.recovery.restore_targets#filter) gave them.
    type: any
    required: true
  step:
    description:
      - V(plan) pins the answers of the restore modules in check mode.
      - V(start) takes the answers of the restore modules with C(wait=false), one for each target that is planned.
      - V(wait) takes the answer of M(huaweicloud.recovery.restore_wait) to the list of P(huaweicloud.recovery.restore_waits#filter).
      - V(verify) takes the answers of M(huaweicloud.recovery.ddm_instance_info) and M(huaweicloud.recovery.dcs_instance_info).
    type: str
    choices: [plan, start, wait, verify]
    required: true
  ddm:
    description: What the task for DDM has registered.
    type: dict
  dcs:
    description: What the task for DCS has registered.
    type: dict
  both:
    description: What the task for both services has registered. Not for O(step=verify).
    type: dict
  check_mode:
    description: Whether O(step=start) ran in check mode, so that nothing has started.
    type: bool
    default: false
seealso:
  - plugin: huaweicloud.recovery.restore_targets
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_waits
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Note what was started
  ansible.builtin.set_fact:
    targets: "{{ targets | huaweicloud.recovery.restore_noted('start', ddm=databases, dcs=caches) }}"
"""

RETURN = r"""
_value:
  description: The targets, as a list or by host, as they were given.
  type: any
"""

import time
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._targets import planned, read, started, verified, waited, written


def restore_noted(
    rows: t.Any,
    step: str,
    ddm: t.Mapping[str, t.Any] | None = None,
    dcs: t.Mapping[str, t.Any] | None = None,
    both: t.Mapping[str, t.Any] | None = None,
    check_mode: bool = False,
) -> t.Any:
    """Return the targets with what a step has brought."""
    targets = read(rows)
    registered = {name: from_cloud(dict(answer)) for name, answer in (("ddm", ddm), ("dcs", dcs), ("both", both)) if answer is not None}
    answers = [result for answer in registered.values() for result in answer.get("results", [])]
    if step == "plan":
        targets = planned(targets, answers, int(time.time() * 1000))
    elif step == "start":
        targets = started(targets, answers, check_mode)
    elif step == "wait":
        targets = waited(targets, registered["both"])
    elif step == "verify":
        for service, answer in registered.items():
            targets = verified(targets, service, answer)
    else:
        raise ValueError(f"restore_noted: step is {step}, not plan, start, wait or verify.")
    return dict(zip(rows, written(targets))) if isinstance(rows, t.Mapping) else written(targets)


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_noted": restore_noted}
