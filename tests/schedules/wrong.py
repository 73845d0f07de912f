# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients that are wrong on purpose: the real one with one thing taken away or put back that others do. The schedules must see each."""

from __future__ import annotations

import contextlib
import typing as t

WRONG: dict[str, t.Callable[[], contextlib.AbstractContextManager[None]]] = {}


@contextlib.contextmanager
def right() -> t.Iterator[None]:
    """The client as it is."""
    yield
