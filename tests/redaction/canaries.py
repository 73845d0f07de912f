# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that are hard to redact, one for each place that a secret can come from.

Callers of the local cloud have them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.huaweicloud.recovery.plugins.module_utils import _arguments
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import ENVIRONMENT, WAYS
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.sources import PROFILE
from tests.cloud import Simulator, variables_at
from tests.cloud import scenario as names
from tests.cloud.state import Key, Token, User

SECRET = {name for name, option in _arguments.CONNECTION.items() if option.get("no_log")}
PLAIN = {"access_key": "HWAKCANARY0000000001", "username": names.USER, "domain_name": names.DOMAIN}
# Its end gives base64 both characters in which the alphabets of base64 differ.
ODD = "\"quo'te|%25|+/=|back\\slash|<&>|???>>>~~~"
UNICODE = " \u00e4  \u4e2d\u202e\U0001f9ef"  # in passwords alone: no header can hold it
LONG = "T" * 1500  # tokens are that long


def end(place: str, which: str) -> str:
    """The beginning or the end of a canary, by which a piece of it is found, too."""
    return hashlib.sha256(f"{place} {which}".encode()).hexdigest()[:20]


def canary(place: str) -> str:
    """The secret of one place."""
    odd = ODD + (UNICODE if "password" in place else "") + (LONG if "token" in place else "")
    return end(place, "begin") + odd + end(place, "end")


@dataclass(frozen=True)
class Caller:
    """Somebody who gives all keys of one way to sign in in one place.

    The place is the options, one kind of environment variable, or a profile.
    """

    place: str
    way: str

    @property
    def options(self) -> list[str]:
        """The given values, by the names of options."""
        return [*WAYS[self.way], *(["security_token"] if self.way.startswith("access_key") else [])]

    def values(self) -> dict[str, str]:
        found = {option: PLAIN.get(option) or canary(f"{self.place} {option}") for option in self.options}
        if "access_key" in found and self.place != "option":  # each place has a key of its own
            found["access_key"] += self.place.upper()
        return found

    def secrets(self) -> dict[str, str]:
        """The canaries by their places, with that of the token which is fetched for a password."""
        options = [option for option in self.options if option in SECRET] + (
            ["fetched token"] if "password" in self.options else []
        )
        return {place: canary(place) for place in (f"{self.place} {option}" for option in options)}

    def needles(self) -> dict[str, str]:
        """What no output may hold: the canaries, and both ends of each."""
        ends = {
            f"the {which} of {place}": end(place, which)
            for place in self.secrets()
            for which in ("begin", "end")
        }
        return {**self.secrets(), **ends}

    def params(self, folder: Path) -> dict[str, Any]:
        """The options of the task."""
        given: dict[str, Any] = {"region": names.REGION, "project_id": names.PROJECT_ID}
        if self.place == "option":
            given.update(self.values())
        if self.place == "profile":
            file = folder / "config.json"
            profile = {named(option, self.place): value for option, value in self.values().items()}
            file.write_text(
                json.dumps({"current": "drill", "profiles": [{"name": "drill", **profile}]}), encoding="utf-8"
            )
            given["shared_config_file"] = str(file)
        return given

    def env(self, sim: Simulator) -> dict[str, str]:
        """The environment, with the way to the cloud."""
        keys = (
            {str(named(option, self.place)): value for option, value in self.values().items()}
            if self.place in ("HW", "SDK")
            else {}
        )
        return {**variables_at(sim.url), **keys}

    def enter(self, sim: Simulator) -> None:
        """Register these keys with the cloud."""
        values, state, until = self.values(), sim.state, sim.state.clock() + names.DAY
        if "password" in values:
            token = self.secrets()[f"{self.place} fetched token"]
            state.users.append(User(names.USER, values["password"], names.DOMAIN))
            state.tokens[token] = Token(token, names.PROJECT_ID, until)
            sim.fault("headers", "iam.token", times=None, extra={"X-Subject-Token": token})
        elif "auth_token" in values:
            state.tokens[values["auth_token"]] = Token(values["auth_token"], names.PROJECT_ID, until)
        else:
            state.keys[values["access_key"]] = Key(
                values["access_key"], values["secret_key"], values["security_token"]
            )


def named(option: str, place: str) -> str | None:
    """The name of an option in a place; None where it cannot be given."""
    if place in ("HW", "SDK"):
        return dict(enumerate(ENVIRONMENT[option])).get(("HW", "SDK").index(place))
    return option if place == "option" else {value: key for key, value in PROFILE.items()}.get(option)


def callers() -> Iterator[Caller]:
    """Every way of signing in from every place in which all of it can be given."""
    for place in ("option", "HW", "SDK", "profile"):
        for way, needs in WAYS.items():
            if all(named(option, place) for option in needs):
                yield Caller(place, way)


CALLERS = list(callers())
