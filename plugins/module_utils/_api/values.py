# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values from the API, made regular: what the documents call a string, a flag or an id, and the oddities that come instead."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ProtocolError, printable

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)


def is_id(value: t.Any) -> bool:
    """Whether value can be an id of the API: one path segment of letters, digits, '-' and '_', 1 to 128 characters."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def text(value: t.Any) -> str | None:
    """Return a string, or null for the ways in which the API says null: {}, [], '', null and '{}' (facts.md 7, anomaly 1)."""
    if value in (None, "", "{}") or isinstance(value, (dict, list)):
        return None
    return str(value).encode("utf-8", "replace").decode("utf-8")


def flag(value: t.Any) -> bool | None:
    """Return a bool for true/"TRUE"/"true", false/"FALSE"/"false"; null for all else."""
    return {"true": True, "false": False}.get(str(value).lower())


def whole(value: t.Any) -> int | None:
    """Return an int for an int or an integral string; null for all else."""
    digits = str(value)
    return int(digits) if not isinstance(value, bool) and re.fullmatch(r"-?[0-9]{1,18}", digits) else None


def row(item: t.Any, required: t.Iterable[str], optional: t.Iterable[str] = ()) -> dict[str, t.Any]:
    """Return the named fields of an API object as text. Raises ProtocolError when a required one is missing or an id that is none: never a default for it."""
    if not isinstance(item, dict):
        raise ProtocolError(f"The API sent {printable(item, 80)} where an object is documented.")
    fields = {name: text(item.get(name)) for name in (*required, *optional)}
    missing = [name for name in required if fields[name] is None or (name.endswith("id") and not is_id(item[name]))]
    if missing:
        raise ProtocolError(f"The API sent an object without a valid {', '.join(missing)} (it has: {printable(', '.join(map(str, item)), 200)}).")
    return fields


def items(body: t.Any, key: str) -> list[t.Any]:
    """Return the list under `key`. Raises ProtocolError unless it is there and a list: a missing list is never 'no records'."""
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise ProtocolError(f"The API sent an answer without the list {key!r}.", transient=True)
    return found
