# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances as hosts: their names, patterns that name some of them, and what a host says of itself.

Private to this collection.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from pathlib import Path

from ansible import constants as C
from ansible.inventory.manager import split_host_pattern

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
TAKEN = {"all", "ungrouped", *C.LOCALHOST}  # names with a meaning in Ansible


def host_names(rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the host name of each instance: its name if that is unique and fits patterns, else its ID.

    The order of the instances has no influence, so that a host keeps its name from run to run.
    """
    used = Counter(text for row in rows for text in (row["name"], row["instance_id"]))
    return [
        row["name"]
        if used[row["name"]] == 1 and NAME.fullmatch(row["name"] or "") and row["name"] not in TAKEN
        else row["instance_id"]
        for row in rows
    ]


def names_hosts(pattern: t.Any) -> bool:
    """Whether a limit or a pattern names hosts.

    Ansible takes one that names none as all hosts: a blank, a comma, an empty file, `!x` alone.
    """
    for part in split_host_pattern(pattern):
        if any(name.strip()[:1] not in ("", "!", "&") for name in lines_of(part)):
            return True
    return False


def lines_of(part: str) -> list[str]:
    """Return the patterns of a limit, which can name a file. Ansible reports an unreadable file."""
    if not part.startswith("@"):
        return [part]
    try:
        return Path(part[1:]).expanduser().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def facts_among(names: t.Iterable[str], variables: t.Mapping[str, t.Any], host: str) -> list[str]:
    """Return a problem if variables of a host are facts: the host itself has set them, or, by way of a fact
    cache, an earlier run. Facts outrank the variables of the inventory.
    """
    facts = variables.get("ansible_facts") or {}
    found = sorted(
        name for name in names if name in facts and name in variables and holds(variables[name], facts[name])
    )
    return found and [
        f"The facts of {host} have {', '.join(found)}. The host, or an earlier run, may have set that, so it "
        "decides no restore. Empty the fact cache with --flush-cache, find out which task sets it, or give "
        "it in vars of the play or with -e, which outrank facts."
    ]


def holds(value: t.Any, fact: t.Any) -> bool:
    """Whether a value is a fact, or a dictionary into which Ansible may have merged one."""
    if isinstance(value, t.Mapping) and isinstance(fact, t.Mapping):
        return all(name in value and holds(value[name], inner) for name, inner in fact.items())
    return bool(value == fact)
