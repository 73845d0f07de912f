# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as Markdown, as JUnit XML and as a page: texts of the cloud are shown, never interpreted."""

from __future__ import annotations

import html.parser
import json
import re
import time
from collections import Counter
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _report_page
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report import clean
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_text import (
    escape,
    junit,
    local,
    markdown,
    zone,
)
from tests.report import samples

each_variant = pytest.mark.parametrize("variant", samples.VARIANTS)
each_hostile = pytest.mark.parametrize("text", samples.HOSTILE)


# Markdown


def tags(text: str) -> set[str]:
    """The elements that Markdown turns a text into, as on GitHub: with HTML, tables and addresses."""
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    return set(re.findall(r"<(\w+)", reader.render(text)))


OURS = {
    "h1",
    "h2",
    "h3",
    "p",
    "strong",
    "ul",
    "li",
    "pre",
    "code",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


@each_variant
def test_markdown_holds_no_other_markup_than_ours(variant: str) -> None:
    text = markdown(samples.VARIANTS[variant]())
    assert tags(text) <= OURS
    assert MarkdownIt("gfm-like").render(text).count("<strong>") == 1


@each_hostile
def test_a_hostile_text_is_shown_as_it_is(text: str) -> None:
    shown = MarkdownIt("gfm-like", {"html": True, "linkify": True}).render(f"- {escape(clean(text))}")
    assert set(re.findall(r"<(\w+)", shown)) == {"ul", "li"}


@each_variant
def test_every_row_of_a_table_has_its_cells(variant: str) -> None:
    for line in markdown(samples.VARIANTS[variant]()).splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (6, 8), line


def test_markdown_says_what_to_do_before_the_table() -> None:
    text = markdown(samples.VARIANTS["two_of_ten_failed"]())
    assert text.index("## What to do next") < text.index("## Instances")
    assert (
        "9 of 10 instances restored, 8 of them verified. 2 need you: billing-db-restored, cart-cache." in text
    )
    assert "State of the data: Unknown: the run requested a restore of billing-db-restored" in text
    assert "      ansible-playbook huaweicloud.recovery.restore -e @shop.yml" in text
    assert "RPO, oldest data before the point: 5:08, target 15:00: not measured" in text


def test_times_are_those_of_the_user_with_the_offset() -> None:
    where = zone(samples.made([], timezone="Europe/Berlin"))
    assert local("2026-11-25T09:02:11Z", where) == "2026-11-25 10:02:11 +01:00"
    assert local("2026-07-25T09:02:11.000Z", where) == "2026-07-25 11:02:11 +02:00"
    assert local(samples.STARTED, zone({"timezone": "America/St_Johns"})) == "2026-11-25 05:32:11 -03:30"
    assert local("latest", where) == "latest" and local(None, where) == "-"


@pytest.mark.parametrize(
    "name", ["", "Nowhere/Here", "../../etc/passwd", "/etc/passwd", "<script>", "x" * 300, "\x00"]
)
def test_an_unknown_zone_is_utc(name: str) -> None:
    assert local("2026-11-25T09:02:11Z", zone({"timezone": name})) == "2026-11-25 09:02:11 +00:00"


# JUnit: what the common schema of Jenkins' xUnit plugin (junit-10.xsd) allows

ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    **{tag: {"type", "message"} for tag in ("failure", "error", "skipped")},
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "error", "skipped"},
}
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors"},
    "property": {"name", "value"},
    "testcase": {"name"},
}


@each_variant
def test_junit_keeps_to_the_common_schema(variant: str) -> None:
    root = ElementTree.fromstring(junit(samples.VARIANTS[variant]()))
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        assert set(element.attrib) >= REQUIRED.get(element.tag, set()), element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set()), element.tag
        assert re.fullmatch(r"[0-9]*\.[0-9]{3}", element.get("time", "0.000"))
        if element.tag == "testsuite":
            found = Counter(child.tag for case in element.iter("testcase") for child in case)
            counts = {"failures": found["failure"], "errors": found["error"], "skipped": found["skipped"]}
            assert {key: int(element.get(key, -1)) for key in counts} == counts
            assert int(element.get("tests", -1)) == len(element.findall("testcase"))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [samples.planned("dcs", "cart")],
        [samples.failed(samples.planned("dcs", "cart"), "plan", 9, "x", "")],
    ],
)
def test_junit_of_a_run_that_failed_has_an_error(rows: list[samples.Row]) -> None:
    """Also where no instance has failed: continuous integration takes a file without errors for a success."""
    report = samples.made(rows, refused="No report can be written. Nothing was started.")
    root = ElementTree.fromstring(junit(report))
    assert (root.get("errors"), len(root.findall(".//error"))) == ("1", 1) and report["failed"]


def test_junit_has_a_case_for_each_instance_and_check() -> None:
    report = samples.VARIANTS["two_of_ten_failed"]()
    root = ElementTree.fromstring(junit(report))
    assert [suite.get("name") for suite in root] == [
        row["target"]["instance_name"] for row in report["restores"]
    ]
    cart = next(suite for suite in root if suite.get("name") == "cart-cache")
    assert [(case.get("name"), [child.tag for child in case]) for case in cart.iter("testcase")] == [
        ("restore", []),
        ("PING", []),
        ("DBSIZE", ["failure"]),
    ]
    billing = next(suite for suite in root if suite.get("name") == "billing-db-restored")
    (error,) = billing.iter("error")
    assert (
        error.get("type") == "operation_failed"
        and "State" not in str(error.text)
        and "state: Unknown" in str(error.text)
    )
    assert (root.get("failures"), root.get("errors")) == ("1", "1")


def test_a_failed_verification_without_checks_does_not_pass() -> None:
    row = samples.restored(samples.planned("dcs", "orders-cache"), 20, 60)
    row["verification"] = {"end": "unreachable", "ladder": "runs", "checks": []}
    root = ElementTree.fromstring(
        junit(samples.made([samples.failed(row, "verify", 99, "unreachable", "No route.")]))
    )
    assert root.get("errors") == "1"


# The page


class Elements(html.parser.HTMLParser):
    """The elements, attributes and texts that a browser finds in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, dummy in attrs}
        self.links += [str(value) for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@each_variant
def test_a_page_has_no_script_and_no_address(variant: str) -> None:
    found = Elements(_report_page.html(samples.VARIANTS[variant]()))
    assert found.tags["script"] == 1  # the data
    assert not {"img", "iframe", "link", "object", "embed", "form", "base", "a"} & set(found.tags)
    assert (
        not [name for name in found.attributes if name.startswith("on")] and "style" not in found.attributes
    )
    assert set(found.links) <= {"#g"}


def test_hostile_texts_make_no_elements() -> None:
    """The same page with harmless texts has the same elements."""
    hostile = Elements(_report_page.html(samples.VARIANTS["hostile"]()))
    assert "<script>alert(1)</script>" in hostile.texts or any(
        "<script>alert(1)</script>" in text for text in hostile.texts
    )
    rows = [*samples.two_of_ten()[:3], *samples.two_of_ten()[4:8]]
    harmless = [samples.poisoned(row, "harmless") for row in rows]
    assert (
        hostile.tags
        == Elements(_report_page.html(samples.made(harmless, operation_id="x", timezone="UTC"))).tags
    )


@each_variant
def test_the_data_are_inside_the_page(variant: str) -> None:
    report = samples.VARIANTS[variant]()
    (text,) = re.findall(
        r'<script type="application/json" id="report">([^<]*)</script>', _report_page.html(report)
    )
    data = json.loads(text)
    assert data["id"] == report["id"] and data["msg"] == report["msg"]
    assert [row["data_state"] for row in data.get("restores", [])] == [
        row["data_state"] for row in report["restores"]
    ]


def test_a_page_of_fifty_instances_is_small_and_quickly_made() -> None:
    report = samples.VARIANTS["fifty"]()
    begin = time.perf_counter()
    page = _report_page.html(report)
    assert time.perf_counter() - begin < 3  # 0.1 s on an idle machine
    assert len(page.encode()) < 200 * 1024


def test_the_timeline_shows_how_long_it_took_or_that_it_is_under_way() -> None:
    def ends(variant: str) -> list[tuple[str, str]]:
        groups = _report_page.model(samples.VARIANTS[variant]())["groups"]
        return [(row["mark"], row["end"]) for group in groups for row in group["rows"]]

    assert ends("running") == [("✓", "4:47")] * 4 + [("", "…")] * 6
    assert ends("two_of_ten_failed")[2] == ("✗", "5:43") and ends("two_of_ten_failed")[4] == ("✓", "9:01")
    (row,) = _report_page.model(samples.made([samples.restored(samples.planned("dcs", "x"), 20, 60)]))[
        "groups"
    ][0]["rows"]
    assert (row["mark"], row["end"]) == ("", "-")


def test_the_figures_say_why_they_are_not_complete() -> None:
    """A run that has ended is not in progress."""
    rows = [samples.restored(row, 100, 60) for row in samples.stack((), ("a", "b"))]
    texts = Elements(_report_page.html(samples.made(rows))).texts
    assert "the instances have no checks" in texts
    assert "Not complete: some instances are not verified." in texts
    texts = Elements(_report_page.html(samples.VARIANTS["running"]())).texts
    assert any(text.endswith("have no checks, or are in progress") for text in texts)


def test_a_refused_run_has_no_timeline_and_no_empty_figures() -> None:
    row = samples.failed(
        {**samples.planned("dcs", "x"), "data_time": None, "last_seconds": None}, "plan", 1, "busy", "x"
    )
    page = _report_page.html(samples.made([{**row, "changed": False}]))
    assert "Timeline" not in page and "- before" not in page and "- last time" not in page


def test_failed_instances_come_first_and_their_checks_are_open() -> None:
    page = _report_page.html(samples.VARIANTS["two_of_ten_failed"]())
    rows = re.findall(r'<tr( class="bad")?><th scope="row">([\w-]+)<', page)
    assert (
        [name for bad, name in rows if bad][:2]
        == ["billing-db-restored", "cart-cache"]
        == [name for dummy, name in rows][:2]
    )
    assert re.findall(r"<details( open)?><summary><h3>cart-cache", page) == [" open"]
    assert re.findall(r"<details( open)?><summary><h3>orders-cache", page) == [""]


@pytest.mark.parametrize("seconds", [1, 45, 600, 7200, 90_000, 3_000_000])
def test_the_timeline_has_a_few_ticks_at_any_length(seconds: int) -> None:
    report = samples.made(
        [samples.verified(samples.planned("dcs", "orders-cache"), 1, seconds)], rto_target=None
    )
    ticks = _report_page.model(report)["ticks"]
    assert 1 <= len(ticks) <= 10 and all(0 <= tick["x"] <= 100 for tick in ticks)
    places = [tick["x"] for tick in ticks]
    assert places == sorted(set(places))
