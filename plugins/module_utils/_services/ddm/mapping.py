# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mapping of data nodes that a recovery sends: the user's, checked, or one that is found."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import NotRestorable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import bare
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm, Row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.data_nodes import (
    Candidates,
    candidates,
    describe_candidates,
    relations,
)


def choose_relations(
    ddm: Ddm, source: str, target: str, restore_time: int, given: t.Sequence[Row] | None
) -> list[Row]:
    """Return the data_node_relations to send: those given, checked, or else a mapping found here.

    Raises NotRestorable.
    """
    options = candidates(ddm, source, target, ddm.related_data_nodes(source, restore_time)[0], restore_time)
    if given:
        return check_relations(given, options)
    found, reason = relations(options)
    if reason:
        raise NotRestorable(
            f"No mapping of the data nodes of {source} to those of {target} exists: {reason}."
        )
    return found


def check_relations(given: t.Sequence[Row], options: Candidates) -> list[Row]:
    """Return a mapping that the user gave, in the API's form.

    Raises NotRestorable unless it maps each source node to an available target.
    """
    nodes = [*options, *(str(row["instance_id"]) for rows in options.values() for row in rows)]
    spelling = {bare(node): node for node in nodes}
    chosen: list[Row] = [{end: spelling.get(bare(node), node) for end, node in row.items()} for row in given]
    sources = [row["source_instance_id"] for row in chosen]
    targets = [row["target_instance_id"] for row in chosen]
    faults = [f"data node {node} of the source is not mapped" for node in options if node not in sources]
    faults += [
        f"{node} is not a data node of the source at that time" for node in sources if node not in options
    ]
    for source, target in zip(sources, targets):
        rows = options.get(source)
        usable = [node["instance_id"] for node in rows or () if node["available"]]
        if rows is not None and target not in usable:
            faults.append(f"{target} cannot take {source} ({describe_candidates(rows)})")
    if faults:
        pairs = [
            f"{{{', '.join(f'{end}: {node}' for end, node in row.items())}}}" for row in relations(options)[0]
        ]
        fits = f" This would fit: [{', '.join(pairs)}]." if pairs else ""
        raise NotRestorable(f"data_node_relations cannot be used: {'; '.join(faults)}.{fits}")
    return chosen
