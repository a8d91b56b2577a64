"""Evidence is a set: how it was cut, ordered or doubled never shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Environment, Evidence, Gap, Observation, Provenance, Row, decode, encode

RUN = Provenance("abc", "suite", "model", (("c", "data"),))
HERE = Environment("3.11", "Linux", "cpu")
texts = st.text(max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.sampled_from(["a", "b", "c", "d"])
FACTS: dict[str, Row] = {
    "a": Observation("c", "a", {"answer": "one"}),
    "b": Observation("c", "b", {"answer": ""}),
    "c": Gap("c", "c", "no answer within 30 s", "model"),
    "d": Observation("c", "d", {"seconds": 0.5}),
}
"""What the model does with each example: one thing, however often it is sent."""
facts = st.sampled_from(sorted(FACTS)).map(FACTS.__getitem__)
unasked = st.builds(lambda example, why: Gap("c", example, why, "gate"), names, texts)
rows = st.lists(st.one_of(facts, unasked), max_size=8)
any_row = st.one_of(
    st.builds(Observation, texts, texts, st.dictionaries(texts, st.one_of(texts, numbers), max_size=3)),
    st.builds(Gap, texts, texts, texts, st.sampled_from(["model", "gate"])),
)


def evidence(found: list[Row]) -> Evidence:
    return Evidence.of(RUN, [HERE], found)


@given(rows, rows, rows)
def test_merging_is_commutative_associative_and_idempotent(a: list[Row], b: list[Row], c: list[Row]) -> None:
    one, two, three = evidence(a), evidence(b), evidence(c)
    assert one | two == two | one
    assert (one | two) | three == one | (two | three)
    assert one | one == one
    assert (one | two) | two == one | two


@given(rows, rows)
def test_merging_is_reading_all_rows_at_once(a: list[Row], b: list[Row]) -> None:
    assert evidence(a) | evidence(b) == evidence([*a, *b])
    assert (evidence(a) | evidence(b)).digest == evidence([*b, *a]).digest


@given(any_row)
def test_a_row_survives_its_line(row: Row) -> None:
    try:
        line = encode(row)
    except UnicodeEncodeError:
        return
    assert decode(line) == row
    assert "\n" not in line
    assert line.isascii()


@given(st.text())
def test_any_other_line_is_refused_and_never_crashes(line: str) -> None:
    try:
        row = decode(line)
    except EvidenceError:
        return
    assert encode(row)


@pytest.mark.parametrize(
    "line",
    [
        '{"check":"c","example":"a","seen":{"answer":"x","answer":"y"}}',
        '{"check":"c","example":"a","seen":{"v":NaN}}',
        '{"check":"c","example":"a","seen":{"v":1e999}}',
        '{"check":"c","example":"a","seen":{"v":true}}',
        '{"check":"c","example":"a","seen":{"v":null}}',
        '{"check":"c","example":"a","seen":[]}',
        '{"check":"c","example":"a","gap":"why","blame":"nobody"}',
        '{"check":"c","example":"a","seen":{},"score":1.0}',
        '{"check":"c","example":1,"seen":{}}',
        "[" * 100_000,
    ],
)
def test_a_line_that_encode_would_not_have_written_is_refused(line: str) -> None:
    with pytest.raises(EvidenceError):
        decode(line)


def test_two_different_answers_to_one_example_are_refused() -> None:
    with pytest.raises(Refused, match="observed twice, differently"):
        evidence([Observation("c", "a", {"answer": "x"}), Observation("c", "a", {"answer": "y"})])


def test_evidence_of_two_runs_is_refused_and_says_what_differs() -> None:
    other = Provenance("abd", "suite", "model", (("c", "data"),))
    with pytest.raises(Refused, match="commit abc and abd"):
        evidence([]) | Evidence.of(other, [], [])


def test_an_answer_outweighs_a_gap_of_the_gate_whichever_came_first() -> None:
    gap, answer = Gap("c", "a", "not asked", "gate"), Observation("c", "a", {"answer": "x"})
    assert evidence([gap]) | evidence([answer]) == evidence([answer]) == evidence([answer]) | evidence([gap])


def test_a_failure_of_the_model_is_an_answer_that_a_later_one_cannot_erase() -> None:
    failure, answer = Gap("c", "a", "timeout", "model"), Observation("c", "a", {"answer": "x"})
    twice: list[list[Row]] = [[failure, answer], [answer, failure], [failure, Gap("c", "a", "reset", "model")]]
    for found in twice:
        with pytest.raises(Refused, match="observed twice, differently"):
            evidence(found)
