# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which backup a restore takes: by the time of the data, and not by this machine's clock."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotFound, NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.choice import (
    SAFETY_TAG,
    Choice,
    check_backup,
    choose_backup,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.facts import (
    last_seconds,
    of_plan,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.reading import target
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import data_time

ABOUT = "DCS instance orders-cache (i)"
NOW = moment("2026-05-28T22:00:00Z") or 0
Row = dict[str, Any]


def backup(backup_id: str, begun: str | None, **changes: Any) -> Row:
    """A usable backup of 28 May, begun at this time of day and made within ten minutes."""
    day = "2026-05-28T"
    made = f"{day}{begun}:00.000Z" if begun else "some day"
    done = f"{day}{begun[:-1]}9:30.000Z" if begun else None
    return {
        "backup_id": backup_id,
        "backup_name": f"backup_{backup_id}",
        "status": "succeed",
        "is_support_restore": True,
        "remark": None,
        "size": 1,
        "created_at": made,
        "execution_at": made if begun else None,
        "updated_at": done,
        **changes,
    }


UNUSABLE = backup("unusable", "20:00", is_support_restore=False)
FAILED = backup("failed", "19:00", status="failed")
NEW, OLD = backup("new", "18:00"), backup("old", "12:00")
UNDATED = backup("undated", None)
BACKUPS = [UNUSABLE, FAILED, NEW, OLD]


def chosen(backups: list[Row], point: str = "latest", **wanted: Any) -> Choice:
    options = {"backup_id": None, "backup_name": None, "restore_point": None if wanted else point, **wanted}
    return choose_backup(backups, options, None if point == "latest" else moment(point), NOW, ABOUT)


@pytest.mark.parametrize(
    ("point", "found", "newer"),
    [
        ("latest", "new", None),
        ("2026-05-28T18:00:00Z", "new", None),
        ("2026-05-28T17:59:59.999Z", "old", "new"),
        ("2026-05-29T03:59:59+10:00", "old", "new"),
        ("2126-05-29T03:59:59+10:00", "new", None),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_restore_point_is_the_newest_usable_backup_with_data_not_after_it(
    point: str, found: str, newer: str | None, order: int
) -> None:
    choice = chosen(BACKUPS[::order], point)
    assert choice.backup_id == found and choice.backup is not None and choice.backup["backup_id"] == found
    assert (choice.newer and choice.newer["backup_id"]) == newer
    assert choice.warnings == ()


@pytest.mark.parametrize(
    ("changes", "time"),
    [
        ({}, "2026-05-28T18:00:00.000Z"),
        ({"execution_at": "2026-05-28T18:04:00.000Z"}, "2026-05-28T18:04:00.000Z"),  # it had waited first
        ({"execution_at": None}, "2026-05-28T18:09:30.000Z"),  # not later than that
        ({"execution_at": "?"}, "2026-05-28T18:09:30.000Z"),
        ({"execution_at": "2026-05-28T10:00:00.000Z"}, "2026-05-28T18:00:00.000Z"),  # before it was created?
        ({"execution_at": None, "updated_at": None}, None),
        ({"created_at": "?"}, "2026-05-28T18:00:00.000Z"),
    ],
)
def test_the_time_of_the_data_is_that_of_the_work_and_not_of_the_record(
    changes: Row, time: str | None
) -> None:
    assert data_time({**NEW, **changes}) == (None if time is None else moment(time))


def test_the_next_newer_backup_is_the_nearest_one() -> None:
    """A refusal for the gap, and the plan, show it beside the chosen one."""
    newer = chosen([backup("evening", "22:00"), NEW, OLD], "2026-05-28T12:30:00Z").newer
    assert newer is not None and newer["backup_id"] == "new"


def test_no_data_after_the_point_come_back() -> None:
    waited = backup("waited", "13:55", execution_at="2026-05-28T14:10:00.000Z")
    assert chosen([waited, OLD], "2026-05-28T14:00:00Z").backup_id == "old"
    assert chosen([waited, OLD], "2026-05-28T14:10:00Z").backup_id == "waited"


def test_a_backup_made_before_a_restore_is_not_the_latest() -> None:
    safety = backup("safety", "21:00", remark=f"CHG-1 {SAFETY_TAG} [rst1:ABC]")
    assert chosen([safety, NEW]).backup_id == "new"
    assert chosen([safety, NEW], "2026-05-28T21:30:00Z").backup_id == "safety", "a time is a time"
    assert chosen([safety, NEW], backup_id="safety").backup_id == "safety"
    with pytest.raises(
        NotRestorable,
        match=r"backup_id can restore its safety backups: backup_safety \(safety",
    ):
        chosen([safety])


def test_a_time_that_cannot_be_read_is_warned_about() -> None:
    (warning,) = chosen([UNDATED, NEW]).warnings
    assert warning.startswith(
        "The time of the data in undated cannot be read, so it was ignored. Backup new was chosen"
    )
    assert chosen([UNDATED, NEW], "2026-05-28T19:00:00Z").backup_id == "new"
    only = chosen([UNDATED])
    assert (only.backup_id, only.warnings) == ("undated", ()), "the only one is the newest"
    with pytest.raises(NotRestorable):
        chosen([UNDATED], "2026-05-28T19:00:00Z")


def test_a_younger_record_has_newer_data_also_where_it_does_not_say_when() -> None:
    """A record is created before its data are read."""
    nothing = {"execution_at": None, "updated_at": None}
    younger, older = backup("younger", "21:00", **nothing), backup("older", "13:00", **nothing)
    for backups in ([younger, NEW, OLD], [OLD, NEW, younger]):
        choice = chosen(backups)
        assert (choice.backup_id, choice.warnings) == ("younger", ())
    assert chosen([older, NEW]).backup_id == "new"
    assert chosen([older, younger]).backup_id == "younger"
    assert chosen([younger, OLD], "2026-05-28T22:00:00Z").backup_id == "old", "a time is a limit"


def test_newer_data_that_may_be_usable_are_warned_about() -> None:
    """The service may leave is_support_restore out: then an older backup is not chosen in silence."""
    unsaid = backup("unsaid", "20:00", is_support_restore=None)
    choice = chosen([unsaid, NEW, OLD])
    (warning,) = choice.warnings
    assert choice.backup_id == "new"
    assert "The data in unsaid are newer" in warning and "Backup new was chosen" in warning
    assert chosen([unsaid, NEW], "2026-05-28T20:00:00Z").warnings == (warning,)
    for others, point in (
        ([unsaid, NEW], "2026-05-28T19:59:00Z"),
        ([backup("older", "10:00", is_support_restore=None), NEW], "latest"),
        ([{**unsaid, "status": "waiting"}, UNUSABLE, NEW], "latest"),
        ([{**unsaid, "remark": "[safety] before"}, NEW], "latest"),
    ):
        assert chosen(others, point).warnings == ()
    assert chosen([unsaid, NEW], backup_id="new").warnings == ()


def test_a_refusal_shows_the_nearest_ones_on_both_sides() -> None:
    early = backup("early", "01:00", status="failed")
    with pytest.raises(NotRestorable) as caught:
        chosen([*BACKUPS, early], "2026-05-28T06:00:00Z")
    assert str(caught.value) == (
        "DCS instance orders-cache (i) has no usable backup with data of 2026-05-28T06:00:00Z or before. "
        "The nearest usable ones after it: backup_old (old, data of 2026-05-28T12:00:00.000Z); "
        "backup_new (new, data of 2026-05-28T18:00:00.000Z). "
        "Not usable, before it: "
        "backup_early (early, data of 2026-05-28T01:00:00.000Z, its status is failed). "
        "Nothing was started."
    ).replace("06:00:00Z or", "06:00:00Z or")
    with pytest.raises(
        NotRestorable, match=r"has no usable backup\. Not usable: backup_unusable \(unusable.*not support"
    ):
        chosen([UNUSABLE, FAILED])
    with pytest.raises(NotRestorable, match=r"has no usable backup\. Nothing was started"):
        chosen([])
    unread = {**UNDATED, "status": "failed"}  # nobody knows on which side
    with pytest.raises(NotRestorable, match=r"data of 2026-05-28T06:00:00Z or before\. Nothing was started"):
        chosen([unread], "2026-05-28T06:00:00Z")
    many = [backup(f"b{hour}", f"{hour}:00", backup_name=None) for hour in range(10, 15)]
    with pytest.raises(
        NotRestorable, match=r"after it: unnamed \(b10, [^)]*\); .*\(b11, .*\(b12, [^)]*\)\. N"
    ):
        chosen(many, "2026-05-28T06:00:00Z")
    begun = backup("begun", "06:00", status="failed")
    with pytest.raises(NotRestorable, match=r"Not usable, before it: backup_begun"):
        chosen([begun], "2026-05-28T06:00:00Z")


def test_a_name_stands_for_exactly_one_backup() -> None:
    assert chosen(BACKUPS, backup_name="backup_old") == Choice("old", OLD, NEW)
    with pytest.raises(
        NotFound, match=r"No backup of DCS instance .* is named x\. The newest ones: backup_unusable"
    ):
        chosen(BACKUPS, backup_name="x")
    twin = {**NEW, "backup_name": "backup_old"}
    with pytest.raises(NotFound, match=r"2 backups of .* are named backup_old: .*new.*old.*Give backup_id"):
        chosen([twin, OLD], backup_name="backup_old")
    with pytest.raises(NotFound, match=r"The newest ones: none\."):
        chosen([], backup_name="x")


def test_an_id_that_is_not_there_is_found_out_only_when_it_would_be_sent() -> None:
    assert chosen(BACKUPS, backup_id="gone") == Choice("gone", None)
    with pytest.raises(NotFound, match=r"it was deleted, or belongs to another instance\.$"):
        check_backup("gone", BACKUPS, ABOUT)
    with pytest.raises(NotFound, match="it is the name of new: give it as backup_name"):
        check_backup("backup_new", BACKUPS, ABOUT)
    with pytest.raises(NotRestorable, match="Backup failed cannot be restored: its status is failed"):
        check_backup("failed", BACKUPS, ABOUT)
    with pytest.raises(NotRestorable, match="it does not support restoring"):
        check_backup("unusable", BACKUPS, ABOUT)
    with pytest.raises(NotRestorable, match="the cloud does not say that it supports restoring"):
        check_backup("new", [{**NEW, "is_support_restore": None}], ABOUT)
    check_backup("new", BACKUPS, ABOUT)


def test_an_id_in_capitals_is_the_one_of_the_list() -> None:
    assert chosen(BACKUPS, backup_id="NEW") == chosen(BACKUPS, backup_id="new")


INSTANCE = {
    "instance_id": "i",
    "name": "orders-cache",
    "status": "RUNNING",
    "ip": "10.0.0.1, 10.0.0.2",
    "port": 6379,
}


def restored(number: int, seconds: int, status: str = "succeed") -> Row:
    day = f"2026-05-{number:02}T00:0"
    return {
        "status": status,
        "created_at": f"{day}0:00.000Z",
        "updated_at": f"{day}{seconds // 60}:{seconds % 60:02}.000Z",
    }


def test_what_people_decide_by() -> None:
    found = of_plan(INSTANCE, Choice("old", OLD, NEW), [restored(1, 60), restored(3, 90), restored(2, 61)])
    assert found["data_time"] == "2026-05-28T12:00:00.000Z"
    assert found["newer_backup"] == NEW
    assert (found["last_seconds"], found["newest_restore"]["created_at"]) == (90, "2026-05-03T00:00:00.000Z")
    assert found["source"] == {"instance_id": "i", "instance_name": "orders-cache"}
    assert found["target"]["address"] == "10.0.0.1" and found["target"]["port"] == 6379
    assert of_plan(INSTANCE, Choice("gone", None), [])["data_time"] is None


def test_the_duration_is_that_of_the_newest_restore_that_ended_well() -> None:
    assert last_seconds([restored(3, 90, "failed"), restored(2, 61), restored(1, 60)]) == 61
    assert last_seconds([{**restored(1, 60), "updated_at": None}]) is None
    assert last_seconds([]) is None
    long = {**restored(1, 60), "updated_at": "2026-05-03T00:00:00.000Z"}
    assert last_seconds([long, restored(2, 61)]) == 61, "the newest is the one that began last"
    backwards = {**restored(3, 90), "updated_at": "2026-05-02T00:00:00.000Z"}
    assert last_seconds([backwards, restored(2, 61)]) == 61, "no restore ends before it begins"


def test_an_instance_without_an_address() -> None:
    assert target({"instance_id": "i"})["address"] is None


def test_data_of_the_future_are_not_the_latest() -> None:
    """A clock of the cloud, or a time without its zone, may be off by hours: the newest stays the newest."""
    soon, far = backup("soon", "23:50"), {**backup("far", "22:03"), "execution_at": "2026-05-29T22:03:00Z"}
    assert chosen([far, soon, NEW]).backup_id == "soon"
    found = chosen([far, NEW])
    assert found.backup_id == "new"
    assert found.warnings == (
        "The time of the data in far is in the future, so it was ignored. Backup new was chosen; give "
        "backup_id to use another one.",
    )
    assert chosen([{**far, "status": "failed"}, NEW]).warnings == ()
    with pytest.raises(
        NotRestorable, match=r"has no usable backup\. Not usable: .*far.* Backups dated in the future were"
    ):
        chosen([far])
    assert chosen([far], backup_id="far").backup_id == "far"


@pytest.mark.parametrize("wanted", [{}, {"backup_id": "new"}, {"backup_name": "backup_new"}])
def test_a_backup_of_0_bytes_is_named(wanted: dict[str, str]) -> None:
    empty = {**NEW, "size": 0}
    warning = "Backup new has 0 bytes in the list of the cloud. Make sure that it holds data."
    assert chosen([empty, OLD], **wanted).warnings == (warning,)
    assert chosen([{**NEW, "size": 1}, OLD], **wanted).warnings == ()
