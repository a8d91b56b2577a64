"""From the bounds of one metric as they are written to the core's rules."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.config.config import Config
from mlgate.config.sections.analysis import AnalysisSection, StepRuleSection
from mlgate.config.validate.metric_choice import Ruled
from mlgate.core.check import Bound, Rule
from mlgate.core.outcome import Outcome


def to_rules(config: Config, one: Ruled) -> Iterator[Rule]:
    """Yield one core rule a bound, in the order min, max, max_drop, max_rise, superior."""
    section = one.rule
    for bound in Bound:
        limit: float | None
        relative = False
        match bound:
            case Bound.MIN:
                limit = section.min
            case Bound.MAX:
                limit = section.max
            case Bound.MAX_DROP | Bound.MAX_RISE:
                margin = section.max_drop if bound is Bound.MAX_DROP else section.max_rise
                limit, relative = (margin.amount, margin.relative) if margin else (None, False)
            case Bound.SUPERIOR:
                limit = 0.0 if isinstance(section, StepRuleSection) and section.superior else None
        if limit is not None:
            yield Rule(
                metric=one.metric,
                bound=bound,
                limit=limit,
                relative=relative,
                confidence=section.confidence,
                on_breach=Outcome.WARNED if section.on_breach == "warn" else Outcome.FAILED,
                on_inconclusive=Outcome.WARNED if section.on_inconclusive == "warn" else Outcome.INCONCLUSIVE,
                slice_by=one.slice_by,
                where=config.where(*one.steps, bound.value),
            )


def analysis_rules(config: Config, section: AnalysisSection) -> tuple[Rule, ...]:
    """Return the rules of a rollout's steps."""
    place = ("deploy", "analysis", "rules")
    ruled = (Ruled(name, rule, (*place, name)) for name, rule in section.rules.items())
    return tuple(rule for one in ruled for rule in to_rules(config, one))
