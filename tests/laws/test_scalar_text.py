"""Laws of the one way from a JSON scalar to text."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.text.scalar_text import scalar_text

scalars = st.one_of(st.text(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))


@given(scalars)
def test_a_scalar_that_went_through_json_has_the_same_text(value: object) -> None:
    assert scalar_text(json.loads(json.dumps(value))) == scalar_text(value)


@given(st.integers(-(1 << 53), 1 << 53))
def test_a_whole_number_has_one_text_however_it_is_written(value: int) -> None:
    assert scalar_text(float(value)) == scalar_text(value) == str(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_two_numbers_have_one_text_only_where_they_are_equal(value: float) -> None:
    text = scalar_text(value)
    assert text is not None
    assert float(text) == value


@given(st.one_of(st.none(), st.lists(st.integers()), st.dictionaries(st.text(), st.integers()), st.just(float("nan"))))
def test_what_is_no_scalar_has_no_text(value: object) -> None:
    assert scalar_text(value) is None


def test_the_texts_are_those_of_json() -> None:
    assert [scalar_text(one) for one in (1, 1.0, -0.0, 0.5, True, False, "1.0", 1e300)] == [
        "1",
        "1",
        "0",
        "0.5",
        "true",
        "false",
        "1.0",
        "1e+300",
    ]
