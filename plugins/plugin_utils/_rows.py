# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows on their way through restore_start: from the input, planned, pinned, started, and shown to people.

Private to this collection.

All functions are pure: they return new rows, and the time is a parameter.
"""

from __future__ import annotations

import difflib
import typing as t
from collections import Counter

from ansible.module_utils.common.text.formatters import bytes_to_human
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE, boolean

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
    NotRestorable,
    OutcomeUnknown,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import called, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    bare,
    check_ids,
    iso,
    same_id,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import Result, Row, failure
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import check
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import TARGET_KEYS
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import NAMED_BY, same_name

OWN = {
    "service",
    "region",
    "profile",
    "project_id",
    "label",
    "name",
    "group",
    "timezone",
    "checks",
    "connection",
}
FROM_TASKS = {*_row.KEYS, "steps"}  # a key of rows that have been through a task
SCALARS = (str, int, float)
BOOLEANS = {str(value).lower() for value in BOOLEANS_TRUE | BOOLEANS_FALSE}
TWICE = "{} would be overwritten more than once: name each instance once."
Subject = tuple[t.Optional[str], t.Optional[tuple[t.Any, t.Any]]]


class Misnamed(NotRestorable):
    """The `name` of a row is not that of its instance."""

    kind = "name_mismatch"


class RowResult(t.NamedTuple):
    """The result of the module of one row, when it began (epoch seconds), and how many seconds it took."""

    result: Result
    at: float
    seconds: float


# From the input


def from_input(entries: t.Sequence[t.Mapping[str, t.Any]]) -> list[Row]:
    """Return entries as rows. Raises InvalidArgument for input that can never be right."""
    for number, entry in enumerate(entries):
        _row.check_entry(entry, number, list(SERVICES))
        _row.refuse_passwords(entry, number)
        check_ids(entry.get("target") or {}, f"restores[{number}].target.")
        refuse_unknown(entry, number)
        refuse_wrong_types(entry, number, SERVICES[entry["service"]].options)
        refuse_contradiction(entry, number)
    return [_row.complete(entry) for entry in entries]


def refuse_unknown(entry: t.Mapping[str, t.Any], number: int) -> None:
    """Raise InvalidArgument for an unknown key: a mistyped one must not be ignored silently."""
    known = {*OWN, *FROM_TASKS}.union(*(service.options for service in SERVICES.values()))
    for name in entry:
        if name not in known:
            near = difflib.get_close_matches(str(name), sorted(known), 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise InvalidArgument(f"restores[{number}] has an unknown key: {quoted(name)}.{hint}")


def refuse_wrong_types(entry: t.Mapping[str, t.Any], number: int, spec: Spec) -> None:
    """Raise InvalidArgument for a value that its option cannot have, or for an invalid ID."""
    given = {name: entry[name] for name in spec if entry.get(name) is not None}
    for name, value in given.items():
        kind = spec[name]["type"]
        if kind == "list":
            refuse_wrong_list(value, f"restores[{number}].{name}", spec[name])
        elif kind == "str" and not isinstance(value, SCALARS):
            raise InvalidArgument(f"restores[{number}].{name} must be text, not a {type(value).__name__}.")
        elif kind == "bool" and str(value).lower() not in BOOLEANS:
            raise InvalidArgument(f"restores[{number}].{name} must be true or false, not {quoted(value)}.")
    check_ids(typed(given, spec), f"restores[{number}].")


def refuse_wrong_list(value: t.Any, where: str, option: dict[str, t.Any]) -> None:
    """Raise InvalidArgument unless a value is a list of dicts with the keys of its option."""
    names = option.get("options", {})
    good = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    if not good or any(item.keys() != names.keys() for item in value if names):
        raise InvalidArgument(f"{where} must be a list of dictionaries, each with {' and '.join(names)}.")


def refuse_contradiction(entry: t.Mapping[str, t.Any], number: int) -> None:
    """Raise InvalidArgument for a row that a task has returned, and that names another instance or backup
    since: what was planned would be restored, or the old result returned.
    """
    service, backup = SERVICES[entry["service"]], entry.get("backup") or {}
    found = {name: backup.get(name) for name in ("backup_id", "backup_name")}
    for end, names in (("source", NAMED_BY), ("target", service.names)):  # of a cache, both have these names
        found.update({name: (entry.get(end) or {}).get(key) for name, key in zip(names, NAMED_BY)})
    for option, known in found.items():
        given = entry.get(option) if entry.get("action") else None
        same = same_id(str(given), str(known)) if option.endswith("_id") else str(given) == known
        if given and known and not same:
            raise InvalidArgument(
                f"restores[{number}].{option} is {quoted(given)}, but the task that returned this row has "
                f"found {quoted(known)}. For another restore, give a new row without the keys that tasks add."
            )


def typed(options: t.Mapping[str, t.Any], spec: Spec) -> Row:
    """Return options with the types of their module: YAML may have turned an ID into a number."""
    found = dict(options)
    for name, value in options.items():
        kind = spec[name]["type"]
        if value is None:
            found[name] = spec[name].get("default")
        elif kind == "str" and not isinstance(value, str):
            found[name] = str(value)
        elif kind == "bool" and not isinstance(value, bool):
            found[name] = boolean(value)
    return found


def request(row: Row, repeated: t.Collection[Subject], conflicting: t.Mapping[str, str]) -> Row:
    """Return the options for the module of a row; those of a planned row are what was planned.

    Raises InvalidArgument if they cannot be right, if several rows would overwrite the same instance, or if
    one row overwrites what another reads (`conflicting`).
    """
    service = SERVICES[row["service"]]
    target = overwritten(row)
    if subject(row) in repeated:
        raise InvalidArgument(TWICE.format(target))
    conflict = why_conflicting(row, conflicting)
    if conflict:
        raise InvalidArgument(conflict)
    others = {name for other in SERVICES.values() for name in other.options} - set(service.options)
    foreign = [name for name in row if name in others and row[name] is not None]
    if foreign:
        raise InvalidArgument(f"{', '.join(foreign)} cannot be used with service {row['service']}.")
    given = {name: row.get(name) for name in service.options}
    options = typed(
        service.pinned(with_found_ids(given, row), row) if row["action"] else given, service.options
    )
    check(options, service.options, service.rules)
    return options


def with_found_ids(options: Row, row: Row) -> Row:
    """Return the options of a planned row with the IDs that were found for the names."""
    found = dict(options)
    for name, known in (("target_instance", row["target"]), ("instance", row["source"])):
        instance_id = (known or {}).get("instance_id")
        if instance_id and found.get(f"{name}_name"):
            found.update({f"{name}_name": None, f"{name}_id": instance_id})
    return found


def overwritten(row: Row) -> str | None:
    """Return the ID of the instance that a row overwrites, or of the job that does so, if it is known."""
    return (row["target"] or {}).get("instance_id") or SERVICES[row["service"]].overwritten(row)


def subject(row: Row) -> Subject:
    """Return what a row overwrites: an ID as it is compared, or a name with its place."""
    target = overwritten(row)
    if target in (row.get("instance_name"), row.get("target_instance_name")):
        return target, (row["region"], row["profile"])
    return target and bare(target), None


def repeated(rows: t.Sequence[Row]) -> set[Subject]:
    """Return the instances that more than one row would overwrite."""
    found = Counter(subject(row) for row in rows)
    return {one for one, count in found.items() if one[0] and count > 1}


def touched(row: Row) -> tuple[set[str], set[str]]:
    """Return the IDs of the instances and data nodes that a row reads, and of those that it overwrites."""
    nodes = row["data_node_relations"] or []
    read = [(row["source"] or {}).get("instance_id") or row.get("instance_id")]
    read += [node.get("source_instance_id") for node in nodes]
    written = [overwritten(row), *(node.get("target_instance_id") for node in nodes)]
    return {bare(one) for one in read if one}, {bare(one) for one in written if one}


def conflicts(rows: t.Sequence[Row]) -> dict[str, str]:
    """Return what one row reads and another overwrites: its ID as it is compared, and what people call it."""
    found = [touched(row) for row in rows if startable(row)]
    readers = Counter(one for read, _dummy in found for one in read)
    conflicting = {one for read, written in found for one in written if readers[one] > (one in read)}
    named = sorted((pair for row in rows for pair in known(row)), key=lambda pair: pair[1] is not None)
    names = {bare(ident): called(ident, name) for ident, name in named}
    return {one: names[one] for one in conflicting}


def known(row: Row) -> t.Iterator[tuple[str, str | None]]:
    """Yield the ID of each instance and data node of a row as it is written, with the name if it is known."""
    nodes = row["data_node_relations"] or []
    idents = [overwritten(row), row.get("instance_id"), *(ident for node in nodes for ident in node.values())]
    yield from ((ident, None) for ident in idents if ident)
    for end in (row["source"] or {}, row["target"] or {}):
        if end.get("instance_id"):
            yield end["instance_id"], end.get("instance_name")


def why_conflicting(row: Row, conflicting: t.Mapping[str, str]) -> str | None:
    """Return why a row cannot be restored beside the others, or None: it reads or overwrites one of
    `conflicting`.
    """
    one = min(set[str]().union(*touched(row)).intersection(conflicting), default=None)
    return one and (
        f"One row reads {conflicting[one]}, and another overwrites it, so the order would decide which data "
        "are restored. Restore them in two runs, one after the other. In the second, name a time before the "
        "first one, because latest may mean other data by then."
    )


def startable(row: Row) -> bool:
    """Whether restore_start plans and starts a row: it has neither failed nor been started before."""
    return not row["error_kind"] and row["outcome"] in (None, "planned")


# With a plan


def planned(row: Row, made: RowResult) -> Row:
    """Return a row with its plan: what would overwrite what. A step `plan` is recorded once."""
    found, at, seconds = made
    before = any(step.get("step") == "plan" and step.get("outcome") == "ok" for step in row["steps"])
    if not found.get("outcome"):
        return _row.failed(row, "restore" if before else "plan", found, at, seconds)
    row = with_module_result(row, found)
    row = {**row, "what": what(row), "outcome": "unchanged", "action": "nothing"}
    if found["changed"]:
        row.update(outcome="planned", action="adopt" if found["adopted"] else "restore")
    return row if before else _row.with_step(row, "plan", "ok", at, seconds)


def with_module_result(row: Row, found: Result) -> Row:
    """Return a row with its module's result for the restore."""
    row = _row.merged(row, found)
    point = row["restore_time"] if isinstance(row["restore_time"], int) else None
    job = row["job"] or {}
    target = job.get("instance_id") or overwritten(row)
    return {
        **row,
        "changed": bool(found.get("changed")),
        "target": row["target"] or {**dict.fromkeys(TARGET_KEYS), "instance_id": target},
        "source": row["source"] or {"instance_id": row.get("instance_id"), "instance_name": None},
        "data_time": row["data_time"] or (iso(point) if point is not None else None),
    }


def refusals(rows: t.Sequence[Row], given: t.Sequence[Row]) -> dict[int, CloudError]:
    """Return why planned rows must not be started: a wrong name, another row that overwrites the same or
    overwrites what this one reads, or an earlier plan to attach to a restore that has ended since.

    `given` are the rows that the task was given.
    """
    meant = [row for row in rows if row["outcome"] == "planned" or row["error_kind"] == "invalid_argument"]
    instances = repeated(meant)  # with those that were refused because several name one instance
    conflicting = conflicts(rows)
    taken: dict[str, str] = {}
    found: dict[int, CloudError] = {}
    for number, (before, row) in enumerate(zip(given, rows)):
        if row["outcome"] != "planned":
            continue
        target = str(overwritten(row))
        nodes = [pair["target_instance_id"] for pair in row["data_node_relations"] or []]
        wrong = misnamed(row)
        why = (
            why_ended(before, row)
            or (TWICE.format(target) if subject(row) in instances else None)
            or why_conflicting(row, conflicting)
            or why_taken(nodes, taken)
        )
        if wrong:
            found[number] = Misnamed(wrong)
        elif why:
            found[number] = NotRestorable(why)
        else:
            taken.update(dict.fromkeys(map(bare, nodes), target))
    return found


def why_ended(before: Row, row: Row) -> str | None:
    """Return why a row must not be started although its plan was to attach to a restore, or None."""
    if before["action"] != "adopt" or row["action"] != "restore":
        return None
    return (
        f"The plan was to attach to restore {before['restore_id']} of {overwritten(row)}, which has ended "
        "since. Another restore would overwrite what was written after it. Make a new plan if you want that."
    )


def why_taken(nodes: t.Sequence[str], taken: t.Mapping[str, str]) -> str | None:
    """Return why a row must not overwrite its data nodes, which another row has `taken`, or None."""
    clash = next((node for node in nodes if bare(node) in taken), None)
    return clash and (
        f"The row for {taken[bare(clash)]} overwrites data node {clash}, too. Give data_node_relations for "
        "both rows, with different data nodes."
    )


def misnamed(row: Row) -> str:
    """Return why the `name` of a row is not the instance's name in the cloud, or ''."""
    wanted, found = row.get("name"), (row["target"] or {}).get("instance_name")
    if not wanted or same_name(wanted, found):
        return ""
    why = f"is called {quoted(found)} in the cloud" if found else "has no name that could be read"
    return (
        f"The row has the name {quoted(wanted)}, but the instance "
        f"{(row['target'] or {}).get('instance_id')} {why}."
    )


def in_turn(rows: t.Sequence[Row], numbers: t.Iterable[int]) -> list[list[int]]:
    """Return groups of row numbers. The rows of a group start one after another.

    Otherwise their jobs could be mistaken for each other.
    """
    groups: dict[t.Any, list[int]] = {}
    for number in numbers:
        turn = SERVICES[rows[number]["service"]].turn(rows[number])
        groups.setdefault(number if turn is None else turn, []).append(number)
    return list(groups.values())


# Started


def started(row: Row, made: RowResult) -> Row:
    """Return a planned row with the result of its start."""
    found, at, seconds = made
    if not found.get("outcome"):
        return _row.failed(row, "restore", found, at, seconds)
    row = {**with_module_result(row, found), "outcome": found["outcome"], "adopted": found["adopted"]}
    return _row.with_step(row, "restore", "ok", at, seconds)


def taken_twice(rows: t.Sequence[Row], at: float) -> list[Row]:
    """Return the rows. If several have the same job, the outcome of those that adopted it is unknown."""
    jobs = Counter(row["job_id"] for row in rows if row["job_id"] and row["outcome"])
    text = (
        "No conclusive response was received, and the job that was found, {}, belongs to another of these "
        "restores. Check the instance in the console before you do anything else."
    )
    return [
        _row.failed(row, "restore", failure(OutcomeUnknown(text.format(row["job_id"]))), at)
        if row["adopted"] and row["outcome"] and jobs[row["job_id"]] > 1
        else row
        for row in rows
    ]


# For people


def what(row: Row) -> str | None:
    """Return the data that overwrite an instance, always in the same words."""
    backup, source, point = row["backup"], (row["source"] or {}), row["restore_time"]
    if backup and backup.get("backup_id"):
        size = bytes_to_human(backup["size"] or 0)
        when = backup["created_at"] or "at an unknown time"
        return f"backup {backup['backup_name']} ({backup['backup_id']}, {size}, made {when})"
    if isinstance(point, int):
        kind = "metadata" if row.get("metadata") else "data"
        name = source.get("instance_name") or source.get("instance_id")
        return f"{kind} of {name} as of {iso(point)[:19]}Z"
    if row["job_id"]:
        return f"what job {row['job_id']} restores"
    return f"backup {row['backup_id']}" if row.get("backup_id") else None
