# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who calls. An identity is taken whole from one source, the first of these that holds one:

1. the task (its options and module_defaults): keys, or a profile that it names, or use_instance_metadata
2. the variables HW_*
3. the variables HUAWEICLOUD_SDK_*
4. a file that a variable names: HUAWEICLOUD_SDK_CREDENTIALS_FILE, then HW_PROFILE or HW_SHARED_CONFIG_FILE
5. a file where it lies by default: ~/.huaweicloud/credentials, then ~/.hcloud/config.json

Files are read in this order, and only when the sources before them hold no identity. A security token belongs
to the keys beside it. So does a project, except for the task's own options project_id and project_name.
All else is taken from its nearest place. An empty string means unset.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api import sources
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.endpoints import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import Redactor, quoted
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import is_id, text

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
    "assume_role_agency_name": ("HW_ASSUME_ROLE_AGENCY_NAME",),
    "assume_role_domain_name": ("HW_ASSUME_ROLE_DOMAIN_NAME",),
    "assume_role_domain_id": ("HW_ASSUME_ROLE_DOMAIN_ID",),
    "assume_role_duration": ("HW_ASSUME_ROLE_DURATION",),
    "use_instance_metadata": ("HW_USE_INSTANCE_METADATA",),
    "cloud": ("HW_CLOUD",),
    **{f"{service}_endpoint": (f"HW_{service.upper()}_ENDPOINT",) for service in SERVICES},
    "validate_certs": ("HW_INSECURE",),
    "ca_path": ("HW_CA_PATH",),
    "max_retries": ("HW_MAX_RETRIES",),
    "timezone": ("HW_TIMEZONE",),
}
SDK_FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
PROJECT = ("project_id", "project_name")
AGENCY = ("assume_role_agency_name", "assume_role_domain_name", "assume_role_domain_id")
ALLOWED = ("allowed_project_ids", "allowed_domain_ids")
SECRETS = ("secret_key", "security_token", "auth_token", "password")
# way to sign in -> what it needs, its secret last
TOKEN = "auth_token"
KEYS = "access_key/secret_key"
LOGIN = "username/password/domain_name"
METADATA = "use_instance_metadata"
WAYS = {
    TOKEN: ("auth_token",),
    KEYS: ("access_key", "secret_key"),
    LOGIN: ("username", "domain_name", "password"),
}
IDENTITY = {name for needs in WAYS.values() for name in needs} | {
    "security_token",
    "use_instance_metadata",
    "profile",
    "shared_config_file",
    "assume_role_duration",
    *AGENCY,
    *PROJECT,
}
# Options that may not stand alone: whoever gives one means this identity and no other.
IDENTIFYING = (
    ("access_key", "secret_key", "username", "password", "security_token"),
    ("access_key", "secret_key", "password"),
    ("access_key", "secret_key"),
)
PLACES = ("the task options", "the HW_* variables", "the HUAWEICLOUD_SDK_* variables")
TRUE, FALSE = ("true", "yes", "on", "1", "y", "t"), ("false", "no", "off", "0", "n", "f")
DURATION = (900, 86400)  # seconds, the API's limits for the keys of an agency
SUDO = (
    "The task runs under sudo, which drops the HW_* variables. Leave become out: this collection does not "
    "need the rights of another user."
)
SIGN_IN_HELP = (
    "Give one of: auth_token (HW_AUTH_TOKEN); access_key and secret_key (HW_ACCESS_KEY, HW_SECRET_KEY or "
    "HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK), with security_token (HW_SECURITY_TOKEN) for temporary keys; "
    "username, password and domain_name (HW_USER_NAME, HW_USER_PASSWORD, HW_DOMAIN_NAME); "
    "a profile (HW_PROFILE) in shared_config_file (HW_SHARED_CONFIG_FILE); "
    "or use_instance_metadata (HW_USE_INSTANCE_METADATA) on a cloud server that has an agency."
)


class Identity(t.NamedTuple):
    """The caller: the `way` to sign in, its `keys` by the names of options, and the `agency` to act as."""

    way: str
    keys: dict[str, str]
    keys_from: str
    agency: dict[str, t.Any]  # agency_name, domain_name or domain_id, maybe duration_seconds; {} for none

    @property
    def source(self) -> str:
        """Where the keys came from, in words."""
        name = self.agency.get("agency_name")
        return f"agency {name} with the keys of {self.keys_from}" if name else self.keys_from


class Resolved(t.NamedTuple):
    """The outcome: the identity, every other setting (region, project, endpoints ...), and the warnings."""

    settings: dict[str, t.Any]
    identity: Identity
    warnings: list[str]


class _Source(t.NamedTuple):
    """One source: how near it is (0 is the task), what it holds, and its complete way to sign in."""

    level: int
    values: dict[str, t.Any]
    way: str
    name: str
    warnings: list[str]


def resolve(options: Settings, environ: t.Mapping[str, str], redactor: Redactor) -> Resolved:
    """Return settings and identity.

    Every secret that it meets is added to the redactor, whether it is used or not.

    Raises InvalidArgument, before any request, for none, half of one, two in one source, and a useless one.
    """
    given = [_given(options), _environment(environ, 0), _environment(environ, 1)]
    for pair in (PROJECT, AGENCY[1:]):
        if given[0].keys() >= {*pair}:  # One may come from module_defaults.
            raise InvalidArgument(f"Give {' or '.join(pair)}, not both. An empty string unsets either.")
    # Beside a profile, an empty file is wrong: another file may hold one of that name.
    if "profile" not in _merged(given) and sources.is_empty(given[1].get("shared_config_file", "")):
        del given[1]["shared_config_file"]
    for place in given:
        for name in SECRETS:
            redactor.add(place.get(name) or "")
    chosen = _chosen(given, environ, redactor)
    owner, agency = _agency(given, chosen)
    for name in (*SECRETS, "access_key"):
        if name in _needs(chosen):
            _check_header(name, chosen.values.get(name))
    keys = {name: chosen.values[name] for name in _needs(chosen) if name in chosen.values}
    settings = {name: value for name, value in _settings(given, chosen).items() if name not in IDENTITY}
    # An agency is of another account than the keys.
    beside = keys if owner is chosen.values and not agency else {}
    settings.update(_project(given, owner, beside, settings.get("region")))
    if not is_id(settings.get("project_id", "none")):
        raise InvalidArgument("project_id is not an ID (letters, digits, '-' and '_', at most 128).")
    for name in ALLOWED:
        if options.get(name) is not None:
            settings[name] = _allowed(name, options[name])
    return Resolved(settings, Identity(chosen.way, keys, chosen.name, agency), chosen.warnings)


def _allowed(option: str, ids: t.Sequence[t.Any]) -> list[str]:
    """Return a list of IDs without blanks around them.

    It refuses an empty list and a blank entry, which would allow everything.
    """
    found = [str(one or "").strip() for one in ids]
    if not found or not all(found):
        what = "holds a blank entry" if found else "is an empty list"
        raise InvalidArgument(f"{option} {what}. Leave the option out to allow everything.")
    return found


def _chosen(given: list[dict[str, t.Any]], environ: t.Mapping[str, str], redactor: Redactor) -> _Source:
    """Return the first source that holds an identity."""
    for level, place in enumerate(given):
        ways = [way for way, needs in WAYS.items() if all(name in place for name in needs)]
        metadata = bool(_merged(given[: level + 1]).get("use_instance_metadata"))
        # Beside keys, a file only says where profiles are.
        named = level == 0 and ("profile" in place or ("shared_config_file" in place and not ways))
        found = [*ways, "profile"] if named else ways
        if metadata and (ways or not named):  # A profile of mode ecsAgency means just that.
            found = [*found, METADATA]
        if len(found) > 1:
            raise InvalidArgument(
                f"Two ways to sign in were given at once: {' and '.join(found)}. Give exactly one. "
                f"Both are in {PLACES[level]}."
            )
        if not ways:
            _check_halves(level, given[:1] if named else given)
        if named:
            return _from_profile(level, _merged(given), metadata, redactor)
        if found:
            return _Source(level, place, found[0], _source_name(level, found[0]), [])
    return _from_files(given, environ, redactor)


def _check_halves(level: int, given: list[dict[str, t.Any]]) -> None:
    """Refuse half an identity: with another one the task would act as somebody else.

    Values that a farther source only repeats do not count.
    """
    place = given[level]
    half = {name: place[name] for name in IDENTIFYING[level] if name in place}
    beyond = level + 1
    if not half or any(half.items() <= farther.items() for farther in given[beyond:]):
        return
    faults = [
        f"{name} is missing for {way}"
        for way, needs in WAYS.items()
        if half.keys() & {*needs, *(["security_token"] if way == KEYS else [])}
        for name in needs
        if name not in place
    ]
    raise InvalidArgument(
        f"No complete credentials in {PLACES[level]}: they hold {' and '.join(half)}, but "
        f"{' and '.join(faults)}. The task takes an identity whole from one source: give all of it there, or "
        "none of it."
    )


def _from_files(given: list[dict[str, t.Any]], environ: t.Mapping[str, str], redactor: Redactor) -> _Source:
    """Return the identity in a file: one that a variable names, else one where it lies by default."""
    known = _merged(given)
    named = str(environ.get(SDK_FILE_VARIABLE) or "").strip()
    if named:
        return _from_sdk_file(named, redactor)
    if {"profile", "shared_config_file"} & known.keys():
        return _from_profile(len(given) + 1, known, False, redactor)
    nobody_asked: list[str] = []
    for path in filter(sources.exists, (sources.SDK_FILE, sources.PROFILE_FILE)):
        try:
            if path == sources.SDK_FILE:
                return _from_sdk_file(path, redactor)
            return _from_profile(len(given) + 1, {}, False, redactor)
        except InvalidArgument as error:
            nobody_asked.append(str(error))
    why = " ".join(text.replace(f" {InvalidArgument.note}", "") for text in nobody_asked)
    partly = [
        f"{name} is missing for {way}."
        for way, needs in WAYS.items()
        if any(name in known for name in needs)
        for name in needs
        if name not in known
    ]
    sudo = SUDO if "SUDO_USER" in environ else ""
    raise InvalidArgument(
        " ".join(filter(None, ["No complete credentials were found.", sudo, *partly, why, SIGN_IN_HELP]))
    )


def _from_sdk_file(path: str, redactor: Redactor) -> _Source:
    found = sources.sdk_credentials(path, redactor)
    return _Source(len(PLACES), _given(found.settings), KEYS, found.source, found.warnings)


def _from_profile(level: int, known: Settings, metadata: bool, redactor: Redactor) -> _Source:
    path = known.get("shared_config_file") or sources.PROFILE_FILE
    found = sources.profile(path, known.get("profile"), metadata, redactor)
    values = _given(found.settings)
    if metadata and "access_key" in values:
        raise InvalidArgument(
            f"Two ways to sign in were given at once: {found.source} and use_instance_metadata. Give "
            "exactly one. The profile has keys."
        )
    name = f"instance metadata ({found.source})" if metadata else found.source
    return _Source(level, values, METADATA if metadata else KEYS, name, found.warnings)


def _source_name(level: int, way: str) -> str:
    """Return the name of a source that a person looks for: the task options, or the variable."""
    if way == METADATA:
        return "instance metadata"
    return ENVIRONMENT[WAYS[way][0]][level - 1] if level else "task options"


def _needs(chosen: _Source) -> tuple[str, ...]:
    return (*WAYS.get(chosen.way, ()), *(["security_token"] if chosen.way == KEYS else []))


def _settings(given: list[dict[str, t.Any]], chosen: _Source) -> dict[str, t.Any]:
    """Return every setting from its nearest place.

    A file counts only if the identity comes from it. Then it is as near as the option or variable that named
    it.
    """
    beside: Settings = {
        name: chosen.values[name] for name in ("region", "iam_endpoint") if name in chosen.values
    }
    places: list[Settings] = list(given)
    places.insert(1 if chosen.level == 0 else len(places), beside)
    return _merged(places)


def _project(
    given: list[dict[str, t.Any]], owner: Settings, keys: Settings, region: str | None
) -> dict[str, str]:
    """Return the project: the task's own, else the one beside the keys or beside a copy of them.

    The project of a file belongs to the region of the file, and is not used for another `region`.
    """
    of_file = not any(owner is place for place in given)
    elsewhere = of_file and region is not None and owner.get("region") not in (None, region)
    beside = [place for place in given if keys and keys.items() <= place.items()]
    for place in [given[0], *([] if elsewhere else [owner]), *beside]:
        found = {name: place[name] for name in PROJECT if name in place}
        if found:
            return found
    return {}


def _agency(given: list[dict[str, t.Any]], chosen: _Source) -> tuple[Settings, dict[str, t.Any]]:
    """Return the agency to act as ({} for none), and the source that names it, else the source of the keys.

    The agency comes from the nearest place that is no farther than the keys.
    """
    duration = _merged(given).get("assume_role_duration")
    if duration is not None and not DURATION[0] <= duration <= DURATION[1]:
        raise InvalidArgument(
            f"assume_role_duration must be from {DURATION[0]} to {DURATION[1]} seconds, not {duration}."
        )
    nearer = list(zip(given, PLACES))[: chosen.level + 1]
    for place, where in [*nearer, (chosen.values, chosen.name)]:
        named = {name.replace("assume_role_", ""): place[name] for name in AGENCY if name in place}
        if not named:
            continue
        if "agency_name" not in named:
            raise InvalidArgument(
                f"assume_role_agency_name is missing, but assume_role_{next(iter(named))} is in {where}."
            )
        if len(named) == 1:
            raise InvalidArgument(
                f"assume_role_agency_name in {where} needs assume_role_domain_name or assume_role_domain_id, "
                "the account that the agency belongs to."
            )
        if "domain_id" in named:
            named.pop("domain_name", None)
        return place, {**named, **({"duration_seconds": duration} if duration else {})}
    return chosen.values, {}


def _given(values: Settings) -> dict[str, t.Any]:
    """Return the set values without blanks around them, and names in one spelling; a password as it is."""
    found = {
        name: value.strip() if isinstance(value, str) and name != "password" else value
        for name, value in values.items()
        if value not in (None, []) and not (isinstance(value, str) and not value.strip())
    }
    found.update({name: text(value) for name, value in found.items() if name.endswith("_name")})
    if "ca_path" in found and sources.is_empty(found["ca_path"]):
        del found["ca_path"]
    return found


def _merged(places: t.Sequence[Settings]) -> dict[str, t.Any]:
    return {name: value for place in reversed(places) for name, value in place.items()}


def _environment(environ: t.Mapping[str, str], level: int) -> dict[str, t.Any]:
    """Return what the variables of one kind set: 0 for HW_*, 1 for HUAWEICLOUD_SDK_*."""
    found = _given(
        {option: environ.get(names[level]) for option, names in ENVIRONMENT.items() if len(names) > level}
    )
    for option in {"validate_certs", "use_instance_metadata"} & found.keys():
        found[option] = _flag(ENVIRONMENT[option][level], found[option])
    if "validate_certs" in found:  # HW_INSECURE says the opposite
        found["validate_certs"] = not found["validate_certs"]
    for option, highest in (("max_retries", 999), ("assume_role_duration", DURATION[1])):
        if option in found:
            found[option] = _whole(ENVIRONMENT[option][level], found[option], highest)
    return found


def _flag(variable: str, text: str) -> bool:
    if text.lower() not in (*TRUE, *FALSE):
        raise InvalidArgument(f"{variable} must be true or false, not {quoted(text)}.")
    return text.lower() in TRUE


def _whole(variable: str, text: str, highest: int) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) or int(text) > highest:
        raise InvalidArgument(f"{variable} must be a whole number from 0 to {highest}, not {quoted(text)}.")
    return int(text)


def _check_header(name: str, value: t.Any) -> None:
    """Refuse a value that `requests` would print in an error, and one that cannot be a key."""
    if value is None:
        return
    if name in SECRETS and len(str(value)) < 4:
        raise InvalidArgument(f"{name} has fewer than 4 characters: it cannot be real.")
    if name == "password":
        return
    if not re.fullmatch("[!-~]+", str(value)):
        raise InvalidArgument(
            f"{name} cannot be sent in a header: it holds a blank, a control or a non-ASCII character."
        )
    if re.fullmatch(r"(['\"]).*\1", str(value)):
        raise InvalidArgument(f"{name} has quotes around it: give it without them.")
    if sources.MASKED in str(value):
        raise InvalidArgument(f"{name} is masked with stars: give the real value.")
