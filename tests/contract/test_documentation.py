# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules say about themselves is complete and agrees with what they declare."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _row
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.base import Service
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.reading import TARGET_KEYS
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._options import (
    OF_A_DRILL,
    PREFIX,
    VARIABLES,
    Options,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._report_timeline import LEGEND
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._step_table import (
    NAMES,
    PHASES,
    TABLE,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._steps import STEPS
from tests import invoke
from tests.cases import CASES, STARTS
from tests.cloud import scenario
from tests.contract import documents
from tests.report import pictures, samples
from tests.tools import docs, mutation, role

MODULES = documents.MODULES
CONNECTION = documents.PREFIX + "_connection"
WAIT = documents.PREFIX + "_wait"
TIMEZONE = documents.PREFIX + "_timezone"
ATTRIBUTES = documents.PREFIX + "_attributes"
# The options of an argument that its documentation repeats. Readers do not need no_log and the like.
READABLE = ("type", "required", "default", "choices", "elements", "aliases")
HEADER = """\
# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""
MOST_LINES = 350
each_module = pytest.mark.parametrize("module", MODULES)


def readable(specification: dict[str, Any], nested: str) -> dict[str, Any]:
    """An argument spec or its documentation, reduced to what both must say."""
    return {
        name: {
            **{key: option[key] for key in READABLE if option.get(key) not in (None, False, [])},
            **({"nested": readable(option[nested], nested)} if nested in option else {}),
        }
        for name, option in specification.items()
    }


def described(options: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, option in options.items():
        yield path + name, option
        yield from described(option.get("suboptions", {}), f"{path}{name}.")


def call_of_run_module(module: str) -> ast.Call:
    main = next(
        node
        for node in ast.parse(inspect.getsource(invoke.code(module))).body
        if isinstance(node, ast.FunctionDef) and node.name == "main"
    )
    return next(
        node
        for node in ast.walk(main)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "run_module"
    )


@pytest.mark.parametrize("module", sorted({*MODULES, *CASES}))
def test_a_module_is_at_home_everywhere(module: str) -> None:
    """The message says what to add and where."""
    assert module in MODULES, f"tests/cases.py has a row for {module}: delete it, there is no such module"
    assert module in CASES, f"tests/cases.py has no row for {module}: add a Case with a call that succeeds"
    action = documents.ROOT / "plugins" / "action" / f"{module}.py"
    assert action.exists(), (
        f"plugins/action/{module}.py is missing: copy another module's, and change the name"
    )
    readme = (documents.ROOT / "README.md").read_text(encoding="utf-8")
    assert f"`{module}`" in readme, f"README.md does not name `{module}`: add a row to the table of modules"
    group = runtime()["action_groups"]["all"]
    assert module in group, f"meta/runtime.yml: add {module} to the action group `all`"


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_a_service_is_at_home_everywhere(service: Service) -> None:
    """The message says where to add what is missing."""
    word, endpoint, variable = service.name, f"{service.name}_endpoint", service.variable
    wanted = [
        (f"plugins/modules/{word}_instance_info.py", "run_module", "the role lists the instances with it"),
        ("plugins/module_utils/_api/endpoints.py", f'"{word}"', "SERVICES, of which each has an endpoint"),
        ("plugins/doc_fragments/_connection.py", endpoint, "the documentation of that option"),
        ("roles/restore/defaults/main.yml", variable, "the list of the role"),
        ("roles/restore/meta/argument_specs.yml", variable, "the documentation of that list"),
        ("roles/restore/README.md", variable, "the table of variables"),
        ("tests/input/test_responses.py", f'"{word}.', "CALLS: hostile responses to each of its calls"),
    ]
    missing = [f"{path}: {text} ({why})" for path, text, why in wanted if text not in written(path)]
    for module in filter(None, (service.module({})[0], service.backup_module)):
        if module not in STARTS:
            missing.append(f"tests/cases.py: start of {module} (its faults, kills and hostile responses)")
    for module in ("restore_start", "restore_wait", "restore_verify"):
        if (
            word
            not in documents.documentation(module)["options"]["restores"]["suboptions"]["service"]["choices"]
        ):
            missing.append(f"plugins/modules/{module}.py: {word} (the choices of service)")
    assert not missing, "Add to " + "; ".join(missing)


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_an_option_of_a_restore_is_at_home_everywhere(service: Service) -> None:
    """Rows of restore_start, entries of the role and hosts of a fleet take it by the same name and type."""
    home = "roles/restore"
    spec = yaml.safe_load(written(f"{home}/meta/argument_specs.yml"))["argument_specs"]["main"]["options"]
    table = [line for line in written(f"{home}/README.md").splitlines() if f"| `{service.variable}`" in line]
    rows = documents.documentation("restore_start")["options"]["restores"]["suboptions"]
    places = {
        "plugins/modules/restore_start.py": " ".join(rows),
        f"{home}/meta/argument_specs.yml": " ".join(spec[service.variable]["description"]),
        f"{home}/README.md": " ".join(table),
        "playbooks/fleet.yml": written("playbooks/fleet.yml"),
        "docs/docsite/rst/fleet.rst": " ".join(
            re.findall("``(.*?)``", written("docs/docsite/rst/fleet.rst"))
        ),
    }
    missing = [
        f"{path}: {name}"
        for path, text in places.items()
        for name in service.options
        if not re.search(rf"\b(source_)?{name}\b", text)
    ]
    assert not missing, "Add to " + "; ".join(missing)
    for name, option in service.options.items():
        assert rows[name]["type"] == option["type"], f"plugins/modules/restore_start.py: the type of {name}"


def test_a_variable_of_the_role_is_at_home_everywhere() -> None:
    """Each has a reader in _options.py. The message says where to add what is missing, or which value."""
    home = "roles/restore"
    spec = yaml.safe_load(written(f"{home}/meta/argument_specs.yml"))["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load(written(f"{home}/defaults/main.yml"))
    readme = re.findall(r"`(restore_\w+)`", written(f"{home}/README.md").partition("## Variables")[2])
    names = [name for name in VARIABLES if name.removeprefix(PREFIX) not in OF_A_DRILL]
    places = [
        (f"{home}/meta/argument_specs.yml", "its documentation", spec),
        (f"{home}/defaults/main.yml", "its value where it is unset", defaults),
        (f"{home}/README.md", "the table of variables", readme),
    ]
    missing = [
        f"{path}: {name} ({what})" for path, what, found in places for name in names if name not in found
    ]
    assert not missing, "Add to " + "; ".join(missing)
    assert spec.keys() == defaults.keys() == set(names)
    documented = {name: option["default"] for name, option in spec.items() if option.get("default", []) != []}
    assert {name: value for name, value in defaults.items() if value not in ("", [])} == documented
    own = {PREFIX + name: value for name, value in Options._field_defaults.items() if value not in (None, ())}
    assert own == documented, "plugins/plugin_utils/_options.py: Options says the same where all are blank"


def written(path: str) -> str:
    file = documents.ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


def test_the_action_group_holds_modules_only() -> None:
    names = sorted({*MODULES, *invoke.OF_THE_ROLE})
    assert runtime()["action_groups"] == {"all": names}, "meta/runtime.yml lists them in alphabetical order"


def runtime() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(
        (documents.ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8")
    )
    return found


@pytest.mark.parametrize("path", sorted(documents.ROOT.glob("plugins/**/*.py")), ids=lambda path: path.stem)
def test_licence(path: Path) -> None:
    assert path.read_text(encoding="utf-8").removeprefix("#!/usr/bin/python\n").startswith(HEADER)


@pytest.mark.parametrize("module", sorted(invoke.ACTIONS))
def test_the_module_of_an_action_only_documents(module: str) -> None:
    future, *rest = ast.parse(documents.source(module)).body
    assert ast.unparse(future) == "from __future__ import annotations"
    assert [ast.unparse(node).partition(" = ")[0] for node in rest] == ["DOCUMENTATION", "EXAMPLES", "RETURN"]
    assert len(documents.source(module).splitlines()) <= MOST_LINES


@pytest.mark.parametrize("module", sorted(set(MODULES) - set(invoke.ACTIONS)))
def test_a_module_only_declares(module: str) -> None:
    """Documentation, OPTIONS, plan(), pure helpers, main() of one call; imports of module_utils alone."""
    text = documents.source(module)
    tree = ast.parse(text)
    assert text.startswith("#!/usr/bin/python\n")
    assert len(text.splitlines()) <= MOST_LINES
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert "main" in functions and callable(invoke.code(module).plan)
    assert functions[-1] == "main"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert [name.name for name in node.names] == ["typing"]
        elif isinstance(node, ast.ImportFrom):
            assert node.module == "__future__" or str(node.module).startswith(
                "ansible_collections.huaweicloud.recovery.plugins.module_utils._"
            )
        assert not isinstance(node, ast.Try), "only _runner.py catches"


@each_module
def test_heading(module: str) -> None:
    documentation = documents.documentation(module)
    assert documentation["module"] == module
    assert re.fullmatch(r"\d+\.\d+\.\d+", documentation["version_added"])
    assert documentation["author"] == "the huaweicloud.recovery contributors (@huaweicloud-recovery)"
    assert re.fullmatch(r"[A-Z].*[^.]", documentation["short_description"])
    assert all(line.endswith(".") for line in documentation["description"])


@each_module
def test_fragments(module: str) -> None:
    names = documents.documentation(module)["extends_documentation_fragment"]
    waits = any(
        keyword.arg == "wait" and ast.unparse(keyword.value) == "True"
        for keyword in call_of_run_module(module).keywords
    )
    changes = ATTRIBUTES in names
    times = "timezone" in invoke.code(module).OPTIONS
    assert names == [
        CONNECTION,
        *([TIMEZONE] if times else []),
        *([WAIT] if waits else []),
        ATTRIBUTES if changes else ATTRIBUTES + ".info",
    ]
    assert changes == (not module.endswith(("_info", "_wait", "_verify")))
    attributes = {
        **documents.fragment(names[-1])["attributes"],
        **documents.documentation(module).get("attributes", {}),
    }
    assert set(attributes) == {
        "action_group",
        "check_mode",
        "diff_mode",
        "idempotent",
        *(["action", "async"] if module in invoke.ACTIONS else []),
    }
    assert attributes["action_group"]["membership"] == ["huaweicloud.recovery.all"]
    assert attributes["check_mode"]["support"] == "full"


@pytest.mark.parametrize(("name", "attribute"), [(CONNECTION, "CONNECTION"), (WAIT, "WAIT")])
def test_a_fragment_documents_its_argument_spec(name: str, attribute: str) -> None:
    arguments = importlib.import_module(
        "ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments"
    )
    assert readable(documents.fragment(name)["options"], "suboptions") == readable(
        getattr(arguments, attribute), "options"
    )


def test_the_connection_fragment_names_every_variable() -> None:
    credentials = importlib.import_module(
        "ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials"
    )
    for name, option in documents.fragment(CONNECTION)["options"].items():
        # In the order in which they are looked up
        assert tuple(
            re.findall(r"E\((HW_\w+|HUAWEICLOUD_SDK_\w+)\)", str(option["description"]))
        ) == credentials.ENVIRONMENT.get(name, ())


@each_module
def test_options(module: str) -> None:
    """The module documents its own options as it declares them, and none of the shared ones again."""
    declared = invoke.code(module).OPTIONS
    own = documents.documentation(module)["options"]
    shared = documents.documentation(module)["extends_documentation_fragment"]
    if TIMEZONE in shared:
        assert "timezone" not in own
        own = {**own, **documents.fragment(TIMEZONE)["options"]}
    # The service decides which keys a row can have, so the code checks them, not the declaration.
    if CASES[module].rows:
        row = {name: value for name, value in own["restores"].items() if name != "suboptions"}
        own = {**own, "restores": row}
    assert readable(own, "suboptions") == readable(declared, "options")
    assert not set(own).intersection(*[documents.fragment(name).get("options", ()) for name in shared[:1]])
    assert WAIT not in shared or not set(own) & set(documents.fragment(WAIT)["options"])
    for name, option in described(documents.options(module)):
        assert option.get("type") in documents.TYPES or option.get("type") == "path", name
        assert (option["type"] == "list") == ("elements" in option), name
        lines = [option["description"]] if isinstance(option["description"], str) else option["description"]
        assert all(line.endswith(".") for line in lines), name


def test_rows_document_what_they_return() -> None:
    returned = documents.returns("restore_start")["restores"]["contains"]
    assert set(returned) == {*_row.KEYS, "steps"}
    assert set(returned["target"]["contains"]) == set(TARGET_KEYS)


@each_module
def test_returns(module: str) -> None:
    """Every value has a type, and a sample of this type or the keys that it contains."""
    for name, value in documents.every_return(documents.returns(module)):
        assert value["type"] in documents.TYPES, name
        assert value["description"], name
        assert (value["type"] == "list") == ("elements" in value), name
        assert ("contains" in value) != ("sample" in value), name
        if "sample" in value:
            assert documents.is_of_type(value["sample"], value["type"]), name
        if "." not in name:
            assert value["returned"], name


@each_module
def test_references(module: str) -> None:
    """O() and RV() name options and return values that exist, M() modules."""
    own_options = {name for name, dummy in described(documents.options(module))}
    own_returns = {name for name, dummy in documents.every_return(documents.returns(module))}
    written = documents.texts(module)["DOCUMENTATION"] + documents.texts(module)["RETURN"]
    for kind, reference in re.findall(r"\b(O|RV|M)\(([^)]+)\)", written):
        name = reference.partition("=")[0].replace("[]", "")
        known = {f"huaweicloud.recovery.{other}" for other in MODULES}
        owner, separator, rest = name.partition("#module:")
        if kind == "M":
            assert name in known, reference
        elif separator:
            other = owner.removeprefix(documents.PREFIX)
            assert rest in {path for path, dummy in documents.every_return(documents.returns(other))} | set(
                documents.options(other)
            ), reference
        else:
            assert name in (own_options if kind == "O" else own_returns), reference
    for other in documents.documentation(module)["seealso"]:
        assert other["module"].removeprefix(documents.PREFIX) in MODULES


@each_module
def test_examples(module: str) -> None:
    """Named tasks with full names and documented options, without keys, on IDs of the local cloud."""
    tasks = documents.examples(module)
    used = [name for task in tasks for name in task if "." in name]
    assert documents.PREFIX + module in used
    known = {value for name, value in vars(scenario).items() if name.isupper() and isinstance(value, str)}
    for task in tasks:
        (action,) = [name for name in task if "." in name]
        assert task["name"][0].isupper()
        if not action.startswith(documents.PREFIX):
            assert action.startswith("ansible.builtin.")
            continue
        options = documents.options(action.removeprefix(documents.PREFIX))
        given = task[action] or {}
        assert set(given) <= set(options)
        assert {name for name, option in options.items() if option.get("required")} <= set(given)
        assert not set(given) & set(documents.fragment(CONNECTION)["options"]), (
            "the examples run with HW_* variables"
        )
        for name, value in given.items():
            if name.endswith("_id") and name != "operation_id" and "{{" not in value:
                assert value in known, f"{value} is not an ID of the local cloud"


def test_the_map_of_the_tests_names_every_suite() -> None:
    folder = documents.ROOT / "tests"
    text = (folder / "README.md").read_text(encoding="utf-8")
    suites = {path.parent.name for path in folder.glob("*/*.py")}
    assert sorted(suite for suite in suites if f"`{suite}" not in text) == []


def test_no_two_files_of_tests_have_one_name() -> None:
    """`-k test_start`, and the first line of a failure, must name one file."""
    files = sorted((documents.ROOT / "tests").glob("*/test_*.py"))
    names = [path.name for path in files]
    twice = [f"{path.parent.name}/{path.name}" for path in files if names.count(path.name) > 1]
    assert twice == [], f"Name each of these files after what it alone tests: {', '.join(twice)}"


def jobs(workflow: str = "ci") -> dict[str, Any]:
    """The jobs of a workflow."""
    found: dict[str, Any] = yaml.safe_load(written(f".github/workflows/{workflow}.yml"))["jobs"]
    return found


def test_the_workflow_has_a_browser_and_servers_with_real_data() -> None:
    """Only as root, .ci/run installs them, and tests without them fail instead of being skipped."""
    assert 'sudo env "PATH=$PATH" .ci/run' in [step.get("run") for step in jobs()["test"]["steps"]]


def pairs() -> dict[str, list[str]]:
    """The pairs of ansible-core and Python that noxfile.py lists."""
    for node in ast.parse(written("noxfile.py")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PAIRS":
            found: dict[str, list[str]] = ast.literal_eval(node.value)
    return found


def test_the_workflow_runs_every_pair_and_make_on_a_python_that_it_takes() -> None:
    """make needs a newer Python than the oldest pair. On an older one it fails and says so."""
    job = jobs()["matrix"]
    run = [(row["core"], row["python"]) for row in job["strategy"]["matrix"]["include"]]
    assert run == [(core, python) for core, pythons in pairs().items() for python in pythons]
    command = job["steps"][-1]["run"]
    named = re.search(r"PYTHON=python([\d.]+) ", command)
    assert named and named[1] in job["steps"][-2]["with"]["python-version"].split(), command
    assert tuple(map(int, named[1].split("."))) >= (3, 11)


def test_the_readme_names_the_pairs_that_are_run() -> None:
    rows = re.findall(r"^\| ([\d., ]+) \| ([\d., ]+) \|$", written("README.md"), re.MULTILINE)
    named = {core: pythons.split(", ") for cores, pythons in rows for core in cores.split(", ")}
    assert named == pairs()


def test_a_target_of_make_is_documented_and_run() -> None:
    """Those of .ci/run are parts of `make test`. Hours long: the list of slow targets in CONTRIBUTING.md."""
    targets = set(re.findall(r"^([a-z]+):.* ## ", written("Makefile"), re.MULTILINE))
    guide, other = written("CONTRIBUTING.md"), {"venv", "help"}
    slow = guide.partition("These targets are slow")[2].partition("`.ci/run`")[0]
    assert {name for name in targets - other if f"`make {name}" not in guide} == set()
    commands = " ".join(step.get("run", "") for job in jobs().values() for step in job["steps"])
    weekly = set(jobs("weekly")["weekly"]["strategy"]["matrix"]["target"])
    parts = {"test", "lint", "unit", "playbooks"}
    run = {*re.findall(r"make (\w+)", commands), *weekly, *parts}
    idle = {name for name in targets - other - run if f"`make {name}" not in slow}
    assert idle == {"artifact", "clean", "edges", "sanity"}  # other targets do the same, or nothing
    assert "exec make test" in written(".ci/run")


def test_a_dead_link_of_the_docsite_is_named(tmp_path: Path) -> None:
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "a.svg").touch()
    page = tmp_path / "docsite" / "a.html"
    page.parent.mkdir()
    page.write_text('<a href="images/a.svg"><img src="../_images/a.svg?v=1"></a><a href="https://a.b/c">')
    assert docs.dead(tmp_path) == [f"{page}: images/a.svg"]


@pytest.mark.parametrize("target", ["certify", "release"])
def test_without_its_python_a_target_fails(target: str) -> None:
    """nox alone would skip the session and succeed."""
    assert f"nox --error-on-missing-interpreters -s {target}\n" in written("Makefile")


@pytest.mark.parametrize("workflow", ["ci", "weekly"])
def test_a_workflow_pins_its_actions(workflow: str) -> None:
    uses = re.findall(r"uses: (\S+)(.*)", written(f".github/workflows/{workflow}.yml"))
    assert uses
    for action, version in uses:
        assert re.search("@[0-9a-f]{40}$", action) and re.match(r" # v\d", version), action


@pytest.mark.parametrize("guide", sorted(docs.GUIDES.glob("*.rst")), ids=lambda guide: guide.stem)
def test_a_guide_is_shown_on_galaxy_as_it_is(guide: Path) -> None:
    """Galaxy shows docs/*.md."""
    page = Path("docs") / f"{guide.stem}.md"
    assert page.exists(), f"{page} is missing: run make docs and commit it"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(docs.head(guide)), f"{page} is made of an older text: run make docs and commit it"
    targets = re.findall(r"\]\((?!https?:)([^)#]*)", text)
    assert [target for target in targets if target and not (page.parent / target).exists()] == []
    assert not re.search(r"ansible-collections-|<a id|<br/>|^:", text, re.MULTILINE)


@pytest.mark.parametrize("guide", sorted(docs.GUIDES.glob("*.rst")), ids=lambda guide: guide.stem)
def test_a_guide_names_the_files_that_it_shows(guide: Path) -> None:
    """The readers do not see `.. file:`, which only the tests read."""
    page = guide.read_text(encoding="utf-8")
    files, shown = re.findall(r"^ *\.\. file: (\S+)$", page, re.M), re.sub(r"(?m)^ *\.\. file: .*$", "", page)
    assert [file for file in files if file not in shown] == []


def test_the_index_has_the_changelog_after_the_guides() -> None:
    changelog = ".. _changelog_section_for_x:\n\n.. toctree::\n\n    changelog\n\n"
    guides, plugins = "Start here\n----\n\n    docsite/a\n\n", ".. _plugin_index_for_x:\n\nPlugin Index\n"
    assert docs.in_order(changelog + guides + plugins) == guides + changelog + plugins


@pytest.mark.parametrize("guide", sorted(docs.GUIDES.glob("*.rst")), ids=lambda guide: guide.stem)
def test_a_phone_shows_the_advice_of_a_wide_table(guide: Path) -> None:
    """Rows of three columns and more do not fit: a `stacked` one shows its cells below each other."""
    tables = re.split(r"^\.\. list-table::\n", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for table in tables:
        options, _blank, rows = table.partition("\n\n")
        heads = re.findall(r"^  (?:\* -|  -) (.*)$", rows.partition("\n  * -")[0], re.MULTILINE)
        if len(heads) > 2 and heads[-1].startswith("What to do"):
            assert ":class: stacked" in options, heads


def test_every_playbook_is_in_the_readme_and_in_the_index() -> None:
    named = re.findall(r"^\* ``huaweicloud\.recovery\.(\w+)`` -- [A-Z]", docs.playbooks(), re.M)
    assert sorted(named) == sorted(path.stem for path in Path("playbooks").glob("*.yml"))


def test_the_guides_show_the_page_of_the_report() -> None:
    """Each picture is one that `tests.report.pictures` takes, and some guide shows it."""
    taken = {f"{variant}-{window}.png" for variant in samples.VARIANTS for window in pictures.WINDOWS}
    kept = {path.name for path in Path("docs", "images").glob("*.png")}
    shown = {
        guide.stem: set(re.findall(r"docs/images/(\S+\.png)$", guide.read_text(encoding="utf-8"), re.M))
        for guide in docs.GUIDES.glob("*.rst")
    }
    assert set().union(*shown.values()) == kept <= taken
    assert all(shown[guide] for guide in ("stack", "report", "drills"))


def test_the_changelog_shows_what_its_data_say() -> None:
    """`antsibull-changelog generate` writes it anew."""
    shown = written("CHANGELOG.md").replace("\\", "")
    for release in yaml.safe_load(written("changelogs/changelog.yaml"))["releases"].values():
        plugins = [*release.get("plugins", {}).values(), *release.get("objects", {}).values()]
        for one in [*release.get("modules", []), *(one for group in plugins for one in group)]:
            if one["name"] not in documents.OF_THE_ROLE:
                assert f"{one['name']} - {one['description']}" in shown


def test_the_table_of_mutants_has_every_file_that_is_mutated() -> None:
    row = r"^\| `(\S+)` \| (\d+) \| (\d+) \| (\d+) \|$"
    rows = re.findall(row, written("CONTRIBUTING.md"), re.MULTILINE)
    assert sorted(row[0] for row in rows) == sorted(mutation.CORE)
    assert all(int(mutants) == int(killed) + int(justified) for name, mutants, killed, justified in rows)


def test_the_map_of_the_tests_names_only_what_is_there() -> None:
    tests = documents.ROOT / "tests"
    code = " ".join(path.read_text(encoding="utf-8") for path in tests.rglob("*.py"))
    prose = re.sub(r"```.*?```", "", written("tests/README.md"), flags=re.DOTALL)
    words = sorted(set(re.findall(r"`([\w./]+)`", prose)))
    gone = [one for one in words if not (tests / one).exists() and not re.search(rf"\b{one}\b", code)]
    assert words and not gone


def test_a_step_is_at_home_everywhere() -> None:
    """The message says where to add what is missing. Otherwise a step could have tests and never run."""
    tasks, files = "roles/restore/tasks", [f"{name}.yml" for name in NAMES]
    functions = [step.name for step in TABLE if step.name != "wait"]  # the step restore waits as well
    page = "docs/docsite/rst/architecture.rst"
    flow = written(page).partition("\n  entry ")[2].partition("\n\n")[0]
    lines = re.findall(r"^  (\w+) ", flow, re.MULTILINE)
    places: list[tuple[str, str, Iterable[str], Iterable[str]]] = [
        (page, "the lines of How a row flows", [*PHASES, "report"], lines),
        ("plugins/plugin_utils/_steps.py", "the functions with @step", functions, STEPS),
        (tasks, "a file for each step", files, [name for name in files if written(f"{tasks}/{name}")]),
    ]
    missing = [
        f"{path}: {name} ({what})"
        for path, what, names, found in places
        for name in names
        if name not in found
    ]
    assert not missing, "Add to " + "; ".join(missing)
    for path, what, names, found in places:
        assert [*found] == [*names], f"{path}: {what} are, as in _step_table.py, {', '.join(names)}"
    assert set(PHASES.values()) <= set(LEGEND), f"the phase of a step is one of {[*LEGEND]}"


@pytest.mark.parametrize("path", role.PLACES)
def test_what_the_role_says_of_its_code_is_at_home(path: str) -> None:
    text = role.written(path)
    assert text == role.PLACES[path](text), (
        "Run `python3 tests/tools/run.py python -m tests.tools.role`, and commit what it has changed."
    )


FACTS = "docs/api.md"
SEEN_IN = {"documentation", "SDK", "Terraform", "issue", "assumption"}


def facts() -> list[list[str]]:
    """The rows of the page of facts: the fact, where it is used, its sources, and where it was seen."""
    cells = [line[2:-2].split(" | ") for line in written(FACTS).splitlines() if line.startswith("| ")]
    return [row for row in cells if row[0] != "fact"]


def names_in(path: Path) -> set[str]:
    """What a file defines: functions, classes, `Class.method`, and names of values."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return found


def test_the_page_of_facts_names_only_code_that_is_there() -> None:
    gone, place = [], r"`([\w/]+\.py)` ((?:`[\w.]+`(?:, )?)+)"
    for _fact, used, *_sources in facts():
        assert re.fullmatch(rf"{place}(?:; {place})*", used), f"{FACTS}: {used} is not `file` `name`, `name`"
        for file, names in re.findall(place, used):
            path = documents.ROOT / (file if file.startswith("plugins/") else f"plugins/module_utils/{file}")
            there = names_in(path) if path.exists() else set()
            gone += [f"{file} {name}" for name in re.findall(r"`([\w.]+)`", names) if name not in there]
    assert not gone, f"{FACTS}: correct the rows with {', '.join(gone)}"


def test_a_fact_has_a_source_and_says_where_it_was_seen() -> None:
    defined = re.findall(r"^\[(.+)\]: https://\S+", written(FACTS), re.MULTILINE)
    cited = {name for row in facts() for name in re.findall(r"\[([^]]+)\]", row[2])}
    assert cited == set(defined) and len(defined) == len(cited), "a source is cited and defined once"
    for fact, _used, sources, seen in facts():
        assert re.fullmatch(r"\[[^]]+\](, \[[^]]+\])*", sources), fact
        assert set(seen.split(", ")) <= SEEN_IN, fact
        assert "assumption" in seen or "assumes" not in fact, f"{fact}: the last column must say assumption"
        assert "assumption" not in seen or "The code" in fact, f"{fact}: say what the code assumes"
