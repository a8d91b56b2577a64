"""A head told by its shape says what it says when it is read with care, or it is not told at all."""

from __future__ import annotations

import inspect
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlgate.adapters.load import head_patterns
from mlgate.adapters.load.head_patterns import LONGEST_HEAD, shape_of
from mlgate.adapters.load.http1_parser import HEAD_LIMIT, Head, Reader, head_of
from mlgate.adapters.load.results import Results

PLAIN = b"HTTP/1.1 200 OK\r\nDate: %b\r\nContent-Type: text/plain\r\ncontent-length: %b\r\nX-Id: %b\r\n\r\n%b"

names = st.one_of(
    st.sampled_from(
        [b"Content-Length", b"content-LENGTH", b"Content-Length ", b" Content-Length", b"Transfer-Encoding"]
    ),
    st.sampled_from([b"CONNECTION", b"Connection", b"Content-Type", b"X-Id", b"x-id", b"Date"]),
    st.sampled_from([b"", b"X\0", b"X Y", b"X\n", b"Gr\xf6\xdfe"]),
)
lengths = st.one_of(
    st.sampled_from(
        [b" 2", b"2", b"  2  ", b"\t2", b" 2\t", b" 02", b" +2", b" -2", b" 2, 2", b" 2,3", b" 3", b" 1", b" 0"]
    ),
    st.sampled_from([b" 2 2", b"", b" ", b" 0x2", b" 2.0", b" 2_0", b" \xb2", b" 2\0", b" 2\n"]),
    st.sampled_from([b" %b2" % (b"0" * 17), b" %b2" % (b"0" * 18)]),
)
others = st.one_of(
    st.sampled_from(
        [b" chunked", b" gzip", b" close", b" keep-alive", b" Close, x", b" text/plain; a=b", b" TEXT/Html"]
    ),
    st.sampled_from(
        [b"", b" a\nContent-Length: 9", b" a\rb", b" a\r", b"\n", b" a\0b", b" a\tb", b" \x7f\x80\xff", b":"]
    ),
    st.sampled_from(
        [b" a\r\n folded", b" a\r\n\r\nContent-Length: 2", b" a\r\nTransfer-Encoding: chunked", b" a" * 40]
    ),
    st.binary(max_size=12),
)
values = st.one_of(lengths, others)
lines = st.one_of(
    st.tuples(names, st.just(b":"), values).map(b"".join),
    st.tuples(st.sampled_from([b"Content-Length", b"content-length"]), st.just(b":"), lengths).map(b"".join),
    st.sampled_from([b"no colon", b" folded: x", b"", b"\n"]),
)
firsts = st.one_of(
    st.sampled_from(
        [b"HTTP/1.1 200", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No", b"HTTP/1.1 304 Not", b"HTTP/1.1 503 Busy"]
    ),
    st.sampled_from(
        [b"HTTP/1.1 100 Go", b"HTTP/1.1 0200 OK", b"HTTP/2 200 OK", b"HTTP/1.1 200 a\nb", b" HTTP/1.1 200 OK"]
    ),
)
ORDINARY = [b"Content-Length: 2", b"Content-Type: text/plain", b"Date: x", b"X-Id: 1", b"Connection: keep-alive"]
CHANGES = ["nothing", "value", "value", "value", "line", "more", "again", "first", "end", "piece"]


@st.composite
def heads(draw: st.DrawFn, changes: int) -> tuple[list[bytes], bytes]:
    """An ordinary head with a few things about it that are not: its lines, and its bytes."""
    made = [b"HTTP/1.1 200 OK", *draw(st.lists(st.sampled_from(ORDINARY[1:]), unique=True)), ORDINARY[0]]
    made[1:] = draw(st.permutations(made[1:]))
    return made, changed(draw, made, changes)


def changed(draw: st.DrawFn, lines_of: list[bytes], changes: int) -> bytes:
    made, breaks = [*lines_of], [b"\r\n"] * 20
    piece = b""
    for _ in range(changes):
        at = draw(st.integers(1, len(made) - 1))
        match draw(st.sampled_from(CHANGES)):
            case "value":
                made[at] = made[at].partition(b":")[0] + b":" + draw(values)
            case "line":
                made[at] = draw(lines)
            case "more":
                made.insert(at, draw(lines))
            case "again":
                made.append(made[at])
            case "first":
                made[0] = draw(firsts)
            case "end":
                breaks[at] = draw(st.sampled_from([b"\n", b"\r", b"\r\r\n"]))
            case "piece":
                piece = draw(values)
    whole = b"".join(line + end for line, end in zip(made, breaks, strict=False)) + breaks[-1]
    place = draw(st.integers(0, len(whole))) if piece else 0
    return whole[:place] + piece + whole[place:]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two heads of the same lines, each with something changed: most often only in the second."""
    made, first = draw(heads(draw(st.sampled_from([0, 0, 1]))))
    return first, changed(draw, made, draw(st.integers(0, 2)))


def read(data: bytes) -> tuple[Reader, bool]:
    reader = Reader()
    return reader, reader.feed(data, 1.0)


def learned(data: bytes) -> Results:
    """Return a book that has seen *data*, as the engine fills it."""
    book = Results()
    reader, over = read(data)
    if over and reader.head and not reader.failure:
        book.place(reader.head, bytes(reader.body))
        book.learn(reader, reader.head)
    return book


def told(book: Results, place: int) -> tuple[int, str, bytes]:
    return book._replies[place]


bodies = st.sampled_from([b"ab", b"cd", b"", b"abc", b"a", b"\r\n", b"ab\r\n\r\n", b"\0\n"])


@settings(max_examples=500)
@given(pairs(), bodies, bodies)
@example((PLAIN % (b"a", b"2", b"b", b""), PLAIN % (b"c", b"02", b"d", b"")), b"ab", b"cd")
@example((PLAIN % (b"a", b"2", b"b", b""), PLAIN % (b"c", b"2", b"d\r\nTransfer-Encoding: chunked", b"")), b"ab", b"cd")
def test_what_is_told_by_its_shape_is_what_reading_with_care_says(
    seen: tuple[bytes, bytes], one: bytes, other: bytes
) -> None:
    book = learned(seen[0] + one)
    data = seen[1] + other
    place = book.recognise(data)
    if place >= 0:
        head = required(data)
        assert told(book, place) == (head.status, head.kind, bytes(read(data)[0].body))
    same = book.same.get(len(data))
    if same and data.startswith(same[0]):
        again = book._bodies(required(data))
        assert same[2] is again
        assert data[same[1] :] == bytes(read(data)[0].body)


def required(data: bytes) -> Head:
    """Return the head of what is a whole reply and leaves the connection good for another."""
    reader, over = read(data)
    assert over
    assert reader.reusable
    assert reader.head
    return reader.head


@settings(max_examples=500)
@given(pairs())
def test_a_shape_is_only_narrower_than_reading_with_care(seen: tuple[bytes, bytes]) -> None:
    """The same without a book: also for heads whose body is still to come."""
    first = read(seen[0])[0]
    if not first.head or first.failure or not (shape := shape_of(first.raw_head, first.head)):
        return
    assert shape.match(first.raw_head)
    if found := shape.match(seen[1]):
        raw = seen[1][: found.start(2)]
        meant = head_of(raw)
        assert raw.find(b"\r\n\r\n") == len(raw) - 4
        assert meant == Head(first.head.status, int(found[1]), keep=True, kind=first.head.kind)


@given(st.lists(st.tuples(st.text("abc-:, 0", max_size=20), st.integers(0, 10**6), st.binary(max_size=20)), min_size=2))
def test_every_ordinary_head_that_never_repeats_is_told_by_the_first_ones_shape(
    replies: list[tuple[str, int, bytes]],
) -> None:
    made = [PLAIN % (date.encode(), b"%d" % len(body), b"%d" % i, body) for date, i, body in replies]
    book = learned(made[0])
    for data, (_, _, body) in zip(made, replies, strict=True):
        place = book.recognise(data)
        assert place >= 0
        assert told(book, place) == (200, "text/plain", body)
    assert len(book._shapes) == 1


@pytest.mark.parametrize("piece", [b"\r\n", b"\n\r", *(bytes([byte]) for byte in range(256))])
def test_no_byte_in_a_value_is_let_through_that_reading_with_care_refuses(piece: bytes) -> None:
    data = PLAIN % (b"a" + piece + b"b", b"2", b"c", b"ab")
    if learned(PLAIN % (b"a", b"2", b"b", b"ab")).recognise(data) >= 0:
        assert required(data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX:\tx\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: " + b"x" * LONGEST_HEAD + b"\r\n\r\nab",
    ],
)
def test_a_head_out_of_the_ordinary_gets_no_shape(data: bytes) -> None:
    assert learned(data)._shapes == []


@pytest.mark.parametrize("first", [b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK\r\nConnection: close"])
def test_a_reply_that_ends_its_connection_is_read_with_care_each_time(first: bytes) -> None:
    book = learned(first + b"\r\nContent-Length: 2\r\n\r\nab")
    assert book.same == {}
    assert book._shapes == []


def test_a_head_longer_than_the_longest_is_not_told_by_its_shape() -> None:
    book = learned(PLAIN % (b"a", b"2", b"b", b"ab"))
    assert book.recognise(PLAIN % (b"c", b"2", b"d" * HEAD_LIMIT, b"ab")) == -1


def test_a_server_without_end_of_shapes_is_learned_only_so_far() -> None:
    book = Results()
    for i in range(2000):
        reader, _ = read(b"HTTP/1.1 200 OK\r\nX-%d: 1\r\nContent-Length: %d\r\n\r\n%b" % (i, i, b"x" * i))
        assert reader.head
        book.learn(reader, reader.head)
    assert len(book._shapes) == 8
    assert len(book.same) <= 512


def test_a_shape_is_learned_once_however_often_its_replies_are_read_with_care() -> None:
    book = Results()
    for i in range(20):
        reader, _ = read(PLAIN % (b"a", b"2", b"%d" % i, b"ab"))
        assert reader.head
        book.learn(reader, reader.head)
    assert len(book._shapes) == 1


def test_every_name_that_reading_with_care_looks_at_is_held_fast() -> None:
    looked_at = set(re.findall(r'case b"([a-z-]+)"', inspect.getsource(head_of)))
    assert looked_at == {name.decode() for name in head_patterns._TELLING}
