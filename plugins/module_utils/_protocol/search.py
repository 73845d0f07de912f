# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for the effect of a POST without a conclusive response.

It says which records can be the effect, and what to report when there is none.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    OutcomeUnknown,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import CLOUD_SKEW
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
    Row,
)

KEPT_AT_EACH_END = 8  # observations at each end of a trail that is too long to report whole


def find_effects(
    before: Observation, previous: Observation, now: Observation, sent_at: float
) -> tuple[str, ...]:
    """Return the IDs that this operation may have caused since `before`: new ones that are or may be its own.

    If there are none, it returns a running one to attach to. It skips a record from before the request,
    because that one had ended: the list has left out the one that runs. A list can also leave out a record in
    `own`, so a likely one must be in `previous` as well.
    """
    likely = now.likely & previous.likely
    own = appeared(now.own, before, now, sent_at) or appeared(likely, before, now, sent_at)
    if own:
        return tuple(sorted({*own, *appeared(now.possible, before, now, sent_at)}))
    return tuple(found for found in now.running if found not in before.records and found != now.done)


def appeared(ids: t.AbstractSet[str], before: Observation, now: Observation, sent_at: float) -> list[str]:
    """Return the IDs that are new since `before`.

    A record from before the request (`sent_at`, epoch seconds by the cloud's clock) is not new, however it
    looks: a list can leave out an old record once. A time that cannot be read proves nothing.
    """
    earliest = int(sent_at * 1000) - CLOUD_SKEW
    known = {found: now.created.get(found) for found in ids - before.records.keys()}
    return sorted(found for found, created in known.items() if created is None or created >= earliest)


@dataclass
class Search:
    """What was sent, what the cloud showed before, and what each observation has shown since.

    `sent_at` and the times of the observations are in epoch seconds by the cloud's clock.
    """

    operation: Operation
    before: Observation
    cause: CloudError
    sent_at: float
    region: str | None
    last: Observation | None = None
    checks: int = 0
    turned: str = ""  # the first status that differs from the one before the request, and when
    trail: list[Row] = field(default_factory=list)

    def saw(self, observed: Observation, now: float) -> None:
        """Add an observation."""
        self.last, self.checks, when = observed, self.checks + 1, iso(int(now * 1000))
        if not self.turned and observed.status != self.before.status:
            self.turned = f"; the status changed from {self.before.status} to {observed.status} by {when}"
        shown = {"status": observed.status, "task": observed.task, "records": len(observed.records)}
        self.trail.append({"at": when, **shown, "blocked": observed.blocked, "error": None})

    def failed(self, error: CloudError, now: float) -> None:
        """Add an observation that could not be made."""
        nothing = dict.fromkeys(("status", "task", "records", "blocked"))
        self.trail.append({"at": iso(int(now * 1000)), **nothing, "error": str(error)})

    def began(self) -> list[str]:
        """Return the new IDs that may be this operation's or another's."""
        last = self.last
        return appeared(last.possible | last.unclear, self.before, last, self.sent_at) if last else []

    def unknown(self, also: str = "") -> OutcomeUnknown:
        """Return the error that says what was sent, when, what was observed, and the safe next steps."""
        operation, last, when = self.operation, self.last, iso(int(self.sent_at * 1000))
        shown = self.turned
        shown += f"; the last check showed that {last.blocked}" if last and last.blocked else ""
        possible = self.began()
        if possible:
            shown += (
                f"; {', '.join(possible)} began in the meantime and may be this operation or somebody else's"
            )
        trail, kept = self.trail, KEPT_AT_EACH_END
        facts = {
            "sent_at": when,
            "checks": self.checks,
            "found": possible or None,
            "trail": trail[:kept] + trail[kept:][-kept:],
            "trail_left_out": max(0, len(trail) - 2 * kept),
        }
        cause = str(self.cause).rstrip(".")
        place = f" of region {self.region}" if self.region else ""
        return OutcomeUnknown(
            f"{operation.name}: the request was sent at {when}, no conclusive response was received "
            f"({cause}), and no matching record appeared in {self.checks} "
            f"check{'' if self.checks == 1 else 's'}{shown}.{also} The cloud may have accepted it "
            "anyway. Nothing was repeated. Safe next steps: "
            f"{operation.resume}; or check the instance's records in the console{place}.",
            **{**operation.about, **self.cause.facts, **facts},
        )
