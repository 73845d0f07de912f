# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/docsite/rst/errors.rst from the message tables: `python -m tests.tools.error_page`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import ADVICE as REFUSED
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import (
    BY_STATUS,
    GATEWAY,
    Code,
    kind_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services import base
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
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

{unlisted}

A result with ``outcome_unknown`` shows what the task knows. ``sent_at`` is when the task sent the request,
and ``checks`` is how many observations followed. The result repeats what the request named: for a cache,
``instance_id``, ``backup_id`` and the ``marker`` at the end of the remark; for a database, ``instance_id``,
``target_instance_id`` and ``restore_time``, or the ``backup_id`` of metadata. ``found`` has the IDs of
operations that began in the meantime. ``trail`` has an entry for each observation: its time ``at``, the
``status`` and ``task`` of the instance, the number of ``records``, what ``blocked`` a start, and the
``error`` if the observation failed. After many observations it has only the first eight and the last eight;
``trail_left_out`` says how many it lacks.

.. contents::
  :local:

"""


class Kind(NamedTuple):
    """What an error_kind means, what was and was not done then, and what to do next."""

    meaning: str
    done: str
    advice: str


_NOTHING = "Nothing was started."
_NO_REQUEST = "No request was sent."
_RUNS_ON = "The operation was started, and nothing was repeated."
_BY_MESSAGE = "The message says whether something was started."
KINDS: dict[str, Kind] = {
    "auth_failed": Kind("the cloud does not accept the credentials", _BY_MESSAGE, REFUSED["auth_failed"]),
    "busy": Kind(
        "something else holds the instance", _NOTHING, "Wait for that to end, then run the task again."
    ),
    "denied": Kind(
        "the credentials are right, but a permission is missing",
        _BY_MESSAGE,
        REFUSED["denied"],
    ),
    "duplicate_detected": Kind(
        "two operations carry the marker of the task, or two restores of its backup have not ended",
        "Nothing was repeated.",
        (
            "Somebody started one of them outside of this collection, or the record of one is stuck. Wait "
            "until both have ended, then run the task again."
        ),
    ),
    "internal_error": Kind(
        "this collection has a bug", _BY_MESSAGE, "Report it with the place that the message names."
    ),
    "interrupted": Kind(
        "the task was interrupted",
        _BY_MESSAGE,
        "Run the same task again: it attaches to what runs, or names the job to give as job_id.",
    ),
    "invalid_argument": Kind(
        "an option has a value that is not valid",
        _BY_MESSAGE,
        "Correct the option that the message names.",
    ),
    "missing_library": Kind(
        "a Python package is missing",
        "Nothing was started. If only the check of a restore needs the package, the restore has succeeded.",
        "Install the package that the message names.",
    ),
    "name_mismatch": Kind(
        "a row or an entry names one instance by its ID and another one by its name",
        "The instance was not overwritten.",
        "Find out which of the two instances is meant, correct the row or the entry, then run it again.",
    ),
    "not_found": Kind(
        "the object does not exist in this project and region",
        _NOTHING,
        "Check the ID, the project and the region.",
    ),
    "not_restorable": Kind(
        "the backup, the time or the target cannot be used for this restore",
        _NOTHING,
        "Read the reason in the message, then choose another backup, time or target.",
    ),
    "not_running": Kind(
        "the instance was restored, but is not running",
        "The restore succeeded.",
        "Check the instance in the console.",
    ),
    "not_started": Kind(
        "the request that starts the operation was never sent",
        _NOTHING,
        "Run the task again when the cloud can be reached.",
    ),
    "operation_failed": Kind(
        "the cloud ran the operation, and it failed",
        "The operation was started, and it ended.",
        "Check the instance, then run the task again: it starts the operation once more.",
    ),
    "out_of_memory": Kind(
        "the task ran out of memory",
        _BY_MESSAGE,
        "Give the task more memory (ulimit -v, or the limit of the container), then run the same task again.",
    ),
    "outcome_unknown": Kind(
        "the request was sent, and no conclusive response was received",
        "At most one operation was started. Nothing was repeated.",
        (
            "Run the same task again in 5 minutes: it attaches to what it finds, or names the job to give "
            "as job_id."
        ),
    ),
    "protocol_error": Kind(
        "the response is not what the API documents",
        _BY_MESSAGE,
        REFUSED["protocol_error"],
    ),
    "rejected": Kind("the service refused the request", _NOTHING, "Do what the service's own text says."),
    "server_error": Kind("the service failed", _BY_MESSAGE, "Run the task again in a few minutes."),
    "throttled": Kind(
        "too many requests were made",
        _BY_MESSAGE,
        REFUSED["throttled"],
    ),
    "tls_error": Kind(
        "the server's certificate was not accepted",
        _BY_MESSAGE,
        "Give your CA bundle in ca_path.",
    ),
    "transport_error": Kind(
        "no usable HTTP response was received",
        _BY_MESSAGE,
        "Fix the network or the proxy, then run the task again.",
    ),
    "unexpected_redirect": Kind(
        "the server sent a redirect, which the task never follows",
        _BY_MESSAGE,
        "Check the endpoint option.",
    ),
    "unreachable": Kind(
        "the restored instance could not be reached for its checks",
        "The restore succeeded.",
        (
            "Check address, port, security group and TLS, then run the same task again: only the checks are "
            "repeated."
        ),
    ),
    "unsupported_python": Kind(
        "the Python that runs the module is older than 3.9",
        _NO_REQUEST,
        "Set ansible_python_interpreter of the host to a newer Python.",
    ),
    "verification_failed": Kind(
        "a check did not find the data that it expects",
        "The restore succeeded.",
        "Keep applications away from the instance. Correct the check, or restore to another point in time.",
    ),
    "verify_timeout": Kind(
        "the checks did not finish in time",
        "The restore succeeded.",
        "Give a larger verify_timeout, then run the same task again: only the checks are repeated.",
    ),
    "wait_timeout": Kind(
        "the operation was still running when wait_timeout had passed",
        _RUNS_ON,
        "Wait for it with restore_wait, or run the task again (for DDM with job_id) to attach to it.",
    ),
    "wrong_endpoint": Kind("the endpoint does not know this API", _NOTHING, REFUSED["wrong_endpoint"]),
}
# The kinds of errors that only the role, the playbooks and restore_verify have: what they mean,
# and what was done.
NO_RESTORE, UNTOUCHED = "No restore was started.", "The instance was not overwritten."
DONE = "The restore succeeded."
ADDED = {
    "fence_failed": ("a task of restore_before_tasks failed", NO_RESTORE),
    "login_refused": ("the restored instance refused the user of the checks", DONE),
    "not_approved": ("the plan was not approved, or differs from the approved one", NO_RESTORE),
    "not_configured": ("the connection of the checks lacks something", DONE),
    "protected": ("the instance is in restore_protected, or a drill may not overwrite it", UNTOUCHED),
    "release_failed": ("a task of restore_after_tasks failed", DONE),
    "too_far": ("the data would be older than the requested point by more than restore_max_gap", UNTOUCHED),
    "too_old": ("readiness found no data as new as restore_rpo_target requires", UNTOUCHED),
}


# Documented codes that no module needs to know: their HTTP status says the kind, and a message quotes the
# service's text. Sources: the pages "Error Codes" of API Gateway, DCS, DDM and RDS (DDM's platform).
PLAIN: dict[str, dict[int, dict[str, str]]] = {
    "gateway": {
        500: {
            "APIGW.0601": "the gateway failed",
            "APIGW.0608": "the gateway could not get a token of its own",
        },
        502: {"APIGW.0202": "the server behind the gateway is not available"},
        503: {"APIGW.0613": "IAM is not available to the gateway"},
        504: {"APIGW.0203": "the server behind the gateway did not respond in time"},
    },
    "dcs": {
        400: {
            "DCS.4031": "a time in the request is later than the time of the server",
            "DCS.4035": "the quota of instances is used up",
            "DCS.4036": "the quota of memory is used up",
            "DCS.4039": "a quota is used up",
            "DCS.4094": "the service has no such job",
            "DCS.4107": "an order for this instance is not paid",
        },
        500: {
            "DCS.4069": "somebody else is changing the parameters of the instance",
            "DCS.4842": "a job of the service failed",
            "DCS.5000": "the service failed",
            "DCS.5006": "the service could not submit its job",
            "DCS.5024": "the service could not read the instance",
            "DCS.5077": "the service could not read the backup policy",
            "DCS.5078": "the service could not read the backup record",
            "DCS.5079": "the service could not read the restore record",
            "DCS.5090": "the service could not save the backup",
            "DCS.5091": "a script of the service failed",
            "DCS.5092": "the service could not save and restore",
            "DCS.5095": "a script of the service failed and has to run again",
        },
    },
    "ddm": {
        400: {
            "DBS.300002": "the service failed",
            "DBS.300005": "the service could not process the request",
            "DBS.300103": "the RDS instance does not exist, or is in another VPC",
            "DBS.300107": "an account is named twice",
            "DBS.300108": "an RDS instance is named twice",
            "DBS.300110": "the status of the RDS instance does not allow its association",
            "DBS.300116": "the service could not read the RDS instances that are available",
            "DBS.300117": "the service could not read the RDS instances that are associated",
            "DBS.300120": "the service could not read the job",
            "DBS.300125": "the service could not synchronise with RDS",
            "DBS.300322": "the service could not save metadata",
            "DBS.300323": "an associated RDS instance is not available",
            "DBS.300350": "data that the service needs do not exist",
            "DBS.300356": "the service cannot connect to the RDS instance",
            "DBS.300357": "the administrator of the RDS instance is wrong",
            "DBS.300363": "the check before the operation failed",
        },
        413: {"DBS.200046": "a quota is used up", "DBS.290003": "a quota is used up"},
        500: {"DBS.200412": "the service failed"},
    },
}


def plain(part: str) -> Mapping[str, Code]:
    """Return the codes of a service, or of the gateway, that have the kind of their HTTP status."""
    return {
        code: Code(kind_of(status, code, {}), meaning)
        for status, of_status in PLAIN.get(part, {}).items()
        for code, meaning in of_status.items()
    }


def codes_of(service: str) -> Mapping[str, Code]:
    """Return the error codes of a service that the modules know."""
    found: Mapping[str, Code] = import_module(f"{base.__package__}.{service}.codes").CODES
    return found


def reasons_of(service: str) -> Mapping[str, Code]:
    """Return the codes that the records of a service have when an operation has failed."""
    found = getattr(import_module(f"{base.__package__}.{service}.readiness"), "REASONS", {})
    return {code: Code("operation_failed", meaning) for code, meaning in found.items()}


def unlisted() -> str:
    """Say what kind a code has that no table lists."""
    by_status = [f"{status} is ``{kind}``" for status, kind in sorted(BY_STATUS.items())]
    return (
        "A code that is not listed has the kind of its HTTP status, and the message quotes the service's\n"
        f"text: {', '.join(by_status)},\nany other 4xx is ``rejected``, and 5xx is ``server_error``."
    )


def sentence(text: str) -> str:
    """Return a text as a sentence of its own."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def table(widths: str, *rows: Iterable[str]) -> str:
    """Return a list table; the first row is its head."""
    lines = [".. list-table::", "  :class: stacked", "  :header-rows: 1", f"  :widths: {widths}", ""]
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
        section("Only in the role, the playbooks and restore_verify", kinds(added())),
    ]
    parts.append(section("The gateway and IAM", codes({**plain("gateway"), **GATEWAY})))
    for name, service in SERVICES.items():
        parts.append(section(service.title, codes({**plain(name), **codes_of(name)})))
        if reasons := reasons_of(name):
            parts.append(section(f"{service.title}: restores and backups that failed", codes(reasons)))
    return HEAD.replace("{unlisted}", unlisted()) + "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
