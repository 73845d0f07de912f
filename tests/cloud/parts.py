# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every service of the cloud by its name. Nothing else in the cloud asks for one."""

from __future__ import annotations

from . import dcs, ddm, iam
from .wire import Part

PARTS: dict[str, Part] = {part.name: part for part in (iam.PART, dcs.PART, ddm.PART)}
