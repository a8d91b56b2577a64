"""A model behind an HTTP endpoint."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import LifoQueue

from mlgate.adapters.http.address import Address
from mlgate.adapters.http.connection import Broken, HttpConnection, HttpReply, HungUp, Unreachable
from mlgate.adapters.http.headers import checked
from mlgate.adapters.http.pacing import BUSY, Pacing, pause
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.http.replies import known_secrets, read
from mlgate.adapters.models.identity import of_endpoint
from mlgate.adapters.protocols.protocol import Answers, HttpProtocol
from mlgate.core.check import Example, Json
from mlgate.core.errors import ConfigError
from mlgate.core.evidence import NOT_ASKED
from mlgate.core.ports import Answer, Failure

MOST_UNREACHED = 5
"""After so many questions in a row that could not even be sent, the rest are not tried."""

MOST_REFUSED = 5
"""After so many replies that refuse whoever asks, and not one other, the rest are not asked: they failed as well."""
_REFUSALS = frozenset({301, 302, 303, 307, 308, 401, 404, 405, 407, 410})
"""Statuses that say nothing of the input: the key, the address or the model's name is wrong. 403 may be about it."""


class HttpModel:
    """Asks an inference server, *concurrency* requests at a time; the answers come in the examples' order.

    What is sent looks like any client's: a server must not be able to tell that it is being measured.
    """

    def __init__(
        self,
        url: str,
        protocol: HttpProtocol,
        *,
        concurrency: int = 1,
        timeout_s: float = 60.0,
        retries: int = 2,
        patience_s: float = 0.0,
        most_a_second: float | None = None,
        headers: Mapping[str, str] | None = None,
        batch: int = 1,
        sleep: Callable[[float], object] | None = None,
        jitter: Callable[[], float] = random.random,
        redaction: Redaction | None = None,
    ) -> None:
        self._address = Address.of(url)
        if batch > 1 and not protocol.batches:
            raise ConfigError(f"{protocol.name} carries one input a request", hint="leave out batch, raise concurrency")
        if not (concurrency >= 1 and batch >= 1 and retries >= 0 and 0 < timeout_s < threading.TIMEOUT_MAX):
            raise ConfigError("concurrency and batch begin at 1, retries at 0, and timeouts are positive")
        self._protocol = protocol
        self._concurrency = concurrency
        self._timeout_s = timeout_s
        self._retries = retries
        self._headers = checked(headers or {})
        self._batch = batch
        self._closing = threading.Event()
        self._sleep = sleep or self._closing.wait
        self._patience_s = patience_s
        self._pacing = Pacing(most_a_second, self._sleep)
        self._jitter = jitter
        self._redaction = redaction or known_secrets(self._address, headers or {})
        self._lines: set[HttpConnection] = set()
        self._lock = threading.Lock()
        self._unreached = 0
        self._refused = 0
        self._refusal = ""
        """What the last of the refusals said; empty once the server has answered otherwise."""

    @property
    def digest(self) -> str:
        """Return what stands for this model in provenance: where and how it is asked. Its weights nobody can see."""
        return of_endpoint(self._address, self._protocol.identity)

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Answer | Failure]:
        """Ask about *examples* and yield answers in their order. Raises Refused when the host is a forbidden one."""
        self._closing.clear()
        inputs = [example.input for example in examples]
        parts = [inputs[start : start + self._batch] for start in range(0, len(inputs), self._batch)]
        own = [self._line() for _ in range(min(self._concurrency, len(parts)))]
        lines: LifoQueue[HttpConnection] = LifoQueue()
        for line in own:
            lines.put(line)
        pool = ThreadPoolExecutor(max_workers=self._concurrency)
        waiting: deque[Future[Answers]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(self._ask, part, lines))
                if len(waiting) >= 2 * self._concurrency:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            if waiting:  # nobody takes what is still to come
                self._closing.set()
                for line in own:
                    line.hang_up()
            pool.shutdown(cancel_futures=True)
            for line in own:
                self._end(line)

    def close(self) -> None:
        """Hang up, also on questions that are under way. Asking again opens new connections."""
        self._closing.set()  # whoever waits for a busy server wakes
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.hang_up()

    def _line(self) -> HttpConnection:
        line = HttpConnection(self._address, self._timeout_s)
        with self._lock:
            self._lines.add(line)
        return line

    def _end(self, line: HttpConnection) -> None:
        line.close()
        with self._lock:
            self._lines.discard(line)

    def _ask(self, inputs: Sequence[Json], lines: LifoQueue[HttpConnection]) -> Answers:
        n = len(inputs)
        if self._unreached >= MOST_UNREACHED:
            return [Failure(f"{NOT_ASKED}the endpoint cannot be reached", "gate")] * n
        if self._refused >= MOST_REFUSED:
            return [Failure(f"{NOT_ASKED}the server refuses every request ({self._refusal})")] * n
        try:
            path, value = self._protocol.encode(inputs)
            body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except ValueError as error:
            return [Failure(self._redaction.line(f"cannot be asked: {error}"), "gate")] * n
        line = lines.get()
        try:
            reply = self._patiently(line, self._address.target(path), body)
        except Unreachable as error:
            self._count(reached=False)
            return [Failure(self._redaction.line(f"could not connect to {self._address}: {error}"), "gate")] * n
        except Broken as error:
            self._count(reached=True)
            return [Failure(self._redaction.line(str(error)))] * n
        finally:
            lines.put(line)
        self._count(reached=True)
        answers = read(reply, n, self._protocol, self._redaction)
        self._count_refusals(reply, answers)
        return [self._out_of_patience(one) for one in answers] if reply.status in BUSY else answers

    def _patiently(self, line: HttpConnection, target: str, body: bytes) -> HttpReply:
        """Return the reply; one that says "not now" is waited for: it carried nothing out, so nothing is erased."""
        waited = 0.0
        for attempt in itertools.count():
            self._pacing.take()
            reply = self._post(line, target, body)
            if reply.status not in BUSY:
                return reply
            seconds = pause(reply.retry_after, attempt, self._jitter())
            waited += seconds
            if waited > self._patience_s:
                return reply
            self._pacing.hold(seconds)
        raise AssertionError

    def _post(self, line: HttpConnection, target: str, body: bytes) -> HttpReply:
        for attempt in range(self._retries):
            try:
                return line.post(target, body, self._headers)
            except HungUp:
                raise
            except Unreachable:
                self._sleep(min(2.0, 0.2 * 2**attempt) * (0.5 + 0.5 * self._jitter()))
        return line.post(target, body, self._headers)

    def _out_of_patience(self, answer: str | Answer | Failure) -> str | Answer | Failure:
        if not isinstance(answer, Failure):
            return answer
        return Failure(f"{answer.why} (busy for longer than its patience, {self._patience_s:g} s)", answer.blame)

    def _count_refusals(self, reply: HttpReply, answers: Answers) -> None:
        """Count the first replies as long as each refuses whoever asks; any other ends the counting for good."""
        with self._lock:
            if 0 <= self._refused < MOST_REFUSED:
                said = answers[0]
                is_refusal = reply.status in _REFUSALS and isinstance(said, Failure)
                self._refused = self._refused + 1 if is_refusal else -1
                self._refusal = said.why if isinstance(said, Failure) else ""

    def _count(self, *, reached: bool) -> None:
        with self._lock:
            if self._unreached < MOST_UNREACHED:
                self._unreached = 0 if reached else self._unreached + 1
