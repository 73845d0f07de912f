# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What code that restores instances of several services needs to know about each, without asking for its
name.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.paging import Odd
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch

Row = t.Dict[str, t.Any]
Params = t.Dict[str, t.Any]
TARGET = (
    "instance_id",
    "instance_name",
    "status",
    "engine",
    "engine_version",
    "used_memory",
    "max_memory",
    "vpc_name",
    "address",
    "port",
)


@dataclass(frozen=True)
class Reading:
    """The part of a service that reads one instance and what runs on it.

    It is enough to wait and to verify, and a third of the code.

    - `name`: value of `service` in rows, name of its endpoint.
    - `id_key`, `record_key`: the result's keys of the ID and of the record of what runs, e.g. restore_id and
      restore.
    - `watch(cloud, row)`: how to wait for the operation in `row[id_key]`; `row` also has the keys in
      `watch_needs`.
    - `instance(cloud, instance_id)`: one instance, all its details, its ID under `instance_id`.
    - `target(instance)`: an instance as the row's `target`: TARGET's keys, null when unknown. used_memory and
      max_memory are MB.
    - `ready(instance)`: why an instance does not serve now, in words, or None.
    - `overwritten(row)`: ID, name or job by which a row says which instance it overwrites, or None.
    - `probe`: the kind of checks that restore_verify knows for it, e.g. redis.
    """

    name: str
    id_key: str
    record_key: str
    watch: t.Callable[[Cloud, t.Mapping[str, t.Any]], Watch]
    watch_needs: tuple[str, ...]
    instance: t.Callable[[Cloud, str], Row]
    target: t.Callable[[t.Mapping[str, t.Any]], Row]
    ready: t.Callable[[t.Mapping[str, t.Any]], str | None]
    overwritten: t.Callable[[t.Mapping[str, t.Any]], str | None]
    probe: str


@dataclass(frozen=True)
class Service(Reading):
    """One service.

    Every callable is pure, or reads the cloud; only what a Plan's apply() does changes anything.

    - `module(options)`: the module that restores one instance with these options, e.g. dcs_restore, and the
      options as it calls them.
    - `options`, `rules`: options of the module that restores one instance, and their rules in AnsibleModule's
      words (required_one_of ...).
    - `plan(cloud, params)`: the Plan of that module. `params` has every option (null when unset), `wait`,
      `wait_timeout` and
      `poll_interval`. Its result has, besides what the module documents: `target` and `source` (as in rows),
      `data_time`, `newer_backup`, `last_seconds`; and where it restores one, `backup` (backup_id,
      backup_name, backup_type, created_at, size in bytes).
    - `instances(cloud, odd)`: every instance in one list, as the `_info` module of the service returns them,
      ID under `instance_id`. An instance that is not as the API documents it is left out and reported to
      odd(error).
    - `pinned(row, result)`: the row's options with the choices of its plan, so that exactly the plan is
      started later.
    - `turn(row)`: rows with the same turn (not None) are started one after another, because their jobs could
      be mistaken for each other.

    For the role, its plan and its report:

    - `thing`, `title`: what people call one instance, and all of them in a heading: cache, Caches (DCS).
    - `group`: the group of an entry that names none; lower groups are restored first.
    - `names`: the options with ID and name of the instance that is overwritten; both are in `options`.
    - `point`: the option that takes a point in time or `latest`, e.g. restore_point; pinned() turns `latest`
      into what was planned.
    - `needs`: the options of which an entry needs one, unless a point is given for all entries.
    - `instead`: those of them that replace the point for all entries.
    - `entry_names`: the options of the source with their names in an entry of the role, e.g. instance_id:
      source_instance_id. It is empty if the data come from the instance itself.
    - `backup_module`: the module that makes a safety backup first; None if the service has none on demand.
    - `tagged`: whether the instances have tags.
    - `sign_in`: a check that changes nothing and passes when one can sign in.
    """

    module: t.Callable[[Row], tuple[str, Row]]
    options: Spec
    rules: t.Mapping[str, t.Any]
    plan: t.Callable[[Cloud, Params], Plan]
    instances: t.Callable[[Cloud, Odd], list[Row]]
    pinned: t.Callable[[Row, Row], Row]
    turn: t.Callable[[t.Mapping[str, t.Any]], t.Hashable]
    thing: str
    title: str
    group: int
    names: tuple[str, str]
    point: str
    needs: tuple[str, ...]
    instead: tuple[str, ...]
    entry_names: t.Mapping[str, str]
    backup_module: str | None
    tagged: bool
    sign_in: Row

    @property
    def in_place(self) -> bool:
        """Whether the data come from the instance itself, and not from another one, which is not changed."""
        return not self.entry_names

    @property
    def variable(self) -> str:
        """Return the variable of the role that lists the instances to restore."""
        return f"restore_{self.name}"
