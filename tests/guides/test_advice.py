# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of "What happens when...": each failure is caused, and its advice leads to a finished restore.

A case is a function with @row("..."), the first cell of a row. It runs the task through `Story.fails()` and
`Story.works()`, which compare the error_kind with those that the row's second cell names. Time is virtual,
see tests/faults/bench.py.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import scenario as names
from tests.cloud import variables_at
from tests.cloud.state import DcsRestore
from tests.faults import invocations, test_matrix
from tests.faults.bench import DCS_RESTORE, DDM_METADATA, DDM_RECOVERY, Bench, Operation, Wire, perform
from tests.faults.conftest import World
from tests.faults.test_matrix import Case, by_token, lead, post, proxied, read
from tests.tools.error_page import KINDS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "what_happens_when.rst"
ROW = re.compile(r"^  \* - (.+?)^    - (.+?)^    - (.+?)(?=^  \* - |^\S|\Z)", re.MULTILINE | re.DOTALL)
OTHER_BACKUP = "of another backup"
AFTER_THE_LOSS = 300.0  # seconds, as the messages say, until the person on call runs the task again


def flat(text: str) -> str:
    return " ".join(text.split())


def table() -> dict[str, str]:
    """The first cell of each row of the table, and its second one."""
    text = PAGE.read_text(encoding="utf-8").partition("\nThe table\n")[2]
    found = {flat(first): flat(second) for first, second, _third in ROW.findall(text)}
    found.pop("What fails")
    return found


TABLE = table()


@dataclass
class Story:
    """A failure and what follows: `operation` is the task, `options` what the person adds to it."""

    case: Case
    words: str
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def ddm(self) -> bool:
        return self.case.operation.by_job

    @property
    def bench(self) -> Bench:
        return self.case.bench

    def arrange(self, *arrangements: Callable[[Case], None]) -> Story:
        for arrangement in arrangements:
            arrangement(self.case)
        return self

    def mended(self) -> Story:
        """Remove all faults."""
        bench = self.bench
        bench.sim.clear_faults()
        bench.wire = Wire(bench.time)
        return self

    def run(self, **options: Any) -> dict[str, Any]:
        self.result = self.bench.run(self.case.operation, **options).result
        assert self.bench.sim.errors == []
        return self.result

    def fails(self, *says: str, **options: Any) -> Story:
        """Run the task: it must fail as the second cell says."""
        result = self.run(**options)
        kinds = {word for word in re.findall(r"``(\w+)``", TABLE[self.words]) if word in KINDS}
        assert result.get("error_kind") in kinds, result
        changed = re.search(r"``changed: (true|false)``", TABLE[self.words])
        assert not changed or result["changed"] is (changed[1] == "true"), result
        for text in says:
            assert re.search(text, result["msg"]), result["msg"]
        return self

    def works(self, outcome: str = "succeeded", started: int = 1, **options: Any) -> Story:
        """Run the task: the restore is done, and the cloud has started this many in all."""
        result = self.run(**options)
        assert result.get("outcome") == outcome, result
        assert self.bench.sim.started(self.case.operation.post) == started
        return self

    def later(self, seconds: float = AFTER_THE_LOSS) -> Story:
        self.bench.time.ahead += seconds
        return self

    def attach(self, **options: Any) -> dict[str, Any]:
        """What a person adds to the task to attach to what the failed one has named."""
        return {"job_id": self.result["job_id"], **options} if self.ddm else options


Act = Callable[[Story], object]
CASES: dict[str, tuple[Act, tuple[Operation, ...]]] = {}


def row(words: str, only: tuple[Operation, ...] = (DCS_RESTORE, DDM_RECOVERY)) -> Callable[[Act], Act]:
    def note(act: Act) -> Act:
        CASES[words] = (act, only)
        return act

    return note


DCS, DDM = (DCS_RESTORE,), (DDM_RECOVERY,)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        yield World(stack)


@row("The cloud cannot be reached")
def unreachable(story: Story) -> None:
    story.arrange(lead("POST", "closed", forever=True)).fails("could not be sent")
    story.mended().arrange(lead("read", "closed", forever=True)).fails("No connection")
    story.mended().works()


@row("The proxy refuses your user and password (407)", DCS)
def proxy(story: Story) -> None:
    story.arrange(proxied(*[test_matrix.DENIED] * 2)).fails("requires another user and password")
    wire = story.bench.wire
    story.run()  # the script of the proxy is used up: it lets the right password in
    story.bench.wire = wire
    story.works("unchanged" if story.result.get("outcome") == "succeeded" else "succeeded")


@row("The certificate is not accepted", DCS)
def certificate(story: Story) -> None:
    story.arrange(test_matrix.tls("ca", trusted=False)).fails("ca_path")
    story.arrange(test_matrix.tls("ca")).works()


@row("Region, ``cloud`` or an endpoint is wrong")
def endpoint(story: Story) -> None:
    right = dict(story.bench.env)
    for name in variables_at(""):
        story.bench.env[name] = story.case.world.route("closed")
    story.fails("127.0.0.1:[0-9]+")
    story.bench.env.update(right)
    story.arrange(read("redirect", None)).fails("redirect")
    story.mended().arrange(read("html_page", None)).fails("127.0.0.1|endpoint|API")
    story.mended().arrange(read("refusal", None, status=404, code="APIGW.0101")).fails("endpoint")
    story.mended().works()


@row("The credentials are wrong")
def keys(story: Story) -> None:
    story.bench.env["HW_SECRET_KEY"] = "of-somebody-else"
    story.fails("HW_ACCESS_KEY|environment|keys")
    story.bench.env["HW_SECRET_KEY"] = names.SECRET_KEY
    story.arrange(read("unauthorized", None, date_skew=1250)).fails("clock_skew")
    story.mended().works()


@row("A permission is missing")
def permission(story: Story) -> None:
    story.arrange(post("forbidden")).fails("dcs:instance:restoreData")
    assert story.result["error_code"] and story.result["request_id"]
    story.mended().works()


@row("No instance has the name, or several have it")
def name(story: Story) -> None:
    cloud = story.bench.sim.state
    instances: dict[str, Any] = dict(cloud.ddm_instances if story.ddm else cloud.dcs_instances)
    target, other = names.DCS_INSTANCE, names.DCS_OTHER
    if story.ddm:
        target, other = names.DDM_TARGET, names.DDM_TARGET_BUSY
    option = "target_instance_id" if story.ddm else "instance_id"
    wrong: dict[str, Any] = {option: None, option.replace("_id", "_name"): "order"}
    right: dict[str, Any] = {option: None, option.replace("_id", "_name"): instances[target].name}
    story.fails(instances[target].name, **wrong)
    instances[other].name = instances[target].name
    story.fails(target, other, **right)
    by_id: dict[str, Any] = {option: target}
    story.works(**by_id)


@row("The backup, the time or the target cannot be used")
def unfit(story: Story) -> None:
    if story.ddm:
        story.fails(target_instance_id=names.DDM_TARGET_ACCOUNTS)
    else:
        story.fails(backup_id=names.DCS_BACKUP_EXPIRED)
    story.works()


@row("The gateway throttles")
def throttled(story: Story) -> None:
    story.arrange(post("throttle", None, retry_after=1)).fails("APIGW.0308")
    story.mended().works()


@row("The service fails while the task reads, before it has sent anything")
def failing_service(story: Story) -> None:
    story.arrange(read("server_error", None)).fails("HTTP 500")
    story.mended().later().works()


@row("Something else holds the instance", DCS)
def held(story: Story) -> None:
    test_matrix.restore_another(story.case)
    story.fails(OTHER_BACKUP)
    cloud = story.bench.sim.state
    with cloud.lock:
        instance = cloud.dcs_instances[names.DCS_INSTANCE]
        instance.status, instance.task = "RUNNING", None
        ended = next(record for record in cloud.dcs_restores.values() if record.backup_name == "other")
        ended.status = "succeed"
    story.works()


@row("A record says *restoring*, but no restore is running", DCS)
def stuck(story: Story) -> None:
    about: dict[str, Any] = {"instance_id": names.DCS_STUCK, "backup_id": names.DCS_BACKUP_STUCK}
    story.fails("stuck", "ignore_stuck", **about)
    story.works(**about, ignore_stuck=True)


@row("The DDM target is being restored", DDM)
def restoring_target(story: Story) -> None:
    story.works("started", wait=False)
    story.fails("job_id")
    job = story.result["job_id"]
    story.works(job_id=job)
    assert story.result["adopted"]


@row("The response is lost, and the cloud has started the restore")
def lost_and_found(story: Story) -> None:
    story.arrange(post("reset")).works()
    assert story.result["adopted"]


@row("The response is lost, and no restore can be seen")
def lost(story: Story) -> None:
    """The request was not executed."""
    story.arrange(post("reset", when="before")).fails("again in 5 minutes")
    assert story.result["sent_at"] and story.result["checks"]
    story.mended().later().works()


@row("The response is lost, and the record appears late")
def late(story: Story) -> None:
    story.arrange(post("reset", hints={"visibility": 300, "seconds": 900}))
    attach = ["names the newest job there: attach with job_id"] if story.ddm else []
    story.fails("again in 5 minutes", *attach, wait_timeout=120)
    story.mended().later()
    if story.ddm:
        assert story.run()["error_kind"] == "busy", story.result
        story.works(job_id=story.result["job_id"])
    else:
        story.works()
    assert story.result["adopted"]


@row("The restore is accepted, and its record cannot be seen")
def accepted(story: Story) -> None:
    story.arrange(test_matrix.outcome(visibility=300, seconds=900)).fails("cannot be seen yet")
    story.mended().later().works(**story.attach())


@row("The record was there, and vanishes during the wait")
def vanished(story: Story) -> None:
    story.arrange(test_matrix.vanish(None), test_matrix.outcome(seconds=900)).fails("no longer be found")
    story.mended().works(**story.attach())


@row("The wait takes too long")
def slow(story: Story) -> None:
    story.arrange(test_matrix.outcome(seconds=300)).fails("still running", wait_timeout=60)
    found = dict(story.result)
    story.works(**story.attach())
    one: dict[str, Any] = {key: found[key] for key in ("restore_id", "job_id", "instance_id") if key in found}
    bench = story.bench
    rows: list[dict[str, Any]] = [{"service": "ddm" if story.ddm else "dcs", **one}]
    waited = perform(
        "restore_wait", {"restores": rows}, bench.env, set(), clock=bench.time.clock, http=bench.wire
    )
    assert waited["restores"][0]["outcome"] == "succeeded", waited


@row("Reading fails for a while during the wait")
def unread(story: Story) -> None:
    story.arrange(test_matrix.poll("server_error", 9)).works()


@row("The token expires during the wait")
def token(story: Story) -> None:
    story.arrange(by_token, test_matrix.poll("token_expired", None), test_matrix.outcome(seconds=300))
    story.fails("with working credentials")
    again = story.attach()
    story.mended()
    del story.bench.env["HW_AUTH_TOKEN"]
    story.bench.env.update(
        HW_USER_NAME=names.USER, HW_USER_PASSWORD=names.PASSWORD, HW_DOMAIN_NAME=names.DOMAIN
    )
    story.works(**again)


@row("The restore fails in the cloud")
def failed(story: Story) -> None:
    story.arrange(post("operation_fails")).fails("start it once more")
    story.works(started=2)


@row("Two restores carry the same marker", DCS)
def duplicates(story: Story) -> None:
    story.arrange(test_matrix.duplicates).fails("2 operations")
    assert len(story.result["found"]) == 2
    cloud = story.bench.sim.state
    with cloud.lock:
        for found in story.result["found"]:
            record: DcsRestore = cloud.dcs_restores[found]
            if record.operation is None:
                record.status = "succeed"
    story.mended().later().works("unchanged")


@row("The cloud drops the marker", DCS)
def unmarked(story: Story) -> None:
    story.arrange(post("remark", style="strip")).works()
    assert story.result["marker_echoed"] is False
    assert "cannot recognise" in story.result["warnings"][0]


@row("The module is killed, the controller dies, the job is cancelled, ``async`` expires")
def killed(story: Story) -> None:
    """tests/kills sends real signals at every step. This case follows the advice."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    story.arrange(test_matrix.outcome(seconds=300))
    story.bench.wire.after_post.append(interrupt)
    story.fails("names the job")
    if story.ddm:
        assert story.run()["error_kind"] == "busy", story.result
        story.works(job_id=story.result["job_id"])
    else:
        story.works()


@row("Ansible repeats the task: ``retries``, ``until``, ``rescue``, several hosts that delegate to one", DCS)
def repeated(story: Story) -> None:
    """tests/playbooks/test_repeats.py has every way in which Ansible repeats a task."""
    story.works("started", wait=False)
    story.works()
    story.works("unchanged")


def start(story: Story, restores: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bench = story.bench
    found = invocations.through_action(
        "restore_start", {"restores": restores}, bench.env, set(), clock=bench.time.clock, http=bench.wire
    )
    rows: list[dict[str, Any]] = found["restores"]
    return rows


def entries() -> list[dict[str, Any]]:
    return [
        {"service": "dcs", "instance_id": names.DCS_INSTANCE, "backup_id": names.DCS_BACKUP},
        {"service": "dcs", "instance_id": names.DCS_OTHER, "backup_id": names.DCS_BACKUP_OTHER},
    ]


@row("Some of many restores fail in ``restore_start``", DCS)
def some(story: Story) -> None:
    story.arrange(post("forbidden", on=names.DCS_OTHER))
    first = start(story, entries())
    assert [(one["outcome"], one["error_kind"]) for one in first] == [("started", None), (None, "denied")]
    assert first[1]["msg"]
    story.mended()
    second = start(story, entries())
    assert [(one["outcome"], one["adopted"]) for one in second] == [("started", True), ("started", False)]
    assert story.bench.sim.started("dcs.restore") == 2


@row("Two rows of ``restore_start`` name one instance", DCS)
def twice(story: Story) -> None:
    one, other = entries()
    first = start(story, [one, {**one, "backup_id": names.DCS_BACKUP_OLD}, other])
    assert [found["error_kind"] for found in first] == ["invalid_argument", "invalid_argument", None]
    second = start(story, [one, other])
    assert [(found["outcome"], found["adopted"]) for found in second] == [
        ("started", False),
        ("started", True),
    ]


def test_every_row_has_a_case() -> None:
    for words in TABLE:
        assert words in CASES, (
            f'The row "{words}" of what_happens_when.rst has no case. Add a function with @row("{words}") '
            f"to {Path(__file__).name} that causes this failure and follows the advice."
        )
    for words in CASES:
        assert words in TABLE, (
            f'The case "{words}" has no row in the table of what_happens_when.rst any more.'
        )


@pytest.mark.parametrize(
    ("words", "operation"),
    [
        pytest.param(
            words,
            operation,
            id=f"{words}-{operation.name}",
            marks=[pytest.mark.slow] if operation is DDM_METADATA else [],
        )
        for words, (_act, only) in CASES.items()
        for operation in (*only, *([DDM_METADATA] if DDM_RECOVERY in only else []))
    ],
)
def test_the_advice_works(
    words: str, operation: Operation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    act, _only = CASES[words]
    act(Story(Case(world, Bench(world.cloud(), world.time), operation, monkeypatch), words))
