# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One set of connection options -> signed calls to a service. Made once per task; it signs in lazily and never before the input is checked."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import os
import threading
import typing as t
from urllib.parse import quote

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import auth, codes, credentials, iam
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.endpoints import endpoint
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    ApiError,
    CloudError,
    InvalidArgument,
    NotFound,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply, Session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import (
    Answer,
    Http,
    PerThread,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id

AGENT = "huaweicloud.recovery/1.0.0 (Ansible collection)"
PATIENCE = 10.0  # seconds for which a failure of IAM is that of every operation


class Caller:
    """Who calls, in one region: the token and the project, once they are known. All twins share it."""

    def __init__(self, token: str | None, project: str | None) -> None:
        self.token, self.project, self.lock = token, project, threading.RLock()
        self.refused: CloudError | None = None  # the last failure of IAM
        self.until = 0.0  # when, as monotonic seconds, IAM is asked again


class Cloud:
    """Calls as the caller that `options` describe. `redactor` gets every secret found on the way, `http` replaces the transport in tests."""

    def __init__(
        self,
        options: t.Mapping[str, t.Any],
        environ: t.Mapping[str, str] | None = None,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        http: t.Callable[..., Answer] | None = None,
        progress: t.Callable[[t.Any], None] = lambda event: None,
        before_post: t.Callable[[], None] = lambda: None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.redactor = redactor or Redactor()
        for secret in credentials.secret_values(options, environ):
            self.redactor.add(secret)
        self.settings = credentials.resolve(options, environ)
        self.clock, self.progress, self._before_post = clock or Clock(), progress, before_post
        self.posted = False  # whether a POST may have changed something
        self._caller = Caller(self.settings.get("auth_token"), self.settings.get("project_id"))
        if self._caller.project is not None and not is_id(self._caller.project):
            raise InvalidArgument("project_id is not an id (letters, digits, '-' and '_', at most 128).")
        verify = self.settings.get("validate_certs", True)
        self._http = http or PerThread(lambda: Http(verify, self.settings.get("ca_path"), self.redactor))
        self._sent: str | None = None  # the token of the last request
        self.session = self._session()

    def twin(self, region: str | None = None) -> Cloud:
        """Return the same caller for another operation, maybe in another thread: with a deadline of its own, and signed in once for both.

        In another region the caller is another one, with the same keys: a project and a token that was fetched are of one region.
        """
        twin = copy.copy(self)
        twin.session = twin._session()
        if region not in (None, self.region):
            twin.settings = {**self.settings, "region": region}
            for name in credentials.PROJECT if self.region else ():
                twin.settings.pop(name, None)
            twin._caller = Caller(self.settings.get("auth_token"), twin.settings.get("project_id"))
        return twin

    @property
    def region(self) -> str | None:
        """The region's name, where one was given."""
        return self.settings.get("region")

    @property
    def project_id(self) -> str:
        """The project's id: given, or from the token, or looked up by name once."""
        caller, name = self._caller, self.settings.get("project_name") or self.region
        if caller.project is None and not name:
            raise InvalidArgument(
                "project_id (HW_PROJECT_ID), project_name or region is needed to know the project."
            )
        if caller.project is None:
            with caller.lock, self._remembering():
                if caller.project is None and self.settings["way"].startswith("username"):
                    self._sign_in()
                if caller.project is None:
                    caller.project = iam.project_id(
                        lambda url: self.session.read("GET", url, self._signed),
                        endpoint("iam", self.settings),
                        t.cast(str, name),
                    )
        return caller.project

    def get(
        self,
        service: str,
        version: str,
        *path: str,
        query: t.Mapping[str, t.Any] | None = None,
        known: codes.Codes = codes.GATEWAY,
        about: str | None = None,
    ) -> Reply:
        """Return the reply of GET https://<service>/<version>/<project id>/<path>, repeated when that is safe and useful.

        `known` are the service's codes, `about` names for people what is read. Raises NotFound.
        """
        pairs = [(name, str(value)) for name, value in (query or {}).items() if value is not None]
        url = self._url(service, version, path) + ("?" + auth.query_string(pairs) if pairs else "")
        try:
            further = bool((query or {}).get("offset"))
            return self.session.read("GET", url, self._signed, b"", self.renew, further, known)
        except ApiError as error:
            if error.kind == "not_found":
                raise NotFound(
                    f"{about or named(service, path)} does not exist in this project and region. {error}",
                    by_service=codes.kind_of(400, error.facts["error_code"], known) == "not_found",
                    **error.facts,
                ) from None
            raise

    def post_once(
        self,
        service: str,
        version: str,
        *path: str,
        body: t.Mapping[str, t.Any],
        known: codes.Codes = codes.GATEWAY,
    ) -> Reply:
        """Send one POST, once. Only the sender of _protocol/protocol.py calls this."""
        self._before_post()
        self.posted = True
        return self.session.post_once(
            self._url(service, version, path),
            self._signed,
            json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
            known,
        )

    def renew(self) -> bool:
        """Sign in again; False when the keys cannot be renewed (AK/SK, or a token that the user gave)."""
        if self._caller.token is None or not self.settings["way"].startswith(
            "username"
        ):  # without a token it was the password that was wrong
            return False
        with self._caller.lock:
            if self._caller.token == self._sent:  # else a twin has done it
                self._sign_in()
        return True

    def _session(self) -> Session:
        def send(method: str, url: str, headers: dict[str, str], *rest: t.Any) -> Answer:
            """A signature is redacted when an answer shows it: all those of a long wait are too many to look for in its result."""
            answer = self._http(method, url, headers, *rest)
            signature = headers.get("Authorization", "").rpartition("=")[2]
            if signature and shows(answer, signature):
                self.redactor.add(signature)
            return answer

        return Session(
            send,
            self.clock,
            self.settings.get("http_timeout", 60),
            self.settings.get("max_retries", 5),
            self.redactor,
        )

    def _url(self, service: str, version: str, path: t.Sequence[str]) -> str:
        base = endpoint(service, self.settings)
        return "/".join([base, version, *(quote(part, safe="") for part in (self.project_id, *path))])

    def _sign_in(self) -> None:
        caller = self._caller
        with self._remembering():
            caller.token, caller.project = iam.token(
                self.session, endpoint("iam", self.settings), {**self.settings, "project_id": caller.project}
            )
        self.redactor.add(caller.token)

    @contextlib.contextmanager
    def _remembering(self) -> t.Iterator[None]:
        """Have a failure of IAM be that of all twins for a while: of many, each would wait for it in turn. A wrong password locks the account."""
        caller = self._caller
        if caller.refused is not None and (
            caller.refused.kind == "auth_failed" or self.clock.monotonic() < caller.until
        ):
            raise caller.refused.with_context()
        try:
            yield
        except CloudError as error:
            caller.refused, caller.until = error.with_context(), self.clock.monotonic() + PATIENCE
            raise

    def _signed(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request, with its token or signature."""
        headers = {
            "Content-Type": "application/json",
            **({"X-Project-Id": self._caller.project} if self._caller.project else {}),
        }
        plain = {"Accept": "application/json", "User-Agent": AGENT}
        if self.settings["way"] == "access_key/secret_key":
            if "security_token" in self.settings:
                headers["X-Security-Token"] = self.settings["security_token"]
            return {
                **headers,
                **plain,
                **auth.signed(
                    method,
                    url,
                    headers,
                    body,
                    self.settings["access_key"],
                    self.settings["secret_key"],
                    self.clock.now(),
                ),
            }
        with self._caller.lock:
            if self._caller.token is None:
                self._sign_in()
        self._sent = t.cast(str, self._caller.token)
        return {**headers, **plain, "X-Auth-Token": self._sent}


def named(service: str, path: t.Sequence[str]) -> str:
    """Return what a path leads to, for people: DCS instance <id>, or the list of DCS instances."""
    thing = path[0] if path else "project"
    return (
        f"{service.upper()} {thing.rstrip('s')} {path[1]}"
        if len(path) > 1
        else f"The list of {service.upper()} {thing}"
    )


def shows(answer: Answer, secret: str) -> bool:
    """Whether an answer holds a secret of letters and digits, plain or in base64, or may hold it escaped."""
    text = answer.body + repr(answer.headers).encode()
    return b"\\u00" in text or secret.encode() in text or base64.b64encode(secret.encode()) in text
