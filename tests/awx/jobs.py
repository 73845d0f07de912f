# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job as AWX runs it: the credential's environment, the survey's answers, and ansible-runner.

job = launch(controller, "Recovery restore", {"restore_instances": "orders-cache", ...}, folder)
assert (job.rc, job.artifacts["restore_reported"]["verdict"]) == (0, "restored")
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from . import rules
from .controller import Controller

Row = dict[str, Any]
BIN = Path(sys.executable).parent
COLLECTIONS = "~/.ansible/collections:/usr/share/ansible/collections"


class NotStarted(Exception):
    """AWX does not start the job, for this reason."""


class Unsafe(str):
    """A text that Ansible must not take for a template."""


class Dumper(yaml.SafeDumper):
    """Writes :class:`Unsafe` as !unsafe."""

    def ignore_aliases(self, data: Any) -> bool:
        """AWX writes every value in full."""
        return True


Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


@dataclass(frozen=True)
class Job:
    """How a job ended: its exit code, all its output and events, and what it leaves to the next node."""

    rc: int
    stdout: str
    events: list[Row]
    artifacts: Row

    @property
    def text(self) -> str:
        """Everything that AWX keeps of the job."""
        return self.stdout + json.dumps(self.events, ensure_ascii=False)

    def results(self, task: str) -> list[Row]:
        """Return the results of a task, by the end of its name."""
        data = [event.get("event_data", {}) for event in self.events]
        return [one["res"] for one in data if str(one.get("task", "")).endswith(task) and "res" in one]


def unsafe(value: Any) -> Any:
    """Return a value with every text in it marked."""
    if isinstance(value, str):
        return Unsafe(value)
    if isinstance(value, Mapping):
        return {key: unsafe(content) for key, content in value.items()}
    return [unsafe(content) for content in value] if isinstance(value, list) else value


def rendered(kind: Row, inputs: Row, folder: Path) -> dict[str, str]:
    """Return the variables that a credential sets, and write its files.

    A blank text is undefined, an absent boolean is False.
    """
    fields = kind["inputs"]["fields"]
    known: Row = {
        field["id"]: inputs.get(field["id"], False) for field in fields if field.get("type") == "boolean"
    }
    known.update({name: value for name, value in inputs.items() if value not in ("", None)})
    sandbox = ImmutableSandboxedEnvironment()
    names: dict[str, str] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, template in kind["injectors"].get("file", {}).items():
        path = folder / name.replace(".", "_")
        path.write_text(sandbox.from_string(template).render(**known), encoding="utf-8")
        path.chmod(0o400)
        names[name.partition(".")[2]] = str(path)
    if names:
        known["tower"] = {"filename": names}
    env = kind["injectors"].get("env", {})
    return {name: sandbox.from_string(template).render(**known) for name, template in env.items()}


def credential_environment(controller: Controller, number: int, folder: Path) -> dict[str, str]:
    """Return the variables that a credential makes."""
    kind = controller.objects["credential_types"][
        controller.objects["credentials"][number]["credential_type"]
    ]
    return rendered(kind, controller.secrets[number], folder)


def extra_variables(controller: Controller, template: Row, given: Row, workflow: Row, artifacts: Row) -> Row:
    """Return a job's extra variables: later ones win, and all but the template's own are marked unsafe."""
    spec = controller.surveys.get((template["kind_of_object"], template["id"]), {}).get("spec", [])
    if not template["survey_enabled"]:
        spec = []
    problems = [] if workflow or artifacts else list(rules.answers(spec, given))
    if problems:
        raise NotStarted("; ".join(problems))
    own = json.loads(template["extra_vars"] or "{}")
    return {**own, **unsafe({**rules.variables(spec, given), **artifacts, **workflow})}


def launch(
    controller: Controller,
    name: str,
    given: Row,
    folder: Path,
    *,
    workflow: Row | None = None,
    artifacts: Row | None = None,
    hosts: Row | None = None,
    check: bool = False,
    limit: str = "",
    number: int = 17,
) -> Job:
    """Run a job template with the workflow's variables and each inventory host's variables."""
    template = controller.named("job_templates", name)
    checkout = controller.checkouts[template["project"]]
    folder.mkdir(parents=True)
    variables = extra_variables(controller, template, given, workflow or {}, artifacts or {})
    variables.update(awx_job_id=number, tower_job_id=number)
    environment = {
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_COLLECTIONS_PATH": f"{checkout.collections}:{COLLECTIONS}",
        "JOB_ID": str(number),
    }
    for one in controller.associated[("job_templates", template["id"], "credentials")]:
        environment.update(credential_environment(controller, one, folder / "env" / f"credential-{one}"))
    (folder / "env").mkdir(exist_ok=True)
    (folder / "env" / "envvars").write_text(json.dumps(environment), encoding="utf-8")
    (folder / "env" / "extravars").write_text(yaml.dump(variables, Dumper=Dumper), encoding="utf-8")
    write_inventory(folder / "inventory" / "hosts", hosts or {})
    (folder / "project").symlink_to(checkout.folder, target_is_directory=True)
    options = ["--check"] * (check or template["job_type"] == "check") + ["--diff"] * template["diff_mode"]
    options += ["--limit", limit] if limit else []
    command = [str(BIN / "ansible-runner"), "run", str(folder), "-p", template["playbook"], "--ident", "job"]
    if options:
        command += [f"--cmdline={' '.join(options)}"]
    done = subprocess.run(
        command,
        env=machine(folder),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    return read(done.returncode, folder / "artifacts" / "job", done.stderr)


def machine(folder: Path) -> dict[str, str]:
    """Return the other variables of an execution environment: none of this user's, and no proxy."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    path = os.pathsep.join([str(BIN), os.defpath])
    return {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "NO_PROXY": "127.0.0.1"}


def write_inventory(path: Path, hosts: Row) -> None:
    """Write the inventory as AWX does: a script that prints it."""
    path.parent.mkdir()
    groups = {"all": {"hosts": list(hosts)}, "_meta": {"hostvars": hosts}}
    path.write_text(f"#!{sys.executable}\nprint({json.dumps(groups)!r})\n", encoding="utf-8")
    path.chmod(0o700)


def read(rc: int, folder: Path, errors: str) -> Job:
    """Return a job from the files that ansible-runner has written."""
    files = (folder / "job_events").glob("*.json")
    events = sorted(
        (json.loads(path.read_text(encoding="utf-8")) for path in files), key=lambda one: one["counter"]
    )
    artifacts: Row = {}
    for event in events:
        artifacts.update(event.get("event_data", {}).get("artifact_data") or {})
    return Job(rc, (folder / "stdout").read_text(encoding="utf-8") + errors, events, artifacts)


def inventory(controller: Controller, name: str, folder: Path) -> tuple[int, str, str]:
    """Update an inventory source as AWX does, and return exit code, what it printed, and its errors."""
    source = controller.named("inventory_sources", name)
    checkout = controller.checkouts[source["source_project"]]
    variables = json.loads(source["source_vars"] or "{}")
    collections = variables.get("ANSIBLE_COLLECTIONS_PATH", "").replace(
        "/runner/requirements_collections", str(checkout.collections)
    )
    environment = {
        **credential_environment(controller, source["credential"], folder / "credential"),
        **variables,
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_COLLECTIONS_PATHS": f"{checkout.collections}:{COLLECTIONS}",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    }
    command = [
        str(BIN / "ansible-inventory"),
        "-i",
        str(checkout.folder / source["source_path"]),
        "--list",
        "--export",
    ]
    done = subprocess.run(
        command,
        env={**machine(folder), **environment},
        cwd=checkout.folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr
