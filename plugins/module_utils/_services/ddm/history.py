# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The restore jobs and metadata backups of DDM instances, in the words of every service."""

from __future__ import annotations

from collections import defaultdict

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending, plain
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import recent_jobs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import (
    created,
    end,
    is_restore,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.history import (
    History,
    ReadHistory,
    Record,
)

OF_BACKUPS = {"normal": "succeeded", "createfail": "failed"}  # DDM's own words for the end of a backup


def history(cloud: Cloud) -> ReadHistory:
    """Return how to look an instance up in two lists, which have all instances and are read here.

    A metadata backup does not show how old the data are.
    """
    ddm = Ddm(cloud)
    found: dict[str | None, list[Record]] = defaultdict(list)
    for row in ddm.backups():
        found[row["instance_id"]].append(of_backup(row))
    for job in recent_jobs(ddm):
        if is_restore(job):
            found[job["instance_id"]].append(of_job(job))
    return lambda instance_id: History(found[instance_id], None)


def of_backup(row: Row) -> Record:
    """Return a metadata backup."""
    status, begun, ended = row["status"], moment(row["created"]), moment(row["updated"])
    state = ending(status) or OF_BACKUPS.get(plain(status))
    return Record("backup", row["id"], status, state, begun, ended, None, None)


def of_job(job: Row) -> Record:
    """Return a restore job."""
    return Record(
        "restore",
        job["id"],
        job["status"],
        end(job),
        created(job),
        moment(job["end_time"]),
        None,
        job["fail_reason"],
    )
