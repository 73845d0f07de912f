# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The EXAMPLES of every module are run, and each YAML block of a README after <!-- runnable -->.

A block is a playbook, a list of tasks, or the variables of the playbook huaweicloud.recovery.restore.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import invoke
from tests.cloud import Simulator, scenario
from tests.cloud.data import caches
from tests.cloud.data.real import RealData
from tests.cloud.state import DcsBackup

RUNNABLE = re.compile(r"^<!-- runnable -->\n+```ya?ml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLAYBOOK = "huaweicloud.recovery.restore"
MAY = 1_747_700_000.0  # epoch seconds: a backup of May 2025, which the examples use
WAITING = ("dcs_backup", "dcs_restore", "ddm_metadata_recovery", "ddm_recovery", "restore_wait")
DOCUMENTS = [
    "README.md",
    "roles/restore/README.md",
    *(str(path.relative_to(invoke.ROOT)) for path in sorted((invoke.ROOT / "docs").glob("**/*.md"))),
]
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name in DOCUMENTS
    if (invoke.ROOT / name).exists()
    for number, block in enumerate(RUNNABLE.findall((invoke.ROOT / name).read_text(encoding="utf-8")), 1)
]


# The local cloud needs no ten seconds between two checks
DEFAULTS = {f"huaweicloud.recovery.{name}": {"poll_interval": 1} for name in WAITING}


def plays(block: list[Any]) -> list[Any]:
    """Return a block as a playbook: as it is, or as a play with this list of tasks."""
    if "hosts" not in block[0] and "import_playbook" not in json.dumps(block[0]):
        block = [{"hosts": "localhost", "gather_facts": False, "tasks": block}]
    return [
        {**play, "module_defaults": {**DEFAULTS, **play.get("module_defaults", {})}}
        if "hosts" in play
        else play
        for play in block
    ]


def run(block: Any, tmp_path: Path, data: RealData | None = None) -> invoke.Completed:
    with Simulator(data=data) as sim:
        old = DcsBackup(
            "8ba256cb-e5ac-44f6-a3da-c03d8f0e5025",
            scenario.DCS_INSTANCE,
            MAY,
            MAY + 600,
            "auto",
            "succeed",
            True,
        )
        sim.state.dcs_backups[old.id] = old
        args = []
        if data is not None:
            cache = data.caches[scenario.DCS_INSTANCE]
            cache.client().set("order:1", "paid")
            args = ["-e", json.dumps({"orders_cache_password": cache.password})]
        if isinstance(block, dict):
            (tmp_path / "vars.yml").write_text(yaml.safe_dump(block), encoding="utf-8")
            return invoke.playbook(
                PLAYBOOK,
                sim.env,
                "-e",
                f"@{tmp_path}/vars.yml",
                "-e",
                "restore_poll_interval=1",
                cwd=tmp_path,
            )
        return invoke.playbook(
            yaml.safe_dump(plays(block), sort_keys=False),
            sim.env,
            "-e",
            "restore_poll_interval=1",
            *args,
            cwd=tmp_path,
        )


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_the_documentation_runs(block: str, tmp_path: Path) -> None:
    done = run(yaml.safe_load(block), tmp_path)
    assert done.rc == 0, done.output


def test_every_readme_has_a_block_that_runs() -> None:
    for name in ("README.md", "roles/restore/README.md"):
        assert RUNNABLE.search((invoke.ROOT / name).read_text(encoding="utf-8")), name


def apart(examples: list[Any]) -> list[list[Any]]:
    """Split examples that do not build on each other, one cloud for each: a target can be restored once."""
    together = any("register" in task or "hosts" in task for task in examples)
    return [examples] if together else [[task] for task in examples]


@pytest.mark.parametrize("name", invoke.NAMES)
def test_the_examples_of_a_module_run(name: str, tmp_path: Path) -> None:
    examples = yaml.safe_load(invoke.load(name).EXAMPLES)
    with contextlib.ExitStack() as stack:
        data = None
        if name == "restore_verify":  # asks a cache, so there must be one
            binary = caches.find()
            if binary is None:
                pytest.skip("needs a server: apt-get install --no-install-recommends redis-tools")
            data = stack.enter_context(RealData(binary, None))
        done = [run(part, tmp_path, data) for part in apart(examples)]
    assert [one.rc for one in done] == [0] * len(done), "".join(one.output for one in done)
    assert f"huaweicloud.recovery.{name}" in {entry["action"] for one in done for entry in one.results}
