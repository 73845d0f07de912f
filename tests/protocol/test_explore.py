# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small exhaustive exploration: one fault and one kill anywhere. `make explore` runs the large one."""

from __future__ import annotations

import pytest

from tests.protocol import explore
from tests.protocol.explore import SETTINGS, Known, Setting, Visited
from tests.protocol.wrong import WRONG

# The setting and the number of faults that show each wrong client; for the others, setting 0 and one
WHERE = {"old_job_is_mine": (13, 2), "observe_then_post_again": (8, 1), "busy_then_post": (2, 1)}
ALONE = ("any_job_is_mine",)  # in no setting does somebody else work

# With old records: two runs at once for a cache, one after another for a database and for its metadata. The
# others are slow.
FIRST = [one for one in SETTINGS if one.past and one.fails and one.at_once is (one.kind == "restore")]
OTHERS = [pytest.param(one, marks=pytest.mark.slow) for one in SETTINGS if one not in FIRST]


@pytest.mark.parametrize("setting", [*FIRST, *OTHERS], ids=str)
def test_one_fault_and_one_kill_anywhere(setting: Setting) -> None:
    found = explore.explore(setting, 1, 1)
    assert not found.problems, "\n".join(found.problems)
    assert found.schedules > 100 and found.joined > 300 and found.states > 500
    assert all(found.outcomes[name] for name in ("succeeded", "killed", "outcome_unknown"))


@pytest.mark.parametrize("name", [name for name in WRONG if name not in ALONE])
def test_a_wrong_client_is_caught(name: str) -> None:
    number, faults = WHERE.get(name, (0, 1))
    found = explore.explore(SETTINGS[number], faults, 1, name, until_found=True)
    assert found.problems and ": bug:" not in found.problems[0], found


def test_a_state_is_not_played_again_with_no_more_faults_left() -> None:
    known = Known()
    known.enter(1, 1, 0)
    known.enter(1, 0, 1)
    for faults, kills in ((1, 0), (0, 1), (0, 0)):
        with pytest.raises(Visited):
            known.enter(1, faults, kills)
    known.enter(1, 2, 1)
    assert known.states == {1: ((2, 1),)}


def test_the_command_prints_numbers_and_replays_a_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["explore", "--faults", "0", "--setting", "0", "--processes", "1"])
    assert explore.main() == 0
    text = capsys.readouterr().out
    assert "schedules played to the end" in text and "wrong: 0" in text
    script = ["explore", "--setting", "0", "--script", "5:kill sent,8:500", "--verbose"]
    monkeypatch.setattr("sys.argv", script)
    assert explore.main() == 0
    text = capsys.readouterr().out
    assert "is killed with its POST under way" in text and "cloud: starts restore" in text
    assert text.endswith("nothing is wrong\n")
    monkeypatch.setattr("sys.argv", ["explore", "--setting", "0", "--script", "2:kill sent", "--verbose"])
    assert explore.main() == 0
    assert capsys.readouterr().out.endswith("does not fit this request\n")
    monkeypatch.setattr("sys.argv", ["explore", "--setting", "0", "--script", "5:kill"])
    with pytest.raises(SystemExit):
        explore.main()
    assert "5:kill is not NUMBER:NAME with one of" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*script, "--wrong", "no_marker"])
    assert explore.main() == 1
    assert "duplicate" in capsys.readouterr().out
