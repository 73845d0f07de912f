# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In whose account a run acts: the first line of its plan and its report show it.

They show it for every kind of run, in process and as modules.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests import guides, invoke
from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.cloud.state import Agency

CACHE: dict[str, Any] = {"restore_dcs": [{"instance_id": ids.DCS_INSTANCE}], "restore_point": "latest"}
LINE = (
    f"PLAN  account {ids.DOMAIN}  project {ids.REGION} ({ids.PROJECT_ID})  region {ids.REGION}  "
    "keys: HW_ACCESS_KEY  nothing has been sent"
)


def run(
    sim: Simulator, playbook: str, *args: str, env: dict[str, str] | None = None, **variables: Any
) -> tuple[invoke.Completed, dict[str, Any]]:
    given = json.dumps({"restore_poll_interval": 1, **variables})
    done = invoke.playbook(f"huaweicloud.recovery.{playbook}", {**sim.env, **(env or {})}, "-e", given, *args)
    return done, done.of("huaweicloud.recovery.restore : Report")[-1]["report"]


def profile(name: str, folder: Path) -> dict[str, str]:
    """Write a profile of the other project, and return the environment in which it is found."""
    content = {
        **{"name": name, "mode": "AKSK", "region": ids.REGION, "projectId": ids.OTHER_PROJECT_ID},
        **{"accessKeyId": ids.ACCESS_KEY, "secretAccessKey": ids.SECRET_KEY},
    }
    file = folder / "config.json"
    file.write_text(json.dumps({"current": name, "profiles": [content]}), encoding="utf-8")
    return {"HW_SHARED_CONFIG_FILE": str(file)}


def test_every_kind_of_run_says_whose_cloud_it_is(tmp_path: Path) -> None:
    with Simulator(restore_seconds=1) as sim:
        plan = tmp_path / "plan.json"
        runs = {
            "one module after the other": run(
                sim,
                "restore",
                "--check",
                restore_plan_file=str(plan),
                huaweicloud_recovery_in_process=False,
                **CACHE,
            ),
            "a plan": run(
                sim, "restore", restore_plan_file=str(plan), restore_report_dir=str(tmp_path / "r")
            ),
            "a drill": run(sim, "drill", "--check", drill_scratch="*", **CACHE),
            "readiness": run(sim, "readiness", **CACHE),
        }
        path = runs["a plan"][1]["files"]["json"]
        runs["an undo"] = run(sim, "undo", "--check", restore_report=path)
        assert sim.errors == []
    for kind, (done, report) in runs.items():
        assert done.rc == 0, (kind, done.output)
        assert LINE in done.stdout.splitlines(), kind
        account = report["account"]
        assert (account["domain_name"], account["project_id"], account["region"], account["source"]) == (
            ids.DOMAIN,
            ids.PROJECT_ID,
            ids.REGION,
            "HW_ACCESS_KEY",
        ), kind
    assert json.loads(Path(path).read_text(encoding="utf-8"))["account"] == account


def test_the_plan_of_another_account_is_refused(tmp_path: Path) -> None:
    with Simulator(restore_seconds=1) as sim:
        plan = tmp_path / "plan.json"
        assert run(sim, "restore", "--check", restore_plan_file=str(plan), **CACHE)[0].rc == 0
        made = json.loads(plan.read_text(encoding="utf-8"))
        made["account"]["domain_id"] = "0" * 32
        plan.write_text(json.dumps(made), encoding="utf-8")
        done, report = run(sim, "restore", restore_plan_file=str(plan))
        assert (done.rc, sim.posts(), report["verdict"]) == (2, [], "refused")
        assert f"domain_id: {'0' * 32} in the earlier run, but {ids.DOMAIN_ID} in this one" in report["msg"]
        assert report["msg"].count("Nothing was started.") == 1


def test_a_profile_of_an_entry_is_shown_and_approved(tmp_path: Path) -> None:
    """The digest of a plan for one project approves nothing in another project.

    It is the same in process and as modules, and so are the warnings of a plan.
    """
    env, one, two = profile("other", tmp_path), {"instance_id": ids.DCS_OTHER}, CACHE["restore_dcs"][0]
    with Simulator(restore_seconds=1) as sim:
        for backup in sim.state.dcs_backups.values():
            backup.size = 0
        dummy, own = run(sim, "restore", "--check", env=env, **{**CACHE, "restore_dcs": [one, two]})
        elsewhere = {**CACHE, "restore_dcs": [one, {**two, "profile": "other"}]}
        digests = set()
        for how in ({}, {"huaweicloud_recovery_in_process": False}):
            shown, plan = run(sim, "restore", "--check", env=env, **elsewhere, **how)
            line = next(line for line in shown.stdout.splitlines() if line.startswith("        IN  "))
            assert f"({ids.OTHER_PROJECT_ID})" in line and "profile other" in line
            said = " ".join(shown.stderr.split())
            assert re.search(r"\[WARNING\]: Backup \S+ has 0 bytes in the list of the cloud\.", said), said
            assert plan["account"] == own["account"]
            first, second = [(row["details"] or {}).get("account", {}) for row in plan["restores"]]
            assert first == {} and second["project_id"] == ids.OTHER_PROJECT_ID
            digests.add(plan["plan_digest"])
        assert len(digests) == 1
        refused, report = run(sim, "restore", env=env, restore_plan_digest=own["plan_digest"], **elsewhere)
        assert refused.rc != 0 and report["verdict"] == "refused" and sim.posts() == []


def test_the_keys_of_an_agency_may_end_between_two_steps() -> None:
    """Each step fetches keys of its own. Here, new keys put an end to all earlier ones."""
    agency = {"HW_ASSUME_ROLE_AGENCY_NAME": ids.AGENCY, "HW_ASSUME_ROLE_DOMAIN_ID": ids.DOMAIN_ID}
    with Simulator(restore_seconds=1, backup_seconds=1) as sim:
        sim.state.agencies.append(Agency(ids.AGENCY, ids.DOMAIN_ID, ids.DOMAIN_ID))

        def end_earlier_ones(dummy: Any) -> None:
            *earlier, _newest = (key for key in sim.state.keys.values() if key.expires_at is not None)
            for key in earlier:
                key.expires_at = 0.0

        sim.fault("mutate", "iam.securitytokens", times=None, function=end_earlier_ones)
        done, report = run(sim, "restore", env=agency, restore_confirm=False, **CACHE)
        assert (done.rc, report["verdict"]) == (0, "restored"), done.output
        assert len(sim.requests("iam.securitytokens")) >= 5
        assert {entry.status for entry in sim.ledger} == {200, 201}


def test_the_play_of_the_guide_stays_in_the_project_that_it_allows(tmp_path: Path) -> None:
    """Here its profile leads to another one, and the cloud is asked for nothing."""
    page = (guides.FOLDER / "credentials.rst").read_text(encoding="utf-8")
    (play,) = [block.text for block in guides.blocks(page) if block.kind == "yaml"]
    with Simulator(restore_seconds=1) as sim:
        env = {**sim.env, **profile("rehearsal", tmp_path)}
        done = invoke.playbook(play, env, "-e", json.dumps(CACHE))
        assert (done.rc, sim.ledger) == (2, []), done.output
    (row,) = done.of("huaweicloud.recovery.restore : Report")[-1]["report"]["restores"]
    assert row["error_kind"] == "denied" and "which is not in allowed_project_ids" in row["msg"]
    assert "use keys for the right project" in row["next"]["do"], "no permission is missing"
