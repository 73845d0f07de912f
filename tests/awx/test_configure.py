# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook configure_awx with the modules of awx.awx.

A first run makes everything, a second run changes nothing, and a broken rule is refused.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests import guides, invoke
from tests.awx import project, rules
from tests.awx.conftest import FULL, Configured
from tests.awx.controller import TOKEN, VIEWER_TOKEN, Controller

VARIABLES = invoke.ROOT / "playbooks" / "vars" / "configure_awx.yml"
GUIDE = guides.FOLDER / "awx.rst"
PATTERN = project.PATTERN / "meta" / "pattern.json"


def recap(done: invoke.Completed) -> dict[str, int]:
    return {
        key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", done.stdout.rpartition("PLAY RECAP")[2])
    }


def test_the_first_run_makes_everything(awx: Configured) -> None:
    controller = awx.controller
    for secret in (
        TOKEN,
        FULL["awx_credential_inputs"]["secret_key"],
        FULL["awx_credential_inputs"]["access_key"],
    ):
        assert secret not in awx.first.output
    made = {
        kind: len(rows) for kind, rows in controller.objects.items() if rows and kind != "project_updates"
    }
    assert made == {
        "organizations": 1,
        "credential_types": 1,
        "credentials": 1,
        "execution_environments": 1,
        "notification_templates": 1,
        "projects": 1,
        "inventories": 2,
        "inventory_sources": 1,
        "job_templates": 8,
        "workflow_job_templates": 1,
        "workflow_job_template_nodes": 4,
        "workflow_approval_templates": 1,
        "schedules": 2,
    }


def test_the_second_run_changes_nothing(awx: Configured) -> None:
    before = len(awx.controller.writes)
    second = awx.run(**FULL)
    assert second.rc == 0, second.output
    assert recap(second)["changed"] == 0, second.output
    assert [path for method, path in awx.controller.writes[before:] if not path.endswith("/update/")] == []


def test_check_mode_names_what_is_missing(
    awx: Configured, awx_collection: Path, repository: str, tmp_path: Path
) -> None:
    """Before the first run, with one template missing, and with none. A token that only reads will do."""
    task = "Say what check mode has found missing"
    reader = {"CONTROLLER_OAUTH_TOKEN": VIEWER_TOKEN}
    with Controller(tmp_path) as controller:
        first = Configured(controller, repository, awx_collection).run("--check", env=reader, **FULL)
        assert (first.rc, controller.writes, controller.problems) == (0, [], []), first.output
    missing = "credential type, execution environment, notification, project, inventories. A run without"
    assert missing in first.of(task)[0]["msg"]
    before = len(awx.controller.writes)
    templates = awx.controller.objects["job_templates"]
    drill = templates.pop(awx.controller.named("job_templates", "Recovery drill")["id"])
    try:
        lacking = awx.run("--check", env=reader, **FULL)
    finally:
        templates[drill["id"]] = drill
    assert lacking.rc == 0, lacking.output
    assert "does not have these objects yet: job templates. " in lacking.of(task)[0]["msg"]
    complete = awx.run("--check", env=reader, **FULL)
    assert (complete.rc, recap(complete)["changed"]) == (0, 0), complete.output
    assert awx.controller.writes[before:] == []


def test_a_setting_without_a_value_is_blank(awx_collection: Path, repository: str, tmp_path: Path) -> None:
    """A line such as `awx_extra_vars:` in the settings."""
    lists = ("awx_protected", "awx_drill_scratch", "awx_extra_vars", "awx_readiness_answers")
    texts = ("awx_environment_image", "awx_notification_type", "awx_project_branch")
    numbers = ("awx_fleet_slices", "awx_approval_timeout")
    with Controller(tmp_path) as controller:
        configured = Configured(controller, repository, awx_collection)
        done = configured.run(**dict.fromkeys((*lists, *texts, *numbers, "awx_credential_inputs")))
        assert (done.rc, controller.problems) == (0, []), done.output
        assert controller.named("job_templates", "Recovery fleet")["job_slice_count"] == 1
        (approval,) = controller.objects["workflow_approval_templates"].values()
        assert approval["timeout"] == 86400
        assert not controller.objects["schedules"]
        endless = [configured.run(awx_fleet_slices=0), configured.run(awx_approval_timeout="1d")]
        refused = configured.run(awx_project_url=None)
        of_another_type = configured.run(awx_name=["A"], awx_extra_vars=["a"], awx_protected={"a": "b"})
        mistyped = configured.run(awx_protectd=["prod-*"], awx_job_id=7, tower_job_id=7)
    for done in endless:
        assert "awx_approval_timeout, in seconds, must be whole numbers from 1" in done.output
    assert "awx_project_url must be the git repository" in refused.output
    assert "The type of awx_extra_vars and awx_protected and awx_name is wrong." in of_another_type.output
    assert (mistyped.rc, recap(mistyped)["changed"]) == (2, 0)
    assert "There is no setting named awx_protectd. " in mistyped.output


def test_later_runs_keep_what_is_not_theirs_and_remove_what_was(
    awx_collection: Path, repository: str, tmp_path: Path
) -> None:
    """People fill in the keys in AWX, and the next run has none. AWX replaces all fields at once."""
    by_hand = {"access_key": "by-hand", "secret_key": "by-hand", "timezone": "Europe/Paris"}
    more = {
        "awx_environment_image": "i",
        "awx_environment_credential": "Pull",
        "awx_more_credentials": "Büro",
    }
    with Controller(tmp_path) as controller:
        owner = {"organization": controller.create("organizations", {"name": "Büro Nord"})["id"]}
        kinds = [controller.create("credential_types", {"name": name})["id"] for name in ("A", "B", "C")]
        pull, ours, foreign = (
            controller.create("credentials", {"name": name, "credential_type": kind, **owner})["id"]
            for name, kind in zip(("Pull", "Büro", "Foreign"), kinds, strict=True)
        )
        configured = Configured(controller, repository, awx_collection)

        def run(**settings: Any) -> tuple[int, dict[str, Any]]:
            done = configured.run(**{"awx_organization": "Büro Nord", **more, **settings})
            assert (done.rc, controller.problems) == (0, []), done.output
            account = controller.named("credentials", "Recovery account")
            return recap(done)["changed"], controller.secrets[account["id"]]

        (rrule,) = re.findall(r"``(DTSTART;\S+ RRULE:\S+)``", GUIDE.read_text(encoding="utf-8"))
        drill = {"awx_drill_answers": FULL["awx_drill_answers"], "awx_drill_rrule": rrule}
        run(awx_credential_inputs={"region": "eu-west-101"}, **drill)
        account = controller.named("credentials", "Recovery account")
        controller.change("credentials", account, {"inputs": {**account["inputs"], **by_hand}})
        template = controller.named("job_templates", "Recovery restore")
        attached = controller.associated[("job_templates", template["id"], "credentials")]
        assert sorted(attached) == sorted([account["id"], ours])
        assert controller.named("execution_environments", "Recovery environment")["credential"] == pull
        assert [row["rrule"] for row in controller.objects["schedules"].values()] == [rrule]
        attached.append(foreign)

        blank = {"access_key": "", "secret_key": ""}
        changed, fields = run(awx_credential_inputs={"region": "eu-west-200", **blank})
        assert fields == {**by_hand, "region": "eu-west-200"}
        assert (changed, foreign in attached, controller.objects["schedules"]) == (3, False, {})
        given = {"region": "eu-west-200", "access_key": "other", "timezone": ""}
        changed, fields = run(awx_credential_inputs=given)
        assert (changed, fields) == (1, {**by_hand, "region": "eu-west-200", "timezone": ""})
        changed, fields = run(awx_credential_inputs=given, awx_update_secrets=True)
        assert (changed, fields) == (1, {**given, "secret_key": "by-hand"})


def test_the_workflow_carries_out_what_was_approved(awx: Configured) -> None:
    controller = awx.controller
    assert controller.after("plan", "success") == ["approve"]
    assert controller.after("approve", "success") == ["approved"]
    assert controller.after("approved", "always") == ["report"]
    approved = controller.named("job_templates", "Recovery restore an approved plan")
    assert json.loads(approved["extra_vars"])["restore_plan"] == "{{ restore_planned }}"
    assert (approved["survey_enabled"], approved["job_type"]) == (False, "run")
    plan = controller.named("job_templates", "Recovery plan")
    assert (plan["job_type"], plan["diff_mode"], plan["playbook"]) == ("check", True, "playbooks/plan.yml")


def test_a_fleet_is_split_and_limited(awx: Configured) -> None:
    controller = awx.controller
    fleet = controller.named("job_templates", "Recovery fleet")
    assert (fleet["job_slice_count"], fleet["ask_limit_on_launch"]) == (4, True)
    assert fleet["ask_job_slice_count_on_launch"], "a slice without a host within the limit fails"
    assert fleet["inventory"] == controller.named("inventories", "Recovery instances")["id"]
    source = controller.named("inventory_sources", "Recovery instances")
    assert (source["source_path"], source["enabled_var"]) == ("fleet.huaweicloud.yml", "")
    assert "/runner/requirements_collections" in json.loads(source["source_vars"])["ANSIBLE_COLLECTIONS_PATH"]


def test_what_overwrites_is_confirmed(awx: Configured) -> None:
    """The survey has one choice without a default: AWX itself refuses a job without this answer."""
    for name in ("Recovery restore", "Recovery undo", "Recovery drill", "Recovery fleet"):
        spec = awx.controller.survey("job_templates", name)["spec"]
        (confirm,) = (question for question in spec if question["variable"] == "confirm_overwrite")
        assert (confirm["type"], confirm["required"], confirm["choices"]) == (
            "multiplechoice",
            True,
            ["overwrite"],
        )
        assert "default" not in confirm
        full = {question["variable"]: question.get("default") or "x" for question in spec}
        for left in ({}, {"confirm_overwrite": ""}):
            given = {**{name: value for name, value in full.items() if name != "confirm_overwrite"}, **left}
            assert [problem for problem in rules.answers(spec, given) if "confirm_overwrite" in problem]


def test_no_answer_replaces_a_variable_of_a_template(awx: Configured) -> None:
    """Protection, a drill's scratch instances, and what the settings give all: not even a blank."""
    for row in awx.controller.objects["job_templates"].values():
        own = json.loads(row["extra_vars"])
        assert own["restore_protected"] == FULL["awx_protected"]
        assert own.items() >= FULL["awx_extra_vars"].items()
        spec = awx.controller.surveys.get(("job_templates", row["id"]), {}).get("spec", [])
        assert not set(own) & {question["variable"] for question in spec}
    workflow = awx.controller.survey("workflow_job_templates", "Recovery restore with approval")["spec"]
    assert not set(FULL["awx_extra_vars"]) & {question["variable"] for question in workflow}


def test_a_broken_rule_is_refused(awx: Configured) -> None:
    """Inputs of a type in use, a missing playbook, an approval node with links, and surveys."""
    before = len(awx.controller.writes)
    kind = awx.controller.named("credential_types", "Huawei Cloud recovery")
    fewer = {**kind["inputs"], "fields": kind["inputs"]["fields"][1:], "required": []}
    tasks = {
        "inputs in use": ("credential_type", {"name": kind["name"], "kind": "cloud", "inputs": fewer}),
        "playbook of a collection": (
            "job_template",
            {
                "name": "Recovery restore",
                "organization": "Default",
                "playbook": "huaweicloud.recovery.restore",
            },
        ),
        "links of an approval": (
            "workflow_job_template_node",
            {
                "workflow_job_template": "Recovery restore with approval",
                "identifier": "approve",
                "approval_node": {"name": "Recovery approve the plan"},
                "success_nodes": ["approved"],
            },
        ),
        "survey with a null": (
            "job_template",
            {
                "name": "Recovery report",
                "organization": "Default",
                "survey_enabled": False,
                "survey_spec": {
                    "name": "x",
                    "description": "",
                    "spec": [
                        {
                            "type": "text",
                            "question_name": "x",
                            "variable": "x",
                            "required": False,
                            "default": None,
                        }
                    ],
                },
            },
        ),
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"name": name, f"awx.awx.{module}": options, "ignore_errors": True}
            for name, (module, options) in tasks.items()
        ],
    }
    done = awx.play("\n" + yaml.safe_dump([play]))
    said = {name: str(done.of(name)[0]) for name in tasks}
    assert "HTTP 403" in said["inputs in use"]
    assert "Playbook not found for project." in said["playbook of a collection"]
    assert "could not be found" in said["links of an approval"]
    assert "default must be text" in said["survey with a null"]
    assert awx.controller.writes[before:] == []


def test_a_token_without_rights_and_a_silent_controller(awx: Configured) -> None:
    """With such a token, or without a response, the first task fails, and nothing is left half done."""
    before = len(awx.controller.writes)
    denied = awx.run(env={"CONTROLLER_OAUTH_TOKEN": VIEWER_TOKEN}, **{**FULL, "awx_name": "Other"})
    assert denied.rc == 2
    assert "You don't have permission to POST" in denied.output
    away = awx.run(env={"CONTROLLER_HOST": "http://127.0.0.1:1"}, **FULL)
    assert away.rc == 2
    assert "127.0.0.1:1" in away.output
    assert awx.controller.writes[before:] == []


def test_names_that_things_of_another_type_have(
    awx_collection: Path, repository: str, tmp_path: Path
) -> None:
    """AWX allows them: each thing is found by its own ID, so nothing of somebody else is used or changed."""
    with Controller(tmp_path) as controller:
        (organization,) = controller.objects["organizations"]
        machine = controller.create("credential_types", {"name": "Machine", "kind": "ssh"})
        theirs = [
            ("credentials", {"name": "Recovery account", "credential_type": machine["id"]}),
            ("projects", {"name": "Recovery restore"}),
            ("projects", {"name": "Recovery restore with approval"}),
            ("inventories", {"name": "Recovery project"}),
        ]
        rows = [controller.create(kind, {**body, "organization": organization}) for kind, body in theirs]
        before = [dict(row) for row in rows]
        done = Configured(controller, repository, awx_collection).run(**FULL)
        assert (done.rc, rows) == (0, before), done.output
        ours = controller.named("job_templates", "Recovery restore")
        (credential,) = controller.associated[("job_templates", ours["id"], "credentials")]
        assert controller.objects["credentials"][credential]["credential_type"] != machine["id"]
        # Only the module for schedules takes no ID
        controller.create("projects", {"name": "Recovery drill", "organization": organization})
        wrong = {
            "awx_readiness_answers": {"restore_instance": "orders-cache"},
            "awx_readiness_rrule": "DTSTART:20260101T050000 RRULE:FREQ=DAILY;INTERVAL=1",
        }
        done = Configured(controller, repository, awx_collection).run(**{**FULL, **wrong})
        assert (done.rc, controller.problems) == (2, [])
    said = str(done.of("Say what is missing")[0]["msg"])
    assert said.startswith("Everything but the schedules is configured. ")
    assert "returned 2 items, expected 1" in said and "rename it, or set awx_name" in said
    assert "Variables restore_instance are not allowed on launch" in said and "naive datetime" in said


def test_the_pattern_asks_the_same_questions(awx: Configured) -> None:
    """A pattern has no template variables, so the survey of its drill also asks for the scratch instances."""
    resources = json.loads(PATTERN.read_text(encoding="utf-8"))["aap_resources"]
    templates = {one["name"]: one for one in resources["controller_job_templates"]}
    assert [name for name, one in templates.items() if one.get("primary")] == ["Recovery restore"]
    for name, one in templates.items():
        own = awx.controller.survey("job_templates", name)["spec"]
        fixed = {"drill_scratch", *FULL["awx_extra_vars"]}
        asked = [question for question in one["survey"]["spec"] if question["variable"] not in fixed]
        assert asked == own
        assert awx.controller.named("job_templates", name)["playbook"] == f"playbooks/{one['playbook']}"
        assert all(isinstance(question.get("default", ""), str) for question in own)
        assert list(rules.survey(one["survey"])) == []
    with_survey = {
        row["name"] for row in awx.controller.objects["job_templates"].values() if row["survey_enabled"]
    }
    assert set(templates) == with_survey


def test_every_variable_is_one_of_the_collection() -> None:
    """Nothing would read the answer to a question with an unknown variable."""
    text = VARIABLES.read_text(encoding="utf-8")
    asked = set(re.findall(r"^    variable: (\w+)$", text, re.MULTILINE))
    specs = (invoke.ROOT / "roles/restore/meta/argument_specs.yml").read_text(encoding="utf-8")
    known = set(re.findall(r"^      (restore_\w+):$", specs, re.MULTILINE))
    for name in ("fleet", "drill"):
        playbook = (invoke.ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8")
        known |= set(re.findall(rf"\b{name}_\w+", playbook))
    assert asked - known == {"confirm_overwrite"}
