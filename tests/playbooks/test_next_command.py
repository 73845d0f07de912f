# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command in a report works as it is written there; hanging tasks of the user time out."""

from __future__ import annotations

import json
import shlex
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

PLAYBOOK = "huaweicloud.recovery.restore"


def last_report(folder: Path) -> dict[str, Any]:
    """The report that was written last."""
    path = max(folder.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


class Locked(socketserver.StreamRequestHandler):
    """A cache that takes no password; once it is opened it answers every command."""

    opened = False

    def handle(self) -> None:
        for line in self.rfile:
            if line.startswith(b"*"):  # a command begins: its first word follows after its length
                ping = [self.rfile.readline(), self.rfile.readline()][1].strip() == b"PING"
                good = b"+PONG\r\n" if ping else b"+OK\r\n"
                self.wfile.write(good if Locked.opened else b"-WRONGPASS it is locked.\r\n")


@contextmanager
def caches() -> Iterator[dict[str, Any]]:
    """Serve caches that are locked or opened, and yield where they are, as `connection` of an entry."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Locked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"host": "127.0.0.1", "port": server.server_address[1], "password": "not-the-one"}
        server.shutdown()


def test_two_of_ten_fail_and_the_next_command_mends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Locked, "opened", True)
    bad = [ids.fleet_dcs_instance(3), ids.fleet_dcs_instance(7)]
    with caches() as place, Simulator("fleet-10-0", restore_seconds=1) as sim:
        given = {
            "restore_dcs": [
                {
                    "instance_id": ids.fleet_dcs_instance(n),
                    "backup_id": ids.fleet_dcs_backup(n),
                    "connection": place,
                    "checks": [{"ping": True}],
                }
                for n in range(10)
            ],
            "restore_operation_id": "CHG-1042",
            "restore_safety_backup": False,
            "restore_poll_interval": 1,
            "restore_report_dir": str(tmp_path / "reports"),
        }
        (tmp_path / "stack.yml").write_text(yaml.safe_dump(given), encoding="utf-8")
        for instance in bad:
            sim.fault("operation_fails", "dcs.restore", on=instance)
        first = invoke.playbook(PLAYBOOK, sim.env, "-e", "@stack.yml", cwd=tmp_path)
        assert first.rc == 2
        report = last_report(tmp_path / "reports")
        failed = [row for row in report["restores"] if row["error_kind"]]
        assert sorted(row["target"]["instance_id"] for row in failed) == sorted(bad)
        good = [row["data_state"] for row in report["restores"] if not row["error_kind"]]
        assert good == ["overwritten_verified"] * 8
        assert all("Unknown" in row["next"]["state"] and row["next"]["happened"] for row in failed)
        (command,) = {row["next"]["command"] for row in failed}
        words = shlex.split(command)
        assert words[:2] == ["ansible-playbook", PLAYBOOK]
        second = invoke.playbook(words[1], sim.env, *words[2:], cwd=tmp_path)
        assert second.rc == 0, second.output
        restored = Counter(entry.path.split("/")[-2] for entry in sim.posts("dcs.restore"))
        assert restored == {ids.fleet_dcs_instance(n): 2 if n in (3, 7) else 1 for n in range(10)}
        assert sim.errors == []
    last = last_report(tmp_path / "reports")
    assert (last["verdict"], {row["data_state"] for row in last["restores"]}) == (
        "verified",
        {"overwritten_verified"},
    )


def test_a_wrong_password_of_a_check_overwrites_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No data were read, so nothing shows that they are wrong."""
    with caches() as place, Simulator(restore_seconds=1) as sim:
        entry = {"instance_id": ids.DCS_INSTANCE, "backup_id": ids.DCS_BACKUP, "connection": place}
        given = {
            "restore_dcs": [{**entry, "checks": [{"ping": True}]}],
            "restore_safety_backup": False,
            "restore_poll_interval": 1,
            "restore_report_dir": str(tmp_path / "reports"),
        }
        (tmp_path / "stack.yml").write_text(yaml.safe_dump(given), encoding="utf-8")
        assert invoke.playbook(PLAYBOOK, sim.env, "-e", "@stack.yml", cwd=tmp_path).rc == 2
        (row,) = last_report(tmp_path / "reports")["restores"]
        assert (row["failed_step"], row["error_kind"]) == ("verify", "login_refused")
        assert "Correct user and password" in row["next"]["do"] and "could not be" in row["next"]["state"]
        assert "locked. It was tried once." in row["msg"]
        monkeypatch.setattr(Locked, "opened", True)
        words = shlex.split(row["next"]["command"])
        second = invoke.playbook(words[1], sim.env, *words[2:], cwd=tmp_path)
        assert (second.rc, sim.started("dcs.restore")) == (0, 1), second.output


def test_tasks_of_the_user_that_hang_end_with_their_timeout(tmp_path: Path) -> None:
    """Before the restore, nothing is touched then; after it, the data are restored."""
    hangs = [{"name": "Stop the shop", "ansible.builtin.wait_for": {"timeout": 60}, "timeout": 2}]
    (tmp_path / "hangs.yml").write_text(yaml.safe_dump(hangs), encoding="utf-8")
    given = {
        "restore_dcs": [{"instance_id": ids.DCS_INSTANCE, "backup_id": ids.DCS_BACKUP}],
        "restore_safety_backup": False,
        "restore_poll_interval": 1,
        "restore_report_dir": str(tmp_path),
    }
    with Simulator(restore_seconds=1) as sim:
        variables = json.dumps({**given, "restore_before_tasks": str(tmp_path / "hangs.yml")})
        assert invoke.playbook(PLAYBOOK, sim.env, "-e", variables).rc == 2
        assert sim.posts() == []
        report = last_report(tmp_path)
        assert report["verdict"] == "refused"
        assert "restore_before_tasks failed: Stop the shop: " in report["msg"]
        assert report["msg"].count("Nothing was started.") == 1

        variables = json.dumps({**given, "restore_after_tasks": str(tmp_path / "hangs.yml")})
        assert invoke.playbook(PLAYBOOK, sim.env, "-e", variables).rc == 2
        assert sim.started("dcs.restore") == 1
        (row,) = last_report(tmp_path)["restores"]
        assert (row["failed_step"], row["error_kind"]) == ("release", "release_failed")
        assert sim.errors == []
