# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the steps of the role where they are read: `python -m tests.tools.steps`.

The names come from plugins/plugin_utils/_step_table.py, because Ansible reads tags before it runs any code.
What a step does comes from the comment at the top of its tasks file.
"""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _step_table as table

ROLE = Path(__file__).resolve().parents[2] / "roles" / "restore"


def told(step: str) -> str:
    """Return what a step does, in the words of its tasks file: the first paragraph of the first comment."""
    path = ROLE / "tasks" / f"{step}.yml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = itertools.takewhile(lambda line: line.startswith("# "), text.partition("---\n")[2].splitlines())
    return " ".join(line[2:] for line in lines)


PLACES = (  # a file, a pattern with the text before what is written and the one after it, and what is written
    ("tasks/main.yml", r"(\n  tags: \[)(?:\w+, )+\w+(\]\n)", ", ".join(table.BETWEEN)),
    ("vars/main.yml", r"(\n_restore_tags: \[).*(\]\n)", ", ".join(table.NAMES)),
    (
        "meta/argument_specs.yml",
        r"(The steps are ).*(\.\n)",
        " and ".join([", ".join(table.NAMES[:-1]), table.NAMES[-1]]),
    ),
    (
        "files/report.schema.json",
        r'("step": \{\s+"description": "Which\.",\s+"type": "string",\s+"enum": \[\s+)[^\]]*?(\s+\])',
        (",\n" + 18 * " ").join(map(json.dumps, table.PHASES)),
    ),
    (
        "README.md",
        r"(\| step \| what it does \|\n\|---\|---\|\n)(?:\|.*\n)+(\n)",
        "".join(f"| **{name}** | {told(name)} |\n" for name in table.NAMES),
    ),
)


def renewed(path: str, pattern: str, new: str) -> str:
    """Return the text of a file of the role with this in it."""
    text = (ROLE / path).read_text(encoding="utf-8")
    found, places = re.subn(pattern, lambda match: f"{match[1]}{new}{match[2]}", text)
    assert places == 1, f"roles/restore/{path} has {places} places for the steps"
    return found


if __name__ == "__main__":
    for place in PLACES:
        (ROLE / place[0]).write_text(renewed(*place), encoding="utf-8")
