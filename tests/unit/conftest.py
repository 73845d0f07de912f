# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same examples on every run: a failure can be had again, and a busy machine is no failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import errors

settings.register_profile("unit", derandomize=True, deadline=None, database=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def nothing_is_hidden() -> Iterator[None]:
    """A process serves one task, but for here: what one test hides must not be masked in the next."""
    yield
    errors.HIDDEN.clear()
