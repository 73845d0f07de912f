# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The options of waiting for an operation of the cloud."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the operation has ended. A failed operation then fails the task.
      - With V(false) the task ends as soon as the cloud has accepted the operation.
        M(huaweicloud.recovery.restore_wait) or the same task with V(true) waits for it later.
    type: bool
    default: true
  wait_timeout:
    description:
      - Longest time to wait, in seconds, from 0 to 604800 (a week).
      - When this time has passed, the task fails with C(error_kind=wait_timeout) and the ID of the operation,
        which goes on in the cloud.
    type: int
    default: 1800
  poll_interval:
    description: Seconds between two status checks of the operation, from 1 to 3600. The task varies them a
      little, so that many tasks do not send requests at the same moment.
    type: int
    default: 10
    aliases: [wait_interval, wait_sleep]
"""
