# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules document, and whether a result keeps to it.

It reads the sources, and needs neither Ansible nor a cloud.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "plugins" / "modules"
OF_THE_ROLE = {"restore_step"}  # It documents the action of the role's tasks, which run it.
MODULES = sorted({path.stem for path in FOLDER.glob("*.py")} - {"__init__"} - OF_THE_ROLE)
PREFIX = "huaweicloud.recovery."
TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "list": list,
    "dict": dict,
}
# Ansible's own keys of a result, and the keys of a failure, which the connection fragment documents for
# all.
COMMON = {
    "changed",
    "failed",
    "msg",
    "invocation",
    "warnings",
    "deprecations",
    "ansible_facts",
    "attempts",
    "results_file",
    "start",
    "end",
    "delta",
}
FAILURE = {
    "error_kind",
    "error_code",
    "http_status",
    "request_id",
    "keys_refused",
    "restore_id",
    "backup_id",
    "job_id",
    "instance_id",
    "status",
    "progress",
    "elapsed",
}


def source(module: str) -> str:
    return (FOLDER / f"{module}.py").read_text(encoding="utf-8")


@cache
def texts(module: str) -> dict[str, str]:
    """DOCUMENTATION, EXAMPLES and RETURN as they are written."""
    return _strings(ast.parse(source(module)).body)


def _strings(body: list[ast.stmt]) -> dict[str, str]:
    found = {}
    for node in body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            found.update(
                {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
            )
    return found


@cache
def fragment(name: str) -> dict[str, Any]:
    """A documentation fragment: `huaweicloud.recovery._attributes.info` is INFO in _attributes.py."""
    file, dummy, variant = name.removeprefix(PREFIX).partition(".")
    tree = ast.parse((ROOT / "plugins" / "doc_fragments" / f"{file}.py").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return dict(yaml.safe_load(_strings(body)[variant.upper() or "DOCUMENTATION"]))


@cache
def documentation(module: str) -> dict[str, Any]:
    return dict(yaml.safe_load(texts(module)["DOCUMENTATION"]))


@cache
def options(module: str) -> dict[str, Any]:
    """The options of a module with those of its fragments."""
    found: dict[str, Any] = {}
    for name in documentation(module)["extends_documentation_fragment"]:
        found.update(fragment(name).get("options") or {})
    return {**found, **documentation(module)["options"]}


@cache
def returns(module: str) -> dict[str, Any]:
    return dict(yaml.safe_load(texts(module)["RETURN"]))


@cache
def examples(module: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load(texts(module)["EXAMPLES"]))


def every_return(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each documented return value with its path, at any depth."""
    for name, value in values.items():
        yield path + name, value
        yield from every_return(value.get("contains", {}), f"{path}{name}.")


def is_of_type(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and not (name in ("int", "float") and isinstance(value, bool))


def differences(module: str, result: Mapping[str, Any]) -> list[str]:
    """Where a task's result and the RETURN block of its module disagree; [] when the block is true."""
    documented = with_rows(returns(module))
    ignored = {name for name in result if name in COMMON or name.startswith("_ansible")}
    rows = set()
    if result.get("failed"):
        rows = FAILURE  # of a row that failed, while others succeeded
        ignored |= FAILURE | (set(result) - set(documented))
        documented = {name: value for name, value in documented.items() if name in result}
    always = {name for name, value in documented.items() if value["returned"] == "success"}
    found = [
        f"{name} is documented as always returned, but is missing" for name in sorted(always - set(result))
    ]
    return found + list(
        _compare(documented, {name: value for name, value in result.items() if name not in ignored}, "", rows)
    )


def with_rows(documented: dict[str, Any]) -> dict[str, Any]:
    """The return values, where rows have every key of a row: those of restore_start and its own input."""
    if not {"outcome", "verification"} & set(documented.get("restores", {}).get("contains", {})):
        return documented
    given = documentation("restore_start")["options"]["restores"]["suboptions"]
    keys = {name: {"type": option["type"]} for name, option in given.items() if option["type"] == "str"}
    returned = returns("restore_start")["restores"]["contains"]
    contains = {
        name: value for name, value in returned.items() if name not in documented["restores"]["contains"]
    }
    rows = {**documented["restores"]["contains"], **contains}
    return {**documented, "restores": {**documented["restores"], "contains": rows, "may_contain": keys}}


def _compare(
    documented: Mapping[str, Any], values: Mapping[str, Any], path: str, more: set[str]
) -> Iterator[str]:
    for name, value in values.items():
        if name not in documented and name in more and values.get("error_kind"):
            continue
        if name not in documented:
            yield f"{path}{name} is returned, but not documented"
            continue
        entry = documented[name]
        if value is None:
            continue
        if not is_of_type(value, entry["type"]):
            yield f"{path}{name} is documented as {entry['type']}, but is {value!r}"
            continue
        for item in value if entry["type"] == "list" else [value]:
            if "elements" in entry and not is_of_type(item, entry["elements"]):
                yield f"{path}{name} is documented as a list of {entry['elements']}, but holds {item!r}"
            elif "contains" in entry:
                yield from (
                    f"{path}{name}.{key} is documented, but missing"
                    for key in entry["contains"]
                    if key not in item
                )
                known = {**entry.get("may_contain", {}), **entry["contains"]}
                yield from _compare(known, item, f"{path}{name}.", more)
