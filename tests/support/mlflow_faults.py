"""Ways in which an MLflow server is broken, slow or hostile: `fake["POST", f"{API}/runs/create"] = status(500)`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.fake_mlflow import Ask, Cut, Reply, Request, Script, Silence, error

_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_ALREADY_EXISTS",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


def status(code: int, message: str = "a fault of the tests") -> Script:
    """Answer an error, and carry nothing out."""
    return lambda _request, _ask: error(code, _CODES.get(code, "INTERNAL_ERROR"), message)


def reset(_request: Request, _ask: Ask) -> Reply:
    """Reset the connection, and carry nothing out."""
    raise Cut


def silent(_request: Request, _ask: Ask) -> Reply:
    """Say nothing until the client has waited enough: slower than any timeout, and no clock is needed."""
    raise Silence


def says(body: Any, code: int = 200, **headers: str) -> Script:
    """Answer this, whatever was asked: bytes as they are, anything else as JSON; `location=` is a header."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _request, _ask: Reply(code, content, {"content-type": "application/json", **headers})


garbage = says(b'<html>\x00{"run": \xff')
"""200, and not JSON."""


def redirect(to: str, code: int = 307) -> Script:
    """Lead the client elsewhere: 307 keeps method and body, 302 makes a GET of it."""
    return says(b"", code, location=to)


def rewritten(**fields: Any) -> Script:
    """Carry it out, and change these fields wherever they are in the reply: `artifact_uri="file:///etc"`."""

    def script(_request: Request, ask: Ask) -> Reply:
        reply = ask()
        changed = json.dumps(_changed(reply.json, fields)).encode()
        return replace(reply, body=changed)

    return script


outside = rewritten(artifact_uri="file:///etc")
"""The server claims that a run's files are this machine's."""
climbing = rewritten(run_id="../../etc", run_uuid="../../etc")
"""The server's ids of runs are paths."""


def after(fault: Script) -> Script:
    """Carry the request out, then do that: the client does not learn that it worked."""

    def script(request: Request, ask: Ask) -> Reply:
        ask()
        return fault(request, ask)

    return script


def times(number: int, fault: Script) -> Script:
    """Do that so often, then pass everything on."""
    left = iter(range(number))
    return lambda request, ask: ask() if next(left, None) is None else fault(request, ask)


def meanwhile(act: Callable[[], object]) -> Script:
    """Do something first, once, then carry the request out: what somebody else does between two calls of ours."""

    def first(_request: Request, ask: Ask) -> Reply:
        act()
        return ask()

    return times(1, first)


def _changed(value: Any, fields: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: fields.get(name, _changed(inner, fields)) for name, inner in value.items()}
    return [_changed(inner, fields) for inner in value] if isinstance(value, list) else value
