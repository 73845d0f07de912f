# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What code that only reads needs to know about each service, without asking for its name."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud

Row = t.Dict[str, t.Any]
TARGET_KEYS = (
    "instance_id",
    "instance_name",
    "status",
    "engine",
    "engine_version",
    "used_memory",
    "max_memory",
    "vpc_name",
    "address",
    "port",
)


@dataclass(frozen=True)
class Reading:
    """The part of a service that reads one instance. It is enough to verify.

    - `name`: value of `service` in rows, name of its endpoint.
    - `instance(cloud, instance_id)`: one instance, all its details, its ID under `instance_id`.
    - `target(instance)`: an instance as the row's `target`: TARGET_KEYS, null when unknown. used_memory and
      max_memory are MB.
    - `ready(instance)`: why an instance does not serve now, in words, or None.
    - `overwritten(row)`: ID, name or job by which a row says which instance it overwrites, or None.
    - `place(instance)`: where clients reach an instance: host and port, null when unknown, and whether it
      has `tls` and is a `cluster`.
    - `probe`: the kind of checks that restore_verify knows for it, e.g. redis.
    """

    name: str
    instance: t.Callable[[Cloud, str], Row]
    target: t.Callable[[t.Mapping[str, t.Any]], Row]
    ready: t.Callable[[t.Mapping[str, t.Any]], str | None]
    overwritten: t.Callable[[t.Mapping[str, t.Any]], str | None]
    place: t.Callable[[t.Mapping[str, t.Any]], Row]
    probe: str
