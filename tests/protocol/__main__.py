# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""python -m tests.protocol: play one schedule, or a million."""

from __future__ import annotations

import argparse
import os
import sys

from . import ASSUMPTIONS
from .kinds import KINDS
from .many import many
from .schedule import play
from .wrong import WRONG, real


def main() -> int:
    """Return the exit code: 1 when something was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.protocol", description=__doc__, epilog="It replays from --seed alone."
    )
    parser.add_argument("--seed", type=int, help="play this one")
    parser.add_argument("--verbose", action="store_true", help="with --seed: print what happens")
    parser.add_argument("--first", type=int, default=0, help="first seed of many")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--kind", choices=sorted(KINDS), help="only the seeds of this one")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--wrong", choices=sorted(WRONG), help="a client that is wrong on purpose")
    parser.add_argument("--assumptions", action="store_true", help="print what must hold")
    options = parser.parse_args()
    if options.assumptions:
        print(ASSUMPTIONS)
        return 0
    if options.seed is not None:
        with WRONG[options.wrong]() if options.wrong else real():
            report = play(options.seed, options.verbose)
        problems = [f"{name}: {text}" for name, text in report.problems] or ["nothing is wrong"]
        print("\n".join([*report.trace, *problems]))
        return bool(report.problems)
    summary = many(options.first, options.count, options.processes, options.wrong, options.kind)
    print(summary.text())
    return bool(summary.found)


if __name__ == "__main__":
    sys.exit(main())
