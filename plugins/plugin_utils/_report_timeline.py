# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timeline of the page of a report: what each instance did, and when. Private to this collection."""

from __future__ import annotations

import typing as t
from datetime import tzinfo

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import DAY, moment
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report import Report, spans
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_advice import clock_duration
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_text import moment_in
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import (
    DONE,
    PHASES,
    PLAN,
    RESTORE,
    SAFE,
    VERIFY,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import called, service_of

Row = t.Mapping[str, t.Any]

LEGEND = {  # the phases of _step_table.py, and a failure in any of them
    PLAN: "Plan, approval",
    SAFE: "Safety backup",
    RESTORE: "Restore",
    VERIFY: "Verification",
    DONE: "Tasks after",
    "fail": "Failed",
}
TICKS = (1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 604800)  # seconds
MOST_TICKS = 8
JOINED_MS = 2000  # longest pause between two steps that is not drawn


class Scale:
    """From times to percent of the width of the timeline."""

    def __init__(self, report: Report, where: tzinfo) -> None:
        """Span the run, and the target for its duration if that is not far after its end."""
        drawn = [span for row in report["restores"] for step in row["steps"] for span in spans(step)]
        self.start = moment(report["started"]) or min((start for start, dummy in drawn), default=0)
        last = max((end for dummy, end in drawn), default=self.start)
        length = max(last - self.start, 1000) / 1000
        target = report["rto"]["target"]
        self.seconds = 1.02 * (max(length, target) if target is not None and target < 2 * length else length)
        self.where = where
        self.target_x = (
            None if target is None or target > self.seconds else self.x(self.start + int(1000 * target))
        )
        self.ticks = list(self._ticks())

    def x(self, ms: int) -> float:
        """Return the position of a time in percent."""
        return min(100.0, max(0.0, round((ms - self.start) / 10 / self.seconds, 2)))

    def clock(self, ms: int, pattern: str = "%H:%M:%S") -> str:
        """Return the time of day."""
        return moment_in(ms, self.where).strftime(pattern)

    def _ticks(self) -> t.Iterator[dict[str, t.Any]]:
        step = 1000 * next((one for one in TICKS if self.seconds / one <= MOST_TICKS), TICKS[-1])
        pattern = "%d %b"
        if step < 60_000:
            pattern = "%H:%M:%S"
        elif step < DAY:
            pattern = "%H:%M"
        yield {"x": 0, "label": self.clock(self.start, pattern), "anchor": "start"}
        at = self.start - self.start % step + step
        while self.x(at) < 100:
            if self.x(at) > 8:
                yield {
                    "x": self.x(at),
                    "label": self.clock(at, pattern),
                    "anchor": "middle" if self.x(at) < 95 else "end",
                }
            at += step


def rto_target(report: Report, scale: Scale) -> str | None:
    """Return the target in words, for the legend."""
    target = report["rto"]["target"]
    if target is None:
        return None
    return clock_duration(target) + (", beyond this scale" if scale.target_x is None else "")


def groups(rows: t.Sequence[Row], scale: Scale) -> list[dict[str, t.Any]]:
    """Return the rows of the timeline in the groups in which they ran."""
    found = []
    for number in sorted({row["group"] or 0 for row in rows}):
        same = [row for row in rows if (row["group"] or 0) == number]
        services = {service.name: service for service in map(service_of, same) if service}
        words = " and ".join(one.title for one in sorted(services.values(), key=lambda one: one.group))
        found.append(
            {
                "name": f"Group {number}: {words}" if number else words,
                "rows": [timeline_row(row, scale) for row in same],
            }
        )
    return found


def timeline_row(row: Row, scale: Scale) -> dict[str, t.Any]:
    """Return a row of the timeline: its spans, and the same in words."""
    parts = joined(row)
    drawn = [drawing(part, scale) for part in parts]
    drawn += [failure_at(part, scale) for part in parts if part["failed"]]
    spoken = [
        f"{LEGEND[part['kind']].lower()} {took(part)}{', failed' if part['failed'] else ''}" for part in parts
    ]
    return {
        "name": called(row),
        "spans": drawn,
        "spoken": "; ".join(spoken) or "not begun",
        "end": time_to_end(row, parts, scale),
        "mark": mark(row),
    }


def time_to_end(row: Row, parts: t.Sequence[Row], scale: Scale) -> str:
    """Return how long it took until an instance was verified, or failed; dots if it is under way."""
    if row["rto_seconds"] is not None:
        return clock_duration(row["rto_seconds"])
    if not row["error_kind"]:
        return "…" if row["outcome"] == "started" else "-"
    return clock_duration((max((part["end"] for part in parts), default=scale.start) - scale.start) / 1000)


def joined(row: Row) -> list[dict[str, t.Any]]:
    """Return the steps of a row as spans {kind, start, end, failed} in ms, joining steps of one kind."""
    found: list[dict[str, t.Any]] = []
    for step in row["steps"]:
        kind = PHASES.get(step["step"])
        for start, end in spans(step) if kind and step["outcome"] != "skipped" else ():
            last = found[-1] if found else None
            if last and last["kind"] == kind and 0 <= start - last["end"] <= JOINED_MS:
                last.update(end=max(end, last["end"]), failed=last["failed"] or step["outcome"] == "failed")
            else:
                found.append(
                    {"kind": kind, "start": start, "end": end, "failed": step["outcome"] == "failed"}
                )
    return found


def took(part: Row) -> str:
    """Return how long a span is."""
    return clock_duration((part["end"] - part["start"]) / 1000)


def drawing(part: Row, scale: Scale) -> dict[str, t.Any]:
    """Return a span as it is drawn, wide enough to be seen."""
    x, end = scale.x(part["start"]), scale.x(part["end"])
    times = f"{scale.clock(part['start'])} to {scale.clock(part['end'])}, {took(part)}"
    return {
        "kind": part["kind"],
        "x": x,
        "w": max(0.4, round(end - x, 2)),
        "title": f"{LEGEND[part['kind']]} {times}",
    }


def failure_at(part: Row, scale: Scale) -> dict[str, t.Any]:
    """Return the mark at the end of a span that failed."""
    x = max(0.0, round(scale.x(part["end"]) - 0.6, 2))
    return {"kind": "fail", "x": x, "w": 1.2, "title": f"Failed {scale.clock(part['end'])}"}


def mark(row: Row) -> str:
    """Return the mark of an instance: failed, verified, or neither."""
    if row["error_kind"]:
        return "✗"
    return "✓" if row["data_state"] == "overwritten_verified" else ""
