"""What Prometheus counted of both models of a rollout since a step began. The same question has the same answer.

Nothing is kept between two reads: what a process that died had read, the next one reads again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mlgate.adapters.prometheus.client import Prometheus, TimeGrid, TimeSeries
from mlgate.adapters.prometheus.counters import (
    counted_twice,
    grown,
    living,
    matches_nothing,
    named_labels,
    process,
    unanswered,
)
from mlgate.adapters.prometheus.sources import MetricSource
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow, not_measured
from mlgate.core.errors import AdapterError

MOST_WINDOWS = 120
"""Of a long step the windows become longer instead of more."""
STALE_S = 60.0
"""What was scraped longer ago is no news; four windows, where that is more."""
_STALE_WINDOWS = 4


@dataclass(frozen=True, slots=True)
class _Counts:
    """One model over all windows. None: not measured."""

    requests: Sequence[float | None]
    errors: Sequence[float | None]
    slower: Mapping[float, Sequence[float | None]]
    """By the edge, in milliseconds; empty where there is no histogram that every process has whole."""
    timed: Sequence[float | None]
    took_ms: Sequence[float | None]
    fresh: Sequence[bool]
    """Whether there was news at each time of the grid."""

    def window(self, index: int, edges: Sequence[float]) -> TrafficCounts | None:
        requests, timed = self.requests[index], self.timed[index]
        if requests is None or not (self.fresh[index] and self.fresh[index + 1]) or (edges and timed is None):
            return None
        errors = min(max(self.errors[index] or 0.0, 0.0), requests)
        timed, took_ms, left = timed or 0.0, self.took_ms[index], timed or 0.0
        slower = []
        for edge in edges:  # never more than are slower than the edge before
            left = min(max(self.slower[edge][index] or 0.0, 0.0), left)
            slower.append(left)
        return TrafficCounts(requests, errors, tuple(slower), timed, math.nan if took_ms is None else took_ms)


class PrometheusTraffic:
    """Reads from one server, of one source of metrics."""

    def __init__(self, prometheus: Prometheus, source: MetricSource, interval: float) -> None:
        """*interval*: seconds of a window, at least; not less than what lies between two scrapes."""
        self._prometheus, self._source, self._interval = prometheus, source, interval

    def read(
        self,
        candidate: Mapping[str, str],
        stable: Mapping[str, str] | None,
        *,
        since: float,
        until: float,
        now: float,
        is_new: bool = False,
        most: int = MOST_WINDOWS,
    ) -> Traffic:
        """Return what was counted from *since* to *until*. Never raises AdapterError: why there is nothing is in it.

        *candidate* and *stable*: what fills the source's `$names`. The times are this machine's, and so is *now*:
        Prometheus' clock may differ. *is_new*: the model may be younger than *since*; then holes before its first
        window are none. *most*: windows.
        """
        scrapes = max(1, math.floor((until - since) / self._interval))
        step = self._interval * math.ceil(scrapes / most)
        try:
            ahead = self._prometheus.now() - now
            start = math.ceil((since + ahead) / step) * step  # some servers round to multiples of it by themselves
            grid = TimeGrid(start, step, math.floor((until + ahead - start) / step))
            if grid.steps < 1:
                return Traffic()
            mine = self._counts(self._source.of(candidate), grid)
            its = self._counts(self._source.of(stable), grid) if stable is not None else None
        except AdapterError as error:
            return Traffic(why=str(error))
        seen = _windows(mine, its, grid, grid.start - ahead)
        known = [index for index, one in enumerate(seen.windows) if one.candidate is not None]
        first = known[0] if known and is_new else 0
        return replace(seen, why=not_measured(seen.windows[first:], compares=its is not None))

    def _counts(self, source: MetricSource, grid: TimeGrid) -> _Counts:
        requests = self._all(source.requests, grid)
        errors, successes = self._all(source.errors, grid), self._all(source.successes, grid)
        mistaken = matches_nothing(source.errors, errors, requests) if requests else ""
        if mistaken:
            raise AdapterError(mistaken, hint="mend deploy.analysis.prometheus: else no request ever seems to fail")
        buckets = self._all([source.buckets] if source.buckets else [], grid)
        alive = living([*requests, *errors, *successes, *buckets])
        asked = grown(requests, grid.steps, alive)
        sums = self._all([source.sums] if source.sums else [], grid)
        took = [None if one is None else one * source.unit_ms for one in grown(sums, grid.steps, alive)]
        if source.successes:
            busy = [(one or 0.0) / 1000 / grid.step for one in took]  # Little's law: so many are under way on average
            is_new = not any(one.samples.get(0) for one in requests)
            fine = grown(successes, grid.steps, alive)
            failed = unanswered(asked, fine, busy, 0.0 if is_new else busy[0])
        else:
            failed = grown(errors, grid.steps, alive)
        by_edge = _by_edge(buckets, source.unit_ms)
        whole = by_edge.pop(math.inf, [])
        counted = {process(one) for one in whole} & {process(one) for one in requests}
        timed = grown(whole, grid.steps, alive)
        slower = {
            edge: [
                None if n is None else n - (k or 0.0)
                for n, k in zip(timed, grown(found, grid.steps, alive), strict=True)
            ]
            for edge, found in by_edge.items()
            if counted and counted == {process(one) for one in found} == {process(one) for one in requests}
        }
        return _Counts(asked, failed, slower, timed, took, self._fresh(source.requests, grid))

    def _all(self, selectors: Sequence[str], grid: TimeGrid) -> list[TimeSeries]:
        """Return the series of all selectors. Raises AdapterError for a process that is counted twice."""
        found = [one for selector in selectors for one in self._prometheus.range(selector, grid)]
        twice = counted_twice(found, {label for one in selectors for label in named_labels(one)})
        if twice:
            raise AdapterError(
                f"{twice}: every request of it would count double",
                hint="let one job scrape it, or name counters with that job in deploy.analysis.prometheus.metrics",
            )
        return found

    def _fresh(self, selectors: Sequence[str], grid: TimeGrid) -> list[bool]:
        """Return whether the last sample was young enough at each time: Prometheus repeats an old one for minutes."""
        stale = max(STALE_S, _STALE_WINDOWS * self._interval)
        newest = [-math.inf] * (grid.steps + 1)
        for selector in selectors:
            for one in self._prometheus.range(f"max(timestamp({selector}))", grid):
                for index, at in one.samples.items():
                    newest[index] = max(newest[index], at)
        return [grid.start + index * grid.step - at <= stale for index, at in enumerate(newest)]


def _by_edge(buckets: Sequence[TimeSeries], unit_ms: float) -> dict[float, list[TimeSeries]]:
    """Return a histogram's series by their edge in milliseconds. One whose edge is no number is left out."""
    found: dict[float, list[TimeSeries]] = {}
    for one in buckets:
        try:
            edge = float(one.labels.get("le", ""))
        except ValueError:
            continue
        found.setdefault(round(edge * unit_ms, 6) if math.isfinite(edge) else edge, []).append(one)
    return found


def _windows(mine: _Counts, its: _Counts | None, grid: TimeGrid, begin: float) -> Traffic:
    edges = set(mine.slower) if its is None else set(mine.slower) & set(its.slower)
    ordered = tuple(sorted(edge for edge in edges if math.isfinite(edge) and edge > 0))
    windows = tuple(
        TrafficWindow(
            begin + (index + 1) * grid.step,
            grid.step,
            mine.window(index, ordered),
            its.window(index, ordered) if its is not None else None,
        )
        for index in range(grid.steps)
    )
    return Traffic(ordered, windows)
