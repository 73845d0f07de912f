# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which source data node can be restored onto which target data node, and to which time.

It is a maximum matching over the data nodes that the API calls available.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import is_future
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row

Candidates = t.Dict[str, t.List[Row]]  # source data node ID -> target data nodes


def check_time(intervals: t.Sequence[Row], restore_time: int) -> None:
    """Raise NotRestorable, showing the ranges, unless restore_time (epoch ms) lies in one of them."""
    if not any(
        (moment(span["start_time"]) or 0) <= restore_time <= (moment(span["end_time"]) or -1)
        for span in intervals
    ):
        ranges = "; ".join(f"{span['start_time']} to {span['end_time']}" for span in intervals) or "none"
        raise NotRestorable(
            f"{iso(restore_time)} ({restore_time}) is in no restorable interval. Intervals: {ranges}.",
            restorable_time_intervals=list(intervals),
        )


def latest_time(ddm: Ddm, intervals: t.Sequence[Row]) -> int:
    """Return the latest restorable time, epoch ms. A range that ends in the future, or at a time that cannot
    be read, is left out with a warning.

    Raises NotRestorable when there is none.
    """
    if not intervals:
        raise NotRestorable(
            "The instance has no restorable interval yet: its data nodes need a backup first."
        )
    ends = {str(span["end_time"]): moment(span["end_time"]) for span in intervals}
    now = ddm.now()
    good = [end for end in ends.values() if end is not None and not is_future(end, now)]
    unusable = [ddm.redactor.printable(written, 64) for written, end in ends.items() if end not in good]
    if not good:
        raise NotRestorable(
            f"Each restorable interval ends at a time that cannot be read or is in the future: "
            f"{', '.join(unusable)}. Give a time instead of latest.",
            restorable_time_intervals=list(intervals),
        )
    if unusable:
        ddm.warn(
            f"A restorable interval ends at {', '.join(unusable)}, which cannot be read or is in the future. "
            f"It was left out: latest is {iso(max(good))}. Give restore_time for another time."
        )
    return max(good)


def candidates(ddm: Ddm, source: str, target: str, nodes: t.Sequence[Row], restore_time: int) -> Candidates:
    """Return the target data nodes for each source data node, available or not, by ID.

    One of the source itself is never available.
    """
    sources = sorted(str(node["instance_id"]) for node in nodes)
    own = {"available": False, "unavailable_reason": "it is a data node of the source"}

    def of(node: str) -> list[Row]:
        found = ddm.restorable_data_nodes(source, target, node, restore_time)
        rows = [{**row, **own} if row["instance_id"] in sources else row for row in found]
        return sorted(rows, key=lambda row: str(row["instance_id"]))

    return {node: of(node) for node in sources}


def match(options: Candidates) -> dict[str, str]:
    """Return source -> target, distinct targets, as many as possible (augmenting paths).

    The input is sorted, so the result is the same on every run.
    """
    taken: dict[str, str] = {}  # target -> source

    def place(source: str, tried: set[str]) -> bool:
        for row in options[source]:
            target = row["instance_id"]
            if not row["available"] or target in tried:
                continue
            tried.add(target)
            if target not in taken or place(taken[target], tried):
                taken[target] = source
                return True
        return False

    for source in options:
        place(source, set())
    return {source: target for target, source in taken.items()}


def relations(options: Candidates) -> tuple[list[Row], str | None]:
    """Return (the mapping as data_node_relations, None), or ([], why there is none).

    The reason names each unmatched node, and says for each candidate why it cannot be used.
    """
    if not options:
        return [], "the source instance has no data node at that time"
    found = match(options)
    faults = [
        f"data node {source} has no target of its own ({describe_candidates(rows)})"
        for source, rows in options.items()
        if source not in found
    ]
    if faults:
        return [], "; ".join(faults)
    return [{"source_instance_id": source, "target_instance_id": found[source]} for source in options], None


def describe_candidates(rows: t.Sequence[Row]) -> str:
    """Return each candidate with the reason why it cannot be used, for people."""

    def why(row: Row) -> str:
        return (
            "available, but needed for another data node"
            if row["available"]
            else printable(row["unavailable_reason"] or "not available, no reason given")
        )

    return "; ".join(f"{row['instance_id']}: {why(row)}" for row in rows) or "the cloud offers no candidate"
