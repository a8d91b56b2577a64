"""The checks: what is asked, what is measured, and the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag, model_validator

from mlgate.config.sections.data import Data
from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.sections.metric import Filters, Metrics, RecordedMetric, Rules
from mlgate.config.sections.section import (
    FieldName,
    Given,
    Many,
    MetricName,
    NamesOrMapping,
    Section,
    Written,
    complaint,
)
from mlgate.config.yaml.fault import describe, did_you_mean

KINDS = ("accuracy", "latency", "recorded")

TestPath = Annotated[
    str,
    Written(
        r"[^-\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,4095}",
        "must be a path, and not begin with -",  # pytest would take it for an option
        "e.g. tests/test_tone.py",
    ),
]
SliceRules = Annotated[Mapping[FieldName, Rules], NamesOrMapping("a field's name", lambda _: {})]


def _kind(value: object) -> object:
    if value not in KINDS:
        hint = did_you_mean(value, KINDS, "there are") if isinstance(value, str) else f"there are: {', '.join(KINDS)}"
        raise complaint(f"must be a kind of check, but is {describe(value)}", hint)
    return value


_RULED: dict[str, JsonValue] = {"anyOf": [{"required": ["rules"]}, {"required": ["slices"]}]}

CheckT = TypeVar("CheckT", "AccuracyCheck", "RecordedCheck")


def _has_a_rule(check: CheckT) -> CheckT:
    if not check.rules and not any(check.slices.values()):
        raise complaint("has no rule: nothing could ever fail", "write e.g. rules: {rougeL: {min: 0.3}}")
    return check


class AccuracyCheck(Section):
    """Ask the model for one text an example, and score the texts against references."""

    model_config = ConfigDict(json_schema_extra=_RULED)

    kind: Annotated[Literal["accuracy"], BeforeValidator(_kind)] = "accuracy"
    """What the check does."""
    data: Data
    """The examples: a path, or a mapping with `path`, `source` or `dataset`."""
    metrics: Metrics = Field(default_factory=dict)
    """Metrics besides those that rules name: `[chrf, ter]`, or with options `{rougeL: {use_stemmer: true}}`."""
    filters: Filters = ()
    """What is taken out of an answer before it is scored, in order: `[strip_reasoning, {regex: "Answer: (.*)"}]`."""
    rules: Rules = Field(default_factory=dict)
    """Bounds by metric. At least one, here or under `slices`."""
    slices: SliceRules = Field(default_factory=dict)
    """Fields whose values are measured apart: `[module]`, or with rules for each: `{module: {bleu: {min: 9}}}`."""

    _ruled = model_validator(mode="after")(_has_a_rule)


class RecordedCheck(Section):
    """Judge numbers that the user's own pytest tests record."""

    model_config = ConfigDict(
        json_schema_extra={**_RULED, "oneOf": [{"required": ["data"]}, {"required": ["examples"]}]}
    )

    kind: Annotated[Literal["recorded"], BeforeValidator(_kind)]
    """What the check does."""
    tests: Many[TestPath] = Field(min_length=1, examples=[["tests/test_tone.py"]])
    """The pytest files that record rows."""
    data: Given[Data] = None
    """The examples that the tests record rows for: a path, or a mapping with `path`, `source` or `dataset`. Or
    `examples`."""
    examples: Given[Annotated[int, Field(ge=1, le=1_000_000)]] = None
    """How many rows the tests record, when there is no data. Or `data`."""
    metrics: Mapping[MetricName, RecordedMetric] = Field(min_length=1)
    """What the tests record, by name."""
    rules: Rules = Field(default_factory=dict)
    """Bounds by metric. At least one, here or under `slices`."""
    slices: SliceRules = Field(default_factory=dict)
    """Fields whose values are measured apart: `[module]`, or with rules for each: `{module: {bleu: {min: 9}}}`."""

    _ruled = model_validator(mode="after")(_has_a_rule)

    @model_validator(mode="after")
    def _has_rows_to_plan(self) -> Self:
        if self.data is None and self.examples is None:
            raise complaint("needs `data` or `examples`", "say how many rows the tests record: examples: 40")
        if self.data is not None and self.examples is not None:
            raise complaint("has both `data` and `examples`", "keep one of them")
        if self.data is None and self.slices:
            raise complaint("needs `data`: numbered examples have no fields", "delete it", at=("slices",))
        return self


def _which(value: object) -> str:
    kind = value.get("kind") if isinstance(value, dict) else None
    for variant, name in ((LatencyCheck, "latency"), (RecordedCheck, "recorded")):
        if isinstance(value, variant) or kind == name:
            return variant.__name__
    return AccuracyCheck.__name__


Check: TypeAlias = AccuracyCheck | LatencyCheck | RecordedCheck
AnyCheck = Annotated[
    Annotated[AccuracyCheck, Tag("AccuracyCheck")]
    | Annotated[LatencyCheck, Tag("LatencyCheck")]
    | Annotated[RecordedCheck, Tag("RecordedCheck")],
    Discriminator(_which),
]
