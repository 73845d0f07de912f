# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Status words for the end of an operation, in every known spelling, for both services."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.words import ending, unknown_warning
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs import records as dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.waiting import watch_restore
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.readiness import watch_job

from .fakes import cloud, response

WORDS: dict[str | None, list[Any]] = {
    "succeeded": [
        "succeed",
        "SUCCEED",
        "success",
        "Successful",
        "COMPLETED",
        "Completed",
        " complete ",
        "finished",
    ],
    "failed": ["failed", "FAILED", "fail", "Failure", "ERROR"],
    None: ["waiting", "restoring", "Running", "", "paused", "succeeding", "not failed", None, 7],
}


@pytest.mark.parametrize(("end", "word"), [(end, word) for end, words in WORDS.items() for word in words])
def test_an_end_in_every_spelling(end: str | None, word: Any) -> None:
    assert ending(word) == end
    assert dcs.end({"status": word}) == end


def test_words_of_dcs_alone() -> None:
    assert (dcs.end({"status": "Expired"}), dcs.end({"status": "deleted"})) == ("succeeded", "failed")
    assert ending("expired") is None


@pytest.mark.parametrize(
    "status", ["waiting", "RESTORING", "backuping", "succeed", "SUCCESS", "failed", "expired"]
)
def test_a_known_word_of_dcs_is_not_remarked(status: str) -> None:
    assert unknown_warning(status, dcs.STATUSES) is None


def test_an_unknown_word_is_named_at_once_with_those_that_are_known() -> None:
    record = {
        "restore_id": "r",
        "backup_id": "b",
        "status": "paused\x1b",
        "created_at": "2026-05-28T20:00:00Z",
    }
    made, dummy = cloud([response(200, {"restore_record_response": [record], "total_num": 1})])
    watch = watch_restore(Dcs(made), "i", "r")
    for _dummy in range(2):
        assert watch.observe().state == "running"
    (warning,) = made.warnings
    assert warning.isprintable() and warning.startswith("DCS restore r of i: the status 'paused")
    assert (
        "(waiting, backuping, restoring, succeed, failed, expired, deleted): the task treats it as "
        "unfinished." in warning
    )


@pytest.mark.parametrize(("status", "code"), [("failed", "DCS.1"), ("restoring", None), ("paused", None)])
def test_the_error_code_of_a_record_counts_only_when_it_failed(status: str, code: str | None) -> None:
    record = {"restore_id": "r", "backup_id": "b", "status": status, "error_code": "DCS.1"}
    record["created_at"] = "2026-05-28T20:00:00Z"
    made, dummy = cloud([response(200, {"restore_record_response": [record], "total_num": 1})])
    assert watch_restore(Dcs(made), "i", "r").observe().error_code == code


def test_an_unknown_word_of_a_job_is_named_at_once() -> None:
    job = {"id": "j", "status": "Suspended", "name": "RestoreInstance"}
    made, dummy = cloud([response(200, {"job": job})])
    assert watch_job(Ddm(made), "j", None).observe().state == "running"
    assert made.warnings == [
        "DDM job j: the status 'Suspended' is not one of the known ones (Running, Completed, Failed, "
        "Expanding, ToBeSwitched, Switching, Canceling, CancelSuccess, Rollbacking, RollbackSuccess): the "
        "task treats it as unfinished."
    ]
