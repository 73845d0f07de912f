# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restores and backups of Huawei Cloud DCS and DDM as events for Event-Driven Ansible."""

from __future__ import annotations

DOCUMENTATION = r"""
name: recovery
short_description: Report when a restore or a backup has ended, and when the newest backup is too old
description:
  - Watches the restores and backups of DCS, and the restore jobs and metadata backups of DDM, and sends an
    event when one of them ends. A job is a restore job if its name says so. The service does not document the
    name of a recovery of metadata.
  - The source sends each event once. It does not report operations that ended before its start, except for
    those within O(lookback). When the cloud cannot be reached, it sends C(cloud_unreachable), and reports the
    operations that end in that time later.
  - A cache whose records cannot be read does not stop the others. The source sends C(cache_unreadable) for it
    once, until it can be read again. When the list of instances has one that is not as the API documents it,
    the source sends C(cache_unreadable) or C(database_unreadable) without the ID and the name of an instance.
  - No text in an event can act as a template. If a name has two braces in a row, for example, the event has
    a space between them.
  - The source signs in like the modules of this collection, with the variables C(HW_*) or with the same
    options.
options:
  services:
    description: V(dcs), V(ddm) or both.
    type: list
    elements: str
    default: [dcs, ddm]
  instances:
    description:
      - Names or IDs, or patterns of them with C(*) and C(?). By default all instances.
      - When one of them matches no instance, the source sends C(instance_missing) once, until there is one.
    type: list
    elements: str
    default: []
  interval:
    description: Seconds between two checks, at least 1. A check costs one request for the list of caches, two
      for each cache, and three for all databases together. Long lists cost more.
    type: int
    default: 300
  lookback:
    description: Seconds before its start for which the source also reports the operations that ended.
      Give the time that a restart takes.
    type: int
    default: 0
  max_backup_age:
    description:
      - How old the newest usable backup of a cache may be, in seconds, or for example V(26h). When it is
        older, the source sends C(backup_too_old), once for each such backup. For a cache without a usable
        backup it sends C(backup_missing) once, and again only after the cache has had a backup that is new
        enough. A backup with a time in the future does not count.
      - By default the source does not check the age of backups.
    type: str
  region:
    description: Region of the instances. The source also takes all other connection options of the modules,
      for example of M(huaweicloud.recovery.dcs_backup_info).
    type: str
"""

EXAMPLES = r"""
- name: Run the readiness check when a backup is too old
  hosts: localhost
  sources:
    - huaweicloud.recovery.recovery:
        instances: ["orders-*"]
        max_backup_age: 26h
  rules:
    - name: A backup is too old
      condition: event.recovery.event == "backup_too_old"
      action:
        run_playbook:
          name: huaweicloud.recovery.readiness
"""

import asyncio
import fnmatch
import os
import re
import sys
import time
import typing as t

# ansible-rulebook starts this file by its path. The collection is imported from where the file is.
ROOT = os.path.abspath(__file__)
for dummy in range(8):
    ROOT = os.path.dirname(ROOT)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor, one_spelling
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import is_future
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, same_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import (
    check,
    normalized,
    perform,
    without_blanks,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.history import History

Row = dict[str, t.Any]
OWN = ("services", "instances", "interval", "lookback", "max_backup_age")
# Kinds of errors that are not about one instance, and those that may be: a policy can deny one, and one can
# be broken. The latter are about all if the first instances have them and none could be read.
OF_THE_CLOUD = ("auth_failed", "throttled", "transport_error", "tls_error")
OF_ONE_OR_ALL, FIRST = ("denied", "server_error"), 3
LONGEST = 900  # seconds between two checks of a cloud that cannot be reached
MANY = 11  # failures after which the source waits so long, whatever the interval
OPENING = re.compile(r"\{(?=[{%#])")  # the first brace of a template
HEADER = "#jinja2"  # up to ansible-core 2.18 it chooses other signs, at the beginning of a text
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Wanted(t.NamedTuple):
    """What the arguments say. Times are in seconds."""

    services: tuple[str, ...]
    instances: tuple[str, ...]
    interval: int
    lookback: int
    max_backup_age: int | None
    connection: Row


class Observation(t.NamedTuple):
    """What one check has found: all instances, and every record of a restore or a backup,
    at a time by the cloud's clock (epoch ms).
    """

    now: int
    # {service, instance_id, instance_name}; `newest` if its service reports that: the time of the data in its
    # newest usable backup in epoch ms, or None; or `unread`: {msg, error_kind} if its records cannot be read
    instances: list[Row]
    records: list[Row]  # {service, instance_id, instance_name} and what Record has


# Arguments


def seconds(value: t.Any, name: str) -> int:
    """Return seconds for 90, "90", "90s", "30m", "26h" or "7d"."""
    match = re.fullmatch(r"\s*(\d{1,9})\s*([smhd]?)\s*", str(value))
    if not match or isinstance(value, bool):
        raise ValueError(f"{name} must be seconds, or for example 26h, not {value!r}.")
    return int(match[1]) * UNITS[match[2]]


def words(value: t.Any, name: str) -> tuple[str, ...]:
    """Return a list of texts, in the spelling of names; one text is a list of its lines."""
    found = re.split(r"[,\n]", value) if isinstance(value, str) else value or []
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{name} must be a list of strings.")
    return tuple(one_spelling(one.strip()) for one in found if one.strip())


def wanted(args: t.Mapping[str, t.Any]) -> Wanted:
    """Return the arguments of a source. Blank means unset. Raises ValueError for invalid arguments."""
    given = {name: value for name, value in args.items() if value not in ("", None)}
    aliases = {alias for option in CONNECTION.values() for alias in option.get("aliases", ())}
    unknown = sorted(set(given) - {*OWN, *CONNECTION, *aliases})
    if unknown:
        raise ValueError(
            f"There is no argument {unknown[0]}. Known: {', '.join(OWN)}, and the connection options."
        )
    services = words(given.get("services"), "services") or tuple(SERVICES)
    if set(services) - set(SERVICES):
        known = ", ".join(SERVICES)
        raise ValueError(f"services must be one or more of {known}, not {', '.join(services)}.")
    age = given.get("max_backup_age")
    return Wanted(
        services,
        words(given.get("instances"), "instances"),
        max(1, seconds(given.get("interval", 300), "interval")),
        seconds(given.get("lookback", 0), "lookback"),
        None if age is None else seconds(age, "max_backup_age"),
        connection({name: value for name, value in given.items() if name not in OWN}),
    )


def connection(given: Row) -> Row:
    """Return all connection options as a module has them, each as its type: a rulebook may give `"false"`.

    Raises ValueError.
    """
    try:
        checked = ArgumentSpecValidator(CONNECTION).validate(normalized(without_blanks(given), CONNECTION))
        if checked.error_messages:
            raise ValueError(checked.error_messages[0])
        found = {name: checked.validated_parameters.get(name) for name in CONNECTION}
        check(found, CONNECTION, {})
    except InvalidArgument as error:
        raise ValueError(str(error)) from None
    return found


# Observation


def observed(wish: Wanted, environ: t.Mapping[str, str]) -> Observation | Row:
    """Observe the cloud once, and only read.

    Return the observation, or {msg, error_kind} when the cloud could not be read.
    """
    answer: Row = perform(
        lambda cloud, dummy: Plan({"observation": observe(cloud, wish)}),
        wish.connection,
        CONNECTION,
        {},
        True,
        Redactor(),
        environ=environ,
    )
    if answer.get("failed"):
        return {"msg": answer["msg"], "error_kind": answer["error_kind"]}
    return t.cast(Observation, answer["observation"])


def observe(cloud: Cloud, wish: Wanted) -> Observation:
    """Return what there is in the cloud."""
    instances: list[Row] = []
    records: list[Row] = []
    for service in SERVICES.values():
        if service.name in wish.services:
            found, more = of_service(service, cloud, wish.instances)
            instances += found
            records += more
    return Observation(cloud.now_ms(), instances, records)


def of_service(service: Service, cloud: Cloud, patterns: t.Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Return the instances of a service that are asked for, and their restores and backups.

    One that cannot be read does not stop the others.
    """
    malformed: list[CloudError] = []
    everyone = [named(service, row) for row in service.instances(cloud, malformed.append)]
    watched = [who for who in everyone if chosen(who, patterns)]
    read, instances, records = service.history(cloud), list[Row](), list[Row]()
    doubtful = 0
    for number, who in enumerate(watched, 1):
        try:
            history = read(who["instance_id"])
        except CloudError as error:
            doubtful += error.kind in OF_ONE_OR_ALL
            if error.kind in OF_THE_CLOUD or doubtful == number == min(FIRST, len(watched)):
                raise
            instances.append({**who, "unread": {"msg": str(error), "error_kind": error.kind}})
        else:
            instances.append({**who, **newest(history, cloud.now_ms())})
            records += [{**who, **record._asdict()} for record in history.records]
    # It may be one that is asked for, and nobody would notice that it is not watched.
    unknown = {"service": service.name, "instance_id": None, "instance_name": None}
    for one in malformed[:1]:
        instances.append({**unknown, "unread": {"msg": str(one), "error_kind": one.kind}})
    return instances, records


def named(service: Service, instance: Row) -> Row:
    """Return how events name an instance."""
    return {
        "service": service.name,
        "instance_id": instance["instance_id"],
        "instance_name": instance["name"],
    }


def newest(history: History, now: int) -> Row:
    """Return {newest} of an instance, or {} if its service does not report how old the data are."""
    if history.data_times is None:
        return {}
    return {"newest": max((one for one in history.data_times if not is_future(one, now)), default=None)}


def chosen(who: Row, patterns: t.Sequence[str]) -> bool:
    """Whether an instance is one of those that are asked for. It may have no name."""
    names = [name for name in (who["instance_id"], who["instance_name"]) if name]
    return not patterns or any(
        same_id(pattern, who["instance_id"])
        or any(pattern == name or fnmatch.fnmatchcase(name, pattern) for name in names)
        for pattern in patterns
    )


def missing(wish: Wanted, found: Observation) -> list[Row]:
    """Return an event for each pattern that fits no instance: nobody would notice that nothing is watched."""
    known = [who for who in found.instances if who["instance_id"]]
    lost = [one for one in wish.instances if not any(chosen(who, [one]) for who in known)]
    return [{"event": "instance_missing", "id": f"instance_missing-{one}", "instance": one} for one in lost]


# What is new


class Memory:
    """What has been reported, since the source was started."""

    def __init__(self, wish: Wanted, monotonic: t.Callable[[], float] = time.monotonic) -> None:
        self._wish, self._monotonic, self._started = wish, monotonic, monotonic()
        # What was seen stays known: a list may leave out an old record once.
        self._known: set[tuple[str, str]] = set()
        self._read: set[str] = set()  # IDs of instances whose records have been read
        # instance -> its newest backups that were reported as too old or missing, until there is a fresh one
        self._old: dict[str, set[int | None]] = {}
        self._unread: set[str] = set()  # IDs of events about what cannot be read or does not exist
        self._away = False

    def unread(self, problem: Row) -> list[Row]:
        """Return the events after a check that failed: one, however long it lasts."""
        reported, self._away = self._away, True
        return [] if reported else [{"event": "cloud_unreachable", **problem}]

    def read(self, found: Observation) -> list[Row]:
        """Return the events after a check."""
        events = [{"event": "cloud_reachable"}] if self._away else []
        self._away = False
        # Of an instance that was not read before, what ended before the start is old.
        begin = found.now - int((self._wish.lookback + self._monotonic() - self._started) * 1000)
        ended = [one for one in found.records if one["end"]]
        news = [
            one
            for one in ended
            if (one["kind"], one["id"]) not in self._known
            and (one["instance_id"] in self._read or (one["ended"] or one["begun"] or 0) >= begin)
        ]
        self._known |= {(one["kind"], one["id"]) for one in ended}
        self._read |= {one["instance_id"] for one in found.instances if "unread" not in one}
        news.sort(key=lambda one: one["ended"] or one["begun"] or 0)
        return [*events, *(event(one) for one in news), *self._aged(found), *self._unseen(found)]

    def _unseen(self, found: Observation) -> list[Row]:
        """Return an event for each instance that can no longer be read or no longer exists."""
        unread = [unreadable(one) for one in found.instances if "unread" in one]
        unread += missing(self._wish, found)
        before, self._unread = self._unread, {one["id"] for one in unread}
        return [one for one in unread if one["id"] not in before]

    def _aged(self, found: Observation) -> list[Row]:
        """Return an event for each instance whose newest usable backup has become too old or is missing."""
        if self._wish.max_backup_age is None:
            return []
        events = []
        for one in found.instances:
            if "newest" not in one:
                continue
            age = None if one["newest"] is None else max(0, (found.now - one["newest"]) // 1000)
            if age is not None and age <= self._wish.max_backup_age:
                self._old.pop(one["instance_id"], None)
            elif one["newest"] not in self._old.setdefault(one["instance_id"], set()):
                self._old[one["instance_id"]].add(one["newest"])
                events.append(aged(one, age))
        return events


def event(one: Row) -> Row:
    """Return the event for a record that has ended. Its ID is the same however often it is sent."""
    name = f"{one['kind']}_{'finished' if one['end'] == 'succeeded' else one['end']}"
    return {
        "event": name,
        "id": f"{name}-{one['id']}",
        **{key: one[key] for key in ("service", "instance_id", "instance_name", "status")},
        "record_id": one["id"],
        "backup_id": one["backup_id"],
        "begun": iso(one["begun"]) if one["begun"] is not None else None,
        "ended": iso(one["ended"]) if one["ended"] is not None else None,
        "reason": one["reason"],
    }


def aged(one: Row, age: int | None) -> Row:
    """Return the event for an instance whose backup is too old, or missing."""
    name = "backup_missing" if age is None else "backup_too_old"
    newest = iso(one["newest"]) if one["newest"] is not None else None
    return {
        "event": name,
        "id": f"{name}-{one['instance_id']}-{newest or 'none'}",
        **{key: one[key] for key in ("service", "instance_id", "instance_name")},
        "newest": newest,
        "age": age,
    }


def unreadable(one: Row) -> Row:
    """Return the event for an instance that cannot be read, such as cache_unreadable."""
    name = f"{SERVICES[one['service']].thing}_unreadable"
    return {
        "event": name,
        "id": f"{name}-{one['instance_id'] or 'unknown'}",
        **{key: one[key] for key in ("service", "instance_id", "instance_name")},
        **one["unread"],
    }


def inert(value: t.Any) -> t.Any:
    """Return an event without a text that Ansible could take as a template.

    A rule hands texts of an event to a playbook as extra variables, and Ansible runs those as templates.
    """
    if isinstance(value, dict):
        return {name: inert(inner) for name, inner in value.items()}
    if not isinstance(value, str):
        return value
    text = OPENING.sub("{ ", value)
    return f" {text}" if text.startswith(HEADER) else text


# The source


async def main(queue: asyncio.Queue[t.Any], args: dict[str, t.Any]) -> None:
    """Put an event into the queue for everything new, until the source is stopped.

    While the cloud cannot be reached, it is checked less often, but at least every 15 minutes.
    """
    wish = wanted(args)
    memory, failures = Memory(wish), 0
    while True:
        found = await asyncio.to_thread(observed, wish, os.environ)
        if isinstance(found, Observation):
            failures, events = 0, memory.read(found)
        else:
            # More refused signatures would lock the keys for everybody who uses them.
            failures = MANY if found["error_kind"] == "auth_failed" else failures + 1
            events = memory.unread(found)
        for one in events:
            await queue.put({"recovery": inert(one)})
        await asyncio.sleep(pause(wish.interval, failures))


def pause(interval: int, failures: int) -> int:
    """Return the seconds until the next check: twice as many after each failure."""
    return interval if not failures else max(interval, min(LONGEST, interval * 2 ** min(failures - 1, MANY)))
