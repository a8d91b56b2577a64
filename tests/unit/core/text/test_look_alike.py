"""Where two texts that look alike differ."""

from __future__ import annotations

import pytest

from mlgate.core.text.look_alike import difference


@pytest.mark.parametrize(
    ("answer", "reference", "told"),
    [
        ("a\u00a0b", "a b", "the answer has U+00A0 where the reference has U+0020"),
        ("U\u0308bel", "\u00dcbel", "the answer has U+0055 U+0308 where the reference has U+00DC"),
        ("ab\u200b", "ab", "the answer has U+200B where the reference has nothing"),
        ("\ufb01sh", "fish", "the answer has U+FB01 where the reference has U+0066 U+0069"),
        ("\u0440aris", "paris", "the answer has U+0440 where the reference has U+0070"),
        ("a  b", "a b", "the answer has U+0020 where the reference has nothing"),
        ("a\u200b" * 9, "a" * 9, "the answer has U+200B U+0061 U+200B U+0061 U+200B U+0061 and 11 more where"),
    ],
)
def test_the_code_points_are_told(answer: str, reference: str, told: str) -> None:
    assert difference(answer, [reference]).startswith(told)


@pytest.mark.parametrize(("answer", "reference"), [("a", "b"), ("a", "a"), ("A", "a"), ("", "x"), ("e", "\u00e9")])
def test_what_looks_different_or_is_equal_is_not_told(answer: str, reference: str) -> None:
    assert not difference(answer, [reference])


def test_any_of_several_references_may_look_alike() -> None:
    assert difference("a\u00a0b", ["c", "a b"])
