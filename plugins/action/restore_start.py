# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.module_utils._module import answered
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils import _start
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._door import Door

NAMES = {"dcs": "huaweicloud.recovery.dcs_restore", "ddm": "huaweicloud.recovery.ddm_recovery"}


class ActionModule(Door):
    """Starts many restores in the controller's own process, or where that is not possible one module after the other."""

    _supports_async = False
    module = _start

    def as_module(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module of each entry, with the options of this task."""
        super(Door, self).run(None, task_vars)  # refuses what an action cannot do
        options = self.validate_argument_spec({**CONNECTION, **_start.OPTIONS})[1]
        entries = options["restores"]
        repeated = _start.twice(entries)
        common = {name: value for name, value in self._task.args.items() if name not in _start.OPTIONS}
        common.update(wait=False, wait_timeout=options["start_timeout"])

        def start(entry: dict[str, t.Any]) -> dict[str, t.Any]:
            given = {name: value for name, value in _start.request(entry, repeated).items() if value is not None}
            region = {"region": entry["region"]} if entry.get("region") else {}
            answer = self._execute_module(module_name=NAMES[entry["service"]], module_args={**common, **region, **given}, task_vars=task_vars)
            return {name: value for name, value in answer.items() if name not in _start.ANSIBLES and not name.startswith("_ansible")}

        return _start.summary(entries, [answered(functools.partial(start, entry), lambda: False, starts=True) for entry in entries])
