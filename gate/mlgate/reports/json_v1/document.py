"""The report as JSON, version 1: a frozen form of its own, so that renaming inside never changes what others read.

Each part is defined once (run.py, conclusions.py, loads.py); what is written, what is read and the schema follow from
that. Numbers that JSON cannot carry are the words `nan`, `inf` and `-inf`. Findings carry their measurements whole, so
that `.findings[].candidate.value` needs no second look-up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from mlgate.core.report import Report
from mlgate.reports.json_v1 import conclusions, loads, run
from mlgate.reports.json_v1.node import Node, Value
from mlgate.reports.json_v1.shape import (
    COUNT,
    TEXT,
    Definition,
    Member,
    Role,
    Shape,
    array,
    constant,
    document_schema,
    optional,
)

SCHEMA = "https://github.com/org/mlgate/blob/main/docs/reference/report.v1.schema.json"
VERSION = 1

_MINE = "version 1 with its schema"
_EXIT_CODE = Shape(COUNT.write, COUNT.read, {"enum": [0, 1, 3]})
_MEASUREMENTS = array(conclusions.MEASUREMENT.named("measurement"))


def _worst_first(report: Report) -> tuple[str, str] | None:
    mixed = any(a.outcome < b.outcome for a, b in pairwise(report.findings))
    return ("findings", "the worst finding first") if mixed else None


REPORT = Definition(
    Report,
    "Everything that was measured and concluded in one run. Keys are only ever added in a new version.",
    (
        Member("schema", constant(SCHEMA, _MINE), at="", role=Role.WORDING),
        Member("version", constant(VERSION, _MINE), at="", role=Role.WORDING),
        Member(
            "outcome",
            conclusions.OUTCOME,
            "The worst finding's; inconclusive when there are none. At least warned where a change of the policy asks "
            "another question.",
            role=Role.FOLLOWS,
        ),
        Member(
            "exit_code",
            _EXIT_CODE,
            "0 passed or warned, 1 failed, 3 inconclusive or errored.",
            at="outcome.exit_code",
            role=Role.FOLLOWS,
        ),
        Member("reason", TEXT, "Why, in one sentence. Its wording may improve within a version.", role=Role.WORDING),
        Member("model", TEXT, "The model's name."),
        Member("suite", TEXT, "Digest of what was asked."),
        Member("evidence", TEXT, "Digest of what was answered."),
        Member("provenance", run.PROVENANCE.named("provenance")),
        Member("environments", array(run.ENVIRONMENT.named("environment"))),
        Member("checks", array(run.CHECK.named("check"))),
        Member("findings", array(conclusions.FINDING.named("finding")), "Worst first."),
        Member("measurements", _MEASUREMENTS, "Of the candidate: whole checks and slices."),
        Member(
            "baseline_measurements", _MEASUREMENTS, "Of the baseline, scored again by the same metric.", at="before"
        ),
        Member("baseline", optional(run.BASELINE.named("baseline"))),
        Member(
            "segments",
            array(run.SEGMENT.named("segment")),
            "What moved a metric most, in comparisons that did not pass.",
        ),
        Member("notices", array(TEXT)),
        Member("loads", array(loads.LOAD.named("load")), "Of latency checks that were observed."),
        Member("policy", optional(run.POLICY.named("policy"))),
    ),
    complaint=_worst_first,
)

_DEFINED: Mapping[str, Definition[Any]] = {
    "provenance": run.PROVENANCE,
    "policy": run.POLICY,
    "change": run.CHANGE,
    "environment": run.ENVIRONMENT,
    "check": run.CHECK,
    "baseline": run.BASELINE,
    "segment": run.SEGMENT,
    "measurement": conclusions.MEASUREMENT,
    "delta": conclusions.DELTA,
    "width": conclusions.WIDTH,
    "finding": conclusions.FINDING,
    "load": loads.LOAD,
    "percentile": loads.PERCENTILE,
}


def render(report: Report) -> str:
    r"""Return *report* as canonical JSON: sorted keys, two blanks, ASCII, a newline at the end.

    `##[` inside a string is written `#\u0023[`: the same string, and no workflow command when the file is printed.
    """
    text = json.dumps(REPORT.write(report), sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("##[", "#\\u0023[") + "\n"


def parse(text: str) -> Report:
    """Return the report in *text*. Raises EvidenceError, with the path, for what `render` would not have written.

    What follows from other fields must agree with them: a file that says passed over findings that failed is refused.
    Only `reason` and `docs` are free, so that a later version may word them better.
    """
    return REPORT.read(Node.of(text, "report"))


def schema() -> dict[str, Value]:
    """Return the JSON Schema of what `render` writes; docs/reference/report.v1.schema.json is this one, committed."""
    return document_schema(SCHEMA, "mlgate report, version 1", REPORT, _DEFINED, conclusions.OUTCOMES.schema)
