# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What code that waits needs to know about each service, without asking for its name."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch


@dataclass(frozen=True)
class Waiting:
    """The part of a service that waits for what runs.

    - `name`: value of `service` in rows.
    - `id_key`, `record_key`: the result's keys of the ID and of the record of what runs, e.g. restore_id and
      restore.
    - `watch(cloud, row)`: how to wait for the operation in `row[id_key]`; `row` also has the keys in
      `watch_needs`.
    - `remark_key`: the key of the record that holds the marker, or None if the service keeps none.
    - `not_again`: the options that attach a row to what runs. A new restore must not have them.
    """

    name: str
    id_key: str
    record_key: str
    watch: t.Callable[[Cloud, t.Mapping[str, t.Any]], Watch]
    watch_needs: tuple[str, ...]
    remark_key: str | None
    not_again: tuple[str, ...]
