# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one command in the development environment: `run.py COMMAND ARGUMENT...`

This is the only place that knows about that environment. The repository's venv comes first on PATH, Ansible
keeps its files under .work, and finds the checkout there as a collection. The caller's real credentials stay
outside. A repository whose path holds a space is entered through a link without one.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Tests talk to the local cloud only. A developer's own keys and Ansible settings must not reach them.
FOREIGN = ("HW_", "HUAWEICLOUD_SDK_", "ANSIBLE_", "PYTEST_", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP")
# Without compiled files each process of the tests would compile all of them again.
SLOW = ("PYTHONDONTWRITEBYTECODE",)


def search_path(venv: pathlib.Path) -> str:
    """PATH with the venv first, and with the real interpreters of pyenv instead of its shims.

    Tools that clear the environment cannot start the shims.
    """
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    folders = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if not folder.startswith(str(pyenv))
    ]
    return os.pathsep.join(
        [
            str(venv / "bin"),
            *folders,
            *(str(folder) for folder in sorted(pyenv.glob("versions/3.*/bin"), reverse=True)),
        ]
    )


def environment(root: pathlib.Path, work: pathlib.Path) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith((*FOREIGN, *SLOW))}
    loopback = ",".join(filter(None, [env.get("NO_PROXY") or env.get("no_proxy"), "127.0.0.1", "localhost"]))
    ansible = work / "ansible"
    venv = pathlib.Path(os.environ.get("RECOVERY_VENV", root / ".venv"))
    return {
        **env,
        "PATH": search_path(venv),
        "VIRTUAL_ENV": str(venv),
        "PYTHONPATH": os.pathsep.join([str(root / ".work" / "dev"), str(root)]),
        "RECOVERY_WORK": str(work),
        "LC_ALL": "C.UTF-8",  # Ansible does not start in a locale that is not UTF-8.
        "NO_PROXY": loopback,
        "no_proxy": loopback,
        "ANSIBLE_HOME": str(ansible),
        "ANSIBLE_REMOTE_TMP": str(ansible / "tmp"),
        "ANSIBLE_ASYNC_DIR": str(ansible / "async"),
        "ANSIBLE_COLLECTIONS_PATH": str(root / ".work" / "dev"),
    }


def link_collection() -> None:
    """Let Ansible and Python find the checkout as a collection, in .work/dev."""
    link = ROOT / ".work" / "dev" / "ansible_collections" / "huaweicloud" / "recovery"
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(pathlib.Path("..", "..", "..", ".."), target_is_directory=True)


def run_through_link(command: list[str]) -> int:
    # Not below TMPDIR, which may hold a space as well.
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="recovery-", dir="/tmp"))
    try:
        link = scratch / "repository"
        link.symlink_to(ROOT, target_is_directory=True)
        with subprocess.Popen(
            command, cwd=link, env={**environment(link, scratch / "work"), "PWD": str(link)}
        ) as process:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda received, frame: process.send_signal(received))
            return process.wait()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main() -> None:
    command = sys.argv[1:]
    link_collection()
    if any(char.isspace() for char in str(ROOT)):
        sys.exit(run_through_link(command))
    os.chdir(ROOT)
    env = environment(ROOT, ROOT / ".work")
    os.execvpe(command[0], command, env)


if __name__ == "__main__":
    main()
