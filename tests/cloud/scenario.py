# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Named scenarios, and the IDs and secrets in them.

Times are relative to the clock at the start, so that restore points lie in the recent past on any day.
Secrets are long and odd: a test that looks for them in an output cannot find them by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .state import (
    Agency,
    CloudState,
    DataNode,
    DcsBackup,
    DcsInstance,
    DcsRestore,
    DdmBackup,
    DdmInstance,
    Job,
    Key,
    Token,
    User,
    stamp,
)

REGION = "ap-southeast-3"
PROJECT_ID = "0f6c2a1b9d8e4f70a1b2c3d4e5f60718"
OTHER_PROJECT_ID = "7e57ab1e0123456789abcdef01234567"
OTHER_PROJECT_NAME = REGION + "_staging"
DISABLED_PROJECT_ID = "d15ab1ed0123456789abcdef01234567"
DISABLED_PROJECT_NAME = REGION + "_closed"
DOMAIN = "example-account"
DOMAIN_ID = "d0a1b2c3d4e5f60718293a4b5c6d7e8f"
PARTNER_DOMAIN, PARTNER_DOMAIN_ID = "partner-account", "e1b2c3d4e5f60718293a4b5c6d7e8f90"
PARTNER_PROJECT_ID = "9a9b1ab1e0123456789abcdef0123456"  # named like the region, as the one of DOMAIN
AGENCY = "restore-agency"  # PARTNER_DOMAIN lets DOMAIN act in its name
USER = "restore-operator"
PASSWORD = "pw.Zq7!never~Printed%2026&x"
ACCESS_KEY = "HWAKSIMULATOR0000001"
SECRET_KEY = "skZ9x-Vq3mN8bY2cR7tW5pL1kJ4hG6fD0sAqWe+/="
TEMP_ACCESS_KEY = "HWAKSIMULATOR000TEMP"
TEMP_SECRET_KEY = "tskB4n-Hy6Tg5Rf4Vd3Ec2Sx1ZaQ0wPl9Ok8Ij7Uh"
SECURITY_TOKEN = "gQpzaW11bGF0b3I-temporary/security+token==" + "Q" * 60
TOKEN = "MIIsimulatorTokenThatIsLongEnough+and/odd==" + "T" * 60
EXPIRED_TOKEN = "MIIexpiredSimulatorToken+and/odd==" + "E" * 60

# Where the instances of the reports' team are; all others are in the default enterprise project, 0
ENTERPRISE_PROJECT = "6d0b8c1e-3c5f-4a57-9d30-000000000e01"
DCS_INSTANCE = "5560df16-cebf-4473-95c4-d1b573c16e79"  # master/standby, six backups, one old restore
DCS_SINGLE = "1a2b3c4d-0001-4000-8000-00000000d501"  # single node: no backup, no restore
DCS_EMPTY = "1a2b3c4d-0002-4000-8000-00000000d502"  # cluster without any record: 204
DCS_OTHER = "1a2b3c4d-0003-4000-8000-00000000d503"  # proxy cluster with one backup of its own
DCS_FROZEN = "1a2b3c4d-0004-4000-8000-00000000d504"
# Idle, but a restore of 20 days ago never ended in its list
DCS_STUCK = "1a2b3c4d-0005-4000-8000-00000000d505"
DCS_CREATEFAILED = "1a2b3c4d-0006-4000-8000-00000000d506"  # listed only with include_failure=true
DCS_BACKUP = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5029"  # newest usable one of DCS_INSTANCE, an hour old
DCS_BACKUP_OLD = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5001"  # usable, a day old, automatic
DCS_BACKUP_FAILED = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5002"
DCS_BACKUP_EXPIRED = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5003"
DCS_BACKUP_DELETED = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5004"
DCS_BACKUP_UNSUPPORTED = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5005"  # succeed, but is_support_restore FALSE
DCS_BACKUP_OTHER = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5006"  # belongs to DCS_OTHER
DCS_BACKUP_STUCK = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5007"  # the usable one of DCS_STUCK
# One of DCS_STUCK that has been waiting for 20 days
DCS_BACKUP_WAITING = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5008"
GONE_BACKUP = "8ba256cb-e5ac-44f6-a3da-c03d8f0e5000"  # in no list any more
DCS_RESTORE_OLD = "a6155972-800c-4170-a479-3231e907d2f6"  # of a backup that is gone, 20 days ago
DCS_RESTORE_SAME = "a6155972-800c-4170-a479-3231e907d2f7"  # somebody's own, of DCS_BACKUP, half an hour ago
DCS_RESTORE_FAILED = "a6155972-800c-4170-a479-3231e907d2f8"  # the one before it, which failed
DCS_RESTORE_STUCK = "a6155972-800c-4170-a479-3231e907d2f9"  # of DCS_BACKUP_STUCK, restoring for 20 days

DDM_SOURCE = "1f5c9fd6cd984056ba89c8c87cc03278in09"
DDM_TARGET = "2f0324a93859487eb5566d75951fcd2din09"  # the one available target
# Of the scenario "small" alone: a second available one
DDM_TARGET_SECOND = "2f0324a93859487eb5566d7595100005in09"
DDM_TARGET_ACCOUNTS = "2f0324a93859487eb5566d7595100001in09"
DDM_TARGET_BUSY = "2f0324a93859487eb5566d7595100002in09"
DDM_TARGET_ASSOCIATED = "2f0324a93859487eb5566d7595100003in09"
DDM_TARGET_FROZEN = "2f0324a93859487eb5566d7595100004in09"
DN_SOURCE_1 = "7edae0250ebc464897bd92b8d3e8b769in01"  # 8.0.28: fits both targets
# 8.0.32: fits DN_TARGET_1 alone, so first fit goes wrong
DN_SOURCE_2 = "7edae0250ebc464897bd92b8d3e8b770in01"
DN_TARGET_1 = "f4e2949e9b9b4d60b42c89ed39bfe34cin01"  # 8.0.32
DN_TARGET_2 = "f4e2949e9b9b4d60b42c89ed39bfe34din01"  # 8.0.28
DN_OTHER_VPC = "f4e2949e9b9b4d60b42c89ed39b00001in01"
DN_ASSOCIATED = "f4e2949e9b9b4d60b42c89ed39b00002in01"
DN_ABNORMAL = "f4e2949e9b9b4d60b42c89ed39b00003in01"
DN_OLD_VERSION = "f4e2949e9b9b4d60b42c89ed39b00004in01"
DN_OTHER_ENGINE = "f4e2949e9b9b4d60b42c89ed39b00005in01"
DN_READ_ONLY = "f4e2949e9b9b4d60b42c89ed39b00006in01"
DDM_BACKUP = "09902ee7866649b8908ec209bfee2747br09"  # the newest of twelve daily ones
DDM_BACKUP_CREATING = "09902ee7866649b8908ec209bfee0001br09"
DDM_BACKUP_FAILED = "09902ee7866649b8908ec209bfee0002br09"
DDM_JOB_OLD = "5f2c1e80000000000000000000000001"  # Completed RestoreInstance of DDM_TARGET_ASSOCIATED
DDM_JOB_FAILED = "5f2c1e80000000000000000000000002"  # Failed RestoreInstance of DDM_TARGET
DDM_JOB_DONE = "5f2c1e80000000000000000000000003"  # Completed one of DDM_TARGET, which was emptied afterwards
DDM_JOB_STUCK = "5f2c1e80000000000000000000000004"  # of DDM_SOURCE, Running for 20 days while it is idle
# The list alone has these words (ListTasks): of DDM_TARGET, newer than DDM_JOB_FAILED, and of DDM_SOURCE
DDM_JOB_CANCELLED = "5f2c1e80000000000000000000000000"
DDM_JOB_ROLLED_BACK = "5f2c1e80000000000000000000000005"
DDM_JOB_SWITCHING = "5f2c1e80000000000000000000000006"
DDM_FAIL_REASON = "The connection to the target data node was lost."

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def fleet_dcs_instance(number: int) -> str:
    return f"f1ee7000-0000-4000-8000-{number:012x}"


def fleet_dcs_backup(number: int) -> str:
    return f"f1ee7bac-0000-4000-8000-{number:012x}"


def fleet_ddm_source(number: int) -> str:
    return f"f1ee7{'0' * 19}{number:08x}in09"


def fleet_ddm_target(number: int) -> str:
    return f"f1ee7{'1' * 19}{number:08x}in09"


def load(cloud: CloudState, name: str) -> None:
    """Fill an empty cloud."""
    _account(cloud)
    fleet = re.fullmatch(r"fleet-(\d{1,5})(?:-(\d{1,4}))?", name)
    if fleet:
        _fleet(cloud, int(fleet[1]), int(fleet[2] or 0))
    elif name in SCENARIOS:
        SCENARIOS[name](cloud)
    else:
        raise ValueError(
            f"unknown scenario {name!r}: choose one of {', '.join(SCENARIOS)}, fleet-N or fleet-N-M"
        )


def _account(cloud: CloudState) -> None:
    now = cloud.clock()
    cloud.region = REGION
    cloud.domain_id = DOMAIN_ID
    cloud.domains = {DOMAIN_ID: DOMAIN, PARTNER_DOMAIN_ID: PARTNER_DOMAIN}
    cloud.disabled_projects = {DISABLED_PROJECT_ID: DISABLED_PROJECT_NAME}
    cloud.projects = {PROJECT_ID: REGION, OTHER_PROJECT_ID: OTHER_PROJECT_NAME, PARTNER_PROJECT_ID: REGION}
    cloud.project_domains = {PARTNER_PROJECT_ID: PARTNER_DOMAIN_ID}
    cloud.agencies = [Agency(AGENCY, PARTNER_DOMAIN_ID, DOMAIN_ID)]
    cloud.users = [User(USER, PASSWORD, DOMAIN)]
    cloud.keys = {
        ACCESS_KEY: Key(ACCESS_KEY, SECRET_KEY),
        TEMP_ACCESS_KEY: Key(TEMP_ACCESS_KEY, TEMP_SECRET_KEY, SECURITY_TOKEN),
    }
    cloud.tokens = {
        TOKEN: Token(TOKEN, PROJECT_ID, now + 10 * 365 * DAY),
        EXPIRED_TOKEN: Token(EXPIRED_TOKEN, PROJECT_ID, now - DAY),
    }


def _add_dcs(
    cloud: CloudState, instance_id: str, name: str, cache_mode: str = "ha", status: str = "RUNNING"
) -> None:
    born = cloud.clock() - 90 * DAY
    cloud.dcs_instances[instance_id] = DcsInstance(
        instance_id, name, cache_mode, status, created_at=born, updated_at=born
    )


def _add_dcs_backup(
    cloud: CloudState,
    backup_id: str,
    instance_id: str,
    age: float,
    status: str = "succeed",
    kind: str = "auto",
    restorable: bool = True,
) -> None:
    made = cloud.clock() - age
    backup = DcsBackup(backup_id, instance_id, made, made + 12 * MINUTE, kind, status, restorable)
    if kind == "manual":
        backup.remark = "before the release"
    if status == "failed":
        backup.error_code, backup.progress = "dcs.08.0002", "37.50"
    cloud.dcs_backups[backup_id] = backup


def _add_dcs_restore(
    cloud: CloudState,
    restore_id: str,
    instance_id: str,
    backup_id: str,
    age: float,
    status: str = "succeed",
    remark: str | None = None,
) -> None:
    begun = cloud.clock() - age
    progress, error = {"succeed": ("100.00", None), "failed": ("62.50", "dcs.08.0007")}.get(
        status, ("50.00", None)
    )
    cloud.dcs_restores[restore_id] = DcsRestore(
        restore_id,
        instance_id,
        backup_id,
        "backup_" + stamp(begun - HOUR),
        begun,
        begun + 4 * MINUTE,
        status,
        progress,
        remark,
        error_code=error,
    )


def _add_ddm(
    cloud: CloudState,
    instance_id: str,
    name: str,
    status: str = "RUNNING",
    nodes: tuple[str, ...] = (),
    accounts: int = 0,
) -> None:
    born = cloud.clock() - 60 * DAY
    cloud.ddm_instances[instance_id] = DdmInstance(
        instance_id, name, status, data_nodes=list(nodes), accounts=accounts, created=born, updated=born
    )


def _main_dcs(cloud: CloudState) -> None:
    _add_dcs(cloud, DCS_INSTANCE, "orders-cache")
    cloud.dcs_instances[DCS_INSTANCE].tags = {"team": "orders", "stage": "production"}
    _add_dcs_backup(cloud, DCS_BACKUP, DCS_INSTANCE, HOUR, kind="manual")
    _add_dcs_backup(cloud, DCS_BACKUP_OLD, DCS_INSTANCE, DAY)


def _main_ddm(cloud: CloudState) -> None:
    _add_ddm(cloud, DDM_SOURCE, "orders-db", nodes=(DN_SOURCE_1, DN_SOURCE_2))
    _add_ddm(cloud, DDM_TARGET, "orders-db-restored")
    nodes = [
        DataNode(DN_SOURCE_1, "orders-rds-1", version="8.0.28", private_ip="192.168.0.11"),
        DataNode(DN_SOURCE_2, "orders-rds-2", version="8.0.32", private_ip="192.168.0.12"),
        DataNode(DN_TARGET_1, "orders-rds-new-1", version="8.0.32", private_ip="192.168.0.21"),
        DataNode(DN_TARGET_2, "orders-rds-new-2", version="8.0.28", private_ip="192.168.0.22"),
    ]
    cloud.data_nodes.update({node.id: node for node in nodes})
    cloud.intervals[DDM_SOURCE] = [(7 * DAY, 2 * DAY), (36 * HOUR, 5 * MINUTE)]
    now = cloud.clock()
    for day in range(12):
        backup_id = DDM_BACKUP if day == 0 else f"09902ee7866649b8908ec209bfee1{day:03d}br09"
        made = now - day * DAY - 3 * HOUR
        cloud.ddm_backups[backup_id] = DdmBackup(
            backup_id,
            f"Backup-orders-db-{day:02d}",
            DDM_SOURCE,
            made,
            made + MINUTE,
            data_nodes=[DN_SOURCE_1, DN_SOURCE_2],
        )


def _empty(cloud: CloudState) -> None:
    pass


def _demo(cloud: CloudState) -> None:
    _main_dcs(cloud)
    _main_ddm(cloud)


def _small(cloud: CloudState) -> None:
    """As little as a restore and a recovery need, because hundreds of thousands of schedules run on it."""
    _add_dcs(cloud, DCS_INSTANCE, "orders-cache")
    _add_dcs_backup(cloud, DCS_BACKUP, DCS_INSTANCE, HOUR, kind="manual")
    _add_dcs_backup(cloud, DCS_BACKUP_OLD, DCS_INSTANCE, DAY)
    _add_ddm(cloud, DDM_SOURCE, "orders-db", nodes=(DN_SOURCE_1,))
    _add_ddm(cloud, DDM_TARGET, "orders-db-restored")
    _add_ddm(cloud, DDM_TARGET_SECOND, "orders-db-second")
    for node_id in (DN_SOURCE_1, DN_TARGET_1, DN_TARGET_2):
        cloud.data_nodes[node_id] = DataNode(node_id, f"rds-{node_id[:8]}")
    cloud.intervals[DDM_SOURCE] = [(7 * DAY, 2 * DAY), (36 * HOUR, 5 * MINUTE)]
    made = cloud.clock() - 3 * HOUR
    cloud.ddm_backups[DDM_BACKUP] = DdmBackup(DDM_BACKUP, "Backup-orders-db", DDM_SOURCE, made, made + MINUTE)


def _default(cloud: CloudState) -> None:
    now = cloud.clock()
    _demo(cloud)
    _add_dcs(cloud, DCS_SINGLE, "sessions-single", "single")
    _add_dcs(cloud, DCS_EMPTY, "sessions-cluster", "cluster")
    _add_dcs(cloud, DCS_OTHER, "reports-cache", "proxy")
    _add_dcs(cloud, DCS_FROZEN, "frozen-cache", status="FROZEN")
    _add_dcs(cloud, DCS_STUCK, "stuck-cache")
    _add_dcs(cloud, DCS_CREATEFAILED, "never-created", status="CREATEFAILED")
    cloud.dcs_instances[DCS_OTHER].enterprise_project_id = ENTERPRISE_PROJECT
    cloud.dcs_instances[DCS_EMPTY].ip = "192.168.1.21,192.168.1.22"
    _add_dcs_backup(cloud, DCS_BACKUP_FAILED, DCS_INSTANCE, 2 * DAY, "failed")
    _add_dcs_backup(cloud, DCS_BACKUP_EXPIRED, DCS_INSTANCE, 9 * DAY, "expired")
    _add_dcs_backup(cloud, DCS_BACKUP_DELETED, DCS_INSTANCE, 3 * DAY, "deleted")
    _add_dcs_backup(cloud, DCS_BACKUP_UNSUPPORTED, DCS_INSTANCE, 30 * MINUTE, restorable=False)
    _add_dcs_backup(cloud, DCS_BACKUP_OTHER, DCS_OTHER, HOUR, kind="manual")
    _add_dcs_backup(cloud, DCS_BACKUP_STUCK, DCS_STUCK, 21 * DAY, kind="manual")
    _add_dcs_backup(cloud, DCS_BACKUP_WAITING, DCS_STUCK, 20 * DAY, "waiting")
    _add_dcs_restore(cloud, DCS_RESTORE_OLD, DCS_INSTANCE, GONE_BACKUP, 20 * DAY, remark="doctest")
    _add_dcs_restore(cloud, DCS_RESTORE_FAILED, DCS_INSTANCE, DCS_BACKUP, 40 * MINUTE, "failed")
    _add_dcs_restore(cloud, DCS_RESTORE_SAME, DCS_INSTANCE, DCS_BACKUP, 30 * MINUTE, remark="by hand")
    _add_dcs_restore(cloud, DCS_RESTORE_STUCK, DCS_STUCK, DCS_BACKUP_STUCK, 20 * DAY, "restoring")
    _add_ddm(cloud, DDM_TARGET_ACCOUNTS, "has-accounts", accounts=2)
    _add_ddm(cloud, DDM_TARGET_BUSY, "is-growing", status="GROWING")
    _add_ddm(cloud, DDM_TARGET_ASSOCIATED, "in-use", nodes=(DN_ASSOCIATED,))
    _add_ddm(cloud, DDM_TARGET_FROZEN, "is-frozen", status="FROZEN")
    cloud.ddm_instances[DDM_TARGET_FROZEN].enterprise_project_id = ENTERPRISE_PROJECT
    nodes = [
        DataNode(DN_OTHER_VPC, "rds-other-vpc", version="8.0.32", vpc_name="vpc-test"),
        DataNode(DN_ASSOCIATED, "rds-in-use", version="8.0.32"),
        DataNode(DN_ABNORMAL, "rds-abnormal", version="8.0.32", status="abnormal"),
        DataNode(DN_OLD_VERSION, "rds-old", version="5.7.41"),
        DataNode(DN_OTHER_ENGINE, "rds-postgresql", version="14.6", engine_name="postgresql"),
        DataNode(DN_READ_ONLY, "rds-read-only", version="8.0.32", read_only=True),
    ]
    cloud.data_nodes.update({node.id: node for node in nodes})
    for backup_id, status in ((DDM_BACKUP_CREATING, "creating"), (DDM_BACKUP_FAILED, "createfail")):
        cloud.ddm_backups[backup_id] = DdmBackup(
            backup_id, f"Backup-{status}", DDM_SOURCE, now - 15 * DAY, now - 15 * DAY, status=status
        )
    old, failed = now - 6 * DAY, now - 4 * DAY
    cloud.jobs[DDM_JOB_OLD] = Job(
        DDM_JOB_OLD, "RestoreInstance", DDM_TARGET_ASSOCIATED, old, old + 150, "Completed", ""
    )
    long_ago = now - 20 * DAY
    cloud.jobs[DDM_JOB_DONE] = Job(
        DDM_JOB_DONE, "RestoreInstance", DDM_TARGET, long_ago - DAY, long_ago - DAY + 170, "Completed", ""
    )
    cloud.jobs[DDM_JOB_STUCK] = Job(
        DDM_JOB_STUCK, "RestoreInstance", DDM_SOURCE, long_ago, status="Running", process="60%"
    )
    cloud.jobs[DDM_JOB_FAILED] = Job(
        DDM_JOB_FAILED, "RestoreInstance", DDM_TARGET, failed, failed + 90, "Failed", "", DDM_FAIL_REASON
    )
    for job_id, name, instance_id, status, ended in (
        (DDM_JOB_CANCELLED, "RestoreInstance", DDM_TARGET, "CancelSuccess", now - 3 * DAY + 60),
        (DDM_JOB_ROLLED_BACK, "migrateLogicDb", DDM_SOURCE, "RollbackSuccess", now - 3 * DAY + 60),
        (DDM_JOB_SWITCHING, "migrateLogicDb", DDM_SOURCE, "ToBeSwitched", None),
    ):
        cloud.jobs[job_id] = Job(job_id, name, instance_id, now - 3 * DAY, ended, status, "")


def _fleet(cloud: CloudState, caches: int, databases: int) -> None:
    for number in range(caches):
        _add_dcs(cloud, fleet_dcs_instance(number), f"cache-{number:04d}")
        _add_dcs_backup(cloud, fleet_dcs_backup(number), fleet_dcs_instance(number), HOUR, kind="manual")
    for number in range(databases):
        nodes = [
            DataNode(
                f"f1ee7{role * 19}{number:08x}in01", f"rds-{number:04d}-{role}", vpc_name=f"vpc-{number:04d}"
            )
            for role in "01"
        ]
        cloud.data_nodes.update({node.id: node for node in nodes})
        _add_ddm(cloud, fleet_ddm_source(number), f"db-{number:04d}", nodes=(nodes[0].id,))
        _add_ddm(cloud, fleet_ddm_target(number), f"db-{number:04d}-restored")
        for instance_id in (fleet_ddm_source(number), fleet_ddm_target(number)):
            cloud.ddm_instances[instance_id].vpc_name = f"vpc-{number:04d}"
        cloud.intervals[fleet_ddm_source(number)] = [(7 * DAY, 5 * MINUTE)]


SCENARIOS: dict[str, Callable[[CloudState], None]] = {
    "default": _default,
    "demo": _demo,
    "empty": _empty,
    "small": _small,
}
