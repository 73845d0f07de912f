# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What whoever restores instances of several services needs to know of one of them, so
that nobody asks for its name.
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
    """The part of a service that reads one instance and what runs on it: enough to wait and to verify,
    and a third of the code.

    - `name`: value of `service` in rows, name of its endpoint.
    - `id_key`, `record_key`: the result's keys of the id and of the record of what runs, e.g. restore_id and
      restore.
    - `watch(cloud, row)`: how to wait for what `row[id_key]` names; `row` also has the keys in `watch_needs`.
    - `instance(cloud, instance_id)`: one instance, all its details, its id under `instance_id`.
    - `target(instance)`: an instance as the row's `target`: TARGET's keys, null when unknown. used_memory and
      max_memory are MB.
    - `ready(instance)`: why an instance does not serve now, in words, or None.
    - `overwritten(row)`: id, name or job by which a row says which instance it overwrites, or None.
    - `probes`: the kinds of checks that restore_verify knows for it, e.g. ("redis",).
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
    probes: tuple[str, ...]


@dataclass(frozen=True)
class Service(Reading):
    """One service.

    Every callable is pure, or reads the cloud; only what a Plan's apply() does changes anything.

    - `module`: short name of the module that restores one instance, e.g. dcs_restore.
    - `options`, `rules`: options of the module that restores one instance, and their rules in AnsibleModule's
      words (required_one_of ...).
    - `plan(cloud, params)`: the Plan of that module. `params` has every option (null when unset), `wait`,
      `wait_timeout` and
      `poll_interval`. Its result has, beside what the module documents: `target` and `source` (as in rows),
      `data_time`, `newer_backup`, `last_seconds`.
    - `instances(cloud, odd)`: every instance in one list, as the `_info` module of the service returns them,
      id under `instance_id`. One that is not what the API documents is left out and reported to odd(error).
    - `restore_points(cloud, instance_id)`: what an instance can be restored to, newest first: {`point` (ISO
      8601 UTC, the newest data
      of it), `first` (the oldest, same as `point` for a backup), `backup` (record or null), `usable`,
      `reason` (why not, or null)}.
    - `backup(cloud, params)`: the Plan of a safety backup of the instance that a row overwrites, None where
      the service has no
      backups on demand. `params`: instance_id, remark, operation_id, wait, wait_timeout, poll_interval.
    - `pinned(row, result)`: the row's options with what its plan has chosen, so that what is started later is
      what was planned.
    - `turn(row)`: rows with the same turn (not None) are started one after the other: their jobs could be
      taken for each other.
    """

    module: str
    options: Spec
    rules: t.Mapping[str, t.Any]
    plan: t.Callable[[Cloud, Params], Plan]
    instances: t.Callable[[Cloud, Odd], list[Row]]
    restore_points: t.Callable[[Cloud, str], list[Row]]
    backup: t.Callable[[Cloud, Params], Plan] | None
    pinned: t.Callable[[Row, Row], Row]
    turn: t.Callable[[t.Mapping[str, t.Any]], t.Hashable]
