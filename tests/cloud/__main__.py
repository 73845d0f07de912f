# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""python -m tests.cloud --port 0 --scenario default --restore-seconds 2"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from . import Simulator
from .data import DataError
from .tls import MODES

if TYPE_CHECKING:
    from .data.real import RealData


def _write(path: Path, text: str) -> None:
    """Write all at once: a process that waits for the file must never read half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    os.replace(part, path)


def real_data() -> RealData:
    from .data.real import RealData  # imports redis and PyMySQL, which nobody else needs

    return RealData.of_this_machine()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cloud", description="A local cloud: IAM, DDM and DCS."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--scenario",
        default="default",
        help="default, demo, empty, fleet-N or fleet-N-M (N caches, M databases)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--restore-seconds", type=float, default=2.0)
    parser.add_argument("--backup-seconds", type=float, default=2.0)
    parser.add_argument(
        "--visibility-seconds", type=float, default=0.0, help="how long a new record or job cannot be seen"
    )
    parser.add_argument(
        "--settle-seconds",
        type=float,
        default=0.0,
        help="how long an instance stays busy after its operation",
    )
    parser.add_argument("--token-seconds", type=float, default=86400.0)
    parser.add_argument("--tls", choices=MODES)
    parser.add_argument("--ca-file", type=Path, help="where to put the authority's certificate")
    parser.add_argument("--port-file", type=Path)
    parser.add_argument(
        "--env-file",
        type=Path,
        help="sh lines that export what a client needs; written once the server is ready",
    )
    parser.add_argument(
        "--data-file",
        type=Path,
        help="put real servers behind the instances of the demo, and write here how to reach them, as JSON",
    )
    args = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *dummy: stop.set())
    with contextlib.ExitStack() as stack:
        return serve(args, stack, stop)


def serve(args: argparse.Namespace, stack: contextlib.ExitStack, stop: threading.Event) -> int:
    try:
        data = None if args.data_file is None else stack.enter_context(real_data())
        simulator = Simulator(
            args.scenario,
            args.seed,
            args.tls,
            args.port,
            args.host,
            data=data,
            restore_seconds=args.restore_seconds,
            backup_seconds=args.backup_seconds,
            visibility_seconds=args.visibility_seconds,
            settle_seconds=args.settle_seconds,
            token_seconds=args.token_seconds,
        )
        simulator.start()
    except (OSError, ValueError, DataError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    with simulator:
        env = simulator.env
        if simulator.ca_file is not None and args.ca_file is not None:
            shutil.copy(simulator.ca_file, args.ca_file)
            env["HW_CA_PATH"] = str(args.ca_file.resolve())
        if args.port_file is not None:
            _write(args.port_file, f"{simulator.port}\n")
        if data is not None:
            args.data_file.touch(mode=0o600)
            args.data_file.write_text(json.dumps(data.addresses()))
        if args.env_file is not None:
            _write(
                args.env_file, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in env.items())
            )
        print(simulator.url, flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
