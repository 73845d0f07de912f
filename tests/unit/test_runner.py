# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner: what it checks, what it redacts, and that nothing escapes it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    Busy,
    CloudError,
    InvalidArgument,
    NotFound,
    OperationFailed,
    OutcomeUnknown,
    ProtocolError,
    TransportError,
    WaitTimeout,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION, WAIT
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan, execute
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import (
    LONGEST,
    check,
    normalized,
    perform,
    without_blanks,
)

from .fakes import KEYS, Wire, response

PAIR = {
    "options": {"source_id": {"type": "str", "required": True}, "note": {"type": "str"}},
    "type": "list",
    "elements": "dict",
}
SPEC: dict[str, dict[str, Any]] = {
    "instance_id": {"type": "str", "required": True},
    "pairs": PAIR,
    "name": {"type": "str"},
}
SECRET = "s3cret-of-the-test/+&é"


def run(
    plan: Any,
    params: dict[str, Any] | None = None,
    dry_run: bool = False,
    wire: Wire | None = None,
    spec: dict[str, Any] | None = None,
) -> dict[str, Any]:
    given = {**KEYS, "instance_id": "i", "wait": True, "wait_timeout": 1800, **(params or {})}
    return perform(
        plan, given, spec or SPEC, {}, dry_run, Redactor(), environ={}, http=wire or Wire([response(200, {})])
    )


def raising(error: BaseException) -> Any:
    def plan(cloud: Any, params: Any) -> Plan:
        raise error

    return plan


# Plans


def test_a_plan_without_apply_changes_nothing() -> None:
    assert execute(Plan({"rows": []}), False) == {"changed": False, "rows": []}


def test_a_plan_is_applied_unless_it_is_dry() -> None:
    done: list[int] = []

    def apply() -> dict[str, Any]:
        done.append(1)
        return {"id": "x"}

    plan = Plan({"id": None, "kept": 1}, {"a": 1}, {"a": 2}, apply)
    diff = {"before": {"a": 1}, "after": {"a": 2}}
    assert execute(plan, True) == {"changed": True, "id": None, "kept": 1, "diff": diff}
    assert done == []
    assert execute(plan, False) == {"changed": True, "id": "x", "kept": 1, "diff": diff}
    assert done == [1]


# Failures


def test_a_failure_says_what_was_not_done() -> None:
    result = run(raising(NotFound("No such thing.", http_status=404, error_code=None)), spec={**SPEC, **WAIT})
    assert result == {
        "failed": True,
        "msg": "No such thing. Nothing was started.",
        "error_kind": "not_found",
        "changed": False,
        "http_status": 404,
    }
    # A module that never starts anything need not say so
    assert run(raising(NotFound("No such thing.")))["msg"] == "No such thing."
    assert run(raising(InvalidArgument("Odd.")), spec={**SPEC, **WAIT})["msg"] == "Odd. No request was sent."


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (NotFound('It answered "Nothing was found".'), '"Nothing was found". Nothing was started.'),
        (ProtocolError("No request could be read."), "could be read. Nothing was started."),
        (TransportError("Broken."), "Broken. Nothing was started."),
        (Busy("Busy."), "Busy. Nothing was started."),
        (InvalidArgument("Odd."), "Odd. No request was sent."),
        (OperationFailed("It failed."), "It failed."),
        (WaitTimeout("Too late."), "Too late."),
        (ProtocolError("Odd.").with_context("Waiting stopped.", effect="started"), "Waiting stopped."),
    ],
)
def test_what_was_not_started_is_said_by_effect_whatever_the_text_holds(error: CloudError, end: str) -> None:
    result = run(raising(error), spec={**SPEC, **WAIT})
    assert result["msg"].endswith(end) and result["msg"].count("started.") <= 1
    assert result["changed"] is (error.effect != "none")


@pytest.mark.parametrize("error", [OutcomeUnknown("Who knows."), NotFound("Who knows.")])
def test_after_a_post_the_message_does_not_say_that_nothing_was_started(error: CloudError) -> None:
    def plan(cloud: Any, params: Any) -> Plan:
        cloud.post_once("dcs", "v2", body={})
        raise error

    result = run(plan, spec={**SPEC, **WAIT})
    assert (result["msg"], result["changed"]) == ("Who knows.", error.changed)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        KeyError(SECRET),
        RecursionError(SECRET),
        UnicodeDecodeError("utf-8", b"x", 0, 1, SECRET),
    ],
)
def test_an_unexpected_error_shows_only_its_name_and_place(error: BaseException) -> None:
    result = run(raising(error))
    assert result["error_kind"] == "internal_error" and result["changed"] is False
    assert SECRET not in str(result)
    assert f"Unexpected {type(error).__name__} at test_runner.py:" in result["msg"]
    assert "No request that changes anything was sent" in result["msg"]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            MemoryError(SECRET),
            "out_of_memory",
            "ran out of memory on this machine (ulimit -v, or the limit of a container). No request that",
        ),
        (
            KeyboardInterrupt(SECRET),
            "interrupted",
            "The task was interrupted. No request that changes anything was sent.",
        ),
    ],
)
def test_no_memory_and_an_interrupt_are_not_bugs(error: BaseException, kind: str, text: str) -> None:
    result = run(raising(error))
    assert result["error_kind"] == kind and result["changed"] is False
    assert text in result["msg"]
    assert "bug" not in result["msg"] and SECRET not in result["msg"]


def test_an_unexpected_error_after_a_post_counts_as_a_change() -> None:
    def plan(cloud: Any, params: Any) -> Plan:
        cloud.post_once("dcs", "v2", body={})
        raise ValueError(SECRET)

    result = run(plan)
    assert result["changed"] is True
    assert "run the same task again" in result["msg"]


def test_the_task_timeout_of_ansible_goes_through() -> None:
    class TaskTimeoutError(BaseException):
        pass

    with pytest.raises(TaskTimeoutError):
        run(raising(TaskTimeoutError()))


# Checks


def test_blanks_are_unset_everywhere() -> None:
    params: dict[str, Any] = {
        "instance_id": "i\n",
        "instance_name": "orders-cache\n",
        "backup_name": " nightly ",
        "operation_id": "CHG-1 ",  # with the blank it would be another operation: a second restore
        "timezone": "Europe/Berlin\n",
        "backup_format": " rdb",
        "status": "RUNNING ",
        "remark": " as written ",
        "name": " ",
        "pairs": [{"source_id": "s", "note": ""}],
        "texts": [""],
        "count": 0,
        "flag": False,
    }
    found = without_blanks({**params, "_ansible_shell_executable": ""})
    assert found == {
        "instance_id": "i",
        "instance_name": "orders-cache",
        "backup_name": "nightly",
        "operation_id": "CHG-1",
        "timezone": "Europe/Berlin",
        "backup_format": "rdb",
        "status": "RUNNING",
        "remark": " as written ",
        "pairs": [{"source_id": "s"}],
        "texts": [""],
        "count": 0,
        "flag": False,
        "_ansible_shell_executable": "",
    }


def test_a_null_is_unset_also_where_there_is_a_default() -> None:
    row = {"instance_id": None}  # of a row, which keeps its keys
    given = {"wait": None, "wait_timeout": None, "restores": [row], "_ansible_selinux_special_fs": None}
    assert normalized(given, WAIT) == {"restores": [row], "_ansible_selinux_special_fs": None}


@pytest.mark.parametrize(
    ("name", "alias"), [("access_key", "ak"), ("secret_key", "sk"), ("ca_cert", "ca_bundle")]
)
def test_an_option_with_two_values_is_refused(name: str, alias: str) -> None:
    """Ansible takes the alias, also from module_defaults: the task would act as somebody else."""
    with pytest.raises(InvalidArgument, match=f"{name} and {alias} name one option") as caught:
        normalized({name: "of-the-task", alias: "of-the-defaults"}, CONNECTION)
    assert "of-the" not in str(caught.value)
    for given in ({name: "A"}, {alias: "A"}, {name: "A", alias: "A"}):
        assert normalized(given, CONNECTION) == given
    assert normalized({name: None, alias: "A"}, CONNECTION) == {alias: "A"}


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"instance_id": None}, "instance_id must be given"),
        ({"instance_id": "a/b"}, "instance_id 'a/b' is not an ID"),
        (
            {"instance_id": "i", "pairs": [{"source_id": "../x"}]},
            r"pairs\[0\]\.source_id '../x' is not an ID",
        ),
        ({"instance_id": "i", "http_timeout": 0}, "http_timeout must be from 1 to 3600, not 0"),
        ({"instance_id": "\u202e" * 9}, r"instance_id '\\\\u202e"),
        ({"instance_id": "a/" * 200}, r"instance_id \(a text of 400 characters\) is not an ID"),
    ],
)
def test_what_can_be_seen_without_a_request(params: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidArgument, match=text) as caught:
        check(params, SPEC, {})
    assert str(caught.value).isprintable() and len(str(caught.value)) < 700


def test_rules() -> None:
    rules = {"mutually_exclusive": [("instance_id", "name")], "required_one_of": [("name", "instance_id")]}
    check({"instance_id": "i", "name": None}, SPEC, rules)
    with pytest.raises(InvalidArgument, match="mutually exclusive"):
        check({"instance_id": "i", "name": "n"}, SPEC, rules)


# Redaction


def test_secret_options_are_marked() -> None:
    for name in ("secret_key", "security_token", "auth_token", "password"):
        assert CONNECTION[name]["no_log"] is True
    assert CONNECTION["access_key"]["no_log"] is False


def test_a_message_is_redacted_before_it_is_cut() -> None:
    """A text that is cut first may end in half a secret, which nothing recognises any more."""
    redactor = Redactor()

    def plan(cloud: Any, params: Any) -> Plan:
        raise NotFound("x" * (LONGEST - 10) + KEYS["secret_key"])

    given = {**KEYS, "instance_id": "i"}
    result = perform(plan, given, SPEC, {}, False, redactor, environ={}, http=Wire([response(200, {})]))
    assert KEYS["secret_key"][:5] not in result["msg"]
    assert result["msg"].endswith("x********")


def test_each_task_has_secrets_of_its_own() -> None:
    first, second = Redactor(), Redactor()
    for redactor, secret in ((first, "first-secret"), (second, "second-secret")):
        given = {**KEYS, "secret_key": secret}
        perform(lambda cloud, params: Plan({}), given, {}, {}, False, redactor, environ={}, http=Wire([]))
    assert second.redact("first-secret second-secret") == "first-secret ********"
