#!/usr/bin/python
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_verify
short_description: Check restored data
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Takes the rows that M(huaweicloud.recovery.restore_wait) has returned and returns the same rows in the
    same order, each with its C(verification).
  - Checks in four steps, the ladder, whether an instance runs, whether the task can reach it through the
    Redis or MySQL protocol, whether it holds as many keys or rows as expected, and whether the values are
    right.
  - After a dropped connection, and while an instance starts slowly, the task tries again until
    O(verify_timeout) has passed. A wrong password, a refused certificate and a missing schema fail at once;
    the task does not repeat a login that was refused.
  - The task never writes. Statements must only read, and run in a read-only transaction.
  - The task passes a row through when its restore has failed, was only planned, or is still running. A
    planned row fails when the task cannot read a C(ca_path) of its checks. For a row without checks, it is
    enough that the instance runs.
  - The task fails, with all rows, when a check of one of them did not pass.
requirements:
  - redis (for checks of caches)
  - PyMySQL (for checks of databases)
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - huaweicloud.recovery._attributes.info
options:
  restores:
    description: The rows, in any order.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description: Service of the instance.
        type: str
        choices: [dcs, ddm]
        required: true
      region:
        description: Region of the instance, if it differs from that of the task.
        type: str
      instance_id:
        description: With V(dcs), ID of the instance, if no other task has put it into the row.
        type: str
      target_instance_id:
        description: With V(ddm), ID of the instance that was overwritten, if no other task has put it into
          the row.
        type: str
      connection:
        description: How to connect to this instance, with the keys of O(connection). For a key that is
          absent here, the value of O(connection) applies.
        type: dict
      checks:
        description:
          - What to check. Each item holds one of the keys below, and may have a C(name) to be shown, and a
            C(connection) of its own.
          - 'C(ping: true) - the instance responds.'
          - 'C(dbsize) - number of keys of a cache, with C(equals), C(at_least) or C(at_most). In a Redis
            Cluster it counts the keys of all nodes, which must be reachable.'
          - 'C(key) - one key of a cache, with its C(name) and any of C(equals) for a string, C(exists),
            C(ttl_at_least) and C(ttl_at_most) in seconds, C(type), C(length).'
          - 'C(query) - first value that the C(sql) of a database returns, with C(equals), C(at_least) or
            C(at_most). Or with C(rows) the number of its rows, or all of them as a list of lists.'
          - 'C(newest_not_after) - a time that must not lie after the time of the data (or C(time)), read by
            C(sql) from a database or from the C(key) of a cache. Without a zone it is read in C(timezone),
            or in UTC. A date without a time means its midnight.'
          - A count without a bound is compared with O(baseline) if that has the same check, and otherwise
            only returned.
        type: list
        elements: dict
  connection:
    description:
      - How to connect to all instances whose rows do not say how.
      - Without O(connection.host) and O(connection.port), the task uses the address that the cloud gives.
    type: dict
    suboptions:
      host:
        description: Name or address, such as V(10.0.0.21), if it differs from the one in the cloud.
        type: str
      port:
        description: Port, from 1 to 65535, if it differs from the one in the cloud.
        type: int
      username:
        description: User to sign in as. A database needs one.
        type: str
      password:
        description: Password of the user. It never appears in a result or a message. Prefer
          O(connection.password_variable), because only the name of a variable can stay in a row.
        type: str
      password_variable:
        description: Name of the variable that holds the password, for example one of a vault.
        type: str
      database:
        description: Schema of a database, or number of the database in a cache.
        type: str
      tls:
        description: Whether to use TLS. By default the task connects to a cache as the cloud says, and to a
          database without TLS.
        type: bool
      ca_path:
        description: Bundle of the CA of the certificate, in PEM format.
        type: path
      validate_certs:
        description: Whether to check the certificate. By default the task checks it.
        type: bool
      check_hostname:
        description: Whether to compare the name in the certificate. By default the task compares it.
        type: bool
  verify_timeout:
    description: Longest time for each row from its first request until its last check, in seconds, from 1 to
      604800 (a week).
    type: int
    default: 300
  poll_interval:
    description: Seconds between two status checks of an instance that does not run yet, from 1 to 3600.
    type: int
    default: 10
  baseline:
    description: The rows (C(restores)) of an earlier report. The checks expect the counts that are in it.
    type: list
    elements: dict
  baseline_tolerance:
    description: Percent by which a count may be below or above that in O(baseline), from 0 to 1000.
    type: float
    default: 0
seealso:
  - module: huaweicloud.recovery.restore_start
  - module: huaweicloud.recovery.restore_wait
"""

EXAMPLES = r"""
- name: Check that the cache holds the expected data
  huaweicloud.recovery.restore_verify:
    restores:
      - service: dcs
        instance_id: 5560df16-cebf-4473-95c4-d1b573c16e79
        connection:
          password_variable: orders_cache_password
        checks:
          - ping: true
          - dbsize: {at_least: 1}
          - key: {name: "order:1", equals: paid}
  register: verified

- name: Show how far the checks have passed
  ansible.builtin.debug:
    msg: "{{ verified.restores[0].verification.ladder }}"
"""

RETURN = r"""
restores:
  description:
    - The rows of O(restores) in their order, with the keys of
      RV(huaweicloud.recovery.restore_start#module:restores[]) and the keys below, without passwords.
  returned: success, and when a check did not pass
  type: list
  elements: dict
  contains:
    verification:
      description: What was checked.
      type: dict
      contains:
        end:
          description:
            - V(passed), or V(failed) when a check did not find what it expects, was refused, or found a value
              that it cannot compare. Of the failed checks, only those that found something else than they
              expect have RV(restores[].verification.checks[].found).
            - V(unreachable) when no connection was possible, V(timed_out) when the instance did not respond,
              or did not run, in time.
            - V(not_configured) when there is no check, or when every check that did not pass lacks a library
              or an address.
          type: str
          sample: passed
        ladder:
          description: The highest rung up to which everything has passed, V(runs), V(reachable), V(counts) or
            V(values). Null when the instance does not run.
          type: str
          sample: values
        checks:
          description: Every check, in order.
          type: list
          elements: dict
          contains:
            name: {description: Name of the check., type: str, sample: dbsize}
            kind:
              description: "V(ping), V(dbsize), V(key), V(query) or V(newest_not_after)."
              type: str
              sample: dbsize
            expected:
              description: "What is expected, null when nothing is."
              type: str
              sample: at least 1000
            found: {description: "What was found, null when nothing was.", type: str, sample: "1042"}
            outcome:
              description: "V(passed), V(failed), V(unreachable) or V(timed_out)."
              type: str
              sample: passed
            seconds: {description: Duration in seconds., type: float, sample: 0.1}
            msg:
              description: "Why the check could not run, and what to do, or null."
              type: str
              sample: Connection refused.
    error_kind:
      description:
        - Null, or what went wrong, for example V(verification_failed), V(unreachable), V(verify_timeout),
          V(login_refused), V(tls_error), V(not_running) or V(missing_library).
      type: str
      sample: verification_failed
"""

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.parallel import (
    THREADS,
    clouds_for,
    spread,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._row import (
    Row,
    check_entry,
    complete,
    failed,
    failure,
    pass_through,
    rows_result,
    unusable_profiles,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import result_of, run_module
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all_readings import READINGS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._verify.ladder import (
    CHECK_CONNECTION,
    Settings,
    baseline_counts,
    checks_of,
    passwords,
    refuse,
    restored,
    unreadable_bundle,
    verified,
    without_passwords,
)

OPTIONS: dict[str, t.Any] = {
    "restores": {"type": "list", "elements": "dict", "required": True},
    "connection": {"type": "dict", "options": CHECK_CONNECTION},
    "verify_timeout": {"type": "int", "default": 300},
    "poll_interval": {"type": "int", "default": 10},
    "baseline": {"type": "list", "elements": "dict"},
    "baseline_tolerance": {"type": "float", "default": 0},
}


def rows_of(cloud: Cloud, params: dict[str, t.Any]) -> list[Row]:
    """Return the rows, with their passwords redacted from now on. Raises InvalidArgument."""
    for number, entry in enumerate(params["restores"]):
        check_entry(entry, number, list(READINGS))
    rows = [complete(entry) for entry in params["restores"]]
    for row in rows:
        for secret in passwords(row):
            cloud.redactor.add(secret)
    for number, row in enumerate(rows):
        refuse(row, number, READINGS)
    return rows


def plan(cloud: Cloud, params: dict[str, t.Any]) -> Plan:
    """Check every row on a few threads; nothing is changed, so check mode does the same."""
    given = rows_of(cloud, params)
    checks = [
        checks_of(row, READINGS[row["service"]], f"restores[{number}]", params["connection"])
        for number, row in enumerate(given)
    ]
    settings = Settings(
        timeout=params["verify_timeout"],
        interval=params["poll_interval"],
        connection=params["connection"] or {},
        baseline=params["baseline"] or [],
        tolerance=params["baseline_tolerance"],
    )
    for row in params["baseline"] or []:
        baseline_counts(row, [row])  # which refuses what is not a row
    wrong, at = unusable_profiles(cloud, given), cloud.clock.now()
    clouds = clouds_for(cloud, [{} if number in wrong else row for number, row in enumerate(given)])

    def one(number: int) -> Row:
        row, service = given[number], READINGS[given[number]["service"]]
        if row["outcome"] == "planned" and not row["error_kind"]:
            missing = unreadable_bundle(row, service, checks[number], params["connection"])
            return failed(row, "verify", failure(missing), at) if missing else row
        if not restored(row):
            return pass_through(row, "verify", at)
        if number in wrong:
            return failed(row, "verify", failure(wrong[number]), at)
        found = result_of(
            lambda: {"row": verified(row, service, clouds[number], settings, checks[number])},
            lambda: False,
            starts=False,
            redactor=cloud.redactor,
        )
        return found["row"] if "row" in found else failed(row, "verify", found, at)

    rows = [without_passwords(row) for row in spread(one, len(given), THREADS)]
    return Plan(rows_result(given, rows, changed=False))


def main() -> None:
    run_module(plan, OPTIONS)


if __name__ == "__main__":
    main()
