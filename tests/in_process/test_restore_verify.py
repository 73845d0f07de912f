# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""restore_verify in process and as a module: the same rows, and neither shows the password of a variable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.cloud.data import caches
from tests.cloud.data.real import RealData
from tests.cloud.state import CloudState
from tests.in_process import runs

PLAY = """
- hosts: localhost
  gather_facts: false
  ignore_errors: true
  vars:
    cache_password: "{{ secrets.cache }}"
    wrong_password: wrong-password-0001
    row:
      service: dcs
      instance_id: "{{ dcs_instance }}"
      label: "{{ '{{' }} 1 + 1 {{ '}}' }}"
      connection: {password_variable: cache_password}
      checks:
        - ping: true
        - dbsize: {equals: 1}
        - key: {name: "order:1", equals: paid}
  tasks:
    - name: Passes
      huaweicloud.recovery.restore_verify:
        restores: ["{{ row }}"]
      register: passes
    - name: In check mode
      huaweicloud.recovery.restore_verify:
        restores: ["{{ row }}"]
      check_mode: true
      register: checked
    - name: With the password itself
      huaweicloud.recovery.restore_verify:
        restores: ["{{ row | combine({'connection': {'password': cache_password}}) }}"]
      register: itself
    - name: With a wrong one
      huaweicloud.recovery.restore_verify:
        restores: ["{{ row | combine({'connection': {'password_variable': 'wrong_password'}}) }}"]
      register: wrong
    - name: With a variable that is not there
      huaweicloud.recovery.restore_verify:
        restores: ["{{ row | combine({'connection': {'password_variable': 'no_such_variable'}}) }}"]
      register: missing
    - name: Once more
      huaweicloud.recovery.restore_verify:
        restores: "{{ passes.restores | to_json }}"
        verify_timeout: 30
      register: again
"""


class Filled(RealData):
    """Data that exist whenever the cloud restarts, which it does for each play."""

    def attach(self, cloud: CloudState) -> None:
        super().attach(cloud)
        self.caches[ids.DCS_INSTANCE].client().set("order:1", "paid")


@pytest.fixture(scope="module")
def data() -> Iterator[RealData]:
    binary = caches.find()
    if binary is None:
        pytest.skip("needs a server: apt-get install --no-install-recommends redis-tools")
    with Filled(binary, None) as data:
        yield data


def timeless(value: Any) -> Any:
    """A result without what differs from run to run, and without what only a module's own main() adds."""
    if isinstance(value, dict):
        apart = ("at", "seconds", "invocation", "exception")
        return {name: timeless(inner) for name, inner in value.items() if name not in apart}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def test_both_ways_give_the_same(data: RealData, tmp_path: Path) -> None:
    (tmp_path / "verify.yml").write_text(PLAY, encoding="utf-8")
    with Simulator(data=data) as sim:
        cache = data.caches[ids.DCS_INSTANCE]
        given = {"secrets": {"cache": cache.password}}
        action = runs.play(tmp_path / "verify.yml", tmp_path, sim, "-vvv", variables=given)
        module = runs.play(tmp_path / "verify.yml", tmp_path, sim, "-vvv", variables={**given, **runs.OFF})
        assert sim.errors == []
    assert (action.rc, module.rc, action.modules) == (0, 0, []), action.output
    assert len(module.modules) == 5
    for done in (action, module):
        found = {name: done.of(name) for name in ("passes", "checked", "itself", "wrong", "missing", "again")}
        kinds = {name: result.get("error_kind") for name, result in found.items()}
        assert kinds == {
            "passes": None,
            "checked": None,
            "itself": None,
            "wrong": "login_refused",
            "missing": "invalid_argument",
            "again": None,
        }
        row = found["passes"]["restores"][0]
        assert "names 'no_such_variable', but there is no such" in found["missing"]["msg"]
        assert (row["verification"]["end"], row["label"]) == ("passed", "{{ 1 + 1 }}")
        assert row["connection"] == {"password_variable": "cache_password"}
        assert found["again"]["restores"][0]["steps"][0] == row["steps"][0]
        shown = done.output + json.dumps([done.registered, done.shown])
        assert [secret for secret in ("wrong-password-0001", *runs.SECRETS) if secret in done.stdout] == []
        assert cache.password not in json.dumps(found) and cache.password not in done.stdout, shown
    left, right = action.registered["localhost"], module.registered["localhost"]
    for name in ("passes", "checked", "itself", "wrong", "missing", "again"):
        assert timeless(left[name]) == timeless(right[name]), name
