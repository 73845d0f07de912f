# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the current output into the guides: `python -m tests.guides [PAGE...]`."""

from __future__ import annotations

import sys

from tests import invoke
from tests.guides import GUIDES, rewritten

for guide in sys.argv[1:] or GUIDES:
    name = f"docs/docsite/rst/{guide}.rst"
    (invoke.ROOT / name).write_text(rewritten(name), encoding="utf-8")
