# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller is killed in every step of the role, and the same command runs again: each restore was started once, the stack is right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

STACK = {
    "restore_ddm": [{"source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET}],
    "restore_dcs": [{"instance_id": ids.DCS_INSTANCE}],
    "restore_point": "latest",
    "restore_operation_id": "CHG-1042",
    "restore_poll_interval": 1,
}
PLAYBOOK = "huaweicloud.recovery.restore"
# The request after which the controller is killed, the how-manieth of its kind, and the verdict of the run that was killed
POINTS = {
    "plan": ("dcs.backups", 1, None),
    "safeguard, sent": ("dcs.backup", 1, "running"),
    "restore, sent to the database": ("ddm.recovery", 1, "running"),
    "wait for the database": ("ddm.job", 2, "running"),
    "restore, sent to the cache": ("dcs.restore", 1, "running"),
}


def killed(sim: Simulator, folder: Path, operation: str, count: int) -> None:
    """Run the playbook, and kill its whole process group once this request has been answered so often."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [
            invoke._tool("ansible-playbook"),
            PLAYBOOK,
            "-e",
            json.dumps({**STACK, "restore_report_dir": str(folder)}),
        ]
        with subprocess.Popen(
            command,
            env={**invoke.environment(home), **sim.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            while len(sim.requests(operation)) < count:
                assert process.poll() is None, f"it ended before {operation}"
                time.sleep(0.01)
            time.sleep(0.2)  # the answer is on its way
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_run_again(point: str, tmp_path: Path) -> None:
    operation, count, left = POINTS[point]
    with Simulator(restore_seconds=2) as sim:
        killed(sim, tmp_path, operation, count)
        found = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("*.json")]
        if left:
            assert [one["verdict"] for one in found] == [left]
        variables = json.dumps({**STACK, "restore_report_dir": str(tmp_path)})
        again = invoke.playbook(PLAYBOOK, sim.env, "-e", variables)
        assert again.rc == 0, again.output
        assert Counter(entry.operation for entry in sim.posts()) == {
            "dcs.backup": 1,
            "ddm.recovery": 1,
            "dcs.restore": 1,
        }
        assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == ids.DCS_BACKUP
        assert sim.state.ddm_instances[ids.DDM_TARGET].restored_to
        assert sim.errors == []
    (path,) = tmp_path.glob("*.json")
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["verdict"] in ("restored", "verified", "unchanged")
    assert (
        len(report["runs"]) == 2 or left is None
    )  # a worker may write its report before it sees that it is alone
    assert all(row["error_kind"] is None for row in report["restores"])
