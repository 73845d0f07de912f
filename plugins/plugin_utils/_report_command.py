# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that repeats a run, from Ansible's command line. Private to this collection.

Values of extra variables may be secrets, so it shows files (`-e @vars.yml`), and of other variables only
those that are named here.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._entries import READERS

SHOWN = {
    *("restore_instances", "restore_point", "restore_timezone", "restore_max_gap", "restore_operation_id"),
    *("restore_confirm", "restore_plan_digest", "restore_plan_file", "restore_safety_backup"),
    *("restore_before_tasks", "restore_after_tasks", "restore_verify_tasks", "restore_verify_timeout"),
    *("restore_baseline", "restore_baseline_tolerance", "restore_rto_target", "restore_rpo_target"),
    *("restore_wait_timeout", "restore_poll_interval", "restore_report"),
    *("restore_report_dir", "restore_report_keep", "restore_protected"),
    *("drill_scratch", "drill_production", "drill_window_days", "drill_seed"),
    *("fleet_hosts", "fleet_serial", "fleet_wait_timeout", "fleet_poll_interval"),
}
LISTS = {service.variable for service in SERVICES.values()}
# Options of an entry, without checks, which may hold passwords.
ENTRY_OPTIONS = {name for readers in READERS.values() for name in readers} - {"checks", "connection"}
SWITCHES = {"--ask-vault-pass": "ask_vault_pass", "-k": "ask_pass", "-b": "become", "-K": "become_ask_pass"}
SETTINGS = {"-u": "remote_user", "--private-key": "private_key_file", "--become-user": "become_user"}
PLAIN = re.compile(r"[\w@%+:,./-]+", re.ASCII)
NAME_AND_VALUE = re.compile(r"(\w+)=(.*)", re.ASCII | re.DOTALL)


def repeating_command(
    arguments: t.Mapping[str, t.Any], default_inventory: t.Any, environment: t.Mapping[str, str]
) -> tuple[str | None, bool]:
    """Return the command that repeats a run, and whether it is complete.

    It is incomplete if it leaves out extra variables that may be secrets. It is None if a job controller
    started the run, which has its own way to repeat it.
    """
    playbooks = arguments.get("args")
    if not playbooks or "start_at_task" not in arguments or "AWX_PRIVATE_DATA_DIR" in environment:
        return None, True
    words, complete = ["ansible-playbook", *playbooks], True
    inventory = arguments.get("inventory") or []
    if inventory != default_inventory and list(inventory) != list(default_inventory or []):
        words += flags("-i", inventory)
    words += flags("-l", [arguments["subset"]] if arguments.get("subset") else [])
    for given in arguments.get("extra_vars") or ():
        found = given if may_be_shown(str(given)) else None
        words += flags("-e", [found] if found else [])
        complete = complete and found is not None
    words += flags("--vault-id", arguments.get("vault_ids") or [])
    words += flags("--vault-password-file", arguments.get("vault_password_files") or [])
    words += [flag for flag, name in SWITCHES.items() if arguments.get(name)]
    for flag, name in SETTINGS.items():
        words += flags(flag, [arguments[name]] if arguments.get(name) else [])
    # without the tags, or --check, the command would start more than the run did
    tags = arguments.get("tags") or ()
    words += flags("--tags", [",".join(tags)] if {*tags} - {"all"} else [])
    words += ["--check"] if arguments.get("check") else []
    return " ".join(shlex.quote(str(word)) for word in words), complete


def variable(name: str, value: str) -> str:
    """Return an extra variable as words of a command. Of name=value Ansible reads the blanks and quotes."""
    if PLAIN.fullmatch(value):
        return f"-e {name}={value}"
    return f"-e {shlex.quote(json.dumps({name: value}, ensure_ascii=False))}"


def flags(flag: str, values: t.Iterable[t.Any]) -> list[str]:
    """Return each value after its flag."""
    return [word for value in values for word in (flag, str(value))]


def may_be_shown(given: str) -> bool:
    """Whether the value of one -e may be shown: a file, or only variables without secrets."""
    if given.startswith("@"):
        return True
    try:
        if given.lstrip().startswith("{"):
            return all(harmless(key, value) for key, value in json.loads(given).items())
        pairs = [NAME_AND_VALUE.fullmatch(word) for word in shlex.split(given)]
    except ValueError:
        return False
    return all(pair is not None and pair[1] in SHOWN for pair in pairs)


def harmless(key: str, value: t.Any) -> bool:
    """Whether a variable holds no secret."""
    if key not in LISTS:
        return key in SHOWN
    return isinstance(value, list) and all(
        isinstance(one, dict) and one.keys() <= ENTRY_OPTIONS for one in value
    )
