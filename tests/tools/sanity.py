# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `ansible-test sanity ARGUMENT...` on a copy of the checkout: `sanity.py [ARGUMENT...]`.

ansible-test wants the collection below ansible_collections/NAMESPACE/NAME (a link is refused), in a git
work tree of its own. It downloads a script that installs pip from a server of its own. A stand-in that uses
Python's own copy of pip is put into its cache, so that only the package index is needed. It tests with the
Pythons that it finds on PATH as pythonX.Y.
"""

from __future__ import annotations

import ast
import configparser
import os
import pathlib
import re
import subprocess
import sys

import ansible_test

from tests.tools import artifact

WORK = pathlib.Path(os.environ["RECOVERY_WORK"]) / "sanity"
HOME = WORK / "home"
TREE = WORK / "ansible_collections" / "huaweicloud" / "recovery"
GET_PIP = '''"""Stand-in for get-pip.py: Python's own copy of pip installs what ansible-test asks for."""
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet"] + arguments)
'''


def provide_pip() -> None:
    requirements = pathlib.Path(ansible_test.__file__).parent / "_internal" / "python_requirements.py"
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"\bpip='([0-9.]+)'", requirements.read_text(encoding="utf-8"))):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")


def provide_pip_settings() -> pathlib.Path:
    """Hand over in a file what pip would use here: ansible-test hides pip's variables from pip.

    The file may hold a password and is removed again.
    """
    settings = configparser.RawConfigParser()
    settings.add_section("global")
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    for line in listing.splitlines():
        name, value = line.split("=", 1)
        option = name.rpartition(".")[2]
        if name.startswith(("global.", "install.", ":env:.")) and option not in (
            "require-virtualenv",
            "user",
            "target",
            "prefix",
        ):
            settings.set("global", option, str(ast.literal_eval(value)).replace("\n", "\n  "))
    certificates = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    proxy = os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")
    for option, fallback in (("cert", certificates), ("proxy", proxy)):
        if fallback and not settings.has_option("global", option):
            settings.set("global", option, fallback)
    settings.set("global", "quiet", "1")
    path = HOME / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as stream:
        settings.write(stream)
    return path


def main() -> int:
    artifact.copy_tree(TREE, untracked=True)
    subprocess.run(["git", "init", "--quiet", "."], cwd=TREE, check=True)
    provide_pip()
    settings = provide_pip_settings()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHONPATH"))}
    env.update(HOME=str(HOME), PWD=str(TREE))
    try:
        return subprocess.run(
            ["ansible-test", "sanity", "--python", "default", "--color", "no", *sys.argv[1:]],
            cwd=TREE,
            env=env,
            check=False,
        ).returncode
    finally:
        settings.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
