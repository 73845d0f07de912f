# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write into the files of the role what its code says: `python -m tests.tools.role`.

The names of the steps come from plugins/plugin_utils/_step_table.py, because Ansible reads tags before it
runs any code. What a step does comes from the comment at the top of its tasks file. The services and their
options in the schema of the report come from _services/all.py.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _step_table as table

ROLE = Path(__file__).resolve().parents[2] / "roles" / "restore"
JSON_TYPES = {"str": "string", "bool": "boolean", "int": "integer", "float": "number", "list": "array"}


def purpose_of(step: str) -> str:
    """Return what a step does, in the words of its tasks file: the first paragraph of the first comment."""
    path = ROLE / "tasks" / f"{step}.yml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = itertools.takewhile(lambda line: line.startswith("# "), text.partition("---\n")[2].splitlines())
    return " ".join(line[2:] for line in lines)


def replaced(pattern: str, new: str, text: str) -> str:
    """Return a text with this in the one place between the two groups of the pattern."""
    found, places = re.subn(pattern, lambda match: f"{match[1]}{new}{match[2]}", text)
    assert places == 1, f"the role has {places} places for {new!r}"
    return found


def schema(text: str) -> str:
    """Return the schema of the report with the services, their options, and the steps that rows show."""
    found = json.loads(text)
    row = found["$defs"]["row"]
    keys = row["properties"]
    keys["service"].update(description=f"{' or '.join(SERVICES)}.", enum=[*SERVICES])
    for service in SERVICES.values():
        for name, option in service.options.items():
            kind = [JSON_TYPES[option["type"]], "null"]
            keys.setdefault(name, {"description": "As requested.", "type": kind})
    keys["steps"]["items"]["properties"]["step"]["enum"] = [*table.PHASES]
    row["required"] = sorted(keys)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


PLACES: dict[str, Callable[[str], str]] = {  # a file of the role, and what brings its text up to date
    "tasks/main.yml": partial(replaced, r"(\n  tags: \[)(?:\w+, )+\w+(\]\n)", ", ".join(table.BETWEEN)),
    "vars/main.yml": partial(replaced, r"(\n_restore_tags: \[).*(\]\n)", ", ".join(table.NAMES)),
    "meta/argument_specs.yml": partial(
        replaced,
        r"(The steps are ).*(\.\n)",
        " and ".join([", ".join(table.NAMES[:-1]), table.NAMES[-1]]),
    ),
    "README.md": partial(
        replaced,
        r"(\| step \| what it does \|\n\|---\|---\|\n)(?:\|.*\n)+(\n)",
        "".join(f"| **{name}** | {purpose_of(name)} |\n" for name in table.NAMES),
    ),
    "files/report.schema.json": schema,
}


def written(path: str) -> str:
    """Return the text of a file of the role."""
    return (ROLE / path).read_text(encoding="utf-8")


if __name__ == "__main__":
    for path, renewed in PLACES.items():
        (ROLE / path).write_text(renewed(written(path)), encoding="utf-8")
