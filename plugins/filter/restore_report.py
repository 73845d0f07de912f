# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_report
short_description: Make the report of a run from its rows, and write its files
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Used by the role and the playbooks of this collection. It may change in any release.
  - Returns the report as data, in the form of C(roles/restore/files/report.schema.json), and writes the files that it names.
    Each file is replaced as a whole, so it may be called after every step.
  - It never fails because a file cannot be written. C(problem) of the report says why then.
positional: run, finished
options:
  _input:
    description: The rows, as M(huaweicloud.recovery.restore_start) and the modules after it return them. An empty list when the run was refused early.
    type: list
    elements: dict
    required: true
  run:
    description: The value of P(huaweicloud.recovery.restore_report_begin#filter), with what has become known since.
    type: dict
    required: true
  finished:
    description: Whether no further step follows. The verdict is V(running) until then.
    type: bool
    default: true
seealso:
  - plugin: huaweicloud.recovery.restore_report_begin
    plugin_type: filter
  - plugin: huaweicloud.recovery.restore_report_text
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the report when the restores have been accepted
  ansible.builtin.set_fact:
    report: "{{ started.restores | huaweicloud.recovery.restore_report(run, finished=false) }}"

- name: Write the report of a run that was refused
  ansible.builtin.set_fact:
    report: "{{ [] | huaweicloud.recovery.restore_report(run | combine({'refused': 'The plan was not approved.'})) }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
"""

import time
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import from_cloud
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report import report
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_files import write


def restore_report(
    rows: t.Sequence[t.Mapping[str, t.Any]], run: t.Mapping[str, t.Any], finished: bool = True
) -> t.Any:
    """Return the report of a run, and write its files."""
    return from_cloud(write(report(rows, run, int(time.time() * 1000), finished), run))


class FilterModule:
    """What ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_report": restore_report}
