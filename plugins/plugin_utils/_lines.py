# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees of a run: PLAN, RUN, DONE and the place of the report. Private to this collection.

Every line is fit for a terminal: text from the cloud or from a user is escaped. Times are in the user's zone,
with the offset. All functions are pure: the time is a parameter.
"""

from __future__ import annotations

import typing as t
import unicodedata
from datetime import timedelta

from ansible.module_utils.common.text.formatters import bytes_to_human

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import EPOCH, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import in_words
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _target
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_advice import (
    INCOMPLETE,
    clock_duration,
)

Row = t.Mapping[str, t.Any]
MANY = 12  # With more targets, each has only one line.
PAD = " " * 8
UNKNOWN = (None, "", "unknown")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def plan(rows: t.Sequence[Row], run: Row, now_ms: int, tz: t.Any, safety_backup: bool) -> list[str]:
    """Return the plan: first the account, then what would overwrite what."""
    lines = [heading(run)]
    width = widest(rows)
    for place, row in enumerate(rows, 1):
        start = f"{place:>2} {row['service'].upper():<4} {column(row, width)}"
        shown = described(row, now_ms, tz, safety_backup, brief=len(rows) > MANY)
        lines += [f"{start}  {shown[0]}", *(PAD + line for line in (*other_account(row, run), *shown[1:]))]
    return lines


def heading(run: Row) -> str:
    """Return the first line of a plan: ticket, account, project, region and the source of the keys."""
    ticket = [printable(run["operation_id"])] if run.get("operation_id") else []
    return "  ".join(["PLAN", *ticket, *whose(run.get("account") or {}), "nothing has been sent"])


def whose(account: Row) -> list[str]:
    """Return account, project, region and the source of the keys."""
    project, ident = account_fact(account, "project_name") or "unknown", account_fact(account, "project_id")
    return [
        f"account {account_fact(account, 'domain_name') or account_fact(account, 'domain_id') or 'unknown'}",
        f"project {project}{f' ({ident})' if ident and ident != project else ''}",
        f"region {account_fact(account, 'region') or 'unknown'}",
        f"keys: {account_fact(account, 'source') or 'unknown'}",
    ]


def other_account(row: Row, run: Row) -> list[str]:
    """Return the account, project and region of a row if they differ from those in the first line."""
    own = _target.account_of(row)
    return ["IN  " + "  ".join(whose(own))] if own and own != run.get("account") else []


def account_fact(account: Row, name: str) -> str:
    """Return a fact about the account, or ''."""
    value = account.get(name)
    return "" if value in UNKNOWN else printable(value)


def described(row: Row, now_ms: int, tz: t.Any, safety_backup: bool, brief: bool) -> list[str]:
    """Return what happens to one target; the first line goes on after its name."""
    label = f" [{printable(row['label'])}]" if row.get("label") not in UNKNOWN else ""
    ident = f"{_target.target_id(row) or ''}{label}"
    if row.get("error_kind"):
        return [f"{ident}  CANNOT BE RESTORED, {row['error_kind']}: {printable(row.get('msg'))}".lstrip()]
    if brief:
        return [f"{ident}  {effect_text(row, tz)}"]
    if _target.from_elsewhere(row):
        return [f"{ident}  {effect_text(row, tz)}", *nodes(row)]
    return [
        f"{ident}  {facts(row)}".rstrip(),
        effect_text(row, tz),
        *cache_lines(row, now_ms, tz, safety_backup),
    ]


def facts(row: Row) -> str:
    """Return engine, memory and network of the instance that is overwritten."""
    target = row.get("target") or {}
    engine = " ".join(printable(target[name]) for name in ("engine", "engine_version") if target.get(name))
    used, most = target.get("used_memory"), target.get("max_memory")
    memory = f"{used} of {most} MB used" if used is not None and most is not None else ""
    network = printable(target["vpc_name"]) if target.get("vpc_name") else ""
    return ", ".join(part for part in (engine, memory, network) if part)


def effect_text(row: Row, tz: t.Any) -> str:
    """Return what overwrites the target, in words."""
    action, job = row.get("action"), f"job {printable(row.get('job_id'))}"
    if not _target.from_elsewhere(row):
        backup = backup_text(row)
        return {
            "nothing": f"nothing to do: already restored{ended_on(row, tz)} with {backup}",
            "adopt": f"is already being overwritten with {backup}; the run will wait for it",
        }.get(str(action), f"OVERWRITE with {backup}")
    if action == "adopt":
        return f"is already being overwritten by {job}; the run will wait for it"
    if action == "nothing":
        return f"nothing to do: {job} ended{ended_on(row, tz)}"
    source = row.get("source") or {}
    name = printable(source.get("instance_name") or source.get("instance_id") or "?")
    ident = f" ({source['instance_id']})" if source.get("instance_name") and source.get("instance_id") else ""
    ms = _target.time_ms(row)
    backup = f" from {backup_text(row)}" if _target.backup_id(row) else ""
    when = f" as of {local_text(ms, tz, seconds=True)}" if ms is not None else backup
    what = "the metadata of the schemas with those" if row.get("metadata") else "with data"
    return f"OVERWRITE {what} of {name}{ident}{when}. {name} is not touched"


def ended_on(row: Row, tz: t.Any) -> str:
    """Return when an earlier restore ended, or '': one of weeks ago may not be the one that is meant."""
    record = row.get("job") or row.get("restore") or {}
    ms = moment(record.get("end_time") or record.get("updated_at"))
    return "" if ms is None else f" on {local_text(ms, tz)}"


def backup_text(row: Row) -> str:
    """Return a backup by name, kind, size, and ID."""
    backup = row.get("backup") or {}
    name = printable(backup.get("backup_name") or _target.backup_id(row) or "a backup")
    size = bytes_to_human(backup["size"]) if isinstance(backup.get("size"), int) else ""
    more = [
        printable(backup.get("backup_type") or ""),
        size,
        backup.get("backup_id") if backup.get("backup_name") else "",
    ]
    listed = ", ".join(str(part) for part in more if part)
    return f"{name} ({listed})" if listed else name


def cache_lines(row: Row, now_ms: int, tz: t.Any, safety_backup: bool) -> list[str]:
    """Return the time of a cache's data, what is lost, and how to undo the restore."""
    data = moment(row.get("data_time"))
    if row.get("action") == "nothing" or data is None:
        return []
    requested, point = _target.requested_ms(row, now_ms), row.get("restore_point")
    asked, before = [f"requested {point}"] if point else [], ""
    if moment(point) is not None:
        asked = [f"requested {local_text(requested, tz)}"]
        before = f", {in_words((requested - data) / 1000)} before"
    newer = next_backup(row, tz)
    times = [*asked, f"data of {local_text(data, tz)}{before}", *([newer] if newer else [])]
    last = f" (last time {in_words(row['last_seconds'])})" if row.get("last_seconds") else ""
    undo = ""  # The run that has started the restore may have made a safety backup.
    if row.get("action") == "restore":
        undo = f" Undo: {'safety backup first' if safety_backup else 'none'}"
    since = (
        f"what was written since (the last {in_words((now_ms - data) / 1000)}){newer_restore(row, data, tz)}"
    )
    down = f"Down for {SERVICES[row['service']].downtime}{last}."
    return [" | ".join(times), f"lost: {since}. {down}{undo}"]


def newer_restore(row: Row, data: int, tz: t.Any) -> str:
    """Return the newest restore of a cache after the time of its data (epoch ms), or '': it may be that of a
    colleague.
    """
    newest = _target.newest_restore(row)
    ms = moment(newest.get("created_at"))
    if row.get("action") != "restore" or ms is None or ms <= data:
        return ""
    return f", and the data of restore {printable(newest.get('restore_id'))} of {local_text(ms, tz)}"


def next_backup(row: Row, tz: t.Any) -> str:
    """Return the first usable backup after the point, or ''."""
    newer = row.get("newer_backup") or {}
    made = moment(newer.get("created_at"))
    if made is None:
        return ""
    remark = f', "{printable(newer["remark"])}"' if newer.get("remark") else ""
    return (
        f"next after it: {local_text(made, tz)} ({printable(newer.get('backup_type') or 'backup')}{remark})"
    )


def local_text(ms: int, tz: t.Any, seconds: bool = False) -> str:
    """Return epoch milliseconds for people: 25 Nov 2026 14:00 +01:00, in a zone (None: this machine's)."""
    local = (EPOCH + timedelta(milliseconds=ms)).astimezone(tz)
    offset = local.strftime("%z")
    clock = local.strftime("%H:%M:%S" if seconds else "%H:%M")
    return f"{local.day} {MONTHS[local.month - 1]} {local.year} {clock} {offset[:3]}:{offset[3:5]}"


def nodes(row: Row) -> list[str]:
    """Return which data node is overwritten with which."""
    pairs = row.get("data_node_relations") or []
    return [f"{pair['target_instance_id']} <- {pair['source_instance_id']}" for pair in pairs]


# While and after it runs


def running(rows: t.Sequence[Row], reported: bool) -> list[str]:
    """Return what was started, with its IDs: a person needs them when the report is lost.

    `reported` means that reports are kept, in which the same command finds a job without a marker.
    """
    started = [row for row in rows if not row.get("error_kind") and row.get("outcome") == "started"]
    if not started:
        return []
    listed = [f"{_target.called(row)} {ids(row)}" for row in started[:MANY]]
    more = [f"{len(started) - MANY} more"] if len(started) > MANY else []
    jobs = not reported and any(_target.attaches(row) for row in started)
    how = "the same command resumes" + (", and a job if you also give its job_id" if jobs else "")
    return [f"RUN   {' | '.join([*listed, *more])}   Ctrl-C leaves them running; {how}"]


def ids(row: Row) -> str:
    """Return the restore or the job of a row in words."""
    if row.get("restore_id"):
        return f"restore {row['restore_id']}"
    return f"job {row['job_id']}" if row.get("job_id") else ""


def outcome_lines(report: Row) -> list[str]:
    """Return how the run ended: the verdict, then what needs a person, then the rest.

    `report` is the report of the run.
    """
    rows = report["restores"]
    if not rows:
        return [f"{headline(report)}  {printable(report.get('msg') or '')}".rstrip()]
    checks = [check for row in rows for check in (row.get("verification") or {}).get("checks") or []]
    passed = sum(check.get("outcome") == "passed" for check in checks)
    good = [row for row in rows if not row.get("error_kind")]
    counted = f", {passed} of {len(checks)} checks passed" if checks else ""
    took = clock_duration(report.get("elapsed") or 0)
    lines = [
        (
            f"{headline(report)}  {len(good)} of {len(rows)} in {took}{counted}. "
            f"{printable(report.get('msg') or '')}"
        ).rstrip()
    ]
    if len(rows) > MANY:
        rows = [row for row in rows if row.get("error_kind")]
    width = widest(rows)
    return lines + [
        f"{place:>2} {column(row, width)}  {outcome_text(row, report)}".rstrip()
        for place, row in enumerate(rows, 1)
    ]


def widest(rows: t.Iterable[Row]) -> int:
    """Return the width of a column with the names of rows."""
    return min(40, max((columns(_target.called(row)) for row in rows), default=0))


def column(row: Row, width: int) -> str:
    """Return the name of a row, with blanks up to a width."""
    name = _target.called(row)
    return name + " " * (width - columns(name))


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: a letter of Chinese takes two, a mark none."""
    letters = [one for one in text if not unicodedata.combining(one)]
    return len(letters) + sum(unicodedata.east_asian_width(one) in "WF" for one in letters)


def headline(report: Row) -> str:
    """Return the first word of the last block."""
    words = {"refused": "REFUSED", "failed": "FAILED", "incomplete": "FAILED", "running": "RUNNING"}
    return words.get(str(report.get("verdict")), "DONE")


def outcome_text(row: Row, report: Row) -> str:
    """Return the outcome of one target, and what to do next."""
    if row.get("error_kind"):
        following = row.get("next") or {}
        hint = f" Next: {following['do']}" if following.get("do") else ""
        if following.get("command") and "command below" in hint:
            hint += f" {following['command']}"
        else:
            hint = hint.removesuffix(INCOMPLETE)  # It is about a command, which is shown.
        why = sentence(row.get("msg"))
        ended = row.get("outcome") == "succeeded" or row["error_kind"] == "operation_failed"
        undo = way_back(row, report) if ended else ""
        return f"FAILED at {row.get('failed_step')}, {row['error_kind']}: {why}{hint}{undo}"
    target = row.get("target") or {}
    place = (
        f" at {target['address']}:{target['port']}" if target.get("address") and target.get("port") else ""
    )
    state = f"{printable(target.get('status') or 'restored')}{place}"
    outcome = "" if row.get("outcome") == "succeeded" else f"{row.get('outcome')}, "
    words = f"{outcome}{state}, {ids(row)}".rstrip(", ")
    undo = way_back(row, report)
    if undo:
        return f"{words}.{undo}"
    # After a drill or a check of readiness, the applications stay where they are.
    moves = report.get("kind") in ("restore", "fleet") and _target.from_elsewhere(row)
    return f"{words}. Next: point the application there" if moves else f"{words}."


def way_back(row: Row, report: Row) -> str:
    """Return how to undo the restore of a target; empty if nothing was overwritten, or nothing was saved.

    Without a file of the report, only these lines name the safety backup.
    """
    if not _target.undoable(row):
        return ""
    saved = f"restore its safety backup, backup_id {row['safety_backup'].get('backup_id')}"
    return f" Undo: {report.get('undo') or saved}"


def sentence(text: t.Any) -> str:
    """Return a message of a task or of a service, with an end."""
    found = printable(text)
    return found if found.endswith((".", "!", "?")) else f"{found}."


def how_to_approve(report: Row, plan_only: bool) -> list[str]:
    """Return how to approve a plan, for a person who does so elsewhere."""
    if not plan_only or report["failed"] or not report.get("plan_digest"):
        return []
    return [f"To run exactly this plan: restore_plan_digest={report['plan_digest']}"]


def report_place(report: Row, wanted: bool) -> str:
    """Return where the report is: the last line of a run. `wanted`: restore_report_dir is set."""
    files = report.get("files") or {}
    path = files.get("html") or files.get("json")
    why = "for the reason above" if wanted else "because restore_report_dir is not set"
    if path and report.get("problem"):
        return f"Report: {path}, out of date {why}"
    return f"Report: {path or f'not written, {why}'}"
