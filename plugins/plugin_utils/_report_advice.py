# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences of a report: the verdict, the state of the data, what to do, and with which command.

Private to this collection.
"""

from __future__ import annotations

import json
import os
import shlex
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import in_words
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _target
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_command import variable
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import ADVICE, PHASES, PLAN
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import called

Row = t.Mapping[str, t.Any]

BEFORE = tuple(step for step, phase in PHASES.items() if phase == PLAN)  # steps before anything is sent
RESTORE_COMMAND = "ansible-playbook huaweicloud.recovery.restore"
WORDS = {
    "planned": "Planned",
    "running": "Running",
    "verified": "Verified",
    "restored": "Restored, not verified",
    "verified_target_missed": "Verified, target missed",
    "incomplete": "Incomplete",
    "failed": "Failed",
    "refused": "Refused",
    "unchanged": "Nothing to do",
}
MARKS = {
    **{"planned": "○", "running": "…", "verified": "✓", "restored": "✓", "unchanged": "✓"},
    **{"verified_target_missed": "!", "incomplete": "✗", "failed": "✗", "refused": "✗"},
}
TONES = {
    "verified": "ok",
    "unchanged": "ok",
    "planned": "plan",
    "running": "plan",
    "restored": "warn",
    "verified_target_missed": "warn",
}
STATES = {
    "untouched": "Untouched",
    "overwritten_verified": "Overwritten and verified",
    "overwritten_not_verified": "Overwritten, not verified",
    "unknown": "Unknown",
}
# What to do, by the kind of error, and then by the step that failed (ADVICE). {name} is the instance.
BY_KIND = {
    "auth_failed": "Check the credentials and this machine's clock, then run the same command again.",
    "denied": (
        "Give the user the permission that the message names, or use keys for the right project, then run "
        "the same command again."
    ),
    "busy": "Another operation holds {name}. Wait until it has ended, then run the same command again.",
    "attached_failed": (
        "Remove the cause that the message names. Take job_id or adopt out of the entry of {name}, then run "
        "the same command again: it tries this instance once more."
    ),
    "busy_job": (
        "If an earlier run of this recovery started job {job}, give job_id {job} for {name} and run the same "
        "command again: it attaches to the job. Otherwise wait until the job has ended, then run the same "
        "command again."
    ),
    "stuck": (
        "A record of {name} is stuck: it never ends. Add ignore_stuck: true to the entry of {name}, then run "
        "the same command again."
    ),
    "transport_error": "Fix the network or the proxy, then run the same command again.",
    "tls_error": (
        "Give your CA bundle as ca_path (HW_CA_PATH), and leave validate_certs on. Then run "
        "the same command again."
    ),
    "server_error": "The service has a temporary fault. Run the same command again in a few minutes.",
    "throttled": "The cloud throttles requests. Run the same command again in a few minutes.",
    "not_found": "Check the ID or the name, the region and the project, then run the same command again.",
    "wait_timeout": (
        "Nothing was stopped: the operation goes on in the cloud. The same command attaches to it."
    ),
    "outcome_unknown": (
        "Keep applications away from {name}. Run the same command again in 5 minutes: it attaches to "
        "what it finds, and starts the restore if there is none."
    ),
    "operation_failed": (
        "Remove the cause that the message names, then run the same command again: it tries "
        "this instance once more."
    ),
    "not_started": "Nothing was started on {name}. Run the same command again.",
    "not_running": (
        "Check {name} in the console. When it runs, run the same command again: only the checks are repeated."
    ),
    "protected": (
        "Nothing overwrites {name} while it is protected. Leave it out of this run, or end its protection."
    ),
    "name_mismatch": (
        "Find out which of the two instances is meant, correct the entry, then run the same command again."
    ),
    "too_old": ("Find out why {name} has no newer backup, make one, then run the same command again."),
    "too_far": (
        "Choose another point in time, or allow the gap with restore_max_gap, then run the same "
        "command again."
    ),
}
# The kinds of errors of a safety backup that say nothing of whether one can be made
RETRYABLE_KINDS = (
    *("auth_failed", "busy", "not_started", "outcome_unknown", "server_error", "throttled", "tls_error"),
    *("transport_error", "wait_timeout"),
)
OLDER = (
    "Keep applications away from {name}, and read what its checks found. "
    "The command below asks for approval, then restores the backup before this one as a new operation."
)
WRONG_DATA = ("verify", "verification_failed", "failed")  # step, kind of the error, end of the verification
BY_END = {
    "failed": "Keep applications away from {name}, and read what its checks found. When a check is wrong, "
    "correct it and run the same command again: only the checks are repeated. When the data are wrong, "
    "choose another point in time.",
    "unreachable": (
        "The restore is done. Check address, port, security group and TLS, then run the same "
        "command again: only the checks are repeated."
    ),
    "timed_out": (
        "The restore is done. Give the instance more time with restore_verify_timeout, then run "
        "the same command again."
    ),
}
UNREAD_CHECK = (  # a check that failed without having read anything
    "The restore is done. A check could not run. Correct it or its connection as the message says, then "
    "run the same command again: only the checks are repeated."
)
INCOMPLETE = " Add your extra variables: they may hold secrets, so the report does not contain them."
NEWER = (
    " If {name} has a newer backup by then, latest means that one. To stay with this one, give backup_id "
    "{id} in place of restore_point{alone}."
)
OTHER_PLAN = " That needs another plan: make it with --check, then approve it."
ONCE_MORE = "then run the same command again: only the checks are repeated."
BY_CHECK = {  # the kinds of errors of checks for which `end` says too little
    "login_refused": (
        "The restore is done. Correct user and password in the connection of the checks of "
        f"{{name}}, {ONCE_MORE}"
    ),
    "tls_error": (
        "The restore is done. In the connection of the checks of {name}, say whether the instance uses TLS "
        f"(tls), and name the bundle of the authority that signed its certificate (ca_path), {ONCE_MORE}"
    ),
    "not_configured": (
        f"The restore is done. Add to the connection of the checks of {{name}} what the "
        f"message names, {ONCE_MORE}"
    ),
    "invalid_argument": (
        f"The restore is done. Correct the variables that hold the checks of {{name}}, {ONCE_MORE}"
    ),
    "missing_library": (
        f"The restore is done. Install the package that the message names on this machine, {ONCE_MORE}"
    ),
    "not_running": BY_KIND["not_running"],
}


# The whole


def sentence(report: Row) -> str:
    """Return the verdict as a sentence, with the names of the instances that need a person."""
    rows, verdict = report["restores"], report["verdict"]
    total, failed = len(rows), [row for row in rows if row["error_kind"]]
    good = sum(row["data_state"] == "overwritten_verified" and not row["error_kind"] for row in rows)
    counted = f"{total} instance{'' if total == 1 else 's'}"
    if report["kind"] == "readiness" and verdict in ("planned", "failed"):
        old = "The newest data are too old." if verdict == "failed" else ""
        ready = f"{total - len(failed)} of {counted} could be restored now."
        return f"{ready} {needing(failed) or old}".strip()
    if verdict == "planned":
        return f"{counted} would be overwritten. Nothing has been sent."
    if verdict == "refused":
        left_out = (
            "This run left out the step restore, so it overwrote nothing. Next: to restore, run the same "
            "command without --tags; with --step, answer y to each task."
        )
        return f"{needing(failed)} Nothing was started." if failed else left_out
    if verdict == "running":
        return f"{good} of {counted} verified so far, the others are in progress. {needing(failed)}".strip()
    if verdict == "unchanged":
        return f"{counted}: an earlier run restored everything, so this run had nothing to do."
    if verdict == "restored":
        checked = f"{good} of them verified, the others have no checks" if good else "data not checked"
        return f"{counted} restored, {checked}."
    more = missed(report) if verdict == "verified_target_missed" else needing(failed)
    return f"{brought_back(rows, counted)} {more}".strip()


def brought_back(rows: t.Sequence[Row], counted: str) -> str:
    """Return how many of the instances were restored, and how many of those are verified."""
    restored = [row for row in rows if row["data_state"].startswith("overwritten")]
    verified = sum(row["data_state"] == "overwritten_verified" for row in restored)
    if not restored:
        return f"None of {counted} restored."
    if verified == len(restored):
        return f"{verified} of {counted} restored and verified."
    return f"{len(restored)} of {counted} restored, {verified or 'none'} of them verified."


def needing(failed: t.Sequence[Row]) -> str:
    """Return the instances that need a person: up to three names."""
    if not failed:
        return ""
    return f"{len(failed)} need{'s' if len(failed) == 1 else ''} you: {names_of(failed)}."


def names_of(rows: t.Sequence[Row]) -> str:
    """Return up to three names."""
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return ", ".join(called(row) for row in rows[:3]) + more


def missed(report: Row) -> str:
    """Return which targets were missed, and by how much."""
    rto, rpo = report["rto"], report["rpo"]
    parts = []
    if rto["met"] is False:
        took, target = beyond(rto["seconds"], rto["target"], clock_duration)
        parts.append(f"The run took {took}; the target is {target}.")
    if rpo["met"] is False:
        age, target = beyond(rpo[rpo["against"] + "_seconds"], rpo["target"], clock_duration)
        parts.append(f"The oldest data are {age} old; the target is {target}.")
    return " ".join(parts)


def undo(report: Row) -> str | None:
    """Return the command that takes the caches back to before this run; None without backups or a file."""
    path = report["files"]["json"]
    if not path or not any(map(_target.undoable, report["restores"])):
        return None
    return f"ansible-playbook huaweicloud.recovery.undo {variable('restore_report', path)}"


# One instance


def following(row: Row, report: Row, run: Row) -> dict[str, t.Any] | None:
    """Return {happened, state, do, command} for a row that failed, else None."""
    if not row["error_kind"]:
        return None
    older = older_backup(row, report)
    do, command = (OLDER.format(name=called(row)), older) if older else next_try(row, report, run)
    return {"happened": happened(row), "state": state(row), "do": do, "command": command}


def next_try(row: Row, report: Row, run: Row) -> tuple[str, str | None]:
    """Return what a person does to run the same again, and the command for it."""
    again: str | None = run.get("command")
    job_id = None if run.get("directory") else only_by_job_id(row)
    other = needs_another_plan(row, report, run)
    do, command = what_to_do(row, again, job_id), command_for(row, report, again, other)
    if other:
        do += OTHER_PLAN
    if job_id:
        command = None  # The command lacks the job.
    if may_choose_another_backup(row, run):
        alone = ", and restore this host alone" if report["kind"] == "fleet" else ""
        do += NEWER.format(name=called(row), id=printable(_target.backup_id(row)), alone=alone)
    if report["kind"] == "readiness":  # which restores nothing
        do = do.replace("The restore is done. ", "").replace(": only the checks are repeated", "")
    if command and not run.get("command_complete", True):
        do += INCOMPLETE
    return do, command


def happened(row: Row) -> str:
    """Return what went wrong: the step, the kind and the reason."""
    code = f", {row['error_code']}" if row["error_code"] and row["error_code"] not in str(row["msg"]) else ""
    return (
        f"Failed at {row['failed_step'] or 'an unknown step'}, {row['error_kind']}{code}: "
        f"{row['msg'] or 'no reason was given.'}"
    )


def state(row: Row) -> str:
    """Return the state of the data in a sentence, for the target and for the source."""
    saved = _target.safety_backups(row)
    checked = "did not pass the checks" if read_other(row) else "could not be checked"
    if row["error_kind"] == "verification_failed" and not not_passed(row):
        checked = "did not pass restore_verify_tasks"
    lines = {
        "untouched": f"Untouched: nothing was sent that changes {called(row)}.",
        "overwritten_verified": (
            f"Overwritten and verified: {called(row)} holds the data of {row['data_time'] or 'the backup'}."
        ),
        "overwritten_not_verified": (
            f"Overwritten, not verified: {called(row)} was restored, and its data {checked}."
        ),
        "unknown": (
            f"Unknown: the run requested a restore of {called(row)}, and nothing shows that it succeeded. "
            "Keep applications away from the instance."
        ),
    }
    text = lines[row["data_state"]]
    if _target.from_elsewhere(row):
        return (
            f"{text} The source {(row['source'] or {}).get('instance_name') or 'instance'} was not changed."
        )
    if not saved:
        return text
    newest, *older = saved
    others = f", or in one of earlier runs: {', '.join(older)}" if older else ""
    return f"{text} The data from before are in safety backup {newest}{others}."


def only_by_job_id(row: Row) -> str | None:
    """Return the job that only job_id finds again: no report is kept, and the service has no marker."""
    if not _target.attaches(row) or row["adopted"] or row["error_kind"] in ("operation_failed", "busy"):
        return None
    return str(row["job_id"]) if row["job_id"] and row["data_state"] != "untouched" else None


def may_choose_another_backup(row: Row, run: Row) -> bool:
    """Whether the command could restore another backup than this run, which has sent its restore."""
    sent = row["data_state"] != "untouched" and not run.get("plan_given")
    if run.get("operation_id") and run.get("directory") and row["error_kind"] != "operation_failed":
        return False  # with_begun_backup() of _planning.py finds it in the report
    return sent and row["restore_point"] == "latest" and bool(_target.backup_id(row))


def advice_kind(row: Row) -> str:
    """Return the kind of a row's error, to decide what to do."""
    kind = str(row["error_kind"])
    if kind == "busy" and (row["details"] or {}).get("stuck"):
        return "stuck"
    if kind == "busy" and _target.attaches(row) and row["job_id"]:
        return "busy_job"
    attached = kind == "operation_failed" and row["adopted"] and _target.attaches(row)
    return "attached_failed" if attached else kind


def what_to_do(row: Row, command: str | None, job_id: str | None) -> str:
    """Return what a person does now; `job_id` is a job that the command does not find itself."""
    text = advice(row)
    if job_id:
        text += " Give job_id {job} for {name}: without a report, the command does not know this job."
    if command is None:  # A job controller started this run.
        text = text.replace("the same command", "the same job").replace("The same command", "The same job")
    return text.format(name=called(row), job=printable(row["job_id"] or ""))


def advice(row: Row) -> str:
    """Return what to do about a failure, by what the checks found, by its kind, or by its step."""
    kind, step = advice_kind(row), str(row["failed_step"])
    if step == "verify":
        end = str((row["verification"] or {}).get("end"))
        unread = UNREAD_CHECK if end == "failed" and not read_other(row) else None
        found = BY_CHECK.get(row["error_kind"]) or unread or BY_END.get(end)
        if found:
            return found
    if unsaved(row):
        return ADVICE["safeguard"]
    if step == "safeguard" and kind == "outcome_unknown":  # of a backup
        return ADVICE["wait"]
    return BY_KIND.get(kind) or ADVICE.get(step) or ADVICE["restore"]


def command_for(row: Row, report: Row, again: str | None, other_plan: bool) -> str | None:
    """Return the exact next command, or None if a job of a controller has to be started again.

    `other_plan` means that it makes another plan first.
    """
    check = " --check" if other_plan else ""
    if unsaved(row) and again:
        return f"{again} -e restore_safety_backup=false{check}"
    if row["failed_step"] == "approve" and again and report["plan_digest"]:
        return again + (check or f" {variable('restore_plan_digest', report['plan_digest'])}")
    return again


def needs_another_plan(row: Row, report: Row, run: Row) -> bool:
    """Whether the plan that was given to a run is of no use any more: it is out of date, although its digest
    fits, or has safety backups that cannot be made.
    """
    digest = run.get("digest_given")
    stale = digest and row["failed_step"] == "approve" and str(report["plan_digest"]).startswith(digest)
    return bool(run.get("plan_given") and (stale or unsaved(row)))


def unsaved(row: Row) -> bool:
    """Whether no safety backup can be made.

    If the next try may succeed, the advice is to try again: nobody is told to go on without a backup because
    of the network.
    """
    return row["failed_step"] == "safeguard" and row["error_kind"] not in RETRYABLE_KINDS


def read_other(row: Row, alone: bool = False) -> bool:
    """Whether a check read data other than it expects; with `alone`, whether every check that did not pass
    did so.

    A check that was refused, could not be judged, or got no response says nothing about the data.
    """
    bad = not_passed(row)
    read = [check for check in bad if check["outcome"] == "failed" and check["found"] is not None]
    return bool(read) and (not alone or read == bad)


def not_passed(row: Row) -> list[Row]:
    """Return the checks of a row that did not pass."""
    checks = (row["verification"] or {}).get("checks") or []
    return [check for check in checks if check["outcome"] != "passed"]


def older_backup(row: Row, report: Row) -> str | None:
    """Return the command that restores a cache whose data are not the expected ones from the backup before;
    None for all else.
    """
    made, end = moment(row["data_time"]), (row["verification"] or {}).get("end")
    service = _target.service_of(row)
    if made is None or not service or not service.in_place or report["kind"] == "readiness":
        return None
    if (row["failed_step"], row["error_kind"], end) != WRONG_DATA or not read_other(row, alone=True):
        return None
    places = {key: row[key] for key in ("region", "profile") if row[key]}
    entry = {service.names[0]: _target.target_id(row), service.point: iso(made - 1), **places}
    operation = variable("restore_operation_id", f"{report['operation_id'] or 'restore'}-older")
    path = report["files"]["json"]
    kept = {"restore_report_dir": os.path.dirname(path)} if path else {}
    variables = {service.variable: [entry], "restore_confirm": True, **kept}
    return f"{RESTORE_COMMAND} {operation} -e {shlex.quote(json.dumps(variables))}"


def beyond(value: float, limit: float, words: t.Callable[[float], str] = in_words) -> tuple[str, str]:
    """Return a duration and the limit that it exceeds in words; in seconds if the words are the same."""
    both = words(value), words(limit)
    return both if both[0] != both[1] else (f"{value:.10g} s", f"{limit:.10g} s")


def clock_duration(value: float | None) -> str:
    """Return 0:45, 12:05 or 1:02:03 for seconds, 26 h or 12 days 3 h from a day on; a dash for None."""
    if value is None:
        return "-"
    whole = int(value + 0.5)
    if whole >= 86400:
        return in_words(value)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
