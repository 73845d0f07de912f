# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many schedules on many cores, and their results in numbers."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from .schedule import drawn, play
from .wrong import WRONG, real

CHUNK, SHOWN, WIDTH = 500, 20, 400


@dataclass
class Summary:
    """Counts, and the seeds of schedules with problems, each with its first problem."""

    outcomes: Counter[str] = field(default_factory=Counter)
    found: list[tuple[int, str, str]] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: str | None = None

    def text(self) -> str:
        """For people."""
        count = self.outcomes["schedules"]
        lines = [f"{count} schedules in {self.seconds:.1f} s ({count / max(self.seconds, 1e-9):.0f}/s)"]
        lines.append(", ".join(f"{name} {number}" for name, number in self.outcomes.most_common()))
        lines.append(
            f"wrong: {len(self.found)} schedules; "
            + (", ".join(f"{name} {number}" for name, number in self.problems.most_common()) or "nothing")
        )
        client = f"--wrong {self.wrong} " if self.wrong else ""
        lines += [
            f"python -m tests.protocol --verbose {client}--seed {seed}: {name}: {text[:WIDTH]}"
            for seed, name, text in sorted(self.found)[:SHOWN]
        ]
        return "\n".join(lines)


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect garbage only seldom: it takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    gc.freeze()  # existing files are not searched
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()


def some(first: int, count: int, wrong: str | None, kind: str | None = None) -> Summary:
    """Play schedules in this process: all, or those of one kind."""
    summary, began = Summary(wrong=wrong), time.perf_counter()
    with WRONG[wrong]() if wrong else real(), seldom_collected():
        for seed in range(first, first + count):
            if seed % 500 == 0:
                gc.collect()
            if kind and drawn(seed)[0].rules.kind != kind:
                continue
            report = play(seed)
            summary.outcomes.update(report.outcomes)
            if report.problems:
                summary.found.append((seed, *report.problems[0]))
                summary.problems.update({name for name, dummy in report.problems})
    summary.seconds = time.perf_counter() - began
    return summary


def many(
    first: int, count: int, processes: int, wrong: str | None = None, kind: str | None = None
) -> Summary:
    """Play schedules on several cores."""
    if processes == 1:
        return some(first, count, wrong, kind)
    total, began = Summary(wrong=wrong), time.perf_counter()
    starts = range(first, first + count, CHUNK)
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        counts = [min(CHUNK, first + count - start) for start in starts]
        for part in pool.map(some, starts, counts, [wrong] * len(starts), [kind] * len(starts)):
            total.outcomes.update(part.outcomes)
            total.found += part.found
            total.problems.update(part.problems)
    total.seconds = time.perf_counter() - began
    return total
