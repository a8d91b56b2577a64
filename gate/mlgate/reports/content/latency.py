"""What a latency check sent and saw, put into words and cells: the same ones for every report. Nothing is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlgate.core.outcome import Outcome, worst
from mlgate.core.report import LoadSummary, Percentile, Report
from mlgate.core.verdict import Finding
from mlgate.reports.content.numbers import NO_NUMBER, percent
from mlgate.reports.content.plural import many

TITLES = {"latency": "", "service": "from when it was sent", "ttft": "to the first token", "itl": "between tokens"}
"""Each clock, for people; the latency is what nobody needs to be told."""

_WHOLE = 1000.0
"""From so many milliseconds on, parts of one are no matter."""
_HUGE = 1e9
_PROBE = "probe."
_UNITS = {"_s": "s", "_mb": "MB"}
"""Endings of facts' names that are units."""


@dataclass(frozen=True, slots=True)
class PercentileRow:
    """One percentile of both sides, as cells."""

    clock: str
    name: str
    """`p95`, or `mean`."""
    value: str
    interval: str
    """Of the value, `[low, high]`; empty without one."""
    baseline: str
    change: str
    """The ratio to the baseline, as a change in percent."""
    change_interval: str
    outcome: Outcome | None
    """The worst that rules concluded about it; None where no rule asks."""


def rows(report: Report, load: LoadSummary, most: int) -> list[PercentileRow]:
    """Return the first *most* percentiles of one load, in the report's order."""
    about = [finding for finding in report.findings if finding.check == load.check and not finding.slice]
    return [_row(about, one) for one in load.percentiles[:most]]


def _row(about: Sequence[Finding], one: Percentile) -> PercentileRow:
    name = f"p{one.quantile * 100:g}" if one.quantile else "mean"
    said = [finding for finding in about if finding.rule.metric == _metric(one)]
    change, low, high = _change(one, said)
    return PercentileRow(
        one.clock,
        name,
        milliseconds(one.value),
        _interval(milliseconds(one.low), milliseconds(one.high)),
        milliseconds(one.baseline),
        percent(change),
        _interval(percent(low), percent(high)),
        worst(finding.outcome for finding in said) if said else None,
    )


def _metric(one: Percentile) -> str:
    """Return how rules name it."""
    name = f"p{one.quantile * 100:g}" if one.quantile else "mean"
    return f"{'' if one.clock == 'latency' else f'{one.clock}_'}{name}_ms"


def told(report: Report, loads: int, most: int) -> frozenset[tuple[str, str]]:
    """Return check and metric of what the tables of the first so many *loads* show: no other table repeats it."""
    return frozenset((load.check, _metric(one)) for load in report.loads[:loads] for one in load.percentiles[:most])


def _change(one: Percentile, said: Sequence[Finding]) -> tuple[float, float, float]:
    """Return the change and its interval's ends. A rule's own is shown as it was judged: wider at early looks."""
    judged = next((f.delta for f in said if f.delta is not None and f.delta.base), None)
    if judged is None:
        return one.ratio - 1, one.ratio_low - 1, one.ratio_high - 1
    return judged.value / judged.base, judged.low / judged.base, judged.high / judged.base


def milliseconds(value: float) -> str:
    """Return a time as a table shows it; a dash for none."""
    if not math.isfinite(value):
        return NO_NUMBER
    if abs(value) >= _HUGE:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.2f}"


def _interval(low: str, high: str) -> str:
    return "" if NO_NUMBER in (low, high) else f"[{low}, {high}]"


def sent(load: LoadSummary) -> str:
    """Return what was sent, how much of what was planned, and how much of it counts: the first line about a load."""
    amount = f"{load.rounds:,} of {load.planned:,} rounds{_round_counts(load)}, {load.requests:,} requests"
    if load.looks > 1 and (load.look or not load.flaw):
        amount += f", look {load.look} of {load.looks}" if load.look else ", between looks"
    return f"{load.load}: {amount}"


def _round_counts(load: LoadSummary) -> str:
    """Return what the rounds were for: the warm-up's are asked and not judged."""
    left = load.rounds - load.warm - load.late
    parts = [f"{load.warm:,} warm-up"] * bool(load.warm) + [f"{load.late:,} sent late"] * bool(load.late)
    judged = [] if load.flaw else [f"{left:,} judged"]
    return f" ({', '.join(judged + parts)})" if parts else ""


def trust(load: LoadSummary) -> Iterator[str]:
    """Yield what a person needs to trust the numbers, one fact a piece."""
    if load.failed:
        yield many(load.failed, "request") + " failed"
    if math.isfinite(load.noise):
        yield f"noise of this machine {_share(load.noise, 1)} (p50)"
    if load.narrowed and len(load.narrowed.known) > 1:
        after = ", ".join(f"±{_share(half, 1)} after {rounds:,}" for rounds, half in load.narrowed.known)
        yield f"widest for its margin: {load.narrowed.metric}, {after} rounds"
    if load.begun:
        yield f"started over once: the machine disturbed the first {many(load.begun, 'round')}"
    late, busy = load.late_p99_ms, load.generator
    said = [f"{milliseconds(late)} ms late (p99)"] if math.isfinite(late) else []
    said += [f"{_share(busy)} of its core"] if math.isfinite(busy) else []
    if said:
        yield f"generator: {', '.join(said)}"


def _share(value: float, digits: int = 0) -> str:
    return f"{value:.{digits}%}" if abs(value) < _HUGE else f"{value * 100:.3g}%"


def started(load: LoadSummary) -> Iterator[str]:
    """Yield how the model was started, one fact a piece: the engine's words, so escape each piece whole."""
    facts = sorted(load.facts, key=lambda fact: (fact[0] != "sandbox", fact[0]))
    for name, value in facts:
        told = name.removeprefix(_PROBE)
        unit = next((unit for ending, unit in _UNITS.items() if told.endswith(ending)), "")
        told = told.removesuffix(f"_{unit.lower()}") if unit else told
        yield f"{told.replace('_', ' ')} {value}{f' {unit}' if unit else ''}"


def reason(report: Report, load: LoadSummary) -> tuple[Outcome, str]:
    """Return why no time of it is judged, and what that came to; empty when times are judged.

    What a rule already says is not said again. And what keeps the whole check from being measured is the reason,
    whatever its rounds would say.
    """
    if not load.flaw:
        return Outcome.PASSED, ""
    about = [finding for finding in report.findings if finding.check == load.check]
    whole = bool(about) and all(finding.topic == "not-measured" for finding in about)
    said = [finding.outcome for finding in about if whole or load.flaw in finding.why]
    if said:
        return worst(said), "no time of it is judged, for the reason above"
    return Outcome.INCONCLUSIVE, f"no time of it is judged: {load.flaw}"
