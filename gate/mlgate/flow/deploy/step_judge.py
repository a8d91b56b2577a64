"""What a rollout's steps are judged by: the online checks before it gets traffic, and then users' requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.looks import RECENT, last_look, only_look, recent_span
from mlgate.core.deploy.mode import ROUTED
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Opening, Phase, Plan, State
from mlgate.core.deploy.traffic import Traffic
from mlgate.core.outcome import Outcome, worst
from mlgate.core.verdict import Finding
from mlgate.flow.deploy.judge_traffic import judge_traffic
from mlgate.flow.deploy.step_checks import StepChecks
from mlgate.flow.deploy.step_question import StepQuestion, missing_requests, step_question

_MANY = 50.0
"""So many requests that are to be expected, and not one that was counted, are no lull at night."""

_TOO_FEW = ("inconclusive", "too-few")
"""Topics of what more requests would settle. Others withhold a pass however many there are."""

ReadTraffic = Callable[[ServiceRecord, float, float], Traffic]
"""What was counted of a rollout's two models from one Unix time to another."""


@dataclass(frozen=True, slots=True)
class TrafficRules:
    """What users' requests are held against in each step."""

    rules: tuple[Rule, ...]
    read: ReadTraffic
    lag: float
    """Seconds until what happened can be read: a scrape's interval."""
    now: Callable[[], float]
    checks_decide: bool = False
    """Whether online checks that pass decide a step in which too few users ask."""


class RolloutJudge:
    """Judges a rollout.

    *check* asks the candidate before it gets traffic, and *checks* go on asking in each step; None where the file has
    no online checks. *traffic* judges each step, too; None where the file has no rules for it. Without either a step
    passes when both models stay ready. *trial* comes before all others where users' requests are to be mirrored.
    """

    def __init__(
        self,
        check: Callable[[ServiceRecord], Judgement] | None = None,
        traffic: TrafficRules | None = None,
        checks: StepChecks | None = None,
        trial: Callable[[ServiceRecord], Judgement] | None = None,
    ) -> None:
        self._check, self._trial = check, trial
        self._checked: Judgement | None = None
        self._checks, self._traffic = checks, traffic
        self._measured: float | None = None
        """When the present step was measured last; at first: when it was looked at first."""

    def judge(self, record: ServiceRecord) -> Judgement:
        """Return how the present step came out so far."""
        assert record.rollout is not None
        if record.rollout.state.phase is Phase.HOLDING:
            return self._judge_step(record)
        if self._checked is None or self._checked.outcome is None:
            self._checked = self._before_traffic(record)
        return self._checked

    @property
    def asked(self) -> list[tuple[float, float]]:
        """Return when online checks asked during the steps: spans of Unix times, seconds."""
        return self._checks.asked if self._checks else []

    def _before_traffic(self, record: ServiceRecord) -> Judgement:
        assert record.rollout is not None
        if self._trial is not None and record.rollout.plan.opening is Opening.MIRRORED:
            tried = self._trial(record)
            if tried.outcome is not Outcome.PASSED:
                return tried
        if self._check is None:
            return Judgement(Outcome.PASSED)
        return self._check(record)

    def _judge_step(self, record: ServiceRecord) -> Judgement:
        checks = self._checks.judge(record) if self._checks else None
        traffic = self._judge_traffic(record) if self._traffic else None
        if checks is None or traffic is None:
            return checks or traffic or Judgement(Outcome.PASSED)
        assert self._traffic is not None
        return _together(checks, traffic, checks_decide=self._traffic.checks_decide)

    def _judge_traffic(self, record: ServiceRecord) -> Judgement:
        assert record.rollout is not None
        assert self._traffic is not None
        plan, state, given = record.rollout.plan, record.rollout.state, self._traffic
        until = given.now() - given.lag
        if until < state.since + given.lag:
            return Judgement(None, "the step has only begun", is_measured=True)
        hold = plan.least(state.step)
        lately = until - recent_span(hold, given.lag)
        lately = max(state.since, lately - _covered(self.asked, max(lately, state.since), until))
        whole = self._by_users(record, state.since, until)
        recent = self._by_users(record, lately, until) if lately > state.since else whole
        over = state.since + hold
        is_once = until > over and any(map(_is_once, given.rules))
        first = self._by_users(record, state.since, over) if is_once else None
        beside = Beside(record.accepted is not None, record.mode in ROUTED)
        found = judge_step(plan, state, given.rules, StepTraffic(whole, recent, until, first), beside)
        if self._measured is None or found.outcome is not None or found.is_measured:
            self._measured = given.now()
        return replace(found, is_measured=given.now() - self._measured < plan.patience)

    def _by_users(self, record: ServiceRecord, since: float, until: float) -> Traffic:
        """Return what was counted while nobody but users asked."""
        assert self._traffic is not None
        return self._traffic.read(record, since, until).without(self.asked, self._traffic.lag)


def _covered(spans: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    """Return how many seconds of that time lie in the spans, which do not overlap."""
    return sum(max(0.0, min(high, end) - max(low, begin)) for low, high in spans)


def _together(checks: Judgement, traffic: Judgement, *, checks_decide: bool) -> Judgement:
    """Return what both make of a step: it passes by both, or by the checks alone where those may decide."""
    for one in (checks, traffic):
        if one.outcome is Outcome.FAILED:
            return one
    if checks.outcome is None or checks.outcome.blocks:
        is_measured = checks.is_measured and (traffic.outcome is not None or traffic.is_measured)
        return Judgement(checks.outcome, checks.why, is_measured=is_measured)
    if traffic.outcome is None and traffic.is_undecided and checks_decide:
        return Judgement(checks.outcome, f"{checks.why}; too few users asked to decide it by them: {traffic.why}")
    return traffic


@dataclass(frozen=True, slots=True)
class StepTraffic:
    """What was counted of a step."""

    whole: Traffic
    recent: Traffic
    """Of its last part, in short windows: what begins to go wrong after an hour must not drown in that hour."""
    until: float
    """Unix time, seconds."""
    first: Traffic | None = None
    """Until its time was over, for what is judged once; None: all of the step, where it has not lasted longer."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What the candidate is held against."""

    has_stable: bool
    is_exact: bool
    """Whether whoever routes requests keeps to the weights, request by request."""


def judge_step(plan: Plan, state: State, rules: Sequence[Rule], seen: StepTraffic, beside: Beside) -> Judgement:
    """Return how the present step came out, by what was counted until then: all of the step, and its last part.

    The last part can only take the candidate back, and keep it from passing while nothing is known of it.
    """
    elapsed = seen.until - state.since
    question = step_question(plan, state, RECENT, has_stable=beside.has_stable, is_exact=beside.is_exact)
    lately = step_judgement(question, judge_traffic(question, rules, seen.recent))
    hold = plan.least(state.step)
    look = last_look(elapsed, hold)
    if lately.outcome is Outcome.FAILED or look is None:
        return lately
    question = replace(question, look=look)
    traffic = seen.whole.between(state.since, state.since + look.after)
    once = replace(question, look=only_look(look, hold))
    first = (seen.first or seen.whole).between(state.since, state.since + once.look.after)
    findings = (
        *judge_traffic(once, [rule for rule in rules if _is_once(rule)], first),
        *judge_traffic(question, [rule for rule in rules if not _is_once(rule)], traffic),
    )
    found = step_judgement(question, findings)
    missing = seen.recent.why or missing_requests(replace(question, look=RECENT), seen.recent)
    if found.outcome is Outcome.FAILED or not missing:
        return found
    is_lull = not seen.recent.why and question.expected(seen.recent) < _MANY
    return Judgement(
        None,
        missing,
        is_measured=is_lull and (found.is_measured or found.outcome is not None),
        is_undecided=is_lull and bool(look.passing_part) and _are_few(question, seen.whole),
    )


def _are_few(question: StepQuestion, whole: Traffic) -> bool:
    """Whether so few users asked in all of the step that nothing is to be wondered at."""
    return not whole.why and question.expected(whole) < _MANY


def _is_once(rule: Rule) -> bool:
    """Whether a rule lets a step pass by one look alone, when its time is over."""
    return rule.bound is Bound.SUPERIOR


def step_judgement(question: StepQuestion, findings: Sequence[Finding]) -> Judgement:
    """Return what the findings of one look make of the step."""
    outcome = worst(finding.outcome for finding in findings)
    why = next((finding.why for finding in findings if finding.outcome is outcome), "")
    if outcome is Outcome.FAILED:
        return Judgement(outcome, why)
    if outcome is Outcome.ERRORED:
        return Judgement(None, why)
    if outcome.blocks or not question.look.passing_part:
        are_few = all(one.topic in _TOO_FEW for one in findings if one.outcome.blocks)
        is_undecided = bool(question.look.passing_part) and are_few
        return Judgement(None, why, is_measured=True, is_undecided=is_undecided)
    return Judgement(outcome, why)
