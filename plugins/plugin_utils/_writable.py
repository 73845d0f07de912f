# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else can write a file that decides what is restored: the cache of an inventory, or a plan.

Private to this collection.
"""

from __future__ import annotations

import os
import stat
import typing as t

OpenTo = t.Callable[[os.stat_result], bool]


def others_can_write(folder: str, name: str) -> str | None:
    """Return why another user could have written a file in a folder, or None.

    `name` is the end of the file's name.
    """
    folder = os.path.expanduser(folder)
    paths = [folder] if os.path.exists(folder) else []
    if os.path.isdir(folder):
        paths += [entry.path for entry in os.scandir(folder) if entry.name.endswith(name)]
    for path in paths:
        state = os.stat(path)
        if state.st_uid not in (os.geteuid(), 0):
            return f"{path} belongs to another user"
        if open_to_others(state):
            return f"{path} {by_others(state)}"
    return open_above(folder, open_to_others)


def anybody_can_write(path: str) -> str | None:
    """Return why a user of any group could have written a file, or None.

    Who plans and who approves may be two users of one group.
    """
    path = os.path.expanduser(path)
    state = os.stat(path)
    return f"{path} {by_others(state)}" if open_to_all(state) else open_above(path, open_to_all)


def open_above(path: str, open_to: OpenTo) -> str | None:
    """Return which folder above a path lets others replace what is in it, or None."""
    for folder in folders_to(os.path.join(os.getcwd(), path)):
        above = os.stat(folder) if os.path.exists(folder) else None
        if above and open_to(above) and not above.st_mode & stat.S_ISVTX:
            return f"{os.path.realpath(folder)} above it {by_others(above)}"
    return None


def folders_to(path: str) -> t.Iterator[str]:
    """Yield the folders that lead to a path, and to what its links name: a link can be replaced, too."""
    left, seen = [path], set[str]()
    while left:
        path = left.pop()
        if path in seen:  # Links that lead through one another would take forever.
            continue
        seen.add(path)
        if os.path.islink(path) and os.path.exists(path):
            left.append(os.path.join(os.path.dirname(path), os.readlink(path)))
        if path != os.path.dirname(path):
            yield os.path.dirname(path)
            left.append(os.path.dirname(path))


def open_to_others(state: os.stat_result) -> bool:
    """Whether a file's mode lets others write. The user's own group does not count as others."""
    group = stat.S_IWGRP if state.st_gid != os.getegid() else 0
    return bool(state.st_mode & (stat.S_IWOTH | group))


def open_to_all(state: os.stat_result) -> bool:
    """Whether a file's mode lets everybody write."""
    return bool(state.st_mode & stat.S_IWOTH)


def by_others(state: os.stat_result) -> str:
    """Return the mode in words."""
    return f"can be written by other users (mode {stat.S_IMODE(state.st_mode):o})"
