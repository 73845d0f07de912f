# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of the tests: complete on every tested Python, and usable wherever the repository lies."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

PYTHONS = [
    {"python_version": version, "python_full_version": f"{version}.0", "extra": ""}
    for version in ("3.11", "3.12", "3.13")
]


def test_no_dependency_of_another_python_is_left_out() -> None:
    """It is installed without dependencies. That of Debian 12 is 3.11.2, on which redis needs one more."""
    text = (invoke.ROOT / "tests" / "constraints.txt").read_text(encoding="utf-8")
    listed = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    left_out, read = set(), 0
    for name in listed:
        for found in metadata.distributions(name=name):
            needed = [Requirement(one) for one in found.requires or ()]
            read += 1
            left_out |= {
                canonicalize_name(one.name)
                for one in needed
                if f"{name}=={found.version}" in text.lower().replace("_", "-")
                and (one.marker is None or any(map(one.marker.evaluate, PYTHONS)))
            }
    assert read > 50
    assert left_out - listed == set()


def test_a_module_runs_in_a_repository_whose_path_holds_a_space(tmp_path: Path) -> None:
    """Not every tool can bear such a path, so run.py enters the repository through a link."""
    root = tmp_path / "my projects" / "recovery"
    for part in ("plugins", "meta", "tests/tools"):
        shutil.copytree(invoke.ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    run = [sys.executable, str(root / "tests" / "tools" / "run.py")]
    with Simulator() as sim:
        options = {name.removeprefix("HW_").lower(): value for name, value in sim.env.items()}
        given = {"region": options.pop("region_name"), **options, "instance_id": ids.DCS_INSTANCE}
        call = ["ansible", "localhost", "-m", "huaweicloud.recovery.dcs_backup_info", "-a", json.dumps(given)]
        done = subprocess.run(
            [*run, "sh", "-c", 'pwd; exec "$@"', "sh", *call],
            env={**os.environ, "RECOVERY_VENV": sys.prefix, "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, len(sim.requests("dcs.backups"))) == (0, 1), done.stdout + done.stderr
    assert ids.DCS_BACKUP in done.stdout
    assert " " not in done.stdout.splitlines()[0], "the folder in which the command ran"
