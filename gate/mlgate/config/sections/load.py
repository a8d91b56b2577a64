"""The timed load that a latency check puts on a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from mlgate.config.sections.duration import Duration, lasting
from mlgate.config.sections.section import FieldName, Given, MetricName, Section, Written, complaint
from mlgate.config.yaml.fault import did_you_mean
from mlgate.core.latency.metrics import timing
from mlgate.core.metric import ERROR_RATE

HIGHEST_QUANTILE = 0.99
TOO_HIGH = (
    "is not judged: beyond p99 a percentile needs 100,000s of requests to mean anything",
    "use p99_ms, or p95_ms",
)
"""What is told about a percentile above it."""

_WAYS = ("rate", "concurrency", "stages", "find")

Rate = Annotated[float, Field(ge=0.001, le=100_000, allow_inf_nan=False)]
"""Requests a second."""
_Weight = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
_BoundValue = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Value = Annotated[str, Written(r"[^\x00-\x1f\x7f]{1,200}", "must be a value of the field: one line of text")]


class Mix(Section):
    """Which examples are asked more often than others."""

    by: FieldName
    """The field of the data that tells kinds of examples apart: `length`."""
    weights: Mapping[_Value, _Weight] = Field(min_length=1, examples=[{"short": 9, "long": 1}])
    """How often each value is asked, relative to the others: `{short: 9, long: 1}`. Other values are never asked."""


class AnyLoad(Section):
    """What every load has."""

    stream: bool = False
    """Ask for replies in pieces, which `ttft_…`, `itl_…` and `tokens_per_s` need. OpenAI protocols only."""
    mix: Given[Mix] = None
    """Weights for kinds of examples. Left out: all alike."""
    seed: int = Field(1, ge=0, le=2**31 - 1)
    """Of the order of examples, of arrivals, and of which side of a comparison goes first."""


class BlockLoad(AnyLoad):
    """A load that comes in blocks: one block is a round; in a comparison each side has one in a round."""

    warmup: Duration = lasting("2s")
    """Load before the `duration`, for each side, that no time is taken from. It comes on top of
    `duration` and `budget`."""
    block: Given[Duration] = None
    """How long one block is. Left out: 500ms, or as long as five requests take to come. It is made shorter where
    `duration` would hold fewer than eight for each side."""


class RateLoad(BlockLoad):
    """Open loop: requests arrive at a rate, whether or not earlier ones were answered."""

    rate: Rate = Field(examples=[50])
    """Requests a second."""
    arrivals: Literal["poisson", "constant"] = "poisson"
    """`poisson`: independent of each other, as people are. `constant`: evenly spaced."""
    duration: Duration = lasting("20s")
    """How long the load takes behind its warm-up; in a comparison in the same run, both sides together."""


class ClosedLoad(BlockLoad):
    """Closed loop: so many requests are always under way; a slow model is asked less."""

    concurrency: int = Field(ge=1, le=512, examples=[8])
    """Requests under way at a time."""
    duration: Duration = lasting("20s")
    """How long the load takes behind its warm-up; in a comparison in the same run, both sides together."""


class Stage(Section):
    """A part of a ramp."""

    rate: Rate
    """Requests a second."""
    duration: Duration
    """How long; in a comparison in the same run, both sides together."""


class StagedLoad(BlockLoad):
    """Open loop at rates that follow each other: a ramp."""

    stages: Annotated[tuple[Stage, ...], Field(strict=False, min_length=1)]
    """The rates, each with its duration: `[{rate: 10, duration: 10s}, {rate: 50, duration: 10s}]`."""
    arrivals: Literal["poisson", "constant"] = "poisson"
    """`poisson`: independent of each other, as people are. `constant`: evenly spaced."""


def _bound(name: str) -> str:
    found = timing(name)
    if name != ERROR_RATE.name and not (found and found.quantile):
        there = ("p50_ms", "p90_ms", "p95_ms", "p99_ms", ERROR_RATE.name)
        raise complaint(
            "is no bound: a step is held to percentiles and the error rate", did_you_mean(name, there, "e.g.")
        )
    if found and found.quantile > HIGHEST_QUANTILE:
        raise complaint(*TOO_HIGH)
    return name


class FindLoad(AnyLoad):
    """Look for the greatest rate at which the model keeps bounds: the metric `max_rps`."""

    find: Mapping[Annotated[MetricName, BeforeValidator(_bound)], _BoundValue] = Field(
        min_length=1, examples=[{"p95_ms": 200}]
    )
    """The bounds of a step, each a maximum: percentiles in ms, and `error_rate`."""
    least: Rate = 1
    """The least rate to try, in requests a second."""
    most: Rate = 500
    """The greatest rate to try: `max_rps` is never above it."""
    step: Duration = lasting("5s")
    """How long one rate is tried."""
    arrivals: Literal["poisson", "constant"] = "poisson"
    """`poisson`: independent of each other, as people are. `constant`: evenly spaced."""
    duration: Given[Duration] = None
    """How long the search may take; in a comparison in the same run, both sides together. Left out: 12 steps."""

    @model_validator(mode="after")
    def _has_sound_bounds(self) -> Self:
        if self.least >= self.most:
            raise complaint(f"is not below most ({self.most:g})", "swap or mend them", at=("least",))
        for name, limit in self.find.items():
            if name != ERROR_RATE.name and limit == 0:
                raise complaint("can never be kept: no reply takes 0 ms", "e.g. p95_ms: 200", at=("find", name))
            if name == ERROR_RATE.name and limit >= 1:
                meant = limit / 100 if limit < 100 else 0.01  # noqa: PLR2004 - percent
                raise complaint("can never be broken: it goes from 0 to 1", f"write {meant:g}", at=("find", name))
        return self


def _one_way(value: object) -> object:
    if isinstance(value, dict):
        ways = [key for key in _WAYS if key in value]
        if len(ways) > 1:
            raise complaint(f"has {' and '.join(ways)}: a load is made in one way", "keep one of them")
        if not ways:
            raise complaint("needs one of rate, concurrency, stages and find", "e.g. load: {rate: 50, duration: 20s}")
    return value


def _way(value: object) -> str:
    for variant, key in ((ClosedLoad, "concurrency"), (StagedLoad, "stages"), (FindLoad, "find")):
        if isinstance(value, variant) or (isinstance(value, dict) and key in value):
            return variant.__name__
    return RateLoad.__name__


Load: TypeAlias = Annotated[
    Annotated[RateLoad, Tag("RateLoad")]
    | Annotated[ClosedLoad, Tag("ClosedLoad")]
    | Annotated[StagedLoad, Tag("StagedLoad")]
    | Annotated[FindLoad, Tag("FindLoad")],
    Discriminator(_way),
    BeforeValidator(_one_way),
]
