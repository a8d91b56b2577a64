"""From a check as it is configured to the check that the core judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.config.config import Config
from mlgate.config.sections.check import Check as Section
from mlgate.config.sections.check import RecordedCheck
from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.sections.load import FindLoad
from mlgate.config.translate.latency_params import short, timed
from mlgate.config.translate.rules import to_rules
from mlgate.config.translate.unfit_metrics import unfit_metrics
from mlgate.config.validate import bounds
from mlgate.config.validate.load_mix import unmixed, unweighed
from mlgate.config.validate.metric_choice import ResolvedCheck
from mlgate.config.yaml.fault import refusal
from mlgate.core.check import Bound, Check, Example, Json, MetricChoice, Rule, data_digest
from mlgate.core.metric import ERROR_RATE
from mlgate.metrics.by_field import fields_of


def needed_fields(config: Config, check_id: str) -> tuple[str, ...]:
    """Return the fields that the check slices, mixes its load, or computes a metric by: what its data is read with."""
    section = config.checks[check_id]
    mixed_by = _mixed_by(section)
    differing = (
        field
        for one in config.resolved[check_id].metrics.values()
        for field in fields_of(one.choice.kind, one.choice.options)
    )
    return tuple(dict.fromkeys([*((mixed_by,) if mixed_by else section.slices), *differing]))


def needs_references(config: Config, check_id: str) -> bool:
    """Return whether some metric of a check looks at references."""
    found = [one.scoring for one in config.resolved[check_id].metrics.values() if one.scoring is not None]
    return not found or any(one.needs_references for one in found)


def _mixed_by(section: Section) -> str:
    """Return the field that decides how often each example is asked; empty where all are asked alike."""
    return section.load.mix.by if isinstance(section, LatencyCheck) and section.load.mix else ""


def to_check(config: Config, check_id: str, examples: Sequence[Example], notices: Sequence[str] = ()) -> Check:
    """Return the check *check_id* over *examples*; *notices* are what reading them brought up.

    Raises ConfigError when a metric cannot judge answers to these references: it would score good answers as bad. And
    when a latency check's mix weighs what is not in the data.
    """
    section, resolved = config.checks[check_id], config.resolved[check_id]
    chosen = tuple(one.choice for one in resolved.metrics.values())
    unfit = [*unfit_metrics(resolved, section, examples)]
    unasked: Sequence[str] = ()
    rounds, params = 0, _params(section)
    if isinstance(section, LatencyCheck):
        rounds, params = timed(config, check_id, section)
        unfit += unmixed(check_id, section, examples)
        unasked = (*unweighed(section, examples), *short(params))
    if unfit:
        raise refusal(config.positions.name, [complaint.at(config.positions) for complaint in unfit])
    rules = tuple(rule for one in resolved.rules for rule in to_rules(config, one))
    if _may_fail_silently(section, rules):
        if all(choice.kind != ERROR_RATE.name for choice in chosen):
            chosen = (*chosen, MetricChoice(ERROR_RATE.name, ERROR_RATE.name))
        rules = (*rules, Rule(ERROR_RATE.name, Bound.MAX, 0.0, where=config.where("checks", check_id)))
    return Check(
        id=check_id,
        kind=section.kind,
        examples=tuple(examples),
        metrics=chosen,
        rules=rules,
        slices=tuple(section.slices),
        data_digest=data_digest(examples, _mixed_by(section)),
        params=params,
        notices=(*notices, *unasked, *_slips(config, resolved)),
        rounds=rounds,
        exclusive=isinstance(section, LatencyCheck),
    )


def _may_fail_silently(section: Section, rules: Sequence[Rule]) -> bool:
    """Whether nothing holds the errors of a timed check: then none is allowed. A search has rates that must fail."""
    timed = isinstance(section, LatencyCheck) and not isinstance(section.load, FindLoad)
    held = any(rule.metric == ERROR_RATE.name and rule.bound in (Bound.MAX, Bound.MAX_RISE) for rule in rules)
    return timed and not held


def _params(section: Section) -> dict[str, Json]:
    """Return what observing needs to know, and what therefore makes it another suite."""
    if not isinstance(section, RecordedCheck):
        return {}
    metrics = {name: {"better": one.better, "unit": one.unit} for name, one in section.metrics.items()}
    return {"metrics": metrics, "tests": list(section.tests)}


def _slips(config: Config, resolved: ResolvedCheck) -> Iterator[str]:
    for one in resolved.rules:
        for bound, slip in bounds.notices(one, resolved.metrics[one.metric]):
            yield f"{slip} [{config.where(*one.steps, bound)}]"
