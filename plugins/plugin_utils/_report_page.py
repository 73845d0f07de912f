# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as one HTML page that loads nothing else: no script, no font, no picture.

Private to this collection.

model() turns a report into the texts and percentages that the template shows; the template only places them.
It is rendered in its own environment, because Ansible's `template` does not escape HTML.
"""

from __future__ import annotations

import functools
import json
import os
import typing as t
from datetime import tzinfo

import jinja2
import markupsafe

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _target
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report import Report, planning
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_advice import (
    BEFORE,
    MARKS,
    STATES,
    TONES,
    WORDS,
    clock_duration,
    names_of,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_text import (
    checks,
    local,
    origin,
    result,
    title,
    zone,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_timeline import (
    LEGEND,
    Scale,
    groups,
    rto_target,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import (
    account_of,
    backup_id,
    backup_module,
    called,
    target_id,
)

Row = t.Mapping[str, t.Any]
Model = dict[str, t.Any]

TEMPLATES = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "roles", "restore", "templates"
)
COLUMNS = {
    True: ("Overwritten with", "Data older than the point", "Restore took last time", "Result"),
    False: ("Restored from", "Data older than the point", "Restore took", "Verified after (RTO)", "Result"),
}
RECORDS = ("backup", "restore", "job", "newer_backup", "details")
MET_TONES = {True: "ok", False: "warn", None: ""}  # of a figure, by whether it meets its target
SLOWER = 1.25  # A restore that takes this many times its last one is marked.


@functools.cache
def template() -> jinja2.Template:
    """Return the template of the page."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(
        autoescape=True, loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("report.html.j2")


def html(report: Report) -> str:
    """Return the page of a report."""
    return template().render(r=model(report), data=embedded(report))


def embedded(report: Report) -> markupsafe.Markup:
    """Return the report as JSON that no HTML parser takes for markup.

    It has no empty values and none of the API's own records, which are in the JSON file.
    """
    rows = [{key: value for key, value in row.items() if key not in RECORDS} for row in report["restores"]]
    text = json.dumps(filled({**report, "restores": rows}), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return markupsafe.Markup(text)


def filled(value: t.Any) -> t.Any:
    """Return a value without the null and empty parts in it."""
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items() if inner not in (None, [], {})}
    return [filled(inner) for inner in value] if isinstance(value, list) else value


# The page


def model(report: Report) -> Model:
    """Return what the template shows."""
    where, rows, plan = zone(report), report["restores"], planning(report)
    scale = Scale(report, where)
    return {
        "title": title(report),
        "mark": MARKS[report["verdict"]],
        "word": WORDS[report["verdict"]],
        "tone": TONES.get(report["verdict"], "bad"),
        "sentence": report["msg"],
        "problem": report["problem"],
        "notes": report["notes"],
        "facts": facts(report, where),
        "tiles": (plan_tiles if plan else tiles)(report),
        "next": [next_card(row) for row in rows if row["next"]],
        "plan": plan,
        "zone": str(where),
        "ticks": scale.ticks,
        "target_x": scale.target_x,
        "rto_target": rto_target(report, scale),
        "groups": [] if plan or not has_timeline(rows) else groups(rows, scale),
        "legend": list(LEGEND.items()),
        "columns": COLUMNS[plan],
        "rows": [
            table_row(row, report, where) for row in sorted(rows, key=lambda row: not row["error_kind"])
        ],
        "undo": report["undo"],
        "references": references(report),
        "runs": [run_line(run, where) for run in report["runs"]],
        "made": (
            f"huaweicloud.recovery {report['collection_version']}, report {report['id']}, schema "
            f"{report['schema_version']}."
        ),
    }


def has_timeline(rows: t.Sequence[Row]) -> bool:
    """Whether a run came far enough for a timeline."""
    return any(
        step["step"] not in BEFORE for row in rows for step in row["steps"] if step["outcome"] != "skipped"
    )


def facts(report: Report, where: tzinfo) -> list[tuple[str, str]]:
    """Return the lines below the verdict."""
    account, approval = report["account"], report["approval"]
    ended = "not yet"
    if report["finished"]:
        ended = f"{local(report['finished'], where)}, after {clock_duration(report['elapsed'])}"
    found = [
        ("Restore point", local(report["restore_point"], where) if report["restore_point"] else None),
        ("Started", local(report["started"], where)),
        ("Ended", ended),
        ("Account", account["domain_name"]),
        ("Project", f"{account['project_name']} ({account['project_id']})"),
        ("Region", account["region"]),
        ("Keys", account["source"]),
        ("Plan", report["plan_digest"][:19] if report["plan_digest"] else None),
        ("Approved", f"{approval.get('how')}, {local(approval.get('at'), where)}" if approval else None),
    ]
    return [(key, value) for key, value in found if value]


def tile(name: str, value: t.Any, of: t.Any, note: str, tone: str = "") -> dict[str, t.Any]:
    """Return one figure: its value, its target or total, and a line about it."""
    return {"name": name, "value": value, "of": of, "note": note, "tone": tone}


def tiles(report: Report) -> list[dict[str, t.Any]]:
    """Return the four figures of a run."""
    rows, rto = report["restores"], report["rto"]
    good = [row for row in rows if row["data_state"] == "overwritten_verified" and not row["error_kind"]]
    failed = [row for row in rows if row["error_kind"]]
    complete = len(good) == len(rows)
    ongoing = ", or are in progress" if report["verdict"] == "running" else ""
    if failed:
        tone, note = "bad", f"{len(failed)} failed: {names_of(failed)}"
    elif complete:
        tone, note = "ok", ""
    else:
        tone, note = "warn", f"{'the others' if good else 'the instances'} have no checks{ongoing}"
    last = max(good, key=lambda row: row["rto_seconds"] or 0, default=None)
    late = f"{called(last)} was last. " if last else ""
    took = rto["seconds"] if rto["seconds"] is not None else last and last["rto_seconds"]
    why = "an earlier run restored some instances" if complete else "some instances are not verified"
    partly = f"Not complete: {why}." if rto["seconds"] is None else ""
    return [
        tile("Verified", len(good), len(rows), note, tone),
        tile(
            "RTO: start until the last check passed",
            clock_duration(took),
            goal(rto),
            late + partly,
            MET_TONES[rto["met"]],
        ),
        rpo_tile(report),
        undo_tile(rows),
    ]


def goal(one: Row) -> str | None:
    """Return the target of a figure, or None."""
    return None if one["target"] is None else clock_duration(one["target"])


def rpo_tile(report: Report) -> dict[str, t.Any]:
    """Return the age of the oldest data: before the requested point, and before the run."""
    rpo = report["rpo"]
    if rpo["against"] == "point":
        name, key = "RPO: oldest data, before the requested point", "point_seconds"
        other, text = rpo["now_seconds"], "before the start of this run"
    else:
        name, key = "RPO: oldest data, before this run", "now_seconds"
        other, text = rpo["point_seconds"], "before the requested point"
    limit = rpo["target"]
    late = [row for row in report["restores"] if limit is not None and (row[key] or 0) > limit]
    note = f"Missed by {names_of(late)}. " if late else ""
    if other is not None:
        note += f"{clock_duration(other)} {text}."
    return tile(name, clock_duration(rpo[key]), goal(rpo), note, MET_TONES[rpo["met"]])


def undo_tile(rows: t.Sequence[Row]) -> dict[str, t.Any]:
    """Return how many instances can be taken back to before the run."""
    caches = [row for row in rows if backup_module(row)]
    saved = sum(bool(row["safety_backup"]) for row in caches)
    note = "Databases: their sources are not changed."
    if caches:
        note = "caches, from safety backups. Sources of databases are not changed."
    return tile("Can be undone", saved, len(caches), note, "ok" if saved == len(caches) else "warn")


def plan_tiles(report: Report) -> list[dict[str, t.Any]]:
    """Return the four figures of a plan."""
    rows = report["restores"]
    good = [row for row in rows if not row["error_kind"]]
    known = [row["last_seconds"] for row in good if row["last_seconds"] is not None]
    bad = len(rows) - len(good)
    longest = max(known, default=None)
    note = "the longest last restore of these instances" if known else "no earlier restore is known"
    return [
        tile(
            "Can be restored",
            len(good),
            len(rows),
            f"{bad} cannot" if bad else "nothing has been sent",
            "bad" if bad else "ok",
        ),
        tile("Down for about", clock_duration(longest), goal(report["rto"]), note),
        rpo_tile(report),
        tile(
            "Newer backup exists",
            sum(bool(row["newer_backup"]) for row in rows),
            len(rows),
            "made after the requested point; the plan names it",
        ),
    ]


def next_card(row: Row) -> dict[str, t.Any]:
    """Return what to do for an instance that failed."""
    step = row["next"]
    lines = [("What happened", step["happened"]), ("State of the data", step["state"]), ("Do", step["do"])]
    return {
        "name": f"{called(row)} ({row['service'].upper()})",
        "state": result(row),
        "facts": lines,
        "command": step["command"],
    }


def run_line(run: Row, where: tzinfo) -> str:
    """Return a line about a run of this report."""
    return f"{local(run['started'], where)}: {WORDS.get(run['verdict'], run['verdict'])}"


def references(report: Report) -> list[tuple[str, str]]:
    """Return the IDs that the console and a support ticket need."""
    found = [("Project", report["account"]["project_id"])]
    for row in report["restores"]:
        ids = (
            ("project", account_of(row).get("project_id")),
            ("job", row["job_id"]),
            ("restore", row["restore_id"]),
            ("request", row["request_id"]),
            ("safety backup", ", ".join(_target.safety_backups(row))),
        )
        text = ", ".join(f"{key} {value}" for key, value in ids if value)
        if text:
            found.append((called(row), text))
    return found


# The table


def table_row(row: Row, report: Report, where: tzinfo) -> dict[str, t.Any]:
    """Return an instance as the table shows it."""
    took, limit = restore_seconds(row), report["rpo"]["target"]
    age = row[f"{report['rpo']['against']}_seconds"]
    shown = checks(row)
    return {
        "name": called(row),
        "label": row["label"],
        "id": "" if target_id(row) in (None, called(row)) else target_id(row),
        "what": what(row),
        "bad": bool(row["error_kind"]),
        "from": origin(row, where),
        "from_id": backup_id(row) or (row["source"] or {}).get("instance_id") or "",
        "newer": newer(row, where),
        "nodes": [
            f"{pair.get('target_instance_id')} from {pair.get('source_instance_id')}"
            for pair in row["data_node_relations"] or []
        ],
        "point": clock_duration(row["point_seconds"]),
        "now": "" if row["now_seconds"] is None else f"{clock_duration(row['now_seconds'])} before this run",
        "over": limit is not None and (age or 0) > limit,
        "last": "" if row["last_seconds"] is None else clock_duration(row["last_seconds"]),
        "took": clock_duration(took),
        "slow": percent_slower(took, row["last_seconds"]),
        "rto": clock_duration(row["rto_seconds"]),
        "state": STATES[row["data_state"]],
        "result": result(row),
        "why": row["error_kind"],
        "checks": [check_row(check) for check in shown],
        "passed": sum(check["outcome"] == "passed" for check in shown),
    }


def what(row: Row) -> str:
    """Return the kind of the instance, as far as it is known."""
    target = row["target"] or {}
    engine = " ".join(str(target[key]) for key in ("engine", "engine_version") if target.get(key))
    used = ""
    if target.get("used_memory") is not None:
        used = f"{target['used_memory']} of {target.get('max_memory') or '?'} MB used"
    return ", ".join(text for text in (row["service"].upper(), engine, used, target.get("vpc_name")) if text)


def newer(row: Row, where: tzinfo) -> str | None:
    """Return the next usable backup after the one that is restored."""
    backup = row["newer_backup"]
    if not backup:
        return None
    name = backup.get("backup_name") or backup.get("backup_id")
    return f"next after it: {name}, {local(backup.get('created_at'), where)}"


def restore_seconds(row: Row) -> float | None:
    """Return how long the last restore took, from its start step to the end of its wait; None on failure."""
    begin = max((number for number, step in enumerate(row["steps"]) if step["step"] == "plan"), default=0)
    names = ("restore", "wait")
    steps = [one for one in row["steps"][begin:] if one["step"] in names and one["outcome"] != "skipped"]
    if not steps or steps[-1]["outcome"] == "failed":
        return None
    return sum(float(step.get("seconds") or 0) for step in steps)


def percent_slower(took: float | None, last: float | None) -> int | None:
    """Return by how many percent a restore was slower than its last one; None if not by much."""
    return round(100 * (took / last - 1)) if took and last and took > SLOWER * last else None


def check_row(check: Row) -> dict[str, t.Any]:
    """Return a check as the page shows it."""
    took = "" if check["seconds"] is None else f"{1000 * check['seconds']:.0f} ms"
    texts = {key: "-" if check[key] is None else str(check[key]) for key in ("expected", "found")}
    return {
        "what": check["name"] or check["kind"],
        **texts,
        "took": took,
        "ok": check["outcome"] == "passed",
        "outcome": check["outcome"],
        "msg": check["msg"],
    }
