# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Input that cannot be right never becomes a request, and the refusal names the option."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from tests.cloud import scenario as names
from tests.faults.bench import Time, perform

EACH = 70  # generated values for each place where a value can stand, beside the ones below
ENV = {
    "HW_REGION_NAME": names.REGION,
    "HW_PROJECT_ID": names.PROJECT_ID,
    "HW_ACCESS_KEY": names.ACCESS_KEY,
    "HW_SECRET_KEY": names.SECRET_KEY,
    **{
        f"HW_{service}_ENDPOINT": f"https://{service.lower()}.example.com"
        for service in ("IAM", *map(str.upper, SERVICES))
    },
}
VALID = names.DCS_INSTANCE
PAIR = {"instance_id": VALID, "target_instance_id": names.DDM_TARGET}
RECOVERY = {**PAIR, "restore_time": "latest"}
NODES = {"source_instance_id": names.DN_SOURCE_1, "target_instance_id": names.DN_TARGET_1}
CANARY = "cAnaRy-5ecret-0f-7he-mine"

BAD_IDS = (
    *(
        "..",
        ".",
        "../..",
        "../../etc/passwd",
        "%2e%2e",
        "%2E%2E%2F",
        "a/b",
        "/a",
        "a/",
        "a\\b",
        "a?x",
        "a#",
        "a;b",
        "a&b=c",
        "a b",
        " a",
        "a ",
        "a\n",
        "\ta",
    ),
    *(
        "a\r\nX-Injected: 1",
        "a\x00",
        "a\x1b[2J",
        "é",
        "\uff41",
        "\u0430",
        "\u0661",
        "\u202ea",
        "a\u200b",
        "\U0001f9ef",
        "a" * 129,
        "a" * 1000,
        "-a",
        "_a",
        "a.b",
        "a:b",
    ),
    *(
        "{{ instance_id }}",
        "$(id)",
        "`id`",
        "'; DROP",
        '"',
        "a%",
        "a+b",
        "a@b",
        "null/",
        "~",
        "*",
        "[]",
        "{}",
        "a,b",
        "a=b",
        "\udcff",
    ),
)
BAD_ENDPOINTS = (
    *(
        "http://dcs.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@evil.example.com",
    ),
    *(
        "https://user:pass@dcs.example.com",
        "https://user@dcs.example.com",
        "https://dcs.example.com/../iam",
        "https://dcs.example.com/v2/../..",
        "https://dcs.example.com/%2e%2e",
    ),
    *(
        "https://dcs.example.com#x",
        "https://dcs.example.com/#",
        "https://dcs.example.com?x=1",
        "https://dcs.example.com/?",
        "https://10.0.0.1",
        "https://169.254.169.254",
    ),
    *(
        "http://169.254.169.254/latest/meta-data",
        "https://2130706433",
        "https://0x7f000001",
        "https://127.1",
        "https://0177.0.0.1",
        "https://[fe80::1]",
        "https://[::ffff:7f00:1]",
    ),
    *(
        "https://dcs.example.com.",
        "https://dcs.example.com./",
        "https://dcs.exämple.com",
        "https://\uff44cs.example.com",
        "https://dcs\u3002example.com",
        "https://dcs.example.com:0",
    ),
    *(
        "https://dcs.example.com:65536",
        "https://dcs.example.com:99999",
        "https://dcs.example.com:443443",
        "https://dcs.example.com:-1",
        "https://dcs.example.com:x",
        "https://dcs.example.com:",
    ),
    *(
        "ftp://dcs.example.com",
        "file:///etc/passwd",
        "unix:///var/run/docker.sock",
        "javascript:alert(1)",
        "gopher://dcs.example.com",
        "HTTPS//dcs.example.com",
        "dcs.example.com",
    ),
    *(
        "//dcs.example.com",
        "https://",
        "https:///",
        "https://:443",
        "https://-dcs.example.com",
        "https://dcs-.example.com",
        "https://dcs..example.com",
        "https://.example.com",
    ),
    *(
        "https://dcs.example.com\\@evil.example.com",
        "https://dcs.example.com\r\nHost: evil",
        "https://dcs.example.com\n.evil",
        "https://dcs example.com",
        "https://dcs.example.com /x",
        "https://dcs\x00.example.com",
    ),
    *(
        "https://dcs.example.com/a b",
        "https://dcs.example.com//v2",
        "https://dcs.example.com/v2//",
        "https://dcs.example.com/;x",
        "https://a" + ".a" * 200 + ".com",
        "https://{{ host }}",
        "https://127.0.0.256",
    ),
    *(
        "http://127.999.0.1",
        "http://127.0.0.1.",
        "http://localhost.",
        "http://LOCALHOST:70000",
        "http://127.0.0.1:0",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::1%25lo]",
        "https://example",
        "https://e_x.example.com",
    ),
)
BAD_REGIONS = (
    "..",
    "ap/southeast-3",
    "ap-southeast-3.evil.example.com",
    "AP-SOUTHEAST-3",
    "ap southeast 3",
    "ap-southeast-3\n",
    "ap-southeast-3#",
    "a",
    "3",
    "-",
    "ap_southeast_3",
    "ap-southeast-3:443",
    "é-1",
    "ap-southeast-\u0663",
)
BAD_CLOUDS = (
    "evil.com/..",
    "evil.com?x",
    "evil.com#",
    "user@evil.com",
    "evil .com",
    "evil.com.",
    "..",
    "10.0.0.1",
    "evil.com:0",
    "evil.com:99999",
    "évil.com",
    "evil.com\r\nX: y",
    "-evil.com",
    "com:x",
)
BAD_TIMES = (
    *(
        "1747732352",
        "1747732352.5",
        "0",
        "1",
        "99999999999",
        "99999999999999",
        "9007199254740993",
        "1e12",
        "1747732352076.5",
        "-1747732352076",
        "+1747732352076",
        "0x1967",
        "1_747_732_352_076",
    ),
    *(
        "2025-05-20T09:40:40",
        "2025-05-20 09:40",
        "2025-05-20",
        "20250520T094040Z",
        "2025-13-01T00:00:00Z",
        "2025-02-30T00:00:00Z",
        "2025-05-20T25:00:00Z",
        "2025-05-20T09:60:00Z",
        "2025-05-20T09:40:61Z",
    ),
    *(
        "2025-05-20T09:40:40+25:00",
        "2025-05-20T09:40:40 UTC",
        "2025-05-20T09:40:40Europe/Berlin",
        "2025-05-20T09:40:40ZZ",
        "yesterday",
        "now",
        "latest!",
        "True",
        "None",
        "nan",
        "inf",
        "\u0661\u0667\u0664\u0667\u0667\u0663\u0662\u0663\u0665\u0662\u0660\u0667\u0666",
    ),
    *(
        "2125-05-20T09:40:40Z",
        "9999-12-31T23:59:59Z",
        "0000-00-00T00:00:00Z",
        "2025-05-20T09:40:40Z\r\nX: y",
        "\uff12\uff10\uff12\uff15-05-20T09:40:40Z",
        "2025-05-20T09:40:40.1234567890Z",
        "T",
        "Z",
        "{}",
        "[]",
        "1747732352076 ms",
    ),
)


TRIMMED = ("region", "project_id", "access_key", "secret_key", "security_token", "auth_token")


def refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """A transport that must not be used."""
    raise AssertionError("a request left")


def odd_character(chance: random.Random) -> str:
    return chance.choice(
        (
            chance.choice("/?#;%&=+,:@!$'\"()*[]{}<>|\\^`~. \t\r\n\x00\x1b\x7f\x85"),
            chr(chance.randrange(0x80, 0xD800)),
            chr(chance.randrange(0xE000, 0x110000)),
            chr(chance.randrange(0xD800, 0xE000)),
        )
    )


def bad_ids(chance: random.Random) -> Iterator[str]:
    """Identifiers with a character that no identifier has, or too long."""
    yield from BAD_IDS
    for dummy in range(EACH):
        base = chance.choice(
            (
                VALID,
                names.DN_SOURCE_1,
                "x",
                "".join(chance.choices(string.ascii_letters + string.digits, k=chance.randrange(1, 100))),
            )
        )
        place = chance.randrange(len(base) + 1)
        yield (
            base[:place]
            + "".join(odd_character(chance) for dummy in range(chance.randrange(1, 4)))
            + base[place:]
            + chance.choice(("", "", "a" * 200))
        )


def bad_endpoints(chance: random.Random) -> Iterator[str]:
    yield from BAD_ENDPOINTS
    for dummy in range(EACH):
        base = "https://dcs.example.com"
        place = chance.randrange(len("https://"), len(base) + 1)
        yield (
            base[:place]
            + chance.choice("@?#[]%!$&'()*+,;=<>{}|^`\"~ \t\r\n\x00\x1b\\é\uff11\u3002")
            + chance.choice(("", "x", "/", ":80"))
            + base[place:]
        )


def bad_regions(chance: random.Random) -> Iterator[str]:
    yield from BAD_REGIONS
    for dummy in range(EACH):
        place = chance.randrange(len(names.REGION) + 1)
        yield (
            names.REGION[:place]
            + odd_character(chance).replace(" ", "/").replace("\t", "/")
            + names.REGION[place:]
        )


def bad_clouds(chance: random.Random) -> Iterator[str]:
    yield from BAD_CLOUDS
    for dummy in range(EACH):
        place = chance.randrange(1, 12)
        yield (
            "myhuaweicloud.com"[:place]
            + chance.choice("@?#[]%!$&'()*+,;=<>{}|^`\"~ \t\r\n\x00\x1b\\é\uff11\u3002_")
            + "myhuaweicloud.com"[place:]
        )


def bad_times(chance: random.Random) -> Iterator[str]:
    yield from BAD_TIMES
    for dummy in range(EACH):
        day = f"{chance.randrange(1970, 2026)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        naive = f"{day}T{chance.randrange(24):02}:{chance.randrange(60):02}:00"
        yield chance.choice(
            (
                naive,
                naive.replace("T", " "),
                str(chance.randrange(10**9, 10**11)),
                str(chance.randrange(2 * 10**12 + 10**11, 10**19)),
                naive[: chance.randrange(len(naive))] + odd_character(chance) + naive[-3:],
                f"{chance.randrange(2030, 9999)}-01-01T00:00:00+08:00",
                f"{chance.uniform(1e12, 1.7e12):.2f}1",
            )
        )


def bad_secrets(chance: random.Random) -> Iterator[str]:
    """Secrets that no header can hold, or that are too short to be redacted."""
    yield from (
        f" {CANARY}",
        f"{CANARY}\n",
        f"{CANARY}\r\nX-Injected: 1",
        f"{CANARY}\x00",
        f"{CANARY} \u20ac",
        f"\t{CANARY}",
        f"{CANARY}é",
        "abc",
        "\x7f" + CANARY,
    )
    for dummy in range(EACH):
        character = chance.choice(
            ("\r", "\n", "\r\n ", "\x00", "\x1b", "\x7f", "\x80", "é", "\u2028", "\U0001f9ef", "\udcff")
        )
        place = chance.randrange(len(CANARY) + 1)
        yield CANARY[:place] + character + CANARY[place:]


def bad_access_keys(chance: random.Random) -> Iterator[str]:
    return (value for value in bad_secrets(chance) if len(value) > 4)


def in_option(name: str, **params: Any) -> Callable[[str, Any], dict[str, Any]]:
    return lambda option, value: perform(
        name, {**params, option: value}, ENV, set(), clock=Time().clock, http=refuse
    )


def in_relations(option: str, value: Any) -> dict[str, Any]:
    params = {**RECOVERY, "data_node_relations": [NODES, {**NODES, option: value}]}
    return perform("ddm_recovery", params, ENV, set(), clock=Time().clock, http=refuse)


def in_waits(option: str, value: Any) -> dict[str, Any]:
    rows = {"instance_id": VALID, "restore_id": VALID, "job_id": None, "service": "dcs"}
    return perform(
        "restore_wait", {"restores": [{**rows, option: value}]}, ENV, set(), clock=Time().clock, http=refuse
    )


def connecting(name: str, without: str = "", **params: Any) -> Callable[[str, Any], dict[str, Any]]:
    """The value as an option of the connection, in an environment that does not hide it."""
    env = {key: value for key, value in ENV.items() if not (without and without in key)}
    return lambda option, value: perform(
        name, {**params, option: value}, env, set(), clock=Time().clock, http=refuse
    )


def from_environment(
    variable: str, name: str, without: str = "-", **params: Any
) -> Callable[[str, Any], dict[str, Any]]:
    env = {key: value for key, value in ENV.items() if key != without}
    return lambda option, value: perform(
        name, params, {**env, variable: value}, set(), clock=Time().clock, http=refuse
    )


def no_keys(name: str, **params: Any) -> Callable[[str, Any], dict[str, Any]]:
    """A token instead of the keys."""
    env = {key: value for key, value in ENV.items() if "_KEY" not in key}
    return lambda option, value: perform(
        name, {**params, option: value}, env, set(), clock=Time().clock, http=refuse
    )


RESTORE = {"instance_id": VALID, "backup_id": VALID}
IDS, ENDPOINTS, TIMES, SECRETS = bad_ids, bad_endpoints, bad_times, bad_secrets
PLACES: list[tuple[str, Callable[[random.Random], Iterator[str]], Callable[[str, Any], dict[str, Any]]]] = [
    ("instance_id", IDS, in_option("dcs_restore", backup_id=VALID)),
    ("backup_id", IDS, in_option("dcs_restore", instance_id=VALID)),
    ("instance_id", IDS, in_option("dcs_backup")),
    ("instance_id", IDS, in_option("ddm_recovery", target_instance_id=VALID, restore_time="latest")),
    ("target_instance_id", IDS, in_option("ddm_recovery", instance_id=VALID, restore_time="latest")),
    ("job_id", IDS, in_option("ddm_recovery")),
    ("source_instance_id", IDS, in_relations),
    ("target_instance_id", IDS, in_relations),
    ("instance_id", IDS, in_option("dcs_backup_info")),
    ("backup_id", IDS, in_option("dcs_backup_info", instance_id=VALID)),
    ("instance_id", IDS, in_option("dcs_restore_info")),
    ("restore_id", IDS, in_option("dcs_restore_info", instance_id=VALID)),
    ("backup_id", IDS, in_option("dcs_restore_info", instance_id=VALID)),
    ("instance_id", IDS, in_option("dcs_instance_info")),
    ("instance_id", IDS, in_option("ddm_instance_info")),
    ("instance_id", IDS, in_option("ddm_backup_info")),
    ("backup_id", IDS, in_option("ddm_backup_info", instance_id=VALID)),
    ("job_id", IDS, in_option("ddm_job_info")),
    ("instance_id", IDS, in_option("ddm_job_info")),
    ("instance_id", IDS, in_option("ddm_restorable_info")),
    ("target_instance_id", IDS, in_option("ddm_restorable_info", instance_id=VALID, restore_time="latest")),
    ("instance_id", IDS, in_waits),
    ("restore_id", IDS, in_waits),
    ("job_id", IDS, in_waits),
    ("project_id", IDS, in_option("dcs_restore", **RESTORE)),
    ("project_id", IDS, from_environment("HW_PROJECT_ID", "dcs_restore", **RESTORE)),
    ("dcs_endpoint", ENDPOINTS, in_option("dcs_restore", **RESTORE)),
    ("dcs_endpoint", ENDPOINTS, from_environment("HW_DCS_ENDPOINT", "dcs_backup", instance_id=VALID)),
    ("ddm_endpoint", ENDPOINTS, in_option("ddm_recovery", **RECOVERY)),
    ("iam_endpoint", ENDPOINTS, connecting("dcs_restore", "PROJECT_ID", **RESTORE)),
    ("region", bad_regions, connecting("dcs_restore", "ENDPOINT", **RESTORE)),
    ("region", bad_regions, connecting("ddm_recovery", "ENDPOINT", **RECOVERY)),
    ("cloud", bad_clouds, connecting("dcs_restore", "ENDPOINT", **RESTORE)),
    ("restore_point", TIMES, in_option("dcs_restore", instance_id=VALID)),
    ("restore_time", TIMES, in_option("ddm_recovery", **PAIR)),
    ("restore_time", TIMES, in_option("ddm_restorable_info", instance_id=VALID)),
    ("begin_time", TIMES, in_option("dcs_backup_info", instance_id=VALID)),
    ("end_time", TIMES, in_option("dcs_restore_info", instance_id=VALID)),
    ("begin_time", TIMES, in_option("ddm_job_info")),
    ("auth_token", SECRETS, no_keys("dcs_restore", **RESTORE)),
    ("auth_token", SECRETS, from_environment("HW_AUTH_TOKEN", "dcs_restore", **RESTORE)),
    ("secret_key", SECRETS, in_option("dcs_restore", access_key="HWAK", **RESTORE)),
    ("secret_key", SECRETS, from_environment("HW_SECRET_KEY", "dcs_restore", **RESTORE)),
    (
        "secret_key",
        SECRETS,
        from_environment("HUAWEICLOUD_SDK_SK", "dcs_restore", "HW_SECRET_KEY", **RESTORE),
    ),
    ("security_token", SECRETS, in_option("dcs_restore", **RESTORE)),
    ("access_key", bad_access_keys, in_option("ddm_recovery", secret_key=names.SECRET_KEY, **RECOVERY)),
]
TOTAL = 5_000


def test_there_are_enough() -> None:
    assert sum(len(list(place[1](random.Random(0)))) for place in PLACES) >= TOTAL


@pytest.mark.parametrize(
    ("option", "values", "run"), PLACES, ids=[f"{number}-{place[0]}" for number, place in enumerate(PLACES)]
)
def test_bad_input_is_refused_before_any_request(
    option: str, values: Callable[[random.Random], Iterator[str]], run: Callable[[str, Any], dict[str, Any]]
) -> None:
    for value in values(random.Random(option)):
        if option in TRIMMED and value != value.strip():
            continue  # taken without its blanks, which come with pasting
        result = run(option, value)
        message = result["msg"]
        context = f"{option}={value!r}: {message}"
        assert (result["failed"], result["changed"], result["error_kind"]) == (
            True,
            False,
            "invalid_argument",
        ), context
        assert option in message, context
        assert "No request was sent" in message, context
        assert message.isprintable(), context
        assert len(message) < 600, context
        if values in (bad_secrets, bad_endpoints):
            assert CANARY[:8] not in message, context
            assert CANARY[-8:] not in message, context
            assert "pass@" not in message, context


@pytest.mark.parametrize(
    "low_high",
    [
        ("http_timeout", 0, 3601),
        ("max_retries", -1, 1000),
        ("wait_timeout", -1, 604801),
        ("poll_interval", 0, 3601),
    ],
)
def test_numbers_out_of_range(low_high: tuple[str, int, int]) -> None:
    option, low, high = low_high
    for value in (low, high, -(2**63), 2**63):
        result = in_option("dcs_restore", **RESTORE)(option, value)
        assert (result["error_kind"], result["changed"]) == ("invalid_argument", False)
        assert option in result["msg"]


@pytest.mark.parametrize("length", [95, 128, 10_000])
def test_a_remark_that_leaves_no_room_for_the_marker(length: int) -> None:
    for name, params in (("dcs_restore", RESTORE), ("dcs_backup", {"instance_id": VALID})):
        result = in_option(name, **params)("remark", "é" * length)
        assert result["error_kind"] == "invalid_argument"
        assert f"remark has {length} characters" in result["msg"]


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "{",
            "[]",
            "null",
            '{"profiles": null}',
            '{"profiles": [1]}',
            '{"profiles": [{}]}',
            "[" * 100_000,
            "\x00\xff",
            f'{{"secret": "{CANARY}"',
        ),
        f'{{"profiles": [{{"name": "default", "accessKeyId": "HWAK", "secretAccessKey": ["{CANARY}"]}}]}}',
        f'{{"profiles": [{{"name": "default", "accessKeyId": 5, "secretAccessKey": {{"{CANARY}": 1}}}}]}}',
        f'{{"profiles": [{{"name": ["default"], "secretAccessKey": "{CANARY}"}}]}}',
        f'{{"current": {{"a": 1}}, "profiles": [{{"name": "default", "secretAccessKey": "{CANARY}"}}]}}',
    ],
)
def test_an_invalid_profile_file(content: str, tmp_path: Any) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content.encode("latin-1"))
    env = {key: value for key, value in ENV.items() if "_KEY" not in key}
    params = {**RESTORE, "shared_config_file": str(path)}
    result = perform("dcs_restore", params, env, set(), clock=Time().clock, http=refuse)
    assert (result["failed"], result["error_kind"]) == (True, "invalid_argument"), result
    assert CANARY not in result["msg"]
