# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to AWX, followed literally: only its addresses are replaced."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml

from tests import guides, invoke
from tests.awx import jobs, project, rules
from tests.awx.controller import Controller
from tests.tools import ee

GUIDE = guides.FOLDER / "awx.rst"
ELSEWHERE = ("ansible-rulebook ",)  # run in tests/eda, because it runs for ever


def blocks() -> list[guides.Block]:
    """The blocks of the guide."""
    return guides.blocks(GUIDE.read_text(encoding="utf-8"))


def test_the_guide_is_followed(awx_collection: Path, tmp_path: Path) -> None:
    ee.make_venv(ee.TARGET / "builder", "ansible-builder>=3.1")
    home, desk = tmp_path / "home", tmp_path / "desk"
    installed = home / ".ansible" / "collections" / "ansible_collections"
    (installed / "huaweicloud").mkdir(parents=True)
    desk.mkdir()
    (installed / "huaweicloud" / "recovery").symlink_to(invoke.ROOT, target_is_directory=True)
    project.run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "recovery.git"))
    collection = project.collection_repository(tmp_path / "collection")
    replaced = {
        "https://git.example.com/recovery.git": f"file://{tmp_path}/recovery.git",
        'name: huaweicloud.recovery\n    version: ">=1.0.0"': f"name: {collection}\n    type: git",
        "collection install awx.awx": f"collection install {awx_collection}/ansible_collections/awx/awx",
        # There is no container engine: what would be built is made, and not built.
        "ansible-builder build --file execution-environment.yml --tag registry.example.com/recovery:1.0.0": (
            "ansible-builder create --file execution-environment.yml"
        ),
    }
    with Controller(tmp_path / "awx") as controller:
        values = {**controller.env, "HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "secret-of-the-guide"}
        env = {
            **project.GIT,
            "PATH": os.pathsep.join([str(jobs.BIN), str(ee.TARGET / "builder" / "bin"), os.environ["PATH"]]),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
        }
        commands = 0
        where = desk
        for block in blocks():
            text = block.text
            for old, new in replaced.items():
                text = text.replace(old, new)
            text = guides.EXPORT.sub(lambda one: f"export {one[1]}={values.pop(one[1])}", text)
            if block.note.startswith("file: "):
                (desk / block.note.removeprefix("file: ")).write_text(text, encoding="utf-8")
            if block.kind == "shell" and not text.startswith(ELSEWHERE):
                done = subprocess.run(
                    ["bash", "-e", "-c", f"{text}\npwd >{tmp_path}/where"],
                    cwd=where, env=env, capture_output=True, encoding="utf-8", check=False, timeout=600,
                )  # fmt: skip
                assert done.returncode == 0, text + done.stdout + done.stderr
                assert "secret-of-the-guide" not in done.stdout + done.stderr
                where = Path((tmp_path / "where").read_text(encoding="utf-8").strip())
                commands += 1
        assert (commands, values) == (5, {})
        assert (desk / "context" / "_build" / "requirements.yml").exists()
        named = set(re.findall(r"\*(Recovery [a-z ]+)\*", GUIDE.read_text(encoding="utf-8")))
        there = {
            row["name"] for rows in controller.objects.values() for row in rows.values() if "name" in row
        }
        assert named <= there, named - there
        assert [row["name"] for row in controller.objects["schedules"].values()] == ["Recovery readiness"]
        assert controller.problems == []


def test_the_sample_of_a_credential_type_is_accepted() -> None:
    (text,) = (block.text for block in blocks() if block.text.startswith("inputs:"))
    sample = yaml.safe_load(text)
    assert [
        *rules.inputs(sample["inputs"]),
        *rules.injectors(sample["injectors"], sample["inputs"]["fields"]),
    ] == []
