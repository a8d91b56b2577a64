"""What was concluded: measurements against rules, rules against the gate. Every comparison fails closed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlgate.core.check import Bound, Rule
from mlgate.core.groups import counted
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome, worst
from mlgate.core.stats.jackknife import ENOUGH_EQUAL, FEWEST_PAIRS, Width

_LOG_MOST = 50.0
"""A factor of e^50 is as good as any: beyond it floats end."""

_FORESEEABLE = 1e6
"""So many times the examples are no advice."""
_FORESEEABLE_ROUNDS = 20.0
"""So many times the rounds of a run are none either: nobody waits for them."""
_EARLY = 4.0
"""An interval that errs so many times less often than the rule asks is told by its own confidence."""

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


def hold_limit(rule: Rule, measured: Measurement) -> Finding:
    """Hold a value against `min` or `max`."""
    if not math.isfinite(measured.value):
        return unmeasured(
            measured.check,
            rule,
            f"{rule.metric} is {measured.metric.show(measured.value)} on {measured.n:,} examples",
            measured.slice,
        )
    kept = measured.value >= rule.limit if rule.bound is Bound.MIN else measured.value <= rule.limit
    shown, limit = _apart(measured.metric, measured.value, rule.limit)
    if kept:
        side = "above" if rule.bound is Bound.MIN else "below"
        side = "at" if measured.value == rule.limit else side
        return Finding(
            measured.check,
            rule,
            Outcome.PASSED,
            f"{rule.metric} {shown} is {side} the {'minimum' if rule.bound is Bound.MIN else 'maximum'} {limit}",
            rule.bound.value,
            measured.slice,
            measured,
        )
    side = "below the minimum" if rule.bound is Bound.MIN else "above the maximum"
    why = f"{rule.metric} {shown} is {side} {limit}"
    return Finding(measured.check, rule, rule.on_breach, why, rule.bound.value, measured.slice, measured)


def hold_bounds(rule: Rule, measured: Measurement, low: float, high: float) -> Finding:
    """Hold a value that is known with doubt against `min` or `max`: *low* and *high* bound it, each at the confidence.

    Passed when the worse bound keeps the limit, failed when even the better one breaks it, else inconclusive.
    """
    unit = measured.metric
    if not math.isfinite(measured.value) or math.isnan(low) or math.isnan(high):
        why = f"{rule.metric} {unit.show(measured.value)} has no finite bounds on {measured.n:,} requests"
        return _inconclusive(rule, measured, why, "too-few")
    least = rule.bound is Bound.MIN
    side = "minimum" if least else "maximum"
    at_best, at_worst = (high, low) if least else (low, high)
    kept, broken = (low >= rule.limit, high < rule.limit) if least else (high <= rule.limit, low > rule.limit)
    sure = f"{rule.confidence * 100:g}%"
    name = f"{rule.metric} {unit.show(measured.value)}"
    if kept:
        word = "at least" if least else "at most"
        why = f"{name}, {word} {unit.show(at_worst)} ({sure} bound), keeps the {side} {rule.limit:g}"
        return Finding(measured.check, rule, Outcome.PASSED, why, rule.bound.value, measured.slice, measured)
    if broken:
        word = "at most" if least else "at least"
        why = f"{name}, {word} {unit.show(at_best)} ({sure} bound), breaks the {side} {rule.limit:g}"
        return Finding(measured.check, rule, rule.on_breach, why, rule.bound.value, measured.slice, measured)
    ends = f"{unit.show(low)} to {unit.show(high)}" if math.isfinite(high) else f"{unit.show(low)} or more"
    why = f"{name} may be {ends}: on both sides of the {side} {rule.limit:g}"
    return _inconclusive(rule, measured, why, "inconclusive")


def _inconclusive(rule: Rule, measured: Measurement, why: str, topic: str) -> Finding:
    outcome = _outcome_of_rule(rule, Outcome.INCONCLUSIVE, topic)
    return Finding(measured.check, rule, outcome, why, topic, measured.slice, measured)


def hold_fact(rule: Rule, measured: Measurement, baseline: Measurement) -> Finding:
    """Hold a number that a run has once against the baseline's: there is no interval, what is more is more."""
    unit = measured.metric
    if not (math.isfinite(measured.value) and math.isfinite(baseline.value)):
        return unmeasured(measured.check, rule, f"{rule.metric} is not a number for the candidate or the baseline")
    if measured.signature != baseline.signature:
        why = f"{rule.metric} is not comparable: {baseline.signature} became {measured.signature}"
        return Finding(measured.check, rule, Outcome.INCONCLUSIVE, why, "signatures", "", measured, baseline)
    margin = rule.limit * abs(baseline.value) if rule.relative else rule.limit
    sign = 1.0 if unit.better is Better.HIGHER else -1.0
    kept = sign * (measured.value - baseline.value) >= -margin
    moved = f"{rule.metric} {unit.show(baseline.value)} became {unit.show(measured.value)}"
    allowed = f"{rule.limit_text} ({unit.show(margin)})" if rule.relative else rule.limit_text
    why = f"{moved}: within {allowed}" if kept else f"{moved}: worse by more than {allowed}"
    outcome = Outcome.PASSED if kept else rule.on_breach
    return Finding(measured.check, rule, outcome, why, rule.bound.value, "", measured, baseline)


def hold_baseline(rule: Rule, measured: Measurement, baseline: Measurement, delta: Delta) -> Finding:
    """Hold the candidate against the baseline: non-inferior, worse, or neither (DESIGN.md 5)."""
    margin = rule.limit * abs(baseline.value) if rule.relative else rule.limit
    outcome, why, topic = _comparison(rule, measured, baseline, delta, margin)
    outcome = _outcome_of_rule(rule, outcome, topic)
    return Finding(measured.check, rule, outcome, why, topic, measured.slice, measured, baseline, delta)


def is_within(unit: Metric, delta: Delta, margin: float) -> bool:
    """Return whether the worse end of the interval loses no more than *margin*, in the metric's unit."""
    sign = 1.0 if unit.better is Better.HIGHER else -1.0
    return min(sign * end for end in delta.ends(delta.alone)) >= -margin


def is_shown_worse(unit: Metric, delta: Delta) -> bool:
    """Return whether the whole interval lies on the worse side of zero, at the family's confidence.

    No margin has a part in it, and the one that failing asks for besides is that the best estimate lies beyond it: so a
    tighter rule, which fewer models pass, never fails fewer of the others.
    """
    sign = 1.0 if unit.better is Better.HIGHER else -1.0
    return max(sign * end for end in delta.ends(delta.family)) < 0


def hold_slice(rule: Rule, measured: Measurement, baseline: Measurement, delta: Delta) -> Finding:
    """Ask of one slice only that it is not shown worse by more than is allowed: small ones cannot show more."""
    margin = rule.limit * abs(baseline.value) if rule.relative else rule.limit
    outcome, why, topic = _comparison(rule, measured, baseline, delta, margin)
    moved = _change_text(rule, measured, baseline, delta)
    if topic == "inconclusive":
        outcome, why = Outcome.PASSED, f"{moved}: not shown worse"
        topic = "slices"
    elif topic == "worse":
        outcome = Outcome.WARNED
        topic = "slices"
        why = f"{moved}: worse; the best estimate is within what is allowed, and the interval is not"
    outcome = _outcome_of_rule(rule, outcome, topic)
    return Finding(measured.check, rule, outcome, why, topic, measured.slice, measured, baseline, delta)


def _outcome_of_rule(rule: Rule, outcome: Outcome, topic: str) -> Outcome:
    """Return what the rule makes of a conclusion: `on_breach` and `on_inconclusive`, each for what it is about."""
    if outcome is Outcome.FAILED:
        return rule.on_breach
    if outcome is Outcome.INCONCLUSIVE and topic in SOFTENED:
        return rule.when_inconclusive
    if outcome is Outcome.INCONCLUSIVE and topic == "worse":
        return rule.when_withheld
    return outcome


def _comparison(  # noqa: PLR0911 - one return a conclusion, in the order in which they exclude each other
    rule: Rule, measured: Measurement, baseline: Measurement, delta: Delta, margin: float
) -> tuple[Outcome, str, str]:
    unit = measured.metric
    if not (math.isfinite(measured.value) and math.isfinite(baseline.value)):
        return Outcome.ERRORED, f"{rule.metric} is not a number for the candidate or the baseline", "not-measured"
    if measured.signature != baseline.signature:
        return (
            Outcome.INCONCLUSIVE,
            f"{rule.metric} is not comparable: {baseline.signature} became {measured.signature}",
            "signatures",
        )
    allowed = f"{rule.limit_text} ({unit.show(margin)})" if rule.relative else rule.limit_text
    if delta.identical:
        return _identical(rule, measured, delta, margin)
    moved = _change_text(rule, measured, baseline, delta)
    if not delta.finite:
        seen = counted(measured.n, measured.groups)
        return Outcome.INCONCLUSIVE, f"{rule.metric} has no finite interval on {seen}", "too-few"
    if measured.units < FEWEST_PAIRS:
        return Outcome.INCONCLUSIVE, _too_few(rule, measured), "too-few"
    sign = 1.0 if unit.better is Better.HIGHER else -1.0
    if is_within(unit, delta, margin):
        if delta.unseen <= margin + sign * delta.value:
            return Outcome.PASSED, f"{moved}: within {allowed}", rule.bound.value
        return (
            Outcome.INCONCLUSIVE,
            f"{moved}: within {allowed}, but {_unseen_text(rule, measured, delta, margin)}",
            "unseen",
        )
    worse = is_shown_worse(unit, delta)
    if worse and _is_beyond(sign, delta, margin):
        return Outcome.FAILED, f"{moved}: worse, and more than {allowed}", rule.bound.value
    why = f"{moved}: {_settle(sign, delta, margin, measured, allowed)}"
    if worse:
        return Outcome.INCONCLUSIVE, why, "worse"
    return Outcome.INCONCLUSIVE, why, "inconclusive"


def _identical(rule: Rule, measured: Measurement, delta: Delta, margin: float) -> tuple[Outcome, str, str]:
    same = (
        f"{rule.metric} {measured.metric.show(measured.value)}: nothing that was observed differs from the baseline's"
    )
    if delta.unseen <= margin:
        return Outcome.PASSED, same, "identical"
    return Outcome.INCONCLUSIVE, f"{same}, but {_unseen_text(rule, measured, delta, margin)}", "unseen"


def _is_beyond(sign: float, delta: Delta, margin: float) -> bool:
    """Return whether more is lost than is allowed: by the best estimate, at an early look by the whole interval."""
    best = max(sign * end for end in delta.ends(delta.family)) if delta.early else sign * delta.value
    return best < -margin


def _change_text(rule: Rule, measured: Measurement, baseline: Measurement, delta: Delta) -> str:
    unit = measured.metric
    by, low, high = (_change(unit, delta, one) for one in (delta.value, *delta.possible(unit)))
    of = "" if measured.groups is None else f", of {counted(measured.n, measured.groups)}"
    each = "the same requests took " if delta.by_request else ""
    early = delta.sure > 0 and _EARLY * (1 - delta.sure) < 1 - rule.confidence
    interval = f"{delta.sure * 100:.4g}% interval at an early look" if early else f"{rule.confidence * 100:g}% interval"
    return (
        f"{rule.metric} {unit.show(baseline.value)} became {unit.show(measured.value)}, "
        f"{each}{by} ({interval} {low} to {high}{of})"
    )


def _change(unit: Metric, delta: Delta, value: float) -> str:
    """Show a difference: in the metric's unit, or of times in percent of the baseline's."""
    if not delta.base or not math.isfinite(value):
        return unit.show(value, signed=True)
    return f"{value / delta.base * 100:+.1f}%".replace("-", "\N{MINUS SIGN}")


def _unseen_text(rule: Rule, measured: Measurement, delta: Delta, margin: float) -> str:
    """Say what so few examples can miss, and how many would do."""
    unit = measured.metric
    sign = 1.0 if unit.better is Better.HIGHER else -1.0
    seen = counted(measured.n, measured.groups)
    cost = f"answers that cost {unit.show(delta.unseen)}" if math.isfinite(delta.unseen) else "a change of any size"
    why = f"{seen} can miss {cost}"
    room = margin + sign * delta.value if not delta.identical else margin
    beside = f"a `{'min' if unit.better is Better.HIGHER else 'max'}` of {rule.metric} beside it"
    if not (room > 0 and delta.unseen / room < _FORESEEABLE):
        return f"{why}; {beside} would settle it"
    needed, what = _enough(measured, delta, room), _noun(measured)
    return f"{why}; about {needed:,} {what} would settle it, or {beside}"


def _enough(measured: Measurement, delta: Delta, room: float) -> int:
    """Return how many examples, or groups, would do for what so few can miss."""
    needed = math.ceil(measured.units * delta.unseen / room)
    if measured.units < ENOUGH_EQUAL:  # from there on half is held, and nothing where all is equal
        needed = ENOUGH_EQUAL if delta.identical else min(needed, max(ENOUGH_EQUAL, math.ceil(needed / 2)))
    return round_up(needed)


def _noun(measured: Measurement) -> str:
    return "examples" if measured.groups is None else "groups"


def _too_few(rule: Rule, measured: Measurement) -> str:
    what = "are" if measured.n != 1 else "is"
    needed = f"{FEWEST_PAIRS}" if measured.groups is None else f"{FEWEST_PAIRS} groups"
    seen = counted(measured.n, measured.groups)
    return f"{seen} {what} too few to compare {rule.metric}: an interval needs {needed}"


def _settle(sign: float, delta: Delta, margin: float, measured: Measurement, allowed: str) -> str:
    """Say how much more would settle it if the difference stays: as a failure beyond the margin, as a pass within."""
    beyond = sign * delta.value < -margin
    growth = delta.growth(delta.family, 0.0, -sign) if beyond else delta.growth(delta.alone, -sign * margin, sign)
    if not beyond and delta.unseen and math.isfinite(delta.unseen) and (room := margin + sign * delta.value) > 0:
        growth = max(growth, _enough(measured, delta, room) / measured.units)
    if is_shown_worse(measured.metric, delta):
        neither = f"worse, which {allowed} allows, and not yet shown to stay within it"
    else:
        neither = f"neither within {allowed} nor shown worse"
    if delta.rounds and growth >= _FORESEEABLE_ROUNDS:
        return (
            f"{neither}; more than {_FORESEEABLE_ROUNDS:g} times the rounds would settle it: widen the margin instead"
        )
    if not 1 <= growth < _FORESEEABLE:
        return neither
    if delta.rounds:
        return f"{neither}; about {round_up(math.floor(delta.rounds * (growth - 1)) + 1):,} more rounds would settle it"
    needed = round_up(math.floor(measured.units * growth) + 1)
    return f"{neither}; about {needed:,} {_noun(measured)} would settle it"


def round_up(n: int) -> int:
    """Two leading digits, upwards: a forecast should not look exact."""
    scale: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // scale) * scale


def _apart(metric: Metric, value: float, limit: float) -> tuple[str, str]:
    """Show two numbers with enough digits that they do not look equal when they are not."""
    shown, bound = metric.show(value), f"{limit:g}"
    if value != limit and float(shown) == float(bound):
        return repr(value), repr(limit)
    return shown, bound
