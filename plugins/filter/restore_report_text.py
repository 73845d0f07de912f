# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restore_report_text
short_description: Show a report as a page or a text
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Turns a report that is stored as data, for example as an artifact of a job, into the text of one of its
    files. Writes no file.
positional: form
options:
  _input:
    description: A report, as the role publishes it in C(restore_reported) or writes it as JSON.
    type: dict
    required: true
  form:
    description: The text to make.
    type: str
    choices: [html, markdown, junit, json]
    default: html
"""

EXAMPLES = r"""
- name: Write the page of a report that an earlier job has published
  ansible.builtin.copy:
    content: "{{ restore_reported | huaweicloud.recovery.restore_report_text('html') }}"
    dest: report.html
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report import clean
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_files import FORMATS, is_report
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import from_cloud


def restore_report_text(report: t.Any, form: str = "html") -> t.Any:
    """Return a report in one of its forms."""
    if form not in FORMATS:
        raise AnsibleFilterError(f"The form must be one of {', '.join(FORMATS)}.")
    found = clean(report)
    if not is_report(found):
        raise AnsibleFilterError("This is not a report of this version of the collection.")
    return from_cloud(FORMATS[form][1](found))


class FilterModule:
    """The class that ansible-core looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"restore_report_text": restore_report_text}
