"""Judging times: values against limits by one-sided bounds, and against a baseline that was asked in turn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mlgate.core import latency_rounds
from mlgate.core.check import Bound, Check, Rule
from mlgate.core.comparison import hold_baseline, hold_fact, is_shown_worse, is_within
from mlgate.core.evidence import Evidence
from mlgate.core.latency_metrics import timing
from mlgate.core.limits import hold_bounds, hold_limit
from mlgate.core.metric import ERROR_RATE, Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.alpha_spending import Look
from mlgate.core.stats.block_bootstrap import bounds, log_width, too_few
from mlgate.core.stats.jackknife import Width
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import Fact, Series, shared
from mlgate.core.verdict import SOFTENED, Delta, Finding, Measurement

TAIL_QUANTILE = 0.99
"""From this percentile on, only an interval narrower than the margin passes."""

MOST_UNLIKE = 1.5
"""By so much the pieces of a token, or the tokens of a reply, may differ for times of text to be compared.

Vocabularies four times as large make a sixth fewer tokens of a text; two tokens at a time are half as many pieces.
"""

FACTS_OF_THE_MACHINE = frozenset({"start_s", "load_s"})
"""Facts that are as much the machine's as the model's: of two runs they are no more comparable than times."""

_CONFIDENCE = 0.95
_LONGEST_REASON = 300
"""Characters of a failure's reason that a finding repeats."""


def with_reasons(check: Check, evidence: Evidence, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield *findings*, those about errors with why requests failed.

    A model that ended under load breaks every limit of errors: nobody knows what the requests that were still to come
    would have been, and a model that is gone must not pass because it went late.
    """
    seen = latency_rounds.read(check, evidence.under(check.id))
    findings = _none_before_duration(seen.look, list(findings))
    failures = Counter(reply.failure for block in seen.done.values() for reply in block.replies if reply.failure)
    asked = sum(len(block.replies) for block in seen.done.values())
    for finding in findings:
        if finding.rule.metric != ERROR_RATE.name:
            yield finding
        elif seen.died:
            topic = "max" if finding.outcome is Outcome.PASSED else finding.topic
            outcome = max(finding.outcome, finding.rule.on_breach)
            yield replace(finding, outcome=outcome, topic=topic, why=f"{finding.why}, and {seen.cut_off}")
        elif finding.outcome is not Outcome.PASSED and failures:
            reason, times = min(failures.items(), key=lambda one: (-one[1], one[0]))
            many = "each" if times == failures.total() else f"{times:,} of them"
            said = f"{failures.total():,} of {asked:,} requests failed, {many} with: {reason[:_LONGEST_REASON]}"
            yield replace(finding, why=f"{finding.why}; {said}")
        else:
            yield finding


def _none_before_duration(look: Look, findings: Sequence[Finding]) -> Sequence[Finding]:
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


def is_restless(finding: Finding, baseline: Check, evidence: Evidence) -> bool:
    """Return whether the machine is why nothing is known: the baseline beside itself differs by more than is allowed.

    The candidate has no part in that, so it cannot have its run started over.
    """
    asked, delta = timing(finding.rule.metric), finding.delta
    if finding.topic != "noise" or asked is None or delta is None or not delta.base:
        return False
    past = latency_rounds.read(baseline, evidence.under(baseline.id)).times(asked)
    margin = finding.rule.limit if finding.rule.relative else finding.rule.limit / delta.base
    return noise(past, past, of_both=False) > margin


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
        return _inconclusive(rule, one, None, f"{rule.metric} {one.metric.show(one.value)}: {lacking}", "too-few")
    found = bounds(part, part.look.confidence(rule.confidence))
    return hold_bounds(rule, one, found.low, found.high)


def compare(
    check: Check, rules: Sequence[tuple[Rule, Series | Fact, Series | Fact]], *, across: bool
) -> Iterator[Finding]:
    """Hold each candidate's part against the baseline's, with and without the rounds that were left out on either side.

    *across*: times of another run may block, as was asked for.
    """
    family = sum(1 for _, part, _ in rules if isinstance(part, Series))
    for rule, part, past in rules:
        if isinstance(part, Series) and isinstance(past, Series):
            found = _text_compared(check, rule, part, past, family, across=across)
            if part.whole or past.whole:
                whole = _text_compared(check, rule, part.whole or part, past.whole or past, family, across=across)
                omitted = [part.omitted] * bool(part.omitted)
                omitted += [f"of the baseline's {past.omitted}"] * bool(past.omitted)
                found = _agreeing(found, whole, " and ".join(omitted))
            yield found
        elif isinstance(part, Fact) and isinstance(past, Fact):
            found = hold_fact(rule, measured(check.id, part), measured(check.id, past))
            apart = part.metric.name in FACTS_OF_THE_MACHINE and not (part.duet and part.duet == past.duet)
            yield replace(found, outcome=Outcome.WARNED, topic="stored-baseline") if apart and not across else found
        else:
            why = f"{rule.metric} was measured in unlike ways for candidate and baseline"
            yield Finding(check.id, rule, Outcome.ERRORED, why, "not-measured")


def _text_compared(check: Check, rule: Rule, part: Series, past: Series, family: int, *, across: bool) -> Finding:
    """Compare, and hold what is said of streamed text against how the text came.

    What comes in other pieces, or is another text, is not compared. And no text is faster whose replies took longer: to
    hold text back and then to let go of it quickly makes the time between tokens short.
    """
    found = _compare(check, rule, part, past, family, across=across)
    if part.text is None or past.text is None or found.topic in {"stored-baseline", "signatures"}:
        return found
    for what, after, before in (
        ("tokens a reply", part.text.tokens, past.text.tokens),
        ("pieces a token", part.text.pieces, past.text.pieces),
    ):
        if (
            math.isfinite(after)
            and math.isfinite(before)
            and not 1 / MOST_UNLIKE <= after / (before or math.nan) <= MOST_UNLIKE
        ):
            why = (
                f"{rule.metric} is not comparable: the baseline has {before:.2f} {what}, and the candidate {after:.2f}"
            )
            return replace(found, outcome=rule.when_withheld, topic="pieces", why=why)
    if part.pace is None or past.pace is None or found.outcome is Outcome.FAILED:
        return found
    whole = _compare(check, replace(rule, metric=part.pace.name), part.pace, past.pace, family, across=across)
    if whole.topic != rule.bound.value or whole.outcome is Outcome.PASSED:
        return found
    _, outcome, _ = sorted((found.outcome, whole.outcome, found.rule.when_withheld))
    why = f"{found.why}; but whole replies took longer, as if text had been held back: {whole.why}"
    return replace(found, outcome=outcome, topic="pieces", why=why)


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


def _compare(check: Check, rule: Rule, part: Series, past: Series, family: int, *, across: bool) -> Finding:
    together = bool(part.duet) and part.duet == past.duet
    if not together:
        return _across(check, rule, part, past, family, judged=across)
    part, past = shared(part, past)
    after, before = measured(check.id, part), measured(check.id, past)
    if part.signature != past.signature:
        return hold_baseline(rule, after, before, Delta(0.0, Width(math.nan), Width(math.nan)))
    sure = part.look.confidence(rule.confidence)
    lacking = too_few(part) or too_few(past)
    found = ratio(part, past)
    alone, all_of_them = (Width(found.half(level)) for level in (sure, sure ** (1 / max(1, family))))
    if not lacking and part.quantile < TAIL_QUANTILE and not (alone.finite and all_of_them.finite):
        at = " at this look" if sure > rule.confidence else ""
        lacking = f"{len(part.values):,} requests are too few for an interval that is {100 * sure:.4g}% sure{at}"
    if lacking:
        return _inconclusive(rule, after, before, f"{rule.metric} was not compared: {lacking}", "too-few")
    delta = Delta(
        before.value * math.expm1(found.log),
        alone,
        all_of_them,
        base=before.value,
        rounds=len(part.first),
        error=found.error,
        sure=sure,
        early=part.look.early,
        by_request=found.by_request,
    )
    margin = rule.limit if rule.relative else rule.limit / before.value
    wide = _too_wide(rule, part.metric, delta, margin) if part.quantile >= TAIL_QUANTILE else ""
    drowned = _lost_in_noise(rule, part, past, delta, margin)
    if wide and not (drowned and rule.when_inconclusive is not rule.when_withheld):  # noise is never softened
        return _inconclusive(rule, after, before, wide, "tail", delta)
    if drowned:
        return _inconclusive(rule, after, before, drowned, "noise", delta)
    return hold_baseline(rule, after, before, delta)


def _too_wide(rule: Rule, unit: Metric, delta: Delta, margin: float) -> str:
    """Return why the tail is not known well enough to pass. One that is shown worse is known well enough to fail."""
    if not delta.finite:
        known = "from one side only"
    elif math.expm1(delta.alone.half) < margin or is_shown_worse(unit, delta):
        return ""
    else:
        known = f"to a factor of {math.exp(delta.alone.half):.2f} only"
    return f"{rule.metric} is known {known}, and {rule.limit_text} is narrower: a tail like this needs more requests"


def _lost_in_noise(rule: Rule, part: Series, past: Series, delta: Delta, margin: float) -> str:
    """Return why the difference may be no more than what one model differs from itself by, in this very run.

    What lies within the margin passes, and what moved by more than the noise is judged, whatever the margin. What moved
    by less never fails: so a tighter margin is never milder.
    """
    floor, rounds_of = noise(part, past), f"{len(part.first)} rounds"
    if math.isnan(floor):
        return f"the machine's own noise is not known from {rounds_of}: {rule.limit_text} may be below it"
    if is_within(part.metric, delta, margin * past.corpus()):
        return ""
    itself = f"a model beside itself differs by up to {floor:.1%} here in {rounds_of}"
    moved = delta.value / delta.base
    if abs(moved) > floor:
        return ""
    if floor > margin:
        return f"{rule.limit_text} is below this machine's own noise: {itself}"
    if is_shown_worse(part.metric, delta):
        return f"{rule.metric} moved by {moved:+.1%}, and that may be this machine's own noise: {itself}"
    return ""


def _across(check: Check, rule: Rule, part: Series, past: Series, family: int, *, judged: bool) -> Finding:
    """Compare with times of another run: machines differ by more than any margin, so it tells and never blocks."""
    after, before = measured(check.id, part), measured(check.id, past)
    apart = "the baseline was timed in another run"
    if judged and part.signature == past.signature and not (too_few(part) or too_few(past)):
        sure = part.look.confidence(rule.confidence)
        alone, together = (
            Width(math.hypot(log_width(part, level), log_width(past, level)))
            for level in (sure, sure ** (1 / max(1, family)))
        )
        found = hold_baseline(
            rule, after, before, Delta(after.value - before.value, alone, together, base=before.value)
        )
        return replace(found, why=f"{found.why}; {apart}, and `stored: block` asks for a verdict all the same")
    change = (after.value / before.value - 1) if before.value > 0 else math.nan
    why = (
        f"{rule.metric} {before.metric.show(before.value)} became {after.metric.show(after.value)} ({change:+.1%}), "
        f"for the trend only: {apart}; `baseline: {{from: image}}` compares both on one machine"
    )
    return Finding(check.id, rule, Outcome.WARNED, why, "stored-baseline", "", after, before)


def _inconclusive(  # noqa: PLR0917 - a finding's own parts, in their order
    rule: Rule, after: Measurement, before: Measurement | None, why: str, topic: str, delta: Delta | None = None
) -> Finding:
    outcome = rule.when_inconclusive if topic in SOFTENED else rule.when_withheld
    if topic == "too-few" and _breaks(rule, after, before):
        outcome = rule.when_withheld
    return Finding(after.check, rule, outcome, why, topic, measured=after, baseline=before, delta=delta)


def _breaks(rule: Rule, after: Measurement, before: Measurement | None) -> bool:
    """Return whether what was seen breaks the limit: in a closed loop a slower model is itself why so little was."""
    if before is None:
        return not (after.value >= rule.limit if rule.bound is Bound.MIN else after.value <= rule.limit)
    sign = 1.0 if after.metric.better is Better.HIGHER else -1.0
    margin = rule.limit * abs(before.value) if rule.relative else rule.limit
    return not sign * (after.value - before.value) >= -margin
