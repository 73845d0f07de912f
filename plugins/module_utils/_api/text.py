# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for people: without secrets, and without characters that a terminal or a page obeys.

`printable()` is for every text from outside, `quoted()` for a refused option. Only a Redactor cuts a text:
redacting after the cut could miss half a secret.
"""

from __future__ import annotations

import base64
import difflib
import html
import json
import re
import threading
import typing as t
import unicodedata
from urllib.parse import quote, quote_plus

STARS = "********"
LONGEST_QUOTED = 80  # characters
SHORTEST = 4  # characters: redacting less would garble output
SECRET = re.compile(r"(?i)(pass(w|phr)|pwd|secret|token|key|\b[as]k)\w*\W*[:=]|://\S*:\S*@")
# Invisible, but printable to Unicode: fillers, joiners, variation selectors
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def printable(value: t.Any) -> str:
    r"""Return a text from outside as one line fit for a terminal, a log and a page.

    Control characters (C0, C1), line ends, characters that change the direction of writing, invisible
    characters and unpaired surrogates become escapes: U+202E is shown as \u202e.
    """
    text = str(value)
    if not text.isprintable():
        text = "".join(one if one.isprintable() else _escaped(one) for one in text)
    if not text.isascii():
        text = INVISIBLE.sub(lambda match: _escaped(match[0]), text)
    return text


def near(name: t.Any, known: t.Collection[str]) -> str:
    """Return a hint for an unknown name: the known one that is most like it, or all of them."""
    found = difflib.get_close_matches(str(name), list(known), 1)
    return f" Did you mean {found[0]}?" if found else f" Known: {', '.join(known)}."


def quoted(value: t.Any) -> str:
    """Return a refused value in quotes, or its length if it may hold a secret or half of one."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)  # as YAML has it
    if len(text) > LONGEST_QUOTED or SECRET.search(text):
        return f"(a text of {len(text)} characters)"
    return repr(printable(text))


def called(ident: str | None, name: str | None) -> str:
    """Return an instance by its name and ID, for people; the ID alone without a name."""
    return f"{printable(name)} ({ident})" if name else str(ident)


def one_spelling(name: str) -> str:
    """Return a name in the one form that all spellings of it have."""
    return unicodedata.normalize("NFC", name)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class Redactor:
    """The secrets of one task, in every form in which they can be written.

    It is handed down; threads may share it.
    """

    def __init__(self) -> None:
        self.forms: set[str] = set()
        self._lock = threading.Lock()
        self._longest_first: tuple[str, ...] | None = None

    def share(self, known: set[str]) -> None:
        """Use `known`, such as AnsibleModule's no_log_values, as the set of all forms from now on.

        Its members are secrets.
        """
        with self._lock:
            found, self.forms, self._longest_first = {*self.forms, *known}, known, None
        for secret in found:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Redact a secret from now on, in every form, and as values.text() spells it."""
        forms = written_forms(secret) | written_forms(one_spelling(secret))
        with self._lock:
            if not forms <= self.forms:
                self.forms.update(forms)
                self._longest_first = None

    def redact(self, text: str) -> str:
        """Return a text with stars in place of every secret known so far."""
        with self._lock:
            forms = self._longest_first
            if forms is None:
                forms = self._longest_first = tuple(sorted(self.forms, key=len, reverse=True))
        for form in forms:
            text = text.replace(form, STARS)
        return text

    def printable(self, value: t.Any, limit: int = 500) -> str:
        """Return printable() of a value, first redacted, then cut at `limit` characters."""
        text = printable(self.redact(str(value))[: limit + 1])
        return text if len(text) <= limit else text[:limit] + "..."


def written_forms(secret: str) -> set[str]:
    """Return the forms of a secret that responses, logs and shells write, if they have 4 characters."""
    raw = secret.encode("utf-8", "surrogatepass")  # also half a character, which no text should hold
    quoted = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    forms = {
        secret,
        *quoted,
        *(re.sub("%..", lambda match: match[0].lower(), form) for form in quoted),
        *encoded,
        *(form.rstrip("=") for form in encoded),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        repr(secret)[1:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
    }
    forms |= {printable(form) for form in forms}  # a message may be escaped before it is redacted
    return {form for form in forms if len(form) >= SHORTEST}
