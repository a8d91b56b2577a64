"""Packed data: four kinds, however the bytes come, and never more memory than a piece."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlgate.adapters.data import csv_file, json_file, jsonl_file, lines, open_file, text_files
from mlgate.adapters.data.packing import unpacked
from mlgate.core.errors import ConfigError, EvidenceError

zstandard = pytest.importorskip("zstandard", reason="pip install 'mlgate[zstd]'")

TEXT = b"".join(b"line %d of the text\n" % n for n in range(2000))
PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data),
}


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_what_was_packed_comes_back_however_its_bytes_come(ending: str, size: int) -> None:
    assert b"".join(unpacked(pieces(PACK[ending](TEXT), size), "x", ending)) == TEXT


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_file_may_have_several_members(ending: str, size: int) -> None:
    packed = PACK[ending](TEXT) + PACK[ending](b"more\n")
    assert b"".join(unpacked(pieces(packed, size), "x", ending)) == TEXT + b"more\n"


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("cut", [0, 1, 5, 30, -9, -1])
def test_a_file_that_is_cut_off_is_no_evidence(ending: str, cut: int) -> None:
    with pytest.raises(EvidenceError, match=r"cut off|damaged"):
        b"".join(unpacked([PACK[ending](TEXT)[:cut]], "x", ending))


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("behind", [b"garbage", b"\x01", b"\x1f\x8b"])
def test_what_stands_behind_the_end_is_refused(ending: str, behind: bytes) -> None:
    with pytest.raises(EvidenceError, match=r"cut off|damaged"):
        b"".join(unpacked([PACK[ending](TEXT) + behind], "x", ending))


@pytest.mark.parametrize("ending", PACK)
def test_what_is_not_packed_so_is_refused(ending: str) -> None:
    with pytest.raises(EvidenceError, match="damaged"):
        b"".join(unpacked([TEXT], "x", ending))


@pytest.mark.parametrize("ending", PACK)
def test_a_bomb_comes_in_bounded_pieces(ending: str) -> None:
    packed = PACK[ending](b"\0" * (64 << 20))
    largest = 0
    for piece in unpacked([packed], "x", ending):
        largest = max(largest, len(piece))
    assert largest <= 16 << 20


@pytest.mark.parametrize("ending", PACK)
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LARGEST_FILE", 4 << 20)
    path = tmp_path / f"x.jsonl{ending}"
    path.write_bytes(PACK[ending]((b" " * 1000 + b"\n") * (64 << 10)))
    with pytest.raises(ConfigError, match="more than 1 GB"):
        jsonl_file.read(path)


@pytest.mark.parametrize("ending", [*PACK, *(one.upper() for one in PACK)])
def test_every_text_format_is_read_packed_in_small_and_large_letters(tmp_path: Path, ending: str) -> None:
    pack = PACK[ending.lower()]
    contents = {
        "x.jsonl": b'{"input": "q", "reference": "r"}\n',
        "x.json": b'[{"input": "q", "reference": "r"}]',
        "x.csv": b"input,reference\nq,r\n",
        "x.TSV": b"input\treference\nq\tr\n",
    }
    for name, content in contents.items():
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(pack(content))
        read = {"jsonl": jsonl_file.read, "json": json_file.read}.get(name.partition(".")[2], csv_file.read)
        assert read(path).examples[0].references == ("r",)
    (tmp_path / f"x.src{ending}").write_bytes(pack(b"q\n"))
    assert text_files.read(tmp_path / f"x.src{ending}", [tmp_path / f"x.src{ending}"]).examples[0].input == "q"


def test_without_the_library_the_next_step_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    monkeypatch.setitem(__import__("sys").modules, "compression.zstd", None)
    (tmp_path / "x.jsonl.zst").write_bytes(b"x")
    with pytest.raises(ConfigError) as caught:
        list(open_file.lines(tmp_path / "x.jsonl.zst"))
    assert caught.value.hint == "pip install 'mlgate[zstd]'"
