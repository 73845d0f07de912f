# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in the arguments of a task that no argument spec describes. A refused row can have them anywhere.

Private to this collection. Ansible shows the arguments at -vvv, and results have the rows.
"""

from __future__ import annotations

import contextlib
import json
import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import STARS, Redactor
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import from_cloud

# How the name of a secret ends; where a text holds a secret, and where a URL holds the password
SECRET = r"(?i:passw(?:or)?d|passphrase|pwd|secret\w*|token|(?:private|api).?key|\bsk)s?"
NAME = re.compile(f"{SECRET}$")
HELD = re.compile(rf"{SECRET}\W*[:=]\W*([^\s,'\"\]}}]*)|://[^/@\s]*:([^/\s]+)@")
NOT_TEXT = ("restores", "connection", "checks")  # a text in their place is refused
Value = t.TypeVar("Value")


def within(value: t.Any, name: str = "") -> t.Iterator[str]:
    """Yield the secrets in arguments: what has the name of one, and what texts hold."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for found in HELD.findall(str(key)):  # {password:x} without a blank is a key in YAML
                yield from (str(key), *found)
            yield from within(inner, name if NAME.search(name) else str(key))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from within(inner, name)
    elif NAME.search(name):
        yield "" if value is None or isinstance(value, bool) else str(value)
    elif isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            read = json.loads(value) if name in NOT_TEXT else None
            yield from within(read, name) if isinstance(read, (dict, list)) else ()
        for named, of_url in HELD.findall(value):
            yield from (value, named, of_url) if name in NOT_TEXT else (of_url,)


def without(result: Value, secrets: t.Iterable[str]) -> Value:
    """Return a result with stars in place of secrets. Texts without a secret stay as they are."""
    redactor = Redactor()
    for secret in secrets:
        redactor.add(secret)
    return t.cast(Value, _redacted(result, redactor)) if redactor.forms else result


def _redacted(value: t.Any, redactor: Redactor) -> t.Any:
    if isinstance(value, dict):
        return {_redacted(name, redactor): _redacted(inner, redactor) for name, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner, redactor) for inner in value]
    if isinstance(value, int):  # A time or a size that holds the digits of a secret is none.
        return STARS if str(value) in redactor.forms and not isinstance(value, bool) else value
    text = redactor.redact(value) if isinstance(value, str) else value
    return value if text == value else from_cloud(text)
