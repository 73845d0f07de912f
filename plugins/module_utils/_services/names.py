# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances by their names: exactly one with that name, or an error that lists the candidates."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ApiError, NotFound
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import printable

Row = t.Dict[str, t.Any]
T = t.TypeVar("T")
SHOWN = 10  # instances that an error lists


def one_named(rows: t.Sequence[Row], name: str, option: str, what: str) -> Row:
    """Return the one instance of this name among rows with instance_id, name, status and a VPC.

    Raises NotFound with the candidates.

    `option` is the one that names it, e.g. target_instance_name; `what` the kind of instance, e.g. DDM.
    """
    found = [row for row in rows if row["name"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(
            f"{len(found)} {what} instances are named {printable(name)}: {describe_instances(found)}. "
            f"Give {option.replace('_name', '_id')} instead of {option}."
        )
    near = [row for row in rows if name.lower() in str(row["name"]).lower()] or rows
    raise NotFound(
        f"No {what} instance is named {printable(name)} in this project and region ({option} takes the "
        f"exact name). There are: {describe_instances(near)}."
    )


def describe_instances(rows: t.Sequence[Row]) -> str:
    """Return instances with name, ID, status and VPC, for people."""
    shown = [
        f"{printable(row['name'])} ({row['instance_id']}, {printable(row['status'])}, "
        f"VPC {printable(row.get('vpc_name') or row.get('vpc_id') or 'unknown')})"
        for row in rows[:SHOWN]
    ]
    more = [f"{len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return "; ".join([*shown, *more]) or "none"


def by_id(read: t.Callable[[], T], given: str, module: str) -> T:
    """Return read(), which reads the instance with the given ID.

    An ID that does not exist may be a name: the error says so, if the service itself does not know the ID.
    """
    try:
        return read()
    except (ApiError, NotFound) as error:
        # Without a code the error is about the project, which IAM has.
        missing = isinstance(error, NotFound) and "error_code" in error.facts
        if not missing and error.kind != "invalid_argument":
            raise
        hint = (
            f"If {printable(given)} is a name and not an ID, give it as instance_name; "
            f"huaweicloud.recovery.{module} lists the names and IDs."
        )
        raise error.with_context(f"{error} {hint}") from None
