# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection for tests that breaks while a module runs, and runs the command again.

ssh does the same after exit code 255 or a broken ControlPersist pipe.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Ansible has no type information

    class Local:
        def exec_command(
            self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
        ) -> tuple[int, bytes, bytes]:
            raise NotImplementedError

else:
    from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: broken_pipe
short_description: The local connection, which runs every module twice at once
description: The first run goes on without a listener; the answer is that of the second one.
author: the huaweicloud.recovery contributors
"""


class Connection(Local):
    transport = "broken_pipe"

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        run = super().exec_command
        with ThreadPoolExecutor(1) as pool:
            if "AnsiballZ" in cmd and "chmod" not in cmd:
                pool.submit(run, cmd, in_data, sudoable)
            return run(cmd, in_data, sudoable)
