# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of the role as rows: one for each instance that is to be overwritten.

Private to this collection.

It finds all problems of all entries at once, without a request. All functions are pure: the time is a
parameter.
"""

from __future__ import annotations

import contextlib
import difflib
import typing as t
from collections import defaultdict
from zoneinfo import ZoneInfo

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import (
    bare,
    is_id,
    is_id_option,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import ladder
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _settings as read
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import Problem, Variables
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import (
    NAMED_BY,
    PAIR,
    answers_to,
    undoable,
)

Row = dict[str, t.Any]
Reader = t.Callable[[t.Any, str], t.Any]
INSTANCES = "restore_instances"
LISTS = (*(service.variable for service in SERVICES.values()), INSTANCES)


class Defaults(t.NamedTuple):
    """Values for every entry without its own."""

    point: str | None  # `latest` or ISO 8601 UTC
    operation_id: str | None
    zone: ZoneInfo | None
    now_ms: int


class Found(t.NamedTuple):
    """The rows, the names whose service is not known yet, and all problems, one sentence each."""

    rows: list[Row]
    names: list[str]
    problems: list[str]


def read_entries(variables: Variables, defaults: Defaults) -> Found:
    """Return the rows of the services' lists, and the names in restore_instances."""
    wanted, rows, names = read.given(variables), [], []
    problems: list[str] = []
    for service in sorted(SERVICES.values(), key=lambda one: one.group):
        name = service.variable
        if wanted.get(name) is read.UNREAD:
            continue
        try:
            listed = read.entries(wanted.get(name, []), name)
        except Problem as problem:
            problems.append(str(problem))
            continue
        for place, entry in enumerate(listed):
            row, wrong = row_of(entry, f"{name}[{place}]", service, defaults)
            rows.append(row)
            problems += wrong
    unread = [name for name in LISTS if wanted.get(name) is read.UNREAD]
    try:
        names = [] if INSTANCES in unread else read.names(wanted.get(INSTANCES, []), INSTANCES)
    except Problem as problem:
        problems.append(str(problem))
    if names and defaults.point is None:
        problems.append("restore_instances needs restore_point: a time, or latest.")
    if not (rows or names or problems or unread):
        problems.append(f"There is nothing to restore: name an instance in {either(LISTS)}.")
    return Found(rows, names, [*problems, *twice(rows, names)])


def left_out(variables: Variables) -> list[str]:
    """Return a warning for each list with entries that say nothing: each may stand for one that was meant."""
    found = []
    for service in SERVICES.values():
        value = variables.get(service.variable)
        with contextlib.suppress(Problem):  # which is reported
            listed = read.items(value, "", "") if isinstance(value, (str, list)) and value else []
            found += [
                f"{service.variable}[{place}] is blank, so it was left out."
                for place, one in enumerate(listed)
                if read.unset(one) or (isinstance(one, t.Mapping) and not read.given(one))
            ]
    return found


def row_of(entry: Variables, where: str, service: Service, defaults: Defaults) -> tuple[Row, list[str]]:
    """Return the row for an entry of a service as far as it is readable, and its problems."""
    options = read.given(entry)
    readers = READERS[service.name]
    problems = [unknown_option(name, where, service) for name in options if name not in readers]
    values: Row = {}
    zone = defaults.zone
    if "timezone" in options:
        try:
            zone = read.zone(options.pop("timezone"), f"{where}.timezone")
        except Problem as problem:
            problems.append(str(problem))
    for name in [name for name in options if name in readers]:
        value, place = options[name], f"{where}.{name}"
        try:
            if name in TIMES:
                values[name] = read.point(value, place, zone, defaults.now_ms)
            else:
                values[name] = readers[name](value, place)
        except Problem as problem:
            problems.append(str(problem))
    tried = {**options, **values}  # An option that cannot be read is not also missing.
    problems += [f"{where} {problem}" for problem in broken_rules(tried, service, defaults)]
    problems += unverifiable(values, where, service)
    return completed(service, values, tried, defaults), problems


def unverifiable(values: Row, where: str, service: Service) -> t.Iterator[str]:
    """Yield why the checks of an entry cannot run. To find this out after the restore would be too late."""
    try:
        ladder.checks_of(values, service, where)
    except InvalidArgument as error:
        yield read.without_note(error)


def completed(service: Service, values: Row, tried: Row, defaults: Defaults) -> Row:
    """Return an entry as a row, with the values for all entries and the modules' names of options."""
    row: Row = {"service": service.name, "group": service.group, **values}
    if not {service.point, *service.instead} & set(tried) and defaults.point:
        row[service.point] = defaults.point
    if "operation_id" in service.options and defaults.operation_id:
        row.setdefault("operation_id", defaults.operation_id)
    options = {name: option for option, name in service.entry_names.items()}
    return {options.get(name, name): value for name, value in row.items()}


# Required options


def broken_rules(entry: Row, service: Service, defaults: Defaults) -> t.Iterator[str]:
    """Yield the rules of the module that an entry breaks, in the names of an entry's options."""
    for names in spelled(service, "mutually_exclusive"):
        given = [name for name in names if name in entry]
        if len(given) > 1:
            yield f"has {' and '.join(given)}: give only one of them."
    for names in spelled(service, "required_one_of"):
        if service.point not in names and not set(names) & set(entry):
            yield f"needs {either(names)}."
    for source, target in zip(service.entry_names.values(), service.names):
        if entry.get(source, 0) == entry.get(target, 1):
            yield f"names one instance, {quoted(entry[target])}, as both source and target."
    if not any(entry.get(name) for name in service.needs) and defaults.point is None:
        yield f"needs {either(service.needs)}, or restore_point for all entries."


def spelled(service: Service, rule: str) -> list[list[str]]:
    """Return the groups of options in a rule of the module, as an entry names them."""
    return [[service.entry_names.get(name, name) for name in names] for names in service.rules.get(rule, ())]


def either(names: t.Sequence[str]) -> str:
    """Return names for a sentence: a, b or c."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def unknown_option(name: str, where: str, service: Service) -> str:
    """Return the problem for an option that does not exist."""
    near = difflib.get_close_matches(name, sorted(READERS[service.name]), 1)
    near = [service.entry_names[name]] if name in service.entry_names else near  # as the module calls it
    hint = f" Did you mean {near[0]}?" if near else ""
    for other in SERVICES.values():
        if name == other.point:
            hint = f" {name} belongs to {other.variable}: a {service.thing} has {service.point}."
    return f"{where} has an unknown option {quoted(name)}.{hint}"


def twice(rows: t.Sequence[Row], names: t.Sequence[str]) -> list[str]:
    """Return a problem for each instance that more than one entry would overwrite."""
    written: dict[tuple[t.Any, ...], list[str]] = defaultdict(list)
    for row in rows:
        for instance, spelt in overwritten(row):
            written[instance].append(spelt)
    for name in names:
        written[(NAMED_BY[1], name, None, None)].append(name)
    return [
        f"{quoted(spelt[0])} would be overwritten by {len(spelt)} entries: name each instance once."
        for spelt in written.values()
        if len(spelt) > 1
    ]


def overwritten(row: Row) -> t.Iterator[tuple[tuple[t.Any, ...], str]]:
    """Yield the known facts about the instance that a row overwrites, as they are compared, and as written.

    A fact is the ID or the name, with the place.
    """
    for kind, name in zip(NAMED_BY, SERVICES[row["service"]].names):
        if row.get(name):
            known = bare(row[name]) if kind == NAMED_BY[0] else row[name]
            yield (kind, known, row.get("region"), row.get("profile")), row[name]


# The options of an entry, each with its reader


def instance_id(value: t.Any, where: str) -> str:
    """Return an ID of the API."""
    found = read.word(value, where)
    if not is_id(found):
        option = where.rpartition(".")[2]
        named = "instance" in option and "data_node_relations" not in where
        by_name = f" A name goes into {option[:-3]}_name." if named else ""
        raise Problem(f"{where} {quoted(found)} is not an ID: letters, digits, '-' and '_'.{by_name}")
    return found


def relations(value: t.Any, where: str) -> list[dict[str, str]]:
    """Return which data node is restored onto which."""
    example = f"{{{', '.join(f'{name}: ...' for name in PAIR)}}}"
    pairs = [read.given(pair) for pair in read.entries(value, where, example)]
    if any(pair.keys() != set(PAIR) for pair in pairs):
        raise Problem(f"{where} must be a list of dictionaries, each with {' and '.join(PAIR)}.")
    found = [{name: instance_id(pair[name], f"{where}.{name}") for name in PAIR} for pair in pairs]
    nodes = [node for pair in found for node in pair.values()]
    for node in nodes:
        if [*map(bare, nodes)].count(bare(node)) > 1:
            raise Problem(f"{where} has {node} more than once.")
    return found


def checks(value: t.Any, where: str) -> list[dict[str, t.Any]]:
    """Return checks as dictionaries. restore_verify reads their content, in which a blank is no less than a
    value: without it nothing would be checked.
    """
    found = read.without_omitted([dict(check) for check in read.dictionaries(value, where, "{ping: true}")])
    return [check for check in found if check]


def connection(value: t.Any, where: str) -> dict[str, t.Any]:
    """Return how to connect to an instance for its checks."""
    if not isinstance(value, t.Mapping):
        raise Problem(f"{where} must be a dictionary, not a {read.type_word(value)}.")
    return read.given(value)


def group(value: t.Any, where: str) -> int:
    """Return the group of an entry, a number."""
    return read.number(value, where, 0, 1000)


COMMON: dict[str, Reader] = {
    "group": group,
    "label": read.word,
    "name": read.named,
    "region": read.word,
    "profile": read.word,
    "timezone": read.zone,
    "checks": checks,
    "connection": connection,
}
PROJECT = "project_id"  # of a host: the project in which the inventory has listed it
POINT = "restore_point"  # holds for every entry without its own
READINESS = "readiness"  # the kind of run that only reads


def reader_of(name: str, option: t.Mapping[str, t.Any]) -> Reader:
    """Return the reader of a module's option in an entry. A type that no option has yet needs one here."""
    text = instance_id if is_id_option(name) else read.named
    kinds: dict[str, Reader] = {"str": text, "bool": read.flag, "list": relations}
    return kinds[option["type"]]


def readers_of(service: Service) -> dict[str, Reader]:
    """Return the options of an entry of a service, each with its reader."""
    own = {
        service.entry_names.get(name, name): reader_of(name, option)
        for name, option in service.options.items()
    }
    return {**own, **COMMON}


READERS = {service.name: readers_of(service) for service in SERVICES.values()}
TIMES = {service.point for service in SERVICES.values()}


# Other kinds of runs


def of_undo(report: Row | None, operation_id: str | None) -> tuple[list[Row], list[str]]:
    """Return the rows that restore the safety backups of a report, or why there are none."""
    listed = report["restores"] if report else []
    saved = [row for row in listed if row.get("safety_backup")]
    whole = all(row["safety_backup"].get("backup_id") and row.get("service") in SERVICES for row in saved)
    if not report or not whole:
        return [], ["restore_report must be a report of this collection, its path or its data."]
    if report.get("check_mode"):
        return [], ["The report is that of a plan, which overwrites nothing. Give the report of the restore."]
    changed = [row for row in saved if undoable(row)]
    if not changed:
        return [], [
            "The report has no safety backup to go back to: no cache was overwritten, or none was backed up. "
            "A database is restored onto another instance, and its source is not changed."
        ]
    return [undone(row, operation_id or f"undo {report['id']}"[:64]) for row in changed], []


def undone_but_not_named(found: Found, rows: t.Sequence[Row]) -> list[str]:
    """Return a problem if an undo, with these rows, would overwrite more instances than its entries name.
    Databases are among the entries of the restore alone, and most often there are none.
    """
    named = {*found.names, *(row[kind] for row in found.rows for kind in NAMED_BY if kind in row)}
    caches = found.names or any(SERVICES[row["service"]].in_place for row in found.rows)
    left = [
        str(row["name"] or row["instance_id"])
        for row in rows
        if not any(answers_to(one, row["instance_id"], row["name"]) for one in named)
    ]
    if not caches or not left:
        return []
    return [
        f"The report also has safety backups of {', '.join(map(printable, left))}, which the entries do not "
        "name. An undo restores all caches of the report. To restore only some, run the playbook restore "
        "with the backup_id of each from the report."
    ]


def undone(row: t.Mapping[str, t.Any], operation_id: str) -> Row:
    """Return the row that restores the safety backup of a row."""
    target = row.get("target") or {}
    here = {name: row[name] for name in ("region", "profile", "label") if row.get(name)}
    return {
        "service": row["service"],
        "group": SERVICES[row["service"]].group,
        **here,
        "name": target.get("instance_name"),
        "instance_id": target.get("instance_id") or row.get("instance_id"),
        "backup_id": row["safety_backup"]["backup_id"],
        "operation_id": operation_id,
    }


def for_newest_data(row: Row) -> Row:
    """Return a row as one for a new restore of the newest data, whatever its entry says: what an earlier run
    has restored does not show whether a restore would work now.
    """
    service = SERVICES[row["service"]]
    earlier = (*service.instead, "adopt", "operation_id")
    new = {key: value for key, value in row.items() if key not in earlier}
    why = None
    if row.get("metadata"):
        why = (
            "The entry restores metadata to a time of its own, but readiness asks for the newest data. Check "
            "the entry with the playbook restore and --check, and leave it out here."
        )
    elif not any(new.get(name) for name in service.names):
        why = f"The entry names only job {row['job_id']}. Name its source and target, too."
    if why:
        return {**row, **failed_entry(row.get("label") or row.get("job_id") or "", service.name, why)}
    if "operation_id" in service.options:
        new["operation_id"] = READINESS  # so no marker of a restore is that of this row
    return {**new, service.point: "latest"}


# Hosts of an inventory

OF_A_HOST = {"service", PROJECT, POINT, *NAMED_BY, *COMMON}.union(
    *(service.options for service in SERVICES.values())
)


def of_host(host: str, variables: Variables, defaults: Defaults) -> Row:
    """Return the row for a host of a fleet. It has failed if the host is not an instance.

    The host is the source instance.
    """
    given = read.given(variables)
    name = str(given.get("service") or "")
    service = SERVICES.get(name)
    if service is None:
        why = f"{host} cannot be restored: its variable service is not {either([*SERVICES])}."
        return failed_entry(host, name, why)
    names = {*COMMON, *service.options} & {*READERS[name]} - {*NAMED_BY}  # These belong to the host itself.
    entry = {one: given[one] for one in names if one in given}
    kind = NAMED_BY[0] if given.get(NAMED_BY[0]) else NAMED_BY[1]  # An inventory may give a host both.
    entry[service.entry_names.get(kind, kind)] = given.get(kind)
    if host == given.get(NAMED_BY[1]) and service.in_place:  # The instance may have another name by now.
        entry.setdefault("name", host)
    if POINT in given and not {service.point, *service.instead} & set(entry):
        entry[service.point] = given[POINT]
    # All hosts are in one group.
    row, problems = row_of({"group": 1, **entry, "label": host}, host, service, defaults)
    try:  # a host is restored in no other project than the one in which it was listed
        listed_in = {PROJECT: instance_id(given[PROJECT], f"{host}.{PROJECT}")} if PROJECT in given else {}
    except Problem as problem:
        problems.append(str(problem))
    return failed_entry(host, name, " ".join(problems)) if problems else {**row, **listed_in}


def failed_entry(host: str, service: str, msg: str) -> Row:
    """Return the failed row of a host, for which no request is sent."""
    failed = {"error_kind": "invalid_argument", "failed_step": "plan", "outcome": None, "changed": False}
    return {"service": service, "label": host, **failed, "msg": f"{msg} Nothing was started.", "steps": []}


# Names whose service is not known


def by_name(
    names: t.Sequence[str], instances: t.Mapping[str, t.Sequence[Row]], defaults: Defaults
) -> tuple[list[Row], list[str]]:
    """Return the rows for names of caches, and the problems.

    `instances` has the instances of each service, as its info module lists them.
    """
    rows, problems = [], []
    for name in names:
        matches = [
            (service, one)
            for service in SERVICES
            for one in instances.get(service, ())
            if answers_to(name, one.get("instance_id") or one.get("id"), one.get("name"))
        ]
        problem = no_cache(name, matches, instances)
        if problem:
            problems.append(problem)
            continue
        service, one = SERVICES[matches[0][0]], matches[0][1]
        values = {service.names[0]: one["instance_id"]}
        # also known if it has no plan
        target = {"instance_id": one["instance_id"], "instance_name": one.get("name")}
        rows.append({**completed(service, values, values, defaults), "target": target})
    return rows, problems


def no_cache(
    name: str, matches: t.Sequence[tuple[str, Row]], instances: t.Mapping[str, t.Sequence[Row]]
) -> str | None:
    """Return why a name does not name exactly one cache, or None."""
    if len(matches) > 1:
        listed = "; ".join(candidate(service, one) for service, one in matches)
        return (
            f"restore_instances: {quoted(name)} is the name of {len(matches)} instances: {listed}. Give "
            "the ID instead."
        )
    if not matches:
        known = [str(one.get("name")) for rows in instances.values() for one in rows]
        near = difflib.get_close_matches(name, known, 3)
        hint = f" Did you mean {', '.join(quoted(one) for one in near)}?" if near else ""
        return f"restore_instances: there is no instance {quoted(name)} in this project and region.{hint}"
    service = SERVICES[matches[0][0]]
    if not service.in_place:
        return (
            f"restore_instances: {quoted(name)} is a {service.name.upper()} instance. It is restored onto "
            f"another instance: name both in {service.variable}."
        )
    return None


def candidate(service: str, one: Row) -> str:
    """Return an instance with the facts that distinguish it from others."""
    known = [one.get("instance_id") or one.get("id"), one.get("status"), one.get("vpc_name")]
    return f"{service.upper()} {', '.join(printable(item) for item in known if item)}"
