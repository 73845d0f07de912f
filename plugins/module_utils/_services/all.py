# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every service by its name.

For the actions that take rows, and the inventory: modules ship only what they need.
"""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.service import DCS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.service import DDM

SERVICES: dict[str, Service] = {service.name: service for service in (DCS, DDM)}
