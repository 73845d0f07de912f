# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations that the schedules play, one for each module that starts something."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.modules import (
    dcs_backup,
    dcs_restore,
    ddm_metadata_recovery,
    ddm_recovery,
)
from tests.cases import CASES, Start
from tests.cloud import scenario as ids

EPOCH = 1_790_000_000.0  # the cloud's calendar at virtual time 0
BACKUP, OTHER_BACKUP = ids.DCS_BACKUP, ids.DCS_BACKUP_OLD
SOURCE, TARGET, OTHER_TARGET = ids.DDM_SOURCE, ids.DDM_TARGET, ids.DDM_TARGET_SECOND
RESTORE_TIME, OTHER_TIME = (int(EPOCH - days * ids.DAY) * 1000 for days in (2.5, 3.5))
DCS_PATH = f"/v2/{ids.PROJECT_ID}/instances/{ids.DCS_INSTANCE}"
DDM_PATH = f"/v3/{ids.PROJECT_ID}/instances/{SOURCE}/backups"
NODES = {"source_instance_id": ids.DN_SOURCE_1, "target_instance_id": ids.DN_TARGET_2}


@dataclass(frozen=True)
class Kind:
    """What the schedules know of an operation.

    - `own`: the options of its module. `instance`: what it keeps busy. `what`: what it restores, as the item
      of the cloud shows it.
    - `path`: that of its POST. `listed`: part of the URL of the list in which it appears. `state`: a pattern
      of the URL that shows the state of the instance.
    - `console(other)`: the body with which somebody else starts it, or another one.
    """

    module: t.Any
    own: dict[str, t.Any]
    instance: str
    what: tuple[t.Any, ...]
    path: str
    listed: str
    state: str
    console: t.Callable[[bool], dict[str, t.Any]]

    @property
    def name(self) -> str:
        """The name of the module."""
        return str(self.module.__name__.rpartition(".")[2])

    @property
    def start(self) -> Start:
        """Its requests in the words of the simulated cloud."""
        return t.cast(Start, CASES[self.name].start)

    @property
    def key(self) -> str:
        """The key of its ID in the result."""
        return CASES[self.name].key

    @property
    def marked(self) -> bool:
        """Whether a marker shows a later run what an earlier one has started."""
        return bool(self.start.marker)


KINDS = {
    "restore": Kind(
        dcs_restore,
        {"instance_id": ids.DCS_INSTANCE, "backup_id": BACKUP},
        ids.DCS_INSTANCE,
        (BACKUP,),
        f"{DCS_PATH}/restores",
        "/restores?",
        r"/instances/[0-9a-z-]+$",
        lambda other: {"backup_id": OTHER_BACKUP if other else BACKUP},
    ),
    "backup": Kind(
        dcs_backup,
        {"instance_id": ids.DCS_INSTANCE},
        ids.DCS_INSTANCE,
        (),
        f"{DCS_PATH}/backups",
        "/backups?",
        r"/instances/[0-9a-z-]+$",
        lambda other: {"remark": "automatic"},
    ),
    "recovery": Kind(
        ddm_recovery,
        {"instance_id": SOURCE, "target_instance_id": TARGET, "restore_time": str(RESTORE_TIME)},
        TARGET,
        (SOURCE, TARGET, RESTORE_TIME),
        f"{DDM_PATH}/recovery",
        "/jobs?",
        "/restorable-instances",
        lambda other: {
            "source": {"restore_time": OTHER_TIME},
            "target": {"instance_id": OTHER_TARGET if other else TARGET},
            "data_node_relations": [NODES],
        },
    ),
    "metadata": Kind(
        ddm_metadata_recovery,
        {
            "instance_id": SOURCE,
            "target_instance_id": TARGET,
            "backup_id": ids.DDM_BACKUP,
            "data_nodes": [ids.DN_TARGET_1],
        },
        TARGET,
        (SOURCE, TARGET, None, ids.DDM_BACKUP, ids.DN_TARGET_1),
        f"{DDM_PATH}/metadata-recovery",
        "/jobs?",
        "/restorable-instances",
        lambda other: {
            "source": {"restore_time": OTHER_TIME},
            "target": {
                "instance_id": OTHER_TARGET if other else TARGET,
                "data_nodes": [ids.DN_TARGET_2],
            },
        },
    ),
}
BY_POST = {kind.start.post: name for name, kind in KINDS.items()}
