# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages whose commands are run, in the order of the page, against one local cloud.

A page is a guide or a README. It shows what its commands print: `python -m tests.guides` writes the current
output into the pages, and the test compares all but IDs, times and numbers of seconds. In a page:

- a `yaml` block after the comment `file: NAME` is written to that file;
- after `tried by: COMMAND`, it is written to a file of its own, and COMMAND is run with its name for BLOCK;
- a `shell` block is run, unless `ELSEWHERE` names it; after the comment `fails` it must end with an error;
  what it exports holds for the rest of the page, with the keys of the cloud for `...`;
- the `text` block after a `shell` block is its output, without Ansible's own lines;
- the comment `scenario: NAME` says which instances the cloud has;
- the comment `fault: NAME OPERATION ID` breaks a request of the next command.

A comment is `.. fails` or, in Markdown, `<!-- fails -->`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import invoke
from tests.cloud import Simulator

FOLDER = invoke.ROOT / "docs" / "docsite" / "rst"
RST = "docs/docsite/rst/"
GUIDES = ("getting_started", "credentials", "restore_cache", "restore_database", "stack", "drills", "fleet")
PAGES = ["README.md", *(f"{RST}{name}.rst" for name in GUIDES)]
INSTALLS = ("pip install ", "ansible-galaxy collection install ")  # test_install.py runs a block with these
BLOCK = re.compile(
    r"^( *)\.\. code-block:: (?P<kind>\w+)\n\n(?P<text>(?:\1  .*\n|\n)+)"
    r"|^( *)```(?P<fenced>\w*)\n(?P<content>(?:.*\n)*?)\4```$",
    re.MULTILINE,
)
COMMENT = re.compile(r"^(?:\.\. |<!-- )(file: \S+|fails|runnable|tried by: .+?)(?: -->)?\n+\Z", re.MULTILINE)
EXPORT = re.compile(r"^export (\w+)=(.*)$", re.MULTILINE)
SCENARIO = re.compile(r"^\.\. scenario: (\S+)$", re.MULTILINE)
LOCAL = re.compile(r"http://127\.0\.0\.1:\d+(?=/v2/)")
FAULT = re.compile(r"^\.\. fault: (\S+) (\S+) (\S+)\n\n(?:\.\. .*\n\n)*\Z", re.MULTILINE)
NOISE = re.compile(
    r"PLAY|TASK|ok: |changed: |included: |fatal: |\.\.\.ignoring|skipping: |\[WARNING|\[ERROR|localhost +:"
    r"|huaweicloud\.recovery: |\s*\d+\s+(- )?\w+:|\d+( #.*)?$|\S+ +: ok=\d|\s+\^|Origin: |<unknown>"
    r"|Task failed|Module failed|NO MORE HOSTS|Note that|  if you"
)
# Blocks that the test of their page does not run, by how they begin: who runs them, or why nobody does.
FAULTY = ". .work/cloud.env"  # how the block begins that breaks a request by hand
ELSEWHERE = {
    "CONTRIBUTING.md": {"from __future__ import annotations": "test_guides.py runs this module"},
    "README.md": {"make demo": ".github/workflows/ci.yml runs both commands"},
    f"{RST}architecture.rst": {"entry  ": "a picture in letters"},
    f"{RST}awx.rst": {"": "tests/awx/test_cookbook.py follows the page, tests/eda runs its rulebook"},
    f"{RST}credentials.rst": {
        "hcloud configure set": "needs KooCLI",
        "- name: Restore in the rehearsal account only": "tests/playbooks/test_account.py",
    },
    f"{RST}in_process.rst": {
        "ansible-playbook restore.yml -e huaweicloud_recovery_in_process=false": "tests/in_process",
        "PLAY [Bring the cache back]": "tests/in_process/test_progress.py: it takes minutes",
        "huaweicloud.recovery: [localhost] no conclusive": "tests/in_process/test_progress.py",
    },
    f"{RST}what_happens_when.rst": {"VALIDATE -> ": "a picture in letters"},
    "tests/README.md": {
        "python3 tests/tools/run.py python -m tests.protocol ": "test_schedules.py and test_explore.py",
        "python3 tests/tools/run.py python -m tests.cloud ": "tests/contract/test_simulator_state.py",
        FAULTY: "test_guides.py runs it against a cloud of its own",
    },
}
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
        part, kind = ("text", match["kind"]) if match["kind"] else ("content", match["fenced"])
        indent = len(match[1]) + 2 if match["kind"] else len(match[4])
        lines = [line[indent:] for line in match[part].rstrip("\n").split("\n")]
        found.append(
            Block(
                {"sh": "shell", "": "shell"}.get(kind, kind),
                "\n".join(lines).rstrip() + "\n",
                match.start(part),
                match.start(part) + len(match[part].rstrip("\n")),
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


def signed_in(command: str, keys: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Fill in the keys that a page leaves out; return the command and what it exports."""
    filled = EXPORT.sub(
        lambda one: f"export {one[1]}={shlex.quote(keys[one[1]]) if one[2] == '...' else one[2]}", command
    )
    return filled, dict(EXPORT.findall(filled))


def commands(name: str, found: list[Block], folder: Path) -> Iterator[tuple[int, str]]:
    """Write the files of a page; yield the number of each block that is run, and its command."""
    for number, block in enumerate(found):
        word, _colon, value = block.note.partition(": ")
        file = {"file": value, "tried by": f"block-{number}.yml"}.get(word)
        if file:
            (folder / file).write_text(block.text, encoding="utf-8")
    for number, block in enumerate(found):
        if block.note.startswith("tried by: "):
            yield number, block.note.partition(": ")[2].replace("BLOCK", f"block-{number}.yml")
        if block.kind == "shell" and not elsewhere(name, block):
            yield number, block.text


def elsewhere(name: str, block: Block) -> str:
    """Return who runs a block, if it is not the test of its page."""
    if any(word in block.text for word in INSTALLS):
        return "test_install.py"
    return next((who for begin, who in ELSEWHERE.get(name, {}).items() if block.text.startswith(begin)), "")


def outputs(name: str) -> Iterator[tuple[Block, Block | None, subprocess.CompletedProcess[str], str]]:
    """Run a page; yield each command with its block of output, its end, and what the page should show."""
    page = (invoke.ROOT / name).read_text(encoding="utf-8")
    found, scenario = blocks(page), SCENARIO.search(page)
    wanted = scenario[1] if scenario else "default"
    with tempfile.TemporaryDirectory(prefix="guide-") as place, Simulator(wanted, restore_seconds=2) as sim:
        folder = Path(place)
        keys = sim.env
        given = {key for block in found for key, _value in EXPORT.findall(block.text)}
        hidden = {*given, "HW_PROJECT_ID"} if given else set()
        environment = {**os.environ, **invoke.environment(place), **invoke.COMPILED, **keys, "HOME": place}
        environment = {key: value for key, value in environment.items() if key not in hidden}
        for number, text in commands(name, found, folder):
            block = found[number]
            after = found[number + 1] if found[number + 1 :] and found[number + 1].kind == "text" else None
            if block.fault:
                fault, operation, instance = block.fault
                sim.fault(fault, operation, on=instance)
            command, exported = signed_in(text, keys)
            done = run(command, folder, environment)
            environment.update(exported)
            yield block, after, done, shown(done.stdout, folder)


def rewritten(name: str) -> str:
    """Return the page with the current output."""
    page = (invoke.ROOT / name).read_text(encoding="utf-8")
    changes = [(after, text) for _block, after, _done, text in outputs(name) if after]
    for after, text in reversed(changes):
        indented = "".join(f"  {line}".rstrip() + "\n" for line in text.splitlines()).rstrip("\n")
        page = page[: after.start] + indented + page[after.end :]
    return page
