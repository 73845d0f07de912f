# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DCS instance as the options name it, by its ID or by its exact name."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.names import by_id, one_named

MODULE = "dcs_instance_info"
OPTIONS: Spec = {"instance_id": {"type": "str"}, "instance_name": {"type": "str"}}
INSTANCE_OPTIONS = tuple(OPTIONS)
RULES: dict[str, t.Any] = {"required_one_of": [INSTANCE_OPTIONS], "mutually_exclusive": [INSTANCE_OPTIONS]}
T = t.TypeVar("T")


def instance_id(dcs: Dcs, params: t.Mapping[str, t.Any]) -> str:
    """Return the ID of the instance that the options name.

    Raises NotFound, with the candidates, for a name.
    """
    given, name = params["instance_id"], params["instance_name"]
    if given:
        return str(given)
    rows = dcs.instances(name) or dcs.instances()  # to show the others
    return str(one_named(rows, name, "instance_name", "DCS")["instance_id"])


def instance(dcs: Dcs, params: t.Mapping[str, t.Any]) -> Row:
    """Return the details of the instance that the options name."""
    return of_instance(dcs, params, dcs.instance)


def of_instance(dcs: Dcs, params: t.Mapping[str, t.Any], read: t.Callable[[str], T]) -> T:
    """Return read() of the ID of the instance that the options name.

    An ID that does not exist may be a name: the error says so.
    """
    found = instance_id(dcs, params)
    return by_id(lambda: read(found), found, MODULE)
