from __future__ import annotations

import math

import numpy as np
import pytest

from mlgate.core.check import Bound, Rule
from mlgate.core.comparison import hold_baseline
from mlgate.core.first_margin import USUAL_MARGIN, examples_for, first_margin
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.power import ENOUGH_PASSES
from mlgate.core.stats.jackknife import FEWEST_PAIRS, Array, Statistics, quotient
from mlgate.core.verdict import Measurement
from mlgate.flow.scoring import delta, pair

UNIT = Metric("rougeL", "ratio", Better.HIGHER)
SPREAD = 0.084


def scores(values: Array) -> Statistics:
    return Statistics("rougeL", UNIT, "s", np.column_stack([values, np.ones(len(values))]), quotient)


def passed(n: int, changed: float, margin: float, runs: int) -> float:
    """Return how many of *runs* harmless changes the judge itself lets pass, with a `min` beside the rule."""
    rng, rule = np.random.default_rng(n), Rule("rougeL", Bound.MAX_DROP, margin)
    count = 0
    for _ in range(runs):
        before = rng.uniform(0.2, 0.6, n)
        moved = rng.normal(0, SPREAD / math.sqrt(changed), n) * (rng.random(n) < changed)
        one = pair(scores(before + moved), scores(before))
        found = delta(one, 0.95, 0.95, identical=not moved.any(), guarded=True)
        after, past = (
            Measurement("c", "rougeL", UNIT, part.corpus(), n, math.nan, math.nan, "s")
            for part in (one.candidate, one.baseline)
        )
        count += hold_baseline(rule, after, past, found).outcome is Outcome.PASSED
    return count / runs


@pytest.mark.parametrize("changed", [0.3, 1.0])
@pytest.mark.parametrize("n", [20, 30, 60, 120])
def test_as_many_harmless_changes_as_promised_pass_the_judge_itself(n: int, changed: float) -> None:
    assert passed(n, changed, first_margin(n).margin, 1000) >= ENOUGH_PASSES - 0.012  # two deviations of 1,000 runs


@pytest.mark.parametrize("margin", [0.02, 0.04, 0.07])
def test_so_many_examples_as_are_named_hold_a_margin(margin: float) -> None:
    n = examples_for(margin)
    assert first_margin(n).margin == margin
    assert n == FEWEST_PAIRS or first_margin(n - 1).margin > margin
    assert passed(n, 0.3, margin, 500) >= ENOUGH_PASSES - 0.02


@pytest.mark.parametrize("n", [0, 1, 19])
def test_too_few_examples_hold_no_margin(n: int) -> None:
    assert first_margin(n).margin == 0
    assert first_margin(n).examples == FEWEST_PAIRS


def test_no_margin_is_narrower_than_a_hundredth() -> None:
    assert first_margin(100_000).margin == 0.01
    assert first_margin(examples_for(USUAL_MARGIN)).margin == USUAL_MARGIN
