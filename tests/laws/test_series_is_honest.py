"""A short, seeded run of benchmarks/duet.py: intervals cover, harmless changes pass, and worse ones do not."""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mlgate.core.metric import Better, Metric
from mlgate.core.stats import ratio
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.block_bootstrap import bounds, log_width
from mlgate.core.stats.series import Series

pytestmark = pytest.mark.simulation

RUNS = 60
SLACK = 0.12
"""Three standard errors of a rate near 90 % over this many runs: a warning light, not a measurement."""


@pytest.fixture(scope="module")
def duet() -> ModuleType:
    return importlib.import_module("benchmarks.duet")


@pytest.fixture(scope="module", params=[False, True], ids=["constant", "poisson"])
def asked(duet: ModuleType, request: pytest.FixtureRequest) -> Any:
    return duet.Asked(poisson=request.param, payload=0.3)


@pytest.fixture(scope="module")
def equal(duet: ModuleType, asked: Any) -> list[dict[tuple[str, float], Any]]:
    return [duet.simulate(world, asked, 1.0, RUNS) for world in duet.WORLDS[1:]]


def test_a_duet_covers_the_truth_and_fails_no_equal_model(equal: list[dict[tuple[str, float], Any]]) -> None:
    for cells in equal:
        for quantile in (0.5, 0.95):
            cell = cells["duet", quantile]
            assert cell.covered >= 0.95 - 0.09, cell
            assert cell.failed == 0, cell


def test_a_duet_lets_harmless_changes_through(equal: list[dict[tuple[str, float], Any]]) -> None:
    typical, bad = equal
    for quantile in (0.5, 0.95):
        assert typical["duet", quantile].blocked <= 0.05 + SLACK
        assert bad["duet", quantile].blocked <= 0.15 + SLACK


def test_a_stored_baseline_does_neither(duet: ModuleType) -> None:
    cell = duet.simulate(duet.WORLDS[1], duet.BESIDE, 1.0, RUNS)["stored", 0.5]
    assert cell.covered < 0.5
    assert cell.failed > 0.05


def test_a_duet_lets_a_slower_model_through_hardly_ever(duet: ModuleType, asked: Any) -> None:
    cells = duet.simulate(duet.WORLDS[1], asked, 1.10, RUNS)
    assert cells["duet", 0.5].failed >= 0.95
    assert cells["duet", 0.5].passed == 0
    assert cells["duet", 0.95].passed <= 0.05 + SLACK / 2


def test_a_model_at_the_margin_passes_hardly_ever_however_often_it_is_looked_at(duet: ModuleType) -> None:
    cells = duet.simulate(duet.WORLDS[1], duet.BESIDE, 1.05, RUNS)
    assert cells["duet", 0.5].passed <= 0.05 + SLACK / 2


def test_an_interval_of_half_the_width_would_be_noticed(duet: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = ratio.Ratio.half
    monkeypatch.setattr(ratio.Ratio, "half", lambda self, confidence: sound(self, confidence) / 2)
    cells = duet.simulate(duet.WORLDS[1], duet.BESIDE, 1.0, RUNS)
    assert min(cells["duet", quantile].covered for quantile in duet.QUANTILES) < 0.95 - 0.09


@pytest.mark.parametrize(("quantile", "slow"), [(0.95, 0.06), (0.5, 0.51)])
@pytest.mark.parametrize("rounds", [20, 40])
def test_a_percentile_at_the_edge_of_a_gap_is_covered_in_small_runs(quantile: float, slow: float, rounds: int) -> None:
    rng = np.random.default_rng([rounds, 5])
    metric = Metric("p_ms", "ms", Better.LOWER)
    missed = 0
    for _ in range(200):
        sides = []
        for _ in range(2):
            values = rng.lognormal(3, 0.15, 5 * rounds) * np.where(rng.random(5 * rounds) < slow, 5, 1)
            sides.append(Series("p_ms", metric, "load", quantile, values, np.repeat(np.arange(rounds), 5), {}))
        one, other = sides
        missed += not abs(math.log(one.corpus() / other.corpus())) <= ratio.ratio(one, other).half(0.95)
    assert missed / 200 <= 0.05 + 0.035


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_equal_models_differ_by_more_than_the_noise_in_one_run_of_twenty(duet: ModuleType, late: float) -> None:
    rng = np.random.default_rng(7)
    beyond = []
    for minute in duet.WORLDS[1].minutes(rng, 200):
        sides = duet.duet(rng, minute, duet.uniform(1.0))
        kept = np.flatnonzero(rng.random(60) >= late)
        one, other = (side.of(kept) for side in sides)
        beyond.append(abs(one.corpus() / other.corpus() - 1) > noise(one, other))
    assert 0.005 <= np.mean(beyond) <= 0.05 + 0.05


@pytest.mark.parametrize(("quantile", "truth"), [(0.5, 1.0), (0.95, math.exp(0.3 * 1.6449)), (0.0, math.exp(0.045))])
@pytest.mark.parametrize(("rounds", "each"), [(8, 10), (30, 20)])
def test_the_interval_of_one_side_covers(quantile: float, truth: float, rounds: int, each: int) -> None:
    rng = np.random.default_rng([rounds, each])
    covered, above = [], []
    metric = Metric("p_ms", "ms", Better.LOWER)
    for _ in range(100):
        values = rng.lognormal(0, 0.3, rounds * each)
        one = Series("p_ms", metric, "load", quantile, values, np.repeat(np.arange(rounds), each), {})
        covered.append(abs(math.log(one.corpus() / truth)) <= log_width(one, 0.90))
        above.append(truth > bounds(one, 0.95).high)
    assert 0.90 - 0.09 <= np.mean(covered) <= 0.90 + 0.09
    assert np.mean(above) <= 0.05 + 0.065
