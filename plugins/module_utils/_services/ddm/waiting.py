# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of DDM that waits for the recovery of a row."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import called
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import watch_job
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.waiting import Waiting


def watch(cloud: Cloud, row: t.Mapping[str, t.Any]) -> Watch:
    """Return how to wait for the job of a row, and for its target. The job itself may name the source."""
    known = row.get("target") or {}
    found = known.get("instance_id") or row.get("target_instance_id")
    where = f" of {called(found, known.get('instance_name'))}" if found else ""
    # A job that a task has returned is the right one.
    source = None if row.get("outcome") else row.get("instance_id")
    return watch_job(Ddm(cloud), row["job_id"], found, f"DDM job {row['job_id']}{where}", source)


WAITING = Waiting(
    name="ddm",
    id_key="job_id",
    record_key="job",
    watch=watch,
    watch_needs=("job_id",),
    remark_key=None,
    not_again=("job_id", "adopt"),
)
