"""The JSON Schema of a version 1 report: what `json_v1.render` writes.

Committed as docs/reference/report.v1.schema.json; a test holds the two together.
"""

from __future__ import annotations

from mlgate.core.check import Bound
from mlgate.core.metric import Better
from mlgate.core.outcome import Outcome
from mlgate.core.rule_change import Direction
from mlgate.reports.json_v1 import loads
from mlgate.reports.json_v1.reader import SCHEMA, VERSION
from mlgate.reports.json_v1.schema_parts import COUNT, FLAG, NUMBER, TEXT, array, optional, record, told
from mlgate.reports.json_v1.strict_json import Value

_OUTCOME: dict[str, Value] = {"$ref": "#/$defs/outcome"}
_WIDTH: dict[str, Value] = {"$ref": "#/$defs/width"}


def schema() -> dict[str, Value]:
    """Return the schema, whole."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "mlgate report, version 1",
        **record(
            "Everything that was measured and concluded in one run. Keys are only ever added in a new version.",
            schema={"const": SCHEMA},
            version={"const": VERSION},
            outcome=told(
                _OUTCOME,
                "The worst finding's; inconclusive when there are none. At least warned where a change of the policy "
                "asks another question.",
            ),
            exit_code={
                "enum": [0, 1, 3],
                "description": "0 passed or warned, 1 failed, 3 inconclusive or errored.",
            },
            reason=told(TEXT, "Why, in one sentence. Its wording may improve within a version."),
            model=told(TEXT, "The model's name."),
            suite=told(TEXT, "Digest of what was asked."),
            evidence=told(TEXT, "Digest of what was answered."),
            provenance={"$ref": "#/$defs/provenance"},
            environments=array("environment"),
            checks=array("check"),
            findings=told(array("finding"), "Worst first."),
            measurements=told(array("measurement"), "Of the candidate: whole checks and slices."),
            baseline_measurements=told(array("measurement"), "Of the baseline, scored again by the same metric."),
            baseline=optional("baseline"),
            segments=told(array("segment"), "What moved a metric most, in comparisons that did not pass."),
            notices={"type": "array", "items": TEXT},
            loads=told(array("load"), "Of latency checks that were observed."),
            policy=optional("policy"),
        ),
        "$defs": {
            "number": {
                "anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}],
                "description": "JSON has no NaN and no infinity; they are words.",
            },
            "outcome": {"enum": [outcome.name.lower() for outcome in Outcome]},
            **_run(),
            **_conclusions(),
            **loads.definitions(),
        },
    }


def _run() -> dict[str, Value]:
    data = record("One check's data.", check=TEXT, digest=TEXT)
    library = record("A library.", name=TEXT, version=TEXT)
    return {
        "provenance": record(
            "What was observed.",
            commit=told(TEXT, "Git commit, `+dirty` behind it when the tree had changes; empty outside git."),
            suite=TEXT,
            model=told(TEXT, "Digest or address of the model."),
            data={"type": "array", "items": data},
            baseline=told(TEXT, "Digest of the baseline's model when it was observed in the same run, else empty."),
            run=told(TEXT, "The CI run that observed it; empty at a desk."),
        ),
        "policy": record(
            "Whose rules judged, where they are not those of the checkout: the base branch's.",
            source=told(TEXT, "The commit that they were read from."),
            changes=told(array("change"), "What the change under test makes of the rules; questions, then looser."),
        ),
        "change": record(
            "One difference between the base's rules and the ones under test.",
            direction={"enum": [direction.value for direction in Direction]},
            what=told(TEXT, "One clause with both values. Its wording may improve within a version."),
            where=told(TEXT, "`file:line:column`."),
        ),
        "environment": record(
            "Where a part of the run was observed.",
            python=TEXT,
            platform=TEXT,
            cpu=TEXT,
            versions={"type": "array", "items": library},
        ),
        "check": record(
            "How much of one check was observed.",
            id=TEXT,
            kind=TEXT,
            planned=COUNT,
            answered=COUNT,
            gaps=told(COUNT, "Asked and not answered."),
            missing=told(COUNT, "Planned, and no row at all."),
        ),
        "baseline": record("What the candidate was compared with.", source=TEXT, commit=TEXT, model=TEXT, digest=TEXT),
        "segment": record(
            "One example that moved a metric, its texts cut.",
            check=TEXT,
            metric=TEXT,
            example=TEXT,
            moved=told(NUMBER, "Its share of the change; without a baseline, of the value."),
            input=TEXT,
            references={"type": "array", "items": TEXT},
            candidate_answer=TEXT,
            baseline_answer={"type": ["string", "null"]},
        ),
    }


def _conclusions() -> dict[str, Value]:
    end = told(NUMBER, "End of the interval at the rule's confidence.")
    end_of_value = told(NUMBER, "End of the 95 % interval.")
    return {
        "measurement": record(
            "One metric of one check or of one slice of it.",
            sometimes=["groups"],
            check=TEXT,
            metric=told(TEXT, "The name that rules use."),
            kind=told(TEXT, "The metric that it is."),
            unit=TEXT,
            better={"enum": [better.value for better in Better]},
            slice=told(TEXT, "Empty for the whole check, else `field=value`."),
            value=NUMBER,
            n=COUNT,
            groups=told(COUNT, "How many groups the n examples are of. Left out: each is its own."),
            low=end_of_value,
            high=end_of_value,
            signature=told(TEXT, "Every setting that can change the value; unlike signatures are never compared."),
        ),
        "delta": record(
            "Candidate minus baseline, paired by example.",
            sometimes=["unseen", "error", "rounds", "by_request", "sure"],
            value=NUMBER,
            low=end,
            high=end,
            alone=told(_WIDTH, "Of that interval."),
            family=told(_WIDTH, "So that all comparisons hold at once (max-t): failing is judged by it."),
            identical=told(FLAG, "Nothing that was observed differs from the baseline's."),
            unseen=told(NUMBER, "What answers like none of these examples has may cost. Left out: it is not held."),
            base=told(
                NUMBER, "Of times: the baseline's value, and widths are of the ratio's logarithm. 0: of the value."
            ),
            error=told(NUMBER, "The standard error of the value; of times, of the ratio's logarithm."),
            rounds=told(COUNT, "Of times: how many rounds of both sides it is known from."),
            by_request=told(FLAG, "Of times: it is the median of both sides' ratios, request by request."),
            sure=told(NUMBER, "Of times: the confidence of that interval, 0 to 1; more than asked at an early look."),
        ),
        "width": record(
            "Of an interval. What n examples say of their spread falls as 1/sqrt(n), of what they miss as 1/n.",
            half=told(NUMBER, "Half the width: the greater of the two."),
            spread=told(NUMBER, "From how much the examples differ."),
            floor=told(NUMBER, "From how much they can miss."),
        ),
        "finding": _finding(),
    }


def _finding() -> Value:
    return record(
        "One rule's outcome.",
        id=told(TEXT, "`check/metric/bound`, with the slice behind it."),
        check=TEXT,
        slice=TEXT,
        slice_by=told(TEXT, "The field, for a rule that holds for each of its values."),
        metric=TEXT,
        bound={"enum": [bound.value for bound in Bound]},
        limit=NUMBER,
        relative=told(FLAG, "The limit is a fraction of the baseline."),
        confidence=NUMBER,
        on_breach=_OUTCOME,
        on_inconclusive=_OUTCOME,
        where=told(TEXT, "`file:line:column` of the rule."),
        outcome=_OUTCOME,
        why=told(TEXT, "One sentence with the numbers."),
        topic=told(TEXT, "Heading of the findings page."),
        docs=told(TEXT, "Link to it."),
        candidate=optional("measurement"),
        baseline=optional("measurement"),
        delta=optional("delta"),
    )
