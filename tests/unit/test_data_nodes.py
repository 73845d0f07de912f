# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mapping of data nodes: as many as possible, one target each, the same on every run."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.data_nodes import (
    candidates,
    check_time,
    latest_time,
    match,
    relations,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.mapping import (
    check_relations,
    choose_relations,
)

Options = dict[str, list[dict[str, Any]]]


def offer(edges: dict[str, str], reasons: dict[str, str] | None = None) -> Options:
    """`{"s1": "ab"}` offers targets a and b to s1; upper case letters are not available."""
    return {
        source: [
            {
                "instance_id": target.lower(),
                "available": target.islower(),
                "unavailable_reason": (reasons or {}).get(target.lower()),
            }
            for target in targets
        ]
        for source, targets in edges.items()
    }


def largest(options: Options) -> int:
    """Return the size of the largest mapping, by trying all of them."""
    sources = list(options)
    choices = [
        [row["instance_id"] for row in options[source] if row["available"]] + [None] for source in sources
    ]
    return max(
        len(taken)
        for pick in itertools.product(*choices)
        for taken in [[one for one in pick if one]]
        if len(set(taken)) == len(taken)
    )


targets = st.lists(st.sampled_from("abcdeABC"), unique_by=str.lower, max_size=5).map("".join)
graphs = st.dictionaries(st.sampled_from(["s1", "s2", "s3", "s4", "s5"]), targets, max_size=5)


@given(graphs)
def test_as_many_as_possible_and_each_target_once(edges: dict[str, str]) -> None:
    options = offer(edges)
    found = match(options)
    assert len(found) == largest(options)
    assert len(set(found.values())) == len(found)
    for source, target in found.items():
        assert any(row["instance_id"] == target and row["available"] for row in options[source])


def test_first_fit_would_fail_where_a_mapping_exists() -> None:
    assert match(offer({"s1": "ab", "s2": "a"})) == {"s1": "b", "s2": "a"}
    assert match(offer({"s1": "ab", "s2": "ac", "s3": "ad", "s4": "a"})) == {
        "s1": "b",
        "s2": "c",
        "s3": "d",
        "s4": "a",
    }


class Offers:
    """A Ddm that lists the candidates in a new order each time."""

    def __init__(self, edges: dict[str, str]) -> None:
        self.options = offer(edges)

    def restorable_data_nodes(self, source: str, target: str, node: str, when: int) -> list[dict[str, Any]]:
        return random.sample(self.options[node], len(self.options[node]))


@given(graphs, st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(edges: dict[str, str], chance: random.Random) -> None:
    ddm: Any = Offers(edges)
    nodes = [{"instance_id": node} for node in edges]
    first = relations(candidates(ddm, "source", "target", nodes, 1))
    chance.shuffle(nodes)
    assert relations(candidates(ddm, "source", "target", nodes, 1)) == first


def test_a_mapping_lists_every_source_in_order() -> None:
    rows, reason = relations(offer({"s1": "ab", "s2": "a"}))
    assert reason is None
    assert rows == [
        {"source_instance_id": "s1", "target_instance_id": "b"},
        {"source_instance_id": "s2", "target_instance_id": "a"},
    ]


def test_no_mapping_names_each_node_with_the_reason_for_each_candidate() -> None:
    rows, reason = relations(
        offer({"s1": "aB", "s2": "aC", "s3": ""}, {"b": "The version is \x1b[2Jtoo old."})
    )
    assert rows == []
    assert reason == (
        "data node s2 has no target of its own "
        "(a: available, but needed for another data node; c: not available, no reason given); "
        "data node s3 has no target of its own (the cloud offers no candidate)"
    )
    assert "s1" not in str(reason)


def test_the_reason_of_the_server_is_made_harmless() -> None:
    dummy, reason = relations(offer({"s1": "B"}, {"b": "too \x1b[2Jold\n" + "x" * 500}))
    harmless = "too \\x1b[2Jold\\n" + "x" * 500
    assert reason == f"data node s1 has no target of its own (b: {harmless})"


def test_no_node_is_no_mapping() -> None:
    assert relations({}) == ([], "the source instance has no data node at that time")


# A mapping of the user's own


def given_mapping(text: str) -> list[dict[str, str]]:
    return [
        {"source_instance_id": pair.split(">")[0], "target_instance_id": pair.split(">")[1]}
        for pair in text.split()
    ]


def test_an_own_mapping_may_differ_from_ours() -> None:
    options = offer({"s1": "ab", "s2": "ab"})
    assert check_relations(given_mapping("s2>a s1>b"), options) == given_mapping("s2>a s1>b")
    assert check_relations(given_mapping("S2>A s1>b"), options) == given_mapping("s2>a s1>b")


@pytest.mark.parametrize(
    ("mapping", "fault"),
    [
        ("s1>b", "data node s2 of the source is not mapped"),
        ("s1>b s2>a s3>c", "s3 is not a data node of the source"),
        ("s1>a s2>b", r"b cannot take s2 \(a: available, but needed for another data node; b: in use\)"),
        ("s1>a s2>z", r"z cannot take s2"),
    ],
)
def test_an_own_mapping_must_be_possible(mapping: str, fault: str) -> None:
    with pytest.raises(NotRestorable, match=fault):
        check_relations(given_mapping(mapping), offer({"s1": "ab", "s2": "aB"}, {"b": "in use"}))


def test_every_fault_of_an_own_mapping_is_reported() -> None:
    with pytest.raises(NotRestorable) as caught:
        check_relations(given_mapping("s3>a"), offer({"s1": "a"}))
    assert str(caught.value) == (
        "data_node_relations cannot be used: data node s1 of the source is not mapped; "
        "s3 is not a data node of the source at that time. "
        "This would fit: [{source_instance_id: s1, target_instance_id: a}]. Nothing was started."
    )
    with pytest.raises(NotRestorable, match=r"s1, target_instance_id: a\}, \{source_instance_id: s2, "):
        check_relations(given_mapping("s3>a"), offer({"s1": "a", "s2": "b"}))
    with pytest.raises(NotRestorable, match=r"at that time\. Nothing was started"):
        check_relations(given_mapping("s3>a"), offer({"s1": "A"}, {"a": "in use"}))  # nothing fits


class Pair:
    """A Ddm that responds for one source, target and time only."""

    def related_data_nodes(self, source: str, when: int) -> tuple[list[dict[str, Any]], None]:
        assert (source, when) == ("source", 7)
        return [{"instance_id": "s1"}], None

    def restorable_data_nodes(self, source: str, target: str, node: str, when: int) -> list[dict[str, Any]]:
        assert (source, when) == ("source", 7)
        return offer({"s1": "ab" if target == "target" else ""})[node]


def test_the_mapping_to_send_is_the_users_or_one_found_or_none() -> None:
    ddm: Any = Pair()
    assert choose_relations(ddm, "source", "target", 7, None) == given_mapping("s1>a")
    assert choose_relations(ddm, "source", "target", 7, given_mapping("s1>b")) == given_mapping("s1>b")
    with pytest.raises(NotRestorable, match="cannot be used"):
        choose_relations(ddm, "source", "target", 7, given_mapping("s1>c"))
    with pytest.raises(
        NotRestorable,
        match="No mapping of the data nodes of source to those of other exists: data node s1 has no target",
    ):
        choose_relations(ddm, "source", "other", 7, None)


def test_a_data_node_of_the_source_is_never_a_target() -> None:
    class Own(Pair):
        def restorable_data_nodes(self, source: str, target: str, node: str, when: int) -> Any:
            return offer({"s1": "s"})[node] + [{**offer({"s1": "s"})[node][0], "instance_id": "s1"}]

    ddm: Any = Own()
    assert choose_relations(ddm, "source", "target", 7, None) == given_mapping("s1>s")
    with pytest.raises(NotRestorable, match=r"s1 cannot take s1 .*s1: it is a data node of the source"):
        choose_relations(ddm, "source", "target", 7, given_mapping("s1>s1"))


# Times

RANGES = [
    {"start_time": "2025-05-18T00:00:00+0000", "end_time": "2025-05-18T12:00:00+0000"},
    {"start_time": "2025-05-20T00:00:00+0000", "end_time": "2025-05-20T12:00:00+0000"},
]
START, END = 1747699200000, 1747742400000


@pytest.mark.parametrize("when", [START, END, START + 1, END - 1, START - 2 * 86_400_000])
def test_a_time_in_a_range(when: int) -> None:
    check_time(RANGES, when)


@pytest.mark.parametrize("when", [START - 1, END + 1, 0])
def test_a_time_in_no_range_shows_the_ranges(when: int) -> None:
    ranges = r"Intervals: 2025-05-18T00:00:00\+0000 to 2025-05-18T12:00:00\+0000; 2025-05-20T00"
    with pytest.raises(NotRestorable, match=f"{ranges}.*Nothing was started") as caught:
        check_time(RANGES, when)
    assert caught.value.details()["restorable_time_intervals"] == RANGES


def test_no_range_at_all() -> None:
    with pytest.raises(NotRestorable, match="Intervals: none"):
        check_time([], START)
    with pytest.raises(NotRestorable) as caught:
        newest([])
    assert str(caught.value) == (
        "The instance has no restorable interval yet: its data nodes need a backup first. "
        "Nothing was started."
    )


class Clockwork:
    """The part of the service that latest() uses."""

    redactor = Redactor()

    def __init__(self, now: int) -> None:
        self.now, self.warn = lambda: now, mock.Mock()


def newest(intervals: list[dict[str, Any]], now: int = END) -> tuple[int, list[str]]:
    ddm: Any = Clockwork(now)
    return latest_time(ddm, intervals), [call.args[0] for call in ddm.warn.call_args_list]


@pytest.mark.parametrize("end", [None, "2025/05/20 12:00:00", "2025-05-21T12:03:00+0000"])
def test_an_implausible_end_is_not_the_latest(end: str | None) -> None:
    odd = {"start_time": None, "end_time": end}
    found, warnings = newest([*RANGES, odd])
    assert found == END
    (text,) = warnings
    assert f"A restorable interval ends at {end}, which cannot be read" in text
    with pytest.raises(
        NotRestorable, match=f"or is in the future: {re.escape(str(end))}. Give a time instead of latest"
    ):
        newest([odd])


def test_all_implausible_ends_are_named() -> None:
    odd = [{"start_time": None, "end_time": end} for end in ("x" * 70, "soon")]
    dummy, (warning,) = newest([*RANGES, *odd])
    assert f"ends at {'x' * 64}..., soon, which" in warning
    with pytest.raises(NotRestorable) as caught:
        newest(odd)
    assert f"in the future: {'x' * 64}..., soon. Give" in str(caught.value)
    assert caught.value.facts["restorable_time_intervals"] == odd


def test_a_range_that_cannot_be_read() -> None:
    check_time([{"start_time": None, "end_time": RANGES[0]["end_time"]}], 0)  # without a readable beginning
    with pytest.raises(NotRestorable):
        check_time([{"start_time": None, "end_time": None}], 0)


def test_the_latest_time_is_that_of_the_last_range_wherever_it_stands() -> None:
    assert newest(RANGES) == newest(RANGES[::-1]) == (END, [])
