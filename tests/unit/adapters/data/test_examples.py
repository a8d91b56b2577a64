from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.field_values import DEEPEST_NESTING
from mlgate.adapters.data.fields import Fields
from mlgate.core.check import Example, digest_of
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.groups import groups_of

Row = Mapping[str, object]


def gathered(*rows: Row, fields: Fields | None = None) -> Dataset:
    return gather(enumerate(rows, 1), fields or Fields(), source="data.jsonl")


def refused(*rows: Row, fields: Fields | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        gathered(*rows, fields=fields)
    return caught.value


def test_a_row_becomes_an_example_with_all_that_was_named() -> None:
    row = {"id": "a", "input": "Hallo", "reference": "hello", "domain": "chat", "length": 5}
    assert gathered(row, fields=Fields(slices=("domain", "length"))) == Dataset(
        (Example("a", "Hallo", ("hello",), (("domain", "chat"), ("length", "5"))),)
    )


def test_without_reference_in_the_first_row_references_is_the_default() -> None:
    assert gathered({"id": "a", "input": "x", "references": ["y", "z"]}).examples[0].references == ("y", "z")


def test_reference_fields_add_up_and_an_absent_one_among_them_is_no_error() -> None:
    fields = Fields(references=("first", "second", "third"))
    row = {"id": "a", "input": "x", "second": ["b", "c"], "first": "a", "third": None}
    assert gathered(row, fields=fields).examples[0].references == ("a", "b", "c")


def test_a_dotted_path_goes_through_objects_and_lists() -> None:
    row = {"id": 1, "q": {"text": "x"}, "choices": ["no", "yes"], "answers": {"text": ["y"]}}
    fields = Fields("q.text", ("answers.text", "choices.1"))
    assert gathered(row, fields=fields).examples == (Example("1", "x", ("y", "yes")),)


def test_a_field_whose_very_name_has_a_dot_wins_over_the_path() -> None:
    row = {"id": "a", "input.text": "flat", "input": {"text": "deep"}, "reference": "r"}
    assert gathered(row, fields=Fields("input.text")).examples[0].input == "flat"


@pytest.mark.parametrize("path", ["choices.2", "choices.-1", "choices.x", "choices.²", "input.0", "nowhere.at.all"])
def test_a_path_that_leads_nowhere_is_an_absent_field(path: str) -> None:
    row = {"id": "a", "input": "text", "choices": ["no", "yes"]}
    assert "no reference" in refused(row, fields=Fields(references=(path,))).message


@pytest.mark.parametrize("value", [0, 1.5, True, None, "", [], {"a": [1, None]}, ["x", {"y": "z"}], 10**40])
def test_an_input_may_be_any_json_value(value: object) -> None:
    assert gathered({"input": value, "reference": "r"}).examples[0].input == value


def test_whole_numbers_become_text_as_ids_and_as_references() -> None:
    assert gathered({"id": 7, "input": "x", "reference": 3}).examples == (Example("7", "x", ("3",)),)


def test_ids_are_made_from_the_content_when_there_are_none() -> None:
    expected = digest_of(["x", ["y"]])[:12]
    assert gathered({"input": "x", "reference": "y"}).examples[0].id == expected


def test_equal_content_gets_numbered_ids_and_a_notice_with_both_rows() -> None:
    row = {"input": "x", "reference": "y"}
    data = gathered(row, {**row, "input": "other"}, row, row)
    first = data.examples[0].id
    assert [e.id for e in data.examples][2:] == [f"{first}-2", f"{first}-3"]
    assert data.notices == (
        "2 rows repeat earlier ones and got ids of their own (-2, -3, …): line 3 equals line 1, line 4 equals line 1",
        "2 rows ask what earlier ones ask: rows that ask the same are one group",
    )


def groups(*rows: Row, group: str = "") -> list[int]:
    found = groups_of(gathered(*rows, fields=Fields(group=group)).examples)
    return list(range(len(rows))) if found is None else found.tolist()


def test_rows_of_one_value_of_the_declared_field_are_one_group() -> None:
    rows = [{"id": i, "input": f"in {i}", "reference": "y", "doc": doc} for i, doc in enumerate("aabac")]
    assert groups(*rows, group="doc") == [0, 0, 1, 0, 2]
    assert groups(*rows) == [0, 1, 2, 3, 4]


def test_rows_without_a_value_of_the_declared_field_depend_on_no_other() -> None:
    rows = [{"id": i, "input": f"in {i}", "reference": "y", "doc": doc} for i, doc in enumerate(["a", None, "", "a"])]
    assert groups(*rows, group="doc") == [0, 1, 2, 0]
    said = gathered(*rows, fields=Fields(group="doc")).notices
    assert said == ("2 rows have no `doc`: each counts by itself",)


def test_rows_that_ask_the_same_are_one_group_also_when_they_have_ids() -> None:
    asked = ["who?", "what?", " who? ", {"q": [1]}, {"q": [1]}, "caf\u00e9", "cafe\u0301"]
    rows = [{"id": i, "input": text, "reference": f"y{i}"} for i, text in enumerate(asked)]
    assert groups(*rows) == [0, 1, 0, 2, 2, 3, 3]
    assert gathered(*rows).notices == ("3 rows ask what earlier ones ask: rows that ask the same are one group",)


def test_rows_that_ask_nothing_do_not_ask_the_same() -> None:
    assert groups(*({"id": i, "input": "", "reference": "y"} for i in range(3))) == [0, 1, 2]


def test_a_document_under_another_name_is_the_same_document_and_one_shared_sentence_joins_nothing() -> None:
    documents = {"a": ["x", "y", "hello"], "b": ["hello", "x", "y"], "c": ["hello", "z"], "d": ["hello"], "": ["hello"]}
    rows = [
        {"id": f"{doc}{text}{place}", "input": text, "reference": "r", "doc": doc}
        for doc, texts in documents.items()
        for place, text in enumerate(texts)
    ]
    assert groups(*rows, group="doc") == [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]


def test_a_field_to_group_by_that_no_row_has_is_refused() -> None:
    error = refused({"id": 1, "input": "x", "reference": "y", "docu": 1}, fields=Fields(group="doc"))
    assert error.message == "no row has the field `doc` to group by"
    assert error.hint is not None
    assert error.hint.startswith("did you mean `docu`?")


def test_a_value_to_group_by_is_a_text_a_number_or_a_truth_value() -> None:
    rows = [{"id": i, "input": f"{i}", "reference": "y", "doc": doc} for i, doc in enumerate([1, "1", True, 1])]
    assert groups(*rows, group="doc") == [0, 0, 1, 0]
    error = refused({"id": 1, "input": "x", "reference": "y", "doc": ["a"]}, fields=Fields(group="doc"))
    assert error.message == "the field `doc` to group by holds a list"


def test_further_fields_whose_values_repeat_are_named_those_with_the_most_values_first() -> None:
    rows = [
        {"id": i, "input": f"{i}", "reference": "y", "doc": i // 4, "lang": "de" if i % 2 else "en", "note": f"n{i}"}
        for i in range(40)
    ]
    assert gathered(*rows).repeating == (("doc", 10), ("lang", 2))
    assert gathered(*rows, fields=Fields(group="doc", slices=("lang",))).repeating == (("lang", 2),)


def test_an_id_given_twice_is_refused_with_both_rows() -> None:
    row = {"id": "a", "input": "x", "reference": "y"}
    error = refused(row, {**row, "id": "b"}, {**row, "input": "other"})
    assert (error.where, error.message) == ("data.jsonl:3", "the id `a` is given twice: line 1 and line 3")


def test_an_id_as_number_and_the_same_as_text_are_one_id() -> None:
    row = {"input": "x", "reference": "y"}
    assert "twice" in refused({**row, "id": 1}, {**row, "id": "1"}).message


@pytest.mark.parametrize("bad", ["", "  ", None, True, 1.5, ["a"], {}])
def test_an_id_that_is_no_name_is_refused(bad: object) -> None:
    assert refused({"id": bad, "input": "x", "reference": "y"}).where == "data.jsonl:1"


def test_a_later_row_without_the_id_is_refused() -> None:
    row = {"input": "x", "reference": "y"}
    assert refused({**row, "id": "a"}, row).where == "data.jsonl:2"


def test_an_id_field_that_was_asked_for_must_be_there() -> None:
    error = refused({"name": "a", "input": "x", "reference": "y"}, fields=Fields(id="nmae"))
    said = "did you mean `name`? write `data: {id: name}`; the row's fields: `name`, `input`, `reference`"
    assert error.hint == said


def test_empty_inputs_and_references_are_kept_and_told() -> None:
    rows = [{"id": n, "input": "" if n < 7 else "x", "reference": " " if n == 7 else "y"} for n in range(8)]
    data = gathered(*rows)
    assert len(data.examples) == 8
    assert data.notices == (
        "7 rows have an empty input: line 1, 2, 3, 4, 5 and 2 more",
        "1 row has an empty reference: line 8",
    )


def test_a_row_without_reference_names_the_fields_that_there_are() -> None:
    error = refused({"id": 1, "input": "x", "reference": "y"}, {"id": 2, "input": "x", "refernce": "y"})
    assert error.where == "data.jsonl:2"
    assert error.message == "the row has no reference `reference`"
    said = "did you mean `refernce`? rows before it have it: rename or add it here; the row's fields: "
    assert error.hint == f"{said}`id`, `input`, `refernce`"


def test_a_reference_that_is_null_is_no_reference() -> None:
    assert "is null" in refused({"input": "x", "reference": None}).message


@pytest.mark.parametrize("nothing", [[], (), ""])
def test_where_no_answer_is_right_there_is_one_empty_reference(nothing: object) -> None:
    assert gathered({"input": "x", "reference": nothing}).examples[0].references == ("",)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (1, ("1",)),
        (1.0, ("1",)),
        (1.5, ("1.5",)),
        (True, ("true",)),
        ([1, "one", False], ("1", "one", "false")),
        (Decimal("2.50"), ("2.5",)),
        (Decimal(3), ("3",)),
        (np.int64(4), ("4",)),
        (np.float32(0.5), ("0.5",)),
        (np.bool_(True), ("true",)),
        (10**18 + 1, ("1000000000000000001",)),
    ],
)
def test_references_are_the_texts_that_answers_have(value: object, texts: tuple[str, ...]) -> None:
    assert gathered({"input": "x", "reference": value}).examples[0].references == texts


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (7.0, "7"), (1234567890123456789, "1234567890123456789"), ("7.0", "7.0")]
)
def test_whole_numbers_are_ids_however_they_are_written(value: object, text: str) -> None:
    assert gathered({"id": value, "input": "x", "reference": "y"}).examples[0].id == text


@pytest.mark.parametrize("value", [True, 1.5, 1e18, float("nan"), ["a"], " "])
def test_what_loses_a_digit_or_is_no_number_is_no_id(value: object) -> None:
    assert refused({"id": value, "input": "x", "reference": "y"}).where == "data.jsonl:1"


@pytest.mark.parametrize("bad", [float("nan"), {"text": "y"}, ["y", None], [["y"]]])
def test_a_reference_that_is_no_text_is_refused(bad: object) -> None:
    assert refused({"input": "x", "reference": bad}).where == "data.jsonl:1"


def test_a_row_without_input_is_refused() -> None:
    error = refused({"inputs": "x", "reference": "y"})
    assert (error.message, error.hint.split("?")[0]) == ("the row has no field `input`", "did you mean `inputs`")


def test_an_absent_null_or_empty_slice_is_none() -> None:
    row = {"input": "x", "reference": "y"}
    rows: list[Row] = [{**row, "domain": "a"}, row, {**row, "domain": None}, {**row, "domain": ""}]
    data = gathered(*rows, fields=Fields(slices=("domain",)))
    assert [e.slices[0][1] for e in data.examples] == ["a", "(none)", "(none)", "(none)"]


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (3, "3"), (0.5, "0.5"), (1.0, "1"), ("1.0", "1.0")])
def test_slices_of_numbers_and_truth_values_are_texts(value: object, text: str) -> None:
    row = {"input": "x", "reference": "y", "by": value}
    assert gathered(row, fields=Fields(slices=("by",))).examples[0].slices == (("by", text),)


def test_a_slice_field_that_no_row_has_is_a_mistake() -> None:
    error = refused({"input": "x", "reference": "y", "domain": "a"}, fields=Fields(slices=("domian",)))
    assert (error.where, error.hint.split("?")[0]) == ("data.jsonl", "did you mean `domain`")


@pytest.mark.parametrize("bad", [["a"], {"a": 1}, float("nan")])
def test_a_slice_that_is_no_single_value_is_refused(bad: object) -> None:
    assert refused({"input": "x", "reference": "y", "by": bad}, fields=Fields(slices=("by",))).where == "data.jsonl:1"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), b"bytes", {1, 2}, "a\0b", "\ud800", ["ok", {"k\0": 1}]])
def test_what_json_cannot_carry_is_refused_wherever_it_stands(bad: object) -> None:
    assert refused({"input": {"deep": [bad]}, "reference": "y"}).where == "data.jsonl:1"


@pytest.mark.parametrize("field", ["id", "input", "reference", "by"])
@pytest.mark.parametrize("bad", ["a\0b", "a\udfffb"])
def test_a_nul_or_a_lone_surrogate_is_refused_in_every_field(field: str, bad: str) -> None:
    row = {"id": "i", "input": "x", "reference": "y", "by": "z", field: bad}
    assert f"`{field}`" in refused(row, fields=Fields(slices=("by",))).message


def test_nesting_is_bounded() -> None:
    deep: object = "x"
    for _ in range(DEEPEST_NESTING - 1):
        deep = [deep]
    assert gathered({"input": deep, "reference": "y"}).examples[0].input == deep
    assert "deeper than 64" in refused({"input": [deep], "reference": "y"}).message


def test_an_endless_row_of_fields_makes_a_short_error() -> None:
    row = {f"{n}{'field' * 100}": n for n in range(1000)}
    assert len(str(refused(row))) < 1200


def test_no_row_at_all_is_no_evidence() -> None:
    with pytest.raises(EvidenceError) as caught:
        gathered()
    assert (caught.value.exit_code, caught.value.where) == (3, "data.jsonl")


def test_only_the_columns_that_are_asked_for_are_read() -> None:
    fields = Fields("input", ("answers.text",), "", ("domain",))
    assert fields.columns(["id", "input", "answers", "embedding", "domain"]) == ["id", "input", "answers", "domain"]


def test_all_columns_are_read_when_one_is_missing_so_that_the_error_can_name_them() -> None:
    assert Fields("inptu").columns(["input", "reference", "other"]) == ["input", "reference", "other"]


contents = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=30)


@given(contents)
def test_made_ids_are_unique_and_begin_with_the_content(pairs: list[tuple[str, str]]) -> None:
    examples = gathered(*({"input": a, "reference": b} for a, b in pairs)).examples
    assert len({e.id for e in examples}) == len(pairs)
    assert all(e.id.split("-")[0] == digest_of([e.input, list(e.references)])[:12] for e in examples)


@given(contents)
def test_a_row_keeps_its_made_id_when_rows_come_behind_it(pairs: list[tuple[str, str]]) -> None:
    rows = [{"input": a, "reference": b} for a, b in pairs]
    shorter = gathered(*rows[: len(rows) // 2 + 1]).examples
    assert [e.id for e in gathered(*rows).examples[: len(shorter)]] == [e.id for e in shorter]
