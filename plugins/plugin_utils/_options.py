# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables other than its lists, each read once.

Private to this collection. All functions are pure: the time is a parameter.
"""

from __future__ import annotations

import difflib
import json
import os
import random
import re
import typing as t
import unicodedata
from zoneinfo import ZoneInfo

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _entries, _step_table
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _settings as read
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import Problem, Variables

WEEK = 604800  # seconds of the longest wait
PREFIX = "restore_"
Reader = t.Callable[[t.Any, str], t.Any]


class Options(t.NamedTuple):
    """The values of the variables.

    Durations are in seconds, times are `latest` or ISO 8601 UTC; None means unset.
    """

    point: str | None = None
    timezone: ZoneInfo | None = None
    max_gap: int | None = None
    operation_id: str | None = None
    protected: tuple[str, ...] = ()
    confirm: bool = False
    plan_digest: str | None = None
    plan_file: str | None = None
    plan: t.Any = None
    safety_backup: bool = True
    verify_timeout: int = 300
    baseline: t.Any = None
    baseline_tolerance: int | None = None
    rto_target: int | None = None
    rpo_target: int | None = None
    wait_timeout: int = 1800
    poll_interval: int = 10
    report_dir: str | None = None
    report_keep: int | None = None
    report: t.Any = None
    scratch: tuple[str, ...] = ()  # the only instances that a drill may overwrite
    production: tuple[str, ...] = ()  # names that a drill refuses
    window_days: int | None = None  # of a drill: how old a random point may be
    seed: str | None = None  # the seed of such a point


PATTERN = r"(?i:tag:)\s*[^\s=].*|[\w*?\[\]!-]+"


def digits(value: t.Any, name: str) -> str:
    """Return a digest, or at least 16 characters of it."""
    found = read.word(value, name).lower().removeprefix("sha256:")
    if not 16 <= len(found) <= 64 or set(found) - set("0123456789abcdef"):
        raise Problem(f"{name} must be the digest that a plan shows, not {quoted(value)}.")
    return found


def patterns(value: t.Any, name: str) -> tuple[str, ...]:
    """Return patterns of names and IDs, or tags.

    A pattern that no name can match is refused, because it would protect nothing. A blank one in a list is
    refused, too: it comes from a template whose value was missing.
    """
    listed = (
        read.items(value, name, "") if not isinstance(value, str) or value.lstrip().startswith("[") else []
    )
    if any(read.unset(pattern) and not read.omitted(pattern) for pattern in listed):
        raise Problem(
            f"{name} has a blank entry, which matches no name or ID. Remove it, or give its pattern."
        )
    found = [pattern.strip("'\"") for pattern in read.names(value, name)]
    for pattern in found:
        # The letters of many scripts are followed by marks, which are no letters to Python.
        letters = "".join(one for one in pattern if not unicodedata.category(one).startswith("M"))
        if not re.fullmatch(PATTERN, letters):
            raise Problem(
                f"{name} has {quoted(pattern)}, which matches no name or ID. Write one pattern per line: "
                "letters, digits, - and _, with * and ? for any others; or tag:KEY or tag:KEY=VALUE."
            )
    return tuple(found)


def document(value: t.Any, name: str) -> t.Any:
    """Return a plan or a report as data, from data, from a text with data, or from a path.

    A statistic wraps a plan with its digest.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise Problem(f"{name} is not valid JSON.") from None
    if isinstance(value, t.Mapping) and isinstance(value.get("plan"), t.Mapping):
        value = value["plan"]
    if not isinstance(value, (str, t.Mapping)):
        raise Problem(f"{name} must be a path or the data themselves, not a {read.type_word(value)}.")
    return path(value, name) if isinstance(value, str) else with_texts(value)


def with_texts(value: t.Any, name: str = "") -> t.Any:
    """Return a plan or a report whose IDs, names and tickets are texts again.

    A job controller makes a number or a date of a text that looks like one: of the ticket 1042, for example.
    """
    if isinstance(value, t.Mapping):
        return {key: with_texts(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_texts(inner) for inner in value]
    return value if value is None or not name.endswith(TEXTS) else str(value)


def data(value: t.Any, name: str) -> t.Any:
    """Return a plan as data, never as a path."""
    found = document(value, name)
    if isinstance(found, str):
        raise Problem(f"{name} must hold a plan as data; a path belongs in restore_plan_file.")
    return found


def path(value: t.Any, name: str) -> str:
    """Return the path of a file, however it was pasted; `~` is the home of the user who runs this."""
    return os.path.expanduser(read.word(value, name))


def between(low: int, high: int) -> Reader:
    """Return a reader for a duration between two numbers of seconds."""
    return lambda value, name: read.duration(value, name, low, high)


def percent(value: t.Any, name: str) -> int:
    """Return a percentage."""
    return read.number(str(value).strip().rstrip("%"), name, 0, 1000)


def count(value: t.Any, name: str) -> int:
    """Return how many reports to keep: at least this run's own."""
    return read.number(value, name, 1, 100000)


READERS: dict[str, Reader] = {
    "timezone": lambda value, name: read.zone(value, f"{name} (or HW_TIMEZONE)"),
    "max_gap": read.duration,
    "operation_id": read.named,
    "protected": patterns,
    "confirm": read.flag,
    "plan_digest": digits,
    "plan_file": path,
    "plan": data,
    "safety_backup": read.flag,
    "verify_timeout": between(1, WEEK),
    "baseline": document,
    "baseline_tolerance": percent,
    "rto_target": read.duration,
    "rpo_target": read.duration,
    "wait_timeout": between(0, WEEK),
    "poll_interval": between(1, 3600),
    "report_dir": read.word,
    "report_keep": count,
    "report": document,
    "scratch": patterns,
    "production": patterns,
    "window_days": lambda value, name: read.number(value, name, 1, 3650),
    "seed": read.word,
}
OF_A_DRILL = ("scratch", "production", "window_days", "seed")  # people know them as drill_...
OF_A_FLEET = ("wait_timeout", "poll_interval")  # in its playbook fleet_...
TEXTS = ("id", "name", "label", "profile", "region", "started")  # endings of the keys of texts in a report
PUBLISHED = ("restore_result", "restore_planned", "restore_reported")
# Between a random text and the time in epoch seconds: with it, a seed always gives the same point.
SEEDED = "@"
CLOSE = 0.9  # similarity from which a name counts as a typo of another; 1 means equal
PROFILES = "shared_config_file"  # the file with the profiles of a fleet
# These must be the same for all hosts of a fleet. A plan or report as data does not come from its inventory.
OF_THE_RUN = (
    PROFILES,
    *(PREFIX + name for name, reader in READERS.items() if reader not in (data, document)),
)
VARIABLES = (*_entries.LISTS, *_step_table.OF_THE_USER, _entries.POINT, *(PREFIX + name for name in READERS))


# These also decide what a run does, before its first request: by vars of the playbooks, and by its state.
STATE = "_restore_state"  # the variable that the tasks of the role register
BEHIND = (
    STATE,
    "huaweicloud_recovery_unread",
    PROFILES,
    *(f"drill_{name}" for name in OF_A_DRILL),
)


def differing(hosts: t.Mapping[str, Variables]) -> list[str]:
    """Return a problem for each variable of a run that is not the same for all hosts of a fleet: the value of
    one host would hold for all, or for none.
    """
    found = {host: read.given(variables) for host, variables in hosts.items()}
    first = next(iter(found.values()), {})
    return [
        several_files({host: given.get(name) for host, given in found.items()})
        if name == PROFILES
        else f"{name} differs between hosts, but the whole run needs one value: give it with -e."
        for name in OF_THE_RUN
        if any(given.get(name) != first.get(name) for given in found.values())
    ]


def several_files(files: t.Mapping[str, t.Any]) -> str:
    """Return the problem of hosts with different files of profiles: a host would sign in with the profile of
    the same name of another account.
    """
    hosts: dict[str, list[str]] = {}
    for host, file in files.items():
        hosts.setdefault("no file" if file is None else printable(file), []).append(printable(host))
    named = [
        f"{file} for {', '.join(names[:3])}{f' and {len(names) - 3} more' if names[3:] else ''}"
        for file, names in hosts.items()
    ]
    return (
        f"{PROFILES} differs between hosts, but a run reads all profiles from one file: {'; '.join(named)}. "
        "Restore the hosts of each file in a run of their own, with --limit. Or put all profiles into one "
        f"file, and give it with -e {PROFILES}=PATH."
    )


def mistyped(names: t.Iterable[str]) -> list[str]:
    """Return a warning for each variable that is almost one of the role: a guard that is not read
    protects nothing.
    """
    known = [*VARIABLES, *(f"drill_{name}" for name in OF_A_DRILL)]
    found = []
    for name in names:  # The first word can be mistyped, too: only its first letter is taken as right.
        if name.startswith((PREFIX[0], "drill_")) and name not in (*known, *PUBLISHED):
            near = difflib.get_close_matches(name, known, 1, CLOSE)
            found += [f"{name} is not a variable of the role. Did you mean {one}?" for one in near]
    return found


def unused(kind: str, variables: Variables) -> list[str]:
    """Return a warning for each variable that a kind of run ignores, such as tasks of a fleet."""
    names = (*_entries.LISTS, *_step_table.OF_THE_USER) if kind == "fleet" else ()
    names += (PREFIX + "report",) if kind != "undo" else ()
    names += OF_A_PLAN if kind == "readiness" else ()
    found = [name for name in names if not read.unset(variables.get(name))]
    return [f"The playbook {kind} does not use {name}." for name in found]


def random_point(seed: str, days: int, now_ms: int) -> str:
    """Return a point within the days before the time that the seed names, else before now.

    ISO 8601 UTC, a whole second.
    """
    at = re.search(SEEDED + r"([0-9]{1,11})$", seed, re.ASCII)
    back = random.Random(seed).randrange(days * 86400)
    return iso((int(at[1] if at else now_ms // 1000) - back) * 1000)


# What each kind of run uses for unset variables: a blank answer of a survey must not remove a guard
OF_KIND: dict[str, dict[str, t.Any]] = {
    "drill": {"restore_production": ["*prod*"], "restore_window_days": 7},
    "readiness": {"restore_rpo_target": "26h"},  # the newest data must not be older than a day and two hours
}
OF_A_PLAN = ("restore_plan", "restore_plan_file")
NO_SCRATCH = "A drill needs drill_scratch: patterns of the only instances that it may overwrite."


def of_kind(kind: str, variables: Variables, zone: str | None = None) -> dict[str, t.Any]:
    """Return the variables with the defaults of a kind of run, and with the zone of the environment.

    Readiness asks for the newest data, and neither carries out a plan nor writes one for a restore.
    """
    newest = {_entries.POINT: "latest", **dict.fromkeys(OF_A_PLAN)} if kind == "readiness" else {}
    unasked = {"restore_timezone": zone, **OF_KIND.get(kind, {})}
    return read.given({**unasked, **read.given(variables), **newest})


def options(
    variables: Variables, now_ms: int, seed: str = "", kind: str = "restore"
) -> tuple[Options, list[str]]:
    """Return the values of the variables, and every problem in them, a sentence each.

    `seed` is for a random point without a seed of its own.
    """
    wanted = read.given(variables)
    values: dict[str, t.Any] = {}
    problems = []
    for name, reader in READERS.items():
        if wanted.get(PREFIX + name, read.UNREAD) is not read.UNREAD:
            try:
                values[name] = reader(wanted[PREFIX + name], called(name, kind))
            except Problem as problem:
                problems.append(str(problem))
    if str(wanted.get(_entries.POINT)).strip().lower() == "random" and "restore_window_days" in wanted:
        if "window_days" in values:
            values["seed"] = values.get("seed") or f"{seed}{SEEDED}{now_ms // 1000}"
            values["point"] = random_point(values["seed"], values["window_days"], now_ms)
    elif wanted.get(_entries.POINT, read.UNREAD) is not read.UNREAD:
        try:
            values["point"] = read.point(
                wanted[_entries.POINT], _entries.POINT, zone(values.get("timezone"), wanted), now_ms
            )
        except Problem as problem:
            problems.append(str(problem))
    if "plan" in values and "plan_file" in values:
        problems.append("restore_plan and restore_plan_file are both given: give only one of them.")
    if kind == "drill" and ("restore_scratch" not in wanted or values.get("scratch") == ()):
        problems.append(NO_SCRATCH)
    return Options(**values), problems


def called(name: str, kind: str) -> str:
    """Return the variable in which people give a value."""
    if name in OF_A_DRILL:
        return f"drill_{name}"
    return f"fleet_{name}" if kind == "fleet" and name in OF_A_FLEET else PREFIX + name


def zone(found: ZoneInfo | None, wanted: Variables) -> ZoneInfo | None:
    """Return the time zone. If it cannot be read, return any zone, so that no time lacks one."""
    return found or (ZoneInfo("UTC") if "restore_timezone" in wanted else None)


def defaults(variables: Variables, found: Options, now_ms: int, kind: str) -> _entries.Defaults:
    """Return what holds for every entry without its own.

    A value that cannot be read has been reported, so it does not also count as missing.
    """
    wanted = read.given(variables)
    point = found.point or ("latest" if _entries.POINT in wanted else None)
    return _entries.Defaults(point, operation_of(found, now_ms, kind), zone(found.timezone, wanted), now_ms)


def operation_of(found: Options, now_ms: int, kind: str) -> str | None:
    """Return the operation ID of every entry without its own. That of a drill is the day in UTC: with a
    schedule, whose variables never change, a backup would be restored once, and then never again.
    """
    return found.operation_id or (f"drill {iso(now_ms)[:10]}" if kind == "drill" else None)
