# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of the role with a world of dicts: which rows go on, what is asked, what each report says."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from ansible_collections.huaweicloud.recovery.plugins.action.restore_step import ActionModule, summary
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import (
    _calls,
    _entries,
    _lines,
    _options,
    _planning,
    _plans,
    _report_files,
    _settings,
    _state,
    _step_table,
    _steps,
    _target,
)

NOW = 1795600000000  # 2026-11-25T09:46:40Z
ACCOUNT = {"project_id": "p", "region": "r", "domain_id": "d"}
CACHE = {"instance_id": "c1", "backup_id": "b1"}
DATABASE = {"source_instance_id": "s1", "target_instance_id": "t1", "restore_time": "2026-11-25T09:00:00Z"}
RESTORE = ("plan", "together", "report")


class World:
    """Answer as the modules do, and keep each report as it stood.

    `broken` has what goes wrong for a module and an instance.
    """

    latest: dict[str, Any] | None = None

    def __init__(self, typed: str | None = None, reports: Path | None = None) -> None:
        self.typed, self.reports = typed, reports
        self.calls: list[tuple[str, bool, list[str]]] = []
        self.lines: list[str] = []
        self.broken: dict[tuple[str, str], dict[str, Any]] = {}
        self.states: dict[str, str] = {}
        self.seen: list[list[str]] = []
        self.kept: list[str] = []  # backups that a safety backup must not replace
        self.requested: list[dict[str, Any]] = []  # the rows that were planned last
        self.attached: list[str | None] = []  # the safety backups that a call waits for by their ID
        self.instances = {name: name for name in ("c1", "c2", "s1", "t1")}  # the ends of their names, by ID
        self._time = itertools.count(NOW, 1000)

    def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
        rows = options.get("restores", [options])
        self.calls.append((module, check, [self._id(row) for row in rows]))
        self.requested = rows if (module, check) == ("restore_start", True) else self.requested
        if self.reports:
            found = [
                json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.reports.glob("*.json"))
            ]
            self.seen.append(
                [
                    f"{row['target']['instance_id']} {row['outcome']}"
                    for one in found
                    for row in one["restores"]
                ]
            )
        if (module, "*") in self.broken:
            return {"failed": True, **self.broken[module, "*"]}
        if module.endswith("_instance_info"):
            return {
                "instances": [
                    {"instance_id": ident, "name": f"name-{name}", "status": "RUNNING"}
                    for ident, name in self.instances.items()
                ]
            }
        if module == "dcs_backup":
            self.kept.append(options["keep_backup_id"])
            self.attached.append(options.get("backup_id"))
            return self.broken.get(
                (module, options["instance_id"]), {"backup_id": "s-" + options["instance_id"]}
            )
        if module == "restore_verify":
            end = {"end": "not_configured", "ladder": "runs", "checks": []}
            return {
                "changed": False,
                "restores": [
                    {**row, "verification": end, **self.broken.get((module, self._id(row)), {})}
                    for row in rows
                ],
            }
        return {
            "changed": True,
            "account": ACCOUNT,
            "restores": [self._row(module, check, row) for row in rows],
        }

    def _id(self, row: dict[str, Any]) -> str:
        return str(row.get("target_instance_id") or row.get("instance_id") or row.get("job_id") or "")

    def _row(self, module: str, check: bool, row: dict[str, Any]) -> dict[str, Any]:
        ident = self._id(row)
        bad = (
            self.broken.get((module, ident))
            if not check or module == "restore_wait"
            else self.broken.get(("plan", ident))
        )
        found = {
            "error_kind": None,
            "steps": [],
            "job_id": None,
            "restore_id": None,
            "safety_backup": None,
            **row,
            "target": {"instance_id": ident, "instance_name": f"name-{ident}"},
            "source": {"instance_id": row.get("instance_id")},
            "backup": {"backup_id": _target.backup_id(row)} if row["service"] == "dcs" else None,
            "action": self.states.get(ident, "restore"),
            "changed": True,
        }
        if bad:
            return {**found, "outcome": None, "failed_step": "x", **bad}
        if check:
            return {**found, "outcome": "unchanged" if found["action"] == "nothing" else "planned"}
        return {
            **found,
            "outcome": "succeeded" if module == "restore_wait" else "started",
            "restore_id": "r-" + ident,
        }

    def say(self, lines: Sequence[str]) -> None:
        self.lines += lines

    def ask(self, question: str) -> str | None:
        self.lines.append(question)
        return self.typed

    def now_ms(self) -> int:
        return next(self._time)

    def random(self) -> str:
        return "abc123"

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def named(self, module: str) -> list[list[str]]:
        return [rows for name, check, rows in self.calls if name == module and not check]


def job(plan_only: Any = False, **variables: Any) -> _state.Job:
    options, problems = _options.options(variables, NOW)
    defaults = _entries.Defaults(options.point, options.operation_id, options.timezone, NOW)
    return _state.Job("restore", options, _entries.read_entries(variables, defaults), problems, plan_only, {})


def run(
    world: World, *steps: str, plan_only: Any = False, state: Any = None, **variables: Any
) -> dict[str, Any]:
    wanted = {"restore_dcs": [CACHE], "restore_ddm": [DATABASE], **variables}
    return _steps.run(state or {}, steps or RESTORE, job(plan_only, **wanted), world)


def test_readiness_gives_the_checks_no_restored_rows() -> None:
    """restore_verify would add to each restored row that its restore succeeded."""

    class Asked(World):
        def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
            if module == "restore_verify":
                asked.extend(options["restores"])
            return super().call(module, options, check)

    asked: list[dict[str, Any]] = []
    entry = {**CACHE, "connection": {"password": "secret"}, "checks": [{"ping": True}]}
    morning = job(False, restore_dcs=[entry])._replace(kind="readiness", read_only=True)
    world = Asked()
    _steps.run({}, RESTORE, morning, world)
    assert world.named("restore_start") == world.named("dcs_backup") == [], "it only reads"
    assert [(row["instance_id"], row.get("outcome")) for row in asked] == [("c1", None)]


def outcomes(state: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(row["target"]["instance_id"], row["outcome"] or row["error_kind"]) for row in state["restores"]]


def test_groups_in_order_each_with_a_safety_backup_before() -> None:
    world = World()
    state = run(world)
    assert outcomes(state) == [("t1", "succeeded"), ("c1", "succeeded")]
    assert [(name, rows) for name, check, rows in world.calls if not check] == [
        ("dcs_backup", ["c1"]),
        ("dcs_backup", ["c1"]),
        ("restore_start", ["t1"]),
        ("restore_wait", ["t1"]),
        ("restore_start", ["c1"]),
        ("restore_wait", ["c1"]),
        ("restore_verify", ["t1", "c1"]),
    ]
    assert world.attached == [None, "s-c1"], "the record of a backup may appear after the second call"
    assert "SAVED name-c1 s-c1   safety backups, for an undo" in world.lines
    assert state["report"]["verdict"] == "restored"
    assert world.lines[-1] == "Report: not written, because restore_report_dir is not set"
    assert world.lines[-2].endswith(". Undo: restore its safety backup, backup_id s-c1")
    assert "Undo" not in world.lines[-3], "a database has none"


def test_each_module_gets_the_values_of_the_run() -> None:
    """Without its baseline, a check would pass; in another region, another cache would be backed up."""

    class Given(World):
        def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
            given.append((module, check, {name: options[name] for name in options if name != "restores"}))
            return super().call(module, options, check)

    given: list[tuple[str, bool, dict[str, Any]]] = []
    counted = run(World(), "plan", "report", plan_only=True, restore_ddm=[])["report"]
    checks = [{"name": "dbsize", "outcome": "passed", "found": "7"}]
    counted["restores"][0]["verification"] = {"end": "passed", "checks": checks}
    place = {"region": "r1", "profile": "p1", "ignore_stuck": True}
    asked = {
        "restore_dcs": [{**CACHE, **place, "checks": [{"dbsize": {}}], "connection": {"host": "h"}}],
        "restore_ddm": [],
        "restore_wait_timeout": 77,
        "restore_poll_interval": 7,
        "restore_verify_timeout": 55,
        "restore_baseline": counted,
        "restore_baseline_tolerance": 3,
    }
    state = run(Given(), **asked)
    waiting = {"wait_timeout": 77, "poll_interval": 7}
    backup = {"instance_id": "c1", **place, "keep_backup_id": "b1", "remark": _calls.SAFETY_REMARK, **waiting}
    backup["operation_id"] = f"{state['run']['id']} {state['run']['began']}"
    compared = {"baseline": counted["restores"], "baseline_tolerance": 3}
    assert given == [
        ("restore_start", True, {"start_timeout": 77}),
        ("dcs_backup", False, {**backup, "wait": False}),
        ("dcs_backup", False, {**backup, "wait": True, "backup_id": "s-c1"}),
        ("restore_start", False, {"start_timeout": 77}),
        ("restore_wait", False, waiting),
        ("restore_verify", False, {"verify_timeout": 55, **compared, "poll_interval": 7}),
    ]
    named = {"service": "dcs", "instance_name": "orders"}  # a busy one, of which no plan knows the ID
    options = _calls.backup_of(named, "CHG-1", "now", job(), wait=True)
    assert (options["instance_name"], options.get("instance_id")) == ("orders", None)


def test_one_group_is_started_together() -> None:
    world = World()
    run(world, restore_dcs=[{**CACHE, "group": 1}, {"instance_id": "c2", "backup_id": "b2", "group": "0"}])
    assert world.named("restore_start") == [["c2"], ["t1", "c1"]]


def test_the_report_is_there_before_anything_is_sent_and_after_each_step(tmp_path: Path) -> None:
    world = World(reports=tmp_path)
    state = run(world, restore_report_dir=str(tmp_path), restore_safety_backup=False)
    assert state["changed"] is True, "without a safety backup, the restore alone has changed something"
    at = [
        (name, seen) for (name, check, rows), seen in zip(world.calls, world.seen, strict=True) if not check
    ]
    # A run that is killed in restore_start may have sent the restore, so its report says so by then.
    assert at[:4] == [
        ("restore_start", ["t1 started", "c1 planned"]),
        ("restore_wait", ["t1 started", "c1 planned"]),
        ("restore_start", ["t1 succeeded", "c1 started"]),
        ("restore_wait", ["t1 succeeded", "c1 started"]),
    ]
    assert world.lines[-1] == f"Report: {state['report']['files']['html']}"
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".md", ".xml", ".html"}


class Later(World):
    """A run some minutes later, whose report has another name."""

    def __init__(self, minutes: int) -> None:
        super().__init__()
        self._time = itertools.count(NOW + 60_000 * minutes, 1000)

    def random(self) -> str:
        return f"later{self.now_ms() // 60_000 % 10}"


class Killed(BaseException):
    """The end of a process, which no step catches."""


class Deadly(World):
    """The run is killed while it starts a restore."""

    def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
        if module == "restore_start" and not check:
            raise Killed
        return super().call(module, options, check)


@pytest.mark.parametrize("ticket", [None, "CHG-1042"])
def test_a_run_that_is_killed_while_it_starts_leaves_the_way_back(tmp_path: Path, ticket: str | None) -> None:
    """Its report does not call the data untouched; the next run attaches, and names the safety backup."""
    asked: dict[str, Any] = {"restore_ddm": [], "restore_report_dir": str(tmp_path)}
    asked["restore_operation_id"] = ticket
    with pytest.raises(Killed):
        run(Deadly(), **asked)
    (path,) = tmp_path.glob("*.json")
    left = json.loads(path.read_text(encoding="utf-8"))
    assert (left["verdict"], left["restores"][0]["data_state"]) == ("running", "unknown")
    assert str(path) in left["undo"]
    for action in ("adopt", "nothing"):
        again = World()
        again.states = {"c1": action}
        report = run(again, **asked)["report"]
        assert report["restores"][0]["safety_backup"]["backup_id"] == "s-c1", action
        assert again.named("dcs_backup") == [] and report["undo"]
        Path(report["files"]["json"]).unlink()
        path.write_text(json.dumps(left), encoding="utf-8")
    other = run(World(), **{**asked, "restore_dcs": [{**CACHE, "backup_id": "b2"}]})["report"]
    assert ticket or other["restores"][0]["safety_backup"]["created_at"] is None


class Interrupted(World):
    """The run is killed while it makes its safety backups."""

    def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
        found = super().call(module, options, check)
        if module == "dcs_backup":
            self.kept.append(options["operation_id"])
            raise Killed
        return found


class BackedUp(World):
    """The cache is busy with the safety backup of a run until somebody waits for it."""

    def __init__(self, operation_id: str) -> None:
        super().__init__()
        self.operation_id, self.waits, self._time = operation_id, 0, itertools.count(NOW + 60000, 1000)
        self.broken["plan", "c1"] = {"error_kind": "busy", "msg": "It is busy."}

    def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
        found = super().call(module, options, check)
        if module != "dcs_backup" or options["operation_id"] != self.operation_id:
            return found
        if not check and options["wait"]:
            self.waits += 1
            self.broken.clear()
        return {**found, "adopted": True, "outcome": "planned" if check else "succeeded"}

    def random(self) -> str:
        return "xyz789"  # the reports of two runs have two names


class BackedUpLate(BackedUp):
    """The request of the run that was killed arrives after the plan of the next one."""

    def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
        self.broken.clear()
        found = super().call(module, options, check)
        own = module == "dcs_backup" and options["operation_id"] != self.operation_id
        busy = {"failed": True, "error_kind": "busy", "msg": "It is busy."}
        return busy if own and not self.waits else found


@pytest.mark.parametrize("ticket", [None, "CHG-1042"])
def test_a_run_waits_for_the_safety_backup_of_one_that_was_killed(tmp_path: Path, ticket: str | None) -> None:
    """Otherwise it would leave the busy cache alone, and only the run after it would restore it."""
    asked: dict[str, Any] = {"restore_report_dir": str(tmp_path), "restore_operation_id": ticket}
    killed = Interrupted()
    with pytest.raises(Killed):
        run(killed, **asked)
    planned = BackedUp(killed.kept[-1])
    run(planned, plan_only=True, **asked)
    assert planned.waits == 0
    again = BackedUp(killed.kept[-1])
    state = run(again, **asked)
    assert (outcomes(state), again.waits) == ([("t1", "succeeded"), ("c1", "succeeded")], 1)
    assert "WAIT  an earlier run is still backing up name-c1" in again.text
    assert len(again.named("dcs_backup")) == 3, "it makes one of its own: the other lacks what was written"
    with pytest.raises(Killed):
        run(killed, **{**asked, "restore_report_dir": str(tmp_path / "late")})
    late = BackedUpLate(killed.kept[-1])
    state = run(late, **{**asked, "restore_report_dir": str(tmp_path / "late")})
    assert (outcomes(state)[1], late.waits) == (("c1", "succeeded"), 1)


def test_a_run_finds_the_safety_backup_among_several_that_were_killed(tmp_path: Path) -> None:
    """The request of the first one never arrived, so only the second one is making a backup."""
    asked: dict[str, Any] = {"restore_ddm": [], "restore_operation_id": "CHG-1042"}
    asked["restore_report_dir"] = str(tmp_path)
    killed = Interrupted()
    for minutes in range(2):
        killed._time = itertools.count(NOW + minutes * 60000, 1000)
        with pytest.raises(Killed):
            run(killed, **asked)
    again = BackedUp(killed.kept[-1])
    again._time = itertools.count(NOW + 120000, 1000)
    assert (outcomes(run(again, **asked)), again.waits) == ([("c1", "succeeded")], 1)
    assert len(again.named("dcs_backup")) == 3, "one wait and its own backup, and none of the first run"


def test_a_busy_database_waits_for_no_safety_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its service makes none, so the run goes on with the others."""
    with pytest.raises(Killed):
        run(Interrupted(), restore_report_dir=str(tmp_path))
    world = World()
    world.broken["plan", "t1"] = {"error_kind": "busy", "msg": "It is busy."}
    monkeypatch.setattr(world, "random", lambda: "def456")
    state = run(world, restore_report_dir=str(tmp_path))
    assert outcomes(state) == [("t1", "busy"), ("c1", "succeeded")]
    assert world.named("dcs_backup") == [["c1"], ["c1"]]


@pytest.mark.parametrize(("kind", "plan_only"), [("fleet", True), ("readiness", False), ("fleet", False)])
def test_what_overwrites_nothing_waits_for_no_safety_backup(
    tmp_path: Path, kind: str, plan_only: bool
) -> None:
    asked: dict[str, Any] = {"restore_dcs": [CACHE], "restore_report_dir": str(tmp_path)}
    killed = Interrupted()
    with pytest.raises(Killed):
        _steps.run({}, RESTORE, job(**asked), killed)
    (path,) = tmp_path.glob("*.json")
    path.write_text(path.read_text(encoding="utf-8").replace('"kind": "restore"', f'"kind": "{kind}"'))
    world = BackedUp(killed.kept[-1])
    reads = job(plan_only, **asked)._replace(kind=kind, read_only=kind == "readiness")
    _steps.run({}, ("plan",), reads, world)
    assert ("dcs_backup" in [module for module, check, rows in world.calls]) is (
        (kind, plan_only) == ("fleet", False)
    )


@pytest.mark.parametrize(
    ("action", "hour", "shown"), [("restore", 11, 1), ("restore", 9, 0), ("adopt", 11, 0)]
)
def test_a_plan_shows_what_somebody_has_restored_since_the_backup(action: str, hour: int, shown: int) -> None:
    """An undo would overwrite it, too."""
    restored = {"restore_id": "r7", "created_at": f"2026-11-25T{hour:02}:14:00Z"}
    row = {
        "service": "dcs",
        "data_time": "2026-11-25T10:00:00Z",
        "action": action,
        "details": {"newest_restore": restored},
    }
    line = _lines.cache_lines(row, 1_795_000_000_000, timezone.utc, True)[1]
    assert line.count("), and the data of restore r7 of 25 Nov 2026 11:14 +00:00. Down for") == shown
    assert ("Undo: safety backup first" in line, "Undo:" in line) == (
        action == "restore",
        action == "restore",
    )
    again = _lines.cache_lines({**row, "details": None}, 1_795_000_000_000, timezone.utc, True)[1]
    assert ". Down for" in again


@pytest.mark.parametrize("hour", ["09", "11"])
def test_a_backup_from_after_the_restore_of_another_run_is_no_undo(tmp_path: Path, hour: str) -> None:
    """That run has restored the cache while this one asked for its approval."""
    world = World(typed="yes")
    made = {"backup_id": "s1", "backup_name": "s", "created_at": f"2026-11-25T{hour}:00:00Z"}
    world.broken["dcs_backup", "c1"] = {"backup_id": "s1", "backup": {**made, "is_support_restore": True}}
    done: dict[str, Any] = {"outcome": "unchanged", "failed_step": None, "changed": False}
    done["restore"] = {"restore_id": "r0", "created_at": "2026-11-25T10:00:00Z"}
    world.broken["restore_start", "c1"] = done
    state = run(world, restore_ddm=[], restore_confirm=True, restore_report_dir=str(tmp_path))
    (row,) = state["report"]["restores"]
    assert (row["outcome"], bool(row["safety_backup"])) == ("unchanged", hour == "09")
    assert bool(state["report"]["undo"]) == (hour == "09")


def test_a_batch_checks_its_own_hosts_alone() -> None:
    """An application may use those of an earlier batch again, so they no longer hold what was restored."""
    entries = [
        {"instance_id": name, "backup_id": "b", "label": name, "checks": [{"dbsize": {}}]} for name in "xyz"
    ]
    whole = job(restore_dcs=entries, restore_safety_backup=False)._replace(kind="fleet", verify=False)
    world = World()
    state = _steps.run({}, ("plan",), whole, world)
    for name in "xyz":
        batch = whole._replace(only={name}, last=name == "z")
        state = _steps.run(state, ("together", "report"), batch, world)
    assert world.named("restore_verify") == [["x"], ["y"], ["z"]]


def test_a_batch_repeats_no_note_on_the_safety_backups_of_earlier_batches(tmp_path: Path) -> None:
    asked = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042"}
    entries = [{"instance_id": name, "backup_id": "b", "label": name} for name in "xy"]
    whole = job(restore_dcs=entries, **asked)._replace(kind="fleet", verify=False)
    for saved in ("s-1", "s-2"):
        world = World()
        for name in "xy":
            world.broken["restore_start", name] = {"error_kind": "outcome_unknown"}
            world.broken["dcs_backup", name] = {"backup_id": f"{saved}-{name}"}
        state = _steps.run({}, ("plan",), whole, world)
        for name in "xy":
            batch = whole._replace(only={name}, last=name == "y")
            state = _steps.run(state, ("together", "report"), batch, world)
    notes = state["run"]["notes"]
    for name, note in zip("xy", notes, strict=True):
        assert f"s-1-{name}. This run made s-2-{name}" in note and world.lines.count(note) == 1


@pytest.mark.parametrize(("kind", "planned"), [("restore", []), ("fleet", [["c2"]])])
def test_a_bundle_that_cannot_be_read_stops_a_run_and_of_a_fleet_only_its_host(
    kind: str, planned: list[list[str]]
) -> None:
    world = World()
    why = {"error_kind": "invalid_argument", "msg": "ca_path /nowhere.pem: No such file."}
    world.broken["restore_verify", "*"] = why
    entry = {**CACHE, "checks": [{"ping": True}], "connection": {"ca_path": "/nowhere.pem"}}
    asked = job(restore_dcs=[entry, {"instance_id": "c2", "backup_id": "b2"}])._replace(kind=kind)
    state = _steps.run({}, ("plan",), asked, world)
    assert [rows for name, check, rows in world.calls if name == "restore_start"] == planned
    failed = [row["msg"] for row in state["restores"] if row.get("error_kind")]
    assert why["msg"] in (failed[0] if planned else state["run"]["refused"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"restore_dcs": _settings.UNREAD}, "its checks can no longer be read"),
        ({"restore_dcs": [CACHE]}, "its checks can no longer be read"),
        ({"restore_baseline": None}, "its baseline can no longer be read"),
    ],
)
def test_checks_that_the_plan_has_promised_are_not_dropped(changed: dict[str, Any], words: str) -> None:
    """Tasks of the user may change variables, or remove the file in which a variable looks them up."""
    entry = {**CACHE, "checks": [{"dbsize": {}}], "connection": {"host": "h"}}
    rows = run(World(), plan_only=True)["report"]
    rows["restores"][1]["verification"] = {"end": "passed", "checks": [{"name": "dbsize", "found": "7"}]}
    without = {"instance_id": "c2", "backup_id": "b2"}
    asked = {"restore_dcs": [entry, without], "restore_ddm": [], "restore_baseline": rows}
    world = World()
    state = run(world, "plan", **asked)
    later = {**asked, "restore_safety_backup": False, **changed}
    state = run(world, "together", "report", state=state, **later)
    row, unchecked = state["report"]["restores"]
    assert unchecked["error_kind"] is None
    assert world.named("dcs_backup") == [["c1"], ["c2"]] * 2, "the plan has promised the safety backup"
    assert (row["failed_step"], row["data_state"]) == ("verify", "overwritten_not_verified")
    assert words in row["msg"] and state["report"]["failed"]


def test_a_target_that_failed_is_left_alone_and_the_others_go_on() -> None:
    world = World()
    world.broken["dcs_backup", "c1"] = {"failed": True, "error_kind": "busy", "msg": "It is busy."}
    state = run(world, restore_dcs=[CACHE, {"instance_id": "c2", "backup_id": "b2"}])
    assert outcomes(state) == [("t1", "succeeded"), ("c1", "busy"), ("c2", "succeeded")]
    assert world.named("restore_start") == [["t1"], ["c2"]]
    following = state["report"]["restores"][1]["next"]
    # Waiting is the remedy, not a restore without a way back.
    assert "restore_safety_backup" not in str(following)
    assert "Wait until it has ended" in following["do"]
    assert state["report"]["verdict"] == "incomplete"


@pytest.mark.parametrize(
    ("service", "why"),
    [("dcs", "a needs instance_id or instance_name."), ("", "its variable service is not ")],
)
def test_a_fleet_whose_only_host_is_wrong_fails_without_a_request(
    tmp_path: Path, service: str, why: str
) -> None:
    folder = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042"}
    world, asked = World(), job(**folder)._replace(kind="fleet")
    host = _entries.of_host("a", {"service": service}, _entries.Defaults("latest", None, None, NOW))
    found = asked.found._replace(rows=[host], names=[], problems=[])
    state = _steps.run({}, RESTORE, asked._replace(found=found), world)
    assert world.calls == [] and state["report"]["failed"]
    assert why in state["report"]["restores"][0]["msg"]


def test_a_clock_that_is_set_back_makes_no_time_negative() -> None:
    world = World()
    state = run(world, "plan")
    world._time = itertools.count(NOW - 3600000, -1000)
    report = run(world, "together", "report", state=state)["report"]
    steps = [step for row in report["restores"] for step in row["steps"]]
    assert (report["elapsed"], {step["seconds"] for step in steps}) == (0.0, {0.0})
    assert "DONE  2 of 2 in 0:00." in world.text


@pytest.mark.parametrize(
    ("seconds", "ahead"), [(0, 0), (60, 0), (-460, 0), (61, 61_000), (-461, -61_000), (-200, 0)]
)
def test_the_newest_plan_shows_how_far_the_clouds_clock_is_ahead(seconds: int, ahead: int) -> None:
    """The plans take 400 s here, or what follows the last of them. Less than a minute is no difference."""
    rows = [
        {"details": {"planned_at": iso(NOW + (seconds - early) * 1000)}} if early is not None else {}
        for early in (900, 0, None)
    ]
    assert _target.cloud_ahead(rows, NOW - 400_000, NOW) == ahead
    old = {"details": {"planned_at": iso(NOW - 86_400_000)}, "error_kind": "busy"}
    assert _target.cloud_ahead([old], NOW - 400_000, NOW) == 0
    assert _target.cloud_ahead([*rows, old], NOW - 400_000, NOW) == ahead
    assert _target.cloud_ahead([{}, {"details": None}], NOW - 400_000, NOW) == 0


def test_a_module_that_gives_no_rows_fails_its_rows() -> None:
    world = World()
    world.broken["restore_wait", "*"] = {"error_kind": "auth_failed", "msg": "The token has expired"}
    state = run(world)
    assert "auth_failed: The token has expired. Next: Check the credentials" in world.text
    assert outcomes(state) == [("t1", "auth_failed"), ("c1", "auth_failed")]
    assert {row["failed_step"] for row in state["restores"]} == {"wait"}
    (row,) = _calls.returned({"restores": []}, [state["restores"][0]], "restore", NOW)
    assert (row["error_kind"], row["msg"]) == ("internal_error", "restore ended without a result.")
    world.broken = {("restore_start", "*"): {"msg": "The token has expired"}}
    assert run(world)["run"]["refused"] == "The token has expired. Nothing was started."


@pytest.mark.parametrize(
    ("result", "state_of_data"),
    [
        ({}, "unknown"),  # of a module that was killed
        ({"changed": True, "error_kind": "internal_error"}, "unknown"),
        ({"changed": False, "error_kind": "auth_failed"}, "untouched"),
    ],
)
def test_a_start_that_gives_no_rows_may_have_overwritten(result: dict[str, Any], state_of_data: str) -> None:
    """Whoever reads that nothing was started loses the way back."""

    class Silent(World):
        def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
            found = super().call(module, options, check)
            return {"failed": True, **result} if module == "restore_start" and not check else found

    report = run(Silent(), restore_safety_backup=False)["report"]
    assert {row["data_state"] for row in report["restores"]} == {state_of_data}
    assert (report["verdict"], report["changed"]) == ("failed", state_of_data == "unknown")


def test_a_run_knows_what_its_report_and_its_advice_need() -> None:
    values: dict[str, Any] = {
        "restore_rto_target": 60,
        "restore_rpo_target": 3600,
        "restore_point": "2026-11-25T09:00:00Z",
        "restore_timezone": "Europe/Berlin",
        "restore_report_keep": 3,
    }
    of_job = {"command": "ansible-playbook x", "command_complete": False}
    found = _state.context(job(True, **values)._replace(context=of_job))
    names = ("rto_target", "rpo_target", "restore_point", "timezone", "keep", *of_job)
    expected = [60, 3600, "2026-11-25T09:00:00.000Z", "Europe/Berlin", 3, *of_job.values()]
    assert [found[name] for name in names] == expected
    digest = "0" * 64
    ways: list[dict[str, Any]] = [{"restore_plan_digest": digest}, {"restore_plan_file": "/plan.json"}]
    for way in ({}, *ways, {"restore_plan": {"plan_digest": digest}}):
        found = _state.context(job(**way))
        assert found["plan_given"] is bool(way)
        assert found["digest_given"] == way.get("restore_plan_digest")


def test_all_problems_are_reported_at_once_without_a_request() -> None:
    world = World()
    state = run(
        world, restore_wait_timeout="soon", restore_dcs=[{"instance_id": "c1"}], restore_timezone="Mars"
    )
    assert world.calls == []
    refused = state["run"]["refused"]
    for words in (
        "3 problems",
        "restore_wait_timeout must be",
        "restore_dcs[0] needs",
        "restore_timezone (or HW_TIMEZONE) 'Mars'",
    ):
        assert words in refused
    assert refused.endswith("Nothing was started.")
    assert state["report"]["verdict"] == "refused"
    assert state["report"]["failed"]


def test_an_unwritable_folder_is_found_out_before_anything(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    world = World()
    state = run(world, restore_report_dir=str(tmp_path / "file" / "reports"))
    assert world.calls == []
    assert "No report can be written" in state["run"]["refused"]
    assert world.lines[-1] == "Report: not written, for the reason above"


def test_names_of_wide_letters_and_marks_keep_the_columns() -> None:
    """A terminal shows a Chinese letter in two columns, and a mark above the letter before it."""
    called = ["订单缓存", "orders", "cafe\u0301"]
    rows = [{"service": "dcs", "target": {"instance_id": "i", "instance_name": name}} for name in called]
    shown = [f"{_lines.column(row, _lines.widest(rows))}|" for row in rows]
    assert shown == ["订单缓存|", "orders  |", "cafe\u0301    |"]


@pytest.mark.parametrize("saved", [True, False])
def test_a_folder_that_has_become_unwritable_stops_a_run_before_it_overwrites(
    tmp_path: Path, saved: bool
) -> None:
    """The user's tasks may have filled the disk since the plan."""
    world, folder = World(), tmp_path / "reports"
    state = run(world, "plan", restore_report_dir=str(folder), restore_safety_backup=saved)
    world.states = {"t1": "adopt", "c1": "adopt"}
    attached = run(world, "plan", restore_report_dir=str(folder))
    folder.rmdir()
    folder.write_text("")
    state = run(world, "together", "report", state=state, restore_report_dir=str(folder))
    assert world.named("dcs_backup") == world.named("restore_start") == []
    assert outcomes(state) == [("t1", "not_started"), ("c1", "not_started")]
    why = f"The report could not be written to {folder}: File exists. Nothing was started. Set "
    why += "restore_report_dir to a writable folder."
    assert (state["report"]["verdict"], state["report"]["msg"]) == ("refused", why)
    assert {row["data_state"] for row in state["report"]["restores"]} == {"untouched"}
    attached = run(world, "together", state=attached, restore_report_dir=str(folder))
    assert world.named("restore_wait") == [["t1"], ["c1"]], "it overwrites nothing, so it goes on"
    assert {row["outcome"] for row in attached["restores"]} == {"succeeded"}


@pytest.mark.parametrize("module, started", [("dcs_backup", []), ("restore_start", [["t1"], ["c1"]])])
def test_a_folder_that_becomes_unwritable_later_stops_only_the_first_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, started: list[list[str]]
) -> None:
    """A half restored stack is worse than one without a report."""
    world, folder = World(), tmp_path / "reports"
    state = run(world, "plan", restore_report_dir=str(folder))
    call = world.call

    def filling(name: str, *given: Any, **more: Any) -> dict[str, Any]:
        if name == module and folder.is_dir():
            shutil.rmtree(folder)
            folder.write_text("")
        return call(name, *given, **more)

    monkeypatch.setattr(world, "call", filling)
    state = run(world, "together", "report", "end", state=state, restore_report_dir=str(folder))
    assert world.named("restore_start") == started
    assert ("Nothing was overwritten." in state["report"]["msg"]) == (not started)
    assert state["report"]["failed"] == (not started)
    assert "Report: " not in summary(state["report"]), "No file is named that was never written."


@pytest.mark.parametrize(
    ("full_from", "known"), [("restore_start", False), ("restore_wait", True), ("never", True)]
)
def test_a_job_that_no_file_knows_is_found_by_its_id_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_from: str, known: bool
) -> None:
    """The disk is full from a step on. The advice must not promise that the same command attaches."""

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    class Full(World):
        def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
            if (module, check) == (full_from, False):
                monkeypatch.setattr("os.fsync", full)
            return super().call(module, options, check)

    world = Full()
    world.broken["restore_start", "t1"] = {"job_id": "j1", "outcome": "started", "failed_step": None}
    world.broken["restore_wait", "t1"] = {"error_kind": "wait_timeout", "failed_step": "wait"}
    report = run(world, restore_dcs=[], restore_report_dir=str(tmp_path))["report"]
    assert bool(report["problem"]) is (full_from != "never")
    do = report["restores"][0]["next"]["do"]
    assert ("Give job_id j1 for name-t1: without a report" in do) is not known
    assert ("Give job_id j1" in world.text) is not known


def test_a_folder_that_becomes_unwritable_between_two_batches_stops_no_fleet(tmp_path: Path) -> None:
    world, folder = World(), tmp_path / "reports"
    caches = [{**CACHE, "instance_id": ident, "label": ident} for ident in ("c1", "c2")]
    fleet = job(restore_dcs=caches, restore_report_dir=str(folder))._replace(kind="fleet")
    state = _steps.run({}, ("plan", "together"), fleet._replace(only={"c1"}, last=False), world)
    shutil.rmtree(folder)
    folder.write_text("")
    state = _steps.run(state, ("together", "report"), fleet._replace(only={"c2"}), world)
    assert outcomes(state) == [("c1", "succeeded"), ("c2", "succeeded")]


def test_a_run_about_which_nothing_is_known_writes_no_report_over_its_own(tmp_path: Path) -> None:
    """A time limit has killed the step that restores. The newest report must still have its IDs."""
    world = World()
    state = run(world, "report", "end", restore_report_dir=str(tmp_path))
    assert (world.calls, [*tmp_path.iterdir()]) == ([], [])
    # with --start-at-task End nothing was started
    assert "or --start-at-task has left out its first steps. What it may" in state["report"]["msg"]
    assert (state["report"]["verdict"], state["report"]["failed"]) == ("incomplete", True)
    assert "Read the newest report, then run the same command again" in state["report"]["msg"]


@pytest.mark.parametrize("name", ["restore_baseline", "restore_report"])
@pytest.mark.parametrize("given", ["/no/such/report.json", {"restores": "x"}, {"id": "a", "restores": []}])
def test_anything_but_a_report_is_refused_before_the_plan(name: str, given: Any) -> None:
    """Without a baseline, any number would pass a check that has no bound of its own."""
    world = World()
    state = run(world, **{name: given})
    assert world.calls == []
    assert name in state["run"]["refused"]
    reason = "/no/such/report.json does not exist." if isinstance(given, str) else "must be a report of this"
    assert reason in state["run"]["refused"]
    way = "by its remark before a restore [safety], and restore it as backup_id." in state["run"]["refused"]
    assert way is (name == "restore_report")


def test_a_baseline_without_counts_compares_nothing(tmp_path: Path) -> None:
    """Such as a plan, or the report of another stack."""
    plan = run(World(), "plan", "report", plan_only=True)["report"]
    world = World()
    state = run(world, restore_baseline=plan)
    assert world.calls == []
    assert "restore_baseline holds no counts to compare with" in state["run"]["refused"]
    checks = [{"name": "dbsize", "outcome": "passed", "found": "7"}]
    plan["restores"][1]["verification"] = {"end": "passed", "checks": checks}
    asked = {"restore_ddm": [], "restore_baseline": plan}
    for ident, noted in (("c1", False), ("c2", True)):
        entry = {**CACHE, "instance_id": ident, "checks": [{"dbsize": {}}]}
        state = run(World(), restore_dcs=[entry], **asked)
        assert any("no counts of name-c2" in note for note in state["report"]["notes"]) is noted


@pytest.mark.parametrize(
    ("typed", "approved"),
    [("CHG-1042\n", True), ("yes", True), ("y", False), ("no", False), ("", False), (None, False)],
)
def test_confirmation(typed: str | None, approved: bool) -> None:
    world = World(typed)
    state = run(world, restore_confirm=True, restore_operation_id="CHG-1042")
    assert "Overwrite 2 instances? Type CHG-1042 to go on: " in world.lines
    assert bool(world.named("restore_start")) == approved
    assert bool(world.named("dcs_backup")) == approved
    if not approved:
        assert state["report"]["verdict"] == "refused"
        assert {row["failed_step"] for row in state["restores"]} == {"approve"}
    if typed is None:
        assert f"restore_plan_digest={state['run']['plan_digest']}" in state["run"]["refused"]


def test_a_digest_approves_without_a_question() -> None:
    digest = run(World(), "plan")["run"]["plan_digest"]
    world = World()
    state = run(world, restore_confirm=True, restore_plan_digest=digest[:16])
    assert state["report"]["approval"]["how"] == "the digest of the plan"
    assert world.named("restore_start") != []
    assert "Overwrite" not in world.text
    other = World()
    state = run(other, restore_plan_digest=digest, restore_dcs=[{**CACHE, "backup_id": "b9"}])
    assert other.named("restore_start") == []
    assert "is not the digest of this plan" in state["run"]["refused"]
    assert "For a database, latest" not in state["run"]["refused"]
    moved = run(World(), restore_plan_digest=digest, restore_ddm=[{**DATABASE, "restore_time": "latest"}])
    assert "For a database, latest is a later time in each new plan." in moved["run"]["refused"]
    cache = {"instance_id": "c1", "restore_point": "latest"}
    latest = run(World(), restore_plan_digest=digest, restore_dcs=[cache])
    assert "For a database, latest" not in latest["run"]["refused"], "that of a cache is its newest backup"
    late = run(World(), restore_plan_digest=digest, restore_operation_id="CHG-2")
    assert "another backup, restore_operation_id or restore_safety_backup" in late["run"]["refused"]


def test_a_run_without_a_folder_of_reports_reads_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even those in the working directory."""
    asked: dict[str, Any] = {"restore_ddm": [], "restore_operation_id": "CHG-1042"}
    latest = {**asked, "restore_dcs": [{"instance_id": "c1", "restore_point": "latest"}]}
    monkeypatch.chdir(tmp_path)
    plan = run(World(), "plan", "report", plan_only=True, restore_report_dir=".", **asked)["report"]
    changed = {**asked, "restore_dcs": [{**CACHE, "backup_id": "b9"}]}
    state = run(World(), "plan", "approve", restore_plan_digest=plan["plan_digest"], **changed)
    assert f"is not the digest of this plan, which is {state['run']['plan_digest']}. A plan" in str(
        state["run"]["refused"]
    )
    killed = Interrupted()
    with pytest.raises(Killed):
        run(killed, restore_report_dir=".", **asked)
    monkeypatch.setattr("os.listdir", lambda folder: pytest.fail(f"{folder} was read"))
    assert outcomes(run(World(), **latest)) == [("c1", "succeeded")]
    world = BackedUp(killed.kept[-1])
    assert outcomes(run(world, **asked)) == [("c1", "busy")] and world.waits == 0


@pytest.mark.parametrize(("reported", "jobs"), [(True, False), (False, True)])
def test_a_started_restore_says_how_it_is_resumed(tmp_path: Path, reported: bool, jobs: bool) -> None:
    world, folder = World(), {"restore_report_dir": str(tmp_path)} if reported else {}
    run(world, **folder)
    of_database, of_cache = [line for line in world.lines if line.startswith("RUN ")]
    resumes = "   Ctrl-C leaves them running; the same command resumes"
    job_too = ", and a job if you also give its job_id" if jobs else ""
    assert of_database == f"RUN   name-t1 restore r-t1{resumes}{job_too}"
    assert of_cache == f"RUN   name-c1 restore r-c1{resumes}"


def test_what_was_started_is_listed_with_its_ids() -> None:
    rows = [
        {"service": "dcs", "instance_id": f"c{number}", "restore_id": f"r{number}", "outcome": "started"}
        for number in range(13)
    ]
    assert _lines.running([], True) == _lines.running([{**rows[0], "outcome": "unchanged"}], True) == []
    assert _lines.running([{**rows[0], "error_kind": "busy"}], True) == []
    job_alone = {**rows[0], "restore_id": None, "job_id": "j0"}
    for found, words in ((rows[0], "restore r0"), (job_alone, "job j0")):
        assert f"c0 {words}   Ctrl-C" in _lines.running([found], True)[0]
    for number, more in ((12, "c11 restore r11   Ctrl-C"), (13, "c11 restore r11 | 1 more   Ctrl-C")):
        assert more in _lines.running(rows[:number], True)[0]


@pytest.mark.parametrize(
    ("hooks", "plan_only", "said"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_a_plan_warns_of_hosts_that_cannot_be_reached(hooks: bool, plan_only: bool, said: bool) -> None:
    """Only tasks of the user reach hosts, and only in a run that gets as far as these."""
    world = World()
    asked = job(plan_only, restore_dcs=[CACHE])
    _steps.run({}, ("plan",), asked._replace(hooks={"restore_before_tasks": "a.yml"} if hooks else {}), world)
    assert (_steps.UNREACHABLE in world.lines) is said


def test_a_digest_that_fits_no_longer_says_what_changed(tmp_path: Path) -> None:
    folder = str(tmp_path)
    planned = run(World(), "plan", "report", plan_only=True, restore_report_dir=folder)
    digest = planned["report"]["plan_digest"]
    newer = World()
    newer._time = itertools.count(NOW + 60000, 1000)
    other = {"restore_report_dir": folder, "restore_dcs": [{**CACHE, "backup_id": "b8"}]}
    run(newer, "plan", "report", plan_only=True, **other)
    approved = run(World(), "plan", "approve", restore_plan_digest=digest, restore_report_dir=folder)
    assert approved["run"]["approval"], "another plan that was made since changes nothing"
    state = run(
        World(),
        restore_plan_digest=digest,
        restore_report_dir=folder,
        restore_dcs=[{**CACHE, "backup_id": "b9"}],
    )
    assert "What has changed since: name-c1: backup b9 instead of b1" in state["run"]["refused"]


def test_a_digest_of_a_plan_with_safety_backups_approves_no_run_without(tmp_path: Path) -> None:
    asked = {"restore_report_dir": str(tmp_path), "restore_ddm": []}
    digest = run(World(), "plan", "report", plan_only=True, **asked)["report"]["plan_digest"]
    world = World()
    state = run(world, restore_plan_digest=digest, restore_safety_backup=False, **asked)
    assert "What has changed since: the safety backup." in state["run"]["refused"]
    assert world.named("restore_start") == []


def test_a_digest_of_a_plan_that_would_do_nothing_approves_no_restore(tmp_path: Path) -> None:
    """A run after another restore of the instance has the same digest. So has a run that goes on."""
    asked = {"restore_report_dir": str(tmp_path), "restore_ddm": []}
    for planned, actual in (("nothing", "restore"), ("restore", "nothing"), ("restore", "restore")):
        world = World()
        world.states = {"c1": planned}
        plan = run(world, "plan", "report", plan_only=True, **asked)["report"]
        world.states = {"c1": actual}
        report = run(world, restore_plan_digest=plan["plan_digest"], **asked)["report"]
        assert report["failed"] is (planned == "nothing"), report["msg"]
        assert bool(world.named("restore_start")) is (planned == actual)
        Path(plan["files"]["json"]).unlink()
        if report["failed"]:
            assert (
                "name-c1: needed nothing when it was planned, but would be overwritten now" in report["msg"]
            )
            assert "is the digest of a plan that is out of date. What has changed" in report["msg"]


def test_the_digest_of_a_job_holds_when_it_has_ended() -> None:
    """Otherwise the run that was approved while the job ran would be refused, and check nothing."""
    asked: dict[str, Any] = {"restore_dcs": [], "restore_ddm": [{"job_id": "j"}]}
    digests = []
    for action in ("adopt", "nothing"):
        world = World()
        world.states = {"j": action}
        digests.append(run(world, "plan", **asked)["run"]["plan_digest"])
    assert digests[0] == digests[1]


def test_nothing_is_asked_where_nothing_would_be_overwritten() -> None:
    world = World()
    world.states = {"t1": "adopt", "c1": "nothing"}
    state = run(world, restore_confirm=True)
    assert outcomes(state)[1] == ("c1", "unchanged")
    assert "Overwrite" not in world.text
    assert world.named("dcs_backup") == []


@pytest.mark.parametrize("needed", ["restore_confirm", "restore_plan_digest"])
def test_leaving_out_the_approval_is_no_approval(needed: str) -> None:
    world = World()
    approval = {"restore_confirm": True, "restore_plan_digest": run(World(), "plan")["run"]["plan_digest"]}
    state = run(world, "plan", "safeguard", "restore", "report", **{needed: approval[needed]})
    assert world.named("restore_start") + world.named("dcs_backup") == []
    assert "The step approve was left out" in state["run"]["refused"]


@pytest.mark.parametrize("wanted", [True, False])
def test_readiness_fails_for_an_instance_that_cannot_be_backed_up_first(wanted: bool) -> None:
    """Otherwise it is green, and the restore then leaves the instance as it is."""
    world = World()
    why = {"error_kind": "not_restorable", "msg": "It would replace backup b1."}
    world.broken["dcs_backup", "c1"] = {"failed": True, **why}
    caches = [CACHE, {"instance_id": "c2", "backup_id": "b2"}]
    asked = job(False, restore_dcs=caches, restore_safety_backup=wanted)
    state = _steps.run({}, ("plan", "report"), asked._replace(kind="readiness", read_only=True), world)
    expected = ["not_restorable", None] if wanted else [None, None]
    assert [row.get("error_kind") for row in state["restores"]] == expected
    assert (f"cannot be backed up first: {why['msg']}" in str(state["restores"][0].get("msg"))) is wanted
    assert world.named("dcs_backup") == [] and state["report"]["failed"] is wanted


@pytest.mark.parametrize("action", ["adopt", "nothing"])
def test_readiness_plans_no_backup_of_what_is_not_overwritten(action: str) -> None:
    """An instance whose restore is running is busy, and its plan is no failure."""
    world = World()
    world.states["c1"] = action
    world.broken["dcs_backup", "c1"] = {"failed": True, "error_kind": "busy", "msg": "It is busy."}
    asked = job(False, restore_dcs=[CACHE], restore_ddm=[DATABASE])
    state = _steps.run({}, ("plan", "report"), asked._replace(kind="readiness", read_only=True), world)
    assert not state["report"]["failed"] and {row["error_kind"] for row in state["restores"]} == {None}
    assert {name for name, check, rows in world.calls} == {"restore_start"}, "a database needs no backup"


@pytest.mark.parametrize("ticket", ["CHG-1042", "1042", "2026-11-25"])
def test_a_plan_starts_nothing_and_is_carried_out_exactly(tmp_path: Path, ticket: str) -> None:
    world = World()
    asked = {"restore_operation_id": ticket, "restore_report_dir": str(tmp_path)}
    planned = run(world, plan_only=True, restore_confirm=True, **asked)  # a plan needs no approval
    assert [name for name, check, rows in world.calls] == ["restore_start"]
    assert planned["report"]["verdict"] == "planned"
    path = planned["report"]["files"]["json"]
    # A job controller turns a text that looks like a time or a number into one.
    rows = [
        {**row, "operation_id": row["operation_id"] and yaml.safe_load(ticket)}
        for row in planned["report"]["restores"]
    ]
    retyped = {**planned["report"], "restores": rows, "finished": datetime.now(timezone.utc), "elapsed": 1}
    for given in ({"restore_plan_file": path}, {"restore_plan": {"digest": "x", "plan": retyped}}):
        world = World()
        state = run(world, restore_dcs=[], restore_ddm=[], restore_operation_id=ticket, **given)
        assert outcomes(state) == [("t1", "succeeded"), ("c1", "succeeded")]
        assert state["run"]["plan_digest"] == planned["run"]["plan_digest"]
        other = World()
        state = run(other, restore_dcs=[], restore_ddm=[], restore_operation_id="CHG-2", **given)
        assert other.calls == [] and f"{ticket}, but this run has CHG-2" in state["run"]["refused"]


def test_an_undo_in_another_account_is_refused() -> None:
    made = run(World(), restore_ddm=[])["report"]
    for project in ("p", "p2"):
        earlier = {**made, "account": {**made["account"], "project_id": project}}
        undo = job(restore_dcs=[CACHE], restore_report=earlier)._replace(kind="undo")
        refused = _steps.run({}, ("plan",), undo, World())["run"].get("refused")
        assert refused is None or "project_id: p2 in the earlier run, but p in this one" in refused
        assert bool(refused) is (project == "p2")
        if refused:  # Readiness compares with a report, which may be that of the account from before.
            compared = _steps.run({}, ("plan",), undo._replace(kind="readiness"), World())
            assert not compared["run"].get("refused")


def test_a_plan_keeps_every_option_of_an_entry() -> None:
    given = {**CACHE, "remark": "drill", "operation_id": "CHG-1", "ignore_stuck": True}
    planned = run(World(), plan_only=True, restore_dcs=[given], restore_ddm=[])["report"]
    (asked,) = _plans.requests(planned)
    assert {name: asked[name] for name in given} == given


def test_a_plan_is_carried_out_in_the_project_in_which_a_host_was_listed(tmp_path: Path) -> None:
    planned = run(World(), plan_only=True, restore_report_dir=str(tmp_path))["report"]
    asked = job(restore_dcs=[{**CACHE, "label": "other"}], restore_ddm=[DATABASE], restore_plan=planned)
    rows = [{**row, **({"project_id": "p1"} if row["service"] == "dcs" else {})} for row in asked.found.rows]
    run_of = _state.Job(**{**asked._asdict(), "found": asked.found._replace(rows=rows)})
    found, problems = _planning.from_plan(
        run_of, planned, {"collection_version": planned["collection_version"]}
    )
    assert problems == []
    assert {row["service"]: row.get("project_id") for row in found} == {"dcs": "p1", "ddm": None}


def test_a_plan_that_no_longer_holds_is_refused_line_by_line(tmp_path: Path) -> None:
    path = run(World(), plan_only=True, restore_report_dir=str(tmp_path))["report"]["files"]["json"]
    world = World()
    world.broken["plan", "c1"] = {"error_kind": "not_found", "msg": "The backup b1 is gone."}
    state = run(world, restore_plan_file=path, restore_dcs=[], restore_ddm=[])
    assert world.named("restore_start") == []
    assert "name-c1: can no longer be restored, not_found: The backup b1 is gone." in state["run"]["refused"]
    state = run(World(), restore_plan_file=path, restore_ddm=[])
    assert "name-t1: is only in the plan" in state["run"]["refused"]
    state = run(World(), restore_plan_file="/nowhere.json", restore_dcs=[], restore_ddm=[])
    assert "cannot be read, or is not a plan" in state["run"]["refused"]


def test_a_plan_is_carried_out_by_entries_and_names_together() -> None:
    caches = [CACHE, {"instance_id": "c2", "backup_id": "b2"}]
    plan = run(World(), "plan", "report", plan_only=True, restore_dcs=caches, restore_ddm=[])["report"]
    asked = {"restore_plan": plan, "restore_point": "latest", "restore_ddm": []}
    for name in ("c2", "C2", "name-c2"):
        world = World()
        assert run(world, **asked, restore_instances=name)["report"]["failed"] is False
        assert world.named("restore_start") == [["c1", "c2"]]
    refused = run(World(), **asked, restore_instances="Name-c2")["run"]["refused"]
    assert "Name-c2: is not in the plan" in refused


def test_a_plan_is_made_anew_where_an_older_one_is_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "plan.json")
    made = [
        run(World(), "plan", "report", plan_only=True, restore_plan_file=path, restore_dcs=[cache])["report"]
        for cache in (CACHE, {"instance_id": "c2", "backup_id": "b2"})
    ]
    assert [one["verdict"] for one in made] == ["planned", "planned"]
    kept = json.loads(Path(path).read_text(encoding="utf-8"))
    assert kept["plan_digest"] == made[1]["plan_digest"] != made[0]["plan_digest"]


@pytest.mark.parametrize("named", [{"restore_instances": "c1"}, {"restore_dcs": [{"instance_id": "c1"}]}])
def test_a_plan_is_carried_out_for_its_own_point_only(named: dict[str, Any]) -> None:
    """Each run of a drill chooses a point of its own, so there the plan decides."""
    cache = {"restore_dcs": [{"instance_id": "c1"}], "restore_ddm": []}
    drill = {"restore_point": "random", "restore_window_days": 7, "restore_scratch": "*c1"}
    times = [{"restore_point": f"2026-11-24T{hour}:00:00Z"} for hour in ("08", "09")]
    seeds = [{**drill, "restore_seed": seed} for seed in ("a", "b")]
    for (first, second), same in ((times, False), (times[:1] * 2, True), (seeds, True)):
        plan = run(World(), "plan", "report", plan_only=True, **cache, **first)["report"]
        world = World()
        state = run(world, restore_plan=plan, **{**cache, "restore_dcs": [], **named}, **second)
        assert bool(world.named("restore_start")) is same, state["run"].get("refused")
        assert same or "the entry has restore_point " in state["run"]["refused"]


@pytest.mark.parametrize(
    ("kind", "ticket", "drifts"),
    [("drill", None, False), ("drill", "CHG-1", True), ("restore", None, True)],
)
def test_only_a_drill_without_a_ticket_has_that_of_its_day(
    kind: str, ticket: str | None, drifts: bool
) -> None:
    """The drill of today may carry out the plan of yesterday."""
    entry = {**CACHE, "operation_id": "drill 2026-11-25"}
    planned = job(True, restore_dcs=[{**CACHE, "operation_id": "drill 2026-11-24"}])._replace(kind=kind)
    plan = _steps.run({}, ("plan", "report"), planned, World())["report"]
    asked = {"restore_plan": {**plan, "operation_id": ticket}, "restore_operation_id": ticket}
    carried = job(restore_dcs=[entry], **asked)._replace(kind=kind)
    rows, problems = _planning.from_plan(carried, _planning.plan_of(carried), plan)
    assert (bool(rows), bool(problems)) == (not drifts, drifts), problems


@pytest.mark.parametrize(
    ("file", "folder", "above", "open_one"),
    [
        (0o666, 0o700, 0o700, "plan.json"),
        (0o600, 0o777, 0o700, "in above it"),
        (0o600, 0o700, 0o777, "out above it"),
        (0o600, 0o1777, 0o1777, None),
    ],
)
def test_a_plan_that_anybody_can_write_approves_nothing(
    tmp_path: Path, file: int, folder: int, above: int, open_one: str | None
) -> None:
    place = tmp_path / "out" / "in" / "plan.json"
    place.parent.mkdir(parents=True)
    plan = run(World(), plan_only=True, restore_plan_file=str(place))["report"]
    for path, mode in ((place, file), (place.parent, folder), (place.parent.parent, above)):
        path.chmod(mode)
    given = {"restore_plan_file": str(place), "restore_dcs": [], "restore_ddm": []}
    ways: list[dict[str, Any]] = [{}, {"restore_plan_digest": plan["plan_digest"]}, {"restore_confirm": True}]
    for more in ways:
        world, goes_on = World("yes"), bool(more) or open_one is None
        state = run(world, **given, **more)
        assert bool(world.named("restore_start")) is goes_on, state["run"]
        if not goes_on:
            why = state["run"]["refused"]
            assert why.startswith(f"The plan {place} cannot be used: ") and "restore_plan_digest, or" in why
            assert f"{open_one} can be written by other users (mode " in why


ODD: tuple[Any, ...] = (None, 7, "x", [], {}, ["x"], [{}], {"x": 1})


def spoilt(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield a plan with one value replaced or left out, for each value in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, content in inner:
        for other in ODD:
            yield (*path, key, other), copied(value, key, other)
        if isinstance(value, dict):
            yield (*path, key), {name: one for name, one in value.items() if name != key}
        for where, odd in spoilt(content, (*path, key)):
            yield where, copied(value, key, odd)


def copied(value: Any, key: Any, content: Any) -> Any:
    """Return a dict or a list with another content at a key."""
    found = value.copy()
    found[key] = content
    return found


def what(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a row overwrites with what, for its digest."""
    keys = ("service", "instance_id", "target_instance_id", "backup_id", "restore_time", "operation_id")
    return {key: row.get(key) for key in (*keys, "data_node_relations", "region", "profile", "group")}


def test_a_plan_in_any_shape_is_carried_out_or_refused() -> None:
    """As data, where only its digest is compared. What it requests is then what was approved."""
    plan = run(World(), "plan", "report", plan_only=True)["report"]
    nodes = [{"source_instance_id": "n1", "target_instance_id": "n2"}]
    plan["restores"][0].update(data_node_relations=nodes, restore_time=NOW)
    plan["plan_digest"] = _plans.digest(plan["restores"], plan["account"], True)
    approved = [what(row) for row in _plans.requests(plan)]
    for where, odd in spoilt({**plan, "checksum": None}):
        given = job(restore_dcs=[], restore_plan=odd)
        rows, problems = _planning.from_plan(given, given.options.plan, plan)
        assert problems or [what(row) for row in rows] == approved, where
        assert all("restore_plan cannot be used: " in problem for problem in problems), where


def test_a_plan_that_could_not_be_kept_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "no" / "plan.json", tmp_path):
        world = World()
        state = run(world, "plan", "report", plan_only=True, restore_plan_file=str(path))
        assert world.calls == [] and f"No plan can be written to {path}: " in state["run"]["refused"]
        assert state["report"]["failed"] is True
    monkeypatch.setenv("HOME", str(tmp_path))
    run(World(), "plan", "report", plan_only=True, restore_plan_file="~/plan.json")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_plan_that_cannot_be_kept_at_the_end_fails_the_run(tmp_path: Path) -> None:
    """The folder existed when the run began. The file may still hold an older plan."""
    path = tmp_path / "plans" / "plan.json"
    path.parent.mkdir()
    state = run(World(), "plan", plan_only=True, restore_plan_file=str(path))
    path.parent.rmdir()
    after = run(World(), "report", plan_only=True, restore_plan_file=str(path), state=state)
    assert (after["report"]["failed"], after["report"]["verdict"]) == (True, "refused")
    assert f"The plan could not be written to {path}: " in after["report"]["msg"]
    for there in (None, "{}", json.dumps({**after["report"], "id": "CHG-1-20261125T090211Z-aaaaaa"})):
        if there:
            path.parent.mkdir(exist_ok=True)
            path.write_text(there)
        ended = run(World(), "end", plan_only=True, restore_plan_file=str(path), state=state)
        assert ended["report"]["failed"] is True and "The plan is not in" in ended["report"]["msg"]
        assert "Run the same command again, with all of its tasks." in ended["report"]["msg"]
    run(World(), "report", plan_only=True, restore_plan_file=str(path), state=state)
    ended = run(World(), "end", plan_only=True, restore_plan_file=str(path), state=state)
    assert ended["report"]["failed"] is False


def test_protection_name_and_gap_fail_their_target_alone() -> None:
    world = World()
    caches = [CACHE, {"instance_id": "c2", "backup_id": "b2", "name": "other"}]
    state = run(world, restore_protected="name-c1", restore_dcs=caches)
    assert outcomes(state) == [("t1", "succeeded"), ("c1", "protected"), ("c2", "name_mismatch")]
    assert world.named("dcs_backup") == []
    for row in state["restores"][1:]:
        assert row["msg"].endswith("Nothing was started.")
    asked: dict[str, Any] = {"restore_protected": "name-c1", "restore_dcs": caches, "restore_confirm": True}
    (unapproved, *kept) = run(World("no"), **asked)["restores"]
    assert unapproved["error_kind"] == "not_approved"
    assert [row["msg"] for row in kept] == [row["msg"] for row in state["restores"][1:]], "the first reason"


@pytest.mark.parametrize("time", [None, "2026-11-20T09:00:00Z"])
@pytest.mark.parametrize(("action", "kind"), [("restore", "too_far"), ("adopt", None), ("nothing", None)])
def test_a_gap_refuses_only_what_would_be_restored(time: str | None, action: str, kind: str | None) -> None:
    """What is restored already, or runs with an unknown time, is not asked for again."""
    world = World()
    world.states["c1"] = action
    outcome = "unchanged" if action == "nothing" else "planned"
    world.broken["plan", "c1"] = {"data_time": time, "outcome": outcome, "failed_step": None}
    cache = {"instance_id": "c1", "restore_point": "2026-11-25T09:00:00Z"}
    (row,) = run(world, "plan", restore_dcs=[cache], restore_ddm=[], restore_max_gap=60)["restores"]
    assert row["error_kind"] == ("too_far" if time and action == "adopt" else kind)


def attached(row: dict[str, Any], run_: dict[str, Any], asked: Any) -> dict[str, Any]:
    return _planning.attached(row, run_, asked, _planning.earlier_reports(run_, asked))


def test_a_rerun_attaches_to_its_own_job(tmp_path: Path) -> None:
    folder = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_dcs": []}
    first = run(World(), "plan", **folder)
    first["restores"][0].update(job_id="j1", outcome="started")
    _state.written(first, World())
    world = World()
    run(world, "plan", **folder)
    assert world.calls[0][2] == ["t1"]
    later = attached(
        {"service": "ddm", "target_instance_id": "t1", "restore_time": "latest"}, first["run"], job(**folder)
    )
    time = "2026-11-25T09:00:00.000Z"  # of the job, as it was approved
    assert later == {"service": "ddm", "target_instance_id": "t1", "job_id": "j1", "restore_time": time}
    other = {"service": "ddm", "target_instance_id": "t1", "restore_time": "2026-11-25T08:00:00Z"}
    assert attached(other, first["run"], job(**folder)) == other
    first["restores"][0].update(error_kind="operation_failed")
    failed = {"directory": None, "previous": first["restores"]}
    failed["previous"].append({**first["restores"][0], "error_kind": None})  # of an older report
    again = {"service": "ddm", "target_instance_id": "t1", "restore_time": "latest"}
    assert attached(again, failed, job(**folder)) == again


def test_a_plan_reads_the_folder_of_reports_once_however_many_rows_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [{"instance_id": f"c{number}", "restore_point": "latest"} for number in range(5)]
    asked = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_ddm": []}
    first, whole = run(World(), restore_dcs=entries, **asked), _report_files.reports
    read = []

    def counted(*where: Any) -> Any:
        read.append(where)
        return whole(*where)

    monkeypatch.setattr(_report_files, "reports", counted)
    rows = [{"service": "dcs", **entry} for entry in entries]
    assert len(_planning.going_on(rows, first["run"], job(**asked), World())) == 5
    assert len(read) == 1


BY_NAME = {
    "dcs": {"instance_name": "name-c1", "restore_point": "latest"},
    "ddm": {"source_instance_name": "name-s1", "target_instance_name": "name-t1", "restore_time": "latest"},
}


def interrupted(service: str, folder: Path) -> dict[str, Any]:
    """Return the variables of a run, by name, that goes on with one of which the wait has ended early."""
    asked: dict[str, Any] = {"restore_report_dir": str(folder), "restore_operation_id": "CHG-1042"}
    asked.update(restore_dcs=[], restore_ddm=[])
    world, entries = World(), {"dcs": {"instance_id": "c1", "restore_point": "latest"}, "ddm": DATABASE}
    for ident, found in (("c1", {"backup": {"backup_id": "b-first"}}), ("t1", {"job_id": "j1"})):
        world.broken["plan", ident] = {**found, "outcome": "planned", "failed_step": None}
        world.broken["restore_wait", ident] = {**found, "error_kind": "wait_timeout", "failed_step": "wait"}
    run(world, **{**asked, f"restore_{service}": [entries[service]]})
    return {**asked, f"restore_{service}": [BY_NAME[service]]}


@pytest.mark.parametrize(
    ("service", "instances", "goes_on"),
    [
        ("dcs", {"c1": "c1", "c2": "c2"}, True),
        ("dcs", {"c9": "c1", "c1": "old"}, False),
        ("ddm", {"s1": "s1", "t1": "t1"}, True),
        ("ddm", {"s1": "s1", "t9": "t1"}, False),
        ("ddm", {"s9": "s1", "t1": "t1"}, False),  # A job that names its source does not show this.
        ("ddm", {"s9": "s1", "t9": "t1", "t1": "old"}, False),
    ],
)
def test_a_rerun_by_name_goes_on_with_a_restore_of_the_same_instance_alone(
    tmp_path: Path, service: str, instances: dict[str, str], goes_on: bool
) -> None:
    """The instance may have been deleted since, and another one made with its name."""
    asked, world = interrupted(service, tmp_path), World()
    world.instances = instances
    run(world, plan_only=True, **asked)
    (row,) = world.requested
    ids = {name: ident for ident, name in instances.items()}
    ends = {"instance_id": "c1"} if service == "dcs" else {"instance_id": "s1", "target_instance_id": "t1"}
    assert {name: row[name] for name in ends} == {name: ids[end] for name, end in ends.items()}
    assert (row.get("backup_id") or row.get("job_id") or row.get("restore_point") or row["restore_time"]) == (
        {"dcs": "b-first", "ddm": "j1"}[service] if goes_on else "latest"
    )
    assert [name for name in row if name.endswith("instance_name")] == []
    assert len(world.named(f"{service}_instance_info")) == 1


def test_a_rerun_goes_on_with_a_restore_of_an_instance_that_has_another_name_now(tmp_path: Path) -> None:
    asked, world = interrupted("dcs", tmp_path), World()
    world.instances = {"c1": "new"}
    asked["restore_dcs"] = [{"instance_name": "name-new", "restore_point": "latest"}]
    run(world, plan_only=True, **asked)
    assert world.requested[0]["backup_id"] == "b-first"


@pytest.mark.parametrize("service", ["dcs", "ddm"])
@pytest.mark.parametrize(
    ("instances", "kind", "words"),
    [
        (None, "denied", "whether the name still means the same instance: 403. Nothing was"),
        ({}, "not_found", "instance is named name-"),
        ({"c1": "c1", "c9": "c1", "s1": "s1", "t1": "t1", "t9": "t1"}, "not_found", "2 D"),
    ],
)
def test_a_rerun_by_name_does_not_guess_which_instance_was_restored(
    tmp_path: Path, service: str, instances: dict[str, str] | None, kind: str, words: str
) -> None:
    """Another row of the run goes on."""
    asked, world = interrupted(service, tmp_path), World()
    world.instances = instances or {}
    if instances is None:
        world.broken[f"{service}_instance_info", "*"] = {"error_kind": kind, "msg": "403"}
    asked["restore_ddm"] = [*asked["restore_ddm"], {**BY_NAME["ddm"], "region": "other-1", "job_id": "j9"}]
    state = run(world, **asked)
    (row,) = (one for one in state["restores"] if one["error_kind"])
    assert (row["failed_step"], row["error_kind"]) == ("plan", kind)
    assert words in row["msg"] and "Nothing was started." in row["msg"]
    (other,) = (one for one in state["report"]["restores"] if not one["error_kind"])
    assert (other["outcome"], world.named("restore_start")) == ("succeeded", [["j9"]])


@pytest.mark.parametrize("service", ["dcs", "ddm"])
@pytest.mark.parametrize(
    ("broken", "instances"),
    [
        ("instance_info", None),
        (None, {}),
        (None, {"c1": "c1", "c9": "c1", "s1": "s1", "t1": "t1", "t9": "t1"}),
    ],
)
@pytest.mark.parametrize("between", [1, 2])
def test_a_rerun_whose_names_were_not_found_hides_no_ids_from_the_next_one(
    tmp_path: Path, service: str, broken: str | None, instances: dict[str, str] | None, between: int
) -> None:
    """It overwrote the report with the IDs, so the next run would have started a second restore."""
    asked = interrupted(service, tmp_path)
    for number in range(between):
        world = Later(number + 1)
        world.instances = world.instances if instances is None else instances
        if broken:
            world.broken[f"{service}_{broken}", "*"] = {"error_kind": "denied", "msg": "403"}
        report = run(world, **asked)["report"]
        assert report["failed"] and world.named("restore_start") == []
    world = Later(3)
    report = run(world, **asked)["report"]
    (row,) = world.requested
    assert (row.get("backup_id") or row.get("job_id")) == {"dcs": "b-first", "ddm": "j1"}[service]
    assert len(report["runs"]) == 2, "it goes on with the report of the first run"


def test_a_rerun_by_name_that_was_not_planned_hides_no_safety_backup(tmp_path: Path) -> None:
    """The next run would have saved what was restored, and an undo would have brought that back."""
    entry = {"instance_name": "name-c1", "backup_id": "b1"}
    asked = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_ddm": []}
    first = World()
    first.broken["restore_verify", "c1"] = {"error_kind": "verification_failed", "failed_step": "verify"}
    run(first, restore_dcs=[CACHE], **asked)

    class Unplanned(Later):
        def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
            found = super().call(module, options, check)
            if module != "restore_start":
                return found
            rows = [
                {**row, "error_kind": "unavailable", "failed_step": "plan"} for row in options["restores"]
            ]
            return {**found, "restores": rows}

    assert run(Unplanned(1), restore_dcs=[entry], **asked)["report"]["failed"]
    world = Later(2)
    report = run(world, restore_dcs=[CACHE], **asked)["report"]
    assert world.named("dcs_backup") == []
    assert report["restores"][0]["safety_backup"]["backup_id"] == "s-c1"


@pytest.mark.parametrize(
    ("service", "change"),
    [
        ("dcs", {"restore_point": None, "backup_id": "b1"}),
        ("dcs", {"instance_name": None, "instance_id": "c1"}),
        ("ddm", {"job_id": "j1"}),
        ("ddm", {**dict.fromkeys(BY_NAME["ddm"]), **DATABASE}),
        ("dcs", {}),
        ("ddm", {}),
    ],
)
def test_no_name_is_looked_up_where_nothing_can_go_on(
    tmp_path: Path, service: str, change: dict[str, Any]
) -> None:
    asked, world = interrupted(service, tmp_path), World()
    if not change:  # the first run of another operation
        asked["restore_operation_id"] = "CHG-1043"
    world.broken[f"{service}_instance_info", "*"] = {"error_kind": "denied", "msg": "403"}
    asked[f"restore_{service}"] = [{**BY_NAME[service], **change}]
    run(world, **asked)
    assert len(world.requested) == 1
    assert world.calls[0][0] == "restore_start"


def test_a_job_of_an_operation_that_has_ended_is_none_of_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an operation ID. A run that attaches to it would end well, but restore nothing."""
    asked = {"restore_report_dir": str(tmp_path), "restore_dcs": []}
    entry = {"service": "ddm", "target_instance_id": "t1", "restore_time": "latest"}
    world = World()
    world.broken["restore_wait", "t1"] = {"error_kind": "wait_timeout", "failed_step": "wait", "job_id": "j1"}
    failed = run(world, **asked)["run"]
    assert attached(entry, failed, job(**asked))["job_id"] == "j1"
    drill = job(**asked)._replace(kind="drill")
    assert attached(entry, failed, drill) == entry, "the job is not that of a drill"
    world = World()
    monkeypatch.setattr(world, "now_ms", itertools.count(NOW + 60_000, 1000).__next__)
    monkeypatch.setattr(world, "random", lambda: "def456")
    other = _steps.run({}, RESTORE, job(**asked, restore_ddm=[DATABASE])._replace(kind="undo"), world)
    assert other["report"]["verdict"] == "restored"
    assert attached(entry, other["run"], job(**asked))["job_id"] == "j1", "an undo does not end it"
    done = run(world, **asked)["run"]
    assert attached(entry, done, job(**asked)) == entry


def test_what_an_earlier_run_has_overwritten_is_not_saved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its backup from before is the only way back, also where the others are left out this time."""
    folder = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_ddm": []}
    caches = [CACHE, {"instance_id": "c2", "backup_id": "b2"}]
    world = World()
    world.broken["restore_verify", "c2"] = {"error_kind": "verification_failed", "failed_step": "verify"}
    first = run(world, restore_dcs=caches, **folder)
    world = World()
    world.broken["plan", "c2"] = planned_after({"restore_id": "r-c2", "created_at": "2026-11-25T09:00:00Z"})
    monkeypatch.setattr(world, "random", lambda: "def456")
    second = run(world, restore_dcs=caches[1:], **folder)
    assert world.named("dcs_backup") == []
    assert second["restores"][0]["safety_backup"] == first["restores"][1]["safety_backup"]
    safeguards = [one["outcome"] for one in second["restores"][0]["steps"] if one["step"] == "safeguard"]
    assert safeguards == ["ok"], "the report shows that there is one"
    assert second["report"]["verdict"] == "restored" and len(list(tmp_path.glob("*.json"))) == 2


def planned_after(newest: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a plan knows of an instance whose newest listed restore is this one."""
    return {"details": {"newest_restore": newest}, "outcome": "planned", "failed_step": None}


def saved(made: str | None) -> dict[str, Any]:
    """Return what dcs_backup returns of a safety backup that was made at this time."""
    return {"backup_id": "s-c1", "backup": {"created_at": made, "is_support_restore": True}}


@pytest.mark.parametrize(
    ("newest", "seen", "end"),
    [
        (None, None, "outcome_unknown"),
        ("2026-11-25T08:59:59Z", "2026-11-25T09:50:01Z", "operation_failed"),
        ("2026-11-25T09:30:00Z", None, "operation_failed"),
        ("soon", "2026-11-25T09:50:01Z", "outcome_unknown"),
    ],
)
def test_what_no_run_is_known_to_have_restored_is_backed_up_again(
    tmp_path: Path, newest: str | None, seen: str | None, end: str
) -> None:
    """A lost request has overwritten nothing, and after a failed restore the cloud may have gone back to the
    data from before. Until the next run an application has used the instance, perhaps after the restore of a
    colleague, and the backup of the first run has none of that. All of them are named, in each report.
    """
    asked = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_ddm": []}
    listed = newest and {"restore_id": "r-another", "created_at": newest}
    reports = []
    for number in range(1, 5):
        world = World()
        if number > 1:
            world.broken["plan", "c1"] = planned_after(listed or None)
        world.broken["dcs_backup", "c1"] = {**saved("2026-11-25T09:45:00Z"), "backup_id": f"s-{number}"}
        record = {"restore_id": "r-c1", "created_at": seen} if seen else None
        if number < 4:
            world.broken["restore_start", "c1"] = {"error_kind": end, "restore": record}
        reports.append(run(world, **asked)["report"])
        assert len(world.named("dcs_backup")) == 2
    (row,) = reports[-1]["restores"]
    assert row["safety_backup"]["backup_id"] == "s-4"
    assert row["safety_backup"]["earlier_ids"] == ["s-3", "s-2", "s-1"]
    of_all = "overwritten name-c1. They made these safety backups: s-3, s-2, s-1. This run made s-4 as well."
    assert [of_all in note for note in reports[-1]["notes"]] == [True] and reports[0]["notes"] == []
    assert reports[1]["restores"][0]["next"]["state"].endswith(
        "The data from before are in safety backup s-2, or in one of earlier runs: s-1."
    )


@pytest.mark.parametrize(
    ("earlier", "state", "noted"),
    [(["s-2", "s-1"], "unknown", True), ([], "unknown", False), (["s-2"], "untouched", False)],
)
def test_the_plan_of_an_undo_names_the_safety_backups_that_it_does_not_restore(
    earlier: list[str], state: str, noted: bool
) -> None:
    """The newest may hold what a failed restore has left. Who types the approval sees that first."""
    made = run(World(), restore_ddm=[])["report"]
    saved = {"backup_id": "s-3", "earlier_ids": earlier, "created_at": None}
    made["restores"][0].update(data_state=state, safety_backup=saved)
    note = (
        "The undo of name-c1 restores its newest safety backup, s-3, which may hold what a failed restore "
        "has left. Earlier runs made s-2, s-1. If you need one of these, run the playbook restore with its "
        "ID as backup_id instead."
    )
    for kind in ("undo", "readiness"):
        world, asked = World(), job(restore_dcs=[CACHE], restore_report=made)._replace(kind=kind)
        notes = _steps.run({}, ("plan",), asked, world)["run"]["notes"]
        assert notes == ([note] if noted and kind == "undo" else [])
        assert set(notes) <= set(world.lines)
    made["restores"][0]["safety_backup"] = {"backup_id": None}  # damaged; a plan file needs none of it
    assert _calls.notes_on_undo(job(restore_report=made)._replace(kind="undo")) == []


@pytest.mark.parametrize(
    ("newest", "backups"),
    [
        (None, 0),  # the list leaves it out
        (("r-c1", "2026-11-25T09:00:01Z"), 0),  # the same one, dated a moment later
        (("R-C1", "soon"), 0),
        (("r-undo", "2026-11-25T08:30:00Z"), 0),
        (("r-undo", "2026-11-25T09:30:00Z"), 2),
        (("r-undo", "soon"), 2),  # which may be later
    ],
)
def test_data_of_another_restore_are_backed_up_again(
    tmp_path: Path, newest: tuple[str, str] | None, backups: int
) -> None:
    """After an undo, an application has used the instance. The backup of the first run has none of that. But
    what the first run has restored is not saved: its backup is the way back.
    """
    asked = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_ddm": []}
    world, busy = World(), World()
    world.broken["restore_verify", "c1"] = {
        "error_kind": "verification_failed",
        "failed_step": "verify",
        "restore": {"restore_id": "r-c1", "created_at": "2026-11-25T09:00:00Z"},
        "restore_id": "r-c1",
    }
    run(world, **asked)
    busy.broken["plan", "c1"] = {"error_kind": "busy", "failed_step": "plan", "changed": False}
    run(busy, **asked)  # Neither a refused run nor one that is killed loses the knowledge.
    for end in (Deadly(), World()):
        listed = newest and {"restore_id": newest[0], "created_at": newest[1]}
        end.broken["plan", "c1"] = planned_after(listed or None)
        end.broken["dcs_backup", "c1"] = saved("2026-11-25T09:40:00Z")
        with contextlib.suppress(Killed):
            run(end, **asked)
        if isinstance(end, Deadly):
            assert len(end.named("dcs_backup")) == backups


def test_rows_do_not_differ_by_data_nodes_that_only_one_names() -> None:
    row = {"service": "ddm", "instance_id": "s1", "target_instance_id": "t1"}
    nodes = {"data_node_relations": [{"source_instance_id": "n1", "target_instance_id": "n2"}]}
    for one, earlier in (({**row, **nodes}, row), (row, {**row, **nodes})):
        assert _planning.same_operation(one, earlier)


def test_a_backup_is_late_only_if_both_times_can_be_read() -> None:
    backup, restore = {"created_at": "2026-11-25T09:30:00Z"}, {"created_at": "2026-11-25T09:00:00Z"}
    assert _calls.made_after_restore({"safety_backup": backup, "restore": restore})
    assert not _calls.made_after_restore({"safety_backup": None, "restore": restore})
    assert not _calls.made_after_restore({"safety_backup": backup, "restore": None})


@pytest.mark.parametrize(
    ("end", "ticket", "point", "kept"),
    [
        ("killed", "CHG-1042", "latest", True),
        ("wait_timeout", "CHG-1042", "latest", True),
        ("verification_failed", "CHG-1042", "latest", True),
        ("operation_failed", "CHG-1042", "latest", False),  # It is over, and may fail again.
        ("throttled", "CHG-1042", "latest", False),  # It has sent nothing.
        (None, "CHG-1042", "latest", False),  # It has ended well.
        ("killed", None, "latest", False),  # It may be the run of yesterday.
        ("killed", "CHG-1042", "2026-11-24T09:00:00.000Z", False),
    ],
)
def test_latest_stays_the_backup_that_an_unfinished_run_has_begun_to_restore(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    end: str | None,
    ticket: str | None,
    point: str,
    kept: bool,
) -> None:
    """A backup of a schedule may be newer by then. Runs after a second one that is killed know it as well."""
    asked: dict[str, Any] = {"restore_report_dir": str(tmp_path), "restore_ddm": []}
    asked.update(restore_operation_id=ticket, restore_dcs=[{"instance_id": "c1", "restore_point": point}])
    planned = {"backup": {"backup_id": "b-first"}, "outcome": "planned", "failed_step": None}
    first = Deadly() if end == "killed" else World()
    first.broken["plan", "c1"] = planned
    steps = {"throttled": "restore_start", "verification_failed": "restore_verify"}
    sent = steps.get(str(end), "restore_wait")
    step = {"restore_start": "restore", "restore_verify": "verify"}.get(sent, "wait")
    if end not in ("killed", None):
        first.broken[sent, "c1"] = {"error_kind": end, "failed_step": step, "changed": step != "restore"}
    with contextlib.suppress(Killed):
        run(first, **asked)
    for world, only in ((World(), True), (Deadly(), False), (World(), False)):
        monkeypatch.setattr(world, "random", lambda only=only: "plan00" if only else "abc123")
        state = None
        with contextlib.suppress(Killed):
            state = run(world, plan_only=only, **asked)
        (row,) = world.requested
        asked_for = ("b-first", None) if kept else (None, point)
        assert (row.get("backup_id"), row.get("restore_point")) == asked_for
        note = "latest means backup b-first of name-c1 here, because an unfinished run of CHG-1042 has begun"
        assert [note in line for line in world.lines].count(True) == kept
        assert state is None or [note in line for line in state["run"]["notes"]].count(True) == kept
        if not kept:
            break


def test_latest_is_no_backup_whose_restore_has_failed_since_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with fewer caches has a report of its own, so the older report still shows an open restore."""
    caches = [{"instance_id": name, "restore_point": "latest"} for name in ("c1", "c2")]
    asked = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_ddm": []}
    planned = {"backup": {"backup_id": "b-first"}, "outcome": "planned", "failed_step": None}
    for end, number in (("wait_timeout", 2), ("operation_failed", 1)):
        world = World()
        monkeypatch.setattr(world, "random", lambda number=number: f"abc12{9 - number}")
        world.broken["plan", "c1"] = planned
        world.broken["restore_wait", "c1"] = {"error_kind": end, "failed_step": "wait"}
        run(world, restore_dcs=caches[:number], **asked)
    assert len(list(tmp_path.glob("*.json"))) == 2
    world = World()
    run(world, plan_only=True, restore_dcs=caches[:1], **asked)
    assert world.requested[0].get("restore_point") == "latest", "a newer backup may be good"


RESTORED = "overwritten_not_verified"


def test_a_safety_backup_of_an_earlier_run_is_that_of_the_instance() -> None:
    """An undo would bring back the data of another one."""
    rows = [{"service": "dcs", "instance_id": name} for name in ("c1", "c2", "c3", "c4")]
    previous = [
        {**row, "data_state": state, "safety_backup": {"backup_id": f"s-{row['instance_id']}"}}
        for row, state in zip(rows[:3], (RESTORED, RESTORED, "untouched"), strict=True)
    ]
    found = [_calls.earlier_backup(rows[number], {"previous": previous}) for number in (1, 0, 2, 3)]
    assert found == [{"backup_id": "s-c2"}, {"backup_id": "s-c1"}, None, None]


def test_hooks() -> None:
    world = World()
    state = run(world, "plan")
    job_of_both = job(restore_dcs=[CACHE], restore_ddm=[DATABASE])
    stopped = _steps.run(state, ("fence",), job_of_both, world, failure="Stop the shop: no route")
    stopped = _steps.run(stopped, ("safeguard", "restore", "verify", "report"), job_of_both, world)
    assert [name for name, check, rows in world.calls if not check] == []
    assert (
        "restore_before_tasks failed: Stop the shop: no route. Nothing was started."
        in stopped["run"]["refused"]
    )
    done = _steps.run(
        _steps.run(state, ("fence",), job_of_both, world), ("restore", "verify"), job_of_both, world
    )
    assert done["restores"][0]["steps"][0]["step"] == "fence"
    note = "restore_before_tasks has run, but restore_after_tasks has not."
    both = {**done, "hooks": {"restore_after_tasks": "start.yml"}}
    bad = _steps.run(both, ("checked",), job_of_both, world, failure="Count: 0 orders")
    assert note in _steps.run(bad, ("report",), job_of_both, world)["report"]["notes"][0]
    assert _steps.run(both, ("release", "report"), job_of_both, world)["report"]["notes"] == []
    unfenced = {**stopped, "hooks": both["hooks"]}
    assert _steps.run(unfenced, ("report",), job_of_both, world)["report"]["notes"] == []
    report = _steps.run(bad, ("report",), job_of_both, world)["report"]
    assert {row["failed_step"] for row in report["restores"]} == {"verify"}
    assert all("did not pass restore_verify_tasks." in row["next"]["state"] for row in report["restores"])
    bad = _steps.run(done, ("release",), job_of_both, world, failure="Start: no")
    assert {row["error_kind"] for row in bad["restores"]} == {"release_failed"}


def test_checks_of_the_user_fail_only_what_is_restored() -> None:
    """With --tags verify, others are only planned, and nothing has overwritten them."""
    world = World()
    world.states = {"c1": "nothing"}
    state = run(world, "plan")
    both = job(restore_dcs=[CACHE], restore_ddm=[DATABASE])
    bad = _steps.run(state, ("checked",), both, world, failure="0 orders")
    rows = _steps.run(bad, ("report",), both, world)["report"]["restores"]
    assert [(row["failed_step"], row["data_state"]) for row in rows] == [
        (None, "untouched"),
        ("verify", "overwritten_not_verified"),
    ]


def test_a_drill_says_what_may_hold_production_data() -> None:
    """Also where a lost response named no restore, and not where somebody else's holds the instance."""
    world = World()
    world.broken["restore_start", "c1"] = {"error_kind": "outcome_unknown", "restore_id": None}
    world.broken["restore_start", "t1"] = {"error_kind": "busy", "job_id": "j9", "changed": False}
    drill = job(restore_dcs=[CACHE], restore_ddm=[DATABASE], restore_safety_backup=False)._replace(
        kind="drill"
    )
    report = _steps.run({}, RESTORE, drill, world)["report"]
    assert [note.partition("Z: ")[2] for note in report["notes"]] == ["name-c1."]


def test_a_fault_of_ours_is_reported() -> None:
    class Broken(World):
        def say(self, lines: Sequence[str]) -> None:
            if any(line.startswith("RUN ") for line in lines):
                raise ValueError("secret")
            super().say(lines)

    state = run(Broken())
    assert "Unexpected ValueError in the step restore" in state["run"]["refused"]
    assert "secret" not in json.dumps(state)
    assert state["report"]["failed"]
    assert state["report"]["verdict"] == "incomplete"


def test_a_fault_of_ours_before_a_plan_is_known_is_named() -> None:
    class Broken(World):
        def call(self, module: str, options: dict[str, Any], check: bool) -> Any:
            raise KeyError("secret")

    state = run(Broken(), "plan")
    assert "Unexpected KeyError in the step plan" in state["run"]["refused"]


def test_a_fault_of_ours_while_the_report_is_shown_fails_the_run() -> None:
    class Broken(World):
        def say(self, lines: Sequence[str]) -> None:
            if any(line.startswith("Report: ") for line in lines):
                raise ValueError("secret")
            super().say(lines)

    state = run(Broken())
    assert "report" not in state
    task = SimpleNamespace(_task=SimpleNamespace(diff=False, args={}), changed=lambda *given: False)
    for step in ("report", "end"):
        result = ActionModule.reported(cast(ActionModule, task), dict(state), {}, job(), [step], {})
        assert result["failed"] is True
        assert "Unexpected ValueError in the step report" in result["msg"]


def test_a_safety_backup_that_was_refused_has_changed_nothing() -> None:
    world = World()
    world.broken["dcs_backup", "c1"] = {"failed": True, "error_kind": "rejected", "msg": "Unpaid."}
    state = run(world, "plan", "safeguard", restore_ddm=[])
    assert outcomes(state) == [("c1", "rejected")]
    assert state["changed"] is False
    world.broken["dcs_backup", "c1"] = {"changed": True, "backup_id": None}
    state = run(world, "plan", "safeguard", "restore", restore_ddm=[])
    assert outcomes(state) == [("c1", "internal_error")] and world.named("restore_start") == []
    saved = run(World(), "plan", "safeguard", restore_ddm=[])
    assert saved["changed"] is True
    assert [one["step"] for one in saved["restores"][0]["steps"]] == ["safeguard"], "once, at its end"
    world.broken["dcs_backup", "c1"] = {"failed": True, "error_kind": "busy", "msg": "It is busy."}
    world.calls.clear()
    assert outcomes(run(world, "plan", "safeguard", restore_ddm=[])) == [("c1", "busy")]
    assert world.named("dcs_backup") == [["c1"]], "no earlier run is backing it up, so it is not sent again"
    world.broken["dcs_backup", "c1"] = {"failed": True, "error_kind": "outcome_unknown", "msg": "Lost."}
    assert run(world, "plan", "safeguard", restore_ddm=[])["changed"] is True
    world.broken["dcs_backup", "c1"] = {"failed": True, "error_kind": "rejected", "msg": "Unpaid."}
    report = run(world)["report"]
    lines = "\n".join(_lines.outcome_lines(report))
    for kind, moves in (("restore", True), ("fleet", True), ("drill", False), ("readiness", False)):
        shown = "\n".join(_lines.outcome_lines({**report, "kind": kind}))
        assert ("point the application there" in shown) is moves, "only where an application is to move"
    assert "To go on without safety backups, for all caches, set restore_safety_backup to false." in lines
    assert " in 1:02:03" in _lines.outcome_lines({**report, "elapsed": 3723.4})[0], "as in the report"


def test_a_restore_that_failed_says_how_to_undo_it(tmp_path: Path) -> None:
    """But not while it may still run, and not for a cache that was not overwritten."""
    for module, kind, shown in (
        ("restore_wait", "operation_failed", True),
        ("restore_verify", "verification_failed", True),
        ("restore_wait", "wait_timeout", False),
        ("restore_start", "rejected", False),
    ):
        world = World()
        step = {"restore_wait": "wait", "restore_verify": "verify"}.get(module, "restore")
        fault = {"error_kind": kind, "failed_step": step, "msg": "No.", "changed": step != "restore"}
        if step == "verify":
            fault = {**fault, "outcome": "succeeded"}
        world.broken[module, "c1"] = fault
        folder = tmp_path / f"{module}-{kind}"
        report = run(world, restore_ddm=[], restore_report_dir=str(folder))["report"]
        line = _lines.outcome_lines(report)[-1]
        assert (kind in line, "huaweicloud.recovery.undo" in line) == (True, shown), line


def test_a_safety_backup_that_cannot_be_restored_is_no_way_back() -> None:
    world = World()
    made = {"backup_id": "s", "backup": {"backup_id": "s", "is_support_restore": False}}
    world.broken["dcs_backup", "c1"] = made
    state = run(world, "plan", "safeguard", "restore", restore_ddm=[])
    assert outcomes(state) == [("c1", "not_restorable")]
    assert "its backup s does not support restoring." in state["restores"][0]["msg"]
    made["backup"] = {"backup_id": "s", "is_support_restore": None}
    unsure = run(world, "plan", "safeguard", "restore", restore_ddm=[])
    assert outcomes(unsure) == [("c1", "not_restorable")]
    assert "its backup s may not be restorable: the cloud does not say" in unsure["restores"][0]["msg"]
    assert not [one for one in world.calls if one[0] == "restore_start" and not one[1]]
    assert set(world.kept) == {"b1"}, "the service keeps 24, and would replace the one to restore"
    made["backup"] = {"backup_id": "s", "is_support_restore": True}
    assert outcomes(run(world, "plan", "safeguard", "restore", restore_ddm=[])) == [("c1", "succeeded")]
    world.broken["dcs_backup", "c1"] = {"rc": 0}  # the module has ended without a result
    assert outcomes(run(world, "plan", "safeguard", restore_ddm=[])) == [("c1", "internal_error")]


class Backing(World):
    """Until the safety backup has ended, the cloud does not say that it can be restored."""

    end: dict[str, Any] | None = None  # of a backup that fails

    def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
        ended = options.get("wait") is not False
        made = {"backup_id": "s", "is_support_restore": True if ended and not self.end else None}
        end = self.end if ended and self.end else {}
        self.broken["dcs_backup", "c1"] = {"backup_id": "s", "backup": made, **end}
        return super().call(module, options, check)


def test_a_safety_backup_is_judged_by_its_end() -> None:
    world = Backing()
    assert outcomes(run(world, "plan", "safeguard", "restore", restore_ddm=[])) == [("c1", "succeeded")]
    world.end = {"failed": True, "error_kind": "operation_failed", "msg": "The bucket is full."}
    state = run(world, "plan", "safeguard", "restore", restore_ddm=[])
    assert outcomes(state) == [("c1", "operation_failed")]
    assert "The bucket is full." in state["restores"][0]["msg"]


@pytest.mark.parametrize(
    ("row", "earlier", "same"),
    [
        ({"restore_time": "latest"}, {"restore_time": "2026-11-25T09:00:00Z"}, True),
        ({"restore_time": "2026-11-25T09:00:00Z"}, {"restore_time": 1795597200000}, True),
        ({"restore_time": "2026-11-25T09:00:01Z"}, {"restore_time": 1795597200000}, False),
        ({"backup_id": "B1"}, {"backup": {"backup_id": "b1"}}, True),
        ({"backup_id": "b2"}, {"backup": {"backup_id": "b1"}}, False),
        ({"backup_id": "b2"}, {"restore_time": "2026-11-25T09:00:00Z"}, False),
        ({"restore_time": "latest"}, {"backup": {"backup_id": "b1"}}, False),
    ],
)
def test_an_earlier_job_is_attached_to_for_the_same_data_only(
    row: dict[str, Any], earlier: dict[str, Any], same: bool
) -> None:
    row, earlier = {"service": "ddm", **row}, {"service": "ddm", **earlier}
    assert _planning.same_data(row, earlier, "restore_time") is same


@pytest.mark.parametrize(
    ("changed", "attaches"),
    [
        ({}, True),
        ({"instance_id": "s2"}, False),
        ({"metadata": True}, False),
        ({"data_node_relations": [{"source_instance_id": "n1", "target_instance_id": "n3"}]}, False),
        ({"data_node_relations": [{"source_instance_id": "n1", "target_instance_id": "n2"}]}, True),
        (
            {"instance_id": "S1", "target_instance_id": "T1"},
            True,
        ),  # IDs in capitals, as the service writes none
        ({"instance_id": None, "instance_name": "orders-db"}, True),
        ({"instance_id": None, "instance_name": "billing-db"}, False),
        ({"instance_id": None, "instance_name": "Orders-DB"}, False),  # another name, unlike an ID
        ({"adopt": True}, True),
        ({"adopt": True, "restore_time": None}, True),
    ],
)
def test_a_job_is_attached_to_by_an_entry_that_asks_for_the_same(
    changed: dict[str, Any], attaches: bool
) -> None:
    """Otherwise a corrected source would end green with the data of the wrong one."""
    entry = {"service": "ddm", "instance_id": "s1", "target_instance_id": "t1", "restore_time": "latest"}
    earlier: dict[str, Any] = {
        **entry,
        "source": {"instance_id": "s1", "instance_name": "orders-db"},
        "data_node_relations": [{"source_instance_id": "n1", "target_instance_id": "n2"}],
        "data_state": "unknown",
        "job_id": "j1",
    }
    earlier["restore_time"] = NOW
    found = attached({**entry, **changed}, {"previous": [earlier]}, job())
    assert (found.get("job_id") == "j1") is attaches
    if attaches:  # It is still what was approved.
        assert "adopt" not in found, "the module takes only one of the two"
        keys = ("restore_time", "data_node_relations")
        assert [found[key] for key in keys] == [earlier[key] for key in keys]


@pytest.mark.parametrize("own", [{"job_id": "j2"}, {"error_kind": "not_found"}])
def test_an_entry_with_a_job_or_an_error_is_left_as_it_is(own: dict[str, Any]) -> None:
    entry = {"service": "ddm", "instance_id": "s1", "target_instance_id": "t1", "restore_time": "latest"}
    earlier = {**entry, "restore_time": NOW, "data_state": "unknown", "job_id": "j1"}
    assert attached({**entry, **own}, {"previous": [earlier]}, job()) == {**entry, **own}


def test_what_an_earlier_row_does_not_say_is_not_taken_from_it() -> None:
    entry = {"service": "ddm", "instance_id": "s1", "target_instance_id": "t1", "restore_time": "latest"}
    target = {"service": "ddm", "target_instance_id": "t1", "restore_time": NOW, "job_id": "j1"}
    assert not _target.same_source(entry, target)
    assert not _target.same_source({"service": "ddm", "instance_name": "orders-db"}, target)
    lost = {**entry, "restore_time": None, "data_state": "unknown", "error_kind": "outcome_unknown"}
    assert attached(entry, {"previous": [lost]}, job()) == entry
    cache = {"service": "dcs", "instance_id": "c1", "backup_id": "b1"}
    known = {**cache, "data_state": "unknown", "restore_id": "r", "restore_point": "latest"}
    assert attached(cache, {"previous": [known]}, job()) == cache, "its marker finds it"


@pytest.mark.parametrize(
    ("changed", "ticket", "attaches"),
    [
        ({}, None, True),
        ({"operation_id": "CHG-1"}, "CHG-1", True),
        ({"operation_id": "CHG-1"}, "CHG-2", False),
        ({"operation_id": "CHG-1"}, None, False),
        ({}, "CHG-1", False),
        ({"check_mode": True}, None, False),
        ({"operation_id": "CHG-1", "verdict": "restored"}, "CHG-1", True),
    ],
)
def test_a_job_is_attached_to_by_a_run_of_the_same_operation(
    tmp_path: Path, changed: dict[str, Any], ticket: str | None, attaches: bool
) -> None:
    """The job of another ticket restores what that one has asked for. A plan names jobs of anybody."""
    entry = {"service": "ddm", "instance_id": "s1", "target_instance_id": "t1", "restore_time": "latest"}
    report = run(World(), "plan", "report", restore_dcs=[], restore_report_dir=str(tmp_path))["report"]
    report["restores"][0].update(job_id="j1", data_state="unknown")
    newer = {**report, "id": report["id"].replace("abc123", "def456"), "verdict": "restored"}
    newer["restores"] = [{**report["restores"][0], "target": {"instance_id": "t2"}}]  # ends nothing of t1
    report.update({"verdict": "running", **changed})
    for one in (report, newer):
        (tmp_path / f"{one['id']}.json").write_text(json.dumps(one), encoding="utf-8")
    asked = job(restore_operation_id=ticket, restore_report_dir=str(tmp_path))
    found = attached(entry, {"directory": str(tmp_path)}, asked)
    assert (found.get("job_id") == "j1") is attaches


def test_the_job_of_somebody_else_that_a_refusal_names_is_not_attached_to() -> None:
    entry = {"service": "ddm", "instance_id": "s1", "target_instance_id": "t1", "restore_time": "latest"}
    refused = {**entry, "error_kind": "busy", "data_state": "untouched", "job_id": "j1"}
    assert attached(entry, {"previous": [refused]}, job()) == entry


def test_an_instance_that_is_named_is_that_of_its_place() -> None:
    """The checks of one region must not be those of another, where an instance has the same name."""
    row = {"service": "dcs", "target": {"instance_id": "c1", "instance_name": "orders"}, "region": "r1"}
    assert _target.same({"service": "dcs", "instance_name": "orders", "region": "r1"}, row)
    assert not _target.same({"service": "dcs", "instance_name": "orders", "region": "r2"}, row)
    assert not _target.same(
        {"service": "dcs", "instance_name": "orders", "region": "r1", "profile": "p"}, row
    )
    assert _target.same({"service": "dcs", "instance_id": "c1", "region": "r2"}, row)
    assert _target.same({"service": "dcs", "instance_id": "C1"}, row)
    assert not _target.same({"service": "dcs", "instance_name": "Orders", "region": "r1"}, row)
    assert not _target.same({"service": "ddm", "job_id": "j1"}, {"service": "ddm", "job_id": "j2"})


def test_an_instance_whose_id_is_in_capitals_is_verified_and_attached_to() -> None:
    """The plan has the ID as the cloud spells it, so the checks of the entry were silently left out."""
    entry = {**CACHE, "instance_id": "C1", "checks": [{"ping": True}]}
    row = {"service": "dcs", "instance_id": "C1", "target": {"instance_id": "c1"}}
    assert _calls.private(row, job(restore_dcs=[entry])) == {"checks": [{"ping": True}]}
    asked = {"service": "ddm", "instance_id": "S1", "target_instance_id": "T1", "restore_time": "latest"}
    ends = {"source": {"instance_id": "s1"}, "target": {"instance_id": "t1"}}
    started = {**asked, **ends, "job_id": "j1", "restore_time": "2026-11-25T09:00:00Z"}
    assert attached(asked, {"previous": [started]}, job())["job_id"] == "j1"
    other = {**started, "source": {"instance_id": "s2"}}
    assert "job_id" not in attached(asked, {"previous": [other]}, job())
    listed = {**asked, "target_instance_id": "T1", "project_id": "p1"}
    assert _planning.listed_in({"service": "ddm", **ends}, [listed]) == {"project_id": "p1"}, "of a fleet"


def test_the_checks_of_a_target_in_capitals_are_not_lost() -> None:
    """The plan has its ID as the service spells it. Without its checks the run would be green."""
    entry = {**DATABASE, "target_instance_id": "T1", "checks": [{"ping": True}], "connection": {"host": "h"}}
    row = {"service": "ddm", "target": {"instance_id": "t1", "instance_name": "orders-db-restored"}}
    assert _calls.number_of_checks(row, job(restore_ddm=[entry])) == 1


@pytest.mark.parametrize(
    ("time", "kind", "planned"),
    [
        ("latest", "outcome_unknown", "2026-11-25T09:00:00Z"),
        ("2026-11-25T08:00:00Z", "outcome_unknown", "2026-11-25T08:00:00Z"),
        ("latest", "rejected", "latest"),
    ],
)
def test_latest_means_what_was_sent_when_the_outcome_is_not_known(time: str, kind: str, planned: str) -> None:
    """Otherwise the same command would restore another point in time."""
    row = {"service": "ddm", "target_instance_id": "t1", "restore_time": time}
    earlier = {**row, "restore_time": "2026-11-25T09:00:00Z", "error_kind": kind, "job_id": None}
    found = attached(row, {"previous": [earlier]}, job())
    assert found == {**row, "restore_time": planned}


@pytest.mark.parametrize("kind", ["outcome_unknown", "rejected"])
def test_a_plan_that_fails_in_between_does_not_change_what_latest_means(tmp_path: Path, kind: str) -> None:
    """What may have been sent would be sent once more, with another point in time."""
    latest = {**DATABASE, "restore_time": "latest"}
    asked = {"restore_report_dir": str(tmp_path), "restore_operation_id": "CHG-1042", "restore_dcs": []}
    first = World()
    time = {"restore_time": DATABASE["restore_time"], "changed": kind == "outcome_unknown"}
    first.broken["restore_start", "t1"] = {**time, "error_kind": kind, "failed_step": "restore"}
    run(first, restore_ddm=[latest], **asked)
    for minutes in (1, 2, 3):
        world = Later(minutes)
        world.broken["plan", "t1"] = {"error_kind": "unavailable", "failed_step": "plan"}
        run(world, restore_ddm=[latest], **asked)
        meant = DATABASE["restore_time"] if kind == "outcome_unknown" else "latest"
        assert world.requested[0]["restore_time"] == meant, minutes


def test_the_plan_names_the_backup_that_comes_from_elsewhere() -> None:
    row = {"service": "ddm", "target": {"instance_id": "t1"}, "source": {"instance_id": "s1"}}
    backup = {"backup_id": "b1", "backup_name": "nightly", "size": 1024}
    assert "with data of s1 from nightly (1.00 KB, b1)." in _lines.effect_text(
        {**row, "backup": backup}, None
    )


def test_passwords_of_checks_are_in_no_state(tmp_path: Path) -> None:
    given: list[tuple[str, str]] = []

    class Recorded(World):
        def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
            given.append((module, json.dumps(options)))
            return super().call(module, options, check)

    world = Recorded()
    entry = {
        **CACHE,
        "connection": {"password": "hunter-2"},
        "checks": [{"ping": True, "connection": {"password": "hunter-2"}}],
    }
    state = run(world, restore_dcs=[entry], restore_report_dir=str(tmp_path))
    assert {module for module, text in given if "hunter-2" in text} == {"restore_verify"}
    assert "hunter-2" not in json.dumps(state)
    assert all("hunter-2" not in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def test_a_list_gives_a_row_only_what_it_lacks() -> None:
    target = {"instance_id": "c1", "instance_name": None, "status": "RUNNING", "port": None}
    row = {"service": "dcs", "target": target, "source": {"instance_id": "c1", "instance_name": "orders"}}
    known = {"c1": {"name": "orders-cache", "status": "ERROR", "port": 6379, "engine": None}}
    found = _planning.with_cloud_names(row, known)
    assert found["target"] == {**target, "instance_name": "orders-cache", "port": 6379}
    assert found["source"] == row["source"]


@pytest.mark.parametrize(
    ("pattern", "name", "read"),
    [
        ("TAG:env=prod", "orders", ["dcs_instance_info"]),  # a database has no tags in its list
        ("orders*", "orders", []),
        ("orders*", None, ["dcs_instance_info", "ddm_instance_info"]),
    ],
)
def test_instances_are_listed_for_tags_and_unknown_names(
    pattern: str, name: str | None, read: list[str]
) -> None:
    world, target = World(), {"instance_id": "c1", "instance_name": name}
    rows = [{"service": service, "target": target} for service in ("dcs", "ddm")]
    known = _planning.instances_by_id(job(restore_protected=[pattern]), rows, world)
    assert [module for module, check, options in world.calls] == read
    assert bool(known) is bool(read)


def test_names_are_looked_up_in_every_service() -> None:
    world = World()
    state = run(world, restore_dcs=[], restore_ddm=[], restore_instances="c1\nnobody", restore_point="latest")
    assert [name for name, check, rows in world.calls] == [f"{name}_instance_info" for name in SERVICES]
    assert "'c1' is the name of 2 instances" in state["run"]["refused"]
    assert "there is no instance 'nobody'" in state["run"]["refused"]


def test_names_of_caches_are_found_where_databases_cannot_be_listed() -> None:
    world = World()
    world.broken["ddm_instance_info", "*"] = {"error_kind": "transport_error", "msg": "No such host."}
    options = {"restore_dcs": [], "restore_ddm": [], "restore_point": "latest"}
    state = run(world, "plan", restore_instances="c1", **options)
    assert [row["target"]["instance_id"] for row in state["restores"]] == ["c1"]
    unread = "The names in restore_instances were not looked up in DDM: No such host."
    assert unread in world.lines
    refused = run(world, "plan", restore_instances="nobody", **options)["run"]["refused"]
    assert "there is no instance 'nobody'" in refused
    assert unread in refused
    twice = {**options, "restore_dcs": [CACHE]}
    refused = run(world, "plan", restore_instances="c1", **twice)["run"]["refused"]
    assert "'c1' would be overwritten by 2 entries" in refused
    world.broken["dcs_instance_info", "*"] = {"error_kind": "denied", "msg": "No."}
    refused = run(world, "plan", restore_instances="c1", **options)["run"]["refused"]
    assert "The names in restore_instances cannot be looked up: No." in refused


def test_an_instance_that_is_left_out_of_a_list_of_names_is_reported() -> None:
    """It may be the one that is named: then no instance seems to have the name, or another one has it."""
    world, odd = World(), "One of the instances is left out: it has no valid instance_id."
    found = {"instances": [{"instance_id": "c1", "name": "c1", "status": "RUNNING"}], "warnings": [odd]}
    world.broken["dcs_instance_info", "*"] = {"failed": False, **found}
    world.broken["ddm_instance_info", "*"] = {"failed": False, "instances": []}
    options = {"restore_dcs": [], "restore_ddm": [], "restore_point": "latest"}
    run(world, "plan", restore_instances="c1", **options)
    assert f"DCS: {odd}" in world.lines
    refused = run(world, "plan", restore_instances="nobody", **options)["run"]["refused"]
    assert "there is no instance 'nobody'" in refused and odd in refused


def test_the_warnings_of_each_step_are_shown() -> None:
    class Warned(World):
        def call(self, module: str, options: dict[str, Any], check: bool) -> dict[str, Any]:
            said = [f"{module}: careful."] if module in ("restore_start", "restore_wait") else []
            return {**super().call(module, options, check), "warnings": said}

    world = Warned()
    assert run(world, "plan")["warnings"] == ["restore_start: careful."]
    assert set(run(world)["warnings"]) == {"restore_start: careful.", "restore_wait: careful."}


WHOLE = list(_step_table.BETWEEN)


@pytest.mark.parametrize(
    ("tags", "around", "steps"),
    [
        ("all", "", WHOLE),
        ("plan", "", []),
        ("report", "", []),
        ("approve", "", ["approve"]),
        ("safeguard", "", WHOLE[: WHOLE.index("safeguard") + 1]),
        ("restore", "", WHOLE),
        ("verify", "", ["verify"]),
        ("release", "", ["release"]),
        ("fence verify", "", [*WHOLE[: WHOLE.index("fence") + 1], "verify"]),
        ("stack", "stack", WHOLE),
        ("stack verify", "stack", WHOLE),
        ("verify", "stack", ["verify"]),
        ("verify", "always", WHOLE),
        ("tagged verify", "", WHOLE),
    ],
)
def test_tags_ask_for_steps(tags: str, around: str, steps: list[str]) -> None:
    """As if each task also had the tags of the later steps: no step before the restore can be left out."""
    assert _step_table.selected(tags.split(), around.split()) == steps


def test_an_approval_is_asked_for_once_a_run() -> None:
    """A later batch of a fleet takes the approval over from the first one."""
    world = World(typed="yes")
    run(world, "plan", "approve", "approve", restore_confirm=True, restore_ddm=[])
    assert world.text.count("Overwrite 1 instance? Type yes to go on") == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            {"service": "ddm", "job_id": "j1", "job": {"end_time": "2026-10-25T12:00:00+0000"}},
            "job j1 ended",
        ),
        ({"service": "dcs", "restore": {"updated_at": "2026-10-25T12:00:00.000Z"}}, "already restored"),
    ],
)
def test_a_restore_that_is_done_says_since_when(row: dict[str, Any], words: str) -> None:
    """One of weeks ago, under a ticket that is used again, may not be the one that is meant."""
    row = {**row, "action": "nothing"}
    found = _lines.effect_text(row, timezone.utc)
    assert found.startswith(f"nothing to do: {words} on 25 Oct 2026 12:00 +00:00")
    assert " on " not in _lines.effect_text({**row, "job": None, "restore": None}, timezone.utc)
