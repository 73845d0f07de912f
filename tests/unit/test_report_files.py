# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a report is written, how it is found again, and what happens when it cannot be written."""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import socket
import stat
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.huaweicloud.recovery.plugins.filter import restore_report_text
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import (
    _lines,
    _options,
    _report,
    _report_files,
    _writable,
)
from tests.report import samples

ROOT = Path(__file__).resolve().parents[2]
MINUTE = 60_000


def begun(
    folder: Path | str | None,
    minutes: int = 0,
    random: str = "aaaaaa",
    rows: Sequence[samples.Row] | None = None,
    **context: Any,
) -> dict[str, Any]:
    given = {"kind": "restore", "operation_id": "CHG-1042", "directory": folder and str(folder), **context}
    run = _report_files.begin(given, samples.STARTED + minutes * MINUTE, random)
    return _report_files.continuing(run, [good(), bad()] if rows is None else rows)


def written(run: dict[str, Any], *rows: samples.Row, finished: bool = True) -> dict[str, Any]:
    return _report_files.write(_report.report(rows, run, samples.STARTED + 100 * MINUTE, finished), run)


def good() -> samples.Row:
    return samples.verified(samples.planned("dcs", "orders-cache"), 20, 60)


def bad() -> samples.Row:
    return samples.failed_job(samples.planned("ddm", "orders-db"))


def names(folder: Path) -> set[str]:
    """All files but the claims, which name the run that writes a report."""
    return {path.name for path in folder.iterdir() if path.suffix != ".run"}


def test_a_report_is_written_in_all_forms_for_its_owner_alone(tmp_path: Path) -> None:
    run = begun(tmp_path / "new" / "reports")
    report = written(run, good())
    stem = "CHG-1042-20261125T090211Z-aaaaaa"
    assert report["id"] == stem and report["problem"] is None
    assert names(tmp_path / "new" / "reports") == {
        stem + suffix for suffix in (".json", ".md", ".xml", ".html")
    }
    for path in (tmp_path / "new" / "reports").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new" / "reports").stat().st_mode) == 0o700
    assert json.loads(Path(report["files"]["json"]).read_text(encoding="utf-8")) == report


@pytest.mark.parametrize("context", [{"check_mode": True}, {"kind": "plan"}, {"kind": "readiness"}])
def test_a_plan_is_written_as_data_and_page(tmp_path: Path, context: dict[str, Any]) -> None:
    report = written(begun(tmp_path, **context), samples.planned("dcs", "orders-cache"))
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".html"}
    assert report["files"]["markdown"] is report["files"]["junit"] is None


def test_the_test_for_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    assert begun(tmp_path)["problem"] is None and names(tmp_path) == set()


def test_no_folder_means_no_files(tmp_path: Path) -> None:
    for folder in (None, ""):
        report = written(begun(folder), good())
        assert (
            report["files"] == dict.fromkeys(("json", "markdown", "junit", "html"))
            and report["problem"] is None
        )


def test_a_folder_that_cannot_be_made_is_a_problem_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    run = begun(tmp_path / "file" / "reports")
    assert str(tmp_path / "file" / "reports") in run["problem"] and "Nothing was started." in run["problem"]
    assert written(run, good())["files"]["json"] is None


@pytest.mark.parametrize("odd", ["\u200c", "\u3000", "\u202e", "\udcff"])
def test_a_folder_whose_path_a_report_would_escape_is_a_problem(tmp_path: Path, odd: str) -> None:
    """A report named, and was written to, another folder: the next run did not find it."""
    run = begun(tmp_path / f"our{odd}reports")
    assert "a character that cannot be shown as it is. Nothing was started." in run["problem"]
    assert run["files"] == {} and list(tmp_path.iterdir()) == []
    (tmp_path / "报告 ä").mkdir()
    assert begun(tmp_path / "报告 ä")["problem"] is None


def test_a_folder_that_takes_no_file_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    assert "Permission denied" in begun(tmp_path)["problem"]


def test_a_full_disk_is_a_problem_before_anything_starts(tmp_path: Path) -> None:
    """It still takes an empty file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        problem = _report_files.unwritable(str(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert problem is not None and "File too large. Nothing was started." in problem
    assert _report_files.unwritable(str(tmp_path)) is None


def test_a_folder_or_file_of_another_user_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cache_of_us"
    path.touch(mode=0o600)
    assert _writable.others_can_write(str(tmp_path), "of_us") is None
    assert _writable.others_can_write(str(tmp_path / "not-there"), "of_us") is None
    if os.getuid() == 0:
        os.chown(path, 4711, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
    where = path if os.getuid() == 0 else tmp_path
    assert _writable.others_can_write(str(tmp_path), "of_us") == f"{where} belongs to another user"


def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: str) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    run = _report_files.begin({"kind": "restore", "directory": str(tmp_path)}, samples.STARTED, "aaaaaa")
    assert "Permission denied" in run["problem"]


def test_a_plan_takes_the_place_of_a_file_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "It is not a regular file" in str(_report_files.unsavable(str(tmp_path / "pipe")))
    (tmp_path / "link").symlink_to(tmp_path / "plan.json")
    assert _report_files.unsavable(str(tmp_path / "link")) is None
    assert _report_files.save_plan({"id": "x"}, str(tmp_path / "link")) is None
    assert (tmp_path / "link").is_symlink() and (tmp_path / "plan.json").is_file()


def test_a_disk_that_fills_up_later_is_a_problem_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path)
    before = written(run, good(), finished=False)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    report = written(run, good())
    assert "No space left on device" in report["problem"] and report["verdict"] == "verified"
    assert _lines.report_place(report, wanted=True).endswith(".html, out of date for the reason above")
    assert json.loads(Path(before["files"]["json"]).read_text(encoding="utf-8")) == before
    assert not [name for name in names(tmp_path) if name.startswith(".")]
    # The undo needs the safety backup, which no file has.
    saved = {**good(), "safety_backup": {"backup_id": "s1", "backup_name": "b", "created_at": None}}
    for known in (True, False):
        report = written(run, saved)
        assert ("undo, restore each as backup_id: orders-cache s1." in report["problem"]) and not report[
            "undo"
        ]
        for path in before["files"].values():
            Path(path).unlink(missing_ok=True)
        assert any(report["files"].values()) == known, "it names no file that is not there"
    assert _lines.report_place(report, wanted=True) == "Report: not written, for the reason above"


def test_a_folder_that_is_deleted_in_a_run_is_made_again(tmp_path: Path) -> None:
    run = begun(tmp_path / "reports")
    shutil.rmtree(tmp_path / "reports")
    report = written(run, good())
    assert report["problem"] is None and Path(report["files"]["html"]).exists()


def test_two_runs_of_one_second_have_two_reports(tmp_path: Path) -> None:
    written(begun(tmp_path, operation_id=None, random="aaaaaa"), good())
    written(begun(tmp_path, operation_id=None, random="bbbbbb"), bad())
    assert len(list(tmp_path.glob("restore-20261125T090211Z-*.json"))) == 2


@pytest.mark.parametrize(
    ("operation_id", "stem"),
    [
        (None, "restore"),
        ("", "restore"),
        ("CHG-1042", "CHG-1042"),
        ("../../etc/passwd", "etc_passwd"),
        ("a b/c\x00d", "a_b_c_d"),
        ("..", "restore"),
        ("Ä", "restore"),
        ("x" * 300, "x" * 64),
        (1042, "1042"),
    ],
)
def test_an_operation_id_becomes_a_name_that_every_file_system_takes(operation_id: Any, stem: str) -> None:
    assert _report_files.file_stem(operation_id) == stem


# Continued by a further run


def test_a_rerun_continues_the_report_that_did_not_end_well(tmp_path: Path) -> None:
    first = written(begun(tmp_path), bad())
    run = begun(tmp_path, 30, "bbbbbb")
    assert (run["id"], run["started"], run["began"]) == (
        first["id"],
        first["started"],
        "2026-11-25T09:32:11Z",
    )
    assert run["previous"][0]["job_id"] == first["restores"][0]["job_id"]
    second = written(run, samples.verified(samples.planned("ddm", "orders-db"), 1900, 60))
    assert [one["verdict"] for one in second["runs"]] == ["failed", "verified"]
    assert {path.stem for path in tmp_path.iterdir()} == {first["id"]}


def test_a_report_that_was_cut_off_is_continued(tmp_path: Path) -> None:
    first = written(begun(tmp_path), samples.started(samples.planned("ddm", "orders-db"), 20), finished=False)
    assert begun(tmp_path, 30, "bbbbbb")["id"] == first["id"]


@pytest.mark.parametrize(
    "context",
    [
        {"operation_id": "CHG-1043"},
        {"operation_id": None},
        {"operation_id": "CHG"},
        {"kind": "drill"},
        {"check_mode": True},
    ],
)
def test_another_operation_has_a_report_of_its_own(tmp_path: Path, context: dict[str, Any]) -> None:
    first = written(begun(tmp_path), bad())
    run = begun(tmp_path, 30, "bbbbbb", **context)
    assert run["id"] != first["id"] and run["previous"] == [] and run["runs"] == []


def test_a_report_that_ended_well_is_not_continued(tmp_path: Path) -> None:
    written(begun(tmp_path), bad())
    written(begun(tmp_path, 10), good())
    written(begun(tmp_path, 20, "bbbbbb"), good())
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_a_run_without_an_operation_id_continues_nothing(tmp_path: Path) -> None:
    """It only knows more of a restore that it attaches to."""
    written(begun(tmp_path, operation_id=None), bad())
    assert begun(tmp_path, 30, "bbbbbb", operation_id=None)["previous"] == []
    attached = begun(tmp_path, 30, "cccccc", [{**bad(), "action": "adopt"}], operation_id=None)
    assert [row["job_id"] for row in attached["previous"]] == [bad()["job_id"]]
    other = {**bad(), "action": "adopt", "restore_time": samples.POINT_MS + 1}
    assert begun(tmp_path, 30, "dddddd", [other], operation_id=None)["previous"] == []
    beside = {**samples.planned("ddm", "sessions-db"), "action": "adopt"}  # restored to the same time
    assert begun(tmp_path, 30, "eeeeee", [other, beside], operation_id=None)["previous"] == []


def cache(name: str) -> samples.Row:
    return samples.verified(samples.planned("dcs", name), 20, 60)


def test_a_run_with_some_of_the_targets_leaves_the_others_in_their_report(tmp_path: Path) -> None:
    first = written(begun(tmp_path), cache("orders-cache"), bad())
    run = begun(tmp_path, 30, "bbbbbb", rows=[bad()])
    assert run["id"] != first["id"] and (run["runs"], run["started"]) == ([], run["began"])
    assert [row["job_id"] for row in run["previous"]] == [first["restores"][1]["job_id"]]
    written(run, bad())
    rest = begun(
        tmp_path, 40, "cccccc"
    )  # With all targets again, the newest report is continued, and knows both.
    assert rest["id"] == run["id"] and len(rest["previous"]) == 3
    assert _report_files.read_report(first["files"]["json"]) == first


def test_a_target_that_was_left_alone_need_not_be_named_again(tmp_path: Path) -> None:
    mistyped = {**samples.planned("dcs", "ordes-cache"), "error_kind": "not_found", "failed_step": "plan"}
    first = written(begun(tmp_path), bad(), mistyped)
    assert begun(tmp_path, 30, "bbbbbb", rows=[bad(), good()])["id"] == first["id"]
    running = written(begun(tmp_path, 20), bad(), mistyped, finished=False)
    assert begun(tmp_path, 25, "bbbbbb")["id"] != running["id"], "the run may go on, and then restore it"
    saved = {**samples.planned("dcs", "sessions"), "error_kind": "busy", "failed_step": "restore"}
    saved.update(changed=False)
    last = written(begun(tmp_path, 30), bad(), {**saved, "safety_backup": {"backup_id": "s"}})
    assert last["restores"][1]["data_state"] == "untouched"
    assert begun(tmp_path, 40, "cccccc")["id"] != last["id"], "its safety backup would be lost"


def test_slices_that_run_at_once_have_reports_of_their_own(tmp_path: Path) -> None:
    rows = [samples.planned("dcs", "orders-cache"), samples.planned("dcs", "sessions")]
    first = written(begun(tmp_path, rows=rows[:1]), rows[0], finished=False)
    second = begun(tmp_path, 0, "bbbbbb", rows=rows[1:])
    assert second["id"] != first["id"] and second["previous"] == []
    written(second, rows[1], finished=False)
    assert begun(tmp_path, 1, "cccccc", rows=rows[:1])["id"] == first["id"]


def test_a_run_that_is_refused_takes_no_report_away(tmp_path: Path) -> None:
    first = written(begun(tmp_path), bad())
    written({**begun(tmp_path, 10, "bbbbbb", rows=[]), "refused": "No."})
    assert begun(tmp_path, 30, "cccccc")["id"] == first["id"]


WRONG_ROW = (
    '{"schema_version": 1, "id": "CHG-1042-20261125T090211Z-zzzzzz", "kind": "restore", "verdict": "failed", '
    '"started": "2026-11-25T09:02:11Z", "operation_id": "CHG-1042", "runs": [], '
    '"restores": [{"service": "dcs", %s}]}'
)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"schema_version": 1}',
        '{"schema_version": 2}',
        '{"schema_version": 1, "restores": [1], "runs": []}',
        WRONG_ROW % '"target": "x"',
        WRONG_ROW % '"label": ["x"]',
        WRONG_ROW % '"data_node_relations": [1]',
        WRONG_ROW % '"verification": {"checks": ["x"]}',
        "\udcff",
    ],
)
def test_a_file_that_is_not_a_report_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "CHG-1042-20261125T090211Z-zzzzzz.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert begun(tmp_path)["previous"] == []
    written(begun(tmp_path, keep=1), good())
    assert path.exists()


@pytest.mark.parametrize(
    ("one", "other"), [("CHG/7", "CHG 7"), ("变更一-1", "变更二-1"), ("x" * 70 + "a", "x" * 70 + "b")]
)
def test_a_report_is_that_of_its_operation_whatever_its_file_is_called(
    tmp_path: Path, one: str, other: str
) -> None:
    first = written(begun(tmp_path, operation_id=one), bad())
    assert begun(tmp_path, 1, "bbbbbb", operation_id=other)["previous"] == []
    assert begun(tmp_path, 1, "bbbbbb", operation_id=one)["id"] == first["id"]


@pytest.mark.parametrize("name", ["变更", "restore", "a\u202eb"])
def test_a_report_of_an_operation_with_any_name_goes_on(tmp_path: Path, name: str) -> None:
    first = written(begun(tmp_path, operation_id=name), bad())
    again = begun(tmp_path, 1, "bbbbbb", operation_id=name)
    assert (again["id"], len(again["previous"])) == (first["id"], 1)


def test_only_the_reports_of_the_operation_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may hold thousands."""
    written(begun(tmp_path), bad())
    written(begun(tmp_path, operation_id="CHG-1"), bad())
    opened: list[str] = []
    read = _report_files.read_report

    def reading(path: str) -> Any:
        opened.append(Path(path).name)
        return read(path)

    monkeypatch.setattr(_report_files, "read_report", reading)
    assert begun(tmp_path, 30)["previous"]
    assert opened == ["CHG-1042-20261125T090211Z-aaaaaa.json"]


# Kept


def test_only_the_newest_reports_of_a_kind_stay(tmp_path: Path) -> None:
    foreign = {
        "notes.md",
        "restore-20261125T090211Z-aaaaaa.json",
        "CHG-1-20261125T090211Z-aaaaaa.html",
        "report.json",
    }
    for name in foreign:
        (tmp_path / name).write_text("{}", encoding="utf-8")
    drill = written(begun(tmp_path, kind="drill", operation_id="drill"), good())
    plan = written(begun(tmp_path, operation_id="plan", check_mode=True), samples.planned("dcs", "x"))
    under_way = written(
        begun(tmp_path, 1, operation_id="slow"),
        samples.started(samples.planned("dcs", "x"), 2),
        finished=False,
    )
    # Its job is found only in this report, so the same command could not attach to it.
    failed = written(begun(tmp_path, 1, operation_id="failed"), bad())
    refused = samples.failed(samples.planned("dcs", "x"), "plan", 2, "not_found", "No.", changed=False)
    written(begun(tmp_path, 1, operation_id="refused"), refused)
    made = [written(begun(tmp_path, 2 + i, operation_id=f"CHG-{i}", keep=2), good()) for i in range(4)]
    kept = {
        Path(path).name
        for report in (drill, plan, under_way, failed, *made[2:])
        for path in report["files"].values()
        if path
    }
    assert names(tmp_path) == kept | foreign


def test_a_failed_report_of_a_month_ago_is_kept_no_longer_than_others(tmp_path: Path) -> None:
    """Otherwise the reports of a drill that fails every night would pile up for ever."""
    day = 24 * 60
    for number in (0, 1, 2):
        written(begun(tmp_path, number * day, operation_id=f"night-{number}"), bad())
    for days in (29, 31):
        written(begun(tmp_path, days * day, operation_id=f"today-{days}", keep=1), good())
        left = {name[:8] for name in names(tmp_path)}
        assert left == {f"today-{days}", *(["night-0-"] if days == 29 else []), "night-2-", "night-1-"}, days


def test_keep_does_not_delete_the_report_that_was_just_written(tmp_path: Path) -> None:
    written(begun(tmp_path, 10, operation_id="newer"), good())
    report = written(begun(tmp_path, 0, operation_id="older", keep=1), good())
    assert Path(report["files"]["json"]).exists()


def test_without_keep_all_stay(tmp_path: Path) -> None:
    for keep in (None, 0, ""):
        written(begun(tmp_path, operation_id=f"a{keep}", keep=keep), good())
    assert len(list(tmp_path.glob("*.json"))) == 3


# The version, and the filter


def test_the_version_is_that_of_the_collection(tmp_path: Path) -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert begun(None)["collection_version"] == version
    plugin = tmp_path / "plugins" / "plugin_utils" / "x.py"
    assert _report_files.collection_version(str(plugin)) == "unknown"
    (tmp_path / "MANIFEST.json").write_text('{"collection_info": {"version": "9.8.7"}}', encoding="utf-8")
    assert _report_files.collection_version(str(plugin)) == "9.8.7"


def test_the_filter_shows_a_report_that_is_kept_as_data(tmp_path: Path) -> None:
    report = written(begun(tmp_path), good())
    for form in ("html", "markdown", "junit", "json"):
        text = restore_report_text.restore_report_text(report, form)
        assert Path(report["files"][form]).read_text(encoding="utf-8") == text


def test_the_filter_for_texts_refuses_anything_but_a_report() -> None:
    for report, form in ((samples.made([good()]), "pdf"), ({}, "html"), ("x", "html"), (None, "json")):
        with pytest.raises(Exception, match=r"(form must be|not a report)"):
            restore_report_text.restore_report_text(report, form)


def test_texts_of_the_cloud_are_never_templates() -> None:
    text = restore_report_text.restore_report_text(samples.VARIANTS["hostile"](), "markdown")
    assert "{" in text
    try:
        trusted = importlib.import_module("ansible.template").is_trusted_as_template
    except AttributeError:  # up to ansible-core 2.18 a text is a template unless it is marked
        assert hasattr(text, "__UNSAFE__")
    else:
        assert not trusted(text)


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_report_that_another_run_still_writes_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    other = f"{socket.gethostname()} 1 {_report_files.process_start(1)}"
    monkeypatch.setattr(_report_files, "owner", lambda host: other)
    first = begun(tmp_path)
    written(first, good(), finished=False)
    monkeypatch.undo()
    if not goes_on:  # another process has its number now
        (tmp_path / f".{first['id']}.run").write_text(f"{socket.gethostname()} 1 0")
    second = begun(tmp_path, 1, "bbbbbb")
    assert (second["id"] == first["id"]) is not goes_on
    assert any("has a report of its own" in note for note in second.get("notes") or []) is goes_on
    assert second["previous"]
    written(second, good())
    assert not (tmp_path / f".{second['id']}.run").exists()


def test_a_report_as_data_may_hold_times() -> None:
    """As AWX hands on what an earlier node has published."""
    report = samples.made([good()])
    began = datetime(2026, 11, 25, 9, 2, 11, tzinfo=timezone.utc)
    given = _options.document({**report, "started": began, "finished": began}, "restore_report")
    assert _report_files.report_from(given) is not None
    without = {name: value for name, value in report.items() if name != "started"}
    assert _report_files.report_from(without) is None
    assert _report_files.report_from({**report, "started": None}) is None


def test_two_hosts_of_a_play_write_no_report_together(tmp_path: Path) -> None:
    """Whichever wrote last would take away what only the other one restores."""
    first = begun(tmp_path, host="a")
    written(first, good(), finished=False)
    assert begun(tmp_path, 1, "bbbbbb", host="b")["id"] != first["id"]
    assert begun(tmp_path, 1, "cccccc", host="a")["id"] == first["id"]


def test_a_claim_of_another_machine_does_not_count(tmp_path: Path) -> None:
    """The folder may be shared. A process with the same number and start runs here, too."""
    first = begun(tmp_path)
    written(first, good(), finished=False)
    here = f"{socket.gethostname()} 1 {_report_files.process_start(1)}"
    (tmp_path / f".{first['id']}.run").write_text(here)
    assert begun(tmp_path, 1, "bbbbbb")["id"] != first["id"], "a run on this machine goes on"
    (tmp_path / f".{first['id']}.run").write_text(here.replace(socket.gethostname(), "elsewhere"))
    assert begun(tmp_path, 1, "bbbbbb")["id"] == first["id"]


def test_a_host_that_names_another_instance_now_continues_no_report_of_the_first(tmp_path: Path) -> None:
    """A label identifies a host only while its instance is unknown."""
    first = begun(tmp_path)
    known, unknown = {**good(), "label": "a"}, {**good(), "label": "a", "target": None, "instance_id": None}
    written(first, known, finished=False)
    other = {**samples.planned("dcs", "sessions-cache"), "label": "a"}
    assert begun(tmp_path, 1, "bbbbbb", rows=[other])["previous"] == []
    written(first, unknown, finished=False)
    assert begun(tmp_path, 1, "cccccc", rows=[other])["id"] == first["id"]
    assert begun(tmp_path, 1, "dddddd", rows=[{**other, "label": "b"}])["previous"] == []
    written(first, {**known, "target": {**known["target"], "instance_name": None}}, finished=False)
    assert begun(tmp_path, 1, "eeeeee", rows=[other])["previous"] == []


def test_a_copy_of_a_report_under_another_name_is_ignored(tmp_path: Path) -> None:
    """It would be continued under the name of the report in it, and its rows would count twice."""
    first = begun(tmp_path)
    written(first, good(), finished=False)
    copy = tmp_path / f"{first['id'][:-6]}zzzzzz.json"
    shutil.copy(tmp_path / f"{first['id']}.json", copy)
    assert [one["id"] for one in _report_files.reports(str(tmp_path))] == [first["id"]]
    assert len(begun(tmp_path, 1, "bbbbbb")["previous"]) == 1


@pytest.mark.parametrize(
    "held",
    ["", "elsewhere 1 2", "nonsense", "\x00", "here 99999999999999999999 1", "here x", "here 4194305 "],
)
def test_a_claim_of_an_unknown_process_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    first = begun(tmp_path)
    written(first, good(), finished=False)
    (tmp_path / f".{first['id']}.run").write_text(held)
    assert begun(tmp_path, 1, "bbbbbb")["id"] == first["id"]


def test_a_report_that_is_not_a_regular_file_is_ignored(tmp_path: Path) -> None:
    """A pipe would hang the run."""
    os.mkfifo(tmp_path / "CHG-1042-20261125T090211Z-aaaaaa.json")
    assert _report_files.read_report(str(tmp_path / "CHG-1042-20261125T090211Z-aaaaaa.json")) is None
    assert begun(tmp_path, 1, "bbbbbb")["previous"] == []
