# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make what is published, in .work/release: artifact, bill of materials (CycloneDX), SHA-256 checksums.

Everything is checked first. The checkout is its last commit, and every file has a licence. galaxy.yml, the
changelog, the User-Agent and the commit's tag, if it has one, name the same version. For a tag the changelog
must have every fragment. The artifact is built twice, in two folders, and must have the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import yaml

from tests.tools import artifact

RELEASE = pathlib.Path(os.environ["RECOVERY_WORK"]) / "release"
ROOT = artifact.ROOT


def releases(root: pathlib.Path = ROOT) -> dict[str, Any]:
    """Return the releases of the changelog, the newest last."""
    text = (root / "changelogs" / "changelog.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["releases"])


def versions(root: pathlib.Path = ROOT) -> dict[str, str]:
    """Return the version that each place names; the tag's only where the commit has one."""
    galaxy = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
    client = (root / "plugins" / "module_utils" / "_api" / "cloud.py").read_text(encoding="utf-8")
    agent = re.search(r'"huaweicloud\.recovery/(\S+) ', client)
    found = {
        "galaxy.yml": str(galaxy["version"]),
        "changelogs/changelog.yaml": list(releases(root))[-1],
        "the User-Agent": agent[1] if agent else "none",
    }
    tags = artifact.git("tag", "--points-at", "HEAD").decode().split()
    return {**found, **{f"the tag {tag}": tag.removeprefix("v") for tag in tags}}


def unreleased(root: pathlib.Path = ROOT) -> list[str]:
    """Return the fragments that no release of the changelog has."""
    known = {name for release in releases(root).values() for name in release.get("fragments", ())}
    return sorted({path.name for path in (root / "changelogs" / "fragments").glob("*.y*ml")} - known)


def refusal(named: dict[str, str], fragments: list[str]) -> str:
    """Return why nothing may be built, or a blank. Without a tag, fragments may wait for a release."""
    if len(set(named.values())) != 1:
        pairs = ", ".join(f"{place} {one}" for place, one in named.items())
        return f"These name different versions: {pairs}"
    if fragments and any(place.startswith("the tag ") for place in named):
        command = "python3 tests/tools/run.py antsibull-changelog release"
        return f"The changelog lacks {', '.join(fragments)}. Add what is missing with: {command}"
    return ""


def materials(built: pathlib.Path, version: str) -> pathlib.Path:
    """Write the artifact's bill of materials: the packages that it needs when it runs."""
    target = built.with_suffix("").with_suffix(".cdx.json")
    requirements = str(ROOT / "meta" / "ee-requirements.txt")
    command = ["cyclonedx-py", "requirements", "--output-reproducible", "--of", "JSON", "-o", str(target)]
    subprocess.run([*command, requirements], check=True, stderr=subprocess.DEVNULL)
    content = json.loads(target.read_text(encoding="utf-8"))
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    content["metadata"]["component"] = {
        "bom-ref": "huaweicloud.recovery",
        "type": "library",
        "name": "huaweicloud.recovery",
        "version": version,
        "licenses": [{"license": {"id": "GPL-3.0-or-later"}}],
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    needed = [part["bom-ref"] for part in content["components"]]
    content["dependencies"].append({"ref": "huaweicloud.recovery", "dependsOn": needed})
    target.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return target


def main() -> int:
    named, fragments = versions(), unreleased()
    version = named["galaxy.yml"]
    if why := refusal(named, fragments):
        sys.exit(why)
    subprocess.run(["reuse", "--root", str(ROOT), "lint", "--lines"], check=True)
    shutil.rmtree(RELEASE, ignore_errors=True)  # the files of another version
    built = artifact.build_committed(RELEASE)
    with tempfile.TemporaryDirectory() as scratch:
        again = artifact.build_committed(pathlib.Path(scratch))
        if built.read_bytes() != again.read_bytes():
            sys.exit("Two builds differ.")
        artifact.install(built, pathlib.Path(scratch) / "collections")
    files = [built, materials(built, version)]
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (RELEASE / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(f"Version {version}, the same bytes twice:\n{sums}", end="")
    if fragments:
        print(f"Not to be published: the changelog lacks {', '.join(fragments)}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
