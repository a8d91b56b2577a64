"""Somebody who asks a service through its gateway all the time: who answered, and what was lost."""

from __future__ import annotations

import collections
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE

_BODY = b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["one two three"]}]}'
_PAUSE_S = 0.01


@dataclass
class Answers:
    """What came back."""

    versions: collections.Counter[str] = field(default_factory=collections.Counter)
    lost: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def total(self) -> int:
        return sum(self.versions.values()) + len(self.lost)

    def share(self, version: str) -> float:
        """Return the share of the answers that came from *version*."""
        return self.versions[version] / max(1, sum(self.versions.values()))


def ask(gateway: str, host: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Ask once. Return the status and the version that answered."""
    place = urlsplit(gateway)
    line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=PATIENCE)
    try:
        words = {"Host": host, "Content-Type": "application/json", **(headers or {})}
        line.request("POST", "/v2/models/summarizer/infer", _BODY, words)
        reply = line.getresponse()
        body = reply.read()
        return reply.status, str(json.loads(body).get("model_version")) if reply.status == 200 else body.decode()[:100]
    finally:
        line.close()


@contextmanager
def asking(gateway: str, host: str, headers: dict[str, str] | None = None) -> Iterator[Answers]:
    """Ask all through the block."""
    answers, over = Answers(), threading.Event()

    def go() -> None:
        while not over.is_set():
            try:
                status, said = ask(gateway, host, headers)
            except (OSError, ValueError, http.client.HTTPException) as error:
                status, said = 0, f"{type(error).__name__}: {error}"
            with answers.lock:
                if status == 200:
                    answers.versions[said] += 1
                else:
                    answers.lost.append(f"{time.strftime('%X')} {status} {said}")
            over.wait(_PAUSE_S)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()
