# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of the guides and of README.md do what the page shows; somebody runs every block of a page."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import guides, invoke
from tests.cloud import Simulator, scenario
from tests.guides import ELSEWHERE, PAGES, Block, outputs, plain


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_commands_print(name: str) -> None:
    ran = 0
    for block, after, done, text in outputs(name):
        ran += 1
        assert (done.returncode != 0) == (block.note == "fails"), f"{block.text}\n{done.stdout}"
        if after:
            renew = f"Run `python3 tests/tools/run.py python -m tests.guides {Path(name).stem}`, and read it."
            assert plain(after.text) == plain(text), f"{block.text}prints\n{text}\n{renew}"
    assert ran


def pages() -> Iterator[tuple[str, list[Block]]]:
    """Every page that a reader sees, and its blocks. The guides in docs/*.md are made of docs/docsite."""
    made = {path.stem for path in guides.FOLDER.glob("*.rst")}
    folders = ("", "docs/", "roles/*/", "extensions/**/", "tests/", ".github/**/")
    for place in (*(f"{folder}*.md" for folder in folders), f"{guides.RST}*.rst"):
        for path in sorted(invoke.ROOT.glob(place)):
            name = str(path.relative_to(invoke.ROOT))
            if not (path.parent.name == "docs" and path.stem in made):
                yield name, guides.blocks(path.read_text(encoding="utf-8"))


def lines(block: Block) -> list[str]:
    return block.text.replace("\\\n", " ").splitlines()


def test_somebody_runs_every_block() -> None:
    """Give a new block a comment, as `tests/guides/__init__.py` says, or name its test in ELSEWHERE."""
    found = dict(pages())
    run = {line for name in PAGES for block in found[name] if block.kind == "shell" for line in lines(block)}
    idle = []
    for name, blocks in found.items():
        for number, block in enumerate(blocks):
            here = name in PAGES and (
                block.kind == "shell"
                or block.note.startswith(("file: ", "tried by: "))
                or (block.kind == "text" and blocks[number - 1].kind == "shell")
            )
            again = block.kind == "shell" and set(lines(block)) <= run
            if not (here or again or block.note == "runnable" or guides.elsewhere(name, block)):
                idle.append(f"{name}: {lines(block)[0]}")
    assert not idle, "\n".join(idle)
    for name, begins in ELSEWHERE.items():
        for begin in begins:
            assert any(block.text.startswith(begin) for block in found[name]), f"{name} has no block {begin}"


@pytest.mark.parametrize("path", sorted(invoke.ROOT.glob("playbooks/*.yml")), ids=lambda path: path.stem)
def test_the_head_of_a_playbook_shows_a_command_that_is_run(path: Path) -> None:
    """With the same playbook and options; the names of groups and reports are the reader's."""
    head = path.read_text(encoding="utf-8").partition("- name: ")[0].replace("\n# ", " ")
    shown = re.findall(r"(ansible-playbook huaweicloud\.recovery\.\w+)((?: -{1,2}[\w-]+ \S+)*)", head)
    blocks = [block for _name, found in pages() for block in found if block.kind == "shell"]
    run = [line for block in blocks for line in lines(block)]
    for command, options in shown:
        words = set(re.findall(r" -{1,2}[\w-]+", options))
        same = [line for line in run if line.startswith(f"{command} ")]
        assert any(all(word in line for word in words) for line in same), command


def test_the_module_of_the_recipe_works(tmp_path: Path) -> None:
    (block,) = guides.blocks((invoke.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    header = (invoke.ROOT / "plugins" / "modules" / "dcs_backup_info.py").read_text(encoding="utf-8")
    text = header.partition("from __future__")[0] + block.text
    assert len(text.splitlines()) < 60
    name = "dcs_restore_point_info"
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    with Simulator() as sim:
        env = {**invoke.environment(str(tmp_path)), **sim.env}
        command = f"ansible localhost -o -M . -m {name} -a instance_id={scenario.DCS_INSTANCE}"
        done = guides.run(command, tmp_path, env)
    assert done.returncode == 0, done.stdout
    points = json.loads(done.stdout.partition("=> ")[2])["points"]
    assert points and {"created_at", "is_support_restore"} == set(points[0])


def test_a_fault_by_hand_does_what_the_readme_of_the_tests_says(tmp_path: Path) -> None:
    """Without `run.py`, which some pairs of ansible-core and Python do not have, and with a short timeout."""
    found = guides.blocks((invoke.ROOT / "tests" / "README.md").read_text(encoding="utf-8"))
    (block,) = (block for block in found if block.text.startswith(guides.FAULTY))
    command = re.sub(
        r"wait_timeout=\d+", "wait_timeout=1", block.text.replace("python3 tests/tools/run.py ", "")
    )
    (tmp_path / ".work").mkdir()
    with Simulator() as sim:
        keys = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sim.env.items())
        (tmp_path / ".work" / "cloud.env").write_text(keys, encoding="utf-8")
        done = guides.run(command, tmp_path, {**os.environ, **invoke.environment(str(tmp_path))})
        (post,) = sim.posts("dcs.restore")
    assert '"error_kind": "outcome_unknown"' in done.stdout, done.stdout
    assert post.fault and post.handled is None


ACTIONS = {
    "dcs.instances": "dcs:instance:list",
    "dcs.instance": "dcs:instance:get",
    "dcs.backups": "dcs:instance:getDataBackupLog",
    "dcs.restores": "dcs:instance:getDataRestoreLog",
    "dcs.backup": "dcs:instance:backupData",
    "dcs.restore": "dcs:instance:restoreData",
    "ddm.instances": "ddm:instance:list",
    "ddm.instance": "ddm:instance:get",
}
BACKUP = {"instance_id": scenario.DCS_INSTANCE, "backup_id": scenario.DCS_BACKUP}


@pytest.mark.parametrize(
    ("module", "calls"),
    [
        ("dcs_instance_info", [{}, {"instance_id": scenario.DCS_INSTANCE}]),
        ("dcs_backup_info", [{"instance_id": scenario.DCS_INSTANCE}]),
        ("dcs_restore_info", [{"instance_id": scenario.DCS_INSTANCE}]),
        ("dcs_backup", [{"instance_id": scenario.DCS_INSTANCE, "wait": False}]),
        ("dcs_restore", [{**BACKUP, "wait": False}]),
        ("ddm_instance_info", [{}, {"instance_id": scenario.DDM_SOURCE}]),
    ],
)
def test_a_module_needs_the_permissions_that_the_guide_names(module: str, calls: list[Any]) -> None:
    page = (guides.FOLDER / "credentials.rst").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^  \* - ``{module}``\n    - (.*)$", page, re.MULTILINE)
    with Simulator("demo") as sim:
        for params in calls:
            assert not invoke.module(module, sim.env, **params)["failed"]
        used = {ACTIONS[entry.operation] for entry in sim.ledger}
    assert used == set(re.findall(r"``(\w+:\w+:\w+)``", row))
