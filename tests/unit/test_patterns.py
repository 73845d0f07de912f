# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns that choose hosts, and patterns that protect instances."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.huaweicloud.recovery.plugins.filter.restore_failed import pattern, restore_failed
from ansible_collections.huaweicloud.recovery.plugins.filter.restore_serial import restore_serial
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _templates
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import names_hosts
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._options import options, patterns
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import Problem
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import our_template


@pytest.mark.parametrize(
    ("limit", "named"),
    [
        ("", False),
        (" ", False),
        (",", False),
        (":", False),
        ("!a", False),
        ("&a", False),
        ("!a,&b", False),
        ("@/nowhere", False),
        ("a", True),
        ("all", True),
        ("!a,b", True),
        (["a"], True),
        ([], False),
    ],
)
def test_a_limit_names_hosts(limit: object, named: bool) -> None:
    assert names_hosts(limit) is named


def test_a_file_of_hosts_names_those_in_it(tmp_path: Path) -> None:
    path = tmp_path / "failed.retry"
    for text, named in (("", False), ("\n \n", False), ("!a\n", False), ("\na\n", True)):
        path.write_text(text, encoding="utf-8")
        assert names_hosts(f"@{path}") is named


def test_the_filter_finds_the_failures_of_every_fleet_of_a_run() -> None:
    def state(run: str, last: bool, **bad: str) -> dict[str, Any]:
        rows = [{"label": host, "error_kind": "busy", "msg": msg} for host, msg in bad.items()]
        return {"_restore_state": {"restores": rows, "run": {"id": run, "last": last}}}

    hostvars = {
        "a": state("second", False),
        "b": state("second", True, b="no"),
        "c": {"_restore_state": {"failed": False, "msg": "The role has ended."}},
        "d": {"_restore_state": {"failed": True, "msg": "lost"}},
        "z": state("first", True),
    }
    assert restore_failed(["a", "b", "c", "z"], hostvars) == ["b"]
    assert restore_failed(["a", "b", "c", "z"], hostvars, "b") == "no"
    assert restore_failed([*hostvars], hostvars) == ["d", "b"]
    assert restore_failed(["a", "c", "z"], hostvars) == ["localhost"]


def test_the_reason_of_a_failure_is_no_template(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds texts of the cloud, and the task that fails the host shows it."""

    class Marked(str):
        """What core has up to 2.18, where every other text is a template."""

    order = our_template("{{ 6 * 7 }}")
    rows = [{"label": "a", "error_kind": "busy", "msg": order}]
    hostvars = {"a": {"_restore_state": {"restores": rows, "run": {"id": "r", "last": True}}}}
    reason = restore_failed(["a"], hostvars, "a")
    templar = Templar(DataLoader(), variables={})
    assert str(templar.template(order)) == "42"
    assert templar.template(reason) == reason == order
    monkeypatch.setattr(_templates, "wrap_var", Marked)
    assert isinstance(restore_failed(["a"], hostvars, "a"), Marked)


@pytest.mark.parametrize(
    "host",
    ["a,b", "cache 1", "x:y:z", "!prod", "&y", "~x", "x[0]", "cache*", "é", "[::1]:6379", "@f", "a.b-c_1"],
)
def test_a_host_is_found_by_its_own_pattern_alone(host: str) -> None:
    inventory = InventoryManager(loader=DataLoader(), parse=False)
    for name in (host, host + "2", "x" + host, "other"):
        inventory.add_host(name, group="all")
    assert [found.name for found in inventory.get_hosts([pattern(host)])] == [host]


@pytest.mark.parametrize(
    "text", ["zzz; orders-cache", "zzz orders-cache", "* orders-cache", "orders-.*", "a/b"]
)
def test_a_pattern_that_can_protect_nothing_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="which matches no name or ID"):
        patterns(text, "restore_protected")


@pytest.mark.parametrize("name", ["कैश", "แคช-*", "e\u0301", "מטמון", "ذاكرة", "キャッシュ", "缓存?"])
def test_a_name_in_any_script_is_a_pattern(name: str) -> None:
    """Many letters carry marks. A mark alone is no name."""
    assert patterns(f"{name}\nb", "restore_protected") == (unicodedata.normalize("NFC", name), "b")
    with pytest.raises(Problem, match="which matches no name or ID"):
        patterns("\u0301", "restore_protected")


@pytest.mark.parametrize("blank", ["", " ", None])
@pytest.mark.parametrize("name", ["restore_protected", "restore_scratch", "restore_production"])
def test_a_pattern_that_a_template_made_of_nothing_is_refused(name: str, blank: object) -> None:
    dummy, problems = options({name: ["orders-*", blank]}, 0)
    assert len(problems) == 1
    assert "has a blank entry, which matches no name or ID. Remove it, or give its pattern." in problems[0]
    with pytest.raises(Problem, match="has a blank entry"):
        patterns('["", "a"]', name)


@pytest.mark.parametrize("text", ["tag:", "tag: ", "tag:=prod", ["tag: =prod"]])
def test_a_tag_without_a_key_is_refused(text: object) -> None:
    with pytest.raises(Problem, match="which matches no name or ID"):
        patterns(text, "restore_protected")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("orders-*, db_1\n cache?", ("orders-*", "db_1", "cache?")),
        ('"orders-cache"', ("orders-cache",)),
        ("'*prod*'", ("*prod*",)),
        (["tag:env=prod, blue", "[a-c]*", "キャッシュ"], ("tag:env=prod, blue", "[a-c]*", "キャッシュ")),
        (" ", ()),
    ],
)
def test_patterns_are_read_as_they_are_meant(value: object, found: tuple[str, ...]) -> None:
    assert patterns(value, "restore_protected") == found


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        ("", ["100%"]),
        (" ", ["100%"]),
        ([], ["100%"]),
        ("__omit_place_holder__1", ["100%"]),
        *((one, ["1"]) for one in (1, "1", " 1\n", [1])),
        ("10%", ["10%"]),
        ([1, "50 %"], ["1", "50%"]),
    ],
)
def test_the_size_of_a_batch(given: Any, sizes: list[str]) -> None:
    assert restore_serial(given) == sizes


@pytest.mark.parametrize(
    "given", ["abc", "0", 0, -1, "-1", "0%", "200%", "1.5", True, {"a": 1}, [1, "x"], "%"]
)
def test_an_invalid_batch_size_is_refused(given: Any) -> None:
    """Ansible treats 0 and negative numbers as all hosts at once."""
    with pytest.raises(AnsibleFilterError, match=r"^Nothing was restored: fleet_serial must be"):
        restore_serial(given)
