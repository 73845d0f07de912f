# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project: a git repository, its playbooks, and the collections that it requires.

ansible-galaxy installs these collections once for each revision.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PATTERN = ROOT / "extensions" / "patterns" / "restore"
# A file is a playbook when a line of it begins a play or an import (awx/main/utils/ansible.py)
PLAYBOOK = re.compile(r"^\s*-?\s*['\"]?(?:hosts|(?:ansible\.builtin\.)?import_playbook)['\"]?:", re.MULTILINE)
GIT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ALLOW_PROTOCOL": "file",
}


class SyncError(Exception):
    """A project that cannot be synchronised; the text is what the tool said."""


@dataclass
class Checkout:
    """A revision of a project on this machine."""

    revision: str
    folder: Path  # the files of the repository
    collections: Path  # the requirements in collections/requirements.yml
    playbooks: list[str] = field(default_factory=list)


def run(*command: str, cwd: Path | None = None) -> str:
    """Return what a command wrote."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **GIT}, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        raise SyncError(done.stdout + done.stderr)
    return done.stdout


def sync(url: str, branch: str, folder: Path) -> Checkout:
    """Bring a repository to a folder as AWX does: clone it, list its playbooks, install its requirements."""
    fresh = folder / "clone"
    shutil.rmtree(fresh, ignore_errors=True)
    run("git", "clone", "--quiet", *(["--branch", branch] if branch else []), url, str(fresh))
    revision = run("git", "rev-parse", "HEAD", cwd=fresh).strip()
    collections = folder / "collections" / revision
    wanted = fresh / "collections" / "requirements.yml"
    if wanted.exists() and not collections.exists():
        galaxy = str(Path(sys.executable).with_name("ansible-galaxy"))
        try:
            run(galaxy, "collection", "install", "-r", str(wanted), "-p", str(collections), cwd=fresh)
        except SyncError:
            shutil.rmtree(collections, ignore_errors=True)
            raise
    return Checkout(revision, fresh, collections, list(playbooks(fresh)))


def playbooks(folder: Path) -> list[str]:
    """Return the files that a job template of the project may name."""
    files = sorted(path for kind in ("yml", "yaml") for path in folder.rglob(f"*.{kind}"))
    found = [
        path
        for path in files
        if ".git" not in path.parts and PLAYBOOK.search(path.read_text(encoding="utf-8"))
    ]
    return [str(path.relative_to(folder)) for path in found]


def make_repository(folder: Path, collection: str, inventory: str) -> str:
    """Make a platform team's repository as the guide says, and return its git address."""
    folder.mkdir(parents=True)
    shutil.copytree(PATTERN / "playbooks", folder / "playbooks")
    (folder / "collections").mkdir()
    requirements = {"collections": [{"name": collection, "type": "git"}]}
    (folder / "collections" / "requirements.yml").write_text(yaml.safe_dump(requirements), encoding="utf-8")
    (folder / "fleet.huaweicloud.yml").write_text(inventory, encoding="utf-8")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    commit(folder, "Restore with huaweicloud.recovery")
    return f"file://{folder}"


def commit(folder: Path, subject: str) -> None:
    """Commit everything in a repository."""
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--allow-empty", "-m", subject, cwd=folder)


def collection_repository(folder: Path) -> str:
    """Return the git address of this collection as it is, uncommitted changes too."""
    run("git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(folder))
    changed = run("git", "ls-files", "-z", "--modified", "--others", "--exclude-standard", cwd=ROOT).split(
        "\0"
    )
    for name in filter(None, changed):
        target = folder / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        else:
            target.unlink(missing_ok=True)
    commit(folder, "The collection as it is")
    return f"git+file://{folder}"
