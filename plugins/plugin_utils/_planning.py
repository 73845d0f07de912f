# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows that a run of the role plans: from its entries, from names, or from an earlier plan.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotFound
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import GOOD
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.names import one_named
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import (
    _entries,
    _options,
    _plans,
    _report_files,
    _target,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._guards import NOTHING, TAG
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._lines import sentence
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._state import Job, Result, State, World
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._target import Row
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._writable import anybody_can_write

FACTS = ("status", "engine", "engine_version", "used_memory", "max_memory", "vpc_name", "port")
# Advice when no report of the approved plan exists to compare with
OTHERS = (
    "A plan with another backup, restore_operation_id or restore_safety_backup has another digest. To "
    "approve this plan, review it and give its digest."
)
MOVES = (
    " For a database, latest is a later time in each new plan. Give a time instead, or, except in a fleet, "
    "also give the approved plan in restore_plan_file."
)
NOT_AGAIN = ("operation_failed", "not_found")  # ends of a job to which a rerun does not attach


def rows_to_plan(job: Job, old: Row | None, run: Row, world: World) -> tuple[list[Row], list[str]]:
    """Return the rows to plan: those of an earlier plan, else those of the entries."""
    if has_earlier_plan(job):
        return from_plan(job, old, run)
    rows, problems = list(job.found.rows), list[str]()
    if job.found.names:
        found, problems = by_name(job, world)
        rows += found
        problems += _entries.twice(rows, [])
    if job.read_only:
        return [_entries.for_newest_data(row) for row in rows], problems
    return going_on(rows, run, job, world), problems


def by_name(job: Job, world: World) -> tuple[list[Row], list[str]]:
    """Return the rows for names of caches, which it looks up in every service.

    Not every region has every service, and not every user may list them. The name of a database would only
    be refused, so the names are looked up without its service then.
    """
    lists: dict[str, t.Any] = {}
    unread = []
    for service in SERVICES.values():
        result = world.call(f"{service.name}_instance_info", {}, check=False)
        if "instances" in result:
            lists[service.name] = result["instances"]
            # An instance that was left out of the list may be one that is named.
            unread += [f"{service.name.upper()}: {printable(text)}" for text in result.get("warnings") or ()]
            continue
        if service.in_place:
            return [], [f"The names in restore_instances cannot be looked up: {result.get('msg')}"]
        unread.append(
            f"The names in restore_instances were not looked up in {service.name.upper()}: "
            f"{printable(result.get('msg'))}"
        )
    options, now = job.options, world.now_ms()
    operation_id = _options.operation_of(options, now, job.kind)
    defaults = _entries.Defaults(options.point, operation_id, options.timezone, now)
    rows, problems = _entries.by_name(job.found.names, lists, defaults)
    if not problems:
        world.say(unread)
    return rows, problems + unread if problems else []


# An earlier plan


def has_earlier_plan(job: Job) -> bool:
    """Whether this run carries out an earlier plan."""
    return (job.options.plan is not None or job.options.plan_file is not None) and not job.plan_only


def forgeable(options: _options.Options) -> str | None:
    """Return why a plan file approves nothing, or None. Its checksum reveals damage, not a forgery: only its
    digest does, or a person who reads it in this run.
    """
    if options.plan is not None or options.plan_digest or options.confirm:
        return None
    open_to = anybody_can_write(str(options.plan_file))
    return open_to and (
        f"{open_to}, so it may have been changed since it was approved. Also give restore_plan_digest, or "
        "make a new plan where nobody else can write"
    )


def plan_of(job: Job) -> Row | None:
    """Return the earlier plan that this run carries out; None if there is none, or it is unreadable."""
    if not has_earlier_plan(job):
        return None
    if job.options.plan is not None:
        # AWX turns a text that looks like a time or a number into one, so only the digest can be compared.
        return {**job.options.plan, "checksum": None}
    return _report_files.read_report(str(job.options.plan_file))


def from_plan(job: Job, old: Row | None, run: Row) -> tuple[list[Row], list[str]]:
    """Return the rows that carry out a plan, or why it cannot be carried out."""
    where = "restore_plan" if job.options.plan is not None else f"The plan {job.options.plan_file}"
    if old is None:
        return [], [f"{where} cannot be used: it cannot be read, or is not a plan of this collection."]
    why = _plans.unusable(old, run["collection_version"], job.options.safety_backup, job.kind)
    why = why or _plans.another_ticket(old, job.options.operation_id)
    why = why or forgeable(job.options)
    if why:
        return [], [f"{where} cannot be used: {why}."]
    named, drift = named_in(old, job)
    entries = [*job.found.rows, *named]
    if job.kind == "drill" and not job.options.operation_id:  # _options gives it that of its day.
        entries = [{**row, "operation_id": None} for row in entries]
    drift += _plans.others(old, entries, random=job.options.seed is not None)
    if drift:
        return [], [f"{where} does not match the entries of this run: {line}." for line in drift]
    rows = [{**row, **listed_in(row, job.found.rows)} for row in _plans.requests(old)]
    reports = earlier_reports(run, job)
    return [attached(row, run, job, reports) for row in rows], []


def named_in(plan: Row, job: Job) -> tuple[list[Row], list[str]]:
    """Return entries for the names in restore_instances, as far as a plan has them, and a line for each other
    name.
    """
    rows, lines = [], []
    for name in job.found.names:
        ends = ((row, _target.target_id(row), _target.target_name(row)) for row in plan["restores"])
        one = next((row for row, *end in ends if _target.answers_to(name, *end)), None)
        if one is None:
            lines.append(f"{printable(name)}: is not in the plan")
            continue
        service = SERVICES[one["service"]]
        target = {service.names[0]: _target.target_id(one), service.point: job.options.point}
        rows.append({"service": service.name, **target})
    return rows, lines


def listed_in(row: Row, entries: t.Sequence[Row]) -> Row:
    """Return the project in which the instance of a row was listed, which a plan does not keep."""
    entry = next((one for one in entries if one.get(_entries.PROJECT) and _target.same(one, row)), None)
    return {_entries.PROJECT: entry[_entries.PROJECT]} if entry else {}


def other_plan(job: Job, state: State, digest: str) -> str | None:
    """Return why restore_plan_digest does not approve this plan, or None.

    If the approved plan is among the reports, the reason names what has changed since. Some changes, such as
    the name of an instance, do not change the digest.
    """
    approved, folder = str(job.options.plan_digest), state["run"].get("directory")
    same, lines = digest.startswith(approved), list[str]()
    for old in _report_files.reports(folder) if folder else []:
        if old.get("check_mode") and str(old.get("plan_digest")).startswith(approved):
            lines = _plans.differences(old, state["restores"], state["run"].get("account"))
            lines = lines or ([] if same else ["the safety backup"])
            break
    if same and not lines:
        return None
    why = (
        "is the digest of a plan that is out of date"
        if same
        else f"is not the digest of this plan, which is {digest}"
    )
    since = f" What has changed since: {'; '.join(lines)}." if lines else f" {OTHERS}"
    moves = any(_target.from_elsewhere(row) and _target.point_of(row) == "latest" for row in job.found.rows)
    return f"restore_plan_digest {approved[:16]} {why}.{since}{MOVES if moves else ''}"


# What an earlier run has begun


def going_on(rows: t.Sequence[Row], run: Row, job: Job, world: World) -> list[Row]:
    """Return rows that go on with what earlier runs of the same operation have begun.

    An instance may have been deleted since, and another one made with its name. So names are looked up first,
    once for each region and profile, and then all is compared by ID.
    """
    lists: dict[tuple[str, ...], Result] = {}
    found, reports = [], earlier_reports(run, job)
    for row in rows:
        if maybe_begun(row, run, job, reports) and any(row.get(by_name) for by_id, by_name in ends_of(row)):
            place = (row["service"], *place_of(row))
            lists[place] = lists[place] if place in lists else listing(*place, world)
            row = with_ids(row, lists[place], world.now_ms())
        row = with_begun_backup(row, run, job, reports, world)
        found.append(attached(row, run, job, reports))
    return found


def maybe_begun(row: Row, run: Row, job: Job, reports: t.Sequence[Row]) -> bool:
    """Whether an earlier run of the same operation may have begun what a row asks for."""
    if not (asks_for_backup(row, run, job) or asks_for_job(row)):
        return False
    return any(earlier.get("service") == row["service"] for earlier in earlier_rows(row, run, job, reports))


def asks_for_backup(row: Row, run: Row, job: Job) -> bool:
    """Whether a row goes on with the backup that an unfinished run has begun to restore."""
    service = _target.service_of(row)
    if not service or not service.in_place or row.get("error_kind"):
        return False
    return bool(job.options.operation_id and run.get("directory")) and row.get(service.point) == "latest"


def asks_for_job(row: Row) -> bool:
    """Whether a row goes on with the job of an earlier run. This is for a service without a marker, where
    only the ID of its job identifies a restore.
    """
    service = _target.service_of(row)
    if not service or service.id_key not in service.options:
        return False
    return not (row.get(service.id_key) or row.get("error_kind"))


def with_ids(row: Row, result: Result, now_ms: int) -> Row:
    """Return a row with IDs in place of names, from a list of the instances. Without them the row fails: by
    its name, it could go on with the restore of another instance.
    """
    if "instances" not in result:
        why = (
            f"{_target.called(row)}: an earlier run may have begun this restore, but this run cannot look up "
            f"whether the name still means the same instance: {sentence(result.get('msg'))} {NOTHING} "
            "Run the same command again once the instances can be listed, or give IDs instead of names."
        )
        return _target.failed(row, "plan", str(result.get("error_kind") or "internal_error"), why, now_ms)
    instances = [{**one, "instance_id": id_of(one)} for one in result["instances"]]
    found = dict(row)
    try:
        for by_id, by_name in ends_of(row):
            if name := found.pop(by_name, None):
                option = SERVICES[row["service"]].entry_names.get(by_name, by_name)
                found[by_id] = one_named(instances, name, option, row["service"].upper())["instance_id"]
    except NotFound as error:
        return _target.failed(row, "plan", error.kind, f"{error} {NOTHING}", now_ms)
    return found


def ends_of(row: Row) -> tuple[tuple[str, str], ...]:
    """Return the keys of ID and name of the target and of the source of a row."""
    return SERVICES[row["service"]].names, _target.NAMED_BY


def attached(row: Row, run: Row, job: Job, reports: t.Sequence[Row]) -> Row:
    """Return a row with the job that an earlier run of the same operation has started."""
    if not asks_for_job(row):
        return row
    service = SERVICES[row["service"]]
    job_id, over = service.id_key, set()
    for earlier in earlier_rows(row, run, job, reports):
        if not same_operation(row, earlier):
            continue
        if earlier.get("error_kind") in NOT_AGAIN:
            over.add(earlier.get(job_id))  # An older report may not know that.
            continue
        known = earlier.get(job_id) and earlier[job_id] not in over
        if known and same_data(row, earlier, service.point):
            return with_job_of(earlier, row, service)
        if may_be_sent(earlier) and earlier.get(service.point) and row.get(service.point) in (None, "latest"):
            # `latest` could be another time by now, so what may have been sent could be sent once more.
            return {**row, service.point: earlier[service.point]}
    return row


def may_be_sent(earlier: Row) -> bool:
    """Whether an earlier run may have sent a request without a response. A run whose plan failed since has
    the same time in its row, and has learned nothing new.
    """
    unplanned = earlier.get("failed_step") == "plan" and earlier.get("data_state") == "unknown"
    return unplanned or earlier.get("error_kind") == "outcome_unknown"


def with_job_of(earlier: Row, row: Row, service: Service) -> Row:
    """Return a row that attaches to the job of an earlier one. What the job restores stays in the row, so
    that it is still what was approved.
    """
    names = (service.point, "data_node_relations", service.id_key)
    decided = {name: earlier[name] for name in names if earlier.get(name)}
    return {**{name: value for name, value in row.items() if name not in (*names, "adopt")}, **decided}


def with_begun_backup(row: Row, run: Row, job: Job, reports: t.Sequence[Row], world: World) -> Row:
    """Return a row in which `latest` is the backup that an unfinished run of this operation ID has begun to
    restore: the same command goes on with that one, although there may be a newer backup.
    """
    if not asks_for_backup(row, run, job):
        return row
    service = SERVICES[row["service"]]
    unfinished = _report_files.unfinished(reports, {**run, "kind": job.kind}, [row])
    begun = (one for report in unfinished for one in report["restores"] if _target.overwrote(one, row))
    earlier = next(filter(_target.backup_id, begun), None)  # of the newest run, which knows how it ended
    if earlier is None or earlier.get("error_kind") in NOT_AGAIN:
        return row
    backup = _target.backup_id(earlier)
    note = (
        f"latest means backup {printable(backup)} of {_target.called(earlier)} here, because an unfinished "
        f"run of {printable(job.options.operation_id)} has begun to restore it. To restore another one, give "
        "its backup_id."
    )
    run["notes"].append(note)
    world.say([note])
    return {**row, service.point: None, "backup_id": backup}


def earlier_reports(run: Row, job: Job) -> list[Row]:
    """Return the earlier reports of this operation, newest first. Without an operation ID these are the ones
    of this kind, and a job that has ended well in one of them is over: the clock of another controller may be
    wrong, so their order alone does not say which run was the last.
    """
    ticket, folder = job.options.operation_id, run.get("directory")
    found = [
        one
        for one in (_report_files.reports(folder) if folder else ())
        if not one.get("check_mode") and _report_files.of_operation(one, ticket)
    ]
    if ticket:
        return found
    found = [one for one in found if one["kind"] == job.kind]
    over = ended_jobs(found)
    return [
        {**one, "restores": [row for row in one["restores"] if row.get("job_id") not in over]}
        if one["verdict"] in _report_files.OPEN
        else one
        for one in found
    ]


def earlier_rows(row: Row, run: Row, job: Job, reports: t.Sequence[Row]) -> t.Iterator[Row]:
    """Yield the rows of earlier reports. Without an operation ID these are the unfinished ones, down to the
    last one that ended well for the target of a row.
    """
    yield from run.get("previous") or []
    for one in reports:
        if job.options.operation_id or one["verdict"] in _report_files.OPEN:
            yield from one["restores"]
        elif any(_target.overwrote(earlier, row) for earlier in one["restores"]):
            return


def ended_jobs(reports: t.Iterable[Row]) -> set[t.Any]:
    """Return the jobs that ended well in runs that did."""
    rows = (row for one in reports if one["verdict"] not in _report_files.OPEN for row in one["restores"])
    return {row["job_id"] for row in rows if row.get("job_id") and row.get("outcome") in GOOD}


def same_operation(row: Row, earlier: Row) -> bool:
    """Whether an earlier row started what a row asks for: from the same source onto the same target.

    A row that was refused names the job of somebody else.
    """
    if not _target.overwrote(earlier, row):
        return False
    if bool(row.get("metadata")) != bool(earlier.get("metadata")) or not _target.same_source(row, earlier):
        return False
    nodes, before = row.get("data_node_relations"), earlier.get("data_node_relations")
    return not (nodes and before) or _plans.pairs(nodes) == _plans.pairs(before)


def same_data(row: Row, earlier: Row, point: str) -> bool:
    """Whether two rows are about the same backup, or the same point in time.

    `latest`, a value of the option `point`, keeps the meaning that it had when the operation was started.
    """
    if _target.backup_id(row) or _target.backup_id(earlier):
        return same_id(_target.backup_id(row), _target.backup_id(earlier))
    return row.get(point) in (None, "latest") or _target.time_ms(row) == _target.time_ms(earlier)


# The names of the instances in the cloud


def instances_by_id(job: Job, rows: t.Sequence[Row], world: World) -> dict[str, Row]:
    """Return the instances by ID if their names are not known, or restore_protected needs their tags.

    It reads one list for each region and profile.
    """
    tags = any(pattern.lower().startswith(TAG) for pattern in job.options.protected)
    wanted = [row for row in rows if nameless(row) or (tags and SERVICES[row["service"]].tagged)]
    found: dict[str, Row] = {}
    for place in sorted({(row["service"], *place_of(row)) for row in wanted}):
        found.update({str(id_of(one)): one for one in listed(*place, world)})
    return found


def listed(service: str, region: str, profile: str, world: World) -> list[Row]:
    """Return the instances of a service in a region; none if they cannot be read."""
    return list(listing(service, region, profile, world).get("instances") or [])


def listing(service: str, region: str, profile: str, world: World) -> Result:
    """Return the result of the module that lists the instances of a service in a region."""
    where = {name: value for name, value in (("region", region), ("profile", profile)) if value}
    return world.call(f"{service}_instance_info", where, check=False)


def id_of(instance: Row) -> t.Any:
    """Return the ID of an instance, as the lists of the services name it."""
    return instance.get("instance_id") or instance.get("id")


def nameless(row: Row) -> bool:
    """Whether the cloud's name of a target is unknown."""
    return not row.get("error_kind") and not (row.get("target") or {}).get("instance_name")


def place_of(row: Row) -> tuple[str, str]:
    """Return region and profile of a row, '' where they are those of the task."""
    return str(row.get("region") or ""), str(row.get("profile") or "")


def with_cloud_names(row: Row, known: t.Mapping[str, Row]) -> Row:
    """Return a row with the cloud's names of its instances, if a list has them."""
    found = dict(row)
    for end, ident in (("target", _target.target_id(row)), ("source", _target.source_id(row))):
        one, before = known.get(str(ident)), dict(row.get(end) or {})
        if one and not before.get("instance_name"):
            more = {
                name: one[name] for name in FACTS if one.get(name) is not None and before.get(name) is None
            }
            found[end] = {
                **before,
                **(more if end == "target" else {}),
                "instance_id": ident,
                "instance_name": one.get("name"),
            }
    return found
