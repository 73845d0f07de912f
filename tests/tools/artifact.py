# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the artifact and install it into a folder: `artifact.py FOLDER`.

It makes FOLDER/ansible_collections/huaweicloud/recovery. An artifact holds tracked files only, as the last
commit has them, and has the same bytes wherever it is built: names are sorted, and times are those of the
commit. A checkout with uncommitted changes is refused. Tests and the demo build from the checkout as it is,
tracked files only.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def git(*arguments: str) -> bytes:
    """Return what git prints about the checkout."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def copy_tree(target: pathlib.Path, untracked: bool = False) -> None:
    """Replace `target` by the checkout's tracked files and, on request, by those that git would add."""
    shutil.rmtree(target, ignore_errors=True)
    others = ["--others", "--exclude-standard"] if untracked else []
    for name in filter(None, git("ls-files", "-z", "--cached", *others).split(b"\0")):
        source = ROOT / os.fsdecode(name)
        if source.is_file():  # a file deleted but not yet committed is still listed
            copy = target / os.fsdecode(name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def build(folder: pathlib.Path) -> pathlib.Path:
    """Build the artifact of the checkout's tracked files into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        tree, built = pathlib.Path(scratch) / "tree", pathlib.Path(scratch) / "built"
        copy_tree(tree)
        command = ["ansible-galaxy", "collection", "build", "--output-path", str(built), str(tree)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (made,) = built.glob("*.tar.gz")
        artifact = folder / made.name
        artifact.write_bytes(reproducible(made.read_bytes(), int(git("log", "-1", "--format=%ct"))))
    return artifact


def build_committed(folder: pathlib.Path) -> pathlib.Path:
    """Build the artifact of the last commit. Exit when a tracked file differs; name the untracked ones."""
    states = git("status", "--porcelain").decode(errors="replace").splitlines()
    changes = [line for line in states if not line.startswith("??")]
    if changes:
        listed = "\n".join(changes[:10])
        sys.exit(f"The checkout differs from its last commit; commit or stash this first:\n{listed}")
    for line in states[:10]:
        print(f"Left out, because git does not track it: {line[3:]}", file=sys.stderr)
    return build(folder)


def reproducible(artifact: bytes, time: int) -> bytes:
    """Return an artifact whose bytes depend on the files and on `time` (seconds since the epoch) only.

    ansible-galaxy lists files in the order of the file system, and stamps them with the build's time and
    user.
    """
    files: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    with tarfile.open(fileobj=io.BytesIO(artifact), mode="r:gz") as packed:
        for member in packed.getmembers():
            stream = packed.extractfile(member)
            files[member.name] = member, stream.read() if stream else b""
    listing = json.loads(files["FILES.json"][1])
    listing["files"].sort(key=lambda entry: entry["name"])
    files["FILES.json"] = files["FILES.json"][0], json.dumps(listing, indent=True).encode()
    manifest = json.loads(files["MANIFEST.json"][1])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(files["FILES.json"][1]).hexdigest()
    files["MANIFEST.json"] = files["MANIFEST.json"][0], json.dumps(manifest, indent=True).encode()
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as packing:
        for name in sorted(files):
            member, content = files[name]
            member.mtime, member.uid, member.gid, member.uname, member.gname = time, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.size = len(content)
            member.pax_headers = {}
            packing.addfile(member, io.BytesIO(content) if member.isfile() else None)
    zipped = io.BytesIO()
    # In some versions of Python gzip.compress() writes the system into the header.
    with gzip.GzipFile("", "wb", fileobj=zipped, mtime=0) as zipping:
        zipping.write(plain.getvalue())
    return zipped.getvalue()


def install(artifact: pathlib.Path, folder: pathlib.Path) -> None:
    """Install the artifact below `folder`, without asking any server."""
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--offline", "--force", "--collections-path", str(folder)]
    # Otherwise Ansible warns that the folder is not among its collection paths.
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    command = ["ansible-galaxy", "collection", "install", *options, str(artifact)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)


def main() -> None:
    target = pathlib.Path(sys.argv[1]).absolute()
    artifact = build_committed(target)
    install(artifact, target / "collections" if len(sys.argv) < 3 else pathlib.Path(sys.argv[2]).absolute())
    print(artifact)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
