# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A become plugin for tests that needs neither sudo nor root: it becomes nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class BecomeBase:  # Ansible has no type information
        def _build_success_command(self, cmd: str, shell: Any) -> str:
            """Wrap a command in a check that becoming has worked."""
            raise NotImplementedError

else:
    from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: nobody
short_description: Become nobody else
description: Runs commands as the user who connects.
author: the huaweicloud.recovery contributors
options:
  become_user: {description: Not used.}
  become_exe: {description: Not used.}
  become_flags: {description: Not used.}
"""


class BecomeModule(BecomeBase):
    name = "nobody"

    def build_become_command(self, cmd: str, shell: Any) -> str:
        return self._build_success_command(cmd, shell) if cmd else cmd
