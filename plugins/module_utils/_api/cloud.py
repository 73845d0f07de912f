# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One set of connection options -> signed calls to a service. Made once per task; it signs in lazily and never before the input is checked."""

from __future__ import annotations

import base64
import copy
import json
import os
import typing as t
from urllib.parse import quote

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import auth, credentials, iam
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.clock import Clock
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.endpoints import endpoint
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import ApiError, InvalidArgument, NotFound
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.session import Reply, Session
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.transport import Answer, Http
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id

AGENT = "huaweicloud.recovery (Ansible collection)"


class Cloud:
    """Calls as the caller that `options` describe. `hide` is told every secret found on the way, `http` replaces the transport in tests."""

    def __init__(
        self,
        options: t.Mapping[str, t.Any],
        environ: t.Mapping[str, str] | None = None,
        clock: Clock | None = None,
        hide: t.Callable[[str], t.Any] = lambda secret: None,
        http: t.Callable[..., Answer] | None = None,
        progress: t.Callable[[t.Any], None] = lambda event: None,
    ) -> None:
        environ = os.environ if environ is None else environ
        for secret in credentials.secret_values(options, environ):
            hide(secret)
        self.settings = credentials.resolve(options, environ)
        self.clock, self.progress, self._hide = clock or Clock(), progress, hide
        self.posted = False  # whether a POST may have changed something
        self._token: str | None = self.settings.get("auth_token")
        self._project: str | None = self.settings.get("project_id")
        if self._project is not None and not is_id(self._project):
            raise InvalidArgument("project_id is not an id (letters, digits, '-' and '_', at most 128).")
        if not self._project and not (self.settings.get("project_name") or self.settings.get("region")):
            raise InvalidArgument("project_id (HW_PROJECT_ID), project_name or region is needed to know the project.")
        verify = self.settings.get("validate_certs", True)
        self._connect: t.Callable[[], t.Callable[..., Answer]] = lambda: http or Http(verify, self.settings.get("ca_path"), hide=hide)
        self.session = self._session()

    def twin(self) -> Cloud:
        """Return the same caller, signed in once for both, with a connection and a deadline of its own: for another thread."""
        if self._token is None and self.settings["way"].startswith("username"):
            self._sign_in()
        self._project = self.project_id
        twin = copy.copy(self)
        twin.session = self._session()
        return twin

    @property
    def region(self) -> str | None:
        """The region's name, where one was given."""
        return self.settings.get("region")

    @property
    def project_id(self) -> str:
        """The project's id: given, or from the token, or looked up by name once."""
        if self._project is None and self.settings["way"].startswith("username"):
            self._sign_in()
        if self._project is None:
            name = self.settings.get("project_name") or self.settings["region"]
            self._project = iam.project_id(lambda url: self.session.read("GET", url, self._signed), endpoint("iam", self.settings), name)
        return self._project

    def get(self, service: str, version: str, *path: str, query: t.Mapping[str, t.Any] | None = None) -> Reply:
        """Return the reply of GET https://<service>/<version>/<project id>/<path>, repeated when that is safe and useful. Raises NotFound."""
        pairs = [(name, str(value)) for name, value in (query or {}).items() if value is not None]
        url = self._url(service, version, path) + ("?" + auth.query_string(pairs) if pairs else "")
        try:
            return self.session.read("GET", url, self._signed, renew=self.renew, further_page=bool((query or {}).get("offset")))
        except ApiError as error:
            if error.kind == "not_found":
                raise NotFound(f"{service.upper()} {'/'.join(path)} does not exist in this project and region. {error}", **error.facts) from None
            raise

    def post_once(self, service: str, version: str, *path: str, body: t.Mapping[str, t.Any]) -> Reply:
        """Send one POST, once. Only the sender of _restore.py calls this."""
        self.posted = True
        return self.session.post_once(self._url(service, version, path), self._signed, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))

    def renew(self) -> bool:
        """Sign in again; False when the keys cannot be renewed (AK/SK, or a token that the user gave)."""
        if self._token is None or not self.settings["way"].startswith("username"):  # without a token it was the password that was wrong
            return False
        self._sign_in()
        return True

    def _session(self) -> Session:
        http = self._connect()

        def send(method: str, url: str, headers: dict[str, str], *rest: t.Any) -> Answer:
            """A signature is hidden when an answer shows it: all those of a long wait are too many to look for in its result."""
            answer = http(method, url, headers, *rest)
            signature = headers.get("Authorization", "").rpartition("=")[2]
            if signature and shows(answer, signature):
                self._hide(signature)
            return answer

        return Session(send, self.clock, self.settings.get("http_timeout", 60), self.settings.get("max_retries", 5))

    def _url(self, service: str, version: str, path: t.Sequence[str]) -> str:
        base = endpoint(service, self.settings)
        return "/".join([base, version, *(quote(part, safe="") for part in (self.project_id, *path))])

    def _sign_in(self) -> None:
        self._token, self._project = iam.token(self.session, endpoint("iam", self.settings), {**self.settings, "project_id": self._project})
        self._hide(self._token)

    def _signed(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """Return the headers of a request, with its token or signature."""
        headers = {"Content-Type": "application/json", **({"X-Project-Id": self._project} if self._project else {})}
        plain = {"Accept": "application/json", "User-Agent": AGENT}
        if self.settings["way"] == "access_key/secret_key":
            if "security_token" in self.settings:
                headers["X-Security-Token"] = self.settings["security_token"]
            return {**headers, **plain, **auth.signed(method, url, headers, body, self.settings["access_key"], self.settings["secret_key"], self.clock.now())}
        if self._token is None:
            self._sign_in()
        return {**headers, **plain, "X-Auth-Token": t.cast(str, self._token)}


def shows(answer: Answer, secret: str) -> bool:
    """Whether an answer holds a secret of letters and digits, plain or in base64, or may hold it escaped."""
    text = answer.body + repr(answer.headers).encode()
    return b"\\u00" in text or secret.encode() in text or base64.b64encode(secret.encode()) in text
