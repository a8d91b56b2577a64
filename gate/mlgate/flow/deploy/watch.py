"""What serves, held against itself: its requests of the last minutes against those of its own promotion."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.looks import StepLook
from mlgate.core.deploy.story import added
from mlgate.core.deploy.traffic import Traffic, TrafficWindow
from mlgate.core.outcome import Outcome
from mlgate.core.stats.shares import MOST_BLOCKS
from mlgate.core.verdict import Finding
from mlgate.flow.deploy.judge_traffic import judge_traffic
from mlgate.flow.deploy.step_question import StepQuestion

_ONCE = StepLook(0.0, failing_part=1.0, passing_part=1.0)


def watch(check: str, rules: Sequence[Rule], now: Traffic, then: Traffic | None) -> tuple[Finding, ...]:
    """Hold what was counted *now* against the rules, and against what was counted *then*; None: it is not known.

    Both are of one model, counted in `candidate`. Worst first. Without *then* rules that compare are left out; in any
    case those that ask for a better model: nothing is better than itself.
    """
    alone = StepQuestion(check, _ONCE, 1.0, compares=False)
    found = list(judge_traffic(alone, rules, now))
    if then is not None:
        seen = replace(now, why=now.why or then.why, windows=_paired(now, then))
        comparing = [rule for rule in rules if rule.bound.compares and rule.bound is not Bound.SUPERIOR]
        found += judge_traffic(replace(alone, compares=True), comparing, seen)
    return tuple(sorted(found, key=lambda finding: -int(finding.outcome)))


def _paired(now: Traffic, then: Traffic) -> tuple[TrafficWindow, ...]:
    """Return both as if they had been counted beside each other, in as many parts."""
    sides = [[one for one in seen.windows if one.candidate is not None] for seen in (now, then)]
    parts = min(MOST_BLOCKS, *map(len, sides))
    pairs = zip(*(_parts(side, parts) for side in sides), strict=True)
    return tuple(replace(mine, stable=its.candidate) for mine, its in pairs)


def _parts(windows: Sequence[TrafficWindow], parts: int) -> list[TrafficWindow]:
    """Return the windows added up to so many parts."""
    ends = [len(windows) * index // parts for index in range(parts + 1)] if parts else []
    pieces = [windows[begin:end] for begin, end in itertools.pairwise(ends)]
    return [replace(piece[-1], candidate=added([one.candidate for one in piece])) for piece in pieces]


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Return 1 when it is worse for certain, 3 when it was not measured, else 0."""
    worst = max(outcomes, default=Outcome.ERRORED)
    return {Outcome.FAILED: 1, Outcome.ERRORED: 3}.get(worst, 0)
