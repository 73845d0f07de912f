# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the documentation as HTML to .work/docs/build/html without a network. Fail on every dead reference.

Galaxy shows the Markdown files of docs/ and no others, so the guides are written there as well.
"""

from __future__ import annotations

import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import zlib

DOCS = pathlib.Path(".work") / "docs"
# References from the generated pages into Ansible's documentation. Looking them up would need a network.
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
# What the role and the playbook fleet alone use: documented as Ansible demands, and of no use to readers.
PRIVATE = [
    "restore_step_module",
    *(f"restore_{name}_filter" for name in ("failed", "fleet", "here", "serial")),
]
# The theme neither wraps the cells of tables nor leaves the lines of output as they are, and it cuts off
# long names of modules. On a phone it shows the last column only to those who scroll. Where that is the
# advice, the table is `stacked`.
STYLE = """.wy-table-responsive table td, .wy-table-responsive table th { white-space: normal !important }
.wy-table-responsive code { white-space: normal !important; overflow-wrap: anywhere }
.highlight pre { white-space: pre !important; overflow-x: auto }
h1, .wy-menu-vertical a, .wy-breadcrumbs { overflow-wrap: anywhere }
@media (max-width: 600px) {
  table.stacked, table.stacked :is(tbody, tr, td) { display: block; border-width: 0 !important }
  table.stacked :is(thead, colgroup) { display: none }
  table.stacked td:first-child { font-weight: bold; padding-top: 12px }
}
"""
IMAGES = "https://raw.githubusercontent.com/huaweicloud-recovery/huaweicloud.recovery/main/docs/images/"
PLAYBOOK = re.compile(r"^\| (?:role and )?playbook `(\w+)` \| (.*) \|$", re.MULTILINE)
VARIABLES = [
    "ANSIBLE_CACHE_PLUGIN",
    "ANSIBLE_CACHE_PLUGIN_CONNECTION",
    "ANSIBLE_CACHE_PLUGIN_PREFIX",
    "ANSIBLE_CACHE_PLUGIN_TIMEOUT",
]


def inventory() -> bytes:
    """A Sphinx inventory, version 2."""
    head = (
        "# Sphinx inventory version 2\n# Project: Ansible\n# Version: devel\n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    entries = [
        f"{label} std:label -1 {page}#{label.replace('_', '-')} {label}" for label, page in LABELS.items()
    ]
    entries += [
        f"{name} std:envvar -1 reference_appendices/config.html#envvar-{name} -" for name in VARIABLES
    ]
    return head.encode() + zlib.compress("\n".join([*entries, ""]).encode())


def playbooks() -> str:
    """The index of the playbooks, in the words of README.md: antsibull-docs makes none."""
    rows = PLAYBOOK.findall(pathlib.Path("README.md").read_text(encoding="utf-8"))
    words = [(name, text[0].upper() + text[1:].replace("`", "``")) for name, text in rows]
    lines = [f"* ``huaweicloud.recovery.{name}`` -- {text}" for name, text in words]
    head = (
        "Playbook Index\n--------------\n\nThese are the playbooks in the huaweicloud.recovery collection:\n"
    )
    return "\n".join(["", head, *lines, ""])


def in_order(index: str) -> str:
    """The changelog after the guides: antsibull-docs puts it before them."""
    changelog = re.compile(r"^\.\. _changelog_section_.*?^    changelog\n\n", re.MULTILINE | re.DOTALL)
    (section,) = changelog.findall(index)
    return changelog.sub("", index).replace(".. _plugin_index_", f"{section}.. _plugin_index_", 1)


def tidy(pages: pathlib.Path) -> None:
    """Remove private files from the index, add the playbooks, and take pictures from the checkout."""
    index = pages / "index.rst"
    text = index.read_text(encoding="utf-8")
    for page in PRIVATE:
        name = page.rpartition("_")[0]
        text = re.sub(rf"^( *{page}|\* :ansplugin:`{name} .*)\n", "", text, flags=re.MULTILINE)
        (pages / f"{page}.rst").unlink()
    text = in_order(text)
    text = re.sub(r"\A\.\. meta::\n.*\n", "", text)  # sphinx-build -b markdown warns of it
    index.write_text(text + playbooks(), encoding="utf-8")
    shutil.copytree(pathlib.Path("docs") / "images", pages / "docsite" / "images", dirs_exist_ok=True)
    for path in (pages / "docsite").glob("*.rst"):
        text = path.read_text(encoding="utf-8").replace(f":target: {IMAGES}", ":target: ../_images/")
        path.write_text(text.replace(IMAGES, "images/"), encoding="utf-8")


def dead(site: pathlib.Path) -> list[str]:
    """Return the links to files of the site that are not there; / is the theme's own link."""
    link = re.compile(r'(?:href|src)="([^"#?:]+)[^":]*"')
    links = [(page, to) for page in site.rglob("*.html") for to in link.findall(page.read_text("utf-8"))]
    return sorted({f"{page}: {to}" for page, to in links if to != "/" and not (page.parent / to).exists()})


GUIDES = pathlib.Path("docs") / "docsite" / "rst"
GALAXY = "https://galaxy.ansible.com/ui/repo/published/huaweicloud/recovery/content/"
HEAD = """<!--
Copyright (c) 2026 the huaweicloud.recovery contributors
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
Made by `make docs` from {path}, sha256 {digest}
-->

"""
PLAIN = [  # what a Markdown page that stands alone does not need, or names in another way
    (r"\A.*?(?=^# )", ""),
    (r"^<a id=.*\n\n", ""),
    (r"^<!-- .* -->\n", ""),
    (r"^> \* \[.*\n(> .*\n)*\n?", ""),  # the contents: Galaxy and GitHub have their own
    (r"(\]\(\w+\.md)#ansible-collections-[\w-]*", r"\1"),
    (r"\]\(\.\./(\w+)_(module|filter|role|inventory)\.md[^)]*", rf"]({GALAXY}\2/\1/"),
    (r"\]\(docsite/images/", "](images/"),
    (r"^\[(!\[.*\]\(images/.*\))\]\(.*images/.*\)$", r"\1"),
    (r"(?<=\S) +\|(?= |$)", " |"),
    (r"-{4,}(?=\|)", "---"),
    (r"<br/>", " "),
    (r"^(`.*`)\n: (.*)$", r"- \1: \2"),  # a list of definitions
]


def head(guide: pathlib.Path) -> str:
    """The head of a guide's Markdown page, which says from which text it was made."""
    return HEAD.format(path=guide.as_posix(), digest=hashlib.sha256(guide.read_bytes()).hexdigest())


def markdown() -> None:
    """Write each guide as docs/NAME.md."""
    options = ["-D", "smartquotes=0", "-D", "suppress_warnings=*", "-q", "-q"]
    names = "sphinx.ext.intersphinx,sphinx_antsibull_ext,sphinx_markdown_builder"
    sphinx = ["sphinx-build", "-b", "markdown", "-c", ".", "-D", f"extensions={names}", *options]
    guides = sorted(GUIDES.glob("*.rst"))
    pages = [f"rst/docsite/{guide.name}" for guide in guides]
    subprocess.run([*sphinx, "rst", "build/markdown", *pages], cwd=DOCS, check=True)
    for guide in guides:
        text = (DOCS / "build" / "markdown" / "docsite" / f"{guide.stem}.md").read_text(encoding="utf-8")
        for pattern, plain in PLAIN:
            text = re.sub(pattern, plain, text, flags=re.MULTILINE | (re.DOTALL if "\\A" in pattern else 0))
        (pathlib.Path("docs") / f"{guide.stem}.md").write_text(
            head(guide) + text.strip() + "\n", encoding="utf-8"
        )


def main() -> None:
    DOCS.mkdir(parents=True, exist_ok=True)
    DOCS.chmod(0o755)  # antsibull-docs wants to be the only one who can write there
    project = [
        "--project",
        "huaweicloud.recovery",
        "--copyright",
        "the huaweicloud.recovery contributors",
        "--title",
        "huaweicloud.recovery",
    ]
    layout = [
        "--use-current",
        "--squash-hierarchy",
        "--dest-dir",
        str(DOCS),
        *project,
        "huaweicloud.recovery",
    ]
    subprocess.run(["antsibull-docs", "sphinx-init", *layout], check=True, stdout=subprocess.DEVNULL)
    (DOCS / "ansible_devel.inv").write_bytes(inventory())
    conf = DOCS / "conf.py"
    core = "https://docs.ansible.com/projects/ansible/devel/"
    ansible = f"intersphinx_mapping = {{'ansible_devel': ('{core}', '../ansible_devel.inv')}}\n"
    (DOCS / "static").mkdir(exist_ok=True)
    (DOCS / "static" / "wrap.css").write_text(STYLE, encoding="utf-8")
    ansible += "html_static_path = ['static']\nhtml_css_files = ['wrap.css']\n"
    conf.write_text(
        re.sub(
            r"intersphinx_mapping = \{.*?\n\}\n", ansible, conf.read_text(encoding="utf-8"), flags=re.DOTALL
        ),
        encoding="utf-8",
    )
    pages = DOCS / "rst"
    pages.mkdir(exist_ok=True)
    pages.chmod(0o755)
    collection = ["collection", "--cleanup", "everything", "--use-current", "--squash-hierarchy"]
    named = ["--dest-dir", "rst", "huaweicloud.recovery"]
    subprocess.run(
        ["antsibull-docs", "--config-file", "antsibull-docs.cfg", *collection, *named], cwd=DOCS, check=True
    )
    tidy(pages)
    sphinx = ["sphinx-build", "-M", "html", "rst", "build", "-c", ".", "-W", "--keep-going", "-q"]
    subprocess.run(sphinx, cwd=DOCS, check=True)
    if links := dead(DOCS / "build" / "html"):
        sys.exit("\n".join(["These links lead nowhere:", *links]))
    markdown()
    print(DOCS / "build" / "html" / "index.html")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
