# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_report_begin
short_description: Begin the report of a run, and prove that it can be written
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Used by the role and the playbooks of this collection. It may change in any release.
  - Takes what is known of a run before anything is started. Gives it back with the id and the files of its report.
  - Makes C(directory) where it is missing, and writes a file there and deletes it again.
  - It never fails. C(problem) says why no report can be written, and nothing must be started then.
  - Where the newest report of the same C(operation_id) and C(kind) in C(directory) did not end well, the run continues that report.
    Then C(previous) holds its rows, with the ids of what was started.
options:
  _input:
    description:
      - C(kind) is V(restore), V(plan), V(undo), V(drill), V(readiness) or V(fleet). All other keys may be left out or be null.
      - C(directory), C(keep) (how many reports of this kind stay, null or 0 for all), C(operation_id), C(check_mode), C(timezone) (IANA name),
        C(restore_point), C(rto_target) and C(rpo_target) (seconds), C(account), C(plan_digest), C(approval) with C(how) and C(at).
      - C(refused) is why nothing may be started. C(command) repeats the run; left out, it is made of the command line. Null for a job controller.
      - Keys that become known later, as C(account), C(approval), C(plan_digest) and C(refused), may be set in the value of this filter.
    type: dict
    required: true
seealso:
  - plugin: huaweicloud.recovery.restore_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Begin the report
  ansible.builtin.set_fact:
    run: "{{ {'kind': 'restore', 'operation_id': 'CHG-1042', 'directory': 'reports', 'check_mode': ansible_check_mode}
      | huaweicloud.recovery.restore_report_begin }}"

- name: Refuse to start without a place for the report
  ansible.builtin.assert:
    that: run.problem is none
    fail_msg: "{{ run.problem }}"
"""

RETURN = r"""
_value:
  description: The run, for P(huaweicloud.recovery.restore_report#filter).
  type: dict
"""

import os
import secrets
import string
import time
import typing as t

from ansible import constants as C
from ansible import context as cli

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_command import repeated
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_files import begin

LETTERS = string.ascii_lowercase + string.digits


def restore_report_begin(context: t.Mapping[str, t.Any]) -> t.Any:
    """Return the run that a context describes."""
    command, complete = repeated(cli.CLIARGS, C.DEFAULT_HOST_LIST, os.environ)
    given = {"command": command, "command_complete": complete, **context}
    return from_cloud(
        begin(given, int(time.time() * 1000), "".join(secrets.choice(LETTERS) for dummy in range(6)))
    )


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_report_begin": restore_report_begin}
