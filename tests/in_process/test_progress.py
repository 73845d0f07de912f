# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task shows while it waits: when, what, where, and where not."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _runner
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotFound
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import (
    Status,
    Watch,
    wait_until,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._progress import (
    Progress,
    compact_duration,
    percent,
)
from tests import guides, invoke
from tests.cases import CASES, STARTS
from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.in_process import runs
from tests.unit.fakes import redacting

PLAY = runs.HERE / "plays" / "progress.yml"
INSTANCE = "cache-1"
REDACTOR = redacting({"top-secret-1"})


class Run:
    """A wait in which only sleep takes time. It checks for a line every second, as the thread does."""

    def __init__(self, quiet: bool = False) -> None:
        self.now = 1000.0
        self.lines: list[str] = []
        self.times: list[float] = []
        self.progress = Progress(self.say, "web", REDACTOR, quiet, monotonic=lambda: self.now)

    def say(self, line: str) -> None:
        self.lines.append(line.removeprefix("huaweicloud.recovery: [web] "))
        self.times.append(self.now - 1000.0)

    def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1.0)
            self.progress.tick()

    def wait(
        self, *looks: Callable[[float], Status], timeout: float = 10_000, interval: float = 10
    ) -> list[str]:
        def watch(number: int, look: Callable[[float], Status]) -> Watch:
            restore_id = f"restore-{number}"
            return Watch(
                f"DCS restore {restore_id}",
                {"restore_id": restore_id, "instance_id": INSTANCE},
                lambda: look(self.now - 1000.0),
            )

        watches = [watch(number, look) for number, look in enumerate(looks)]
        with contextlib.closing(self.progress) as progress:
            if len(watches) == 1:
                progress(watches)  # as the module does when the POST is answered
            wait_until(
                watches,
                timeout,
                interval,
                Clock(monotonic=lambda: self.now, sleep=self.sleep, random=lambda: 0.0),
                progress,
            )
        return self.lines


def linear(seconds: float, busy: float = 0.0, begin: float = 0.0) -> Callable[[float], Status]:
    """A restore that waits, runs at one speed, and keeps its instance busy after its record has ended."""

    def look(now: float) -> Status:
        if now < begin:
            return Status("running", "waiting", "0.00")
        done = min(100.0, 100 * (now - begin) / seconds)
        return Status(
            "running" if now < begin + seconds + busy else "succeeded",
            "restoring" if done < 100 else "succeed",
            f"{done:.2f}",
        )

    return look


def test_one_wait_from_its_beginning_to_its_end() -> None:
    assert Run().wait(linear(100, busy=10, begin=80), interval=20) == [
        "DCS restore restore-0 is accepted: restore_id restore-0",
        "waiting, 0 %, 0s elapsed (restore restore-0 of instance cache-1)",
        "waiting, 0 %, 1m00s elapsed (restore restore-0 of instance cache-1)",
        "restoring, 0 %, 1m20s elapsed (restore restore-0 of instance cache-1)",
        "restoring, 20 %, 1m40s elapsed, about 1m20s left (restore restore-0 of instance cache-1)",
        "restoring, 40 %, 2m00s elapsed, about 1m00s left (restore restore-0 of instance cache-1)",
        "restoring, 60 %, 2m20s elapsed, about 40s left (restore restore-0 of instance cache-1)",
        "restoring, 80 %, 2m40s elapsed, about 20s left (restore restore-0 of instance cache-1)",
        "succeed, waiting for the instance, 100 %, 3m00s elapsed (restore restore-0 of instance cache-1)",
        "succeed, 100 %, 3m20s elapsed (restore restore-0 of instance cache-1)",
    ]


@pytest.mark.parametrize("interval", [1, 10, 59, 60, 61, 600, 3600])
def test_no_minute_without_a_line(interval: int) -> None:
    run = Run()
    run.wait(linear(900, begin=300), interval=interval)
    gaps = [later - earlier for earlier, later in zip(run.times, run.times[1:], strict=False)]
    assert run.times[0] == 0 and max(gaps) <= 60
    assert (
        len(run.lines) <= 3 + 1200 / interval + (1200 + interval) / 60
    )  # a line for each change, and one for each minute


def test_a_fleet_has_one_display() -> None:
    def gone(now: float) -> Status:
        raise NotFound("Not among the records.")

    def failing(now: float) -> Status:
        return Status("running" if now < 20 else "failed", "restoring", "50.00", error_code="dcs.08.0007")

    assert Run().wait(linear(40), linear(100, begin=30), failing, gone, interval=20, timeout=100) == [
        "0 of 4 restores ended (0 failed), the slowest at 0 %, 0s elapsed",
        "DCS restore restore-2: operation_failed, 22s elapsed",
        "1 of 4 restores ended (1 failed), the slowest at 0 %, 22s elapsed",
        "2 of 4 restores ended (1 failed), the slowest at 0 %, 42s elapsed",
    ]
    assert Run().wait(linear(40), linear(100), interval=20)[:2] == [
        "0 of 2 restores ended (0 failed), the slowest at 0 %, 0s elapsed",
        "0 of 2 restores ended (0 failed), the slowest at 20 %, 20s elapsed, about 1m20s left",
    ]


def test_a_large_fleet_does_not_flood() -> None:
    run = Run()
    run.wait(*(linear(100 + number) for number in range(200)), interval=1)
    assert run.lines[-1] == "200 of 200 restores ended (0 failed), 5m00s elapsed"
    assert 40 < len(run.lines) < 80


def test_the_search_after_a_lost_response_is_shown() -> None:
    """Until an ID is found there is nothing to watch, but a line is shown every minute."""
    run, name = Run(), "Restore of backup b to DCS instance cache-1"
    with contextlib.closing(run.progress) as progress:
        progress([Watch(name, {}, lambda: Status("running", None))])
        run.sleep(130.0)
        progress([Watch(name, {"restore_id": "r"}, lambda: Status("running", None))])
    assert run.lines == [
        *(
            "no conclusive response was received, checking whether the cloud accepted the request, "
            f"{elapsed} elapsed ({name})"
            for elapsed in ("0s", "1m00s", "2m00s")
        ),
        f"{name} is accepted: restore_id r",
    ]


def test_nothing_is_shown_when_progress_is_off() -> None:
    quiet = Run(quiet=True)
    assert quiet.wait(linear(100)) == []


@pytest.mark.parametrize(
    "status, shown",
    [
        (Status("running", None), "unknown"),
        (Status("running", "", "half"), "unknown"),
        (Status("running", "new", "45%"), "new, 45 %"),
        (Status("running", "new", "1e3"), "new"),
        (Status("running", "new", "101"), "new"),
        (Status("running", "two\nlines \x1b[2J\u202e", "-1"), "two\\nlines \\x1b[2J\\u202e"),
        (Status("running", "x" * 50), "x" * 40 + "..."),
        (Status("running", "it is top-secret-1 and so on"), "it is ******** and so on"),
    ],
)
def test_what_the_cloud_says_is_not_trusted(status: Status, shown: str) -> None:
    assert (
        Run().wait(lambda now: status, timeout=5)[1]
        == f"{shown}, 0s elapsed (restore restore-0 of instance cache-1)"
    )


def test_a_thread_shows_a_line_each_minute_and_ends_with_the_task() -> None:
    lines: list[str] = []
    before = threading.active_count()
    with contextlib.closing(
        Progress(lines.append, "web", REDACTOR, monotonic=lambda: time.monotonic() * 100)
    ) as progress:
        watch = Watch("DCS restore r", {"restore_id": "r"}, lambda: Status("running", "restoring"))
        watch.take(0.0, 0.0, 10.0, 0.5)
        progress([watch])
        deadline = time.monotonic() + 30
        while len(lines) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert threading.active_count() == before
    assert [re.sub(r"\d+m\d+s", "...", line) for line in lines[:2]] == [
        "huaweicloud.recovery: [web] restoring, 0s elapsed (DCS restore r)",
        "huaweicloud.recovery: [web] restoring, ... elapsed (DCS restore r)",
    ]


def test_a_broken_display_does_not_end_a_wait() -> None:
    run = Run()
    run.progress = Progress(
        mock.Mock(side_effect=BrokenPipeError), "web", REDACTOR, monotonic=lambda: run.now
    )
    assert run.wait(linear(100)) == [] and run.now > 1100


def test_numbers() -> None:
    assert [percent(value) for value in ("0", "45.00", "60%", "100 %", None, "", "100.5", "٣", "0x1")] == [
        0,
        45,
        60,
        100,
        None,
        None,
        None,
        None,
        None,
    ]
    assert [compact_duration(seconds) for seconds in (0.4, 59.4, 59.6, 3599, 3600, 4500)] == [
        "0s",
        "59s",
        "1m00s",
        "59m59s",
        "1h00m",
        "1h15m",
    ]


@pytest.mark.parametrize("name", STARTS)
def test_the_id_is_shown_as_soon_as_the_post_is_accepted(name: str, sim: Simulator) -> None:
    shown: list[tuple[str, str]] = []

    def say(line: str) -> None:
        shown.append((line, sim.ledger[-1].method))

    with (
        contextlib.closing(Progress(say, "web", REDACTOR)) as progress,
        mock.patch.dict(_runner.CONTEXT, progress=progress),
    ):
        result = invoke.module(name, sim.env, wait=False, **CASES[name].good)
    ((line, last),) = shown
    key = CASES[name].key
    assert last == "POST" and line.endswith(f" is accepted: {key} {result[key]}")


# Through Ansible

LOST = "no conclusive response was received, checking whether the cloud accepted the request, "
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LINE = re.compile(
    r"huaweicloud\.recovery:(?: \[(one|two|localhost)\])? "
    rf"(?:(?:Restore of backup {UUID} to|Backup of) DCS instance \S+ \({UUID}\) is accepted: "
    rf"(?:restore|backup)_id {UUID}"
    r"|(\w+)(?:, waiting for the instance)?, [\d.]+ %, (?:\d+m)?\d+s elapsed(?:, about (?:\d+m)?\d+s left)? "
    rf"\(restore {UUID} of instance {UUID}\))"
)
ANSIBLE = re.compile(r"(?:PLAY|TASK) .*\*\*\*|(?:ok|changed): \[\w+\]|PLAY RECAP \*+|\w+ +: ok=.*|")


def check(output: str) -> None:
    """Every line is whole, and each host shows only its own."""
    lines = output.splitlines()
    assert [line for line in lines if not LINE.fullmatch(line) and not ANSIBLE.fullmatch(line)] == []
    said = {
        host: [found[2] for line in lines if (found := LINE.fullmatch(line)) and found[1] == host]
        for host in ("one", "two")
    }
    assert (said["two"][0], said["two"][-1]) == (None, "succeed") and set(said["two"]) <= {
        None,
        "waiting",
        "restoring",
        "succeed",
    }
    assert said["one"][0] is None and said["one"][-1] == "succeed"
    (backup,) = (line for line in lines if "Backup of" in line)
    assert backup.startswith("huaweicloud.recovery: Backup of")  # run_once: it concerns no host in particular


def test_the_guide_shows_such_lines() -> None:
    """It shows a restore of minutes, which no test waits for."""
    page = (guides.FOLDER / "in_process.rst").read_text(encoding="utf-8")
    whole, lost = (block.text.splitlines() for block in guides.blocks(page) if block.kind == "text")
    assert [line for line in whole if not LINE.fullmatch(line) and not ANSIBLE.fullmatch(line)] == []
    named = re.search(rf"Restore of backup {UUID} to DCS instance \S+ \({UUID}\)", whole[3])
    assert named and lost == [f"huaweicloud.recovery: [localhost] {LOST}0s elapsed ({named[0]})"]


def terminal(command: list[str], home: Path, env: dict[str, str]) -> str:
    """What a command writes to a terminal, without colours."""

    def chunks() -> Iterator[bytes]:
        with contextlib.suppress(OSError):  # the end of a terminal
            while chunk := os.read(ours, 65536):
                yield chunk

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, env=env, cwd=home, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        text = b"".join(chunks()).decode()
    os.close(ours)
    assert process.returncode == 0, text
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_what_a_person_sees(sim: Simulator, tmp_path: Path) -> None:
    command = [*runs.tool("ansible-playbook"), str(PLAY), "-e", json.dumps(runs.IDS), "--forks", "2"]
    env = {
        name: value for name, value in runs.settings(tmp_path, sim.env).items() if name != "ANSIBLE_NOCOLOR"
    }
    shown = terminal(command, tmp_path, {**env, "TERM": "xterm", "ANSIBLE_STDOUT_CALLBACK": "default"})
    check(shown)
    assert "\r\n" in shown


def test_what_a_program_reads(sim: Simulator, tmp_path: Path) -> None:
    done = runs.play(
        PLAY,
        tmp_path,
        sim,
        "--forks",
        "2",
        env={**sim.env, "ANSIBLE_STDOUT_CALLBACK": "oneline", "ANSIBLE_DEPRECATION_WARNINGS": "0"},
    )
    assert done.rc == 0, done.output
    assert "huaweicloud.recovery: " not in done.stdout
    check(done.stderr)


def test_what_is_shown_after_a_lost_response(sim: Simulator) -> None:
    """The first restore is found after a while, the second never. Two others show no progress."""
    sim.state.settings.visibility_seconds = 1.5
    sim.fault("reset", "dcs.restore", when="after")
    sim.fault("reset", "dcs.restore", times=None, when="before")
    found = {
        "instance_id": ids.DCS_INSTANCE,
        "backup_id": ids.DCS_BACKUP,
        "poll_interval": 1,
        "wait_timeout": 30,
    }
    never = {"instance_id": ids.DCS_OTHER, "backup_id": ids.DCS_BACKUP_OTHER, "wait_timeout": 1}
    keywords: list[dict[str, Any]] = [
        {},
        {},
        {"no_log": True},
        {"vars": {"huaweicloud_recovery_progress": False}},
    ]
    tasks = [
        {
            "name": "restore",
            "huaweicloud.recovery.dcs_restore": never if number else found,
            "ignore_errors": True,
            **more,
        }
        for number, more in enumerate(keywords)
    ]
    done = invoke.playbook(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], indent=1), sim.env
    )
    assert len(sim.posts("dcs.restore")) == 4
    # no_log censors the third.
    assert [result.get("error_kind") for result in done.of("restore")] == [
        None,
        "outcome_unknown",
        None,
        "outcome_unknown",
    ]
    assert [secret for secret in runs.SECRETS if secret in done.output] == []
    said = [
        line.removeprefix("huaweicloud.recovery: [localhost] ")
        for line in done.output.splitlines()
        if line.startswith("huaweicloud.recovery: ")
    ]
    looking = (
        "no conclusive response was received, checking whether the cloud accepted the request, 0s elapsed "
        "(Restore of backup {} to DCS instance {})"
    )
    cache, other = f"orders-cache ({ids.DCS_INSTANCE})", f"reports-cache ({ids.DCS_OTHER})"
    name = f"Restore of backup {ids.DCS_BACKUP} to DCS instance {cache}"
    assert said[:2] == [
        looking.format(ids.DCS_BACKUP, cache),
        f"{name} is already running, and the task waits for it: "
        f"restore_id {done.of('restore')[0]['restore_id']}",
    ]
    assert said[-1] == looking.format(ids.DCS_BACKUP_OTHER, other)
    assert sum(line.startswith("no conclusive response") for line in said) == 2
