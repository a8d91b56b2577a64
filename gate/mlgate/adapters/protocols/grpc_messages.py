"""The two messages of the Open Inference Protocol that a question of texts needs, as protobuf bytes. Pure.

github.com/kserve/open-inference-protocol, grpc_predict_v2.proto; encoding: protobuf.dev, "Encoding". Written by hand,
so that neither protobuf nor generated code is a dependency. Whatever bytes a server sends: texts, or ValueError.
"""

from __future__ import annotations

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


def infer_texts(message: bytes) -> list[str]:
    """Return the texts of a ModelInferResponse's first output. Raises ValueError, saying what is wrong."""
    outputs, raw = [], []
    for number, value in _fields(message):
        if number == _OUTPUTS:
            outputs.append(_chunk(value))
        elif number == _RAW:
            raw.append(_chunk(value))
    if not outputs:
        raise ValueError("answered no outputs")
    kind, texts = b"", []
    for number, value in _fields(outputs[0]):
        if number == _DATATYPE:
            kind = _chunk(value)
        elif number == _CONTENTS:
            texts += [_chunk(one) for place, one in _fields(_chunk(value)) if place == _BYTES_CONTENTS]
    if kind != b"BYTES":
        raise ValueError(f"answered {kind[:20].decode('ascii', 'replace')}, not a tensor of texts")
    try:
        return [text.decode("utf-8") for text in (_raw_texts(raw[0]) if raw else texts)]
    except UnicodeDecodeError as error:
        raise ValueError("answered bytes that are not UTF-8") from error


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
