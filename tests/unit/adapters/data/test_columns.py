"""Fields as people call them: the hint is a line, and the line reads the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.data.columns import inside, meant
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.section_line import SectionLine, scalar
from mlgate.config.yaml import parse as strict_yaml
from mlgate.core.errors import ConfigError


def read(row: Mapping[str, object], **keys: Any) -> Dataset:
    references = keys.get("references", ())
    texts = (references,) if isinstance(references, str) else tuple(references)
    line = SectionLine("data", {"path": "qa.jsonl", **keys})
    fields = Fields(keys.get("input", "input"), texts, keys.get("id", ""), line=line)
    return gather([(1, row)], fields, source="qa.jsonl")


def followed(row: Mapping[str, object], **keys: Any) -> Dataset:
    """Return what is read once the hint was followed, as often as there is one."""
    for _ in range(3):
        try:
            return read(row, **keys)
        except ConfigError as error:
            line = error.hint.split("`data: ")[1].split("`")[0]
            keys = dict(strict_yaml.parse(f"data: {line}\n", "m.yaml").value["data"])  # type: ignore[index,call-overload,arg-type]
            assert keys.pop("path") == "qa.jsonl"
    raise AssertionError("the hints go round in circles")


@pytest.mark.parametrize(
    ("row", "input_", "references"),
    [
        ({"question": "q", "answer": "a"}, "q", ("a",)),
        ({"text": "q", "label": 1}, "q", ("1",)),
        ({"src": "q", "ref": "a"}, "q", ("a",)),
        ({"source": "q", "target": "a"}, "q", ("a",)),
        ({"prompt": "q", "completion": "a"}, "q", ("a",)),
        ({"Input": "q", "Reference": "a", "ID": 7}, "q", ("a",)),
        ({"id": "1", " input": "q", " reference": "a"}, "q", ("a",)),
        ({"question": "q", "answers": [{"text": "a"}, {"text": "b"}]}, "q", ("a", "b")),
        ({"question": "q", "answers": {"text": ["a", "b"], "answer_start": [1, 2]}}, "q", ("a", "b")),
        ({"question": "q", "answers": {"en": {"text": "a"}}}, "q", ("a",)),
        ({"Ground Truth": "a", "Question": "q"}, "q", ("a",)),
        ({"frage": "q", "antwort": "a"}, "q", ("a",)),
    ],
)
def test_the_hint_is_a_line_that_reads_the_row(
    row: Mapping[str, object], input_: str, references: tuple[str, ...]
) -> None:
    example = followed(row).examples[0]
    assert (example.input, example.references) == (input_, references)


@pytest.mark.parametrize(
    ("value", "references"),
    [
        ([{"text": "a"}, {"text": "b"}], ("a", "b")),
        ([["a"], ["b", "c"]], ("a", "b", "c")),
        ({"value": "a"}, ("a",)),
        ({"aliases": ["a", "b"], "n": {"x": 1}}, ("a", "b")),
        ([{"span": {"text": "a"}}], ("a",)),
    ],
)
def test_a_reference_that_holds_more_says_the_path_to_its_texts(value: object, references: tuple[str, ...]) -> None:
    assert followed({"input": "q", "reference": value}).examples[0].references == references


def test_a_field_that_only_some_rows_lack_is_added_there() -> None:
    rows = [(1, {"input": "x", "reference": "y"}), (2, {"inptu": "x", "reference": "y"})]
    with pytest.raises(ConfigError) as caught:
        gather(rows, Fields(), source="d")
    assert caught.value.hint.startswith("did you mean `inptu`? rows before it have it: rename or add it here")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_text_that_is_written_out_is_that_text_in_yaml(text: str) -> None:
    parsed = strict_yaml.parse(f"data: {{path: {scalar(text)}}}\n", "m.yaml").value
    assert parsed == {"data": {"path": text}}


@pytest.mark.parametrize(
    "text", ["null", "1", "1.5", "yes", "2024-01-01", "a: b", "#x", "*a", "0x1f", "~", "a, b", "1e3"]
)
def test_what_yaml_takes_for_something_else_is_quoted(text: str) -> None:
    assert scalar(text).startswith('"')


def test_the_most_usual_name_wins() -> None:
    assert meant("references", ["label", "answer"]) == "answer"
    assert meant("input", ["x", "y"]) == "x"
    assert meant("input", ["n", "z"]) == ""
    assert inside([], "a") == "a"
