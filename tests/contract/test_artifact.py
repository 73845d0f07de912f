# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artifact holds tracked files only and has the same bytes from two clones.

A checkout that differs from its commit is refused.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from tests.tools.artifact import reproducible

ROOT = Path(__file__).resolve().parents[2]
ENV = {
    **os.environ,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}

PUBLISHED = {
    *("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"),
    *("FILES.json", "MANIFEST.json", ".ansible-lint", "changelogs", "docs", "extensions", "meta"),
    *("playbooks", "plugins", "roles", "tests"),
}


def clone(folder: Path) -> Path:
    """Clone the checkout with its changes committed, so that the present code is tested."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, env=ENV)
    difference = subprocess.run(
        ["git", "diff", "HEAD", "--binary"], cwd=ROOT, check=True, capture_output=True
    )
    if difference.stdout:
        subprocess.run(["git", "apply", "--index", "-"], cwd=folder, check=True, input=difference.stdout)
        date = "2026-01-31T03:00:00Z"
        env = {**ENV, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        subprocess.run(["git", "commit", "--quiet", "-m", "Changes"], cwd=folder, check=True, env=env)
    return folder


def build(checkout: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tests/tools/artifact.py", str(target)]
    return subprocess.run(command, cwd=checkout, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("artifact") / "one")


def packed(names: list[str], time: int, mode: int) -> bytes:
    """An artifact as ansible-galaxy makes it: its order, times, modes and users are those of the machine."""
    listing = {"files": [{"name": name} for name in names]}
    contents = {name: name.encode() for name in names}
    contents["FILES.json"] = json.dumps(listing).encode()
    contents["MANIFEST.json"] = b'{"file_manifest_file": {"chksum_sha256": ""}}'
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as packing:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), time, mode
            member.uid, member.uname = time, f"user{time}"
            packing.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=time)


def test_the_bytes_depend_on_the_files_and_the_commit_only() -> None:
    here, there = packed(["b", "a", "c"], 1000, 0o664), packed(["c", "b", "a"], 2000, 0o600)
    one = reproducible(here, 1_780_000_000)
    assert one == reproducible(there, 1_780_000_000) != reproducible(there, 1_780_000_001)
    assert (one[4:8], one[9]) == (bytes(4), 255), "the header of gzip holds no time and no system"
    with tarfile.open(fileobj=io.BytesIO(one)) as found:
        assert {(member.mtime, member.uid, member.mode) for member in found} == {(1_780_000_000, 0, 0o644)}


@pytest.mark.slow
def test_two_clones_make_the_same_bytes(checkout: Path, tmp_path: Path) -> None:
    other = clone(tmp_path / "a folder of another name")
    for path in sorted(other.rglob("*.py"), reverse=True):  # another order in the folder, other times
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    made = [build(where, tmp_path / name) for where, name in ((checkout, "x"), (other, "y"))]
    assert [done.returncode for done in made] == [0, 0], [done.stderr for done in made]
    one, two = (Path(done.stdout.strip()) for done in made)
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as found:
        assert len({member.mtime for member in found}) == 1
        assert {(member.uid, member.uname) for member in found} == {(0, "")}


def test_what_git_does_not_track_is_left_out_and_named(checkout: Path, tmp_path: Path) -> None:
    mine = checkout / "roles" / "restore" / "vars.yml"
    mine.write_text("secret_key: not for the world\n", encoding="utf-8")
    try:
        done = build(checkout, tmp_path)
    finally:
        mine.unlink()
    assert done.returncode == 0, done.stderr
    assert "roles/restore/vars.yml" in done.stderr
    with tarfile.open(done.stdout.strip()) as packed:
        names = packed.getnames()
    assert "roles/restore/vars.yml" not in names
    assert "roles/restore/tasks/main.yml" in names
    # Without it the importers would compile the plugins on Python 2.7, too.
    assert [name for name in names if name.startswith("tests")] == ["tests", "tests/config.yml"]
    assert {name.partition("/")[0] for name in names} == PUBLISHED


def test_what_git_ignores_is_not_packed() -> None:
    """Whoever builds with ansible-galaxy alone must not publish what tools and editors leave behind."""
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    of_ansible = ("#", "*.py", "__pycache__")
    names = [line.strip("/").replace("*", "x") for line in lines if not line.startswith(of_ansible)]
    assert "importer_result.json" in names
    assert [name for name in names if not any(fnmatch(name, one) for one in ignored)] == []


def test_a_changed_checkout_is_refused(checkout: Path, tmp_path: Path) -> None:
    readme = checkout / "README.md"
    before = readme.read_bytes()
    readme.write_bytes(before + b"\nOne more line.\n")
    try:
        done = build(checkout, tmp_path)
    finally:
        readme.write_bytes(before)
    assert done.returncode == 1
    assert "commit or stash" in done.stderr and "README.md" in done.stderr
    assert not list(tmp_path.glob("*.tar.gz"))
