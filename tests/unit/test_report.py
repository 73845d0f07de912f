# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report says: the verdict, the state of the data, what to do, and the figures."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _report, _report_advice
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_command import repeating_command
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import PHASES
from tests.report import samples

FILES = Path(__file__).parents[2] / "roles" / "restore" / "files"
SCHEMA = json.loads((FILES / "report.schema.json").read_text(encoding="utf-8"))
PLAN_SCHEMA = json.loads((FILES / "plan.schema.json").read_text(encoding="utf-8"))
BOTH = [(one["$id"], referencing.Resource.from_contents(one)) for one in (SCHEMA, PLAN_SCHEMA)]
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PLAN_VALIDATOR = jsonschema.Draft202012Validator(
    PLAN_SCHEMA, registry=referencing.Registry().with_resources(BOTH)
)


def cache(name: str = "orders-cache") -> samples.Row:
    return samples.planned("dcs", name)


def database(name: str = "orders-db") -> samples.Row:
    return samples.planned("ddm", name)


def valid(report: dict[str, Any]) -> dict[str, Any]:
    """A report that keeps to the schema, also after a way through JSON."""
    errors = VALIDATOR.iter_errors(json.loads(json.dumps(report)))
    assert not [f"{error.json_path}: {error.message}" for error in errors]
    return report


def made(*rows: samples.Row, **context: Any) -> dict[str, Any]:
    return valid(samples.made(rows, **context))


# The schema


@pytest.mark.parametrize("schema", [SCHEMA, PLAN_SCHEMA], ids=["report", "plan"])
def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


def test_a_plan_is_a_report_that_started_nothing() -> None:
    plan = samples.VARIANTS["plan"]()
    PLAN_VALIDATOR.validate(plan)
    row = plan["restores"][0]
    for wrong in (
        samples.VARIANTS["verified"](),
        {**plan, "check_mode": False},
        {**plan, "verdict": "verified"},
        {**plan, "more": 1},
        {**plan, "restores": [{**row, "outcome": "succeeded"}]},
        {**plan, "restores": [{**row, "more": 1}]},
    ):
        assert not PLAN_VALIDATOR.is_valid(wrong)


@pytest.mark.parametrize("variant", samples.VARIANTS)
def test_every_sample_keeps_to_the_schema(variant: str) -> None:
    valid(samples.VARIANTS[variant]())


def test_the_schema_describes_every_key() -> None:
    row = SCHEMA["$defs"]["row"]
    assert set(row["properties"]) == {
        *_report.ROW_KEYS,
        "data_state",
        "rto_seconds",
        "point_seconds",
        "now_seconds",
        "next",
    }
    for part in (SCHEMA, row):
        assert part["additionalProperties"] is False
        assert part["required"] == sorted(part["properties"])
        assert all(
            len(one["description"]) > 3 for key, one in part["properties"].items() if key != "restores"
        )


def test_the_keys_are_the_same_however_the_run_ended() -> None:
    reports = [samples.VARIANTS[variant]() for variant in samples.VARIANTS]
    assert len({tuple(report) for report in reports}) == 1
    assert len({tuple(row) for report in reports for row in report["restores"]}) == 1


def test_options_of_checks_and_unknown_keys_stay_outside() -> None:
    report = made(samples.verified({**cache(), "password": "never-in-a-report"}, 20, 60))
    assert "never-in-a-report" not in json.dumps(report)


# Verdicts


@pytest.mark.parametrize(
    ("rows", "context", "verdict"),
    [
        ([samples.verified(cache(), 20, 60)], {}, "verified"),
        ([samples.verified(cache(), 20, 60)], {"rto_target": 10}, "verified_target_missed"),
        ([samples.verified(cache(), 20, 60)], {"rpo_target": 10}, "verified_target_missed"),
        ([samples.restored(cache(), 20, 60)], {"rto_target": 10}, "restored"),
        ([samples.verified(cache(), 20, 60), samples.restored(database(), 20, 60)], {}, "restored"),
        ([samples.verified(cache(), 20, 60), samples.failed_job(database())], {}, "incomplete"),
        ([samples.failed_job(database()), samples.empty_cache(cache())], {}, "failed"),
        ([samples.failed(cache(), "plan", 1, "not_found", "gone")], {}, "refused"),
        ([samples.failed(cache(), "plan", 1, "not_found", "gone"), database()], {}, "refused"),
        ([samples.failed(cache(), "restore", 9, "denied", "no", changed=False)], {}, "failed"),
        ([], {}, "refused"),
        ([], {"refused": "Not approved."}, "refused"),
        ([samples.started(cache(), 20)], {"refused": "A task failed."}, "incomplete"),
        ([samples.started(cache(), 20)], {}, "running"),
        ([samples.verified(cache(), 20, 60), {**database(), "outcome": None}], {}, "incomplete"),
        ([{**samples.restored(cache(), 20, 60), "outcome": "unchanged"}], {}, "unchanged"),
        ([{**samples.verified(cache(), 20, 60), "outcome": "unchanged"}], {}, "verified"),
        ([cache(), database()], {"check_mode": True}, "planned"),
        ([cache(), database()], {"kind": "plan"}, "planned"),
        ([cache(), samples.failed(database(), "plan", 1, "not_found", "gone")], {"kind": "plan"}, "refused"),
        ([cache()], {"kind": "readiness", "restore_point": "latest"}, "planned"),
        ([cache()], {"kind": "readiness", "rpo_target": 10}, "failed"),
        ([samples.failed(cache(), "plan", 1, "not_found", "gone")], {"kind": "readiness"}, "failed"),
        (
            [samples.failed(samples.verified(cache(), 20, 60), "release", 99, "task_failed", "x")],
            {},
            "failed",
        ),
    ],
)
def test_verdict(rows: list[samples.Row], context: dict[str, Any], verdict: str) -> None:
    changed = [{**row, "changed": False} if row["failed_step"] == "plan" else row for row in rows]
    if any(row["failed_step"] == "plan" for row in rows) or context.get("check_mode"):
        changed = [{**row, "changed": False} for row in changed]
    report = made(*changed, **context)
    assert report["verdict"] == verdict
    assert report["failed"] == (verdict in ("failed", "incomplete", "refused"))
    assert report["msg"].endswith(".") and "  " not in report["msg"]


def test_a_missed_target_is_not_shown_as_reached() -> None:
    report = made(samples.verified(cache(), 20, 60), rto_target=1)
    target = report["rto"]["seconds"] - 0.4
    msg = made(samples.verified(cache(), 20, 60), rto_target=target)["msg"]
    assert f"The run took {target + 0.4:g} s; the target is {target:g} s." in msg


def test_a_run_that_left_out_the_restore_says_how_to_restore() -> None:
    assert "Next: to restore, run the same command without --tags" in made()["msg"]


def test_a_run_that_goes_on_is_running_whatever_it_has_reached() -> None:
    rows = [samples.verified(cache(), 20, 60), samples.failed_job(database())]
    report = valid(samples.made(rows, finished=False))
    assert (report["verdict"], report["finished"], report["failed"]) == ("running", None, False)


@pytest.mark.parametrize("variant", samples.VARIANTS)
def test_every_verdict_has_words(variant: str) -> None:
    verdict = samples.VARIANTS[variant]()["verdict"]
    assert verdict in _report_advice.WORDS and verdict in _report_advice.MARKS


def test_the_verdicts_of_the_schema_have_words() -> None:
    assert (
        set(SCHEMA["properties"]["verdict"]["enum"]) == set(_report_advice.WORDS) == set(_report_advice.MARKS)
    )


# The state of the data


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({**cache(), "changed": False}, "untouched"),
        (cache(), "untouched"),
        (samples.started(cache(), 20), "unknown"),
        (samples.restored(cache(), 20, 60), "overwritten_not_verified"),
        (samples.verified(cache(), 20, 60), "overwritten_verified"),
        (samples.empty_cache(cache()), "overwritten_not_verified"),
        (samples.failed_job(database()), "unknown"),
        (
            samples.failed(samples.verified(cache(), 20, 60), "release", 99, "task_failed", "x"),
            "overwritten_verified",
        ),
        (
            samples.failed(samples.verified(cache(), 20, 60), "verify", 99, "verification_failed", "x"),
            "overwritten_not_verified",
        ),
        (samples.failed(cache(), "plan", 1, "not_found", "x", changed=False), "untouched"),
        (samples.failed(cache(), "fence", 1, "task_failed", "x", changed=False), "untouched"),
        (samples.failed(cache(), "safeguard", 1, "operation_failed", "x", changed=False), "untouched"),
        (samples.failed(cache(), "restore", 1, "busy", "x", changed=False), "untouched"),
        (samples.failed(cache(), "restore", 1, "outcome_unknown", "x", changed=True), "unknown"),
        (samples.failed(cache(), "restore", 1, "outcome_unknown", "x", changed=False), "unknown"),
        (samples.failed(cache(), "wait", 1, "wait_timeout", "x", changed=False), "unknown"),
        # A refusal names the job that holds the instance, which is not ours.
        (
            samples.failed(database(), "plan", 1, "not_restorable", "x", job_id="a", changed=False),
            "untouched",
        ),
        (samples.failed(database(), "restore", 1, "busy", "x", job_id="a", changed=False), "untouched"),
        (
            samples.failed({**database(), "action": "adopt"}, "restore", 1, "busy", "x", changed=False),
            "unknown",
        ),
    ],
)
def test_data_state(row: samples.Row, state: str) -> None:
    (found,) = made(row)["restores"]
    assert found["data_state"] == state
    if found["next"]:
        assert found["next"]["state"].startswith(_report_advice.STATES[state])


@pytest.mark.parametrize(
    ("first", "state"),
    [
        (samples.started(cache(), 20), "unknown"),
        (samples.empty_cache(cache()), "overwritten_not_verified"),
        (samples.failed(cache(), "safeguard", 9, "busy", "x", changed=False), "untouched"),
    ],
)
def test_a_run_that_is_refused_leaves_what_the_run_before_it_left(first: samples.Row, state: str) -> None:
    run = {**samples.run(), "previous": samples.made([first])["restores"]}
    again = samples.failed({**cache(), "backup": None}, "plan", 1, "auth_failed", "Wrong key.", changed=False)
    (row,) = valid(_report.report([again], run, samples.STARTED + 1_000_000, True))["restores"]
    assert row["data_state"] == state and row["failed_step"] == "plan"


@pytest.mark.parametrize("named", ["ID in capitals", "name"])
def test_a_run_that_cannot_read_the_cloud_keeps_the_way_back_of_the_run_before_it(named: str) -> None:
    """Then an instance is known only as its entry names it. The report takes the place of the earlier one."""
    first = samples.empty_cache(cache())
    known = first["target"]
    names = {"instance_id": known["instance_id"].upper(), "instance_name": None}
    if named == "name":
        names = {"instance_id": None, "instance_name": known["instance_name"]}
    run = {**samples.run(), "previous": samples.made([first])["restores"]}
    unplanned = dict.fromkeys(("backup", "target", "restore_id", "restore"))
    own = first["backup"]["backup_id"]
    for backup, kept in ((own.upper(), True), (None, True), ("another", False)):
        entry = {**cache(), **names, **unplanned, "backup_id": backup}
        again = samples.failed(entry, "plan", 1, "transport_error", "No connection.", changed=False)
        (row,) = valid(_report.report([again], run, samples.STARTED + 1_000_000, True))["restores"]
        assert row["data_state"] == "overwritten_not_verified"
        assert row["safety_backup"] == first["safety_backup"]
        assert row["restore_id"] == (first["restore_id"] if kept else None)


def test_a_planned_change_is_not_a_change_of_the_data() -> None:
    """`changed` of a plan predicts the real run. No data were touched, even if another row fails."""
    report = made(cache(), samples.failed(database(), "plan", 1, "not_found", "gone", changed=False))
    assert report["verdict"] == "refused"
    assert [row["data_state"] for row in report["restores"]] == ["untouched", "untouched"]


def test_the_source_of_a_database_is_said_to_be_as_it_was() -> None:
    (row,) = made(samples.failed_job(database()))["restores"]
    assert "The source orders-db was not changed." in row["next"]["state"]


def test_the_safety_backup_is_named() -> None:
    (row,) = made(samples.empty_cache(cache()))["restores"]
    assert row["safety_backup"]["backup_id"] in row["next"]["state"]


# What to do


def next_of(row: samples.Row, **context: Any) -> dict[str, Any]:
    (found,) = made(row, **context)["restores"]
    return dict(found["next"])


@pytest.mark.parametrize("step", list(PHASES))
@pytest.mark.parametrize("kind", ["internal_error", "busy", "wait_timeout", "verification_failed"])
@pytest.mark.parametrize("service", ["dcs", "ddm"])
def test_every_failure_says_what_to_do(service: str, step: str, kind: str) -> None:
    row = samples.failed(samples.planned(service, "orders"), step, 9, kind, "The reason.")
    found = next_of(row)
    assert "The reason." in found["happened"] and step in found["happened"] and kind in found["happened"]
    assert (
        found["do"]
        and found["state"]
        and "{" not in found["do"]
        and found["command"].startswith("ansible-playbook ")
    )


def test_a_stuck_record_is_not_waited_for() -> None:
    msg = "restore r1 has been waiting for 27 days. It is stuck; ignore_stuck=true ignores it."
    found = next_of(samples.failed(cache(), "restore", 9, "busy", msg, details={"stuck": True}))
    assert "Add ignore_stuck: true to the entry of " in found["do"] and "Wait" not in found["do"]


@pytest.mark.parametrize("adopted", [True, False])
def test_a_failed_job_is_not_attached_to_again(adopted: bool) -> None:
    row = {**samples.started(database(), 9), "adopted": adopted}
    found = next_of(samples.failed(row, "wait", 9, "operation_failed", "It failed."))
    assert ("Take job_id or adopt out of the entry" in found["do"]) is adopted


def test_a_job_that_no_report_keeps_is_resumed_by_its_id() -> None:
    row = samples.failed(samples.started(database(), 9), "wait", 9, "wait_timeout", "It still runs.")
    found = next_of(row)
    given = f"Give job_id {row['job_id']} for "
    assert given in found["do"] and "attaches to it" in found["do"] and found["command"] is None
    kept = next_of(row, directory="reports")
    assert "The same command attaches to it" in kept["do"] and kept["command"]
    given_by_the_entry = next_of({**row, "adopted": True})
    assert "job_id" not in given_by_the_entry["do"] and given_by_the_entry["command"]
    anew = next_of({**row, "error_kind": "operation_failed"})
    assert "job_id" not in anew["do"] and anew["command"]


def test_the_same_command_may_restore_a_newer_backup() -> None:
    """A backup of a schedule may have been made while the first run went on, of the data from before."""
    begun = {**samples.started(cache(), 9), "restore_point": "latest"}
    words = "If orders-cache has a newer backup by then, latest means that one."
    stay = f"To stay with this one, give backup_id {begun['backup']['backup_id']} in place of restore_point"
    for step, kind in (("verify", "not_running"), ("wait", "wait_timeout"), ("restore", "outcome_unknown")):
        row = samples.failed(begun, step, 9, kind, "The reason.")
        assert next_of(row)["do"].endswith(f" {words} {stay}.")
        alone = f" {words} {stay}, and restore this host alone."  # -e restore_point is one for all hosts
        assert next_of(row, kind="fleet")["do"].endswith(alone)
        for fixed in ({**row, "restore_point": samples.POINT}, {**row, "restore_point": None}):
            assert words not in next_of(fixed)["do"]
        assert words not in next_of(row, plan_given=True)["do"], "the plan names the backup"
        known = {"operation_id": "CHG-1042", "directory": "reports"}
        assert words not in next_of(row, **known)["do"], "the report names it"
        assert words in next_of({**row, "error_kind": "operation_failed"}, **known)["do"]
    unsent = {**cache(), "restore_point": "latest"}
    assert words not in next_of(samples.failed(unsent, "restore", 9, "busy", "x", changed=False))["do"]


def test_busy_with_a_job_that_may_be_ones_own() -> None:
    found = next_of(samples.failed(database(), "restore", 1, "busy", "x", job_id="j9", changed=False))
    assert found["do"].startswith("If an earlier run of this recovery started job j9") and found["command"]


def test_a_job_controller_is_told_to_start_the_job_again() -> None:
    found = next_of(samples.failed(cache(), "restore", 9, "busy", "It is busy."), command=None)
    assert found["command"] is None and "the same job" in found["do"] and "command" not in found["do"]
    for step, kind in (("safeguard", "operation_failed"), ("approve", "not_approved")):
        assert next_of(samples.failed(cache(), step, 9, kind, "No."), command=None)["command"] is None


def test_an_empty_backup_leads_to_the_one_before() -> None:
    row = samples.empty_cache({**cache("cart-cache"), "region": "eu-west-101", "profile": "dr"})
    words = shlex.split(next_of(row)["command"])
    assert words[:4] == [
        "ansible-playbook",
        "huaweicloud.recovery.restore",
        "-e",
        "restore_operation_id=CHG-1042-older",
    ]
    entry = {
        "instance_id": samples.identifier("cart-cache"),
        "restore_point": "2026-11-24T14:00:36.999Z",
        "region": "eu-west-101",
        "profile": "dr",
    }
    more = {"restore_confirm": True, "restore_report_dir": "reports"}
    assert json.loads(words[5]) == {"restore_dcs": [entry], **more}
    words = shlex.split(next_of(row, operation_id="CHG 1 of 'us'")["command"])
    assert json.loads(words[3]) == {"restore_operation_id": "CHG 1 of 'us'-older"}


def unread(kind: str, *more: dict[str, Any]) -> samples.Row:
    """A cache with a refused check, so that nothing was read."""
    row = samples.restored(cache(), 20, 60)
    refused = {**samples.check("ping", "ping", "", "", "failed", "No."), "expected": None, "found": None}
    row["verification"] = {"end": "failed", "ladder": "runs", "checks": [refused, *more]}
    return samples.failed(row, "verify", 99, kind, "1 of 1 checks did not pass. ping: No.")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("login_refused", "Correct user and password"),
        ("tls_error", "(ca_path)"),
        ("verification_failed", "A check could not run"),
        ("internal_error", "A check could not run"),
    ],
)
def test_a_check_that_read_nothing_leads_to_no_other_backup(kind: str, words: str) -> None:
    """The data were never read. To overwrite them with older ones could destroy good ones."""
    found = next_of(unread(kind))
    assert words in found["do"] and "only the checks are repeated" in found["do"]
    assert found["command"] == "ansible-playbook huaweicloud.recovery.restore -e @shop.yml"
    assert "could not be checked" in found["state"]


def test_only_where_all_bad_checks_read_data_another_backup_is_offered() -> None:
    wrong = samples.check("dbsize", "dbsize", "at least 5", "0", "failed")
    for row in (unread("login_refused", wrong), unread("verification_failed", wrong)):
        found = next_of(row)
        assert "-older" not in found["command"] and "did not pass" in found["state"]
    empty = samples.empty_cache(cache())
    assert "-older" not in next_of(empty, kind="readiness")["command"]
    released = {**empty, "failed_step": "release", "error_kind": "release_failed"}
    assert "-older" not in next_of(released)["command"], "its checks are not what has failed"
    other = next_of(samples.empty_cache(database()), directory="reports")
    assert "-older" not in other["command"] and "When the data are wrong, choose another" in other["do"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("transport_error", "Fix the network"),
        ("tls_error", "Give your CA bundle"),
        ("server_error", "in a few minutes"),
    ],
)
def test_a_network_fault_is_not_blamed_on_the_input(kind: str, words: str) -> None:
    found = next_of(samples.failed(cache(), "plan", 9, kind, "No.", changed=False))
    assert words in found["do"] and "Correct what the message names" not in found["do"]


def test_a_cache_that_cannot_be_reached_is_checked_again() -> None:
    row = samples.restored(cache(), 20, 60)
    row["verification"] = {"end": "unreachable", "ladder": "runs", "checks": []}
    found = next_of(samples.failed(row, "verify", 99, "unreachable", "No route."))
    assert found["command"] == "ansible-playbook huaweicloud.recovery.restore -e @shop.yml"
    assert "only the checks are repeated" in found["do"] and "could not be checked" in found["state"]


@pytest.mark.parametrize(
    ("end", "kind", "words"),
    [
        ("unreachable", "login_refused", "Correct user and password"),
        ("not_configured", "invalid_argument", "Correct the variables that hold the checks"),
        ("unreachable", "tls_error", "(ca_path)"),
        ("not_configured", "not_configured", "what the message names"),
        ("not_configured", "missing_library", "Install the package"),
        ("timed_out", "verify_timeout", "restore_verify_timeout"),
        ("timed_out", "not_running", "When it runs"),
        ("unreachable", "unreachable", "security group"),
    ],
)
def test_the_kind_of_the_error_of_a_check_says_what_to_do(end: str, kind: str, words: str) -> None:
    row = samples.restored(cache(), 20, 60)
    row["verification"] = {"end": end, "ladder": "runs", "checks": []}
    failed = samples.failed(row, "verify", 99, kind, "No.")
    assert words in next_of(failed)["do"]
    ready = next_of(failed, kind="readiness")["do"]
    assert "restore is done" not in ready and "are repeated" not in ready
    # These kinds come from the API.
    assert "restore is done" not in next_of(samples.failed(cache(), "plan", 9, kind, "No."))["do"]


def test_no_safety_backup_says_how_to_go_on_without() -> None:
    found = next_of(samples.failed(cache(), "safeguard", 9, "operation_failed", "No backup."))
    assert found["command"].endswith(" -e restore_safety_backup=false")
    assert found["do"].startswith("Find out why orders-cache cannot be backed up.")
    pinned = next_of(samples.failed(cache(), "safeguard", 9, "operation_failed", "No."), plan_given=True)
    assert pinned["command"].endswith(" -e restore_safety_backup=false --check")
    assert pinned["do"].endswith("That needs another plan: make it with --check, then approve it.")


@pytest.mark.parametrize(
    ("given", "more"), [("sha256:", " --check"), ("sha256:0", " -e restore_plan_digest=")]
)
def test_a_plan_that_is_out_of_date_is_made_again(given: str, more: str) -> None:
    """Its digest fits, so to give that digest again would be refused again."""
    row = samples.failed(cache(), "approve", 9, "not_approved", "Out of date.")
    found = next_of(row, digest_given=given, plan_given=True)
    assert found["command"].startswith(f"{BASE} -e @shop.yml{more}")
    assert ("make it with --check" in found["do"]) is (more == " --check")


def test_a_restore_whose_outcome_is_unknown_keeps_applications_away() -> None:
    row = samples.failed(samples.started(cache(), 9), "restore", 9, "outcome_unknown", "No response.")
    assert next_of(row)["do"].startswith("Keep applications away from orders-cache. Run the same command")


def test_up_to_three_names_are_listed_and_the_others_counted() -> None:
    rows = [cache(name) for name in "abcde"]
    listed = [_report_advice.names_of(rows[:count]) for count in (1, 3, 4, 5)]
    assert listed == ["a", "a, b, c", "a, b, c and 1 more", "a, b, c and 2 more"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("transport_error", "Fix the network"),
        ("auth_failed", "Check the credentials"),
        ("throttled", "in a few minutes"),
        ("outcome_unknown", "starts nothing twice"),
        ("wait_timeout", "attaches to it"),
    ],
)
def test_nobody_is_told_to_do_without_a_safety_backup_that_was_not_refused(kind: str, words: str) -> None:
    found = next_of(samples.failed(cache(), "safeguard", 9, kind, "No backup."))
    assert words in found["do"] and "restore_safety_backup" not in str(found)


def test_variables_that_are_not_shown_are_asked_for() -> None:
    found = next_of(samples.failed(cache(), "restore", 9, "busy", "Busy."), command_complete=False)
    assert "Add your extra variables" in found["do"]


# The command that repeats a run


def command(*extra_vars: str, **arguments: Any) -> tuple[str | None, bool]:
    line = {
        "args": ["huaweicloud.recovery.restore"],
        "start_at_task": None,
        "inventory": ["/etc/hosts"],
        "extra_vars": extra_vars,
    }
    return repeating_command({**line, **arguments}, ["/etc/hosts"], {})


BASE = "ansible-playbook huaweicloud.recovery.restore"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ((), ""),
        (("@vars.yml",), " -e @vars.yml"),
        (("@my vars.yml",), " -e '@my vars.yml'"),
        (
            ("restore_point=2026-11-24T14:05:00Z restore_operation_id=CHG-1",),
            " -e 'restore_point=2026-11-24T14:05:00Z restore_operation_id=CHG-1'",
        ),
        (('{"restore_point": "latest"}',), """ -e '{"restore_point": "latest"}'"""),
        (('{"restore_dcs": [{"instance_id": "a"}]}',), """ -e '{"restore_dcs": [{"instance_id": "a"}]}'"""),
    ],
)
def test_extra_variables_without_secrets_are_shown(given: tuple[str, ...], shown: str) -> None:
    assert command(*given) == (BASE + shown, True)


@pytest.mark.parametrize(
    "given",
    [
        "password=hunter2",
        "restore_point=latest secret_key=hunter2",
        '{"secret_key": "hunter2"}',
        '{"restore_dcs": [{"instance_id": "a", "checks": [{"password": "hunter2"}]}]}',
        '{"restore_dcs": [{"instance_id": "a", "secret_key": "hunter2"}]}',
        '{"restore_dcs": "hunter2"}',
        "{restore_point: hunter2}",
        '{"a": ',
        "it's hunter2",
        "hunter2",
    ],
)
def test_other_extra_variables_are_not_shown(given: str) -> None:
    assert command(given) == (BASE, False)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"check": True}, " --check"),
        ({"tags": ["plan", "verify"]}, " --tags plan,verify"),
        ({"tags": ["all"], "check": False}, ""),
        (
            {"become": True, "become_ask_pass": True, "remote_user": "ops", "private_key_file": "~/my key"},
            " -b -K -u ops --private-key '~/my key'",  # for tasks of the user on other hosts
        ),
    ],
)
def test_a_command_does_what_the_run_did(arguments: dict[str, Any], shown: str) -> None:
    """A plan that failed is made again: without --check, its command would overwrite data."""
    assert command("@vars.yml", **arguments) == (f"{BASE} -e @vars.yml{shown}", True)


def test_inventory_limit_and_vault_are_shown() -> None:
    line, complete = command(
        inventory=["hosts.yml"],
        subset="eu",
        vault_ids=["prod@prompt"],
        vault_password_files=["pw"],
        ask_vault_pass=True,
    )
    assert (
        line == BASE + " -i hosts.yml -l eu --vault-id prod@prompt --vault-password-file pw --ask-vault-pass"
        and complete
    )


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        ({}, {}),
        ({"args": "localhost"}, {}),
        ({"args": ["x.yml"], "start_at_task": None}, {"AWX_PRIVATE_DATA_DIR": "/x"}),
    ],
)
def test_a_run_that_no_terminal_started_has_no_command(
    arguments: dict[str, Any], env: dict[str, str]
) -> None:
    assert repeating_command(arguments, None, env) == (None, True)


# Figures


def test_rto_is_the_time_until_the_last_check_passed() -> None:
    report = made(samples.verified(cache("a"), 20, 60), samples.verified(cache("b"), 20, 90))
    assert report["rto"] == {"target": 1800, "seconds": 121.0, "met": True}
    assert [row["rto_seconds"] for row in report["restores"]] == [91.0, 121.0]


def test_rto_is_not_that_of_the_checks_alone() -> None:
    """An earlier run restored it, and this report does not show how long that took."""
    rows = [{**samples.verified(cache(), 20, 60), "action": "nothing"}]
    report = made(*rows)
    assert (report["verdict"], report["rto"]["seconds"], report["rto"]["met"]) == ("verified", None, None)
    before = {"started": samples.at(0), "finished": samples.at(9), "verdict": "incomplete"}
    again = _report.report(rows, {**samples.run(), "runs": [before]}, samples.STARTED + 99_000, True)
    assert again["rto"]["seconds"] == 91.0


def test_rto_of_a_stack_is_open_until_all_are_verified() -> None:
    report = made(samples.verified(cache("a"), 20, 60), samples.restored(cache("b"), 20, 90))
    assert report["rto"] == {"target": 1800, "seconds": None, "met": None}


def test_rto_is_open_where_nothing_was_checked_or_tasks_of_the_user_found_wrong_data() -> None:
    passed = samples.verified(cache(), 20, 60)
    unchecked = {**passed, "verification": {"end": "not_configured", "ladder": "runs", "checks": []}}
    wrong = samples.failed(passed, "verify", 99, "verification_failed", "restore_verify_tasks failed: x")
    for row in (unchecked, wrong):
        report = made(row)
        assert report["rto"] == {"target": 1800, "seconds": None, "met": None}
        assert "1 of 1 instance restored and verified" not in report["msg"]


def test_a_target_that_is_reached_exactly_is_met() -> None:
    (seconds,) = (row["rto_seconds"] for row in made(samples.verified(cache(), 20, 60))["restores"])
    for target, met in ((seconds, True), (seconds - 1, False)):
        assert made(samples.verified(cache(), 20, 60), rto_target=target)["rto"]["met"] is met


def test_rpo_is_given_before_the_point_and_before_the_run() -> None:
    report = made(samples.verified(cache(), 20, 60), samples.verified(database(), 20, 60))
    assert report["rpo"] == {
        "target": 900,
        "point_seconds": 263.0,
        "now_seconds": 68494.0,
        "against": "point",
        "met": True,
    }
    assert [row["point_seconds"] for row in report["restores"]] == [263.0, 0.0]


def test_rpo_of_the_latest_backup_is_held_against_now() -> None:
    report = made({**cache(), "restore_point": "latest"}, restore_point="latest")
    assert (report["rpo"]["point_seconds"], report["rpo"]["against"], report["rpo"]["met"]) == (
        None,
        "now",
        False,
    )


def test_rpo_of_the_latest_state_of_a_database_is_held_against_now() -> None:
    """A plan turns `latest` into a time, from which the data never differ: `point` would show nothing."""
    for point in ("latest", None):
        assert made(database(), restore_point=point)["rpo"]["against"] == "now"


def test_rpo_of_a_cache_without_a_point_is_held_against_now() -> None:
    """Its backup may be as old as it likes. It must not hide behind the point of another cache."""
    old = {**samples.verified(cache("b"), 20, 60), "data_time": "2026-10-01T00:00:00Z", "restore_point": None}
    new = {**samples.verified(cache("a"), 20, 60), "restore_point": samples.POINT_MS}
    report = made(new, old, restore_point=None)
    assert (report["rpo"]["against"], report["rpo"]["met"], report["verdict"]) == (
        "now",
        False,
        "verified_target_missed",
    )


def test_data_that_miss_the_target_by_an_hour_are_not_said_to_meet_it() -> None:
    now = moment(made(cache())["started"])
    assert now is not None
    for over, text in (
        (1, "The oldest data are 26 h 1 min old; the target is 26 h."),
        (86400, "The oldest data are 2 days 2 h old; the target is 26 h."),
    ):
        old = {**samples.verified(cache(), 20, 60), "data_time": iso(now - 1000 * (26 * 3600 + over))}
        report = made({**old, "restore_point": None}, restore_point=None, rpo_target=26 * 3600)
        assert report["msg"].endswith(text)


def test_rpo_is_not_met_where_some_time_is_unknown() -> None:
    report = made(samples.verified(cache(), 20, 60), {**cache("b"), "data_time": None})
    assert (report["rpo"]["point_seconds"], report["rpo"]["met"]) == (263.0, None)


def test_an_entry_s_own_point_beats_that_of_the_run() -> None:
    report = made({**cache(), "restore_point": samples.POINT_MS + 60_000})
    assert report["rpo"]["point_seconds"] == 323.0


def test_unknown_times_make_no_figures() -> None:
    (row,) = made({**cache(), "data_time": None, "restore_point": "yesterday"}, restore_point=None)[
        "restores"
    ]
    assert (row["point_seconds"], row["now_seconds"], row["rto_seconds"]) == (None, None, None)


def test_undo_is_offered_where_something_was_overwritten() -> None:
    assert made(samples.verified(cache(), 20, 60))["undo"].startswith(
        "ansible-playbook huaweicloud.recovery.undo -e restore_report="
    )
    elsewhere = {**made(samples.verified(cache(), 20, 60)), "files": {"json": "/a b/CHG '1'.json"}}
    words = shlex.split(_report_advice.undo(elsewhere) or "")
    assert json.loads(words[-1]) == {"restore_report": "/a b/CHG '1'.json"}, "Ansible splits a=b at blanks"
    assert made(samples.verified(database(), 20, 60))["undo"] is None
    assert made(cache())["undo"] is None


def test_notes_of_a_run_are_kept_and_fit_to_be_shown() -> None:
    assert made(cache(), notes=["seed 7\u202e"])["notes"] == ["seed 7\\u202e"]
    assert made(cache())["notes"] == []


# Texts from outside


def test_characters_that_mislead_are_escaped_everywhere() -> None:
    text = json.dumps(samples.VARIANTS["hostile"](), ensure_ascii=False)
    assert text.isprintable() and "gpj.exe" in text and r"\\u202e" in text


def test_a_continued_report_shows_both_runs_and_keeps_the_safety_backup() -> None:
    first = samples.made([samples.started(cache(), 20)], finished=False)
    begun = {**samples.run(), "began": samples.at(900), "runs": first["runs"], "previous": first["restores"]}
    again = {**samples.verified(cache(), 950, 60), "safety_backup": None}
    report = valid(_report.report([again], begun, samples.STARTED + 1_100_000, True))
    assert [run["verdict"] for run in report["runs"]] == ["running", "verified"]
    assert report["restores"][0]["safety_backup"] == first["restores"][0]["safety_backup"]
    assert report["rto"]["seconds"] == 1021.0
    steps = [(step["step"], step["at"]) for step in report["restores"][0]["steps"]]
    assert steps[0] == ("restore", samples.at(20)) and ("restore", samples.at(950)) in steps
    assert len(steps) == len(set(steps))


def test_a_target_without_a_name_is_never_called_by_its_source() -> None:
    row = {**database(), "target": {"instance_id": "t1"}, "instance_name": "orders-db"}
    failed = {"error_kind": "busy", "failed_step": "restore", "msg": "It is busy.", "outcome": None}
    (found,) = made({**row, **failed, "changed": False})["restores"]
    assert "Another operation holds t1." in found["next"]["do"]
    assert found["next"]["state"].startswith("Untouched: nothing was sent that changes t1.")
