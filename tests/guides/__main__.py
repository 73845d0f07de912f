# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the current output into the guides: `python -m tests.guides [PAGE...]`."""

from __future__ import annotations

import sys

from tests.guides import FOLDER, PAGES, rewritten

for name in sys.argv[1:] or PAGES:
    path = FOLDER / f"{name}.rst"
    path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
