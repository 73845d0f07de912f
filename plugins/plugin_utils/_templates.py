# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which texts Ansible runs as templates: ours, and no text from the cloud.

Private to this collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible import errors
from ansible.utils.unsafe_proxy import wrap_var

VERSION_KEY = "schema_version"  # every plan and every report has it
JSON_OBJECT = re.compile(r"\s*\{(?![{%#])")
# what `default(omit)` raises for a whole variable; up to ansible-core 2.18 it is a text
OMITTED: t.Any = getattr(errors, "AnsibleValueOmittedError", ())


def from_cloud(value: t.Any) -> t.Any:
    """Return a value from the API with every string in it marked as not a template.

    That is every string, even without braces: up to ansible-core 2.18 a header `#jinja2:` can choose other
    signs.
    """
    if isinstance(value, dict):
        return {from_cloud(name): from_cloud(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [from_cloud(inner) for inner in value]
    return wrap_var(value) if isinstance(value, str) else value


def handed_on(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the plans and reports among variables, as data or as JSON, with every text in them marked.

    They hold text from the cloud. A controller marks what it hands on, but for Ansible, what comes from -e or
    from a file of variables is a template.
    """
    return {name: from_cloud(value) for name, value in variables.items() if is_document(value)}


def is_document(value: t.Any) -> bool:
    """Whether a variable is a plan or a report, or the statistic that holds a plan."""
    if isinstance(value, str):
        return bool(JSON_OBJECT.match(value)) and f'"{VERSION_KEY}"' in value
    return isinstance(value, dict) and (VERSION_KEY in value or is_document(value.get("plan")))


def evaluated(read: t.Callable[[t.Any], t.Any], what: t.Any) -> t.Any:
    """Return what `read` makes of a template, or of the name of a variable; null where that is omitted."""
    try:
        found = read(what)
    except OMITTED:
        return None
    open_vaults(found)
    return found


def open_vaults(value: t.Any) -> None:
    """Raise AnsibleError for a vault within a value that cannot be opened. Up to 2.18, core opens it only
    when its text is used.
    """
    held = [*value.values()] if isinstance(value, dict) else value
    for inner in held if isinstance(held, list) else ():
        open_vaults(inner)
    if getattr(value, "__ENCRYPTED__", False):
        str(value)


def our_template(text: str) -> str:
    """Return our own text as a template: from ansible-core 2.19 on, a string is one only if it is marked."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    trusted: str = trust_as_template(text)
    return trusted
