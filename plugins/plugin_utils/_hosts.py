# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances as hosts: their names, and texts that Ansible must not run as templates.

Private to this collection.
"""

from __future__ import annotations

import os
import re
import stat
import typing as t
from collections import Counter
from pathlib import Path

from ansible import constants as C
from ansible import errors
from ansible.inventory.manager import split_host_pattern
from ansible.utils.unsafe_proxy import wrap_var

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
VERSION_KEY = "schema_version"  # every plan and every report has it
JSON_OBJECT = re.compile(r"\s*\{(?![{%#])")
TAKEN = {"all", "ungrouped", *C.LOCALHOST}  # names with a meaning in Ansible
# what `default(omit)` raises for a whole variable; up to ansible-core 2.18 it is a text
OMITTED: t.Any = getattr(errors, "AnsibleValueOmittedError", ())


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


def from_cloud(value: t.Any) -> t.Any:
    """Return a value from the API with every string in it marked as not a template.

    That is every string, even without braces: up to ansible-core 2.18 a header `#jinja2:` can choose other
    signs.
    """
    if isinstance(value, dict):
        return {from_cloud(name): from_cloud(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [from_cloud(inner) for inner in value]
    return wrap_var(value) if isinstance(value, str) else value


def handed_on(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the plans and reports among variables, as data or as JSON, with every text in them marked.

    They hold text from the cloud. A controller marks what it hands on, but for Ansible, what comes from -e or
    from a file of variables is a template.
    """
    return {name: from_cloud(value) for name, value in variables.items() if is_document(value)}


def is_document(value: t.Any) -> bool:
    """Whether a variable is a plan or a report, or the statistic that holds a plan."""
    if isinstance(value, str):
        return bool(JSON_OBJECT.match(value)) and f'"{VERSION_KEY}"' in value
    return isinstance(value, dict) and (VERSION_KEY in value or is_document(value.get("plan")))


def made(read: t.Callable[[t.Any], t.Any], what: t.Any) -> t.Any:
    """Return what `read` makes of a template, or of the name of a variable; null where that is omitted."""
    try:
        return read(what)
    except OMITTED:
        return None


def our_template(text: str) -> str:
    """Return our own text as a template: from ansible-core 2.19 on, a string is one only if it is marked."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    trusted: str = trust_as_template(text)
    return trusted


def others_can_write(folder: str, name: str) -> str | None:
    """Return why another user could have written a file in a folder, or None.

    `name` is the end of the file's name.
    """
    folder = os.path.realpath(os.path.expanduser(folder))
    files = (
        [entry.path for entry in os.scandir(folder) if entry.name.endswith(name)]
        if os.path.isdir(folder)
        else []
    )
    for path in [folder, *files] if os.path.exists(folder) else ():
        state = os.stat(path)
        if state.st_uid not in (os.geteuid(), 0):
            return f"{path} belongs to another user"
        if open_to_others(state):
            return f"{path} can be written by other users (mode {stat.S_IMODE(state.st_mode):o})"
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        above = os.stat(folder) if os.path.exists(folder) else None
        if above and open_to_others(above) and not above.st_mode & stat.S_ISVTX:
            return f"{folder} above it can be written by other users (mode {stat.S_IMODE(above.st_mode):o})"
    return None


def open_to_others(state: os.stat_result) -> bool:
    """Whether a file's mode lets others write. The user's own group does not count as others."""
    group = stat.S_IWGRP if state.st_gid != os.getegid() else 0
    return bool(state.st_mode & (stat.S_IWOTH | group))


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
