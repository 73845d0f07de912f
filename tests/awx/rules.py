# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX accepts. Each function yields one sentence for each broken rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Row = dict[str, Any]
FIELD_KEYS = {"id", "label", "type", "format", "choices", "help_text", "multiline", "secret", "default"}
FORMATS = ("url", "ssh_private_key")
# Some of the variables that AWX keeps for itself (awx/main/constants.py)
BLOCKED = {
    "VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID",
    "INVENTORY_UPDATE_ID", "AD_HOC_COMMAND_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES",
    "CALLBACK_QUEUE", "CALLBACK_CONNECTION", "CACHE", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS",
    "AWX_HOST", "PROJECT_REVISION", "SUPERVISOR_CONFIG_PATH", "CONTROLLER_HOST", "TOWER_HOST",
}  # fmt: skip
QUESTION_TYPES = {
    "text": str,
    "textarea": str,
    "password": str,
    "integer": int,
    "float": float,
    "multiplechoice": str,
    "multiselect": str,
}
CHOICES = ("multiplechoice", "multiselect")
TEXTS = ("text", "textarea", "password")
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


# Credential types


def inputs(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the inputs of a credential type."""
    for key in set(value) - {"fields", "required"}:
        yield f"inputs: {key} is not allowed"
    fields = value.get("fields", [])
    names = [field.get("id") for field in fields]
    for name in {name for name in names if names.count(name) > 1}:
        yield f"inputs: {name} must be unique"
    for field in fields:
        for problem in input_field(field):
            yield f"inputs: {field.get('id')}: {problem}"
    for name in value.get("required", []):
        if name not in names:
            yield f"inputs: required {name} is not a field"


def input_field(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one field."""
    if not isinstance(field.get("id"), str) or not NAME.fullmatch(field["id"]):
        yield "id must be letters, digits and _"
    if field.get("id") == "tower":
        yield "tower is a reserved name"
    if not isinstance(field.get("label"), str):
        yield "label is required"
    for key in set(field) - FIELD_KEYS:
        yield f"{key} is not allowed"
    kind = field.get("type", "string")
    if kind not in ("string", "boolean"):
        yield f"type {kind} is not allowed"
    if kind == "boolean":
        for key in ("choices", "multiline", "format", "secret"):
            if key in field:
                yield f"{key} is not allowed with boolean"
    if field.get("format", FORMATS[0]) not in FORMATS:
        yield "format is not known"
    choices = field.get("choices")
    if choices is not None and (
        len(set(choices)) != len(choices) or not all(isinstance(one, str) for one in choices)
    ):
        yield "choices must be unique texts"
    if "default" in field and not isinstance(field["default"], bool if kind == "boolean" else str):
        yield "default must be of the type of the field"


def injectors(value: Mapping[str, Any], fields: list[Row]) -> Iterator[str]:
    """Yield what is wrong with the injectors of a credential type with these fields."""
    for key in set(value) - {"file", "env", "extra_vars"}:
        yield f"injectors: {key} is not allowed"
    files = value.get("file", {})
    for name in files:
        if not re.fullmatch(r"template(\.[a-zA-Z_][a-zA-Z0-9_]*)?", name):
            yield f"injectors: file {name} is not allowed"
    if "template" in files and len(files) > 1:
        yield "injectors: one file without a name, or several with one"
    for name, template in value.get("env", {}).items():
        if not NAME.fullmatch(name):
            yield f"injectors: {name} is not a variable"
        if name.startswith("ANSIBLE_") or name in BLOCKED:
            yield f"injectors: Environment variable {name} is not allowed to be used in credentials."
        if not isinstance(template, str) or not template.isascii():
            yield f"injectors: {name} must be an ASCII text"
    yield from extra_variables(value.get("extra_vars", {}))
    yield from unknown_names(value, fields)


def extra_variables(value: Any) -> Iterator[str]:
    """Yield a problem for each extra variable that is not a text, a list or a dictionary."""
    for name, content in value.items():
        if not isinstance(content, (str, list, dict)):
            yield f"injectors: {name} must be a text, a list or a dictionary"
        elif isinstance(content, dict):
            yield from extra_variables(content)


def unknown_names(value: Mapping[str, Any], fields: list[Row]) -> Iterator[str]:
    """Yield a problem for each template with an unknown name that has no default()."""
    known: Row = {field["id"]: "EXAMPLE" for field in fields if "id" in field}
    files = value.get("file", {})
    if files:
        names = {name.partition(".")[2]: "EXAMPLE" for name in files if "." in name}
        known["tower"] = {"filename": names or "EXAMPLE"}
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for kind in ("file", "env"):
        for name, template in value.get(kind, {}).items():
            try:
                sandbox.from_string(str(template)).render(**known)
            except TemplateError as error:
                yield f"injectors: {name}: {error}"


# Credentials


def credential(value: Mapping[str, Any], fields: list[Row]) -> Iterator[str]:
    """Yield what is wrong with the inputs of a credential whose type has these fields."""
    known = {field["id"]: field for field in fields}
    for name, content in value.items():
        field = known.get(name)
        if field is None:
            yield f"inputs: Additional properties are not allowed ('{name}' was unexpected)"
        elif field.get("type") == "boolean":
            if not isinstance(content, bool):
                yield f"inputs: {name} must be a boolean"
        elif content is not None and not isinstance(content, str):
            yield f"inputs: {name} must be a text"
        elif field.get("format") == "url" and not re.match(r"https?://", content or ""):
            yield f"inputs: {name} is not a URL"
        elif "choices" in field and content and content not in field["choices"]:
            yield f"inputs: {name} is not one of the choices"


# Surveys


def survey(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a survey."""
    for key in ("name", "description", "spec"):
        if key not in value:
            yield f"'{key}' missing from survey spec."
    spec = value.get("spec")
    if not isinstance(spec, list) or not spec:
        yield "'spec' must be a list with something in it"
        return
    variables = [question.get("variable") for question in spec]
    for variable in {one for one in variables if variables.count(one) > 1}:
        yield f"'variable' '{variable}' duplicated in survey questions."
    for number, question in enumerate(spec):
        for problem in survey_question(question):
            yield f"question {number}: {problem}"


def survey_question(question: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one question."""
    for key in ("type", "question_name", "variable", "required"):
        if key not in question:
            yield f"'{key}' missing"
    kind = question.get("type")
    if kind not in QUESTION_TYPES:
        yield f"{kind} is not a type of questions"
        return
    for key in ("min", "max"):
        bound = question.get(key)
        if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool)):
            yield f"{key} must be an integer"
    choices = question.get("choices")
    if kind in CHOICES and not (
        isinstance(choices, list) and choices and all(isinstance(one, str) for one in choices)
    ):
        yield "choices are required"
    if "default" in question and question["default"] != "":
        yield from default(kind, question["default"], choices or [])


def default(kind: str, value: Any, choices: list[str]) -> Iterator[str]:
    """Yield what is wrong with the default of a question."""
    wanted = (int, float) if kind == "float" else QUESTION_TYPES[kind]
    if not isinstance(value, wanted) or isinstance(value, bool):
        yield f"default must be {kind}"
    elif kind in CHOICES and not set(str(value).splitlines()) <= set(choices):
        yield "default must be one of the choices"


def answers(spec: list[Row], given: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the answers to a survey."""
    for question in spec:
        name = question["variable"]
        if name in given:
            yield from answer(question, given[name])
        elif question["required"] and question.get("default", "") in ("", None):
            yield f"'{name}' value missing"


def answer(question: Row, value: Any) -> Iterator[str]:
    """Yield what is wrong with one answer. A blank text answers a required question."""
    name, kind = question["variable"], question["type"]
    if kind in TEXTS:
        if not isinstance(value, str):
            yield f"Value {value} for '{name}' expected to be a string."
        elif not (question.get("min") or 0) <= len(value) <= (question.get("max") or len(value)):
            yield f"'{name}' value has the wrong length"
    elif kind in ("integer", "float"):
        wanted = int if kind == "integer" else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            yield f"Value {value} for '{name}' expected to be a number."
        elif not (question.get("min") is None or question["min"] <= value) or not (
            question.get("max") is None or value <= question["max"]
        ):
            yield f"'{name}' value is out of range"
    elif kind == "multiplechoice":
        if value not in question["choices"]:
            yield f"Value {value} for '{name}' is not one of the choices."
    elif not isinstance(value, list) or not set(value) <= set(question["choices"]):
        yield f"Value {value} for '{name}' expected to be a list of choices."


def variables(spec: list[Row], given: Mapping[str, Any]) -> Row:
    """Return the extra variables that a survey sets.

    AWX drops unknown answers. A text question with a blank default gives a blank text.
    """
    found: Row = {}
    for question in spec:
        name, kind = question["variable"], question["type"]
        value = question.get("default", "" if kind in TEXTS else None)
        if name in given:
            found[name] = given[name]
        elif kind == "multiselect" or value is None:
            continue
        elif value != "" or kind in TEXTS:
            found[name] = value
    return found
