# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the pure core and see whether the unit tests notice: `mutation.py [PATTERN...]`.

A pattern selects mutants by name. It fails when a mutant survives that tests/mutants.toml does not justify.
mutmut derives a module's name from its file's path, so it works on a copy in which the collection lies
where its name says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter

from tests.tools import artifact

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which pytest brings

COPY = artifact.ROOT / ".work" / "mutation"
COLLECTION = "ansible_collections/huaweicloud/recovery"
UTILS = f"{COLLECTION}/plugins/module_utils"
# The code that decides. What it talks to (HTTP, Ansible) is held by the tests over real sockets.
CORE = [
    "_protocol/marker.py",
    "_protocol/protocol.py",
    "_protocol/search.py",
    "_services/ddm/data_nodes.py",
    "_services/ddm/mapping.py",
    "_api/auth.py",
    "_api/codes.py",
    "_api/errors.py",
    "_api/paging.py",
    "_api/retry.py",
    "_protocol/waiter.py",
]
# How many times as long as without a change the tests may take. A busy machine is slow as well, so what takes
# too long runs once more with more time: only then does it count as a loop without an end.
PATIENCE = (4, 20)
SETTINGS = f"""
[tool.mutmut]
source_paths = ["{UTILS}"]
only_mutate = {[f"{UTILS}/{name}" for name in CORE]}
also_copy = ["{COLLECTION}/plugins"]
# The role and its report are no part of the core, and their tests read files that are not in the copy.
pytest_add_cli_args_test_selection = [
    "tests/unit", "--ignore-glob=*/test_report*", "--ignore-glob=*/test_steps*"
]

timeout_multiplier = %d

[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]
"""


def mutmut(*args: str) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the copy. `run` shows what it does; what the others print is returned."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        ["mutmut", *args],
        cwd=COPY,
        env=env,
        check=False,
        stdout=None if args[0] == "run" else subprocess.PIPE,
        text=True,
    )


def function(mutant: str) -> str:
    """Return the name of the changed function: _api.auth.signed for PACKAGE._api.auth.x_signed__mutmut_7."""
    module, dummy, name = (
        mutant.removeprefix(UTILS.replace("/", ".") + ".").partition("__mutmut_")[0].rpartition(".")
    )
    return f"{module}.{name.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


def reason(mutant: str, justified: list[dict[str, str]]) -> str | None:
    """Return why a mutant may survive, by what it changes: its number changes with the code around it."""
    changed = "\n".join(line for line in mutmut("show", mutant).stdout.splitlines() if line.startswith("+"))
    return next(
        (
            entry["reason"]
            for entry in justified
            if entry["function"] in ("*", function(mutant)) and entry["text"] in changed
        ),
        None,
    )


def results() -> list[tuple[str, str]]:
    """Return each mutant that was tried, and its state."""
    lines = mutmut("results", "--all", "true").stdout.splitlines()
    found = (line.strip().partition(": ") for line in lines)
    return [(mutant, state) for mutant, separator, state in found if separator and state != "not checked"]


def main() -> int:
    artifact.copy_tree(COPY / "new", untracked=True)
    # mutmut would keep old verdicts that a new test may have changed.
    for old in (COPY / "ansible_collections", COPY / "tests", COPY / "mutants"):
        shutil.rmtree(old, ignore_errors=True)
    (COPY / COLLECTION).parent.mkdir(parents=True)
    (COPY / "new" / "tests").rename(COPY / "tests")
    (COPY / "new").rename(COPY / COLLECTION)
    slow = sys.argv[1:]
    for patience in PATIENCE:
        (COPY / "pyproject.toml").write_text(SETTINGS % patience, encoding="utf-8")
        if mutmut("run", *slow).returncode:
            return 1
        slow = [mutant for mutant, state in results() if state == "timeout"]
        if not slow:
            break
    justified = tomllib.loads((artifact.ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))[
        "mutant"
    ]
    scores: dict[str, Counter[str]] = {name: Counter() for name in CORE}
    for mutant, state in results():
        name, why = function(mutant), None if state in ("killed", "timeout") else reason(mutant, justified)
        verdict = "killed" if state in ("killed", "timeout") else "justified" if why else "survived"
        scores[next(file for file in CORE if name.startswith(file.removesuffix("py").replace("/", ".")))][
            verdict
        ] += 1
        if verdict != "killed":
            print(f"{mutant}: {why or state}")
    for file, score in scores.items():
        counts = [f"{score[verdict]} {verdict}" for verdict in ("justified", "survived")]
        print(f"{file}: {score['killed']} of {score.total()} mutants killed, {', '.join(counts)}")
    print(f"Look at one with: cd {COPY} && mutmut show NAME")
    return int(any(score["survived"] for score in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
