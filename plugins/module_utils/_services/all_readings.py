# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reading part of every service by its name.

For a module that verifies: it ships nothing that plans, sends or waits.
"""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.reading import READING as DCS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.reading import READING as DDM
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import Reading

READINGS: dict[str, Reading] = {reading.name: reading for reading in (DCS, DDM)}
