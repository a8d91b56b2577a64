"""The JSON Schema of a version 1 report: what `json_v1.render` writes.

Committed as docs/reference/report.v1.schema.json; a test holds the two together.
"""

from __future__ import annotations

from mlgate.core.check import Better, Bound
from mlgate.core.outcome import Outcome
from mlgate.reports.json_v1_reader import SCHEMA, VERSION
from mlgate.reports.strict_json import Value

_TEXT: dict[str, Value] = {"type": "string"}
_COUNT: dict[str, Value] = {"type": "integer"}
_FLAG: dict[str, Value] = {"type": "boolean"}
_NUMBER: dict[str, Value] = {"$ref": "#/$defs/number"}
_OUTCOME: dict[str, Value] = {"$ref": "#/$defs/outcome"}
_WIDTH: dict[str, Value] = {"$ref": "#/$defs/width"}


def schema() -> dict[str, Value]:
    """Return the schema, whole."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "mlgate report, version 1",
        **_object(
            "Everything that was measured and concluded in one run. Keys are only ever added in a new version.",
            schema={"const": SCHEMA},
            version={"const": VERSION},
            outcome=_told(_OUTCOME, "The worst finding's; inconclusive when there are none."),
            exit_code={
                "enum": [0, 1, 3],
                "description": "0 passed or warned, 1 failed, 3 inconclusive or errored.",
            },
            reason=_told(_TEXT, "Why, in one sentence. Its wording may improve within a version."),
            model=_told(_TEXT, "The model's name."),
            suite=_told(_TEXT, "Digest of what was asked."),
            evidence=_told(_TEXT, "Digest of what was answered."),
            provenance={"$ref": "#/$defs/provenance"},
            environments=_array("environment"),
            checks=_array("check"),
            findings=_told(_array("finding"), "Worst first."),
            measurements=_told(_array("measurement"), "Of the candidate: whole checks and slices."),
            baseline_measurements=_told(_array("measurement"), "Of the baseline, scored again by the same metric."),
            baseline=_optional("baseline"),
            segments=_told(_array("segment"), "What moved a metric most, in comparisons that did not pass."),
            notices={"type": "array", "items": _TEXT},
        ),
        "$defs": {
            "number": {
                "anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}],
                "description": "JSON has no NaN and no infinity; they are words.",
            },
            "outcome": {"enum": [outcome.name.lower() for outcome in Outcome]},
            **_run(),
            **_conclusions(),
        },
    }


def _run() -> dict[str, Value]:
    data = _object("One check's data.", check=_TEXT, digest=_TEXT)
    library = _object("A library.", name=_TEXT, version=_TEXT)
    return {
        "provenance": _object(
            "What was observed.",
            commit=_told(_TEXT, "Git commit, `+dirty` behind it when the tree had changes; empty outside git."),
            suite=_TEXT,
            model=_told(_TEXT, "Digest or address of the model."),
            data={"type": "array", "items": data},
        ),
        "environment": _object(
            "Where a part of the run was observed.",
            python=_TEXT,
            platform=_TEXT,
            cpu=_TEXT,
            versions={"type": "array", "items": library},
        ),
        "check": _object(
            "How much of one check was observed.",
            id=_TEXT,
            kind=_TEXT,
            planned=_COUNT,
            answered=_COUNT,
            gaps=_told(_COUNT, "Asked and not answered."),
            missing=_told(_COUNT, "Planned, and no row at all."),
        ),
        "baseline": _object(
            "What the candidate was compared with.", source=_TEXT, commit=_TEXT, model=_TEXT, digest=_TEXT
        ),
        "segment": _object(
            "One example that moved a metric, its texts cut.",
            check=_TEXT,
            metric=_TEXT,
            example=_TEXT,
            moved=_told(_NUMBER, "Its share of the change; without a baseline, of the value."),
            input=_TEXT,
            references={"type": "array", "items": _TEXT},
            candidate_answer=_TEXT,
            baseline_answer={"type": ["string", "null"]},
        ),
    }


def _conclusions() -> dict[str, Value]:
    end = _told(_NUMBER, "End of the interval at the rule's confidence.")
    end_of_value = _told(_NUMBER, "End of the 95 % interval.")
    return {
        "measurement": _object(
            "One metric of one check or of one slice of it.",
            check=_TEXT,
            metric=_told(_TEXT, "The name that rules use."),
            kind=_told(_TEXT, "The metric that it is."),
            unit=_TEXT,
            better={"enum": [better.value for better in Better]},
            slice=_told(_TEXT, "Empty for the whole check, else `field=value`."),
            value=_NUMBER,
            n=_COUNT,
            low=end_of_value,
            high=end_of_value,
            signature=_told(_TEXT, "Every setting that can change the value; unlike signatures are never compared."),
        ),
        "delta": _object(
            "Candidate minus baseline, paired by example.",
            value=_NUMBER,
            low=end,
            high=end,
            alone=_told(_WIDTH, "Of that interval."),
            family=_told(_WIDTH, "So that all comparisons hold at once (max-t): failing is judged by it."),
            identical=_told(_FLAG, "Nothing that was observed differs from the baseline's."),
        ),
        "width": _object(
            "Of an interval. What n examples say of their spread falls as 1/sqrt(n), of what they miss as 1/n.",
            half=_told(_NUMBER, "Half the width: the greater of the two."),
            spread=_told(_NUMBER, "From how much the examples differ."),
            floor=_told(_NUMBER, "From how much they can miss."),
        ),
        "finding": _finding(),
    }


def _finding() -> Value:
    return _object(
        "One rule's outcome.",
        id=_told(_TEXT, "`check/metric/bound`, with the slice behind it."),
        check=_TEXT,
        slice=_TEXT,
        slice_by=_told(_TEXT, "The field, for a rule that holds for each of its values."),
        metric=_TEXT,
        bound={"enum": [bound.value for bound in Bound]},
        limit=_NUMBER,
        relative=_told(_FLAG, "The limit is a fraction of the baseline."),
        confidence=_NUMBER,
        on_breach=_OUTCOME,
        on_inconclusive=_OUTCOME,
        where=_told(_TEXT, "`file:line:column` of the rule."),
        outcome=_OUTCOME,
        why=_told(_TEXT, "One sentence with the numbers."),
        topic=_told(_TEXT, "Heading of the findings page."),
        docs=_told(_TEXT, "Link to it."),
        candidate=_optional("measurement"),
        baseline=_optional("measurement"),
        delta=_optional("delta"),
    )


def _object(description: str, **properties: Value) -> dict[str, Value]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(name: str) -> dict[str, Value]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def _optional(name: str) -> dict[str, Value]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


def _told(kind: dict[str, Value], description: str) -> Value:
    return {**kind, "description": description}
