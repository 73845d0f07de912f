# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback for tests: Ansible loads a collection from Python's compiled files.

Ansible compiles the files of a collection in each process. The tests start hundreds, each of which would
spend a seventh of its time on that.
"""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    CallbackBase = object  # Ansible has no type information
    _collection_finder: Any
else:
    from ansible.plugins.callback import CallbackBase
    from ansible.utils.collection_loader import _collection_finder

DOCUMENTATION = """
name: compiled
type: notification
short_description: Load collections from Python's compiled files
description: Loads what has not been imported yet from C(__pycache__).
author: the huaweicloud.recovery contributors
"""


def compiled(source: Any, filename: str, mode: str, **options: Any) -> Any:
    if os.path.isfile(filename):
        return SourceFileLoader("", filename).get_code("")
    return compile(source, filename, mode, **options)


_collection_finder.compile = compiled


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "compiled"
    CALLBACK_NEEDS_ENABLED = True
