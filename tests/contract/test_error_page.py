# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of errors is that of the tables, and the tables know every error kind in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import (
    BY_STATUS,
    GATEWAY,
    is_code,
    kind_of,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.codes import CODES as DCS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.readiness import REASONS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.codes import CODES as DDM
from tests.tools import error_page

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


def named(tree: ast.AST) -> Iterator[object]:
    """The texts that the code gives as an error kind.

    They stand as `kind = "..."` of a class, `kind=` or `error_kind=` of a call, or a key of a dict.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (
                item.value.value
                for item in node.body
                if isinstance(item, ast.Assign)
                and ast.unparse(item.targets[0]) == "kind"
                and isinstance(item.value, ast.Constant)
            )
        if (
            isinstance(node, ast.keyword)
            and node.arg == "error_kind"
            and isinstance(node.value, ast.Constant)
        ):
            yield node.value.value
        if isinstance(node, ast.Call):  # failing(state, step, kind, ...), Refused(message, kind)
            place = {"failing": 2, "Refused": 1}.get(ast.unparse(node.func), 99)
            yield from (one.value for one in node.args[place : place + 1] if isinstance(one, ast.Constant))
        if isinstance(node, ast.FunctionDef) and node.name == "obstacle":  # (kind, why) of the guards
            yield from (
                one.elts[0].value
                for one in ast.walk(node)
                if isinstance(one, ast.Tuple) and len(one.elts) == 2 and isinstance(one.elts[0], ast.Constant)
            )
        if isinstance(node, ast.Dict):
            yield from (
                value.value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
                and key.value == "error_kind"
                and isinstance(value, ast.Constant)
            )


def test_the_page_is_made_from_the_tables() -> None:
    assert error_page.PAGE.read_text(encoding="utf-8") == error_page.page(), (
        "Run `python3 tests/tools/run.py python -m tests.tools.error_page` "
        "and commit docs/docsite/rst/errors.rst."
    )


def test_the_tables_know_every_error_kind() -> None:
    used = {
        kind
        for path in PLUGINS.rglob("*.py")
        for kind in named(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(kind, str)
    }
    used |= {code.kind for codes in (GATEWAY, DCS, DDM) for code in codes.values()} | set(BY_STATUS.values())
    documented = {*error_page.KINDS, *error_page.ADDED}
    unknown = used - documented - {"error"}  # the base class, which nobody raises
    assert not unknown, (
        f"Add {sorted(unknown)} to KINDS in tests/tools/error_page.py, or to ADDED when only the role has it."
    )
    assert set(error_page.ADDED) - used == set(), "Nothing has these kinds any more: take them out of ADDED."


def test_the_page_has_the_codes_of_failed_records_and_the_kind_of_every_other_code() -> None:
    page = error_page.page()
    for code, meaning in REASONS.items():
        assert f"``{code}``\n    - {meaning[:1].upper()}{meaning[1:]}.\n    - ``operation_failed``" in page
    for status in (*BY_STATUS, 400, 409, 500, 503):
        words = {400: "any other 4xx", 409: "any other 4xx", 500: "5xx", 503: "5xx"}.get(status, status)
        assert f"{words} is ``{kind_of(status, 'DCS.9999', {})}``" in page


def test_the_codes_that_only_the_page_knows_have_the_kind_of_their_status() -> None:
    """A code that a module knows stands in one table."""
    tables = {"gateway": GATEWAY, "dcs": DCS, "ddm": DDM}
    assert error_page.PLAIN.keys() <= tables.keys()
    for part, known in tables.items():
        assert not error_page.plain(part).keys() & {**known, **GATEWAY}.keys()
        for code, found in error_page.plain(part).items():
            assert is_code(code) and found.kind in error_page.KINDS, code
            assert f"``{code}``\n    - {found.meaning[:1].upper()}{found.meaning[1:]}." in error_page.page()


def test_no_kind_of_a_refused_request_says_that_none_was_sent() -> None:
    refused = {code.kind for codes in (GATEWAY, DCS, DDM) for code in codes.values()} | set(
        BY_STATUS.values()
    )
    assert [kind for kind in sorted(refused) if "No request" in error_page.KINDS[kind].done] == []
