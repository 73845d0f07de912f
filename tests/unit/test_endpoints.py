# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the credentials are sent: every address is checked first."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.endpoints import SERVICES, endpoint
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import InvalidArgument


@pytest.mark.parametrize(
    ("service", "settings", "url"),
    [
        ("dcs", {"region": "ap-southeast-3"}, "https://dcs.ap-southeast-3.myhuaweicloud.com"),
        ("ddm", {"region": "my-kualalumpur-1"}, "https://ddm.my-kualalumpur-1.myhuaweicloud.com"),
        ("iam", {"region": "eu-west-101"}, "https://iam.eu-west-101.myhuaweicloud.eu"),
        ("dcs", {"region": "eu-west-0"}, "https://dcs.eu-west-0.myhuaweicloud.com"),
        ("dcs", {"region": "eu-west-101", "cloud": "example.org"}, "https://dcs.eu-west-101.example.org"),
        (
            "dcs",
            {"region": "eu-de", "dcs_endpoint": "https://dcs.eu-de.otc.t-systems.com"},
            "https://dcs.eu-de.otc.t-systems.com",
        ),
        ("dcs", {"dcs_endpoint": "https://dcs.example.com/"}, "https://dcs.example.com"),
        ("dcs", {"dcs_endpoint": "HTTPS://DCS.example.com/"}, "https://dcs.example.com"),
        (
            "dcs",
            {"dcs_endpoint": " https://DCS.Example.com:8443/gateway/dcs.v1/ "},
            "https://dcs.example.com:8443/gateway/dcs.v1",
        ),
        # the version of the API is part of each request, not of the endpoint
        ("dcs", {"dcs_endpoint": "https://dcs.example.com/v1.0"}, "https://dcs.example.com"),
        (
            "dcs",
            {"dcs_endpoint": "https://dcs.example.com:8443/gateway/v2/"},
            "https://dcs.example.com:8443/gateway",
        ),
        ("ddm", {"ddm_endpoint": "https://ddm.example.com/v3"}, "https://ddm.example.com"),
        (
            "iam",
            {"iam_endpoint": "https://iam.eu-de.otc.t-systems.com:443/v3"},
            "https://iam.eu-de.otc.t-systems.com:443",
        ),
        ("iam", {"iam_endpoint": "https://iam.example.com/v3.0/"}, "https://iam.example.com"),
        ("iam", {"iam_endpoint": "https://iam.example.com/v"}, "https://iam.example.com/v"),
        # Open Telekom Cloud
        ("dcs", {"region": "eu-de"}, "https://dcs.eu-de.otc.t-systems.com"),
        ("ddm", {"region": "eu-nl"}, "https://ddm.eu-nl.otc.t-systems.com"),
        ("iam", {"region": "eu-de"}, "https://iam.eu-de.otc.t-systems.com"),
        ("dcs", {"region": "eu-ch2"}, "https://dcs.eu-ch2.sc.otc.t-systems.com"),
        ("iam", {"region": "eu-ch2"}, "https://iam-pub.eu-ch2.sc.otc.t-systems.com"),
        ("dcs", {"region": "eu-de", "cloud": "example.org"}, "https://dcs.eu-de.example.org"),
        ("iam", {"region": "eu-ch2", "cloud": "example.org"}, "https://iam.eu-ch2.example.org"),
        # regions whose IAM host does not exist
        *(
            ("iam", {"region": region}, "https://iam.myhuaweicloud.com")
            for region in (
                "af-north-1",
                "ap-southeast-5",
                "cn-north-11",
                "cn-south-4",
                "cn-southwest-3",
                "ru-northwest-2",
            )
        ),
        ("dcs", {"region": "cn-south-4"}, "https://dcs.cn-south-4.myhuaweicloud.com"),
        ("iam", {"region": "cn-south-1"}, "https://iam.cn-south-1.myhuaweicloud.com"),
        ("iam", {"region": "cn-south-4", "cloud": "example.org"}, "https://iam.cn-south-4.example.org"),
        ("dcs", {"dcs_endpoint": "http://127.0.0.1:8080"}, "http://127.0.0.1:8080"),
        ("dcs", {"dcs_endpoint": "http://127.9.9.9"}, "http://127.9.9.9"),
        ("dcs", {"dcs_endpoint": "http://localhost:1"}, "http://localhost:1"),
        ("dcs", {"dcs_endpoint": "http://[::1]:65535"}, "http://[::1]:65535"),
        ("dcs", {"dcs_endpoint": "https://[::1]:8443"}, "https://[::1]:8443"),
        ("dcs", {"dcs_endpoint": "https://xn--bcher-kva.example"}, "https://xn--bcher-kva.example"),
    ],
)
def test_accepted(service: str, settings: dict[str, Any], url: str) -> None:
    assert endpoint(service, settings) == url


def test_one_services_endpoint_is_not_anothers() -> None:
    settings = {"region": "ap-southeast-3", "dcs_endpoint": "https://dcs.example.com"}
    assert endpoint("ddm", settings) == "https://ddm.ap-southeast-3.myhuaweicloud.com"


HOST = "dcs.example.com"
REFUSED = [
    f"http://{HOST}",
    f"http://{HOST}:80/",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://10.0.0.1",
    "http://[::2]",
    "https://10.0.0.1",
    "https://169.254.169.254",
    "https://2130706433",
    "https://0x7f.1",
    "https://[fe80::1]",
    "https://[::ffff:127.0.0.1]",
    f"https://user@{HOST}",
    f"https://user:password@{HOST}",
    f"https://{HOST}@evil.example.com",
    f"https://{HOST}?x=1",
    f"https://{HOST}#x",
    f"https://{HOST}/..",
    f"https://{HOST}/a/../b",
    f"https://{HOST}/.",
    f"https://{HOST}/a//b",
    f"https://{HOST}/a%2e%2e/b",
    f"https://{HOST}/a b",
    f"https://{HOST}/a;b",
    f"https://{HOST}\\evil.example.com",
    f"https://{HOST}.",
    "https://dcs..example.com",
    "https://-dcs.example.com",
    "https://dcs-.example.com",
    "https://dcs_1.example.com",
    "https://dcs",
    "https://b\u00fccher.example",
    "https://dcs.example\u3002com",
    f"https://{HOST}:0",
    f"https://{HOST}:65536",
    f"https://{HOST}:99999",
    f"https://{HOST}:",
    f"https://{HOST}:x",
    f"https://{HOST}:443:443",
    f"ftp://{HOST}",
    f"HTTPS//{HOST}",
    f"//{HOST}",
    HOST,
    "https://",
    f"https://{HOST}\n",
    f"https://{HOST}\r\nX-Injected: 1",
    f"https://{HOST}/\u0661",
    "https://" + ".".join(["a" * 60] * 5) + ".com",
]


@pytest.mark.parametrize("value", [value for value in REFUSED if value.strip() == value])
def test_refused(value: str) -> None:
    with pytest.raises(InvalidArgument, match="dcs_endpoint must") as caught:
        endpoint("dcs", {"dcs_endpoint": value})
    assert "password" not in str(caught.value)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_shows_an_endpoint_of_the_same_service(service: str) -> None:
    option = f"{service}_endpoint"
    with pytest.raises(InvalidArgument, match=f"^{option} must be a URL such as https://{service}[.]"):
        endpoint(service, {option: "user@host"})


@pytest.mark.parametrize(
    "path", ["/v3/0f6c2a1b9d8e4f70a1b2c3d4e5f60718", "/v1.0/p/", "/gateway/v2/instances", "/v3/v3"]
)
def test_what_follows_a_version_is_refused_with_the_remedy(path: str) -> None:
    with pytest.raises(
        InvalidArgument, match=r"dcs_endpoint must not hold the version of the API: leave out /v"
    ):
        endpoint("dcs", {"dcs_endpoint": f"https://{HOST}{path}"})


@pytest.mark.parametrize("region", ["", None])
def test_no_region(region: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"region \(HW_REGION_NAME\).*dcs_endpoint \(HW_DCS_ENDPOINT\)"):
        endpoint("dcs", {"region": region})


@pytest.mark.parametrize(
    "region",
    [
        "atlantis",
        "eu",
        "eu-",
        "eu-deutschland",
        "ap-southeast",
        "EU-DE",
        "ap-southeast-3.evil.example",
        "a/b",
        "AP-SOUTHEAST-3",
        "ap-southeast-3@evil",
        "ap southeast 3",
        "\u0661-1",
        "x" * 300 + "-1",
    ],
)
def test_an_invalid_region(region: str) -> None:
    with pytest.raises(InvalidArgument):
        endpoint("dcs", {"region": region})


@pytest.mark.parametrize(
    "cloud",
    [
        "a@b.example",
        "example.org?",
        "example.org#",
        "10.0.0.1",
        "..",
        "-a.b",
        "example.org/../x",
        "b\u00fccher.example",
    ],
)
def test_an_invalid_cloud(cloud: str) -> None:
    with pytest.raises(InvalidArgument, match="cloud must"):
        endpoint("dcs", {"region": "ap-southeast-3", "cloud": cloud})


@pytest.mark.parametrize("cloud", ["https://otc.example", "otc.example/v1", "10.0.0.1"])
def test_the_message_says_what_a_cloud_must_be(cloud: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        endpoint("dcs", {"region": "ap-southeast-3", "cloud": cloud})
    assert str(caught.value).startswith("cloud must be the domain that ends every endpoint")
    assert "a URL" not in str(caught.value)


@given(
    st.text(st.sampled_from("abZ019.-_:/@?#[]% \\é\n"), max_size=30),
    st.sampled_from(["https://", "http://", ""]),
)
def test_what_is_accepted_means_what_it_seems_to_mean(rest: str, scheme: str) -> None:
    """An accepted URL has no user, query or fragment, and only the visible host; http is for loopback."""
    try:
        url = endpoint("dcs", {"dcs_endpoint": scheme + rest})
    except InvalidArgument:
        return
    parts = urlsplit(url)
    assert parts.scheme in ("https", "http")
    assert parts.username is None and parts.password is None and not parts.query and not parts.fragment
    assert parts.netloc == parts.netloc.lower() and parts.netloc.isascii()
    assert ".." not in parts.path and "//" not in parts.path and not url.endswith("/")
    if parts.scheme == "http":
        assert parts.hostname in ("localhost", "::1") or str(parts.hostname).startswith("127.")
