# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a restore from beginning to end: build and install the collection, start the local cloud, plan, restore, and say where the report lies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

from tests.cloud import Simulator
from tests.tools import artifact

DEMO = artifact.ROOT / ".work" / "demo"
REPORTS = DEMO / "report"


def say(text: str) -> None:
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def playbook(*options: str, env: dict[str, str]) -> None:
    command = ["ansible-playbook", "huaweicloud.recovery.restore", "-e", "@demo/vars.yml", *options]
    print("$ " + " ".join(command), flush=True)
    command += ["-e", f"restore_report_dir='{REPORTS}'"]
    # A process group of its own: whoever stops the demo stops Ansible's workers, too.
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if code:
        raise subprocess.CalledProcessError(code, command)


def main() -> None:
    begin = time.monotonic()
    shutil.rmtree(DEMO, ignore_errors=True)
    say("Build the collection and install it from the artifact")
    print(built := artifact.build(DEMO))
    artifact.install(built, DEMO / "collections")
    with Simulator(scenario="demo", restore_seconds=3) as cloud:
        say(f"A local cloud listens on {cloud.url}")
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        env.update(cloud.env)
        env.update(
            ANSIBLE_COLLECTIONS_PATH=str(DEMO / "collections"),
            ANSIBLE_DISPLAY_SKIPPED_HOSTS="False",
            ANSIBLE_LOCALHOST_WARNING="False",
            ANSIBLE_INVENTORY_UNPARSED_WARNING="False",
        )
        say("The plan: what would overwrite what. Nothing is changed")
        playbook("--check", "--diff", env=env)
        say("The restore")
        playbook(env=env)
    say(f"Done in {time.monotonic() - begin:.0f} s, the local cloud is stopped. The report:")
    for report in sorted(path for path in REPORTS.rglob("*") if path.is_file()):
        print(report)


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
