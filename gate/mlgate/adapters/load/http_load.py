"""A model behind an HTTP endpoint, under timed load."""

from __future__ import annotations

import base64
import json
import math
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast, runtime_checkable

from mlgate.adapters.http.address import Address, refuse_forbidden
from mlgate.adapters.http.connection import HttpReply
from mlgate.adapters.http.headers import checked, host, request
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.http.replies import EVENT_STREAM, STATUS_OK, known_secrets, read, told, wrong_status
from mlgate.adapters.load.channel import Channel
from mlgate.adapters.load.row_limits import bounded
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.adapters.protocols.sse import events
from mlgate.adapters.secrets.redactor import shown
from mlgate.core.check import Example
from mlgate.core.errors import AdapterError, ConfigError, ModelError
from mlgate.core.evidence import NOT_ASKED
from mlgate.core.load_block import Arrival, LoadBlock, TimedReply
from mlgate.core.ports import Failure

SLACK_S = 30.0
"""How much longer than its block may take a worker may be silent: opening connections, writing a long line."""
_PART_BYTES = 4 << 20
"""The most bytes of requests that one command carries to the worker."""
_MICRO = 1e6

Resources = Callable[[], Mapping[str, float]]
"""Reads `server_cpu_s`, which only grows, and `server_memory_mb`: the peak so far, or a sample where none is kept."""

Carried = tuple[tuple[int, int], ...]
"""Of each event with text: where it ended in the body, and how many characters it brought."""
Seen = tuple[str, str, Carried]
"""Of one distinct reply: answer, failure, and its events with text."""


@runtime_checkable
class Streaming(Protocol):
    """A protocol whose answers can come in pieces."""

    stream: bool

    def decode_stream(self, events: Sequence[bytes]) -> tuple[str | Failure, dict[int, int]]:
        """Return the answer, and how many characters of it which event carried."""


class HttpLoad:
    """Sends what HttpModel would send, from a worker that times it; is a Load and a Model.

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
        if stream and not isinstance(protocol, Streaming):
            raise ConfigError(
                f"{protocol.name} answers in one piece: it cannot stream",
                hint="stream with protocol openai-chat or openai-completions, or leave out stream",
            )
        if not (timeout_s > 0 and concurrency >= 1 and connections >= 1):
            raise ConfigError("concurrency and connections begin at 1, and timeouts are positive")
        self._channel = channel
        self._address = address
        self._protocol = cast("HttpProtocol", replace(cast("Any", protocol), stream=True)) if stream else protocol
        self._stream = stream
        self._timeout_s = timeout_s
        self._headers = checked(headers or {})
        self._redaction = redaction or known_secrets(address, headers or {})
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
        """Open loop: send each request when it is due, and wait for all replies."""
        if not arrivals:
            return LoadBlock(())
        plan = self._plan(examples, [arrival.example for arrival in arrivals])
        command = {
            "do": "open",
            "due": [arrival.due for arrival in arrivals],
            "payload": plan,
            "stream": self._stream,
        }
        found, facts = self._run_block(command, arrivals[-1].due)
        replies = self._replies(found, [arrival.example for arrival in arrivals])
        return LoadBlock(bounded(replies, self._timeout_s), facts)

    def press(self, examples: Sequence[Example], order: Sequence[int], concurrency: int, seconds: float) -> LoadBlock:
        """Closed loop: *concurrency* requests under way, the next in *order* (around again) when one is done."""
        plan = self._plan(examples, order)
        command = {
            "do": "closed",
            "payload": plan,
            "concurrency": concurrency,
            "seconds": seconds,
            "stream": self._stream,
        }
        found, facts = self._run_block(command, seconds)
        asked = [order[i % len(order)] for i in range(len(found["reply"]))]
        return LoadBlock(bounded(self._replies(found, asked), self._timeout_s), facts)

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
            "stream": self._stream,
        }
        found = self._call(command, seconds)
        if "unreachable" in found:
            return [Failure(self._redaction.line(str(found["unreachable"])), "gate")] * n
        unreached = set(found["unreached"])
        replies = self._replies(found, list(range(len(found["reply"]))))
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

    def _replies(self, found: Mapping[str, Any], asked: Sequence[int]) -> tuple[TimedReply, ...]:
        """Turn the worker's columns into replies. Equal replies are read once."""
        try:
            seen = [
                self._decoded_reply(HttpReply(r["status"], r["kind"], base64.b64decode(r["body"])))
                for r in found["replies"]
            ]
            columns = zip(
                asked, *(found[name] for name in ("due_us", "late_us", "first_us", "done_us", "reply")), strict=True
            )
            return tuple(
                self._reply(i, column, seen, found["failure"], found["marks"]) for i, column in enumerate(columns)
            )
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise AdapterError(f"the load generator's columns cannot be read: {error}") from error

    def _reply(
        self,
        i: int,
        column: tuple[int, ...],
        seen: Sequence[Seen],
        failures: Mapping[str, str],
        marks: Mapping[str, Sequence[tuple[int, int]]],
    ) -> TimedReply:
        example, due, late, first, done, place = column
        failure = self._redaction.line(failures[str(i)]) if str(i) in failures else ""
        answer = ""
        carried: Carried = ()
        if not failure:
            answer, failure, carried = seen[place]
        arrived = _arrival_of_text(carried, marks.get(str(i), ()), done) if not failure else {}
        times = tuple(at / _MICRO for at in arrived)
        began = times[0] if times else first / _MICRO if first >= 0 else math.nan
        ended = max(done / _MICRO, self._timeout_s) if failure else done / _MICRO
        return TimedReply(
            example, due / _MICRO, late / _MICRO, began, ended, answer, failure, times, tuple(arrived.values())
        )

    def _decoded_reply(self, reply: HttpReply) -> Seen:
        if not self._stream:
            (one,) = read(reply, 1, self._protocol, self._redaction)
            return ("", one.why, ()) if isinstance(one, Failure) else (one, "", ())
        if reply.status != STATUS_OK:
            return "", wrong_status(reply, self._redaction).why, ()
        if reply.kind != EVENT_STREAM:
            kind = self._redaction.line(reply.kind, 40) or "no content type"
            return "", f"status 200, {kind}, not an event stream: {self._redaction.line(reply.body) or 'empty'}", ()
        came = events(reply.body)
        answer, carried = cast("Streaming", self._protocol).decode_stream([event.data for event in came])
        if isinstance(answer, Failure):
            return "", told(answer, reply, self._redaction).why, ()
        return answer, "", tuple((came[index].end, size) for index, size in carried.items())


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


def _arrival_of_text(carried: Carried, marks: Sequence[tuple[int, int]], done: int) -> dict[int, int]:
    """Return how many characters arrived when, in microseconds: what came in one read arrived together.

    An event is there when the body had first grown to its end. Ends and marks ascend.
    """
    found: dict[int, int] = {}
    place = 0
    for end, size in carried:
        while place < len(marks) and marks[place][0] < end:
            place += 1
        at = marks[place][1] if place < len(marks) else done
        found[at] = found.get(at, 0) + size
    return found
