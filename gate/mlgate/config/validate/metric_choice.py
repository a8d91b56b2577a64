"""Which metrics a check measures, and what is wrong with how it names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlgate.config.sections.check import AccuracyCheck, Check, RecordedCheck
from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.sections.rule import RuleSection
from mlgate.config.yaml.fault import Complaint, did_you_mean
from mlgate.config.yaml.position import Steps
from mlgate.core import latency_metrics
from mlgate.core.check import Json, MetricChoice
from mlgate.core.metric import ERROR_RATE, Better, Metric
from mlgate.metrics import registry
from mlgate.metrics.scorer import Scorer


class Unbuilt(Exception):  # noqa: N818 - it names what happened, and never leaves this room
    """A metric that cannot be had as it is written."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.says)
        self.complaint = complaint


@dataclass(frozen=True, slots=True)
class Ruled:
    """One entry under `rules` or `slices`."""

    metric: str
    rule: RuleSection
    steps: Steps
    slice_by: str = ""


def ruled(check_id: str, check: Check) -> Iterator[Ruled]:
    """Yield the check's rules, those for the whole check first, as written."""
    start: Steps = ("checks", check_id)
    for name, rule in check.rules.items():
        yield Ruled(name, rule, (*start, "rules", name))
    for field, rules in check.slices.items():
        for name, rule in rules.items():
            yield Ruled(name, rule, (*start, "slices", field, name), field)


def choices(check_id: str, check: Check) -> tuple[MetricChoice, ...]:
    """Return what to measure: the rules' metrics first, as written, then those that are only listed."""
    return tuple(choice(check, name) for name in measured(check_id, check))


def measured(check_id: str, check: Check) -> tuple[str, ...]:
    """Return the names of `choices`, known or not."""
    return tuple(dict.fromkeys([*(one.metric for one in ruled(check_id, check)), *check.metrics]))


def choice(check: Check, name: str) -> MetricChoice:
    """Return how the check computes the metric *name*. Raises KeyError for one that a recorded check does not have."""
    if isinstance(check, RecordedCheck):
        recorded = check.metrics[name]
        return MetricChoice(name, "recorded", {"better": recorded.better, "unit": recorded.unit})
    listed = check.metrics.get(name)
    if listed is None:
        return MetricChoice(name, name)
    return MetricChoice(name, listed.metric or name, dict(listed.options))


def written_at(check_id: str, check: Check, name: str) -> Steps:
    """Return the way to where the check first names the metric *name*: its list of metrics, else a rule."""
    if name in check.metrics:
        return ("checks", check_id, "metrics", name)
    return next((one.steps for one in ruled(check_id, check) if one.metric == name), ("checks", check_id))


def misnamed(check_id: str, check: Check, there: Sequence[str]) -> list[Complaint]:
    """Return what is wrong with the metrics' names: they are none of *there*, or taken."""
    known = dict.fromkeys([*check.metrics, *(() if isinstance(check, RecordedCheck) else there)])
    found = [
        Complaint(one.steps, "is no metric", _meant(check, one.metric, known), at_key=True)
        for one in ruled(check_id, check)
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
    if not isinstance(check, LatencyCheck) and latency_metrics.metric(name) is not None:
        return "it is measured by a check of `kind: latency`"
    return did_you_mean(name, there, "there are")


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


def is_of_answers(choice: MetricChoice) -> bool:
    """Return whether the metric is computed from answers and references."""
    return choice.kind != "recorded" and latency_metrics.metric(choice.kind) is None


def scorer(choice: MetricChoice, steps: Steps) -> Scorer:
    """Build the metric *choice* that is written at *steps*. Raises Unbuilt with the option that is wrong."""
    try:
        return registry.build(choice.kind, choice.options)
    except (ValueError, TypeError) as error:
        name = _culprit(choice)
        says = f"cannot be used: {_line(error)}"
        raise Unbuilt(Complaint((*steps, name) if name else steps, says, at_key=True)) from error
    except (ImportError, AttributeError, KeyError) as error:
        says = f"cannot be loaded: {_line(error)}"
        raise Unbuilt(Complaint(steps, says, "install what it needs", at_key=True)) from error


def _line(error: Exception) -> str:
    """Return an error's text on one line; it may repeat what the file says."""
    return " ".join(str(error).split())[:400]


def _culprit(choice: MetricChoice) -> str:
    """Return the option that is refused also when it stands alone."""
    for name, value in choice.options.items():
        alone: Mapping[str, Json] = {name: value}
        try:
            registry.build(choice.kind, alone)
        except (ValueError, TypeError):
            return name
    return ""


def meter(choice: MetricChoice, steps: Steps) -> Metric:
    """Return the unit and the better end of the metric *choice*. Raises Unbuilt when there is none."""
    if choice.kind == "recorded":
        return Metric(choice.name, str(choice.options["unit"]), Better(choice.options["better"]))
    own = latency_metrics.metric(choice.kind)
    if own is None:
        return scorer(choice, steps).metric
    if choice.options:
        says = f"{choice.kind} has no options"
        raise Unbuilt(Complaint((*steps, next(iter(choice.options))), "is unknown", says))
    return own
