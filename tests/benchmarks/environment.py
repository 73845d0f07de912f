# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks' own virtual environment, .work/bench: this collection, and those to which it is compared.

The package `ansible` brings community.general, amazon.aws and hetzner.hcloud. The rest is what they need,
and moto, a local stand-in for AWS.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.tools import artifact

ROOT = Path(__file__).resolve().parents[2]
# Ansible starts an asynchronous module by the path of its Python and does not quote it. So this folder is
# the one that tests/tools/run.py names, whose path has no space even where the repository's has one.
BENCH = Path(os.environ.get("RECOVERY_WORK", ROOT / ".work")) / "bench"
VENV = BENCH / "venv"
STAMP = VENV / ".ready"
COLLECTIONS = BENCH / "collections"
PACKAGES = [
    "ansible",
    "requests",
    "aiohttp",
    "trustme",
    "boto3",
    "moto[server,rds]",
    "keystoneauth1",
    "python-dateutil",
]


def prepare() -> None:
    """Make the environment unless it exists, and install this collection as users do.

    This takes some minutes and half a gigabyte.
    """
    artifact.install(artifact.build(COLLECTIONS.parent), COLLECTIONS)
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == " ".join(PACKAGES):
        return
    print("Preparing .work/bench (some minutes) ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    subprocess.run(
        [str(tool("python")), "-m", "pip", "--disable-pip-version-check", "install", "-qq", *PACKAGES],
        check=True,
    )
    STAMP.write_text(" ".join(PACKAGES), encoding="utf-8")


def tool(name: str) -> Path:
    return VENV / "bin" / name


def collections() -> Path:
    """The collections that this environment brings."""
    return next(VENV.glob("lib/python3*/site-packages/ansible_collections"))


def variables(home: Path) -> dict[str, str]:
    """The environment of a user who has this environment, this collection and nothing else."""
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(VENV / "bin"), os.defpath]),
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "127.0.0.1",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(home / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(home / "ansible" / "tmp"),
        "ANSIBLE_REMOTE_TMP": str(home / "ansible" / "remote"),
        "ANSIBLE_ASYNC_DIR": str(home / "ansible" / "async"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }


def bundle() -> Path:
    """The certificates that requests trusts by default in this environment."""
    done = subprocess.run(
        [str(tool("python")), "-c", "import certifi; print(certifi.where())"],
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(done.stdout.strip())
