"""A model behind the Open Inference Protocol over gRPC, under load in a closed loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlgate.adapters.http.address import Address
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.load.http_load import addresses
from mlgate.adapters.load.row_limits import bounded
from mlgate.adapters.protocols.answer_text import text_or_failure
from mlgate.adapters.protocols.grpc_messages import infer_request, infer_values
from mlgate.adapters.protocols.protocol import PLACE, prompt
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, ModelError
from mlgate.core.evidence import Blame
from mlgate.core.latency.block import LoadBlock, TimedReply
from mlgate.core.ports import Failure

_METHOD = "/inference.GRPCInferenceService/ModelInfer"
_LARGEST_REPLY = 4 << 20
"""The longest reply, in bytes."""


class GrpcLoad:
    """Asks with *concurrency* threads over one channel; is a ClosedLoop and a Model.

    It is no OpenLoop: threads cannot keep a schedule to fractions of a millisecond. Its times hold gRPC's own work:
    compare like with like only.
    """

    def __init__(
        self,
        address: Address,
        model: str,
        *,
        template: str = PLACE,
        input_name: str = "input",
        timeout_s: float = 60.0,
        headers: Mapping[str, str] | None = None,
        facts: Mapping[str, str | float] | None = None,
        gone: Callable[[], str] = lambda: "",
        concurrency: int = 1,
        redaction: Redaction | None = None,
    ) -> None:
        """Prepare. Raises ConfigError when grpcio is not installed, Refused for a forbidden address."""
        try:
            import grpc  # type: ignore[import-untyped]
        except ImportError as error:
            raise ConfigError("gRPC needs grpcio", hint="pip install 'mlgate[grpc]'") from error
        self._grpc: Any = grpc
        self._channel: Any = _checked_channel(grpc, address)
        self._ask = self._channel.unary_unary(_METHOD, request_serializer=None, response_deserializer=None)
        self._address = address
        self._model = model
        self._template = template
        self._input_name = input_name
        self._timeout_s = timeout_s
        self._metadata = [(name.lower(), value) for name, value in (headers or {}).items()]
        self._redaction = redaction or Redaction((headers or {}).values())
        self._facts = dict(facts or {})
        self._gone = gone
        self._concurrency = concurrency

    @property
    def facts(self) -> Mapping[str, str | float]:
        """Return how the model was started, as it was given."""
        return self._facts

    def press(self, examples: Sequence[Example], order: Sequence[int], concurrency: int, seconds: float) -> LoadBlock:
        """Keep *concurrency* requests under way, the next in *order* (around again) when one is done."""
        messages: dict[int, bytes] = {}
        for position in order:
            if position not in messages:
                try:
                    messages[position] = self._encoded_request(examples[position])
                except ValueError as error:
                    raise ConfigError(f"example {examples[position].id} cannot be asked: {error}") from error
        cpu, start = time.process_time(), time.perf_counter()
        replies = self._run(messages, order, concurrency, lambda _: time.perf_counter() - start < seconds, start)
        facts = {"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu, "steal_s": 0.0}
        if replies and all(reply.failure.startswith("could not connect") for reply in replies):
            raise ModelError(replies[0].failure, hint="see whether the model server still runs")
        return LoadBlock(bounded(replies, self._timeout_s), facts)

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        """Ask about each example once, `concurrency` at a time; yield in order, a part of the examples at a time."""
        size = max(64, 8 * self._concurrency)
        for start in range(0, len(examples), size):
            yield from self._once(examples[start : start + size])

    def gone(self) -> str:
        """Return why the model does not run any more, where anybody can know; else nothing."""
        return self._gone()

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._channel.close()

    def _once(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        messages: dict[int, bytes] = {}
        known: dict[int, str | Failure] = {}
        for i, example in enumerate(examples):
            try:
                messages[i] = self._encoded_request(example)
            except ValueError as error:
                known[i] = Failure(self._redaction.line(f"cannot be asked: {error}"), "gate")
        order = list(messages)
        for reply in self._run(messages, order, self._concurrency, lambda i: i < len(order), time.perf_counter()):
            blame: Blame = "gate" if reply.failure.startswith("could not connect") else "model"
            known[reply.example] = Failure(reply.failure, blame) if reply.failure else reply.answer
        yield from (known[i] for i in range(len(examples)))

    def _encoded_request(self, example: Example) -> bytes:
        text = prompt(self._template, example.input, "kserve-v2 over gRPC")
        return infer_request(self._model, [text], self._input_name)

    def _run(
        self,
        messages: Mapping[int, bytes],
        order: Sequence[int],
        concurrency: int,
        goes_on: Callable[[int], bool],
        start: float,
    ) -> list[TimedReply]:
        """Return the replies in the order of sending. Every thread takes the next place until there is none."""
        seen: dict[int, TimedReply] = {}
        places = iter(range(1 << 62))
        turn = threading.Lock()

        def work() -> None:
            while True:
                with turn:
                    place = next(places)
                if not goes_on(place):
                    return
                position = order[place % len(order)]
                seen[place] = self._timed_reply(position, messages[position], start)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(concurrency)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [seen[place] for place in sorted(seen)]

    def _timed_reply(self, position: int, message: bytes, start: float) -> TimedReply:
        sent = time.perf_counter()
        try:
            said = self._ask(message, timeout=self._timeout_s, metadata=self._metadata)
            took = time.perf_counter() - sent
            answer, failure = self._read(said)
        except self._grpc.RpcError as error:
            took = time.perf_counter() - sent
            answer, failure = "", self._why(error)
        done = max(took, self._timeout_s) if failure else took
        return TimedReply(position, sent - start, 0.0, took, done, answer, failure)

    def _read(self, said: bytes) -> tuple[str, str]:
        try:
            values = infer_values(said)
        except ValueError as error:
            return "", self._redaction.line(str(error))
        if len(values) != 1:
            return "", f"answered {len(values)} values for 1 inputs"
        answer = text_or_failure(values[0])
        return ("", answer.why) if isinstance(answer, Failure) else (answer, "")

    def _why(self, error: Any) -> str:
        code, details = error.code(), self._redaction.line(str(error.details()))
        if code == self._grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"no answer within {self._timeout_s:g} s"
        if code == self._grpc.StatusCode.UNAVAILABLE:
            return f"could not connect to {self._redaction.line(str(self._address))}: {details}"
        return f"status {code.name}: {details or 'empty'}"


def _checked_channel(grpc: Any, address: Address) -> Any:
    """Return a channel to a checked, numeric address: gRPC's own resolver, proxies and redirects are out of it."""
    number = addresses(address)[0]
    place = f"[{number}]:{address.port}" if ":" in number else f"{number}:{address.port}"
    options = [
        ("grpc.max_receive_message_length", _LARGEST_REPLY),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.default_authority", f"{address.host}:{address.port}"),
    ]
    if address.scheme == "https":
        return grpc.secure_channel(place, grpc.ssl_channel_credentials(), options)
    return grpc.insecure_channel(place, options)
