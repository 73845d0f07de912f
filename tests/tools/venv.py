# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make .venv with the development requirements.

Nothing is installed unless the requirements, the Python or the path have changed. This script runs on the
system's Python, with the standard library only.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import platform
import subprocess
import sys

# Written so that an old Python, too, can read it as far as this message.
if sys.version_info < (3, 11):
    sys.exit(
        "Python 3.11 or later is needed, this is %d.%d. Name another one: make PYTHON=python3.12 ..."
        % sys.version_info[:2]
    )

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / ".ready"
REQUIREMENTS = ROOT / "tests" / "requirements-dev.txt"
CONSTRAINTS = ROOT / "tests" / "constraints.txt"


def drop_spaces_from_scripts() -> None:
    """In a path with a space, let the scripts find Python through PATH.

    Ansible cannot start an interpreter whose path has a space.
    """
    for script in (VENV / "bin").iterdir():
        content = b"" if script.is_symlink() else script.read_bytes()
        if content.startswith(b"#!/bin/sh\n'''exec' ") and b"\n' '''\n" in content:
            script.write_bytes(b"#!/usr/bin/env python3\n" + content.split(b"\n' '''\n", 1)[1])


def main() -> None:
    os.chdir(ROOT)  # pip is given relative names only, so the path may hold anything
    place = f"{platform.python_version()} in {ROOT}"
    wanted = hashlib.sha256(
        b"".join(
            path.read_bytes() for path in (REQUIREMENTS, ROOT / "tests" / "requirements.txt", CONSTRAINTS)
        )
    ).hexdigest()
    had = STAMP.read_text(encoding="utf-8").splitlines() if STAMP.exists() else ["", ""]
    if had == [wanted, place]:
        return
    print("Preparing .venv (about a minute, more when packages have to be downloaded) ...", flush=True)
    if had[1:] != [place]:
        subprocess.run([sys.executable, "-m", "venv", "--clear", ".venv"], check=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    # The file has all dependencies of the tested Pythons. Without --no-deps, pip on another one would fail
    # on those that only this one needs.
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", "tests/constraints.txt"], check=True)
    if any(char.isspace() for char in str(ROOT)):
        drop_spaces_from_scripts()
    STAMP.write_text(wanted + "\n" + place, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
