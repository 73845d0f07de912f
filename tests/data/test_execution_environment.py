# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual environment of exactly what ansible-builder finds in the collection restores and verifies."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.data.real import RealData

pytestmark = pytest.mark.slow
WORK = invoke.ROOT / ".work" / "ee"


@pytest.fixture(scope="module")
def environment() -> Path:
    """The folder of the programs of the environment."""
    subprocess.run([sys.executable, "tests/tools/ee.py"], cwd=invoke.ROOT, check=True, timeout=900)
    return WORK / "environment" / "bin"


def test_what_the_collection_asks_for(environment: Path) -> None:
    """Only the needs of the collection are found, not those of its tests; and the guide's sample builds."""
    lines = (WORK / "requirements.txt").read_text(encoding="utf-8").lower().splitlines()
    found = {re.split(r"[<>=# ]", line)[0] for line in lines if line and not line.startswith("#")}
    assert found == {"requests", "redis", "pymysql"}
    # Since Fedora 41 its image has no Python, without which the build ends: ansible-builder, issue 720.
    steps = (WORK / "context" / "Containerfile").read_text(encoding="utf-8")
    assert 'ARG PYPKG="python3"' in steps
    assert steps.index("RUN $PKGMGR install $PYPKG") < steps.index("RUN /output/scripts/pip_install")
    galaxy = (WORK / "context" / "_build" / "requirements.yml").read_text(encoding="utf-8")
    assert "huaweicloud.recovery" in galaxy


def test_it_restores_and_verifies(
    environment: Path, redis_cloud: Simulator, redis_data: RealData, tmp_path: Path
) -> None:
    cache = redis_data.caches[names.DCS_INSTANCE]
    cache.client().set("order:1", "paid")
    backup = invoke.module("dcs_backup", redis_cloud.env, instance_id=names.DCS_INSTANCE, poll_interval=1)
    assert not backup["failed"], backup
    cache.client().flushall()
    wanted = {
        "restore_dcs": [
            {
                "instance_name": "orders-cache",
                "backup_id": backup["backup_id"],
                "checks": [{"key": {"name": "order:1", "equals": "paid"}}],
                "connection": {"password_variable": "orders_cache_password"},
            }
        ],
        "orders_cache_password": cache.password,
        "restore_safety_backup": False,
        "restore_poll_interval": 1,
        "restore_verify_timeout": 30,
        "restore_report_dir": str(tmp_path / "reports"),
    }
    (tmp_path / "vars.json").write_text(json.dumps(wanted), encoding="utf-8")
    variables = {
        "PATH": f"{environment}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(invoke.ROOT / ".work" / "dev"),
        **redis_cloud.env,
    }
    command = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
    command += ["ansible-playbook", "huaweicloud.recovery.restore", "-e", f"@{tmp_path}/vars.json"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = (tmp_path / "reports").glob("*.json")
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["verdict"] == "verified"
    assert found["restores"][0]["verification"]["end"] == "passed"
    assert cache.client().get("order:1") in (b"paid", "paid")
    assert cache.password not in done.stdout + done.stderr + report.read_text(encoding="utf-8")
