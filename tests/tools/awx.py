# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the collection awx.awx to .work/awx, once.

It comes from the package `ansible` on PyPI, which holds it up to version 13.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / ".work" / "awx"
PACKAGE = "ansible==13.*"
PREFIX = "ansible_collections/awx/awx/"


def fetch(target: pathlib.Path) -> None:
    """Download the package, for which this Python may be too old, and unpack the one collection."""
    with tempfile.TemporaryDirectory(prefix="awx-") as scratch:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        wheel = ["--only-binary", ":all:", "--python-version", "3.12", "--dest", scratch, PACKAGE]
        subprocess.run([*pip, *wheel], check=True)
        (package,) = pathlib.Path(scratch).glob("*.whl")
        with zipfile.ZipFile(package) as archive:
            archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(PREFIX)])
        target.mkdir(parents=True, exist_ok=True)
        shutil.move(pathlib.Path(scratch) / "ansible_collections", target / "ansible_collections")


def main() -> None:
    if not (TARGET / PREFIX / "MANIFEST.json").exists():
        shutil.rmtree(TARGET, ignore_errors=True)
        fetch(TARGET)
    print(TARGET)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
