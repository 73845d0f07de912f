# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for people controls no terminal, and holds no secret in any form, not even half of one."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import (
    SHORTEST,
    Redactor,
    printable,
    quoted,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import text as of_cloud

from .fakes import redacting

SECRET = "s3cret-of-the-test/+&é"

# Texts from outside


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é中🙂", "plain é中🙂"),
        ("a\r\nb\tc\0", "a\\r\\nb\\tc\\x00"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J\x85", "\\x9b2J\\x85"),  # C1: the same commands in one byte
        ("\u202a\u202b\u202c\u202d\u202e", "\\u202a\\u202b\\u202c\\u202d\\u202e"),
        ("\u2066\u2067\u2068\u2069\u200e\u200f\u061c", "\\u2066\\u2067\\u2068\\u2069\\u200e\\u200f\\u061c"),
        ("pro\u200bd\u200c\u200d\u2060\ufeff\u00ad", "pro\\u200bd\\u200c\\u200d\\u2060\\ufeff\\xad"),
        ("\u115f\u1160\u3164\uffa0\u2800\u034f", "\\u115f\\u1160\\u3164\\uffa0\\u2800\\u034f"),
        ("prod\ufe00-cache\ufe0f", "prod\\ufe00-cache\\ufe0f"),
        ("a\U000e0041\U000e0101", "a\\U000e0041\\U000e0101"),
        ("\ud800\udfff", "\\ud800\\udfff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        (None, "None"),
        (["\n"], "['\\n']"),
    ],
)
def test_text_of_others_is_made_harmless(text: object, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(), max_size=600), st.integers(1, 600))
def test_printable_is_one_short_line(text: str, limit: int) -> None:
    shown = Redactor().printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit + 3


def test_an_option_that_may_hold_a_secret_is_not_quoted() -> None:
    """A list with a typing error cannot be read, so nobody can find the passwords in it."""
    assert (quoted(False), quoted(0)) == ("'false'", "'0'")
    assert quoted("a\u202eb") == "'a\\\\u202eb'"
    broken = f"[{{connection: {{Password: {SECRET}}}"
    for text in (
        SECRET * 10,
        broken,
        [{"password": SECRET}],
        "{passwd: x1}",
        "PWD=x1",
        '{"secretAccessKey": "x1"}',
        "secret_key = x1",
        "security_token: x1",
        "ak: x1",
        "sk=x1",
        "privateKey: x1",
        "redis://:x1@h",
        "https://user:x1@h/p",
    ):
        assert quoted(text) == f"(a text of {len(str(text))} characters)"
    for text in ("Password", "secret-cache", "task: x1", "https://h:443/p", "a@b"):
        assert quoted(text) == repr(text), "it holds none, as a name that is misspelt"


# Secrets


@given(st.text(st.characters(), min_size=4, max_size=30))
def test_every_form_of_a_secret_is_redacted(secret: str) -> None:
    redactor = Redactor()
    redactor.add(secret)
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(raw, safe=""),
        quote_plus(raw),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        html.escape(secret),
        html.escape(secret, quote=False),
        printable(secret),
    }
    assert forms <= redactor.forms
    assert all(len(form) >= SHORTEST for form in redactor.forms)
    for form in forms:
        assert redactor.redact(f"<{form}>") == "<********>"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        re.sub("%..", lambda match: match[0].lower(), quote(SECRET, safe="")),
        html.escape(SECRET),
        json.dumps(SECRET).replace("/", "\\/"),
    ],
)
def test_other_spellings(form: str) -> None:
    redactor = redacting({SECRET})
    assert "s3cret" not in redactor.redact(form)


def test_a_secret_is_redacted_in_the_one_spelling_of_what_the_cloud_returns() -> None:
    """values.text() spells an echo of it anew."""
    secret = unicodedata.normalize("NFD", "\u00e9t\u00e9-s3cret")
    shown = of_cloud(f"echo {secret}")
    assert shown and secret not in shown
    assert redacting({secret}).redact(shown) == "echo ********"


def test_a_short_secret_redacts_nothing() -> None:
    redactor = Redactor()
    for secret in ("5", "", "abc"):
        redactor.add(secret)
    assert redactor.redact("It took 5 s in abc.") == "It took 5 s in abc."


@pytest.mark.parametrize("before", range(40, 62))
def test_a_secret_is_redacted_before_the_text_is_cut(before: int) -> None:
    shown = redacting({SECRET}).printable("x" * before + SECRET + "y" * 100, 60)
    assert "s3c" not in shown and "x" * min(before, 60) in shown


def test_the_longest_form_is_redacted_first() -> None:
    assert redacting({"secret", "secret-and-more"}).redact("my secret-and-more") == "my ********"


def test_a_secret_that_is_found_later_is_redacted_from_then_on() -> None:
    redactor = redacting({"first-secret"})
    assert redactor.redact("first-secret later-secret") == "******** later-secret"
    redactor.add("later-secret")
    assert redactor.redact("first-secret later-secret") == "******** ********"


def test_a_set_that_is_shared_holds_every_form_at_once() -> None:
    redactor, known = redacting({"from-before"}), {"in/the/set"}
    redactor.share(known)
    redactor.add("later/secret")
    assert {"from-before", "in/the/set", "in%2Fthe%2Fset", "later%2Fsecret"} <= known
    assert redactor.redact("from-before in/the/set later/secret") == "******** ******** ********"


def test_two_redactors_share_nothing() -> None:
    redacting({"first-secret"})
    assert Redactor().redact("first-secret") == "first-secret"


def test_threads_may_add_while_others_redact() -> None:
    redactor, failed = Redactor(), []

    def work(number: int) -> None:
        for one in range(200):
            secret = f"secret-{number}-{one}-end"
            redactor.add(secret)
            if redactor.redact(f"<{secret}>") != "<********>":
                failed.append(secret)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
