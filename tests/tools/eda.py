# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the environment .work/eda with ansible-rulebook, once.

It also needs Java 17 or later (Debian: default-jre-headless).
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / ".work" / "eda"
PACKAGES = ("ansible-core>=2.16", "ansible-rulebook>=1.2", "requests>=2.28")


def main() -> None:
    if not (TARGET / "bin" / "ansible-rulebook").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(TARGET)], check=True)
        pip = [str(TARGET / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
        subprocess.run([*pip, *PACKAGES], check=True)
    print(TARGET)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
