# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as Markdown and as JUnit XML, and its times for people. Private to this collection."""

from __future__ import annotations

import re
import typing as t
import zoneinfo
from datetime import datetime, timedelta, timezone, tzinfo
from xml.etree import ElementTree

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import EPOCH
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _target
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report import PLANS, Report
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_advice import (
    MARKS,
    STATES,
    WORDS,
    clock_duration,
)

Row = t.Mapping[str, t.Any]
TITLES = {
    **{"restore": "Restore", "plan": "Plan of a restore", "undo": "Undo of a restore"},
    **{"drill": "Restore drill", "readiness": "Readiness", "fleet": "Restore of a fleet"},
}


# For people


def zone(report: Report) -> tzinfo:
    """Return the zone of the times for people; UTC if this machine does not know it."""
    try:
        return zoneinfo.ZoneInfo(report["timezone"])
    except (KeyError, ValueError, OSError):
        return timezone.utc


def local(value: t.Any, where: tzinfo) -> str:
    """Return a time (ISO 8601 or epoch milliseconds) for people, with its offset; other texts as they are."""
    ms = _target.milliseconds(value)
    if ms is None:
        return "-" if value is None else str(value)
    at = moment_in(ms, where)
    offset = f"{at:%z}"
    return f"{at:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:5]}"


def moment_in(ms: int, where: tzinfo) -> datetime:
    """Return epoch milliseconds as a time in a zone."""
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(where)


def title(report: Report) -> str:
    """Return what the report is about, in a few words."""
    words = TITLES[report["kind"]]
    if report["check_mode"] and report["kind"] not in PLANS:
        words = f"Plan, {words[0].lower()}{words[1:]}"
    return f"{words} {report['operation_id']}" if report["operation_id"] else words


def origin(row: Row, where: tzinfo) -> str:
    """Return where the data come from: the backup and its time, or the source and the point in time."""
    if _target.from_elsewhere(row):
        name = (row["source"] or {}).get("instance_name") or row["instance_name"] or row["instance_id"]
        time, source = row["data_time"] or row["restore_time"], str(name or "its source")
        return f"{source} as of {local(time, where)}" if time else source
    name = (row["backup"] or {}).get("backup_name") or row["backup_name"] or _target.backup_id(row)
    backup = str(name or "its backup")
    return f"{backup} of {local(row['data_time'], where)}" if row["data_time"] else backup


def result(row: Row) -> str:
    """Return the outcome of an instance, in a few words."""
    if row["error_kind"]:
        return f"failed at {row['failed_step']}" if row["failed_step"] else "failed"
    words = {
        "planned": "planned",
        "started": "under way",
        "unchanged": "already restored",
        "succeeded": "restored",
        None: "not begun",
    }
    text = words.get(row["outcome"], str(row["outcome"]))
    return f"{text}, verified" if row["data_state"] == "overwritten_verified" else text


def checks(row: Row) -> list[dict[str, t.Any]]:
    """Return the checks of an instance, each with every key."""
    keys = ("name", "kind", "expected", "found", "outcome", "seconds", "msg")
    return [
        {key: check.get(key) for key in keys} for check in (row["verification"] or {}).get("checks") or []
    ]


# Markdown


def markdown(report: Report) -> str:
    """Return the report as Markdown. Text from the cloud is shown, never interpreted."""
    where = zone(report)
    lines = [
        f"# {escape(title(report))}: {escape(WORDS[report['verdict']])}",
        "",
        f"**{escape(MARKS[report['verdict']])} {escape(report['msg'])}**",
        "",
    ]
    lines += [f"- {key}: {value}" for key, value in facts(report, where)]
    lines += [f"- {escape(note)}" for note in report["notes"]]
    lines += next_lines(report)
    head = (
        "Instance",
        "From",
        "Result",
        "Data",
        "Data older than the point",
        "Verified after",
        "Restore or job",
    )
    lines += ["", "## Instances", "", table_row(head), table_row(["---"] * len(head))]
    lines += [table_row(cells(row, where)) for row in report["restores"]]
    for row in report["restores"]:
        lines += check_lines(row)
    if report["undo"]:
        lines += ["", "## Undo", "", "Takes the caches back to before this run:", "", f"    {report['undo']}"]
    return "\n".join(lines) + "\n"


def other_accounts(report: Report) -> list[tuple[str, str]]:
    """Return the accounts of the instances that are not in the account of the run."""
    found = []
    for row in report["restores"]:
        own = _target.account_of(row)
        if own:
            where = f"{own['domain_name']}, project {own['project_name']} ({own['project_id']})"
            found.append((_target.called(row), f"{where}, region {own['region']}, keys: {own['source']}"))
    return found


def facts(report: Report, where: tzinfo) -> list[tuple[str, str]]:
    """Return the lines about the whole run, escaped."""
    account, rto, rpo = report["account"], report["rto"], report["rpo"]
    found = [
        (
            "Account",
            (
                f"{account['domain_name']}, project {account['project_name']} ({account['project_id']}), "
                f"region {account['region']}"
            ),
        ),
        ("Keys", account["source"]),
        *other_accounts(report),
        ("Restore point", local(report["restore_point"], where)),
        ("Started", local(report["started"], where)),
        ("Finished", local(report["finished"], where) if report["finished"] else "not yet"),
        ("RTO, start until the last check passed", against(rto["seconds"], rto)),
        (
            "RPO, oldest data before the point",
            against(rpo["point_seconds"], rpo if rpo["against"] == "point" else {}),
        ),
        (
            "RPO, oldest data before this run",
            against(rpo["now_seconds"], rpo if rpo["against"] == "now" else {}),
        ),
        ("Plan", report["plan_digest"] or "-"),
    ]
    runs = [
        f"{local(run['started'], where)} {WORDS.get(run['verdict'], run['verdict'])}"
        for run in report["runs"]
    ]
    return [(key, escape(value)) for key, value in found] + [("Runs", escape("; ".join(runs)))]


def against(value: float | None, goal: Row) -> str:
    """Return a duration with its target."""
    if goal.get("target") is None:
        return clock_duration(value)
    word = {True: "met", False: "MISSED", None: "not measured"}[goal["met"]]
    return f"{clock_duration(value)}, target {clock_duration(goal['target'])}: {word}"


def next_lines(report: Report) -> list[str]:
    """Return what to do, for each instance that failed."""
    lines = []
    for row in report["restores"]:
        if row["next"]:
            step = row["next"]
            known = _target.target_id(row) not in (None, _target.called(row))
            identity = f", {escape(_target.target_id(row))}" if known else ""
            lines += ["", f"### {escape(_target.called(row))} ({row['service'].upper()}){identity}", ""]
            lines += [
                f"- What happened: {escape(step['happened'])}",
                f"- State of the data: {escape(step['state'])}",
                f"- Do: {escape(step['do'])}",
            ]
            lines += ["", f"      {step['command']}"] if step["command"] else []
    return ["", "## What to do next", *lines] if lines else []


def cells(row: Row, where: tzinfo) -> list[str]:
    """Return the cells of an instance in the table, escaped."""
    label = f" ({row['label']})" if row["label"] else ""
    ids = row["job_id"] or row["restore_id"] or "-"
    rpo, rto = clock_duration(row["point_seconds"]), clock_duration(row["rto_seconds"])
    called = f"{row['service'].upper()} {_target.called(row)}{label}"
    return [
        escape(text)
        for text in (called, origin(row, where), result(row), STATES[row["data_state"]], rpo, rto, ids)
    ]


def check_lines(row: Row) -> list[str]:
    """Return the table of the checks of an instance."""
    found = checks(row)
    if not found:
        return []
    lines = [
        "",
        f"## Checks of {escape(_target.called(row))}",
        "",
        table_row(["Check", "Expected", "Found", "Result", "Seconds"]),
        table_row(["---"] * 5),
    ]
    return lines + [
        table_row([escape(check[key]) for key in ("name", "expected", "found", "outcome", "seconds")])
        for check in found
    ]


def table_row(texts: t.Sequence[str]) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(texts)} |"


def escape(value: t.Any) -> str:
    """Return a text that Markdown shows as it is: no markup, HTML, entity or link, even a bare address."""
    text = "-" if value is None or value == "" else str(value)
    text = re.sub(r"([\\`*_{}\[\]()<>#!|~&@])", r"\\\1", text)
    return re.sub(r"(?i)\b(https?|ftp):", r"\1\\:", re.sub(r"(?i)\b(www)\.", r"\1\\.", text))


# JUnit


def junit(report: Report) -> str:
    """Return the report as JUnit XML: a suite for each instance, a case for the restore and each check.

    A run that failed although no instance did, for example because it was refused, has a suite of its own.
    """
    root = ElementTree.Element("testsuites", name=title(report))
    for row in report["restores"]:
        suite = ElementTree.SubElement(
            root, "testsuite", name=_target.called(row), timestamp=report["started"][:19]
        )
        properties = ElementTree.SubElement(suite, "properties")
        for key in ("service", "region", "restore_id", "job_id", "data_time", "data_state"):
            ElementTree.SubElement(properties, "property", name=key, value=str(row[key] or "unknown"))
        where = f"{row['service']}.{_target.called(row)}"
        restore_case(suite, row, where)
        for check in checks(row):
            check_case(suite, check, where)
        count(suite)
    if report["failed"] and root.find(".//error") is None and root.find(".//failure") is None:
        suite = ElementTree.SubElement(
            root, "testsuite", name=title(report), timestamp=report["started"][:19]
        )
        this = case(suite, "run", report["kind"], report["elapsed"])
        ElementTree.SubElement(this, "error", type=report["verdict"], message=report["msg"])
        count(suite)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key) or 0) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def case(suite: ElementTree.Element, called: str, where: str, took: float | None) -> ElementTree.Element:
    """Return a new case of a suite."""
    return ElementTree.SubElement(suite, "testcase", name=called, classname=where, time=f"{took or 0:.3f}")


def restore_case(suite: ElementTree.Element, row: Row, where: str) -> None:
    """Add the restore itself: an error if it failed and no check says so, skipped if it was not done."""
    this = case(suite, "restore", where, row["elapsed"])
    reported = row["failed_step"] == "verify" and any(check["outcome"] != "passed" for check in checks(row))
    if row["error_kind"] and not reported:
        problem = ElementTree.SubElement(this, "error", type=row["error_kind"], message=str(row["msg"] or ""))
        problem.text = "\n".join(f"{key}: {value}" for key, value in (row["next"] or {}).items() if value)
    elif row["outcome"] in ("planned", "started") or (row["outcome"] is None and not row["error_kind"]):
        ElementTree.SubElement(this, "skipped", message=result(row))


def check_case(suite: ElementTree.Element, check: Row, where: str) -> None:
    """Add a check: a failure if the data are wrong, an error if they could not be checked."""
    this = case(suite, str(check["name"] or check["kind"]), where, check["seconds"])
    if check["outcome"] != "passed":
        tag = "failure" if check["outcome"] == "failed" else "error"
        text = check["msg"] or f"expected {check['expected']}, found {check['found']}"
        ElementTree.SubElement(
            this, tag, type=str(check["outcome"]), message=text
        ).text = f"expected: {check['expected']}\nfound: {check['found']}"


def count(suite: ElementTree.Element) -> None:
    """Set the counts of a suite."""
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(one.find(tag) is not None for one in cases)))
    suite.set("time", f"{sum(float(one.get('time') or 0) for one in cases):.3f}")
