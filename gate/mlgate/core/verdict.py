"""What was concluded: findings, each of one rule, and the verdict that they make together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlgate.core.check import Rule
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome, worst
from mlgate.core.stats.jackknife import Width

_LOG_MOST = 50.0
"""A factor of e^50 is as good as any: beyond it floats end."""

SOFTENED = frozenset({"inconclusive", "too-few", "unseen", "tail"})
"""The topics that `on_inconclusive` is about: too little data. What more data would not mend, no rule softens."""

MORE_SETTLES = SOFTENED | {"worse", "noise"}
"""The topics of findings that more data, or a wider margin, would settle."""

DOCS = "https://github.com/org/mlgate/blob/main/docs/reference/findings.md"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric of one check (or of one slice of it), with its interval."""

    check: str
    name: str
    """The name that rules use."""
    metric: Metric
    value: float
    n: int
    """Examples that the value is computed from."""
    low: float
    high: float
    """The ends of the 95 % interval of the value itself; NaN where none can be given."""
    signature: str
    slice: str = ""
    """Empty for the whole check, else `field=value`."""
    groups: int | None = None
    """How many groups the examples are of, where some depend on each other; None: each is its own."""

    @property
    def units(self) -> int:
        """Return how many observations an interval rests on: groups, or examples that are each their own."""
        return self.n if self.groups is None else self.groups


@dataclass(frozen=True, slots=True)
class Delta:
    """Candidate minus baseline, paired by example."""

    value: float
    alone: Width
    """At the rule's confidence: of the interval that is shown, and that passing is judged by."""
    family: Width
    """So that all comparisons of the family hold at once (max-t): what failing is judged by. At least `alone`."""
    identical: bool = False
    """Nothing that was observed differs: there is no difference to doubt."""
    unseen: float = 0.0
    """What the value may lose by answers like none of these examples has, in the metric's unit: no pass beyond it.
    0: it is not held against a pass."""
    base: float = 0.0
    """Of times: the baseline's value, and the widths are of the ratio's logarithm. 0: they are in the metric's unit."""
    rounds: int = 0
    """Of times: how many rounds it is known from; 0: it is not of rounds."""
    error: float = 0.0
    """The standard error of the value, or, of times, of the ratio's logarithm: what a forecast begins with."""
    sure: float = 0.0
    """The confidence that `alone` holds at, 0 to 1: at an early look more than the rule asks; 0: the rule's own."""
    early: bool = False
    """Of times: known before the time is over that the file asks for at least. It then fails only when its whole
    interval lies beyond the margin: an estimate that is beyond it at one of several looks says little."""
    by_request: bool = False
    """Of times: whether it is what the requests say, each beside itself, and not what the two values say."""

    @property
    def low(self) -> float:
        """Return the lower end of the two-sided interval at the rule's confidence."""
        return self.ends(self.alone)[0]

    @property
    def high(self) -> float:
        """Return the upper end of the two-sided interval at the rule's confidence."""
        return self.ends(self.alone)[1]

    def ends(self, width: Width) -> tuple[float, float]:
        """Return the interval of one of the two widths, in the metric's unit."""
        if not self.base:
            return self.value - width.half, self.value + width.half
        after, factor = self.base + self.value, math.exp(min(width.half, _LOG_MOST))
        return after / factor - self.base, after * factor - self.base

    def growth(self, width: Width, target: float, sign: float) -> float:
        """Return how many times the examples it takes until the end on *sign*'s other side comes to *target*."""
        if not self.base:
            return width.growth(sign * (self.value - target))
        after, wanted = self.base + self.value, self.base + target
        return width.growth(sign * math.log(after / wanted)) if after > 0 and wanted > 0 else math.inf

    @property
    def finite(self) -> bool:
        """Whether every number of it is one: nothing less is judged."""
        return math.isfinite(self.value) and self.alone.finite and self.family.finite

    def possible(self, metric: Metric) -> tuple[float, float]:
        """Return low and high as they are shown: cut to what a difference can be. An error rate has no top."""
        if not (self.finite and metric.span and metric.better is Better.HIGHER and not self.base):
            return self.low, self.high
        most = max(metric.span, abs(self.value))
        return max(self.low, -most), min(self.high, most)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's outcome, and why in one sentence with the numbers: the unit that every report prints."""

    check: str
    rule: Rule
    outcome: Outcome
    why: str
    topic: str
    """Which heading of the findings page explains it."""
    slice: str = ""
    measured: Measurement | None = None
    baseline: Measurement | None = None
    delta: Delta | None = None

    @property
    def id(self) -> str:
        """Return `check/metric/bound`, with the slice behind it."""
        tail = f"[{self.slice}]" if self.slice else ""
        return f"{self.check}/{self.rule.metric}/{self.rule.bound.value}{tail}"

    @property
    def docs(self) -> str:
        """Return the link to the page that explains this kind of finding."""
        return f"{DOCS}#{self.topic}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer."""

    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """Return the worst finding's outcome; INCONCLUSIVE when there are none."""
        return worst(finding.outcome for finding in self.findings)


def unmeasured(check: str, rule: Rule, why: str, slice_name: str = "") -> Finding:
    """Conclude that a rule's metric could not be measured. No rule can soften this."""
    return Finding(check, rule, Outcome.ERRORED, why, "not-measured", slice_name)
