"""The two messages of the Open Inference Protocol that a question of texts needs, as protobuf bytes. Pure.

github.com/kserve/open-inference-protocol, grpc_predict_v2.proto; encoding: protobuf.dev, "Encoding". Written by hand,
so that neither protobuf nor generated code is a dependency. Whatever bytes a server sends: values, or ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}

_MODEL_NAME, _ID, _INPUTS = 1, 3, 5
"""ModelInferRequest's fields."""
_OUTPUTS, _RAW = 5, 6
"""ModelInferResponse's fields."""
_NAME, _DATATYPE, _SHAPE, _CONTENTS = 1, 2, 3, 5
"""The fields of a tensor, in both."""
_BYTES_CONTENTS = 8
"""InferTensorContents' field."""
_NUMBERS = {
    "BOOL": (1, "?"),
    "INT8": (2, "b"),
    "INT16": (2, "h"),
    "INT32": (2, "i"),
    "INT64": (3, "q"),
    "UINT8": (4, "B"),
    "UINT16": (4, "H"),
    "UINT32": (4, "I"),
    "UINT64": (5, "Q"),
    "FP32": (6, "f"),
    "FP64": (7, "d"),
}
"""Of each datatype of numbers: InferTensorContents' field, and how struct names it."""
_PREFIX = 4
"""A raw tensor has each text's length before it: four bytes, little-endian."""


def infer_request(model: str, texts: Sequence[str], input_name: str = "input", request_id: str = "") -> bytes:
    """Return a ModelInferRequest with one BYTES tensor of shape [n]."""
    contents = b"".join(_bytes_field(_BYTES_CONTENTS, text.encode()) for text in texts)
    tensor = (
        _bytes_field(_NAME, input_name.encode())
        + _bytes_field(_DATATYPE, b"BYTES")
        + _bytes_field(_SHAPE, _varint(len(texts)))
        + _bytes_field(_CONTENTS, contents)
    )
    named = _bytes_field(_ID, request_id.encode()) if request_id else b""
    return _bytes_field(_MODEL_NAME, model.encode()) + named + _bytes_field(_INPUTS, tensor)


def infer_values(message: bytes) -> list[str | int | float | bool]:
    """Return the values of a ModelInferResponse's first output. Raises ValueError, saying what is wrong."""
    outputs, raw = [], []
    for number, value in _fields(message):
        if number == _OUTPUTS:
            outputs.append(_chunk(value))
        elif number == _RAW:
            raw.append(_chunk(value))
    if not outputs:
        raise ValueError("answered no outputs")
    kind, contents = "", b""
    for number, value in _fields(outputs[0]):
        if number == _DATATYPE:
            kind = _chunk(value)[:20].decode("ascii", "replace")
        elif number == _CONTENTS:
            contents += _chunk(value)
    if kind == "BYTES":
        return [*_texts(contents, raw)]
    if kind not in _NUMBERS:
        raise ValueError(f"answered {kind}, not a tensor of texts or numbers")
    return [*(_raw_numbers(kind, raw[0]) if raw else _numbers(kind, contents))]


def _texts(contents: bytes, raw: Sequence[bytes]) -> list[str]:
    given = (_chunk(one) for place, one in _fields(contents) if place == _BYTES_CONTENTS)
    try:
        return [text.decode("utf-8") for text in (_raw_texts(raw[0]) if raw else given)]
    except UnicodeDecodeError as error:
        raise ValueError("answered bytes that are not UTF-8") from error


def _raw_numbers(kind: str, data: bytes) -> Iterator[int | float | bool]:
    code = _NUMBERS[kind][1]
    if len(data) % struct.calcsize(code):
        raise ValueError("answered a raw tensor that is cut off")
    yield from (value for (value,) in struct.iter_unpack(f"<{code}", data))


def _numbers(kind: str, contents: bytes) -> Iterator[int | float | bool]:
    """Yield the numbers of InferTensorContents: packed into one field, or one a field, as protobuf allows both."""
    field, code = _NUMBERS[kind]
    for place, value in _fields(contents):
        if place != field:
            continue
        if code in "fd":
            yield from _raw_numbers(kind, _chunk(value))
        elif isinstance(value, int):
            yield _whole(value, kind)
        else:
            at = 0
            while at < len(value):
                number, at = _read_varint(value, at)
                yield _whole(number, kind)


def _whole(value: int, kind: str) -> int | bool:
    """Return a varint as what it stands for: a negative number is written as its two's complement in 64 bits.

    Raises ValueError for what its datatype cannot hold: parsers of protobuf differ in what they make of it.
    """
    if kind == "BOOL":
        return bool(value)
    code = _NUMBERS[kind][1]
    number = value - (1 << 64) if code.islower() and 1 << 63 <= value < 1 << 64 else value
    try:
        struct.pack(f"<{code}", number)
    except struct.error as error:
        raise ValueError(f"answered {kind}, and a number beyond its range") from error
    return number


def _raw_texts(data: bytes) -> list[bytes]:
    texts, at = [], 0
    while at < len(data):
        start = at + _PREFIX
        at = start + int.from_bytes(data[at:start], "little")
        if at > len(data):
            raise ValueError("answered a raw tensor that is cut off")
        texts.append(data[start:at])
    return texts


def _chunk(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("answered a number where bytes belong")  # noqa: TRY004 - the one error of this file
    return value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes_field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _read_varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _read_varint(message, at)
        else:
            size = _WIDTHS.get(kind, -1)
        if size < 0 or at + size > len(message):
            raise ValueError("answered a message that is no protobuf, or cut off")
        yield key >> 3, message[at : at + size]
        at += size


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 - the last byte's mark
            return value, at + place + 1
    raise ValueError("answered a message that is no protobuf, or cut off")
