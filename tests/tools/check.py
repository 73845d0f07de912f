# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the fast tests side by side: `check.py [PART...]`, by default all but those of ON_REQUEST.

pytest writes to the terminal while the other parts run one after another. Each of those shows its output
only when it fails. pytest's own closing line comes last. Any part that fails makes the whole fail.
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

LOGS = pathlib.Path(".work") / "check"
PYTEST = "pytest"
# What an ansible-core can break: arguments and results, texts that it might take for templates, the role.
EDGES = [
    "tests/unit",
    "tests/inventory",
    "tests/in_process/test_restore_start.py",
    "tests/in_process/test_restore_verify.py",
    "tests/playbooks/test_hostile_texts.py",
    "tests/playbooks/test_role.py::test_a_stack_is_planned_restored_and_restored_again",
]
# Sanity tests that take long (import, pylint), or whose work antsibull-changelog, ruff and ansible-lint do in
# another part. `make sanity` and `make certify` run them.
ELSEWHERE = ("import", "pylint", "changelog", "pep8", "yamllint")
PARTS = {
    "ruff": ["ruff", "check", "--quiet"],
    "mypy": ["mypy"],
    "changelog": ["antsibull-changelog", "lint"],
    "ansible-lint": ["ansible-lint", "--offline", "--nocolor"],
    "docs": ["python", "tests/tools/lint_docs.py"],
    "quick sanity": ["python", "tests/tools/sanity.py", *(f"--skip-test={name}" for name in ELSEWHERE)],
    "sanity": ["python", "tests/tools/sanity.py"],
    "style": ["python", "tests/tools/sanity.py", "--test", "pep8", "--test", "pylint"],
    "edges": ["pytest", "--numprocesses", "3", "--dist", "worksteal", "--quiet", *EDGES],
    PYTEST: [
        *("pytest", "--numprocesses", "5", "--quiet"),
        *("--dist", "loadfile", "--no-loadscope-reorder"),  # in the order of tests/conftest.py
    ],
}
ON_REQUEST = ("sanity", "style", "edges")
running: set[subprocess.Popen[str]] = set()
stopping = threading.Event()


def start(part: str, output: int | None) -> subprocess.Popen[str]:
    """Each part is a process group of its own, so that stopping it leaves no grandchildren behind."""
    env = dict(os.environ) if output is None else {**os.environ, "NO_COLOR": "1"}
    process = subprocess.Popen(
        PARTS[part],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
        start_new_session=True,
    )
    running.add(process)
    return process


def stop_all() -> None:
    stopping.set()
    for process in list(running):
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def run_quietly(parts: list[str], results: dict[str, bool]) -> None:
    for part in parts:
        if stopping.is_set():
            return
        begin = time.monotonic()
        log = LOGS / f"{part}.log"
        with log.open("w", encoding="utf-8") as stream:
            results[part] = start(part, stream.fileno()).wait() == 0
        verdict = "passed" if results[part] else f"FAILED, see below or {log}"
        text = "" if results[part] else log.read_text(encoding="utf-8", errors="replace")
        print(f"\n== {part}: {verdict} ({time.monotonic() - begin:.0f} s)\n{text}", end="", flush=True)


def run_pytest() -> tuple[bool, str]:
    """Pass on what pytest writes, and keep its last line: the count."""
    process = start(PYTEST, subprocess.PIPE)
    last = ""
    for line in process.stdout or ():
        print(line, end="", flush=True)
        last = line.strip() or last
    # No tests at all is a failure as well: pytest's exit code 5.
    return process.wait() == 0, last


def main() -> int:
    wanted = sys.argv[1:] or [part for part in PARTS if part not in ON_REQUEST]
    LOGS.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    results: dict[str, bool] = {}
    beside = threading.Thread(
        target=run_quietly, args=([part for part in wanted if part != PYTEST], results), daemon=True
    )
    beside.start()
    last = ""
    if PYTEST in wanted:
        results[PYTEST], last = run_pytest()
    beside.join()
    failed = [part for part in wanted if not results.get(part)]
    print(
        f"\n== {len(wanted) - len(failed)} of {len(wanted)} parts passed ({time.monotonic() - begin:.0f} s)"
    )
    for part in failed:
        print(f"== FAILED: {part}")
    if last:
        print(last)
    return 1 if failed else 0


def interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        stop_all()
