"""A named number: its unit, and which way it is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Metric:
    """A named number with a unit and a better end."""

    name: str
    unit: str
    """`points` (0 to 100), `ratio` (0 to 1, may exceed 1 for error rates), `ms`, `s`, `MB`, `1/s`, `times`, or ""."""
    better: Better

    @property
    def span(self) -> float:
        """Return the most that one answer can move a value of this unit; 0 where the unit does not say."""
        return {"points": 100.0, "ratio": 1.0}.get(self.unit, 0.0)

    @property
    def least(self) -> float:
        """Return the least value that there can be; minus infinity where the unit does not say."""
        return -math.inf if self.unit == "" else 0.0

    @property
    def most(self) -> float:
        """Return the greatest value that there can be; infinity where nothing says.

        An edit rate has none: whoever says too much makes more mistakes than there is text.
        """
        is_share = self.better is Better.HIGHER or self.name == "error_rate"
        return self.span if self.span and is_share else math.inf

    @property
    def sign(self) -> float:
        """Return 1 where more is better, else -1: times it, a loss is below zero."""
        return 1.0 if self.better is Better.HIGHER else -1.0

    def show(self, value: float, *, signed: bool = False) -> str:
        """Return *value* as people read it in this unit: two decimals for points, four for ratios."""
        if not math.isfinite(value):
            return "not a number" if math.isnan(value) else ("infinite" if value > 0 else "-infinite")
        sign = "+" if signed else ""
        match self.unit:
            case "points" | "ms":
                text = f"{value:{sign}.2f}"
            case "ratio":
                text = f"{value:{sign}.4f}"
            case _:
                text = f"{value:{sign}.4g}"
        return text.replace("-", "\N{MINUS SIGN}") if signed else text


ERROR_RATE = Metric("error_rate", "ratio", Better.LOWER)
"""The share of examples that the model was asked and failed on: timeouts, errors, answers that are no text."""
