"""Reading one HTTP reply, however it is cut into pieces, and whatever it is made of."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.servers_load import chunked, until_close

from mlgate.adapters.load.http1_parser import BODY_LIMIT, HEAD_LIMIT, Reader

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nContent-Type: Application/JSON; charset=x\r\n\r\nhello"

Result = tuple[str, int, str, bytes, bool]


def read(pieces: list[bytes]) -> Result:
    reader = Reader()
    left = [piece for piece in pieces if piece]
    over = False
    while left and not over:
        over = reader.feed(left.pop(0), 1.0)
    if not over:
        reader.end()
    head = reader.head
    body = b"" if reader.failure else bytes(reader.body)
    keep = reader.reusable and not left
    return reader.failure, head.status if head else 0, head.kind if head else "", body, keep


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


replies = st.one_of(
    st.binary(max_size=60).map(lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)),
    st.binary(min_size=1, max_size=60).map(chunked),
    st.binary(max_size=60).map(until_close),
    st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + tail),
    st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail),
    st.binary(max_size=60),
    st.just(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + PLAIN),
    st.just(b"HTTP/1.0 204 No Content\r\nConnection: Keep-Alive\r\n\r\n"),
)


@given(replies, st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_reply(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places)) == read([data])


@given(replies)
def test_byte_by_byte_is_the_same_too(data: bytes) -> None:
    assert read([data[i : i + 1] for i in range(len(data))]) == read([data])


@given(st.binary(max_size=300))
def test_no_bytes_at_all_raise(data: bytes) -> None:
    assert read([data])[0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PLAIN, ("", 200, "application/json", b"hello", True)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, ("", 200, "application/json", b"hello", True)),
        (PLAIN + b"more", ("", 200, "application/json", b"hello", False)),
        (chunked(b"hello, world"), ("", 200, "application/json", b"hello, world", True)),
        (until_close(b"hello"), ("", 200, "application/json", b"hello", False)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ("", 204, "", b"", True)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", ("", 200, "", b"", False)),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n", ("", 200, "", b"", False)),
        (b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", ("", 302, "", b"", True)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", ("", 200, "", b"abc", True)),
    ],
)
def test_every_framing_is_read(data: bytes, expected: Result) -> None:
    assert read([data]) == expected


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/2 200 OK\r\n\r\n", "no HTTP/1 status line"),
        (b"\x16\x03\x01", "no HTTP/1 status line"),
        (b"HTTP/1.1 99 Low\r\n\r\n", "no HTTP/1 status line"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "it switched protocols"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded: c\r\n\r\n", "a malformed header"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "a malformed header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12", "two content lengths"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n1", "a content length that is no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", "a content length that is no number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "a transfer coding that nobody asked for"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "a malformed chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n", "a malformed chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\na\r\n", "a malformed chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "a malformed chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000, "a malformed chunk"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, f"a head of more than {HEAD_LIMIT} bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_LIMIT + b"\r\n\r\n", f"a head of more than {HEAD_LIMIT} bytes"),
        (chunked(b"a")[:-2] + b"X: y\r\n" * 20_000, f"a trailer of more than {HEAD_LIMIT} bytes"),
        (PLAIN[:-1], "the server closed the connection"),
        (chunked(b"hello")[:-4], "the server closed the connection"),
        (b"HTTP/1.1 200 OK\r\n", "the server closed the connection"),
    ],
)
def test_what_is_no_reply_is_a_sentence(data: bytes, why: str) -> None:
    assert read([data])[0] == f"the connection broke before the answer was whole: {why}"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n",
            f"the server announces 1000000000 bytes: more than {BODY_LIMIT} are not taken",
        ),
        (until_close(b" " * (BODY_LIMIT + 1)), f"the server sends more than {BODY_LIMIT} bytes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + b" " * (BODY_LIMIT + 1),
            f"the server sends more than {BODY_LIMIT} bytes",
        ),
    ],
)
def test_a_body_without_end_is_cut_at_its_limit(data: bytes, why: str) -> None:
    assert read([data])[0] == why


def test_a_stream_says_how_long_it_was_when() -> None:
    reader = Reader(stream=True)
    assert not reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1.0)
    assert not reader.feed(b"3\r\nabc\r\n", 2.0)
    assert not reader.feed(b"2\r\nd", 3.0)
    assert reader.feed(b"e\r\n0\r\n\r\n", 4.0)
    assert reader.marks == [(3, 2.0), (4, 3.0), (5, 4.0)]
    assert reader.first == 2.0
    assert bytes(reader.body) == b"abcde"
