"""The sound parts of a check that is not sound as a whole, so that one fault does not hide the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from mlgate.config.sections.check import AccuracyCheck, Check, RecordedCheck
from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.sections.load import Load
from mlgate.config.sections.metric import MetricOptions, RecordedMetric
from mlgate.config.sections.rule import RuleSection
from mlgate.config.sections.section import Section
from mlgate.config.yaml.parse import Value

_LOAD: TypeAdapter[Load] = TypeAdapter(Load)

SectionT = TypeVar("SectionT", bound=Section)


def salvaged(value: Value) -> Check:
    """Return metrics, rules and slices of the check that *value* is meant to be; its other keys are not set.

    An unsound rule keeps its name and has no bound. A metric whose options are unsound is left out with its rules.
    """
    raw = mapping(value)
    if raw.get("kind") == "recorded":
        recorded, broken = _sound(RecordedMetric, raw.get("metrics"))
        broken |= {"*"} if not recorded else set()
        return RecordedCheck.model_construct(
            metrics=recorded, rules=_rules(raw.get("rules"), broken), slices=_slices(raw.get("slices"), broken)
        )
    options, broken = _sound(MetricOptions, raw.get("metrics"))
    if raw.get("kind") == "latency":
        return LatencyCheck.model_construct(metrics=options, rules=_rules(raw.get("rules"), broken))
    return AccuracyCheck.model_construct(
        metrics=options, rules=_rules(raw.get("rules"), broken), slices=_slices(raw.get("slices"), broken)
    )


def salvaged_load(value: Value) -> Load | None:
    """Return the load of the latency check that *value* is meant to be; None when it is not sound."""
    try:
        return _LOAD.validate_python(mapping(value).get("load"))
    except ValidationError:
        return None


def mapping(value: Value) -> Mapping[str, Value]:
    """Return *value* when it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def _sound(section: type[SectionT], value: Value) -> tuple[dict[str, SectionT], set[str]]:
    entries = {name: None for name in value if isinstance(name, str)} if isinstance(value, list) else mapping(value)
    sound, broken = {}, set()
    for name, entry in entries.items():
        try:
            sound[name] = section.model_validate(entry)
        except ValidationError:
            broken.add(name)
    return sound, broken


def _rules(value: Value, broken: set[str]) -> dict[str, RuleSection]:
    if "*" in broken:
        return {}
    rules = {}
    for name, entry in mapping(value).items():
        if name not in broken:
            try:
                rules[name] = RuleSection.model_validate(entry)
            except ValidationError:
                rules[name] = RuleSection.model_construct()
    return rules


def _slices(value: Value, broken: set[str]) -> dict[str, dict[str, RuleSection]]:
    return {field: _rules(rules, broken) for field, rules in mapping(value).items()}
