# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No schedule starts a restore twice or loses one, and the schedules notice clients that do."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.cases import STARTS
from tests.protocol import ASSUMPTIONS, __main__
from tests.protocol.kinds import KINDS
from tests.protocol.many import many, some
from tests.protocol.scene import Work
from tests.protocol.schedule import Report, drawn, judge, play
from tests.protocol.wrong import WRONG

COUNT = 1_000  # seeds, about 9 ms of CPU each
SOAK = 1_000_000
# what a chunk must contain; otherwise the schedules have become harmless
MET = (
    "killed",
    "two runs at once",
    "adopted",
    "succeeded",
    "unchanged",
    "busy",
    "wait_timeout",
    "operation_failed",
    "outcome_unknown",
    "not_started",
    "throttled",
    "with a past",
    "with a wrong calendar",
    "with a calendar that jumps",
)


def test_the_schedules_start_all_that_can_be_started() -> None:
    played = {kind.name for kind in KINDS.values()}
    missing = set(STARTS) - played
    assert not missing, (
        f"no schedule starts {missing}: add it to KINDS of tests/protocol/kinds.py, and to draw() of "
        "schedule.py"
    )
    assert {drawn(seed)[0].rules.kind for seed in range(100)} == set(KINDS)


def test_nothing_is_started_twice_or_lost() -> None:
    summary = some(0, COUNT, None)
    assert not summary.found, summary.text()
    assert all(summary.outcomes[name] for name in MET), summary.text()


@pytest.mark.slow
def test_nothing_is_started_twice_or_lost_in_a_million() -> None:
    summary = many(COUNT, SOAK, os.cpu_count() or 1)
    print(summary.text())
    assert not summary.found, summary.text()


# The search for the first schedule that shows a client begins here, where it would be long from 0.
BEFORE = {"one_observation": 740, "transport_retries": 170, "any_job_is_mine": 1_370}
# The seeds of recoveries of metadata that show it; the other clients are wrong for a cache alone.
OF_METADATA = {
    "post_again_on_5xx": 77,
    "busy_then_post": 468,
    "no_reconcile": 77,
    "transport_retries": 572,
    "adopt_nothing": 490,
    "observe_then_post_again": 572,
    "old_job_is_mine": 415,
    "any_job_is_mine": 1_371,
    "send_after_the_deadline": 42,
    "ordinary": 77,
}


def test_the_search_begins_later_only_for_clients_that_exist() -> None:
    assert {*BEFORE, *OF_METADATA} <= WRONG.keys()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_client_is_caught(name: str) -> None:
    """By what the cloud did and the task reported, and not only by the POSTs."""
    first = BEFORE.get(name, 0)
    with WRONG[name]():
        caught = next(
            (
                seed
                for seed in range(first, first + 2_000)
                if {problem for problem, dummy in play(seed).problems} - {"repeated", "bug"}
            ),
            None,
        )
    assert caught is not None


@pytest.mark.parametrize(("name", "seed"), OF_METADATA.items())
def test_a_wrong_client_is_caught_that_recovers_metadata(name: str, seed: int) -> None:
    assert drawn(seed)[0].rules.kind == "metadata"
    with WRONG[name]():
        assert {problem for problem, dummy in play(seed).problems} - {"repeated", "bug"}
    assert not play(seed).problems


@pytest.mark.parametrize(
    ("others", "duplicate"),
    [
        ([("A", 0.0)], True),
        ([("A", 50.0)], False),  # after what the run knew when it sent
        ([("A", 0.0), ("B", 50.0)], True),
        ([("A", 0.0), ("A", 50.0)], True),
        ([("B", 0.0), ("A", 50.0)], False),
        ([("B", 0.0), ("B", 50.0)], False),
    ],
)
def test_only_what_a_run_could_not_see_excuses_a_duplicate(
    others: list[tuple[str, float]], duplicate: bool
) -> None:
    """A backup of another operation in between excuses nothing."""
    history = [
        Work(
            kind="backup",
            item=cast(Any, SimpleNamespace(id=f"{number}", held=KINDS["backup"].instance)),
            owner=SimpleNamespace(name=f"run {number}", operation=operation),
            accepted=accepted,
            seconds=1.0,
            settle=0.0,
            fails=False,
            confirmed=5.0,
        )
        for number, (operation, accepted) in enumerate([*others, ("A", 52.0)])
    ]
    world = SimpleNamespace(scene=SimpleNamespace(history=history))
    rules = SimpleNamespace(kind="backup", stripped=False, blind=0.0)
    story, report = SimpleNamespace(rules=rules, faults=SimpleNamespace(timeout=5.0)), Report(1, "backup")
    judge(cast(Any, world), cast(Any, story), [], report)
    last = [
        text for name, text in report.problems if name == "duplicate" and text.startswith(f"{len(others)} ")
    ]
    assert bool(last) is duplicate, report.problems


@pytest.mark.parametrize("seed", [30638195, 30744768])
def test_a_page_after_a_wrong_one_shows_a_client_nothing(seed: int) -> None:
    """A row is repeated on one page, so the next page seems to lack one: the client must use neither."""
    assert play(seed).problems == []


def test_other_work_begins_when_the_status_shows_no_restore() -> None:
    """With an old status, a job of unknown name would be taken for the restore that has just ended."""
    assert play(41611470).problems == []


def test_a_schedule_replays_from_its_seed() -> None:
    with WRONG["no_marker"]():
        seed = next(seed for seed in range(2_000) if play(seed).problems)
    reports = []
    for dummy in range(2):
        with WRONG["no_marker"]():
            reports.append(play(seed, verbose=True))
    assert reports[0].trace == reports[1].trace
    assert reports[0].problems == reports[1].problems != []
    assert any("POST" in line for line in reports[0].trace)


def test_the_command_prints_what_happened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["schedules", "--seed", "1", "--verbose"])
    assert __main__.main() == 0
    assert "lane 0 run 0 begins" in capsys.readouterr().out
    monkeypatch.setattr(
        "sys.argv", ["schedules", "--count", "100", "--processes", "1", "--wrong", "no_marker"]
    )
    assert __main__.main() == 1
    assert "--wrong no_marker --seed" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["schedules", "--count", "60", "--processes", "1", "--kind", "metadata"])
    played = sum(drawn(seed)[0].rules.kind == "metadata" for seed in range(60))
    assert __main__.main() == 0
    assert capsys.readouterr().out.startswith(f"{played} schedules in ")
    monkeypatch.setattr("sys.argv", ["schedules", "--assumptions"])
    assert __main__.main() == 0
    assert capsys.readouterr().out.strip() == ASSUMPTIONS.strip()
