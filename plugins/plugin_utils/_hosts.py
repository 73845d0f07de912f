# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances as hosts: their names, and which strings Ansible may read as templates. Private to this collection."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from ansible.utils.unsafe_proxy import wrap_var

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
TAKEN = {"all", "ungrouped", "localhost"}  # names that mean something to Ansible


def host_names(rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the host name of each instance: its name where that is one instance's alone and fit for host patterns, else its id.

    The order of the instances has no influence, so that a host keeps its name from run to run.
    """
    used = Counter(text for row in rows for text in (row["name"], row["instance_id"]))
    return [
        row["name"]
        if used[row["name"]] == 1 and NAME.fullmatch(row["name"] or "") and row["name"] not in TAKEN
        else row["instance_id"]
        for row in rows
    ]


def from_cloud(value: t.Any) -> t.Any:
    """Return a value that the API sent, with every string in it that looks like a template marked as none. Whoever names an instance must not run code here."""
    if isinstance(value, dict):
        return {name: from_cloud(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [from_cloud(inner) for inner in value]
    return wrap_var(value) if isinstance(value, str) and re.search(r"[{}]", value) else value


def our_template(text: str) -> str:
    """Return a text of ours as a template: from ansible-core 2.19 on no string is one unless it is said."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    trusted: str = trust_as_template(text)
    return trusted
