# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No result of a module holds a secret in any form, whatever its source and whatever goes wrong.

The output of a task at -vvv is this result.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import cloud as cloud_module
from tests import invoke
from tests.cases import RECOVERY, RESTORE
from tests.cloud import Simulator
from tests.cloud import scenario as names
from tests.faults.bench import Time, declared
from tests.leaks import leaks
from tests.redaction.canaries import CALLERS, SECRET, Caller, named

ECHOES: dict[str, Callable[[str], str]] = {
    "raw": str,
    "URL-quoted": lambda secret: quote(secret, safe=""),
    "URL-quoted as a form": quote_plus,
    "JSON": json.dumps,
    "JSON in Unicode": lambda secret: json.dumps(secret, ensure_ascii=False),
    "a Python literal": repr,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "URL-safe base64": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Simulator, Time]]:
    clock = Time()
    with Simulator(clock=clock.cloud, restore_seconds=30) as sim:
        yield sim, clock


class Stage:
    """A caller at the local cloud. Whatever run() returns holds none of the caller's secrets."""

    def __init__(self, caller: Caller, sim: Simulator, clock: Time, folder: Path) -> None:
        sim.reset()
        clock.reset()
        caller.enter(sim)
        self.caller, self.sim, self._clock = caller, sim, clock
        self.secrets = list(caller.secrets().values())
        self.params, self.env = caller.params(folder), caller.env(sim)

    def run(self, name: str, kind: str | None, /, check: bool = False, **params: Any) -> invoke.Result:
        result = invoke.module(
            name, self.env, check=check, diff=check, clock=self._clock.clock, **{**self.params, **params}
        )
        text = json.dumps(result, ensure_ascii=False)
        assert leaks(text, self.caller.needles()) == []
        assert result.get("error_kind") == kind, result
        return result


@pytest.fixture(params=CALLERS, ids=lambda caller: f"{caller.place}-{caller.way.partition('/')[0]}")
def stage(request: pytest.FixtureRequest, server: tuple[Simulator, Time], tmp_path: Path) -> Stage:
    return Stage(request.param, *server, tmp_path)


def test_every_place_of_every_secret_is_used() -> None:
    """A new secret option, variable or key of a profile must be tested here, too."""
    places = {
        (place, option)
        for place in ("option", "HW", "SDK", "profile")
        for option in SECRET
        if named(option, place)
    }
    assert places == {
        (caller.place, option) for caller in CALLERS for option in caller.options if option in SECRET
    }
    assert len(places) >= 12


@pytest.mark.parametrize("name", invoke.NAMES)
def test_every_option_that_sounds_secret_is(name: str) -> None:
    sounding = {
        option for option in declared(name)[1] if re.search("secret|token|password|passwd|credential", option)
    }
    assert (
        sounding == SECRET == {option for option, terms in declared(name)[1].items() if terms.get("no_log")}
    )


def test_success(stage: Stage) -> None:
    assert stage.run("dcs_backup_info", None, instance_id=names.DCS_INSTANCE)["backups"]
    assert stage.run("dcs_restore", None, check=True, **RESTORE)["diff"]
    assert stage.run("ddm_recovery", None, check=True, **RECOVERY)["diff"]
    assert stage.run("dcs_restore", None, **RESTORE)["outcome"] == "succeeded"


def test_many(stage: Stage) -> None:
    """A row that starts, one that the cloud refuses with an echo of the request, and one that is a bug."""
    many = [
        {"service": "dcs", **RESTORE},
        {"service": "ddm", **RECOVERY},
        {"service": "dcs", "instance_id": names.DCS_OTHER, "restore_point": "latest"},
    ]
    assert len(stage.run("restore_start", None, check=True, restores=many)["diff"]) == 3
    echo = " ".join(form(secret) for secret in stage.secrets for form in ECHOES.values())
    stage.sim.fault("refusal", "ddm.recovery", code="DBS.300375", message=echo)
    stage.sim.fault("refusal", "dcs.restore", on=names.DCS_OTHER, code=stage.secrets[0], message=echo)
    result = stage.run("restore_start", "invalid_argument", restores=many)
    assert [row["outcome"] for row in result["restores"]] == ["started", None, None]
    assert "********" in result["msg"]


def test_a_wait_timeout(stage: Stage) -> None:
    stage.sim.fault("stuck", "dcs.restore")
    stage.run("dcs_restore", "wait_timeout", wait_timeout=20, **RESTORE)


def test_bad_input(stage: Stage) -> None:
    stage.run("dcs_restore", "invalid_argument", instance_id="..", backup_id=names.DCS_BACKUP)


def test_a_refused_sign_in(stage: Stage) -> None:
    stage.sim.fault("unauthorized", times=None)
    stage.run("dcs_restore", "auth_failed", **RESTORE)


@pytest.mark.parametrize("form", ECHOES)
@pytest.mark.parametrize("before", [0, 280], ids="after {} characters".format)
def test_the_cloud_repeats_it_in_an_error(stage: Stage, form: str, before: int) -> None:
    """Also where the message is cut in the middle of it."""
    for secret in stage.secrets:
        text = "x" * before + " " + ECHOES[form](secret)
        stage.sim.fault("refusal", "dcs.instance", message=text)
        stage.run("dcs_instance_info", "invalid_argument", instance_id=names.DCS_INSTANCE)
        stage.sim.fault("answer", "dcs.instance", status=403, body=f"<title>{text}</title>")
        stage.run("dcs_instance_info", "protocol_error", instance_id=names.DCS_INSTANCE)


@pytest.mark.parametrize("form", ECHOES)
def test_the_cloud_repeats_it_elsewhere(stage: Stage, form: str) -> None:
    """In a code, a request ID, a name, a status, a key."""
    for secret in stage.secrets:
        text = ECHOES[form](secret)
        stage.sim.fault("refusal", "dcs.instances", code=text)
        stage.run("dcs_instance_info", "rejected")
        if text.isascii():
            stage.sim.fault("answer", "dcs.instances", status=400, headers={"X-Request-Id": text})
            stage.run("dcs_instance_info", "protocol_error")
        stage.sim.fault("rewrite", "dcs.instances", key="name", value=text)
        stage.run("dcs_instance_info", None)
        stage.sim.fault("rewrite", "dcs.restores", key="instance_id", rename=text)
        stage.run("dcs_restore_info", None, instance_id=names.DCS_INSTANCE)
        stage.sim.fault("rewrite", "dcs.instances", key="instance_id", rename=text)
        stage.run("dcs_instance_info", None)  # it warns of what it leaves out
        stage.sim.fault("rewrite", "dcs.instance", key="status", value=text)
        stage.run("dcs_restore", "busy", **RESTORE)


@pytest.mark.parametrize("form", ["raw", "JSON"])
def test_a_bug(stage: Stage, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception with every secret in its text, before and after the POST."""
    true = cloud_module.Cloud.get
    calls = itertools.count()

    def raise_it(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(*map(ECHOES[form], stage.secrets)) from ValueError(stage.secrets)

    monkeypatch.setattr(cloud_module.Cloud, "get", raise_it)
    stage.run("dcs_restore", "internal_error", **RESTORE)
    last = 6

    def raise_it_late(*args: Any, **kwargs: Any) -> Any:
        return true(*args, **kwargs) if next(calls) < last else raise_it()

    monkeypatch.setattr(cloud_module.Cloud, "get", raise_it_late)
    result = stage.run("dcs_restore", "internal_error", **RESTORE)
    assert (result["changed"], len(stage.sim.posts("dcs.restore"))) == (True, 1)


def test_a_secret_that_no_header_can_hold_is_refused_without_showing_it(stage: Stage) -> None:
    for option, bad in itertools.product(
        [option for option in stage.caller.options if option in SECRET and option != "password"],
        ("\nmore", "\x00", "\u00e4"),
    ):
        value = stage.caller.values()[option] + bad
        if stage.caller.place == "option":
            stage.params[option] = value
        elif stage.caller.place in ("HW", "SDK") and bad != "\x00":
            stage.env[str(named(option, stage.caller.place))] = value
        else:
            continue
        stage.run("dcs_restore", "invalid_argument", **RESTORE)
        assert stage.sim.ledger == []


def test_two_ways_at_once(stage: Stage) -> None:
    """Two ways in options are refused. Otherwise options win, and the other secrets are redacted, too."""
    extra = (
        {"access_key": names.ACCESS_KEY, "secret_key": names.SECRET_KEY}
        if stage.caller.way == "auth_token"
        else {"auth_token": names.TOKEN}
    )
    stage.run(
        "dcs_restore",
        "invalid_argument" if stage.caller.place == "option" else None,
        check=True,
        **RESTORE,
        **extra,
    )
