"""Evidence outlives data that moved a little: what is new, gone and changed is counted, and never used silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mlgate.core.asked import marked
from mlgate.core.check import Check, Example, Suite, data_digest
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance
from mlgate.flow.fitting import Fit, Unfit, Use, fit

BEFORE = [Example(f"e{i}", f"input {i}", (f"reference {i}",)) for i in range(10)]


def check(examples: Sequence[Example]) -> Check:
    return Check("c", "accuracy", tuple(examples), data_digest=data_digest(examples))


def observed(examples: Sequence[Example] = BEFORE) -> Evidence:
    asked = check(examples)
    rows = [Observation("c", example.id, {"answer": f"answer {example.id}"}) for example in examples]
    plain = Evidence.of(Provenance("", "s", "m", (("c", asked.data_digest),)), [], rows)
    return marked(Suite.of([asked]), plain)


def told(examples: Sequence[Example], use: Use = Use.SAME, evidence: Evidence | None = None) -> str:
    found = fit(check(examples), evidence or observed(), use)
    assert isinstance(found, Unfit)
    return found.why


GROWN = [*BEFORE, Example("e10", "input 10", ("reference 10",))]
CORRECTED = [replace(BEFORE[0], references=("corrected",)), *BEFORE[1:]]
ASKED_OTHERWISE = [replace(BEFORE[0], input="another"), *BEFORE[1:]]


def test_the_order_of_rows_is_no_difference() -> None:
    found = fit(check(BEFORE[::-1]), observed())
    assert isinstance(found, Fit)
    assert found.moved is None
    assert found.common is None
    assert found.rows == observed().under("c")


@pytest.mark.parametrize(
    ("examples", "counts"),
    [
        (GROWN, "1 row new, 10 equal"),
        (BEFORE[:8], "2 rows gone, 8 equal"),
        (CORRECTED, "1 reference changed, 9 equal"),
        (ASKED_OTHERWISE, "1 input changed, 9 equal"),
        ([*CORRECTED[:8], *GROWN[10:]], "1 row new, 2 rows gone, 1 reference changed, 7 equal"),
    ],
)
def test_what_moved_is_counted_and_not_used_unless_it_is_asked_for(examples: list[Example], counts: str) -> None:
    assert told(examples) == f"it was observed on other data than today's: {counts}"


def test_what_is_common_is_used_where_the_file_says_so() -> None:
    found = fit(check([*ASKED_OTHERWISE[:8], *GROWN[10:]]), observed(), Use.COMMON)
    assert isinstance(found, Fit)
    assert found.common is not None
    assert found.common.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert "e0" not in found.rows
    assert str(found.moved) == "1 row new, 2 rows gone, 1 input changed, 7 equal"


def test_answers_are_scored_again_where_each_was_asked_the_same() -> None:
    found = fit(check(CORRECTED), observed(), Use.RESCORED)
    assert isinstance(found, Fit)
    assert found.common is None
    assert str(found.moved) == "1 reference changed, 9 equal"


@pytest.mark.parametrize("examples", [GROWN, ASKED_OTHERWISE])
def test_answers_to_other_inputs_are_never_scored_again(examples: list[Example]) -> None:
    assert "other data" in told(examples, Use.RESCORED)


def test_an_id_that_is_made_of_the_content_is_found_again_by_its_input() -> None:
    corrected = [replace(BEFORE[0], id="made", references=("corrected",)), *BEFORE[1:]]
    found = fit(check(corrected), observed(), Use.RESCORED)
    assert isinstance(found, Fit)
    assert found.rows["made"].example == "e0"
    assert str(found.moved) == "1 reference changed, 9 equal"


def test_two_rows_that_ask_the_same_are_never_mixed_up() -> None:
    twins = [Example("a", "x", ("1",)), Example("b", "x", ("2",)), *BEFORE]
    others = [Example("c", "x", ("3",)), Example("d", "x", ("4",)), *BEFORE]
    assert told(others, evidence=observed(twins)).endswith("2 rows new, 2 rows gone, 10 equal")


def test_rows_that_do_not_say_what_they_answer_are_of_their_data_or_of_none() -> None:
    old = observed()
    old = replace(old, rows={key: replace(row, asked="") for key, row in old.rows.items()})
    assert isinstance(fit(check(BEFORE), old), Fit)
    for use in Use:
        assert told(GROWN, use, old).startswith("it was observed on other data (")


def test_a_failure_that_is_of_no_example_stays() -> None:
    evidence = observed()
    failure = Gap("c", "test_tone.py::test_a", "it failed")
    evidence = Evidence.of(evidence.provenance, [], [*evidence.rows.values(), failure])
    for use in (Use.RESCORED, Use.COMMON):
        found = fit(check(CORRECTED), evidence, use)
        assert isinstance(found, Fit)
        assert found.rows[failure.example] == failure


def test_data_that_have_nothing_in_common_are_other_data() -> None:
    strangers = [Example(f"x{i}", f"other {i}", ("r",)) for i in range(3)]
    for use in Use:
        assert told(strangers, use).startswith("it was observed on other data (")
