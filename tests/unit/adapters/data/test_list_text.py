"""References that are lists written as text: a list where that is said, refused where nobody said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.data import csv_file, jsonl_file
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.list_text import list_items
from mlgate.core.errors import ConfigError

scalars = st.one_of(
    st.text(), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.lists(scalars))
def test_lists_that_json_and_python_wrote_are_read_as_they_were(items: list[object]) -> None:
    assert list_items(json.dumps(items)) == items
    assert list_items(repr(items)) == items


@given(st.text(st.sampled_from("[]'\",ab1. \\\n")))
def test_any_text_is_a_list_or_none(text: str) -> None:
    try:
        found = list_items(text)
    except ValueError:
        return
    assert found is None or isinstance(found, list)


@pytest.mark.parametrize(
    "text", ["a", "[laughs] hello", "[a, b]", "[1] and [2]", "['a'", "[{}]", "[[1]]", "['a',,'b']"]
)
def test_a_text_in_brackets_is_no_list(text: str) -> None:
    assert list_items(text) is None


@pytest.mark.parametrize("text", ["['a' 'b']", "['a'\n 'b']", "[1 2 3]"])
def test_an_array_as_numpy_shows_it_is_never_one_joined_text(text: str) -> None:
    with pytest.raises(ValueError, match="no commas"):
        list_items(text)


def csv_of(folder: Path, reference: str) -> Path:
    path = folder / "x.csv"
    path.write_text("input,reference\nq,{}\n".format('"' + reference.replace('"', '""') + '"'))
    return path


@pytest.mark.parametrize("text", ['["a", "b"]', "['a', 'b']"])
def test_in_csv_it_must_be_said_what_a_list_is(tmp_path: Path, text: str) -> None:
    path = csv_of(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        csv_file.read(path)
    assert "`data: {split_lists: true}` if each item is a reference" in caught.value.hint
    assert "`data: {split_lists: false}` if it is one text" in caught.value.hint
    assert csv_file.read(path, Fields(split_lists=True)).examples[0].references == ("a", "b")
    assert csv_file.read(path, Fields(split_lists=False)).examples[0].references == (text,)


def test_an_empty_list_is_one_empty_reference_and_other_texts_stay(tmp_path: Path) -> None:
    fields = Fields(split_lists=True)
    assert csv_file.read(csv_of(tmp_path, "[]"), fields).examples[0].references == ("",)
    assert csv_file.read(csv_of(tmp_path, "[sic]"), fields).examples[0].references == ("[sic]",)
    assert csv_file.read(csv_of(tmp_path, "[1, true]"), fields).examples[0].references == ("1", "true")


def test_in_json_lines_it_is_one_text_and_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"input": "q", "reference": '["a", "b"]'}) + "\n")
    data = jsonl_file.read(path)
    assert data.examples[0].references == ('["a", "b"]',)
    said = "1 row has a reference that looks like a list and is one text: line 1; write "
    assert data.notices == (
        f"{said}`data: {{split_lists: true}}` if each item is a reference, `split_lists: false` if not",
    )
    assert not jsonl_file.read(path, Fields(split_lists=False)).notices
    assert jsonl_file.read(path, Fields(split_lists=True)).examples[0].references == ("a", "b")


def test_an_array_of_numpys_is_refused_even_where_lists_are_split(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no commas"):
        csv_file.read(csv_of(tmp_path, "['a' 'b']"), Fields(split_lists=True))
