"""A short, seeded run of benchmarks/coverage.py: the interval covers the truth, and the gate lets little through."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mlgate.core.statistics import Array, Interval, interval

RUNS = 250
SLACK = 0.03
"""Twice the sampling error of a rate near 5 % or 95 % over this many runs: a warning light, not a measurement."""


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks/coverage.py"
    spec = importlib.util.spec_from_file_location("mlgate_coverage_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def worlds(coverage: ModuleType) -> dict[float, object]:
    return {world.share: world for world in coverage.worlds(size=800)}


@pytest.mark.parametrize(("share", "size"), [(1.0, 50), (0.3, 100), (0.05, 300)])
def test_the_interval_covers_and_the_gate_holds(
    coverage: ModuleType, worlds: dict[float, object], share: float, size: int
) -> None:
    cell = coverage.simulate(worlds[share], size, RUNS)
    assert all(rate >= 0.95 - SLACK for rate in cell.covered), cell
    assert all(rate <= 0.05 + SLACK / 2 for rate in cell.let_through), cell
    assert cell.false_fail <= 0.025 + SLACK, cell
    assert cell.any_false_fail <= 0.025 + SLACK, cell


def test_an_interval_of_two_thirds_the_width_would_be_noticed(
    coverage: ModuleType, worlds: dict[float, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(value: float, influences: Array, confidence: float, span: float) -> Interval:
        sound = interval(value, influences, confidence, span)
        return Interval(*(value + (getattr(sound, end.name) - value) * 2 / 3 for end in fields(Interval)))

    monkeypatch.setattr(coverage, "interval", narrow)
    cell = coverage.simulate(worlds[1.0], 50, RUNS)
    assert np.mean(cell.covered) < 0.95 - SLACK
