# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rows show about a DCS instance and its restores."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import seconds_of_newest
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.choice import Choice
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.reading import target
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import (
    created,
    data_time,
    end,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import Row


def of_plan(instance: Row, choice: Choice, records: t.Collection[Row]) -> Row:
    """Return the keys of a plan's result on which people decide. The data come from the instance itself."""
    newest = max(records, key=lambda row: created(row) or 0, default=None)
    made = data_time(choice.backup) if choice.backup else None
    return {
        "target": target(instance),
        "source": {"instance_id": instance["instance_id"], "instance_name": instance["name"]},
        "backup": choice.backup,
        "data_time": None if made is None else iso(made),
        "newer_backup": choice.newer,
        "last_seconds": last_seconds(records),
        "newest_restore": newest and {name: newest.get(name) for name in ("restore_id", "created_at")},
    }


def last_seconds(records: t.Iterable[Row]) -> int | None:
    """Return the seconds of the newest finished restore, or None when there is none."""
    return seconds_of_newest(
        (row["created_at"], row["updated_at"]) for row in records if end(row) == "succeeded"
    )
