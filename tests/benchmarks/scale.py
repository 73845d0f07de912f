# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a large fleet costs, for docs/docsite/rst/scale.rst: `python -m tests.benchmarks.scale 1000 5000`.

It takes minutes of CPU. Restores take a minute and are read every 10 seconds. It prints a line for each size:
seconds, CPU, memory, requests by operation, and how large the largest event of a task and the output are, as
a job controller stores them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests import invoke
from tests.benchmarks import environment, measure
from tests.cloud import scenario as ids

SECONDS, INTERVAL = 60.0, 10


def one(size: int, home: Path, seconds: float = SECONDS, interval: int = INTERVAL) -> dict[str, object]:
    """Restore a fleet of caches, and return what it cost. A restore takes `seconds`."""
    with measure.server("cloud", scenario=f"fleet-{size}", restore_seconds=seconds) as cloud:
        rows = [
            f"cache-{number} service=dcs instance_id={ids.fleet_dcs_instance(number)}\n"
            for number in range(size)
        ]
        (home / "hosts.ini").write_text("".join(rows))
        events = home / "events.jsonl"
        env = {**invoke.environment(str(home)), **cloud.env, **invoke.recording(events)}
        command = ["ansible-playbook", "huaweicloud.recovery.fleet", "-i", "hosts.ini", "--limit", "all"]
        command += ["-e", f"fleet_poll_interval={interval} restore_report_dir=reports"]
        cost = measure.run(command, {**os.environ, **env}, home, cloud, memory=True)
        ledger = [entry for entry in cloud.control("GET", "ledger") if entry["service"]]
    posted = {entry["path"]: entry["time"] for entry in ledger if entry["operation"] == "dcs.restore"}
    times = [entry["time"] for entry in ledger]
    busiest = Counter(int(time) for time in times).most_common(1)[0][1]
    return {
        "size": size,
        "wall": round(cost.wall, 1),
        "cpu": round(cost.cpu, 1),
        "server_cpu": round(cost.server, 1),
        "MB": round(cost.memory),
        "planned_after": round(min(posted.values()) - min(times), 1),
        "all_started_after": round(max(posted.values()) - min(times), 1),
        "requests": Counter(entry["operation"] for entry in ledger),
        "most_requests_in_a_second": busiest,
        "connections": len({entry["connection"] for entry in ledger}),
        "largest_event_kB": max(len(line) for line in events.read_text().splitlines()) // 1000,
        "output_kB": (home / "output.txt").stat().st_size // 1000,
        "report_kB": {path.suffix: path.stat().st_size // 1000 for path in (home / "reports").iterdir()},
    }


def main() -> None:
    environment.VENV = Path(sys.prefix)  # the tests' own: nothing is compared here
    for size in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory(prefix="scale-") as home:
            print(json.dumps(one(size, Path(home))), flush=True)


if __name__ == "__main__":
    main()
