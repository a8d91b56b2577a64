"""What a reply of GitHub's API comes to: an answer with its next page, or the reason why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mlgate.adapters.http.address import Address
from mlgate.adapters.http.redaction import Redaction
from mlgate.core.errors import AdapterError, ConfigError, Refused

_DONE = (200, 201)
_REFUSED = (401, 403)
_NOT_FOUND = 404
_NEXT = re.compile(r'<([^<>]{0,2000})>;[^<>,]{0,200}\brel="?next"?')


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why a question is asked."""

    words: str
    """A verb and what it is about: `list the pull requests`."""
    permission: str
    """What the token needs for it: `pull-requests: write`."""


@dataclass(frozen=True, slots=True)
class ApiReply:
    """A whole reply, whatever it says."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes

    @property
    def is_fault(self) -> bool:
        """Return whether GitHub itself failed: nobody knows whether it did what was asked."""
        return self.status >= 500  # noqa: PLR2004 - the 5xx


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub says when it says yes."""

    value: Any
    """The JSON of it. What it holds is for the caller to check."""
    next: str = ""
    """The target of the next page; empty on the last one."""


def answer(reply: ApiReply, purpose: Purpose, address: Address, redaction: Redaction) -> Answer:
    """Return the answer in *reply*, which came from the API at *address*. Raises AdapterError for every other reply."""
    if reply.status in _DONE:
        try:
            return Answer(json.loads(reply.body), _next(reply, address))
        except (ValueError, RecursionError) as error:
            raise AdapterError(f"could not {purpose.words}: GitHub's answer is not JSON") from error
    if reply.status in _REFUSED:
        hint = f"give the job `permissions: {{{purpose.permission}}}`"
        raise AdapterError(f"the token may not {purpose.words}: {said(reply, redaction)}", hint=hint)
    if reply.status == _NOT_FOUND:
        hint = f"if it is there, give the job `permissions: {{{purpose.permission}}}`"
        raise AdapterError(f"could not {purpose.words}: GitHub finds nothing, or shows it not to this token", hint=hint)
    raise AdapterError(f"could not {purpose.words}: {said(reply, redaction)}")


def said(reply: ApiReply, redaction: Redaction) -> str:
    """Return the status and GitHub's message on one line, without secrets."""
    if 300 <= reply.status < 400:  # noqa: PLR2004 - the 3xx
        return f"GitHub answers {reply.status}, a redirect, which is not followed: was the repository renamed?"
    return f"GitHub answers {reply.status}: {redaction.line(_message(reply.body) or reply.body, 300) or 'nothing'}"


def _message(body: bytes) -> str:
    """Return what GitHub's error says, with its details; empty for a body of another form."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict) or not isinstance(value.get("message"), str):
        return ""
    errors = value.get("errors")
    details = [_detail(error) for error in errors[:5]] if isinstance(errors, list) else []
    return ", ".join([value["message"], *filter(None, details)])


def _detail(error: object) -> str:
    if isinstance(error, dict):
        parts = (error.get(key) for key in (("message",) if error.get("message") else ("field", "code")))
        return " ".join(part for part in parts if isinstance(part, str))
    return error if isinstance(error, str) else ""


def _next(reply: ApiReply, address: Address) -> str:
    """Return the target of the next page, behind the API's own path. It must lie there: the token goes with it."""
    found = _NEXT.search(reply.headers.get("link", ""))
    if found is None:
        return ""
    base = address.path.rstrip("/")
    try:
        there = Address.of(found[1])
    except (ConfigError, Refused):
        there = None
    if (
        there is None
        or (there.scheme, there.host, there.port) != (address.scheme, address.host, address.port)
        or not there.path.startswith(f"{base}/")
    ):
        raise AdapterError("GitHub names a next page that is not its own", hint="look at GITHUB_API_URL")
    parts = urlsplit(found[1])
    return parts.path.removeprefix(base) + (f"?{parts.query}" if parts.query else "")
