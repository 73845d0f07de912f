# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role is to restore, as rows: one for each instance that is to be overwritten.

Private to this collection.

All problems of all entries are found at once, without a request. All functions are pure: the time is a
parameter.
"""

from __future__ import annotations

import difflib
import typing as t
from collections import Counter
from zoneinfo import ZoneInfo

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import ladder
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _settings as read
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import Problem, Variables, shown

Row = dict[str, t.Any]
Reader = t.Callable[[t.Any, str], t.Any]
GROUPS = {"ddm": 1, "dcs": 2}  # databases before the caches that are filled from them
PAIR = {"source_instance_id", "target_instance_id"}
HINT = {
    "restore_dcs": "restore_time belongs to restore_ddm: a cache has restore_point.",
    "restore_ddm": "restore_point belongs to restore_dcs: a database has restore_time.",
}


class Defaults(t.NamedTuple):
    """What holds for every entry without its own."""

    point: str | None  # `latest` or ISO 8601 UTC
    operation_id: str | None
    zone: ZoneInfo | None
    now_ms: int


class Found(t.NamedTuple):
    """Rows, names of which the service is not known yet, and every problem, a sentence each."""

    rows: list[Row]
    names: list[str]
    problems: list[str]


def found(variables: Variables, defaults: Defaults) -> Found:
    """Return what restore_dcs, restore_ddm and restore_instances say."""
    wanted, rows, names = read.given(variables), [], []
    problems: list[str] = []
    for name, service in (("restore_ddm", "ddm"), ("restore_dcs", "dcs")):
        try:
            listed = read.entries(wanted.get(name, []), name)
        except Problem as problem:
            problems.append(str(problem))
            continue
        for place, entry in enumerate(listed):
            row, wrong = row_of(entry, f"{name}[{place}]", service, defaults)
            rows.append(row)
            problems += wrong
    try:
        names = read.names(wanted.get("restore_instances", []), "restore_instances")
    except Problem as problem:
        problems.append(str(problem))
    if names and defaults.point is None:
        problems.append("restore_instances needs restore_point: a time, or latest.")
    if not (rows or names or problems):
        problems.append(
            "There is nothing to restore: name it in restore_dcs, restore_ddm or restore_instances."
        )
    return Found(rows, names, [*problems, *twice(rows, names)])


def row_of(entry: Variables, where: str, service: str, defaults: Defaults) -> tuple[Row, list[str]]:
    """Return the row for an entry of restore_dcs or restore_ddm,
    as far as it can be read, and its problems.
    """
    options = read.given(entry)
    readers = READERS[service]
    problems = [unknown(name, where, readers) for name in options if name not in readers]
    values: Row = {}
    zone = defaults.zone
    if "timezone" in options:
        try:
            zone = read.zone(options.pop("timezone"), f"{where}.timezone")
        except Problem as problem:
            problems.append(str(problem))
    for name, value in options.items():
        if name in readers:
            try:
                values[name] = (
                    times(value, f"{where}.{name}", zone, defaults)
                    if name in TIMES
                    else readers[name](value, f"{where}.{name}")
                )
            except Problem as problem:
                problems.append(str(problem))
    tried = {**options, **values}  # an option that cannot be read is not missing as well
    rules = dcs_rules if service == "dcs" else ddm_rules
    problems += [f"{where} {problem}" for problem in rules(tried, defaults)]
    problems += unverifiable(values, where, service)
    return completed(service, values, tried, defaults), problems


def unverifiable(values: Row, where: str, service: str) -> t.Iterator[str]:
    """Yield why the checks of an entry cannot be made:
    after the restore it would be too late to find that out.
    """
    try:
        ladder.wanted(values, SERVICES[service], where)
    except InvalidArgument as error:
        yield str(error)


def times(value: t.Any, where: str, zone: ZoneInfo | None, defaults: Defaults) -> str:
    """Return a point in time."""
    return read.point(value, where, zone, defaults.now_ms)


def completed(service: str, values: Row, tried: Row, defaults: Defaults) -> Row:
    """Return an entry as a row: with what holds for all, and the names of options that the modules have."""
    row: Row = {"service": service, "group": GROUPS[service], **values}
    if service == "dcs":
        if not {"backup_id", "backup_name", "restore_point"} & set(tried) and defaults.point:
            row["restore_point"] = defaults.point
        if "operation_id" not in row and defaults.operation_id:
            row["operation_id"] = defaults.operation_id
        return row
    if not {"restore_time", "job_id", "metadata"} & set(tried) and defaults.point:
        row["restore_time"] = defaults.point
    for kind in ("id", "name"):
        if f"source_instance_{kind}" in row:
            row[f"instance_{kind}"] = row.pop(f"source_instance_{kind}")
    return row


# What an entry must have


def dcs_rules(entry: Row, defaults: Defaults) -> t.Iterator[str]:
    """Yield what is wrong with an entry of restore_dcs."""
    yield from one_of(entry, ("instance_id", "instance_name"))
    own = [name for name in ("backup_id", "backup_name", "restore_point") if name in entry]
    if len(own) > 1:
        yield f"has {' and '.join(own)}: give one of them."
    if not own and defaults.point is None:
        yield "needs backup_id, backup_name or restore_point, or restore_point for all entries."


def ddm_rules(entry: Row, defaults: Defaults) -> t.Iterator[str]:
    """Yield what is wrong with an entry of restore_ddm."""
    if "job_id" in entry:
        return  # the job says the rest
    yield from one_of(entry, ("source_instance_id", "source_instance_name"))
    yield from one_of(entry, ("target_instance_id", "target_instance_name"))
    for kind in ("id", "name"):
        if entry.get(f"source_instance_{kind}", 0) == entry.get(f"target_instance_{kind}", 1):
            yield f"has one instance, {shown(entry[f'target_instance_{kind}'])}, as source and as target."
    if not {"restore_time", "metadata"} & set(entry) and not entry.get("adopt") and defaults.point is None:
        yield "needs restore_time, or restore_point for all entries."


def one_of(entry: Row, names: tuple[str, str]) -> t.Iterator[str]:
    """Yield a problem unless exactly one of two options is there."""
    count = sum(name in entry for name in names)
    if count != 1:
        yield (
            f"has both {names[0]} and {names[1]}: give one." if count else f"needs {names[0]} or {names[1]}."
        )


def unknown(name: str, where: str, readers: t.Mapping[str, Reader]) -> str:
    """Return the problem for an option that does not exist."""
    variable = where.partition("[")[0]
    near = difflib.get_close_matches(name, sorted(readers), 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    if name in ("restore_time", "restore_point"):
        hint = f" {HINT[variable]}"
    return f"{where} has an unknown option {shown(name)}.{hint}"


def twice(rows: t.Sequence[Row], names: t.Sequence[str]) -> list[str]:
    """Return a problem for each instance that more than one entry would overwrite."""
    targets = Counter(target for row in rows for target in overwritten(row))
    targets.update(("instance_name", name, None, None) for name in names)
    return [
        f"{shown(target[1])} would be overwritten by {count} entries: name each instance once."
        for target, count in targets.items()
        if count > 1
    ]


def overwritten(row: Row) -> t.Iterator[tuple[t.Any, ...]]:
    """Yield what is known of the instance that a row overwrites: its id or its name, and where it is."""
    prefix = "" if row["service"] == "dcs" else "target_"
    for kind in ("instance_id", "instance_name"):
        if row.get(prefix + kind):
            yield kind, row[prefix + kind], row.get("region"), row.get("profile")


# The options of an entry, each with what reads it


def instance_id(value: t.Any, where: str) -> str:
    """Return an id of the API."""
    found = read.word(value, where)
    if not is_id(found):
        by_name = (
            " An instance is found by its name with the option that ends in _name."
            if "instance" in where
            else ""
        )
        raise Problem(f"{where} {shown(found)} is not an id: letters, digits, '-' and '_'.{by_name}")
    return found


def relations(value: t.Any, where: str) -> list[dict[str, str]]:
    """Return which data node is restored onto which."""
    pairs = [read.given(pair) for pair in read.entries(value, where)]
    if any(pair.keys() != PAIR for pair in pairs):
        raise Problem(f"{where} must be a list of dictionaries, each with {' and '.join(sorted(PAIR))}.")
    return [{name: instance_id(pair[name], f"{where}.{name}") for name in sorted(PAIR)} for pair in pairs]


def checks(value: t.Any, where: str) -> list[dict[str, t.Any]]:
    """Return checks as dictionaries; restore_verify knows what is in them."""
    return [dict(check) for check in read.entries(value, where)]


def connection(value: t.Any, where: str) -> dict[str, t.Any]:
    """Return how to reach an instance for its checks."""
    if not isinstance(value, t.Mapping):
        raise Problem(f"{where} must be a dictionary, not a {read.kind_of(value)}.")
    return read.given(value)


def group(value: t.Any, where: str) -> int:
    """Return the number of the group that an entry is restored with."""
    return read.number(value, where, 0, 1000)


COMMON: dict[str, Reader] = {
    "group": group,
    "label": read.word,
    "name": read.word,
    "region": read.word,
    "profile": read.word,
    "timezone": read.zone,
    "checks": checks,
    "connection": connection,
}
READERS: dict[str, dict[str, Reader]] = {
    "dcs": {
        **COMMON,
        "instance_id": instance_id,
        "instance_name": read.word,
        "backup_id": instance_id,
        "backup_name": read.word,
        "restore_point": read.word,
        "remark": read.word,
        "operation_id": read.word,
    },
    "ddm": {
        **COMMON,
        "source_instance_id": instance_id,
        "source_instance_name": read.word,
        "target_instance_id": instance_id,
        "target_instance_name": read.word,
        "restore_time": read.word,
        "data_node_relations": relations,
        "job_id": instance_id,
        "adopt": read.flag,
        "metadata": read.flag,
    },
}
TIMES = ("restore_point", "restore_time")


# Other kinds of runs


def of_undo(report: t.Any, operation_id: str | None) -> tuple[list[Row], list[str]]:
    """Return the rows that restore the safety backups of a report, and why there are none."""
    listed = report.get("restores") if isinstance(report, t.Mapping) else None
    if not isinstance(listed, list) or not all(isinstance(row, t.Mapping) for row in listed):
        return [], ["restore_report must be a report of this collection, its path or its data."]
    kept = [row for row in listed if row.get("safety_backup") and row.get("data_state") != "untouched"]
    if not kept:
        return [], [
            "The report has no safety backup to go back to: nothing was overwritten, or none was made."
        ]
    return [undone(row, operation_id or f"undo {report.get('id')}"[:64]) for row in kept], []


def undone(row: t.Mapping[str, t.Any], operation_id: str) -> Row:
    """Return the row that restores the safety backup of a row."""
    target = row.get("target") or {}
    here = {name: row[name] for name in ("region", "profile", "label") if row.get(name)}
    return {
        "service": "dcs",
        "group": GROUPS["dcs"],
        **here,
        "name": target.get("instance_name"),
        "instance_id": target.get("instance_id") or row.get("instance_id"),
        "backup_id": row["safety_backup"]["backup_id"],
        "operation_id": operation_id,
    }


def newest(row: Row) -> Row:
    """Return a row that asks for the newest data, whatever its entry says."""
    if row.get("job_id") or row.get("error_kind"):
        return row
    name = "restore_point" if row["service"] == "dcs" else "restore_time"
    return {
        **{key: value for key, value in row.items() if key not in ("backup_id", "backup_name")},
        name: "latest",
    }


# Hosts of an inventory

OF_HOST = (*COMMON, "remark", "operation_id")
WITH = {
    "dcs": ("instance_id", "backup_id", "backup_name", "restore_point"),
    "ddm": (
        "target_instance_id",
        "target_instance_name",
        "restore_time",
        "data_node_relations",
        "job_id",
        "adopt",
    ),
}


def of_host(host: str, variables: Variables, defaults: Defaults) -> Row:
    """Return the row that a host of a fleet is; one that is no instance has failed.

    For DDM the host is the source.
    """
    service = str(variables.get("service") or "")
    if service not in READERS:
        return unusable(host, service, f"{host} cannot be restored: it has no service dcs or ddm.")
    names = [name for name in (*OF_HOST, *WITH[service]) if name in READERS[service] and name != "name"]
    entry = {name: variables[name] for name in names if name in variables and not read.unset(variables[name])}
    if service == "ddm":
        entry["source_instance_id"] = variables.get("instance_id")
    row, problems = row_of(
        {"group": 1, **entry, "label": host}, host, service, defaults
    )  # all are started together
    return unusable(host, service, " ".join(problems)) if problems else row


def unusable(host: str, service: str, msg: str) -> Row:
    """Return the row of a host of which nothing is asked of the cloud."""
    failed = {"error_kind": "invalid_argument", "failed_step": "plan", "outcome": None, "changed": False}
    return {"service": service, "label": host, **failed, "msg": f"{msg} Nothing was started.", "steps": []}


# Names of which the service is not known


def by_name(
    names: t.Sequence[str], instances: t.Mapping[str, t.Sequence[Row]], defaults: Defaults
) -> tuple[list[Row], list[str]]:
    """Return the rows for names of caches, and the problems.

    `instances` has those of `dcs` and `ddm` as the info modules list them.
    """
    rows, problems = [], []
    for name in names:
        matches = [
            (service, one)
            for service in ("dcs", "ddm")
            for one in instances.get(service, ())
            if name in (one.get("name"), one.get("instance_id"), one.get("id"))
        ]
        problem = no_cache(name, matches, instances)
        if problem:
            problems.append(problem)
            continue
        values = {"instance_id": matches[0][1]["instance_id"], "restore_point": defaults.point}
        rows.append(completed("dcs", values, values, defaults))
    return rows, problems


def no_cache(
    name: str, matches: t.Sequence[tuple[str, Row]], instances: t.Mapping[str, t.Sequence[Row]]
) -> str | None:
    """Return why a name is not that of one cache, or null."""
    if len(matches) > 1:
        listed = "; ".join(candidate(service, one) for service, one in matches)
        return (
            f"restore_instances: {shown(name)} is the name of {len(matches)} instances: {listed}. Give "
            "the id instead."
        )
    if not matches:
        known = [str(one.get("name")) for rows in instances.values() for one in rows]
        near = difflib.get_close_matches(name, known, 3)
        hint = f" Did you mean {', '.join(shown(one) for one in near)}?" if near else ""
        return f"restore_instances: there is no instance {shown(name)} in this project and region.{hint}"
    if matches[0][0] == "ddm":
        return (
            f"restore_instances: {shown(name)} is a DDM instance. It is restored onto another instance: "
            "name both in restore_ddm."
        )
    return None


def candidate(service: str, one: Row) -> str:
    """Return an instance with what tells it from others."""
    known = [one.get("instance_id") or one.get("id"), one.get("status"), one.get("vpc_name")]
    return f"{service.upper()} {', '.join(printable(item) for item in known if item)}"
