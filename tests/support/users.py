"""Many users who ask a service through its gateway all the time: who answered, when, and what was lost.

Some keep their connection, the others open one for each request. Lost is what no model answered: refused, reset, timed
out, or answered by the gateway alone. What a model answers badly is its own.
"""

from __future__ import annotations

import asyncio
import collections
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE

_BODY = b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["one two three"]}]}'
_VERSION = b"x-model-version"
_TAKES = "X-Model-Takes"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Lost:
    """One request that no model answered."""

    at: float
    """When it was sent: Unix time, seconds."""
    took: float
    """Seconds until it was lost."""
    why: str
    """`status 502 Bad Gateway`, `ConnectionResetError: …`."""
    is_kept: bool
    """Whether its connection had been used before."""


@dataclass
class Seen:
    """What users saw. Times: when the request was sent, Unix time, seconds."""

    statuses: dict[str, collections.Counter[int]] = field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )
    """By the model's version."""
    first_failed: dict[str, float] = field(default_factory=dict)
    """By the version: the end of the first request that it answered badly."""
    last: dict[str, float] = field(default_factory=dict)
    """By the version: the last request that it answered."""
    lost: list[Lost] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return sum(sum(counts.values()) for counts in list(self.statuses.values()))

    @property
    def asked(self) -> int:
        return self.answered + len(self.lost)


@dataclass(frozen=True)
class Way:
    """How somebody asks."""

    keeps: bool = True
    """Keeps the connection."""
    takes_s: float = 0.0
    """So many seconds longer each request lasts."""


class _User:
    """One of them."""

    def __init__(self, gateway: str, host: str, seen: Seen, *, way: Way, pause_s: float, timeout_s: float) -> None:
        place = urlsplit(gateway)
        self._at, self._seen, self._keeps = (str(place.hostname), place.port), seen, way.keeps
        self._pause_s, self._timeout_s = pause_s, timeout_s
        headers = [f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(_BODY)}"]
        headers += [] if way.keeps else ["Connection: close"]
        headers += [f"{_TAKES}: {way.takes_s}"] if way.takes_s else []
        self._request = "\r\n".join(["POST /v2/models/summarizer/infer HTTP/1.1", *headers, "\r\n"]).encode() + _BODY
        self._line: Line | None = None

    async def ask(self, over: threading.Event) -> None:
        """Ask until it is over."""
        while not over.is_set():
            begun, clock, is_kept = time.time(), time.monotonic(), self._line is not None
            try:
                async with asyncio.timeout(self._timeout_s):
                    status, reason, version = await self._ask_once()
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self._hang_up()
                self._lose(begun, clock, f"{type(error).__name__}: {error}", is_kept)
                continue
            if version:
                self._seen.statuses[version][status] += 1
                self._seen.last[version] = max(begun, self._seen.last.get(version, 0.0))
                if status >= 500:
                    self._seen.first_failed.setdefault(version, time.time())
            else:
                self._lose(begun, clock, f"status {status} {reason}", is_kept)
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
        self._hang_up()

    def _lose(self, begun: float, clock: float, why: str, is_kept: bool) -> None:
        self._seen.lost.append(Lost(begun, time.monotonic() - clock, why, is_kept))

    async def _ask_once(self) -> tuple[int, str, str]:
        self._line = self._line or await asyncio.open_connection(*self._at)
        reader, writer = self._line
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        first, *rest = head[:-4].split(b"\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (one.partition(b":") for one in rest)}
        await reader.readexactly(int(headers[b"content-length"]))
        if not self._keeps or headers.get(b"connection", b"").lower() == b"close":
            self._hang_up()
        _, status, reason = first.decode("latin-1").split(" ", 2)
        return int(status), reason, headers.get(_VERSION, b"").decode("latin-1")

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line[1].close()
            self._line = None


@contextmanager
def asking(gateway: str, host: str, *ways: Way, pause_s: float = 0.0, timeout_s: float = PATIENCE) -> Iterator[Seen]:
    """Ask all through the block, as many users as there are *ways*."""
    seen, over = Seen(), threading.Event()
    users = [_User(gateway, host, seen, way=way, pause_s=pause_s, timeout_s=timeout_s) for way in ways]

    async def all_of_them() -> None:
        await asyncio.gather(*(user.ask(over) for user in users))

    thread = threading.Thread(target=lambda: asyncio.run(all_of_them()), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
