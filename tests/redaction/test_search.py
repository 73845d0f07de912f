# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search itself: it finds every planted secret in every form, so that finding none means something."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from tests import leaks
from tests.redaction.canaries import CALLERS

PLANTED: dict[str, Callable[[str], str]] = {
    "raw": str,
    "in capitals": str.upper,
    "URL-quoted": lambda secret: quote(secret, safe=""),
    "URL-quoted with small letters": lambda secret: quote(secret, safe="").lower(),
    "URL-quoted as a path": quote,
    "URL-quoted as a form": quote_plus,
    "JSON": json.dumps,
    "JSON in Unicode": lambda secret: json.dumps({"msg": secret}, ensure_ascii=False),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret, ensure_ascii=False), ensure_ascii=False),
    "a Python literal": lambda secret: repr({secret: 1}),
    "a Python literal in JSON": lambda secret: json.dumps([repr(secret)], ensure_ascii=False),
    "an ASCII Python literal": ascii,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "URL-safe base64": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 of user and password": lambda secret: base64.b64encode(
        f"restore-operator:{secret}".encode()
    ).decode(),
    "base64 of key and secret, URL-safe": lambda secret: base64.urlsafe_b64encode(
        f"HWAK:{secret}".encode()
    ).decode(),
    "base64 of JSON": lambda secret: base64.b64encode(b'{"k": "' + secret.encode() + b'", "x": 1}').decode(),
}
SECRETS = {
    **leaks.SECRETS,
    **{place: secret for caller in CALLERS for place, secret in caller.needles().items()},
}


@pytest.mark.parametrize("form", PLANTED)
def test_a_planted_secret_is_found(form: str) -> None:
    missed = [
        place
        for place, secret in SECRETS.items()
        if not leaks.leaks(f"ok: [localhost] => {PLANTED[form](secret)} \n", {place: secret})
    ]
    assert missed == []


def test_canaries_differ_in_every_form() -> None:
    forms = {"raw", "URL-quoted as a path", "URL-quoted as a form", "JSON", "base64", "URL-safe base64"}
    for secret in (secret for caller in CALLERS for secret in caller.secrets().values()):
        of_blanks = {"URL-quoted"} if " " in secret else set()  # The two forms differ in a blank alone.
        assert len({PLANTED[form](secret) for form in forms | of_blanks}) == len(forms | of_blanks)


def test_a_text_without_secrets_passes() -> None:
    assert (
        leaks.leaks(
            json.dumps({place: secret[:8] for place, secret in SECRETS.items()}) + "********", SECRETS
        )
        == []
    )


@pytest.mark.parametrize(
    "text",
    [
        *leaks.SECRETS.values(),
        f"Authorization: SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature={'0af1' * 16}",
        "MII" + "QUFB" * 300,
    ],
)
def test_the_search_of_every_run_finds(text: str) -> None:
    with pytest.raises(AssertionError, match="in the output"):
        leaks.check(f"x {text} x")
    leaks.check(f"x {text[:8]} x")
