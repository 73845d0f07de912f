# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock for modules that wait for real servers: a second of waiting passes in a twentieth of one."""

from __future__ import annotations

import time

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock

FASTER = 20


def monotonic() -> float:
    return time.monotonic() * FASTER


def sleep(seconds: float) -> None:
    time.sleep(seconds / FASTER)


HURRY = Clock(monotonic=monotonic, sleep=sleep)
