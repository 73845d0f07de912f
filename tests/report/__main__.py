# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the sample reports to a folder, in all forms: `python -m tests.report FOLDER [VARIANT...]`."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_files import FORMATS
from tests.report import samples


def write(folder: Path, *variants: str) -> list[Path]:
    """Write the files of the variants, of all when none is named, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for variant in variants or samples.VARIANTS:
        report = samples.VARIANTS[variant]()
        for suffix, render in FORMATS.values():
            written.append(folder / f"{variant}{suffix}")
            written[-1].write_text(render(report), encoding="utf-8")
    return written


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in write(Path(sys.argv[1]), *sys.argv[2:]):
        print(path)
