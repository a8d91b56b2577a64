import csv
import gzip
import os
from pathlib import Path

import pytest

from mlgate.adapters.data.csv_file import read
from mlgate.adapters.data.dialect import Dialect
from mlgate.adapters.data.fields import Fields
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, EvidenceError


def written(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path)
    return caught.value


def test_each_record_is_an_example_and_every_value_a_text(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,input,reference,domain\n1,"a, ""b""",y,\n2,x,z,d\n')
    assert read(path, Fields(slices=("domain",))).examples == (
        Example("1", 'a, "b"', ("y",), (("domain", "(none)"),)),
        Example("2", "x", ("z",), (("domain", "d"),)),
    )


def test_tabs_cut_a_tsv_file(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(b"id\tinput\treference\na\tone, two\ty\n"), "data.tsv.gz")
    assert read(path).examples == (Example("a", "one, two", ("y",)),)


@pytest.mark.parametrize(("name", "given"), [("data.TSV", ""), ("data.tab", ""), ("data.csv", "\t"), ("data", "\t")])
def test_a_delimiter_that_is_given_wins_over_the_name(tmp_path: Path, name: str, given: str) -> None:
    path = written(tmp_path, "id\tinput\treference\na\tone, two\ty\n", name)
    assert read(path, dialect=Dialect(given) if given else None).examples == (Example("a", "one, two", ("y",)),)


def test_a_value_may_hold_line_breaks_and_errors_name_the_line_where_the_record_begins(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,input,reference\r\na,"one\r\n\ntwo",y\r\n\r\nb,x\r\n')
    error = refused(path)
    assert (error.where, error.message) == (f"{path}:6", "the record has 2 values, the header 3")
    good = written(tmp_path, 'id,input,reference\r\na,"one\r\n\ntwo",y\r\n')
    assert read(good).examples[0].input == "one\r\n\ntwo"


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert read(written(tmp_path, "\ufeffid,input,reference\na,x,y\n")).examples[0].id == "a"


def test_other_line_ends_of_unicode_are_text(tmp_path: Path) -> None:
    assert read(written(tmp_path, "id,input,reference\na,x\u2028\x85\x0bz,y\n")).examples[0].input == "x\u2028\x85\x0bz"


def test_a_field_longer_than_the_csv_modules_own_limit_is_read_and_the_limit_is_as_before(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    long = "x" * (before + 1)
    assert read(written(tmp_path, f"id,input,reference\na,{long},y\n")).examples[0].input == long
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("id,input,reference\na,x,y,z\n", 2),
        ('id,input,reference\na,"x,y\n', 2),
        ('id,input,reference\na,"x"z,y\n', 2),
        ("id,input,reference\na,x\ry,z\n", 2),
        ("id,input,input,reference\na,x,x,y\n", 1),
        ("id;input;reference\na;x;y\n", 1),
        ("id,input,reference\na,x\0,y\n", 2),
        ("id,input,reference\na,x,y\na,x,y\n", 3),
    ],
)
def test_a_record_that_cannot_be_used_is_named(tmp_path: Path, content: str, line: int) -> None:
    assert refused(written(tmp_path, content)).where == f"{tmp_path}/data.csv:{line}"


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    assert refused(written(tmp_path, b"id,input,reference\na,caf\xe9,y\n")).where.endswith(":2")


def test_a_column_that_is_not_there_gets_a_suggestion(tmp_path: Path) -> None:
    assert refused(written(tmp_path, "id,inptu,reference\na,x,y\n")).hint.startswith("did you mean `inptu`?")


@pytest.mark.parametrize("content", ["", "id,input,reference\n", "\n\n"])
def test_a_file_without_records_is_no_evidence(tmp_path: Path, content: str) -> None:
    with pytest.raises(EvidenceError):
        read(written(tmp_path, content))


def test_a_missing_file_a_directory_and_a_fifo_are_no_evidence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "missing.csv", tmp_path, tmp_path / "pipe.csv"):
        with pytest.raises(EvidenceError) as caught:
            read(path)
        assert caught.value.where == str(path)
