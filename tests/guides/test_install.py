# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that install the collection, followed literally: from a small Galaxy, and from git."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guides, invoke
from tests.awx import project
from tests.guides import galaxy
from tests.tools import artifact

REPOSITORY = "https://github.com/huaweicloud-recovery/huaweicloud.recovery.git"
INLINE = re.compile(r"`(ansible-galaxy collection install [^`]+)`")


def commands(name: str) -> list[str]:
    """The commands of a page that install something, first its blocks, then those in its sentences."""
    page = (invoke.ROOT / name).read_text(encoding="utf-8")
    blocks = [one.text for one in guides.blocks(page) if guides.elsewhere(name, one) == "test_install.py"]
    return [*blocks, *INLINE.findall(page)]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a user who has nothing but Ansible. Packages are there, and no index is."""
    folder = tmp_path_factory.mktemp("install")
    built = artifact.build(folder)
    project.collection_repository(folder / "repository")
    with galaxy.serving(built) as url:
        yield {
            **project.GIT,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "LC_ALL": "C.UTF-8",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "ANSIBLE_GALAXY_SERVER": url,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{folder}/repository.insteadOf",
            "GIT_CONFIG_VALUE_0": REPOSITORY,
        }


@pytest.mark.parametrize("name", ["README.md", "docs/docsite/rst/getting_started.rst"])
def test_the_collection_is_installed_as_the_page_says(
    name: str, machine: dict[str, str], tmp_path: Path
) -> None:
    page = (invoke.ROOT / name).read_text(encoding="utf-8")
    for block in guides.blocks(page):
        if block.note == "file: requirements.yml":
            (tmp_path / "requirements.yml").write_text(block.text, encoding="utf-8")
    ran = commands(name)
    assert any("collection install huaweicloud.recovery" in command for command in ran)
    for number, command in enumerate(ran):
        home = tmp_path / f"home-{number}"
        home.mkdir()
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=tmp_path, env={**machine, "HOME": str(home)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, command + done.stdout + done.stderr
        installed = home / ".ansible" / "collections" / "ansible_collections" / "huaweicloud" / "recovery"
        assert (installed / "MANIFEST.json").exists(), command + done.stdout
        assert "Traceback" not in done.stdout + done.stderr
