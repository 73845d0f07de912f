# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Galaxy that has one version of one collection: what ansible-galaxy asks for when it installs it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def answers(artifact: Path, url: str) -> dict[str, bytes]:
    """Return the body of each path."""
    namespace, name, version = artifact.name.removesuffix(".tar.gz").split("-", 2)
    content = artifact.read_bytes()
    collection = f"/api/v3/collections/{namespace}/{name}/"
    folder = f"{collection}versions/"
    listed: dict[str, Any] = {"meta": {"count": 1}, "links": {"next": None}, "data": [{"version": version}]}
    details = {
        "namespace": {"name": namespace},
        "collection": {"name": name},
        "version": version,
        "href": f"{folder}{version}/",
        "download_url": f"{url}/{artifact.name}",
        "artifact": {"filename": artifact.name, "sha256": hashlib.sha256(content).hexdigest()},
        "metadata": {"dependencies": {}},
        "signatures": [],
    }
    rows: dict[str, Any] = {
        "/api/": {"available_versions": {"v3": "v3/"}},
        collection: {"created_at": "2026-01-31", "updated_at": "2026-01-31"},
        folder: listed,
        f"{folder}{version}/": details,
    }
    return {**{path: json.dumps(row).encode() for path, row in rows.items()}, f"/{artifact.name}": content}


@contextlib.contextmanager
def serving(artifact: Path) -> Iterator[str]:
    """Serve an artifact; yield the address for ANSIBLE_GALAXY_SERVER."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies.get(self.path.partition("?")[0])
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *dummy: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        bodies = answers(artifact, url)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"{url}/api/"
        finally:
            server.shutdown()
            thread.join()
