# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make in .work/ee, without a container, what ansible-builder would put into an image.

builder/           ansible-builder
requirements.txt   what it finds that the collection asks for (introspect)
context/           what it would build from docs/execution-environment.yml (create)
environment/       ansible-core, ansible-runner and exactly these requirements
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / ".work" / "ee"
DEFINITION = ROOT / "docs" / "execution-environment.yml"


def make_venv(folder: pathlib.Path, *packages: str) -> None:
    """Make a virtual environment with these packages, unless it is there."""
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
        subprocess.run([*pip, *packages], check=True)
        (folder / "ready").touch()


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    make_venv(TARGET / "builder", "ansible-builder>=3.1")
    builder = str(TARGET / "builder" / "bin" / "ansible-builder")
    wanted, system = TARGET / "requirements.txt", TARGET / "bindep.txt"
    before = wanted.read_text(encoding="utf-8") if wanted.exists() else ""
    written = ["--write-pip", str(wanted), "--write-bindep", str(system)]
    subprocess.run(
        [builder, "introspect", *written, str(ROOT / ".work" / "dev")], check=True, stdout=subprocess.DEVNULL
    )
    context = [
        "--file",
        str(DEFINITION),
        "--context",
        str(TARGET / "context"),
        "--output-filename",
        "Containerfile",
    ]
    subprocess.run([builder, "create", *context], check=True, stdout=subprocess.DEVNULL)
    if wanted.read_text(encoding="utf-8") != before:
        (TARGET / "environment" / "ready").unlink(missing_ok=True)
    make_venv(TARGET / "environment", "ansible-core>=2.16", "ansible-runner>=2.4", "-r", str(wanted))
    print(TARGET)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
