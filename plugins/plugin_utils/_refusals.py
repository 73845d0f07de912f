# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys the cloud has refused in a run of Ansible: all of its worker processes must know.

More than five refused signatures in a row lock an access key for everybody
(https://support.huaweicloud.com/intl/en-us/apig_faq/apig-faq-0003.html). Ansible gives each host a process
of its own, so as many as it has forks would send their first requests at once. One of them sends its own
first, and writes what it learns to a file in the run's temporary folder, which Ansible removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
import typing as t
from pathlib import Path

from ansible import constants as C

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ApiError

# Keys are secrets, so a file is named by a hash that nobody can try out: only the process in which Ansible
# loads the actions, and the workers that it forks, know this.
PEPPER = os.urandom(16)
LOCKED_FOR = 300.0  # seconds for which the cloud locks an access key after too many refusals
# Seconds for which a request waits for another worker's, which may get no response at all
TURN_TIMEOUT = 10.0
INTERVAL = 0.02  # seconds between two checks of whether that one has ended
ACCEPTED = "accepted"
UNSENT = (
    "No request was sent: the cloud refused these keys a moment ago in this run, and more than five refused "
    "signatures in a row lock an access key for everybody who uses it. Correct the keys, then run the task "
    "again."
)
Facts = t.Mapping[str, t.Any]
Row = t.Dict[str, t.Any]


@contextlib.contextmanager
def alone(keys: str, clock: Clock | None = None) -> t.Iterator[None]:
    """Surround the first exchange of a process with these keys. No other worker sends its own meanwhile.

    Raises the refusal that another worker got in the last five minutes.
    """
    accepted = _read(keys) == ACCEPTED
    with contextlib.nullcontext() if accepted else _turn(keys, clock or Clock()):
        facts = refusal_of(keys)
        if facts:
            unsent = ApiError(UNSENT, 401, facts["error_code"], "auth_failed", definite=True)
            raise unsent.with_context(**facts)
        try:
            yield
        except ApiError as error:
            record(keys, error.details())
            raise
        if not accepted:
            _write(keys, ACCEPTED)


def alone_as_module(keys: str, run: t.Callable[[], Row], clock: Clock | None = None) -> Row:
    """Return the result of a task that runs as a module, or its failure if the keys are known to be refused.

    No other worker runs its own meanwhile, until one has shown that the cloud accepts the keys.
    """
    with contextlib.nullcontext() if _read(keys) == ACCEPTED else _turn(keys, clock or Clock()):
        facts = refusal_of(keys)
        if facts:
            return {"failed": True, "changed": False, "error_kind": "auth_failed", "msg": UNSENT, **facts}
        result = run()
        record(keys, result)
        if not result.get("failed"):
            _write(keys, ACCEPTED)
        return result


def refusal_of(keys: str) -> Facts | None:
    """Return the cloud's refusal of these keys in the last five minutes, or None."""
    try:
        since, facts = json.loads(_read(keys))
    except ValueError:
        return None
    return t.cast(Facts, facts) if time.monotonic() < since + LOCKED_FOR else None


def record(keys: str, result: Facts) -> None:
    """Let all workers know if the cloud has refused the keys of this task."""
    if result.get("keys_refused"):
        facts = {name: result.get(name) for name in ("error_code", "request_id", "keys_refused")}
        _write(keys, json.dumps([time.monotonic(), facts]))


@contextlib.contextmanager
def _turn(keys: str, clock: Clock) -> t.Iterator[None]:
    """Wait for the worker that sends its first request, or until the cloud has accepted the keys."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # Without a folder of the run, nothing is shared.
            file = stack.enter_context(_place(keys).open("a", encoding="utf-8"))
            until = clock.monotonic() + TURN_TIMEOUT
            while not _taken(file) and _read(keys) != ACCEPTED and clock.monotonic() < until:
                clock.sleep(INTERVAL)
        yield


def _taken(file: t.TextIO) -> bool:
    """Take the turn if it is free. It ends when the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(keys: str) -> str:
    try:
        return _place(keys).read_text(encoding="utf-8")
    except OSError:
        return ""


def _write(keys: str, text: str) -> None:
    """Replace the file at once: another worker may be reading it."""
    new = _place(keys).with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):  # Then the next host costs one more refused signature.
        new.write_text(text, encoding="utf-8")
        new.replace(_place(keys))


def _place(keys: str) -> Path:
    """Return the file about some keys."""
    name = hashlib.blake2b(keys.encode(), key=PEPPER, digest_size=16).hexdigest()
    return Path(C.DEFAULT_LOCAL_TMP, f"huaweicloud-recovery-keys-{name}")
