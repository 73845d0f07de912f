# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract, the fault matrix and the search for secrets, entered through the action.

On its own, each suite enters through the module.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import invoke

SUITES = [
    "contract/test_bad_input.py",
    "contract/test_returns.py",
    "redaction/test_modules.py",
    "faults/test_matrix.py",
    "faults/test_crossings.py",
]


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_suite(suite: str) -> None:
    path = os.pathsep.join([str(invoke.ROOT / ".work" / "dev"), str(invoke.ROOT)])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.in_process.through_action",
        "-q",
        f"tests/{suite}",
    ]
    done = subprocess.run(
        command,
        cwd=invoke.ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
