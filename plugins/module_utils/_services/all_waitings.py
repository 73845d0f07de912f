# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The waiting part of every service by its name: for a module that waits."""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.waiting import WAITING as DCS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.waiting import WAITING as DDM
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.waiting import Waiting

WAITINGS: dict[str, Waiting] = {waiting.name: waiting for waiting in (DCS, DDM)}
