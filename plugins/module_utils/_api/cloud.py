# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One set of connection options -> signed calls to a service.

Made once per task; it signs in lazily and never before the input is checked.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import typing as t
from urllib.parse import quote

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import auth, codes, credentials, iam
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.caller import (
    Account,
    Caller,
    Credential,
    Gate,
    Holder,
    Keys,
    Token,
    margin,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.endpoints import endpoint
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    InvalidArgument,
    NotFound,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply, Session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor, printable
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Http,
    PerThread,
    Request,
    Response,
    Transport,
)

CLOCK = len("This machine's clock ")  # two warnings that differ only in the seconds are one
AGENT = "huaweicloud.recovery/1.0.0 (Ansible collection)"
HEADERS = {"Accept": "application/json", "User-Agent": AGENT}
NOT_REPORTED = "unknown"
# Seconds and repeats of a request for names that are only shown: it must not delay a restore
BRIEF = (5.0, 0)


class NotAllowed(CloudError):
    """The credentials lead to an account or project that the task does not allow."""

    kind = "denied"
    note = "No other request was sent."


T = t.TypeVar("T")


class Task(t.NamedTuple):
    """What all clouds of a task share."""

    options: t.Mapping[str, t.Any]
    environ: t.Mapping[str, str]
    clock: Clock
    redactor: Redactor
    http: Transport | PerThread
    progress: t.Callable[[t.Any], None]
    before_post: t.Callable[[], None]
    alone: t.Callable[[str], t.ContextManager[None]]
    warnings: list[str]


def cloud_for(
    options: t.Mapping[str, t.Any],
    environ: t.Mapping[str, str] | None = None,
    clock: Clock | None = None,
    redactor: Redactor | None = None,
    http: Transport | PerThread | None = None,
    progress: t.Callable[[t.Any], None] = lambda event: None,
    before_post: t.Callable[[], None] = lambda: None,
    alone: t.Callable[[str], t.ContextManager[None]] = lambda keys: contextlib.nullcontext(),
) -> Cloud:
    """Return a cloud that calls as the caller whom `options` describe.

    `redactor` gets every secret found on the way, `http` replaces the transport in tests. progress() gets the
    watches of a wait, before_post() precedes a POST, alone(keys) surrounds the first signed request.
    """
    environ, redactor = os.environ if environ is None else environ, redactor or Redactor()
    found = credentials.resolve(options, environ, redactor)
    verify, bundle = found.settings.get("validate_certs", True), found.settings.get("ca_path")
    http = http or PerThread(lambda: Http(verify, bundle, redactor))
    shared = (clock or Clock(), redactor, http, progress, before_post, alone, found.warnings)
    return Cloud(Task(options, environ, *shared), found.identity, found.settings)


class Cloud:
    """Calls as one caller in one region, in one thread. cloud_for() makes the first one of a task.

    Clones share `caller`; the regions of an identity share `gate`, and `holder` where they can.
    """

    def __init__(
        self,
        task: Task,
        identity: credentials.Identity,
        settings: dict[str, t.Any],
        gate: Gate | None = None,
        caller: Caller | None = None,
        holder: Holder | None = None,
        limits: tuple[float, int] | None = None,  # seconds, repeats
    ) -> None:
        self._task, self._identity, self.settings, self.warnings = task, identity, settings, task.warnings
        self.clock, self.redactor, self.progress = task.clock, task.redactor, task.progress
        self.may_have_changed = False  # whether a POST may have had an effect
        self._gate = gate or Gate(identity.keys_from, lambda: task.alone(repr(identity[:2])))
        self._caller = caller or Caller(
            settings.get("project_id"), self.clock, lambda new: self._holder_for(new, holder)
        )
        timeout, retries = limits or (settings.get("http_timeout", 60), settings.get("max_retries", 5))
        self.session = Session(self._send, self.clock, timeout, retries, self.redactor, self._warn_of_clock)
        self._signer = Signing(self._caller.holder, self.session, self.clock, self._caller)

    # The same caller, or another one, for a part of the task

    def clone(self, limits: tuple[float, int] | None = None) -> Cloud:
        """Return the same caller, signed in once, for another operation with its own deadline."""
        return Cloud(self._task, self._identity, self.settings, self._gate, self._caller, limits=limits)

    def for_region(self, region: str | None) -> Cloud:
        """Return the same identity in another region.

        A project, and a token for a password, belong to one region.
        """
        region = (region or "").strip()
        if not region or region == self.region:
            return self.clone()
        apart = credentials.PROJECT if self.region else ()
        kept = {name: value for name, value in self.settings.items() if name not in apart}
        settings, holder = {**kept, "region": region}, self._caller.holder
        return Cloud(self._task, self._identity, settings, self._gate, holder=holder)

    def for_profile(self, profile: str | None) -> Cloud:
        """Return the caller of a profile, in place of the keys and the region of the task."""
        if not profile:
            return self.clone()
        task, apart = self._task, {*credentials.IDENTITY, "region"}
        others = {name: value for name, value in task.options.items() if name not in apart}
        given = {**others, "profile": profile, "shared_config_file": task.options.get("shared_config_file")}
        found = credentials.resolve(given, task.environ, task.redactor)
        self.warnings += [warning for warning in found.warnings if warning not in self.warnings]
        return Cloud(task, found.identity, {"region": self.region, **found.settings})

    def _warn_of_clock(self, text: str) -> None:
        if not any(warning.startswith(text[:CLOCK]) for warning in self.warnings):
            self.warn(text)

    def warn(self, text: str) -> None:
        """Warn once in this task."""
        if text not in self.warnings:
            self.warnings.append(self.redactor.printable(text))

    def now_ms(self) -> int:
        """Return the time by the cloud's clock, epoch ms."""
        return int(self.session.server_now() * 1000)

    @property
    def region(self) -> str | None:
        """The region's name, where one was given."""
        return self.settings.get("region")

    # Calls of a service

    def get(
        self,
        service: str,
        version: str,
        *path: str,
        query: t.Mapping[str, t.Any] | None = None,
        known: codes.Codes = codes.GATEWAY,
        about: str | None = None,
    ) -> Reply:
        """Return the reply of GET https://<service>/<version>/<project id>/<path>, repeated if need be.

        `known` are the service's codes, `about` names for people what is read. Raises NotFound.
        """
        pairs = [(name, str(value)) for name, value in (query or {}).items() if value is not None]
        url = self._url(service, version, path) + ("?" + auth.query_string(pairs) if pairs else "")
        try:
            further = bool((query or {}).get("offset"))
            return self.session.read("GET", url, self._signer, b"", further, known)
        except ApiError as error:
            if error.kind == "not_found":
                raise NotFound(
                    f"{about or object_at(service, path)} does not exist in this project and region. {error}",
                    by_service=codes.kind_of(400, error.facts["error_code"], known) == "not_found",
                    **error.facts,
                ) from None
            raise

    def memoized(self, what: str, read: t.Callable[[], T]) -> T:
        """Return the result of read(), which is called once for all plans of a task in this project.

        The decision to send never relies on it, but on a read of its own.
        """
        return t.cast(T, self._caller.memo.get(what, read))

    def post_once(
        self,
        service: str,
        version: str,
        *path: str,
        body: t.Mapping[str, t.Any],
        known: codes.Codes = codes.GATEWAY,
    ) -> Reply:
        """Send one POST, once, while session.not_after allows it.

        Only the sender of _protocol/protocol.py calls this.
        """
        url, content = self._url(service, version, path), json.dumps(body, ensure_ascii=False)
        self._task.before_post()
        self.may_have_changed = True
        return self.session.post_once(url, self._signer, content.encode("utf-8", "replace"), known)

    def renew(self) -> bool:
        """Replace the token or the temporary keys of the last request; False for given keys or tokens."""
        return self._signer.renew()

    def _url(self, service: str, version: str, path: t.Sequence[str]) -> str:
        base = endpoint(service, self.settings)
        return "/".join([base, version, *(quote(part, safe="") for part in (self.admit(), *path))])

    # Who calls

    @property
    def project_id(self) -> str:
        """The project's ID: given, or from the token, or looked up by name once."""
        caller, name = self._caller, self.settings.get("project_name") or self.region
        if caller.project is None and not name:
            raise InvalidArgument(
                "project_id, project_name or region is needed to find the project. The task reads project_id "
                f"from its options, or from the source of its keys: {self._identity.source}."
            )
        if caller.project is None:
            with caller.lock, caller.failures.shared():
                caller.holder.get(self.session)  # A token names its project.
                if caller.project is None:
                    found = iam.project_named(self._iam(self.session, self._signer), t.cast(str, name))
                    caller.account.project_name, caller.account.domain_id = found.name, found.domain_id
                    caller.project = found.id
        return caller.project

    def identity(self) -> dict[str, str]:
        """Return who calls: domain_id, domain_name, project_id, project_name, region, source (of the keys).

        It reads IAM, once for all clones. What IAM does not report is "unknown", and stops no restore.
        """
        project = None
        # the first request that needs the identity will report the failure
        with contextlib.suppress(CloudError):
            project = self.project_id
            self.admit()
            with self._caller.lock:
                self._look_up(project)
        known = self._caller.account
        return {
            "domain_id": known.domain_id or NOT_REPORTED,
            "domain_name": known.domain_name or NOT_REPORTED,
            "project_id": project or NOT_REPORTED,
            "project_name": known.project_name or NOT_REPORTED,
            "region": self.region or NOT_REPORTED,
            "source": self._identity.source,
        }

    def _look_up(self, project_id: str) -> None:
        """Look up the unknown names of account and project, once."""
        caller, known = self._caller, self._caller.account
        if caller.looked_up:
            return
        caller.looked_up = True
        brief = self.clone(BRIEF)
        read = self._iam(brief.session, brief._signer)
        if known.project_name is None:
            with contextlib.suppress(CloudError):
                self._learn_project(read, project_id)
        if known.domain_name is None:
            accounts = [one for one in iam.account(read) if known.domain_id in (None, one[0])]
            if len(accounts) == 1:
                known.domain_id, known.domain_name = accounts[0]

    def _learn_project(self, read: iam.Read, project_id: str) -> None:
        found, known = iam.project_with_id(read, project_id), self._caller.account
        if found is not None:
            known.project_name, known.domain_id = found.name, found.domain_id or known.domain_id

    def admit(self) -> str:
        """Return the project's ID. Raise if the task does not allow this project or its account.

        IAM is read at most once.
        """
        caller = self._caller
        projects = self.settings.get("allowed_project_ids")
        domains = self.settings.get("allowed_domain_ids")
        if caller.admitted or not (projects or domains):
            return self.project_id
        with caller.lock:
            if projects and self.project_id not in projects:
                raise self._not_allowed("project", self.project_id, "allowed_project_ids")
            if domains and caller.account.domain_id is None:
                self._learn_account()
            if domains and caller.account.domain_id not in domains:
                raise self._not_allowed("account", caller.account.domain_id, "allowed_domain_ids")
            caller.admitted = True
        return self.project_id

    def _learn_account(self) -> None:
        try:
            self._learn_project(self._iam(self.session, self._signer), self.project_id)
        except CloudError as error:
            raise error.with_context(
                f"{error} So allowed_domain_ids could not be checked. No other request was sent."
            ) from None

    def _not_allowed(self, what: str, found: str | None, option: str) -> NotAllowed:
        where = f"the {what} {printable(found)}" if found else f"an unknown {what} (IAM does not report it)"
        return NotAllowed(
            f"The credentials from {self._identity.source} lead to {where}, which is not in {option}. "
            f"Check whose keys these are, or add it to {option}."
        )

    # How requests are signed

    def _holder_for(self, caller: Caller, of_another_region: Holder | None) -> Holder:
        """Return the credential with which a new caller signs."""
        if of_another_region is not None and not self._signs_in_to_project():
            return of_another_region
        base = self._base(caller)
        return self._assumed(base) if self._identity.agency else base

    def _base(self, caller: Caller) -> Holder:
        """Return the holder of the given credential, or of the one that is fetched with the given keys."""
        way, keys = self._identity.way, self._identity.keys
        if way == credentials.TOKEN:
            return Holder(self.clock, Token(keys["auth_token"], self._gate))
        if way == credentials.KEYS:
            given = Keys(keys["access_key"], keys["secret_key"], keys.get("security_token"), self._gate)
            return Holder(self.clock, given)
        if way == credentials.METADATA:
            return Holder(self.clock, fetch=lambda session: self._of_instance())
        return Holder(self.clock, fetch=lambda session: self._signed_in(session, caller))

    def _signs_in_to_project(self) -> bool:
        return self._identity.way == credentials.LOGIN and not self._identity.agency

    def _signed_in(self, session: Session, caller: Caller) -> Token:
        """Fetch a token for user and password: of the project, or of the account to assume an agency."""
        keys, settings = self._identity.keys, self.settings
        project = caller.project or settings.get("project_id")
        scope: dict[str, t.Any] = {"project": {"id": project}}
        if self._identity.agency:
            scope = {"domain": {"name": keys["domain_name"]}}
        elif not project:
            scope = {"project": {"name": settings.get("project_name") or self.region}}
        issued = iam.token(self._iam(session, Unsigned(self._gate)), keys, scope)
        self.redactor.add(issued.value)
        if self._signs_in_to_project():
            caller.project = issued.project_id
            caller.account = Account(issued.domain_id, issued.domain_name, issued.project_name)
        return Token(issued.value, Gate(self._identity.keys_from))

    def _of_instance(self) -> Keys:
        session = Session(self._send, self.clock, iam.METADATA_TIMEOUT, 1, self.redactor)
        began = self.clock.monotonic()
        found = iam.of_instance(lambda method, url, body: session.read(method, url, Unsigned(), body))
        return self._temporary(found, began, self._identity.keys_from)

    def _assumed(self, base: Holder) -> Holder:
        """Return the holder of the keys of the agency, which are fetched with the base credential."""

        def fetch(session: Session) -> Keys:
            began = self.clock.monotonic()
            found = iam.assume_role(
                self._iam(session, Signing(base, session, self.clock)), self._identity.agency
            )
            return self._temporary(found, began, self._identity.source)

        return Holder(self.clock, fetch=fetch)

    def _temporary(self, found: iam.TemporaryKeys, began: float, source: str) -> Keys:
        self.redactor.add(found.secret_key)
        self.redactor.add(found.security_token)
        ends = began + found.life
        return Keys(
            found.access_key,
            found.secret_key,
            found.security_token,
            Gate(source),
            ends - margin(found.life),
            ends,
        )

    def _iam(self, session: Session, signer: t.Any) -> iam.Read:
        """Return how to send a request to IAM."""
        return lambda method, path, body: session.read(
            method, endpoint("iam", self.settings) + path, signer, body
        )

    def _send(self, request: Request) -> Response:
        """Redact a signature when a response shows it.

        A long wait has too many signatures to look for all of them in its result.
        """
        response = self._task.http(request)
        signature = request.headers.get("Authorization", "").rpartition("=")[2]
        if signature and holds_secret(response, signature):
            self.redactor.add(signature)
        return response


class Signing:
    """Signs the requests of one session with the credential of a holder.

    With a caller it names the caller's project, too.
    """

    def __init__(self, holder: Holder, session: Session, clock: Clock, caller: Caller | None = None) -> None:
        self._holder, self._session, self._clock, self._caller = holder, session, clock, caller
        self._used: Credential | None = None

    def sign(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request, with its token or signature."""
        self._used = self._holder.get(self._session)
        self._used.gate.check()
        project = self._caller.project if self._caller else None
        headers = {"Content-Type": "application/json", **({"X-Project-Id": project} if project else {})}
        return {**HEADERS, **self._used.sign(method, url, headers, body, self._clock.now())}

    def passage(self) -> t.ContextManager[None]:
        """Surround the exchange of the request that was signed last."""
        return t.cast(Credential, self._used).gate.passage()

    def renew(self) -> bool:
        """Replace the credential of the last request, if that is possible."""
        return self._holder.renew(self._session, self._used)


class Unsigned:
    """Sends a request that carries no credential in its headers."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate or Gate("")

    def sign(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request."""
        return {"Content-Type": "application/json", "Accept": "application/json"}

    def passage(self) -> t.ContextManager[None]:
        """Surround the exchange."""
        return self._gate.passage()

    def renew(self) -> bool:
        """There is nothing to renew."""
        return False


def object_at(service: str, path: t.Sequence[str]) -> str:
    """Return what a path leads to, for people: DCS instance <id>, or the list of DCS instances."""
    thing = path[0] if path else "project"
    return (
        f"{service.upper()} {thing.rstrip('s')} {path[1]}"
        if len(path) > 1
        else f"The list of {service.upper()} {thing}"
    )


def holds_secret(response: Response, secret: str) -> bool:
    """Whether a response holds a secret of letters and digits, plain or in base64, or may hold it escaped."""
    text = response.body + repr(response.headers).encode()
    return b"\\u00" in text or secret.encode() in text or base64.b64encode(secret.encode()) in text
