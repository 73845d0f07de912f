# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credentials that sign requests, and what is known about the caller.

All clones of a Cloud, in all threads, share these objects.

Keys, Token     a credential, with the Gate that its requests pass
Holder          fetches a credential when it is needed, and again before it expires
Caller          the credentials and the project of one identity in one region
"""

from __future__ import annotations

import contextlib
import re
import threading
import typing as t
from dataclasses import dataclass

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import auth
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    TransportError,
)

FAILURE_SHARED = 10.0  # seconds for which a failed shared request counts for every operation
# Seconds before their end in which temporary keys are renewed, but at most a third of their life
EARLY = 600.0
# Codes of refused keys, not of a policy that denies a call: the gateway's, IAM's (numbers), or none
KEYS_REFUSED = re.compile(r"(APIGW\..*|IAM\..*|[0-9]*)", re.ASCII)
LOCKED = re.compile("reach the limit", re.IGNORECASE)  # in the gateway's message about a locked access key
NOT_SENT = "This request was not sent: the cloud has already refused these keys."


class Gate:
    """Sends the first signed request of a credential alone, and no other if the cloud refuses it.

    More than five refused signatures in a row lock an access key for five minutes, for everybody who uses it.

    `hold` surrounds a request that is sent alone: it holds up those of other processes. Only the given keys
    have it, because the next task gets other temporary keys.
    """

    def __init__(self, source: str, hold: t.Callable[[], t.ContextManager[None]] | None = None) -> None:
        self.source, self._hold, self._lock = source, hold, threading.RLock()
        self._accepted = False
        self._refusal: CloudError | None = None
        # of the last request that showed nothing about the credential
        self._failure: CloudError | None = None

    def check(self) -> None:
        """Raise an earlier refusal."""
        if self._refusal is not None:
            raise self._refusal.with_context(f"{self._refusal} {NOT_SENT}")

    @contextlib.contextmanager
    def passage(self) -> t.Iterator[None]:
        """Surround one exchange. If an earlier one was refused, raise that refusal instead of sending."""
        with contextlib.nullcontext() if self._accepted else self._alone():
            self.check()
            try:
                yield
            except ApiError as error:
                if error.kind == "protocol_error":  # the page of a proxy: it says nothing about the keys
                    raise
                if error.status != 401:
                    self._accepted = self._accepted or error.status < 500
                    raise
                refusal = error.with_context(f"{error} {self._explanation(str(error))}")
                if KEYS_REFUSED.fullmatch(error.facts.get("error_code") or ""):
                    refusal = self._refusal = refusal.with_context(keys_refused=bool(self._hold) or None)
                    self._accepted = False
                raise refusal from None
            self._accepted = True

    @contextlib.contextmanager
    def _alone(self) -> t.Iterator[None]:
        """Hold up the other requests with this credential until this one has ended.

        If it shows nothing about the credential, those that wait fail, too. Otherwise each in turn would wait
        for a server that does not respond.
        """
        failure = self._failure
        with self._lock:
            unknown = not self._accepted and self._refusal is None
            error = self._failure
            if unknown and error is not None and error is not failure:
                text = (
                    f"This request was not sent, because the one that checks the credentials failed: {error}"
                )
                unsent = TransportError(text, sent=False, transient=error.transient, **error.facts)
                raise unsent.with_context(kind=error.kind)
            with self._hold() if unknown and self._hold else contextlib.nullcontext():
                try:
                    yield
                except CloudError as found:
                    self._failure = found
                    raise

    def _explanation(self, text: str) -> str:
        origin = f"The credentials came from {self.source}."
        if not LOCKED.search(text):
            return origin
        return (
            "The access key is locked for about five minutes, because more than five of its signatures in a "
            f"row were refused. Do not retry earlier. {origin}"
        )


@dataclass(frozen=True)
class Keys:
    """An access key. `renew_at` and `ends` are monotonic seconds, None for lasting keys."""

    access_key: str
    secret_key: str
    security_token: str | None
    gate: Gate
    renew_at: float | None = None
    ends: float | None = None

    def sign(self, method: str, url: str, headers: dict[str, str], body: bytes, now: float) -> dict[str, str]:
        """Return `headers` with a signature of this moment (seconds since the epoch)."""
        if self.security_token:
            headers = {**headers, "X-Security-Token": self.security_token}
        return {**headers, **auth.signed(method, url, headers, body, self.access_key, self.secret_key, now)}


@dataclass(frozen=True)
class Token:
    """An IAM token. It is renewed when the cloud refuses it, not before."""

    value: str
    gate: Gate
    renew_at: float | None = None
    ends: float | None = None

    def sign(self, method: str, url: str, headers: dict[str, str], body: bytes, now: float) -> dict[str, str]:
        """Return `headers` with the token."""
        return {**headers, "X-Auth-Token": self.value}


Credential = t.Union[Keys, Token]


class Failures:
    """The last failure of a shared call, which counts for all clones for a while.

    Otherwise each clone would try in turn, and a wrong password that is tried often locks the account.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._last, self._until = clock, t.cast("CloudError | None", None), 0.0

    @contextlib.contextmanager
    def shared(self) -> t.Iterator[None]:
        """Surround a shared call; raise the last failure instead while it counts."""
        if self._last is not None and (
            self._last.kind == "auth_failed" or self._clock.monotonic() < self._until
        ):
            raise self._last.with_context()
        try:
            yield
        except CloudError as error:
            self._last, self._until = error.with_context(), self._clock.monotonic() + FAILURE_SHARED
            raise


class Memo:
    """Values that the plans of a task read once and share.

    If a read fails, all plans that wait for it fail.
    """

    def __init__(self, clock: Clock) -> None:
        self._lock, self._failures = threading.Lock(), Failures(clock)
        self._known: dict[str, t.Any] = {}

    def get(self, what: str, read: t.Callable[[], t.Any]) -> t.Any:
        """Return the result of read(), which only the first call runs."""
        with self._lock:
            if what not in self._known:
                with self._failures.shared():
                    self._known[what] = read()
            return self._known[what]


class Holder:
    """Holds one credential: a given one, or one from fetch(session), which is renewed before it expires."""

    def __init__(
        self,
        clock: Clock,
        given: Credential | None = None,
        fetch: t.Callable[[t.Any], Credential] | None = None,
    ) -> None:
        self._clock, self._current, self._fetch = clock, given, fetch
        self._lock, self._failures = threading.RLock(), Failures(clock)

    def get(self, session: t.Any) -> Credential:
        """Return the credential to sign with now.

        While one thread renews keys that still work, other threads go on with the old ones.
        """
        current = self._current
        if current is not None and not self._past(current.renew_at):
            return current
        usable = current is not None and not self._past(current.ends)
        if not self._lock.acquire(blocking=not usable):
            return t.cast(Credential, current)
        try:
            if self._current is current:
                self._current = self._fetched(session)
            return t.cast(Credential, self._current)
        except CloudError:  # Keys that still work may see a wait through.
            if usable:
                return t.cast(Credential, current)
            raise
        finally:
            self._lock.release()

    def renew(self, session: t.Any, used: Credential | None) -> bool:
        """Fetch a new credential in place of one that was refused; False if that is not possible."""
        # Without a credential, it was the password or the agency that was refused.
        if self._fetch is None or used is None:
            return False
        with self._lock:
            if self._current is used:  # else another clone has done it
                self._current = self._fetched(session)
        return True

    def _fetched(self, session: t.Any) -> Credential:
        try:
            with self._failures.shared():
                return t.cast("t.Callable[[t.Any], Credential]", self._fetch)(session)
        except CloudError as error:  # its 404 is not about the instance
            raise error.with_context(kind="auth_failed" if error.kind == "not_found" else None) from None

    def _past(self, moment: float | None) -> bool:
        return moment is not None and self._clock.monotonic() >= moment


@dataclass
class Account:
    """What is known of the account and the project that a caller leads to; None is unknown."""

    domain_id: str | None = None
    domain_name: str | None = None
    project_name: str | None = None


class Caller:
    """The caller in one region: its project, once known, and the credentials that sign its requests.

    holder(self) returns those credentials, which may find the project.
    """

    def __init__(self, project: str | None, clock: Clock, holder: t.Callable[[Caller], Holder]) -> None:
        self.project = project
        self.failures, self.lock = Failures(clock), threading.RLock()  # one thread looks for the project
        self.memo, self.account = Memo(clock), Account()
        self.admitted = False  # whether it is in the task's allowed_project_ids and allowed_domain_ids
        self.looked_up = False  # whether IAM was read for names that are only shown
        self.holder = holder(self)


def margin(life: float) -> float:
    """Return how many seconds before their end keys with this life are renewed."""
    return min(EARLY, life / 3)
