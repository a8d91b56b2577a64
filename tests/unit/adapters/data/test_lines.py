import gzip
import random
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.data.lines import LARGEST_FILE, LONGEST_LINE, PIECE, numbered
from mlgate.adapters.data.packing import unpacked
from mlgate.core.errors import ConfigError, EvidenceError


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[i : i + size] for i in range(0, len(content), size))


@given(st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"])), st.integers(1, 9))
def test_lines_are_what_stands_between_line_feeds_however_the_bytes_come(text: str, size: int) -> None:
    expected = text.split("\n")
    if not expected[-1]:
        expected.pop()
    lines = list(numbered(cut(text.encode(), size), "f"))
    assert lines == list(enumerate(expected, 1))


def test_other_line_ends_of_unicode_are_text() -> None:
    text = "a\u2028b\x85c\x0bd\re"
    assert list(numbered([text.encode()], "f")) == [(1, text)]


def test_a_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert list(numbered(["\ufeffa\n\ufeffb".encode()], "f")) == [(1, "a"), (2, "\ufeffb")]


@pytest.mark.parametrize("bad", [b"a\0b", b"caf\xe9", b"\xed\xa0\x80", b"\xff\xfea\x00"])
def test_bytes_that_are_no_text_are_refused_with_their_line(bad: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        list(numbered([b"good\n" + bad], "f.jsonl"))
    assert caught.value.where == "f.jsonl:2"


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_over_the_limit_is_refused_before_it_is_all_read(end: bytes) -> None:
    with pytest.raises(ConfigError, match="more than 8 MB") as caught:
        list(numbered(cut(b"short\n" + b"x" * (LONGEST_LINE + 1) + end, PIECE), "f"))
    assert caught.value.where == "f:2"


def test_a_file_over_the_limit_is_refused() -> None:
    piece = b"x" * (PIECE - 1) + b"\n"
    with pytest.raises(ConfigError, match="1 GB"):
        deque(numbered((piece for _ in range(LARGEST_FILE // PIECE + 1)), "f"), maxlen=0)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(1, 60))
def test_all_members_of_a_gzip_file_are_unpacked_however_the_bytes_come(members: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members) + bytes(3)
    assert b"".join(unpacked(cut(packed, size), "f.gz")) == b"".join(members)


def test_what_is_unpacked_comes_in_bounded_pieces() -> None:
    packed = gzip.compress(bytes(20 * PIECE))
    assert {len(piece) <= PIECE for piece in unpacked([packed], "f.gz")} == {True}


def test_a_large_random_text_survives_packing() -> None:
    content = random.Random(7).randbytes(3 * PIECE + 17)
    assert b"".join(unpacked(cut(gzip.compress(content), PIECE), "f.gz")) == content


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_gzip_file_that_is_cut_off_anywhere_is_no_evidence(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    kept = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(EvidenceError, match="cut off"):
        deque(unpacked([packed[:kept]], "f.gz"), maxlen=0)


@pytest.mark.parametrize(
    "bad",
    [b"plain text", gzip.compress(b"abc")[:-8] + bytes(8), gzip.compress(b"a") + b"junk"],
    ids=["plain text", "no checksum", "junk behind"],  # gzip writes the time: no name for a test
)
def test_a_damaged_gzip_file_is_no_evidence(bad: bytes) -> None:
    with pytest.raises(EvidenceError) as caught:
        deque(unpacked([bad], "f.gz"), maxlen=0)
    assert caught.value.where == "f.gz"


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst", ".parquet", ".zip"])
def test_a_packed_file_without_its_ending_is_named(ending: str) -> None:
    begin = {
        ".gz": b"\x1f\x8b",
        ".bz2": b"BZh9",
        ".xz": b"\xfd7zXZ\0",
        ".zst": b"\x28\xb5\x2f\xfd",
        ".parquet": b"PAR1",
        ".zip": b"PK\x03\x04",
    }
    with pytest.raises(ConfigError) as caught:
        list(numbered([begin[ending] + b"\0\1\2"], "x.csv"))
    assert caught.value.hint == f"give it its ending: `mv -- x.csv x.csv{ending}`, and name x.csv{ending}"
