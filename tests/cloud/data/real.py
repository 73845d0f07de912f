# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real data behind the local cloud: a Redis server for each DCS instance, a MariaDB for the DDM instances.

with RealData() as data, Simulator("demo", data=data) as sim:
    data.caches[DCS_INSTANCE].client().set("key", "value")
    data.databases[DDM_SOURCE].define("CREATE TABLE orders (id INT PRIMARY KEY)")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from .. import scenario as names
from ..state import CloudState, DcsBackup, DcsRestore, Item, Job
from . import Data, DataError, caches, databases
from .caches import Cache
from .databases import Base, Instance, Region, schema_name
from .servers import HOST, Binary, Supervisor

WORKERS = 8
HISTORY_SECONDS = 36 * 3600.0  # how far back a database can be restored: before it was attached, it was empty
NOT_STARTED, NOT_SYNCHRONISED = (
    "dcs.08.0001",
    "dcs.08.0007",
)  # the codes in the records of a backup and of a restore


class RealData(Data):
    """The servers of some instances, empty whenever a cloud is attached; the other instances have no data.

    Where a program is None, its service has no data; a database can be restored to this very second all the
    same. A backup that the scenario has invented is an empty one, unless a test has written its file.
    """

    def __init__(
        self,
        redis: Binary | None,
        mariadb: Binary | None,
        cache_ids: Sequence[str] = (names.DCS_INSTANCE,),
        database_ids: Sequence[str] = (names.DDM_SOURCE, names.DDM_TARGET),
    ) -> None:
        self.redis, self.mariadb = redis, mariadb
        self._cache_ids, self._database_ids = cache_ids, database_ids
        self.supervisor = Supervisor()
        self._executor = ThreadPoolExecutor(WORKERS, "data")
        self._moving: set[Future[None]] = set()
        self._backups = self.supervisor.new_folder("backups")
        self._schemas: dict[str, str] = {}  # data node -> schema
        self._base: Base | None = None
        self.region: Region | None = None
        self.caches: dict[str, Cache] = {}
        self.databases: dict[str, Instance] = {}

    @classmethod
    def of_this_machine(cls) -> RealData:
        return cls(caches.find(), databases.find())

    def close(self) -> None:
        """End the servers first, so that everything that waits for them ends, too."""
        self.supervisor.close()
        self._executor.shutdown(cancel_futures=True)

    def __enter__(self) -> RealData:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def file(self, backup_id: str) -> Path:
        """Where the RDB file of a DCS backup lies."""
        return self._backups / f"{backup_id}.rdb"

    def addresses(self) -> dict[str, Any]:
        """How clients reach the instances, and which processes serve them."""
        return {
            "supervisor": self.supervisor.pid,
            "caches": {
                instance_id: {"host": HOST, "port": cache.port, "password": cache.password, "pid": cache.pid}
                for instance_id, cache in self.caches.items()
            },
            "databases": {
                instance_id: {
                    "host": HOST,
                    "port": instance.region.server.port,
                    "user": instance.user,
                    "password": instance.password,
                    "database": instance.schema,
                    "pid": instance.region.server.pid,
                }
                for instance_id, instance in self.databases.items()
            },
        }

    # What the cloud calls

    def attach(self, cloud: CloudState) -> None:
        wait([*self._moving])
        for backup in self._backups.iterdir():
            backup.unlink()
        for instance_id in cloud.intervals.keys() & set(self._database_ids):
            cloud.intervals[instance_id] = [(HISTORY_SECONDS, 0.0)]
        if self.redis is not None:
            self._attach_caches(cloud, self.redis)
        if self.mariadb is not None:
            self._attach_databases(cloud, self.mariadb)

    def begin(self, item: Item) -> Future[None] | None:
        job = self._job(item)
        if job is None:
            return None
        future = self._executor.submit(job)
        self._moving.add(future)
        future.add_done_callback(self._moving.discard)
        return future

    def _job(self, item: Item) -> Callable[[], None] | None:
        if isinstance(item, Job):
            return partial(self._recover, item) if item.target_id in self.databases else None
        cache = self.caches.get(item.held)
        if cache and isinstance(item, DcsBackup):
            return partial(_with_code, NOT_STARTED, partial(cache.back_up, self.file(item.id)))
        if cache and isinstance(item, DcsRestore):
            return partial(
                _with_code, NOT_SYNCHRONISED, partial(self._restore, cache, self.file(item.backup_id))
            )
        return None

    # DCS

    def _attach_caches(self, cloud: CloudState, binary: Binary) -> None:
        for instance_id in self._cache_ids:
            instance = cloud.dcs_instances.get(instance_id)
            if instance is not None:
                if instance_id not in self.caches:
                    self.caches[instance_id] = Cache(self.supervisor, binary)
                self.caches[instance_id].restore(None)
                instance.ip, instance.port = HOST, self.caches[instance_id].port

    @staticmethod
    def _restore(cache: Cache, file: Path) -> None:
        cache.restore(file if file.exists() else None)

    # DDM

    def _attach_databases(self, cloud: CloudState, binary: Binary) -> None:
        instances = [cloud.ddm_instances[i] for i in self._database_ids if i in cloud.ddm_instances]
        if not instances:
            return
        region = self.region = self.region or Region(self.supervisor, binary)
        self._schemas = {node.id: schema_name(node.name) for node in cloud.data_nodes.values()}
        region.new_nodes(self._schemas.values())
        for instance in instances:
            self.databases[instance.id] = Instance(region, instance.name)
            self.databases[instance.id].associate(self._schemas[node] for node in instance.data_nodes)
            instance.access_ip, instance.access_port = HOST, region.server.port
        self._base = region.base([*self._schemas.values()])

    def _recover(self, job: Job) -> None:
        """Bring the data back. A metadata recovery brings back only the views: the data are there already."""
        target = self.databases[job.target_id]
        if job.relations:
            self._rewind(job, target)
        target.associate(self._schemas[node] for node in job.data_nodes)

    def _rewind(self, job: Job, target: Instance) -> None:
        if self.region is None or self._base is None or job.restore_time is None:
            raise DataError("There is nothing to restore from.")
        relations = {self._schemas[source]: self._schemas[node] for source, node in job.relations.items()}
        self.region.rewind(self._base, job.restore_time // 1000, relations, [target.user])


def _with_code(code: str, job: Callable[[], None]) -> None:
    """Return the error with a code, because a record of DCS has nothing else."""
    try:
        job()
    except DataError as error:
        raise DataError(code) from error
