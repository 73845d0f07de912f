# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row for each module with the calls that the suites make. A new module needs only a row here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.cloud import scenario as names

Params = dict[str, Any]
CACHE: Params = {"instance_id": names.DCS_INSTANCE}
RESTORE: Params = {**CACHE, "backup_id": names.DCS_BACKUP}
PAIR: Params = {"instance_id": names.DDM_SOURCE, "target_instance_id": names.DDM_TARGET}
RECOVERY: Params = {**PAIR, "restore_time": "latest"}
METADATA: Params = {
    **PAIR,
    "backup_id": names.DDM_BACKUP,
    "data_nodes": [names.DN_TARGET_1, names.DN_TARGET_2],
}
MARKER: Params = {"remark": "drill", "operation_id": "CHG-1"}
RELATIONS = [
    {"source_instance_id": names.DN_SOURCE_1, "target_instance_id": names.DN_TARGET_2},
    {"source_instance_id": names.DN_SOURCE_2, "target_instance_id": names.DN_TARGET_1},
]


@dataclass(frozen=True)
class Start:
    """The one request of a module that must not be repeated, in the words of the simulated cloud.

    - `post`: its operation in the ledger.
    - `listed`: the list that is read before it.
    - `poll`: what is read while waiting.
    - `marker`: options of the marker by which a later run recognises it; empty if the API keeps none.
    """

    post: str
    listed: str
    poll: str
    marker: Params = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """How the suites call a module against the default scenario of the local cloud.

    - `good`: options with which it succeeds. Every suite of bad input starts from it.
    - `reads`: more calls that read; each result is held against RETURN, and no list of them is always empty.
    - `changes`: calls that change something: check mode predicts them, and the second run changes nothing.
    - `key`, `record`: the keys of the ID and of the record of what `changes` start.
    - `start`: what `good` starts, for the suites of faults, kills, hostile responses and progress.
    - `one_request`: calls that cost a single request.
    - `rows`: whether it takes and returns rows (`restores`).
    """

    good: Params
    reads: tuple[Params, ...] = ()
    changes: tuple[Params, ...] = ()
    key: str = ""
    record: str = ""
    start: Start | None = None
    one_request: tuple[Params, ...] = ()
    rows: bool = False


CASES: dict[str, Case] = {
    "dcs_backup": Case(
        CACHE,
        changes=(
            {**CACHE, "remark": "before the release"},
            {**CACHE, "operation_id": "one"},
            {**CACHE, "wait": False, "backup_format": "aof"},
        ),
        key="backup_id",
        record="backup",
        start=Start("dcs.backup", "dcs.backups", "dcs.backups", MARKER),
    ),
    "dcs_backup_info": Case(
        CACHE,
        reads=(CACHE, {**CACHE, "usable_only": True}, {"instance_id": names.DCS_EMPTY}),
        one_request=(CACHE,),
    ),
    "dcs_instance_info": Case(
        {},
        reads=(
            {},
            {"name": "orders-cache"},
            {"instance_id": names.DCS_SINGLE},
            {"status": "FROZEN"},
            {"name": "nobody"},
        ),
        one_request=({}, CACHE),
    ),
    "dcs_restore": Case(
        RESTORE,
        changes=(
            RESTORE,
            {**RESTORE, "remark": "CHG-1042", "operation_id": "2026-05-28"},
            {**CACHE, "restore_point": "latest"},
            {**RESTORE, "wait": False},
        ),
        key="restore_id",
        record="restore",
        start=Start("dcs.restore", "dcs.restores", "dcs.restores", MARKER),
    ),
    "dcs_restore_info": Case(
        CACHE,
        reads=(CACHE, {**CACHE, "status": "failed"}, {"instance_id": names.DCS_EMPTY}),
        one_request=(CACHE,),
    ),
    "ddm_backup_info": Case(
        {},
        reads=(
            {},
            {"instance_id": names.DDM_SOURCE},
            {"instance_id": names.DDM_SOURCE, "backup_id": names.DDM_BACKUP},
            {"status": "creating"},
        ),
    ),
    "ddm_instance_info": Case(
        {},
        reads=({}, {"instance_id": names.DDM_SOURCE}, {"name": "orders-db"}),
        one_request=({}, {"instance_id": names.DDM_SOURCE}),
    ),
    "ddm_job_info": Case(
        {},
        reads=({}, {"job_id": names.DDM_JOB_FAILED}, {"status": "Completed"}),
        one_request=({},),
    ),
    "ddm_metadata_recovery": Case(
        METADATA,
        changes=(
            METADATA,
            {**METADATA, "backup_id": None, "restore_time": "2025-05-20T09:12:32Z"},
            {**METADATA, "wait": False},
        ),
        key="job_id",
        record="job",
        start=Start("ddm.metadata_recovery", "ddm.jobs", "ddm.job"),
    ),
    "ddm_recovery": Case(
        RECOVERY,
        changes=(RECOVERY, {**RECOVERY, "data_node_relations": RELATIONS}, {**RECOVERY, "wait": False}),
        key="job_id",
        record="job",
        start=Start("ddm.recovery", "ddm.jobs", "ddm.job"),
    ),
    "ddm_restorable_info": Case(
        {"instance_id": names.DDM_SOURCE},
        reads=(
            {"instance_id": names.DDM_SOURCE},
            {"instance_id": names.DDM_SOURCE, "available_only": True},
            {"instance_id": names.DDM_SOURCE, "restore_time": "latest"},
            {
                "instance_id": names.DDM_SOURCE,
                "restore_time": "latest",
                "target_instance_id": names.DDM_TARGET,
            },
            {"instance_id": names.DDM_TARGET_ACCOUNTS},
        ),
    ),
    "restore_start": Case({"restores": [{"service": "dcs", **RESTORE}]}, rows=True),
    "restore_verify": Case({"restores": [{"service": "dcs", **CACHE}]}, rows=True),
    "restore_wait": Case(
        {"restores": [{"service": "dcs", **CACHE, "restore_id": names.DCS_RESTORE_OLD}]}, rows=True
    ),
}
GOOD = {module: case.good for module, case in CASES.items()}
ROWS = {module for module, case in CASES.items() if case.rows}
READS = [(module, params) for module, case in CASES.items() for params in case.reads]
CHANGES = [(module, params) for module, case in CASES.items() for params in case.changes]
STARTS = {module: case.start for module, case in CASES.items() if case.start}
ONE_REQUEST = [(module, params) for module, case in CASES.items() for params in case.one_request]
