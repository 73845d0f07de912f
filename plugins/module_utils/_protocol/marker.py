# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The marker by which a later run recognises an operation: a hash of what identifies the operation."""

from __future__ import annotations

import base64
import hashlib
import json

MARKER_LENGTH = 34  # " [rst1:" + 26 + "]"


def marker(**operation: str | None) -> str:
    """Return the marker for a remark. It is the same for the same operation on any controller.

    It leaves out the region: a project belongs to one region, and a run may not know which.
    """
    canonical = json.dumps(
        {"version": 1, **operation}, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return f"[rst1:{base64.b32encode(hashlib.sha256(canonical.encode()).digest()).decode()[:26]}]"
