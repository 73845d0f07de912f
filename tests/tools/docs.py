# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the documentation as HTML to .work/docs/build/html, failing on every dead reference. Needs no network."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import zlib

DOCS = pathlib.Path(".work") / "docs"
# What the generated pages refer to in Ansible's own documentation. Looking them up there would need a network.
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
VARIABLES = [
    "ANSIBLE_CACHE_PLUGIN",
    "ANSIBLE_CACHE_PLUGIN_CONNECTION",
    "ANSIBLE_CACHE_PLUGIN_PREFIX",
    "ANSIBLE_CACHE_PLUGIN_TIMEOUT",
]


def inventory() -> bytes:
    """A Sphinx inventory, version 2."""
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: devel\n# The remainder of this file is compressed using zlib.\n"
    entries = [
        f"{label} std:label -1 {page}#{label.replace('_', '-')} {label}" for label, page in LABELS.items()
    ]
    entries += [
        f"{name} std:envvar -1 reference_appendices/config.html#envvar-{name} -" for name in VARIABLES
    ]
    return head.encode() + zlib.compress("\n".join([*entries, ""]).encode())


def main() -> None:
    DOCS.mkdir(parents=True, exist_ok=True)
    DOCS.chmod(0o755)  # antsibull-docs wants to be the only one who can write there
    project = [
        "--project",
        "huaweicloud.recovery",
        "--copyright",
        "the huaweicloud.recovery contributors",
        "--title",
        "huaweicloud.recovery",
    ]
    layout = [
        "--use-current",
        "--squash-hierarchy",
        "--dest-dir",
        str(DOCS),
        *project,
        "huaweicloud.recovery",
    ]
    subprocess.run(["antsibull-docs", "sphinx-init", *layout], check=True, stdout=subprocess.DEVNULL)
    (DOCS / "ansible_devel.inv").write_bytes(inventory())
    conf = DOCS / "conf.py"
    ansible = "intersphinx_mapping = {'ansible_devel': ('https://docs.ansible.com/projects/ansible/devel/', '../ansible_devel.inv')}\n"
    conf.write_text(
        re.sub(
            r"intersphinx_mapping = \{.*?\n\}\n", ansible, conf.read_text(encoding="utf-8"), flags=re.DOTALL
        ),
        encoding="utf-8",
    )
    subprocess.run(["bash", str(DOCS / "build.sh")], check=True, stdout=subprocess.DEVNULL)
    print(DOCS / "build" / "html" / "index.html")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
