# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `ansible-test sanity` on a copy of the checkout: `sanity.py [ARGUMENT...]`, where the arguments are those of ansible-test.

ansible-test wants the collection below ansible_collections/NAMESPACE/NAME (a link is refused), in a git work tree of its own. Two more things
are arranged here so that it needs nothing but the package index and the Pythons that are installed:
- It downloads a script that installs pip, from a server of its own. A stand-in that uses Python's own copy of pip is put into its cache.
- It looks for interpreters as pythonX.Y on PATH and clears the variables that pyenv's shims need, so the real ones are put first.
"""

from __future__ import annotations

import ast
import configparser
import os
import pathlib
import re
import shutil
import subprocess
import sys

import ansible_test

from tests.tools import artifact

WORK = pathlib.Path(os.environ["RECOVERY_WORK"]) / "sanity"
HOME = WORK / "home"
TREE = WORK / "ansible_collections" / "huaweicloud" / "recovery"
PYTHONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]
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
    """ansible-test hides pip's variables from pip. Hand over in a file what pip would use here; it may hold a password and is removed again."""
    settings = configparser.RawConfigParser()
    settings.add_section("global")
    listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        name, value = line.split("=", 1)
        option = name.rpartition(".")[2]
        if name.startswith(("global.", "install.", ":env:.")) and option not in ("require-virtualenv", "user", "target", "prefix"):
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


def search_path() -> str:
    """PATH with the folders of the real interpreters first, and without shims."""
    folders = os.environ["PATH"].split(os.pathsep)
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    real = []
    for version in PYTHONS:
        found = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
        program = shutil.which(f"python{version}", path=os.pathsep.join(folder for folder in folders if not folder.endswith("shims")))
        if found and not program:
            real.append(str(found[-1].parent))
    return os.pathsep.join(folders[:1] + real + [folder for folder in folders[1:] if not folder.endswith("shims")])


def main() -> int:
    artifact.copy_tree(TREE)
    subprocess.run(["git", "init", "--quiet", "."], cwd=TREE, check=True)
    provide_pip()
    settings = provide_pip_settings()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHONPATH"))}
    env.update(HOME=str(HOME), PATH=search_path(), PWD=str(TREE))
    try:
        return subprocess.run(["ansible-test", "sanity", "--python", "default", "--color", "no", *sys.argv[1:]], cwd=TREE, env=env, check=False).returncode
    finally:
        settings.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
