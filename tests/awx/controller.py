# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of AWX's API with which the modules of awx.awx configure something.

with Controller(tmp_path) as awx:
    run_something(env=awx.env)
    assert awx.named("job_templates", "Recovery restore")["playbook"] == "playbooks/restore.yml"
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from . import project, rules

Row = dict[str, Any]
TOKEN = "awxToken-never~printed-2026-kQ9xV3mN8b"
VIEWER_TOKEN = "awxToken-of-someone-who-may-only-look"
SECRET = "$encrypted$"
NODES = "workflow_job_template_nodes"
# The defaults of each type of object. A type that is not listed does not exist.
DEFAULTS: dict[str, Row] = {
    "organizations": {"description": ""},
    "credential_types": {"description": "", "kind": "cloud", "inputs": {}, "injectors": {}, "managed": False},
    "credentials": {"description": "", "inputs": {}, "organization": None},
    "execution_environments": {
        "description": "", "image": "", "pull": "", "organization": None, "credential": None,
    },
    "notification_templates": {
        "description": "", "organization": None, "notification_configuration": {}, "messages": None,
    },
    "projects": {
        "description": "", "organization": None, "scm_type": "", "scm_url": "", "scm_branch": "",
        "scm_revision": "", "scm_update_on_launch": False, "credential": None, "default_environment": None,
    },
    "inventories": {
        "description": "", "organization": None, "kind": "", "host_filter": None, "variables": "",
    },
    "inventory_sources": {
        "description": "", "source": "", "source_path": "", "source_vars": "", "source_project": None,
        "credential": None, "execution_environment": None, "overwrite": False, "overwrite_vars": False,
        "update_on_launch": False, "enabled_var": "",
    },
    "job_templates": {
        "description": "", "organization": None, "job_type": "run", "inventory": None, "project": None,
        "playbook": "", "extra_vars": "", "limit": "", "job_tags": "", "diff_mode": False,
        "survey_enabled": False, "allow_simultaneous": False, "job_slice_count": 1,
        "execution_environment": None, "ask_limit_on_launch": False, "ask_job_type_on_launch": False,
        "ask_diff_mode_on_launch": False, "ask_variables_on_launch": False, "ask_inventory_on_launch": False,
        "ask_job_slice_count_on_launch": False,
    },
    "workflow_job_templates": {
        "description": "", "organization": None, "extra_vars": "", "survey_enabled": False,
        "allow_simultaneous": False, "ask_variables_on_launch": False,
    },
    NODES: {"identifier": "", "workflow_job_template": None, "unified_job_template": None, "extra_data": {}},
    "workflow_approval_templates": {"description": "", "timeout": 0},
    "schedules": {
        "description": "", "rrule": "", "extra_data": {}, "unified_job_template": None, "enabled": True,
    },
    "project_updates": {},
}  # fmt: skip
UNIFIED = (
    "job_templates",
    "workflow_job_templates",
    "projects",
    "inventory_sources",
    "workflow_approval_templates",
)
NOTIFIED = (
    "notification_templates_started",
    "notification_templates_success",
    "notification_templates_error",
)
ASSOCIATIONS: dict[str, tuple[str, ...]] = {
    "projects": NOTIFIED,
    "inventory_sources": NOTIFIED,
    "job_templates": (*NOTIFIED, "credentials", "labels", "instance_groups"),
    "workflow_job_templates": (*NOTIFIED, "notification_templates_approvals", "labels"),
    NODES: ("success_nodes", "always_nodes", "failure_nodes", "credentials"),
    "schedules": ("credentials", "labels"),
}
SURVEYED = ("job_templates", "workflow_job_templates")
# Within what a name is unique
SCOPE = {
    "credential_types": (),
    "credentials": ("organization", "credential_type"),
    "inventory_sources": ("inventory",),
    "schedules": ("unified_job_template",),
    "project_updates": ("id",),
    "workflow_approval_templates": ("id",),
}
TYPES = {"inventories": "inventory"}  # for all others, the plural without its s
FILTERS = ("organization", "credential_type", "inventory", "workflow_job_template", "unified_job_template")


class Refused(Exception):
    """AWX's response to a request that it refuses: a status, and the faults by field."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


class Controller:
    """The server in a background thread, and what it keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: dict[str, dict[int, Row]] = {kind: {} for kind in DEFAULTS}
        self.secrets: dict[int, Row] = {}  # the inputs of a credential as they were given
        self.associated: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Row] = {}
        self.checkouts: dict[int, project.Checkout] = {}
        self.writes: list[tuple[str, str]] = []  # method and path of each request that changed something
        self.problems: list[str] = []  # faults of this server
        self._next = 1
        self.create("organizations", {"name": "Default"})
        self.writes.clear()

    # Life

    def __enter__(self) -> Controller:
        sock = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = sock.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="controller", daemon=True)
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(self._serve(sock), self._loop).result(10)
        return self

    async def _serve(self, sock: socket.socket) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        return runner

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def env(self) -> dict[str, str]:
        """What the modules of awx.awx need."""
        return {"CONTROLLER_HOST": f"http://127.0.0.1:{self.port}", "CONTROLLER_OAUTH_TOKEN": TOKEN}

    # The objects

    def named(self, kind: str, name: str) -> Row:
        """Return the one object with a name (a node: with an identifier)."""
        key = "identifier" if kind == NODES else "name"
        (found,) = [row for row in self.objects[kind].values() if row[key] == name]
        return found

    def survey(self, kind: str, name: str) -> Row:
        """Return the survey of a template."""
        return self.surveys.get((kind, self.named(kind, name)["id"]), {})

    def after(self, node: str, how: str) -> list[str]:
        """Return the identifiers of the nodes that follow a node on success, always or failure."""
        ids = self.associated.get((NODES, self.named(NODES, node)["id"], f"{how}_nodes"), [])
        return [self.objects[NODES][number]["identifier"] for number in ids]

    # Requests

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            if token not in (TOKEN, VIEWER_TOKEN):
                raise Refused(401, {"detail": "Authentication credentials were not provided."})
            if request.method not in ("GET", "HEAD") and token == VIEWER_TOKEN:
                raise Refused(403, {"detail": "You do not have permission to perform this action."})
            body = json.loads(await request.text() or "{}")
            parts = request.path.strip("/").split("/")
            if parts[:2] != ["api", "v2"]:
                raise Refused(404, {"detail": "Not found."})
            loop = asyncio.get_running_loop()
            status, answer = await loop.run_in_executor(
                None, self.answer, request.method, parts[2:], dict(request.query), body
            )
        except Refused as refused:
            status, answer = refused.status, refused.body
        except Exception as error:
            self.problems.append(f"{request.method} {request.path_qs}: {error!r}")
            status, answer = 500, {"detail": "A server error has occurred."}
        if status < 300 and request.method not in ("GET", "HEAD"):
            self.writes.append((request.method, request.path))
        headers = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}
        text = "" if status == 204 else json.dumps(answer)
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    def answer(self, method: str, parts: list[str], query: Mapping[str, str], body: Row) -> tuple[int, Any]:
        """Return status and body for a request whose path below /api/v2/ is in parts."""
        if parts == ["unified_job_templates"] and method == "GET":
            rows = [row for kind in UNIFIED for row in self.objects[kind].values()]
            return 200, self.page(rows, query)
        kind = parts[0]
        if kind not in DEFAULTS:
            raise Refused(404, {"detail": "Not found."})
        if len(parts) == 1:
            if method == "GET":
                return 200, self.page(self.objects[kind].values(), query)
            return 201, self.shown(self.create(kind, body))
        row = self.objects[kind].get(int(parts[1])) if parts[1].isdigit() else None
        if row is None:
            raise Refused(404, {"detail": "Not found."})
        if len(parts) == 2:
            if method == "PATCH":
                self.change(kind, row, body)
            elif method == "DELETE":
                del self.objects[kind][row["id"]]
                return 204, None
            return 200, self.shown(row)
        return self.below(method, kind, row, parts[2], query, body)

    def below(
        self, method: str, kind: str, row: Row, name: str, query: Mapping[str, str], body: Row
    ) -> tuple[int, Any]:
        """Return the answer for what lies below an object."""
        if name == "survey_spec" and kind in SURVEYED:
            return 200, self.survey_spec(method, kind, row, body)
        if name == "update" and kind == "projects" and method == "POST":
            return 202, self.update_project(row)
        if name == "create_approval_template" and kind == NODES and method == "POST":
            approval = self.create("workflow_approval_templates", body)
            row["unified_job_template"] = approval["id"]
            return 201, self.shown(approval)
        if name not in ASSOCIATIONS.get(kind, ()):
            raise Refused(404, {"detail": "Not found."})
        ids = self.associated.setdefault((kind, row["id"], name), [])
        if method == "GET":
            target = (
                NODES if name.endswith("_nodes") else name if name in DEFAULTS else "notification_templates"
            )
            return 200, self.page((self.objects[target][number] for number in ids), query)
        if body.get("disassociate"):
            ids.remove(body["id"])
        elif body["id"] not in ids:
            ids.append(body["id"])
        return 204, None

    # Objects

    def page(self, rows: Iterable[Row], query: Mapping[str, str]) -> Row:
        """Return the objects that fit the filters, as a list of AWX."""
        wanted = [row for row in rows if fits(row, query)]
        return {
            "count": len(wanted),
            "next": None,
            "previous": None,
            "results": [self.shown(row) for row in wanted],
        }

    def shown(self, row: Row) -> Row:
        """Return an object as AWX shows it: with its addresses, and without its secrets."""
        kind, url = row["kind_of_object"], f"/api/v2/{row['kind_of_object']}/{row['id']}/"
        related = {"survey_spec": url + "survey_spec/", "update": url + "update/"}
        if row.get("unified_job_template") is not None:
            number = row["unified_job_template"]
            related["unified_job_template"] = next(
                f"/api/v2/{one}/{number}/" for one in UNIFIED if number in self.objects[one]
            )
        found = {
            **row,
            "url": url,
            "type": TYPES.get(kind, kind[:-1]),
            "related": related,
            "summary_fields": row.get("summary_fields", {}),
        }
        found.pop("kind_of_object")
        if kind == "notification_templates":
            found["notification_configuration"] = {
                key: SECRET if key in ("password", "token") else value
                for key, value in row["notification_configuration"].items()
            }
        return found

    def create(self, kind: str, body: Row) -> Row:
        """Make an object, or return which rule it breaks."""
        row = {**DEFAULTS[kind], **body, "kind_of_object": kind}
        self.check(kind, row, None)
        row["id"], self._next = self._next, self._next + 1
        self.objects[kind][row["id"]] = row
        self.settle(kind, row)
        if kind == "projects" and row["scm_type"] == "git":
            update = self.update_project(row)
            row["summary_fields"] = {"current_update": {"id": update["id"]}}
        return row

    def change(self, kind: str, row: Row, body: Row) -> None:
        """Change an object, or return which rule that breaks."""
        other_inputs = kind == "credential_types" and body.get("inputs", row["inputs"]) != row["inputs"]
        credentials = self.objects["credentials"].values()
        if other_inputs and any(one["credential_type"] == row["id"] for one in credentials):
            raise Refused(403, {"detail": "Inputs of a credential type that is in use cannot be modified."})
        self.check(kind, {**row, **body}, row)
        row.update(body)
        row.pop("summary_fields", None)
        self.settle(kind, row)

    def settle(self, kind: str, row: Row) -> None:
        """Keep the secrets of a credential aside."""
        if kind == "inventories":
            row["kind"] = row["kind"] or ""
        if kind == "credentials":
            before = self.secrets.get(row["id"], {})
            given = {name: "" if value is None else value for name, value in row["inputs"].items()}
            plain = {name: before.get(name) if value == SECRET else value for name, value in given.items()}
            self.secrets[row["id"]] = plain
            hidden = {field["id"] for field in self.fields_of(row) if field.get("secret")}
            row["inputs"] = {
                name: SECRET if name in hidden and value else value for name, value in plain.items()
            }

    def fields_of(self, credential: Row) -> list[Row]:
        """Return the fields of the type of a credential."""
        return list(
            self.objects["credential_types"][credential["credential_type"]]["inputs"].get("fields", [])
        )

    # Rules

    def check(self, kind: str, row: Row, before: Row | None) -> None:
        """Raise Refused for an object that breaks a rule."""
        if "name" in row:
            scope = SCOPE.get(kind, ("organization",))
            for other in self.objects[kind].values():
                if other is not before and all(other.get(key) == row.get(key) for key in ("name", *scope)):
                    raise Refused(400, {"__all__": [f"{kind[:-1]} with this Name already exists."]})
        problems = list(self.broken(kind, row))
        if problems:
            raise Refused(400, {"detail": problems})

    def broken(self, kind: str, row: Row) -> Iterator[str]:
        """Yield the rules that an object breaks."""
        if kind == "credential_types":
            yield from rules.inputs(row["inputs"])
            yield from rules.injectors(row["injectors"], row["inputs"].get("fields", []))
        elif kind == "credentials":
            yield from rules.credential(row["inputs"], self.fields_of(row))
        elif kind == "execution_environments" and not row["image"]:
            yield "image: This field may not be blank."
        elif kind == "job_templates":
            yield from self.broken_template(row)
        elif kind == "schedules":
            yield from self.broken_schedule(row)

    def broken_template(self, row: Row) -> Iterator[str]:
        """Yield the rules that a job template breaks."""
        checkout = self.checkouts.get(row["project"])
        if row["playbook"] not in (checkout.playbooks if checkout else []):
            yield "playbook: Playbook not found for project."
        if row["inventory"] is None and not row["ask_inventory_on_launch"]:
            yield "inventory: This field is required."

    def broken_schedule(self, row: Row) -> Iterator[str]:
        """Yield the rules that a schedule breaks."""
        text = row["rrule"]
        if not text.startswith("DTSTART") or "RRULE:" not in text or "INTERVAL=" not in text:
            yield "rrule: DTSTART, RRULE and INTERVAL are required."
        if re.match(r"DTSTART:\d+T\d+ ", text):
            yield "rrule: DTSTART cannot be a naive datetime."
        (kind, *_others) = [one for one in UNIFIED if row["unified_job_template"] in self.objects[one]]
        template = self.objects[kind][row["unified_job_template"]]
        spec = self.surveys.get((kind, template["id"]), {}).get("spec", [])
        known = {question["variable"] for question in spec} if template.get("survey_enabled") else set()
        for name in set(row["extra_data"]) - known:
            if not template.get("ask_variables_on_launch"):
                yield f"extra_data: Variables {name} are not allowed on launch."
        yield from rules.answers(spec, row["extra_data"])

    def survey_spec(self, method: str, kind: str, row: Row, body: Row) -> Row:
        """Show, keep or drop the survey of a template."""
        key = (kind, row["id"])
        if method == "POST":
            for problem in rules.survey(body):
                raise Refused(400, {"error": problem})
            self.surveys[key] = body
        elif method == "DELETE":
            self.surveys.pop(key, None)
        return self.surveys.get(key, {})

    def update_project(self, row: Row) -> Row:
        """Synchronise a project; an update that fails is an object like any other."""
        folder = self.folder / f"project-{row['id']}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            checkout = project.sync(row["scm_url"], row["scm_branch"], folder)
            self.checkouts[row["id"]] = checkout
            row["scm_revision"] = checkout.revision
            end: Row = {"status": "successful", "failed": False}
        except project.SyncError as error:
            end = {"status": "failed", "failed": True, "result_traceback": str(error)}
        facts = {
            "name": row["name"],
            "scm_revision": row["scm_revision"],
            "finished": "now",
            "event_processing_finished": True,
        }
        return self.shown(self.create("project_updates", {**facts, **end}))


def fits(row: Row, query: Mapping[str, str]) -> bool:
    """Whether an object fits the filters of a request. Those that begin with or__ are alternatives."""
    either = {key[4:]: value for key, value in query.items() if key.startswith("or__")}
    every = {key: value for key, value in query.items() if not key.startswith("or__") and value != "None"}
    if either and not any(str(row.get(key)) == value for key, value in either.items()):
        return False
    unknown = set(every) - {"name", "identifier", *FILTERS}
    if unknown:
        raise Refused(400, {"detail": f"{', '.join(unknown)} has no field"})
    return all(str(row.get(key)) == value for key, value in every.items())
