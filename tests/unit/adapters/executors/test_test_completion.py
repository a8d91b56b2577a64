from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.executors.test_completion import closed, failed, is_entry, opened, settle
from mlgate.core.evidence import Gap, Observation, Row


def test_a_test_that_only_began_is_a_gap_of_its_check() -> None:
    assert settle([opened("tone", "test_a")], frozenset()) == [Gap("tone", "test_a", "its test never ended")]


@given(st.permutations([opened("tone", "t"), opened("tone", "t"), closed("tone", "t")]))
def test_a_test_that_ended_is_settled_in_whatever_order_workers_tell(entries: list[Row]) -> None:
    assert settle(entries, frozenset()) == []


@given(st.permutations([opened("tone", "t"), closed("tone", "t"), failed("tone", "t", "it failed")]))
def test_a_failure_is_never_closed(entries: list[Row]) -> None:
    assert settle(entries, frozenset()) == [Gap("tone", "t", "it failed")]


def test_rows_pass_through_and_no_gap_takes_a_planned_examples_name() -> None:
    row = Observation("tone", "t", {"politeness": 1.0})
    assert not is_entry(row)
    assert settle([row, opened("tone", "t")], frozenset({("tone", "t")})) == [
        row,
        Gap("tone", "t'", "its test never ended"),
    ]
