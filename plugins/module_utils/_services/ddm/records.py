# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DDM instance and a job say: whether an instance serves, what a job does, and when it was created.

Only the API reference of the Open Telekom Cloud, which runs the same service, lists the names of jobs
("Status Description"). Sister services use others, such as RestoreNewInstance: so any other name may mean
anything.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending, plain

Job = t.Mapping[str, t.Any]
INSTANCE_JOBS = ("CreateInstance", "DeleteInstance", "RestartInstance", "BindEIP", "UnbindEIP")
NODE_JOBS = ("EnlargeNode", "ReduceNode", "RestartNode", "CreateGroup", "DeleteGroup")
DATA_JOBS = ("migrateLogicDb", "retryMigrateLogicDb", "deleteConsistentBackup")
OTHER_JOBS = (*INSTANCE_JOBS, *NODE_JOBS, *DATA_JOBS)
SERVING = ("running", "normal")  # the lists about backups use the second word
# The last seven are documented for the list of jobs alone (ListTasks).
STATUSES = (
    "Running",
    "Completed",
    "Failed",
    "Expanding",
    "ToBeSwitched",
    "Switching",
    "Canceling",
    "CancelSuccess",
    "Rollbacking",
    "RollbackSuccess",
)
UNDONE = ("cancelsuccess", "rollbacksuccess")


def end(job: Job) -> str | None:
    """Return how a job has ended, succeeded or failed. A job that was undone has not done its work."""
    return "failed" if plain(job["status"]) in UNDONE else ending(job["status"])


def obstacle(instance: t.Mapping[str, t.Any]) -> str | None:
    """Return why an instance does not serve now, or None. Two status words mean that it serves."""
    status = instance.get("status")
    return None if plain(status) in SERVING else f"the instance is {status}, not RUNNING"


def is_restore(job: Job) -> bool:
    """Whether a job restores data, by its name."""
    return "restore" in plain(job["name"])


def is_metadata(job: Job) -> bool:
    """Whether a job restores metadata, or also data, by its name."""
    return is_restore(job) or "metadata" in plain(job["name"])


def may_be_metadata(job: Job) -> bool:
    """Whether a job may be a recovery of metadata, whose name is undocumented: it may be any unknown."""
    return plain(job["name"]) not in map(plain, OTHER_JOBS)


def is_other(job: Job) -> bool:
    """Whether a job is documented as something else than a restore of data."""
    return not may_be_metadata(job) or plain(job["name"]) == "loadmetadata"


def created(job: Job) -> int | None:
    """Return when a job was created, epoch ms, or None when that cannot be read."""
    return moment(job["created_time"])
