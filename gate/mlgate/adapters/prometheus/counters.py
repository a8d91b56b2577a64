"""What counters grew by between one time and the next: exactly what was scraped, without Prometheus' extrapolation."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from mlgate.adapters.prometheus.client import TimeSeries

_OF_SCRAPES = frozenset(
    {"job", "endpoint", "service", "container", "prometheus", "prometheus_replica", "replica", "node"}
)
"""Labels that say who scraped, and not what: two series that differ in nothing else count the same thing twice."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_LABEL = re.compile(r"(?<!\w)([a-zA-Z_]\w*+)\s*+(?:=~|!~|!=|=)")

Process = tuple[str, str]


def grown(found: Sequence[TimeSeries], steps: int, alive: Mapping[Process, Collection[int]]) -> list[float | None]:
    """Return by how much the series grew together in each window; None where none of them was there at its end.

    A counter that fell began again at 0. One that appears where its process was *alive* before began at 0 as well: it
    counts what had not happened until then. One that appears with its process may have counted for long: what it begins
    with is not counted. What grew while scrapes failed is counted in the window in which the counter is seen again.
    """
    total: list[float | None] = [None] * steps
    for one in found:
        last = one.samples.get(0)
        was_alive = 0 in alive.get(process(one), ())
        for window in range(steps):
            value = one.samples.get(window + 1)
            if value is not None and (last is not None or was_alive):
                rise = value if last is None or value < last else value - last
                total[window] = (total[window] or 0.0) + rise
            last = value if value is not None else last
            was_alive = was_alive or window + 1 in alive.get(process(one), ())
    return total


def unanswered(
    asked: Sequence[float | None], fine: Sequence[float | None], under_way: Sequence[float], begun: float
) -> list[float | None]:
    """Return how many requests failed in each window, where what begins and what ends well is counted, and no failures.

    A request that is under way has begun, and has not failed. *under_way*: how many those are, about
    the end of each window; *begun*: and when the first window begins. What only seemed to fail, later ones take back.
    """
    failed, total = [0.0], 0.0
    for n, k, now in zip(asked, fine, under_way, strict=True):
        total += 0.0 if n is None else n - (k or 0.0)
        failed.append(max(0.0, total - (now - begun)))
    for window in reversed(range(len(asked))):
        failed[window] = min(failed[window], failed[window + 1])
    return [None if n is None else after - before for n, (before, after) in zip(asked, pairwise(failed), strict=True)]


def living(found: Iterable[TimeSeries]) -> dict[Process, set[int]]:
    """Return at which times each process was seen, by any of its series."""
    alive: dict[Process, set[int]] = {}
    for one in found:
        alive.setdefault(process(one), set()).update(one.samples)
    return alive


def process(one: TimeSeries) -> Process:
    """Return what tells the process that a series is of."""
    pod = one.labels.get("pod", "")
    return pod, "" if pod else one.labels.get("instance", "")


def named_labels(selector: str) -> list[str]:
    """Return the labels that a selector names."""
    return _LABEL.findall(_QUOTED.sub('""', selector))


def matches_nothing(selectors: Iterable[str], found: Iterable[TimeSeries], requests: Sequence[TimeSeries]) -> str:
    """Return why a selector of errors is mistaken; empty where it is sound, and where nothing has failed yet.

    A series of errors often begins with the first error. Then its counter is that of the *requests*, and they have each
    label that it names: `code`. Of anything else that matches nothing, nobody knows that it ever would.
    """
    there = {one.labels.get("__name__", "") for one in found}
    for selector in selectors:
        name = selector.partition("{")[0]
        labels = {label for one in requests if one.labels.get("__name__") == name for label in one.labels}
        if name in there:
            continue
        if not labels:
            return f"Prometheus has no series of {name}, which is to count errors"
        for label in named_labels(selector):
            if label not in labels:
                return f"no series of {name} has the label {label!r}, by which errors are to be told"
    return ""


def counted_twice(found: Iterable[TimeSeries], named: Collection[str] = ()) -> str:
    """Return which process is counted twice at one time, and by whom; empty for none.

    *named*: the labels by which they were asked for. Those say what is counted: Traefik has `service` of its own.
    """
    known: dict[tuple[tuple[str, str], ...], list[TimeSeries]] = {}
    for one in found:
        pod = one.labels.get("pod")
        left_out = (_OF_SCRAPES | ({"instance"} if pod else set())) - set(named)
        key = tuple(sorted((name, value) for name, value in one.labels.items() if name not in left_out))
        for other in known.setdefault(key, []):
            if one.samples.keys() & other.samples.keys():
                by = sorted({other.labels.get("job") or "one job", one.labels.get("job") or "another"})
                return f"{pod or one.labels.get('instance', 'a process')} is counted twice, by {' and '.join(by)}"
        known[key].append(one)
    return ""
