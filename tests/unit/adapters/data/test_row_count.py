from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mlgate.adapters.data import row_count


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("a.jsonl", "{}\n\n{}\n{}", 3),
        ("a.ndjson", "", 0),
        ("a.csv", 'id,input\n1,"two\nlines"\n2,x\n', 2),
        ("a.CSV", "id,input\n", 0),
        ("a.tsv", "", 0),
        ("a.tab", 'id\tinput\n1\ta "b"\n', 1),
        ("a.parquet", "", None),
        ("a.txt", "x\n", None),
    ],
)
def test_a_header_and_a_broken_line_are_no_example(tmp_path: Path, name: str, text: str, rows: int | None) -> None:
    (tmp_path / name).write_text(text)
    assert row_count.count(tmp_path / name) == rows


def test_packed_rows_are_counted_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id\n1\n2\n"))
    assert row_count.count(tmp_path / "a.csv.gz") == 2


def test_what_is_not_there_has_no_number(tmp_path: Path) -> None:
    assert row_count.count(tmp_path / "a.csv") is None
