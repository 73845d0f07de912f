# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How tests run a module: in this process (fast), or by ansible or ansible-playbook in another one (real).

result = module("dcs_restore", sim.env, instance_id=..., backup_id=...)
done = playbook("- hosts: localhost ...", sim.env, "--check")
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings as global_warnings

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import cloud as cloud_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from tests import leaks

ROOT = Path(__file__).resolve().parents[1]
COLLECTION = "ansible_collections.huaweicloud.recovery"
OF_THE_ROLE = {"restore_step"}  # It documents the action of the role's tasks, which run it.
NAMES = sorted({path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - OF_THE_ROLE)
# Modules that are actions alone, and where their code is. As with those of core, the file in
# plugins/modules holds only the documentation. Nothing is shipped, so no test asks what such a module
# declares or weighs.
ACTIONS = {"restore_start": "plugins.plugin_utils._start"}
CALLBACKS = str(ROOT / "tests" / "callback")
# Load the collection from Python's compiled files; nobody sees a difference.
COMPILED = {"ANSIBLE_CALLBACK_PLUGINS": CALLBACKS, "ANSIBLE_CALLBACKS_ENABLED": "compiled"}
Result = dict[str, Any]


# In this process


def module(
    name: str,
    env: Mapping[str, str],
    /,
    check: bool = False,
    diff: bool = False,
    clock: Clock | None = None,
    **params: Any,
) -> Result:
    """Run a module's real main() and return its JSON result, always with `failed`.

    Its environment is `env` and an empty HOME, nothing else.
    """
    main = code(name).main
    with _home() as home:
        arguments = {
            **params,
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
            "_ansible_remote_tmp": home,
            "_ansible_tmpdir": home,
        }
        clean = {"HOME": home, "PATH": os.environ.get("PATH", os.defpath), **env}
        output = io.StringIO()
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, clean, clear=True))
            stack.enter_context(_arguments(arguments))
            stack.enter_context(_no_old_warnings())
            if clock is not None:
                stack.enter_context(mock.patch.object(cloud_module, "Clock", lambda: clock))
            stack.enter_context(contextlib.redirect_stdout(output))
            with contextlib.suppress(SystemExit):
                main()
    leaks.check(output.getvalue())
    result: Result = json.loads(output.getvalue())
    return {
        "failed": False,
        **result,
        "warnings": [_message(warning) for warning in result.get("warnings", [])],
    }


@contextlib.contextmanager
def _arguments(arguments: Mapping[str, Any]) -> Iterator[None]:
    try:
        testing = importlib.import_module("ansible.module_utils.testing")  # from ansible-core 2.19 on
    except ImportError:
        with mock.patch.object(
            basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        ):
            yield
    else:
        with testing.patch_module_args(dict(arguments)):
            yield


@contextlib.contextmanager
def _no_old_warnings() -> Iterator[None]:
    """Keep each module's warnings apart.

    Ansible collects warnings in the process, which here serves many modules, and shows them itself where it
    sees a controller.
    """
    with contextlib.ExitStack() as stack:
        if hasattr(global_warnings, "_internal"):  # from ansible-core 2.19 on
            stack.enter_context(mock.patch.object(global_warnings._internal, "is_controller", False))
        for name, value in vars(global_warnings).items():
            if name.startswith("_global_"):
                stack.enter_context(mock.patch.object(global_warnings, name, type(value)()))
        yield


def _message(warning: Any) -> str:
    """The text of a warning; from ansible-core 2.19 on it is an object."""
    if isinstance(warning, dict):
        return str(warning["event"]["msg"])
    return str(warning.event.msg if hasattr(warning, "event") else warning)


# In another process


@dataclass(frozen=True)
class Completed:
    """How a run ended.

    `results` has one {host, task, action, status, result} for each task and host, in order; the status is ok,
    failed, ignored, skipped, ...
    """

    rc: int
    stdout: str
    stderr: str
    results: list[Result] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def of(self, action: str) -> list[Result]:
        """The results of one module (its short name) or of one task (its name)."""
        wanted = (action, f"huaweicloud.recovery.{action}", f"ansible.builtin.{action}")
        return [
            entry["result"] for entry in self.results if entry["action"] in wanted or entry["task"] == action
        ]


def playbook(
    content: str | os.PathLike[str],
    env: Mapping[str, str],
    *args: str,
    cwd: str | os.PathLike[str] | None = None,
    timeout: float = 120,
) -> Completed:
    """Run ansible-playbook on a file, on the FQCN of a playbook, or on the text of one (several lines)."""
    with _home() as home:
        target = os.fspath(content)
        if "\n" in target:
            (Path(home) / "playbook.yml").write_text(target, encoding="utf-8")
            target = str(Path(home) / "playbook.yml")
        return _run(["ansible-playbook", target, *args], env, home, cwd, timeout)


def adhoc(
    module: str, env: Mapping[str, str], /, *args: str, timeout: float = 120, **params: Any
) -> Completed:
    """Run one module of this collection, or another one by its full name, with `ansible localhost -m`."""
    with _home() as home:
        return _run(
            [
                "ansible",
                "localhost",
                "-m",
                module if "." in module else f"huaweicloud.recovery.{module}",
                "-a",
                json.dumps(params) if params else "",
                *args,
            ],
            env,
            home,
            None,
            timeout,
        )


def _run(
    command: list[str], env: Mapping[str, str], home: str, cwd: str | os.PathLike[str] | None, timeout: float
) -> Completed:
    record = Path(home) / "results.jsonl"
    done = subprocess.run(
        [_tool(command[0]), *command[1:]],
        env={**environment(home), **recording(record, "compiled"), **env},
        cwd=cwd or home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
    recorded = record.read_text(encoding="utf-8") if record.exists() else ""
    leaks.check(done.stdout + done.stderr + recorded)
    return Completed(
        done.returncode, done.stdout, done.stderr, [json.loads(line) for line in recorded.splitlines()]
    )


def environment(home: str) -> dict[str, str]:
    """The environment of a user who has nothing but Ansible and this collection."""
    return {
        "HOME": home,
        "PATH": os.pathsep.join([str(Path(_tool("ansible")).parent), os.environ.get("PATH", os.defpath)]),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".work" / "dev")),
        "ANSIBLE_HOME": f"{home}/ansible",
        "ANSIBLE_LOCAL_TEMP": f"{home}/ansible/tmp",
        "ANSIBLE_REMOTE_TMP": f"{home}/ansible/remote",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
    }


def recording(file: Path, *more: str) -> dict[str, str]:
    """Have every task result written to a file, and use more callbacks of the tests."""
    return {
        "ANSIBLE_CALLBACK_PLUGINS": CALLBACKS,
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(("recorder", *more)),
        "RECORDER_FILE": str(file),
    }


def _tool(name: str) -> str:
    """Ansible's command beside this Python; in an environment whose path holds a space, the one on PATH."""
    beside = Path(sys.executable).with_name(name)
    return (
        str(beside)
        if beside.exists() and not re.search(r"\s", str(beside))
        else shutil.which(name) or str(beside)
    )


@contextlib.contextmanager
def _home() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="recovery-test-", ignore_cleanup_errors=True) as home:
        yield home


def code(name: str) -> types.ModuleType:
    """The Python module with a module's OPTIONS, plan() and main()."""
    return importlib.import_module(f"{COLLECTION}.{ACTIONS.get(name, f'plugins.modules.{name}')}")


def load(name: str) -> types.ModuleType:
    """A module of the collection as a Python module, to read its DOCUMENTATION, EXAMPLES or RETURN."""
    return importlib.import_module(f"{COLLECTION}.plugins.modules.{name}")
