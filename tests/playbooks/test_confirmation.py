# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""restore_confirm in a terminal: nothing is sent before a person has read the plan and typed the ticket."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import tempfile
import time

import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

VARIABLES = {
    "restore_dcs": [{"instance_id": ids.DCS_INSTANCE}],
    "restore_point": "latest",
    "restore_operation_id": "CHG-1042",
    "restore_safety_backup": False,
    "restore_confirm": True,
    "restore_poll_interval": 1,
}
QUESTION = b"Overwrite 1 instance? Type CHG-1042 to go on:"


def in_terminal(sim: Simulator, typed: bytes) -> tuple[int, str]:
    """Run the playbook in a terminal, and type when it asks; return its exit code and its output."""
    ours, theirs = pty.openpty()
    seen, typed_at, end = b"", 0.0, time.monotonic() + 240
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [
            invoke._tool("ansible-playbook"),
            "huaweicloud.recovery.restore",
            "-e",
            json.dumps(VARIABLES),
        ]
        process = subprocess.Popen(
            command,
            env={**invoke.environment(home), **sim.env, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # Makes it the controlling terminal.
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
        )
        os.close(theirs)
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    seen += os.read(ours, 65536)
                except OSError:  # the other side is closed
                    break
            elif process.poll() is not None:
                break
            # What is typed before Ansible has prepared the terminal is lost, so a person types it once more.
            waiting = QUESTION in seen and len(seen.partition(QUESTION)[2]) <= 2 * len(typed)
            if waiting and time.monotonic() - typed_at > 3:
                assert sim.posts() == []
                os.write(ours, typed)
                typed_at = time.monotonic()
        else:
            process.kill()
        os.close(ours)
        assert typed_at, seen.decode(errors="replace")
        return process.wait(60), seen.decode(errors="replace")


@pytest.mark.parametrize(("typed", "posts"), [(b"CHG-1042\r", 1), (b"CHG-1041\r", 0)])
def test_a_person_is_asked(typed: bytes, posts: int) -> None:
    with Simulator(restore_seconds=1) as sim:
        code, seen = in_terminal(sim, typed)
        assert (len(sim.posts()), sim.errors) == (posts, [])
    assert seen.index("PLAN  CHG-1042") < seen.index("Overwrite 1 instance?")
    assert (code == 0) == bool(posts)
    assert posts or "The plan was not approved: CHG-1042 was not typed. Nothing was started." in seen
