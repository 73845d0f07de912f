# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the report in Debian's Chromium, without a network.

Any request that is not for the page itself fails a test. The tests need the Debian package `chromium`, PyPI
`playwright`, and `npm install --prefix .work/npm axe-core`. Where one is missing they are skipped with the
reason; .ci/run says that it must not be missing.
"""

from __future__ import annotations

import importlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report import samples
from tests.report.__main__ import write

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".work" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESKTOP, PHONE = {"width": 1240, "height": 900}, {"width": 390, "height": 844}

ORDER = [
    *("What to do next", "Timeline", "Plan", "Plan against outcome"),
    *("Verification, through the protocol an application uses", "Undo, and references"),
]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
each_variant = pytest.mark.parametrize("variant", samples.VARIANTS)


def missing(what: str) -> None:
    """Skip the test without a program, or fail where .ci/run has installed it."""
    if os.environ.get("RECOVERY_BROWSER") == "required":
        pytest.fail(f"{what} is missing although .ci/run installs it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of each variant."""
    folder = tmp_path_factory.mktemp("pages")
    return {path.stem: path for path in write(folder) if path.suffix == ".html"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    if CHROMIUM is None:
        missing("chromium")
    try:
        api = importlib.import_module("playwright.sync_api")
    except ImportError:
        missing("PyPI playwright")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that is open in the browser, with its requests and its messages."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(offline=True, bypass_csp=False, **{"viewport": DESKTOP, **options})
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.goto(path.as_uri())
        self.path = path

    def close(self) -> None:
        """Close it. It must have requested nothing but itself, and must have run no script."""
        self.context.close()
        assert self.requests == [self.path.as_uri()]
        assert self.said == []

    def width(self) -> tuple[int, int]:
        """How wide the content is, and how wide the window."""
        content, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return int(content), int(window)


@each_variant
def test_it_fits_and_asks_for_nothing(chromium: Any, pages: dict[str, Path], variant: str) -> None:
    visit = Visit(chromium, pages[variant])
    for width in (801, 961):  # where the table still has columns, and each number its own line
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert visit.width() == (width, width)
    for scheme, size in itertools.product(("light", "dark"), (DESKTOP, PHONE)):
        visit.page.emulate_media(color_scheme=scheme)
        visit.page.set_viewport_size(size)
        assert visit.width() == (size["width"], size["width"])
        background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", background))) < 150) == (scheme == "dark")
    visit.close()


@pytest.mark.parametrize(
    ("variant", "scheme", "size"),
    [
        ("verified", "light", DESKTOP),
        ("two_of_ten_failed", "light", DESKTOP),
        ("two_of_ten_failed", "dark", DESKTOP),
        ("two_of_ten_failed", "light", PHONE),
        ("target_missed", "dark", DESKTOP),
        ("running", "light", DESKTOP),
        ("plan", "dark", DESKTOP),
        ("refused", "light", PHONE),
        ("hostile", "dark", PHONE),
    ],
)
def test_it_is_accessible(
    chromium: Any, pages: dict[str, Path], variant: str, scheme: str, size: dict[str, int]
) -> None:
    if not AXE.is_file():
        missing("npm axe-core")
    visit = Visit(chromium, pages[variant], color_scheme=scheme, viewport=size)
    visit.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = visit.page.evaluate("axe.run()")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    assert len(found["passes"]) > 10
    visit.close()


@each_variant
def test_printed_on_a4_nothing_is_cut_off_or_folded(
    chromium: Any, pages: dict[str, Path], variant: str
) -> None:
    # A4 at 96 dpi, less the margins
    visit = Visit(chromium, pages[variant], viewport={"width": 703, "height": 1000})
    visit.page.emulate_media(media="print")
    assert visit.width() == (703, 703)
    details = "[...document.querySelectorAll('details li, details td')]"
    assert visit.page.evaluate(f"{details}.filter(one => !one.checkVisibility()).length") == 0
    document = visit.page.pdf(format="A4", prefer_css_page_size=True)
    assert document.startswith(b"%PDF") and len(document) > 10_000
    visit.close()


@each_variant
def test_it_can_be_read_without_css(chromium: Any, pages: dict[str, Path], variant: str) -> None:
    """In the order of the design, and no two texts run into each other."""
    visit = Visit(chromium, pages[variant])
    styled = visit.page.inner_text("h1")
    visit.page.evaluate("document.querySelector('style').remove()")
    text = visit.page.inner_text("main")
    assert text.index(styled) < text.index("Undo, and references")
    headings = visit.page.locator("h2").all_inner_texts()
    assert headings == [one for one in ORDER if one in headings] and headings[-1] == ORDER[-1]
    report = samples.VARIANTS[variant]()
    if variant != "hostile":
        for row in report["restores"]:
            assert re.search(rf"{row['target']['instance_name']}\s+{row['target']['instance_id']}\s", text)
    bars = "[...document.querySelectorAll('[role=img] rect')]"
    assert visit.page.evaluate(f"{bars}.filter(one => one.getBoundingClientRect().height < 5).length") == 0
    visit.close()


def test_hostile_texts_are_shown_and_do_nothing(chromium: Any, pages: dict[str, Path]) -> None:
    visit = Visit(chromium, pages["hostile"])
    text = visit.page.inner_text("main")
    for shown in (
        "<script>alert(1)</script>",
        "{{ lookup('pipe', 'id') }}{% raw %}",
        r"abc\u202egpj.exe\u2066x\u200b",
        r"line\nbreak\r\x1b[31mred",
    ):
        assert shown in text
    assert (
        visit.page.evaluate("document.images.length + document.links.length + document.scripts.length") == 1
    )
    assert (
        visit.page.evaluate("JSON.parse(document.getElementById('report').textContent).verdict")
        == "incomplete"
    )
    visit.close()


def test_a_page_that_asks_for_something_would_be_noticed(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><html lang=en><title>x</title><img src='https://example.invalid/x.png' alt=x>",
        encoding="utf-8",
    )
    visit = Visit(chromium, path)
    with pytest.raises(AssertionError):
        visit.close()


def test_verified_rows_are_short_on_a_phone_and_failed_ones_whole(
    chromium: Any, pages: dict[str, Path]
) -> None:
    visit = Visit(chromium, pages["two_of_ten_failed"], viewport=PHONE)
    heights = "[...document.querySelectorAll('.p tbody tr')].map(one => one.getBoundingClientRect().height)"
    bad, good = visit.page.evaluate(heights)[:2], visit.page.evaluate(heights)[2:]
    assert max(good) < min(bad)
    visit.close()


def test_a_page_of_fifty_instances_is_small(pages: dict[str, Path]) -> None:
    """How long it takes to draw is a benchmark: tests/benchmarks/stack.py."""
    assert pages["fifty"].stat().st_size < 200 * 1024
