# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one playbook in process and as modules, and compare the results.

The comparison leaves out what must differ from run to run. ANSIBLE_VENV names the virtual environment whose
ansible-playbook is to be tested, in place of the one that runs the tests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

HERE = Path(__file__).resolve().parent
VENV = Path(os.environ.get("ANSIBLE_VENV") or sys.prefix).absolute()
KEYS = (ids.SECRET_KEY, ids.TEMP_SECRET_KEY, ids.SECURITY_TOKEN, ids.TOKEN, ids.PASSWORD)
SECRETS = (*KEYS, "hunter2-in-a-row", "Signature=")
KNOWN = {value for name, value in vars(ids).items() if name.isupper() and isinstance(value, str)}
# Variables of the plays
IDS = {name.lower(): value for name, value in vars(ids).items() if name.isupper() and isinstance(value, str)}
OFF = {"huaweicloud_recovery_in_process": False}
PROGRESS = re.compile(r"^huaweicloud\.recovery: .*\n", re.MULTILINE)
VOLATILE = (  # what differs in every run
    (
        re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}(?:in\d\d|br\d\d)?\b"),
        lambda found: found[0] if found[0] in KNOWN else "<id>",
    ),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"(?<![\w-])1[6-9]\d{11}(?![\w-])"), "<ms>"),
    (re.compile(r"_20\d{12}\b"), "_<stamp>"),
    (re.compile(r"'ansible_job_id': '[^']*'|\bj?\d+\.\d+\b"), "<number>"),
    (re.compile(r"(?<=\[rst1:[A-Z2-7]{16})[A-Z2-7]{10}(?=\])"), "<run>"),  # of a marker
    (re.compile(r"127\.0\.0\.1:\d+"), "<cloud>"),
)


@dataclass
class Run:
    """What one run left behind.

    `registered` and `types`: what each host knows at the end, and the type of each piece. `shown`: the
    results that callbacks get, by task and host. `modules`: the tasks that ran as ordinary modules.
    """

    rc: int
    stdout: str
    stderr: str
    posts: list[str]
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    shown: dict[str, list[Any]] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def progress(self) -> list[str]:
        return [line.rstrip("\n") for line in PROGRESS.findall(self.output)]

    def of(self, name: str, host: str = "localhost") -> Any:
        return self.registered[host][name]

    def arguments(self, task: str, place: int = -1) -> dict[str, Any]:
        """The arguments of a task, as callbacks see them."""
        return dict(self.shown[f"{task} on localhost"][place][1]["invocation"]["module_args"])


def tool(name: str) -> list[str]:
    """The command line of an Ansible tool, without its script.

    Scripts break where the path of their Python is long or holds a space.
    """
    return [
        str(VENV / "bin" / "python"),
        "-m",
        "ansible",
        *(["playbook"] if name == "ansible-playbook" else ["adhoc"]),
    ]


def settings(home: Path, env: Mapping[str, str]) -> dict[str, str]:
    plugins = {
        f"ANSIBLE_{kind.upper()}_PLUGINS": str(HERE / "plugins" / kind)
        for kind in ("action", "become", "callback", "connection")
    }
    plugins["ANSIBLE_CALLBACK_PLUGINS"] += f":{invoke.CALLBACKS}"
    return {
        **invoke.environment(str(home)),
        "PATH": os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)]),
        **plugins,
        "ANSIBLE_LIBRARY": str(HERE / "plugins" / "modules"),
        "ANSIBLE_CALLBACKS_ENABLED": "witness,compiled",
        "ANSIBLE_INVENTORY": str(HERE / "plays" / "fleet.ini"),
        "ANSIBLE_ASYNC_DIR": str(home / "async"),
        "ANSIBLE_INJECT_INVOCATION": "1",  # the default before ansible-core 2.21
        "ANSIBLE_PIPELINING": "1",  # fewer processes, the same results
        "ANSIBLE_VAULT_PASSWORD_FILE": str(HERE / "plays" / "vault-password"),
        "WITNESS_FILE": str(home / "witness"),
        **env,
    }


def run(
    command: list[str], home: Path, sim: Simulator, env: Mapping[str, str] | None = None, timeout: float = 300
) -> Run:
    """Run a command with the simulator's own variables, or `env`, in a home that may be used again."""
    witness = home / "witness"
    for old in home.glob("witness*"):
        old.unlink()
    done = subprocess.run(
        command,
        env=settings(home, sim.env if env is None else env),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    seen = json.loads(witness.read_text(encoding="utf-8")) if witness.exists() else {}
    tasks = witness.with_name("witness.modules")
    modules = tasks.read_text(encoding="utf-8").splitlines() if tasks.exists() else []
    return Run(
        done.returncode,
        done.stdout,
        done.stderr,
        [entry.operation for entry in sim.posts()],
        modules=modules,
        **seen,
    )


def play(
    path: Path,
    home: Path,
    sim: Simulator,
    *args: str,
    variables: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> Run:
    """Run a playbook from the beginning of the scenario.

    Its variables are the well-known IDs and the cloud's URL.
    """
    sim.reset()
    settle(sim)
    given = json.dumps({**IDS, "cloud_url": sim.url, **(variables or {})})
    return run([*tool("ansible-playbook"), str(path), "-e", given, *args], home, sim, env, timeout)


def settle(sim: Simulator) -> None:
    """Make all instances the same age, so that their order does not depend on a millisecond."""
    with sim.state.lock:
        born = sim.state.clock() - 90 * ids.DAY
        for cache in sim.state.dcs_instances.values():
            cache.created_at = born
        for database in sim.state.ddm_instances.values():
            database.created = born


def both(
    path: Path,
    home: Path,
    sim: Simulator,
    *args: str,
    variables: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
) -> tuple[Run, Run]:
    """The run through the action, and the one through the module."""
    here = play(path, home, sim, *args, variables=variables, env=env)
    return here, play(path, home, sim, *args, variables={**(variables or {}), **OFF}, env=env)


def steady(text: str) -> str:
    for pattern, instead in VOLATILE:
        text = pattern.sub(instead, text)
    return text


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its path, without the parts that differ in every run."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            if key not in ("elapsed", "seconds", "ansible_job_id", "results_file", "attempts"):
                yield from flat(inner, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from flat(inner, f"{path}[{place}]")
    else:
        yield (
            path,
            steady(value)
            if isinstance(value, str)
            else "<ms>"
            if isinstance(value, int) and value > 1_600_000_000_000
            else value,
        )


def differences(one: Run, other: Run) -> list[str]:
    """How a playbook, a person or a job controller could tell the two runs apart; [] if nothing differs."""
    found = [] if one.rc == other.rc else [f"exit codes {one.rc} and {other.rc}"]
    if one.posts != other.posts:
        found.append(f"requests {one.posts} and {other.posts}")
    for what in ("registered", "types", "shown"):
        left, right = dict(flat(getattr(one, what))), dict(flat(getattr(other, what)))
        for path in sorted(left.keys() | right.keys()):
            a, b = left.get(path, "nothing"), right.get(path, "nothing")
            found += [] if a == b else [f"{what} {path}: {a!r} and {b!r}"]
    for stream in ("stdout", "stderr"):
        left_text, right_text = (steady(PROGRESS.sub("", getattr(each, stream))) for each in (one, other))
        if left_text != right_text:
            pairs = zip(left_text.splitlines(), right_text.splitlines(), strict=False)
            found.append(
                next(
                    (f"{stream}: {a!r} and {b!r}" for a, b in pairs if a != b),
                    f"{stream}: one goes on for longer",
                )
            )
    return found
