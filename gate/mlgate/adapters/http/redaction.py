"""One line of foreign text that may be shown: short, readable, and without the secrets it may echo."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

from mlgate.adapters.secrets.redactor import Secrets

_SHORTEST_SECRET = 4
"""A value shorter than this is no secret, and hiding it would make holes in every message."""

_READ_BYTES = 1 << 16


class Redaction:
    """Knows the secrets of one model and keeps them out of what is said about it."""

    def __init__(self, secrets: Iterable[str] = (), named: Secrets | None = None) -> None:
        """Hide *secrets* behind `***`; those that are *named*, behind the mark of their name."""
        self._named = named or Secrets({})
        forms: set[str] = set()
        for secret in secrets:
            for part in (secret.strip(), *secret.split()):
                forms |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], quote(part)}
        self._forms = sorted((form for form in forms if len(form) >= _SHORTEST_SECRET), key=len, reverse=True)

    def events(self, body: bytes) -> str:
        """Return the beginning of an event stream as one line; nothing of one that may hold a secret in pieces."""
        if self._named.scattered(self._named.text(body[: 4 * _READ_BYTES].decode("utf-8", "replace"))):
            return "not shown: a secret may stand in its events, in pieces"
        return self.line(body)

    def line(self, text: str | bytes, limit: int = 200) -> str:
        """Return *text* as one line of at most *limit* characters, secrets and line breaks gone."""
        if isinstance(text, bytes):
            text = text[: 4 * _READ_BYTES].decode("utf-8", "replace")
        whole = len(text) <= _READ_BYTES
        text = text[:_READ_BYTES].encode("utf-8", "replace").decode("utf-8")
        text = self._named.text(text)
        for form in self._forms:
            text = text.replace(form, "***")
        if not whole and self._forms:
            text = text[: -len(self._forms[0])]  # the cut may have left the beginning of a secret there
        text = " ".join(text.split())
        return text if whole and len(text) <= limit else text[: limit - 1].rstrip() + "…"
