# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The marker by which a later run recognises an operation: a hash of what identifies the operation."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import one_spelling

MARKER_LENGTH = 34  # " [rst1:" + 26 + "]"
OF_RUN = 11  # characters at the end of a marker that tell one run from the others: 10 + "]"


def marker(**operation: str | None) -> str:
    """Return the marker for a remark. It is the same for the same operation on any controller.

    It leaves out the region: a project belongs to one region, and a run may not know which. A letter with an
    accent is the same one, whether a keyboard or a file system wrote it.
    """
    spelled = {name: value and one_spelling(value) for name, value in operation.items()}
    canonical = json.dumps(
        {"version": 1, **spelled}, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return f"[rst1:{base64.b32encode(hashlib.sha256(canonical.encode()).digest()).decode()[:26]}]"


def marker_of_run(task: str, chance: float) -> str:
    """Return the marker of one run of a task that makes something new in each run.

    Its last part is random (`chance` in [0, 1)), so that two runs at the same time never take each other's
    record.
    """
    return task[:-OF_RUN] + marker(task=task, run=str(chance))[-OF_RUN:]


def is_of_task(remark: str | None, own: str) -> bool:
    """Whether a remark ends with the marker of any run of the same task."""
    end = -len(own)
    found = remark[end:] if remark else ""
    return found[:-OF_RUN] == own[:-OF_RUN] and found.endswith("]")


def is_marked(remark: str | None) -> bool:
    """Whether a remark ends with the marker of an operation."""
    return re.search(r"\[rst1:[A-Z2-7]{26}\]\Z", remark or "") is not None
