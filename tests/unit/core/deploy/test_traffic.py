"""A histogram of times, as it is read: a percentile lies in a bucket, and shares between edges follow the tail."""

from __future__ import annotations

import math

import pytest

from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow, counted, latencies

EDGES = (50.0, 100.0, 250.0)


def side(*slower: float, n: float = 1000.0) -> list[TrafficCounts | None]:
    return [TrafficCounts(n, 0.0, slower, n)]


def test_a_percentile_lies_between_two_edges() -> None:
    found = latencies(EDGES, side(600, 200, 10))
    assert found.quantile(0.5) == pytest.approx((62.5, 50.0, 100.0))
    value, low, high = found.quantile(0.95)
    assert (low, high) == (100.0, 250.0)
    assert value == pytest.approx(100 + 150 * 150 / 190)


def test_a_percentile_beyond_the_last_edge_is_not_known() -> None:
    assert latencies(EDGES, side(900, 800, 700)).quantile(0.95) == (math.inf, 250.0, math.inf)


def test_a_percentile_of_no_requests_is_none() -> None:
    assert math.isnan(latencies(EDGES, side(0, 0, 0, n=0)).quantile(0.95)[0])


def test_shares_fall_from_edge_to_edge_and_never_rise() -> None:
    found = latencies(EDGES, side(600, 200, 10))
    at = [found.survival(ms) for ms in range(0, 300, 5)]
    assert at == sorted(at, reverse=True)
    assert (at[0], found.survival(50), found.survival(100), found.survival(900)) == (1.0, 0.6, 0.2, 0.01)


def test_the_edge_that_says_most_of_a_percentile_is_the_nearest_to_it() -> None:
    found = latencies(EDGES, side(600, 200, 10))
    assert [found.nearest_edge(q) for q in (0.5, 0.8, 0.99)] == [0, 1, 2]
    assert latencies(EDGES, side(600, 500, 2)).nearest_edge(0.95) is None


def test_what_was_not_measured_is_no_request() -> None:
    one = counted([TrafficCounts(10, 1), None, TrafficCounts(20, 2)])
    assert (one.n, one.hits.tolist()) == (30, [1, 2])


def test_windows_are_cut_by_when_they_end() -> None:
    windows = tuple(TrafficWindow(at, 10.0, None, None) for at in (10.0, 20.0, 30.0))
    assert [one.at for one in Traffic((), windows).between(10.0, 20.0).windows] == [20.0]
