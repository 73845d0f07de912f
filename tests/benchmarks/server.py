# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers for the measurements. Each is a process that lives until its standard input ends.

python -m tests.benchmarks.server cloud '{"scenario": "fleet-200", "records": 10000}'
    the local cloud, with old restore records
python -m tests.benchmarks.server stub
    a Hetzner API, a sign-in that refuses, and 1 KB of JSON
Each prints one line of JSON when it is ready.
"""

from __future__ import annotations

import http.server
import importlib
import json
import logging
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from tests.cloud import Simulator
from tests.cloud import scenario as ids
from tests.cloud.state import DcsRestore

LOCATION = {
    "id": 1,
    "name": "fsn1",
    "description": "a town",
    "country": "DE",
    "city": "Town",
    "latitude": 50.0,
    "longitude": 12.0,
    "network_zone": "eu-central",
}
PAGE = {
    "meta": {
        "pagination": {
            "page": 1,
            "per_page": 50,
            "previous_page": None,
            "next_page": None,
            "last_page": 1,
            "total_entries": 1,
        }
    }
}


class Stub(http.server.BaseHTTPRequestHandler):
    """Keep-alive, one thread per connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer(200, {"locations": [LOCATION], **PAGE, "padding": "x" * 700})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(401, {"error": {"code": 401, "message": "no", "title": "Unauthorized"}})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def cloud(scenario: str = "default", records: int = 0, ca_file: str | None = None, **settings: Any) -> None:
    with Simulator(scenario, **settings) as sim:
        state = sim.state
        instance_id = ids.fleet_dcs_instance(0) if scenario.startswith("fleet") else ids.DCS_INSTANCE
        for number in range(records):
            record_id, made = f"01d00000-0000-4000-8000-{number:012x}", state.clock() - 86400.0 - number
            state.dcs_restores[record_id] = DcsRestore(
                record_id,
                instance_id,
                ids.DCS_BACKUP_OLD,
                f"backup_{number}",
                made,
                made + 15,
                "succeed",
                "100.00",
            )
        env = sim.env
        if ca_file and sim.ca_file:
            shutil.copy(sim.ca_file, ca_file)
            env["HW_CA_PATH"] = ca_file
        ready(sim.url, env)


def stub() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ready(f"http://127.0.0.1:{server.server_port}", {})
        server.shutdown()


def moto() -> None:
    server = importlib.import_module(
        "moto.server"
    ).ThreadedMotoServer(  # in the benchmarks' own environment only
        ip_address="127.0.0.1", port=0, verbose=False
    )
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    ready("http://{}:{}".format(*server.get_host_and_port()), {})
    server.stop()


def ready(url: str, env: dict[str, str]) -> None:
    print(json.dumps({"url": url, "env": env}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
    {"cloud": cloud, "stub": stub, "moto": moto}[sys.argv[1]](
        **json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}")
    )
