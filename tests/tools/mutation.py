# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the pure core at random and see whether the unit tests notice: `mutation.py [PATTERN...]`, patterns of mutant names.

mutmut derives a module's name from its file's path, so it works on a copy in which the collection lies where its name says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.tools import artifact

COPY = artifact.ROOT / ".work" / "mutation"
COLLECTION = "ansible_collections/huaweicloud/recovery"
UTILS = f"{COLLECTION}/plugins/module_utils"
# The code that decides. What it talks to (HTTP, Ansible) is held by the tests over real sockets.
CORE = ["_restore.py", "_data_nodes.py", "_api/auth.py", "_api/errors.py", "_api/paging.py", "_api/retry.py", "_api/waiter.py"]
SETTINGS = f"""
[tool.mutmut]
source_paths = ["{UTILS}"]
only_mutate = {[f"{UTILS}/{name}" for name in CORE]}
also_copy = ["{COLLECTION}/plugins"]
pytest_add_cli_args_test_selection = ["tests/unit"]

[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]
"""


def main() -> int:
    results = COPY / "mutants"  # kept from run to run: mutmut repeats only what has changed
    artifact.copy_tree(COPY / "new")
    for old in (COPY / "ansible_collections", COPY / "tests"):
        shutil.rmtree(old, ignore_errors=True)
    (COPY / COLLECTION).parent.mkdir(parents=True)
    (COPY / "new" / "tests").rename(COPY / "tests")
    (COPY / "new").rename(COPY / COLLECTION)
    (COPY / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    code = subprocess.run(["mutmut", "run", *sys.argv[1:]], cwd=COPY, env=env, check=False).returncode
    listing = subprocess.run(["mutmut", "results", "--all", "true"], cwd=COPY, env=env, check=False, capture_output=True, text=True).stdout
    checked = [line.strip() for line in listing.splitlines() if ": " in line and not line.endswith("not checked")]
    killed = [line for line in checked if line.endswith(("killed", "timeout"))]
    print("\n".join(["", *(line for line in checked if line not in killed), f"{len(killed)} of {len(checked)} mutants killed"]))
    print(f"Look at one with: cd {results.parent} && mutmut show NAME")
    return code


if __name__ == "__main__":
    sys.exit(main())
