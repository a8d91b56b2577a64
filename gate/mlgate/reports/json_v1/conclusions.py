"""The part of a version 1 report about what was concluded: measurements, differences, findings."""

from __future__ import annotations

from mlgate.core.check import Bound, Rule
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Finding, Measurement
from mlgate.reports.json_v1.shape import (
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Definition,
    Member,
    Role,
    Shape,
    choice,
    optional,
)

OUTCOMES = choice({outcome.name.lower(): outcome for outcome in Outcome})
OUTCOME = Shape(OUTCOMES.write, OUTCOMES.read, {"$ref": "#/$defs/outcome"})

MEASUREMENT = Definition(
    Measurement,
    "One metric of one check or of one slice of it.",
    (
        Member("check", TEXT),
        Member("metric", TEXT, "The name that rules use.", at="name"),
        Member("kind", TEXT, "The metric that it is.", at="metric.name"),
        Member("unit", TEXT, at="metric.unit"),
        Member("better", choice({better.value: better for better in Better}), at="metric.better"),
        Member("slice", TEXT, "Empty for the whole check, else `field=value`."),
        Member("value", NUMBER),
        Member("n", COUNT),
        Member("groups", COUNT, "How many groups the n examples are of. Left out: each is its own.", without=None),
        Member("low", NUMBER, "End of the 95 % interval."),
        Member("high", NUMBER, "End of the 95 % interval."),
        Member("signature", TEXT, "Every setting that can change the value; unlike signatures are never compared."),
    ),
    parts={"metric": Metric},
)


def _no_width(width: Width) -> tuple[str, str] | None:
    return ("half", "no width below zero") if width.half < 0 else None


WIDTH = Definition(
    Width,
    "Of an interval. What n examples say of their spread falls as 1/sqrt(n), of what they miss as 1/n.",
    (
        Member("half", NUMBER, "Half the width: the greater of the two.", role=Role.FOLLOWS),
        Member("spread", NUMBER, "From how much the examples differ."),
        Member("floor", NUMBER, "From how much they can miss."),
    ),
    complaint=_no_width,
)
_WIDTH = WIDTH.named("width")
_END = "End of the interval at the rule's confidence."
DELTA = Definition(
    Delta,
    "Candidate minus baseline, paired by example.",
    (
        Member("value", NUMBER),
        Member("low", NUMBER, _END, role=Role.FOLLOWS),
        Member("high", NUMBER, _END, role=Role.FOLLOWS),
        Member("alone", _WIDTH, "Of that interval."),
        Member("family", _WIDTH, "So that all comparisons hold at once (max-t): failing is judged by it."),
        Member("identical", FLAG, "Nothing that was observed differs from the baseline's."),
        Member(
            "unseen",
            NUMBER,
            "What answers like none of these examples has may cost. Left out: it is not held.",
            without=0.0,
        ),
        Member(
            "base",
            NUMBER,
            "Of times: the baseline's value, and widths are of the ratio's logarithm. 0: of the value.",
        ),
        Member("error", NUMBER, "The standard error of the value; of times, of the ratio's logarithm.", without=0.0),
        Member("rounds", COUNT, "Of times: how many rounds of both sides it is known from.", without=0),
        Member(
            "by_request", FLAG, "Of times: it is the median of both sides' ratios, request by request.", without=False
        ),
        Member(
            "sure",
            NUMBER,
            "Of times: the confidence of that interval, 0 to 1; more than asked at an early look.",
            without=0.0,
        ),
    ),
)

_MEASURED = optional(MEASUREMENT.named("measurement"))
FINDING = Definition(
    Finding,
    "One rule's outcome.",
    (
        Member("id", TEXT, "`check/metric/bound`, with the slice behind it.", role=Role.FOLLOWS),
        Member("check", TEXT),
        Member("slice", TEXT),
        Member("slice_by", TEXT, "The field, for a rule that holds for each of its values.", at="rule.slice_by"),
        Member("metric", TEXT, at="rule.metric"),
        Member("bound", choice({bound.value: bound for bound in Bound if bound.is_of_checks}), at="rule.bound"),
        Member("limit", NUMBER, at="rule.limit"),
        Member("relative", FLAG, "The limit is a fraction of the baseline.", at="rule.relative"),
        Member("confidence", NUMBER, at="rule.confidence"),
        Member("on_breach", OUTCOME, at="rule.on_breach"),
        Member("on_inconclusive", OUTCOME, at="rule.on_inconclusive"),
        Member("where", TEXT, "`file:line:column` of the rule.", at="rule.where"),
        Member("outcome", OUTCOME),
        Member("why", TEXT, "One sentence with the numbers."),
        Member("topic", TEXT, "Heading of the findings page."),
        Member("docs", TEXT, "Link to it.", role=Role.WORDING),
        Member("candidate", _MEASURED, at="measured"),
        Member("baseline", _MEASURED),
        Member("delta", optional(DELTA.named("delta"))),
    ),
    parts={"rule": Rule},
)
