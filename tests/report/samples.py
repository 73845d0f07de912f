# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sample rows and their reports: a made-up shop of databases and caches, restored to yesterday 14:05 UTC.

report = samples.VARIANTS["two_of_ten_failed"]()
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, moment
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report import report
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_files import begin

Row = dict[str, Any]

STARTED = moment("2026-11-25T09:02:11Z") or 0
POINT = "2026-11-24T14:05:00Z"
POINT_MS = moment(POINT) or 0
DATABASES = ("orders-db", "customers-db", "billing-db", "catalog-db")
CACHES = ("orders-cache", "session-cache", "cart-cache", "catalog-cache", "pricing-cache", "search-cache")
# Texts with which a cloud, or a user who names things there, could break a page
HOSTILE = (
    "<script>alert(1)</script>",
    "{{ lookup('pipe', 'id') }}{% raw %}",
    "</script><img src=https://evil.example/x onerror=alert(1)>",
    "abc\u202egpj.exe\u2066x\u200b",
    "| a | [x](javascript:alert(1)) `b` **c** <b>d</b> &lt; "
    "www.evil.example https://evil.example/ a@evil.example",
    "line\nbreak\r\x1b[31mred\x00\x9b\ud800",
    "]]> --> ${jndi:ldap://evil.example} '\"><style>*{display:none}",
)


def identifier(text: str) -> str:
    """An ID like the API's: the same for the same text."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def at(seconds: float) -> str:
    """The time so many seconds after the start of the run."""
    return iso(STARTED + int(1000 * seconds))


def step(
    name: str,
    begin_s: float,
    seconds: float,
    outcome: str = "ok",
    kind: str | None = None,
    msg: str | None = None,
) -> Row:
    """A step of a row."""
    return {
        "step": name,
        "outcome": outcome,
        "error_kind": kind,
        "msg": msg,
        "at": at(begin_s),
        "seconds": seconds,
    }


def check(
    name: str, kind: str, expected: Any, found: Any, outcome: str = "passed", msg: str | None = None
) -> Row:
    """A check of a verification."""
    return {
        "name": name,
        "kind": kind,
        "expected": expected,
        "found": found,
        "outcome": outcome,
        "seconds": 0.004,
        "msg": msg,
    }


def planned(service: str, name: str, number: int = 0) -> Row:
    """A row as the plan knows it."""
    own = identifier(name)
    cache = service == "dcs"
    data_time = iso(POINT_MS - (263_000 + 9_000 * number if cache else 0))
    backup: Row = {
        "backup_id": identifier(name + "-backup"),
        "backup_name": f"backup_{20261124140000 + number}",
        "created_at": data_time,
    }
    backup.update(size=2_100_000_000 + number, status="succeed", is_support_restore=True, backup_type="auto")
    return {
        "service": service,
        "name": None,
        "label": None,
        "group": 2 if cache else 1,
        "instance_id": own,
        "target_instance_id": None if cache else identifier(name + "-restored"),
        "restore_point": POINT if cache else None,
        "restore_time": None if cache else POINT_MS,
        "operation_id": "CHG-1042",
        "checks": [{"kind": "ping", "password": "never-in-a-report"}],
        "target": {
            **{
                "instance_id": own if cache else identifier(name + "-restored"),
                "instance_name": name if cache else f"{name}-restored",
            },
            **{
                "status": "RUNNING",
                "engine": "Redis" if cache else "DDM",
                "engine_version": "6.0" if cache else "3.1.0",
            },
            **{
                "used_memory": 42 + number if cache else None,
                "max_memory": 2048 if cache else None,
                "vpc_name": "vpc-production",
            },
            **{"address": f"192.168.0.{10 + number}", "port": 6379 if cache else 5066},
        },
        "source": {"instance_id": own, "instance_name": name},
        "action": "restore",
        "what": f"backup {backup['backup_name']}" if cache else f"the data of {name} as of {POINT}",
        "backup": backup if cache else None,
        "restore": None,
        "job": None,
        "restore_id": None,
        "job_id": None,
        "data_node_relations": None
        if cache
        else [{"source_instance_id": own[:8] + "in09", "target_instance_id": own[9:13] + "0000in09"}],
        "data_time": data_time,
        "newer_backup": {**backup, "backup_name": "before release 4.12", "created_at": "2026-11-24T14:20:00Z"}
        if cache and number % 3 == 0
        else None,
        "last_seconds": 90 + 5 * number,
        "outcome": "planned",
        "changed": True,
        "adopted": False,
        **dict.fromkeys(
            ("failed_step", "error_kind", "msg", "error_code", "request_id", "elapsed", "details")
        ),
        "safety_backup": None,
        "verification": None,
        "steps": [step("plan", 0, 2.1)],
    }


def started(row: Row, begin_s: float) -> Row:
    """A row whose restore was accepted, a cache after its safety backup."""
    cache, name = row["service"] == "dcs", row["target"]["instance_name"]
    steps = [*row["steps"], step("approve", 3, 12)]
    safety = None
    if cache:
        steps.append(step("safeguard", 16, 31))
        safety = {
            "backup_id": identifier(name + "-safety"),
            "backup_name": "recovery-safety",
            "created_at": at(47),
        }
    ids = {"restore_id": identifier(name + "-restore")} if cache else {"job_id": identifier(name + "-job")}
    return {
        **row,
        **ids,
        "outcome": "started",
        "safety_backup": safety,
        "steps": [*steps, step("restore", begin_s, 1.2)],
    }


def restored(row: Row, begin_s: float, seconds: float) -> Row:
    """A row whose restore has succeeded."""
    row = started(row, begin_s)
    return {
        **row,
        "outcome": "succeeded",
        "elapsed": seconds,
        "steps": [*row["steps"], step("wait", begin_s + 1.2, seconds)],
    }


def verified(row: Row, begin_s: float, seconds: float) -> Row:
    """A row that is restored and has passed its checks."""
    row = restored(row, begin_s, seconds)
    checks = (
        [
            check("PING", "ping", "PONG", "PONG"),
            check("DBSIZE", "dbsize", "at least 40,380", "41,280"),
            check("GET canary", "key", "2026-11-24", "2026-11-24"),
        ]
        if row["service"] == "dcs"
        else [
            check("connect", "connect", "user verify", "user verify, TLS 1.3"),
            check("newest order", "newest", f"not after {POINT}", "2026-11-24 14:04:58"),
        ]
    )
    verification = {"end": "passed", "ladder": "values", "checks": checks}
    return {
        **row,
        "verification": verification,
        "steps": [*row["steps"], step("verify", begin_s + seconds + 2, 9)],
    }


def failed(row: Row, name: str, begin_s: float, kind: str, msg: str, **facts: Any) -> Row:
    """A row that failed in a step."""
    took = facts.get("elapsed") or 4
    steps = [*row["steps"], step(name, begin_s, took, "failed", kind, msg)]
    return {
        **row,
        "outcome": None,
        "failed_step": name,
        "error_kind": kind,
        "msg": msg,
        **facts,
        "steps": steps,
    }


def empty_cache(row: Row) -> Row:
    """A cache that was restored from an empty backup."""
    row = restored(row, 420, 92)
    checks = [
        check("PING", "ping", "PONG", "PONG"),
        check("DBSIZE", "dbsize", "at least 50,150", "0", "failed", "0 keys, at least 50,150 were expected"),
    ]
    row["verification"] = {"end": "failed", "ladder": "reachable", "checks": checks}
    msg = "1 of 2 checks failed: DBSIZE is 0, at least 50,150 was expected."
    return failed(row, "verify", 514, "verification_failed", msg)


def failed_job(row: Row) -> Row:
    """A database whose job has failed."""
    row = started(row, 96)
    row["job"] = {
        "id": row["job_id"],
        "name": "RestoreInstance",
        "status": "Failed",
        "process": "60%",
        "fail_reason": "The data node is abnormal.",
    }
    msg = f"The job {row['job_id']} has failed: DBS.200823, data node billing-in09-2 is not available."
    return failed(
        row,
        "wait",
        97.2,
        "operation_failed",
        msg,
        error_code="DBS.200823",
        request_id="9c1d7be2a4f04e8f",
        elapsed=246.0,
    )


def stack(databases: Iterable[str] = DATABASES, caches: Iterable[str] = CACHES) -> list[Row]:
    """The planned rows of the whole shop, databases first."""
    return [planned("ddm", name, i) for i, name in enumerate(databases)] + [
        planned("dcs", name, i) for i, name in enumerate(caches)
    ]


def all_verified(rows: Iterable[Row]) -> list[Row]:
    """The rows, verified: the caches after the databases."""
    return [
        verified(row, 410 + i if row["service"] == "dcs" else 96 + i, 64 + 13 * (i % 9))
        for i, row in enumerate(rows)
    ]


def run(**context: Any) -> dict[str, Any]:
    """The facts about the run; without files unless `directory` is given."""
    given = {
        "kind": "restore",
        "operation_id": "CHG-1042",
        "check_mode": False,
        "timezone": "Europe/Berlin",
        "restore_point": POINT,
        "rto_target": 1800,
        "rpo_target": 900,
        "plan_digest": "sha256:" + hashlib.sha256(b"plan").hexdigest(),
        "approval": {"how": "typed at a terminal", "at": at(15)},
        "command": "ansible-playbook huaweicloud.recovery.restore -e @shop.yml",
        "account": {
            **{
                "domain_id": identifier("domain").replace("-", ""),
                "domain_name": "example-account",
                "project_name": "ap-southeast-3",
            },
            **{
                "project_id": identifier("project").replace("-", ""),
                "region": "ap-southeast-3",
                "source": "profile prod",
            },
        },
        **context,
    }
    return begin(given, STARTED, "k3x9q2")


def made(rows: Iterable[Row], seconds: float = 640, finished: bool = True, **context: Any) -> dict[str, Any]:
    """The report of a run so many seconds after its start. It names files, like one that was written."""
    begun = run(**context)
    stem = f"reports/{begun['id']}"
    begun["files"] = {
        "json": f"{stem}.json",
        "markdown": f"{stem}.md",
        "junit": f"{stem}.xml",
        "html": f"{stem}.html",
    }
    return report(rows, begun, STARTED + int(1000 * seconds), finished)


def two_of_ten() -> list[Row]:
    """Ten rows, of which a database and a cache failed."""
    broken = {"billing-db-restored": failed_job, "cart-cache": empty_cache}
    rows = stack()
    return [
        broken[row["target"]["instance_name"]](row) if row["target"]["instance_name"] in broken else good
        for row, good in zip(rows, all_verified(rows), strict=True)
    ]


def under_way() -> list[Row]:
    """Ten rows in the middle of a run."""
    rows = stack()
    return [verified(row, 96, 180) if row["service"] == "ddm" else started(row, 410) for row in rows]


def fifty() -> list[Row]:
    """Fifty rows, verified."""
    return all_verified(
        stack([f"tenant-{i:02d}-db" for i in range(20)], [f"tenant-{i:02d}-cache" for i in range(30)])
    )


def hostile() -> list[Row]:
    """Rows in which every text that a cloud may choose tries to break what shows it."""
    rows = [*two_of_ten()[:3], *two_of_ten()[4:8]]
    return [poisoned(row, HOSTILE[i % len(HOSTILE)]) for i, row in enumerate(rows)]


def poisoned(row: Row, text: str) -> Row:
    """A row with a text in all places that a cloud, or the user, fills."""
    row = {**row, "label": text, "what": text, "msg": text if row["error_kind"] else None}
    row["target"] = {**row["target"], "instance_name": text, "engine": text, "vpc_name": text}
    row["source"] = {**row["source"], "instance_name": text}
    row["backup"] = {**row["backup"], "backup_name": text} if row["backup"] else None
    row["job"] = {"fail_reason": text, text: text}
    if row["verification"]:
        checks = [
            {**one, "name": text, "expected": text, "found": text, "msg": text}
            for one in row["verification"]["checks"]
        ]
        row["verification"] = {**row["verification"], "checks": checks}
    return row


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "verified": lambda: made(all_verified(stack())),
    "two_of_ten_failed": lambda: made(two_of_ten()),
    "target_missed": lambda: made(all_verified(stack()), rto_target=300, rpo_target=120),
    "running": lambda: made(under_way(), 430, finished=False),
    "plan": lambda: made(stack(), 3, kind="plan", check_mode=True, approval=None),
    "fifty": lambda: made(fifty()),
    "hostile": lambda: made(hostile(), operation_id=HOSTILE[0], timezone=HOSTILE[0]),
    "refused": lambda: made([], 1, refused="The plan was not approved. Nothing was started."),
}
