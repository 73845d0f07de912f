# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible ships to run a module of this collection, read from the sources: the module and every part of module_utils it imports."""

from __future__ import annotations

import ast
import io
import zipfile
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
NAME = "ansible_collections.huaweicloud.recovery.plugins."


def files(module: str) -> list[Path]:
    """The files, the module first. Imports for type checking alone count too: Ansible follows every import it sees."""
    found: list[Path] = []
    waiting = [PLUGINS / "modules" / f"{module}.py"]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.append(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(NAME):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                candidates = [PLUGINS / (name.removeprefix(NAME).replace(".", "/") + ".py") for name in names]
                waiting += [candidate for candidate in candidates if candidate.is_file()]
    return found


def lines(module: str) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files(module))


def zipped(module: str) -> int:
    """Bytes of the files, compressed as Ansible does it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files(module):
            archive.write(path, path.relative_to(PLUGINS))
    return len(stream.getvalue())
