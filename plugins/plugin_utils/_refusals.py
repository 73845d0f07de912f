# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys that the cloud has refused in this run of Ansible, which all its worker processes must know.

More than five refused signatures in a row lock an access key for everybody. Ansible gives each host a process
of its own, so what one has learned is in files of the run's temporary folder, which Ansible removes.
"""

from __future__ import annotations

import hashlib
import json
import time
import typing as t
from pathlib import Path

from ansible import constants as C

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.caller import KEYS_REFUSED

LOCKED_FOR = 300.0  # seconds for which the cloud locks an access key after too many refusals
PREFIX = "huaweicloud-recovery-refused-"
REPORTED = ("error_kind", "error_code", "request_id")


def known(caller: t.Callable[[], str]) -> dict[str, t.Any] | None:
    """Return the cloud's refusal of this caller in the last five minutes, or None.

    `caller` names the identity with its keys; it is asked only after some refusal. Corrected keys are another
    caller.
    """
    folder = Path(C.DEFAULT_LOCAL_TMP)
    if not any(folder.glob(f"{PREFIX}*")):
        return None
    try:
        since, facts = json.loads(_file(folder, caller()).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if time.monotonic() < since + LOCKED_FOR else None


def note(caller: t.Callable[[], str], result: t.Mapping[str, t.Any]) -> None:
    """Remember the refusal if the cloud has refused the keys of this task."""
    facts = {name: result[name] for name in REPORTED if result.get(name)}
    # An agency or a server's metadata that is not there yet is no refused signature: it may be tried again.
    refused = facts.get("error_kind") == "auth_failed" and result.get("http_status") == 401
    if not refused or not KEYS_REFUSED.fullmatch(facts.get("error_code") or ""):
        return
    try:
        _file(Path(C.DEFAULT_LOCAL_TMP), caller()).write_text(
            json.dumps([time.monotonic(), facts]), encoding="utf-8"
        )
    except OSError:  # Then the next host costs one more refused signature.
        return


def _file(folder: Path, caller: str) -> Path:
    """Return the file about a caller. Its name is a slow hash: a password may be among what it names."""
    digest = hashlib.scrypt(caller.encode(), salt=folder.name.encode(), n=2**12, r=8, p=1, dklen=16)
    return folder / f"{PREFIX}{digest.hex()}"
