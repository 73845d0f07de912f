# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that Ansible would run as templates, if a text of the cloud were one."""

from __future__ import annotations

ORDER = "lookup('pipe', 'touch injected; id')"
RAN = "uid="  # what the order prints
HEADER = f"#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ {ORDER} ]]"
HOSTILE = [
    f"{{{{ {ORDER} }}}}",
    HEADER,
    HEADER.replace("[[", "<%").replace("]]", "%>"),
    f"#jinja2: block_start_string:'(%', block_end_string:'%)'\n(% set x = {ORDER} %)",
    f"!unsafe {{{{ {ORDER} }}}}",
    f"{{% set x = {ORDER} %}}x",
]
