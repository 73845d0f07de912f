# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ladder of the verification: an instance runs, is reachable, and holds as much as it should and the
right values.

A dropped connection and a slow start are failures only when the time is over; a refusal is one at once.
Nothing is written.
"""

from __future__ import annotations

import contextlib
import re
import typing as t
from dataclasses import replace

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    InvalidArgument,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import near, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import check_ids, moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import (
    GOOD,
    Row,
    connections,
    failed,
    failure,
    with_step,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import Reading
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify import checks
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify.checks import Check
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify.clients import (
    CLIENTS,
    Connection,
    Refused,
    Slow,
    Unreachable,
    tls_context,
)

CHECK_CONNECTION: dict[str, dict[str, t.Any]] = {
    "host": {"type": "str"},
    "port": {"type": "int"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "password_variable": {"type": "str", "no_log": False},
    "database": {"type": "str"},
    "tls": {"type": "bool"},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool"},
    "check_hostname": {"type": "bool"},
}
VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two attempts to connect
SHOWN = 200  # characters of `expected` and `found`
ENDS = ("failed", "timed_out", "unreachable", "passed")  # the worst first
OUTCOMES = {Slow.kind: "timed_out", Unreachable.kind: "unreachable"}
UNSET = ("missing_library", "not_configured")  # kinds of refusals
RESTORED = (*GOOD, None)  # as far as it is known
# A name or an address: IPv6 has more than one colon
HOST = re.compile(r"[^\s/\\@\[\]?#:]+|[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*(%[\w.-]+)?")
RUNGS = (checks.REACHABLE, checks.COUNTS, checks.VALUES)


class NotRunning(CloudError):
    """The instance does not serve in time."""

    kind = "not_running"


class Settings(t.NamedTuple):
    """How long to try, in seconds, and what to compare with."""

    timeout: float
    interval: float
    connection: Connection
    baseline: t.Sequence[t.Mapping[str, t.Any]]
    tolerance: float


def instance_id(row: Row, service: Reading) -> str | None:
    """Return the ID of the instance that holds the restored data. A job is no instance."""
    known = (row["target"] or {}).get("instance_id") or row.get("target_instance_id")
    own = row.get("instance_id")
    return known or (own if own and service.overwritten(row) == own else None)


def restored(row: Row) -> bool:
    """Whether the data of a row are restored, as far as it is known."""
    return not row["error_kind"] and row["outcome"] in RESTORED


def refuse(row: Row, number: int, services: t.Mapping[str, Reading]) -> None:
    """Raise InvalidArgument for a row that does not name its instance."""
    found = instance_id(row, services[row["service"]])
    if restored(row) and not found:
        raise InvalidArgument(
            f"restores[{number}] does not say which instance was overwritten. Give the rows that "
            "restore_wait returned, or the ID of the instance."
        )
    check_ids({"instance_id": found}, f"restores[{number}].")


def checks_of(row: Row, service: Reading, where: str, common: t.Any = None) -> list[Check]:
    """Return the checks of a row; a row with only a connection gets a ping.

    Raises InvalidArgument for what cannot be right, also of how to connect.
    """
    probe, given = service.probe, row.get("connection")
    found = checks.parse(row.get("checks") or [], probe, where)
    own = connection(given, probe, f"{where}.connection")
    if not found and (given or common):
        found = [Check("ping", "ping", checks.REACHABLE)]
    if found:  # a key that the row has itself wins
        own.update(
            connection({name: value for name, value in (common or {}).items() if name not in own}, probe)
        )
    for number, check in enumerate(found):
        place = connection(check.connection, probe, f"{where}.checks[{number}].connection")
        if probe == "mysql" and "username" not in {**own, **place}:
            raise InvalidArgument(f"{where}.checks need a username in connection: a database requires one.")
        found[number] = replace(check, connection=place)
    return found


def connection(given: t.Any, probe: str, where: str = "connection") -> dict[str, t.Any]:
    """Return how to connect, every value as its type, blanks left out.

    Raises InvalidArgument for what no client of the probe can use.
    """
    if given is not None and not isinstance(given, dict):
        raise InvalidArgument(f"{where} must be a dictionary.")
    found: dict[str, t.Any] = {}
    for name, value in (given or {}).items():
        if name not in CHECK_CONNECTION:
            raise InvalidArgument(
                f"{where} has an unknown key: {quoted(name)}.{near(name, CHECK_CONNECTION)}"
            )
        if value not in (None, ""):
            found[name] = typed(name, value, probe, f"{where}.{name}")
    return found


def typed(name: str, value: t.Any, probe: str, where: str) -> t.Any:
    """Return a value of a connection as its type. Raises InvalidArgument for one that cannot be right."""
    kind = CHECK_CONNECTION[name]["type"]
    if kind == "bool":
        return checks.truth(value, where)
    if kind == "int":
        if not re.fullmatch(r"[0-9]{1,5}", str(value).strip(), re.ASCII) or not 1 <= int(value) <= 65535:
            raise InvalidArgument(f"{where} must be from 1 to 65535.")
        return int(value)
    if isinstance(value, (dict, list, bool)):
        shown = "" if name == "password" else f", not {quoted(value)}"
        raise InvalidArgument(f"{where} must be text{shown}.")
    text = str(value)
    if name == "host" and not (HOST.fullmatch(text) and resolvable(text)):
        shown = "" if "@" in text else f", not {quoted(text)}"  # A password is before the @ of a URL.
        raise InvalidArgument(
            f"{where} must be a name or an address and nothing else{shown}: a port goes into port, and tls "
            "turns TLS on."
        )
    if name == "password_variable" and not VARIABLE.fullmatch(text):
        raise InvalidArgument(f"{where} must be the name of a variable, not {quoted(text)}.")
    if name == "database" and probe == "redis" and not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise InvalidArgument(f"{where} must be the number of a database of the cache, not {quoted(text)}.")
    return text


def resolvable(host: str) -> bool:
    """Whether Python can look a name up; for one with a part that is blank or too long it raises."""
    try:
        return ":" in host or bool(host.encode("idna"))
    except UnicodeError:
        return False


def unreadable_bundle(
    row: Row, service: Reading, row_checks: t.Sequence[Check], common: t.Any
) -> Refused | None:
    """Return the error for a bundle that the checks of a row name and that cannot be read here, or None."""
    probe = service.probe
    for check in row_checks:
        place = {**connection(common, probe), **connection(row.get("connection"), probe), **check.connection}
        try:
            if place.get("ca_path") and place.get("tls", True):
                tls_context(place)
        except Refused as error:
            return error
    return None


def without_passwords(row: Row) -> Row:
    """Return a row without passwords, fit to be shown and stored."""

    def bare(value: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {name: inner for name, inner in value.items() if name != "password"}

    found = dict(row)
    if isinstance(row.get("connection"), dict):
        found["connection"] = bare(row["connection"])
    if isinstance(row.get("checks"), list):
        found["checks"] = [
            {**check, "connection": bare(check["connection"])}
            if isinstance(check, dict) and isinstance(check.get("connection"), dict)
            else check
            for check in row["checks"]
        ]
    return found


def passwords(row: Row) -> t.Iterator[str]:
    """Yield every password of a row."""
    for given in connections(row):
        if given.get("password") not in (None, ""):
            yield str(given["password"])


def verified(
    row: Row,
    service: Reading,
    cloud: Cloud,
    settings: Settings,
    row_checks: t.Sequence[Check],
) -> Row:
    """Return a row with its `verification` and a step, after `settings.timeout` seconds at most."""
    clock, at = cloud.clock, cloud.clock.now()
    begun = clock.monotonic()
    deadline = begun + settings.timeout
    try:
        instance = serving_instance(row, service, cloud, settings.interval, deadline)
    except CloudError as caught:
        error, seconds = caught, clock.monotonic() - begun
        end = "timed_out" if error.kind == "not_running" else "unreachable"
        verification: Row = {"end": end, "ladder": None, "checks": []}
        row = {**row, "verification": verification}
        return failed(row, "verify", of_restored(row, failure(error)), at, seconds)
    row = {**row, "target": {**(row["target"] or {}), **service.target(instance)}}
    ladder = Ladder(row, service, cloud, settings, deadline)
    found = [ladder.climb(check, service.place(instance)) for check in row_checks]
    verification, reason = verification_of(row_checks, found)
    row = {**row, "verification": verification}
    seconds = clock.monotonic() - begun
    if reason is None:
        return with_step(row, "verify", "ok", at, seconds)
    return failed(row, "verify", of_restored(row, reason), at, seconds)


def of_restored(row: Row, reason: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return why nothing was checked, and that the restore succeeded, if one did."""
    if row["outcome"] not in GOOD or reason["error_kind"] not in ("missing_library", "not_running"):
        return reason
    return {**reason, "msg": f"The restore itself succeeded. {reason['msg']}"}


def serving_instance(row: Row, service: Reading, cloud: Cloud, interval: float, deadline: float) -> Row:
    """Return the instance once it serves.

    Raises CloudError if it cannot be read, or does not serve in time.
    """
    clock, name = cloud.clock, instance_id(row, service)
    cloud.session.deadline = deadline
    while True:
        try:
            instance = service.instance(cloud, str(name))
            why = service.ready(instance)
        except CloudError as error:
            if not error.transient:
                raise
            why = str(error).rstrip(".")
        if why is None:
            return instance
        left = deadline - clock.monotonic()
        if left <= 0:
            raise NotRunning(f"The instance is not available yet: {why}. Its data were not checked.")
        clock.sleep(min(left, interval * (1 + clock.random() / 5)))


class Ladder:
    """The checks of one row, each on a connection of its own, which ends with the time of the row.

    A refused question is not asked again.
    """

    def __init__(
        self,
        row: Row,
        service: Reading,
        cloud: Cloud,
        settings: Settings,
        deadline: float,
    ) -> None:
        self._cloud, self._settings, self._deadline = cloud, settings, deadline
        probe = service.probe
        self._connect = CLIENTS[probe]
        self._given = [connection(place, probe) for place in (settings.connection, row.get("connection"))]
        self._failures: dict[str, CloudError] = {}
        self._point = moment(row["data_time"])
        self._counts = baseline_counts(row, settings.baseline)

    def climb(self, check: Check, reported: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return the outcome of a check at the `reported` place, with its error under `error`."""
        clock = self._cloud.clock
        begun = clock.monotonic()
        verdict: checks.Verdict | None = None
        error: CloudError | None = None
        try:
            place = self._place(check, reported)
            verdict = checks.judge(
                check,
                self._read(check, place),
                self._point,
                self._counts.get(check.name),
                self._settings.tolerance,
            )
            outcome = "passed" if verdict.passed else "failed"
        except CloudError as caught:
            outcome, error = OUTCOMES.get(caught.kind, "failed"), caught
        return {
            "name": self._shown(check.name),
            "kind": check.kind,
            "expected": self._shown(verdict.expected) if verdict else None,
            "found": self._shown(verdict.found) if verdict else None,
            "outcome": outcome,
            "seconds": round(clock.monotonic() - begun, 1),
            "msg": self._shown(str(error), 2 * SHOWN) if error else None,
            "error": error,
        }

    def _place(self, check: Check, reported: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return how to connect: as the check says, else the row, else the task, else the cloud."""
        place = dict(reported)
        for given in (*self._given, check.connection):
            place.update(given)
        if not place["host"] or not place["port"]:
            raise Refused(
                "The cloud reports no address of the instance: give host and port in its connection.",
                "not_configured",
            )
        return place

    def _read(self, check: Check, place: dict[str, t.Any]) -> t.Any:
        """Return what a check finds. After a lost connection it asks again until the time is over."""
        clock, key, pause = self._cloud.clock, repr(sorted(place.items(), key=str)), PAUSE
        while True:
            left = self._deadline - clock.monotonic()
            failure = self._failures.get(key)
            if failure is not None and (isinstance(failure, Refused) or left <= 0):
                raise failure.with_context()
            connected = False
            try:
                with contextlib.closing(self._connect(place, max(left, 1.0))) as client:
                    connected = True
                    self._failures.pop(key, None)
                    return client.read(check)
            except Unreachable as error:
                self._failures[key] = error
                clock.sleep(max(0.0, min(pause, self._deadline - clock.monotonic())))
                pause = min(pause * 2, LONGEST_PAUSE)
            except Refused as error:
                if not connected:
                    self._failures[key] = error
                raise

    def _shown(self, text: str | None, limit: int = SHOWN) -> str | None:
        return None if text is None else self._cloud.redactor.printable(text, limit)


def baseline_counts(row: Row, baseline: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, int]:
    """Return the counts in the checks of an earlier report for the same instance, but not of failed ones.

    Raises InvalidArgument if it does not hold the rows of a report.
    """

    def called(one: t.Mapping[str, t.Any]) -> list[t.Any]:
        return [one.get("label"), (one.get("target") or {}).get("instance_name")]

    try:
        target = (row.get("target") or {}).get("instance_id")
        same = [one for one in baseline if (one.get("target") or {}).get("instance_id") == target]
        names = [name for name in called(row) if name]
        same = same or [one for one in baseline if any(name in names for name in called(one))]
        found = [check for one in same[:1] for check in (one.get("verification") or {}).get("checks") or []]
        good = [
            (check.get("name"), check.get("found")) for check in found if check.get("outcome") != "failed"
        ]
    except (AttributeError, TypeError):
        raise InvalidArgument("baseline must be a list of the rows of a report.") from None
    return {str(name): int(number) for name, number in good if checks.INTEGER.fullmatch(str(number))}


def verification_of(
    row_checks: t.Sequence[Check], found: list[dict[str, t.Any]]
) -> tuple[Row, dict[str, t.Any] | None]:
    """Return the verification, and the reason for a failure of the row as a task result."""
    errors = [one.pop("error") for one in found]
    bad = [number for number, one in enumerate(found) if one["outcome"] != "passed"]
    end = next((end for end in ENDS if any(one["outcome"] == end for one in found)), "not_configured")
    unset = [error for error in errors if isinstance(error, Refused) and error.kind in UNSET]
    if unset and len(unset) == len(bad):
        end = "not_configured"
    verification = {"end": end, "ladder": highest_rung(row_checks, found), "checks": found}
    if not bad:
        return verification, None
    # Wrong data tell more than a check that could not read any.
    first = min(bad, key=lambda number: (found[number]["outcome"] != end, errors[number] is not None))
    one, error = found[first], errors[first]
    reason = one["msg"] or f"expected {one['expected']}, found {one['found']}."
    kind = error.kind if error else "verification_failed"
    msg = f"{len(bad)} of {len(found)} checks did not pass. {one['name']}: {reason}"
    return verification, {"error_kind": kind, "msg": msg}


def highest_rung(row_checks: t.Sequence[Check], found: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Return the highest rung up to which every check has passed.

    If anything was read from an instance, it is reachable.
    """
    reached = "runs"
    if any(one["found"] is not None for one in found):
        reached = checks.REACHABLE
    for name in RUNGS:
        on_it = [one["outcome"] for check, one in zip(row_checks, found) if check.rung == name]
        if any(outcome != "passed" for outcome in on_it):
            break
        if on_it:
            reached = name
    return reached
