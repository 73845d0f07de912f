# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""awx.awx, a controller that it has configured, and a project in git."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import invoke
from tests.awx import project
from tests.awx.controller import Controller
from tests.cloud import scenario as ids

PLAYBOOK = "huaweicloud.recovery.configure_awx"
AWX = invoke.ROOT / ".work" / "awx"
INVENTORY = """
plugin: huaweicloud.recovery.instances
statuses: [RUNNING]
keyed_groups:
  - {key: service, separator: ''}
"""


FULL: dict[str, Any] = {
    "awx_environment_image": "registry.example.com/recovery:1.0.0",
    "awx_credential_inputs": {
        "region": ids.REGION,
        "project_id": ids.PROJECT_ID,
        "access_key": ids.ACCESS_KEY,
        "secret_key": ids.SECRET_KEY,
        "insecure": False,
    },
    "awx_notification_type": "webhook",
    "awx_notification_configuration": {
        "url": "https://hooks.example.com/recovery",
        "http_method": "POST",
        "headers": {},
        "password": "hookPassword-never~printed",
    },
    "awx_protected": ["prod-*"],
    "awx_extra_vars": {"restore_timezone": "Asia/Singapore"},
    "awx_fleet_slices": 4,
    "awx_readiness_answers": {"restore_instances": "orders-cache", "restore_rpo_target": "26h"},
    "awx_drill_scratch": ["scratch-*"],
    "awx_drill_answers": {
        "restore_instances": "scratch-cache",
        "restore_point": "latest",
        "confirm_overwrite": "overwrite",
    },
}


@pytest.fixture(scope="session")
def awx_collection() -> Path:
    """The folder with awx.awx. Tests that need it are skipped without, but fail where it must be there."""
    if not (AWX / "ansible_collections" / "awx" / "awx" / "MANIFEST.json").exists():
        if os.environ.get("RECOVERY_AWX") == "required":
            pytest.fail("awx.awx is not in .work/awx: make awx")
        pytest.skip("awx.awx is not in .work/awx: make awx")
    return AWX


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a platform team's repository, which requires this collection from git."""
    folder = tmp_path_factory.mktemp("git")
    collection = project.collection_repository(folder / "huaweicloud.recovery")
    return project.make_repository(folder / "team", collection, INVENTORY)


class Configured:
    """A controller, and the playbook that configures it. `first` is its first run."""

    first: invoke.Completed

    def __init__(self, controller: Controller, repository: str, collection: Path) -> None:
        self.controller, self.repository, self.collection = controller, repository, collection

    def run(self, *args: str, env: Mapping[str, str] | None = None, **settings: Any) -> invoke.Completed:
        """Run the playbook with settings besides the repository."""
        wanted = json.dumps({"awx_project_url": self.repository, **settings})
        return self.play(PLAYBOOK, "-e", wanted, *args, env=env)

    def play(self, content: str, *args: str, env: Mapping[str, str] | None = None) -> invoke.Completed:
        """Run a playbook where awx.awx is installed."""
        path = os.pathsep.join([invoke.environment("")["ANSIBLE_COLLECTIONS_PATH"], str(self.collection)])
        given = {
            **self.controller.env,
            "ANSIBLE_COLLECTIONS_PATH": path,
            "ANSIBLE_PIPELINING": "1",
            **(env or {}),
        }
        return invoke.playbook(content, given, *args, timeout=600)


@pytest.fixture(scope="session")
def awx(
    awx_collection: Path, repository: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Configured]:
    """A controller that the playbook has configured once."""
    with Controller(tmp_path_factory.mktemp("awx")) as controller:
        configured = Configured(controller, repository, awx_collection)
        configured.first = configured.run(**FULL)
        assert configured.first.rc == 0, configured.first.output
        yield configured
        assert controller.problems == []
