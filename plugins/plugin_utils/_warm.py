# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every task needs, loaded once in the controller's parent process: each worker is forked from it. Private to this collection."""

from __future__ import annotations

import contextlib
import os

from ansible.module_utils.common import json as common_json
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import deps
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Answer, Http, tls_context
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION

URL = "http://127.0.0.1"


def warm_up() -> None:
    """Import, compile and cache what Python and the libraries put off until the first use: a third of a task. No socket and no thread is opened."""
    with contextlib.suppress(InvalidArgument):  # no bundle: the task that needs one will say so
        tls_context(ca_path=os.environ.get("HW_CA_PATH") or None)
    if hasattr(common_json, "get_module_encoder"):  # ansible-core 2.19 on
        for direction in common_json.Direction:
            common_json.get_module_encoder("legacy", direction)
            common_json.get_module_decoder("legacy", direction)
    ModuleArgumentSpecValidator(CONNECTION).validate({"region": "any"})
    Http()
    deps.requests.Request("GET", URL, headers={"Accept": "application/json"}).prepare()
    keys = {"access_key": "none", "secret_key": "none", "project_id": "none", "dcs_endpoint": URL}
    with contextlib.suppress(InvalidArgument):
        Cloud(keys, {}, http=lambda *args: Answer(200, {}, b"{}")).get("dcs", "v2", "instances", query={"limit": 1})
