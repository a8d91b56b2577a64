"""Judging times: values against limits by one-sided bounds, and against a baseline that was asked in turn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mlgate.core.check import Bound, Check, Rule
from mlgate.core.comparison import hold_baseline, hold_fact
from mlgate.core.latency.metrics import STARTING
from mlgate.core.limits import hold_bounds, hold_limit
from mlgate.core.outcome import Outcome
from mlgate.core.stats.alpha_spending import Look
from mlgate.core.stats.block_bootstrap import bounds, log_width, too_few
from mlgate.core.stats.jackknife import Width
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import Fact, Series, shared
from mlgate.core.verdict import SOFTENED, Delta, Finding, Measurement
from mlgate.flow.latency_noise import TAIL_QUANTILE, lost_in_noise, too_wide

MOST_UNLIKE = 1.5
"""By so much the pieces of a token, or the tokens of a reply, may differ for times of text to be compared.

Vocabularies four times as large make a sixth fewer tokens of a text; two tokens at a time are half as many pieces.
"""

_CONFIDENCE = 0.95


def measured(check: str, part: Series | Fact) -> Measurement:
    """Return a value with its 95 % interval."""
    if isinstance(part, Fact):
        return Measurement(check, part.name, part.metric, part.value, 1, math.nan, math.nan, part.signature)
    value, half = part.corpus(), log_width(part, _CONFIDENCE)
    low, high = value * math.exp(-half), value * math.exp(half)
    return Measurement(check, part.name, part.metric, value, len(part.values), low, high, part.signature)


def hold(check: Check, rule: Rule, part: Series | Fact) -> Finding:
    """Hold a value against `min` or `max`, with and without the rounds that were left out."""
    found = _hold_limit(check, rule, part)
    return _agreeing(found, _hold_limit(check, rule, part.whole), part.omitted) if part.whole else found


def _hold_limit(check: Check, rule: Rule, part: Series | Fact) -> Finding:
    one = measured(check.id, part)
    if isinstance(part, Fact):
        return hold_limit(rule, one)
    lacking = too_few(part)
    if lacking:
        return _inconclusive(rule, f"{rule.metric} {one.metric.show(one.value)}: {lacking}", "too-few", after=one)
    found = bounds(part, part.look.confidence(rule.confidence))
    return hold_bounds(rule, one, found.low, found.high)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One comparison of times that is asked: a rule, and both sides' values."""

    check: str
    rule: Rule
    part: Series
    past: Series
    family: int
    """How many are asked at once."""
    across: bool
    """Times of another run may block, as was asked for."""

    @property
    def in_turn(self) -> bool:
        """Return whether both sides were asked in turn, in one run."""
        return bool(self.part.duet) and self.part.duet == self.past.duet

    @property
    def confidences(self) -> tuple[float, float]:
        """Return how sure an interval must be: by itself, and so that all that are asked at once hold together."""
        sure = self.part.look.confidence(self.rule.confidence)
        return sure, sure ** (1 / max(1, self.family))

    @property
    def omitted(self) -> str:
        """Return which rounds were left out, on either side; empty for none."""
        past = f"of the baseline's {self.past.omitted}" if self.past.omitted else ""
        return " and ".join(filter(None, (self.part.omitted, past)))

    def whole(self) -> _Asked:
        """Return the same with the rounds that were left out."""
        return replace(self, part=self.part.whole or self.part, past=self.past.whole or self.past)


def compare(
    check: Check, rules: Sequence[tuple[Rule, Series | Fact, Series | Fact]], *, across: bool
) -> Iterator[Finding]:
    """Hold each candidate's part against the baseline's, with and without the rounds that were left out on either side.

    *across*: times of another run may block, as was asked for.
    """
    family = sum(1 for _, part, _ in rules if isinstance(part, Series))
    for rule, part, past in rules:
        if isinstance(part, Series) and isinstance(past, Series):
            one = _Asked(check.id, rule, part, past, family, across)
            found = _hold_text(one)
            yield _agreeing(found, _hold_text(one.whole()), one.omitted) if part.whole or past.whole else found
        elif isinstance(part, Fact) and isinstance(past, Fact):
            found = hold_fact(rule, measured(check.id, part), measured(check.id, past))
            apart = part.metric.name in STARTING and not (part.duet and part.duet == past.duet)
            yield replace(found, outcome=Outcome.WARNED, topic="stored-baseline") if apart and not across else found
        else:
            why = f"{rule.metric} was measured in unlike ways for candidate and baseline"
            yield Finding(check.id, rule, Outcome.ERRORED, why, "not-measured")


def _hold_text(one: _Asked) -> Finding:
    """Compare, and hold what is said of streamed text against how the text came.

    What comes in other pieces, or is another text, is not compared. And no text is faster whose replies took longer: to
    hold text back and then to let go of it quickly makes the time between tokens short.
    """
    found, rule, pace, past = _hold(one), one.rule, one.part.pace, one.past.pace
    if found.topic in {"stored-baseline", "signatures"}:
        return found
    if unlike := _unlike_text(one):
        return replace(found, outcome=rule.when_withheld, topic="pieces", why=unlike)
    if pace is None or past is None or found.outcome is Outcome.FAILED:
        return found
    whole = _hold(replace(one, rule=replace(rule, metric=pace.name), part=pace, past=past))
    if whole.topic != rule.bound.value or whole.outcome is Outcome.PASSED:
        return found
    _, outcome, _ = sorted((found.outcome, whole.outcome, rule.when_withheld))
    why = f"{found.why}; but whole replies took longer, as if text had been held back: {whole.why}"
    return replace(found, outcome=outcome, topic="pieces", why=why)


def _unlike_text(one: _Asked) -> str:
    """Return why the two sides' text cannot be compared; empty where it can, and for times that are not of text."""
    text, past = one.part.text, one.past.text
    if text is None or past is None:
        return ""
    both = (("tokens a reply", text.tokens, past.tokens), ("pieces a token", text.pieces, past.pieces))
    for what, after, before in both:
        known = math.isfinite(after) and math.isfinite(before)
        if known and not 1 / MOST_UNLIKE <= after / (before or math.nan) <= MOST_UNLIKE:
            has = f"the baseline has {before:.2f} {what}, and the candidate {after:.2f}"
            return f"{one.rule.metric} is not comparable: {has}"
    return ""


def _hold(one: _Asked) -> Finding:
    if not one.in_turn:
        return _hold_across(one)
    rule, (part, past) = one.rule, shared(one.part, one.past)
    after, before = measured(one.check, part), measured(one.check, past)
    if part.signature != past.signature:
        return hold_baseline(rule, after, before, Delta(0.0, Width(math.nan), Width(math.nan)))
    found, (sure, _) = ratio(part, past), one.confidences
    alone, family = (Width(found.half(level)) for level in one.confidences)
    lacking = too_few(part) or too_few(past)
    if not lacking and part.quantile < TAIL_QUANTILE and not (alone.finite and family.finite):
        at = " at this look" if sure > rule.confidence else ""
        lacking = f"{len(part.values):,} requests are too few for an interval that is {100 * sure:.4g}% sure{at}"
    if lacking:
        why = f"{rule.metric} was not compared: {lacking}"
        return _inconclusive(rule, why, "too-few", after=after, before=before)
    delta = Delta(
        before.value * math.expm1(found.log),
        alone,
        family,
        base=before.value,
        rounds=len(part.first),
        error=found.error,
        sure=sure,
        early=part.look.early,
        by_request=found.by_request,
    )
    wide, drowned = too_wide(rule, part, delta), lost_in_noise(rule, part, past, delta)
    if wide and not (drowned and rule.when_inconclusive is not rule.when_withheld):  # noise is never softened
        return _inconclusive(rule, wide, "tail", after=after, before=before, delta=delta)
    if drowned:
        return _inconclusive(rule, drowned, "noise", after=after, before=before, delta=delta)
    return hold_baseline(rule, after, before, delta)


def _hold_across(one: _Asked) -> Finding:
    """Compare with times of another run: machines differ by more than any margin, so it tells and never blocks."""
    rule, part, past = one.rule, one.part, one.past
    after, before = measured(one.check, part), measured(one.check, past)
    apart = "the baseline was timed in another run"
    if one.across and part.signature == past.signature and not (too_few(part) or too_few(past)):
        alone, family = (Width(math.hypot(log_width(part, level), log_width(past, level))) for level in one.confidences)
        delta = Delta(after.value - before.value, alone, family, base=before.value)
        found = hold_baseline(rule, after, before, delta)
        return replace(found, why=f"{found.why}; {apart}, and `stored: block` asks for a verdict all the same")
    change = (after.value / before.value - 1) if before.value > 0 else math.nan
    why = (
        f"{rule.metric} {before.metric.show(before.value)} became {after.metric.show(after.value)} ({change:+.1%}), "
        f"for the trend only: {apart}; `baseline: {{from: image}}` compares both on one machine"
    )
    return Finding(one.check, rule, Outcome.WARNED, why, "stored-baseline", "", after, before)


def _agreeing(found: Finding, whole: Finding, omitted: str) -> Finding:
    """Return what holds with and without the rounds that were left out.

    What they were left out for can be the model's doing, so leaving them out must not make a pass of a block. Where the
    two disagree nothing is shown, whatever the rule's `on_…` say. The median keeps a verdict monotone in its limit.
    """
    settled = found.rule.bound.value
    if found.outcome is whole.outcome and (found.topic == settled) == (whole.topic == settled):
        return found
    _, outcome, _ = sorted((found.outcome, whole.outcome, found.rule.when_withheld))
    why = f"it depends on {omitted} that were left out; without them: {found.why}; with them: {whole.why}"
    return replace(found, outcome=outcome, topic="left-out", why=why)


def _inconclusive(
    rule: Rule,
    why: str,
    topic: str,
    *,
    after: Measurement,
    before: Measurement | None = None,
    delta: Delta | None = None,
) -> Finding:
    outcome = rule.when_inconclusive if topic in SOFTENED else rule.when_withheld
    if topic == "too-few" and _breaks(rule, after, before):
        outcome = rule.when_withheld
    return Finding(after.check, rule, outcome, why, topic, measured=after, baseline=before, delta=delta)


def _breaks(rule: Rule, after: Measurement, before: Measurement | None) -> bool:
    """Return whether what was seen breaks the limit: in a closed loop a slower model is itself why so little was."""
    if before is None:
        return not (after.value >= rule.limit if rule.bound is Bound.MIN else after.value <= rule.limit)
    return not after.metric.sign * (after.value - before.value) >= -rule.margin(before.value)


def none_before_duration(look: Look, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return findings of which none passes before the time is over that the file asks for at least.

    What a model does after half of it would go unseen. A run that fails early is over, and its other rules stand as
    they are.
    """
    if not look.early or any(finding.outcome is Outcome.FAILED for finding in findings):
        return findings
    why = f"it was looked at after {look.places[look.number - 1]} rounds, and passes after {look.whole} at the earliest"
    return [
        replace(finding, outcome=finding.rule.when_withheld, topic="early", why=f"{finding.why}; {why}")
        if finding.outcome is Outcome.PASSED
        else finding
        for finding in findings
    ]
