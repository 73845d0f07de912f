# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of the guides do what the guides show."""

from __future__ import annotations

import pytest

from tests.guides import FOLDER, PAGES, outputs, plain


@pytest.mark.parametrize("name", PAGES)
def test_a_guide_shows_what_its_commands_print(name: str) -> None:
    page = (FOLDER / f"{name}.rst").read_text(encoding="utf-8")
    ran = 0
    for block, after, done, text in outputs(page):
        ran += 1
        assert (done.returncode != 0) == (block.note == "fails"), f"{block.text}\n{done.stdout}"
        if after:
            renew = f"Run `python3 tests/tools/run.py python -m tests.guides {name}`, and read the page."
            assert plain(after.text) == plain(text), f"{block.text}prints\n{text}\n{renew}"
    assert ran
