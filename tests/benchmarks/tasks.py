# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one task costs: (a playbook of 20 tasks - an empty one) / 20, medians of interleaved rounds.

All playbooks have the same number of tasks. What the controller loads once for a collection is part of the
cost of its tasks, and counts more if the tasks are few.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import environment, measure
from tests.cloud import scenario as ids

TASKS = 20
OURS: dict[str, dict[str, Any]] = {
    "dcs_instance_info": {"instance_id": ids.DCS_INSTANCE},
    "dcs_backup_info": {"instance_id": ids.DCS_INSTANCE},
    "dcs_restore_info": {"instance_id": ids.DCS_INSTANCE},
    "ddm_instance_info": {"instance_id": ids.DDM_SOURCE},
    "ddm_backup_info": {"instance_id": ids.DDM_SOURCE},
    "ddm_job_info": {"job_id": ids.DDM_JOB_OLD},
    "ddm_restorable_info": {"instance_id": ids.DDM_SOURCE},
}
TLS = "dcs_backup_info"  # measured over https, too
FLOOR, YARDSTICK, AMAZON = "ansible.builtin.debug", "ansible.builtin.uri", "amazon.aws.rds_snapshot_info"
Task = dict[str, Any]
Play = tuple[list[Task], dict[str, Any], dict[str, str]]  # tasks, play variables, environment


@contextlib.contextmanager
def plays(home: Path) -> Iterator[dict[str, Play]]:
    """Every case, with its servers running."""
    with contextlib.ExitStack() as stack:
        cloud = stack.enter_context(measure.server("cloud"))
        secure = stack.enter_context(measure.server("cloud", tls="ca", ca_file=str(home / "ca.pem")))
        stub = stack.enter_context(measure.server("stub"))
        moto = stack.enter_context(measure.server("moto"))
        stack.enter_context(trusted(home / "ca.pem"))
        keys = {
            "region": "eu-west-1",
            "access_key": "benchmark",
            "secret_key": "benchmark",
            "endpoint_url": moto.url,
        }
        huawei = {
            "identity_endpoint": f"{stub.url}/v3",
            "user": "u",
            "password": "p",
            "domain": "d",
            "project": "p",
            "region": "r",
        }
        hwc = {
            "community.general.hwc_network_vpc": {
                **huawei,
                "name": "n",
                "cidr": "10.0.0.0/16",
                "state": "present",
            },
            "ignore_errors": True,
        }
        others: dict[str, Task] = {
            FLOOR: {FLOOR: {"msg": "hello"}},
            "ansible.builtin.ping": {"ansible.builtin.ping": {}},
            YARDSTICK: {YARDSTICK: {"url": stub.url, "return_content": True}},
            "community.general.hwc_network_vpc": hwc,
            AMAZON: {AMAZON: keys},
            "hetzner.hcloud.location_info": {
                "hetzner.hcloud.location_info": {"api_token": "x" * 64, "api_endpoint": f"{stub.url}/v1"}
            },
        }
        found: dict[str, Play] = {"nothing": ([], {}, {})}
        found.update({name: ([task] * TASKS, {}, {}) for name, task in others.items()})
        bundled = {name: value for name, value in secure.env.items() if name != "HW_CA_PATH"}
        for name, options in OURS.items():
            task = {f"huaweicloud.recovery.{name}": options}
            found[name] = ([task] * TASKS, {}, cloud.env)
            if name == TLS:
                found[f"{name}, https"] = ([task] * TASKS, {}, bundled)
                found[f"{name}, https, ca_path"] = ([task] * TASKS, {}, secure.env)
                found[f"{name}, items of a loop"] = ([{**task, "loop": list(range(TASKS))}], {}, cloud.env)
            found[f"{name}, module"] = ([task] * TASKS, {"huaweicloud_recovery_in_process": False}, cloud.env)
        yield found


@contextlib.contextmanager
def trusted(ca_file: Path) -> Iterator[None]:
    """Add the local cloud's authority to this environment's default certificate bundle.

    Every user pays for reading it in a task over https, not only those with a ca_path.
    """
    bundle = environment.bundle()
    kept = bundle.with_suffix(".kept")
    shutil.copy(bundle, kept)
    try:
        with bundle.open("a") as stream:
            stream.write(ca_file.read_text())
        yield
    finally:
        shutil.move(kept, bundle)


def measured(home: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Return (wall ms, CPU ms) of one task of every case."""
    costs: dict[str, list[measure.Cost]] = {}
    with plays(home) as cases:
        for number in range(rounds):
            print(f"tasks: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            for name, (tasks, variables, env) in cases.items():
                play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
                play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}
                (home / "play.yml").write_text(json.dumps([play]))
                command = [str(environment.tool("ansible-playbook")), "play.yml"]
                costs.setdefault(name, []).append(
                    measure.run(command, {**environment.variables(home), **env}, home)
                )
    middle = {
        name: tuple(
            statistics.median(getattr(cost, kind) for cost in found) * 1000 for kind in ("wall", "cpu")
        )
        for name, found in costs.items()
    }
    wall, cpu = middle.pop("nothing")
    count = {name: sum(len(task.get("loop", [0])) for task in cases[name][0]) for name in middle}
    return {
        name: ((middle[name][0] - wall) / count[name], (middle[name][1] - cpu) / count[name])
        for name in middle
    }


def table(found: dict[str, tuple[float, float]]) -> list[str]:
    """Ratios are of CPU time: it depends less than wall time on what else the machine does."""
    lines = [
        "| one task | wall ms | CPU ms | to `debug` | to `uri` | to `rds_snapshot_info` |",
        "|---|---|---|---|---|---|",
    ]
    for name, (wall, cpu) in sorted(found.items(), key=lambda item: item[1][1]):
        short, comma, rest = name.partition(",")
        ratios = " | ".join(f"{ratio(found, name, other):.2f}" for other in (FLOOR, YARDSTICK, AMAZON))
        lines.append(f"| `{short}`{comma}{rest} | {wall:.1f} | {cpu:.1f} | {ratios} |")
    return lines


def ratio(found: dict[str, tuple[float, float]], name: str, other: str) -> float:
    return found[name][1] / found[other][1]


def aims(found: dict[str, tuple[float, float]]) -> list[tuple[str, float, float]]:
    """Return each target, the worst measured value, and the limit.

    Of modules the median as well: they differ by less than two rounds.
    """
    action, modules = [name for name in found if name in OURS], [f"{name}, module" for name in OURS]
    wanted = [
        ("info task in process, to `debug`", action, FLOOR, 2.0),
        ("info task in process, to `uri`", action, YARDSTICK, 0.12),
        ("info task in process, to `rds_snapshot_info`", action, AMAZON, 0.07),
        ("info task in process over https, to `debug`", [f"{TLS}, https"], FLOOR, 2.5),
        ("info task as a module, the worst of them, to `uri`", modules, YARDSTICK, 1.0),
    ]
    middle = statistics.median(ratio(found, name, YARDSTICK) for name in modules)
    worst = [
        (what, max(ratio(found, name, other) for name in names), most) for what, names, other, most in wanted
    ]
    return [*worst[:-1], ("info task as a module, their median, to `uri`", middle, 1.0), worst[-1]]
