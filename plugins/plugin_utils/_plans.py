# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans: what may be overwritten, the digest of what would be, and whether a plan still holds.

Private to this collection.

A plan is the report of a run in check mode. Its digest covers what would be done and to what, nothing that
changes by itself. All functions are pure: the time is a parameter.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment, whole
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import local_text, span

Row = dict[str, t.Any]
Plan = t.Mapping[str, t.Any]
TAG = "tag:"
SCHEMA_VERSION = 1
ENTRY = ("service", "region", "profile", "group", "label")  # of a row, the same for both services
DIGEST = 16  # characters that people compare; the whole digest is compared by us


# One row


def target_id(row: Plan) -> str | None:
    """Return the id of the instance that a row overwrites, as far as it is known."""
    own = row.get("instance_id") if row.get("service") == "dcs" else row.get("target_instance_id")
    return (row.get("target") or {}).get("instance_id") or own


def target_name(row: Plan) -> str | None:
    """Return the cloud's name of the instance that a row overwrites, as far as it is known."""
    own = row.get("instance_name") if row.get("service") == "dcs" else row.get("target_instance_name")
    return (row.get("target") or {}).get("instance_name") or own


def called(row: Plan) -> str:
    """Return how people know the instance that a row overwrites: by the cloud's name, else its id,
    else the user's label.
    """
    return printable(target_name(row) or target_id(row) or row.get("job_id") or row.get("label") or "?")


def failed(row: Row, step: str, kind: str, msg: str, at_ms: int) -> Row:
    """Return a row that failed in a step of the role."""
    entry = {
        "step": step,
        "outcome": "failed",
        "error_kind": kind,
        "msg": msg,
        "at": iso(at_ms),
        "seconds": 0.0,
    }
    found = {"outcome": None, "failed_step": step, "error_kind": kind, "msg": msg}
    return {**row, **found, "steps": [*(row.get("steps") or []), entry]}


def done(row: Row, step: str, outcome: str, at_ms: int, seconds: float = 0.0) -> Row:
    """Return a row with a step that went well (ok) or did not concern it (skipped)."""
    entry = {"step": step, "outcome": outcome, "error_kind": None, "msg": None, "at": iso(at_ms)}
    return {**row, "steps": [*(row.get("steps") or []), {**entry, "seconds": round(seconds, 1)}]}


# What must not be overwritten


def protection(row: Plan, patterns: t.Sequence[str], tags: t.Mapping[str, t.Any]) -> str | None:
    """Return why a row must not be overwritten, or null.

    `tags` has those of the caches by id, where a pattern asks for them.
    """
    nodes = [relation.get("target_instance_id") for relation in row.get("data_node_relations") or []]
    words = [word for word in (target_name(row), row.get("name"), target_id(row), *nodes) if word]
    if patterns and not target_name(row):
        return "its name could not be read, so nothing shows that restore_protected does not name it."
    for pattern in patterns:
        if pattern.lower().startswith(TAG):
            if row.get("service") == "dcs":
                why = tagged(pattern[len(TAG) :], tags.get(str(target_id(row))))
                if why:
                    return f"restore_protected has {printable(pattern)!r}, and {why}."
        elif any(like(word, pattern) for word in words):
            return f"restore_protected has {printable(pattern)!r}, which is this instance."
    return None


def tagged(pattern: str, tags: t.Any) -> str | None:
    """Return why tags fit `key` or `key=value`; also when they could not be read,
    because then nothing shows that they do not.
    """
    if tags is None:
        return "the tags of this instance could not be read"
    key, with_value, value = pattern.partition("=")
    for found, content in tag_pairs(tags):
        if like(found, key) and (not with_value or like(content, value)):
            return f"this instance has the tag {printable(found)}={printable(content)}"
    return None


def tag_pairs(tags: t.Any) -> list[tuple[str, str]]:
    """Return tags as pairs of key and value, from a dict or from a list of {key, value}."""
    if isinstance(tags, t.Mapping):
        return [(str(key), str(value)) for key, value in tags.items()]
    return [(str(tag.get("key")), str(tag.get("value") or "")) for tag in tags if isinstance(tag, t.Mapping)]


def like(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern with * and ?, in any case: protection errs on the safe side."""
    text, pattern = text.strip().lower(), pattern.strip().lower()
    return text == pattern or fnmatch.fnmatchcase(text, pattern)


def misnamed(row: Plan) -> str | None:
    """Return why the `name` of an entry contradicts the cloud, or null."""
    wanted, found = row.get("name"), (row.get("target") or {}).get("instance_name")
    if not wanted or not found or wanted == found:
        return None
    return (
        f"The instance {target_id(row)} is called {printable(found)!r} in the cloud, "
        f"the entry says name {printable(wanted)!r}: one of them is not the one that is meant."
    )


def too_far(row: Plan, most: int | None, now_ms: int, tz: t.Any) -> str | None:
    """Return why the data of a row lie too far from the point that was asked for, with the nearest backups
    on both sides, or null.
    """
    data = moment(row.get("data_time"))
    if most is None or data is None or row.get("action") == "nothing":
        return None
    asked = asked_ms(row, now_ms)
    gap = (asked - data) / 1000
    if gap <= most:
        return None
    near = [f"before it {backup_words(row.get('backup'), data, tz)}"] if row.get("backup") else []
    newer = row.get("newer_backup")
    if newer:
        near.append(f"after it {backup_words(newer, moment(newer.get('created_at')), tz)}")
    listed = f" Nearest: {'; '.join(near)}." if near else ""
    return f"The data are {span(gap)} older than what was asked for, restore_max_gap is {span(most)}.{listed}"


def asked_ms(row: Plan, now_ms: int) -> int:
    """Return the point in time that a row was asked for, in epoch milliseconds;
    `latest` and none mean now.
    """
    asked = row.get("asked") or row.get("restore_point") or row.get("restore_time")
    found = moment(asked)
    return found if found is not None else whole(asked) or now_ms


def backup_words(backup: t.Any, ms: int | None, tz: t.Any) -> str:
    """Return a backup as a refusal lists it: when, which, and its id."""
    when = local_text(ms, tz) if ms is not None else "at an unknown time"
    name = printable((backup or {}).get("backup_name") or "a backup")
    return f"{name} of {when} (backup_id {printable((backup or {}).get('backup_id'))})"


# The digest


def content(rows: t.Iterable[Plan], account: Plan | None, safety_backup: bool) -> dict[str, t.Any]:
    """Return what a plan does, for its digest: what is overwritten with what, where, in which order,
    and with which undo.
    """
    known = {name: value for name, value in (account or {}).items() if value != "unknown"}
    return {
        "version": SCHEMA_VERSION,
        "project_id": known.get("project_id"),
        "region": known.get("region"),
        "safety_backup": safety_backup and any(row["service"] == "dcs" for row in rows),
        "restores": sorted((effect(row) for row in rows), key=lambda one: json.dumps(one, sort_keys=True)),
    }


def effect(row: Plan) -> dict[str, t.Any]:
    """Return what one row does. `action` is left out: what is done already, or runs, is no other plan."""
    found = {
        "service": row["service"],
        "region": row.get("region"),
        "group": row.get("group"),
        "target": target_id(row),
        "refused": row.get("error_kind"),
    }
    if row["service"] == "dcs":
        return {**found, "backup": backup_id(row), "operation_id": row.get("operation_id")}
    pairs = row.get("data_node_relations") or []
    nodes = sorted((pair["source_instance_id"], pair["target_instance_id"]) for pair in pairs)
    job = row.get("job_id") if row.get("action") == "adopt" and not nodes else None
    return {**found, "source": source_id(row), "time": time_ms(row), "nodes": nodes, "job": job}


def digest(rows: t.Sequence[Plan], account: Plan | None, safety_backup: bool) -> str:
    """Return the SHA-256 of what a plan does, in hexadecimal."""
    text = json.dumps(
        content(rows, account, safety_backup), sort_keys=True, separators=(",", ":"), default=str
    )
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def backup_id(row: Plan) -> t.Any:
    """Return the id of the backup that a row restores."""
    return (row.get("backup") or {}).get("backup_id") or row.get("backup_id")


def source_id(row: Plan) -> t.Any:
    """Return the id of the instance whose data a row restores."""
    return (row.get("source") or {}).get("instance_id") or row.get("instance_id")


def time_ms(row: Plan) -> int | None:
    """Return the restore time of a database in epoch milliseconds."""
    found = moment(row.get("restore_time"))
    return found if found is not None else whole(row.get("restore_time"))


# A plan that was made before


def unusable(plan: t.Any, version: str, safety_backup: bool) -> str | None:
    """Return why a plan cannot be carried out whatever the cloud says, or null."""
    rows = plan.get("restores") if isinstance(plan, t.Mapping) else None
    if not isinstance(rows, list) or not all(
        isinstance(row, t.Mapping) and row.get("service") for row in rows
    ):
        return "it is not a plan of this collection: run with --check or --tags plan to make one"
    if plan.get("schema_version") != SCHEMA_VERSION or plan.get("collection_version") != version:
        made = printable(plan.get("collection_version"))
        return f"it was made by version {made} of the collection, this is {version}: make it again"
    if plan.get("kind") not in ("plan", "fleet", "restore", "drill", "undo") or not plan.get("check_mode"):
        return "it is the report of a run, not a plan: run with --check or --tags plan to make one"
    if (
        digest(rows, plan.get("account"), True)
        != plan.get("plan_digest")
        != digest(rows, plan.get("account"), False)
    ):
        return "it was edited after it was made: its content does not fit its digest. Make it again"
    if digest(rows, plan.get("account"), safety_backup) != plan.get("plan_digest"):
        return "restore_safety_backup was another when it was made: say the same, or make it again"
    bad = [called(row) for row in rows if row.get("error_kind")]
    if bad:
        return (
            f"it holds targets that could not be planned ({', '.join(bad[:3])}): correct that and make "
            "it again"
        )
    return None


def requests(plan: Plan) -> list[Row]:
    """Return the rows that carry out a plan: each target with exactly what the plan says."""
    return [request(row) for row in plan["restores"]]


def request(row: Plan) -> Row:
    """Return a planned row as one that asks for exactly this."""
    found: Row = {name: row[name] for name in ENTRY if row.get(name) is not None}
    found["name"] = target_name(row)
    if row["service"] == "dcs":
        found.update(instance_id=target_id(row), backup_id=backup_id(row))
        more = {name: row.get(name) for name in ("remark", "operation_id")}
    elif row.get("metadata"):
        more = {"instance_id": source_id(row), "target_instance_id": target_id(row), "metadata": True}
    elif row.get("action") == "adopt" or (row.get("job_id") and row.get("action") == "nothing"):
        more = {"job_id": row.get("job_id")}
    else:
        time = time_ms(row)
        more = {
            "instance_id": source_id(row),
            "target_instance_id": target_id(row),
            "restore_time": None if time is None else str(time),
            "data_node_relations": row.get("data_node_relations"),
        }
    found.update({name: value for name, value in more.items() if value not in (None, [])})
    return {name: value for name, value in found.items() if value is not None}


def differences(old: Plan, rows: t.Sequence[Plan], account: Plan | None) -> list[str]:
    """Return what has changed since a plan was made, a line each."""
    lines = elsewhere(old, account)
    planned = {key(row): row for row in old["restores"]}
    current = {key(row): row for row in rows}
    lines += [f"{called(row)}: is not in the plan" for one, row in current.items() if one not in planned]
    lines += [f"{called(row)}: is in the plan only" for one, row in planned.items() if one not in current]
    for one, row in current.items():
        if one in planned:
            lines += [f"{called(planned[one])}: {change}" for change in changes(planned[one], row)]
    return lines


def elsewhere(old: t.Any, account: Plan | None) -> list[str]:
    """Return in what a plan or a report is of another account, a line each."""
    lines = []
    for name in ("project_id", "region", "domain_id"):
        before, now = (old.get("account") or {}).get(name), (account or {}).get(name)
        if {before, now}.isdisjoint({None, "unknown"}) and before != now:
            lines.append(f"{name}: it was made for {printable(before)}, this is {printable(now)}")
    return lines


def key(row: Plan) -> tuple[t.Any, ...]:
    """Return what makes two rows of two plans the same target."""
    return row["service"], target_id(row) or target_name(row) or row.get("job_id")


def changes(old: Plan, new: Plan) -> t.Iterator[str]:
    """Yield what is no longer as planned with one target."""
    if new.get("error_kind"):
        yield f"can no longer be restored, {new['error_kind']}: {new.get('msg')}"
        return
    if old.get("error_kind"):
        yield "could not be planned, and can be now"
    if target_name(old) != target_name(new) and target_name(new):
        yield f"is called {printable(target_name(new))} now"
    if old.get("action") == "nothing" and new.get("action") == "restore":
        yield "needed nothing when it was planned, and would be overwritten now"
    before, now = effect(old), effect(new)
    for name, word in WORDS.items():
        if before.get(name) != now.get(name):
            yield f"{word} {printable(now.get(name))} instead of {printable(before.get(name))}"


WORDS = {
    "backup": "backup",
    "operation_id": "operation_id",
    "source": "source",
    "time": "restore time",
    "nodes": "data nodes",
    "group": "group",
    "region": "region",
}


def others(plan: Plan, rows: t.Iterable[Plan]) -> list[str]:
    """Return which entries of this run are not in a plan, and what of the plan no entry names.

    Entries are not needed beside a plan.
    """
    entries = list(rows)
    if not entries:
        return []
    planned = plan["restores"]
    lines = [
        f"{called(row)}: is not in the plan" for row in entries if not any(same(row, one) for one in planned)
    ]
    return lines + [
        f"{called(one)}: is in the plan only" for one in planned if not any(same(row, one) for row in entries)
    ]


def same(entry: Plan, row: Plan) -> bool:
    """Whether an entry and a planned row are about one target."""
    if entry["service"] != row["service"]:
        return False
    if entry.get("job_id") and entry.get("job_id") == row.get("job_id"):
        return True
    if target_id(entry):
        return target_id(entry) == target_id(row)
    return target_name(entry) is not None and target_name(entry) == target_name(row)
