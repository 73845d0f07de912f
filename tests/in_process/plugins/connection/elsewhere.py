# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection for tests: the local one by another name, like those for containers and jails."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Local = object  # Ansible has no type information
else:
    from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: elsewhere
short_description: The local connection by another name
description: Runs commands on the controller.
author: the huaweicloud.recovery contributors
"""


class Connection(Local):
    transport = "elsewhere"
