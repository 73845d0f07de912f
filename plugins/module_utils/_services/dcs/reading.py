# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of DCS that reads an instance."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.records import obstacle
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import (
    TARGET_KEYS,
    Reading,
    Row,
)


def target(instance: t.Mapping[str, t.Any]) -> Row:
    """Return an instance as the target of a row, with the first of its addresses."""
    addresses = (instance.get("ip") or "").split(",")
    found = {**instance, "instance_name": instance.get("name"), "address": addresses[0].strip() or None}
    return {name: found.get(name) for name in TARGET_KEYS}


def place(instance: t.Mapping[str, t.Any]) -> Row:
    """Return where and how clients reach an instance."""
    found = target(instance)
    return {
        "host": found["address"],
        "port": found["port"],
        "tls": bool(instance.get("enable_ssl")),
        "cluster": instance.get("cache_mode") == "cluster",
    }


READING = Reading(
    name="dcs",
    instance=lambda cloud, instance_id: Dcs(cloud).instance(instance_id),
    target=target,
    ready=obstacle,
    overwritten=lambda row: row.get("instance_id") or row.get("instance_name"),
    place=place,
    probe="redis",
)
