# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of the talkative module, made like those of the collection."""

from __future__ import annotations

import runpy
import types
from pathlib import Path

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import InProcess


class ActionModule(InProcess):
    module = types.SimpleNamespace(
        **runpy.run_path(str(Path(__file__).parents[1] / "modules" / "talkative.py"))
    )
