"""Judging: evidence and rules in, a report out. Pure, happens once, and can be repeated by anyone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mlgate.core.check import Bound, Check, Rule, Suite
from mlgate.core.comparison import hold_baseline, hold_slice
from mlgate.core.errors import Refused
from mlgate.core.evidence import Evidence, Gap
from mlgate.core.groups import counted, groups_of
from mlgate.core.limits import hold_limit
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.ports import Kinds
from mlgate.core.report import BaselineSummary, CheckSummary, Report, Segment
from mlgate.core.secret import notices
from mlgate.core.stats.jackknife import SMALLEST_SLICE, Statistics
from mlgate.core.stats.series import Fact, Series
from mlgate.core.verdict import Finding, Measurement, unmeasured
from mlgate.flow import judge_latency, paired_baseline
from mlgate.flow.influential_examples import segments
from mlgate.flow.load_summary import load_summary
from mlgate.flow.scoring import (
    WHOLE,
    Chosen,
    Incomplete,
    Pair,
    Scored,
    Slice,
    delta,
    family_confidence,
    identical,
    measure,
    pair,
    score,
    slices,
)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the candidate is held against, or why there is nothing to hold it against."""

    source: str
    evidence: Evidence | None = None
    why: str = ""
    """When there is no evidence: the reason, with the next step."""
    damaged: bool = False
    """There is one, and it cannot be read."""
    first: bool = False
    """This run is to become the first baseline: where none was ever accepted, comparisons warn."""
    bootstrap: bool = False
    """A person said that there is nothing to compare with: comparisons warn whatever the reason."""


@dataclass(frozen=True, slots=True)
class _Judged:
    findings: tuple[Finding, ...]
    measurements: tuple[Measurement, ...] = ()
    before: tuple[Measurement, ...] = ()
    segments: tuple[Segment, ...] = ()


def judge(suite: Suite, kinds: Kinds, evidence: Evidence, baseline: Baseline | None) -> Report:
    """Score the evidence, hold it against every rule, and conclude. Refuses rows that the suite did not plan."""
    _refuse_strangers(suite, evidence)
    baseline = _beside(suite, evidence, baseline)
    checks = paired_baseline.asked(suite)
    judged = [_judge_check(check, kinds, evidence, baseline) for check in checks]
    findings = sorted(
        (_with_note(finding) for one in judged for finding in one.findings), key=lambda finding: -int(finding.outcome)
    )
    return Report(
        model=suite.model,
        suite=suite.digest,
        evidence=evidence.digest,
        provenance=evidence.provenance,
        environments=tuple(sorted(evidence.environments)),
        checks=tuple(_summary(check, evidence) for check in checks),
        findings=tuple(findings),
        measurements=tuple(m for one in judged for m in one.measurements),
        before=tuple(m for one in judged for m in one.before),
        baseline=_baseline_summary(baseline),
        segments=tuple(s for one in judged for s in one.segments),
        notices=(
            *(f"{check.id}: {notice}" for check in checks for notice in (*_group_notice(check), *check.notices)),
            *(notice for check in checks for notice in notices(check.id, evidence.under(check.id).values())),
        ),
        loads=tuple(
            load_summary(check, evidence, baseline.evidence if baseline else None) for check in checks if check.rounds
        ),
    )


def _with_note(finding: Finding) -> Finding:
    """Return the finding with what its rule says of itself."""
    return replace(finding, why=f"{finding.why} ({finding.rule.note})") if finding.rule.note else finding


def _beside(suite: Suite, evidence: Evidence, baseline: Baseline | None) -> Baseline | None:
    """Return the baseline; one that was observed in the same run is part of the same evidence."""
    found = paired_baseline.evidence_of(suite, evidence)
    if found is None or baseline is None:
        return baseline
    return replace(baseline, evidence=found)


def _refuse_strangers(suite: Suite, evidence: Evidence) -> None:
    planned, known = suite.planned, {check.id for check in suite.checks}
    strangers = sorted(
        key for key, row in evidence.rows.items() if key not in planned and key[0] in known and not isinstance(row, Gap)
    )
    if strangers and evidence.provenance.suite == suite.digest:
        names = ", ".join(f"{check}/{example}" for check, example in strangers[:3])
        raise Refused(
            f"the evidence has {len(strangers):,} rows that nobody planned ({names})",
            hint="a test recorded an example that is not in the check's data, or rows were added by hand",
        )


def _summary(check: Check, evidence: Evidence) -> CheckSummary:
    rows = evidence.under(check.id)
    found = [rows[name] for name in check.rows if name in rows]
    gaps = sum(1 for row in found if isinstance(row, Gap))
    return CheckSummary(check.id, check.kind, len(check.rows), len(found) - gaps, gaps)


def _group_notice(check: Check) -> Iterator[str]:
    groups = groups_of(check.examples)
    if groups is not None:
        yield f"{counted(len(groups), int(groups.max()) + 1)}: intervals count each group once"


def _baseline_summary(baseline: Baseline | None) -> BaselineSummary | None:
    if baseline is None or baseline.evidence is None:
        return None
    known = baseline.evidence.provenance
    return BaselineSummary(baseline.source, known.commit, known.model, baseline.evidence.digest)


def _judge_check(check: Check, kinds: Kinds, evidence: Evidence, baseline: Baseline | None) -> _Judged:
    kind = kinds[check.kind]
    scored = score(check, kind, evidence)
    if isinstance(scored, Incomplete):
        return _Judged(tuple(unmeasured(check.id, rule, scored.why, rule.slice_by) for rule in check.rules))
    before = _score_baseline(check, kinds, baseline)
    parts = slices(check)
    where: dict[str, Chosen | None] = {WHOLE: None, **{part.name: part.chosen for part in parts}}
    findings = (
        *_limits(check, scored, parts),
        *_comparisons(check, scored, before, baseline, parts),
    )
    findings += tuple(_findings_of_unheld_rules(check, findings))
    if check.rounds:
        findings = tuple(judge_latency.with_reasons(check, evidence, findings))
    bad = [finding for finding in findings if finding.outcome is not Outcome.PASSED and not finding.slice]
    return _Judged(
        tuple(findings),
        tuple(_measurements(check, scored, where)),
        tuple(_measurements(check, before, where)) if isinstance(before, Scored) else (),
        tuple(segments(check, kind, scored, before if isinstance(before, Scored) else None, bad)),
    )


def _measurements(check: Check, scored: Scored, where: Mapping[str, Chosen | None]) -> Iterator[Measurement]:
    for name, chosen in where.items():
        for part in scored.parts.values():
            if isinstance(part, Statistics):
                yield measure(check, part, chosen, name)
            else:
                yield judge_latency.measured(check.id, part)


def _findings_of_unheld_rules(check: Check, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield a finding for each rule that has none: a rule that nothing was held against must not look kept."""
    held = {id(finding.rule) for finding in findings}
    for rule in check.rules:
        if id(rule) not in held:
            yield unmeasured(check.id, rule, f"no example has a value of {rule.slice_by or 'it'}", rule.slice_by)


def _score_baseline(check: Check, kinds: Kinds, baseline: Baseline | None) -> Scored | Incomplete:
    if baseline is None:
        return Incomplete("no baseline is configured")
    if baseline.evidence is None:
        return Incomplete(baseline.why)
    scored = score(check, kinds[check.kind], baseline.evidence)
    return Incomplete(f"the baseline cannot be compared: {scored.why}") if isinstance(scored, Incomplete) else scored


def _limits(check: Check, scored: Scored, parts: Sequence[Slice]) -> Iterator[Finding]:
    for rule in check.rules:
        if rule.bound.compares:
            continue
        for place in _places(rule, parts):
            part, name = scored.parts.get(rule.metric), place.name if place else WHOLE
            if part is None:
                yield unmeasured(check.id, rule, _why_not(rule, scored), name)
            elif isinstance(part, Statistics):
                yield hold_limit(rule, measure(check, part, place.chosen if place else None, name))
            else:
                yield judge_latency.hold(check, rule, part)


def _places(rule: Rule, parts: Sequence[Slice]) -> Iterable[Slice | None]:
    """Return where a rule holds: None, the whole check, or each value of its slice field."""
    return [part for part in parts if part.field == rule.slice_by] if rule.slice_by else (None,)


def _why_not(rule: Rule, scored: Scored) -> str:
    return scored.unscored.get(rule.metric, f"{rule.metric} was never measured")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One comparison that is asked: a rule at one place. Implied: a slice that no rule names."""

    rule: Rule
    place: Slice | None
    """None: the whole check."""
    pair: Pair
    implied: bool

    def family(self, check: Check) -> tuple[bool, bool]:
        """Return what it is asked together with: wholes or slices, of the base's rules or of what a change adds.

        Each comparison more makes all of its family harder to fail: a change must not have that of its base's rules.
        """
        return self.place is not None, self.rule.added or (
            self.place is not None and self.place.field in check.added_slices
        )


def _comparisons(
    check: Check, scored: Scored, before: Scored | Incomplete, baseline: Baseline | None, parts: Sequence[Slice]
) -> Iterator[Finding]:
    rules = [rule for rule in check.rules if rule.bound.compares]
    if isinstance(before, Incomplete):
        for rule in rules:
            yield _no_baseline(check, rule, scored, before, baseline)
        return
    asked, timed = [], []
    for rule in rules:
        after, past = scored.parts.get(rule.metric), before.parts.get(rule.metric)
        if after is None or past is None:
            yield unmeasured(check.id, rule, _why_not(rule, scored if after is None else before), rule.slice_by)
        elif isinstance(after, Series | Fact) and isinstance(past, Series | Fact):
            timed.append((rule, after, past))
        elif not isinstance(after, Statistics) or not isinstance(past, Statistics):
            yield unmeasured(check.id, rule, f"{rule.metric} has limits only: it is not compared with a baseline")
        elif after.rows.shape != past.rows.shape:
            yield unmeasured(check.id, rule, f"{rule.metric}'s statistics differ in shape from the baseline's")
        else:
            asked += [
                _Asked(rule, place, _pair(after, past, place), implied) for place, implied in _asked_places(rule, parts)
            ]
    for family in itertools.product((False, True), repeat=2):
        yield from _hold_family(check, scored, before, [one for one in asked if one.family(check) == family])
    for added in (False, True):
        of_one = [one for one in timed if one[0].added is added]
        yield from judge_latency.compare(check, of_one, across=check.params.get("stored") == "block")


def _pair(after: Statistics, past: Statistics, place: Slice | None) -> Pair:
    return pair(after, past, place.chosen, place.name) if place else pair(after, past)


def _asked_places(rule: Rule, parts: Sequence[Slice]) -> Iterator[tuple[Slice | None, bool]]:
    """Yield where a comparing rule is asked, and whether only by implication: each slice that is large enough."""
    if rule.slice_by:
        yield from ((place, False) for place in _places(rule, parts))
        return
    yield None, False
    yield from ((part, True) for part in parts if part.groups >= SMALLEST_SLICE)


def _no_baseline(check: Check, rule: Rule, scored: Scored, before: Incomplete, baseline: Baseline | None) -> Finding:
    """Conclude that there is nothing to compare with. `on_inconclusive` cannot soften it: nothing was compared."""
    part = scored.parts.get(rule.metric)
    if part is None:
        return unmeasured(check.id, rule, _why_not(rule, scored), rule.slice_by)
    value = part.value if isinstance(part, Fact) else part.corpus()
    never = baseline is None or (baseline.evidence is None and not baseline.damaged)
    outcome = Outcome.INCONCLUSIVE
    if baseline is not None and (baseline.bootstrap or (baseline.first and never)):
        outcome = Outcome.WARNED
    why = f"{rule.metric} {part.metric.show(value)} was compared with nothing: {before.why}"
    topic = "no-baseline" if never else "unusable-baseline"
    return Finding(check.id, rule, outcome, why, topic, rule.slice_by)


def _hold_family(check: Check, scored: Scored, before: Scored, family: Sequence[_Asked]) -> Iterator[Finding]:
    families = {
        confidence: family_confidence([one.pair for one in family], confidence)
        for confidence in {_sure(one) for one in family}
    }
    for one in family:
        chosen, name = (one.place.chosen, one.place.name) if one.place else (None, WHOLE)
        same = identical(scored, before, check, one.pair)
        after = measure(check, one.pair.candidate, chosen, name)
        past = measure(check, one.pair.baseline, chosen, name)
        guarded = one.implied or _is_guarded(check, one.rule, past)
        moved = delta(one.pair, _sure(one), families[_sure(one)], identical=same, guarded=guarded)
        yield (hold_slice if one.implied else hold_baseline)(one.rule, after, past, moved)


def _is_guarded(check: Check, rule: Rule, past: Measurement) -> bool:
    """Return whether a limit that blocks holds the value of the same examples itself. A change cannot bring it.

    It must be one that a broken model can break.
    """
    wanted = Bound.MIN if rule.bound is Bound.MAX_DROP else Bound.MAX
    return any(
        (one.metric, one.slice_by, one.bound) == (rule.metric, rule.slice_by, wanted)
        and one.on_breach is Outcome.FAILED
        and (rule.added or not one.added)
        and _can_break(past.metric, one.limit if one.base_limit is None else one.base_limit)
        for one in check.rules
    )


def _can_break(metric: Metric, limit: float) -> bool:
    """Return whether a limit is better than the worst value that the metric has."""
    if not metric.span:
        return True  # nobody knows what the worst is
    return limit > 0 if metric.better is Better.HIGHER else limit < metric.span


def _sure(one: _Asked) -> float:
    """Return the confidence of a comparison that is looked at more than once: each look asks for more."""
    return one.pair.candidate.look.confidence(one.rule.confidence)
