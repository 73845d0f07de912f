# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release checks before it builds anything."""

from __future__ import annotations

from pathlib import Path

from tests.tools import release

CHANGELOG = "releases: {1.9.0: {fragments: [7.yml]}, 1.10.0-rc.1: {fragments: [8.yaml]}}"


def checkout(folder: Path) -> Path:
    """Return a checkout of a version that comes before a release."""
    files = {
        "galaxy.yml": "version: 1.10.0-rc.1",
        "changelogs/changelog.yaml": CHANGELOG,
        "plugins/module_utils/_api/cloud.py": 'AGENT = "huaweicloud.recovery/1.10.0-rc.1 (Ansible)"',
        "changelogs/fragments/7.yml": "",
        "changelogs/fragments/8.yaml": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_fragment_that_is_not_in_the_changelog_is_named(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    assert release.unreleased(root) == []
    (root / "changelogs" / "fragments" / "9.yaml").touch()
    assert release.unreleased(root) == ["9.yaml"]


def test_each_place_names_its_version(tmp_path: Path) -> None:
    places = ("galaxy.yml", "changelogs/changelog.yaml", "the User-Agent")
    found = release.versions(checkout(tmp_path))
    assert {name: found[name] for name in places} == dict.fromkeys(places, "1.10.0-rc.1")


def test_fragments_may_wait_until_there_is_a_tag() -> None:
    """The build of every week must not fail because a change waits for the next release."""
    untagged = {"galaxy.yml": "1.0.0", "the User-Agent": "1.0.0"}
    tagged = {**untagged, "the tag 1.0.0": "1.0.0"}
    assert release.refusal(untagged, ["9.yaml"]) == release.refusal(tagged, []) == ""
    assert release.refusal(tagged, ["9.yaml"]).startswith("The changelog lacks 9.yaml. ")
    other = {**untagged, "the tag v1.0.1": "1.0.1"}
    assert "the tag v1.0.1 1.0.1" in release.refusal(other, [])
