# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the workers of one run of Ansible know about its keys, and that one of them asks first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible import constants

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    TransportError,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _refusals

from .fakes import Time

REFUSED = {"error_kind": "auth_failed", "error_code": "APIGW.0301", "keys_refused": True}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of a run."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"error_code": None}, True),
        ({"keys_refused": None}, False),  # a policy, an agency that is not there yet, or its temporary keys
    ],
)
def test_only_refused_keys_are_remembered(changes: dict[str, Any], counts: bool) -> None:
    """A task that is repeated until an agency exists must send its request each time."""
    _refusals.record("keys", {**REFUSED, **changes})
    assert bool(_refusals.refusal_of("keys")) is counts
    assert _refusals.refusal_of("other keys") is None


@pytest.fixture
def time() -> Time:
    """A clock for those who wait."""
    return Time()


def waited(time: Time, keys: str = "keys") -> float:
    """How many seconds a second worker waits for its turn."""
    with _refusals.alone(keys, time.clock):
        return time.passed


def test_a_worker_waits_for_the_first_response_to_the_same_keys_but_not_for_ever(time: Time) -> None:
    with _refusals.alone("keys"):
        assert waited(time, "other keys") == 0.0
        assert waited(time) == pytest.approx(_refusals.TURN_TIMEOUT, abs=2 * _refusals.INTERVAL)
    # That worker was told nothing about the keys, but this one was.
    assert waited(Time()) == 0.0
    with _refusals.alone("keys"):
        assert waited(Time()) == 0.0


def test_a_worker_sends_nothing_with_keys_that_were_refused_to_another(time: Time) -> None:
    refusal = ApiError("refused", 401, "APIGW.0301", "auth_failed", request_id="r-1", keys_refused=True)
    with pytest.raises(ApiError, match=r"^refused$"), _refusals.alone("keys"):
        raise refusal
    with pytest.raises(ApiError, match=r"^No request was sent: .* Correct the keys") as caught:
        waited(time)
    assert {**refusal.details(), "changed": False} == caught.value.details()
    assert caught.value.definite and time.passed == 0.0
    assert waited(time, "other keys") == 0.0


def test_keys_that_stop_working_are_not_tried_by_the_next_worker(time: Time) -> None:
    assert waited(time) == 0.0
    with pytest.raises(ApiError), _refusals.alone("keys"):
        raise ApiError("refused", 401, "APIGW.0301", "auth_failed", keys_refused=True)
    with pytest.raises(ApiError, match="No request was sent"):
        waited(time)


def test_keys_are_tried_again_when_the_cloud_has_unlocked_them(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refusals.record("keys", REFUSED)
    with pytest.raises(ApiError, match="No request was sent"):
        waited(time)
    monkeypatch.setattr(_refusals, "LOCKED_FOR", 0.0)
    assert waited(time) == 0.0


def test_a_worker_that_waits_goes_on_when_the_keys_are_accepted(time: Time) -> None:
    def accepted_meanwhile(seconds: float) -> None:
        waited(Time())
        time.clock.sleep(seconds)

    with _refusals.alone("keys"), _refusals.alone("keys", time.clock._replace(sleep=accepted_meanwhile)):
        assert time.passed == pytest.approx(_refusals.INTERVAL)


def test_a_response_that_is_late_does_not_hide_a_refusal(time: Time) -> None:
    assert waited(time) == 0.0
    with _refusals.alone("keys"):
        _refusals.record("keys", REFUSED)
    with pytest.raises(ApiError, match="No request was sent"):
        waited(time)


def test_of_tasks_that_run_as_modules_the_first_one_goes_alone(time: Time) -> None:
    def first() -> dict[str, Any]:
        assert _refusals.alone_as_module("keys", lambda: {"failed": True}, time.clock) == {"failed": True}
        return {**REFUSED, "failed": True}

    _refusals.alone_as_module("keys", first)
    assert time.passed == pytest.approx(_refusals.TURN_TIMEOUT, abs=2 * _refusals.INTERVAL)
    unsent = _refusals.alone_as_module("keys", dict, time.clock)
    assert unsent["msg"] == _refusals.UNSENT and unsent["error_code"] == REFUSED["error_code"]
    assert _refusals.alone_as_module("other keys", lambda: {"changed": False}) == {"changed": False}
    with _refusals.alone("other keys"):
        assert waited(Time(), "other keys") == 0.0, "that the keys are accepted is known"


@pytest.mark.parametrize("error", [ApiError("busy", 503, None, "server_error"), TransportError("no route")])
def test_a_fault_is_no_refusal_of_the_keys(error: CloudError, time: Time) -> None:
    with pytest.raises(CloudError), _refusals.alone("keys"):
        raise error
    assert waited(time) == 0.0


def test_a_file_shows_nothing_of_the_keys(folder: Path) -> None:
    with _refusals.alone("a-secret-key"):
        pass
    (file,) = folder.iterdir()
    assert "secret" not in file.name + file.read_text()


def test_without_the_folder_of_a_run_each_worker_asks_for_itself(folder: Path, time: Time) -> None:
    folder.rmdir()
    with _refusals.alone("keys"):
        assert waited(time) == 0.0
