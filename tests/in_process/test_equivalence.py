# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same playbooks through the action and the module: all they register, show and send is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.in_process import runs

PLAYS = runs.HERE / "plays"
WHOLE = pytest.mark.parametrize(
    "args", [["--skip-tags", "slow"], pytest.param([], marks=pytest.mark.slow)], ids=["most", "all"]
)
KINDS = {  # of failures.yml; None where Ansible fails before the module begins
    "missing": "invalid_argument",
    "blank": "invalid_argument",
    "unsupported": "invalid_argument",
    "choices": "invalid_argument",
    "inner": "invalid_argument",
    "exclusive": "invalid_argument",
    "type_error": "invalid_argument",
    "out_of_range": "invalid_argument",
    "element_error": "invalid_argument",
    "no_id": "invalid_argument",
    "no_credentials": "invalid_argument",
    "wrong_credentials": "auth_failed",
    "not_found": "not_found",
    "other_backup": "not_found",
    "refused": "not_restorable",
    "no_target": "not_restorable",
    "busy": "busy",
    "tls_error": "transport_error",
    "no_certificate": "tls_error",
    "no_connection": "transport_error",
    "no_bundle": "invalid_argument",
    "not_in_time": "not_found",
    "undefined_variable": None,
}


def both(name: str, home: Path, sim: Simulator, tls: Simulator, *args: str) -> runs.Run:
    """Return the run through the action. It equals the one through the module, and neither shows a secret."""
    action, module = runs.both(PLAYS / f"{name}.yml", home, sim, *args, variables={"tls_url": tls.url})
    assert action.rc == 0, action.output
    assert (action.modules, bool(module.modules)) == ([], True)
    assert runs.differences(action, module) == []
    for secret in runs.SECRETS:
        assert secret not in action.output + json.dumps([action.registered, action.shown])
    assert "huaweicloud.recovery: " not in json.dumps([action.registered, action.shown])
    return action


@WHOLE
def test_modules_and_failures(args: list[str], sim: Simulator, tls: Simulator, tmp_path: Path) -> None:
    done = both("modules_and_failures", tmp_path, sim, tls, *args)
    assert done.posts == ["dcs.backup", "dcs.restore", "ddm.recovery"]
    assert done.of("dcs_restore_again")["outcome"] == "unchanged"
    assert len(done.of("both_talked")["warnings"]) >= 2 and len(done.of("both_talked")["deprecations"]) >= 4
    assert done.of("both_facts") == "{{ 1 + 1 }}"
    found = done.registered["localhost"]
    kinds = {name: kind for name, kind in KINDS.items() if name in found}
    assert len(kinds) == (6 if args else len(KINDS))
    assert {name: found[name].get("error_kind") for name in kinds} == kinds
    assert all(found[name]["failed"] for name in kinds)
    assert not done.of("declared_well")["failed"]


@WHOLE
def test_arguments(args: list[str], sim: Simulator, tls: Simulator, tmp_path: Path) -> None:
    done = both("arguments", tmp_path, sim, tls, *args)
    wrong = [
        name
        for name, result in done.registered["localhost"].items()
        if isinstance(result, dict) and result.get("error_kind")
    ]
    known = {"times", "home", "proxy", "retried", "to_rescue", "ansible_failed_result", "hidden_failure"}
    assert set(wrong) - known == {"environment_of_task", "environment_of_block", "two_values"}
    assert "access_key and ak name one option, and have two values" in done.of("two_values")["msg"]
    defaults = [
        done.arguments(task)
        for task in ("Defaults of the group", "Defaults by name win", "The task's own options win")
    ]
    assert [(given["http_timeout"], given["region"]) for given in defaults] == [
        (50, "eu-west-101"),
        (40, "eu-west-101"),
        (30, None),
    ]
    aliases = done.arguments("Other names of options")
    assert aliases["poll_interval"] == aliases["wait_sleep"] == 2
    masked = done.arguments(
        "A vaulted option as it stands, and a name of all kinds of letters that holds a secret"
    )
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in masked["secret_key"]
    assert masked["name"] == "größer 数据库 \u2028 \" ' \\ {{ \t ********"
    assert "Both option access_key and its alias ak are set." in json.dumps(done.of("two_names")["warnings"])
    assert "InsecureRequestWarning" not in done.output
    assert "proxy-password-9753" not in done.output + json.dumps(done.registered)


@pytest.mark.slow
def test_flow(sim: Simulator, tls: Simulator, tmp_path: Path) -> None:
    # One host after another, so that the order of the output is fixed
    done = both("flow", tmp_path, sim, tls, "--forks", "1")
    environments = done.of("environments")["results"]
    assert [item.get("error_kind") for item in environments] == ["auth_failed", "invalid_argument", None]
    secrets = "Each item has its own secrets and warnings"
    assert "only-the-secret-of-item-one-0001" not in json.dumps(done.arguments(secrets, 0))
    assert done.arguments(secrets, 1)["name"] == "only-the-secret-of-item-one-0001"
    items = [result for event, result in done.shown[f"{secrets} on localhost"] if event.startswith("item")]
    assert [len(item.get("warnings", [])) for item in items] == [1, 0, 1]
    assert [event for event, result in done.shown["Until it is found on localhost"]] == ["retry", "failed"]
    assert len(done.of("found")["warnings"]) == 1
    assert done.of("timed_out")["failed"] and "internal_error" not in json.dumps(done.of("timed_out"))
    assert done.of("after_timeout")["instances"]
    assert done.of("rescued") == "not_found"


@pytest.mark.slow
def test_verbose(sim: Simulator, tls: Simulator, tmp_path: Path) -> None:
    """The verbosity changes nothing in what is registered.

    From 3 on, core's own validator adds where it failed.
    """
    action, module = runs.both(PLAYS / "verbose.yml", tmp_path, sim, "-vvv")
    assert action.rc == 0, action.output
    assert ("Using module file" in action.stdout, "Using module file" in module.stdout) == (False, True)
    assert [found for found in runs.differences(action, module) if not found.startswith("stdout")] == []
    for secret in runs.SECRETS:
        assert secret not in action.output


@pytest.mark.parametrize(
    "args",
    [
        ["-o"],
        pytest.param([], marks=pytest.mark.slow),
        pytest.param(["--check", "--diff"], marks=pytest.mark.slow),
    ],
)
def test_ad_hoc(args: list[str], sim: Simulator, tmp_path: Path) -> None:
    def ansible(variables: Mapping[str, Any]) -> runs.Run:
        sim.reset()
        options = json.dumps({"instance_id": ids.DCS_INSTANCE, "restore_point": "latest", "wait": False})
        command = [
            *runs.tool("ansible"),
            "localhost",
            "-m",
            "huaweicloud.recovery.dcs_restore",
            "-a",
            options,
            "-e",
            json.dumps(variables),
            *args,
        ]
        return runs.run(command, tmp_path, sim)

    action, module = ansible({}), ansible(runs.OFF)
    assert action.rc == 0, action.output
    assert (action.modules, len(module.modules)) == ([], 1)
    assert runs.differences(action, module) == []
    # -o prints one line for programs, and check mode starts nothing.
    said = {"-o": (0, 1), "--check": (0, 0)}.get("".join(args[:1]), (1, 0))
    assert tuple(len(runs.PROGRESS.findall(stream)) for stream in (action.stdout, action.stderr)) == said
    head, result = runs.PROGRESS.sub("", action.stdout).split(" => ", 1)
    assert head.endswith("localhost | CHANGED") and json.loads(result)["changed"]


def test_runner_events(sim: Simulator, tmp_path: Path) -> None:
    """ansible-runner, and so a job controller, sees the same events, and progress as events of its own."""

    def events(folder: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        sim.reset()
        runs.settle(sim)
        home = tmp_path / folder
        (home / "project").mkdir(parents=True)
        (home / "project" / "wait.yml").write_text(
            (PLAYS / "wait.yml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        given = json.dumps({**runs.IDS, **variables})
        command = [
            str(Path(sys.prefix) / "bin" / "ansible-runner"),
            "run",
            str(home),
            "-p",
            "wait.yml",
            "--json",
            "--cmdline",
            f"-e '{given}'",
        ]
        env = {
            name: value
            for name, value in runs.settings(home, sim.env).items()
            if name != "ANSIBLE_CALLBACK_PLUGINS"
        }
        done = subprocess.run(
            command, env=env, cwd=home, capture_output=True, encoding="utf-8", timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        for secret in runs.SECRETS:
            assert secret not in done.stdout
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def results(found: list[dict[str, Any]]) -> list[Any]:
        return [
            (event["event"], dict(runs.flat(event["event_data"].get("res", {}))))
            for event in found
            if event["event"] != "verbose"
        ]

    action, module = events("action", {}), events("module", runs.OFF)
    assert results(action) == results(module)
    lines = [
        event["stdout"]
        for event in action
        if event["event"] == "verbose" and "huaweicloud.recovery: " in event["stdout"]
    ]
    assert " is accepted: restore_id " in lines[0] and " succeed, 100 %, " in lines[-1]
    assert all(line.startswith("huaweicloud.recovery: [localhost] ") and "\n" not in line for line in lines)
    others = [event["stdout"] for event in action if event["event"] != "verbose"] + [
        event.get("event_data") for event in action
    ]
    assert "huaweicloud.recovery: " not in json.dumps(others)
