"""What each step of a rollout is held against: users' requests, as Prometheus counted them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mlgate.config.sections.duration import Duration, lasting
from mlgate.config.sections.header import Headers
from mlgate.config.sections.rule import RuleSection
from mlgate.config.sections.section import Given, Many, MetricName, Section, Written, complaint
from mlgate.config.sections.served import checked_address
from mlgate.core.check import Bound
from mlgate.core.latency.metrics import timing

_Selector = Annotated[
    str,
    Written(
        r'[a-zA-Z_:][a-zA-Z0-9_:]*\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}',
        "must be a counter with its labels, and no function: mlgate reads what it grew by, pod by pod",
        'e.g. http_requests_total{namespace="$namespace",pod=~"$pods"}',
    ),
]
_NAMES = ("$pods", "$workloads")
"""What tells the two models apart."""


def _names_model(selector: str) -> str:
    if not any(name in selector for name in _NAMES):
        raise complaint(
            "must name the model: it is asked once for each of the two",
            'e.g. {pod=~"$pods"}: the pods of one of them; or destination_workload=~"$workloads": its Deployments',
        )
    return selector


_Counter = Annotated[_Selector, AfterValidator(_names_model)]


class MetricsSection(Section):
    """Counters of your own."""

    requests: Many[_Counter] = Field(min_length=1)
    """Counters of requests; those of several lines are added up."""
    errors: Many[_Counter] = Field(min_length=1)
    """Counters of requests that failed; each of them is in `requests`, too."""
    buckets: Given[_Counter] = None
    """A histogram of times, `…_bucket`. Left out: times are not judged."""
    unit: Literal["s", "ms"] = "s"
    """The unit of the histogram."""


class PrometheusSection(Section):
    """Where users' requests are counted."""

    short: ClassVar[str] = "url"
    written_as: ClassVar[str] = "an address or a mapping"

    url: Annotated[str, AfterValidator(checked_address)] = Field(examples=["http://prometheus.monitoring:9090"])
    """The address of Prometheus, or of what speaks its API."""
    headers: Headers = Field(default_factory=dict)
    """Headers by name; values come from environment variables only."""
    source: Literal["kserve", "vllm", "triton", "traefik", "istio", "knative", "knative-1.18"] = "kserve"
    """Who counts: the model's server (`kserve`, `vllm`, `triton`), the gateway or mesh in front of it (`traefik`,
    `istio`), or Knative (`knative` from 1.19 on). What is in front also counts requests that the server never ended."""
    metrics: Given[MetricsSection] = None
    """Counters of your own, in place of a `source`."""
    interval: Duration = lasting("15s")
    """How far two scrapes are apart, at most."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.metrics is not None and "source" in self.model_fields_set:
            raise complaint("is not for `metrics` of your own", "delete one of them", at=("source",))
        return self


def _is_true(value: bool) -> bool:
    if not value:
        raise complaint("can only be true", "delete it where as good is good enough")
    return value


class StepRuleSection(RuleSection):
    """The bounds of one metric in each step: `max`, `max_rise` or `superior`; for `requests`, `min`."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [bound.value]} for bound in Bound]})

    superior: Given[Annotated[bool, AfterValidator(_is_true)]] = None
    """`true`: before it gets all of the traffic, the candidate must be shown better than what serves. Judged once, by
    what was counted until `hold` is over. A candidate that is only as good goes back."""

    @property
    def compares(self) -> bool:
        """Return whether a bound holds the candidate against what serves."""
        return super().compares or bool(self.superior)

    @property
    def _is_empty(self) -> bool:
        return super()._is_empty and not self.superior


class AnalysisSection(Section):
    """The rules of each step."""

    prometheus: PrometheusSection
    """Where users' requests are counted: an address, or a mapping."""
    rules: Mapping[MetricName, StepRuleSection] = Field(
        min_length=1, examples=[{"error_rate": {"max": 0.01, "max_rise": 0.005}}]
    )
    """Bounds by metric: `error_rate`, a percentile like `p95_ms`, and `requests`, the fewest that a step needs."""
    on_inconclusive: Literal["rollback", "hold", "checks"] = "rollback"
    """When too few users asked to decide a step: `rollback` waits until the deadline and goes back then, `hold` waits
    on, and `checks` lets `deploy.checks` decide once the step's time is over."""

    @property
    def is_superior(self) -> bool:
        """Whether a rule asks that the candidate is better."""
        return any(rule.superior for rule in self.rules.values())

    @property
    def compares(self) -> bool:
        """Whether a rule holds the candidate against what serves."""
        return any(rule.compares for rule in self.rules.values())

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        for name, rule in self.rules.items():
            for fault in _faults(name, rule):
                raise fault
        if self.prometheus.source == "triton" and self.prometheus.metrics is None:
            for name in self.rules:
                if timing(name):
                    says, hint = "cannot be known: Triton has no histogram of times", "use source: istio, or delete it"
                    raise complaint(says, hint, at=("rules", name))
        return self


def _faults(name: str, rule: StepRuleSection) -> Iterator[PydanticCustomError]:
    place = ("rules", name)
    time = timing(name)
    if name not in ("error_rate", "requests") and not (time and time.clock == "latency" and time.quantile):
        hint = "write error_rate, a percentile like p95_ms, or requests"
        yield complaint("is not known of users' requests", hint, at=place)
        return
    given = {bound.value: getattr(rule, bound.value) for bound in Bound}
    allowed = ("min",) if name == "requests" else ("max", "max_rise", "superior")
    for bound, limit in given.items():
        if limit is not None and bound not in allowed:
            hint = f"write {', '.join(allowed[:-1])} or {allowed[-1]}" if allowed[1:] else f"write {allowed[0]}"
            yield complaint(f"is no bound of {name}", hint, at=(*place, bound))
    if rule.min is not None and not rule.min > 0:
        yield complaint("can never be broken", "write how many requests a step needs", at=(*place, "min"))
    rise = rule.max_rise
    if name == "error_rate" and rise is not None and rise.relative:
        says = f"would be {rise} of the error rate that is there: nearly nothing"
        hint = f"write the share of requests: {rise.amount:g} is {rise.amount * 100:g} of 100 requests"
        yield complaint(says, hint, at=(*place, "max_rise"))
    if rule.max is not None and not (0 < rule.max < 1 if name == "error_rate" else rule.max > 0):
        share = rule.max / 100 if 1 <= rule.max < 100 else 0.01  # noqa: PLR2004 - percent
        hint = f"write a share of requests: {share:g}" if name == "error_rate" else "write milliseconds, e.g. 200"
        yield complaint("can never be kept, or never be broken", hint, at=(*place, "max"))


def unfit(analysis: AnalysisSection, *, compares: bool) -> PydanticCustomError | None:
    """Return what is wrong with the rules of a rollout; None for nothing. *compares*: two models are asked in it."""
    if all(rule.max is None for rule in analysis.rules.values()):
        says = "holds nothing in the last step: nobody serves beside the candidate then, and a max_rise compares"
        return complaint(says, "write a max as well: error_rate: {max: 0.01, …}", at=("analysis", "rules"))
    if not analysis.compares or compares:
        return None
    says = "compares two models that serve beside each other, and with one step they never do"
    return complaint(says, "e.g. steps: [25, 100]; or delete max_rise and superior", at=("analysis", "rules"))
