# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of large fleets measures what it says, here with a small one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks import environment, scale


@pytest.mark.slow
def test_a_fleet_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "VENV", Path(sys.prefix))
    cost = scale.one(3, tmp_path, seconds=1.0, interval=1)
    requests, report = cost["requests"], cost["report_kB"]
    assert isinstance(requests, dict) and requests["dcs.restore"] == cost["size"] == 3
    assert isinstance(report, dict) and set(report) == {".json", ".html", ".xml", ".md"}
    assert cost["largest_event_kB"] and cost["MB"]
