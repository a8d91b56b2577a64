"""Judging: evidence and rules in, a report out. Pure, happens once, and can be repeated by anyone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mlgate.core import secret
from mlgate.core.check import Check, Suite
from mlgate.core.errors import Refused
from mlgate.core.evidence import Evidence, Gap
from mlgate.core.groups import counted, groups_of
from mlgate.core.limits import hold_limit
from mlgate.core.outcome import Outcome
from mlgate.core.ports import Kind, Kinds, Reading
from mlgate.core.report import BaselineSummary, CheckSummary, Report, Segment
from mlgate.core.stats.jackknife import Statistics
from mlgate.core.stats.series import Fact
from mlgate.core.verdict import Finding, Measurement, unmeasured
from mlgate.flow import answer_notices, judge_baseline, judge_latency, latency_failures, paired_baseline
from mlgate.flow.fitting import Fit, Unfit, Use, fit
from mlgate.flow.influential_examples import segments
from mlgate.flow.load_summary import load_summary
from mlgate.flow.scoring import WHOLE, Incomplete, Scored, Slice, measure, places, score, slices, within, without

_SLICES_NAMED = 5


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
    use: Use = Use.SAME
    """What is compared where the data moved since."""


@dataclass(frozen=True, slots=True)
class JudgedCheck:
    """What was made of one check."""

    check: Check
    reading: Reading
    """Of the candidate's rows."""
    past: Reading | None
    """Of the baseline's; None where there is no evidence of one."""
    findings: tuple[Finding, ...]
    measurements: tuple[Measurement, ...] = ()
    before: tuple[Measurement, ...] = ()
    segments: tuple[Segment, ...] = ()
    notices: tuple[str, ...] = ()
    """How the data moved since, where what was observed is used nevertheless."""


def judge(suite: Suite, kinds: Kinds, evidence: Evidence, baseline: Baseline | None, use: Use = Use.SAME) -> Report:
    """Score the evidence, hold it against every rule, and conclude. Refuses rows that the suite did not plan.

    *use*: whether evidence of data that moved is scored again; a run that has just observed has no other than today's.
    """
    _refuse_strangers(suite, evidence)
    baseline = beside(suite, evidence, baseline)
    judged = [judge_check(check, kinds, evidence, baseline, use) for check in paired_baseline.asked(suite)]
    findings = sorted(
        (_with_note(finding) for one in judged for finding in one.findings), key=lambda finding: -int(finding.outcome)
    )
    return Report(
        model=suite.model,
        suite=suite.digest,
        evidence=evidence.digest,
        provenance=evidence.provenance,
        environments=tuple(sorted(evidence.environments)),
        checks=tuple(_summary(one) for one in judged),
        findings=tuple(findings),
        measurements=tuple(m for one in judged for m in one.measurements),
        before=tuple(m for one in judged for m in one.before),
        baseline=_baseline_summary(baseline),
        segments=tuple(s for one in judged for s in one.segments),
        notices=(
            *(f"{one.check.id}: {notice}" for one in judged for notice in (*one.notices, *_check_notices(one.check))),
            *(
                f"{one.check.id}: {notice}"
                for one in judged
                for notice in answer_notices.notices(one.check, one.reading.rows)
            ),
            *(notice for one in judged for notice in secret.notices(one.check.id, one.reading.rows.values())),
        ),
        loads=tuple(load_summary(one.check, one.reading, one.past) for one in judged if one.check.rounds),
    )


def beside(suite: Suite, evidence: Evidence, baseline: Baseline | None) -> Baseline | None:
    """Return the baseline; one that was observed in the same run is part of the same evidence."""
    found = paired_baseline.evidence_of(suite, evidence)
    if found is None or baseline is None:
        return baseline
    return replace(baseline, evidence=found)


def judge_check(
    check: Check, kinds: Kinds, evidence: Evidence, baseline: Baseline | None, use: Use = Use.SAME
) -> JudgedCheck:
    """Read both sides of one check, score them, and hold the scores against its rules."""
    kind = kinds[check.kind]
    ours, theirs = fit(check, evidence, use), _fit_of_baseline(check, baseline)
    reading = kind.read(check, ours.rows if isinstance(ours, Fit) else evidence.under(check.id))
    past = kind.read(check, theirs.rows) if isinstance(theirs, Fit) else None
    scored = score(check, kind, ours, reading) if isinstance(ours, Fit) else Incomplete(ours.why)
    if isinstance(scored, Incomplete):
        why = (unmeasured(check.id, rule, scored.why, rule.slice_by) for rule in check.rules)
        return JudgedCheck(check, reading, past, tuple(why))
    before, parts = _score_baseline(check, kind, baseline, theirs, past), slices(check)
    if isinstance(before, Scored):
        opened = Outcome.WARNED if baseline is not None and baseline.bootstrap else Outcome.INCONCLUSIVE
        compared = judge_baseline.compare(check, scored, before, parts, opened)
        compared = judge_baseline.withheld(check, before, compared, opened)
    else:
        compared = _compared_with_nothing(check, scored, before.why, baseline)
    findings, measured = (*_limits(check, scored, parts), *compared), tuple(_measurements(check, scored, parts))
    findings += tuple(_findings_of_unheld_rules(check, findings))
    if reading.rounds:
        findings = tuple(judge_latency.none_before_duration(reading.rounds.look, findings))
        findings = tuple(latency_failures.with_reasons(reading.rounds, findings))
    bad = [finding for finding in findings if finding.outcome is not Outcome.PASSED and not finding.slice]
    return JudgedCheck(
        check,
        reading,
        past,
        findings,
        measured,
        tuple(_measurements_before(check, before, measured, parts)) if isinstance(before, Scored) else (),
        tuple(segments(check, kind, scored, before if isinstance(before, Scored) else None, bad)),
        tuple(_how_data_moved(check, ours, theirs if isinstance(before, Scored) else None, parts)),
    )


def _fit_of_baseline(check: Check, baseline: Baseline | None) -> Fit | Unfit | None:
    return fit(check, baseline.evidence, baseline.use) if baseline and baseline.evidence else None


def _score_baseline(
    check: Check, kind: Kind, baseline: Baseline | None, found: Fit | Unfit | None, past: Reading | None
) -> Scored | Incomplete:
    if baseline is None:
        return Incomplete("no baseline is configured")
    if found is None:
        return Incomplete(baseline.why)
    scored: Scored | Incomplete
    if isinstance(found, Fit) and past is not None:
        scored = score(check, kind, found, past)
    else:
        scored = Incomplete(found.why if isinstance(found, Unfit) else baseline.why)
    if isinstance(scored, Scored):
        return scored
    moved = found.moved if isinstance(found, Unfit) else None
    way_out = f"; `compare: common` under baseline compares the {moved.common:,} that both were asked" if moved else ""
    return Incomplete(f"the baseline cannot be compared: {scored.why}{way_out}")


def _how_data_moved(
    check: Check, ours: Fit | Unfit, theirs: Fit | Unfit | None, parts: Sequence[Slice]
) -> Iterator[str]:
    if isinstance(ours, Fit) and ours.moved:
        yield f"the data moved since it was observed: {ours.moved}; the answers are scored by today's references"
    if isinstance(theirs, Fit) and theirs.moved and any(rule.bound.compares for rule in check.rules):
        many = f"{theirs.moved.common:,} of {len(check.examples):,} examples"
        yield f"compared on {many}, which the baseline was asked, too: {theirs.moved}"
        if theirs.common is not None:
            rest = without(parts, check, theirs.common)
            names = ", ".join(part.name for part in rest[:_SLICES_NAMED]) + (", …" if rest[_SLICES_NAMED:] else "")
            nothing = f"; nothing is compared in {names}" if rest else ""
            yield f"the candidate's own values are of all {len(check.examples):,} examples{nothing}"


def _measurements_before(
    check: Check, before: Scored, measured: Sequence[Measurement], parts: Sequence[Slice]
) -> Iterator[Measurement]:
    """Yield the baseline's measurements; where only some examples count, those that the candidate's are of, too.

    A report subtracts the one from the other.
    """
    sizes = {(one.name, one.slice): one.n for one in measured}
    for one in _measurements(check, before, parts):
        if before.common is None or sizes.get((one.name, one.slice)) == one.n:
            yield one


def _limits(check: Check, scored: Scored, parts: Sequence[Slice]) -> Iterator[Finding]:
    for rule in check.rules:
        if rule.bound.compares:
            continue
        for place in places(rule, parts):
            part, name = scored.parts.get(rule.metric), place.name if place else WHOLE
            if part is None:
                yield unmeasured(check.id, rule, scored.why_not(rule.metric), name)
            elif isinstance(part, Statistics):
                yield hold_limit(rule, measure(check, part, place.chosen if place else None, name))
            else:
                yield judge_latency.hold(check, rule, part)


def _compared_with_nothing(check: Check, scored: Scored, why: str, baseline: Baseline | None) -> Iterator[Finding]:
    """Yield a finding of each comparing rule. `on_inconclusive` cannot soften it: nothing was compared."""
    never = baseline is None or (baseline.evidence is None and not baseline.damaged)
    topic = "no-baseline" if never else "unusable-baseline"
    outcome = Outcome.INCONCLUSIVE
    if baseline is not None and (baseline.bootstrap or (baseline.first and never)):
        outcome = Outcome.WARNED
    for rule in check.rules:
        part = scored.parts.get(rule.metric)
        if not rule.bound.compares:
            continue
        if part is None:
            yield unmeasured(check.id, rule, scored.why_not(rule.metric), rule.slice_by)
            continue
        value = part.value if isinstance(part, Fact) else part.corpus()
        told = f"{rule.metric} {part.metric.show(value)} was compared with nothing: {why}"
        yield Finding(check.id, rule, outcome, told, topic, rule.slice_by)


def _findings_of_unheld_rules(check: Check, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield a finding for each rule that has none: a rule that nothing was held against must not look kept."""
    held = {id(finding.rule) for finding in findings}
    for rule in check.rules:
        if id(rule) not in held:
            yield unmeasured(check.id, rule, f"no example has a value of {rule.slice_by or 'it'}", rule.slice_by)


def _measurements(check: Check, scored: Scored, parts: Sequence[Slice]) -> Iterator[Measurement]:
    parts = parts if scored.common is None else within(parts, check, scored.common)
    for name, chosen in ((WHOLE, None), *((part.name, part.chosen) for part in parts)):
        for part in scored.parts.values():
            if isinstance(part, Statistics):
                yield measure(check, part, chosen, name)
            else:
                yield judge_latency.measured(check.id, part)


def _with_note(finding: Finding) -> Finding:
    """Return the finding with what its rule says of itself."""
    return replace(finding, why=f"{finding.why} ({finding.rule.note})") if finding.rule.note else finding


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


def _summary(one: JudgedCheck) -> CheckSummary:
    check, rows = one.check, one.reading.rows
    found = [rows[name] for name in check.rows if name in rows]
    gaps = sum(1 for row in found if isinstance(row, Gap))
    return CheckSummary(check.id, check.kind, len(check.rows), len(found) - gaps, gaps)


def _check_notices(check: Check) -> Iterator[str]:
    groups = groups_of(check.examples)
    if groups is not None:
        yield f"{counted(len(groups), int(groups.max()) + 1)}: intervals count each group once"
    yield from check.notices


def _baseline_summary(baseline: Baseline | None) -> BaselineSummary | None:
    if baseline is None or baseline.evidence is None:
        return None
    known = baseline.evidence.provenance
    return BaselineSummary(baseline.source, known.commit, known.model, baseline.evidence.digest)
