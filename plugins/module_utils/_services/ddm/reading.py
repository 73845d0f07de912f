# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of DDM that reads an instance."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import (
    Ddm,
    with_instance_id,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.records import obstacle
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import (
    TARGET_KEYS,
    Reading,
    Row,
)


def target(instance: t.Mapping[str, t.Any]) -> Row:
    """Return an instance, or an item of the list of restorable ones, as the target of a row."""
    port = str(instance.get("access_port") or "")
    found = {
        **instance,
        "instance_name": instance.get("name") or instance.get("instance_name"),
        "engine": "MySQL",
        "address": instance.get("access_ip"),
        "port": int(port) if port.isdecimal() else None,
    }
    return {name: found.get(name) for name in TARGET_KEYS}


def overwritten(row: t.Mapping[str, t.Any]) -> str | None:
    """Return the target, or the job that overwrites it."""
    return row.get("target_instance_id") or row.get("target_instance_name") or row.get("job_id")


def place(instance: t.Mapping[str, t.Any]) -> Row:
    """Return where clients reach an instance. The API does not say whether it has TLS."""
    found = target(instance)
    return {"host": found["address"], "port": found["port"], "tls": False, "cluster": False}


READING = Reading(
    name="ddm",
    instance=lambda cloud, instance_id: with_instance_id(Ddm(cloud).instance(instance_id)),
    target=target,
    ready=obstacle,
    overwritten=overwritten,
    place=place,
    probe="mysql",
)
