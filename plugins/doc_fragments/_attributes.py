# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What a module supports, for all modules of the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # For every module: the group, with the attributes of its kind from one of the two variants below.
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/huaweicloud.recovery.all) in C(module_defaults) to set the connection options
      once for all modules.
    support: full
    membership:
      - huaweicloud.recovery.all
  check_mode:
    description: Can run in check mode and returns what the real run would change, without sending any request
      that changes something.
    support: full
  diff_mode:
    description: Returns in diff mode what would change, or has changed.
    support: full
"""

    # For modules that only read.
    INFO = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/huaweicloud.recovery.all) in C(module_defaults) to set the connection options
      once for all modules.
    support: full
    membership:
      - huaweicloud.recovery.all
  check_mode:
    description: Can run in check mode; it only reads, so the result is that of the real run.
    support: full
  diff_mode:
    description: Returns in diff mode what would change, or has changed.
    support: N/A
    details: This module changes nothing.
  idempotent:
    description: When run twice in a row, the second run changes nothing.
    support: full
    details: This module changes nothing.
"""
