# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks undo, drill and readiness, through ansible-playbook against the local cloud."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids

CACHE = {"instance_id": ids.DCS_INSTANCE}
DATABASE = {"source_instance_id": ids.DDM_SOURCE, "target_instance_id": ids.DDM_TARGET}


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(restore_seconds=1) as simulator:
        yield simulator
        assert simulator.errors == []


def run(
    sim: Simulator, playbook: str, *args: str, sign_in: Any = "aksk", **variables: Any
) -> invoke.Completed:
    given = json.dumps({"restore_poll_interval": 1, **variables})
    return invoke.playbook(f"huaweicloud.recovery.{playbook}", sim.env_for(sign_in), "-e", given, *args)


def report(done: invoke.Completed) -> dict[str, Any]:
    found: dict[str, Any] = done.of("huaweicloud.recovery.restore : Report")[-1]["report"]
    return found


def test_undo_brings_back_what_a_restore_has_overwritten(sim: Simulator, tmp_path: Path) -> None:
    stack = {"restore_dcs": [CACHE], "restore_ddm": [DATABASE], "restore_point": "latest"}
    first = run(sim, "restore", restore_report_dir=str(tmp_path), restore_operation_id="CHG-1042", **stack)
    assert first.rc == 0, first.output
    path = report(first)["files"]["json"]
    (saved,) = [
        row["safety_backup"]["backup_id"] for row in report(first)["restores"] if row["safety_backup"]
    ]
    assert f"ansible-playbook huaweicloud.recovery.undo -e restore_report={path}" in first.stdout

    posts, plan = len(sim.posts()), {"restore_plan_file": str(tmp_path / "plan.json")}
    pasted = path.replace(".json", ".html") + "\n"
    planned = run(sim, "undo", "--check", restore_report=pasted, **plan)
    assert (planned.rc, len(sim.posts())) == (0, posts), planned.output
    assert f", {saved})" in planned.stdout
    for fewer in ({"restore_dcs": [{"instance_id": ids.DCS_OTHER}]}, {"restore_instances": "reports-cache"}):
        refused = run(sim, "undo", restore_report=path, **fewer)
        assert (refused.rc, len(sim.posts())) == (2, posts), "an undo of one cache would overwrite another"
        assert "safety backups of orders-cache, which the entries do not name" in report(refused)["msg"]

    # all variables of the restore, with a gap of another point
    undone = run(sim, "undo", restore_report=path, restore_max_gap="0s", **stack)
    assert undone.rc == 0, undone.output
    assert sim.state.dcs_instances[ids.DCS_INSTANCE].restored_from == saved
    assert [entry.operation for entry in sim.posts()[posts:]] == ["dcs.backup", "dcs.restore"]
    assert report(undone)["kind"] == "undo"

    assert run(sim, "undo", **plan).rc == 0, "a plan needs no report"
    again = run(sim, "undo", restore_report=json.loads(Path(path).read_text(encoding="utf-8")))
    assert (again.rc, len(sim.posts())) == (0, posts + 2), again.output


def test_what_was_written_before_a_later_run_can_be_undone(sim: Simulator, tmp_path: Path) -> None:
    """The first run overwrites nothing, so its backup lacks what the application writes until the second."""
    given = {"restore_dcs": [CACHE], "restore_point": "latest", "restore_report_dir": str(tmp_path)}
    sim.fault("forbidden", "dcs.restore")
    saved = []
    for rc in (2, 0):
        done = run(sim, "restore", restore_operation_id="CHG-1042", **given)
        assert done.rc == rc, done.output
        saved.append(report(done)["restores"][0]["safety_backup"]["backup_id"])
    assert (
        len(set(saved)) == 2
        and [entry.operation for entry in sim.posts()]
        == [
            "dcs.backup",
            "dcs.restore",
        ]
        * 2
    )


def test_a_drill_overwrites_scratch_instances_only(sim: Simulator) -> None:
    name = sim.state.dcs_instances[ids.DCS_INSTANCE].name
    stack = {"restore_dcs": [CACHE], "restore_point": "latest"}
    for scratch, words in ((None, "A drill needs drill_scratch"), ("other-*", "is not in drill_scratch")):
        refused = run(sim, "drill", drill_scratch=scratch, **stack)
        assert refused.rc == 2
        assert words in json.dumps(report(refused)), words
    assert sim.posts() == []

    done = run(sim, "drill", drill_scratch=[name], restore_rto_target="1s", **stack)
    assert done.rc == 0, done.output
    assert [entry.operation for entry in sim.posts()] == ["dcs.restore"]
    assert report(done)["kind"] == "drill"
    assert any("Scratch targets have held production data since " in note for note in report(done)["notes"])
    assert f": {name}." in done.stdout
    again = run(sim, "drill", drill_scratch=[name], **stack)
    assert f"An earlier run restored {name}, so this drill did not rehearse that." in again.stdout
    (row,) = report(again)["restores"]
    assert (row["outcome"], row["rto_seconds"], len(sim.posts())) == ("unchanged", None, 1)


def test_a_drill_rehearses_each_day_anew(sim: Simulator) -> None:
    """A schedule gives the same variables each time, and the scratch cache may have no newer backup."""
    days = (time.time(), time.time() - 86400)
    today, yesterday = (time.strftime("drill %Y-%m-%d", time.gmtime(day)) for day in days)
    entry, name = {"restore_dcs": [CACHE]}, {"restore_instances": "orders-cache"}
    runs = ((None, 1, entry), (today, 1, name), (yesterday, 2, name), (yesterday, 2, entry), ("", 3, entry))
    for ticket, posts, stack in runs:
        given = {"drill_scratch": "*", "restore_point": "latest", **stack}
        done = run(sim, "drill", restore_operation_id=ticket, **given)
        assert (done.rc, len(sim.posts())) == (0, posts), done.output
        assert report(done)["operation_id"] == (ticket or None), "a drill without a ticket has none"


def test_a_random_point_can_be_chosen_again(sim: Simulator) -> None:
    given = {"drill_scratch": "*", "restore_dcs": [CACHE], "restore_point": "random", "drill_window_days": 1}
    first = run(sim, "drill", "--check", **given)
    (note,) = report(first)["notes"]
    seed = note.rpartition(" ")[2].rstrip(".")
    second = run(sim, "drill", "--check", drill_seed=seed, **given)
    assert report(first)["restore_point"] == report(second)["restore_point"], "also later"
    assert report(second)["notes"][0].endswith(f"with the seed {seed}.")
    refused = run(sim, "restore", restore_dcs=[CACHE], restore_point="random")
    assert "restore_point 'random' is not a time" in report(refused)["msg"]


def test_a_number_of_a_drill_that_is_zero_is_not_a_blank(sim: Simulator) -> None:
    given = {"drill_scratch": "*", "restore_dcs": [CACHE], "restore_point": "random"}
    seeded = run(sim, "drill", "--check", drill_seed=0, **given)
    assert report(seeded)["notes"][0].endswith("with the seed 0."), seeded.output
    wide = run(sim, "drill", "--check", drill_window_days=0, drill_production=None, **given)
    assert report(wide)["msg"] == "drill_window_days must be from 1 to 3650, not 0. Nothing was started."


def test_readiness_fails_for_an_old_backup_and_for_a_missing_one(sim: Simulator, tmp_path: Path) -> None:
    """It plans with the newest data, whatever the variables of the restore say, and starts nothing."""
    stack = {"restore_dcs": [{**CACHE, "backup_id": ids.DCS_BACKUP_OLD}], "restore_ddm": [DATABASE]}
    plan = tmp_path / "plan.json"
    files = {"restore_plan_file": str(plan)}
    good = run(sim, "readiness", "--check", restore_point="2026-01-31T03:00:00Z", **stack, **files)
    assert (good.rc, report(good)["verdict"], report(good)["kind"]) == (0, "planned", "readiness"), (
        good.output
    )
    (cache,) = [row for row in report(good)["restores"] if row["service"] == "dcs"]
    assert cache["backup"]["backup_id"] == ids.DCS_BACKUP
    strict = run(sim, "readiness", restore_rpo_target="30m", **stack, **files)
    assert strict.rc == 2
    assert not plan.exists(), "it would take the place of the plan of a restore"

    made = time.time() - 30 * 3600
    for backup in sim.state.dcs_backups.values():
        if backup.instance_id == ids.DCS_INSTANCE:
            backup.created_at = min(backup.created_at, made)
    old = run(sim, "readiness", **stack)
    assert old.rc == 2
    assert "are 30 h 1 min old, but restore_rpo_target is 26 h" in json.dumps(report(old))
    missing = run(
        sim,
        "readiness",
        restore_dcs=[{"instance_id": ids.DCS_EMPTY}, CACHE],
        restore_rpo_target="7d",
        restore_protected="orders-*",
    )
    kinds = [row["error_kind"] for row in report(missing)["restores"]]
    assert (missing.rc, kinds) == (2, ["not_restorable", "protected"]), "the restore would refuse it"
    assert sim.posts() == []


@pytest.mark.parametrize(
    ("ahead", "old", "refused"),
    [(24, 30, True), (-24, 20, False)],
    ids=["this machine's clock is slow", "it is fast"],
)
def test_the_age_of_data_is_counted_by_the_clouds_clock(ahead: int, old: int, refused: bool) -> None:
    """With a token, the cloud accepts requests from a machine with any clock. The limit is 26 h."""
    with Simulator(restore_seconds=1, clock=lambda: time.time() + ahead * 3600) as sim:
        for backup in sim.state.dcs_backups.values():
            backup.created_at = backup.updated_at = time.time() + (ahead - old) * 3600
        given = {"sign_in": "token", "restore_dcs": [CACHE]}
        done = run(sim, "readiness", **given)
        gap = run(sim, "restore", "--check", restore_point="latest", restore_max_gap="26h", **given)
        assert sim.posts() == [] and sim.errors == []
    for one, kind, words in (
        (done, "too_old", f"are {old} h 1 min old, but restore_rpo_target is 26 h"),
        (gap, "too_far", f"are {old} h 1 min older than the requested point"),
    ):
        (row,) = report(one)["restores"]
        assert (one.rc, row["error_kind"]) == ((2, kind) if refused else (0, None)), one.output
        assert (words in json.dumps(report(one))) is refused
        assert f"the last {old} h" in one.stdout or refused
        assert abs(row["now_seconds"] - old * 3600) < 120


def test_what_is_restored_already_does_not_make_ready(sim: Simulator, tmp_path: Path) -> None:
    """The variables of a restore say what to restore. Its jobs and markers show nothing of a further one."""
    stack = {"restore_dcs": [CACHE], "restore_ddm": [DATABASE], "restore_point": "latest"}
    given = {"restore_operation_id": "CHG-1042", "restore_report_dir": str(tmp_path), **stack}
    done = run(sim, "restore", restore_safety_backup=False, **given)
    assert done.rc == 0, done.output
    (job,) = [row["job_id"] for row in report(done)["restores"] if row["job_id"]]
    sim.state.ddm_instances.pop(ids.DDM_SOURCE)
    sim.state.dcs_instances[ids.DCS_INSTANCE].status = "FROZEN"
    by_name = {"restore_dcs": [], "restore_instances": ["orders-cache"]}
    for entry, cache in ((DATABASE, by_name), ({**DATABASE, "job_id": job}, {}), ({"job_id": job}, {})):
        tried = run(sim, "readiness", **{**given, "restore_ddm": [entry], **cache})
        kinds = [row["error_kind"] for row in report(tried)["restores"]]
        assert (tried.rc, None in kinds) == (2, False), tried.output
