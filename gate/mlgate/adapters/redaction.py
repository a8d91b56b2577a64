"""One line of foreign text that may be shown: short, readable, and without the secrets it may echo."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

_SHORTEST = 4
"""A value shorter than this is no secret, and hiding it would make holes in every message."""

_READ = 1 << 16


class Redaction:
    """Knows the secrets of one model and keeps them out of what is said about it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            for part in (secret.strip(), *secret.split()):
                forms |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], quote(part)}
        self._forms = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)

    def line(self, text: str | bytes, limit: int = 200) -> str:
        """Return *text* as one line of at most *limit* characters, secrets and line breaks gone."""
        if isinstance(text, bytes):
            text = text[: 4 * _READ].decode("utf-8", "replace")
        whole = len(text) <= _READ
        text = text[:_READ].encode("utf-8", "replace").decode("utf-8")
        for form in self._forms:
            text = text.replace(form, "***")
        if not whole and self._forms:
            text = text[: -len(self._forms[0])]  # the cut may have left the beginning of a secret there
        text = " ".join(text.split())
        return text if whole and len(text) <= limit else text[: limit - 1].rstrip() + "…"
