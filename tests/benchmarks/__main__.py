# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.benchmarks: what a module ships, and what a task costs beside ansible.builtin.ping and uri against the local cloud.

Times differ between machines: compare the ratios of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import shipped
from tests.simulator import Simulator, scenario

TASKS = 10


def tasks(url: str) -> dict[str, dict[str, Any]]:
    return {
        "nothing": {},
        "ansible.builtin.ping": {"ansible.builtin.ping": {}},
        "ansible.builtin.uri": {"ansible.builtin.uri": {"url": f"{url}/_simulator/ledger"}},
        "dcs_backup_info": {"huaweicloud.recovery.dcs_backup_info": {"instance_id": scenario.DCS_INSTANCE}},
    }


def seconds(task: dict[str, Any], env: dict[str, str], folder: Path) -> float:
    """Wall time of a playbook that repeats the task."""
    play = folder / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task] * TASKS if task else []}]), encoding="utf-8")
    begin = time.perf_counter()
    subprocess.run(["ansible-playbook", str(play)], check=True, env=env, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved; the median counts")
    rounds = parser.parse_args().rounds
    print(f"{'module':24}{'lines':>8}{'kB zipped':>12}")
    for module in shipped.MODULES:
        print(f"{module:24}{shipped.lines(module):8}{shipped.zipped(module) / 1000:12.1f}")
    quiet = {"ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False"}
    with Simulator() as cloud, tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, **cloud.env, **quiet}
        measured: dict[str, list[float]] = {}
        for _round in range(rounds):
            for name, task in tasks(cloud.url).items():
                measured.setdefault(name, []).append(seconds(task, env, Path(folder)))
    medians = {name: statistics.median(values) for name, values in measured.items()}
    cost = {name: (value - medians["nothing"]) / TASKS for name, value in medians.items() if name != "nothing"}
    print(f"\n{'one task':24}{'ms':>8}{'to uri':>12}")
    for name, value in cost.items():
        print(f"{name:24}{value * 1000:8.0f}{value / cost['ansible.builtin.uri']:12.2f}")


if __name__ == "__main__":
    main()
