# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances as hosts: their names, patterns that name some of them, and who can write a cache of them.

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
