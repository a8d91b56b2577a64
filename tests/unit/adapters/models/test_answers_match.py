"""Answers as people have them: other field names, no ids, ids of pandas, tables, JSON documents."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.child_environment import child_environment

from mlgate.adapters.data import csv_file
from mlgate.adapters.data.dialect import Dialect
from mlgate.adapters.data.fields import USUAL
from mlgate.adapters.data.section_line import SectionLine
from mlgate.adapters.models.answers import AnswersModel
from mlgate.adapters.models.answers_file import Layout
from mlgate.core.check import Example
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.ports import Failure


def read(
    folder: Path,
    content: str,
    name: str = "x.jsonl",
    *,
    ids: list[str] | None = None,
    has_ids: bool = True,
    **layout: Any,
) -> AnswersModel:
    path = folder / name
    path.write_text(content)
    line = SectionLine("answers", {"path": name, **layout.pop("written", {})})
    return AnswersModel.read(
        path, example_ids=ids or ["a", "b"], data_has_ids=has_ids, layout=Layout(line=line, **layout)
    )


def answers(model: AnswersModel, ids: list[str] | None = None) -> list[str | Failure]:
    return list(model.answer([Example(name, "?") for name in ids or ["a", "b"]]))


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


NAMELESS = lines({"answer": "A"}, {"answer": "B"})


def test_where_neither_side_has_ids_order_says_whose_an_answer_is_and_that_is_told(tmp_path: Path) -> None:
    model = read(tmp_path, NAMELESS, has_ids=False)
    assert answers(model) == ["A", "B"]
    assert model.notices == ("x.jsonl: neither its rows nor the data have ids: answer n was taken for row n",)


def test_another_number_of_answers_is_never_matched_by_order(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="it has 2 rows for 3 examples"):
        read(tmp_path, NAMELESS, ids=["a", "b", "c"], has_ids=False)


def test_data_with_ids_and_answers_without_are_matched_by_order_only_where_that_is_written(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, NAMELESS)
    line = "answers: {path: x.jsonl, match: order}"
    assert caught.value.hint == f"if answer n is of row n of the data, write `{line}`; the row's fields: `answer`"
    model = read(tmp_path, NAMELESS, match="order")
    assert (answers(model), model.notices) == (["A", "B"], ())


def test_a_field_that_has_the_datas_ids_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, lines({"key": "a", "answer": "A"}, {"key": "b", "answer": "B"}))
    assert caught.value.hint.startswith("write `answers: {path: x.jsonl, id: key}`")


@pytest.mark.parametrize("begin", [0, 1])
def test_ids_that_count_the_rows_are_their_numbers_where_the_data_has_none(tmp_path: Path, begin: int) -> None:
    rows = lines({"id": begin + 1, "answer": "B"}, {"id": begin, "answer": "A"})
    model = read(tmp_path, rows, has_ids=False)
    assert answers(model) == ["A", "B"]
    assert model.notices == (f"x.jsonl: the data has no ids: `id` was taken for the row's number, from {begin} on",)
    with pytest.raises(Refused):
        read(tmp_path, rows)


def test_numbers_with_a_hole_are_no_rows(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        read(tmp_path, lines({"id": 0, "answer": "A"}, {"id": 2, "answer": "B"}), has_ids=False)


def test_all_ids_unknown_and_as_many_as_rows_says_how_to_go_by_order(tmp_path: Path) -> None:
    rows = lines({"id": "x", "answer": "A"}, {"id": "y", "answer": "B"})
    with pytest.raises(Refused) as caught:
        read(tmp_path, rows, written={"id": "id"})
    assert "write `answers: {path: x.jsonl, match: order}`" in caught.value.hint


def test_ids_with_pandas_fraction_are_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read(tmp_path, "id,answer\n1.0,A\n2.0,B\n", "x.csv", ids=["1", "2"])
    assert "without `.0`" in caught.value.hint
    assert answers(read(tmp_path, lines({"id": 1.0, "answer": "A"}), ids=["1"]), ["1"]) == ["A"]


def test_ids_of_any_number_of_digits_are_ids(tmp_path: Path) -> None:
    name = "1234567890123456789"
    assert answers(read(tmp_path, f'{{"id": {name}, "answer": "A"}}\n', ids=[name]), [name]) == ["A"]
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, '{"id": 1.5e18, "answer": "A"}\n', ids=[name])
    assert caught.value.hint == "write ids as texts: no digit is lost then"


@pytest.mark.parametrize("field", ["prediction", "output", "generated_text", "Answer", "wort"])
def test_an_answer_by_another_name_is_named(tmp_path: Path, field: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, lines({"id": "a", field: "A"}, {"id": "b", field: "B"}))
    assert f"write `answers: {{path: x.jsonl, answer: {field}}}`" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [[{"id": "a", "answer": "A"}, {"id": "b", "answer": "B"}], {"run": 1, "rows": [{"answer": "A", "id": "a"}]}],
)
def test_json_documents_are_read(tmp_path: Path, content: object) -> None:
    assert answers(read(tmp_path, json.dumps(content), "x.json"))[0] == "A"


def test_quotes_stay_where_tabs_cut_and_are_told(tmp_path: Path) -> None:
    content = 'id\tanswer\na\t"A"\nb\t"B\n'
    model = read(tmp_path, content, "x.tsv")
    assert answers(model) == ['"A"', '"B']
    assert "x.tsv: 1 row has a value in quotes" in model.notices[0]
    model = read(tmp_path, 'id;answer\na;"A;"\n', "x.csv", dialect=Dialect(";", delimiter_is_written=True))
    assert answers(model)[0] == "A;"


def test_a_semicolon_says_the_line_to_write(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, "id;answer\na;A\n", "x.csv")
    assert caught.value.hint == 'write `answers: {path: x.csv, delimiter: ";"}`'


@pytest.mark.parametrize("has_ids", [True, False])
def test_one_object_of_answers_by_id_says_how_to_make_rows_of_it(tmp_path: Path, *, has_ids: bool) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, json.dumps({"a": "A", "b": "B"}), "x.json", has_ids=has_ids)
    assert caught.value.message == "it is one object with an answer under each id"
    command = caught.value.hint.partition("`")[2].partition("`")[0]
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, env=child_environment(), check=True)
    assert "`answers: x.new.json`" in caught.value.hint
    assert answers(read(tmp_path, (tmp_path / "x.new.json").read_text(), "x.new.json")) == ["A", "B"]


def test_blank_lines_at_the_end_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, "A\nB\n\n\n", "x.txt")
    assert "`sed -i '3,$d'" in caught.value.hint


@pytest.mark.parametrize("name", ["x.xlsx", "x.zip", "x.parquet", "x.sgm"])
def test_what_is_no_text_says_how_to_make_it_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, "x", name)
    assert "`" in caught.value.hint


texts = st.text(st.characters(exclude_characters="\r\n\t\0\ufeff", exclude_categories=["Cs"]))


@given(st.lists(texts, min_size=1, max_size=6))
def test_answers_and_references_of_one_tab_file_are_equal(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    path = tmp_path_factory.mktemp("tsv") / "x.tsv"
    rows = "".join(f"{number}\tq{number}\t{text}\n" for number, text in enumerate(values))
    path.write_text(f"id\tinput\treference\n{rows}", newline="")
    dialect = Dialect("\t", "none")
    data = csv_file.read(path, USUAL, dialect=dialect) if not any("[" in text for text in values) else None
    ids = [str(number) for number in range(len(values))]
    model = AnswersModel.read(path, example_ids=ids, layout=Layout(answer_field="reference"))
    assert answers(model, ids) == values
    if data is not None:
        assert [one.references[0] for one in data.examples] == values


def test_answers_of_which_only_some_have_ids_are_not_taken_by_order(tmp_path: Path) -> None:
    mixed = lines({"answer": "B"}, {"id": "0", "answer": "A"})
    with pytest.raises(EvidenceError, match="it has the id `id`, and the first answer has none") as caught:
        read(tmp_path, mixed, has_ids=False)
    assert caught.value.where == f"{tmp_path / 'x.jsonl'}:2"
    assert "match: order" in caught.value.hint
    assert answers(read(tmp_path, mixed, has_ids=False, match="order")) == ["B", "A"]


def test_a_name_of_a_file_runs_nothing_when_the_command_of_the_hint_is_pasted(tmp_path: Path) -> None:
    name = "$(touch paid); x.txt"
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, "A\nB\n\n", name)
    command = caught.value.hint.partition("`")[2].rpartition("`")[0]
    assert shlex.split(command) == ["sed", "-i", "3,$d", "--", str(tmp_path / name)]
