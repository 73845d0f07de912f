# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every service of the cloud by its name. Nothing else in the cloud asks for one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import dcs, ddm, iam
from .wire import Part

PARTS: dict[str, Part] = {part.name: part for part in (iam.PART, dcs.PART, ddm.PART)}


def contract() -> dict[str, Any]:
    """What the cloud promises, as OpenAPI: openapi/common.json with the paths of each part from its file."""
    found = _contract("common")
    found.update(tags=[{"name": name} for name in PARTS], paths={})
    for name in PARTS:
        part = _contract(name)
        found["paths"].update(part["paths"])
        for kind, items in part["components"].items():
            found["components"].setdefault(kind, {}).update(items)
    return found


def _contract(name: str) -> dict[str, Any]:
    path = Path(__file__).parent / "openapi" / f"{name}.json"
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read
