"""A short, seeded run of benchmarks/coverage.py: the interval covers the truth, and the gate lets little through."""

from __future__ import annotations

import importlib
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array, Statistics, Width, standard_error, width
from mlgate.core.stats.student_t import student
from mlgate.flow import scoring
from mlgate.flow.scoring import delta, family_confidence, pair
from mlgate.metrics.registry import build

RUNS = 250
SLACK = 0.03
"""Twice the sampling error of a rate near 5 % or 95 % over this many runs: a warning light, not a measurement."""


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    return importlib.import_module("benchmarks.coverage")


@pytest.fixture(scope="module")
def worlds(coverage: ModuleType) -> dict[float, object]:
    return {world.share: world for world in coverage.worlds(size=800)}


@pytest.mark.simulation
@pytest.mark.parametrize(("share", "size"), [(1.0, 50), (0.3, 100), (0.05, 300)])
def test_the_interval_covers_and_the_gate_holds(
    coverage: ModuleType, worlds: dict[float, object], share: float, size: int
) -> None:
    cell = coverage.simulate(worlds[share], size, RUNS)
    assert all(rate >= 0.95 - SLACK for rate in cell.covered), cell
    assert all(rate <= 0.05 + SLACK / 2 for rate in cell.let_through), cell
    assert cell.false_fail <= 0.025 + SLACK, cell
    assert cell.any_false_fail <= 0.025 + SLACK, cell


@pytest.mark.simulation
def test_an_interval_of_two_thirds_the_width_would_be_noticed(
    coverage: ModuleType, worlds: dict[float, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(influences: Array, confidence: float, size: float) -> Width:
        sound = width(influences, confidence, size)
        return Width(sound.spread * 2 / 3, sound.floor)

    monkeypatch.setattr(scoring, "width", narrow)
    cell = coverage.simulate(worlds[1.0], 50, RUNS)
    assert np.mean(cell.covered) < 0.95 - SLACK


RATIO = Metric("m", "ratio", Better.HIGHER)


def mean(totals: Array) -> Array:
    return np.asarray(totals[..., 0] / totals[..., 1])


def statistics(values: Array) -> Statistics:
    return Statistics("m", RATIO, "m|v:1", np.column_stack([values, np.ones(len(values))]), mean)


def test_a_slice_in_a_family_is_as_wide_as_its_own_few_examples_ask() -> None:
    """By the whole table's degrees of freedom, 20 slices of 20 were falsely called worse in 7 % of runs, not 2.5 %."""
    rng = np.random.default_rng(11)
    before = rng.random(400)
    after, past = statistics(before + rng.normal(0, 0.1, 400)), statistics(before)
    pairs = [pair(after, past, chosen) for chosen in np.arange(400).reshape(20, 20)]
    family = family_confidence(pairs, 0.95)
    assert family == pytest.approx(0.95 ** (1 / 20), abs=5e-4)
    for one in pairs:
        found = delta(one, 0.95, family, identical=False)
        assert found.family.half >= student((1 + family) / 2, 19) * standard_error(one.moved[one.chosen])
        assert found.family.half > found.alone.half


# That more or greater losses never give a better outcome is not true of any interval that learns its width from the
# data: where all lose alike, the spread is nothing. What is true: no outcome rests on less than the floor.
@given(st.integers(20, 400), st.data())
def test_few_small_losses_among_equals_say_at_most_so_much_more_than_none(n: int, data: st.DataObject) -> None:
    losses = np.zeros(n)
    k = data.draw(st.integers(0, n))
    losses[:k] = np.random.default_rng(data.draw(st.integers(0, 99))).uniform(0, 0.01, k)
    found = delta(pair(statistics(0.8 - losses), statistics(np.full(n, 0.8))), 0.95, 0.95, identical=False)
    assert found.alone.half >= -np.log(0.025) / n / (1 + k) * (1 - 1e-12)


def test_a_unit_without_a_span_takes_its_scale_from_what_both_systems_show() -> None:
    values = np.linspace(10, 30, 40)
    plain = replace(statistics(values), metric=Metric("latency", "ms", Better.LOWER))
    assert pair(plain, plain).size == pytest.approx(20)
    constant = replace(plain, rows=np.ones((40, 2)))
    assert pair(constant, constant).size == 0


def test_an_example_whose_influence_is_rounding_error_has_not_changed() -> None:
    scorer = build("bleu")
    several = [["the cat sat on the mat again"], ["a dog ran under the big house"]] * 20
    old = ["the cat sat on a mat again", "a dog ran under the house"] * 20
    new = [*old[:-1], "dog under"]
    after, past = (
        Statistics("bleu", scorer.metric, "", scorer.statistics(x, several), scorer.value) for x in (new, old)
    )
    one = pair(after, past)
    assert np.count_nonzero(one.moved) == 40
    assert one.size == pytest.approx((100 + abs(one.moved[-1])) / 2)
