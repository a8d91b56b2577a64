"""What a check measures: metrics with their options, and rules by metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, JsonValue, WithJsonSchema

from mlgate.config.sections.rule import RuleSection
from mlgate.config.sections.section import Given, MetricName, NamesOrMapping, Section, complaint
from mlgate.metrics import filters


def _filter(value: object) -> object:
    try:
        filters.build([value])  # type: ignore[list-item]  # whatever it is, the answer is a sentence
    except ValueError as error:
        raise complaint(f"cannot be used: {str(error).removeprefix('filter 1: ')}", "e.g. strip_reasoning") from error
    return value


Filter = Annotated[
    JsonValue,
    BeforeValidator(_filter),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(filters.NAMES)},
                {
                    "type": "object",
                    "anyOf": [{"required": [key]} for key in filters.KEYS],
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "string"},
                            {"type": "integer"},
                            {"type": "object", "additionalProperties": {"type": "string"}},
                        ]
                    },
                },
            ]
        }
    ),
]
Filters = Sequence[Filter]


class MetricOptions(Section):
    """How a metric is computed: its own options, and which metric it is when it is listed under another name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]
    may_be_empty: ClassVar[bool] = True
    written_as: ClassVar[str] = "a mapping of options"

    metric: Given[MetricName] = None
    """The metric, when the entry has a name of its own: `{bleu_zh: {metric: bleu, tokenize: zh}}`."""
    filters: Given[Filters] = None
    """What is taken out of an answer before this metric scores it. Left out: the check's."""

    @property
    def options(self) -> Mapping[str, JsonValue]:
        """Return the metric's own options."""
        return self.__pydantic_extra__


class RecordedMetric(Section):
    """What the numbers mean that the user's own tests record."""

    better: Literal["higher", "lower"]
    """Which way it is better."""
    unit: Literal["points", "ratio", "ms", ""] = ""
    """`points` (0 to 100), `ratio` (0 to 1), `ms`, or none."""


Rules = Mapping[MetricName, RuleSection]
Metrics = Annotated[Mapping[MetricName, MetricOptions], NamesOrMapping("a metric's name", lambda _: {})]
