# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report: their place, and how they are written, found again and pruned.

Private to this collection.

A file is written beside its place and then renamed, so that a reader sees a whole report, the old or the new
one. Nothing here raises: a restore goes on if its report cannot be written, and `problem` says why.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import multiprocessing
import os
import re
import socket
import tempfile
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.sources import read_file
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _plans, _report, _target
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_advice import following
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_page import html
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_text import junit, markdown

FORMATS: dict[str, tuple[str, t.Callable[[_report.Report], str]]] = {
    "json": (".json", lambda report: json.dumps(report, ensure_ascii=False, indent=2) + "\n"),
    "markdown": (".md", markdown),
    "junit": (".xml", junit),
    "html": (".html", html),
}
LARGEST = 64 << 20  # bytes of a report that is read
PLAN_FORMATS = ("json", "html")
NAME = re.compile(r"(?P<stem>.+)-(?P<start>\d{8}T\d{6}Z)-[a-z0-9]{6}", re.ASCII)
OPEN = ("running", "incomplete", "failed")  # verdicts of reports that a later run continues
CONTINUED_MS = 30 * 86400 * 1000  # after a month, the cloud no longer lists the jobs of a report
KNOWN = ("safety_backup", "restore_id", "job_id")  # keys of a target that must not be lost


def begin(context: t.Mapping[str, t.Any], now_ms: int, random: str) -> dict[str, t.Any]:
    """Return the run of a context, with its ID and its files. It makes the folder and tries to write there.

    `random` are six characters of a-z and 0-9. `problem` says why no report can be written, and is null when
    one can or none is wanted.
    """
    wanted = context.get("directory")
    folder = os.path.realpath(os.path.expanduser(str(wanted))) if wanted else None
    problem = unwritable(folder) if folder else None
    began = iso(now_ms)[:19] + "Z"
    name = f"{file_stem(context.get('operation_id'))}-{re.sub('[-:]', '', began)}-{random}"
    return {
        **context,
        "id": name,
        "directory": folder,
        "files": {} if problem or not folder else files_of(folder, name, _report.planning(context)),
        "problem": problem,
        "began": began,
        "started": began,
        "runs": [],
        "previous": [],
        "collection_version": collection_version(os.path.abspath(__file__)),
    }


def continuing(run: dict[str, t.Any], rows: t.Sequence[_report.Row]) -> dict[str, t.Any]:
    """Return a run with what unfinished reports of the same operation know about its targets in `previous`.

    A run that has all targets of the newest of them continues that report, unless another run still writes
    it: it keeps the ID, the start and so the files. Otherwise it has its own files, so that no report loses a
    target. A row whose plan knows only a name continues none: it would take the place of one with the IDs.
    """
    folder = run["directory"]
    rows = [row for row in rows if _target.target_id(row) or not _target.target_name(row)]
    if _report.planning(run) or run["problem"] or not folder:
        return run
    if not run.get("operation_id"):
        return {**run, "previous": resumed(folder, run, rows)}
    with locked(folder):
        found = unfinished(of_run(folder, run), run, rows)
        previous = [row for report in found for row in report["restores"] if covered(row, rows)]
        whole = bool(found) and all(covered(row, rows) for row in rows_to_keep(found[0]))
        own = {**run, "previous": previous}
        if whole and claimed(folder, found[0]["id"], run.get("host")):
            same = {name: found[0][name] for name in ("id", "started", "runs")}
            return {**own, **same, "files": files_of(folder, found[0]["id"], plan=False)}
        claimed(folder, run["id"], run.get("host"))
        if whole:
            note = f"Another run is still writing {found[0]['id']}, so this run has a report of its own."
            own["notes"] = [*(run.get("notes") or []), note]
        return own


def resumed(folder: str, run: t.Mapping[str, t.Any], rows: t.Sequence[_report.Row]) -> list[_report.Row]:
    """Return what unfinished reports without an operation ID know of the restores that these rows attach to.
    A row that overwrites anew is an operation of its own.
    """
    attached = [row for row in rows if row.get("action") in ("adopt", "nothing")]
    return [
        {**earlier, "steps": []}
        for report in unfinished(of_run(folder, run), run, attached)
        for earlier in report["restores"]
        if any(
            _target.same(row, earlier) and _report.restored_data(row) == _report.restored_data(earlier)
            for row in attached
        )
    ]


# Which run writes a report


@contextlib.contextmanager
def locked(folder: str) -> t.Iterator[None]:
    """Keep other runs on this machine from claiming a report for a moment, where the folder allows that."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a folder that cannot be read, or a file system without locks
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def claimed(folder: str, name: str, host: t.Any) -> bool:
    """Whether this run may write a report, which a file beside the report records.

    It may not while an earlier run that is recorded there is alive. A run on another machine does not count
    as alive.
    """
    path = claim(folder, name)
    try:
        held = read_file(path)[0].decode("utf-8", "replace")
    except (OSError, ValueError):
        held = ""
    if held not in ("", owner(host)) and alive(held):
        return False
    with contextlib.suppress(OSError):  # without claims, every run may write it
        replace(path, owner(host))
    return True


def claim(folder: str, name: str) -> str:
    """Return the file that names the run that writes a report."""
    return os.path.join(folder, f".{name}.run")


def owner(host: t.Any) -> str:
    """Return what tells this run from any other: its machine, process and when that began, and the host of
    the play.
    """
    controller = multiprocessing.parent_process()
    pid = controller.pid if controller and controller.pid else os.getpid()
    return f"{socket.gethostname()} {pid} {process_start(pid)} {host or ''}".rstrip()


def alive(held: str) -> bool:
    """Whether the run of a claim goes on."""
    machine, pid, when = [*held.split(" "), "", ""][:3]
    if machine != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except PermissionError:  # of another user
        pass
    except (OSError, OverflowError):
        return False
    return process_start(int(pid)) == when


def process_start(pid: int) -> str:
    """Return when a process began, or blank. A later process may have the same number, but not this time."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def files_of(folder: str, name: str, plan: bool) -> dict[str, str]:
    """Return the path of each file of a report."""
    return {key: os.path.join(folder, name + FORMATS[key][0]) for key in (PLAN_FORMATS if plan else FORMATS)}


def write(report: _report.Report, run: t.Mapping[str, t.Any]) -> _report.Report:
    """Write the files of a report and prune older ones; return the report, with `problem` set on failure."""
    try:
        for name, path in report["files"].items():
            if path:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # a task may have deleted it
                replace(path, FORMATS[name][1](report))
    except OSError as error:
        return unwritten(report, run, f"{error.filename or run['directory']}: {error.strerror}.")
    if report["finished"] and run["directory"]:
        with contextlib.suppress(OSError):
            os.unlink(claim(run["directory"], report["id"]))
    if run.get("keep") and report["finished"] and run["directory"]:
        prune(run["directory"], report, int(run["keep"]))
    return report


def unwritten(report: _report.Report, run: t.Mapping[str, t.Any], why: str) -> _report.Report:
    """Return a report that could not be written. It names only files that an earlier step has written, and an
    undo only if they know the safety backups. What they do not know, the same command does not find.
    """
    files = {name: path if path and os.path.isfile(path) else None for name, path in report["files"].items()}
    kept = read_report(files["json"]) if files["json"] else None
    known = [row.get("safety_backup") for row in undoable_rows(kept)] if kept else []
    lost = [row for row in undoable_rows(report) if row["safety_backup"] not in known]
    listed = ", ".join(f"{_target.called(row)} {row['safety_backup']['backup_id']}" for row in lost)
    undo = f" No file has the safety backups: to undo, restore each as backup_id: {listed}." if lost else ""
    found = {"files": files, "undo": None if lost else report["undo"]}
    alone = {**_report.clean(run), "directory": None}
    rows = [
        row if kept and known_in(kept, row) else {**row, "next": following(row, report, alone)}
        for row in report["restores"]
    ]
    return {**report, **found, "restores": rows, "problem": f"The report could not be written to {why}{undo}"}


def known_in(kept: _report.Report, row: _report.Row) -> bool:
    """Whether a report leads the same command to what a row has started."""
    return any(_target.overwrote(one, row) and one.get("job_id") == row["job_id"] for one in kept["restores"])


def undoable_rows(report: _report.Report) -> list[_report.Row]:
    """Return the rows of a report that an undo restores."""
    return [row for row in report["restores"] if _target.undoable(row)]


def file_stem(operation_id: t.Any) -> str:
    """Return the first part of the file names: the operation ID, fit for a file name, or `restore`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", str(operation_id or "")).strip("._-")[:64] or "restore"


def unwritable(folder: str) -> str | None:
    """Return why no file can be written to a folder, which it makes if it is missing; None if one can."""
    try:
        if printable(folder) != folder:  # a report names its files as they are shown: another folder
            raise OSError(errno.EINVAL, "Its path holds a character that cannot be shown as it is")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".recovery-") as file:
            file.write(b"\0" * 4096)
            file.flush()
        os.listdir(folder)  # a later run looks for this one there
    except OSError as error:
        return (
            f"No report can be written to {printable(folder)}: {error.strerror}. Nothing was started. "
            "Set restore_report_dir to a writable folder."
        )
    return None


def unsavable(path: str) -> str | None:
    """Return why no plan can be written to a file, whose folder must exist; None if one can."""
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if os.path.exists(path) and not os.path.isfile(path):  # a file would take the place of a device
            raise FileExistsError(errno.EEXIST, "It is not a regular file", path)
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path) or ".", prefix=".recovery-"):
            return None
    except OSError as error:
        return (
            f"No plan can be written to {printable(path)}: {error.strerror}. "
            "Set restore_plan_file to a file in a writable folder."
        )


def save_plan(found: t.Mapping[str, t.Any], path: str) -> str | None:
    """Write a plan to restore_plan_file; return why that was not possible, or None."""
    try:
        replace(path, json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        return f"The plan could not be written to {path}: {error.strerror}."
    return None


def replace(path: str, text: str) -> None:
    """Write a file of mode 0600 as a whole: beside its place, then renamed. Raises OSError."""
    path = os.path.realpath(path)  # what a link names, not the link
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".recovery-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


# Reports of earlier runs


def reports(folder: str, stem: str | None = None) -> list[_report.Report]:
    """Return the reports in a folder, newest first, of one operation where its `stem` is given.

    Other files than reports are left out.
    """
    found = []
    for name in os.listdir(folder):
        match = NAME.fullmatch(name[:-5]) if name.endswith(".json") else None
        report = read_report(os.path.join(folder, name)) if match and stem in (None, match["stem"]) else None
        if report is not None and report["id"] == name[:-5]:
            found.append(report)
    return sorted(found, key=lambda report: (moment(report["started"]) or 0, report["id"]), reverse=True)


def of_run(folder: str, run: t.Mapping[str, t.Any]) -> list[_report.Report]:
    """Return the reports in a folder that can be of the operation of a run, newest first."""
    return reports(folder, file_stem(run.get("operation_id")))


def read_report(path: str) -> _report.Report | None:
    """Return the report in a file; None if it is unreadable, not a report, or of another version."""
    try:
        found = json.loads(read_file(path, LARGEST)[0])
    except (OSError, ValueError, RecursionError):
        return None
    return found if is_report(found) else None


def report_from(value: t.Any) -> _report.Report | None:
    """Return the report that a variable holds, or names by any of its files, or None."""
    if not isinstance(value, str):
        return value if is_report(value) else None
    stem, suffix = os.path.splitext(value)
    any_file = suffix in {known for known, dummy in FORMATS.values()}
    return read_report(f"{stem}.json" if any_file else value)


def is_report(found: t.Any) -> bool:
    """Whether a value is a report of this version, by the keys that are read here."""
    if not isinstance(found, dict) or found.get("schema_version") != _plans.SCHEMA_VERSION:
        return False
    lists = [found.get("restores"), found.get("runs")]
    rows = all(isinstance(rows, list) and all(map(_target.is_row, rows)) for rows in lists)
    whole = rows and isinstance(found.get("account"), (dict, type(None)))
    return whole and all(isinstance(found.get(key), str) for key in ("id", "kind", "verdict", "started"))


def unfinished(
    earlier: t.Iterable[_report.Report], run: t.Mapping[str, t.Any], rows: t.Sequence[_report.Row]
) -> list[_report.Report]:
    """Return the unfinished reports among earlier ones, newest first, down to the last one that ended well.

    They are of the operation and the kind of a run, and have a target of these rows.
    """
    found, operation_id = [], run.get("operation_id")
    for one in earlier:
        refused = one.get("check_mode") or one["verdict"] == "refused"  # it has sent nothing
        same = one["kind"] == run["kind"] and of_operation(one, operation_id)
        if refused or not same or not any(covered(row, rows) for row in one["restores"]):
            continue
        if one["verdict"] not in OPEN:
            break
        found.append(one)
    return found


def of_operation(report: _report.Report, operation_id: t.Any) -> bool:
    """Whether a report is of this operation, null for none. Several operations can have one file stem."""
    return bool(report.get("operation_id") == (operation_id and _report.shown(operation_id)))


def covered(earlier: _report.Row, rows: t.Iterable[_report.Row]) -> bool:
    """Whether the target of a row of a report is among those of other rows."""
    ident = _target.target_id(earlier) or _target.target_name(earlier)
    label = None if ident else earlier.get("label")
    return any(_target.same(row, earlier) or (label and label == row.get("label")) for row in rows)


def rows_to_keep(report: _report.Report) -> list[_report.Row]:
    """Return the rows of a report that must not be lost: all rows of a report that may still run."""
    return [
        row
        for row in report["restores"]
        if report["verdict"] == "running"
        or row.get("data_state") != "untouched"
        or any(row.get(name) for name in KNOWN)
    ]


def prune(folder: str, report: _report.Report, keep: int) -> None:
    """Delete all but the newest `keep` reports of the same kind.

    A report that a later run may continue stays for a month: it has the IDs and safety backups of what was
    sent.
    """
    since = (moment(report["started"]) or 0) - CONTINUED_MS

    def continued(one: _report.Report) -> bool:
        return (
            one["verdict"] in OPEN and (moment(one["started"]) or since) >= since and bool(rows_to_keep(one))
        )

    try:
        same = [
            one for one in reports(folder) if report_kind(one) == report_kind(report) and not continued(one)
        ]
        for old in same[keep:]:
            for suffix, dummy in FORMATS.values():
                if old["id"] != report["id"] and os.path.exists(os.path.join(folder, old["id"] + suffix)):
                    os.unlink(os.path.join(folder, old["id"] + suffix))
    except OSError:  # Two runs may prune at once, and an old report that stays does no harm.
        return


def report_kind(report: _report.Report) -> tuple[str, bool]:
    """Return the kind of a report; the plan of a drill is another kind than the drill."""
    return report["kind"], bool(report.get("check_mode"))


def collection_version(here: str) -> str:
    """Return the collection's version: from MANIFEST.json if it is installed, else from galaxy.yml."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    for name, pattern in (
        ("MANIFEST.json", r'"version": "([^"]+)"'),
        ("galaxy.yml", r"(?m)^version: (\S+)$"),
    ):
        try:
            with open(os.path.join(root, name), encoding="utf-8") as file:
                match = re.search(pattern, file.read())
        except OSError:
            continue
        if match:
            return match[1]
    return "unknown"
