# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only import of requests: a missing library becomes a message of Ansible, not a traceback."""

from __future__ import annotations

import gc
import traceback

__all__ = ["IMPORT_ERROR", "requests"]  # the client reads deps.requests

IMPORT_ERROR: str | None = None
gc.disable()  # Garbage collection during the imports would take a twelfth of their time.
try:
    import requests
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
finally:
    gc.enable()
