# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source and the rulebook of the collection in ansible-rulebook, which needs Java 17."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

pytestmark = pytest.mark.slow
EDA = invoke.ROOT / ".work" / "eda" / "bin"
SECONDS = 240


@pytest.fixture(scope="module")
def rulebook() -> Path:
    """The program. Tests that need it are skipped without, but fail where it must be there."""
    if (EDA / "ansible-rulebook").exists() and shutil.which("java"):
        return EDA / "ansible-rulebook"
    why = "ansible-rulebook is not in .work/eda, or there is no Java 17: make eda"
    if os.environ.get("RECOVERY_EDA") == "required":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator("demo", restore_seconds=1, backup_seconds=1) as simulator:
        yield simulator
        assert simulator.errors == []


class Running:
    """ansible-rulebook in the background; what it has said so far is in `text`."""

    def __init__(
        self, program: Path, name: str, variables: dict[str, Any], env: dict[str, str], folder: Path
    ) -> None:
        (folder / "inventory.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}\n")
        (folder / "vars.yml").write_text(yaml.safe_dump(variables))
        self._log = folder / "log"
        home = folder / "home"
        home.mkdir()
        java = str(Path(str(shutil.which("java"))).resolve().parents[1])
        clean = {
            **invoke.environment(str(home)),
            "PATH": os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)]),
            "JAVA_HOME": java,
            **env,
        }
        command = [
            str(program),
            "--rulebook",
            name,
            "--inventory",
            "inventory.yml",
            "--vars",
            "vars.yml",
            "--print-events",
        ]
        with self._log.open("w") as stream:
            self._process = subprocess.Popen(
                command, cwd=folder, env=clean, stdout=stream, stderr=subprocess.STDOUT
            )

    @property
    def text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, what: str, times: int = 1) -> str:
        """Wait until the output holds a text so many times, and return the output."""
        limit = time.monotonic() + SECONDS
        while self.text.count(what) < times:
            assert time.monotonic() < limit and self._process.poll() is None, self.text
            time.sleep(0.5)
        return self.text

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def test_an_old_backup_starts_the_readiness_check(rulebook: Path, sim: Simulator, tmp_path: Path) -> None:
    """With the collection's rulebook the readiness run fails on the old backup, and restores nothing."""
    variables = {"recovery_instances": ["orders-cache"], "recovery_max_age": "30m", "recovery_interval": 1}
    running = Running(rulebook, "huaweicloud.recovery.recovery", variables, sim.env, tmp_path)
    try:
        text = running.wait_for("PLAY RECAP")
    finally:
        running.stop()
    assert "backup_too_old" in text
    repeated = text.count("run_playbook - ERROR")  # ansible-rulebook shows a run that failed once more
    assert text.count("PLAY [Find out whether a restore would work]") - repeated == 1
    assert sim.posts() == []
    for secret in (ids.SECRET_KEY, "Signature="):
        assert secret not in text


def test_two_alerts_are_one_restore(rulebook: Path, sim: Simulator, tmp_path: Path) -> None:
    """Two sources report the same backup, and two jobs start.

    The event's ID is the operation, so the second job has nothing to do.
    """
    source = {
        "huaweicloud.recovery.recovery": {"instances": ["orders-cache"], "interval": 1, "services": ["dcs"]}
    }
    action = {
        "run_playbook": {
            "name": "huaweicloud.recovery.restore",
            "extra_vars": {
                "restore_dcs": [
                    {
                        "instance_id": "{{ event.recovery.instance_id }}",
                        "backup_id": "{{ event.recovery.backup_id }}",
                    }
                ],
                "restore_operation_id": "{{ event.recovery.id }}",
                "restore_safety_backup": False,
                "restore_poll_interval": 1,
            },
        }
    }
    rules = [{"name": "Restore", "condition": 'event.recovery.event == "backup_finished"', "action": action}]
    book = [
        {
            "name": "Two",
            "hosts": "localhost",
            "gather_facts": False,
            "sources": [source, source],
            "rules": rules,
        }
    ]
    (tmp_path / "two.yml").write_text(yaml.safe_dump(book))
    running = Running(rulebook, "two.yml", {}, sim.env, tmp_path)
    try:
        limit = time.monotonic() + SECONDS
        while len({entry.number for entry in sim.requests("dcs.restores")}) < 2:
            assert time.monotonic() < limit, running.text
            time.sleep(0.5)
        made = invoke.module("dcs_backup", sim.env, instance_id=ids.DCS_INSTANCE, poll_interval=1)
        assert not made["failed"], made
        text = running.wait_for("PLAY RECAP", 2)
    finally:
        running.stop()
    assert len(sim.posts("dcs.restore")) == 1, text
    restored = sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from
    assert restored == made["backup_id"]
    assert json.dumps(text).count("failed=0") == 2
