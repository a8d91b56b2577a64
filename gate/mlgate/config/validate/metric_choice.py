"""Which metrics a check measures and by which rules, resolved once; and what is wrong with how it names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlgate.config.sections.check import AccuracyCheck, Check, RecordedCheck
from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.sections.rule import RuleSection
from mlgate.config.validate import metric_names
from mlgate.config.yaml.fault import Complaint
from mlgate.config.yaml.position import Steps
from mlgate.core.check import Json, MetricChoice
from mlgate.core.latency import metrics as latency_metrics
from mlgate.core.metric import ERROR_RATE, Better, Metric
from mlgate.metrics import registry
from mlgate.metrics.by_field import Scoring, scoring

CHECK_KEYS = frozenset({*AccuracyCheck.model_fields, *LatencyCheck.model_fields, *RecordedCheck.model_fields})
"""What belongs beside `rules`, and is no metric under it."""
MISPLACED = ("is no metric", "move it one level up, beside `rules`")
"""What is told of them."""
BOUNDS = frozenset(RuleSection.model_fields)
"""What belongs under a metric."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """One entry under `rules` or `slices`."""

    metric: str
    rule: RuleSection
    steps: Steps
    slice_by: str = ""


@dataclass(frozen=True, slots=True)
class ResolvedMetric:
    """One metric as a check computes it."""

    choice: MetricChoice
    metric: Metric
    """Its unit and its better end."""
    scoring: Scoring | None
    """What computes it from answers and examples; None for what is recorded, or measured under load."""


@dataclass(frozen=True, slots=True)
class ResolvedCheck:
    """What one check measures, and by which rules."""

    rules: tuple[Ruled, ...]
    """Those for the whole check first, as written."""
    named: Mapping[str, Steps]
    """Where each metric is listed, else where a rule first names it: the rules' first, then those only listed."""
    metrics: Mapping[str, ResolvedMetric]
    """Those of `named` that can be had, in the same order: in a sound file all."""


def resolve(check_id: str, check: Check, there: Sequence[str]) -> tuple[ResolvedCheck, list[Complaint]]:
    """Return what the check measures, and what is wrong with its metrics; *there* are those that it can name."""
    rules = tuple(_ruled(check_id, check))
    named: dict[str, Steps] = {}
    for one in rules:
        named.setdefault(one.metric, one.steps)
    named |= {name: ("checks", check_id, "metrics", name) for name in check.metrics}
    wrong = _misnamed(check_id, check, rules, there)
    unknown = {complaint.steps for complaint in wrong}
    metrics: dict[str, ResolvedMetric] = {}
    for name, steps in named.items():
        if any(place[: len(steps)] == steps for place in unknown):
            continue
        match _resolve_metric(_choice(check, name), steps):
            case Complaint() as complaint:
                wrong.append(complaint)
            case found:
                metrics[name] = found
    return ResolvedCheck(rules, named, metrics), wrong


def _ruled(check_id: str, check: Check) -> Iterator[Ruled]:
    start: Steps = ("checks", check_id)
    for name, rule in check.rules.items():
        yield Ruled(name, rule, (*start, "rules", name))
    for field, rules in check.slices.items():
        for name, rule in rules.items():
            yield Ruled(name, rule, (*start, "slices", field, name), field)


def _choice(check: Check, name: str) -> MetricChoice:
    if isinstance(check, RecordedCheck):
        recorded = check.metrics[name]
        return MetricChoice(name, "recorded", {"better": recorded.better, "unit": recorded.unit})
    listed = check.metrics.get(name)
    common = check.filters if isinstance(check, AccuracyCheck) else ()
    if listed is None:
        return MetricChoice(name, name, filters=_none_for(name, common))
    own = common if listed.filters is None else listed.filters
    kind = listed.metric or name
    return MetricChoice(name, kind, dict(listed.options), _none_for(kind, own))


def _none_for(kind: str, filters: Sequence[Json]) -> tuple[Json, ...]:
    """Return the filters of a metric of answers; what is measured otherwise has no text to filter."""
    return () if kind == ERROR_RATE.name or latency_metrics.metric(kind) is not None else tuple(filters)


def _resolve_metric(choice: MetricChoice, steps: Steps) -> ResolvedMetric | Complaint:
    """Return the metric *choice*, which is named at *steps*, or why it cannot be had as it is written."""
    if choice.kind == "recorded":
        recorded = Metric(choice.name, str(choice.options["unit"]), Better(choice.options["better"]))
        return ResolvedMetric(choice, recorded, None)
    own = latency_metrics.metric(choice.kind)
    if own is not None and choice.options:
        return Complaint((*steps, next(iter(choice.options))), "is unknown", f"{choice.kind} has no options")
    if own is not None:
        return ResolvedMetric(choice, own, None)
    try:
        how = scoring(choice.kind, choice.options, choice.filters)
    except (ValueError, TypeError) as error:
        option = _culprit(choice)
        return Complaint((*steps, option) if option else steps, f"cannot be used: {_line(error)}", at_key=True)
    except (ImportError, AttributeError, KeyError) as error:
        return Complaint(steps, f"cannot be loaded: {_line(error)}", "install what it needs", at_key=True)
    return ResolvedMetric(choice, how.metric, how)


def by_name(name: str) -> ResolvedMetric | None:
    """Return the metric that is called so itself, without options; None when there is none."""
    found = _resolve_metric(MetricChoice(name, name), ())
    return None if isinstance(found, Complaint) else found


def _line(error: Exception) -> str:
    """Return an error's text on one line; it may repeat what the file says."""
    return " ".join(str(error).split())[:400]


def _culprit(choice: MetricChoice) -> str:
    """Return the option that is refused also when it stands alone."""
    for name, value in choice.options.items():
        alone: Mapping[str, Json] = {name: value}
        try:
            scoring(choice.kind, alone)
        except (ValueError, TypeError):
            return name
    return ""


def _misnamed(check_id: str, check: Check, rules: Sequence[Ruled], there: Sequence[str]) -> list[Complaint]:
    """Return what is wrong with the metrics' names: they are none of *there*, or taken."""
    known = dict.fromkeys([*check.metrics, *(() if isinstance(check, RecordedCheck) else there)])
    found = [
        Complaint(one.steps, "is no metric", _meant(check, one.metric, known), at_key=True)
        for one in rules
        if one.metric not in known and not _times(check, one.metric)
    ]
    return found + ([] if isinstance(check, RecordedCheck) else _faults_of_metrics_list(check_id, check, there))


def _faults_of_metrics_list(
    check_id: str, check: AccuracyCheck | LatencyCheck, there: Sequence[str]
) -> list[Complaint]:
    found = []
    for name, listed in check.metrics.items():
        steps: Steps = ("checks", check_id, "metrics", name)
        own = name in there or _times(check, name)
        if listed.metric is None and not own:
            found.append(Complaint(steps, "is no metric", _meant(check, name, there), at_key=True))
        elif listed.metric is not None and listed.metric != name and _times(check, listed.metric):
            says = f"is measured under its own name only: {listed.metric}"
            found.append(Complaint((*steps, "metric"), says, f"write {listed.metric} in place of {name}"))
        elif listed.metric is not None and listed.metric not in there and not _times(check, listed.metric):
            hint = _meant(check, listed.metric, there)
            found.append(Complaint((*steps, "metric"), f"names no metric: {listed.metric}", hint))
        elif listed.metric not in {None, name} and own:
            says = f"is the name of a metric itself, and cannot stand for {listed.metric}"
            found.append(Complaint(steps, says, f"write e.g. my_{name}", at_key=True))
    return found


def _times(check: Check, name: str) -> bool:
    """Return whether *name* is one of a latency check's own metrics, of which there are more than can be listed."""
    return isinstance(check, LatencyCheck) and latency_metrics.metric(name) is not None


def _meant(check: Check, name: str, there: Iterable[str]) -> str:
    if name in CHECK_KEYS:
        return MISPLACED[1]
    if name in BOUNDS:
        return f"write the metric first: rules: {{rougeL: {{{name}: …}}}}"
    if not isinstance(check, LatencyCheck) and latency_metrics.metric(name) is not None:
        return "it is measured by a check of `kind: latency`"
    return metric_names.advice(name, there)


def names() -> tuple[str, ...]:
    """Return every metric that an accuracy check can measure."""
    return (*registry.names(), ERROR_RATE.name)


def names_of(check: Check, answers: Sequence[str]) -> tuple[str, ...]:
    """Return every metric to suggest for the check; *answers* are `names()`. A latency check has its own besides."""
    return (
        tuple(dict.fromkeys([*latency_metrics.names(), *answers]))
        if isinstance(check, LatencyCheck)
        else tuple(answers)
    )
