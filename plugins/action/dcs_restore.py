# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.modules import dcs_restore
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import InProcess


class ActionModule(InProcess):
    """Runs dcs_restore in the controller's own process where it can."""

    module = dcs_restore
