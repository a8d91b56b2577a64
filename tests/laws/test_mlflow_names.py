"""Whatever a check, a slice or a rule is called, MLflow takes its name, and no two become one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.utils.validation import (
    MAX_ENTITY_KEY_LENGTH,
    MAX_PARAM_VAL_LENGTH,
    MAX_TAG_VAL_LENGTH,
    _validate_metric_name,
    _validate_param_name,
    _validate_tag_name,
)
from tests.support.strategies import FRAGMENTS, hostile

from mlgate.adapters.mlflow import names
from mlgate.adapters.mlflow.names import LONGEST_NAME, LONGEST_PARAM, LONGEST_TAG, name

VALIDATORS: tuple[Callable[[str], None], ...] = (_validate_metric_name, _validate_param_name, _validate_tag_name)
pieces = st.sampled_from([*FRAGMENTS, "/", "//", ".", "..", "...", " ", "a", "é", "挨", "-", "_", "x" * 190, "\n"])
odd = st.one_of(hostile, st.text(max_size=20), st.lists(pieces, max_size=8).map("".join))


@given(odd)
@settings(max_examples=1000)
def test_every_name_is_one_that_mlflow_takes(text: str) -> None:
    made = name(text)
    for validate in VALIDATORS:
        validate(made)
    assert 0 < len(made) <= LONGEST_NAME < MAX_ENTITY_KEY_LENGTH
    assert made == made.strip()


@given(odd)
@settings(max_examples=1000)
def test_a_name_that_was_made_once_stays(text: str) -> None:
    assert name(name(text)) == name(text)


@given(odd, odd)
@settings(max_examples=1000)
def test_two_names_do_not_become_one(one: str, other: str) -> None:
    assert one == other or name(one) != name(other)


@pytest.mark.parametrize(
    "near", ["a|b", "a`b", "a\nb", "a//b", "a/./b", "/a_b", " a_b", "a_b ", "a_b/", "a\x00b", "a\ud800b"]
)
def test_what_is_cleaned_to_the_same_text_differs_by_its_digest(near: str) -> None:
    made = [name(text) for text in (near, "a_b", "a/b", f"{near}|")]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    "plain",
    ["summaries/rougeL", "summaries/module:parser/rougeL.low", "speed/latency p95 ms", "data/x", "a.b-c_d", "名/é"],
)
def test_a_usual_name_stays_as_it_is(plain: str) -> None:
    assert name(plain) == plain


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("", "_-"),
        (".", "_-"),
        ("..", "_-"),
        ("../x", "_/x-"),
        ("..x", "_..x-"),
        ("/etc", "_/etc-"),
        ("a//b", "a/_/b-"),
        ("p95 ≤ 3", "p95 _ 3-"),
    ],
)
def test_an_odd_name_becomes_one_that_a_person_recognises(text: str, begin: str) -> None:
    assert name(text).startswith(begin)


def test_long_names_that_end_differently_stay_two() -> None:
    one, other = name("x" * 300 + "a"), name("x" * 300 + "b")
    assert one != other
    assert len(one) == len(other) == LONGEST_NAME


@given(odd | st.integers(0, 10_000).map(lambda n: "é" * n))
def test_a_value_fits_and_a_short_one_stays(text: str) -> None:
    for made, most in ((names.param(text), LONGEST_PARAM), (names.tag(text), LONGEST_TAG)):
        assert len(made) <= most
        assert made.encode("utf-8", "strict").count(0) == 0
        if len(text) <= most and text.isprintable():
            assert made == text


def test_what_is_cut_says_so_and_how_long_it_was() -> None:
    digest = hashlib.sha256(b"x" * 5_000).hexdigest()[:8]
    assert names.param("x" * 5_000).endswith(f"x… (5,000 characters, sha256 {digest})")
    assert names.param("x" * 5_000) != names.param("x" * 4_999 + "y")
    assert LONGEST_PARAM < MAX_PARAM_VAL_LENGTH
    assert LONGEST_TAG < MAX_TAG_VAL_LENGTH
