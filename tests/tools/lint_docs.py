# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the documentation of the plugins with antsibull-docs.

It copies the collection into a temporary folder, and writes its path into RST. There a name that ends in _ is
a reference, so one run in forty failed with "Unknown target name".
"""

from __future__ import annotations

import string
import sys
import tempfile

from antsibull_docs.cli.antsibull_docs import run

CHECKS = ("--plugin-docs", "--validate-collection-refs", "self", "--disallow-unknown-collection-refs")

if __name__ == "__main__":
    names = vars(tempfile)["_get_candidate_names"]()
    type(names).characters = string.ascii_lowercase + string.digits
    sys.exit(run(["antsibull-docs", "lint-collection-docs", ".", *CHECKS]))
