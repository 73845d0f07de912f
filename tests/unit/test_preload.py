# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rehearsal in the controller's parent process.

It is only for speed, so a failure is silent there. In these tests it is not.
"""

from __future__ import annotations

import gc
import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils import basic

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import (
    SERIALIZATION,
    encoded,
    output,
    rehearsed,
    swapped,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._preload import preload


@pytest.fixture(autouse=True)
def nothing_is_opened() -> Any:
    with (
        mock.patch.object(socket, "socket", side_effect=AssertionError),
        mock.patch.object(threading.Thread, "start", side_effect=AssertionError),
    ):
        yield
    gc.unfreeze()


def test_it_goes_from_the_arguments_to_the_result() -> None:
    printed: list[dict[str, Any]] = []

    def run(main: Callable[[], None], arguments: dict[str, Any], given: dict[str, Any]) -> None:
        with (
            swapped(basic, {"_ANSIBLE_ARGS": encoded(arguments), "_ANSIBLE_PROFILE": SERIALIZATION}),
            swapped(_runner, {"CONTEXT": given}),
        ):
            printed.append(output(main))

    preload(run)
    result = json.loads(printed[0]["stdout"])
    assert (result["changed"], result["rows"]) == (False, [{"id": "a", "size": 1, "time": 0}])


def test_it_shows_nothing_and_leaves_nothing_behind(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basic, "_PARSED_MODULE_ARGS", {"those of": "a task"}, raising=False)
    before, context = dict(vars(basic)), _runner.CONTEXT
    preload(rehearsed)
    assert capfd.readouterr() == ("", "")
    assert vars(basic) == before
    assert _runner.CONTEXT is context


def test_workers_share_what_is_loaded() -> None:
    gc.unfreeze()
    preload(rehearsed)
    assert gc.get_freeze_count() > 10_000
