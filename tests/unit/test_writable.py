# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else can write a file that decides what is restored, when links lead to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._writable import (
    anybody_can_write,
    folders_to,
    others_can_write,
)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o755])
@pytest.mark.parametrize(
    "path", ["open/plan.json", "open/safe/plan.json", "safe/link", "safe/../open/x/plan.json"]
)
def test_a_link_that_anybody_can_replace_is_as_good_as_its_file(tmp_path: Path, mode: int, path: str) -> None:
    (tmp_path / "safe").mkdir(mode=0o700)
    (tmp_path / "safe" / "plan.json").write_text("{}")
    (tmp_path / "open" / "x").mkdir(parents=True)
    (tmp_path / "open" / "plan.json").symlink_to(tmp_path / "safe" / "plan.json")
    (tmp_path / "open" / "safe").symlink_to("../safe")
    (tmp_path / "open" / "x" / "plan.json").symlink_to("../plan.json")
    (tmp_path / "safe" / "link").symlink_to("../open/plan.json")
    (tmp_path / "open").chmod(mode)
    why = anybody_can_write(f"{tmp_path}/{path}")
    assert (why is not None) is (mode == 0o777) and (why is None or "open above it can be written" in why)
    folder = others_can_write(f"{tmp_path}/open/safe", "x")
    assert (folder is not None) is (mode == 0o777)


def test_a_link_to_itself_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert others_can_write(str(tmp_path / "loop"), "x") is None


def test_the_folders_above_a_relative_path_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "open" / "x").mkdir(parents=True)
    (tmp_path / "open" / "x" / "plan.json").write_text("{}")
    (tmp_path / "open").chmod(0o777)
    monkeypatch.chdir(tmp_path / "open" / "x")
    assert "open above it can be written" in str(anybody_can_write("plan.json"))


def test_links_that_lead_through_one_another_are_followed_once(tmp_path: Path) -> None:
    """One by one, each further link would take four times as long."""
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "same").symlink_to(".")
    for number in range(1, 13):
        (tmp_path / str(number)).symlink_to(tmp_path / str(number - 1) / "same" / "same")
    assert len(list(folders_to(str(tmp_path / "12" / "plan.json")))) < 1000
