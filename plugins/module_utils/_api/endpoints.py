# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service and region -> URL. Overrides first; every endpoint is checked before a credential is sent to it."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import quoted

# ap-southeast-3; and without a number eu-de, eu-nl, eu-ch2
REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)*-[0-9]+|[a-z]{2}-[a-z]{2}[0-9]?", re.ASCII)
# Open Telekom Cloud has the same services:
# https://docs.otc.t-systems.com/additional/endpoints.html
OTC = re.compile(r"eu-(de|nl|ch)[0-9]?", re.ASCII)
OTC_CLOUD, OTC_CLOUDS = "otc.t-systems.com", {"eu-ch2": "sc.otc.t-systems.com"}
OTC_IAM = {"eu-ch2": "iam-pub"}
# Without an IAM host of their own: iam_region.py of the official SDK takes the global one
GLOBAL_IAM_REGIONS = {
    "af-north-1",
    "ap-southeast-5",
    "cn-north-11",
    "cn-south-4",
    "cn-southwest-3",
    "ru-northwest-2",
}
SERVICES = ("ddm", "dcs", "iam")  # each has an option for its endpoint, and a variable for that option
VERSION = re.compile(r"/v[0-9]+(\.[0-9]+)?(?=/|$)", re.ASCII)
LOOPBACK = re.compile(r"localhost|127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}|\[::1\]")
NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.[a-z][a-z0-9-]*", re.ASCII
)
URL = re.compile(
    r"(?P<scheme>(?i:https?))://(?P<host>\[[0-9a-f:]+]|[^/:@?#\[\]\s]+)(:(?P<port>\d{1,5}))?"
    r"(?P<path>(/[A-Za-z0-9_-][\w.-]*)*)/?",
    re.ASCII,
)


def endpoint(service: str, settings: t.Mapping[str, t.Any]) -> str:
    """Return the base URL of one of SERVICES without a slash at its end. Raises InvalidArgument.

    It is https://<service>.<region>.<cloud>. The regions eu-west-1xx are in myhuaweicloud.eu, and some
    regions have hosts of their own.
    """
    override = settings.get(f"{service}_endpoint")
    if override:
        return _checked(f"{service}_endpoint", override)
    region = settings.get("region")
    if not region:
        raise InvalidArgument(
            f"region (HW_REGION_NAME) is needed to find the {service.upper()} endpoint, or "
            f"{service}_endpoint (HW_{service.upper()}_ENDPOINT)."
        )
    if not REGION.fullmatch(region):
        raise InvalidArgument(f"region {quoted(region)} is not a region name such as ap-southeast-3.")
    if "/" in (settings.get("cloud") or ""):
        raise _unfit("cloud")
    return _checked("cloud", f"https://{_host(service, region, settings.get('cloud'))}")


def _host(service: str, region: str, cloud: str | None) -> str:
    """Return the host of a service in a region; `cloud` is the domain that the user gave."""
    if cloud:
        return f"{service}.{region}.{cloud}"
    if OTC.fullmatch(region):
        name = OTC_IAM.get(region, service) if service == "iam" else service
        return f"{name}.{region}.{OTC_CLOUDS.get(region, OTC_CLOUD)}"
    if service == "iam" and region in GLOBAL_IAM_REGIONS:
        return "iam.myhuaweicloud.com"
    return (
        f"{service}.{region}.{'myhuaweicloud.eu' if region.startswith('eu-west-1') else 'myhuaweicloud.com'}"
    )


def _checked(option: str, value: str) -> str:
    """Return value as a base URL, or refuse it without repeating it: it may hold a password."""
    match = URL.fullmatch(value.strip())
    host = match["host"].lower() if match else ""
    loopback = LOOPBACK.fullmatch(host) is not None
    if not match or not (loopback or NAME.fullmatch(host)) or not 0 < int(match["port"] or 443) < 65536:
        raise _unfit(option)
    if match["scheme"].lower() == "http" and not loopback:
        raise InvalidArgument(
            f"{option} must begin with https://: plain http would show the credentials to the network."
        )
    path = match["path"]
    version = VERSION.search(path)
    if version and version.end() < len(path):
        raise InvalidArgument(
            f"{option} must not hold the version of the API: leave out {version[0]} and what follows it. "
            "Every request adds its own version and project."
        )
    port = f":{match['port']}" if match["port"] else ""
    return f"{match['scheme'].lower()}://{host}{port}{path[: version.start()] if version else path}"


def _unfit(option: str) -> InvalidArgument:
    wanted = (
        f"a URL such as https://{option.partition('_')[0]}.ap-southeast-3.myhuaweicloud.com: a host name, no "
        "user, query or fragment"
    )
    if option == "cloud":
        wanted = (
            "the domain that ends every endpoint, such as myhuaweicloud.com: no https://, no path, and "
            "neither the service nor the region"
        )
    return InvalidArgument(f"{option} must be {wanted}.")
