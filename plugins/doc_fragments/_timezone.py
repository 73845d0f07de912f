# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The option of the modules that take times."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  timezone:
    description:
      - Time zone for times without a zone, such as V(Europe/Berlin). The task refuses a local time that the
        change of the clocks skips or repeats, and shows both readings.
      - When absent, the environment variable E(HW_TIMEZONE) is used. Without either, the task refuses a time
        without a zone.
    type: str
"""
