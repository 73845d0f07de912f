# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guides whose commands are run, in the order of the page, against one local cloud.

The page shows what they print. `python -m tests.guides` writes the current output into the pages; the test
compares all but IDs, times and numbers of seconds. In a page:

- a `yaml` block after the comment `.. file: NAME` is written to that file;
- a `shell` block is run, except after the comment `.. not run`; after `.. fails` it must end with an error;
- the `text` block after a `shell` block is its output, without Ansible's own lines;
- the comment `.. scenario: NAME` says which instances the cloud has;
- the comment `.. fault: NAME OPERATION ID` breaks a request of the next command.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import invoke
from tests.cloud import Simulator

PAGES = ["getting_started", "restore_cache", "restore_database", "stack", "drills", "fleet"]
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
BLOCK = re.compile(r"^\.\. code-block:: (\w+)\n\n((?:  .*\n|\n)+)", re.MULTILINE)
COMMENT = re.compile(r"^\.\. (file: \S+|not run|fails)\n\n\Z", re.MULTILINE)
SCENARIO = re.compile(r"^\.\. scenario: (\S+)$", re.MULTILINE)
LOCAL = re.compile(r"http://127\.0\.0\.1:\d+(?=/v2/)")
FAULT = re.compile(r"^\.\. fault: (\S+) (\S+) (\S+)\n\n(?:\.\. .*\n\n)*\Z", re.MULTILINE)
NOISE = re.compile(
    r"PLAY|TASK|ok: |changed: |included: |fatal: |\.\.\.ignoring|skipping: |\[WARNING|\[ERROR|localhost +:"
    r"|huaweicloud\.recovery: |\s*\d+\s+(- )?\w+:|\d+( #.*)?$|\S+ +: ok=\d|\s+\^|Origin: |<unknown>"
    r"|Task failed|Module failed|NO MORE HOSTS|Note that|  if you"
)
CHANGING = [
    (
        re.compile(
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32,64}(in\d\d)?\b"
        ),
        "ID",
    ),
    (re.compile(r"\d{8}T\d{6}Z-[a-z0-9]{6}"), "STAMP"),
    (re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4}( \d\d:\d\d(:\d\d)?)?( ?[+-]\d\d:\d\d| [A-Z]{3,4})?"), "TIME"),
    (re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d\d:\d\d(:\d\d)?( ?[+-]\d\d:\d\d| [A-Z]{3,4})?"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z?"), "TIME"),
    (re.compile(r"backup_\d{14}"), "BACKUP"),
    (re.compile(r"\b\d+:\d\d(:\d\d)?\b"), "SPAN"),
    (re.compile(r"\b\d+ (s|min|h|days?|hours?|minutes?|seconds?)\b"), "SPAN"),
    (re.compile(r"seed \S+"), "seed N"),
    (re.compile(r"(TIME|SPAN)(,? (TIME|SPAN))*"), "TIME"),
]


@dataclass(frozen=True)
class Block:
    """One block of a page.

    `start` and `end` are where its text stands, `note` is the comment before it, `fault` what is broken
    first.
    """

    kind: str
    text: str
    start: int
    end: int
    note: str
    fault: tuple[str, str, str] | None = None


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page, their text without the indentation."""
    found = []
    for match in BLOCK.finditer(page):
        note, fault = COMMENT.search(page[: match.start()]), FAULT.search(page[: match.start()])
        lines = [line[2:] for line in match[2].rstrip("\n").split("\n")]
        text = "\n".join(lines).rstrip() + "\n"
        found.append(
            Block(
                match[1],
                text,
                match.start(2),
                match.start(2) + len(match[2].rstrip("\n")),
                note[1] if note else "",
                (fault[1], fault[2], fault[3]) if fault else None,
            )
        )
    return found


def run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a block of shell commands as a reader would."""
    env = {**environment, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "400", "ANSIBLE_LOCALHOST_WARNING": "False"}
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env=env,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


def shown(output: str, folder: Path) -> str:
    """Return what a page shows of an output.

    It leaves out Ansible's own lines, this machine's folder and the local cloud's address.
    """
    text = output.replace(str(folder.resolve()) + "/", "").replace(str(folder) + "/", "")
    text = LOCAL.sub("https://dcs.ap-southeast-3.myhuaweicloud.com", text)
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not NOISE.match(line)]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return an output without the parts that differ from run to run."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return re.sub(" +", " ", text)


def outputs(page: str) -> Iterator[tuple[Block, Block | None, subprocess.CompletedProcess[str], str]]:
    """Run the page; yield each command with its block of output, its end, and what the page should show."""
    found, scenario = blocks(page), SCENARIO.search(page)
    name = scenario[1] if scenario else "default"
    with tempfile.TemporaryDirectory(prefix="guide-") as place, Simulator(name, restore_seconds=2) as sim:
        folder = Path(place)
        environment = {**os.environ, **invoke.environment(place), **sim.env, "HOME": place}
        for number, block in enumerate(found):
            if block.note.startswith("file: "):
                (folder / block.note.partition(": ")[2]).write_text(block.text, encoding="utf-8")
            if block.kind == "shell" and block.note != "not run":
                after = (
                    found[number + 1]
                    if number + 1 < len(found) and found[number + 1].kind == "text"
                    else None
                )
                if block.fault:
                    name, operation, instance = block.fault
                    sim.fault(name, operation, on=instance)
                done = run(block.text, folder, environment)
                yield block, after, done, shown(done.stdout, folder)


def rewritten(page: str) -> str:
    """Return the page with the current output."""
    changes = [(after, text) for _block, after, _done, text in outputs(page) if after]
    for after, text in reversed(changes):
        indented = "".join(f"  {line}".rstrip() + "\n" for line in text.splitlines()).rstrip("\n")
        page = page[: after.start] + indented + page[after.end :]
    return page
