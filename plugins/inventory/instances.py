# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: instances
short_description: DCS and DDM instances as hosts
version_added: 1.0.0
author: the huaweicloud.recovery contributors (@huaweicloud-recovery)
description:
  - Makes every Distributed Cache Service (DCS) and Distributed Database Middleware (DDM) instance of a project a host,
    for playbooks that restore a whole fleet, such as C(huaweicloud.recovery.fleet).
  - Reads a file whose name ends in C(.huaweicloud.yml), C(.huaweicloud.yaml), C(huaweicloud_recovery.yml) or C(huaweicloud_recovery.yaml).
  - A host is named like its instance. It is named by the ID of the instance when it has no name, when another instance has the same,
    or when the name holds anything but letters, digits, C(.), C(_) and C(-).
  - Every host has the variables C(service) (V(dcs) or V(ddm)), C(region), C(instance_id), C(instance_name), C(status) and the other fields that
    M(huaweicloud.recovery.dcs_instance_info) and M(huaweicloud.recovery.ddm_instance_info) return. Ansible keeps the words C(name) and C(port) for itself,
    so they are the variables C(instance_name) and C(instance_port). The expressions in O(compose), O(groups) and O(keyed_groups) can use either word.
    Its connection is local, with Ansible's own Python, because no one logs in to an instance.
extends_documentation_fragment:
  - huaweicloud.recovery._connection
  - constructed
  - inventory_cache
options:
  plugin:
    description: V(huaweicloud.recovery.instances).
    type: str
    required: true
    choices: [huaweicloud.recovery.instances]
  services:
    description: Services whose instances become hosts.
    type: list
    elements: str
    choices: [dcs, ddm]
    default: [dcs, ddm]
  regions:
    description:
      - Regions to look in, instead of O(region).
      - With several of them the project of each is the one that is named like the region, because a project lies in one region only. O(project_id),
        O(project_name) and their environment variables have no place then.
      - An endpoint that is given in an option or environment variable holds for all of them.
    type: list
    elements: str
    default: []
  statuses:
    description: Only instances in one of these states become hosts, for example V(RUNNING). All do when the list is empty.
    type: list
    elements: str
    default: []
seealso:
  - module: huaweicloud.recovery.dcs_instance_info
  - module: huaweicloud.recovery.ddm_instance_info
"""

EXAMPLES = r"""
# fleet.huaweicloud.yml; the credentials are in HW_ACCESS_KEY and HW_SECRET_KEY
plugin: huaweicloud.recovery.instances
regions: [ap-southeast-3, eu-west-101]
statuses: [RUNNING]
keyed_groups:
  # dcs and ddm, region_ap_southeast_3, vpc_...
  - {key: service, separator: ""}
  - {key: region, prefix: region}
  - {key: vpc_id, prefix: vpc}
groups:
  drill: name is search('-drill$')
compose:
  # for the playbook huaweicloud.recovery.fleet
  operation_id: "'drill-2026-11'"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /tmp/instances
cache_timeout: 600
"""

import hashlib
import json
import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import (
    ENVIRONMENT,
    SECRETS,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.deps import IMPORT_ERROR
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import CONNECTION
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import perform
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.dcs.api import Dcs
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.ddm.api import Ddm
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import (
    from_cloud,
    host_names,
    our_template,
)

Row = dict[str, t.Any]
FILES = tuple(f"{end}.{kind}" for end in (".huaweicloud", "huaweicloud_recovery") for kind in ("yml", "yaml"))
PROJECT = ("project_id", "project_name")
RESERVED = ("name", "port")  # Ansible warns of variables named like keywords of a play


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Instances as hosts."""

    NAME = "huaweicloud.recovery.instances"

    def verify_file(self, path: str) -> bool:
        """Whether a file is meant for this plugin, by its name."""
        return super().verify_file(path) and path.endswith(FILES)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add a host for each instance."""
        super().parse(inventory, loader, path, cache)
        if IMPORT_ERROR:
            raise AnsibleParserError(missing_required_lib("requests"))
        self._read_config_data(path)
        rows = self.rows(path, cache)
        statuses = self.get_option("statuses")
        for host, row in zip(host_names(rows), rows):
            if not statuses or row["status"] in statuses:
                self.add(host, row)

    def rows(self, path: str, cache: bool) -> list[Row]:
        """Return the instances of all regions and services, from the cache when it answers the same question."""
        question = [self.get_option("services"), self.get_option("regions"), self.caller()]
        caching, key = self.get_option("cache"), self.get_cache_key(path)
        kept = self._cache.get(key) if caching and cache else None
        if kept and kept["question"] == question:
            return kept["rows"]
        found = {row["instance_id"]: row for region in question[1] or [None] for row in self.ask(region)}
        rows = list(found.values())
        if caching:
            self._cache[key] = {"question": question, "rows": rows}
        return rows

    def caller(self) -> str:
        """Return a digest of whom and where to ask: what another account or region has is no answer."""
        known = {
            name: self.templar.template(self.get_option(name)) for name in CONNECTION if name not in SECRETS
        }
        known.update(
            {
                variable: os.environ.get(variable)
                for option in known
                for variable in ENVIRONMENT.get(option, ())
            }
        )
        return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()

    def ask(self, region: str | None) -> list[Row]:
        """Return the instances of one region."""
        params = {name: self.templar.template(self.get_option(name)) for name in CONNECTION}
        environ = dict(os.environ)
        if region:
            params["region"] = region
        if len(self.get_option("regions")) > 1:
            if any(params[name] for name in PROJECT):
                raise AnsibleParserError(
                    "project_id and project_name belong to one region: leave them out when there are several regions."
                )
            environ = {
                name: value
                for name, value in environ.items()
                if name not in [*ENVIRONMENT["project_id"], *ENVIRONMENT["project_name"]]
            }
        secrets: set[str] = set()
        answer = remove_values(perform(self.look, params, {}, {}, True, secrets, environ=environ), secrets)
        if answer.get("failed"):
            raise AnsibleParserError(
                f"{answer['msg']} ({answer['error_kind']}{', region ' + region if region else ''})"
            )
        return answer["rows"]

    def look(self, cloud: Cloud, params: Row) -> Plan:
        """Read the instances of the services asked for."""
        lists: dict[str, t.Callable[[], list[Row]]] = {
            "dcs": Dcs(cloud).instances,
            "ddm": Ddm(cloud).instances,
        }
        rows: list[Row] = []
        for service in self.get_option("services"):
            for row in lists[service]():
                rows.append(
                    {"service": service, "region": cloud.region, "instance_id": row.pop("id", None), **row}
                )
        return Plan({"rows": rows})

    def add(self, host: str, row: Row) -> None:
        """Add one host, its variables and the groups it belongs to."""
        variables = {name: from_cloud(value) for name, value in row.items()}
        variables.update({f"instance_{name}": variables[name] for name in RESERVED if name in variables})
        local = {
            "ansible_connection": "local",
            "ansible_python_interpreter": our_template("{{ ansible_playbook_python }}"),
        }
        self.inventory.add_host(host)
        for name, value in {**variables, **local}.items():
            if name not in RESERVED:
                self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict)
