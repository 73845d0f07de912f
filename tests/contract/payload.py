# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible ships with each module: `python -m tests.contract.payload` prints the table for CONTRIBUTING.

AnsiballZ follows every import anywhere in a file, and zips what it finds. Ansible's own
module_utils come on top; they are the same for every module and none of ours. The benchmarks measure other
collections in the same way.
"""

from __future__ import annotations

import ast
import io
import tokenize
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.huaweicloud.recovery."
# restore_step documents the action of the role's tasks, and ships nothing
MODULES = sorted({path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - {"restore_step"})


@dataclass(frozen=True)
class Payload:
    module: str
    files: tuple[Path, ...]
    lines: int
    code_lines: int  # without blank lines, comments and strings that stand alone
    zipped: int  # bytes

    def __str__(self) -> str:
        return f"{self.module:22}{len(self.files):6}{self.lines:8}{self.code_lines:8}{self.zipped:8}"


@cache
def imported(path: Path, root: Path = ROOT, package: str = PACKAGE) -> set[Path]:
    """Files below `root`, which holds `package`, that a file there imports: modules and packages."""
    found = set()
    here = [*package.split(".")[:-1], *path.relative_to(root).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join([*here[: -node.level], *filter(None, [node.module])])
                if node.level
                else str(node.module)
            )
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        within = [
            root / Path(*name.removeprefix(package).split(".")) for name in names if name.startswith(package)
        ]
        found |= {
            file
            for place in within
            for file in (place.with_suffix(".py"), place / "__init__.py")
            if file.is_file()
        }
    return found


def shipped(module: str, folder: str = "", root: Path = ROOT, package: str = PACKAGE) -> tuple[Path, ...]:
    """The module and, recursively, the files of collections that it imports.

    `folder` is that of its collection, below `root`.
    """
    todo = [root / folder / "plugins" / "modules" / f"{module}.py"]
    found: list[Path] = []
    while todo:
        path = todo.pop()
        if path not in found:
            found.append(path)
            todo += imported(path, root, package)
    return tuple(sorted(found))


@cache
def code_lines(path: Path) -> int:
    """Count the lines of code."""
    skipped = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    )
    source = path.read_text(encoding="utf-8")
    standing = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {
        line
        for token in tokens
        if token.type not in skipped
        for line in range(token.start[0], token.end[0] + 1)
    }
    documentation = {
        line
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("DOCUMENTATION", "EXAMPLES", "RETURN")
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return len(lines - standing - documentation)


def payload(module: str, folder: str = "", root: Path = ROOT, package: str = PACKAGE) -> Payload:
    files = shipped(module, folder, root, package)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in files:
            file.write(path, f"{package.replace('.', '/')}{path.relative_to(root)}")
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    return Payload(module, files, lines, sum(map(code_lines, files)), len(archive.getvalue()))


def main() -> None:
    print(f"{'module':22}{'files':>6}{'lines':>8}{'code':>8}{'zipped':>8}")
    for module in MODULES:
        print(payload(module))


if __name__ == "__main__":
    main()
