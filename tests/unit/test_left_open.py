# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What compares the open files, sockets, threads and processes before and after each file of tests."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from tests import conftest


def test_what_stays_open_fails_the_file_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(conftest, "PATIENCE", 3)
    before, end = conftest.opened(), threading.Event()
    conftest.expect_closed(before, set())
    thread = threading.Thread(target=end.wait, name="left behind")
    command = [sys.executable, "-c", "input()"]
    with socket.socket(), subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        thread.start()
        try:
            with pytest.raises(pytest.fail.Exception) as caught:
                conftest.expect_closed(before, set())
        finally:
            end.set()
            thread.join()
            process.communicate(b"\n")
    for held in ("thread left behind", "socket:", f"process {process.pid}"):
        assert held in str(caught.value)
    conftest.expect_closed(before, set())


class Cycle:
    """It holds a file until it is collected."""

    def __init__(self) -> None:
        self.itself, self.number = self, os.open(os.devnull, os.O_RDONLY)

    def __del__(self) -> None:
        os.close(self.number)


def test_what_a_collection_closes_is_not_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    before = conftest.opened()
    Cycle()
    gc.freeze()  # as an action does
    conftest.expect_closed(before, set())
