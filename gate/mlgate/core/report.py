"""Everything that renderers and sinks see. Same evidence, same rules: the same report, byte for byte."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlgate.core.evidence import Environment, Provenance
from mlgate.core.outcome import Outcome
from mlgate.core.rule_change import Policy, RuleChange
from mlgate.core.verdict import Finding, Measurement, Verdict


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """How much of one check was observed."""

    id: str
    kind: str
    planned: int
    answered: int
    gaps: int
    """Asked and not answered."""

    @property
    def missing(self) -> int:
        """Return how many examples have no row at all."""
        return self.planned - self.answered - self.gaps


@dataclass(frozen=True, slots=True)
class BaselineSummary:
    """What the candidate was compared with."""

    source: str
    """Where it came from, for people: `file baseline.jsonl.gz`."""
    commit: str
    model: str
    digest: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One example that moved a metric: how far, and the texts, cut to a length that a report can carry."""

    check: str
    name: str
    """The metric's name in rules."""
    example: str
    moved: float
    """Its share of the difference to the baseline, in the metric's unit; where nothing was compared, of the value; 0
    where every example has the worst value there is."""
    input: str
    references: tuple[str, ...]
    answer: str
    baseline: str | None
    unlike: str = ""
    """Where the answer looks like a reference and differs: the code points in which it does."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """One percentile of both sides, in milliseconds, and their ratio, each with its 95 % interval; NaN for none."""

    clock: str
    """`latency`, `service`, `ttft` or `itl`: see core/latency/metrics.py."""
    quantile: float
    value: float
    low: float
    high: float
    baseline: float = math.nan
    ratio: float = math.nan
    ratio_low: float = math.nan
    ratio_high: float = math.nan


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The compared metric that is known least well for its margin, and how its interval narrowed."""

    metric: str
    known: tuple[tuple[int, float], ...]
    """After how many rounds, ascending: half the width of its 95 % interval, as a share."""


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """What one latency check sent and saw: beside its rules, what a person needs to trust its numbers."""

    check: str
    load: str
    """How it was loaded, for people: `open loop, 50/s, Poisson, blocks of 1 s`."""
    requests: int
    """Of the candidate, in the rounds that count."""
    failed: int
    """Of the candidate, in all rounds."""
    rounds: int
    """Carried out."""
    planned: int
    warm: int
    """Rounds cut at the start as warm-up."""
    late: int
    """Rounds left out because the generator was late."""
    look: int
    """1-based: at which of its looks it ended; 0 between them."""
    looks: int
    late_p99_ms: float
    """How much later than due requests were sent: the generator's own error."""
    generator: float
    """Share of its core that the generator used."""
    noise: float
    """By how much (relative) a side's median differs from itself in this many rounds: what no margin can go below."""
    percentiles: tuple[Percentile, ...]
    edges_ms: tuple[float, ...]
    """Of the histogram's bins, ascending; one more than counts."""
    counts: tuple[int, ...]
    before: tuple[int, ...] = ()
    """The baseline's counts, in the same bins; empty without a duet."""
    begun: int = 0
    """Rounds of a first try that the machine disturbed, so that it was started over; 0: there was none."""
    narrowed: Narrowed | None = None
    """What more rounds bought; None where nothing is compared."""
    facts: tuple[tuple[str, str], ...] = ()
    """How the model was started: sandbox, what its probe found, image, seconds. Text of the engine's, not ours."""
    flaw: str = ""
    """Why no time could be judged."""


@dataclass(frozen=True, slots=True)
class Report:
    """The document of one verdict."""

    model: str
    suite: str
    """The suite's digest."""
    evidence: str
    """The evidence's digest."""
    provenance: Provenance
    environments: tuple[Environment, ...]
    checks: tuple[CheckSummary, ...]
    findings: tuple[Finding, ...]
    """Worst first, then in the order of the configuration."""
    measurements: tuple[Measurement, ...]
    """Of the candidate: whole checks and slices, in the order of the configuration."""
    before: tuple[Measurement, ...] = ()
    """Of the baseline, re-scored by today's metric."""
    baseline: BaselineSummary | None = None
    segments: tuple[Segment, ...] = ()
    """Of the comparisons that did not pass, what moved them most."""
    notices: tuple[str, ...] = ()
    """What a person should know and no rule judges."""
    loads: tuple[LoadSummary, ...] = ()
    """Of latency checks that were observed."""
    policy: Policy | None = None
    """Whose rules judged, where they are not this checkout's own."""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict of the findings."""
        return Verdict(self.findings)

    @property
    def questions(self) -> tuple[RuleChange, ...]:
        """Return what makes the verdict one about another question than the base's."""
        return self.policy.questions if self.policy else ()

    @property
    def outcome(self) -> Outcome:
        """Return the verdict's outcome; a pass of another question is a warning."""
        return max(self.verdict.outcome, Outcome.WARNED) if self.questions else self.verdict.outcome

    @property
    def reason(self) -> str:
        """Return the one sentence that says why: the worst finding's, or what asks another question."""
        if not self.findings:
            return "no rule was judged: a gate without rules never passes"
        if self.questions and self.outcome is Outcome.WARNED:
            rest = len(self.questions) - 1
            more = f" (and {rest} more)" if rest else ""
            return f"not the question that the base asks: {self.questions[0].what}{more}"
        first = self.findings[0]
        if self.outcome is Outcome.PASSED:
            rules = len({(finding.check, finding.rule) for finding in self.findings})
            return f"all {rules} rules hold" if rules > 1 else first.why
        place = f"{first.check} [{first.slice}]" if first.slice else first.check
        others = sum(1 for f in self.findings[1:] if f.outcome is first.outcome)
        return f"{place}: {first.why}" + (f" (and {others} more)" if others else "")
