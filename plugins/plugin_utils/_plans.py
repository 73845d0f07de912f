# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans: the digest of what would be overwritten, and whether an earlier plan still holds.

Private to this collection.

A plan is the report of a run in check mode. Its digest covers what would be done to which instance, and
nothing that changes by itself. All functions are pure: the time is a parameter.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import called as with_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import bare, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import (
    NAMED_BY,
    PAIR,
    Row,
    account_of,
    backup_id,
    backup_module,
    called,
    id_or_name,
    is_kind,
    is_row,
    milliseconds,
    same,
    same_name,
    same_source,
    service_of,
    source_id,
    target_id,
    target_name,
    time_ms,
)

Plan = t.Mapping[str, t.Any]
SCHEMA_VERSION = 1  # of a report, which a plan is
# What a whole plan's checksum leaves out: `account` is compared with that of the run
UNSEALED = ("account", "checksum", "files", "problem")
EDITED = "it was edited after it was made: its content does not match its digest. Make it again"
ENTRY = ("service", "region", "profile", "group", "label")  # keys of a row, the same for all services


# The digest


def digested(rows: t.Iterable[Plan], account: Plan | None, safety_backup: bool) -> dict[str, t.Any]:
    """Return what a plan does, for its digest.

    That is: what is overwritten with what, where, in which order, and with which undo.
    """
    known = {name: value for name, value in (account or {}).items() if value != "unknown"}
    return {
        "version": SCHEMA_VERSION,
        "project_id": known.get("project_id"),
        "region": known.get("region"),
        "safety_backup": safety_backup and any(backup_module(row) for row in rows),
        "restores": sorted(
            (row_effect(row) for row in rows), key=lambda one: json.dumps(one, sort_keys=True)
        ),
    }


def row_effect(row: Plan) -> dict[str, t.Any]:
    """Return what one row does, without `action`: a restore that is done or running does not change the plan.

    The account of a row is there only if it differs from that of the run.
    """
    place = {"profile": row.get("profile"), "project": account_of(row).get("project_id")}
    found = {
        "service": row["service"],
        "region": row.get("region"),
        "group": row.get("group"),
        "target": target_id(row),
        "refused": row.get("error_kind"),
    }
    nodes = pairs(row.get("data_node_relations") or [])
    job = row.get("job_id") if row.get("action") in ("adopt", "nothing") and not nodes else None
    what = {
        "backup": backup_id(row),
        "operation_id": row.get("operation_id"),
        "metadata": row.get("metadata"),
    }
    where = {name: value for name, value in place.items() if value not in (None, "", "unknown")}
    more = {"source": source_id(row), "time": time_ms(row), "nodes": nodes, "job": job}
    return {**found, **where, **what, **more}


def pairs(relations: t.Iterable[Plan]) -> list[tuple[str, ...]]:
    """Return which data node is restored onto which, in an order that is always the same."""
    return sorted(tuple(bare(pair.get(name)) for name in PAIR) for pair in relations)


def digest(rows: t.Sequence[Plan], account: Plan | None, safety_backup: bool) -> str:
    """Return the SHA-256 of what a plan does, in hexadecimal."""
    text = json.dumps(
        digested(rows, account, safety_backup), sort_keys=True, separators=(",", ":"), default=str
    )
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def checksum(plan: Plan) -> str:
    """Return the SHA-256 of a whole plan, in hexadecimal: whoever edits what its digest leaves out means
    something, too. It is the same however a tool writes the JSON, 2.0 as 2 for example.
    """
    sealed = {name: value for name, value in plan.items() if name not in UNSEALED}
    plain = json.loads(json.dumps(sealed, default=str), parse_float=json_number)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def json_number(text: str) -> float:
    """Return a number in JSON, as a whole one if it is one."""
    found = float(text)
    return int(found) if found.is_integer() else found


# An earlier plan


def unusable(plan: t.Any, version: str, safety_backup: bool, kind: str) -> str | None:
    """Return why a run of this kind can never carry out a plan, or None."""
    rows = plan.get("restores") if isinstance(plan, t.Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, t.Mapping) and service_of(row) for row in rows):
        return "it is not a plan of this collection: run with --check or --tags plan to make one"
    if plan.get("schema_version") != SCHEMA_VERSION or plan.get("collection_version") != version:
        made = printable(plan.get("collection_version"))
        return f"version {made} of the collection made it, but this is version {version}: make it again"
    if not plan.get("check_mode"):
        return "it is the report of a run, not a plan: run with --check or --tags plan to make one"
    made_by = "restore" if plan.get("kind") == "plan" else printable(plan.get("kind"))
    if made_by != kind:
        return f"it is the plan of the playbook {made_by}, but this is {kind}: make it with {kind}"
    if plan.get("verdict") == "refused" and not any(row.get("error_kind") for row in rows):
        return f"the run that was to make it was refused: {printable(plan.get('msg')).rstrip('.')}"
    whole = is_kind(plan.get("account"), dict) and all(is_row(row) for row in rows)
    if not whole or plan.get("checksum") not in (None, checksum(plan)):
        return EDITED
    digests = {saved: digest(rows, plan.get("account"), saved) for saved in (True, False)}
    if plan.get("plan_digest") not in digests.values():
        return EDITED
    if plan.get("plan_digest") != digests[safety_backup]:
        return (
            "restore_safety_backup had another value when the plan was made: give the same value, or make "
            "the plan again"
        )
    bad = [called(row) for row in rows if row.get("error_kind")]
    if bad:
        return (
            f"it holds targets that could not be planned ({', '.join(bad[:3])}): correct that and make "
            "it again"
        )
    return None


def another_ticket(plan: Plan, operation_id: str | None) -> str | None:
    """Return why a run with this operation ID must not carry out a plan, or None: a plan of an earlier ticket
    may be done already.
    """
    planned = plan.get("operation_id")
    if operation_id is None or str(planned) == operation_id:
        return None
    made = f"with restore_operation_id {printable(planned)}" if planned else "without restore_operation_id"
    return f"it was made {made}, but this run has {printable(operation_id)}: make it again"


def requests(plan: Plan) -> list[Row]:
    """Return the rows that carry out a plan, each exactly as planned."""
    return [request(row) for row in plan["restores"]]


def request(row: Plan) -> Row:
    """Return a planned row as a request for exactly this."""
    found: Row = {name: row[name] for name in ENTRY if row.get(name) is not None}
    service = SERVICES[row["service"]]
    more = {**chosen(row, service), "job_id": row["job_id"] if is_job(row) else None, "adopt": None}
    found.update(more, name=target_name(row))
    return {name: value for name, value in found.items() if value is not None}


def is_job(row: Plan) -> bool:
    """Whether a row attaches to the job of an earlier run, which decides all the rest."""
    return bool(row.get("job_id")) and row.get("action") in ("adopt", "nothing")


def chosen(row: Plan, service: Service) -> Row:
    """Return the options of a row as its plan has chosen them, with IDs instead of names."""
    given = {name: row.get(name) for name in service.options}
    ends = [(service.names, target_id(row))]
    ends += [] if service.in_place else [(NAMED_BY, source_id(row))]
    for (by_id, by_name), ident in ends:
        given.update({by_id: ident, by_name: None if ident else given[by_name]})
    found = service.pinned(given, dict(row))
    return {name: value for name, value in found.items() if value not in (None, [], False)}


def differences(old: Plan, rows: t.Sequence[Plan], account: Plan | None) -> list[str]:
    """Return what has changed since a plan was made, a line each."""
    lines = account_changes(old, account)
    planned = {key(row): row for row in old["restores"]}
    current = {key(row): row for row in rows}
    lines += [f"{one_of(row)}: is not in the plan" for one, row in current.items() if one not in planned]
    lines += [f"{one_of(row)}: is only in the plan" for one, row in planned.items() if one not in current]
    for one, row in current.items():
        if one in planned:
            lines += [f"{called(planned[one])}: {change}" for change in changes(planned[one], row)]
    return lines


def one_of(row: Plan) -> str:
    """Return an instance for people, which another one of its name may have replaced."""
    ident = target_id(row)
    return with_id(ident, target_name(row)) if ident else called(row)


def account_changes(old: t.Any, account: Plan | None) -> list[str]:
    """Return how the account of a plan or a report differs from this one, a line each."""
    lines = []
    for name in ("project_id", "region", "domain_id"):
        before, now = ((old or {}).get("account") or {}).get(name), (account or {}).get(name)
        if all(value not in (None, "unknown") for value in (before, now)) and before != now:
            lines.append(f"{name}: {printable(before)} in the earlier run, but {printable(now)} in this one")
    return lines


def key(row: Plan) -> tuple[t.Any, ...]:
    """Return the key by which two rows of two plans are the same target."""
    return row["service"], target_id(row) or target_name(row) or row.get("job_id")


def changes(old: Plan, new: Plan) -> t.Iterator[str]:
    """Yield what has changed about one target since the plan."""
    if new.get("error_kind"):
        yield f"can no longer be restored, {new['error_kind']}: {new.get('msg')}"
        return
    if old.get("error_kind"):
        yield "could not be planned, but can be now"
    if target_name(new) and not same_name(target_name(old), target_name(new)):
        yield f"is called {printable(target_name(new))} now"
    if old.get("action") == "nothing" and new.get("action") == "restore":
        yield "needed nothing when it was planned, but would be overwritten now"
    before, now = row_effect(old), row_effect(new)
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
    "profile": "profile",
    "project": "project",
}


def others(plan: Plan, rows: t.Iterable[Plan], random: bool = False) -> list[str]:
    """Return which entries of this run are not in a plan, which rows of the plan no entry names, and where
    they request something else than the plan.

    A run with a plan needs no entries. `random`: each run chooses a point of its own.
    """
    entries = list(rows)
    if not entries:
        return []
    planned = plan["restores"]
    lines = [
        f"{called(row)}: is not in the plan" for row in entries if not any(same(row, one) for one in planned)
    ]
    lines += [
        f"{called(row)}: is in the plan with another profile"
        for row in entries
        if any(same(row, one) and (row.get("profile") or None) != one.get("profile") for one in planned)
    ]
    for row in entries:
        for one in planned:
            lines += contradictions(row, one, random) if same(row, one) else []
    return lines + [
        f"{called(one)}: is only in the plan" for one in planned if not any(same(row, one) for row in entries)
    ]


def contradictions(entry: Plan, row: Plan, random: bool) -> t.Iterator[str]:
    """Yield what an entry requests expressly, and its row in a plan does not have. A job decides the rest."""
    if entry.get("job_id"):
        return
    asked, planned, backup = row_effect(entry), row_effect(row), row.get("backup") or {}
    found = [(WORDS[name], asked[name], planned[name]) for name in ("operation_id", "nodes")]
    found.append(("backup_name", entry.get("backup_name"), backup.get("backup_name")))
    if not same_id(entry.get("backup_id"), backup.get("backup_id")):
        found.append(("backup_id", entry.get("backup_id"), backup.get("backup_id")))
    ends = [(id_or_name(entry, "source", kind), id_or_name(row, "source", kind)) for kind in (0, 1)]
    if not same_source(entry, row):
        found += [("source", wanted, before) for wanted, before in ends if before]
    for point in () if random else ("restore_point", "restore_time"):
        wanted, before = milliseconds(entry.get(point)), milliseconds(row.get(point))
        if wanted is not None and wanted != before:
            found.append((point, entry[point], row.get(point)))
    for word, wanted, before in found:
        if wanted and wanted != before:
            yield f"{called(row)}: the entry has {word} {printable(wanted)}, but the plan {printable(before)}"
