# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan of a stack costs, and its page in Chromium: `python -m tests.benchmarks.stack [2 10 50]`.

It prints Markdown: the seconds of a plan and of a playbook that does nothing, the requests of the plan, and
what the page needs to be drawn, next to a blank one.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests import invoke
from tests.benchmarks import environment, measure

ROUNDS = 5
EMPTY = [{"hosts": "localhost", "gather_facts": False}]


def planned(size: int, home: Path) -> tuple[float, float, int]:
    """Plan a stack of caches. Return its seconds, those of an empty play, and the requests of one plan."""
    (home / "empty.yml").write_text(json.dumps(EMPTY))
    names = ",".join(f"cache-{number:04}" for number in range(size))
    options = {"restore_instances": names, "restore_point": "latest", "restore_report_dir": "reports"}
    play = ["ansible-playbook", "huaweicloud.recovery.restore", "--check", "-e", json.dumps(options)]
    with measure.server("cloud", scenario=f"fleet-{size}") as cloud:
        env = {**os.environ, **invoke.environment(str(home)), **cloud.env}
        runs = [
            [measure.run(command, env, home).wall for command in (play, ["ansible-playbook", "empty.yml"])]
            for dummy in range(ROUNDS)
        ]
        requests = [entry for entry in cloud.control("GET", "ledger") if entry["service"]]
    plan, empty = (statistics.median(column) for column in zip(*runs, strict=True))
    return plan, empty, len(requests) // ROUNDS


def drawn(browser: Any, page: Path) -> float:
    """Return the milliseconds until a page is drawn, by the browser's own clock."""
    found = []
    for dummy in range(ROUNDS):
        context = browser.new_context(offline=True)
        tab = context.new_page()
        tab.goto(page.as_uri())
        found.append(tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        context.close()
    return float(statistics.median(found))


def main() -> None:
    environment.VENV = Path(sys.prefix)  # the tests' own: nothing is compared here
    sizes = [int(size) for size in sys.argv[1:]] or [2, 10, 50]
    print(
        "| instances | plan, s | empty play, s | requests for each | page, kB | page, ms | blank page, ms |"
    )
    print("|---|---|---|---|---|---|---|")
    api = importlib.import_module("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="stack-") as folder:
                home = Path(folder)
                plan, empty, requests = planned(size, home)
                page = next((home / "reports").glob("*.html"))
                blank = home / "blank.html"
                blank.write_text("<!doctype html><title>x</title>")
                print(
                    f"| {size} | {plan:.1f} | {empty:.1f} | {requests / size:.1f} "
                    f"| {page.stat().st_size / 1000:.0f} | {drawn(browser, page):.0f} "
                    f"| {drawn(browser, blank):.0f} |",
                    flush=True,
                )
        browser.close()


if __name__ == "__main__":
    main()
