# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks files of the user, which run around the restore: found and read before anything starts.

Private to this collection.

Otherwise a file that Ansible cannot load would fail at its step, after data were overwritten.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.playbook.block import Block
from ansible.playbook.helpers import load_list_of_blocks
from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task_include import TaskInclude

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.sources import read_file
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable, quoted
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _settings as read
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _step_table
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._inprocess import TAGS
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import Problem, Variables

ENDED = "has meta: {}, after which the run would succeed without a report. To stop the run, let a task fail."
UNHANDLED = (
    "notifies the handler {}, which the play does not have: Ansible would end the run there, without a "
    "report. Do in a task what the handler would do."
)
NESTED = (
    "runs the role restore, whose run would replace the one around it. Restore everything in one run, or use "
    "a play for each."
)
ALONE = "_restore_alone"  # the variable of a play of this collection, which runs nothing but the role
HOW = {"trusted_as_template": True} if TAGS else {}


def read_hooks(variables: Variables, task: t.Any, loader: t.Any) -> tuple[dict[str, str], list[str]]:
    """Return the path of each tasks file by its variable, and a problem for each that cannot run.

    `task` is the task of the role that asks.
    """
    given, paths, problems = read.given(variables), {}, []
    for name in _step_table.OF_THE_USER:
        if given.get(name, read.UNREAD) is not read.UNREAD:
            try:
                paths[name] = path_of(read.word(given[name], name), name, task, loader)
                load(paths[name], name, task, loader)
            except Problem as problem:
                problems.append(str(problem))
    return paths, problems


def path_of(path: str, name: str, task: t.Any, loader: t.Any) -> str:
    """Return where a tasks file is: seen from where ansible-playbook was started, else where Ansible looks
    for the tasks of a role.
    """
    path = os.path.expanduser(path)
    here = os.path.realpath(path)
    role = task._role._role_path if task._role else loader.get_basedir()
    there = here if os.path.isfile(here) else loader.path_dwim_relative(role, "tasks", path, is_role=True)
    if not os.path.exists(there):
        raise Problem(f"{name}: there is no file {quoted(path)}. Give its full path.")
    return str(there)


def load(path: str, name: str, task: t.Any, loader: t.Any) -> None:
    """Load the tasks as Ansible will. Raises Problem where it could not."""
    try:
        read_file(path)
        why = next(obstacles(blocks_of(path, name, task, loader), task, loader, {path}), None)
        if why:
            raise Problem(f"{name}: {printable(path)} {why}")
    except (AnsibleError, OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Problem(f"{name}: {printable(path)} cannot be run: {brief(why)}.") from None


def blocks_of(path: str, name: str, task: t.Any, loader: t.Any) -> list[t.Any]:
    """Return the blocks of a tasks file. Raises Problem where it holds no list of tasks."""
    how = {"variable_manager": task.get_variable_manager(), "loader": loader}
    tasks = loader.load_from_file(path, **HOW)
    if tasks is not None and not isinstance(tasks, list):
        raise Problem(f"{name}: {path} must hold a list of tasks, not a {read.type_word(tasks)}.")
    # Ansible searches beside the file for what it imports.
    include = TaskInclude.load({"include_tasks": path}, block=task._parent, role=task._role, **how)
    found: list[t.Any] = load_list_of_blocks(tasks or [], task._parent._play, include, task._role, **how)
    return found


def included(one: t.Any, task: t.Any, loader: t.Any, seen: set[str]) -> list[t.Any]:
    """Return the blocks that a task includes, as far as they can be known before it runs: of a role or a file
    that it names without a template. Ansible reports one that cannot be loaded, at its time.
    """
    with contextlib.suppress(AnsibleError, Problem, OSError):
        if isinstance(one, IncludeRole):
            name = f"{one._role_name} {one._from_files}"
            if name not in seen:
                seen.add(name)
                blocks: list[t.Any] = one.get_block_list(
                    task._parent._play, task.get_variable_manager(), loader
                )[0]
                return blocks
        for parent in one.get_search_path() if isinstance(one, TaskInclude) else ():
            path = os.path.join(parent, str(one.args.get("_raw_params")))
            if os.path.isfile(path) and path not in seen:
                seen.add(path)
                return blocks_of(path, "", task, loader)
    return []


def obstacles(blocks: t.Iterable[t.Any], task: t.Any, loader: t.Any, seen: set[str]) -> t.Iterator[str]:
    """Yield what would end the play, its batch, its host, the role or its run, from blocks and tasks of any
    depth.
    """
    for one in blocks:
        if isinstance(one, Block):
            yield from obstacles([*one.block, *one.rescue, *one.always], task, loader, seen)
        elif isinstance(one, TaskInclude):
            found = obstacles(included(one, task, loader, seen), task, loader, seen)
            own = ENDED.format("end_role") if isinstance(one, IncludeRole) else None  # a role may end itself
            yield from (why for why in found if why != own)
        elif one.action.rpartition(".")[2] == task.action.rpartition(".")[2]:
            yield NESTED
        elif one.action.rpartition(".")[2] == "meta":
            word = str(one.args.get("_raw_params") or "").strip()
            if word.startswith("end_"):
                yield ENDED.format(word)
        else:
            yield from (UNHANDLED.format(quoted(name)) for name in unhandled(one, task._parent._play))


def unhandled(one: t.Any, play: t.Any) -> list[str]:
    """Return the handlers that a task notifies and the play does not have: in a playbook of the collection,
    it has those of included roles alone. Another play may have more of them than are known here.
    """
    handlers = [handler for block in play.handlers for handler in block.block]
    names = {name for handler in handlers for name in (handler.name, *listed(handler.listen))}
    unsure = any(isinstance(handler, TaskInclude) or "{{" in str(handler.name) for handler in handlers)
    if unsure or not play.vars.get(ALONE) or not C.ERROR_ON_MISSING_HANDLER:
        return []
    return [
        name for name in listed(one.notify) if "{{" not in name and name.rpartition(" : ")[2] not in names
    ]


def listed(names: t.Any) -> list[str]:
    """Return the names that a task holds before Ansible has made a list of one."""
    return [str(name) for name in (names if isinstance(names, list) else [names]) if name]


def brief(text: t.Any) -> str:
    """Return the first lines of what Ansible says, up to the file that it quotes, as one."""
    lines = [line.strip() for line in str(text).splitlines()]
    return printable(" ".join(lines[: lines.index("") if "" in lines else 3])).rstrip(".")
