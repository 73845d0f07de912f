# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The measures of CONTRIBUTING, kept true.

The house rules are in one sentence: a module declares; one runner runs; one client talks; a service is
a room; rows flow through; nothing else reads check mode, sleeps, catches, or POSTs.
"""

from __future__ import annotations

import ast
import base64
import io
import itertools
import re
import sys
import tokenize
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from tests import invoke
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.contract import payload

ROOT = payload.ROOT
MEASURES = {
    row[1]: int(row[2].replace(",", ""))
    for row in re.finditer(
        r"^\| ([^|]+) \| ([\d,]+) \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M
    )
}
SHIPPED = [module for module in payload.MODULES if module not in invoke.ACTIONS]
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
CODE = [*PLUGINS, *sorted((ROOT / "extensions").rglob("*.py"))]
UTILS = ROOT / "plugins" / "module_utils"
HERE = "ansible_collections.huaweicloud.recovery.plugins.module_utils."


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT)).removeprefix("plugins/")


def mentions(path: Path, *words: str) -> Iterator[ast.AST]:
    """Where a name is used, as a variable, an attribute or an import."""
    for node in ast.walk(tree(path)):
        used = (
            [node.id]
            if isinstance(node, ast.Name)
            else [node.attr]
            if isinstance(node, ast.Attribute)
            else [alias.name for alias in node.names]
            if isinstance(node, (ast.Import, ast.ImportFrom))
            else []
        )
        if set(used) & set(words):
            yield node


def where(*words: str) -> dict[str, int]:
    found = {name(path): len(list(mentions(path, *words))) for path in PLUGINS}
    return {path: count for path, count in found.items() if count}


def imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: relative imports hide what is shipped"
            found.append(str(node.module))
    return found


# One place for each thing


def test_one_reader_of_check_mode() -> None:
    # Out of process, it passes check mode to each module that it runs.
    handed_on = {"action/restore_start.py"}
    by_step = {"action/restore_step.py"}  # a step of the role runs modules, those of its plan in check mode
    known = handed_on | by_step
    assert {path: count for path, count in where("check_mode").items() if path not in known} == {
        "module_utils/_runner.py": 1
    }
    deciding = [
        (name(path), ast.unparse(node.test))
        for path in PLUGINS
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.If, ast.IfExp, ast.While)) and "dry_run" in ast.unparse(node.test)
    ]
    assert deciding == [("module_utils/_protocol/plan.py", "dry_run")]
    assert set(where("dry_run")) == {"module_utils/_protocol/plan.py", "module_utils/_runner.py", *handed_on}


def test_ansible_module_is_known_in_one_place() -> None:
    for word in ("AnsibleModule", "fail_json", "exit_json", "no_log_values"):
        assert set(where(word)) == {"module_utils/_runner.py"}, word


def test_one_place_ends_every_error() -> None:
    """Code that catches everything must not show the text of the error."""
    wide = [
        (name(path), ast.unparse(node.type) if node.type else "")
        for path in PLUGINS
        if "module_utils" in path.parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or re.search(r"\b(Base)?Exception\b", ast.unparse(node.type)))
    ]
    assert {path for path, dummy in wide} <= {"module_utils/_runner.py", "module_utils/_api/transport.py"}
    assert len(wide) == 2


def test_no_error_is_changed_on_its_way() -> None:
    """Code that knows more about an error raises a new one: error.with_context()."""
    changed = [
        f"{name(path)}:{node.lineno}"
        for path in CODE
        if path.name != "errors.py"
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.Assign, ast.AugAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for place in ast.walk(target)
        if isinstance(place, ast.Attribute)
        and place.attr in ("args", "facts", "kind", "effect", "transient")
        and "error" in ast.unparse(place.value)
    ]
    assert changed == []


def completed(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Where a function sets an attribute of an object that it has just made by a call."""
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    pairs = [
        (target, value)
        for node in assigned
        for targets, values in [
            (node.targets[0].elts, node.value.elts)
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple)
            else (node.targets, [node.value] * len(node.targets))
        ]
        for target, value in zip(targets, values, strict=False)
    ]
    made = {
        target.id for target, value in pairs if isinstance(target, ast.Name) and isinstance(value, ast.Call)
    }
    for target, dummy in pairs:
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) in made:
            yield target


def test_no_object_of_ours_is_completed_after_it_was_built() -> None:
    found = {
        f"{name(path)}: {ast.unparse(place)}"
        for path in CODE
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for place in completed(function)
    }
    of_libraries = re.compile("(context|connection|task|problem)[.]")  # of ssl, urllib3, Ansible, ElementTree
    ours = {place for place in found if not of_libraries.match(place.rpartition(" ")[2])}
    assert ours == {"module_utils/_api/errors.py: copy.facts"}  # with_context(), for every class of errors


CHANGING = {"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"}


def kept(path: Path) -> Iterator[str]:
    """The names of a file that its functions change: with global, by an item, or by a container's method."""
    assigned = [node for node in tree(path).body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    names = {
        place.id
        for node in assigned
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for place in ast.walk(target)
        if isinstance(place, ast.Name)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Global):
            yield from node.names
        elif (isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load)) or (
            isinstance(node, ast.Attribute) and node.attr in CHANGING
        ):
            yield from {ast.unparse(node.value)} & names


def test_no_file_keeps_state() -> None:
    """Otherwise a task of a worker, or a thread of a task, could meet what another one has left."""
    found = {(name(path), one) for path in CODE for one in kept(path)}
    listed = {("plugin_utils/_steps.py", "STEPS")}  # by a decorator, while the file is read
    assert found == {("module_utils/_api/tls.py", "_contexts"), *listed}  # a cache that changes no result


def test_the_client_knows_nothing_of_ansible() -> None:
    for path in (UTILS / "_api").glob("*.py"):
        for module in imports(path):
            known = (
                module.startswith(HERE + "_api")
                or module == "requests"
                or module.partition(".")[0] in sys.stdlib_module_names
            )
            assert known, f"{path.name}: {module}"


def test_requests_is_imported_in_one_place() -> None:
    third = {(name(path), module.partition(".")[0]) for path in PLUGINS for module in imports(path)}
    third = {
        (path, module)
        for path, module in third
        if module not in sys.stdlib_module_names and module not in ("ansible", "ansible_collections")
    }
    # PyYAML and Jinja come with ansible-core, and are used on the controller alone.
    controller = {("plugin_utils/_settings.py", "yaml")}
    controller |= {("plugin_utils/_report_page.py", name) for name in ("jinja2", "markupsafe")}
    assert third == {("module_utils/_api/deps.py", "requests")} | controller


def test_nothing_sleeps_but_the_clock() -> None:
    sleepers = {
        name(path)
        for path in PLUGINS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"
    }
    assert sleepers == {"module_utils/_api/clock.py"}
    assert ast.unparse(tree(UTILS / "_api" / "clock.py")).count("time.sleep") == 1
    for path in PLUGINS:
        for node in ast.walk(tree(path)):
            assert not (isinstance(node, ast.ImportFrom) and node.module == "time"), name(path)


def test_the_time_is_asked_of_the_clock() -> None:
    """Only then can a test move the time."""
    asking = re.compile(r"time\.(time|monotonic|perf_counter)|datetime\.(now|utcnow|today)|random\.random")
    found = {
        name(path)
        for path in PLUGINS
        if "module_utils" in path.parts and asking.search(ast.unparse(tree(path)))
    }
    assert found == {"module_utils/_api/clock.py"}


def test_one_sender() -> None:
    """There is one way for a POST that changes something.

    plan -> protocol.start() -> operation.post() -> service.send() -> Cloud.post_once() -> Session.post_once()
    """
    assert set(where("post_once")) == {
        "module_utils/_api/cloud.py",
        *(f"module_utils/_services/{service}/api.py" for service in SERVICES),
    }
    calls = [
        (name(path), function.name)
        for path in PLUGINS
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "post"
    ]
    assert calls == [("module_utils/_protocol/protocol.py", "start")]
    callers = [
        (path.parent.name, function.name)
        for path in PLUGINS
        if not name(path).startswith("module_utils/_api/")
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "send"
    ]
    assert set(callers) == {(service, "post") for service in SERVICES}


def test_imports_point_one_way() -> None:
    graph = {name(path): {name(one) for one in payload.imported(path)} for path in PLUGINS}
    left = dict(graph)
    while left:
        free = [path for path, needs in left.items() if not needs & set(left)]
        assert free, f"these import each other: {sorted(left)}"
        left = {path: needs for path, needs in left.items() if path not in free}
    for path, needs in graph.items():
        if path.startswith("module_utils/"):
            assert all(need.startswith("module_utils/") for need in needs), path
    lower = {
        "_api": (),
        "_protocol": ("_api",),
        "_arguments.py": ("_api",),
        "_row.py": ("_api",),
        "_filters.py": ("_api",),
        "_services": ("_api", "_protocol", "_arguments.py"),
        "_runner.py": ("_api", "_protocol", "_arguments.py"),
        "_verify": ("_api", "_services", "_arguments.py", "_row.py"),
    }
    utils = {path.split("/")[1] for path in graph if path.startswith("module_utils/")}
    assert utils <= lower.keys(), "a new floor of module_utils needs its line above"
    for path, needs in graph.items():
        floor = path.split("/")[1]
        if floor in lower:
            assert {need.split("/")[1] for need in needs} <= {floor, *lower[floor]}, path
    rooms = {service: f"module_utils/_services/{service}/" for service in SERVICES}
    for path, needs in graph.items():
        for service, room in rooms.items():
            others = tuple(other for other in rooms.values() if other != room)
            assert not path.startswith(room) or not any(need.startswith(others) for need in needs), service


def own(path: Path) -> bool:
    """Whether a file belongs to one service: its room, and its modules with documentation and actions."""
    room = any(part in (*SERVICES, "modules", "doc_fragments") for part in path.parts)
    return room or (path.parent.name == "action" and path.stem.partition("_")[0] in SERVICES)


def words(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file with the names and texts on them, without documentation."""
    prose = {id(node.value) for node in ast.walk(tree(path)) if isinstance(node, ast.Expr)}
    prose |= {
        id(node.value)
        for node in tree(path).body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) in ("DOCUMENTATION", "EXAMPLES", "RETURN")
    }
    for node in ast.walk(tree(path)):
        if id(node) not in prose:
            for field in ("id", "attr", "name", "asname", "arg", "module", "value"):
                word = getattr(node, field, None)
                if isinstance(word, str):
                    yield getattr(node, "lineno", 0), word


def test_few_lines_outside_of_its_room_name_a_service() -> None:
    """A further service adds its line to the three lists of services.

    Nothing else asks for a name. Code that has to tell services apart adds a field to Service that holds
    the difference.
    """
    lines = sorted(
        {
            f"{name(path)}:{line}"
            for path in CODE
            if not own(path.relative_to(ROOT))
            for line, word in words(path)
            if re.search(f"(?<![a-z])({'|'.join(SERVICES)})(?![a-z])", word, re.I)
        }
    )
    most = 5 + 3 * len(SERVICES)
    assert len(lines) <= most, f"{len(lines)} lines name a service, {most} may: give Service a field. {lines}"


# Form


@pytest.mark.parametrize("path", CODE, ids=name)
def test_full_annotations(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = [
                *node.args.posonlyargs,
                *node.args.args,
                *node.args.kwonlyargs,
                node.args.vararg,
                node.args.kwarg,
            ]
            bare = [
                one.arg
                for one in given
                if one is not None and one.annotation is None and one.arg not in ("self", "cls")
            ]
            assert not bare and node.returns is not None, f"{path.name}:{node.lineno} {node.name} {bare}"


def test_nothing_is_ignored() -> None:
    assert not list(ROOT.glob("tests/sanity/ignore*")) and not (ROOT / ".ansible-lint-ignore").exists()
    marks = re.compile(
        "|".join(
            [
                "# no" + "qa",
                "type: " + "ignore",
                "pylint: *" + "disable",
                r"\bTO" + r"DO\b",
                r"\bFIX" + r"ME\b",
                "no" + "sec\\b",
                "yamllint " + "disable",
            ]
        )
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("plugins", "tests", "roles", "playbooks", "docs", "extensions", "meta", "changelogs")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix in (".py", ".yml", ".yaml", ".j2", ".rst", ".md", ".sh", ".toml")
        and "output" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_nothing_is_skipped_without_a_reason() -> None:
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and re.fullmatch(
                r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)", ast.unparse(node.func)
            ):
                assert node.args or node.keywords, f"{path.name}:{node.lineno}"


def test_no_function_is_long() -> None:
    lengths = {
        f"{name(path)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in CODE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
    }
    assert {function for function, lines in lengths.items() if lines > 45} == set()
    assert sorted(lengths.values())[len(lengths) // 2] <= 8


def test_no_blank_stands_before_a_colon() -> None:
    """Galaxy's importer warns of it (E203), but the formatter writes it in a slice with an expression."""
    found = []
    for path in CODE:
        with path.open("rb") as source:
            tokens = list(tokenize.tokenize(source.readline))
        found += [
            f"{name(path)}:{token.start[0]}: give the bound of the slice a name"
            for before, token in itertools.pairwise(tokens)
            if token.string == ":" and before.end[0] == token.start[0] and before.end[1] < token.start[1]
        ]
    assert found == []


# What is shipped


@pytest.mark.parametrize("module", SHIPPED)
def test_the_payload_has_a_budget(module: str) -> None:
    found = payload.payload(module)
    modules = "an `_info` module" if module.endswith("_info") else "any module"
    if module == "restore_verify":  # It has all services, and the clients of the checks.
        modules = f"`{module}`"
    assert found.code_lines <= MEASURES[f"lines of code shipped with {modules}"], found
    assert found.lines <= MEASURES[f"lines shipped with {modules}, documentation included"], found
    assert found.zipped <= 1000 * MEASURES[f"kB shipped with {modules}, zipped"], found


@pytest.mark.parametrize("module", SHIPPED)
def test_a_module_ships_only_the_service_it_uses(module: str) -> None:
    services = {path.parent.name for path in payload.shipped(module)} & set(SERVICES)
    files = {path.stem for path in payload.shipped(module)}
    own = module.partition("_")[0]
    assert services == (set(SERVICES) if module in ("restore_verify", "restore_wait") else {own})
    if module.endswith("_info"):
        assert not {"protocol", "waiter"} & files
    if module == "restore_verify":  # It waits for no operation.
        assert not {"protocol", "waiter"} & files
    if module == "dcs_backup":  # It restores nothing, and has no option with a time.
        assert not {"choice", "times"} & files


def test_the_payload_is_what_ansible_really_ships(tmp_path: Path) -> None:
    """Run one module as Ansible ships it, keep the file that it made, and look into it."""
    with Simulator() as sim:
        keep = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": str(tmp_path)}
        done = invoke.adhoc(
            "dcs_restore",
            {**sim.env, **keep},
            "-e",
            "huaweicloud_recovery_in_process=false",
            instance_id="..",
            backup_id=names.DCS_BACKUP,
        )
    assert done.results[0]["result"]["error_kind"] == "invalid_argument", done.output
    (wrapper,) = tmp_path.glob("*/AnsiballZ_dcs_restore.py")
    (packed,) = re.findall(r"""['"]([A-Za-z0-9+/=\n\\]{1000,})['"]""", wrapper.read_text(encoding="utf-8"))
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed.replace("\\n", "")))) as archive:
        ours = {
            entry
            for entry in archive.namelist()
            if "huaweicloud/recovery" in entry and archive.getinfo(entry).file_size
        }
        assert archive.testzip() is None
    prefix = "ansible_collections/huaweicloud/recovery/"
    assert {entry.removeprefix(prefix) for entry in ours} == {
        str(path.relative_to(ROOT)) for path in payload.shipped("dcs_restore")
    }
