# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DDM job says: what it does, and when it was created.

Only the API reference of the Open Telekom Cloud, which runs the same service, lists the names of jobs
("Status Description"). Sister services of Huawei Cloud use other names, such as RestoreNewInstance. So a job
with a name that is not in that list may do anything.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment

Job = t.Mapping[str, t.Any]
OTHER_JOBS = re.compile(
    "(Create|Delete|Restart)Instance|(Enlarge|Reduce|Restart)Node|(Un)?bindEIP|(retry)?migrateLogicDb|"
    "deleteConsistentBackup|(Create|Delete)Group",
    re.ASCII | re.IGNORECASE,
)
WORDS = ("Running", "Completed", "Failed")


def is_restore(job: Job) -> bool:
    """Whether a job restores data, by its name."""
    return "restore" in (job["name"] or "").lower()


def is_metadata(job: Job) -> bool:
    """Whether a job may be a recovery of metadata, whose name is undocumented: it may be any unknown."""
    return not OTHER_JOBS.fullmatch(job["name"] or "")


def is_other(job: Job) -> bool:
    """Whether a job is documented as something else than a restore of data."""
    return not is_metadata(job) or (job["name"] or "").lower() == "loadmetadata"


def created(job: Job) -> int | None:
    """Return when a job was created, epoch ms, or None when that cannot be read."""
    return moment(job["created_time"])
