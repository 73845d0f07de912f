# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, through ansible-inventory and ansible-playbook against the local cloud."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from ansible_collections.huaweicloud.recovery.plugins.inventory.instances import InventoryModule
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import host_names
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.hostile import HOSTILE, RAN

PLUGIN = "huaweicloud.recovery.instances"
INJECTION = "{{ lookup('pipe', 'touch injected; id') }}"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator
        assert simulator.errors == []


def source(folder: Path, name: str = "fleet.huaweicloud.yml", **options: Any) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({"plugin": PLUGIN, **options}), encoding="utf-8")
    return path


def ansible_inventory(
    sources: list[Path], env: Mapping[str, str], *args: str
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as home:
        given = [argument for path in sources for argument in ("-i", str(path))]
        return subprocess.run(
            [invoke._tool("ansible-inventory"), *given, "--list", *args],
            env={**invoke.environment(home), "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", **env},
            cwd=sources[0].parent,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


def inventory(sources: list[Path], env: Mapping[str, str], *args: str) -> dict[str, Any]:
    done = ansible_inventory(sources, env, *args)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    found: dict[str, Any] = json.loads(
        done.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item)
    )
    return found


def hosts(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(found["_meta"]["hostvars"])


def test_every_instance_is_a_host_with_its_fields(sim: Simulator, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "compose": {"unread": "no_such_variable"},  # it may be left out
        "keyed_groups": [{"key": "enterprise_project_id", "prefix": "project"}],
    }
    whole = inventory([source(tmp_path, **options)], sim.env)
    found = hosts(whole)
    created = [row for row in sim.state.dcs_instances.values() if row.status != "CREATEFAILED"]
    assert len(found) == len(created) + len(sim.state.ddm_instances)
    cache, database = found["orders-cache"], found["orders-db"]
    assert (cache["service"], cache["instance_id"], cache["status"], cache["region"]) == (
        "dcs",
        ids.DCS_INSTANCE,
        "RUNNING",
        ids.REGION,
    )
    assert (database["service"], database["instance_id"], database["status"], database["region"]) == (
        "ddm",
        ids.DDM_SOURCE,
        "RUNNING",
        ids.REGION,
    )
    assert (cache["instance_name"], cache["cache_mode"], cache["engine"], cache["instance_port"]) == (
        "orders-cache",
        "ha",
        "Redis",
        6379,
    )
    assert "id" not in database and "engine_version" in database
    assert {host["ansible_connection"] for host in found.values()} == {"local"}
    assert {entry.operation for entry in sim.ledger} == {"dcs.instances", "ddm.instances"}
    own = "project_" + ids.ENTERPRISE_PROJECT.replace("-", "_")
    assert sorted(whole[own]["hosts"]) == ["is-frozen", "reports-cache"]
    assert len(whole["project_0"]["hosts"]) == len(found) - 2


def test_services_statuses_groups_and_composed_variables(sim: Simulator, tmp_path: Path) -> None:
    options = {
        "services": ["dcs"],
        "statuses": ["RUNNING"],
        "strict": True,
        "keyed_groups": [{"key": "cache_mode", "prefix": "mode"}, {"key": "region", "separator": ""}],
        "groups": {"orders": "name is search('^orders')"},
        "compose": {"operation_id": "'drill-' ~ name"},
    }
    found = inventory([source(tmp_path, "huaweicloud_recovery.yaml", **options)], sim.env)
    assert sorted(hosts(found)) == [
        *("orders-cache", "reports-cache", "sessions-cluster", "sessions-single", "stuck-cache")
    ]
    assert sorted(found["mode_ha"]["hosts"]) == ["orders-cache", "stuck-cache"]
    assert found["orders"]["hosts"] == ["orders-cache"]
    assert len(found["ap_southeast_3"]["hosts"]) == 5
    assert hosts(found)["orders-cache"]["operation_id"] == "drill-orders-cache"
    assert {entry.service for entry in sim.ledger} == {"dcs"}


UNREADABLE = list(
    itertools.product(
        ("restore_point", "restore_protected"), ("{{ 'latest' }}", "no_such_variable", 20261126101500)
    )
)


def test_a_variable_that_the_fleet_reads_is_set_or_the_source_fails(sim: Simulator, tmp_path: Path) -> None:
    """Without its restore_point a host would be restored to the latest point. One run reads all files."""
    files = [
        source(
            tmp_path,
            f"{number}.huaweicloud.yml",
            services=["dcs"],
            groups={f"of_{number}": True},
            compose={"unread": "no_such_variable", name: expression},
        )
        for number, (name, expression) in enumerate(UNREADABLE)
    ]
    done = ansible_inventory(files, {**sim.env, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "0"})
    found, failed = json.loads(done.stdout), list[str]()
    for number, (name, expression) in enumerate(UNREADABLE):
        if f"of_{number}" not in found:
            failed.append(name)
        else:  # an old ansible-core takes a number for an expression
            assert str(hosts(found)["orders-cache"][name]) == str(expression)
    # Ansible ends what it has to say of a file with this line
    said = " ".join(done.stderr.split()).split("Unable to parse ")[: len(failed)]
    assert len(failed) >= 4
    for reasons, name in zip(said, failed, strict=True):
        assert f"Could not set {name} for host" in reasons
    alone = ansible_inventory(files[1:2], sim.env)
    assert alone.returncode != 0 and "Could not set restore_point for host" in " ".join(alone.stderr.split())


def test_names_that_collide_are_missing_or_unfit_give_way_to_the_id(sim: Simulator, tmp_path: Path) -> None:
    names = {
        ids.DCS_INSTANCE: "orders-db",
        ids.DCS_EMPTY: "a host,!b",
        ids.DCS_OTHER: "localhost",
        ids.DCS_FROZEN: ids.DCS_SINGLE,
    }
    for instance_id, name in names.items():
        sim.state.dcs_instances[instance_id].name = name
    found = hosts(inventory([source(tmp_path)], sim.env))
    assert {host: found[host]["instance_name"] for host in names} == names
    assert ids.DDM_SOURCE in found and "orders-db" not in found


def test_host_names_do_not_depend_on_the_order() -> None:
    rows = [
        {"name": name, "instance_id": f"id-{number}"}
        # Ansible takes a host named 127.0.0.1 for localhost, whose plays would have its variables.
        for number, name in enumerate(["a", "b", "b", None, "", "ä", "id-0", "all", "127.0.0.1"])
    ]
    assert host_names(rows) == ["a", "id-1", "id-2", "id-3", "id-4", "id-5", "id-6", "id-7", "id-8"]
    assert host_names(rows[::-1]) == host_names(rows)[::-1]


def test_an_instance_named_like_a_template_runs_nothing(sim: Simulator, tmp_path: Path) -> None:
    sim.state.dcs_instances[ids.DCS_INSTANCE].name = INJECTION
    options: dict[str, Any] = {
        "compose": {"copy": "name", "twice": "name ~ name"},
        "keyed_groups": [{"key": "name", "prefix": "n"}],
    }
    options["cache"], options["cache_plugin"], options["cache_connection"] = (
        True,
        "ansible.builtin.jsonfile",
        str(tmp_path / "cache"),
    )
    path = source(tmp_path, services=["dcs"], **options)
    message = "{{ inventory_hostname }} {{ instance_name }} {{ copy }}"
    task = f'    - ansible.builtin.debug:\n        msg: "{message}"\n'
    playbook = "- hosts: all\n  gather_facts: false\n  tasks:\n" + task
    inventory([path], sim.env, "--export")  # from the cloud, and the playbook from the cache
    done = invoke.playbook(playbook, sim.env, "-i", str(path), "--limit", ids.DCS_INSTANCE, cwd=tmp_path)
    assert done.rc == 0, done.output
    assert done.results[0]["result"]["msg"] == f"{ids.DCS_INSTANCE} {INJECTION} {INJECTION}"
    assert not list(tmp_path.rglob("injected"))
    assert len(sim.ledger) == len(sim.requests("dcs.instances")) == 1


def test_no_text_of_any_field_is_run(sim: Simulator, tmp_path: Path) -> None:
    """With and without braces: through groups, compose, the cache, --export and registered results."""
    assert len(sim.state.dcs_instances) >= len(HOSTILE)
    instances = [*sim.state.dcs_instances.values(), *sim.state.ddm_instances.values()]
    for text, instance in zip(itertools.cycle(HOSTILE), instances):
        for field, value in list(vars(instance).items()):
            if field not in ("id", "status") and isinstance(value, str):
                setattr(instance, field, text)
            elif field == "tags":
                setattr(instance, field, {text: text})
    options: dict[str, Any] = {
        "compose": {
            "copy": "name",
            "twice": "name ~ vpc_id",
            "listed": "[name, {'a': engine_version}]",
            "nested": "{name: [tags | default({})]}",
        },
        "groups": {"odd": "name is search('jinja2') or engine_version == 'x'"},
        "keyed_groups": [{"key": "name", "prefix": "n"}, {"key": "vpc_name", "separator": ""}],
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    path = source(tmp_path, **options)
    fields = (
        "instance_name",
        "engine_version",
        "copy",
        "listed",
        "nested",
        "group_names",
        "hostvars[inventory_hostname]",
    )
    message = "".join("{{ " + field + " }}" for field in fields)
    tasks = [
        {"ansible.builtin.debug": {"msg": message}},
        {"ansible.builtin.set_fact": {"kept": "{{ instance_name }}", "deep": [{"x": "{{ copy }}"}]}},
        {"ansible.builtin.debug": {"msg": "{{ kept }}{{ deep }}"}},
        {"huaweicloud.recovery.dcs_instance_info": {}, "register": "caches", "run_once": True},
        {"huaweicloud.recovery.ddm_instance_info": {}, "register": "seen", "run_once": True},
        {"ansible.builtin.debug": {"msg": "{{ seen.instances }}{{ caches.instances }}"}, "run_once": True},
        {"ansible.builtin.set_stats": {"data": {"published": "{{ caches }}{{ seen }}"}, "per_host": False}},
    ]
    playbook = yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}])
    first = invoke.playbook(playbook, sim.env, "-i", str(path), cwd=tmp_path)
    assert first.rc == 0, first.output
    exported = ansible_inventory([path], sim.env, "--export")  # from the cache
    assert exported.returncode == 0, exported.stderr
    back = tmp_path / "exported.json"
    script = tmp_path / "exported.sh"
    back.write_text(exported.stdout, encoding="utf-8")
    script.write_text(f"#!/bin/sh\ncat '{back}'\n", encoding="utf-8")
    script.chmod(0o755)
    done = invoke.playbook(playbook, sim.env, "-i", str(script), cwd=tmp_path)
    assert done.rc == 0, done.output
    assert RAN not in first.output + exported.stdout + done.output and not list(tmp_path.rglob("injected"))


def test_lists_of_the_file_may_be_templates_and_take_extra_variables(sim: Simulator, tmp_path: Path) -> None:
    options: dict[str, Any] = {"services": "{{ which | default(['ddm']) }}", "statuses": ["{{ wanted }}", ""]}
    path = source(tmp_path, **options)
    extra = ["-e", "wanted=RUNNING", "-e", '{"which": ["dcs"]}']
    found = hosts(inventory([path], sim.env, *extra))
    assert found and {(row["service"], row["status"]) for row in found.values()} == {("dcs", "RUNNING")}
    none = source(tmp_path, "none.huaweicloud.yml", services=["ddm"], statuses=["running"])
    empty = ansible_inventory([path, none], sim.env, "-e", "wanted=RUNNING")
    found = json.loads(empty.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item))
    assert {row["service"] for row in hosts(found).values()} == {"ddm"}
    assert (
        "instances has one of the statuses running. Their statuses are FROZEN, GROWING, RUNNING."
        in " ".join(empty.stderr.split())
    )


SHAPES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "null": lambda whole: None,
    "a list": lambda whole: [],
    "other keys": lambda whole: {"x": 1},
    "a number of rows": lambda whole: {**whole, "rows": 7},
    "a row without its keys": lambda whole: {**whole, "rows": [{"project_id": "p"}]},
    "names that are lists": lambda whole: {
        **whole,
        "rows": [{**row, "name": ["orders-cache"]} for row in whole["rows"]],
    },
}


def damaged(kept: str, shape: str) -> str:
    """A file of the cache whose content has another shape; from ansible-core 2.19 on, a text holds it."""
    outer = json.loads(kept)
    payload = outer.get("__payload__")
    new = json.dumps(SHAPES[shape](json.loads(payload or kept)))
    return json.dumps({**outer, "__payload__": new}) if payload else new


def test_a_damaged_cache_counts_as_absent(sim: Simulator, tmp_path: Path) -> None:
    """Each source has a cache of its own, and puts its hosts into a group of its own."""
    wholly = ("null", "")  # of the file itself
    names = [*SHAPES, *(f"a file with {text!r}" for text in wholly)]
    sources = [
        source(
            tmp_path,
            f"fleet{number}.huaweicloud.yml",
            **{"services": ["dcs"], "groups": {f"of_{number}": True}, "cache": True},
            **{"cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / str(number))},
        )
        for number in range(len(names))
    ]
    inventory(sources, sim.env)
    files = [next((tmp_path / str(number)).iterdir()) for number in range(len(names))]
    for kept, shape in zip(files, SHAPES, strict=False):
        kept.write_text(damaged(kept.read_text(encoding="utf-8"), shape), encoding="utf-8")
    for kept, text in zip(files[len(SHAPES) :], wholly, strict=True):
        kept.write_text(text, encoding="utf-8")
    asked = len(sim.ledger)
    done = ansible_inventory(sources, sim.env)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    held = {name for number, name in enumerate(names) if "orders-cache" in found[f"of_{number}"]["hosts"]}
    assert (held, len(sim.ledger)) == (set(names), asked + len(names))


def test_a_cache_that_others_can_write_is_not_used(sim: Simulator, tmp_path: Path) -> None:
    """Each source has a cache of its own, and puts its hosts into a group of its own."""
    sources, folders = [], [tmp_path / name for name in ("own", "folder", "file")]
    for folder in folders:
        options: dict[str, Any] = {"services": ["dcs"], "groups": {f"of_{folder.name}": True}, "cache": True}
        options |= {"cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(folder)}
        sources.append(source(tmp_path, f"{folder.name}.huaweicloud.yml", **options))
    assert "orders-cache" in hosts(inventory(sources, sim.env))
    files = [next(folder.iterdir()) for folder in folders]
    for kept in files:
        kept.write_text(kept.read_text(encoding="utf-8").replace("orders-cache", "planted"), encoding="utf-8")
    folders[1].chmod(0o777)
    files[2].chmod(0o666)
    done = ansible_inventory(sources, sim.env)
    assert done.returncode == 0 and done.stderr.count("The inventory cache is not used") == 2
    found = json.loads(done.stdout)
    known = {"orders-cache", "planted"}
    assert known & {*found["of_own"]["hosts"]} == {"planted"}, "a cache that belongs to the user is used"
    for name in ("of_folder", "of_file"):
        assert known & {*found[name]["hosts"]} == {"orders-cache"}


def test_a_region_that_cannot_be_read_does_not_stop_the_others(sim: Simulator, tmp_path: Path) -> None:
    path = source(tmp_path, regions=[ids.REGION, "nowhere-1"])
    other = source(tmp_path, "other.huaweicloud.yml", regions=[ids.REGION, "nowhere-2"])
    done = ansible_inventory([path, other], sim.env)
    found = json.loads(done.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item))
    faults = hosts(found)["orders-cache"]["huaweicloud_recovery_unread"]
    assert (done.returncode, len(faults)) == (0, 2)
    for fault, region in zip(faults, ("nowhere-1", "nowhere-2"), strict=True):
        assert f"Region {region} cannot be read" in done.stderr
        assert fault["region"] == region and fault["error_kind"] and region in fault["msg"]
    failed = ansible_inventory([source(tmp_path, regions=["nowhere-1", "nowhere-2"])], sim.env)
    assert failed.returncode != 0 and "nowhere-1" in failed.stderr and "nowhere-2" in failed.stderr


def test_what_can_be_read_again_is_no_longer_reported(sim: Simulator, tmp_path: Path) -> None:
    """AWX adds the variables of each update to those that it has, and removes none."""
    cache: dict[str, Any] = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile"}
    cache["cache_connection"] = str(tmp_path / "c")
    kept: dict[str, Any] = {}
    for regions, faults in (([ids.REGION, "nowhere-1"], 1), ([ids.REGION], 0), ([ids.REGION], 0)):
        done = ansible_inventory([source(tmp_path, regions=regions, **cache)], sim.env, "--export")
        kept.update(json.loads(done.stdout)["all"]["vars"])
        assert len(kept["huaweicloud_recovery_unread"]) == faults


def test_a_service_that_a_region_does_not_have_does_not_stop_the_others(
    sim: Simulator, tmp_path: Path
) -> None:
    """Half of the regions with DCS have no DDM."""
    env = {**sim.env, "HW_DDM_ENDPOINT": "http://127.0.0.1:1", "HW_MAX_RETRIES": "0"}
    done = ansible_inventory([source(tmp_path)], env)
    assert done.returncode == 0 and "leave ddm out of services" in " ".join(done.stderr.split())
    found = json.loads(done.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item))
    hostvars = found["_meta"]["hostvars"]
    assert {row["service"] for row in hostvars.values()} == {"dcs"}
    (fault,) = hostvars["orders-cache"]["huaweicloud_recovery_unread"]
    assert (fault["region"], fault["error_kind"]) == (ids.REGION, "transport_error")
    assert fault["msg"].startswith("DDM cannot be read: ")


def test_an_instance_that_cannot_be_read_does_not_stop_the_others(sim: Simulator, tmp_path: Path) -> None:
    """A run may have to restore it. So it is reported like an unreadable region, and not cached."""
    with sim.state.lock:
        sim.state.dcs_instances[ids.DCS_OTHER].id = sim.state.ddm_instances[ids.DDM_TARGET].id = "not an ID"
    cache: dict[str, Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "c"),
    }
    path = source(tmp_path, **cache)
    for times in (1, 2):
        done = ansible_inventory([path], sim.env)
        assert done.returncode == 0
        found = json.loads(done.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item))
        faults = hosts(found)["orders-cache"]["huaweicloud_recovery_unread"]
        for fault, service in zip(faults, ("DCS", "DDM"), strict=True):
            assert f"An instance of {service} cannot be read" in done.stderr
            assert (fault["region"], fault["error_kind"]) == (ids.REGION, "protocol_error")
        assert len(sim.requests("dcs.instances")) == times


def test_wrong_keys_are_tried_once_in_all_regions(sim: Simulator, tmp_path: Path) -> None:
    """More than five refused signatures in a row lock an access key."""
    path = source(tmp_path, regions=[ids.REGION, "eu-west-101", "ap-southeast-1"])
    done = ansible_inventory([path], {**sim.env, "HW_SECRET_KEY": "not-the-secret-key-of-anybody"})
    assert done.returncode != 0 and "(auth_failed)" in done.stderr and "HW_ACCESS_KEY" in done.stderr
    assert len(sim.ledger) == 1
    assert hosts(inventory([source(tmp_path)], sim.env))


def test_a_profile_file_that_others_can_read_is_warned_of(sim: Simulator, tmp_path: Path) -> None:
    profile = {"name": "prod", "accessKeyId": ids.ACCESS_KEY, "secretAccessKey": ids.SECRET_KEY}
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps({"profiles": [profile]}), encoding="utf-8")
    file.chmod(0o644)
    done = ansible_inventory([source(tmp_path, profile="prod", shared_config_file=str(file))], sim.env)
    assert done.returncode == 0 and "(mode 0644)" in " ".join(done.stderr.split())


def test_a_profile_that_lists_a_host_also_restores_it(sim: Simulator, tmp_path: Path) -> None:
    profile = {"name": "prod", "accessKeyId": ids.ACCESS_KEY, "secretAccessKey": ids.SECRET_KEY}
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps({"profiles": [{**profile, "mode": "AKSK"}]}), encoding="utf-8")
    file.chmod(0o600)
    env = {name: value for name, value in sim.env.items() if name not in ("HW_ACCESS_KEY", "HW_SECRET_KEY")}
    found = inventory([source(tmp_path, profile="prod", shared_config_file=str(file))], env)
    cache = hosts(found)["orders-cache"]
    assert (cache["profile"], cache["shared_config_file"]) == ("prod", str(file))
    assert ids.SECRET_KEY not in json.dumps(found) and ids.ACCESS_KEY not in json.dumps(found)


def test_the_cache_answers_until_the_question_changes_or_it_is_flushed(
    sim: Simulator, tmp_path: Path
) -> None:
    cache: dict[str, Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    first = hosts(inventory([source(tmp_path, services=["dcs"], **cache)], sim.env))
    asked = len(sim.ledger)
    frozen = inventory([source(tmp_path, services=["dcs"], statuses=["FROZEN"], **cache)], sim.env)
    assert (len(hosts(frozen)), len(sim.ledger)) == (1, asked), "the cache holds all statuses"
    path = source(tmp_path, services=["dcs", "ddm"], **cache)
    assert len(hosts(inventory([path], sim.env))) > len(first)
    token = sim.env_for("token") | {"HW_ACCESS_KEY": "", "HW_SECRET_KEY": ""}
    for env, args in ((sim.env, ["--flush-cache"]), ({**sim.env, **token}, [])):
        asked = len(sim.ledger)
        done = invoke.playbook("- hosts: all\n  gather_facts: false\n", env, "-i", str(path), *args)
        assert (done.rc, len(sim.ledger) > asked) == (0, True), done.output
    kept = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "cache").iterdir())
    assert "orders-cache" in kept
    assert not [secret for secret in (ids.SECRET_KEY, ids.ACCESS_KEY, ids.TOKEN) if secret in kept]


def test_the_cache_is_valid_for_one_caller_in_one_place(tmp_path: Path) -> None:
    keys = {"HW_ACCESS_KEY": ids.ACCESS_KEY, "HW_SECRET_KEY": ids.SECRET_KEY}
    token = {"HW_AUTH_TOKEN": ids.TOKEN}
    place = {"HW_REGION_NAME": ids.REGION, "HW_PROJECT_ID": ids.PROJECT_ID}
    profiles = {"HW_SHARED_CONFIG_FILE": str(tmp_path / "profiles.json")}

    def caller(environment: dict[str, str], access_key: str = ids.ACCESS_KEY, **options: Any) -> str:
        profile = {"name": "default", "accessKeyId": access_key, "secretAccessKey": ids.SECRET_KEY}
        (tmp_path / "profiles.json").write_text(json.dumps({"profiles": [profile]}), encoding="utf-8")
        (tmp_path / "profiles.json").chmod(0o600)
        plugin = InventoryModule()
        plugin.params = {**dict.fromkeys(CONNECTION), **options}
        with mock.patch.dict(os.environ, environment, clear=True):
            return plugin.caller()

    others = [
        caller({**keys, **place}),
        caller({**keys, **place, "HW_REGION_NAME": "eu-west-101"}),
        caller({**keys, **place, "HW_PROJECT_ID": "0" * 32}),
        caller({**keys, **place}, region="eu-west-101"),
        caller({**keys, **place, "HW_ACCESS_KEY": "ANOTHER"}),
        caller({**token, **place}),
        caller({"HW_AUTH_TOKEN": "anotherToken" * 9, **place}),
        caller({**profiles, **place}),
        caller({**profiles, **place}, access_key="ANOTHER"),
    ]
    assert len(set(others)) == len(others)
    again = [caller({**keys, **place}), caller({**profiles, **place})]
    assert again == [others[0], others[7]], "what a profile holds decides, not its name"


@pytest.mark.parametrize(
    "change",
    [
        {"HW_SECRET_KEY": "not-the-secret-key-of-anybody+/="},
        {"HW_ACCESS_KEY": ""},
        {"HW_DCS_ENDPOINT": "http://127.0.0.1:1", "HW_DDM_ENDPOINT": "http://127.0.0.1:1"},
    ],
)
def test_a_failure_is_a_parser_error_without_a_secret(
    sim: Simulator, tmp_path: Path, change: dict[str, str]
) -> None:
    done = ansible_inventory([source(tmp_path, max_retries=0)], {**sim.env, **change}, "-vvv")
    assert done.returncode != 0
    assert re.search(r"\((auth_failed|invalid_argument|transport_error)\)", done.stderr), done.stderr
    for secret in (ids.SECRET_KEY, change.get("HW_SECRET_KEY") or ids.SECRET_KEY, "Signature=", "Traceback"):
        assert secret not in done.stdout + done.stderr


def test_options_of_the_file_win_and_may_be_templates(sim: Simulator, tmp_path: Path) -> None:
    keys = {
        "access_key": ids.ACCESS_KEY,
        "secret_key": "{{ lookup('env', 'VAULT_KEY') }}",
        "project_id": ids.PROJECT_ID,
        "region": "eu-west-101",
    }
    path = source(tmp_path, dcs_endpoint=sim.url, ddm_endpoint=sim.url, **keys)
    found = hosts(
        inventory(
            [path],
            {
                "VAULT_KEY": ids.SECRET_KEY,
                "HW_ACCESS_KEY": "another",
                "HW_SECRET_KEY": "another",
                "HW_REGION_NAME": "elsewhere-1",
            },
        )
    )
    assert {host["region"] for host in found.values()} == {"eu-west-101"}


def test_each_region_is_asked_in_its_own_project(sim: Simulator, tmp_path: Path) -> None:
    sim.state.projects[ids.OTHER_PROJECT_ID] = "eu-west-101"
    found = hosts(inventory([source(tmp_path, regions=[ids.REGION, "eu-west-101"])], sim.env))
    assert {entry.path.split("/")[2] for entry in sim.ledger if entry.service != "iam"} == {
        ids.PROJECT_ID,
        ids.OTHER_PROJECT_ID,
    }
    # This cloud shows both projects the same instances: each is one host
    assert len(found) == len({host["instance_id"] for host in found.values()})


def test_two_clouds_in_two_files(sim: Simulator, tmp_path: Path) -> None:
    with Simulator("fleet-3-1") as other:
        paths = [
            source(
                tmp_path,
                f"{name}.huaweicloud.yml",
                regions=[region],
                dcs_endpoint=cloud.url,
                ddm_endpoint=cloud.url,
                keyed_groups=[{"key": "region", "separator": ""}],
            )
            for name, region, cloud in (("a", ids.REGION, sim), ("b", "eu-west-101", other))
        ]
        found = inventory(paths, sim.env)
    assert sorted(found["eu_west_101"]["hosts"]) == [
        "cache-0000",
        "cache-0001",
        "cache-0002",
        "db-0000",
        "db-0000-restored",
    ]
    assert "orders-cache" in found["ap_southeast_3"]["hosts"]


def test_instances_of_one_name_in_two_files_are_two_hosts(sim: Simulator, tmp_path: Path) -> None:
    """As in two accounts. One host with the variables of both would be one of them, in the groups of both."""
    number = "5560df16-cebf-4473-95c4-00000000beef"
    with Simulator("demo") as other:
        other.state.dcs_instances[ids.DCS_INSTANCE].id = number
        paths = [
            source(tmp_path, f"{name}.huaweicloud.yml", services=["dcs"], groups={name: True}, **endpoint)
            for name, endpoint in (("a", {"dcs_endpoint": sim.url}), ("b", {"dcs_endpoint": other.url}))
        ]
        done = ansible_inventory([*paths, paths[0]], sim.env)
        assert "other instances with the names orders-cache." in done.stderr
        found = json.loads(done.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item))
        assert hosts(found)["orders-cache"]["instance_id"] == ids.DCS_INSTANCE
        assert (hosts(found)[number]["instance_name"], found["b"]["hosts"]) == ("orders-cache", [number])
        assert hosts(inventory([paths[0], paths[0]], sim.env)), "the same instances twice are no clash"


def test_more_instances_than_a_page(tmp_path: Path) -> None:
    with Simulator("fleet-20-150") as sim:
        found = hosts(inventory([source(tmp_path)], sim.env))
    assert len(found) == 20 + 2 * 150


# What a file says wrongly, and what the plugin says to that.
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"services": ["obs"]}, "services must be one or more of dcs, ddm, not obs"),
    ({"services": []}, "services must be one or more of dcs, ddm, not an empty list"),
    ({"regions": ["Not A Region"]}, "Not A Region"),
    ({"regions": [ids.REGION, "eu-west-101"], "project_id": ids.PROJECT_ID}, "belong to one region"),
    ({"http_timeout": 0}, "http_timeout"),
    ({"access_key": "A", "ak": "B"}, "access_key has two values, one of them under another name"),
    # What is not read filters nothing, and signs in as somebody else.
    ({"status": ["RUNNING"]}, "There is no option 'status'. Did you mean statuses?"),
    ({"profil": "prod"}, "There is no option 'profil'. Did you mean profile?"),
    ({"foo": "bar"}, "There is no option 'foo'. Known: "),
    ({"use_instance_metadata": "surely"}, "use_instance_metadata must be true or false, not 'surely'."),
    ({"max_retries": "{{ 'many' }}"}, "max_retries must be a whole number, not 'many'."),
    ({"region": {"a": 1}}, "region must be text, not a dictionary."),
    ({"regions": [["a"]]}, "regions[0] must be text, not a list."),
    ({"allowed_project_ids": "{{ [] }}"}, "allowed_project_ids is an empty list."),
]


def test_what_a_file_says_wrongly_is_refused(sim: Simulator, tmp_path: Path) -> None:
    """One run reads all files, and none gives a host: each is named with its own mistake."""
    files = [
        source(tmp_path, f"{number:02}.huaweicloud.yml", **options)
        for number, (options, dummy) in enumerate(REFUSED)
    ]
    env = {name: value for name, value in sim.env.items() if "ENDPOINT" not in name}
    done = ansible_inventory(files, {**env, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "0"})
    assert sim.ledger == [] and json.loads(done.stdout)["_meta"]["hostvars"] == {}
    # Ansible ends what it has to say of a file with this line
    said = " ".join(done.stderr.split()).split("Unable to parse ")[: len(files)]
    for reasons, (dummy, why) in zip(said, REFUSED, strict=True):
        assert why in reasons
    alone = ansible_inventory(files[:1], env)
    assert alone.returncode != 0 and REFUSED[0][1] in " ".join(alone.stderr.split())


def test_other_files_are_left_alone(sim: Simulator, tmp_path: Path) -> None:
    assert ansible_inventory([source(tmp_path, "huaweicloud.txt")], sim.env).returncode != 0
    assert sim.ledger == []


def test_certificates_are_verified_unless_the_file_says_no(tmp_path: Path) -> None:
    with Simulator(tls="ca") as sim:
        env = {**sim.env, "HW_CA_PATH": "", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "0"}
        verified = [
            source(tmp_path, f"{number}.huaweicloud.yml", validate_certs=value, max_retries=0)
            for number, value in enumerate(["", "{{ true }}", "certainly"])
        ]
        done = ansible_inventory(verified, env)
        assert json.loads(done.stdout)["_meta"]["hostvars"] == {}
        said = " ".join(done.stderr.split())
        assert said.count("(tls_error)") >= 2
        assert "validate_certs must be true or false, not 'certainly'." in said
        assert (
            "orders-cache" in ansible_inventory([source(tmp_path, validate_certs="{{ 'no' }}")], env).stdout
        )


def test_every_option_of_the_documentation_is_taken(sim: Simulator, tmp_path: Path) -> None:
    """They include Ansible's own options for any inventory."""
    found: dict[str, Any] = {
        **{"compose": {"a": "'b'"}, "groups": {"c": "true"}, "keyed_groups": [], "strict": True},
        **{"use_extra_vars": False, "leading_separator": True, "cache": True, "cache_timeout": 9},
        **{"cache_plugin": "memory", "cache_connection": "none", "cache_prefix": "x"},
        **{"services": ["dcs"], "regions": [ids.REGION], "statuses": [], "ak": "", "ca_bundle": ""},
    }
    assert inventory([source(tmp_path, **found)], sim.env)["c"]["hosts"]


def test_blank_options_are_unset_and_any_may_be_a_template(sim: Simulator, tmp_path: Path) -> None:
    blank = dict.fromkeys(
        ["project_id", "http_timeout", "max_retries", "allowed_project_ids", "validate_certs"], ""
    )
    unset = source(
        tmp_path,
        "unset.huaweicloud.yml",
        **blank,
        shared_config_file="{{ '' }}",
        services="{{ '' }}",
        keyed_groups=[{"key": "service", "separator": ""}],
    )
    options = {
        "http_timeout": "{{ 9 }}",
        "allowed_project_ids": "{{ [project] }}",
        "regions": "{{ in_a_text }}",
        "max_retries": "{{ none }}",
    }
    given = json.dumps({"project": ids.PROJECT_ID, "in_a_text": f'["{ids.REGION}"]'})
    path = source(tmp_path, **options, groups={"read": True})
    found = inventory([unset, path], sim.env, "-e", given)
    assert {row["region"] for row in hosts(found).values()} == {ids.REGION}
    assert len(found["read"]["hosts"]) == len(found["dcs"]["hosts"]) + len(found["ddm"]["hosts"])
    given = json.dumps({"project": ids.OTHER_PROJECT_ID, "in_a_text": ids.REGION})
    done = ansible_inventory([source(tmp_path, **options)], sim.env, "-e", given)
    assert done.returncode != 0 and "which is not in allowed_project_ids" in " ".join(done.stderr.split())
    assert "cannot be read: The credentials" in " ".join(done.stderr.split())
    assert "out of services" not in done.stderr, "no service can be read, so none is advised to be left out"


def test_a_profile_file_may_be_a_template(sim: Simulator, tmp_path: Path) -> None:
    profile = {"name": "prod", "accessKeyId": ids.ACCESS_KEY, "secretAccessKey": ids.SECRET_KEY}
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps({"current": "prod", "profiles": [profile]}), encoding="utf-8")
    file.chmod(0o600)
    found = hosts(
        inventory(
            [source(tmp_path, shared_config_file="{{ f }}")], sim.env, "-e", f"f={tmp_path}/profiles.json"
        )
    )
    assert found["orders-cache"]["shared_config_file"] == str(file)
