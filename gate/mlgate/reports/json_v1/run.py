"""The part of a version 1 report about the run: what was observed, where, by whose rules, and against what."""

from __future__ import annotations

from mlgate.core.evidence import Environment, Provenance
from mlgate.core.report import BaselineSummary, CheckSummary, Segment
from mlgate.core.rule_change import Direction, Policy, RuleChange
from mlgate.reports.json_v1.shape import (
    COUNT,
    NUMBER,
    TEXT,
    TEXT_OR_NULL,
    Definition,
    Member,
    Role,
    array,
    choice,
    pair,
)

PROVENANCE = Definition(
    Provenance,
    "What was observed.",
    (
        Member("commit", TEXT, "Git commit, `+dirty` behind it when the tree had changes; empty outside git."),
        Member("suite", TEXT),
        Member("model", TEXT, "Digest or address of the model."),
        Member("data", array(pair("One check's data.", ("check", TEXT, ""), ("digest", TEXT, "")))),
        Member("baseline", TEXT, "Digest of the baseline's model when it was observed in the same run, else empty."),
        Member("run", TEXT, "The CI run that observed it; empty at a desk."),
    ),
)
CHANGE = Definition(
    RuleChange,
    "One difference between the base's rules and the ones under test.",
    (
        Member("direction", choice({direction.value: direction for direction in Direction})),
        Member("what", TEXT, "One clause with both values. Its wording may improve within a version."),
        Member("where", TEXT, "`file:line:column`."),
    ),
)
POLICY = Definition(
    Policy,
    "Whose rules judged, where they are not those of the checkout: the base branch's.",
    (
        Member("source", TEXT, "The commit that they were read from."),
        Member(
            "changes",
            array(CHANGE.named("change")),
            "What the change under test makes of the rules; questions, then looser.",
        ),
    ),
)
ENVIRONMENT = Definition(
    Environment,
    "Where a part of the run was observed.",
    (
        Member("python", TEXT),
        Member("platform", TEXT),
        Member("cpu", TEXT),
        Member("versions", array(pair("A library.", ("name", TEXT, ""), ("version", TEXT, "")))),
    ),
)
CHECK = Definition(
    CheckSummary,
    "How much of one check was observed.",
    (
        Member("id", TEXT),
        Member("kind", TEXT),
        Member("planned", COUNT),
        Member("answered", COUNT),
        Member("gaps", COUNT, "Asked and not answered."),
        Member("missing", COUNT, "Planned, and no row at all.", role=Role.FOLLOWS),
    ),
)
BASELINE = Definition(
    BaselineSummary,
    "What the candidate was compared with.",
    (Member("source", TEXT), Member("commit", TEXT), Member("model", TEXT), Member("digest", TEXT)),
)
SEGMENT = Definition(
    Segment,
    "One example that moved a metric, its texts cut.",
    (
        Member("check", TEXT),
        Member("metric", TEXT, at="name"),
        Member("example", TEXT),
        Member("moved", NUMBER, "Its share of the change; without a baseline, of the value."),
        Member("input", TEXT),
        Member("references", array(TEXT)),
        Member("candidate_answer", TEXT, at="answer"),
        Member("baseline_answer", TEXT_OR_NULL, at="baseline"),
        Member("unlike", TEXT, "The code points in which the answer differs from what it looks like.", without=""),
    ),
)
