from __future__ import annotations

import pytest

from mlgate.metrics.registry import build


def test_the_name_in_the_signature_carries_beta_and_the_word_order() -> None:
    texts = [["a"]]
    assert build("chrf").signature(texts).startswith("chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.")
    assert build("chrf++").signature(texts).startswith("chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no")
    assert build("chrf", {"beta": 3}).signature(texts).startswith("chrF3|")


def test_chrf_of_one_pair_by_hand() -> None:
    """`abc` against `abd`: 2 of 3 characters, 1 of 2 pairs, 0 of 1 triples; precision equals recall: 7/18."""
    chrf = build("chrf", {"char_order": 3})
    assert float(chrf.value(chrf.statistics(["abc"], [["abd"]]).sum(0))) == pytest.approx(100 * 7 / 18)


def test_the_best_of_several_references_counts() -> None:
    chrf = build("chrf")
    assert float(chrf.value(chrf.statistics(["cat"], [["dog", "cat", "fish"]]).sum(0))) == pytest.approx(100)


def test_scripts_without_spaces_suit_chrf() -> None:
    assert not build("chrf").unsuitable([["敏捷的棕色狐狸"]])


def test_references_without_text_are_refused() -> None:
    with pytest.raises(ValueError, match="no reference has any text"):
        build("chrf").statistics(["a"], [[""]])
    assert "no reference" in build("chrf++").unsuitable([[""]])
