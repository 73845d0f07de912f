# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the importer of Galaxy and Automation Hub on the artifact.

It exits with 0 even after warnings, so this script reads its log and lets no warning pass.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

from tests.tools import artifact

WORK = pathlib.Path(os.environ["RECOVERY_WORK"]) / "certify"
# What Automation Hub asks for beyond Galaxy. The sanity tests run separately: the importer wants a
# container.
SETTINGS = """[galaxy-importer]
CHECK_REQUIRED_TAGS=True
REQUIRE_V1_OR_GREATER=True
RUN_ANSIBLE_TEST=False
RUN_ANSIBLE_LINT=True
RUN_FLAKE8=True
"""


def main() -> int:
    WORK.mkdir(parents=True, exist_ok=True)
    settings = WORK / "importer.cfg"
    settings.write_text(SETTINGS, encoding="utf-8")
    built = artifact.build(WORK)
    env = {**os.environ, "GALAXY_IMPORTER_CONFIG": str(settings)}
    command = [sys.executable, "-m", "galaxy_importer.main", str(built)]
    done = subprocess.run(command, cwd=WORK, env=env, check=False, capture_output=True, text=True)
    log = done.stdout + done.stderr
    lines = [line for line in log.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line)]
    # One asks for what the other forbids
    faults = [line for line in lines if not re.search(r"\bW50[34]\b", line)]
    print("\n".join(faults or [f"galaxy-importer accepts {built.name} without a warning."]))
    if done.returncode:
        print(log)
    return 1 if faults else done.returncode


if __name__ == "__main__":
    sys.exit(main())
