# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook for fleets, through ansible-playbook against the local cloud."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

PLAYBOOK = "huaweicloud.recovery.fleet"
CACHES = [f"cache-{number:04d}" for number in range(6)]
DATABASES = ["db-0000", "db-0001"]


def source(folder: Path) -> str:
    """The inventory plugin over the whole account; what databases are restored to is said in compose."""
    groups = [{"key": "service", "separator": ""}]
    compose = {"target_instance_id": "'f1ee7' ~ '1' * 19 ~ instance_id[24:]"}
    path = folder / "fleet.huaweicloud.yml"
    path.write_text(
        yaml.safe_dump(
            {"plugin": "huaweicloud.recovery.instances", "keyed_groups": groups, "compose": compose}
        )
    )
    return str(path)


def run(sim: Simulator, folder: Path, *args: str) -> invoke.Completed:
    done = invoke.playbook(PLAYBOOK, sim.env, "-i", source(folder), "-e", "fleet_poll_interval=1", *args)
    assert sim.errors == []
    return done


def report(done: invoke.Completed) -> dict[str, Any]:
    """The report, over all batches, as the next node of a workflow gets it."""
    published: dict[str, Any] = done.of("Restore all hosts")[-1]["ansible_stats"]["data"]
    assert list(published) == ["restore_reported", *(["restore_planned"] if len(published) > 1 else [])]
    return dict(published["restore_reported"])


def targets(done: invoke.Completed) -> dict[str, dict[str, Any]]:
    """The outcome of each host."""
    return {row["label"]: row for row in report(done)["restores"]}


def test_refuses_without_a_limit(tmp_path: Path) -> None:
    with Simulator("fleet-2-1") as sim:
        done = run(sim, tmp_path)
        assert done.rc == 2
        assert "Name the hosts to restore with --limit or fleet_hosts" in done.output
        # Only the inventory has sent requests.
        assert {entry.operation for entry in sim.ledger} == {"dcs.instances", "ddm.instances"}


def test_one_failure_stops_no_other(tmp_path: Path) -> None:
    with Simulator("fleet-6-2", restore_seconds=2) as sim:
        sim.fault("operation_fails", "dcs.restore", after=2)
        done = run(sim, tmp_path, "--limit", "dcs:db-0000:db-0001", "-f", "50")
        assert Counter(entry.operation for entry in sim.posts()) == {"dcs.restore": 6, "ddm.recovery": 2}
        last_start = max(entry.number for entry in sim.posts())
        polls = [entry for entry in sim.ledger if entry.number > last_start]
        assert len({entry.connection for entry in polls}) <= 2
    assert done.rc == 2
    found = targets(done)
    assert sorted(found) == [*CACHES, *DATABASES]
    (bad,) = [target for target in found.values() if target["outcome"] != "succeeded"]
    assert (bad["failed_step"], bad["error_kind"]) == ("wait", "operation_failed")
    (reason,) = done.of("Report why")
    assert reason["msg"] == bad["msg"]
    assert re.search(rf"{bad['label']} +: .*failed=1 ", done.stdout)
    assert "8 restores ended (1 failed)" in done.output
    assert found["db-0001"]["target"]["instance_id"] == ids.fleet_ddm_target(1)


def test_batches_check_mode_and_a_second_run(tmp_path: Path) -> None:
    with Simulator("fleet-6-2") as sim:
        planned = run(sim, tmp_path, "--check", "-e", "fleet_hosts=dcs", "-e", "fleet_serial=4")
        assert (planned.rc, sim.posts()) == (0, [])
        assert {target["outcome"] for target in targets(planned).values()} == {"planned"}
        assert planned.output.count("OVERWRITE with backup_") == 6
        done = run(sim, tmp_path, "--limit", "dcs[0:2]", "-e", "fleet_serial=1", "-f", "5")
        assert len(done.of("Restore all hosts")) == 3
        assert report(done)["verdict"] == "restored"
        again = run(sim, tmp_path, "-e", "fleet_hosts=dcs")
        assert len(sim.posts()) == 6
    assert (done.rc, again.rc) == (0, 0)
    assert {name: target["outcome"] for name, target in targets(again).items()} == {
        name: "unchanged" if name < CACHES[3] else "succeeded" for name in CACHES
    }


def test_a_host_that_is_not_an_instance_fails_alone(tmp_path: Path) -> None:
    with Simulator("fleet-1-0") as sim:
        cache = f"cache service=dcs instance_id={ids.fleet_dcs_instance(0)} region={ids.REGION}"
        (tmp_path / "hosts.ini").write_text(
            f"nobody\nmistyped service=dcs instance_id=instances/1\n{cache}\n"
            "elsewhere service=dcs instance_id=a profile=none\n"
            'untold service=dcs instance_id=b connection=\'{"password_variable": "no_such_one"}\'\n'
            'bundle service=dcs instance_id=c connection=\'{"ca_path": "/nope.pem"}\'\n'
            "one service=dcs instance_id=d\ntwo service=dcs instance_id=d\n"
            'huge service=dcs instance_id="{{ 10 ** 5000 }}"\n'
        )
        done = invoke.playbook(
            PLAYBOOK,
            sim.env,
            "-i",
            str(tmp_path / "hosts.ini"),
            "--limit",
            "all",
            "-e",
            "fleet_poll_interval=1",
        )
        assert len(sim.posts()) == 1
    assert done.rc == 2
    found = {name: (target["outcome"], target["failed_step"]) for name, target in targets(done).items()}
    assert found == {
        "nobody": (None, "plan"),
        "mistyped": (None, "plan"),
        "cache": ("succeeded", None),
        **dict.fromkeys(("elsewhere", "untold", "bundle", "huge", "one", "two"), (None, "plan")),
    }
    assert "instance_id 'instances/1' is not an ID" in targets(done)["mistyped"]["msg"]


def inventory_file(folder: Path, regions: list[str]) -> str:
    """Write an inventory with alternating caches and databases in these regions."""
    caches = [
        f"cache-{n} service=dcs instance_id={ids.fleet_dcs_instance(n)} region={regions[n % len(regions)]}"
        for n in range(6)
    ]
    pairs = [
        f"service=ddm instance_id={ids.fleet_ddm_source(n)} target_instance_id={ids.fleet_ddm_target(n)}"
        for n in range(2)
    ]
    databases = [f"db-{n} {pair} region={regions[n % len(regions)]}" for n, pair in enumerate(pairs)]
    path = folder / "hosts.ini"
    path.write_text("\n".join(["[dcs]", *caches, "[ddm]", *databases, ""]))
    return str(path)


def test_two_regions_in_one_run(tmp_path: Path) -> None:
    """Each host in its own project, with one sign-in per region and task; jobs are read where they run."""
    regions = [ids.REGION, "eu-west-101"]
    with Simulator("fleet-6-2", restore_seconds=1) as sim:
        sim.state.projects[ids.OTHER_PROJECT_ID] = regions[1]
        given = ("-i", inventory_file(tmp_path, regions), "--limit", "all", "-e", "fleet_poll_interval=1")
        planned = invoke.playbook(PLAYBOOK, sim.env_for("password"), *given, "--check")
        assert (planned.rc, sim.posts()) == (0, []), planned.output
        before = len(sim.requests("iam.token"))
        done = invoke.playbook(PLAYBOOK, sim.env_for("password"), *given)
        assert done.rc == 0, done.output
        # Plan, start, wait, and a list where names are unknown
        assert before <= 6 and len(sim.requests("iam.token")) <= 16
        asked = [entry.path.split("/") for entry in sim.ledger if entry.service != "iam"]
        assert sim.errors == []
    projects = dict(zip(regions, (ids.PROJECT_ID, ids.OTHER_PROJECT_ID), strict=True))
    assert {target["outcome"] for target in targets(done).values()} == {"succeeded"} and len(
        targets(done)
    ) == 8
    for name, target in targets(done).items():
        named = {
            path[2]
            for path in asked
            if {target["instance_id"], target["target"]["instance_id"], target["job_id"]} & set(path)
        }
        assert named == {projects[regions[int(name[-1]) % 2]]}, name


def test_a_host_with_another_name_by_now_is_not_restored(tmp_path: Path) -> None:
    """As in an old inventory, a cached one for example: --limit would name another instance than it means."""
    with Simulator("fleet-2-1") as sim:
        cached = json.dumps({"cache": True, "cache_plugin": "jsonfile", "cache_connection": f"{tmp_path}/c"})
        path = Path(source(tmp_path))
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **json.loads(cached)}))
        given = ["-i", str(path), "--limit", "all:!db-0000-restored", "-e", "fleet_poll_interval=1"]
        assert invoke.playbook(PLAYBOOK, sim.env, *given, "--check").rc == 0
        sim.state.dcs_instances[ids.fleet_dcs_instance(0)].name = "prod-cache"
        done = invoke.playbook(PLAYBOOK, sim.env, *given)
        assert (done.rc, len(sim.posts())) == (2, 2), done.output
    row = targets(done)["cache-0000"]
    assert row["error_kind"] == "name_mismatch" and "prod-cache" in row["msg"]


def test_slices_at_once(tmp_path: Path) -> None:
    """Two jobs with the same inventory and different hosts, as a job controller slices it."""
    with Simulator("fleet-6-2", restore_seconds=2) as sim:
        path = inventory_file(tmp_path, [ids.REGION])
        limits = ["cache-0:cache-2:cache-4:db-0", "cache-1:cache-3:cache-5:db-1"]
        with ThreadPoolExecutor(2) as pool:
            runs = list(
                pool.map(
                    lambda limit: invoke.playbook(
                        PLAYBOOK, sim.env, "-i", path, "--limit", limit, "-e", "fleet_poll_interval=1"
                    ),
                    limits,
                )
            )
        assert Counter(entry.operation for entry in sim.posts()) == {"dcs.restore": 6, "ddm.recovery": 2}
        assert (sim.started("dcs.restore"), sim.started("ddm.recovery"), sim.errors) == (6, 2, [])
    assert [done.rc for done in runs] == [0, 0]
    assert [":".join(sorted(targets(done))) for done in runs] == limits


def test_the_graph(tmp_path: Path) -> None:
    with Simulator("fleet-6-2") as sim, tempfile.TemporaryDirectory() as home:
        command = [invoke._tool("ansible-inventory"), "-i", source(tmp_path), "--graph"]
        graph = subprocess.run(
            command, env={**invoke.environment(home), **sim.env}, capture_output=True, text=True, check=True
        ).stdout
    assert graph.startswith("@all:\n")
    assert graph.count("|--cache-") == 6 and graph.count("|--db-") == 4
    assert {"@dcs:", "@ddm:"} <= {line.strip(" |-") for line in graph.splitlines()}


def names(folder: Path, *lines: str) -> str:
    path = folder / "hosts.ini"
    path.write_text("\n".join([*lines, ""]))
    return str(path)


def test_a_fleet_in_which_nothing_was_restored_fails(tmp_path: Path) -> None:
    """A pattern without a match, an unreadable inventory or region, and no host that can be read."""
    with Simulator("fleet-2-0") as sim:
        mistyped = run(sim, tmp_path, "-e", "fleet_hosts=dril")
        assert mistyped.rc != 0
        assert "no host of the inventory matches fleet_hosts" in mistyped.output
        for tags in (("--tags", "restore"), ("--skip-tags", "plan")):
            none = run(sim, tmp_path, "-e", "fleet_hosts=dcs", *tags)
            assert (none.rc != 0, f"Nothing was restored: {' '.join(tags)}" in none.output) == (True, True)
        planned = run(sim, tmp_path, "-e", "fleet_hosts=dcs", "--tags", "plan")
        assert (planned.rc, report(planned)["verdict"]) == (0, "planned"), planned.output
        wrong = {**sim.env, "HW_SECRET_KEY": "wrong-" + ids.SECRET_KEY[6:]}
        unread = invoke.playbook(PLAYBOOK, wrong, "-i", source(tmp_path), "-e", "fleet_hosts=dcs")
        assert unread.rc != 0
        assert "Nothing was restored: the inventory has no hosts" in unread.output
        assert sim.posts() == []
        fault = json.dumps([{"region": "eu-west-101", "error_kind": "denied", "msg": "It is forbidden."}])
        some = run(
            sim, tmp_path, "-e", "fleet_hosts=dcs", "-e", f'{{"huaweicloud_recovery_unread": {fault}}}'
        )
        assert (some.rc, len(sim.posts())) == (2, 2)
        (reason,) = some.of("Report why")
        assert reason["msg"].startswith(
            "Not everything was restored, because the inventory could not read all instances."
        )
        assert "eu-west-101: It is forbidden." in reason["msg"]
        found = report(some)
        assert (found["verdict"], found["failed"], found["msg"]) == ("incomplete", True, reason["msg"])
        assert {target["outcome"] for target in found["restores"]} == {"succeeded"}
        with sim.state.lock:
            for instance in sim.state.dcs_instances.values():
                instance.id = "not an ID"
        none = run(sim, tmp_path, "-e", "fleet_hosts=all")
        assert (none.rc != 0, len(sim.posts())) == (True, 2)
        assert "Nothing was restored: the inventory has no hosts" in none.output


def test_a_host_whose_name_has_a_colon_fails_as_itself(tmp_path: Path) -> None:
    """The group_vars also set become, which nothing here needs."""
    with Simulator("fleet-1-0") as sim:
        script = tmp_path / "hosts.sh"
        hosts = {"redis:6379": {"service": "dcs", "instance_id": ids.DCS_OTHER}}
        hosts["good"] = {"service": "dcs", "instance_id": ids.fleet_dcs_instance(0)}
        inventory = {
            "all": {
                "hosts": list(hosts),
                "vars": {"ansible_become": True, "ansible_become_method": "nowhere"},
            },
            "_meta": {"hostvars": hosts},
        }
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(inventory)}\nEND\n")
        script.chmod(0o755)
        done = invoke.playbook(
            PLAYBOOK, sim.env, "-i", str(script), "-e", "fleet_hosts=all", "-e", "fleet_poll_interval=1"
        )
        assert (len(sim.posts()), sim.errors) == (1, [])
    assert done.rc == 2
    assert re.search(r"redis:6379 +: .*failed=1 ", done.stdout)
    assert not re.search(r"good +: .*failed=1 ", done.stdout)
    assert targets(done)["redis:6379"]["error_kind"] == "not_found"


def test_protection_confirmation_and_report_are_those_of_the_role(tmp_path: Path) -> None:
    with Simulator("fleet-3-0") as sim:
        given = (
            "--limit",
            "dcs",
            "-e",
            "restore_protected=cache-0001",
            "-e",
            f"restore_report_dir={tmp_path}/r",
        )
        asked = run(
            sim, tmp_path, *given, "-e", "restore_confirm=true", "-e", "awx_job_id=42", "-e", "fleet_serial=1"
        )
        assert (asked.rc, sim.posts()) == (2, [])
        published = asked.of("Restore all hosts")[-1]["ansible_stats"]["data"]
        assert published["restore_reported"] == published["restore_reported_42"]
        digest = published["restore_reported"]["plan_digest"]
        done = run(sim, tmp_path, *given, "-e", f"restore_plan_digest={digest}", "-e", "fleet_serial=1")
        assert len(sim.posts()) == 2
    assert {name: row["error_kind"] for name, row in targets(done).items()} == {
        "cache-0000": None,
        "cache-0001": "protected",
        "cache-0002": None,
    }
    assert (report(done)["kind"], report(done)["verdict"]) == ("fleet", "incomplete")
    assert Path(report(done)["files"]["html"]).exists()


def test_the_syntax_can_be_checked_without_an_inventory() -> None:
    """As ansible-lint and many pipelines do. Nothing is restored, so the playbook must not refuse."""
    for playbook, how in (("fleet", "--syntax-check"), ("undo", "--list-tasks")):
        done = invoke.playbook(f"huaweicloud.recovery.{playbook}", {}, how)
        assert done.rc == 0, done.output


def test_a_host_is_restored_in_the_project_that_listed_it_or_not_at_all(tmp_path: Path) -> None:
    """The file says a project that no row carries; the keys of the run may lead to another one."""
    path = tmp_path / "elsewhere.huaweicloud.yml"
    options = {"services": ["dcs"], "region": ids.REGION, "project_id": ids.OTHER_PROJECT_ID}
    path.write_text(yaml.safe_dump({"plugin": "huaweicloud.recovery.instances", **options}))
    given = ["-i", str(path), "-e", "fleet_hosts=all", "-e", "fleet_poll_interval=1"]
    with Simulator("fleet-1-0", restore_seconds=1) as sim:
        done = invoke.playbook(PLAYBOOK, {**sim.env, "HW_PROJECT_ID": ""}, *given)
        assert (done.rc, sim.posts()) == (2, [])
        (row,) = report(done)["restores"]
        assert row["error_kind"] == "denied" and f"belongs to project {ids.OTHER_PROJECT_ID!r}" in row["msg"]
        assert "HW_PROJECT_ID" in row["msg"]
        done = invoke.playbook(PLAYBOOK, {**sim.env, "HW_PROJECT_ID": ids.OTHER_PROJECT_ID}, *given)
        assert done.rc == 0, done.output
        assert {entry.path.split("/")[2] for entry in sim.posts()} == {ids.OTHER_PROJECT_ID}


def profiles(folder: Path, name: str, project: str) -> str:
    """A file with one profile, which is not the current one."""
    keys = {"accessKeyId": ids.ACCESS_KEY, "secretAccessKey": ids.SECRET_KEY}
    profile = {"name": "prod", "mode": "AKSK", **keys, "region": ids.REGION, "projectId": project}
    path = folder / name
    path.write_text(json.dumps({"profiles": [profile]}), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def no_keys(sim: Simulator) -> dict[str, str]:
    """An environment that only says where the local cloud is."""
    return {name: value for name, value in sim.env.items() if name.endswith(("_ENDPOINT", "_CA_PATH"))}


def projects(sim: Simulator) -> set[str]:
    """The projects to which requests were sent."""
    return {entry.path.split("/")[2] for entry in sim.ledger if entry.service != "iam"}


def test_a_profile_that_lists_the_hosts_restores_them(tmp_path: Path) -> None:
    """The environment has no keys, and the file no current profile: the run has no other identity."""
    options = {"profile": "prod", "shared_config_file": profiles(tmp_path, "p.json", ids.OTHER_PROJECT_ID)}
    path = tmp_path / "prod.huaweicloud.yml"
    path.write_text(
        yaml.safe_dump({"plugin": "huaweicloud.recovery.instances", "services": ["dcs"], **options})
    )
    given = ["-i", str(path), "-e", "fleet_hosts=all", "-e", "fleet_poll_interval=1", "-e", "fleet_serial=1"]
    with Simulator("fleet-2-0", restore_seconds=1) as sim:
        done = invoke.playbook(PLAYBOOK, no_keys(sim), *given)
        assert (done.rc, len(sim.posts())) == (0, 2), done.output
        assert projects(sim) == {ids.OTHER_PROJECT_ID}
    assert report(done)["account"]["source"] == f"profile prod of {options['shared_config_file']}"


def test_hosts_with_the_profiles_of_different_files_are_refused(tmp_path: Path) -> None:
    """One task starts all restores: `b` would sign in with the profile in the file of `a`."""
    pairs = (("one.json", ids.PROJECT_ID), ("two.json", ids.OTHER_PROJECT_ID))
    one, two = (profiles(tmp_path, *pair) for pair in pairs)
    files = {"a": one, "b": two, "c": "", "d": one, "e": one, "f": one}
    hosts = {
        name: {"service": "dcs", "instance_id": instance, "profile": "prod", "shared_config_file": file}
        for instance, (name, file) in zip(map(ids.fleet_dcs_instance, range(6)), files.items(), strict=True)
    }
    path = tmp_path / "hosts.yml"
    path.write_text(json.dumps({"all": {"hosts": hosts}}))
    given = ["-i", str(path), "-e", "fleet_poll_interval=1", "--limit"]
    with Simulator("fleet-6-0", restore_seconds=1) as sim:
        refused = invoke.playbook(PLAYBOOK, no_keys(sim), *given, "all")
        assert (refused.rc, sim.ledger) == (2, []), refused.output
        done = invoke.playbook(PLAYBOOK, no_keys(sim), *given, "a:b:c", "-e", f"shared_config_file={two}")
        assert (done.rc, len(sim.posts())) == (0, 3), done.output
        assert projects(sim) == {ids.OTHER_PROJECT_ID}
    assert (
        "shared_config_file differs between hosts, but a run reads all profiles from one file: "
        f"{one} for a, d, e and 1 more; {two} for b; no file for c. Restore the hosts of each "
        "file in a run of their own, with --limit."
    ) in report(refused)["msg"]
