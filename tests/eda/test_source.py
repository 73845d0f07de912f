# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source, without ansible-rulebook: its events after each check of the local cloud."""

from __future__ import annotations

import asyncio
import runpy
import subprocess
import sys
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
import yaml

from tests import invoke
from tests.cases import CASES, STARTS
from tests.cloud import Simulator
from tests.cloud import scenario as ids

FILE = (
    invoke.ROOT
    / ".work/dev/ansible_collections/huaweicloud/recovery/extensions/eda/plugins/event_source/recovery.py"
)
SOURCE: dict[str, Any] = runpy.run_path(str(FILE))  # as ansible-rulebook starts it
HEADER = "#jinja2:variable_start_string:'[['\n[[ x ]]"
Row = dict[str, Any]


def wish(**args: Any) -> Any:
    return SOURCE["wanted"](args)


def reported(memory: Any, sim: Simulator, **args: Any) -> list[Row]:
    """The events of the source after one check."""
    found = SOURCE["observed"](wish(**args), sim.env)
    events: list[Row] = (
        memory.read(found) if isinstance(found, SOURCE["Observation"]) else memory.unread(found)
    )
    return events


def restore(sim: Simulator, operation: str) -> None:
    options: Row = {"instance_id": ids.DCS_INSTANCE, "backup_id": ids.DCS_BACKUP, "operation_id": operation}
    assert not invoke.module("dcs_restore", sim.env, **options, poll_interval=1)["failed"]


def test_what_ends_is_reported_once() -> None:
    with Simulator("demo", restore_seconds=0, backup_seconds=0) as sim:
        memory = SOURCE["Memory"](wish())
        assert reported(memory, sim) == []
        restore(sim, "one")
        (event,) = reported(memory, sim)
        assert (event["event"], event["service"], event["instance_name"]) == (
            "restore_finished",
            "dcs",
            "orders-cache",
        )
        assert (event["backup_id"], event["reason"]) == (ids.DCS_BACKUP, None)
        assert event["id"] == f"restore_finished-{event['record_id']}"
        assert reported(memory, sim) == []
        assert not invoke.module("dcs_backup", sim.env, instance_id=ids.DCS_INSTANCE, poll_interval=1)[
            "failed"
        ]
        assert [one["event"] for one in reported(memory, sim)] == ["backup_finished"]
        assert sim.posts("ddm.recovery") == [] and sim.errors == []


@pytest.mark.parametrize("module", STARTS)
def test_what_each_module_starts_is_reported_once(module: str) -> None:
    case, service = CASES[module], module.partition("_")[0]
    with Simulator("default", restore_seconds=0, backup_seconds=0) as sim:
        memory = SOURCE["Memory"](wish(services=[service]))
        assert reported(memory, sim, services=[service]) == []
        # Nothing else tells a recovery of metadata from other work: nobody documents the name of its job.
        sim.state.settings.metadata_job_name = "RestoreMetaData"
        started = invoke.module(module, sim.env, **case.good, poll_interval=1)
        (event,) = reported(memory, sim, services=[service, service])
        assert (event["service"], event["record_id"]) == (service, started[case.key])
        assert event["event"].endswith("_finished") and event["ended"]
        assert reported(memory, sim, services=[service]) == []


def test_a_restore_that_failed_and_a_job_of_a_database() -> None:
    with Simulator("default", restore_seconds=0) as sim:
        sim.state.jobs[ids.DDM_JOB_OLD].name = "RestoreNewInstance"  # as a sister service calls it
        memory = SOURCE["Memory"](wish(lookback="30d"))
        events = {one["id"]: one for one in reported(memory, sim, lookback="30d")}
        failed = events[f"restore_failed-{ids.DCS_RESTORE_FAILED}"]
        assert failed["reason"] == "dcs.08.0007"
        job = events[f"restore_failed-{ids.DDM_JOB_FAILED}"]
        assert (job["service"], job["reason"]) == ("ddm", ids.DDM_FAIL_REASON)
        assert f"restore_finished-{ids.DDM_JOB_OLD}" in events
        assert events[f"backup_finished-{ids.DDM_BACKUP}"]["backup_id"] is None
        assert not [one for one in events if ids.DDM_JOB_STUCK in one or ids.DCS_RESTORE_STUCK in one]


def test_a_cloud_that_is_away_for_an_hour() -> None:
    """The source reports it once, checks less often, and later reports what has ended in the meantime."""
    with Simulator("demo", restore_seconds=0) as sim:
        memory = SOURCE["Memory"](wish(max_retries=0))
        assert reported(memory, sim, max_retries=0) == []
        restore(sim, "meanwhile")
        sim.fault("unavailable", times=None)
        waited, failures = 0, 0
        events: list[Row] = []
        while waited < 3600:
            events += (
                reported(memory, sim, max_retries=0)
                if failures < 3
                else memory.unread({"msg": "x", "error_kind": "y"})
            )
            failures += 1
            waited += SOURCE["pause"](10, failures)
        assert [one["event"] for one in events] == ["cloud_unreachable"]
        assert events[0]["msg"] and events[0]["error_kind"]
        assert failures < 14
        sim.clear_faults()
        assert [one["event"] for one in reported(memory, sim)] == ["cloud_reachable", "restore_finished"]


def test_an_old_or_missing_backup_is_reported_once_until_there_is_a_newer_one() -> None:
    with Simulator("demo", backup_seconds=0) as sim:
        args: Row = {"max_backup_age": "30m", "instances": "orders-cache"}
        memory = SOURCE["Memory"](wish(**args))
        (event,) = reported(memory, sim, **args)
        assert (event["event"], event["instance_id"]) == ("backup_too_old", ids.DCS_INSTANCE)
        assert 1800 < event["age"] < 7200
        assert reported(memory, sim, **args) == []
        assert not invoke.module("dcs_backup", sim.env, instance_id=ids.DCS_INSTANCE, poll_interval=1)[
            "failed"
        ]
        assert [one["event"] for one in reported(memory, sim, **args)] == ["backup_finished"]
    with Simulator("default") as sim:
        args = {"max_backup_age": "30d", "instances": "sessions-*"}
        events = reported(SOURCE["Memory"](wish(**args)), sim, **args)
        assert {one["event"] for one in events} == {"backup_missing"}
        assert len(events) == 2


def test_another_newest_backup_that_is_too_old_and_none_at_all_are_reported() -> None:
    """While the cloud is away, a backup can be made and become too old, and all can be deleted."""
    with Simulator("demo") as sim:
        args: Row = {"max_backup_age": "1s", "instances": "orders-cache"}
        memory = SOURCE["Memory"](wish(**args))
        (first,) = reported(memory, sim, **args)
        before = dict(sim.state.dcs_backups)
        made = max(one.created_at for one in before.values()) + 60
        newer = [replace(one, id="n" + one.id[1:], created_at=made) for one in before.values()]
        kept: list[Row] = []
        for backups in ({one.id: one for one in newer}, {}, before, before):
            with sim.state.lock:
                sim.state.dcs_backups.clear()
                sim.state.dcs_backups.update(backups)
            kept += [one for one in reported(memory, sim, **args) if one["event"] != "backup_finished"]
        assert [one["event"] for one in kept] == ["backup_too_old", "backup_missing"]
        assert first["newest"] < kept[0]["newest"]


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"max_backup_age": "a day"}, "26h"),
        ({"instance": "orders-cache"}, "no argument instance"),
        ({"services": ["obs"]}, "one or more of dcs, ddm, not obs"),
        ({"instances": [5]}, "list of strings"),
        ({"validate_certs": "perhaps"}, "validate_certs"),
        ({"http_timeout": "soon"}, "http_timeout"),
        ({"max_retries": "-1"}, "max_retries must be from 0 to 999"),
        ({"access_key": "AK1", "ak": "AK2"}, "access_key and ak name one option, and have two values"),
    ],
)
def test_invalid_arguments(args: Row, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        SOURCE["wanted"](args)


def test_blank_arguments_are_unset() -> None:
    blank = SOURCE["wanted"](
        {"services": "", "instances": "", "interval": "", "max_backup_age": "", "region": ""}
    )
    assert blank == SOURCE["wanted"]({})


def test_connection_options_have_their_types_whatever_a_rulebook_makes_of_them() -> None:
    text = wish(
        use_instance_metadata="false",
        validate_certs="no",
        http_timeout="30",
        ca_cert="/ca.pem",
        region=" ",
        allowed_project_ids='["one", "two"]',
    )
    assert text.connection == {
        **wish().connection,
        "use_instance_metadata": False,
        "validate_certs": False,
        "http_timeout": 30,
        "ca_path": "/ca.pem",
        "allowed_project_ids": ["one", "two"],
    }


WHO: Row = {"service": "dcs", "instance_id": "i", "instance_name": "cache"}


def seen(*numbers: int, **cache: Any) -> Any:
    """One check at 1,000 s, with backups that have ended."""
    ended: Row = {"status": "succeed", "end": "succeeded", "begun": 0, "ended": 0}
    ended.update(backup_id=None, reason=None)
    records = [{"kind": "backup", **WHO, "id": str(number), **ended} for number in numbers]
    return SOURCE["Observation"](1_000_000, [{**WHO, **cache}] if cache else [], records)


def test_a_list_that_leaves_something_out_once_repeats_no_event() -> None:
    memory = SOURCE["Memory"](wish(max_backup_age="60s"))
    checks = [seen(1, newest=0), seen(), seen(1, newest=0), seen(1, 2, newest=0), seen(2, newest=990_000)]
    events = [[one["event"] for one in memory.read(check)] for check in [*checks, seen(1, 2, newest=0)]]
    assert events == [["backup_too_old"], [], [], ["backup_finished"], [], ["backup_too_old"]]


def test_what_ended_before_the_start_is_old_whenever_it_is_read_first() -> None:
    """The cloud cannot be reached at first, and then a cache cannot be read."""
    at = iter([0.0, 500.0, 600.0])  # the source starts, and reads the cloud at 1,000 s by the cloud's clock
    memory = SOURCE["Memory"](wish(lookback=100), lambda: next(at))
    unread = {"msg": "x", "error_kind": "protocol_error"}
    ended = {1: 399_000, 2: 401_000, 3: 599_000}
    records = [{**one, "ended": ended[int(one["id"])]} for one in seen(*ended, newest=0).records]
    checks = [seen(1, unread=unread), seen(1, 2, 3, newest=0)]
    checks = [checks[0]._replace(records=[]), checks[1]._replace(records=records, now=1_100_000)]
    events = [memory.unread(unread), *(memory.read(check) for check in checks)]
    assert [[one["event"] for one in found] for found in events] == [
        ["cloud_unreachable"],
        ["cloud_reachable", "cache_unreadable"],
        ["backup_finished"] * 2,
    ]
    assert [one["record_id"] for one in events[2]] == ["2", "3"]


def test_a_cache_that_cannot_be_read_does_not_stop_the_others() -> None:
    with Simulator("default", restore_seconds=0) as sim:
        args: Row = {"instances": ["orders-*", ids.DCS_EMPTY], "services": "dcs", "max_retries": 0}
        memory = SOURCE["Memory"](wish(**args))
        assert reported(memory, sim, **args) == []
        sim.fault("answer", "dcs.backups", times=None, on=ids.DCS_EMPTY, status=200, body=[])
        (unread,) = reported(memory, sim, **args)
        assert (unread["event"], unread["instance_id"]) == ("cache_unreadable", ids.DCS_EMPTY)
        assert unread["error_kind"] == "protocol_error" and unread["msg"]
        restore(sim, "one")
        assert [one["event"] for one in reported(memory, sim, **args)] == ["restore_finished"]


@pytest.mark.parametrize(("service", "key"), [("dcs", "instance_id"), ("ddm", "id")])
def test_an_instance_that_the_list_does_not_name_is_reported_once(service: str, key: str) -> None:
    """Nobody would notice that its backups fail: it may be one that is watched."""
    with Simulator("default") as sim:
        args: Row = {"services": service, "instances": ["orders-*", "None"]}
        memory = SOURCE["Memory"](wish(**args))
        assert [one["event"] for one in reported(memory, sim, **args)] == ["instance_missing"]
        sim.fault("rewrite", f"{service}.instances", times=2, key=key, missing=True, newest=True)
        found = reported(memory, sim, **args)
        (unread,) = [one for one in found if one["event"] != "instance_missing"]
        thing = "cache" if service == "dcs" else "database"
        assert unread["id"] == f"{thing}_unreadable-unknown" and unread["instance_id"] is None
        assert "without a valid" in unread["msg"] and unread["error_kind"] == "protocol_error"
        assert f"{thing}_unreadable" not in [one["event"] for one in reported(memory, sim, **args)]


@pytest.mark.parametrize(("fault", "kind"), [("forbidden", "denied"), ("server_error", "server_error")])
def test_a_cache_that_is_denied_or_broken_does_not_stop_the_others(fault: str, kind: str) -> None:
    """Only when no cache can be read, the cloud is what cannot be reached."""
    with Simulator("default", restore_seconds=0) as sim:
        args: Row = {"services": "dcs", "max_retries": 0}
        memory = SOURCE["Memory"](wish(**args))
        first = next(iter(sim.state.dcs_instances))
        assert reported(memory, sim, **args) == []
        sim.fault(fault, "dcs.backups", times=None, on=first)
        (unread,) = reported(memory, sim, **args)
        assert (unread["event"], unread["instance_id"]) == ("cache_unreadable", first)
        assert unread["error_kind"] == kind
        sim.fault(fault, "dcs.backups", times=None)
        begun = len(sim.requests("dcs.backups"))
        (away,) = reported(memory, sim, **args)
        assert (away["event"], away["error_kind"]) == ("cloud_unreachable", kind)
        assert len(sim.requests("dcs.backups")) == begun + 3


def test_a_name_watches_its_instance_in_either_spelling() -> None:
    """The modules return a name in one spelling, whoever typed it."""
    cafe = {"instance_id": "i", "instance_name": "caf\u00e9"}
    assert SOURCE["chosen"](cafe, wish(instances=["cafe\u0301"]).instances)


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        (None, "N*", False),  # it has no name, not the name None
        (None, "None", False),
        (None, "5560DF16-CEBF-4473-95C4-D1B573C16E79", True),
        (None, "5560df16*", True),
        (None, "5560-*", False),
        ("None", "N*", True),
        ("Cache", "c*", False),
        ("cache[1]", "cache[1]", True),
        ("cache1", "cache?", True),
    ],
)
def test_a_pattern_fits_a_name_or_an_id(name: str | None, pattern: str, fits: bool) -> None:
    """Only an ID may be in capitals."""
    who = {"instance_id": "5560df16-cebf-4473-95c4-d1b573c16e79", "instance_name": name}
    assert SOURCE["chosen"](who, wish(instances=[pattern]).instances) is fits


def test_a_name_that_fits_no_instance_is_reported_once() -> None:
    """An instance that was deleted or renamed, or a mistyped name: nobody would watch it any more."""
    memory = SOURCE["Memory"](wish(instances=["cache", "order-*"]))
    events = [memory.read(check) for check in (seen(newest=0), seen(newest=0), seen(), seen(newest=0))]
    assert [[one["id"] for one in found] for found in events] == [
        ["instance_missing-order-*"],
        [],
        ["instance_missing-cache"],
        [],
    ]


def test_a_backup_of_the_future_is_not_the_newest() -> None:
    with Simulator("demo") as sim:
        args: Row = {"max_backup_age": "30m", "instances": "orders-cache"}
        with sim.state.lock:
            for backup in sim.state.dcs_backups.values():
                backup.created_at += 3e9
        events = reported(SOURCE["Memory"](wish(**args)), sim, **args)
        assert [one["event"] for one in events] == ["backup_missing"]


def test_a_backup_counts_from_its_record_where_only_that_has_a_time() -> None:
    def only_created(response: Any) -> None:
        for backup in response.data["backup_record_response"]:
            backup.update(execution_at=None, updated_at=None)

    with Simulator("demo") as sim:
        sim.fault("mutate", "dcs.backups", times=None, function=only_created)
        for age, kinds in (("30d", []), ("30m", ["backup_too_old"])):
            args: Row = {"max_backup_age": age, "instances": "orders-cache"}
            events = reported(SOURCE["Memory"](wish(**args)), sim, **args)
            assert [one["event"] for one in events] == kinds


def test_a_backup_that_cannot_be_restored_is_not_the_newest() -> None:
    with Simulator("demo") as sim:
        args: Row = {"max_backup_age": "30d", "instances": "orders-cache"}
        assert reported(SOURCE["Memory"](wish(**args)), sim, **args) == []
        sim.fault("rewrite", "dcs.backups", times=None, key="is_support_restore", value=False)
        events = reported(SOURCE["Memory"](wish(**args)), sim, **args)
        assert [one["event"] for one in events] == ["backup_missing"]


@pytest.mark.parametrize(("name", "counts"), [("RestoreNewInstance", True), ("RestartInstance", False)])
def test_a_restore_job_is_known_by_the_stem_of_its_name(name: str, counts: bool) -> None:
    with Simulator("default") as sim:
        sim.fault("rewrite", "ddm.jobs", key="name", value=name)
        args: Row = {"services": "ddm", "lookback": "30d"}
        events = {one["id"] for one in reported(SOURCE["Memory"](wish(**args)), sim, **args)}
        assert (f"restore_finished-{ids.DDM_JOB_OLD}" in events) is counts


def test_wrong_keys_are_not_tried_again_for_15_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than five refused signatures lock an access key for everybody who uses it."""
    refused = {"msg": "x", "error_kind": "auth_failed"}
    sleep = mock.AsyncMock(side_effect=asyncio.CancelledError)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setitem(SOURCE["main"].__globals__, "observed", lambda wish, environ: refused)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(SOURCE["main"](asyncio.Queue(), {"interval": 1}))
    sleep.assert_awaited_once_with(900)


def test_the_source_puts_events_into_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    async def first(args: Row) -> Row:
        queue: asyncio.Queue[Row] = asyncio.Queue()
        task = asyncio.ensure_future(SOURCE["main"](queue, args))
        try:
            return await asyncio.wait_for(queue.get(), 60)
        finally:
            task.cancel()

    with Simulator("demo") as sim:
        for name, value in sim.env.items():
            monkeypatch.setenv(name, value)
        found = asyncio.run(first({"lookback": "2d", "services": ["dcs"], "interval": 1}))
    assert found["recovery"]["event"] == "backup_finished"
    assert ids.SECRET_KEY not in str(found)


def test_the_documentation_names_what_there_is() -> None:
    documentation = yaml.safe_load(SOURCE["DOCUMENTATION"])
    assert {*SOURCE["OWN"], "region"} == set(documentation["options"])


def test_it_finds_the_collection_from_its_own_path() -> None:
    """ansible-rulebook runs the file by its path, with no other folder to import from."""
    code = f"import runpy, sys; print('main' in runpy.run_path({str(FILE)!r}))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("True", 0), done.stderr


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("{{ lookup('pipe', 'id') }}", "{ { lookup('pipe', 'id') }}"),
        ("{{{ x }}}", "{ { { x }}}"),
        ("{% set x = 1 %}{# x #}", "{ % set x = 1 %}{ # x #}"),
        (HEADER, f" {HEADER}"),
        ("orders {cache}", "orders {cache}"),
    ],
)
def test_no_text_of_an_event_is_a_template(text: str, sent: str) -> None:
    """A rule hands it to a playbook as an extra variable, and Ansible runs those as templates."""

    class Stopped(Exception):
        """The test has seen enough."""

    class Queue:
        async def put(self, event: Row) -> None:
            found.append(event)
            raise Stopped

    found: list[Row] = []
    with Simulator("demo", backup_seconds=0) as sim:
        sim.state.dcs_instances[ids.DCS_INSTANCE].name = text
        args = {"services": ["dcs"], "max_backup_age": "1s"}
        with mock.patch.dict("os.environ", sim.env), pytest.raises(Stopped):
            asyncio.run(SOURCE["main"](Queue(), args))
    assert found[0]["recovery"]["instance_name"] == sent
