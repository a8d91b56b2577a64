import csv
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.adapters.data import csv_file, jsonl_file
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.parquet_file import read
from mlgate.core.check import Example, data_digest
from mlgate.core.errors import ConfigError, EvidenceError

pytestmark = pytest.mark.needs_parquet


def written(folder: Path, rows: list[dict[str, object]], *, name: str = "data.parquet") -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return folder / name


def refused(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path)
    return caught.value


def test_each_row_is_an_example(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        [
            {"id": 1, "q": {"text": "x"}, "answers": ["y", "z"], "domain": "d", "by.dot": 1},
            {"id": 2, "q": {"text": "w"}, "answers": ["v"], "domain": None, "by.dot": 2},
        ],
    )
    data = read(path, Fields("q.text", ("answers",), slices=("domain", "by.dot")))
    assert data.examples == (
        Example("1", "x", ("y", "z"), (("domain", "d"), ("by.dot", "1"))),
        Example("2", "w", ("v",), (("domain", "(none)"), ("by.dot", "2"))),
    )


def test_rows_are_counted_over_batches(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "input": "x", "reference": "y"} for n in range(300)]
    rows[299]["id"] = "7"
    error = refused(written(tmp_path, rows))
    assert (error.where, error.message) == (
        f"{tmp_path}/data.parquet:300",
        "the id `7` is given twice: row 8 and row 300",
    )


@pytest.mark.parametrize("bad", [float("nan"), b"bytes", datetime(2020, 1, 1, tzinfo=UTC), "a\0b"])
def test_a_value_that_json_cannot_carry_is_refused_with_its_row(tmp_path: Path, bad: object) -> None:
    assert refused(written(tmp_path, [{"input": bad, "reference": "y"}])).where == f"{tmp_path}/data.parquet:1"


def test_text_that_is_not_utf8_is_refused_with_its_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.array([b"good", b"caf\xe9"]).view(pa.string())
    pq.write_table(pa.table({"input": texts, "reference": ["y", "y"]}), tmp_path / "data.parquet")
    assert refused(tmp_path / "data.parquet").where == f"{tmp_path}/data.parquet:2"


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_arrays([pa.array(["x"])] * 3, names=["input", "reference", "reference"])
    pq.write_table(table, tmp_path / "data.parquet")
    assert "`reference` twice" in refused(tmp_path / "data.parquet").message


def test_a_missing_column_gets_the_names_of_all_that_there_are(tmp_path: Path) -> None:
    error = refused(written(tmp_path, [{"inptu": "x", "reference": "y", "other": "z"}]))
    said = "did you mean `inptu`? write `data: {input: inptu}`; the row's fields: `inptu`, `reference`, `other`"
    assert error.hint == said


def test_no_row_is_no_evidence(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    empty = pa.table({"input": pa.array([], pa.string()), "reference": pa.array([], pa.string())})
    pq.write_table(empty, tmp_path / "data.parquet")
    with pytest.raises(EvidenceError):
        read(tmp_path / "data.parquet")


def test_a_damaged_missing_or_special_file_is_no_evidence(tmp_path: Path) -> None:
    whole = written(tmp_path, [{"input": "x" * 100, "reference": "y"}]).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-5])
    (tmp_path / "hole.parquet").write_bytes(whole[:4] + bytes(100) + whole[104:])
    (tmp_path / "empty.parquet").touch()
    os.mkfifo(tmp_path / "pipe.parquet")
    for name in ("cut.parquet", "hole.parquet", "empty.parquet", "missing.parquet", "pipe.parquet", "", "a\0b"):
        with pytest.raises(EvidenceError) as caught:
            read(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    error = refused(tmp_path / "data.parquet")
    assert error.hint == "pip install 'mlgate[parquet]'"


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
tables = st.lists(
    st.fixed_dictionaries({"id": texts.filter(str.strip), "input": texts, "reference": texts, "domain": texts}),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row["id"],
)


@settings(max_examples=60)
@given(rows=tables, with_ids=st.booleans())
def test_the_format_of_a_file_does_not_change_its_data(rows: list[dict[str, str]], *, with_ids: bool) -> None:
    kept = [{name: row[name] for name in row if with_ids or name != "id"} for row in rows]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept), "utf-8")
        with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(kept[0]))
            writer.writeheader()
            writer.writerows(kept)
        parquet = written(folder, [dict(row) for row in kept])
        digests = {
            data_digest(jsonl_file.read(folder / "d.jsonl", Fields(slices=("domain",))).examples),
            data_digest(csv_file.read(folder / "d.csv", Fields(slices=("domain",))).examples),
            data_digest(read(parquet, Fields(slices=("domain",))).examples),
        }
    assert len(digests) == 1
