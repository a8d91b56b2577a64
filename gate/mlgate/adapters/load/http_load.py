"""A model behind an HTTP endpoint, under timed load."""

from __future__ import annotations

import base64
import json
import math
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from mlgate.adapters.http.address import Address, refuse_forbidden
from mlgate.adapters.http.headers import checked, host, request
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.http.replies import known_secrets
from mlgate.adapters.load.channel import Channel
from mlgate.adapters.load.reply_decoder import ReplyDecoder, Streaming
from mlgate.adapters.load.row_limits import bounded
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.adapters.secrets.redactor import shown
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, ModelError
from mlgate.core.evidence import NOT_ASKED
from mlgate.core.latency.block import Arrival, LoadBlock
from mlgate.core.ports import Failure

SLACK_S = 30.0
"""How much longer than its block may take a worker may be silent: opening connections, writing a long line."""
_PART_BYTES = 4 << 20
"""The most bytes of requests that one command carries to the worker."""

Resources = Callable[[], Mapping[str, float]]
"""Reads `server_cpu_s`, which only grows, and `server_memory_mb`: the peak so far, or a sample where none is kept."""


class HttpLoad:
    """Sends what HttpModel would send, from a worker that times it; is an OpenLoop, a ClosedLoop and a Model.

    Nothing is resolved twice: every address of the host is checked here, and the worker gets numbers.
    """

    def __init__(
        self,
        channel: Channel,
        address: Address,
        protocol: HttpProtocol,
        *,
        timeout_s: float = 60.0,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        facts: Mapping[str, str | float] | None = None,
        resources: Resources | None = None,
        gone: Callable[[], str] = lambda: "",
        concurrency: int = 1,
        connections: int = 32,
        cpus: Sequence[int] | None = None,
        redaction: Redaction | None = None,
    ) -> None:
        """Prepare; the worker is greeted by the first block.

        *concurrency* is for `answer`; *connections* are open before an open loop begins, which opens more when it
        must; *cpus* are the cores that the worker keeps to. Raises ConfigError for a protocol that cannot stream.
        """
        self._protocol = _streaming(protocol) if stream else protocol
        if not (timeout_s > 0 and concurrency >= 1 and connections >= 1):
            raise ConfigError("concurrency and connections begin at 1, and timeouts are positive")
        self._channel = channel
        self._address = address
        self._timeout_s = timeout_s
        self._headers = checked(headers or {})
        self._redaction = redaction or known_secrets(address, headers or {})
        self._decoder = ReplyDecoder(self._protocol, stream, timeout_s, self._redaction)
        self._facts = dict(facts or {})
        self._resources = resources
        self._gone = gone
        self._concurrency = concurrency
        self._connections = connections
        self._cpus = list(cpus) if cpus is not None else None
        self._greeted = False
        self._sent: dict[int, tuple[Example, int]] = {}
        self._waiting: list[bytes] = []

    @property
    def facts(self) -> Mapping[str, str | float]:
        """Return how the model was started, as it was given."""
        return self._facts

    def fire(self, examples: Sequence[Example], arrivals: Sequence[Arrival]) -> LoadBlock:
        """Send each request when it is due, and wait for all replies."""
        if not arrivals:
            return LoadBlock(())
        plan = self._plan(examples, [arrival.example for arrival in arrivals])
        command = {"do": "open", "due": [arrival.due for arrival in arrivals], "payload": plan}
        found, facts = self._run_block(command, arrivals[-1].due)
        replies = self._decoder.replies(found, [arrival.example for arrival in arrivals])
        return LoadBlock(bounded(replies, self._timeout_s), facts)

    def press(self, examples: Sequence[Example], order: Sequence[int], concurrency: int, seconds: float) -> LoadBlock:
        """Keep *concurrency* requests under way, the next in *order* (around again) when one is done."""
        plan = self._plan(examples, order)
        command = {"do": "closed", "payload": plan, "concurrency": concurrency, "seconds": seconds}
        found, facts = self._run_block(command, seconds)
        asked = [order[i % len(order)] for i in range(len(found["reply"]))]
        return LoadBlock(bounded(self._decoder.replies(found, asked), self._timeout_s), facts)

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        """Ask about each example once, `concurrency` at a time; yield in order, a part of the examples at a time."""
        size = max(64, 8 * self._concurrency)
        for start in range(0, len(examples), size):
            yield from self._answers_of(examples[start : start + size])

    def gone(self) -> str:
        """Return why the model does not run any more, where anybody can know; else nothing."""
        return self._gone()

    def close(self) -> None:
        """End the worker. May be called twice."""
        self._channel.close()

    def _answers_of(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        known: dict[int, str | Failure] = {}
        good: list[int] = []
        for i, example in enumerate(examples):
            try:
                self._number(example)
                good.append(i)
            except ValueError as error:
                known[i] = Failure(self._redaction.line(f"cannot be asked: {error}"), "gate")
        if good:
            known |= zip(good, self._once([examples[i] for i in good]), strict=True)
        yield from (known[i] for i in range(len(examples)))

    def _once(self, examples: Sequence[Example]) -> list[str | Failure]:
        n = len(examples)
        seconds = self._timeout_s * math.ceil(n / self._concurrency)
        try:
            plan = self._plan(examples, range(n))
        except ModelError as error:
            return [Failure(self._redaction.line(error.message), "gate")] * n
        command = {
            "do": "closed",
            "payload": plan,
            "concurrency": min(self._concurrency, n),
            "seconds": seconds,
            "count": n,
        }
        found = self._call(command, seconds)
        if "unreachable" in found:
            return [Failure(self._redaction.line(str(found["unreachable"])), "gate")] * n
        unreached = set(found["unreached"])
        replies = self._decoder.replies(found, list(range(len(found["reply"]))))
        answers: list[str | Failure] = [
            Failure(one.failure, "gate" if i in unreached else "model") if one.failure else one.answer
            for i, one in enumerate(replies)
        ]
        return answers + [Failure(f"{NOT_ASKED}the endpoint cannot be reached", "gate")] * (n - len(answers))

    def _plan(self, examples: Sequence[Example], order: Sequence[int]) -> list[int]:
        """Return each position's request, by the number that the worker knows it by; send what it does not know yet."""
        numbers: dict[int, int] = {}
        for position in order:
            if position not in numbers:
                try:
                    numbers[position] = self._number(examples[position])
                except ValueError as error:
                    what = self._redaction.line(f"example {examples[position].id} cannot be asked: {error}")
                    raise ConfigError(what) from error
        self._hand_over()
        return [numbers[position] for position in order]

    def _number(self, example: Example) -> int:
        known = self._sent.get(id(example))
        if known is None:
            path, value = self._protocol.encode([example.input])
            body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
            self._waiting.append(request(self._address, self._address.target(path), self._headers, body))
            known = self._sent[id(example)] = (example, len(self._sent))  # the example is kept, and with it its id
        return known[1]

    def _hand_over(self) -> None:
        if not self._greeted:
            self._greet()
        while self._waiting:
            size, part = 0, 0
            while part < len(self._waiting) and (part == 0 or size + len(self._waiting[part]) <= _PART_BYTES):
                size += len(self._waiting[part])
                part += 1
            items = [base64.b64encode(one).decode("ascii") for one in self._waiting[:part]]
            self._channel.call({"do": "payloads", "items": items}, SLACK_S)
            del self._waiting[:part]

    def _greet(self) -> None:
        hello = {
            "do": "hello",
            "addresses": addresses(self._address),
            "port": self._address.port,
            "name": str(self._address),
            "host": host(self._address),
            "tls": self._address.scheme == "https",
            "server_name": self._address.host,
            "timeout_s": self._timeout_s,
            "connections": self._connections,
            "cpus": self._cpus,
        }
        self._channel.call(hello, SLACK_S)
        self._greeted = True

    def _call(self, command: Mapping[str, object], seconds: float) -> dict[str, Any]:
        command = {**command, "stream": self._decoder.stream}
        return self._channel.call(command, seconds + 2 * self._timeout_s + SLACK_S)

    def _run_block(self, command: Mapping[str, object], seconds: float) -> tuple[dict[str, Any], dict[str, float]]:
        before = self._resources() if self._resources else {}
        found = self._call(command, seconds)
        after = self._resources() if self._resources else {}
        if "unreachable" in found:
            raise ModelError(
                self._redaction.line(str(found["unreachable"])), hint="see whether the model server still runs"
            )
        facts = {str(name): float(value) for name, value in found["facts"].items()}
        if "server_cpu_s" in before and "server_cpu_s" in after:
            facts["server_cpu_s"] = max(0.0, after["server_cpu_s"] - before["server_cpu_s"])
        if memory := [one["server_memory_mb"] for one in (before, after) if "server_memory_mb" in one]:
            facts["server_memory_mb"] = max(memory)
        return found, facts


def _streaming(protocol: HttpProtocol) -> HttpProtocol:
    """Return the protocol as one that asks for pieces. Raises ConfigError for one that cannot."""
    if not isinstance(protocol, Streaming):
        raise ConfigError(
            f"{protocol.name} answers in one piece: it cannot stream",
            hint="stream with protocol openai-chat or openai-completions, or leave out stream",
        )
    return cast("HttpProtocol", replace(cast("Any", protocol), stream=True))


def addresses(address: Address) -> list[str]:
    """Return every IP address of the host, each of them checked. Raises Refused for a forbidden one."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ModelError(
            f"could not connect to {shown(str(address), {})}: {error}", hint="see whether the host's name is right"
        ) from error
    numbers = list(dict.fromkeys(str(place[0]) for *_, place in found))
    for number in numbers:
        refuse_forbidden(number)
    return numbers
