# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module for tests that speaks in every way in which a module can, even those that ours do not use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    AnsibleModule: Any  # Ansible has no type information
else:
    from ansible.module_utils.basic import AnsibleModule

OURS = "huaweicloud.recovery"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "old": {"type": "str", "removed_in_version": "9.0.0", "removed_from_collection": OURS},
            "new": {
                "type": "str",
                "aliases": ["ancient"],
                "deprecated_aliases": [{"name": "ancient", "date": "2099-01-01", "collection_name": OURS}],
            },
            "password": {"type": "str", "no_log": True},
            "fails": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    module.warn("Mind the gap.")
    module.deprecate("Mind the other gap.", version="9.0.0", collection_name=OURS)
    module.deprecate("Mind the last gap.", date="2099-01-01", collection_name=OURS)
    found = {
        "changed": not module.check_mode,
        "diff": {"before": {"text": "größer"}, "after": {"text": "{{ 1 + 1 }}"}},
        "values": [
            1,
            1.5,
            None,
            True,
            "数据库 \u2028 {{ 1 + 1 }}",
            {"with_password": f"before {module.params['password']} after"},
        ],
        "ansible_facts": {"talked": "{{ 1 + 1 }}"},
        "warnings": ["A last word."],
        "_ansible_verbose_always": True,
    }
    if module.params["fails"]:
        module.fail_json(msg="It was asked to fail.", **found)
    module.exit_json(**found)


if __name__ == "__main__":
    main()
