"""A check of times: a load, and the rules that times under it must keep."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from mlgate.config.sections.data import Data
from mlgate.config.sections.duration import Duration, show
from mlgate.config.sections.load import ClosedLoad, FindLoad, Load, RateLoad, StagedLoad
from mlgate.config.sections.metric import Metrics, Rules
from mlgate.config.sections.section import Given, Section, complaint


class LatencyCheck(Section):
    """Put timed load on the model, and judge times, rates, errors and the very answers that were timed."""

    slices: ClassVar[Mapping[str, Rules]] = MappingProxyType({})
    """Times are not measured apart: requests of all kinds wait in one queue. (A key of other kinds.)"""

    kind: Literal["latency"]
    """What the check does."""
    data: Data
    """The examples that requests ask about: a path, or a mapping with `path`, `source` or `dataset`."""
    load: Load
    """How requests are made: one of `rate`, `concurrency`, `stages` and `find`."""
    budget: Given[Duration] = None
    """How long a run may take that is not settled, both sides together, besides the warm-up. With it a run is looked at
    from half of the load's duration on, and ends as soon as it is settled."""
    on_noise: Literal["stop", "retry"] = "stop"
    """What to do when the machine is why nothing was settled: end, or start over once."""
    stored: Literal["warn", "block"] = "warn"
    """What a comparison with times of another run may do at most: machines drift, so by itself it does not block."""
    metrics: Metrics = Field(default_factory=dict)
    """Metrics besides those that rules name: `[p50_ms, throughput_rps]`, or with options `{rougeL: {…}}`."""
    rules: Rules = Field(min_length=1, examples=[{"p95_ms": {"max": 120, "max_rise": "10%"}}])
    """Bounds by metric: `p95_ms`, `mean_ms`, `throughput_rps` …, or a metric of the answers. Without a rule for
    `error_rate` no request may fail."""

    @model_validator(mode="after")
    def _can_be_started_over(self) -> Self:
        if self.on_noise == "retry" and not isinstance(self.load, RateLoad | ClosedLoad):
            raise complaint("is for a load with a rate or a concurrency", "delete it", at=("on_noise",))
        return self

    @model_validator(mode="after")
    def _budget_fits(self) -> Self:
        if self.budget is None:
            return self
        match self.load:
            case RateLoad(duration=duration) | ClosedLoad(duration=duration):
                if self.budget < duration:
                    says = f"is shorter than the load's duration ({show(duration)})"
                    raise complaint(says, "write the longer span here, or delete it", at=("budget",))
            case StagedLoad() | FindLoad():
                raise complaint("is for a load with a rate or a concurrency", "delete it", at=("budget",))
        return self
