# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find secrets in a text, in whatever form. tests/invoke.py searches every run of a module or playbook."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from tests.cloud import scenario

# What the suite signs in with everywhere, and secrets known by their look: a fetched token, a signature
SECRETS = {
    name: getattr(scenario, name)
    for name in ("PASSWORD", "SECRET_KEY", "TEMP_SECRET_KEY", "SECURITY_TOKEN", "TOKEN", "EXPIRED_TOKEN")
}
LOOKS = {
    "a fetched token": re.compile(r"MII[A-Za-z0-9+/]{40}"),
    "a signature": re.compile(r"Signature=[0-9a-f]{8}"),
}


@functools.cache
def forms(secret: str) -> dict[str, str]:
    """How a secret can be written, by the name of the form, in lower case."""
    raw = secret.encode("utf-8", "surrogateescape")
    found = {
        "raw": secret,
        "URL-quoted": quote(raw, safe=""),
        "URL-quoted as a path": quote(raw),
        "URL-quoted as a form": quote_plus(raw),
        "JSON": json.dumps(secret)[1:-1],
        "JSON in Unicode": json.dumps(secret, ensure_ascii=False)[1:-1],
        "a Python literal": repr(secret)[1:-1],
        "an ASCII Python literal": ascii(secret)[1:-1],
    }
    # Within the base64 of a longer text, such as user:password, a secret has one of three forms.
    for before in range(3):
        padded = b"\0" * before + raw
        for name, encode in (("base64", base64.b64encode), ("URL-safe base64", base64.urlsafe_b64encode)):
            found[f"{name}, {before} bytes in"] = encode(padded)[
                (0, 2, 3)[before] : len(padded) // 3 * 4
            ].decode()
    found.update(
        {f"{name}, in JSON": json.dumps(form, ensure_ascii=False)[1:-1] for name, form in found.items()}
    )
    return {name: form.lower() for name, form in found.items()}


def leaks(text: str, secrets: Mapping[str, str]) -> list[str]:
    """Return which secrets a text has, and in which form; [] if it has none. Case is ignored: %2b is %2B."""
    lowered = text.lower()
    return [
        f"{name} as {form}"
        for name, secret in secrets.items()
        for form, written in forms(secret).items()
        if written in lowered
    ]


def check(text: str) -> None:
    """Fail if the text holds a secret of the local cloud, or something that looks like one."""
    found = leaks(text, SECRETS) + [name for name, look in LOOKS.items() if look.search(text)]
    assert not found, f"{', '.join(found)} in the output"
