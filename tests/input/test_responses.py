# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever the cloud responds: only our own exceptions, and success only with a valid ID.

Time and memory are bounded. A failure names its seed.
"""

from __future__ import annotations

import functools
import json
import random
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud, cloud_for
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import CloudError
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Response
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm
from tests.cloud import endpoints_at, variables_at
from tests.cloud import scenario as names
from tests.faults.bench import OPERATIONS, Operation, Time, cloud, perform
from tests.input.responses import Recorder, Replay

CALL_ANSWERS, TASK_ANSWERS = 600, 250  # hostile ones to each call and to each operation
MORE = 20  # times as many in the slow tests: more than 100,000 together
URL = "https://cloud.example.com"
ENV = {
    **variables_at(URL),
    **{
        "HW_REGION_NAME": names.REGION,
        "HW_PROJECT_ID": names.PROJECT_ID,
        "HW_ACCESS_KEY": names.ACCESS_KEY,
        "HW_SECRET_KEY": names.SECRET_KEY,
    },
}
POINT = int(time.time() * 1000) - 7_200_000
Call = Callable[[Cloud], Any]
CALLS: dict[str, Call] = {
    "dcs.instance": lambda cloud: Dcs(cloud).instance(names.DCS_INSTANCE),
    "dcs.instances": lambda cloud: Dcs(cloud).instances(),
    "dcs.backups": lambda cloud: Dcs(cloud).backups(names.DCS_INSTANCE),
    "dcs.restores": lambda cloud: Dcs(cloud).restores(names.DCS_INSTANCE),
    "ddm.backups": lambda cloud: Ddm(cloud).backups(),
    "ddm.backup": lambda cloud: Ddm(cloud).backup(names.DDM_SOURCE, names.DDM_BACKUP),
    "ddm.intervals": lambda cloud: Ddm(cloud).restorable_time_intervals(names.DDM_SOURCE),
    "ddm.related": lambda cloud: Ddm(cloud).related_data_nodes(names.DDM_SOURCE, POINT)[0],
    "ddm.targets": lambda cloud: Ddm(cloud).restorable_instances(names.DDM_SOURCE),
    "ddm.nodes": lambda cloud: Ddm(cloud).restorable_data_nodes(
        names.DDM_SOURCE, names.DDM_TARGET, names.DN_SOURCE_1, POINT
    ),
    "ddm.job": lambda cloud: Ddm(cloud).job(names.DDM_JOB_OLD),
    "ddm.jobs": lambda cloud: Ddm(cloud).jobs(POINT - 20 * 86_400_000, POINT + 86_400_000),
    "ddm.instance": lambda cloud: Ddm(cloud).instance(names.DDM_SOURCE),
    "ddm.instances": lambda cloud: Ddm(cloud).instances(),
    "iam.project": lambda cloud: cloud.project_id,
    "iam.token": lambda cloud: cloud.project_id,
}
IDS = {"id", "instance_id", "backup_id", "restore_id"}


def options(call: str, url: str) -> dict[str, Any]:
    given = {
        "region": names.REGION,
        **endpoints_at(url),
        "max_retries": 0,
    }
    if call == "iam.token":
        return {**given, "username": names.USER, "password": names.PASSWORD, "domain_name": names.DOMAIN}
    keys = {"access_key": names.ACCESS_KEY, "secret_key": names.SECRET_KEY}
    return {**given, **keys, **({} if call == "iam.project" else {"project_id": names.PROJECT_ID})}


@functools.cache
def recorded() -> tuple[
    dict[str, tuple[dict[str, list[Response]], Any]], dict[str, dict[str, list[Response]]]
]:
    """The true responses to each call, with its result; and the conversations of whole operations."""
    clock = Time()
    with cloud(clock) as sim:
        calls = {}
        for name, call in CALLS.items():
            recorder = Recorder()
            calls[name] = (recorder.responses, call(cloud_for(options(name, sim.url), {}, http=recorder)))
        tasks = {}
        for operation in OPERATIONS:
            sim.reset()
            recorder = Recorder()
            result = perform(
                operation.name, operation.params, sim.env, set(), clock=clock.clock, http=recorder
            )
            assert result["outcome"] == "succeeded"
            tasks[operation.name] = recorder.responses
    return calls, tasks


def still() -> Clock:
    """Time that passes only by sleeping, and by 0.01 s at each reading, so that nothing lasts for ever."""
    moment = [time.time()]

    def look() -> float:
        moment[0] += 0.01
        return moment[0]

    def sleep(seconds: float) -> None:
        moment[0] += seconds

    return Clock(look, look, sleep, random.Random(0).random)


@pytest.fixture(autouse=True)
def bounded() -> Any:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 * 1024, f"{grown} KiB more"


def rows_of(value: Any) -> list[dict[str, Any]]:
    return [value] if isinstance(value, dict) else list(value)


def check_rows(value: Any, true: Any, context: str) -> None:
    """Check that rows have their keys and valid IDs, and nothing that JSON or a terminal cannot hold."""
    if isinstance(true, str):
        assert is_id(value), context
        return
    keys = set(rows_of(true)[0])
    for row in rows_of(value):
        assert set(row) == keys, context
        assert all(
            is_id(row[name]) for name in IDS & keys if row[name] is not None and name in list(row)[:1]
        ), context
        assert row.get("available") in (None, True, False), context
    json.dumps(value, allow_nan=False).encode()
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


def check_error(error: CloudError, context: str) -> None:
    message = str(error)
    assert message.isprintable(), context
    assert len(message) < 4100, context
    details = error.details()
    assert len(json.dumps(details, allow_nan=False)) < 10_000, context
    assert all(
        str(details[name]).isprintable() for name in ("error_code", "request_id") if name in details
    ), context


def ask(name: str, count: int) -> None:
    """Repeat one call until the cloud has sent `count` hostile responses."""
    responses, true = recorded()[0][name]
    given, seed, slowest = 0, 0, 0.0
    while given < count:
        chance = random.Random(f"{name} {seed}")
        spare = int(len(responses) > 1 and chance.random() < 0.5)  # the first response stays true
        replay = Replay(responses, chance, spare=spare)
        context = f"{name}, seed {seed}"
        begun = time.process_time()
        try:
            value = CALLS[name](cloud_for(options(name, URL), {}, http=replay, clock=still()))
        except CloudError as error:
            check_error(error, context)
        else:
            check_rows(value, true, context)
        slowest = max(slowest, time.process_time() - begun)
        given, seed = given + replay.spoilt, seed + 1
    assert slowest < 2


def work(operation: Operation, count: int) -> None:
    """Repeat the operation until `count` responses were hostile: those to the POST, or a share of all."""
    params = {**operation.params, "wait_timeout": 40, "max_retries": 1}
    given, seed = 0, 0
    while given < count:
        chance = random.Random(f"{operation.name} {seed}")
        replay = Replay(
            recorded()[1][operation.name],
            chance,
            chance.choice((0.03, 0.1, 0.3)),
            post_alone=chance.random() < 0.3,
        )
        begun = time.process_time()
        result = perform(operation.name, params, ENV, set(), clock=still(), http=replay)
        context = f"{operation.name}, seed {seed}: {result.get('msg')}"
        assert time.process_time() - begun < 5, context
        assert result.get("error_kind") != "internal_error", context
        assert result["changed"] in (True, False), context
        if result.get("failed"):
            assert str(result["msg"]).isprintable(), context
            assert len(result["msg"]) < 4200, context
            assert (
                replay.posts == 0
                or result["changed"]
                or result["error_kind"] not in ("outcome_unknown", "wait_timeout", "operation_failed")
            ), context
        else:
            assert is_id(result[operation.id_name]), context
            assert result["outcome"] in ("succeeded", "unchanged"), context
        json.dumps(result).encode()
        given, seed = given + replay.spoilt, seed + 1


def test_there_are_enough() -> None:
    count = len(CALLS) * CALL_ANSWERS + len(OPERATIONS) * TASK_ANSWERS
    assert count >= 10_000 and MORE * count >= 100_000


@pytest.mark.parametrize("name", CALLS)
def test_responses_to_one_call(name: str) -> None:
    ask(name, CALL_ANSWERS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_responses_to_a_whole_operation(operation: Operation) -> None:
    work(operation, TASK_ANSWERS)


def test_a_hostile_response_costs_little_memory() -> None:
    """The largest response that the transport admits: 8 MiB of rows. bounded() has the limit of its cost."""
    row = json.loads(recorded()[0]["dcs.backups"][0][next(iter(recorded()[0]["dcs.backups"][0]))][0].body)[
        "backup_record_response"
    ][0]
    rows = [{**row, "backup_id": f"b{number}"} for number in range(8 * 2**20 // len(json.dumps(row)) - 100)]
    body = json.dumps({"backup_record_response": rows, "total_num": len(rows)}).encode()
    pages = iter([Response(200, {}, body), Response(204, {}, b"")])
    found = Dcs(cloud_for(options("", URL), {}, http=lambda *args: next(pages))).backups(names.DCS_INSTANCE)
    assert len(found) == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_many_more_responses_to_one_call(name: str) -> None:
    ask(name, MORE * CALL_ANSWERS)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_many_more_responses_to_a_whole_operation(operation: Operation) -> None:
    work(operation, MORE * TASK_ANSWERS)
