# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The progress of a wait: one line per change, and at least one a minute.

A line has the state, the percentage, the elapsed time, an estimate, and the operation.

Private.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor, printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Watch

# Seconds: at most between two lines; at least between two lines of a fleet, growing with the time
SILENCE, FLEET_PACE = 60.0, 2.0
FLEET = -1  # the number of the note about all watches


class Note(t.NamedTuple):
    """The known facts about one watch, by its number, or about the fleet."""

    number: int
    what: str  # a change of this makes a line
    subject: str = ""  # the operation, at the end of the line because IDs are long
    timed: bool = True
    end: float | None = None  # the estimated end, in seconds after the beginning
    pace: float = 0.0


class Progress:
    """The waiter calls it after every round with all watches; `say` shows a line.

    While a round takes longer, a thread shows a line each minute.
    """

    def __init__(
        self,
        say: t.Callable[[str], None],
        host: str,
        redactor: Redactor,
        quiet: bool = False,
        monotonic: t.Callable[[], float] = time.monotonic,
        pace: float = 0.0,
    ) -> None:
        self._say, self._redactor, self._quiet, self._monotonic = say, redactor, quiet, monotonic
        self._pace = pace  # seconds at least between two lines about one that runs
        self._host = f" [{redactor.printable(host, 80)}]" if host else ""
        self._notes: list[Note] = []
        self._begun = 0.0
        self._said: dict[int, tuple[str, float]] = {}  # the last line under a number, and its time
        # the percentage of a watch before it began to grow, and its time
        self._first: dict[int, tuple[float, float]] = {}
        self._lock, self._ended = threading.RLock(), threading.Event()
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """End with the task, because the items of a loop share this process."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def __call__(self, watches: t.Sequence[Watch]) -> None:
        """Show what is new."""
        if self._quiet or not watches:
            return
        with self._lock:
            self._begun = self._monotonic() - max(watch.elapsed for watch in watches)
            self._notes = [self._one(watches[0])] if len(watches) == 1 else self._fleet(watches)
            self.tick()
            if all(watch.done for watch in watches):
                self._notes = []
            elif self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()

    def tick(self) -> None:
        """Show what was not shown yet, and repeat what was shown a minute ago."""
        with self._lock:
            now = self._monotonic()
            for note in self._notes:
                # With a pace, the line that says what was started is the first one.
                before, when = self._said.get(note.number, ("", self._begun if self._pace else -SILENCE))
                if (note.what != before and now - when >= note.pace) or now - when >= SILENCE:
                    self._said[note.number] = (note.what, now)
                    # A line that cannot be shown must not end a restore.
                    with contextlib.suppress(Exception):
                        self._say(printable(self._redactor.redact(self._line(note, now - self._begun))))

    def _line(self, note: Note, elapsed: float) -> str:
        """Return the line of a note, so many seconds after the beginning."""
        parts = [f"huaweicloud.recovery:{self._host} {note.what}"]
        if note.timed:
            parts.append(f"{compact_duration(elapsed)} elapsed")
        if note.end is not None and note.end >= elapsed:
            parts.append(f"about {compact_duration(note.end - elapsed)} left")
        return ", ".join(parts) + (f" ({note.subject})" if note.subject else "")

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            self.tick()

    def _one(self, watch: Watch) -> Note:
        if not watch.ids:  # It was sent, but it is not known whether there is anything to wait for.
            what = "no conclusive response was received, checking whether the cloud accepted the request"
            return Note(0, what, watch.name)
        ids = {name: value for name, value in watch.ids.items() if name != "instance_id"}
        if not watch.due:  # It was accepted a moment ago and not observed yet.
            what = "is already running, and the task waits for it" if watch.adopted else "is accepted"
            names = ", ".join(f"{name} {value}" for name, value in ids.items())
            return Note(0, f"{watch.name} {what}: {names}", timed=False)
        subject = watch.name
        if any(value not in subject for value in watch.ids.values()):  # It names the request, not its result.
            subject = ", ".join(f"{name.partition('_')[0]} {value}" for name, value in ids.items())
            subject += f" of instance {watch.ids['instance_id']}" if "instance_id" in watch.ids else ""
        if watch.last is None:
            return Note(0, "cannot be seen yet", subject)
        done = percent(watch.last.progress)
        what = self._redactor.printable(watch.last.status or "unknown", 40)
        if watch.last.state == "running" and done == 100:
            what += ", waiting for the instance"
        if done is not None:
            what += f", {done:g} %"
        return Note(0, what, subject, end=self._end(0, watch), pace=0.0 if watch.done else self._pace)

    def _fleet(self, watches: t.Sequence[Watch]) -> list[Note]:
        bad = [(number, watch) for number, watch in enumerate(watches) if watch.error is not None]
        running = [(number, watch) for number, watch in enumerate(watches) if not watch.done]
        what = f"{len(watches) - len(running)} of {len(watches)} restores ended ({len(bad)} failed)"
        if running:
            what += f", the slowest at {min(reached(watch) for number, watch in running):g} %"
        ends = [end for end in (self._end(number, watch) for number, watch in running) if end is not None]
        end = max(ends) if ends and len(ends) == len(running) else None
        pace = max(FLEET_PACE, self._pace, max(watch.elapsed for watch in watches) / 20) if running else 0.0
        failures = [
            Note(number, f"{watch.name}: {watch.error.kind}")
            for number, watch in bad
            if watch.error and number not in self._said
        ]
        return [*failures, Note(FLEET, what, end=end, pace=pace)]

    def _end(self, number: int, watch: Watch) -> float | None:
        """Return when a watch will end, by its speed since the percentage began to grow."""
        done = percent(watch.last.progress if watch.last else None)
        if done is None or watch.done:
            return None
        first, when = self._first.get(number, (done, 0.0))
        if done <= first:
            self._first[number] = done, watch.elapsed  # It waits for its turn.
        return when + (100 - first) * (watch.elapsed - when) / (done - first) if first < done < 100 else None


def reached(watch: Watch) -> float:
    """Return the percentage of a watch. An operation that has ended may have lost its own."""
    if watch.last is None:
        return 0.0
    return (percent(watch.last.progress) or 0.0) if watch.last.state == "running" else 100.0


def percent(value: str | None) -> float | None:
    """Return the number in '45.00' or '60%'; None for anything but a percentage."""
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%?", value or "", re.ASCII)
    return float(match[1]) if match and float(match[1]) <= 100 else None


def compact_duration(seconds: float) -> str:
    """Return 45s, 2m10s or 1h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
