# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting: two equal final statuses, one deadline, patience with reads that fail."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    CloudError,
    NotFound,
    OperationFailed,
    OutcomeUnknown,
    ProtocolError,
    TransportError,
    WaitTimeout,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol import wait_for_all
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import (
    CONFIRM,
    VANISHED,
    Status,
    Watch,
    wait_until,
)

from .fakes import Time, api_error, cloud

RUNNING = Status("running", "restoring", "50.00")
DONE = Status("succeeded", "succeed", "100.00", {"restore_id": "r"})
FAILED = Status(
    "failed", "failed", "70.00", error_code="dcs.08.0007", reason="the data could not be synchronised"
)
BROKEN = TransportError("The connection broke.")
GONE = NotFound("Not among the records.")


def watch(time: Time, *script: Status | CloudError, name: str = "Restore") -> tuple[Watch, list[float]]:
    """A watch that reads the script in turn and then its last item for ever, and the times of its reads."""
    looks: list[float] = []

    def look() -> Status:
        looks.append(time.passed)
        word = script[min(len(looks), len(script)) - 1]
        if isinstance(word, CloudError):
            raise word
        return word

    return Watch(name, {"restore_id": "r", "instance_id": "i"}, look), looks


def run(time: Time, *watches: Watch, timeout: float = 100.0, interval: float = 10.0) -> list[Sequence[Any]]:
    seen: list[Sequence[Any]] = []
    wait_until(
        watches,
        timeout,
        interval,
        time.clock,
        lambda now: seen.append([w.last and w.last.status for w in now]),
    )
    return seen


def test_a_final_status_counts_when_it_is_read_twice() -> None:
    time = Time()
    watched, looks = watch(time, RUNNING, DONE)
    assert run(time, watched) == [["restoring"], ["succeed"], ["succeed"]]
    assert watched.done and watched.error is None and watched.last == DONE
    assert looks == [0.0, 10.0, 10.0 + CONFIRM]


def test_a_final_status_that_is_taken_back_does_not_count() -> None:
    time = Time()
    watched, looks = watch(time, DONE, RUNNING, FAILED, DONE, RUNNING, DONE, DONE)
    run(time, watched)
    assert watched.error is None and watched.last == DONE
    assert len(looks) == 7


def test_a_failure_reports_code_reason_and_ids() -> None:
    time = Time()
    watched, dummy = watch(time, FAILED)
    run(time, watched)
    assert isinstance(watched.error, OperationFailed)
    assert str(watched.error).startswith(
        "Restore failed (dcs.08.0007): the data could not be synchronised. Nothing was repeated"
    )
    details = {
        "error_kind": "operation_failed",
        "changed": True,
        "restore_id": "r",
        "instance_id": "i",
        "status": "failed",
        "progress": "70.00",
        "elapsed": 2.0,
    }
    assert watched.error.details() == {**details, "error_code": "dcs.08.0007"}


def test_the_sentence_of_the_cloud_ends_once() -> None:
    watched, dummy = watch(Time(), Status("failed", "failed", reason="Lost is data node X."))
    run(Time(), watched)
    assert str(watched.error).startswith("Restore failed: Lost is data node X. Nothing was repeated")


def test_failure_without_a_reason() -> None:
    """Its status can be the reason: somebody has cancelled the job, or deleted the backup."""
    watched, dummy = watch(Time(), Status("failed", "CancelSuccess"))
    run(Time(), watched)
    assert str(watched.error) == (
        "Restore failed: the cloud gives no reason, its status is CancelSuccess. Nothing was repeated; "
        "check the instance, then run the task again to start it once more."
    )


def test_the_watch_says_how_to_start_the_operation_again() -> None:
    watched, dummy = watch(Time(), Status("failed", "failed"))
    watched.anew = "run the task again without job_id"
    run(Time(), watched)
    assert str(watched.error).endswith("check the instance, then run the task again without job_id.")


@pytest.mark.parametrize("timeout", [0.0, 0.5, 25.0, 1000.0])
def test_the_deadline_holds(timeout: float) -> None:
    time = Time()
    watched, looks = watch(time, RUNNING)
    run(time, watched, timeout=timeout)
    assert isinstance(watched.error, WaitTimeout)
    assert time.passed == pytest.approx(timeout)
    assert looks[0] == 0.0
    assert str(watched.error) == (
        f"Restore is still running after {timeout:.0f} s (last status: restoring). It was not stopped, "
        "and nothing was repeated: run the task again to attach to it; give a larger wait_timeout if needed."
    )
    assert watched.error.details()["restore_id"] == "r"
    assert watched.error.details()["status"] == "restoring"
    assert watched.error.details()["elapsed"] == pytest.approx(timeout)


def test_what_is_waited_for_is_named() -> None:
    watched, dummy = watch(Time(), Status("running", "succeed", reason="the instance is RESTARTING"))
    run(Time(), watched, timeout=5.0)
    assert "(last status: succeed, but the instance is RESTARTING)" in str(watched.error)


def test_seconds_are_whole_for_people() -> None:
    watched, dummy = watch(Time(), RUNNING)
    run(Time(), watched, timeout=4.70151)
    assert "is still running after 5 s (" in str(watched.error)


def test_a_wait_that_was_over_before_it_began() -> None:
    watched, dummy = watch(Time(), RUNNING)
    run(Time(), watched, timeout=-0.3)
    assert "is still running after 0 s (" in str(watched.error)


def test_what_cannot_be_read_any_more_is_not_said_to_run() -> None:
    time = Time()
    watched, dummy = watch(time, RUNNING, TransportError("The connection broke."))
    run(time, watched, timeout=30.0)
    assert str(watched.error).startswith(
        "Restore cannot be read any more after 30 s (The connection broke.); "
        "its last known status is restoring. It was not"
    )
    watched, dummy = watch(time, TransportError("The connection broke."), RUNNING)
    run(time, watched, timeout=30.0)
    assert str(watched.error).startswith("Restore is still running after 30 s (last status: restoring).")


def test_the_advice_is_that_of_the_operation() -> None:
    for answers in ([RUNNING], [RUNNING, api_error(400)]):
        time = Time()
        watched, dummy = watch(time, *answers)
        watched.resume = "run the task again with job_id=j to attach to the job"
        run(time, watched, timeout=30.0)
        assert "nothing was repeated: run the task again with job_id=j to attach to the job" in str(
            watched.error
        )


def test_an_end_seen_at_the_deadline_is_confirmed_there() -> None:
    time = Time()
    watched, looks = watch(time, DONE)
    run(time, watched, timeout=0.0)
    assert watched.error is None and len(looks) == 2

    watched, dummy = watch(time, DONE, RUNNING)
    run(time, watched, timeout=0.0)
    assert isinstance(watched.error, WaitTimeout)


def test_an_unknown_status_is_waited_for_and_reported() -> None:
    watched, dummy = watch(Time(), Status("running", "RESTORING2"))
    run(Time(), watched)
    assert isinstance(watched.error, WaitTimeout)
    assert "RESTORING2" in str(watched.error)


def test_reads_may_fail_for_a_while() -> None:
    time = Time()
    watched, dummy = watch(
        time,
        BROKEN,
        api_error(503, definite=False),
        RUNNING,
        ProtocolError("x"),
        DONE,
        BROKEN,
        DONE,
    )
    run(time, watched)
    assert watched.error is None and watched.last == DONE


def test_reads_may_fail_until_the_deadline() -> None:
    time = Time()
    watched, looks = watch(time, BROKEN)
    run(time, watched)
    assert isinstance(watched.error, WaitTimeout)
    assert str(watched.error).startswith(
        f"Restore could not be seen within 100 s ({BROKEN}). It was not stopped, and nothing was repeated: "
    )
    assert len(looks) == 11


def test_what_was_never_there_is_reported_with_the_reason() -> None:
    watched, dummy = watch(Time(), GONE)
    run(Time(), watched, timeout=20)
    assert isinstance(watched.error, WaitTimeout) and watched.trouble is GONE
    assert str(watched.error).startswith(f"Restore could not be seen within 20 s ({GONE}). ")


@pytest.mark.parametrize(
    ("status", "keys"), [(401, "with working credentials "), (403, "with working credentials "), (400, "")]
)
def test_an_error_that_stays_ends_the_wait_but_not_the_operation(status: int, keys: str) -> None:
    time, error = Time(), api_error(status, message=f"HTTP {status}.")
    text = str(error)
    watched, looks = watch(time, RUNNING, error)
    run(time, watched)
    assert watched.error is not error and str(error) == text, "an error is not changed on its way"
    assert len(looks) == 2
    assert str(watched.error) == (
        f"Waiting for Restore stopped: {text} When last seen it was still running. It was not stopped, "
        f"and nothing was repeated: {keys}run the task again to attach to it."
    )
    details = watched.error.details() if watched.error else {}
    assert details["changed"] is True and details["restore_id"] == "r" and details["status"] == "restoring"


def test_what_was_never_seen_is_not_said_to_have_been_seen() -> None:
    time = Time()
    watched, dummy = watch(time, api_error(400, message="HTTP 400."))
    run(time, watched)
    assert " It was accepted and is probably still running. " in str(watched.error)


def test_the_seconds_waited_are_reported_in_tenths() -> None:
    watched, dummy = watch(Time(), RUNNING)
    run(Time(), watched, timeout=3.14159)
    assert watched.error is not None and watched.error.details()["elapsed"] == 3.1


def test_a_record_may_be_missing_for_a_minute() -> None:
    time = Time()
    watched, looks = watch(time, RUNNING, *[GONE] * 5, DONE)
    run(time, watched, timeout=1000.0)
    assert watched.error is None
    assert looks[-3] < VANISHED

    time = Time()
    watched, looks = watch(time, RUNNING, GONE)
    run(time, watched, timeout=1000.0)
    assert isinstance(watched.error, OutcomeUnknown)
    assert looks[-2] < VANISHED <= looks[-1] < VANISHED + 10


@pytest.mark.parametrize(
    ("before", "looks", "what"),
    [
        ([], 7, "was accepted, but cannot be seen yet"),
        ([RUNNING], 3, "can no longer be found"),
        ([RUNNING] * 4, 6, "can no longer be found"),
    ],
)
def test_how_long_a_record_may_be_missing(before: list[Status], looks: int, what: str) -> None:
    """180 s before it was ever seen, 60 s after it was seen last."""
    time = Time()
    watched, times = watch(time, *before, GONE)
    run(time, watched, timeout=1000.0, interval=30.0)
    assert times == [30.0 * number for number in range(looks)]
    assert isinstance(watched.error, OutcomeUnknown)
    assert str(watched.error) == (
        f"Restore {what}: Not among the records. Nothing was repeated. Check the instance before you do "
        "anything else. When its record is listed, run the task again to attach to it."
    )
    assert watched.error.details()["restore_id"] == "r"


def test_the_interval_varies_so_that_a_fleet_does_not_poll_in_step() -> None:
    for chance in (0.0, 0.5, 0.999):
        time = Time(random=chance)
        watched, looks = watch(time, RUNNING)
        run(time, watched)
        *gaps, last = (round(b - a, 6) for a, b in itertools.pairwise(looks))
        assert set(gaps) == {round(10.0 + chance * 2, 6)}
        assert looks[-1] == 100.0 and last <= gaps[0]


def test_the_last_observation_is_at_the_deadline() -> None:
    time = Time()
    watched, looks = watch(time, RUNNING, DONE)
    run(time, watched, timeout=8)
    assert (looks, watched.error, watched.done) == ([0.0, 8.0, 8.0], None, True)


def test_many_are_waited_for_at_once() -> None:
    time = Time()
    quick, dummy = watch(time, DONE, name="quick")
    slow, looks = watch(time, *[RUNNING] * 5, DONE, name="slow")
    failing, dummy = watch(time, RUNNING, FAILED, name="failing")
    stuck, dummy = watch(time, RUNNING, name="stuck")
    run(time, quick, slow, failing, stuck)
    assert [type(w.error) for w in (quick, slow, failing, stuck)] == [
        type(None),
        type(None),
        OperationFailed,
        WaitTimeout,
    ]
    assert quick.elapsed == 2.0
    assert len(looks) == 7
    assert time.passed == 100.0


words = st.sampled_from(
    [RUNNING, DONE, FAILED, BROKEN, GONE, Status("running", None), Status("running", "odd")]
)


@given(
    st.lists(st.lists(words, min_size=1, max_size=12), min_size=1, max_size=3),
    st.integers(0, 300),
    st.integers(1, 60),
    st.floats(0, 0.999),
)
def test_every_wait_ends_in_time_and_only_on_evidence(
    scripts: list[list[Any]], timeout: int, interval: int, chance: float
) -> None:
    time = Time(random=chance)
    watched = [watch(time, *script) for script in scripts]
    run(time, *[one for one, dummy in watched], timeout=timeout, interval=interval)
    assert time.passed <= timeout + 1e-6
    for (one, looks), script in zip(watched, scripts, strict=True):
        assert one.done
        said = [script[min(number, len(script) - 1)] for number in range(len(looks))]
        statuses = [word for word in said if isinstance(word, Status)]
        if one.error is None or isinstance(one.error, OperationFailed):
            assert len(statuses) >= 2 and statuses[-1].state == statuses[-2].state != "running"
        elif isinstance(one.error, OutcomeUnknown):
            assert said[-1] is GONE
        else:
            assert isinstance(one.error, WaitTimeout)
            assert time.passed == pytest.approx(timeout)


# Many, in one task


@pytest.mark.parametrize(("timeout", "deadline"), [(0, None), (50, 1050.0)])
def test_a_read_without_a_time_to_wait_has_its_own(timeout: float, deadline: float | None) -> None:
    time, bounds = Time(), list[Any]()
    one, dummy = cloud([], time)

    def of_row(own: Any, row: Any) -> Watch:
        def look() -> Status:
            bounds.append(own.session.deadline)
            return DONE

        return Watch("Restore", {}, look)

    (found,) = wait_for_all.wait_for_all(one, [{}], of_row, timeout, 5)
    assert found.done and set(bounds) == {deadline}


@pytest.mark.parametrize(("rows", "shown"), [(8, [0.0, 0.2, 0.4, 0.6, 0.8]), (9, [0.0, 0.6, 0.8])])
def test_the_progress_of_many_is_shown_twice_a_second_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch, rows: int, shown: list[float]
) -> None:
    monkeypatch.setattr(wait_for_all, "THREADS", 1)
    time, seen = Time(), list[float]()
    one, dummy = cloud([], time)
    monkeypatch.setattr(one, "progress", lambda watches: seen.append(round(time.passed, 1)))
    script = [RUNNING, RUNNING, RUNNING, DONE]
    wait_for_all.wait_for_all(one, [{}] * rows, lambda own, row: watch(time, *script)[0], 60, 0.2)
    assert seen == shown
