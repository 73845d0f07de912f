# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where settings and keys come from: task option > HW_* > HUAWEICLOUD_SDK_* > profile file. An empty string means unset everywhere."""

from __future__ import annotations

import contextlib
import json
import os
import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument

Settings = t.Mapping[str, t.Any]

# option -> its environment variable, and the official SDK's where it has one
ENVIRONMENT = {
    "region": ("HW_REGION_NAME",),
    "project_id": ("HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"),
    "project_name": ("HW_PROJECT_NAME",),
    "access_key": ("HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK"),
    "secret_key": ("HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK"),
    "security_token": ("HW_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    "auth_token": ("HW_AUTH_TOKEN",),
    "username": ("HW_USER_NAME",),
    "password": ("HW_USER_PASSWORD",),
    "domain_name": ("HW_DOMAIN_NAME",),
    "shared_config_file": ("HW_SHARED_CONFIG_FILE",),
    "profile": ("HW_PROFILE",),
    "cloud": ("HW_CLOUD",),
    "ddm_endpoint": ("HW_DDM_ENDPOINT",),
    "dcs_endpoint": ("HW_DCS_ENDPOINT",),
    "iam_endpoint": ("HW_IAM_ENDPOINT",),
    "validate_certs": ("HW_INSECURE",),
    "ca_path": ("HW_CA_PATH",),
    "max_retries": ("HW_MAX_RETRIES",),
    "timezone": ("HW_TIMEZONE",),
}
PROJECT = ("project_id", "project_name")
SECRETS = ("secret_key", "security_token", "auth_token", "password")
# one way of signing in -> what it needs, its secret last
WAYS = {
    "auth_token": ("auth_token",),
    "access_key/secret_key": ("access_key", "secret_key"),
    "username/password/domain_name": ("username", "domain_name", "password"),
}
PROFILE = {
    "accessKeyId": "access_key",
    "secretAccessKey": "secret_key",
    "securityToken": "security_token",
    "region": "region",
    "projectId": "project_id",
}
SIGN_IN_HELP = (
    "Give one of: auth_token (HW_AUTH_TOKEN); access_key and secret_key (HW_ACCESS_KEY, HW_SECRET_KEY or HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK), "
    "with security_token (HW_SECURITY_TOKEN) for temporary keys; username, password and domain_name (HW_USER_NAME, HW_USER_PASSWORD, HW_DOMAIN_NAME); "
    "or a profile (HW_PROFILE) in shared_config_file (HW_SHARED_CONFIG_FILE)."
)


def resolve(options: Settings, environ: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return every setting from its best source, with the keys of exactly one way of signing in under `way`.

    Raises InvalidArgument, before any request, for no way, two ways in one source, an unreadable profile or a secret that no header can hold.
    """
    sources = [_set(options), _environment(environ, 0), _environment(environ, 1)]
    sources.append(_profile(_merge(sources)))
    merged = _merge(sources)
    for name in (*SECRETS, "access_key"):
        _check_header(name, merged.get(name))
    way, source = _sign_in(sources, merged)
    keys = {name: merged[name] for name in WAYS[way]}
    security_token = sources[0].get("security_token") or source.get(
        "security_token"
    )  # an option, or from where the secret key came: never a stale one
    if way == "access_key/secret_key" and security_token:
        keys["security_token"] = security_token
    project = next(
        (source for source in sources if source.keys() & PROJECT), {}
    )  # a name that is given counts more than an id in the environment
    others = {
        name: value
        for name, value in merged.items()
        if name not in {*SECRETS, *PROJECT, "access_key", "username", "domain_name"}
    }
    return {**others, **{name: project[name] for name in PROJECT if name in project}, **keys, "way": way}


def secret_values(options: Settings, environ: t.Mapping[str, str]) -> list[str]:
    """Return every secret that the options, the environment and the profile hold, used or not, for masking."""
    found = [_set(options), _environment(environ, 0), _environment(environ, 1)]
    with contextlib.suppress(InvalidArgument):  # resolve() will say what is wrong with the profile
        found.append(_profile(_merge(found)))
    return [source[name] for source in found for name in SECRETS if source.get(name)]


def _set(values: Settings) -> dict[str, t.Any]:
    return {
        name: value
        for name, value in values.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }


def _merge(sources: t.Sequence[Settings]) -> dict[str, t.Any]:
    return {name: value for source in reversed(sources) for name, value in source.items()}


def _environment(environ: t.Mapping[str, str], level: int) -> dict[str, t.Any]:
    found: dict[str, t.Any] = _set(
        {option: environ.get(names[level]) for option, names in ENVIRONMENT.items() if len(names) > level}
    )
    if "validate_certs" in found:  # HW_INSECURE says the opposite
        found["validate_certs"] = found["validate_certs"].strip().lower() not in ("1", "true", "yes", "on")
    if "max_retries" in found:
        if not re.fullmatch(r"[0-9]{1,3}", found["max_retries"]):
            raise InvalidArgument("HW_MAX_RETRIES must be a whole number from 0 to 999.")
        found["max_retries"] = int(found["max_retries"])
    return found


def _profile(known: Settings) -> dict[str, t.Any]:
    """Return the settings of a KooCLI/Terraform profile; {} when the default file does not exist and no profile is asked for."""
    path = os.path.expanduser(known.get("shared_config_file") or "~/.hcloud/config.json")
    wanted = known.get("profile")
    if not (wanted or "shared_config_file" in known or os.path.exists(path)):
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        name = wanted or str(content.get("current") or "default")
        profiles = {profile["name"]: profile for profile in content["profiles"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if not wanted and "shared_config_file" not in known:
            return {}  # nobody asked for the default file
        raise InvalidArgument(
            f"shared_config_file {path} is not a readable KooCLI configuration ({type(error).__name__})."
        ) from None
    if name not in profiles:
        if not wanted:
            return {}
        raise InvalidArgument(
            f"profile {name!r} is not in {path} (it has: {', '.join(map(str, profiles)) or 'none'})."
        )
    return _set(
        {
            option: profiles[name].get(key)
            for key, option in PROFILE.items()
            if isinstance(profiles[name].get(key), str)
        }
    )


def _sign_in(sources: t.Sequence[Settings], merged: Settings) -> tuple[str, Settings]:
    """Return the way of signing in and the source of its secret: the first source that holds the secret of a way that can be completed."""
    for source in sources:
        ways = [
            way
            for way, needs in WAYS.items()
            if needs[-1] in source and all(name in merged for name in needs)
        ]
        whole = [way for way in ways if all(name in source for name in WAYS[way])]
        found = whole or ways
        if len(found) > 1:
            raise InvalidArgument(
                f"Two ways of signing in were given at once: {' and '.join(found)}. Give exactly one."
            )
        if found:
            return found[0], source
    partly = [
        f"{name} is missing for {way}"
        for way, needs in WAYS.items()
        if any(n in merged for n in needs)
        for name in needs
        if name not in merged
    ]
    raise InvalidArgument(
        " ".join(["No complete credentials were found.", *(f"{fault}." for fault in partly), SIGN_IN_HELP])
    )


def _check_header(name: str, value: t.Any) -> None:
    """Refuse what would make requests print the value in an error: line ends, blanks at the ends, characters outside ASCII."""
    if value is not None and not re.fullmatch(r"[!-~](?:[ -~]*[!-~])?", str(value)) and name != "password":
        raise InvalidArgument(
            f"{name} cannot be sent in a header: it begins or ends with a blank or line end, or holds a control or non-ASCII character."
        )
    if name in SECRETS and value is not None and len(str(value)) < 4:
        raise InvalidArgument(
            f"{name} has fewer than 4 characters: it cannot be real, and masking it would garble the output."
        )
