# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DDM over a real MariaDB: what comes back at a point in time, what does not, and what is left alone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pymysql
import pytest

from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.cloud.data import databases
from tests.cloud.data.databases import Instance, Region
from tests.cloud.data.real import RealData
from tests.cloud.state import Job
from tests.data.hurry import HURRY

NODES = ["orders_rds_1", "orders_rds_2"]
TARGETS = ["orders_rds_new_1", "orders_rds_new_2"]
TABLE = "CREATE TABLE orders (id INT PRIMARY KEY, state VARCHAR(20)) ENGINE=InnoDB"


class World:
    """The cloud with its two databases, and a point in time in the future.

    Nothing can be replayed to a point before the server began.
    """

    def __init__(self, sim: Simulator, data: RealData) -> None:
        self.sim, self.data = sim, data
        assert data.region is not None
        self.region: Region = data.region
        self.source: Instance = data.databases[names.DDM_SOURCE]
        self.target: Instance = data.databases[names.DDM_TARGET]
        self.point = int(time.time()) + 1

    def at(self, seconds: int, *statements: str, node: str | None = NODES[0]) -> None:
        """Run statements as if it were so many seconds after the point: the binary log keeps that time."""
        with self.region.server.connect(node) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION timestamp = %s", (self.point + seconds,))
            for statement in statements:
                cursor.execute(statement)

    def restore(self) -> invoke.Result:
        time.sleep(max(0.0, self.point - time.time()))
        moment = datetime.fromtimestamp(self.point, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return invoke.module(
            "ddm_recovery",
            self.sim.env,
            clock=HURRY,
            instance_id=names.DDM_SOURCE,
            target_instance_id=names.DDM_TARGET,
            restore_time=moment,
            poll_interval=2,
        )

    def rewind(self) -> None:
        """What the job does, without the cloud around it."""
        base = self.data._base
        assert base is not None
        self.region.rewind(base, self.point, dict(zip(NODES, TARGETS, strict=True)), [self.target.user])
        self.target.associate(TARGETS)

    def contents(self, nodes: Iterable[str]) -> dict[tuple[str, str], Any]:
        server = self.region.server
        return {
            (node, table): server.sql(f"SELECT * FROM {node}.{table}")
            for node in nodes
            for (table,) in server.sql(f"SHOW TABLES IN {node}")
        }


@pytest.fixture
def world(mariadb_cloud: Simulator, mariadb_data: RealData) -> World:
    return World(mariadb_cloud, mariadb_data)


def write_before_and_after(world: World) -> None:
    for node in NODES:
        world.at(-60, TABLE, "CREATE TABLE dropped_later (id INT)", node=node)
    for second, row in ((-60, 1), (-1, 3), (0, 5), (1, 7)):
        world.at(second, f"INSERT INTO orders VALUES ({row}, 'paid')", node=NODES[1])
        world.at(second, f"INSERT INTO orders VALUES ({row + 1}, 'paid')", node=NODES[0])
    for node in NODES:
        world.at(1, "DROP TABLE dropped_later", "UPDATE orders SET state = 'wrong' WHERE id <= 4", node=node)
    world.source.refresh()


def test_the_data_of_the_point_come_back_and_nothing_later(world: World) -> None:
    write_before_and_after(world)
    world.region.server.sql("CREATE TABLE leftover (id INT)", database=TARGETS[0])
    before = world.contents(NODES)
    restored = world.restore()
    assert not restored["failed"], restored
    rows = world.target.sql("SELECT id, state FROM orders ORDER BY id")
    assert rows == ((1, "paid"), (2, "paid"), (3, "paid"), (4, "paid"))
    assert world.target.sql("SHOW TABLES") == (("dropped_later",), ("orders",))
    assert world.contents(NODES) == before, "the source is not touched"
    assert world.source.sql("SELECT COUNT(*) FROM orders") == ((8,),)


def test_each_data_node_goes_to_the_one_it_is_mapped_to(world: World) -> None:
    write_before_and_after(world)
    restored = world.restore()
    mapping = {
        row["source_instance_id"]: row["target_instance_id"] for row in restored["data_node_relations"]
    }
    assert mapping == {names.DN_SOURCE_1: names.DN_TARGET_2, names.DN_SOURCE_2: names.DN_TARGET_1}
    found = world.contents(TARGETS)
    assert [row[0] for row in found["orders_rds_new_2", "orders"]] == [2, 4]
    assert [row[0] for row in found["orders_rds_new_1", "orders"]] == [1, 3]


def test_the_address_in_the_api_is_where_clients_find_the_restored_data(world: World) -> None:
    write_before_and_after(world)
    world.restore()
    shown = invoke.module("ddm_instance_info", world.sim.env, instance_id=names.DDM_TARGET)["instances"][0]
    assert (shown["access_ip"], int(shown["access_port"])) == ("127.0.0.1", world.region.server.port)
    with world.target.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state FROM orders WHERE id = 3")
        assert cursor.fetchone() == ("paid",)


def test_a_statement_that_names_a_schema_never_reaches_the_source(world: World) -> None:
    world.at(-9, TABLE, "CREATE TABLE old (id INT)", "INSERT INTO old VALUES (1)")
    world.at(
        -5, f"DROP TABLE {NODES[0]}.old", f"ALTER TABLE {NODES[0]}.orders ADD COLUMN note INT", node=None
    )
    world.at(
        5, "CREATE TABLE old (id INT)", "INSERT INTO old VALUES (2)", "ALTER TABLE orders DROP COLUMN note"
    )
    before = world.contents(NODES)
    world.rewind()
    assert world.contents(NODES) == before
    assert world.target.sql("SHOW COLUMNS FROM orders LIKE 'note'")
    assert world.target.sql("SHOW TABLES") == (("orders",),)


def test_a_transaction_committed_after_the_point_is_left_out(world: World) -> None:
    world.at(-60, TABLE)
    later = f"SET SESSION timestamp = {world.point + 1}"
    world.at(-1, "START TRANSACTION", "INSERT INTO orders VALUES (1, 'paid')", later, "COMMIT")
    world.rewind()
    assert world.target.sql("SELECT COUNT(*) FROM orders") == ((0,),)


def test_a_point_before_all_data_gives_empty_databases(world: World) -> None:
    write_before_and_after(world)
    world.point -= 86400
    assert not world.restore()["failed"]
    assert world.target.sql("SHOW TABLES") == ()


def test_the_zone_of_the_machine_does_not_move_the_point(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_before_and_after(world)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    world.rewind()
    assert world.target.sql("SELECT COUNT(*) FROM orders") == ((4,),)


@pytest.mark.parametrize("own", [True, False], ids=["of the target", "of its data node"])
def test_an_idle_client_inside_a_transaction_is_ended(world: World, own: bool) -> None:
    write_before_and_after(world)
    world.region.server.sql(TABLE, database=TARGETS[0])
    world.target.associate(TARGETS)
    client = world.target.connect() if own else world.region.server.connect(TARGETS[0])
    client.begin()
    client.cursor().execute("SELECT * FROM orders")
    restored = world.restore()
    assert not restored["failed"], restored
    with pytest.raises(pymysql.OperationalError):
        client.cursor().execute("SELECT 1")
    assert world.target.sql("SELECT COUNT(*) FROM orders") == ((4,),)


def test_a_table_that_stays_locked_fails_the_job_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "LOCK_SECONDS", 1)
    world.region.server.sql(TABLE, database=TARGETS[0])
    with world.region.server.connect() as client:
        client.cursor().execute(f"LOCK TABLES {TARGETS[0]}.orders WRITE")
        restored = world.restore()
    assert restored["failed"]
    assert "The data node could not be overwritten: Lock wait timeout exceeded" in restored["msg"]
    assert world.sim.state.ddm_instances[names.DDM_TARGET].status == "ERROR"


def test_a_reset_of_the_cloud_empties_the_databases_whoever_uses_them(world: World) -> None:
    write_before_and_after(world)
    client = world.source.connect()
    client.begin()
    client.cursor().execute("SELECT * FROM orders")
    world.sim.reset()
    assert world.contents([*NODES, *TARGETS]) == {}


def test_servers_keep_their_temporary_tables_apart(world: World) -> None:
    """A server that starts empties its folder for them, and would delete those of a running server."""
    folder = world.region.server.sql("SELECT @@tmpdir")[0][0]
    assert folder.startswith(str(world.data.supervisor.folder))
    with world.region.server.connect(NODES[0]) as client, client.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE kept (id INT)")
        world.rewind()
        cursor.execute("INSERT INTO kept VALUES (1)")


@pytest.mark.parametrize(
    "options",
    [
        {"password": "wrong"},
        {"password": ""},
        {"user": "orders_db_restored"},
        {"user": "nobody", "password": "", "database": None},
        {"user": "root", "password": "", "database": None},
        {"database": NODES[0]},
        {"database": "orders_db_restored"},
    ],
    ids=lambda options: ", ".join(f"{name} {value}" for name, value in options.items()),
)
def test_clients_see_only_their_instance_and_only_with_its_password(
    world: World, options: dict[str, str | None]
) -> None:
    with pytest.raises(pymysql.OperationalError):
        world.source.connect(**options)


def test_a_metadata_recovery_shows_the_data_that_are_there(world: World, mariadb_data: RealData) -> None:
    world.region.server.sql(TABLE, database=TARGETS[0])
    world.region.server.sql("INSERT INTO orders VALUES (1, 'paid')", database=TARGETS[0])
    nodes = [names.DN_TARGET_1, names.DN_TARGET_2]
    job = Job("j", "RestoreInstance", names.DDM_TARGET, 0.0, target_id=names.DDM_TARGET, data_nodes=nodes)
    moving = mariadb_data.begin(job)
    assert moving is not None and moving.result(30) is None
    assert world.target.sql("SELECT id FROM orders") == ((1,),)
