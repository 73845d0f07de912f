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
  - Makes every Distributed Cache Service (DCS) and Distributed Database Middleware (DDM) instance of a
    project a host, for playbooks that restore a whole fleet, such as C(huaweicloud.recovery.fleet).
  - Reads a file whose name ends in C(.huaweicloud.yml), C(.huaweicloud.yaml), C(huaweicloud_recovery.yml) or
    C(huaweicloud_recovery.yaml).
  - A host has the name of its instance. It is named after the ID when the instance has no name, shares its
    name with another instance, or has a name with other characters than letters, digits, C(.), C(_) and
    C(-).
  - Every host has the variables C(service) (V(dcs) or V(ddm)), C(region), C(instance_id), C(instance_name),
    C(project_id), C(status) and the other fields that M(huaweicloud.recovery.dcs_instance_info) and
    M(huaweicloud.recovery.ddm_instance_info) return. Ansible keeps the words C(name), C(port) and C(tags) for
    itself, so they are the variables C(instance_name), C(instance_port) and C(instance_tags). The expressions
    in O(compose), O(groups) and O(keyed_groups) can use either word. The connection of a host is local, with
    Ansible's own Python, because nothing logs in to an instance.
  - With O(profile) or O(shared_config_file) every host has the variables C(profile) and
    C(shared_config_file), so that the playbook that restores it signs in as the inventory did. Keys are never
    among the variables. The playbook C(huaweicloud.recovery.fleet) refuses a host when its own keys lead to
    another project than the C(project_id) in which the host was listed.
  - An expression in O(compose) that fails, for example because a variable is missing, makes the source fail
    when the playbook C(huaweicloud.recovery.fleet) reads the variable. Without its C(restore_point) a host
    would be restored to another point in time. For other variables O(strict) decides.
  - Ansible never runs texts from the cloud as templates. An exported inventory may show them as
    C(__ansible_unsafe).
  - The plugin uses a cache in files only when its folder and file belong to the user who runs Ansible and
    nobody else can write there.
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
    description:
      - Services whose instances become hosts, V(dcs) and V(ddm). May be a template.
      - Name only V(dcs) in a region that does not have DDM.
    type: list
    elements: str
    default: [dcs, ddm]
  regions:
    description:
      - Regions to search, instead of O(region). May be a template, which may return a list.
      - When a region or one of its services cannot be read, the plugin warns and goes on with the others. The
        variable C(huaweicloud_recovery_unread) of the group C(all) is a list with C(region), C(error_kind)
        and C(msg) of each of them, so that a playbook can refuse to treat a part of a fleet as the whole. An
        instance that the API does not return as documented does not become a host and is listed there, too.
        The list is empty when everything could be read.
        P(huaweicloud.recovery.instances#inventory) fails when something cannot be read and no instance was
        found.
      - With several regions, the plugin uses in each one the project that has the name of the region, because
        a project belongs to one region. In this case you cannot set O(project_id), O(project_name) or their
        environment variables.
      - An endpoint from an option or environment variable applies to all regions.
    type: list
    elements: str
    default: []
  statuses:
    description:
      - Only instances in one of these states become hosts, for example V(RUNNING). When the list is empty,
        all instances do. May be a template.
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
# Only you may be able to write there: whoever writes the cache decides which instance a host name means.
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/huaweicloud-recovery
cache_timeout: 600
"""

import functools
import hashlib
import json
import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.credentials import (
    ENVIRONMENT,
    SDK_FILE_VARIABLE,
    SECRETS,
    TOKEN,
    resolve,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.deps import IMPORT_ERROR
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    ProtocolError,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.text import (
    Redactor,
    near,
    printable,
    quoted,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._arguments import (
    CONNECTION,
    RANGES,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._protocol.plan import Plan, execute
from ansible_collections.huaweicloud.recovery.plugins.module_utils._runner import (
    normalized,
    perform,
    result_of,
    without_blanks,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._services.all import SERVICES
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._entries import OF_A_HOST
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._hosts import host_names
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._options import OF_THE_RUN
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._settings import (
    Problem,
    flag,
    names,
    number,
    type_word,
    unset,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._templates import (
    evaluated,
    from_cloud,
    our_template,
)
from ansible_collections.huaweicloud.recovery.plugins.plugin_utils._writable import others_can_write

Row = dict[str, t.Any]
FILES = tuple(f"{end}.{kind}" for end in (".huaweicloud", "huaweicloud_recovery") for kind in ("yml", "yaml"))
PROJECT = ("project_id", "project_name")
UNREAD = "huaweicloud_recovery_unread"
SEVERAL = (
    " With several regions, write an inventory file for each region, with a profile that has the projectId "
    "of the region, so that what it lists is restored there, too."
)
LISTS = ("services", "regions", "statuses")
# names of a connection option in a file -> its name
CALLED = {
    called: name
    for name, option in CONNECTION.items()
    for called in (*t.cast("t.Iterable[str]", option.get("aliases", ())), name)
}
HIGHEST = 10**9  # for a number without a range
NEEDED = {"service", "name", "instance_id", "project_id", "region", "status"}  # of a row in the cache
TEXT = (str, type(None))  # types of these
RESERVED = ("name", "port", "tags")  # Ansible warns about variables with the names of play keywords.


def refuse_unknown(config: t.Iterable[t.Any], definitions: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
    """Raise AnsibleParserError for an unknown option: a filter with a typo would filter nothing."""
    aliases = (str(one) for option in definitions.values() for one in option.get("aliases") or ())
    known = sorted({*definitions, *aliases})
    for name in config:
        if name not in known:
            raise AnsibleParserError(f"There is no option {quoted(name)}.{near(name, known)}")


def result_of_plan(plan: t.Callable[[], Plan], redactor: Redactor) -> Row:
    """Return the result of a plan that only reads, or why it failed."""
    return result_of(lambda: execute(plan(), True), lambda: False, False, redactor)


def unreadable(cloud: Cloud, failed: Row, what: str, advice: str) -> Row:
    """Return why a service of a region, or the whole region, cannot be read. `what` names it."""
    msg = f"{what} cannot be read: {failed['msg']}" if what else failed["msg"]
    return {"region": cloud.region, "error_kind": failed["error_kind"], "msg": f"{msg}{advice}"}


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Instances as hosts."""

    NAME = "huaweicloud.recovery.instances"

    def verify_file(self, path: str) -> bool:
        """Whether a file is meant for this plugin, by its name."""
        return super().verify_file(path) and path.endswith(FILES)

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """Let ansible-core read only other options: it would give a template a type before it is rendered."""
        direct = {name: value for name, value in (direct or {}).items() if name not in (*CALLED, *LISTS)}
        super().set_options(task_keys, var_options, direct)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add a host for each instance."""
        super().parse(inventory, loader, path, cache)
        if IMPORT_ERROR:
            raise AnsibleParserError(missing_required_lib("requests"))
        config = self._read_config_data(path)
        refuse_unknown(config, self.option_definitions)
        self.templar.available_variables = self._vars  # extra variables
        try:
            services, regions, statuses = (self.list_option(config, name) for name in LISTS)
            self.params = self.connection(config)
        except (Problem, InvalidArgument) as problem:
            raise AnsibleParserError(str(problem)) from None
        odd = [name for name in services if name not in SERVICES]
        if odd or not services:
            given = ", ".join(odd) or "an empty list"
            raise AnsibleParserError(f"services must be one or more of {', '.join(SERVICES)}, not {given}.")
        self.services, self.regions = services, regions
        rows = self.rows(path, cache)
        wanted = [
            (host, row)
            for host, row in zip(host_names(rows), rows)
            if not statuses or row["status"] in statuses
        ]
        for host, row in self.with_distinct_names(path, wanted):
            self.add(host, row)
        if rows and not wanted:
            there = ", ".join(sorted({printable(row["status"]) for row in rows}))
            Display().warning(
                f"{path} has no hosts: none of {len(rows)} instances has one of the statuses "
                f"{', '.join(statuses)}. Their statuses are {there}."
            )

    def with_distinct_names(self, path: str, wanted: list[tuple[str, Row]]) -> list[tuple[str, Row]]:
        """Return the hosts, those by their ID whose name another source has given to another instance."""
        ids = {name: host.vars.get("instance_id") for name, host in self.inventory.hosts.items()}
        taken = {host: row for host, row in wanted if ids.get(host) not in (None, row["instance_id"])}
        if taken:
            more = f" and {len(taken) - 5} more" if len(taken) > 5 else ""
            Display().warning(
                f"Another source has other instances with the names {', '.join([*taken][:5])}{more}. "
                f"So the hosts of {path} for such instances have their IDs as names."
            )
        return [(row["instance_id"] if host in taken else host, row) for host, row in wanted]

    def list_option(self, config: dict[str, t.Any], name: str) -> list[str]:
        """Return a list option without blanks. A template may make each entry or the whole list."""
        value = evaluated(self.templar.template, config.get(name))
        return names(self.get_option(name) if unset(value) and value != [] else value, name)

    def connection(self, config: dict[str, t.Any]) -> Row:
        """Return the connection options as a module has them: rendered, without blanks, then with types.

        Raises Problem or InvalidArgument.
        """
        found: Row = {}
        for called, name in CALLED.items():
            value = evaluated(self.templar.template, config.get(called))
            # An empty list of allowed projects must not allow all of them.
            if (not unset(value) or value == []) and str(found.setdefault(name, value)) != str(value):
                raise Problem(f"{name} has two values, one of them under another name. Give only one.")
        found = normalized(without_blanks(found), CONNECTION)
        for name, value in found.items():
            kind = CONNECTION[name]["type"]
            if kind == "bool":
                found[name] = flag(value, name)
            elif kind == "int":
                found[name] = number(value, name, *RANGES.get(name, (0, HIGHEST)))
            elif kind != "list" and isinstance(value, (list, dict)):
                raise Problem(f"{name} must be text, not a {type_word(value)}.")
        checked = ArgumentSpecValidator(CONNECTION).validate(found)
        if checked.error_messages:
            raise Problem(checked.error_messages[0])
        params: Row = {name: checked.validated_parameters.get(name) for name in CONNECTION}
        paths = [name for name, option in CONNECTION.items() if option["type"] == "path" and params[name]]
        return {**params, **{name: os.path.abspath(params[name]) for name in paths}}

    def rows(self, path: str, cache: bool) -> list[Row]:
        """Return the instances of all regions and services, from the cache if it is valid for these
        options."""
        question = [self.services, self.regions, self.caller()]
        key = self.get_cache_key(path)
        caching = self.get_option("cache") and self.is_trusted_cache(key)
        found = self.cached(key, question) if caching and cache else None
        if found is not None:
            self.publish_unread([])
            return found
        rows, unread = self.read()
        for fault in unread:
            missing = "Instances that cannot be read are not in the inventory."
            Display().warning(f"{fault['msg']} ({fault['error_kind']}) {missing}")
        self.publish_unread(unread)
        if caching and not unread:
            self._cache[key] = {"question": question, "rows": rows}
        return rows

    def publish_unread(self, unread: list[Row]) -> None:
        """Set the variable about what cannot be read, also if it is empty: AWX keeps the value of an earlier
        update. Other sources of this run may have set it.
        """
        earlier = self.inventory.groups["all"].get_vars().get(UNREAD) or []
        self.inventory.set_variable("all", UNREAD, [*earlier, *from_cloud(unread)])

    def cached(self, key: str, question: list[t.Any]) -> list[Row] | None:
        """Return the rows in the cache; None if it is for other options, is damaged, or comes from a release
        whose rows had fewer keys.
        """
        try:
            found = self._cache.get(key)
        except Exception:  # a cache plugin may raise anything for a file that it has not written
            return None
        same = isinstance(found, dict) and found.get("question") == question
        rows = found.get("rows") if same else None
        whole = isinstance(rows, list) and all(
            isinstance(row, dict) and all(isinstance(row.get(name, 0), TEXT) for name in NEEDED)
            for row in rows
        )
        return rows if whole else None

    def is_trusted_cache(self, key: str) -> bool:
        """Whether the cache is not a file, or a file that nobody else can have written."""
        folder = getattr(self._cache._plugin, "_cache_dir", None)
        fault = others_can_write(str(folder), key) if folder else None
        if fault:
            Display().warning(f"The inventory cache is not used: {fault}.")
        return fault is None

    def read(self) -> tuple[list[Row], list[Row]]:
        """Return the instances of all readable regions and services, and why the others are unreadable.

        Raises if no instance was found and something is unreadable.
        """
        found: dict[str, Row] = {}
        unread: list[Row] = []
        for region in self.read_regions([*self.regions] or [None]):
            found.update((row["instance_id"], row) for row in region["rows"])
            unread += region["unread"]
        if unread and not found:
            raise AnsibleParserError(" ".join(f"{fault['msg']} ({fault['error_kind']})" for fault in unread))
        return list(found.values()), unread

    def caller(self) -> str:
        """Return a digest of the identity and the place, because a cache is valid only for these.

        The file of a profile can change, so the identity that it holds now counts, without its secrets. But a
        token has nothing else that says whose it is.
        """
        known = {name: value for name, value in self.params.items() if name not in SECRETS}
        known.update(
            {
                variable: os.environ.get(variable)
                for option in known
                for variable in (*ENVIRONMENT.get(option, ()), SDK_FILE_VARIABLE)
            }
        )
        try:
            settings, identity, dummy = resolve(self.params, os.environ, Redactor())
        except InvalidArgument as error:  # read_regions() reports it.
            return str(error)
        public = {name: one for name, one in identity.keys.items() if name == TOKEN or name not in SECRETS}
        caller = [known, settings, identity.way, public, identity.agency]
        return hashlib.sha256(json.dumps(caller, sort_keys=True, default=str).encode()).hexdigest()

    def read_regions(self, regions: list[str | None]) -> list[Row]:
        """Return what read_region() returns, for each region.

        All regions share one caller, so that wrong keys are tried once.
        """
        params = dict(self.params)
        environ = dict(os.environ)
        if len(regions) > 1:
            if any(params[name] for name in PROJECT):
                raise AnsibleParserError(
                    "project_id and project_name belong to one region: leave them out when there are several "
                    "regions, or write an inventory file for each region. A run that restores the hosts of "
                    "such a file needs the same project in HW_PROJECT_ID or in a profile."
                )
            without = [*ENVIRONMENT["project_id"], *ENVIRONMENT["project_name"]]
            environ = {name: value for name, value in environ.items() if name not in without}
        params["region"] = regions[0] or params["region"]
        redactor = Redactor()

        def each(cloud: Cloud, params: Row) -> Plan:
            return Plan(
                {"regions": [self.read_region(cloud.for_region(region), redactor) for region in regions]}
            )

        result: Row = remove_values(
            perform(each, params, {}, {}, True, redactor, environ=environ), redactor.forms
        )
        for warning in result.get("warnings", ()):
            Display().warning(warning)
        if result.get("failed"):  # before any request to a region
            raise AnsibleParserError(f"{result['msg']} ({result['error_kind']})")
        return list(result["regions"])

    def read_region(self, cloud: Cloud, redactor: Redactor) -> Row:
        """Return the `rows` of a region, and what is `unread`. Not every region has every service."""
        rows: list[Row] = []
        unread: list[Row] = []
        results, fault = self.read_services(cloud, redactor)
        some = not all(found.get("failed") for found in results.values())
        for service, found in results.items():
            if found.get("failed"):
                what = service.upper() + (f" of region {cloud.region}" if self.regions else "")
                advice = f" To do without it, leave {service} out of services." if some else ""
                unread.append(unreadable(cloud, found, what, advice))
                continue
            rows += found["rows"]
            unread += found["odd"]
        if fault:
            several = SEVERAL if len(self.regions) > 1 and "project_id" in fault["msg"] else ""
            unread.append(unreadable(cloud, fault, f"Region {cloud.region}" if self.regions else "", several))
        return {"rows": rows, "unread": unread}

    def read_services(self, cloud: Cloud, redactor: Redactor) -> tuple[dict[str, Row], Row | None]:
        """Return the result of each service in a region, and a failure that concerns all of them, or None."""
        admitted = result_of_plan(lambda: Plan({"project_id": cloud.admit()}), redactor)
        if admitted.get("failed"):
            return {}, admitted
        results: dict[str, Row] = {}
        for service in self.services:
            found = result_of_plan(functools.partial(self.plan, cloud, service), redactor)
            if found.get("error_kind") == "auth_failed":
                return results, found
            results[service] = found
        return results, None

    def plan(self, cloud: Cloud, service: str) -> Plan:
        """Return the plan that reads the instances of a service; `odd` are those that cannot be read."""
        odd: list[Row] = []

        def left_out(error: ProtocolError) -> None:
            msg = f"An instance of {service.upper()} cannot be read: {error}"
            odd.append({"region": cloud.region, "error_kind": error.kind, "msg": msg})

        where = {"region": cloud.region, "project_id": cloud.project_id}
        rows = [{"service": service, **row, **where} for row in SERVICES[service].instances(cloud, left_out)]
        return Plan({"rows": rows, "odd": odd})

    def add(self, host: str, row: Row) -> None:
        """Add one host, its variables and the groups it belongs to."""
        variables = {name: from_cloud(value) for name, value in row.items()}
        variables.update({f"instance_{name}": variables[name] for name in RESERVED if name in variables})
        signed_in = {name: self.params[name] for name in ("profile", "shared_config_file")}
        local = {
            **{name: value for name, value in signed_in.items() if value},
            "ansible_connection": "local",
            "ansible_python_interpreter": our_template("{{ ansible_playbook_python }}"),
        }
        self.inventory.add_host(host)
        for name, value in {**variables, **local}.items():
            if name not in RESERVED:
                self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        for name, expression in (self.get_option("compose") or {}).items():
            decides = name in OF_A_HOST or name in OF_THE_RUN
            self._set_composite_vars({name: expression}, variables, host, strict or decides)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict)
