# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DDM instances as the options name them, by their IDs or by their exact names."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import Spec
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import (
    Ddm,
    Row,
    with_instance_id,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.names import by_id, one_named

MODULE = "ddm_instance_info"
SOURCE_OPTIONS = ("instance_id", "instance_name")
TARGET_OPTIONS = ("target_instance_id", "target_instance_name")
OPTIONS: Spec = {name: {"type": "str"} for name in (*SOURCE_OPTIONS, *TARGET_OPTIONS)}
T = t.TypeVar("T")


class Named(t.NamedTuple):
    """Source and target as the options name them; `rows` has the instances read on the way, by ID."""

    source: str | None
    target: str | None
    rows: dict[str, Row]


def ids_of(ddm: Ddm, params: t.Mapping[str, t.Any]) -> Named:
    """Return the IDs of source and target.

    The instances are listed only when one is given by its name. Raises NotFound.
    """
    source, target = params["instance_id"], params.get("target_instance_id")
    names = [params["instance_name"], params.get("target_instance_name")]
    if not any(names):
        return Named(source, target, {})
    rows = [with_instance_id(row) for row in ddm.instances([name for name in names if name])]
    if names[0]:
        source = one_named(rows, names[0], "instance_name", "DDM")["instance_id"]
    if names[1]:
        target = one_named(rows, names[1], "target_instance_name", "DDM")["instance_id"]
    return Named(source, target, {row["instance_id"]: row for row in rows})


def of_source(source: str, read: t.Callable[[str], T]) -> T:
    """Return read(source). An ID that does not exist may be a name: the error says so."""
    return by_id(lambda: read(source), source, MODULE)
