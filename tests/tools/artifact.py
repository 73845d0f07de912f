# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's artifact and install it into a folder: `artifact.py FOLDER` makes FOLDER/ansible_collections/huaweicloud/recovery.

Only files that git knows or would add are taken, so nothing that lies about in a checkout gets into the artifact.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def copy_tree(target: pathlib.Path) -> None:
    """Copy the checkout without its ignored files to `target`, which is replaced."""
    shutil.rmtree(target, ignore_errors=True)
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    for name in filter(None, listing.split(b"\0")):
        source = ROOT / os.fsdecode(name)
        if source.is_file():  # a file deleted but not yet committed is still listed
            copy = target / os.fsdecode(name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def build(folder: pathlib.Path) -> pathlib.Path:
    """Build the artifact into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch) / "tree"
        copy_tree(tree)
        command = [
            "ansible-galaxy",
            "collection",
            "build",
            "--force",
            "--output-path",
            str(folder),
            str(tree),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return max(folder.glob("huaweicloud-recovery-*.tar.gz"), key=lambda path: path.stat().st_mtime)


def install(artifact: pathlib.Path, folder: pathlib.Path) -> None:
    """Install the artifact below `folder`, without asking any server."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        "ansible-galaxy",
        "collection",
        "install",
        "--offline",
        "--force",
        "--collections-path",
        str(folder),
        str(artifact),
    ]
    # Otherwise Ansible warns that the folder is not among its collection paths.
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)},
    )


def main() -> None:
    target = pathlib.Path(sys.argv[1]).absolute()
    artifact = build(target)
    install(artifact, target / "collections" if len(sys.argv) < 3 else pathlib.Path(sys.argv[2]).absolute())
    print(artifact)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
