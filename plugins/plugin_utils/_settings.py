# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of the role's variables as people, files, surveys and job controllers write them.

Private to this collection.

A blank value counts as unset, and so does Ansible's omit. A list may be a string that holds one. A duration
is 90s, 30m, 26h or 7d. All functions are pure. A value that cannot be read raises Problem with one sentence,
before anything is started.
"""

from __future__ import annotations

import re
import typing as t
from zoneinfo import ZoneInfo

import yaml

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import FALSE, TRUE
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import one_spelling, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import read_time
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import iso, zone_named

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
Variables = t.Mapping[str, t.Any]
UNREAD = object()  # stands for a variable that is set but cannot be read, which is reported once


class Problem(Exception):
    """A value that cannot be used; its text is one sentence for the person who wrote it."""


class Twice(yaml.YAMLError):
    """A key that occurs twice in one dictionary; its text is the key."""


class PlainLoader(yaml.SafeLoader):
    """Reads a list in a text. Numbers and times stay texts, so that an ID or a time is as it was written.

    A key that occurs twice is refused: of two entries without a dash between them, only one would be left.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[t.Any, t.Any]:
        """Return a dictionary. Raises Twice."""
        keys = [key.value for key, dummy in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise Twice(key)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: t.Any) -> t.Any:
        """Return a text. JSON writes an emoji as two halves, which YAML does not join."""
        found: str = super().construct_scalar(node)
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag.rpartition(":")[2] in ("bool", "null", "merge")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def omitted(value: t.Any) -> bool:
    """Whether a value is what `default(omit)` leaves: a text up to ansible-core 2.18, then an object."""
    if isinstance(value, str):
        return value.startswith("__omit_place_holder__")
    return type(value).__name__.strip("_") in ("Omit", "OmitType")


def without_omitted(value: t.Any) -> t.Any:
    """Return a value without omitted values, also in lists and dicts, where core leaves them."""
    if isinstance(value, dict):
        return {name: without_omitted(inner) for name, inner in value.items() if not omitted(inner)}
    if isinstance(value, list):
        return [without_omitted(inner) for inner in value if not omitted(inner)]
    return value


def unset(value: t.Any) -> bool:
    """Whether a value counts as unset: null, blank, an empty list or dict, or Ansible's omit."""
    if isinstance(value, str):
        return not value.strip() or omitted(value)
    return value is None or value in ([], {}, ()) or omitted(value)


def given(values: Variables) -> dict[str, t.Any]:
    """Return the set values of some variables, or of an entry."""
    return {str(name): value for name, value in values.items() if not unset(value)}


def word(value: t.Any, name: str) -> str:
    """Return a one-line text without blanks around it: a pasted text often has a line end.

    A number may stand for its digits, as in a ticket. A boolean stands for no text: False would be a folder.
    """
    if isinstance(value, (list, dict, bool)):
        raise Problem(f"{name} must be text, not a {type_word(value)}.")
    found = str(value).strip()
    if re.search(r"[\x00-\x1f\x7f]", found):
        raise Problem(f"{name} {quoted(found)} holds a line break or another control character.")
    return found


def named(value: t.Any, name: str) -> str:
    """Return a text that identifies something, such as a name or a ticket, in one spelling."""
    return one_spelling(word(value, name))


def type_word(value: t.Any) -> str:
    """Return a person's word for the type of a value."""
    kinds = {dict: "dictionary", list: "list", bool: "boolean", int: "number", float: "number"}
    # the types of Ansible's own are subclasses
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "text")


def flag(value: t.Any, name: str) -> bool:
    """Return a boolean."""
    found = str(value).strip().lower()
    if found not in (*TRUE, *FALSE):
        raise Problem(f"{name} must be true or false, not {quoted(value)}.")
    return found in TRUE


def number(value: t.Any, name: str, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    found = str(value).strip()
    if not re.fullmatch(r"-?[0-9]{1,15}(\.0+)?", found, re.ASCII):
        raise Problem(f"{name} must be a whole number, not {quoted(value)}.")
    whole = int(found.partition(".")[0])
    if not low <= whole <= high:
        raise Problem(f"{name} must be from {low} to {high}, not {whole}.")
    return whole


def duration(value: t.Any, name: str, low: int = 0, high: int = 366 * 86400) -> int:
    """Return the seconds of a duration: a number of seconds, or 90s, 30m, 26h, 7d."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([smhd]?)", str(value).strip().lower(), re.ASCII)
    if not match:
        raise Problem(
            f"{name} must be seconds or a duration such as 90s, 30m, 26h or 7d, not {quoted(value)}."
        )
    seconds = round(float(match[1]) * UNITS[match[2]])
    if not low <= seconds <= high:
        raise Problem(f"{name} must be from {low} to {high} seconds, not {seconds}.")
    return seconds


def items(value: t.Any, name: str, example: str) -> list[t.Any]:
    """Return a list, also from a text with a list in JSON or YAML."""
    found = value
    if isinstance(value, str):
        try:
            found = yaml.load(value, Loader=PlainLoader)  # a SafeLoader with fewer types
        except Twice as error:
            raise Problem(
                f"{name} has {quoted(str(error))} twice in one entry. Begin each entry with a dash."
            ) from None
        except (yaml.YAMLError, RecursionError):
            raise Problem(f"{name} is not valid YAML or JSON: {quoted(value)}. {example}".rstrip()) from None
    if isinstance(found, tuple):
        found = list(found)
    if not isinstance(found, list):
        text = f"the text {quoted(value)}" if isinstance(value, str) else f"a {type_word(found)}"
        raise Problem(f"{name} must be a list, not {text}. {example}".rstrip())
    return found


ENTRY_EXAMPLE = "{instance_id: ..., restore_point: latest}"


def entries(value: t.Any, name: str, example: str = ENTRY_EXAMPLE) -> list[Variables]:
    """Return a list of dictionaries, each like the example, without those of which every value is blank."""
    return [entry for entry in dictionaries(value, name, example) if given(entry)]


def dictionaries(value: t.Any, name: str, example: str) -> list[Variables]:
    """Return a list of dictionaries, each like the example."""
    found = items(value, name, f"Write a list in YAML or JSON, for example [{example}].")
    for place, entry in enumerate(found):
        if not isinstance(entry, t.Mapping) and not unset(entry):
            raise Problem(f"{name}[{place}] must be a dictionary of options, not {quoted(entry)}.")
    return [entry for entry in found if not unset(entry)]


def names(value: t.Any, name: str) -> list[str]:
    """Return names: a list, a text that holds one, or a text with one a line or separated by commas."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        value = [re.sub(r"^\s*-\s+", "", line) for line in re.split(r"[\n,]", value)]
    listed = items(value, name, "Write names, one per line.")
    found = [named(item, f"{name}[{place}]") for place, item in enumerate(listed) if not unset(item)]
    return list(dict.fromkeys(found))


# Times


def zone(value: t.Any, name: str) -> ZoneInfo:
    """Return a time zone by its IANA name."""
    try:
        return zone_named(word(value, name), name)
    except InvalidArgument as error:
        raise Problem(without_note(error)) from None


def without_note(error: InvalidArgument) -> str:
    """Return a message without its note on what was not done: the list of all problems ends with one."""
    return str(error).removesuffix(f" {error.note}")


def point(value: t.Any, name: str, tz: ZoneInfo | None, now_ms: int) -> str:
    """Return a point in time as `latest` or in ISO 8601 UTC.

    A time without a zone is read in `tz`. It is refused if there is no `tz`, or if it does not exist or
    exists twice.
    """
    found = word(value, name)
    if found.lower() == "latest":
        return "latest"
    try:
        return iso(read_time(found, name, tz.key if tz else None, now_ms / 1000))
    except InvalidArgument as error:
        raise Problem(re.sub(r"in timezone\.$", "in restore_timezone.", without_note(error))) from None
