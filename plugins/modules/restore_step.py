# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_step
short_description: Run steps of the role restore
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Runs one or more steps of the role P(huaweicloud.recovery.restore#role). The tasks of the role use it;
    playbooks use the role.
  - Reads the variables of the role, and the rows that the previous step has registered. Returns the rows with
    their outcomes. A step that fails an instance does not fail the task, so that the report is always
    written. When the run has failed, V(end) fails the task, or V(report) if V(end) does not follow.
notes:
  - This is an action and runs on the controller.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._attributes
attributes:
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: partial
    details: The same as for M(huaweicloud.recovery.restore_start).
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
options:
  steps:
    description:
      - Steps of the role, in this order. V(together) stands for the steps between plan and report that need
        no tasks files of the user.
      - V(fence), V(checked) and V(release) record the outcome of the user's tasks files. V(end) fails when
        the run has failed. V(handed_on), alone, returns the report in C(restore_reported), which an earlier
        node of a workflow has published. V(reached), alone, fails when the tags of the run select the
        C(include_role) around it, but no task of the role.
    type: list
    elements: str
    required: true
  kind:
    description: The kind of the run, which its report names.
    type: str
    choices: [restore, undo, drill, readiness, fleet]
    default: restore
  failure:
    description: Why the tasks file of the user failed, for V(fence), V(checked) and V(release).
    type: str
  hosts:
    description: Hosts of the inventory to restore, with O(kind=fleet), instead of the instances in the
      variables of the role.
    type: list
    elements: str
  only:
    description: The hosts of O(hosts) that this batch restores.
    type: list
    elements: str
  last:
    description: Whether no batch follows.
    type: bool
    default: true
  state:
    description: The result that the previous batch has registered.
    type: dict
  unread:
    description: Regions that the inventory could not read.
    type: list
    elements: dict
  limited:
    description: With O(kind=fleet), the limit and the pattern that have selected the hosts. At least one of
      them is needed.
    type: list
    elements: str
  verify:
    description: Whether V(verify) checks that every restored instance runs, and not only those with checks.
    type: bool
    default: true
seealso:
  - module: huaweicloud.recovery.restore_start
  - module: huaweicloud.recovery.restore_wait
"""

EXAMPLES = r"""
- name: Plan
  huaweicloud.recovery.restore_step:
    steps: [plan]
  register: _restore_state
"""

RETURN = r"""
restores:
  description: The rows, as RV(huaweicloud.recovery.restore_start#module:restores) documents them.
  returned: without the steps V(end), V(handed_on) and V(reached)
  type: list
  elements: dict
  sample: []
run:
  description: The part of the report that is about the run itself, such as C(plan_digest), C(account) and
    C(refused).
  returned: without the steps V(end), V(handed_on) and V(reached)
  type: dict
  sample: {id: CHG-1042-20261125T230544Z-k3x9qa, refused: null}
parts:
  description: The tasks files of the role that follow the plan.
  returned: with the step V(plan)
  type: list
  elements: str
  sample: [together]
report:
  description: The report. Its JSON schema is C(roles/restore/files/report.schema.json) of the collection.
  returned: with the steps V(report) and V(handed_on). With the latter it is null if there is none.
  type: dict
  sample: {verdict: verified}
"""
