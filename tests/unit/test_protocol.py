# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The at-most-once protocol: each arrow of its diagram, and random clouds that must not start twice."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Limit
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    Busy,
    CloudError,
    NotFound,
    NotStarted,
    OutcomeUnknown,
    ProtocolError,
    TlsError,
    TransportError,
    WaitTimeout,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import STALE, Reply
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.age import CLOUD_SKEW
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.marker import (
    MARKER_LENGTH,
    OF_RUN,
    is_marked,
    is_of_task,
    marker,
    marker_of_run,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.operation import (
    Observation,
    Operation,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.protocol import (
    BUSY_WINDOW,
    FRESH,
    RESTLESS,
    WINDOW,
    Started,
    decide,
    fate,
    start,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.run import (
    plan,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.run import (
    run as run_to_the_end,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.search import find_effects
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.waiter import Status, Watch

from .fakes import NOW, NOW_MS, Time, api_error

QUIET = Observation(state="quiet")
OTHERS = Observation(blocked="restore x of another backup is restoring", state="others")
UNCLEAR = Observation(blocked="the instance is RESTORING, not RUNNING", explained=False, state="unclear")
MINE = Observation(running=("mine",), own=frozenset({"mine"}), records={"mine": {}}, state="mine")
LOST = TransportError("The connection broke.")
NOT_SENT = TransportError("No connection.", sent=False)
ACCEPTED = Reply(200, {"restore_id": "mine"}, {}, "req")


def api(
    status: int, code: str | None = None, definite: bool = True, retry_after: float | None = None
) -> ApiError:
    return api_error(status, code, definite, retry_after, f"POST returned HTTP {status} {code}.")


BUSY_CODE = api(400, "DCS.4097")
THROTTLED = api(429, "APIGW.0308", retry_after=5.0)
UNAUTHORIZED = api(401, "APIGW.0307")
REFUSED = api(400, "DCS.4087")


class Changeable(Operation):
    """An operation whose attributes a test may set."""

    __setattr__ = object.__setattr__


class Script(Changeable):
    """An Operation whose observations and responses the test gives; the last of each is repeated."""

    name = "Restore of backup b to DCS instance i"
    record_key = "restore"

    def __init__(
        self,
        looks: Iterable[Observation | CloudError],
        posts: Iterable[Reply | CloudError] = (),
        id_key: str = "restore_id",
        states: Iterable[str] = ("running",),
    ) -> None:
        self.looks, self.posts, self.states = list(looks), list(posts), list(states)
        vars(self).update(id_key=id_key, marked=id_key != "job_id")
        self.log: list[str] = []

    def observe(self) -> Observation:
        self.log.append("observe")
        word = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(word, CloudError):
            raise word
        return word

    def post(self) -> Reply:
        self.log.append("post")
        word = self.posts.pop(0) if len(self.posts) > 1 else self.posts[0]
        if isinstance(word, CloudError):
            raise word
        return word

    def watch(self, found: str) -> Watch:
        def observe() -> Status:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return Status(state, state, None, {self.id_key: found})

        return Watch(self.name, {self.id_key: found}, observe)

    @property
    def sent(self) -> int:
        return self.log.count("post")


class Slow(Script):
    """Each observation takes as long as the test says."""

    def __init__(self, time: Time, seconds: list[float], *script: Any) -> None:
        super().__init__(*script)
        self.time, self.seconds = time, seconds

    def observe(self) -> Observation:
        self.time.passed += self.seconds.pop(0) if self.seconds else 0.0
        return super().observe()


def cloud_at(
    time: Time, max_retries: int | None = 5, renews: int = 0, region: str | None = "ap-southeast-3"
) -> Any:
    left = [renews]

    def renew() -> bool:
        left[0] -= 1
        return left[0] >= 0

    return SimpleNamespace(
        clock=time.clock,
        now_ms=lambda: int(time.clock.now() * 1000),
        session=SimpleNamespace(deadline=None, server_now=time.clock.now, not_after=Limit(time.clock, STALE)),
        settings={} if max_retries is None else {"max_retries": max_retries},
        renew=renew,
        region=region,
        progress=lambda now: None,
    )


def run(
    operation: Script,
    planned: Observation = QUIET,
    timeout: float = 1800.0,
    time: Time | None = None,
    **cloud: Any,
) -> Started:
    return start(operation, planned, cloud_at(time or Time(), **cloud), timeout)


# The pure decisions


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (Observation(), "send"),
        (Observation(running=("a",)), "adopt"),
        (Observation(running=("a",), blocked="busy", done="b"), "adopt"),
        (Observation(done="b"), "unchanged"),
        (Observation(done="b", blocked="busy"), "unchanged"),
        (Observation(blocked="busy"), "refuse"),
        (Observation(blocked="busy", explained=False), "refuse"),
        (Observation(own=frozenset({"old"}), records={"old": {}}), "send"),
    ],
)
def test_decide(seen: Observation, step: str) -> None:
    assert decide(seen) == step


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (TransportError("x", sent=False), "not_sent"),
        (TlsError("x", sent=False), "not_sent"),
        (TransportError("x"), "unknown"),
        (TlsError("x"), "unknown"),
        (ProtocolError("x"), "unknown"),
        (CloudError("x"), "unknown"),
        (api(429, "APIGW.0308"), "later"),
        (api(401, "APIGW.0301"), "later"),
        (api(429, None, definite=False), "unknown"),
        (api(401, None, definite=False), "unknown"),
        (api(400, "DCS.4087"), "refused"),
        (api(404, "DCS.3022"), "refused"),
        (api(403, "DCS.2003"), "refused"),
        (api(403, None, definite=False), "unknown"),
        (api(400, "DCS.4097"), "busy"),
        (api(409, "DBS.200019"), "busy"),
        (api(409, None, definite=False), "unknown"),
        (api(500, "DCS.5000", definite=False), "unknown"),
        (api(502, None, definite=False), "unknown"),
        (api(408, None, definite=False), "unknown"),
        (api(302, None, definite=False), "unknown"),
    ],
)
def test_fate(error: CloudError, meaning: str) -> None:
    assert fate(error) == meaning


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (Observation(), Observation(), ()),
        (Observation(), Observation(own=frozenset({"a"})), ("a",)),
        (Observation(records={"a": {}}), Observation(own=frozenset({"a"})), ()),
        (Observation(records={"a": {}}), Observation(own=frozenset({"a", "b"}), running=("c",)), ("b",)),
        (Observation(), Observation(running=("c",)), ("c",)),
        (Observation(), Observation(own=frozenset({"b", "a"})), ("a", "b")),
        (Observation(), Observation(possible=frozenset({"p"})), ()),
        (Observation(), Observation(likely=frozenset({"l"})), ("l",)),
        (Observation(records={"l": {}}), Observation(likely=frozenset({"l"}), running=("c",)), ("c",)),
        (Observation(), Observation(own=frozenset({"a"}), likely=frozenset({"a", "l"})), ("a",)),
        (Observation(), Observation(likely=frozenset({"l"}), possible=frozenset({"p"})), ("l", "p")),
        (Observation(), Observation(own=frozenset({"a"}), possible=frozenset({"p"})), ("a", "p")),
        (
            Observation(records={"p": {}}),
            Observation(own=frozenset({"a"}), possible=frozenset({"p"})),
            ("a",),
        ),
    ],
)
def test_effect(before: Observation, now: Observation, found: tuple[str, ...]) -> None:
    assert find_effects(before, now, now, NOW) == found


def test_a_likely_effect_is_believed_when_two_observations_show_no_certain_one() -> None:
    """A list can leave out the restore once, and show only what the cloud does beside it."""
    beside = Observation(blocked="restoring", likely=frozenset({"l"}), created={"l": NOW_MS}, state="l")
    both = Observation(blocked="restoring", likely=frozenset({"l"}), own=frozenset({"a"}), state="both")
    assert run(Script([QUIET, beside, both], [LOST], "job_id")).id == "a"
    assert run(Script([QUIET, beside, beside], [LOST], "job_id")).id == "l"


@pytest.mark.parametrize(
    ("created", "found"),
    [
        (None, ("a",)),  # a time that cannot be read proves nothing
        (NOW_MS, ("a",)),
        (NOW_MS - CLOUD_SKEW, ("a",)),  # two clocks of the cloud differ
        (NOW_MS - CLOUD_SKEW - 1, ()),
        (NOW_MS - 20 * 86_400_000, ()),
        (0, ()),
    ],
)
def test_what_was_created_before_the_request_was_sent_is_not_its_effect(
    created: int | None, found: tuple[str, ...]
) -> None:
    """A list can leave out an old record before the request, and show it after it."""
    now = Observation(own=frozenset({"a"}), created={"a": created})
    assert find_effects(Observation(), now, now, NOW) == found


def test_an_old_job_that_a_list_has_left_out_is_not_adopted() -> None:
    old = Observation(own=frozenset({"old"}), created={"old": NOW_MS - 20 * 86_400_000}, state="old")
    with pytest.raises(OutcomeUnknown):
        run(Script([QUIET, old], [LOST]))


def test_a_record_is_dated_by_the_clock_of_the_cloud() -> None:
    """This machine's clock may be a day ahead of it."""
    time = Time()
    mine = Observation(own=frozenset({"mine"}), created={"mine": NOW_MS - 86_400_000}, state="mine")
    cloud = cloud_at(time)
    cloud.session.server_now = lambda: time.clock.now() - 86_400
    assert start(Script([QUIET, mine], [LOST]), QUIET, cloud, 60.0).id == "mine"


def test_the_marker_depends_on_the_operation_and_on_nothing_else() -> None:
    same = {"service": "dcs.restore", "project": "p", "instance": "i", "backup": "b", "operation_id": None}
    assert marker(**same) == marker(**dict(reversed(same.items())))
    assert marker(**same) == "[rst1:" + marker(**same)[6:32] + "]"
    assert len(" " + marker(**same)) == MARKER_LENGTH
    assert len({marker(**{**same, name: "other"}) for name in same} | {marker(**same)}) == len(same) + 1


def test_a_marker_stays_what_it_is() -> None:
    """A later version must find what an earlier one has started."""
    operation = {
        "service": "dcs.restore",
        "project": "p",
        "instance": "i",
        "backup": "b",
        "operation_id": "CHG-\u00fc",
    }
    assert marker(**operation) == "[rst1:NP525ZDIGMZP7BIQVBPH567TGI]"
    # the same text, as the file systems of Apple write it
    assert marker(**{**operation, "operation_id": "CHG-u\u0308"}) == marker(**operation)


def test_each_run_can_have_a_marker_of_its_own() -> None:
    task, other = marker(instance="i"), marker(instance="j")
    one, two = marker_of_run(task, 0.25), marker_of_run(task, 0.75)
    assert len({task, one, two}) == 3 and len({len(task), len(one), len(two)}) == 1
    assert all(is_of_task(f"before the release {mark}", one) for mark in (task, one, two))
    assert marker_of_run(other, 0.25)[-OF_RUN:] != one[-OF_RUN:]
    wrong = (marker_of_run(other, 0.25), one[:-1], f"{two} ", one.lower(), two.replace("]", "x"), "", None)
    assert not any(is_of_task(remark, one) for remark in wrong)


def test_a_whole_marker_at_the_end_of_a_remark_marks_it() -> None:
    mark = marker(instance="i1")
    assert is_marked(mark)
    assert is_marked(f"before the release {mark}")
    wrong = (f"{mark} ", f"{mark}\n", mark[:-1], mark[2:], mark.lower(), mark.upper(), "release", "", None)
    assert not any(map(is_marked, wrong))


# Preflight


def test_accepted_at_once() -> None:
    operation = Script([QUIET], [ACCEPTED])
    assert run(operation) == Started("mine", adopted=False)
    assert operation.log == ["observe", "post"]


def test_a_running_one_is_adopted() -> None:
    operation = Script([MINE])
    assert run(operation) == Started("mine", adopted=True)
    assert operation.log == ["observe"]


@pytest.mark.parametrize(("age", "sent"), [(59.0, 1), (61.0, 0)])
def test_an_old_plan_does_not_confirm_that_a_record_is_absent(age: float, sent: int) -> None:
    """A restore may have begun and ended since, and a list may leave its record out once."""
    time, operation = Time(), Script([QUIET, Observation(done="mine", state="done")], [ACCEPTED])
    params = {"wait": False, "wait_timeout": 1800, "poll_interval": 10}
    made = plan(operation, QUIET, cloud_at(time), params, {}, {})
    time.passed += age
    assert made.apply is not None
    assert (made.apply()["adopted"], operation.sent) == (not sent, sent)


def test_what_became_done_since_the_plan_is_not_done_again() -> None:
    record = {"status": "succeed"}
    operation = Script([Observation(done="mine", state="done", records={"mine": record})])
    found = run(operation)
    assert found == Started("mine", adopted=True) and found.record == record
    assert operation.sent == 0


@pytest.mark.parametrize("blocked", [OTHERS, UNCLEAR])
def test_what_is_busy_is_refused(blocked: Observation) -> None:
    operation = Script([blocked])
    with pytest.raises(Busy) as caught:
        run(operation)
    assert str(caught.value) == (
        f"{operation.name} was not started: {blocked.blocked}. "
        "Run the task again when that has ended. Nothing was started."
    )
    assert operation.sent == 0
    assert caught.value.details() == {"error_kind": "busy", "changed": False}


def test_absence_is_believed_only_after_two_equal_observations() -> None:
    operation = Script([Observation(state="other"), Observation(state="other")], [ACCEPTED])
    run(operation)
    assert operation.log == ["observe", "observe", "post"]


def test_records_that_keep_changing_start_nothing() -> None:
    operation = Script([Observation(state=number) for number in range(100)], [ACCEPTED])
    with pytest.raises(Busy) as caught:
        run(operation)
    assert str(caught.value) == (
        f"{operation.name}: the records of the instance keep changing, or the cloud returns them too slowly. "
        "Run the task again when nothing else works on the instance. Nothing was started."
    )
    assert operation.log == ["observe"] * RESTLESS


@pytest.mark.parametrize(
    ("planned", "observed", "left"), [(0.0, 20.0, 40.0), (30.0, 20.0, 10.0), (41.0, 20.0, 20.0)]
)
def test_a_request_may_leave_for_a_minute_after_the_first_observation_that_allowed_it_began(
    planned: float, observed: float, left: float
) -> None:
    """A restore may begin and end between the two. When the first is too old, there is a third."""
    time = Time()
    operation, cloud = Slow(time, [observed, observed], [QUIET], [ACCEPTED]), cloud_at(time)
    time.passed += planned
    start(operation, QUIET, cloud, 1800)
    assert cloud.session.not_after.left() == left
    time.passed += STALE
    assert cloud.session.not_after.over()


def test_an_observation_from_before_a_pause_does_not_confirm_that_a_record_is_absent() -> None:
    time = Time()
    throttled = api(429, "APIGW.0308", retry_after=STALE)
    operation = Slow(time, [1.0], [QUIET], [throttled, ACCEPTED])
    run(operation, time=time)
    assert operation.log == ["observe", "post", "observe", "observe", "post"]


def test_an_observation_is_believed_for_half_a_minute() -> None:
    time = Time()
    operation = Slow(time, [FRESH], [QUIET], [ACCEPTED])
    run(operation, time=time)
    assert operation.log == ["observe", "post"]

    operation = Slow(time, [FRESH + 0.5, FRESH + 0.5], [QUIET], [ACCEPTED])
    run(operation, time=time)
    assert operation.log == ["observe", "observe", "observe", "post"]

    operation = Slow(time, [FRESH + 0.5] * RESTLESS, [QUIET], [ACCEPTED])
    with pytest.raises(Busy, match="returns them too slowly"):
        run(operation, time=time)
    assert operation.sent == 0


def test_of_several_running_operations_none_is_adopted() -> None:
    operation = Script([Observation(running=("a", "b"))])
    with pytest.raises(
        OutcomeUnknown, match=r"the cloud lists 2 operations that match it \(a, b\)"
    ) as caught:
        run(operation)
    facts = caught.value.details()
    assert (facts["error_kind"], facts["changed"]) == ("duplicate_detected", False), "nothing was sent"
    assert str(caught.value).endswith(
        "but only one was expected. Nothing was repeated. "
        "Wait until they have ended, and check the instance in the console."
    )
    assert operation.sent == 0


@pytest.mark.parametrize("error", [api(404, "DCS.3022"), TransportError("x"), ProtocolError("x")])
def test_a_preflight_that_cannot_read_sends_nothing(error: CloudError) -> None:
    operation = Script([error])
    with pytest.raises(CloudError) as caught:
        run(operation)
    assert caught.value is error
    assert operation.sent == 0


# Send: what may be sent again


def test_what_was_never_sent_is_sent_again_after_a_new_observation() -> None:
    time = Time()
    operation = Script([QUIET], [NOT_SENT, NOT_SENT, ACCEPTED])
    assert run(operation, time=time) == Started("mine", adopted=False)
    assert operation.log == ["observe", "post"] * 3
    assert time.slept == [0.25, 0.5]


@pytest.mark.parametrize(("max_retries", "tries"), [(0, 1), (2, 3), (5, 6), (None, 6)])
def test_tries_without_a_connection_are_counted(max_retries: int | None, tries: int) -> None:
    operation = Script([QUIET], [TransportError("No connection.", sent=False, host="dcs")])
    with pytest.raises(
        NotStarted, match=f"was not started: No connection. The request could not be sent in {tries} tries"
    ) as caught:
        run(operation, max_retries=max_retries)
    assert str(caught.value).endswith(" tries. Run the task again when the cloud can be reached.")
    assert operation.sent == tries
    assert caught.value.details() == {"error_kind": "not_started", "changed": False, "host": "dcs"}


def test_no_try_begins_at_the_deadline() -> None:
    operation = Script([QUIET], [NOT_SENT])
    with pytest.raises(NotStarted):
        run(operation, timeout=0.25)  # the pause would end there
    assert operation.sent == 1


@pytest.mark.parametrize(
    ("error", "posted"), [(NOT_SENT, False), (THROTTLED, False), (LOST, True), (BUSY_CODE, True)]
)
def test_a_post_that_certainly_had_no_effect_does_not_count(error: CloudError, posted: bool) -> None:
    """So the message of a later failure can say that nothing was started."""
    cloud = cloud_at(Time())
    cloud.may_have_changed = True
    with pytest.raises(ApiError if not posted else OutcomeUnknown):
        start(Script([QUIET, api(403, "DCS.2003")], [error]), QUIET, cloud, 60.0)
    assert cloud.may_have_changed is posted


def test_tries_without_a_connection_end_at_the_deadline() -> None:
    time = Time()
    operation = Script([QUIET], [NOT_SENT])
    with pytest.raises(NotStarted):
        run(operation, time=time, timeout=10.0, max_retries=999)
    assert time.passed < 10.0


def test_a_bad_certificate_is_not_tried_again() -> None:
    operation = Script([QUIET], [TlsError("The certificate was not accepted.", sent=False)])
    with pytest.raises(TlsError, match="was not started: The certificate") as caught:
        run(operation)
    assert operation.sent == 1
    assert caught.value.details() == {"error_kind": "tls_error", "changed": False}


def test_throttled_means_later_after_a_new_observation() -> None:
    time = Time()
    operation = Script([QUIET], [THROTTLED, ACCEPTED])
    assert run(operation, time=time) == Started("mine", adopted=False)
    assert operation.log == ["observe", "post", "observe", "post"]
    assert time.slept == [5.0]


def test_throttled_for_ever() -> None:
    operation = Script([QUIET], [api(429, "APIGW.0308", retry_after=1.0)])
    with pytest.raises(ApiError, match="was not started") as caught:
        run(operation, max_retries=3)
    assert operation.sent == 4
    assert caught.value.details()["error_kind"] == "throttled"
    assert caught.value.details()["changed"] is False


def test_what_happens_during_the_pause_is_seen() -> None:
    for throttled in (THROTTLED, NOT_SENT):
        operation = Script([QUIET, MINE], [throttled])
        assert run(operation) == Started("mine", adopted=True)
        assert operation.sent == 1
        operation = Script([QUIET, OTHERS], [throttled])
        with pytest.raises(Busy):
            run(operation)
        assert operation.sent == 1


def test_an_expired_token_is_renewed_once() -> None:
    operation = Script([QUIET], [UNAUTHORIZED, ACCEPTED])
    assert run(operation, renews=9) == Started("mine", adopted=False)
    assert operation.log == ["observe", "post", "observe", "post"]

    operation = Script([QUIET], [UNAUTHORIZED])
    with pytest.raises(ApiError, match="was not started") as caught:
        run(operation, renews=9)
    assert operation.sent == 2
    assert caught.value.details()["error_kind"] == "auth_failed"


def test_keys_that_cannot_be_renewed_are_not_tried_twice() -> None:
    operation = Script([QUIET], [UNAUTHORIZED])
    with pytest.raises(ApiError):
        run(operation)
    assert operation.sent == 1


def test_a_definite_refusal_changes_nothing() -> None:
    operation = Script([QUIET], [REFUSED])
    with pytest.raises(
        ApiError,
        match=r"Restore of backup b .* was not started: POST returned HTTP 400 DCS.4087. Nothing was changed",
    ) as caught:
        run(operation)
    assert operation.log == ["observe", "post"]
    assert caught.value.note == "Nothing was changed."
    assert caught.value.details() == {
        "error_kind": "not_restorable",
        "changed": False,
        "http_status": 400,
        "error_code": "DCS.4087",
    }


def test_a_refusal_is_not_sent_again_whatever_its_status() -> None:
    operation = Script([QUIET], [api(429, "DCS.4087"), ACCEPTED])
    with pytest.raises(ApiError, match="Nothing was changed"):
        run(operation)
    assert operation.sent == 1


# Reconcile: a response was lost, nothing is sent again

AMBIGUOUS: list[Reply | CloudError] = [
    LOST,
    api(500, "DCS.5000", definite=False),
    api(502, None, definite=False),
    api(429, None, definite=False),
    api(403, None, definite=False),
    api(302, None, definite=False),
    ProtocolError("not usable JSON"),
    Reply(200, {}, {}, None),
    Reply(200, {"restore_id": 7}, {}, None),
    Reply(200, None, {}, None),
    Reply(204, None, {}, None),
    Reply(202, ["restore_id"], {}, None),
]


@pytest.mark.parametrize("response", AMBIGUOUS, ids=repr)
def test_the_effect_of_a_lost_response_is_found_and_adopted(response: Reply | CloudError) -> None:
    for late in range(5):
        operation = Script([QUIET, *[QUIET] * late, MINE], [response])
        assert run(operation) == Started("mine", adopted=True)
        assert operation.log == ["observe", "post", *["observe"] * (late + 1)]


@pytest.mark.parametrize("response", AMBIGUOUS, ids=repr)
def test_a_lost_response_without_a_trace_is_unknown(response: Reply | CloudError) -> None:
    time = Time()
    operation = Script([QUIET], [response])
    with pytest.raises(
        OutcomeUnknown,
        match=r"Nothing was repeated. Safe next steps: run the same task again.*or check the instance",
    ) as caught:
        run(operation, time=time)
    details = caught.value.details()
    assert operation.sent == 1
    assert WINDOW <= time.passed <= WINDOW + 10
    assert max(time.slept) <= 10.0
    assert details["error_kind"] == "outcome_unknown" and details["changed"] is True
    assert details["sent_at"] == "2026-05-28T20:26:40.000Z"
    assert details["checks"] == operation.log.count("observe") - 1


def test_an_id_that_was_there_before_the_request_is_not_what_it_started() -> None:
    """Its record has ended well, so that the task would be green with nothing restored."""
    past = Observation(records={"old": {}}, created={"old": 1}, state="past")
    operation = Script([past], [Reply(200, {"restore_id": "old"}, {}, None)], states=["succeeded"])
    with pytest.raises(OutcomeUnknown, match="returned HTTP 200 without a new and valid restore_id"):
        run(operation)
    found = dataclasses.replace(
        past, records={"old": {}, "new": {}}, own=frozenset({"new"}), running=("new",)
    )
    operation = Script([past, past, found], [Reply(200, {"restore_id": "old"}, {}, None)])
    assert run(operation) == Started("new", adopted=True) and operation.sent == 1


@pytest.mark.parametrize(
    ("region", "console"),
    [("ap-southeast-3", "the console of region ap-southeast-3."), (None, "the console.")],
)
def test_what_is_unknown_is_reported_in_full(region: str | None, console: str) -> None:
    told = {"error_code": "DCS.4999", "error_msg": "queued"}
    operation = Script([QUIET], [Reply(202, told, {}, "req-7")])
    with pytest.raises(OutcomeUnknown) as caught:
        run(operation, region=region)
    details = caught.value.details()
    assert (details["http_status"], details["request_id"]) == (202, "req-7")
    assert str(caught.value) == (
        f"{operation.name}: the request was sent at 2026-05-28T20:26:40.000Z, "
        "no conclusive response was received (it returned HTTP 202 without a new and valid restore_id "
        "(DCS.4999: queued)), "
        f"and no matching record appeared in {details['checks']} checks. The cloud may have "
        "accepted it anyway. Nothing was repeated. "
        "Safe next steps: run the same task again in 5 minutes: it attaches to what it finds, and starts "
        f"a new operation only when it finds none; or check the instance's records in {console}"
    )


@pytest.mark.parametrize(("words", "shown"), [("No answer.", "(No answer)"), ("X. No", "(X. No)")])
def test_the_cause_is_in_brackets_without_its_full_stop(words: str, shown: str) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        run(Script([QUIET], [TransportError(words)]))
    assert f"no conclusive response was received {shown}, and" in str(caught.value)


@pytest.mark.parametrize("response", [LOST, BUSY_CODE, Reply(200, {}, {}, None)], ids=repr)
def test_progress_says_that_the_search_has_begun(response: Reply | CloudError) -> None:
    shown: list[tuple[str, dict[str, str], Status, int]] = []
    cloud, operation = cloud_at(Time()), Script([QUIET, MINE], [response])
    cloud.progress = lambda watches: shown.extend(
        (watch.name, watch.ids, watch.observe(), len(operation.log)) for watch in watches
    )
    start(operation, QUIET, cloud, 60.0)
    assert shown == [(operation.name, {}, Status("running", None), 2)], (
        "once, after the POST and before the first observation; it has no ID yet"
    )


def test_nothing_is_searched_for_after_a_conclusive_response() -> None:
    for response in (ACCEPTED, REFUSED):
        cloud = cloud_at(Time())
        cloud.progress = None
        with contextlib.suppress(ApiError):
            start(Script([QUIET], [response]), QUIET, cloud, 60.0)


def test_the_search_observes_often_at_first() -> None:
    time = Time()
    with pytest.raises(OutcomeUnknown):
        run(Script([QUIET], [LOST]), time=time)
    assert time.slept[:4] == [0.5, 0.75, 1.125, 1.6875]
    assert time.slept[-1] == 10.0


def test_the_search_ends_with_its_window() -> None:
    time = Time()
    operation = Slow(time, [0.0, WINDOW], [QUIET], [LOST])
    with pytest.raises(OutcomeUnknown):
        run(operation, time=time)
    assert time.passed == WINDOW


def test_while_the_instance_is_at_work_the_search_goes_on_to_the_deadline() -> None:
    time = Time()
    operation = Script([QUIET, UNCLEAR], [LOST])
    with pytest.raises(OutcomeUnknown):
        run(operation, time=time, timeout=1000.0)
    assert time.passed == pytest.approx(1000.0)

    operation = Script([QUIET, *[UNCLEAR] * 40, MINE], [LOST])
    assert run(operation, timeout=1000.0).adopted


def test_what_the_last_check_showed_is_reported() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        run(Script([QUIET, UNCLEAR], [LOST]), timeout=100.0)
    assert "checks; the last check showed that the instance is RESTORING, not RUNNING. The cloud may" in str(
        caught.value
    )


# A refusal that says what is missing


class Amendable(Script):
    """An operation with another form of its request, which is sent once if the first one is refused."""

    amendments = 1

    def amended(self, error: CloudError) -> Operation | None:
        assert error is REFUSED
        self.amendments -= 1
        return self if self.amendments >= 0 else None


def test_what_is_plainly_refused_is_sent_once_more_in_another_form() -> None:
    operation = Amendable([QUIET], [REFUSED, ACCEPTED])
    assert run(operation) == Started("mine", adopted=False)
    assert operation.log == ["observe", "post", "observe", "post"], "through the same preflight"

    operation = Amendable([QUIET], [REFUSED])
    with pytest.raises(ApiError, match="was not started"):
        run(operation)
    assert operation.sent == 2

    operation = Amendable([QUIET, OTHERS], [REFUSED])
    with pytest.raises(Busy):
        run(operation)
    assert operation.sent == 1


@pytest.mark.parametrize("response", [LOST, api(500, "DCS.5000", definite=False), BUSY_CODE], ids=repr)
def test_only_a_plain_refusal_is_followed_by_another_form(response: CloudError) -> None:
    operation = Amendable([QUIET], [response, ACCEPTED])
    with pytest.raises((OutcomeUnknown, Busy)):
        run(operation)
    assert operation.sent == 1 and operation.amendments == 1


def test_the_search_ends_at_the_deadline() -> None:
    time = Time()
    operation = Script([QUIET], [LOST])
    with pytest.raises(OutcomeUnknown):
        run(operation, time=time, timeout=20.0)
    assert time.passed == pytest.approx(20.0)


def test_the_search_bears_reads_that_fail_for_a_while() -> None:
    operation = Script([QUIET, LOST, api(503, None), ProtocolError("x"), MINE], [LOST])
    assert run(operation) == Started("mine", adopted=True)

    operation = Script([QUIET, LOST], [LOST])
    with pytest.raises(OutcomeUnknown, match="in 0 checks"):
        run(operation)


def test_a_search_that_cannot_go_on_is_unknown_too() -> None:
    operation = Script([QUIET, QUIET, api(403, "DCS.2003")], [LOST])
    with pytest.raises(
        OutcomeUnknown, match=r"in 1 check\. The search failed: POST returned HTTP 403"
    ) as caught:
        run(operation)
    assert caught.value.details()["changed"] is True
    assert operation.sent == 1


@pytest.mark.parametrize(
    ("id_key", "kind"),
    [
        ("restore_id", "duplicate_detected"),
        ("backup_id", "duplicate_detected"),
        ("job_id", "outcome_unknown"),
    ],
)
def test_of_several_new_operations_none_is_adopted(id_key: str, kind: str) -> None:
    operation = Script([QUIET, Observation(own=frozenset({"a", "b"}))], [LOST], id_key)
    with pytest.raises(OutcomeUnknown) as caught:
        run(operation)
    facts = caught.value.details()
    assert (facts["error_kind"], facts["changed"], facts["found"]) == (kind, True, ["a", "b"])


def test_an_old_one_of_ours_is_not_mistaken_for_the_effect() -> None:
    old = Observation(own=frozenset({"old"}), records={"old": {}}, state="old")
    operation = Script([old], [LOST])
    with pytest.raises(OutcomeUnknown):
        run(operation, planned=old)
    new = Observation(own=frozenset({"old", "new"}), records={"old": {}, "new": {}}, state="new")
    assert run(Script([old, new], [LOST]), planned=old).id == "new"


def test_what_may_be_somebody_elses_is_named_and_not_adopted() -> None:
    """A job that names only the source can be for another target."""
    near = Observation(blocked="t is GROWING", possible=frozenset({"p"}), state="near")
    operation = Script([QUIET, near], [LOST], "job_id")
    with pytest.raises(
        OutcomeUnknown, match="p began in the meantime and may be this operation or somebody else's"
    ) as caught:
        run(operation, timeout=60)
    assert caught.value.details()["found"] == ["p"] and operation.sent == 1
    both = dataclasses.replace(near, possible=frozenset({"q", "p"}), status="GROWING")
    with pytest.raises(OutcomeUnknown) as caught:
        run(Script([QUIET, both], [LOST], "job_id"), timeout=60)
    assert (
        "; the status changed from None to GROWING by 2026-05-28T20:26:40.000Z; the last check showed that t "
        "is GROWING; p, q began in the meantime and may be this operation or somebody else's. "
    ) in str(caught.value)


def test_one_that_was_done_before_is_not_what_restores_the_instance_now() -> None:
    """The list leaves out the newest record, so an old one of our own seems to hold the instance."""
    before = Observation(own=frozenset({"old"}), records={"old": {}, "foreign": {}})
    after = Observation(("old",), "old", "busy", own=frozenset({"old"}), created={"old": NOW_MS - 600_000})
    assert find_effects(before, after, after, NOW) == find_effects(QUIET, after, after, NOW) == ()
    seen = dataclasses.replace(after, own=frozenset({"old", "new"}))
    assert find_effects(before, seen, seen, NOW) == find_effects(QUIET, seen, seen, NOW) == ("new",)


# What is done already


@pytest.mark.parametrize(
    ("again", "outcome"),
    [
        (Observation(done="mine", records={"mine": {}}), "unchanged"),
        (MINE, "planned"),  # its instance does not serve yet
        (QUIET, "planned"),  # the list had left a newer one out
    ],
)
def test_all_is_done_when_two_observations_say_so(again: Observation, outcome: str) -> None:
    operation, done = Script([again]), Observation(done="mine", records={"mine": {}})
    assert plan(operation, done, cloud_at(Time()), {}, {}, {}).result["outcome"] == outcome
    assert operation.log == ["observe"]


@pytest.mark.parametrize(
    ("observed", "kind"), [(OTHERS, Busy), (UNCLEAR, Busy), (QUIET, NotFound), (MINE, None)]
)
def test_a_plan_refuses_what_its_run_would_refuse(
    observed: Observation, kind: type[CloudError] | None
) -> None:
    """Check mode, and the role before it makes a safety backup, rely on it. What runs is not checked."""

    def check() -> None:
        raise NotFound("The backup was deleted.")

    operation = Script([observed])
    vars(operation)["check"] = check
    with pytest.raises(kind) if kind else contextlib.nullcontext():
        found = plan(operation, observed, cloud_at(Time()), {}, {}, {}).result
        assert (found["outcome"], found["adopted"], found["restore_id"]) == ("planned", True, "mine")
    assert operation.log == []


# A busy code: the running restore may be our own


def test_busy_with_our_own() -> None:
    operation = Script([QUIET, UNCLEAR, MINE], [BUSY_CODE])
    assert run(operation) == Started("mine", adopted=True)
    assert operation.log == ["observe", "post", "observe", "observe"]


def test_busy_with_somebody_elses() -> None:
    operation = Script([QUIET, OTHERS], [BUSY_CODE])
    with pytest.raises(
        Busy, match=r"restore x of another backup is restoring. The cloud's response: .*DCS\.4097"
    ) as caught:
        run(operation)
    assert operation.sent == 1
    assert caught.value.details() == {
        "error_kind": "busy",
        "changed": False,
        "http_status": 400,
        "error_code": "DCS.4097",
    }


def test_busy_with_nothing_that_can_be_seen() -> None:
    operation = Script([QUIET], [BUSY_CODE])
    with pytest.raises(Busy, match=r"the cloud reports another operation.*DCS\.4097") as caught:
        run(operation)
    assert operation.log == ["observe", "post", "observe", "observe"]  # twice the same, then believed
    assert caught.value.details()["error_code"] == "DCS.4097"


def test_busy_with_records_that_keep_changing() -> None:
    """Until the end of the window, they do not show what holds the instance."""
    time = Time()
    operation = Script(
        [QUIET, *(Observation(explained=False, state=number) for number in range(99))], [BUSY_CODE]
    )
    with pytest.raises(Busy) as caught:
        run(operation, time=time)
    assert time.passed >= BUSY_WINDOW
    assert str(caught.value) == (
        f"{operation.name} was not started: the cloud reports another operation. "
        "The cloud's response: POST returned HTTP 400 DCS.4097. "
        "Run the task again when that has ended. Nothing was started."
    )
    assert caught.value.details()["error_code"] == "DCS.4097"


@pytest.mark.parametrize("kind", ["possible", "unclear"])
def test_busy_with_something_new_that_may_be_our_own(kind: str) -> None:
    """It can have ended before it was seen at work: nobody may say that nothing was started."""
    began: dict[str, Any] = {kind: frozenset({"n"}), "created": {"n": NOW_MS}}
    operation = Script([QUIET, *[Observation(**began)] * 99], [BUSY_CODE])
    with pytest.raises(OutcomeUnknown, match=r"n began in the meantime") as caught:
        run(operation)
    assert caught.value.details()["found"] == ["n"]
    old = Observation(**{**began, "created": {"n": NOW_MS - 3_600_000}})
    with pytest.raises(Busy):
        run(Script([QUIET, *[old] * 99], [BUSY_CODE]))


@pytest.mark.parametrize("last", [[UNCLEAR, QUIET], [QUIET, UNCLEAR]])
def test_busy_with_one_idle_status_when_the_time_is_over(last: list[Observation]) -> None:
    """One status can be old: only two of them prove that the instance is idle."""
    operation = Script([QUIET, *[UNCLEAR] * 4, *last], [BUSY_CODE])
    with pytest.raises(OutcomeUnknown, match=r"DCS\.4097"):
        run(operation, timeout=6)
    assert operation.log == ["observe", "post", *["observe"] * 6]


def test_busy_without_an_explanation_is_observed_for_a_while() -> None:
    time = Time()
    operation = Script([QUIET, UNCLEAR], [BUSY_CODE])
    # It may be our own: a gateway can repeat a request
    with pytest.raises(OutcomeUnknown, match=r"DCS\.4097"):
        run(operation, time=time)
    assert operation.sent == 1
    assert BUSY_WINDOW <= time.passed <= BUSY_WINDOW + 10


def test_busy_without_a_readable_record_stays_unknown() -> None:
    operation = Script([QUIET, LOST], [BUSY_CODE])
    with pytest.raises(OutcomeUnknown):
        run(operation)
    assert operation.sent == 1


def test_a_busy_code_is_never_followed_by_wait_and_send() -> None:
    operation = Script([QUIET, UNCLEAR, UNCLEAR, QUIET, QUIET], [BUSY_CODE, ACCEPTED])
    with pytest.raises(Busy):
        run(operation)
    assert operation.sent == 1


# Afterwards


def test_start_and_wait_share_one_deadline() -> None:
    time = Time()
    operation = Script([QUIET, *[QUIET] * 8, MINE], [LOST])
    with pytest.raises(CloudError) as caught:
        run_to_the_end(
            operation, QUIET, cloud_at(time), {"wait": True, "wait_timeout": 60, "poll_interval": 5}
        )
    assert caught.value.details()["error_kind"] == "wait_timeout"
    assert caught.value.details()["restore_id"] == "mine"
    assert time.passed == pytest.approx(60.0)


def test_what_was_spent_on_the_plan_counts() -> None:
    time = Time()
    cloud = cloud_at(time)
    cloud.session.deadline = time.clock.monotonic() + 50  # of the 60, as set when the task began
    with pytest.raises(OutcomeUnknown):
        run_to_the_end(
            Script([QUIET], [LOST]), QUIET, cloud, {"wait": True, "wait_timeout": 60, "poll_interval": 5}
        )
    assert time.passed == pytest.approx(50.0)


def test_waiting_for_what_runs_already_has_all_its_time_and_bounds_each_read() -> None:
    time = Time()
    cloud, deadlines = cloud_at(time), []
    cloud.progress = lambda watches: deadlines.append((watches[0].name, cloud.session.deadline))
    with pytest.raises(WaitTimeout):
        run_to_the_end(Script([MINE]), MINE, cloud, {"wait": True, "wait_timeout": 60, "poll_interval": 5})
    assert time.passed == pytest.approx(60.0)
    assert set(deadlines) == {(Script.name, 1060.0)}


def test_not_waiting() -> None:
    cloud, shown = cloud_at(Time()), []
    cloud.progress = lambda watches: shown.append(watches[0].ids)
    params = {"wait": False, "wait_timeout": 60, "poll_interval": 5}
    result = run_to_the_end(Script([QUIET], [ACCEPTED]), QUIET, cloud, params)
    assert (result["restore_id"], result["adopted"], result["outcome"]) == ("mine", False, "started")
    assert cloud.session.deadline is None
    assert shown == [{"restore_id": "mine"}]


def test_waiting_to_the_end() -> None:
    cloud = cloud_at(Time())
    params = {"wait": True, "wait_timeout": 60, "poll_interval": 5}
    operation = Script([QUIET], [ACCEPTED], states=["running", "succeeded"])
    result = run_to_the_end(operation, QUIET, cloud, params)
    assert (result["restore_id"], result["adopted"], result["outcome"]) == ("mine", False, "succeeded")
    assert cloud.session.deadline is None and "marker_echoed" not in result


@pytest.mark.parametrize("adopted", [True, False])
def test_only_a_marker_of_its_own_can_be_lost(adopted: bool) -> None:
    """A restore of somebody else has none, and the task may attach to it."""
    params = {"wait": True, "wait_timeout": 60, "poll_interval": 5}
    observed = MINE if adopted else QUIET
    operation = Script([observed], [ACCEPTED], states=["running", "succeeded"])
    vars(operation)["echoed"] = lambda record: False
    result = run_to_the_end(operation, observed, cloud_at(Time()), params, ["first"])
    assert (result["adopted"], result.get("marker_echoed")) == (adopted, None if adopted else False)
    assert len(result.get("warnings", [])) == (0 if adopted else 2)


# Random clouds


class World(Changeable):
    """A cloud with one instance.

    Each POST meets the next of `faults`; a started restore can be seen after `lag` seconds and ends after
    `lasts`.
    """

    name = "Restore"
    id_key = "restore_id"

    def __init__(self, time: Time, faults: list[str], reads: list[bool], lag: float, lasts: float) -> None:
        self.time, self.faults, self.reads, self.lag, self.lasts = time, faults, reads, lag, lasts
        self.begun: list[float] = []
        self.may_be_sent_again = True
        self.posts = 0

    def running(self) -> bool:
        return any(self.time.passed < begun + self.lasts for begun in self.begun)

    def observe(self) -> Observation:
        self.time.passed += 0.05
        if self.reads and self.reads.pop(0):
            raise TransportError("A read broke.")
        visible = {
            f"r{number}": begun
            for number, begun in enumerate(self.begun)
            if self.time.passed >= begun + self.lag
        }
        active = tuple(name for name, begun in visible.items() if self.time.passed < begun + self.lasts)
        done = None if active or not visible else max(visible)
        blocked = "the instance is RESTORING" if self.running() else None
        return Observation(
            active,
            done,
            blocked=blocked,
            explained=not blocked,
            own=frozenset(visible),
            records={name: {} for name in visible},
            state=(blocked, tuple(visible), active),
        )

    def post(self) -> Reply:
        assert self.may_be_sent_again, "a second POST although the first may have had an effect"
        self.posts += 1
        self.time.passed += 0.05
        fault = self.faults.pop(0) if self.faults else "ok"
        if fault == "not_sent":
            raise NOT_SENT
        if fault == "throttled":
            raise api(429, "APIGW.0308", retry_after=2.0)
        if fault == "unauthorized":
            raise api(401, "APIGW.0307")
        self.may_be_sent_again = False
        if fault == "lost before":
            raise LOST
        if fault == "refused":
            raise api(400, "DCS.4087")
        if self.running():
            raise api(400, "DCS.4097")
        self.begun.append(self.time.passed)
        if fault == "ok":
            return Reply(200, {"restore_id": f"r{len(self.begun) - 1}"}, {}, None)
        if fault == "no ID":
            return Reply(200, {}, {}, None)
        raise {
            "lost after": LOST,
            "server error": api(500, "DCS.5000", definite=False),
            "busy after": api(400, "DCS.4097"),
        }[fault]

    def watch(self, found: str) -> Watch:
        raise NotImplementedError


FAULTS = [
    "ok",
    "not_sent",
    "throttled",
    "unauthorized",
    "lost before",
    "lost after",
    "server error",
    "busy after",
    "refused",
    "no ID",
]


@settings(max_examples=400)
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=6),
    reads=st.lists(st.booleans(), max_size=12),
    lag=st.sampled_from([0.0, 0.4, 3.0, 30.0, 100.0]),
    lasts=st.sampled_from([150.0, 600.0, 5000.0]),
    timeout=st.sampled_from([0.0, 5.0, 100.0, 1800.0]),
    runs=st.integers(1, 4),
    renews=st.integers(0, 2),
)
def test_no_cloud_starts_it_twice(
    faults: list[str], reads: list[bool], lag: float, lasts: float, timeout: float, runs: int, renews: int
) -> None:
    """Neither within a run nor across runs, if a record appears before its restore ends."""
    time = Time()
    world = World(time, list(faults), reads, lag, lasts)
    for dummy in range(runs):
        world.may_be_sent_again = True
        before = len(world.begun)
        try:
            started = start(world, world.observe(), cloud_at(time, renews=renews), timeout)
        except OutcomeUnknown:
            assert world.posts
        except TransportError:
            assert len(world.begun) == before, "a read that failed must not hide what was started"
        except (Busy, NotStarted, ApiError, NotFound) as error:
            assert error.details()["changed"] is False
            assert len(world.begun) == before
        else:
            assert started.id == f"r{len(world.begun) - 1}"
        assert len(world.begun) <= 1
        time.passed += 1.0


# The trail of outcome_unknown


def test_an_unknown_outcome_says_what_each_observation_showed() -> None:
    busy = Observation(blocked="it is busy", status="RESTORING", task="x", records={"old": {}}, state="busy")
    broken = TransportError("A read broke.")
    operation = Script([QUIET, broken, busy], [LOST])
    with pytest.raises(OutcomeUnknown) as caught:
        run(operation, timeout=3)
    details = caught.value.details()
    first, second, *others = details["trail"]
    assert first == {
        "at": "2026-05-28T20:26:40.000Z",
        **{"status": None, "task": None, "records": None, "blocked": None, "error": "A read broke."},
    }
    shown = {"status": "RESTORING", "task": "x", "records": 1, "blocked": "it is busy", "error": None}
    assert second == {"at": "2026-05-28T20:26:40.500Z", **shown}
    assert len(others) + 1 == details["checks"]
    assert details["trail_left_out"] == 0


def test_the_message_says_when_the_status_changed() -> None:
    """It is the best evidence that the request was carried out, and may be minutes before the end."""
    before, busy = (Observation(status=status, state="quiet") for status in ("RUNNING", "RESTORING"))
    for observed, text in (
        ([busy, before], "; the status changed from RUNNING to RESTORING by 2026-05-28T20:26:40.000Z."),
        ([before], " checks. The cloud may have accepted it anyway. Nothing was repeated."),
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            run(Script([before, *observed], [LOST]))
        assert text in str(caught.value)
        assert ("the status changed" in str(caught.value)) is (busy in observed)


def test_a_trail_is_bounded_and_says_how_many_observations_it_lacks() -> None:
    """Its beginning and its end are reported: an hour has hundreds of observations."""
    busy = Observation(blocked="busy", explained=False, status="RESTORING", state="busy")
    with pytest.raises(OutcomeUnknown) as caught:
        run(Script([QUIET, busy], [LOST]), timeout=3600)
    details = caught.value.details()
    times = [one["at"] for one in details["trail"]]
    assert len(times) == 16 and times == sorted(times) and details["checks"] > 300
    assert details["trail_left_out"] == details["checks"] - 16
    assert (times[0], times[-1]) == ("2026-05-28T20:26:40.000Z", "2026-05-28T21:26:40.000Z")
