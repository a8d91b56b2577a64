from __future__ import annotations

import random
import time

import numpy as np
import pytest

from mlgate.metrics.registry import build
from mlgate.metrics.ter import MOST_CELLS


def test_a_moved_phrase_is_one_edit() -> None:
    """Snover et al. 2006: a shift of any length costs one."""
    ter = build("ter")
    rows = ter.statistics(["this week the saudis denied"], [["the saudis denied this week"]])
    assert rows.tolist() == [[1, 5]]
    assert float(ter.value(rows.sum(0))) == pytest.approx(20)


def test_edits_against_nothing_are_all_wrong_as_sacrebleu_has_it() -> None:
    assert build("ter").value(np.array([[3.0, 0.0], [0.0, 0.0]])).tolist() == [100, 0]


def test_texts_that_would_hang_are_refused_with_the_example() -> None:
    long = " ".join(["w"] * 400)
    with pytest.raises(ValueError, match="example 1: TER of 400 against 400 words would take minutes"):
        build("ter").statistics(["a", long], [["a"], [long]])


def test_the_cap_is_on_what_is_compared_not_on_one_side() -> None:
    assert build("ter").statistics([" ".join(["w"] * 5000)], [["one two"]]).shape == (1, 2)


def test_half_of_the_cap_is_scored_in_seconds() -> None:
    size = int((MOST_CELLS / 16) ** 0.5)
    words = [f"w{i}" for i in range(size)]
    shuffled = random.Random(1).sample(words, size)
    began = time.process_time()
    build("ter").statistics([" ".join(shuffled)], [[" ".join(words)]])
    assert time.process_time() - began < 20


def test_the_signature_is_sacrebleus() -> None:
    signature = build("ter", {"case_sensitive": True}).signature([["a"]])
    assert signature.startswith("TER|nrefs:1|case:mixed|tok:tercom|norm:no|punct:yes|asian:no|version:2.")


def test_a_script_without_spaces_needs_to_be_split() -> None:
    chinese = [["敏捷的棕色狐狸跳过了懒狗"]]
    assert "use cer or chrf" in build("ter").unsuitable(chinese)
    assert not build("ter", {"normalized": True, "asian_support": True}).unsuitable(chinese)
