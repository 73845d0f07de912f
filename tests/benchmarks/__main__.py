# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a module ships, and what a task and a fleet cost: `python -m tests.benchmarks`.

It prints Markdown. A complete run writes docs/benchmarks.md.

Times differ between machines: compare the ratios of one run.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import environment, fleets, measure, tasks
from tests.cloud import scenario as ids
from tests.contract import payload

PARTS = ("shipped", "tasks", "fleets", "records")
RECORDS = (10, 10_000)
PEERS = (
    "community.general.hwc_network_vpc",
    "community.aws.elasticache",
    "amazon.aws.rds_snapshot_info",
    "amazon.aws.rds_instance",
    "hetzner.hcloud.location_info",
    "hetzner.hcloud.server",
)
OUTPUT = environment.ROOT / "docs" / "benchmarks.md"
METHOD = """\
Everything, servers included, runs on one machine: the figures show the cost of this collection and of
Ansible, not of a cloud. The cost of a task is (a playbook of 20 of them - an empty one) / 20. The rounds
are interleaved, the median counts, and the ratios are of CPU time. All tasks run on `localhost` with a
local connection and without facts. `module` is the ordinary way to run a module; the lines without it run
in the controller's own worker. `hwc_network_vpc` ends when its sign-in is refused. A stub answers `uri` and
`location_info`, moto answers `rds_snapshot_info`, and the local cloud answers ours, each in a process of
its own. CPU is that of Ansible with all its processes, without the servers'. Memory is the most that all
processes of Ansible held at one time, counting a shared page once. The commands are in tests/benchmarks:
tasks.py, and `WAYS` of fleets.py."""
SHIPPED = "The files of collections; what Ansible adds of its own is much the same for all modules."
FLEET = """\
Every instance is restored from its newest backup, with all reads of the protocol before and after, and the
local cloud takes 5 s for it. `to the least` is the ratio of the wall time to 5 s + an empty play. The local
cloud is one process on one core. The table also has its CPU seconds: where they come near the time in which
the restores are started (wall - 5 s), the local cloud limits the speed of the fleet."""


def shipped_table() -> list[str]:
    """Our modules, and those of the collections in the benchmarks' environment, without Ansible's own."""
    found = {f"`{module}`": payload.payload(module) for module in payload.MODULES}
    for peer in PEERS:
        collection, dummy, module = peer.rpartition(".")
        found[f"`{peer}`"] = payload.payload(
            module, collection.replace(".", "/"), environment.collections(), "ansible_collections."
        )
    lines = ["| module | files | lines | lines of code | kB zipped |", "|---|---|---|---|---|"]
    return [
        *lines,
        *(
            f"| {name} | {len(one.files)} | {one.lines} | {one.code_lines} | {one.zipped / 1000:.1f} |"
            for name, one in found.items()
        ),
    ]


def empty_play(home: Path, rounds: int) -> float:
    (home / "play.yml").write_text('[{"hosts": "localhost", "gather_facts": false}]')
    command = [str(environment.tool("ansible-playbook")), "play.yml"]
    return statistics.median(
        measure.run(command, environment.variables(home), home).wall for dummy in range(rounds)
    )


def records_table(home: Path, rounds: int) -> list[str]:
    """Read all restore records of one instance, and start a restore of it, which reads them all as well."""
    lines = [
        "| restore records of the instance | `dcs_restore_info` ms | requests | fleet of one, s | requests |",
        "|---|---|---|---|---|",
    ]
    task = {
        "huaweicloud.recovery.dcs_restore_info": {
            "instance_id": ids.fleet_dcs_instance(0),
            "status": "failed",
        }
    }
    empty = empty_play(home, rounds)
    for records in RECORDS:
        print(f"records: {records}", file=sys.stderr, flush=True)
        with measure.server("cloud", scenario="fleet-1", records=records) as cloud:
            (home / "play.yml").write_text(
                str([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]).replace(
                    "False", "false"
                )
            )
            command = [str(environment.tool("ansible-playbook")), "play.yml"]
            walls = [
                measure.run(command, {**environment.variables(home), **cloud.env}, home).wall
                for dummy in range(rounds)
            ]
            requests = len([entry for entry in cloud.control("GET", "ledger") if entry["service"]]) / rounds
        fleet = fleets.one(fleets.WAYS[0], 1, home, records)
        task_ms = (statistics.median(walls) - empty) * 1000
        lines.append(
            f"| {records} | {task_ms:.0f} | {requests:.0f} | {fleet.cost.wall:.1f} | {fleet.requests:.0f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved; the median counts")
    parser.add_argument(
        "--quick", action="store_true", help="one round, fleets of 20, nothing written: whether it works"
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--sizes", default="20,200,1000", help="of the fleets")
    given = parser.parse_args()
    rounds, sizes = (1, (20,)) if given.quick else (given.rounds, tuple(map(int, given.sizes.split(","))))
    parts = given.only.split(",")
    text: list[str] = []
    aims: list[tuple[str, float, float]] = []
    environment.prepare()
    if "shipped" in parts:
        text += [
            "## What Ansible ships to run a module on another host",
            "",
            SHIPPED,
            "",
            *shipped_table(),
            "",
        ]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        if "tasks" in parts:
            costs = tasks.measured(home, rounds)
            text += ["## One task", "", *tasks.table(costs), ""]
            aims += tasks.aims(costs)
        if "fleets" in parts:
            empty = empty_play(home, rounds)
            found = fleets.measured(home, sizes)
            text += [
                "## Fleets",
                "",
                f"{FLEET} An empty play takes {empty:.2f} s.",
                "",
                *fleets.table(found, empty),
                "",
                *fleets.growth(found),
                "",
            ]
            aims += fleets.aims(found, empty)
            text += ["### Where the time of a fleet of 200 goes", "", *fleets.steps(home, empty), ""]
        if "records" in parts:
            text += ["## Many restore records", "", *records_table(home, rounds), ""]
    lines = [
        f"| {what} | {value:.2f} | {most:g} | {'yes' if value <= most else 'no'} |"
        for what, value, most in aims
    ]
    text += ["## Targets", "", "| | measured | at most | reached |", "|---|---|---|---|", *lines, ""]
    print("\n".join(text))
    if set(parts) == set(PARTS) and not given.quick:
        done = subprocess.run(
            [str(environment.tool("ansible")), "--version"], capture_output=True, text=True, check=True
        )
        version, python = done.stdout.split("]")[0].strip() + "]", sys.version.split()[0]
        date = datetime.datetime.now(datetime.timezone.utc).date()
        made = (
            f"Made by `make bench` on {date} with {version}, "
            f"Python {python}, {os.cpu_count()} cores, {rounds} round{'' if rounds == 1 else 's'}."
        )
        OUTPUT.write_text("\n".join(["# Benchmarks", "", made, "", METHOD, "", *text]), encoding="utf-8")


if __name__ == "__main__":
    main()
