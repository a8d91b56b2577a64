import gzip
import importlib
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.data.text_files import read
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, EvidenceError


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_line_n_of_each_file_is_example_n(tmp_path: Path) -> None:
    source = written(tmp_path, "test.de", "eins\nzwei\n")
    first, second = written(tmp_path, "a.en", "one\ntwo\n"), written(tmp_path, "b.en", "1\n2")
    assert read(source, [first, second]).examples == (
        Example("1", "eins", ("one", "1")),
        Example("2", "zwei", ("two", "2")),
    )


def test_a_file_of_groups_says_which_document_each_line_is_of(tmp_path: Path) -> None:
    source, reference = written(tmp_path, "s", "a\nb\nc\n"), written(tmp_path, "r", "a\nb\nc\n")
    found = read(source, [reference], written(tmp_path, "docs", "x\nx\ny\n"))
    assert [example.group for example in found.examples] == ["x", "x", "y"]
    short = written(tmp_path, "short", "x\n")
    with pytest.raises(
        ConfigError, match=re.escape(f"the line counts differ: {source} has 3, {reference} has 3, {short} has 1")
    ):
        read(source, [reference], short)


@pytest.mark.parametrize(("inputs", "references"), [("a\nb\n", "a\n"), ("a\n", "a\nb\n"), ("a\n\n", "a\n")])
def test_files_of_unlike_length_are_never_cut_to_fit(tmp_path: Path, inputs: str, references: str) -> None:
    source, reference = written(tmp_path, "s", inputs), written(tmp_path, "r", references)
    with pytest.raises(ConfigError) as caught:
        read(source, [reference])
    counts = (inputs.count("\n"), references.count("\n"))
    assert caught.value.message == f"the line counts differ: {source} has {counts[0]}, {reference} has {counts[1]}"


def test_a_blank_line_is_an_empty_segment_that_is_kept_and_told(tmp_path: Path) -> None:
    data = read(written(tmp_path, "s", "a\n\n\n"), [written(tmp_path, "r", "a\nb\n\n")])
    assert [e.input for e in data.examples] == ["a", "", ""]
    assert data.notices == (
        "2 rows have an empty input: line 2, 3",
        "1 row has an empty reference: line 3",
    )


def test_equal_lines_keep_their_own_ids_because_lines_have_numbers_and_are_one_group(tmp_path: Path) -> None:
    data = read(written(tmp_path, "s", "a\na\n"), [written(tmp_path, "r", "b\nb\n")])
    assert [e.id for e in data.examples] == ["1", "2"]
    assert data.notices == ("1 row asks what an earlier one asks: rows that ask the same are one group",)


def test_a_gzip_file_stands_for_its_content(tmp_path: Path) -> None:
    packed = written(tmp_path, "s.gz", gzip.compress(b"a\nb\n"))
    assert [e.input for e in read(packed, [written(tmp_path, "r", "c\nd\n")]).examples] == ["a", "b"]


@given(st.text(st.sampled_from("ab \t\r\n\x0b\x0c\x1c\x85\u2028\u2029\u3000"), min_size=1))
def test_segments_are_those_that_sacrebleu_reads(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = written(tmp_path_factory.mktemp("t"), "r", text)
    with importlib.import_module("sacrebleu.utils").smart_open(str(path)) as lines:
        expected = [line.rstrip() for line in lines]
    assert [e.references for e in read(path, [path]).examples] == [(line,) for line in expected]


def test_bytes_that_are_not_utf8_are_named_with_file_and_line(tmp_path: Path) -> None:
    source, reference = written(tmp_path, "s", "a\nb\n"), written(tmp_path, "r", b"a\n\xff\n")
    with pytest.raises(ConfigError) as caught:
        read(source, [reference])
    assert caught.value.where == f"{reference}:2"


def test_no_reference_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read(written(tmp_path, "s", "a\n"), [])


def test_no_line_at_all_is_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError):
        read(written(tmp_path, "s", ""), [written(tmp_path, "r", "")])


def test_a_missing_file_a_directory_and_a_fifo_are_no_evidence(tmp_path: Path) -> None:
    source = written(tmp_path, "s", "a\n")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        with pytest.raises(EvidenceError) as caught:
            read(source, [path])
        assert caught.value.where == str(path)
