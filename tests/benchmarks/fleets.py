# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to restore many instances: the playbook fleet compared to Ansible's own ways.

One host is one instance.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tests.benchmarks import environment, measure
from tests.cloud import scenario as ids

SECONDS = 5.0  # of one restore
INTERVAL = 1  # between two polls of one instance
RESTORE = {
    "instance_id": "{{ instance_id }}",
    "restore_point": "latest",
    "wait_timeout": 600,
    "poll_interval": INTERVAL,
}
MODULE = {"huaweicloud_recovery_in_process": False}
STARTED = [{"huaweicloud.recovery.dcs_restore": {**RESTORE, "wait": False}, "register": "started"}]
POLL = {
    "huaweicloud.recovery.dcs_restore_info": {
        "instance_id": "{{ instance_id }}",
        "restore_id": "{{ started.restore_id }}",
    },
    "register": "seen",
    "until": "seen.restores[0].status == 'succeed'",
    "retries": 600,
    "delay": INTERVAL,
}
ASYNC = [
    {"huaweicloud.recovery.dcs_restore": RESTORE, "async": 600, "poll": 0, "register": "started"},
    {
        "ansible.builtin.async_status": {"jid": "{{ started.ansible_job_id }}"},
        "register": "seen",
        "until": "seen.finished",
        "retries": 600,
        "delay": INTERVAL,
    },
]


@dataclass(frozen=True)
class Way:
    """`tasks` None: the fleet playbook."""

    name: str
    forks: int
    sizes: tuple[int, ...]
    tasks: list[dict[str, Any]] | None = None
    variables: dict[str, Any] | None = None


MODULE_WAIT = Way(
    "module, `wait: true`", 50, (20, 200), [{"huaweicloud.recovery.dcs_restore": RESTORE}], MODULE
)
WAYS = [
    Way("`huaweicloud.recovery.fleet`", 5, (20, 200, 1000)),
    Way("`huaweicloud.recovery.fleet`", 50, (20, 200)),
    Way("in process, `wait: true`", 50, (20, 200), [{"huaweicloud.recovery.dcs_restore": RESTORE}]),
    MODULE_WAIT,
    Way("module, `until`/`retries`", 50, (20, 200), [*STARTED, POLL], MODULE),
    Way("module, `async` and `async_status`", 50, (20, 200), ASYNC, MODULE),
]


@dataclass(frozen=True)
class Result:
    way: Way
    size: int
    cost: measure.Cost
    requests: float  # of one instance
    connections: float
    reads: float  # polls of one instance in one interval: its most frequent read while it was restored


def one(way: Way, size: int, home: Path, records: int = 0) -> Result:
    with measure.server("cloud", scenario=f"fleet-{size}", restore_seconds=SECONDS, records=records) as cloud:
        hosts = "".join(
            f"cache-{number:04d} service=dcs instance_id={ids.fleet_dcs_instance(number)}\n"
            for number in range(size)
        )
        (home / "hosts.ini").write_text(hosts)
        name = "huaweicloud.recovery.fleet"
        if way.tasks is not None:
            interpreter = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
            play = {
                "hosts": "all",
                "connection": "local",
                "gather_facts": False,
                "tasks": way.tasks,
                "vars": {**interpreter, **(way.variables or {})},
            }
            (home / "play.yml").write_text(json.dumps([play]))
            name = "play.yml"
        command = [
            str(environment.tool("ansible-playbook")),
            name,
            "-i",
            "hosts.ini",
            "-f",
            str(way.forks),
            "--limit",
            "all",
            "-e",
            f"fleet_poll_interval={INTERVAL}",
        ]
        cost = measure.run(command, {**environment.variables(home), **cloud.env}, home, cloud, memory=True)
        ledger = [entry for entry in cloud.control("GET", "ledger") if entry["service"]]
        started = Counter(entry["path"] for entry in ledger if entry["operation"] == "dcs.restore")
        if len(started) != size or set(started.values()) != {1}:
            most = max(started.values(), default=0)
            raise SystemExit(
                f"{way.name}: {len(started)} of {size} instances were restored, one at most {most} times."
            )
    return Result(
        way,
        size,
        cost,
        len(ledger) / size,
        len({entry["connection"] for entry in ledger}) / size,
        rate(ledger),
    )


def rate(ledger: list[dict[str, Any]]) -> float:
    """The largest number of reads of one instance's records per interval, from its start to its end."""
    times: dict[str, list[float]] = {}
    posted = {entry["path"]: entry["time"] for entry in ledger if entry["operation"] == "dcs.restore"}
    for entry in ledger:
        if entry["operation"] == "dcs.restores" and entry["time"] > posted.get(entry["path"], float("inf")):
            times.setdefault(entry["path"], []).append(entry["time"])
    rates = [
        (len(found) - 1) / (found[-1] - found[0]) * INTERVAL for found in times.values() if len(found) > 1
    ]
    return max(rates, default=0.0)


def measured(home: Path, sizes: tuple[int, ...]) -> list[Result]:
    found = []
    for size in sizes:
        for way in WAYS:
            if size in way.sizes:
                print(f"fleets: {size} by {way.name} on {way.forks} forks", file=sys.stderr, flush=True)
                found.append(one(way, size, home))
    return found


def table(found: list[Result], empty: float) -> list[str]:
    heads = [
        "instances",
        "way",
        "forks",
        "wall s",
        "to the least",
        "CPU s",
        "to module",
        "peak MB",
        "requests each",
        "connections each",
    ]
    heads += ["polls each per interval", "server CPU s"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in found:
        module = [other.cost.cpu for other in found if other.way == MODULE_WAIT and other.size == row.size]
        cells = [
            f"{row.size}",
            row.way.name,
            f"{row.way.forks}",
            f"{row.cost.wall:.1f}",
            f"{row.cost.wall / (SECONDS + empty):.2f}",
            f"{row.cost.cpu:.1f}",
            f"{row.cost.cpu / module[0]:.2f}" if module else "-",
            f"{row.cost.memory:.0f}",
            f"{row.requests:.1f}",
            f"{row.connections:.2f}",
            f"{row.reads:.2f}",
            f"{row.cost.server:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def aims(found: list[Result], empty: float) -> list[tuple[str, float, float]]:
    """Return each target, its measured value, and the limit."""
    fleet = {row.size: row for row in found if row.way == WAYS[0]}
    module = {row.size: row for row in found if row.way == MODULE_WAIT}
    wanted = []
    if 200 in fleet:
        wanted.append(
            ("fleet of 200, wall to 5 s + an empty play", fleet[200].cost.wall / (SECONDS + empty), 2.0)
        )
        wanted.append(
            ("fleet of 200, CPU to modules that wait", fleet[200].cost.cpu / module[200].cost.cpu, 0.1)
        )
    if {200, 1000} <= set(fleet):
        wanted.append(
            (
                "fleet of 1000, wall ms for each instance more than 200",
                (fleet[1000].cost.wall - fleet[200].cost.wall) / 0.8,
                15.0,
            )
        )
        wanted.append(("fleet of 1000, peak MB", fleet[1000].cost.memory, 200.0))
    wanted.append(("polls of one instance per interval", max(row.reads for row in fleet.values()), 1.0))
    return wanted


def growth(found: list[Result]) -> list[str]:
    """What each further instance costs, from one size of the same way to the next."""
    lines = [
        "| way | forks | from | to | wall ms for each further instance | CPU ms | MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for way in WAYS:
        rows = [row for row in found if row.way == way]
        for less, more in pairwise(rows):
            further = more.size - less.size
            wall, cpu = (
                (getattr(more.cost, name) - getattr(less.cost, name)) / further * 1000
                for name in ("wall", "cpu")
            )
            memory = (more.cost.memory - less.cost.memory) / further
            cells = [way.name, way.forks, less.size, more.size, f"{wall:.1f}", f"{cpu:.1f}", f"{memory:.2f}"]
            lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return lines


def steps(home: Path, empty: float, size: int = 200) -> list[str]:
    """Where the time of the playbook fleet goes: each measurement runs one more of its steps."""
    text = (environment.ROOT / "playbooks" / "fleet.yml").read_text(encoding="utf-8")
    play = yaml.safe_load(text)[0]
    (task,) = play["tasks"]
    parts: dict[str, list[str]] = {
        "an empty play with these hosts": [],
        "the restores are planned, and the plan is shown: three reads each": ["plan"],
        f"they are started, with five more reads and the POST, and waited for, {SECONDS:g} s": [
            "plan",
            "restore",
        ],
        "the report is made, shown and published": ["plan", "restore", "report"],
    }
    lines = ["| each adds to the one above | wall s | of 5 s + an empty play | CPU s |", "|---|---|---|---|"]
    before = measure.Cost(0.0, 0.0)
    for name, steps in parts.items():
        with measure.server("cloud", scenario=f"fleet-{size}", restore_seconds=SECONDS) as cloud:
            (home / "hosts.ini").write_text(
                "".join(
                    f"h{number} service=dcs instance_id={ids.fleet_dcs_instance(number)}\n"
                    for number in range(size)
                )
            )
            cut = {
                **task,
                "huaweicloud.recovery.restore_step": {
                    **task["huaweicloud.recovery.restore_step"],
                    "steps": steps,
                },
            }
            play = {
                **play,
                "tasks": [cut] if steps else [],
                "vars": {**play["vars"], "fleet_poll_interval": INTERVAL},
            }
            (home / "play.yml").write_text(json.dumps([play]))
            command = [
                str(environment.tool("ansible-playbook")),
                "play.yml",
                "-i",
                "hosts.ini",
                "--limit",
                "all",
            ]
            cost = measure.run(command, {**environment.variables(home), **cloud.env}, home)
        wall = cost.wall - before.wall
        lines.append(
            f"| {name} | {wall:.2f} | {wall / (SECONDS + empty):.2f} | {cost.cpu - before.cpu:.2f} |"
        )
        before = cost
    return lines
