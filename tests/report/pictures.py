# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take pictures of the sample pages: `python -m tests.report.pictures FOLDER [VARIANT...]`.

The documentation shows them. It needs what tests/browser needs. For each variant it takes a window in light
and in dark, a phone, and the whole page on A4 as PDF.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.report.__main__ import write

WINDOWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1240, "height": 900}},
    "dark": {"viewport": {"width": 1240, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}


def take(folder: Path, *variants: str) -> None:
    """Write the pictures of the variants, of all when none is named."""
    folder.mkdir(parents=True, exist_ok=True)
    api = importlib.import_module("playwright.sync_api")
    with tempfile.TemporaryDirectory() as scratch, api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for path in (one for one in write(Path(scratch), *variants) if one.suffix == ".html"):
            for name, options in WINDOWS.items():
                page = browser.new_page(**options)
                page.goto(path.as_uri())
                page.screenshot(path=folder / f"{path.stem}-{name}.png")
                page.close()
            page = browser.new_page()
            page.goto(path.as_uri())
            page.pdf(path=folder / f"{path.stem}.pdf", format="A4", prefer_css_page_size=True)
            page.close()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    take(Path(sys.argv[1]), *sys.argv[2:])
