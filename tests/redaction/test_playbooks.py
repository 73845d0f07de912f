# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing that ansible-playbook prints or leaves behind holds a secret, in process or as a module.

ANSIBLE_VENV names another ansible-playbook to be tested.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.in_process.runs import tool
from tests.invoke import environment, recording
from tests.leaks import LOOKS, leaks
from tests.redaction.canaries import CALLERS, PLAIN, Caller, canary

TOKEN, KEYS, PASSWORD = (caller for caller in CALLERS if caller.place == "option")
ENVIRONMENT = Caller("HW", KEYS.way)
PROFILE = Caller("profile", KEYS.way)
WRONG = canary("a wrong password")
NEEDLES = {place: secret for caller in CALLERS for place, secret in caller.needles().items()} | {
    "a wrong password": WRONG
}
# Python reads this at its start, also in the module's own process. For one instance's ID it makes the
# client raise an exception that no client should.
BUG = """
import os, urllib.parse
quote = urllib.parse.quote
def raising(text, *args, **kwargs):
    if text == "bug":
        raise RuntimeError(os.environ["HW_SECRET_KEY"], os.environ["CANARIES"])
    return quote(text, *args, **kwargs)
urllib.parse.quote = raising
"""


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        for caller in (*CALLERS[:3], ENVIRONMENT, PROFILE):
            caller.enter(sim)
        yield sim


@pytest.fixture
def folder() -> Iterator[Path]:
    """Its path is short: in TMPDIR Ansible 2.21 makes a socket, whose path may have 107 characters."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as path:
        yield Path(path)


class Run:
    """ansible-playbook in a folder of its own: `sources` is its input, `home` is where it leaves things."""

    def __init__(self, folder: Path, sim: Simulator) -> None:
        self.sources, self.home = folder / "sources", folder / "home"
        self.sources.mkdir()
        self.home.mkdir()
        (self.sources / "sitecustomize.py").write_text(BUG, encoding="utf-8")
        self.profile = PROFILE.params(self.sources)["shared_config_file"]
        self.env = {
            **environment(str(self.home)),
            **recording(self.home / "results", "compiled"),
            **ENVIRONMENT.env(sim),
            **{
                "HW_REGION_NAME": names.REGION,
                "HW_PROJECT_ID": names.PROJECT_ID,
                "CANARIES": json.dumps(NEEDLES),
            },
            **{
                "PYTHONPATH": str(self.sources),
                "TMPDIR": str(self.home),
            },
        }

    def start(self, tasks: list[dict[str, Any]], *args: str) -> subprocess.Popen[str]:
        """Run the tasks with every secret in a variable: `canaries["place option"]`."""
        plays = [{"hosts": "localhost", "gather_facts": False, "ignore_errors": True, "tasks": tasks}]
        for name, content in (
            ("playbook.json", plays),
            ("variables.json", {"canaries": NEEDLES, "profile": self.profile}),
        ):
            (self.sources / name).write_text(json.dumps(content), encoding="utf-8")
        return subprocess.Popen(
            [
                *tool("ansible-playbook"),
                str(self.sources / "playbook.json"),
                "-e",
                f"@{self.sources / 'variables.json'}",
                *args,
            ],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def results(self) -> dict[str, dict[str, Any]]:
        """The result of every task, by its name."""
        lines = (self.home / "results").read_text(encoding="utf-8").splitlines()
        return {line["task"]: line["result"] for line in map(json.loads, lines)}

    def left(self) -> dict[str, str]:
        """What lies in the folder, and in temporary folders: the path and content of each file."""
        return {
            str(path.relative_to(self.home)): path.read_bytes().decode("utf-8", "replace")
            for path in self.home.rglob("*")
            if path.is_file()
        }


def task(
    name: str,
    module: str,
    caller: Caller | None = None,
    keywords: Mapping[str, Any] | None = None,
    **params: Any,
) -> dict[str, Any]:
    given = (
        {option: PLAIN.get(option) or f"{{{{ canaries['option {option}'] }}}}" for option in caller.options}
        if caller
        else {}
    )
    return {
        "name": name,
        f"huaweicloud.recovery.{module}": {**given, **params},
        "register": "answer",
        **(keywords or {}),
    }


RESTORE = {"instance_id": names.DCS_INSTANCE, "backup_id": names.DCS_BACKUP}
MANY = [
    {
        "service": "dcs",
        "instance_id": names.DCS_OTHER,
        "backup_id": names.DCS_BACKUP_OTHER,
        "remark": "the canaries are alive",
    },
    {"service": "dcs", "instance_id": "bug", "restore_point": "latest"},
]
TASKS = [  # every way to give a secret, and much that goes wrong
    task("keys", "dcs_restore_info", KEYS, instance_id=names.DCS_INSTANCE),
    task("token", "dcs_restore", TOKEN, {"check_mode": True, "diff": True}, **RESTORE),
    task(
        "password", "dcs_backup", PASSWORD, instance_id=names.DCS_INSTANCE, operation_id="CHG-1", wait=False
    ),
    {"name": "what it returned", "ansible.builtin.debug": {"var": "answer"}},
    task("environment", "ddm_backup_info"),
    task("profile", "dcs_instance_info", shared_config_file="{{ profile }}"),
    task("a wrong password", "dcs_instance_info", PASSWORD, password="{{ canaries['a wrong password'] }}"),
    task("a line end", "dcs_instance_info", KEYS, secret_key="{{ canaries['option secret_key'] }}\nmore"),
    task("the cloud repeats it all", "ddm_instance_info", KEYS),
    task(
        "the cloud repeats it as a status",
        "ddm_recovery",
        KEYS,
        job_id=names.DDM_JOB_OLD,
        wait_timeout=1,
        poll_interval=1,
    ),
    task("no answer in time", "ddm_job_info", TOKEN, http_timeout=1, max_retries=0),
    task("a bug", "dcs_restore_info", KEYS, instance_id="bug"),
    task("many", "restore_start", PASSWORD, {"diff": True}, restores=MANY),
    task(
        "many with a wrong password",
        "restore_start",
        PASSWORD,
        password="{{ canaries['a wrong password'] }}",
        restores=MANY,
    ),
    task(
        "many with keys",
        "restore_start",
        KEYS,
        {"diff": True},
        restores=[*MANY, {"service": "ddm", "job_id": names.DDM_JOB_OLD}],
    ),
]
ROLE = {
    "name": "the role",
    "ansible.builtin.include_role": {"name": "huaweicloud.recovery.restore"},
    "vars": {
        "restore_dcs": [RESTORE],
        "restore_ddm": [
            {
                "source_instance_id": names.DDM_SOURCE,
                "target_instance_id": names.DDM_TARGET,
                "restore_time": "latest",
            }
        ],
        "restore_report_dir": "reports",
        "restore_poll_interval": 1,
    },
}
KINDS = {
    **dict.fromkeys(("keys", "token", "password", "environment", "profile"), None),
    **{
        "a wrong password": "auth_failed",
        "a line end": "invalid_argument",
        "the cloud repeats it all": "invalid_argument",
    },
    **{
        "the cloud repeats it as a status": "wait_timeout",
        "no answer in time": "transport_error",
        "a bug": "internal_error",
    },
    **{
        "many": "internal_error",
        "many with a wrong password": "auth_failed",
        "many with keys": "internal_error",
    },
}


@pytest.mark.parametrize(
    ("verbosity", "role_in"), [("-vvv", "action"), pytest.param("-v", "module", marks=pytest.mark.slow)]
)
def test_nothing_printed_or_left_behind_holds_a_secret(
    sim: Simulator, folder: Path, verbosity: str, role_in: str
) -> None:
    run = Run(folder, sim)
    echo = " ".join(["What you sent was", *ENVIRONMENT.secrets().values()])
    sim.fault("refusal", "ddm.instances", times=2, message=" ".join([echo, *KEYS.secrets().values()]))
    sim.fault("refusal", "ddm.restorable_time_interval", message=echo)
    sim.fault("rewrite", "ddm.job", times=None, key="status", value=" ".join(KEYS.secrets().values()))
    sim.fault("hang", "ddm.jobs", times=2)
    blocks = [
        {
            "vars": {"huaweicloud_recovery_in_process": way == "action"},
            "block": [
                {**entry, "name": f"{way}: {entry['name']}"}
                for entry in (*TASKS, *([ROLE] if way == role_in else []))
            ],
        }
        for way in ("action", "module")
    ]
    output = run.start(blocks, verbosity).communicate(timeout=300)[0]
    results = run.results()
    for way in ("action", "module"):
        assert {name: results[f"{way}: {name}"].get("error_kind") for name in KINDS} == KINDS, output
    left = run.left()
    reports = [content for path, content in left.items() if path.startswith("reports/")]
    assert len(reports) == 4  # JSON, Markdown, JUnit, HTML
    assert all("What you sent was" in text for text in (output, *reports))
    assert re.search(rf"^huaweicloud\.recovery: .*\*\*\*\*.*{names.DDM_JOB_OLD}", output, re.MULTILINE), (
        "a line of progress"
    )
    assert [name for name, look in LOOKS.items() if look.search(output)] == []
    assert leaks("\n".join([output, *left, *left.values()]), NEEDLES) == []


@pytest.mark.parametrize(
    ("in_process", "caller", "expected"),
    [(True, KEYS, False), (True, ENVIRONMENT, False), (False, ENVIRONMENT, False), (False, KEYS, True)],
    ids=["action-options", "action-environment", "module-environment", "module-options"],
)
def test_a_killed_run_leaves_no_secret_in_a_file(
    sim: Simulator, folder: Path, in_process: bool, caller: Caller, expected: bool
) -> None:
    """Only Ansible's own file with the module's options has secrets, which shows that the search works."""
    run = Run(folder, sim)
    hanging = sim.fault("hang", "dcs.instances", times=None)
    given = KEYS if caller is KEYS else None
    process = run.start(
        [
            {
                "vars": {"huaweicloud_recovery_in_process": in_process},
                "block": [task("killed", "dcs_instance_info", given)],
            }
        ],
        "-vvv",
    )
    until = time.monotonic() + 60
    while not hanging.used and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert hanging.used, process.poll() is not None and process.communicate()[0]
    os.killpg(process.pid, signal.SIGKILL)
    output = process.communicate(timeout=30)[0]
    assert leaks(output, NEEDLES) == []
    left = run.left()
    assert any("AnsiballZ" in path for path in left) is not in_process
    assert bool(leaks("\n".join([*left, *left.values()]), NEEDLES)) is expected
