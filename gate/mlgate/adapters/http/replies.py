"""What a reply over HTTP comes to: answers, or why there are none, without the secrets that it may echo."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from mlgate.adapters.http.address import Address
from mlgate.adapters.http.connection import HttpReply
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.protocols.protocol import Answers, HttpProtocol
from mlgate.core.ports import Failure

EVENT_STREAM = "text/event-stream"
STATUS_OK = 200
"""The one status that brings an answer."""


def known_secrets(address: Address, headers: Mapping[str, str]) -> Redaction:
    """Return what hides the secrets that requests carry: every header's value, and the query's."""
    return Redaction([*headers.values(), address.query, *(value for _, value in parse_qsl(address.query))])


def read(reply: HttpReply, n: int, protocol: HttpProtocol, redaction: Redaction) -> Answers:
    """Return the *n* answers in *reply*. Never raises: a wrong status, no JSON, or wrong JSON are failures."""
    said = _beginning_of(reply, redaction)
    if reply.status != STATUS_OK:
        return [wrong_status(reply, redaction)] * n
    try:
        value = json.loads(reply.body.decode("utf-8"))
    except (ValueError, RecursionError):
        kind = redaction.line(reply.kind, 40) or "no content type"
        return [Failure(f"status 200, {kind}, not JSON: {said or 'empty'}")] * n
    return [told(one, reply, redaction) if isinstance(one, Failure) else one for one in protocol.decode(value, n)]


def _beginning_of(reply: HttpReply, redaction: Redaction) -> str:
    return redaction.events(reply.body) if reply.kind == EVENT_STREAM else redaction.line(reply.body)


def wrong_status(reply: HttpReply, redaction: Redaction) -> Failure:
    """Return the failure that a status other than 200 is."""
    note = ""
    if 300 <= reply.status < 400:  # noqa: PLR2004 - the 3xx
        place = redaction.line(reply.location, 200)
        note = (
            f" to {place} (redirects are not followed: ask that address)" if place else " (redirects are not followed)"
        )
    return Failure(f"status {reply.status}{note}: {_beginning_of(reply, redaction) or 'empty'}")


def told(failure: Failure, reply: HttpReply, redaction: Redaction) -> Failure:
    """Return a protocol's *failure* with the beginning of what was said."""
    return replace(failure, why=f"{redaction.line(failure.why)}; status 200: {_beginning_of(reply, redaction)}")
