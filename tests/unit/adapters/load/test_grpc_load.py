"""The Open Inference Protocol over gRPC: bytes by hand, and a real grpcio server on the other end."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.waiting import PATIENCE

from mlgate.adapters.http.address import Address
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.load.grpc_load import GrpcLoad
from mlgate.adapters.protocols.grpc_messages import _bytes_field, _varint, infer_request, infer_values
from mlgate.adapters.secrets.redactor import Secrets
from mlgate.core.check import Example
from mlgate.core.errors import ModelError, Refused
from mlgate.core.latency.block import LoadBlock
from mlgate.core.ports import ClosedLoop, Failure, OpenLoop

EXAMPLES = [Example(str(i), f"Größe {i}") for i in range(3)]


def response(texts: list[str], *, raw: bool, kind: bytes = b"BYTES") -> bytes:
    """A ModelInferResponse, by its field numbers: model_name 1, outputs 5, raw_output_contents 6."""
    contents = b"".join(_bytes_field(8, text.encode()) for text in texts)
    tensor = _bytes_field(1, b"out") + _bytes_field(2, kind) + (b"" if raw else _bytes_field(5, contents))
    packed = b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in texts)
    return _bytes_field(1, b"m") + _bytes_field(5, tensor) + (_bytes_field(6, packed) if raw else b"")


@given(st.lists(st.text(), max_size=5), st.booleans())
def test_texts_come_back_from_both_kinds_of_contents(texts: list[str], raw: bool) -> None:
    assert infer_values(response(texts, raw=raw)) == texts


NUMBERS = {
    "BOOL": ("?", 1, st.booleans()),
    "INT32": ("i", 2, st.integers(-(1 << 31), (1 << 31) - 1)),
    "INT64": ("q", 3, st.integers(-(1 << 63), (1 << 63) - 1)),
    "UINT64": ("Q", 5, st.integers(0, (1 << 64) - 1)),
    "FP32": ("f", 6, st.floats(width=32, allow_nan=False, allow_infinity=False)),
    "FP64": ("d", 7, st.floats(allow_nan=False, allow_infinity=False)),
}


@given(st.sampled_from(sorted(NUMBERS)), st.booleans(), st.data())
def test_numbers_come_back_from_both_kinds_of_contents(kind: str, raw: bool, data: st.DataObject) -> None:
    code, field, drawn = NUMBERS[kind]
    values = data.draw(st.lists(drawn, max_size=4))
    packed = struct.pack(f"<{len(values)}{code}", *values)
    if code in "fd":
        contents = _bytes_field(field, packed)
    else:
        contents = _bytes_field(field, b"".join(_varint(int(value) % (1 << 64)) for value in values))
    tensor = _bytes_field(2, kind.encode()) + (b"" if raw else _bytes_field(5, contents))
    assert infer_values(_bytes_field(5, tensor) + (_bytes_field(6, packed) if raw else b"")) == values


@given(st.binary(max_size=200))
def test_any_bytes_are_texts_or_a_sentence(data: bytes) -> None:
    try:
        found = infer_values(data)
    except ValueError as error:
        found = [str(error)]  # a sentence, as good as a value here
    assert all(isinstance(value, str | int | float) for value in found)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3), st.booleans(), st.data())
def test_a_cut_message_is_never_taken_for_other_texts(texts: list[str], raw: bool, data: st.DataObject) -> None:
    whole = response(texts, raw=raw)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        found = infer_values(cut)
    except ValueError:
        return
    assert raw
    assert found == []  # the cut fell between the tensor and its raw contents: no values, which is a failure


grpc: Any = pytest.importorskip("grpc", reason="needs grpcio: pip install 'mlgate[grpc]'")


@pytest.mark.parametrize(
    ("kind", "field", "number"),
    [("INT32", 2, 0xFFFFFFFF), ("INT8", 2, 300), ("UINT8", 4, 256), ("UINT64", 5, 1 << 64), ("INT64", 3, 1 << 64)],
)
def test_a_number_that_its_datatype_cannot_hold_is_no_answer(kind: str, field: int, number: int) -> None:
    tensor = _bytes_field(2, kind.encode()) + _bytes_field(5, _bytes_field(field, _varint(number)))
    with pytest.raises(ValueError, match=f"answered {kind}, and a number beyond its range"):
        infer_values(_bytes_field(5, tensor))


@contextmanager
def serving(answer: Callable[[bytes, Any], bytes]) -> Iterator[Address]:
    handler = grpc.unary_unary_rpc_method_handler(answer)
    service = grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {"ModelInfer": handler})
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Address.of(f"http://127.0.0.1:{port}")
    finally:
        server.stop(None).wait()


@contextmanager
def loading(address: Address, **more: Any) -> Iterator[GrpcLoad]:
    load = GrpcLoad(address, "m", **{"timeout_s": PATIENCE, **more})
    try:
        yield load
    finally:
        load.close()
        load.close()


def pressed(load: ClosedLoop, order: Sequence[int], concurrency: int) -> LoadBlock:
    """Press for a moment, and again where a busy machine let too few requests begin in it."""
    while True:
        block = load.press(EXAMPLES, order, concurrency, 0.05)
        if len(block.replies) >= concurrency:
            return block


def asked(message: bytes) -> str:
    return next(one.input for one in EXAMPLES if message == infer_request("m", [str(one.input)]))  # type: ignore[return-value]


@pytest.mark.parametrize("raw", [True, False])
def test_a_closed_loop_brings_each_example_its_answer(raw: bool) -> None:
    with serving(lambda message, _: response([f"saw {asked(message)}"], raw=raw)) as address, loading(address) as load:
        block = pressed(load, [2, 0], 2)
    assert all(one.answer == f"saw Größe {one.example}" and not one.failure for one in block.replies)
    assert all(0 < one.first <= one.done for one in block.replies)


def test_metadata_that_the_server_repeats_is_hidden_in_failures() -> None:
    token = "abcDEF-123456-ghiJKL-789"  # noqa: S105 - none of anybody's

    def repeat(_: bytes, context: Any) -> bytes:
        sent = dict(context.invocation_metadata())["authorization"]
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"{sent} and {sent.encode().hex()} are unknown")
        raise AssertionError

    redaction = Redaction([], Secrets({"TOK": token}))
    with (
        serving(repeat) as address,
        loading(address, headers={"Authorization": f"Bearer {token}"}, redaction=redaction) as load,
    ):
        (failed, *_) = load.answer(EXAMPLES[:1])
        (reply, *_) = pressed(load, [0], 1).replies
    for said in (str(failed), reply.failure):
        assert "Bearer [secret TOK] and " in said
        assert token not in said
        assert token.encode().hex()[:16] not in said


def test_as_a_model_it_answers_in_order() -> None:
    echo = lambda message, _: response([asked(message)], raw=True)  # noqa: E731 - a server in one line
    with serving(echo) as address, loading(address, concurrency=3) as load:
        assert list(load.answer(EXAMPLES)) == [one.input for one in EXAMPLES]
        (odd,) = load.answer([Example("odd", 3)])
    assert odd == Failure("cannot be asked: kserve-v2 over gRPC takes a text input, not int", "gate")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "answered no outputs"),
        (b"\xff" * 20, "answered a message that is no protobuf, or cut off"),
        (response(["a", "b"], raw=True), "answered 2 values for 1 inputs"),
        (response(["a"], raw=True, kind=b"FP16"), "answered FP16, not a tensor of texts or numbers"),
    ],
)
def test_a_wrong_reply_is_a_failure_that_took_the_time_out(data: bytes, why: str) -> None:
    with serving(lambda *_: data) as address, loading(address) as load:
        block = pressed(load, [0], 1)
    assert {one.failure for one in block.replies} == {why}
    assert all(one.done >= PATIENCE for one in block.replies)


def test_an_error_of_the_server_is_the_models_and_hides_secrets() -> None:
    def fail(_: bytes, context: Any) -> bytes:
        context.abort(grpc.StatusCode.INTERNAL, "bad token s3cret-value")
        return b""

    with serving(fail) as address, loading(address, headers={"X-Key": "s3cret-value"}) as load:
        assert list(load.answer(EXAMPLES[:1])) == [Failure("status INTERNAL: bad token ***")]


def test_a_server_that_is_not_there_is_the_gates_failure() -> None:
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens
        address = Address.of(f"http://127.0.0.1:{mine.getsockname()[1]}")
        demand_it_is_told(address)


def demand_it_is_told(address: Address) -> None:
    with loading(address, timeout_s=PATIENCE) as load:
        (answer,) = load.answer(EXAMPLES[:1])
        assert isinstance(answer, Failure)
        assert answer.blame == "gate"
        with pytest.raises(ModelError, match="could not connect"):
            load.press(EXAMPLES, [0], 1, 0.01)


def test_it_keeps_requests_under_way_and_no_schedule() -> None:
    with loading(Address.of("http://127.0.0.1:9")) as load:
        assert isinstance(load, ClosedLoop)
        assert not isinstance(load, OpenLoop)


def test_a_forbidden_address_is_refused() -> None:
    with pytest.raises(Refused):
        GrpcLoad(Address("http", "169.254.169.254", 80, "", ""), "m")
