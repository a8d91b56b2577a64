"""The bounds that one metric must keep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from mlgate.config.sections.section import Given, Section, complaint
from mlgate.config.yaml.fault import describe
from mlgate.config.yaml.scalar import meant_number
from mlgate.core.check import Bound

_PERCENT = re.compile(r"((?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,6})?) ?%")

OnBreach = Literal["block", "warn"]


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse than the baseline is still good enough."""

    amount: float
    """In the metric's unit; for a relative margin a fraction: `2%` is 0.02."""
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.amount * 100:.10g}%" if self.relative else f"{self.amount:.12g}"


def _limit(value: object) -> object:
    if isinstance(value, str) and (percent := _PERCENT.fullmatch(value)):
        number = float(percent[1])
        raise complaint(
            "must be a number, not a percentage",
            f"write {number:g} where the metric counts points, or {number / 100:g} where it is a ratio; "
            "a percentage of the baseline goes with max_drop or max_rise",
        )
    if isinstance(value, str) and (meant := meant_number(value)):
        plain = meant == value.strip()
        raise complaint(f"must be a number, but is {describe(value)}", f"write {meant}{' without quotes' * plain}")
    return value


def _margin(value: object) -> object:
    if isinstance(value, Margin):
        return value
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value)
        if not found:
            meant = meant_number(value.replace("percent", "%").replace("-", ""))
            hint = f"write {meant}" if meant else "write it like 0.01, or 2% of the baseline"
            raise complaint("must be a number or a percentage", hint)
        return Margin(float(found[1]) / 100, relative=True)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise complaint("must be a number or a percentage", "write it like 0.01, or 2% of the baseline")
    if not value >= 0:
        raise complaint("must not be negative", f"write {-value:g}: how much worse is still good enough")
    return Margin(float(value))


Limit = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_limit)]
MarginValue = Annotated[
    Margin,
    BeforeValidator(_margin),
    PlainSerializer(lambda margin: str(margin) if margin.relative else margin.amount),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_PERCENT.pattern}$"}]}
    ),
]


class RuleSection(Section):
    """The bounds of one metric: at least one of `min`, `max`, `max_drop` and `max_rise`."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [bound.value]} for bound in Bound if bound.is_of_checks]}
    )

    min: Given[Limit] = None
    """The value must be at least this, in the metric's unit."""
    max: Given[Limit] = None
    """The value must be at most this, in the metric's unit."""
    max_drop: Given[MarginValue] = None
    """For metrics where higher is better: how far the value may fall below the baseline's, `0.01` or `2%` of it."""
    max_rise: Given[MarginValue] = None
    """For metrics where lower is better: how far the value may rise above the baseline's, `0.01` or `2%` of it."""
    confidence: float = Field(0.95, gt=0.5, le=0.999)
    """Of the two-sided interval that `max_drop` and `max_rise` are judged by. For a latency check's `min` and `max`: of
    the one-sided bound of the value, which must lie within the limit."""
    on_breach: OnBreach = "block"
    """What a broken bound does: `block` or `warn`."""
    on_inconclusive: OnBreach = "block"
    """What a check that is too small to settle the rule does: `block` or `warn`; `warn` with `on_breach: warn`."""

    @property
    def compares(self) -> bool:
        """Return whether a bound holds the candidate against the baseline."""
        return self.max_drop is not None or self.max_rise is not None

    @property
    def _is_empty(self) -> bool:
        """Whether no bound is written."""
        return self.min is None and self.max is None and self.max_drop is None and self.max_rise is None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self._is_empty:
            raise complaint("has no bound", "write one of min, max, max_drop and max_rise")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise complaint(f"is greater than max ({self.max:g}): nothing can pass", "swap or mend them", at=("min",))
        return self
