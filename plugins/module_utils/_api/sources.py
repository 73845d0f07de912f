# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two files that can hold keys: the profiles of KooCLI and Terraform, and the official SDK's file.

A file is read whole or refused with the reason; nothing here chooses between sources.
"""

from __future__ import annotations

import configparser
import json
import os
import stat
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import (
    Redactor,
    one_spelling,
    printable,
    quoted,
)

PROFILE_FILE, SDK_FILE = "~/.hcloud/config.json", "~/.huaweicloud/credentials"
LARGEST = 1 << 20  # bytes
PROFILE = {
    "accessKeyId": "access_key",
    "secretAccessKey": "secret_key",
    "securityToken": "security_token",
    "region": "region",
    "projectId": "project_id",
    "agencyName": "assume_role_agency_name",
    "agencyDomainName": "assume_role_domain_name",
    "agencyDomainId": "assume_role_domain_id",
}
TEXTS = {name.lower(): name for name in PROFILE}
SDK = {
    "ak": "access_key",
    "sk": "secret_key",
    "security_token": "security_token",
    "project_id": "project_id",
    "iam_endpoint": "iam_endpoint",
}
SECRETS = ("secret_key", "security_token")
WITH_KEYS, WITH_AGENCY, OF_SERVER = ("", "aksk"), ("agency", "assumerole"), "ecsagency"
# mode of a profile, in lower case -> why it cannot be used here, and what to do instead
REFUSED = {
    "sso": "its keys come from a sign-in in the browser, which only KooCLI can renew. Give access_key, "
    "secret_key and security_token, or a profile with mode AKSK",
    "token": "it holds a token. Give the token as auth_token (HW_AUTH_TOKEN)",
    "xauthtoken": "it holds a token. Give the token as auth_token (HW_AUTH_TOKEN)",
    OF_SERVER: (
        "its keys are those of the cloud server (ECS) that KooCLI runs on. On that server, set "
        "use_instance_metadata: true"
    ),
}
MASKED = "****"
REPEATED = "a name occurs twice"  # a key that no file has


class Found(t.NamedTuple):
    """What one file holds: its settings by the names of options, its name for people, and the warnings."""

    settings: dict[str, str]
    source: str
    warnings: list[str]


def profile(path: str, name: str | None, metadata: bool, redactor: Redactor) -> Found:
    """Return the profile `name` (None: the current one) of a KooCLI file.

    Raises InvalidArgument when it cannot be used as it is. With `metadata` it may be of mode ecsAgency.
    """
    what = ("shared_config_file", path, "KooCLI configuration")
    text, warnings = _read(*what)
    try:
        whole = json.loads(text, object_pairs_hook=folded)
        wanted = one_spelling(str(name or whole.get("current") or "default"))
        names = [one_spelling(str(one["name"])) for one in whole["profiles"]]
        found = [one for one, its in zip(whole["profiles"], names) if its == wanted]
        if any(REPEATED in one for one in (whole, *found)):
            raise ValueError("a name occurs twice in it")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise _unreadable(*what, why) from None
    if len(found) != 1:
        there = printable(", ".join(names) or "none")
        times = "is not" if not found else f"occurs {len(found)} times"
        raise InvalidArgument(f"profile {quoted(wanted)} {times} in {path} (it has: {there}).")
    for secret in _secrets(found[0]):
        redactor.add(secret)
    settings = {
        option: value
        for key, option in PROFILE.items()
        for value in [found[0].get(key.lower())]
        if isinstance(value, str) and value.strip()
    }
    source = f"profile {printable(wanted)} of {path}"
    encrypted = any(str(one.get("authencrypt")).strip().lower() == "true" for one in (whole, found[0]))
    _check_profile(found[0], settings, source, encrypted, metadata)
    return Found(settings, source, warnings)


def folded(written: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    """Return an object with its names in small letters: KooCLI and Terraform read them in any."""
    found = {name.lower(): value for name, value in written}
    return found if len(found) == len(written) else {**found, REPEATED: True}


def _check_profile(
    written: dict[str, t.Any], settings: dict[str, str], source: str, encrypted: bool, metadata: bool
) -> None:
    """Refuse a profile that cannot be used as it is, with its name, its mode and the remedy."""
    mode = str(written.get("mode") or "").strip()
    kind = mode.lower()
    if kind == OF_SERVER and metadata:
        return
    if not kind and "access_key" not in settings:  # an older file names no mode
        kind = "xauthtoken" if written.get("xauthtoken") else ""
        kind = "sso" if written.get("ssoauth") else kind
    shown = f"{source} has the mode {printable(mode or kind or 'AKSK')}"
    if kind in REFUSED:
        raise InvalidArgument(f"{shown}: {REFUSED[kind]}.")
    if kind not in (*WITH_KEYS, *WITH_AGENCY):
        raise InvalidArgument(
            f"{shown}, which this collection does not know. Use a profile with mode AKSK or AssumeRole."
        )
    if encrypted:
        raise InvalidArgument(
            f"{shown} and its keys are encrypted (authEncrypt), so only KooCLI can read them. "
            "Run `hcloud configure set --cli-auth-encrypt=false`, or give the keys in options or variables."
        )
    masked = [key for key, option in PROFILE.items() if MASKED in settings.get(option, "")]
    if masked:
        raise InvalidArgument(
            f"{shown}, but {' and '.join(masked)} is masked with stars, as KooCLI shows it. Give the real "
            "value."
        )
    unknown = _unread(written)
    if unknown:
        raise InvalidArgument(
            f"{shown}, but this collection cannot read its {printable(' and '.join(unknown))}, so "
            "the task could act as somebody else. Write text in quotes. An agency is named by agencyName and "
            "agencyDomainName or agencyDomainId."
        )
    missing = [key for key in ("accessKeyId", "secretAccessKey") if PROFILE[key] not in settings]
    if missing:
        raise InvalidArgument(f"{shown}, but has no {' and no '.join(missing)}.")
    agency = "assume_role_agency_name" in settings
    if kind in WITH_AGENCY and not agency:
        raise InvalidArgument(f"{shown}, but has no agencyName.")
    if agency and not {"assume_role_domain_name", "assume_role_domain_id"} & settings.keys():
        raise InvalidArgument(f"{shown} and an agencyName, but no agencyDomainName or agencyDomainId.")


def _unread(written: dict[str, t.Any]) -> list[str]:
    """Return the names of what decides who calls, in a form that is not known here."""
    return [
        TEXTS.get(key, key)
        for key, value in written.items()
        if value and (not isinstance(value, str) if key in TEXTS else key.startswith("agency"))
    ]


def _secrets(written: t.Any) -> t.Iterator[str]:
    """Yield every secret of a profile, wherever it is."""
    for key, value in written.items() if isinstance(written, dict) else ():
        if isinstance(value, dict):
            yield from _secrets(value)
        elif isinstance(value, str) and key in ("secretaccesskey", "securitytoken", "xauthtoken"):
            yield value.strip()


def sdk_credentials(path: str, redactor: Redactor) -> Found:
    """Return the section [basic] of the official SDK's credentials file. Raises InvalidArgument."""
    what = ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", path, "credentials file")
    text, warnings = _read(*what)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise _unreadable(*what, type(error).__name__) from None
    section: t.Mapping[str, str] = parser["basic"] if parser.has_section("basic") else {}
    settings = {option: section[key] for key, option in SDK.items() if section.get(key)}
    for name in SECRETS:
        redactor.add(settings.get(name, ""))
    missing = [key for key in ("ak", "sk") if SDK[key] not in settings]
    if missing:
        raise InvalidArgument(f"{path} has no {' and no '.join(missing)} in its section [basic].")
    return Found(settings, path, warnings)


def exists(path: str) -> bool:
    """Whether there is anything at a path, readable or not."""
    return os.path.lexists(os.path.expanduser(path))


def is_empty(path: str) -> bool:
    """Whether a file holds nothing but blanks, as a controller writes for an empty field."""
    try:
        return not read_file(path)[0].strip()
    except (OSError, ValueError):
        return False


def _read(option: str, path: str, what: str) -> tuple[str, list[str]]:
    """Return the text of a file, and a warning when other users can read or change it."""
    try:
        found, mode = read_file(path)
        text = found.decode(json.detect_encoding(found)).lstrip("\ufeff")
    except OSError as error:
        raise _unreadable(option, path, what, type(error).__name__) from None
    except UnicodeDecodeError:
        raise _unreadable(option, path, what, "it is not text in UTF-8") from None
    except ValueError as error:
        raise _unreadable(option, path, what, str(error)) from None
    open_to_others = f"{path} holds keys and is open to other users (mode {mode:04o}). Run chmod 600 on it."
    return text, [open_to_others] if mode & 0o077 else []


def read_file(path: str, largest: int = LARGEST) -> tuple[bytes, int]:
    """Return the bytes and the mode of a file.

    Raises ValueError for a pipe, a directory or a huge file, which would hang or fill the memory.
    """
    # A pipe without a writer must not block.
    handle = os.open(os.path.expanduser(path), os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        found = b""
        while len(found) <= largest:
            piece = os.read(handle, largest)
            if not piece:
                return found, stat.S_IMODE(status.st_mode)
            found += piece
        raise ValueError(f"it is larger than {largest >> 20} MiB")
    finally:
        os.close(handle)


def _unreadable(option: str, path: str, what: str, why: str) -> InvalidArgument:
    return InvalidArgument(f"{option} {printable(path)} is not a readable {what} ({why}).")
