# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make venv` installs is complete on every tested Python, not only on the one that made the list."""

from __future__ import annotations

import re
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import invoke

PYTHONS = [
    {"python_version": version, "python_full_version": f"{version}.0", "extra": ""}
    for version in ("3.11", "3.12", "3.13")
]


def test_no_dependency_of_another_python_is_left_out() -> None:
    """It is installed without dependencies. That of Debian 12 is 3.11.2, on which redis needs one more."""
    text = (invoke.ROOT / "tests" / "constraints.txt").read_text(encoding="utf-8")
    listed = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    left_out, read = set(), 0
    for name in listed:
        for found in metadata.distributions(name=name):
            needed = [Requirement(one) for one in found.requires or ()]
            read += 1
            left_out |= {
                canonicalize_name(one.name)
                for one in needed
                if f"{name}=={found.version}" in text.lower().replace("_", "-")
                and (one.marker is None or any(map(one.marker.evaluate, PYTHONS)))
            }
    assert read > 50
    assert left_out - listed == set()
