from __future__ import annotations

import pytest

from mlgate.core.check import Json
from mlgate.metrics.registry import build


def right(answer: str, *references: str, **options: Json) -> bool:
    return bool(build("exact_match", options).statistics([answer], [list(references)])[0, 0])


@pytest.mark.parametrize(
    ("answer", "reference", "options", "same"),
    [
        (" Paris\n", "Paris", {}, True),
        ("paris", "Paris", {}, False),
        ("paris", "Paris", {"lowercase": True}, True),
        ("STRASSE", "straße", {"lowercase": True}, True),
        ("cafe\u0301", "caf\u00e9", {}, True),
        ("a  b", "a b", {}, False),
        ("a \n b", "a b", {"whitespace": "collapse"}, True),
        ("a ", "a", {"whitespace": "keep"}, False),
        ("", "", {}, True),
        ("", "a", {}, False),
        ("\uff21", "A", {}, False),
    ],
)
def test_one_answer(answer: str, reference: str, options: dict[str, Json], same: bool) -> None:
    assert right(answer, reference, **options) is same


def test_any_of_several_references_is_right() -> None:
    assert right("b", "a", "b")
    assert not right("c", "a", "b")


def test_the_signature_names_every_setting() -> None:
    assert build("exact_match").signature([["a"]]) == "EM|nrefs:1|case:mixed|norm:nfc|space:trim|version:mlgate1"


def test_empty_references_suit_it() -> None:
    assert not build("exact_match").unsuitable([[""]])
