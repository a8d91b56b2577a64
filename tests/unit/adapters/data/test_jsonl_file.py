import gzip
import os
from pathlib import Path

import pytest

from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.jsonl_file import read
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, EvidenceError, GateError

GOOD = '{"id": "a", "input": "x", "reference": "y"}\n'


def written(folder: Path, content: str | bytes, name: str = "data.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_each_line_is_an_example(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + '{"id": "b", "input": ["x"], "reference": ["y", "z"]}')
    assert read(path).examples == (Example("a", "x", ("y",)), Example("b", ["x"], ("y", "z")))


def test_fields_go_by_the_names_that_are_given(tmp_path: Path) -> None:
    path = written(tmp_path, '{"key": 1, "q": {"text": "x"}, "answers": ["y"], "gold": "z", "domain": "d"}')
    data = read(path, Fields("q.text", ("answers", "gold"), "key", ("domain",)))
    assert data.examples == (Example("1", "x", ("y", "z"), (("domain", "d"),)),)


def test_gzip_carriage_returns_a_byte_order_mark_and_blank_lines_change_nothing(tmp_path: Path) -> None:
    other = "\ufeff" + "\n" + GOOD.replace("\n", "\r\n") + "\r\n"
    path = written(tmp_path, gzip.compress(other.encode()), "data.jsonl.gz")
    assert read(path) == read(written(tmp_path, GOOD))


def test_a_line_separator_inside_a_text_does_not_cut_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, '{"id": "a", "input": "one\u2028two\x85three", "reference": "y"}\n')
    assert read(path).examples[0].input == "one\u2028two\x85three"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "the line is not JSON"),
        ('{"input": "x", "reference": "y"} {}', "the line is not JSON"),
        ("[1]", "the line is not a JSON object"),
        ('"text"', "the line is not a JSON object"),
        ('{"id": "b", "input": NaN, "reference": "y"}', "NaN is not a JSON value"),
        ('{"id": "b", "input": 1, "unused": -Infinity, "reference": "y"}', "-Infinity is not a JSON value"),
        ('{"id": "b", "input": 1e999, "reference": "y"}', "1e999 is too large a number"),
        ('{"id": "b", "input": 1' + "0" * 5000 + ', "reference": "y"}', "the line is not JSON"),
        ('{"id": "b", "input": "x", "input": "z", "reference": "y"}', "a key stands twice"),
        ('{"id": "b", "input": {"k": 1, "k": 2}, "reference": "y"}', "a key stands twice"),
        ('{"id": "b", "input": "\\ud800", "reference": "y"}', "a lone surrogate"),
        ('{"id": "b", "input": "\\u0000", "reference": "y"}', "a NUL"),
        ('{"id": "b", "input": "\0", "reference": "y"}', "a NUL"),
        ('{"id": "b", "input": "x", "unused": ' + "[" * 64 + "]" * 64 + ', "reference": "y"}', "deeper than 64"),
        ('{"id": "b", "input": ' + "[" * 100_000 + "]" * 100_000 + ', "reference": "y"}', "deeper than 64"),
        ('{"id": "b", "input": "x"}', "no reference"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(written(tmp_path, f"{GOOD}\n{line}\n"))
    assert why in caught.value.message
    assert caught.value.where == f"{tmp_path}/data.jsonl:3"


def test_many_brackets_side_by_side_are_not_deep(tmp_path: Path) -> None:
    path = written(tmp_path, '{"id": "a", "input": [' + ", ".join(["[1]"] * 200) + '], "reference": "y"}')
    assert len(read(path).examples) == 1


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(written(tmp_path, GOOD.encode() + b'{"input": "caf\xe9"}'))
    assert caught.value.where.endswith("data.jsonl:2")


def no_file(folder: Path) -> Path:
    return folder / "missing.jsonl"


def a_directory(folder: Path) -> Path:
    return folder


def a_fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.jsonl")
    return folder / "pipe.jsonl"


def a_device(_: Path) -> Path:
    return Path("/dev/zero")


def a_loop_of_links(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def a_name_with_nul(folder: Path) -> Path:
    return folder / "a\0b"


def an_empty_file(folder: Path) -> Path:
    return written(folder, "\n\n")


def gzip_cut_off(folder: Path) -> Path:
    return written(folder, gzip.compress(GOOD.encode())[:-4], "cut.jsonl.gz")


@pytest.mark.parametrize(
    "made",
    [no_file, a_directory, a_fifo, a_device, a_loop_of_links, a_name_with_nul, an_empty_file, gzip_cut_off],
)
def test_a_file_that_cannot_be_read_is_no_evidence_and_never_a_hang(tmp_path: Path, made: object) -> None:
    assert callable(made)
    path = made(tmp_path)
    with pytest.raises(EvidenceError) as caught:
        read(path)
    assert caught.value.where == str(path)
    assert caught.value.hint
    assert caught.value.exit_code == 3


def test_a_gzip_file_under_a_plain_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateError):
        read(written(tmp_path, gzip.compress(GOOD.encode())))
