# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rows show about DDM instances and their recoveries."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import CloudError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import called
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import seconds_of_newest
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.named import Named
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.operations import (
    PairObservation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.reading import target
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import Row


def of_plan(ddm: Ddm, names: Named, observed: PairObservation, restore_time: int | None) -> Row:
    """Return the keys of a plan's result on which people decide."""
    return {
        "target": target({**names.rows.get(names.target or "", {}), **observed.target}),
        "source": {"instance_id": names.source, "instance_name": shown_name(ddm, names, observed)},
        "data_time": None if restore_time is None else iso(restore_time),
        "newer_backup": None,
        "last_seconds": last_seconds(observed.history, (names.source, names.target)),
    }


def difference(known: Row, when: str) -> tuple[Row, str]:
    """Return what is overwritten and, in words, what overwrites it: for the diff, from of_plan()."""
    target, source = known["target"], known["source"]
    overwritten = {"target": target["instance_id"], "name": target["instance_name"]}
    return overwritten, f"{called(source['instance_id'], source['instance_name'])} as of {when}"


def last_seconds(jobs: t.Iterable[Row], instances: t.Container[str | None]) -> int | None:
    """Return the seconds of the newest completed restore of these instances, else of any in the project."""

    def newest(done: t.Iterable[Row]) -> int | None:
        return seconds_of_newest((job["created_time"], job["end_time"]) for job in done)

    done = [job for job in jobs if ending(job["status"]) == "succeeded"]
    own = newest(job for job in done if job["instance_id"] in instances)
    return newest(done) if own is None else own


def shown_name(ddm: Ddm, names: Named, observed: PairObservation) -> str | None:
    """Return the cloud's name of the source, for the person who approves, or None if it cannot be read."""
    name = source_name(names, observed)
    if name is None and names.source:
        with contextlib.suppress(CloudError):
            name = ddm.brief().instance(names.source)["name"]
    return name


def source_name(names: Named, observed: PairObservation) -> str | None:
    """Return the cloud's name of the source, or None if nothing that was read has it."""
    jobs = {job["instance_id"]: job["instance_name"] for job in observed.history}
    return t.cast("str | None", names.rows.get(names.source or "", {}).get("name") or jobs.get(names.source))


def operation_name(what: str, names: Named, observed: PairObservation) -> str:
    """Return the name of an operation on a pair, for messages."""
    source = called(names.source, source_name(names, observed))
    return f"{what} of DDM instance {source} to {called(names.target, observed.target['instance_name'])}"


def of_job(names: Named, job: Row) -> Row:
    """Return the same keys for an earlier run's job, of which nobody knows the restored time."""
    row = names.rows.get(names.target or "")
    if row is None:
        own = names.target in (None, job["instance_id"])
        row = {
            "instance_id": names.target or job["instance_id"],
            "name": job["instance_name"] if own else None,
        }
    source = names.rows.get(names.source or "", {})
    return {
        "target": target(row),
        "source": {"instance_id": names.source, "instance_name": source.get("name")},
        "data_time": None,
        "newer_backup": None,
        "last_seconds": None,
    }
