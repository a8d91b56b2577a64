"""The Kubernetes API in memory, as far as mlgate's locks and records use it: versions, conflicts, preconditions.

The contract tests hold it beside a real API server.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from mlgate.adapters.kubernetes.api import Api

NAMESPACE = "models"
_PATH = re.compile(r"/(?:api/v1|apis/[^/]+/[^/]+)/namespaces/[^/]+/([^/]+)(?:/([^/]+))?")
_GROUP = re.compile(r"/apis/[^/]+/[^/]+")


@dataclass
class FakeKubernetes:
    """Objects by plural and name."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    before: Callable[[str, str], httpx2.Response | None] = lambda _method, _path: None
    """Called before each request; a response is given instead of doing anything."""
    after: Callable[[str, str], httpx2.Response | None] = lambda _method, _path: None
    """Called after each request was carried out; a response is given instead of the right one."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(
        default_factory=lambda: [{part: ["*"] for part in ("verbs", "apiGroups", "resources")}]
    )
    """What the user may do, as a Role has it."""
    _version: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def api(self) -> Api:
        """Return mlgate's client of it."""
        transport = httpx2.MockTransport(self.answer)
        return Api(httpx2.Client(transport=transport, base_url="http://kubernetes"), NAMESPACE)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """Carry one request out."""
        method, path = request.method, urlsplit(str(request.url)).path
        self.requests.append((method, path))
        instead = self.before(method, path)
        if instead is not None:
            return instead
        if path.endswith("reviews"):
            return httpx2.Response(201, json={"status": {"resourceRules": self.rules, "allowed": False}})
        if _GROUP.fullmatch(path):
            return httpx2.Response(200, json={"kind": "APIResourceList"})
        found = _PATH.fullmatch(path)
        if not found:
            return _status(404, "NotFound", "the server could not find the requested resource")
        body = json.loads(request.content) if request.content else {}
        query = parse_qs(urlsplit(str(request.url)).query)
        if "dryRun" in query:
            is_there = method == "POST" and (found[1], body["metadata"]["name"]) in self.objects
            return _status(409, "AlreadyExists", "it exists") if is_there else httpx2.Response(200, json=body)
        reply = self._do(method, found[1], found[2], body, query)
        return self.after(method, path) or reply

    def _do(
        self, method: str, plural: str, name: str | None, body: dict[str, Any], query: dict[str, list[str]]
    ) -> httpx2.Response:
        if name is None and method == "GET":
            return self._list(plural, query)
        name = name or str(body["metadata"]["name"])
        there = self.objects.get((plural, name))
        if method == "POST" or (method == "PATCH" and there is None):
            return self._create(plural, name, body)
        if there is None:
            return _status(404, "NotFound", f'{plural} "{name}" not found')
        match method:
            case "GET":
                return httpx2.Response(200, json=there)
            case "DELETE":
                return self._delete(plural, name, there, body)
            case _:
                return self._update(plural, name, there, body)

    def _list(self, plural: str, query: dict[str, list[str]]) -> httpx2.Response:
        wanted = dict(part.split("=", 1) for part in query.get("labelSelector", [""])[0].split(",") if part)
        items = [
            one
            for (kind, _), one in sorted(self.objects.items())
            if kind == plural and wanted.items() <= (one["metadata"].get("labels") or {}).items()
        ]
        return httpx2.Response(200, json={"items": items})

    def _create(self, plural: str, name: str, body: dict[str, Any]) -> httpx2.Response:
        if (plural, name) in self.objects:
            return _status(409, "AlreadyExists", f'{plural} "{name}" already exists')
        number = str(next(self._version))
        metadata = {**body["metadata"], "uid": f"uid-{number}", "resourceVersion": number, "generation": 1}
        self.objects[plural, name] = {**body, "metadata": metadata}
        return httpx2.Response(201, json=self.objects[plural, name])

    def _update(self, plural: str, name: str, there: dict[str, Any], body: dict[str, Any]) -> httpx2.Response:
        seen = body["metadata"].get("resourceVersion")
        if seen is not None and seen != there["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", "the object has been modified; please apply your changes")
        number = str(next(self._version))
        generation = there["metadata"]["generation"] + (body.get("spec") != there.get("spec"))
        metadata = {**there["metadata"], **body["metadata"], "resourceVersion": number, "generation": generation}
        self.objects[plural, name] = {**there, **body, "metadata": metadata}
        return httpx2.Response(200, json=self.objects[plural, name])

    def _delete(self, plural: str, name: str, there: dict[str, Any], body: dict[str, Any]) -> httpx2.Response:
        wanted = (body.get("preconditions") or {}).get("uid")
        if wanted is not None and wanted != there["metadata"]["uid"]:
            return _status(409, "Conflict", "the UID in the precondition does not match")
        del self.objects[plural, name]
        return httpx2.Response(200, json={"kind": "Status", "status": "Success"})


def _status(code: int, reason: str, message: str, **details: Any) -> httpx2.Response:
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code, **details}
    return httpx2.Response(code, json=body)


status = _status
