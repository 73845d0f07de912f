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
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.paging import OnMalformed
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.history import ReadHistory
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import Reading, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.waiting import Waiting

Params = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Service(Reading, Waiting):
    """One service.

    Every callable is pure, or reads the cloud; only what a Plan's apply() does changes anything.

    - `module(options)`: the module that restores one instance with these options, e.g. dcs_restore, and the
      options as it calls them.
    - `options`, `rules`: options of the module that restores one instance, and their rules in AnsibleModule's
      words (required_one_of ...).
    - `plan(cloud, params)`: the Plan of that module. `params` has every option (null when unset), `wait`,
      `wait_timeout` and `poll_interval`. Its result has, besides what the module documents: `target` and
      `source` (as in rows), `data_time`, `newer_backup`, `last_seconds`; and where it restores one, `backup`
      (backup_id, backup_name, backup_type, created_at, size in bytes).
    - `instances(cloud, on_malformed)`: every instance in one list, with the keys of the `_info` module of the
      service, but always with the ID under `instance_id` (ddm_instance_info returns it as `id`). An instance
      that is not as the API documents it is left out and reported to on_malformed(error).
    - `history(cloud)`: how to read the History of an instance by its ID. What one request reports of all
      instances is read at once.
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
    - `downtime`: how long an instance is down during a restore, in words; blank if it is restored elsewhere.
    - `tagged`: whether the instances have tags.
    - `sign_in`: a check that changes nothing and passes when one can sign in.
    """

    module: t.Callable[[Row], tuple[str, Row]]
    options: Spec
    rules: t.Mapping[str, t.Any]
    plan: t.Callable[[Cloud, Params], Plan]
    instances: t.Callable[[Cloud, OnMalformed], list[Row]]
    history: t.Callable[[Cloud], ReadHistory]
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
    downtime: str
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
