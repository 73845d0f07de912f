# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dates of an X.509 certificate. Python shows them only for a certificate that it accepts."""

from __future__ import annotations

import re
import typing as t

SEQUENCE, UTC_TIME, GENERALIZED_TIME = 0x30, 0x17, 0x18  # DER's tags


def valid_between(certificate: bytes) -> tuple[str, str] | None:
    """Return (not before, not after) of a certificate in DER in ISO 8601, UTC; None if they are unreadable.

    RFC 5280: Certificate and TBSCertificate are sequences, Validity is the first sequence of two times in the
    latter.
    """
    try:
        ((dummy, signed),) = _parts(certificate)
        tag, inner = next(_parts(signed))
        for tag, content in _parts(inner):
            times = list(_parts(content)) if tag == SEQUENCE else []
            if len(times) == 2 and all(kind in (UTC_TIME, GENERALIZED_TIME) for kind, dummy in times):
                return _iso(*times[0]), _iso(*times[1])
    except (IndexError, ValueError, StopIteration):
        pass
    return None


def _parts(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    """Yield (tag, content) of each value in a sequence of DER."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            end = at + count
            size, at = int.from_bytes(data[at:end], "big"), end
        end = at + size
        if end > len(data):
            raise ValueError("a value is longer than what holds it")
        yield tag, data[at:end]
        at = end


def _iso(tag: int, content: bytes) -> str:
    text = content.decode("ascii")
    if tag == UTC_TIME:  # two digits of the year; RFC 5280: 50 and later are of 1900
        text = ("19" if text[:2] >= "50" else "20") + text
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", text, re.ASCII)
    if found is None:
        raise ValueError("no time")
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"
