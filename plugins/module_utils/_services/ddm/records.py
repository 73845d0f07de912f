# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DDM job says: what it does, how it ended, how long it took.

Only the API reference of the Open Telekom Cloud, which runs the same service, lists the names of jobs
("Status Description"). Sister services of Huawei Cloud use other names, such as RestoreNewInstance. So a job
with a name that is not in that list may do anything.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending, plain

Job = t.Mapping[str, t.Any]
RESTORE = "RestoreInstance"
OTHER_JOBS = (
    "CreateInstance",
    "DeleteInstance",
    "EnlargeNode",
    "ReduceNode",
    "RestartInstance",
    "BindEIP",
    "UnbindEIP",
    "migrateLogicDb",
    "retryMigrateLogicDb",
    "deleteConsistentBackup",
    "CreateGroup",
    "DeleteGroup",
    "RestartNode",
)
LOADING = "loadMetadata"
UNDER_WAY = ("running",)


def end(job: Job) -> str | None:
    """Return how a job has ended, succeeded or failed.

    All other words, known or not, mean unfinished: None.
    """
    return ending(job["status"])


def unknown(job: Job) -> str | None:
    """Return a warning about a status that is not one of the known words, None for all others."""
    if end(job) or plain(job["status"]) in UNDER_WAY:
        return None
    return (
        f"the status {job['status']!r} is not one of the known ones (Running, Completed, Failed): "
        "the task treats it as unfinished"
    )


def is_restore(job: Job) -> bool:
    """Whether a job restores data, by its name."""
    return "restore" in (job["name"] or "").lower()


def is_metadata(job: Job) -> bool:
    """Whether a job may be a recovery of metadata, whose name is undocumented: it may be any unknown."""
    return (job["name"] or "").lower() not in {name.lower() for name in OTHER_JOBS}


def is_other(job: Job) -> bool:
    """Whether a job is documented as something else than a restore of data."""
    return (job["name"] or "").lower() in {name.lower() for name in (*OTHER_JOBS, LOADING)}


def created(job: Job) -> int | None:
    """Return when a job was created, epoch ms, or None when that cannot be read."""
    return moment(job["created_time"])


def seconds(job: Job) -> int | None:
    """Return the seconds that a job took, or None if it has not ended or that cannot be read."""
    begun, ended = moment(job["created_time"]), moment(job["end_time"])
    return (ended - begun) // 1000 if begun is not None and ended is not None and ended >= begun else None


def last_seconds(jobs: t.Sequence[Job], instances: t.Container[str | None]) -> int | None:
    """Return the seconds of the newest completed restore of these instances, else of any in the project."""
    completed = [job for job in jobs if end(job) == "succeeded" and seconds(job) is not None]
    own = [job for job in completed if job["instance_id"] in instances]
    newest = max(own or completed, key=lambda job: created(job) or 0, default=None)
    return None if newest is None else seconds(newest)
