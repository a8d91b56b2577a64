"""Delimited text as people have it: quotes in TSV, semicolons, Excel's first line, old line ends."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.data import csv_file
from mlgate.adapters.data.delimited import Table
from mlgate.adapters.data.dialect import COMMAS, TABS, Dialect, records
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.section_line import SectionLine
from mlgate.core.errors import ConfigError


def table(text: str, dialect: Dialect = COMMAS, path: str = "x.csv") -> Table:
    return Table(
        lambda: iter(enumerate(text.removesuffix("\n").split("\n"), 1)),
        dialect,
        path,
        SectionLine("data", {"path": path}),
    )


def rows(text: str, dialect: Dialect = COMMAS) -> list[Mapping[str, str]]:
    return [row for _, row in table(text, dialect).rows()]


def refused(text: str, dialect: Dialect = COMMAS, path: str = "x.csv") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        list(table(text, dialect, path).rows())
    return caught.value


SPANNING = 'input\treference\na\t"one,\nb\ttwo."\nc\tthree\n'


def test_a_quotation_over_two_segments_stays_two_rows_where_tabs_cut() -> None:
    assert [row["reference"] for row in rows(SPANNING, TABS)] == ['"one,', 'two."', "three"]


def test_quotes_of_csv_in_a_tab_file_are_those_of_csv_where_that_is_written() -> None:
    assert len(rows(SPANNING, Dialect("\t", "csv"))) == 2


def test_what_can_be_read_in_two_ways_is_refused_with_both() -> None:
    error = refused(SPANNING.replace("\t", "|"), Dialect("|"))
    assert error.message == ("lines 2 to 3 can be read in two ways: as CSV they are one row, without quoting 2 rows")
    assert (
        error.hint
        == "write `data: {path: x.csv, quoting: csv}` for one row, `data: {path: x.csv, quoting: none}` for 2"
    )
    assert error.where == "x.csv:2"
    for quoting, many in (("csv", 2), ("none", 3)):
        assert len(rows(SPANNING.replace("\t", "|"), Dialect("|", quoting))) == many  # type: ignore[arg-type]


def test_a_line_break_in_quotes_is_one_value_where_its_lines_are_no_rows() -> None:
    assert rows('id,input\n1,"two\nlines"\n') == [{"id": "1", "input": "two\nlines"}]
    assert rows('input\n"one, and\ntwo"\n') == [{"input": "one, and\ntwo"}]


def test_a_table_that_pandas_wrote_says_that_its_quotes_are_csv() -> None:
    error = refused('id\tinput\n1\t"a\nb"\n', TABS, "x.tsv")
    assert error.message == "the record has 1 value, the header 2"
    assert error.hint == "write `data: {path: x.tsv, quoting: csv}`"


def test_values_in_quotes_where_tabs_cut_are_told_and_kept() -> None:
    read = table('id\tinput\n1\t"a"\n2\t"b\n3\t"c"\n', TABS, "x.tsv")
    assert [row["input"] for _, row in read.rows()] == ['"a"', '"b', '"c"']
    said = "2 rows have a value in quotes, and the quotes count as text: line 2, 4; write "
    assert read.notices == (
        f"{said}`data: {{path: x.tsv, quoting: csv}}` if they are CSV's, `quoting: none` if they are text",
    )
    read = table('id\tinput\n1\t"a"\n', Dialect("\t", "none"))
    assert [*read.rows()]
    assert not read.notices


@pytest.mark.parametrize(
    ("text", "dialect", "line"),
    [
        ("id;input\n1;a\n", COMMAS, 'data: {path: x.csv, delimiter: ";"}'),
        ("id\tinput\n1\ta\n", COMMAS, "data: {path: x.csv, delimiter: tab}"),
        ("id|input\n1|a\n", COMMAS, 'data: {path: x.csv, delimiter: "|"}'),
        ("id,input\n1,a\n", TABS, 'data: {path: x.csv, delimiter: ","}'),
        ("id;input\n1;0,5\n", COMMAS, 'data: {path: x.csv, delimiter: ";"}'),
    ],
)
def test_another_delimiter_is_named_where_all_records_fit_it(text: str, dialect: Dialect, line: str) -> None:
    assert refused(text, dialect).hint == f"write `{line}`"


@pytest.mark.parametrize("text", ['id,input\n1,"Yes" he said\n', 'id,input\n1,"never closed\n2,b\n'])
def test_quotes_that_are_text_are_said_to_be(text: str) -> None:
    assert refused(text).hint == "write `data: {path: x.csv, quoting: none}`"
    assert len(rows(text, Dialect(",", "none"))) == text.count("\n") - 1


def test_where_nothing_fits_the_usual_rule_is_told() -> None:
    assert refused("id,input\n1,a,b\n2\n").hint == "quote a value that holds the delimiter, a quote or a line break"
    assert "twice" in refused('id,input\n1,"a"b\n2,c,d\n').hint


def test_excels_first_line_says_what_cuts() -> None:
    assert rows("sep=;\nid;input\n1;a,b\n") == [{"id": "1", "input": "a,b"}]
    assert rows("sep=;\nid,input\n1,a;b\n", Dialect(",", delimiter_is_written=True)) == [{"id": "1", "input": "a;b"}]


def test_old_line_ends_are_named_with_the_command_that_changes_them() -> None:
    for dialect in (COMMAS, TABS):
        error = refused("id,input\r1,a\r2,b\r", dialect)
        assert error.hint == "`tr '\\r' '\\n' < x.csv > x.new.csv`, then write `data: x.new.csv`"


def test_columns_without_a_name_are_named_so() -> None:
    assert refused("id,input,,\n1,a,,\n").hint == "delete the columns that have no name"


texts = st.text(st.characters(exclude_characters="\r\n\t\0", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=8))
def test_what_csv_wrote_is_read_as_it_was(values: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("a", "b"), *values])
    assert [(row["a"], row["b"]) for row in rows(out.getvalue())] == values


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=8))
def test_what_stands_between_tabs_is_read_as_it_stands(values: list[tuple[str, str]]) -> None:
    text = "".join(f"{a}\t{b}\n" for a, b in [("a", "b"), *values])
    assert [(row["a"], row["b"]) for row in rows(text, TABS)] == values


@given(st.text(st.sampled_from('ab,;|\t"\n')))
def test_any_text_is_read_or_refused_with_a_next_step(text: str) -> None:
    try:
        rows(f"a,b\n{text}")
    except ConfigError as error:
        said = (error.hint, error.where)
        assert all(said)


def test_records_know_their_lines() -> None:
    found = [(lines[0][0], values) for lines, values in records(enumerate(['a,"b', 'c"', "", "d,e"], 1), COMMAS)]
    assert found == [(1, ["a", "b\nc"]), (4, ["d", "e"])]


def test_data_reads_by_its_name_and_tells_what_it_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text('input\treference\nq\t"a"\n')
    data = csv_file.read(path, Fields())
    assert data.examples[0].references == ('"a"',)
    assert "the quotes count as text: line 2" in data.notices[0]


@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_two_readings_are_seen_by_the_delimiter_that_excel_names(begin: str) -> None:
    text = f'{begin}sep=;\nid;reference\n1;"a\n2;b\n3;c"\n4;d\n'
    assert refused(text).message == (
        "lines 3 to 5 can be read in two ways: as CSV they are one row, without quoting 3 rows"
    )
