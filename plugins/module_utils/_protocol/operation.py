# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the at-most-once protocol needs to know about an operation, and one observation of it in the cloud."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import Busy, CloudError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch

Row = t.Dict[str, t.Any]
# After 5 minutes a request has arrived or never will. Tests follow this advice.
AGAIN = (
    "run {} again in 5 minutes: it attaches to what it finds, and starts a new operation only when it "
    "finds none"
)


@dataclass(frozen=True)
class Observation:
    """One observation of the cloud in the protocol's terms, with all records of this kind that were read."""

    running: tuple[str, ...] = ()  # IDs of unfinished operations that a run with these parameters attaches to
    done: str | None = None  # ID of the finished operation that this run would otherwise start
    blocked: str | None = None  # why nothing can be started now
    explained: bool = True  # whether the obstacle is clearly somebody else's
    stuck: bool = False  # whether the obstacle never ends by itself
    own: frozenset[str] = frozenset()  # IDs that can only be this operation's, if new
    likely: frozenset[str] = frozenset()  # IDs that are this operation's if new, and none in `own` is
    possible: frozenset[str] = frozenset()  # IDs that may be this operation's or another's, if new
    unclear: frozenset[str] = frozenset()  # IDs whose kind nobody knows
    records: t.Mapping[str, Row] = field(default_factory=dict)  # every record of this kind by its ID
    created: t.Mapping[str, int | None] = field(default_factory=dict)  # when each was created, epoch ms
    # what two observations must agree on before the task believes that a record is absent
    state: t.Hashable = None
    status: str | None = None  # status of the instance that is overwritten
    task: str | None = None  # what that instance is busy with

    def record(self, found: str | None) -> Row | None:
        """Return the record with this ID, or None if it was not read."""
        return self.records.get(found) if found else None


@dataclass(frozen=True)
class Operation:
    """One restore, recovery or backup. It is complete when it is built: no code adds to it later.

    `name` is for people. `id_key` and `record_key` are the keys of its ID (restore_id, backup_id or job_id)
    and of its record in the result. `marked`: its record carries a marker, which shows whose it is.
    """

    name: str
    id_key: t.ClassVar[str]
    record_key: t.ClassVar[str]
    marked: t.ClassVar[bool] = False

    @property
    def about(self) -> Row:
        """What the request names, under the names of options: for a result that has no ID of an operation."""
        return {}

    @property
    def resume(self) -> str:
        """What to do when nobody knows whether it runs."""
        return AGAIN.format("the same task")

    def observe(self) -> Observation:
        """Read the cloud once and return all that it shows. This changes nothing."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise when the request cannot succeed. Called only when a request would be sent."""

    def post(self) -> Reply:
        """Send the one POST."""
        raise NotImplementedError

    def watch(self, found: str) -> Watch:
        """Return how to wait for the operation with this ID."""
        raise NotImplementedError

    def echoed(self, record: Row) -> bool:
        """Whether the cloud has kept the marker by which a later run recognises this operation."""
        return True

    def amended(self, error: CloudError) -> Operation | None:
        """Return the operation to send instead after the service has definitely refused this one, or None.

        It is never the same one.
        """
        return None

    def refusal(self, observed: Observation, cause: CloudError | None = None) -> CloudError:
        """Return the error for something else that holds the instance; `cause` is the cloud's response."""
        why = observed.blocked or "the cloud reports another operation"
        response = f" The cloud's response: {cause}" if cause else ""
        facts = cause.facts if cause else {}
        text = f"{self.name} was not started: {why}.{response}"
        if observed.stuck:
            return Busy(text, stuck=True, **facts)
        return Busy(f"{text} Run the task again when that has ended.", **facts)
