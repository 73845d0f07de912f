# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/docsite/rst/errors.rst from the message tables: `python -m tests.tools.error_page`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import (
    GATEWAY,
    KINDS,
    Code,
    Kind,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.codes import CODES as DCS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.codes import CODES as DDM
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_advice import BY_CHECK, BY_KIND
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import ADVICE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "errors.rst"
HEAD = """..
  Copyright (c) 2026 the huaweicloud.recovery contributors
  GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.huaweicloud.recovery.docsite.errors:

Every error kind and code
=========================

A failed task has ``error_kind``, a word whose meaning does not change, so a playbook can test it. When a
service has refused a request, the result also has ``error_code``, ``http_status`` and ``request_id``; give
the request ID to support. A script generates this page from the tables in the code.

A result with ``outcome_unknown`` shows what the task knows. ``sent_at`` is when the task sent the request,
and ``checks`` is how many observations followed. The result repeats what the request named: for a cache,
``instance_id``, ``backup_id`` and the ``marker`` at the end of the remark; for a database, ``instance_id``,
``target_instance_id`` and ``restore_time``. ``found`` has the IDs of operations that began in the meantime.
``trail`` has an entry for each observation: its time ``at``, the ``status`` and ``task`` of the instance, the
number of ``records``, what ``blocked`` a start, and the ``error`` if the observation failed. After many
observations it has only the first eight and the last eight.

.. contents::
  :local:

"""
# The kinds of errors that only the role, the playbooks and restore_verify have: what they mean,
# and what was done.
NO_RESTORE, UNTOUCHED = "No restore was started.", "The instance was not overwritten."
DONE = "The restore succeeded."
ADDED = {
    "fence_failed": ("a task of restore_before_tasks failed", NO_RESTORE),
    "login_refused": ("the restored instance refused the user of the checks", DONE),
    "name_mismatch": ("an entry names one instance by its ID and another one by its name", UNTOUCHED),
    "not_approved": ("the plan was not approved, or differs from the approved one", NO_RESTORE),
    "not_configured": ("the connection of the checks lacks something", DONE),
    "protected": ("the instance is in restore_protected, or a drill may not overwrite it", UNTOUCHED),
    "release_failed": ("a task of restore_after_tasks failed", DONE),
    "too_far": ("the data would be older than the requested point by more than restore_max_gap", UNTOUCHED),
    "too_old": ("readiness found no data as new as restore_rpo_target requires", UNTOUCHED),
}
SERVICES = {
    "The gateway and IAM": GATEWAY,
    "Distributed Cache Service (DCS)": DCS,
    "Distributed Database Middleware (DDM)": DDM,
}


def sentence(text: str) -> str:
    """Return a text as a sentence of its own."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def table(widths: str, *rows: Iterable[str]) -> str:
    """Return a list table; the first row is its head."""
    lines = [".. list-table::", "  :header-rows: 1", f"  :widths: {widths}", ""]
    for row in rows:
        lines += [f"  {'* -' if number == 0 else '  -'} {cell}".rstrip() for number, cell in enumerate(row)]
    return "\n".join([*lines, ""])


def kinds(known: Mapping[str, Kind]) -> str:
    head = ("``error_kind``", "What it means", "What was done", "What to do next")
    rows = [
        (f"``{name}``", sentence(kind.meaning), kind.done, kind.advice)
        for name, kind in sorted(known.items())
    ]
    return table("20 30 25 25", head, *rows)


def added() -> dict[str, Kind]:
    """The kinds that only the role, the playbooks and restore_verify have."""
    return {name: Kind(*words, advice_of(name)) for name, words in ADDED.items()}


def advice_of(kind: str) -> str:
    """Return what to do about an error of one of the added kinds."""
    step = {"fence_failed": "fence", "not_approved": "approve", "release_failed": "release"}.get(kind)
    text = ADVICE[step] if step else {**BY_KIND, **BY_CHECK}[kind]
    return text.format(name="the instance")


def codes(known: Mapping[str, Code]) -> str:
    head = ("Code", "What it means", "``error_kind``", "What to do next")
    rows = [
        (f"``{name}``", sentence(code.meaning), f"``{code.kind}``", code.advice or KINDS[code.kind].advice)
        for name, code in sorted(known.items())
    ]
    return table("15 40 15 30", head, *rows)


def section(title: str, text: str) -> str:
    return f"{title}\n{'-' * len(title)}\n\n{text}"


def page() -> str:
    """Return the page."""
    parts = [
        section("Error kinds", kinds(KINDS)),
        section("Of the role, the playbooks and restore_verify alone", kinds(added())),
    ]
    parts += [section(title, codes(known)) for title, known in SERVICES.items()]
    return HEAD + "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
